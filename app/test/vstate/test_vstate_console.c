/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * Bytes between the queues of a console and its host's side: each once and in order, also over a
 * stop with a buffer that is transferred in part.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include <rte_common.h>

#include <vstate_compat.h>

#include "console/vstate_console_conf.h"
#include "console/vstate_console_kept.h"
#include "console/vstate_console_pass.h"
#include "dev/vstate_passed.h"
#include "dev/vstate_start.h"
#include "dev/vstate_quiesce.h"
#include "ring/vstate_inflight.h"
#include "rte_vhost_state.h"
#include "rte_vhost_state_backend.h"
#include "ut_console.h"
#include "ut_groups.h"

#define NAME "test_console"
/* A buffer that no socket takes at once. */
#define LARGE 100000

static uint8_t bytes[2 * LARGE], expected[2 * LARGE];

static void
guest_bytes_get(struct con *k, uint32_t at, uint8_t *to, uint32_t len)
{
	guest_read(&k->ring.guest, RING_BUF_GPA + at, to, len);
}

/* The next buffer that returns is this one, with this length. */
static void
returned_check(struct con *k, uint16_t id, uint32_t len)
{
	uint16_t used;
	uint32_t n;

	assert_true(ring_get_used(&k->ring, &used, &n));
	assert_int_equal(used, id);
	assert_int_equal(n, len);
}

static void
none_returned_check(struct con *k)
{
	uint16_t used;
	uint32_t n;

	assert_false(ring_get_used(&k->ring, &used, &n));
}

/* ---- bytes ---- */

static void
bytes_of_the_driver_reach_the_host(void **state)
{
	struct vstate_conf conf;
	uint16_t a, b;
	struct con k;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		conf = con_conf(&k);
		con_open(&k, NAME, &conf, CONSOLE_TO_HOST, packed);
		a = con_add(&k, 0, 1000);
		b = con_add(&k, 1000, 1);
		con_work(&k);
		returned_check(&k, a, 0);
		returned_check(&k, b, 0);
		guest_bytes_get(&k, 0, expected, 1001);
		assert_int_equal(con_peer_read(&k, bytes, sizeof(bytes)), 1001);
		assert_memory_equal(bytes, expected, 1001);
		assert_int_equal(k.q->counters.bytes, 1001);
		con_close(&k);
	}
}

static void
bytes_of_the_host_reach_the_driver(void **state)
{
	struct vstate_conf conf;
	uint16_t a, b;
	struct con k;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		conf = con_conf(&k);
		con_open(&k, NAME, &conf, CONSOLE_TO_GUEST, packed);
		a = con_add(&k, 0, 64);
		b = con_add(&k, 64, 64);
		con_work(&k);
		/* no buffer is taken before there are bytes */
		none_returned_check(&k);
		assert_int_equal(vstate_inflight_count(&k.q->vq), 0);
		assert_int_equal(send(k.peer, "0123456789", 10, 0), 10);
		con_work(&k);
		returned_check(&k, a, 10);
		none_returned_check(&k);
		guest_bytes_get(&k, 0, bytes, 10);
		assert_memory_equal(bytes, "0123456789", 10);
		memset(expected, 'x', 200);
		assert_int_equal(send(k.peer, expected, 200, 0), 200);
		con_work(&k);
		returned_check(&k, b, 64);
		none_returned_check(&k);
		/* the rest waits for a buffer */
		a = con_add(&k, 0, 1000);
		con_work(&k);
		returned_check(&k, a, 136);
		con_close(&k);
	}
}

static void
buffers_of_the_wrong_direction_return_empty(void **state)
{
	struct piece p = { RING_BUF_GPA, 100 };
	struct vstate_conf conf;
	uint16_t id, qid;
	struct con k;

	for (qid = 0; qid < 2; qid++) {
		conf = con_conf(&k);
		con_open(&k, NAME, &conf, qid, false);
		id = ring_add(&k.ring, &p, 1, qid == CONSOLE_TO_HOST);
		assert_int_equal(send(k.peer, "x", 1, 0), 1);
		con_work(&k);
		returned_check(&k, id, 0);
		assert_int_equal(k.q->counters.malformed, 1);
		con_close(&k);
	}
}

