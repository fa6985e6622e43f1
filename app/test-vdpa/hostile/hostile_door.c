/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "guest_core.h"
#include "guest_link.h"
#include "hostile_case.h"
#include "hostile_door.h"
#include "hostile_env.h"
#include "hostile_send.h"
#include "hostile_wire.h"
#include "hostile_witness.h"
#include "vhost_user_fe.h"

/* Time between two bytes of a slow front end. */
#define BYTE_US 1000
/* A socket that takes nothing for so long is full, and nobody reads it. */
#define FULL_MS 200
/* Most requests until the socket is full: far more than it has room for. */
#define UNREAD_MAX 200000
#define FLOOD_NS UINT64_C(500000000)
#define FLOOD_PROBE_NS UINT64_C(50000000)
/* Requests whose answers fit the socket. */
#define BURST 64
#define CROWD 100
/* More than any process can map. */
#define HUGE_BYTES (1ull << 60)

/* ---- messages that do not end ---- */

/** A message of which only the first bytes are sent. */
struct stall {
	const char *name, *what;
	uint32_t request;
	/** Bytes that are sent; size in the header, 0: that of a valid message. */
	uint32_t bytes, size;
	enum hostile_fd fd;
	uint8_t nb_fds;
	bool ready;
};

static const struct stall stalls[] = {
	{ "half-header", "half a header, then silence", VU_SET_FEATURES, 5 },
	{ "half-header-ready", "the same under running rings", VU_SET_FEATURES, 5, .ready = true },
	{ "half-header-fds", "half a header with 8 descriptors", VU_SET_MEM_TABLE, 5, 0,
		FD_MEMORY, 8 },
	{ "header-only", "a header without its payload", VU_SET_FEATURES, 12 },
	{ "header-only-ready", "the same under running rings", VU_SET_VRING_NUM, 12,
		.ready = true },
	{ "header-only-fds", "a header with 8 descriptors, without its payload", VU_SET_MEM_TABLE,
		12, 264, FD_MEMORY, 8 },
	{ "header-only-eventfd", "SET_VRING_CALL without its payload, under running rings",
		VU_SET_VRING_CALL, 12, 0, FD_EVENT, 1, true },
	{ "header-only-large", "a header with the largest size", VU_SET_CONFIG, 12, 4096 },
	{ "half-payload", "half a payload", VU_SET_VRING_ADDR, 30 },
	{ "half-payload-ready", "the same under running rings", VU_SET_VRING_ADDR, 30,
		.ready = true },
	{ "half-payload-fds", "half a memory table, with its descriptors", VU_SET_MEM_TABLE, 40,
		264, FD_MEMORY, 8 },
};

static int
fds_open(struct hostile_env *e, enum hostile_fd kind, unsigned int nb, int *fds, int *other)
{
	int fd = nb != 0 ? hostile_fd_open(kind, e->setup.mem_fd, other) : -1;
	unsigned int i;

	for (i = 0; i < nb; i++)
		fds[i] = fd;
	return nb != 0 && fd < 0 ? hostile_fail(e, "no descriptor: %s", strerror(errno)) : 0;
}

static void
fds_close(unsigned int nb, const int *fds, int other)
{
	if (nb != 0)
		close(fds[0]);
	if (other >= 0)
		close(other);
}

/* Write a whole valid message of a request into bytes. @return its length */
static uint32_t
message_build(uint32_t request, uint32_t vq, uint8_t *bytes)
{
	struct vu_header hdr = { .request = request, .flags = VU_VERSION };

	hdr.size = hostile_wire_payload(request, vq, bytes + sizeof(hdr));
	memcpy(bytes, &hdr, sizeof(hdr));
	return sizeof(hdr) + hdr.size;
}

static int
run_stall(struct hostile_env *e, const struct hostile_case *c)
{
	uint8_t bytes[sizeof(struct vu_header) + HOSTILE_WIRE_MAX];
	const struct stall *s = c->arg;
	struct vu_header *hdr = (struct vu_header *)bytes;
	int fds[VU_MAX_FDS], other = -1, ret;

	ret = hostile_wire_open(e, s->ready);
	if (ret == 0)
		ret = fds_open(e, s->fd, s->nb_fds, fds, &other);
	if (ret < 0)
		return ret;
	message_build(s->request, 0, bytes);
	if (s->size != 0)
		hdr->size = s->size;
	ret = hostile_write(&e->wire, bytes, s->bytes, fds, s->nb_fds, FULL_MS);
	fds_close(s->nb_fds, fds, other);
	if (ret != (int)s->bytes)
		return hostile_fail(e, "the message was not sent");
	usleep(HOSTILE_SETTLE_US);
	ret = hostile_bystander(e);
	if (e->conf->hold_ms != 0)
		poll(NULL, 0, e->conf->hold_ms);
	return ret;
}

