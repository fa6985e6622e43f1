/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include <vstate_compat.h>

#include "ring/vstate_call.h"
#include "ring/vstate_vq.h"
#include "vstate_broken.h"
#include "vstate_class.h"
#include "vstate_clock.h"
#include "vstate_control.h"
#include "vstate_dev.h"
#include "vstate_front_end.h"
#include "vstate_log.h"
#include "vstate_watch.h"

/* Time between two looks for a call that blocks. */
#define PERIOD_NS 10000000
/* Looks at all else that is watched: one in so many. */
#define PERIODS 10
/* Time between two looks while a transfer of device state is under way. */
#define PERIOD_SOON_NS 1000000

static struct {
	/* Guards users, and start and end of the thread. */
	pthread_mutex_t users_lock;
	unsigned int users;
	struct vstate_thread thread;
	/* Guards stop. */
	pthread_mutex_t lock;
	pthread_cond_t stopped;
	bool stop;
} watch = {
	.users_lock = PTHREAD_MUTEX_INITIALIZER,
	.lock = PTHREAD_MUTEX_INITIALIZER,
};
static pthread_once_t cond_once = PTHREAD_ONCE_INIT;

static void
cond_init(void)
{
	vstate_cond_init(&watch.stopped);
}

/* Without the control lock: its holder may be the thread that a call blocks. */
static int
calls_watch(struct vstate_dev *dev, void *arg)
{
	uint16_t i;

	RTE_SET_USED(arg);
	for (i = 0; i < dev->nb_vqs; i++) {
		if (vstate_call_unblock(dev->vqs[i]))
			VSTATE_LOG(ERR, "%s: the front end made the call eventfd of queue %u block: "
					"no more calls of this queue on this connection",
					dev->name, i);
	}
	return 0;
}

static int
do_watch(struct vstate_dev *dev, void *arg)
{
	const char *lost = vstate_resume_point_lost(dev);
	bool *soon = arg;

	if (lost != NULL && !vstate_broken_is_reported(dev)) {
		VSTATE_LOG(ERR, "%s: the memory of the %s was taken away by another process",
				dev->name, lost);
		vstate_broken_all(dev, VSTATE_FAULT_MEMORY_LOST);
	}
	vstate_broken_report(dev);
	if (dev->class->watch != NULL && dev->class->watch(dev) && dev->front_ops != NULL &&
			dev->front_ops->config_changed != NULL)
		dev->front_ops->config_changed(dev);
	if (dev->front_ops != NULL && dev->front_ops->watch(dev))
		*soon = true;
	return 0;
}

/* A device whose control lock is held is skipped until the next period. */
static int
watch_dev(struct vstate_dev *dev, void *arg)
{
	vstate_control_run_within(do_watch, dev, arg, 0);
	return 0;
}

static void *
watch_main(void *arg)
{
	struct timespec deadline;
	unsigned int periods = 0;
	bool soon = false;

	RTE_SET_USED(arg);
	pthread_mutex_lock(&watch.lock);
	while (!watch.stop) {
		deadline = vstate_deadline_in(soon ? PERIOD_SOON_NS : PERIOD_NS);
		if (pthread_cond_timedwait(&watch.stopped, &watch.lock, &deadline) != ETIMEDOUT)
			continue;
		pthread_mutex_unlock(&watch.lock);
		vstate_dev_foreach(calls_watch, NULL);
		if (soon || ++periods == PERIODS) {
			soon = false;
			periods = 0;
			vstate_dev_foreach(watch_dev, &soon);
		}
		pthread_mutex_lock(&watch.lock);
	}
	pthread_mutex_unlock(&watch.lock);
	return NULL;
}

int
vstate_watch_get(void)
{
	int ret = 0;

	pthread_once(&cond_once, cond_init);
	pthread_mutex_lock(&watch.users_lock);
	if (watch.users == 0) {
		watch.stop = false;
		ret = vstate_thread_create(&watch.thread, "vstate-watch", watch_main, NULL);
	}
	if (ret == 0)
		watch.users++;
	else
		VSTATE_LOG(ERR, "cannot start the watch thread: %s", strerror(-ret));
	pthread_mutex_unlock(&watch.users_lock);
	return ret;
}

void
vstate_watch_put(void)
{
	pthread_mutex_lock(&watch.users_lock);
	if (--watch.users == 0) {
		pthread_mutex_lock(&watch.lock);
		watch.stop = true;
		pthread_cond_signal(&watch.stopped);
		pthread_mutex_unlock(&watch.lock);
		vstate_thread_join(&watch.thread);
	}
	pthread_mutex_unlock(&watch.users_lock);
}
