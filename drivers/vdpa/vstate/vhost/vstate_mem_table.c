/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>

#include "vstate_mem_table.h"

int
vstate_mem_table_build(struct vstate_mem *mem, const struct rte_vhost_memory *table)
{
	struct vstate_region regions[VSTATE_MEM_MAX_REGIONS];
	uint32_t i;

	if (table->nregions > VSTATE_MEM_MAX_REGIONS)
		return -E2BIG;
	for (i = 0; i < table->nregions; i++) {
		regions[i] = (struct vstate_region){
			.gpa = table->regions[i].guest_phys_addr,
			.size = table->regions[i].size,
			.hva = (uint8_t *)(uintptr_t)table->regions[i].host_user_addr,
		};
	}
	return vstate_mem_build(mem, regions, table->nregions);
}

uint64_t
vstate_mem_table_gpa(const struct rte_vhost_memory *table, uint64_t uva)
{
	const struct rte_vhost_mem_region *r;
	uint32_t i;

	for (i = 0; i < table->nregions; i++) {
		r = &table->regions[i];
		if (uva - r->guest_user_addr < r->size)
			return r->guest_phys_addr + (uva - r->guest_user_addr);
	}
	return UINT64_MAX;
}