static const uint32_t slow_features = VU_GET_FEATURES, slow_num = VU_SET_VRING_NUM,
	slow_table = VU_SET_MEM_TABLE;

/* One byte at a time. The back end may answer in the end or close the connection. */
static int
run_slow(struct hostile_env *e, const struct hostile_case *c)
{
	uint8_t bytes[sizeof(struct vu_header) + HOSTILE_WIRE_MAX];
	uint32_t request = *(const uint32_t *)c->arg, len, i;
	int ret = hostile_wire_open(e, false), fd;

	if (ret < 0)
		return ret;
	fd = e->setup.mem_fd;
	len = message_build(request, 0, bytes);
	for (i = 0; i < len; i++) {
		ret = hostile_write(&e->wire, bytes + i, 1, &fd,
				i == 0 ? hostile_wire_fds(request) : 0, FULL_MS);
		if (ret < 0)
			break;
		usleep(BYTE_US);
		if (i == len / 2 && hostile_bystander(e) < 0)
			return -EPROTO;
	}
	if (ret == -EAGAIN || hostile_answered(&e->wire) == -ETIMEDOUT)
		return hostile_fail(e, "the back end neither answers nor closes the connection");
	return 0;
}

/* ---- answers that nobody reads ---- */

/** What is sent again and again. */
struct flood {
	const char *name, *what;
	uint32_t request, flags;
	enum hostile_fd fd;
	bool ready;
};

static const struct flood unread[] = {
	{ "unread-features", "GET_FEATURES until the socket is full, no answer is read",
		VU_GET_FEATURES },
	{ "unread-features-ready", "the same under running rings", VU_GET_FEATURES,
		.ready = true },
	{ "unread-acks", "acknowledgements that are not read", VU_SET_VRING_NUM, VU_NEED_REPLY,
		.ready = true },
	{ "unread-inflight", "GET_INFLIGHT_FD, whose answers hold descriptors", VU_GET_INFLIGHT_FD,
		.ready = true },
	{ "unread-config", "GET_CONFIG whose answers are not read", VU_GET_CONFIG },
};

static const struct flood floods[] = {
	{ "flood-features", "GET_FEATURES as fast as they are answered", VU_GET_FEATURES },
	{ "flood-memory", "SET_MEM_TABLE as fast as possible, under running rings",
		VU_SET_MEM_TABLE, 0, FD_MEMORY, true },
	{ "flood-call", "SET_VRING_CALL as fast as possible, under running rings",
		VU_SET_VRING_CALL, 0, FD_EVENT, true },
	{ "flood-kick", "SET_VRING_KICK as fast as possible, under running rings",
		VU_SET_VRING_KICK, 0, FD_EVENT, true },
	{ "flood-base", "GET_VRING_BASE as fast as possible, under running rings",
		VU_GET_VRING_BASE, .ready = true },
	{ "flood-enable", "SET_VRING_ENABLE as fast as possible, under running rings",
		VU_SET_VRING_ENABLE, .ready = true },
	{ "flood-status", "SET_STATUS as fast as possible, under running rings",
		VU_SET_STATUS, .ready = true },
	{ "flood-inflight", "GET_INFLIGHT_FD as fast as possible", VU_GET_INFLIGHT_FD },
	{ "flood-unknown", "an unknown request with descriptors as fast as possible", 60, 0,
		FD_EVENT },
};

/* @return bytes that were written, as hostile_write() */
static int
flood_send(struct hostile_env *e, const struct flood *f, uint32_t n, int fd, int ms)
{
	uint8_t bytes[sizeof(struct vu_header) + HOSTILE_WIRE_MAX];
	struct vu_header *hdr = (struct vu_header *)bytes;
	uint32_t len = message_build(f->request, n % HOSTILE_SETUP_QUEUES, bytes);

	hdr->flags |= f->flags;
	return hostile_write(&e->wire, bytes, len, &fd, fd >= 0, ms);
}

static int
run_unread(struct hostile_env *e, const struct hostile_case *c)
{
	const struct flood *f = c->arg;
	int ret = hostile_wire_open(e, f->ready);
	uint32_t n;

	if (ret < 0)
		return ret;
	for (n = 0; n < UNREAD_MAX; n++) {
		ret = flood_send(e, f, n, -1, FULL_MS);
		if (ret < 0)
			break;
	}
	/* Full, or the back end has hung up. */
	return hostile_bystander(e);
}

