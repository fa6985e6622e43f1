/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include "vhost_state_bytes.h"
#include "vhost_state_part.h"
#include "vhost_state_reason.h"

uint32_t
vhost_state_part_units(const struct vhost_state_part *part, const struct rte_vhost_state *st,
		uint16_t vq)
{
	return part->units != NULL ? part->units(st, vq) : 1;
}

uint16_t
vhost_state_part_instances(const struct vhost_state_part *part, uint16_t nb_vqs)
{
	if (part->per_vq)
		return nb_vqs;
	return part->selectors != NULL ? part->nb_selectors : 1;
}

uint16_t
vhost_state_part_selector(const struct vhost_state_part *part, uint16_t instance)
{
	if (part->per_vq)
		return instance;
	return part->selectors != NULL ? part->selectors[instance] : 0;
}

uint16_t
vhost_state_part_find(const struct vhost_state_part *part, uint16_t selector)
{
	uint16_t i = 0;

	if (part->per_vq || part->selectors == NULL)
		return selector;
	while (i < part->nb_selectors && part->selectors[i] != selector)
		i++;
	return i;
}

int
vhost_state_part_fault(const struct vhost_state_value *v, uint32_t at, uint64_t expected,
		uint64_t found, struct rte_vhost_state_error *e)
{
	return vhost_state_fault(e, RTE_VHOST_STATE_R_PART_RESERVED, v->vq, v->offset + at,
			expected, found);
}

int
vhost_state_part_check_zero(const struct vhost_state_value *v, uint32_t from, uint32_t to,
		struct rte_vhost_state_error *e)
{
	const uint32_t at = from + (uint32_t)vhost_state_zero_prefix(v->p + from, to - from);

	return at == to ? 0 : vhost_state_part_fault(v, at, 0, v->p[at], e);
}
