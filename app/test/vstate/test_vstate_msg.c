/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * The table of vhost-user requests, and the check that reads it. The numbers, names, sizes and
 * flags that the table must have are written out here once more.
 */

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>

#include "ut_groups.h"
#include "dev/vstate_dev.h"
#include "vhost/vstate_connection.h"
#include "vhost/vstate_msg.h"
#include "vhost/vstate_msg_check.h"
#include "vhost/vstate_msg_refused.h"

#define NB_VQS 4
#define FILE_SIZE 8192

/* Short for the rows below: the payload names a queue; what is quiesced. */
#define Q true
#define ALL MSG_QUIESCE_ALL
#define ONE MSG_QUIESCE_VQ

static const struct expected {
	uint32_t request;
	const char *name;
	uint32_t min_size;
	/** Descriptors of an honest front end. */
	int nb_fds;
	/** Another number is refused with a reason of its own. */
	bool fds_reason;
	bool queue;
	enum vstate_msg_quiesce quiesce;
} expected[] = {
	{ 1, "GET_FEATURES", 0, 0, false, false, 0 },
	{ 2, "SET_FEATURES", 8, 0, false, false, ALL },
	{ 3, "SET_OWNER", 0, 0, false, false, 0 },
	{ 4, "RESET_OWNER", 0, 0, false, false, ALL },
	{ 5, "SET_MEM_TABLE", 8, 1, true, false, ALL },
	{ 6, "SET_LOG_BASE", 16, 1, true, false, ALL },
	{ 7, "SET_LOG_FD", 0, 1, false, false, 0 },
	{ 8, "SET_VRING_NUM", 8, 0, false, Q, ALL },
	{ 9, "SET_VRING_ADDR", 40, 0, false, Q, ALL },
	{ 10, "SET_VRING_BASE", 8, 0, false, Q, ALL },
	{ 11, "GET_VRING_BASE", 8, 0, false, Q, 0 },
	{ 12, "SET_VRING_KICK", 8, 1, false, Q, ONE },
	{ 13, "SET_VRING_CALL", 8, 1, false, Q, ONE },
	{ 14, "SET_VRING_ERR", 8, 1, false, Q, 0 },
	{ 15, "GET_PROTOCOL_FEATURES", 0, 0, false, false, 0 },
	{ 16, "SET_PROTOCOL_FEATURES", 8, 0, false, false, 0 },
	{ 17, "GET_QUEUE_NUM", 0, 0, false, false, 0 },
	{ 18, "SET_VRING_ENABLE", 8, 0, false, Q, 0 },
	{ 19, "SEND_RARP", 8, 0, false, false, 0 },
	{ 20, "NET_SET_MTU", 8, 0, false, false, 0 },
	{ 21, "SET_BACKEND_REQ_FD", 0, 1, false, false, 0 },
	{ 22, "IOTLB_MSG", 0, 0, false, false, 0 },
	{ 23, "SET_VRING_ENDIAN", 0, 0, false, Q, 0 },
	{ 24, "GET_CONFIG", 12, 0, false, false, 0 },
	{ 25, "SET_CONFIG", 12, 0, false, false, 0 },
	{ 26, "CREATE_CRYPTO_SESSION", 0, 0, false, false, 0 },
	{ 27, "CLOSE_CRYPTO_SESSION", 0, 0, false, false, 0 },
	{ 28, "POSTCOPY_ADVISE", 0, 0, false, false, 0 },
	{ 29, "POSTCOPY_LISTEN", 0, 0, false, false, 0 },
	{ 30, "POSTCOPY_END", 0, 0, false, false, 0 },
	{ 31, "GET_INFLIGHT_FD", 20, 0, false, false, 0 },
	{ 32, "SET_INFLIGHT_FD", 20, 1, true, false, ALL },
	{ 33, "GPU_SET_SOCKET", 0, 1, false, false, 0 },
	{ 34, "RESET_DEVICE", 0, 0, false, false, 0 },
	{ 35, "VRING_KICK", 0, 0, false, Q, 0 },
	{ 36, "GET_MAX_MEM_SLOTS", 0, 0, false, false, 0 },
	{ 37, "ADD_MEM_REG", 0, 1, false, false, ALL },
	{ 38, "REM_MEM_REG", 0, 0, false, false, ALL },
	{ 39, "SET_STATUS", 8, 0, false, false, 0 },
	{ 40, "GET_STATUS", 0, 0, false, false, 0 },
	{ 41, "GET_SHARED_OBJECT", 0, 0, false, false, 0 },
	{ 42, "SET_DEVICE_STATE_FD", 8, 1, false, false, 0 },
	{ 43, "CHECK_DEVICE_STATE", 0, 0, false, false, 0 },
	{ 44, "GET_SHMEM_CONFIG", 0, 0, false, false, 0 },
};

