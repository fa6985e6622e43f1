/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_NET_SCATTER_H
#define VSTATE_NET_SCATTER_H

/**
 * @file
 * Frames of several descriptors or several mbufs: jumbo frames, and frames that the device has to
 * segment. If a buffer is completely in the queue's window, its pieces are read and checked first,
 * and its mbufs are taken at once. Then only the copy is left. The general code of
 * vstate_net_burst.h reads any other buffer again.
 *
 * Included by vstate_net_burst.h.
 */

#include "vstate_compat.h"
#include "vstate_net_batch.h"
#include "ring/vstate_chain.h"
#include "vstate_net_mbuf.h"

/* Pieces of a header and of 64 KB in pages, with any alignment. */
#define SCATTER_PIECES 32
/* Mbufs of the usual size for 64 KB. */
#define SCATTER_MBUFS 40

/* Contiguous pieces of one buffer. None is empty, except one that had only the header. */
struct scatter {
	const uint8_t *p[SCATTER_PIECES];
	uint32_t len[SCATTER_PIECES];
	uint16_t nb;
	uint64_t bytes;
};

enum scatter_result {
	SCATTER_DONE,		/* copied */
	SCATTER_OTHER,		/* nothing has changed; the general code must read it */
	SCATTER_NO_MBUFS,
	SCATTER_FAULT,		/* the queue is broken */
};

/* Walk to the end of a chain of up to SCATTER_PIECES descriptors. */
static vstate_inline enum scatter_result
scatter_gather(struct vstate_vq *vq, struct vstate_chain *c, struct scatter *s)
{
	unsigned int i;

	s->nb = 0;
	s->bytes = 0;
	for (i = 0; i < SCATTER_PIECES; i++) {
		if (likely(c->len > 0)) {
			if (!vstate_window_holds(&vq->win, c->addr, c->len))
				return SCATTER_OTHER;
			s->p[s->nb] = vstate_window_ptr(&vq->win, c->addr);
			s->len[s->nb++] = c->len;
			s->bytes += c->len;
		}
		if (!c->more)
			return SCATTER_DONE;
		if (!vstate_chain_step(vq, c, LAYOUT_PACKED))
			return SCATTER_FAULT;
	}
	return SCATTER_OTHER;
}

/* Copy the header and remove it from the first piece. False: it is not in one piece. */
static vstate_inline bool
scatter_header(struct scatter *s, struct virtio_net_hdr_mrg_rxbuf *hdr, const uint32_t hdr_len)
{
	if (unlikely(s->nb == 0 || s->len[0] < hdr_len))
		return false;
	memcpy(hdr, s->p[0], hdr_len);
	s->p[0] += hdr_len;
	s->len[0] -= hdr_len;
	s->bytes -= hdr_len;
	return true;
}

/* Link mbufs of @p room bytes each to one frame of @p len bytes. */
static vstate_inline void
scatter_chain(struct rte_mbuf *const *segs, uint16_t nb, uint32_t room, uint32_t len,
		const mbuf_words *empty)
{
	uint32_t left = len;
	uint16_t k;

	for (k = 0; k < nb; k++, left -= room) {
		mbuf_set(segs[k], empty, RTE_MIN(left, room));
		if (k > 0)
			segs[k - 1]->next = segs[k];
	}
	segs[0]->nb_segs = nb;
	segs[0]->pkt_len = len;
}

/* Copy the pieces to the mbufs, each part that is contiguous on both sides at once. */
static vstate_inline void
scatter_copy(const struct scatter *s, struct rte_mbuf *const *segs, const uint32_t room)
{
	uint8_t *dst = rte_pktmbuf_mtod(segs[0], uint8_t *);
	uint32_t left = s->bytes, free = room, len = s->len[0], n;
	const uint8_t *p = s->p[0];
	uint16_t i = 0;

	for (; left > 0; left -= n) {
		/* the first piece is empty if it had only the header */
		if (len == 0) {
			p = s->p[++i];
			len = s->len[i];
		}
		if (free == 0) {
			segs++;
			dst = rte_pktmbuf_mtod(*segs, uint8_t *);
			free = room;
		}
		n = RTE_MIN(len, free);
		vstate_copy(dst, p, n);
		p += n;
		len -= n;
		dst += n;
		free -= n;
	}
}

/* Copy a chain to new mbufs and its header to @p hdr. @p pkt is set to the first mbuf. */
static __rte_noinline enum scatter_result
scatter_read(struct vstate_net_vq *nq, struct vstate_chain *c, struct rte_mempool *pool,
		struct rte_mbuf **pkt, struct virtio_net_hdr_mrg_rxbuf *hdr)
{
	struct vstate_vq *vq = &nq->vq;
	const uint32_t room = rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM;
	struct rte_mbuf *segs[SCATTER_MBUFS];
	enum scatter_result result;
	struct vstate_chain walk = *c;
	mbuf_words empty;
	struct scatter s;
	uint32_t nb;

	result = scatter_gather(vq, &walk, &s);
	if (unlikely(result != SCATTER_DONE))
		return result;
	if (unlikely(!scatter_header(&s, hdr, nq->hdr_len) || s.bytes < RTE_ETHER_HDR_LEN ||
			s.bytes > VSTATE_MAX_FRAME || room < RTE_ETHER_HDR_LEN))
		return SCATTER_OTHER;
	nb = ((uint32_t)s.bytes + room - 1) / room;
	if (unlikely(nb > SCATTER_MBUFS || (nb > 1 && nq->linear)))
		return SCATTER_OTHER;
	if (unlikely(!vstate_net_mbuf_get(pool, segs, nb)))
		return SCATTER_NO_MBUFS;
	mbuf_words_make(&empty, nq, pool);
	scatter_chain(segs, nb, room, s.bytes, &empty);
	scatter_copy(&s, segs, room);
	*pkt = segs[0];
	*c = walk;
	return SCATTER_DONE;
}

#endif /* VSTATE_NET_SCATTER_H */
