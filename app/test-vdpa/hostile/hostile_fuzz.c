/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "hostile.h"
#include "hostile_env.h"
#include "hostile_fuzz.h"
#include "hostile_fuzz_draw.h"
#include "hostile_proc.h"
#include "hostile_send.h"
#include "hostile_wire.h"
#include "hostile_witness.h"
#include "vhost_user_fe.h"

/* Longest wait for room in the socket of a back end that reads slowly. */
#define SEND_MS 50
#define SETTLE_MS 5000
#define PROBE_EVERY 16
#define ROUND_EVERY 64
#define NS_PER_MS 1e6

struct fuzz {
	struct hostile_env e;
	struct hostile_usage before, now;
	uint64_t messages, parts, connections, ready, hung_up;
	/** Since the second device was asked. */
	uint32_t unseen;
	double seconds;
};

static int
second_device_ask(struct fuzz *f, bool whole)
{
	struct hostile_witness *w = f->e.witness;
	int ret;

	f->unseen = 0;
	if (w == NULL)
		return 0;
	ret = whole ? hostile_witness_round(w) : hostile_witness_probe(w);
	return ret == 0 ? 0 : hostile_fail(&f->e, "%s", w->why);
}

static void
message_print(const struct fuzz *f, uint32_t number, const struct hostile_fuzz_message *m)
{
	uint32_t i;

	printf("%" PRIu64 ".%u %s (%u) flags 0x%x size %u of %u", f->connections, number,
		hostile_wire_name(m->hdr.request), m->hdr.request, m->hdr.flags, m->len,
		m->hdr.size);
	for (i = 0; i < m->len && i < 40; i += 8)
		printf(" %02x%02x%02x%02x%02x%02x%02x%02x", m->payload[i + 7], m->payload[i + 6],
			m->payload[i + 5], m->payload[i + 4], m->payload[i + 3], m->payload[i + 2],
			m->payload[i + 1], m->payload[i]);
	for (i = 0; i < m->nb_fds; i++)
		printf("%s%s", i == 0 ? " with " : ", ", hostile_fd_name(m->fds[i]));
	if (m->first < sizeof(m->hdr) + m->len)
		printf(" in two parts, %u bytes first%s%s", m->first, m->hold ? ", waits" : "",
			m->hang_up ? ", hangs up" : "");
	printf("\n");
}

/* Write all bytes unless the socket stays full. @return 1: all; 0: the connection is over */
static int
bytes_write(struct fuzz *f, const uint8_t *bytes, uint32_t len, const int *fds, uint32_t nb_fds)
{
	uint32_t done = 0;
	int n;

	while (done < len) {
		n = hostile_write(&f->e.wire, bytes + done, len - done, fds, done == 0 ? nb_fds : 0,
				SEND_MS);
		if (n <= 0)
			return 0;
		done += n;
	}
	return 1;
}

/* @return 1: the connection holds; 0: the connection is over; -EPROTO */
static int
message_send(struct fuzz *f, const struct hostile_fuzz_message *m)
{
	uint8_t bytes[sizeof(m->hdr) + HOSTILE_FUZZ_PAYLOAD];
	int fds[HOSTILE_FUZZ_FDS], others[HOSTILE_FUZZ_FDS], ret;
	uint32_t total = sizeof(m->hdr) + m->len, nb = 0;

	memcpy(bytes, &m->hdr, sizeof(m->hdr));
	memcpy(bytes + sizeof(m->hdr), m->payload, m->len);
	for (; nb < m->nb_fds; nb++) {
		fds[nb] = hostile_fd_open(m->fds[nb], f->e.setup.mem_fd, &others[nb]);
		if (fds[nb] < 0)
			break;
	}
	ret = nb == m->nb_fds ? bytes_write(f, bytes, m->first, fds, nb) :
		hostile_fail(&f->e, "no descriptor: %s", strerror(errno));
	while (nb-- > 0) {
		close(fds[nb]);
		if (others[nb] >= 0)
			close(others[nb]);
	}
	f->messages++;
	if (ret <= 0 || m->first == total)
		return ret;
	f->parts++;
	if (m->hold && second_device_ask(f, false) < 0)
		return -EPROTO;
	return m->hang_up ? 0 : bytes_write(f, bytes + m->first, total - m->first, NULL, 0);
}

