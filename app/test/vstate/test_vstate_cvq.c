/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file The control queue: commands, their effect, and their way into a state and back. */

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <linux/virtio_net.h>

#include <rte_bitops.h>

#include "rte_vhost_state.h"
#include "rte_vhost_state_backend.h"
#include "ut_device.h"
#include "ut_groups.h"
#include "ut_ring.h"
#include "dev/vstate_class.h"
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
#include "net/vstate_net.h"
#include "net/vstate_net_conf.h"
#include "ring/vstate_lease.h"
#include "ring/vstate_vq.h"

#define NAME "test_cvq"
#define PAIRS 2
#define CVQ (2 * PAIRS)
#define SIZE 64
#define ANSWER_GPA (RING_BUF_GPA + 0x8000)
#define NO_ANSWER 0x5a

#define F(bit) RTE_BIT64(VIRTIO_NET_F_##bit)
#define FEATURES (RTE_BIT64(VIRTIO_F_VERSION_1) | F(CTRL_VQ) | F(CTRL_RX) | F(CTRL_RX_EXTRA) | \
	F(CTRL_VLAN) | F(CTRL_MAC_ADDR) | F(CTRL_GUEST_OFFLOADS) | F(GUEST_CSUM) | F(GUEST_TSO4) | \
	F(GUEST_ANNOUNCE))
#define CTRL(name) RTE_VHOST_STATE_NET_CTRL_##name

/* A device of two pairs. All queues use the same ring; the driver uses it as control queue only. */
struct bench {
	struct vstate_dev *dev;
	struct ring ring;
	struct vstate_setup setup;
	int kickfd;
	uint16_t cvq;
};

/* As a driver makes it: all of it is zero. */
static void
ring_blank(struct bench *b)
{
	memset(guest_at(&b->ring.guest, RING_DESC_GPA), 0, 16ull * SIZE);
	memset(guest_at(&b->ring.guest, RING_DEVICE_GPA), 0, b->ring.packed ? 4 : 6 + 8ull * SIZE);
	memset(guest_at(&b->ring.guest, RING_DRIVER_GPA), 0, b->ring.packed ? 4 : 6 + 2ull * SIZE);
	ring_seek(&b->ring, 0, b->ring.packed);
}

static void
bases_set(struct bench *b, struct vstate_pos pos)
{
	unsigned int i;

	for (i = 0; i <= CVQ; i++) {
		b->setup.rings[i].base_fresh = true;
		b->setup.rings[i].avail = b->setup.rings[i].used = pos;
	}
}

static void
guest_connect(struct bench *b)
{
	vstate_start_connect(b->dev);
	vstate_start_negotiate(b->dev, b->setup.features, false);
}

static void
bench_open(struct bench *b, uint64_t features)
{
	struct vstate_conf conf = ut_conf(PAIRS, 9000);
	unsigned int i;

	vstate_net_conf(&conf)->cvq = true;
	memset(b, 0, sizeof(*b));
	b->kickfd = eventfd(0, EFD_NONBLOCK);
	b->cvq = features & F(MQ) ? CVQ : 2;
	ring_open(&b->ring, features & RTE_BIT64(VIRTIO_F_RING_PACKED), SIZE);
	ring_blank(b);
	vstate_lease_init();
	assert_int_equal(vstate_watch_get(), 0);
	b->dev = ut_device_make(NAME, &conf);
	assert_non_null(b->dev);
	assert_int_equal(b->dev->nb_vqs, CVQ + 1);
	vstate_poller_set(b->dev, VSTATE_POLLER_PORT, NULL, NULL);
	b->setup.features = features;
	b->setup.mem = b->ring.guest.mem;
	for (i = 0; i <= CVQ; i++) {
		ring_describe(&b->ring, &b->setup.rings[i]);
		b->setup.rings[i].ready = i < CVQ || b->cvq == CVQ;
		b->setup.rings[i].kickfd = b->kickfd;
	}
	bases_set(b, (struct vstate_pos){ 0, b->ring.packed });
	guest_connect(b);
}

static void
bench_start(struct bench *b, uint64_t features)
{
	bench_open(b, features);
	assert_int_equal(vstate_start(b->dev, &b->setup), 0);
}

static void
bench_close(struct bench *b)
{
	vstate_start_disconnect(b->dev, false);
	ut_device_unmake(b->dev);
	vstate_watch_put();
	ring_close(&b->ring);
	close(b->kickfd);
}

