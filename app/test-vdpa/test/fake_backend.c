/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_errno.h>

#include "backend.h"
#include "fake_backend.h"
#include "rte_vhost_state_backend.h"

#define FAKE_MAX 8
#define RUNNING (RTE_VHOST_STATE_S_ACKNOWLEDGE | RTE_VHOST_STATE_S_DRIVER | \
	RTE_VHOST_STATE_S_FEATURES_OK | RTE_VHOST_STATE_S_DRIVER_OK)

static struct fake_device *devices[FAKE_MAX];
static bool packed_rings;

void
fake_packed(bool packed)
{
	packed_rings = packed;
}

struct fake_device *
fake_device(struct backend *be)
{
	return container_of(be, struct fake_device, be);
}

struct fake_device *
fake_find(const char *path)
{
	unsigned int i;

	for (i = 0; i < FAKE_MAX; i++)
		if (devices[i] != NULL && strcmp(devices[i]->be.dev.socket, path) == 0)
			return devices[i];
	return NULL;
}

static int
fake_info(struct backend *be, struct rte_vhost_state_info *info)
{
	memset(info, 0, sizeof(*info));
	info->status = fake_device(be)->status;
	return 0;
}

static int
fake_suspend(struct backend *be, uint32_t timeout_us, struct rte_vhost_state_error *err)
{
	struct fake_device *fd = fake_device(be);
	int ret = rte_vhost_state_may(fd->status, RTE_VHOST_STATE_A_SUSPEND, err);

	if (ret < 0)
		return ret;
	if (fd->refuse_suspend)
		return rte_vhost_state_refuse(err, RTE_VHOST_STATE_R_TIMEOUT, 1, timeout_us, 0);
	fd->suspends++;
	fd->status = (fd->status & ~RTE_VHOST_STATE_S_DRIVER_OK) | RTE_VHOST_STATE_S_SUSPEND;
	return 0;
}

static int
fake_resume(struct backend *be, struct rte_vhost_state_error *err)
{
	struct fake_device *fd = fake_device(be);
	int ret = rte_vhost_state_may(fd->status, RTE_VHOST_STATE_A_RESUME, err);

	if (ret < 0)
		return ret;
	fd->resumes++;
	fd->status = RUNNING;
	return 0;
}

static struct rte_vhost_state *
fake_capture(struct backend *be, struct rte_vhost_state_error *err)
{
	struct fake_device *fd = fake_device(be);
	int ret = rte_vhost_state_may(fd->status, RTE_VHOST_STATE_A_CAPTURE, err);

	if (ret < 0) {
		rte_errno = -ret;
		return NULL;
	}
	fd->captures++;
	fd->st->status = fd->status;
	return rte_vhost_state_copy(fd->st);
}

static int
fake_restore(struct backend *be, const struct rte_vhost_state *st,
		struct rte_vhost_state_error *err)
{
	struct fake_device *fd = fake_device(be);
	int ret = rte_vhost_state_may(fd->status, RTE_VHOST_STATE_A_RESTORE, err);

	if (ret < 0)
		return ret;
	if (fd->refuse_restore)
		return rte_vhost_state_refuse(err, RTE_VHOST_STATE_R_FIT_MTU, -1, 1500, 9000);
	fd->restores++;
	rte_vhost_state_free(fd->st);
	fd->st = rte_vhost_state_copy(st);
	return fd->st != NULL ? 0 : -ENOMEM;
}

static int
fake_kill(struct backend *be)
{
	struct fake_device *fd = fake_device(be);

	fd->kills++;
	fd->dead = true;
	return 0;
}

static int
fake_revive(struct backend *be)
{
	struct fake_device *fd = fake_device(be);

	if (!fd->dead || fd->refuse_restore)
		return -EAGAIN;
	fd->dead = false;
	return 0;
}

static void
fake_destroy(struct backend *be)
{
	struct fake_device *fd = fake_device(be);
	unsigned int i;

	for (i = 0; i < FAKE_MAX; i++)
		if (devices[i] == fd)
			devices[i] = NULL;
	rte_vhost_state_free(fd->st);
	free(fd);
}

static const struct backend_ops fake_ops = {
	.info = fake_info,
	.suspend = fake_suspend,
	.capture = fake_capture,
	.restore = fake_restore,
	.resume = fake_resume,
	.kill = fake_kill,
	.revive = fake_revive,
	.destroy = fake_destroy,
};

/* Fill in a pair of rings that have already processed buffers. */
static void
rings_fill(struct rte_vhost_state *st)
{
	static const uint8_t mac[] = { 0x02, 0, 0, 0, 0, 1 };
	uint16_t i;

	st->device_id = RTE_VHOST_STATE_ID_NET;
	st->device_features = UINT64_C(1) << 32 | (packed_rings ? UINT64_C(1) << 34 : 0);
	st->driver_features = st->device_features;
	memcpy(st->net.mac.addr_bytes, mac, sizeof(mac));
	st->net.mtu = 1500;
	st->net.active_pairs = 1;
	for (i = 0; i < st->nb_vqs; i++) {
		struct rte_vhost_state_vq *vq = &st->vqs[i];

		vq->size = 256;
		vq->enabled = true;
		vq->desc_addr = 0x10000 * (i + 1);
		vq->driver_addr = vq->desc_addr + 0x4000;
		vq->device_addr = vq->desc_addr + 0x8000;
		vq->avail_idx = 100;
		vq->used_idx = 100;
		vq->avail_wrap = packed_rings;
		vq->used_wrap = packed_rings;
	}
}

struct backend *
fake_create(const struct backend_device *dev)
{
	struct fake_device *fd;
	unsigned int i;

	for (i = 0; i < FAKE_MAX && devices[i] != NULL; i++)
		;
	fd = i < FAKE_MAX ? calloc(1, sizeof(*fd)) : NULL;
	if (fd != NULL)
		fd->st = rte_vhost_state_alloc(2);
	if (fd == NULL || fd->st == NULL) {
		free(fd);
		rte_errno = ENOMEM;
		return NULL;
	}
	rings_fill(fd->st);
	fd->be.ops = &fake_ops;
	fd->be.dev = *dev;
	devices[i] = fd;
	return &fd->be;
}
