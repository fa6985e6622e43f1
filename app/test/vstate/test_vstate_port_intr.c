/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * Receive interrupts: a thread that sleeps is woken when a guest sends, and no wake-up is lost. The
 * environment variable VSTATE_SLEEPS sets the number of sleeps for each kind of ring.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_epoll.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_pause.h>

#include <vstate_compat.h>

#include "ut_fds.h"
#include "ut_groups.h"
#include "ut_port.h"
#include "dev/vstate_class.h"
#include "dev/vstate_start.h"

#define LATE_MS 10000
#define SLEEPS 3000

static unsigned int rounds;

/* Send one frame at a time, at times that have nothing to do with those of the device. */
static void *
guest_main(void *arg)
{
	unsigned int i, k, seed = 7;
	uint16_t id;
	uint32_t len;

	RTE_SET_USED(arg);
	for (i = 0; i < rounds; i++) {
		for (k = rand_r(&seed) % 4000; k > 0; k--)
			rte_pause();
		ut_port_send();
		while (!ring_get_used(&ut_port.ring, &id, &len))
			rte_pause();
	}
	return NULL;
}

static int
intr_setup(void **state)
{
	const struct rte_eth_conf conf = { .intr_conf.rxq = 1 };

	RTE_SET_USED(state);
	ut_port_open(2);
	ut_port_configure(&conf);
	assert_int_equal(rte_eth_dev_start(ut_port.port), 0);
	assert_int_equal(rte_eth_dev_rx_intr_ctl_q(ut_port.port, 0, RTE_EPOLL_PER_THREAD,
			RTE_INTR_EVENT_ADD, NULL), 0);
	return 0;
}

static int
intr_teardown(void **state)
{
	RTE_SET_USED(state);
	ut_port_close();
	return 0;
}

/* ---- the application ---- */

static int
app_sleep(int ms)
{
	struct rte_epoll_event event;

	return rte_epoll_wait(RTE_EPOLL_PER_THREAD, &event, 1, ms);
}

static void
sleeps_run(bool packed, bool event_idx)
{
	unsigned int got = 0, sleeps = 0, late = 0, n;
	const char *wanted = getenv("VSTATE_SLEEPS");
	struct vstate_thread guest;

	rounds = wanted != NULL ? strtoul(wanted, NULL, 0) : SLEEPS;
	ut_port_connect(packed, event_idx);
	assert_int_equal(vstate_thread_create(&guest, "guest", guest_main, NULL), 0);
	while (got < rounds) {
		n = ut_port_receive();
		got += n;
		if (n > 0)
			continue;
		assert_int_equal(rte_eth_dev_rx_intr_enable(ut_port.port, 0), 0);
		late += app_sleep(LATE_MS) != 1;
		sleeps++;
		assert_int_equal(rte_eth_dev_rx_intr_disable(ut_port.port, 0), 0);
	}
	vstate_thread_join(&guest);
	printf("# %u frames, %u sleeps, %u wake-ups lost\n", got, sleeps, late);
	assert_int_equal(late, 0);
	assert_true(sleeps > rounds / 4);
	ut_port_disconnect();
}

static void
no_wake_up_is_lost_split(void **state)
{
	RTE_SET_USED(state);
	sleeps_run(false, false);
}

static void
no_wake_up_is_lost_split_event_idx(void **state)
{
	RTE_SET_USED(state);
	sleeps_run(false, true);
}

static void
no_wake_up_is_lost_packed(void **state)
{
	RTE_SET_USED(state);
	sleeps_run(true, false);
}

static void
frame_that_is_there_already_wakes_at_once(void **state)
{
	RTE_SET_USED(state);
	ut_port_connect(false, false);
	/* the device polls: no kick is wanted */
	assert_false(ut_port_send());
	assert_int_equal(rte_eth_dev_rx_intr_enable(ut_port.port, 0), 0);
	assert_int_equal(app_sleep(LATE_MS), 1);
	assert_int_equal(ut_port_receive(), 1);
	/* an event that was served does not wake again */
	assert_int_equal(rte_eth_dev_rx_intr_enable(ut_port.port, 0), 0);
	assert_int_equal(app_sleep(20), 0);
	assert_true(ut_port_send());
	assert_int_equal(app_sleep(LATE_MS), 1);
	assert_int_equal(ut_port_receive(), 1);
	/* awake, the device asks for no kicks */
	assert_int_equal(rte_eth_dev_rx_intr_disable(ut_port.port, 0), 0);
	assert_false(ut_port_send());
	assert_int_equal(ut_port_receive(), 1);
	ut_port_disconnect();
}

/* A grant suppresses kicks: a thread that sleeps must ask for them again. */
static void
device_that_is_set_up_again_wakes_the_thread(void **state)
{
	int old;

	RTE_SET_USED(state);
	/* asleep before there is a guest */
	assert_int_equal(rte_eth_dev_rx_intr_enable(ut_port.port, 0), 0);
	assert_int_equal(app_sleep(20), 0);
	ut_port_connect(true, false);
	assert_int_equal(app_sleep(LATE_MS), 1);
	assert_int_equal(rte_eth_dev_rx_intr_enable(ut_port.port, 0), 0);
	vstate_start_sync(ut_port.dev, &ut_port.setup);
	assert_int_equal(app_sleep(LATE_MS), 1);
	/* with another eventfd, and the old one has no effect any more */
	old = ut_port.kickfd;
	ut_port.kickfd = ut_port.setup.rings[UT_PORT_QID].kickfd = eventfd(0, EFD_NONBLOCK);
	ut_port.setup.rings[UT_PORT_QID].kickfd_fresh = true;
	vstate_start_sync(ut_port.dev, &ut_port.setup);
	assert_int_equal(rte_eth_dev_rx_intr_enable(ut_port.port, 0), 0);
	assert_int_equal(app_sleep(20), 0);
	assert_int_equal(eventfd_write(old, 1), 0);
	assert_int_equal(app_sleep(20), 0);
	assert_true(ut_port_send());
	assert_int_equal(app_sleep(LATE_MS), 1);
	assert_int_equal(ut_port_receive(), 1);
	close(old);
	ut_port_disconnect();
}