static void
address_outside_memory_breaks_that_queue_only(void **state)
{
	struct vstate_conf conf;
	struct con k;

	conf = con_conf(&k);
	con_open(&k, NAME, &conf, CONSOLE_TO_HOST, false);
	ring_add_raw(&k.ring, UINT64_C(0x7000000000), 8, 0, 0);
	con_work(&k);
	none_returned_check(&k);
	assert_int_equal(k.q->vq.fault, VSTATE_FAULT_ADDRESS);
	assert_int_equal(k.dev->vqs[CONSOLE_TO_GUEST]->fault, VSTATE_FAULT_NONE);
	assert_int_equal(con_peer_read(&k, bytes, sizeof(bytes)), 0);
	con_close(&k);
}

static void
bytes_for_nobody_are_dropped_or_held(void **state)
{
	struct vstate_conf conf;
	struct con k;
	uint16_t id;
	int hold;

	for (hold = 0; hold < 2; hold++) {
		conf = con_conf(&k);
		vstate_console_conf(&conf)->hold = hold;
		con_open(&k, NAME, &conf, CONSOLE_TO_HOST, false);
		con_peer_close(&k);
		con_work(&k);
		id = con_add(&k, 0, 100);
		con_work(&k);
		if (!hold)
			returned_check(&k, id, 0);
		none_returned_check(&k);
		assert_int_equal(k.q->counters.dropped_bytes, hold ? 0 : 100);
		con_peer_open(&k);
		con_work(&k);
		assert_int_equal(con_peer_read(&k, bytes, sizeof(bytes)), hold ? 100 : 0);
		con_close(&k);
	}
}

static void
second_peer_waits_for_the_first(void **state)
{
	struct vstate_conf conf;
	struct con k, other;
	uint16_t id;

	conf = con_conf(&k);
	con_open(&k, NAME, &conf, CONSOLE_TO_GUEST, false);
	other = k;
	con_peer_open(&other);
	assert_int_equal(send(other.peer, "two", 3, 0), 3);
	assert_int_equal(send(k.peer, "one", 3, 0), 3);
	id = con_add(&k, 0, 100);
	con_work(&k);
	returned_check(&k, id, 3);
	guest_bytes_get(&k, 0, bytes, 3);
	assert_memory_equal(bytes, "one", 3);
	con_peer_close(&k);
	id = con_add(&k, 0, 100);
	con_work(&k);
	returned_check(&k, id, 3);
	guest_bytes_get(&k, 0, bytes, 3);
	assert_memory_equal(bytes, "two", 3);
	con_peer_close(&other);
	con_close(&k);
}

static void
terminal_is_raw_and_open_while_a_process_has_it(void **state)
{
	struct vstate_conf conf;
	struct winsize ws = { .ws_col = 132, .ws_row = 43 };
	uint8_t config[4];
	struct con k;
	uint16_t id;
	int fd;

	conf = con_conf(&k);
	vstate_console_conf(&conf)->ports[0].kind = VSTATE_CONSOLE_PTY;
	k.qid = CONSOLE_TO_HOST;
	ring_open(&k.ring, false, CONSOLE_RING);
	con_device_open(&k, NAME, &conf);
	con_start(&k, (struct vstate_pos){ 0, 0 });
	con_work(&k);
	assert_false(k.port->host.is_open);
	/* by the link */
	fd = open(k.path, O_RDWR | O_NOCTTY | O_NONBLOCK);
	assert_true(fd >= 0);
	con_work(&k);
	assert_true(k.port->host.is_open);
	guest_write(&k.ring.guest, RING_BUF_GPA, "a\n\x03\r", 4);
	id = con_add(&k, 0, 4);
	con_work(&k);
	returned_check(&k, id, 0);
	assert_int_equal(read(fd, bytes, sizeof(bytes)), 4);
	assert_memory_equal(bytes, "a\n\x03\r", 4);
	assert_int_equal(ioctl(fd, TIOCSWINSZ, &ws), 0);
	assert_true(vstate_console_watch(k.dev));
	assert_false(vstate_console_watch(k.dev));
	assert_int_equal(vstate_console_config_get(k.dev, config, sizeof(config)), 0);
	assert_int_equal(config[0], 132);
	assert_int_equal(config[2], 43);
	close(fd);
	con_work(&k);
	assert_false(k.port->host.is_open);
	con_device_close(&k);
	ring_close(&k.ring);
	assert_int_equal(access(k.path, F_OK), -1);
}

