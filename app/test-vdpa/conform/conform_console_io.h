/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CONFORM_CONSOLE_IO_H
#define CONFORM_CONSOLE_IO_H

/**
 * @file
 * Steps that the items of a console share. They return 0, or -1 if the item fails, unless they say
 * otherwise.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>

#include "reason.h"

struct conform_console;
struct rte_vhost_state;

/** What does not happen in this time never does. */
#define CONFORM_CONSOLE_MS 10000
/** Time in which something that must not happen would happen. */
#define CONFORM_CONSOLE_REST_MS 60
/** Bytes of the test's memory, and of the longest pattern. */
#define CONFORM_CONSOLE_SCRATCH (4u << 20)
#define CONFORM_CONSOLE_DATA_MAX (2u << 20)

/** The item fails: keep the first reason. @return -1 */
#define conform_console_no(c, ...) \
	reason_keep(-1, (c)->why, sizeof((c)->why), __VA_ARGS__)

/** Connect to a device, which is reset, and negotiate. The rings are empty. */
int conform_console_open(struct conform_console *c);
/** The same with the second device, which continues with the rings as they are. */
int conform_console_open_second(struct conform_console *c);
/** Set up memory and queues, and begin. */
int conform_console_prepare(struct conform_console *c, unsigned int be);
int conform_console_begin(struct conform_console *c, unsigned int be);
/** Open the host's side of a port. */
int conform_console_peer(struct conform_console *c, unsigned int be, uint16_t port);
/** Give the terminal of port 0 another size, and wait. @param size  written: columns, rows */
int conform_console_resize(struct conform_console *c, uint16_t size[2]);
/** All: open, prepare, begin, with all ports ready and open on both sides. */
int conform_console_up(struct conform_console *c);

/** Send a command of the driver. */
int conform_console_command(struct conform_console *c, uint32_t id, uint16_t event, uint16_t value);
/** The next message must be this one, with @p nb bytes behind its head. */
int conform_console_expect(struct conform_console *c, uint32_t id, uint16_t event, uint16_t value,
		const void *more, uint32_t nb);
/** No message comes. */
int conform_console_silence(struct conform_console *c);

/** The pattern of a seed: compare, or write to guest memory. */
void conform_console_pattern(uint8_t *bytes, uint32_t nb, uint8_t seed);
void conform_console_fill(struct conform_console *c, uint64_t gpa, uint32_t nb, uint8_t seed);
/** The driver sends bytes in pieces of @p step, and the peer gets them. */
int conform_console_send(struct conform_console *c, uint16_t port, uint64_t gpa, uint32_t nb,
		uint32_t step);
/** The peer sends bytes, and the driver gets them in buffers in pieces of @p step. */
int conform_console_receive(struct conform_console *c, uint16_t port, uint64_t gpa, uint32_t nb,
		uint32_t step);
/** The driver gets bytes that the peer has sent: those of the pattern. */
int conform_console_gather(struct conform_console *c, uint16_t port, uint64_t gpa, uint32_t nb,
		uint8_t seed);
/** Bytes at @p gpa are those of the pattern from byte @p at on. */
int conform_console_check(struct conform_console *c, uint64_t gpa, uint32_t at, uint32_t nb,
		uint8_t seed);
/** The peer reads exactly those of a pattern, from byte @p at on. */
int conform_console_peer_check(struct conform_console *c, uint16_t port, uint32_t at, uint32_t nb,
		uint8_t seed);
/** Wait for a used buffer. @param want  the length that the device must report */
int conform_console_used(struct conform_console *c, uint16_t q, uint32_t want);
/** Nothing returns from the queue. */
int conform_console_unused(struct conform_console *c, uint16_t q);

/** Suspend a device and capture its state. @return the caller's; NULL: the item fails */
struct rte_vhost_state *conform_console_stop(struct conform_console *c, unsigned int be);
/** Resume a device. */
int conform_console_resume(struct conform_console *c, unsigned int be);
/** Return a counter of queue @p q of a device. */
uint64_t conform_console_count(struct conform_console *c, unsigned int be, uint16_t q,
		const char *name);

#endif /* CONFORM_CONSOLE_IO_H */
