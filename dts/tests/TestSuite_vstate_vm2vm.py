# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors

"""Test suite of two guests behind vstate devices.

One testpmd is the switch: it has two ``net_vstate`` ports and forwards between them. Two more have
``net_virtio_user`` as guests. Frames pass from one guest to the other one and back. Each of the
four hops must deliver all frames.
"""

from api.capabilities import LinkTopology, requires_link_topology
from api.vstate.testpmd import (
    Hop,
    VstateTestPmd,
    back_params,
    circulate,
    guest_params,
    send,
    socket_path,
    verify_no_faults,
    wait_links,
)
from framework.test_suite import TestSuite, func_test


@requires_link_topology(LinkTopology.NO_LINK)
class TestVstateVm2vm(TestSuite):
    """Test suite of two guests behind vstate devices."""

    def _guest_to_guest(self, first_layout: str, second_layout: str, queues: int = 1) -> None:
        """Let frames pass between two guests.

        Args:
            first_layout: The virtio features of the first guest.
            second_layout: The virtio features of the second guest.
            queues: The queue pairs of guests and devices.
        """
        one, two = socket_path("one"), socket_path("two")
        with (
            VstateTestPmd(name="switch", **back_params(one, two, queues=queues)) as switch,
            VstateTestPmd(
                name="first", **guest_params(one, queues, first_layout, prefix="first")
            ) as first,
            VstateTestPmd(
                name="second", **guest_params(two, queues, second_layout, prefix="second")
            ) as second,
        ):
            wait_links(switch, first, second)
            send(Hop(first, switch, receiver_port=0, queues=queues))
            send(Hop(second, switch, receiver_port=1, queues=queues))
            way = [
                Hop(first, switch, receiver_port=0, queues=queues),
                Hop(switch, second, sender_port=1, queues=queues),
                Hop(second, switch, receiver_port=1, queues=queues),
                Hop(switch, first, sender_port=0, queues=queues),
            ]
            circulate(first, [switch, second], way)
            for shell, port_id in ((switch, 0), (switch, 1), (first, 0), (second, 0)):
                verify_no_faults(shell, port_id)

    @func_test
    def split_to_split(self) -> None:
        """Two guests with split rings.

        Steps:
            * Launch testpmd with two devices, and two testpmds with a guest each.
            * Each guest sends to its device.
            * The first guest starts frames, which circulate through the devices and the second one.

        Verify:
            * Each hop delivers all frames, on each queue, and no port counts an error.
        """
        self._guest_to_guest("packed_vq=0,mrg_rxbuf=1", "packed_vq=0,mrg_rxbuf=1")

    @func_test
    def packed_to_packed(self) -> None:
        """Two guests with packed rings.

        Steps:
            * As for split rings.

        Verify:
            * As for split rings.
        """
        self._guest_to_guest("packed_vq=1,mrg_rxbuf=1", "packed_vq=1,mrg_rxbuf=1")

    @func_test
    def split_to_packed(self) -> None:
        """A guest with split rings and a guest with packed rings in order.

        Steps:
            * As for split rings.

        Verify:
            * As for split rings.
        """
        self._guest_to_guest("packed_vq=0,mrg_rxbuf=1", "packed_vq=1,in_order=1,mrg_rxbuf=0")

    @func_test
    def four_queues(self) -> None:
        """Two guests with four queue pairs each.

        Steps:
            * As for split rings.

        Verify:
            * As for split rings.
        """
        self._guest_to_guest("packed_vq=1,mrg_rxbuf=1", "packed_vq=0,mrg_rxbuf=1", queues=4)
