#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Two of the distribution's testpmd: one with the device under test as back end, the other
# with virtio-user as the guest. With each ring layout, one and four queues, and traffic in both
# directions, the counters of both sides must agree.

# shellcheck source=tests/lib/pair.sh
. "$(dirname "$0")/lib/pair.sh"

layout() # VIRTIO-USER-ARGUMENTS [DEVARGS]
{
	pair_start "$1" "${2:-}"
	traffic
	pair_quit
}

# virtio's vectorized paths. The driver falls back to another path without an error if a condition
# is not met, so its log must name the path.
vectorized() # VIRTIO-USER-ARGUMENTS
{
	# the path for packed rings needs AVX-512
	grep -qw avx512f /proc/cpuinfo || skip "the processor has no AVX-512"
	GUEST_EAL=(--force-max-simd-bitwidth=512 "--log-level=pmd.net.virtio.*:info")
	pair_start "$1,vectorized=1"
	has guest 'using .*vectorized.* Rx path' ||
		fail "the guest is not vectorized: $(grep -h 'vectorized' "$W/guest.out" | tail -n 1)"
	traffic
	pair_quit
}

case_split() { layout packed_vq=0,in_order=0,mrg_rxbuf=0; }
case_split_mergeable() { layout packed_vq=0,in_order=0,mrg_rxbuf=1; }
case_split_in_order() { layout packed_vq=0,in_order=1,mrg_rxbuf=0; }
case_split_in_order_mergeable() { layout packed_vq=0,in_order=1,mrg_rxbuf=1; }
case_split_vectorized() { vectorized packed_vq=0,in_order=0,mrg_rxbuf=0; }
case_packed() { layout packed_vq=1,in_order=0,mrg_rxbuf=0; }
case_packed_mergeable() { layout packed_vq=1,in_order=0,mrg_rxbuf=1; }
case_packed_in_order() { layout packed_vq=1,in_order=1,mrg_rxbuf=0; }
case_packed_in_order_mergeable() { layout packed_vq=1,in_order=1,mrg_rxbuf=1; }
case_packed_vectorized() { vectorized packed_vq=1,in_order=1,mrg_rxbuf=0; }
case_split_4_queues() { QUEUES=4; layout packed_vq=0,in_order=0,mrg_rxbuf=1; }
case_packed_4_queues() { QUEUES=4; layout packed_vq=1,in_order=0,mrg_rxbuf=1; }
# virtio-user serves its control queue itself, also if the device could.
case_packed_4_queues_cvq() { QUEUES=4; layout packed_vq=1,in_order=0,mrg_rxbuf=1 cvq=1; }
case_packed_in_order_4_queues() { QUEUES=4; layout packed_vq=1,in_order=1,mrg_rxbuf=1; }

# Frames longer than one mbuf are received as chains, or they are dropped and counted. Frames that
# fit one mbuf pass in both cases.
long_frames() # RING chained|dropped [DEVARGS]
{
	local sent
	BACK_OPTIONS+=(--max-pkt-len=3018)
	pair_start "$1" "${3:-}"
	forward back rxonly
	tp guest "set txpkts 1500,1500" >/dev/null
	forward guest txonly
	wait_for 10 sent_some || fail "the guest sent nothing"
	tp guest stop >/dev/null
	sent=$(tp_stat guest TX-packets)
	if [ "$2" = dropped ]; then
		wait_for 10 dropped_as_oversize "$sent" ||
			fail "sent $sent, dropped $(tp_xstat back rx_q0_dropped_oversize)"
		expect "received" "$(tp_stat back RX-packets)" -eq 0
		expect "errors" "$(tp_stat back RX-errors)" -eq "$sent"
	else
		wait_for 10 tp_agree guest TX-packets back RX-packets ||
			fail "sent $TP_SENT, received $TP_GOT"
		expect "bytes" "$(tp_stat back RX-bytes)" -eq $((3000 * sent))
		expect "dropped" "$(tp_xstat back rx_q0_dropped_oversize)" -eq 0
	fi
	measured "$sent frames of 3000 bytes"
	tp guest "set txpkts 1500" >/dev/null
	one_way guest back
	pair_quit
}

sent_some() { [ "$(tp_stat guest TX-packets)" -gt 1000 ]; }
dropped_as_oversize() { [ "$(tp_xstat back rx_q0_dropped_oversize)" -eq "$1" ]; }

chained() # RING
{
	BACK_OPTIONS=("${SCATTER[@]}")
	long_frames "$1" chained
}

linear() # RING
{
	[ "$VSTATE_VDEV" = net_vstate ] || skip "$VSTATE_VDEV counts otherwise"
	BACK_OPTIONS=("${SCATTER[@]}")
	long_frames "$1" dropped linear-buffer=1
}

# testpmd as it is started by default: RTE_ETH_RX_OFFLOAD_SCATTER is off.
not_scattered() # RING
{
	[ "$VSTATE_VDEV" = net_vstate ] || skip "$VSTATE_VDEV chains mbufs without being asked"
	long_frames "$1" dropped
}

case_long_frames_split() { chained packed_vq=0,mrg_rxbuf=1; }
case_long_frames_packed() { chained packed_vq=1,mrg_rxbuf=1; }
case_scatter_off_split() { not_scattered packed_vq=0,mrg_rxbuf=1; }
case_scatter_off_packed() { not_scattered packed_vq=1,mrg_rxbuf=1; }
case_linear_buffer_split() { linear packed_vq=0,mrg_rxbuf=1; }
case_linear_buffer_packed() { linear packed_vq=1,mrg_rxbuf=1; }

# shellcheck disable=SC2046 # names without blanks
run_cases split split-mergeable split-in-order split-in-order-mergeable split-vectorized \
	packed packed-mergeable packed-in-order packed-in-order-mergeable packed-vectorized \
	split-4-queues packed-4-queues packed-in-order-4-queues \
	long-frames-split long-frames-packed scatter-off-split scatter-off-packed linear-buffer-split linear-buffer-packed \
	$(soak packed-4-queues-cvq)