/* Reasons that a message of these tests was refused for. */
static bool reason_seen[VSTATE_MSG_R_MAX];

/* ---- a message ---- */

/** A message with its descriptors, as the door reads it. */
struct context {
	struct msg msg;
	int fds[MSG_MAX_FDS];
	unsigned int nb_fds;
};

static void
fds_add(struct context *c, int nb)
{
	while (nb-- > 0) {
		assert_true(c->nb_fds < MSG_MAX_FDS);
		c->fds[c->nb_fds] = memfd_create("msg", MFD_CLOEXEC);
		assert_true(c->fds[c->nb_fds] >= 0);
		assert_int_equal(ftruncate(c->fds[c->nb_fds], FILE_SIZE), 0);
		c->nb_fds++;
	}
}

/* As an honest front end sends it, with the largest payload of this device's requests. */
static void
context_fill(struct context *c, uint32_t request, int nb_fds)
{
	memset(c, 0, sizeof(*c));
	c->msg.request = request;
	c->msg.flags = MSG_VERSION;
	c->msg.size = 40;
	if (request == MSG_SET_MEM_TABLE) {
		c->msg.memory.nb_regions = 1;
		c->msg.memory.regions[0] = (struct msg_region){ 0, FILE_SIZE, 1 << 20, 0 };
	} else if (request == MSG_SET_LOG_BASE) {
		c->msg.log.size = FILE_SIZE;
	} else if (request == MSG_SET_VRING_NUM) {
		c->msg.state.num = 64;
	}
	fds_add(c, nb_fds);
}

static struct vstate_dev *
dev_create(void)
{
	struct vstate_dev *dev = calloc(1, sizeof(*dev));

	assert_non_null(dev);
	dev->nb_vqs = NB_VQS;
	assert_int_equal(vstate_connection_create(dev), 0);
	dev->connection->protocol = UINT64_MAX & ~MSG_NEEDS_NEVER;
	return dev;
}

static void
dev_destroy(struct vstate_dev *dev)
{
	vstate_connection_destroy(dev);
	free(dev);
}

/*
 * Check a message, and look at what happened to it and to its descriptors.
 * @return the reason of the refusal, found by its counter
 */
static enum vstate_msg_refusal
context_check(struct vstate_dev *dev, struct context *c)
{
	struct vstate_msg_context context = { &c->msg, c->fds, c->nb_fds };
	int before[MSG_MAX_FDS], nb = c->nb_fds, i;
	unsigned int reason, found = VSTATE_MSG_R_NONE;
	uint64_t counts[VSTATE_MSG_R_MAX];
	bool accepted;

	memcpy(before, c->fds, sizeof(before));
	for (reason = 0; reason < VSTATE_MSG_R_MAX; reason++)
		counts[reason] = vstate_msg_refused_get(&dev->connection->refused, reason);
	accepted = vstate_msg_check(dev, &context);
	for (reason = 0; reason < VSTATE_MSG_R_MAX; reason++) {
		counts[reason] = vstate_msg_refused_get(&dev->connection->refused, reason) -
			counts[reason];
		if (counts[reason] == 0)
			continue;
		assert_int_equal(counts[reason], 1);
		assert_int_equal(found, VSTATE_MSG_R_NONE);
		found = reason;
	}
	assert_int_equal(accepted, found == VSTATE_MSG_R_NONE);
	assert_int_equal(context.nb_fds, accepted ? nb : 0);
	for (i = 0; i < nb; i++)
		assert_int_equal(fcntl(before[i], F_GETFD) >= 0, accepted);
	vstate_msg_close_fds(&context);
	reason_seen[found] = true;
	return found;
}

