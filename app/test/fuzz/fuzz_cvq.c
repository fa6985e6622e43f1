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

#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>
#include <rte_memory.h>

#include "fuzz_queue.h"
#include "vstate_probe.h"
#include "dev/vstate_conf.h"
#include "dev/vstate_control.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_poller.h"
#include "dev/vstate_start.h"
#include "dev/vstate_watch.h"
#include "net/vstate_cvq.h"
#include "net/vstate_cvq_command.h"
#include "net/vstate_net_class.h"
#include "net/vstate_net_conf.h"
#include "ring/vstate_lease.h"
#include "rte_vhost_state.h"

#define NAME "fuzz"
#define PAIRS 2
#define STEPS_MAX 80

#define F(bit) RTE_BIT64(VIRTIO_NET_F_##bit)

static struct fuzz_queue q;

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
	fuzz_queue_turn_begin(&q, in, false);
	vstate_control_event(q.dev);
	fuzz_queue_turn_end(&q);
}

static struct rte_vhost_state *
state_get(void)
{
	struct rte_vhost_state *st;

	if (!fuzz_queue_suspend(&q))
		return NULL;
	st = fuzz_queue_capture(&q);
	fuzz_queue_resume(&q);
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
	const uint8_t how = fuzz_u8(in), which = fuzz_u8(in);
	const struct fuzz_queue_conf conf = { .qid = which & 1 ? 2 * PAIRS : 2, .hdr_len = 2,
		.direction = VRING_DESC_F_WRITE,
		.features = F(CTRL_VQ) | (which & 1 ? F(MQ) : 0) |
			(which & 2 ? F(CTRL_RX) | F(CTRL_RX_EXTRA) : 0) |
			(which & 4 ? F(CTRL_VLAN) : 0) | (which & 8 ? F(CTRL_MAC_ADDR) : 0) |
			(which & 0x10 ? F(CTRL_GUEST_OFFLOADS) | F(GUEST_CSUM) : 0) |
			(which & 0x20 ? F(GUEST_TSO4) | F(GUEST_CSUM) : 0) |
			(which & 0x40 ? F(GUEST_ANNOUNCE) : 0) };
	struct vstate_pos base;
	uint16_t i;

	base = fuzz_queue_begin(&q, in, how, &conf);
	/* no poll thread serves the other rings: they may be the same one */
	for (i = 0; i < conf.qid; i++)
		fuzz_driver_describe(&q.d, base, &q.setup.rings[i]);
	vstate_start(q.dev, &q.setup);
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
	fuzz_queue_end(&q);
	fuzz_require(fuzz_free_fd() == free_fd, "no descriptor is left open");
	return 0;
}
