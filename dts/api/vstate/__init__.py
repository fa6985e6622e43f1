# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors

"""What the test suites of vstate share.

:mod:`api.vstate.testpmd` has testpmd with what the suites need in addition, and counted traffic
between two of them. :mod:`api.vstate.app` runs ``dpdk-test-vdpa``.
"""
