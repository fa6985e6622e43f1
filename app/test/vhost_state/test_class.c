/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <inttypes.h>
#include <string.h>

#include "vhost_state_bytes.h"
#include "vhost_state_class.h"
#include "vhost_state_common.h"
#include "vhost_state_part_list.h"
#include "vhost_state_reason.h"
#include "vhost_state_test.h"

/*
 * The table of a device class. The class of this test is not in the library. It has a part of the
 * device, a part of each virtqueue and data of its own, and passes through all functions.
 */

/* ---- a class of the test: a disk with a capacity, and a weight of each virtqueue ---- */

#define DISK_ID 0x7fff
#define DISK_TYPE 0xf0e0
#define DISK_VQ_TYPE 0xf0e1
#define DISK_CAPACITY UINT64_C(0x1122334455667788)
#define DISK_VQS_MAX 3

struct disk {
	uint64_t capacity;
	uint8_t weight[DISK_VQS_MAX];
};

_Static_assert(sizeof(struct disk) <= sizeof(((struct rte_vhost_state *)0)->class_data),
		"the data of a class fits into a state");

static struct disk *
disk_of(struct rte_vhost_state *st)
{
	return (struct disk *)st->class_data;
}

static const struct disk *
const_disk_of(const struct rte_vhost_state *st)
{
	return (const struct disk *)st->class_data;
}

static void
encode_disk(struct vhost_state_sink *sink, const struct rte_vhost_state *st, uint16_t vq)
{
	uint8_t b[16] = { 0 };

	(void)vq;
	vhost_state_put_le(b, const_disk_of(st)->capacity, 8);
	vhost_state_sink_put(sink, b, sizeof(b));
}

static int
decode_disk(struct rte_vhost_state *st, const struct vhost_state_value *v,
		struct rte_vhost_state_error *e)
{
	disk_of(st)->capacity = vhost_state_get_le64(v->p);
	return vhost_state_part_check_zero(v, 8, 16, e);
}

static uint32_t
count_weight(const struct rte_vhost_state *st, uint16_t vq)
{
	return const_disk_of(st)->weight[vq] != 0;
}

static void
encode_weight(struct vhost_state_sink *sink, const struct rte_vhost_state *st, uint16_t vq)
{
	vhost_state_sink_put(sink, &const_disk_of(st)->weight[vq], 1);
}

static int
decode_weight(struct rte_vhost_state *st, const struct vhost_state_value *v,
		struct rte_vhost_state_error *e)
{
	(void)e;
	disk_of(st)->weight[v->vq] = v->p[0];
	return 0;
}

/* Reasons of net serve as well here. A class of the product has its own. */
static int
check_disk(const struct rte_vhost_state *st, struct rte_vhost_state_error *e)
{
	if (const_disk_of(st)->capacity != 0)
		return 0;
	return vhost_state_fault(e, RTE_VHOST_STATE_R_NET_MTU, -1, -1, 1, 0);
}

/* A disk has no limit of its own in struct rte_vhost_state_limits: any will do for the test. */
static int
check_disk_fit(const struct rte_vhost_state *st, const struct rte_vhost_state_limits *lim,
		struct rte_vhost_state_error *e)
{
	if (const_disk_of(st)->capacity >> 48 <= lim->max_mtu)
		return 0;
	return vhost_state_fault(e, RTE_VHOST_STATE_R_FIT_MTU, -1, -1, lim->max_mtu,
			const_disk_of(st)->capacity >> 48);
}

static bool
disk_equal(const struct rte_vhost_state *a, const struct rte_vhost_state *b)
{
	return const_disk_of(a)->capacity == const_disk_of(b)->capacity &&
			memcmp(const_disk_of(a)->weight, const_disk_of(b)->weight,
				DISK_VQS_MAX) == 0;
}

static void
dump_disk(const struct rte_vhost_state *st, FILE *f)
{
	fprintf(f, "  capacity         0x%" PRIx64 "\n", const_disk_of(st)->capacity);
}

static void
dump_disk_json(const struct rte_vhost_state *st, FILE *f)
{
	fprintf(f, "\"capacity\": \"0x%" PRIx64 "\"", const_disk_of(st)->capacity);
}

static const enum rte_vhost_state_reason disk_reasons[] = {
	RTE_VHOST_STATE_R_NET_MTU,
	RTE_VHOST_STATE_R_NONE,
};

