#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Put the library, the driver, the tool, the guides and the suites of DTS into a DPDK source tree (25.07
# or later), run the tree's own checks on them, build DPDK with them, shared and static, and move a
# device with each build.
#
#	devtools/in-tree.sh [--all] [--doc] [--copy-only] [-j N] DIR
#
# DIR is a DPDK source tree. It is changed: four folders, one header, the guides, the suites (25.11), and
# an entry in each of DPDK's lists. A second run updates them. The build is in DIR/build-in-tree, or with
# CC in DIR/build-in-tree-CC. It is shared first; what differs is then linked again for static.
#
#	--all		build all of DPDK, not only what vstate needs
#	--doc		build DPDK's guides and API reference too (Sphinx and doxygen)
#	--copy-only	check, but do not build
#	-j N		jobs of the builds (default: 2)
#
# checkpatches.sh runs if DPDK_CHECKPATCH_PATH is the kernel's checkpatch.pl.

set -u
# shellcheck source=devtools/lib.sh
. "$(dirname "$0")/lib.sh"

DRIVERS=bus/vdev,bus/pci,mempool/ring,net/virtio,net/null,net/ring,vdpa/vstate
LIBS=cryptodev,dmadev,gso,gro,vhost,security,vhost_state
ALL='' DOC='' COPY_ONLY='' JOBS=2 TREE=

usage() { sed -n '5,22s/^#[[:blank:]]\{0,1\}//p' "$0"; }

while [ $# -gt 0 ]; do
	case $1 in
	--all) ALL=1 ;;
	--doc) DOC=1 ;;
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
DIR=$TREE/build-in-tree${CC:+-$(tr -c '[:alnum:]\n' - <<<"$CC")}

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

# Print the pages of a folder of the guides, in their order.
guide_pages() { sed -n '/toctree/,$s/^   \([a-z][a-z0-9_]*\)$/\1/p' "$VSTATE_ROOT/$1/index.rst"; }

# guide_add FOLDER AFTER: copy all pages of the folder, and list them after DPDK's page AFTER.
guide_add()
{
	local folder=doc/guides/$1 after=$2 page
	for page in $(guide_pages "$folder"); do
		cp "$VSTATE_ROOT/$folder/$page.rst" "$TREE/$folder/"
		grep -q "^ *$page\$" "$TREE/$folder/index.rst" ||
			sed -i "s|^\( *\)$after\$|&\n\1$page|" "$TREE/$folder/index.rst"
		grep -q "^ *$page\$" "$TREE/$folder/index.rst" ||
			die "$folder/index.rst has no entry '$after'"
		after=$page
	done
}