/* @return the answer of the device, or NO_ANSWER */
static uint8_t
command_answer(struct bench *b)
{
	uint16_t id;
	uint32_t len;

	vstate_control_event(b->dev);
	if (!ring_get_used(&b->ring, &id, &len))
		return NO_ANSWER;
	assert_int_equal(len, 1);
	assert_false(ring_get_used(&b->ring, &id, &len));
	return *guest_at(&b->ring.guest, ANSWER_GPA);
}

static void
command_add(struct bench *b, uint8_t class, uint8_t command, const void *data, uint32_t len)
{
	const uint8_t head[] = { class, command };
	/* the header is cut, as nothing says that it lies in one descriptor */
	const struct piece p[] = { { RING_BUF_GPA, 1 }, { RING_BUF_GPA + 1, len + 1 },
		{ ANSWER_GPA, 1 } };

	guest_write(&b->ring.guest, RING_BUF_GPA, head, sizeof(head));
	guest_write(&b->ring.guest, RING_BUF_GPA + sizeof(head), data, len);
	*guest_at(&b->ring.guest, ANSWER_GPA) = NO_ANSWER;
	ring_add_mixed(&b->ring, p, 2, 3);
}

static uint8_t
command_send(struct bench *b, uint8_t class, uint8_t command, const void *data, uint32_t len)
{
	command_add(b, class, command, data, len);
	return command_answer(b);
}

static uint8_t
mode_send(struct bench *b, uint8_t mode, uint8_t on)
{
	return command_send(b, VIRTIO_NET_CTRL_RX, mode, &on, 1);
}

static uint8_t
vlan_send(struct bench *b, uint8_t command, uint16_t vlan)
{
	return command_send(b, VIRTIO_NET_CTRL_VLAN, command, &vlan, 2);
}

static uint8_t
pairs_send(struct bench *b, uint16_t pairs)
{
	return command_send(b, VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, &pairs, 2);
}

static uint8_t
offloads_send(struct bench *b, uint64_t offloads)
{
	return command_send(b, VIRTIO_NET_CTRL_GUEST_OFFLOADS, VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET,
			&offloads, 8);
}

static uint8_t
mac_send(struct bench *b, const struct rte_ether_addr *mac)
{
	return command_send(b, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, mac, 6);
}

static struct rte_vhost_state *
state_get(struct bench *b)
{
	struct rte_vhost_state *st;

	assert_int_equal(rte_vhost_state_suspend(NAME, 0, NULL), 0);
	st = rte_vhost_state_capture(NAME, NULL);
	assert_non_null(st);
	assert_int_equal(rte_vhost_state_validate(st, NULL), 0);
	assert_int_equal(rte_vhost_state_resume(NAME, NULL), 0);
	return st;
}

static struct rte_vhost_state_net_ctrl
settings_get(struct bench *b)
{
	struct rte_vhost_state *st = state_get(b);
	struct rte_vhost_state_net_ctrl ctrl = st->net.ctrl;

	rte_vhost_state_free(st);
	return ctrl;
}

static const struct rte_ether_addr mac_a = { { 0x02, 1, 2, 3, 4, 5 } };
static const struct rte_ether_addr mac_b = { { 0x02, 1, 2, 3, 4, 6 } };
static const struct rte_ether_addr group = { { 0x33, 0x33, 0, 0, 0, 7 } };

/* One setting of each kind. */
static void
all_set(struct bench *b)
{
	uint8_t table[4 + 6 + 4 + 6] = { 1 };

	memcpy(table + 4, &mac_b, 6);
	table[10] = 1;
	memcpy(table + 14, &group, 6);
	assert_int_equal(mode_send(b, VIRTIO_NET_CTRL_RX_PROMISC, 0), VIRTIO_NET_OK);
	assert_int_equal(mode_send(b, VIRTIO_NET_CTRL_RX_NOBCAST, 1), VIRTIO_NET_OK);
	assert_int_equal(command_send(b, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, table,
				sizeof(table)), VIRTIO_NET_OK);
	assert_int_equal(mac_send(b, &mac_a), VIRTIO_NET_OK);
	assert_int_equal(vlan_send(b, VIRTIO_NET_CTRL_VLAN_ADD, 5), VIRTIO_NET_OK);
	assert_int_equal(vlan_send(b, VIRTIO_NET_CTRL_VLAN_ADD, 4095), VIRTIO_NET_OK);
	assert_int_equal(vlan_send(b, VIRTIO_NET_CTRL_VLAN_DEL, 5), VIRTIO_NET_OK);
	assert_int_equal(offloads_send(b, F(GUEST_CSUM)), VIRTIO_NET_OK);
	if (b->setup.features & F(MQ))
		assert_int_equal(pairs_send(b, 2), VIRTIO_NET_OK);
}

