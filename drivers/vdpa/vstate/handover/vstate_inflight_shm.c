/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/virtio_ring.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>

#include "dev/vstate_control.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_quiesce.h"
#include "dev/vstate_setup.h"
#include "ring/vstate_chain.h"
#include "ring/vstate_inflight.h"
#include "ring/vstate_interrupted.h"
#include "ring/vstate_marks.h"
#include "ring/vstate_mem_guard.h"
#include "ring/vstate_packed.h"
#include "ring/vstate_vq.h"
#include "vstate_compat.h"
#include "vstate_handover.h"
#include "vstate_inflight_shm.h"
#include "vstate_log.h"
#include "vstate_state_file.h"

#define ALIGNMENT 64

struct vstate_inflight_shm {
	uint8_t *map;
	size_t size;
	/** Bytes of the part of one queue. */
	size_t stride;
	/** Number of queues, and descriptors of each. */
	uint16_t num_queues, queue_size;
	bool packed;
	/** The front end took the memory away. */
	uint32_t lost;
};

/*
 * Front ends and back ends use this formula: the packed header counts 29 bytes, without the padding
 * before its descriptors. The sum is rounded up to a multiple of 64.
 */
static size_t
stride_get(uint16_t queue_size, bool packed)
{
	size_t len = packed ? 29 + queue_size * sizeof(struct vstate_inflight_packed_desc) :
		16 + queue_size * sizeof(struct vstate_inflight_split_desc);

	return RTE_ALIGN_CEIL(len, ALIGNMENT);
}

static bool
geometry_fits(const struct vstate_dev *dev, const struct vstate_inflight_shm_geometry *g)
{
	RTE_BUILD_BUG_ON(sizeof(struct vstate_inflight_split) != 16);
	RTE_BUILD_BUG_ON(sizeof(struct vstate_inflight_packed) != 32);
	RTE_BUILD_BUG_ON(sizeof(struct vstate_inflight_split_desc) != 16);
	RTE_BUILD_BUG_ON(sizeof(struct vstate_inflight_packed_desc) != 32);
	return g->num_queues >= 1 && g->num_queues <= dev->nb_vqs && g->queue_size >= 1 &&
		g->queue_size <= RTE_VHOST_STATE_MAX_VQ_SIZE;
}

/* ---- the memory ---- */

