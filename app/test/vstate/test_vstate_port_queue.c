/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file The queues of the port: start and stop of each, what waits in them, their events. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_alarm.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <vstate_compat.h>

#include "ut_groups.h"
#include "ut_port.h"
#include "dev/vstate_start.h"

static int
queue_setup(void **state)
{
	const struct rte_eth_conf conf = { 0 };

	RTE_SET_USED(state);
	ut_port_open(2);
	ut_port_configure(&conf);
	return 0;
}

static int
queue_teardown(void **state)
{
	RTE_SET_USED(state);
	ut_port_close();
	return 0;
}

static void
stopped_queue_receives_nothing_and_loses_nothing(void **state)
{
	struct rte_eth_rxq_info info;

	RTE_SET_USED(state);
	assert_int_equal(rte_eth_dev_start(ut_port.port), 0);
	ut_port_connect(false, false);
	assert_int_equal(rte_eth_dev_rx_queue_stop(ut_port.port, 0), 0);
	assert_int_equal(rte_eth_rx_queue_info_get(ut_port.port, 0, &info), 0);
	assert_int_equal(info.queue_state, RTE_ETH_QUEUE_STATE_STOPPED);
	assert_int_equal(info.nb_desc, 64);
	assert_ptr_equal(info.mp, ut_port.pool);
	ut_port_send();
	assert_int_equal(ut_port_receive(), 0);
	assert_int_equal(rte_eth_dev_rx_queue_start(ut_port.port, 0), 0);
	assert_int_equal(rte_eth_rx_queue_info_get(ut_port.port, 0, &info), 0);
	assert_int_equal(info.queue_state, RTE_ETH_QUEUE_STATE_STARTED);
	assert_int_equal(ut_port_receive(), 1);
	ut_port_disconnect();
}

/* The guest's receive queues are its ring too, so that the port has something to send to. */
static void
ring_becomes_receive_queues(void)
{
	unsigned int pair;

	for (pair = 0; pair < 2; pair++) {
		ut_port.setup.rings[VSTATE_RXQ(pair)] = ut_port.setup.rings[UT_PORT_QID];
		ut_port.setup.rings[VSTATE_RXQ(pair)].ready = pair == 0;
	}
	ut_port.setup.rings[VSTATE_RXQ(0)].base_fresh = true;
	ut_port.setup.rings[UT_PORT_QID].ready = false;
	vstate_start_sync(ut_port.dev, &ut_port.setup);
}

static void
buffer_add(void)
{
	const struct piece p = { RING_BUF_GPA, 1024 };

	ring_add(&ut_port.ring, &p, 1, true);
}

static uint16_t
frame_transmit(void)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(ut_port.pool);
	uint16_t sent;

	assert_non_null(m);
	rte_pktmbuf_append(m, 60);
	sent = rte_eth_tx_burst(ut_port.port, 0, &m, 1);
	if (sent == 0)
		rte_pktmbuf_free(m);
	return sent;
}

static void
stopped_queue_sends_nothing(void **state)
{
	const struct rte_eth_txconf deferred = { .tx_deferred_start = 1 };
	struct rte_eth_txq_info info;

	RTE_SET_USED(state);
	assert_int_equal(rte_eth_tx_queue_setup(ut_port.port, 0, 64, SOCKET_ID_ANY, &deferred), 0);
	assert_int_equal(rte_eth_dev_start(ut_port.port), 0);
	assert_int_equal(rte_eth_tx_queue_info_get(ut_port.port, 0, &info), 0);
	assert_int_equal(info.queue_state, RTE_ETH_QUEUE_STATE_STOPPED);
	ut_port_connect(false, false);
	ring_becomes_receive_queues();
	buffer_add();
	assert_int_equal(frame_transmit(), 0);
	assert_int_equal(rte_eth_dev_tx_queue_start(ut_port.port, 0), 0);
	assert_int_equal(frame_transmit(), 1);
	buffer_add();
	assert_int_equal(rte_eth_dev_tx_queue_stop(ut_port.port, 0), 0);
	assert_int_equal(frame_transmit(), 0);
	ut_port_disconnect();
}

