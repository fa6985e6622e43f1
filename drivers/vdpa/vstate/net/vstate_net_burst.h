/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_NET_BURST_H
#define VSTATE_NET_BURST_H

/**
 * @file
 * The burst algorithms, once for both ring layouts. vstate_net_split.c and vstate_net_packed.c
 * define LAYOUT_PACKED as 0 or 1 and include this file by vstate_net_burst_ops.h.
 *
 * One burst, under one lease:
 *
 *	            from the driver                       to the driver
 *	            take                                  fill
 *	look        ring_hint_read()                      vstate_net_mbuf_look()
 *	batch       batch_take()                          batch_put()
 *	  gather      descriptors, checked, prefetched      the same
 *	  copy        buffers to mbufs                      mbufs to buffers
 *	  shadow      a used element each                   a used element each
 *	single      burst_take_rest(): other buffers      burst_put_one(): other frames
 *	  scatter     several pieces, in the window         merge_put(): several buffers
 *	  general     vstate_chain_read()                   vstate_chain_write()
 *	            give                                  flush
 *	rewind      frames that the caller gives back     -
 *	publish     shadow_publish(): used elements, record, dirty log, call
 *
 * A batch ends at the first buffer or frame that is not plain. A take processes all further frames
 * one by one. A put processes one frame and begins the next batch behind it. Buffers in flight of
 * another device are processed one by one only.
 */

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_prefetch.h>

#include "ring/vstate_avail.h"
#include "ring/vstate_publish.h"
#include "vstate_compat.h"
#include "vstate_net_offload.h"

#define HDR_MAX sizeof(struct virtio_net_hdr_mrg_rxbuf)

#include "vstate_net_batch.h"
#include "vstate_net_scatter.h"

/* ---- from the driver ---- */

/* Result for one frame. */
enum take_result {
	TAKE_DONE,		/* copied */
	TAKE_RUNT,		/* dropped, like the next two */
	TAKE_OVERSIZE,
	TAKE_BAD_OFFLOAD,
	TAKE_LATER,		/* out of mbufs */
	TAKE_FAULT,		/* the queue is broken */
};

/* Copy the rest of a chain to a chain of mbufs that begins with @p m. */
static enum take_result
frame_read(struct vstate_net_vq *nq, struct vstate_chain *c, struct rte_mempool *pool,
		struct rte_mbuf *m)
{
	struct vstate_vq *vq = &nq->vq;
	struct rte_mbuf *seg = m, *next;
	int32_t got;

	for (;;) {
		uint32_t room = rte_pktmbuf_tailroom(seg);

		got = vstate_chain_read(vq, c, rte_pktmbuf_mtod(seg, void *), room, LAYOUT_PACKED);
		if (got < 0)
			return TAKE_FAULT;
		seg->data_len = got;
		m->pkt_len += got;
		if ((uint32_t)got < room || (c->len == 0 && !c->more))
			break;
		if (m->pkt_len > VSTATE_MAX_FRAME || nq->linear)
			return vstate_chain_finish(vq, c, LAYOUT_PACKED) ?
				TAKE_OVERSIZE : TAKE_FAULT;
		next = rte_pktmbuf_alloc(pool);
		if (next == NULL)
			return TAKE_LATER;
		seg->next = next;
		seg = next;
		m->nb_segs++;
	}
	/* if only empty descriptors followed, the last mbuf is empty */
	if (seg->data_len == 0 && seg != m) {
		for (next = m; next->next != seg; next = next->next)
			;
		next->next = NULL;
		m->nb_segs--;
		rte_pktmbuf_free_seg(seg);
	}
	if (!vstate_chain_finish(vq, c, LAYOUT_PACKED))
		return TAKE_FAULT;
	return likely(m->pkt_len <= VSTATE_MAX_FRAME) ? TAKE_DONE : TAKE_OVERSIZE;
}

