/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>
#include <rte_errno.h>

#include "clock.h"
#include "guest_core.h"
#include "guest_features.h"
#include "guest_link.h"
#include "guest_traffic.h"
#include "hostile_witness.h"

#define RING_SIZE 64
/* Frames a second: enough to see that they flow, little for a busy machine. */
#define RATE 500
#define QUEUES 2

void
hostile_witness_init(struct hostile_witness *w, const char *path)
{
	memset(w, 0, sizeof(*w));
	w->path = path;
}

static void
witness_disconnect(struct hostile_witness *w)
{
	if (w->g != NULL)
		guest_traffic_stop(w->g, 0);
	guest_link_close(w->l);
	guest_destroy(w->g);
	w->l = NULL;
	w->g = NULL;
}

static int __rte_format_printf(2, 3)
witness_fail(struct hostile_witness *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->why, sizeof(w->why), fmt, ap);
	va_end(ap);
	/* Later answers could belong to this request. */
	witness_disconnect(w);
	return -EPROTO;
}

int
hostile_witness_open(struct hostile_witness *w)
{
	struct guest_conf conf = {
		.pairs = 1, .ring_size = RING_SIZE, .features = GUEST_FEATURES_DEFAULT,
		.frame_min = 60, .frame_max = 200, .seed = 2, .rate = RATE,
	};
	int ret;

	if (w->path == NULL || w->l != NULL)
		return 0;
	w->g = guest_create(&conf);
	if (w->g == NULL)
		return witness_fail(w, "out of memory");
	w->l = guest_connect(w->g, w->path, false, HOSTILE_WITNESS_MS);
	if (w->l == NULL)
		return witness_fail(w, "no connection to the second device: %s",
			strerror(rte_errno));
	w->l->fe.timeout_ms = HOSTILE_WITNESS_MS;
	ret = guest_link_prepare(w->l);
	if (ret == 0)
		ret = guest_link_driver_ok(w->l);
	if (ret == 0)
		ret = guest_traffic_start(w->g);
	if (ret < 0)
		return witness_fail(w, "the second device cannot be set up: %s", strerror(-ret));
	if (guest_wait_flow(w->g, HOSTILE_WITNESS_MS) < 0)
		return witness_fail(w, "no frames come back from the second device");
	return 0;
}

int
hostile_witness_probe(struct hostile_witness *w)
{
	uint64_t features, begin;
	int ret;

	if (w->path == NULL)
		return 0;
	ret = hostile_witness_open(w);
	if (ret < 0)
		return ret;
	begin = clock_ns();
	ret = vu_fe_get_u64(&w->l->fe, VU_GET_FEATURES, &features);
	if (ret < 0)
		return witness_fail(w, "the second device does not answer GET_FEATURES: %s",
			strerror(-ret));
	return stats_add(&w->times, clock_ns() - begin);
}

int
hostile_witness_flow(struct hostile_witness *w)
{
	int ret = hostile_witness_probe(w);

	if (ret < 0 || w->path == NULL)
		return ret;
	if (guest_wait_flow(w->g, HOSTILE_WITNESS_MS) < 0)
		return witness_fail(w, "frames of the second device no longer come back");
	return 0;
}

int
hostile_witness_round(struct hostile_witness *w)
{
	uint64_t begin;
	uint16_t vq;
	int ret = hostile_witness_probe(w);

	if (ret < 0 || w->path == NULL)
		return ret;
	begin = clock_ns();
	ret = guest_link_stop(w->l);
	if (ret < 0)
		return witness_fail(w, "the second device does not answer GET_VRING_BASE: %s",
			strerror(-ret));
	ret = stats_add(&w->times, (clock_ns() - begin) / QUEUES);
	for (vq = 0; vq < QUEUES; vq++)
		guest_link_set_base(w->l, vq, guest_link_base(w->l, vq));
	if (ret == 0)
		ret = guest_link_prepare(w->l);
	if (ret == 0)
		ret = guest_link_driver_ok(w->l);
	if (ret < 0)
		return witness_fail(w, "the second device cannot be set up again: %s",
			strerror(-ret));
	if (guest_wait_flow(w->g, HOSTILE_WITNESS_MS) < 0)
		return witness_fail(w,
			"no frames come back from the second device after it was set up again");
	return 0;
}

void
hostile_witness_close(struct hostile_witness *w)
{
	witness_disconnect(w);
	stats_free(&w->times);
}
