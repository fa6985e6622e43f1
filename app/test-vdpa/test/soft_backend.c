/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include <rte_thread.h>

#include "guest_mem.h"
#include "soft_backend.h"
#include "vhost_user_fe.h"
#include "vstate_compat.h"

#define MAX_VQS 16
#define MAX_FRAME 70000
#define EVERY 499
/* Longest wait for a frame that can be dropped. */
#define LOSE_MS 5000
#define F_AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define F_USED (1u << VRING_PACKED_DESC_F_USED)

struct soft_vq {
	uint16_t size, avail, used;
	bool avail_wrap, used_wrap, enabled;
	struct vu_vring_addr addr;
	int call;
};

struct soft_backend {
	enum soft_fault fault;
	rte_thread_t thread;
	int listener, sock;
	bool quit, freeze, running;
	uint64_t features, status;
	struct vu_mem_table mem;
	void *maps[GUEST_MEM_MAX_REGIONS];
	size_t map_len[GUEST_MEM_MAX_REGIONS];
	struct soft_vq vqs[MAX_VQS];
	/** A frame of pair 0 held back. */
	uint8_t held[MAX_FRAME];
	uint32_t held_len;
	/**
	 * Frames that were sent back, by pair: the faults of a pair do not depend on other pairs.
	 */
	uint64_t frames[MAX_VQS / 2];
};

/* ---- memory ---- */

static void *
by_gpa(struct soft_backend *b, uint64_t gpa, uint32_t *len)
{
	uint32_t i;

	for (i = 0; i < b->mem.nb_regions; i++) {
		const struct vu_mem_region *r = &b->mem.regions[i];

		if (gpa - r->gpa >= r->size)
			continue;
		if (*len > r->size - (gpa - r->gpa))
			*len = r->size - (gpa - r->gpa);
		return (uint8_t *)b->maps[i] + r->mmap_offset + (gpa - r->gpa);
	}
	return NULL;
}

static void *
by_user(struct soft_backend *b, uint64_t addr)
{
	uint32_t i;

	for (i = 0; i < b->mem.nb_regions; i++) {
		const struct vu_mem_region *r = &b->mem.regions[i];

		if (addr - r->user_addr < r->size)
			return (uint8_t *)b->maps[i] + r->mmap_offset + (addr - r->user_addr);
	}
	return NULL;
}

static void
guest_copy(struct soft_backend *b, uint64_t gpa, uint8_t *buf, uint32_t len, bool to_guest)
{
	while (len != 0) {
		uint32_t n = len;
		void *p = by_gpa(b, gpa, &n);

		if (p == NULL)
			return;
		memcpy(to_guest ? p : buf, to_guest ? buf : p, n);
		gpa += n;
		buf += n;
		len -= n;
	}
}

/* ---- rings ---- */

static bool
is_packed(const struct soft_backend *b)
{
	return (b->features >> VIRTIO_F_RING_PACKED) & 1;
}

/* Dequeue the next available buffer: address, length and ID. */
static bool
avail_take(struct soft_backend *b, struct soft_vq *vq, uint64_t *gpa, uint32_t *len, uint16_t *id)
{
	struct vring_packed_desc *pd = by_user(b, vq->addr.desc);
	struct vring_desc *sd = by_user(b, vq->addr.desc);
	struct vring_avail *avail = by_user(b, vq->addr.avail);
	uint16_t flags;

	if (!is_packed(b)) {
		if (rte_atomic_load_explicit(&avail->idx, rte_memory_order_acquire) == vq->avail)
			return false;
		*id = avail->ring[vq->avail++ % vq->size];
		*gpa = sd[*id % vq->size].addr;
		*len = sd[*id % vq->size].len;
		return true;
	}
	flags = rte_atomic_load_explicit(&pd[vq->avail].flags, rte_memory_order_acquire);
	if (!!(flags & F_AVAIL) != vq->avail_wrap || !!(flags & F_USED) == vq->avail_wrap)
		return false;
	*id = pd[vq->avail].id;
	*gpa = pd[vq->avail].addr;
	*len = pd[vq->avail].len;
	if (++vq->avail == vq->size) {
		vq->avail = 0;
		vq->avail_wrap = !vq->avail_wrap;
	}
	return true;
}

