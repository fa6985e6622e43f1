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

#include <vstate_compat.h>

#include "dev/vstate_class.h"
#include "dev/vstate_counters.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_front_end.h"
#include "vstate_connection.h"
#include "vstate_device_state.h"
#include "vstate_log.h"
#include "vstate_mem_watch.h"
#include "vstate_vdpa.h"
#include "vstate_vdpa_msg.h"


/* rte_vdpa passes its own device to callbacks. The name finds the device of this driver. */
static struct vstate_dev *
dev_find(struct rte_vdpa_device *vdpa)
{
	return vdpa != NULL ? vstate_dev_find(rte_dev_name(vdpa->device)) : NULL;
}

static struct vstate_dev *
dev_find_by_vid(int vid)
{
	return dev_find(rte_vhost_get_vdpa_device(vid));
}

static int
get_queue_num(struct rte_vdpa_device *vdpa, uint32_t *queue_num)
{
	struct vstate_dev *dev = dev_find(vdpa);

	if (dev == NULL)
		return -ENODEV;
	*queue_num = vstate_dev_queue_num(dev);
	return 0;
}

static int
get_features(struct rte_vdpa_device *vdpa, uint64_t *features)
{
	struct vstate_dev *dev = dev_find(vdpa);

	if (dev == NULL)
		return -ENODEV;
	*features = dev->features_offered;
	return 0;
}

static int
get_protocol_features(struct rte_vdpa_device *vdpa, uint64_t *features)
{
	struct vstate_dev *dev = dev_find(vdpa);

	if (dev == NULL)
		return -ENODEV;
	/* only the door has requests for the front end */
	*features = dev->class->protocol_features & ~VSTATE_PROTOCOL_F_BACKEND_REQ;
	return 0;
}

static int
msg_ops_register(int vid)
{
	return rte_vhost_extern_callback_register(vid, &vstate_vdpa_msg_ops, NULL) == 0 ? 0 :
		-EINVAL;
}

/* The first callback with a vid: from here on the device handles messages of the connection. */
static int
set_features(int vid)
{
	struct vstate_dev *dev = dev_find_by_vid(vid);
	int ret;

	if (dev == NULL)
		return -ENODEV;
	ret = vstate_connection_replace(vid, dev);
	if (ret == 0)
		ret = msg_ops_register(vid);
	if (ret != 0)
		VSTATE_LOG(ERR, "%s: front end refused: %s", dev->name, strerror(-ret));
	return ret;
}

/*
 * rte_vhost marks the device as configured if this returns 0. Where that mark leads to a panic, the
 * device runs without it. rte_vhost then locks the queues for each message, as it does for a
 * socket without a vDPA device. It also calls dev_conf() after each message, and logs an error line
 * each time. It calls dev_close() in both cases.
 */
static int
dev_conf(int vid)
{
	const int unmarked = vstate_vdpa_configured_panics() ? -1 : 0;
	struct vstate_dev *dev = dev_find_by_vid(vid);

	if (dev == NULL || vstate_connection_attach(vid, dev) != 0 ||
			msg_ops_register(vid) != 0)
		return -1;
	if (dev->connection->vdpa_started)
		return unmarked;
	if (vstate_connection_start(vid) != 0)
		return -1;
	dev->connection->vdpa_started = true;
	if (unmarked != 0)
		VSTATE_LOG(NOTICE, "%s: running; ignore rte_vhost's \"failed to configure vDPA device\"",
				dev->name);
	return unmarked;
}

static int
dev_close(int vid)
{
	struct vstate_dev *dev = vstate_connection_dev(vid);

	if (dev != NULL)
		dev->connection->vdpa_started = false;
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
	/* The handler of SEND_RARP has read the address from the message. */
	RTE_SET_USED(vid);
	return 0;
}

/* ---- statistics ---- */

static int
get_stats_names(struct rte_vdpa_device *vdpa, struct rte_vdpa_stat_name *names,
		unsigned int size)
{
	struct vstate_dev *dev = dev_find(vdpa);
	unsigned int i;

	if (dev == NULL)
		return -ENODEV;
	if (names == NULL)
		return dev->class->nb_counters;
	for (i = 0; i < RTE_MIN(size, dev->class->nb_counters); i++)
		rte_strscpy(names[i].name, dev->class->counters[i].name, sizeof(names[i].name));
	return i;
}

static int
get_stats(struct rte_vdpa_device *vdpa, int qid, struct rte_vdpa_stat *stats, unsigned int n)
{
	struct vstate_dev *dev = dev_find(vdpa);
	unsigned int i;

	if (dev == NULL || qid < 0 || qid >= dev->nb_vqs)
		return -EINVAL;
	for (i = 0; i < RTE_MIN(n, dev->class->nb_counters); i++) {
		stats[i].id = i;
		stats[i].value = vstate_counter_get(dev, qid, i);
	}
	return i;
}

static int
reset_stats(struct rte_vdpa_device *vdpa, int qid)
{
	struct vstate_dev *dev = dev_find(vdpa);

	if (dev == NULL || qid < 0 || qid >= dev->nb_vqs)
		return -EINVAL;
	vstate_counters_reset(dev, qid);
	return 0;
}

static int
get_config(int vid, uint8_t *config, uint32_t size)
{
	struct vstate_dev *dev = dev_find_by_vid(vid);

	return dev != NULL ? dev->class->config_get(dev, config, size) : -ENODEV;
}

static int
set_config(int vid, uint8_t *config, uint32_t offset, uint32_t size, uint32_t flags)
{
	struct vstate_dev *dev = dev_find_by_vid(vid);

	RTE_SET_USED(flags);
	return dev != NULL ? dev->class->config_set(dev, config, offset, size) : -ENODEV;
}

static int
get_dev_type(struct rte_vdpa_device *vdpa, uint32_t *type)
{
	struct vstate_dev *dev = dev_find(vdpa);

	if (dev == NULL)
		return -ENODEV;
	*type = dev->class->vdpa_type;
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

static bool
vdpa_watch(struct vstate_dev *dev)
{
	vstate_mem_watch_report(dev);
	return vstate_device_state_watch(dev);
}

/* Without a socket of its own, the device only serves transfers of device state. */
static const struct vstate_front_end_ops vdpa_front_ops = {
	.watch = vdpa_watch,
	.telemetry = vstate_connection_telemetry,
};

int
vstate_vdpa_register(struct rte_device *rdev, struct vstate_dev *dev)
{
	dev->front_ops = &vdpa_front_ops;
	dev->connection->vdpa = rte_vdpa_register_device(rdev, &vdpa_ops);
	if (dev->connection->vdpa != NULL)
		return 0;
	VSTATE_LOG(ERR, "%s: cannot register the device with rte_vdpa", dev->name);
	return -EIO;
}

void
vstate_vdpa_unregister(struct vstate_dev *dev)
{
	if (dev->connection == NULL || dev->connection->vdpa == NULL)
		return;
	rte_vdpa_unregister_device(dev->connection->vdpa);
	dev->connection->vdpa = NULL;
}

bool
vstate_vdpa_is_attached(const struct vstate_dev *dev)
{
	return dev->connection->vdpa != NULL &&
		!vstate_run_is_blocked(dev, VSTATE_BLOCK_NOT_CONNECTED);
}
