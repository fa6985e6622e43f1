/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_CASE_H
#define HOSTILE_CASE_H

/**
 * @file
 * A hostile case: what it applies to, what the back end may do, and how it attacks.
 */

#include <stdbool.h>
#include <stdint.h>

struct hostile_env;

/** Kinds of ring that a case applies to. */
#define HOSTILE_SPLIT 0x1u
#define HOSTILE_PACKED 0x2u
#define HOSTILE_ANY (HOSTILE_SPLIT | HOSTILE_PACKED)
/** An attack by messages: the back end may refuse them, or close the connection. */
#define HOSTILE_MSG 0x4u
/** The guest does not negotiate mergeable receive buffers. */
#define HOSTILE_PLAIN 0x8u
/** The attack is on the receive ring: the honest buffers are used up before. */
#define HOSTILE_EMPTY_RX 0x10u

/** The case makes its own connections, before or without a guest, and closes them. */
#define HOSTILE_DOOR 0x20u
/** Only where the device listens: the case needs several connections at a time. */
#define HOSTILE_LISTENING 0x200u

/** The case is one of a control queue: it runs if it is asked for. */
#define HOSTILE_CTRL 0x400u

/** The case breaks this kind of ring: a back end that reports it must set NEEDS_RESET. */
#define HOSTILE_BREAKS_SPLIT 0x40u
#define HOSTILE_BREAKS_PACKED 0x80u
#define HOSTILE_BREAKS (HOSTILE_BREAKS_SPLIT | HOSTILE_BREAKS_PACKED)
/** Timing decides if the ring breaks, so the status is not checked. */
#define HOSTILE_MAY_BREAK 0x100u

struct hostile_case {
	char name[48];
	const char *what;
	uint32_t flags;
	/** Attack. @return -errno with e->why if the attack was not possible */
	int (*run)(struct hostile_env *e, const struct hostile_case *c);
	/** Table entry for run. */
	const void *arg;
};

/** True if a word of a list with commas is @p name. */
bool hostile_name_is_listed(const char *list, const char *name);

#endif /* HOSTILE_CASE_H */
