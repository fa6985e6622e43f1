/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <linux/virtio_console.h>

#include <rte_bitops.h>
#include <rte_common.h>
#include <rte_vhost_state.h>

#include "backend.h"
#include "conform_console.h"
#include "conform_console_io.h"

#define ALL VIRTIO_CONSOLE_BAD_ID
#define PORTS_LIMIT RTE_VHOST_STATE_CONSOLE_PORTS
/* More than the socket of a port takes while its peer does not read. */
#define LONG_BUFFER (2u << 20)
/* Bytes that a device reads ahead, at most. */
#define AHEAD RTE_VHOST_STATE_CONSOLE_PENDING

/* ---- the two requests ---- */

static int
refused_for(struct conform_console *c, const char *what, int ret,
		const struct rte_vhost_state_error *err, enum rte_vhost_state_reason want)
{
	if (ret == 0)
		return conform_console_no(c, "%s: not refused", what);
	return err->reason == want ? 0 : conform_console_no(c, "%s: refused, as '%s'", what,
			rte_vhost_state_reason_text(err->reason));
}

static int
get_is_refused(struct conform_console *c, const char *what)
{
	struct rte_vhost_state_error err = { 0 };
	struct rte_vhost_state *st = c->be[0]->ops->capture(c->be[0], &err);
	const int ret = st != NULL ? 0 : -1;

	rte_vhost_state_free(st);
	return refused_for(c, what, ret, &err, RTE_VHOST_STATE_R_NOT_SUSPENDED);
}

static int
set_is_refused(struct conform_console *c, unsigned int be, const char *what,
		const struct rte_vhost_state *st, enum rte_vhost_state_reason want)
{
	struct rte_vhost_state_error err = { 0 };

	return refused_for(c, what, c->be[be]->ops->restore(c->be[be], st, &err), &err, want);
}

static int
state_set(struct conform_console *c, const struct rte_vhost_state *st)
{
	struct rte_vhost_state_error err = { 0 };

	return c->be[1]->ops->restore(c->be[1], st, &err) == 0 ? 0 : conform_console_no(c,
			"the state is refused: %s", rte_vhost_state_reason_text(err.reason));
}

/* The second device has the state, and does not run yet. The first one ends. */
static int
state_move(struct conform_console *c, const struct rte_vhost_state *st)
{
	if (conform_console_open_second(c) < 0 || conform_console_prepare(c, 1) < 0 ||
			state_set(c, st) < 0)
		return -1;
	ports_disconnect(&c->guest, 0);
	return 0;
}

/* ---- items ---- */

static int
state_is_read_only_while_stopped(struct conform_console *c)
{
	const uint64_t data = c->guest.scratch_gpa;
	struct rte_vhost_state *st;
	int ret;

	if (get_is_refused(c, "get without a driver") < 0 || conform_console_up(c) < 0 ||
			get_is_refused(c, "get while it runs") < 0)
		return -1;
	st = conform_console_stop(c, 0);
	if (st == NULL)
		return -1;
	ret = set_is_refused(c, 0, "set while it is suspended", st,
			RTE_VHOST_STATE_R_NOT_CONFIGURABLE);
	if (ret == 0)
		ret = conform_console_resume(c, 0);
	if (ret == 0)
		ret = set_is_refused(c, 0, "set while it runs", st,
				RTE_VHOST_STATE_R_NOT_CONFIGURABLE);
	rte_vhost_state_free(st);
	return ret == 0 ? conform_console_send(c, 1, data, 1000, 100) : -1;
}

