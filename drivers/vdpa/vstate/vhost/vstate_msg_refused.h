/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_MSG_REFUSED_H
#define VSTATE_MSG_REFUSED_H

/**
 * @file
 * Why vhost-user messages of a front end were refused: names, texts and counters of the reasons.
 */

#include <stdint.h>

struct rte_tel_data;

/** Each reason: its constant, its name in telemetry, its text in the log. */
#define VSTATE_MSG_REFUSALS(X) \
	X(NONE, "none", "not refused") \
	X(VERSION, "version", "not a request of version 1") \
	X(UNKNOWN, "unknown", "no such request") \
	X(PAYLOAD_SHORT, "payload_short", "payload too short") \
	X(NOT_OFFERED, "not_offered", "its protocol feature was not negotiated, or is never offered") \
	X(QUEUE_INDEX, "queue_index", "queue index out of range") \
	X(QUEUE_SIZE, "queue_size", "queue size out of range") \
	X(MEM_COUNT, "mem_count", "number of regions out of range") \
	X(MEM_SHORT, "mem_short", "table shorter than its number of regions") \
	X(MEM_FDS, "mem_fds", "not one descriptor for each region") \
	X(MEM_WRAP, "mem_wrap", "region wraps around") \
	X(MEM_FILE, "mem_file", "region is empty or larger than its file") \
	X(MEM_MAP, "mem_map", "region cannot be mapped") \
	X(MEM_OVERLAP, "mem_overlap", "regions overlap") \
	X(LOG_FDS, "log_fds", "dirty log without one descriptor") \
	X(LOG_OFFSET, "log_offset", "dirty log with an offset") \
	X(LOG_FILE, "log_file", "dirty log is empty or larger than its file") \
	X(LOG_MAP, "log_map", "dirty log cannot be mapped") \
	X(INFLIGHT_FDS, "inflight_fds", "in-flight region without one descriptor") \
	X(FDS, "fds", "wrong number of descriptors") \
	X(CONFIG, "config", "config space longer than its payload, or out of range") \
	X(FEATURES, "features", "features that were not offered") \
	X(RTE_VHOST, "rte_vhost", "rte_vhost refused it, and logs the reason")

enum vstate_msg_refusal {
#define VSTATE_MSG_REFUSAL_ENUM(constant, name, text) VSTATE_MSG_R_##constant,
	VSTATE_MSG_REFUSALS(VSTATE_MSG_REFUSAL_ENUM)
#undef VSTATE_MSG_REFUSAL_ENUM
	VSTATE_MSG_R_MAX
};

/** The name of a reason as telemetry shows it; "unknown" for a number out of range. */
const char *vstate_msg_refused_name(enum vstate_msg_refusal reason);
/** The text of a reason as the log shows it; "unknown reason" for a number out of range. */
const char *vstate_msg_refused_text(enum vstate_msg_refusal reason);

/** Counters of refusals since the device was created. Any thread may read them. */
struct vstate_msg_refused {
	uint64_t by_reason[VSTATE_MSG_R_MAX];
};

/** Count one refusal. Called by the thread that serves the front end. */
void vstate_msg_refused_count(struct vstate_msg_refused *refused, enum vstate_msg_refusal reason);
/** Messages refused for @p reason. Any thread. */
uint64_t vstate_msg_refused_get(const struct vstate_msg_refused *refused,
		enum vstate_msg_refusal reason);
/** Add refused_REASON to a dictionary for each counter that is not 0. Any thread. */
void vstate_msg_refused_telemetry(const struct vstate_msg_refused *refused,
		struct rte_tel_data *d);

#endif /* VSTATE_MSG_REFUSED_H */
