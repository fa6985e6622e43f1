/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <rte_errno.h>
#include <rte_string_fns.h>

#include <vstate_compat.h>

#include "rte_vhost_state_backend.h"
#include "vhost_state_reason.h"

/*
 * A registered device. Operations run without the lock, because they may take long and may call
 * functions of other devices. The count of running operations keeps the device registered.
 */
struct device {
	TAILQ_ENTRY(device) next;
	char name[RTE_VHOST_STATE_NAME_SIZE];
	struct rte_vhost_state_ops ops;
	void *ctx;
	/** Number of running operations. */
	unsigned int users;
};

static TAILQ_HEAD(, device) devices = TAILQ_HEAD_INITIALIZER(devices);
/* Protects the list and the counts of users. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Signalled when a count of users falls to zero. */
static pthread_cond_t idle = PTHREAD_COND_INITIALIZER;

/** Find a device by name. The caller holds the lock. */
static struct device *
device_find(const char *name)
{
	struct device *dev;

	TAILQ_FOREACH(dev, &devices, next)
		if (strcmp(dev->name, name) == 0)
			return dev;
	return NULL;
}

/* ---- register ---- */

static bool
name_valid(const char *name)
{
	return name != NULL && name[0] != '\0' &&
			strnlen(name, RTE_VHOST_STATE_NAME_SIZE) < RTE_VHOST_STATE_NAME_SIZE;
}

static bool
ops_complete(const struct rte_vhost_state_ops *ops)
{
	return ops != NULL && ops->info_get != NULL && ops->suspend != NULL &&
			ops->resume != NULL && ops->capture != NULL && ops->restore != NULL;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_register, 26.11)
int
rte_vhost_state_register(const char *name, const struct rte_vhost_state_ops *ops, void *ctx)
{
	struct device *dev;
	int ret = 0;

	if (!name_valid(name) || !ops_complete(ops))
		return -EINVAL;
	dev = calloc(1, sizeof(*dev));
	if (dev == NULL)
		return -ENOMEM;
	rte_strscpy(dev->name, name, sizeof(dev->name));
	dev->ops = *ops;
	dev->ctx = ctx;

	pthread_mutex_lock(&lock);
	if (device_find(name) == NULL)
		TAILQ_INSERT_TAIL(&devices, dev, next);
	else
		ret = -EEXIST;
	pthread_mutex_unlock(&lock);
	if (ret == 0)
		rte_vhost_state_event_send(name, RTE_VHOST_STATE_E_ADDED, -1, NULL);
	else
		free(dev);
	return ret;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_unregister, 26.11)
int
rte_vhost_state_unregister(const char *name)
{
	struct device *dev;

	if (name == NULL)
		return -ENODEV;
	pthread_mutex_lock(&lock);
	dev = device_find(name);
	if (dev != NULL) {
		/* Removed first: no new operation can begin, so the wait ends. */
		TAILQ_REMOVE(&devices, dev, next);
		while (dev->users > 0)
			pthread_cond_wait(&idle, &lock);
	}
	pthread_mutex_unlock(&lock);
	if (dev == NULL)
		return -ENODEV;
	rte_vhost_state_event_send(name, RTE_VHOST_STATE_E_REMOVED, -1, NULL);
	free(dev);
	return 0;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_name_get, 26.11)
int
rte_vhost_state_name_get(unsigned int pos, char name[RTE_VHOST_STATE_NAME_SIZE])
{
	struct device *dev;

	pthread_mutex_lock(&lock);
	TAILQ_FOREACH(dev, &devices, next)
		if (pos-- == 0)
			break;
	if (dev != NULL)
		rte_strscpy(name, dev->name, RTE_VHOST_STATE_NAME_SIZE);
	pthread_mutex_unlock(&lock);
	return dev != NULL ? 0 : -ENOENT;
}

/* ---- operations ---- */

/**
 * Begin an operation: the device stays registered until device_release(). Return NULL with
 * NO_DEVICE in @p err if there is none.
 */
static struct device *
device_acquire(const char *name, struct rte_vhost_state_error *err)
{
	struct device *dev = NULL;

	vhost_state_no_error(err);
	pthread_mutex_lock(&lock);
	if (name != NULL)
		dev = device_find(name);
	if (dev != NULL)
		dev->users++;
	pthread_mutex_unlock(&lock);
	if (dev == NULL)
		rte_vhost_state_refuse(err, RTE_VHOST_STATE_R_NO_DEVICE, -1, 0, 0);
	return dev;
}

