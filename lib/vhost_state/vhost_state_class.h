/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VHOST_STATE_CLASS_H
#define VHOST_STATE_CLASS_H

/**
 * @file
 * What the library knows of a device class: one table a class.
 *
 * All other code of the library is the same for every class: header, virtqueues, buffers in
 * flight, features, status. To add a class:
 *
 * 1. In rte_vhost_state.h: RTE_VHOST_STATE_ID_*, a structure with the data of the class, and a
 *    member of that type in the union of struct rte_vhost_state. Reasons for its refusals. Members
 *    of struct rte_vhost_state_limits for what a destination can restrict.
 * 2. A file vhost_state_<class>.c with one struct vhost_state_class, and its header.
 * 3. One line in the list of vhost_state_class.c.
 * 4. Its part and its reasons in the tables of vhost_state_lib.rst, and its part in the tables of
 *    devtools/vhost_state_decode.py.
 *
 * Data of a class has no pointers, so that copying and freeing a state does not depend on the
 * class. A class whose data has a variable length must add hooks for both.
 */

#include <stdio.h>

#include "rte_vhost_state.h"
#include "vhost_state_part.h"

/** Largest number of parts of one class, without those of every class. */
#define VHOST_STATE_CLASS_MAX_PARTS 4

/** A device class. All functions are mandatory; all are thread-safe and read the state only. */
struct vhost_state_class {
	/** Virtio device ID. */
	uint16_t device_id;
	/** Name in lower case. In JSON it is the key of the class's data. */
	const char *name;
	/** Number of virtqueues that a device of the class can have. */
	uint16_t min_vqs, max_vqs;
	/** Parts of the class in ascending order of type; unused entries have type 0. */
	struct vhost_state_part parts[VHOST_STATE_CLASS_MAX_PARTS];
	/**
	 * Check the class's data. Device fields are checked before, virtqueues are not.
	 * Return 0, or the -errno of the reason in @p e.
	 */
	int (*check)(const struct rte_vhost_state *st, struct rte_vhost_state_error *e);
	/**
	 * Check that a destination with @p lim can take over the class's data.
	 * Return 0, or the -errno of the reason in @p e.
	 */
	int (*check_fit)(const struct rte_vhost_state *st,
			const struct rte_vhost_state_limits *lim, struct rte_vhost_state_error *e);
	/** Return true if every field of the class's data has the same value in both. */
	bool (*equal)(const struct rte_vhost_state *a, const struct rte_vhost_state *b);
	/** Print the class's data as lines "  name             value". */
	void (*dump)(const struct rte_vhost_state *st, FILE *f);
	/** Print the members of the class's JSON object, without its braces. */
	void (*dump_json)(const struct rte_vhost_state *st, FILE *f);
};

/** Return the class with the virtio device ID @p device_id, or NULL if it is not known. */
const struct vhost_state_class *vhost_state_class_find(uint16_t device_id);

/**
 * Refuse a state because the library does not know its class.
 *
 * @param offset
 *   Byte offset of the device ID, or -1.
 * @return
 *   -EINVAL, with DEVICE_ID in @p e. The expected value is the first class of the list.
 */
int vhost_state_class_fault(uint16_t device_id, int64_t offset, struct rte_vhost_state_error *e);

/**
 * Check the number of virtqueues of a state of @p class.
 *
 * @param offset
 *   Byte offset of the number, or -1.
 * @return
 *   0; -EINVAL with VQ_COUNT in @p e.
 */
int vhost_state_class_check_vqs(const struct vhost_state_class *class, uint16_t nb_vqs,
		int64_t offset, struct rte_vhost_state_error *e);

#endif /* VHOST_STATE_CLASS_H */
