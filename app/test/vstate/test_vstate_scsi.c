/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file A SCSI host: its requests, their checks, its logical units, its config space. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/virtio_scsi.h>

#include <rte_byteorder.h>
#include <rte_common.h>

#include "block/vstate_scsi.h"
#include "block/vstate_scsi_class.h"
#include "block/vstate_scsi_conf.h"
#include "block/vstate_scsi_event.h"
#include "block/vstate_scsi_request.h"
#include "dev/vstate_dev.h"
#include "ut_groups.h"
#include "ut_scsi.h"

#define BLOCKS (SCSI_SIZE / 512)
#define HDR sizeof(struct virtio_scsi_cmd_req)
#define RESP sizeof(struct virtio_scsi_cmd_resp)
#define FAILURE SCSI_RESULT(VIRTIO_SCSI_S_FAILURE, 0)
#define OVERRUN SCSI_RESULT(VIRTIO_SCSI_S_OVERRUN, 0)
#define BAD_TARGET SCSI_RESULT(VIRTIO_SCSI_S_BAD_TARGET, 0)

static const uint8_t inquiry[16] = { 0x12, 0, 0, 0, 96 };
static const uint8_t test_unit_ready[16];

static void
each_layout(void (*run)(struct scsi *s))
{
	struct vstate_conf conf = scsi_conf(3);
	struct scsi s;
	int packed;

	for (packed = 0; packed < 2; packed++) {
		scsi_open(&s, "test_scsi", &conf, packed);
		scsi_ready(&s, 0);
		scsi_ready(&s, 1);
		run(&s);
		assert_int_equal(s.vq->fault, VSTATE_FAULT_NONE);
		assert_int_equal(s.q->blk.nb_out, 0);
		scsi_close(&s);
	}
}

static uint16_t
transfer(struct scsi *s, unsigned int lun, bool write, uint32_t lba, uint16_t nb)
{
	uint8_t cdb[16];

	scsi_transfer_cdb(cdb, write, lba, nb);
	return scsi_do(s, lun, cdb, nb * 512u, !write);
}

/* ---- requests that are right ---- */

static void
data_returns(struct scsi *s)
{
	uint8_t seed = 3, cdb[16];
	uint32_t lba;

	for (lba = 0; lba < BLOCKS; lba += BLOCKS / 8, seed += 7) {
		scsi_data_fill(s, 0, 4096, seed);
		assert_int_equal(transfer(s, 0, true, lba, 8), SCSI_OK);
		scsi_data_fill(s, 0, 4096, seed + 1);
		assert_int_equal(transfer(s, 1, true, lba, 8), SCSI_OK);
	}
	for (lba = 0, seed = 3; lba < BLOCKS; lba += BLOCKS / 8, seed += 7) {
		scsi_transfer_cdb(cdb, false, lba, 8);
		scsi_data_fill(s, 0, 4096, 0);
		scsi_add(s, 0, 0, cdb, 4096, true);
		assert_int_equal(scsi_complete(s, 1), RESP + 4096);
		assert_int_equal(scsi_result(s, 0), SCSI_OK);
		assert_int_equal(scsi_residual(s, 0), 0);
		scsi_data_check(s, 0, 4096, seed);
		assert_int_equal(transfer(s, 1, false, lba, 8), SCSI_OK);
		scsi_data_check(s, 0, 4096, seed + 1);
	}
	assert_int_equal(s->q->blk.counters.reads, 16);
	assert_int_equal(s->q->blk.counters.write_bytes, 16 * 4096);
}

static void
units_keep_what_they_get(void **state)
{
	each_layout(data_returns);
}

/* Descriptors as small as the test likes; the data lies over a border of regions. */
static uint16_t
framed_do(struct scsi *s, bool write, uint16_t step, uint16_t data_step, bool indirect)
{
	const uint64_t data = RING_BUF_BORDER - 1024;
	struct piece p[SCSI_RING];
	uint16_t n = 0, readable;
	uint32_t at, part;
	uint8_t cdb[16];

	scsi_transfer_cdb(cdb, write, 8, 4);
	scsi_header(s, 0, 0, cdb);
	for (at = 0; at < HDR; at += part) {
		part = RTE_MIN(step, HDR - at);
		p[n++] = (struct piece){ SCSI_HDR(0) + at, part };
	}
	for (at = 0; write && at < 2048; at += part) {
		part = RTE_MIN(data_step, 2048 - at);
		p[n++] = (struct piece){ data + at, part };
	}
	readable = n;
	for (at = 0; at < RESP; at += part) {
		part = RTE_MIN(step * 2u, RESP - at);
		p[n++] = (struct piece){ SCSI_RESP(0) + at, part };
	}
	for (at = 0; !write && at < 2048; at += part) {
		part = RTE_MIN(data_step, 2048 - at);
		p[n++] = (struct piece){ data + at, part };
	}
	if (indirect)
		ring_add_mixed_indirect(&s->ring, p, readable, n);
	else
		ring_add_mixed(&s->ring, p, readable, n);
	assert_int_equal(scsi_complete(s, 1), RESP + (write ? 0 : 2048));
	return scsi_result(s, 0);
}

