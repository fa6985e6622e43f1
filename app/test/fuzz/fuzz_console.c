/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * Fuzzer of a console with two ports: one of its queues has a driver that makes any buffers
 * available and overwrites anything, in half of the inputs also while the device works. Peers of
 * the ports send, read, leave and come back. The device is suspended, captured and resumed in
 * between.
 *
 * No byte outside the guest's memory is touched, only what the driver offered is written and
 * logged, no byte is lost or doubled between a queue and its peer, a captured state is valid, and
 * after the connection no lease and no descriptor is left.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/virtio_console.h>
#include <linux/virtio_ring.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>
#include <rte_memory.h>

#include "fuzz_queue.h"
#include "vstate_probe.h"
#include "console/vstate_console.h"
#include "console/vstate_console_class.h"
#include "console/vstate_console_conf.h"
#include "console/vstate_console_ctrl.h"
#include "console/vstate_console_vq.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_poller.h"
#include "dev/vstate_start.h"
#include "dev/vstate_watch.h"
#include "ring/vstate_lease.h"
#include "rte_vhost_state.h"

#define NAME "fuzz"
#define PORTS 2
#define STEPS_MAX 80
/* A turn ends after 64 buffers, and a ring may hold some hundred that do not end. */
#define TURNS_MAX 40
#define CHUNK 4096
/* Bytes that the queue can have for its peer in one turn, and are compared. */
#define STREAM_MAX 262144

static struct {
	struct fuzz_queue f;
	struct vstate_console *c;
	struct vstate_console_vq *q;
	/** The peer of each port; -1: none. */
	int peers[PORTS];
	/** Bytes that the peers of the queue's port read, and sent. */
	uint64_t got, sent;
	/** A peer of the queue's port left, with bytes that nobody counted. */
	bool unknown;
	/** What the driver offered to the host before a turn, and its length; and what arrived. */
	uint8_t offered[STREAM_MAX], arrived[STREAM_MAX];
	uint32_t nb_offered, nb_arrived;
	/** The offer is not known. */
	bool untold;
} k;

/* Port of the queue, if it carries bytes. */
static struct vstate_console_port *
port_of_queue(void)
{
	if (k.f.qid == VSTATE_CONSOLE_CTRL_TO_GUEST || k.f.qid == VSTATE_CONSOLE_CTRL_TO_HOST)
		return NULL;
	return &k.c->ports[k.f.qid < 2 ? 0 : 1];
}

/* ---- the peers ---- */

static void
peer_open(unsigned int port)
{
	struct vstate_console_host *h = &k.c->ports[port].host;
	int pair[2];

	if (k.peers[port] >= 0)
		return;
	if (h->fd >= 0)
		vstate_console_host_hang_up(h);
	fuzz_require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0, "a socket");
	k.peers[port] = pair[0];
	h->fd = pair[1];
	h->is_open = true;
}

static void
peer_read(unsigned int port)
{
	uint8_t bytes[CHUNK];
	ssize_t n;

	while (k.peers[port] >= 0 && (n = recv(k.peers[port], bytes, sizeof(bytes), 0)) > 0) {
		if (&k.c->ports[port] != port_of_queue())
			continue;
		k.got += n;
		memcpy(k.arrived + k.nb_arrived, bytes,
				RTE_MIN((uint32_t)n, STREAM_MAX - k.nb_arrived));
		k.nb_arrived += RTE_MIN((uint32_t)n, STREAM_MAX - k.nb_arrived);
	}
}

static void
peer_send(struct fuzz_in *in, unsigned int port)
{
	uint8_t bytes[CHUNK] = { 0 };
	ssize_t n;

	if (k.peers[port] < 0)
		return;
	n = send(k.peers[port], bytes, 1 + fuzz_u16(in) % sizeof(bytes), MSG_NOSIGNAL);
	if (n > 0 && &k.c->ports[port] == port_of_queue())
		k.sent += n;
}

static void
peer_close(unsigned int port)
{
	if (k.peers[port] < 0)
		return;
	peer_read(port);
	/* what the device has not read of it is gone */
	k.unknown |= &k.c->ports[port] == port_of_queue();
	close(k.peers[port]);
	k.peers[port] = -1;
}

/* ---- the driver ---- */

