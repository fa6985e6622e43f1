/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/*
 * A back end that is neither vDPA nor vstate: rte_vhost's own data path and a thread that sends
 * every frame back. It shows the minimum that a back end needs to use rte_vhost_state.
 *
 * One lock protects a device. The thread holds it for one round over the queues, so any other
 * thread that holds the lock sees the device between two rounds.
 */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/virtio_ring.h>

#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_thread.h>
#include <rte_vhost.h>

#include "backend.h"
#include "backend_plain.h"
#include "clock.h"
#include "rte_vhost_state_backend.h"

#define BURST 32
#define NB_MBUFS 8191
#define IDLE_US 20
#define STOP_US 1000000
/* VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD */
#define INFLIGHT_SHMFD 12
/* Equal to the guest's limit. */
#define MAX_PAIRS 64
#define NB_VQS (2 * MAX_PAIRS)
#define MTU 9600

struct plain {
	struct backend_device dev;
	struct plain *next;
	rte_thread_t thread;
	pthread_mutex_t lock;

	/* -- protected by lock -- */
	bool quit;
	/** rte_vhost's ID of the connection, or -1. */
	int vid;
	/** The rings may be processed. */
	bool running;
	bool suspended;
	/** Dequeue no more frames; only deliver those in held. */
	bool draining;
	uint16_t nb_vqs;
	/** A restored state that is applied when the rings start; NULL: none. */
	struct rte_vhost_state *pending;
	/** Frames that were dequeued from a pair and are not delivered yet. */
	struct rte_mbuf *held[MAX_PAIRS][BURST];
	uint16_t nb_held[MAX_PAIRS];
	struct rte_vhost_state_timing suspend_time;
};

static struct plain *plains;
static pthread_mutex_t plains_lock = PTHREAD_MUTEX_INITIALIZER;
static struct rte_mempool *pool;

/* ---- data path ---- */

static bool
pair_round(struct plain *p, uint16_t pair)
{
	struct rte_mbuf **held = p->held[pair];
	uint16_t n;

	if (p->nb_held[pair] == 0 && !p->draining)
		p->nb_held[pair] = rte_vhost_dequeue_burst(p->vid, 2 * pair + 1, pool, held, BURST);
	if (p->nb_held[pair] == 0)
		return false;
	/* rte_vhost copies the frames, so the mbufs must be freed here. */
	n = rte_vhost_enqueue_burst(p->vid, 2 * pair, held, p->nb_held[pair]);
	rte_pktmbuf_free_bulk(held, n);
	p->nb_held[pair] -= n;
	memmove(held, held + n, p->nb_held[pair] * sizeof(*held));
	return true;
}

static bool
round_run(struct plain *p)
{
	bool moved = false;
	uint16_t pair;

	for (pair = 0; pair < p->nb_vqs / 2; pair++)
		moved |= pair_round(p, pair);
	return moved;
}

static uint32_t
thread_main(void *arg)
{
	struct plain *p = arg;
	bool quit, moved;

	do {
		pthread_mutex_lock(&p->lock);
		moved = p->running && !p->suspended && round_run(p);
		quit = p->quit;
		pthread_mutex_unlock(&p->lock);
		/* Also with work left: a lock that is taken again at once starves other threads. */
		usleep(moved ? 0 : IDLE_US);
	} while (!quit);
	return 0;
}

static bool
holds_frames(const struct plain *p)
{
	uint16_t pair;

	for (pair = 0; pair < MAX_PAIRS; pair++)
		if (p->nb_held[pair] != 0)
			return true;
	return false;
}

static void
held_free(struct plain *p)
{
	uint16_t pair;

	for (pair = 0; pair < MAX_PAIRS; pair++) {
		rte_pktmbuf_free_bulk(p->held[pair], p->nb_held[pair]);
		p->nb_held[pair] = 0;
	}
}

/* ---- events of rte_vhost ---- */

static struct plain *
plain_of(int vid)
{
	struct plain *p = NULL;
	char path[108];

	if (rte_vhost_get_ifname(vid, path, sizeof(path)) != 0)
		return NULL;
	pthread_mutex_lock(&plains_lock);
	for (p = plains; p != NULL; p = p->next)
		if (strcmp(p->dev.socket, path) == 0)
			break;
	pthread_mutex_unlock(&plains_lock);
	return p;
}

/* A position as rte_vhost has it: the index; packed rings: the wrap counter in bit 15. */
static uint16_t
base_of(uint16_t idx, uint8_t wrap, bool packed)
{
	return packed ? idx | wrap << 15 : idx;
}