static void
guest_call(struct soft_backend *b, struct soft_vq *vq)
{
	const struct vring_packed_desc_event *ev = by_user(b, vq->addr.avail);
	const struct vring_avail *avail = by_user(b, vq->addr.avail);
	uint64_t one = 1;

	rte_atomic_thread_fence(rte_memory_order_seq_cst);
	if (is_packed(b) ? rte_atomic_load_explicit(&ev->flags, rte_memory_order_relaxed) ==
			VRING_PACKED_EVENT_FLAG_DISABLE :
			(rte_atomic_load_explicit(&avail->flags,
					rte_memory_order_relaxed) & 1) != 0)
		return;
	if (b->fault != SOFT_NO_CALLS && vq->call >= 0 && write(vq->call, &one, sizeof(one)) < 0)
		perror("call");
}

static void
used_put(struct soft_backend *b, struct soft_vq *vq, uint16_t id, uint32_t len)
{
	struct vring_packed_desc *pd = by_user(b, vq->addr.desc);
	struct vring_used *used = by_user(b, vq->addr.used);

	if (!is_packed(b)) {
		used->ring[vq->used % vq->size].id = id;
		used->ring[vq->used % vq->size].len = len;
		rte_atomic_store_explicit(&used->idx, ++vq->used, rte_memory_order_release);
	} else {
		pd[vq->used].id = id;
		pd[vq->used].len = len;
		rte_atomic_store_explicit(&pd[vq->used].flags, vq->used_wrap ? F_AVAIL | F_USED : 0,
				rte_memory_order_release);
		if (++vq->used == vq->size) {
			vq->used = 0;
			vq->used_wrap = !vq->used_wrap;
		}
	}
	guest_call(b, vq);
}

static void
frame_transmit(struct soft_backend *b, struct soft_vq *rx, uint8_t *frame, uint32_t len)
{
	uint32_t room;
	uint16_t id;
	uint64_t gpa;

	if (!avail_take(b, rx, &gpa, &room, &id))
		return;
	if (len > room)
		len = room;
	guest_copy(b, gpa, frame, len, true);
	used_put(b, rx, id, len);
}

static void
loop_frame(struct soft_backend *b, uint16_t pair, uint8_t *frame, uint32_t len)
{
	struct soft_vq *rx = &b->vqs[2 * pair];
	bool now = ++b->frames[pair] % EVERY == 0;

	if (b->held_len != 0 && pair == 0) {
		frame_transmit(b, rx, frame, len);
		frame_transmit(b, rx, b->held, b->held_len);
		b->held_len = 0;
		return;
	}
	if (now && b->fault == SOFT_DROP)
		return;
	if (now && b->fault == SOFT_REORDER && pair == 0) {
		memcpy(b->held, frame, len);
		b->held_len = len;
		return;
	}
	if (now && b->fault == SOFT_FLIP_BIT)
		frame[len - 1] ^= 0x10;
	if (now && b->fault == SOFT_CUT_SHORT)
		len--;
	if (now && b->fault == SOFT_CROSS && pair == 0)
		rx = &b->vqs[2];
	frame_transmit(b, rx, frame, len);
	if (now && b->fault == SOFT_DUPLICATE)
		frame_transmit(b, rx, frame, len);
}

/* @return number of frames; with @p lose, at most one, which is dropped */
static uint32_t
poll_pair(struct soft_backend *b, uint16_t pair, bool lose)
{
	struct soft_vq *tx = &b->vqs[2 * pair + 1];
	uint8_t frame[MAX_FRAME];
	uint32_t len, n;
	uint16_t id;
	uint64_t gpa;

	if (!tx->enabled || !b->vqs[2 * pair].enabled)
		return 0;
	for (n = 0; n < 32 && avail_take(b, tx, &gpa, &len, &id); n++) {
		if (len > MAX_FRAME)
			len = MAX_FRAME;
		guest_copy(b, gpa, frame, len, false);
		if (!lose)
			loop_frame(b, pair, frame, len);
		used_put(b, tx, id, 0);
		if (lose)
			return 1;
	}
	return n;
}

