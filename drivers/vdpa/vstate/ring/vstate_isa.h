/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_ISA_H
#define VSTATE_ISA_H

/**
 * @file
 * Code of bursts is compiled once for each instruction set that its copies gain from (see
 * meson.build), and chosen at run time. All else is compiled once, for the processors that DPDK
 * itself was built for, and uses the build "base". Names that several builds define get a suffix.
 */

#include <rte_common.h>

#ifndef VSTATE_ISA
#define VSTATE_ISA base
#endif

#define VSTATE_ISA_JOIN_(name, isa) name ## _ ## isa
#define VSTATE_ISA_JOIN(name, isa) VSTATE_ISA_JOIN_(name, isa)
#define VSTATE_ISA_NAME(name) VSTATE_ISA_JOIN(name, VSTATE_ISA)

#define vstate_chain_begin_indirect VSTATE_ISA_NAME(vstate_chain_begin_indirect)
#define vstate_chain_piece VSTATE_ISA_NAME(vstate_chain_piece)
#define vstate_chain_step VSTATE_ISA_NAME(vstate_chain_step)
#define vstate_chain_read VSTATE_ISA_NAME(vstate_chain_read)
#define vstate_chain_write VSTATE_ISA_NAME(vstate_chain_write)
#define vstate_chain_finish VSTATE_ISA_NAME(vstate_chain_finish)

#endif /* VSTATE_ISA_H */
