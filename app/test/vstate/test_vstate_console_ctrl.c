/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * The control queues of a console with several ports: which messages the driver gets, in which
 * order, and which of them are left for another process.
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <linux/virtio_console.h>

#include <rte_common.h>

#include "console/vstate_console_conf.h"
#include "console/vstate_console_ctrl.h"
#include "dev/vstate_start.h"
#include "ring/vstate_inflight.h"
#include "rte_vhost_state.h"
#include "rte_vhost_state_backend.h"
#include "ut_console.h"
#include "ut_groups.h"

#define NAME "test_console"
#define PORTS 3
#define BAD_ID VIRTIO_CONSOLE_BAD_ID

/* A console of three ports with the ring at one of its queues; port 1 has a socket and a name. */
static void
ctrl_open(struct con *k, uint16_t qid, bool packed)
{
	struct vstate_conf conf = con_conf(k);
	struct vstate_console_conf *console = vstate_console_conf(&conf);

	console->nb_ports = PORTS;
	console->ports[1] = console->ports[0];
	strcpy(console->ports[1].name, "org.vstate.1");
	console->ports[0] = (struct vstate_console_port_conf){ .kind = VSTATE_CONSOLE_PTY };
	k->qid = qid;
	k->packed = packed;
	ring_open(&k->ring, packed, CONSOLE_RING);
	con_device_open(k, NAME, &conf);
	con_start(k, (struct vstate_pos){ 0, packed });
	con_work(k);
}

static struct virtio_console_control
command_make(uint32_t id, uint16_t event, uint16_t value)
{
	return (struct virtio_console_control){ id, event, value };
}

/* Let the driver send a command in two pieces. */
static void
command_send(struct con *k, uint32_t id, uint16_t event, uint16_t value)
{
	const struct virtio_console_control cmd = command_make(id, event, value);
	uint16_t buf, used;
	uint32_t len;

	guest_write(&k->ring.guest, RING_BUF_GPA, &cmd, sizeof(cmd));
	buf = con_add(k, 0, sizeof(cmd));
	con_work(k);
	assert_true(ring_get_used(&k->ring, &used, &len));
	assert_int_equal(used, buf);
	assert_int_equal(len, 0);
}

/* The message that comes next, with @p more bytes behind its head. */
static void
message_check(struct con *k, uint32_t id, uint16_t event, uint16_t value, const void *more,
		uint32_t nb)
{
	struct virtio_console_control head;
	uint8_t bytes[64];
	uint16_t buf, used;
	uint32_t len;

	buf = ring_add(&k->ring, (const struct piece[]){ { RING_BUF_GPA + 3, 5 },
			{ RING_BUF_GPA + 8, 64 } }, 2, true);
	con_work(k);
	assert_true(ring_get_used(&k->ring, &used, &len));
	assert_int_equal(used, buf);
	assert_int_equal(len, sizeof(head) + nb);
	guest_read(&k->ring.guest, RING_BUF_GPA + 3, bytes, len);
	memcpy(&head, bytes, sizeof(head));
	assert_int_equal(head.id, id);
	assert_int_equal(head.event, event);
	assert_int_equal(head.value, value);
	if (nb > 0)
		assert_memory_equal(bytes + sizeof(head), more, nb);
}

/* A buffer waits: nothing is due. */
static void
no_message_check(struct con *k)
{
	uint16_t used;
	uint32_t len;

	con_add(k, 1024, 64);
	con_work(k);
	assert_false(ring_get_used(&k->ring, &used, &len));
	assert_int_equal(vstate_inflight_count(&k->q->vq), 0);
}

static void
driver_command(struct con *k, uint32_t id, uint16_t event, uint16_t value)
{
	const struct virtio_console_control cmd = command_make(id, event, value);

	assert_true(vstate_console_ctrl_run(k->c, &cmd));
}

