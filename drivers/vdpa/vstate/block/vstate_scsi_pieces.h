/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_SCSI_PIECES_H
#define VSTATE_SCSI_PIECES_H

/**
 * @file
 * Parts of a request's pieces by their offset in bytes: headers are read and written, and data is a
 * window, wherever the driver cut its descriptors.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/** Some bytes of the pieces. The first and the last piece are cut until it is closed. */
struct vstate_scsi_window {
	/** NULL: it is closed. */
	struct iovec *first, *last;
	/** Bytes cut at the beginning of the first piece, and at the end of the last one. */
	size_t head, tail;
};

/** Copy @p len bytes from @p offset on, which the pieces have. */
void vstate_scsi_pieces_read(const struct iovec *iov, uint64_t offset, void *dst, size_t len);
/** Write them. */
void vstate_scsi_pieces_write(const struct iovec *iov, uint64_t offset, const void *src,
		size_t len);
/**
 * Cut the pieces to @p len bytes, at least 1, from @p offset on, which they have.
 * @return number of pieces from w->first on
 */
uint16_t vstate_scsi_window_open(struct vstate_scsi_window *w, struct iovec *iov, uint64_t offset,
		uint64_t len);
/** Make the pieces whole again. */
void vstate_scsi_window_close(struct vstate_scsi_window *w);

#endif /* VSTATE_SCSI_PIECES_H */
