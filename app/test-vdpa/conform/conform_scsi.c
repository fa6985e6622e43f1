/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <inttypes.h>
#include <string.h>

#include <linux/virtio_scsi.h>

#include <rte_common.h>

#include "conform_disk.h"
#include "conform_disk_io.h"
#include "conform_scsi.h"
#include "guest_disk.h"
#include "guest_disk_core.h"
#include "guest_mem.h"
#include "guest_ring.h"

#define HDR sizeof(struct virtio_scsi_cmd_req)
#define RESP sizeof(struct virtio_scsi_cmd_resp)
#define RESP_AT 1024
#define BLOCKS (CONFORM_DISK_SIZE / 512)
/* Times that a driver repeats a command which returns with a unit attention. */
#define REPEATS 8

/* Response and status of a command. */
#define RESULT(response, status) ((response) << 8 | (status))
#define GOOD RESULT(VIRTIO_SCSI_S_OK, 0)
#define CHECK RESULT(VIRTIO_SCSI_S_OK, 2)
#define OVERRUN RESULT(VIRTIO_SCSI_S_OVERRUN, 0)
#define BAD_TARGET RESULT(VIRTIO_SCSI_S_BAD_TARGET, 0)
#define FAILURE RESULT(VIRTIO_SCSI_S_FAILURE, 0)
#define NONE 0xee
#define NO_ANSWER RESULT(NONE, NONE)

/* Sense key, code and qualifier. */
#define BAD_OPCODE 0x52000
#define BAD_ADDRESS 0x52100
#define BAD_CDB 0x52400
#define BAD_UNIT 0x52500
#define TARGET_FAILURE 0x44400

#define TEST_UNIT_READY 0x00
#define REQUEST_SENSE 0x03
#define INQUIRY 0x12
#define READ_10 0x28
#define WRITE_10 0x2a
#define READ_16 0x88
#define WRITE_16 0x8a

/* ---- commands ---- */

static uint64_t
resp_gpa(const struct conform_disk *c)
{
	return conform_disk_hdr(c) + RESP_AT;
}

static struct virtio_scsi_cmd_req
command_of(uint8_t opcode)
{
	struct virtio_scsi_cmd_req req = { .lun = { 1, 0, 0x40, 0 }, .tag = 7 };

	req.cdb[0] = opcode;
	return req;
}

static void
be_put(uint8_t *p, uint64_t value, unsigned int bytes)
{
	while (bytes-- > 0) {
		p[bytes] = value;
		value >>= 8;
	}
}

static struct virtio_scsi_cmd_req
transfer_of(uint8_t opcode, uint64_t lba, uint32_t blocks)
{
	struct virtio_scsi_cmd_req req = command_of(opcode);
	const bool is_long = opcode >= READ_16;

	be_put(req.cdb + 2, lba, is_long ? 8 : 4);
	be_put(req.cdb + (is_long ? 10 : 7), blocks, is_long ? 4 : 2);
	return req;
}

static void
header_write(struct conform_disk *c, const struct virtio_scsi_cmd_req *req)
{
	guest_mem_write(&c->disk->mem, conform_disk_hdr(c), req, HDR);
}

static struct virtio_scsi_cmd_resp
answer_get(const struct conform_disk *c)
{
	struct virtio_scsi_cmd_resp resp;

	guest_mem_read(&c->disk->mem, resp_gpa(c), &resp, RESP);
	return resp;
}

static uint32_t
sense_get(const struct conform_disk *c)
{
	const struct virtio_scsi_cmd_resp r = answer_get(c);

	return r.sense_len < 14 ? 0 : (r.sense[2] & 0xf) << 16 | r.sense[12] << 8 | r.sense[13];
}

/* Do the command whose header is in memory, once. @return RESULT(); -1: the item fails */
static int
pieces_do_once(struct conform_disk *c, const struct guest_seg *segs, uint16_t nb, uint32_t *len)
{
	uint8_t none[2 * RESP];
	struct virtio_scsi_cmd_resp r;
	int ret;

	memset(none, NONE, sizeof(none));
	guest_mem_write(&c->disk->mem, resp_gpa(c), none, sizeof(none));
	conform_disk_add(c, segs, nb);
	ret = c->why[0] == '\0' ? conform_disk_wait(c, CONFORM_RETURN_MS, len) : -1;
	if (ret == 0)
		return conform_disk_no(c, "a command of %u descriptors does not return", nb);
	if (ret < 0)
		return -1;
	r = answer_get(c);
	return RESULT(r.response, r.status);
}

