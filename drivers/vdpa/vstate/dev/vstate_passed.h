/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_PASSED_H
#define VSTATE_PASSED_H

/** @file What a class passes to another process with its device; see struct vstate_class::pass. */

#include <stdint.h>

#define VSTATE_PASSED_BYTES 1024
#define VSTATE_PASSED_FDS 2

struct vstate_passed {
	uint32_t size;
	uint8_t bytes[VSTATE_PASSED_BYTES];
	unsigned int nb_fds;
	int fds[VSTATE_PASSED_FDS];
};

#endif /* VSTATE_PASSED_H */
