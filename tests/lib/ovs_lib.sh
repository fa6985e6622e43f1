# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# OVS-DPDK from the distribution's packages. They are unpacked but not installed, so that no
# system service starts. OVS runs in the network namespace of wire.sh with all its files in $W.

# shellcheck source=tests/lib/packages.sh
. "$VSTATE_ROOT/tests/lib/packages.sh"
# shellcheck source=tests/lib/hugepages.sh
. "$VSTATE_ROOT/tests/lib/hugepages.sh"

OVS_DIR=$VSTATE_CACHE/ovs
ovs_packages()
{
	[ -x "$OVS_DIR/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk" ] && return 0
	packages_unpack "$OVS_DIR" openvswitch-switch-dpdk
}

ovs_environment()
{
	export OVS_RUNDIR=$W OVS_LOGDIR=$W OVS_DBDIR=$W OVS_SYSCONFDIR=$W
	export OVS_PKGDATADIR=$OVS_DIR/usr/share/openvswitch
	PATH=$OVS_DIR/usr/bin:$OVS_DIR/usr/sbin:$PATH
	if [ -d "$OVS_DIR/usr/lib/x86_64-linux-gnu" ]; then
		export LD_LIBRARY_PATH=$OVS_DIR/usr/lib/x86_64-linux-gnu
	fi
}

vsctl() { ovs-vsctl --timeout=20 "--db=unix:$W/db.sock" "$@" 2>>"$W/vsctl.out"; }
vsctl_must() { OVS_OUT=$(vsctl "$@") || fail "ovs-vsctl $*: $(tail -n 1 "$W/vsctl.out")"; }
appctl() { ovs-appctl --timeout=20 --target="$W/vswitchd.ctl" "$@" 2>>"$W/vsctl.out"; }

ovs_database_start()
{
	ovs_environment
	ovsdb-tool create "$W/conf.db" "$OVS_PKGDATADIR/vswitch.ovsschema" || fail "ovsdb-tool"
	bg ovsdb ovsdb-server "$W/conf.db" "--remote=punix:$W/db.sock" "--unixctl=$W/ovsdb.ctl" --no-chdir
	wait_for 10 test -S "$W/db.sock" || fail "no ovsdb-server"
	vsctl_must --no-wait init
}

# ovs_start: start OVS with a bridge br0 of the user-space datapath and without ports
ovs_start()
{
	local extra='--no-pci --in-memory --no-telemetry'
	hugepages_reserve 320
	ovs_database_start
	dut
	[ ${#DUT[@]} -eq 0 ] || extra+=" ${DUT[*]}"
	vsctl_must --no-wait set Open_vSwitch . other_config:dpdk-init=true \
		other_config:dpdk-socket-mem=512 other_config:per-port-memory=true "other_config:dpdk-extra=\"$extra\"" \
		other_config:pmd-cpu-mask=0x2 other_config:dpdk-lcore-mask=0x1 other_config:pmd-maxsleep=250
	vswitchd_start
	vsctl_must add-br br0 -- set bridge br0 datapath_type=netdev \
		"other_config:hwaddr=$WIRE_PEER_MAC"
}

vswitchd_start()
{
	sanitizer_environment
	bg vswitchd nice -n 10 "${TP_WRAP[@]}" env "${SANITIZER[@]}" "$OVS_DIR/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk" \
		"unix:$W/db.sock" "--unixctl=$W/vswitchd.ctl" --no-chdir "--log-file=$W/vswitchd.log" \
		-vconsole:off
	wait_for 150 vswitchd_ready || fail "ovs-vswitchd: $(tail -n 3 "$W/vswitchd.log")"
}

vswitchd_ready()
{
	alive vswitchd || fail "ovs-vswitchd ended: $(tail -n 3 "$W/vswitchd.log")"
	[ "$(vsctl get Open_vSwitch . dpdk_initialized)" = true ]
}

vswitchd_stop()
{
	local rc=0
	kill "${PID[vswitchd]}"
	bg_end vswitchd 20 || rc=$?
	# ovs-vswitchd cleans up first and then raises the signal again.
	expect "exit status of ovs-vswitchd" $rc -eq $((128 + 15))
}

# ovs_port NAME DEVICE [DEVARGS]: add a port of the device under test on socket $W/NAME
ovs_port()
{
	vsctl_must add-port br0 "$1" -- set Interface "$1" type=dpdk \
		"options:dpdk-devargs=$VSTATE_VDEV$2,iface=$W/$1,client=1${3:+,$3}"
	expect_match "error of port $1" "$(vsctl get Interface "$1" error)" '^\[\]$'
}

# ovs_own_port NAME: add a port of OVS's own back end on socket $W/NAME
ovs_own_port()
{
	vsctl_must add-port br0 "$1" -- set Interface "$1" type=dpdkvhostuserclient \
		"options:vhost-server-path=$W/$1"
}

# A counter of an interface: rx_packets, tx_bytes ...
ovs_counter() { vsctl get Interface "$1" "statistics:$2" || echo 0; }
