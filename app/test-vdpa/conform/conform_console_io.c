/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <linux/virtio_console.h>

#include <rte_bitops.h>
#include <rte_common.h>
#include <rte_vhost_state.h>
#include <rte_vhost_state_backend.h>

#include "backend.h"
#include "clock.h"
#include "conform_console.h"
#include "conform_console_io.h"

#define RING_SIZE 256
#define SUSPEND_US 2000000
#define ROWS 43

/* ---- connections ---- */

/* A device may still be closing its last connection. */
static void
devices_await(struct conform_console *c)
{
	const uint64_t until = clock_ns() + CONFORM_CONSOLE_MS * UINT64_C(1000000);
	struct rte_vhost_state_info info;
	unsigned int i;

	for (i = 0; i < RTE_DIM(c->be); i++)
		while (c->be[i]->ops->info(c->be[i], &info) == 0 && info.connected &&
				clock_ns() < until)
			usleep(200);
}

static int
link_open(struct conform_console *c, unsigned int be)
{
	int ret = ports_connect(&c->guest, be, c->be[be]->dev.socket, CONFORM_CONSOLE_MS);

	return ret == 0 ? 0 : conform_console_no(c, "cannot connect: %s", strerror(-ret));
}

int
conform_console_open(struct conform_console *c)
{
	devices_await(c);
	ports_rings_reset(&c->guest);
	return link_open(c, 0);
}

int
conform_console_open_second(struct conform_console *c)
{
	return link_open(c, 1);
}

int
conform_console_prepare(struct conform_console *c, unsigned int be)
{
	int ret = ports_prepare(&c->guest, be);

	return ret == 0 ? 0 : conform_console_no(c, "cannot set up queues: %s", strerror(-ret));
}

int
conform_console_begin(struct conform_console *c, unsigned int be)
{
	int ret = ports_run(&c->guest, be);

	return ret == 0 ? 0 : conform_console_no(c, "DRIVER_OK: %s", strerror(-ret));
}

int
conform_console_peer(struct conform_console *c, unsigned int be, uint16_t port)
{
	int ret = ports_peer_open(&c->guest, port, c->hosts[be][port].path, port == 0,
			CONFORM_CONSOLE_MS);

	return ret == 0 ? 0 : conform_console_no(c, "cannot open %s: %s", c->hosts[be][port].path,
			strerror(-ret));
}

/* Wait for the messages that name the ports whose host side is open. Other messages are ignored. */
static int
ports_await(struct conform_console *c)
{
	unsigned int open = 0;
	struct ports_message m;

	while (open != RTE_BIT32(CONFORM_CONSOLE_PORTS) - 1) {
		if (ports_message(&c->guest, &m, CONFORM_CONSOLE_MS) != 1)
			return conform_console_no(c, "no PORT_OPEN comes for all ports: 0x%x", open);
		if (m.event != VIRTIO_CONSOLE_PORT_OPEN || m.id >= CONFORM_CONSOLE_PORTS)
			continue;
		open &= ~RTE_BIT32(m.id);
		open |= m.value == 1 ? RTE_BIT32(m.id) : 0;
	}
	return 0;
}

int
conform_console_up(struct conform_console *c)
{
	uint16_t i;

	if (conform_console_open(c) < 0 || conform_console_prepare(c, 0) < 0 ||
			conform_console_begin(c, 0) < 0 || conform_console_command(c,
			VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1) < 0)
		return -1;
	for (i = 0; i < CONFORM_CONSOLE_PORTS; i++)
		if (conform_console_peer(c, 0, i) < 0)
			return -1;
	for (i = 0; i < CONFORM_CONSOLE_PORTS; i++)
		if (conform_console_command(c, i, VIRTIO_CONSOLE_PORT_READY, 1) < 0 ||
				conform_console_command(c, i, VIRTIO_CONSOLE_PORT_OPEN, 1) < 0)
			return -1;
	return ports_await(c);
}

/* ---- the terminal ---- */

static uint16_t
cols_other_than(uint16_t cols)
{
	return cols == 132 ? 100 : 132;
}

