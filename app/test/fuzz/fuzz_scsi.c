/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * Fuzzer of a SCSI host with two logical units in memory: one of its queues has a driver that sends
 * commands, task management functions or event buffers, right and wrong, in chains of any shape. It
 * overwrites anything, in half of the inputs also while the device works, and changes the sizes of
 * CDB and sense data. The device is suspended, captured and resumed in between.
 *
 * No byte outside the guest's memory and the disks is touched, only what the driver offered is
 * written and logged, all requests come to an end, and a captured state is valid.
 */

#include <stdlib.h>
#include <string.h>

#include <linux/virtio_ring.h>
#include <linux/virtio_scsi.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>
#include <rte_memory.h>

#include "fuzz_queue.h"
#include "vstate_probe.h"
#include "block/vstate_scsi.h"
#include "block/vstate_scsi_class.h"
#include "block/vstate_scsi_conf.h"
#include "block/vstate_scsi_event.h"
#include "block/vstate_scsi_unit.h"
#include "block/vstate_scsi_vq.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_poller.h"
#include "dev/vstate_start.h"
#include "dev/vstate_watch.h"
#include "ring/vstate_lease.h"
#include "rte_vhost_state.h"

#define NAME "fuzz"
#define LUNS 2
#define DISK_SIZE 65536
#define STEPS_MAX 80
/* The control queue serves a few requests in a turn. */
#define TURNS_MAX 40

static struct fuzz_queue q;
static struct vstate_scsi *scsi;

/* ---- the driver ---- */

/* A descriptor block, mostly of a command that the device knows and with numbers that fit. */
static void
cdb_draw(struct fuzz_in *in, uint8_t cdb[16])
{
	static const uint8_t codes[] = { 0x28, 0x2a, 0x88, 0x8a, 0x08, 0x0a, 0x12, 0x25, 0x9e, 0x35,
		0x91, 0x42, 0x93, 0x1a, 0x5a, 0xa0, 0x00, 0x03, 0x1b, 0x12 };
	const uint8_t how = fuzz_u8(in), value = fuzz_u8(in);

	memset(cdb, 0, 16);
	cdb[0] = how & 0x80 ? fuzz_u8(in) : codes[(how & 0x1f) % RTE_DIM(codes)];
	switch (cdb[0] >> 5) {
	case 0:
		cdb[3] = value >> 4;
		cdb[4] = cdb[0] == 0x12 ? 255 : value & 15;
		break;
	case 1:
	case 2:
		cdb[5] = value >> 4;
		cdb[8] = value & 15;
		break;
	case 4:
		cdb[9] = value >> 4;
		cdb[13] = value & 15;
		break;
	default:
		cdb[9] = 255;
		break;
	}
	if (cdb[0] == 0x9e)
		cdb[1] = 0x10;
	if (cdb[0] == 0x12 && how & 0x20) {
		cdb[1] = 1;
		cdb[2] = value;
	}
	if (how & 0x40)
		fuzz_bytes(in, cdb + 1, 1 + (fuzz_u8(in) & 15) % 15);
}

static void
chain_add(struct fuzz_in *in, struct fuzz_desc *descs, uint16_t n, uint8_t how)
{
	if (how & 1)
		descs[0].len = fuzz_driver_len(&q.d, in);
	if (how & 2) {
		descs[0] = fuzz_driver_table(&q.d, descs, n);
		n = 1;
	}
	fuzz_driver_add(&q.d, descs, n);
}

static void
command_add(struct fuzz_in *in)
{
	const uint8_t how = fuzz_u8(in), blocks = fuzz_u8(in);
	const uint64_t addr = fuzz_guest_addr(in);
	struct virtio_scsi_cmd_req req = { .lun = { 1, 0, 0x40, how >> 7 },
		.tag = fuzz_u8(in) };
	const uint32_t hdr_len = 19 + scsi->cdb_size, resp_len = 12 + scsi->sense_size;
	const uint32_t data_len = 512u * (blocks & 31);
	struct fuzz_desc descs[4] = { { addr, hdr_len, 0, 0 } };
	uint16_t n = 1;

	if (how & 0x40)
		fuzz_bytes(in, req.lun, sizeof(req.lun));
	cdb_draw(in, req.cdb);
	fuzz_guest_write(addr, &req, RTE_MIN(hdr_len, 19u + 16));
	if (how & 4 && data_len > 0)
		descs[n++] = (struct fuzz_desc){ fuzz_guest_addr(in), data_len, 0, 0 };
	descs[n++] = (struct fuzz_desc){ fuzz_guest_addr(in), resp_len, VRING_DESC_F_WRITE, 0 };
	if (!(how & 4) && data_len > 0)
		descs[n++] = (struct fuzz_desc){ fuzz_guest_addr(in), data_len,
			VRING_DESC_F_WRITE, 0 };
	if (how & 8)
		descs[n - 1].len = fuzz_driver_len(&q.d, in);
	chain_add(in, descs, n, how >> 4);
}

static void
function_add(struct fuzz_in *in)
{
	const uint8_t how = fuzz_u8(in);
	const uint64_t addr = fuzz_guest_addr(in);
	struct virtio_scsi_ctrl_tmf_req tmf = { .type = rte_cpu_to_le_32(how & 3),
		.subtype = rte_cpu_to_le_32(fuzz_u8(in) % 9), .lun = { 1, 0, 0x40, how >> 7 },
		.tag = fuzz_u8(in) };
	struct fuzz_desc descs[2] = { { addr, sizeof(tmf), 0, 0 },
		{ fuzz_guest_addr(in), 8, VRING_DESC_F_WRITE, 0 } };

	if (how & 4)
		fuzz_bytes(in, tmf.lun, sizeof(tmf.lun));
	fuzz_guest_write(addr, &tmf, sizeof(tmf));
	chain_add(in, descs, 2, how >> 4);
}

