/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_SCSI_UNIT_H
#define VSTATE_SCSI_UNIT_H

/** @file A SCSI host and its logical units: what they are, and their unit attentions. */

#include <stdint.h>

#include <rte_branch_prediction.h>

#include <vstate_compat.h>

#include "dev/vstate_dev.h"
#include "vstate_blk_serve.h"
#include "vstate_scsi_cdb.h"
#include "vstate_scsi_conf.h"
#include "vstate_scsi_ctrl.h"
#include "vstate_scsi_vq.h"

/** A LUN of a request that names no disk. */
enum vstate_scsi_lun {
	VSTATE_SCSI_LUN_NONE = -1,
	VSTATE_SCSI_LUN_WELL_KNOWN = -2,
	/** There is no such target. */
	VSTATE_SCSI_LUN_BAD_TARGET = -3,
};

/**
 * What a SCSI host keeps for the process that serves it next. Zeros stand for a host that was
 * powered on. Any thread.
 */
struct vstate_scsi_kept {
	/** Unit attentions that are due; VSTATE_SCSI_UA_POWER_ON is inverted. */
	uint32_t attentions[VSTATE_SCSI_LUNS];
	/** A bit for each logical unit whose event is due; see vstate_scsi_event.h. */
	uint32_t events;
	/** As the driver wrote them to config space; 0: the default. */
	uint32_t sense_size, cdb_size;
};

/** The class's part of a device. */
struct vstate_scsi {
	/** First member. Store i is logical unit i. */
	struct vstate_blk_serve serve;
	struct vstate_dev *dev;
	/** Copies of what is in struct vstate_scsi_kept, plus one default. Any thread. */
	uint32_t sense_size, cdb_size;
	char serials[VSTATE_SCSI_LUNS][VSTATE_SCSI_SERIAL];
	/** Of each unit: attentions in answers that the driver cannot see yet. Any thread. */
	uint32_t claims[VSTATE_SCSI_LUNS];
	/** Of each unit: times that attentions were added. Any thread. */
	uint32_t nb_added[VSTATE_SCSI_LUNS];
	struct vstate_scsi_ctrl ctrl;
};

static inline struct vstate_scsi *
vstate_scsi_of(struct vstate_dev *dev)
{
	return dev->of_class;
}

static inline const struct vstate_scsi *
vstate_scsi_of_const(const struct vstate_dev *dev)
{
	return dev->of_class;
}

/** Return the unit attentions of a logical unit that are due and in no answer. Any thread. */
static inline uint8_t
vstate_scsi_attention_get(const struct vstate_scsi *scsi, unsigned int lun)
{
	const struct vstate_scsi_kept *kept = scsi->dev->kept;
	const uint32_t due = (rte_atomic_load_explicit(&kept->attentions[lun],
			rte_memory_order_relaxed) ^ VSTATE_SCSI_UA_POWER_ON) &
		RTE_VHOST_STATE_SCSI_ATTENTION_ALL;

	return likely(due == 0) ? 0 :
		due & ~rte_atomic_load_explicit(&scsi->claims[lun], rte_memory_order_relaxed);
}

/** Make unit attentions due. Any thread. */
void vstate_scsi_attention_add(struct vstate_scsi *scsi, unsigned int lun, uint8_t attentions);
/**
 * Unit attentions are in an answer that the driver cannot see yet: no other answer has them, and
 * they stay due for a process that comes after a kill. Any thread.
 * @param report  written: for vstate_scsi_attention_end()
 */
void vstate_scsi_attention_claim(struct vstate_scsi *scsi, unsigned int lun, uint8_t attentions,
		struct vstate_scsi_report *report);
/**
 * The driver can see the unit attentions of a report; it is empty then. If others were added since
 * the claim, they stay due: the driver may have acted on the answer before. Any thread.
 */
void vstate_scsi_attention_end(struct vstate_scsi *scsi, unsigned int lun,
		struct vstate_scsi_report *report);
/**
 * Return which logical unit eight bytes of a driver name (VIRTIO 1.4 "Device Operation"), of a
 * target with @p nb_units disks.
 * @return 0 to @p nb_units - 1, or one of enum vstate_scsi_lun
 */
int vstate_scsi_lun_parse(const uint8_t *lun, unsigned int nb_units);

/** Describe a logical unit to the parser of commands. Any thread. */
void vstate_scsi_unit_fill(const struct vstate_scsi *scsi, unsigned int lun,
		struct vstate_scsi_unit *unit);

#endif /* VSTATE_SCSI_UNIT_H */
