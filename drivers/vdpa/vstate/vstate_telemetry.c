/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file Telemetry: /vstate/list, /vstate/dev,NAME and /vstate/vq,NAME,QUEUE. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_config.h>

#include <rte_bitops.h>
#include <rte_common.h>
#include <rte_string_fns.h>
#include <rte_telemetry.h>

#include <vstate_compat.h>

#include "dev/vstate_broken.h"
#include "dev/vstate_class.h"
#include "dev/vstate_counters.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_front_end.h"
#include "handover/vstate_takeover.h"
#include "ring/vstate_vq.h"
#include "vstate_compat.h"
#include "vstate_telemetry_names.h"

static int
list_add_name(struct vstate_dev *dev, void *arg)
{
	return rte_tel_data_add_array_string(arg, dev->name) == 0 ? 0 : 1;
}

static int
handle_list(const char *cmd, const char *params, struct rte_tel_data *d)
{
	RTE_SET_USED(cmd);
	if (params != NULL && *params != '\0')
		return -1;
	rte_tel_data_start_array(d, RTE_TEL_STRING_VAL);
	vstate_dev_foreach(list_add_name, d);
	return 0;
}

static void
histogram_add(struct rte_tel_data *d, const char *name, const struct vstate_latency *l)
{
	struct rte_tel_data *list = rte_tel_data_alloc();
	unsigned int i;

	if (list == NULL)
		return;
	rte_tel_data_start_array(list, VSTATE_TEL_UINT_VAL);
	for (i = 0; i < VSTATE_LATENCY_BUCKETS; i++)
		vstate_tel_array_uint(list, l->buckets[i]);
	if (rte_tel_data_add_dict_container(d, name, list, 0) != 0)
		rte_tel_data_free(list);
}

static void
latency_add(struct rte_tel_data *d, const char *what, const struct vstate_latency *l)
{
	char name[RTE_TEL_MAX_STRING_LEN];

	snprintf(name, sizeof(name), "%s_count", what);
	vstate_tel_dict_uint(d, name, l->timing.count);
	snprintf(name, sizeof(name), "%s_last_ns", what);
	vstate_tel_dict_uint(d, name, l->timing.last_ns);
	snprintf(name, sizeof(name), "%s_max_ns", what);
	vstate_tel_dict_uint(d, name, l->timing.max_ns);
	snprintf(name, sizeof(name), "%s_sum_ns", what);
	vstate_tel_dict_uint(d, name, l->timing.sum_ns);
	snprintf(name, sizeof(name), "%s_histogram", what);
	histogram_add(d, name, l);
}

/* The values of a moment: the set-up may change while they are read. */
static void
guest_add(const struct vstate_dev *dev, struct rte_tel_data *d)
{
	const struct vstate_guest *guest = &dev->guest;
	const uint32_t nb = RTE_MIN(guest->mem.nb_regions, (uint32_t)VSTATE_MEM_MAX_REGIONS);
	const uint64_t features = guest->features;
	uint64_t bytes = 0;
	uint32_t i;

	for (i = 0; i < nb; i++)
		bytes += guest->mem.regions[i].size;
	vstate_telemetry_features(dev->class, features, d);
	rte_tel_data_add_dict_string(d, "ring", features == 0 ? "" :
			(features & RTE_BIT64(VIRTIO_F_RING_PACKED)) != 0 ? "packed" : "split");
	vstate_tel_dict_uint(d, "memory_regions", nb);
	vstate_tel_dict_uint(d, "memory_bytes", bytes);
	rte_tel_data_add_dict_int(d, "dirty_log", guest->log_base != NULL);
}

static void
add_blocks(struct rte_tel_data *d, uint32_t blocks)
{
	char text[RTE_TEL_MAX_STRING_LEN];

	vstate_blocks_format(blocks, text, sizeof(text));
	rte_tel_data_add_dict_string(d, "blocked_by", text);
}

static void
add_faults(const struct vstate_dev *dev, struct rte_tel_data *d)
{
	char name[RTE_TEL_MAX_STRING_LEN];
	uint64_t count;
	int i;

	for (i = VSTATE_FAULT_NONE + 1; i < VSTATE_FAULT_MAX; i++) {
		count = rte_atomic_load_explicit(&dev->history.faults[i], rte_memory_order_relaxed);
		if (count == 0)
			continue;
		snprintf(name, sizeof(name), "broken_%s", vstate_fault_name(i));
		vstate_tel_dict_uint(d, name, count);
	}
}

