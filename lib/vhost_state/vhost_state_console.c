/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <inttypes.h>
#include <string.h>

#include <rte_common.h>

#include "vhost_state_bytes.h"
#include "vhost_state_console.h"
#include "vhost_state_reason.h"

#define FAULT(e, reason, expected, found) \
	vhost_state_fault(e, RTE_VHOST_STATE_R_##reason, -1, -1, expected, found)

#define PORTS_MAX RTE_VHOST_STATE_CONSOLE_PORTS
#define NAME_SIZE RTE_VHOST_STATE_CONSOLE_NAME
#define PENDING_MAX RTE_VHOST_STATE_CONSOLE_PENDING

/* ---- parts ---- */

/*
 * CONSOLE:
 *   0  u8   driver_ready
 *   1  u8   reserved[7]   0
 *
 * CONSOLE_PORTS, for each port:
 *   0  u8   guest_open
 *   1  u8   host_open
 *   2  u8   ready
 *   3  u8   due
 *   4  le16 cols
 *   6  le16 rows
 *   8  le16 to_host.id
 *  10  le16 to_guest.id
 *  12  u8   reserved[4]   0
 *  16  le64 to_host.offset
 *  24  le64 to_guest.offset
 *  32  u8   name[32]
 *
 * CONSOLE_PENDING, for each port that has bytes, in ascending order of ports:
 *   0  le16 port
 *   2  le16 count         1 .. 1024
 *   4  u8   bytes[count]
 */
#define CONSOLE_TYPE 0xf020
#define CONSOLE_SIZE 8
#define PORTS_TYPE 0xf021
#define PORT_SIZE 64
#define PENDING_TYPE 0xf022
#define PENDING_HEADER 4

static void
encode_console(struct vhost_state_sink *sink, const struct rte_vhost_state *st,
		__rte_unused uint16_t vq)
{
	uint8_t b[CONSOLE_SIZE] = { 0 };

	b[0] = st->console.driver_ready;
	vhost_state_sink_put(sink, b, sizeof(b));
}

static int
decode_console(struct rte_vhost_state *st, const struct vhost_state_value *v,
		struct rte_vhost_state_error *e)
{
	st->console.driver_ready = v->p[0];
	return vhost_state_part_check_zero(v, 1, CONSOLE_SIZE, e);
}

static uint32_t
units_ports(const struct rte_vhost_state *st, __rte_unused uint16_t vq)
{
	return st->console.nb_ports;
}

static void
encode_ports(struct vhost_state_sink *sink, const struct rte_vhost_state *st,
		__rte_unused uint16_t vq)
{
	const struct rte_vhost_state_console_port *port;
	uint8_t b[PORT_SIZE];
	uint16_t i;

	for (i = 0; i < st->console.nb_ports; i++) {
		port = &st->console.ports[i];
		memset(b, 0, sizeof(b));
		b[0] = port->guest_open;
		b[1] = port->host_open;
		b[2] = port->ready;
		b[3] = port->due;
		vhost_state_put_le(b + 4, port->cols, 2);
		vhost_state_put_le(b + 6, port->rows, 2);
		vhost_state_put_le(b + 8, port->to_host.id, 2);
		vhost_state_put_le(b + 10, port->to_guest.id, 2);
		vhost_state_put_le(b + 16, port->to_host.offset, 8);
		vhost_state_put_le(b + 24, port->to_guest.offset, 8);
		memcpy(b + 32, port->name, NAME_SIZE);
		vhost_state_sink_put(sink, b, sizeof(b));
	}
}

/* The part says how many ports there are. */
static int
decode_ports(struct rte_vhost_state *st, const struct vhost_state_value *v,
		struct rte_vhost_state_error *e)
{
	struct rte_vhost_state_console_port *port;
	const uint8_t *b = v->p;
	uint16_t i;
	int ret = 0;

	st->console.nb_ports = v->len / PORT_SIZE;
	for (i = 0; i < st->console.nb_ports && ret == 0; i++, b += PORT_SIZE) {
		port = &st->console.ports[i];
		port->guest_open = b[0];
		port->host_open = b[1];
		port->ready = b[2];
		port->due = b[3];
		port->cols = vhost_state_get_le16(b + 4);
		port->rows = vhost_state_get_le16(b + 6);
		port->to_host.id = vhost_state_get_le16(b + 8);
		port->to_guest.id = vhost_state_get_le16(b + 10);
		port->to_host.offset = vhost_state_get_le64(b + 16);
		port->to_guest.offset = vhost_state_get_le64(b + 24);
		memcpy(port->name, b + 32, NAME_SIZE);
		ret = vhost_state_part_check_zero(v, i * PORT_SIZE + 12, i * PORT_SIZE + 16, e);
	}
	return ret;
}

static uint32_t
units_pending(const struct rte_vhost_state *st, __rte_unused uint16_t vq)
{
	uint32_t n = 0;
	uint16_t i;

	for (i = 0; i < st->console.nb_ports; i++)
		if (st->console.ports[i].nb_pending > 0)
			n += PENDING_HEADER + st->console.ports[i].nb_pending;
	return n;
}

static void
encode_pending(struct vhost_state_sink *sink, const struct rte_vhost_state *st,
		__rte_unused uint16_t vq)
{
	const struct rte_vhost_state_console_port *port;
	uint8_t b[PENDING_HEADER];
	uint16_t i;

	for (i = 0; i < st->console.nb_ports; i++) {
		port = &st->console.ports[i];
		if (port->nb_pending == 0)
			continue;
		vhost_state_put_le(b, i, 2);
		vhost_state_put_le(b + 2, port->nb_pending, 2);
		vhost_state_sink_put(sink, b, sizeof(b));
		vhost_state_sink_put(sink, port->pending, port->nb_pending);
	}
}

static int
pending_fault(const struct vhost_state_value *v, uint32_t at, uint64_t expected, uint64_t found,
		struct rte_vhost_state_error *e)
{
	return vhost_state_fault(e, RTE_VHOST_STATE_R_CONSOLE_PENDING, -1, v->offset + at,
			expected, found);
}

static int
decode_pending(struct rte_vhost_state *st, const struct vhost_state_value *v,
		struct rte_vhost_state_error *e)
{
	uint32_t at, first = 0;
	uint16_t port, nb;

	for (at = 0; at < v->len; at += nb) {
		if (v->len - at < PENDING_HEADER)
			return pending_fault(v, at, PENDING_HEADER, v->len - at, e);
		port = vhost_state_get_le16(v->p + at);
		nb = vhost_state_get_le16(v->p + at + 2);
		if (port < first || port >= st->console.nb_ports)
			return pending_fault(v, at, first, port, e);
		at += PENDING_HEADER;
		if (nb == 0 || nb > PENDING_MAX || nb > v->len - at)
			return pending_fault(v, at - 2, RTE_MIN(v->len - at, PENDING_MAX + 0u), nb,
					e);
		st->console.ports[port].nb_pending = nb;
		memcpy(st->console.ports[port].pending, v->p + at, nb);
		first = port + 1u;
	}
	return 0;
}

/* ---- checks ---- */

static int
check_name(const char *name, struct rte_vhost_state_error *e)
{
	unsigned int i, len = strnlen(name, NAME_SIZE);

	if (len == NAME_SIZE)
		return FAULT(e, CONSOLE_NAME, NAME_SIZE - 1, len);
	for (i = 0; i < len; i++)
		if (name[i] < ' ' || name[i] > '~' || name[i] == '"' || name[i] == '\\')
			return FAULT(e, CONSOLE_NAME, ' ', (uint8_t)name[i]);
	for (; i < NAME_SIZE; i++)
		if (name[i] != '\0')
			return FAULT(e, CONSOLE_NAME, 0, (uint8_t)name[i]);
	return 0;
}

static int
check_transfer(const struct rte_vhost_state *st, uint32_t vq,
		const struct rte_vhost_state_console_transfer *t, struct rte_vhost_state_error *e)
{
	const struct rte_vhost_state_vq *sv = vq < st->nb_vqs ? &st->vqs[vq] : NULL;

	if (t->offset == 0)
		return t->id == 0 ? 0 : FAULT(e, CONSOLE_TRANSFER, 0, t->id);
	if (sv == NULL || sv->nb_inflight == 0)
		return FAULT(e, CONSOLE_TRANSFER, 0, t->offset);
	if (sv->inflight[0].id != t->id)
		return FAULT(e, CONSOLE_TRANSFER, sv->inflight[0].id, t->id);
	return 0;
}

/* The control queues are between those of port 0 and of port 1. */
static uint32_t
vq_of_port(uint16_t port)
{
	return port == 0 ? 0 : 2 * port + 2u;
}

static int
check_port(const struct rte_vhost_state *st, uint16_t i, struct rte_vhost_state_error *e)
{
	const struct rte_vhost_state_console_port *port = &st->console.ports[i];
	int ret;

	if (port->guest_open > 1)
		return FAULT(e, CONSOLE_FLAGS, 1, port->guest_open);
	if (port->host_open > 1)
		return FAULT(e, CONSOLE_FLAGS, 1, port->host_open);
	if (port->ready > 1)
		return FAULT(e, CONSOLE_FLAGS, 1, port->ready);
	if ((port->due & ~RTE_VHOST_STATE_CONSOLE_DUE_ALL) != 0)
		return FAULT(e, CONSOLE_FLAGS, RTE_VHOST_STATE_CONSOLE_DUE_ALL, port->due);
	if (port->nb_pending > PENDING_MAX)
		return FAULT(e, CONSOLE_PENDING, PENDING_MAX, port->nb_pending);
	ret = check_name(port->name, e);
	if (ret == 0)
		ret = check_transfer(st, vq_of_port(i), &port->to_guest, e);
	if (ret == 0)
		ret = check_transfer(st, vq_of_port(i) + 1, &port->to_host, e);
	return ret;
}

static int
check_console(const struct rte_vhost_state *st, struct rte_vhost_state_error *e)
{
	const struct rte_vhost_state_console *console = &st->console;
	uint16_t i;
	int ret = 0;

	if (console->nb_ports == 0)
		return FAULT(e, CONSOLE_PORTS, 1, 0);
	if (console->nb_ports > PORTS_MAX)
		return FAULT(e, CONSOLE_PORTS, PORTS_MAX, console->nb_ports);
	if (console->driver_ready > 1)
		return FAULT(e, CONSOLE_FLAGS, 1, console->driver_ready);
	for (i = 0; i < console->nb_ports && ret == 0; i++)
		ret = check_port(st, i, e);
	return ret;
}

static const enum rte_vhost_state_reason port_reasons[] = {
	RTE_VHOST_STATE_R_CONSOLE_PORTS,
	RTE_VHOST_STATE_R_CONSOLE_FLAGS,
	RTE_VHOST_STATE_R_CONSOLE_NAME,
	RTE_VHOST_STATE_R_CONSOLE_TRANSFER,
	RTE_VHOST_STATE_R_NONE,
};

/* The driver knows the number from config space. */
static int
check_console_fit(const struct rte_vhost_state *st, const struct rte_vhost_state_limits *lim,
		struct rte_vhost_state_error *e)
{
	if (lim->console_ports != 0 && st->console.nb_ports != lim->console_ports)
		return FAULT(e, FIT_CONSOLE_PORTS, lim->console_ports, st->console.nb_ports);
	return 0;
}

static bool
transfer_equal(const struct rte_vhost_state_console_transfer *a,
		const struct rte_vhost_state_console_transfer *b)
{
	return a->id == b->id && a->offset == b->offset;
}

/* Padding has no defined value, so the fields are compared one by one. */
static bool
port_equal(const struct rte_vhost_state_console_port *a,
		const struct rte_vhost_state_console_port *b)
{
	return a->guest_open == b->guest_open && a->host_open == b->host_open &&
		a->ready == b->ready && a->due == b->due && a->cols == b->cols &&
		a->rows == b->rows && memcmp(a->name, b->name, NAME_SIZE) == 0 &&
		transfer_equal(&a->to_host, &b->to_host) &&
		transfer_equal(&a->to_guest, &b->to_guest) && a->nb_pending == b->nb_pending &&
		memcmp(a->pending, b->pending, RTE_MIN(a->nb_pending, PENDING_MAX)) == 0;
}

static bool
console_equal(const struct rte_vhost_state *st_a, const struct rte_vhost_state *st_b)
{
	const struct rte_vhost_state_console *a = &st_a->console, *b = &st_b->console;
	uint16_t i;

	if (a->nb_ports != b->nb_ports || a->driver_ready != b->driver_ready)
		return false;
	for (i = 0; i < RTE_MIN(a->nb_ports, PORTS_MAX); i++)
		if (!port_equal(&a->ports[i], &b->ports[i]))
			return false;
	return true;
}

/* ---- text ---- */

static void
dump_console(const struct rte_vhost_state *st, FILE *f)
{
	const struct rte_vhost_state_console_port *port;
	uint16_t i;

	fprintf(f, "  driver ready     %u\n", st->console.driver_ready);
	fprintf(f, "  ports            %u\n", st->console.nb_ports);
	for (i = 0; i < st->console.nb_ports; i++) {
		port = &st->console.ports[i];
		fprintf(f, "  port %-2u          guest open %u, host open %u, ready %u, due 0x%02x, "
				"%ux%u, name \"%s\"\n", i, port->guest_open, port->host_open,
				port->ready, port->due, port->cols, port->rows, port->name);
		fprintf(f, "    to host        buffer %u, %" PRIu64 " bytes done\n",
				port->to_host.id, port->to_host.offset);
		fprintf(f, "    to guest       buffer %u, %" PRIu64 " bytes done, %u bytes pending\n",
				port->to_guest.id, port->to_guest.offset, port->nb_pending);
	}
}

static void
dump_transfer_json(const char *name, const struct rte_vhost_state_console_transfer *t, FILE *f)
{
	fprintf(f, "\"%s\": {\"id\": %u, \"offset\": %" PRIu64 "}, ", name, t->id, t->offset);
}

static void
dump_console_json(const struct rte_vhost_state *st, FILE *f)
{
	const struct rte_vhost_state_console_port *port;
	uint16_t i, n;

	fprintf(f, "\"driver_ready\": %u, \"ports\": [", st->console.driver_ready);
	for (i = 0; i < st->console.nb_ports; i++) {
		port = &st->console.ports[i];
		fprintf(f, "%s{\"guest_open\": %u, \"host_open\": %u, \"ready\": %u, ",
				i > 0 ? ", " : "", port->guest_open, port->host_open, port->ready);
		fprintf(f, "\"due\": %u, \"cols\": %u, \"rows\": %u, \"name\": \"%s\", ", port->due,
				port->cols, port->rows, port->name);
		dump_transfer_json("to_host", &port->to_host, f);
		dump_transfer_json("to_guest", &port->to_guest, f);
		fprintf(f, "\"pending\": \"");
		for (n = 0; n < port->nb_pending; n++)
			fprintf(f, "%02x", port->pending[n]);
		fprintf(f, "\"}");
	}
	fprintf(f, "]");
}

const struct vhost_state_class vhost_state_console = {
	.device_id = RTE_VHOST_STATE_ID_CONSOLE,
	.name = "console",
	.min_vqs = 2,
	.max_vqs = RTE_VHOST_STATE_MAX_VQ,
	.parts = {
		{
			.type = CONSOLE_TYPE, .mandatory = true,
			.unit = CONSOLE_SIZE, .max_units = 1,
			.encode = encode_console, .decode = decode_console,
		},
		{
			.type = PORTS_TYPE, .mandatory = true,
			.unit = PORT_SIZE, .max_units = PORTS_MAX, .units = units_ports,
			.encode = encode_ports, .decode = decode_ports,
			.reasons = port_reasons,
		},
		{
			.type = PENDING_TYPE,
			.unit = 1, .max_units = PORTS_MAX * (PENDING_HEADER + PENDING_MAX),
			.units = units_pending,
			.encode = encode_pending, .decode = decode_pending,
		},
	},
	.check = check_console,
	.check_fit = check_console_fit,
	.equal = console_equal,
	.dump = dump_console,
	.dump_json = dump_console_json,
};