/* A driver repeats a command that returns with a unit attention. */
static int
pieces_do(struct conform_disk *c, const struct guest_seg *segs, uint16_t nb, uint32_t *len)
{
	unsigned int i;
	int ret = -1;

	for (i = 0; i < REPEATS; i++) {
		ret = pieces_do_once(c, segs, nb, len);
		if (ret != CHECK || sense_get(c) >> 16 != 6)
			break;
	}
	return ret;
}

/* A command with data at @p gpa in pieces of @p step bytes; data for the driver if @p write. */
static int
data_do(struct conform_disk *c, const struct virtio_scsi_cmd_req *req, uint64_t gpa, uint32_t size,
		uint32_t step, bool write)
{
	const struct guest_seg resp = { resp_gpa(c), RESP, true };
	struct guest_seg segs[CONFORM_SEGS_MAX];
	uint32_t at, part, len;
	uint16_t n = 0;
	int ret;

	header_write(c, req);
	segs[n++] = (struct guest_seg){ conform_disk_hdr(c), HDR, false };
	if (write)
		segs[n++] = resp;
	for (at = 0; at < size; at += part) {
		part = RTE_MIN(step, size - at);
		segs[n++] = (struct guest_seg){ gpa + at, part, write };
	}
	if (!write)
		segs[n++] = resp;
	ret = pieces_do(c, segs, n, &len);
	if (ret == GOOD && len != RESP + (write ? size - answer_get(c).resid : 0))
		return conform_disk_no(c, "used length %u of a command with %u bytes", len, size);
	return ret;
}

/* A command without data. */
static int
command_do(struct conform_disk *c, const struct virtio_scsi_cmd_req *req)
{
	return data_do(c, req, 0, 0, 1, true);
}

static int
result_want(struct conform_disk *c, const char *what, uint64_t value, int result, int want)
{
	if (result == want)
		return 0;
	return conform_disk_no(c, "%s 0x%" PRIx64 ": response and status 0x%04x, not 0x%04x, "
			"sense 0x%05x", what, value, result, want, sense_get(c));
}

static int
sense_want(struct conform_disk *c, const char *what, uint64_t value, int result, uint32_t sense)
{
	if (result_want(c, what, value, result, CHECK) < 0)
		return -1;
	return sense_get(c) == sense ? 0 : conform_disk_no(c, "%s 0x%" PRIx64 ": sense 0x%05x, not "
			"0x%05x", what, value, sense_get(c), sense);
}

/* What was written is read, in pieces. */
static int
data_pass(struct conform_disk *c, uint64_t lba, uint64_t gpa, uint32_t size, uint32_t step,
		uint8_t seed)
{
	const struct virtio_scsi_cmd_req out = transfer_of(seed & 1 ? WRITE_10 : WRITE_16, lba,
			size / 512);
	const struct virtio_scsi_cmd_req in = transfer_of(seed & 2 ? READ_10 : READ_16, lba,
			size / 512);

	conform_disk_fill(c, gpa, size, seed);
	if (result_want(c, "write in pieces of", step, data_do(c, &out, gpa, size, step, false),
			GOOD) < 0)
		return -1;
	conform_disk_fill(c, gpa, size, seed + 1);
	if (result_want(c, "read in pieces of", step, data_do(c, &in, gpa, size, step, true),
			GOOD) < 0)
		return -1;
	return conform_disk_check(c, gpa, size, seed);
}

static int
disk_pass(struct conform_disk *c)
{
	return data_pass(c, 100, conform_disk_data(c), 65536, 4096, 42);
}

int
conform_scsi_ready(struct conform_disk *c)
{
	const struct virtio_scsi_cmd_req req = command_of(TEST_UNIT_READY);

	return result_want(c, "TEST UNIT READY", 0, command_do(c, &req), GOOD);
}

int
conform_scsi_inquiry(struct conform_disk *c)
{
	struct virtio_scsi_cmd_req req = command_of(INQUIRY);

	req.cdb[4] = 96;
	return result_want(c, "INQUIRY", 0, data_do(c, &req, conform_disk_data(c), 96, 96, true),
			GOOD);
}

/* ---- header ---- */