static void
any_framing_is_served(struct scsi *s)
{
	static const uint16_t steps[] = { 9, 13, 51, 200 }, data_steps[] = { 300, 512, 2048 };
	uint8_t bytes[2048], back[2048];
	unsigned int i, k, form;

	for (i = 0; i < RTE_DIM(steps); i++) {
		for (k = 0; k < RTE_DIM(data_steps); k++) {
			for (form = 0; form < 2; form++) {
				memset(bytes, 1 + i * 16 + k * 4 + form, sizeof(bytes));
				guest_write(&s->ring.guest, RING_BUF_BORDER - 1024, bytes, 2048);
				assert_int_equal(framed_do(s, true, steps[i], data_steps[k],
						form), SCSI_OK);
				memset(back, 0, sizeof(back));
				guest_write(&s->ring.guest, RING_BUF_BORDER - 1024, back, 2048);
				assert_int_equal(framed_do(s, false, steps[i], data_steps[k],
						form), SCSI_OK);
				guest_read(&s->ring.guest, RING_BUF_BORDER - 1024, back, 2048);
				assert_memory_equal(bytes, back, 2048);
			}
		}
	}
}

static void
descriptors_may_cut_a_request_anywhere(void **state)
{
	each_layout(any_framing_is_served);
}

/* Header and data in one descriptor, response and data in another one. */
static void
joined_parts_are_served(struct scsi *s)
{
	struct piece p[2];
	uint8_t cdb[16], hdr[HDR];

	scsi_transfer_cdb(cdb, true, 1, 1);
	scsi_header(s, 0, 0, cdb);
	guest_read(&s->ring.guest, SCSI_HDR(0), hdr, HDR);
	guest_write(&s->ring.guest, SCSI_DATA(0) - HDR, hdr, HDR);
	scsi_data_fill(s, 0, 512, 77);
	p[0] = (struct piece){ SCSI_DATA(0) - HDR, HDR + 512 };
	p[1] = (struct piece){ SCSI_RESP(0), RESP };
	ring_add_mixed(&s->ring, p, 1, 2);
	scsi_complete(s, 1);
	assert_int_equal(scsi_result(s, 0), SCSI_OK);
	scsi_transfer_cdb(cdb, false, 1, 1);
	scsi_header(s, 0, 0, cdb);
	p[0] = (struct piece){ SCSI_HDR(0), HDR };
	p[1] = (struct piece){ SCSI_DATA(0) - RESP, RESP + 512 };
	scsi_data_fill(s, 0, 512, 0);
	ring_add_mixed(&s->ring, p, 1, 2);
	assert_int_equal(scsi_complete(s, 1), RESP + 512);
	scsi_data_check(s, 0, 512, 77);
	assert_int_equal(*guest_at(&s->ring.guest, SCSI_DATA(0) - RESP + 11), 0);
}

static void
headers_and_data_may_share_descriptors(void **state)
{
	each_layout(joined_parts_are_served);
}

static void
residuals_are_reported(struct scsi *s)
{
	uint8_t cdb[16];

	/* the driver offers more than the unit has to say */
	scsi_add(s, 0, 1, inquiry, 200, true);
	assert_int_equal(scsi_complete(s, 1), RESP + 96);
	assert_int_equal(scsi_result(s, 0), SCSI_OK);
	assert_int_equal(scsi_residual(s, 0), 104);
	assert_memory_equal(guest_at(&s->ring.guest, SCSI_DATA(0) + 8), "VSTATE  ", 8);
	scsi_transfer_cdb(cdb, false, 0, 1);
	scsi_data_fill(s, 0, 1024, 5);
	assert_int_equal(scsi_do(s, 0, cdb, 1024, true), SCSI_OK);
	assert_int_equal(scsi_residual(s, 0), 512);
	assert_int_equal(*guest_at(&s->ring.guest, SCSI_DATA(0) + 600), (uint8_t)(5 + 600 + 2));
	scsi_transfer_cdb(cdb, true, 0, 1);
	assert_int_equal(scsi_do(s, 0, cdb, 1536, false), SCSI_OK);
	assert_int_equal(scsi_residual(s, 0), 1024);
	assert_int_equal(scsi_do(s, 0, test_unit_ready, 64, true), SCSI_OK);
	assert_int_equal(scsi_residual(s, 0), 64);
}

