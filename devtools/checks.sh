#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Checks that do not run the device: builds without warnings by gcc and clang, the
# scripts, the guides, and some rules of the source tree.

set -u
# shellcheck source=devtools/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$VSTATE_ROOT" || exit 1
FAILED=0

check() # WHAT COMMAND...
{
	local what=$1 out
	shift
	if out=$("$@" 2>&1); then
		echo "ok      $what"
	else
		echo "FAILED  $what"
		printf '%s\n' "$out" | head -n 40 | sed 's/^/        /'
		FAILED=$((FAILED + 1))
	fi
}

files() { git ls-files -co --exclude-standard -- "$@"; }
scripts() { files '*.sh' .ci/run; }

warning_free() # COMPILER
{
	local dir=build-check-$1
	rm -rf "$dir"
	CC=$1 meson setup "$dir" "-Ddpdk_source=$DPDK_SOURCE" --werror && ninja -C "$dir"
	local rc=$?
	rm -rf "$dir"
	return $rc
}

# Fail if a line matches.
none_match() # REGEX PATHSPEC...
{
	local regex=$1
	shift
	! files "$@" | xargs -r grep -nE -- "$regex"
}

spdx_everywhere()
{
	local file rc=0
	while read -r file; do
		head -n 3 "$file" | grep -q 'SPDX-License-Identifier: BSD-3-Clause' ||
			{ echo "$file"; rc=1; }
	done < <(files '*.c' '*.h' '*.sh' '*.py' '*.build' '*.rst' '*.txt' .ci/run | grep -v '^LICENSE/')
	return $rc
}

# A tab counts as eight columns. Lines with a string may be longer, so that it can be found by grep.
lines_of_100()
{
	local file rc=0
	while read -r file; do
		expand "$file" | awk -v f="$file" 'length > 100 && !/"/ { print f ":" NR; rc = 1 } END { exit rc }' || rc=1
	done < <(files '*.c' '*.h')
	return $rc
}

version_differences_in_one_place()
{
	none_match '^#.*(RTE_VERSION|RTE_VER_|rte_version)' '*.c' '*.h' ':!config/vstate_compat.h'
}

# What a DPDK tree forbids by its devtools/checkpatches.sh: compilers' extensions and threads that go
# past EAL.
dpdk_forbids_nothing()
{
	local tokens='__sync_|__atomic_|__ATOMIC_[A-Z]|\<rte_smp_[rw]?mb\(|__attribute__|__builtin_|'
	tokens+='\<__rte_always_inline\>|\<RTE_LOG_REGISTER\>|%l+[xud]|'
	tokens+='\<pthread_(create|join|detach|set_?name_np|setaffinity_np|attr_set)'
	none_match "$tokens" 'app/*.[ch]' 'drivers/*.[ch]' 'lib/*.[ch]' && variables_aligned_by_c11
}

# DPDK's macros are for structures. A variable has alignas().
variables_aligned_by_c11()
{
	! files 'app/*.[ch]' 'drivers/*.[ch]' 'lib/*.[ch]' |
		xargs grep -nE '\<__rte_(cache_|cache_min_)?aligned\>' |
		grep -vE '\<(struct|union)[[:space:]]*__rte_'
}

# The suites of DTS need DPDK's framework to run, but not to be read.
python_parses()
{
	files '*.py' | xargs python3 -c 'import ast, sys
for name in sys.argv[1:]:
    ast.parse(open(name, encoding="utf-8").read(), name)'
}

guides_build()
{
	sphinx-build -q -W -b html doc/guides build-check-guides
	local rc=$?
	rm -rf build-check-guides
	return $rc
}

# The comments of the library's header are complete.
api_reference_builds()
{
	local dir rc
	dir=$(mktemp -d)
	sed "s|@VERSION@||; s|@TOPDIR@|$PWD|; s|@OUTPUT@|$dir|; s|@WARN_AS_ERROR@|YES|" \
		doc/api/doxy-api.conf.in >"$dir/conf"
	doxygen "$dir/conf"
	rc=$?
	rm -rf "$dir"
	return $rc
}

# The headers of other machines are in DPDK's source tree only.
other_machines()
{
	[ -n "$DPDK_SOURCE" ] || { echo "skipped: DPDK's source tree is not known"; return 0; }
	VSTATE_DPDK_SOURCE=$DPDK_SOURCE devtools/cross.sh
}

need_packages "${BUILD_PACKAGES[@]}" clang shellcheck codespell python3-sphinx python3-sphinx-rtd-theme doxygen
need_driver_headers
check "gcc, no warning" warning_free gcc
check "clang, no warning" warning_free clang
# shellcheck disable=SC2046
check "shellcheck" shellcheck -x $(scripts)
check "SPDX lines" spdx_everywhere
check "lines of C up to 100 columns" lines_of_100
check "trailing blanks" none_match '[[:blank:]]+$' '*.c' '*.h' '*.sh' '*.py' '*.rst' '*.md' '*.build'
check "layers" devtools/check-layers.sh
check "other machines" other_machines
check "DPDK releases differ in config/vstate_compat.h only" version_differences_in_one_place
check "no token that a DPDK tree forbids" dpdk_forbids_nothing
# shellcheck disable=SC2046
check "spelling" codespell -q 3 -L 'te,inout,nd,ypes,inflight,fro' $(files '*.c' '*.h' '*.sh' '*.rst' '*.md')
check "Python" python_parses
check "lines of DTS suites up to 100 columns" none_match '.{101}' 'dts/*.py'
check "guides" guides_build
check "API reference" api_reference_builds
[ $FAILED -eq 0 ] || die "$FAILED checks failed"
