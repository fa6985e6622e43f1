/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>

#include <vstate_compat.h>

#include "vstate_clock.h"
#include "vstate_ctrl.h"
#include "vstate_dev.h"
#include "vstate_log.h"

/* How often the control thread looks for queues that poll threads found broken. */
#define WATCH_PERIOD_NS 100000000

struct request {
	TAILQ_ENTRY(request) next;
	vstate_ctrl_fn fn;
	struct vstate_dev *dev;
	void *arg;
	int result;
	/** It is off the queue: its function runs, or has run. */
	bool taken;
	bool done;
};

static struct {
	pthread_mutex_t users_lock;	/* held around thread start and stop */
	unsigned int users;
	struct vstate_thread thread;

	pthread_mutex_t lock;		/* what follows */
	pthread_t self;
	bool running;			/* self is the thread; a later one may get its ID */
	pthread_cond_t posted;
	pthread_cond_t finished;
	TAILQ_HEAD(, request) queue;
	bool stop;
} ctrl = {
	.users_lock = PTHREAD_MUTEX_INITIALIZER,
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.queue = TAILQ_HEAD_INITIALIZER(ctrl.queue),
};

static void
serve_one(struct request *req)
{
	TAILQ_REMOVE(&ctrl.queue, req, next);
	req->taken = true;
	pthread_mutex_unlock(&ctrl.lock);
	req->result = req->fn(req->dev, req->arg);
	pthread_mutex_lock(&ctrl.lock);
	req->done = true;
	pthread_cond_broadcast(&ctrl.finished);
}

static void
conds_init(void)
{
	vstate_cond_init(&ctrl.posted);
	vstate_cond_init(&ctrl.finished);
}

static void *
ctrl_main(void *arg)
{
	struct timespec deadline = vstate_deadline_in(WATCH_PERIOD_NS);
	int ret;

	RTE_SET_USED(arg);
	pthread_mutex_lock(&ctrl.lock);
	ctrl.self = pthread_self();
	ctrl.running = true;
	while (!ctrl.stop || !TAILQ_EMPTY(&ctrl.queue)) {
		if (!TAILQ_EMPTY(&ctrl.queue)) {
			serve_one(TAILQ_FIRST(&ctrl.queue));
			continue;
		}
		ret = pthread_cond_timedwait(&ctrl.posted, &ctrl.lock, &deadline);
		if (ret == ETIMEDOUT) {
			pthread_mutex_unlock(&ctrl.lock);
			vstate_dev_watch_all();
			pthread_mutex_lock(&ctrl.lock);
			deadline = vstate_deadline_in(WATCH_PERIOD_NS);
		}
	}
	ctrl.running = false;
	pthread_mutex_unlock(&ctrl.lock);
	return NULL;
}

int
vstate_ctrl_get(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int ret = 0;

	pthread_once(&once, conds_init);
	pthread_mutex_lock(&ctrl.users_lock);
	if (ctrl.users == 0) {
		ctrl.stop = false;
		ret = vstate_thread_create(&ctrl.thread, "vstate-ctrl", ctrl_main, NULL);
	}
	if (ret == 0)
		ctrl.users++;
	else
		VSTATE_LOG(ERR, "cannot start the control thread: %s", strerror(-ret));
	pthread_mutex_unlock(&ctrl.users_lock);
	return ret;
}

void
vstate_ctrl_put(void)
{
	pthread_mutex_lock(&ctrl.users_lock);
	if (--ctrl.users == 0) {
		pthread_mutex_lock(&ctrl.lock);
		ctrl.stop = true;
		pthread_cond_signal(&ctrl.posted);
		pthread_mutex_unlock(&ctrl.lock);
		vstate_thread_join(&ctrl.thread);
	}
	pthread_mutex_unlock(&ctrl.users_lock);
}

/* Until it is done, or @p deadline (if any) finds it on the queue still. The lock is held. */
static int
request_await(struct request *req, const struct timespec *deadline)
{
	while (!req->done) {
		if (deadline == NULL || req->taken) {
			pthread_cond_wait(&ctrl.finished, &ctrl.lock);
			continue;
		}
		if (pthread_cond_timedwait(&ctrl.finished, &ctrl.lock, deadline) == ETIMEDOUT &&
				!req->taken) {
			TAILQ_REMOVE(&ctrl.queue, req, next);
			return -ETIME;
		}
	}
	return req->result;
}

static int
ctrl_call(vstate_ctrl_fn fn, struct vstate_dev *dev, void *arg, const struct timespec *deadline)
{
	struct request req = { .fn = fn, .dev = dev, .arg = arg };
	int ret;

	pthread_mutex_lock(&ctrl.lock);
	if (ctrl.running && pthread_equal(ctrl.self, pthread_self())) {
		pthread_mutex_unlock(&ctrl.lock);
		return fn(dev, arg);
	}
	TAILQ_INSERT_TAIL(&ctrl.queue, &req, next);
	pthread_cond_signal(&ctrl.posted);
	ret = request_await(&req, deadline);
	pthread_mutex_unlock(&ctrl.lock);
	return ret;
}

int
vstate_ctrl_call(vstate_ctrl_fn fn, struct vstate_dev *dev, void *arg)
{
	return ctrl_call(fn, dev, arg, NULL);
}

int
vstate_ctrl_call_within(vstate_ctrl_fn fn, struct vstate_dev *dev, void *arg, uint64_t ns)
{
	const struct timespec deadline = vstate_deadline_in(ns);

	return ctrl_call(fn, dev, arg, &deadline);
}
