/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdio.h>

#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include <rte_bitops.h>
#include <rte_common.h>
#include <rte_telemetry.h>

#include "dev/vstate_class.h"
#include "rte_vhost_state.h"
#include "vstate_telemetry_names.h"

/* Bits of all classes. linux/vhost_types.h and older headers lack some of them. */
static const struct vstate_feature_name feature_names[] = {
	{ VIRTIO_F_NOTIFY_ON_EMPTY, "notify_on_empty" },
	{ 26, "log_all" },
	{ VIRTIO_F_ANY_LAYOUT, "any_layout" },
	{ VIRTIO_RING_F_INDIRECT_DESC, "indirect_desc" },
	{ VIRTIO_RING_F_EVENT_IDX, "event_idx" },
	{ 30, "protocol_features" },
	{ VIRTIO_F_VERSION_1, "version_1" },
	{ VIRTIO_F_ACCESS_PLATFORM, "access_platform" },
	{ VIRTIO_F_RING_PACKED, "ring_packed" },
	{ 35, "in_order" },
	{ VIRTIO_F_ORDER_PLATFORM, "order_platform" },
	{ 38, "notification_data" },
	{ 40, "ring_reset" },
	{ RTE_VHOST_STATE_F_SUSPEND, "suspend" },
};

void
vstate_telemetry_status(uint8_t status, char *text, size_t size)
{
	static const struct {
		uint8_t bit;
		const char *name;
	} bits[] = {
		{ RTE_VHOST_STATE_S_ACKNOWLEDGE, "acknowledge" },
		{ RTE_VHOST_STATE_S_DRIVER, "driver" },
		{ RTE_VHOST_STATE_S_FEATURES_OK, "features_ok" },
		{ RTE_VHOST_STATE_S_DRIVER_OK, "driver_ok" },
		{ RTE_VHOST_STATE_S_SUSPEND, "suspend" },
		{ RTE_VHOST_STATE_S_NEEDS_RESET, "needs_reset" },
		{ RTE_VHOST_STATE_S_FAILED, "failed" },
	};
	size_t len = 0;
	unsigned int i;

	text[0] = '\0';
	for (i = 0; i < RTE_DIM(bits); i++)
		if ((status & bits[i].bit) != 0 && len < size)
			len += snprintf(text + len, size - len, "%s%s", len > 0 ? "," : "",
					bits[i].name);
}

static const char *
name_find(const struct vstate_feature_name *names, unsigned int nb, unsigned int bit)
{
	unsigned int i;

	for (i = 0; i < nb; i++)
		if (names[i].bit == bit)
			return names[i].name;
	return NULL;
}

void
vstate_telemetry_features(const struct vstate_class *class, uint64_t features,
		struct rte_tel_data *d)
{
	struct rte_tel_data *list = rte_tel_data_alloc();
	const char *name;
	unsigned int bit;
	char number[16];

	if (list == NULL)
		return;
	rte_tel_data_start_array(list, RTE_TEL_STRING_VAL);
	for (bit = 0; bit < 64; bit++) {
		if ((features & RTE_BIT64(bit)) == 0)
			continue;
		name = name_find(class->feature_names, class->nb_feature_names, bit);
		if (name == NULL)
			name = name_find(feature_names, RTE_DIM(feature_names), bit);
		if (name == NULL) {
			snprintf(number, sizeof(number), "bit_%u", bit);
			name = number;
		}
		rte_tel_data_add_array_string(list, name);
	}
	if (rte_tel_data_add_dict_container(d, "features", list, 0) != 0)
		rte_tel_data_free(list);
}