static void
pending_apply(struct plain *p)
{
	const struct rte_vhost_state *st = p->pending;
	bool packed = rte_vhost_state_is_packed(st);
	uint16_t i;

	for (i = 0; i < st->nb_vqs; i++)
		if (st->vqs[i].size != 0)
			rte_vhost_set_vring_base(p->vid, i,
				base_of(st->vqs[i].avail_idx, st->vqs[i].avail_wrap, packed),
				base_of(st->vqs[i].used_idx, st->vqs[i].used_wrap, packed));
	rte_vhost_state_free(p->pending);
	p->pending = NULL;
}

static int
new_connection(int vid)
{
	struct plain *p = plain_of(vid);

	if (p == NULL)
		return -1;
	pthread_mutex_lock(&p->lock);
	p->vid = vid;
	pthread_mutex_unlock(&p->lock);
	return 0;
}

static int
new_device(int vid)
{
	struct plain *p = plain_of(vid);

	if (p == NULL)
		return -1;
	pthread_mutex_lock(&p->lock);
	p->vid = vid;
	p->nb_vqs = RTE_MIN(rte_vhost_get_vring_num(vid), NB_VQS);
	if (p->pending != NULL)
		pending_apply(p);
	p->running = true;
	pthread_mutex_unlock(&p->lock);
	return 0;
}

