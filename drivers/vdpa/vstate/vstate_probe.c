/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_kvargs.h>

#include <bus_vdev_driver.h>

#include <vstate_compat.h>

#include "block/vstate_blk_class.h"
#include "block/vstate_blk_conf.h"
#include "block/vstate_scsi_class.h"
#include "block/vstate_scsi_conf.h"
#include "console/vstate_console_class.h"
#include "console/vstate_console_conf.h"
#include "console/vstate_console_thread.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_poller.h"
#include "dev/vstate_restore.h"
#include "dev/vstate_watch.h"
#include "handover/vstate_handover.h"
#include "handover/vstate_takeover.h"
#include "net/vstate_net_class.h"
#include "net/vstate_net_conf.h"
#include "net/vstate_port.h"
#include "net/vstate_port_secondary.h"
#include "ring/vstate_lease.h"
#include "ring/vstate_mem_guard.h"
#include "rte_vhost_state_control.h"
#include "vhost/vstate_connection.h"
#include "vhost/vstate_door.h"
#include "vhost/vstate_vdpa.h"
#include "vstate_devargs.h"
#include "vstate_log.h"
#include "vstate_probe.h"

/* ---- the parts ---- */

static void
parts_free(struct vstate_dev *dev)
{
	vstate_handover_destroy(dev);
	vstate_door_destroy(dev);
	vstate_connection_destroy(dev);
	vstate_dev_destroy(dev);
}

struct vstate_dev *
vstate_probe_make(const char *name, const struct vstate_conf *conf,
		const struct vstate_class *class, int socket)
{
	struct vstate_dev *dev = vstate_dev_create(name, conf, class, socket);
	int ret;

	if (dev == NULL)
		return NULL;
	vstate_resume_point_add(dev, VSTATE_KEEPER_RESTORED, &vstate_restore_keeper);
	ret = vstate_connection_create(dev);
	if (ret == 0 && conf->iface[0] != '\0') {
		dev->front_ops = &vstate_door_ops;
		ret = vstate_door_create(dev);
	}
	if (ret == 0)
		ret = vstate_handover_create(dev);
	if (ret == 0)
		ret = vstate_dev_publish(dev);
	if (ret == 0)
		return dev;
	parts_free(dev);
	rte_errno = -ret;
	return NULL;
}

void
vstate_probe_unmake(struct vstate_dev *dev)
{
	vstate_dev_unpublish(dev);
	parts_free(dev);
}

/* ---- the control socket ---- */

/*
 * With takeover=1 the process that takes the device over has the same path. It must be reachable
 * before the old process ends, so it replaces the socket file.
 */
static int
control_open(const struct vstate_dev *dev)
{
	int ret;

	if (dev->conf.control[0] == '\0')
		return 0;
	ret = rte_vhost_state_control_open(dev->conf.control, dev->conf.takeover ?
			RTE_VHOST_STATE_CONTROL_F_REPLACE : 0);
	if (ret == -ENOTSUP)
		VSTATE_LOG(ERR, "%s: control= is not supported: the library vhost_state was built "
				"without jansson", dev->name);
	return ret;
}

static void
control_close(const struct vstate_dev *dev)
{
	if (dev->conf.control[0] != '\0')
		rte_vhost_state_control_close(dev->conf.control);
}

/* ---- probe and remove ---- */

/* Undo the steps of a probe in reverse order. Steps that were not done are skipped. */
static void
device_undo(struct vstate_dev *dev)
{
	control_close(dev);
	vstate_vdpa_unregister(dev);
	vstate_takeover_end(dev);
	vstate_door_close(dev);
	if (dev->class == &vstate_net_class)
		vstate_port_destroy(dev);
	else if (dev->class == &vstate_console_class)
		vstate_console_thread_end(dev);
	vstate_poller_destroy(dev);
	vstate_probe_unmake(dev);
	vstate_watch_put();
}

static int
device_create(struct rte_vdev_device *vdev, const struct vstate_class *class,
		enum vstate_kind kind, const struct vstate_conf *conf)
{
	int socket = conf->numa != SOCKET_ID_ANY ? conf->numa : (int)rte_socket_id();
	struct vstate_dev *dev;
	int ret;

	vdev->device.numa_node = socket;
	ret = vstate_watch_get();
	if (ret != 0)
		return ret;
	dev = vstate_probe_make(rte_vdev_device_name(vdev), conf, class, socket);
	if (dev == NULL) {
		vstate_watch_put();
		return -rte_errno;
	}
	ret = control_open(dev);
	if (ret != 0) {
		vstate_probe_unmake(dev);
		vstate_watch_put();
		return ret;
	}
	ret = conf->service ? vstate_poller_create(dev, socket) : 0;
	/* the port is a network card's */
	if (ret == 0 && class == &vstate_net_class)
		ret = vstate_port_create(vdev, dev);
	else if (ret == 0 && class == &vstate_console_class)
		ret = vstate_console_thread_serve(dev);
	/* This step is the last one, because a guest may connect at once. */
	if (ret == 0)
		ret = kind == VSTATE_KIND_VDPA ? vstate_vdpa_register(&vdev->device, dev) :
			vstate_takeover_open(dev);
	if (ret != 0)
		device_undo(dev);
	return ret;
}

