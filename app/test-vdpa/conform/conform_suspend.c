/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/* VIRTIO 1.4 "Device Suspend": items D are requirements of the driver, items S of the device. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend.h"
#include "conform.h"
#include "conform_suspend.h"
#include "guest_core.h"
#include "guest_link.h"
#include "guest_traffic.h"
#include "vhost_user_fe.h"

#define CONFIGURED (RTE_VHOST_STATE_S_ACKNOWLEDGE | RTE_VHOST_STATE_S_DRIVER | \
	RTE_VHOST_STATE_S_FEATURES_OK)
#define RUNNING (CONFIGURED | RTE_VHOST_STATE_S_DRIVER_OK)
#define SUSPENDED (CONFIGURED | RTE_VHOST_STATE_S_SUSPEND)

/* Long enough for thousands of frames if the device still ran. */
#define WATCH_US 30000

static int
suspend_device(struct conform *c)
{
	int ret = conform_suspend(c);

	return ret < 0 ? conform_no(c, "cannot suspend: %s", strerror(-ret)) : 0;
}

static int
resume_device(struct conform *c)
{
	int ret = conform_resume(c);

	return ret < 0 ? conform_no(c, "cannot resume: %s", strerror(-ret)) : 0;
}

static int
status_is(struct conform *c, int want)
{
	int status = conform_status(c);

	if (status < 0 || status == want)
		return status < 0 ? -1 : 0;
	return conform_no(c, "the status is 0x%x, 0x%x is expected", status, want);
}

/* Write a status that a driver must not write. */
static int
status_force(struct conform *c, uint8_t status)
{
	int ret = vu_fe_set_u64(&c->link->fe, VU_SET_STATUS, status);

	return ret < 0 ? conform_no(c, "SET_STATUS failed: %s", strerror(-ret)) : 0;
}

/* D1: the driver does not suspend too early or without the feature; the device would refuse. */
static int
item_d1(struct conform *c)
{
	if (conform_begin(c, CONFORM_PREPARED) < 0)
		return -1;
	if (conform_suspend(c) == 0)
		return conform_no(c, "the device is suspended without DRIVER_OK");
	if (status_is(c, CONFIGURED) < 0)
		return -1;
	c->link->features &= ~(UINT64_C(1) << GUEST_F_SUSPEND);
	if (guest_link_suspend(c->link) != -ENOTSUP)
		return conform_no(c, "the driver writes SUSPEND without the feature");
	/* The device decides by the negotiated features, so negotiate without the feature. */
	if (vu_fe_set_u64(&c->link->fe, VU_SET_FEATURES, c->link->features) < 0 ||
			conform_run(c) < 0 ||
			status_force(c, RUNNING | RTE_VHOST_STATE_S_SUSPEND) < 0)
		return conform_no(c, "cannot run the device without the feature");
	return status_is(c, RUNNING) < 0 ? -1 : conform_flow(c);
}

/* D2: suspended means SUSPEND set and DRIVER_OK clear, in the API and in the status byte. */
static int
item_d2(struct conform *c)
{
	if (conform_begin(c, CONFORM_RUNNING) < 0 || suspend_device(c) < 0 ||
			status_is(c, SUSPENDED) < 0)
		return -1;
	return resume_device(c) < 0 ? -1 : conform_flow(c);
}

/* D3: no new buffers, no notifications. */
static int
item_d3(struct conform *c)
{
	struct guest_notify before, after;
	uint16_t avail[4], vq;

	if (conform_begin(c, CONFORM_RUNNING) < 0)
		return -1;
	for (vq = 0; vq < 2; vq++)
		if (guest_pair_pause(c->guest, vq, 3000) < 0)
			return conform_no(c, "the driver cannot pause pair %u", vq);
	if (suspend_device(c) < 0)
		return -1;
	guest_notify_get(c->guest, &before);
	for (vq = 0; vq < 4; vq++)
		avail[vq] = guest_ring_of(c->guest, vq)->avail;
	usleep(WATCH_US);
	guest_notify_get(c->guest, &after);
	for (vq = 0; vq < 4; vq++)
		if (avail[vq] != guest_ring_of(c->guest, vq)->avail)
			return conform_no(c, "the driver added buffers to virtqueue %u", vq);
	if (before.kicks != after.kicks)
		return conform_no(c, "the driver sent notifications");
	if (resume_device(c) < 0)
		return -1;
	for (vq = 0; vq < 2; vq++)
		guest_pair_resume(c->guest, vq);
	return conform_flow(c);
}

/* D4: resumed means SUSPEND clear and DRIVER_OK set. */
static int
item_d4(struct conform *c)
{
	if (conform_begin(c, CONFORM_RUNNING) < 0 || suspend_device(c) < 0 || resume_device(c) < 0)
		return -1;
	return status_is(c, RUNNING) < 0 ? -1 : conform_flow(c);
}

