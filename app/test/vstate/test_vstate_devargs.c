/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_memory.h>

#include "ut_groups.h"
#include "vstate_devargs.h"
#include "block/vstate_blk_class.h"
#include "block/vstate_blk_conf.h"
#include "block/vstate_scsi_class.h"
#include "block/vstate_scsi_conf.h"
#include "console/vstate_console_class.h"
#include "console/vstate_console_conf.h"
#include "dev/vstate_conf.h"
#include "net/vstate_net_class.h"
#include "net/vstate_net_conf.h"

static int
net_args_parse(const char *args, struct vstate_conf *conf)
{
	char all[512];

	snprintf(all, sizeof(all), "iface=/run/vm.sock%s%s", args[0] != '\0' ? "," : "", args);
	return vstate_devargs_parse(&vstate_net_class, VSTATE_KIND_SOCKET, "net_vstate0", all,
			conf);
}

static int
vdpa_args_parse(const char *args, struct vstate_conf *conf)
{
	return vstate_devargs_parse(&vstate_net_class, VSTATE_KIND_VDPA, "vdpa_vstate0", args,
			conf);
}

static void
missing_arguments_have_their_defaults(void **state)
{
	struct vstate_conf conf;

	assert_int_equal(net_args_parse("", &conf), 0);
	assert_string_equal(conf.iface, "/run/vm.sock");
	assert_int_equal(conf.queues, 1);
	assert_int_equal(vstate_net_conf(&conf)->mtu, 65535);
	assert_int_equal(conf.numa, SOCKET_ID_ANY);
	assert_false(conf.client || conf.postcopy_support);
	assert_false(vstate_net_conf(&conf)->tso || vstate_net_conf(&conf)->linear_buffer);
	assert_false(conf.service || vstate_net_conf(&conf)->has_mac);
	assert_string_equal(vstate_net_conf(&conf)->uplink, "");

	assert_int_equal(vdpa_args_parse(NULL, &conf), 0);
	assert_int_equal(conf.queues, 1);
	assert_true(conf.service);
}

static void
every_key_reaches_its_field(void **state)
{
	struct vstate_conf conf;

	assert_int_equal(net_args_parse("queues=64,client=1,tso=1,postcopy-support=1,"
			"linear-buffer=1,service=1,uplink=net_ring0,mac=02:00:00:00:00:07,"
			"mtu=9000,numa=3,"
			"ext-buffer=1,iommu-support=0,state_dir=/run/vstate,takeover=1,"
			"control=/run/vstate.ctl", &conf), 0);
	assert_string_equal(conf.control, "/run/vstate.ctl");
	assert_true(conf.takeover && conf.keep_connection);
	assert_string_equal(conf.state_dir, "/run/vstate");
	assert_int_equal(conf.queues, 64);
	assert_true(conf.client);
	assert_true(vstate_net_conf(&conf)->tso);
	assert_true(conf.postcopy_support);
	assert_true(vstate_net_conf(&conf)->linear_buffer);
	assert_true(conf.service);
	assert_string_equal(vstate_net_conf(&conf)->uplink, "net_ring0");
	assert_true(vstate_net_conf(&conf)->has_mac);
	assert_int_equal(vstate_net_conf(&conf)->mac.addr_bytes[5], 7);
	assert_int_equal(vstate_net_conf(&conf)->mtu, 9000);
	assert_int_equal(conf.numa, 3);
	/* a number is decimal, even with a leading zero */
	assert_int_equal(net_args_parse("queues=010", &conf), 0);
	assert_int_equal(conf.queues, 10);
}

static void
limits_are_accepted_and_values_beyond_are_refused(void **state)
{
	static const struct {
		const char *args;
		int ret;
	} rows[] = {
		{ "queues=1", 0 }, { "queues=64", 0 }, { "queues=0", -EINVAL },
		{ "queues=65", -EINVAL }, { "mtu=68", 0 }, { "mtu=67", -EINVAL },
		{ "mtu=65535", 0 }, { "mtu=65536", -EINVAL }, { "numa=0", 0 },
		{ "takeover=1", -EINVAL }, { "takeover=0", 0 },
		{ "keep-connection=0", 0 }, { "keep-connection=no", -EINVAL },
		{ "numa=-1", -EINVAL },
		{ "state_dir=run", -EINVAL }, { "state_dir=", -EINVAL },
		{ "control=", -EINVAL }, { "control=c", 0 },
		{ "client=0", 0 }, { "client=2", -EINVAL },
	};
	struct vstate_conf conf;
	size_t i;

	for (i = 0; i < RTE_DIM(rows); i++) {
		if (net_args_parse(rows[i].args, &conf) != rows[i].ret)
			fail_msg("%s", rows[i].args);
	}
}

