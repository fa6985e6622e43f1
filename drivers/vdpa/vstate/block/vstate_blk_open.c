/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>

#include <rte_errno.h>

#include "vstate_blk_conf.h"
#include "vstate_blk_delay.h"
#include "vstate_blk_mem.h"
#include "vstate_blk_open.h"
#include "vstate_blk_store.h"
#include "vstate_blk_threads.h"
#ifdef VSTATE_HAS_LIBURING
#include "vstate_blk_uring.h"
#endif
#include "vstate_log.h"

static struct vstate_blk_store *
uring_open(const char *dev_name, const struct vstate_blk_conf *conf)
{
#ifdef VSTATE_HAS_LIBURING
	return vstate_blk_uring_open(dev_name, conf);
#else
	RTE_SET_USED(dev_name);
	RTE_SET_USED(conf);
	rte_errno = ENOSYS;
	return NULL;
#endif
}

/* io_uring, or threads if it is missing. */
static struct vstate_blk_store *
file_open(const char *dev_name, const struct vstate_blk_conf *conf)
{
	struct vstate_blk_store *store = NULL;

	if (conf->store != VSTATE_BLK_STORE_THREADS) {
		store = uring_open(dev_name, conf);
		if (store != NULL || (rte_errno != ENOSYS && rte_errno != EPERM))
			return store;
		if (conf->store == VSTATE_BLK_STORE_URING) {
			VSTATE_LOG(ERR, "%s: store=uring: %s", dev_name, rte_errno == ENOSYS ?
					"this build or this kernel has no io_uring" :
					"the system does not allow io_uring to this process");
			return NULL;
		}
		VSTATE_LOG(NOTICE, "%s: no io_uring: threads serve the file", dev_name);
	}
	return vstate_blk_threads_open(dev_name, conf);
}

struct vstate_blk_store *
vstate_blk_open(const char *dev_name, const struct vstate_blk_conf *conf)
{
	struct vstate_blk_store *store, *delayed;
	const bool in_memory = conf->store == VSTATE_BLK_STORE_RAM ||
		conf->store == VSTATE_BLK_STORE_NULL;

	store = in_memory ? vstate_blk_mem_open(conf) : file_open(dev_name, conf);
	if (store == NULL) {
		if (in_memory)
			VSTATE_LOG(ERR, "%s: no memory for size=%" PRIu64, dev_name, conf->size);
		return NULL;
	}
	if (conf->delay_us == 0)
		return store;
	delayed = vstate_blk_delay_open(conf, store);
	if (delayed == NULL)
		store->ops->close(store);
	return delayed;
}
