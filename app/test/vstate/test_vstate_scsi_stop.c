/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * A SCSI host's task management functions, which are answered after the commands that they abort;
 * and its stops: commands end before a stop, or wait and move with the state.
 */

#include <errno.h>
#include <string.h>

#include <linux/virtio_scsi.h>

#include <rte_byteorder.h>
#include <rte_common.h>
#include <rte_cycles.h>

#include "block/vstate_blk_conf.h"
#include "block/vstate_scsi.h"
#include "block/vstate_scsi_conf.h"
#include "block/vstate_scsi_event.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_start.h"
#include "ring/vstate_inflight.h"
#include "ring/vstate_lease.h"
#include "rte_vhost_state.h"
#include "rte_vhost_state_backend.h"
#include "ut_groups.h"
#include "ut_scsi.h"

#define TMF(name) VIRTIO_SCSI_T_TMF_##name
#define COMPLETE 0
#define SUCCEEDED VIRTIO_SCSI_S_FUNCTION_SUCCEEDED
#define REJECTED VIRTIO_SCSI_S_FUNCTION_REJECTED
#define ABORTED SCSI_RESULT(VIRTIO_SCSI_S_ABORTED, 0)
#define RESET SCSI_RESULT(VIRTIO_SCSI_S_RESET, 0)
/* Commands under way at a stop: writes and a flush. */
#define NB 8
#define LEN 512
/* A request that does not return in this time never does. */
#define COMPLETE_S 10

static const uint8_t test_unit_ready[16];
static const uint8_t sync_cache[16] = { 0x35 };

static struct vstate_conf
slow_conf(uint16_t luns, uint32_t delay_us)
{
	struct vstate_conf conf = scsi_conf(luns);

	vstate_scsi_conf(&conf)->store.delay_us = delay_us;
	return conf;
}

static void
ready_open(struct scsi *s, const struct vstate_conf *conf, bool packed)
{
	unsigned int lun;

	scsi_open(s, "test_scsi", conf, packed);
	for (lun = 0; lun < s->host->serve.nb_stores; lun++)
		scsi_ready(s, lun);
}

/* Command @p i writes block @p i of a unit. It is available, and not taken yet. */
static uint16_t
write_add(struct scsi *s, unsigned int i, unsigned int lun)
{
	uint8_t cdb[16];

	scsi_transfer_cdb(cdb, true, i, 1);
	scsi_data_fill(s, i, LEN, 40 + i);
	return scsi_add(s, i, lun, cdb, LEN, false);
}

/* Poll until the function is answered. @return commands that had returned before */
static unsigned int
answer_await(struct scsi *s, uint8_t response)
{
	const uint64_t end = rte_rdtsc() + COMPLETE_S * rte_get_tsc_hz();
	const uint8_t *answer;
	unsigned int n = 0;
	uint32_t len;
	uint16_t id;

	for (;;) {
		vstate_scsi_poll(s->dev);
		answer = scsi_ctrl_get(s, &len);
		while (ring_get_used(&s->ring, &id, &len))
			n++;
		if (answer != NULL)
			break;
		assert_true(rte_rdtsc() < end);
	}
	assert_int_equal(*answer, response);
	return n;
}

/* ---- task management functions ---- */