static void
features_of_the_control_queue_need_cvq(void **state)
{
	const uint64_t cvq = F(CTRL_VQ) | F(CTRL_RX) | F(CTRL_RX_EXTRA) | F(CTRL_VLAN) |
		F(CTRL_MAC_ADDR) | F(CTRL_GUEST_OFFLOADS) | F(MAC);
	/* the network card of QEMU takes them from the back end, and serves them itself */
	const uint64_t both = F(MQ) | F(GUEST_ANNOUNCE);
	/* hash reports, RSS, coalescing */
	const uint64_t never = RTE_BIT64(57) | RTE_BIT64(60) | RTE_BIT64(53);
	struct vstate_conf conf = ut_conf(PAIRS, 9000);

	assert_int_equal(vstate_net_features(&conf) & (cvq | both | never), both);
	vstate_net_conf(&conf)->cvq = true;
	assert_int_equal(vstate_net_features(&conf) & (cvq | both | never), cvq | both);
}

static void
each_accepted_command_is_in_the_state(uint64_t features)
{
	struct rte_vhost_state_net_ctrl ctrl;
	struct bench b;

	bench_start(&b, features);
	all_set(&b);
	ctrl = settings_get(&b);
	assert_int_equal(ctrl.accepted, RTE_BIT32(CTRL(PROMISC)) | RTE_BIT32(CTRL(NOBCAST)) |
			RTE_BIT32(CTRL(MAC_TABLE)) | RTE_BIT32(CTRL(MAC_ADDR)) |
			RTE_BIT32(CTRL(OFFLOADS)) |
			(features & F(MQ) ? RTE_BIT32(CTRL(PAIRS)) : 0));
	assert_int_equal(ctrl.rx_mode, RTE_BIT32(CTRL(NOBCAST)));
	assert_true(rte_is_same_ether_addr(&ctrl.mac, &mac_a));
	assert_int_equal(ctrl.nb_unicast, 1);
	assert_int_equal(ctrl.nb_multicast, 1);
	assert_true(rte_is_same_ether_addr(&ctrl.macs[0], &mac_b));
	assert_true(rte_is_same_ether_addr(&ctrl.macs[1], &group));
	assert_int_equal(ctrl.vlans[0], 0);
	assert_int_equal(ctrl.vlans[63], RTE_BIT64(63));
	assert_int_equal(ctrl.offloads, F(GUEST_CSUM));
	bench_close(&b);
}

static void
each_accepted_command_is_in_the_state_of_split_rings(void **state)
{
	each_accepted_command_is_in_the_state(FEATURES | F(MQ));
}

static void
each_accepted_command_is_in_the_state_of_packed_rings(void **state)
{
	each_accepted_command_is_in_the_state(FEATURES | F(MQ) | RTE_BIT64(VIRTIO_F_RING_PACKED));
}

static void
control_queue_without_mq_has_index_2(void **state)
{
	each_accepted_command_is_in_the_state(FEATURES);
}

static void
refused_command_is_answered_by_an_error_and_changes_nothing(void **state)
{
	static const uint8_t zeroes[VSTATE_CVQ_COMMAND_MAX];
	static const uint8_t many[8] = { 0xff, 0xff, 0xff, 0xff };
	struct rte_vhost_state *before, *after;
	struct bench b;

	bench_start(&b, FEATURES | F(MQ));
	all_set(&b);
	before = state_get(&b);
#define REFUSED(answer) assert_int_equal(answer, VIRTIO_NET_ERR)
	REFUSED(mode_send(&b, VIRTIO_NET_CTRL_RX_PROMISC, 2));
	REFUSED(mode_send(&b, VIRTIO_NET_CTRL_RX_NOBCAST + 1, 1));
	REFUSED(command_send(&b, VIRTIO_NET_CTRL_RX, 0, zeroes, 0));
	REFUSED(command_send(&b, VIRTIO_NET_CTRL_RX, 0, zeroes, 2));
	REFUSED(mac_send(&b, &group));
	REFUSED(command_send(&b, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, many, 8));
	REFUSED(command_send(&b, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, zeroes, 9));
	REFUSED(command_send(&b, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, zeroes,
				sizeof(zeroes)));
	REFUSED(vlan_send(&b, VIRTIO_NET_CTRL_VLAN_ADD, 4096));
	REFUSED(vlan_send(&b, VIRTIO_NET_CTRL_VLAN_DEL + 1, 1));
	REFUSED(pairs_send(&b, 0));
	REFUSED(pairs_send(&b, PAIRS + 1));
	/* RSS, hash reports, coalescing */
	REFUSED(command_send(&b, VIRTIO_NET_CTRL_MQ, 1, zeroes, 40));
	REFUSED(command_send(&b, VIRTIO_NET_CTRL_MQ, 2, zeroes, 40));
	REFUSED(command_send(&b, 6, 0, zeroes, 8));
	/* an offload that was not negotiated */
	REFUSED(offloads_send(&b, F(GUEST_TSO6)));
#undef REFUSED
	after = state_get(&b);
	assert_true(vstate_run_vq_blocks(b.dev, b.dev->vqs[CVQ]) == 0);
	assert_memory_equal(&before->net, &after->net, sizeof(before->net));
	rte_vhost_state_free(before);
	rte_vhost_state_free(after);
	bench_close(&b);
}

