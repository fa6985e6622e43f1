/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_CONSOLE_KEPT_H
#define VSTATE_CONSOLE_KEPT_H

/**
 * @file
 * What a console keeps for the process that serves it next, if this one is killed: how much of the
 * buffer that it transfers has reached the other side, and bytes that it has read ahead.
 *
 * The kernel itself writes the number of bytes: sendmmsg() and recvmmsg() store msg_len before they
 * return, and a signal ends a process only after that. So with a socket there is no instant at
 * which bytes are transferred and the number is not. A pseudo-terminal has no such call, but its
 * bytes end with the process that has its master.
 *
 * A stream has two records. A new one is filled first and becomes the current one by one store, so
 * a kill at any instruction finds one that is whole. Bytes of the buffer that are transferred:
 * base + msg_len. A record belongs to the buffer at the used position of the ring, of which there
 * is only one: a stream transfers one buffer at a time, and the next one follows in the ring.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <rte_atomic.h>

#include "ring/vstate_pos.h"
#include "vstate_console_conf.h"

/** Bytes of a port that the device reads ahead when it is suspended. */
#define VSTATE_CONSOLE_AHEAD RTE_VHOST_STATE_CONSOLE_PENDING

struct vstate_console_record {
	struct mmsghdr msg;
	/** Bytes transferred before this call. */
	uint64_t base;
	/** Bytes read ahead that the guest has. */
	uint32_t ahead_done;
	/** The buffer, and the used position of its ring. */
	uint16_t id, idx;
	uint8_t wrap;
	/** The record has a buffer: 0 or 1. */
	uint8_t valid;
	/** To the guest: which of the two places has the bytes read ahead. */
	uint8_t ahead_at;
	uint8_t reserved[5];
};

struct vstate_console_stream {
	/** Which record is the current one: its lowest bit. */
	uint32_t now;
	uint32_t reserved;
	struct vstate_console_record records[2];
};

/** Bytes read ahead: base + msg_len. */
struct vstate_console_ahead {
	struct mmsghdr msg;
	uint32_t base;
	uint32_t reserved;
	uint8_t bytes[VSTATE_CONSOLE_AHEAD];
};

struct vstate_console_kept_port {
	struct vstate_console_stream to_guest, to_host;
	struct vstate_console_ahead ahead[2];
	/** What the driver has sent, and which messages are due to it, as in the state. */
	uint8_t guest_open, ready, due, reported_open;
	uint32_t reserved;
};

struct vstate_console_kept {
	uint8_t driver_ready;
	uint8_t reserved[7];
	struct vstate_console_kept_port ports[VSTATE_CONSOLE_MAX_PORTS];
};

/** Return the current record of a stream. */
static inline struct vstate_console_record *
vstate_console_record_now(struct vstate_console_stream *s)
{
	return &s->records[s->now & 1];
}

/** Make @p next the current record. @return it, with no byte transferred by its own call */
static inline struct vstate_console_record *
vstate_console_record_set(struct vstate_console_stream *s,
		const struct vstate_console_record *next)
{
	const uint32_t now = (s->now & 1) ^ 1;

	s->records[now] = *next;
	s->records[now].msg = (struct mmsghdr){ 0 };
	rte_compiler_barrier();
	*(volatile uint32_t *)&s->now = now;
	rte_compiler_barrier();
	return &s->records[now];
}

/** Return the bytes of the record's buffer that are transferred. */
static inline uint64_t
vstate_console_record_done(const struct vstate_console_record *r)
{
	return r->base + r->msg.msg_len;
}

/** Return whether the record is of this buffer, with @p used as the used position of its ring. */
static inline bool
vstate_console_record_is_of(const struct vstate_console_record *r, uint16_t id,
		struct vstate_pos used)
{
	return r->valid == 1 && r->id == id && r->idx == used.idx && r->wrap == used.wrap;
}

/** Return the bytes read ahead that the guest has not got, and the first of them. */
static inline uint32_t
vstate_console_ahead_left(struct vstate_console_kept_port *k, uint8_t **first)
{
	const struct vstate_console_record *r = vstate_console_record_now(&k->to_guest);
	struct vstate_console_ahead *ahead = &k->ahead[r->ahead_at & 1];
	const uint64_t nb = (uint64_t)ahead->base + ahead->msg.msg_len;
	const uint32_t done = r->ahead_done;

	if (nb > VSTATE_CONSOLE_AHEAD || done >= nb)
		return 0;
	*first = &ahead->bytes[done];
	return nb - done;
}

#endif /* VSTATE_CONSOLE_KEPT_H */