static const struct vhost_state_class disk_class = {
	.device_id = DISK_ID,
	.name = "disk",
	.min_vqs = 2,
	.max_vqs = DISK_VQS_MAX,
	.parts = {
		{
			.type = DISK_TYPE, .mandatory = true,
			.unit = 16, .max_units = 1,
			.encode = encode_disk, .decode = decode_disk,
			.reasons = disk_reasons,
		}, {
			.type = DISK_VQ_TYPE, .per_vq = true,
			.unit = 1, .max_units = 1,
			.units = count_weight, .encode = encode_weight, .decode = decode_weight,
		},
	},
	.check = check_disk,
	.check_fit = check_disk_fit,
	.equal = disk_equal,
	.dump = dump_disk,
	.dump_json = dump_disk_json,
};

/* ---- the test's class in the look-up, by the linker's --wrap ---- */

static bool disk_known;

const struct vhost_state_class *__real_vhost_state_class_find(uint16_t device_id);
const struct vhost_state_class *__wrap_vhost_state_class_find(uint16_t device_id);

const struct vhost_state_class *
__wrap_vhost_state_class_find(uint16_t device_id)
{
	if (disk_known && device_id == DISK_ID)
		return &disk_class;
	return __real_vhost_state_class_find(device_id);
}

static int
forget_disk(void **state)
{
	(void)state;
	disk_known = false;
	return 0;
}

static struct rte_vhost_state *
sample_disk(void)
{
	struct rte_vhost_state *st = rte_vhost_state_alloc(2);

	assert_non_null(st);
	disk_known = true;
	st->device_id = DISK_ID;
	st->status = SAMPLE_SUSPENDED;
	st->device_features = SAMPLE_F_VERSION_1;
	st->driver_features = SAMPLE_F_VERSION_1;
	disk_of(st)->capacity = DISK_CAPACITY;
	disk_of(st)->weight[1] = 7;
	return st;
}

static struct rte_vhost_state_limits
disk_limits(void)
{
	return (struct rte_vhost_state_limits){
		.device_id = DISK_ID,
		.device_features = SAMPLE_F_VERSION_1,
		.max_vqs = DISK_VQS_MAX,
		.max_mtu = 0x1122,
	};
}

static void
assert_decode_refused(enum rte_vhost_state_reason reason, uint8_t *buf, size_t len, int64_t offset)
{
	struct rte_vhost_state_error err;

	test_seal(buf, len);
	assert_refused(reason, &err, test_state_result(rte_vhost_state_decode(buf, len, &err)));
	assert_int_equal(err.offset, offset);
}

/* ---- the table in use ---- */

static void
state_of_another_class_survives_the_round_trip(void **state)
{
	struct rte_vhost_state *st = sample_disk(), *back, *copy;
	uint8_t *buf;
	size_t len;

	buf = test_encode(st, &len);
	assert_int_equal(test_find_part(buf, len, 0xf000, 0), 0);
	assert_true(test_find_part(buf, len, DISK_TYPE, 0) > 0);
	/* Only virtqueue 1 has a weight. */
	assert_int_equal(buf[test_find_part(buf, len, DISK_VQ_TYPE, 0) + 4], 1);
	assert_int_equal(test_find_part(buf, len, DISK_VQ_TYPE, 1), 0);
	back = rte_vhost_state_decode(buf, len, NULL);
	assert_non_null(back);
	assert_true(rte_vhost_state_equal(st, back));
	assert_int_equal(disk_of(back)->weight[1], 7);
	copy = rte_vhost_state_copy(back);
	assert_true(rte_vhost_state_equal(st, copy));
	rte_vhost_state_free(copy);
	rte_vhost_state_free(back);
	rte_vhost_state_free(st);
	free(buf);
}

static void
difference_in_class_data_makes_states_unequal(void **state)
{
	struct rte_vhost_state *st = sample_disk(), *copy = rte_vhost_state_copy(st);

	disk_of(copy)->weight[0] = 1;
	assert_false(rte_vhost_state_equal(st, copy));
	/* Bytes of the room that the class does not use have no meaning. */
	disk_of(copy)->weight[0] = 0;
	copy->class_data[RTE_VHOST_STATE_CLASS_WORDS - 1] = 1;
	assert_true(rte_vhost_state_equal(st, copy));
	/* All bytes of an unknown class are compared. */
	disk_known = false;
	assert_false(rte_vhost_state_equal(st, copy));
	copy->class_data[RTE_VHOST_STATE_CLASS_WORDS - 1] = 0;
	assert_true(rte_vhost_state_equal(st, copy));
	rte_vhost_state_free(copy);
	rte_vhost_state_free(st);
}

