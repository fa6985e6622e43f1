/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * Fuzzer of the control queue of a network device: commands of a driver, right and wrong, in chains
 * of any shape. The driver overwrites anything, in half of the inputs also while a command is read.
 * The device is suspended, captured, and set to its own state again in between.
 *
 * No byte outside the guest's memory is touched, only an answer is written, a captured state is
 * valid, and a device that takes it over has the same settings.
 */

#include <stdlib.h>
#include <string.h>

#include <linux/vhost_types.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>
#include <rte_memory.h>

#include "fuzz_driver.h"
#include "vstate_probe.h"
#include "dev/vstate_conf.h"
#include "dev/vstate_control.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_poller.h"
#include "dev/vstate_run.h"
#include "dev/vstate_setup.h"
#include "dev/vstate_start.h"
#include "dev/vstate_watch.h"
#include "net/vstate_cvq.h"
#include "net/vstate_cvq_command.h"
#include "net/vstate_net_class.h"
#include "net/vstate_net_conf.h"
#include "ring/vstate_lease.h"
#include "ring/vstate_vq.h"
#include "rte_vhost_state.h"
#include "rte_vhost_state_backend.h"

#define NAME "fuzz"
#define PAIRS 2
#define STEPS_MAX 80

#define F(bit) RTE_BIT64(VIRTIO_NET_F_##bit)

static struct {
	struct vstate_dev *dev;
	struct vstate_vq *vq;
	struct vstate_setup setup;
	struct fuzz_driver d;
	struct fuzz_view view;
	/** The driver writes while the device works. */
	bool race;
} q;

/* ---- the driver ---- */

/* Data of a command that a driver would send. @return its length */
static uint32_t
data_right(struct fuzz_in *in, uint8_t class, uint8_t *data)
{
	static const uint64_t offloads[] = { 0, F(GUEST_CSUM), F(GUEST_CSUM) | F(GUEST_TSO4),
		F(GUEST_TSO4) };
	const uint8_t what = fuzz_u8(in);
	uint16_t value = rte_cpu_to_le_16(what);
	uint32_t nb;

	switch (class) {
	case VIRTIO_NET_CTRL_RX:
		data[0] = what & 1;
		return 1;
	case VIRTIO_NET_CTRL_MAC:
		if (what & 1)
			return fuzz_bytes(in, data, RTE_ETHER_ADDR_LEN);
		/* a table: two lists, each with its length */
		nb = what >> 1 & 3;
		memset(data, 0, 8 + 6 * nb);
		data[0] = nb;
		fuzz_bytes(in, data + 4, 6 * nb);
		data[4 + 6 * nb] = 0;
		return 8 + 6 * nb;
	case VIRTIO_NET_CTRL_GUEST_OFFLOADS:
		nb = what % RTE_DIM(offloads);
		memcpy(data, &offloads[nb], sizeof(offloads[nb]));
		return sizeof(offloads[nb]);
	case VIRTIO_NET_CTRL_ANNOUNCE:
		return 0;
	default:
		if (what & 0x80)
			value = rte_cpu_to_le_16(what & 0x40 ? fuzz_u16(in) :
					RTE_VHOST_STATE_NET_VLANS - 2 + (what & 3));
		memcpy(data, &value, sizeof(value));
		return sizeof(value);
	}
}