int
conform_console_resize(struct conform_console *c, uint16_t size[2])
{
	const uint64_t until = clock_ns() + CONFORM_CONSOLE_MS * UINT64_C(1000000);
	struct virtio_console_config config = { 0 };
	struct winsize ws = { .ws_row = ROWS };

	if (ports_config_get(&c->guest, 0, &config, sizeof(config)) != 0)
		return conform_console_no(c, "cannot read config space");
	ws.ws_col = cols_other_than(config.cols);
	if (ioctl(c->guest.peers[0], TIOCSWINSZ, &ws) != 0)
		return conform_console_no(c, "cannot set the size of the terminal");
	do {
		usleep(1000);
		if (ports_config_get(&c->guest, 0, &config, sizeof(config)) != 0)
			return conform_console_no(c, "cannot read config space");
	} while (config.cols != ws.ws_col && clock_ns() < until);
	size[0] = ws.ws_col;
	size[1] = ROWS;
	return config.cols == size[0] && config.rows == size[1] ? 0 : conform_console_no(c,
			"config space has %u columns and %u rows, not %u and %u", config.cols,
			config.rows, size[0], size[1]);
}

/* ---- control queues ---- */

int
conform_console_command(struct conform_console *c, uint32_t id, uint16_t event, uint16_t value)
{
	int ret = ports_command(&c->guest, id, event, value, CONFORM_CONSOLE_MS);

	return ret == 0 ? 0 : conform_console_no(c, "command %u with %u for port %u: %s", event,
			value, id, strerror(-ret));
}

int
conform_console_expect(struct conform_console *c, uint32_t id, uint16_t event, uint16_t value,
		const void *more, uint32_t nb)
{
	struct ports_message m;
	int ret = ports_message(&c->guest, &m, CONFORM_CONSOLE_MS);

	if (ret != 1)
		return conform_console_no(c, "message %u for port %u: %s", event, id,
				ret == 0 ? "it does not come" : strerror(-ret));
	if (m.id != id || m.event != event || m.value != value || m.nb != nb)
		return conform_console_no(c, "message %u with %u for port %u, of %u more bytes, "
				"not %u with %u for port %u, of %u", m.event, m.value, m.id, m.nb,
				event, value, id, nb);
	return memcmp(m.more, more, nb) == 0 ? 0 :
		conform_console_no(c, "message %u for port %u has other contents", event, id);
}

int
conform_console_silence(struct conform_console *c)
{
	struct ports_message m;
	int ret = ports_message(&c->guest, &m, CONFORM_CONSOLE_REST_MS);

	return ret == 0 ? 0 : conform_console_no(c, "a message comes: %u with %u for port %u",
			m.event, m.value, m.id);
}

/* ---- bytes ---- */

static uint8_t
pattern_get(uint32_t i, uint8_t seed)
{
	return seed + i + i / 251;
}

void
conform_console_pattern(uint8_t *bytes, uint32_t nb, uint8_t seed)
{
	uint32_t i;

	for (i = 0; i < nb; i++)
		bytes[i] = pattern_get(i, seed);
}

void
conform_console_fill(struct conform_console *c, uint64_t gpa, uint32_t nb, uint8_t seed)
{
	uint8_t *bytes = malloc(nb);

	if (bytes != NULL) {
		conform_console_pattern(bytes, nb, seed);
		guest_mem_write(&c->guest.mem, gpa, bytes, nb);
	}
	free(bytes);
}

static int
bytes_compare(struct conform_console *c, const uint8_t *bytes, uint32_t at, uint32_t nb,
		uint8_t seed)
{
	uint32_t i;

	for (i = 0; i < nb && bytes[i] == pattern_get(at + i, seed); i++)
		;
	return i == nb ? 0 : conform_console_no(c, "byte %u of %u is wrong", at + i, at + nb);
}

