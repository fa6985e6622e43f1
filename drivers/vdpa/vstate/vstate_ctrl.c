/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <time.h>

#include <vstate_compat.h>

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
	.posted = PTHREAD_COND_INITIALIZER,
	.finished = PTHREAD_COND_INITIALIZER,
	.queue = TAILQ_HEAD_INITIALIZER(ctrl.queue),
};

static void
serve_one(struct request *req)
{
	TAILQ_REMOVE(&ctrl.queue, req, next);
	pthread_mutex_unlock(&ctrl.lock);
	req->result = req->fn(req->dev, req->arg);
	pthread_mutex_lock(&ctrl.lock);
	req->done = true;
	pthread_cond_broadcast(&ctrl.finished);
}

static struct timespec
watch_deadline(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_nsec += WATCH_PERIOD_NS;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_nsec -= 1000000000;
		ts.tv_sec++;
	}
	return ts;
}

static void *
ctrl_main(void *arg)
{
	struct timespec deadline = watch_deadline();
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
			deadline = watch_deadline();
		}
	}
	ctrl.running = false;
	pthread_mutex_unlock(&ctrl.lock);
	return NULL;
}

int
vstate_ctrl_get(void)
{
	int ret = 0;

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

int
vstate_ctrl_call(vstate_ctrl_fn fn, struct vstate_dev *dev, void *arg)
{
	struct request req = { .fn = fn, .dev = dev, .arg = arg };

	pthread_mutex_lock(&ctrl.lock);
	if (ctrl.running && pthread_equal(ctrl.self, pthread_self())) {
		pthread_mutex_unlock(&ctrl.lock);
		return fn(dev, arg);
	}
	TAILQ_INSERT_TAIL(&ctrl.queue, &req, next);
	pthread_cond_signal(&ctrl.posted);
	while (!req.done)
		pthread_cond_wait(&ctrl.finished, &ctrl.lock);
	pthread_mutex_unlock(&ctrl.lock);
	return req.result;
}
