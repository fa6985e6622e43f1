/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef BACKEND_PLAIN_H
#define BACKEND_PLAIN_H

/**
 * @file
 * A device of rte_vhost's own data path, without vDPA and without vstate. It has a state through
 * rte_vhost_state and is the smallest user of that library.
 */

#include "backend.h"

struct plain;

/** Create device dev->name at dev->socket. @return NULL with rte_errno */
struct plain *plain_create(const struct backend_device *dev);
void plain_destroy(struct plain *p);

#endif /* BACKEND_PLAIN_H */
