/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * Fuzzer of what another process left: a state file with records of positions, or an in-flight
 * region of a front end, over a ring that is in any state. The input has the fields of both, mostly
 * near right ones, and then changes any bytes.
 *
 * A device starts with that, serves a burst, and stops. It must not touch a byte outside, must not
 * hang, and must have a valid state when it stopped.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include <rte_bitops.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_memory.h>
#include <rte_string_fns.h>

#include "fuzz_driver.h"
#include "fuzz_pool.h"
#include "rte_vhost_state.h"
#include "vstate_probe.h"
#include "dev/vstate_conf.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_poller.h"
#include "dev/vstate_setup.h"
#include "dev/vstate_start.h"
#include "dev/vstate_state.h"
#include "dev/vstate_watch.h"
#include "handover/vstate_handover.h"
#include "handover/vstate_inflight_shm.h"
#include "handover/vstate_state_file.h"
#include "net/vstate_net_class.h"
#include "net/vstate_net_conf.h"
#include "net/vstate_net_vq.h"
#include "ring/vstate_inflight.h"
#include "ring/vstate_lease.h"
#include "ring/vstate_ring.h"

#define NAME "fuzz"
#define SIZE 16
#define STEPS_MAX 40
/* As vstate_state_file.c has them. */
#define FILE_MAGIC_SIZE 8
#define VQS_OFFSET 4096
#define MAP_SIZE 65536
#define PLACE_SIZE (16l << 20)
#define STATE_MAX 4096

static struct {
	struct vstate_conf plain, with_file;
	char path[320];
	struct rte_mempool *pool;
	/** A state and a head of a file of each layout. */
	struct rte_vhost_state *st[2];
	struct vstate_state_file_head head[2];
	/** Without a state file, kept from input to input. */
	struct vstate_dev *dev;
} f;

struct run {
	struct fuzz_driver d;
	struct vstate_setup setup;
	struct vstate_dev *dev;
	struct vstate_vq *vq;
	bool put, race;
};

static uint64_t
features_get(bool packed)
{
	return RTE_BIT64(VIRTIO_F_VERSION_1) | RTE_BIT64(VIRTIO_NET_F_MRG_RXBUF) |
		RTE_BIT64(VIRTIO_RING_F_INDIRECT_DESC) |
		(packed ? RTE_BIT64(VIRTIO_F_RING_PACKED) : 0);
}

/* ---- the device ---- */

static void
setup_make(struct run *r)
{
	struct vstate_ring_setup *ring = &r->setup.rings[r->put ? 0 : 1];

	memset(&r->setup, 0, sizeof(r->setup));
	r->setup.features = features_get(r->d.packed);
	r->setup.mem = fuzz_guest.mem;
	ring->ready = ring->base_fresh = true;
	ring->size = SIZE;
	ring->desc = fuzz_guest.areas[FUZZ_DESC].hva;
	ring->driver = fuzz_guest.areas[FUZZ_DRIVER].hva;
	ring->device = fuzz_guest.areas[FUZZ_DEVICE].hva;
	ring->callfd = ring->kickfd = -1;
	ring->avail.idx = ring->used.idx = r->d.next;
	ring->avail.wrap = ring->used.wrap = r->d.wrap;
}

static struct vstate_dev *
device_make(const struct vstate_conf *conf)
{
	struct vstate_dev *dev = vstate_probe_make(NAME, conf, &vstate_net_class, SOCKET_ID_ANY);

	if (dev != NULL)
		vstate_poller_set(dev, VSTATE_POLLER_PORT, NULL, NULL);
	return dev;
}