/* Drop one frame of the guest, which is still sending. */
static void
lose_one(struct soft_backend *b)
{
	const struct timespec wait = { .tv_nsec = 1000000 };
	int i;

	for (i = 0; i < LOSE_MS && poll_pair(b, 0, true) == 0; i++)
		nanosleep(&wait, NULL);
}

/* ---- messages ---- */

static uint32_t
stop_vq(struct soft_backend *b, uint32_t index)
{
	struct soft_vq *vq = &b->vqs[index];
	uint32_t base;

	if (b->running && b->fault == SOFT_DROP_AT_STOP)
		lose_one(b);
	b->running = false;
	vq->enabled = false;
	base = vq->avail;
	if (index % 2 == 1 && b->fault == SOFT_BASE_AHEAD)
		base++;
	if (index % 2 == 1 && b->fault == SOFT_BASE_BEHIND)
		base--;
	if (!is_packed(b))
		return base & 0xffff;
	base = (base + vq->size) % vq->size;
	if (vq->avail_wrap ^ (index % 2 == 1 && b->fault == SOFT_BASE_WRAP))
		base |= 0x8000;
	return base | base << 16;
}

static void
unmap_all(struct soft_backend *b)
{
	uint32_t i;

	for (i = 0; i < b->mem.nb_regions; i++)
		munmap(b->maps[i], b->map_len[i]);
	b->mem.nb_regions = 0;
}

static void
map_all(struct soft_backend *b, const struct vu_mem_table *t, const int *fds)
{
	uint32_t i;

	unmap_all(b);
	for (i = 0; i < t->nb_regions; i++) {
		b->map_len[i] = t->regions[i].size + t->regions[i].mmap_offset;
		b->maps[i] = mmap(NULL, b->map_len[i], PROT_READ | PROT_WRITE, MAP_SHARED,
			fds[i], 0);
	}
	b->mem = *t;
}

static void
set_base(struct soft_vq *vq, uint32_t num, bool packed)
{
	vq->avail = vq->used = packed ? num & 0x7fff : num;
	vq->avail_wrap = vq->used_wrap = (num >> 15) & 1;
}

/* @return true if the payload is an answer */
static bool
message_handle(struct soft_backend *b, struct vu_header *hdr, void *payload, const int *fds,
		uint32_t nb_fds)
{
	struct vu_vring_state *s = payload;
	struct vu_vring_addr *a = payload;
	uint64_t *u64 = payload;
	struct soft_vq *vq = &b->vqs[s->index % MAX_VQS];

	switch (hdr->request) {
	case VU_GET_FEATURES:
		*u64 = (1ull << VIRTIO_F_VERSION_1) | (1ull << VIRTIO_F_RING_PACKED) |
			(1ull << VIRTIO_NET_F_MQ) | (1ull << VIRTIO_NET_F_CTRL_VQ) |
			(1ull << VU_F_PROTOCOL_FEATURES);
		break;
	case VU_GET_PROTOCOL_FEATURES:
		*u64 = (1ull << VU_PF_MQ) | (1ull << VU_PF_REPLY_ACK) | (1ull << VU_PF_STATUS);
		break;
	case VU_GET_QUEUE_NUM: *u64 = MAX_VQS / 2; break;
	case VU_GET_STATUS: *u64 = b->status; break;
	case VU_GET_VRING_BASE: s->num = stop_vq(b, s->index % MAX_VQS); break;
	case VU_SET_STATUS: b->status = *u64; b->running = (*u64 & 4) != 0; return false;
	case VU_SET_FEATURES: b->features = *u64; return false;
	case VU_SET_MEM_TABLE: map_all(b, payload, fds); return false;
	case VU_SET_VRING_NUM: vq->size = s->num; return false;
	case VU_SET_VRING_BASE: set_base(vq, s->num, is_packed(b)); return false;
	case VU_SET_VRING_ADDR: b->vqs[a->index % MAX_VQS].addr = *a; return false;
	case VU_SET_VRING_ENABLE: vq->enabled = s->num; return false;
	case VU_SET_VRING_CALL:
		vq = &b->vqs[*u64 & 0xf];
		if (vq->call >= 0)
			close(vq->call);
		vq->call = nb_fds != 0 ? dup(fds[0]) : -1;
		return false;
	default: return false;
	}
	hdr->size = hdr->request == VU_GET_VRING_BASE ? sizeof(*s) : sizeof(*u64);
	return true;
}