static int
item_s1(struct conform *c)
{
	if (conform_begin(c, CONFORM_PREPARED) < 0)
		return -1;
	if (c->user && status_force(c, CONFIGURED | RTE_VHOST_STATE_S_SUSPEND) < 0)
		return -1;
	if (!c->user && conform_suspend(c) != -EAGAIN)
		return conform_no(c, "a suspend without DRIVER_OK does not return -EAGAIN");
	return status_is(c, CONFIGURED) < 0 ? -1 : conform_run(c);
}

/* Get the state again and compare it with @p a: during one stop both must be equal. */
static int
state_unchanged(struct conform *c, const uint8_t *a, size_t len)
{
	uint8_t *b;
	size_t size;
	bool same;

	if (conform_get(c, &b, &size) < 0)
		return conform_no(c, "cannot get the state");
	same = size == len && memcmp(a, b, len) == 0;
	free(b);
	return same ? 0 : conform_no(c, "the state changed while the device was suspended");
}

/* The network device has no config field that a driver may write: no write may succeed. */
static int
item_s2(struct conform *c)
{
	struct { uint32_t offset, size, flags; uint8_t mac[6]; } config = { 0, 6, 0, { 2, 9 } };
	uint8_t *a;
	size_t len;
	int ret;

	if (conform_begin(c, CONFORM_RUNNING) < 0 || suspend_device(c) < 0)
		return -1;
	if (conform_get(c, &a, &len) < 0)
		return conform_no(c, "cannot get the state");
	if (vu_fe_request(&c->link->fe, VU_SET_CONFIG, &config, 18, NULL, 0) == 0)
		ret = conform_no(c, "a config write was accepted while suspended");
	else
		ret = state_unchanged(c, a, len);
	free(a);
	if (ret < 0 || resume_device(c) < 0)
		return -1;
	return conform_flow(c);
}

/* S3, P12: no queue access, buffers or notifications, although the driver still adds buffers. */
static int
nothing_moves(struct conform *c)
{
	struct guest_counts before, after;
	struct guest_notify n0, n1;
	uint8_t *a;
	size_t len;
	int ret;

	guest_use_calls(c->guest, true);
	if (suspend_device(c) < 0)
		return -1;
	/* After this time the guest has seen all buffers and calls from before the stop. */
	usleep(WATCH_US);
	if (conform_get(c, &a, &len) < 0)
		return conform_no(c, "cannot get the state");
	guest_counts_get(c->guest, &before);
	guest_notify_get(c->guest, &n0);
	usleep(WATCH_US);
	guest_counts_get(c->guest, &after);
	guest_notify_get(c->guest, &n1);
	ret = state_unchanged(c, a, len);
	free(a);
	if (before.received != after.received)
		return conform_no(c, "frames were received while suspended");
	if (n0.calls != n1.calls)
		return conform_no(c, "notifications came while suspended");
	if (ret < 0 || resume_device(c) < 0)
		return -1;
	return conform_flow(c);
}

static int
item_s3(struct conform *c)
{
	return conform_begin(c, CONFORM_RUNNING) < 0 ? -1 : nothing_moves(c);
}

/* Get and decode the state. @return NULL after conform_no() */
static struct rte_vhost_state *
state_get(struct conform *c)
{
	struct rte_vhost_state *st;
	uint8_t *a;
	size_t len;

	if (conform_get(c, &a, &len) < 0) {
		conform_no(c, "cannot get the state");
		return NULL;
	}
	st = rte_vhost_state_decode(a, len, NULL);
	free(a);
	if (st == NULL)
		conform_no(c, "the state is invalid");
	return st;
}

static int
mtu_get(struct conform *c, uint16_t *mtu)
{
	struct rte_vhost_state *st = state_get(c);

	if (st == NULL)
		return -1;
	*mtu = st->net.mtu;
	rte_vhost_state_free(st);
	return 0;
}

/* S4: a change of the configuration (the MTU) while suspended takes effect at resume. */
static int
item_s4(struct conform *c)
{
	uint16_t before = 0, during = 0, after = 0;

	if (conform_begin(c, CONFORM_RUNNING) < 0 || suspend_device(c) < 0 ||
			mtu_get(c, &before) < 0)
		return -1;
	if (vu_fe_set_u64(&c->link->fe, VU_NET_SET_MTU, 1444) < 0)
		return conform_no(c, "the MTU cannot be set");
	if (mtu_get(c, &during) < 0 || resume_device(c) < 0 || conform_flow(c) < 0 ||
			suspend_device(c) < 0 || mtu_get(c, &after) < 0)
		return -1;
	if (before == 1444 || during != before || after != 1444)
		return conform_no(c, "MTU %u before, %u while suspended, %u after resume; 1444 was "
			"set", before, during, after);
	return resume_device(c) < 0 ? -1 : conform_flow(c);
}

