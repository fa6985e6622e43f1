# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors

"""Test suite of moves of a vstate network device.

``dpdk-test-vdpa migrate`` moves a device from one back end to another one while its guest sends and
receives numbered frames. ``dpdk-test-vdpa conformance`` tests the items of VIRTIO 1.4 "Device
Suspend" and "Device parts". The suite reads their reports.
"""

from api.capabilities import LinkTopology, requires_link_topology
from api.test import fail, verify
from api.vstate.app import TestVdpa, TestVdpaRun
from framework.test_suite import BaseConfig, TestSuite, func_test

#: What may not happen to a frame.
WRONG = ("lost", "duplicated", "reordered", "corrupted")


class Config(BaseConfig):
    """Configuration of the moves."""

    #: Moves of each test case.
    rounds: int = 20
    #: Queue pairs of the device.
    queues: int = 4
    #: The longest time of a run of the tool in seconds.
    timeout: float = 300
    #: A kind of ``migrate --break``, which spoils the first state of the moves by a file. The
    #: test cases ``move_*`` must then fail.
    break_kind: str = ""


@requires_link_topology(LinkTopology.NO_LINK)
class TestVstateMove(TestSuite):
    """Test suite of moves of a vstate network device."""

    config: Config

    def _migrate(self, options: str) -> TestVdpaRun:
        """Run the moves of a test case.

        Args:
            options: The options of ``migrate`` in addition.

        Returns:
            The report of the moves.
        """
        return TestVdpa(self.config.timeout).run(
            "migrate", f"--rounds {self.config.rounds} --queues {self.config.queues} {options}"
        )

    def _verify_moves(self, run: TestVdpaRun) -> None:
        """Verify that all moves took place and that no frame was lost or changed.

        Args:
            run: The report of the moves.
        """
        run.verify_none(*WRONG)
        run.verify_success()
        rounds = run.count("rounds")
        verify(rounds == self.config.rounds, f"{rounds} of {self.config.rounds} moves.")
        verify(run.count("frames") > 0, "No frame passed.")

    def _move_both_rings(self, options: str = "") -> None:
        """Move with split and with packed rings.

        Args:
            options: The options of ``migrate`` in addition.
        """
        for ring in ("split", "packed"):
            self._verify_moves(self._migrate(f"--ring {ring} {options}"))

    def _break_option(self) -> str:
        """Make the option that spoils a state, if the configuration asks for it.

        Returns:
            The option of ``migrate``.
        """
        return f"--break {self.config.break_kind}" if self.config.break_kind else ""

    @func_test
    def move_in_process(self) -> None:
        """Move the state by a file between two devices of one process.

        Steps:
            * Run ``dpdk-test-vdpa migrate`` with split and with packed rings.

        Verify:
            * No frame is lost, duplicated, reordered or corrupted, and each move took place.
        """
        self._move_both_rings(self._break_option())

    @func_test
    def move_between_processes(self) -> None:
        """Move the state by a file between devices of two processes.

        Steps:
            * Run ``dpdk-test-vdpa migrate --process`` with split and with packed rings.

        Verify:
            * No frame is lost, duplicated, reordered or corrupted, and each move took place.
        """
        self._move_both_rings(f"--process {self._break_option()}")

    @func_test
    def device_state(self) -> None:
        """Move the state by SET_DEVICE_STATE_FD of vhost-user, in QEMU's order.

        Steps:
            * Run ``dpdk-test-vdpa migrate --via device-state --process`` with both rings.

        Verify:
            * No frame is lost, duplicated, reordered or corrupted, and each move took place.
        """
        self._move_both_rings("--via device-state --process")

    @func_test
    def buffers_in_flight(self) -> None:
        """Move a device with buffers in flight.

        Steps:
            * Run ``dpdk-test-vdpa migrate --inflight 8`` with both rings.

        Verify:
            * No frame is lost, duplicated, reordered or corrupted, and each move took place.
            * Buffers were in flight.
        """
        for ring in ("split", "packed"):
            run = self._migrate(f"--ring {ring} --inflight 8")
            self._verify_moves(run)
            verify(run.count("inflight") > 0, "No buffer was in flight.")

    @func_test
    def refused_moves(self) -> None:
        """Resume the source after a move that fails.

        Steps:
            * Run ``dpdk-test-vdpa migrate --fail-every 3`` with both rings.

        Verify:
            * Moves failed, and no frame is lost, duplicated, reordered or corrupted.
        """
        for ring in ("split", "packed"):
            run = self._migrate(f"--ring {ring} --fail-every 3")
            self._verify_moves(run)
            verify(run.count("failed_moves") > 0, "No move failed.")

    @func_test
    def upgrade(self) -> None:
        """Hand the device over to a new process, which keeps the connection of the guest.

        Steps:
            * Run ``dpdk-test-vdpa migrate --upgrade`` with both rings.

        Verify:
            * No frame is lost, duplicated, reordered or corrupted.
            * The new process got the connection of the guest each time.
        """
        for ring in ("split", "packed"):
            run = self._migrate(f"--ring {ring} --upgrade")
            self._verify_moves(run)
            kept = run.count("connections_kept")
            verify(kept == self.config.rounds, f"{kept} connections were kept.")

    @func_test
    def crash(self) -> None:
        """Kill the process of the device under load and start another one.

        Steps:
            * Run ``dpdk-test-vdpa migrate --kill`` with both rings.

        Verify:
            * No frame is duplicated, reordered or corrupted.
            * No more frames are lost than one burst of each queue pair and kill.
        """
        for ring in ("split", "packed"):
            run = self._migrate(f"--ring {ring} --kill")
            run.verify_none("duplicated", "reordered", "corrupted")
            lost, allowed = run.count("lost"), run.count("lost_allowed")
            verify(lost <= allowed, f"{lost} frames are lost, {allowed} may be.")
            run.verify_success()

    @func_test
    def conformance(self) -> None:
        """Test the items of VIRTIO 1.4 "Device Suspend" and "Device parts".

        Steps:
            * Run ``dpdk-test-vdpa conformance``.

        Verify:
            * Each item holds, with both rings, by the API and by vhost-user.
        """
        run = TestVdpa(self.config.timeout).run("conformance")
        broken = [item for item in run.report.get("items", []) if not item["pass"]]
        if broken:
            fail(f"Items that do not hold: {broken}.")
        run.verify_none("failed")
        run.verify_success()
        verify(run.count("passed") > 0, "No item was tested.")
