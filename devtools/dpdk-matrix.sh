#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Build and test vstate with several DPDK releases, and print a matrix: one line for each release,
# one column for each test.
#
#	devtools/dpdk-matrix.sh [OPTION...] [NAME=]DIR...
#
# DIR is a DPDK source tree or the prefix of an installed DPDK. A source tree is built first, in
# DIR/build-vstate, with only what the tests need, and installed in DIR/build-vstate/prefix.
# NAME is printed in the matrix; the default is the version of DPDK.
#
#	--only COLUMN[,COLUMN...]	run only these columns (and build); "build" runs none
#	--list				print the names of the columns
#	-j N				jobs of each build (default: 2)
#	--rounds N			rounds of each "migrate" (default: 20)
#
# A prefix without the driver headers needs their source tree: VSTATE_DPDK_SOURCE=DIR.
#
# vstate is built in build-dpdk-NAME with -Dwerror=true. The logs are in its folder matrix-logs.
# The exit status is 0 if no cell is red.

set -u
# shellcheck source=devtools/lib.sh
. "$(dirname "$0")/lib.sh"

# What the tests need of DPDK.
DPDK_DRIVERS=bus/vdev,bus/pci,mempool/ring,net/virtio,net/null,net/ring,net/tap,net/vhost
DPDK_LIBS=cryptodev,dmadev,gso,gro,vhost,security

COLUMNS_ALL=(build unit conform hostile-net hostile-vdpa api fd file status dev-state vring-base
	inflight upgrade kill pair serve disk console cvq)
COLUMNS=("${COLUMNS_ALL[@]}")
JOBS=2
ROUNDS=20
RED=0
TABLE=()

usage() { sed -n '5,24s/^#[[:blank:]]\{0,1\}//p' "$0"; }

only_columns() # COLUMN[,COLUMN...]
{
	COLUMNS=(build)
	[ "$1" = build ] || IFS=, read -r -a COLUMNS <<<"build,$1"
}

parse_arguments()
{
	TREES=()
	while [ $# -gt 0 ]; do
		case $1 in
		--only) only_columns "${2:?}"; shift ;;
		--list) printf '%s\n' "${COLUMNS_ALL[@]}"; exit 0 ;;
		--rounds) ROUNDS=${2:?}; shift ;;
		-j) JOBS=${2:?}; shift ;;
		-h|--help) usage; exit 0 ;;
		-*) usage >&2; exit 2 ;;
		*) TREES+=("$1") ;;
		esac
		shift
	done
	[ ${#TREES[@]} -gt 0 ] || { usage >&2; exit 2; }
}

# ---- DPDK ----

is_source_tree() { [ -e "$1/VERSION" ] && [ -e "$1/meson.build" ]; }

# Print the folder of libdpdk.pc below prefix $1.
pkgconfig_dir()
{
	find "$1" -path '*/pkgconfig/libdpdk.pc' -printf '%h\n' 2>/dev/null | head -n 1
}

# A release before 23.11 cannot limit its libraries by -Denable_libs.
dpdk_configure() # TREE
{
	local options=()
	! grep -q "^option('enable_libs'" "$1/meson_options.txt" ||
		options=("-Denable_libs=$DPDK_LIBS")
	# The distribution's python first, because it has pyelftools.
	env "PATH=/usr/bin:$PATH" meson setup "$1/build-vstate" "$1" \
		"--prefix=$(realpath "$1")/build-vstate/prefix" --libdir=lib -Ddefault_library=shared \
		-Dplatform=generic -Denable_driver_sdk=true -Dtests=false -Denable_apps=test-pmd \
		"-Denable_drivers=$DPDK_DRIVERS" "${options[@]}"
}

# Build the source tree in $1 if that was not done before.
dpdk_build()
{
	local dir=$1/build-vstate
	[ -z "$(pkgconfig_dir "$dir/prefix")" ] || return 0
	[ -e "$dir/build.ninja" ] || dpdk_configure "$1" || return 1
	env "PATH=/usr/bin:$PATH" nice ninja -j "$JOBS" -C "$dir" && meson install -C "$dir"
}

# Use the DPDK in prefix $1 in all that follows.
dpdk_use()
{
	local pc lib
	pc=$(pkgconfig_dir "$1")
	[ -n "$pc" ] || { echo "no libdpdk.pc below $1"; return 1; }
	lib=$(dirname "$pc")
	export PKG_CONFIG_PATH=$pc LD_LIBRARY_PATH=$lib PATH=$1/bin:$PATH
}

# Build all, or with --only what the columns need: the unit tests are the larger part.
vstate_build()
{
	local source='' targets=(app/dpdk-test-vdpa drivers/librte_vdpa_vstate.so)
	driver_headers_installed || source=${VSTATE_DPDK_SOURCE:-}
	[ -e "$VSTATE_BUILD/build.ninja" ] ||
		meson setup "$VSTATE_BUILD" "$VSTATE_ROOT" -Dwerror=true "-Ddpdk_source=$source" || return 1
	[[ " ${COLUMNS[*]} " != *" unit "* ]] || targets=(all app/test/vhost-state-samples)
	nice ninja -j "$JOBS" -C "$VSTATE_BUILD" "${targets[@]}"
}

# ---- the columns ----

# scenario FILE [CASE...]: the cell is the number of cases that passed.
scenario()
{
	"$VSTATE_ROOT/tests/$1.sh" "${@:2}" </dev/null || return 1
	# A scenario whose cases are all skipped has exit status 77.
	CELL="$(grep -c '^PASS' "$LOG") ok"
}

migrate()
{
	"$VSTATE_BUILD/app/dpdk-test-vdpa" migrate --rounds "$ROUNDS" --queues 4 "$@" </dev/null
}

# Each ring, in one process and in two.
carrier() # CARRIER
{
	local ring
	for ring in split packed; do
		migrate --ring "$ring" --via "$1" && migrate --ring "$ring" --via "$1" --process || return 1
	done
}

upgrade()
{
	local ring
	for ring in split packed; do
		migrate --ring "$ring" --upgrade && migrate --ring "$ring" --upgrade=reconnect || return 1
	done
	# p50 and p99 of the first run, which keeps the connection
	CELL=$(awk '/^blackout/ { printf "%.1f/%.1f ms", $2 / 1000, $3 / 1000; exit }' "$LOG")
}

kills()
{
	local ring
	for ring in split packed; do
		migrate --ring "$ring" --kill || return 1
	done
	migrate --ring packed --kill --via inflight
}

unit_tests() { meson test -C "$VSTATE_BUILD" --no-rebuild --print-errorlogs; }

column() # NAME
{
	case $1 in
	unit) unit_tests ;;
	conform) scenario conformance ;;
	hostile-*) scenario hostile "${1#hostile-}" ;;
	dev-state) carrier device-state ;;
	upgrade) upgrade ;;
	kill) kills ;;
	pair) scenario testpmd_pair ;;
	disk) scenario migrate_blk ;;
	serve|console|cvq) scenario "$1" ;;
	*) carrier "$1" ;;
	esac
}

