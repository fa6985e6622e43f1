# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Shared by the scripts of devtools and by the scenario tests: packages, DPDK's driver
# headers, the build. This file is sourced, not run.

VSTATE_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
VSTATE_CACHE=${VSTATE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/vstate}

# Packages for a build, and more packages for the tests. pyelftools: for the strings that
# dpdk-pmdinfo.py prints.
BUILD_PACKAGES=(gcc libc6-dev pkg-config meson ninja-build libdpdk-dev dpdk libcmocka-dev
	libjansson-dev zlib1g-dev liburing-dev python3-pyelftools dpkg-dev xz-utils ca-certificates)
TEST_PACKAGES=(clang libclang-rt-dev dpdk-dev procps iproute2 qemu-system-x86 busybox-static cpio spin
	babeltrace2 sg3-utils)

say() { printf '==> %s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# run_quiet WHAT COMMAND...: print a line before the command and its seconds after it, and the
# output of the command only if it fails. On a terminal the seconds count up while it runs.
run_quiet()
{
	local what=$1 log rc=0 begin=$SECONDS ticker=
	shift
	log=$(mktemp) || die "cannot create a temporary log file"
	printf '==> %s ... ' "$what"
	if [ -t 1 ]; then
		( while sleep 1; do printf '\r==> %s ... %d s ' "$what" $((SECONDS - begin)); done ) &
		ticker=$!
	fi
	"$@" >"$log" 2>&1 </dev/null || rc=$?
	if [ -n "$ticker" ]; then
		kill "$ticker" 2>/dev/null
		wait "$ticker" 2>/dev/null
		printf '\r==> %s ... ' "$what"
	fi
	if [ $rc -eq 0 ]; then
		printf 'done (%d s)\n' $((SECONDS - begin))
	else
		printf 'failed (exit status %d)\n' $rc
		tail -n 40 "$log" | sed 's/^/    /' >&2
	fi
	rm -f "$log"
	return $rc
}

as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "this needs root, and there is no sudo: $*"
	fi
}

