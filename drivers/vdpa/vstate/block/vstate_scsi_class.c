/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <linux/virtio_ids.h>
#include <linux/virtio_scsi.h>

#include <rte_bitops.h>
#include <rte_common.h>
#include <rte_vhost.h>

#include "vstate_scsi.h"
#include "vstate_scsi_class.h"
#include "vstate_scsi_conf.h"
#include "vstate_scsi_vq.h"

/*
 * A protocol feature that rte_vhost does not know. GET_VRING_BASE_INFLIGHT (bit 20) is not offered:
 * no front end carries the in-flight region of a SCSI host.
 */
#define PROTOCOL_F_RESET_DEVICE RTE_BIT64(13)

#define BLK_COUNTER(name) { #name, offsetof(struct vstate_scsi_vq, blk.counters.name) }
#define COUNTER(name) { #name, offsetof(struct vstate_scsi_vq, counters.name) }

static const struct vstate_counter counters[] = {
	BLK_COUNTER(reads),
	BLK_COUNTER(writes),
	BLK_COUNTER(flushes),
	BLK_COUNTER(discards),
	BLK_COUNTER(write_zeroes),
	BLK_COUNTER(read_bytes),
	BLK_COUNTER(write_bytes),
	BLK_COUNTER(errors),
	BLK_COUNTER(unsupported),
	BLK_COUNTER(malformed),
	BLK_COUNTER(resubmitted),
	COUNTER(others),
	COUNTER(attentions),
	COUNTER(aborted),
	COUNTER(overruns),
	COUNTER(bad_targets),
	COUNTER(tmfs),
	COUNTER(queries),
	COUNTER(events),
};

static const struct vstate_feature_name feature_names[] = {
	{ VIRTIO_SCSI_F_INOUT, "inout" },
	{ VIRTIO_SCSI_F_HOTPLUG, "hotplug" },
	{ VIRTIO_SCSI_F_CHANGE, "change" },
	{ VIRTIO_SCSI_F_T10_PI, "t10_pi" },
};

const struct vstate_class vstate_scsi_class = {
	.name = "scsi",
	.virtio_id = VIRTIO_ID_SCSI,
	/* rte_vdpa knows network cards and block devices */
	.vdpa_type = RTE_VHOST_VDPA_DEVICE_TYPE_BLK,
	/* QEMU negotiates STATUS and never sends DRIVER_OK, so STATUS is not offered */
	.protocol_features = RTE_BIT64(VHOST_USER_PROTOCOL_F_MQ) |
		RTE_BIT64(VHOST_USER_PROTOCOL_F_LOG_SHMFD) |
		RTE_BIT64(VHOST_USER_PROTOCOL_F_REPLY_ACK) |
		RTE_BIT64(VHOST_USER_PROTOCOL_F_CONFIG) |
		PROTOCOL_F_RESET_DEVICE,
	.vqs_per_queue = 1,
	/* SeaBIOS sets up queue 2 only */
	.vqs_to_start = 0,
	.interrupted = VSTATE_INTERRUPTED_SUBMITTED_AGAIN,
	.dev_size = sizeof(struct vstate_scsi),
	.vq_size = sizeof(struct vstate_scsi_vq),
	.kept_size = sizeof(struct vstate_scsi_kept),
	.feature_names = feature_names,
	.nb_feature_names = RTE_DIM(feature_names),
	.counters = counters,
	.nb_counters = RTE_DIM(counters),
	.devargs = vstate_scsi_devargs,
	.nb_devargs = VSTATE_SCSI_NB_DEVARGS,
	.conf_default = vstate_scsi_conf_default,
	.conf_check = vstate_scsi_conf_check,
	.features = vstate_scsi_features,
	.more_vqs = vstate_scsi_more_vqs,
	.dev_init = vstate_scsi_dev_init,
	.dev_fini = vstate_scsi_dev_fini,
	.config_get = vstate_scsi_config_get,
	.config_set = vstate_scsi_config_set,
	.disconnect = vstate_scsi_disconnect,
	.reset = vstate_scsi_reset,
	.vq_setup = vstate_scsi_vq_setup,
	.quiesce = vstate_scsi_quiesce,
	.poll_init = vstate_scsi_poll_init,
	.poll_fini = vstate_scsi_poll_fini,
	.poll = vstate_scsi_poll,
	.watch = vstate_scsi_watch,
	.capture = vstate_scsi_capture,
	.restore = vstate_scsi_restore,
	.recover = vstate_scsi_recover,
	.limits = vstate_scsi_limits,
	.telemetry = vstate_scsi_telemetry,
};
