/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_errno.h>

#include "clock.h"
#include "guest.h"
#include "guest_core.h"
#include "guest_inflight.h"
#include "guest_layout.h"
#include "guest_link.h"
#include "guest_mem.h"
#include "guest_ring.h"
#include "guest_traffic.h"
#include "vhost_user_fe.h"
#include "vstate_compat.h"

/* Protocol features that this front end supports. */
#define PROTOCOL_FEATURES ((1ull << VU_PF_MQ) | (1ull << VU_PF_LOG_SHMFD) | (1ull << VU_PF_RARP) | \
	(1ull << VU_PF_REPLY_ACK) | (1ull << VU_PF_NET_MTU) | (1ull << VU_PF_STATUS) | \
	(1ull << VU_PF_DEVICE_STATE))
/* Features of the control queue's driver. */
#define CTRL_FEATURES ((1ull << VIRTIO_NET_F_CTRL_VQ) | (1ull << VIRTIO_NET_F_CTRL_RX) | \
	(1ull << VIRTIO_NET_F_CTRL_RX_EXTRA) | (1ull << VIRTIO_NET_F_CTRL_VLAN) | \
	(1ull << VIRTIO_NET_F_CTRL_MAC_ADDR) | (1ull << VIRTIO_NET_F_CTRL_GUEST_OFFLOADS))
/* Longest wait for a status. A device must suspend in a shorter time. */
#define STATUS_MS 3000
/* A fresh packed ring: both wrap counters are 1, avail in the lower half, used in the upper. */
#define PACKED_FRESH_BASE 0x80008000u

static int
negotiate_protocol(struct guest_link *l, uint64_t offered)
{
	uint64_t has = 0, pairs = 1;
	int ret;

	if ((offered & (1ull << VU_F_PROTOCOL_FEATURES)) == 0)
		return l->g->conf.pairs == 1 ? 0 : -ENOTSUP;
	ret = vu_fe_get_u64(&l->fe, VU_GET_PROTOCOL_FEATURES, &has);
	if (ret < 0)
		return ret;
	has &= PROTOCOL_FEATURES |
		(l->g->conf.inflight ? 1ull << VU_PF_INFLIGHT_SHMFD : 0);
	ret = vu_fe_set_u64(&l->fe, VU_SET_PROTOCOL_FEATURES, has);
	if (ret < 0)
		return ret;
	l->fe.protocol = has;
	l->has_status = (has & (1ull << VU_PF_STATUS)) != 0;
	if ((has & (1ull << VU_PF_MQ)) != 0) {
		/* In vhost-user a net back end reports queue pairs. */
		ret = vu_fe_get_u64(&l->fe, VU_GET_QUEUE_NUM, &pairs);
		if (ret < 0)
			return ret;
	}
	if (pairs >= l->g->conf.pairs)
		return 0;
	guest_complain(l->g, "the back end has %" PRIu64 " queue pairs, %u wanted", pairs,
		l->g->conf.pairs);
	return -ENOTSUP;
}

static int
negotiate_features(struct guest_link *l, uint64_t offered)
{
	struct guest *g = l->g;
	uint64_t want = g->conf.features, must = 1ull << VIRTIO_F_VERSION_1;

	if (g->conf.packed)
		must |= 1ull << VIRTIO_F_RING_PACKED;
	else
		want &= ~(1ull << VIRTIO_F_RING_PACKED);
	want |= must | (1ull << VU_F_PROTOCOL_FEATURES);
	if (g->conf.pairs > 1)
		want |= (1ull << VIRTIO_NET_F_MQ) | (1ull << VIRTIO_NET_F_CTRL_VQ);
	if (g->conf.cvq) {
		want |= CTRL_FEATURES;
		must |= CTRL_FEATURES;
	}
	/* The first link decided the layout of the rings. */
	if (g->features != 0)
		want = must = g->features;
	l->features = want & offered;
	if ((must & ~offered) != 0) {
		guest_complain(g, "the back end lacks features 0x%" PRIx64, must & ~offered);
		return -ENOTSUP;
	}
	return 0;
}

static int
set_status(struct guest_link *l, uint8_t status)
{
	uint64_t seen;
	int ret;

	if (!l->has_status)
		return 0;
	ret = vu_fe_set_u64(&l->fe, VU_SET_STATUS, status);
	if (ret < 0 || status == 0)
		return ret;
	ret = vu_fe_get_u64(&l->fe, VU_GET_STATUS, &seen);
	if (ret == 0 && (seen & status) != status) {
		guest_complain(l->g, "status 0x%x written, 0x%" PRIx64 " read", status, seen);
		return -EREMOTEIO;
	}
	return ret;
}