int
conform_console_check(struct conform_console *c, uint64_t gpa, uint32_t at, uint32_t nb,
		uint8_t seed)
{
	uint8_t *bytes = malloc(nb);
	int ret;

	if (bytes == NULL)
		return conform_console_no(c, "out of memory");
	guest_mem_read(&c->guest.mem, gpa, bytes, nb);
	ret = bytes_compare(c, bytes, at, nb, seed);
	free(bytes);
	return ret;
}

int
conform_console_peer_check(struct conform_console *c, uint16_t port, uint32_t at, uint32_t nb,
		uint8_t seed)
{
	uint8_t *bytes = malloc(nb);
	uint32_t got;
	int ret;

	if (bytes == NULL)
		return conform_console_no(c, "out of memory");
	got = ports_peer_read(&c->guest, port, bytes, nb, CONFORM_CONSOLE_MS);
	ret = got == nb ? bytes_compare(c, bytes, at, nb, seed) :
		conform_console_no(c, "port %u: the peer gets %u of %u bytes", port, got, nb);
	free(bytes);
	return ret;
}

int
conform_console_used(struct conform_console *c, uint16_t q, uint32_t want)
{
	uint32_t cookie, len;
	int ret = ports_take(&c->guest, q, CONFORM_CONSOLE_MS, &cookie, &len);

	if (ret == 0)
		return conform_console_no(c, "queue %u: a buffer does not return", q);
	if (ret < 0)
		return conform_console_no(c, "queue %u: the device used a buffer that it did not "
				"own", q);
	return len == want ? 0 : conform_console_no(c, "queue %u: used length %u, not %u", q, len,
			want);
}

int
conform_console_unused(struct conform_console *c, uint16_t q)
{
	uint32_t cookie, len;
	int ret = ports_take(&c->guest, q, CONFORM_CONSOLE_REST_MS, &cookie, &len);

	return ret == 0 ? 0 : conform_console_no(c, "queue %u: a buffer returns", q);
}

/* @return descriptors of a buffer in pieces of @p step bytes */
static uint16_t
pieces_cut(struct guest_seg *segs, uint64_t gpa, uint32_t nb, uint32_t step, bool write)
{
	uint16_t n = 0;
	uint32_t at;

	for (at = 0; at < nb; at += step)
		segs[n++] = (struct guest_seg){ gpa + at, RTE_MIN(step, nb - at), write };
	return n;
}

int
conform_console_send(struct conform_console *c, uint16_t port, uint64_t gpa, uint32_t nb,
		uint32_t step)
{
	struct guest_seg segs[RING_SIZE];
	uint16_t n = pieces_cut(segs, gpa, nb, step, false);

	conform_console_fill(c, gpa, nb, step);
	if (ports_add(&c->guest, ports_tx(port), segs, n, 0) < 0)
		return conform_console_no(c, "no room in the ring for %u descriptors", n);
	return conform_console_peer_check(c, port, 0, nb, step) < 0 ? -1 :
		conform_console_used(c, ports_tx(port), 0);
}

/* A stream has no borders: some bytes may come in one buffer, and some in the next one. */
static int
bytes_gather(struct conform_console *c, uint16_t port, uint64_t gpa, uint32_t nb, uint32_t step)
{
	struct guest_seg segs[RING_SIZE];
	uint32_t got, cookie, len;
	int ret;

	for (got = 0; got < nb; got += len) {
		ret = ports_add(&c->guest, ports_rx(port), segs,
				pieces_cut(segs, gpa + got, nb - got, step, true), 0);
		if (ret == 0)
			ret = ports_take(&c->guest, ports_rx(port), CONFORM_CONSOLE_MS, &cookie,
					&len);
		if (ret != 1 || len == 0 || len > nb - got)
			return conform_console_no(c, "port %u: %u of %u bytes come", port, got, nb);
	}
	return 0;
}

int
conform_console_gather(struct conform_console *c, uint16_t port, uint64_t gpa, uint32_t nb,
		uint8_t seed)
{
	return bytes_gather(c, port, gpa, nb, nb) < 0 ? -1 :
		conform_console_check(c, gpa, 0, nb, seed);
}