static void
functions_without_commands_are_complete(void **state)
{
	struct vstate_conf conf = scsi_conf(2);
	static const struct {
		uint32_t subtype;
		unsigned int lun;
		uint8_t response;
	} rows[] = {
		{ TMF(ABORT_TASK), 0, COMPLETE },
		{ TMF(ABORT_TASK_SET), 1, COMPLETE },
		{ TMF(CLEAR_ACA), 0, REJECTED },
		{ TMF(CLEAR_TASK_SET), 0, COMPLETE },
		{ TMF(I_T_NEXUS_RESET), 0, COMPLETE },
		{ TMF(LOGICAL_UNIT_RESET), 1, COMPLETE },
		{ TMF(QUERY_TASK), 0, COMPLETE },
		{ TMF(QUERY_TASK_SET), 1, COMPLETE },
		{ 8, 0, REJECTED },
		{ UINT32_MAX, 0, REJECTED },
		{ TMF(LOGICAL_UNIT_RESET), 2, VIRTIO_SCSI_S_INCORRECT_LUN },
		{ TMF(ABORT_TASK), 7, VIRTIO_SCSI_S_INCORRECT_LUN },
		{ TMF(I_T_NEXUS_RESET), 7, COMPLETE },
	};
	struct scsi s;
	unsigned int i;

	ready_open(&s, &conf, false);
	for (i = 0; i < RTE_DIM(rows); i++) {
		if (scsi_tmf(&s, rows[i].subtype, rows[i].lun, 100) != rows[i].response)
			fail_msg("row %u", i);
	}
	assert_int_equal(vstate_scsi_vq_of(s.dev->vqs[0])->counters.tmfs, RTE_DIM(rows));
	/* each unit reports a reset once: logical unit 1 has had two kinds */
	assert_int_equal(scsi_do(&s, 0, test_unit_ready, 0, false), SCSI_CHECK);
	assert_int_equal(scsi_sense(&s, 0), VSTATE_SCSI_NEXUS_LOSS);
	assert_int_equal(scsi_do(&s, 0, test_unit_ready, 0, false), SCSI_OK);
	assert_int_equal(scsi_do(&s, 1, test_unit_ready, 0, false), SCSI_CHECK);
	assert_int_equal(scsi_sense(&s, 0), VSTATE_SCSI_BUS_RESET);
	assert_int_equal(scsi_do(&s, 1, test_unit_ready, 0, false), SCSI_CHECK);
	assert_int_equal(scsi_sense(&s, 0), VSTATE_SCSI_NEXUS_LOSS);
	assert_int_equal(scsi_do(&s, 1, test_unit_ready, 0, false), SCSI_OK);
	scsi_close(&s);
}

static void
requests_of_the_control_queue_are_checked(void **state)
{
	struct vstate_conf conf = scsi_conf(1);
	struct virtio_scsi_ctrl_an_req an = { .type = rte_cpu_to_le_32(VIRTIO_SCSI_T_AN_QUERY),
		.lun = { 1, 0, 0x40, 0 }, .event_requested = UINT32_MAX };
	struct virtio_scsi_ctrl_tmf_req tmf = { .lun = { 1, 9, 0x40, 0 } };
	struct virtio_scsi_ctrl_an_resp resp;
	const uint8_t *answer;
	struct scsi s;
	uint32_t len, i;

	ready_open(&s, &conf, false);
	/* no event is served */
	for (i = 0; i < 2; i++) {
		an.type = rte_cpu_to_le_32(VIRTIO_SCSI_T_AN_QUERY + i);
		scsi_ctrl_add(&s, &an, sizeof(an), sizeof(resp));
		vstate_scsi_poll(s.dev);
		answer = scsi_ctrl_get(&s, &len);
		assert_non_null(answer);
		assert_int_equal(len, sizeof(resp));
		memcpy(&resp, answer, sizeof(resp));
		assert_int_equal(resp.event_actual, 0);
		assert_int_equal(resp.response, VIRTIO_SCSI_S_OK);
	}
	an.lun[3] = 4;
	scsi_ctrl_add(&s, &an, sizeof(an), sizeof(resp));
	vstate_scsi_poll(s.dev);
	answer = scsi_ctrl_get(&s, &len);
	assert_int_equal(answer[4], VIRTIO_SCSI_S_INCORRECT_LUN);
	scsi_ctrl_add(&s, &tmf, sizeof(tmf), 1);
	vstate_scsi_poll(s.dev);
	answer = scsi_ctrl_get(&s, &len);
	assert_int_equal(*answer, VIRTIO_SCSI_S_BAD_TARGET);
	/* too short, no room, no such type: returned without an answer */
	scsi_ctrl_add(&s, &tmf, sizeof(tmf) - 1, 1);
	scsi_ctrl_add(&s, &an, sizeof(an), 4);
	tmf.type = rte_cpu_to_le_32(3);
	scsi_ctrl_add(&s, &tmf, sizeof(tmf), 1);
	scsi_ctrl_add(&s, &tmf, 3, 1);
	vstate_scsi_poll(s.dev);
	for (i = 0; i < 4; i++) {
		answer = scsi_ctrl_get(&s, &len);
		assert_non_null(answer);
		assert_int_equal(len, 0);
		assert_int_equal(*answer, SCSI_NO_RESPONSE);
	}
	assert_int_equal(vstate_scsi_vq_of(s.dev->vqs[0])->blk.counters.malformed, 4);
	assert_int_equal(s.dev->vqs[0]->fault, VSTATE_FAULT_NONE);
	scsi_close(&s);
}

