/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <ctype.h>
#include <stdio.h>

#include <rte_common.h>

#include "ring/vstate_vq.h"
#include "rte_vhost_state.h"
#include "rte_vhost_state_backend.h"
#include "vstate_compat.h"
#include "vstate_dev.h"
#include "vstate_run.h"
#include "vstate_trace.h"

#define S_DRIVER_OK RTE_VHOST_STATE_S_DRIVER_OK
#define S_SUSPEND RTE_VHOST_STATE_S_SUSPEND

static struct {
	char name[16];
	const char *text;
} reasons[] = {
#define REASON_ROW(name, text) [VSTATE_BLOCK_BIT_##name] = { #name, text },
	VSTATE_BLOCKS(REASON_ROW)
#undef REASON_ROW
};

/* Telemetry shows lower-case names. */
RTE_INIT(vstate_block_names_init)
{
	unsigned int i;
	char *p;

	for (i = 0; i < RTE_DIM(reasons); i++) {
		for (p = reasons[i].name; *p != '\0'; p++)
			*p = tolower((unsigned char)*p);
	}
}

/*
 * The holder of the control lock writes these words, and any thread reads them. Release pairs with
 * acquire: a thread that sees a reason cleared also sees the set-up before it. No burst depends on
 * this order, because the lease has its own.
 */
static void
word_store(uint32_t *word, uint32_t value)
{
	rte_atomic_store_explicit(word, value, rte_memory_order_release);
}

static uint32_t
word_load(const uint32_t *word)
{
	return rte_atomic_load_explicit(word, rte_memory_order_acquire);
}

/* Tell the clients of control sockets what changes. */
static void
blocks_report(const struct vstate_dev *dev, uint32_t old, uint32_t new)
{
	static const struct {
		uint32_t block;
		enum rte_vhost_state_event set, cleared;
	} events[] = {
		{ VSTATE_BLOCK_NOT_CONNECTED, RTE_VHOST_STATE_E_DISCONNECTED,
			RTE_VHOST_STATE_E_CONNECTED },
		{ VSTATE_BLOCK_NOT_STARTED, RTE_VHOST_STATE_E_STOPPED, RTE_VHOST_STATE_E_STARTED },
	};
	const uint32_t suspended = VSTATE_BLOCK_SUSPENDED | VSTATE_BLOCK_RINGS_TAKEN;
	unsigned int i;

	for (i = 0; i < RTE_DIM(events); i++) {
		if (((old ^ new) & events[i].block) != 0)
			rte_vhost_state_event_send(dev->name, (new & events[i].block) != 0 ?
					events[i].set : events[i].cleared, -1, NULL);
	}
	if ((old & suspended) == 0 && (new & suspended) != 0)
		rte_vhost_state_event_send(dev->name, RTE_VHOST_STATE_E_SUSPENDED, -1,
				(new & VSTATE_BLOCK_SUSPENDED) != 0 ? "request" : "rings_taken");
	else if ((old & suspended) != 0 && (new & suspended) == 0 &&
			(vstate_run_status(dev) & S_DRIVER_OK) != 0)
		rte_vhost_state_event_send(dev->name, RTE_VHOST_STATE_E_RESUMED, -1, NULL);
	if (((old ^ new) & new & VSTATE_BLOCK_NOT_OWNER) != 0)
		rte_vhost_state_event_send(dev->name, RTE_VHOST_STATE_E_RELEASED, -1, NULL);
}

static void
blocks_set(struct vstate_dev *dev, uint32_t blocks)
{
	const uint32_t old = dev->run.blocks;

	word_store(&dev->run.blocks, blocks);
	if (blocks == old)
		return;
	vstate_trace_blocks(dev->name, old, blocks);
	blocks_report(dev, old, blocks);
}

void
vstate_run_init(struct vstate_dev *dev)
{
	uint16_t i;

	word_store(&dev->run.blocks, VSTATE_BLOCK_NOT_CONNECTED | VSTATE_BLOCK_NOT_STARTED |
			VSTATE_BLOCK_NO_DRIVER_OK | VSTATE_BLOCK_NO_POLLER);
	for (i = 0; i < dev->nb_vqs; i++)
		word_store(&dev->vqs[i]->block, VSTATE_BLOCK_NOT_READY);
}