/* Read the header, then the frame as frame_read() does. */
static enum take_result
frame_take_general(struct vstate_net_vq *nq, struct vstate_chain *c, struct rte_mempool *pool,
		struct rte_mbuf *m, struct virtio_net_hdr_mrg_rxbuf *hdr)
{
	struct vstate_vq *vq = &nq->vq;
	int32_t got = vstate_chain_read(vq, c, hdr, nq->hdr_len, LAYOUT_PACKED);

	if (got < 0)
		return TAKE_FAULT;
	if ((uint32_t)got < nq->hdr_len) {
		vstate_vq_break(vq, VSTATE_FAULT_CHAIN_SHORT);
		return TAKE_FAULT;
	}
	return frame_read(nq, c, pool, m);
}

/* Whether a frame, or a segment that it stands for, is longer than the port takes. */
static bool
frame_is_oversize(const struct vstate_net_vq *nq, const struct rte_mbuf *m)
{
	uint32_t segment;

	if (likely(m->pkt_len <= nq->frame_max))
		return false;
	segment = (uint32_t)m->l2_len + m->l3_len + m->l4_len + m->tso_segsz;
	return (m->ol_flags & RTE_MBUF_F_RX_LRO) == 0 || m->pkt_len > nq->lro_max ||
		segment > nq->frame_max;
}

/* Check a frame that was copied, and apply the offloads of its header. */
static vstate_inline enum take_result
frame_check(const struct vstate_net_vq *nq, struct rte_mbuf *m,
		const struct virtio_net_hdr_mrg_rxbuf *hdr)
{
	if (unlikely(m->pkt_len < RTE_ETHER_HDR_LEN || m->data_len < RTE_ETHER_HDR_LEN))
		return TAKE_RUNT;
	if (nq->host_offloads && unlikely((hdr->hdr.flags | hdr->hdr.gso_type) != 0) &&
			!vstate_net_offload_from_header(nq, hdr, m))
		return TAKE_BAD_OFFLOAD;
	if (unlikely(frame_is_oversize(nq, m)))
		return TAKE_OVERSIZE;
	m->port = nq->port_id;
	return TAKE_DONE;
}

/* Copy one frame to a chain of new mbufs. @p pkt is set to the first one, or to NULL. */
static vstate_inline enum take_result
frame_take(struct vstate_net_vq *nq, struct vstate_chain *c, struct rte_mempool *pool,
		struct rte_mbuf **pkt)
{
	struct virtio_net_hdr_mrg_rxbuf hdr;
	enum take_result result;

	*pkt = NULL;
	switch (scatter_read(nq, c, pool, pkt, &hdr)) {
	case SCATTER_DONE:
		return frame_check(nq, *pkt, &hdr);
	case SCATTER_NO_MBUFS:
		return TAKE_LATER;
	case SCATTER_FAULT:
		return TAKE_FAULT;
	default:
		break;
	}
	*pkt = rte_pktmbuf_alloc(pool);
	if (unlikely(*pkt == NULL))
		return TAKE_LATER;
	result = frame_take_general(nq, c, pool, *pkt, &hdr);
	return likely(result == TAKE_DONE) ? frame_check(nq, *pkt, &hdr) : result;
}

/* Take one frame the general way. */
static enum take_result
burst_take_one(struct vstate_net_vq *nq, struct rte_mempool *pool, struct rte_mbuf **pkt)
{
	struct vstate_vq *vq = &nq->vq;
	struct vstate_chain c;
	enum take_result result;

	if (vq->nb_shadow == VSTATE_SHADOW ||
			buf_chain_begin(vq, &c, VSTATE_CHAIN_READABLE, LAYOUT_PACKED) <= 0)
		return TAKE_FAULT;
	result = frame_take(nq, &c, pool, pkt);
	if (likely(result == TAKE_DONE)) {
		buf_dequeue(vq, &c, LAYOUT_PACKED);
		shadow_add(vq, &c, 0);
		return TAKE_DONE;
	}
	rte_pktmbuf_free(*pkt);
	if (result == TAKE_LATER) {
		nq->counters.nombuf++;
	} else if (result != TAKE_FAULT) {
		/* dropped: the buffer is used */
		buf_dequeue(vq, &c, LAYOUT_PACKED);
		shadow_add(vq, &c, result);
		nq->nb_dropped++;
	}
	return result;
}

