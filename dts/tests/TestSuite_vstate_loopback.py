# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors

"""Loopback test suite of the vstate device.

One testpmd has a ``net_vstate`` port, a second one has ``net_virtio_user`` as the guest. With each
ring layout, each owner of the socket and each number of queues, frames pass in both directions and
in a circle. The counters of both sides and of each queue must agree, and no counter of errors may
rise.
"""

import re

from api.capabilities import LinkTopology, requires_link_topology
from api.test import verify, verify_else_skip
from api.vstate.testpmd import (
    VstateTestPmd,
    back_params,
    exchange,
    guest_params,
    socket_path,
    wait_links,
    wait_until,
)
from framework.test_suite import TestSuite, func_test

#: The virtio features of each ring layout.
SPLIT = "packed_vq=0,in_order=0,mrg_rxbuf=0"
SPLIT_MERGEABLE = "packed_vq=0,in_order=0,mrg_rxbuf=1"
SPLIT_IN_ORDER = "packed_vq=0,in_order=1,mrg_rxbuf=0"
SPLIT_IN_ORDER_MERGEABLE = "packed_vq=0,in_order=1,mrg_rxbuf=1"
PACKED = "packed_vq=1,in_order=0,mrg_rxbuf=0"
PACKED_MERGEABLE = "packed_vq=1,in_order=0,mrg_rxbuf=1"
PACKED_IN_ORDER = "packed_vq=1,in_order=1,mrg_rxbuf=0"
PACKED_IN_ORDER_MERGEABLE = "packed_vq=1,in_order=1,mrg_rxbuf=1"

#: Numbers of queue pairs, one after the other.
QUEUES = (1, 8, 1)


