/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_errno.h>

#include <vstate_compat.h>

#include "rte_vhost_state.h"
#include "rte_vhost_state_backend.h"
#include "vhost_state_control_cmd.h"
#include "vhost_state_control_json.h"
#include "vhost_state_io.h"

/** A request that was checked. */
struct request {
	const char *device;
	const char *path;
	int fd;
	uint32_t timeout_us;
	struct vhost_state_control_session *session;
};

/** Members of a request, in addition to "cmd" and "id". */
#define TAKES_DEVICE 0x1
#define TAKES_TIMEOUT 0x2
/** A file: a path or a descriptor, and exactly one of them. */
#define TAKES_FILE 0x4

struct command {
	const char *name;
	unsigned int takes;
	json_t *(*run)(const struct request *req);
};

/* ---- look ---- */

static json_t *
timing_show(const struct rte_vhost_state_timing *t)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "count", (json_int_t)t->count,
			"last_ns", (json_int_t)t->last_ns, "max_ns", (json_int_t)t->max_ns,
			"sum_ns", (json_int_t)t->sum_ns);
}

static const char *
class_name(uint16_t device_id)
{
	switch (device_id) {
	case RTE_VHOST_STATE_ID_NET:
		return "net";
	case RTE_VHOST_STATE_ID_BLK:
		return "blk";
	case RTE_VHOST_STATE_ID_SCSI:
		return "scsi";
	case RTE_VHOST_STATE_ID_CONSOLE:
		return "console";
	default:
		return "unknown";
	}
}

/** What a list and a device itself show of a device. */
static json_t *
info_show(const char *name, const struct rte_vhost_state_info *info)
{
	return json_pack("{s:o, s:s, s:b, s:i, s:o}", "device", vhost_state_control_text(name),
			"class", class_name(info->limits.device_id),
			"connected", (int)info->connected, "status", (int)info->status,
			"status_names", vhost_state_control_status(info->status));
}

static json_t *
run_list(const struct request *req)
{
	char name[RTE_VHOST_STATE_NAME_SIZE];
	struct rte_vhost_state_info info;
	json_t *devices = json_array(), *reply = vhost_state_control_ok();
	unsigned int pos;

	for (pos = 0; rte_vhost_state_name_get(pos, name) == 0; pos++) {
		/* a device that is busy for long, or was removed meanwhile, has its name only */
		if (rte_vhost_state_info_get(name, &info) == 0)
			json_array_append_new(devices, info_show(name, &info));
		else
			json_array_append_new(devices, json_pack("{s:o}", "device",
					vhost_state_control_text(name)));
	}
	json_object_set_new(reply, "devices", devices);
	json_object_set_new(reply, "pid", json_integer(getpid()));
	json_object_set_new(reply, "dpdk", json_string(rte_version()));
	json_object_set_new(reply, "dropped_clients", json_integer((json_int_t)req->session->dropped));
	return reply;
}

/* The reason of an operation that has no struct rte_vhost_state_error. */
static json_t *
errno_refused(const struct request *req, int err)
{
	struct rte_vhost_state_error e = { .vq = -1, .offset = -1 };

	if (err == ENODEV)
		e.reason = RTE_VHOST_STATE_R_NO_DEVICE;
	else if (err == ENOTSUP)
		e.reason = RTE_VHOST_STATE_R_NOT_SUPPORTED;
	else if (err == ETIMEDOUT)
		e.reason = RTE_VHOST_STATE_R_TIMEOUT;
	else
		return vhost_state_control_bad("error", "%s: %s", req->device, strerror(err));
	return vhost_state_control_refused(&e);
}

static json_t *
run_show(const struct request *req)
{
	struct rte_vhost_state_info info;
	int ret = rte_vhost_state_info_get(req->device, &info);
	json_t *reply, *limits;

	if (ret != 0)
		return errno_refused(req, -ret);
	reply = vhost_state_control_ok();
	json_object_update_new(reply, info_show(req->device, &info));
	limits = json_pack("{s:o, s:o, s:i, s:b}",
			"device_features", vhost_state_control_hex(info.limits.device_features),
			"driver_features", vhost_state_control_hex(info.limits.driver_features),
			"max_queues", (int)info.limits.max_vqs,
			"inflight", (int)info.limits.inflight);
	json_object_set_new(reply, "limits", limits);
	json_object_set_new(reply, "suspend", timing_show(&info.suspend));
	json_object_set_new(reply, "capture", timing_show(&info.capture));
	json_object_set_new(reply, "restore", timing_show(&info.restore));
	json_object_set_new(reply, "resume", timing_show(&info.resume));
	return reply;
}

