/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef NET_FEATURES_H
#define NET_FEATURES_H

/**
 * @file
 * Names of the features of a virtio network device.
 */

#include <stdint.h>
#include <stdio.h>

/**
 * Read a list of names ("mrg_rxbuf,in_order") or numbers ("15,0x23" are bit numbers).
 * "default" stands for the default set; a name after '-' takes a feature out.
 * @param def the default set
 * @return 0, or -EINVAL with the offending word copied to @p bad
 */
int net_features_parse(const char *list, uint64_t def, uint64_t *features, char *bad, size_t size);
/** Print the names, blank between them; bits without a name by number. */
void net_features_print(uint64_t features, FILE *f);
/** The set that a front end asks for unless told otherwise. */
uint64_t net_features_default(void);

#endif /* NET_FEATURES_H */