int
vstate_inflight_shm_make(const struct vstate_dev *dev, struct vstate_inflight_shm_geometry *g,
		bool packed)
{
	int fd, ret;

	if (!geometry_fits(dev, g))
		return -EINVAL;
	g->mmap_size = stride_get(g->queue_size, packed) * g->num_queues;
	g->mmap_offset = 0;
	fd = memfd_create("vstate-inflight", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	/* The front end returns the file later. If it could shrink, poll threads would fault. */
	if (ftruncate(fd, g->mmap_size) == 0 &&
			fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

static void
shm_free(struct vstate_inflight_shm *shm)
{
	if (shm == NULL)
		return;
	vstate_mem_guard_drop(&shm->lost);
	munmap(shm->map, shm->size);
	free(shm);
}

/* Map the region of a front end. NULL: the file is not regular, too short, or does not fit. */
static struct vstate_inflight_shm *
shm_map(const struct vstate_dev *dev, const struct vstate_inflight_shm_geometry *g, int fd,
		bool packed)
{
	struct vstate_inflight_shm *shm;
	const size_t stride = stride_get(g->queue_size, packed);
	struct stat st;

	if (!geometry_fits(dev, g) || g->mmap_size < stride * g->num_queues ||
			g->mmap_offset > UINT64_MAX - g->mmap_size || fstat(fd, &st) != 0 ||
			!S_ISREG(st.st_mode) ||
			g->mmap_offset + g->mmap_size > (uint64_t)st.st_size ||
			g->mmap_offset % sysconf(_SC_PAGESIZE) != 0)
		return NULL;
	shm = calloc(1, sizeof(*shm));
	if (shm == NULL)
		return NULL;
	shm->size = stride * g->num_queues;
	shm->map = mmap(NULL, shm->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			g->mmap_offset);
	if (shm->map == MAP_FAILED) {
		free(shm);
		return NULL;
	}
	shm->stride = stride;
	shm->num_queues = g->num_queues;
	shm->queue_size = g->queue_size;
	shm->packed = packed;
	if (vstate_mem_guard_add(shm->map, shm->size, &shm->lost) == 0)
		return shm;
	shm_free(shm);
	return NULL;
}

static int
do_set(struct vstate_dev *dev, void *arg)
{
	vstate_quiesce_always(dev);
	vstate_inflight_shm_drop(dev);
	dev->handover->inflight_shm = arg;
	vstate_grant(dev);
	return 0;
}

int
vstate_inflight_shm_set(struct vstate_dev *dev, const struct vstate_inflight_shm_geometry *g,
		int fd, bool packed)
{
	struct vstate_inflight_shm *shm;

	/*
	 * QEMU 7.2 asks for the region of a SCSI host before it negotiates packed rings, and gives
	 * it back in any case. Such a region is accepted, and packed rings do not use it.
	 */
	if (packed && g->queue_size >= 1 && g->mmap_size ==
			stride_get(g->queue_size, false) * g->num_queues)
		packed = false;
	shm = shm_map(dev, g, fd, packed);
	if (shm == NULL) {
		VSTATE_LOG(ERR, "%s: in-flight region refused: %u queues of %u descriptors, "
				"%" PRIu64 " bytes at offset %" PRIu64 " do not fit the device "
				"or the file", dev->name, g->num_queues, g->queue_size,
				g->mmap_size, g->mmap_offset);
		return -EINVAL;
	}
	return vstate_control_run(do_set, dev, shm);
}

void
vstate_inflight_shm_drop(struct vstate_dev *dev)
{
	uint16_t i;

	for (i = 0; i < dev->nb_vqs; i++) {
		struct vstate_vq *vq = dev->vqs[i];

		if (vq->inflight_own != NULL)
			vq->inflight_own->shm = NULL;
		vstate_vq_detach(vq);
		/* the state file keeps the position from now on, if there is one */
		vstate_state_file_attach(dev, vq);
	}
	shm_free(dev->handover->inflight_shm);
	dev->handover->inflight_shm = NULL;
}

/* ---- a queue ---- */

static union vstate_inflight_head *
shm_head_find(const struct vstate_dev *dev, const struct vstate_vq *vq)
{
	const struct vstate_inflight_shm *r = dev->handover->inflight_shm;
	const bool packed = vstate_dev_is_packed(dev);

	if (r == NULL || vq->qid >= r->num_queues || r->packed != packed ||
			vq->size > r->queue_size)
		return NULL;
	return (union vstate_inflight_head *)(void *)(r->map + vq->qid * r->stride);
}

static int
buf_compare(const void *a, const void *b)
{
	const struct vstate_inflight_buf *x = a, *y = b;

	return x->counter < y->counter ? -1 : x->counter > y->counter;
}

/* ---- split ---- */

/*
 * If the process was killed after it published a batch and before it cleared the marks, the used
 * index is ahead of the region. Those used buffers are the last batch: clear their marks.
 */
static bool
split_settle(const struct vstate_vq *vq, struct vstate_inflight_split *r)
{
	const uint16_t used = rte_le_to_cpu_16(rte_atomic_load_explicit(&vq->split.used->idx,
			rte_memory_order_acquire));
	uint16_t n = vstate_split_distance(used, r->used_idx), i = r->last_batch_head;

	if (n > vq->size)
		return false;
	for (; n > 0 && i < vq->size; n--) {
		vstate_inflight_split_descs(r)[i].inflight = 0;
		i = vstate_inflight_split_descs(r)[i].next;
	}
	r->used_idx = used;
	return true;
}

static struct vstate_inflight *
split_list(const struct vstate_vq *vq, const struct vstate_inflight_split *r)
{
	struct vstate_inflight *list = vstate_inflight_alloc(vq->size, 0, false);
	uint16_t i;

	if (list == NULL)
		return NULL;
	list->nb = 0;
	for (i = 0; i < vq->size; i++) {
		if (vstate_inflight_split_descs(r)[i].inflight == 1)
			list->bufs[list->nb++] = (struct vstate_inflight_buf){
				.counter = vstate_inflight_split_descs(r)[i].counter,
				.head = i, .id = i, .num = 1, .slot = i };
	}
	return list;
}

/* ---- packed ---- */

/*
 * The process may have been killed while it published a batch. If the driver cannot see the batch
 * yet, it is still in flight. Otherwise it is complete.
 */
static bool
packed_settle(const struct vstate_vq *vq, struct vstate_inflight_packed *r, uint16_t nb)
{
	struct vstate_pos old, now;
	uint16_t i, n;

	vstate_inflight_head_read(r->pos, &old, &now);
	if (old.idx >= vq->size || now.idx >= vq->size || old.wrap > 1 || now.wrap > 1)
		return false;
	if (vstate_pos_distance(now, old, vq->size) != 0 && !packed_pos_is_avail(vq, &old))
		r->old_free_head = r->free_head;
	r->free_head = r->old_free_head;
	/* free descriptors are not in flight */
	for (n = 0, i = r->free_head; n < nb && i < nb; n++) {
		vstate_inflight_packed_descs(r)[i].inflight = 0;
		i = vstate_inflight_packed_descs(r)[i].next;
	}
	return true;
}

/* Copy the descriptors of an entry to the list. False: the entry is not valid. */
static bool
packed_entry_copy(const struct vstate_vq *vq, const struct vstate_inflight_packed *r, uint16_t nb,
		uint16_t slot, struct vstate_inflight *list, uint32_t *nb_descs)
{
	struct vstate_inflight_buf *b = &list->bufs[list->nb];
	const struct vstate_inflight_packed_desc *d = &vstate_inflight_packed_descs(r)[slot];
	uint16_t i, at = slot;

	if (list->nb == vq->size)
		return false;
	*b = (struct vstate_inflight_buf){ .counter = d->counter, .num = d->num, .slot = slot,
		.first_desc = *nb_descs };
	if (b->num == 0 || b->num > vq->size - *nb_descs)
		return false;
	for (i = 0; i < b->num; i++) {
		struct vstate_desc *copy = &list->descs[*nb_descs];

		if (at >= nb)
			return false;
		list->entries[(*nb_descs)++] = at;
		d = &vstate_inflight_packed_descs(r)[at];
		copy->addr = d->addr;
		copy->len = d->len;
		copy->link = d->id;
		copy->flags = (d->flags & (VRING_DESC_F_WRITE | VRING_DESC_F_INDIRECT)) |
			(i + 1 < b->num ? VRING_DESC_F_NEXT : 0);
		/* a table is a whole buffer: a state with another chain is not valid */
		if (b->num > 1 && (copy->flags & VRING_DESC_F_INDIRECT))
			return false;
		b->id = copy->link;
		b->last = at;
		at = d->next;
	}
	list->nb++;
	return true;
}

static struct vstate_inflight *
packed_list(const struct vstate_vq *vq, const struct vstate_inflight_packed *r, uint16_t nb)
{
	struct vstate_inflight *list = vstate_inflight_alloc(vq->size, vq->size, true);
	uint32_t nb_descs = 0;
	uint16_t i;

	if (list == NULL)
		return NULL;
	list->nb = 0;
	for (i = 0; i < nb; i++) {
		if (vstate_inflight_packed_descs(r)[i].inflight == 1 &&
				!packed_entry_copy(vq, r, nb, i, list, &nb_descs)) {
			vstate_inflight_free(list);
			return NULL;
		}
	}
	return list;
}

/* Give each buffer a position in the ring. A state needs one; the ring code does not. */
static void
packed_heads_set(const struct vstate_vq *vq, struct vstate_inflight *list, struct vstate_pos at)
{
	uint16_t i;

	for (i = 0; i < list->nb; i++) {
		list->bufs[i].head = at.idx;
		vstate_pos_step(&at, list->bufs[i].num, vq->size);
	}
}

/* ---- both ---- */

static bool
ids_are_unique(const struct vstate_inflight *list)
{
	uint64_t *seen = calloc((UINT16_MAX + 1) / 64, sizeof(*seen));
	bool unique = seen != NULL;
	uint16_t i;

	for (i = 0; unique && i < list->nb; i++) {
		const uint16_t id = list->bufs[i].id;

		unique = !(seen[id / 64] & RTE_BIT64(id % 64)) &&
			(i == 0 || list->bufs[i].counter != list->bufs[i - 1].counter);
		seen[id / 64] |= RTE_BIT64(id % 64);
	}
	free(seen);
	return unique;
}

/* Packed: two buffers cannot share an entry. */
static bool
entries_are_unique(const struct vstate_inflight *list, uint16_t nb)
{
	uint64_t *seen = calloc(nb / 64 + 1, sizeof(*seen));
	bool unique = seen != NULL;
	uint32_t i;
	uint16_t n;

	for (n = 0; unique && list->packed && n < list->nb; n++) {
		const struct vstate_inflight_buf *b = &list->bufs[n];

		for (i = b->first_desc; i < b->first_desc + b->num; i++) {
			const uint16_t at = list->entries[i];

			unique &= !(seen[at / 64] & RTE_BIT64(at % 64));
			seen[at / 64] |= RTE_BIT64(at % 64);
		}
	}
	free(seen);
	return unique;
}

/* @return NULL; or the reason why the queue cannot be recovered: the queue is unchanged */
static const char *
vq_recover(struct vstate_dev *dev, struct vstate_vq *vq, union vstate_inflight_head *r, bool fresh)
{
	const uint16_t nb = dev->handover->inflight_shm->queue_size;
	const bool packed = dev->handover->inflight_shm->packed;
	const struct vstate_pos before = vq->used;
	struct vstate_inflight *list;
	uint16_t nb_empty = 0;
	const char *why;

	if (r->split.version != VSTATE_INFLIGHT_VERSION || r->split.desc_num != nb)
		return "its version or size does not fit";
	if (packed ? !packed_settle(vq, &r->packed, nb) : !split_settle(vq, &r->split))
		return "its used position is not valid";
	list = packed ? packed_list(vq, &r->packed, nb) : split_list(vq, &r->split);
	if (list == NULL)
		return "its entries are not valid, or no memory";
	qsort(list->bufs, list->nb, sizeof(list->bufs[0]), buf_compare);
	if (!ids_are_unique(list) || !entries_are_unique(list, nb)) {
		vstate_inflight_free(list);
		return "it has two entries for one buffer, or an entry of two buffers";
	}
	if (vq->marks != NULL && vstate_marks_alloc(vq, nb) != 0) {
		vstate_inflight_free(list);
		return "no memory";
	}
	list->shm = r;
	vq->inflight_head = r;
	vstate_inflight_attach(vq, list);
	if (vq->marks != NULL)
		vstate_marks_region_adopt(vq, r);
	why = vstate_interrupted_settle(vq, r, fresh, &nb_empty);
	if (nb_empty > 0)
		VSTATE_LOG(NOTICE, "%s: queue %u: %u buffers of an interrupted burst returned empty",
				dev->name, vq->qid, nb_empty);
	if (why == NULL && packed) {
		vstate_inflight_head_step(r, vq->used, vq->used);
		if (vq->inflight != NULL)
			packed_heads_set(vq, vq->inflight, vq->used);
	}
	if (why == NULL)
		return NULL;
	vstate_inflight_drop(vq);
	vstate_vq_detach(vq);
	vq->used = vq->avail = before;
	return why;
}

static int
shm_begin(struct vstate_dev *dev, const struct vstate_setup *setup)
{
	RTE_SET_USED(setup);
	return dev->handover->inflight_shm != NULL ? 2 : 0;
}

static enum vstate_keeper_answer
shm_apply(struct vstate_dev *dev, struct vstate_vq *vq, const struct vstate_ring_setup *ring,
		const char **why)
{
	union vstate_inflight_head *r = shm_head_find(dev, vq);

	if (!ring->base_fresh)
		return VSTATE_KEEPER_SILENT;
	/* all zero: the front end cleared it, for example after a reset of the guest */
	if (r == NULL || r->split.version == 0) {
		vstate_vq_detach(vq);
		return VSTATE_KEEPER_SILENT;
	}
	*why = vq_recover(dev, vq, r, ring->avail.idx == 0 && ring->avail.wrap == 1);
	return *why == NULL ? VSTATE_KEEPER_APPLIED : VSTATE_KEEPER_REFUSED;
}

static void
split_mark(struct vstate_inflight_split *r, const struct vstate_inflight_buf *b)
{
	vstate_inflight_split_descs(r)[b->head].counter = b->counter;
	vstate_inflight_split_descs(r)[b->head].inflight = 1;
}

static void
packed_mark(struct vstate_inflight_packed *r, const struct vstate_inflight *list,
		struct vstate_inflight_buf *b, uint16_t at)
{
	uint16_t i;

	b->slot = at;
	b->last = at + b->num - 1;
	/* Free entries are consecutive in a new region. Shared memory is not read for that. */
	for (i = 0; i < b->num; i++, at++) {
		const struct vstate_desc *from = &list->descs[b->first_desc + i];
		struct vstate_inflight_packed_desc *d = &vstate_inflight_packed_descs(r)[at];

		d->addr = from->addr;
		d->len = from->len;
		d->id = from->link;
		d->flags = from->flags;
	}
	vstate_inflight_packed_descs(r)[b->slot].last = b->last;
	vstate_inflight_packed_descs(r)[b->slot].num = b->num;
	vstate_inflight_packed_descs(r)[b->slot].counter = b->counter;
	vstate_inflight_packed_descs(r)[b->slot].inflight = 1;
	r->free_head = r->old_free_head = at;
}

/* Give a queue marks with as many entries as the region has. All its requests wait in its list. */
static int
marks_renew(struct vstate_vq *vq, uint16_t size)
{
	struct vstate_inflight *list = vq->inflight;

	if (vstate_marks_alloc(vq, size) != 0)
		return -ENOMEM;
	if (list == NULL)
		return 0;
	list->shm = NULL;
	vstate_marks_import(vq, list);
	return 0;
}

/* Initialise the part of a queue in a region that is new or stale. */
static void
shm_head_init(const struct vstate_dev *dev, struct vstate_vq *vq, union vstate_inflight_head *r)
{
	const struct vstate_inflight_shm *shm = dev->handover->inflight_shm;
	struct vstate_inflight *list = vq->inflight;
	uint16_t i, at = 0;

	r->split.version = 0;
	memset(r, 0, shm->stride);
	r->split.desc_num = shm->queue_size;
	for (i = 0; shm->packed && i < shm->queue_size; i++)
		vstate_inflight_packed_descs(&r->packed)[i].next = i + 1;
	if (shm->packed)
		vstate_inflight_head_step(r, vq->used, vq->used);
	else
		vstate_inflight_head_used(r, vq->used.idx);
	if (vq->marks != NULL && marks_renew(vq, shm->queue_size) == 0)
		vstate_marks_region_write(vq, r);
	for (i = 0; list != NULL && vq->marks == NULL && i < list->nb; i++) {
		list->bufs[i].slot = list->bufs[i].head;
		if (i < list->done)
			continue;
		if (shm->packed) {
			packed_mark(&r->packed, list, &list->bufs[i], at);
			at += list->bufs[i].num;
		} else {
			split_mark(&r->split, &list->bufs[i]);
		}
	}
	if (list != NULL)
		list->shm = r;
	rte_atomic_store_explicit(&r->split.version, VSTATE_INFLIGHT_VERSION,
			rte_memory_order_release);
}

/* The region keeps the position of the queue from now on. */
static bool
shm_attach(struct vstate_dev *dev, struct vstate_vq *vq)
{
	union vstate_inflight_head *r = shm_head_find(dev, vq);

	if (r == NULL)
		return false;
	if (vq->inflight_head != r) {
		shm_head_init(dev, vq, r);
		vq->inflight_head = r;
	}
	return true;
}

static bool
shm_is_lost(const struct vstate_dev *dev)
{
	return dev->handover->inflight_shm != NULL &&
		rte_atomic_load_explicit(&dev->handover->inflight_shm->lost,
		rte_memory_order_acquire) != 0;
}

static bool
shm_needs_all(const struct vstate_dev *dev)
{
	return dev->handover->inflight_shm != NULL;
}

const struct vstate_keeper vstate_inflight_shm_keeper = {
	.name = "in-flight region",
	.after_kill = true,
	.begin = shm_begin,
	.apply = shm_apply,
	.attach = shm_attach,
	.disconnect = vstate_inflight_shm_drop,
	.is_lost = shm_is_lost,
	.needs_all = shm_needs_all,
};
