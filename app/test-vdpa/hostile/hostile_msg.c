/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/*
 * Hostile messages, sent while traffic runs. The back end may refuse or ignore them, or close the
 * connection.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest_core.h"
#include "hostile_case.h"
#include "hostile_env.h"
#include "hostile_msg.h"
#include "hostile_send.h"
#include "vhost_user_fe.h"

/** One message of up to five words. */
struct message {
	const char *name, *what;
	uint32_t request;
	/** Bytes of payload sent. */
	uint32_t len;
	uint64_t words[5];
	enum hostile_fd fd;
	uint8_t nb_fds;
	/** With size_set: size in the header, instead of len. */
	uint8_t size_set;
	uint32_t size;
	/** Flags in the header; 0: VU_VERSION. */
	uint32_t flags;
};

/* {u32 index; u32 num} as one word. */
#define STATE(index, num) ((uint64_t)(num) << 32 | (uint32_t)(index))

static const struct message messages[] = {
	{ "msg-unknown", "request 200", 200, 8 },
	{ "msg-unknown-0", "request 0", 0, 0 },
	{ "msg-unknown-max", "request 0xffffffff", 0xffffffff, 8 },
	{ "msg-unknown-fds", "unknown request with fds", 201, 8, { 0 }, FD_EVENT, 8 },
	{ "msg-version-0", "version 0", VU_GET_FEATURES, 0, .flags = 0x10 },
	{ "msg-version-3", "version 3", VU_GET_FEATURES, 0, .flags = 3 },
	{ "msg-is-reply", "an answer without a request", VU_GET_FEATURES, 8, { 0 },
		.flags = VU_VERSION | VU_REPLY },
	{ "msg-size-max", "size 0xffffffff", VU_SET_FEATURES, 8, { 0 }, .size_set = 1,
		.size = 0xffffffff },
	{ "msg-size-negative", "size 0x80000000", VU_SET_VRING_NUM, 8, { 0 }, .size_set = 1,
		.size = 0x80000000 },
	{ "msg-size-4097", "size larger than any payload", VU_SET_MEM_TABLE, 40, { 1 },
		.size_set = 1, .size = 4097 },
	{ "msg-size-short", "size smaller than the payload", VU_SET_VRING_ADDR, 8, { 0 } },
	{ "msg-size-0", "a request without its payload", VU_SET_FEATURES, 0 },
	{ "msg-extra-payload", "payload on a request without payload", VU_GET_FEATURES, 40 },
	{ "fds-on-get-features", "8 fds with GET_FEATURES", VU_GET_FEATURES, 0, { 0 },
		FD_EVENT, 8 },
	{ "fds-on-set-features", "8 fds with SET_FEATURES", VU_SET_FEATURES, 8, { 0 },
		FD_EVENT, 8 },
	{ "fds-on-vring-num", "fds with SET_VRING_NUM", VU_SET_VRING_NUM, 8, { STATE(0, 64) },
		FD_EVENT, 3 },
	{ "fds-on-vring-base", "fds with GET_VRING_BASE", VU_GET_VRING_BASE, 8, { 0 },
		FD_EVENT, 3 },
	{ "fds-9", "9 fds, more than a message may have", VU_SET_VRING_KICK, 8, { 0 },
		FD_EVENT, 9 },
	{ "fds-32", "32 fds", VU_SET_VRING_CALL, 8, { 0 }, FD_EVENT, 32 },
	{ "fds-on-status", "fds with SET_STATUS", VU_SET_STATUS, 8, { 0xf }, FD_EVENT, 2 },
	{ "vring-num-0", "queue size 0", VU_SET_VRING_NUM, 8, { STATE(0, 0) } },
	{ "vring-num-1", "queue size 1 under a running ring", VU_SET_VRING_NUM, 8,
		{ STATE(0, 1) } },
	{ "vring-num-odd", "queue size 63", VU_SET_VRING_NUM, 8, { STATE(0, 63) } },
	{ "vring-num-32768", "queue size 32768 under a ring of 64", VU_SET_VRING_NUM, 8,
		{ STATE(1, 32768) } },
	{ "vring-num-65535", "queue size 65535", VU_SET_VRING_NUM, 8, { STATE(0, 65535) } },
	{ "vring-num-65536", "queue size 65536, cut to 0", VU_SET_VRING_NUM, 8,
		{ STATE(0, 65536) } },
	{ "vring-num-max", "queue size 0xffffffff", VU_SET_VRING_NUM, 8, { STATE(0, 0xffffffff) } },
	{ "vring-num-index-255", "queue 255", VU_SET_VRING_NUM, 8, { STATE(255, 64) } },
	{ "vring-num-index-65536", "queue 65536, cut to 0", VU_SET_VRING_NUM, 8,
		{ STATE(65536, 64) } },
	{ "vring-num-index-max", "queue 0xffffffff", VU_SET_VRING_NUM, 8,
		{ STATE(0xffffffff, 64) } },
	{ "vring-base-index-255", "base of queue 255", VU_SET_VRING_BASE, 8, { STATE(255, 0) } },
	{ "vring-base-wild", "base far from the ring's position", VU_SET_VRING_BASE, 8,
		{ STATE(1, 0x4242) } },
	{ "vring-base-max", "base 0xffffffff", VU_SET_VRING_BASE, 8, { STATE(1, 0xffffffff) } },
	{ "get-base-index-255", "GET_VRING_BASE of queue 255", VU_GET_VRING_BASE, 8,
		{ STATE(255, 0) } },
	{ "get-base-index-max", "GET_VRING_BASE of queue 0xffffffff", VU_GET_VRING_BASE, 8,
		{ STATE(0xffffffff, 0) } },
	{ "enable-index-255", "SET_VRING_ENABLE of queue 255", VU_SET_VRING_ENABLE, 8,
		{ STATE(255, 1) } },
	{ "enable-index-max", "SET_VRING_ENABLE of queue 0xffffffff", VU_SET_VRING_ENABLE, 8,
		{ STATE(0xffffffff, 1) } },
	{ "enable-value", "SET_VRING_ENABLE to 0xffffffff", VU_SET_VRING_ENABLE, 8,
		{ STATE(0, 0xffffffff) } },
	{ "kick-index-255", "kick fd of queue 255", VU_SET_VRING_KICK, 8, { 255 }, FD_EVENT, 1 },
	{ "call-index-255", "call fd of queue 255", VU_SET_VRING_CALL, 8, { 255 }, FD_EVENT, 1 },
	{ "err-index-255", "err fd of queue 255", VU_SET_VRING_ERR, 8, { 255 }, FD_EVENT, 1 },
	{ "kick-no-fd", "kick without an fd and without the no-fd bit", VU_SET_VRING_KICK, 8,
		{ 0 } },
	{ "kick-fd-and-flag", "kick with the no-fd bit and an fd", VU_SET_VRING_KICK, 8, { 0x100 },
		FD_EVENT, 1 },
	{ "kick-two-fds", "kick with two fds", VU_SET_VRING_KICK, 8, { 0 }, FD_EVENT, 2 },
	{ "kick-directory", "kick fd that is a directory", VU_SET_VRING_KICK, 8, { 0 }, FD_DIR, 1 },
	{ "call-null", "call fd that is /dev/null", VU_SET_VRING_CALL, 8, { 0 }, FD_NULL, 1 },
	{ "err-memory", "err fd that is the memory", VU_SET_VRING_ERR, 8, { 0 }, FD_MEMORY, 1 },
	{ "vring-addr-outside", "ring at address 0x1000", VU_SET_VRING_ADDR, 40,
		{ STATE(1, 0), 0x1000, 0x1000, 0x1000, 0 } },
	{ "vring-addr-0", "ring at address 0", VU_SET_VRING_ADDR, 40, { STATE(1, 0) } },
	{ "vring-addr-max", "ring at the end of the address space", VU_SET_VRING_ADDR, 40,
		{ STATE(1, 0), ~15ull, ~15ull, ~15ull, 0 } },
	{ "vring-addr-index-255", "addresses of queue 255", VU_SET_VRING_ADDR, 40,
		{ STATE(255, 0) } },
	{ "vring-addr-flags", "undefined flags", VU_SET_VRING_ADDR, 40,
		{ STATE(255, 0xffffffff) } },
	{ "features-unknown", "features that were not offered", VU_SET_FEATURES, 8, { ~0ull } },
	{ "features-none", "features 0 under running rings", VU_SET_FEATURES, 8, { 0 } },
	{ "protocol-unknown", "protocol features that were not offered",
		VU_SET_PROTOCOL_FEATURES, 8, { ~0ull } },
	{ "status-unknown", "status with all bits", VU_SET_STATUS, 8, { 0xff } },
	{ "status-large", "status beyond 8 bits", VU_SET_STATUS, 8, { 0x10f } },
	{ "owner-twice", "SET_OWNER again", VU_SET_OWNER, 0 },
	{ "reset-owner", "RESET_OWNER under running rings", VU_RESET_OWNER, 0 },
	{ "reset-device", "RESET_DEVICE under running rings", VU_RESET_DEVICE, 0 },
	{ "log-size-overflow", "log whose size + offset wraps around", VU_SET_LOG_BASE, 16,
		{ UINT64_MAX - 4095, 8192 }, FD_SMALL, 1 },
	{ "log-size-huge", "log of 2^50 bytes in a file of 4096", VU_SET_LOG_BASE, 16,
		{ 1ull << 50, 0 }, FD_SMALL, 1 },
	{ "log-size-0", "log of no bytes", VU_SET_LOG_BASE, 16, { 0, 0 }, FD_SMALL, 1 },
	{ "log-offset-beyond", "log offset beyond the file", VU_SET_LOG_BASE, 16,
		{ 4096, 1ull << 40 }, FD_SMALL, 1 },
	{ "log-no-fd", "log without an fd", VU_SET_LOG_BASE, 16, { 4096, 0 } },
	{ "log-two-fds", "log with two fds", VU_SET_LOG_BASE, 16, { 4096, 0 }, FD_SMALL, 2 },
	{ "log-null-fd", "log fd that is /dev/null", VU_SET_LOG_BASE, 16, { 4096, 0 }, FD_NULL, 1 },
	{ "log-fd-message", "SET_LOG_FD", VU_SET_LOG_FD, 8, { 0 }, FD_EVENT, 1 },
	{ "mem-table-short", "memory table shorter than its count", VU_SET_MEM_TABLE, 40,
		{ 8, 0, 4096, 0, 0 }, FD_MEMORY, 8 },
	{ "mem-reg-add", "ADD_MEM_REG that was not negotiated", VU_ADD_MEM_REG, 40,
		{ 0, 0, 4096, 0, 0 }, FD_MEMORY, 1 },
	{ "mem-reg-remove", "REM_MEM_REG that was not negotiated", VU_REM_MEM_REG, 40,
		{ 0, 0x40000000, 4096, 0, 0 } },
	{ "inflight-get-huge", "GET_INFLIGHT_FD of 65535 queues of 65535", VU_GET_INFLIGHT_FD, 24,
		{ 0, 0, 0xffffffff } },
	{ "inflight-get-0", "GET_INFLIGHT_FD of no queue", VU_GET_INFLIGHT_FD, 24, { 0 } },
	{ "inflight-set-small", "SET_INFLIGHT_FD in a file too small", VU_SET_INFLIGHT_FD, 24,
		{ 1ull << 30, 0, 4 | 64 << 16 }, FD_SMALL, 1 },
	{ "inflight-set-offset", "SET_INFLIGHT_FD with an offset that wraps around",
		VU_SET_INFLIGHT_FD, 24, { 4096, UINT64_MAX - 4095, 4 | 64 << 16 },
		FD_SMALL, 1 },
	{ "inflight-set-queues", "SET_INFLIGHT_FD of 65535 queues", VU_SET_INFLIGHT_FD, 24,
		{ 4096, 0, 0xffffffff }, FD_SMALL, 1 },
	{ "inflight-set-no-fd", "SET_INFLIGHT_FD without an fd", VU_SET_INFLIGHT_FD, 24, { 4096 } },
	{ "inflight-set-fds", "SET_INFLIGHT_FD with 8 fds", VU_SET_INFLIGHT_FD, 24,
		{ 4096, 0, 4 | 64 << 16 }, FD_SMALL, 8 },
	{ "config-size-max", "GET_CONFIG of 0xffffffff bytes", VU_GET_CONFIG, 16,
		{ 0xffffffff00000000ull, 0 } },
	{ "config-set-beyond", "SET_CONFIG beyond the end", VU_SET_CONFIG, 40,
		{ STATE(0xfffffff0, 64), 0 } },
	{ "mtu-0", "MTU 0", VU_NET_SET_MTU, 8, { 0 } },
	{ "mtu-max", "MTU 2^64 - 1", VU_NET_SET_MTU, 8, { ~0ull } },
	{ "rarp", "SEND_RARP of a multicast address", VU_SEND_RARP, 8, { ~0ull } },
	{ "device-state-no-fd", "SET_DEVICE_STATE_FD without an fd", VU_SET_DEVICE_STATE_FD, 8,
		{ 0 } },
	{ "device-state-direction", "undefined direction and phase",
		VU_SET_DEVICE_STATE_FD, 8, { ~0ull }, FD_PIPE, 1 },
	{ "device-state-running", "load into a running device", VU_SET_DEVICE_STATE_FD, 8,
		{ STATE(1, 0) }, FD_NULL, 1 },
	{ "device-state-fds", "SET_DEVICE_STATE_FD with 8 fds", VU_SET_DEVICE_STATE_FD, 8,
		{ 0 }, FD_PIPE, 8 },
	{ "check-state-first", "CHECK_DEVICE_STATE without a transfer", VU_CHECK_DEVICE_STATE, 0 },
	{ "backend-req-no-fd", "SET_BACKEND_REQ_FD without an fd", VU_SET_BACKEND_REQ_FD, 0 },
	{ "iotlb-message", "IOTLB message without IOMMU", VU_IOTLB_MSG, 40, { 0, 4096, 0x1000 } },
	{ "postcopy-listen", "POSTCOPY_LISTEN without ADVISE", VU_POSTCOPY_LISTEN, 0 },
	{ "postcopy-end", "POSTCOPY_END without LISTEN", VU_POSTCOPY_END, 0 },
};

