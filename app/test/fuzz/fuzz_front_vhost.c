/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/vhost.h>
#include <linux/virtio_config.h>

#include <rte_bitops.h>
#include <rte_common.h>
#include <rte_vhost.h>

#include "fuzz_front_vhost.h"
#include "dev/vstate_dev.h"
#include "vhost/vstate_back.h"
#include "vhost/vstate_connection.h"
#include "vhost/vstate_msg.h"

#define VID 0
#define QUEUES 2

/* Named for the linker's --wrap. */
int __wrap_vstate_back_open(struct vstate_dev *dev, struct vstate_back *back);
int __wrap_vstate_back_call(struct vstate_back *back, struct vstate_msg_context *context,
		struct vstate_msg_context *answer, int cancel);
void __wrap_vstate_back_close(struct vstate_back *back);

static struct {
	struct fuzz_in *in;
	uint64_t features;
	bool has_memory, has_log, started;
	struct {
		uint16_t size;
		bool has_addr, has_kick, enabled, ready;
		uint16_t base;
	} rings[QUEUES];
} v;

void
fuzz_vhost_begin(struct fuzz_in *in)
{
	v.in = in;
}

/* ---- the library's functions ---- */

int
rte_vhost_get_negotiated_features(int vid, uint64_t *features)
{
	*features = v.features;
	return vid == VID ? 0 : -1;
}

int
rte_vhost_get_mem_table(int vid, struct rte_vhost_memory **mem)
{
	struct rte_vhost_memory *m;
	unsigned int i;

	if (vid != VID || !v.has_memory)
		return -1;
	m = calloc(1, sizeof(*m) + FUZZ_AREAS * sizeof(m->regions[0]));
	fuzz_require(m != NULL, "memory");
	m->nregions = FUZZ_AREAS;
	for (i = 0; i < FUZZ_AREAS; i++) {
		m->regions[i].guest_phys_addr = fuzz_guest.areas[i].gpa;
		m->regions[i].guest_user_addr = FUZZ_UVA + fuzz_guest.areas[i].gpa;
		m->regions[i].host_user_addr = (uintptr_t)fuzz_guest.areas[i].hva;
		m->regions[i].size = fuzz_guest.areas[i].size;
		m->regions[i].mmap_addr = fuzz_guest.areas[i].hva;
		m->regions[i].mmap_size = fuzz_guest.areas[i].size;
	}
	*mem = m;
	return 0;
}

int
rte_vhost_get_mtu(int vid, uint16_t *mtu)
{
	*mtu = 1500;
	return vid == VID ? 0 : -1;
}

int
rte_vhost_get_log_base(int vid, uint64_t *log_base, uint64_t *log_size)
{
	*log_base = v.has_log ? (uintptr_t)fuzz_guest.log : 0;
	*log_size = v.has_log ? FUZZ_LOG_SIZE : 0;
	return vid == VID ? 0 : -1;
}

int
rte_vhost_get_vhost_vring(int vid, uint16_t vring_idx, struct rte_vhost_vring *vring)
{
	if (vid != VID || vring_idx >= QUEUES)
		return -1;
	memset(vring, 0, sizeof(*vring));
	vring->callfd = vring->kickfd = -1;
	vring->size = v.rings[vring_idx].size;
	if (!v.rings[vring_idx].has_addr)
		return 0;
	/* both queues use one ring, as only the fuzzer polls them */
	vring->desc = (void *)fuzz_guest.areas[FUZZ_DESC].hva;
	vring->avail = (void *)fuzz_guest.areas[FUZZ_DRIVER].hva;
	vring->used = (void *)fuzz_guest.areas[FUZZ_DEVICE].hva;
	return 0;
}

int
rte_vhost_get_vring_base(int vid, uint16_t queue_id, uint16_t *last_avail, uint16_t *last_used)
{
	if (vid != VID || queue_id >= QUEUES)
		return -1;
	*last_avail = *last_used = v.rings[queue_id].base;
	return 0;
}