/* The commands are not even taken from the ring when the function is made available. */
static void
aborted_commands_return_before_the_answer(void **state)
{
	struct vstate_conf conf = slow_conf(2, 30000);
	static const struct {
		uint32_t subtype;
		uint16_t result;
	} rows[] = {
		{ TMF(ABORT_TASK_SET), ABORTED },
		{ TMF(CLEAR_TASK_SET), ABORTED },
		{ TMF(LOGICAL_UNIT_RESET), RESET },
	};
	struct scsi s;
	unsigned int i, k;

	ready_open(&s, &conf, false);
	for (i = 0; i < RTE_DIM(rows); i++) {
		for (k = 0; k < 6; k++)
			write_add(&s, k, k % 2);
		scsi_tmf_add(&s, rows[i].subtype, 1, 0);
		assert_true(answer_await(&s, COMPLETE) >= 3);
		for (k = 1; k < 6; k += 2)
			assert_int_equal(scsi_result(&s, k), rows[i].result);
		/* those of the other unit end as if nothing had been */
		while (s.q->blk.nb_out != 0)
			vstate_scsi_poll(s.dev);
		vstate_scsi_poll(s.dev);
		answer_await(&s, (scsi_tmf_add(&s, TMF(QUERY_TASK_SET), 0, 0), COMPLETE));
		for (k = 0; k < 6; k += 2)
			assert_int_equal(scsi_result(&s, k), SCSI_OK);
		assert_int_equal(s.q->counters.aborted, 3 * (i + 1));
		assert_int_equal(vstate_inflight_count(s.vq), 0);
	}
	assert_int_equal(scsi_do(&s, 1, test_unit_ready, 0, false), SCSI_CHECK);
	assert_int_equal(scsi_sense(&s, 0), VSTATE_SCSI_BUS_RESET);
	assert_int_equal(scsi_do(&s, 0, test_unit_ready, 0, false), SCSI_OK);
	scsi_close(&s);
}

static void
one_command_is_aborted_by_its_tag(void **state)
{
	struct vstate_conf conf = slow_conf(2, 30000);
	struct scsi s;
	unsigned int k;

	ready_open(&s, &conf, false);
	for (k = 0; k < 4; k++)
		write_add(&s, k, 0);
	scsi_add(&s, 4, 0, sync_cache, 0, false);
	scsi_tmf_add(&s, TMF(QUERY_TASK), 0, 102);
	assert_int_equal(answer_await(&s, SUCCEEDED), 0);
	scsi_tmf_add(&s, TMF(QUERY_TASK_SET), 0, 0);
	assert_int_equal(answer_await(&s, SUCCEEDED), 0);
	/* another unit's tag, and one that does not exist */
	scsi_tmf_add(&s, TMF(QUERY_TASK), 1, 102);
	answer_await(&s, COMPLETE);
	scsi_tmf_add(&s, TMF(ABORT_TASK), 0, 77);
	answer_await(&s, COMPLETE);
	assert_int_equal(s.q->blk.nb_out, 5);
	scsi_tmf_add(&s, TMF(ABORT_TASK), 0, 102);
	answer_await(&s, COMPLETE);
	assert_int_equal(scsi_result(&s, 2), ABORTED);
	while (s.q->blk.nb_out != 0)
		vstate_scsi_poll(s.dev);
	for (k = 0; k < 5; k++)
		assert_int_equal(scsi_result(&s, k), k == 2 ? ABORTED : SCSI_OK);
	assert_int_equal(s.q->counters.aborted, 1);
	scsi_close(&s);
}

static void
nexus_reset_is_for_all_units(void **state)
{
	struct vstate_conf conf = slow_conf(2, 30000);
	struct scsi s;
	unsigned int k;

	ready_open(&s, &conf, false);
	for (k = 0; k < 4; k++)
		write_add(&s, k, k % 2);
	scsi_tmf_add(&s, TMF(I_T_NEXUS_RESET), 0, 0);
	assert_int_equal(answer_await(&s, COMPLETE), 4);
	for (k = 0; k < 4; k++)
		assert_int_equal(scsi_result(&s, k), RESET);
	for (k = 0; k < 2; k++) {
		assert_int_equal(scsi_do(&s, k, test_unit_ready, 0, false), SCSI_CHECK);
		assert_int_equal(scsi_sense(&s, 0), VSTATE_SCSI_NEXUS_LOSS);
	}
	scsi_close(&s);
}

/* ---- queues that do not run yet, or no more ---- */

