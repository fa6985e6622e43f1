/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/falloc.h>
#include <linux/fs.h>

#include <rte_errno.h>

#include "vstate_blk_conf.h"
#include "vstate_blk_file.h"
#include "vstate_log.h"

/* Fill in what a block device or a file system says of its blocks. */
static int
sizes_get(const struct vstate_blk_conf *conf, const struct stat *st,
		struct vstate_blk_store *store)
{
	int logical = VSTATE_BLK_SECTOR;
	unsigned int physical = 0;

	store->blk_size = conf->blk_size;
	store->phys_size = RTE_MAX(conf->blk_size, 4096u);
	if (!S_ISBLK(st->st_mode))
		return 0;
	if (ioctl(store->fd, BLKSSZGET, &logical) != 0 ||
			ioctl(store->fd, BLKPBSZGET, &physical) != 0)
		return -errno;
	if (conf->direct && conf->blk_size < (uint32_t)logical)
		return -EINVAL;
	store->phys_size = RTE_MAX(conf->blk_size, physical);
	return 0;
}

/* @return 0; -errno with the reason in the log */
static int
file_open(const char *dev_name, const struct vstate_blk_conf *conf,
		struct vstate_blk_store *store)
{
	int flags = (conf->ro ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	struct stat st;
	int ret = 0;

	store->ro = conf->ro;
	store->fd = open(conf->path, conf->direct ? flags | O_DIRECT : flags);
	if (store->fd < 0 || fstat(store->fd, &st) != 0) {
		ret = -errno;
		VSTATE_LOG(ERR, "%s: cannot open path=%s%s: %s", dev_name, conf->path,
				conf->direct ? " with O_DIRECT" : "", strerror(-ret));
	} else if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
		ret = -EINVAL;
		VSTATE_LOG(ERR, "%s: path=%s is not a file or a block device", dev_name,
				conf->path);
	} else {
		/* O_NONBLOCK was for FIFOs, whose open would wait */
		fcntl(store->fd, F_SETFL, fcntl(store->fd, F_GETFL) & ~O_NONBLOCK);
		ret = sizes_get(conf, &st, store);
		if (ret != 0)
			VSTATE_LOG(ERR, "%s: path=%s: blocks of %u bytes are not possible",
					dev_name, conf->path, conf->blk_size);
	}
	if (ret == 0 && !vstate_blk_store_grow(store)) {
		ret = -EINVAL;
		VSTATE_LOG(ERR, "%s: path=%s is shorter than one block", dev_name, conf->path);
	}
	store->can_discard = !conf->ro;
	if (ret == 0)
		return 0;
	if (store->fd >= 0)
		close(store->fd);
	store->fd = -1;
	return ret;
}

struct vstate_blk_store *
vstate_blk_file_open(const char *dev_name, const struct vstate_blk_conf *conf,
		const struct vstate_blk_store_ops *ops)
{
	struct vstate_blk_store *store = calloc(1, sizeof(*store));
	int ret = store != NULL ? file_open(dev_name, conf, store) : -ENOMEM;

	if (ret == 0) {
		store->ops = ops;
		return store;
	}
	free(store);
	rte_errno = -ret;
	return NULL;
}

void
vstate_blk_file_close(struct vstate_blk_store *store)
{
	close(store->fd);
	free(store);
}

int
vstate_blk_file_mode(const struct vstate_blk_io *io)
{
	return io->op == VSTATE_BLK_DISCARD || io->unmap ?
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE : FALLOC_FL_ZERO_RANGE;
}

int
vstate_blk_file_result(int res)
{
	/* only a cancellation interrupts an operation */
	return res == -EINTR ? -ECANCELED : res;
}

int
vstate_blk_file_transferred(struct vstate_blk_io *io, int64_t res)
{
	if (res < 0)
		return vstate_blk_file_result(res);
	if ((uint64_t)res == io->len)
		return 0;
	if (io->again)
		return -EIO;
	io->again = true;
	return -ECANCELED;
}

/* A file system that cannot write zeroes itself gets them written. */
static int
zeroes_write(int fd, uint64_t offset, uint64_t len)
{
	static alignas(4096) const uint8_t zeroes[65536];
	ssize_t n;

	for (; len > 0; offset += n, len -= n) {
		n = pwrite(fd, zeroes, RTE_MIN(len, sizeof(zeroes)), offset);
		if (n <= 0)
			return n == 0 ? -EIO : -errno;
	}
	return 0;
}

static int
range_do(int fd, const struct vstate_blk_io *io)
{
	if (fallocate(fd, vstate_blk_file_mode(io), io->offset, io->len) == 0)
		return 0;
	if (errno != EOPNOTSUPP)
		return -errno;
	/* the driver must not rely on the content of a discarded range */
	return io->op == VSTATE_BLK_DISCARD ? 0 : zeroes_write(fd, io->offset, io->len);
}

void
vstate_blk_file_do(const struct vstate_blk_store *store, struct vstate_blk_io *io)
{
	ssize_t n = 0;

	switch (io->op) {
	case VSTATE_BLK_READ:
		n = preadv(store->fd, io->iov, io->nb_iov, io->offset);
		break;
	case VSTATE_BLK_WRITE:
		n = pwritev2(store->fd, io->iov, io->nb_iov, io->offset,
				io->stable ? RWF_DSYNC : 0);
		break;
	case VSTATE_BLK_FLUSH:
		io->res = fdatasync(store->fd) == 0 ? 0 : -errno;
		return;
	case VSTATE_BLK_DISCARD:
	case VSTATE_BLK_WRITE_ZEROES:
		io->res = range_do(store->fd, io);
		if (io->res == 0 && io->stable && fdatasync(store->fd) != 0)
			io->res = -errno;
		return;
	}
	io->res = vstate_blk_file_transferred(io, n < 0 ? -errno : n);
}
