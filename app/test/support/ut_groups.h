/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef UT_GROUPS_H
#define UT_GROUPS_H

/** @file cmocka.h with the headers that it needs, and the groups of tests. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

int test_vstate_blk(void);
int test_vstate_blk_stop(void);
int test_vstate_restore(void);
int test_vstate_run(void);
int test_vstate_scsi(void);
int test_vstate_scsi_cdb(void);
int test_vstate_scsi_stop(void);
int test_vstate_console(void);
int test_vstate_console_ctrl(void);
int test_vstate_broken(void);
int test_vstate_burst_bounds(void);
int test_vstate_chain(void);
int test_vstate_cvq(void);
int test_vstate_devargs(void);
int test_vstate_dirty(void);
int test_vstate_marks(void);
int test_vstate_mem(void);
int test_vstate_mem_guard(void);
int test_vstate_mem_populate(void);
int test_vstate_net_take(void);
int test_vstate_net_put(void);
int test_vstate_fail_calls(void);
int test_vstate_fault(void);
int test_vstate_notify(void);
int test_vstate_pace(void);
int test_vstate_simd(void);
int test_vstate_net_mbuf(void);
int test_vstate_lease(void);
int test_vstate_net_filter(void);
int test_vstate_net_headers(void);
int test_vstate_net_offload(void);
int test_vstate_net_segment(void);
int test_vstate_cost(void);
int test_vstate_interrupted(void);
int test_vstate_used_ahead(void);
int test_vstate_inflight(void);
int test_vstate_state_file(void);
int test_vstate_dev(void);
int test_vstate_port(void);
int test_vstate_port_conf(void);
int test_vstate_port_intr(void);
int test_vstate_port_queue(void);
int test_vstate_port_stats(void);
int test_vstate_msg(void);
int test_vstate_net_bridge(void);
int test_vstate_device_state(void);
int test_vstate_door(void);
int test_vstate_door_net(void);
int test_vstate_door_disk(void);
int test_vstate_fd_io(void);
int test_vstate_handover_msg(void);
int test_vstate_takeover(void);
int test_vstate_takeover_ask(void);
int test_vstate_msg_log(void);
int test_vstate_request(void);
int test_vstate_request_hostile(void);
int test_vstate_vdpa(void);

#endif /* UT_GROUPS_H */
