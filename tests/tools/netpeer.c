/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 *
 * A program for the guests of the scenario tests: an echo server for TCP and UDP, clients that
 * check every returned byte, and a command that sets the offloads of an interface. It is linked
 * statically, because the initramfs has no libraries.
 *
 *	netpeer serve PORT
 *	netpeer tcp ADDRESS PORT BYTES SEED
 *	netpeer udp ADDRESS PORT COUNT LARGEST SEED
 *	netpeer offload INTERFACE csum|tso|gso|gro|sg on|off
 */

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>

#include "netcontent.h"

#define CHUNK 65536
#define UDP_WINDOW 16
#define UDP_HEADER 8
#define UDP_PATIENCE_MS 2000
#define TCP_PATIENCE_MS 20000

static uint64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int
print_error(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	return 1;
}

static int
open_socket(int type, const char *address, const char *port, struct sockaddr_in *sin)
{
	memset(sin, 0, sizeof(*sin));
	sin->sin_family = AF_INET;
	sin->sin_port = htons(atoi(port));
	if (inet_pton(AF_INET, address, &sin->sin_addr) != 1) {
		errno = EINVAL;
		return -1;
	}
	return socket(AF_INET, type, 0);
}

static void
echo_tcp(int conn)
{
	static uint8_t buf[CHUNK];
	ssize_t got, put, n;

	while ((got = read(conn, buf, sizeof(buf))) > 0)
		for (put = 0; put < got; put += n) {
			n = write(conn, buf + put, got - put);
			if (n <= 0)
				return;
		}
}

static void
echo_udp(int fd)
{
	static uint8_t buf[CHUNK];
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	ssize_t got = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len);

	if (got >= 0)
		sendto(fd, buf, got, 0, (struct sockaddr *)&from, len);
}

static int
serve_echo(const char *port)
{
	struct sockaddr_in sin;
	struct pollfd p[2];
	int one = 1, conn;

	p[0].fd = open_socket(SOCK_STREAM, "0.0.0.0", port, &sin);
	p[1].fd = open_socket(SOCK_DGRAM, "0.0.0.0", port, &sin);
	setsockopt(p[0].fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(p[0].fd, (struct sockaddr *)&sin, sizeof(sin)) < 0 || listen(p[0].fd, 8) < 0 ||
			bind(p[1].fd, (struct sockaddr *)&sin, sizeof(sin)) < 0)
		return print_error("bind");
	p[0].events = p[1].events = POLLIN;
	while (poll(p, 2, -1) > 0) {
		if (p[1].revents & POLLIN)
			echo_udp(p[1].fd);
		if (!(p[0].revents & POLLIN))
			continue;
		conn = accept(p[0].fd, NULL, NULL);
		if (conn >= 0 && fork() == 0) {
			echo_tcp(conn);
			_exit(0);
		}
		close(conn);
	}
	return print_error("poll");
}

/* Send as much as the socket takes and receive: both directions are busy at once. */
static int
tcp_exchange(int fd, uint64_t bytes, uint64_t seed)
{
	static uint8_t out[CHUNK], in[CHUNK];
	uint64_t sent = 0, received = 0;
	struct pollfd p = { .fd = fd };
	ssize_t n;

	while (received < bytes) {
		p.events = POLLIN | (sent < bytes ? POLLOUT : 0);
		if (poll(&p, 1, TCP_PATIENCE_MS) <= 0) {
			printf("tcp: stalled, sent %llu received %llu of %llu\n",
				(unsigned long long)sent, (unsigned long long)received,
				(unsigned long long)bytes);
			return 1;
		}
		if (p.revents & POLLOUT) {
			n = bytes - sent < CHUNK ? (ssize_t)(bytes - sent) : CHUNK;
			content_fill(out, n, seed, sent);
			n = send(fd, out, n, MSG_DONTWAIT);
			if (n < 0 && errno != EAGAIN)
				return print_error("send");
			sent += n > 0 ? n : 0;
		}
		if (p.revents & (POLLIN | POLLHUP | POLLERR)) {
			n = recv(fd, in, sizeof(in), MSG_DONTWAIT);
			if (n == 0 || (n < 0 && errno != EAGAIN))
				return print_error("recv");
			if (n > 0 && !content_matches(in, n, seed, received)) {
				printf("tcp: wrong content after %llu bytes\n",
					(unsigned long long)received);
				return 1;
			}
			received += n > 0 ? n : 0;
		}
	}
	return 0;
}

