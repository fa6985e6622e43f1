/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <inttypes.h>
#include <string.h>

#include <linux/virtio_console.h>

#include <rte_common.h>
#include <rte_vhost_state.h>

#include "clock.h"
#include "conform_console.h"
#include "conform_console_io.h"

#define ALL VIRTIO_CONSOLE_BAD_ID
#define ADD VIRTIO_CONSOLE_PORT_ADD
#define CONSOLE VIRTIO_CONSOLE_CONSOLE_PORT
#define OPEN VIRTIO_CONSOLE_PORT_OPEN
#define READY VIRTIO_CONSOLE_PORT_READY
#define COMMAND sizeof(struct virtio_console_control)

/* ---- config space ---- */

static int
config_space_has_its_fields(struct conform_console *c)
{
	struct virtio_console_config config;
	uint8_t whole[256], part[256];
	uint16_t cells[2];
	uint32_t size;

	if (conform_console_open(c) < 0 || conform_console_peer(c, 0, 0) < 0 ||
			conform_console_resize(c, cells) < 0)
		return -1;
	memset(whole, 0xaa, sizeof(whole));
	if (ports_config_get(&c->guest, 0, whole, sizeof(whole)) != 0)
		return conform_console_no(c, "GET_CONFIG of 256 bytes is refused");
	for (size = 1; size < 256; size++) {
		memset(part, 0x55, sizeof(part));
		if (ports_config_get(&c->guest, 0, part, size) != 0 ||
				memcmp(part, whole, size) != 0 || part[size] != 0x55)
			return conform_console_no(c, "GET_CONFIG of %u bytes differs", size);
	}
	memcpy(&config, whole, sizeof(config));
	if (config.max_nr_ports != CONFORM_CONSOLE_PORTS || config.cols != cells[0])
		return conform_console_no(c, "%u ports, %u columns", config.max_nr_ports,
				config.cols);
	return 0;
}

/* Write until the device has seen that the terminal is open, and nothing of it is left. */
static int
emergency_begin(struct conform_console *c)
{
	const uint64_t until = clock_ns() + CONFORM_CONSOLE_MS * UINT64_C(1000000);
	const uint8_t byte[4] = { '-' };
	uint8_t got[64];

	do {
		if (ports_config_set(&c->guest, 0, 8, byte, 4) != 0)
			return conform_console_no(c, "an emergency write is refused");
		if (ports_peer_read(&c->guest, 0, got, 1, 10) == 1)
			return ports_peer_read(&c->guest, 0, got, sizeof(got),
					CONFORM_CONSOLE_REST_MS) < sizeof(got) ? 0 : -1;
	} while (clock_ns() < until);
	return conform_console_no(c, "an emergency write does not arrive");
}

static int
emergency_write_needs_no_queue(struct conform_console *c)
{
	static const struct {
		uint32_t offset, size;
	} bad[] = { { 0, 4 }, { 4, 4 }, { 7, 1 }, { 9, 1 }, { 8, 5 }, { 12, 1 } };
	const uint8_t byte[8] = { 'e', 'x', 'x', 'x' };
	uint8_t got[8];
	uint32_t i, size;

	if (conform_console_open(c) < 0 || conform_console_peer(c, 0, 0) < 0 ||
			emergency_begin(c) < 0)
		return -1;
	for (i = 0; i < RTE_DIM(bad); i++)
		if (ports_config_set(&c->guest, 0, bad[i].offset, byte, bad[i].size) == 0)
			return conform_console_no(c, "%u bytes are written at %u of config space",
					bad[i].size, bad[i].offset);
	for (size = 1; size <= 4; size++)
		if (ports_config_set(&c->guest, 0, 8, byte, size) != 0)
			return conform_console_no(c, "an emergency write of %u bytes is refused",
					size);
	/* the lowest byte of each of the four, and nothing of those that were refused */
	if (ports_peer_read(&c->guest, 0, got, 5, CONFORM_CONSOLE_REST_MS) != 4 ||
			memcmp(got, "eeee", 4) != 0)
		return conform_console_no(c, "other bytes than those of four emergency writes");
	return 0;
}

/* ---- ports ---- */