static void
burst_run(struct run *r)
{
	struct vstate_net_vq *nq = vstate_net_vq_of(r->vq);
	static const uint8_t bytes[700];
	struct rte_mbuf *pkts[8];
	uint16_t n;

	if (!vstate_lease_take(&r->vq->lease))
		return;
	if (r->put) {
		for (n = 0; n < RTE_DIM(pkts); n++) {
			pkts[n] = fuzz_frame_make(f.pool, bytes, 60 + n * 80, FUZZ_POOL_ROOM);
			fuzz_require(pkts[n] != NULL, "there are mbufs");
		}
		nq->ops->put(nq, pkts, n, 0);
	} else {
		n = nq->ops->take(nq, f.pool, pkts, RTE_DIM(pkts));
		nq->ops->give(nq, n);
	}
	rte_pktmbuf_free_bulk(pkts, n);
	vstate_lease_give(&r->vq->lease);
}

static void
state_check(struct run *r)
{
	struct rte_vhost_state *st = vstate_state_collect(r->dev);
	struct rte_vhost_state_error err = { 0 };
	char text[256];

	fuzz_require(st != NULL, "a device that stopped has a state");
	if (rte_vhost_state_validate(st, &err) != 0) {
		rte_vhost_state_error_format(&err, text, sizeof(text));
		fprintf(stderr, "%s\n", text);
		fuzz_require(false, "the state is valid");
	}
	rte_vhost_state_free(st);
}

static void
device_run(struct run *r, struct fuzz_in *in)
{
	if (r->race)
		fuzz_race_begin(in);
	vstate_start(r->dev, &r->setup);
	fuzz_race_end();
	burst_run(r);
	burst_run(r);
	vstate_start_end(r->dev, false);
	state_check(r);
	vstate_start_disconnect(r->dev, false);
}

/* ---- the ring ---- */

static void
ring_draw(struct run *r, struct fuzz_in *in)
{
	const uint8_t how = fuzz_u8(in);
	uint16_t idx = fuzz_u16(in);
	unsigned int i;
	uint8_t op;

	memset(&r->d, 0, sizeof(r->d));
	r->d.packed = how & 1;
	r->put = how & 2;
	r->race = how & 4;
	r->d.indirect = true;
	r->d.size = SIZE;
	r->d.hdr_len = 12;
	r->d.direction = r->put ? VRING_DESC_F_WRITE : 0;
	fuzz_guest_make(r->d.packed, SIZE);
	fuzz_driver_seek(&r->d, r->d.packed ? idx % SIZE : idx, how >> 3 & 1);
	setup_make(r);
	for (i = 0; i < how >> 4; i++) {
		op = fuzz_u8(in);
		fuzz_driver_step(&r->d, in, op);
	}
	if (fuzz_u8(in) & 1 && !r->d.packed) {
		idx = r->setup.rings[r->put ? 0 : 1].avail.idx + (fuzz_u8(in) & 31);
		fuzz_guest_write(fuzz_guest.areas[FUZZ_DEVICE].gpa + 2, &idx, 2);
	}
}

static void
bytes_change(struct fuzz_in *in, uint8_t *bytes, size_t len)
{
	unsigned int i;

	for (i = 0; i < 8 && fuzz_u8(in) & 1; i++)
		bytes[fuzz_u16(in) % len] = fuzz_u8(in);
}

/* A position near the one of the ring. */
static struct vstate_pos
pos_draw(const struct run *r, struct fuzz_in *in)
{
	const uint8_t how = fuzz_u8(in);
	struct vstate_pos pos = r->setup.rings[r->put ? 0 : 1].avail;

	if (how & 0x80)
		return (struct vstate_pos){ fuzz_u16(in), fuzz_u8(in) };
	if (!r->d.packed) {
		pos.idx += how & 15;
		return pos;
	}
	vstate_pos_step(&pos, how & 15, SIZE);
	pos.wrap ^= how >> 6 & 1;
	return pos;
}

/* ---- an in-flight region ---- */

