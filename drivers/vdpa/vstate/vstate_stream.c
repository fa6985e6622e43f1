/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "vstate_stream.h"

/*
 * The same pipe, opened anew. O_NONBLOCK belongs to an open file, which a descriptor that was
 * passed shares with its sender: who clears it there would make us wait.
 */
static int
pipe_open(int fd, bool read)
{
	char path[32];
	int own;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, (read ? O_RDONLY : O_WRONLY) | O_NONBLOCK | O_CLOEXEC);
	return own >= 0 ? own : -errno;
}

int
vstate_stream_open(int fd, bool read)
{
	struct stat st;
	int own = -EINVAL;

	if (fstat(fd, &st) != 0)
		own = -errno;
	else if (S_ISSOCK(st.st_mode) || S_ISREG(st.st_mode))
		return fd;
	else if (S_ISFIFO(st.st_mode))
		own = pipe_open(fd, read);
	close(fd);
	return own;
}

ssize_t
vstate_stream_read(int fd, void *buf, size_t len)
{
	ssize_t n;

	do {
		n = recv(fd, buf, len, MSG_DONTWAIT);
		if (n < 0 && errno == ENOTSOCK)
			n = read(fd, buf, len);
	} while (n < 0 && errno == EINTR);
	return n >= 0 ? n : -errno;
}

/* A reader that goes away is an error of this stream, and no end of the process. */
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
	n = write(fd, buf, len);
	err = errno;
	if (n < 0 && err == EPIPE && !sigismember(&pending, SIGPIPE))
		sigtimedwait(&pipe_broken, NULL, &none);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = err;
	return n;
}

ssize_t
vstate_stream_write(int fd, const void *buf, size_t len)
{
	ssize_t n;

	do {
		n = send(fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == ENOTSOCK)
			n = write_quietly(fd, buf, len);
	} while (n < 0 && errno == EINTR);
	return n >= 0 ? n : -errno;
}