static bool
is_never_offered(uint32_t request)
{
	return vstate_msg_find(request)->needs == MSG_NEEDS_NEVER;
}

/* ---- the table ---- */

static void
numbers_and_names_are_the_specification_s(void **state)
{
	char name[VSTATE_MSG_NAME_SIZE];
	unsigned int i;

	RTE_SET_USED(state);
	assert_int_equal(RTE_DIM(expected), 44);
	assert_int_equal(MSG_REQUEST_MAX, 45);
	for (i = 0; i < RTE_DIM(expected); i++) {
		assert_int_equal(expected[i].request, i + 1);
		assert_non_null(vstate_msg_find(i + 1)->name);
		assert_string_equal(vstate_msg_find(i + 1)->name, expected[i].name);
		assert_string_equal(vstate_msg_name(i + 1, name), expected[i].name);
	}
	assert_null(vstate_msg_find(0)->name);
	assert_null(vstate_msg_find(45)->name);
	assert_string_equal(vstate_msg_name(77, name), "request 77");
	assert_string_equal(vstate_msg_name(UINT32_MAX, name), "request 4294967295");
}

static void
names_are_unique(void **state)
{
	unsigned int i, j;

	RTE_SET_USED(state);
	for (i = 1; i < MSG_REQUEST_MAX; i++) {
		for (j = 1; j < i; j++)
			assert_string_not_equal(vstate_msg_find(i)->name, vstate_msg_find(j)->name);
	}
	for (i = 0; i < VSTATE_MSG_R_MAX; i++) {
		for (j = 0; j < i; j++) {
			assert_string_not_equal(vstate_msg_refused_name(i),
					vstate_msg_refused_name(j));
			assert_string_not_equal(vstate_msg_refused_text(i),
					vstate_msg_refused_text(j));
		}
	}
}

static void
requests_that_remap_rings_quiesce_queues(void **state)
{
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(expected); i++)
		assert_int_equal(vstate_msg_find(expected[i].request)->quiesce,
				expected[i].quiesce);
}

static void
requests_that_the_device_answers_have_a_handler(void **state)
{
	static const uint32_t answered[] = { MSG_GET_FEATURES, MSG_GET_PROTOCOL_FEATURES,
		MSG_GET_QUEUE_NUM, MSG_GET_CONFIG, MSG_SET_CONFIG, MSG_GET_INFLIGHT_FD,
		MSG_SET_INFLIGHT_FD, MSG_RESET_DEVICE, MSG_GET_STATUS, MSG_SET_DEVICE_STATE_FD,
		MSG_CHECK_DEVICE_STATE };
	const struct vstate_msg_row *row;
	unsigned int i, n = 0;

	RTE_SET_USED(state);
	for (i = 0; i < MSG_REQUEST_MAX; i++) {
		row = vstate_msg_find(i);
		if (row->answer != MSG_ANSWER_DEVICE)
			continue;
		assert_true(n < RTE_DIM(answered));
		assert_int_equal(i, answered[n++]);
		assert_int_not_equal(row->before, MSG_BEFORE_NOTHING);
	}
	assert_int_equal(n, RTE_DIM(answered));
}

static void
each_handler_has_one_row(void **state)
{
	unsigned int before[MSG_BEFORE_MAX] = { 0 }, after[MSG_AFTER_MAX] = { 0 }, i;

	RTE_SET_USED(state);
	for (i = 0; i < MSG_REQUEST_MAX; i++) {
		before[vstate_msg_find(i)->before]++;
		after[vstate_msg_find(i)->after]++;
	}
	for (i = 1; i < MSG_BEFORE_MAX; i++)
		assert_int_equal(before[i], 1);
	for (i = 1; i < MSG_AFTER_MAX; i++)
		assert_int_equal(after[i], 1);
}

