/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <rte_common.h>

#include "ut_fail.h"

/* Allocations that are not freed, by a hash of their addresses. Others free them too. */
#define SLOTS 65536

static struct {
	pthread_mutex_t lock;
	const void *of[SLOTS];
	unsigned int nb;
} allocated = { .lock = PTHREAD_MUTEX_INITIALIZER };

static __thread unsigned int left;
static __thread const char *failed;

void
fail_call_arm(unsigned int n)
{
	failed = NULL;
	left = n;
}

const char *
fail_call_disarm(void)
{
	left = 0;
	return failed;
}

/* Whether this call is the one that fails. */
static bool
fails(const char *name, int error)
{
	if (left == 0 || --left > 0)
		return false;
	failed = name;
	errno = error;
	return true;
}

/* ---- memory ---- */

static unsigned int
slot_find(const void *p)
{
	unsigned int i = ((uintptr_t)p >> 4) % SLOTS, n;

	for (n = 0; n < SLOTS && allocated.of[i] != p; n++)
		i = (i + 1) % SLOTS;
	return n < SLOTS ? i : SLOTS;
}

static void *
note_allocated(void *p)
{
	unsigned int i = ((uintptr_t)p >> 4) % SLOTS, n;

	if (p == NULL)
		return NULL;
	pthread_mutex_lock(&allocated.lock);
	for (n = 0; n < SLOTS && allocated.of[i] != NULL; n++)
		i = (i + 1) % SLOTS;
	if (n < SLOTS) {
		allocated.of[i] = p;
		allocated.nb++;
	}
	pthread_mutex_unlock(&allocated.lock);
	return p;
}

static void
note_freed(const void *p)
{
	unsigned int i;

	if (p == NULL)
		return;
	pthread_mutex_lock(&allocated.lock);
	i = slot_find(p);
	if (i < SLOTS) {
		allocated.of[i] = NULL;
		allocated.nb--;
	}
	pthread_mutex_unlock(&allocated.lock);
}