static int
connection_run(struct fuzz *f, uint64_t end)
{
	struct hostile_fuzz_connection c;
	struct hostile_fuzz_message m;
	uint64_t rnd;
	uint32_t i;
	int ret;

	hostile_fuzz_connection_draw(f->e.conf->seed, f->connections, &rnd, &c);
	ret = hostile_wire_open(&f->e, c.ready);
	if (ret < 0)
		return ret;
	f->ready += c.ready;
	for (i = 0; i < c.messages && clock_ns() < end; i++) {
		hostile_fuzz_message_draw(&rnd, &c, &m);
		if (f->e.conf->verbose)
			message_print(f, i, &m);
		ret = message_send(f, &m);
		if (ret < 0)
			break;
		if (ret == 0 || (c.reads && !hostile_drain(&f->e.wire))) {
			f->hung_up++;
			break;
		}
		if (m.frame && c.ready)
			hostile_setup_frame(&f->e.setup);
		if (++f->unseen == PROBE_EVERY && second_device_ask(f, false) < 0)
			return -EPROTO;
	}
	f->connections++;
	/* The last messages are still on their way. */
	return ret < 0 ? ret : second_device_ask(f, f->connections % ROUND_EVERY == 0);
}

static int
end_check(struct fuzz *f)
{
	const struct hostile_conf *conf = f->e.conf;
	int ret;

	hostile_wire_close(&f->e);
	ret = second_device_ask(f, true);
	if (ret == 0)
		ret = hostile_fresh(&f->e, "after the messages", NULL);
	if (f->e.pid == 0)
		return ret;
	/* Also after a failure, because the summary has it. */
	if (hostile_usage_settle(f->e.pid, &f->before, SETTLE_MS, &f->now) != 0 && ret == 0)
		ret = hostile_fail(&f->e, "%d descriptors and %d threads before, %d and %d after",
			f->before.fds, f->before.threads, f->now.fds, f->now.threads);
	if (ret == 0 && f->now.rss_kb - f->before.rss_kb > conf->rss_limit_mb * 1024l)
		ret = hostile_fail(&f->e, "resident memory grew by %" PRId64 " KiB",
			f->now.rss_kb - f->before.rss_kb);
	return ret;
}

static void
summary_print(struct fuzz *f)
{
	struct hostile_witness *w = f->e.witness;
	struct stats_summary sum = { 0 };

	printf("fuzz: seed %" PRIu64 ", %" PRIu64 " messages (%" PRIu64 " in parts), %" PRIu64
		" connections (%" PRIu64 " set up, %" PRIu64 " ended early), %.1f s", f->e.conf->seed,
		f->messages, f->parts, f->connections, f->ready, f->hung_up, f->seconds);
	if (f->e.pid != 0)
		printf("; growth: %d descriptors, %d threads, %" PRId64 " KiB RSS",
			f->now.fds - f->before.fds, f->now.threads - f->before.threads,
			f->now.rss_kb - f->before.rss_kb);
	if (w != NULL && w->times.nb != 0) {
		/* sorts the times */
		stats_summarize(&w->times, &sum);
		printf("; second device: %zu answers, min %.3f median %.3f max %.3f ms",
			w->times.nb, w->times.ns[0] / NS_PER_MS, sum.p50 / NS_PER_MS,
			sum.max / NS_PER_MS);
	}
	printf("\n");
}

int
hostile_fuzz_run(const struct hostile_conf *conf, struct hostile_witness *witness, pid_t pid)
{
	struct fuzz f = { .e = { .conf = conf, .witness = witness, .pid = pid,
		.wire = { .fd = -1 } } };
	uint64_t begin = clock_ns(), end = begin + conf->seconds * 1e9;
	int ret = 0;

	if (pid != 0 && hostile_usage_steady(pid, &f.before) < 0)
		ret = hostile_fail(&f.e, "cannot read what process %d uses", (int)pid);
	while (ret == 0 && clock_ns() < end)
		ret = connection_run(&f, end);
	f.seconds = (clock_ns() - begin) / 1e9;
	f.now = f.before;
	if (pid != 0)
		hostile_usage_read(pid, &f.now);
	if (ret < 0 && pid != 0 && !hostile_proc_alive(pid)) {
		f.e.why[0] = '\0';
		hostile_fail(&f.e, "the back end's process ended in connection %" PRIu64 " or before",
			f.connections);
	} else if (ret == 0) {
		ret = end_check(&f);
	}
	summary_print(&f);
	if (ret < 0)
		printf("FAIL fuzz: seed %" PRIu64 ", connection %" PRIu64 ": %s\n", conf->seed,
			f.connections, f.e.why);
	else
		printf("PASS fuzz\n");
	hostile_close(&f.e);
	return ret;
}
