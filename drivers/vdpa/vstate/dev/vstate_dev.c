/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_string_fns.h>

#include <vstate_compat.h>

#include "ring/vstate_call.h"
#include "ring/vstate_inflight.h"
#include "ring/vstate_kick.h"
#include "ring/vstate_marks.h"
#include "ring/vstate_vq.h"
#include "rte_vhost_state_backend.h"
#include "vstate_class.h"
#include "vstate_dev.h"
#include "vstate_state.h"

static TAILQ_HEAD(, vstate_dev) devs = TAILQ_HEAD_INITIALIZER(devs);
/*
 * Guards the list. The watch thread holds this lock while it tries a control lock. So a holder of
 * a control lock must not take this lock, and a holder of this lock must not wait for a control
 * lock.
 */
static pthread_mutex_t devs_lock = PTHREAD_MUTEX_INITIALIZER;

int
vstate_dev_foreach(int (*fn)(struct vstate_dev *dev, void *arg), void *arg)
{
	struct vstate_dev *dev;
	int ret = 0;

	pthread_mutex_lock(&devs_lock);
	TAILQ_FOREACH(dev, &devs, next) {
		ret = fn(dev, arg);
		if (ret != 0)
			break;
	}
	pthread_mutex_unlock(&devs_lock);
	return ret;
}

static int
dev_match_name(struct vstate_dev *dev, void *arg)
{
	void **found = arg;

	if (strcmp(dev->name, found[0]) != 0)
		return 0;
	found[1] = dev;
	return 1;
}

struct vstate_dev *
vstate_dev_find(const char *name)
{
	void *found[2] = { RTE_PTR_UNQUAL(name), NULL };

	vstate_dev_foreach(dev_match_name, found);
	return found[1];
}

int
vstate_dev_publish(struct vstate_dev *dev)
{
	int ret = rte_vhost_state_register(dev->name, &vstate_state_ops, dev);

	if (ret != 0)
		return ret;
	pthread_mutex_lock(&devs_lock);
	TAILQ_INSERT_TAIL(&devs, dev, next);
	pthread_mutex_unlock(&devs_lock);
	return 0;
}

void
vstate_dev_unpublish(struct vstate_dev *dev)
{
	rte_vhost_state_unregister(dev->name);
	pthread_mutex_lock(&devs_lock);
	TAILQ_REMOVE(&devs, dev, next);
	pthread_mutex_unlock(&devs_lock);
}

uint16_t
vstate_dev_queue_num(const struct vstate_dev *dev)
{
	return dev->class->built_in ? dev->conf.queues : dev->nb_vqs;
}

static int
vqs_alloc(struct vstate_dev *dev, int socket)
{
	const uint16_t nb_vqs = dev->conf.queues * dev->class->vqs_per_queue +
		(dev->class->more_vqs != NULL ? dev->class->more_vqs(&dev->conf) : 0);
	struct vstate_vq *vq;

	for (; dev->nb_vqs < nb_vqs; dev->nb_vqs++) {
		vq = rte_zmalloc_socket("vstate vq", dev->class->vq_size, RTE_CACHE_LINE_SIZE,
				socket);
		if (vq == NULL)
			return -ENOMEM;
		vstate_vq_init(vq, dev->nb_vqs);
		dev->vqs[dev->nb_vqs] = vq;
	}
	/* shared with secondary processes, as the queues are */
	dev->counters_base = rte_zmalloc_socket("vstate counters", ((size_t)nb_vqs *
			dev->class->nb_counters + 1) * sizeof(uint64_t), 0, socket);
	return dev->counters_base != NULL ? 0 : -ENOMEM;
}

static void
vqs_free(struct vstate_dev *dev)
{
	uint16_t i;

	for (i = 0; i < dev->nb_vqs; i++) {
		vstate_inflight_drop(dev->vqs[i]);
		vstate_marks_free(dev->vqs[i]);
		vstate_call_fd_set(dev->vqs[i], -1);
		vstate_kick_fd_set(dev->vqs[i], -1);
		rte_free(dev->vqs[i]);
	}
	rte_free(dev->counters_base);
}

static int
dev_init(struct vstate_dev *dev, const char *name, const struct vstate_conf *conf,
		const struct vstate_class *class, int socket)
{
	int ret;

	if (rte_strscpy(dev->name, name, sizeof(dev->name)) < 0)
		return -ENAMETOOLONG;
	dev->conf = *conf;
	dev->class = class;
	dev->features_offered = class->features(conf);
	dev->of_class = rte_zmalloc_socket("vstate class", class->dev_size, RTE_CACHE_LINE_SIZE,
			socket);
	if (dev->of_class == NULL)
		return -ENOMEM;
	if (class->kept_size != 0) {
		dev->kept = dev->kept_own = calloc(1, class->kept_size);
		if (dev->kept == NULL)
			return -ENOMEM;
	}
	ret = vqs_alloc(dev, socket);
	if (ret != 0)
		return ret;
	vstate_run_init(dev);
	return class->dev_init(dev);
}

struct vstate_dev *
vstate_dev_create(const char *name, const struct vstate_conf *conf,
		const struct vstate_class *class, int socket)
{
	struct vstate_dev *dev;
	int ret;

	dev = rte_zmalloc_socket("vstate dev", sizeof(*dev), RTE_CACHE_LINE_SIZE, socket);
	if (dev == NULL) {
		rte_errno = ENOMEM;
		return NULL;
	}
	vstate_control_init(dev);
	ret = dev_init(dev, name, conf, class, socket);
	if (ret == 0)
		return dev;
	vstate_dev_destroy(dev);
	rte_errno = -ret;
	return NULL;
}

void
vstate_dev_destroy(struct vstate_dev *dev)
{
	if (dev == NULL)
		return;
	vstate_resume_point_fini(dev);
	if (dev->of_class != NULL && dev->class->dev_fini != NULL)
		dev->class->dev_fini(dev);
	vqs_free(dev);
	free(dev->kept_own);
	rte_free(dev->of_class);
	vstate_control_fini(dev);
	rte_free(dev);
}
