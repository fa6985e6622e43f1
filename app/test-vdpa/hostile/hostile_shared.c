/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/virtio_ring.h>

#include "guest_core.h"
#include "guest_link.h"
#include "guest_traffic.h"
#include "hostile_case.h"
#include "hostile_env.h"
#include "hostile_send.h"
#include "hostile_shared.h"
#include "vhost_user_fe.h"
#include "vstate_compat.h"

/* Kicks that the front end takes back itself, and the pause between some of them. */
#define KICKS 3000
#define KICKS_A_PAUSE 50
#define LOG_BYTES 0x10000
#define FRAMES 8
#define F_LOG_ALL (1ull << 26)

/* An eventfd that blocks every write from now on: O_NONBLOCK belongs to the shared open file. */
static int
fill_and_block(int fd)
{
	const uint64_t most = UINT64_MAX - 1;
	uint64_t count;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (read(fd, &count, sizeof(count)) > 0)
		;
	if (write(fd, &most, sizeof(most)) != (ssize_t)sizeof(most))
		return -errno;
	return fcntl(fd, F_SETFL, 0) < 0 ? -errno : 0;
}

static void
frames_send(struct hostile_env *e)
{
	int i;

	for (i = 0; i < FRAMES; i++) {
		hostile_setup_frame(&e->setup);
		usleep(5000);
	}
}

/* A back end that woke up by a kick may find it gone: its read must not block. */
static int
run_kick_blocks(struct hostile_env *e, const struct hostile_case *c __rte_unused)
{
	const uint64_t one = 1;
	uint64_t count;
	int ret = hostile_wire_open(e, true), fd, i;

	if (ret < 0)
		return ret;
	fd = e->setup.kick[1];
	for (i = 0; i < KICKS; i++) {
		fcntl(fd, F_SETFL, 0);
		if (write(fd, &one, sizeof(one)) < 0)
			return hostile_fail(e, "no kick: %s", strerror(errno));
		fcntl(fd, F_SETFL, O_NONBLOCK);
		/* The back end may have been faster. */
		if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
			return hostile_fail(e, "no kick: %s", strerror(errno));
		fcntl(fd, F_SETFL, 0);
		if (i % KICKS_A_PAUSE == 0)
			usleep(100);
	}
	return hostile_bystander(e);
}

static int
run_call_blocks(struct hostile_env *e, const struct hostile_case *c __rte_unused)
{
	int ret = hostile_wire_open(e, true);

	if (ret == 0)
		ret = fill_and_block(e->setup.call[1]);
	if (ret < 0)
		return hostile_fail(e, "no call eventfd: %s", strerror(-ret));
	frames_send(e);
	return hostile_bystander(e);
}

/* Both at a time, and the front end goes away with the poll thread inside. */
static int
run_call_blocks_closed(struct hostile_env *e, const struct hostile_case *c)
{
	int ret = run_call_blocks(e, c);

	hostile_wire_close(e);
	return ret < 0 ? ret : hostile_bystander(e);
}

static int
err_fd_make(struct hostile_env *e)
{
	int ret = hostile_wire_open(e, false);

	if (ret < 0)
		return ret;
	e->setup.err_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return e->setup.err_fd < 0 ? -errno : hostile_wire_open(e, true);
}

/* The queue breaks, and the eventfd that reports it blocks. */
static int
run_err_blocks(struct hostile_env *e, const struct hostile_case *c __rte_unused)
{
	struct vring_avail *avail;
	struct vu_vring_addr addr;
	int ret = err_fd_make(e);

	if (ret == 0)
		ret = fill_and_block(e->setup.err_fd);
	if (ret < 0)
		return hostile_fail(e, "no err eventfd: %s", strerror(-ret));
	hostile_setup_addr(1, &addr);
	avail = (struct vring_avail *)(e->setup.mem + (addr.avail - HOSTILE_SETUP_USER));
	rte_atomic_store_explicit(&avail->idx, 0x7000, rte_memory_order_release);
	usleep(HOSTILE_SETTLE_US);
	return hostile_bystander(e);
}

/* ---- files that shrink ---- */

