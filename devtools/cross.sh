#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Compile the library, the driver and the tool for other machines and for musl, with all warnings as
# errors. Nothing is linked, so no DPDK of that machine is needed: only a compiler.
#
#	devtools/cross.sh [TARGET...]
#
# TARGET is aarch64, riscv64, powerpc64 (big-endian), i686 or musl. Without TARGET all but musl run
# whose compilers are installed, and the others are named as skipped. Debian's packages are
# gcc-TARGET-linux-gnu and musl-tools. musl before 1.2.5 has no preadv2(), so Debian 12's fails.

set -u
# shellcheck source=devtools/lib.sh
. "$(dirname "$0")/lib.sh"

case ${1:-} in
-h|--help)
	sed -n '5,13s/^#[[:blank:]]\{0,1\}//p' "$0"
	exit 0 ;;
esac
ALL=(aarch64 riscv64 powerpc64 i686)
WARNINGS=(-Wall -Wextra -Werror -Wno-missing-field-initializers -Wstrict-prototypes
	-Wmissing-prototypes -Wcast-qual -Wpointer-arith -Wwrite-strings -Wshadow -Wvla)

compiler() { if [ "$1" = musl ]; then echo musl-gcc; else echo "$1-linux-gnu-gcc"; fi; }

# Print what DPDK's build configuration says of the machine.
machine()
{
	case $1 in
	aarch64) printf '#define %s\n' 'RTE_ARCH arm64' 'RTE_ARCH_ARM64 1' 'RTE_ARCH_64 1' \
		'RTE_FORCE_INTRINSICS 1' ;;
	riscv64) printf '#define %s\n' 'RTE_ARCH riscv' 'RTE_ARCH_RISCV 1' 'RTE_ARCH_64 1' \
		'RTE_FORCE_INTRINSICS 1' 'RTE_RISCV_TIME_FREQ 0' ;;
	powerpc64) printf '#define %s\n' 'RTE_ARCH ppc_64' 'RTE_ARCH_PPC_64 1' 'RTE_ARCH_64 1' ;;
	i686) printf '#define %s\n' 'RTE_ARCH i686' 'RTE_ARCH_X86 1' 'RTE_ARCH_I686 1' \
		'RTE_ARCH_32 1' ;;
	musl) printf '#define %s\n' 'RTE_ARCH x86_64' 'RTE_ARCH_X86 1' 'RTE_ARCH_X86_64 1' \
		'RTE_ARCH_64 1' ;;
	esac
}

# The folder of EAL's headers and the flags of a target.
folder()
{
	case $1 in
	aarch64) echo arm ;;
	riscv64) echo riscv ;;
	powerpc64) echo ppc ;;
	*) echo x86 ;;
	esac
}

flags()
{
	case $1 in
	aarch64) echo -march=armv8-a+crc ;;
	powerpc64) echo -mcpu=power8 ;;
	i686|musl) echo -march=corei7 ;;
	esac
	# musl has no headers of the kernel, and no sys/queue.h.
	[ "$1" != musl ] || echo "-idirafter $2/kernel"
}

# Print the path of an installed header of DPDK.
installed_header() # NAME
{
	local dirs
	read -r -a dirs <<<"$(pkg-config --cflags-only-I libdpdk | sed 's/-I//g')"
	find "${dirs[@]}" -maxdepth 1 -name "$1" 2>/dev/null | head -n 1
}

# DPDK's configuration, without what belongs to this machine and with what belongs to the target.
config_write() # TARGET DIR
{
	local build config
	build=$(installed_header rte_build_config.h)
	config=$(installed_header rte_config.h)
	if [ -z "$build" ] || [ -z "$config" ]; then
		die "rte_build_config.h of DPDK is not installed"
	fi
	{ grep -vE 'RTE_(ARCH|MACHINE|COMPILE_TIME|CPU|MEMCPY|TOOLCHAIN|USE_LIBBSD)' "$build"
	  printf '#define %s\n' 'RTE_TOOLCHAIN_GCC 1' 'RTE_TOOLCHAIN "gcc"'
	  machine "$1"; } >"$2/rte_build_config.h"
	cp "$config" "$2/"
}

# The headers of the kernel alone, not those of this machine's C library.
kernel_headers() # DIR
{
	mkdir -p "$1/sys"
	ln -s /usr/include/linux /usr/include/asm-generic "/usr/include/$(gcc -dumpmachine)/asm" "$1"
	ln -s "/usr/include/$(gcc -dumpmachine)/sys/queue.h" "$1/sys"
	: >"$1/sys/cdefs.h"
	# Headers that are the same for all machines.
	ln -s /usr/include/{jansson,jansson_config,zlib,zconf}.h "$1"
}

# One file. The folders of the driver and of the tool are include paths, as in their meson.build.
compile() # TARGET DIR FILE
{
	local own=()
	case $3 in
	drivers/*) own=(-Idrivers/vdpa/vstate -DRTE_LOG_DEFAULT_LOGTYPE=pmd.vdpa.vstate
			-DVSTATE_ISA=base -DVSTATE_HAS_BASE) ;;
	lib/*) own=(-DRTE_LOG_DEFAULT_LOGTYPE=lib.vhost_state) ;;
	app/*) own=(-Iapp/test-vdpa/{tool,guest,backend,migrate,bench,hostile,conform,ctl,cmd}
			'-DPLUGIN_DIR=""') ;;
	esac
	# shellcheck disable=SC2046 # words
	"$(compiler "$1")" -std=gnu11 -O2 -c -o /dev/null "${WARNINGS[@]}" $(flags "$1" "$2") -D_GNU_SOURCE \
		-D_FILE_OFFSET_BITS=64 -DALLOW_EXPERIMENTAL_API -DALLOW_INTERNAL_API -include rte_config.h \
		"${own[@]}" -Iconfig -Ilib/vhost_state "-isystem$2" "${INCLUDES[@]}" "$3"
}

target()
{
	local dir file rc=0 dpdk=$DPDK_SOURCE
	dir=$(mktemp -d)
	config_write "$1" "$dir"
	kernel_headers "$dir/kernel"
	INCLUDES=("-isystem$dpdk/lib/eal/$(folder "$1")/include")
	for file in "$dpdk"/lib/eal/{,linux/}include "$dpdk"/lib/*/ "$dpdk/drivers/bus/vdev"; do
		INCLUDES+=("-isystem$file")
	done
	while read -r file; do
		compile "$1" "$dir" "$file" || rc=1
	done < <(git ls-files 'lib/*.c' 'drivers/*.c' 'app/test-vdpa/*.c' ':!app/test-vdpa/test/*')
	rm -rf "$dir"
	return $rc
}

cd "$VSTATE_ROOT" || exit 1
need_driver_headers
if [ -z "$DPDK_SOURCE" ]; then
	die "the headers of other machines are in DPDK's source tree only: set VSTATE_DPDK_SOURCE"
fi
FAILED=0
[ $# -gt 0 ] || set -- "${ALL[@]}"
for name; do
	if ! command -v "$(compiler "$name")" >/dev/null; then
		say "$name: skipped, no $(compiler "$name")"
	elif ! run_quiet "$name" target "$name"; then
		FAILED=$((FAILED + 1))
	fi
done
[ $FAILED -eq 0 ] || die "$FAILED targets do not compile"
