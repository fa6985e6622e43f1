/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <linux/virtio_console.h>
#include <linux/virtio_ids.h>

#include <rte_bitops.h>
#include <rte_common.h>
#include <rte_vhost.h>

#include "vstate_console.h"
#include "vstate_console_class.h"
#include "vstate_console_conf.h"
#include "vstate_console_kept.h"
#include "vstate_console_pass.h"
#include "vstate_console_vq.h"

/* For the notification of a new size. */
#define PROTOCOL_F_BACKEND_REQ RTE_BIT64(5)
/*
 * A protocol feature that rte_vhost does not know. GET_VRING_BASE_INFLIGHT (bit 20) is not offered:
 * an in-flight region has no place for the part of a buffer that is transferred.
 */
#define PROTOCOL_F_RESET_DEVICE RTE_BIT64(13)

#define COUNTER(name) { #name, offsetof(struct vstate_console_vq, counters.name) }

static const struct vstate_counter counters[] = {
	COUNTER(buffers),
	COUNTER(bytes),
	COUNTER(dropped_bytes),
	COUNTER(malformed),
	COUNTER(resumed),
};

static const struct vstate_feature_name feature_names[] = {
	{ VIRTIO_CONSOLE_F_SIZE, "size" },
	{ VIRTIO_CONSOLE_F_MULTIPORT, "multiport" },
	{ VIRTIO_CONSOLE_F_EMERG_WRITE, "emerg_write" },
};

const struct vstate_class vstate_console_class = {
	.name = "console",
	.virtio_id = VIRTIO_ID_CONSOLE,
	.protocol_features = RTE_BIT64(VHOST_USER_PROTOCOL_F_MQ) |
		RTE_BIT64(VHOST_USER_PROTOCOL_F_LOG_SHMFD) |
		RTE_BIT64(VHOST_USER_PROTOCOL_F_REPLY_ACK) |
		RTE_BIT64(VHOST_USER_PROTOCOL_F_CONFIG) |
		RTE_BIT64(VHOST_USER_PROTOCOL_F_STATUS) |
		PROTOCOL_F_BACKEND_REQ | PROTOCOL_F_RESET_DEVICE,
	.vqs_per_queue = 2,
	.vqs_to_start = 2,
	.interrupted = VSTATE_INTERRUPTED_SUBMITTED_AGAIN,
	.dev_size = sizeof(struct vstate_console),
	.vq_size = sizeof(struct vstate_console_vq),
	.kept_size = sizeof(struct vstate_console_kept),
	.counters = counters,
	.nb_counters = RTE_DIM(counters),
	.feature_names = feature_names,
	.nb_feature_names = RTE_DIM(feature_names),
	.devargs = vstate_console_devargs,
	.nb_devargs = VSTATE_CONSOLE_NB_DEVARGS,
	.conf_default = vstate_console_conf_default,
	.conf_check = vstate_console_conf_check,
	.features = vstate_console_features,
	.more_vqs = vstate_console_more_vqs,
	.dev_init = vstate_console_dev_init,
	.dev_fini = vstate_console_dev_fini,
	.config_get = vstate_console_config_get,
	.config_set = vstate_console_config_set,
	.disconnect = vstate_console_disconnect,
	.reset = vstate_console_reset,
	.vq_setup = vstate_console_vq_setup,
	.run_changed = vstate_console_run_changed,
	.granted = vstate_console_granted,
	.wants_kicks = vstate_console_wants_kicks,
	.quiesce = vstate_console_quiesce,
	.watch = vstate_console_watch,
	.capture = vstate_console_capture,
	.restore = vstate_console_restore,
	.recover = vstate_console_recover,
	.pass = vstate_console_pass,
	.take = vstate_console_take,
	.left = vstate_console_left,
	.limits = vstate_console_limits,
	.telemetry = vstate_console_telemetry,
};
