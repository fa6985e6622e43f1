/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/* Hostile messages, sent while traffic runs. The back end may refuse, ignore or close. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hostile_priv.h"

/** What goes with a message as file descriptors. */
enum fd_kind { FD_NONE, FD_EVENT, FD_MEMORY, FD_PIPE, FD_NULL, FD_SMALL, FD_DIR };

/** One message of up to five words. */
struct message {
	const char *name, *what;
	uint32_t request;
	/** Bytes of payload sent. */
	uint32_t len;
	uint64_t words[5];
	enum fd_kind fd;
	uint8_t nb_fds;
	/** Size in the header where it is not len: size_set. */
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
	{ "msg-is-reply", "an answer that was not asked for", VU_GET_FEATURES, 8, { 0 },
		.flags = VU_VERSION | VU_REPLY },
	{ "msg-size-max", "size 0xffffffff", VU_SET_FEATURES, 8, { 0 }, .size_set = 1,
		.size = 0xffffffff },
	{ "msg-size-negative", "size 0x80000000", VU_SET_VRING_NUM, 8, { 0 }, .size_set = 1,
		.size = 0x80000000 },
	{ "msg-size-4097", "size larger than any payload", VU_SET_MEM_TABLE, 40, { 1 },
		.size_set = 1, .size = 4097 },
	{ "msg-size-short", "size smaller than the payload", VU_SET_VRING_ADDR, 8, { 0 } },
	{ "msg-size-0", "no payload where there should be one", VU_SET_FEATURES, 0 },
	{ "msg-extra-payload", "payload where there should be none", VU_GET_FEATURES, 40 },
	{ "fds-on-get-features", "8 fds with GET_FEATURES", VU_GET_FEATURES, 0, { 0 }, FD_EVENT, 8 },
	{ "fds-on-set-features", "8 fds with SET_FEATURES", VU_SET_FEATURES, 8, { 0 }, FD_EVENT, 8 },
	{ "fds-on-vring-num", "fds with SET_VRING_NUM", VU_SET_VRING_NUM, 8, { STATE(0, 64) },
		FD_EVENT, 3 },
	{ "fds-on-vring-base", "fds with GET_VRING_BASE", VU_GET_VRING_BASE, 8, { 0 }, FD_EVENT, 3 },
	{ "fds-9", "more fds than a message may have", VU_SET_VRING_KICK, 8, { 0 }, FD_EVENT, 9 },
	{ "fds-32", "32 fds", VU_SET_VRING_CALL, 8, { 0 }, FD_EVENT, 32 },
	{ "fds-on-status", "fds with SET_STATUS", VU_SET_STATUS, 8, { 0xf }, FD_EVENT, 2 },
	{ "vring-num-0", "queue size 0", VU_SET_VRING_NUM, 8, { STATE(0, 0) } },
	{ "vring-num-1", "queue size 1 under a running ring", VU_SET_VRING_NUM, 8, { STATE(0, 1) } },
	{ "vring-num-odd", "queue size 63", VU_SET_VRING_NUM, 8, { STATE(0, 63) } },
	{ "vring-num-32768", "queue size 32768 under a ring of 64", VU_SET_VRING_NUM, 8,
		{ STATE(1, 32768) } },
	{ "vring-num-65535", "queue size 65535", VU_SET_VRING_NUM, 8, { STATE(0, 65535) } },
	{ "vring-num-65536", "queue size 65536, cut to 0", VU_SET_VRING_NUM, 8, { STATE(0, 65536) } },
	{ "vring-num-max", "queue size 0xffffffff", VU_SET_VRING_NUM, 8, { STATE(0, 0xffffffff) } },
	{ "vring-num-index-255", "queue 255", VU_SET_VRING_NUM, 8, { STATE(255, 64) } },
	{ "vring-num-index-65536", "queue 65536, cut to 0", VU_SET_VRING_NUM, 8,
		{ STATE(65536, 64) } },
	{ "vring-num-index-max", "queue 0xffffffff", VU_SET_VRING_NUM, 8,
		{ STATE(0xffffffff, 64) } },
	{ "vring-base-index-255", "base of queue 255", VU_SET_VRING_BASE, 8, { STATE(255, 0) } },
	{ "vring-base-wild", "base far from where the ring is", VU_SET_VRING_BASE, 8,
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
	{ "kick-no-fd", "kick that promises an fd and has none", VU_SET_VRING_KICK, 8, { 0 } },
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
	{ "vring-addr-flags", "flags without a meaning", VU_SET_VRING_ADDR, 40,
		{ STATE(255, 0xffffffff) } },
	{ "features-unknown", "features never offered", VU_SET_FEATURES, 8, { ~0ull } },
	{ "features-none", "features 0 under running rings", VU_SET_FEATURES, 8, { 0 } },
	{ "protocol-unknown", "protocol features never offered", VU_SET_PROTOCOL_FEATURES, 8,
		{ ~0ull } },
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
		{ 1ull << 30, 0, STATE(4 | 64 << 16, 0) }, FD_SMALL, 1 },
	{ "inflight-set-offset", "SET_INFLIGHT_FD with an offset that wraps around",
		VU_SET_INFLIGHT_FD, 24, { 4096, UINT64_MAX - 4095, STATE(4 | 64 << 16, 0) },
		FD_SMALL, 1 },
	{ "inflight-set-queues", "SET_INFLIGHT_FD of 65535 queues", VU_SET_INFLIGHT_FD, 24,
		{ 4096, 0, 0xffffffff }, FD_SMALL, 1 },
	{ "inflight-set-no-fd", "SET_INFLIGHT_FD without an fd", VU_SET_INFLIGHT_FD, 24, { 4096 } },
	{ "inflight-set-fds", "SET_INFLIGHT_FD with 8 fds", VU_SET_INFLIGHT_FD, 24,
		{ 4096, 0, STATE(4 | 64 << 16, 0) }, FD_SMALL, 8 },
	{ "config-size-max", "GET_CONFIG of 0xffffffff bytes", VU_GET_CONFIG, 16,
		{ 0xffffffff00000000ull, 0 } },
	{ "config-set-beyond", "SET_CONFIG beyond the end", VU_SET_CONFIG, 40,
		{ STATE(0xfffffff0, 64), 0 } },
	{ "mtu-0", "MTU 0", VU_NET_SET_MTU, 8, { 0 } },
	{ "mtu-max", "MTU 2^64 - 1", VU_NET_SET_MTU, 8, { ~0ull } },
	{ "rarp", "SEND_RARP of a multicast address", VU_SEND_RARP, 8, { ~0ull } },
	{ "device-state-no-fd", "SET_DEVICE_STATE_FD without an fd", VU_SET_DEVICE_STATE_FD, 8,
		{ 0 } },
	{ "device-state-direction", "direction and phase without a meaning",
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

/* A new fd of the kind; -1 if it cannot be made. *other is to be closed too, if not -1. */
static int
open_fd(struct hostile_env *e, enum fd_kind kind, int *other)
{
	int fds[2];

	*other = -1;
	switch (kind) {
	case FD_EVENT: return eventfd(0, EFD_CLOEXEC);
	case FD_MEMORY: return dup(e->g->mem.fd);
	case FD_NULL: return open("/dev/null", O_RDWR | O_CLOEXEC);
	case FD_DIR: return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	case FD_SMALL:
		fds[0] = memfd_create("small", MFD_CLOEXEC);
		if (fds[0] >= 0 && ftruncate(fds[0], 4096) < 0)
			return -1;
		return fds[0];
	case FD_PIPE:
		if (pipe2(fds, O_CLOEXEC) < 0)
			return -1;
		*other = fds[0];
		return fds[1];
	default: return -1;
	}
}

/* Errors of sending are no matter: the back end may have closed already. */
static void
send_message(struct hostile_env *e, uint32_t request, uint32_t flags, uint32_t size,
		const void *payload, uint32_t len, const int *fds, unsigned int nb_fds)
{
	struct vu_header hdr = { .request = request, .flags = flags, .size = size };

	vu_fe_send_raw(&e->l->fe, &hdr, payload, len, fds, nb_fds);
}

static int
run_message(struct hostile_env *e, const struct hostile_case *c)
{
	const struct message *m = c->arg;
	int fds[32], other = -1, fd = -1;
	uint32_t i;

	if (m->nb_fds != 0) {
		fd = open_fd(e, m->fd, &other);
		if (fd < 0)
			return -errno;
	}
	for (i = 0; i < m->nb_fds; i++)
		fds[i] = fd;
	send_message(e, m->request, m->flags != 0 ? m->flags : VU_VERSION,
		m->size_set ? m->size : m->len, m->words, m->len, fds, m->nb_fds);
	if (fd >= 0)
		close(fd);
	if (other >= 0)
		close(other);
	return 0;
}

/* ---- memory tables ---- */

enum table_kind {
	TABLE_EMPTY, TABLE_COUNT_9, TABLE_COUNT_MAX, TABLE_SIZE_0, TABLE_SIZE_HUGE, TABLE_BEYOND,
	TABLE_SIZE_MAX, TABLE_OFFSET_WRAPS, TABLE_OFFSET_ODD, TABLE_GPA_WRAPS, TABLE_USER_WRAPS,
	TABLE_OVERLAP, TABLE_SAME, TABLE_FEW_FDS, TABLE_MANY_FDS, TABLE_NO_FDS, TABLE_WRONG_FDS,
	TABLE_WITHOUT_RINGS, TABLE_REPEATED,
};

static const struct {
	const char *name, *what;
	enum table_kind kind;
} tables[] = {
	{ "mem-no-regions", "no region", TABLE_EMPTY },
	{ "mem-regions-9", "nine regions", TABLE_COUNT_9 },
	{ "mem-regions-max", "0xffffffff regions", TABLE_COUNT_MAX },
	{ "mem-size-0", "region of no bytes", TABLE_SIZE_0 },
	{ "mem-size-huge", "region of 2^46 bytes in a small file", TABLE_SIZE_HUGE },
	{ "mem-size-beyond", "region one page longer than the file", TABLE_BEYOND },
	{ "mem-size-max", "region of 2^64 - 1 bytes", TABLE_SIZE_MAX },
	{ "mem-offset-wraps", "offset + size wraps around", TABLE_OFFSET_WRAPS },
	{ "mem-offset-odd", "offset not a multiple of a page", TABLE_OFFSET_ODD },
	{ "mem-gpa-wraps", "guest address + size wraps around", TABLE_GPA_WRAPS },
	{ "mem-user-wraps", "user address + size wraps around", TABLE_USER_WRAPS },
	{ "mem-overlap", "regions that overlap", TABLE_OVERLAP },
	{ "mem-same", "all regions the same", TABLE_SAME },
	{ "mem-few-fds", "fewer fds than regions", TABLE_FEW_FDS },
	{ "mem-many-fds", "more fds than regions", TABLE_MANY_FDS },
	{ "mem-no-fds", "no fds", TABLE_NO_FDS },
	{ "mem-eventfds", "fds that are no memory", TABLE_WRONG_FDS },
	{ "mem-without-rings", "new table that has the rings no more", TABLE_WITHOUT_RINGS },
	{ "mem-repeated", "the same table fifty times under running rings", TABLE_REPEATED },
};

static void
spoil_table(enum table_kind kind, const struct guest_mem *m, struct vu_mem_table *t)
{
	struct vu_mem_region *last = &t->regions[t->nb_regions - 1];
	uint32_t i;

	switch (kind) {
	case TABLE_EMPTY: t->nb_regions = 0; break;
	case TABLE_COUNT_9: t->nb_regions = 9; break;
	case TABLE_COUNT_MAX: t->nb_regions = 0xffffffff; break;
	case TABLE_SIZE_0: last->size = 0; break;
	case TABLE_SIZE_HUGE: last->size = 1ull << 46; break;
	case TABLE_BEYOND: last->size = m->file_size - last->mmap_offset + GUEST_MEM_PAGE; break;
	case TABLE_SIZE_MAX: last->size = UINT64_MAX; break;
	case TABLE_OFFSET_WRAPS: last->mmap_offset = UINT64_MAX - 4095; break;
	case TABLE_OFFSET_ODD: last->mmap_offset += 123; break;
	case TABLE_GPA_WRAPS: last->gpa = UINT64_MAX - 4095; break;
	case TABLE_USER_WRAPS: last->user_addr = UINT64_MAX - 4095; break;
	case TABLE_OVERLAP:
		last->gpa = t->regions[0].gpa + 4096;
		last->user_addr = t->regions[0].user_addr + 4096;
		break;
	case TABLE_SAME:
		for (i = 1; i < t->nb_regions; i++)
			t->regions[i] = t->regions[0];
		break;
	case TABLE_WITHOUT_RINGS:
		t->regions[0] = *last;
		t->nb_regions = 1;
		break;
	default: break;
	}
}

static int
run_table(struct hostile_env *e, const struct hostile_case *c)
{
	enum table_kind kind = *(const enum table_kind *)c->arg;
	int fds[GUEST_MEM_MAX_REGIONS + 8], event = eventfd(0, EFD_CLOEXEC);
	uint32_t i, nb, len, times = kind == TABLE_REPEATED ? 50 : 1;
	struct vu_mem_table t;

	if (event < 0)
		return -errno;
	vu_fe_mem_table(&e->g->mem, &t);
	spoil_table(kind, &e->g->mem, &t);
	nb = t.nb_regions < GUEST_MEM_MAX_REGIONS ? t.nb_regions : GUEST_MEM_MAX_REGIONS;
	len = offsetof(struct vu_mem_table, regions) + nb * sizeof(t.regions[0]);
	for (i = 0; i < GUEST_MEM_MAX_REGIONS; i++)
		fds[i] = kind == TABLE_WRONG_FDS ? event : e->g->mem.fd;
	if (kind == TABLE_FEW_FDS)
		nb--;
	else if (kind == TABLE_MANY_FDS)
		nb = GUEST_MEM_MAX_REGIONS;
	else if (kind == TABLE_NO_FDS)
		nb = 0;
	for (i = 0; i < times; i++)
		send_message(e, VU_SET_MEM_TABLE, VU_VERSION, len, &t, len, fds, nb);
	close(event);
	return 0;
}

/* ---- sequences ---- */

/* The connection ends in the middle of a message. */
static int
run_truncated(struct hostile_env *e, const struct hostile_case *c)
{
	uint32_t cut = *(const uint32_t *)c->arg;
	uint8_t bytes[sizeof(struct vu_header) + sizeof(struct vu_mem_table)];
	struct vu_header hdr = { .request = VU_SET_MEM_TABLE, .flags = VU_VERSION,
		.size = sizeof(struct vu_mem_table) };

	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, &hdr, sizeof(hdr));
	if (send(e->l->fe.fd, bytes, cut, MSG_NOSIGNAL) < 0)
		return -errno;
	vu_fe_close(&e->l->fe);
	return 0;
}

static int
run_closed(struct hostile_env *e, const struct hostile_case *c)
{
	vu_fe_close(&e->l->fe);
	return 0;
}

/* A call fd that blocks: a poll thread that writes to it never comes back. */
static int
run_blocking_call(struct hostile_env *e, const struct hostile_case *c)
{
	static const uint8_t zeros[4096];
	uint16_t vq;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	while (write(fds[1], zeros, sizeof(zeros)) > 0)
		;
	fcntl(fds[1], F_SETFL, 0);
	for (vq = 0; vq < 2; vq++) {
		uint64_t value = vq;

		send_message(e, VU_SET_VRING_CALL, VU_VERSION, sizeof(value), &value,
			sizeof(value), &fds[1], 1);
	}
	/* Calls are wanted now. */
	guest_use_calls(e->g, true);
	usleep(100000);
	guest_use_calls(e->g, false);
	/* The reading end goes too: whoever is blocked gets an error, or a signal. */
	close(fds[1]);
	close(fds[0]);
	return 0;
}

static int
run_repeated_num(struct hostile_env *e, const struct hostile_case *c)
{
	static const uint16_t sizes[] = { 64, 8, 32768, 1, 64 };
	uint32_t i;

	for (i = 0; i < 200; i++) {
		struct vu_vring_state s = { .index = i % 4,
			.num = sizes[i % (sizeof(sizes) / sizeof(sizes[0]))] };

		send_message(e, VU_SET_VRING_NUM, VU_VERSION, sizeof(s), &s, sizeof(s), NULL, 0);
	}
	return 0;
}

static int
run_repeated_fds(struct hostile_env *e, const struct hostile_case *c)
{
	uint32_t request = *(const uint32_t *)c->arg, i;

	for (i = 0; i < 200; i++) {
		uint64_t value = i % 4;
		int fd = eventfd(0, EFD_CLOEXEC);

		if (fd < 0)
			return -errno;
		send_message(e, request, VU_VERSION, sizeof(value), &value, sizeof(value), &fd, 1);
		close(fd);
	}
	return 0;
}

static int
run_repeated_inflight(struct hostile_env *e, const struct hostile_case *c)
{
	struct vu_inflight inflight = { .num_queues = 4, .queue_size = HOSTILE_RING };
	uint32_t i;

	for (i = 0; i < 50; i++)
		send_message(e, VU_GET_INFLIGHT_FD, VU_VERSION, sizeof(inflight), &inflight,
			sizeof(inflight), NULL, 0);
	return 0;
}

/* Ring stopped by GET_VRING_BASE, then used again without new addresses. */
static int
run_stale_ring(struct hostile_env *e, const struct hostile_case *c)
{
	uint64_t index = 0;
	uint32_t num;

	if (vu_fe_get_vring_base(&e->l->fe, 0, &num) < 0)
		return 0;
	send_message(e, VU_SET_VRING_KICK, VU_VERSION, sizeof(index), &index, sizeof(index),
		&e->l->kick[0], 1);
	send_message(e, VU_SET_VRING_CALL, VU_VERSION, sizeof(index), &index, sizeof(index),
		&e->l->call[0], 1);
	guest_kick(e->g, 0);
	guest_kick(e->g, 1);
	usleep(20000);
	return 0;
}

static int
run_enable_toggle(struct hostile_env *e, const struct hostile_case *c)
{
	uint32_t i;

	for (i = 0; i < 200; i++) {
		struct vu_vring_state s = { .index = i % 4, .num = i / 4 % 2 };

		send_message(e, VU_SET_VRING_ENABLE, VU_VERSION, sizeof(s), &s, sizeof(s), NULL, 0);
	}
	return 0;
}

/* Addresses in the right region, but not where a ring may lie. */
static int
run_ring_address(struct hostile_env *e, const struct hostile_case *c)
{
	const struct guest_ring *r = &e->g->pairs[0].tx;
	uint64_t island = hostile_hole(e), end;
	struct vu_vring_addr a = { .index = 1 };

	end = guest_mem_user_addr(&e->g->mem, hostile_end_of_memory(e) - 16);
	a.desc = guest_mem_user_addr(&e->g->mem, r->desc_gpa);
	a.avail = guest_mem_user_addr(&e->g->mem, r->driver_gpa);
	a.used = guest_mem_user_addr(&e->g->mem, r->device_gpa);
	switch (*(const uint32_t *)c->arg) {
	case 0: /* unaligned */
		a.desc += 1;
		a.avail += 1;
		a.used += 1;
		break;
	case 1: /* the ring begins in memory and ends outside */
		a.desc = a.avail = a.used = end;
		break;
	case 2: /* dirty log for the used ring beyond everything */
		a.flags = 1;
		a.log = UINT64_MAX - 4095;
		break;
	default:
		a.desc = a.avail = a.used = island;
		break;
	}
	send_message(e, VU_SET_VRING_ADDR, VU_VERSION, sizeof(a), &a, sizeof(a), NULL, 0);
	guest_kick(e->g, 1);
	return 0;
}

/* Dirty logging into a log too small for the memory. */
static int
run_small_log(struct hostile_env *e, const struct hostile_case *c)
{
	uint64_t features = e->l->features | (1ull << 26);
	struct vu_log log = { .size = 16 };
	int other, fd = open_fd(e, FD_SMALL, &other);

	if (fd < 0)
		return -errno;
	send_message(e, VU_SET_LOG_BASE, VU_VERSION, sizeof(log), &log, sizeof(log), &fd, 1);
	send_message(e, VU_SET_FEATURES, VU_VERSION, sizeof(features), &features, sizeof(features),
		NULL, 0);
	close(fd);
	usleep(50000);
	return 0;
}

static int
run_flood(struct hostile_env *e, const struct hostile_case *c)
{
	struct vu_header hdr = { .request = VU_GET_FEATURES, .flags = VU_VERSION };
	uint32_t i;

	/* Many questions, and nobody who reads the answers. */
	e->l->fe.timeout_ms = 200;
	for (i = 0; i < 20000; i++)
		if (vu_fe_send_raw(&e->l->fe, &hdr, NULL, 0, NULL, 0) < 0)
			break;
	vu_fe_close(&e->l->fe);
	return 0;
}

static const uint32_t cut_header = 5, cut_payload = 40, cut_none = 12, req_kick = VU_SET_VRING_KICK,
	req_call = VU_SET_VRING_CALL, req_err = VU_SET_VRING_ERR, addr_0 = 0, addr_1 = 1, addr_2 = 2,
	addr_3 = 3;

static const struct hostile_case sequences[] = {
	{ "cut-in-header", "closed within a header", 0, run_truncated, &cut_header },
	{ "cut-after-header", "closed after a header", 0, run_truncated, &cut_none },
	{ "cut-in-payload", "closed within a memory table", 0, run_truncated, &cut_payload },
	{ "closed-running", "closed under running rings", 0, run_closed, NULL },
	{ "call-blocks", "call fd that is a full pipe", 0, run_blocking_call, NULL },
	{ "vring-num-repeated", "SET_VRING_NUM again and again under running rings", 0,
		run_repeated_num, NULL },
	{ "kick-repeated", "200 kick fds under running rings", 0, run_repeated_fds, &req_kick },
	{ "call-repeated", "200 call fds under running rings", 0, run_repeated_fds, &req_call },
	{ "err-repeated", "200 err fds", 0, run_repeated_fds, &req_err },
	{ "inflight-get-repeated", "GET_INFLIGHT_FD again and again", 0, run_repeated_inflight,
		NULL },
	{ "stale-ring", "ring used after GET_VRING_BASE without new addresses", 0, run_stale_ring,
		NULL },
	{ "enable-toggle", "SET_VRING_ENABLE off and on under running rings", 0, run_enable_toggle,
		NULL },
	{ "ring-unaligned", "rings at odd addresses", 0, run_ring_address, &addr_0 },
	{ "ring-crosses-end", "rings that end outside of memory", 0, run_ring_address, &addr_1 },
	{ "ring-log-wild", "used ring logged beyond everything", 0, run_ring_address, &addr_2 },
	{ "ring-in-hole", "rings in the hole", 0, run_ring_address, &addr_3 },
	{ "log-too-small", "dirty log too small for the memory, under traffic", 0, run_small_log,
		NULL },
	{ "flood-unread", "20000 questions whose answers nobody reads", 0, run_flood, NULL },
};

uint32_t
hostile_msg_cases(struct hostile_case *c, uint32_t room)
{
	uint32_t i, n = 0;

	for (i = 0; i < sizeof(messages) / sizeof(messages[0]) && n < room; i++, n++) {
		snprintf(c[n].name, sizeof(c[n].name), "%s", messages[i].name);
		c[n].what = messages[i].what;
		c[n].run = run_message;
		c[n].arg = &messages[i];
	}
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]) && n < room; i++, n++) {
		snprintf(c[n].name, sizeof(c[n].name), "%s", tables[i].name);
		c[n].what = tables[i].what;
		c[n].run = run_table;
		c[n].arg = &tables[i].kind;
	}
	for (i = 0; i < sizeof(sequences) / sizeof(sequences[0]) && n < room; i++, n++)
		c[n] = sequences[i];
	for (i = 0; i < n; i++)
		c[i].flags |= HOSTILE_MSG | HOSTILE_ANY;
	return n;
}
