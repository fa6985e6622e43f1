/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <rte_common.h>
#include <rte_cpuflags.h>
#include <rte_vect.h>

#include "vstate_log.h"
#include "vstate_net_ops.h"

extern const struct vstate_net_ops vstate_net_split_ops_base, vstate_net_packed_ops_base;
extern const struct vstate_net_ops vstate_net_split_ops_avx2, vstate_net_packed_ops_avx2;
extern const struct vstate_net_ops vstate_net_split_ops_avx512, vstate_net_packed_ops_avx512;

/*
 * Bits of the widest instruction set that both this build and the processor have. The processor is
 * asked once: in a virtual machine each CPUID instruction goes to the hypervisor, which took 10 us
 * for each queue while a takeover rests.
 */
static uint16_t cpu_width;

RTE_INIT(vstate_net_ops_cpu_init)
{
#ifdef VSTATE_HAS_AVX2
	if (rte_cpu_get_flag_enabled(RTE_CPUFLAG_AVX2) == 1)
		cpu_width = RTE_VECT_SIMD_256;
#endif
#ifdef VSTATE_HAS_AVX512
	if (rte_cpu_get_flag_enabled(RTE_CPUFLAG_AVX512F) == 1 &&
			rte_cpu_get_flag_enabled(RTE_CPUFLAG_AVX512BW) == 1 &&
			rte_cpu_get_flag_enabled(RTE_CPUFLAG_AVX512VL) == 1 &&
			rte_cpu_get_flag_enabled(RTE_CPUFLAG_AVX512DQ) == 1)
		cpu_width = RTE_VECT_SIMD_512;
#endif
}

const struct vstate_net_ops *
vstate_net_ops_choose(bool packed)
{
	/* the user may allow less (EAL option --force-max-simd-bitwidth) */
	const uint16_t width = RTE_MIN(rte_vect_get_max_simd_bitwidth(), cpu_width);

	RTE_SET_USED(width);
#ifdef VSTATE_HAS_AVX512
	if (width >= RTE_VECT_SIMD_512) {
		VSTATE_LOG(DEBUG, "ring code: avx512");
		return packed ? &vstate_net_packed_ops_avx512 : &vstate_net_split_ops_avx512;
	}
#endif
#ifdef VSTATE_HAS_AVX2
	if (width >= RTE_VECT_SIMD_256) {
		VSTATE_LOG(DEBUG, "ring code: avx2");
		return packed ? &vstate_net_packed_ops_avx2 : &vstate_net_split_ops_avx2;
	}
#endif
	VSTATE_LOG(DEBUG, "ring code: base");
	return packed ? &vstate_net_packed_ops_base : &vstate_net_split_ops_base;
}