/* ---- the replay ---- */

static unsigned int
place_get(uint32_t request)
{
	unsigned int place = vstate_msg_find(request)->replay;

	assert_in_range(place, 1, VSTATE_MSG_PLACES);
	return place;
}

static void
replay_has_one_request_for_each_place(void **state)
{
	bool taken[VSTATE_MSG_PLACES + 1] = { false };
	const struct vstate_msg_row *row;
	unsigned int i, place;
	bool kept;

	RTE_SET_USED(state);
	for (i = 0; i < MSG_REQUEST_MAX; i++) {
		row = vstate_msg_find(i);
		kept = row->note == MSG_NOTE_KEEP || row->note == MSG_NOTE_KEEP_UNTIL_STOP;
		assert_int_equal(kept, row->replay != 0);
		if (!kept)
			continue;
		place = place_get(i);
		assert_false(taken[place]);
		taken[place] = true;
		assert_ptr_equal(vstate_msg_find_replay(place), row);
	}
	for (place = 1; place <= VSTATE_MSG_PLACES; place++)
		assert_true(taken[place]);
}

static void
replay_has_memory_before_addresses_and_status_last(void **state)
{
	/* each before the next */
	static const uint32_t order[] = { MSG_SET_OWNER, MSG_SET_PROTOCOL_FEATURES,
		MSG_SET_FEATURES, MSG_SET_MEM_TABLE, MSG_SET_LOG_BASE, MSG_SET_INFLIGHT_FD,
		MSG_SET_VRING_NUM, MSG_SET_VRING_BASE, MSG_SET_VRING_ADDR, MSG_SET_VRING_CALL,
		MSG_SET_VRING_KICK, MSG_SET_VRING_ENABLE, MSG_SET_STATUS };
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 1; i < RTE_DIM(order); i++)
		assert_true(place_get(order[i - 1]) < place_get(order[i]));
	assert_int_equal(place_get(MSG_SET_STATUS), VSTATE_MSG_PLACES);
}

static void
stopped_ring_loses_its_kick_and_call_only(void **state)
{
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < MSG_REQUEST_MAX; i++)
		assert_int_equal(vstate_msg_find(i)->note == MSG_NOTE_KEEP_UNTIL_STOP,
				i == MSG_SET_VRING_KICK || i == MSG_SET_VRING_CALL);
}

/* ---- the check ---- */

static void
honest_message_is_accepted(void **state)
{
	struct vstate_dev *dev = dev_create();
	struct context c;
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(expected); i++) {
		context_fill(&c, expected[i].request, expected[i].nb_fds);
		assert_int_equal(context_check(dev, &c), is_never_offered(expected[i].request) ?
				VSTATE_MSG_R_NOT_OFFERED : VSTATE_MSG_R_NONE);
	}
	for (i = 45; i < 300; i++) {
		context_fill(&c, i, 0);
		assert_int_equal(context_check(dev, &c), VSTATE_MSG_R_UNKNOWN);
	}
	dev_destroy(dev);
}

static void
payload_one_byte_short_is_refused(void **state)
{
	struct vstate_dev *dev = dev_create();
	struct context c;
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(expected); i++) {
		assert_int_equal(vstate_msg_find(expected[i].request)->min_size,
				expected[i].min_size);
		if (expected[i].min_size == 0)
			continue;
		context_fill(&c, expected[i].request, expected[i].nb_fds);
		c.msg.size = expected[i].min_size - 1;
		assert_int_equal(context_check(dev, &c), VSTATE_MSG_R_PAYLOAD_SHORT);
		context_fill(&c, expected[i].request, expected[i].nb_fds);
		c.msg.size = expected[i].min_size;
		assert_int_not_equal(context_check(dev, &c), VSTATE_MSG_R_PAYLOAD_SHORT);
	}
	dev_destroy(dev);
}

