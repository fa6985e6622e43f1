/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_PRIVATE_H
#define VHOST_STATE_PRIVATE_H

/**
 * @file
 * What the files of the library share.
 *
 * Refusals have two steps. Inner functions *fault*: they fill an error and return its -errno.
 * The public function that was called *reports* once at its end: it counts, logs and hands the
 * error to the caller. Thus an inner function can add what it knows (an offset) before anyone
 * reads the error, and one refusal counts once.
 */

#include <rte_bitops.h>

#include "rte_vhost_state.h"

/* VIRTIO_F_RING_PACKED, the only feature that changes what a field means. */
#define VHOST_STATE_F_RING_PACKED	34

/*
 * VHOST_F_LOG_ALL and VHOST_USER_F_PROTOCOL_FEATURES travel in the feature words of vhost
 * messages, but are an agreement of front end and back end, not of driver and device. A move
 * switches the first on at the source only. They take no part in comparisons.
 */
#define VHOST_STATE_F_TRANSPORT (RTE_BIT64(26) | RTE_BIT64(30))

/* ---- vhost_state_reason.c ---- */

/** Fill @p e and return the -errno of @p reason. Counts nothing. */
int vhost_state_fault(struct rte_vhost_state_error *e, enum rte_vhost_state_reason reason, int vq,
		int64_t offset, uint64_t expected, uint64_t found);

/** Set @p e to "no error". */
void vhost_state_no_error(struct rte_vhost_state_error *e);

/** Count and log @p e if it is a refusal, copy it to @p err (may be NULL), return its -errno. */
int vhost_state_report(struct rte_vhost_state_error *err, const struct rte_vhost_state_error *e);

/* ---- vhost_state_validate.c ---- */

/** rte_vhost_state_validate() without the report; fills @p e only if it refuses. */
int vhost_state_check(const struct rte_vhost_state *st, struct rte_vhost_state_error *e);

/** Check that @p device_id is a class that the library knows; @p offset is for the error. */
int vhost_state_check_class(uint16_t device_id, int64_t offset, struct rte_vhost_state_error *e);

/* ---- vhost_state_encode.c ---- */

/** Where encoded bytes go: through @p buf, which @p flush empties, or nowhere (buf NULL). */
struct vhost_state_sink {
	uint8_t *buf;
	size_t size, used;
	/** Empty the buffer; 0 or -errno, which ends all writing. NULL: it is large enough. */
	int (*flush)(struct vhost_state_sink *sink);
	/** For @p flush. */
	int fd;
	/** Result of the first flush that failed. */
	int error;
	/** Bytes put so far, and their checksum if @p sum is set. */
	uint64_t total;
	bool sum;
	uint32_t crc;
};

void vhost_state_sink_put(struct vhost_state_sink *sink, const void *bytes, size_t len);

/** Encode a valid state into @p sink, flushed to the end; the sink's error. */
int vhost_state_emit(const struct rte_vhost_state *st, struct vhost_state_sink *sink);

/* ---- vhost_state_decode.c ---- */

/** rte_vhost_state_decode() without the report; NULL with the reason in @p e. */
struct rte_vhost_state *vhost_state_parse(const uint8_t *buf, size_t len,
		struct rte_vhost_state_error *e);

/**
 * Check the header at the start of @p buf and read it.
 * @param total written: length of the whole state
 */
int vhost_state_parse_header(const uint8_t *buf, size_t len, uint32_t *total,
		struct rte_vhost_state_error *e);

#endif /* VHOST_STATE_PRIVATE_H */