static int
state_has_ports_and_features(struct conform_console *c)
{
	const uint64_t features = RTE_BIT64(VIRTIO_CONSOLE_F_SIZE) |
		RTE_BIT64(VIRTIO_CONSOLE_F_MULTIPORT) | RTE_BIT64(VIRTIO_CONSOLE_F_EMERG_WRITE);
	const struct rte_vhost_state_console_port *port;
	struct rte_vhost_state *st;
	uint16_t size[2], i;

	if (conform_console_up(c) < 0 || conform_console_resize(c, size) < 0)
		return -1;
	st = conform_console_stop(c, 0);
	if (st == NULL)
		return -1;
	if (st->device_id != RTE_VHOST_STATE_ID_CONSOLE || st->nb_vqs != c->guest.nb_vqs ||
			st->console.nb_ports != CONFORM_CONSOLE_PORTS ||
			st->console.driver_ready != 1)
		conform_console_no(c, "class %u, %u queues, %u ports, DEVICE_READY %u",
				st->device_id, st->nb_vqs, st->console.nb_ports,
				st->console.driver_ready);
	if ((st->driver_features & features) != features ||
			(st->driver_features & ~st->device_features) != 0 ||
			rte_vhost_state_is_packed(st) != c->packed)
		conform_console_no(c, "features 0x%" PRIx64 " of 0x%" PRIx64,
				st->driver_features, st->device_features);
	for (i = 0; i < CONFORM_CONSOLE_PORTS; i++) {
		port = &st->console.ports[i];
		if (port->ready != 1 || port->guest_open != 1 || port->host_open != 1)
			conform_console_no(c, "port %u: ready %u, open %u and %u", i, port->ready,
					port->guest_open, port->host_open);
		if (strcmp(port->name, i == 1 ? CONFORM_CONSOLE_NAME : "") != 0)
			conform_console_no(c, "port %u has the name '%s'", i, port->name);
	}
	port = &st->console.ports[0];
	if (port->cols != size[0] || port->rows != size[1])
		conform_console_no(c, "%u columns and %u rows, not %u and %u", port->cols,
				port->rows, size[0], size[1]);
	rte_vhost_state_free(st);
	return c->why[0] == '\0' ? 0 : -1;
}

/* Each of these breaks one rule. */
static const struct {
	const char *what;
	enum rte_vhost_state_reason reason;
} wrong[] = {
	{ "a port less", RTE_VHOST_STATE_R_FIT_CONSOLE_PORTS },
	{ "a port more", RTE_VHOST_STATE_R_FIT_CONSOLE_PORTS },
	{ "no port", RTE_VHOST_STATE_R_CONSOLE_PORTS },
	{ "too many ports", RTE_VHOST_STATE_R_CONSOLE_PORTS },
	{ "a feature that is not offered", RTE_VHOST_STATE_R_FIT_FEATURES },
	{ "a message that is none", RTE_VHOST_STATE_R_CONSOLE_FLAGS },
	{ "DEVICE_READY of 2", RTE_VHOST_STATE_R_CONSOLE_FLAGS },
	{ "a port that is open twice", RTE_VHOST_STATE_R_CONSOLE_FLAGS },
	{ "too many bytes read ahead", RTE_VHOST_STATE_R_CONSOLE_PENDING },
	{ "a half transferred buffer that is not in flight", RTE_VHOST_STATE_R_CONSOLE_TRANSFER },
	{ "a name with a quote", RTE_VHOST_STATE_R_CONSOLE_NAME },
};

static void
state_spoil(struct rte_vhost_state *st, unsigned int i)
{
	struct rte_vhost_state_console *console = &st->console;

	switch (i) {
	case 0: console->nb_ports--; break;
	case 1: console->nb_ports++; break;
	case 2: console->nb_ports = 0; break;
	case 3: console->nb_ports = PORTS_LIMIT + 1; break;
	case 4:
		st->device_features |= RTE_BIT64(62);
		st->driver_features |= RTE_BIT64(62);
		break;
	case 5: console->ports[2].due = RTE_VHOST_STATE_CONSOLE_DUE_ALL + 1; break;
	case 6: console->driver_ready = 2; break;
	case 7: console->ports[1].guest_open = 2; break;
	case 8: console->ports[1].nb_pending = AHEAD + 1; break;
	case 9: console->ports[1].to_host.offset = 1; break;
	default: console->ports[1].name[3] = '"'; break;
	}
}

static int
wrong_states_refuse(struct conform_console *c, const struct rte_vhost_state *good)
{
	struct rte_vhost_state *bad;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < RTE_DIM(wrong) && ret == 0; i++) {
		bad = rte_vhost_state_copy(good);
		if (bad == NULL)
			return conform_console_no(c, "out of memory");
		state_spoil(bad, i);
		/* what an accepted state would leave */
		bad->console.ports[2].ready = 0;
		ret = set_is_refused(c, 1, wrong[i].what, bad, wrong[i].reason);
		rte_vhost_state_free(bad);
	}
	return ret;
}

/* Statistics are those of a device. */
static bool
states_same(struct rte_vhost_state *a, struct rte_vhost_state *b)
{
	uint16_t q;

	for (q = 0; q < a->nb_vqs && q < b->nb_vqs; q++)
		a->vqs[q].stats = b->vqs[q].stats = (struct rte_vhost_state_vq_stats){ 0 };
	return rte_vhost_state_equal(a, b);
}

