/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>

#include <rte_common.h>

#include "vstate_class.h"
#include "vstate_clock.h"
#include "vstate_control.h"
#include "vstate_dev.h"

void
vstate_control_init(struct vstate_dev *dev)
{
	pthread_mutex_init(&dev->control.lock, NULL);
	vstate_cond_init(&dev->control.released);
}

void
vstate_control_fini(struct vstate_dev *dev)
{
	pthread_cond_destroy(&dev->control.released);
	pthread_mutex_destroy(&dev->control.lock);
}

/*
 * Wait for the control lock, until @p deadline unless it is NULL. control->lock is held. A thread
 * that runs one operation after the other, because a driver sends one command after the other, must
 * not keep the lock from those that wait. So it waits behind them, although the lock is free until
 * one of them wakes up.
 */
static int
control_wait(struct vstate_control *control, const struct timespec *deadline)
{
	do {
		if (deadline == NULL)
			pthread_cond_wait(&control->released, &control->lock);
		else if (pthread_cond_timedwait(&control->released, &control->lock, deadline) ==
				ETIMEDOUT && control->held)
			return -ETIME;
	} while (control->held);
	return 0;
}

/* Take the control lock, and give up at @p deadline unless it is NULL. control->lock is held. */
static int
control_take(struct vstate_control *control, const struct timespec *deadline)
{
	int ret = 0;

	if (control->held || control->waiting > 0) {
		control->waiting++;
		ret = control_wait(control, deadline);
		control->waiting--;
	}
	if (ret != 0)
		return ret;
	control->held = true;
	control->holder = pthread_self();
	return 0;
}

static int
control_run(vstate_control_fn fn, struct vstate_dev *dev, void *arg,
		const struct timespec *deadline)
{
	struct vstate_control *control = &dev->control;
	int ret;

	pthread_mutex_lock(&control->lock);
	if (control->held && pthread_equal(control->holder, pthread_self())) {
		pthread_mutex_unlock(&control->lock);
		return fn(dev, arg);
	}
	ret = control_take(control, deadline);
	pthread_mutex_unlock(&control->lock);
	if (ret != 0)
		return ret;
	ret = fn(dev, arg);
	pthread_mutex_lock(&control->lock);
	control->held = false;
	pthread_cond_signal(&control->released);
	pthread_mutex_unlock(&control->lock);
	return ret;
}

int
vstate_control_run(vstate_control_fn fn, struct vstate_dev *dev, void *arg)
{
	return control_run(fn, dev, arg, NULL);
}

int
vstate_control_run_within(vstate_control_fn fn, struct vstate_dev *dev, void *arg, uint64_t ns)
{
	const struct timespec deadline = vstate_deadline_in(ns);

	return control_run(fn, dev, arg, &deadline);
}

static int
do_event(struct vstate_dev *dev, void *arg)
{
	RTE_SET_USED(arg);
	dev->class->event(dev);
	return 0;
}

void
vstate_control_event(struct vstate_dev *dev)
{
	vstate_control_run(do_event, dev, NULL);
}