static int
run_message(struct hostile_env *e, const struct hostile_case *c)
{
	const struct message *m = c->arg;
	int fds[32] = { 0 }, other = -1, fd = -1;
	uint32_t i;

	if (m->nb_fds != 0) {
		fd = hostile_open_fd(e, m->fd, &other);
		if (fd < 0)
			return -errno;
	}
	for (i = 0; i < m->nb_fds; i++)
		fds[i] = fd;
	hostile_send(e, m->request, m->flags != 0 ? m->flags : VU_VERSION,
		m->size_set ? m->size : m->len, m->words, m->len, fds, m->nb_fds);
	if (fd >= 0)
		close(fd);
	if (other >= 0)
		close(other);
	return 0;
}

/* Send the first message of a connection, before owner, features, memory and rings. */
static int
run_early(struct hostile_env *e, const struct hostile_case *c)
{
	int ret;

	vu_fe_close(&e->l->fe);
	ret = e->conf->server ? vu_fe_accept(&e->l->fe, e->conf->path, 5000) :
		vu_fe_connect(&e->l->fe, e->conf->path, 5000);
	return ret < 0 ? ret : run_message(e, c);
}

static const struct message early[] = {
	{ "early-get-base", "GET_VRING_BASE first", VU_GET_VRING_BASE, 8, { 0 } },
	{ "early-enable", "SET_VRING_ENABLE first", VU_SET_VRING_ENABLE, 8, { STATE(0, 1) } },
	{ "early-addr", "SET_VRING_ADDR before a memory table", VU_SET_VRING_ADDR, 40,
		{ STATE(0, 0), 0x1000, 0x2000, 0x3000, 0 } },
	{ "early-kick", "kick fd before a queue size", VU_SET_VRING_KICK, 8, { 0 }, FD_EVENT, 1 },
	{ "early-status", "DRIVER_OK first", VU_SET_STATUS, 8, { 0xf } },
	{ "early-log", "SET_LOG_BASE first", VU_SET_LOG_BASE, 16, { 4096, 0 }, FD_SMALL, 1 },
	{ "early-inflight-get", "GET_INFLIGHT_FD before a queue size", VU_GET_INFLIGHT_FD, 24,
		{ 0, 0, 4 | 64 << 16 } },
	{ "early-inflight-set", "SET_INFLIGHT_FD before a queue size", VU_SET_INFLIGHT_FD, 24,
		{ 4096, 0, 4 | 64 << 16 }, FD_SMALL, 1 },
	{ "early-rarp", "SEND_RARP first", VU_SEND_RARP, 8, { 0x563412005452ull } },
	{ "early-device-state", "load before anything else, from an empty file",
		VU_SET_DEVICE_STATE_FD, 8, { STATE(1, 0) }, FD_NULL, 1 },
};

static uint32_t
add_messages(struct hostile_case *c, uint32_t room, const struct message *m, uint32_t nb,
		int (*run)(struct hostile_env *, const struct hostile_case *))
{
	uint32_t i;

	for (i = 0; i < nb && i < room; i++) {
		snprintf(c[i].name, sizeof(c[i].name), "%s", m[i].name);
		c[i].what = m[i].what;
		c[i].run = run;
		c[i].arg = &m[i];
	}
	return i;
}

uint32_t
hostile_msg_cases(struct hostile_case *c, uint32_t room)
{
	uint32_t i, n;

	n = add_messages(c, room, messages, sizeof(messages) / sizeof(messages[0]), run_message);
	n += add_messages(c + n, room - n, early, sizeof(early) / sizeof(early[0]), run_early);
	for (i = 0; i < n; i++)
		c[i].flags |= HOSTILE_MSG | HOSTILE_ANY;
	return n;
}
