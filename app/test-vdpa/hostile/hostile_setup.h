/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_SETUP_H
#define HOSTILE_SETUP_H

/**
 * @file
 * A front end without a guest: it sets a device up far enough that both rings of a pair run, in
 * about a millisecond. Its addresses are always the same, so that a seed always sends the same
 * bytes.
 */

#include <stdbool.h>
#include <stdint.h>

struct vu_fe;
struct vu_vring_addr;

#define HOSTILE_SETUP_QUEUES 2
#define HOSTILE_SETUP_RING 64
/** The only region: guest physical and front end's address, and size. */
#define HOSTILE_SETUP_GPA 0x100000ull
#define HOSTILE_SETUP_USER 0x7e0000000000ull
#define HOSTILE_SETUP_BYTES 0x100000ull

struct hostile_setup {
	/** Memory file, and its mapping. */
	int mem_fd;
	uint8_t *mem;
	int kick[HOSTILE_SETUP_QUEUES], call[HOSTILE_SETUP_QUEUES];
	/** Sent before the rings if not -1: a region for marks of buffers in flight. */
	int inflight_fd;
	/** Sent for both queues if not -1. */
	int err_fd;
};

/** Create memory and eventfds. @return 0 or -errno; hostile_setup_close() is allowed in any case */
int hostile_setup_open(struct hostile_setup *s);
void hostile_setup_close(struct hostile_setup *s);
/** Where the rings of queue @p vq lie. */
void hostile_setup_addr(uint32_t vq, struct vu_vring_addr *addr);
/**
 * Clear the memory, send the whole set-up on a new connection and wait for the answer to a request
 * after it. @return 0 or -errno
 */
int hostile_setup_send(struct hostile_setup *s, struct vu_fe *fe);
/** Make one transmit buffer of 100 bytes available and kick. */
void hostile_setup_frame(struct hostile_setup *s);

#endif /* HOSTILE_SETUP_H */
