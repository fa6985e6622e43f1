/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_mbuf.h>

#include "fuzz_ring_check.h"
#include "ring/vstate_inflight.h"
#include "ring/vstate_lease.h"

#define LONGEST 70000
#define F_AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define F_USED (1u << VRING_PACKED_DESC_F_USED)

static struct fuzz_view view;
static uint8_t memory[65536], read_back[LONGEST];

/* A buffer that the driver got back. */
struct used {
	uint16_t id;
	uint32_t len;
};

static void
hash_add(struct fuzz_run *r, const void *bytes, uint32_t len)
{
	const uint8_t *p = bytes;

	for (; len > 0; len--)
		r->hash = (r->hash ^ *p++) * 0x100000001b3ull;
}

void
fuzz_burst_begin(struct fuzz_run *r)
{
	const struct vstate_vq *vq = &r->nq.vq;
	const uint16_t room = r->d.packed ?
		(vq->avail.wrap == vq->used.wrap ? vq->size : 0) + vq->used.idx - vq->avail.idx :
		vq->size - (uint16_t)(vq->avail.idx - vq->used.idx);

	r->used = vq->used;
	r->counters = r->nq.counters;
	r->was_listed = vq->inflight != NULL;
	view.nb = view.nb_offered = 0;
	view.tangled = view.cut = true;
	if (!r->race)
		fuzz_driver_view(&r->d, vq->avail.idx, vq->avail.wrap, room, &view);
	r->tangled |= view.tangled;
	fuzz_guest_snapshot();
	if (vq->dirty.base != NULL)
		memset(vq->dirty.base, 0, FUZZ_LOG_SIZE);
}

/* ---- what the driver sees ---- */

/* Number of buffers that were published, or of descriptors of them (packed). */
static uint16_t
published(const struct fuzz_run *r)
{
	const struct vstate_vq *vq = &r->nq.vq;

	if (!r->d.packed)
		return vq->used.idx - r->used.idx;
	return vq->used.idx - r->used.idx + (vq->used.wrap != r->used.wrap ? vq->size : 0);
}

/* The used buffer at a position of the ring. */
static struct used
used_get(const struct fuzz_run *r, uint16_t idx)
{
	struct used u = { 0 };
	uint32_t id;
	uint16_t flags;

	if (r->d.packed) {
		const uint64_t gpa = fuzz_guest.areas[FUZZ_DESC].gpa + 16ull * idx;

		fuzz_guest_read(gpa + 8, &u.len, 4);
		fuzz_guest_read(gpa + 12, &u.id, 2);
		fuzz_guest_read(gpa + 14, &flags, 2);
		if ((flags & VRING_DESC_F_WRITE) == 0)
			u.len = 0;
	} else {
		const uint64_t gpa = fuzz_guest.areas[FUZZ_DEVICE].gpa + 4 +
			8ull * (idx % r->d.size);

		fuzz_guest_read(gpa, &id, 4);
		fuzz_guest_read(gpa + 4, &u.len, 4);
		fuzz_require(id < r->d.size, "a used element has a head of the ring");
		u.id = id;
	}
	return u;
}

/* Whether a used descriptor shows to the driver. */
static bool
used_shows(const struct fuzz_run *r, uint16_t idx, uint8_t wrap)
{
	uint16_t flags;

	fuzz_guest_read(fuzz_guest.areas[FUZZ_DESC].gpa + 16ull * idx + 14, &flags, 2);
	RTE_SET_USED(r);
	return !!(flags & F_AVAIL) == wrap && !!(flags & F_USED) == wrap;
}

/* The used buffers are those of the model, in order. @return their number */
static uint16_t
used_check(struct fuzz_run *r, struct used *used)
{
	const uint16_t n = published(r);
	uint16_t idx = r->used.idx, done = 0, i;
	uint8_t wrap = r->used.wrap;

	for (i = 0; done < n && i < view.nb; i++) {
		used[i] = used_get(r, idx);
		fuzz_require(used[i].id == view.bufs[i].id, "buffers are used in order");
		fuzz_require(used[i].len <= view.bufs[i].bytes,
				"no more is used than the buffer has");
		fuzz_require(!r->d.packed || used_shows(r, idx, wrap), "the driver sees it used");
		done += view.bufs[i].num;
		idx += view.bufs[i].num;
		if (r->d.packed && idx >= r->d.size) {
			idx -= r->d.size;
			wrap = !wrap;
		}
	}
	fuzz_require(done == n || view.cut, "only whole buffers are used");
	return done == n ? i : 0;
}

/* ---- frames from the driver ---- */

