/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file Items of the control queue and of the event queue of a SCSI host. */

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/virtio_scsi.h>

#include <rte_common.h>

#include "conform_disk.h"
#include "conform_disk_io.h"
#include "conform_scsi.h"
#include "guest_disk_core.h"
#include "guest_mem.h"
#include "guest_ring.h"

#define CTRL 0
#define EVENT 1
#define ANSWER_AT 2048
#define NONE 0xee
#define ROOM 64

#define TMF(name) VIRTIO_SCSI_T_TMF_##name
#define COMPLETE 0
#define REJECTED VIRTIO_SCSI_S_FUNCTION_REJECTED
#define BAD_TARGET VIRTIO_SCSI_S_BAD_TARGET
#define INCORRECT_LUN VIRTIO_SCSI_S_INCORRECT_LUN

/* ASC and ASCQ of "capacity data has changed". */
#define CAPACITY_CHANGED 0x092a

static const struct virtio_scsi_ctrl_tmf_req reset = { .type = VIRTIO_SCSI_T_TMF,
	.subtype = TMF(LOGICAL_UNIT_RESET), .lun = { 1, 0, 0x40, 0 } };

static uint64_t
answer_gpa(const struct conform_disk *c)
{
	return conform_disk_hdr(c) + ANSWER_AT;
}

static struct disk_queue *
queue_of(const struct conform_disk *c, uint16_t q)
{
	return &c->disk->queues[q];
}

static void
room_clear(struct conform_disk *c)
{
	uint8_t none[ROOM];

	memset(none, NONE, sizeof(none));
	guest_mem_write(&c->disk->mem, answer_gpa(c), none, sizeof(none));
}

/* Send pieces to the control queue. @return used length; -1: the item fails */
static int
pieces_do(struct conform_disk *c, const struct guest_seg *segs, uint16_t nb)
{
	uint32_t len = 0;
	int ret;

	room_clear(c);
	conform_disk_add_to(c, queue_of(c, CTRL), segs, nb);
	ret = c->why[0] == '\0' ?
		conform_disk_wait_on(c, queue_of(c, CTRL), CONFORM_RETURN_MS, &len) : -1;
	if (ret == 0)
		return conform_disk_no(c, "a request of the control queue does not return");
	return ret < 0 ? -1 : (int)len;
}

/* @param out, in  bytes of the request and of its answer; 0: no descriptor. @return as above */
static int
request_do(struct conform_disk *c, const void *req, uint32_t size, uint32_t out, uint32_t in)
{
	struct guest_seg segs[2];
	uint16_t n = 0;

	guest_mem_write(&c->disk->mem, conform_disk_hdr(c), req, size);
	if (out > 0)
		segs[n++] = (struct guest_seg){ conform_disk_hdr(c), out, false };
	if (in > 0)
		segs[n++] = (struct guest_seg){ answer_gpa(c), in, true };
	return pieces_do(c, segs, n);
}

static int
answer_want(struct conform_disk *c, const char *what, uint64_t value, int len, uint8_t want)
{
	const uint8_t answer = conform_disk_byte(c, answer_gpa(c));

	if (len == 1 && answer == want)
		return 0;
	return len < 0 ? -1 : conform_disk_no(c, "%s 0x%" PRIx64 ": used length %d, response %u, "
			"not %u", what, value, len, answer, want);
}

static int
function_do(struct conform_disk *c, uint32_t subtype, const uint8_t *lun)
{
	struct virtio_scsi_ctrl_tmf_req tmf = reset;

	tmf.subtype = subtype;
	memcpy(tmf.lun, lun, sizeof(tmf.lun));
	return request_do(c, &tmf, sizeof(tmf), sizeof(tmf), 1);
}

/* Returned, and nothing was written. */
static int
silence_want(struct conform_disk *c, const char *what, uint64_t value, int len)
{
	if (len < 0)
		return -1;
	return len == 0 && conform_disk_byte(c, answer_gpa(c)) == NONE ? 0 :
		conform_disk_no(c, "%s 0x%" PRIx64 ": used length %d, response %u", what, value,
				len, conform_disk_byte(c, answer_gpa(c)));
}

