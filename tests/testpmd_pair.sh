#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Two of the distribution's testpmd: one with the device under test as back end, one
# with virtio-user as the guest. Every ring layout, one and four queues, both directions;
# the counters of both sides must agree.

# shellcheck source=tests/harness.sh
. "$(dirname "$0")/harness.sh"
# shellcheck source=tests/testpmd.sh
. "$(dirname "$0")/testpmd.sh"
# shellcheck source=tests/pair.sh
. "$(dirname "$0")/pair.sh"

layout() # VIRTIO-USER-ARGUMENTS
{
	pair_start "$1"
	traffic
	pair_quit
}

case_split() { layout packed_vq=0,in_order=0,mrg_rxbuf=0; }
case_split_mergeable() { layout packed_vq=0,in_order=0,mrg_rxbuf=1; }
case_split_in_order() { layout packed_vq=0,in_order=1,mrg_rxbuf=0; }
case_split_in_order_mergeable() { layout packed_vq=0,in_order=1,mrg_rxbuf=1; }
case_split_vectorized() { layout packed_vq=0,in_order=0,mrg_rxbuf=0,vectorized=1; }
case_packed() { layout packed_vq=1,in_order=0,mrg_rxbuf=0; }
case_packed_mergeable() { layout packed_vq=1,in_order=0,mrg_rxbuf=1; }
case_packed_in_order() { layout packed_vq=1,in_order=1,mrg_rxbuf=0; }
case_packed_in_order_mergeable() { layout packed_vq=1,in_order=1,mrg_rxbuf=1; }
case_packed_vectorized() { layout packed_vq=1,in_order=1,mrg_rxbuf=0,vectorized=1; }
case_split_4_queues() { QUEUES=4; layout packed_vq=0,in_order=0,mrg_rxbuf=1; }
case_packed_4_queues() { QUEUES=4; layout packed_vq=1,in_order=0,mrg_rxbuf=1; }
case_packed_in_order_4_queues() { QUEUES=4; layout packed_vq=1,in_order=1,mrg_rxbuf=1; }

run_cases split split-mergeable split-in-order split-in-order-mergeable split-vectorized \
	packed packed-mergeable packed-in-order packed-in-order-mergeable packed-vectorized \
	split-4-queues packed-4-queues packed-in-order-4-queues
