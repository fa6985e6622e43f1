# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors

"""The tool ``dpdk-test-vdpa``, as a non-interactive application on the SUT.

Typical usage example in a TestSuite::

    run = TestVdpa(timeout=300).run("migrate", "--rounds 20 --ring packed")
    run.verify_none("lost", "duplicated")
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from api.test import fail, log, verify
from framework.context import get_ctx


@dataclass(frozen=True)
class TestVdpaRun:
    """A finished run of the tool.

    Attributes:
        command: The arguments of the tool.
        report: The JSON report of the tool.
        return_code: The exit status of the tool.
        stderr: What the tool wrote to standard error, with the reason of a failure.
    """

    #: Keep pytest and the like from taking the class for a test.
    __test__ = False

    command: str
    report: Mapping[str, Any]
    return_code: int
    stderr: str

    def count(self, key: str) -> int:
        """Get a number of the report. The test case fails if the report lacks it.

        Args:
            key: The key of the number in the report.

        Returns:
            The number.
        """
        value = self.report.get(key)
        verify(isinstance(value, int), f"{self.command}: the report has no number '{key}'.")
        return int(value or 0)

    def verify_none(self, *keys: str) -> None:
        """Verify that each of these numbers of the report is 0.

        Args:
            *keys: The keys of the numbers in the report.
        """
        found = {key: self.count(key) for key in keys if self.count(key) != 0}
        verify(not found, f"{self.command}: {found}. {self.last_words}")

    def verify_success(self) -> None:
        """Verify that the exit status is 0."""
        verify(
            self.return_code == 0,
            f"{self.command}: exit status {self.return_code}. {self.last_words}",
        )

    @property
    def last_words(self) -> str:
        """The last line of standard error."""
        lines = self.stderr.splitlines()
        return lines[-1] if lines else ""


class TestVdpa:
    """The tool ``dpdk-test-vdpa``.

    The tool chooses its EAL options itself, so none are computed here.
    """

    __test__ = False

    _timeout: float

    def __init__(self, timeout: float) -> None:
        """Initialize the tool.

        Args:
            timeout: The longest time of a run in seconds.
        """
        self._timeout = timeout

    @property
    def path(self) -> PurePath:
        """The path to the tool on the SUT."""
        return get_ctx().dpdk_build.get_app("test-vdpa")

    def run(self, command: str, options: str = "") -> TestVdpaRun:
        """Run a command of the tool and read its report.

        The test case fails if the tool prints no report, whatever its exit status is.

        Args:
            command: The command, such as ``migrate``.
            options: The options of the command, without ``--json``.

        Returns:
            The report, with the exit status.
        """
        arguments = f"{command} --json {options}".strip()
        result = get_ctx().sut_node.main_session.send_command(
            f"{self.path} {arguments}", self._timeout, privileged=True
        )
        report: Any = None
        try:
            report = json.loads(result.stdout)
        except json.JSONDecodeError:
            fail(f"{arguments}: exit status {result.return_code}, no report. {result.stderr}")
        log(f"{arguments}: exit status {result.return_code}\n{result.stdout}")
        return TestVdpaRun(arguments, report, result.return_code, result.stderr)
