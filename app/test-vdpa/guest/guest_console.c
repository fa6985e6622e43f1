/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include <rte_common.h>
#include <rte_errno.h>
#include <rte_thread.h>

#include "clock.h"
#include "guest_console.h"
#include "guest_mem.h"
#include "guest_packed.h"
#include "guest_ring.h"
#include "guest_split.h"
#include "guest_stream.h"
#include "vhost_user_fe.h"
#include "vstate_compat.h"

#define LINKS 2
#define SEGS_MAX 4
#define S_RUN 0x0f
#define PACKED_FRESH_BASE 0x80008000u
/* Bytes that the host's side reads or writes in one call. */
#define HOST_CHUNK (64u << 10)
/* One in so many looks the driver makes no receive buffer available for as many looks. */
#define LAZY 64

enum { RX, TX, QUEUES };

#define get(p) rte_atomic_load_explicit(p, rte_memory_order_relaxed)
#define set(p, v) rte_atomic_store_explicit(p, v, rte_memory_order_relaxed)

struct console_queue {
	struct guest_ring ring;
	uint64_t slots_gpa;
	uint32_t len[CONSOLE_MAX_DEPTH];
	uint16_t free[CONSOLE_MAX_DEPTH], nb_free;
	/** Buffers made available and returned, and the slots in that order. */
	uint64_t added, returned;
	uint16_t order[CONSOLE_MAX_DEPTH];
	/** Bytes of the buffers. */
	uint64_t bytes_added, bytes_returned;
	uint32_t base;
	int kick, call;
};

struct console_link {
	struct vu_fe fe;
	bool open;
};

struct console {
	struct console_conf conf;
	struct guest_mem mem;
	uint64_t features;
	struct console_queue queues[QUEUES];
	struct console_link links[LINKS];
	uint8_t *region;
	struct vu_inflight geometry;
	int region_fd, listener;

	/** Held by the thread for one look. */
	pthread_mutex_t lock;
	/** Another thread wants the lock. */
	bool wanted;
	/** The peer: its connection, and what it does not do. */
	int host;
	bool stalled, muted;
	uint64_t host_sent;
	/** What the peer and what the driver receives. */
	struct stream to_host, to_guest;
	uint64_t foreign, gap_max, last_return, lost_end, rnd;
	unsigned int lazy;
	uint8_t chunk[HOST_CHUNK];
	/** The bytes of a buffer. */
	uint8_t *buf;

	rte_thread_t thread;
	bool running, stop, end;
	char why[160];
};

