/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>

#include <rte_bitops.h>
#include <rte_common.h>
#include <rte_vhost.h>

#include "vstate_blk.h"
#include "vstate_blk_class.h"
#include "vstate_blk_conf.h"
#include "vstate_blk_vq.h"

/* For the notification of a new capacity. */
#define PROTOCOL_F_BACKEND_REQ RTE_BIT64(5)
/* Protocol features that rte_vhost does not know: RESET_DEVICE, GET_VRING_BASE_INFLIGHT. */
#define PROTOCOL_F_RESET_DEVICE RTE_BIT64(13)
#define PROTOCOL_F_BASE_INFLIGHT RTE_BIT64(20)

#define COUNTER(name) { #name, offsetof(struct vstate_blk_vq, counters.name) }

static const struct vstate_counter counters[] = {
	COUNTER(reads),
	COUNTER(writes),
	COUNTER(flushes),
	COUNTER(discards),
	COUNTER(write_zeroes),
	COUNTER(get_ids),
	COUNTER(read_bytes),
	COUNTER(write_bytes),
	COUNTER(errors),
	COUNTER(unsupported),
	COUNTER(malformed),
	COUNTER(resubmitted),
};

static const struct vstate_feature_name feature_names[] = {
	{ VIRTIO_BLK_F_SIZE_MAX, "size_max" },
	{ VIRTIO_BLK_F_SEG_MAX, "seg_max" },
	{ VIRTIO_BLK_F_GEOMETRY, "geometry" },
	{ VIRTIO_BLK_F_RO, "ro" },
	{ VIRTIO_BLK_F_BLK_SIZE, "blk_size" },
	{ VIRTIO_BLK_F_FLUSH, "flush" },
	{ VIRTIO_BLK_F_TOPOLOGY, "topology" },
	{ VIRTIO_BLK_F_CONFIG_WCE, "config_wce" },
	{ VIRTIO_BLK_F_MQ, "mq" },
	{ VIRTIO_BLK_F_DISCARD, "discard" },
	{ VIRTIO_BLK_F_WRITE_ZEROES, "write_zeroes" },
};

const struct vstate_class vstate_blk_class = {
	.name = "blk",
	.virtio_id = VIRTIO_ID_BLOCK,
	.vdpa_type = RTE_VHOST_VDPA_DEVICE_TYPE_BLK,
	.protocol_features = RTE_BIT64(VHOST_USER_PROTOCOL_F_MQ) |
		RTE_BIT64(VHOST_USER_PROTOCOL_F_LOG_SHMFD) |
		RTE_BIT64(VHOST_USER_PROTOCOL_F_REPLY_ACK) |
		RTE_BIT64(VHOST_USER_PROTOCOL_F_CONFIG) |
		RTE_BIT64(VHOST_USER_PROTOCOL_F_STATUS) |
		PROTOCOL_F_BACKEND_REQ | PROTOCOL_F_RESET_DEVICE | PROTOCOL_F_BASE_INFLIGHT,
	.vqs_per_queue = 1,
	.vqs_to_start = 1,
	.interrupted = VSTATE_INTERRUPTED_SUBMITTED_AGAIN,
	.dev_size = sizeof(struct vstate_blk),
	.vq_size = sizeof(struct vstate_blk_vq),
	.feature_names = feature_names,
	.nb_feature_names = RTE_DIM(feature_names),
	.counters = counters,
	.nb_counters = RTE_DIM(counters),
	.devargs = vstate_blk_devargs,
	.nb_devargs = VSTATE_BLK_NB_DEVARGS,
	.conf_default = vstate_blk_conf_default,
	.conf_check = vstate_blk_conf_check,
	.features = vstate_blk_features,
	.dev_init = vstate_blk_dev_init,
	.dev_fini = vstate_blk_dev_fini,
	.config_get = vstate_blk_config_get,
	.config_set = vstate_blk_config_set,
	.reset = vstate_blk_reset,
	.vq_setup = vstate_blk_vq_setup,
	.quiesce = vstate_blk_quiesce,
	.poll_init = vstate_blk_poll_init,
	.poll_fini = vstate_blk_poll_fini,
	.poll = vstate_blk_poll,
	.watch = vstate_blk_watch,
	.capture = vstate_blk_capture,
	.restore = vstate_blk_restore,
	.limits = vstate_blk_limits,
	.telemetry = vstate_blk_telemetry,
};