is_installed()
{
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Debian renamed the package of pkg-config; both provide the command.
package_is_there()
{
	is_installed "$1" || { [ "$1" = pkg-config ] && command -v pkg-config >/dev/null; }
}

# need_packages NAME...: install missing packages; change nothing if none is missing.
need_packages()
{
	local name missing=()
	command -v dpkg-query >/dev/null || {
		warn "not a Debian system: packages cannot be checked; these must be installed: $*"
		return 0
	}
	for name in "$@"; do
		package_is_there "$name" || missing+=("$name")
	done
	if [ ${#missing[@]} -eq 0 ]; then
		say "packages: all $# are installed"
		return 0
	fi
	say "packages: missing ${missing[*]}"
	run_quiet "apt-get update" as_root apt-get -q update || warn "the package lists may be old; continuing with them"
	run_quiet "apt-get install" as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -y --no-install-recommends install "${missing[@]}" ||
		die "could not install: ${missing[*]}"
}

# True if DPDK is installed with its headers for drivers.
driver_headers_installed()
{
	local dir
	for dir in $(pkg-config --cflags-only-I libdpdk | sed 's/-I//g') /usr/include /usr/local/include; do
		[ -e "$dir/vdpa_driver.h" ] && [ -e "$dir/bus_vdev_driver.h" ] && return 0
	done
	return 1
}

# private_sources DIR: write the user's apt sources to DIR, changed to source-code sources.
private_sources()
{
	local to=$1 f list=/etc/apt/sources.list parts=/etc/apt/sources.list.d
	eval "$(apt-config shell list Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
	rm -rf "$to"
	mkdir -p "$to"
	for f in "$list" "${parts%/}"/*.list; do
		[ -r "$f" ] || continue
		sed -nE 's/^[[:space:]]*deb(-src)?[[:space:]]+/deb-src /p' "$f" | sort -u \
			>"$to/$(basename "$f" .list).list"
	done
	for f in "${parts%/}"/*.sources; do
		[ -r "$f" ] || continue
		awk 'BEGIN { RS = ""; ORS = "\n\n" }
		     tolower($0) !~ /(^|\n)enabled:[ \t]*(no|false|0)/ {
			gsub(/(^|\n)[Tt]ypes:[^\n]*/, "\nTypes: deb-src"); print }' "$f" \
			>"$to/$(basename "$f")"
	done
}

# private_apt DIR COMMAND...: run apt-get with its lists and cache in DIR only.
private_apt()
{
	local dir=$1
	shift
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	# apt's sandbox user may have no access to DIR, so downloads run as this user.
	apt-get -q -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$dir/sources.list.d" \
		-o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir/cache" \
		-o "APT::Sandbox::User=$(id -un)" -o Acquire::Languages=none "$@"
}

# Print version $1 if the archive has it, else its newest version of the upstream version $2.
pick_source_version()
{
	local exact=$1 upstream=$2 have
	have=$(private_apt "$3" --print-uris -o APT::Get::Download-Only=true source "dpdk=$exact" \
		2>/dev/null) && [ -n "$have" ] && { echo "$exact"; return 0; }
	apt-cache -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$3/sources.list.d" \
		-o "Dir::State::Lists=$3/lists" -o "Dir::Cache=$3/cache" showsrc dpdk 2>/dev/null |
		sed -n 's/^Version: //p' | grep -E "^${upstream//./\\.}[.~-]" | sort -Vr | head -n 1
}

# End with the reason $1 and with what the user can do. $2 is the version of the installed DPDK.
no_driver_headers()
{
	local release
	release=$(cut -d. -f1-2 <<<"$2")
	die "$1.
       Get the sources of any DPDK $release (https://fast.dpdk.org/rel/), unpack them, and repeat the
       command with VSTATE_DPDK_SOURCE=DIR in its environment. DIR is the unpacked folder."
}

# Download the DPDK source package of version $2 and unpack its headers into $1.
download_driver_headers()
{
	local to=$1 version=$2 dir=$VSTATE_CACHE/apt tmp got tarball
	mkdir -p "$dir"
	private_sources "$dir/sources.list.d"
	run_quiet "downloading the lists of source packages" private_apt "$dir" update ||
		warn "apt could not read every source; continuing with the others"
	got=$(pick_source_version "$version" "$(cut -d. -f1-2 <<<"$version")" "$dir")
	[ -n "$got" ] || no_driver_headers "no source package dpdk $version in your apt sources" "$version"
	[ "$got" = "$version" ] || warn "the archive has no source package $version any more; using $got of the same release"
	tmp=$(mktemp -d "$VSTATE_CACHE/unpack.XXXXXX")
	# apt checks the signature of the lists, and the tarball's hash against the lists.
	( cd "$tmp" && run_quiet "downloading the source package dpdk $got" \
		private_apt "$dir" --download-only source "dpdk=$got" ) ||
		{ rm -rf "$tmp"; no_driver_headers "the source package dpdk $got cannot be downloaded" "$version"; }
	tarball=$(find "$tmp" -name 'dpdk_*.orig.tar.*' ! -name '*.asc' | head -n 1)
	mkdir "$tmp/tree"
	run_quiet "unpacking its headers" tar -C "$tmp/tree" --strip-components=1 --wildcards \
		-xf "$tarball" '*/VERSION' '*/lib/*.h' '*/drivers/bus/vdev/*.h' ||
		{ rm -rf "$tmp"; die "the source package dpdk $got lacks the expected headers"; }
	rm -rf "$to"
	mv "$tmp/tree" "$to"
	rm -rf "$tmp" "$dir"
}

# Set DPDK_SOURCE to a tree with the driver headers, or to "" if they are installed.
need_driver_headers()
{
	local version
	DPDK_SOURCE=${VSTATE_DPDK_SOURCE:-${DPDK_SOURCE:-}}
	pkg-config --exists libdpdk || die "pkg-config does not find libdpdk: install libdpdk-dev or set PKG_CONFIG_PATH"
	if [ -n "$DPDK_SOURCE" ]; then
		say "driver headers: from $DPDK_SOURCE"
		return 0
	fi
	if driver_headers_installed; then
		say "driver headers: installed with DPDK $(pkg-config --modversion libdpdk)"
		return 0
	fi
	version=$(dpkg-query -W -f '${source:Version}' libdpdk-dev 2>/dev/null) ||
		die "DPDK $(pkg-config --modversion libdpdk) has no driver headers and is not Debian's; \
build it with -Denable_driver_sdk=true or set VSTATE_DPDK_SOURCE to its source tree"
	DPDK_SOURCE=$VSTATE_CACHE/dpdk-$version
	if [ -e "$DPDK_SOURCE/lib/vhost/vdpa_driver.h" ]; then
		say "driver headers: of dpdk $version, downloaded before"
		return 0
	fi
	say "driver headers: no Debian package has them; using the source package dpdk $version"
	download_driver_headers "$DPDK_SOURCE" "$version"
}

# build DIR [MESON OPTION...]: configure at the first call, then compile the changes.
build()
{
	local dir=$VSTATE_ROOT/$1 name=$1
	shift
	if [ ! -e "$dir/build.ninja" ]; then
		run_quiet "meson setup $name" meson setup "$dir" "$VSTATE_ROOT" \
			"-Ddpdk_source=$DPDK_SOURCE" "$@" || die "meson failed: see $name/meson-logs"
	else
		meson configure "$dir" "-Ddpdk_source=$DPDK_SOURCE" "$@" >/dev/null ||
			die "meson configure failed; remove $name and try again"
	fi
	# The samples are built by no default target, and meson 1.7 does not build them for its tests.
	run_quiet "ninja -C $name" ninja -C "$dir" all app/test/vhost-state-samples || die "the build failed: see the output above"
}

# Report the hugepages. If there are none, root reserves 256 MiB if enough memory is available.
offer_hugepages()
{
	local nr=/proc/sys/vm/nr_hugepages free_kb want=128
	if awk '/^HugePages_Free/ { exit !($2 > 0) }' /proc/meminfo; then
		say "hugepages: $(awk '/^HugePages_Free/ { print $2 }' /proc/meminfo) are free"
		return 0
	fi
	free_kb=$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo)
	if [ -w $nr ] && [ "$(cat $nr)" = 0 ] && [ "$free_kb" -gt 4194304 ] &&
			grep -q hugetlbfs /proc/mounts && echo $want 2>/dev/null >$nr; then
		say "hugepages: reserved $(cat $nr) (give them back: echo 0 > $nr)"
	else
		say "hugepages: none; they are not needed"
	fi
}