static void
commands_of_the_driver_set_what_is_due(void **state)
{
	struct con k;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		ctrl_open(&k, VSTATE_CONSOLE_CTRL_TO_HOST, packed);
		command_send(&k, BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
		assert_true(k.c->driver_ready);
		assert_int_equal(k.c->ports[0].due, RTE_VHOST_STATE_CONSOLE_DUE_ADD);
		assert_int_equal(k.c->ports[2].due, RTE_VHOST_STATE_CONSOLE_DUE_ADD);
		command_send(&k, 0, VIRTIO_CONSOLE_PORT_READY, 1);
		assert_int_equal(k.c->ports[0].due, RTE_VHOST_STATE_CONSOLE_DUE_CONSOLE);
		command_send(&k, 1, VIRTIO_CONSOLE_PORT_READY, 1);
		assert_int_equal(k.c->ports[1].due, RTE_VHOST_STATE_CONSOLE_DUE_NAME);
		assert_false(k.c->ports[1].guest_open);
		command_send(&k, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
		assert_true(k.c->ports[1].guest_open);
		command_send(&k, 1, VIRTIO_CONSOLE_PORT_OPEN, 0);
		assert_false(k.c->ports[1].guest_open);
		/* the driver could not add it */
		command_send(&k, 0, VIRTIO_CONSOLE_PORT_READY, 0);
		assert_false(k.c->ports[0].ready);
		assert_int_equal(k.c->ports[0].due, 0);
		assert_int_equal(k.q->counters.buffers, 6);
		/* and from scratch */
		command_send(&k, BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
		assert_false(k.c->ports[1].ready);
		assert_int_equal(k.c->ports[1].due, RTE_VHOST_STATE_CONSOLE_DUE_ADD);
		con_close(&k);
	}
}

static void
wrong_commands_are_counted_and_change_nothing(void **state)
{
	static const struct virtio_console_control bad[] = {
		{ PORTS, VIRTIO_CONSOLE_PORT_READY, 1 }, { BAD_ID, VIRTIO_CONSOLE_PORT_OPEN, 1 },
		{ 0, VIRTIO_CONSOLE_PORT_OPEN, 1 }, { 0, VIRTIO_CONSOLE_PORT_ADD, 1 },
		{ 0, VIRTIO_CONSOLE_RESIZE, 1 }, { 0, 8, 1 }, { 0, 0xffff, 1 },
	};
	struct vstate_console_kept before;
	struct con k;
	unsigned int i;

	ctrl_open(&k, VSTATE_CONSOLE_CTRL_TO_HOST, false);
	/* before DEVICE_READY */
	command_send(&k, 0, VIRTIO_CONSOLE_PORT_READY, 1);
	assert_false(k.c->ports[0].ready);
	command_send(&k, BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
	memcpy(&before, k.dev->kept, sizeof(before));
	for (i = 0; i < RTE_DIM(bad); i++)
		command_send(&k, bad[i].id, bad[i].event, bad[i].value);
	/* shorter than a command */
	con_add(&k, 0, 7);
	con_work(&k);
	assert_int_equal(k.q->counters.malformed, RTE_DIM(bad) + 2);
	assert_memory_equal(&before, k.dev->kept, sizeof(before));
	assert_int_equal(k.q->vq.fault, VSTATE_FAULT_NONE);
	con_close(&k);
}

static void
driver_is_told_all_of_its_ports(void **state)
{
	const uint8_t size[4] = { 100, 0, 40, 0 };
	struct con k;
	int packed;
	uint16_t i;

	for (packed = 0; packed < 2; packed++) {
		ctrl_open(&k, VSTATE_CONSOLE_CTRL_TO_GUEST, packed);
		driver_command(&k, BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
		for (i = 0; i < PORTS; i++)
			message_check(&k, i, VIRTIO_CONSOLE_PORT_ADD, 1, NULL, 0);
		k.c->ports[0].host.cols = 100;
		k.c->ports[0].host.rows = 40;
		driver_command(&k, 0, VIRTIO_CONSOLE_PORT_READY, 1);
		message_check(&k, 0, VIRTIO_CONSOLE_CONSOLE_PORT, 1, NULL, 0);
		message_check(&k, 0, VIRTIO_CONSOLE_RESIZE, 1, size, sizeof(size));
		driver_command(&k, 1, VIRTIO_CONSOLE_PORT_READY, 1);
		message_check(&k, 1, VIRTIO_CONSOLE_PORT_NAME, 1, "org.vstate.1", 12);
		/* a peer comes and goes */
		con_peer_open(&k);
		message_check(&k, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, NULL, 0);
		assert_int_equal(k.c->ports[0].due | k.c->ports[1].due | k.c->ports[2].due, 0);
		driver_command(&k, 1, VIRTIO_CONSOLE_PORT_READY, 1);
		message_check(&k, 1, VIRTIO_CONSOLE_PORT_NAME, 1, "org.vstate.1", 12);
		message_check(&k, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, NULL, 0);
		no_message_check(&k);
		con_close(&k);
	}
}

static void
short_buffer_for_a_message_returns_empty(void **state)
{
	struct con k;
	uint16_t used;
	uint32_t len;

	ctrl_open(&k, VSTATE_CONSOLE_CTRL_TO_GUEST, false);
	driver_command(&k, BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
	con_add(&k, 0, 7);
	con_work(&k);
	assert_true(ring_get_used(&k.ring, &used, &len));
	assert_int_equal(len, 0);
	assert_int_equal(k.q->counters.malformed, 1);
	message_check(&k, 0, VIRTIO_CONSOLE_PORT_ADD, 1, NULL, 0);
	con_close(&k);
}

/* Another process or host sends the messages that are left, and none twice. */
static void
messages_that_are_due_move_with_the_state(void **state)
{
	struct rte_vhost_state_error err;
	struct rte_vhost_state *st;
	struct con k;
	int packed, killed;

	for (packed = 0; packed < 2; packed++) {
		for (killed = 0; killed < 2; killed++) {
			struct vstate_console_kept kept;

			ctrl_open(&k, VSTATE_CONSOLE_CTRL_TO_GUEST, packed);
			driver_command(&k, BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
			message_check(&k, 0, VIRTIO_CONSOLE_PORT_ADD, 1, NULL, 0);
			driver_command(&k, 0, VIRTIO_CONSOLE_PORT_READY, 1);
			driver_command(&k, 0, VIRTIO_CONSOLE_PORT_OPEN, 1);
			assert_int_equal(rte_vhost_state_suspend(NAME, 0, NULL), 0);
			st = rte_vhost_state_capture(NAME, &err);
			assert_non_null(st);
			assert_int_equal(rte_vhost_state_validate(st, &err), 0);
			assert_int_equal(st->console.driver_ready, 1);
			assert_int_equal(st->console.ports[0].guest_open, 1);
			memcpy(&kept, k.dev->kept, sizeof(kept));
			vstate_start_disconnect(k.dev, false);
			vstate_console_reset(k.dev);
			assert_int_equal(k.c->ports[1].due, 0);

			vstate_start_connect(k.dev);
			vstate_start_negotiate(k.dev, k.setup.features, false);
			if (killed) {
				/* the state of the file is older than the memory behind it */
				st->console.driver_ready = st->console.ports[0].guest_open = 0;
				st->console.ports[0].due = st->console.ports[0].ready = 0;
			}
			assert_int_equal(rte_vhost_state_restore(NAME, st, &err), 0);
			con_start(&k, (struct vstate_pos){ 0, packed });
			memcpy(k.dev->kept, &kept, sizeof(kept));
			if (killed)
				assert_int_equal(vstate_console_recover(k.dev, st), 0);
			rte_vhost_state_free(st);
			assert_true(k.c->driver_ready);
			assert_true(k.c->ports[0].guest_open);
			message_check(&k, 0, VIRTIO_CONSOLE_CONSOLE_PORT, 1, NULL, 0);
			message_check(&k, 1, VIRTIO_CONSOLE_PORT_ADD, 1, NULL, 0);
			message_check(&k, 2, VIRTIO_CONSOLE_PORT_ADD, 1, NULL, 0);
			no_message_check(&k);
			con_close(&k);
		}
	}
}

/* The guest's side of a port is closed: bytes of the host wait. */
static void
closed_port_gets_no_bytes(void **state)
{
	struct con k;
	uint16_t used;
	uint32_t len;

	/* port 1 */
	ctrl_open(&k, 4, false);
	assert_ptr_equal(k.q, k.c->ports[1].to_guest);
	driver_command(&k, BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
	driver_command(&k, 1, VIRTIO_CONSOLE_PORT_READY, 1);
	con_peer_open(&k);
	assert_int_equal(write(k.peer, "bytes", 5), 5);
	ring_add(&k.ring, &(const struct piece){ RING_BUF_GPA, 64 }, 1, true);
	con_work(&k);
	assert_false(ring_get_used(&k.ring, &used, &len));
	driver_command(&k, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
	con_work(&k);
	assert_true(ring_get_used(&k.ring, &used, &len));
	assert_int_equal(len, 5);
	con_close(&k);
}

/* Nobody reads for a closed port, and yet a peer that left makes room for the next one. */
static void
peers_come_and_go_at_a_closed_port(void **state)
{
	struct con k;

	ctrl_open(&k, VSTATE_CONSOLE_CTRL_TO_GUEST, false);
	driver_command(&k, BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
	driver_command(&k, 1, VIRTIO_CONSOLE_PORT_READY, 1);
	con_peer_open(&k);
	assert_true(k.c->ports[1].host.is_open);
	con_peer_close(&k);
	con_work(&k);
	assert_false(k.c->ports[1].host.is_open);
	assert_false(k.c->ports[1].reported_open);
	con_peer_open(&k);
	assert_true(k.c->ports[1].host.is_open);
	assert_int_equal(k.c->ports[1].host.opens, 2);
	/* but not before its bytes are read */
	assert_int_equal(write(k.peer, "bytes", 5), 5);
	con_peer_close(&k);
	con_work(&k);
	assert_true(k.c->ports[1].host.is_open);
	con_close(&k);
}

/* The size of a state holds until the own terminal has one. */
static void
each_state_brings_its_size(void **state)
{
	static const uint16_t cols[] = { 80, 132 };
	struct vstate_console_port *port;
	struct rte_vhost_state *st;
	struct con k;
	unsigned int i;

	ctrl_open(&k, VSTATE_CONSOLE_CTRL_TO_GUEST, false);
	port = &k.c->ports[0];
	assert_int_equal(rte_vhost_state_suspend(NAME, 0, NULL), 0);
	st = rte_vhost_state_capture(NAME, NULL);
	assert_non_null(st);
	for (i = 0; i < RTE_DIM(cols); i++) {
		st->console.driver_ready = 1;
		st->console.ports[0].cols = cols[i];
		st->console.ports[0].rows = 24;
		assert_int_equal(vstate_console_restore(k.dev, st), 0);
		assert_int_equal(port->host.cols, cols[i]);
	}
	port->host.own_size = true;
	st->console.driver_ready = 1;
	st->console.ports[0].cols = 99;
	assert_int_equal(vstate_console_restore(k.dev, st), 0);
	assert_int_equal(port->host.cols, 132);
	rte_vhost_state_free(st);
	con_close(&k);
}

int
test_vstate_console_ctrl(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_of_the_driver_set_what_is_due),
		cmocka_unit_test(wrong_commands_are_counted_and_change_nothing),
		cmocka_unit_test(driver_is_told_all_of_its_ports),
		cmocka_unit_test(short_buffer_for_a_message_returns_empty),
		cmocka_unit_test(messages_that_are_due_move_with_the_state),
		cmocka_unit_test(closed_port_gets_no_bytes),
		cmocka_unit_test(peers_come_and_go_at_a_closed_port),
		cmocka_unit_test(each_state_brings_its_size),
	};

	return cmocka_run_group_tests_name("vstate_console_ctrl", tests, NULL, NULL);
}
