#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Run the test suites of vstate in DTS, the test suite of DPDK, with this machine as the system under
# test.
#
#	devtools/dts.sh [OPTION...] DPDK_TREE [SUITE...]
#
# DPDK_TREE is a DPDK source tree, 26.07 or later. DPDK is built in DPDK_TREE/build-vstate and vstate
# in build-dpdk-VERSION, if that was not done before. SUITE is the name of a suite, or a quoted name
# with names of test cases. The default is all suites of vstate, and DTS's virtio_forward with
# net_vstate in place of net_vhost.
#
#	--output DIR		keep DTS's logs and results in DIR, which must be new or empty
#				(default: build-dts, which is replaced)
#	--runner DIR		keep the system of the runner in DIR and use it again (default: a
#				temporary one, whose packages are downloaded each time)
#	--tests-config FILE	configuration of the suites
#				(default: dts/configurations/vstate_tests_config.yaml)
#	-j N			jobs of the builds (default: 2)
#	MIRROR			Debian's mirror (default: the one of this machine's apt)
#
# It needs root and the packages openssh-server, debootstrap, wget, iproute2, util-linux. It installs
# nothing: DTS runs in a Debian 13 of its own. An sshd with a key of its own listens in a network
# namespace of its own. All processes end with this script. Exit status: that of DTS, 0 if no test
# case failed.

set -u
# shellcheck source=devtools/lib.sh
. "$(dirname "$0")/lib.sh"

SUITES=(vstate_loopback vstate_vm2vm vstate_move vstate_blk vstate_perf virtio_forward)
RUNNER_PACKAGES=(python3-yaml python3-fabric python3-scapy python3-typing-extensions python3-aenum
	python3-pydantic python3-cffi)
RELEASE=trixie
# In a network namespace of its own, so that no other sshd has it.
PORT=2222
# The port that DTS wants of each node. No suite uses it.
PCI=0000:00:00.0

usage() { sed -n '5,28s/^#[[:blank:]]\{0,1\}//p' "$0"; }

parse_arguments()
{
	OUTPUT='' RUNNER='' JOBS=2 TREE=''
	TESTS_CONFIG=$VSTATE_ROOT/dts/configurations/vstate_tests_config.yaml
	while [ $# -gt 0 ]; do
		case $1 in
		--output) OUTPUT=${2:?}; shift ;;
		--runner) RUNNER=${2:?}; shift ;;
		--tests-config) TESTS_CONFIG=${2:?}; shift ;;
		-j) JOBS=${2:?}; shift ;;
		-h|--help) usage; exit 0 ;;
		-*) usage >&2; exit 2 ;;
		*) TREE=$1; shift; break ;;
		esac
		shift
	done
	[ -n "$TREE" ] || { usage >&2; exit 2; }
	[ $# -eq 0 ] || SUITES=("$@")
}

# ---- what must be there ----

need_command() # COMMAND PACKAGE
{
	command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ] ||
		die "there is no $1: apt-get install $2"
}

requirements_check()
{
	[ "$(id -u)" -eq 0 ] || die "debootstrap, chroot and namespaces need root"
	[ -e "$TREE/dts/tests/TestSuite_virtio_forward.py" ] ||
		die "$TREE is not a DPDK source tree with DTS, 26.07 or later"
	[ -e "$TESTS_CONFIG" ] || die "there is no file $TESTS_CONFIG"
	need_command sshd openssh-server
	need_command ssh-keygen openssh-client
	need_command ip iproute2
	need_command unshare util-linux
	need_command lscpu util-linux
	runner_is_there || { need_command debootstrap debootstrap; need_command wget wget; }
}

output_prepare()
{
	if [ -z "$OUTPUT" ]; then
		OUTPUT=$VSTATE_ROOT/build-dts
		rm -rf "$OUTPUT"
	fi
	mkdir -p "$OUTPUT" || die "cannot create $OUTPUT"
	OUTPUT=$(realpath "$OUTPUT")
	[ -z "$(ls -A "$OUTPUT")" ] || die "$OUTPUT is not empty"
}

