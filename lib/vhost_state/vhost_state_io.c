/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_errno.h>

#include <vstate_compat.h>

#include "vhost_state_decode.h"
#include "vhost_state_encode.h"
#include "vhost_state_format.h"
#include "vhost_state_io.h"
#include "vhost_state_reason.h"
#include "vhost_state_validate.h"

/** First allocation of a reader in bytes. It grows as bytes arrive, not as a header announces. */
#define READ_CHUNK (64 * 1024)
#define WRITE_CHUNK (16 * 1024)

static int
io_fault(struct rte_vhost_state_error *e, int err)
{
	return vhost_state_fault(e, RTE_VHOST_STATE_R_IO, -1, -1, 0, (uint64_t)err);
}

/**
 * Handle a failed read or write. Return 0 if the call is to be repeated, otherwise the errno.
 */
static int
io_retry(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	if (errno == EINTR)
		return 0;
	if (errno != EAGAIN && errno != EWOULDBLOCK)
		return errno;
	/* The descriptor is in non-blocking mode, but the function waits. */
	return poll(&p, 1, -1) < 0 && errno != EINTR ? errno : 0;
}

/* ---- write ---- */

static int
write_all(int fd, const uint8_t *buf, size_t len)
{
	ssize_t n;
	int err;

	while (len > 0) {
		n = write(fd, buf, len);
		if (n < 0) {
			err = io_retry(fd, POLLOUT);
			if (err != 0)
				return -err;
			continue;
		}
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
flush_to_fd(struct vhost_state_sink *sink)
{
	return write_all(sink->fd, sink->buf, sink->used);
}

/*
 * If the destination of a migration dies, the source must survive and resume. SIGPIPE is therefore
 * blocked in this thread, and removed from the pending signals if the write raised it.
 */
static void
sigpipe_block(sigset_t *saved, bool *was_pending)
{
	sigset_t set;

	sigpending(&set);
	*was_pending = sigismember(&set, SIGPIPE) == 1;
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &set, saved);
}

static void
sigpipe_restore(const sigset_t *saved, bool was_pending, bool raised)
{
	const struct timespec now = { 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	if (raised && !was_pending)
		while (sigtimedwait(&set, NULL, &now) < 0 && errno == EINTR)
			;
	pthread_sigmask(SIG_SETMASK, saved, NULL);
}

static int
write_state(const struct rte_vhost_state *st, int fd, struct rte_vhost_state_error *e)
{
	struct vhost_state_sink sink = { .size = WRITE_CHUNK, .flush = flush_to_fd, .fd = fd };
	bool was_pending;
	sigset_t saved;
	int ret;

	ret = vhost_state_check(st, e);
	if (ret != 0)
		return ret;
	sink.buf = malloc(WRITE_CHUNK);
	if (sink.buf == NULL)
		return vhost_state_fault(e, RTE_VHOST_STATE_R_NO_MEMORY, -1, -1, 0, WRITE_CHUNK);
	sigpipe_block(&saved, &was_pending);
	ret = vhost_state_emit(st, &sink);
	sigpipe_restore(&saved, was_pending, ret == -EPIPE);
	free(sink.buf);
	return ret == 0 ? 0 : io_fault(e, -ret);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_write, 26.11)
int
rte_vhost_state_write(const struct rte_vhost_state *st, int fd,
		struct rte_vhost_state_error *err)
{
	struct rte_vhost_state_error e;

	vhost_state_no_error(&e);
	write_state(st, fd, &e);
	return vhost_state_report(err, &e);
}

/* ---- read ---- */

/** Read @p len bytes, fewer only at the end of the file. Return their number, or -errno. */
static ssize_t
read_some(int fd, uint8_t *buf, size_t len)
{
	size_t got = 0;
	ssize_t n;
	int err;

	while (got < len) {
		n = read(fd, buf + got, len - got);
		if (n < 0) {
			err = io_retry(fd, POLLIN);
			if (err != 0)
				return -err;
			continue;
		}
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

static int
read_range(int fd, uint8_t *buf, size_t from, size_t to, uint32_t total,
		struct rte_vhost_state_error *e)
{
	const ssize_t n = read_some(fd, buf + from, to - from);

	if (n < 0)
		return io_fault(e, (int)-n);
	if ((size_t)n < to - from)
		return vhost_state_fault(e, RTE_VHOST_STATE_R_TRUNCATED, -1,
				(int64_t)(from + (size_t)n), total, from + (size_t)n);
	return 0;
}

/** Enlarge the buffer to twice the bytes that have arrived, at most to the whole state. */
static int
grow_buffer(uint8_t **buf, size_t *size, uint32_t total, struct rte_vhost_state_error *e)
{
	size_t larger = *size == 0 ? READ_CHUNK : 2 * *size;
	uint8_t *p;

	larger = RTE_MIN(larger, (size_t)total);
	p = realloc(*buf, larger);
	if (p == NULL)
		return vhost_state_fault(e, RTE_VHOST_STATE_R_NO_MEMORY, -1, -1, 0, larger);
	*buf = p;
	*size = larger;
	return 0;
}

/**
 * Read the bytes of one state.
 *
 * @param buf
 *   Written: the bytes. The caller frees them, also after an error.
 * @param len
 *   Written: their number.
 */
static int
read_bytes(int fd, uint8_t **buf, size_t *len, struct rte_vhost_state_error *e)
{
	uint8_t header[VHOST_STATE_HEADER_SIZE];
	size_t have = sizeof(header), size = 0;
	uint32_t total = 0;
	int ret;

	ret = read_range(fd, header, 0, have, VHOST_STATE_HEADER_SIZE, e);
	if (ret == 0)
		ret = vhost_state_parse_header(header, have, &total, e);
	if (ret == 0)
		ret = grow_buffer(buf, &size, total, e);
	if (ret != 0)
		return ret;
	memcpy(*buf, header, have);
	while (have < total) {
		if (have == size)
			ret = grow_buffer(buf, &size, total, e);
		if (ret == 0)
			ret = read_range(fd, *buf, have, size, total, e);
		if (ret != 0)
			return ret;
		have = size;
	}
	*len = total;
	return 0;
}

/** Read a state. If @p whole is set, bytes after the state are an error. */
static struct rte_vhost_state *
read_state(int fd, bool whole, struct rte_vhost_state_error *e)
{
	struct rte_vhost_state *st = NULL;
	uint8_t *buf = NULL, more;
	size_t len = 0;
	ssize_t n;

	if (read_bytes(fd, &buf, &len, e) != 0)
		goto out;
	n = whole ? read_some(fd, &more, 1) : 0;
	if (n < 0)
		io_fault(e, (int)-n);
	else if (n > 0)
		vhost_state_fault(e, RTE_VHOST_STATE_R_TRAILING_BYTES, -1, (int64_t)len, len,
				len + 1);
	else
		st = vhost_state_parse(buf, len, e);
out:
	free(buf);
	return st;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_read, 26.11)
struct rte_vhost_state *
rte_vhost_state_read(int fd, struct rte_vhost_state_error *err)
{
	struct rte_vhost_state_error e;
	struct rte_vhost_state *st;

	vhost_state_no_error(&e);
	st = read_state(fd, false, &e);
	if (vhost_state_report(err, &e) != 0)
		rte_errno = rte_vhost_state_reason_errno(e.reason);
	return st;
}

struct rte_vhost_state *
vhost_state_load_fd(int fd, struct rte_vhost_state_error *err)
{
	struct rte_vhost_state_error e;
	struct rte_vhost_state *st;

	vhost_state_no_error(&e);
	st = read_state(fd, true, &e);
	if (vhost_state_report(err, &e) != 0)
		rte_errno = rte_vhost_state_reason_errno(e.reason);
	return st;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_load, 26.11)
struct rte_vhost_state *
rte_vhost_state_load(const char *path, struct rte_vhost_state_error *err)
{
	struct rte_vhost_state_error e;
	struct rte_vhost_state *st;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		vhost_state_no_error(&e);
		io_fault(&e, errno);
		vhost_state_report(err, &e);
		rte_errno = rte_vhost_state_reason_errno(e.reason);
		return NULL;
	}
	st = vhost_state_load_fd(fd, err);
	close(fd);
	return st;
}

/* ---- save ---- */

/*
 * The new name reaches the disk with the directory. If this sync fails, a power loss may bring
 * back the old file. The file of that name is complete in either case, so this is no error.
 */
static void
sync_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir;
	int fd;

	if (slash == NULL)
		dir = strdup(".");
	else
		dir = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (dir == NULL)
		return;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		(void)fsync(fd);
		close(fd);
	}
	free(dir);
}

/** Write, sync and close @p fd. */
static int
fill_file(const struct rte_vhost_state *st, int fd, struct rte_vhost_state_error *e)
{
	int ret;

	ret = write_state(st, fd, e);
	if (ret == 0 && fsync(fd) != 0)
		ret = io_fault(e, errno);
	if (close(fd) != 0 && ret == 0)
		ret = io_fault(e, errno);
	return ret;
}

/** Save by way of a temporary file. @p temp is a template for mkostemp(). */
static int
save_by_rename(const struct rte_vhost_state *st, const char *path, char *temp,
		struct rte_vhost_state_error *e)
{
	int fd, ret;

	/* mkostemp() gives mode 0600: other users must not read the addresses of a guest. */
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return io_fault(e, errno);
	ret = fill_file(st, fd, e);
	if (ret == 0 && rename(temp, path) != 0)
		ret = io_fault(e, errno);
	if (ret != 0)
		unlink(temp);
	else
		sync_directory(path);
	return ret;
}

static int
save_state(const struct rte_vhost_state *st, const char *path, struct rte_vhost_state_error *e)
{
	static const char suffix[] = ".XXXXXX";
	struct stat info;
	size_t size;
	char *temp;
	int ret;

	/* A rename would replace a device or a pipe by a file. */
	if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
		return io_fault(e, EINVAL);
	size = strlen(path) + sizeof(suffix);
	temp = malloc(size);
	if (temp == NULL)
		return vhost_state_fault(e, RTE_VHOST_STATE_R_NO_MEMORY, -1, -1, 0, size);
	snprintf(temp, size, "%s%s", path, suffix);
	ret = save_by_rename(st, path, temp, e);
	free(temp);
	return ret;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_save, 26.11)
int
rte_vhost_state_save(const struct rte_vhost_state *st, const char *path,
		struct rte_vhost_state_error *err)
{
	struct rte_vhost_state_error e;

	vhost_state_no_error(&e);
	save_state(st, path, &e);
	return vhost_state_report(err, &e);
}
