#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# From a fresh Debian 12 to the main job: a device under load that is stopped,
# captured, restored elsewhere and resumed, every frame checked.
#
#	devtools/quickstart.sh [MIGRATE OPTION...]
#
# Options are handed to "dpdk-test-vdpa migrate" in place of the ones below.

set -u
# shellcheck source=devtools/lib.sh
. "$(dirname "$0")/lib.sh"

case ${1:-} in
-h|--help)
	sed -n '5,10s/^# \{0,1\}//p' "$0"
	exit 0 ;;
esac
[ $# -gt 0 ] || set -- --rounds 100 --queues 1

need_packages "${BUILD_PACKAGES[@]}"
need_driver_headers
build build
offer_hugepages
say "the main job: build/app/dpdk-test-vdpa migrate $*"
exec "$VSTATE_ROOT/build/app/dpdk-test-vdpa" migrate "$@"
