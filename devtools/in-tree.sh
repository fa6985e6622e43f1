#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Put the library, the driver and the tool into a DPDK source tree (25.07 or later), build DPDK with
# them, shared and static, and move a device with each build.
#
#	devtools/in-tree.sh [--all] [--copy-only] [-j N] DIR
#
# DIR is a DPDK source tree. It is changed: three folders, one header, and a line in each of the lists
# lib/meson.build, drivers/vdpa/meson.build and app/meson.build. A second run updates them. The build is
# in DIR/build-in-tree. It is shared first; what differs is then linked again for static.
#
#	--all		build all of DPDK and check all headers, not only what vstate needs
#	--copy-only	do not build
#	-j N		jobs of the builds (default: 2)

set -u
# shellcheck source=devtools/lib.sh
. "$(dirname "$0")/lib.sh"

DRIVERS=bus/vdev,bus/pci,mempool/ring,net/virtio,net/null,net/ring,vdpa/vstate
LIBS=cryptodev,dmadev,gso,gro,vhost,security,vhost_state
ALL='' COPY_ONLY='' JOBS=2 TREE=

usage() { sed -n '5,18s/^#[[:blank:]]\{0,1\}//p' "$0"; }

while [ $# -gt 0 ]; do
	case $1 in
	--all) ALL=1 ;;
	--copy-only) COPY_ONLY=1 ;;
	-j) JOBS=${2:?}; shift ;;
	-h|--help) usage; exit 0 ;;
	-*) usage >&2; exit 2 ;;
	*) TREE=$1 ;;
	esac
	shift
done
[ -n "$TREE" ] || { usage >&2; exit 2; }
[ -e "$TREE/lib/vhost/vdpa_driver.h" ] ||
	die "$TREE is not a DPDK source tree"
[ -e "$TREE/lib/eal/common/eal_export.h" ] ||
	die "$TREE is DPDK $(cat "$TREE/VERSION"): 25.07 or later is needed"
TREE=$(realpath "$TREE")

# ---- the folders and the lists ----

folder_put() # FOLDER
{
	rm -rf "${TREE:?}/$1"
	cp -r "$VSTATE_ROOT/$1" "$TREE/$1"
}

# list_add FILE ENTRY AFTER: add the entry to a list of meson, after the entry AFTER.
list_add()
{
	grep -q "^ *'$2'," "$TREE/$1" && return 0
	sed -i "s|^\( *\)'$3',.*|&\n\1'$2',|" "$TREE/$1"
	grep -q "^ *'$2'," "$TREE/$1" || die "$1 has no entry '$3'"
}

tree_fill()
{
	folder_put lib/vhost_state
	folder_put drivers/vdpa/vstate
	folder_put app/test-vdpa
	# The unit tests are built by this project only.
	rm -r "$TREE/app/test-vdpa/test"
	# A DPDK tree makes the version maps from RTE_EXPORT_* lines.
	rm "$TREE/lib/vhost_state/version.map" "$TREE/drivers/vdpa/vstate/version.map"
	# All of DPDK has this folder in its include path.
	cp "$VSTATE_ROOT/config/vstate_compat.h" "$TREE/config/"
	list_add lib/meson.build vhost_state vhost
	list_add drivers/vdpa/meson.build vstate sfc
	list_add app/meson.build test-vdpa test-security-perf
}

# ---- the builds ----

configure() # KIND
{
	local dir=$TREE/build-in-tree
	# shellcheck disable=SC2054 # the commas belong to the options
	local options=(-Dtests=false "-Denable_drivers=$DRIVERS" "-Denable_libs=$LIBS"
		-Denable_apps=test-pmd,test-vdpa)
	[ -z "$ALL" ] || options=(-Dcheck_includes=true)
	# The distribution's python first, because it has pyelftools.
	if [ -e "$dir/build.ninja" ]; then
		env "PATH=/usr/bin:$PATH" meson configure "$dir" "-Ddefault_library=$1"
	else
		env "PATH=/usr/bin:$PATH" meson setup "$dir" "$TREE" -Dwerror=true -Dplatform=generic \
			"-Ddefault_library=$1" "${options[@]}"
	fi
}

tree_build() # KIND
{
	local dir=$TREE/build-in-tree
	run_quiet "$1: meson" configure "$1" || die "meson failed: see $dir/meson-logs"
	run_quiet "$1: ninja" env "PATH=/usr/bin:$PATH" nice ninja -j "$JOBS" -C "$dir" ||
		die "the $1 build failed: repeat it by ninja -C $dir"
}

# The tool moves a device between two processes. A static testpmd has the driver without -d.
tree_try() # KIND
{
	local dir=$TREE/build-in-tree socket plugins=()
	[ "$1" = static ] || plugins=(-d "$dir/drivers")
	run_quiet "$1: dpdk-test-vdpa migrate --process" "$dir/app/dpdk-test-vdpa" "${plugins[@]}" -- \
		migrate --rounds 10 --ring packed --process || die "the tool of the $1 build failed"
	socket=$(mktemp -d)
	run_quiet "$1: dpdk-testpmd with net_vstate" timeout 60 "$dir/app/dpdk-testpmd" "${plugins[@]}" \
		--lcores '0@0,1@0' --no-huge -m 128 --no-pci --no-shconf --no-telemetry \
		--vdev "net_vstate0,iface=$socket/s" -- --total-num-mbufs=4096 \
		--disable-link-check --no-mlockall ||
		die "testpmd of the $1 build failed"
	rm -rf "$socket"
}

tree_fill
say "DPDK $(cat "$TREE/VERSION") has vstate now: $TREE"
[ -z "$COPY_ONLY" ] || exit 0
for kind in shared static; do
	tree_build "$kind"
	tree_try "$kind"
done
