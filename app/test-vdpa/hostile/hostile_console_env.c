/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/virtio_console.h>
#include <linux/virtio_ring.h>

#include <rte_bitops.h>

#include "clock.h"
#include "guest_core.h"
#include "hostile.h"
#include "hostile_console_env.h"
#include "vstate_compat.h"

#define WAIT HOSTILE_CONSOLE_WAIT_MS
#define PORTS 2
/* Pause after a connection that was refused. */
#define RETRY_US 1000
#define PATTERN 0xa5
/* Bytes that pass each way, and that are put in front of an attack. */
#define PASS_BYTES 1000
#define BEFORE_BYTES 5

static uint64_t
good_gpa(const struct hostile_console_env *e)
{
	return e->guest.scratch_gpa + HOSTILE_CONSOLE_GOOD_AT;
}

/* ---- a good driver ---- */

/* Wait for messages until one is this. */
static int
message_await(struct hostile_console_env *e, uint32_t id, uint16_t event, uint16_t value)
{
	struct ports_message m;
	int ret;

	do {
		ret = ports_message(&e->guest, &m, WAIT);
		if (ret != 1)
			return hostile_console_fail(e, "message %u of port %u does not come", event, id);
	} while (m.id != id || m.event != event || m.value != value);
	return 0;
}

static int
command_send(struct hostile_console_env *e, uint32_t id, uint16_t event)
{
	int ret = ports_command(&e->guest, id, event, 1, WAIT);

	return ret == 0 ? 0 : hostile_console_fail(e, "command %u: %s", event, strerror(-ret));
}

/* Receive exactly @p nb bytes of port 0. */
static int
bytes_receive(struct hostile_console_env *e, uint32_t nb)
{
	struct guest_seg seg = { good_gpa(e), 0, true };
	uint32_t got = 0, cookie, len;

	for (; got < nb; got += len) {
		seg.len = nb - got;
		if (ports_add(&e->guest, ports_rx(0), &seg, 1, 0) < 0 ||
				ports_take(&e->guest, ports_rx(0), WAIT, &cookie, &len) != 1 ||
				len == 0 || len > nb - got)
			return hostile_console_fail(e, "%u of %u bytes of the port come", got, nb);
	}
	return 0;
}

static int
driver_connect(struct hostile_console_env *e, const char *path)
{
	const uint64_t end = clock_ns() + WAIT * UINT64_C(1000000);
	int ret = ports_connect(&e->guest, 0, path, WAIT);

	/* A back end may refuse a connection while the one before it has not ended yet. */
	while ((ret == -ECONNRESET || ret == -EPIPE) && clock_ns() < end) {
		ports_disconnect(&e->guest, 0);
		usleep(RETRY_US);
		ret = ports_connect(&e->guest, 0, path, WAIT);
	}
	if (ret == 0)
		ret = ports_prepare(&e->guest, 0);
	return ret == 0 ? ports_run(&e->guest, 0) : ret;
}

int
hostile_console_drive(struct hostile_console_env *e, const char *path)
{
	const struct ports_conf conf = { .nb_ports = PORTS, .ring_size = HOSTILE_CONSOLE_RING,
		.packed = e->packed, .features = RTE_BIT64(VIRTIO_CONSOLE_F_EMERG_WRITE),
		.scratch = HOSTILE_CONSOLE_MEMORY };
	int ret = ports_create(&e->guest, &conf);

	if (ret == 0)
		ret = driver_connect(e, path);
	if (ret < 0)
		return hostile_console_fail(e, "the device cannot be set up: %s", strerror(-ret));
	if (hostile_console_answer(e) < 0 ||
			command_send(e, 0, VIRTIO_CONSOLE_PORT_READY) < 0 ||
			command_send(e, 0, VIRTIO_CONSOLE_PORT_OPEN) < 0 ||
			bytes_receive(e, e->left) < 0)
		return -EPROTO;
	e->left = 0;
	return 0;
}

int
hostile_console_open(struct hostile_console_env *e)
{
	int ret = hostile_console_drive(e, e->conf->path);

	if (ret == 0)
		ret = ports_peer_open(&e->guest, 0, e->port, false, WAIT);
	if (ret < 0)
		return hostile_console_fail(e, "%s cannot be opened: %s", e->port, strerror(-ret));
	return message_await(e, 0, VIRTIO_CONSOLE_PORT_OPEN, 1);
}

void
hostile_console_close(struct hostile_console_env *e)
{
	ports_destroy(&e->guest);
}

int
hostile_console_answer(struct hostile_console_env *e)
{
	if (command_send(e, VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY) < 0)
		return -EPROTO;
	return message_await(e, PORTS - 1, VIRTIO_CONSOLE_PORT_ADD, 1);
}

