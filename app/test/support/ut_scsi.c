/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <linux/virtio_scsi.h>

#include <rte_byteorder.h>
#include <rte_cycles.h>
#include <rte_memory.h>

#include "ut_groups.h"
#include "ut_scsi.h"
#include "vstate_probe.h"
#include "block/vstate_scsi_class.h"
#include "block/vstate_scsi_conf.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_poller.h"
#include "dev/vstate_start.h"
#include "dev/vstate_watch.h"
#include "ring/vstate_lease.h"

/* A request that does not return in this time never does. */
#define COMPLETE_MS 10000

#define DESC_GPA SCSI_CTRL_GPA
#define AVAIL_GPA (SCSI_CTRL_GPA + 0x400)
#define USED_GPA (SCSI_CTRL_GPA + 0x800)
#define REQ_GPA(i) (SCSI_CTRL_GPA + 0x1000 + (i) * 0x100)

struct vstate_conf
scsi_conf(uint16_t luns)
{
	struct vstate_conf conf = { .queues = 1, .numa = SOCKET_ID_ANY };

	vstate_scsi_conf_default(&conf);
	vstate_scsi_conf(&conf)->store.store = VSTATE_BLK_STORE_RAM;
	vstate_scsi_conf(&conf)->store.size = SCSI_SIZE;
	vstate_scsi_conf(&conf)->nb_luns = luns;
	return conf;
}

static void
ctrl_describe(struct scsi *s, struct vstate_ring_setup *ring)
{
	memset(guest_at(&s->ring.guest, SCSI_CTRL_GPA), 0, 0x1000);
	*ring = (struct vstate_ring_setup){
		.ready = true,
		.size = SCSI_CTRL_SIZE,
		.desc = guest_at(&s->ring.guest, DESC_GPA),
		.driver = guest_at(&s->ring.guest, AVAIL_GPA),
		.device = guest_at(&s->ring.guest, USED_GPA),
		.callfd = -1,
		.kickfd = -1,
		.base_fresh = true,
	};
	s->ctrl_avail = s->ctrl_used = 0;
}

void
scsi_device_open(struct scsi *s, const char *name, const struct vstate_conf *conf)
{
	vstate_lease_init();
	assert_int_equal(vstate_watch_get(), 0);
	s->dev = vstate_probe_make(name, conf, &vstate_scsi_class, SOCKET_ID_ANY);
	assert_non_null(s->dev);
	s->host = vstate_scsi_of(s->dev);
	vstate_poller_set(s->dev, VSTATE_POLLER_SERVICE, NULL, NULL);
	vstate_start_connect(s->dev);
	memset(&s->setup, 0, sizeof(s->setup));
	s->setup.features = s->dev->features_offered &
		~(s->packed ? 0 : RTE_BIT64(VIRTIO_F_RING_PACKED)) &
		~RTE_BIT64(VIRTIO_RING_F_EVENT_IDX) & ~RTE_BIT64(26);
	vstate_start_negotiate(s->dev, s->setup.features, false);
	s->setup.mem = s->ring.guest.mem;
	ring_describe(&s->ring, &s->setup.rings[VSTATE_SCSI_VQ_FIRST]);
	s->setup.rings[VSTATE_SCSI_VQ_FIRST].ready = true;
	if (!s->packed)
		ctrl_describe(s, &s->setup.rings[VSTATE_SCSI_VQ_CTRL]);
	s->vq = s->dev->vqs[VSTATE_SCSI_VQ_FIRST];
	s->q = vstate_scsi_vq_of(s->vq);
}

void
scsi_device_close(struct scsi *s)
{
	vstate_start_disconnect(s->dev, false);
	vstate_probe_unmake(s->dev);
	vstate_watch_put();
}

void
scsi_start(struct scsi *s, struct vstate_pos base)
{
	struct vstate_ring_setup *ring = &s->setup.rings[VSTATE_SCSI_VQ_FIRST];

	ring->base_fresh = true;
	ring->avail = ring->used = base;
	vstate_start(s->dev, &s->setup);
	ring->base_fresh = false;
	s->setup.rings[VSTATE_SCSI_VQ_CTRL].base_fresh = false;
}