void
vstate_run_block(struct vstate_dev *dev, uint32_t blocks)
{
	blocks_set(dev, dev->run.blocks | blocks);
}

void
vstate_run_unblock(struct vstate_dev *dev, uint32_t blocks)
{
	blocks_set(dev, dev->run.blocks & ~blocks);
}

void
vstate_run_vq_block(struct vstate_vq *vq, uint32_t blocks)
{
	word_store(&vq->block, vq->block | blocks);
}

void
vstate_run_vq_unblock(struct vstate_vq *vq, uint32_t blocks)
{
	word_store(&vq->block, vq->block & ~blocks);
}

bool
vstate_run_is_blocked(const struct vstate_dev *dev, uint32_t blocks)
{
	return (word_load(&dev->run.blocks) & blocks) != 0;
}

uint32_t
vstate_run_vq_blocks(const struct vstate_dev *dev, const struct vstate_vq *vq)
{
	return (word_load(&dev->run.blocks) & ~vq->exempt) | word_load(&vq->block);
}

bool
vstate_run_vq_is_ready(const struct vstate_vq *vq)
{
	return (word_load(&vq->block) & VSTATE_BLOCK_NOT_READY) == 0;
}

bool
vstate_run_is_started(const struct vstate_dev *dev)
{
	return !vstate_run_is_blocked(dev, VSTATE_BLOCK_NOT_STARTED);
}

uint8_t
vstate_run_status(const struct vstate_dev *dev)
{
	return rte_atomic_load_explicit(&dev->run.status, rte_memory_order_relaxed);
}

void
vstate_run_status_set(struct vstate_dev *dev, uint8_t status)
{
	uint32_t blocks = dev->run.blocks & ~VSTATE_BLOCK_NO_DRIVER_OK;

	if ((status & S_SUSPEND) == 0)
		blocks &= ~(VSTATE_BLOCK_SUSPENDED | VSTATE_BLOCK_RINGS_TAKEN);
	else if ((blocks & VSTATE_BLOCK_RINGS_TAKEN) == 0)
		blocks |= VSTATE_BLOCK_SUSPENDED;
	/* a suspended device has no DRIVER_OK either: report only one of the two reasons */
	if ((status & (S_DRIVER_OK | S_SUSPEND)) == 0)
		blocks |= VSTATE_BLOCK_NO_DRIVER_OK;
	rte_atomic_store_explicit(&dev->run.status, status, rte_memory_order_relaxed);
	blocks_set(dev, blocks);
}

void
vstate_run_poller_set(struct vstate_dev *dev, enum vstate_poller_kind poller)
{
	rte_atomic_store_explicit(&dev->run.poller, poller, rte_memory_order_relaxed);
	if (poller == VSTATE_POLLER_NONE)
		vstate_run_block(dev, VSTATE_BLOCK_NO_POLLER);
	else
		vstate_run_unblock(dev, VSTATE_BLOCK_NO_POLLER);
}

const char *
vstate_block_name(enum vstate_block_bit bit)
{
	return (unsigned int)bit < RTE_DIM(reasons) ? reasons[bit].name : "unknown";
}

const char *
vstate_block_text(enum vstate_block_bit bit)
{
	return (unsigned int)bit < RTE_DIM(reasons) ? reasons[bit].text : "unknown reason";
}

void
vstate_blocks_format(uint32_t blocks, char *buf, size_t size)
{
	unsigned int bit;
	size_t len = 0;

	buf[0] = '\0';
	for (bit = 0; bit < VSTATE_BLOCK_BIT_MAX && len < size; bit++) {
		if (blocks & RTE_BIT32(bit))
			len += snprintf(buf + len, size - len, "%s%s", len > 0 ? "," : "",
					vstate_block_name(bit));
	}
}