static void
region_draw(struct run *r, struct fuzz_in *in, uint8_t *region, uint16_t nb)
{
	union vstate_inflight_head *head = (void *)region;
	unsigned int i, n = fuzz_u8(in) % (nb + 1);
	const uint8_t how = fuzz_u8(in);

	head->split.version = how & 1 ? fuzz_u8(in) : 1;
	head->split.desc_num = how & 2 ? fuzz_u16(in) : nb;
	if (!r->d.packed) {
		head->split.last_batch_head = fuzz_u8(in) % (nb + 2);
		head->split.used_idx = pos_draw(r, in).idx;
		for (i = 0; i < n; i++) {
			struct vstate_inflight_split_desc *s =
				&vstate_inflight_split_descs(&head->split)[fuzz_u8(in) % nb];

			s->inflight = 1;
			s->counter = fuzz_u8(in);
			s->next = fuzz_u8(in) % (nb + 2);
		}
		return;
	}
	head->packed.free_head = fuzz_u8(in) % (nb + 2);
	head->packed.old_free_head = how & 4 ? fuzz_u8(in) % (nb + 2) : head->packed.free_head;
	head->packed.pos = vstate_inflight_head_word(pos_draw(r, in), pos_draw(r, in));
	for (i = 0; i < nb; i++)
		vstate_inflight_packed_descs(&head->packed)[i].next = i + 1;
	for (i = 0; i < n; i++) {
		struct vstate_inflight_packed_desc *p =
			&vstate_inflight_packed_descs(&head->packed)[fuzz_u8(in) % nb];

		p->inflight = fuzz_u8(in) & 1;
		p->next = fuzz_u8(in) % (nb + 2);
		p->last = how & 8 ? fuzz_u8(in) % (nb + 2) : p - vstate_inflight_packed_descs(
				&head->packed);
		p->num = fuzz_u8(in) & 0x80 ? fuzz_u16(in) : 1 + fuzz_u8(in) % 3;
		p->counter = fuzz_u8(in);
		p->id = fuzz_u8(in) % (SIZE + 1);
		p->flags = (r->put ? VRING_DESC_F_WRITE : 0) | (fuzz_u8(in) & 7);
		p->addr = fuzz_guest_addr(in);
		p->len = fuzz_driver_len(&r->d, in);
	}
}