void
scsi_open(struct scsi *s, const char *name, const struct vstate_conf *conf, bool packed)
{
	memset(s, 0, sizeof(*s));
	s->packed = packed;
	ring_open(&s->ring, packed, SCSI_RING);
	scsi_device_open(s, name, conf);
	scsi_start(s, (struct vstate_pos){ 0, packed });
}

void
scsi_close(struct scsi *s)
{
	scsi_device_close(s);
	ring_close(&s->ring);
}

/* ---- the driver ---- */

void
scsi_header(struct scsi *s, unsigned int i, unsigned int lun, const uint8_t *cdb)
{
	struct virtio_scsi_cmd_req req = { .lun = { 1, 0, 0x40, lun },
		.tag = rte_cpu_to_le_64(100 + i) };
	struct virtio_scsi_cmd_resp resp;

	memcpy(req.cdb, cdb, 16);
	memset(&resp, SCSI_NO_RESPONSE, sizeof(resp));
	guest_write(&s->ring.guest, SCSI_HDR(i), &req, sizeof(req));
	guest_write(&s->ring.guest, SCSI_RESP(i), &resp, sizeof(resp));
}

uint16_t
scsi_add(struct scsi *s, unsigned int i, unsigned int lun, const uint8_t *cdb, uint32_t len,
		bool in)
{
	struct piece p[3] = { { SCSI_HDR(i), sizeof(struct virtio_scsi_cmd_req) } };
	uint16_t n = 1;

	scsi_header(s, i, lun, cdb);
	if (len > 0 && !in)
		p[n++] = (struct piece){ SCSI_DATA(i), len };
	p[n++] = (struct piece){ SCSI_RESP(i), sizeof(struct virtio_scsi_cmd_resp) };
	if (len > 0 && in)
		p[n++] = (struct piece){ SCSI_DATA(i), len };
	return ring_add_mixed(&s->ring, p, len > 0 && !in ? 2 : 1, n);
}

uint32_t
scsi_complete(struct scsi *s, unsigned int n)
{
	const uint64_t end = rte_rdtsc() + rte_get_tsc_hz() / MS_PER_S * COMPLETE_MS;
	uint32_t len = 0;
	uint16_t id;

	while (n > 0) {
		vstate_scsi_poll(s->dev);
		if (ring_get_used(&s->ring, &id, &len))
			n--;
		else
			assert_true(rte_rdtsc() < end);
	}
	return len;
}

static struct virtio_scsi_cmd_resp
resp_get(const struct scsi *s, unsigned int i)
{
	struct virtio_scsi_cmd_resp resp;

	memcpy(&resp, guest_at(&s->ring.guest, SCSI_RESP(i)), sizeof(resp));
	return resp;
}

uint16_t
scsi_result(const struct scsi *s, unsigned int i)
{
	const struct virtio_scsi_cmd_resp resp = resp_get(s, i);

	return SCSI_RESULT(resp.response, resp.status);
}

uint32_t
scsi_sense(const struct scsi *s, unsigned int i)
{
	const struct virtio_scsi_cmd_resp resp = resp_get(s, i);

	if (resp.sense_len == 0)
		return 0;
	assert_int_equal(rte_le_to_cpu_32(resp.sense_len), VSTATE_SCSI_SENSE_BYTES);
	assert_int_equal(resp.sense[0], 0x70);
	assert_int_equal(resp.sense[7], 10);
	return resp.sense[2] << 16 | resp.sense[12] << 8 | resp.sense[13];
}

uint32_t
scsi_residual(const struct scsi *s, unsigned int i)
{
	return rte_le_to_cpu_32(resp_get(s, i).resid);
}

uint16_t
scsi_do(struct scsi *s, unsigned int lun, const uint8_t *cdb, uint32_t len, bool in)
{
	scsi_add(s, 0, lun, cdb, len, in);
	scsi_complete(s, 1);
	return scsi_result(s, 0);
}

void
scsi_ready(struct scsi *s, unsigned int lun)
{
	static const uint8_t test_unit_ready[16];
	unsigned int i;

	for (i = 0; i < 8; i++)
		if (scsi_do(s, lun, test_unit_ready, 0, false) == SCSI_OK)
			return;
	fail_msg("unit %u is not ready: sense 0x%x", lun, scsi_sense(s, 0));
}

