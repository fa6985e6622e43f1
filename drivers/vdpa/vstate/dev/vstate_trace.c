/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <rte_trace_point_register.h>

#include "vstate_trace.h"

RTE_TRACE_POINT_REGISTER(vstate_trace_operation, pmd.vdpa.vstate.operation)
RTE_TRACE_POINT_REGISTER(vstate_trace_message, pmd.vdpa.vstate.message)
RTE_TRACE_POINT_REGISTER(vstate_trace_message_refused, pmd.vdpa.vstate.message.refused)
RTE_TRACE_POINT_REGISTER(vstate_trace_fault, pmd.vdpa.vstate.fault)
RTE_TRACE_POINT_REGISTER(vstate_trace_blocks, pmd.vdpa.vstate.blocks)
RTE_TRACE_POINT_REGISTER(vstate_trace_takeover, pmd.vdpa.vstate.takeover)
