/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/* Attacks on the ring itself: indices, wrap counters, notifications, races. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "guest_core.h"
#include "guest_link.h"
#include "guest_mem.h"
#include "guest_ring.h"
#include "hostile_case.h"
#include "hostile_env.h"
#include "hostile_put.h"
#include "hostile_queue.h"
#include "hostile_send.h"
#include "vhost_user_fe.h"
#include "vstate_compat.h"

#define N VRING_DESC_F_NEXT
#define F_AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define F_USED (1u << VRING_PACKED_DESC_F_USED)
#define SPLIT_BREAKS (HOSTILE_SPLIT | HOSTILE_BREAKS_SPLIT)
#define RACE_ANY (HOSTILE_ANY | HOSTILE_MAY_BREAK)
#define PACKED_BREAKS (HOSTILE_PACKED | HOSTILE_BREAKS_PACKED)
/* How long a value changes while the device reads it. */
#define RACE_NS 150000000ull

static struct vring_avail *
avail_of(struct hostile_env *e, uint16_t vq)
{
	return guest_ring_of(e->g, vq)->driver;
}

static struct hostile_desc
frame_desc(const struct hostile_env *e)
{
	return (struct hostile_desc){ .addr = e->frame_gpa, .len = e->frame_len };
}

/* ---- split ---- */

static int
split_idx_ahead(struct hostile_env *e, const struct hostile_case *c)
{
	struct guest_ring *r = guest_ring_of(e->g, HOSTILE_TX);
	struct hostile_desc d = frame_desc(e);

	hostile_put(e, HOSTILE_TX, &d, 1);
	r->avail += *(const uint16_t *)c->arg;
	hostile_publish(e, HOSTILE_TX);
	return 0;
}

static int
split_rx_idx_ahead(struct hostile_env *e, const struct hostile_case *c)
{
	struct guest_ring *r = guest_ring_of(e->g, HOSTILE_RX);
	struct hostile_desc d = frame_desc(e);

	d.addr = hostile_scratch(e);
	d.flags = VRING_DESC_F_WRITE;
	hostile_lend(e, d.addr, 4096);
	/* Stale entries of the ring name old descriptors: the device may write their buffers. */
	hostile_lend(e, e->p->rx_gpa, (uint64_t)e->p->rx_slots * e->p->rx_stride);
	hostile_put(e, HOSTILE_RX, &d, 1);
	r->avail += *(const uint16_t *)c->arg;
	hostile_publish(e, HOSTILE_RX);
	hostile_send_frame(e);
	hostile_send_frame(e);
	return 0;
}

static int
split_head_range(struct hostile_env *e, const struct hostile_case *c)
{
	struct guest_ring *r = guest_ring_of(e->g, HOSTILE_TX);
	struct hostile_desc d = frame_desc(e);

	hostile_put(e, HOSTILE_TX, &d, 1);
	avail_of(e, HOSTILE_TX)->ring[(r->avail - 1) % r->size] = *(const uint16_t *)c->arg;
	hostile_publish(e, HOSTILE_TX);
	return 0;
}

static int
split_same_head(struct hostile_env *e, const struct hostile_case *c __rte_unused)
{
	struct guest_ring *r = guest_ring_of(e->g, HOSTILE_TX);
	struct hostile_desc d = frame_desc(e);
	uint16_t i;

	hostile_put(e, HOSTILE_TX, &d, 1);
	for (i = 0; i < 8; i++, r->avail++)
		avail_of(e, HOSTILE_TX)->ring[r->avail % r->size] = 0;
	hostile_publish(e, HOSTILE_TX);
	return 0;
}

static int
split_event_garbage(struct hostile_env *e, const struct hostile_case *c __rte_unused)
{
	struct guest_ring *r = guest_ring_of(e->g, HOSTILE_TX);
	struct vring_avail *a = avail_of(e, HOSTILE_TX);
	struct hostile_desc d = frame_desc(e);
	uint16_t i;

	a->flags = 0xffff;
	for (i = 0; i < 16; i++) {
		a->ring[r->size] = 0x1111 * i;
		hostile_put(e, HOSTILE_TX, &d, 1);
		hostile_publish(e, HOSTILE_TX);
		usleep(500);
	}
	return 0;
}

static int
split_used_garbage(struct hostile_env *e, const struct hostile_case *c __rte_unused)
{
	struct guest_ring *r = guest_ring_of(e->g, HOSTILE_TX);
	struct vring_used *u = r->device;
	struct hostile_desc d = frame_desc(e);
	uint16_t i;

	for (i = 0; i < 16; i++) {
		memset(u, 0xa5, 6 + 8 * r->size);
		hostile_put(e, HOSTILE_TX, &d, 1);
		hostile_publish(e, HOSTILE_TX);
		usleep(500);
	}
	return 0;
}