void
scsi_transfer_cdb(uint8_t *cdb, bool write, uint32_t lba, uint16_t nb)
{
	memset(cdb, 0, 16);
	cdb[0] = write ? 0x2a : 0x28;
	lba = rte_cpu_to_be_32(lba);
	nb = rte_cpu_to_be_16(nb);
	memcpy(cdb + 2, &lba, 4);
	memcpy(cdb + 7, &nb, 2);
}

void
scsi_data_fill(struct scsi *s, unsigned int i, uint32_t len, uint8_t seed)
{
	uint32_t k;

	for (k = 0; k < len; k++)
		*guest_at(&s->ring.guest, SCSI_DATA(i) + k) = seed + k + k / 256;
}

void
scsi_data_check(const struct scsi *s, unsigned int i, uint32_t len, uint8_t seed)
{
	uint32_t k;

	for (k = 0; k < len; k++)
		assert_int_equal(*guest_at(&s->ring.guest, SCSI_DATA(i) + k),
				(uint8_t)(seed + k + k / 256));
}

/* ---- the control queue ---- */

void
scsi_ctrl_add(struct scsi *s, const void *req, uint32_t len, uint32_t room)
{
	const uint16_t at = s->ctrl_avail % (SCSI_CTRL_SIZE / 2), head = 2 * at;
	struct vring_desc d[2] = {
		{ REQ_GPA(at), len, VRING_DESC_F_NEXT, head + 1 },
		{ REQ_GPA(at) + 0x80, room, VRING_DESC_F_WRITE, 0 },
	};

	memset(guest_at(&s->ring.guest, REQ_GPA(at)), SCSI_NO_RESPONSE, 0x100);
	guest_write(&s->ring.guest, REQ_GPA(at), req, len);
	if (room == 0)
		d[0].flags = 0;
	guest_write(&s->ring.guest, DESC_GPA + head * sizeof(d[0]), d, sizeof(d));
	guest_write(&s->ring.guest, AVAIL_GPA + 4 + 2 * (s->ctrl_avail % SCSI_CTRL_SIZE), &head, 2);
	s->ctrl_avail++;
	guest_write(&s->ring.guest, AVAIL_GPA + 2, &s->ctrl_avail, 2);
}

const uint8_t *
scsi_ctrl_get(struct scsi *s, uint32_t *len)
{
	const uint8_t *used = guest_at(&s->ring.guest, USED_GPA);
	struct vring_used_elem elem;
	uint16_t idx;

	memcpy(&idx, used + 2, 2);
	if (idx == s->ctrl_used)
		return NULL;
	memcpy(&elem, used + 4 + 8 * (s->ctrl_used++ % SCSI_CTRL_SIZE), sizeof(elem));
	*len = elem.len;
	return guest_at(&s->ring.guest, REQ_GPA(elem.id / 2) + 0x80);
}

void
scsi_tmf_add(struct scsi *s, uint32_t subtype, unsigned int lun, uint64_t tag)
{
	const struct virtio_scsi_ctrl_tmf_req tmf = { .type = VIRTIO_SCSI_T_TMF,
		.subtype = rte_cpu_to_le_32(subtype), .lun = { 1, 0, 0x40, lun },
		.tag = rte_cpu_to_le_64(tag) };

	scsi_ctrl_add(s, &tmf, sizeof(tmf), 1);
}

uint8_t
scsi_tmf(struct scsi *s, uint32_t subtype, unsigned int lun, uint64_t tag)
{
	const uint64_t end = rte_rdtsc() + rte_get_tsc_hz() / MS_PER_S * COMPLETE_MS;
	const uint8_t *answer;
	uint32_t len;

	scsi_tmf_add(s, subtype, lun, tag);
	for (;;) {
		vstate_scsi_poll(s->dev);
		answer = scsi_ctrl_get(s, &len);
		if (answer != NULL)
			break;
		assert_true(rte_rdtsc() < end);
	}
	assert_int_equal(len, 1);
	return *answer;
}
