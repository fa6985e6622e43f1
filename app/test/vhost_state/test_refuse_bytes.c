/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_errno.h>

#include "vhost_state_test.h"

/*
 * Each row is a way in which bytes can be wrong. It is tried on decode(), read() and load().
 */

#define ROOM 4096

struct bytes {
	uint8_t buf[ROOM];
	size_t len;
};

struct refusal {
	const char *name;
	enum rte_vhost_state_reason reason;
	struct rte_vhost_state *(*sample)(void);
	/** Correct length and checksums, so that the decoder reaches the bytes behind them. */
	bool seal;
	/** Change the bytes. Return the offset that the error must have, or -1. */
	int64_t (*change)(struct bytes *b);
	/** A stream accepts it, because bytes after the state belong to the next state. */
	bool stream_accepts;
};

static uint8_t *
find_part(struct bytes *b, uint16_t type, unsigned int nth)
{
	const size_t at = test_find_part(b->buf, b->len, type, nth);

	assert_true(at > 0);
	return b->buf + at;
}

static int64_t
offset_of(const struct bytes *b, const uint8_t *p)
{
	return p - b->buf;
}

/** Remove @p n bytes at @p p. */
static void
remove_bytes(struct bytes *b, uint8_t *p, size_t n)
{
	memmove(p, p + n, b->len - (size_t)(p - b->buf) - n);
	b->len -= n;
}

/** Insert @p n zero bytes at @p p. */
static void
insert_zeros(struct bytes *b, uint8_t *p, size_t n)
{
	assert_true(b->len + n <= ROOM);
	memmove(p + n, p, b->len - (size_t)(p - b->buf));
	memset(p, 0, n);
	b->len += n;
}

/** Insert a part of 8 bytes at @p p. */
static void
insert_part(struct bytes *b, uint8_t *p, uint16_t type, uint8_t flags)
{
	insert_zeros(b, p, 24);
	p[0] = (uint8_t)type;
	p[1] = (uint8_t)(type >> 8);
	p[2] = flags;
	p[12] = 8;
	memset(p + 16, 0xee, 8);
}

/* ---- header ---- */

static int64_t
empty_state(struct bytes *b)
{
	b->len = 0;
	return 0;
}

static int64_t
half_a_header(struct bytes *b)
{
	b->len = 31;
	return 31;
}

static int64_t
last_byte_missing(struct bytes *b)
{
	b->len--;
	return (int64_t)b->len;
}

static int64_t
one_byte_more(struct bytes *b)
{
	b->buf[b->len] = 0;
	return (int64_t)b->len++;
}

static int64_t
other_magic(struct bytes *b)
{
	b->buf[1] = 'v';
	return 0;
}

static int64_t
version_2(struct bytes *b)
{
	b->buf[8] = 2;
	return 8;
}

static int64_t
version_0(struct bytes *b)
{
	b->buf[8] = 0;
	return 8;
}

static int64_t
header_longer(struct bytes *b)
{
	b->buf[10] = 40;
	return 10;
}

static int64_t
header_reserved(struct bytes *b)
{
	b->buf[26] = 1;
	return 24;
}

static int64_t
header_bit(struct bytes *b)
{
	b->buf[22] ^= 1;
	return 28;
}

static int64_t
part_bit(struct bytes *b)
{
	b->buf[b->len - 1] ^= 0x80;
	return 16;
}

static int64_t
unknown_class(struct bytes *b)
{
	b->buf[20] = 0xfe;
	return 20;
}

static int64_t
no_virtqueues(struct bytes *b)
{
	b->buf[22] = 0;
	return 22;
}

static int64_t
too_many_virtqueues(struct bytes *b)
{
	b->buf[22] = 2;
	b->buf[23] = 1;
	return 22;
}

/* ---- part headers ---- */

static int64_t
part_header_cut(struct bytes *b)
{
	insert_zeros(b, b->buf + b->len, 15);
	return (int64_t)b->len - 15;
}

static int64_t
unknown_mandatory(struct bytes *b)
{
	uint8_t *p = find_part(b, 0x0104, 0);

	insert_part(b, p, 0x0102, 0);
	return offset_of(b, p);
}

static int64_t
part_flag(struct bytes *b)
{
	uint8_t *p = find_part(b, 0x0103, 0);

	p[2] = 2;
	return offset_of(b, p + 2);
}

static int64_t
part_reserved(struct bytes *b)
{
	uint8_t *p = find_part(b, 0x0103, 0);

	p[3] = 1;
	return offset_of(b, p + 3);
}

