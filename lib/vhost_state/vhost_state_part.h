/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_PART_H
#define VHOST_STATE_PART_H

/**
 * @file
 * What a device part is: its type, its size, and how its value is encoded and decoded.
 */

#include "rte_vhost_state.h"
#include "vhost_state_sink.h"

/** A value to be decoded. The decoder has checked its length. */
struct vhost_state_value {
	const uint8_t *p;
	uint32_t len;
	/** Offset in the encoded state, for errors. */
	int64_t offset;
	/** Virtqueue index, or -1 for a part of the device. */
	int vq;
	/** Which of several parts of one type: virtqueue index, index of a selector, or 0. */
	uint16_t instance;
};

/**
 * How a part is encoded and decoded. Encoder and decoder use the same table.
 *
 * @p decode checks reserved fields only. Whether values are valid is checked once for decoded and
 * captured states alike, by vhost_state_check().
 */
struct vhost_state_part {
	/** Part type (vhost_state_format.h); 0 ends a list of parts. */
	uint16_t type;
	/** One part for each virtqueue, not one for the device. */
	bool per_vq;
	/**
	 * One part for each of these values of the first two bytes of the selector, in this order.
	 * NULL: the selector of a part of the device is 0.
	 */
	const uint16_t *selectors;
	uint16_t nb_selectors;
	/** A state without the part is refused. */
	bool mandatory;
	/** VHOST_STATE_PART_F_OPTIONAL or 0. */
	uint8_t flags;
	/** The value has 1 .. max_units units of @p unit bytes each. */
	uint32_t unit, max_units;
	/**
	 * Return the number of units to encode; 0: the part is left out. NULL: always 1. @p vq is
	 * the instance: virtqueue index, index of a selector, or 0.
	 */
	uint32_t (*units)(const struct rte_vhost_state *st, uint16_t vq);
	/** Put all units into @p sink. */
	void (*encode)(struct vhost_state_sink *sink, const struct rte_vhost_state *st,
			uint16_t vq);
	/** Return 0, or the -errno of the reason in @p e. */
	int (*decode)(struct rte_vhost_state *st, const struct vhost_state_value *v,
			struct rte_vhost_state_error *e);
	/**
	 * Reasons that concern a value in this part, ended by RTE_VHOST_STATE_R_NONE; may be NULL.
	 * The decoder gives such an error the offset of the part.
	 */
	const enum rte_vhost_state_reason *reasons;
};

/** Return the number of units that @p part has in @p st; 0: the part is left out. */
uint32_t vhost_state_part_units(const struct vhost_state_part *part,
		const struct rte_vhost_state *st, uint16_t vq);

/** Return how many parts of this type a state of @p nb_vqs virtqueues can have. */
uint16_t vhost_state_part_instances(const struct vhost_state_part *part, uint16_t nb_vqs);
/** Return the first two bytes of the selector of part @p instance. */
uint16_t vhost_state_part_selector(const struct vhost_state_part *part, uint16_t instance);
/** Return the instance that a selector names, or a number that is none; see _instances(). */
uint16_t vhost_state_part_find(const struct vhost_state_part *part, uint16_t selector);

/**
 * Refuse the value @p v because of a reserved field.
 *
 * @param at
 *   Offset of the field in the value.
 * @return
 *   -EBADMSG, with PART_RESERVED in @p e.
 */
int vhost_state_part_fault(const struct vhost_state_value *v, uint32_t at, uint64_t expected,
		uint64_t found, struct rte_vhost_state_error *e);

/**
 * Check that the bytes @p from .. @p to - 1 of the value @p v are zero.
 *
 * @return
 *   0; -EBADMSG with PART_RESERVED in @p e.
 */
int vhost_state_part_check_zero(const struct vhost_state_value *v, uint32_t from, uint32_t to,
		struct rte_vhost_state_error *e);

#endif /* VHOST_STATE_PART_H */
