/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef GUEST_CONSOLE_H
#define GUEST_CONSOLE_H

/**
 * @file
 * The built-in driver of a console with one port, and the peer at its host's side, which is
 * connected to the port's UNIX socket. Both send a stream of numbered bytes (guest_stream.h) and
 * check that of the other one. The driver shares no code with the device.
 *
 * Traffic runs in a thread of the console's own, also while no back end serves the rings. All other
 * functions are called from one thread. They return 0 or -errno unless they say otherwise.
 */

#include <stdbool.h>
#include <stdint.h>

#define CONSOLE_MAX_DEPTH 256

struct console_conf {
	/** Descriptors of each ring; split: a power of two. */
	uint16_t ring_size;
	bool packed;
	/** Buffers of each queue under way, 1 .. CONSOLE_MAX_DEPTH. */
	uint16_t depth;
	/** Bytes of the longest buffer. */
	uint32_t buf_max;
	/** Most bytes that the host's side sends ahead of what the driver has received. */
	uint32_t window;
	uint64_t seed;
	/** Keep buffers in the in-flight region. */
	bool region;
};

/** What the traffic found. */
struct console_counts {
	/** Bytes received, in order. */
	uint64_t to_host, to_guest;
	/** Of both directions. Lost: also bytes that never came; set by console_stop(). */
	uint64_t lost, doubled, wrong;
	/** Buffers that the device used and did not own, or used in another order. */
	uint64_t foreign;
	/** Longest time in ns between two buffers that returned. */
	uint64_t gap_max;
};

struct console;

/** @return NULL with rte_errno */
struct console *console_create(const struct console_conf *conf);
void console_destroy(struct console *c);
/** The first error as text; NULL if there is none. */
const char *console_error(const struct console *c);

/* As the functions of guest_disk.h. */
int console_listen(struct console *c, const char *path);
int console_connect(struct console *c, unsigned int l, const char *path, int timeout_ms);
int console_prepare(struct console *c, unsigned int l);
int console_run(struct console *c, unsigned int l);
int console_take_back(struct console *c, unsigned int l);
void console_back_end_died(struct console *c);
void console_disconnect(struct console *c, unsigned int l);
bool console_hung_up(const struct console *c, unsigned int l, int ms);
/** Marks in the region: buffers in flight. */
unsigned int console_marks(const struct console *c);

/** Connect the host's side to @p path in place of an earlier connection. */
int console_host_connect(struct console *c, const char *path, int timeout_ms);
/** The host's side does not read, or does not write, until further notice. */
void console_host_stall(struct console *c, bool stall);
void console_host_mute(struct console *c, bool mute);
/** Bytes of buffers that returned to the driver: all of them are at the host's side. */
uint64_t console_returned(struct console *c);
/**
 * No queue runs: read all that the back end has written, which must be up to position @p until.
 * UINT64_MAX: up to the end of the connection.
 */
int console_host_drain(struct console *c, uint64_t until, int timeout_ms);
/** Send again from where the driver is: the rest was in the socket of a process that died. */
void console_host_rewind(struct console *c);
/** Wait until the driver has all that the host's side sent. */
int console_host_wait(struct console *c, int timeout_ms);

int console_start(struct console *c);
/** Send nothing more, wait for what is under way for up to @p timeout_ms, end the thread. */
int console_stop(struct console *c, int timeout_ms);
void console_counts_get(struct console *c, struct console_counts *counts);
void console_gap_reset(struct console *c);
/** Wait until @p nb more buffers have returned from the queue that sends. */
int console_wait_flow(struct console *c, unsigned int nb, int timeout_ms);

#endif /* GUEST_CONSOLE_H */
