#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Set up Debian 13 in a folder and run the two commands of the README inside.
#
#	devtools/debian13.sh DIR [NAME...]
#
# DIR is a new or an empty folder, or that of an earlier run, whose packages are used again. debootstrap
# installs Debian into it. This tree is copied to DIR/root/vstate. Then devtools/quickstart.sh and
# devtools/test.sh NAME... run there, by chroot in their own mount and process namespace. Without NAME
# all tests run. It needs root. The logs are DIR/root/quickstart.log and DIR/root/test.log.
#
#	MIRROR			Debian's mirror (default: the one of this machine's apt)
#	VSTATE_DPDK_SOURCE	DPDK's source tree, where the source package cannot be downloaded
#
# The exit status is 77, with the reason, if Debian or DPDK's source package cannot be downloaded.

set -u
# shellcheck source=devtools/lib.sh
. "$(dirname "$0")/lib.sh"

SUITE=trixie

skip() { printf 'SKIP: %s\n' "$*"; exit 77; }

case ${1:-} in
''|-*)
	sed -n '5,18s/^#[[:blank:]]\{0,1\}//p' "$0"
	[ "${1:-}" = -h ] || [ "${1:-}" = --help ] || exit 2
	exit 0 ;;
esac
DIR=$1
shift
[ "$(id -u)" -eq 0 ] || die "debootstrap and chroot need root"
# shellcheck disable=SC2016 # apt expands it
MIRROR=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' |
	head -n 1)}
[ -n "$MIRROR" ] || die "apt has no sources: set MIRROR"
MIRROR=${MIRROR%/}

# ---- the system ----

# A folder that debootstrap did not finish has no such file.
system_is_there() { [ -e "$DIR/etc/debian_version" ] && [ ! -d "$DIR/debootstrap" ]; }

system_install()
{
	local release=$MIRROR/dists/$SUITE/Release
	[ ! -d "$DIR" ] || [ -z "$(ls -A "$DIR")" ] || die "$DIR is neither empty nor of an earlier run"
	need_packages debootstrap wget
	wget -q -T 20 -t 2 -O /dev/null "$release" || skip "no answer from $release"
	mkdir -p "$DIR" || die "cannot create $DIR"
	run_quiet "debootstrap $SUITE" debootstrap --variant=minbase "$SUITE" "$DIR" "$MIRROR" ||
		die "debootstrap failed: see $DIR/debootstrap/debootstrap.log"
}

# The apt sources of a fresh installation. The source package of DPDK may come from an update.
sources_write()
{
	printf 'deb %s %s main\n' "$MIRROR" "$SUITE" "$MIRROR" "$SUITE-updates" \
		>"$DIR/etc/apt/sources.list"
}

# inside COMMAND...: run a command in the system. Its mounts and processes end with it.
inside()
{
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare --mount --pid --fork --kill-child sh -c '
		mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" &&
			mount --rbind /sys "$1/sys" && mount -t tmpfs tmpfs "$1/tmp" || exit 1
		dir=$1
		shift
		exec chroot "$dir" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 "$@"
	' sh "$DIR" "$@"
}

# ---- the tree ----

tree_copy()
{
	rm -rf "$DIR/root/vstate"
	mkdir -p "$DIR/root/vstate"
	git -C "$VSTATE_ROOT" ls-files -z -co --exclude-standard |
		tar -C "$VSTATE_ROOT" --null --files-from=- -cf - | tar -C "$DIR/root/vstate" -xf -
	[ -z "${VSTATE_DPDK_SOURCE:-}" ] || {
		rm -rf "$DIR/root/dpdk"
		mkdir -p "$DIR/root/dpdk"
		tar -C "$VSTATE_DPDK_SOURCE" -cf - VERSION lib drivers/bus/vdev |
			tar -C "$DIR/root/dpdk" -xf -
	}
}

# command_run NAME COMMAND...: run one of the two commands, with its output in NAME.log too.
command_run()
{
	local name=$1 source=()
	shift
	[ -z "${VSTATE_DPDK_SOURCE:-}" ] || source=(VSTATE_DPDK_SOURCE=/root/dpdk)
	inside "${source[@]}" sh -c 'cd /root/vstate && "$@"' sh "$@" 2>&1 | tee "$DIR/root/$name.log"
	return "${PIPESTATUS[0]}"
}

system_is_there || system_install
sources_write
cp /etc/resolv.conf "$DIR/etc/resolv.conf"
tree_copy
say "Debian $(cat "$DIR/etc/debian_version"): devtools/quickstart.sh"
if ! command_run quickstart devtools/quickstart.sh; then
	! grep -qE '^error: (no source package|the source package .* cannot be downloaded)' \
		"$DIR/root/quickstart.log" ||
		skip "$(sed -n 's/^error: //p' "$DIR/root/quickstart.log" | head -n 1)"
	die "quickstart.sh failed"
fi
say "Debian $(cat "$DIR/etc/debian_version"): devtools/test.sh $*"
command_run test devtools/test.sh "$@" || die "test.sh failed"
