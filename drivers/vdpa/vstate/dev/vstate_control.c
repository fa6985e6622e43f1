/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

#include <vstate_compat.h>

#include "vstate_clock.h"
#include "vstate_control.h"
#include "vstate_dev.h"
#include "vstate_log.h"

/* How often the control thread looks for queues that poll threads found broken. */
#define WATCH_PERIOD_NS 100000000
/* And while a state is on its way that is too long for a pipe. */
#define WATCH_SOON_NS 1000000

static struct {
	pthread_mutex_t users_lock;	/* held around thread start and stop */
	unsigned int users;
	struct vstate_thread thread;

	pthread_mutex_t lock;		/* what follows */
	bool taken;
	pthread_t holder;		/* while it is taken */
	pthread_cond_t given;
	pthread_cond_t stopped;
	bool stop;
} ctrl = {
	.users_lock = PTHREAD_MUTEX_INITIALIZER,
	.lock = PTHREAD_MUTEX_INITIALIZER,
};
static pthread_once_t conds_once = PTHREAD_ONCE_INIT;

static void
conds_init(void)
{
	vstate_cond_init(&ctrl.given);
	vstate_cond_init(&ctrl.stopped);
}

/* Become the control thread; wait for it until @p deadline, if any. The lock is held. */
static int
control_take(const struct timespec *deadline)
{
	while (ctrl.taken) {
		if (deadline == NULL)
			pthread_cond_wait(&ctrl.given, &ctrl.lock);
		else if (pthread_cond_timedwait(&ctrl.given, &ctrl.lock, deadline) == ETIMEDOUT &&
				ctrl.taken)
			return -ETIME;
	}
	ctrl.taken = true;
	ctrl.holder = pthread_self();
	return 0;
}

static void
control_give(void)
{
	ctrl.taken = false;
	pthread_cond_signal(&ctrl.given);
}

static int
ctrl_call(vstate_control_fn fn, struct vstate_dev *dev, void *arg, const struct timespec *deadline)
{
	int ret;

	pthread_once(&conds_once, conds_init);
	pthread_mutex_lock(&ctrl.lock);
	if (ctrl.taken && pthread_equal(ctrl.holder, pthread_self())) {
		pthread_mutex_unlock(&ctrl.lock);
		return fn(dev, arg);
	}
	ret = control_take(deadline);
	pthread_mutex_unlock(&ctrl.lock);
	if (ret != 0)
		return ret;
	ret = fn(dev, arg);
	pthread_mutex_lock(&ctrl.lock);
	control_give();
	pthread_mutex_unlock(&ctrl.lock);
	return ret;
}

int
vstate_control_run(vstate_control_fn fn, struct vstate_dev *dev, void *arg)
{
	return ctrl_call(fn, dev, arg, NULL);
}

int
vstate_control_run_within(vstate_control_fn fn, struct vstate_dev *dev, void *arg, uint64_t ns)
{
	const struct timespec deadline = vstate_deadline_in(ns);

	return ctrl_call(fn, dev, arg, &deadline);
}

static int
do_watch(struct vstate_dev *dev, void *arg)
{
	RTE_SET_USED(dev);
	RTE_SET_USED(arg);
	return vstate_dev_watch_all();
}

static void *
watch_main(void *arg)
{
	struct timespec deadline;
	bool soon = false;

	RTE_SET_USED(arg);
	pthread_mutex_lock(&ctrl.lock);
	while (!ctrl.stop) {
		deadline = vstate_deadline_in(soon ? WATCH_SOON_NS : WATCH_PERIOD_NS);
		if (pthread_cond_timedwait(&ctrl.stopped, &ctrl.lock, &deadline) != ETIMEDOUT)
			continue;
		pthread_mutex_unlock(&ctrl.lock);
		soon = vstate_control_run(do_watch, NULL, NULL) > 0;
		pthread_mutex_lock(&ctrl.lock);
	}
	pthread_mutex_unlock(&ctrl.lock);
	return NULL;
}

int
vstate_watch_get(void)
{
	int ret = 0;

	pthread_once(&conds_once, conds_init);
	pthread_mutex_lock(&ctrl.users_lock);
	if (ctrl.users == 0) {
		ctrl.stop = false;
		ret = vstate_thread_create(&ctrl.thread, "vstate-ctrl", watch_main, NULL);
	}
	if (ret == 0)
		ctrl.users++;
	else
		VSTATE_LOG(ERR, "cannot start the control thread: %s", strerror(-ret));
	pthread_mutex_unlock(&ctrl.users_lock);
	return ret;
}

void
vstate_watch_put(void)
{
	pthread_mutex_lock(&ctrl.users_lock);
	if (--ctrl.users == 0) {
		pthread_mutex_lock(&ctrl.lock);
		ctrl.stop = true;
		pthread_cond_signal(&ctrl.stopped);
		pthread_mutex_unlock(&ctrl.lock);
		vstate_thread_join(&ctrl.thread);
	}
	pthread_mutex_unlock(&ctrl.users_lock);
}
