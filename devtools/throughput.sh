#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Frames a second between two unmodified testpmd on two processors, net_vhost and net_vstate in
# turns. See devtools/throughput.sh --help.

set -u
W=$(mktemp -d) || exit 1
trap '[ ! -e "$W/plugins" ] || xargs -r rm -rf <"$W/plugins"; rm -rf "$W"' EXIT
# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/../tests/lib/harness.sh"

case " $* " in
*" --help "* | *" -h "*) /usr/bin/python3 "$VSTATE_ROOT/devtools/throughput.py" --help; exit 0 ;;
esac
need_packages "${BUILD_PACKAGES[@]}" dpdk-dev
need_driver_headers
build build
plugin=$(plugin_path) || die "no plugin to load"
/usr/bin/python3 "$VSTATE_ROOT/devtools/throughput.py" "$plugin" "$@"
