/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_PART_LIST_H
#define VHOST_STATE_PART_LIST_H

/**
 * @file
 * All parts that a state of one class can have, in the order in which they are encoded.
 */

#include "vhost_state_class.h"
#include "vhost_state_common.h"

#define VHOST_STATE_MAX_PARTS (VHOST_STATE_NB_COMMON_PARTS + VHOST_STATE_CLASS_MAX_PARTS)

struct vhost_state_part_list {
	/** Parts in ascending order of type. */
	const struct vhost_state_part *part[VHOST_STATE_MAX_PARTS];
	unsigned int nb;
};

/**
 * Fill @p list with the parts of every class and those of @p class.
 *
 * @param class
 *   NULL: the list has the parts of every class only.
 */
void vhost_state_part_list_init(struct vhost_state_part_list *list,
		const struct vhost_state_class *class);

/** Return the position of the part with @p type in @p list, or list->nb if it has none. */
unsigned int vhost_state_part_list_find(const struct vhost_state_part_list *list, uint16_t type);

#endif /* VHOST_STATE_PART_LIST_H */