/** The object of a queue in an array that grows as queues are mentioned. */
struct stats {
	json_t *of_device, *queues, *last;
	int last_vq;
};

static void
stat_add(void *arg, int vq, const char *name, uint64_t value)
{
	struct stats *s = arg;

	if (vq < 0) {
		json_object_set_new(s->of_device, name, json_integer((json_int_t)value));
		return;
	}
	if (s->last == NULL || s->last_vq != vq) {
		s->last = json_pack("{s:i}", "queue", vq);
		s->last_vq = vq;
		json_array_append_new(s->queues, s->last);
	}
	json_object_set_new(s->last, name, json_integer((json_int_t)value));
}

static json_t *
run_statistics(const struct request *req)
{
	struct stats s = { .of_device = json_object(), .queues = json_array() };
	json_t *reply;
	int ret;

	ret = rte_vhost_state_stats_get(req->device, stat_add, &s);
	if (ret == 0) {
		reply = vhost_state_control_ok();
		json_object_set(reply, "statistics", s.of_device);
		json_object_set(reply, "queues", s.queues);
	} else {
		reply = errno_refused(req, -ret);
	}
	json_decref(s.of_device);
	json_decref(s.queues);
	return reply;
}

/* ---- change ---- */

static json_t *
reply_of(int ret, const struct rte_vhost_state_error *err)
{
	return ret == 0 ? vhost_state_control_ok() : vhost_state_control_refused(err);
}

static json_t *
run_suspend(const struct request *req)
{
	struct rte_vhost_state_error err;
	int ret = rte_vhost_state_suspend(req->device, req->timeout_us, &err);

	return reply_of(ret, &err);
}

static json_t *
run_resume(const struct request *req)
{
	struct rte_vhost_state_error err;
	int ret = rte_vhost_state_resume(req->device, &err);

	return reply_of(ret, &err);
}

static json_t *
run_release(const struct request *req)
{
	struct rte_vhost_state_error err;
	int ret = rte_vhost_state_release(req->device, &err);

	return reply_of(ret, &err);
}

static json_t *
state_summary(const struct rte_vhost_state *st)
{
	json_t *reply = vhost_state_control_ok();
	json_int_t inflight = 0;
	uint16_t i;

	for (i = 0; i < st->nb_vqs; i++)
		inflight += st->vqs[i].nb_inflight;
	json_object_set_new(reply, "bytes",
			json_integer((json_int_t)rte_vhost_state_encoded_size(st)));
	json_object_set_new(reply, "queues", json_integer(st->nb_vqs));
	json_object_set_new(reply, "in_flight", json_integer(inflight));
	return reply;
}

static json_t *
run_capture(const struct request *req)
{
	struct rte_vhost_state_error err;
	struct rte_vhost_state *st;
	json_t *reply;
	int ret;

	st = rte_vhost_state_capture(req->device, &err);
	if (st == NULL)
		return vhost_state_control_refused(&err);
	ret = req->fd >= 0 ? rte_vhost_state_write(st, req->fd, &err) :
		rte_vhost_state_save(st, req->path, &err);
	reply = ret == 0 ? state_summary(st) : vhost_state_control_refused(&err);
	rte_vhost_state_free(st);
	return reply;
}

