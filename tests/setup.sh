#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Set-up: a clean clone below a world-writable directory, meson's errors if something is
# missing, and the files that "meson install" installs.

# shellcheck source=tests/lib/harness.sh
. "$(dirname "$0")/lib/harness.sh"

# Run a meson setup that must fail; print its error.
meson_refuses() # MESON-OPTION...
{
	! env -u DPDK_SOURCE meson setup "$W/b" "$VSTATE_ROOT" "$@" >"$W/meson.out" 2>&1 ||
		fail "meson setup succeeds"
	grep 'ERROR' "$W/meson.out"
}

case_meson_without_dpdk()
{
	local said
	mkdir "$W/none"
	said=$(PKG_CONFIG_LIBDIR=$W/none PKG_CONFIG_PATH='' meson_refuses) || fail "no ERROR line"
	expect_match "message" "$said" 'DPDK'
	expect_match "message" "$said" 'libdpdk-dev'
	measured "${said##*ERROR: }"
}

case_meson_without_driver_headers()
{
	local said
	! driver_headers_installed || skip "this DPDK is installed with its driver headers"
	said=$(meson_refuses -Ddpdk_source=) || fail "no ERROR line"
	expect_match "message" "$said" 'dpdk_source'
	measured "${said##*ERROR: }"
}

case_meson_with_wrong_source()
{
	local said
	said=$(meson_refuses "-Ddpdk_source=$W") || fail "no ERROR line"
	expect_match "message" "$said" "$W"
	measured "${said##*ERROR: }"
}

# The sources of another stable version of the same release have the same driver headers.
case_meson_with_other_stable_source()
{
	local other
	! driver_headers_installed || skip "this DPDK is installed with its driver headers"
	need_driver_headers >/dev/null
	mkdir "$W/source"
	ln -s "$DPDK_SOURCE"/* "$W/source/"
	rm "$W/source/VERSION"
	other=$(cut -d. -f1-2 "$DPDK_SOURCE/VERSION").99
	echo "$other" >"$W/source/VERSION"
	meson setup "$W/b" "$VSTATE_ROOT" "-Ddpdk_source=$W/source" >"$W/meson.out" 2>&1 ||
		fail "meson setup: $(grep ERROR "$W/meson.out")"
	expect_match "warning" "$(grep WARNING "$W/meson.out")" "is DPDK ${other//./\\.}"
	measured "$(grep -m 1 -o 'dpdk_source=.*' "$W/meson.out" | sed "s|$W/||")"
}

# Without the source package the error names the way out, and the way out works.
case_no_source_package()
{
	! ( private_sources() { :; }; private_apt() { :; }; pick_source_version() { :; }
	    download_driver_headers "$W/none" 22.11.99-1 ) >"$W/setup.out" 2>&1 ||
		fail "no error without a source package"
	expect_match "advice" "$(cat "$W/setup.out")" 'VSTATE_DPDK_SOURCE=DIR'
	( VSTATE_DPDK_SOURCE=$W/given; need_driver_headers >/dev/null; echo "$DPDK_SOURCE" ) \
		>"$W/given.out"
	expect_match "driver headers" "$(cat "$W/given.out")" "^$W/given\$"
	measured "$(grep -m 1 'error:' "$W/setup.out")"
}

apt_configuration() { find /etc/apt -type f -exec sha256sum {} + | sort; }

# A clone below a directory from which EAL refuses to load plugins, set up as the README says.
case_clean_clone()
{
	local begin apt clone=$W/anybody/vstate
	git -C "$VSTATE_ROOT" rev-parse HEAD >/dev/null 2>&1 || skip "not a git work tree"
	mkdir -m 1777 "$W/anybody"
	git clone -q --no-hardlinks "$VSTATE_ROOT" "$clone" || fail "git clone"
	apt=$(apt_configuration)
	begin=$SECONDS
	unset VSTATE_BUILD
	"$clone/devtools/quickstart.sh" >"$W/first.out" 2>&1 || fail "quickstart: exit status $?"
	expect_match "report" "$(cat "$W/first.out")" '^lost +0$'
	expect_match "report" "$(cat "$W/first.out")" '^rounds +100$'
	[ "$apt" = "$(apt_configuration)" ] || fail "the configuration of apt was changed"
	measured "from the clone to the report $((SECONDS - begin)) s"
	begin=$SECONDS
	"$clone/devtools/quickstart.sh" --rounds 1 --queues 1 >"$W/second.out" 2>&1 ||
		fail "second run: exit status $?"
	expect "seconds of a second run" $((SECONDS - begin)) -lt 20
	measured "a second run $((SECONDS - begin)) s"
	"$clone/tests/testpmd_pair.sh" split >"$W/pair.out" 2>&1 || fail "testpmd from the clone"
	[ -z "$(git -C "$clone" status --porcelain)" ] || fail "the clone has new files that git does not ignore"
}

installed() # PATTERN: print the first path below the destination that matches
{
	local found
	found=$(cd "$W/root" && find . -path "./$1" | head -n 1)
	[ -n "$found" ] || fail "not installed: $1"
	printf '%s\n' "$W/root/${found#./}"
}

# Print the directory from which EAL loads drivers without -d.
dpdk_plugin_dir()
{
	# shellcheck disable=SC2046
	echo RTE_EAL_PMD_PATH | gcc -E -P $(pkg-config --cflags libdpdk) -include rte_build_config.h - |
		tail -n 1 | tr -d '" '
}

# testpmd finds the driver without -d. An overlay shows the installed files to this process only,
# so that the system does not change.
found_by_testpmd()
{
	[ "$(id -u)" -eq 0 ] || return 0
	eal_options 256
	sanitizer_environment
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount -t overlay overlay -o "lowerdir=$1/usr:/usr" /usr && shift && exec "$@"' \
		sh "$W/root" env LD_LIBRARY_PATH="$(dirname "$lib" | sed "s|^$W/root||")" \
		"${SANITIZER[@]}" timeout 20 dpdk-testpmd "${EAL[@]}" --vdev "net_vstate0,iface=$W/s" -- \
		--total-num-mbufs=4096 --tx-first --stats-period 1 </dev/null >"$W/testpmd.out" 2>&1 &
	local pid=$!
	echo "$pid" >>"$W/pids"
	wait_for 15 has testpmd 'NIC statistics for port 0' ||
		fail "testpmd did not find the installed driver"
	kill "$pid"
	measured "testpmd finds the driver without -d"
}

case_install()
{
	local plugins lib header pc tool
	DESTDIR=$W/root meson install -C "$VSTATE_BUILD" --no-rebuild >"$W/install.out" 2>&1 ||
		fail "meson install"
	plugins=$(dpdk_plugin_dir)
	installed "${plugins#/}/librte_vdpa_vstate.so" >/dev/null
	lib=$(installed '*/librte_vhost_state.so')
	header=$(installed '*/include/*rte_vhost_state.h')
	pc=$(installed '*/pkgconfig/*vhost_state.pc')
	tool=$(installed '*/bin/dpdk-test-vdpa')
	installed '*/man/man?/dpdk-test-vdpa.?*' >/dev/null
	links_with "$pc" "$lib"
	installed '*/doc/vstate/guides/vdpadevs/vstate.*' >/dev/null
	LD_LIBRARY_PATH=$(dirname "$lib") "$tool" --help >"$W/help.out" 2>&1 || fail "the tool's --help"
	expect_match "--help" "$(cat "$W/help.out")" migrate
	found_by_testpmd
	measured "$(cd "$W/root" && find . -type f | wc -l) files; a program links by $(basename "$pc")"
	[ -s "$header" ] || fail "empty header"
}

