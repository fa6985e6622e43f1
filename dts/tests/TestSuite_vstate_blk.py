# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors

"""Test suite of moves of a vstate disk.

``dpdk-test-vdpa migrate --class blk`` moves a disk from one back end to another one while requests
are under way. Each block that is written has a number, so that the tool knows what a read must
return. The suite reads the reports.
"""

from api.capabilities import LinkTopology, requires_link_topology
from api.test import verify
from api.vstate.app import TestVdpa
from framework.test_suite import BaseConfig, TestSuite, func_test

#: What may not happen to a request or to a block.
WRONG = ("lost", "doubled", "stale", "torn", "misplaced", "unordered", "errors")


class Config(BaseConfig):
    """Configuration of the moves."""

    #: Moves of each test case.
    rounds: int = 50
    #: Kills of the test case ``crash``.
    kills: int = 10
    #: Upgrades of the test case ``upgrade``.
    upgrades: int = 3
    #: The longest time of a run of the tool in seconds.
    timeout: float = 300
    #: A kind of ``migrate --class blk --break``, which plants a fault in each move by the in-flight
    #: region. The test case ``move_by_region`` must then fail.
    break_kind: str = ""


@requires_link_topology(LinkTopology.NO_LINK)
class TestVstateBlk(TestSuite):
    """Test suite of moves of a vstate disk."""

    config: Config

    def _move_both_rings(self, rounds: int, options: str) -> None:
        """Move with split and with packed rings, and verify that nothing is lost or wrong.

        Args:
            rounds: The number of moves.
            options: The options of ``migrate --class blk`` in addition.
        """
        for ring in ("", "--packed"):
            run = TestVdpa(self.config.timeout).run(
                "migrate", f"--class blk --rounds {rounds} {options} {ring}"
            )
            run.verify_none(*WRONG)
            run.verify_success()
            verify(run.count("rounds") == rounds, f"{run.count('rounds')} of {rounds} moves.")
            verify(run.count("reads") > 0 and run.count("writes") > 0, "No request was served.")

    @func_test
    def move_by_api(self) -> None:
        """Move the state by the library.

        Steps:
            * Run ``dpdk-test-vdpa migrate --class blk --via api`` with both rings.

        Verify:
            * No request is lost or doubled, and no block is stale, torn or misplaced.
        """
        self._move_both_rings(self.config.rounds, "--via api")

    @func_test
    def move_by_region(self) -> None:
        """Move the in-flight region between two processes.

        Steps:
            * Run ``dpdk-test-vdpa migrate --class blk --via region --process`` with both rings.

        Verify:
            * No request is lost or doubled, and no block is stale, torn or misplaced.
        """
        plant = f"--break {self.config.break_kind}" if self.config.break_kind else "--process"
        self._move_both_rings(self.config.rounds, f"--via region {plant}")

    @func_test
    def move_by_bases(self) -> None:
        """Move the bases only, after the source completed all requests.

        Steps:
            * Run ``dpdk-test-vdpa migrate --class blk --via base`` with both rings.

        Verify:
            * No request is lost or doubled, and no block is stale, torn or misplaced.
        """
        self._move_both_rings(self.config.rounds, "--via base")

    @func_test
    def upgrade(self) -> None:
        """Hand the disk over to a new process.

        Steps:
            * Run ``dpdk-test-vdpa migrate --class blk --upgrade`` with both rings.

        Verify:
            * No request is lost or doubled, and no block is stale, torn or misplaced.
        """
        self._move_both_rings(self.config.upgrades, "--via api --upgrade")

    @func_test
    def crash(self) -> None:
        """Kill the process of the disk under load and start another one.

        Steps:
            * Run ``dpdk-test-vdpa migrate --class blk --via region --kill`` with both rings.

        Verify:
            * No request is lost or doubled, and no block is stale, torn or misplaced.
        """
        self._move_both_rings(self.config.kills, "--via region --kill")

    @func_test
    def conformance(self) -> None:
        """Test the items of VIRTIO 1.4 "Block Device".

        Steps:
            * Run ``dpdk-test-vdpa conformance --class blk``.

        Verify:
            * Each item holds, with both rings.
        """
        run = TestVdpa(self.config.timeout).run("conformance", "--class blk")
        run.verify_none("failed")
        run.verify_success()
        verify(run.count("passed") > 0, "No item was tested.")