static void
wrong_number_of_descriptors_is_refused(void **state)
{
	struct vstate_dev *dev = dev_create();
	const struct vstate_msg_row *row;
	unsigned int i, refused;
	struct context c;
	int min, max;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(expected); i++) {
		row = vstate_msg_find(expected[i].request);
		refused = is_never_offered(expected[i].request) ? VSTATE_MSG_R_NOT_OFFERED :
			expected[i].fds_reason ? row->fds_refused : VSTATE_MSG_R_FDS;
		assert_int_equal(row->fds_refused != VSTATE_MSG_R_NONE, expected[i].fds_reason);
		context_fill(&c, expected[i].request, expected[i].nb_fds);
		assert_true(vstate_msg_fds_range(row, &c.msg, &min, &max));
		assert_in_range(expected[i].nb_fds, min, max);
		fds_add(&c, max + 1 - expected[i].nb_fds);
		assert_int_equal(context_check(dev, &c), refused);
		if (min == 0)
			continue;
		context_fill(&c, expected[i].request, min - 1);
		assert_int_equal(context_check(dev, &c), refused);
	}
	dev_destroy(dev);
}

static void
answer_or_other_version_is_refused(void **state)
{
	static const uint32_t bad[] = { 0, 2, 3, MSG_VERSION | MSG_REPLY };
	struct vstate_dev *dev = dev_create();
	struct context c;
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(bad); i++) {
		context_fill(&c, MSG_GET_FEATURES, 0);
		c.msg.flags = bad[i];
		assert_int_equal(context_check(dev, &c), VSTATE_MSG_R_VERSION);
	}
	context_fill(&c, MSG_GET_FEATURES, 0);
	c.msg.flags = MSG_VERSION | MSG_NEED_REPLY;
	assert_int_equal(context_check(dev, &c), VSTATE_MSG_R_NONE);
	dev_destroy(dev);
}

/* rte_vhost loses descriptors when it cannot map one of them. */
static void
memory_that_cannot_be_mapped_is_refused(void **state)
{
	struct vstate_dev *dev = dev_create();
	int fd, kind;
	struct context c;
	uint32_t request;
	char path[64];

	RTE_SET_USED(state);
	for (kind = 0; kind < 3; kind++) {
		for (request = MSG_SET_MEM_TABLE; request <= MSG_SET_LOG_BASE; request++) {
			context_fill(&c, request, 1);
			snprintf(path, sizeof(path), "/proc/self/fd/%d", c.fds[0]);
			fd = kind == 0 ? open(path, O_RDONLY) : kind == 1 ? eventfd(0, 0) :
				open("/", O_RDONLY | O_DIRECTORY);
			assert_true(fd >= 0);
			close(c.fds[0]);
			c.fds[0] = fd;
			assert_int_equal(context_check(dev, &c), request == MSG_SET_MEM_TABLE ?
					VSTATE_MSG_R_MEM_MAP : VSTATE_MSG_R_LOG_MAP);
		}
	}
	dev_destroy(dev);
}

static void
config_space_out_of_range_is_refused(void **state)
{
	static const struct {
		uint32_t offset, size;
		bool good;
	} rows[] = {
		{ 0, 28, true }, { 0, 29, false }, { 228, 28, true }, { 229, 28, false },
		{ UINT32_MAX, 8, false }, { 8, UINT32_MAX, false }, { 256, 0, true },
	};
	struct vstate_dev *dev = dev_create();
	unsigned int i, request;
	struct context c;

	RTE_SET_USED(state);
	for (request = MSG_GET_CONFIG; request <= MSG_SET_CONFIG; request++) {
		for (i = 0; i < RTE_DIM(rows); i++) {
			context_fill(&c, request, 0);
			c.msg.config.offset = rows[i].offset;
			c.msg.config.size = rows[i].size;
			assert_int_equal(context_check(dev, &c), rows[i].good ?
					VSTATE_MSG_R_NONE : VSTATE_MSG_R_CONFIG);
		}
	}
	dev_destroy(dev);
}

