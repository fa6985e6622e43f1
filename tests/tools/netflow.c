/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 *
 * One end of UDP flows in both directions, until a signal ends it. Every datagram has a
 * sequence number, the time at which it was sent, and content that the receiver checks.
 *
 *	netflow SEED PEER-SEED PEER-ADDRESS PORT FLOWS RATE SIZE PEER-SIZE [hold|wait]
 *
 * Sends RATE datagrams a second of at most SIZE bytes, on FLOWS ports from PORT on, one flow
 * for each processor. With "hold" nothing is read before SIGUSR1, with "wait" nothing is sent
 * before SIGUSR1. SIGTERM ends the sending. After that, one second without a datagram ends the
 * program with its report:
 *
 *	flow: sent N received N duplicated N resent N corrupted N reordered N
 *	 holes N longest N missing N gap N ms hole N ms
 *
 * duplicated counts datagrams that arrived twice. resent counts datagrams that the other end
 * sent twice: they have the same number and another time. SIGUSR2 prints gap and hole since the
 * last SIGUSR2, or since the start:
 *
 *	mark: gap N us hole N us
 *
 * holes, longest and missing count datagrams that are missing between two that arrived: the
 * number of holes, the longest hole, and all missing datagrams. gap is the longest time between
 * two arrivals by the receiver's clock, hole by the sender's clock. The clock of a guest stops
 * while the guest is stopped.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "netcontent.h"

#define FLOWS_MAX 8
#define SEQ_MAX (1u << 20)
#define FRAME_MAX 16384
#define NS_US 1000ull
#define NS_MS 1000000ull
#define NS_S 1000000000ull
#define QUIET_NS NS_S

struct header {
	uint32_t seq;
	uint32_t flow;
	uint64_t sent_ns;
};

struct flow {
	int fd;
	uint32_t sent;
	/* One more than the highest number received. */
	uint32_t next;
	uint8_t seen[SEQ_MAX / 8];
	uint64_t sent_ns[SEQ_MAX];
};

static struct flow flows[FLOWS_MAX];
static uint32_t nb_flows;
static uint64_t seed, peer_seed;
static uint32_t size_max, peer_size_max;
static uint64_t received, duplicated, resent, corrupted, reordered;
static uint64_t last_arrival, last_sent, gap_ns, hole_ns, mark_gap_ns, mark_hole_ns;
static volatile sig_atomic_t ending, holding, waiting, marking;

static void
on_signal(int sig)
{
	if (sig == SIGUSR1)
		holding = waiting = 0;
	else if (sig == SIGUSR2)
		marking = 1;
	else
		ending = 1;
}

static uint64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_S + ts.tv_nsec;
}

/* Half of the datagrams have full size, the others any size. */
static uint32_t
datagram_length(uint64_t stream, uint32_t max, uint32_t seq)
{
	uint32_t x = content_byte(stream, seq) | content_byte(stream, seq + 7) << 8;

	if (x & 1)
		return max;
	return sizeof(struct header) + x % (max - sizeof(struct header) + 1);
}

static uint64_t
stream_of(uint64_t who, uint32_t flow)
{
	return who * FLOWS_MAX + flow;
}

static uint64_t
datagram_of(uint64_t who, uint32_t flow, uint32_t seq)
{
	return stream_of(who, flow) * SEQ_MAX + seq;
}

static void
send_one(uint32_t i)
{
	static uint8_t buf[FRAME_MAX];
	static const long processors_max = CPU_SETSIZE;
	struct flow *f = &flows[i];
	struct header h = { .seq = f->sent, .flow = i };
	uint32_t len = datagram_length(stream_of(seed, i), size_max, f->sent);
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	if (f->sent == SEQ_MAX)
		return;
	if (nb_flows > 1 && processors > 0 && processors <= processors_max) {
		CPU_ZERO(&set);
		CPU_SET(i % processors, &set);
		sched_setaffinity(0, sizeof(set), &set);
	}
	content_fill(buf, len, datagram_of(seed, i, f->sent), 0);
	h.sent_ns = now_ns();
	memcpy(buf, &h, sizeof(h));
	if (send(f->fd, buf, len, 0) == (ssize_t)len)
		f->sent++;
}

