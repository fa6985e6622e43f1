/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_string_fns.h>
#include <rte_vhost.h>

#include <vdpa_driver.h>

#include "vstate_connection.h"
#include "vstate_log.h"
#include "net/vstate_net.h"
#include "vstate_vdpa.h"

/* rte_vdpa keys its callbacks by its own device; the name leads back to ours. */
static struct vstate_dev *
dev_of(struct rte_vdpa_device *vdpa)
{
	return vdpa != NULL ? vstate_dev_find(rte_dev_name(vdpa->device)) : NULL;
}

static struct vstate_dev *
dev_of_vid(int vid)
{
	return dev_of(rte_vhost_get_vdpa_device(vid));
}

static int
get_queue_num(struct rte_vdpa_device *vdpa, uint32_t *queue_num)
{
	struct vstate_dev *dev = dev_of(vdpa);

	if (dev == NULL)
		return -ENODEV;
	*queue_num = dev->conf.queues;
	return 0;
}

static int
get_features(struct rte_vdpa_device *vdpa, uint64_t *features)
{
	struct vstate_dev *dev = dev_of(vdpa);

	if (dev == NULL)
		return -ENODEV;
	*features = dev->features_offered;
	return 0;
}

static int
get_protocol_features(struct rte_vdpa_device *vdpa, uint64_t *features)
{
	RTE_SET_USED(vdpa);
	*features = vstate_net_protocol_features();
	return 0;
}

/* The first callback that tells the vid: from here on messages are seen. */
static int
set_features(int vid)
{
	struct vstate_dev *dev = dev_of_vid(vid);
	int ret;

	if (dev == NULL)
		return -ENODEV;
	ret = vstate_connection_replace(vid, dev);
	if (ret != 0)
		VSTATE_LOG(ERR, "%s: front end turned away: %s", dev->name, strerror(-ret));
	return ret;
}

static int
dev_conf(int vid)
{
	struct vstate_dev *dev = dev_of_vid(vid);

	if (dev == NULL || vstate_connection_attach(vid, dev) != 0)
		return -1;
	return vstate_connection_start(vid);
}

static int
dev_close(int vid)
{
	vstate_connection_stop(vid);
	return 0;
}

static int
dev_cleanup(int vid)
{
	struct vstate_dev *dev = vstate_connection_dev(vid);

	if (dev != NULL)
		vstate_connection_detach(vid, dev);
	return 0;
}

static int
set_vring_state(int vid, int vring, int state)
{
	return vstate_connection_ring_state(vid, vring, state != 0);
}

static int
migration_done(int vid)
{
	/* The address to announce was in the message itself. */
	RTE_SET_USED(vid);
	return 0;
}

/* ---- statistics ---- */

static const char *const stat_names[] = {
#define STAT_NAME(name, field) #name,
	VSTATE_VQ_COUNTERS(STAT_NAME)
#undef STAT_NAME
};

static int
get_stats_names(struct rte_vdpa_device *vdpa, struct rte_vdpa_stat_name *names,
		unsigned int size)
{
	unsigned int i;

	RTE_SET_USED(vdpa);
	if (names == NULL)
		return RTE_DIM(stat_names);
	for (i = 0; i < RTE_MIN(size, RTE_DIM(stat_names)); i++)
		rte_strscpy(names[i].name, stat_names[i], sizeof(names[i].name));
	return i;
}

static int
get_stats(struct rte_vdpa_device *vdpa, int qid, struct rte_vdpa_stat *stats, unsigned int n)
{
	struct vstate_dev *dev = dev_of(vdpa);
	struct vstate_vq_counters c;
	unsigned int i = 0;

	if (dev == NULL || qid < 0 || qid >= dev->nb_vqs)
		return -EINVAL;
	vstate_vq_counters_get(dev->vqs[qid], &c);
#define STAT_VALUE(name, field) \
	if (i < n) { \
		stats[i].id = i; \
		stats[i].value = c.field; \
		i++; \
	}
	VSTATE_VQ_COUNTERS(STAT_VALUE)
#undef STAT_VALUE
	return i;
}

static int
reset_stats(struct rte_vdpa_device *vdpa, int qid)
{
	struct vstate_dev *dev = dev_of(vdpa);

	if (dev == NULL || qid < 0 || qid >= dev->nb_vqs)
		return -EINVAL;
	vstate_vq_counters_reset(dev->vqs[qid]);
	return 0;
}

static int
get_config(int vid, uint8_t *config, uint32_t size)
{
	struct vstate_dev *dev = dev_of_vid(vid);

	return dev != NULL ? vstate_net_config_get(dev, config, size) : -ENODEV;
}

static int
set_config(int vid, uint8_t *config, uint32_t offset, uint32_t size, uint32_t flags)
{
	/* A virtio 1.x network device has no config field that a driver may write. */
	RTE_SET_USED(vid);
	RTE_SET_USED(config);
	RTE_SET_USED(offset);
	RTE_SET_USED(size);
	RTE_SET_USED(flags);
	return -ENOTSUP;
}

static int
get_dev_type(struct rte_vdpa_device *vdpa, uint32_t *type)
{
	RTE_SET_USED(vdpa);
	*type = RTE_VHOST_VDPA_DEVICE_TYPE_NET;
	return 0;
}

static struct rte_vdpa_dev_ops vdpa_ops = {
	.get_queue_num = get_queue_num,
	.get_features = get_features,
	.get_protocol_features = get_protocol_features,
	.dev_conf = dev_conf,
	.dev_close = dev_close,
	.dev_cleanup = dev_cleanup,
	.set_vring_state = set_vring_state,
	.set_features = set_features,
	.migration_done = migration_done,
	.get_stats_names = get_stats_names,
	.get_stats = get_stats,
	.reset_stats = reset_stats,
	.get_config = get_config,
	.set_config = set_config,
	.get_dev_type = get_dev_type,
};

struct rte_vdpa_device *
vstate_vdpa_register(struct rte_device *rdev, struct vstate_dev *dev)
{
	struct rte_vdpa_device *vdpa;

	vdpa = rte_vdpa_register_device(rdev, &vdpa_ops);
	if (vdpa == NULL) {
		VSTATE_LOG(ERR, "%s: rte_vdpa does not take the device", dev->name);
		rte_errno = EIO;
	}
	return vdpa;
}

void
vstate_vdpa_unregister(struct rte_vdpa_device *vdpa)
{
	rte_vdpa_unregister_device(vdpa);
}