static int
bytes_pass_in_any_pieces(struct conform_console *c)
{
	static const uint32_t sizes[] = { 1, 2, 255, 4096, 65537 };
	const uint64_t data = c->guest.scratch_gpa;
	const uint64_t border = data + CONFORM_CONSOLE_SCRATCH / 2 - 700;
	unsigned int i;
	uint16_t port;

	if (conform_console_up(c) < 0)
		return -1;
	for (port = 1; port < CONFORM_CONSOLE_PORTS; port++) {
		for (i = 0; i < RTE_DIM(sizes); i++)
			if (conform_console_send(c, port, data, sizes[i], sizes[i]) < 0 ||
					conform_console_receive(c, port, data, sizes[i],
						sizes[i]) < 0)
				return -1;
		/* one descriptor for each byte; pieces across two regions of memory */
		if (conform_console_send(c, port, data, 250, 1) < 0 ||
				conform_console_receive(c, port, data, 250, 1) < 0 ||
				conform_console_send(c, port, border, 2000, 333) < 0 ||
				conform_console_receive(c, port, border, 2000, 333) < 0)
			return -1;
	}
	return 0;
}

static int
wrong_directions_return_empty(struct conform_console *c)
{
	const uint64_t data = c->guest.scratch_gpa;
	const struct guest_seg in = { data, 64, true }, out = { data, 64, false };
	const uint16_t rx = ports_rx(1), tx = ports_tx(1);
	const uint64_t at_rx = conform_console_count(c, 0, rx, "malformed"),
		at_tx = conform_console_count(c, 0, tx, "malformed");

	if (conform_console_up(c) < 0)
		return -1;
	conform_console_fill(c, data, 64, 1);
	if (ports_add(&c->guest, tx, &in, 1, 0) < 0 || conform_console_used(c, tx, 0) < 0)
		return -1;
	/* the bytes stay for the next buffer */
	if (ports_add(&c->guest, rx, &out, 1, 0) < 0 ||
			ports_peer_write(&c->guest, 1, "bytes", 5, CONFORM_CONSOLE_MS) != 5 ||
			conform_console_used(c, rx, 0) < 0 ||
			conform_console_check(c, data, 0, 64, 1) < 0 ||
			ports_add(&c->guest, rx, &in, 1, 0) < 0 ||
			conform_console_used(c, rx, 5) < 0)
		return -1;
	if (conform_console_count(c, 0, rx, "malformed") != at_rx + 1 ||
			conform_console_count(c, 0, tx, "malformed") != at_tx + 1)
		return conform_console_no(c, "buffers of a wrong direction are not counted");
	return 0;
}

static int
closed_port_gets_no_bytes(struct conform_console *c)
{
	const struct guest_seg in = { c->guest.scratch_gpa, 64, true };

	if (conform_console_up(c) < 0 || conform_console_command(c, 1, OPEN, 0) < 0 ||
			ports_add(&c->guest, ports_rx(1), &in, 1, 0) < 0 ||
			ports_peer_write(&c->guest, 1, "bytes", 5, CONFORM_CONSOLE_MS) != 5 ||
			conform_console_unused(c, ports_rx(1)) < 0)
		return -1;
	/* the others do not wait for it */
	if (conform_console_receive(c, 2, c->guest.scratch_gpa + 4096, 100, 100) < 0 ||
			conform_console_command(c, 1, OPEN, 1) < 0 ||
			conform_console_used(c, ports_rx(1), 5) < 0 ||
			conform_console_command(c, 1, OPEN, 0) < 0)
		return -1;
	ports_peer_close(&c->guest, 1);
	if (conform_console_expect(c, 1, OPEN, 0, "", 0) < 0 || conform_console_peer(c, 0, 1) < 0)
		return -1;
	return conform_console_expect(c, 1, OPEN, 1, "", 0);
}

/* ---- control queues ---- */

static int
console_begin(struct conform_console *c)
{
	return conform_console_open(c) < 0 || conform_console_prepare(c, 0) < 0 ||
		conform_console_begin(c, 0) < 0 ? -1 : 0;
}