static void
bytes_that_are_not_transferred_are_counted(void **state)
{
	each_layout(residuals_are_reported);
}

static void
ranges_are_written(struct scsi *s)
{
	static const uint8_t same_zero[16] = { 0x93, 0x08, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 2 };
	static const uint8_t same_none[16] = { 0x93, 0x01, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 2 };
	/* longer than one copy of the pattern */
	static const uint8_t same[16] = { 0x93, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 44 };
	static const uint8_t unmap[16] = { 0x42, 0, 0, 0, 0, 0, 0, 0, 24 };
	static const uint8_t list[24] = { 0, 22, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 17,
		0, 0, 0, 2 };
	static const uint8_t zeros[1024];
	unsigned int i, way;

	for (way = 0; way < 3; way++) {
		scsi_data_fill(s, 0, 2048, 9);
		assert_int_equal(transfer(s, 0, true, 16, 4), SCSI_OK);
		if (way == 0) {
			guest_write(&s->ring.guest, SCSI_DATA(0), zeros, 512);
			assert_int_equal(scsi_do(s, 0, same_zero, 512, false), SCSI_OK);
		} else if (way == 1) {
			assert_int_equal(scsi_do(s, 0, same_none, 0, false), SCSI_OK);
		} else {
			guest_write(&s->ring.guest, SCSI_DATA(0), list, sizeof(list));
			assert_int_equal(scsi_do(s, 0, unmap, sizeof(list), false), SCSI_OK);
		}
		assert_int_equal(transfer(s, 0, false, 16, 4), SCSI_OK);
		assert_memory_equal(guest_at(&s->ring.guest, SCSI_DATA(0) + 512), zeros, 1024);
		scsi_data_check(s, 0, 512, 9);
	}
	assert_int_equal(s->q->blk.counters.discards, 1);
	scsi_data_fill(s, 0, 512, 200);
	assert_int_equal(scsi_do(s, 0, same, 512, false), SCSI_OK);
	for (i = 256; i < 556; i += 13) {
		assert_int_equal(transfer(s, 0, false, i, 1), SCSI_OK);
		scsi_data_check(s, 0, 512, 200);
	}
	assert_int_equal(transfer(s, 0, false, 556, 1), SCSI_OK);
	assert_memory_equal(guest_at(&s->ring.guest, SCSI_DATA(0)), zeros, 512);
	/* a list that is shorter than the CDB says */
	assert_int_equal(scsi_do(s, 0, unmap, 23, false), OVERRUN);
}

static void
unmap_and_write_same_change_their_range(void **state)
{
	each_layout(ranges_are_written);
}

/* ---- requests that are wrong ---- */

static void
lun_bytes_name_units(void **state)
{
	static const struct {
		uint8_t lun[8];
		int expected;
	} rows[] = {
		{ { 1, 0, 0x40, 0 }, 0 },
		{ { 1, 0, 0x40, 2 }, 2 },
		{ { 1, 0, 0, 1 }, 1 },
		{ { 1, 0, 0x40, 3 }, VSTATE_SCSI_LUN_NONE },
		{ { 1, 0, 0x41, 0 }, VSTATE_SCSI_LUN_NONE },
		{ { 1, 0, 1, 0 }, VSTATE_SCSI_LUN_NONE },
		{ { 1, 0, 0x80, 0 }, VSTATE_SCSI_LUN_NONE },
		{ { 1, 0, 0xc0, 1 }, VSTATE_SCSI_LUN_NONE },
		{ { 1, 0, 0xff, 0xff }, VSTATE_SCSI_LUN_NONE },
		{ { 0xc1, 1 }, VSTATE_SCSI_LUN_WELL_KNOWN },
		{ { 0xc1, 2 }, VSTATE_SCSI_LUN_BAD_TARGET },
		{ { 0xc1, 1, 0, 1 }, VSTATE_SCSI_LUN_BAD_TARGET },
		{ { 1, 1, 0x40, 0 }, VSTATE_SCSI_LUN_BAD_TARGET },
		{ { 1, 255, 0x40, 0 }, VSTATE_SCSI_LUN_BAD_TARGET },
		{ { 0, 0, 0x40, 0 }, VSTATE_SCSI_LUN_BAD_TARGET },
		{ { 1, 0, 0x40, 0, 0, 0, 0, 1 }, VSTATE_SCSI_LUN_BAD_TARGET },
	};
	unsigned int i;

	for (i = 0; i < RTE_DIM(rows); i++) {
		if (vstate_scsi_lun_parse(rows[i].lun, 3) != rows[i].expected)
			fail_msg("row %u: %d", i, vstate_scsi_lun_parse(rows[i].lun, 3));
	}
}