guides_fill()
{
	local folder
	guide_add vdpadevs sfc
	guide_add prog_guide vhost_lib
	guide_add howto telemetry
	guide_add tools testmldev
	mkdir -p "$TREE/doc/guides/vdpadevs/img"
	cp "$VSTATE_ROOT"/doc/guides/vdpadevs/img/* "$TREE/doc/guides/vdpadevs/img/"
	for folder in vdpadevs nics; do
		cp "$VSTATE_ROOT/doc/guides/$folder/features/vstate.ini" \
			"$TREE/doc/guides/$folder/features/"
	done
}

# text_insert FILE REGEX: insert the standard input before the first line that matches.
text_insert()
{
	local new
	new=$(mktemp)
	TEXT=$(cat; echo .) REGEX=$2 awk '!done && $0 ~ ENVIRON["REGEX"] {
		printf "%s", substr(ENVIRON["TEXT"], 1, length(ENVIRON["TEXT"]) - 2); done = 1 }
		{ print }' "$1" >"$new" && cat "$new" >"$1"
	rm -f "$new"
}

# The API reference, the release notes of this release, and the maintainers.
lists_fill()
{
	local notes maintainer
	notes=$TREE/doc/guides/rel_notes/release_$(cut -d. -f1,2 --output-delimiter=_ "$TREE/VERSION").rst
	maintainer=$(git -C "$VSTATE_ROOT" log -1 --format='%an <%ae>')
	grep -q lib/vhost_state "$TREE/doc/api/doxy-api.conf.in" ||
		sed -i 's|@TOPDIR@/lib/vhost$|& \\\n                          @TOPDIR@/lib/vhost_state|' \
			"$TREE/doc/api/doxy-api.conf.in"
	grep -q rte_vhost_state.h "$TREE/doc/api/doxy-api-index.md" ||
		sed -i 's|^  \[vdpa\](@ref rte_vdpa.h),|&\n  [vhost_state](@ref rte_vhost_state.h),\n  [vhost_state_backend](@ref rte_vhost_state_backend.h),\n  [vhost_state_class](@ref rte_vhost_state_class.h),\n  [vhost_state_control](@ref rte_vhost_state_control.h),|' \
			"$TREE/doc/api/doxy-api-index.md"
	grep -q 'vstate' "$notes" || text_insert "$notes" '^[*] ' <<-'EOF'
		* **Added vstate, a software vDPA driver with moveable state.**

		  Added the vDPA driver ``vstate``, the library ``vhost_state`` for the state of virtio devices,
		  and the tool ``dpdk-test-vdpa``. See the :doc:`../vdpadevs/vstate` guide.

	EOF
	grep -q '^vstate$' "$TREE/MAINTAINERS" || text_insert "$TREE/MAINTAINERS" '^Xilinx sfc vDPA' <<-EOF
		vstate
		M: $maintainer
		F: app/test-vdpa/
		F: config/vstate_compat.h
		F: drivers/vdpa/vstate/
		F: dts/api/vstate/
		F: dts/configurations/vstate_tests_config.yaml
		F: dts/tests/TestSuite_vstate_*.py
		F: lib/vhost_state/
		$(cd "$VSTATE_ROOT" && find doc/guides/{vdpadevs,prog_guide,howto,tools,nics} -type f \
			! -name index.rst | sort | sed 's/^/F: /')

	EOF
}

# The suites of DTS and what they share. An older DTS cannot import them.
dts_fill()
{
	grep -qs 'def write_performance_json' "$TREE/dts/api/test.py" || return 0
	folder_put dts/api/vstate
	cp "$VSTATE_ROOT"/dts/tests/TestSuite_vstate_*.py "$TREE/dts/tests/"
	cp "$VSTATE_ROOT/dts/configurations/vstate_tests_config.yaml" "$TREE/dts/configurations/"
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
	dts_fill
	guides_fill
	lists_fill
}

# ---- the tree's own checks ----

# Print all of vstate as one patch of new files.
tree_patch()
{
	local file
	printf 'From: vstate\nSubject: [PATCH] vdpa/vstate: add driver\n\n---\n'
	( cd "$TREE" && find app/test-vdpa drivers/vdpa/vstate lib/vhost_state -type f | sort |
		while read -r file; do
			git diff --no-index --src-prefix=a/ --dst-prefix=b/ /dev/null "$file"
		done )
}

# Fail if the tree's check prints a line about vstate.
check_lines() # SCRIPT [ARGUMENT...]
{
	! ( cd "$TREE" && "$@" 2>&1 ) | grep -v '^build' | grep -E 'vstate|vhost_state|test-vdpa'
}

# The part of checkpatches.sh that needs no checkpatch.pl: tokens that are forbidden.
forbidden_tokens()
{
	local patch rc=0
	patch=$(mktemp)
	tree_patch >"$patch"
	( cd "$TREE" && sed -n "/^check_[a-z_]*() {/,/^}/p" devtools/checkpatches.sh |
		sed "s|\$(dirname \$(readlink -f \$0))|$TREE/devtools|" >"$patch.sh" &&
		sh -c '. "$1"; rc=0
			for check in forbidden_additions experimental_tags internal_tags aligned_attributes \
					packed_attributes; do
				"check_$check" "$2" || rc=1
			done
			exit $rc' sh "$patch.sh" "$patch" ) || rc=1
	rm -f "$patch" "$patch.sh"
	return $rc
}

checkpatch()
{
	local patch rc=0
	patch=$(mktemp)
	tree_patch >"$patch"
	( cd "$TREE" && DPDK_CHECKPATCH_CODESPELL=no devtools/checkpatches.sh "$patch" ) || rc=1
	rm -f "$patch"
	return $rc
}

tree_check()
{
	run_quiet "check-meson.py" check_lines python3 devtools/check-meson.py ||
		die "check-meson.py failed"
	run_quiet "check-maintainers.sh" check_lines devtools/check-maintainers.sh ||
		die "check-maintainers.sh failed"
	run_quiet "forbidden tokens of checkpatches.sh" forbidden_tokens ||
		die "there are forbidden tokens"
	if [ -x "${DPDK_CHECKPATCH_PATH:-}" ]; then
		run_quiet "checkpatches.sh" checkpatch || die "checkpatches.sh failed"
	else
		say "checkpatches.sh: skipped, because DPDK_CHECKPATCH_PATH is not checkpatch.pl"
	fi
}

# ---- the builds ----

configure() # KIND
{
	# shellcheck disable=SC2054 # the commas belong to the options
	local dir=$DIR options=(-Dtests=false "-Denable_drivers=$DRIVERS" "-Denable_libs=$LIBS"
		-Denable_apps=test-pmd,test-vdpa)
	[ -z "$ALL" ] || options=()
	# The distribution's python first, because it has pyelftools.
	if [ -e "$dir/build.ninja" ]; then
		env "PATH=/usr/bin:$PATH" meson configure "$dir" "-Ddefault_library=$1" \
			-Dcheck_includes=true
	else
		env "PATH=/usr/bin:$PATH" meson setup "$dir" "$TREE" -Dwerror=true -Dcheck_includes=true -Dplatform=generic \
			"-Ddefault_library=$1" "${options[@]}"
	fi
}

tree_build() # KIND
{
	local dir=$DIR
	run_quiet "$1: meson" configure "$1" || die "meson failed: see $dir/meson-logs"
	run_quiet "$1: ninja" env "PATH=/usr/bin:$PATH" nice ninja -j "$JOBS" -C "$dir" ||
		die "the $1 build failed: repeat it by ninja -C $dir"
}

# The tool moves a device between two processes. A static testpmd has the driver without -d.
tree_try() # KIND
{
	local dir=$DIR socket plugins=()
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

# Warnings are errors. The targets are DPDK's guides and its API reference, in HTML.
tree_doc()
{
	run_quiet "guides and API reference" env "PATH=/usr/bin:$PATH" nice ninja -j "$JOBS" -C "$DIR" \
		doc/guides/html doc/api/html || die "the documentation failed"
}

tree_fill
say "DPDK $(cat "$TREE/VERSION") has vstate now: $TREE"
tree_check
[ -z "$COPY_ONLY" ] || exit 0
for kind in shared static; do
	tree_build "$kind"
	tree_try "$kind"
done
[ -z "$DOC" ] || tree_doc