static void
command_add(struct fuzz_in *in)
{
	const uint8_t how = fuzz_u8(in);
	uint8_t bytes[VSTATE_CVQ_COMMAND_MAX + 64] = { 0 };
	const uint64_t addr = fuzz_guest_addr(in);
	struct fuzz_desc descs[3];
	uint32_t len, cut;
	uint16_t n = 0;

	bytes[0] = how & 0x10 ? fuzz_u8(in) : (how & 7) % 6;
	bytes[1] = how & 0x20 ? fuzz_u8(in) : how >> 3 & 1;
	len = 2 + data_right(in, bytes[0], bytes + 2);
	if (how & 0x40)
		len = 2 + fuzz_bytes(in, bytes + 2, fuzz_u16(in) % (sizeof(bytes) - 2));
	fuzz_guest_write(addr, bytes, len);
	cut = how & 0x80 ? 1 + fuzz_u8(in) % len : len;
	descs[n++] = (struct fuzz_desc){ addr, cut, 0, 0 };
	if (cut < len)
		descs[n++] = (struct fuzz_desc){ addr + cut, len - cut, 0, 0 };
	descs[n++] = (struct fuzz_desc){ fuzz_guest_addr(in), 1, VRING_DESC_F_WRITE, 0 };
	if ((how & 0xc0) == 0xc0) {
		descs[0] = fuzz_driver_table(&q.d, descs, n);
		n = 1;
	}
	fuzz_driver_add(&q.d, descs, n);
}

/* ---- the device ---- */

static void
device_work(struct fuzz_in *in)
{
	const uint16_t room = q.d.packed ?
		q.vq->size : q.vq->size - (uint16_t)(q.vq->avail.idx - q.vq->used.idx);

	q.view.nb_offered = 0;
	q.view.tangled = q.view.cut = true;
	if (!q.race)
		fuzz_driver_view(&q.d, q.vq->avail.idx, q.vq->avail.wrap, room, &q.view);
	fuzz_guest_snapshot();
	memset(fuzz_guest.log, 0, FUZZ_LOG_SIZE);
	if (q.race)
		fuzz_race_begin(in);
	vstate_control_event(q.dev);
	fuzz_race_end();
	if (!q.view.tangled && !q.view.cut)
		fuzz_driver_require_offered(&q.d, &q.view, q.setup.log_base != NULL);
}

static struct rte_vhost_state *
state_get(void)
{
	struct rte_vhost_state_error err;
	struct rte_vhost_state *st = NULL;

	if (rte_vhost_state_suspend(NAME, 0, NULL) == 0)
		st = rte_vhost_state_capture(NAME, &err);
	if (st != NULL)
		fuzz_require(rte_vhost_state_validate(st, &err) == 0, "a captured state is valid");
	rte_vhost_state_resume(NAME, NULL);
	return st;
}

/* A device that replays the commands of the state has its settings. */
static void
state_try(void)
{
	const struct vstate_cvq_rules rules = { q.setup.features, PAIRS };
	struct rte_vhost_state *st = state_get();
	struct rte_vhost_state_net_ctrl ctrl;

	if (st == NULL)
		return;
	fuzz_require(vstate_cvq_command_replay(&ctrl, &rules, &st->net.ctrl) ==
			VSTATE_CVQ_REFUSED_NONE, "what was accepted is accepted again");
	fuzz_require(memcmp(&ctrl, &st->net.ctrl, sizeof(ctrl)) == 0, "the settings are the same");
	rte_vhost_state_free(st);
}

/* ---- one connection ---- */

