/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/*
 * VIRTIO 1.4 "Device parts": items P are requirements of the device, items R of the driver. The
 * bytes are read and changed by the tables of the guide, without the code of the library.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <rte_byteorder.h>

#include "backend.h"
#include "conform.h"
#include "conform_parts.h"
#include "guest_traffic.h"
#include "rte_vhost_state_backend.h"

#define HEADER 32
#define PART 16
#define TYPE_DEV_FEATURES 0x100
#define TYPE_DRV_FEATURES 0x101

/* ---- bytes ---- */

static uint32_t
le32_get(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return rte_le_to_cpu_32(v);
}

static void
le32_put(uint8_t *p, uint32_t v)
{
	v = rte_cpu_to_le_32(v);
	memcpy(p, &v, sizeof(v));
}

static uint16_t
type_of(const uint8_t *part)
{
	return part[0] | part[1] << 8;
}

static size_t
part_size(const uint8_t *part)
{
	return PART + le32_get(part + 12);
}

/* Write length and checksums after a change. */
static void
state_seal(uint8_t *state, size_t len)
{
	le32_put(state + 12, len);
	le32_put(state + 16, crc32(0, state + HEADER, len - HEADER));
	le32_put(state + 28, crc32(0, state, 28));
}

static uint8_t *
part_find(uint8_t *state, size_t len, uint16_t type)
{
	uint8_t *p;

	for (p = state + HEADER; p + PART <= state + len; p += part_size(p))
		if (type_of(p) == type)
			return p;
	return NULL;
}

/* ---- items ---- */

static int
stop_and_get(struct conform *c, uint8_t **bytes, size_t *len)
{
	int ret;

	if (conform_begin(c, CONFORM_RUNNING) < 0)
		return -1;
	ret = conform_suspend(c);
	if (ret == 0)
		ret = conform_get(c, bytes, len);
	return ret < 0 ? conform_no(c, "cannot get the state: %s", strerror(-ret)) : 0;
}

/* The device must accept this state, and frames must flow. */
static int
move_and_run(struct conform *c, const uint8_t *bytes, size_t len)
{
	if (conform_move(c, bytes, len) < 0)
		return -1;
	return conform_run(c);
}

static int
item_p2(struct conform *c)
{
	uint8_t *a, *b;
	size_t len, size;
	int ret;

	if (stop_and_get(c, &a, &len) < 0)
		return -1;
	ret = conform_get(c, &b, &size);
	if (ret < 0)
		ret = conform_no(c, "the second get failed: %s", strerror(-ret));
	else if (size != len || memcmp(a, b, len) != 0)
		ret = conform_no(c, "two gets return different states");
	free(b);
	/*
	 * A set after another set. With vhost-user, the first one belongs to a closed connection.
	 */
	if (ret == 0)
		ret = conform_move(c, a, len);
	if (ret == 0 && !c->user && conform_set(c, a, len) < 0)
		ret = conform_no(c, "the second set is refused");
	if (ret == 0)
		ret = c->user ? move_and_run(c, a, len) : conform_run(c);
	free(a);
	return ret;
}

static int
item_p3(struct conform *c)
{
	unsigned int vq, last_type = 0, last_vq = 0;
	uint8_t *a, *p;
	size_t len;
	int ret = 0;

	if (stop_and_get(c, &a, &len) < 0)
		return -1;
	for (p = a + HEADER; p < a + len && ret == 0; p += part_size(p)) {
		vq = p[4] | p[5] << 8;
		if (type_of(p) < last_type || (type_of(p) == last_type && vq <= last_vq))
			ret = conform_no(c, "part 0x%x of virtqueue %u after part 0x%x of %u",
				type_of(p), vq, last_type, last_vq);
		last_type = type_of(p);
		last_vq = vq;
	}
	if (ret == 0 && p != a + len)
		ret = conform_no(c, "the last part does not end at the end of the state");
	if (ret == 0)
		ret = move_and_run(c, a, len);
	free(a);
	return ret;
}

/* P4, R1: a running device refuses a state, and continues to run. */
static int
item_p4(struct conform *c)
{
	uint8_t *a;
	size_t len;
	int ret;

	if (stop_and_get(c, &a, &len) < 0)
		return -1;
	ret = conform_resume(c);
	if (ret < 0)
		ret = conform_no(c, "cannot resume: %s", strerror(-ret));
	else if (conform_set(c, a, len) == 0)
		ret = conform_no(c, "a running device accepted a state");
	else
		ret = conform_flow(c);
	free(a);
	return ret;
}

/* The device must refuse @p bytes, and then accept the correct state. */
static int
refusal_check(struct conform *c, const char *what, const uint8_t *bytes, size_t size,
		const uint8_t *good, size_t len)
{
	if (conform_reopen(c) < 0)
		return -1;
	if (conform_set(c, bytes, size) == 0)
		return conform_no(c, "%s was accepted", what);
	return move_and_run(c, good, len);
}

/* Get the state, and a copy for changes. */
static int
stop_and_get_two(struct conform *c, uint8_t **a, uint8_t **bad, size_t *len)
{
	if (stop_and_get(c, a, len) < 0)
		return -1;
	*bad = malloc(*len);
	if (*bad == NULL) {
		free(*a);
		return conform_no(c, "out of memory");
	}
	memcpy(*bad, *a, *len);
	return 0;
}

