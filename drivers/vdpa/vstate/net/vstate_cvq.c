/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <linux/virtio_net.h>

#include <rte_bitops.h>
#include <rte_telemetry.h>

#include <vstate_compat.h>

#include "dev/vstate_broken.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_quiesce.h"
#include "ring/vstate_command.h"
#include "ring/vstate_kick.h"
#include "ring/vstate_ring.h"
#include "ring/vstate_vq.h"
#include "rte_vhost_state.h"
#include "vstate_cvq.h"
#include "vstate_cvq_command.h"
#include "vstate_log.h"
#include "vstate_net.h"
#include "vstate_net_conf.h"
#include "vstate_net_filter.h"
#include "vstate_net_vq.h"

#define CTRL(name) RTE_VHOST_STATE_NET_CTRL_##name

/* Index of the control virtqueue without VIRTIO_NET_F_MQ. */
#define INDEX_WITHOUT_MQ 2
/* Data of an event of the own eventfd; the others have the index of a queue. */
#define EVENT_OF_SELF UINT32_MAX
#define EVENTS_MAX 4
/* Commands that are served before the front end has its turn. */
#define COMMANDS_MAX 64

struct vstate_cvq {
	/** The epoll instance that watches kicks, and the own eventfd in it. */
	int epfd, wakefd;
	/** The address that the driver finds at a reset. */
	struct rte_ether_addr mac;
	/** The ring that is the control queue with the features of this set-up, or NULL. */
	struct vstate_vq *vq;
	/** The rings were set up: settle() has to decide. */
	bool unsettled;
	/** The settings, whether they are known, and whether they are in force (any thread). */
	struct rte_vhost_state_net_ctrl ctrl;
	bool known, in_force;
	/** Settings that wait for their ring, and whether their driver has to announce itself. */
	bool is_staged, staged_announce;
	struct rte_vhost_state_net_ctrl staged;
	/** The driver has to announce itself. Any thread reads it. */
	bool announce;
	/** The filter of all receive queues, if they need one. Any thread reads the flag. */
	bool filters;
	struct vstate_net_filter filter;
	/** Commands accepted, and refused by reason. Any thread reads them. */
	uint64_t accepted, refused[VSTATE_CVQ_REFUSED_MAX];
	uint8_t command[VSTATE_CVQ_COMMAND_MAX];
};

static struct vstate_cvq *
cvq_of(const struct vstate_dev *dev)
{
	return vstate_net_of(dev)->cvq;
}

/* Flags that any thread reads. */
static bool
flag_get(const bool *flag)
{
	return rte_atomic_load_explicit(flag, rte_memory_order_relaxed);
}

static void
flag_set(bool *flag, bool on)
{
	rte_atomic_store_explicit(flag, on, rte_memory_order_relaxed);
}

static bool
has_feature(const struct vstate_dev *dev, unsigned int bit)
{
	return (dev->guest.features & RTE_BIT64(bit)) != 0;
}

static struct vstate_cvq_rules
rules_get(const struct vstate_dev *dev)
{
	return (struct vstate_cvq_rules){ dev->guest.features, vstate_net_pairs(dev) };
}

/* ---- create and destroy ---- */

static int
events_open(struct vstate_cvq *cvq)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = EVENT_OF_SELF };

	cvq->epfd = epoll_create1(EPOLL_CLOEXEC);
	cvq->wakefd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (cvq->epfd < 0 || cvq->wakefd < 0 ||
			epoll_ctl(cvq->epfd, EPOLL_CTL_ADD, cvq->wakefd, &event) != 0)
		return -errno;
	return 0;
}

int
vstate_cvq_create(struct vstate_dev *dev)
{
	struct vstate_cvq *cvq;
	int ret;

	if (!vstate_net_conf_const(&dev->conf)->cvq)
		return 0;
	cvq = calloc(1, sizeof(*cvq));
	if (cvq == NULL)
		return -ENOMEM;
	cvq->epfd = cvq->wakefd = -1;
	vstate_net_of(dev)->cvq = cvq;
	rte_ether_addr_copy(&vstate_net_of(dev)->mac, &cvq->mac);
	ret = events_open(cvq);
	/* which of the two is the control queue depends on the driver; no one else watches them */
	if (ret == 0)
		ret = vstate_kick_watch(dev->vqs[INDEX_WITHOUT_MQ], cvq->epfd);
	if (ret == 0)
		ret = vstate_kick_watch(dev->vqs[vstate_cvq_index(dev)], cvq->epfd);
	return ret;
}