static void
wrong_targets_and_units(struct scsi *s)
{
	const uint8_t target[8] = { 1, 7, 0x40, 0 }, well_known[8] = { 0xc1, 1 };
	static const uint8_t report_luns[16] = { 0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 64 };
	struct piece p[] = { { SCSI_HDR(0), HDR }, { SCSI_RESP(0), RESP },
		{ SCSI_DATA(0), 64 } };

	scsi_header(s, 0, 0, test_unit_ready);
	guest_write(&s->ring.guest, SCSI_HDR(0), target, 8);
	ring_add_mixed(&s->ring, p, 1, 2);
	scsi_complete(s, 1);
	assert_int_equal(scsi_result(s, 0), BAD_TARGET);
	assert_int_equal(s->q->counters.bad_targets, 1);
	assert_int_equal(scsi_do(s, 3, test_unit_ready, 0, false), SCSI_CHECK);
	assert_int_equal(scsi_sense(s, 0), VSTATE_SCSI_BAD_UNIT);
	assert_int_equal(scsi_do(s, 3, inquiry, 96, true), SCSI_OK);
	assert_int_equal(*guest_at(&s->ring.guest, SCSI_DATA(0)), 0x7f);
	scsi_header(s, 0, 0, report_luns);
	guest_write(&s->ring.guest, SCSI_HDR(0), well_known, 8);
	ring_add_mixed(&s->ring, p, 1, 3);
	scsi_complete(s, 1);
	assert_int_equal(scsi_result(s, 0), SCSI_OK);
	assert_int_equal(*guest_at(&s->ring.guest, SCSI_DATA(0) + 3), 24);
	assert_int_equal(scsi_residual(s, 0), 32);
}

static void
missing_targets_and_units_are_reported(void **state)
{
	each_layout(wrong_targets_and_units);
}

static void
lengths_disagree(struct scsi *s)
{
	const struct piece both[] = { { SCSI_HDR(0), HDR }, { SCSI_DATA(0), 512 },
		{ SCSI_RESP(0), RESP }, { SCSI_DATA(1), 512 } };
	uint8_t cdb[16];

	scsi_transfer_cdb(cdb, false, 0, 2);
	assert_int_equal(scsi_do(s, 0, cdb, 1023, true), OVERRUN);
	assert_int_equal(scsi_residual(s, 0), 1023);
	assert_int_equal(scsi_do(s, 0, cdb, 0, true), OVERRUN);
	/* the other direction */
	assert_int_equal(scsi_do(s, 0, cdb, 1024, false), OVERRUN);
	scsi_transfer_cdb(cdb, true, 0, 2);
	assert_int_equal(scsi_do(s, 0, cdb, 1024, true), OVERRUN);
	assert_int_equal(scsi_do(s, 0, inquiry, 95, true), OVERRUN);
	assert_int_equal(s->q->counters.overruns, 5);
	/* both directions without VIRTIO_SCSI_F_INOUT */
	scsi_header(s, 0, 0, cdb);
	ring_add_mixed(&s->ring, both, 2, 4);
	scsi_complete(s, 1);
	assert_int_equal(scsi_result(s, 0), FAILURE);
	assert_int_equal(transfer(s, 0, false, BLOCKS, 1), SCSI_CHECK);
	assert_int_equal(scsi_sense(s, 0), VSTATE_SCSI_BAD_LBA);
	assert_int_equal(scsi_residual(s, 0), 512);
	assert_int_equal(transfer(s, 0, false, 0, 1), SCSI_OK);
}

static void
lengths_that_disagree_are_overruns(void **state)
{
	each_layout(lengths_disagree);
}