static int
refused_states_change_nothing(struct conform_console *c)
{
	struct rte_vhost_state *before, *after = NULL;
	uint16_t i;
	int ret;

	if (conform_console_up(c) < 0)
		return -1;
	before = conform_console_stop(c, 0);
	if (before == NULL)
		return -1;
	ret = state_move(c, before);
	if (ret == 0)
		ret = wrong_states_refuse(c, before);
	/* before it runs, so that nothing is due */
	for (i = 0; i < CONFORM_CONSOLE_PORTS && ret == 0; i++)
		ret = conform_console_peer(c, 1, i);
	if (ret == 0)
		ret = conform_console_begin(c, 1);
	if (ret == 0) {
		after = conform_console_stop(c, 1);
		if (after != NULL && !states_same(before, after))
			conform_console_no(c, "the device has another state than the accepted one");
		ret = c->why[0] == '\0' ? conform_console_resume(c, 1) : -1;
	}
	if (ret == 0)
		ret = conform_console_send(c, 1, c->guest.scratch_gpa, 1000, 100);
	rte_vhost_state_free(after);
	rte_vhost_state_free(before);
	return ret;
}

static int
messages_that_are_due_move(struct conform_console *c)
{
	uint16_t size[2];
	struct rte_vhost_state *st;
	int ret;

	if (conform_console_open(c) < 0 || conform_console_prepare(c, 0) < 0 ||
			conform_console_begin(c, 0) < 0 || conform_console_peer(c, 0, 0) < 0 ||
			conform_console_resize(c, size) < 0 ||
			conform_console_command(c, ALL, VIRTIO_CONSOLE_DEVICE_READY, 1) < 0 ||
			conform_console_expect(c, 0, VIRTIO_CONSOLE_PORT_ADD, 1, "", 0) < 0 ||
			conform_console_command(c, 0, VIRTIO_CONSOLE_PORT_READY, 1) < 0)
		return -1;
	st = conform_console_stop(c, 0);
	if (st == NULL)
		return -1;
	ret = state_move(c, st);
	rte_vhost_state_free(st);
	/* nobody has the terminal of the second device open */
	if (ret < 0 || conform_console_begin(c, 1) < 0 ||
			conform_console_expect(c, 0, VIRTIO_CONSOLE_CONSOLE_PORT, 1, "", 0) < 0 ||
			conform_console_expect(c, 0, VIRTIO_CONSOLE_RESIZE, 1, size, 4) < 0 ||
			conform_console_expect(c, 0, VIRTIO_CONSOLE_PORT_OPEN, 0, "", 0) < 0 ||
			conform_console_expect(c, 1, VIRTIO_CONSOLE_PORT_ADD, 1, "", 0) < 0 ||
			conform_console_expect(c, 2, VIRTIO_CONSOLE_PORT_ADD, 1, "", 0) < 0)
		return -1;
	return conform_console_silence(c);
}

/* Let the device send a part of a long buffer, of which the peer reads one byte, and stop it. */
static struct rte_vhost_state *
half_sent(struct conform_console *c)
{
	const uint64_t data = c->guest.scratch_gpa;
	const struct guest_seg segs[] = { { data, LONG_BUFFER / 3, false },
		{ data + LONG_BUFFER / 3, LONG_BUFFER - LONG_BUFFER / 3, false } };
	const struct rte_vhost_state_console_port *port;
	struct rte_vhost_state *st;

	if (conform_console_up(c) < 0)
		return NULL;
	conform_console_fill(c, data, LONG_BUFFER, 7);
	if (ports_add(&c->guest, ports_tx(2), segs, 2, 0) < 0 ||
			conform_console_peer_check(c, 2, 0, 1, 7) < 0)
		return NULL;
	st = conform_console_stop(c, 0);
	if (st == NULL)
		return NULL;
	port = &st->console.ports[2];
	if (port->to_host.offset == 0 || port->to_host.offset >= LONG_BUFFER ||
			st->vqs[ports_tx(2)].nb_inflight != 1)
		conform_console_no(c, "%" PRIu64 " bytes of a buffer are sent, %u buffers in "
				"flight", port->to_host.offset, st->vqs[ports_tx(2)].nb_inflight);
	/* the peer has exactly these */
	else if (conform_console_peer_check(c, 2, 1, port->to_host.offset - 1, 7) == 0 &&
			conform_console_unused(c, ports_tx(2)) == 0)
		return st;
	rte_vhost_state_free(st);
	return NULL;
}