void
vstate_cvq_destroy(struct vstate_dev *dev)
{
	struct vstate_cvq *cvq = cvq_of(dev);

	if (cvq == NULL)
		return;
	vstate_kick_watch(dev->vqs[INDEX_WITHOUT_MQ], -1);
	vstate_kick_watch(dev->vqs[vstate_cvq_index(dev)], -1);
	if (cvq->epfd >= 0)
		close(cvq->epfd);
	if (cvq->wakefd >= 0)
		close(cvq->wakefd);
	vstate_net_of(dev)->cvq = NULL;
	free(cvq);
}

uint16_t
vstate_cvq_index(const struct vstate_dev *dev)
{
	return cvq_of(dev) != NULL ? 2 * vstate_net_pairs(dev) : 0;
}

bool
vstate_cvq_announce_is_due(const struct vstate_dev *dev)
{
	const struct vstate_cvq *cvq = cvq_of(dev);

	return cvq != NULL && flag_get(&cvq->announce);
}

/* ---- the settings in force; no poll thread is inside ---- */

/* The bursts of a queue that no poll thread may serve, so that it finds no frame and no room. */

static uint16_t
none_take(struct vstate_net_vq *nq, struct rte_mempool *pool, struct rte_mbuf **pkts, uint16_t n)
{
	RTE_SET_USED(nq);
	RTE_SET_USED(pool);
	RTE_SET_USED(pkts);
	RTE_SET_USED(n);
	return 0;
}

static void
none_give(struct vstate_net_vq *nq, uint16_t n)
{
	RTE_SET_USED(nq);
	RTE_SET_USED(n);
}

static uint8_t
none_look(struct rte_mbuf *const *pkts, uint16_t n)
{
	RTE_SET_USED(pkts);
	RTE_SET_USED(n);
	return 0;
}

static uint16_t
none_put(struct vstate_net_vq *nq, struct rte_mbuf **pkts, uint16_t n, uint8_t look)
{
	RTE_SET_USED(nq);
	RTE_SET_USED(pkts);
	RTE_SET_USED(n);
	RTE_SET_USED(look);
	return 0;
}

static void
none_flush(struct vstate_net_vq *nq)
{
	RTE_SET_USED(nq);
}

static uint16_t
none_count(struct vstate_net_vq *nq, uint16_t max)
{
	RTE_SET_USED(nq);
	RTE_SET_USED(max);
	return 0;
}

static const struct vstate_net_ops no_bursts = {
	.take = none_take,
	.give = none_give,
	.look = none_look,
	.put = none_put,
	.fill = none_put,
	.flush = none_flush,
	.count = none_count,
};

/* Pairs that may run. Without settings the front end alone enables them. */
static uint16_t
pairs_get(const struct vstate_dev *dev)
{
	const struct vstate_cvq *cvq = cvq_of(dev);

	if (!cvq->in_force)
		return vstate_net_pairs(dev);
	return cvq->ctrl.accepted & RTE_BIT32(CTRL(PAIRS)) ? cvq->ctrl.pairs : 1;
}

static void
vq_apply(struct vstate_dev *dev, struct vstate_net_vq *nq)
{
	const struct vstate_cvq *cvq = cvq_of(dev);
	const uint64_t f = dev->guest.features;
	const bool offloads = cvq->in_force && (cvq->ctrl.accepted & RTE_BIT32(CTRL(OFFLOADS)));

	nq->features = offloads ? (f & ~VSTATE_CVQ_OFFLOADS) | cvq->ctrl.offloads : f;
	nq->guest_csum = nq->features & RTE_BIT64(VIRTIO_NET_F_GUEST_CSUM);
	if (&nq->vq == cvq->vq)
		nq->ops = &no_bursts;
	else if (nq->vq.qid % 2 == 0)
		vstate_net_filter_set(nq, cvq->filters ? &cvq->filter : NULL);
}