static int
luns_are_told_apart(struct conform_disk *c)
{
	static const uint8_t none[][8] = { { 0 }, { 1, 1 }, { 1, 255, 0x40 }, { 2, 0, 0x40 },
		{ 0x41, 0, 0x40 }, { 0xff, 255, 255, 255, 255, 255, 255, 255 },
		{ 1, 0, 0x40, 0, 1 }, { 1, 0, 0x40, 0, 0, 0, 0, 1 }, { 0xc1, 0x02 },
		{ 0xc1, 0x01, 0, 1 } };
	static const uint8_t forms[] = { 0x00, 0x40, 0x80, 0xc0 };
	struct virtio_scsi_cmd_req req = command_of(TEST_UNIT_READY);
	unsigned int i, form;
	int ret;

	for (i = 0; i < RTE_DIM(none); i++) {
		memcpy(req.lun, none[i], sizeof(req.lun));
		if (result_want(c, "LUN", i, command_do(c, &req), BAD_TARGET) < 0)
			return -1;
	}
	for (i = 0; i < 256; i++) {
		for (form = 0; form < RTE_DIM(forms); form++) {
			const uint8_t lun[8] = { 1, 0, forms[form], i };

			memcpy(req.lun, lun, sizeof(req.lun));
			ret = command_do(c, &req);
			if (i == 0 && form < 2)
				ret = result_want(c, "LUN 0, form", forms[form], ret, GOOD);
			else
				ret = sense_want(c, "LUN", i, ret, BAD_UNIT);
			if (ret < 0)
				return -1;
		}
	}
	/* the well-known unit */
	memcpy(req.lun, "\xc1\x01\0\0\0\0\0\0", 8);
	return result_want(c, "well-known unit", 0, command_do(c, &req), GOOD);
}

static int
other_fields_are_ignored(struct conform_disk *c)
{
	struct virtio_scsi_cmd_req req = transfer_of(READ_10, 0, 1);
	unsigned int i;

	for (i = 0; i < 256; i++) {
		req.task_attr = i;
		req.prio = 255 - i;
		req.crn = i * 7;
		/* the same tag twice, too */
		req.tag = (uint64_t)(i / 2) << 56 | UINT32_MAX;
		if (result_want(c, "task attribute", i, data_do(c, &req, conform_disk_data(c), 512,
				512, true), GOOD) < 0)
			return -1;
	}
	return 0;
}

/* ---- CDB ---- */

static int
each_operation_code_is_answered(struct conform_disk *c)
{
	static const uint8_t served[] = { 0x00, 0x03, 0x08, 0x0a, 0x12, 0x1a, 0x1b, 0x25, 0x28,
		0x2a, 0x35, 0x42, 0x5a, 0x88, 0x8a, 0x91, 0x93, 0x9e, 0xa0 };
	struct virtio_scsi_cmd_req req;
	unsigned int code, i;
	int ret;

	for (code = 0; code < 256; code++) {
		for (i = 0; i < RTE_DIM(served) && served[i] != code; i++)
			;
		req = command_of(code);
		ret = command_do(c, &req);
		if (i == RTE_DIM(served) && sense_want(c, "operation", code, ret, BAD_OPCODE) < 0)
			return -1;
		if (i < RTE_DIM(served) && ret != GOOD && ret != CHECK && ret != OVERRUN)
			return conform_disk_no(c, "operation 0x%x: result 0x%04x", code, ret);
		/* all other bits: an answer, but no data of 4 GiB, and no service */
		memset(req.cdb + 1, 0xff, sizeof(req.cdb) - 1);
		ret = command_do(c, &req);
		if (ret != CHECK && ret != OVERRUN)
			return conform_disk_no(c, "operation 0x%x with all bits: result 0x%04x",
					code, ret);
	}
	req = command_of(TEST_UNIT_READY);
	req.cdb[5] = 4;
	return sense_want(c, "NACA", 4, command_do(c, &req), BAD_CDB);
}