/* After a crash the control queue runs before a queue of requests, which has commands. */
static void
function_waits_for_rings_that_come(void **state)
{
	struct vstate_conf conf = scsi_conf(1);
	struct vstate_ring_setup *ring;
	struct scsi s;
	unsigned int i;
	uint32_t len;

	ready_open(&s, &conf, false);
	ring = &s.setup.rings[VSTATE_SCSI_VQ_FIRST];
	vstate_start_announce_addr(s.dev, VSTATE_SCSI_VQ_FIRST, 1, 2, 3);
	vstate_start_ring_end(s.dev, VSTATE_SCSI_VQ_FIRST);
	write_add(&s, 0, 0);
	scsi_tmf_add(&s, TMF(LOGICAL_UNIT_RESET), 0, 0);
	for (i = 0; i < 10; i++)
		vstate_scsi_poll(s.dev);
	assert_null(scsi_ctrl_get(&s, &len));
	assert_int_equal(vstate_start_ring(s.dev, VSTATE_SCSI_VQ_FIRST, ring), 0);
	assert_int_equal(answer_await(&s, COMPLETE), 1);
	/* a ring that was taken back, and one that never came, is not waited for */
	vstate_start_end(s.dev, false);
	ring->ready = false;
	vstate_start(s.dev, &s.setup);
	answer_await(&s, (scsi_tmf_add(&s, TMF(LOGICAL_UNIT_RESET), 0, 0), COMPLETE));
	scsi_close(&s);
}

/* A stop has taken one lease already when the function looks. */
static void
function_waits_for_queues_that_stop(void **state)
{
	struct vstate_conf conf = scsi_conf(1);
	struct scsi s;
	unsigned int i;
	uint32_t len;

	ready_open(&s, &conf, false);
	write_add(&s, 0, 0);
	scsi_tmf_add(&s, TMF(LOGICAL_UNIT_RESET), 0, 0);
	vstate_lease_revoke(&s.vq->lease);
	for (i = 0; i < 10; i++)
		vstate_scsi_poll(s.dev);
	assert_null(scsi_ctrl_get(&s, &len));
	vstate_lease_grant(&s.vq->lease);
	assert_int_equal(answer_await(&s, COMPLETE), 1);
	scsi_close(&s);
}

/* ---- a stop with a function under way ---- */

static void
suspended_function_begins_again(void **state)
{
	struct vstate_conf conf = slow_conf(1, 100000);
	struct rte_vhost_state_error err;
	struct scsi s;
	unsigned int i;
	uint32_t len;

	ready_open(&s, &conf, false);
	write_add(&s, 0, 0);
	scsi_tmf_add(&s, TMF(LOGICAL_UNIT_RESET), 0, 0);
	for (i = 0; i < 3; i++)
		vstate_scsi_poll(s.dev);
	assert_int_equal(s.host->ctrl.phase, VSTATE_SCSI_CTRL_ABORT);
	/* the command was given up: it ends at the stop. The function waits. */
	assert_int_equal(rte_vhost_state_suspend("test_scsi", 0, &err), 0);
	assert_int_equal(scsi_result(&s, 0), RESET);
	assert_int_equal(vstate_inflight_count(s.dev->vqs[0]), 1);
	assert_null(scsi_ctrl_get(&s, &len));
	assert_int_equal(rte_vhost_state_resume("test_scsi", &err), 0);
	assert_int_equal(answer_await(&s, COMPLETE), 1);
	assert_int_equal(vstate_inflight_count(s.dev->vqs[0]), 0);
	scsi_close(&s);
}

static void
function_ends_before_the_rings_are_taken_back(void **state)
{
	struct vstate_conf conf = slow_conf(1, 30000);
	struct scsi s;
	const uint8_t *answer;
	unsigned int i;
	uint32_t len;

	/* aborted commands under way */
	ready_open(&s, &conf, false);
	write_add(&s, 0, 0);
	scsi_tmf_add(&s, TMF(LOGICAL_UNIT_RESET), 0, 0);
	for (i = 0; i < 3; i++)
		vstate_scsi_poll(s.dev);
	vstate_start_end(s.dev, false);
	assert_int_equal(scsi_result(&s, 0), RESET);
	answer = scsi_ctrl_get(&s, &len);
	assert_non_null(answer);
	assert_int_equal(*answer, COMPLETE);
	scsi_close(&s);
	/* a command that came before it is still in the ring: it cannot be done */
	ready_open(&s, &conf, false);
	write_add(&s, 0, 0);
	scsi_tmf_add(&s, TMF(LOGICAL_UNIT_RESET), 0, 0);
	vstate_scsi_ctrl_poll(s.dev);
	assert_int_equal(s.host->ctrl.phase, VSTATE_SCSI_CTRL_SETTLE);
	vstate_start_end(s.dev, false);
	answer = scsi_ctrl_get(&s, &len);
	assert_non_null(answer);
	assert_int_equal(*answer, REJECTED);
	assert_int_equal(scsi_result(&s, 0), SCSI_RESULT(SCSI_NO_RESPONSE, SCSI_NO_RESPONSE));
	scsi_close(&s);
}

