/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/virtio_ring.h>

#include <rte_bitops.h>
#include <rte_errno.h>
#include <rte_string_fns.h>

#include "dev/vstate_class.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_state.h"
#include "ring/vstate_inflight.h"
#include "ring/vstate_mem_guard.h"
#include "ring/vstate_vq.h"
#include "vstate_compat.h"
#include "vstate_handover.h"
#include "vstate_log.h"
#include "vstate_state_file.h"

#define MAGIC 0x4547415045545356ull /* "VSTEPAGE" */
#define VQS_OFFSET 4096
#define KEPT_OFFSET 16384
/* Bytes that are mapped. Their blocks are allocated when the file is made. */
#define MAP_SIZE 65536
#define PLACE_SIZE (16u << 20)
#define FILE_SIZE (MAP_SIZE + 2ull * PLACE_SIZE)

struct vstate_state_file {
	int fd;
	char path[PATH_MAX];
	union {
		uint8_t *map;
		struct vstate_state_file_head *head;
	};
	struct vstate_state_file_vq *vqs;
	/** Another process truncated the file. */
	uint32_t lost;
};

static off_t
place_offset(uint32_t seq)
{
	return MAP_SIZE + (off_t)(seq % 2) * PLACE_SIZE;
}

/* @return 0 or -errno */
static int
boot_id_get(char id[40])
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	int ret = 0;

	memset(id, 0, 40);
	if (f == NULL)
		return -errno;
	if (fgets(id, 40, f) == NULL)
		ret = -EIO;
	fclose(f);
	id[strcspn(id, "\n")] = '\0';
	return ret;
}

/* ---- read the state of the previous owner ---- */

/*
 * @param st written: the state; NULL: the bytes are no valid state
 * @return 0; -errno: the state could not be read now, and may be valid
 */
static int
state_read(const struct vstate_dev *dev, const struct vstate_state_file *file, uint32_t seq,
		struct rte_vhost_state **st)
{
	struct rte_vhost_state_error err = { 0 };
	uint32_t len = file->head->state_len[seq % 2];
	char text[256];
	ssize_t n;
	void *buf;
	int ret;

	*st = NULL;
	if (len == 0 || len > PLACE_SIZE)
		return 0;
	buf = malloc(len);
	if (buf == NULL)
		return -ENOMEM;
	n = pread(file->fd, buf, len, place_offset(seq));
	ret = n < 0 ? -errno : 0;
	if (n == (ssize_t)len) {
		*st = rte_vhost_state_decode(buf, len, &err);
		if (*st == NULL) {
			ret = rte_errno == ENOMEM ? -ENOMEM : 0;
			rte_vhost_state_error_format(&err, text, sizeof(text));
			VSTATE_LOG(WARNING, "%s: state in %s refused: %s", dev->name, file->path,
					text);
		}
	}
	free(buf);
	return ret;
}

/* As state_read(). */
static int
recovery_read(const struct vstate_dev *dev, const struct vstate_state_file *file,
		struct vstate_recovery **out)
{
	const uint32_t seq = file->head->seq;
	struct vstate_recovery *rec;
	struct rte_vhost_state *st;
	uint16_t i;
	int ret;

	*out = NULL;
	ret = state_read(dev, file, seq, &st);
	if (st == NULL || st->nb_vqs > dev->nb_vqs)
		goto fail;
	rec = calloc(1, sizeof(*rec) + dev->nb_vqs * sizeof(rec->vqs[0]));
	if (rec == NULL) {
		ret = -ENOMEM;
		goto fail;
	}
	rec->st = st;
	rec->pid = file->head->pid;
	for (i = 0; i < st->nb_vqs; i++) {
		rec->vqs[i].valid = file->vqs[i].seq == seq;
		rec->vqs[i].head = file->vqs[i].head;
		rec->vqs[i].left = file->vqs[i].left;
		/* only the in-flight region of the front end has this position */
		if (file->vqs[i].elsewhere != 0)
			st->vqs[i].size = 0;
	}
	*out = rec;
	return 0;
fail:
	rte_vhost_state_free(st);
	return ret;
}

