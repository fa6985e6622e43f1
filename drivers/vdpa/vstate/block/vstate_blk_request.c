/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include <linux/virtio_blk.h>

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_common.h>

#include <vstate_compat.h>

#include "vstate_blk_request.h"
#include "vstate_blk_vq.h"

#define HDR_SIZE sizeof(struct virtio_blk_outhdr)

/* Bytes of one range of DISCARD and WRITE_ZEROES. */
#define RANGE_SIZE sizeof(struct virtio_blk_discard_write_zeroes)

/* The result of a check: what the driver gets, or -1 for "no objection". */
#define FINE (-1)

/* ---- pieces ---- */

/*
 * Copy @p len bytes from the beginning of @p iov, which has them.
 * @return pieces that are read whole; what is left of the next one is cut at its beginning
 */
static uint16_t
pieces_read(struct iovec *iov, void *dst, size_t len)
{
	uint16_t n = 0;
	size_t part;
	uint8_t *to;

	for (to = dst; len > 0; to += part, len -= part) {
		part = RTE_MIN(len, iov[n].iov_len);
		memcpy(to, iov[n].iov_base, part);
		iov[n].iov_base = RTE_PTR_ADD(iov[n].iov_base, part);
		iov[n].iov_len -= part;
		if (iov[n].iov_len == 0)
			n++;
	}
	return n;
}

/* Copy up to @p len bytes to the pieces, and zeros behind them. */
static void
pieces_write(const struct iovec *iov, uint16_t nb, const char *src, size_t len)
{
	size_t part;
	uint16_t i;

	for (i = 0; i < nb; i++, src += part, len -= part) {
		part = RTE_MIN(len, iov[i].iov_len);
		memcpy(iov[i].iov_base, src, part);
		memset(RTE_PTR_ADD(iov[i].iov_base, part), 0, iov[i].iov_len - part);
	}
}

/* The last byte of the writable part is the status; what is before it is data. */
static void
status_split(struct vstate_blk_req *req)
{
	struct vstate_request *ring = &req->ring;
	struct iovec *last = &ring->pieces[ring->nb_readable + ring->nb_writable - 1];

	last->iov_len--;
	req->shortened = last;
	req->status = RTE_PTR_ADD(last->iov_base, last->iov_len);
	req->io.iov = &ring->pieces[ring->nb_readable];
	req->io.nb_iov = ring->nb_writable - (last->iov_len == 0);
	req->io.len = ring->writable_bytes - 1;
}

/* ---- checks ---- */

static int
range_check(const struct vstate_blk_store *store, uint64_t sector, uint64_t len)
{
	const uint64_t size = rte_atomic_load_explicit(&store->size, rte_memory_order_relaxed);
	const uint64_t capacity = size / VSTATE_BLK_SECTOR;

	if (unlikely(len % store->blk_size != 0 || sector > capacity ||
			len / VSTATE_BLK_SECTOR > capacity - sector ||
			sector * VSTATE_BLK_SECTOR % store->blk_size != 0))
		return VIRTIO_BLK_S_IOERR;
	return FINE;
}

static int
pieces_check(const struct vstate_blk_io *io)
{
	uint16_t i;

	if (unlikely(io->nb_iov > VSTATE_BLK_MAX_IOV))
		return VIRTIO_BLK_S_IOERR;
	for (i = 0; i < io->nb_iov; i++) {
		if (unlikely(io->iov[i].iov_len > VSTATE_BLK_SIZE_MAX))
			return VIRTIO_BLK_S_IOERR;
	}
	return FINE;
}

static int
read_check(struct vstate_blk_req *req, const struct vstate_blk_rules *rules, uint64_t sector)
{
	int ret;

	if (unlikely(req->ring.readable_bytes != HDR_SIZE))
		return VIRTIO_BLK_S_IOERR;
	ret = range_check(rules->store, sector, req->io.len);
	if (ret == FINE)
		ret = pieces_check(&req->io);
	req->io.op = VSTATE_BLK_READ;
	req->io.offset = sector * VSTATE_BLK_SECTOR;
	return ret;
}

/* @param first pieces that the header filled */
static int
write_check(struct vstate_blk_req *req, const struct vstate_blk_rules *rules, uint64_t sector,
		uint16_t first)
{
	int ret;

	if (unlikely(rules->store->ro || req->ring.writable_bytes != 1))
		return VIRTIO_BLK_S_IOERR;
	req->io.iov = &req->ring.pieces[first];
	req->io.nb_iov = req->ring.nb_readable - first;
	req->io.len = req->ring.readable_bytes - HDR_SIZE;
	ret = range_check(rules->store, sector, req->io.len);
	if (ret == FINE)
		ret = pieces_check(&req->io);
	req->io.op = VSTATE_BLK_WRITE;
	req->io.stable = rules->write_through;
	req->io.offset = sector * VSTATE_BLK_SECTOR;
	return ret;
}

static int
zeroes_check(struct vstate_blk_req *req, const struct vstate_blk_rules *rules, uint16_t first,
		bool discard)
{
	struct virtio_blk_discard_write_zeroes range;
	uint32_t sectors, flags;
	uint64_t sector;

	if (discard ? !rules->discard : !rules->write_zeroes)
		return VIRTIO_BLK_S_UNSUPP;
	if (rules->store->ro || req->ring.writable_bytes != 1 ||
			req->ring.readable_bytes != HDR_SIZE + RANGE_SIZE)
		return VIRTIO_BLK_S_IOERR;
	pieces_read(&req->ring.pieces[first], &range, RANGE_SIZE);
	sector = rte_le_to_cpu_64(range.sector);
	sectors = rte_le_to_cpu_32(range.num_sectors);
	flags = rte_le_to_cpu_32(range.flags);
	if (flags & ~(discard ? 0 : VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP))
		return VIRTIO_BLK_S_UNSUPP;
	if (sectors == 0 || sectors > VSTATE_BLK_RANGE_MAX)
		return VIRTIO_BLK_S_IOERR;
	req->io.op = discard ? VSTATE_BLK_DISCARD : VSTATE_BLK_WRITE_ZEROES;
	req->io.unmap = flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;
	req->io.stable = rules->write_through;
	req->io.nb_iov = 0;
	req->io.offset = sector * VSTATE_BLK_SECTOR;
	req->io.len = (uint64_t)sectors * VSTATE_BLK_SECTOR;
	return range_check(rules->store, sector, req->io.len);
}