static bool
is_regular(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* A pipe at this path must not hold the thread, neither as it is opened nor as it is read. */
static json_t *
path_open(const char *path, int *fd)
{
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (*fd < 0)
		return vhost_state_control_bad("io", "cannot open %s: %s", path, strerror(errno));
	if (is_regular(*fd))
		return NULL;
	close(*fd);
	return vhost_state_control_bad("bad_argument", "path: %s is not a regular file", path);
}

static json_t *
run_restore(const struct request *req)
{
	struct rte_vhost_state_error err;
	struct rte_vhost_state *st;
	json_t *reply;
	int fd = req->fd, ret;

	if (fd < 0) {
		reply = path_open(req->path, &fd);
		if (reply != NULL)
			return reply;
	}
	st = vhost_state_load_fd(fd, &err);
	if (fd != req->fd)
		close(fd);
	if (st == NULL)
		return vhost_state_control_refused(&err);
	ret = rte_vhost_state_restore(req->device, st, &err);
	reply = ret == 0 ? state_summary(st) : vhost_state_control_refused(&err);
	rte_vhost_state_free(st);
	return reply;
}

/* ---- events ---- */

static json_t *
run_subscribe(const struct request *req)
{
	req->session->events = true;
	return vhost_state_control_ok();
}

static json_t *
run_unsubscribe(const struct request *req)
{
	req->session->events = false;
	return vhost_state_control_ok();
}

/* ---- requests ---- */

static const struct command commands[] = {
	{ "list", 0, run_list },
	{ "show", TAKES_DEVICE, run_show },
	{ "statistics", TAKES_DEVICE, run_statistics },
	{ "suspend", TAKES_DEVICE | TAKES_TIMEOUT, run_suspend },
	{ "resume", TAKES_DEVICE, run_resume },
	{ "capture", TAKES_DEVICE | TAKES_FILE, run_capture },
	{ "restore", TAKES_DEVICE | TAKES_FILE, run_restore },
	{ "release", TAKES_DEVICE, run_release },
	{ "subscribe", 0, run_subscribe },
	{ "unsubscribe", 0, run_unsubscribe },
};

static const struct command *
command_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static json_t *
timeout_check(struct request *req, const json_t *value)
{
	const json_int_t us = json_is_integer(value) ? json_integer_value(value) : 0;

	if (us < 1 || us > UINT32_MAX)
		return vhost_state_control_bad("bad_argument",
				"timeout_us: a number of microseconds, 1 to 4294967295, is expected");
	req->timeout_us = (uint32_t)us;
	return NULL;
}

static json_t *
path_check(struct request *req, const json_t *value)
{
	const char *path = json_string_value(value);

	if (path == NULL || *path != '/' || strlen(path) >= PATH_MAX)
		return vhost_state_control_bad("bad_argument",
				"path: an absolute path is expected");
	req->path = path;
	return NULL;
}

static json_t *
member_check(struct request *req, const struct command *cmd, const char *key, const json_t *value)
{
	if (strcmp(key, "cmd") == 0 || strcmp(key, "id") == 0)
		return NULL;
	if (strcmp(key, "device") == 0 && (cmd->takes & TAKES_DEVICE) != 0) {
		req->device = json_string_value(value);
		return req->device != NULL ? NULL :
			vhost_state_control_bad("bad_argument", "device: a name is expected");
	}
	if (strcmp(key, "timeout_us") == 0 && (cmd->takes & TAKES_TIMEOUT) != 0)
		return timeout_check(req, value);
	if (strcmp(key, "path") == 0 && (cmd->takes & TAKES_FILE) != 0)
		return path_check(req, value);
	return vhost_state_control_bad("bad_argument", "%s takes no member '%s'", cmd->name, key);
}

/*
 * A descriptor must be a regular file or a memory file: whoever writes to another kind may wait
 * for its reader.
 */
static json_t *
file_check(const struct request *req, const struct command *cmd)
{
	if ((cmd->takes & TAKES_FILE) == 0)
		return req->fd < 0 ? NULL : vhost_state_control_bad("bad_descriptor",
				"%s takes no descriptor", cmd->name);
	if ((req->fd >= 0) == (req->path != NULL))
		return vhost_state_control_bad("bad_argument",
				"%s needs a path, or a passed descriptor, and not both", cmd->name);
	if (req->fd >= 0 && !is_regular(req->fd))
		return vhost_state_control_bad("bad_descriptor",
				"the passed descriptor is not a regular file or a memory file");
	return NULL;
}

/* @return the refusal, or NULL */
static json_t *
request_check(struct request *req, const struct command **cmd, json_t *object)
{
	const char *name = json_string_value(json_object_get(object, "cmd")), *key;
	json_t *refusal = NULL, *value;

	if (!json_is_object(object))
		return vhost_state_control_bad("bad_json", "one JSON object a line is expected");
	if (name == NULL)
		return vhost_state_control_bad("bad_argument", "cmd: a string is expected");
	*cmd = command_find(name);
	if (*cmd == NULL)
		return vhost_state_control_bad("unknown_command", "unknown command '%s'", name);
	json_object_foreach(object, key, value) {
		refusal = member_check(req, *cmd, key, value);
		if (refusal != NULL)
			return refusal;
	}
	if (((*cmd)->takes & TAKES_DEVICE) != 0 && req->device == NULL)
		return vhost_state_control_bad("bad_argument", "%s needs a device", name);
	return file_check(req, *cmd);
}

json_t *
vhost_state_control_run(const char *line, size_t len, int fd,
		struct vhost_state_control_session *session)
{
	struct request req = { .fd = fd, .session = session };
	const struct command *cmd = NULL;
	json_t *object, *reply, *id;
	json_error_t why;

	object = json_loadb(line, len, JSON_REJECT_DUPLICATES, &why);
	if (object == NULL)
		return vhost_state_control_bad("bad_json", "%s (column %d)", why.text, why.column);
	reply = request_check(&req, &cmd, object);
	if (reply == NULL)
		reply = cmd->run(&req);
	/* the caller knows its request by it again */
	id = json_object_get(object, "id");
	if (id != NULL && reply != NULL)
		json_object_set(reply, "id", id);
	json_decref(object);
	return reply;
}