static int
all_added(struct conform_console *c)
{
	uint16_t i;

	if (conform_console_command(c, ALL, VIRTIO_CONSOLE_DEVICE_READY, 1) < 0)
		return -1;
	for (i = 0; i < CONFORM_CONSOLE_PORTS; i++)
		if (conform_console_expect(c, i, ADD, 1, "", 0) < 0)
			return -1;
	return 0;
}

static int
ports_are_added_once(struct conform_console *c)
{
	if (console_begin(c) < 0 || conform_console_silence(c) < 0 || all_added(c) < 0 ||
			conform_console_silence(c) < 0)
		return -1;
	/* the driver may begin again, and say that it has failed: the name is not due then */
	if (all_added(c) < 0 || conform_console_command(c, 1, READY, 1) < 0 ||
			conform_console_command(c, ALL, VIRTIO_CONSOLE_DEVICE_READY, 0) < 0)
		return -1;
	return conform_console_silence(c);
}

static int
ready_port_learns_all(struct conform_console *c)
{
	uint16_t size[2];

	if (console_begin(c) < 0 || conform_console_peer(c, 0, 0) < 0 ||
			conform_console_resize(c, size) < 0 || all_added(c) < 0)
		return -1;
	if (conform_console_command(c, 0, READY, 1) < 0 ||
			conform_console_expect(c, 0, CONSOLE, 1, "", 0) < 0 ||
			conform_console_expect(c, 0, VIRTIO_CONSOLE_RESIZE, 1, size, 4) < 0 ||
			conform_console_expect(c, 0, OPEN, 1, "", 0) < 0)
		return -1;
	if (conform_console_command(c, 1, READY, 1) < 0 ||
			conform_console_expect(c, 1, VIRTIO_CONSOLE_PORT_NAME, 1,
				CONFORM_CONSOLE_NAME, strlen(CONFORM_CONSOLE_NAME)) < 0)
		return -1;
	/* a port that the driver could not add */
	if (conform_console_command(c, 1, READY, 0) < 0 || conform_console_peer(c, 0, 1) < 0 ||
			conform_console_command(c, 2, READY, 1) < 0)
		return -1;
	return conform_console_silence(c);
}

static int
peers_and_sizes_are_reported(struct conform_console *c)
{
	uint16_t size[2];
	unsigned int i;

	if (conform_console_up(c) < 0)
		return -1;
	for (i = 0; i < 3; i++) {
		ports_peer_close(&c->guest, 2);
		if (conform_console_expect(c, 2, OPEN, 0, "", 0) < 0 ||
				conform_console_peer(c, 0, 2) < 0 ||
				conform_console_expect(c, 2, OPEN, 1, "", 0) < 0)
			return -1;
	}
	if (conform_console_resize(c, size) < 0)
		return -1;
	return conform_console_expect(c, 0, VIRTIO_CONSOLE_RESIZE, 1, size, 4);
}

static int
wrong_commands_change_nothing(struct conform_console *c)
{
	static const struct virtio_console_control bad[] = { { CONFORM_CONSOLE_PORTS, READY, 1 },
		{ ALL, OPEN, 1 }, { ALL, READY, 1 }, { UINT16_MAX + 1u, OPEN, 0 },
		{ 0, ADD, 1 }, { 0, VIRTIO_CONSOLE_PORT_REMOVE, 1 }, { 0, CONSOLE, 1 },
		{ 0, VIRTIO_CONSOLE_RESIZE, 1 }, { 1, VIRTIO_CONSOLE_PORT_NAME, 1 },
		{ 0, 8, 1 }, { 0, UINT16_MAX, 1 } };
	const uint64_t first = conform_console_count(c, 0, PORTS_CTRL_TX, "malformed");
	struct rte_vhost_state *before, *after;
	unsigned int i;
	uint64_t n;
	bool same;

	if (conform_console_up(c) < 0 || conform_console_silence(c) < 0)
		return -1;
	before = conform_console_stop(c, 0);
	if (before == NULL)
		return -1;
	if (conform_console_resume(c, 0) < 0)
		goto free_before;
	for (i = 0; i < RTE_DIM(bad); i++)
		if (conform_console_command(c, bad[i].id, bad[i].event, bad[i].value) < 0)
			goto free_before;
	n = conform_console_count(c, 0, PORTS_CTRL_TX, "malformed") - first;
	if (n != RTE_DIM(bad))
		conform_console_no(c, "%" PRIu64 " of %zu wrong commands are counted", n,
				RTE_DIM(bad));
	conform_console_silence(c);
	after = conform_console_stop(c, 0);
	same = after != NULL &&
		memcmp(&before->console, &after->console, sizeof(after->console)) == 0;
	rte_vhost_state_free(after);
	if (!same)
		conform_console_no(c, "wrong commands change the state");
free_before:
	rte_vhost_state_free(before);
	return c->why[0] == '\0' ? conform_console_resume(c, 0) : -1;
}

