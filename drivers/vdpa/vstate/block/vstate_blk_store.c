/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <vstate_compat.h>

#include "vstate_blk_store.h"

/*
 * A lock of flock() belongs to the open file, not to the process. An operation that the kernel has
 * begun keeps the file open after its process was killed. So the lock falls when the last operation
 * of the killed process has ended, and no write of it lands after a write of the next process.
 */
int
vstate_blk_store_lock(struct vstate_blk_store *store)
{
	if (vstate_blk_store_is_locked(store))
		return 0;
	if (store->fd >= 0 && flock(store->fd, (store->ro ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0)
		return -errno;
	rte_atomic_store_explicit(&store->locked, true, rte_memory_order_relaxed);
	return 0;
}

void
vstate_blk_store_unlock(struct vstate_blk_store *store)
{
	if (vstate_blk_store_is_locked(store) && store->fd >= 0)
		flock(store->fd, LOCK_UN);
	rte_atomic_store_explicit(&store->locked, false, rte_memory_order_relaxed);
}

bool
vstate_blk_store_grow(struct vstate_blk_store *store)
{
	uint64_t size = 0, old = rte_atomic_load_explicit(&store->size, rte_memory_order_relaxed);
	struct stat st;

	if (store->fd < 0 || fstat(store->fd, &st) != 0)
		return false;
	if (S_ISBLK(st.st_mode) && ioctl(store->fd, BLKGETSIZE64, &size) != 0)
		return false;
	if (S_ISREG(st.st_mode))
		size = st.st_size;
	size -= size % store->blk_size;
	if (size <= old)
		return false;
	rte_atomic_store_explicit(&store->size, size, rte_memory_order_relaxed);
	return true;
}