static void
settings_apply(struct vstate_dev *dev)
{
	struct vstate_cvq *cvq = cvq_of(dev);
	struct vstate_net *net = vstate_net_of(dev);
	const uint16_t pairs = pairs_get(dev);
	struct vstate_vq *vq;
	uint16_t i;

	rte_ether_addr_copy(cvq->in_force && (cvq->ctrl.accepted & RTE_BIT32(CTRL(MAC_ADDR))) ?
			&cvq->ctrl.mac : &cvq->mac, &net->mac);
	flag_set(&cvq->filters, cvq->in_force && vstate_net_filter_build(&cvq->filter,
			&cvq->ctrl, &net->mac, has_feature(dev, VIRTIO_NET_F_CTRL_VLAN)));
	for (i = 0; i < dev->nb_vqs; i++) {
		vq = dev->vqs[i];
		if (vstate_run_vq_is_ready(vq))
			vq_apply(dev, vstate_net_vq_of(vq));
		if (i < 2 * pairs || vq == cvq->vq)
			vstate_run_vq_unblock(vq, VSTATE_BLOCK_INACTIVE);
		else
			vstate_run_vq_block(vq, VSTATE_BLOCK_INACTIVE);
	}
}

/* ---- set-up ---- */

/* The control queue with the features that are negotiated. */
static struct vstate_vq *
vq_find(const struct vstate_dev *dev)
{
	if (!has_feature(dev, VIRTIO_NET_F_CTRL_VQ))
		return NULL;
	return dev->vqs[has_feature(dev, VIRTIO_NET_F_MQ) ? vstate_cvq_index(dev) :
		INDEX_WITHOUT_MQ];
}

void
vstate_cvq_setup(struct vstate_dev *dev)
{
	struct vstate_cvq *cvq = cvq_of(dev);
	uint16_t i;

	if (cvq == NULL)
		return;
	cvq->vq = vq_find(dev);
	for (i = 0; i < dev->nb_vqs; i++) {
		vstate_net_vq_of(dev->vqs[i])->is_control = dev->vqs[i] == cvq->vq;
		/* a driver may wait in a loop for its answer */
		dev->vqs[i]->exempt = dev->vqs[i] == cvq->vq ? VSTATE_BLOCK_NO_POLLER : 0;
	}
	cvq->unsettled = true;
}

void
vstate_cvq_vq_setup(struct vstate_dev *dev, struct vstate_net_vq *nq)
{
	if (cvq_of(dev) != NULL)
		vq_apply(dev, nq);
}

static void
known_set(struct vstate_cvq *cvq, const struct rte_vhost_state_net_ctrl *ctrl)
{
	cvq->known = true;
	cvq->ctrl = *ctrl;
}

/* A driver of which nothing is known may use all pairs, and may want any frame. */
static void
known_set_all(struct vstate_dev *dev, struct vstate_cvq *cvq)
{
	struct rte_vhost_state_net_ctrl all = { 0 };

	if (has_feature(dev, VIRTIO_NET_F_MQ)) {
		all.accepted = RTE_BIT32(CTRL(PAIRS));
		all.pairs = vstate_net_pairs(dev);
	}
	known_set(cvq, &all);
	VSTATE_LOG(WARNING, "%s: control queue %u was used before, and no state has its settings: "
			"the driver gets all frames, on all pairs", dev->name, cvq->vq->qid);
}

/* Decide which settings are in force for a ring that is set up. */
static void
settings_choose(struct vstate_dev *dev, struct vstate_cvq *cvq)
{
	static const struct rte_vhost_state_net_ctrl defaults;
	const bool is_new = vstate_command_ring_is_new(cvq->vq);
	bool announce = vstate_cvq_announce_is_due(dev);

	if (is_new)
		known_set(cvq, &defaults);
	else if (cvq->is_staged)
		known_set(cvq, &cvq->staged);
	else if (!cvq->known)
		known_set_all(dev, cvq);
	if (is_new)
		announce = false;
	else if (cvq->is_staged)
		announce = cvq->staged_announce && has_feature(dev, VIRTIO_NET_F_GUEST_ANNOUNCE);
	flag_set(&cvq->announce, announce);
	cvq->is_staged = false;
}

