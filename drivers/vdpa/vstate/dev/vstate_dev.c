/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <pthread.h>
#include <string.h>


#include <rte_arp.h>
#include <rte_byteorder.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_string_fns.h>

#include <vstate_compat.h>

#include "vstate_control.h"
#include "vstate_dev.h"
#include "vstate_log.h"
#include "net/vstate_net.h"
#include "handover/vstate_state_file.h"
#include "net/vstate_port.h"
#include "handover/vstate_inflight_shm.h"
#include "vhost/vstate_msg_log.h"
#include "handover/vstate_takeover.h"
#include "vhost/vstate_device_state.h"

#define S_NEEDS_RESET RTE_VHOST_STATE_S_NEEDS_RESET

static TAILQ_HEAD(, vstate_dev) devs = TAILQ_HEAD_INITIALIZER(devs);
/* Guards the list. Held by the control thread around vstate_dev_watch_all(), so never
 * held by anyone who waits for the control thread.
 */
static pthread_mutex_t devs_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- pollers ---- */

struct poller_change {
	enum vstate_poller poller;
	void (*apply)(struct vstate_dev *dev, void *arg);
	void *arg;
};

static int
do_set_poller(struct vstate_dev *dev, void *arg)
{
	const struct poller_change *change = arg;

	/* First the service, so that it is not about to take a queue that is then granted
	 * to the port. The port's own threads stop before the port does.
	 */
	vstate_poller_lease_revoke(dev);
	vstate_quiesce_always(dev);
	dev->poller = change->poller;
	if (change->apply != NULL)
		change->apply(dev, change->arg);
	vstate_grant(dev);
	if (dev->poller == VSTATE_POLLER_SERVICE)
		vstate_lease_grant(&dev->poller_lease);
	return 0;
}

int
vstate_dev_set_poller(struct vstate_dev *dev, enum vstate_poller poller,
		void (*apply)(struct vstate_dev *dev, void *arg), void *arg)
{
	struct poller_change change = { poller, apply, arg };

	return vstate_control_run(do_set_poller, dev, &change);
}

struct waiting {
	uint16_t first, step;
	uint32_t count;
};

static int
do_waiting(struct vstate_dev *dev, void *arg)
{
	struct waiting *w = arg;
	const struct vstate_vq *vq;
	uint16_t pair;

	/* What the rings rest on changes on this thread only, or while it is paused. */
	if (!dev->started || dev->paused)
		return 0;
	for (pair = w->first; pair < dev->nb_vqs / 2; pair += w->step) {
		vq = dev->vqs[VSTATE_TXQ(pair)];
		if (vq->ready)
			w->count += vq->ops->waiting(vq);
	}
	return 0;
}

uint32_t
vstate_dev_waiting(struct vstate_dev *dev, uint16_t first, uint16_t step)
{
	struct waiting w = { .first = first, .step = RTE_MAX(step, 1) };

	vstate_control_run(do_waiting, dev, &w);
	return w.count;
}

/* ---- announcements ---- */

struct rte_mbuf *
vstate_dev_rarp_make(const struct vstate_dev *dev, struct rte_mempool *pool, uint64_t *due)
{
	struct rte_ether_addr mac;
	uint64_t bytes;

	*due = __atomic_load_n(&dev->rarp_due, __ATOMIC_RELAXED);
	if (*due == 0)
		return NULL;
	bytes = rte_cpu_to_le_64(*due);
	memcpy(&mac, &bytes, sizeof(mac));
	return rte_net_make_rarp_packet(pool, &mac);
}

void
vstate_dev_rarp_done(struct vstate_dev *dev, uint64_t due)
{
	__atomic_compare_exchange_n(&dev->rarp_due, &due, 0, false, __ATOMIC_RELAXED,
			__ATOMIC_RELAXED);
}

/* ---- counters ---- */

void
vstate_vq_counters_reset(struct vstate_vq *vq)
{
	/* Poll threads go on counting; what they have now becomes zero. */
#define COUNTER_RESET(name, field) \
	vq->base.field = __atomic_load_n(&vq->counters.field, __ATOMIC_RELAXED);
	VSTATE_VQ_COUNTERS(COUNTER_RESET)
#undef COUNTER_RESET
}

void
vstate_vq_counters_get(const struct vstate_vq *vq, struct vstate_vq_counters *out)
{
#define COUNTER_GET(name, field) \
	out->field = __atomic_load_n(&vq->counters.field, __ATOMIC_RELAXED) - vq->base.field;
	VSTATE_VQ_COUNTERS(COUNTER_GET)
#undef COUNTER_GET
}

/* ---- faults ---- */

void
vstate_dev_watch(struct vstate_dev *dev)
{
	struct vstate_vq *vq;
	uint16_t i;

	for (i = 0; i < dev->nb_vqs; i++) {
		vq = dev->vqs[i];
		if (vq->fault == VSTATE_FAULT_NONE || vq->fault_told)
			continue;
		vq->fault_told = true;
		dev->faults[vq->fault]++;
		dev->status |= S_NEEDS_RESET;
		VSTATE_LOG(ERR, "%s: queue %u is broken: %s", dev->name, i,
				vstate_fault_text(vq->fault));
	}
}