/* ---- a stop with commands under way ---- */

static void
commands_begin(struct scsi *s, uint16_t *ids)
{
	unsigned int i;

	for (i = 0; i < NB - 1; i++)
		ids[i] = write_add(s, i, i % 2);
	ids[i] = scsi_add(s, i, 0, sync_cache, 0, false);
	vstate_scsi_poll(s->dev);
	assert_int_equal(s->q->blk.nb_out, NB);
	assert_int_equal(vstate_inflight_count(s->vq), NB);
}

/* Each returns once, and the data is there. */
static void
commands_check(struct scsi *s, const uint16_t *ids)
{
	const uint64_t end = rte_rdtsc() + COMPLETE_S * rte_get_tsc_hz();
	bool seen[NB] = { 0 };
	uint8_t cdb[16];
	unsigned int i, n;
	uint32_t len;
	uint16_t id;

	for (n = 0; n < NB; n++) {
		while (!ring_get_used(&s->ring, &id, &len)) {
			vstate_scsi_poll(s->dev);
			assert_true(rte_rdtsc() < end);
		}
		for (i = 0; i < NB && ids[i] != id; i++)
			;
		assert_true(i < NB);
		assert_false(seen[i]);
		seen[i] = true;
		assert_int_equal(scsi_result(s, i), SCSI_OK);
	}
	vstate_scsi_poll(s->dev);
	assert_false(ring_get_used(&s->ring, &id, &len));
	for (i = 0; i < NB - 1; i++) {
		scsi_data_fill(s, i, LEN, 0);
		scsi_transfer_cdb(cdb, false, i, 1);
		scsi_add(s, i, i % 2, cdb, LEN, true);
	}
	scsi_complete(s, NB - 1);
	for (i = 0; i < NB - 1; i++)
		scsi_data_check(s, i, LEN, 40 + i);
}

static void
front_end_that_takes_rings_back_finds_all_complete(void **state)
{
	struct vstate_conf conf = slow_conf(2, 2000);
	uint16_t ids[NB];
	struct scsi s;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		ready_open(&s, &conf, packed);
		commands_begin(&s, ids);
		vstate_start_end(s.dev, false);
		assert_int_equal(s.q->blk.nb_out, 0);
		assert_int_equal(vstate_inflight_count(s.vq), 0);
		assert_true(vstate_pos_same(s.vq->avail, s.vq->used));
		scsi_start(&s, s.vq->avail);
		commands_check(&s, ids);
		scsi_close(&s);
	}
}

static void
state_carries_commands_and_units(void **state)
{
	struct vstate_conf conf = slow_conf(2, 10000000), fast = slow_conf(2, 100);
	struct rte_vhost_state *st, *after;
	struct rte_vhost_state_error err;
	uint16_t ids[NB], i;
	struct vstate_scsi_report report = { 0 };
	struct scsi s;
	int packed;

	vstate_scsi_conf(&fast)->store.reorder = true;
	for (packed = 0; packed < 2; packed++) {
		ready_open(&s, &conf, packed);
		assert_int_equal(vstate_scsi_config_set(s.dev, (const uint8_t *)"\x12\0\0\0", 20,
				4), 0);
		assert_int_equal(vstate_scsi_config_set(s.dev, (const uint8_t *)"\x60\0\0\0", 20,
				4), 0);
		commands_begin(&s, ids);
		assert_int_equal(rte_vhost_state_suspend("test_scsi", 0, &err), 0);
		assert_int_equal(s.q->blk.nb_out, 0);
		vstate_scsi_attention_add(s.host, 1, VSTATE_SCSI_UA_CAPACITY);
		vstate_scsi_event_add(s.host, 0);
		st = rte_vhost_state_capture("test_scsi", &err);
		assert_non_null(st);
		assert_int_equal(rte_vhost_state_validate(st, &err), 0);
		assert_int_equal(st->scsi.nb_luns, 2);
		assert_int_equal(st->scsi.luns[1].disk.capacity, SCSI_SIZE / 512);
		assert_string_equal(st->scsi.luns[1].serial, "vstate-1");
		assert_int_equal(st->scsi.luns[0].attention, 0);
		assert_int_equal(st->scsi.luns[1].attention, VSTATE_SCSI_UA_CAPACITY);
		assert_int_equal(st->scsi.luns[0].event, 1);
		assert_int_equal(st->scsi.luns[1].event, 0);
		assert_int_equal(st->vqs[2].nb_inflight, NB);
		for (i = 0; i < NB; i++)
			assert_int_equal(st->vqs[2].inflight[i].id, ids[i]);
		vstate_scsi_attention_claim(s.host, 1, VSTATE_SCSI_UA_CAPACITY, &report);
		vstate_scsi_attention_end(s.host, 1, &report);
		st->scsi.luns[1].attention = 0;
		scsi_device_close(&s);
		scsi_device_open(&s, "test_scsi2", &fast);
		assert_int_equal(rte_vhost_state_restore("test_scsi2", st, &err), 0);
		scsi_start(&s, (struct vstate_pos){ 0, packed });
		assert_int_equal(rte_vhost_state_suspend("test_scsi2", 0, &err), 0);
		after = rte_vhost_state_capture("test_scsi2", &err);
		assert_non_null(after);
		assert_memory_equal(&after->scsi, &st->scsi, sizeof(st->scsi));
		assert_int_equal(after->vqs[2].nb_inflight, NB);
		assert_int_equal(rte_vhost_state_resume("test_scsi2", &err), 0);
		commands_check(&s, ids);
		assert_int_equal(s.q->blk.counters.resubmitted, NB);
		rte_vhost_state_free(st);
		rte_vhost_state_free(after);
		scsi_close(&s);
	}
}