static bool
message_receive(struct soft_backend *b)
{
	char control[CMSG_SPACE(VU_MAX_FDS * sizeof(int))];
	uint64_t payload[VU_MAX_PAYLOAD / 8] = { 0 };
	struct vu_header hdr;
	struct iovec iov = { &hdr, sizeof(hdr) };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg;
	int fds[VU_MAX_FDS];
	uint32_t nb = 0, i;

	if (recvmsg(b->sock, &mh, MSG_WAITALL) != sizeof(hdr))
		return false;
	cmsg = CMSG_FIRSTHDR(&mh);
	if (cmsg != NULL) {
		nb = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(cmsg), nb * sizeof(int));
	}
	if (hdr.size > sizeof(payload) || (hdr.size != 0 &&
			recv(b->sock, payload, hdr.size, MSG_WAITALL) != (ssize_t)hdr.size))
		return false;
	if (!message_handle(b, &hdr, payload, fds, nb)) {
		payload[0] = 0;
		if ((hdr.flags & VU_NEED_REPLY) == 0)
			hdr.request = 0;
		hdr.size = 8;
	}
	for (i = 0; i < nb; i++)
		close(fds[i]);
	if (hdr.request == 0)
		return true;
	hdr.flags = VU_VERSION | VU_REPLY;
	return send(b->sock, &hdr, sizeof(hdr), MSG_NOSIGNAL | MSG_MORE) > 0 &&
		send(b->sock, payload, hdr.size, MSG_NOSIGNAL) > 0;
}

static void
forget_guest(struct soft_backend *b)
{
	uint16_t i;

	close(b->sock);
	b->sock = -1;
	b->running = false;
	unmap_all(b);
	for (i = 0; i < MAX_VQS; i++) {
		if (b->vqs[i].call >= 0)
			close(b->vqs[i].call);
		memset(&b->vqs[i], 0, sizeof(b->vqs[i]));
		b->vqs[i].call = -1;
	}
}

static uint32_t
backend_main(void *arg)
{
	struct soft_backend *b = arg;
	uint16_t pair;

	while (!rte_atomic_load_explicit(&b->quit, rte_memory_order_relaxed)) {
		struct pollfd pfd = { .fd = b->sock < 0 ? b->listener : b->sock, .events = POLLIN };

		if (poll(&pfd, 1, b->running ? 0 : 1) > 0) {
			if (b->sock < 0)
				b->sock = accept(b->listener, NULL, NULL);
			else if (!message_receive(b))
				forget_guest(b);
		}
		for (pair = 0; b->running && pair < MAX_VQS / 2; pair++)
			if (!rte_atomic_load_explicit(&b->freeze, rte_memory_order_relaxed))
				poll_pair(b, pair, false);
	}
	if (b->sock >= 0)
		forget_guest(b);
	return 0;
}

struct soft_backend *
soft_backend_start(const char *path, enum soft_fault fault)
{
	struct soft_backend *b = calloc(1, sizeof(*b));
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	uint16_t i;

	if (b == NULL)
		return NULL;
	b->fault = fault;
	b->sock = -1;
	for (i = 0; i < MAX_VQS; i++)
		b->vqs[i].call = -1;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	unlink(path);
	b->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(b->listener, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
			listen(b->listener, 1) < 0 ||
			rte_thread_create(&b->thread, NULL, backend_main, b) != 0) {
		close(b->listener);
		free(b);
		return NULL;
	}
	return b;
}

void
soft_backend_freeze(struct soft_backend *b, bool on)
{
	rte_atomic_store_explicit(&b->freeze, on, rte_memory_order_relaxed);
}

void
soft_backend_stop(struct soft_backend *b)
{
	if (b == NULL)
		return;
	rte_atomic_store_explicit(&b->quit, true, rte_memory_order_relaxed);
	rte_thread_join(b->thread, NULL);
	close(b->listener);
	free(b);
}
