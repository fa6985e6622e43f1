/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file Chains of a readable and a writable part: split and packed, direct and indirect. */

#include <stdlib.h>
#include <string.h>

#include "ut_groups.h"
#include "ut_ring.h"
#include "ring/vstate_layout.h"

#define SIZE 32
#define W VRING_DESC_F_WRITE
#define NEXT VRING_DESC_F_NEXT
#define IND VRING_DESC_F_INDIRECT

/* How the descriptors of a chain lie. */
enum form { DIRECT, INDIRECT, NB_FORMS };

static uint16_t
form_add(struct ring *r, enum form form, const struct piece *p, uint16_t nb_readable, uint16_t n)
{
	return form == INDIRECT ? ring_add_mixed_indirect(r, p, nb_readable, n) :
		ring_add_mixed(r, p, nb_readable, n);
}

static bool
chain_open(struct ring *r, struct vstate_chain *c, enum vstate_chain_parts parts)
{
	return ring_chain_begin(r->vq, c, parts, r->packed) == 1;
}

static bool
chain_finish(struct ring *r, struct vstate_chain *c)
{
	return vstate_chain_finish(r->vq, c, r->packed);
}

/* Run a test for both layouts and for each form. */
static void
each_form(void (*run)(struct ring *r, enum form form))
{
	struct ring r;
	unsigned int i;

	for (i = 0; i < 2 * NB_FORMS; i++) {
		ring_open(&r, i % 2, SIZE);
		run(&r, i / 2);
		ring_close(&r);
	}
}

static const struct piece request[] = {
	{ RING_BUF_GPA, 5 }, { RING_BUF_GPA + 100, 7 },
	{ RING_BUF_GPA + 200, 9 }, { RING_BUF_GPA + 300, 3 },
};

static void
read_stops(struct ring *r, enum form form)
{
	uint8_t got[64], want[12], out[64];
	struct vstate_chain c;
	uint16_t id;

	memset(out, 0xab, sizeof(out));
	id = form_add(r, form, request, 2, 4);
	guest_read(&r->guest, RING_BUF_GPA, want, 5);
	guest_read(&r->guest, RING_BUF_GPA + 100, want + 5, 7);
	guest_snapshot(&r->guest);

	assert_true(chain_open(r, &c, VSTATE_CHAIN_BOTH));
	assert_int_equal(vstate_chain_read(r->vq, &c, got, sizeof(got), r->packed), 12);
	assert_memory_equal(got, want, 12);
	assert_int_equal(vstate_chain_read(r->vq, &c, got, sizeof(got), r->packed), 0);
	assert_int_equal(vstate_chain_write(r->vq, &c, out, sizeof(out), r->packed), 12);
	assert_true(chain_finish(r, &c));
	assert_int_equal(c.id, id);
	assert_int_equal(c.num, r->packed && form == DIRECT ? 4 : 1);
	guest_allow(&r->guest, RING_BUF_GPA + 200, 9);
	guest_allow(&r->guest, RING_BUF_GPA + 300, 3);
	guest_assert_unchanged(&r->guest);
	guest_read(&r->guest, RING_BUF_GPA + 200, got, 9);
	guest_read(&r->guest, RING_BUF_GPA + 300, got + 9, 3);
	assert_memory_equal(got, out, 12);
}

static void
read_stops_where_the_writable_part_begins(void **state)
{
	each_form(read_stops);
}

static void
write_skips(struct ring *r, enum form form)
{
	struct vstate_chain c;
	uint8_t byte, got[4];

	form_add(r, form, request, 2, 4);
	guest_snapshot(&r->guest);
	assert_true(chain_open(r, &c, VSTATE_CHAIN_BOTH));
	assert_int_equal(vstate_chain_read(r->vq, &c, &byte, 1, r->packed), 1);
	assert_int_equal(vstate_chain_write(r->vq, &c, "done", 4, r->packed), 4);
	guest_read(&r->guest, RING_BUF_GPA + 200, got, 4);
	assert_memory_equal(got, "done", 4);
	assert_true(chain_finish(r, &c));
	guest_allow(&r->guest, RING_BUF_GPA + 200, 4);
	guest_assert_unchanged(&r->guest);
}

static void
write_skips_the_rest_of_the_readable_part(void **state)
{
	each_form(write_skips);
}