static void
region_try(struct run *r, struct fuzz_in *in)
{
	const uint8_t how = fuzz_u8(in);
	struct vstate_inflight_shm_geometry g = { .num_queues = how & 1 ? 1 : 2,
		.queue_size = how & 2 ? SIZE - 1 + (how >> 2 & 3) : SIZE };
	uint8_t *region;
	int fd;

	r->dev = f.dev;
	r->vq = f.dev->vqs[r->put ? 0 : 1];
	vstate_start_connect(f.dev);
	vstate_start_negotiate(f.dev, r->setup.features, false);
	fd = vstate_inflight_shm_make(f.dev, &g, r->d.packed);
	fuzz_require(fd >= 0, "a region can be made");
	region = mmap(NULL, g.mmap_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	fuzz_require(region != MAP_FAILED, "a region can be mapped");
	region_draw(r, in, region + (g.num_queues == 2 && !r->put ? g.mmap_size / 2 : 0),
			g.queue_size);
	bytes_change(in, region, g.mmap_size);
	munmap(region, g.mmap_size);
	if (how & 0x10) {
		g.mmap_size = fuzz_u64(in);
		g.mmap_offset = fuzz_u64(in);
		g.num_queues = fuzz_u8(in);
		g.queue_size = fuzz_u16(in);
	}
	vstate_inflight_shm_set(f.dev, &g, fd, how & 0x20 ? !r->d.packed : r->d.packed);
	close(fd);
	device_run(r, in);
	fuzz_require(f.dev->handover->inflight_shm == NULL, "a disconnect drops the region");
}

/* ---- a state file ---- */

/* Buffers in flight of a state: nearly as the library wants them. */
static void
state_inflight_draw(struct run *r, struct fuzz_in *in, struct rte_vhost_state *st, uint16_t qid)
{
	struct rte_vhost_state_vq *sv = &st->vqs[qid];
	const uint16_t n = fuzz_u8(in) & 3, num = r->d.packed ? 1 + (fuzz_u8(in) & 1) : 1;
	struct vstate_pos at = { sv->used_idx, sv->used_wrap };
	uint16_t i, k;

	if (rte_vhost_state_vq_inflight_alloc(st, qid, n) != 0 ||
			rte_vhost_state_vq_inflight_descs_alloc(st, qid,
				r->d.packed ? n * num : 0) != 0)
		return;
	for (i = 0; i < n; i++) {
		sv->inflight[i] = (struct rte_vhost_state_inflight){ .id = fuzz_u8(in) % SIZE,
			.num = num, .counter = fuzz_u8(in) };
		sv->inflight[i].head = r->d.packed ? at.idx : sv->inflight[i].id;
		for (k = 0; r->d.packed && k < num; k++)
			sv->inflight_descs[i * num + k] = (struct rte_vhost_state_desc){
				.addr = fuzz_guest_addr(in), .len = fuzz_driver_len(&r->d, in),
				.id = sv->inflight[i].id,
				.flags = r->d.direction | (k + 1 < num ? VRING_DESC_F_NEXT : 0) };
		if (r->d.packed)
			vstate_pos_step(&at, num, SIZE);
		else
			at.idx++;
	}
	sv->avail_idx = at.idx;
	sv->avail_wrap = at.wrap;
}

/* @return length of the encoded state; 0: it is not valid */
static size_t
state_draw(struct run *r, struct fuzz_in *in, uint8_t *bytes)
{
	struct rte_vhost_state *st = rte_vhost_state_copy(f.st[r->d.packed]);
	const uint16_t qid = r->put ? 0 : 1;
	struct vstate_pos pos = pos_draw(r, in);
	size_t len = 0;

	fuzz_require(st != NULL, "memory");
	/* the ring is that of the other queue in the state that was collected */
	if (r->put) {
		st->vqs[0] = st->vqs[1];
		memset(&st->vqs[1], 0, sizeof(st->vqs[1]));
	}
	st->vqs[qid].used_idx = st->vqs[qid].avail_idx = pos.idx;
	st->vqs[qid].used_wrap = st->vqs[qid].avail_wrap = pos.wrap;
	if (fuzz_u8(in) & 1)
		state_inflight_draw(r, in, st, qid);
	if (rte_vhost_state_encode(st, bytes, STATE_MAX, &len, NULL) != 0)
		len = 0;
	rte_vhost_state_free(st);
	return len;
}

/* Write the file as a killed process left it. False: nothing of interest. */
static bool
file_write(struct run *r, struct fuzz_in *in)
{
	static uint8_t map[VQS_OFFSET + 2 * sizeof(struct vstate_state_file_vq)];
	struct vstate_state_file_head *head = (void *)map;
	struct vstate_state_file_vq *rec = (void *)(map + VQS_OFFSET);
	uint8_t bytes[STATE_MAX];
	size_t len = state_draw(r, in, bytes);
	const uint8_t how = fuzz_u8(in);
	int fd;

	if (len == 0)
		return false;
	memset(map, 0, sizeof(map));
	memcpy(head, &f.head[r->d.packed], sizeof(*head));
	head->seq = how & 3;
	head->active = !(how & 0x80) || (how & 4);
	head->state_len[how & 1] = len;
	rec += r->put ? 0 : 1;
	rec->seq = how & 8 ? head->seq : fuzz_u8(in);
	rec->left = fuzz_u8(in) & 0x80 ? fuzz_u32(in) :
		vstate_inflight_left(fuzz_u8(in) & 3, fuzz_u8(in) & 3);
	rec->elsewhere = how & 0x70 ? 0 : fuzz_u8(in);
	if (r->d.packed)
		rec->head.packed.pos = vstate_inflight_head_word(pos_draw(r, in), pos_draw(r, in));
	else
		rec->head.split.used_idx = pos_draw(r, in).idx;
	/* behind the magic, without which it is no state file */
	bytes_change(in, map + FILE_MAGIC_SIZE, sizeof(map) - FILE_MAGIC_SIZE);
	bytes_change(in, bytes, len);
	fd = open(f.path, O_RDWR | O_CREAT, 0600);
	fuzz_require(fd >= 0 && pwrite(fd, map, sizeof(map), 0) == (ssize_t)sizeof(map) &&
			pwrite(fd, bytes, len, MAP_SIZE + (how & 1) * PLACE_SIZE) == (ssize_t)len &&
			ftruncate(fd, MAP_SIZE + 2 * PLACE_SIZE) == 0, "the file can be written");
	close(fd);
	return true;
}

static void
file_try(struct run *r, struct fuzz_in *in)
{
	if (!file_write(r, in))
		return;
	r->dev = device_make(&f.with_file);
	fuzz_require(r->dev != NULL, "a device starts with any state file");
	r->vq = r->dev->vqs[r->put ? 0 : 1];
	vstate_start_connect(r->dev);
	vstate_start_negotiate(r->dev, r->setup.features, false);
	device_run(r, in);
	vstate_probe_unmake(r->dev);
}

/* ---- templates ---- */

/* The state and the file of a device that runs. */
static void
template_make(bool packed)
{
	struct run r = { .d = { .packed = packed, .size = SIZE } };
	int fd;

	fuzz_guest_make(packed, SIZE);
	fuzz_driver_seek(&r.d, 0, packed);
	setup_make(&r);
	r.dev = device_make(&f.with_file);
	fuzz_require(r.dev != NULL, "a device can be made");
	vstate_start_connect(r.dev);
	vstate_start_negotiate(r.dev, r.setup.features, false);
	vstate_start(r.dev, &r.setup);
	fd = open(f.path, O_RDONLY);
	fuzz_require(fd >= 0 && pread(fd, &f.head[packed], sizeof(f.head[0]), 0) ==
			(ssize_t)sizeof(f.head[0]), "there is a state file");
	close(fd);
	vstate_start_end(r.dev, false);
	f.st[packed] = vstate_state_collect(r.dev);
	fuzz_require(f.st[packed] != NULL && f.st[packed]->vqs[1].size == SIZE,
			"a device has a state");
	vstate_start_disconnect(r.dev, false);
	vstate_probe_unmake(r.dev);
	unlink(f.path);
}

static void
dir_remove(void)
{
	unlink(f.path);
	rmdir(f.with_file.state_dir);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	RTE_SET_USED(argc);
	RTE_SET_USED(argv);
	fuzz_lasting(true);
	fuzz_eal_start();
	f.pool = fuzz_pool_make();
	vstate_lease_init();
	fuzz_require(vstate_watch_get() == 0, "the watch thread starts");
	f.plain = (struct vstate_conf){ .queues = 1, .numa = SOCKET_ID_ANY, .socket_mode = -1,
		.socket_group = -1 };
	vstate_net_conf(&f.plain)->mtu = 1500;
	f.with_file = f.plain;
	rte_strscpy(f.with_file.state_dir, access("/dev/shm", W_OK) == 0 ?
			"/dev/shm/vstate-fuzz.XXXXXX" : "/tmp/vstate-fuzz.XXXXXX",
			sizeof(f.with_file.state_dir));
	fuzz_require(mkdtemp(f.with_file.state_dir) != NULL, "a directory");
	snprintf(f.path, sizeof(f.path), "%s/" NAME ".vstate", f.with_file.state_dir);
	atexit(dir_remove);
	template_make(false);
	template_make(true);
	f.dev = vstate_probe_make("fuzz_region", &f.plain, &vstate_net_class, SOCKET_ID_ANY);
	fuzz_require(f.dev != NULL, "a device can be made");
	vstate_poller_set(f.dev, VSTATE_POLLER_PORT, NULL, NULL);
	fuzz_lasting(false);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run r;
	struct fuzz_in in = { data, data + size };
	const uint8_t how = fuzz_u8(&in);
	const int free_fd = fuzz_free_fd();

	ring_draw(&r, &in);
	if (how & 1)
		region_try(&r, &in);
	else
		file_try(&r, &in);
	fuzz_pool_require_full(f.pool);
	fuzz_require(fuzz_free_fd() == free_fd, "no descriptor is left open");
	return 0;
}
