/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include <rte_common.h>

#include "vstate_scsi_pieces.h"

void
vstate_scsi_pieces_read(const struct iovec *iov, uint64_t offset, void *dst, size_t len)
{
	uint8_t *to = dst;
	size_t part;

	for (; len > 0 && offset >= iov->iov_len; iov++)
		offset -= iov->iov_len;
	for (; len > 0; iov++, offset = 0, to += part, len -= part) {
		part = RTE_MIN(len, iov->iov_len - offset);
		memcpy(to, RTE_PTR_ADD(iov->iov_base, offset), part);
	}
}

void
vstate_scsi_pieces_write(const struct iovec *iov, uint64_t offset, const void *src, size_t len)
{
	const uint8_t *from = src;
	size_t part;

	for (; len > 0 && offset >= iov->iov_len; iov++)
		offset -= iov->iov_len;
	for (; len > 0; iov++, offset = 0, from += part, len -= part) {
		part = RTE_MIN(len, iov->iov_len - offset);
		memcpy(RTE_PTR_ADD(iov->iov_base, offset), from, part);
	}
}

uint16_t
vstate_scsi_window_open(struct vstate_scsi_window *w, struct iovec *iov, uint64_t offset,
		uint64_t len)
{
	uint16_t nb = 1;

	for (; offset >= iov->iov_len; iov++)
		offset -= iov->iov_len;
	w->first = iov;
	w->head = offset;
	iov->iov_base = RTE_PTR_ADD(iov->iov_base, offset);
	iov->iov_len -= offset;
	for (; len > iov->iov_len; iov++, nb++)
		len -= iov->iov_len;
	w->last = iov;
	w->tail = iov->iov_len - len;
	iov->iov_len = len;
	return nb;
}

void
vstate_scsi_window_close(struct vstate_scsi_window *w)
{
	if (w->first == NULL)
		return;
	w->last->iov_len += w->tail;
	w->first->iov_base = RTE_PTR_SUB(w->first->iov_base, w->head);
	w->first->iov_len += w->head;
	w->first = NULL;
}
