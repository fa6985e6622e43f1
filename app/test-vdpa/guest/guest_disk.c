/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_bitops.h>
#include <rte_common.h>
#include <rte_errno.h>
#include <rte_thread.h>

#include "clock.h"
#include "guest_disk.h"
#include "guest_disk_codec.h"
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

#define get(p) rte_atomic_load_explicit(p, rte_memory_order_relaxed)
#define set(p, v) rte_atomic_store_explicit(p, v, rte_memory_order_relaxed)

void
disk_complain(struct disk *d, const char *fmt, ...)
{
	va_list ap;

	if (d->why[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(d->why, sizeof(d->why), fmt, ap);
	va_end(ap);
}

void
disk_count(uint64_t *count)
{
	set(count, *count + 1);
}

const char *
disk_error(const struct disk *d)
{
	return d->why[0] != '\0' ? d->why : NULL;
}

const struct disk_codec *
disk_codec_find(const char *name)
{
	static const struct disk_codec *const codecs[] = { &disk_codec_blk, &disk_codec_scsi };
	unsigned int i;

	for (i = 0; i < RTE_DIM(codecs); i++) {
		if (strcmp(codecs[i]->name, name) == 0)
			return codecs[i];
	}
	return NULL;
}

/* ---- memory ---- */

static int
queue_create(struct disk *d, uint16_t q)
{
	struct disk_queue *dq = &d->queues[q];
	struct guest_ring *r = &dq->ring;
	uint64_t desc, driver, device;

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
	dq->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	dq->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	dq->base = d->conf.packed ? DISK_PACKED_FRESH_BASE : 0;
	if (r->tables_gpa == 0 || dq->kick < 0 || dq->call < 0)
		return -ENOMEM;
	return guest_ring_alloc(r);
}

/* What a queue of requests has besides. */
static int
requests_create(struct disk *d, uint16_t q)
{
	struct disk_queue *dq = &d->queues[q];
	uint16_t i;

	dq->slots_gpa = guest_mem_reserve(&d->mem, (uint64_t)d->conf.depth * SLOT_BYTES, 4096);
	dq->seq = calloc(d->conf.blocks, sizeof(*dq->seq));
	dq->busy = calloc(d->conf.blocks, sizeof(*dq->busy));
	dq->zero = calloc(d->conf.blocks, sizeof(*dq->zero));
	dq->rnd = d->conf.seed + q - d->first;
	for (i = 0; i < d->conf.depth; i++)
		dq->free[dq->nb_free++] = i;
	return dq->slots_gpa != 0 && dq->seq != NULL && dq->busy != NULL && dq->zero != NULL ?
		0 : -ENOMEM;
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

void
disk_conf_size(struct disk_conf *conf, uint16_t depth)
{
	conf->depth = depth;
	conf->blocks = RTE_MAX(2u * depth, 256u);
	conf->ring_size = rte_align32pow2(RTE_MAX(depth * (conf->indirect ? 1u : SEGS_MAX), 8u));
}

static bool
conf_ok(const struct disk_conf *c)
{
	return c->codec != NULL && c->queues >= 1 && c->queues <= DISK_MAX_QUEUES &&
		c->depth >= 1 && c->depth <= DISK_MAX_DEPTH && c->blocks >= 2u * c->depth &&
		c->ring_size >= 8 && c->ring_size >= c->depth * (c->indirect ? 1 : SEGS_MAX) &&
		(c->packed || (c->ring_size & (c->ring_size - 1)) == 0);
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
	d->first = conf->codec->first_vq;
	d->nb_vqs = d->first + conf->queues;
	d->region_fd = d->listener = -1;
	d->links[0].fe.fd = d->links[1].fe.fd = -1;
	guest_mem_init(&d->mem);
	/* disk_destroy() closes those that are not open */
	for (q = 0; q < d->nb_vqs; q++)
		d->queues[q].kick = d->queues[q].call = -1;
	for (q = 0; q < d->nb_vqs && ret == 0; q++) {
		ret = queue_create(d, q);
		if (ret == 0 && q >= d->first)
			ret = requests_create(d, q);
	}
	if (ret == 0 && conf->codec->own_reserve != NULL)
		ret = conf->codec->own_reserve(d);
	if (ret == 0)
		ret = memory_commit(d);
	if (ret == 0) {
		for (q = 0; q < d->nb_vqs; q++) {
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
	for (q = 0; q < d->nb_vqs; q++) {
		guest_ring_free(&d->queues[q].ring);
		free(d->queues[q].seq);
		free(d->queues[q].busy);
		free(d->queues[q].zero);
		if (d->queues[q].kick >= 0)
			close(d->queues[q].kick);
		if (d->queues[q].call >= 0)
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
	return (uint64_t)(dq - d->queues - d->first) * d->conf.blocks + block;
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

	for (q = d->first; q < d->nb_vqs; q++) {
		dq = &d->queues[q];
		for (i = 0; i < d->conf.depth && n < max; i++) {
			if (dq->slots[i].out && dq->slots[i].op == DISK_WRITE)
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

static bool
can_zero(const struct disk *d)
{
	const uint64_t needs = d->conf.codec->zero_feature;

	return d->conf.zeroes && (d->features & needs) == needs;
}

static void
op_pick(struct disk *d, struct disk_queue *dq, struct disk_slot *s)
{
	const uint32_t dice = guest_rnd(&dq->rnd, 32);

	s->op = d->conf.reads_only || dice < 14 ? DISK_READ : dice < 31 ? DISK_WRITE : DISK_FLUSH;
	if (s->op == DISK_FLUSH)
		return;
	s->block = block_pick(d, dq);
	/* nothing is known of a block that was never written */
	if (!d->conf.reads_only && dq->seq[s->block] == 0)
		s->op = DISK_WRITE;
	else if (s->op == DISK_WRITE && dice == 30 && can_zero(d))
		s->op = DISK_ZERO;
	s->seq = dq->seq[s->block] + 1;
	dq->busy[s->block] = true;
}

static uint16_t
segs_build(struct disk *d, struct disk_queue *dq, const struct disk_slot *s, uint64_t gpa,
		struct guest_seg *segs)
{
	const struct disk_codec *codec = d->conf.codec;
	const struct guest_seg resp = { gpa + DISK_RESP_AT, codec->resp_len, true };
	const bool first = codec->resp_first && s->op == DISK_READ;
	const uint32_t size = s->op == DISK_READ || s->op == DISK_WRITE ? DISK_BLOCK : 0;
	const uint64_t data = gpa + DISK_BLOCK;
	uint16_t n = 0, pieces = 0;
	uint32_t at, len;

	segs[n++] = (struct guest_seg){ gpa, codec->hdr_len, false };
	if (first)
		segs[n++] = resp;
	if (s->op == DISK_ZERO && codec->zero_len > 0)
		segs[n++] = (struct guest_seg){ data, codec->zero_len, false };
	for (at = 0; at < size; at += len, pieces++) {
		len = size - at;
		if (!d->conf.reads_only && pieces < 3 && guest_rnd(&dq->rnd, 4) == 0)
			len = 1 + guest_rnd(&dq->rnd, len);
		segs[n++] = (struct guest_seg){ data + at, len, s->op == DISK_READ };
	}
	if (!first)
		segs[n++] = resp;
	return n;
}

/* Make the request of a slot available. @return false: no room in the ring */
static bool
request_send(struct disk *d, struct disk_queue *dq, uint16_t i)
{
	const struct disk_codec *codec = d->conf.codec;
	const uint64_t gpa = dq->slots_gpa + (uint64_t)i * SLOT_BYTES;
	struct disk_slot *s = &dq->slots[i];
	uint8_t hdr[DISK_RESP_AT] = { 0 }, range[DISK_RESP_AT] = { 0 };
	struct guest_seg segs[SEGS_MAX];
	uint8_t none[DISK_RESP_MAX];
	uint64_t number = 0;
	uint16_t n;

	if (s->op != DISK_FLUSH)
		number = block_number(d, dq, s->block);
	codec->hdr_fill(dq, s, number, hdr);
	guest_mem_write(&d->mem, gpa, hdr, codec->hdr_len);
	memset(none, 0xee, codec->resp_len);
	guest_mem_write(&d->mem, gpa + DISK_RESP_AT, none, codec->resp_len);
	if (s->op == DISK_WRITE)
		data_fill(d, gpa + DISK_BLOCK, number, s->seq);
	if (s->op == DISK_ZERO && codec->zero_len > 0) {
		codec->zero_fill(number, range);
		guest_mem_write(&d->mem, gpa + DISK_BLOCK, range, codec->zero_len);
	}
	n = segs_build(d, dq, s, gpa, segs);
	if (dq->ring.ops->add(&dq->ring, segs, n, i, d->conf.indirect) != 0)
		return false;
	s->order = dq->added++;
	s->out = true;
	dq->nb_sent++;
	return true;
}

static bool
request_add(struct disk *d, struct disk_queue *dq)
{
	const uint16_t i = dq->free[dq->nb_free - 1];
	struct disk_slot *s = &dq->slots[i];

	op_pick(d, dq, s);
	if (!request_send(d, dq, i)) {
		if (s->op != DISK_FLUSH)
			dq->busy[s->block] = false;
		return false;
	}
	dq->nb_free--;
	return true;
}

void
disk_queue_publish(struct disk *d, uint16_t q)
{
	struct disk_queue *dq = &d->queues[q];
	const uint64_t one = 1;

	if (dq->nb_sent > 0 && dq->ring.ops->publish(&dq->ring) &&
			write(dq->kick, &one, sizeof(one)) < 0 && errno != EAGAIN)
		disk_complain(d, "kick of queue %u failed", q);
	dq->nb_sent = 0;
}

/* The device promises that a flush waits for all reads and writes before it, of its queue. */
static void
order_check(struct disk *d, const struct disk_queue *dq, const struct disk_slot *flush)
{
	uint16_t i;

	for (i = 0; i < d->conf.depth; i++) {
		if (!dq->slots[i].out || dq->slots[i].op == DISK_FLUSH ||
				dq->slots[i].order >= flush->order)
			continue;
		disk_count(&d->counts.unordered);
		disk_complain(d, "a flush returned before a request that is older by %" PRIu64,
				flush->order - dq->slots[i].order);
		return;
	}
}

static bool
is_zero(const uint64_t *words)
{
	unsigned int i;

	for (i = 0; i < WORDS && words[i] == 0; i++)
		;
	return i == WORDS;
}

static void
data_check(struct disk *d, struct disk_queue *dq, const struct disk_slot *s, uint64_t gpa)
{
	const uint64_t number = block_number(d, dq, s->block), seq = dq->seq[s->block];
	uint64_t words[WORDS];
	unsigned int i;

	guest_mem_read(&d->mem, gpa + DISK_BLOCK, words, sizeof(words));
	if (dq->zero[s->block] && is_zero(words))
		return;
	for (i = 2; i < WORDS; i += 2) {
		if (words[i] == words[0] && words[i + 1] == words[1])
			continue;
		disk_count(&d->counts.torn);
		disk_complain(d, "block %" PRIu64 " is torn: sequence %" PRIu64 " and %" PRIu64,
				number, words[1], words[i + 1]);
		return;
	}
	if (words[0] != number) {
		disk_count(&d->counts.misplaced);
		disk_complain(d, "block %" PRIu64 " has the data of block %" PRIu64, number,
				words[0]);
	} else if (words[1] != seq || dq->zero[s->block]) {
		disk_count(&d->counts.stale);
		disk_complain(d, "block %" PRIu64 " has sequence %" PRIu64 ", not %s %" PRIu64, number,
				words[1], dq->zero[s->block] ? "the zeros of" : "that of", seq);
	}
}

static void
return_note(struct disk *d)
{
	const uint64_t now = clock_ns();

	if (d->last_return != 0 && now - d->last_return > d->counts.gap_max)
		set(&d->counts.gap_max, now - d->last_return);
	set(&d->last_return, now);
}

static void
request_return(struct disk *d, struct disk_queue *dq, uint32_t i)
{
	static const char *const names[] = { "read", "write", "flush", "change to zeros" };
	const uint64_t gpa = dq->slots_gpa + (uint64_t)i * SLOT_BYTES;
	const struct disk_codec *codec = d->conf.codec;
	struct disk_slot *s = &dq->slots[i];
	uint8_t resp[DISK_RESP_MAX];
	enum disk_verdict verdict;
	char why[64];

	guest_mem_read(&d->mem, gpa + DISK_RESP_AT, resp, codec->resp_len);
	verdict = codec->resp_judge(resp, why, sizeof(why));
	s->out = false;
	if (verdict == DISK_AGAIN && request_send(d, dq, i)) {
		disk_count(&d->counts.repeated);
		return;
	}
	return_note(d);
	if (verdict != DISK_DONE) {
		disk_count(&d->counts.errors);
		disk_complain(d, "a %s returned with %s", names[s->op], verdict == DISK_FAILED ?
				why : "nothing, and cannot be sent again");
	}
	if (s->op == DISK_FLUSH) {
		disk_count(&d->counts.flushes);
		order_check(d, dq, s);
	} else if (s->op != DISK_READ) {
		disk_count(s->op == DISK_ZERO ? &d->counts.zeroes : &d->counts.writes);
		dq->seq[s->block] = s->seq;
		dq->zero[s->block] = s->op == DISK_ZERO;
		dq->busy[s->block] = false;
	} else {
		disk_count(&d->counts.reads);
		if (!d->conf.reads_only && verdict == DISK_DONE)
			data_check(d, dq, s, gpa);
		dq->busy[s->block] = false;
	}
	dq->free[dq->nb_free++] = i;
}

unsigned int
disk_fill(struct disk *d)
{
	unsigned int all = 0;
	uint16_t q;

	for (q = d->first; q < d->nb_vqs; q++) {
		struct disk_queue *dq = &d->queues[q];

		while (dq->nb_free > 0 && request_add(d, dq))
			all++;
		disk_queue_publish(d, q);
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

	for (q = d->first; q < d->nb_vqs; q++) {
		struct disk_queue *dq = &d->queues[q];

		while ((ret = dq->ring.ops->take(&dq->ring, &i, &len)) != 0) {
			if (ret == 1) {
				request_return(d, dq, i);
				n++;
				continue;
			}
			disk_count(&d->counts.doubled);
			disk_complain(d, "queue %u: the device used a buffer that it did not own", q);
			if (ret == -EIO)
				break;
		}
		disk_queue_publish(d, q);
	}
	return n;
}

/* ---- the thread ---- */

static uint64_t
under_way(const struct disk *d)
{
	uint64_t n = d->own.out;
	uint16_t q;

	for (q = d->first; q < d->nb_vqs; q++)
		n += d->conf.depth - d->queues[q].nb_free;
	return n;
}

static uint32_t
disk_main(void *arg)
{
	struct disk *d = arg;
	const struct disk_codec *codec = d->conf.codec;
	unsigned int n;

	while (!get(&d->stop) || under_way(d) > 0) {
		n = codec->own_drain != NULL ? codec->own_drain(d) : 0;
		n += disk_drain(d);
		if (codec->own_check != NULL)
			codec->own_check(d);
		if (get(&d->stop) && get(&d->running) == false)
			break;
		if (!get(&d->stop)) {
			n += disk_fill(d);
			if (codec->own_fill != NULL)
				codec->own_fill(d);
		}
		set(&d->counts.under_way, under_way(d));
		/* a driver that measures must not add the time of a sleep */
		if (n == 0 && !d->conf.reads_only)
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

bool
disk_counts_are_wrong(const struct disk_counts *c)
{
	return (c->errors | c->stale | c->torn | c->misplaced | c->unordered | c->doubled |
		c->lost) != 0;
}

const char *
disk_count_get(const struct disk_counts *c, unsigned int i, uint64_t *value)
{
	const struct {
		const char *name;
		uint64_t value;
	} counts[] = {
		{ "reads", c->reads }, { "writes", c->writes }, { "flushes", c->flushes },
		{ "zeroes", c->zeroes },
		{ "repeated", c->repeated }, { "functions", c->functions },
		{ "resets", c->resets }, { "events", c->events },
		{ "lost", c->lost }, { "doubled", c->doubled }, { "stale", c->stale },
		{ "torn", c->torn }, { "misplaced", c->misplaced },
		{ "unordered", c->unordered }, { "errors", c->errors },
	};

	if (i >= RTE_DIM(counts))
		return NULL;
	*value = counts[i].value;
	return counts[i].name;
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
