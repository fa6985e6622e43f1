/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_TELEMETRY_NAMES_H
#define VSTATE_TELEMETRY_NAMES_H

/**
 * @file
 * Names in place of numbers, for telemetry.
 */

#include <stddef.h>
#include <stdint.h>

struct rte_tel_data;
struct vstate_class;

/** Write the names of the bits of a device status, with commas between them. "" if there is none. */
void vstate_telemetry_status(uint8_t status, char *text, size_t size);

/**
 * Add to the dictionary @p d an array with the name of each bit in @p features, "bit_N" if the bit
 * has none. Without memory it is missing.
 */
void vstate_telemetry_features(const struct vstate_class *class, uint64_t features,
		struct rte_tel_data *d);

#endif /* VSTATE_TELEMETRY_NAMES_H */
