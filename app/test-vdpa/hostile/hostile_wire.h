/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_WIRE_H
#define HOSTILE_WIRE_H

/**
 * @file
 * The requests of vhost-user by number, with the size and the descriptors that they have in the
 * specification, and a payload that is valid for the rings of hostile_setup.h.
 */

#include <stdint.h>

/** Requests from 0 to this one are tried; those that the specification names are below it. */
#define HOSTILE_REQUEST_LAST 64
/** Longest valid payload. */
#define HOSTILE_WIRE_MAX 264

/** Name of @p request ("SET_MEM_TABLE"), or "request" for a number that has none. */
const char *hostile_wire_name(uint32_t request);
/** Number of descriptors that a valid @p request brings. */
unsigned int hostile_wire_fds(uint32_t request);
/**
 * Write a valid payload of @p request for queue @p vq.
 * @param buf HOSTILE_WIRE_MAX bytes, zeroed behind the payload
 * @return its bytes
 */
uint32_t hostile_wire_payload(uint32_t request, uint32_t vq, uint8_t *buf);

#endif /* HOSTILE_WIRE_H */
