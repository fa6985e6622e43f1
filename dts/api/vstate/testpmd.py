# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors

"""Testpmd for the test suites of vstate, and counted traffic between two of them.

Typical usage example in a TestSuite::

    with (
        VstateTestPmd(**back_params("/tmp/s")) as back,
        VstateTestPmd(**guest_params("/tmp/s")) as guest,
    ):
        wait_links(back, guest)
        send(Hop(guest, back))
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePath

from api.test import log, verify
from api.testpmd import TestPmd
from api.testpmd.config import Event, SimpleForwardingModes
from api.testpmd.types import TestPmdPortStats
from framework.context import get_ctx
from framework.exception import InteractiveCommandExecutionError
from framework.params import Params
from framework.params.types import TestPmdParamsDict
from framework.testbed_model.virtual_device import VirtualDevice

#: Seconds until the last frame of a flow must have arrived. It passes only if frames are lost.
PATIENCE = 60.0

#: Frames that a flow has at least.
MIN_PACKETS = 1000

#: Descriptors of each ring of the guest.
RING_SIZE = 256

#: Events that testpmd does not print. It prints them behind the prompt when the other side comes or
#: goes, and begins a new line for it, which would pass for the end of the next command.
MASKED_EVENTS = [Event.intr_lsc, Event.queue_state]

#: Bursts of 32 frames that circulate. They fit the smallest ring, so that none is dropped.
CIRCULATING_BURSTS = 4


class VstateTestPmd(TestPmd):
    """Testpmd with the commands that the suites of vstate need in addition.

    Attributes:
        start_output: What testpmd printed at its start.
    """

    start_output: str = ""

    def send_command(
        self, command: str, prompt: str | None = None, skip_first_line: bool = False
    ) -> str:
        """Extends :meth:`~.interactive_shell.InteractiveShell.send_command`.

        The first command starts testpmd. What it prints is kept.

        Args:
            command: The command.
            prompt: The end of the output.
            skip_first_line: Leave out the first line.

        Returns:
            The output of the command.
        """
        output = super().send_command(command, prompt, skip_first_line)
        self.start_output = self.start_output or output
        return output

    def show_port_xstats(self, port_id: int = 0) -> dict[str, int]:
        """Get the extended statistics of a port.

        Args:
            port_id: The port.

        Returns:
            The value of each extended statistic by its name.

        Raises:
            InteractiveCommandExecutionError: If testpmd prints no statistics.
        """
        output = self.send_command(f"show port xstats {port_id}")
        xstats = {m[1]: int(m[2]) for m in re.finditer(r"^(\w+): (\d+)\s*$", output, re.M)}
        if not xstats:
            raise InteractiveCommandExecutionError(f"No extended statistics of port {port_id}.")
        return xstats

    def is_link_up(self, port_id: int = 0) -> bool:
        """Get the link status of a port.

        Args:
            port_id: The port.

        Returns:
            Whether the other side is connected.
        """
        return "Link status: up" in self.send_command(f"show port info {port_id}")

    def wait_links_up(self) -> bool:
        """Wait until the link of each virtual device is up.

        Returns:
            Whether the other side of each device connected in time.
        """
        ports = range(len(self._app_params.vdevs or []))
        return all(self.wait_link_status_up(port_id, PATIENCE) for port_id in ports)

    def set_forward_txonly(self) -> None:
        """Set the forwarding mode ``txonly``, which :class:`SimpleForwardingModes` lacks.

        Raises:
            InteractiveCommandExecutionError: If testpmd refuses.
        """
        if "Set txonly packet forwarding mode" not in self.send_command("set fwd txonly"):
            raise InteractiveCommandExecutionError("Testpmd failed to set fwd mode to txonly.")


def back_params(*paths: PurePath, queues: int = 1, devargs: str = "") -> TestPmdParamsDict:
    """Make the parameters of a testpmd with ``net_vstate`` devices.

    Args:
        *paths: The socket of each device.
        queues: The queue pairs of each device and of its port.
        devargs: More device arguments, such as ``client=1``.

    Returns:
        The parameters of :class:`VstateTestPmd`.
    """
    more = f",{devargs}" if devargs else ""
    return TestPmdParamsDict(
        prefix="back",
        no_pci=True,
        memory_channels=4,
        vdevs=[
            VirtualDevice(f"net_vstate{i},iface={path},queues={queues}{more}")
            for i, path in enumerate(paths)
        ],
        rx_queues=queues,
        tx_queues=queues,
        mask_events=MASKED_EVENTS,
    )


def guest_params(
    path: PurePath, queues: int = 1, layout: str = "", prefix: str = "guest", eal: str = ""
) -> TestPmdParamsDict:
    """Make the parameters of a testpmd with a ``net_virtio_user`` port, which is the guest.

    Args:
        path: The socket of the device.
        queues: The queue pairs of the guest and of its port.
        layout: More device arguments, such as ``packed_vq=1``.
        prefix: The file prefix.
        eal: More EAL options.

    Returns:
        The parameters of :class:`VstateTestPmd`.
    """
    more = f",{layout}" if layout else ""
    params = TestPmdParamsDict(
        prefix=prefix,
        no_pci=True,
        memory_channels=4,
        vdevs=[
            VirtualDevice(
                f"net_virtio_user0,path={path},queues={queues},queue_size={RING_SIZE}{more}"
            )
        ],
        rx_queues=queues,
        tx_queues=queues,
        mask_events=MASKED_EVENTS,
    )
    if eal:
        params["other_eal_param"] = Params.from_str(eal)
    return params


def socket_path(name: str) -> PurePath:
    """Make a path for a socket on the SUT.

    Args:
        name: The file name of the socket.

    Returns:
        A path in the temporary directory of the SUT.
    """
    return get_ctx().sut_node.tmp_dir.joinpath(name)


def wait_until(condition: Callable[[], bool], timeout: float = PATIENCE) -> bool:
    """Wait until a condition holds.

    Args:
        condition: The condition.
        timeout: The longest time to wait in seconds.

    Returns:
        Whether the condition came to hold.
    """
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def wait_links(*shells: VstateTestPmd) -> None:
    """Verify that the link of each port of each testpmd comes up.

    Args:
        *shells: The testpmds.
    """
    for shell in shells:
        verify(shell.wait_links_up(), "A link did not come up.")


def verify_no_faults(shell: VstateTestPmd, port_id: int = 0) -> None:
    """Verify that no extended statistic of a port counts an error.

    ``missed_pkts`` is none: testpmd sends more than fits the guest's ring.

    Args:
        shell: The testpmd.
        port_id: The port.
    """
    faults = {
        name: value
        for name, value in shell.show_port_xstats(port_id).items()
        if value and re.search(r"error|dropped|broken|nombuf|mbuf_allocation", name)
    }
    verify(not faults, f"Port {port_id} counts errors: {faults}.")


@dataclass
class Hop:
    """Frames from a port of one testpmd to a port of another one, counted on both sides.

    Only frames after the last :meth:`mark` count.

    Attributes:
        sender: The testpmd that sends.
        receiver: The testpmd that receives.
        sender_port: The port that sends.
        receiver_port: The port that receives.
        queues: The receive queues of the receiver, each of which must get frames.
    """

    sender: VstateTestPmd
    receiver: VstateTestPmd
    sender_port: int = 0
    receiver_port: int = 0
    queues: int = 1
    _sent: TestPmdPortStats = field(init=False)
    _received: TestPmdPortStats = field(init=False)
    _of_queues: list[int] = field(init=False)

    def __post_init__(self) -> None:
        """Count from now on."""
        self.mark()

    def mark(self) -> None:
        """Count from now on."""
        self._sent = self.sender.show_port_stats(self.sender_port)
        self._received = self.receiver.show_port_stats(self.receiver_port)
        self._of_queues = self._queue_packets()

    def _queue_packets(self) -> list[int]:
        xstats = self.receiver.show_port_xstats(self.receiver_port)
        return [xstats[f"rx_q{queue}_good_packets"] for queue in range(self.queues)]

    def sent(self) -> int:
        """Get the number of frames that were sent."""
        return self.sender.show_port_stats(self.sender_port).tx_packets - self._sent.tx_packets

    def received(self) -> int:
        """Get the number of frames that were received."""
        now = self.receiver.show_port_stats(self.receiver_port).rx_packets
        return now - self._received.rx_packets

    def verify_complete(self) -> None:
        """Verify that all frames arrived, by each counter, and that each queue got some.

        The sender must have stopped; the receiver must still receive.
        """
        complete = wait_until(lambda: self.sent() == self.received())
        verify(complete, f"{self.sent()} frames sent, {self.received()} received.")
        sent = self.sender.show_port_stats(self.sender_port)
        received = self.receiver.show_port_stats(self.receiver_port)
        packets = received.rx_packets - self._received.rx_packets
        verify(packets > MIN_PACKETS, f"Only {packets} frames passed.")
        sent_bytes = sent.tx_bytes - self._sent.tx_bytes
        received_bytes = received.rx_bytes - self._received.rx_bytes
        verify(sent_bytes == received_bytes, f"{sent_bytes} bytes sent, {received_bytes} received.")
        of_queues = [
            now - before for now, before in zip(self._queue_packets(), self._of_queues, strict=True)
        ]
        verify(all(of_queues), f"Frames of each receive queue: {of_queues}.")
        verify(sum(of_queues) == packets, f"{of_queues} frames of queues, {packets} of the port.")
        log(f"{packets} frames, {received_bytes} bytes, by queue {of_queues}: all arrived.")


def send(hop: Hop) -> None:
    """Let one side send and the other one receive, and verify that all frames arrive.

    Args:
        hop: The two sides, of which none forwards.
    """
    hop.receiver.set_forward_mode(SimpleForwardingModes.rxonly)
    hop.sender.set_forward_txonly()
    hop.receiver.start()
    hop.mark()
    hop.sender.start()
    verify(wait_until(lambda: hop.sent() > MIN_PACKETS), f"Only {hop.sent()} frames were sent.")
    hop.sender.stop()
    hop.verify_complete()
    hop.receiver.stop()


def circulate(starter: VstateTestPmd, others: list[VstateTestPmd], hops: list[Hop]) -> None:
    """Let frames circulate, and verify that all frames of all hops arrive and are passed on.

    Args:
        starter: The testpmd that sends the first frames and stops first.
        others: The testpmds that forward.
        hops: The hops on the way. The last one leads back to `starter`.
    """
    for shell in [*others, starter]:
        shell.set_forward_mode(SimpleForwardingModes.io)
    for shell in others:
        shell.start()
    for hop in hops:
        hop.mark()
    starter.start_tx_first(CIRCULATING_BURSTS)
    verify(
        wait_until(lambda: hops[-1].received() > MIN_PACKETS),
        f"Only {hops[-1].received()} frames came back.",
    )
    starter.stop()
    # What is still under way ends at the starter, which keeps it.
    starter.set_forward_mode(SimpleForwardingModes.rxonly)
    starter.start()
    for hop in hops:
        hop.verify_complete()
    # Ports count what passes a ring. Frames that are lost between ring and testpmd are missing at
    # the next hop.
    for arriving, leaving in zip(hops, [*hops[1:], hops[0]], strict=True):
        got, passed_on = arriving.received(), leaving.sent()
        verify(got == passed_on, f"Testpmd received {got} frames and passed {passed_on} on.")
    for shell in [starter, *others]:
        shell.stop()


def exchange(back: VstateTestPmd, guest: VstateTestPmd, queues: int = 1) -> None:
    """Send in both directions, then let frames circulate. No frame may be missing.

    Args:
        back: The testpmd with the device.
        guest: The testpmd with the guest.
        queues: The queue pairs of both.
    """
    there = Hop(guest, back, queues=queues)
    back_again = Hop(back, guest, queues=queues)
    send(there)
    send(back_again)
    circulate(guest, [back], [there, back_again])
    verify_no_faults(back)
    verify_no_faults(guest)
