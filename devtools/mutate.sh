#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Mutation test: change one operator, constant, condition or statement of the code at a time, build
# the unit test that has the file, and run it. A change that no test notices "survived": a test is
# missing, or the line is not needed, or there is a reason.
#
#	devtools/mutate.sh [--seed N] [--count N] [--jobs N] [FILE[:LINE]|DIR...]
#	--seed N	draw other places; the same number draws the same ones again (1)
#	--count N	number of changes (20)
#	--jobs N	number of copies in which changes are tried at the same time (1)
#
# Without FILE: ring/, net/, dev/, handover/ and vhost/ of the driver, and lib/vhost_state. With
# LINE only this line is changed. All is done in copies of the tracked files, in build-mutate. They
# are built with one instruction set and without optimisation of speed. One line is printed for each
# change, then the survivors, and the figures of each room. "same code" is a change that the
# compiler does not see.

set -u
# shellcheck source=devtools/lib.sh
. "$(dirname "$0")/lib.sh"

case ${1:-} in
-h|--help) sed -n '5,20s/^#[[:blank:]]\{0,1\}//p' "$0"; exit 0 ;;
esac
need_packages "${BUILD_PACKAGES[@]}" >&2
need_driver_headers >&2
exec nice -n 10 python3 "$VSTATE_ROOT/devtools/mutate.py" --dpdk-source "$DPDK_SOURCE" "$@"
