/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/* Hostile memory tables and sequences of messages, sent while traffic runs. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest_core.h"
#include "guest_link.h"
#include "guest_mem.h"
#include "guest_ring.h"
#include "hostile_case.h"
#include "hostile_env.h"
#include "hostile_send.h"
#include "hostile_seq.h"
#include "vhost_user_fe.h"

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
	{ "mem-eventfds", "eventfds instead of memory", TABLE_WRONG_FDS },
	{ "mem-without-rings", "new table without the rings", TABLE_WITHOUT_RINGS },
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
		hostile_send(e, VU_SET_MEM_TABLE, VU_VERSION, len, &t, len, fds, nb);
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
run_closed(struct hostile_env *e, const struct hostile_case *c __rte_unused)
{
	vu_fe_close(&e->l->fe);
	return 0;
}

static int
run_repeated_num(struct hostile_env *e, const struct hostile_case *c __rte_unused)
{
	static const uint16_t sizes[] = { 64, 8, 32768, 1, 64 };
	uint32_t i;

	for (i = 0; i < 200; i++) {
		struct vu_vring_state s = { .index = i % 4,
			.num = sizes[i % (sizeof(sizes) / sizeof(sizes[0]))] };

		hostile_send(e, VU_SET_VRING_NUM, VU_VERSION, sizeof(s), &s, sizeof(s), NULL, 0);
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
		hostile_send(e, request, VU_VERSION, sizeof(value), &value, sizeof(value), &fd, 1);
		close(fd);
	}
	return 0;
}

static int
run_repeated_inflight(struct hostile_env *e, const struct hostile_case *c __rte_unused)
{
	struct vu_inflight inflight = { .num_queues = 4, .queue_size = HOSTILE_RING };
	uint32_t i;

	for (i = 0; i < 50; i++)
		hostile_send(e, VU_GET_INFLIGHT_FD, VU_VERSION, sizeof(inflight), &inflight,
			sizeof(inflight), NULL, 0);
	return 0;
}

/* A ring is stopped by GET_VRING_BASE, then kicked without new addresses. */
static int
run_stale_ring(struct hostile_env *e, const struct hostile_case *c __rte_unused)
{
	uint64_t index = 0;
	uint32_t num;

	if (vu_fe_get_vring_base(&e->l->fe, 0, &num) < 0)
		return 0;
	hostile_send(e, VU_SET_VRING_KICK, VU_VERSION, sizeof(index), &index, sizeof(index),
		&e->l->kick[0], 1);
	hostile_send(e, VU_SET_VRING_CALL, VU_VERSION, sizeof(index), &index, sizeof(index),
		&e->l->call[0], 1);
	guest_kick(e->g, 0);
	guest_kick(e->g, 1);
	usleep(20000);
	return 0;
}

static int
run_enable_toggle(struct hostile_env *e, const struct hostile_case *c __rte_unused)
{
	uint32_t i;

	for (i = 0; i < 200; i++) {
		struct vu_vring_state s = { .index = i % 4, .num = i / 4 % 2 };

		hostile_send(e, VU_SET_VRING_ENABLE, VU_VERSION, sizeof(s), &s, sizeof(s), NULL, 0);
	}
	return 0;
}

/* Addresses where a ring must not lie. */
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
	case 2: /* dirty log address of the used ring is outside of the log */
		a.flags = 1;
		a.log = UINT64_MAX - 4095;
		break;
	default:
		a.desc = a.avail = a.used = island;
		break;
	}
	hostile_send(e, VU_SET_VRING_ADDR, VU_VERSION, sizeof(a), &a, sizeof(a), NULL, 0);
	guest_kick(e->g, 1);
	return 0;
}

/* Dirty logging into a log too small for the memory. */
static int
run_small_log(struct hostile_env *e, const struct hostile_case *c __rte_unused)
{
	uint64_t features = e->l->features | (1ull << 26);
	struct vu_log log = { .size = 16 };
	int other, fd = hostile_open_fd(e, FD_SMALL, &other);

	if (fd < 0)
		return -errno;
	hostile_send(e, VU_SET_LOG_BASE, VU_VERSION, sizeof(log), &log, sizeof(log), &fd, 1);
	hostile_send(e, VU_SET_FEATURES, VU_VERSION, sizeof(features), &features, sizeof(features),
		NULL, 0);
	close(fd);
	usleep(50000);
	return 0;
}

static int
run_flood(struct hostile_env *e, const struct hostile_case *c __rte_unused)
{
	struct vu_header hdr = { .request = VU_GET_FEATURES, .flags = VU_VERSION };
	uint32_t i;

	/* Many requests, and no one reads the answers. */
	e->l->fe.timeout_ms = 200;
	for (i = 0; i < 20000; i++)
		if (vu_fe_send_raw(&e->l->fe, &hdr, NULL, 0, NULL, 0) < 0)
			break;
	vu_fe_close(&e->l->fe);
	return 0;
}