int
conform_scsi_functions(struct conform_disk *c)
{
	static const struct {
		uint32_t subtype;
		uint8_t answer;
	} rows[] = {
		{ TMF(ABORT_TASK), COMPLETE }, { TMF(ABORT_TASK_SET), COMPLETE },
		{ TMF(CLEAR_ACA), REJECTED }, { TMF(CLEAR_TASK_SET), COMPLETE },
		{ TMF(I_T_NEXUS_RESET), COMPLETE }, { TMF(LOGICAL_UNIT_RESET), COMPLETE },
		{ TMF(QUERY_TASK), COMPLETE }, { TMF(QUERY_TASK_SET), COMPLETE },
		{ 8, REJECTED }, { 255, REJECTED }, { 1 << 31, REJECTED }, { UINT32_MAX, REJECTED },
	};
	static const uint8_t target[8] = { 1, 1, 0x40 }, lun[8] = { 1, 0, 0x40, 3 };
	unsigned int i;

	for (i = 0; i < RTE_DIM(rows); i++) {
		if (answer_want(c, "function", rows[i].subtype, function_do(c, rows[i].subtype,
				reset.lun), rows[i].answer) < 0 ||
				answer_want(c, "function of another target", rows[i].subtype,
				function_do(c, rows[i].subtype, target), BAD_TARGET) < 0 ||
				conform_scsi_ready(c) < 0)
			return -1;
		if (rows[i].answer == COMPLETE && answer_want(c, "function of another unit",
				rows[i].subtype, function_do(c, rows[i].subtype, lun),
				rows[i].subtype == TMF(I_T_NEXUS_RESET) ? COMPLETE :
				INCORRECT_LUN) < 0)
			return -1;
	}
	return 0;
}

int
conform_scsi_ctrl_fields(struct conform_disk *c)
{
	static const uint32_t types[] = { 3, 4, 255, 256, 1 << 31, UINT32_MAX };
	struct virtio_scsi_ctrl_an_req an = { .type = VIRTIO_SCSI_T_AN_QUERY,
		.lun = { 1, 0, 0x40, 0 }, .event_requested = UINT32_MAX };
	struct virtio_scsi_ctrl_tmf_req tmf = reset;
	uint32_t i;

	for (i = 0; i < RTE_DIM(types); i++) {
		tmf.type = types[i];
		if (silence_want(c, "type", types[i], request_do(c, &tmf, sizeof(tmf), sizeof(tmf),
				ROOM)) < 0)
			return -1;
	}
	for (i = 0; i < sizeof(tmf); i++) {
		if (silence_want(c, "function of bytes", i, request_do(c, &reset, sizeof(reset), i,
				1)) < 0)
			return -1;
	}
	if (silence_want(c, "no answer", 0, request_do(c, &reset, sizeof(reset), sizeof(reset),
			0)) < 0)
		return -1;
	/* longer than it needs to be */
	if (answer_want(c, "long function", 0, request_do(c, &reset, sizeof(reset), 1000, ROOM),
			COMPLETE) < 0)
		return -1;
	for (i = 0; i < sizeof(an); i++) {
		if (silence_want(c, "query of bytes", i, request_do(c, &an, sizeof(an), i, 5)) < 0)
			return -1;
	}
	for (i = 1; i < 5; i++) {
		if (silence_want(c, "query with room", i, request_do(c, &an, sizeof(an),
				sizeof(an), i)) < 0)
			return -1;
	}
	for (i = 0; i < 2; i++) {
		an.type = VIRTIO_SCSI_T_AN_QUERY + i;
		if (request_do(c, &an, sizeof(an), sizeof(an), 5) != 5 ||
				conform_disk_byte(c, answer_gpa(c) + 4) != VIRTIO_SCSI_S_OK)
			return conform_disk_no(c, "a query is not answered");
	}
	return conform_scsi_ready(c);
}

int
conform_scsi_ctrl_cuts(struct conform_disk *c)
{
	struct guest_seg segs[sizeof(reset) + 1];
	uint32_t first, step, at, part;
	uint16_t n;
	int len;

	for (first = 1; first < sizeof(reset); first++) {
		for (step = 2; step <= sizeof(reset); step += 3) {
			guest_mem_write(&c->disk->mem, conform_disk_hdr(c), &reset, sizeof(reset));
			for (n = 0, at = 0; at < sizeof(reset); at += part) {
				part = RTE_MIN(at == 0 ? first : step,
						(uint32_t)sizeof(reset) - at);
				segs[n++] = (struct guest_seg){ conform_disk_hdr(c) + at, part,
					false };
			}
			segs[n++] = (struct guest_seg){ answer_gpa(c), 1, true };
			len = pieces_do(c, segs, n);
			if (answer_want(c, "function cut at", first, len, COMPLETE) < 0)
				return -1;
		}
	}
	return conform_scsi_ready(c);
}