static int
file_make(struct hostile_env *e, off_t bytes)
{
	int fd = memfd_create("shared", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	e->kept_fds[e->nb_kept++] = fd;
	return ftruncate(fd, bytes) < 0 ? -errno : fd;
}

/* Dirty logging under traffic; then the log is shorter than before, or its eventfd blocks. */
static int
run_log(struct hostile_env *e, const struct hostile_case *c)
{
	const bool *shrinks = c->arg;
	struct vu_log log = { .size = LOG_BYTES };
	uint64_t features;
	int ret = hostile_open(e, HOSTILE_FEATURES), fd, event = -1;

	if (ret < 0)
		return ret;
	fd = file_make(e, LOG_BYTES);
	if (fd >= 0)
		event = e->kept_fds[e->nb_kept++] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0 || event < 0)
		return hostile_fail(e, "no log");
	features = e->l->features | F_LOG_ALL;
	hostile_send(e, VU_SET_LOG_BASE, VU_VERSION, sizeof(log), &log, sizeof(log), &fd, 1);
	hostile_send(e, VU_SET_LOG_FD, VU_VERSION, 0, NULL, 0, &event, 1);
	hostile_send(e, VU_SET_FEATURES, VU_VERSION, sizeof(features), &features, sizeof(features),
		NULL, 0);
	/* The back end may have hung up. */
	hostile_answered(&e->l->fe);
	ret = *shrinks ? ftruncate(fd, 0) : fill_and_block(event);
	if (ret < 0)
		return hostile_fail(e, "the log cannot be changed");
	/* long enough for poll threads, and for a look of the back end */
	usleep(200000);
	ret = hostile_bystander(e);
	vu_fe_close(&e->l->fe);
	return ret;
}

/* Marks of buffers in flight lie in a file that the front end cuts. */
static int
run_inflight_shrinks(struct hostile_env *e, const struct hostile_case *c __rte_unused)
{
	int ret = hostile_wire_open(e, false);

	if (ret < 0)
		return ret;
	e->setup.inflight_fd = memfd_create("inflight", MFD_CLOEXEC);
	if (e->setup.inflight_fd < 0 || ftruncate(e->setup.inflight_fd, 8192) < 0)
		return hostile_fail(e, "no region");
	ret = hostile_wire_open(e, true);
	/* A back end may refuse a region that it did not make. */
	if (ret < 0 && e->wire.fd >= 0)
		e->why[0] = '\0';
	if (ftruncate(e->setup.inflight_fd, 0) < 0)
		return hostile_fail(e, "the region cannot be cut");
	frames_send(e);
	return hostile_bystander(e);
}

/* The memory of rings and buffers, without traffic of a guest: see memory-shrinks for that. */
static int
run_rings_shrink(struct hostile_env *e, const struct hostile_case *c)
{
	const off_t bytes = *(const uint32_t *)c->arg;
	int ret = hostile_wire_open(e, true);
	void *mem;

	if (ret < 0)
		return ret;
	/* This process must not read behind the end of the file itself. */
	mem = mmap(e->setup.mem, HOSTILE_SETUP_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (mem == MAP_FAILED || ftruncate(e->setup.mem_fd, bytes) < 0)
		return hostile_fail(e, "the memory cannot be cut");
	usleep(200000);
	ret = hostile_bystander(e);
	/* The same connection can still ask. */
	if (ret == 0 && hostile_answered(&e->wire) == -ETIMEDOUT)
		ret = hostile_fail(e, "neither an answer nor a closed connection");
	return ret;
}

static const bool log_shrinks = true, log_blocks = false;
static const uint32_t all_gone = 0, half_gone = 0x10000;

static const struct hostile_case cases[] = {
	{ "kick-blocks", "kick eventfds that block, and kicks taken back", 0, run_kick_blocks,
		NULL },
	{ "call-blocks-wire", "full call eventfd that blocks, second device on the same thread", 0,
		run_call_blocks, NULL },
	{ "call-blocks-closed", "the same, and the front end goes away", 0, run_call_blocks_closed,
		NULL },
	{ "err-blocks", "full err eventfd that blocks when the queue breaks", 0, run_err_blocks,
		NULL },
	{ "log-blocks", "full log eventfd that blocks under dirty logging", 0, run_log,
		&log_blocks },
	{ "log-shrinks", "dirty log truncated under traffic", 0, run_log, &log_shrinks },
	{ "inflight-shrinks", "in-flight region truncated under running rings", 0,
		run_inflight_shrinks, NULL },
	{ "rings-shrink", "memory file of idle rings truncated to nothing", 0, run_rings_shrink,
		&all_gone },
	{ "rings-shrink-half", "memory file truncated behind the first ring", 0, run_rings_shrink,
		&half_gone },
};

uint32_t
hostile_shared_cases(struct hostile_case *c, uint32_t room)
{
	uint32_t i, n = sizeof(cases) / sizeof(cases[0]);

	for (i = 0; i < n && i < room; i++) {
		c[i] = cases[i];
		c[i].flags |= HOSTILE_MSG | HOSTILE_ANY | HOSTILE_DOOR;
	}
	return i;
}
