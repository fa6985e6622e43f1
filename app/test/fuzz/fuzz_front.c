/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * Fuzzer of the front door: a front end sends bytes with descriptors, whole messages and parts of
 * them, right and wrong, and the device checks them, answers, starts, runs and stops. rte_vhost is
 * played by fuzz_front_vhost.c, which agrees to nearly everything.
 *
 * No call may wait, an answer must be a whole message with the request's number, and after the
 * connection no descriptor and no lease is left.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include <rte_bitops.h>
#include <rte_mbuf.h>
#include <rte_memory.h>

#include "fuzz_driver.h"
#include "fuzz_front_vhost.h"
#include "fuzz_pool.h"
#include "vstate_probe.h"
#include "dev/vstate_conf.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_poller.h"
#include "dev/vstate_run.h"
#include "dev/vstate_watch.h"
#include "handover/vstate_handover.h"
#include "handover/vstate_handover_msg.h"
#include "handover/vstate_scm.h"
#include "net/vstate_net_class.h"
#include "net/vstate_net_conf.h"
#include "net/vstate_net_vq.h"
#include "ring/vstate_lease.h"
#include "vhost/vstate_connection.h"
#include "vhost/vstate_front.h"
#include "vhost/vstate_msg.h"
#include "vhost/vstate_msg_log.h"

#define STEPS_MAX 80
#define F_PROTOCOL RTE_BIT64(30)

static struct {
	struct vstate_dev *dev;
	struct rte_mempool *pool;
	struct vstate_front front;
	/** The front end's end of the connection. */
	int fd;
	/** Descriptors that a message may bring. */
	int fds[4];
	bool packed;
} f;

/* ---- messages of the front end ---- */

/* Payload of a request that a front end would send. @return its size */
static uint32_t
payload_right(struct fuzz_in *in, struct msg *msg)
{
	const uint8_t what = fuzz_u8(in);

	switch (msg->request) {
	case MSG_SET_FEATURES:
		msg->u64 = (f.dev->features_offered & ~RTE_BIT64(VIRTIO_F_RING_PACKED)) |
			(f.packed ? RTE_BIT64(VIRTIO_F_RING_PACKED) : 0);
		msg->u64 &= ~(uint64_t)(what & 0xf0) << 24;
		return 8;
	case MSG_SET_PROTOCOL_FEATURES:
		msg->u64 = f.dev->connection->protocol_offered & ~((uint64_t)(what & 7) << 17);
		return 8;
	case MSG_SET_VRING_NUM:
		msg->state.index = what & 1;
		msg->state.num = what & 0x80 ? fuzz_u16(in) : FUZZ_FRONT_RING;
		return 8;
	case MSG_SET_VRING_BASE:
	case MSG_GET_VRING_BASE:
	case MSG_SET_VRING_ENABLE:
		msg->state.index = what & 0x80 ? fuzz_u8(in) : what & 1;
		msg->state.num = what & 0x40 ? fuzz_u32(in) : what >> 1 & 1;
		return 8;
	case MSG_SET_VRING_ADDR:
		msg->addr.index = what & 1;
		msg->addr.flags = 0;
		msg->addr.desc = FUZZ_UVA + fuzz_guest.areas[FUZZ_DESC].gpa;
		msg->addr.used = FUZZ_UVA + fuzz_guest.areas[FUZZ_DEVICE].gpa;
		msg->addr.avail = FUZZ_UVA + fuzz_guest.areas[FUZZ_DRIVER].gpa;
		msg->addr.log = fuzz_guest.areas[FUZZ_DEVICE].gpa;
		return 40;
	case MSG_SET_VRING_KICK:
	case MSG_SET_VRING_CALL:
	case MSG_SET_VRING_ERR:
		msg->u64 = (what & 1) | (what & 0x80 ? MSG_VRING_FD_NONE : 0);
		return 8;
	case MSG_SET_MEM_TABLE:
		msg->memory.nb_regions = 1 + (what & 1);
		msg->memory.padding = 0;
		memset(msg->memory.regions, 0, sizeof(msg->memory.regions));
		msg->memory.regions[0].size = msg->memory.regions[1].size = 4096;
		msg->memory.regions[1].gpa = msg->memory.regions[1].uva = 4096;
		return 8 + 32 * msg->memory.nb_regions;
	case MSG_SET_LOG_BASE:
		msg->log.size = FUZZ_LOG_SIZE;
		msg->log.offset = 0;
		return 16;
	case MSG_GET_INFLIGHT_FD:
	case MSG_SET_INFLIGHT_FD:
		msg->inflight.mmap_size = what & 1 ? fuzz_u64(in) : 1024;
		msg->inflight.mmap_offset = 0;
		msg->inflight.num_queues = 1 + (what & 2);
		msg->inflight.queue_size = what & 4 ? fuzz_u16(in) : FUZZ_FRONT_RING;
		return what & 8 ? MSG_INFLIGHT_SIZE : sizeof(msg->inflight);
	case MSG_SET_DEVICE_STATE_FD:
		msg->move.direction = what & 1;
		msg->move.phase = what >> 7;
		return 8;
	case MSG_GET_CONFIG:
	case MSG_SET_CONFIG:
		msg->config.offset = what & 1 ? fuzz_u32(in) : 0;
		msg->config.size = what & 2 ? fuzz_u32(in) : what >> 2;
		msg->config.flags = what & 3;
		return MSG_CONFIG_HEADER_SIZE + RTE_MIN(msg->config.size, (uint32_t)MSG_CONFIG_MAX);
	case MSG_SET_STATUS:
	case MSG_NET_SET_MTU:
	case MSG_SEND_RARP:
		msg->u64 = what;
		return 8;
	default:
		return 0;
	}
}

