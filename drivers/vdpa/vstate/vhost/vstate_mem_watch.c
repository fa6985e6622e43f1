/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdlib.h>

#include <rte_vhost.h>

#include "dev/vstate_broken.h"
#include "dev/vstate_dev.h"
#include "ring/vstate_mem_guard.h"
#include "vstate_compat.h"
#include "vstate_connection.h"
#include "vstate_log.h"
#include "vstate_mem_watch.h"

static void
range_guard(struct vstate_dev *dev, const void *addr, uint64_t len)
{
	if (vstate_mem_guard_add(addr, len, &dev->connection->memory_lost) != 0)
		VSTATE_LOG(WARNING, "%s: %" PRIu64 " bytes of memory are not guarded: a front end "
				"that takes them away ends the process", dev->name, len);
}

void
vstate_mem_watch_begin(struct vstate_dev *dev)
{
	struct rte_vhost_memory *table = NULL;
	uint64_t log_base = 0, log_size = 0;
	uint32_t i;

	vstate_mem_watch_end(dev);
	/* rte_vhost reads through a NULL pointer when no front end has sent a table. */
	if (dev->connection->has_memory &&
			rte_vhost_get_mem_table(dev->connection->vid, &table) == 0 &&
			table != NULL) {
		for (i = 0; i < table->nregions; i++)
			range_guard(dev, table->regions[i].mmap_addr, table->regions[i].mmap_size);
	}
	free(table);
	if (rte_vhost_get_log_base(dev->connection->vid, &log_base, &log_size) == 0 &&
			log_base != 0)
		range_guard(dev, (const void *)(uintptr_t)log_base, log_size);
}

void
vstate_mem_watch_end(struct vstate_dev *dev)
{
	vstate_mem_guard_drop(&dev->connection->memory_lost);
}

void
vstate_mem_watch_report(struct vstate_dev *dev)
{
	if (rte_atomic_exchange_explicit(&dev->connection->memory_lost, 0,
			rte_memory_order_acquire) == 0)
		return;
	VSTATE_LOG(ERR, "%s: the front end took memory of the guest away: zeros are in its place",
			dev->name);
	vstate_broken_all(dev, VSTATE_FAULT_MEMORY_LOST);
}