static void
destroy_device(int vid)
{
	struct plain *p = plain_of(vid);

	if (p == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	/* Deliver what the rings still can take before they are gone. */
	if (p->running && !p->suspended)
		round_run(p);
	held_free(p);
	p->running = p->suspended = p->draining = false;
	pthread_mutex_unlock(&p->lock);
}

static void
destroy_connection(int vid)
{
	struct plain *p = plain_of(vid);

	if (p == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	p->vid = -1;
	rte_vhost_state_free(p->pending);
	p->pending = NULL;
	pthread_mutex_unlock(&p->lock);
}

static const struct rte_vhost_device_ops vhost_ops = {
	.new_device = new_device,
	.destroy_device = destroy_device,
	.new_connection = new_connection,
	.destroy_connection = destroy_connection,
};

/* ---- operations of rte_vhost_state; the lock is held in the functions without op_ ---- */

static uint8_t
status_of(const struct plain *p)
{
	uint8_t status = RTE_VHOST_STATE_S_ACKNOWLEDGE | RTE_VHOST_STATE_S_DRIVER |
		RTE_VHOST_STATE_S_FEATURES_OK;

	if (p->vid < 0)
		return 0;
	if (p->suspended)
		return status | RTE_VHOST_STATE_S_SUSPEND;
	return p->running ? status | RTE_VHOST_STATE_S_DRIVER_OK : status;
}

static uint64_t
features_of(const struct plain *p)
{
	uint64_t features = 0;

	if (p->vid >= 0)
		rte_vhost_get_negotiated_features(p->vid, &features);
	return features & ~(RTE_BIT64(VHOST_F_LOG_ALL) | RTE_BIT64(VHOST_USER_F_PROTOCOL_FEATURES));
}

static void
limits_of(const struct plain *p, struct rte_vhost_state_limits *lim)
{
	lim->device_id = RTE_VHOST_STATE_ID_NET;
	rte_vhost_driver_get_features(p->dev.socket, &lim->device_features);
	lim->driver_features = features_of(p);
	lim->max_vqs = NB_VQS;
	lim->max_mtu = MTU;
}

static int
op_info(void *ctx, struct rte_vhost_state_info *info)
{
	struct plain *p = ctx;

	pthread_mutex_lock(&p->lock);
	info->status = status_of(p);
	info->connected = p->vid >= 0;
	limits_of(p, &info->limits);
	info->suspend = p->suspend_time;
	pthread_mutex_unlock(&p->lock);
	return 0;
}

static int
suspend_locked(struct plain *p, uint32_t timeout_us, struct rte_vhost_state_error *err)
{
	uint64_t start = clock_ns(), until = start + timeout_us * UINT64_C(1000), ns;
	int ret = rte_vhost_state_may(status_of(p), RTE_VHOST_STATE_A_SUSPEND, err);

	if (ret < 0 || p->suspended)
		return ret;
	/* Frames that were dequeued are delivered first; the guest may be slow to post buffers. */
	p->draining = true;
	while (holds_frames(p)) {
		round_run(p);
		if (clock_ns() < until)
			continue;
		p->draining = false;
		return rte_vhost_state_refuse(err, RTE_VHOST_STATE_R_TIMEOUT, -1, timeout_us, 0);
	}
	p->draining = false;
	p->suspended = true;
	ns = clock_ns() - start;
	p->suspend_time.count++;
	p->suspend_time.last_ns = ns;
	p->suspend_time.max_ns = RTE_MAX(p->suspend_time.max_ns, ns);
	p->suspend_time.sum_ns += ns;
	return 0;
}

static int
op_suspend(void *ctx, uint32_t timeout_us, struct rte_vhost_state_error *err)
{
	struct plain *p = ctx;
	int ret;

	pthread_mutex_lock(&p->lock);
	ret = suspend_locked(p, timeout_us != 0 ? timeout_us : STOP_US, err);
	pthread_mutex_unlock(&p->lock);
	return ret;
}

static int
op_resume(void *ctx, struct rte_vhost_state_error *err)
{
	struct plain *p = ctx;
	int ret;

	pthread_mutex_lock(&p->lock);
	ret = rte_vhost_state_may(status_of(p), RTE_VHOST_STATE_A_RESUME, err);
	if (ret == 0)
		p->suspended = false;
	pthread_mutex_unlock(&p->lock);
	return ret;
}

/* Guest address of a ring's area. rte_vhost has only the address in this process. */
static uint64_t
guest_addr(const struct rte_vhost_memory *mem, const void *area)
{
	uint64_t addr = (uint64_t)(uintptr_t)area;
	uint32_t i;

	for (i = 0; i < mem->nregions; i++) {
		const struct rte_vhost_mem_region *r = &mem->regions[i];

		if (addr >= r->host_user_addr && addr - r->host_user_addr < r->size)
			return addr - r->host_user_addr + r->guest_phys_addr;
	}
	return 0;
}

static void
vq_capture(const struct plain *p, const struct rte_vhost_memory *mem, uint16_t i, bool packed,
		struct rte_vhost_state_vq *sv)
{
	struct rte_vhost_vring vring = { 0 };
	uint16_t avail = 0, used = 0;

	if (rte_vhost_get_vhost_vring(p->vid, i, &vring) != 0 || vring.desc == NULL ||
			rte_vhost_get_vring_base(p->vid, i, &avail, &used) != 0)
		return;
	sv->size = vring.size;
	sv->enabled = true;
	sv->desc_addr = guest_addr(mem, vring.desc);
	sv->driver_addr = guest_addr(mem, vring.avail);
	sv->device_addr = guest_addr(mem, vring.used);
	sv->avail_idx = packed ? avail & 0x7fff : avail;
	sv->used_idx = packed ? used & 0x7fff : used;
	sv->avail_wrap = packed ? avail >> 15 : 0;
	sv->used_wrap = packed ? used >> 15 : 0;
}

static struct rte_vhost_state *
capture_locked(struct plain *p, struct rte_vhost_state_error *err)
{
	struct rte_vhost_memory *mem = NULL;
	struct rte_vhost_state *st;
	uint16_t i;
	int ret;

	ret = rte_vhost_state_may(status_of(p), RTE_VHOST_STATE_A_CAPTURE, err);
	st = ret == 0 ? rte_vhost_state_alloc(p->nb_vqs) : NULL;
	if (st == NULL || rte_vhost_get_mem_table(p->vid, &mem) != 0) {
		rte_vhost_state_free(st);
		rte_errno = ret < 0 ? -ret : ENOMEM;
		return NULL;
	}
	st->device_id = RTE_VHOST_STATE_ID_NET;
	st->status = status_of(p);
	rte_vhost_driver_get_features(p->dev.socket, &st->device_features);
	st->driver_features = features_of(p);
	/* The device has no MAC address, but a state must have one. */
	st->net.mac.addr_bytes[0] = 0x02;
	st->net.mtu = MTU;
	st->net.active_pairs = p->nb_vqs / 2;
	for (i = 0; i < p->nb_vqs; i++)
		vq_capture(p, mem, i, rte_vhost_state_is_packed(st), &st->vqs[i]);
	free(mem);
	return st;
}

static struct rte_vhost_state *
op_capture(void *ctx, struct rte_vhost_state_error *err)
{
	struct rte_vhost_state *st;
	struct plain *p = ctx;

	pthread_mutex_lock(&p->lock);
	st = capture_locked(p, err);
	pthread_mutex_unlock(&p->lock);
	return st;
}

static int
restore_locked(struct plain *p, const struct rte_vhost_state *st,
		struct rte_vhost_state_error *err)
{
	struct rte_vhost_state_limits lim = { 0 };
	struct rte_vhost_state *copy;
	struct rte_vhost_vring vring;
	uint16_t i;
	int ret;

	ret = rte_vhost_state_may(status_of(p), RTE_VHOST_STATE_A_RESTORE, err);
	limits_of(p, &lim);
	if (ret == 0)
		ret = rte_vhost_state_check_fit(st, &lim, err);
	for (i = 0; ret == 0 && i < st->nb_vqs; i++)
		if (st->vqs[i].size != 0 && rte_vhost_get_vhost_vring(p->vid, i, &vring) == 0 &&
				vring.size != st->vqs[i].size)
			ret = rte_vhost_state_refuse(err, RTE_VHOST_STATE_R_FIT_VQ_SIZE, i,
					vring.size, st->vqs[i].size);
	if (ret < 0)
		return ret;
	copy = rte_vhost_state_copy(st);
	if (copy == NULL)
		return rte_vhost_state_refuse(err, RTE_VHOST_STATE_R_NO_MEMORY, -1, 0, 0);
	rte_vhost_state_free(p->pending);
	p->pending = copy;
	return 0;
}

static int
op_restore(void *ctx, const struct rte_vhost_state *st, struct rte_vhost_state_error *err)
{
	struct plain *p = ctx;
	int ret;

	pthread_mutex_lock(&p->lock);
	ret = restore_locked(p, st, err);
	pthread_mutex_unlock(&p->lock);
	return ret;
}

static const struct rte_vhost_state_ops state_ops = {
	.info_get = op_info,
	.suspend = op_suspend,
	.resume = op_resume,
	.capture = op_capture,
	.restore = op_restore,
};

/* ---- create and destroy ---- */

static void
plains_unlink(struct plain *p)
{
	struct plain **at;

	pthread_mutex_lock(&plains_lock);
	for (at = &plains; *at != p; at = &(*at)->next)
		;
	*at = p->next;
	pthread_mutex_unlock(&plains_lock);
}

/*
 * rte_vhost creates and maps the regions. This data path marks nothing in them, because it leaves
 * no buffer in flight. They test the guest's front end with another back end's regions.
 */
static int
inflight_offer(const char *path)
{
	uint64_t features;

	if (rte_vhost_driver_get_protocol_features(path, &features) != 0)
		return -EIO;
	return rte_vhost_driver_set_protocol_features(path, features | 1u << INFLIGHT_SHMFD) == 0 ?
		0 : -EIO;
}

static int
vhost_open(struct plain *p)
{
	const char *path = p->dev.socket;

	/* A killed process leaves its socket behind. No one else uses this path. */
	unlink(path);
	if (rte_vhost_driver_register(path, 0) != 0)
		return -EADDRINUSE;
	if (inflight_offer(path) == 0 &&
			rte_vhost_driver_callback_register(path, &vhost_ops) == 0 &&
			rte_vhost_driver_start(path) == 0)
		return 0;
	rte_vhost_driver_unregister(path);
	return -EIO;
}

struct plain *
plain_create(const struct backend_device *dev)
{
	struct plain *p;
	int ret;

	if (pool == NULL)
		pool = rte_pktmbuf_pool_create("plain", NB_MBUFS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
				SOCKET_ID_ANY);
	p = calloc(1, sizeof(*p));
	if (pool == NULL || p == NULL) {
		free(p);
		rte_errno = ENOMEM;
		return NULL;
	}
	p->dev = *dev;
	p->vid = -1;
	pthread_mutex_init(&p->lock, NULL);
	pthread_mutex_lock(&plains_lock);
	p->next = plains;
	plains = p;
	pthread_mutex_unlock(&plains_lock);

	ret = rte_vhost_state_register(p->dev.name, &state_ops, p);
	if (ret == 0) {
		ret = vhost_open(p);
		if (ret == 0) {
			ret = -rte_thread_create(&p->thread, NULL, thread_main, p);
			if (ret == 0)
				return p;
			rte_vhost_driver_unregister(p->dev.socket);
		}
		rte_vhost_state_unregister(p->dev.name);
	}
	plains_unlink(p);
	free(p);
	rte_errno = -ret;
	return NULL;
}

void
plain_destroy(struct plain *p)
{
	rte_vhost_state_unregister(p->dev.name);
	rte_vhost_driver_unregister(p->dev.socket);
	pthread_mutex_lock(&p->lock);
	p->quit = true;
	pthread_mutex_unlock(&p->lock);
	rte_thread_join(p->thread, NULL);
	plains_unlink(p);
	held_free(p);
	rte_vhost_state_free(p->pending);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
