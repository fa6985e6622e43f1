/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "vstate_fd_io.h"

/*
 * O_NONBLOCK does not protect against a front end: the flag belongs to the open file, which both
 * processes share, so the front end can clear it. Opening a pipe again needs the rights of its
 * creator. Sockets and pipes have system calls that do not wait, whatever the flag is. A file
 * never waits for a peer.
 */
int
vstate_fd_io_check(int fd, bool read)
{
	struct stat st;
	int mode;

	if (fstat(fd, &st) != 0)
		return -errno;
	if (S_ISREG(st.st_mode))
		return VSTATE_FD_IO_FILE;
	if (S_ISSOCK(st.st_mode))
		return VSTATE_FD_IO_PEER;
	if (!S_ISFIFO(st.st_mode))
		return -EINVAL;
	/* vmsplice() on a pipe that is open for both would write. */
	mode = fcntl(fd, F_GETFL) & O_ACCMODE;
	return mode == (read ? O_RDONLY : O_WRONLY) ? VSTATE_FD_IO_PEER : -EINVAL;
}

static ssize_t
read_now(int fd, void *buf, size_t len)
{
	struct iovec iov = { .iov_base = buf, .iov_len = len };
	ssize_t n;

	n = recv(fd, buf, len, MSG_DONTWAIT);
	if (n >= 0 || errno != ENOTSOCK)
		return n;
	n = vmsplice(fd, &iov, 1, SPLICE_F_NONBLOCK);
	if (n >= 0 || errno != EBADF)
		return n;
	return read(fd, buf, len);
}

ssize_t
vstate_fd_io_read(int fd, void *buf, size_t len)
{
	ssize_t n;

	do
		n = read_now(fd, buf, len);
	while (n < 0 && errno == EINTR);
	return n >= 0 ? n : -errno;
}

/* The bytes are copied to a pipe of this process first: vmsplice() would share the buffer. */
static ssize_t
pipe_write_now(int fd, const void *buf, size_t len)
{
	ssize_t n, got = -1;
	int own[2], err;

	if (pipe2(own, O_CLOEXEC | O_NONBLOCK) != 0)
		return -1;
	n = write(own[1], buf, len);
	if (n > 0)
		got = splice(own[0], NULL, fd, NULL, n, SPLICE_F_NONBLOCK);
	err = errno;
	close(own[0]);
	close(own[1]);
	errno = err;
	return got;
}

static ssize_t
write_now(int fd, const void *buf, size_t len)
{
	struct stat st;
	ssize_t n;

	n = send(fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n >= 0 || errno != ENOTSOCK)
		return n;
	if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
		return pipe_write_now(fd, buf, len);
	return write(fd, buf, len);
}

/* A reader that hung up is an error of this descriptor. Its SIGPIPE must not end the process. */
static ssize_t
write_quietly(int fd, const void *buf, size_t len)
{
	const struct timespec none = { 0 };
	sigset_t pipe_broken, before, pending;
	ssize_t n;
	int err;

	sigemptyset(&pipe_broken);
	sigaddset(&pipe_broken, SIGPIPE);
	sigpending(&pending);
	pthread_sigmask(SIG_BLOCK, &pipe_broken, &before);
	n = write_now(fd, buf, len);
	err = errno;
	if (n < 0 && err == EPIPE && !sigismember(&pending, SIGPIPE))
		sigtimedwait(&pipe_broken, NULL, &none);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = err;
	return n;
}

ssize_t
vstate_fd_io_write(int fd, const void *buf, size_t len)
{
	ssize_t n;

	do
		n = write_quietly(fd, buf, len);
	while (n < 0 && errno == EINTR);
	return n >= 0 ? n : -errno;
}
