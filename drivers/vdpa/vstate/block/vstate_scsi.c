/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <linux/vhost_types.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <linux/virtio_scsi.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>
#include <rte_errno.h>
#include <rte_telemetry.h>

#include <vstate_compat.h>

#include "ring/vstate_marks.h"
#include "rte_vhost_state.h"
#include "vstate_blk_open.h"
#include "vstate_blk_store.h"
#include "vstate_log.h"
#include "vstate_scsi.h"
#include "vstate_scsi_conf.h"
#include "vstate_scsi_ctrl.h"
#include "vstate_scsi_event.h"
#include "vstate_scsi_request.h"
#include "vstate_scsi_vq.h"

/* vhost-user's own feature bit; it is not the guest's. */
#ifndef VHOST_USER_F_PROTOCOL_FEATURES
#define VHOST_USER_F_PROTOCOL_FEATURES 30
#endif

#define SCSI_FEATURES \
	(RTE_BIT64(VIRTIO_F_VERSION_1) | RTE_BIT64(VIRTIO_F_RING_PACKED) | \
	 RTE_BIT64(VIRTIO_F_ANY_LAYOUT) | RTE_BIT64(VIRTIO_RING_F_INDIRECT_DESC) | \
	 RTE_BIT64(VIRTIO_RING_F_EVENT_IDX) | RTE_BIT64(VIRTIO_SCSI_F_CHANGE) | \
	 RTE_BIT64(VHOST_F_LOG_ALL) | RTE_BIT64(VHOST_USER_F_PROTOCOL_FEATURES))

/* Config space. */
#define SEG_MAX 126
#define CMD_PER_LUN 128

/* What a driver may choose. A CDB that is shorter than its command needs is refused. */
#define SENSE_MAX 252
#define CDB_MIN 6

/* The size of a CDB in a state that was applied; no valid state has it. */
#define STATE_APPLIED 0
#define CDB_MAX 260

static uint64_t
size_get(const struct vstate_blk_store *store)
{
	return rte_atomic_load_explicit(&store->size, rte_memory_order_relaxed);
}

uint64_t
vstate_scsi_features(const struct vstate_conf *conf)
{
	RTE_SET_USED(conf);
	return SCSI_FEATURES;
}

uint16_t
vstate_scsi_more_vqs(const struct vstate_conf *conf)
{
	RTE_SET_USED(conf);
	return VSTATE_SCSI_VQ_FIRST;
}

/* ---- init ---- */