static void
bad_values_are_refused(void **state)
{
	static const char *const bad[] = {
		"queues=", "queues=x", "queues=1x", "queues=1.5", "queues= -18446744073709551615",
		"queues=+1", "queues=0x4", "queues=18446744073709551617", "client=yes", "tso=-1",
		"client", "mac=", "mac=1", "mac=01:00:00:00:00:01", "mac=00:00:00:00:00:00",
		"mtu=0x", "iommu-support=1", "uplink=", "service=0,uplink=net_ring0",
	};
	struct vstate_conf conf;
	size_t i;

	for (i = 0; i < RTE_DIM(bad); i++) {
		if (net_args_parse(bad[i], &conf) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
	}
}

static void
duplicates_and_unknown_keys_are_refused(void **state)
{
	struct vstate_conf conf;

	assert_int_equal(net_args_parse("queues=1,queues=1", &conf), -EINVAL);
	assert_int_equal(net_args_parse("iface=/run/other.sock", &conf), -EINVAL);
	assert_int_equal(net_args_parse("speed=1", &conf), -EINVAL);
	assert_int_equal(net_args_parse("Queues=1", &conf), -EINVAL);
}

static int
socket_args_parse(const char *args, struct vstate_conf *conf)
{
	return vstate_devargs_parse(&vstate_net_class, VSTATE_KIND_SOCKET, "n", args, conf);
}

static void
socket_path_that_is_missing_or_too_long_is_refused(void **state)
{
	char args[sizeof("iface=") + sizeof(((struct vstate_conf *)0)->iface)] = "iface=";
	struct vstate_conf conf;

	assert_int_equal(socket_args_parse("queues=1", &conf), -EINVAL);
	assert_int_equal(socket_args_parse("iface=", &conf), -EINVAL);
	memset(args + 6, 'p', sizeof(conf.iface) - 1);
	assert_int_equal(socket_args_parse(args, &conf), 0);
	assert_int_equal(strlen(conf.iface), sizeof(conf.iface) - 1);
	args[6 + sizeof(conf.iface) - 1] = 'p';
	assert_int_equal(socket_args_parse(args, &conf), -EINVAL);
}

static void
keys_of_a_socket_are_refused_for_vdpa(void **state)
{
	static const char *const args[] = { "iface=/run/vm.sock", "client=1",
		"postcopy-support=0", "ext-buffer=0", "iommu-support=0" };
	struct vstate_conf conf;
	size_t i;

	for (i = 0; i < RTE_DIM(args); i++)
		assert_int_equal(vdpa_args_parse(args[i], &conf), -EINVAL);
}

/* ---- disks ---- */

static int
blk_args_parse(const char *args, struct vstate_conf *conf)
{
	char all[512];

	snprintf(all, sizeof(all), "iface=/run/vm.sock,%s", args);
	return vstate_devargs_parse(&vstate_blk_class, VSTATE_KIND_SOCKET, "blk_vstate0", all,
			conf);
}

static void
keys_of_a_disk_reach_their_fields(void **state)
{
	struct vstate_conf conf;
	const struct vstate_blk_conf *blk = vstate_blk_conf(&conf);

	assert_int_equal(blk_args_parse("path=/srv/disk,queues=4", &conf), 0);
	assert_string_equal(blk->path, "/srv/disk");
	assert_int_equal(conf.queues, 4);
	assert_true(conf.service);
	assert_int_equal(blk->store, VSTATE_BLK_STORE_DEFAULT);
	assert_int_equal(blk->blk_size, 512);
	assert_false(blk->ro || blk->direct || blk->reorder);
	assert_int_equal(blk_args_parse("path=/d,store=threads,ro=1,direct=1,serial=abc,"
			"block-size=4096,delay-us=7,reorder=1", &conf), 0);
	assert_int_equal(blk->store, VSTATE_BLK_STORE_THREADS);
	assert_int_equal(blk->blk_size, 4096);
	assert_int_equal(blk->delay_us, 7);
	assert_string_equal(blk->serial, "abc");
	assert_true(blk->ro && blk->direct && blk->reorder);
	assert_int_equal(blk_args_parse("store=ram,size=1048576", &conf), 0);
	assert_int_equal(blk->size, 1048576);
	assert_int_equal(blk_args_parse("path=/d,serial=12345678901234567890", &conf), 0);
}

static void
bad_arguments_of_a_disk_are_refused(void **state)
{
	static const char *const bad[] = {
		"queues=1", "path=", "path=/d,store=disk", "path=/d,store=", "path=/d,size=512",
		"store=ram", "store=null,size=511", "store=ram,size=1048576,path=/d",
		"store=ram,size=513", "path=/d,block-size=1024", "path=/d,block-size=8192",
		"path=/d,serial=123456789012345678901", "path=/d,reorder=1", "path=/d,service=0",
		"path=/d,delay-us=10000001", "path=/d,mac=02:00:00:00:00:07", "path=/d,class=blk",
	};
	struct vstate_conf conf;
	size_t i;

	for (i = 0; i < RTE_DIM(bad); i++) {
		if (blk_args_parse(bad[i], &conf) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
	}
}

/* ---- SCSI hosts ---- */

static int
scsi_args_parse(const char *args, struct vstate_conf *conf)
{
	char all[512];

	snprintf(all, sizeof(all), "iface=/run/vm.sock,%s", args);
	return vstate_devargs_parse(&vstate_scsi_class, VSTATE_KIND_SOCKET, "scsi_vstate0", all,
			conf);
}

static void
keys_of_a_scsi_host_reach_their_fields(void **state)
{
	struct vstate_conf conf;
	const struct vstate_scsi_conf *scsi = vstate_scsi_conf(&conf);

	assert_int_equal(scsi_args_parse("lun0=/a,queues=4", &conf), 0);
	assert_string_equal(scsi->paths[0], "/a");
	assert_int_equal(conf.queues, 4);
	assert_true(conf.service);
	assert_int_equal(vstate_scsi_conf_luns(scsi), 1);
	assert_int_equal(scsi->store.blk_size, 512);
	assert_int_equal(scsi_args_parse("lun1=/b,lun0=/a,lun2=/c,store=threads,ro=1,direct=1,"
			"serial=abc,block-size=4096,delay-us=7,reorder=1", &conf), 0);
	assert_int_equal(vstate_scsi_conf_luns(scsi), 3);
	assert_string_equal(scsi->paths[2], "/c");
	assert_int_equal(scsi->store.store, VSTATE_BLK_STORE_THREADS);
	assert_int_equal(scsi->store.blk_size, 4096);
	assert_int_equal(scsi->store.delay_us, 7);
	assert_string_equal(scsi->store.serial, "abc");
	assert_true(scsi->store.ro && scsi->store.direct && scsi->store.reorder);
	assert_int_equal(scsi_args_parse("store=ram,size=1048576", &conf), 0);
	assert_int_equal(vstate_scsi_conf_luns(scsi), 1);
	assert_int_equal(scsi_args_parse("store=null,size=1048576,luns=8", &conf), 0);
	assert_int_equal(vstate_scsi_conf_luns(scsi), 8);
	assert_int_equal(vstate_devargs_parse(&vstate_scsi_class, VSTATE_KIND_VDPA, "vdpa_vstate0",
			"class=scsi,lun0=/a,queues=2", &conf), 0);
}

static void
bad_arguments_of_a_scsi_host_are_refused(void **state)
{
	static const char *const bad[] = {
		"queues=1", "lun0=", "lun1=/a", "lun0=/a,lun2=/c", "lun8=/a", "path=/d",
		"lun0=/a,store=disk", "lun0=/a,size=512", "lun0=/a,luns=1", "store=ram",
		"store=ram,size=512,luns=0", "store=ram,size=512,luns=9", "store=null,size=511",
		"store=ram,size=1048576,lun0=/d", "lun0=/a,block-size=1024", "lun0=/a,reorder=1",
		"lun0=/a,serial=123456789012345678901", "lun0=/a,service=0", "lun0=/a,serial=a\"b",
		"lun0=/a,delay-us=10000001", "lun0=/a,class=scsi", "lun0=/a,lun0=/b",
	};
	struct vstate_conf conf;
	size_t i;

	for (i = 0; i < RTE_DIM(bad); i++) {
		if (scsi_args_parse(bad[i], &conf) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
	}
}

/* ---- consoles ---- */

static int
console_args_parse(const char *args, struct vstate_conf *conf)
{
	char all[512];

	snprintf(all, sizeof(all), "iface=/run/vm.sock%s%s", args[0] != '\0' ? "," : "", args);
	return vstate_devargs_parse(&vstate_console_class, VSTATE_KIND_SOCKET, "console_vstate0",
			all, conf);
}

static void
keys_of_a_console_reach_their_fields(void **state)
{
	struct vstate_conf conf;
	const struct vstate_console_conf *console = vstate_console_conf(&conf);

	assert_int_equal(console_args_parse("", &conf), 0);
	assert_int_equal(console->nb_ports, 1);
	assert_int_equal(console->ports[0].kind, VSTATE_CONSOLE_PTY);
	assert_string_equal(console->ports[0].path, "");
	assert_false(console->hold || conf.service);
	assert_int_equal(console_args_parse("ports=1,port0=unix:/run/p0,hold=1,name0=org.a:b c",
			&conf), 0);
	assert_int_equal(console->ports[0].kind, VSTATE_CONSOLE_UNIX);
	assert_string_equal(console->ports[0].path, "/run/p0");
	assert_string_equal(console->ports[0].name, "org.a:b c");
	assert_true(console->hold);
	assert_int_equal(console_args_parse("ports=16,port15=unix:/run/p15,name15=last,port1=pty",
			&conf), 0);
	assert_int_equal(console->nb_ports, 16);
	assert_string_equal(console->ports[15].path, "/run/p15");
	assert_string_equal(console->ports[15].name, "last");
	assert_int_equal(console_args_parse("port0=pty:/run/tty0", &conf), 0);
	assert_int_equal(console->ports[0].kind, VSTATE_CONSOLE_PTY);
	assert_string_equal(console->ports[0].path, "/run/tty0");
	assert_int_equal(console_args_parse("name0=1234567890123456789012345678901", &conf), 0);
}

static void
bad_arguments_of_a_console_are_refused(void **state)
{
	static const char *const bad[] = {
		"ports=0", "ports=17", "ports=", "port0=", "port0=unix", "port0=unix:",
		"port0=tcp:/run/p", "port0=pty:", "port0=ptyx", "name0=", "hold=2", "queues=2",
		"name0=12345678901234567890123456789012", "name0=a\"b", "name0=a\\b", "name0=a\nb",
		"port1=unix:/run/p1", "name15=x", "ports=2,port0=unix:/p,port1=pty:/p", "port16=pty", "service=1", "path=/d",
	};
	struct vstate_conf conf;
	size_t i;

	for (i = 0; i < RTE_DIM(bad); i++) {
		if (console_args_parse(bad[i], &conf) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
	}
}

static void
class_of_a_vdpa_device_is_an_argument(void **state)
{
	static const struct vstate_class *const classes[] = { &vstate_net_class,
		&vstate_blk_class };
	struct vstate_conf conf;

	assert_ptr_equal(vstate_devargs_class(classes, 2, "v", NULL), &vstate_net_class);
	assert_ptr_equal(vstate_devargs_class(classes, 2, "v", "queues=2"), &vstate_net_class);
	assert_ptr_equal(vstate_devargs_class(classes, 2, "v", "class=net"), &vstate_net_class);
	assert_ptr_equal(vstate_devargs_class(classes, 2, "v", "path=/d,class=blk"),
			&vstate_blk_class);
	assert_null(vstate_devargs_class(classes, 2, "v", "class=gpu"));
	assert_null(vstate_devargs_class(classes, 2, "v", "class="));
	assert_int_equal(vstate_devargs_parse(&vstate_blk_class, VSTATE_KIND_VDPA, "v",
			"class=blk,path=/d", &conf), 0);
	assert_string_equal(vstate_blk_conf(&conf)->path, "/d");
	assert_int_equal(vdpa_args_parse("class=net,class=net", &conf), -EINVAL);
}

int
test_vstate_devargs(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(missing_arguments_have_their_defaults),
		cmocka_unit_test(every_key_reaches_its_field),
		cmocka_unit_test(limits_are_accepted_and_values_beyond_are_refused),
		cmocka_unit_test(bad_values_are_refused),
		cmocka_unit_test(duplicates_and_unknown_keys_are_refused),
		cmocka_unit_test(socket_path_that_is_missing_or_too_long_is_refused),
		cmocka_unit_test(keys_of_a_socket_are_refused_for_vdpa),
		cmocka_unit_test(keys_of_a_disk_reach_their_fields),
		cmocka_unit_test(bad_arguments_of_a_disk_are_refused),
		cmocka_unit_test(keys_of_a_scsi_host_reach_their_fields),
		cmocka_unit_test(bad_arguments_of_a_scsi_host_are_refused),
		cmocka_unit_test(keys_of_a_console_reach_their_fields),
		cmocka_unit_test(bad_arguments_of_a_console_are_refused),
		cmocka_unit_test(class_of_a_vdpa_device_is_an_argument),
	};

	return cmocka_run_group_tests_name("vstate_devargs", tests, NULL, NULL);
}
