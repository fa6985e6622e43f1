/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_TRACE_H
#define VSTATE_TRACE_H

/**
 * @file
 * Trace points of the control path, for rte_trace: "--trace=pmd.vdpa.vstate.*". A trace point that
 * is off costs a load. rte_trace keeps 31 characters of a string. No trace point is on the path of
 * a packet.
 */

#include <stdint.h>

#include <rte_trace_point.h>

/** An operation of a device succeeded: "suspend", "capture", "restore" or "resume". */
RTE_TRACE_POINT(
	vstate_trace_operation,
	RTE_TRACE_POINT_ARGS(const char *device, const char *operation, uint64_t duration_ns),
	rte_trace_point_emit_string(device);
	rte_trace_point_emit_string(operation);
	rte_trace_point_emit_u64(duration_ns);
)

/** A message of the front end begins, before it is checked. @p request is vhost-user's number. */
RTE_TRACE_POINT(
	vstate_trace_message,
	RTE_TRACE_POINT_ARGS(const char *device, const char *name, uint32_t request, uint32_t size,
		uint32_t nb_fds),
	rte_trace_point_emit_string(device);
	rte_trace_point_emit_string(name);
	rte_trace_point_emit_u32(request);
	rte_trace_point_emit_u32(size);
	rte_trace_point_emit_u32(nb_fds);
)

/** A message of the front end is refused. */
RTE_TRACE_POINT(
	vstate_trace_message_refused,
	RTE_TRACE_POINT_ARGS(const char *device, const char *name, const char *reason),
	rte_trace_point_emit_string(device);
	rte_trace_point_emit_string(name);
	rte_trace_point_emit_string(reason);
)

/** The guest broke a queue. */
RTE_TRACE_POINT(
	vstate_trace_fault,
	RTE_TRACE_POINT_ARGS(const char *device, uint16_t queue, const char *reason),
	rte_trace_point_emit_string(device);
	rte_trace_point_emit_u16(queue);
	rte_trace_point_emit_string(reason);
)

/** Reasons why the device does not run came or went; none: the device runs. */
RTE_TRACE_POINT(
	vstate_trace_blocks,
	RTE_TRACE_POINT_ARGS(const char *device, uint32_t old_blocks, uint32_t new_blocks),
	rte_trace_point_emit_string(device);
	rte_trace_point_emit_u32(old_blocks);
	rte_trace_point_emit_u32(new_blocks);
)

/** A device passes from one process to another: "owner", "waiting", "failed" or "released". */
RTE_TRACE_POINT(
	vstate_trace_takeover,
	RTE_TRACE_POINT_ARGS(const char *device, const char *phase),
	rte_trace_point_emit_string(device);
	rte_trace_point_emit_string(phase);
)

#endif /* VSTATE_TRACE_H */