static void
invalid_class_data_is_refused_at_its_part(void **state)
{
	struct rte_vhost_state *st = sample_disk();
	struct rte_vhost_state_error err;
	size_t len, at;
	uint8_t *buf;

	buf = test_encode(st, &len);
	at = test_find_part(buf, len, DISK_TYPE, 0);
	memset(buf + at + 16, 0, 8);
	assert_decode_refused(RTE_VHOST_STATE_R_NET_MTU, buf, len, (int64_t)at);
	buf[at + 16 + 8] = 1;
	assert_decode_refused(RTE_VHOST_STATE_R_PART_RESERVED, buf, len, (int64_t)at + 16 + 8);
	disk_of(st)->capacity = 0;
	assert_refused(RTE_VHOST_STATE_R_NET_MTU, &err, rte_vhost_state_validate(st, &err));
	rte_vhost_state_free(st);
	free(buf);
}

static void
missing_part_of_another_class_is_refused(void **state)
{
	struct rte_vhost_state *st = sample_disk();
	struct rte_vhost_state_error err;
	size_t len, at;
	uint8_t *buf;

	buf = test_encode(st, &len);
	at = test_find_part(buf, len, DISK_TYPE, 0);
	memmove(buf + at, buf + at + 32, len - at - 32);
	len -= 32;
	test_seal(buf, len);
	assert_refused(RTE_VHOST_STATE_R_PART_MISSING, &err,
			test_state_result(rte_vhost_state_decode(buf, len, &err)));
	assert_int_equal(err.expected, DISK_TYPE);
	rte_vhost_state_free(st);
	free(buf);
}

/** A part is known to its class only: a disk has no NET part, and a network device no other. */
static void
part_of_another_class_is_refused(void **state)
{
	struct rte_vhost_state *st = sample_disk(), *net = sample_split();
	size_t len, at;
	uint8_t *buf;

	buf = test_encode(st, &len);
	at = test_find_part(buf, len, DISK_TYPE, 0);
	buf[at] = 0x00;
	assert_decode_refused(RTE_VHOST_STATE_R_PART_UNKNOWN, buf, len, (int64_t)at);
	free(buf);
	buf = test_encode(net, &len);
	at = test_find_part(buf, len, 0xf000, 0);
	buf[at] = (uint8_t)DISK_TYPE;
	assert_decode_refused(RTE_VHOST_STATE_R_PART_UNKNOWN, buf, len, (int64_t)at);
	free(buf);
	rte_vhost_state_free(net);
	rte_vhost_state_free(st);
}

static void
number_of_virtqueues_outside_the_class_is_refused(void **state)
{
	struct rte_vhost_state *st = sample_disk(), *one = rte_vhost_state_alloc(1);
	struct rte_vhost_state_error err;
	uint8_t *buf;
	size_t len;

	buf = test_encode(st, &len);
	buf[22] = DISK_VQS_MAX + 1;
	assert_decode_refused(RTE_VHOST_STATE_R_VQ_COUNT, buf, len, 22);
	assert_non_null(one);
	one->device_id = DISK_ID;
	assert_refused(RTE_VHOST_STATE_R_VQ_COUNT, &err, rte_vhost_state_validate(one, &err));
	assert_int_equal(err.expected, 2);
	assert_int_equal(err.found, 1);
	free(buf);
	rte_vhost_state_free(one);
	rte_vhost_state_free(st);
}

static void
limit_of_the_class_is_applied_to_a_fit(void **state)
{
	struct rte_vhost_state_limits lim = disk_limits();
	struct rte_vhost_state *st = sample_disk();
	struct rte_vhost_state_error err;

	assert_int_equal(rte_vhost_state_check_fit(st, &lim, NULL), 0);
	lim.max_mtu--;
	assert_refused(RTE_VHOST_STATE_R_FIT_MTU, &err, rte_vhost_state_check_fit(st, &lim, &err));
	rte_vhost_state_free(st);
}

static void
class_data_is_printed_as_text_and_json(void **state)
{
	struct rte_vhost_state *st = sample_disk();
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	rte_vhost_state_dump(st, f);
	rte_vhost_state_dump_json(st, f);
	fclose(f);
	assert_non_null(strstr(text, "virtio device 32767, split rings, 2 virtqueues\n"));
	assert_non_null(strstr(text, "  capacity         0x1122334455667788\n     vq "));
	assert_non_null(strstr(text,
			"\"disk\": {\"capacity\": \"0x1122334455667788\"}, \"vqs\": ["));
	assert_null(strstr(text, "mac"));
	free(text);
	rte_vhost_state_free(st);
}

