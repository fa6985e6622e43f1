/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hostile_case.h"
#include "hostile_env.h"
#include "hostile_fds.h"
#include "hostile_known.h"
#include "hostile_proc.h"
#include "hostile_send.h"
#include "hostile_wire.h"
#include "vhost_user_fe.h"

/* Time for the back end to close descriptors after a request number. */
#define SETTLE_MS 300
#define WORD_MAX 24

/** What is sent for each request number. */
struct sweep {
	const char *name, *what;
	enum hostile_fd fd;
	/** Flags of the header; 0: the right ones. */
	uint32_t flags;
	bool ready;
	/** Queue indices of 256 and more, instead of queues 0 and 1. */
	bool high;
};

#define KINDS(X, ready, suffix, text) \
	X("fds-eventfd" suffix, "1 to 8 eventfds with every request" text, FD_EVENT, ready) \
	X("fds-memory" suffix, "1 to 8 memory files with every request" text, FD_MEMORY, ready) \
	X("fds-read-only" suffix, "read-only memory with every request" text, FD_READ_ONLY, \
		ready) \
	X("fds-directory" suffix, "1 to 8 directories with every request" text, FD_DIR, ready) \
	X("fds-socket" suffix, "1 to 8 sockets with every request" text, FD_SOCKET, ready) \
	X("fds-null" suffix, "/dev/null with every request" text, FD_NULL, ready) \
	X("fds-pipe" suffix, "1 to 8 pipes with every request" text, FD_PIPE, ready)
#define SWEEP(name, what, fd, ready) { name, what, fd, 0, ready, false },

static const struct sweep sweeps[] = {
	KINDS(SWEEP, false, "", ", before a set-up")
	KINDS(SWEEP, true, "-ready", ", under running rings")
	{ "fds-index-high", "queue index 256 and more with eventfds", FD_EVENT, .high = true },
	{ "fds-index-high-ready", "the same under running rings", FD_EVENT, .ready = true,
		.high = true },
	{ "fds-version-0", "version 0 with every request, with eventfds", FD_EVENT, 0x10 },
	{ "fds-version-2", "version 2 with every request, with eventfds", FD_EVENT, 2 },
	{ "fds-version-3-ready", "version 3 under running rings, with eventfds", FD_EVENT, 3,
		.ready = true },
	{ "fds-is-reply", "an answer instead of a request, with eventfds", FD_EVENT,
		VU_VERSION | VU_REPLY },
};

static const uint32_t high[] = { 256, 257, 0xffff, 0x10000, 0xffffffff };

static bool
request_has_index(uint32_t request)
{
	return request >= VU_SET_VRING_NUM && request <= VU_SET_VRING_ERR;
}

/* Send one message on a connection that is open, or is opened. @return 0, -EPROTO */
static int
message_send(struct hostile_env *e, const struct sweep *s, uint32_t request, uint32_t vq,
		uint32_t size, unsigned int nb_fds)
{
	uint8_t payload[HOSTILE_WIRE_MAX];
	struct vu_header hdr = { .request = request, .size = size };
	int fds[VU_MAX_FDS], other = -1, ret = 0, fd;
	unsigned int i;

	if (e->wire.fd < 0)
		ret = hostile_wire_open(e, s->ready);
	if (ret < 0)
		return ret;
	fd = hostile_fd_open(s->fd, e->setup.mem_fd, &other);
	if (fd < 0)
		return hostile_fail(e, "no descriptor: %s", strerror(errno));
	for (i = 0; i < nb_fds; i++)
		fds[i] = fd;
	hostile_wire_payload(request, vq, payload);
	hdr.flags = s->flags != 0 ? s->flags : VU_VERSION;
	ret = vu_fe_send_raw(&e->wire, &hdr, payload, size, fds, nb_fds);
	close(fd);
	if (other >= 0)
		close(other);
	if (ret == 0)
		ret = hostile_answered(&e->wire);
	if (ret == -ETIMEDOUT)
		return hostile_fail(e, "%s (%u) of %u bytes with %u descriptors: neither an answer "
			"nor a closed connection", hostile_wire_name(request), request, size, nb_fds);
	if (ret < 0)
		hostile_wire_close(e);
	return 0;
}