static void
no_descriptor_is_expected_with_the_bit_for_none(void **state)
{
	static const uint32_t requests[] = { MSG_SET_VRING_KICK, MSG_SET_VRING_CALL,
		MSG_SET_VRING_ERR };
	const struct vstate_msg_row *row;
	struct context c;
	int min, max;
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(requests); i++) {
		row = vstate_msg_find(requests[i]);
		context_fill(&c, requests[i], 0);
		c.msg.u64 = 0x100;
		assert_true(vstate_msg_fds_range(row, &c.msg, &min, &max));
		assert_int_equal(max, 0);
		c.msg.u64 = 0;
		assert_true(vstate_msg_fds_range(row, &c.msg, &min, &max));
		assert_int_equal(min, 1);
		c.msg.size = 7;
		assert_false(vstate_msg_fds_range(row, &c.msg, &min, &max));
	}
}

static void
queue_that_no_device_has_is_refused(void **state)
{
	/* queues of a larger device are accepted, and ignored later */
	static const uint32_t inside[] = { 0, NB_VQS - 1, NB_VQS, 127, 128 };
	static const uint32_t outside[] = { 129, 255, 65536, UINT32_MAX };
	struct vstate_dev *dev = dev_create();
	unsigned int i, j, want;
	struct context c;
	bool byte;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(expected); i++) {
		byte = vstate_msg_find(expected[i].request)->queue == MSG_QUEUE_LOW_BYTE;
		for (j = 0; expected[i].queue && j < RTE_DIM(inside); j++) {
			context_fill(&c, expected[i].request, expected[i].nb_fds);
			c.msg.state.index = inside[j];
			assert_int_equal(context_check(dev, &c),
					is_never_offered(expected[i].request) ?
					VSTATE_MSG_R_NOT_OFFERED : VSTATE_MSG_R_NONE);
		}
		for (j = 0; j < RTE_DIM(outside); j++) {
			context_fill(&c, expected[i].request, byte && (outside[j] & 0x100) ? 0 :
					expected[i].nb_fds);
			if (expected[i].queue)
				c.msg.state.index = outside[j];
			/* bits above the low byte are no part of the queue */
			want = expected[i].queue && !(byte && (outside[j] & 0xff) <= 128) ?
				VSTATE_MSG_R_QUEUE_INDEX : VSTATE_MSG_R_NONE;
			if (is_never_offered(expected[i].request))
				want = VSTATE_MSG_R_NOT_OFFERED;
			assert_int_equal(context_check(dev, &c), want);
		}
	}
	dev_destroy(dev);
}

static void
table_expect(struct vstate_dev *dev, struct msg_region a, struct msg_region b,
		enum vstate_msg_refusal want)
{
	struct context c;

	context_fill(&c, MSG_SET_MEM_TABLE, 2);
	c.msg.size = 8 + 2 * sizeof(a);
	c.msg.memory.nb_regions = 2;
	c.msg.memory.regions[0] = a;
	c.msg.memory.regions[1] = b;
	assert_int_equal(context_check(dev, &c), want);
}

