/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_COMMAND_H
#define VSTATE_COMMAND_H

/**
 * @file
 * Commands: buffers of a readable part and of an answer of one byte, processed one after the other.
 * For control virtqueues of both layouts.
 *
 * pop reads the command once, into memory of the caller, and walks the whole chain, so that a chain
 * that is not valid breaks the queue before the command has an effect. push answers it, moves the
 * positions and calls the driver. In between, the positions of the queue are those before the
 * command: a process that is killed there leaves the command to the next one. So nothing is in
 * flight at any time, and a command must be one that can run twice.
 *
 * The caller holds the control lock, and the queue is granted or was quiesced since.
 */

#include <stdbool.h>
#include <stdint.h>

#include "vstate_chain.h"

struct vstate_command {
	/** Bytes that were read, and whether the command is longer. */
	uint32_t len;
	bool longer;
	/** Where the answer goes, in this process and in the guest's memory. */
	uint8_t *answer;
	uint64_t answer_gpa;
	struct vstate_chain chain;
};

/**
 * Read the next command.
 * @param buf  written: up to @p size bytes
 * @return 0; -EAGAIN: none is available; -EIO: the queue is broken, vq->fault says why
 */
int vstate_command_pop(struct vstate_vq *vq, struct vstate_command *cmd, void *buf, uint32_t size);

/** Answer the command of the last vstate_command_pop(), once. */
void vstate_command_push(struct vstate_vq *vq, struct vstate_command *cmd, uint8_t answer);

/**
 * Return whether no device has ever used a buffer of the ring: its position is the first one, and
 * the used entry before that position is blank. A position alone is the first one again after a
 * whole round. The entry is the guest's: it may only decide about this guest's own settings.
 */
bool vstate_command_ring_is_new(const struct vstate_vq *vq);

#endif /* VSTATE_COMMAND_H */