/* A command of @p len bytes in two pieces. */
static int
command_cut(struct conform_console *c, uint32_t len, uint32_t first, uint16_t event, uint16_t value)
{
	const struct virtio_console_control cmd = { event == OPEN ? 1 : ALL, event, value };
	const uint64_t gpa = c->guest.scratch_gpa;
	const struct guest_seg segs[2] = { { gpa, first, false },
		{ gpa + first, len - first, false } };

	guest_mem_write(&c->guest.mem, gpa, &cmd, sizeof(cmd));
	if (ports_add(&c->guest, PORTS_CTRL_TX, segs, first < len ? 2 : 1, 0) < 0)
		return conform_console_no(c, "no room in the control queue");
	return conform_console_used(c, PORTS_CTRL_TX, 0);
}

static int
commands_may_be_cut(struct conform_console *c)
{
	const uint64_t count = conform_console_count(c, 0, PORTS_CTRL_TX, "malformed");
	uint32_t len, first;

	if (conform_console_up(c) < 0)
		return -1;
	for (first = 1; first <= COMMAND; first++)
		if (command_cut(c, COMMAND, first, OPEN, first & 1) < 0)
			return -1;
	/* what follows a command is ignored */
	if (command_cut(c, 4096, 3, OPEN, 1) < 0)
		return -1;
	if (conform_console_count(c, 0, PORTS_CTRL_TX, "malformed") != count)
		return conform_console_no(c, "commands in pieces are refused");
	for (len = 1; len < COMMAND; len++)
		if (command_cut(c, len, 1 + len / 2, VIRTIO_CONSOLE_DEVICE_READY, 0) < 0)
			return -1;
	if (conform_console_count(c, 0, PORTS_CTRL_TX, "malformed") != count + COMMAND - 1)
		return conform_console_no(c, "commands that are too short are not refused");
	return conform_console_receive(c, 1, c->guest.scratch_gpa, 1000, 100);
}

static int
messages_wait_for_room(struct conform_console *c)
{
	static const uint32_t small[] = { 1, 4, 7 };
	const uint64_t count = conform_console_count(c, 0, PORTS_CTRL_RX, "malformed");
	struct guest_seg seg = { c->guest.scratch_gpa, 0, true };
	unsigned int i;

	if (console_begin(c) < 0 ||
			conform_console_command(c, ALL, VIRTIO_CONSOLE_DEVICE_READY, 1) < 0)
		return -1;
	for (i = 0; i < RTE_DIM(small); i++) {
		seg.len = small[i];
		if (ports_add(&c->guest, PORTS_CTRL_RX, &seg, 1, 0) < 0 ||
				conform_console_used(c, PORTS_CTRL_RX, 0) < 0)
			return -1;
	}
	if (conform_console_count(c, 0, PORTS_CTRL_RX, "malformed") != count + RTE_DIM(small))
		return conform_console_no(c, "buffers that are too short are not counted");
	for (i = 0; i < CONFORM_CONSOLE_PORTS; i++)
		if (conform_console_expect(c, i, ADD, 1, "", 0) < 0)
			return -1;
	/* room for the message of a port without a name only */
	seg.len = COMMAND + 3;
	if (conform_console_command(c, 1, READY, 1) < 0 ||
			ports_add(&c->guest, PORTS_CTRL_RX, &seg, 1, 0) < 0 ||
			conform_console_used(c, PORTS_CTRL_RX, 0) < 0)
		return -1;
	return conform_console_expect(c, 1, VIRTIO_CONSOLE_PORT_NAME, 1, CONFORM_CONSOLE_NAME,
			strlen(CONFORM_CONSOLE_NAME));
}

/* ---- hostile ---- */