static void
frame_hash(struct fuzz_run *r, const struct rte_mbuf *m)
{
	const uint64_t fields[] = { m->pkt_len, m->ol_flags, m->packet_type, m->nb_segs, m->port,
		m->ol_flags & RTE_MBUF_F_RX_LRO ? m->tso_segsz : 0 };
	uint32_t len = 0;

	hash_add(r, fields, sizeof(fields));
	for (; m != NULL; m = m->next) {
		fuzz_require(m->data_off + m->data_len <= m->buf_len, "data is in its mbuf");
		hash_add(r, rte_pktmbuf_mtod(m, const void *), m->data_len);
		len += m->data_len;
	}
	fuzz_require(len == fields[0], "pkt_len is the sum of the segments");
}

/* The frame has the bytes of the buffer behind the header. */
static bool
frame_is_of(const struct fuzz_run *r, const struct rte_mbuf *m, const struct fuzz_buf *b)
{
	uint8_t flags;

	if (b->bytes != (uint64_t)m->pkt_len + r->d.hdr_len || m->pkt_len > LONGEST ||
			!fuzz_buf_read(b, r->d.hdr_len, read_back, m->pkt_len))
		return false;
	/* the device may complete the checksum at the place that the driver names */
	if (r->nq.host_offloads && fuzz_buf_read(b, 0, &flags, 1) &&
			(flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return true;
	return memcmp(rte_pktmbuf_read(m, 0, m->pkt_len, read_back + LONGEST / 2), read_back,
			m->pkt_len) == 0;
}

void
fuzz_taken_check(struct fuzz_run *r, struct rte_mbuf *const *pkts, uint16_t n, uint16_t back)
{
	uint16_t i, at = 0;

	for (i = 0; i < n; i++) {
		fuzz_require(pkts[i]->pkt_len >= RTE_ETHER_HDR_LEN &&
				pkts[i]->data_len >= RTE_ETHER_HDR_LEN, "a frame has its header");
		fuzz_require(pkts[i]->pkt_len <= VSTATE_MAX_FRAME, "a frame is not too long");
		if (i < back)
			frame_hash(r, pkts[i]);
		if (view.cut || r->was_listed || pkts[i]->pkt_len > LONGEST / 2)
			continue;
		while (at < view.nb && !frame_is_of(r, pkts[i], &view.bufs[at]))
			at++;
		fuzz_require(at < view.nb, "a frame has the bytes of its buffer");
		at++;
	}
	r->frames += back;
}

/* ---- frames to the driver ---- */

static bool
frame_is(const struct rte_mbuf *m, const uint8_t *bytes, uint32_t len)
{
	if (m->pkt_len != len)
		return false;
	for (; m != NULL; bytes += m->data_len, m = m->next) {
		if (memcmp(rte_pktmbuf_mtod(m, const void *), bytes, m->data_len) != 0)
			return false;
	}
	return true;
}

/* Read one frame from used buffers. @return number of buffers; 0: the frame is too long here */
static uint16_t
frame_read_back(const struct fuzz_run *r, const struct used *used, uint16_t at, uint16_t n,
		uint32_t *len)
{
	uint16_t num = 1, i;
	uint32_t off = 0;

	fuzz_require(used[at].len >= r->d.hdr_len, "a buffer begins with a header");
	if (r->d.hdr_len == 12) {
		fuzz_require(fuzz_buf_read(&view.bufs[at], 10, &num, 2), "the header is written");
		num = rte_le_to_cpu_16(num);
	}
	fuzz_require(num >= 1 && at + num <= n, "all buffers of a frame are used");
	fuzz_require(num == 1 || r->nq.mergeable, "one buffer for each frame");
	for (i = 0; i < num; i++) {
		if (off + used[at + i].len > LONGEST)
			return 0;
		fuzz_require(fuzz_buf_read(&view.bufs[at + i], 0, read_back + off,
				used[at + i].len), "a used buffer is the guest's");
		off += used[at + i].len;
	}
	*len = off - r->d.hdr_len;
	return num;
}

void
fuzz_put_check(struct fuzz_run *r, struct rte_mbuf *const *pkts, uint16_t n)
{
	struct used used[FUZZ_BUFS];
	uint16_t nb, at, num, i = 0, done = 0, p;
	uint32_t len;

	r->frames += r->nq.counters.packets - r->counters.packets;
	if (r->was_listed || view.tangled)
		return;
	nb = used_check(r, used);
	for (at = 0; at < nb; at += num, done++) {
		num = frame_read_back(r, used, at, nb, &len);
		if (num == 0) {
			view.cut = true;
			return;
		}
		/* frames between were dropped */
		for (; i < n && !frame_is(pkts[i], read_back + r->d.hdr_len, len); i++)
			;
		fuzz_require(i++ < n, "the driver gets the frames, in order");
	}
	fuzz_require(view.cut || done == r->nq.counters.packets - r->counters.packets,
			"frames are counted");
	for (p = 0; p < view.nb_offered; p++) {
		for (i = 0; i < view.bufs[p].nb_pieces; i++)
			fuzz_guest_allow(view.bufs[p].pieces[i].gpa, view.bufs[p].pieces[i].len);
	}
}

/* ---- after a burst ---- */

static uint64_t
dropped(const struct vstate_net_vq_counters *c)
{
	return c->runt + c->oversize + c->bad_offload;
}

static void
taken_published_check(struct fuzz_run *r)
{
	struct used used[FUZZ_BUFS];
	uint16_t i, n;

	if (view.cut || r->was_listed)
		return;
	n = used_check(r, used);
	for (i = 0; i < n; i++)
		fuzz_require(used[i].len == 0, "nothing is written to a readable buffer");
	fuzz_require(n == r->nq.counters.packets - r->counters.packets +
			dropped(&r->nq.counters) - dropped(&r->counters),
			"each used buffer is a frame, or counted as dropped");
}

/* Apart from the ring itself the device wrote to no byte that the driver did not offer. */
static void
writes_check(struct fuzz_run *r)
{
	const struct vstate_vq *vq = &r->nq.vq;

	if (vq->dirty.base != NULL)
		fuzz_guest_require_logged();
	if (r->put && (view.tangled || view.cut || r->was_listed))
		return;
	/* the used ring, or the used descriptors */
	fuzz_guest_allow(r->d.packed ? vq->desc_addr : vq->device_addr,
			r->d.packed ? 16 * vq->size : 6 + 8 * vq->size);
	fuzz_guest_require_unchanged("the device writes where the driver allows it");
}

void
fuzz_burst_end(struct fuzz_run *r)
{
	const struct vstate_vq *vq = &r->nq.vq;
	uint16_t idx;

	fuzz_require(vq->nb_shadow == 0, "everything is published");
	fuzz_require(published(r) <= vq->size, "no more is used than the ring has");
	if (r->d.packed) {
		fuzz_require(vq->avail.idx < vq->size && vq->used.idx < vq->size &&
				vq->avail.wrap <= 1 && vq->used.wrap <= 1, "positions are in the ring");
	} else if (!r->race && !view.tangled && published(r) > 0) {
		fuzz_guest_read(fuzz_guest.areas[FUZZ_DEVICE].gpa + 2, &idx, 2);
		fuzz_require(rte_le_to_cpu_16(idx) == vq->used.idx, "the driver sees the index");
	}
	if (vq->inflight == NULL)
		fuzz_require(vq->avail.idx == vq->used.idx && vq->avail.wrap == vq->used.wrap,
				"no buffer is held");
	if (!r->put)
		taken_published_check(r);
	writes_check(r);
}

void
fuzz_stop_check(struct fuzz_run *r)
{
	struct vstate_vq *vq = &r->nq.vq;
	const uint16_t left = vstate_inflight_count(vq);
	uint16_t num = left, i;

	vstate_lease_grant(&vq->lease);
	fuzz_require(vstate_lease_take(&vq->lease), "a poll thread enters");
	vstate_lease_give(&vq->lease);
	vstate_lease_revoke(&vq->lease);
	fuzz_require(!vstate_lease_is_inside(&vq->lease), "no poll thread is inside");
	fuzz_require(left <= r->listed, "buffers in flight become fewer");
	if (vq->inflight != NULL && r->d.packed)
		for (i = vq->inflight->done, num = 0; i < vq->inflight->nb; i++)
			num += vq->inflight->bufs[i].num;
	fuzz_require(r->d.packed ? (vq->used.idx + num) % vq->size == vq->avail.idx :
			(uint16_t)(vq->used.idx + num) == vq->avail.idx,
			"available - used = buffers in flight");
	fuzz_require(vq->inflight_head == &vq->own_head, "the record is the queue's");
}

/* ---- two runs ---- */

void
fuzz_memory_keep(void)
{
	int i;

	for (i = 0; i < FUZZ_AREAS; i++)
		memcpy(memory + (fuzz_guest.areas[i].hva - fuzz_guest.areas[0].hva),
				fuzz_guest.areas[i].hva, fuzz_guest.areas[i].size);
}

void
fuzz_runs_same(const struct fuzz_run *a, const struct fuzz_run *b)
{
	int i;

	if (a->tangled && a->put)
		return;
	fuzz_require(a->hash == b->hash && a->frames == b->frames,
			"all instruction sets take the same frames");
	fuzz_require(a->nq.vq.fault == b->nq.vq.fault, "all find the same fault");
	fuzz_require(memcmp(&a->nq.counters, &b->nq.counters, sizeof(a->nq.counters)) == 0,
			"all count the same");
	fuzz_require(a->nq.vq.avail.idx == b->nq.vq.avail.idx &&
			a->nq.vq.used.idx == b->nq.vq.used.idx, "all stop at one position");
	for (i = 0; i < FUZZ_AREAS; i++)
		fuzz_require(memcmp(memory + (fuzz_guest.areas[i].hva - fuzz_guest.areas[0].hva),
				fuzz_guest.areas[i].hva, fuzz_guest.areas[i].size) == 0,
				"all write the same to the guest's memory");
}
