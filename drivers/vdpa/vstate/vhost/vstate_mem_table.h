/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_MEM_TABLE_H
#define VSTATE_MEM_TABLE_H

/** @file The front end's memory table, as rte_vhost has it, and the device's. */

#include <stdint.h>

#include <rte_vhost.h>

#include "ring/vstate_mem.h"

/**
 * Build the device's table from what a front end sent.
 * @return 0 or an error of vstate_mem_build()
 */
int vstate_mem_table_build(struct vstate_mem *mem, const struct rte_vhost_memory *table);

/** Guest physical address of the front end's virtual address @p uva; UINT64_MAX: none. */
uint64_t vstate_mem_table_gpa(const struct rte_vhost_memory *table, uint64_t uva);

#endif /* VSTATE_MEM_TABLE_H */
