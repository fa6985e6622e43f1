/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "hostile_case.h"
#include "hostile_connect.h"
#include "hostile_env.h"
#include "hostile_proc.h"
#include "hostile_send.h"
#include "hostile_wire.h"
#include "hostile_witness.h"
#include "vhost_user_fe.h"

/* Connections before the first reading, so that what is allocated once does not count. */
#define WARM 20
#define SETTLE_MS 3000
#define REGIONS 8
#define REGION_BYTES 0x10000ull
#define WITNESS_EVERY 100

/** What a connection does before it ends. */
enum step { STEP_NOTHING, STEP_BYTES, STEP_SET_UP, STEP_TABLE, STEP_REQUEST };

struct connection {
	const char *name, *what;
	enum step step;
	/** Bytes of a message that are sent; the request; descriptors with it. */
	uint32_t bytes, request;
	enum hostile_fd fd;
	uint8_t nb_fds;
	/** Regions of the table that can be mapped, before those that cannot. */
	uint8_t good;
	bool ready;
};

static const struct connection connections[] = {
	{ "connect-silent", "connect and hang up", STEP_NOTHING },
	{ "connect-half-header", "half a header", STEP_BYTES, 5, VU_SET_FEATURES },
	{ "connect-header-only", "a header without its payload, with 8 descriptors", STEP_BYTES, 12,
		VU_SET_MEM_TABLE, FD_MEMORY, 8 },
	{ "connect-set-up", "a whole set-up", STEP_SET_UP },
	{ "connect-surplus", "8 eventfds with SET_VRING_NUM, under running rings", STEP_REQUEST, 0,
		VU_SET_VRING_NUM, FD_EVENT, 8, .ready = true },
	{ "connect-inflight", "GET_INFLIGHT_FD", STEP_REQUEST, 0, VU_GET_INFLIGHT_FD },
	{ "connect-inflight-null", "/dev/null as in-flight region", STEP_REQUEST, 0,
		VU_SET_INFLIGHT_FD, FD_NULL, 1 },
	{ "connect-log-null", "/dev/null as dirty log, under running rings", STEP_REQUEST, 0,
		VU_SET_LOG_BASE, FD_NULL, 1, .ready = true },
	{ "connect-state-pipe", "a transfer of state that is not ended", STEP_REQUEST, 0,
		VU_SET_DEVICE_STATE_FD, FD_PIPE, 1 },
	{ "connect-postcopy", "POSTCOPY_ADVISE", STEP_REQUEST, 0, VU_POSTCOPY_ADVISE },
	{ "connect-mem-read-only", "8 regions of read-only memory", STEP_TABLE, 0, 0,
		FD_READ_ONLY, 8 },
	{ "connect-mem-directory", "8 regions that are directories", STEP_TABLE, 0, 0, FD_DIR, 8 },
	{ "connect-mem-socket", "8 regions that are sockets", STEP_TABLE, 0, 0, FD_SOCKET, 8 },
	{ "connect-mem-null", "8 regions that are /dev/null", STEP_TABLE, 0, 0, FD_NULL, 8 },
	{ "connect-mem-eventfd", "8 regions that are eventfds", STEP_TABLE, 0, 0, FD_EVENT, 8 },
	{ "connect-mem-pipe", "8 regions that are pipes", STEP_TABLE, 0, 0, FD_PIPE, 8 },
	{ "connect-mem-small", "8 regions of a file that is too short", STEP_TABLE, 0, 0, FD_SMALL,
		8 },
	{ "connect-mem-last", "7 good regions and a directory", STEP_TABLE, 0, 0, FD_DIR, 8, 7 },
};

#define CONNECTIONS (sizeof(connections) / sizeof(connections[0]))

/* A table of several regions with a descriptor each. */
static uint32_t
table_build(struct vu_mem_table *t)
{
	uint32_t i;

	memset(t, 0, sizeof(*t));
	t->nb_regions = REGIONS;
	for (i = 0; i < REGIONS; i++)
		t->regions[i] = (struct vu_mem_region){
			.gpa = HOSTILE_SETUP_GPA + i * REGION_BYTES, .size = REGION_BYTES,
			.user_addr = HOSTILE_SETUP_USER + i * REGION_BYTES,
			.mmap_offset = i * REGION_BYTES,
		};
	return sizeof(*t);
}