/* A chain that VIRTIO forbids breaks its queue, and no other port notices. */
static int
chain_breaks(struct conform_console *c, uint16_t q, const struct guest_seg *segs, uint16_t nb)
{
	const uint64_t data = c->guest.scratch_gpa + 8192;

	if (conform_console_up(c) < 0)
		return -1;
	/* a receive buffer is looked at only if there are bytes for it */
	if (q == ports_rx(2))
		ports_peer_write(&c->guest, 2, "bytes", 5, CONFORM_CONSOLE_MS);
	conform_console_fill(c, c->guest.scratch_gpa, 512, 9);
	if (ports_add(&c->guest, q, segs, nb, 0) < 0 || conform_console_unused(c, q) < 0 ||
			conform_console_check(c, c->guest.scratch_gpa, 0, 512, 9) < 0 ||
			conform_console_send(c, 1, data, 1000, 300) < 0 ||
			conform_console_receive(c, 1, data, 1000, 300) < 0)
		return -1;
	ports_disconnect(&c->guest, 0);
	return 0;
}

/* The bytes that a broken queue did not take are those of the next driver. */
static int
bytes_are_left(struct conform_console *c)
{
	const struct guest_seg in = { c->guest.scratch_gpa, 64, true };

	if (console_begin(c) < 0 ||
			conform_console_command(c, ALL, VIRTIO_CONSOLE_DEVICE_READY, 1) < 0 ||
			conform_console_command(c, 2, READY, 1) < 0 ||
			conform_console_command(c, 2, OPEN, 1) < 0 ||
			ports_add(&c->guest, ports_rx(2), &in, 1, 0) < 0 ||
			conform_console_used(c, ports_rx(2), 5) < 0)
		return -1;
	ports_disconnect(&c->guest, 0);
	return 0;
}

static int
wrong_chains_break_their_queue(struct conform_console *c)
{
	const struct guest_mem *m = &c->guest.mem;
	const uint64_t none = m->regions[m->island].gpa - 4096, data = c->guest.scratch_gpa;
	const struct guest_seg in = { data, 64, true };
	const struct guest_seg turned[] = { in, { data + 64, 64, false } };
	struct guest_seg hole[] = { { data, 64, false }, { none, 64, false } };
	struct guest_seg far[] = { { data, 64, false }, { UINT64_MAX - 63, 64, false } };
	const struct guest_seg *chains[] = { turned, hole, far };
	const uint16_t queues[] = { ports_tx(2), ports_rx(2), PORTS_CTRL_TX };
	unsigned int i, k;

	for (i = 0; i < RTE_DIM(queues); i++) {
		hole[0].write = hole[1].write = far[0].write = far[1].write = queues[i] % 2 == 0;
		for (k = 0; k < RTE_DIM(chains); k++)
			if (chain_breaks(c, queues[i], chains[k], 2) < 0 ||
					(queues[i] == ports_rx(2) && bytes_are_left(c) < 0))
				return conform_console_no(c, "queue %u", queues[i]);
	}
	return 0;
}

const struct conform_console_item conform_console_items[] = {
	{ "C1", "config space has its fields and bounds", config_space_has_its_fields },
	{ "C2", "an emergency write needs no queue", emergency_write_needs_no_queue },
	{ "C3", "bytes pass each way in any pieces", bytes_pass_in_any_pieces },
	{ "C4", "a buffer of the wrong direction returns empty", wrong_directions_return_empty },
	{ "M1", "each port is added once, and after DEVICE_READY", ports_are_added_once },
	{ "M2", "the driver learns all of a port that is ready", ready_port_learns_all },
	{ "M3", "peers and sizes are reported", peers_and_sizes_are_reported },
	{ "M4", "a port that the driver closed gets no bytes", closed_port_gets_no_bytes },
	{ "M5", "wrong commands are counted and change nothing", wrong_commands_change_nothing },
	{ "M6", "commands may lie in any descriptors, and need all of their bytes",
		commands_may_be_cut },
	{ "M7", "a message waits for a buffer that has room", messages_wait_for_room },
	{ "H1", "a wrong chain breaks its queue only", wrong_chains_break_their_queue },
	{ NULL, NULL, NULL },
};
