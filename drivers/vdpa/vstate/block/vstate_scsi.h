/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_SCSI_H
#define VSTATE_SCSI_H

/**
 * @file
 * A SCSI host with one target, whose logical units are disks: features, config space and state.
 * Members of struct vstate_class, documented there.
 */

#include <stdbool.h>
#include <stdint.h>

#include "vstate_scsi_unit.h"

struct rte_tel_data;
struct rte_vhost_state;
struct rte_vhost_state_limits;
struct vstate_conf;
struct vstate_dev;
struct vstate_vq;

uint64_t vstate_scsi_features(const struct vstate_conf *conf);
uint16_t vstate_scsi_more_vqs(const struct vstate_conf *conf);
int vstate_scsi_dev_init(struct vstate_dev *dev);
void vstate_scsi_dev_fini(struct vstate_dev *dev);
int vstate_scsi_config_get(const struct vstate_dev *dev, uint8_t *config, uint32_t size);
int vstate_scsi_config_set(struct vstate_dev *dev, const uint8_t *config, uint32_t offset,
		uint32_t size);
void vstate_scsi_disconnect(struct vstate_dev *dev);
void vstate_scsi_reset(struct vstate_dev *dev);
void vstate_scsi_vq_setup(struct vstate_dev *dev, struct vstate_vq *vq);
int vstate_scsi_quiesce(struct vstate_dev *dev, struct vstate_vq *vq, bool finish,
		uint64_t timeout_ns, uint16_t *late_qid);
int vstate_scsi_poll_init(struct vstate_dev *dev, int socket);
void vstate_scsi_poll_fini(struct vstate_dev *dev);
uint32_t vstate_scsi_poll(struct vstate_dev *dev);
bool vstate_scsi_watch(struct vstate_dev *dev);
void vstate_scsi_capture(const struct vstate_dev *dev, struct rte_vhost_state *st);
int vstate_scsi_restore(struct vstate_dev *dev, struct rte_vhost_state *st);
int vstate_scsi_recover(struct vstate_dev *dev, const struct rte_vhost_state *st);
void vstate_scsi_limits(const struct vstate_dev *dev, struct rte_vhost_state_limits *lim);
void vstate_scsi_telemetry(const struct vstate_dev *dev, struct rte_tel_data *d);

#endif /* VSTATE_SCSI_H */