/* Number of descriptors that such a message brings. */
static unsigned int
fds_right(const struct msg *msg)
{
	const struct vstate_msg_row *row = vstate_msg_find(msg->request);
	int min = 0, max = 0;

	return vstate_msg_fds_range(row, msg, &min, &max) && min >= 0 && max <= MSG_MAX_FDS ?
		max : 0;
}

static void
message_send(struct fuzz_in *in)
{
	static const uint8_t order[] = { MSG_SET_OWNER, MSG_SET_FEATURES,
		MSG_SET_PROTOCOL_FEATURES, MSG_SET_MEM_TABLE, MSG_SET_VRING_NUM,
		MSG_SET_VRING_BASE, MSG_SET_VRING_ADDR, MSG_SET_VRING_KICK, MSG_SET_VRING_CALL,
		MSG_SET_VRING_ENABLE, MSG_SET_STATUS };
	const uint8_t which = fuzz_u8(in), how = fuzz_u8(in);
	struct msg msg = { .flags = MSG_VERSION | (how & 1 ? MSG_NEED_REPLY : 0) };
	int fds[MSG_MAX_FDS + 4];
	unsigned int i, nb_fds;
	size_t len, cut;

	msg.request = which & 0x80 ? order[(which & 0x7f) % RTE_DIM(order)] : which % 48;
	msg.size = payload_right(in, &msg);
	nb_fds = fds_right(&msg);
	if (how & 2)
		msg.flags = fuzz_u8(in);
	if (how & 4)
		msg.size = how & 8 ? fuzz_u32(in) : fuzz_u8(in);
	if (how & 0x10)
		fuzz_bytes(in, msg.payload, fuzz_u8(in) & 63);
	if (how & 0x20)
		nb_fds = fuzz_u8(in) % RTE_DIM(fds);
	for (i = 0; i < nb_fds; i++)
		fds[i] = f.fds[how & 0x40 ? fuzz_u8(in) % RTE_DIM(f.fds) :
			msg.request == MSG_SET_INFLIGHT_FD ? 1 : 0];
	len = RTE_MIN((size_t)MSG_HEADER_SIZE + msg.size, sizeof(msg));
	cut = how & 0x80 ? fuzz_u8(in) % (len + 1) : len;
	if (cut > 0 && vstate_scm_send(f.fd, &msg, cut, fds, nb_fds) > 0 && cut < len) {
		vstate_front_serve(&f.front);
		vstate_scm_send(f.fd, (uint8_t *)&msg + cut, len - cut, NULL, 0);
	}
}