static void
event_add(struct fuzz_in *in)
{
	struct fuzz_desc desc = { fuzz_guest_addr(in), sizeof(struct virtio_scsi_event),
		VRING_DESC_F_WRITE, 0 };

	chain_add(in, &desc, 1, fuzz_u8(in));
}

static void
request_add(struct fuzz_in *in)
{
	switch (q.qid) {
	case VSTATE_SCSI_VQ_CTRL:
		function_add(in);
		break;
	case VSTATE_SCSI_VQ_EVENT:
		event_add(in);
		break;
	default:
		command_add(in);
		break;
	}
}

/* ---- the device ---- */

static void
device_work(struct fuzz_in *in)
{
	unsigned int i;

	fuzz_queue_turn_begin(&q, in, false);
	for (i = 0; i < TURNS_MAX && vstate_scsi_poll(q.dev) > 0; i++)
		;
	fuzz_queue_turn_end(&q);
}

static void
suspend_try(bool capture)
{
	if (!fuzz_queue_suspend(&q))
		return;
	fuzz_require(vstate_blk_vq_of(q.vq)->nb_out == 0, "no request is under way");
	if (capture)
		rte_vhost_state_free(fuzz_queue_capture(&q));
	fuzz_queue_resume(&q);
}

static void
sizes_change(struct fuzz_in *in)
{
	const uint8_t how = fuzz_u8(in);
	const uint32_t value = rte_cpu_to_le_32(how & 2 ? fuzz_u16(in) : fuzz_u8(in) & 63);

	vstate_scsi_config_set(q.dev, (const uint8_t *)&value, how & 1 ?
			offsetof(struct virtio_scsi_config, sense_size) :
			offsetof(struct virtio_scsi_config, cdb_size), sizeof(value));
}

/* A file grew, or somebody reset the host. */
static void
attention_make(uint8_t op)
{
	if (q.qid == VSTATE_SCSI_VQ_EVENT)
		vstate_scsi_event_add(scsi, op & 1);
	else
		vstate_scsi_attention_add(scsi, op & 1, op >> 1 & 0xf);
}

/* ---- one connection ---- */

static void
connection_begin(struct fuzz_in *in)
{
	const uint8_t how = fuzz_u8(in), which = fuzz_u8(in);
	const struct fuzz_queue_conf conf = { .hdr_len = 51, .direction = VRING_DESC_F_WRITE,
		.qid = which & 2 ? VSTATE_SCSI_VQ_FIRST : which & 1,
		.features = RTE_BIT64(VIRTIO_SCSI_F_CHANGE) };
	struct vstate_scsi_report report = { 0 };
	unsigned int i;

	fuzz_queue_begin(&q, in, how, &conf);
	vstate_scsi_reset(q.dev);
	/* else the first command of each unit gets nothing but these */
	for (i = 0; i < LUNS && !(which & 0x80); i++) {
		vstate_scsi_attention_claim(scsi, i, RTE_VHOST_STATE_SCSI_ATTENTION_ALL, &report);
		vstate_scsi_attention_end(scsi, i, &report);
	}
	vstate_start(q.dev, &q.setup);
}

static void
connection_end(void)
{
	fuzz_queue_end(&q);
	fuzz_require(vstate_blk_vq_of(q.vq)->nb_out == 0, "no request is under way");
}

static void
step_run(struct fuzz_in *in, uint8_t op)
{
	switch (op & 7) {
	case 0:
	case 1:
	case 2:
		request_add(in);
		break;
	case 3:
		fuzz_driver_step(&q.d, in, op >> 3);
		break;
	case 4:
		fuzz_driver_step(&q.d, in, 3);
		break;
	case 5:
		if (op & 0x80)
			attention_make(op >> 3 & 15);
		else if (op & 0x40)
			sizes_change(in);
		else
			suspend_try(op & 8);
		break;
	default:
		device_work(in);
		break;
	}
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static struct vstate_conf conf;

	RTE_SET_USED(argc);
	RTE_SET_USED(argv);
	fuzz_lasting(true);
	fuzz_eal_start();
	vstate_lease_init();
	fuzz_require(vstate_watch_get() == 0, "the watch thread starts");
	conf = (struct vstate_conf){ .queues = 1, .numa = SOCKET_ID_ANY, .socket_mode = -1,
		.socket_group = -1 };
	vstate_scsi_conf_default(&conf);
	vstate_scsi_conf(&conf)->store.store = VSTATE_BLK_STORE_RAM;
	vstate_scsi_conf(&conf)->store.size = DISK_SIZE;
	vstate_scsi_conf(&conf)->nb_luns = LUNS;
	q.dev = vstate_probe_make(NAME, &conf, &vstate_scsi_class, SOCKET_ID_ANY);
	fuzz_require(q.dev != NULL, "a device can be made");
	scsi = vstate_scsi_of(q.dev);
	vstate_poller_set(q.dev, VSTATE_POLLER_SERVICE, NULL, NULL);
	fuzz_lasting(false);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, data + size };
	const int free_fd = fuzz_free_fd();
	unsigned int step;

	connection_begin(&in);
	for (step = 0; step < STEPS_MAX && fuzz_has_more(&in); step++)
		step_run(&in, fuzz_u8(&in));
	device_work(&in);
	connection_end();
	fuzz_require(fuzz_free_fd() == free_fd, "no descriptor is left open");
	return 0;
}