static int64_t
device_selector(struct bytes *b)
{
	uint8_t *p = find_part(b, 0x0101, 0);

	p[4] = 1;
	return offset_of(b, p + 4);
}

static int64_t
vq_selector(struct bytes *b)
{
	uint8_t *p = find_part(b, 0x0104, 1);

	p[11] = 1;
	return offset_of(b, p + 11);
}

static int64_t
vq_index(struct bytes *b)
{
	uint8_t *p = find_part(b, 0xf001, 3);

	p[4] = SAMPLE_VQS;
	return offset_of(b, p + 4);
}

static int64_t
value_longer_than_state(struct bytes *b)
{
	uint8_t *p = find_part(b, 0x0100, 0);

	p[15] = 0xff;
	return offset_of(b, p + 12);
}

static int64_t
value_one_short(struct bytes *b)
{
	uint8_t *p = find_part(b, 0x0104, 0);

	remove_bytes(b, p + 16, 1);
	p[12] = 31;
	return offset_of(b, p + 12);
}

static int64_t
value_twice_as_long(struct bytes *b)
{
	uint8_t *p = find_part(b, 0xf001, 0);

	insert_zeros(b, p + 32, 16);
	p[12] = 32;
	return offset_of(b, p + 12);
}

static int64_t
value_empty(struct bytes *b)
{
	uint8_t *p = find_part(b, 0xf002, 0);

	remove_bytes(b, p + 16, 48);
	p[12] = 0;
	return offset_of(b, p + 12);
}

static int64_t
half_an_entry(struct bytes *b)
{
	uint8_t *p = find_part(b, 0xf002, 0);

	remove_bytes(b, p + 16, 8);
	p[12] = 40;
	return offset_of(b, p + 12);
}

static int64_t
parts_swapped(struct bytes *b)
{
	/* DRV_FEATURES before DEV_FEATURES: they have the same length. */
	uint8_t *p = find_part(b, 0x0100, 0), *q = find_part(b, 0x0101, 0);

	p[0] = 0x01;
	q[0] = 0x00;
	return offset_of(b, q);
}

static int64_t
virtqueues_swapped(struct bytes *b)
{
	uint8_t *p = find_part(b, 0x0104, 0), *q = find_part(b, 0x0104, 1);

	p[4] = 1;
	q[4] = 0;
	return offset_of(b, q);
}

static int64_t
part_twice(struct bytes *b)
{
	uint8_t *p = find_part(b, 0x0103, 0);

	insert_zeros(b, p + 17, 17);
	memcpy(p + 17, p, 17);
	return offset_of(b, p + 17);
}

static int64_t
virtqueue_twice(struct bytes *b)
{
	uint8_t *q = find_part(b, 0x0104, 3);

	q[4] = 0;
	return offset_of(b, q);
}

static int64_t
device_part_missing(struct bytes *b)
{
	remove_bytes(b, find_part(b, 0xf000, 0), 40);
	return -1;
}

static int64_t
vq_part_missing(struct bytes *b)
{
	remove_bytes(b, find_part(b, 0xf001, 2), 32);
	return -1;
}

static int64_t
all_parts_missing(struct bytes *b)
{
	b->len = 32;
	return -1;
}

/* ---- values ---- */

static int64_t
feature_64(struct bytes *b)
{
	uint8_t *p = find_part(b, 0x0101, 0);

	insert_zeros(b, p + 24, 8);
	p[12] = 16;
	p[24] = 1;
	return offset_of(b, p + 24);
}

static int64_t
interrupt_vector(struct bytes *b)
{
	uint8_t *p = find_part(b, 0x0104, 0);

	p[16 + 2] = 3;
	p[16 + 3] = 0;
	return offset_of(b, p + 16 + 2);
}

static int64_t
enabled_2(struct bytes *b)
{
	uint8_t *p = find_part(b, 0x0104, 0);

	p[16 + 4] = 2;
	return offset_of(b, p + 16 + 4);
}

static int64_t
vq_cfg_reserved(struct bytes *b)
{
	uint8_t *p = find_part(b, 0x0104, 2);

	p[16 + 7] = 1;
	return offset_of(b, p + 16 + 7);
}

static int64_t
net_reserved(struct bytes *b)
{
	uint8_t *p = find_part(b, 0xf000, 0);

	p[16 + 15] = 1;
	return offset_of(b, p + 16 + 15);
}

static int64_t
ring_flag(struct bytes *b)
{
	uint8_t *p = find_part(b, 0xf001, 0);

	p[16 + 6] |= 4;
	return offset_of(b, p + 16 + 6);
}