static void
emergency_write_needs_no_queue(void **state)
{
	const uint8_t le32[4] = { 'E', 0, 0, 0 };
	struct vstate_conf conf;
	struct con k;

	conf = con_conf(&k);
	con_open(&k, NAME, &conf, CONSOLE_TO_HOST, false);
	vstate_start_end(k.dev, false);
	assert_int_equal(vstate_console_config_set(k.dev, le32, 8, 4), 0);
	assert_int_equal(con_peer_read(&k, bytes, sizeof(bytes)), 1);
	assert_int_equal(bytes[0], 'E');
	assert_int_equal(vstate_console_config_set(k.dev, le32, 0, 4), -EINVAL);
	assert_int_equal(vstate_console_config_set(k.dev, le32, 8, 8), -EINVAL);
	assert_int_equal(con_peer_read(&k, bytes, sizeof(bytes)), 0);
	con_close(&k);
}

/* ---- a stop in the middle of a buffer ---- */

/* A buffer of which the socket takes a part only. @return its ID */
static uint16_t
large_begin(struct con *k, uint32_t len)
{
	const int room = 1;
	uint16_t id;

	assert_int_equal(setsockopt(k->port->host.fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)),
			0);
	guest_bytes_get(k, 0, expected, len);
	id = con_add(k, 0, len);
	con_work(k);
	none_returned_check(k);
	assert_true(k->q->busy);
	assert_in_range(k->q->done, 1, len - 1);
	return id;
}

/* The peer reads until the buffer returns. */
static void
large_end(struct con *k, uint16_t id, uint32_t len, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < 1000 && n < len; i++) {
		n += con_peer_read(k, bytes + n, sizeof(bytes) - n);
		con_work(k);
	}
	n += con_peer_read(k, bytes + n, sizeof(bytes) - n);
	assert_int_equal(n, len);
	assert_memory_equal(bytes, expected, len);
	returned_check(k, id, 0);
	none_returned_check(k);
}

static void
half_transferred_buffer_continues_after_a_stop(void **state)
{
	struct vstate_conf conf;
	struct con k;
	uint16_t id;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		conf = con_conf(&k);
		con_open(&k, NAME, &conf, CONSOLE_TO_HOST, packed);
		id = large_begin(&k, LARGE);
		assert_int_equal(rte_vhost_state_suspend(NAME, 0, NULL), 0);
		assert_false(k.q->busy);
		assert_int_equal(vstate_inflight_count(&k.q->vq), 1);
		con_work(&k);
		assert_int_equal(rte_vhost_state_resume(NAME, NULL), 0);
		large_end(&k, id, LARGE, 0);
		assert_int_equal(k.q->counters.resumed, 1);
		con_close(&k);
	}
}