/* S5: after each request the device is suspended, or it reports that it is not. */
static int
item_s5(struct conform *c)
{
	struct rte_vhost_state_error err;
	unsigned int i;
	int ret;

	if (conform_begin(c, CONFORM_RUNNING) < 0)
		return -1;
	for (i = 0; i < 50; i++) {
		memset(&err, 0, sizeof(err));
		/* 1 us: a burst may take longer. */
		ret = c->user ? guest_link_suspend(c->link) :
			c->be->ops->suspend(c->be, 1, &err);
		if (ret != 0 && err.reason != RTE_VHOST_STATE_R_TIMEOUT)
			return conform_no(c, "cannot suspend: %s", strerror(-ret));
		if (status_is(c, ret == 0 ? SUSPENDED : RUNNING) < 0)
			return -1;
		if (ret == 0 && resume_device(c) < 0)
			return -1;
	}
	return conform_flow(c);
}

/* S6: the device resumes, or reports that it cannot, as without its rings. */
static int
item_s6(struct conform *c)
{
	int ret, status;

	if (conform_begin(c, CONFORM_RUNNING) < 0 || suspend_device(c) < 0 ||
			resume_device(c) < 0 || status_is(c, RUNNING) < 0 ||
			conform_flow(c) < 0 || suspend_device(c) < 0)
		return -1;
	if (vu_fe_get_vring_base(&c->link->fe, 0, &c->link->base[0]) < 0)
		return conform_no(c, "GET_VRING_BASE failed");
	if (status_is(c, SUSPENDED) < 0)
		return -1;
	ret = c->be->ops->resume(c->be, NULL);
	status = conform_status(c);
	if (ret != -ENOTCONN || status != SUSPENDED)
		return conform_no(c, "resume without rings returns %d, status 0x%x", ret, status);
	/* Stop all rings and set them up again, as a front end does. */
	ret = guest_link_stop(c->link);
	if (ret < 0)
		return conform_no(c, "cannot stop the rings: %s", strerror(-ret));
	for (ret = 0; ret < 4; ret++)
		guest_link_set_base(c->link, ret, guest_link_base(c->link, ret));
	if (guest_link_prepare(c->link) < 0)
		return conform_no(c, "the rings cannot be set up again");
	return conform_run(c);
}

/* S7, P13: dequeued buffers are used, in the guest's memory, before SUSPEND is visible. */
static int
everything_used(struct conform *c)
{
	const struct rte_vhost_state_vq *vq;
	struct rte_vhost_state *st;
	struct guest_notify n;
	uint16_t i, seen;
	int ret = 0;

	guest_use_calls(c->guest, true);
	if (suspend_device(c) < 0)
		return -1;
	st = state_get(c);
	if (st == NULL)
		return -1;
	for (i = 0; i < st->nb_vqs && ret == 0; i++) {
		vq = &st->vqs[i];
		if (vq->avail_idx != vq->used_idx || vq->nb_inflight != 0)
			ret = conform_no(c, "virtqueue %u: dequeued up to %u, used up to %u", i,
				vq->avail_idx, vq->used_idx);
		/* Split: used->idx, after the flags. */
		memcpy(&seen, (const uint8_t *)guest_ring_of(c->guest, i)->device + 2, 2);
		if (ret == 0 && !c->packed && seen != vq->used_idx)
			ret = conform_no(c,
				"virtqueue %u: the used index is %u in memory, %u in the state",
				i, seen, vq->used_idx);
	}
	rte_vhost_state_free(st);
	usleep(WATCH_US);
	guest_notify_get(c->guest, &n);
	if (n.calls_missed != 0)
		return conform_no(c, "a requested notification for used buffers is missing");
	if (ret < 0 || resume_device(c) < 0)
		return -1;
	return conform_flow(c);
}

static int
item_s7(struct conform *c)
{
	return conform_begin(c, CONFORM_RUNNING) < 0 ? -1 : everything_used(c);
}

static int
item_p11(struct conform *c)
{
	if (conform_begin(c, CONFORM_RUNNING) < 0 || suspend_device(c) < 0 ||
			suspend_device(c) < 0 || status_is(c, SUSPENDED) < 0)
		return -1;
	if (resume_device(c) < 0 || resume_device(c) < 0 || status_is(c, RUNNING) < 0)
		return -1;
	return conform_flow(c);
}

const struct conform_item conform_suspend_items[] = {
	{ "D1", "no SUSPEND without DRIVER_OK or without the feature", item_d1 },
	{ "D2", "suspended means SUSPEND set and DRIVER_OK clear", item_d2 },
	{ "D3", "the driver adds no buffer and sends no notification", item_d3 },
	{ "D4", "resumed means SUSPEND clear and DRIVER_OK set", item_d4 },
	{ "S1", "SUSPEND is ignored before full initialisation", item_s1 },
	{ "S2", "config writes are ignored while suspended", item_s2 },
	{ "S3", "no notification, no queue access while suspended", item_s3 },
	{ "S4", "a config change takes effect at resume", item_s4 },
	{ "S5", "the device suspends or reports that it did not", item_s5 },
	{ "S6", "the device resumes or reports that it did not", item_s6 },
	{ "S7", "dequeued buffers are used before SUSPEND is visible", item_s7 },
	{ "P11", "repeated stop and resume succeed", item_p11 },
	{ "P12", "stopped: no queue or buffer access, no notification", item_s3 },
	{ "P13", "descriptors of all dequeued buffers are written back", item_s7 },
	{ NULL, NULL, NULL },
};
