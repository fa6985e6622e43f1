#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# From a fresh Debian 12 to a move of device state: a device under load is stopped,
# captured, restored in another device and resumed, and every frame is checked.
#
#	devtools/quickstart.sh [MIGRATE OPTION...]
#
# Options replace the default options of "dpdk-test-vdpa migrate" below.

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
say "moving device state: build/app/dpdk-test-vdpa migrate $*"
exec "$VSTATE_ROOT/build/app/dpdk-test-vdpa" migrate "$@"