static void
status_of_descriptors_is_what_waits(void **state)
{
	RTE_SET_USED(state);
	assert_int_equal(rte_eth_dev_start(ut_port.port), 0);
	ut_port_connect(false, false);
	assert_int_equal(rte_eth_rx_queue_count(ut_port.port, 0), 0);
	assert_int_equal(rte_eth_rx_descriptor_status(ut_port.port, 0, 0), RTE_ETH_RX_DESC_AVAIL);
	ut_port_send();
	ut_port_send();
	assert_int_equal(rte_eth_rx_queue_count(ut_port.port, 0), 2);
	assert_int_equal(rte_eth_rx_descriptor_status(ut_port.port, 0, 1), RTE_ETH_RX_DESC_DONE);
	assert_int_equal(rte_eth_rx_descriptor_status(ut_port.port, 0, 2), RTE_ETH_RX_DESC_AVAIL);
	assert_int_equal(rte_eth_rx_descriptor_status(ut_port.port, 0, 64), -EINVAL);
	assert_int_equal(ut_port_receive(), 2);
	assert_int_equal(rte_eth_rx_descriptor_status(ut_port.port, 0, 0), RTE_ETH_RX_DESC_AVAIL);
	/* no buffer of the guest: the queue is full */
	assert_int_equal(rte_eth_tx_descriptor_status(ut_port.port, 0, 0), RTE_ETH_TX_DESC_FULL);
	assert_int_equal(rte_eth_tx_descriptor_status(ut_port.port, 0, 64), -EINVAL);
	ut_port_disconnect();
	ut_port_connect(false, false);
	ring_becomes_receive_queues();
	buffer_add();
	assert_int_equal(rte_eth_tx_descriptor_status(ut_port.port, 0, 0), RTE_ETH_TX_DESC_DONE);
	assert_int_equal(rte_eth_tx_descriptor_status(ut_port.port, 0, 1), RTE_ETH_TX_DESC_FULL);
	/* frames are freed at once */
	assert_int_equal(rte_eth_tx_done_cleanup(ut_port.port, 0, 0), 0);
	ut_port_disconnect();
}

static unsigned int queue_events;

static int
on_queue_event(uint16_t port, enum rte_eth_event_type type, void *arg, void *ret)
{
	RTE_SET_USED(port);
	RTE_SET_USED(type);
	RTE_SET_USED(arg);
	RTE_SET_USED(ret);
	rte_atomic_fetch_add_explicit(&queue_events, 1, rte_memory_order_release);
	return 0;
}

static void
flag_set(void *flag)
{
	rte_atomic_store_explicit((uint32_t *)flag, 1, rte_memory_order_release);
}

/* EAL's interrupt thread serves the alarm after earlier events. */
static unsigned int
events_count(void)
{
	uint32_t flag = 0;

	assert_int_equal(rte_eal_alarm_set(1, flag_set, &flag), 0);
	while (rte_atomic_load_explicit(&flag, rte_memory_order_acquire) == 0)
		usleep(10);
	return rte_atomic_load_explicit(&queue_events, rte_memory_order_acquire);
}

static void
change_of_the_guests_queues_is_an_event(void **state)
{
	RTE_SET_USED(state);
	queue_events = 0;
	assert_int_equal(rte_eth_dev_callback_register(ut_port.port, RTE_ETH_EVENT_QUEUE_STATE,
			on_queue_event, NULL), 0);
	assert_int_equal(rte_eth_dev_start(ut_port.port), 0);
	assert_int_equal(events_count(), 0);
	ut_port_connect(false, false);
	ring_becomes_receive_queues();
	assert_int_equal(events_count(), 1);
	/* nothing changes */
	ut_port.setup.rings[VSTATE_RXQ(0)].base_fresh = false;
	vstate_start_sync(ut_port.dev, &ut_port.setup);
	assert_int_equal(events_count(), 1);
	vstate_start_ring_end(ut_port.dev, VSTATE_RXQ(0));
	assert_int_equal(events_count(), 2);
	ut_port_disconnect();
	assert_int_equal(rte_eth_dev_callback_unregister(ut_port.port, RTE_ETH_EVENT_QUEUE_STATE,
			on_queue_event, NULL), 0);
}

int
test_vstate_port_queue(void)
{
#define QUEUE_TEST(f) cmocka_unit_test_setup_teardown(f, queue_setup, queue_teardown)
	static const struct CMUnitTest tests[] = {
		QUEUE_TEST(stopped_queue_receives_nothing_and_loses_nothing),
		QUEUE_TEST(stopped_queue_sends_nothing),
		QUEUE_TEST(status_of_descriptors_is_what_waits),
		QUEUE_TEST(change_of_the_guests_queues_is_an_event),
	};

	return cmocka_run_group_tests_name("vstate_port_queue", tests, NULL, NULL);
}