static int64_t
ring_reserved(struct bytes *b)
{
	uint8_t *p = find_part(b, 0xf001, 0);

	p[16 + 7] = 1;
	return offset_of(b, p + 16 + 7);
}

static int64_t
ring_reserved_end(struct bytes *b)
{
	uint8_t *p = find_part(b, 0xf001, 0);

	p[16 + 15] = 1;
	return offset_of(b, p + 16 + 15);
}

static int64_t
entry_reserved(struct bytes *b)
{
	uint8_t *p = find_part(b, 0xf002, 0);

	p[16 + 16 + 15] = 1;
	return offset_of(b, p + 16 + 16 + 14);
}

/* ---- values that contradict others: the error has the offset of the part ---- */

static int64_t
status_running(struct bytes *b)
{
	uint8_t *p = find_part(b, 0x0103, 0);

	p[16] = 0x0f;
	return offset_of(b, p);
}

static int64_t
size_three(struct bytes *b)
{
	uint8_t *p = find_part(b, 0x0104, 1);

	p[16] = 3;
	return offset_of(b, p);
}

static int64_t
wrap_flipped(struct bytes *b)
{
	uint8_t *p = find_part(b, 0xf001, 1);

	p[16 + 4] ^= 1;
	return offset_of(b, p);
}

static int64_t
entry_twice(struct bytes *b)
{
	uint8_t *p = find_part(b, 0xf002, 0);

	memcpy(p + 32, p + 16, 16);
	return offset_of(b, p);
}

static int64_t
inflight_missing(struct bytes *b)
{
	remove_bytes(b, find_part(b, 0xf002, 0), 64);
	return -1;
}

static int64_t
half_a_descriptor(struct bytes *b)
{
	uint8_t *p = find_part(b, 0xf004, 0);

	remove_bytes(b, p + 16, 8);
	p[12] -= 8;
	return offset_of(b, p + 12);
}

static int64_t
descriptor_missing(struct bytes *b)
{
	uint8_t *p = find_part(b, 0xf004, 0);

	remove_bytes(b, p + 16, 16);
	p[12] -= 16;
	return offset_of(b, p);
}

static int64_t
descriptor_flag(struct bytes *b)
{
	uint8_t *p = find_part(b, 0xf004, 0);

	p[16 + 15] = 0x80;
	return offset_of(b, p);
}

static int64_t
descriptor_id(struct bytes *b)
{
	uint8_t *p = find_part(b, 0xf004, 0);

	p[16 + 12] ^= 1;
	return offset_of(b, p);
}

static int64_t
mac_multicast(struct bytes *b)
{
	uint8_t *p = find_part(b, 0xf000, 0);

	p[16] = 1;
	return offset_of(b, p);
}

static int64_t
feature_not_offered(struct bytes *b)
{
	uint8_t *p = find_part(b, 0x0101, 0);

	p[23] |= 0x80;
	return offset_of(b, p);
}