static void
command_without_its_feature_is_refused(void **state)
{
	struct bench b;

	bench_start(&b, RTE_BIT64(VIRTIO_F_VERSION_1) | F(CTRL_VQ));
	assert_int_equal(mode_send(&b, VIRTIO_NET_CTRL_RX_PROMISC, 0), VIRTIO_NET_ERR);
	assert_int_equal(mac_send(&b, &mac_a), VIRTIO_NET_ERR);
	assert_int_equal(vlan_send(&b, VIRTIO_NET_CTRL_VLAN_ADD, 1), VIRTIO_NET_ERR);
	assert_int_equal(pairs_send(&b, 1), VIRTIO_NET_ERR);
	assert_int_equal(offloads_send(&b, 0), VIRTIO_NET_ERR);
	assert_int_equal(settings_get(&b).accepted, 0);
	bench_close(&b);
}

/* Add a chain that no driver may make, and see that it breaks the control queue only. */
static void
hostile_chain_breaks_only_its_queue(struct bench *b, const struct piece *p, uint16_t nb_readable,
		uint16_t n, enum vstate_fault fault)
{
	uint16_t id;
	uint32_t len;

	ring_add_mixed(&b->ring, p, nb_readable, n);
	vstate_control_event(b->dev);
	assert_false(ring_get_used(&b->ring, &id, &len));
	assert_int_equal(b->dev->vqs[CVQ]->fault, fault);
	assert_int_equal(vstate_run_vq_blocks(b->dev, b->dev->vqs[CVQ]), VSTATE_BLOCK_BROKEN);
	assert_true(vstate_lease_is_granted(&b->dev->vqs[0]->lease));
	assert_true(vstate_lease_is_granted(&b->dev->vqs[1]->lease));
	assert_int_equal(b->dev->vqs[CVQ]->avail.idx, b->dev->vqs[CVQ]->used.idx);
}

static void
command_without_room_for_an_answer_breaks_the_queue(void **state)
{
	const struct piece p[] = { { RING_BUF_GPA, 3 } };
	struct bench b;

	bench_start(&b, FEATURES | F(MQ));
	guest_write(&b.ring.guest, RING_BUF_GPA, "\0\0\0", 3);
	hostile_chain_breaks_only_its_queue(&b, p, 1, 1, VSTATE_FAULT_CHAIN_SHORT);
	bench_close(&b);
}

static void
command_with_a_bad_address_has_no_effect(void **state)
{
	/* a valid command, and behind its answer a descriptor outside of the guest's memory */
	const struct piece p[] = { { RING_BUF_GPA, 3 }, { ANSWER_GPA, 1 },
		{ UINT64_C(0x7000000000), 1 } };
	struct bench b;

	bench_start(&b, FEATURES | F(MQ));
	guest_write(&b.ring.guest, RING_BUF_GPA, "\0\0\0", 3);
	hostile_chain_breaks_only_its_queue(&b, p, 1, 3, VSTATE_FAULT_ADDRESS);
	assert_ptr_equal(vstate_net_vq_of(b.dev->vqs[0])->filter, NULL);
	bench_close(&b);
}

/* ---- what commands do ---- */

static void
driver_with_mq_begins_with_one_pair(void **state)
{
	struct bench b;
	uint16_t i;

	bench_start(&b, FEATURES | F(MQ));
	assert_int_equal(vstate_net_of(b.dev)->active_pairs, 1);
	for (i = 2; i < 4; i++) {
		assert_int_equal(vstate_run_vq_blocks(b.dev, b.dev->vqs[i]), VSTATE_BLOCK_INACTIVE);
		assert_false(vstate_lease_is_granted(&b.dev->vqs[i]->lease));
	}
	assert_int_equal(pairs_send(&b, 2), VIRTIO_NET_OK);
	assert_int_equal(vstate_net_of(b.dev)->active_pairs, 2);
	assert_true(vstate_lease_is_granted(&b.dev->vqs[3]->lease));
	assert_int_equal(pairs_send(&b, 1), VIRTIO_NET_OK);
	assert_int_equal(vstate_net_of(b.dev)->active_pairs, 1);
	assert_false(vstate_lease_is_granted(&b.dev->vqs[2]->lease));
	bench_close(&b);
}