/* Only datagrams in order count for gap and hole: a late one does not end a gap. */
static void
account_times(const struct header *h, uint64_t now)
{
	if (last_arrival != 0 && now - last_arrival > mark_gap_ns)
		mark_gap_ns = now - last_arrival;
	if (last_sent != 0 && h->sent_ns > last_sent && h->sent_ns - last_sent > mark_hole_ns)
		mark_hole_ns = h->sent_ns - last_sent;
	last_arrival = now;
	if (h->sent_ns > last_sent)
		last_sent = h->sent_ns;
}

static void
mark_end(void)
{
	gap_ns = mark_gap_ns > gap_ns ? mark_gap_ns : gap_ns;
	hole_ns = mark_hole_ns > hole_ns ? mark_hole_ns : hole_ns;
	mark_gap_ns = mark_hole_ns = 0;
}

static void
mark_print(void)
{
	marking = 0;
	printf("mark: gap %llu us hole %llu us\n", (unsigned long long)(mark_gap_ns / NS_US),
		(unsigned long long)(mark_hole_ns / NS_US));
	fflush(stdout);
	mark_end();
}

static void
receive_one(uint32_t i)
{
	static uint8_t buf[FRAME_MAX];
	ssize_t n = recv(flows[i].fd, buf, sizeof(buf), MSG_DONTWAIT);
	struct flow *f = &flows[i];
	struct header h = { 0 };

	if (n < 0)
		return;
	if ((size_t)n >= sizeof(h))
		memcpy(&h, buf, sizeof(h));
	if ((size_t)n < sizeof(h) || h.flow != i || h.seq >= SEQ_MAX ||
			(uint32_t)n != datagram_length(stream_of(peer_seed, i), peer_size_max,
				h.seq) ||
			!content_matches(buf + sizeof(h), n - sizeof(h),
				datagram_of(peer_seed, i, h.seq), sizeof(h))) {
		corrupted++;
		return;
	}
	if (f->seen[h.seq / 8] & 1 << h.seq % 8) {
		if (f->sent_ns[h.seq] == h.sent_ns)
			duplicated++;
		else
			resent++;
		return;
	}
	f->sent_ns[h.seq] = h.sent_ns;
	f->seen[h.seq / 8] |= 1 << h.seq % 8;
	received++;
	if (h.seq < f->next)
		reordered++;
	else
		f->next = h.seq + 1;
	account_times(&h, now_ns());
}

