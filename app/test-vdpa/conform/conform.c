/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_errno.h>

#include "backend.h"
#include "clock.h"
#include "conform.h"
#include "guest.h"
#include "guest_features.h"
#include "guest_link.h"
#include "guest_state.h"
#include "guest_traffic.h"
#include "rte_vhost_state_backend.h"

#define CONNECT_MS 5000
#define FLOW_MS 3000
#define SUSPEND_US 1000000

/* ---- set up ---- */

static int
link_open(struct conform *c, enum conform_level level)
{
	uint64_t until = clock_ns() + CONNECT_MS * UINT64_C(1000000);
	struct rte_vhost_state_info info;
	int ret = 0;

	/* The device may still be closing the last connection. */
	while (c->be->ops->info(c->be, &info) == 0 && info.connected && clock_ns() < until)
		usleep(200);
	c->link = guest_link_open(c->guest, c->be->dev.socket, false, CONNECT_MS);
	if (c->link == NULL)
		return conform_no(c, "cannot connect: %s", strerror(rte_errno));
	if (level >= CONFORM_NEGOTIATED)
		ret = guest_link_negotiate(c->link);
	if (ret == 0 && level >= CONFORM_PREPARED)
		ret = guest_link_prepare(c->link);
	return ret == 0 ? 0 : conform_no(c, "cannot set up the device: %s", strerror(-ret));
}

int
conform_begin(struct conform *c, enum conform_level level)
{
	const struct guest_conf conf = {
		.pairs = 2,
		.ring_size = 64,
		.packed = c->packed,
		.features = GUEST_FEATURES_DEFAULT | UINT64_C(1) << RTE_VHOST_STATE_F_SUSPEND,
		.frame_min = 64,
		.frame_max = 1500,
		.seed = 1,
	};

	c->guest = guest_create(&conf);
	if (c->guest == NULL)
		return conform_no(c, "cannot create a guest: %s", strerror(rte_errno));
	if (link_open(c, level) < 0)
		return -1;
	return level == CONFORM_RUNNING ? conform_run(c) : 0;
}

int
conform_run(struct conform *c)
{
	int ret = guest_link_driver_ok(c->link);

	if (ret < 0)
		return conform_no(c, "DRIVER_OK: %s", strerror(-ret));
	ret = guest_traffic_start(c->guest);
	if (ret < 0 && ret != -EALREADY)
		return conform_no(c, "cannot start traffic: %s", strerror(-ret));
	return conform_flow(c);
}

int
conform_flow(struct conform *c)
{
	int ret = guest_wait_flow(c->guest, FLOW_MS);

	return ret < 0 ? conform_no(c, "no frames flow: %s", strerror(-ret)) : 0;
}

/* A vhost-user front end sends the bases. QEMU has them from the answers of the source. */
static int
bases_set(struct conform *c, const void *bytes, size_t len)
{
	struct rte_vhost_state *st = rte_vhost_state_decode(bytes, len, NULL);
	uint16_t i;

	if (st == NULL)
		return -EBADMSG;
	for (i = 0; i < st->nb_vqs; i++)
		guest_link_set_base(c->link, i, st->vqs[i].avail_idx |
			(uint32_t)st->vqs[i].avail_wrap << 15);
	rte_vhost_state_free(st);
	return 0;
}

int
conform_reopen(struct conform *c)
{
	guest_link_close(c->link);
	c->link = NULL;
	return link_open(c, c->user ? CONFORM_OPENED : CONFORM_PREPARED);
}

int
conform_move(struct conform *c, const void *bytes, size_t len)
{
	int ret;

	if (conform_reopen(c) < 0)
		return -1;
	ret = conform_set(c, bytes, len);
	if (ret == 0 && c->user)
		ret = bases_set(c, bytes, len);
	if (ret == 0 && c->user)
		ret = guest_link_negotiate(c->link);
	if (ret == 0 && c->user)
		ret = guest_link_prepare(c->link);
	return ret < 0 ? conform_no(c, "cannot move the state: %s", strerror(-ret)) : 0;
}

/* ---- requests to a device ---- */

int
conform_suspend(struct conform *c)
{
	return c->user ? guest_link_suspend(c->link) :
		c->be->ops->suspend(c->be, SUSPEND_US, NULL);
}

int
conform_resume(struct conform *c)
{
	return c->user ? guest_link_resume(c->link) : c->be->ops->resume(c->be, NULL);
}

int
conform_get(struct conform *c, uint8_t **bytes, size_t *len)
{
	struct rte_vhost_state *st;
	void *saved = NULL;
	size_t size;
	int ret;

	*bytes = NULL;
	if (c->user) {
		ret = guest_link_state_save(c->link, &saved, len);
		*bytes = saved;
		return ret == 0 && saved == NULL ? -ENODATA : ret;
	}
	/* Not the capture operation of the back end, which would let the service lcore sleep. */
	st = rte_vhost_state_capture(c->be->dev.name, NULL);
	if (st == NULL)
		return -rte_errno;
	size = rte_vhost_state_encoded_size(st);
	*bytes = malloc(size);
	ret = *bytes == NULL ? -ENOMEM : rte_vhost_state_encode(st, *bytes, size, len, NULL);
	rte_vhost_state_free(st);
	return ret;
}

int
conform_set(struct conform *c, const void *bytes, size_t len)
{
	struct rte_vhost_state *st;
	int ret;

	if (c->user)
		return guest_link_state_load(c->link, bytes, len);
	st = rte_vhost_state_decode(bytes, len, NULL);
	if (st == NULL)
		return -rte_errno;
	ret = rte_vhost_state_restore(c->be->dev.name, st, NULL);
	rte_vhost_state_free(st);
	return ret;
}

int
conform_status(struct conform *c)
{
	struct rte_vhost_state_info info;
	int seen = guest_link_status(c->link);

	if (c->be->ops->info(c->be, &info) < 0)
		return conform_no(c, "the API returns no info");
	if (seen != info.status)
		return conform_no(c, "the status byte is 0x%x, the API has 0x%x", seen,
			info.status);
	return info.status;
}