/* Take frames @p done to @p n of a burst. @return number of frames that the burst has then */
static __rte_noinline uint16_t
burst_take_rest(struct vstate_net_vq *nq, struct rte_mempool *pool, struct rte_mbuf **pkts,
		uint16_t done, uint16_t n)
{
	struct vstate_vq *vq = &nq->vq;
	enum take_result result;
	uint32_t bytes = 0;
	unsigned int i;

	for (i = 0; i < done; i++)
		bytes += nq->taken_len[i];
	vq->nb_steps = 0;
	while (done + nq->nb_dropped < n && bytes < VSTATE_TAKE_BYTES &&
			vq->nb_steps < VSTATE_STEPS) {
		result = burst_take_one(nq, pool, &pkts[done]);
		if (result == TAKE_FAULT || result == TAKE_LATER)
			break;
		if (unlikely(result != TAKE_DONE))
			continue;
		nq->taken_len[done] = pkts[done]->pkt_len;
		bytes += pkts[done]->pkt_len;
		nq->taken[done].avail = vq->avail;
		nq->taken[done].nb_shadow = vq->nb_shadow;
		nq->taken[done].listed = listed_get(vq);
		done++;
	}
	return done;
}

static vstate_inline uint16_t
burst_take(struct vstate_net_vq *nq, struct rte_mempool *pool, struct rte_mbuf **pkts, uint16_t n)
{
	struct vstate_vq *vq = &nq->vq;
	struct vstate_hint begin;
	uint16_t done;

	nq->nb_taken = 0;
	nq->nb_dropped = 0;
	nq->begin = vq->avail;
	if (unlikely(vq->fault != VSTATE_FAULT_NONE))
		return 0;
	n = RTE_MIN(n, VSTATE_BURST);
	done = nq->nb_simple = 0;
	if (likely(vq->inflight == NULL)) {
		if (ring_avail_count(vq, 1, LAYOUT_PACKED) == 0)
			return 0;
		begin = ring_hint_read(vq, LAYOUT_PACKED);
		if (likely(!batch_is_for_others(nq, &begin)))
			done = batch_take(nq, pool, pkts, n, &begin);
	}
	if (done < n)
		done = burst_take_rest(nq, pool, pkts, done, n);
	nq->nb_taken = done;
	return done;
}

/* Set the ring back to the position behind the first @p n frames of the take. */
static void
burst_rewind(struct vstate_net_vq *nq, uint16_t n)
{
	struct vstate_vq *vq = &nq->vq;

	if (n > nq->nb_simple) {
		vq->avail = nq->taken[n - 1].avail;
		vq->nb_shadow = nq->taken[n - 1].nb_shadow;
		listed_set(vq, nq->taken[n - 1].listed);
	} else {
		/* one used element for each frame, from the begin of the take */
		vq->avail = nq->begin;
		ring_avail_skip(vq, shadow_descs(vq, n, LAYOUT_PACKED), LAYOUT_PACKED);
		vq->nb_shadow = n;
		/* batches take no buffers of the list */
		listed_set(vq, unlikely(vq->inflight != NULL) ? vq->inflight->done : 0);
	}
}

/* Count the dropped frames whose buffers are used now. A rewind has removed the others. */
static void
drops_count(struct vstate_net_vq *nq)
{
	struct vstate_vq *vq = &nq->vq;
	unsigned int i;

	for (i = 0; i < vq->nb_shadow; i++) {
		switch (vq->shadow[i].len) {
		case TAKE_RUNT:
			nq->counters.runt++;
			break;
		case TAKE_OVERSIZE:
			nq->counters.oversize++;
			break;
		case TAKE_BAD_OFFLOAD:
			nq->counters.bad_offload++;
			break;
		default:
			break;
		}
		vq->shadow[i].len = 0;
	}
	nq->nb_dropped = 0;
}