static void
short_chains_return(struct scsi *s)
{
	const struct piece short_hdr[] = { { SCSI_HDR(0), HDR - 1 }, { SCSI_RESP(0), RESP } };
	const struct piece short_resp[] = { { SCSI_HDR(0), HDR }, { SCSI_RESP(0), RESP - 1 } };

	scsi_header(s, 0, 0, test_unit_ready);
	ring_add_mixed(&s->ring, short_hdr, 1, 2);
	assert_int_equal(scsi_complete(s, 1), RESP);
	assert_int_equal(scsi_result(s, 0), FAILURE);
	/* no header */
	scsi_header(s, 0, 0, test_unit_ready);
	ring_add_mixed(&s->ring, short_hdr + 1, 0, 1);
	assert_int_equal(scsi_complete(s, 1), RESP);
	assert_int_equal(scsi_result(s, 0), FAILURE);
	/* no room for a response */
	scsi_header(s, 0, 0, test_unit_ready);
	ring_add_mixed(&s->ring, short_resp, 1, 2);
	assert_int_equal(scsi_complete(s, 1), 0);
	assert_int_equal(scsi_result(s, 0), SCSI_RESULT(SCSI_NO_RESPONSE, SCSI_NO_RESPONSE));
	ring_add_mixed(&s->ring, short_hdr, 1, 1);
	assert_int_equal(scsi_complete(s, 1), 0);
	assert_int_equal(s->q->blk.counters.malformed, 2);
	assert_int_equal(scsi_do(s, 0, test_unit_ready, 0, false), SCSI_OK);
}

static void
chains_that_are_too_short_return(void **state)
{
	each_layout(short_chains_return);
}

static void
unknown_commands_get_sense_data(struct scsi *s)
{
	static const uint8_t unknown[16] = { 0xa3, 0x0c }, format[16] = { 0x04 };
	static const uint8_t page[16] = { 0x12, 1, 0xc0, 0, 96 };

	assert_int_equal(scsi_do(s, 0, unknown, 128, true), SCSI_CHECK);
	assert_int_equal(scsi_sense(s, 0), VSTATE_SCSI_BAD_OPCODE);
	assert_int_equal(scsi_residual(s, 0), 128);
	assert_int_equal(scsi_do(s, 0, format, 0, true), SCSI_CHECK);
	assert_int_equal(s->q->blk.counters.unsupported, 2);
	assert_int_equal(scsi_do(s, 0, page, 96, true), SCSI_CHECK);
	assert_int_equal(scsi_sense(s, 0), VSTATE_SCSI_BAD_CDB);
}

static void
unknown_commands_are_refused(void **state)
{
	each_layout(unknown_commands_get_sense_data);
}

/* A chain that no driver may send breaks its queue. The control queue is served. */
static void
hostile_chain_breaks_its_queue_only(void **state)
{
	struct vstate_conf conf = scsi_conf(1);
	struct scsi s;

	scsi_open(&s, "test_scsi", &conf, false);
	ring_add_raw(&s.ring, 0xdead0000, 64, 0, 0);
	vstate_scsi_poll(s.dev);
	assert_int_equal(s.vq->fault, VSTATE_FAULT_ADDRESS);
	assert_int_equal(scsi_tmf(&s, VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET, 0, 0), 0);
	assert_int_equal(s.dev->vqs[VSTATE_SCSI_VQ_CTRL]->fault, VSTATE_FAULT_NONE);
	scsi_close(&s);
	scsi_open(&s, "test_scsi", &conf, false);
	scsi_tmf_add(&s, VIRTIO_SCSI_T_TMF_QUERY_TASK, 0, 0);
	*guest_at(&s.ring.guest, SCSI_CTRL_GPA + 3) = 0xff;
	vstate_scsi_poll(s.dev);
	assert_int_equal(s.dev->vqs[VSTATE_SCSI_VQ_CTRL]->fault, VSTATE_FAULT_ADDRESS);
	scsi_ready(&s, 0);
	assert_int_equal(s.vq->fault, VSTATE_FAULT_NONE);
	scsi_close(&s);
}

/* ---- unit attentions ---- */

static void
each_unit_has_its_attentions(void **state)
{
	struct vstate_conf conf = scsi_conf(2);
	struct scsi s;

	scsi_open(&s, "test_scsi", &conf, true);
	/* these do not wait for a power on */
	assert_int_equal(scsi_do(&s, 0, inquiry, 96, true), SCSI_OK);
	assert_int_equal(scsi_do(&s, 0, test_unit_ready, 0, false), SCSI_CHECK);
	assert_int_equal(scsi_sense(&s, 0), VSTATE_SCSI_POWER_ON);
	assert_int_equal(scsi_do(&s, 0, test_unit_ready, 0, false), SCSI_OK);
	assert_int_equal(transfer(&s, 1, true, 0, 1), SCSI_CHECK);
	assert_int_equal(scsi_sense(&s, 0), VSTATE_SCSI_POWER_ON);
	assert_int_equal(transfer(&s, 1, true, 0, 1), SCSI_OK);
	assert_int_equal(s.q->counters.attentions, 2);
	vstate_scsi_attention_add(s.host, 1, VSTATE_SCSI_UA_RESET | VSTATE_SCSI_UA_CAPACITY);
	assert_int_equal(scsi_do(&s, 0, test_unit_ready, 0, false), SCSI_OK);
	assert_int_equal(scsi_do(&s, 1, test_unit_ready, 0, false), SCSI_CHECK);
	assert_int_equal(scsi_sense(&s, 0), VSTATE_SCSI_BUS_RESET);
	assert_int_equal(scsi_do(&s, 1, test_unit_ready, 0, false), SCSI_CHECK);
	assert_int_equal(scsi_sense(&s, 0), VSTATE_SCSI_CAPACITY_CHANGED);
	assert_int_equal(scsi_do(&s, 1, test_unit_ready, 0, false), SCSI_OK);
	/* the next driver finds a host that was powered on */
	vstate_scsi_reset(s.dev);
	assert_int_equal(scsi_do(&s, 0, test_unit_ready, 0, false), SCSI_CHECK);
	assert_int_equal(scsi_sense(&s, 0), VSTATE_SCSI_POWER_ON);
	scsi_close(&s);
}