static int
addresses_are_checked(struct conform_disk *c)
{
	static const uint64_t bad[] = { BLOCKS, BLOCKS + 1, UINT32_MAX, 1ull << 32, 1ull << 55,
		UINT64_MAX / 512, UINT64_MAX / 512 + 1, UINT64_MAX - 1, UINT64_MAX };
	struct virtio_scsi_cmd_req req;
	const uint64_t gpa = conform_disk_data(c);
	unsigned int i;

	if (data_pass(c, 0, gpa, 512, 512, 3) < 0 || data_pass(c, BLOCKS - 1, gpa, 512, 512, 5) < 0)
		return -1;
	conform_disk_fill(c, gpa, 1024, 99);
	for (i = 0; i < RTE_DIM(bad); i++) {
		req = transfer_of(READ_16, bad[i], 1);
		if (sense_want(c, "read of block", bad[i], data_do(c, &req, gpa, 512, 512, true),
				BAD_ADDRESS) < 0)
			return -1;
		req = transfer_of(WRITE_16, bad[i], 1);
		if (sense_want(c, "write of block", bad[i], data_do(c, &req, gpa, 512, 512, false),
				BAD_ADDRESS) < 0)
			return -1;
	}
	req = transfer_of(WRITE_10, BLOCKS - 1, 2);
	if (sense_want(c, "write over the end", 0, data_do(c, &req, gpa, 1024, 512, false),
			BAD_ADDRESS) < 0)
		return -1;
	/* nothing was written */
	req = transfer_of(READ_10, BLOCKS - 1, 1);
	if (data_do(c, &req, gpa, 512, 512, true) != GOOD || conform_disk_check(c, gpa, 512, 5) < 0)
		return conform_disk_no(c, "a refused write changed the disk");
	req = transfer_of(READ_10, 0, 1);
	if (data_do(c, &req, gpa, 512, 512, true) != GOOD)
		return conform_disk_no(c, "block 0 cannot be read");
	return conform_disk_check(c, gpa, 512, 3);
}

static int
lengths_are_checked(struct conform_disk *c)
{
	static const uint32_t lens[] = { 0, 1, 16, 511, 512, 513, 1023, 1024, 1025, 4095, 65537 };
	const struct virtio_scsi_cmd_req in = transfer_of(READ_10, 0, 2),
		out = transfer_of(WRITE_10, 0, 2), many = transfer_of(READ_16, 0, 65537);
	const uint64_t gpa = conform_disk_data(c);
	const struct guest_seg both[] = { { conform_disk_hdr(c), HDR, false }, { gpa, 512, false },
		{ resp_gpa(c), RESP, true }, { gpa + 512, 512, true } };
	unsigned int i;
	uint32_t len;
	int want;

	for (i = 0; i < RTE_DIM(lens); i++) {
		want = lens[i] < 1024 ? OVERRUN : GOOD;
		if (result_want(c, "read into bytes", lens[i], data_do(c, &in, gpa, lens[i], 4096,
				true), want) < 0 || result_want(c, "write of bytes", lens[i],
				data_do(c, &out, gpa, lens[i], 4096, false), want) < 0)
			return -1;
		if (want == GOOD && answer_get(c).resid != lens[i] - 1024)
			return conform_disk_no(c, "%u bytes for 1024: residual %u", lens[i],
					answer_get(c).resid);
		/* the other direction */
		if (result_want(c, "read with data out", lens[i], data_do(c, &in, gpa, lens[i],
				4096, false), OVERRUN) < 0 ||
				result_want(c, "write with data in", lens[i], data_do(c, &out, gpa,
				lens[i], 4096, true), OVERRUN) < 0)
			return -1;
	}
	header_write(c, &in);
	if (result_want(c, "data in both directions", 0, pieces_do(c, both, 4, &len), FAILURE) < 0)
		return -1;
	return sense_want(c, "more than 32 MiB", 0, data_do(c, &many, gpa, 4096, 4096, true),
			BAD_CDB);
}

/* ---- response ---- */

static int
headers_and_responses_need_room(struct conform_disk *c)
{
	struct guest_seg segs[] = { { conform_disk_hdr(c), HDR, false },
		{ resp_gpa(c), RESP, true } };
	const struct virtio_scsi_cmd_req req = command_of(TEST_UNIT_READY);
	uint32_t n, len;

	header_write(c, &req);
	/* an empty descriptor is none of a driver's */
	for (n = 1; n < HDR; n++) {
		segs[0].len = n;
		if (result_want(c, "header of bytes", n, pieces_do(c, segs, 2, &len), FAILURE) < 0)
			return -1;
	}
	segs[0].len = HDR;
	for (n = 1; n < RESP; n++) {
		segs[1].len = n;
		if (result_want(c, "response of bytes", n, pieces_do(c, segs, 2, &len),
				NO_ANSWER) < 0)
			return -1;
		if (len != 0)
			return conform_disk_no(c, "no room for a response: used length %u", len);
	}
	if (result_want(c, "no response", 0, pieces_do(c, segs, 1, &len), NO_ANSWER) < 0)
		return -1;
	/* a response alone */
	segs[1].len = RESP;
	return result_want(c, "no header", 0, pieces_do(c, &segs[1], 1, &len), FAILURE);
}