/* The messages before features and rings, and before a state that is loaded. */
static int
protocol_setup(struct guest_link *l)
{
	int ret;

	ret = vu_fe_get_u64(&l->fe, VU_GET_FEATURES, &l->offered);
	if (ret == 0)
		ret = vu_fe_request(&l->fe, VU_SET_OWNER, NULL, 0, NULL, 0);
	return ret == 0 ? negotiate_protocol(l, l->offered) : ret;
}

static int
open_eventfds(struct guest_link *l)
{
	uint16_t i;

	l->kick = calloc(l->nb_vqs, sizeof(*l->kick));
	l->call = calloc(l->nb_vqs, sizeof(*l->call));
	l->base = calloc(l->nb_vqs, sizeof(*l->base));
	l->next_base = calloc(l->nb_vqs, sizeof(*l->next_base));
	if (l->kick == NULL || l->call == NULL || l->base == NULL || l->next_base == NULL)
		return -ENOMEM;
	for (i = 0; i < l->nb_vqs; i++)
		l->kick[i] = l->call[i] = -1;
	for (i = 0; i < l->nb_vqs; i++) {
		l->next_base[i] = l->g->conf.packed ? PACKED_FRESH_BASE : 0;
		l->kick[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		l->call[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (l->kick[i] < 0 || l->call[i] < 0)
			return -errno;
	}
	return 0;
}

int
guest_listen(struct guest *g, const char *path)
{
	g->listener = vu_fe_listen(path);
	return g->listener >= 0 ? 0 : g->listener;
}

bool
guest_link_hung_up(const struct guest_link *l, int timeout_ms)
{
	return vu_fe_hung_up(&l->fe, timeout_ms);
}

static int
link_connect(struct guest_link *l, const char *path, bool server, int timeout_ms)
{
	if (!server)
		return vu_fe_connect(&l->fe, path, timeout_ms);
	return l->g->listener >= 0 ? vu_fe_accept_from(&l->fe, l->g->listener, timeout_ms) :
		vu_fe_accept(&l->fe, path, timeout_ms);
}

struct guest_link *
guest_link_new(struct guest *g)
{
	struct guest_link *l = calloc(1, sizeof(*l));
	int ret;

	if (l == NULL) {
		rte_errno = ENOMEM;
		return NULL;
	}
	l->g = g;
	l->fe.fd = -1;
	l->nb_vqs = guest_nb_vqs(g);
	ret = open_eventfds(l);
	if (ret == 0)
		return l;
	guest_link_close(l);
	rte_errno = -ret;
	return NULL;
}

int
guest_link_connect(struct guest_link *l, const char *path, bool server, int timeout_ms)
{
	int ret;

	ret = link_connect(l, path, server, timeout_ms);
	return ret == 0 ? protocol_setup(l) : ret;
}

struct guest_link *
guest_link_open(struct guest *g, const char *path, bool server, int timeout_ms)
{
	struct guest_link *l = guest_link_new(g);
	int ret;

	if (l == NULL)
		return NULL;
	ret = guest_link_connect(l, path, server, timeout_ms);
	if (ret == 0)
		return l;
	guest_link_close(l);
	rte_errno = -ret;
	return NULL;
}

/* The first link decides the layout of the rings. */
static int
first_link(struct guest *g, const struct guest_link *l)
{
	int ret;

	g->features = l->features;
	g->frame.tx_csum = guest_has(g, VIRTIO_NET_F_CSUM);
	g->frame.rx_csum = guest_has(g, VIRTIO_NET_F_GUEST_CSUM);
	ret = guest_layout(g);
	if (ret == 0) {
		guest_traffic_fill(g);
	} else {
		guest_layout_free(g);
		g->features = 0;
	}
	return ret;
}

int
guest_link_negotiate(struct guest_link *l)
{
	int ret;

	ret = negotiate_features(l, l->offered);
	if (ret == 0)
		ret = set_status(l, 0);
	if (ret == 0)
		ret = set_status(l, GUEST_S_ACKNOWLEDGE | GUEST_S_DRIVER);
	if (ret == 0)
		ret = vu_fe_set_u64(&l->fe, VU_SET_FEATURES, l->features);
	if (ret == 0 && l->g->features == 0)
		ret = first_link(l->g, l);
	return ret;
}

struct guest_link *
guest_connect(struct guest *g, const char *path, bool server, int timeout_ms)
{
	struct guest_link *l = guest_link_open(g, path, server, timeout_ms);
	int ret;

	if (l == NULL)
		return NULL;
	ret = guest_link_negotiate(l);
	if (ret == 0)
		return l;
	guest_link_close(l);
	rte_errno = -ret;
	return NULL;
}

int
guest_link_setup_vq(struct guest_link *l, uint16_t vq)
{
	struct guest_ring *r = guest_ring_of(l->g, vq);
	struct vu_vring_addr addr = {
		.index = vq,
		.desc = guest_mem_user_addr(&l->g->mem, r->desc_gpa),
		.used = guest_mem_user_addr(&l->g->mem, r->device_gpa),
		.avail = guest_mem_user_addr(&l->g->mem, r->driver_gpa),
		.log = r->device_gpa,
	};
	int ret;

	ret = vu_fe_set_vring(&l->fe, VU_SET_VRING_NUM, vq, r->size);
	if (ret == 0)
		ret = vu_fe_set_vring(&l->fe, VU_SET_VRING_BASE, vq, l->next_base[vq]);
	if (ret == 0)
		ret = vu_fe_request(&l->fe, VU_SET_VRING_ADDR, &addr, sizeof(addr), NULL, 0);
	if (ret == 0)
		ret = vu_fe_set_vring_fd(&l->fe, VU_SET_VRING_KICK, vq, l->kick[vq]);
	if (ret == 0)
		ret = vu_fe_set_vring_fd(&l->fe, VU_SET_VRING_CALL, vq, l->call[vq]);
	return ret;
}

static int
enable_all(struct guest_link *l)
{
	uint16_t vq;
	int ret = 0;

	/* Without protocol features all rings are enabled from the start. */
	if ((l->features & (1ull << VU_F_PROTOCOL_FEATURES)) == 0)
		return 0;
	for (vq = 0; vq < l->nb_vqs && ret == 0; vq++)
		ret = vu_fe_set_vring(&l->fe, VU_SET_VRING_ENABLE, vq, 1);
	return ret;
}

static int
send_mtu(struct guest_link *l)
{
	uint32_t mtu = l->g->conf.frame_max - 14;

	if ((l->fe.protocol & (1ull << VU_PF_NET_MTU)) == 0 ||
			(l->features & (1ull << VIRTIO_NET_F_MTU)) == 0)
		return 0;
	return vu_fe_set_u64(&l->fe, VU_NET_SET_MTU, mtu < 1500 ? 1500 : mtu > 65535 ? 65535 : mtu);
}

/* These messages take most of the time of a move. Therefore they are sent without waiting. */
static int
setup_vqs(struct guest_link *l)
{
	uint16_t vq;
	int ret = 0, end;

	vu_fe_pipeline_begin(&l->fe);
	/* While a guest waits, as QEMU does: it asks for no acknowledgement of these messages. */
	vu_fe_acks_set(&l->fe, !l->recovering);
	for (vq = 0; vq < l->nb_vqs && ret == 0; vq++)
		ret = guest_link_setup_vq(l, vq);
	/* Without a device status, enabling starts the device: not yet. */
	if (ret == 0 && l->has_status)
		ret = enable_all(l);
	vu_fe_acks_set(&l->fe, true);
	end = vu_fe_pipeline_end(&l->fe);
	return ret == 0 ? end : ret;
}

int
guest_link_prepare(struct guest_link *l)
{
	int ret;

	if (l->prepared) {
		/* After guest_link_stop(): the device was reset. */
		ret = set_status(l, GUEST_S_ACKNOWLEDGE | GUEST_S_DRIVER);
		if (ret == 0)
			ret = vu_fe_set_u64(&l->fe, VU_SET_FEATURES, l->features);
		if (ret < 0)
			return ret;
	}
	l->prepared = true;
	ret = set_status(l, GUEST_S_ACKNOWLEDGE | GUEST_S_DRIVER | GUEST_S_FEATURES_OK);
	if (ret == 0)
		ret = send_mtu(l);
	if (ret == 0)
		ret = vu_fe_set_mem_table(&l->fe, &l->g->mem);
	if (ret == 0)
		ret = guest_inflight_hand_over(l);
	return ret == 0 ? setup_vqs(l) : ret;
}

void
guest_link_recover(struct guest_link *l)
{
	const struct vring_used *used;
	uint16_t vq;

	l->recovering = true;
	for (vq = 0; vq < l->nb_vqs && !l->g->conf.packed; vq++) {
		used = guest_ring_of(l->g, vq)->device;
		l->next_base[vq] = rte_atomic_load_explicit(&used->idx, rte_memory_order_acquire);
	}
}

void
guest_kick(struct guest *g, uint16_t vq)
{
	uint64_t one = 1;

	pthread_mutex_lock(&g->lock);
	if (g->active != NULL) {
		g->kicks++;
		if (write(g->active->kick[vq], &one, sizeof(one)) < 0 && errno != EAGAIN)
			guest_complain(g, "kick of virtqueue %u failed", vq);
	}
	pthread_mutex_unlock(&g->lock);
}

static void
set_active(struct guest *g, struct guest_link *l)
{
	pthread_mutex_lock(&g->lock);
	guest_set(&g->active, l);
	pthread_mutex_unlock(&g->lock);
}

/* Count the calls that came while no one waited for them. */
static void
collect_calls(struct guest_link *l)
{
	uint64_t count;
	uint16_t vq;

	for (vq = 0; vq < l->nb_vqs; vq++)
		if (l->call[vq] >= 0 && read(l->call[vq], &count, sizeof(count)) == sizeof(count))
			guest_set(&l->g->calls, guest_get(&l->g->calls) + count);
}

int
guest_link_driver_ok(struct guest_link *l)
{
	uint16_t vq;
	int ret;

	if (!l->prepared)
		return -EINVAL;
	ret = set_status(l, GUEST_S_ACKNOWLEDGE | GUEST_S_DRIVER | GUEST_S_FEATURES_OK |
			GUEST_S_DRIVER_OK);
	if (ret == 0 && !l->has_status)
		ret = enable_all(l);
	if (ret < 0)
		return ret;
	set_active(l->g, l);
	/* Buffers that became available while no link was active got no kick. */
	for (vq = 0; vq < l->nb_vqs; vq++)
		guest_kick(l->g, vq);
	return 0;
}

int
guest_link_stop(struct guest_link *l)
{
	uint16_t vq;
	int ret = 0;

	for (vq = 0; vq < l->nb_vqs && ret == 0; vq++)
		ret = vu_fe_get_vring_base(&l->fe, vq, &l->base[vq]);
	if (ret == 0)
		ret = set_status(l, 0);
	if (guest_get(&l->g->active) == l)
		set_active(l->g, NULL);
	return ret;
}

void
guest_link_close(struct guest_link *l)
{
	uint16_t vq;

	if (l == NULL)
		return;
	if (guest_get(&l->g->active) == l)
		set_active(l->g, NULL);
	vu_fe_close(&l->fe);
	if (l->kick != NULL && l->call != NULL) {
		collect_calls(l);
		for (vq = 0; vq < l->nb_vqs; vq++) {
			if (l->kick[vq] >= 0)
				close(l->kick[vq]);
			if (l->call[vq] >= 0)
				close(l->call[vq]);
		}
	}
	free(l->kick);
	free(l->call);
	free(l->base);
	free(l->next_base);
	free(l);
}

int
guest_link_status(struct guest_link *l)
{
	uint64_t status;
	int ret;

	if (!l->has_status)
		return -ENOTSUP;
	ret = vu_fe_get_u64(&l->fe, VU_GET_STATUS, &status);
	return ret < 0 ? ret : (int)(status & 0xff);
}

/* Read the status until it has all of @p set and none of @p clear. */
static int
await_status(struct guest_link *l, uint8_t set, uint8_t clear)
{
	uint64_t end = clock_ns() + STATUS_MS * 1000000ull;
	int status;

	for (;;) {
		status = guest_link_status(l);
		if (status < 0)
			return status;
		if ((status & GUEST_S_NEEDS_RESET) != 0)
			return -EREMOTEIO;
		if ((status & set) == set && (status & clear) == 0)
			return 0;
		if (clock_ns() >= end)
			return -ETIMEDOUT;
		usleep(100);
	}
}

/* @return the status byte of a device that runs or is suspended, or -errno */
static int
running_status(struct guest_link *l)
{
	int status;

	if (!l->has_status || (l->features >> GUEST_F_SUSPEND & 1) == 0)
		return -ENOTSUP;
	status = guest_link_status(l);
	if (status >= 0 && (status & (GUEST_S_DRIVER_OK | GUEST_S_SUSPEND)) == 0)
		return -EAGAIN;
	return status;
}

int
guest_link_suspend(struct guest_link *l)
{
	int ret = running_status(l);

	if (ret >= 0)
		ret = vu_fe_set_u64(&l->fe, VU_SET_STATUS, ret | GUEST_S_SUSPEND);
	return ret < 0 ? ret : await_status(l, GUEST_S_SUSPEND, GUEST_S_DRIVER_OK);
}

int
guest_link_resume(struct guest_link *l)
{
	int ret = running_status(l);

	if (ret >= 0)
		ret = vu_fe_set_u64(&l->fe, VU_SET_STATUS,
				(ret | GUEST_S_DRIVER_OK) & ~GUEST_S_SUSPEND);
	return ret < 0 ? ret : await_status(l, GUEST_S_DRIVER_OK, GUEST_S_SUSPEND);
}

uint64_t
guest_link_features(const struct guest_link *l)
{
	return l->features;
}

uint32_t
guest_link_base(const struct guest_link *l, uint16_t vq)
{
	return vq < l->nb_vqs ? l->base[vq] : 0;
}

void
guest_link_set_base(struct guest_link *l, uint16_t vq, uint32_t num)
{
	if (vq < l->nb_vqs)
		l->next_base[vq] = num;
}
