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

/** Wanted unless the user says otherwise. */
#define GUEST_FEATURES_DEFAULT ((1ull << VIRTIO_NET_F_MRG_RXBUF) | \
	(1ull << VIRTIO_RING_F_INDIRECT_DESC) | (1ull << VIRTIO_RING_F_EVENT_IDX))

/** Read a list of names, separated by commas; "none" is no feature. False: unknown name, said. */
bool guest_features_parse(const char *list, uint64_t *features);
/** Print the names of those in @p features that have one. */
void guest_features_print(FILE *f, uint64_t features, const char *separator);

#endif /* GUEST_FEATURES_H */