/** Every function that needs the class refuses it by the same reason. */
static void
unknown_class_is_refused(void **state)
{
	struct rte_vhost_state_limits lim = disk_limits();
	struct rte_vhost_state *st = sample_disk();
	struct rte_vhost_state_error err;
	uint8_t *buf;
	size_t len, size;

	buf = test_encode(st, &len);
	size = len;
	disk_known = false;
	assert_refused(RTE_VHOST_STATE_R_DEVICE_ID, &err, rte_vhost_state_validate(st, &err));
	assert_refused(RTE_VHOST_STATE_R_DEVICE_ID, &err,
			rte_vhost_state_encode(st, buf, size, &len, &err));
	assert_refused(RTE_VHOST_STATE_R_DEVICE_ID, &err,
			rte_vhost_state_check_fit(st, &lim, &err));
	assert_refused(RTE_VHOST_STATE_R_DEVICE_ID, &err,
			test_state_result(rte_vhost_state_decode(buf, size, &err)));
	assert_int_equal(err.offset, 20);
	assert_int_equal(err.found, DISK_ID);
	free(buf);
	rte_vhost_state_free(st);
}

/* ---- the tables themselves ---- */

static void
assert_class_complete(const struct vhost_state_class *class)
{
	struct vhost_state_part_list list;
	unsigned int i;

	assert_non_null(class->name);
	assert_in_range(class->min_vqs, 1, class->max_vqs);
	assert_in_range(class->max_vqs, class->min_vqs, RTE_VHOST_STATE_MAX_VQ);
	assert_non_null(class->check);
	assert_non_null(class->check_fit);
	assert_non_null(class->equal);
	assert_non_null(class->dump);
	assert_non_null(class->dump_json);
	vhost_state_part_list_init(&list, class);
	assert_in_range(list.nb, VHOST_STATE_NB_COMMON_PARTS + 1, VHOST_STATE_MAX_PARTS);
	for (i = 0; i < list.nb; i++) {
		assert_non_null(list.part[i]->encode);
		assert_non_null(list.part[i]->decode);
		assert_true(list.part[i]->unit > 0 && list.part[i]->max_units > 0);
		if (i > 0)
			assert_true(list.part[i]->type > list.part[i - 1]->type);
	}
}

/** Classes have part types of their own, so that a part type has one meaning. */
static void
every_class_is_complete_and_shares_no_part_type(void **state)
{
	const struct vhost_state_class *class;
	bool known[UINT16_MAX + 1] = { false };
	unsigned int id, i, nb = 0;

	for (id = 0; id <= UINT16_MAX; id++) {
		class = vhost_state_class_find((uint16_t)id);
		if (class == NULL)
			continue;
		nb++;
		assert_int_equal(class->device_id, id);
		assert_class_complete(class);
		for (i = 0; i < VHOST_STATE_CLASS_MAX_PARTS; i++) {
			if (class->parts[i].type == 0)
				continue;
			assert_false(known[class->parts[i].type]);
			known[class->parts[i].type] = true;
		}
	}
	assert_true(nb > 0);
	assert_class_complete(&disk_class);
}

int
test_class(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(state_of_another_class_survives_the_round_trip,
				forget_disk),
		cmocka_unit_test_teardown(difference_in_class_data_makes_states_unequal,
				forget_disk),
		cmocka_unit_test_teardown(invalid_class_data_is_refused_at_its_part, forget_disk),
		cmocka_unit_test_teardown(missing_part_of_another_class_is_refused, forget_disk),
		cmocka_unit_test_teardown(part_of_another_class_is_refused, forget_disk),
		cmocka_unit_test_teardown(number_of_virtqueues_outside_the_class_is_refused,
				forget_disk),
		cmocka_unit_test_teardown(limit_of_the_class_is_applied_to_a_fit, forget_disk),
		cmocka_unit_test_teardown(class_data_is_printed_as_text_and_json, forget_disk),
		cmocka_unit_test_teardown(unknown_class_is_refused, forget_disk),
		cmocka_unit_test(every_class_is_complete_and_shares_no_part_type),
	};

	return cmocka_run_group_tests_name("class", tests, NULL, NULL);
}