static int
half_transferred_buffer_continues(struct conform_console *c)
{
	struct rte_vhost_state *st = half_sent(c);
	uint64_t sent;
	uint8_t more;
	int ret;

	if (st == NULL)
		return -1;
	sent = st->console.ports[2].to_host.offset;
	if (ports_peer_read(&c->guest, 2, &more, 1, 0) != 0)
		conform_console_no(c, "the peer gets bytes of a device that is suspended");
	ret = c->why[0] == '\0' ? state_move(c, st) : -1;
	rte_vhost_state_free(st);
	if (ret < 0 || conform_console_peer(c, 1, 2) < 0 || conform_console_begin(c, 1) < 0 ||
			conform_console_peer_check(c, 2, sent, LONG_BUFFER - sent, 7) < 0)
		return -1;
	return conform_console_used(c, ports_tx(2), 0);
}

/* Without a move the device continues, too. */
static int
captured_state_changes_nothing(struct conform_console *c)
{
	struct rte_vhost_state *st = half_sent(c);
	uint8_t bytes[700];
	uint64_t sent;

	if (st == NULL)
		return -1;
	sent = st->console.ports[2].to_host.offset;
	rte_vhost_state_free(st);
	conform_console_pattern(bytes, sizeof(bytes), 100);
	if (ports_peer_write(&c->guest, 1, bytes, 600, CONFORM_CONSOLE_MS) != 600)
		return conform_console_no(c, "port 1 takes no bytes of its peer");
	st = conform_console_stop(c, 0);
	if (st == NULL)
		return -1;
	rte_vhost_state_free(st);
	if (conform_console_resume(c, 0) < 0 ||
			conform_console_peer_check(c, 2, sent, LONG_BUFFER - sent, 7) < 0 ||
			conform_console_used(c, ports_tx(2), 0) < 0)
		return -1;
	/* what it read ahead comes first, once */
	return conform_console_gather(c, 1, c->guest.scratch_gpa, 600, 100);
}

static int
bytes_read_ahead_move(struct conform_console *c)
{
	static const uint32_t sizes[] = { 1, 700, AHEAD };
	uint8_t bytes[2000 + AHEAD];
	struct rte_vhost_state *st;
	unsigned int i;
	int ret;

	conform_console_pattern(bytes, sizeof(bytes), 20);
	for (i = 0; i < RTE_DIM(sizes); i++) {
		if (conform_console_up(c) < 0)
			return -1;
		if (ports_peer_write(&c->guest, 1, bytes, sizes[i], CONFORM_CONSOLE_MS) != sizes[i])
			return conform_console_no(c, "port 1 takes no bytes of its peer");
		st = conform_console_stop(c, 0);
		if (st == NULL)
			return -1;
		if (st->console.ports[1].nb_pending != sizes[i] ||
				memcmp(st->console.ports[1].pending, bytes, sizes[i]) != 0)
			conform_console_no(c, "%u bytes are read ahead, not %u, or wrong ones",
					st->console.ports[1].nb_pending, sizes[i]);
		ret = c->why[0] == '\0' ? state_move(c, st) : -1;
		rte_vhost_state_free(st);
		/* the peer of the second device sends what follows */
		if (ret < 0 || conform_console_peer(c, 1, 1) < 0 ||
				ports_peer_write(&c->guest, 1, bytes + sizes[i], 2000,
					CONFORM_CONSOLE_MS) != 2000 ||
				conform_console_begin(c, 1) < 0 ||
				conform_console_gather(c, 1, c->guest.scratch_gpa, sizes[i] + 2000,
					20) < 0)
			return -1;
		ports_disconnect(&c->guest, 1);
	}
	return 0;
}

const struct conform_console_item conform_console_state_items[] = {
	{ "S1", "state is read only while the device is stopped",
		state_is_read_only_while_stopped },
	{ "S2", "a state has the ports, and the features that were negotiated",
		state_has_ports_and_features },
	{ "S3", "a refused state changes nothing", refused_states_change_nothing },
	{ "S4", "messages that are due move, each once", messages_that_are_due_move },
	{ "S5", "a half transferred buffer continues where it was",
		half_transferred_buffer_continues },
	{ "S6", "bytes that were read ahead move, and come first", bytes_read_ahead_move },
	{ "S7", "a device whose state was captured continues", captured_state_changes_nothing },
	{ NULL, NULL, NULL },
};