int
hostile_console_pass(struct hostile_console_env *e)
{
	const struct guest_seg out = { good_gpa(e), PASS_BYTES, false };
	uint8_t bytes[PASS_BYTES], got[PASS_BYTES];
	uint32_t i, cookie, len;

	for (i = 0; i < PASS_BYTES; i++)
		bytes[i] = i * 7 + i / 256;
	guest_mem_write(&e->guest.mem, good_gpa(e), bytes, PASS_BYTES);
	if (ports_add(&e->guest, ports_tx(0), &out, 1, 0) < 0 ||
			ports_take(&e->guest, ports_tx(0), WAIT, &cookie, &len) != 1)
		return hostile_console_fail(e, "a buffer that is sent does not return");
	if (ports_peer_read(&e->guest, 0, got, PASS_BYTES, WAIT) != PASS_BYTES ||
			memcmp(got, bytes, PASS_BYTES) != 0)
		return hostile_console_fail(e, "the peer gets other bytes than those sent");
	memset(got, 0, PASS_BYTES);
	guest_mem_write(&e->guest.mem, good_gpa(e), got, PASS_BYTES);
	if (ports_peer_write(&e->guest, 0, bytes, PASS_BYTES, WAIT) != PASS_BYTES ||
			bytes_receive(e, PASS_BYTES) < 0)
		return hostile_console_fail(e, "the bytes of the peer do not come");
	return 0;
}

/* ---- memory ---- */

void
hostile_console_fill(struct hostile_console_env *e)
{
	uint8_t bytes[HOSTILE_CONSOLE_GOOD_AT];

	memset(bytes, PATTERN, sizeof(bytes));
	guest_mem_write(&e->guest.mem, e->guest.scratch_gpa, bytes, sizeof(bytes));
}

int
hostile_console_check_memory(struct hostile_console_env *e)
{
	const int64_t bad = guest_mem_canary_check(&e->guest.mem);
	uint8_t bytes[HOSTILE_CONSOLE_GOOD_AT];
	uint32_t i;

	if (bad >= 0)
		return hostile_console_fail(e, "the back end wrote outside of all buffers, at "
			"memory file offset 0x%" PRIx64, (uint64_t)bad);
	guest_mem_read(&e->guest.mem, e->guest.scratch_gpa, bytes, sizeof(bytes));
	for (i = 0; i < sizeof(bytes) && bytes[i] == PATTERN; i++)
		;
	return i == sizeof(bytes) ? 0 : hostile_console_fail(e, "the back end wrote 0x%02x to "
			"byte 0x%x of a buffer that it must not use", bytes[i], i);
}

/* ---- attacks ---- */

int
hostile_console_prepare(struct hostile_console_env *e, uint16_t q)
{
	if (q == PORTS_CTRL_RX)
		return command_send(e, VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY);
	if (q != ports_rx(0))
		return 0;
	e->left = ports_peer_write(&e->guest, 0, "bytes", BEFORE_BYTES, WAIT);
	return e->left == BEFORE_BYTES ? 0 : hostile_console_fail(e, "the port takes no bytes");
}

void
hostile_console_kick(struct hostile_console_env *e, uint16_t q)
{
	const uint64_t one = 1;

	/* Kick in any case, so that a sleeping device reads the ring. */
	e->guest.rings[q].ops->publish(&e->guest.rings[q]);
	if (write(e->guest.kick[q], &one, sizeof(one)) < 0 && errno != EAGAIN)
		hostile_console_fail(e, "cannot kick queue %u: %s", q, strerror(errno));
}

void
hostile_console_put(struct hostile_console_env *e, uint16_t q, const struct hostile_desc *d,
		uint16_t nb)
{
	struct guest_ring *r = &e->guest.rings[q];
	struct vring_packed_desc *head;
	uint16_t base = 0, flags;

	if (e->packed) {
		head = (struct vring_packed_desc *)r->desc + r->avail;
		flags = hostile_put_packed(r, d, nb);
		rte_atomic_store_explicit(&head->flags, flags, rte_memory_order_release);
	} else {
		/* nothing of the driver is under way in this queue */
		hostile_put_split(r, &base, d, nb);
	}
	hostile_console_kick(e, q);
}

static bool
needs_reset(struct hostile_console_env *e)
{
	uint64_t status = 0;

	return vu_fe_get_u64(&e->guest.links[0].fe, VU_GET_STATUS, &status) == 0 &&
		(status & GUEST_S_NEEDS_RESET) != 0;
}

int
hostile_console_breaks(struct hostile_console_env *e, uint16_t q)
{
	const uint64_t end = clock_ns() + WAIT * UINT64_C(1000000);
	const struct guest_ring *r = &e->guest.rings[q];

	while (e->conf->expect_reset && !needs_reset(e)) {
		if (clock_ns() >= end)
			return hostile_console_fail(e, "the queue is broken, but NEEDS_RESET is "
					"not set");
		usleep(1000);
	}
	if (!e->conf->expect_reset)
		usleep(HOSTILE_CONSOLE_SETTLE_US);
	if (r->ops->used_ready(r))
		return hostile_console_fail(e, "a buffer returned");
	snprintf(e->did, sizeof(e->did), "broke the queue");
	return 0;
}

int
hostile_console_holds(struct hostile_console_env *e)
{
	usleep(HOSTILE_CONSOLE_SETTLE_US);
	if (needs_reset(e))
		return hostile_console_fail(e, "NEEDS_RESET is set");
	snprintf(e->did, sizeof(e->did), "went on");
	return 0;
}