static int
open_flow(uint32_t i, const char *address, uint16_t port)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(port + i) };
	struct sockaddr_in there = here;
	int one = 1, room = 32 << 20;

	if (inet_pton(AF_INET, address, &there.sin_addr) != 1)
		return -1;
	flows[i].fd = socket(AF_INET, SOCK_DGRAM, 0);
	/* No UDP checksum: with one the kernel would drop a corrupted datagram unseen. */
	setsockopt(flows[i].fd, SOL_SOCKET, SO_NO_CHECK, &one, sizeof(one));
	if (setsockopt(flows[i].fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0)
		setsockopt(flows[i].fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (bind(flows[i].fd, (struct sockaddr *)&here, sizeof(here)) < 0)
		return -1;
	return connect(flows[i].fd, (struct sockaddr *)&there, sizeof(there));
}

/* Print and count the datagrams of a flow that are missing between two that arrived. */
static void
find_holes(uint32_t i, uint64_t *holes, uint64_t *longest, uint64_t *missing)
{
	const struct flow *f = &flows[i];
	uint64_t run = 0;
	uint32_t seq;

	for (seq = 0; seq < f->next; seq++) {
		if (!(f->seen[seq / 8] & 1 << seq % 8)) {
			run++;
			(*missing)++;
			continue;
		}
		if (run > 0) {
			printf("hole: flow %u before %u: %llu\n", i, seq, (unsigned long long)run);
			(*holes)++;
		}
		*longest = run > *longest ? run : *longest;
		run = 0;
	}
}

static void
report_print(void)
{
	uint64_t sent = 0, holes = 0, longest = 0, missing = 0;
	uint32_t i;

	mark_end();
	for (i = 0; i < nb_flows; i++) {
		sent += flows[i].sent;
		find_holes(i, &holes, &longest, &missing);
	}
	printf("flow: sent %llu received %llu duplicated %llu resent %llu "
		"corrupted %llu reordered %llu holes %llu longest %llu missing %llu "
		"gap %llu ms hole %llu ms\n", (unsigned long long)sent,
		(unsigned long long)received, (unsigned long long)duplicated,
		(unsigned long long)resent,
		(unsigned long long)corrupted, (unsigned long long)reordered,
		(unsigned long long)holes, (unsigned long long)longest, (unsigned long long)missing,
		(unsigned long long)(gap_ns / NS_MS), (unsigned long long)(hole_ns / NS_MS));
}

static void
flows_run(uint64_t interval)
{
	struct pollfd p[FLOWS_MAX];
	uint64_t now = now_ns(), due = now, quiet = now;
	struct timespec wait;
	uint32_t turn = 0, i;

	for (i = 0; i < nb_flows; i++)
		p[i] = (struct pollfd){ .fd = flows[i].fd, .events = POLLIN };
	while (!ending || holding || now - quiet < QUIET_NS) {
		if (marking)
			mark_print();
		if (ending || waiting) {
			due = now + 20 * NS_MS;
		} else if (now >= due) {
			send_one(turn++ % nb_flows);
			/* Late datagrams are skipped: a burst to catch up would change the rate. */
			due = now - due > 10 * interval ? now + interval : due + interval;
		}
		wait.tv_sec = due > now ? (due - now) / NS_S : 0;
		wait.tv_nsec = due > now ? (due - now) % NS_S : 0;
		if (ppoll(p, holding ? 0 : nb_flows, &wait, NULL) > 0) {
			for (i = 0; i < nb_flows; i++)
				if (p[i].revents != 0)
					receive_one(i);
			quiet = now_ns();
		}
		now = now_ns();
		if (!ending)
			quiet = now;
	}
}

int
main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_signal };
	uint32_t i, rate;

	if (argc == 10) {
		holding = strcmp(argv[9], "hold") == 0;
		waiting = strcmp(argv[9], "wait") == 0;
	}
	if (argc != 9 && !holding && !waiting) {
		printf("usage: netflow SEED PEER-SEED PEER-ADDRESS PORT FLOWS RATE SIZE PEER-SIZE "
			"[hold|wait]\n");
		return 2;
	}
	seed = strtoull(argv[1], NULL, 0);
	peer_seed = strtoull(argv[2], NULL, 0);
	nb_flows = strtoul(argv[5], NULL, 0);
	rate = strtoul(argv[6], NULL, 0);
	size_max = strtoul(argv[7], NULL, 0);
	peer_size_max = strtoul(argv[8], NULL, 0);
	if (nb_flows < 1 || nb_flows > FLOWS_MAX || rate == 0 ||
			size_max < sizeof(struct header) || size_max > FRAME_MAX ||
			peer_size_max < sizeof(struct header) || peer_size_max > FRAME_MAX)
		return 2;
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGUSR2, &sa, NULL);
	for (i = 0; i < nb_flows; i++) {
		if (open_flow(i, argv[3], strtoul(argv[4], NULL, 0)) < 0) {
			printf("flow %u: %s\n", i, strerror(errno));
			return 1;
		}
	}
	flows_run(NS_S / rate);
	report_print();
	return 0;
}