# Below a prefix of the user's own the tool finds the library and the plugin, without ldconfig.
case_install_prefix()
{
	local to tool
	to=$(mktemp -d "$VSTATE_CACHE/prefix.XXXXXX") || fail "cannot create a prefix"
	echo "$to" >>"$W/plugins"
	need_driver_headers >/dev/null
	{ meson setup "$W/b" "$VSTATE_ROOT" "-Ddpdk_source=$DPDK_SOURCE" "--prefix=$to" -Dtests=false \
		-Dbuildtype=debug && ninja -C "$W/b" && meson install -C "$W/b"; } >"$W/install.out" 2>&1 ||
		fail "meson install --prefix"
	[ -n "$(find "$to" -name librte_vdpa_vstate.so)" ] || fail "the plugin is not below the prefix"
	tool=$to/bin/dpdk-test-vdpa
	env -u LD_LIBRARY_PATH -u VSTATE_PLUGIN "$tool" migrate --rounds 2 >"$W/tool.out" 2>&1 ||
		fail "the installed tool: exit status $?"
	measured "$(cd "$to" && find . -type f | wc -l) files below the prefix, 2 rounds by the tool"
}

# dpdk-pmdinfo.py prints the drivers of the plugin and their parameters.
case_pmdinfo()
{
	command -v dpdk-pmdinfo.py >/dev/null || skip "no dpdk-pmdinfo.py"
	dpdk-pmdinfo.py "$VSTATE_BUILD/drivers/librte_vdpa_vstate.so" >"$W/info" || fail "exit status $?"
	/usr/bin/python3 - "$W/info" >"$W/names.out" <<-'END' || fail "a driver or a parameter is missing"
	import json, sys
	params = {d["name"]: d["params"].split() for d in json.load(open(sys.argv[1]))}
	assert "iface=<path>" in params["net_vstate"], params
	assert "queues=<1-64>" in params["vdpa_vstate"], params
	print(", ".join(f"{name} {len(p)} parameters" for name, p in sorted(params.items())))
	END
	measured "$(cat "$W/names.out")"
}

# A program is built with the flags of the pkg-config file only.
links_with() # PC LIBRARY
{
	local flags name
	name=$(basename "$1" .pc)
	cat >"$W/user.c" <<-'END'
	#include <stdio.h>
	#include <rte_vhost_state.h>
	int main(void)
	{
		puts(rte_vhost_state_reason_name(RTE_VHOST_STATE_R_BAD_MAGIC));
		return 0;
	}
	END
	mkdir "$W/pc"
	sed "s|^prefix=|prefix=$W/root|" "$1" >"$W/pc/$name.pc"
	flags=$(PKG_CONFIG_PATH=$W/pc pkg-config --cflags --libs "$name") || fail "pkg-config $name"
	# shellcheck disable=SC2086
	gcc -DALLOW_EXPERIMENTAL_API ${VSTATE_SANITIZE:+-fsanitize=address,undefined} \
		-o "$W/user" "$W/user.c" $flags >"$W/cc.out" 2>&1 || fail "does not link"
	LD_LIBRARY_PATH=$(dirname "$2") "$W/user" >"$W/user.out" || fail "does not run"
	expect_match "program" "$(cat "$W/user.out")" '^bad_magic$'
}

run_cases meson-without-dpdk meson-without-driver-headers meson-with-wrong-source \
	meson-with-other-stable-source no-source-package install install-prefix pmdinfo clean-clone