static int
tcp_client(char **arg)
{
	uint64_t bytes = strtoull(arg[2], NULL, 0), begin = now_ms();
	struct sockaddr_in sin;
	int fd = open_socket(SOCK_STREAM, arg[0], arg[1], &sin);

	if (fd < 0 || connect(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0)
		return print_error("connect");
	if (tcp_exchange(fd, bytes, strtoull(arg[3], NULL, 0)) != 0)
		return 1;
	printf("tcp: %llu bytes there and back in %llu ms\n", (unsigned long long)bytes,
		(unsigned long long)(now_ms() - begin));
	close(fd);
	return 0;
}

struct udp_run {
	int fd;
	uint64_t seed;
	uint32_t largest;
	uint32_t sent, received, corrupted, duplicated;
	uint8_t *seen;
};

static uint32_t
udp_length(const struct udp_run *r, uint32_t seq)
{
	uint32_t x = content_byte(r->seed + 1, 2 * (uint64_t)seq) << 8 |
		content_byte(r->seed + 1, 2 * (uint64_t)seq + 1);

	return UDP_HEADER + x % (r->largest - UDP_HEADER + 1);
}

static void
udp_send(struct udp_run *r)
{
	static uint8_t buf[CHUNK];
	uint32_t seq = r->sent++, len = udp_length(r, seq);

	content_fill(buf, len, r->seed + seq, 0);
	memset(buf, 0, UDP_HEADER);
	memcpy(buf, &seq, sizeof(seq));
	send(r->fd, buf, len, 0);
}

static void
udp_receive(struct udp_run *r)
{
	static uint8_t buf[CHUNK];
	ssize_t n = recv(r->fd, buf, sizeof(buf), MSG_DONTWAIT);
	uint32_t seq;

	if (n < 0)
		return;
	if (n >= UDP_HEADER)
		memcpy(&seq, buf, sizeof(seq));
	if (n < UDP_HEADER || seq >= r->sent || (uint32_t)n != udp_length(r, seq) ||
			!content_matches(buf + UDP_HEADER, n - UDP_HEADER, r->seed + seq,
				UDP_HEADER)) {
		r->corrupted++;
	} else if (r->seen[seq]) {
		r->duplicated++;
	} else {
		r->seen[seq] = 1;
		r->received++;
	}
}

static int
udp_client(char **arg)
{
	uint32_t count = strtoul(arg[2], NULL, 0);
	struct udp_run r = { .seed = strtoull(arg[4], NULL, 0),
		.largest = strtoul(arg[3], NULL, 0), .seen = calloc(count + 1, 1) };
	struct sockaddr_in sin;
	struct pollfd p = { .events = POLLIN };
	uint64_t begin = now_ms();

	if (r.largest < UDP_HEADER || r.largest > CHUNK || r.seen == NULL)
		return 2;
	p.fd = r.fd = open_socket(SOCK_DGRAM, arg[0], arg[1], &sin);
	if (r.fd < 0 || connect(r.fd, (struct sockaddr *)&sin, sizeof(sin)) < 0)
		return print_error("connect");
	while (r.received < count) {
		while (r.sent < count && r.sent - r.received < UDP_WINDOW)
			udp_send(&r);
		if (poll(&p, 1, UDP_PATIENCE_MS) <= 0)
			break;
		udp_receive(&r);
	}
	printf("udp: sent %u lost %u duplicated %u corrupted %u in %llu ms\n", r.sent,
		r.sent - r.received, r.duplicated, r.corrupted,
		(unsigned long long)(now_ms() - begin));
	return r.received != count || r.duplicated != 0 || r.corrupted != 0;
}

static int
offload_set(char **arg)
{
	static const struct { const char *name; uint32_t set, get; } list[] = {
		{ "csum", ETHTOOL_STXCSUM, ETHTOOL_GTXCSUM },
		{ "tso", ETHTOOL_STSO, ETHTOOL_GTSO },
		{ "gso", ETHTOOL_SGSO, ETHTOOL_GGSO },
		{ "gro", ETHTOOL_SGRO, ETHTOOL_GGRO },
		{ "sg", ETHTOOL_SSG, ETHTOOL_GSG },
	};
	struct ethtool_value v = { .data = strcmp(arg[2], "on") == 0 };
	uint32_t want = v.data;
	struct ifreq ifr;
	unsigned int i;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	memset(&ifr, 0, sizeof(ifr));
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", arg[0]);
	ifr.ifr_data = (void *)&v;
	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		if (strcmp(list[i].name, arg[1]) != 0)
			continue;
		v.cmd = list[i].set;
		if (ioctl(fd, SIOCETHTOOL, &ifr) < 0)
			return print_error(arg[1]);
		v.cmd = list[i].get;
		if (ioctl(fd, SIOCETHTOOL, &ifr) < 0)
			return print_error(arg[1]);
		printf("offload: %s is %s\n", arg[1], v.data ? "on" : "off");
		return v.data != want;
	}
	return 2;
}

int
main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		return serve_echo(argv[2]);
	if (argc == 6 && strcmp(argv[1], "tcp") == 0)
		return tcp_client(argv + 2);
	if (argc == 7 && strcmp(argv[1], "udp") == 0)
		return udp_client(argv + 2);
	if (argc == 5 && strcmp(argv[1], "offload") == 0)
		return offload_set(argv + 2);
	printf("usage: netpeer serve PORT | tcp ADDRESS PORT BYTES SEED |\n"
		" udp ADDRESS PORT COUNT LARGEST SEED |\n"
		" offload INTERFACE csum|tso|gso|gro|sg on|off\n");
	return 2;
}