/* All numbers of descriptors for one request of one size. */
static int
counts_send(struct hostile_env *e, const struct sweep *s, uint32_t request, uint32_t vq,
		uint32_t size)
{
	/* A set-up takes longer, and a client comes back only after a second. */
	static const unsigned int some[] = { 1, 2, 8 }, all[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	bool few = s->ready || s->high || s->flags != 0;
	const unsigned int *counts = few ? some : all;
	uint32_t i, nb = few ? 3 : 8;
	int ret = 0;

	if (e->conf->server)
		return message_send(e, s, request, vq, size, 8);
	for (i = 0; i < nb && ret == 0; i++)
		ret = message_send(e, s, request, vq, size, counts[i]);
	return ret;
}

static int
request_send(struct hostile_env *e, const struct sweep *s, uint32_t request)
{
	uint8_t payload[HOSTILE_WIRE_MAX];
	uint32_t size = hostile_wire_payload(request, 0, payload), i;
	int ret;

	if (s->high) {
		for (i = 0, ret = 0; i < sizeof(high) / sizeof(high[0]) && ret == 0; i++)
			ret = counts_send(e, s, request, high[i], size);
		return ret;
	}
	ret = counts_send(e, s, request, 0, size);
	if (ret == 0 && !e->conf->server && s->flags == 0) {
		ret = counts_send(e, s, request, 1, size != 0 ? 0 : 8);
		if (ret == 0)
			ret = counts_send(e, s, request, 0, size + 4);
	}
	return ret;
}

/* Note in e->why what a request number left open. */
static void
growth_note(struct hostile_env *e, uint32_t request, int growth)
{
	size_t at = strlen(e->why);

	if (at + 2 * WORD_MAX < sizeof(e->why))
		snprintf(e->why + at, sizeof(e->why) - at, "%s%s (%u) %d",
			at == 0 ? "descriptors left open: " : ", ", hostile_wire_name(request),
			request, growth);
}

static int
run_sweep(struct hostile_env *e, const struct hostile_case *c)
{
	struct hostile_usage base = { 0 }, now;
	const struct sweep *s = c->arg;
	bool leaks = false;
	uint32_t request;
	int ret = 0;

	if (e->before != NULL)
		base = *e->before;
	for (request = 0; request <= HOSTILE_REQUEST_LAST && ret == 0; request++) {
		if (s->high && !request_has_index(request) && request != VU_SET_VRING_ENABLE)
			continue;
		if (e->conf->rte_vhost && hostile_known_request(request))
			continue;
		ret = request_send(e, s, request);
		if (ret < 0)
			break;
		/* A connection may hold some: only without it the count must be as before. */
		if (e->conf->server)
			continue;
		hostile_wire_close(e);
		if (e->before != NULL && hostile_usage_settle(e->pid, &base, SETTLE_MS, &now) ==
				-EBUSY && now.fds > base.fds) {
			growth_note(e, request, now.fds - base.fds);
			base = now;
			leaks = true;
		}
	}
	if (ret == 0)
		ret = hostile_bystander(e);
	return leaks ? -EPROTO : ret;
}

uint32_t
hostile_fds_cases(struct hostile_case *c, uint32_t room)
{
	uint32_t i, n = sizeof(sweeps) / sizeof(sweeps[0]);

	for (i = 0; i < n && i < room; i++) {
		snprintf(c[i].name, sizeof(c[i].name), "%s", sweeps[i].name);
		c[i].what = sweeps[i].what;
		c[i].run = run_sweep;
		c[i].arg = &sweeps[i];
		c[i].flags = HOSTILE_MSG | HOSTILE_ANY | HOSTILE_DOOR;
	}
	return i;
}