static void
front_end_with_its_own_control_queue_enables_pairs_alone(void **state)
{
	struct bench b;

	/* it negotiates CTRL_VQ or not, and never sets the ring up */
	bench_open(&b, FEATURES | F(MQ));
	b.setup.rings[CVQ].ready = false;
	assert_int_equal(vstate_start(b.dev, &b.setup), 0);
	assert_int_equal(vstate_net_of(b.dev)->active_pairs, 2);
	assert_true(vstate_lease_is_granted(&b.dev->vqs[3]->lease));
	assert_int_equal(settings_get(&b).accepted, 0);
	bench_close(&b);
}

static void
driver_without_a_filter_has_the_bursts_themselves(void **state)
{
	const struct vstate_net_ops *ops;
	struct bench b;

	bench_start(&b, FEATURES | F(MQ));
	ops = vstate_net_vq_of(b.dev->vqs[0])->ops;
	assert_ptr_equal(ops, vstate_net_ops_choose(false));
	assert_int_equal(mode_send(&b, VIRTIO_NET_CTRL_RX_PROMISC, 0), VIRTIO_NET_OK);
	assert_ptr_not_equal(vstate_net_vq_of(b.dev->vqs[0])->ops, ops);
	/* what the guest sends is never filtered */
	assert_ptr_equal(vstate_net_vq_of(b.dev->vqs[1])->ops, ops);
	assert_int_equal(mode_send(&b, VIRTIO_NET_CTRL_RX_PROMISC, 1), VIRTIO_NET_OK);
	assert_ptr_equal(vstate_net_vq_of(b.dev->vqs[0])->ops, ops);
	bench_close(&b);
}

static void
address_of_the_driver_is_in_config_space_until_a_reset(void **state)
{
	struct rte_ether_addr first, now;
	struct bench b;

	bench_start(&b, FEATURES | F(MQ));
	assert_int_equal(vstate_net_config_get(b.dev, first.addr_bytes, 6), 0);
	assert_int_equal(mac_send(&b, &mac_a), VIRTIO_NET_OK);
	assert_int_equal(vstate_net_config_get(b.dev, now.addr_bytes, 6), 0);
	assert_true(rte_is_same_ether_addr(&now, &mac_a));
	/* the driver resets its device, and makes new rings */
	vstate_start_end(b.dev, false);
	ring_blank(&b);
	assert_int_equal(vstate_start(b.dev, &b.setup), 0);
	assert_int_equal(vstate_net_config_get(b.dev, now.addr_bytes, 6), 0);
	assert_true(rte_is_same_ether_addr(&now, &first));
	assert_int_equal(settings_get(&b).accepted, 0);
	bench_close(&b);
}

static void
offloads_of_the_driver_are_those_of_its_queues(void **state)
{
	struct bench b;

	bench_start(&b, FEATURES | F(MQ));
	assert_true(vstate_net_vq_of(b.dev->vqs[0])->guest_csum);
	assert_int_equal(offloads_send(&b, 0), VIRTIO_NET_OK);
	assert_false(vstate_net_vq_of(b.dev->vqs[0])->guest_csum);
	assert_int_equal(vstate_net_vq_of(b.dev->vqs[0])->features & F(GUEST_TSO4), 0);
	assert_int_equal(offloads_send(&b, F(GUEST_CSUM) | F(GUEST_TSO4)), VIRTIO_NET_OK);
	assert_int_equal(vstate_net_vq_of(b.dev->vqs[0])->features, FEATURES | F(MQ));
	bench_close(&b);
}

/* ---- when commands are served ---- */