static void
bad_memory_table_is_refused(void **state)
{
	const struct msg_region good = { 0, FILE_SIZE, 1 << 20, 0 };
	const struct msg_region next = { FILE_SIZE, FILE_SIZE, 2 << 20, 0 };
	struct vstate_dev *dev = dev_create();
	struct msg_region bad;
	struct context c;
	uint32_t n;

	RTE_SET_USED(state);
	table_expect(dev, good, next, VSTATE_MSG_R_NONE);
	for (n = 0; n <= MSG_MAX_REGIONS + 1; n++) {
		context_fill(&c, MSG_SET_MEM_TABLE, 1);
		c.msg.memory.nb_regions = n;
		assert_int_equal(context_check(dev, &c), n == 1 ? VSTATE_MSG_R_NONE :
				n == 0 || n > MSG_MAX_REGIONS ? VSTATE_MSG_R_MEM_COUNT :
				VSTATE_MSG_R_MEM_SHORT);
	}
	bad = next;
	bad.gpa = UINT64_MAX - 100;
	table_expect(dev, good, bad, VSTATE_MSG_R_MEM_WRAP);
	bad = next;
	bad.uva = UINT64_MAX - 100;
	table_expect(dev, good, bad, VSTATE_MSG_R_MEM_WRAP);
	bad = next;
	bad.size = 0;
	table_expect(dev, good, bad, VSTATE_MSG_R_MEM_FILE);
	bad = next;
	bad.offset = 1;
	table_expect(dev, good, bad, VSTATE_MSG_R_MEM_FILE);
	bad = next;
	bad.offset = UINT64_MAX;
	table_expect(dev, good, bad, VSTATE_MSG_R_MEM_FILE);
	bad = next;
	bad.gpa = good.gpa + good.size - 1;
	table_expect(dev, good, bad, VSTATE_MSG_R_MEM_OVERLAP);
	bad = next;
	bad.uva = good.uva;
	table_expect(dev, good, bad, VSTATE_MSG_R_MEM_OVERLAP);
	/* to the last byte */
	bad = next;
	bad.gpa = UINT64_MAX - bad.size;
	bad.uva = UINT64_MAX - bad.size;
	table_expect(dev, good, bad, VSTATE_MSG_R_NONE);
	dev_destroy(dev);
}

/* Four regions that touch each other. Each of them can overlap any other one. */
static void
each_pair_of_regions_is_compared(void **state)
{
	struct vstate_dev *dev = dev_create();
	struct context c;
	unsigned int i, j, r;
	int kind;

	RTE_SET_USED(state);
	for (i = 0; i < 4; i++) {
		for (j = 0; j < 4; j++) {
			for (kind = 0; kind < 2 && i != j; kind++) {
				context_fill(&c, MSG_SET_MEM_TABLE, 4);
				c.msg.size = 8 + 4 * sizeof(struct msg_region);
				c.msg.memory.nb_regions = 4;
				for (r = 0; r < 4; r++)
					c.msg.memory.regions[r] = (struct msg_region){
						r * FILE_SIZE, FILE_SIZE,
						(1 << 20) + r * FILE_SIZE, 0 };
				assert_int_equal(context_check(dev, &c), VSTATE_MSG_R_NONE);
				context_fill(&c, MSG_SET_MEM_TABLE, 4);
				c.msg.size = 8 + 4 * sizeof(struct msg_region);
				c.msg.memory.nb_regions = 4;
				for (r = 0; r < 4; r++)
					c.msg.memory.regions[r] = (struct msg_region){
						10 * r * FILE_SIZE, FILE_SIZE,
						(1 << 20) + 10 * r * FILE_SIZE, 0 };
				/* one byte of region i is region j's */
				if (kind == 0)
					c.msg.memory.regions[i].gpa = 10 * j * FILE_SIZE +
						FILE_SIZE - 1;
				else
					c.msg.memory.regions[i].uva = (1 << 20) +
						10 * j * FILE_SIZE + FILE_SIZE - 1;
				assert_int_equal(context_check(dev, &c),
						VSTATE_MSG_R_MEM_OVERLAP);
			}
		}
	}
	dev_destroy(dev);
}

static void
bad_dirty_log_is_refused(void **state)
{
	struct vstate_dev *dev = dev_create();
	struct context c;

	RTE_SET_USED(state);
	context_fill(&c, MSG_SET_LOG_BASE, 1);
	c.msg.log.offset = 4096;
	assert_int_equal(context_check(dev, &c), VSTATE_MSG_R_LOG_OFFSET);
	context_fill(&c, MSG_SET_LOG_BASE, 1);
	c.msg.log.size = FILE_SIZE + 1;
	assert_int_equal(context_check(dev, &c), VSTATE_MSG_R_LOG_FILE);
	context_fill(&c, MSG_SET_LOG_BASE, 1);
	c.msg.log.size = 0;
	assert_int_equal(context_check(dev, &c), VSTATE_MSG_R_LOG_FILE);
	dev_destroy(dev);
}

