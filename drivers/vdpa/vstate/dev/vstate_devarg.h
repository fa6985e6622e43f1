/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_DEVARG_H
#define VSTATE_DEVARG_H

/** @file One device argument: its key, how its value is read, and readers of the usual kinds. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A row of a table of device arguments. */
struct vstate_devarg {
	const char *name;
	/** The device has a socket of its own: vdpa_vstate does not take this argument. */
	bool own_socket;
	/**
	 * Read @p value, which may be NULL, into the field at @p offset.
	 * @return 0; -EINVAL, with key, value and what is right in the log
	 */
	int (*parse)(const char *key, const char *value, void *field);
	/** Of the field in struct vstate_conf, or in the class's own arguments. */
	size_t offset;
};

/** Read a decimal number from @p min to @p max: no sign, no blank, no other base. */
int vstate_devarg_parse_uint(const char *key, const char *value, uint64_t min, uint64_t max,
		uint64_t *out);

/** Read 0 or 1 into a bool. */
int vstate_devarg_parse_bool(const char *key, const char *value, void *field);

#endif /* VSTATE_DEVARG_H */