/* Append pieces, the first one of another length than the others. @return their number */
static uint16_t
cut(struct guest_seg *segs, uint64_t gpa, uint32_t size, uint32_t first, uint32_t step, bool write)
{
	uint32_t at, part;
	uint16_t n = 0;

	for (at = 0; at < size; at += part) {
		part = RTE_MIN(at == 0 ? first : step, size - at);
		segs[n++] = (struct guest_seg){ gpa + at, part, write };
	}
	return n;
}

static int
header_and_response_may_be_cut(struct conform_disk *c)
{
	const struct virtio_scsi_cmd_req out = transfer_of(WRITE_10, 5, 1),
		in = transfer_of(READ_16, 5, 1);
	const uint64_t data = conform_disk_data(c), hdr = conform_disk_hdr(c);
	struct guest_seg segs[2 * RESP];
	uint32_t first, step, len;
	uint16_t n;

	for (first = 1; first < HDR; first++) {
		for (step = 1; step <= HDR; step += 17) {
			conform_disk_fill(c, data, 512, first + step);
			header_write(c, &out);
			n = cut(segs, hdr, HDR, first, step, false);
			segs[n++] = (struct guest_seg){ data, 512, false };
			n += cut(segs + n, resp_gpa(c), RESP, 2 * first, step, true);
			if (result_want(c, "header cut at", first, pieces_do(c, segs, n, &len),
					GOOD) < 0)
				return -1;
			conform_disk_fill(c, data, 512, 0);
			header_write(c, &in);
			n = cut(segs, hdr, HDR, first, step, false);
			n += cut(segs + n, resp_gpa(c), RESP, 2 * first, step, true);
			segs[n++] = (struct guest_seg){ data, 512, true };
			if (result_want(c, "response cut at", 2 * first, pieces_do(c, segs, n, &len),
					GOOD) < 0 ||
					conform_disk_check(c, data, 512, first + step) < 0)
				return -1;
		}
	}
	/* header and data in one descriptor; response and data in one descriptor */
	conform_disk_fill(c, hdr + HDR, 512, 77);
	header_write(c, &out);
	segs[0] = (struct guest_seg){ hdr, HDR + 512, false };
	segs[1] = (struct guest_seg){ resp_gpa(c), RESP, true };
	if (result_want(c, "header with data", 0, pieces_do(c, segs, 2, &len), GOOD) < 0)
		return -1;
	header_write(c, &in);
	segs[0].len = HDR;
	segs[1].len = RESP + 512;
	if (result_want(c, "response with data", 0, pieces_do(c, segs, 2, &len), GOOD) < 0)
		return -1;
	return conform_disk_check(c, resp_gpa(c) + RESP, 512, 77);
}

/* ---- data ---- */

static int
chains_of_any_length(struct conform_disk *c)
{
	const struct virtio_scsi_cmd_req req = transfer_of(READ_10, 0, 1025);

	if (conform_disk_lengths(c) < 0)
		return -1;
	/* more than the kernel takes at once */
	return sense_want(c, "segments", 1025, data_do(c, &req, conform_disk_data(c), 1025 * 512,
			512, true), TARGET_FAILURE);
}

/* ---- unit attentions ---- */

static int
power_on_is_reported_once(struct conform_disk *c)
{
	const struct virtio_scsi_cmd_req ready = command_of(TEST_UNIT_READY);
	const struct guest_seg segs[] = { { conform_disk_hdr(c), HDR, false },
		{ resp_gpa(c), RESP, true } };
	uint32_t len;

	/* INQUIRY does not wait for it */
	if (conform_scsi_inquiry(c) < 0)
		return -1;
	header_write(c, &ready);
	if (sense_want(c, "first command", 0, pieces_do_once(c, segs, 2, &len), 0x62900) < 0)
		return -1;
	return result_want(c, "second command", 0, pieces_do_once(c, segs, 2, &len), GOOD);
}

/* ---- config space ---- */