/* ---- packed ---- */

static int
packed_id(struct hostile_env *e, const struct hostile_case *c)
{
	struct hostile_desc d = frame_desc(e);
	uint16_t i;

	d.next = *(const uint16_t *)c->arg;
	for (i = 0; i < 4; i++)
		hostile_put(e, HOSTILE_TX, &d, 1);
	hostile_publish(e, HOSTILE_TX);
	return 0;
}

/* All descriptors are available and chained, so the chain has no last descriptor. */
static int
packed_endless(struct hostile_env *e, const struct hostile_case *c)
{
	uint16_t vq = *(const uint16_t *)c->arg, i;
	struct hostile_desc d[HOSTILE_RING];

	for (i = 0; i < HOSTILE_RING; i++)
		d[i] = (struct hostile_desc){
			.addr = vq == HOSTILE_TX ? e->frame_gpa : hostile_scratch(e), .len = 13,
			.flags = N | (vq == HOSTILE_RX ? VRING_DESC_F_WRITE : 0), .next = i,
		};
	if (vq == HOSTILE_RX)
		hostile_lend(e, hostile_scratch(e), 4096);
	hostile_put(e, vq, d, HOSTILE_RING);
	hostile_publish(e, vq);
	if (vq == HOSTILE_RX)
		hostile_send_frame(e);
	return 0;
}

/* A chain that continues in a descriptor that is not available. */
static int
packed_open_chain(struct hostile_env *e, const struct hostile_case *c __rte_unused)
{
	struct hostile_desc d = frame_desc(e);

	d.flags = N;
	hostile_put(e, HOSTILE_TX, &d, 1);
	hostile_publish(e, HOSTILE_TX);
	return 0;
}

static int
packed_wrong_wrap(struct hostile_env *e, const struct hostile_case *c __rte_unused)
{
	struct guest_ring *r = guest_ring_of(e->g, HOSTILE_TX);
	struct hostile_desc d = frame_desc(e);

	r->avail_wrap = !r->avail_wrap;
	hostile_put(e, HOSTILE_TX, &d, 1);
	d.flags = F_AVAIL | F_USED;
	hostile_put(e, HOSTILE_TX, &d, 1);
	hostile_publish(e, HOSTILE_TX);
	return 0;
}

static int
packed_event_garbage(struct hostile_env *e, const struct hostile_case *c __rte_unused)
{
	struct guest_ring *r = guest_ring_of(e->g, HOSTILE_TX);
	struct vring_packed_desc_event *ev = r->driver;
	struct hostile_desc d = frame_desc(e);
	uint16_t i;

	for (i = 0; i < 16; i++) {
		ev->off_wrap = 0x1111 * i;
		ev->flags = i % 2 == 0 ? 0xffff : VRING_PACKED_EVENT_FLAG_DESC;
		hostile_put(e, HOSTILE_TX, &d, 1);
		hostile_publish(e, HOSTILE_TX);
		usleep(500);
	}
	return 0;
}

/* ---- values that change while the device reads them ---- */

/** A field of a descriptor in the ring that changes its value. */
struct race {
	uint32_t offset, size;
	uint64_t bad;
	bool indirect;
};

static void
race_step(struct hostile_env *e, const struct race *r, struct hostile_desc d, uint64_t good)
{
	struct guest_ring *ring = guest_ring_of(e->g, HOSTILE_TX);
	uint16_t slot = e->packed ? ring->avail : e->base[HOSTILE_TX];
	uint8_t *field = (uint8_t *)ring->desc + 16 * slot + r->offset;
	uint32_t k;

	if (e->packed && r->offset == 14)
		good |= ring->avail_wrap ? F_AVAIL : F_USED;
	hostile_put(e, HOSTILE_TX, &d, 1);
	hostile_publish(e, HOSTILE_TX);
	for (k = 0; k < 200; k++) {
		uint64_t v = k % 2 == 0 ? r->bad | (r->offset == 14 ? good : 0) : good;

		if (r->size == 2)
			rte_atomic_store_explicit((uint16_t *)field, (uint16_t)v,
					rte_memory_order_relaxed);
		else if (r->size == 4)
			rte_atomic_store_explicit((uint32_t *)field, (uint32_t)v,
					rte_memory_order_relaxed);
		else
			rte_atomic_store_explicit((uint64_t *)field, v, rte_memory_order_relaxed);
	}
}