static uint8_t
attentions_kept(const struct scsi *s)
{
	const struct vstate_scsi_kept *kept = s->dev->kept;

	return kept->attentions[0] ^ VSTATE_SCSI_UA_POWER_ON;
}

static struct {
	struct scsi *s;
	/** What a process finds that comes after a kill at this moment. */
	uint8_t kept;
	unsigned int calls;
	/** The attention is added once more. */
	bool again;
} at_publication;

/* The driver can see the answers, and the device has not acted on that yet. */
static void
publication_note(struct vstate_blk_vq *q)
{
	at_publication.calls++;
	at_publication.kept |= attentions_kept(at_publication.s);
	if (at_publication.again)
		vstate_scsi_attention_add(at_publication.s->host, 0, VSTATE_SCSI_UA_CAPACITY);
	at_publication.again = false;
	vstate_scsi_request_protocol.published(q);
}

/* Two commands in one turn: the first one reports, the second one is served. */
static void
attention_report(struct scsi *s, enum vstate_scsi_sense sense)
{
	at_publication.calls = at_publication.kept = 0;
	scsi_add(s, 0, 0, test_unit_ready, 0, false);
	scsi_add(s, 1, 0, test_unit_ready, 0, false);
	scsi_complete(s, 2);
	assert_int_equal(at_publication.calls, 1);
	assert_int_equal(scsi_result(s, 0), SCSI_CHECK);
	assert_int_equal(scsi_sense(s, 0), sense);
	assert_int_equal(scsi_result(s, 1), SCSI_OK);
}

static void
attentions_end_when_the_driver_can_see_them(void **state)
{
	struct vstate_conf conf = scsi_conf(1);
	struct vstate_blk_protocol protocol = vstate_scsi_request_protocol;
	struct scsi s;

	scsi_open(&s, "test_scsi", &conf, false);
	protocol.published = publication_note;
	s.q->blk.protocol = &protocol;
	at_publication.s = &s;
	attention_report(&s, VSTATE_SCSI_POWER_ON);
	assert_int_equal(at_publication.kept, VSTATE_SCSI_UA_POWER_ON);
	assert_int_equal(attentions_kept(&s), 0);
	vstate_scsi_attention_add(s.host, 0, VSTATE_SCSI_UA_CAPACITY);
	attention_report(&s, VSTATE_SCSI_CAPACITY_CHANGED);
	assert_int_equal(at_publication.kept, VSTATE_SCSI_UA_CAPACITY);
	assert_int_equal(attentions_kept(&s), 0);
	/* one that comes at this moment is not lost */
	vstate_scsi_attention_add(s.host, 0, VSTATE_SCSI_UA_CAPACITY);
	at_publication.again = true;
	attention_report(&s, VSTATE_SCSI_CAPACITY_CHANGED);
	assert_int_equal(attentions_kept(&s), VSTATE_SCSI_UA_CAPACITY);
	attention_report(&s, VSTATE_SCSI_CAPACITY_CHANGED);
	assert_int_equal(attentions_kept(&s), 0);
	scsi_close(&s);
}

