/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include "ring/vstate_vq.h"
#include "rte_vhost_state.h"
#include "rte_vhost_state_backend.h"
#include "vstate_broken.h"
#include "vstate_compat.h"
#include "vstate_dev.h"
#include "vstate_log.h"
#include "vstate_trace.h"

static void
vq_report(struct vstate_dev *dev, struct vstate_vq *vq)
{
	const enum vstate_fault fault = vstate_vq_fault(vq);

	if (fault == VSTATE_FAULT_NONE || (vq->block & VSTATE_BLOCK_BROKEN) != 0)
		return;
	vstate_run_vq_block(vq, VSTATE_BLOCK_BROKEN);
	/* The ring code no longer enters a broken queue, so there is no need to wait here. */
	vstate_lease_revoke(&vq->lease);
	rte_atomic_store_explicit(&dev->history.faults[fault], dev->history.faults[fault] + 1,
			rte_memory_order_relaxed);
	vstate_run_status_set(dev, vstate_run_status(dev) | RTE_VHOST_STATE_S_NEEDS_RESET);
	VSTATE_LOG(ERR, "%s: queue %u is broken until the guest resets its device: %s", dev->name,
			vq->qid, vstate_fault_text(fault));
	vstate_trace_fault(dev->name, vq->qid, vstate_fault_name(fault));
	rte_vhost_state_event_send(dev->name, RTE_VHOST_STATE_E_FAULT, vq->qid,
			vstate_fault_name(fault));
}

void
vstate_broken_report(struct vstate_dev *dev)
{
	uint16_t i;

	for (i = 0; i < dev->nb_vqs; i++)
		vq_report(dev, dev->vqs[i]);
}

/* A poll thread that is inside finds a fault of its own, or leaves and does not enter again. */
void
vstate_broken_all(struct vstate_dev *dev, enum vstate_fault fault)
{
	uint16_t i;

	for (i = 0; i < dev->nb_vqs; i++)
		vstate_vq_break(dev->vqs[i], fault);
	vstate_broken_report(dev);
}

bool
vstate_broken_is_reported(const struct vstate_dev *dev)
{
	uint16_t i;

	for (i = 0; i < dev->nb_vqs; i++) {
		if ((dev->vqs[i]->block & VSTATE_BLOCK_BROKEN) == 0)
			return false;
	}
	return true;
}

void
vstate_broken_clear(struct vstate_dev *dev)
{
	uint16_t i;

	vstate_broken_report(dev);
	for (i = 0; i < dev->nb_vqs; i++) {
		dev->vqs[i]->fault = VSTATE_FAULT_NONE;
		vstate_run_vq_unblock(dev->vqs[i], VSTATE_BLOCK_BROKEN);
	}
}

uint64_t
vstate_broken_count(const struct vstate_dev *dev, unsigned int fault)
{
	return rte_atomic_load_explicit(&dev->history.faults[fault], rte_memory_order_relaxed) -
		rte_atomic_load_explicit(&dev->history.faults_base[fault],
		rte_memory_order_relaxed);
}

void
vstate_broken_counts_reset(struct vstate_dev *dev)
{
	unsigned int i;

	for (i = 0; i < VSTATE_FAULT_MAX; i++)
		rte_atomic_store_explicit(&dev->history.faults_base[i],
				rte_atomic_load_explicit(&dev->history.faults[i],
				rte_memory_order_relaxed),
				rte_memory_order_relaxed);
}