static int
chain_breaks(struct conform_disk *c, const char *what, const struct guest_seg *segs, uint16_t nb)
{
	uint32_t len;

	guest_mem_write(&c->disk->mem, conform_disk_hdr(c), &reset, sizeof(reset));
	room_clear(c);
	conform_disk_add_to(c, queue_of(c, CTRL), segs, nb);
	if (c->why[0] != '\0')
		return -1;
	if (conform_disk_wait_on(c, queue_of(c, CTRL), CONFORM_REST_MS, &len) != 0)
		return conform_disk_no(c, "%s: the request returned", what);
	/* commands are served */
	return conform_scsi_inquiry(c) < 0 ? -1 : conform_disk_restart(c);
}

int
conform_scsi_ctrl_chains(struct conform_disk *c)
{
	const struct disk *d = c->disk;
	const uint64_t none = d->mem.regions[d->mem.island].gpa - 4096;
	const struct guest_seg hdr = { conform_disk_hdr(c), sizeof(reset), false },
		answer = { answer_gpa(c), 1, true };
	const struct guest_seg early[] = { answer, hdr }, wild_hdr[] = { { none, 24, false },
		answer }, wild_answer[] = { hdr, { none, 1, true } };

	return chain_breaks(c, "answer before the function", early, 2) < 0 ||
		chain_breaks(c, "function that is no memory", wild_hdr, 2) < 0 ||
		chain_breaks(c, "answer that is no memory", wild_answer, 2) < 0 ? -1 : 0;
}

/* ---- events ---- */

static int
disk_grow(struct conform_disk *c)
{
	struct stat st;

	if (stat(c->file, &st) != 0 || truncate(c->file, st.st_size + 4096) != 0)
		return conform_disk_no(c, "cannot make the disk larger: %s", strerror(errno));
	return 0;
}

/* The buffers are used in their order: those that are too small return empty. */
static int
event_await(struct conform_disk *c, const uint32_t *small, unsigned int nb)
{
	struct virtio_scsi_event event;
	uint32_t len;
	unsigned int i;

	for (i = 0; i < nb; i++) {
		if (conform_disk_wait_on(c, queue_of(c, EVENT), CONFORM_RETURN_MS, &len) != 1)
			return conform_disk_no(c, "a buffer of %u bytes does not return", small[i]);
		if (len != 0)
			return conform_disk_no(c, "%u bytes in a buffer of %u", len, small[i]);
	}
	if (conform_disk_wait_on(c, queue_of(c, EVENT), CONFORM_RETURN_MS, &len) != 1)
		return conform_disk_no(c, "no event");
	guest_mem_read(&c->disk->mem, answer_gpa(c), &event, sizeof(event));
	if (len != sizeof(event) || event.event != VIRTIO_SCSI_T_PARAM_CHANGE ||
			event.reason != CAPACITY_CHANGED || event.lun[0] != 1 || event.lun[3] != 0)
		return conform_disk_no(c, "event 0x%x, reason 0x%x, of %u bytes", event.event,
				event.reason, len);
	return 0;
}

int
conform_scsi_events(struct conform_disk *c)
{
	static const uint32_t small[] = { 1, 4, 8, 15 };
	struct guest_seg seg = { answer_gpa(c), 0, true };
	const struct guest_seg cut[] = { { answer_gpa(c), 3, true }, { answer_gpa(c) + 3, 1, true },
		{ answer_gpa(c) + 4, 40, true } };
	unsigned int i;

	if (conform_scsi_ready(c) < 0)
		return -1;
	/* with buffers, and then without one until the event is due */
	for (i = 0; i < RTE_DIM(small); i++) {
		seg.len = small[i];
		conform_disk_add_to(c, queue_of(c, EVENT), &seg, 1);
	}
	conform_disk_add_to(c, queue_of(c, EVENT), cut, RTE_DIM(cut));
	if (disk_grow(c) < 0 || event_await(c, small, RTE_DIM(small)) < 0 || disk_grow(c) < 0)
		return -1;
	usleep(CONFORM_REST_MS * 3000);
	seg.len = sizeof(struct virtio_scsi_event);
	conform_disk_add_to(c, queue_of(c, EVENT), &seg, 1);
	return event_await(c, NULL, 0) < 0 ? -1 : conform_scsi_ready(c);
}