static void
announcement_wakes_the_thread(void **state)
{
	RTE_SET_USED(state);
	ut_port_connect(false, false);
	assert_int_equal(rte_eth_dev_rx_intr_enable(ut_port.port, 0), 0);
	assert_int_equal(app_sleep(20), 0);
	vstate_start_message(ut_port.dev, VSTATE_CLASS_MSG_RARP, 0x563412005452);
	assert_int_equal(app_sleep(LATE_MS), 1);
	assert_int_equal(ut_port_receive(), 1);
	ut_port_disconnect();
}

/* An application with an epoll loop of its own, level-triggered, takes the file descriptor. */
static void
file_descriptor_can_be_polled_directly(void **state)
{
	struct pollfd fd = { .events = POLLIN };

	RTE_SET_USED(state);
	fd.fd = rte_eth_dev_rx_intr_ctl_q_get_fd(ut_port.port, 0);
	assert_true(fd.fd >= 0);
	ut_port_connect(false, false);
	assert_int_equal(rte_eth_dev_rx_intr_enable(ut_port.port, 0), 0);
	assert_int_equal(poll(&fd, 1, 20), 0);
	assert_true(ut_port_send());
	assert_int_equal(poll(&fd, 1, LATE_MS), 1);
	assert_int_equal(ut_port_receive(), 1);
	/* it stays readable until interrupts are enabled again */
	assert_int_equal(poll(&fd, 1, 0), 1);
	assert_int_equal(rte_eth_dev_rx_intr_enable(ut_port.port, 0), 0);
	assert_int_equal(poll(&fd, 1, 20), 0);
	ut_port_disconnect();
}

/* Restarts keep the file descriptor; a port without interrupts has none. */
static void
interrupts_follow_the_configuration(void **state)
{
	int fd = rte_eth_dev_rx_intr_ctl_q_get_fd(ut_port.port, 0);

	RTE_SET_USED(state);
	assert_int_equal(rte_eth_dev_stop(ut_port.port), 0);
	assert_int_equal(rte_eth_dev_start(ut_port.port), 0);
	assert_int_equal(rte_eth_dev_rx_intr_ctl_q_get_fd(ut_port.port, 0), fd);
	assert_int_equal(rte_eth_dev_stop(ut_port.port), 0);
	ut_port_configure(&(const struct rte_eth_conf){ 0 });
	assert_int_equal(rte_eth_dev_start(ut_port.port), 0);
	assert_true(rte_eth_dev_rx_intr_ctl_q_get_fd(ut_port.port, 0) < 0);
	assert_int_equal(rte_eth_dev_rx_intr_enable(ut_port.port, 0), -ENOTSUP);
	assert_int_equal(rte_eth_dev_rx_intr_disable(ut_port.port, 0), -ENOTSUP);
}

/* What a front end passes need not be an eventfd. */
static void
kick_of_another_kind_harms_nothing(void **state)
{
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	RTE_SET_USED(state);
	assert_true(file >= 0);
	ut_port_connect(false, false);
	ut_port.setup.rings[UT_PORT_QID].kickfd = file;
	ut_port.setup.rings[UT_PORT_QID].kickfd_fresh = true;
	vstate_start_sync(ut_port.dev, &ut_port.setup);
	assert_int_equal(rte_eth_dev_rx_intr_enable(ut_port.port, 0), 0);
	ut_port_send();
	assert_int_equal(ut_port_receive(), 1);
	ut_port.setup.rings[UT_PORT_QID].kickfd = -1;
	vstate_start_sync(ut_port.dev, &ut_port.setup);
	ut_port_send();
	assert_int_equal(ut_port_receive(), 1);
	close(file);
	ut_port_disconnect();
}

/* The application configures its port with interrupts and without them, again and again. */
static void
port_that_is_configured_again_leaves_no_descriptor(void **state)
{
	const unsigned int before = fds_count();
	struct rte_eth_conf conf = { 0 };
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < 4; i++) {
		conf.intr_conf.rxq = i % 2;
		assert_int_equal(rte_eth_dev_stop(ut_port.port), 0);
		ut_port_configure(&conf);
		assert_int_equal(rte_eth_dev_start(ut_port.port), 0);
	}
	assert_int_equal(fds_count(), before);
}

int
test_vstate_port_intr(void)
{
#define INTR_TEST(f) cmocka_unit_test_setup_teardown(f, intr_setup, intr_teardown)
	static const struct CMUnitTest tests[] = {
		INTR_TEST(port_that_is_configured_again_leaves_no_descriptor),
		INTR_TEST(no_wake_up_is_lost_split),
		INTR_TEST(no_wake_up_is_lost_split_event_idx),
		INTR_TEST(no_wake_up_is_lost_packed),
		INTR_TEST(frame_that_is_there_already_wakes_at_once),
		INTR_TEST(device_that_is_set_up_again_wakes_the_thread),
		INTR_TEST(announcement_wakes_the_thread),
		INTR_TEST(file_descriptor_can_be_polled_directly),
		INTR_TEST(interrupts_follow_the_configuration),
		INTR_TEST(kick_of_another_kind_harms_nothing),
	};

	return cmocka_run_group_tests_name("vstate_port_intr", tests, NULL, NULL);
}