__rte_format_printf(2, 3)
static void
console_complain(struct console *c, const char *fmt, ...)
{
	va_list ap;

	if (c->why[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(c->why, sizeof(c->why), fmt, ap);
	va_end(ap);
}

const char *
console_error(const struct console *c)
{
	return c->why[0] != '\0' ? c->why : NULL;
}

static void
console_take(struct console *c)
{
	set(&c->wanted, true);
	pthread_mutex_lock(&c->lock);
	set(&c->wanted, false);
}

static void
console_give(struct console *c)
{
	pthread_mutex_unlock(&c->lock);
}

/* Check bytes, and note the first ones that are not those of the stream. */
static void
bytes_check(struct console *c, struct stream *s, const uint8_t *bytes, uint32_t len)
{
	const struct stream before = *s;

	stream_check(s, bytes, len);
	if (s->lost != before.lost || s->doubled != before.doubled || s->wrong != before.wrong)
		console_complain(c, "%u bytes to the %s at position %" PRIu64 ": %" PRIu64 " lost, %"
				PRIu64 " doubled, %" PRIu64 " wrong", len,
				s == &c->to_host ? "host" : "guest", before.pos,
				s->lost - before.lost, s->doubled - before.doubled,
				s->wrong - before.wrong);
}

/* ---- memory ---- */

static int
queue_create(struct console *c, unsigned int q)
{
	struct console_queue *cq = &c->queues[q];
	struct guest_ring *r = &cq->ring;
	uint64_t desc, driver, device;
	uint16_t i;

	r->ops = c->conf.packed ? &guest_packed_ops : &guest_split_ops;
	r->mem = &c->mem;
	r->size = c->conf.ring_size;
	r->ops->bytes(r->size, &desc, &driver, &device);
	r->desc_gpa = guest_mem_reserve(&c->mem, desc, 4096);
	r->driver_gpa = guest_mem_reserve(&c->mem, driver, 4096);
	r->device_gpa = guest_mem_reserve(&c->mem, device, 4096);
	cq->slots_gpa = guest_mem_reserve(&c->mem, (uint64_t)c->conf.depth * c->conf.buf_max, 4096);
	cq->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	cq->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	cq->base = c->conf.packed ? PACKED_FRESH_BASE : 0;
	for (i = 0; i < c->conf.depth; i++)
		cq->free[cq->nb_free++] = i;
	if (cq->slots_gpa == 0 || cq->kick < 0 || cq->call < 0)
		return -ENOMEM;
	return guest_ring_alloc(r);
}

static bool
conf_ok(const struct console_conf *conf)
{
	return conf->depth >= 1 && conf->depth <= CONSOLE_MAX_DEPTH && conf->buf_max >= 1 &&
		(conf->packed || (conf->ring_size & (conf->ring_size - 1)) == 0) &&
		conf->ring_size >= conf->depth * SEGS_MAX;
}

struct console *
console_create(const struct console_conf *conf)
{
	struct console *c = conf_ok(conf) ? calloc(1, sizeof(*c)) : NULL;
	unsigned int q;
	int ret = 0;

	if (c == NULL) {
		rte_errno = conf_ok(conf) ? ENOMEM : EINVAL;
		return NULL;
	}
	c->conf = *conf;
	c->buf = malloc(conf->buf_max);
	c->region_fd = c->listener = c->host = -1;
	c->links[0].fe.fd = c->links[1].fe.fd = -1;
	c->rnd = conf->seed;
	c->to_host.seed = conf->seed + 1;
	c->to_guest.seed = conf->seed + 2;
	pthread_mutex_init(&c->lock, NULL);
	guest_mem_init(&c->mem);
	if (c->buf == NULL)
		ret = -ENOMEM;
	for (q = 0; q < QUEUES && ret == 0; q++)
		ret = queue_create(c, q);
	if (ret == 0)
		ret = guest_mem_commit(&c->mem, NULL, 0, 4096);
	for (q = 0; q < QUEUES && ret == 0; q++) {
		guest_ring_reset(&c->queues[q].ring);
		/* this driver polls */
		c->queues[q].ring.ops->calls(&c->queues[q].ring, true);
	}
	if (ret == 0)
		return c;
	console_destroy(c);
	rte_errno = -ret;
	return NULL;
}

void
console_destroy(struct console *c)
{
	unsigned int q;

	if (c == NULL)
		return;
	console_stop(c, 0);
	for (q = 0; q < LINKS; q++)
		console_disconnect(c, q);
	for (q = 0; q < QUEUES; q++) {
		guest_ring_free(&c->queues[q].ring);
		close(c->queues[q].kick);
		close(c->queues[q].call);
	}
	if (c->region != NULL)
		munmap(c->region, c->geometry.mmap_size);
	if (c->region_fd >= 0)
		close(c->region_fd);
	if (c->listener >= 0)
		close(c->listener);
	if (c->host >= 0)
		close(c->host);
	guest_mem_free(&c->mem);
	free(c->buf);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* ---- a link ---- */

static int
features_negotiate(struct console *c, struct vu_fe *fe)
{
	uint64_t offered, must = 1ull << VIRTIO_F_VERSION_1 | 1ull << VU_F_PROTOCOL_FEATURES;
	int ret;

	if (c->conf.packed)
		must |= 1ull << VIRTIO_F_RING_PACKED;
	ret = vu_fe_get_u64(fe, VU_GET_FEATURES, &offered);
	if (ret == 0 && (must & ~offered) != 0) {
		console_complain(c, "the back end lacks features 0x%" PRIx64, must & ~offered);
		return -ENOTSUP;
	}
	c->features = must;
	return ret;
}

static int
protocol_negotiate(struct console *c, struct vu_fe *fe)
{
	uint64_t has = 0, want = 1ull << VU_PF_MQ | 1ull << VU_PF_REPLY_ACK | 1ull << VU_PF_CONFIG |
		1ull << VU_PF_STATUS;
	int ret;

	if (c->conf.region)
		want |= 1ull << VU_PF_INFLIGHT_SHMFD;
	ret = vu_fe_get_u64(fe, VU_GET_PROTOCOL_FEATURES, &has);
	if (ret == 0 && (want & ~has) != 0) {
		console_complain(c, "the back end lacks protocol features 0x%" PRIx64,
				want & ~has);
		return -ENOTSUP;
	}
	fe->protocol = want;
	return ret == 0 ? vu_fe_set_u64(fe, VU_SET_PROTOCOL_FEATURES, want) : ret;
}

int
console_listen(struct console *c, const char *path)
{
	c->listener = vu_fe_listen(path);
	return c->listener < 0 ? c->listener : 0;
}

int
console_connect(struct console *c, unsigned int l, const char *path, int timeout_ms)
{
	struct console_link *link = &c->links[l];
	struct vu_fe *fe = &link->fe;
	int ret;

	memset(link, 0, sizeof(*link));
	ret = c->listener >= 0 ? vu_fe_accept_from(fe, c->listener, timeout_ms) :
		vu_fe_connect(fe, path, timeout_ms);
	if (ret < 0)
		return ret;
	link->open = true;
	ret = features_negotiate(c, fe);
	if (ret == 0)
		ret = vu_fe_request(fe, VU_SET_OWNER, NULL, 0, NULL, 0);
	if (ret == 0)
		ret = protocol_negotiate(c, fe);
	if (ret == 0)
		ret = vu_fe_set_u64(fe, VU_SET_STATUS, 0x3);
	if (ret == 0)
		ret = vu_fe_set_u64(fe, VU_SET_FEATURES, c->features);
	return ret == 0 ? vu_fe_set_u64(fe, VU_SET_STATUS, 0xb) : ret;
}

void
console_disconnect(struct console *c, unsigned int l)
{
	if (c->links[l].open)
		vu_fe_close(&c->links[l].fe);
	c->links[l].open = false;
}

bool
console_hung_up(const struct console *c, unsigned int l, int ms)
{
	struct pollfd p = { .fd = c->links[l].fe.fd, .events = POLLRDHUP };

	return poll(&p, 1, ms) == 1;
}

/* The first back end makes the region; each one gets it before its rings. */
static int
region_hand_over(struct console *c, struct vu_fe *fe)
{
	struct vu_inflight ask = { .num_queues = QUEUES, .queue_size = c->conf.ring_size };
	int ret;

	if (!c->conf.region)
		return 0;
	if (c->region == NULL) {
		ret = vu_fe_query(fe, VU_GET_INFLIGHT_FD, &ask, sizeof(ask), NULL, 0, &c->geometry,
				sizeof(c->geometry), &c->region_fd);
		if (ret < 0 || c->region_fd < 0)
			return ret < 0 ? ret : -EPROTO;
		c->region = mmap(NULL, c->geometry.mmap_size, PROT_READ | PROT_WRITE, MAP_SHARED,
				c->region_fd, c->geometry.mmap_offset);
		if (c->region == MAP_FAILED) {
			c->region = NULL;
			return -errno;
		}
		c->geometry.num_queues = QUEUES;
		c->geometry.queue_size = c->conf.ring_size;
	}
	return vu_fe_request(fe, VU_SET_INFLIGHT_FD, &c->geometry, sizeof(c->geometry),
			&c->region_fd, 1);
}

static int
vring_setup(struct console *c, struct vu_fe *fe, unsigned int q)
{
	const struct console_queue *cq = &c->queues[q];
	const struct guest_ring *r = &cq->ring;
	const struct vu_vring_addr addr = {
		.index = q,
		.desc = guest_mem_user_addr(&c->mem, r->desc_gpa),
		.used = guest_mem_user_addr(&c->mem, r->device_gpa),
		.avail = guest_mem_user_addr(&c->mem, r->driver_gpa),
		.log = r->device_gpa,
	};
	int ret;

	ret = vu_fe_set_vring(fe, VU_SET_VRING_NUM, q, r->size);
	if (ret == 0)
		ret = vu_fe_set_vring(fe, VU_SET_VRING_BASE, q, cq->base);
	if (ret == 0)
		ret = vu_fe_request(fe, VU_SET_VRING_ADDR, &addr, sizeof(addr), NULL, 0);
	if (ret == 0)
		ret = vu_fe_set_vring_fd(fe, VU_SET_VRING_KICK, q, cq->kick);
	if (ret == 0)
		ret = vu_fe_set_vring_fd(fe, VU_SET_VRING_CALL, q, cq->call);
	return ret == 0 ? vu_fe_set_vring(fe, VU_SET_VRING_ENABLE, q, 1) : ret;
}

int
console_prepare(struct console *c, unsigned int l)
{
	struct vu_fe *fe = &c->links[l].fe;
	unsigned int q;
	int ret;

	ret = region_hand_over(c, fe);
	if (ret == 0)
		ret = vu_fe_set_mem_table(fe, &c->mem);
	for (q = 0; q < QUEUES && ret == 0; q++)
		ret = vring_setup(c, fe, q);
	return ret;
}

static void
queue_kick(struct console *c, unsigned int q)
{
	const uint64_t one = 1;

	if (write(c->queues[q].kick, &one, sizeof(one)) < 0 && errno != EAGAIN)
		console_complain(c, "kick of queue %u failed", q);
}

int
console_run(struct console *c, unsigned int l)
{
	int ret = vu_fe_set_u64(&c->links[l].fe, VU_SET_STATUS, S_RUN);

	queue_kick(c, RX);
	queue_kick(c, TX);
	return ret;
}

int
console_take_back(struct console *c, unsigned int l)
{
	struct vu_fe *fe = &c->links[l].fe;
	unsigned int q;
	int ret = 0;

	for (q = 0; q < QUEUES && ret == 0; q++)
		ret = vu_fe_get_vring_base(fe, q, &c->queues[q].base);
	return ret == 0 ? vu_fe_set_u64(fe, VU_SET_STATUS, 0) : ret;
}

void
console_back_end_died(struct console *c)
{
	unsigned int q;

	for (q = 0; q < QUEUES; q++) {
		const struct vring_used *used = c->queues[q].ring.device;

		c->queues[q].base = c->conf.packed ? PACKED_FRESH_BASE :
			rte_atomic_load_explicit(&used->idx, rte_memory_order_acquire);
	}
}

unsigned int
console_marks(const struct console *c)
{
	const uint64_t stride = c->geometry.mmap_size / QUEUES;
	/* bytes of the head of a queue, and of each mark */
	const uint32_t step = c->conf.packed ? 32 : 16;
	unsigned int n = 0, q, i;

	for (q = 0; q < QUEUES && c->region != NULL; q++)
		for (i = 0; i < c->conf.ring_size; i++)
			n += c->region[q * stride + step * (i + 1)] == 1;
	return n;
}

/* ---- the driver ---- */

static uint64_t
slot_gpa(const struct console *c, const struct console_queue *cq, uint32_t i)
{
	return cq->slots_gpa + (uint64_t)i * c->conf.buf_max;
}

/* Make a buffer available, cut into pieces. */
static bool
buffer_add(struct console *c, unsigned int q)
{
	struct console_queue *cq = &c->queues[q];
	const uint16_t i = cq->free[cq->nb_free - 1];
	const uint32_t len = 1 + guest_rnd(&c->rnd, c->conf.buf_max);
	const uint64_t gpa = slot_gpa(c, cq, i);
	struct guest_seg segs[SEGS_MAX];
	uint32_t at, part;
	uint16_t n = 0;

	for (at = 0; at < len; at += part) {
		part = n < SEGS_MAX - 1 ? 1 + guest_rnd(&c->rnd, len - at) : len - at;
		segs[n++] = (struct guest_seg){ gpa + at, part, q == RX };
	}
	if (q == TX) {
		stream_fill(c->to_host.seed, cq->bytes_added, c->buf, len);
		guest_mem_write(&c->mem, gpa, c->buf, len);
	}
	if (cq->ring.ops->add(&cq->ring, segs, n, i, false) != 0)
		return false;
	cq->nb_free--;
	cq->len[i] = len;
	cq->order[cq->added++ % CONSOLE_MAX_DEPTH] = i;
	cq->bytes_added += len;
	return true;
}

static void
buffer_return(struct console *c, unsigned int q, uint32_t i, uint32_t len)
{
	struct console_queue *cq = &c->queues[q];
	const uint64_t now = clock_ns();

	if (cq->order[cq->returned++ % CONSOLE_MAX_DEPTH] != i ||
			len > (q == RX ? cq->len[i] : 0)) {
		c->foreign++;
		console_complain(c, "queue %u: buffer out of order, or of %u bytes", q, len);
	}
	if (q == RX) {
		len = RTE_MIN(len, c->conf.buf_max);
		guest_mem_read(&c->mem, slot_gpa(c, cq, i), c->buf, len);
		bytes_check(c, &c->to_guest, c->buf, len);
	}
	cq->bytes_returned += cq->len[i];
	cq->free[cq->nb_free++] = i;
	if (c->last_return != 0)
		c->gap_max = RTE_MAX(c->gap_max, now - c->last_return);
	c->last_return = now;
}

static unsigned int
driver_drain(struct console *c)
{
	uint32_t i, len;
	unsigned int q, n = 0;
	int ret;

	for (q = 0; q < QUEUES; q++) {
		while ((ret = c->queues[q].ring.ops->take(&c->queues[q].ring, &i, &len)) != 0) {
			if (ret == 1) {
				buffer_return(c, q, i, len);
				n++;
				continue;
			}
			c->foreign++;
			console_complain(c, "queue %u: the device used a buffer that it did not own", q);
			if (ret == -EIO)
				break;
		}
	}
	return n;
}

static unsigned int
driver_fill(struct console *c)
{
	unsigned int q, n, all = 0;

	if (c->lazy > 0)
		c->lazy--;
	else if (guest_rnd(&c->rnd, LAZY) == 0)
		c->lazy = LAZY;
	for (q = 0; q < QUEUES; q++) {
		if (q == TX ? get(&c->stop) : c->lazy > 0 && !get(&c->stop))
			continue;
		for (n = 0; c->queues[q].nb_free > 0 && buffer_add(c, q); n++)
			;
		if (n > 0 && c->queues[q].ring.ops->publish(&c->queues[q].ring))
			queue_kick(c, q);
		all += n;
	}
	return all;
}

/* ---- the host's side ---- */

static unsigned int
host_read(struct console *c)
{
	ssize_t n;

	if (c->host < 0 || c->stalled)
		return 0;
	n = recv(c->host, c->chunk, sizeof(c->chunk), MSG_DONTWAIT);
	if (n > 0)
		bytes_check(c, &c->to_host, c->chunk, n);
	return n > 0;
}

static unsigned int
host_write(struct console *c)
{
	const uint64_t ahead = c->host_sent - RTE_MIN(c->host_sent, c->to_guest.pos);
	uint32_t len;
	ssize_t n;

	if (c->host < 0 || c->muted || get(&c->stop) || ahead >= c->conf.window)
		return 0;
	len = 1 + guest_rnd(&c->rnd, RTE_MIN(c->conf.window - ahead, sizeof(c->chunk)));
	stream_fill(c->to_guest.seed, c->host_sent, c->chunk, len);
	n = send(c->host, c->chunk, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0)
		c->host_sent += n;
	return n > 0;
}

int
console_host_connect(struct console *c, const char *path, int timeout_ms)
{
	const uint64_t end = clock_ns() + timeout_ms * UINT64_C(1000000);
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), ret;

	if (fd < 0)
		return -errno;
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	while ((ret = connect(fd, (struct sockaddr *)&un, sizeof(un))) != 0 && clock_ns() < end)
		usleep(1000);
	if (ret != 0) {
		ret = -errno;
		close(fd);
		return ret;
	}
	console_take(c);
	if (c->host >= 0)
		close(c->host);
	c->host = fd;
	console_give(c);
	return 0;
}

void
console_host_stall(struct console *c, bool stall)
{
	console_take(c);
	c->stalled = stall;
	console_give(c);
}

void
console_host_mute(struct console *c, bool mute)
{
	console_take(c);
	c->muted = mute;
	console_give(c);
}

uint64_t
console_returned(struct console *c)
{
	uint64_t bytes;

	console_take(c);
	driver_drain(c);
	bytes = c->queues[TX].bytes_returned;
	console_give(c);
	return bytes;
}

int
console_host_drain(struct console *c, uint64_t until, int timeout_ms)
{
	const uint64_t end = clock_ns() + timeout_ms * UINT64_C(1000000);
	ssize_t n = -1;
	int ret = 0;

	console_take(c);
	while (c->to_host.pos < until && n != 0) {
		n = recv(c->host, c->chunk, sizeof(c->chunk), MSG_DONTWAIT);
		if (n > 0)
			bytes_check(c, &c->to_host, c->chunk, n);
		else if (n < 0 && errno != EAGAIN)
			n = 0;
		else if (n < 0)
			usleep(50);
		if (clock_ns() >= end) {
			ret = -ETIMEDOUT;
			break;
		}
	}
	if (until != UINT64_MAX && c->to_host.pos != until)
		ret = -ETIMEDOUT;
	if (ret != 0)
		console_complain(c, "the host's side has bytes up to %" PRIu64 ", not %" PRIu64,
				c->to_host.pos, until);
	close(c->host);
	c->host = -1;
	console_give(c);
	return ret;
}

void
console_host_rewind(struct console *c)
{
	console_take(c);
	driver_drain(c);
	c->host_sent = c->to_guest.pos;
	console_give(c);
}

int
console_host_wait(struct console *c, int timeout_ms)
{
	const uint64_t end = clock_ns() + timeout_ms * UINT64_C(1000000);
	uint64_t left;

	do {
		console_take(c);
		left = c->host_sent - c->to_guest.pos;
		console_give(c);
		if (left != 0)
			usleep(100);
	} while (left != 0 && clock_ns() < end);
	if (left != 0)
		console_complain(c, "the driver lacks %" PRIu64 " bytes", left);
	return left == 0 ? 0 : -ETIMEDOUT;
}

/* ---- the thread ---- */

static uint32_t
console_main(void *arg)
{
	struct console *c = arg;
	unsigned int n;

	while (!get(&c->end)) {
		pthread_mutex_lock(&c->lock);
		n = driver_drain(c) + driver_fill(c) + host_read(c) + host_write(c);
		pthread_mutex_unlock(&c->lock);
		if (n == 0 || get(&c->wanted))
			usleep(20);
	}
	return 0;
}

int
console_start(struct console *c)
{
	int ret;

	c->stop = c->end = false;
	c->running = true;
	ret = rte_thread_create(&c->thread, NULL, console_main, c);
	if (ret != 0)
		c->running = false;
	return -ret;
}

static uint64_t
bytes_missing(struct console *c)
{
	uint64_t n;

	console_take(c);
	n = c->queues[TX].bytes_added - RTE_MIN(c->queues[TX].bytes_added, c->to_host.pos);
	n += c->host_sent - RTE_MIN(c->host_sent, c->to_guest.pos);
	console_give(c);
	return n;
}

int
console_stop(struct console *c, int timeout_ms)
{
	const uint64_t end = clock_ns() + timeout_ms * UINT64_C(1000000);

	if (!c->running)
		return 0;
	set(&c->stop, true);
	while (bytes_missing(c) > 0 && clock_ns() < end)
		usleep(1000);
	set(&c->end, true);
	rte_thread_join(c->thread, NULL);
	c->running = false;
	c->lost_end = bytes_missing(c);
	return c->lost_end == 0 ? 0 : -ETIMEDOUT;
}

void
console_counts_get(struct console *c, struct console_counts *counts)
{
	console_take(c);
	*counts = (struct console_counts){
		.to_host = c->to_host.pos,
		.to_guest = c->to_guest.pos,
		.lost = c->to_host.lost + c->to_guest.lost + c->lost_end,
		.doubled = c->to_host.doubled + c->to_guest.doubled,
		.wrong = c->to_host.wrong + c->to_guest.wrong,
		.foreign = c->foreign,
		.gap_max = c->gap_max,
	};
	console_give(c);
}

void
console_gap_reset(struct console *c)
{
	console_take(c);
	c->gap_max = 0;
	console_give(c);
}

int
console_wait_flow(struct console *c, unsigned int nb, int timeout_ms)
{
	const uint64_t end = clock_ns() + timeout_ms * UINT64_C(1000000);
	uint64_t first, now;

	console_take(c);
	first = c->queues[TX].returned;
	console_give(c);
	do {
		usleep(50);
		console_take(c);
		now = c->queues[TX].returned;
		console_give(c);
	} while (now < first + nb && clock_ns() < end);
	if (now >= first + nb)
		return 0;
	console_complain(c, "no buffer returned in %d ms", timeout_ms);
	return -ETIMEDOUT;
}