# cell NAME COMMAND...: run the command with its output in a log, and add its result to the line.
cell()
{
	local begin=$SECONDS rc=0
	LOG=$LOGS/$1.log CELL=ok
	"${@:2}" >"$LOG" 2>&1 || rc=$?
	if [ $rc -ne 0 ]; then
		CELL=RED
		RED=$((RED + 1))
		echo "    $1: RED after $((SECONDS - begin)) s, see $LOG" >&2
		grep -E '^FAIL|error:|ERROR|PANIC' "$LOG" | head -n 5 | sed 's/^/        /' >&2
	else
		echo "    $1: ${CELL:=ok} ($((SECONDS - begin)) s)" >&2
	fi
	LINE+=("$CELL")
	return $rc
}

# One release, in a subshell because of its environment. The line goes to the file $2.
release() # [NAME=]DIR FILE
{
	local dir=${1#*=} name='' prefix LINE=() LOG LOGS CELL
	case $1 in
	*=*) name=${1%%=*} ;;
	esac
	[ -d "$dir" ] || die "no directory $dir"
	prefix=$dir
	if is_source_tree "$dir"; then
		name=${name:-$(cat "$dir/VERSION")}
		prefix=$(realpath "$dir")/build-vstate/prefix
	else
		name=${name:-$(PKG_CONFIG_PATH=$(pkgconfig_dir "$dir") pkg-config --modversion libdpdk)}
	fi
	export VSTATE_BUILD=$VSTATE_ROOT/build-dpdk-$name
	LOGS=$VSTATE_BUILD/matrix-logs
	mkdir -p "$LOGS"
	say "DPDK $name" >&2
	printf '%s' "$name" >"$2"
	columns "$dir" "$prefix"
	printf '\t%s' "${LINE[@]}" >>"$2"
	return $RED
}

columns() # DIR PREFIX
{
	local c
	if is_source_tree "$1"; then
		dpdk_build "$1" >"$LOGS/dpdk.log" 2>&1 || { cell build false; return; }
	fi
	dpdk_use "$2" || { cell build false; return; }
	cell build vstate_build || return
	for c in "${COLUMNS[@]:1}"; do
		cell "$c" column "$c"
	done
}

print_matrix() # FILE...
{
	{ printf 'DPDK'; printf '\t%s' "${COLUMNS[@]}"; echo
	  for file; do cat "$file"; echo; done; } | column_align
}

column_align() { /usr/bin/python3 -c 'import sys
rows = [line.rstrip("\n").split("\t") for line in sys.stdin]
width = [max(len(r[i]) for r in rows if i < len(r)) for i in range(len(rows[0]))]
for row in rows:
    print("  ".join(cell.ljust(width[i]) for i, cell in enumerate(row)).rstrip())'; }

parse_arguments "$@"
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
for tree in "${TREES[@]}"; do
	file=$TMP/${#TABLE[@]}
	TABLE+=("$file")
	( release "$tree" "$file" ) || RED=$((RED + $?))
done
print_matrix "${TABLE[@]}"
[ $RED -eq 0 ] || die "$RED cells are red"
