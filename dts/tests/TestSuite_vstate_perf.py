# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors

"""Performance test suite of the vstate device.

``dpdk-test-vdpa bench`` measures ``net_vstate`` and ``net_vhost`` in turns, in slices of 1.5 ms.
The suite compares the ratio of their TSC cycles per packet with the goal of each case. Cycles alone
depend on the machine and on its load; the ratio of neighbouring slices of one run hardly does.
"""

from typing import Any

from pydantic import Field

from api.capabilities import LinkTopology, requires_link_topology
from api.test import log, verify, write_performance_json
from api.vstate.app import TestVdpa
from framework.config.common import FrozenModel
from framework.test_suite import BaseConfig, TestSuite, perf_test


class Goal(FrozenModel):
    """The goal of one case of the benchmark."""

    #: The name of the case, as ``dpdk-test-vdpa bench --list`` prints it.
    case: str
    #: The largest ratio of the cycles of ``net_vstate`` to those of ``net_vhost``.
    max_ratio: float


class Config(BaseConfig):
    """Performance goals."""

    #: The cases, with the goal of each.
    goals: list[Goal] = Field(
        default=[
            Goal(case="loop/split", max_ratio=0.6),
            Goal(case="loop/packed", max_ratio=0.8),
            Goal(case="loop/split/1500B", max_ratio=1.0),
            Goal(case="loop/packed/1500B", max_ratio=1.0),
            Goal(case="loop/split/log", max_ratio=0.6),
            Goal(case="loop/packed/log", max_ratio=0.8),
        ],
        min_length=1,
    )
    #: Seconds that each case is measured.
    seconds: float = 2.0
    #: The longest time of the benchmark in seconds, in addition to the time of the cases.
    timeout: float = 120


@requires_link_topology(LinkTopology.NO_LINK)
class TestVstatePerf(TestSuite):
    """Performance test suite of the vstate device."""

    config: Config

    def _judge(self, goal: Goal, measured: dict[str, Any]) -> dict[str, Any]:
        """Compare a case with its goal.

        Args:
            goal: The goal of the case.
            measured: The report of the case.

        Returns:
            The figures of the case, with the verdict.
        """
        ratio = measured.get("to_vhost", {}).get("median")
        return {
            "case": goal.case,
            "vstate_cycles": measured.get("vstate", {}).get("cycles_median"),
            "vhost_cycles": measured.get("vhost", {}).get("cycles_median"),
            "ratio": ratio,
            "max_ratio": goal.max_ratio,
            "pass": bool(measured.get("ok")) and ratio is not None and ratio <= goal.max_ratio,
        }

    @perf_test
    def ratio_to_net_vhost(self) -> None:
        """Compare the cycles per packet with those of net_vhost.

        Steps:
            * Run ``dpdk-test-vdpa bench`` with the cases of the configuration.
            * Write the figures to ``performance_metrics.json``.

        Verify:
            * The ratio of net_vstate to net_vhost is not above the goal of each case.
        """
        goals = self.config.goals
        cases = ",".join(goal.case for goal in goals)
        run = TestVdpa(self.config.timeout + len(goals) * self.config.seconds * 3).run(
            "bench", f"--seconds {self.config.seconds} --only vstate,vhost --case {cases}"
        )
        measured = {case["case"]: case for case in run.report["cases"]}
        results = [self._judge(goal, measured.get(goal.case, {})) for goal in goals]
        write_performance_json(
            {
                "dpdk": run.report["dpdk"],
                "cpu": run.report["cpu"],
                "tsc_hz": run.report["tsc_hz"],
                "mode": run.report["mode"],
                "seconds": run.report["seconds"],
                "results": results,
            }
        )
        for result in results:
            log(f"{result['case']}: ratio {result['ratio']}, goal {result['max_ratio']}")
        run.verify_success()
        missed = [
            f"{r['case']} {r['ratio']} (goal {r['max_ratio']})" for r in results if not r["pass"]
        ]
        verify(not missed, f"Ratio to net_vhost above the goal: {', '.join(missed)}.")