/* ---- the device ---- */

/* Read the answers; a front end closes the descriptors that it gets. */
static void
answers_read(void)
{
	int fds[MSG_MAX_FDS];
	unsigned int nb_fds;
	struct msg msg;
	ssize_t n;

	for (;;) {
		nb_fds = 0;
		n = vstate_scm_recv(f.fd, &msg, MSG_HEADER_SIZE, fds, MSG_MAX_FDS, &nb_fds);
		if (n <= 0)
			return;
		fuzz_require(n == MSG_HEADER_SIZE && msg.size <= MSG_PAYLOAD_MAX &&
				(msg.flags & (MSG_VERSION_MASK | MSG_REPLY)) ==
				(MSG_VERSION | MSG_REPLY), "an answer has a header");
		fuzz_require(msg.size == 0 || recv(f.fd, msg.payload, msg.size, MSG_DONTWAIT) ==
				(ssize_t)msg.size, "an answer is whole");
		while (nb_fds > 0)
			close(fds[--nb_fds]);
	}
}

static int
front_serve(void)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < 4 && ret == 0; i++)
		ret = vstate_front_serve(&f.front);
	answers_read();
	return ret;
}

static void
burst_run(uint16_t qid)
{
	static const uint8_t bytes[100];
	struct vstate_vq *vq = f.dev->vqs[qid];
	struct vstate_net_vq *nq = vstate_net_vq_of(vq);
	struct rte_mbuf *pkts[4];
	uint16_t n;

	if (!vstate_lease_take(&vq->lease))
		return;
	if (qid == 0) {
		for (n = 0; n < RTE_DIM(pkts); n++)
			pkts[n] = fuzz_frame_make(f.pool, bytes, 60, FUZZ_POOL_ROOM);
		nq->ops->put(nq, pkts, n, 0);
	} else {
		n = nq->ops->take(nq, f.pool, pkts, RTE_DIM(pkts));
		nq->ops->give(nq, n);
	}
	rte_pktmbuf_free_bulk(pkts, n);
	vstate_lease_give(&vq->lease);
}

/* What another process would continue with: it can be offered at any time. */
static void
offer_try(void)
{
	struct vstate_handover_msg msg = VSTATE_HANDOVER_MSG(VSTATE_HANDOVER_OFFER, 0);
	struct vstate_handover_cursor cursor = { 0 };
	struct vstate_handover_item item;

	if (vstate_front_offer(&f.front, &msg) == 0)
		while (vstate_handover_msg_next(&msg, &cursor, &item) == 1)
			fuzz_require(item.size <= VSTATE_HANDOVER_ITEM_MAX, "an item has a size");
	vstate_handover_msg_drop(&msg);
}

