/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/virtio_ring.h>

#include "guest_core.h"
#include "hostile_send.h"
#include "hostile_setup.h"
#include "hostile_wire.h"
#include "vhost_user_fe.h"
#include "vstate_compat.h"

#define TX 1
#define QUEUE_BYTES 0x10000u
#define AVAIL_AT 0x4000u
#define USED_AT 0x8000u
#define FRAME_AT 0x80000u
#define FRAME_BYTES 100

#define FEATURES (1ull << VIRTIO_F_VERSION_1 | 1ull << VU_F_PROTOCOL_FEATURES | \
	1ull << VIRTIO_NET_F_MRG_RXBUF)
#define PROTOCOL (1ull << VU_PF_MQ | 1ull << VU_PF_LOG_SHMFD | 1ull << VU_PF_RARP | \
	1ull << VU_PF_REPLY_ACK | 1ull << VU_PF_NET_MTU | 1ull << VU_PF_CONFIG | \
	1ull << VU_PF_INFLIGHT_SHMFD | 1ull << VU_PF_STATUS | 1ull << VU_PF_DEVICE_STATE)

int
hostile_setup_open(struct hostile_setup *s)
{
	void *mem;
	int i;

	memset(s, 0, sizeof(*s));
	s->inflight_fd = s->err_fd = -1;
	for (i = 0; i < HOSTILE_SETUP_QUEUES; i++) {
		s->kick[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		s->call[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	}
	s->mem_fd = memfd_create("hostile", MFD_CLOEXEC);
	if (s->mem_fd < 0 || s->call[HOSTILE_SETUP_QUEUES - 1] < 0 ||
			ftruncate(s->mem_fd, HOSTILE_SETUP_BYTES) < 0)
		return -errno;
	mem = mmap(NULL, HOSTILE_SETUP_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, s->mem_fd, 0);
	if (mem == MAP_FAILED)
		return -errno;
	s->mem = mem;
	return 0;
}

void
hostile_setup_close(struct hostile_setup *s)
{
	int i;

	for (i = 0; i < HOSTILE_SETUP_QUEUES; i++) {
		close(s->kick[i]);
		close(s->call[i]);
	}
	if (s->mem != NULL)
		munmap(s->mem, HOSTILE_SETUP_BYTES);
	close(s->mem_fd);
	if (s->inflight_fd >= 0)
		close(s->inflight_fd);
	if (s->err_fd >= 0)
		close(s->err_fd);
}

void
hostile_setup_addr(uint32_t vq, struct vu_vring_addr *addr)
{
	uint64_t at = HOSTILE_SETUP_USER + (uint64_t)(vq % HOSTILE_SETUP_QUEUES) * QUEUE_BYTES;

	*addr = (struct vu_vring_addr){
		.index = vq, .desc = at, .avail = at + AVAIL_AT, .used = at + USED_AT,
		.log = HOSTILE_SETUP_GPA,
	};
}

static int
request_send(struct vu_fe *fe, uint32_t request, uint32_t vq, int fd)
{
	struct vu_header hdr = { .request = request, .flags = VU_VERSION };
	uint8_t payload[HOSTILE_WIRE_MAX];

	hdr.size = hostile_wire_payload(request, vq, payload);
	return vu_fe_send_raw(fe, &hdr, payload, hdr.size, &fd, fd >= 0);
}

static int
u64_send(struct vu_fe *fe, uint32_t request, uint64_t value)
{
	struct vu_header hdr = { .request = request, .flags = VU_VERSION, .size = sizeof(value) };

	return vu_fe_send_raw(fe, &hdr, &value, sizeof(value), NULL, 0);
}

static int
queue_send(struct hostile_setup *s, struct vu_fe *fe, uint32_t vq)
{
	int ret;

	ret = request_send(fe, VU_SET_VRING_NUM, vq, -1);
	if (ret == 0)
		ret = request_send(fe, VU_SET_VRING_BASE, vq, -1);
	if (ret == 0)
		ret = request_send(fe, VU_SET_VRING_ADDR, vq, -1);
	if (ret == 0)
		ret = request_send(fe, VU_SET_VRING_KICK, vq, s->kick[vq]);
	if (ret == 0)
		ret = request_send(fe, VU_SET_VRING_CALL, vq, s->call[vq]);
	if (ret == 0 && s->err_fd >= 0)
		ret = request_send(fe, VU_SET_VRING_ERR, vq, s->err_fd);
	if (ret == 0)
		ret = request_send(fe, VU_SET_VRING_ENABLE, vq, -1);
	return ret;
}

static int
features_send(struct vu_fe *fe)
{
	uint64_t offered = 0, protocol = 0;
	int ret;

	ret = vu_fe_get_u64(fe, VU_GET_FEATURES, &offered);
	if (ret == 0)
		ret = request_send(fe, VU_SET_OWNER, 0, -1);
	if (ret == 0)
		ret = vu_fe_get_u64(fe, VU_GET_PROTOCOL_FEATURES, &protocol);
	if (ret == 0)
		ret = u64_send(fe, VU_SET_PROTOCOL_FEATURES, protocol & PROTOCOL);
	if (ret == 0)
		ret = u64_send(fe, VU_SET_STATUS, 0);
	if (ret == 0)
		ret = u64_send(fe, VU_SET_STATUS, GUEST_S_ACKNOWLEDGE | GUEST_S_DRIVER);
	if (ret == 0)
		ret = u64_send(fe, VU_SET_FEATURES, offered & FEATURES);
	if (ret == 0)
		ret = u64_send(fe, VU_SET_STATUS,
				GUEST_S_ACKNOWLEDGE | GUEST_S_DRIVER | GUEST_S_FEATURES_OK);
	return ret;
}

int
hostile_setup_send(struct hostile_setup *s, struct vu_fe *fe)
{
	uint32_t vq;
	int ret;

	memset(s->mem, 0, HOSTILE_SETUP_BYTES);
	ret = features_send(fe);
	if (ret == 0)
		ret = request_send(fe, VU_SET_MEM_TABLE, 0, s->mem_fd);
	if (ret == 0 && s->inflight_fd >= 0)
		ret = request_send(fe, VU_SET_INFLIGHT_FD, 0, s->inflight_fd);
	for (vq = 0; vq < HOSTILE_SETUP_QUEUES && ret == 0; vq++)
		ret = queue_send(s, fe, vq);
	if (ret == 0)
		ret = request_send(fe, VU_SET_STATUS, 0, -1);
	return ret < 0 ? ret : hostile_answered(fe);
}

void
hostile_setup_frame(struct hostile_setup *s)
{
	uint8_t *ring = s->mem + TX * QUEUE_BYTES;
	struct vring_avail *avail = (struct vring_avail *)(ring + AVAIL_AT);
	struct vring_desc *desc = (struct vring_desc *)ring;
	const uint64_t one = 1;
	uint16_t idx = avail->idx;

	desc[idx % HOSTILE_SETUP_RING] = (struct vring_desc){
		.addr = HOSTILE_SETUP_GPA + FRAME_AT, .len = FRAME_BYTES,
	};
	avail->ring[idx % HOSTILE_SETUP_RING] = idx % HOSTILE_SETUP_RING;
	rte_atomic_store_explicit(&avail->idx, idx + 1, rte_memory_order_release);
	/* A device that polls needs no kick, so an error does not matter. */
	if (write(s->kick[TX], &one, sizeof(one)) < 0)
		return;
}