# These folders are other ones for DTS and for what it runs.
paths_check() # DIR...
{
	local dir
	for dir; do
		case $dir in
		/run/*|/var/run/*|/var/log/*) die "$dir is below /run or /var/log: choose another folder" ;;
		esac
	done
}

# ---- the runner ----

# A system that is not complete has no such file.
RUNNER_MARK=etc/vstate-dts-runner
runner_is_there() { [ -n "$RUNNER" ] && [ -e "$RUNNER/$RUNNER_MARK" ]; }

# What is mounted for these two is gone with their namespace, also if they fail. apt installs the
# packages, because debootstrap cannot resolve their dependencies.
runner_debootstrap() # MIRROR
{
	unshare --mount debootstrap --variant=minbase "$RELEASE" "$RUNNER" "$1"
}

runner_packages_install()
{
	cp -L /etc/resolv.conf "$RUNNER/etc/resolv.conf"
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare --mount sh -c 'mount -t proc proc "$1/proc" && exec chroot "$@"' sh "$RUNNER" \
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
		apt-get -q -y --no-install-recommends install "${RUNNER_PACKAGES[@]}"
}

runner_install()
{
	# shellcheck disable=SC2016 # apt expands it
	local mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		'Component: main' | head -n 1)}
	[ -n "$mirror" ] || die "apt has no sources: set MIRROR"
	RUNNER=${RUNNER:-$W/system}
	[ ! -d "$RUNNER" ] || [ -z "$(ls -A "$RUNNER")" ] || die "$RUNNER is neither empty nor of an earlier run"
	mkdir -p "$RUNNER" || die "cannot create $RUNNER"
	run_quiet "debootstrap $RELEASE" runner_debootstrap "${mirror%/}" ||
		die "debootstrap failed: is there a way to $mirror?"
	run_quiet "packages of the runner" runner_packages_install || die "apt-get failed"
	touch "$RUNNER/$RUNNER_MARK"
}

# DTS with the suites of vstate, the key and the configuration. The tree stays as it is.
runner_fill()
{
	local dts=$W/runner/dpdk/dts suite
	mkdir -p "$W/runner/dpdk" "$W/runner/home/.ssh" "$W/runner/output"
	cp -r "$TREE/dts" "$TREE/usertools" "$W/runner/dpdk/"
	cp -r "$VSTATE_ROOT/dts/api" "$VSTATE_ROOT/dts/tests" "$dts/"
	cp "$TESTS_CONFIG" "$dts/configurations/tests_config.yaml"
	# DTS's own suite, with the device under test and a private socket.
	sed -i -e "s|eth_vhost0,|net_vstate0,|; s|/tmp/vhost-net|$W/tmp/vhost-net|" \
		"$dts/tests/TestSuite_virtio_forward.py"
	grep -q 'net_vstate0,' "$dts/tests/TestSuite_virtio_forward.py" ||
		die "DTS's virtio_forward of this tree has another vhost device"
	# With Debian's fabric 2.6 the timer of each command runs on to its end. Do not wait for them.
	cat >"$W/runner/run.py" <<-'EOT'
		import os, runpy, sys, traceback

		sys.path[0] = os.getcwd()
		status = 1
		try:
		    runpy.run_path(sys.path[0] + "/main.py", run_name="__main__")
		except SystemExit as e:
		    status = e.code if isinstance(e.code, int) else 1
		except BaseException:
		    traceback.print_exc()
		finally:
		    sys.stdout.flush()
		    os._exit(status)
	EOT
	cat >"$dts/configurations/nodes.yaml" <<-EOT
		- name: SUT
		  hostname: "127.0.0.1:$PORT"
		  user: $(id -un)
		  os: linux
		  ports:
		    - name: port-0
		      pci: "$PCI"
		      os_driver_for_dpdk: none
		      os_driver: none
	EOT
	cat >"$dts/configurations/test_run.yaml" <<-EOT
		dpdk:
		  lcores: "$(sed -n 's/^Cpus_allowed_list:[[:blank:]]*//p' /proc/self/status)"
		  memory_channels: 4
		  build:
		    dpdk_location:
		      dpdk_tree: "$W/sut"
		      remote: true
		    precompiled_build_dir: build
		perf: true
		func: true
		crypto: false
		use_virtual_functions: false
		skip_smoke_tests: true
		system_under_test_node: SUT
		port_topology: []
		test_suites:
	EOT
	for suite in "${SUITES[@]}"; do
		printf '  - %s\n' "$suite" >>"$dts/configurations/test_run.yaml"
	done
}

