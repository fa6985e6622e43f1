/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_BLK_STORE_H
#define VSTATE_BLK_STORE_H

/**
 * @file
 * What keeps the blocks of a disk: a file behind io_uring or threads, memory, or nothing.
 *
 * Each queue has a channel. A request is an operation (struct vstate_blk_io) that is submitted to
 * the channel of its queue, and comes back from that channel once. One thread at a time uses a
 * channel: the poll thread with the lease, or the control side after it quiesced the queue.
 *
 * The store and its file are those of one device. The file's lock says which process may have
 * operations under way: see vstate_blk_store_lock().
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include <vstate_compat.h>

enum vstate_blk_op {
	VSTATE_BLK_READ,
	VSTATE_BLK_WRITE,
	VSTATE_BLK_FLUSH,
	VSTATE_BLK_DISCARD,
	VSTATE_BLK_WRITE_ZEROES,
};

/** More pieces than the kernel takes in one call are refused before. */
#define VSTATE_BLK_MAX_IOV 1024

struct vstate_blk_io {
	enum vstate_blk_op op;
	/** Write: complete only when the data is on stable storage. */
	bool stable;
	/** Write zeroes: the range may be deallocated. */
	bool unmap;
	/** Pieces of guest memory, of read and write; the caller's until the operation is done. */
	uint16_t nb_iov;
	const struct iovec *iov;
	/** Range in bytes. */
	uint64_t offset, len;
	/** Result: 0; -ECANCELED: it must be submitted again; or another -errno. */
	int res;
	/** A short transfer was repeated; false when the request is new. */
	bool again;
	/** For the store, while it has the operation. */
	uint8_t step;
	uint64_t due;
};

struct vstate_blk_conf;
struct vstate_blk_store;
struct vstate_blk_chan;

/** A kind of store. */
struct vstate_blk_store_ops {
	const char *name;
	/** Allocate a channel for up to @p depth operations. @return NULL with rte_errno */
	struct vstate_blk_chan *(*chan_open)(struct vstate_blk_store *store, uint16_t depth);
	/** Free a channel that has no operation. */
	void (*chan_close)(struct vstate_blk_chan *chan);
	/** Begin an operation. @return true: it is done already, and does not come back later */
	bool (*submit)(struct vstate_blk_chan *chan, struct vstate_blk_io *io);
	/** Pass what was submitted on to whatever serves it; may be NULL. */
	void (*kick)(struct vstate_blk_chan *chan);
	/** Return operations that are done, up to @p max. @return their number */
	uint16_t (*reap)(struct vstate_blk_chan *chan, struct vstate_blk_io **done, uint16_t max);
	/**
	 * Ask for operations that were not begun to be given back by reap(), with -ECANCELED. The
	 * answer may be late, also after other operations were submitted. May be NULL.
	 */
	void (*cancel)(struct vstate_blk_chan *chan);
	/** Free what belongs to the store. All channels are closed. */
	void (*close)(struct vstate_blk_store *store);
};

/** The common part of each store. */
struct vstate_blk_store {
	const struct vstate_blk_store_ops *ops;
	/** The file; -1: none. */
	int fd;
	/** Bytes. It only grows; any thread. */
	uint64_t size;
	/** Bytes of a logical block, and of a physical one. */
	uint32_t blk_size, phys_size;
	bool ro;
	/** It can deallocate ranges, and write zeroes. */
	bool can_discard;
	/** This process may have operations under way. Any thread reads it. */
	bool locked;
};

/** The common part of each channel. */
struct vstate_blk_chan {
	struct vstate_blk_store *store;
};

/**
 * Lock the file. The caller holds the lease of a queue, or the control lock while it quiesces: a
 * file must not be locked after a stop.
 * @return 0: the file is this process's; -EWOULDBLOCK: another process has operations under way
 */
int vstate_blk_store_lock(struct vstate_blk_store *store);
/** No operation is under way: another process may use the file. */
void vstate_blk_store_unlock(struct vstate_blk_store *store);
/** Whether this process holds the lock. Any thread. */
static inline bool
vstate_blk_store_is_locked(const struct vstate_blk_store *store)
{
	return rte_atomic_load_explicit(&store->locked, rte_memory_order_relaxed);
}
/** Look whether the file has grown. Any thread. @return true if it has */
bool vstate_blk_store_grow(struct vstate_blk_store *store);

#endif /* VSTATE_BLK_STORE_H */