/* A command, mostly right, in one or two descriptors. */
static void
command_add(struct fuzz_in *in)
{
	static const uint16_t events[] = { VIRTIO_CONSOLE_DEVICE_READY, VIRTIO_CONSOLE_PORT_READY,
		VIRTIO_CONSOLE_PORT_OPEN, VIRTIO_CONSOLE_PORT_OPEN };
	const uint8_t how = fuzz_u8(in);
	const uint64_t addr = fuzz_guest_addr(in);
	struct virtio_console_control cmd = {
		.id = rte_cpu_to_le_32(how & 0x10 ? fuzz_u32(in) : how >> 2 & 1),
		.event = rte_cpu_to_le_16(how & 0x20 ? fuzz_u16(in) : events[how & 3]),
		.value = rte_cpu_to_le_16(how & 0x40 ? fuzz_u16(in) : !(how & 8)),
	};
	struct fuzz_desc descs[2] = { { addr, sizeof(cmd), 0, 0 } };

	fuzz_guest_write(addr, &cmd, sizeof(cmd));
	if (!(how & 0x80)) {
		fuzz_driver_add(&k.f.d, descs, 1);
		return;
	}
	descs[0].len = 1 + (how & 7);
	descs[1] = (struct fuzz_desc){ addr + descs[0].len, sizeof(cmd) - descs[0].len, 0, 0 };
	fuzz_driver_add(&k.f.d, descs, 2);
}

/* ---- the device ---- */

/* The bytes that the driver offers to the host, in their order. */
static void
stream_expect(void)
{
	uint32_t len;
	uint16_t i, j;

	k.nb_offered = 0;
	k.untold = k.f.view.tangled || k.f.view.cut;
	for (i = 0; i < k.f.view.nb && !k.untold; i++) {
		for (j = 0; j < k.f.view.bufs[i].nb_pieces && !k.untold; j++) {
			if (k.f.view.bufs[i].pieces[j].writable)
				continue;
			len = k.f.view.bufs[i].pieces[j].len;
			/* bytes of the ring change when a buffer before them is used */
			k.untold = len > STREAM_MAX - k.nb_offered ||
				k.f.view.bufs[i].pieces[j].gpa < fuzz_guest.areas[FUZZ_BUF].gpa;
			if (!k.untold)
				fuzz_guest_read(k.f.view.bufs[i].pieces[j].gpa,
						k.offered + k.nb_offered, len);
			k.nb_offered += k.untold ? 0 : len;
		}
	}
}

static void
stream_check(void)
{
	const struct vstate_console_port *p = port_of_queue();

	peer_read(p->index);
	if (k.untold)
		return;
	fuzz_require(k.nb_arrived <= k.nb_offered, "no byte is doubled");
	fuzz_require(memcmp(k.arrived, k.offered, k.nb_arrived) == 0,
			"bytes arrive as they are, in their order");
}

static void
hosts_ready(void)
{
	struct vstate_console_host *h;
	unsigned int i;

	for (i = 0; i < PORTS; i++) {
		h = &k.c->ports[i].host;
		h->can_read = h->can_write = h->is_open;
	}
}

static void
device_work(struct fuzz_in *in)
{
	const struct vstate_console_port *p = port_of_queue();
	const bool sends = p != NULL && k.q == p->to_host;
	unsigned int i;

	hosts_ready();
	fuzz_queue_turn_begin(&k.f, in, k.q->busy);
	if (sends) {
		peer_read(p->index);
		stream_expect();
		k.nb_arrived = 0;
	}
	for (i = 0; i < TURNS_MAX && vstate_console_work(k.c); i++)
		;
	fuzz_queue_turn_end(&k.f);
	if (sends)
		stream_check();
}

/* Each byte of the queue is at the peer, or each byte of the peer was the peer's. */
static void
bytes_check(void)
{
	const struct vstate_console_port *p = port_of_queue();

	if (p == NULL || k.unknown)
		return;
	if (k.q == p->to_guest) {
		fuzz_require(k.q->counters.bytes <= k.sent, "no byte is doubled");
		return;
	}
	peer_read(p->index);
	fuzz_require(k.q->counters.bytes == k.got, "what the queue sent has arrived");
}

static void
suspend_try(bool capture)
{
	if (!fuzz_queue_suspend(&k.f))
		return;
	fuzz_require(!k.q->busy, "no buffer is being transferred");
	if (capture)
		rte_vhost_state_free(fuzz_queue_capture(&k.f));
	fuzz_queue_resume(&k.f);
}

/* ---- one connection ---- */

static void
command_run(uint32_t id, uint16_t event, uint16_t value)
{
	const struct virtio_console_control cmd = { rte_cpu_to_le_32(id), rte_cpu_to_le_16(event),
		rte_cpu_to_le_16(value) };

	vstate_console_ctrl_run(k.c, &cmd);
}