void
vstate_cvq_settle(struct vstate_dev *dev)
{
	struct vstate_cvq *cvq = cvq_of(dev);

	if (cvq == NULL || !cvq->unsettled ||
			vstate_run_is_blocked(dev, VSTATE_BLOCK_NOT_OWNER | VSTATE_BLOCK_MESSAGE))
		return;
	cvq->unsettled = false;
	flag_set(&cvq->in_force, cvq->vq != NULL && vstate_run_vq_is_ready(cvq->vq));
	if (cvq->in_force)
		settings_choose(dev, cvq);
	settings_apply(dev);
}

void
vstate_cvq_forget(struct vstate_dev *dev)
{
	struct vstate_cvq *cvq = cvq_of(dev);

	if (cvq == NULL)
		return;
	flag_set(&cvq->in_force, false);
	cvq->known = cvq->is_staged = false;
	memset(&cvq->ctrl, 0, sizeof(cvq->ctrl));
	flag_set(&cvq->announce, false);
	settings_apply(dev);
}

/* ---- state ---- */

void
vstate_cvq_capture(const struct vstate_dev *dev, struct rte_vhost_state *st)
{
	const struct vstate_cvq *cvq = cvq_of(dev);
	const struct rte_vhost_state_net_ctrl *ctrl;

	if (cvq == NULL || !(cvq->is_staged || cvq->in_force))
		return;
	ctrl = cvq->is_staged ? &cvq->staged : &cvq->ctrl;
	st->net.ctrl = *ctrl;
	st->net.rx_mode = ctrl->rx_mode;
	if (vstate_cvq_mode_is_on(ctrl, CTRL(PROMISC)))
		st->net.rx_mode |= RTE_BIT32(CTRL(PROMISC));
	if (ctrl->accepted & RTE_BIT32(CTRL(MAC_ADDR)))
		rte_ether_addr_copy(&ctrl->mac, &st->net.mac);
	if (ctrl->accepted & RTE_BIT32(CTRL(PAIRS)))
		st->net.active_pairs = ctrl->pairs;
	if (ctrl->accepted & RTE_BIT32(CTRL(OFFLOADS)))
		st->net.guest_offloads &= ctrl->offloads;
}

int
vstate_cvq_restore(struct vstate_dev *dev, const struct rte_vhost_state *st, bool moved)
{
	const struct vstate_cvq_rules rules = rules_get(dev);
	struct rte_vhost_state_net_ctrl ctrl;
	struct vstate_cvq *cvq = cvq_of(dev);
	enum vstate_cvq_refusal why;

	if (cvq == NULL)
		return 0;
	why = vstate_cvq_command_replay(&ctrl, &rules, &st->net.ctrl);
	if (why != VSTATE_CVQ_REFUSED_NONE) {
		VSTATE_LOG(ERR, "%s: settings of the control queue not restored: a command is "
				"refused: %s", dev->name, vstate_cvq_refusal_text(why));
		return -EINVAL;
	}
	cvq->staged = ctrl;
	cvq->is_staged = true;
	cvq->staged_announce = moved || (st->net.status & VIRTIO_NET_S_ANNOUNCE);
	return 0;
}

/* ---- commands ---- */

static void
count_add(uint64_t *count)
{
	rte_atomic_store_explicit(count, *count + 1, rte_memory_order_relaxed);
}

/*
 * Bring changed settings into force. The state file has them before the driver gets its answer: a
 * process that is killed before that leaves the command in the ring, and the next one runs it
 * again.
 */
static void
settings_commit(struct vstate_dev *dev, struct vstate_cvq *cvq,
		const struct rte_vhost_state_net_ctrl *next)
{
	vstate_quiesce_always(dev);
	known_set(cvq, next);
	settings_apply(dev);
	vstate_resume_point_store(dev);
}

static enum vstate_cvq_refusal
command_run(struct vstate_dev *dev, struct vstate_cvq *cvq, const struct vstate_command *cmd,
		bool *committed)
{
	const struct vstate_cvq_rules rules = rules_get(dev);
	struct rte_vhost_state_net_ctrl next = cvq->ctrl;
	enum vstate_cvq_refusal why;

	if (cmd->longer)
		return VSTATE_CVQ_REFUSED_LENGTH;
	why = vstate_cvq_command_run(&next, &rules, cvq->command, cmd->len);
	if (why != VSTATE_CVQ_REFUSED_NONE)
		return why;
	if (cvq->command[0] == VIRTIO_NET_CTRL_ANNOUNCE)
		flag_set(&cvq->announce, false);
	*committed = memcmp(&next, &cvq->ctrl, sizeof(next)) != 0;
	if (*committed)
		settings_commit(dev, cvq, &next);
	return why;
}