static void
half_transferred_buffer_moves_with_the_state(void **state)
{
	struct rte_vhost_state_error err;
	struct rte_vhost_state *st;
	struct vstate_conf conf;
	uint32_t n;
	struct con k;
	uint16_t id;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		conf = con_conf(&k);
		con_open(&k, NAME, &conf, CONSOLE_TO_HOST, packed);
		id = large_begin(&k, LARGE);
		assert_int_equal(rte_vhost_state_suspend(NAME, 0, NULL), 0);
		st = rte_vhost_state_capture(NAME, &err);
		assert_non_null(st);
		assert_int_equal(st->console.ports[0].to_host.id, id);
		assert_int_equal(rte_vhost_state_validate(st, &err), 0);
		n = con_peer_read(&k, bytes, sizeof(bytes));
		assert_int_equal(n, st->console.ports[0].to_host.offset);
		con_peer_close(&k);
		con_device_close(&k);

		/* another process */
		con_device_open(&k, NAME, &conf);
		con_peer_open(&k);
		assert_int_equal(rte_vhost_state_restore(NAME, st, &err), 0);
		rte_vhost_state_free(st);
		con_start(&k, (struct vstate_pos){ 0, packed });
		large_end(&k, id, LARGE, n);
		con_close(&k);
	}
}

static void
front_end_that_takes_the_ring_back_gets_all_buffers(void **state)
{
	struct vstate_conf conf;
	const uint32_t len = 30000;
	struct con k;
	uint16_t id;
	uint32_t n;

	conf = con_conf(&k);
	con_open(&k, NAME, &conf, CONSOLE_TO_HOST, false);
	id = large_begin(&k, len);
	vstate_start_end(k.dev, false);
	returned_check(&k, id, 0);
	assert_int_equal(vstate_inflight_count(&k.q->vq), 0);
	assert_true(k.port->rest_nb > 0);
	for (n = 0; n < len; con_work(&k))
		n += con_peer_read(&k, bytes + n, sizeof(bytes) - n);
	assert_memory_equal(bytes, expected, len);
	assert_int_equal(k.q->counters.dropped_bytes, 0);
	con_close(&k);
}

static void
rest_without_room_is_dropped_after_the_bound(void **state)
{
	struct vstate_conf conf;
	uint16_t id, late;
	struct con k;

	conf = con_conf(&k);
	con_open(&k, NAME, &conf, CONSOLE_TO_HOST, false);
	id = large_begin(&k, LARGE);
	vstate_lease_revoke(&k.q->vq.lease);
	vstate_lease_barrier();
	assert_int_equal(vstate_console_quiesce(k.dev, NULL, true, 1000000, &late), 0);
	returned_check(&k, id, 0);
	assert_int_equal(k.q->counters.dropped_bytes, LARGE - k.q->done);
	assert_int_equal(k.port->rest_nb, 0);
	con_close(&k);
}

static void
reset_forgets_the_transferred_part(void **state)
{
	struct vstate_conf conf;
	struct con k;

	conf = con_conf(&k);
	con_open(&k, NAME, &conf, CONSOLE_TO_HOST, false);
	large_begin(&k, LARGE);
	assert_int_equal(rte_vhost_state_suspend(NAME, 0, NULL), 0);
	assert_true(k.q->stopped.valid);
	vstate_console_reset(k.dev);
	assert_false(k.q->stopped.valid);
	con_close(&k);
}

/* ---- bytes that are read ahead ---- */