/* ---- memory of the class ---- */

static void *
kept_get(const struct vstate_state_file *file)
{
	return file->map + KEPT_OFFSET;
}

/*
 * Read what the previous owner left, if that can be used.
 * @return 0; -errno: it could not be read now. Rings must not resume elsewhere then.
 */
static int
recovery_take(const struct vstate_dev *dev, const struct vstate_state_file *file)
{
	char boot_id[sizeof(file->head->boot_id)];
	int ret;

	if (file->head->active == 0)
		return 0;
	ret = boot_id_get(boot_id);
	if (ret != 0)
		return ret;
	if (memcmp(boot_id, file->head->boot_id, sizeof(boot_id)) != 0) {
		VSTATE_LOG(NOTICE, "%s: %s ignored: it was written before the host's last boot",
				dev->name, file->path);
		return 0;
	}
	ret = recovery_read(dev, file, &dev->handover->recovery);
	if (ret != 0)
		return ret;
	if (dev->handover->recovery == NULL)
		VSTATE_LOG(WARNING, "%s: %s cannot be used: rings resume at the front end's base",
				dev->name, file->path);
	else
		VSTATE_LOG(NOTICE, "%s: process %u left rings behind: they resume where it stopped",
				dev->name, dev->handover->recovery->pid);
	return 0;
}

/* ---- the file ---- */

/* Whether the file belongs to this device. If not, the reason is logged. */
static bool
head_fits(const struct vstate_dev *dev, const struct vstate_state_file *file)
{
	const struct vstate_state_file_head *h = file->head;
	const char *what = NULL;

	if (h->version != VSTATE_STATE_FILE_VERSION)
		what = "of another version";
	else if (h->file_size != FILE_SIZE)
		what = "of another size";
	else if (h->nb_vqs != dev->nb_vqs)
		what = "of a device with another number of queues";
	else if (strncmp(h->name, dev->name, sizeof(h->name)) != 0)
		what = "of another device";
	if (what != NULL)
		VSTATE_LOG(WARNING, "%s: %s is %s: not used", dev->name, file->path, what);
	return what == NULL;
}

static void
head_make(const struct vstate_dev *dev, struct vstate_state_file *file)
{
	struct vstate_state_file_head *h = file->head;

	memset(file->map, 0, MAP_SIZE);
	h->version = VSTATE_STATE_FILE_VERSION;
	h->nb_vqs = dev->nb_vqs;
	h->file_size = FILE_SIZE;
	rte_strscpy(h->name, dev->name, sizeof(h->name));
	rte_atomic_store_explicit(&h->magic, MAGIC, rte_memory_order_release);
}

/* Refuse a file that another user could have made, or could change. */
static int
file_check(const struct vstate_dev *dev, const struct vstate_state_file *file, struct stat *st)
{
	if (fstat(file->fd, st) != 0)
		return -errno;
	if (S_ISREG(st->st_mode) && st->st_uid == geteuid() && st->st_nlink == 1 &&
			(st->st_mode & 077) == 0)
		return 0;
	VSTATE_LOG(ERR, "%s: %s refused: not a regular file of user %u with mode 0600 and one "
			"link", dev->name, file->path, geteuid());
	return -EPERM;
}

static int
file_map(struct vstate_state_file *file)
{
	file->map = mmap(NULL, MAP_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			file->fd, 0);
	if (file->map == MAP_FAILED) {
		file->map = NULL;
		return -errno;
	}
	file->vqs = (struct vstate_state_file_vq *)(void *)(file->map + VQS_OFFSET);
	return vstate_mem_guard_add(file->map, MAP_SIZE, &file->lost);
}

