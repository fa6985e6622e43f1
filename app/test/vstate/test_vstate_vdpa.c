/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file vdpa_vstate with rte_vdpa: when an application may remove the device. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/virtio_config.h>

#include <rte_bitops.h>
#include <rte_ethdev.h>
#include <rte_vdpa.h>
#include <rte_vhost.h>

#include <bus_vdev_driver.h>

#include "rte_vhost_state.h"
#include "rte_vhost_state_backend.h"
#include "ut_groups.h"
#include "ut_socket.h"
#include "dev/vstate_dev.h"
#include "vhost/vstate_vhost_user.h"

#define NAME "vdpa_vstate7"
#define VERSION 1
/* Bound for the work of another thread. */
#define PATIENCE_MS 20000

/* Send a request with a payload of 8 bytes, or one whose reply has 8 bytes; return the reply. */
static uint64_t
request_send(int fd, uint32_t request, uint64_t value, bool answered)
{
	struct __rte_packed_begin {
		uint32_t request, flags, size;
		uint64_t value;
	} __rte_packed_end m = { request, VERSION, answered ? 0 : 8, value };
	ssize_t len = answered ? 12 : 20;

	assert_int_equal(write(fd, &m, len), len);
	if (!answered)
		return 0;
	assert_int_equal(recv(fd, &m, 20, MSG_WAITALL), 20);
	assert_int_equal(m.request, request);
	return m.value;
}

static bool
is_connected(void)
{
	struct rte_vhost_state_info info;

	assert_int_equal(rte_vhost_state_info_get(NAME, &info), 0);
	return info.connected;
}

static void
removal_of_an_attached_device_is_refused_and_it_still_works(void **state)
{
	static const struct rte_vhost_device_ops no_ops;
	const uint64_t v1 = RTE_BIT64(VIRTIO_F_VERSION_1);
	char path[] = "/tmp/vstate-autotest-XXXXXX";
	uint64_t features;
	uint16_t port;
	int fd, ms;

	assert_non_null(mkdtemp(path));
	rmdir(path);
	assert_int_equal(rte_vdev_init(NAME, "queues=2,service=0,port=1"), 0);
	assert_int_equal(rte_vhost_driver_register(path, 0), 0);
	assert_int_equal(rte_vhost_driver_attach_vdpa_device(path,
			rte_vdpa_find_device_by_name(NAME)), 0);
	assert_int_equal(rte_vhost_driver_callback_register(path, &no_ops), 0);
	assert_int_equal(rte_vhost_driver_start(path), 0);
	fd = socket_connect(path);
	features = request_send(fd, MSG_GET_FEATURES, 0, true);
	assert_true(features & v1);
	request_send(fd, MSG_SET_FEATURES, v1, false);
	/* the reply shows that the requests before it are processed */
	request_send(fd, MSG_GET_FEATURES, 0, true);
	assert_true(is_connected());

	assert_int_equal(rte_vdev_uninit(NAME), -EBUSY);
	assert_int_equal(rte_vdev_uninit(NAME), -EBUSY);
	/* the device and its port still exist, and the back end replies */
	assert_non_null(rte_vdpa_find_device_by_name(NAME));
	assert_int_equal(rte_eth_dev_get_port_by_name(NAME, &port), 0);
	assert_true(is_connected());
	assert_true(request_send(fd, MSG_GET_FEATURES, 0, true) == features);
	request_send(fd, MSG_SET_FEATURES, 0, false);
	request_send(fd, MSG_SET_FEATURES, v1, false);
	assert_true(request_send(fd, MSG_GET_FEATURES, 0, true) == features);
	assert_true(vstate_dev_find(NAME)->guest.features & v1);

	close(fd);
	for (ms = 0; ms < PATIENCE_MS && is_connected(); ms++)
		usleep(1000);
	assert_false(is_connected());
	assert_int_equal(rte_vhost_driver_unregister(path), 0);
	assert_int_equal(rte_vdev_uninit(NAME), 0);
	assert_null(rte_vdpa_find_device_by_name(NAME));
	assert_int_equal(rte_eth_dev_get_port_by_name(NAME, &port), -ENODEV);
}

/* Ports are few (RTE_MAX_ETHPORTS). A device that a service polls takes none. */
static void
device_without_a_port_takes_no_port(void **state)
{
	char name[32], args[64];
	unsigned int i, used;
	uint16_t port;

	RTE_SET_USED(state);
	assert_int_equal(rte_vdev_init(NAME, "queues=2,service=0"), -EINVAL);
	used = rte_eth_dev_count_total();
	for (i = used; i < RTE_MAX_ETHPORTS; i++) {
		snprintf(name, sizeof(name), "net_vstate%u", 100 + i);
		snprintf(args, sizeof(args), "iface=/tmp/vstate-many-%d.%u", getpid(), i);
		assert_int_equal(rte_vdev_init(name, args), 0);
	}
	/* one more has no port, and says so; it leaves nothing behind */
	snprintf(args, sizeof(args), "iface=/tmp/vstate-many-%d.x", getpid());
	assert_int_equal(rte_vdev_init("net_vstate99", args), -ENOSPC);
	assert_null(vstate_dev_find("net_vstate99"));
	assert_int_equal(rte_vdev_init(NAME, "queues=2"), 0);
	assert_non_null(rte_vdpa_find_device_by_name(NAME));
	assert_int_equal(rte_eth_dev_get_port_by_name(NAME, &port), -ENODEV);
	assert_int_equal(rte_vdev_uninit(NAME), 0);
	for (i = used; i < RTE_MAX_ETHPORTS; i++) {
		snprintf(name, sizeof(name), "net_vstate%u", 100 + i);
		assert_int_equal(rte_vdev_uninit(name), 0);
	}
}

int
test_vstate_vdpa(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(device_without_a_port_takes_no_port),
		cmocka_unit_test(removal_of_an_attached_device_is_refused_and_it_still_works),
	};

	return cmocka_run_group_tests_name("vstate_vdpa", tests, NULL, NULL);
}