static int
run_race(struct hostile_env *e, const struct hostile_case *c)
{
	struct vring_desc table[2] = {
		{ .addr = e->frame_gpa, .len = 12, .flags = e->packed ? 0 : N, .next = 1 },
		{ .addr = e->frame_gpa + 12, .len = e->frame_len - 12 },
	};
	struct vring_packed_desc packed[2] = {
		{ .addr = e->frame_gpa, .len = 12 },
		{ .addr = e->frame_gpa + 12, .len = e->frame_len - 12 },
	};
	struct hostile_desc d = frame_desc(e);
	const struct race *r = c->arg;
	uint64_t end, good;

	if (r->indirect) {
		d.addr = hostile_scratch(e);
		d.len = sizeof(table);
		d.flags = VRING_DESC_F_INDIRECT;
		guest_mem_write(&e->g->mem, d.addr, e->packed ? (const void *)packed : table,
			sizeof(table));
	}
	good = r->offset == 0 ? d.addr : r->offset == 8 ? d.len : d.flags;
	/* The device and this loop write the same descriptors, so the snapshot cannot match. */
	hostile_lend(e, e->p->tx.desc_gpa, 16 * HOSTILE_RING);
	for (end = clock_ns() + RACE_NS; clock_ns() < end; )
		race_step(e, r, d, good);
	return 0;
}

/* ---- calls ---- */

static int
full_pipe(struct hostile_env *e)
{
	static const uint8_t zeros[4096];

	if (pipe2(e->kept_fds, O_CLOEXEC) < 0)
		return -errno;
	e->nb_kept = 2;
	fcntl(e->kept_fds[1], F_SETFL, O_NONBLOCK);
	while (write(e->kept_fds[1], zeros, sizeof(zeros)) > 0)
		;
	fcntl(e->kept_fds[1], F_SETFL, 0);
	return e->kept_fds[1];
}

static int
full_eventfd(struct hostile_env *e)
{
	const uint64_t most = UINT64_MAX - 1;

	e->kept_fds[0] = eventfd(0, EFD_CLOEXEC);
	if (e->kept_fds[0] < 0)
		return -errno;
	e->nb_kept = 1;
	return write(e->kept_fds[0], &most, sizeof(most)) == (ssize_t)sizeof(most) ?
		e->kept_fds[0] : -errno;
}

/* Longest wait for a call on a loaded machine. */
#define CALL_MS 10000

static void
call_fd_send(struct hostile_env *e, int fd)
{
	uint64_t value = HOSTILE_TX;

	hostile_send(e, VU_SET_VRING_CALL, VU_VERSION, sizeof(value), &value, sizeof(value),
		&fd, 1);
}

/* Send frames and ask for a call after each. */
static void
calls_provoke(struct hostile_env *e)
{
	struct guest_ring *r = guest_ring_of(e->g, HOSTILE_TX);
	int i;

	r->ops->calls(r, true);
	for (i = 0; i < 4; i++) {
		hostile_send_frame(e);
		usleep(20000);
	}
}

/* A write to this call fd blocks forever. A poll thread that writes there never returns. */
static int
blocking_call(struct hostile_env *e, const struct hostile_case *c)
{
	int fd = c->arg == NULL ? full_pipe(e) : full_eventfd(e);

	if (fd < 0)
		return fd;
	call_fd_send(e, fd);
	calls_provoke(e);
	return 0;
}

/*
 * The same with an eventfd that blocks only after the back end has checked it: the front end has
 * the same open file.
 */
static int
blocking_call_later(struct hostile_env *e, const struct hostile_case *c __rte_unused)
{
	int fd = full_eventfd(e);

	if (fd < 0)
		return fd;
	call_fd_send(e, fd);
	/* after this answer the message before is processed */
	guest_link_status(e->l);
	if (fcntl(fd, F_SETFL, 0) < 0)
		return -errno;
	calls_provoke(e);
	return 0;
}

/* An honest request between attacks: the device must call the new descriptor, not the old one. */
static int
replaced_call(struct hostile_env *e, const struct hostile_case *c __rte_unused)
{
	struct guest_ring *r = guest_ring_of(e->g, HOSTILE_TX);
	struct pollfd fd = { .events = POLLIN };
	uint64_t count;

	fd.fd = e->kept_fds[0] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd.fd < 0)
		return -errno;
	e->nb_kept = 1;
	call_fd_send(e, fd.fd);
	/* after this answer the message before is processed */
	guest_link_status(e->l);
	while (read(fd.fd, &count, sizeof(count)) == sizeof(count))
		;
	r->ops->calls(r, true);
	hostile_send_frame(e);
	return poll(&fd, 1, CALL_MS) == 1 ? 0 :
		hostile_fail(e, "the back end does not call the new descriptor");
}

