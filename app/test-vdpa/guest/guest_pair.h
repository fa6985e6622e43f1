/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef GUEST_PAIR_H
#define GUEST_PAIR_H

/**
 * @file
 * Traffic of one queue pair. Only the traffic thread calls these functions while traffic runs.
 */

#include <stdbool.h>
#include <stdint.h>

struct guest_pair;

/** Receive and send up to one burst each. @return true if a buffer moved */
bool guest_pair_poll(struct guest_pair *p, uint64_t now, bool send);
/** Sent frames that no later arrival accounts for. */
uint64_t guest_pair_on_way(const struct guest_pair *p);
/** Put receive buffer @p slot into the ring. */
int guest_pair_post(struct guest_pair *p, uint32_t slot);

#endif /* GUEST_PAIR_H */
