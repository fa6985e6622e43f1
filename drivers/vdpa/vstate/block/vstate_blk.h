/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_BLK_H
#define VSTATE_BLK_H

/**
 * @file
 * A disk: features, config space, state, and the work that its queues have in common. Members of
 * struct vstate_class, documented there.
 */

#include <stdbool.h>
#include <stdint.h>

#include "dev/vstate_dev.h"
#include "vstate_blk_serve.h"

struct rte_tel_data;
struct rte_vhost_state;
struct rte_vhost_state_limits;
struct vstate_setup;

/** The class's part of a device. */
struct vstate_blk {
	/** Its one store, and how it is served. */
	struct vstate_blk_serve serve;
	/** The driver's choice of the write cache: 1 on, 0 off. Any thread. */
	uint8_t wce;
};

static inline struct vstate_blk *
vstate_blk_of(struct vstate_dev *dev)
{
	return dev->of_class;
}

static inline const struct vstate_blk *
vstate_blk_of_const(const struct vstate_dev *dev)
{
	return dev->of_class;
}

uint64_t vstate_blk_features(const struct vstate_conf *conf);
int vstate_blk_dev_init(struct vstate_dev *dev);
void vstate_blk_dev_fini(struct vstate_dev *dev);
int vstate_blk_config_get(const struct vstate_dev *dev, uint8_t *config, uint32_t size);
int vstate_blk_config_set(struct vstate_dev *dev, const uint8_t *config, uint32_t offset,
		uint32_t size);
void vstate_blk_reset(struct vstate_dev *dev);
void vstate_blk_vq_setup(struct vstate_dev *dev, struct vstate_vq *vq);
int vstate_blk_quiesce(struct vstate_dev *dev, struct vstate_vq *vq, bool finish,
		uint64_t timeout_ns, uint16_t *late_qid);
int vstate_blk_poll_init(struct vstate_dev *dev, int socket);
void vstate_blk_poll_fini(struct vstate_dev *dev);
uint32_t vstate_blk_poll(struct vstate_dev *dev);
bool vstate_blk_watch(struct vstate_dev *dev);
void vstate_blk_capture(const struct vstate_dev *dev, struct rte_vhost_state *st);
int vstate_blk_restore(struct vstate_dev *dev, struct rte_vhost_state *st);
void vstate_blk_limits(const struct vstate_dev *dev, struct rte_vhost_state_limits *lim);
void vstate_blk_telemetry(const struct vstate_dev *dev, struct rte_tel_data *d);

#endif /* VSTATE_BLK_H */