/* @return 0; -ECONNRESET: the back end hung up; -EPROTO */
static int
burst_send(struct hostile_env *e, const struct flood *f, uint32_t *n, int fd, bool ask)
{
	int i, ret;

	for (i = 0; i < BURST; i++) {
		ret = flood_send(e, f, (*n)++, fd, FULL_MS);
		if (ret < 0)
			return ret == -EAGAIN ? hostile_fail(e, "no room in the socket") : -ECONNRESET;
	}
	/* The burst is on its way. */
	if (ask && e->witness != NULL && hostile_witness_probe(e->witness) < 0)
		return hostile_fail(e, "the second device: %s", e->witness->why);
	ret = hostile_answered_to(&e->wire, VU_GET_PROTOCOL_FEATURES);
	return ret == -ETIMEDOUT ? hostile_fail(e, "neither an answer nor a closed connection") :
		ret < 0 ? -ECONNRESET : 0;
}

/* Requests as fast as the back end answers them; all answers are read. */
static int
run_flood(struct hostile_env *e, const struct hostile_case *c)
{
	const struct flood *f = c->arg;
	uint64_t now = clock_ns(), end = now + FLOOD_NS, probe = now;
	int ret = hostile_wire_open(e, f->ready), fd = -1, other = -1;
	uint32_t n = 0;

	if (ret == 0 && f->fd != FD_NONE)
		ret = fds_open(e, f->fd, 1, &fd, &other);
	for (; now < end && ret == 0; now = clock_ns()) {
		ret = burst_send(e, f, &n, fd, now >= probe);
		if (now >= probe)
			probe = now + FLOOD_PROBE_NS;
		if (ret != -ECONNRESET)
			continue;
		/* A device that is a client may come back only after a second. */
		ret = 0;
		if (e->conf->server)
			break;
		ret = hostile_wire_open(e, f->ready);
	}
	if (fd >= 0)
		fds_close(1, &fd, other);
	return ret < 0 ? ret : hostile_bystander(e);
}

/* ---- several connections ---- */

static int
run_crowd(struct hostile_env *e, const struct hostile_case *c __rte_unused)
{
	struct vu_fe crowd[CROWD];
	int i, ret = 0;

	for (i = 0; i < CROWD && ret == 0; i++)
		ret = vu_fe_connect(&crowd[i], e->conf->path, 1000);
	/* The back end may refuse some of them. */
	ret = hostile_bystander(e);
	while (--i >= 0)
		vu_fe_close(&crowd[i]);
	return ret;
}

static const uint32_t second_bytes[] = { 0, 5, 12 };

/* The second front end says nothing, or not all of it. The first one is served or dropped. */
static int
run_second(struct hostile_env *e, const struct hostile_case *c)
{
	uint8_t bytes[sizeof(struct vu_header) + HOSTILE_WIRE_MAX];
	uint32_t nb = *(const uint32_t *)c->arg;
	int ret = hostile_open(e, HOSTILE_FEATURES);

	if (ret == 0)
		ret = hostile_wire_open(e, false);
	if (ret < 0)
		return ret;
	message_build(VU_SET_FEATURES, 0, bytes);
	if (nb != 0)
		hostile_write(&e->wire, bytes, nb, NULL, 0, FULL_MS);
	usleep(HOSTILE_SETTLE_US);
	ret = hostile_bystander(e);
	if (ret == 0 && hostile_answered(&e->l->fe) == -ETIMEDOUT)
		ret = hostile_fail(e, "the first front end is neither answered nor dropped");
	return ret;
}

/* ---- queues that were not set up ---- */

static const bool early = false, ready = true;

static int
run_base(struct hostile_env *e, const struct hostile_case *c)
{
	static const uint32_t queues[] = { 2, 3, 0, 1, 4, 5, 127, 254, 255, 256, 65535 };
	bool set_up = *(const bool *)c->arg;
	uint8_t bytes[sizeof(struct vu_header) + HOSTILE_WIRE_MAX];
	uint32_t i, len;
	int ret;

	for (i = 0; i < sizeof(queues) / sizeof(queues[0]); i++) {
		ret = hostile_wire_open(e, set_up);
		if (ret < 0)
			return ret;
		len = message_build(VU_GET_VRING_BASE, queues[i], bytes);
		hostile_write(&e->wire, bytes, len, NULL, 0, FULL_MS);
		if (hostile_answered(&e->wire) == -ETIMEDOUT)
			return hostile_fail(e, "queue %u: neither an answer nor a closed connection",
				queues[i]);
	}
	return hostile_bystander(e);
}