static int
config_space_has_its_bounds(struct conform_disk *c)
{
	struct virtio_scsi_config config;

	if (conform_disk_config(c, &config, sizeof(config)) < 0)
		return -1;
	if (config.num_queues != 1 || config.sense_size != VIRTIO_SCSI_SENSE_DEFAULT_SIZE ||
			config.cdb_size != VIRTIO_SCSI_CDB_DEFAULT_SIZE || config.event_info_size !=
			sizeof(struct virtio_scsi_event) || config.max_channel != 0)
		return conform_disk_no(c, "%u queues, sense %u, CDB %u, event %u bytes, channel %u",
				config.num_queues, config.sense_size, config.cdb_size,
				config.event_info_size, config.max_channel);
	return 0;
}

/* ---- hostile ---- */

/* A chain that VIRTIO forbids breaks its queue, and harms nothing else. */
static int
chain_breaks(struct conform_disk *c, const char *what, const struct guest_seg *segs, uint16_t nb)
{
	const struct virtio_scsi_cmd_req req = transfer_of(READ_10, 0, 1);

	if (conform_scsi_ready(c) < 0)
		return -1;
	header_write(c, &req);
	return conform_disk_rests(c, what, segs, nb) < 0 ? -1 : conform_disk_restart(c);
}

static int
wrong_chains_break_their_queue(struct conform_disk *c)
{
	const struct disk *d = c->disk;
	const uint64_t none = d->mem.regions[d->mem.island].gpa - 4096;
	const struct guest_seg hdr = { conform_disk_hdr(c), HDR, false },
		data = { conform_disk_data(c), 512, true }, resp = { resp_gpa(c), RESP, true };
	const struct guest_seg early[] = { resp, hdr }, split[] = { hdr, resp, data,
		{ conform_disk_data(c) + 512, 512, false } };
	const struct guest_seg hole[] = { hdr, resp, { none, 512, true } }, far[] = { hdr, resp,
		{ UINT64_MAX - 511, 512, true } };
	const struct guest_seg wild_hdr[] = { { none, HDR, false }, resp, data },
		wild_resp[] = { hdr, { none, RESP, true }, data };

	return chain_breaks(c, "response before the header", early, 2) < 0 ||
		chain_breaks(c, "readable data behind writable data", split, 4) < 0 ||
		chain_breaks(c, "data that is no memory", hole, 3) < 0 ||
		chain_breaks(c, "data at the end of the address space", far, 3) < 0 ||
		chain_breaks(c, "header that is no memory", wild_hdr, 3) < 0 ||
		chain_breaks(c, "response that is no memory", wild_resp, 3) < 0 ? -1 : 0;
}

static int
regions_with_any_bytes(struct conform_disk *c)
{
	const struct virtio_scsi_cmd_req req = command_of(TEST_UNIT_READY);

	header_write(c, &req);
	return conform_disk_any_region(c, (const struct guest_seg[]){
			{ conform_disk_hdr(c), HDR, false }, { resp_gpa(c), RESP, true } }, 2);
}

static const struct conform_disk_item items[] = {
	{ "R1", "each LUN has its answer", false, luns_are_told_apart },
	{ "R2", "tag, attribute, priority and number are ignored", false, other_fields_are_ignored },
	{ "R3", "each operation code is answered", false, each_operation_code_is_answered },
	{ "R4", "blocks outside of the unit are refused", false, addresses_are_checked },
	{ "R5", "lengths and directions are checked", false, lengths_are_checked },
	{ "R6", "header and response need room", false, headers_and_responses_need_room },
	{ "R7", "header and response may lie in any descriptors", false,
		header_and_response_may_be_cut },
	{ "R8", "data of 1 to 1024 segments", false, chains_of_any_length },
	{ "R9", "data may cross regions of memory", false, conform_disk_borders },
	{ "R10", "a power on is reported once", false, power_on_is_reported_once },
	{ "R11", "config space has its fields and bounds", false, config_space_has_its_bounds },
	{ "C1", "each task management function is answered", false, conform_scsi_functions },
	{ "C2", "fields of the control queue are checked", false, conform_scsi_ctrl_fields },
	{ "C3", "control requests may lie in any descriptors", false, conform_scsi_ctrl_cuts },
	{ "H1", "a wrong chain breaks its queue only", false, wrong_chains_break_their_queue },
	{ "H2", "an in-flight region may have any bytes", true, regions_with_any_bytes },
	{ "H3", "a wrong chain of the control queue breaks that only", false,
		conform_scsi_ctrl_chains },
	/* the file is longer behind it */
	{ "E1", "an event waits for a buffer that has room", false, conform_scsi_events },
	{ NULL, NULL, false, NULL },
};

const struct conform_disk_class conform_scsi = { &disk_codec_scsi, items, disk_pass,
	data_pass };
