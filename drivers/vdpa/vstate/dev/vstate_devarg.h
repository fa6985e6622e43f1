/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_DEVARG_H
#define VSTATE_DEVARG_H

/** @file One device argument: its key, its parser and its field. Parsers for numbers and flags. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A row of a table of device arguments. */
struct vstate_devarg {
	const char *name;
	/** Only for a device with a socket of its own: vdpa_vstate refuses this argument. */
	bool own_socket;
	/**
	 * Parse @p value, which may be NULL, into @p field.
	 * @return 0; -EINVAL with the key, the value and the legal values in the log
	 */
	int (*parse)(const char *key, const char *value, void *field);
	/** Offset of the field in struct vstate_conf, or in the class's own arguments. */
	size_t offset;
};

/**
 * Parse a decimal number from @p min to @p max, without sign or blanks.
 * @return 0; -EINVAL with the reason in the log
 */
int vstate_devarg_parse_uint(const char *key, const char *value, uint64_t min, uint64_t max,
		uint64_t *out);

/** Parse 0 or 1 into a bool. @return 0; -EINVAL with the reason in the log */
int vstate_devarg_parse_bool(const char *key, const char *value, void *field);

#endif /* VSTATE_DEVARG_H */
