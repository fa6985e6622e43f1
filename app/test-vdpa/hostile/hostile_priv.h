/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_PRIV_H
#define HOSTILE_PRIV_H

/**
 * @file
 * What the hostile cases are made of.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "guest_priv.h"
#include "hostile.h"

/** Descriptors of an attack at most. */
#define HOSTILE_DESCS 64
/** Ring size of a hostile guest. */
#define HOSTILE_RING 64
#define HOSTILE_RX 0
#define HOSTILE_TX 1

/** Where a case applies, and what it may end in. */
#define HOSTILE_SPLIT 0x1u
#define HOSTILE_PACKED 0x2u
#define HOSTILE_ANY (HOSTILE_SPLIT | HOSTILE_PACKED)
/** An attack by messages: the back end may refuse, or close the connection. */
#define HOSTILE_MSG 0x4u
/** Without mergeable receive buffers. */
#define HOSTILE_PLAIN 0x8u
/** The attack is on the receive ring: its buffers are used up before. */
#define HOSTILE_EMPTY_RX 0x10u

/**
 * rte_vhost counts the queues of SET_INFLIGHT_FD before any handler of a back end sees the
 * message, and gives up without closing its descriptor. No back end on it can do better.
 */
#define HOSTILE_LIBRARY_FD 0x20u

/** What a back end that tells so must tell of the ring: that it is broken, or nothing. */
#define HOSTILE_BREAKS_SPLIT 0x40u
#define HOSTILE_BREAKS_PACKED 0x80u
#define HOSTILE_BREAKS (HOSTILE_BREAKS_SPLIT | HOSTILE_BREAKS_PACKED)
/** Whether the ring breaks is a matter of time: nothing is asked. */
#define HOSTILE_MAY_BREAK 0x100u

/** A guest with two queue pairs; pair 0 misbehaves, pair 1 is the witness. */
struct hostile_env {
	const struct hostile_conf *conf;
	bool packed;
	struct guest *g;
	struct guest_link *l;
	/** Pair 0 out of traffic. */
	struct guest_pair *p;
	/** A frame in the first transmit buffer, with its header, and its length. */
	uint64_t frame_gpa;
	uint32_t frame_len;
	/** What the device may write of pair 0. */
	struct guest_mem_range lent[HOSTILE_DESCS + 16];
	uint32_t nb_lent;
	/** Pair 0's memory at the time of the attack. */
	uint8_t *snapshot;
	/** Our ends of what the back end was given, open until it is judged. */
	int kept_fds[2];
	uint32_t nb_kept;
	/** Split: next free descriptor of the two rings. */
	uint16_t base[2];
	/** What the back end did, and what was wrong. */
	char did[80], why[200];
};

/** One descriptor as it shall stand in memory. */
struct hostile_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	/** Split: next; packed: ID. */
	uint16_t next;
};

struct hostile_case {
	char name[48];
	const char *what;
	uint32_t flags;
	/** Attack; -errno with e->why if it could not be made. */
	int (*run)(struct hostile_env *e, const struct hostile_case *c);
	/** The table entry that run works on. */
	const void *arg;
};

/** Say what is wrong, once; returns -EPROTO. */
int hostile_fail(struct hostile_env *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** The device may write there. */
void hostile_lend(struct hostile_env *e, uint64_t gpa, uint64_t len);
/** Addresses that mean something. */
uint64_t hostile_end_of_memory(const struct hostile_env *e);
uint64_t hostile_hole(const struct hostile_env *e);
uint64_t hostile_scratch(const struct hostile_env *e);

/** Write descriptors at the available position of @p vq. Split: next is relative to the first. */
void hostile_put(struct hostile_env *e, uint16_t vq, const struct hostile_desc *d, uint16_t nb);
/** Make what hostile_put() wrote available (packed: it is already) and kick. */
void hostile_publish(struct hostile_env *e, uint16_t vq);
/** Remember what memory has to look like from now on; our own later writes are added to it. */
void hostile_snapshot(struct hostile_env *e);
/** Send the frame as an honest guest would. */
void hostile_send_frame(struct hostile_env *e);
/**
 * Whether a new connection is served, and still is after what @p e does @p meanwhile (may be NULL).
 * @p when, in words, begins the reason of a failure.
 */
int hostile_fresh(struct hostile_env *e, const char *when,
		void (*meanwhile)(struct hostile_env *e));

/** What goes with a message as file descriptors. */
enum hostile_fd { FD_NONE, FD_EVENT, FD_MEMORY, FD_PIPE, FD_NULL, FD_SMALL, FD_DIR };

/** A new fd; -1 if it cannot be made. @p other is to be closed as well, unless -1. */
int hostile_open_fd(struct hostile_env *e, enum hostile_fd kind, int *other);
/** Send a message as it is. Errors are no matter: the back end may have closed already. */
void hostile_send(struct hostile_env *e, uint32_t request, uint32_t flags, uint32_t size,
		const void *payload, uint32_t len, const int *fds, unsigned int nb_fds);

/** Add cases to a list that ends with an empty name; returns their number. */
uint32_t hostile_ring_cases(struct hostile_case *c, uint32_t room);
uint32_t hostile_queue_cases(struct hostile_case *c, uint32_t room);
uint32_t hostile_msg_cases(struct hostile_case *c, uint32_t room);
uint32_t hostile_seq_cases(struct hostile_case *c, uint32_t room);

#endif /* HOSTILE_PRIV_H */