/* Items of an owner that cannot be trusted either. */
static void
replay_try(struct fuzz_in *in)
{
	uint8_t bytes[VSTATE_HANDOVER_ITEM_MAX];
	int fds[10];
	struct vstate_handover_item item = { .type = fuzz_u8(in), .bytes = bytes, .fds = fds };
	unsigned int i;

	if (item.type & 0x80)
		item.type = VSTATE_HANDOVER_PARTIAL;
	item.size = fuzz_bytes(in, bytes, fuzz_u16(in) % sizeof(bytes));
	item.nb_fds = fuzz_u8(in) % RTE_DIM(fds);
	for (i = 0; i < item.nb_fds; i++)
		fds[i] = fcntl(f.fds[0], F_DUPFD_CLOEXEC, 0);
	vstate_front_replay(&f.front, &item);
	for (i = 0; i < item.nb_fds; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static int
step_run(struct fuzz_in *in, struct fuzz_driver *d, uint8_t op)
{
	switch (op & 7) {
	case 5:
		fuzz_driver_step(d, in, op >> 3);
		return 0;
	case 6:
		burst_run(op >> 3 & 1);
		return 0;
	case 7:
		if (op >> 3 == 0x1f)
			replay_try(in);
		else
			offer_try();
		return 0;
	default:
		message_send(in);
		return front_serve();
	}
}

/* ---- one connection ---- */

static void
connection_run(struct fuzz_in *in)
{
	struct fuzz_driver d = { .packed = f.packed, .indirect = true, .size = FUZZ_FRONT_RING,
		.hdr_len = 12, .direction = 0 };
	unsigned int step;
	int pair[2], ret = 0;

	fuzz_guest_make(f.packed, FUZZ_FRONT_RING);
	fuzz_driver_seek(&d, 0, f.packed);
	fuzz_require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0, "a socket");
	f.fd = pair[0];
	vstate_front_init(&f.front, f.dev, -1);
	fuzz_require(vstate_front_begin(&f.front, pair[1]) == 0, "a front end can connect");
	fuzz_vhost_begin(in);
	for (step = 0; step < STEPS_MAX && ret == 0 && fuzz_has_more(in); step++)
		ret = step_run(in, &d, fuzz_u8(in));
	vstate_front_end(&f.front, true);
	close(f.fd);
	fuzz_require(!vstate_lease_is_granted(&f.dev->vqs[0]->lease) &&
			!vstate_lease_is_granted(&f.dev->vqs[1]->lease), "no queue is granted");
	fuzz_require(!vstate_run_is_started(f.dev), "the device stopped");
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static struct vstate_conf conf;

	RTE_SET_USED(argc);
	RTE_SET_USED(argv);
	fuzz_lasting(true);
	fuzz_eal_start();
	f.pool = fuzz_pool_make();
	vstate_lease_init();
	fuzz_require(vstate_watch_get() == 0, "the watch thread starts");
	conf = (struct vstate_conf){ .queues = 1, .numa = SOCKET_ID_ANY, .socket_mode = -1,
		.socket_group = -1, .device_state = true };
	vstate_net_conf(&conf)->mtu = 1500;
	f.dev = vstate_probe_make("fuzz", &conf, &vstate_net_class, SOCKET_ID_ANY);
	fuzz_require(f.dev != NULL, "a device can be made");
	f.dev->features_offered |= VSTATE_OWN_FEATURES;
	f.dev->connection->protocol_offered = VSTATE_OWN_PROTOCOL_FEATURES |
		VSTATE_PROTOCOL_F_STATUS | 0xf;
	f.dev->connection->msg_log = vstate_msg_log_create(f.dev->nb_vqs);
	fuzz_require(f.dev->connection->msg_log != NULL, "there is a log of messages");
	vstate_poller_set(f.dev, VSTATE_POLLER_PORT, NULL, NULL);
	f.fds[0] = eventfd(0, EFD_NONBLOCK);
	f.fds[1] = memfd_create("fuzz", 0);
	f.fds[2] = open("/dev/null", O_RDWR);
	f.fds[3] = open("/dev/zero", O_RDWR);
	fuzz_require(f.fds[3] >= 0 && ftruncate(f.fds[1], 8192) == 0, "descriptors");
	fuzz_lasting(false);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, data + size };
	const int free_fd = fuzz_free_fd();

	f.packed = fuzz_u8(&in) & 1;
	connection_run(&in);
	fuzz_require(f.dev->handover->inflight_shm == NULL, "a disconnect drops the region");
	fuzz_pool_require_full(f.pool);
	fuzz_require(fuzz_free_fd() == free_fd, "no descriptor is left open");
	return 0;
}
