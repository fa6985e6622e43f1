# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Packages that a scenario uses without installing them. apt downloads and checks them, and they
# are unpacked to a folder of their own.

# packages_unpack DIR PACKAGE [APT-OPTION...]: unpack it with its dependencies that are missing. If
# the newest version is installed, DIR gets links to the installed files.
packages_unpack()
{
	local to=$1 package=$2 tmp deb
	shift 2
	command -v apt-get >/dev/null || skip "no apt"
	mkdir -p "$VSTATE_CACHE"
	tmp=$(mktemp -d "$VSTATE_CACHE/unpack.XXXXXX")
	mkdir -p "$tmp/archives/partial" "$tmp/tree"
	apt-get -q -y --no-install-recommends --download-only "$@" -o "Dir::Cache=$tmp" \
		-o "APT::Sandbox::User=$(id -un)" -o Debug::NoLocking=1 install "$package" \
		>"$W/apt.out" 2>&1 || { rm -rf "$tmp"; skip "cannot download $package"; }
	if ! compgen -G "$tmp/archives/*.deb" >/dev/null; then
		ln -s /usr /etc "$tmp/tree/"
	fi
	for deb in "$tmp"/archives/*.deb; do
		[ -e "$deb" ] || continue
		dpkg-deb -x "$deb" "$tmp/tree" || fail "cannot unpack $deb"
	done
	rm -rf "$to"
	mv "$tmp/tree" "$to"
	rm -rf "$tmp"
}

# backports_sources DIR: write to DIR the user's Debian sources, changed to backports
backports_sources()
{
	local suite f
	suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	[ -n "$suite" ] || skip "not a Debian release"
	private_sources "$1"
	for f in "$1"/*.list; do
		[ -e "$f" ] && sed -i -E "/ $suite /!d; s/^deb-src /deb /; s/ $suite / $suite-backports /" "$f"
	done
	for f in "$1"/*.sources; do
		[ -e "$f" ] || continue
		awk -v suite="$suite" 'BEGIN { RS = ""; ORS = "\n\n" }
			$0 ~ "(^|\n)Suites:([^\n]* )?" suite "([ \n]|$)" {
				gsub(/(^|\n)Suites:[^\n]*/, "\nSuites: " suite "-backports")
				gsub(/(^|\n)Types:[^\n]*/, "\nTypes: deb"); print }' "$f" >"$f.new" &&
			mv "$f.new" "$f"
	done
}
