/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file Telemetry: /vstate/list, /vstate/dev,NAME and /vstate/vq,NAME,QUEUE. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_string_fns.h>
#include <rte_telemetry.h>

#include <vstate_compat.h>

#include "dev/vstate_dev.h"
#include "handover/vstate_takeover.h"

static int
list_add(struct vstate_dev *dev, void *arg)
{
	return rte_tel_data_add_array_string(arg, dev->name) == 0 ? 0 : 1;
}

static int
handle_list(const char *cmd, const char *params, struct rte_tel_data *d)
{
	RTE_SET_USED(cmd);
	RTE_SET_USED(params);
	rte_tel_data_start_array(d, RTE_TEL_STRING_VAL);
	vstate_dev_foreach(list_add, d);
	return 0;
}

static int
timing_add(struct rte_tel_data *d, const char *what, const struct rte_vhost_state_timing *t)
{
	char name[RTE_TEL_MAX_STRING_LEN];

	snprintf(name, sizeof(name), "%s_count", what);
	vstate_tel_dict_uint(d, name, t->count);
	snprintf(name, sizeof(name), "%s_last_ns", what);
	vstate_tel_dict_uint(d, name, t->last_ns);
	snprintf(name, sizeof(name), "%s_max_ns", what);
	return vstate_tel_dict_uint(d, name, t->max_ns);
}

static void
dev_dict(struct vstate_dev *dev, struct rte_tel_data *d)
{
	static const char *const pollers[] = { "none", "port", "service" };
	char name[RTE_TEL_MAX_STRING_LEN];
	int i;

	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_string(d, "name", dev->name);
	rte_tel_data_add_dict_string(d, "iface", dev->conf.iface);
	rte_tel_data_add_dict_int(d, "connected", dev->connected);
	rte_tel_data_add_dict_int(d, "started", dev->started);
	rte_tel_data_add_dict_int(d, "status", dev->status);
	rte_tel_data_add_dict_string(d, "poller", pollers[dev->poller]);
	rte_tel_data_add_dict_string(d, "takeover", vstate_takeover_phase(dev));
	rte_tel_data_add_dict_int(d, "relayed", dev->socket_path != dev->conf.iface);
	vstate_tel_dict_uint(d, "features", dev->features);
	vstate_tel_dict_uint(d, "queues", dev->nb_vqs);
	vstate_tel_dict_uint(d, "active_pairs", dev->active_pairs);
	vstate_tel_dict_uint(d, "starts", dev->starts);
	vstate_tel_dict_uint(d, "resets", dev->resets);
	timing_add(d, "suspend", &dev->suspend_time);
	timing_add(d, "capture", &dev->capture_time);
	timing_add(d, "restore", &dev->restore_time);
	timing_add(d, "resume", &dev->resume_time);
	vstate_tel_dict_uint(d, "state_saved_count", dev->moved.saved);
	vstate_tel_dict_uint(d, "state_saved_bytes", dev->moved.saved_bytes);
	vstate_tel_dict_uint(d, "state_loaded_count", dev->moved.loaded);
	vstate_tel_dict_uint(d, "state_loaded_bytes", dev->moved.loaded_bytes);
	vstate_tel_dict_uint(d, "state_refused_count", dev->moved.refused);
	for (i = VSTATE_FAULT_NONE + 1; i < VSTATE_FAULT_MAX; i++) {
		if (dev->faults[i] == 0)
			continue;
		snprintf(name, sizeof(name), "broken_%s", vstate_fault_name(i));
		vstate_tel_dict_uint(d, name, dev->faults[i]);
	}
}

static void
vq_dict(const struct vstate_vq *vq, struct rte_tel_data *d)
{
	struct vstate_vq_counters c;

	rte_tel_data_start_dict(d);
	vstate_tel_dict_uint(d, "index", vq->qid);
	vstate_tel_dict_uint(d, "size", vq->size);
	rte_tel_data_add_dict_int(d, "ready", vq->ready);
	rte_tel_data_add_dict_int(d, "granted", vstate_lease_is_granted(&vq->lease));
	rte_tel_data_add_dict_string(d, "fault", vstate_fault_name(vq->fault));
	rte_tel_data_add_dict_string(d, "fault_text", vstate_fault_text(vq->fault));
	vstate_tel_dict_uint(d, "avail_idx", vq->avail.idx);
	vstate_tel_dict_uint(d, "avail_wrap", vq->avail.wrap);
	vstate_tel_dict_uint(d, "used_idx", vq->used.idx);
	vstate_tel_dict_uint(d, "used_wrap", vq->used.wrap);
	vstate_vq_counters_get(vq, &c);
#define COUNTER_ADD(name, field) vstate_tel_dict_uint(d, #name, c.field);
	VSTATE_VQ_COUNTERS(COUNTER_ADD)
#undef COUNTER_ADD
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
		dev_dict(dev, q->d);
	else if (q->qid < dev->nb_vqs)
		vq_dict(dev->vqs[q->qid], q->d);
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

/* Only asks: the list of devices is locked here. */
static int
release_ask(struct vstate_dev *dev, void *arg)
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
	if (params == NULL || vstate_dev_foreach(release_ask, query) != 1)
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
			"Close a device's socket and leave its rings to another process that has its "
			"state page. Parameters: string name");
}