int
conform_console_receive(struct conform_console *c, uint16_t port, uint64_t gpa, uint32_t nb,
		uint32_t step)
{
	uint8_t *bytes = malloc(nb);
	uint32_t sent;

	if (bytes == NULL)
		return conform_console_no(c, "out of memory");
	conform_console_pattern(bytes, nb, step);
	sent = ports_peer_write(&c->guest, port, bytes, nb, CONFORM_CONSOLE_MS);
	free(bytes);
	if (sent != nb)
		return conform_console_no(c, "port %u takes %u of %u bytes of its peer", port,
				sent, nb);
	return bytes_gather(c, port, gpa, nb, step) < 0 ? -1 :
		conform_console_check(c, gpa, 0, nb, step);
}

/* ---- state and counters ---- */

struct rte_vhost_state *
conform_console_stop(struct conform_console *c, unsigned int be)
{
	struct rte_vhost_state_error err = { 0 };
	struct rte_vhost_state *st = NULL;

	if (c->be[be]->ops->suspend(c->be[be], SUSPEND_US, &err) == 0)
		st = c->be[be]->ops->capture(c->be[be], &err);
	if (st == NULL)
		conform_console_no(c, "cannot get the state: %s",
				rte_vhost_state_reason_text(err.reason));
	return st;
}

int
conform_console_resume(struct conform_console *c, unsigned int be)
{
	struct rte_vhost_state_error err = { 0 };

	return c->be[be]->ops->resume(c->be[be], &err) == 0 ? 0 : conform_console_no(c,
			"cannot resume: %s", rte_vhost_state_reason_text(err.reason));
}

struct count {
	uint16_t q;
	const char *name;
	uint64_t value;
};

static void
count_note(void *arg, int vq, const char *name, uint64_t value)
{
	struct count *n = arg;

	if (vq == n->q && strcmp(name, n->name) == 0)
		n->value = value;
}

uint64_t
conform_console_count(struct conform_console *c, unsigned int be, uint16_t q, const char *name)
{
	struct count n = { q, name, 0 };

	rte_vhost_state_stats_get(c->be[be]->dev.name, count_note, &n);
	return n.value;
}

/* ---- one item ---- */

static void
links_close(struct conform_console *c)
{
	uint16_t i;

	for (i = 0; i < CONFORM_CONSOLE_PORTS; i++)
		ports_peer_close(&c->guest, i);
	ports_disconnect(&c->guest, 0);
	ports_disconnect(&c->guest, 1);
}

/* A driver that begins again gets bytes each way. */
static int
console_pass(struct conform_console *c)
{
	uint16_t i;

	links_close(c);
	if (conform_console_up(c) < 0)
		return -1;
	for (i = 0; i < CONFORM_CONSOLE_PORTS; i++)
		if (conform_console_send(c, i, c->guest.scratch_gpa, 1000, 300) < 0 ||
				conform_console_receive(c, i, c->guest.scratch_gpa, 1000, 300) < 0)
			return -1;
	return 0;
}

int
conform_console_run(struct conform_console *c, const struct conform_console_item *item)
{
	const struct ports_conf conf = {
		.nb_ports = CONFORM_CONSOLE_PORTS,
		.ring_size = RING_SIZE,
		.packed = c->packed,
		.features = RTE_BIT64(VIRTIO_CONSOLE_F_SIZE) |
			RTE_BIT64(VIRTIO_CONSOLE_F_EMERG_WRITE),
		.scratch = CONFORM_CONSOLE_SCRATCH,
	};
	int ret = ports_create(&c->guest, &conf);

	if (ret < 0)
		conform_console_no(c, "cannot create a guest: %s", strerror(-ret));
	devices_await(c);
	if (ret == 0)
		ret = item->run(c);
	if (ret == 0)
		ret = console_pass(c);
	if (ret == 0 && guest_mem_canary_check(&c->guest.mem) >= 0)
		ret = conform_console_no(c, "the device wrote outside of all buffers");
	links_close(c);
	ports_destroy(&c->guest);
	return ret;
}
