/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_MSG_PAYLOAD_H
#define VSTATE_MSG_PAYLOAD_H

/**
 * @file
 * Checks of payloads whose minimum size and number of descriptors say too little. Each returns
 * the reason of a refusal, or VSTATE_MSG_R_NONE. The caller has checked the minimum size.
 */

#include "vstate_msg_refused.h"
#include "vstate_vhost_user.h"

/**
 * SET_MEM_TABLE.
 * @param fds one descriptor for each region, if the number of regions is in range
 */
enum vstate_msg_refusal vstate_msg_payload_mem_table(const struct msg *msg, const int *fds);
/**
 * The number of regions in a SET_MEM_TABLE, if it is in range and the payload holds all of them.
 * @return 1 to MSG_MAX_REGIONS; 0: there is no such number
 */
uint32_t vstate_msg_payload_regions(const struct msg *msg);

/** SET_LOG_BASE, with one descriptor. */
enum vstate_msg_refusal vstate_msg_payload_log(const struct msg *msg, const int *fds);

/** GET_CONFIG and SET_CONFIG. */
enum vstate_msg_refusal vstate_msg_payload_config(const struct msg *msg, const int *fds);

/** SET_VRING_NUM. */
enum vstate_msg_refusal vstate_msg_payload_vring_num(const struct msg *msg, const int *fds);

#endif /* VSTATE_MSG_PAYLOAD_H */