static void
dict_add_dev(struct vstate_dev *dev, struct rte_tel_data *d)
{
	static const char *const pollers[] = { "none", "port", "service", "thread" };
	const uint32_t blocks = rte_atomic_load_explicit(&dev->run.blocks,
			rte_memory_order_acquire);
	char status[RTE_TEL_MAX_STRING_LEN];

	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_string(d, "name", dev->name);
	rte_tel_data_add_dict_string(d, "class", dev->class->name);
	rte_tel_data_add_dict_string(d, "iface", dev->conf.iface);
	rte_tel_data_add_dict_int(d, "connected", (blocks & VSTATE_BLOCK_NOT_CONNECTED) == 0);
	rte_tel_data_add_dict_int(d, "started", (blocks & VSTATE_BLOCK_NOT_STARTED) == 0);
	add_blocks(d, blocks);
	vstate_telemetry_status(vstate_run_status(dev), status, sizeof(status));
	rte_tel_data_add_dict_string(d, "status", status);
	rte_tel_data_add_dict_string(d, "poller", pollers[dev->run.poller]);
	rte_tel_data_add_dict_string(d, "takeover", vstate_takeover_phase(dev));
	guest_add(dev, d);
	vstate_tel_dict_uint(d, "queues", dev->nb_vqs);
	vstate_tel_dict_uint(d, "starts", dev->history.starts);
	vstate_tel_dict_uint(d, "resets", dev->history.resets);
	latency_add(d, "suspend", &dev->history.suspend);
	latency_add(d, "capture", &dev->history.capture);
	latency_add(d, "restore", &dev->history.restore);
	latency_add(d, "resume", &dev->history.resume);
	if (dev->front_ops != NULL)
		dev->front_ops->telemetry(dev, d);
	if (dev->class->telemetry != NULL)
		dev->class->telemetry(dev, d);
	add_faults(dev, d);
}

static void
dict_add_vq(const struct vstate_dev *dev, uint16_t qid, struct rte_tel_data *d)
{
	const struct vstate_vq *vq = dev->vqs[qid];
	const enum vstate_fault fault = vstate_vq_fault(vq);
	uint16_t i;

	rte_tel_data_start_dict(d);
	vstate_tel_dict_uint(d, "index", vq->qid);
	vstate_tel_dict_uint(d, "size", vq->size);
	rte_tel_data_add_dict_int(d, "ready", vstate_run_vq_is_ready(vq));
	rte_tel_data_add_dict_int(d, "granted", vstate_lease_is_granted(&vq->lease));
	add_blocks(d, vstate_run_vq_blocks(dev, vq));
	rte_tel_data_add_dict_string(d, "fault", vstate_fault_name(fault));
	rte_tel_data_add_dict_string(d, "fault_text", vstate_fault_text(fault));
	vstate_tel_dict_uint(d, "avail_idx", vq->avail.idx);
	vstate_tel_dict_uint(d, "avail_wrap", vq->avail.wrap);
	vstate_tel_dict_uint(d, "used_idx", vq->used.idx);
	vstate_tel_dict_uint(d, "used_wrap", vq->used.wrap);
	for (i = 0; i < dev->class->nb_counters; i++)
		vstate_tel_dict_uint(d, dev->class->counters[i].name,
				vstate_counter_get(dev, qid, i));
}

struct query {
	char name[RTE_VHOST_STATE_NAME_SIZE];
	/** Queue, or -1 for the device. */
	long qid;
	struct rte_tel_data *d;
};

static int
query_answer(struct vstate_dev *dev, void *arg)
{
	struct query *q = arg;

	if (strcmp(dev->name, q->name) != 0)
		return 0;
	if (q->qid < 0)
		dict_add_dev(dev, q->d);
	else if (q->qid < dev->nb_vqs)
		dict_add_vq(dev, q->qid, q->d);
	else
		return 0;
	return 1;
}

static int
query_run(struct query *q)
{
	return vstate_dev_foreach(query_answer, q) == 1 ? 0 : -1;
}

static int
handle_dev(const char *cmd, const char *params, struct rte_tel_data *d)
{
	struct query q = { .qid = -1, .d = d };

	RTE_SET_USED(cmd);
	if (params == NULL || rte_strscpy(q.name, params, sizeof(q.name)) < 0)
		return -1;
	return query_run(&q);
}

static int
handle_vq(const char *cmd, const char *params, struct rte_tel_data *d)
{
	struct query q = { .d = d };
	const char *comma = params != NULL ? strchr(params, ',') : NULL;
	char *end;

	RTE_SET_USED(cmd);
	if (comma == NULL || (size_t)(comma - params) >= sizeof(q.name))
		return -1;
	memcpy(q.name, params, comma - params);
	q.qid = strtol(comma + 1, &end, 10);
	if (end == comma + 1 || *end != '\0' || q.qid < 0)
		return -1;
	return query_run(&q);
}

/* Request the release and do not wait for it, because the list of devices is locked here. */
static int
takeover_ask(struct vstate_dev *dev, void *arg)
{
	void **query = arg;

	if (strcmp(dev->name, query[0]) != 0)
		return 0;
	*(int *)query[1] = vstate_takeover_ask(dev);
	return 1;
}

static int
handle_release(const char *cmd, const char *params, struct rte_tel_data *d)
{
	int ret = -ENODEV;
	void *query[2] = { RTE_PTR_UNQUAL(params), &ret };

	RTE_SET_USED(cmd);
	if (params == NULL || vstate_dev_foreach(takeover_ask, query) != 1)
		return -1;
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_string(d, "release", ret == 0 ? "asked for" : strerror(-ret));
	return 0;
}

RTE_INIT(vstate_telemetry_init)
{
	rte_telemetry_register_cmd("/vstate/list", handle_list,
			"Names of all vstate devices. Takes no parameters");
	rte_telemetry_register_cmd("/vstate/dev", handle_dev,
			"State of a device. Parameters: string name");
	rte_telemetry_register_cmd("/vstate/vq", handle_vq,
			"State of a virtqueue. Parameters: string name, int virtqueue");
	rte_telemetry_register_cmd("/vstate/release", handle_release,
			"Close a device's socket and leave its rings to another process that opens "
			"its state file. Parameters: string name");
}