static void
suspended_device_reads_ahead_for_the_state(void **state)
{
	struct rte_vhost_state_error err;
	struct rte_vhost_state *st;
	struct vstate_conf conf;
	struct con k;
	uint16_t id;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		conf = con_conf(&k);
		con_open(&k, NAME, &conf, CONSOLE_TO_GUEST, packed);
		assert_int_equal(rte_vhost_state_suspend(NAME, 0, NULL), 0);
		/* the thread has not seen these bytes yet */
		assert_int_equal(send(k.peer, "first ", 6, 0), 6);
		st = rte_vhost_state_capture(NAME, &err);
		assert_non_null(st);
		assert_int_equal(st->console.ports[0].nb_pending, 6);
		assert_memory_equal(st->console.ports[0].pending, "first ", 6);
		rte_vhost_state_free(st);
		/* a second capture has both */
		assert_int_equal(send(k.peer, "second", 6, 0), 6);
		st = rte_vhost_state_capture(NAME, &err);
		assert_int_equal(st->console.ports[0].nb_pending, 12);
		con_device_close(&k);
		con_peer_close(&k);

		con_device_open(&k, NAME, &conf);
		con_peer_open(&k);
		assert_int_equal(send(k.peer, " third", 6, 0), 6);
		assert_int_equal(rte_vhost_state_restore(NAME, st, &err), 0);
		rte_vhost_state_free(st);
		con_start(&k, (struct vstate_pos){ 0, packed });
		id = con_add(&k, 0, 7);
		con_work(&k);
		returned_check(&k, id, 7);
		id = con_add(&k, 7, 100);
		con_work(&k);
		returned_check(&k, id, 5);
		id = con_add(&k, 12, 100);
		con_work(&k);
		returned_check(&k, id, 6);
		guest_bytes_get(&k, 0, bytes, 18);
		assert_memory_equal(bytes, "first second third", 18);
		con_close(&k);
	}
}

static void
bytes_read_ahead_go_with_the_state_or_stay(void **state)
{
	struct vstate_conf conf;
	uint8_t *first;
	struct con k;

	conf = con_conf(&k);
	con_open(&k, NAME, &conf, CONSOLE_TO_GUEST, false);
	assert_int_equal(rte_vhost_state_suspend(NAME, 0, NULL), 0);
	assert_int_equal(send(k.peer, "bytes", 5, 0), 5);
	rte_vhost_state_free(rte_vhost_state_capture(NAME, NULL));
	assert_int_equal(vstate_console_ahead_left(vstate_console_port_kept(k.port), &first), 5);
	/* resumed: the state is not the device's any more */
	assert_int_equal(rte_vhost_state_resume(NAME, NULL), 0);
	vstate_start_disconnect(k.dev, false);
	assert_int_equal(vstate_console_ahead_left(vstate_console_port_kept(k.port), &first), 5);
	vstate_start_connect(k.dev);
	vstate_start_negotiate(k.dev, k.setup.features, false);
	con_start(&k, (struct vstate_pos){ 0, 0 });
	assert_int_equal(rte_vhost_state_suspend(NAME, 0, NULL), 0);
	rte_vhost_state_free(rte_vhost_state_capture(NAME, NULL));
	vstate_start_disconnect(k.dev, false);
	assert_int_equal(vstate_console_ahead_left(vstate_console_port_kept(k.port), &first), 0);
	vstate_start_connect(k.dev);
	con_close(&k);
}

/* ---- what outlives a process ---- */

static void
new_record_is_in_force_by_one_store(void **state)
{
	static struct vstate_console_stream s;
	const struct vstate_pos at = { 7, 1 }, behind = { 8, 1 };
	struct vstate_console_record r = { .base = 10, .id = 3, .idx = 7, .wrap = 1, .valid = 1 };

	memset(&s, 0, sizeof(s));
	assert_false(vstate_console_record_is_of(vstate_console_record_now(&s), 0,
				(struct vstate_pos){ 0, 0 }));
	vstate_console_record_set(&s, &r)->msg.msg_len = 5;
	assert_true(vstate_console_record_is_of(vstate_console_record_now(&s), 3, at));
	assert_int_equal(vstate_console_record_done(vstate_console_record_now(&s)), 15);
	/* the record of a buffer before, or of another one */
	assert_false(vstate_console_record_is_of(vstate_console_record_now(&s), 3, behind));
	assert_false(vstate_console_record_is_of(vstate_console_record_now(&s), 2, at));
	/* a kill before the store leaves the old one */
	r.base = 99;
	s.records[(s.now & 1) ^ 1] = r;
	assert_int_equal(vstate_console_record_done(vstate_console_record_now(&s)), 15);
	/* any number in the file is a record */
	s.now = 0xffffffff;
	assert_ptr_equal(vstate_console_record_now(&s), &s.records[1]);
}