# ---- the system under test ----

# script FILE: write the standard input to an executable script.
script() { { echo '#!/bin/sh'; cat; } >"$1" && chmod 755 "$1"; }

# What DTS takes for a build tree: programs that add the options of this machine. The logs of vhost and
# the events of queues come behind testpmd's prompt, where DTS takes them for an answer. Processes that
# the tool kills leave folders, and DTS would remove each one in /run/dpdk by four commands.
sut_programs_write()
{
	local prefix=$TREE/build-vstate/prefix
	mkdir -p "$W/sut/build/app"
	cp "$TREE/VERSION" "$W/sut/"
	script "$W/sut/build/app/dpdk-testpmd" <<-EOT
		export LD_LIBRARY_PATH=$prefix/lib
		exec $prefix/bin/dpdk-testpmd --no-huge -m 256 -d $PLUGIN --log-level=lib.vhost.*:error \
			"\$@" --total-num-mbufs=16384 --no-mlockall --mask-event=queue_state
	EOT
	script "$W/sut/build/app/dpdk-test-vdpa" <<-EOT
		export LD_LIBRARY_PATH=$prefix/lib VSTATE_PLUGIN=$PLUGIN
		export RUNTIME_DIRECTORY=/run/tool XDG_RUNTIME_DIR=/run/tool
		exec $BUILD/app/dpdk-test-vdpa "\$@"
	EOT
}

# The session of DTS is root's already. lshw names one port, which DTS insists on.
sut_commands_write()
{
	mkdir -p "$W/bin" "$W/tmp"
	script "$W/bin/sudo" <<-'EOT'
		[ "$1" != -- ] || shift
		exec "$@"
	EOT
	script "$W/bin/lshw" <<-EOT
		case " \$* " in
		*" -json "*) echo '[{"businfo": "pci@$PCI", "logicalname": "lo", "serial": "00:00:00:00:00:00",
			"configuration": {"driver": "none", "link": "yes"}}]' ;;
		*) echo 'pci@$PCI  lo  network  none' ;;
		esac
	EOT
	script "$W/session" <<-EOT
		export PATH=$W/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
		export TMPDIR=$W/tmp LC_ALL=C.UTF-8
		cd $W/tmp || exit 1
		[ -n "\$SSH_ORIGINAL_COMMAND" ] || exec sh -i
		exec sh -c "\$SSH_ORIGINAL_COMMAND"
	EOT
}

sut_sshd_configure()
{
	local key
	mkdir -p "$W/ssh"
	for key in "$W/ssh/host_key" "$W/runner/home/.ssh/id_ed25519"; do
		ssh-keygen -q -t ed25519 -N '' -f "$key" || die "ssh-keygen failed"
	done
	mv "$W/runner/home/.ssh/id_ed25519.pub" "$W/ssh/authorized_keys"
	cat >"$W/ssh/config" <<-EOT
		ListenAddress 127.0.0.1
		Port $PORT
		HostKey $W/ssh/host_key
		PidFile none
		AuthorizedKeysFile $W/ssh/authorized_keys
		AllowUsers $(id -un)
		PermitRootLogin prohibit-password
		PrintLastLog no
		PasswordAuthentication no
		KbdInteractiveAuthentication no
		UsePAM no
		StrictModes no
		ForceCommand $W/session
		Subsystem sftp /usr/lib/openssh/sftp-server
		MaxSessions 100
	EOT
}

# ---- inside the namespaces ----

# What DPDK and sshd write to these folders stays here.
inside_folders_mount()
{
	mount -t tmpfs -o mode=755 tmpfs /run && mount -t tmpfs -o mode=755 tmpfs /var/log &&
		mkdir /run/tool && touch /var/log/lastlog
}

# EAL refuses a plugin below a folder that everybody may write to.
inside_plugin_copy()
{
	mkdir -p /run/vstate/drivers /run/vstate/lib &&
		cp "$BUILD/drivers/librte_vdpa_vstate.so" /run/vstate/drivers/ &&
		find "$BUILD/lib" -maxdepth 1 -name 'librte_vhost_state.so*' ! -type d \
			-exec cp -d -t /run/vstate/lib/ {} +
}