/*
 * A table that cannot be mapped, under running rings, and refused by an acknowledgement only. Then
 * the device has no memory, and one more request follows.
 */
static int
run_after_refusal(struct hostile_env *e, const struct hostile_case *c __rte_unused)
{
	uint8_t bytes[sizeof(struct vu_header) + HOSTILE_WIRE_MAX];
	const size_t size_at = sizeof(struct vu_header) +
		offsetof(struct vu_mem_table, regions[0].size);
	const uint64_t huge = HUGE_BYTES;
	struct vu_header *hdr = (struct vu_header *)bytes;
	uint32_t request, len;
	int ret, fd, other;

	for (request = 0; request <= HOSTILE_REQUEST_LAST; request++) {
		/* A device that is a client may come back only after a second. */
		if (e->conf->server && request != VU_SEND_RARP)
			continue;
		ret = hostile_wire_open(e, true);
		if (ret == 0)
			ret = fds_open(e, FD_NULL, 1, &fd, &other);
		if (ret < 0)
			return ret;
		len = message_build(VU_SET_MEM_TABLE, 0, bytes);
		hdr->flags |= VU_NEED_REPLY;
		/* A table like the one before might be ignored. */
		memcpy(bytes + size_at, &huge, sizeof(huge));
		hostile_write(&e->wire, bytes, len, &fd, 1, FULL_MS);
		fds_close(1, &fd, other);
		len = message_build(request, 0, bytes);
		hostile_write(&e->wire, bytes, len, NULL, 0, FULL_MS);
		if (hostile_answered(&e->wire) == -ETIMEDOUT)
			return hostile_fail(e, "%s: neither an answer nor a closed connection",
				hostile_wire_name(request));
	}
	return hostile_bystander(e);
}

static const struct hostile_case others[] = {
	{ "after-refused-table", "every request after a memory table that cannot be mapped", 0,
		run_after_refusal, NULL },
	{ "bytes-get-features", "GET_FEATURES byte by byte", 0, run_slow, &slow_features },
	{ "bytes-vring-num", "SET_VRING_NUM byte by byte", 0, run_slow, &slow_num },
	{ "bytes-mem-table", "a memory table byte by byte", 0, run_slow, &slow_table },
	{ "connections-held", "100 silent connections at a time", HOSTILE_LISTENING, run_crowd, NULL },
	{ "second-silent", "a second front end that says nothing", HOSTILE_LISTENING, run_second,
		&second_bytes[0] },
	{ "second-half-header", "a second front end that sends half a header", HOSTILE_LISTENING,
		run_second, &second_bytes[1] },
	{ "second-header-only", "a second front end that sends no payload", HOSTILE_LISTENING,
		run_second, &second_bytes[2] },
	{ "get-base-early", "GET_VRING_BASE before anything else", 0, run_base, &early },
	{ "get-base-not-set-up", "GET_VRING_BASE of queues that were not set up", 0, run_base,
		&ready },
};

static struct hostile_case
case_of(const char *name, const char *what, const void *arg,
		int (*run)(struct hostile_env *, const struct hostile_case *))
{
	struct hostile_case c = { .what = what, .run = run, .arg = arg };

	snprintf(c.name, sizeof(c.name), "%s", name);
	return c;
}

uint32_t
hostile_door_cases(struct hostile_case *c, uint32_t room)
{
	uint32_t i, n = 0;

	for (i = 0; i < sizeof(stalls) / sizeof(stalls[0]) && n < room; i++)
		c[n++] = case_of(stalls[i].name, stalls[i].what, &stalls[i], run_stall);
	for (i = 0; i < sizeof(unread) / sizeof(unread[0]) && n < room; i++)
		c[n++] = case_of(unread[i].name, unread[i].what, &unread[i], run_unread);
	for (i = 0; i < sizeof(floods) / sizeof(floods[0]) && n < room; i++)
		c[n++] = case_of(floods[i].name, floods[i].what, &floods[i], run_flood);
	for (i = 0; i < sizeof(others) / sizeof(others[0]) && n < room; i++)
		c[n++] = others[i];
	for (i = 0; i < n; i++)
		c[i].flags |= HOSTILE_MSG | HOSTILE_ANY | HOSTILE_DOOR;
	return n;
}