static bool
event_is_due(const struct bench *b)
{
	struct pollfd p = { .fd = b->dev->class->event_fd(b->dev), .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void
kick_makes_the_event_due(void **state)
{
	struct bench b;

	bench_start(&b, FEATURES | F(MQ));
	vstate_control_event(b.dev);
	assert_false(event_is_due(&b));
	command_add(&b, VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, "\1", 1);
	assert_int_equal(eventfd_write(b.kickfd, 1), 0);
	assert_true(event_is_due(&b));
	assert_int_equal(command_answer(&b), VIRTIO_NET_OK);
	/* the change granted all queues, and after a grant there is one more look */
	vstate_control_event(b.dev);
	assert_false(event_is_due(&b));
	bench_close(&b);
}

static void
suspended_device_serves_a_command_when_it_resumes(void **state)
{
	struct bench b;

	bench_start(&b, FEATURES | F(MQ));
	assert_int_equal(rte_vhost_state_suspend(NAME, 0, NULL), 0);
	command_add(&b, VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, "\1", 1);
	eventfd_write(b.kickfd, 1);
	assert_int_equal(command_answer(&b), NO_ANSWER);
	assert_false(event_is_due(&b));
	assert_int_equal(rte_vhost_state_resume(NAME, NULL), 0);
	assert_true(event_is_due(&b));
	assert_int_equal(command_answer(&b), VIRTIO_NET_OK);
	bench_close(&b);
}

static void
commands_are_served_without_a_poller(void **state)
{
	struct bench b;

	bench_start(&b, FEATURES | F(MQ));
	vstate_poller_set(b.dev, VSTATE_POLLER_NONE, NULL, NULL);
	assert_false(vstate_lease_is_granted(&b.dev->vqs[0]->lease));
	assert_int_equal(mode_send(&b, VIRTIO_NET_CTRL_RX_PROMISC, 1), VIRTIO_NET_OK);
	bench_close(&b);
}

/* ---- state ---- */

/* Stop the device, forget the guest, and let another front end connect. */
static struct rte_vhost_state *
state_take_away(struct bench *b)
{
	struct rte_vhost_state *st;

	assert_int_equal(rte_vhost_state_suspend(NAME, 0, NULL), 0);
	st = rte_vhost_state_capture(NAME, NULL);
	assert_non_null(st);
	vstate_start_disconnect(b->dev, false);
	guest_connect(b);
	return st;
}

static void
restored_settings_are_in_force(uint64_t features)
{
	struct rte_vhost_state *st, *now;
	struct rte_ether_addr mac;
	struct bench b;

	bench_start(&b, features);
	all_set(&b);
	st = state_take_away(&b);
	assert_int_equal(rte_vhost_state_restore(NAME, st, NULL), 0);
	assert_int_equal(vstate_start(b.dev, &b.setup), 0);
	now = state_get(&b);
	/* the guest was moved, and has to say where it is */
	assert_int_equal(now->net.status, st->net.status | VIRTIO_NET_S_ANNOUNCE);
	now->net.status = st->net.status;
	assert_true(rte_vhost_state_equal(st, now));
	assert_non_null(vstate_net_vq_of(b.dev->vqs[0])->filter);
	assert_int_equal(vstate_net_config_get(b.dev, mac.addr_bytes, 6), 0);
	assert_true(rte_is_same_ether_addr(&mac, &mac_a));
	assert_int_equal(vstate_net_of(b.dev)->active_pairs, features & F(MQ) ? 2 : 1);
	/* the queue resumes where it stopped */
	assert_int_equal(command_send(&b, VIRTIO_NET_CTRL_ANNOUNCE, VIRTIO_NET_CTRL_ANNOUNCE_ACK,
				"", 0), VIRTIO_NET_OK);
	assert_false(vstate_cvq_announce_is_due(b.dev));
	rte_vhost_state_free(st);
	rte_vhost_state_free(now);
	bench_close(&b);
}

static void
restored_settings_are_in_force_with_split_rings(void **state)
{
	restored_settings_are_in_force(FEATURES | F(MQ));
}

static void
restored_settings_are_in_force_with_packed_rings(void **state)
{
	restored_settings_are_in_force(FEATURES | F(MQ) | RTE_BIT64(VIRTIO_F_RING_PACKED));
}

static void
restored_settings_are_in_force_without_mq(void **state)
{
	restored_settings_are_in_force(FEATURES);
}

/* Restore a state at a device of @p pairs pairs. @return why it is refused */
static enum rte_vhost_state_reason
refusal_get(const struct bench *b, const struct rte_vhost_state *st, uint16_t pairs, bool cvq)
{
	struct vstate_conf conf = ut_conf(pairs, 9000);
	struct rte_vhost_state_error err = { 0 };
	struct vstate_dev *dev;

	vstate_net_conf(&conf)->cvq = cvq;
	dev = ut_device_make("test_cvq_other", &conf);
	assert_non_null(dev);
	vstate_start_connect(dev);
	vstate_start_negotiate(dev, b->setup.features & dev->features_offered, false);
	assert_int_equal(rte_vhost_state_restore("test_cvq_other", st, &err), -EXDEV);
	assert_null(dev->resume_point.restored);
	vstate_start_disconnect(dev, false);
	ut_device_unmake(dev);
	return err.reason;
}

static void
settings_do_not_fit_a_device_without_their_queue(void **state)
{
	struct rte_vhost_state *st;
	struct bench b;

	bench_start(&b, FEATURES | F(MQ));
	all_set(&b);
	st = state_take_away(&b);
	assert_int_equal(refusal_get(&b, st, PAIRS, false), RTE_VHOST_STATE_R_FIT_FEATURES);
	assert_int_equal(refusal_get(&b, st, PAIRS + 1, false), RTE_VHOST_STATE_R_FIT_FEATURES);
	assert_int_equal(refusal_get(&b, st, PAIRS + 1, true), RTE_VHOST_STATE_R_FIT_CTRL_VQ);
	rte_vhost_state_free(st);
	bench_close(&b);
}

static void
refused_settings_leave_a_device_that_needs_a_reset(void **state)
{
	struct rte_vhost_state *st;
	struct bench b;

	bench_start(&b, FEATURES | F(MQ));
	all_set(&b);
	st = state_take_away(&b);
	assert_int_equal(rte_vhost_state_restore(NAME, st, NULL), 0);
	/* restore() lets no such state pass */
	b.dev->resume_point.restored->net.ctrl.offloads |= F(CTRL_VQ);
	assert_int_equal(vstate_start(b.dev, &b.setup), -EINVAL);
	assert_int_equal(vstate_run_status(b.dev) & (RTE_VHOST_STATE_S_NEEDS_RESET |
				RTE_VHOST_STATE_S_DRIVER_OK), RTE_VHOST_STATE_S_NEEDS_RESET);
	assert_null(vstate_net_vq_of(b.dev->vqs[0])->filter);
	assert_false(vstate_lease_is_granted(&b.dev->vqs[0]->lease));
	rte_vhost_state_free(st);
	bench_close(&b);
}

static void
settings_wait_for_a_control_queue_that_is_ready_later(void **state)
{
	struct rte_vhost_state_net_ctrl ctrl;
	struct rte_vhost_state *st;
	struct bench b;
	unsigned int i;

	bench_start(&b, FEATURES | F(MQ));
	all_set(&b);
	st = state_take_away(&b);
	assert_int_equal(rte_vhost_state_restore(NAME, st, NULL), 0);
	b.setup.rings[CVQ].ready = false;
	assert_int_equal(vstate_start(b.dev, &b.setup), 0);
	assert_null(vstate_net_vq_of(b.dev->vqs[0])->filter);
	b.setup.rings[CVQ].ready = true;
	assert_int_equal(vstate_start_ring(b.dev, CVQ, &b.setup.rings[CVQ]), -EAGAIN);
	for (i = 0; i < CVQ; i++)
		b.setup.rings[i].base_fresh = false;
	vstate_start_sync(b.dev, &b.setup);
	assert_non_null(vstate_net_vq_of(b.dev->vqs[0])->filter);
	ctrl = settings_get(&b);
	assert_memory_equal(&ctrl, &st->net.ctrl, sizeof(ctrl));
	rte_vhost_state_free(st);
	bench_close(&b);
}

static void
stop_and_start_keeps_the_settings(void **state)
{
	struct rte_vhost_state_net_ctrl before, after;
	struct bench b;

	bench_start(&b, FEATURES | F(MQ));
	all_set(&b);
	before = settings_get(&b);
	vstate_start_end(b.dev, false);
	bases_set(&b, b.dev->vqs[CVQ]->used);
	assert_int_equal(vstate_start(b.dev, &b.setup), 0);
	after = settings_get(&b);
	assert_memory_equal(&before, &after, sizeof(before));
	bench_close(&b);
}

static void
queue_at_the_begin_of_a_used_ring_is_not_new(void **state)
{
	struct rte_vhost_state_net_ctrl before, after;
	struct bench b;
	unsigned int i;

	bench_start(&b, FEATURES | F(MQ) | RTE_BIT64(VIRTIO_F_RING_PACKED));
	/* three descriptors each, twice around the ring of 64 */
	for (i = 0; i < 126; i += 3)
		assert_int_equal(vlan_send(&b, VIRTIO_NET_CTRL_VLAN_ADD, i), VIRTIO_NET_OK);
	before = settings_get(&b);
	assert_int_equal(b.dev->vqs[CVQ]->used.idx, 62);
	b.dev->vqs[CVQ]->used = b.dev->vqs[CVQ]->avail = (struct vstate_pos){ 0, 1 };
	vstate_start_end(b.dev, false);
	bases_set(&b, (struct vstate_pos){ 0, 1 });
	assert_int_equal(vstate_start(b.dev, &b.setup), 0);
	after = settings_get(&b);
	assert_memory_equal(&before, &after, sizeof(before));
	bench_close(&b);
}

static void
driver_of_which_nothing_is_known_gets_all_frames_on_all_pairs(void **state)
{
	struct bench b;

	bench_open(&b, FEATURES | F(MQ));
	ring_seek(&b.ring, 7, 0);
	bases_set(&b, (struct vstate_pos){ 7, 0 });
	assert_int_equal(vstate_start(b.dev, &b.setup), 0);
	assert_int_equal(vstate_net_of(b.dev)->active_pairs, 2);
	assert_null(vstate_net_vq_of(b.dev->vqs[0])->filter);
	/* it still has all pairs after the first command */
	assert_int_equal(mode_send(&b, VIRTIO_NET_CTRL_RX_ALLMULTI, 1), VIRTIO_NET_OK);
	assert_int_equal(vstate_net_of(b.dev)->active_pairs, 2);
	bench_close(&b);
}

static void
replay_is_all_or_nothing(void **state)
{
	struct vstate_cvq_rules rules = { FEATURES | F(MQ), PAIRS };
	struct rte_vhost_state_net_ctrl to = { 0 }, ctrl, before;

	memset(&ctrl, 0x5a, sizeof(ctrl));
	before = ctrl;
	to.accepted = RTE_BIT32(CTRL(PROMISC)) | RTE_BIT32(CTRL(PAIRS));
	to.pairs = PAIRS + 1;
	assert_int_equal(vstate_cvq_command_replay(&ctrl, &rules, &to), VSTATE_CVQ_REFUSED_VALUE);
	assert_memory_equal(&ctrl, &before, sizeof(ctrl));
	/* the number of pairs comes last: the VLAN is refused first */
	to.vlans[3] = 1;
	rules.features &= ~F(CTRL_VLAN);
	assert_int_equal(vstate_cvq_command_replay(&ctrl, &rules, &to), VSTATE_CVQ_REFUSED_FEATURE);
	assert_memory_equal(&ctrl, &before, sizeof(ctrl));
	to.pairs = PAIRS;
	rules.features |= F(CTRL_VLAN);
	assert_int_equal(vstate_cvq_command_replay(&ctrl, &rules, &to), VSTATE_CVQ_REFUSED_NONE);
	assert_memory_equal(&ctrl, &to, sizeof(ctrl));
}

int
test_vstate_cvq(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(features_of_the_control_queue_need_cvq),
		cmocka_unit_test(each_accepted_command_is_in_the_state_of_split_rings),
		cmocka_unit_test(each_accepted_command_is_in_the_state_of_packed_rings),
		cmocka_unit_test(control_queue_without_mq_has_index_2),
		cmocka_unit_test(refused_command_is_answered_by_an_error_and_changes_nothing),
		cmocka_unit_test(command_without_its_feature_is_refused),
		cmocka_unit_test(command_without_room_for_an_answer_breaks_the_queue),
		cmocka_unit_test(command_with_a_bad_address_has_no_effect),
		cmocka_unit_test(driver_with_mq_begins_with_one_pair),
		cmocka_unit_test(front_end_with_its_own_control_queue_enables_pairs_alone),
		cmocka_unit_test(driver_without_a_filter_has_the_bursts_themselves),
		cmocka_unit_test(address_of_the_driver_is_in_config_space_until_a_reset),
		cmocka_unit_test(offloads_of_the_driver_are_those_of_its_queues),
		cmocka_unit_test(kick_makes_the_event_due),
		cmocka_unit_test(suspended_device_serves_a_command_when_it_resumes),
		cmocka_unit_test(commands_are_served_without_a_poller),
		cmocka_unit_test(restored_settings_are_in_force_with_split_rings),
		cmocka_unit_test(restored_settings_are_in_force_with_packed_rings),
		cmocka_unit_test(restored_settings_are_in_force_without_mq),
		cmocka_unit_test(settings_do_not_fit_a_device_without_their_queue),
		cmocka_unit_test(refused_settings_leave_a_device_that_needs_a_reset),
		cmocka_unit_test(settings_wait_for_a_control_queue_that_is_ready_later),
		cmocka_unit_test(stop_and_start_keeps_the_settings),
		cmocka_unit_test(queue_at_the_begin_of_a_used_ring_is_not_new),
		cmocka_unit_test(driver_of_which_nothing_is_known_gets_all_frames_on_all_pairs),
		cmocka_unit_test(replay_is_all_or_nothing),
	};

	return cmocka_run_group_tests_name("vstate_cvq", tests, NULL, NULL);
}