static void
driver_ready(void)
{
	unsigned int i;

	command_run(0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	for (i = 0; i < PORTS; i++) {
		command_run(i, VIRTIO_CONSOLE_PORT_READY, 1);
		command_run(i, VIRTIO_CONSOLE_PORT_OPEN, 1);
	}
}

static void
connection_begin(struct fuzz_in *in)
{
	const uint8_t how = fuzz_u8(in), which = fuzz_u8(in);
	const uint16_t qid = which % k.f.dev->nb_vqs;
	const struct fuzz_queue_conf conf = { .qid = qid, .hdr_len = 8,
		.features = RTE_BIT64(VIRTIO_CONSOLE_F_MULTIPORT),
		.direction = qid % 2 == 0 ? VRING_DESC_F_WRITE : 0 };
	unsigned int i;

	k.q = vstate_console_vq_of(k.f.dev->vqs[qid]);
	k.got = k.sent = 0;
	k.unknown = false;
	memset(k.f.dev->kept, 0, k.f.dev->class->kept_size);
	memset(&k.q->counters, 0, sizeof(k.q->counters));
	fuzz_queue_begin(&k.f, in, how, &conf);
	for (i = 0; i < PORTS; i++)
		peer_open(i);
	/* nothing is left of the input before */
	command_run(0, VIRTIO_CONSOLE_DEVICE_READY, 0);
	if (!(which & 0x80))
		driver_ready();
	vstate_start(k.f.dev, &k.f.setup);
}

static void
connection_end(void)
{
	unsigned int i;

	for (i = 0; i < PORTS; i++) {
		peer_close(i);
		/* it leaves no buffer waiting for a peer */
		vstate_console_host_hang_up(&k.c->ports[i].host);
	}
	fuzz_queue_end(&k.f);
}

static void
step_run(struct fuzz_in *in, uint8_t op)
{
	switch (op & 7) {
	case 0:
	case 1:
		if (k.f.qid == VSTATE_CONSOLE_CTRL_TO_HOST)
			command_add(in);
		else
			fuzz_driver_step(&k.f.d, in, (op >> 3 & 0x1c) | (op >> 3 & 2));
		break;
	case 2:
		fuzz_driver_step(&k.f.d, in, op >> 3);
		break;
	case 3:
		peer_send(in, op >> 3 & 1);
		break;
	case 4:
		bytes_check();
		peer_read(op >> 3 & 1);
		break;
	case 5:
		if (op & 0x80)
			peer_open(op >> 3 & 1);
		else if (op & 0x40)
			peer_close(op >> 3 & 1);
		else
			suspend_try(op & 8);
		break;
	default:
		device_work(in);
		break;
	}
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static struct vstate_conf conf;
	unsigned int i;

	RTE_SET_USED(argc);
	RTE_SET_USED(argv);
	fuzz_lasting(true);
	fuzz_eal_start();
	vstate_lease_init();
	fuzz_require(vstate_watch_get() == 0, "the watch thread starts");
	conf = (struct vstate_conf){ .queues = 1, .numa = SOCKET_ID_ANY, .socket_mode = -1,
		.socket_group = -1 };
	vstate_console_conf_default(&conf);
	vstate_console_conf(&conf)->nb_ports = PORTS;
	for (i = 0; i < PORTS; i++)
		vstate_console_conf(&conf)->ports[i].kind = VSTATE_CONSOLE_UNIX;
	k.f.dev = vstate_probe_make(NAME, &conf, &vstate_console_class, SOCKET_ID_ANY);
	fuzz_require(k.f.dev != NULL, "a device can be made");
	k.c = vstate_console_of(k.f.dev);
	/* the peers are connected by hand */
	k.c->host_made = true;
	for (i = 0; i < PORTS; i++)
		k.peers[i] = -1;
	vstate_poller_set(k.f.dev, VSTATE_POLLER_THREAD, NULL, NULL);
	fuzz_lasting(false);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, data + size };
	const int free_fd = fuzz_free_fd();
	unsigned int step;

	connection_begin(&in);
	for (step = 0; step < STEPS_MAX && fuzz_has_more(&in); step++)
		step_run(&in, fuzz_u8(&in));
	device_work(&in);
	bytes_check();
	connection_end();
	fuzz_require(fuzz_free_fd() == free_fd, "no descriptor is left open");
	return 0;
}
