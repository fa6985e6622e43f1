/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdbool.h>
#include <string.h>

#include <rte_bitops.h>
#include <rte_branch_prediction.h>
#include <rte_byteorder.h>

#include "vstate_blk_store.h"
#include "vstate_scsi_unit.h"

/* A LUN of target 0 as one number; the bits of the unit. */
#define FLAT 0x0100400000000000
#define FLAT_SHIFT 32
#define FLAT_UNIT (UINT64_C(0xff) << FLAT_SHIFT)

int
vstate_scsi_lun_parse(const uint8_t *lun, unsigned int nb_units)
{
	unsigned int n;
	uint64_t whole;

	/* flat space addressing of a unit below 256, as Linux has it */
	memcpy(&whole, lun, sizeof(whole));
	whole = rte_be_to_cpu_64(whole);
	if (likely((whole & ~FLAT_UNIT) == FLAT &&
			(whole & FLAT_UNIT) < (uint64_t)nb_units << FLAT_SHIFT))
		return lun[3];
	if (lun[4] != 0 || lun[5] != 0 || lun[6] != 0 || lun[7] != 0)
		return VSTATE_SCSI_LUN_BAD_TARGET;
	if (lun[0] == 0xc1 && lun[1] == 0x01)
		return lun[2] == 0 && lun[3] == 0 ? VSTATE_SCSI_LUN_WELL_KNOWN :
			VSTATE_SCSI_LUN_BAD_TARGET;
	/* target 0 is the only one */
	if (lun[0] != 1 || lun[1] != 0)
		return VSTATE_SCSI_LUN_BAD_TARGET;
	/* peripheral device addressing on bus 0, or flat space addressing (SAM-5) */
	n = (lun[2] & 0x3f) << 8 | lun[3];
	if (((lun[2] & 0xc0) != 0 && (lun[2] & 0xc0) != 0x40) || n >= nb_units)
		return VSTATE_SCSI_LUN_NONE;
	return n;
}

/* A bit that is set: the attention is due. Power on is the other way round. */
static void
attention_set(struct vstate_scsi *scsi, unsigned int lun, uint8_t attentions, bool due)
{
	struct vstate_scsi_kept *kept = scsi->dev->kept;
	const uint32_t power_on = attentions & VSTATE_SCSI_UA_POWER_ON;
	const uint32_t others = attentions & ~VSTATE_SCSI_UA_POWER_ON;

	rte_atomic_fetch_or_explicit(&kept->attentions[lun], due ? others : power_on,
			rte_memory_order_relaxed);
	rte_atomic_fetch_and_explicit(&kept->attentions[lun], ~(due ? power_on : others),
			rte_memory_order_relaxed);
}

void
vstate_scsi_attention_add(struct vstate_scsi *scsi, unsigned int lun, uint8_t attentions)
{
	/* counted first: vstate_scsi_attention_end() sees the count, or comes before them */
	rte_atomic_fetch_add_explicit(&scsi->nb_added[lun], 1, rte_memory_order_seq_cst);
	attention_set(scsi, lun, attentions, true);
}

void
vstate_scsi_attention_claim(struct vstate_scsi *scsi, unsigned int lun, uint8_t attentions,
		struct vstate_scsi_report *report)
{
	/* the first claim since the last publication counts */
	if (report->attentions == 0)
		report->nb_added = rte_atomic_load_explicit(&scsi->nb_added[lun],
				rte_memory_order_seq_cst);
	report->attentions |= attentions;
	rte_atomic_fetch_or_explicit(&scsi->claims[lun], attentions, rte_memory_order_seq_cst);
}

void
vstate_scsi_attention_end(struct vstate_scsi *scsi, unsigned int lun,
		struct vstate_scsi_report *report)
{
	const uint8_t attentions = report->attentions;

	if (attentions == 0)
		return;
	report->attentions = 0;
	attention_set(scsi, lun, attentions, false);
	if (rte_atomic_load_explicit(&scsi->nb_added[lun], rte_memory_order_seq_cst) !=
			report->nb_added)
		attention_set(scsi, lun, attentions, true);
	rte_atomic_fetch_and_explicit(&scsi->claims[lun], ~(uint32_t)attentions,
			rte_memory_order_seq_cst);
}

void
vstate_scsi_unit_fill(const struct vstate_scsi *scsi, unsigned int lun,
		struct vstate_scsi_unit *unit)
{
	const struct vstate_blk_store *store = scsi->serve.stores[lun];
	const uint64_t size = rte_atomic_load_explicit(&store->size, rte_memory_order_relaxed);

	unit->kind = VSTATE_SCSI_UNIT_DISK;
	/* a power of two */
	unit->nb_blocks = size >> rte_bsf32(store->blk_size);
	unit->blk_size = store->blk_size;
	unit->phys_size = store->phys_size;
	unit->ro = store->ro;
	unit->can_unmap = store->can_discard;
	unit->serial = scsi->serials[lun];
	unit->attention = vstate_scsi_attention_get(scsi, lun);
	unit->nb_units = scsi->serve.nb_stores;
}