/* The primary process has the device. A device without a port has nothing to show here. */
static int
secondary_probe(struct rte_vdev_device *vdev)
{
	int ret = vstate_port_secondary_attach(vdev);

	if (ret != 0)
		VSTATE_LOG(ERR, "%s: the primary process has no such port",
				rte_vdev_device_name(vdev));
	return ret;
}

static int
device_probe(struct rte_vdev_device *vdev, const struct vstate_class *class, enum vstate_kind kind)
{
	const char *name = rte_vdev_device_name(vdev);
	struct vstate_conf conf;
	int ret;

	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		return secondary_probe(vdev);
	ret = vstate_devargs_parse(class, kind, name, rte_vdev_device_args(vdev), &conf);
	if (ret != 0)
		return ret;
	vstate_lease_init();
	if (vstate_mem_guard_init() != 0)
		VSTATE_LOG(WARNING, "%s: memory is not guarded: a front end that takes it away "
				"ends the process", name);
	ret = device_create(vdev, class, kind, &conf);
	if (ret != 0)
		VSTATE_LOG(ERR, "%s: not created: %s", name, strerror(-ret));
	return ret;
}

static int
blk_probe(struct rte_vdev_device *vdev)
{
	return device_probe(vdev, &vstate_blk_class, VSTATE_KIND_SOCKET);
}

static int
console_probe(struct rte_vdev_device *vdev)
{
	return device_probe(vdev, &vstate_console_class, VSTATE_KIND_SOCKET);
}

static int
net_probe(struct rte_vdev_device *vdev)
{
	return device_probe(vdev, &vstate_net_class, VSTATE_KIND_SOCKET);
}

static int
scsi_probe(struct rte_vdev_device *vdev)
{
	return device_probe(vdev, &vstate_scsi_class, VSTATE_KIND_SOCKET);
}

static int
vdpa_probe(struct rte_vdev_device *vdev)
{
	static const struct vstate_class *const classes[] = { &vstate_net_class,
		&vstate_blk_class, &vstate_scsi_class };
	const struct vstate_class *class;

	class = vstate_devargs_class(classes, RTE_DIM(classes), rte_vdev_device_name(vdev),
			rte_vdev_device_args(vdev));
	return class != NULL ? device_probe(vdev, class, VSTATE_KIND_VDPA) : -EINVAL;
}

static int
device_remove(struct rte_vdev_device *vdev)
{
	struct vstate_dev *dev = vstate_dev_find(rte_vdev_device_name(vdev));

	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		vstate_port_secondary_detach(vdev);
	if (dev == NULL)
		return 0;
	/* rte_vhost would still call the removed device */
	if (vstate_vdpa_is_attached(dev)) {
		VSTATE_LOG(ERR, "%s: not removed: a front end is connected; unregister its vhost "
				"socket first", dev->name);
		return -EBUSY;
	}
	device_undo(dev);
	return 0;
}

static struct rte_vdev_driver net_driver = {
	.probe = net_probe,
	.remove = device_remove,
};

static struct rte_vdev_driver blk_driver = {
	.probe = blk_probe,
	.remove = device_remove,
};

static struct rte_vdev_driver console_driver = {
	.probe = console_probe,
	.remove = device_remove,
};

static struct rte_vdev_driver scsi_driver = {
	.probe = scsi_probe,
	.remove = device_remove,
};

static struct rte_vdev_driver vdpa_driver = {
	.probe = vdpa_probe,
	.remove = device_remove,
};

RTE_PMD_REGISTER_VDEV(net_vstate, net_driver);
RTE_PMD_REGISTER_PARAM_STRING(net_vstate, VSTATE_DEVARGS_SOCKET VSTATE_NET_CONF_PARAMS);
RTE_PMD_REGISTER_VDEV(blk_vstate, blk_driver);
RTE_PMD_REGISTER_PARAM_STRING(blk_vstate, VSTATE_DEVARGS_SOCKET VSTATE_BLK_CONF_PARAMS);
RTE_PMD_REGISTER_VDEV(console_vstate, console_driver);
RTE_PMD_REGISTER_PARAM_STRING(console_vstate, VSTATE_DEVARGS_SOCKET VSTATE_CONSOLE_CONF_PARAMS);
RTE_PMD_REGISTER_VDEV(scsi_vstate, scsi_driver);
RTE_PMD_REGISTER_PARAM_STRING(scsi_vstate, VSTATE_DEVARGS_SOCKET VSTATE_SCSI_CONF_PARAMS);
RTE_PMD_REGISTER_VDEV(vdpa_vstate, vdpa_driver);
RTE_PMD_REGISTER_PARAM_STRING(vdpa_vstate, VSTATE_DEVARGS_VDPA VSTATE_DEVARGS_COMMON
		VSTATE_NET_CONF_PARAMS VSTATE_BLK_CONF_PARAMS VSTATE_SCSI_CONF_LUNS);
