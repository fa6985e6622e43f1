/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_PORT_SECONDARY_H
#define VSTATE_PORT_SECONDARY_H

/**
 * @file
 * The port in a secondary process (dpdk-proc-info, dpdk-pdump, dpdk-dumpcap): what it is, and what
 * it counted. Packets and control belong to the primary process. A secondary process writes nothing
 * that is shared and takes no lock that is shared, so that it may end at any time.
 */

struct rte_vdev_device;

/** Attach to the port that the primary process has. @return 0; -ENODEV: it has none */
int vstate_port_secondary_attach(struct rte_vdev_device *vdev);
/** Detach from it. */
void vstate_port_secondary_detach(struct rte_vdev_device *vdev);

#endif /* VSTATE_PORT_SECONDARY_H */
