/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "process.h"

#define POLL_MS 5

/*
 * Runs in the child, between fork and exec of a process with threads. Only calls that are safe in a
 * signal handler are permitted.
 */
static void
child_exec(char **argv, int fd, int child_fd, pid_t parent)
{
	int last;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(127);
	/* Only the parent handles an interrupt from the terminal; it then stops the child. */
	signal(SIGINT, SIG_IGN);
	if (fd == child_fd) {
		/* dup2() would leave close-on-exec set. */
		fd = dup(fd);
	}
	if (dup2(fd, child_fd) < 0)
		_exit(127);
	/* Sockets of the parent's devices must not stay open in the child. */
	if (syscall(SYS_close_range, child_fd + 1, ~0U, 0) < 0)
		for (last = sysconf(_SC_OPEN_MAX); last > child_fd; last--)
			close(last);
	execv("/proc/self/exe", argv);
	_exit(127);
}

pid_t
process_spawn(char **argv, int fd, int child_fd)
{
	pid_t parent = getpid(), pid;

	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		child_exec(argv, fd, child_fd, parent);
	return pid;
}

int
process_running(pid_t pid, char *how, size_t size)
{
	siginfo_t si = { 0 };

	/* WNOWAIT: only process_end() reaps the child. */
	if (waitid(P_PID, pid, &si, WEXITED | WNOHANG | WNOWAIT) < 0) {
		snprintf(how, size, "does not exist any more");
		return 0;
	}
	if (si.si_pid == 0)
		return 1;
	if (si.si_code == CLD_EXITED)
		snprintf(how, size, "exited with status %d", si.si_status);
	else
		snprintf(how, size, "was killed by signal %d (%s)", si.si_status,
			strsignal(si.si_status));
	return 0;
}

void
process_end(pid_t pid, int grace_ms)
{
	const struct timespec nap = { .tv_nsec = POLL_MS * 1000000L };
	int waited;

	for (waited = 0; waited < grace_ms; waited += POLL_MS) {
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return;
		nanosleep(&nap, NULL);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
