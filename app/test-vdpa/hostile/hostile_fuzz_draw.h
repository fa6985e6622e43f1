/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_FUZZ_DRAW_H
#define HOSTILE_FUZZ_DRAW_H

/**
 * @file
 * Random messages: what a seed sends. Pure functions of the seed: neither the time nor the back end
 * nor an address of this process has a part in them.
 */

#include <stdbool.h>
#include <stdint.h>

#include "vhost_user_fe.h"

#define HOSTILE_FUZZ_PAYLOAD 512
/** More than a message may have. */
#define HOSTILE_FUZZ_FDS 12
/** Most messages of a connection. */
#define HOSTILE_FUZZ_MESSAGES 200

/** A connection. */
struct hostile_fuzz_connection {
	/** The device is set up first. */
	bool ready;
	/** Answers are read. */
	bool reads;
	/** Percentage of messages that may be invalid. With few of them, connections last. */
	uint32_t wild;
	/** Messages, 1 .. HOSTILE_FUZZ_MESSAGES. */
	uint32_t messages;
};

struct hostile_fuzz_message {
	/** The size in the header is not always that of the payload. */
	struct vu_header hdr;
	uint32_t len;
	uint8_t payload[HOSTILE_FUZZ_PAYLOAD];
	/** Kinds of the descriptors, enum hostile_fd. */
	uint8_t nb_fds, fds[HOSTILE_FUZZ_FDS];
	/** Bytes of header and payload in the first write; less than all: in two parts. */
	uint32_t first;
	/** Between the parts: wait for the second device; hang up instead of the second part. */
	bool hold, hang_up;
	/** Transmit a frame after this message. */
	bool frame;
};

/** Draw connection @p number of a seed, and the state @p rnd for its messages. */
void hostile_fuzz_connection_draw(uint64_t seed, uint64_t number, uint64_t *rnd,
		struct hostile_fuzz_connection *c);
/** Draw the next message of connection @p c. */
void hostile_fuzz_message_draw(uint64_t *rnd, const struct hostile_fuzz_connection *c,
		struct hostile_fuzz_message *m);

#endif /* HOSTILE_FUZZ_DRAW_H */