static void
wrong_numbers_read_ahead_are_none(void **state)
{
	static struct vstate_console_kept_port port;
	uint8_t *first;

	memset(&port, 0, sizeof(port));
	port.ahead[0].msg.msg_len = VSTATE_CONSOLE_AHEAD;
	assert_int_equal(vstate_console_ahead_left(&port, &first), VSTATE_CONSOLE_AHEAD);
	port.ahead[0].base = 1;
	assert_int_equal(vstate_console_ahead_left(&port, &first), 0);
	port.ahead[0].base = UINT32_MAX;
	assert_int_equal(vstate_console_ahead_left(&port, &first), 0);
	port.ahead[0].base = 0;
	port.to_guest.records[0].ahead_done = VSTATE_CONSOLE_AHEAD + 1;
	assert_int_equal(vstate_console_ahead_left(&port, &first), 0);
	port.to_guest.records[0].ahead_done = 1;
	port.to_guest.records[0].ahead_at = 254;
	assert_int_equal(vstate_console_ahead_left(&port, &first), VSTATE_CONSOLE_AHEAD - 1);
}

/* The process dies while it has the buffer: the next one finds the record and the buffer. */
static void
next_process_continues_the_buffer_of_a_record(void **state)
{
	static struct vstate_console_kept kept;
	struct rte_vhost_state_error err;
	struct rte_vhost_state *st;
	struct vstate_conf conf;
	struct con k;
	uint16_t id;
	uint32_t n;

	conf = con_conf(&k);
	con_open(&k, NAME, &conf, CONSOLE_TO_HOST, false);
	id = large_begin(&k, LARGE);
	memcpy(&kept, k.dev->kept, sizeof(kept));
	n = con_peer_read(&k, bytes, sizeof(bytes));
	assert_int_equal(rte_vhost_state_suspend(NAME, 0, NULL), 0);
	st = rte_vhost_state_capture(NAME, &err);
	con_peer_close(&k);
	con_device_close(&k);

	/* the state file says nothing of the transfer */
	memset(&st->console.ports[0].to_host, 0, sizeof(st->console.ports[0].to_host));
	con_device_open(&k, NAME, &conf);
	memcpy(k.dev->kept, &kept, sizeof(kept));
	con_peer_open(&k);
	assert_int_equal(rte_vhost_state_restore(NAME, st, &err), 0);
	con_start(&k, (struct vstate_pos){ 0, 0 });
	k.c->recovered = false;
	assert_int_equal(vstate_console_recover(k.dev, st), 0);
	memcpy(k.dev->kept, &kept, sizeof(kept));
	large_end(&k, id, LARGE, n);
	st->console.nb_ports = 2;
	k.c->recovered = false;
	assert_int_equal(vstate_console_recover(k.dev, st), -EXDEV);
	rte_vhost_state_free(st);
	con_close(&k);
}

/* ---- a takeover ---- */

