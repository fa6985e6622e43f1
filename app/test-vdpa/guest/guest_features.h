/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef GUEST_FEATURES_H
#define GUEST_FEATURES_H

/**
 * @file
 * Names of the virtio features that the guest can use.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

/** The features that the guest wants by default. */
#define GUEST_FEATURES_DEFAULT ((1ull << VIRTIO_NET_F_MRG_RXBUF) | \
	(1ull << VIRTIO_RING_F_INDIRECT_DESC) | (1ull << VIRTIO_RING_F_EVENT_IDX))

/**
 * Parse a list of names, separated by commas; "none" is no feature.
 * @return false if a name is unknown; it is reported on stderr
 */
bool guest_features_parse(const char *list, uint64_t *features);
/** Print the names of @p features. Features without a name are left out. */
void guest_features_print(FILE *f, uint64_t features, const char *separator);
/** Print all names for a help of 80 columns; further lines begin at column @p indent. */
void guest_features_wrap(FILE *f, int indent);

#endif /* GUEST_FEATURES_H */