/* A file of its own for each unit; one grows, and one is cut under the device. */
static void
files_grow_and_fail(void **state)
{
	struct vstate_conf conf = scsi_conf(0);
	struct vstate_scsi_conf *scsi = vstate_scsi_conf(&conf);
	char paths[2][32] = { "/var/tmp/vstate-scsi-XXXXXX", "/var/tmp/vstate-scsi-XXXXXX" };
	struct scsi s;
	int fds[2], i;

	scsi->store.store = VSTATE_BLK_STORE_THREADS;
	scsi->store.size = 0;
	for (i = 0; i < 2; i++) {
		fds[i] = mkstemp(paths[i]);
		assert_true(fds[i] >= 0);
		assert_int_equal(ftruncate(fds[i], SCSI_SIZE), 0);
		strcpy(scsi->paths[i], paths[i]);
	}
	scsi_open(&s, "test_scsi", &conf, false);
	scsi_ready(&s, 0);
	scsi_ready(&s, 1);
	scsi_data_fill(&s, 0, 512, 3);
	assert_int_equal(transfer(&s, 1, true, 4, 1), SCSI_OK);
	assert_int_equal(transfer(&s, 0, false, BLOCKS, 1), SCSI_CHECK);
	assert_int_equal(ftruncate(fds[0], SCSI_SIZE + 4096), 0);
	assert_false(vstate_scsi_watch(s.dev));
	assert_int_equal(transfer(&s, 0, false, BLOCKS, 1), SCSI_CHECK);
	assert_int_equal(scsi_sense(&s, 0), VSTATE_SCSI_CAPACITY_CHANGED);
	assert_true(vstate_scsi_event_is_due(s.host, 0));
	assert_false(vstate_scsi_event_is_due(s.host, 1));
	assert_int_equal(transfer(&s, 0, false, BLOCKS, 1), SCSI_OK);
	assert_int_equal(transfer(&s, 1, false, 4, 1), SCSI_OK);
	scsi_data_check(&s, 0, 512, 3);
	assert_int_equal(ftruncate(fds[1], 512), 0);
	assert_int_equal(transfer(&s, 1, false, 4, 1), SCSI_CHECK);
	assert_int_equal(scsi_sense(&s, 0), VSTATE_SCSI_READ_ERROR);
	scsi_close(&s);
	for (i = 0; i < 2; i++) {
		close(fds[i]);
		unlink(paths[i]);
	}
}

/* ---- events ---- */

static void
event_get(struct scsi *s, uint32_t expected_len, struct virtio_scsi_event *event)
{
	const uint8_t *buffer;
	uint32_t len;

	vstate_scsi_poll(s->dev);
	buffer = scsi_ctrl_get(s, &len);
	assert_non_null(buffer);
	assert_int_equal(len, expected_len);
	memcpy(event, buffer, sizeof(*event));
}

/* The ring that is the control queue's in other tests is the event queue's here. */
static void
new_capacity_is_an_event(void **state)
{
	static const uint8_t lun[8] = { 1, 0, 0, 1 };
	struct vstate_conf conf = scsi_conf(2);
	struct virtio_scsi_event event;
	struct scsi s;

	scsi_open(&s, "test_scsi", &conf, false);
	s.setup.rings[VSTATE_SCSI_VQ_EVENT] = s.setup.rings[VSTATE_SCSI_VQ_CTRL];
	s.setup.rings[VSTATE_SCSI_VQ_EVENT].base_fresh = true;
	s.setup.rings[VSTATE_SCSI_VQ_CTRL].ready = false;
	scsi_start(&s, s.vq->avail);
	/* buffers are taken for an event only, and an event waits for a buffer */
	scsi_ctrl_add(&s, lun, 4, 16);
	assert_int_equal(vstate_scsi_poll(s.dev), 0);
	vstate_scsi_event_add(s.host, 1);
	vstate_scsi_event_add(s.host, 1);
	event_get(&s, 16, &event);
	assert_int_equal(rte_le_to_cpu_32(event.event), VIRTIO_SCSI_T_PARAM_CHANGE);
	assert_memory_equal(event.lun, lun, 8);
	assert_int_equal(rte_le_to_cpu_32(event.reason), 0x092a);
	assert_int_equal(vstate_scsi_poll(s.dev), 0);
	vstate_scsi_event_add(s.host, 0);
	assert_int_equal(vstate_scsi_poll(s.dev), 0);
	assert_true(vstate_scsi_event_is_due(s.host, 0));
	/* a buffer that is too small */
	scsi_ctrl_add(&s, lun, 4, 15);
	event_get(&s, 0, &event);
	assert_true(vstate_scsi_event_is_due(s.host, 0));
	scsi_ctrl_add(&s, lun, 4, 20);
	event_get(&s, 16, &event);
	assert_int_equal(event.lun[3], 0);
	assert_false(vstate_scsi_event_is_due(s.host, 0));
	assert_int_equal(vstate_scsi_vq_of(s.dev->vqs[1])->counters.events, 2);
	/* without the feature there are no events */
	s.setup.features &= ~RTE_BIT64(VIRTIO_SCSI_F_CHANGE);
	scsi_start(&s, s.vq->avail);
	scsi_ctrl_add(&s, lun, 4, 16);
	vstate_scsi_event_add(s.host, 0);
	assert_int_equal(vstate_scsi_poll(s.dev), 0);
	assert_false(vstate_scsi_event_is_due(s.host, 0));
	scsi_close(&s);
}

