/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef FUZZ_FRONT_VHOST_H
#define FUZZ_FRONT_VHOST_H

/**
 * @file
 * rte_vhost as fuzz_front.c needs it: it stands in the place of vhost/vstate_back.c and of the
 * library's functions. It processes a message as the library does, calls the device back, and gives
 * out the guest's memory of fuzz_guest.h, whatever table the front end sent.
 */

#include <stdint.h>

#include "fuzz_guest.h"

/** Entries of a ring that is set up rightly. */
#define FUZZ_FRONT_RING 16
/** Addresses of the front end are guest addresses behind this one. */
#define FUZZ_UVA 0x7f0000000000ull

/** The input also decides which messages are refused, and what is in answers. */
void fuzz_vhost_begin(struct fuzz_in *in);

#endif /* FUZZ_FRONT_VHOST_H */