/* A state that does not fit changes nothing. */
static void
other_units_refuse_a_state(void **state)
{
	static const enum rte_vhost_state_reason reasons[] = {
		RTE_VHOST_STATE_R_FIT_SCSI_LUNS, RTE_VHOST_STATE_R_FIT_BLK_CAPACITY,
		RTE_VHOST_STATE_R_FIT_BLK_BLOCK_SIZE, RTE_VHOST_STATE_R_FIT_SCSI_SERIAL,
	};
	struct vstate_conf conf = scsi_conf(2), other;
	struct vstate_scsi_conf *scsi = vstate_scsi_conf(&other);
	struct rte_vhost_state_error err;
	struct vstate_scsi_kept before;
	struct rte_vhost_state *st;
	unsigned int i;
	struct scsi s;

	ready_open(&s, &conf, false);
	assert_int_equal(rte_vhost_state_suspend("test_scsi", 0, &err), 0);
	st = rte_vhost_state_capture("test_scsi", &err);
	assert_non_null(st);
	scsi_device_close(&s);
	for (i = 0; i < RTE_DIM(reasons); i++) {
		other = conf;
		if (i == 0)
			scsi->nb_luns = 3;
		else if (i == 1)
			scsi->store.size -= 4096;
		else if (i == 2)
			scsi->store.blk_size = 4096;
		else
			strcpy(scsi->store.serial, "other");
		scsi_device_open(&s, "test_scsi2", &other);
		before = *(const struct vstate_scsi_kept *)s.dev->kept;
		assert_int_equal(rte_vhost_state_restore("test_scsi2", st, &err),
				-rte_vhost_state_reason_errno(reasons[i]));
		assert_int_equal(err.reason, reasons[i]);
		assert_memory_equal(&before, s.dev->kept, sizeof(before));
		assert_int_equal(s.host->sense_size, 96);
		scsi_device_close(&s);
	}
	rte_vhost_state_free(st);
	ring_close(&s.ring);
}

int
test_vstate_scsi_stop(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_without_commands_are_complete),
		cmocka_unit_test(requests_of_the_control_queue_are_checked),
		cmocka_unit_test(aborted_commands_return_before_the_answer),
		cmocka_unit_test(one_command_is_aborted_by_its_tag),
		cmocka_unit_test(nexus_reset_is_for_all_units),
		cmocka_unit_test(function_waits_for_rings_that_come),
		cmocka_unit_test(function_waits_for_queues_that_stop),
		cmocka_unit_test(suspended_function_begins_again),
		cmocka_unit_test(function_ends_before_the_rings_are_taken_back),
		cmocka_unit_test(front_end_that_takes_rings_back_finds_all_complete),
		cmocka_unit_test(state_carries_commands_and_units),
		cmocka_unit_test(other_units_refuse_a_state),
	};

	return cmocka_run_group_tests_name("vstate_scsi_stop", tests, NULL, NULL);
}
