/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ut_groups.h"
#include "ut_step.h"

bool
step_read(pid_t child, void *to, const void *from, size_t len)
{
	struct iovec l = { to, len }, p = { (void *)(uintptr_t)from, len };

	return process_vm_readv(child, &l, 1, &p, 1, 0) == (ssize_t)len;
}

static void
child_run(void (*run)(void *arg), void *arg)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	run(arg);
	raise(SIGSTOP);
	_exit(0);
}

void
step_through(void (*run)(void *arg), void (*stopped)(void *arg, pid_t child), void *arg)
{
	int status;
	pid_t pid;

	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		child_run(run, arg);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	for (;;) {
		stopped(arg, pid);
		assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSTOPPED(status));
		if (WSTOPSIG(status) == SIGSTOP)
			break;
		assert_int_equal(WSTOPSIG(status), SIGTRAP);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}
