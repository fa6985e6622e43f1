/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_SINK_H
#define VHOST_STATE_SINK_H

/**
 * @file
 * Where encoded bytes go: through a buffer to a descriptor, into memory, or nowhere.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A sink belongs to one thread. All fields not set by its owner are zero at first. */
struct vhost_state_sink {
	/** Buffer of @p size bytes, of which @p used are filled. NULL: bytes are only counted. */
	uint8_t *buf;
	size_t size, used;
	/**
	 * Empty the buffer. Returns 0, or -errno, after which no byte is written any more.
	 * NULL: the buffer is large enough for all bytes.
	 */
	int (*flush)(struct vhost_state_sink *sink);
	/** Descriptor for @p flush. */
	int fd;
	/** Result of the first flush that failed, -errno. */
	int error;
	/** Number of bytes put so far. */
	uint64_t total;
	/** Whether @p crc, the checksum of the bytes put so far, is computed. */
	bool sum;
	uint32_t crc;
};

/** Put @p len bytes into @p sink. An error is kept in the sink and not returned. */
void vhost_state_sink_put(struct vhost_state_sink *sink, const void *bytes, size_t len);

/** Write what the buffer holds. An error is kept in the sink and not returned. */
void vhost_state_sink_flush(struct vhost_state_sink *sink);

#endif /* VHOST_STATE_SINK_H */