/* Count the first @p n frames of the last take. Their buffers are used now. */
static vstate_inline void
take_count(struct vstate_net_vq *nq, uint16_t n)
{
	struct size_run run = { .counters = &nq->counters };
	uint64_t bytes = 0;
	unsigned int i;

	if (likely(n <= nq->nb_simple && nq->simple_alike)) {
		count_alike(nq, nq->taken_len[0], n);
		return;
	}
	for (i = 0; i < n; i++) {
		bytes += nq->taken_len[i];
		size_run_add(&run, nq->taken_len[i]);
	}
	size_run_end(&run);
	nq->counters.packets += n;
	nq->counters.bytes += bytes;
}

static vstate_inline void
burst_give(struct vstate_net_vq *nq, uint16_t n)
{
	struct vstate_vq *vq = &nq->vq;

	/* If all frames are given, the dropped frames behind the last one are given too. */
	if (unlikely(n < nq->nb_taken))
		burst_rewind(nq, n);
	take_count(nq, n);
	nq->nb_taken = 0;
	if (unlikely(nq->nb_dropped != 0))
		drops_count(nq);
	shadow_publish(vq, vq->avail, true, LAYOUT_PACKED);
}

/* ---- to the driver ---- */

/* Result for one frame. */
enum put_result {
	PUT_DONE,	/* copied */
	PUT_LATER,	/* no buffers now, or no room in the shadow */
	PUT_DROP,	/* the driver can never take it */
	PUT_FAULT,	/* the queue is broken */
};

/*
 * Write a header. num_buffers is not known yet: its guest addresses are stored in @p nb_gpa.
 * @return bytes written; -1: fault
 */
static int
header_write(struct vstate_net_vq *nq, struct vstate_chain *c, const void *hdr, uint64_t nb_gpa[2])
{
	struct vstate_vq *vq = &nq->vq;
	const uint8_t *p = hdr;
	uint32_t i;

	if (likely(c->len >= nq->hdr_len)) {
		nb_gpa[0] = c->addr + 10;
		nb_gpa[1] = c->addr + 11;
		return vstate_chain_write(vq, c, p, nq->hdr_len, LAYOUT_PACKED);
	}
	/* A header spread over descriptors is written by bytes, to know the address of each. */
	for (i = 0; i < nq->hdr_len; i++) {
		int32_t ret = vstate_chain_write(vq, c, p + i, 1, LAYOUT_PACKED);

		if (ret <= 0)
			return ret < 0 ? ret : (int)i;
		if (i >= 10)
			nb_gpa[i - 10] = c->addr - 1;
	}
	return nq->hdr_len;
}

/* Write num_buffers, which is known now. */
static bool
header_patch(struct vstate_vq *vq, const uint64_t nb_gpa[2], uint16_t num_buffers)
{
	uint8_t bytes[2] = { num_buffers & 0xff, num_buffers >> 8 };
	uint32_t len;
	uint8_t *p;
	int i;

	for (i = 0; i < 2; i++) {
		len = 1;
		p = vstate_mem_chunk(&vq->win, vq->mem, nb_gpa[i], &len);
		if (p == NULL)
			return vstate_vq_break(vq, VSTATE_FAULT_ADDRESS);
		*p = bytes[i];
		/* again: the first mark may be in the log already, and the page may be sent */
		vstate_vq_dirty(vq, nb_gpa[i], 1);
	}
	return true;
}

/* Number of descriptors of the ring in a finished chain; fewer if some precede its table. */
static vstate_inline uint32_t
ring_descs(const struct vstate_vq *vq, const struct vstate_chain *c)
{
	return LAYOUT_PACKED || c->table_size != 0 ? c->num : (uint32_t)vq->size - c->left;
}

/*
 * Copy one frame to as many buffers as it needs. Nothing is published here. If the frame
 * does not fit, the position of the ring is restored.
 */