static void
device_release(struct device *dev)
{
	pthread_mutex_lock(&lock);
	if (--dev->users == 0)
		pthread_cond_broadcast(&idle);
	pthread_mutex_unlock(&lock);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_info_get, 26.11)
int
rte_vhost_state_info_get(const char *name, struct rte_vhost_state_info *info)
{
	struct rte_vhost_state_error e;
	struct device *dev;
	int ret;

	dev = device_acquire(name, &e);
	if (dev == NULL)
		return -ENODEV;
	memset(info, 0, sizeof(*info));
	ret = dev->ops.info_get(dev->ctx, info);
	device_release(dev);
	return ret;
}

/** An operation that may be refused, with its arguments and its result. */
struct operation {
	enum rte_vhost_state_action action;
	uint32_t timeout_us;
	const struct rte_vhost_state *restore;
	struct rte_vhost_state *captured;
};

static int
operation_call(const struct device *dev, struct operation *op, struct rte_vhost_state_error *err)
{
	int ret;

	switch (op->action) {
	case RTE_VHOST_STATE_A_SUSPEND:
		return dev->ops.suspend(dev->ctx, op->timeout_us, err);
	case RTE_VHOST_STATE_A_RESUME:
		return dev->ops.resume(dev->ctx, err);
	case RTE_VHOST_STATE_A_CAPTURE:
		op->captured = dev->ops.capture(dev->ctx, err);
		if (op->captured == NULL && err->reason != RTE_VHOST_STATE_R_NONE)
			rte_errno = rte_vhost_state_reason_errno(err->reason);
		return 0;
	case RTE_VHOST_STATE_A_RESTORE:
		ret = rte_vhost_state_validate(op->restore, err);
		return ret == 0 ? dev->ops.restore(dev->ctx, op->restore, err) : ret;
	}
	return -EINVAL;
}

static int
operation_run(const char *name, struct operation *op, struct rte_vhost_state_error *err)
{
	struct rte_vhost_state_error unused;
	struct device *dev;
	int ret;

	err = err != NULL ? err : &unused;
	dev = device_acquire(name, err);
	if (dev == NULL) {
		rte_errno = ENODEV;
		return -ENODEV;
	}
	ret = operation_call(dev, op, err);
	device_release(dev);
	return ret;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_suspend, 26.11)
int
rte_vhost_state_suspend(const char *name, uint32_t timeout_us, struct rte_vhost_state_error *err)
{
	struct operation op = { .action = RTE_VHOST_STATE_A_SUSPEND, .timeout_us = timeout_us };

	return operation_run(name, &op, err);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_resume, 26.11)
int
rte_vhost_state_resume(const char *name, struct rte_vhost_state_error *err)
{
	struct operation op = { .action = RTE_VHOST_STATE_A_RESUME };

	return operation_run(name, &op, err);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_capture, 26.11)
struct rte_vhost_state *
rte_vhost_state_capture(const char *name, struct rte_vhost_state_error *err)
{
	struct operation op = { .action = RTE_VHOST_STATE_A_CAPTURE };

	operation_run(name, &op, err);
	return op.captured;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_restore, 26.11)
int
rte_vhost_state_restore(const char *name, const struct rte_vhost_state *st,
		struct rte_vhost_state_error *err)
{
	struct operation op = { .action = RTE_VHOST_STATE_A_RESTORE, .restore = st };

	return operation_run(name, &op, err);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_release, 26.11)
int
rte_vhost_state_release(const char *name, struct rte_vhost_state_error *err)
{
	struct rte_vhost_state_error unused;
	struct device *dev;
	int ret;

	err = err != NULL ? err : &unused;
	dev = device_acquire(name, err);
	if (dev == NULL)
		return -ENODEV;
	if (dev->ops.release != NULL)
		ret = dev->ops.release(dev->ctx, err);
	else
		ret = rte_vhost_state_refuse(err, RTE_VHOST_STATE_R_NOT_SUPPORTED, -1, 0, 0);
	device_release(dev);
	return ret;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_stats_get, 26.11)
int
rte_vhost_state_stats_get(const char *name, rte_vhost_state_stat_cb cb, void *arg)
{
	struct rte_vhost_state_error e;
	struct device *dev;
	int ret;

	dev = device_acquire(name, &e);
	if (dev == NULL)
		return -ENODEV;
	ret = dev->ops.stats_get != NULL ? dev->ops.stats_get(dev->ctx, cb, arg) : -ENOTSUP;
	device_release(dev);
	return ret;
}