/* -EINVAL: it is not a state file, and is left as it is. */
static int
file_take(struct vstate_dev *dev, struct vstate_state_file *file, const struct stat *st)
{
	uint64_t magic = 0;
	int ret;

	if (st->st_size != 0 && (pread(file->fd, &magic, sizeof(magic), 0) != sizeof(magic) ||
			(magic != MAGIC && !(magic == 0 && st->st_size == FILE_SIZE)))) {
		VSTATE_LOG(ERR, "%s: %s is not a state file", dev->name, file->path);
		return -EINVAL;
	}
	if (magic == MAGIC && st->st_size != FILE_SIZE) {
		VSTATE_LOG(WARNING, "%s: %s is truncated: made from scratch", dev->name,
				file->path);
		magic = 0;
	}
	/* Allocate all mapped blocks now: a store to a full file system would raise SIGBUS. */
	if (ftruncate(file->fd, FILE_SIZE) != 0)
		return -errno;
	ret = posix_fallocate(file->fd, 0, MAP_SIZE);
	if (ret != 0)
		return -ret;
	ret = file_map(file);
	if (ret != 0)
		return ret;
	if (magic != MAGIC || !head_fits(dev, file))
		head_make(dev, file);
	else
		ret = recovery_take(dev, file);
	if (ret != 0)
		return ret;
	/* it belongs to the state that the previous owner left */
	if (dev->handover->recovery == NULL)
		memset(kept_get(file), 0, dev->class->kept_size);
	/* The rest of the head stays valid until this process serves rings itself. */
	file->head->pid = getpid();
	return 0;
}