static enum put_result
frame_put_general(struct vstate_net_vq *nq, const struct rte_mbuf *m,
		struct virtio_net_hdr_mrg_rxbuf *hdr)
{
	struct vstate_vq *vq = &nq->vq;
	const struct vstate_pos avail = vq->avail;
	const uint16_t nb_shadow = vq->nb_shadow, listed = listed_get(vq);
	const struct rte_mbuf *seg = m;
	uint64_t nb_gpa[2] = { 0, 0 };
	uint32_t seg_off = 0, left = m->pkt_len, descs = 0, steps = vq->nb_steps;
	enum put_result result = PUT_LATER;
	struct vstate_chain c;
	bool first = true;
	int32_t got;
	int ret;

	while (left > 0 || first) {
		uint32_t written = 0;

		if (vq->nb_shadow == VSTATE_SHADOW) {
			/* the frame does not fit an empty shadow, so it never fits */
			if (nb_shadow == 0)
				goto too_small;
			goto undo;
		}
		ret = buf_chain_begin(vq, &c, VSTATE_CHAIN_WRITABLE, LAYOUT_PACKED);
		if (ret <= 0) {
			if (ret < 0)
				result = PUT_FAULT;
			else if (descs >= vq->size)
				goto too_small; /* all descriptors of the ring are taken */
			goto undo;
		}
		if (vq->nb_steps - steps > VSTATE_STEPS)
			goto too_small; /* buffers of mostly empty descriptors */
		if (first) {
			got = header_write(nq, &c, hdr, nb_gpa);
			if (got < 0)
				goto fault;
			if (got < nq->hdr_len) {
				vstate_vq_break(vq, VSTATE_FAULT_CHAIN_SHORT);
				goto fault;
			}
			written = got;
			first = false;
		}
		while (left > 0) {
			uint32_t n = seg->data_len - seg_off;

			got = vstate_chain_write(vq, &c,
					rte_pktmbuf_mtod_offset(seg, const void *, seg_off), n,
					LAYOUT_PACKED);
			if (got < 0)
				goto fault;
			written += got;
			left -= got;
			if ((uint32_t)got < n) {
				seg_off += got;
				break; /* the chain is full */
			}
			seg = seg->next;
			seg_off = 0;
		}
		if (left > 0 && !nq->mergeable)
			goto too_small;
		if (!vstate_chain_finish(vq, &c, LAYOUT_PACKED))
			goto fault;
		if (written == 0) {
			/* a buffer without a byte: the loop would make no progress */
			vstate_vq_break(vq, VSTATE_FAULT_CHAIN_SHORT);
			goto fault;
		}
		buf_dequeue(vq, &c, LAYOUT_PACKED);
		shadow_add(vq, &c, written);
		descs += ring_descs(vq, &c);
	}
	if (vq->nb_shadow - nb_shadow > 1 &&
			!header_patch(vq, nb_gpa, vq->nb_shadow - nb_shadow))
		goto fault;
	return PUT_DONE;

too_small:
	nq->counters.small_buffer++;
	result = PUT_DROP;
	goto undo;
fault:
	result = PUT_FAULT;
undo:
	vq->avail = avail;
	vq->nb_shadow = nb_shadow;
	listed_set(vq, listed);
	return result;
}

/* The common case: one descriptor in the window takes a whole frame of one segment. */
static vstate_inline bool
frame_put_single(struct vstate_net_vq *nq, const struct vstate_chain *c, const struct rte_mbuf *m,
		const struct virtio_net_hdr_mrg_rxbuf *hdr)
{
	struct vstate_vq *vq = &nq->vq;
	uint32_t len = nq->hdr_len + m->pkt_len;
	uint8_t *p;

	if (c->table_size != 0 || c->more || c->len < len || m->nb_segs != 1 ||
			!vstate_window_holds(&vq->win, c->addr, c->len))
		return false;
	p = vstate_window_ptr(&vq->win, c->addr);
	memcpy(p, hdr, 10);
	if (nq->hdr_len == HDR_MAX)
		memcpy(p + 10, &hdr->num_buffers, 2);
	vstate_copy(p + nq->hdr_len, rte_pktmbuf_mtod(m, const void *), m->pkt_len);
	vstate_vq_dirty(vq, c->addr, len);
	return true;
}

