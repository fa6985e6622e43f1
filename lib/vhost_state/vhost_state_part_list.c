/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include "vhost_state_part_list.h"

/** Insert @p part behind those of a lower type. Lists are short, so this costs nothing. */
static void
insert_part(struct vhost_state_part_list *list, const struct vhost_state_part *part)
{
	unsigned int i;

	for (i = list->nb++; i > 0 && list->part[i - 1]->type > part->type; i--)
		list->part[i] = list->part[i - 1];
	list->part[i] = part;
}

void
vhost_state_part_list_init(struct vhost_state_part_list *list,
		const struct vhost_state_class *class)
{
	unsigned int i;

	list->nb = 0;
	for (i = 0; i < VHOST_STATE_NB_COMMON_PARTS; i++)
		insert_part(list, &vhost_state_common_parts[i]);
	for (i = 0; class != NULL && i < VHOST_STATE_CLASS_MAX_PARTS; i++)
		if (class->parts[i].type != 0)
			insert_part(list, &class->parts[i]);
}

unsigned int
vhost_state_part_list_find(const struct vhost_state_part_list *list, uint16_t type)
{
	unsigned int i;

	for (i = 0; i < list->nb; i++)
		if (list->part[i]->type == type)
			break;
	return i;
}