/* @return false: there is no command, or the queue is broken */
static bool
command_serve(struct vstate_dev *dev, struct vstate_cvq *cvq)
{
	struct vstate_net_vq *nq = vstate_net_vq_of(cvq->vq);
	struct vstate_command cmd = { 0 };
	enum vstate_cvq_refusal why;
	bool committed = false;

	if (vstate_command_pop(cvq->vq, &cmd, cvq->command, sizeof(cvq->command)) != 0)
		return false;
	why = command_run(dev, cvq, &cmd, &committed);
	nq->counters.packets++;
	nq->counters.bytes += cmd.len;
	vstate_command_push(cvq->vq, &cmd, why == VSTATE_CVQ_REFUSED_NONE ? VIRTIO_NET_OK :
			VIRTIO_NET_ERR);
	count_add(why == VSTATE_CVQ_REFUSED_NONE ? &cvq->accepted : &cvq->refused[why]);
	if (committed)
		vstate_grant(dev);
	if (why != VSTATE_CVQ_REFUSED_NONE)
		VSTATE_LOG(DEBUG, "%s: control command refused: class %u, command %u, %u bytes: %s",
				dev->name, cvq->command[0], cvq->command[1], cmd.len,
				vstate_cvq_refusal_text(why));
	return true;
}

int
vstate_cvq_event_fd(const struct vstate_dev *dev)
{
	return cvq_of(dev) != NULL ? cvq_of(dev)->epfd : -1;
}

void
vstate_cvq_wake(const struct vstate_dev *dev)
{
	if (cvq_of(dev) != NULL)
		eventfd_write(cvq_of(dev)->wakefd, 1);
}

/* Kicks are edge-triggered, and end with one look. */
static void
events_forget(struct vstate_cvq *cvq)
{
	struct epoll_event events[EVENTS_MAX];
	eventfd_t count;

	epoll_wait(cvq->epfd, events, EVENTS_MAX, 0);
	eventfd_read(cvq->wakefd, &count);
}

static bool
is_granted(const struct vstate_cvq *cvq)
{
	return cvq->in_force && vstate_lease_is_granted(&cvq->vq->lease);
}

void
vstate_cvq_event(struct vstate_dev *dev)
{
	struct vstate_cvq *cvq = cvq_of(dev);
	unsigned int n;

	if (cvq == NULL)
		return;
	/* first, so that no kick behind the look at the ring is forgotten */
	events_forget(cvq);
	for (n = 0; n < COMMANDS_MAX && is_granted(cvq); n++) {
		if (!command_serve(dev, cvq))
			break;
	}
	vstate_broken_report(dev);
	if (is_granted(cvq) && vstate_ring_kicks_request(cvq->vq))
		vstate_cvq_wake(dev);
}

void
vstate_cvq_telemetry(const struct vstate_dev *dev, struct rte_tel_data *d)
{
	const struct vstate_cvq *cvq = cvq_of(dev);
	char name[RTE_TEL_MAX_STRING_LEN];
	uint64_t count;
	unsigned int i;

	if (cvq == NULL)
		return;
	rte_tel_data_add_dict_int(d, "cvq_in_force", flag_get(&cvq->in_force));
	rte_tel_data_add_dict_int(d, "cvq_filters", flag_get(&cvq->filters));
	rte_tel_data_add_dict_int(d, "cvq_announce_due", vstate_cvq_announce_is_due(dev));
	vstate_tel_dict_uint(d, "cvq_commands",
			rte_atomic_load_explicit(&cvq->accepted, rte_memory_order_relaxed));
	for (i = VSTATE_CVQ_REFUSED_NONE + 1; i < VSTATE_CVQ_REFUSED_MAX; i++) {
		count = rte_atomic_load_explicit(&cvq->refused[i], rte_memory_order_relaxed);
		if (count == 0)
			continue;
		snprintf(name, sizeof(name), "cvq_refused_%s", vstate_cvq_refusal_name(i));
		vstate_tel_dict_uint(d, name, count);
	}
}