@requires_link_topology(LinkTopology.NO_LINK)
class TestVstateLoopback(TestSuite):
    """Loopback test suite of the vstate device."""

    def _loop(self, layout: str, eal: str = "", said: str = "") -> None:
        """Exchange frames between a device that owns its socket and a guest.

        Args:
            layout: The virtio features of the guest.
            eal: More EAL options of the guest.
            said: A regular expression that the guest's output at its start must match.
        """
        path = socket_path("loop")
        with (
            VstateTestPmd(name="back", **back_params(path)) as back,
            VstateTestPmd(name="guest", **guest_params(path, layout=layout, eal=eal)) as guest,
        ):
            wait_links(back, guest)
            verify(
                re.search(said, guest.start_output) is not None, f"The guest does not say '{said}'."
            )
            exchange(back, guest)

    def _loop_vectorized(self, layout: str, simd_bits: int) -> None:
        """Exchange frames with a guest that uses vector instructions.

        The driver falls back to other functions without an error, so its log must name them.

        Args:
            layout: The virtio features of the guest.
            simd_bits: The width of the vector instructions.
        """
        self._loop(
            f"{layout},vectorized=1",
            f"--log-level=pmd.net.virtio.init:info --force-max-simd-bitwidth={simd_bits}",
            "using .*vectorized Rx path",
        )

    def _change_queues(self, layout: str) -> None:
        """Exchange frames with each number of queue pairs of :data:`QUEUES`.

        Args:
            layout: The virtio features of the guest.
        """
        path = socket_path("queues")
        most = max(QUEUES)
        with (
            VstateTestPmd(name="back", **back_params(path, queues=most)) as back,
            VstateTestPmd(name="guest", **guest_params(path, queues=most, layout=layout)) as guest,
        ):
            for queues in QUEUES:
                for shell in (guest, back):
                    shell.set_ports_queues(queues)
                for shell in (back, guest):
                    shell.start_all_ports()
                wait_links(back, guest)
                exchange(back, guest, queues)

    @func_test
    def split(self) -> None:
        """Split rings.

        Steps:
            * Launch testpmd with the device, which listens, and testpmd with the guest.
            * Send in both directions, then let frames circulate.

        Verify:
            * All frames and bytes arrive, on the queue of each side, and no error is counted.
        """
        self._loop(SPLIT)

    @func_test
    def split_mergeable(self) -> None:
        """Split rings with mergeable receive buffers.

        Steps:
            * As for split rings.

        Verify:
            * As for split rings.
        """
        self._loop(SPLIT_MERGEABLE)

    @func_test
    def split_in_order(self) -> None:
        """Split rings with VIRTIO_F_IN_ORDER.

        Steps:
            * As for split rings.

        Verify:
            * As for split rings.
        """
        self._loop(SPLIT_IN_ORDER)

    @func_test
    def split_in_order_mergeable(self) -> None:
        """Split rings with VIRTIO_F_IN_ORDER and mergeable receive buffers.

        Steps:
            * As for split rings.

        Verify:
            * As for split rings.
        """
        self._loop(SPLIT_IN_ORDER_MERGEABLE)

    @func_test
    def split_vectorized(self) -> None:
        """Split rings with the guest's vectorized functions.

        Steps:
            * As for split rings.

        Verify:
            * The guest uses its vectorized receive function, else as for split rings.
        """
        self._loop_vectorized(SPLIT, 128)

    @func_test
    def packed(self) -> None:
        """Packed rings.

        Steps:
            * As for split rings.

        Verify:
            * As for split rings.
        """
        self._loop(PACKED)

    @func_test
    def packed_mergeable(self) -> None:
        """Packed rings with mergeable receive buffers.

        Steps:
            * As for split rings.

        Verify:
            * As for split rings.
        """
        self._loop(PACKED_MERGEABLE)

    @func_test
    def packed_in_order(self) -> None:
        """Packed rings with VIRTIO_F_IN_ORDER.

        Steps:
            * As for split rings.

        Verify:
            * As for split rings.
        """
        self._loop(PACKED_IN_ORDER)

    @func_test
    def packed_in_order_mergeable(self) -> None:
        """Packed rings with VIRTIO_F_IN_ORDER and mergeable receive buffers.

        Steps:
            * As for split rings.

        Verify:
            * As for split rings.
        """
        self._loop(PACKED_IN_ORDER_MERGEABLE)

    @func_test
    def packed_vectorized(self) -> None:
        """Packed rings with the guest's vectorized functions, which need AVX-512.

        Steps:
            * As for split rings.

        Verify:
            * The guest uses its vectorized receive function, else as for split rings.
        """
        flags = self._ctx.sut_node.main_session.send_command("grep -m 1 avx512vl /proc/cpuinfo")
        verify_else_skip(flags.return_code == 0, "The processor has no AVX-512.")
        self._loop_vectorized(PACKED_IN_ORDER, 512)

    @func_test
    def client(self) -> None:
        """The device connects to the guest's socket.

        Steps:
            * Launch testpmd with the device as the client of a socket that does not exist yet.
            * Launch testpmd with the guest as the server.
            * Send in both directions, then let frames circulate.

        Verify:
            * As for split rings.
        """
        path = socket_path("client")
        with (
            VstateTestPmd(name="back", **back_params(path, devargs="client=1")) as back,
            VstateTestPmd(
                name="guest", **guest_params(path, layout=f"{PACKED_MERGEABLE},server=1")
            ) as guest,
        ):
            wait_links(back, guest)
            exchange(back, guest)

    @func_test
    def reconnect_guest(self) -> None:
        """The guest ends and another one connects to the same device.

        Steps:
            * Launch testpmd with the device, which listens.
            * Three times: launch testpmd with the guest, exchange frames, end the guest.

        Verify:
            * The link of the device goes down with each guest.
            * With each guest, as for split rings.
        """
        path = socket_path("guests")
        with VstateTestPmd(name="back", **back_params(path)) as back:
            for layout in (SPLIT_MERGEABLE, PACKED_MERGEABLE, SPLIT_MERGEABLE):
                with VstateTestPmd(name="guest", **guest_params(path, layout=layout)) as guest:
                    wait_links(back, guest)
                    exchange(back, guest)
                verify(
                    wait_until(lambda: not back.is_link_up()),
                    "The link stays up without a guest.",
                )

    @func_test
    def reconnect_device(self) -> None:
        """The device ends and another one connects to the same guest.

        Steps:
            * Launch testpmd with the device as the client, and the guest as the server.
            * Exchange frames and end the testpmd with the device.
            * Launch it again and exchange frames.

        Verify:
            * With each device, as for split rings.
        """
        path = socket_path("devices")
        first = VstateTestPmd(name="back", **back_params(path, devargs="client=1"))
        first.start_application()
        with VstateTestPmd(
            name="guest", **guest_params(path, layout=f"{PACKED_MERGEABLE},server=1")
        ) as guest:
            wait_links(first, guest)
            exchange(first, guest)
            first.close()
            with VstateTestPmd(name="back", **back_params(path, devargs="client=1")) as second:
                wait_links(second, guest)
                exchange(second, guest)

    @func_test
    def queues_split(self) -> None:
        """One, eight and again one queue pair, split rings.

        Steps:
            * Launch testpmd with a device of eight queue pairs, and testpmd with the guest.
            * With each number of queues: set it on both sides and exchange frames.

        Verify:
            * All frames arrive, each queue of each side gets some, and no error is counted.
        """
        self._change_queues(SPLIT_MERGEABLE)

    @func_test
    def queues_packed(self) -> None:
        """One, eight and again one queue pair, packed rings.

        Steps:
            * As for split rings.

        Verify:
            * As for split rings.
        """
        self._change_queues(PACKED_MERGEABLE)