/*
 * The front end takes its memory away under running rings: every access of the back end behind the
 * new end of the file is a SIGBUS. This process keeps a copy, to check the memory afterwards.
 */
static int
run_memory_shrinks(struct hostile_env *e, const struct hostile_case *c __rte_unused)
{
	const struct guest_mem *m = &e->g->mem;
	void *copy = malloc(m->file_size);
	uint32_t i;

	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, m->base, m->file_size);
	if (mmap(m->base, m->file_size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
		free(copy);
		return -errno;
	}
	memcpy(m->base, copy, m->file_size);
	free(copy);
	if (ftruncate(m->fd, 0) < 0)
		return -errno;
	/* long enough for poll threads, and for a look of the back end */
	for (i = 0; i < 20; i++) {
		guest_kick(e->g, i % 2);
		usleep(20000);
	}
	vu_fe_close(&e->l->fe);
	return 0;
}

static void
features_again(struct hostile_env *e)
{
	uint64_t features = e->l->features;

	hostile_send(e, VU_SET_FEATURES, VU_VERSION, sizeof(features), &features, sizeof(features),
		NULL, 0);
}

/* Two front ends at a time: the new one must be served, whatever the old one sends. */
static int
run_second(struct hostile_env *e, const struct hostile_case *c __rte_unused)
{
	return hostile_fresh(e, "while the first one is connected", features_again);
}

/*
 * A state that never comes, through a pipe on which the back end's read would block forever.
 * O_NONBLOCK is a property of the pipe, which the front end shares and can clear.
 */
static int
run_blocking_state(struct hostile_env *e, const struct hostile_case *c __rte_unused)
{
	struct vu_device_state load = { .direction = 1 };
	int ret;

	if (pipe2(e->kept_fds, O_CLOEXEC) < 0)
		return -errno;
	e->nb_kept = 2;
	vu_fe_close(&e->l->fe);
	ret = guest_link_connect(e->l, e->conf->path, e->conf->server, 5000);
	if (ret < 0)
		return ret;
	hostile_send(e, VU_SET_DEVICE_STATE_FD, VU_VERSION, sizeof(load), &load, sizeof(load),
		&e->kept_fds[0], 1);
	usleep(100000);
	if (fcntl(e->kept_fds[0], F_SETFL, 0) < 0)
		return -errno;
	hostile_send(e, VU_CHECK_DEVICE_STATE, VU_VERSION, 0, NULL, 0, NULL, 0);
	return 0;
}

static const uint32_t cut_header = 5, cut_payload = 40, cut_none = 12, req_kick = VU_SET_VRING_KICK,
	req_call = VU_SET_VRING_CALL, req_err = VU_SET_VRING_ERR, addr_0 = 0, addr_1 = 1,
	addr_2 = 2, addr_3 = 3;

static const struct hostile_case sequences[] = {
	{ "cut-in-header", "closed within a header", 0, run_truncated, &cut_header },
	{ "cut-after-header", "closed after a header", 0, run_truncated, &cut_none },
	{ "cut-in-payload", "closed within a memory table", 0, run_truncated, &cut_payload },
	{ "closed-running", "closed under running rings", 0, run_closed, NULL },
	{ "vring-num-repeated", "200 SET_VRING_NUM under running rings", 0,
		run_repeated_num, NULL },
	{ "kick-repeated", "200 kick fds under running rings", 0, run_repeated_fds, &req_kick },
	{ "call-repeated", "200 call fds under running rings", 0, run_repeated_fds, &req_call },
	{ "err-repeated", "200 err fds", 0, run_repeated_fds, &req_err },
	{ "inflight-get-repeated", "50 GET_INFLIGHT_FD", 0, run_repeated_inflight,
		NULL },
	{ "stale-ring", "ring used after GET_VRING_BASE without new addresses", 0, run_stale_ring,
		NULL },
	{ "enable-toggle", "SET_VRING_ENABLE off and on under running rings", 0, run_enable_toggle,
		NULL },
	{ "ring-unaligned", "rings at odd addresses", 0, run_ring_address, &addr_0 },
	{ "ring-crosses-end", "rings that end outside of memory", 0, run_ring_address, &addr_1 },
	{ "ring-log-wild", "log address of the used ring outside of the log", 0, run_ring_address,
		&addr_2 },
	{ "ring-in-hole", "rings in the hole", 0, run_ring_address, &addr_3 },
	{ "log-too-small", "dirty log too small for the memory, under traffic", 0, run_small_log,
		NULL },
	{ "second-front-end", "a second front end while the first is connected", 0, run_second,
		NULL },
	{ "device-state-blocks", "state that never comes, through a blocking pipe", 0,
		run_blocking_state, NULL },
	{ "memory-shrinks", "memory file truncated under running rings", 0, run_memory_shrinks,
		NULL },
	{ "flood-unread", "20000 requests whose answers are not read", 0, run_flood, NULL },
};

uint32_t
hostile_seq_cases(struct hostile_case *c, uint32_t room)
{
	uint32_t i, n = 0;

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
