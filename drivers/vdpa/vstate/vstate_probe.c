/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file The two vdev drivers, net_vstate and vdpa_vstate: probe and remove. */

#include <errno.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_kvargs.h>

#include <bus_vdev_driver.h>

#include <vstate_compat.h>

#include "dev/vstate_control.h"
#include "dev/vstate_dev.h"
#include "vhost/vstate_connection.h"
#include "vstate_log.h"
#include "net/vstate_port.h"
#include "net/vstate_net_bridge.h"
#include "handover/vstate_takeover.h"
#include "vhost/vstate_vdpa.h"

/* What a probe has done, in order; undone from the end. */
static void
device_undo(struct vstate_dev *dev)
{
	if (dev->vdpa != NULL)
		vstate_vdpa_unregister(dev->vdpa);
	vstate_takeover_end(dev);
	vstate_socket_close(dev);
	vstate_port_destroy(dev);
	vstate_net_bridge_destroy(dev);
	vstate_dev_destroy(dev);
	vstate_watch_put();
}

static int
frontend_open(struct rte_vdev_device *vdev, enum vstate_kind kind, struct vstate_dev *dev)
{
	if (kind == VSTATE_KIND_NET)
		return vstate_takeover_open(dev);
	dev->vdpa = vstate_vdpa_register(&vdev->device, dev);
	return dev->vdpa != NULL ? 0 : -rte_errno;
}

static int
device_create(struct rte_vdev_device *vdev, enum vstate_kind kind, const struct vstate_conf *conf)
{
	const char *name = rte_vdev_device_name(vdev);
	int socket = conf->numa != SOCKET_ID_ANY ? conf->numa : (int)rte_socket_id();
	struct vstate_dev *dev;
	int ret;

	vdev->device.numa_node = socket;
	ret = vstate_watch_get();
	if (ret != 0)
		return ret;
	dev = vstate_dev_create(name, conf, socket);
	if (dev == NULL) {
		vstate_watch_put();
		return -rte_errno;
	}
	ret = conf->service ? vstate_net_bridge_create(dev, socket) : 0;
	if (ret == 0)
		ret = vstate_port_create(vdev, dev);
	/* Last, as the guest may come at once. */
	if (ret == 0)
		ret = frontend_open(vdev, kind, dev);
	if (ret != 0)
		device_undo(dev);
	return ret;
}

static int
probe(struct rte_vdev_device *vdev, enum vstate_kind kind)
{
	const char *name = rte_vdev_device_name(vdev);
	struct vstate_conf conf;
	int ret;

	if (rte_eal_process_type() != RTE_PROC_PRIMARY) {
		VSTATE_LOG(ERR, "%s: secondary processes are not supported", name);
		return -ENOTSUP;
	}
	ret = vstate_devargs_parse(kind, name, rte_vdev_device_args(vdev), &conf);
	if (ret != 0)
		return ret;
	vstate_lease_init();
	ret = device_create(vdev, kind, &conf);
	if (ret != 0)
		VSTATE_LOG(ERR, "%s: not created: %s", name, strerror(-ret));
	return ret;
}

static int
net_probe(struct rte_vdev_device *vdev)
{
	return probe(vdev, VSTATE_KIND_NET);
}

static int
vdpa_probe(struct rte_vdev_device *vdev)
{
	return probe(vdev, VSTATE_KIND_VDPA);
}

static int
device_remove(struct rte_vdev_device *vdev)
{
	struct vstate_dev *dev = vstate_dev_find(rte_vdev_device_name(vdev));

	if (dev == NULL)
		return 0;
	/* rte_vhost would go on to call a device that is gone */
	if (dev->vdpa != NULL && dev->connected) {
		VSTATE_LOG(ERR, "%s: not removed: attached to a front end", dev->name);
		return -EBUSY;
	}
	device_undo(dev);
	return 0;
}

static struct rte_vdev_driver net_driver = {
	.probe = net_probe,
	.remove = device_remove,
};

static struct rte_vdev_driver vdpa_driver = {
	.probe = vdpa_probe,
	.remove = device_remove,
};

RTE_PMD_REGISTER_VDEV(net_vstate, net_driver);
RTE_PMD_REGISTER_PARAM_STRING(net_vstate, VSTATE_NET_PARAMS);
RTE_PMD_REGISTER_VDEV(vdpa_vstate, vdpa_driver);
RTE_PMD_REGISTER_PARAM_STRING(vdpa_vstate, VSTATE_COMMON_PARAMS);