static void
host_side_is_passed_with_its_bytes(void **state)
{
	struct vstate_passed part;
	struct vstate_conf conf;
	struct con k, next;
	unsigned int i;
	uint16_t id;

	conf = con_conf(&k);
	con_open(&k, NAME, &conf, CONSOLE_TO_GUEST, false);
	next = k;
	vstate_console_port_rest_add(k.port, (const uint8_t *)"rest", 4);
	assert_int_equal(send(k.peer, "in the socket", 13, 0), 13);
	/* another process, which does not own the device yet */
	next.dev = NULL;
	vstate_console_conf(&conf)->ports[0].path[0] = '\0';
	vstate_console_conf(&conf)->ports[0].kind = VSTATE_CONSOLE_PTY;
	con_device_open(&next, "next_console", &conf);
	vstate_console_left(next.dev);
	next.c->host_made = next.c->host_left = false;
	/* a part of another kind, of no port, or cut is refused, and nothing is taken */
	assert_int_equal(vstate_console_pass(k.dev, 0, &part), 1);
	assert_int_equal(part.nb_fds, 2);
	assert_int_equal(vstate_console_take(next.dev, &part), -EINVAL);
	((struct vstate_console_port_conf *)(uintptr_t)next.port->host.conf)->kind =
		VSTATE_CONSOLE_UNIX;
	part.bytes[0] = 1;
	assert_int_equal(vstate_console_take(next.dev, &part), -EINVAL);
	part.bytes[0] = 0;
	part.nb_fds = 1;
	assert_int_equal(vstate_console_take(next.dev, &part), -EINVAL);
	part.size = 4;
	assert_int_equal(vstate_console_take(next.dev, &part), -EINVAL);
	assert_int_equal(next.port->host.fd, -1);
	assert_int_equal(next.port->host.listener.fd, -1);

	for (i = 0; vstate_console_pass(k.dev, i, &part) == 1; i++) {
		unsigned int n;

		for (n = 0; n < part.nb_fds; n++)
			part.fds[n] = dup(part.fds[n]);
		assert_int_equal(vstate_console_take(next.dev, &part), 0);
	}
	assert_int_equal(i, 2);
	next.c->host_made = true;
	vstate_console_left(k.dev);
	con_work(&k);
	con_start(&next, (struct vstate_pos){ 0, 0 });
	id = con_add(&next, 0, 100);
	con_work(&next);
	returned_check(&next, id, 13);
	assert_int_equal(con_peer_read(&next, bytes, sizeof(bytes)), 4);
	assert_memory_equal(bytes, "rest", 4);
	con_device_close(&next);
	con_device_close(&k);
	con_peer_close(&k);
	ring_close(&k.ring);
	unlink(k.path);
}

/* ---- refusals ---- */

static void
console_of_other_ports_is_refused_and_nothing_changes(void **state)
{
	struct rte_vhost_state_error err;
	struct rte_vhost_state *st, *before, *after;
	struct vstate_conf conf;
	struct con k;

	conf = con_conf(&k);
	con_open(&k, NAME, &conf, CONSOLE_TO_HOST, false);
	assert_int_equal(rte_vhost_state_suspend(NAME, 0, NULL), 0);
	before = rte_vhost_state_capture(NAME, &err);
	st = rte_vhost_state_copy(before);
	con_device_close(&k);
	con_device_open(&k, NAME, &conf);
	st->console.nb_ports = 2;
	st->console.ports[0].nb_pending = 3;
	assert_int_equal(rte_vhost_state_restore(NAME, st, &err), -EXDEV);
	assert_int_equal(err.reason, RTE_VHOST_STATE_R_FIT_CONSOLE_PORTS);
	con_start(&k, (struct vstate_pos){ 0, 0 });
	assert_int_equal(rte_vhost_state_suspend(NAME, 0, NULL), 0);
	after = rte_vhost_state_capture(NAME, &err);
	after->console.ports[0].host_open = before->console.ports[0].host_open;
	assert_true(rte_vhost_state_equal(before, after));
	rte_vhost_state_free(st);
	rte_vhost_state_free(before);
	rte_vhost_state_free(after);
	con_close(&k);
}

static void
socket_in_use_is_refused(void **state)
{
	struct vstate_console_port_conf port = { .kind = VSTATE_CONSOLE_UNIX };
	struct vstate_console_host h;
	struct vstate_conf conf;
	struct con k;

	conf = con_conf(&k);
	con_open(&k, NAME, &conf, CONSOLE_TO_HOST, false);
	strcpy(port.path, k.path);
	vstate_console_host_init(&h, NAME, &port, 0, k.c->epfd, k.c->notify);
	assert_int_equal(vstate_console_host_make(&h, false), -EADDRINUSE);
	/* the link of a terminal replaces no other file */
	port.kind = VSTATE_CONSOLE_PTY;
	assert_int_equal(vstate_console_host_make(&h, false), -EEXIST);
	assert_int_equal(h.fd, -1);
	con_close(&k);
}

