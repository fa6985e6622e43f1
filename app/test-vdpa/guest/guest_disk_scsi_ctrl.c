/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>

#include <linux/virtio_scsi.h>

#include "guest_disk.h"
#include "guest_disk_core.h"
#include "guest_disk_scsi_ctrl.h"
#include "guest_mem.h"
#include "guest_ring.h"

#define CTRL 0
#define EVENT 1
/* Places in the memory of both queues. */
#define ANSWER_AT 64
#define EVENTS_AT 128
#define EVENTS 8
/* Requests of each queue between two functions; one function in RESETS is a reset. */
#define PERIOD 100
#define RESETS 4

#define TMF(name) VIRTIO_SCSI_T_TMF_##name
#define COMPLETE 0
#define UNANSWERED 0xee

int
disk_scsi_ctrl_reserve(struct disk *d)
{
	d->own.gpa = guest_mem_reserve(&d->mem, 4096, 4096);
	d->own.rnd = d->conf.seed;
	return d->own.gpa != 0 ? 0 : -ENOMEM;
}

static void
event_add(struct disk *d, uint32_t i)
{
	struct disk_queue *dq = &d->queues[EVENT];
	const uint32_t len = sizeof(struct virtio_scsi_event);
	const struct guest_seg seg = { d->own.gpa + EVENTS_AT + i * len, len, true };

	if (dq->ring.ops->add(&dq->ring, &seg, 1, i, false) == 0)
		dq->nb_sent++;
}

static void
function_add(struct disk *d, uint32_t subtype)
{
	struct disk_queue *dq = &d->queues[CTRL];
	const struct virtio_scsi_ctrl_tmf_req tmf = { .type = VIRTIO_SCSI_T_TMF,
		.subtype = subtype, .lun = { 1, 0, 0x40, 0 } };
	const struct guest_seg segs[] = { { d->own.gpa, sizeof(tmf), false },
		{ d->own.gpa + ANSWER_AT, sizeof(struct virtio_scsi_ctrl_tmf_resp), true } };
	const uint8_t none = UNANSWERED;
	uint16_t q;

	guest_mem_write(&d->mem, d->own.gpa, &tmf, sizeof(tmf));
	guest_mem_write(&d->mem, d->own.gpa + ANSWER_AT, &none, 1);
	if (dq->ring.ops->add(&dq->ring, segs, 2, 0, false) != 0)
		return;
	dq->nb_sent++;
	d->own.subtype = subtype;
	d->own.out = true;
	for (q = d->first; q < d->nb_vqs; q++)
		d->own.before[q] = d->queues[q].added;
}

void
disk_scsi_ctrl_fill(struct disk *d)
{
	const uint64_t done = d->counts.reads + d->counts.writes;
	uint32_t i;

	for (; d->own.nb_events < EVENTS; d->own.nb_events++)
		event_add(d, d->own.nb_events);
	if (!d->own.out && done >= d->own.next) {
		/* the first one is a reset: a short run on a busy machine may have few */
		i = d->own.next == 0 ? 0 : guest_rnd(&d->own.rnd, RESETS);
		function_add(d, i == 0 ? TMF(LOGICAL_UNIT_RESET) : TMF(QUERY_TASK_SET));
		d->own.next = done + (uint64_t)PERIOD * d->conf.queues;
	}
	disk_queue_publish(d, CTRL);
	disk_queue_publish(d, EVENT);
}

/* @return buffers that returned */
static unsigned int
buffers_take(struct disk *d, uint16_t q, void (*returned)(struct disk *d, uint32_t i))
{
	struct disk_queue *dq = &d->queues[q];
	unsigned int n = 0;
	uint32_t i, len;
	int ret;

	while ((ret = dq->ring.ops->take(&dq->ring, &i, &len)) == 1) {
		returned(d, i);
		n++;
	}
	if (ret < 0) {
		disk_count(&d->counts.doubled);
		disk_complain(d, "queue %u: the device used a buffer that it did not own", q);
	}
	return n;
}

static void
function_return(struct disk *d, uint32_t i)
{
	uint8_t answer;

	(void)i;
	guest_mem_read(&d->mem, d->own.gpa + ANSWER_AT, &answer, 1);
	d->own.out = false;
	disk_count(&d->counts.functions);
	if (answer == COMPLETE && d->own.subtype == TMF(LOGICAL_UNIT_RESET)) {
		disk_count(&d->counts.resets);
		d->own.reset = true;
	} else if (answer != COMPLETE && answer != VIRTIO_SCSI_S_FUNCTION_REJECTED &&
			(answer != VIRTIO_SCSI_S_FUNCTION_SUCCEEDED ||
			d->own.subtype == TMF(LOGICAL_UNIT_RESET))) {
		disk_count(&d->counts.errors);
		disk_complain(d, "task management function %u returned with response %u",
				d->own.subtype, answer);
	}
}

static void
event_return(struct disk *d, uint32_t i)
{
	disk_count(&d->counts.events);
	event_add(d, i);
}

unsigned int
disk_scsi_ctrl_drain(struct disk *d)
{
	unsigned int n = buffers_take(d, CTRL, function_return) +
		buffers_take(d, EVENT, event_return);

	disk_queue_publish(d, EVENT);
	return n;
}

/* All commands that have returned are taken, too. */
void
disk_scsi_ctrl_check(struct disk *d)
{
	const struct disk_slot *s;
	uint16_t q, i;

	if (!d->own.reset)
		return;
	d->own.reset = false;
	for (q = d->first; q < d->nb_vqs; q++) {
		for (i = 0; i < d->conf.depth; i++) {
			s = &d->queues[q].slots[i];
			if (!s->out || s->order >= d->own.before[q])
				continue;
			disk_count(&d->counts.unordered);
			disk_complain(d, "queue %u: a reset returned before a command that is older by "
					"%" PRIu64, q, d->own.before[q] - s->order);
			return;
		}
	}
}