static int
item_p5(struct conform *c)
{
	uint8_t *a, *bad, *p;
	size_t len;
	int ret;

	if (stop_and_get_two(c, &a, &bad, &len) < 0)
		return -1;
	/* Make the features one byte shorter. All other parts stay intact. */
	p = part_find(bad, len, TYPE_DRV_FEATURES);
	if (p == NULL) {
		ret = conform_no(c, "no driver features in the state");
	} else {
		le32_put(p + 12, le32_get(p + 12) - 1);
		memmove(p + part_size(p), p + part_size(p) + 1, bad + len - (p + part_size(p) + 1));
		state_seal(bad, len - 1);
		ret = refusal_check(c, "a part of a wrong length", bad, len - 1, a, len);
	}
	free(bad);
	free(a);
	return ret;
}

/* The source offered more features: the state is accepted, and the device keeps its own. */
static int
item_p6(struct conform *c)
{
	struct rte_vhost_state_info before, after;
	uint8_t *a, *p;
	size_t len;
	int ret;

	if (stop_and_get(c, &a, &len) < 0)
		return -1;
	c->be->ops->info(c->be, &before);
	p = part_find(a, len, TYPE_DEV_FEATURES);
	if (p == NULL) {
		ret = conform_no(c, "no device features in the state");
	} else {
		/* feature 62, which no device has */
		p[PART + 7] |= 0x40;
		state_seal(a, len);
		ret = move_and_run(c, a, len);
		c->be->ops->info(c->be, &after);
	}
	if (ret == 0 && before.limits.device_features != after.limits.device_features)
		ret = conform_no(c, "the features of a state were applied to the device");
	free(a);
	return ret;
}

/* An unknown part behind all others, with or without OPTIONAL. */
static int
foreign_part(struct conform *c, bool optional)
{
	uint8_t *a, *more;
	size_t len;
	int ret;

	if (stop_and_get(c, &a, &len) < 0)
		return -1;
	more = calloc(1, len + PART + 4);
	if (more == NULL) {
		free(a);
		return conform_no(c, "out of memory");
	}
	memcpy(more, a, len);
	more[len] = 0xfe;
	more[len + 1] = 0xff;
	more[len + 2] = optional;
	le32_put(more + len + 12, 4);
	state_seal(more, len + PART + 4);
	ret = optional ? move_and_run(c, more, len + PART + 4) :
		refusal_check(c, "an unknown part that is not optional", more, len + PART + 4, a,
			len);
	free(more);
	free(a);
	return ret;
}

static int
item_p7(struct conform *c)
{
	return foreign_part(c, true);
}

/* P8: a valid state that the device must refuse for its features has no side effect. */
static int
item_p8(struct conform *c)
{
	struct rte_vhost_state *st;
	uint8_t *a, *bad = NULL;
	size_t len, size = 0;
	int ret = -1;

	if (stop_and_get(c, &a, &len) < 0)
		return -1;
	st = rte_vhost_state_decode(a, len, NULL);
	if (st != NULL) {
		st->device_features |= UINT64_C(1) << 62;
		st->driver_features |= UINT64_C(1) << 62;
		st->vqs[0].avail_idx ^= 1;
		st->vqs[0].used_idx ^= 1;
		size = rte_vhost_state_encoded_size(st);
		bad = malloc(size);
	}
	if (bad != NULL && rte_vhost_state_encode(st, bad, size, &size, NULL) == 0)
		ret = refusal_check(c, "a state with an unknown feature", bad, size, a, len);
	else
		conform_no(c, "cannot encode the changed state");
	rte_vhost_state_free(st);
	free(bad);
	free(a);
	return ret;
}

/* P9: a state takes effect only when the device runs. */
static int
item_p9(struct conform *c)
{
	const int configured = RTE_VHOST_STATE_S_ACKNOWLEDGE | RTE_VHOST_STATE_S_DRIVER |
		RTE_VHOST_STATE_S_FEATURES_OK;
	struct guest_counts before, after;
	uint8_t *a;
	size_t len;
	int ret;

	if (stop_and_get(c, &a, &len) < 0)
		return -1;
	guest_counts_get(c->guest, &before);
	ret = conform_move(c, a, len);
	free(a);
	if (ret < 0)
		return -1;
	ret = conform_status(c);
	guest_counts_get(c->guest, &after);
	if (ret != configured)
		return conform_no(c, "status 0x%x after a set", ret);
	/* The guest may still take back buffers that were used before the stop. */
	if (after.received > before.received + 256)
		return conform_no(c, "frames flow before DRIVER_OK");
	return conform_run(c);
}

static int
item_p10(struct conform *c)
{
	return foreign_part(c, false);
}

/* R2: parts out of table order are refused. */
static int
item_r2(struct conform *c)
{
	uint8_t *a, *bad, *first, *second;
	size_t len, n1, n2;
	int ret;

	if (stop_and_get_two(c, &a, &bad, &len) < 0)
		return -1;
	first = a + HEADER;
	n1 = part_size(first);
	second = first + n1;
	n2 = part_size(second);
	memcpy(bad + HEADER, second, n2);
	memcpy(bad + HEADER + n2, first, n1);
	state_seal(bad, len);
	ret = refusal_check(c, "parts out of order", bad, len, a, len);
	free(bad);
	free(a);
	return ret;
}

const struct conform_item conform_parts_items[] = {
	{ "P2", "get and set can be repeated", item_p2 },
	{ "P3", "parts come in table order", item_p3 },
	{ "P4", "a set while running is an error", item_p4 },
	{ "P5", "a wrong length is an error", item_p5 },
	{ "P6", "device features are verified, not applied", item_p6 },
	{ "P7", "optional parts may be ignored", item_p7 },
	{ "P8", "a set that fails has no side effect", item_p8 },
	{ "P9", "a set takes effect when the device runs", item_p9 },
	{ "P10", "an unknown part is refused unless it is optional", item_p10 },
	{ "R1", "a driver stops the device before it sets parts", item_p4 },
	{ "R2", "a driver sets parts in table order", item_r2 },
	{ NULL, NULL, NULL },
};