/* ---- config space ---- */

static int
size_set(struct scsi *s, uint32_t offset, uint32_t value)
{
	value = rte_cpu_to_le_32(value);
	return vstate_scsi_config_set(s->dev, (uint8_t *)&value, offset, 4);
}

#define SENSE_SIZE offsetof(struct virtio_scsi_config, sense_size)
#define CDB_SIZE offsetof(struct virtio_scsi_config, cdb_size)

static void
driver_chooses_two_sizes(void **state)
{
	struct vstate_conf conf = scsi_conf(2);
	struct virtio_scsi_config c;
	struct piece p[2] = { { SCSI_HDR(0), 19 + 16 }, { SCSI_RESP(0), 12 + 5 } };
	static const uint8_t unknown[16] = { 0xff };
	struct scsi s;

	scsi_open(&s, "test_scsi", &conf, false);
	assert_int_equal(vstate_scsi_config_get(s.dev, (uint8_t *)&c, sizeof(c)), 0);
	assert_int_equal(c.num_queues, 1);
	assert_int_equal(c.seg_max, 126);
	assert_int_equal(c.max_sectors, 65536);
	assert_int_equal(c.sense_size, 96);
	assert_int_equal(c.cdb_size, 32);
	assert_int_equal(c.event_info_size, 16);
	assert_int_equal(c.max_channel, 0);
	assert_int_equal(c.max_target, 0);
	assert_int_equal(c.max_lun, 7);
	assert_int_equal(vstate_scsi_config_get(s.dev, (uint8_t *)&c, 257), -EINVAL);
	assert_int_equal(size_set(&s, SENSE_SIZE, 0), -EINVAL);
	assert_int_equal(size_set(&s, SENSE_SIZE, 253), -EINVAL);
	assert_int_equal(size_set(&s, CDB_SIZE, 5), -EINVAL);
	assert_int_equal(size_set(&s, CDB_SIZE, 261), -EINVAL);
	assert_int_equal(size_set(&s, 0, 1), -EINVAL);
	assert_int_equal(vstate_scsi_config_set(s.dev, (uint8_t *)&c, SENSE_SIZE, 2), -EINVAL);
	assert_int_equal(s.host->sense_size, 96);
	assert_int_equal(s.host->cdb_size, 32);
	/* a shorter header, and sense data that is cut */
	assert_int_equal(size_set(&s, SENSE_SIZE, 5), 0);
	assert_int_equal(size_set(&s, CDB_SIZE, 16), 0);
	scsi_header(&s, 0, 3, unknown);
	ring_add_mixed(&s.ring, p, 1, 2);
	assert_int_equal(scsi_complete(&s, 1), 17);
	assert_int_equal(scsi_result(&s, 0), SCSI_CHECK);
	assert_int_equal(*guest_at(&s.ring.guest, SCSI_RESP(0)), 5);
	assert_int_equal(*guest_at(&s.ring.guest, SCSI_RESP(0) + 12 + 2), 5);
	assert_int_equal(*guest_at(&s.ring.guest, SCSI_RESP(0) + 12 + 5), SCSI_NO_RESPONSE);
	vstate_scsi_reset(s.dev);
	assert_int_equal(s.host->sense_size, 96);
	assert_int_equal(s.host->cdb_size, 32);
	scsi_close(&s);
}

int
test_vstate_scsi(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(units_keep_what_they_get),
		cmocka_unit_test(descriptors_may_cut_a_request_anywhere),
		cmocka_unit_test(headers_and_data_may_share_descriptors),
		cmocka_unit_test(bytes_that_are_not_transferred_are_counted),
		cmocka_unit_test(unmap_and_write_same_change_their_range),
		cmocka_unit_test(lun_bytes_name_units),
		cmocka_unit_test(missing_targets_and_units_are_reported),
		cmocka_unit_test(lengths_that_disagree_are_overruns),
		cmocka_unit_test(chains_that_are_too_short_return),
		cmocka_unit_test(unknown_commands_are_refused),
		cmocka_unit_test(hostile_chain_breaks_its_queue_only),
		cmocka_unit_test(each_unit_has_its_attentions),
		cmocka_unit_test(attentions_end_when_the_driver_can_see_them),
		cmocka_unit_test(files_grow_and_fail),
		cmocka_unit_test(new_capacity_is_an_event),
		cmocka_unit_test(driver_chooses_two_sizes),
	};

	return cmocka_run_group_tests_name("vstate_scsi", tests, NULL, NULL);
}