static void
bad_queue_size_is_refused(void **state)
{
	static const uint32_t bad[] = { 0, 32769, 65536, UINT32_MAX };
	struct vstate_dev *dev = dev_create();
	struct context c;
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(bad); i++) {
		context_fill(&c, MSG_SET_VRING_NUM, 0);
		c.msg.state.num = bad[i];
		assert_int_equal(context_check(dev, &c), VSTATE_MSG_R_QUEUE_SIZE);
	}
	context_fill(&c, MSG_SET_VRING_NUM, 0);
	c.msg.state.num = 32768;
	assert_int_equal(context_check(dev, &c), VSTATE_MSG_R_NONE);
	dev_destroy(dev);
}

static void
inflight_region_that_was_not_negotiated_is_refused(void **state)
{
	struct vstate_dev *dev = dev_create();
	struct context c;

	RTE_SET_USED(state);
	dev->connection->protocol &= ~VSTATE_PROTOCOL_F_INFLIGHT;
	context_fill(&c, MSG_GET_INFLIGHT_FD, 0);
	assert_int_equal(context_check(dev, &c), VSTATE_MSG_R_NOT_OFFERED);
	/* the better reason of two */
	context_fill(&c, MSG_SET_INFLIGHT_FD, 2);
	assert_int_equal(context_check(dev, &c), VSTATE_MSG_R_NOT_OFFERED);
	dev_destroy(dev);
}

/* After all others: they have set reason_seen. */
static void
each_reason_is_refused_by_a_test(void **state)
{
	bool complete = true;
	unsigned int r;

	RTE_SET_USED(state);
	for (r = VSTATE_MSG_R_NONE + 1; r < VSTATE_MSG_R_MAX; r++) {
		/* test_vstate_door.c has the tests of these two */
		if (reason_seen[r] || r == VSTATE_MSG_R_FEATURES || r == VSTATE_MSG_R_RTE_VHOST)
			continue;
		print_error("reason %s has no test\n", vstate_msg_refused_name(r));
		complete = false;
	}
	assert_true(complete);
}

int
test_vstate_msg(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_and_names_are_the_specification_s),
		cmocka_unit_test(names_are_unique),
		cmocka_unit_test(requests_that_remap_rings_quiesce_queues),
		cmocka_unit_test(requests_that_the_device_answers_have_a_handler),
		cmocka_unit_test(each_handler_has_one_row),
		cmocka_unit_test(replay_has_one_request_for_each_place),
		cmocka_unit_test(replay_has_memory_before_addresses_and_status_last),
		cmocka_unit_test(stopped_ring_loses_its_kick_and_call_only),
		cmocka_unit_test(honest_message_is_accepted),
		cmocka_unit_test(payload_one_byte_short_is_refused),
		cmocka_unit_test(wrong_number_of_descriptors_is_refused),
		cmocka_unit_test(answer_or_other_version_is_refused),
		cmocka_unit_test(memory_that_cannot_be_mapped_is_refused),
		cmocka_unit_test(config_space_out_of_range_is_refused),
		cmocka_unit_test(no_descriptor_is_expected_with_the_bit_for_none),
		cmocka_unit_test(queue_that_no_device_has_is_refused),
		cmocka_unit_test(bad_memory_table_is_refused),
		cmocka_unit_test(each_pair_of_regions_is_compared),
		cmocka_unit_test(bad_dirty_log_is_refused),
		cmocka_unit_test(bad_queue_size_is_refused),
		cmocka_unit_test(inflight_region_that_was_not_negotiated_is_refused),
		cmocka_unit_test(each_reason_is_refused_by_a_test),
	};

	return cmocka_run_group_tests_name("vstate_msg", tests, NULL, NULL);
}