bool
vstate_dev_watch_all(void)
{
	struct vstate_dev *dev;
	bool soon = false;

	pthread_mutex_lock(&devs_lock);
	TAILQ_FOREACH(dev, &devs, next) {
		vstate_dev_watch(dev);
		soon |= vstate_device_state_watch(dev);
	}
	pthread_mutex_unlock(&devs_lock);
	return soon;
}

/* ---- life ---- */

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
name_is(struct vstate_dev *dev, void *arg)
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

	vstate_dev_foreach(name_is, found);
	return found[1];
}

static void
vqs_free(struct vstate_dev *dev)
{
	uint16_t i;

	for (i = 0; i < dev->nb_vqs; i++) {
		vstate_inflight_drop(dev->vqs[i]);
		vstate_vq_callfd_set(dev->vqs[i], -1);
		rte_free(dev->vqs[i]);
	}
}

static int
vqs_alloc(struct vstate_dev *dev, int socket)
{
	struct vstate_vq *vq;

	for (; dev->nb_vqs < 2 * dev->conf.queues; dev->nb_vqs++) {
		vq = rte_zmalloc_socket("vstate vq", sizeof(*vq), RTE_CACHE_LINE_SIZE, socket);
		if (vq == NULL)
			return -ENOMEM;
		vq->qid = dev->nb_vqs;
		vq->callfd = -1;
		vq->inflight_head = &vq->own_head;
		dev->vqs[dev->nb_vqs] = vq;
	}
	return 0;
}

struct vstate_dev *
vstate_dev_create(const char *name, const struct vstate_conf *conf, int socket)
{
	struct vstate_dev *dev;
	int ret;

	dev = rte_zmalloc_socket("vstate dev", sizeof(*dev), RTE_CACHE_LINE_SIZE, socket);
	if (dev == NULL) {
		rte_errno = ENOMEM;
		return NULL;
	}
	if (rte_strscpy(dev->name, name, sizeof(dev->name)) < 0) {
		rte_free(dev);
		rte_errno = ENAMETOOLONG;
		return NULL;
	}
	dev->conf = *conf;
	pthread_mutex_init(&dev->socket_lock, NULL);
	pthread_mutex_init(&dev->device_state_lock, NULL);
	dev->socket_path = dev->conf.iface;
	dev->vid = -1;
	dev->waiting_vid = -1;
	dev->mtu = conf->mtu;
	dev->features_offered = vstate_net_features(conf);
	if (conf->has_mac)
		rte_ether_addr_copy(&conf->mac, &dev->mac);
	else
		rte_eth_random_addr(dev->mac.addr_bytes);

	ret = vqs_alloc(dev, socket);
	/* behind rte_vdpa the connection is another one's */
	if (ret == 0 && conf->state_dir[0] != '\0' && conf->iface[0] != '\0') {
		dev->msg_log = vstate_msg_log_create(dev->nb_vqs);
		ret = dev->msg_log != NULL ? 0 : -ENOMEM;
	}
	if (ret == 0 && conf->state_dir[0] != '\0')
		ret = vstate_state_file_open(dev);
	if (ret == -EBUSY && conf->takeover)
		ret = vstate_takeover_prepare(dev);
	if (ret == 0)
		ret = rte_vhost_state_register(name, &vstate_state_ops, dev);
	if (ret != 0) {
		vstate_takeover_free(dev);
		vstate_state_file_close(dev);
		vstate_recover_drop(dev);
		vstate_msg_log_free(dev->msg_log);
		vqs_free(dev);
		pthread_mutex_destroy(&dev->socket_lock);
		pthread_mutex_destroy(&dev->device_state_lock);
		rte_free(dev);
		rte_errno = -ret;
		return NULL;
	}
	pthread_mutex_lock(&devs_lock);
	TAILQ_INSERT_TAIL(&devs, dev, next);
	pthread_mutex_unlock(&devs_lock);
	return dev;
}

void
vstate_dev_destroy(struct vstate_dev *dev)
{
	rte_vhost_state_unregister(dev->name);
	pthread_mutex_lock(&devs_lock);
	TAILQ_REMOVE(&devs, dev, next);
	pthread_mutex_unlock(&devs_lock);
	vstate_takeover_free(dev);
	vstate_inflight_shm_drop(dev);
	vstate_state_file_close(dev);
	vstate_recover_drop(dev);
	rte_vhost_state_free(dev->restored);
	rte_vhost_state_free(dev->kept);
	vstate_msg_log_free(dev->msg_log);
	vqs_free(dev);
	pthread_mutex_destroy(&dev->socket_lock);
	pthread_mutex_destroy(&dev->device_state_lock);
	rte_free(dev);
}