/* With the old length and checksums, or with corrected ones. */
#define RAW(name, reason, change) { name, RTE_VHOST_STATE_R_##reason, sample_split, false, change }
#define SEALED(name, reason, change) \
	{ name, RTE_VHOST_STATE_R_##reason, sample_split, true, change }
#define DESCS(name, reason, change) \
	{ name, RTE_VHOST_STATE_R_##reason, sample_packed_descs, true, change }

static const struct refusal refusals[] = {
	RAW("empty_state_is_refused", TRUNCATED, empty_state),
	RAW("half_a_header_is_refused", TRUNCATED, half_a_header),
	RAW("state_without_its_last_byte_is_refused", TRUNCATED, last_byte_missing),
	{ "state_with_bytes_behind_it_is_refused", RTE_VHOST_STATE_R_TRAILING_BYTES,
			sample_split, false, one_byte_more, true },
	RAW("other_magic_is_refused", BAD_MAGIC, other_magic),
	RAW("newer_version_is_refused", BAD_VERSION, version_2),
	SEALED("newer_version_with_good_checksum_is_refused", BAD_VERSION, version_2),
	SEALED("version_0_is_refused", BAD_HEADER, version_0),
	SEALED("header_of_other_length_is_refused", BAD_HEADER, header_longer),
	SEALED("reserved_header_field_is_refused", BAD_HEADER, header_reserved),
	RAW("flipped_header_bit_is_refused", BAD_CHECKSUM, header_bit),
	RAW("flipped_part_bit_is_refused", BAD_CHECKSUM, part_bit),
	SEALED("unknown_device_class_is_refused", DEVICE_ID, unknown_class),
	SEALED("header_without_virtqueues_is_refused", VQ_COUNT, no_virtqueues),
	SEALED("header_with_too_many_virtqueues_is_refused", VQ_COUNT, too_many_virtqueues),
	SEALED("half_a_part_header_is_refused", TRUNCATED, part_header_cut),
	SEALED("unknown_mandatory_part_is_refused", PART_UNKNOWN, unknown_mandatory),
	SEALED("reserved_part_flag_is_refused", PART_RESERVED, part_flag),
	SEALED("reserved_byte_of_part_header_is_refused", PART_RESERVED, part_reserved),
	SEALED("selector_of_device_part_is_refused", PART_RESERVED, device_selector),
	SEALED("reserved_byte_of_selector_is_refused", PART_RESERVED, vq_selector),
	SEALED("part_of_virtqueue_out_of_range_is_refused", VQ_INDEX, vq_index),
	SEALED("value_longer_than_the_state_is_refused", PART_LENGTH, value_longer_than_state),
	SEALED("value_one_byte_short_is_refused", PART_LENGTH, value_one_short),
	SEALED("value_twice_as_long_is_refused", PART_LENGTH, value_twice_as_long),
	SEALED("empty_value_is_refused", PART_LENGTH, value_empty),
	SEALED("half_an_inflight_entry_is_refused", PART_LENGTH, half_an_entry),
	SEALED("parts_out_of_order_are_refused", PART_ORDER, parts_swapped),
	SEALED("virtqueues_out_of_order_are_refused", PART_ORDER, virtqueues_swapped),
	SEALED("part_twice_is_refused", PART_DUPLICATE, part_twice),
	SEALED("virtqueue_twice_is_refused", PART_DUPLICATE, virtqueue_twice),
	SEALED("missing_device_part_is_refused", PART_MISSING, device_part_missing),
	SEALED("missing_virtqueue_part_is_refused", PART_MISSING, vq_part_missing),
	SEALED("header_alone_is_refused", PART_MISSING, all_parts_missing),
	SEALED("feature_above_63_is_refused", PART_RESERVED, feature_64),
	SEALED("interrupt_vector_is_refused", PART_RESERVED, interrupt_vector),
	SEALED("enabled_neither_0_nor_1_is_refused", PART_RESERVED, enabled_2),
	SEALED("reserved_field_of_vq_cfg_is_refused", PART_RESERVED, vq_cfg_reserved),
	SEALED("reserved_field_of_net_is_refused", PART_RESERVED, net_reserved),
	SEALED("reserved_ring_flag_is_refused", PART_RESERVED, ring_flag),
	SEALED("reserved_ring_byte_is_refused", PART_RESERVED, ring_reserved),
	SEALED("reserved_end_of_ring_is_refused", PART_RESERVED, ring_reserved_end),
	SEALED("reserved_field_of_inflight_entry_is_refused", PART_RESERVED, entry_reserved),
	SEALED("encoded_running_status_is_refused", STATUS, status_running),
	SEALED("encoded_size_of_three_is_refused", VQ_SIZE, size_three),
	SEALED("encoded_wrap_of_split_ring_is_refused", VQ_WRAP, wrap_flipped),
	{ "encoded_wrong_wrap_of_packed_ring_is_refused", RTE_VHOST_STATE_R_VQ_IDX_DISTANCE,
			sample_packed, true, wrap_flipped },
	SEALED("encoded_duplicate_inflight_head_is_refused", INFLIGHT_DUPLICATE, entry_twice),
	SEALED("missing_inflight_part_is_refused", INFLIGHT_COUNT, inflight_missing),
	DESCS("half_an_inflight_descriptor_is_refused", PART_LENGTH, half_a_descriptor),
	DESCS("missing_inflight_descriptor_is_refused", INFLIGHT_DESC_COUNT, descriptor_missing),
	DESCS("encoded_flag_of_descriptor_is_refused", INFLIGHT_DESC_FLAGS, descriptor_flag),
	DESCS("encoded_id_of_descriptor_is_refused", INFLIGHT_DESC_ID, descriptor_id),
	SEALED("encoded_multicast_mac_is_refused", NET_MAC, mac_multicast),
	SEALED("encoded_feature_not_offered_is_refused", FEATURES_NOT_OFFERED,
			feature_not_offered),
};

/* ---- ways to decode ---- */

static FILE *
file_of(const struct bytes *b)
{
	FILE *f = tmpfile();

	assert_non_null(f);
	assert_int_equal(fwrite(b->buf, 1, b->len, f), b->len);
	rewind(f);
	return f;
}

static void
refused_by_read(const struct refusal *r, const struct bytes *b, int64_t at)
{
	struct rte_vhost_state_error err;
	FILE *f = file_of(b);
	const int fd = fileno(f);

	if (r->stream_accepts) {
		assert_int_equal(test_state_result(rte_vhost_state_read(fd, &err)), 0);
		assert_int_equal(lseek(fd, 0, SEEK_CUR), at);
	} else {
		assert_refused(r->reason, &err,
				test_state_result(rte_vhost_state_read(fd, &err)));
		assert_int_equal(err.offset, at);
	}
	fclose(f);
}

static void
refused_by_load(const struct refusal *r, const struct bytes *b, int64_t at)
{
	struct rte_vhost_state_error err;
	FILE *f = file_of(b);
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fileno(f));
	assert_refused(r->reason, &err, test_state_result(rte_vhost_state_load(path, &err)));
	assert_int_equal(err.offset, at);
	fclose(f);
}

static void
encode_sample(struct bytes *b, struct rte_vhost_state *st)
{
	assert_int_equal(rte_vhost_state_encode(st, b->buf, ROOM, &b->len, NULL), 0);
	rte_vhost_state_free(st);
}

static void
refused_by_every_decoder(void **state)
{
	const struct refusal *r = *state;
	struct rte_vhost_state_error err;
	struct bytes b, before;
	int64_t at;

	encode_sample(&b, r->sample());
	at = r->change(&b);
	if (r->seal)
		test_seal(b.buf, b.len);
	before = b;
	assert_refused(r->reason, &err,
			test_state_result(rte_vhost_state_decode(b.buf, b.len, &err)));
	assert_int_equal(err.offset, at);
	assert_memory_equal(b.buf, before.buf, b.len);
	refused_by_read(r, &b, at);
	refused_by_load(r, &b, at);
}

/* ---- bytes that must be accepted ---- */

static void
assert_decodes_to(const struct bytes *b, struct rte_vhost_state *expected)
{
	struct rte_vhost_state *st = rte_vhost_state_decode(b->buf, b->len, NULL);

	assert_non_null(st);
	assert_true(rte_vhost_state_equal(st, expected));
	rte_vhost_state_free(st);
	rte_vhost_state_free(expected);
}

static void
unknown_optional_parts_are_skipped(void **state)
{
	struct bytes b;

	encode_sample(&b, sample_split());
	insert_part(&b, b.buf + 32, 0x0fff, 1);
	insert_part(&b, find_part(&b, 0x0104, 2), 0x0105, 1);
	insert_part(&b, b.buf + b.len, 0xffff, 1);
	insert_part(&b, b.buf + b.len, 0xffff, 1);
	test_seal(b.buf, b.len);
	assert_decodes_to(&b, sample_split());
}

static void
state_without_statistics_is_decoded(void **state)
{
	struct rte_vhost_state *expected = sample_split();
	struct bytes b;

	encode_sample(&b, sample_split());
	remove_bytes(&b, find_part(&b, 0xf003, 0), 32);
	test_seal(b.buf, b.len);
	expected->vqs[0].stats.packets = 0;
	expected->vqs[0].stats.bytes = 0;
	assert_decodes_to(&b, expected);
}

static void
zero_feature_words_are_accepted(void **state)
{
	struct bytes b;
	uint8_t *p;

	encode_sample(&b, sample_packed());
	p = find_part(&b, 0x0100, 0);
	insert_zeros(&b, p + 24, 8);
	p[12] = 16;
	test_seal(b.buf, b.len);
	assert_decodes_to(&b, sample_packed());
}

static void
known_part_marked_optional_is_read(void **state)
{
	struct bytes b;

	encode_sample(&b, sample_packed());
	find_part(&b, 0xf000, 0)[2] = 1;
	test_seal(b.buf, b.len);
	assert_decodes_to(&b, sample_packed());
}

int
test_refuse_bytes(void)
{
	struct CMUnitTest tests[RTE_DIM(refusals) + 4] = {
		cmocka_unit_test(unknown_optional_parts_are_skipped),
		cmocka_unit_test(state_without_statistics_is_decoded),
		cmocka_unit_test(zero_feature_words_are_accepted),
		cmocka_unit_test(known_part_marked_optional_is_read),
	};

	tests_of_rows(tests + 4, refusals, refused_by_every_decoder);
	return cmocka_run_group_tests_name("refuse bytes", tests, NULL, NULL);
}
