/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include <rte_errno.h>
#include <rte_thread.h>

#include "clock.h"
#include "guest_disk.h"
#include "guest_disk_core.h"
#include "guest_mem.h"
#include "guest_packed.h"
#include "guest_ring.h"
#include "guest_split.h"
#include "vhost_user_fe.h"
#include "vstate_compat.h"

#define WORDS (DISK_BLOCK / 8)
/* A request: header, up to four pieces of data, status. */
#define SEGS_MAX 6
/* Bytes of guest memory of one request. */
#define SLOT_BYTES (2 * DISK_BLOCK)
#define STATUS_AT 64

#define PF_RESET_DEVICE 13
#define PF_BASE_INFLIGHT 20
#define S_RUN 0x0f
#define PACKED_FRESH_BASE 0x80008000u

#define get(p) rte_atomic_load_explicit(p, rte_memory_order_relaxed)
#define set(p, v) rte_atomic_store_explicit(p, v, rte_memory_order_relaxed)

__rte_format_printf(2, 3)
static void
disk_complain(struct disk *d, const char *fmt, ...)
{
	va_list ap;

	if (d->why[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(d->why, sizeof(d->why), fmt, ap);
	va_end(ap);
}

const char *
disk_error(const struct disk *d)
{
	return d->why[0] != '\0' ? d->why : NULL;
}

/* ---- memory ---- */

static int
queue_create(struct disk *d, uint16_t q)
{
	struct disk_queue *dq = &d->queues[q];
	struct guest_ring *r = &dq->ring;
	uint64_t desc, driver, device;
	uint16_t i;

	r->ops = d->conf.packed ? &guest_packed_ops : &guest_split_ops;
	r->mem = &d->mem;
	r->size = d->conf.ring_size;
	r->indirect = d->conf.indirect;
	r->table_len = SEGS_MAX;
	r->ops->bytes(r->size, &desc, &driver, &device);
	r->desc_gpa = guest_mem_reserve(&d->mem, desc, 4096);
	r->driver_gpa = guest_mem_reserve(&d->mem, driver, 4096);
	r->device_gpa = guest_mem_reserve(&d->mem, device, 4096);
	r->tables_gpa = guest_mem_reserve(&d->mem, (uint64_t)r->size * SEGS_MAX * 16, 4096);
	dq->slots_gpa = guest_mem_reserve(&d->mem, (uint64_t)d->conf.depth * SLOT_BYTES, 4096);
	dq->seq = calloc(d->conf.blocks, sizeof(*dq->seq));
	dq->busy = calloc(d->conf.blocks, sizeof(*dq->busy));
	dq->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	dq->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	dq->base = d->conf.packed ? PACKED_FRESH_BASE : 0;
	dq->rnd = d->conf.seed + q;
	for (i = 0; i < d->conf.depth; i++)
		dq->free[dq->nb_free++] = i;
	if (dq->slots_gpa == 0 || dq->seq == NULL || dq->busy == NULL || dq->kick < 0 ||
			dq->call < 0)
		return -ENOMEM;
	return guest_ring_alloc(r);
}

/* The scratch memory lies in two regions. */
static int
memory_commit(struct disk *d)
{
	uint64_t border;

	if (d->conf.scratch == 0)
		return guest_mem_commit(&d->mem, NULL, 0, 4096);
	d->scratch_gpa = guest_mem_reserve(&d->mem, d->conf.scratch, 4096);
	border = d->scratch_gpa + d->conf.scratch / 2;
	return d->scratch_gpa != 0 ? guest_mem_commit(&d->mem, &border, 1, 4096) : -ENOMEM;
}

static bool
conf_ok(const struct disk_conf *c)
{
	return c->queues >= 1 && c->queues <= DISK_MAX_QUEUES && c->depth >= 1 &&
		c->depth <= DISK_MAX_DEPTH && c->blocks >= 2u * c->depth && c->ring_size >= 8 &&
		(c->packed || (c->ring_size & (c->ring_size - 1)) == 0) &&
		c->ring_size >= c->depth * (c->indirect ? 1 : SEGS_MAX);
}

struct disk *
disk_create(const struct disk_conf *conf)
{
	struct disk *d;
	uint16_t q;
	int ret = 0;

	if (!conf_ok(conf)) {
		rte_errno = EINVAL;
		return NULL;
	}
	d = calloc(1, sizeof(*d));
	if (d == NULL) {
		rte_errno = ENOMEM;
		return NULL;
	}
	d->conf = *conf;
	d->region_fd = d->listener = -1;
	d->links[0].fe.fd = d->links[1].fe.fd = -1;
	guest_mem_init(&d->mem);
	for (q = 0; q < conf->queues && ret == 0; q++)
		ret = queue_create(d, q);
	if (ret == 0)
		ret = memory_commit(d);
	if (ret == 0) {
		for (q = 0; q < conf->queues; q++) {
			guest_ring_reset(&d->queues[q].ring);
			/* this driver polls */
			d->queues[q].ring.ops->calls(&d->queues[q].ring, !conf->reads_only);
		}
		return d;
	}
	disk_destroy(d);
	rte_errno = -ret;
	return NULL;
}

void
disk_destroy(struct disk *d)
{
	uint16_t q;

	if (d == NULL)
		return;
	disk_stop(d, 0);
	for (q = 0; q < DISK_LINKS; q++)
		disk_disconnect(d, q);
	for (q = 0; q < d->conf.queues; q++) {
		guest_ring_free(&d->queues[q].ring);
		free(d->queues[q].seq);
		free(d->queues[q].busy);
		close(d->queues[q].kick);
		close(d->queues[q].call);
	}
	if (d->region != NULL)
		munmap(d->region, d->geometry.mmap_size);
	if (d->region_fd >= 0)
		close(d->region_fd);
	if (d->listener >= 0)
		close(d->listener);
	guest_mem_free(&d->mem);
	free(d);
}

/* ---- a link ---- */

static int
features_negotiate(struct disk *d, struct disk_link *l)
{
	uint64_t offered, must = 1ull << VIRTIO_F_VERSION_1 | 1ull << VU_F_PROTOCOL_FEATURES;
	uint64_t want = must | 1ull << VIRTIO_BLK_F_FLUSH | 1ull << VIRTIO_BLK_F_BLK_SIZE |
		1ull << VIRTIO_BLK_F_SEG_MAX;
	int ret;

	if (d->conf.packed)
		must |= 1ull << VIRTIO_F_RING_PACKED;
	if (d->conf.indirect)
		must |= 1ull << VIRTIO_RING_F_INDIRECT_DESC;
	if (d->conf.queues > 1)
		must |= 1ull << VIRTIO_BLK_F_MQ;
	want |= must;
	if (d->features != 0)
		want = must = d->features;
	ret = vu_fe_get_u64(&l->fe, VU_GET_FEATURES, &offered);
	if (ret == 0 && (must & ~offered) != 0) {
		disk_complain(d, "the back end lacks features 0x%" PRIx64, must & ~offered);
		return -ENOTSUP;
	}
	l->features = d->features = want & offered;
	return ret;
}

static int
protocol_negotiate(struct disk *d, struct disk_link *l)
{
	uint64_t has = 0, queues = 0, want = 1ull << VU_PF_MQ | 1ull << VU_PF_REPLY_ACK |
		1ull << VU_PF_CONFIG | 1ull << VU_PF_STATUS;
	int ret;

	if (d->conf.region)
		want |= 1ull << VU_PF_INFLIGHT_SHMFD;
	if (d->conf.carried)
		want |= 1ull << PF_BASE_INFLIGHT;
	ret = vu_fe_get_u64(&l->fe, VU_GET_PROTOCOL_FEATURES, &has);
	if (ret == 0 && (want & ~has) != 0) {
		disk_complain(d, "the back end lacks protocol features 0x%" PRIx64, want & ~has);
		return -ENOTSUP;
	}
	if (ret == 0)
		ret = vu_fe_set_u64(&l->fe, VU_SET_PROTOCOL_FEATURES, want);
	l->fe.protocol = want;
	if (ret == 0)
		ret = vu_fe_get_u64(&l->fe, VU_GET_QUEUE_NUM, &queues);
	if (ret == 0 && queues < d->conf.queues) {
		disk_complain(d, "the back end has %" PRIu64 " queues", queues);
		return -ENOTSUP;
	}
	return ret;
}

int
disk_listen(struct disk *d, const char *path)
{
	d->listener = vu_fe_listen(path);
	return d->listener < 0 ? d->listener : 0;
}

int
disk_connect(struct disk *d, unsigned int l, const char *path, int timeout_ms)
{
	struct disk_link *link = &d->links[l];
	int ret;

	memset(link, 0, sizeof(*link));
	ret = d->listener >= 0 ? vu_fe_accept_from(&link->fe, d->listener, timeout_ms) :
		vu_fe_connect(&link->fe, path, timeout_ms);
	if (ret < 0)
		return ret;
	link->open = true;
	ret = features_negotiate(d, link);
	if (ret == 0)
		ret = vu_fe_request(&link->fe, VU_SET_OWNER, NULL, 0, NULL, 0);
	if (ret == 0)
		ret = protocol_negotiate(d, link);
	if (ret == 0)
		ret = vu_fe_set_u64(&link->fe, VU_SET_STATUS, 0x3);
	if (ret == 0)
		ret = vu_fe_set_u64(&link->fe, VU_SET_FEATURES, link->features);
	if (ret == 0)
		ret = vu_fe_set_u64(&link->fe, VU_SET_STATUS, 0xb);
	return ret;
}

void
disk_disconnect(struct disk *d, unsigned int l)
{
	if (d->links[l].open)
		vu_fe_close(&d->links[l].fe);
	d->links[l].open = false;
}

bool
disk_hung_up(const struct disk *d, unsigned int l, int ms)
{
	struct pollfd p = { .fd = d->links[l].fe.fd, .events = POLLRDHUP };

	return poll(&p, 1, ms) == 1;
}

int
disk_config(struct disk *d, unsigned int l, void *config, uint32_t size)
{
	/* three words: offset, size, flags */
	struct {
		uint32_t offset, size, flags;
		uint8_t space[256];
	} m = { 0, size, 0, { 0 } };
	const size_t len = 12 + size;
	int ret;

	if (size > sizeof(m.space))
		return -EINVAL;
	ret = vu_fe_query(&d->links[l].fe, VU_GET_CONFIG, &m, len, NULL, 0, &m, len, NULL);
	if (ret == 0)
		memcpy(config, m.space, size);
	return ret;
}

/* The first back end makes the region; each one gets it before its rings. */
static int
region_hand_over(struct disk *d, struct disk_link *l)
{
	struct vu_inflight ask = { .num_queues = d->conf.queues,
		.queue_size = d->conf.ring_size };
	int ret;

	if (!d->conf.region)
		return 0;
	if (d->region == NULL) {
		ret = vu_fe_query(&l->fe, VU_GET_INFLIGHT_FD, &ask, sizeof(ask), NULL, 0,
				&d->geometry, sizeof(d->geometry), &d->region_fd);
		if (ret < 0)
			return ret;
		if (d->region_fd < 0)
			return -EPROTO;
		d->region = mmap(NULL, d->geometry.mmap_size, PROT_READ | PROT_WRITE, MAP_SHARED,
				d->region_fd, d->geometry.mmap_offset);
		if (d->region == MAP_FAILED) {
			d->region = NULL;
			return -errno;
		}
		d->geometry.num_queues = d->conf.queues;
		d->geometry.queue_size = d->conf.ring_size;
	}
	return vu_fe_request(&l->fe, VU_SET_INFLIGHT_FD, &d->geometry, sizeof(d->geometry),
			&d->region_fd, 1);
}

static int
vring_setup(struct disk *d, struct disk_link *l, uint16_t q)
{
	const struct disk_queue *dq = &d->queues[q];
	const struct guest_ring *r = &dq->ring;
	const struct vu_vring_addr addr = {
		.index = q,
		.desc = guest_mem_user_addr(&d->mem, r->desc_gpa),
		.used = guest_mem_user_addr(&d->mem, r->device_gpa),
		.avail = guest_mem_user_addr(&d->mem, r->driver_gpa),
		.log = r->device_gpa,
	};
	int ret;

	ret = vu_fe_set_vring(&l->fe, VU_SET_VRING_NUM, q, r->size);
	if (ret == 0)
		ret = vu_fe_set_vring(&l->fe, VU_SET_VRING_BASE, q, dq->base);
	if (ret == 0)
		ret = vu_fe_request(&l->fe, VU_SET_VRING_ADDR, &addr, sizeof(addr), NULL, 0);
	if (ret == 0)
		ret = vu_fe_set_vring_fd(&l->fe, VU_SET_VRING_KICK, q, dq->kick);
	if (ret == 0)
		ret = vu_fe_set_vring_fd(&l->fe, VU_SET_VRING_CALL, q, dq->call);
	return ret == 0 ? vu_fe_set_vring(&l->fe, VU_SET_VRING_ENABLE, q, 1) : ret;
}

int
disk_prepare(struct disk *d, unsigned int l)
{
	struct disk_link *link = &d->links[l];
	uint16_t q;
	int ret;

	ret = region_hand_over(d, link);
	if (ret == 0)
		ret = vu_fe_set_mem_table(&link->fe, &d->mem);
	for (q = 0; q < d->conf.queues && ret == 0; q++)
		ret = vring_setup(d, link, q);
	return ret;
}

int
disk_run(struct disk *d, unsigned int l)
{
	const uint64_t one = 1;
	uint16_t q;
	int ret = vu_fe_set_u64(&d->links[l].fe, VU_SET_STATUS, S_RUN);

	for (q = 0; q < d->conf.queues && ret == 0; q++)
		if (write(d->queues[q].kick, &one, sizeof(one)) < 0 && errno != EAGAIN)
			ret = -errno;
	return ret;
}

int
disk_take_back(struct disk *d, unsigned int l)
{
	struct disk_link *link = &d->links[l];
	uint16_t q;
	int ret = 0;

	/* as QEMU does for a disk */
	for (q = 0; q < d->conf.queues && ret == 0; q++)
		ret = vu_fe_set_vring(&link->fe, VU_SET_VRING_ENABLE, q, 0);
	for (q = 0; q < d->conf.queues && ret == 0; q++)
		ret = vu_fe_get_vring_base(&link->fe, q, &d->queues[q].base);
	return ret == 0 ? vu_fe_set_u64(&link->fe, VU_SET_STATUS, 0) : ret;
}

void
disk_back_end_died(struct disk *d)
{
	uint16_t q;

	for (q = 0; q < d->conf.queues; q++) {
		const struct guest_ring *r = &d->queues[q].ring;
		const struct vring_used *used = r->device;

		d->queues[q].base = d->conf.packed ? PACKED_FRESH_BASE :
			rte_atomic_load_explicit(&used->idx, rte_memory_order_acquire);
	}
}

/* ---- marks ---- */

static uint8_t *
mark_at(const struct disk *d, uint16_t q, uint16_t i)
{
	const uint64_t stride = d->geometry.mmap_size / d->conf.queues;

	return d->region + q * stride + (d->conf.packed ? 32 + 32 * i : 16 + 16 * i);
}

unsigned int
disk_marks(const struct disk *d)
{
	unsigned int n = 0;
	uint16_t q, i;

	for (q = 0; q < d->conf.queues && d->region != NULL; q++)
		for (i = 0; i < d->conf.ring_size; i++)
			n += *mark_at(d, q, i) == 1;
	return n;
}

bool
disk_region_get(const struct disk *d, struct disk_region *r)
{
	*r = (struct disk_region){ d->region, d->geometry.mmap_size / d->conf.queues,
		d->conf.queues, d->conf.ring_size, d->conf.packed };
	return d->region != NULL;
}

/* ---- requests ---- */

static uint32_t
block_pick(struct disk *d, struct disk_queue *dq)
{
	uint32_t block;

	do
		block = guest_rnd(&dq->rnd, d->conf.blocks);
	while (dq->busy[block]);
	return block;
}

/* The number of a block on the disk: the queues have ranges of their own. */
static uint64_t
block_number(const struct disk *d, const struct disk_queue *dq, uint32_t block)
{
	return (uint64_t)(dq - d->queues) * d->conf.blocks + block;
}

void
disk_block_fill(void *block, const struct disk_write *w)
{
	uint64_t *words = block;
	unsigned int i;

	for (i = 0; i < WORDS; i += 2) {
		words[i] = w->number;
		words[i + 1] = w->seq;
	}
}

unsigned int
disk_writes_get(const struct disk *d, struct disk_write *writes, unsigned int max)
{
	const struct disk_queue *dq;
	unsigned int n = 0;
	uint16_t q, i;

	for (q = 0; q < d->conf.queues; q++) {
		dq = &d->queues[q];
		for (i = 0; i < d->conf.depth && n < max; i++) {
			if (dq->slots[i].out && dq->slots[i].type == VIRTIO_BLK_T_OUT)
				writes[n++] = (struct disk_write){
					block_number(d, dq, dq->slots[i].block),
					dq->slots[i].seq };
		}
	}
	return n;
}

static void
data_fill(struct disk *d, uint64_t gpa, uint64_t number, uint64_t seq)
{
	const struct disk_write w = { number, seq };
	uint64_t words[WORDS];

	disk_block_fill(words, &w);
	guest_mem_write(&d->mem, gpa, words, sizeof(words));
}

static void
type_pick(struct disk *d, struct disk_queue *dq, struct disk_slot *s)
{
	const uint32_t dice = guest_rnd(&dq->rnd, 32);

	s->type = d->conf.reads_only || dice < 14 ? VIRTIO_BLK_T_IN :
		dice < 31 ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_FLUSH;
	if (s->type == VIRTIO_BLK_T_FLUSH)
		return;
	s->block = block_pick(d, dq);
	/* nothing is known of a block that was never written */
	if (!d->conf.reads_only && dq->seq[s->block] == 0)
		s->type = VIRTIO_BLK_T_OUT;
	s->seq = dq->seq[s->block] + 1;
	dq->busy[s->block] = true;
}

static uint16_t
segs_build(struct disk *d, struct disk_queue *dq, const struct disk_slot *s, uint64_t gpa,
		struct guest_seg *segs)
{
	const uint64_t data = gpa + DISK_BLOCK;
	uint32_t at, len;
	uint16_t n = 0;

	segs[n++] = (struct guest_seg){ gpa, sizeof(struct virtio_blk_outhdr), false };
	for (at = 0; s->type != VIRTIO_BLK_T_FLUSH && at < DISK_BLOCK; at += len) {
		len = DISK_BLOCK - at;
		if (!d->conf.reads_only && n < 4 && guest_rnd(&dq->rnd, 4) == 0)
			len = 1 + guest_rnd(&dq->rnd, len);
		segs[n++] = (struct guest_seg){ data + at, len, s->type == VIRTIO_BLK_T_IN };
	}
	segs[n++] = (struct guest_seg){ gpa + STATUS_AT, 1, true };
	return n;
}

static bool
request_add(struct disk *d, struct disk_queue *dq)
{
	const uint16_t i = dq->free[dq->nb_free - 1];
	const uint64_t gpa = dq->slots_gpa + (uint64_t)i * SLOT_BYTES;
	struct disk_slot *s = &dq->slots[i];
	struct virtio_blk_outhdr hdr = { 0 };
	struct guest_seg segs[SEGS_MAX];
	const uint8_t none = 0xee;
	uint16_t n;

	type_pick(d, dq, s);
	hdr.type = s->type;
	if (s->type != VIRTIO_BLK_T_FLUSH)
		hdr.sector = block_number(d, dq, s->block) * (DISK_BLOCK / 512);
	guest_mem_write(&d->mem, gpa, &hdr, sizeof(hdr));
	guest_mem_write(&d->mem, gpa + STATUS_AT, &none, 1);
	if (s->type == VIRTIO_BLK_T_OUT)
		data_fill(d, gpa + DISK_BLOCK, block_number(d, dq, s->block), s->seq);
	n = segs_build(d, dq, s, gpa, segs);
	if (dq->ring.ops->add(&dq->ring, segs, n, i, d->conf.indirect) != 0) {
		if (s->type != VIRTIO_BLK_T_FLUSH)
			dq->busy[s->block] = false;
		return false;
	}
	dq->nb_free--;
	s->order = dq->added++;
	s->out = true;
	return true;
}

/* The device promises that a flush waits for all reads and writes before it, of its queue. */
static void
order_check(struct disk *d, const struct disk_queue *dq, const struct disk_slot *flush)
{
	uint16_t i;

	for (i = 0; i < d->conf.depth; i++) {
		if (!dq->slots[i].out || dq->slots[i].type == VIRTIO_BLK_T_FLUSH ||
				dq->slots[i].order >= flush->order)
			continue;
		set(&d->counts.unordered, d->counts.unordered + 1);
		disk_complain(d, "a flush returned before a request that is older by %" PRIu64,
				flush->order - dq->slots[i].order);
		return;
	}
}

static void
data_check(struct disk *d, struct disk_queue *dq, const struct disk_slot *s, uint64_t gpa)
{
	const uint64_t number = block_number(d, dq, s->block), seq = dq->seq[s->block];
	uint64_t words[WORDS];
	unsigned int i;

	guest_mem_read(&d->mem, gpa + DISK_BLOCK, words, sizeof(words));
	for (i = 2; i < WORDS; i += 2) {
		if (words[i] == words[0] && words[i + 1] == words[1])
			continue;
		set(&d->counts.torn, d->counts.torn + 1);
		disk_complain(d, "block %" PRIu64 " is torn: sequence %" PRIu64 " and %" PRIu64,
				number, words[1], words[i + 1]);
		return;
	}
	if (words[0] != number) {
		set(&d->counts.misplaced, d->counts.misplaced + 1);
		disk_complain(d, "block %" PRIu64 " has the data of block %" PRIu64, number,
				words[0]);
	} else if (words[1] != seq) {
		set(&d->counts.stale, d->counts.stale + 1);
		disk_complain(d, "block %" PRIu64 " has sequence %" PRIu64 ", not %" PRIu64, number,
				words[1], seq);
	}
}

static void
request_return(struct disk *d, struct disk_queue *dq, uint32_t i)
{
	const uint64_t gpa = dq->slots_gpa + (uint64_t)i * SLOT_BYTES, now = clock_ns();
	struct disk_slot *s = &dq->slots[i];
	uint8_t status;

	if (d->last_return != 0 && now - d->last_return > d->counts.gap_max)
		set(&d->counts.gap_max, now - d->last_return);
	set(&d->last_return, now);
	guest_mem_read(&d->mem, gpa + STATUS_AT, &status, 1);
	if (status != VIRTIO_BLK_S_OK) {
		set(&d->counts.errors, d->counts.errors + 1);
		disk_complain(d, "a request of type %u returned with status %u", s->type, status);
	}
	s->out = false;
	if (s->type == VIRTIO_BLK_T_FLUSH) {
		set(&d->counts.flushes, d->counts.flushes + 1);
		order_check(d, dq, s);
	} else if (s->type == VIRTIO_BLK_T_OUT) {
		set(&d->counts.writes, d->counts.writes + 1);
		dq->seq[s->block] = s->seq;
		dq->busy[s->block] = false;
	} else {
		set(&d->counts.reads, d->counts.reads + 1);
		if (!d->conf.reads_only && status == VIRTIO_BLK_S_OK)
			data_check(d, dq, s, gpa);
		dq->busy[s->block] = false;
	}
	dq->free[dq->nb_free++] = i;
}

unsigned int
disk_fill(struct disk *d)
{
	const uint64_t one = 1;
	unsigned int n, all = 0;
	uint16_t q;

	for (q = 0; q < d->conf.queues; q++) {
		struct disk_queue *dq = &d->queues[q];

		for (n = 0; dq->nb_free > 0 && request_add(d, dq); n++)
			;
		if (n > 0 && dq->ring.ops->publish(&dq->ring) &&
				write(dq->kick, &one, sizeof(one)) < 0 && errno != EAGAIN)
			disk_complain(d, "kick of queue %u failed", q);
		all += n;
	}
	return all;
}

unsigned int
disk_drain(struct disk *d)
{
	unsigned int n = 0;
	uint32_t i, len;
	uint16_t q;
	int ret;

	for (q = 0; q < d->conf.queues; q++) {
		struct disk_queue *dq = &d->queues[q];

		while ((ret = dq->ring.ops->take(&dq->ring, &i, &len)) != 0) {
			if (ret == 1) {
				request_return(d, dq, i);
				n++;
				continue;
			}
			set(&d->counts.doubled, d->counts.doubled + 1);
			disk_complain(d, "queue %u: the device used a buffer that it did not own", q);
			if (ret == -EIO)
				break;
		}
	}
	return n;
}

/* ---- the thread ---- */

static uint64_t
under_way(const struct disk *d)
{
	uint64_t n = 0;
	uint16_t q;

	for (q = 0; q < d->conf.queues; q++)
		n += d->conf.depth - d->queues[q].nb_free;
	return n;
}

static uint32_t
disk_main(void *arg)
{
	struct disk *d = arg;
	unsigned int n;

	while (!get(&d->stop) || under_way(d) > 0) {
		n = disk_drain(d);
		if (get(&d->stop) && get(&d->running) == false)
			break;
		if (!get(&d->stop))
			n += disk_fill(d);
		set(&d->counts.under_way, under_way(d));
		if (n == 0)
			usleep(20);
	}
	return 0;
}

int
disk_start(struct disk *d)
{
	int ret;

	d->stop = false;
	d->last_return = 0;
	d->running = true;
	ret = rte_thread_create(&d->thread, NULL, disk_main, d);
	if (ret != 0)
		d->running = false;
	return -ret;
}

int
disk_stop(struct disk *d, int timeout_ms)
{
	const uint64_t end = clock_ns() + timeout_ms * 1000000ull;

	if (!d->running)
		return 0;
	set(&d->stop, true);
	while (get(&d->counts.under_way) > 0 && clock_ns() < end)
		usleep(1000);
	set(&d->running, false);
	rte_thread_join(d->thread, NULL);
	d->counts.lost = under_way(d);
	return d->counts.lost == 0 ? 0 : -ETIMEDOUT;
}

void
disk_counts_get(const struct disk *d, struct disk_counts *c)
{
	unsigned int i;

	/* each count is one word that the thread writes whole */
	for (i = 0; i < sizeof(*c) / sizeof(uint64_t); i++)
		((uint64_t *)c)[i] = get(&((const uint64_t *)&d->counts)[i]);
}

void
disk_gap_reset(struct disk *d)
{
	set(&d->counts.gap_max, 0);
}

int
disk_wait_flow(struct disk *d, int timeout_ms)
{
	const uint64_t before = get(&d->last_return), end = clock_ns() + timeout_ms * 1000000ull;

	while (get(&d->last_return) == before) {
		if (clock_ns() >= end) {
			disk_complain(d, "no request returned in %d ms", timeout_ms);
			return -ETIMEDOUT;
		}
		usleep(50);
	}
	return 0;
}