static vstate_inline enum put_result
frame_put_plain(struct vstate_net_vq *nq, const struct rte_mbuf *m,
		struct virtio_net_hdr_mrg_rxbuf *hdr)
{
	struct vstate_vq *vq = &nq->vq;
	struct vstate_chain c;
	int ret;

	if (unlikely(vq->nb_shadow == VSTATE_SHADOW))
		return PUT_LATER;
	if (nq->mergeable && vq->inflight == NULL && likely(merge_put(nq, m, hdr)))
		return PUT_DONE;
	ret = buf_chain_begin(vq, &c, VSTATE_CHAIN_WRITABLE, LAYOUT_PACKED);
	if (ret <= 0)
		return ret < 0 ? PUT_FAULT : PUT_LATER;
	if (likely(frame_put_single(nq, &c, m, hdr))) {
		buf_dequeue(vq, &c, LAYOUT_PACKED);
		shadow_add(vq, &c, nq->hdr_len + m->pkt_len);
		return PUT_DONE;
	}
	return frame_put_general(nq, m, hdr);
}

/* Put a frame with offloads. If the frame is shared, its bytes are changed in a copy. */
static enum put_result
frame_put_offload(struct vstate_net_vq *nq, struct rte_mbuf *m,
		struct virtio_net_hdr_mrg_rxbuf *hdr)
{
	struct rte_mbuf *own = vstate_net_offload_own(nq, m);
	enum put_result result = PUT_DROP;

	if (own != NULL && vstate_net_offload_to_header(nq, own, hdr))
		result = frame_put_plain(nq, own, hdr);
	else
		nq->counters.bad_offload++;
	if (own != m)
		rte_pktmbuf_free(own);
	return result;
}

static vstate_inline enum put_result
frame_put(struct vstate_net_vq *nq, struct rte_mbuf *m)
{
	struct virtio_net_hdr_mrg_rxbuf hdr = { .num_buffers = rte_cpu_to_le_16(1) };

	if (unlikely((m->ol_flags & VSTATE_TX_OFFLOADS) != 0))
		return frame_put_offload(nq, m, &hdr);
	return frame_put_plain(nq, m, &hdr);
}

/* Put one frame the general way. If there is no room, publish a long shadow and try again. */
static enum put_result
burst_put_one(struct vstate_net_vq *nq, struct rte_mbuf *m)
{
	struct vstate_vq *vq = &nq->vq;
	enum put_result result = frame_put(nq, m);

	if (unlikely(result == PUT_LATER && vq->nb_shadow > VSTATE_SHADOW / 2)) {
		shadow_publish(vq, vq->avail, true, LAYOUT_PACKED);
		result = frame_put(nq, m);
	}
	return result;
}

/* Put a burst. Publishes only to make room in the shadow. @p look: VSTATE_NET_MBUF_* */
static vstate_inline uint16_t
burst_fill(struct vstate_net_vq *nq, struct rte_mbuf **pkts, uint16_t n, uint8_t look)
{
	struct vstate_vq *vq = &nq->vq;
	enum put_result result;
	uint16_t done = 0, k;

	if (unlikely(vq->fault != VSTATE_FAULT_NONE) || n == 0 ||
			(likely(vq->inflight == NULL) &&
			 ring_avail_count(vq, 1, LAYOUT_PACKED) == 0))
		return 0;
	vq->nb_steps = 0;
	for (;;) {
		k = 0;
		if (likely(vq->inflight == NULL))
			k = batch_put(nq, pkts + done, RTE_MIN(n - done, VSTATE_BURST),
					look);
		done += k;
		if (likely(done == n))
			break;
		result = burst_put_one(nq, pkts[done]);
		if (result == PUT_LATER || result == PUT_FAULT)
			break;
		if (result == PUT_DONE)
			count_alike(nq, pkts[done]->pkt_len, 1);
		if (++done == n || vq->nb_steps > VSTATE_STEPS)
			break;
	}
	return done;
}

#endif /* VSTATE_NET_BURST_H */
