/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_CONSOLE_ENV_H
#define HOSTILE_CONSOLE_ENV_H

/** @file The driver of a hostile case of a console, and a peer at port 0. */

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>

#include "guest_ports.h"
#include "hostile_put.h"
#include "reason.h"

/** Descriptors of a ring. */
#define HOSTILE_CONSOLE_RING 64
/** Bytes of memory for buffers. */
#define HOSTILE_CONSOLE_MEMORY 0x20000
/** Place of the buffers of good drivers in it; before it are those of attacks. */
#define HOSTILE_CONSOLE_GOOD_AT 0x18000
/** Longest wait in ms: on a loaded machine a thread may not run for seconds. */
#define HOSTILE_CONSOLE_WAIT_MS 10000
/** Time in us that the back end gets to process an attack that it does not answer. */
#define HOSTILE_CONSOLE_SETTLE_US 30000

struct hostile_conf;

struct hostile_console_env {
	const struct hostile_conf *conf;
	const char *port;
	bool packed;
	struct ports guest;
	/** Bytes of a peer that has left, which the next driver gets first. */
	uint32_t left;
	/** What the back end did, and what is wrong, as text. */
	char did[80], why[240];
};

struct hostile_console_case {
	char name[40];
	const char *what;
	/** HOSTILE_SPLIT, HOSTILE_PACKED. */
	uint32_t flags;
	/** Queue that is attacked. */
	uint16_t q;
	/** Attack and judge. @return 0, or -EPROTO with e->why */
	int (*run)(struct hostile_console_env *e, const struct hostile_console_case *c);
	/** Table entry for run. */
	const void *arg;
};

/** Record what is wrong. Only the first reason is kept. @return -EPROTO */
#define hostile_console_fail(e, ...) \
	reason_keep(-EPROTO, (e)->why, sizeof((e)->why), __VA_ARGS__)

/** A good driver and its peer, up to open ports. @return 0 or -EPROTO */
int hostile_console_open(struct hostile_console_env *e);
/** Only the driver of the console at @p path, and what is in a socket of port 0 before. */
int hostile_console_drive(struct hostile_console_env *e, const char *path);
void hostile_console_close(struct hostile_console_env *e);

/** Bytes pass through port 0 each way. @return 0 or -EPROTO */
int hostile_console_pass(struct hostile_console_env *e);
/** The control queues answer DEVICE_READY. @return 0 or -EPROTO */
int hostile_console_answer(struct hostile_console_env *e);
/** Fill the memory for attacks; compare with that. @return 0 or -EPROTO */
void hostile_console_fill(struct hostile_console_env *e);
int hostile_console_check_memory(struct hostile_console_env *e);

/** Make what attacked queues take only on demand: bytes for port 0, a message. */
int hostile_console_prepare(struct hostile_console_env *e, uint16_t q);
/** Write descriptors to a queue, make them available, and kick. */
void hostile_console_put(struct hostile_console_env *e, uint16_t q, const struct hostile_desc *d,
		uint16_t nb);
void hostile_console_kick(struct hostile_console_env *e, uint16_t q);
/** The queue must break: nothing returns. @return 0 or -EPROTO */
int hostile_console_breaks(struct hostile_console_env *e, uint16_t q);
/** No queue may break. @return 0 or -EPROTO */
int hostile_console_holds(struct hostile_console_env *e);

/** Add the cases, at most @p max of them. @return number of cases */
uint32_t hostile_console_cases(struct hostile_console_case *cases, uint32_t max);

#endif /* HOSTILE_CONSOLE_ENV_H */