static const uint16_t one = 1, size_value = HOSTILE_RING, size_minus = HOSTILE_RING - 1,
	half = 0x7fff, most = 0xffff, back = (uint16_t)-2, rx_queue = HOSTILE_RX,
	tx_queue = HOSTILE_TX;
static const struct race race_len = { 8, 4, 0xffffffff, false };
static const struct race race_addr = { 0, 8, UINT64_MAX - 15, false };
static const struct race race_flags = { 14, 2, VRING_DESC_F_INDIRECT | N, false };
static const struct race race_table_len = { 8, 4, 0x10000000, true };
static const struct race race_table_addr = { 0, 8, 0, true };

static const struct hostile_case cases[] = {
	{ "avail-idx-ahead-1", "available index one more than the ring size ahead", SPLIT_BREAKS,
		split_idx_ahead, &size_value },
	{ "avail-idx-ahead-stale", "available index ahead of what was written", HOSTILE_SPLIT,
		split_idx_ahead, &size_minus },
	{ "avail-idx-ahead-half", "available index 0x7fff ahead", SPLIT_BREAKS,
		split_idx_ahead, &half },
	{ "avail-idx-back", "available index going back", SPLIT_BREAKS, split_idx_ahead, &back },
	{ "rx-avail-idx-ahead-1", "the same in the receive ring", SPLIT_BREAKS | HOSTILE_EMPTY_RX,
		split_rx_idx_ahead, &size_value },
	{ "rx-avail-idx-ahead-half", "the same in the receive ring, 0x7fff",
		SPLIT_BREAKS | HOSTILE_EMPTY_RX, split_rx_idx_ahead, &half },
	{ "avail-head-range", "head equal to the ring size", SPLIT_BREAKS, split_head_range,
		&size_value },
	{ "avail-head-65535", "head 65535", SPLIT_BREAKS, split_head_range, &most },
	{ "avail-same-head", "one head made available many times", HOSTILE_SPLIT,
		split_same_head, NULL },
	{ "avail-event-garbage", "random available flags and used_event", HOSTILE_SPLIT,
		split_event_garbage, NULL },
	{ "used-ring-garbage", "the driver writes to the used ring", HOSTILE_SPLIT,
		split_used_garbage, NULL },
	{ "packed-id-range", "buffer ID equal to the ring size", HOSTILE_PACKED, packed_id,
		&size_value },
	{ "packed-id-65535", "buffer ID 65535", HOSTILE_PACKED, packed_id, &most },
	{ "packed-id-same", "one buffer ID four times", HOSTILE_PACKED, packed_id, &one },
	{ "packed-endless", "all descriptors chained, no last one", PACKED_BREAKS, packed_endless,
		&tx_queue },
	{ "rx-packed-endless", "the same in the receive ring", PACKED_BREAKS | HOSTILE_EMPTY_RX,
		packed_endless, &rx_queue },
	{ "packed-open-chain", "chain into a descriptor that is not available", HOSTILE_PACKED,
		packed_open_chain, NULL },
	{ "packed-wrong-wrap", "available with the wrong wrap counter", HOSTILE_PACKED,
		packed_wrong_wrap, NULL },
	{ "packed-event-garbage", "random driver event area", HOSTILE_PACKED,
		packed_event_garbage, NULL },
	{ "call-blocks", "call fd that is a full pipe", HOSTILE_ANY, blocking_call, NULL },
	{ "call-replaced", "call fd replaced under running rings", HOSTILE_ANY, replaced_call,
		NULL },
	{ "call-full", "call fd that is a full eventfd", HOSTILE_ANY, blocking_call, &one },
	{ "call-blocks-later", "call eventfd made blocking again", HOSTILE_ANY | HOSTILE_BREAKS,
		blocking_call_later, NULL },
	{ "race-len", "length changes while it is read", RACE_ANY, run_race, &race_len },
	{ "race-addr", "address changes while it is read", RACE_ANY, run_race, &race_addr },
	{ "race-flags", "flags change while they are read", RACE_ANY, run_race, &race_flags },
	{ "race-table-len", "table length changes while it is read", RACE_ANY, run_race,
		&race_table_len },
	{ "race-table-addr", "table address changes while it is read", RACE_ANY, run_race,
		&race_table_addr },
};

uint32_t
hostile_queue_cases(struct hostile_case *c, uint32_t room)
{
	uint32_t n = sizeof(cases) / sizeof(cases[0]);

	if (n > room)
		n = room;
	memcpy(c, cases, n * sizeof(cases[0]));
	return n;
}