static int
message_send(struct hostile_env *e, const struct connection *k)
{
	union {
		uint8_t bytes[HOSTILE_WIRE_MAX];
		struct vu_mem_table table;
	} payload;
	struct vu_header hdr = { .flags = VU_VERSION };
	int fds[VU_MAX_FDS], other = -1, fd = -1, i, ret;

	hdr.request = k->step == STEP_TABLE ? VU_SET_MEM_TABLE : k->request;
	hdr.size = k->step == STEP_TABLE ? table_build(&payload.table) :
		hostile_wire_payload(k->request, 0, payload.bytes);
	if (k->nb_fds != 0)
		fd = hostile_fd_open(k->fd, e->setup.mem_fd, &other);
	if (k->nb_fds != 0 && fd < 0)
		return hostile_fail(e, "no descriptor: %s", strerror(errno));
	for (i = 0; i < k->nb_fds; i++)
		fds[i] = i < k->good ? e->setup.mem_fd : fd;
	if (k->step == STEP_BYTES)
		ret = hostile_write(&e->wire, &hdr, k->bytes, fds, k->nb_fds, 100);
	else
		ret = vu_fe_send_raw(&e->wire, &hdr, &payload, hdr.size, fds, k->nb_fds);
	if (fd >= 0)
		close(fd);
	if (other >= 0)
		close(other);
	/* A back end that closes the connection early is right, too. */
	if (ret >= 0 && k->step != STEP_BYTES)
		ret = hostile_answered(&e->wire);
	return ret != -ETIMEDOUT ? 0 :
		hostile_fail(e, "%s: neither an answer nor a closed connection",
			hostile_wire_name(hdr.request));
}

/* One connection, from its begin to its end. */
static int
connect_once(struct hostile_env *e, const struct connection *k)
{
	int ret = hostile_wire_open(e, k->step == STEP_SET_UP || k->ready);

	if (ret == 0 && k->step != STEP_NOTHING && k->step != STEP_SET_UP)
		ret = message_send(e, k);
	hostile_wire_close(e);
	return ret;
}

static int
connect_often(struct hostile_env *e, const struct connection *k, uint32_t rounds)
{
	uint32_t i;
	int ret = 0;

	for (i = 0; i < rounds && ret == 0; i++) {
		ret = connect_once(e, k);
		if (ret < 0)
			break;
		if (i % WITNESS_EVERY == WITNESS_EVERY - 1 && e->witness != NULL &&
				hostile_witness_probe(e->witness) < 0)
			ret = hostile_fail(e, "after %u connections: %s", i + 1, e->witness->why);
	}
	return ret;
}

static int
run_connections(struct hostile_env *e, const struct hostile_case *c)
{
	int ret = connect_often(e, c->arg, e->conf->rounds);

	return ret < 0 ? ret : hostile_bystander(e);
}

uint32_t
hostile_connect_cases(struct hostile_case *c, uint32_t room)
{
	uint32_t i;

	for (i = 0; i < CONNECTIONS && i < room; i++) {
		snprintf(c[i].name, sizeof(c[i].name), "%s", connections[i].name);
		c[i].what = connections[i].what;
		c[i].run = run_connections;
		c[i].arg = &connections[i];
		c[i].flags = HOSTILE_MSG | HOSTILE_ANY | HOSTILE_DOOR;
	}
	return i;
}

/* ---- figures ---- */

static void
line_print(const char *name, const struct hostile_usage *before, const struct hostile_usage *now,
		double seconds)
{
	printf("%-22s %11d %7d %7" PRId64 " %7.1f\n", name, now->fds - before->fds,
		now->threads - before->threads, now->rss_kb - before->rss_kb, seconds);
	fflush(stdout);
}

static void
rule_print(void)
{
	printf("====================== =========== ======= ======= =======\n");
}

/* @return 0; 1 if the process grew; -EPROTO if the connections were not possible */
static int
kind_measure(struct hostile_env *e, const struct connection *k, pid_t pid)
{
	struct hostile_usage before, now;
	uint64_t begin;
	int ret;

	ret = connect_often(e, k, WARM < e->conf->rounds ? WARM : e->conf->rounds);
	if (ret == 0 && hostile_usage_steady(pid, &before) < 0)
		ret = hostile_fail(e, "cannot read what process %d uses", (int)pid);
	begin = clock_ns();
	if (ret == 0)
		ret = connect_often(e, k, e->conf->rounds);
	if (ret == 0)
		ret = hostile_bystander(e);
	if (ret < 0)
		return ret;
	ret = hostile_usage_settle(pid, &before, SETTLE_MS, &now);
	line_print(k->name, &before, &now, (clock_ns() - begin) / 1e9);
	return ret == 0 ? 0 : 1;
}

int
hostile_connect_table(const struct hostile_conf *conf, struct hostile_witness *witness, pid_t pid)
{
	uint32_t i, grew = 0, failed = 0;

	printf("%u connections of each kind, growth of process %d\n\n", conf->rounds, (int)pid);
	rule_print();
	printf("%-22s %11s %7s %7s %7s\n", "connection", "descriptors", "threads", "RSS KiB",
		"seconds");
	rule_print();
	for (i = 0; i < CONNECTIONS && hostile_proc_alive(pid); i++) {
		struct hostile_env e = { .conf = conf, .witness = witness, .pid = pid,
			.wire = { .fd = -1 } };
		int ret = kind_measure(&e, &connections[i], pid);

		hostile_close(&e);
		if (ret < 0)
			printf("%-22s %s\n", connections[i].name, e.why);
		grew += ret > 0;
		failed += ret < 0;
	}
	rule_print();
	if (!hostile_proc_alive(pid))
		printf("the back end's process ended\n");
	printf("%u of %zu kinds grew, %u failed\n", grew, CONNECTIONS, failed);
	return grew + failed == 0 && i == CONNECTIONS ? 0 : -EPROTO;
}
