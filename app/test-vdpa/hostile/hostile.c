/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/* Runs hostile cases and checks the back end after each of them. */

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_errno.h>

#include "clock.h"
#include "guest_core.h"
#include "guest_link.h"
#include "guest_mem.h"
#include "guest_traffic.h"
#include "hostile.h"
#include "hostile_case.h"
#include "hostile_env.h"
#include "hostile_msg.h"
#include "hostile_queue.h"
#include "hostile_ring.h"
#include "hostile_seq.h"
#include "vhost_user_fe.h"

#define MAX_CASES 400
/* Time for NEEDS_RESET to appear on a loaded machine; and time in which it must not appear. */
#define RESET_MS 10000
#define NO_RESET_MS 20

/* ---- the peer as a process ---- */

static pid_t
peer_pid(const struct guest_link *l)
{
	struct ucred cred = { 0 };
	socklen_t len = sizeof(cred);

	if (getsockopt(l->fe.fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return 0;
	return cred.pid;
}

/* Number of open file descriptors of a process; -1 without permission. */
static int
count_fds(pid_t pid)
{
	struct dirent *d;
	char path[64];
	int n = 0;
	DIR *dir;

	if (pid == 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (dir == NULL)
		return -1;
	while ((d = readdir(dir)) != NULL)
		n += d->d_name[0] != '.';
	closedir(dir);
	return n;
}

static int
check_fds(struct hostile_env *e, pid_t pid, int before)
{
	int i, now = before;

	/* The back end may close descriptors later. */
	for (i = 0; i < 100; i++) {
		now = count_fds(pid);
		if (now <= before)
			return 0;
		usleep(10000);
	}
	return hostile_fail(e, "%d open file descriptors before the case, %d after it", before,
		now);
}

/* ---- the guest ---- */

/* ---- verdict ---- */

static bool
is_lent(const struct hostile_env *e, uint64_t gpa)
{
	uint32_t i;

	for (i = 0; i < e->nb_lent; i++)
		if (gpa - e->lent[i].gpa < e->lent[i].len)
			return true;
	return false;
}

/* Name of the area of pair 0 at an address. */
static const char *
area_name(const struct hostile_env *e, uint64_t gpa)
{
	const struct guest_pair *p = e->p;
	const struct { uint64_t gpa; const char *name; } areas[] = {
		{ p->tx_gpa, "transmit buffers" }, { p->rx_gpa, "receive buffers" },
		{ p->tx.tables_gpa, "transmit tables" },
		{ p->tx.device_gpa, "transmit device area" },
		{ p->tx.driver_gpa, "transmit driver area" },
		{ p->tx.desc_gpa, "transmit descriptors" },
		{ p->rx.tables_gpa, "receive tables" }, { p->rx.device_gpa, "receive device area" },
		{ p->rx.driver_gpa, "receive driver area" },
		{ p->rx.desc_gpa, "receive descriptors" },
	};
	uint32_t i;

	for (i = 0; i < sizeof(areas) / sizeof(areas[0]); i++)
		if (gpa >= areas[i].gpa)
			return areas[i].name;
	return "nothing";
}

static int
check_memory(struct hostile_env *e)
{
	int64_t bad = guest_mem_canary_check(&e->g->mem);
	uint64_t i;
	uint8_t b;

	if (bad >= 0)
		return hostile_fail(e,
			"the back end wrote outside of all buffers, at memory file offset 0x%" PRIx64,
			(uint64_t)bad);
	for (i = 0; e->snapshot != NULL && i < e->p->zone.len; i++) {
		uint64_t gpa = e->p->zone.gpa + i;

		if (guest_mem_read(&e->g->mem, gpa, &b, 1) && b != e->snapshot[i] &&
				!is_lent(e, gpa))
			return hostile_fail(e,
				"the back end wrote 0x%02x to 0x%" PRIx64 " (%s), which it does not own",
				b, gpa, area_name(e, gpa));
	}
	return 0;
}

static bool
case_breaks(const struct hostile_env *e, const struct hostile_case *c)
{
	return (c->flags & (e->packed ? HOSTILE_BREAKS_PACKED : HOSTILE_BREAKS_SPLIT)) != 0;
}

/* Check the device status after the time that the back end needs to see the attack. */
static int
check_status(struct hostile_env *e, const struct hostile_case *c)
{
	const bool judged = e->conf->expect_reset && (c->flags & HOSTILE_MAY_BREAK) == 0;
	const uint32_t ms = !judged ? 0 : case_breaks(e, c) ? RESET_MS : NO_RESET_MS;
	const uint64_t end = clock_ns() + ms * 1000000ull;
	bool reset;
	int status;

	for (;;) {
		status = guest_link_status(e->l);
		reset = status >= 0 && (status & GUEST_S_NEEDS_RESET) != 0;
		if (reset || status < 0 || clock_ns() >= end)
			break;
		usleep(5000);
	}
	snprintf(e->did, sizeof(e->did), "status 0x%x", status < 0 ? 0 : (unsigned int)status);
	if (!judged)
		return 0;
	if (status < 0)
		return hostile_fail(e, "cannot read the device status: %s", strerror(-status));
	if (reset == case_breaks(e, c))
		return 0;
	return hostile_fail(e, reset ? "NEEDS_RESET is set without a broken ring, status 0x%x" :
		"the ring is broken, but NEEDS_RESET is not set, status 0x%x",
		(unsigned int)status);
}

static int
check_ring_attack(struct hostile_env *e, const struct hostile_case *c)
{
	int ret;

	usleep(HOSTILE_SETTLE_US);
	if (guest_wait_flow(e->g, HOSTILE_FLOW_MS) < 0)
		return hostile_fail(e, "frames of pair 1 no longer come back");
	ret = hostile_check_counts(e, 1);
	if (ret == 0)
		ret = check_memory(e);
	if (ret == 0)
		ret = check_status(e, c);
	if (ret < 0)
		return ret;
	/* Otherwise the witness would count the frames that the stop holds back as lost. */
	guest_traffic_stop(e->g, HOSTILE_FLOW_MS);
	ret = guest_link_stop(e->l);
	if (ret < 0)
		return hostile_fail(e, "GET_VRING_BASE or reset failed: %s", strerror(-ret));
	return check_memory(e);
}

/* The back end must still answer, or have closed the connection. Both are correct. */
static int
check_msg_attack(struct hostile_env *e)
{
	struct vu_header hdr = { .request = VU_GET_FEATURES, .flags = VU_VERSION };
	uint8_t reply[VU_MAX_PAYLOAD];
	int ret, fd = -1;

	ret = e->l->fe.fd < 0 ? -ECONNRESET : vu_fe_send_raw(&e->l->fe, &hdr, NULL, 0, NULL, 0);
	while (ret == 0) {
		ret = vu_fe_recv(&e->l->fe, &hdr, reply, sizeof(reply), &fd);
		if (ret == 0 && fd >= 0)
			close(fd);
		if (ret == 0 && hdr.request == VU_GET_FEATURES)
			break;
	}
	if (ret == -ETIMEDOUT)
		return hostile_fail(e, "the back end no longer answers");
	snprintf(e->did, sizeof(e->did), ret < 0 ? "closed the connection" : "still answers");
	usleep(HOSTILE_SETTLE_US);
	return check_memory(e);
}

static int
attack_run(struct hostile_env *e, const struct hostile_case *c, pid_t *pid)
{
	uint64_t features = HOSTILE_FEATURES;
	int ret;

	if ((c->flags & HOSTILE_PLAIN) != 0)
		features &= ~(1ull << VIRTIO_NET_F_MRG_RXBUF);
	ret = hostile_open(e, features);
	if (e->l != NULL)
		*pid = peer_pid(e->l);
	if (ret == 0 && (c->flags & HOSTILE_MSG) == 0)
		ret = hostile_take_pair(e, (c->flags & HOSTILE_EMPTY_RX) != 0);
	if (ret == 0)
		ret = c->run(e, c);
	if (ret < 0)
		return hostile_fail(e, "the attack was not possible: %s", strerror(-ret));
	return (c->flags & HOSTILE_MSG) != 0 ? check_msg_attack(e) : check_ring_attack(e, c);
}

/*
 * @return 0: passed; 1: a known fault of rte_vhost; -errno: failed
 * pid is the back end's process in the last good connection.
 */
static int
run_case(const struct hostile_conf *conf, const struct hostile_case *c, bool packed, pid_t *pid)
{
	struct hostile_env e = { .conf = conf, .packed = packed };
	int fds = count_fds(*pid), ret, fresh;
	bool known = false;
	const char *ring = (c->flags & HOSTILE_MSG) != 0 ? "" : packed ? " packed" : " split";
	pid_t now = *pid;

	ret = attack_run(&e, c, &now);
	hostile_close(&e);
	fresh = hostile_fresh(&e, "after the attack", NULL);
	if (ret == 0)
		ret = fresh;
	if (ret == 0 && now != 0 && kill(now, 0) < 0 && errno == ESRCH)
		ret = hostile_fail(&e, "the back end's process ended");
	if (ret == 0 && fds >= 0 && now == *pid) {
		ret = check_fds(&e, now, fds);
		known = ret < 0 && (c->flags & HOSTILE_LIBRARY_FD) != 0;
	}
	*pid = now;
	if (known)
		printf("SKIP %s: %s: rte_vhost leaks them\n", c->name, e.why);
	else if (ret < 0)
		printf("FAIL %s%s: %s\n", c->name, ring, e.why);
	else
		printf("PASS %s%s%s%s\n", c->name, ring, conf->verbose ? ": " : "",
			conf->verbose ? e.did : "");
	fflush(stdout);
	return known ? 1 : ret;
}

static uint32_t
all_cases(struct hostile_case *c)
{
	uint32_t n = 0;

	n += hostile_ring_cases(c + n, MAX_CASES - n);
	n += hostile_queue_cases(c + n, MAX_CASES - n);
	n += hostile_msg_cases(c + n, MAX_CASES - n);
	n += hostile_seq_cases(c + n, MAX_CASES - n);
	return n;
}

void
hostile_list(void)
{
	static struct hostile_case cases[MAX_CASES];
	uint32_t i, n = all_cases(cases);

	for (i = 0; i < n; i++)
		printf("%-34s %-7s %s\n", cases[i].name,
			(cases[i].flags & HOSTILE_MSG) != 0 ? "message" :
			(cases[i].flags & HOSTILE_ANY) == HOSTILE_ANY ? "ring" :
			(cases[i].flags & HOSTILE_SPLIT) != 0 ? "split" : "packed", cases[i].what);
}

/* The back end may open descriptors in its first connection and keep them. */
static int
warm_up(const struct hostile_conf *conf, bool packed, pid_t *pid)
{
	struct hostile_env e = { .conf = conf, .packed = packed };
	int ret, last = -1, now, i;

	ret = hostile_open(&e, HOSTILE_FEATURES);
	if (ret == 0)
		*pid = peer_pid(e.l);
	hostile_close(&e);
	if (ret < 0) {
		fprintf(stderr, "guest: %s: %s\n", conf->path, e.why);
		return ret;
	}
	for (i = 0; i < 50; i++) {
		now = count_fds(*pid);
		if (now == last)
			break;
		last = now;
		usleep(50000);
	}
	return 0;
}

int
hostile_run(const struct hostile_conf *conf)
{
	static struct hostile_case cases[MAX_CASES];
	uint32_t i, n = all_cases(cases), passed = 0, failed = 0, skipped = 0;
	bool all = strcmp(conf->name, "all") == 0;
	pid_t pid = 0;
	int packed, ret;

	for (packed = 0; packed < 2; packed++) {
		if (packed ? !conf->packed : !conf->split)
			continue;
		if (warm_up(conf, packed, &pid) < 0)
			return -EIO;
		for (i = 0; i < n; i++) {
			const struct hostile_case *c = &cases[i];

			if (!all && strcmp(conf->name, c->name) != 0)
				continue;
			if ((c->flags & (packed ? HOSTILE_PACKED : HOSTILE_SPLIT)) == 0)
				continue;
			/* Cases without rings run only once. */
			if (packed && conf->split && (c->flags & HOSTILE_MSG) != 0)
				continue;
			ret = run_case(conf, c, packed, &pid);
			if (ret == 0)
				passed++;
			else if (ret > 0)
				skipped++;
			else
				failed++;
		}
	}
	if (passed + failed + skipped == 0)
		fprintf(stderr, "guest: no hostile case \"%s\" for this ring; see --hostile list\n",
			conf->name);
	printf("%u passed, %u failed", passed, failed);
	if (skipped != 0)
		printf(", %u skipped", skipped);
	printf("\n");
	return failed == 0 && passed != 0 ? 0 : -EPROTO;
}