static void
part_missing(struct ring *r, enum form form)
{
	struct vstate_chain c;
	uint8_t bytes[64] = { 0 };

	form_add(r, form, request, 4, 4);
	guest_snapshot(&r->guest);
	assert_true(chain_open(r, &c, VSTATE_CHAIN_BOTH));
	assert_int_equal(vstate_chain_write(r->vq, &c, bytes, 1, r->packed), 0);
	assert_true(chain_finish(r, &c));
	ring_avail_skip(r->vq, c.num, r->packed);
	guest_assert_unchanged(&r->guest);

	form_add(r, form, request, 0, 4);
	assert_true(chain_open(r, &c, VSTATE_CHAIN_BOTH));
	assert_int_equal(vstate_chain_read(r->vq, &c, bytes, 1, r->packed), 0);
	assert_int_equal(vstate_chain_write(r->vq, &c, bytes, 64, r->packed), 24);
	assert_true(chain_finish(r, &c));
}

static void
part_that_is_missing_has_no_bytes(void **state)
{
	each_form(part_missing);
}

/* A chain of three: writable, readable, readable. */
static void
turned_add(struct ring *r, enum form form)
{
	const uint16_t flags[] = { W | NEXT, NEXT, 0 };
	uint64_t table = form == INDIRECT ? RING_TABLE_GPA : RING_DESC_GPA;
	uint16_t i;

	form_add(r, form, request, 0, 3);
	for (i = 0; i < 3; i++) {
		uint8_t *low = guest_at(&r->guest, table + 16 * i + (r->packed ? 14 : 12));

		/* bit 7 is AVAIL of a packed descriptor */
		*low = (*low & 0x80) | flags[i];
	}
}

static void
turned_fault(struct ring *r, enum form form)
{
	uint8_t bytes[64] = { 0 };
	struct vstate_chain c;

	turned_add(r, form);
	assert_true(chain_open(r, &c, VSTATE_CHAIN_BOTH));
	assert_int_equal(vstate_chain_write(r->vq, &c, bytes, 5, r->packed), 5);
	assert_int_equal(vstate_chain_write(r->vq, &c, bytes, 1, r->packed), -1);
	assert_int_equal(r->vq->fault, VSTATE_FAULT_CHAIN_DIRECTION);
}

static void
readable_after_writable_is_a_fault(void **state)
{
	each_form(turned_fault);
}

/* A writable descriptor of a split ring, and behind it a table that begins readable. */
static void
readable_table_after_writable_is_a_fault(void **state)
{
	const struct piece p[] = { { RING_BUF_GPA, 5 }, { RING_TABLE_GPA, 32 } };
	struct vstate_chain c;
	struct ring r;

	ring_open(&r, false, SIZE);
	ring_desc_write(&r, RING_TABLE_GPA, RING_BUF_GPA + 100, 7, NEXT, 1);
	ring_desc_write(&r, RING_TABLE_GPA + 16, RING_BUF_GPA + 200, 9, W, 0);
	ring_add_mixed(&r, p, 0, 2);
	*guest_at(&r.guest, RING_DESC_GPA + 16 + 12) = IND;
	assert_true(chain_open(&r, &c, VSTATE_CHAIN_BOTH));
	assert_false(chain_finish(&r, &c));
	assert_int_equal(r.vq->fault, VSTATE_FAULT_CHAIN_DIRECTION);
	ring_close(&r);
}

/* The same with the readable part first is one buffer. */
static void
parts_reach_from_the_ring_into_a_table(void **state)
{
	const struct piece p[] = { { RING_BUF_GPA, 5 }, { RING_TABLE_GPA, 32 } };
	uint8_t bytes[64] = { 0 };
	struct vstate_chain c;
	struct ring r;

	ring_open(&r, false, SIZE);
	ring_desc_write(&r, RING_TABLE_GPA, RING_BUF_GPA + 100, 7, NEXT, 1);
	ring_desc_write(&r, RING_TABLE_GPA + 16, RING_BUF_GPA + 200, 9, W, 0);
	ring_add_mixed(&r, p, 2, 2);
	*guest_at(&r.guest, RING_DESC_GPA + 16 + 12) = IND;
	assert_true(chain_open(&r, &c, VSTATE_CHAIN_BOTH));
	assert_int_equal(vstate_chain_read(r.vq, &c, bytes, 64, false), 12);
	assert_int_equal(vstate_chain_write(r.vq, &c, bytes, 64, false), 9);
	ring_close(&r);
}

static void
one_part(struct ring *r, enum form form)
{
	/* the walk ignores WRITE there, see the next test */
	const bool ignored = r->packed && form == INDIRECT;
	struct vstate_chain c;

	form_add(r, form, request, 2, 4);
	assert_true(chain_open(r, &c, VSTATE_CHAIN_READABLE));
	assert_int_equal(chain_finish(r, &c), ignored);
	assert_int_equal(r->vq->fault, ignored ? VSTATE_FAULT_NONE :
			VSTATE_FAULT_CHAIN_DIRECTION);

	r->vq->fault = VSTATE_FAULT_NONE;
	assert_false(chain_open(r, &c, VSTATE_CHAIN_WRITABLE));
	assert_int_equal(r->vq->fault, VSTATE_FAULT_CHAIN_DIRECTION);
}