/* Two units with one file cannot both lock it: the second one would never serve a command. */
static bool
is_same_file(const struct vstate_blk_store *a, const struct vstate_blk_store *b)
{
	struct stat sa, sb;

	return a->fd >= 0 && b->fd >= 0 && fstat(a->fd, &sa) == 0 && fstat(b->fd, &sb) == 0 &&
		sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

static int
unit_open(struct vstate_dev *dev, struct vstate_scsi *scsi, uint16_t lun)
{
	const struct vstate_scsi_conf *conf = vstate_scsi_conf_const(&dev->conf);
	struct vstate_blk_conf store = conf->store;
	uint16_t i;

	snprintf(scsi->serials[lun], sizeof(scsi->serials[lun]), "%.*s-%u", VSTATE_BLK_ID_SIZE,
			store.serial, lun);
	strcpy(store.path, conf->paths[lun]);
	scsi->serve.stores[lun] = vstate_blk_open(dev->name, &store);
	if (scsi->serve.stores[lun] == NULL) {
		VSTATE_LOG(ERR, "%s: no logical unit %u", dev->name, lun);
		return -rte_errno;
	}
	scsi->serve.nb_stores = lun + 1;
	for (i = 0; i < lun; i++) {
		if (!is_same_file(scsi->serve.stores[i], scsi->serve.stores[lun]))
			continue;
		VSTATE_LOG(ERR, "%s: lun%u= and lun%u= are the same file", dev->name, i, lun);
		return -EINVAL;
	}
	return 0;
}

/* The driver's choices, from what outlives the process. Nothing in it is trusted. */
static void
sizes_apply(struct vstate_scsi *scsi)
{
	const struct vstate_scsi_kept *kept = scsi->dev->kept;
	uint32_t sense_size = kept->sense_size, cdb_size = kept->cdb_size;

	if (sense_size == 0 || sense_size > SENSE_MAX)
		sense_size = VIRTIO_SCSI_SENSE_DEFAULT_SIZE;
	if (cdb_size < CDB_MIN || cdb_size > CDB_MAX)
		cdb_size = VIRTIO_SCSI_CDB_DEFAULT_SIZE;
	rte_atomic_store_explicit(&scsi->sense_size, sense_size, rte_memory_order_relaxed);
	rte_atomic_store_explicit(&scsi->cdb_size, cdb_size, rte_memory_order_relaxed);
}

int
vstate_scsi_dev_init(struct vstate_dev *dev)
{
	struct vstate_scsi *scsi = vstate_scsi_of(dev);
	const uint16_t nb = vstate_scsi_conf_luns(vstate_scsi_conf_const(&dev->conf));
	uint16_t i;
	int ret = 0;

	RTE_BUILD_BUG_ON(VSTATE_SCSI_LUNS > VSTATE_BLK_STORES);
	RTE_BUILD_BUG_ON(VSTATE_SCSI_LUNS > RTE_VHOST_STATE_SCSI_LUNS);
	RTE_BUILD_BUG_ON(VSTATE_SCSI_SERIAL > RTE_VHOST_STATE_SCSI_SERIAL);
	scsi->dev = dev;
	scsi->serve.first_qid = VSTATE_SCSI_VQ_FIRST;
	scsi->serve.drain_own = vstate_scsi_ctrl_drain;
	sizes_apply(scsi);
	for (i = 0; i < dev->nb_vqs; i++)
		vstate_scsi_vq_of(dev->vqs[i])->scsi = scsi;
	for (i = 0; i < nb && ret == 0; i++)
		ret = unit_open(dev, scsi, i);
	return ret != 0 ? ret : vstate_blk_serve_init(dev, &scsi->serve,
			&vstate_scsi_request_protocol);
}

void
vstate_scsi_dev_fini(struct vstate_dev *dev)
{
	vstate_blk_serve_fini(dev, &vstate_scsi_of(dev)->serve);
}

/* ---- set-up ---- */

void
vstate_scsi_vq_setup(struct vstate_dev *dev, struct vstate_vq *vq)
{
	vstate_scsi_vq_of(vq)->wants_events = dev->guest.features &
		RTE_BIT64(VIRTIO_SCSI_F_CHANGE);
	if (vstate_marks_setup(vq) != 0)
		VSTATE_LOG(ERR, "%s: queue %u is not served: no memory for marks of %u requests",
				dev->name, vq->qid, vq->size);
}

/* The next driver finds a host that was powered on. */
void
vstate_scsi_reset(struct vstate_dev *dev)
{
	struct vstate_scsi *scsi = vstate_scsi_of(dev);
	struct vstate_scsi_kept *kept = dev->kept;
	uint16_t i;

	for (i = 0; i < VSTATE_SCSI_LUNS; i++)
		rte_atomic_store_explicit(&kept->attentions[i], 0, rte_memory_order_relaxed);
	rte_atomic_store_explicit(&kept->events, 0, rte_memory_order_relaxed);
	kept->sense_size = kept->cdb_size = 0;
	sizes_apply(scsi);
}

void
vstate_scsi_disconnect(struct vstate_dev *dev)
{
	/* what is kept belongs to the process that owns the device */
	if (!vstate_run_is_blocked(dev, VSTATE_BLOCK_NOT_OWNER))
		vstate_scsi_reset(dev);
}

/* ---- config space ---- */

int
vstate_scsi_config_get(const struct vstate_dev *dev, uint8_t *config, uint32_t size)
{
	const struct vstate_scsi *scsi = vstate_scsi_of_const(dev);
	/* longer than the space that some front ends ask for: fields that are not known are 0 */
	uint8_t space[256] = { 0 };
	const struct virtio_scsi_config c = {
		.num_queues = rte_cpu_to_le_32(dev->nb_vqs - VSTATE_SCSI_VQ_FIRST),
		.seg_max = rte_cpu_to_le_32(SEG_MAX),
		.max_sectors = rte_cpu_to_le_32(VSTATE_SCSI_TRANSFER_MAX / VSTATE_BLK_SECTOR),
		.cmd_per_lun = rte_cpu_to_le_32(CMD_PER_LUN),
		.event_info_size = rte_cpu_to_le_32(sizeof(struct virtio_scsi_event)),
		.sense_size = rte_cpu_to_le_32(rte_atomic_load_explicit(&scsi->sense_size,
					rte_memory_order_relaxed)),
		.cdb_size = rte_cpu_to_le_32(rte_atomic_load_explicit(&scsi->cdb_size,
					rte_memory_order_relaxed)),
		.max_lun = rte_cpu_to_le_32(VSTATE_SCSI_LUNS - 1),
	};

	if (size > sizeof(space))
		return -EINVAL;
	memcpy(space, &c, sizeof(c));
	memcpy(config, space, size);
	return 0;
}

/* A driver writes nothing but these two sizes (VIRTIO 1.4 "SCSI Host Device"). */
int
vstate_scsi_config_set(struct vstate_dev *dev, const uint8_t *config, uint32_t offset,
		uint32_t size)
{
	struct vstate_scsi_kept *kept = dev->kept;
	uint32_t value;

	if (size != sizeof(value))
		return -EINVAL;
	memcpy(&value, config, sizeof(value));
	value = rte_le_to_cpu_32(value);
	if (offset == offsetof(struct virtio_scsi_config, sense_size) && value != 0 &&
			value <= SENSE_MAX)
		kept->sense_size = value;
	else if (offset == offsetof(struct virtio_scsi_config, cdb_size) && value >= CDB_MIN &&
			value <= CDB_MAX)
		kept->cdb_size = value;
	else
		return -EINVAL;
	sizes_apply(vstate_scsi_of(dev));
	return 0;
}

bool
vstate_scsi_watch(struct vstate_dev *dev)
{
	struct vstate_scsi *scsi = vstate_scsi_of(dev);
	const uint32_t grown = vstate_blk_serve_watch(dev, &scsi->serve);
	uint16_t i;

	for (i = 0; i < scsi->serve.nb_stores; i++) {
		if ((grown & RTE_BIT32(i)) == 0)
			continue;
		vstate_scsi_attention_add(scsi, i, VSTATE_SCSI_UA_CAPACITY);
		vstate_scsi_event_add(scsi, i);
	}
	/* config space has no capacity */
	return false;
}

/* ---- poll and stop ---- */

int
vstate_scsi_poll_init(struct vstate_dev *dev, int socket)
{
	RTE_SET_USED(dev);
	RTE_SET_USED(socket);
	return 0;
}

void
vstate_scsi_poll_fini(struct vstate_dev *dev)
{
	RTE_SET_USED(dev);
}

uint32_t
vstate_scsi_poll(struct vstate_dev *dev)
{
	const uint32_t n = vstate_blk_serve_poll(dev, &vstate_scsi_of(dev)->serve);

	return n + vstate_scsi_ctrl_poll(dev) + vstate_scsi_event_poll(dev);
}

int
vstate_scsi_quiesce(struct vstate_dev *dev, struct vstate_vq *vq, bool finish,
		uint64_t timeout_ns, uint16_t *late_qid)
{
	return vstate_blk_serve_quiesce(dev, &vstate_scsi_of(dev)->serve, vq, finish, timeout_ns,
			late_qid);
}

/* ---- state ---- */

static void
unit_capture(const struct vstate_scsi *scsi, uint16_t lun, struct rte_vhost_state_scsi_lun *to)
{
	const struct vstate_blk_store *store = scsi->serve.stores[lun];

	memset(to, 0, sizeof(*to));
	to->disk.capacity = size_get(store) / VSTATE_BLK_SECTOR;
	to->disk.blk_size = store->blk_size;
	to->disk.read_only = store->ro;
	to->disk.write_cache = 1;
	to->attention = vstate_scsi_attention_get(scsi, lun);
	to->event = vstate_scsi_event_is_due(scsi, lun);
	memcpy(to->serial, scsi->serials[lun], sizeof(scsi->serials[lun]));
}

void
vstate_scsi_capture(const struct vstate_dev *dev, struct rte_vhost_state *st)
{
	const struct vstate_scsi *scsi = vstate_scsi_of_const(dev);
	const struct vstate_scsi_vq *q;
	const struct vstate_blk_counters *c;
	uint16_t i;

	st->scsi.sense_size = scsi->sense_size;
	st->scsi.cdb_size = scsi->cdb_size;
	st->scsi.nb_luns = scsi->serve.nb_stores;
	for (i = 0; i < st->scsi.nb_luns; i++)
		unit_capture(scsi, i, &st->scsi.luns[i]);
	for (i = 0; i < dev->nb_vqs; i++) {
		if (dev->vqs[i]->size == 0)
			continue;
		q = vstate_scsi_vq_of(dev->vqs[i]);
		c = &q->blk.counters;
		st->vqs[i].stats.packets = c->reads + c->writes + c->flushes + c->discards +
			c->write_zeroes + q->counters.others + q->counters.tmfs +
			q->counters.queries;
		st->vqs[i].stats.bytes = c->read_bytes + c->write_bytes;
	}
}

int
vstate_scsi_restore(struct vstate_dev *dev, struct rte_vhost_state *st)
{
	struct vstate_scsi_kept *kept = dev->kept;
	struct vstate_scsi *scsi = vstate_scsi_of(dev);
	uint16_t i;

	/* the driver has got attentions since */
	if (st->scsi.cdb_size == STATE_APPLIED)
		return 0;
	kept->sense_size = st->scsi.sense_size;
	kept->cdb_size = st->scsi.cdb_size;
	rte_atomic_store_explicit(&kept->events, 0, rte_memory_order_relaxed);
	for (i = 0; i < RTE_MIN(st->scsi.nb_luns, scsi->serve.nb_stores); i++) {
		rte_atomic_store_explicit(&kept->attentions[i],
				st->scsi.luns[i].attention ^ VSTATE_SCSI_UA_POWER_ON,
				rte_memory_order_relaxed);
		if (st->scsi.luns[i].event != 0)
			vstate_scsi_event_add(scsi, i);
	}
	sizes_apply(scsi);
	st->scsi.cdb_size = STATE_APPLIED;
	return 0;
}

/* The memory that outlives the process is newer than the state, and is in use already. */
int
vstate_scsi_recover(struct vstate_dev *dev, const struct rte_vhost_state *st)
{
	RTE_SET_USED(st);
	sizes_apply(vstate_scsi_of(dev));
	return 0;
}

void
vstate_scsi_limits(const struct vstate_dev *dev, struct rte_vhost_state_limits *lim)
{
	const struct vstate_scsi *scsi = vstate_scsi_of_const(dev);
	uint16_t i;

	lim->scsi_luns = scsi->serve.nb_stores;
	for (i = 0; i < lim->scsi_luns; i++)
		unit_capture(scsi, i, &lim->scsi_lun[i]);
}

void
vstate_scsi_telemetry(const struct vstate_dev *dev, struct rte_tel_data *d)
{
	const struct vstate_scsi *scsi = vstate_scsi_of_const(dev);
	char name[RTE_TEL_MAX_STRING_LEN];
	uint16_t i;

	rte_tel_data_add_dict_string(d, "store", scsi->serve.stores[0]->ops->name);
	vstate_tel_dict_uint(d, "file_locked", vstate_blk_serve_is_locked(&scsi->serve));
	vstate_tel_dict_uint(d, "sense_size", scsi->sense_size);
	vstate_tel_dict_uint(d, "cdb_size", scsi->cdb_size);
	vstate_tel_dict_uint(d, "luns", scsi->serve.nb_stores);
	for (i = 0; i < scsi->serve.nb_stores; i++) {
		snprintf(name, sizeof(name), "lun%u_capacity_bytes", i);
		vstate_tel_dict_uint(d, name, size_get(scsi->serve.stores[i]));
		snprintf(name, sizeof(name), "lun%u_attention", i);
		vstate_tel_dict_uint(d, name, vstate_scsi_attention_get(scsi, i));
		snprintf(name, sizeof(name), "lun%u_event", i);
		vstate_tel_dict_uint(d, name, vstate_scsi_event_is_due(scsi, i));
	}
}
