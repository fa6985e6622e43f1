/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <rte_memory.h>

#include "ut_device.h"
#include "vstate_probe.h"
#include "dev/vstate_conf.h"
#include "net/vstate_net_class.h"
#include "net/vstate_net_conf.h"

struct vstate_conf
ut_conf(uint16_t queues, uint16_t mtu)
{
	struct vstate_conf conf = { .queues = queues, .numa = SOCKET_ID_ANY,
		.socket_mode = -1, .socket_group = -1 };

	vstate_net_conf(&conf)->mtu = mtu;
	return conf;
}

struct vstate_dev *
ut_device_make(const char *name, const struct vstate_conf *conf)
{
	return vstate_probe_make(name, conf, &vstate_net_class, SOCKET_ID_ANY);
}

void
ut_device_unmake(struct vstate_dev *dev)
{
	vstate_probe_unmake(dev);
}