static void
part_that_the_class_does_not_have_is_a_fault(void **state)
{
	each_form(one_part);
}

/* DPDK's virtio driver sets it in frames to be sent; a class with both parts must obey it. */
static void
write_flag_in_a_packed_table_is_ignored_only_without_writable_part(void **state)
{
	struct vstate_chain c;
	uint8_t bytes[64];
	struct ring r;

	ring_open(&r, true, SIZE);
	ring_add_mixed_indirect(&r, request, 0, 4);
	assert_true(chain_open(&r, &c, VSTATE_CHAIN_READABLE));
	assert_int_equal(vstate_chain_read(r.vq, &c, bytes, 64, true), 24);
	assert_true(chain_open(&r, &c, VSTATE_CHAIN_BOTH));
	assert_int_equal(vstate_chain_read(r.vq, &c, bytes, 64, true), 0);
	ring_close(&r);
}

/* Pieces of up to 200 bytes, some empty, some over the border of two regions. */
static uint32_t
random_pieces(struct piece *p, uint16_t n)
{
	uint64_t gpa = RING_BUF_BORDER - random() % 1000;
	uint32_t bytes = 0;
	uint16_t i;

	for (i = 0; i < n; i++) {
		p[i] = (struct piece){ gpa, random() % 4 == 0 ? 0 : random() % 200 };
		gpa += p[i].len + random() % 3;
		bytes += p[i].len;
	}
	return bytes;
}

static void
random_chain(struct ring *r, enum form form)
{
	uint8_t in[2048], out[2048], want[2048], *w = want;
	uint16_t nb_readable = random() % 5, n = nb_readable + random() % 5 + 1, i;
	uint32_t nb_in, nb_out, done, step;
	struct vstate_chain c;
	struct piece p[10];

	nb_in = random_pieces(p, nb_readable);
	nb_out = random_pieces(p + nb_readable, n - nb_readable);
	for (i = 0; i < nb_readable; w += p[i++].len)
		guest_read(&r->guest, p[i].gpa, w, p[i].len);
	for (i = 0; i < nb_out; i++)
		out[i] = random();
	form_add(r, form, p, nb_readable, n);
	assert_true(chain_open(r, &c, VSTATE_CHAIN_BOTH));
	for (done = 0; done < nb_in; done += step) {
		step = vstate_chain_read(r->vq, &c, in + done, 1 + random() % 300, r->packed);
		assert_true(step > 0 && step <= nb_in - done);
	}
	assert_memory_equal(in, want, nb_in);
	for (done = 0; done < nb_out; done += step) {
		step = RTE_MIN(1 + (uint32_t)random() % 300, nb_out - done);
		assert_int_equal(vstate_chain_write(r->vq, &c, out + done, step, r->packed), step);
	}
	assert_int_equal(vstate_chain_write(r->vq, &c, out, 1, r->packed), 0);
	assert_true(chain_finish(r, &c));
	for (done = 0, i = nb_readable; i < n; done += p[i++].len) {
		guest_read(&r->guest, p[i].gpa, in, p[i].len);
		assert_memory_equal(in, out + done, p[i].len);
	}
	assert_int_equal(r->vq->fault, VSTATE_FAULT_NONE);
}

static void
random_chains(struct ring *r, enum form form)
{
	unsigned int i;

	for (i = 0; i < 2000; i++) {
		ring_seek(r, i % SIZE, r->packed ? i / SIZE % 2 : 0);
		random_chain(r, form);
	}
}

static void
random_chains_are_read_and_written_whole(void **state)
{
	srandom(18);
	each_form(random_chains);
}

int
test_vstate_chain(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_stops_where_the_writable_part_begins),
		cmocka_unit_test(write_skips_the_rest_of_the_readable_part),
		cmocka_unit_test(part_that_is_missing_has_no_bytes),
		cmocka_unit_test(readable_after_writable_is_a_fault),
		cmocka_unit_test(readable_table_after_writable_is_a_fault),
		cmocka_unit_test(parts_reach_from_the_ring_into_a_table),
		cmocka_unit_test(part_that_the_class_does_not_have_is_a_fault),
		cmocka_unit_test(
			write_flag_in_a_packed_table_is_ignored_only_without_writable_part),
		cmocka_unit_test(random_chains_are_read_and_written_whole),
	};

	return cmocka_run_group_tests_name("vstate_chain", tests, NULL, NULL);
}
