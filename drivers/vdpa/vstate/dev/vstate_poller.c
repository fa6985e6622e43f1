/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_lcore.h>
#include <rte_pause.h>
#include <rte_service.h>
#include <rte_service_component.h>
#include <rte_string_fns.h>

#include "vstate_class.h"
#include "vstate_control.h"
#include "vstate_dev.h"
#include "vstate_log.h"
#include "vstate_poller.h"
#include "vstate_quiesce.h"

struct vstate_poller {
	/** EAL's number of the service. */
	uint32_t id;
	bool registered;
};

/* ---- the poller ---- */

struct poller_change {
	enum vstate_poller_kind poller;
	void (*apply)(struct vstate_dev *dev, void *arg);
	void *arg;
};

static int
do_poller_set(struct vstate_dev *dev, void *arg)
{
	const struct poller_change *change = arg;

	/*
	 * The service first. Otherwise it could be about to take a queue that is then granted to
	 * the port.
	 */
	vstate_quiesce_poller(dev);
	vstate_quiesce_always(dev);
	vstate_run_poller_set(dev, change->poller);
	if (change->apply != NULL)
		change->apply(dev, change->arg);
	vstate_grant(dev);
	if (change->poller == VSTATE_POLLER_SERVICE)
		vstate_lease_grant(&dev->poller_lease);
	return 0;
}

int
vstate_poller_set(struct vstate_dev *dev, enum vstate_poller_kind poller,
		void (*apply)(struct vstate_dev *dev, void *arg), void *arg)
{
	struct poller_change change = { poller, apply, arg };

	return vstate_control_run(do_poller_set, dev, &change);
}

/* ---- the service ---- */

static int32_t
service_run(void *arg)
{
	struct vstate_dev *dev = arg;
	uint32_t work;

	/* The lease of a queue does not say which poller it is for: the port may be the poller. */
	if (!vstate_lease_take(&dev->poller_lease))
		return -EAGAIN;
	work = dev->class->poll(dev);
	vstate_lease_give(&dev->poller_lease);
	return work != 0 ? 0 : -EAGAIN;
}

/*
 * EAL maps only services that exist when it starts to service cores. A device that is plugged in
 * later maps its service here, to the core with the fewest services.
 */
static void
service_map_to_core(const struct vstate_dev *dev)
{
	const uint32_t id = dev->poller->id;
	uint32_t lcores[RTE_MAX_LCORE];
	int32_t n, i, count, best = -1, best_count = INT32_MAX;

	n = rte_service_lcore_list(lcores, RTE_DIM(lcores));
	for (i = 0; i < n; i++) {
		count = rte_service_lcore_count_services(lcores[i]);
		if (count >= 0 && count < best_count) {
			best_count = count;
			best = i;
		}
	}
	if (best < 0) {
		VSTATE_LOG(NOTICE, "%s: no service core polls the queues yet: start EAL with -s, "
				"or map service %u to a service core", dev->name, id);
		return;
	}
	rte_service_map_lcore_set(id, lcores[best], 1);
	rte_service_lcore_start(lcores[best]); /* -EALREADY if it runs */
}

static int
service_register(struct vstate_dev *dev, int socket)
{
	struct rte_service_spec spec = {
		.callback = service_run,
		.callback_userdata = dev,
		.socket_id = socket,
	};
	int ret;

	if (rte_strscpy(spec.name, dev->name, sizeof(spec.name)) < 0)
		return -ENAMETOOLONG;
	ret = rte_service_component_register(&spec, &dev->poller->id);
	if (ret != 0)
		return ret;
	dev->poller->registered = true;
	rte_service_component_runstate_set(dev->poller->id, 1);
	rte_service_runstate_set(dev->poller->id, 1);
	service_map_to_core(dev);
	return 0;
}

/* A service core may still be inside the callback after the service is stopped: wait for it. */
static void
service_unregister(const struct vstate_poller *poller)
{
	rte_service_component_runstate_set(poller->id, 0);
	rte_service_runstate_set(poller->id, 0);
	while (rte_service_may_be_active(poller->id) == 1)
		rte_pause();
	rte_service_component_unregister(poller->id);
}

static void
poll_begin(struct vstate_dev *dev, void *arg)
{
	RTE_SET_USED(arg);
	if (dev->poller != NULL && dev->class->poll_begin != NULL)
		dev->class->poll_begin(dev);
}

int
vstate_poller_create(struct vstate_dev *dev, int socket)
{
	int ret = -ENOMEM;

	dev->poller = calloc(1, sizeof(*dev->poller));
	if (dev->poller != NULL)
		ret = dev->class->poll_init(dev, socket);
	if (ret == 0)
		ret = service_register(dev, socket);
	if (ret != 0) {
		VSTATE_LOG(ERR, "%s: cannot register the service that polls the device: %s",
				dev->name, strerror(-ret));
		vstate_poller_destroy(dev);
		return ret;
	}
	return vstate_poller_set(dev, VSTATE_POLLER_SERVICE, poll_begin, NULL);
}

void
vstate_poller_destroy(struct vstate_dev *dev)
{
	if (dev->poller == NULL)
		return;
	vstate_poller_set(dev, VSTATE_POLLER_NONE, NULL, NULL);
	if (dev->poller->registered)
		service_unregister(dev->poller);
	dev->class->poll_fini(dev);
	free(dev->poller);
	dev->poller = NULL;
}

void
vstate_poller_fall_back(struct vstate_dev *dev)
{
	vstate_poller_set(dev, dev->poller != NULL ? VSTATE_POLLER_SERVICE : VSTATE_POLLER_NONE,
			poll_begin, NULL);
}