static int
file_lock(const struct vstate_dev *dev, const struct vstate_state_file *file)
{
	struct vstate_state_file_head head;

	if (flock(file->fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return -errno;
	if (pread(file->fd, &head, sizeof(head), 0) != sizeof(head))
		head.pid = 0;
	if (!dev->conf.takeover)
		VSTATE_LOG(ERR, "%s: %s is in use by process %u", dev->name, file->path,
				head.pid);
	return -EBUSY;
}

static void
file_free(struct vstate_state_file *file)
{
	if (file == NULL)
		return;
	if (file->map != NULL) {
		vstate_mem_guard_drop(&file->lost);
		munmap(file->map, MAP_SIZE);
	}
	/* this also releases the lock */
	if (file->fd >= 0)
		close(file->fd);
	free(file);
}

static int
path_make(const struct vstate_dev *dev, struct vstate_state_file *file)
{
	int len = snprintf(file->path, sizeof(file->path), "%s/%s.vstate", dev->conf.state_dir,
			dev->name);

	if (strchr(dev->name, '/') == NULL && len < (int)sizeof(file->path))
		return 0;
	VSTATE_LOG(ERR, "%s: the device name cannot be a file name in state_dir %s: it has a slash "
			"or is too long", dev->name, dev->conf.state_dir);
	return -EINVAL;
}

/*
 * A user who can write to the directory could replace the socket of a new process with another
 * one, and would get the guest's memory. A sticky bit does not prevent that.
 */
static int
dir_check(const struct vstate_dev *dev)
{
	const char *dir = dev->conf.state_dir;
	struct stat st;

	if (stat(dir, &st) != 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	if ((st.st_uid == geteuid() || st.st_uid == 0) && (st.st_mode & 022) == 0)
		return 0;
	VSTATE_LOG(ERR, "%s: state_dir %s refused: others than user %u can write to it (owner %u, "
			"mode %04o); use a directory of that user with mode 0700", dev->name, dir,
			geteuid(), st.st_uid, st.st_mode & 07777);
	return -EPERM;
}

/* Open the file without its lock. */
static int
file_find(const struct vstate_dev *dev, struct vstate_state_file **out, struct stat *st)
{
	struct vstate_state_file *file = calloc(1, sizeof(*file));
	int ret;

	*out = file;
	if (file == NULL)
		return -ENOMEM;
	file->fd = -1;
	ret = path_make(dev, file);
	if (ret == 0)
		ret = dir_check(dev);
	if (ret != 0)
		return ret;
	file->fd = open(file->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	return file->fd >= 0 ? file_check(dev, file, st) : -errno;
}

int
vstate_state_file_look(const struct vstate_dev *dev, uint32_t *pid)
{
	struct vstate_state_file *file = NULL;
	struct stat st;
	int ret;

	ret = file_find(dev, &file, &st);
	if (ret == 0 && st.st_size != FILE_SIZE)
		ret = -EPROTO;
	if (ret == 0)
		ret = file_map(file);
	if (ret == 0 && (file->head->magic != MAGIC || !head_fits(dev, file)))
		ret = -EPROTO;
	if (ret == 0)
		*pid = file->head->pid;
	file_free(file);
	return ret;
}

uint32_t
vstate_state_file_seq(const struct vstate_dev *dev)
{
	return rte_atomic_load_explicit(&dev->handover->state_file->head->seq,
			rte_memory_order_acquire);
}

void
vstate_state_file_unlock(const struct vstate_dev *dev)
{
	flock(dev->handover->state_file->fd, LOCK_UN);
}

int
vstate_state_file_relock(const struct vstate_dev *dev)
{
	return flock(dev->handover->state_file->fd, LOCK_EX | LOCK_NB) == 0 ? 0 : -EBUSY;
}

void
vstate_state_file_reread(struct vstate_dev *dev)
{
	int ret = recovery_take(dev, dev->handover->state_file);

	if (ret != 0)
		VSTATE_LOG(ERR, "%s: %s cannot be read, rings resume at the front end's base: %s",
				dev->name, dev->handover->state_file->path, strerror(-ret));
	dev->handover->state_file->head->pid = getpid();
}

int
vstate_state_file_open(struct vstate_dev *dev)
{
	struct vstate_state_file *file;
	struct stat st;
	uint16_t i;
	int ret;

	RTE_BUILD_BUG_ON(VQS_OFFSET + VSTATE_MAX_VQS * sizeof(struct vstate_state_file_vq) >
			KEPT_OFFSET);
	RTE_BUILD_BUG_ON(sizeof(struct vstate_state_file_vq) != RTE_CACHE_LINE_MIN_SIZE);
	RTE_BUILD_BUG_ON(sizeof(struct vstate_state_file_head) > VQS_OFFSET);
	if (dev->class->kept_size > MAP_SIZE - KEPT_OFFSET)
		return -EFBIG;
	ret = file_find(dev, &file, &st);
	if (ret == 0)
		ret = file_lock(dev, file);
	/* Check again: its owner may have changed the file before the lock was taken. */
	if (ret == 0)
		ret = file_check(dev, file, &st);
	if (ret == 0)
		ret = file_take(dev, file, &st);
	if (ret != 0) {
		if (file != NULL && (ret != -EBUSY || !dev->conf.takeover))
			VSTATE_LOG(ERR, "%s: cannot open state file %s: %s", dev->name, file->path,
					strerror(-ret));
		file_free(file);
		return ret;
	}
	dev->handover->state_file = file;
	dev->kept = kept_get(file);
	for (i = 0; i < dev->nb_vqs; i++)
		vstate_state_file_attach(dev, dev->vqs[i]);
	return 0;
}

bool
vstate_state_file_attach(struct vstate_dev *dev, struct vstate_vq *vq)
{
	if (dev->handover->state_file == NULL)
		return false;
	vq->inflight_head = &dev->handover->state_file->vqs[vq->qid].head;
	return true;
}

void
vstate_state_file_close(struct vstate_dev *dev)
{
	struct vstate_state_file *file = dev->handover->state_file;
	uint16_t i;

	if (file == NULL)
		return;
	dev->handover->state_file = NULL;
	dev->kept = dev->kept_own;
	for (i = 0; i < dev->nb_vqs; i++) {
		if (dev->vqs[i]->inflight_head == &file->vqs[i].head)
			vstate_vq_detach(dev->vqs[i]);
	}
	file_free(file);
}

/* ---- write the state for the next owner ---- */

static int
state_write(const struct vstate_state_file *file, const struct rte_vhost_state *st, uint32_t seq)
{
	size_t size = rte_vhost_state_encoded_size(st), len = 0;
	struct rte_vhost_state_error err = { 0 };
	void *buf;
	int ret;

	if (size > PLACE_SIZE)
		return -EFBIG;
	buf = malloc(size);
	if (buf == NULL)
		return -ENOMEM;
	ret = rte_vhost_state_encode(st, buf, size, &len, &err);
	if (ret == 0 && pwrite(file->fd, buf, len, place_offset(seq)) != (ssize_t)len)
		ret = -EIO;
	free(buf);
	if (ret == 0)
		file->head->state_len[seq % 2] = len;
	return ret;
}

static void
position_begin(struct vstate_state_file_vq *at, struct vstate_vq *vq, bool packed)
{
	union vstate_inflight_head *head = &at->head;
	const uint16_t left = vstate_inflight_count(vq);

	at->elsewhere = vq->inflight_head != head;
	at->left = vstate_inflight_left(left, left);
	if (vq->inflight != NULL)
		vq->inflight->left = &at->left;
	if (packed) {
		head->packed.desc_num = vq->size;
		vstate_inflight_head_step(head, vq->used, vq->used);
	} else {
		head->split.desc_num = vq->size;
		vstate_inflight_head_used(head, vq->used.idx);
	}
	head->split.version = VSTATE_INFLIGHT_VERSION;
}

static bool
vq_is_waiting(const struct vstate_recovery *rec, uint16_t i)
{
	return rec != NULL && i < rec->st->nb_vqs && rec->st->vqs[i].size != 0;
}

/* Rings that are not set up yet keep the state that the previous owner left. */
static void
waiting_keep(const struct vstate_dev *dev, struct rte_vhost_state *st)
{
	const struct vstate_recovery *rec = dev->handover->recovery;
	uint16_t i;

	for (i = 0; i < st->nb_vqs; i++) {
		if (vq_is_waiting(rec, i) && st->vqs[i].size == 0 &&
				rec->st->vqs[i].nb_inflight == 0)
			st->vqs[i] = rec->st->vqs[i];
	}
}

static int
state_store(struct vstate_dev *dev)
{
	const bool packed = vstate_dev_is_packed(dev);
	const struct vstate_recovery *rec = dev->handover->recovery;
	struct vstate_state_file *file = dev->handover->state_file;
	const uint32_t seq = file->head->seq + 1;
	struct rte_vhost_state *st = vstate_state_collect(dev);
	char boot_id[sizeof(file->head->boot_id)];
	uint16_t i;
	int ret;

	if (st == NULL)
		return -ENOMEM;
	waiting_keep(dev, st);
	ret = state_write(file, st, seq);
	rte_vhost_state_free(st);
	if (ret == 0)
		ret = boot_id_get(boot_id);
	if (ret != 0)
		return ret;
	memcpy(file->head->boot_id, boot_id, sizeof(boot_id));
	/*
	 * A kill before this store leaves the old state in force; a kill after it, the new one. A
	 * queue's position is taken from the new state until its record has the same number.
	 */
	rte_atomic_store_explicit(&file->head->seq, seq, rte_memory_order_release);
	for (i = 0; i < dev->nb_vqs; i++) {
		if (vstate_run_vq_is_ready(dev->vqs[i]))
			position_begin(&file->vqs[i], dev->vqs[i], packed);
		if (vstate_run_vq_is_ready(dev->vqs[i]) ||
				(vq_is_waiting(rec, i) && rec->vqs[i].valid))
			rte_atomic_store_explicit(&file->vqs[i].seq, seq, rte_memory_order_release);
	}
	rte_atomic_store_explicit(&file->head->active, 1, rte_memory_order_release);
	return 0;
}

void
vstate_state_file_store(struct vstate_dev *dev)
{
	int ret;

	if (dev->handover->state_file == NULL || !vstate_run_is_started(dev))
		return;
	ret = state_store(dev);
	if (ret == 0)
		return;
	vstate_state_file_retire(dev);
	VSTATE_LOG(ERR, "%s: state not written to %s, so a crash cannot be recovered: %s",
			dev->name, dev->handover->state_file->path, strerror(-ret));
}

void
vstate_state_file_retire(struct vstate_dev *dev)
{
	if (dev->handover->state_file != NULL)
		rte_atomic_store_explicit(&dev->handover->state_file->head->active, 0,
				rte_memory_order_release);
}

bool
vstate_state_file_is_lost(const struct vstate_dev *dev)
{
	return dev->handover->state_file != NULL &&
		rte_atomic_load_explicit(&dev->handover->state_file->lost,
		rte_memory_order_acquire) != 0;
}