unsigned int
fail_call_allocated(void)
{
	unsigned int n;

	pthread_mutex_lock(&allocated.lock);
	n = allocated.nb;
	pthread_mutex_unlock(&allocated.lock);
	return n;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __real_free(void *p);
void __wrap_free(void *p);

void *
__wrap_malloc(size_t size)
{
	return fails("malloc", ENOMEM) ? NULL : note_allocated(__real_malloc(size));
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fails("calloc", ENOMEM) ? NULL : note_allocated(__real_calloc(n, size));
}

void *
__wrap_realloc(void *p, size_t size)
{
	void *grown;

	if (fails("realloc", ENOMEM))
		return NULL;
	grown = __real_realloc(p, size);
	if (grown != NULL) {
		note_freed(p);
		note_allocated(grown);
	}
	return grown;
}

void
__wrap_free(void *p)
{
	note_freed(p);
	__real_free(p);
}

void *__real_rte_zmalloc_socket(const char *type, size_t size, unsigned int align, int socket);
void *__wrap_rte_zmalloc_socket(const char *type, size_t size, unsigned int align, int socket);
void *__real_rte_zmalloc(const char *type, size_t size, unsigned int align);
void *__wrap_rte_zmalloc(const char *type, size_t size, unsigned int align);

void *
__wrap_rte_zmalloc_socket(const char *type, size_t size, unsigned int align, int socket)
{
	return fails("rte_zmalloc_socket", ENOMEM) ? NULL :
		__real_rte_zmalloc_socket(type, size, align, socket);
}

void *
__wrap_rte_zmalloc(const char *type, size_t size, unsigned int align)
{
	return fails("rte_zmalloc", ENOMEM) ? NULL : __real_rte_zmalloc(type, size, align);
}

/* ---- calls that return -1 and errno ---- */

#define FAIL_INT(ret, name, error, params, args) \
	ret __real_##name params; \
	ret __wrap_##name params; \
	ret \
	__wrap_##name params \
	{ \
		return fails(#name, error) ? -1 : __real_##name args; \
	}

FAIL_INT(int, eventfd, EMFILE, (unsigned int count, int flags), (count, flags))
FAIL_INT(int, memfd_create, EMFILE, (const char *name, unsigned int flags), (name, flags))
FAIL_INT(int, socket, EMFILE, (int domain, int type, int protocol), (domain, type, protocol))
FAIL_INT(int, listen, EADDRINUSE, (int fd, int backlog), (fd, backlog))
FAIL_INT(int, pipe2, EMFILE, (int fds[2], int flags), (fds, flags))
FAIL_INT(int, epoll_create1, EMFILE, (int flags), (flags))
FAIL_INT(int, flock, EINTR, (int fd, int operation), (fd, operation))
FAIL_INT(int, ftruncate, ENOSPC, (int fd, off_t len), (fd, len))
FAIL_INT(int, ftruncate64, ENOSPC, (int fd, off_t len), (fd, len))
FAIL_INT(int, fstat, EIO, (int fd, struct stat *st), (fd, st))
FAIL_INT(int, fstat64, EIO, (int fd, struct stat *st), (fd, st))
FAIL_INT(int, bind, EADDRINUSE, (int fd, const struct sockaddr *a, socklen_t len), (fd, a, len))
FAIL_INT(int, connect, ECONNREFUSED, (int fd, const struct sockaddr *a, socklen_t len),
		(fd, a, len))
FAIL_INT(int, accept4, EMFILE, (int fd, struct sockaddr *a, socklen_t *len, int flags),
		(fd, a, len, flags))
FAIL_INT(ssize_t, pread, EIO, (int fd, void *buf, size_t n, off_t at), (fd, buf, n, at))
FAIL_INT(ssize_t, pread64, EIO, (int fd, void *buf, size_t n, off_t at), (fd, buf, n, at))
FAIL_INT(ssize_t, pwrite, ENOSPC, (int fd, const void *buf, size_t n, off_t at), (fd, buf, n, at))
FAIL_INT(ssize_t, pwrite64, ENOSPC, (int fd, const void *buf, size_t n, off_t at),
		(fd, buf, n, at))
FAIL_INT(ssize_t, sendmsg, ENOMEM, (int fd, const struct msghdr *msg, int flags), (fd, msg, flags))
FAIL_INT(ssize_t, recvmsg, ENOMEM, (int fd, struct msghdr *msg, int flags), (fd, msg, flags))

/* ---- others ---- */

int __real_posix_fallocate64(int fd, off_t at, off_t len);
int __wrap_posix_fallocate64(int fd, off_t at, off_t len);
void *__real_mmap64(void *p, size_t len, int prot, int flags, int fd, off_t at);
void *__wrap_mmap64(void *p, size_t len, int prot, int flags, int fd, off_t at);
int __real_open64(const char *path, int flags, mode_t mode);
int __wrap_open64(const char *path, int flags, ...);
int __real_fcntl64(int fd, int command, long arg);
int __wrap_fcntl64(int fd, int command, ...);

int
__wrap_posix_fallocate64(int fd, off_t at, off_t len)
{
	return fails("posix_fallocate", ENOSPC) ? ENOSPC : __real_posix_fallocate64(fd, at, len);
}

void *
__wrap_mmap64(void *p, size_t len, int prot, int flags, int fd, off_t at)
{
	return fails("mmap", ENOMEM) ? MAP_FAILED : __real_mmap64(p, len, prot, flags, fd, at);
}

int
__wrap_open64(const char *path, int flags, ...)
{
	mode_t mode;
	va_list ap;

	va_start(ap, flags);
	mode = va_arg(ap, mode_t);
	va_end(ap);
	return fails("open", EMFILE) ? -1 : __real_open64(path, flags, mode);
}

int
__wrap_fcntl64(int fd, int command, ...)
{
	va_list ap;
	long arg;

	va_start(ap, command);
	arg = va_arg(ap, long);
	va_end(ap);
	return fails("fcntl", EMFILE) ? -1 : __real_fcntl64(fd, command, arg);
}