static int
flush_check(struct vstate_blk_req *req, const struct vstate_blk_rules *rules)
{
	if (!rules->flush)
		return VIRTIO_BLK_S_UNSUPP;
	if (req->ring.writable_bytes != 1 || req->ring.readable_bytes != HDR_SIZE)
		return VIRTIO_BLK_S_IOERR;
	req->io.op = VSTATE_BLK_FLUSH;
	req->io.nb_iov = 0;
	req->io.offset = 0;
	req->io.len = 0;
	return FINE;
}

static int
id_answer(const struct vstate_blk_req *req, const struct vstate_blk_rules *rules)
{
	/* gigabytes of zeros would hold the poll thread */
	if (req->ring.readable_bytes != HDR_SIZE || req->io.len == 0 ||
			req->io.len > VSTATE_BLK_SECTOR)
		return VIRTIO_BLK_S_IOERR;
	pieces_write(req->io.iov, req->io.nb_iov, rules->serial, VSTATE_BLK_ID_SIZE);
	return VIRTIO_BLK_S_OK;
}

bool
vstate_blk_request_parse(struct vstate_blk_req *req, const struct vstate_blk_rules *rules,
		struct vstate_blk_counters *counters, uint8_t *result)
{
	struct virtio_blk_outhdr hdr;
	uint64_t sector;
	uint16_t first;
	int ret;

	req->status = NULL;
	req->shortened = NULL;
	*result = VIRTIO_BLK_S_IOERR;
	if (unlikely(req->ring.writable_bytes == 0)) {
		counters->malformed++;
		return false;
	}
	status_split(req);
	if (unlikely(req->ring.readable_bytes < HDR_SIZE))
		return false;
	first = pieces_read(req->ring.pieces, &hdr, HDR_SIZE);
	sector = rte_le_to_cpu_64(hdr.sector);
	switch (rte_le_to_cpu_32(hdr.type)) {
	case VIRTIO_BLK_T_IN:
		counters->reads++;
		counters->read_bytes += req->io.len;
		ret = read_check(req, rules, sector);
		break;
	case VIRTIO_BLK_T_OUT:
		counters->writes++;
		counters->write_bytes += req->ring.readable_bytes - HDR_SIZE;
		ret = write_check(req, rules, sector, first);
		break;
	case VIRTIO_BLK_T_FLUSH:
		counters->flushes++;
		ret = flush_check(req, rules);
		break;
	case VIRTIO_BLK_T_GET_ID:
		counters->get_ids++;
		ret = id_answer(req, rules);
		break;
	case VIRTIO_BLK_T_DISCARD:
		counters->discards++;
		ret = zeroes_check(req, rules, first, true);
		break;
	case VIRTIO_BLK_T_WRITE_ZEROES:
		counters->write_zeroes++;
		ret = zeroes_check(req, rules, first, false);
		break;
	default:
		ret = VIRTIO_BLK_S_UNSUPP;
	}
	/* a transfer of no bytes needs no store */
	if (ret == FINE && req->io.len == 0 && req->io.op != VSTATE_BLK_FLUSH)
		ret = VIRTIO_BLK_S_OK;
	*result = ret;
	return ret == FINE;
}

uint32_t
vstate_blk_request_finish(struct vstate_blk_req *req, uint8_t status)
{
	if (req->status == NULL)
		return 0;
	/* the dirty log counts the status, too */
	req->shortened->iov_len++;
	*req->status = status;
	return RTE_MIN(req->ring.writable_bytes, UINT32_MAX);
}

uint8_t
vstate_blk_request_status(int res)
{
	return res == 0 ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR;
}

static bool
req_parse(struct vstate_blk_vq *q, struct vstate_blk_req *req)
{
	req->unit = 0;
	return vstate_blk_request_parse(req, &q->rules, &q->counters, &req->result);
}

static uint32_t
req_finish(struct vstate_blk_vq *q, struct vstate_blk_req *req, int res)
{
	const uint8_t status = res == 0 && !req->out ? req->result :
		vstate_blk_request_status(res);

	if (unlikely(status != VIRTIO_BLK_S_OK)) {
		if (status == VIRTIO_BLK_S_UNSUPP)
			q->counters.unsupported++;
		else
			q->counters.errors++;
	}
	return vstate_blk_request_finish(req, status);
}

const struct vstate_blk_protocol vstate_blk_request_protocol = {
	.req_size = sizeof(struct vstate_blk_req),
	.parse = req_parse,
	.finish = req_finish,
};

const char *
vstate_blk_request_name(enum vstate_blk_op op)
{
	static const char *const names[] = {
		[VSTATE_BLK_READ] = "read",
		[VSTATE_BLK_WRITE] = "write",
		[VSTATE_BLK_FLUSH] = "flush",
		[VSTATE_BLK_DISCARD] = "discard",
		[VSTATE_BLK_WRITE_ZEROES] = "write zeroes",
	};

	return (unsigned int)op < RTE_DIM(names) ? names[op] : "unknown";
}