static void
file_that_is_no_socket_stays(void **state)
{
	struct vstate_console_port_conf port = { .kind = VSTATE_CONSOLE_UNIX };
	struct vstate_console_host h;
	struct vstate_conf conf;
	struct con k;
	int fd;

	conf = con_conf(&k);
	fd = open(k.path, O_CREAT | O_EXCL | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	strcpy(port.path, vstate_console_conf(&conf)->ports[0].path);
	vstate_console_host_init(&h, NAME, &port, 0, -1, -1);
	assert_int_equal(vstate_console_host_make(&h, false), -EADDRINUSE);
	assert_int_equal(unlink(k.path), 0);
}

static int
listener_make(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(un.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void
path_of_another_process_stays(void **state)
{
	struct vstate_conf conf;
	struct con k;
	int other;

	conf = con_conf(&k);
	con_open(&k, NAME, &conf, CONSOLE_TO_HOST, false);
	assert_int_equal(unlink(k.path), 0);
	other = listener_make(k.path);
	con_close(&k);
	close(other);
	assert_int_equal(unlink(k.path), 0);
}

static void *
close_soon(void *arg)
{
	usleep(200000);
	close(*(int *)arg);
	return NULL;
}

/* With a state file, which this process has locked, the process that listens is at its end. */
static void
socket_of_an_owner_that_is_dying_is_waited_for(void **state)
{
	char dir[] = "/tmp/vstate-ut-console.XXXXXX", path[64];
	struct vstate_thread thread;
	struct vstate_conf conf;
	struct con k;
	int other;

	conf = con_conf(&k);
	assert_non_null(mkdtemp(dir));
	strcpy(conf.state_dir, dir);
	other = listener_make(k.path);
	assert_int_equal(vstate_thread_create(&thread, "closer", close_soon, &other), 0);
	con_open(&k, NAME, &conf, CONSOLE_TO_HOST, false);
	vstate_thread_join(&thread);
	con_close(&k);
	snprintf(path, sizeof(path), "%s/%s.vstate", dir, NAME);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

int
test_vstate_console(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_of_the_driver_reach_the_host),
		cmocka_unit_test(bytes_of_the_host_reach_the_driver),
		cmocka_unit_test(buffers_of_the_wrong_direction_return_empty),
		cmocka_unit_test(address_outside_memory_breaks_that_queue_only),
		cmocka_unit_test(bytes_for_nobody_are_dropped_or_held),
		cmocka_unit_test(second_peer_waits_for_the_first),
		cmocka_unit_test(terminal_is_raw_and_open_while_a_process_has_it),
		cmocka_unit_test(emergency_write_needs_no_queue),
		cmocka_unit_test(half_transferred_buffer_continues_after_a_stop),
		cmocka_unit_test(half_transferred_buffer_moves_with_the_state),
		cmocka_unit_test(front_end_that_takes_the_ring_back_gets_all_buffers),
		cmocka_unit_test(rest_without_room_is_dropped_after_the_bound),
		cmocka_unit_test(reset_forgets_the_transferred_part),
		cmocka_unit_test(suspended_device_reads_ahead_for_the_state),
		cmocka_unit_test(bytes_read_ahead_go_with_the_state_or_stay),
		cmocka_unit_test(new_record_is_in_force_by_one_store),
		cmocka_unit_test(wrong_numbers_read_ahead_are_none),
		cmocka_unit_test(next_process_continues_the_buffer_of_a_record),
		cmocka_unit_test(host_side_is_passed_with_its_bytes),
		cmocka_unit_test(console_of_other_ports_is_refused_and_nothing_changes),
		cmocka_unit_test(socket_in_use_is_refused),
		cmocka_unit_test(file_that_is_no_socket_stays),
		cmocka_unit_test(path_of_another_process_stays),
		cmocka_unit_test(socket_of_an_owner_that_is_dying_is_waited_for),
	};

	return cmocka_run_group_tests_name("vstate_console", tests, NULL, NULL);
}