inside_sshd_start()
{
	local end=$((SECONDS + 20))
	ip link set lo up && mkdir -p /run/sshd || return 1
	/usr/sbin/sshd -D -e -f "$W/ssh/config" 2>"$OUTPUT/sshd.log" </dev/null &
	SSHD=$!
	until (: <"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; do
		kill -0 "$SSHD" 2>/dev/null && [ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}

inside_runner_mount()
{
	mount --bind "$W/runner" "$RUNNER/mnt" && mount --bind "$OUTPUT" "$RUNNER/mnt/output" &&
		mount -t proc proc "$RUNNER/proc" && mount --rbind /dev "$RUNNER/dev" &&
		mount -t tmpfs tmpfs "$RUNNER/tmp"
}

inside_dts_run()
{
	chroot "$RUNNER" env -i HOME=/mnt/home PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
		PYTHONUNBUFFERED=1 sh -c 'cd /mnt/dpdk/dts && exec python3 /mnt/run.py --timeout 60 \
			--tests-config-file configurations/tests_config.yaml --output-dir /mnt/output' \
		</dev/null >"$OUTPUT/console.log" 2>&1
}

inside()
{
	local rc
	trap 'exit 143' INT TERM
	inside_folders_mount || die "cannot mount /run and /var/log"
	inside_plugin_copy || die "cannot copy the plugin"
	inside_sshd_start || die "sshd does not start: $(tail -n 1 "$OUTPUT/sshd.log")"
	inside_runner_mount || die "cannot mount the folders of the runner"
	inside_dts_run
	rc=$?
	kill "$SSHD"
	wait "$SSHD"
	return $rc
}

# ---- the script ----

vstate_build()
{
	run_quiet "DPDK and vstate" "$VSTATE_ROOT/devtools/dpdk-matrix.sh" -j "$JOBS" --only build "$TREE" ||
		die "the build failed"
	BUILD=$VSTATE_ROOT/build-dpdk-$(cat "$TREE/VERSION")
}

# Print the verdict on each test case as it comes.
verdicts_follow() # PID
{
	tail -n +1 -F --pid "$1" "$OUTPUT/console.log" 2>/dev/null | grep --line-buffered -oE \
		"Test case '[^']*' execution (PASSED|FAILED|SKIPPED).*|An unexpected ERROR .*"
}

dts_run()
{
	local rc follower
	: >"$OUTPUT/console.log"
	export W OUTPUT RUNNER BUILD
	unshare --mount --net --pid --fork --kill-child --mount-proc "$0" --inside &
	NAMESPACE=$!
	# In the background, so that a signal is handled at once.
	verdicts_follow "$NAMESPACE" &
	follower=$!
	wait "$NAMESPACE"
	rc=$?
	NAMESPACE=
	wait "$follower"
	[ -e "$OUTPUT/results_summary.txt" ] || tail -n 20 "$OUTPUT/console.log" >&2
	cat "$OUTPUT/results_summary.txt" 2>/dev/null
	return $rc
}

# unshare blocks SIGTERM. All processes of the namespace end with it.
cleanup()
{
	[ -z "${NAMESPACE:-}" ] || kill -KILL "$NAMESPACE" 2>/dev/null
	rm -rf "$W"
}

PLUGIN=/run/vstate/drivers/librte_vdpa_vstate.so
[ "${1:-}" != --inside ] || { inside; exit; }
parse_arguments "$@"
requirements_check
TREE=$(realpath "$TREE")
output_prepare
W=$(mktemp -d) || die "cannot create a temporary folder"
chmod 755 "$W"
trap cleanup EXIT
trap 'exit 130' INT TERM
vstate_build
if runner_is_there; then RUNNER=$(realpath "$RUNNER"); else runner_install; fi
paths_check "$W" "$OUTPUT" "$RUNNER" "$BUILD" "$TREE"
runner_fill
sut_programs_write
sut_commands_write
sut_sshd_configure
say "DTS of DPDK $(cat "$TREE/VERSION"): ${SUITES[*]}"
dts_run
rc=$?
say "logs: $OUTPUT"
exit $rc