static void
connection_begin(struct fuzz_in *in)
{
	static const uint16_t split_sizes[] = { 8, 64, 4, 1 }, packed_sizes[] = { 8, 7, 33, 1 };
	const uint8_t how = fuzz_u8(in), which = fuzz_u8(in);
	struct vstate_pos base;
	uint16_t i, index;

	q.race = how & 2;
	index = which & 1 ? 2 * PAIRS : 2;
	q.vq = q.dev->vqs[index];
	q.d = (struct fuzz_driver){ .packed = how & 1, .indirect = how & 4, .hdr_len = 2,
		.direction = VRING_DESC_F_WRITE };
	q.d.size = (q.d.packed ? packed_sizes : split_sizes)[how >> 3 & 3];
	fuzz_guest_make(q.d.packed, q.d.size);
	base.idx = q.d.packed ? fuzz_u8(in) % q.d.size : fuzz_u16(in);
	base.wrap = q.d.packed && how & 0x20;
	fuzz_driver_seek(&q.d, base.idx, base.wrap);
	memset(&q.setup, 0, sizeof(q.setup));
	q.setup.features = RTE_BIT64(VIRTIO_F_VERSION_1) | F(CTRL_VQ) |
		(which & 1 ? F(MQ) : 0) | (which & 2 ? F(CTRL_RX) | F(CTRL_RX_EXTRA) : 0) |
		(which & 4 ? F(CTRL_VLAN) : 0) | (which & 8 ? F(CTRL_MAC_ADDR) : 0) |
		(which & 0x10 ? F(CTRL_GUEST_OFFLOADS) | F(GUEST_CSUM) : 0) |
		(which & 0x20 ? F(GUEST_TSO4) | F(GUEST_CSUM) : 0) |
		(which & 0x40 ? F(GUEST_ANNOUNCE) : 0) |
		(q.d.indirect ? RTE_BIT64(VIRTIO_RING_F_INDIRECT_DESC) : 0) |
		(q.d.packed ? RTE_BIT64(VIRTIO_F_RING_PACKED) : 0) |
		(how & 0x40 ? RTE_BIT64(VIRTIO_RING_F_EVENT_IDX) : 0);
	q.setup.mem = fuzz_guest.mem;
	if (how & 0x80) {
		q.setup.features |= RTE_BIT64(VHOST_F_LOG_ALL);
		q.setup.log_base = fuzz_guest.log;
		q.setup.log_size = FUZZ_LOG_SIZE;
	}
	/* no poll thread serves the other rings: they may be the same one */
	for (i = 0; i <= index; i++)
		fuzz_driver_describe(&q.d, base, &q.setup.rings[i]);
	vstate_start_connect(q.dev);
	vstate_start_negotiate(q.dev, q.setup.features, false);
	vstate_start(q.dev, &q.setup);
}

static void
connection_end(void)
{
	vstate_start_disconnect(q.dev, false);
	fuzz_require(!vstate_lease_is_granted(&q.vq->lease), "no queue is granted");
	fuzz_require(!vstate_run_is_started(q.dev), "the device stopped");
}

static void
step_run(struct fuzz_in *in, uint8_t op)
{
	switch (op & 7) {
	case 0:
	case 1:
	case 2:
		command_add(in);
		break;
	case 3:
		fuzz_driver_step(&q.d, in, op >> 3);
		break;
	case 4:
		fuzz_driver_step(&q.d, in, 3);
		break;
	case 5:
		state_try();
		break;
	default:
		device_work(in);
		break;
	}
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static struct vstate_conf conf;

	RTE_SET_USED(argc);
	RTE_SET_USED(argv);
	fuzz_lasting(true);
	fuzz_eal_start();
	vstate_lease_init();
	fuzz_require(vstate_watch_get() == 0, "the watch thread starts");
	conf = (struct vstate_conf){ .queues = PAIRS, .numa = SOCKET_ID_ANY, .socket_mode = -1,
		.socket_group = -1 };
	vstate_net_conf(&conf)->mtu = 1500;
	vstate_net_conf(&conf)->cvq = true;
	q.dev = vstate_probe_make(NAME, &conf, &vstate_net_class, SOCKET_ID_ANY);
	fuzz_require(q.dev != NULL, "a device can be made");
	vstate_poller_set(q.dev, VSTATE_POLLER_PORT, NULL, NULL);
	fuzz_lasting(false);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, data + size };
	const int free_fd = fuzz_free_fd();
	unsigned int step;

	connection_begin(&in);
	for (step = 0; step < STEPS_MAX && fuzz_has_more(&in); step++)
		step_run(&in, fuzz_u8(&in));
	device_work(&in);
	state_try();
	connection_end();
	fuzz_require(fuzz_free_fd() == free_fd, "no descriptor is left open");
	return 0;
}
