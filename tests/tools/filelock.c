/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/*
 * filelock FILE DIRECT: when does the lock of a killed process fall?
 *
 * A child locks FILE with flock(), and has 32 writes of 8 MiB under way in io_uring. They use
 * O_DIRECT if DIRECT is 1. The child is killed. The parent takes the lock as soon as it can, writes
 * a block of its own into each range, and looks a second later whether a write of the child landed
 * on it.
 *
 * Prints "lock after MS ms, late writes N". Exit status: 0; 1: late writes; 2: cannot be tested.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <liburing.h>

#define WRITES 32
#define LENGTH ((size_t)8 << 20)
#define BLOCK 4096
#define CHILD_BYTE 0x5a
#define PARENT_BYTE 0x11

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void
child_main(const char *path, int direct, int ready)
{
	int fd = open(path, O_RDWR | (direct ? O_DIRECT : 0)), i;
	struct io_uring_sqe *sqe;
	struct io_uring ring;
	void *bytes;

	if (fd < 0 || flock(fd, LOCK_EX) != 0 || posix_memalign(&bytes, BLOCK, LENGTH) != 0 ||
			io_uring_queue_init(WRITES, &ring, 0) != 0)
		_exit(2);
	memset(bytes, CHILD_BYTE, LENGTH);
	for (i = 0; i < WRITES; i++) {
		sqe = io_uring_get_sqe(&ring);
		io_uring_prep_write(sqe, fd, bytes, LENGTH, (off_t)i * LENGTH);
	}
	io_uring_submit(&ring);
	if (write(ready, "x", 1) == 1)
		pause();
	_exit(2);
}

int
main(int argc, char **argv)
{
	int pipes[2], fd, i, late = 0;
	char block[BLOCK], word;
	double killed, locked;
	pid_t child;

	if (argc != 3 || pipe(pipes) != 0)
		return 2;
	child = fork();
	if (child == 0)
		child_main(argv[1], atoi(argv[2]), pipes[1]);
	close(pipes[1]);
	fd = open(argv[1], O_RDWR);
	if (child < 0 || fd < 0 || read(pipes[0], &word, 1) != 1)
		return 2;
	kill(child, SIGKILL);
	killed = now_ms();
	while (flock(fd, LOCK_EX | LOCK_NB) != 0)
		usleep(100);
	locked = now_ms();
	memset(block, PARENT_BYTE, sizeof(block));
	for (i = 0; i < WRITES; i++) {
		if (pwrite(fd, block, BLOCK, (off_t)i * LENGTH) != BLOCK)
			return 2;
	}
	sleep(1);
	for (i = 0; i < WRITES; i++)
		late += pread(fd, block, BLOCK, (off_t)i * LENGTH) != BLOCK ||
			block[0] != PARENT_BYTE;
	waitpid(child, NULL, 0);
	printf("lock after %.1f ms, late writes %d\n", locked - killed, late);
	return late != 0;
}
