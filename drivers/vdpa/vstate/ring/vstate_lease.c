/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <rte_common.h>

#include "vstate_compat.h"
#include "vstate_lease.h"
#include "vstate_log.h"

bool vstate_lease_fence = true;

static int
membarrier_call(int cmd)
{
	return syscall(__NR_membarrier, cmd, 0, 0);
}

/*
 * A process with one thread is registered at once. With several threads the kernel waits for all
 * of its readers (RCU) first: for tens of milliseconds, and on a busy machine for seconds, in which
 * a guest waits for the process that takes its device over. Most applications load drivers before
 * they start threads.
 */
RTE_INIT(vstate_lease_register)
{
	membarrier_call(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
}

void
vstate_lease_init(void)
{
	if (!vstate_lease_fence)
		return;
	if (membarrier_call(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) != 0) {
		VSTATE_LOG(NOTICE, "no membarrier in this kernel: poll threads use a fence");
		return;
	}
	vstate_lease_fence = false;
}

void
vstate_lease_barrier(void)
{
	if (!vstate_lease_fence && membarrier_call(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0)
		return;
	/* Without membarrier the poll threads fence, and this is the fence of the control
	 * side. A registered membarrier does not fail.
	 */
	rte_atomic_thread_fence(rte_memory_order_seq_cst);
}

bool
vstate_lease_take_other(struct vstate_lease *l)
{
	if (!vstate_lease_is_granted(l)) {
		if (l->asked == 0)
			rte_atomic_store_explicit(&l->asked, 1, rte_memory_order_relaxed);
		return false;
	}
	rte_atomic_store_explicit(&l->inside, 1, rte_memory_order_relaxed); /* P1 */
	vstate_lease_order(); /* P2 */
	return vstate_lease_check(l);
}