/* ---- messages ---- */

static void
ring_check(uint16_t q)
{
	const bool ready = v.rings[q].has_addr && v.rings[q].has_kick && v.rings[q].size > 0 &&
		v.rings[q].enabled && v.has_memory;

	if (ready != v.rings[q].ready) {
		v.rings[q].ready = ready;
		vstate_connection_ring_state(VID, q, ready);
	}
}

static void
start_check(void)
{
	uint16_t q;
	bool any = false;

	for (q = 0; q < QUEUES; q++) {
		ring_check(q);
		any |= v.rings[q].ready;
	}
	if (any && !v.started)
		v.started = vstate_connection_start(VID) == 0;
}

static void
device_stop(void)
{
	if (v.started)
		vstate_connection_stop(VID);
	v.started = false;
}

/* @return false: refused */
static bool
message_do(const struct msg *msg)
{
	const uint32_t q = msg->request == MSG_SET_VRING_KICK ? msg->u64 & 0xff : msg->state.index;

	switch (msg->request) {
	case MSG_SET_FEATURES:
		if (v.started)
			return false;
		v.features = msg->u64;
		if (!(msg->u64 & RTE_BIT64(VHOST_USER_F_PROTOCOL_FEATURES)))
			v.rings[0].enabled = v.rings[1].enabled = true;
		return true;
	case MSG_SET_MEM_TABLE:
		device_stop();
		v.has_memory = true;
		break;
	case MSG_SET_LOG_BASE:
		v.has_log = true;
		break;
	case MSG_SET_VRING_NUM:
	case MSG_SET_VRING_ADDR:
	case MSG_SET_VRING_BASE:
	case MSG_GET_VRING_BASE:
	case MSG_SET_VRING_KICK:
	case MSG_SET_VRING_ENABLE:
		if (q >= QUEUES)
			return false;
		if (msg->request == MSG_SET_VRING_NUM)
			v.rings[q].size = msg->state.num;
		if (msg->request == MSG_SET_VRING_ADDR)
			v.rings[q].has_addr = v.has_memory;
		if (msg->request == MSG_SET_VRING_BASE)
			v.rings[q].base = msg->state.num;
		if (msg->request == MSG_SET_VRING_ENABLE)
			v.rings[q].enabled = msg->state.num != 0;
		if (msg->request == MSG_SET_VRING_KICK) {
			v.rings[q].has_kick = false;
			ring_check(q);
			v.rings[q].has_kick = true;
		}
		if (msg->request == MSG_GET_VRING_BASE) {
			device_stop();
			v.rings[q].has_kick = false;
		}
		break;
	default:
		break;
	}
	return true;
}

int
__wrap_vstate_back_open(struct vstate_dev *dev, struct vstate_back *back)
{
	memset(&v, 0, sizeof(v));
	*back = (struct vstate_back){ .fd = -1 };
	return vstate_connection_attach(VID, dev);
}

void
__wrap_vstate_back_close(struct vstate_back *back)
{
	*back = (struct vstate_back){ .fd = -1 };
	v.started = false;
}

int
__wrap_vstate_back_call(struct vstate_back *back, struct vstate_msg_context *context,
		struct vstate_msg_context *answer, int cancel)
{
	const struct vstate_msg_row *row = vstate_msg_find(context->msg->request);
	const uint8_t how = fuzz_u8(v.in);

	RTE_SET_USED(back);
	RTE_SET_USED(cancel);
	fuzz_require(row->name != NULL, "rte_vhost gets requests that exist");
	fuzz_require(context->msg->size >= row->min_size, "rte_vhost gets whole payloads");
	vstate_msg_close_fds(context);
	if (how > 0xf8 || !message_do(context->msg))
		return -EREMOTEIO;
	start_check();
	if (!row->answer_payload)
		return 0;
	memcpy(answer->msg, context->msg, MSG_HEADER_SIZE);
	answer->msg->size = 8;
	answer->msg->u64 = how;
	answer->nb_fds = 0;
	return 1;
}
