/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include <linux/vhost_types.h>
#include <linux/virtio_config.h>
#include <linux/virtio_console.h>
#include <linux/virtio_ring.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>
#include <rte_common.h>
#include <rte_telemetry.h>

#include <vstate_compat.h>

#include "dev/vstate_clock.h"
#include "ring/vstate_kick.h"
#include "ring/vstate_marks.h"
#include "ring/vstate_request.h"
#include "ring/vstate_ring.h"
#include "vstate_console.h"
#include "vstate_console_ctrl.h"
#include "vstate_log.h"

/* vhost-user's own feature bit; it is not the guest's. */
#ifndef VHOST_USER_F_PROTOCOL_FEATURES
#define VHOST_USER_F_PROTOCOL_FEATURES 30
#endif

#define CONSOLE_FEATURES \
	(RTE_BIT64(VIRTIO_F_VERSION_1) | RTE_BIT64(VIRTIO_F_RING_PACKED) | \
	 RTE_BIT64(VIRTIO_F_ANY_LAYOUT) | RTE_BIT64(VIRTIO_RING_F_INDIRECT_DESC) | \
	 RTE_BIT64(VIRTIO_RING_F_EVENT_IDX) | RTE_BIT64(VIRTIO_CONSOLE_F_SIZE) | \
	 RTE_BIT64(VIRTIO_CONSOLE_F_EMERG_WRITE) | RTE_BIT64(VHOST_F_LOG_ALL) | \
	 RTE_BIT64(VHOST_USER_F_PROTOCOL_FEATURES))

/* Events of one look. */
#define EVENTS_MAX 64
/* Time between two attempts to end the transfers before a stop. */
#define END_SLEEP_NS 200000
/* Bound for the sockets of an owner that died to be closed, and the time between two looks. */
#define DYING_NS 2000000000ull
#define LOOK_NS 10000000
/* In the state: it was applied. rte_vhost_state_validate() would refuse it. */
#define STATE_APPLIED UINT8_MAX

uint64_t
vstate_console_features(const struct vstate_conf *conf)
{
	return CONSOLE_FEATURES | (vstate_console_is_multiport(conf) ?
		RTE_BIT64(VIRTIO_CONSOLE_F_MULTIPORT) : 0);
}

/* Two for each port after the first one, and the control queues. */
uint16_t
vstate_console_more_vqs(const struct vstate_conf *conf)
{
	return vstate_console_is_multiport(conf) ?
		2 * vstate_console_conf_const(conf)->nb_ports : 0;
}

/* The control queues are between those of port 0 and of port 1. */
static uint16_t
qid_of_port(uint16_t port)
{
	return port == 0 ? 0 : 2 * port + 2;
}

/* ---- create and destroy ---- */

static int
fds_open(struct vstate_console *c)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };

	c->epfd = epoll_create1(EPOLL_CLOEXEC);
	c->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	c->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (c->epfd < 0 || c->wake < 0 || c->notify < 0)
		return -errno;
	event.data.u32 = VSTATE_CONSOLE_EVENT_WAKE;
	if (epoll_ctl(c->epfd, EPOLL_CTL_ADD, c->wake, &event) != 0)
		return -errno;
	event.data.u32 = VSTATE_CONSOLE_EVENT_NOTIFY;
	return epoll_ctl(c->epfd, EPOLL_CTL_ADD, c->notify, &event) == 0 ? 0 : -errno;
}

static int
port_init(struct vstate_console *c, uint16_t i)
{
	const struct vstate_console_conf *conf = vstate_console_conf_const(&c->dev->conf);
	struct vstate_console_port *p = &c->ports[i];
	int ret;

	p->dev = c->dev;
	p->index = i;
	p->hold = conf->hold;
	p->to_guest = vstate_console_vq_of(c->dev->vqs[qid_of_port(i)]);
	p->to_host = vstate_console_vq_of(c->dev->vqs[qid_of_port(i) + 1]);
	vstate_console_host_init(&p->host, c->dev->name, &conf->ports[i], i, c->epfd, c->notify);
	ret = vstate_console_port_vq_init(p->to_guest);
	return ret == 0 ? vstate_console_port_vq_init(p->to_host) : ret;
}

int
vstate_console_dev_init(struct vstate_dev *dev)
{
	struct vstate_console *c = vstate_console_of(dev);
	uint16_t i;
	int ret;

	c->dev = dev;
	c->epfd = c->wake = c->notify = -1;
	pthread_mutex_init(&c->lock, NULL);
	ret = fds_open(c);
	for (i = 0; i < vstate_console_conf_const(&dev->conf)->nb_ports && ret == 0; i++) {
		ret = port_init(c, i);
		c->nb_ports++;
	}
	for (i = VSTATE_CONSOLE_CTRL_TO_GUEST; i < 4 && i < dev->nb_vqs && ret == 0; i++)
		ret = vstate_console_port_vq_init(vstate_console_vq_of(dev->vqs[i]));
	for (i = 0; i < dev->nb_vqs && ret == 0; i++)
		ret = vstate_kick_watch(dev->vqs[i], c->epfd);
	if (ret != 0)
		VSTATE_LOG(ERR, "%s: cannot prepare the console: %s", dev->name, strerror(-ret));
	return ret;
}

static void
fd_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

void
vstate_console_dev_fini(struct vstate_dev *dev)
{
	struct vstate_console *c = vstate_console_of(dev);
	uint16_t i;

	for (i = 0; i < c->nb_ports; i++) {
		vstate_console_host_close(&c->ports[i].host, !c->host_left);
		free(c->ports[i].rest);
	}
	for (i = 0; i < dev->nb_vqs; i++) {
		vstate_console_port_vq_fini(vstate_console_vq_of(dev->vqs[i]));
		vstate_kick_watch(dev->vqs[i], -1);
	}
	fd_close(c->epfd);
	fd_close(c->wake);
	fd_close(c->notify);
	pthread_mutex_destroy(&c->lock);
}

/* ---- the host's sides ---- */

static void
console_wake(struct vstate_console *c)
{
	/* it fails only if the counter is full: then it is signalled */
	if (eventfd_write(c->wake, 1) != 0)
		VSTATE_LOG(DEBUG, "%s: wake-up: %s", c->dev->name, strerror(errno));
}

/* Make the host's sides that this process does not have. */
static int
hosts_make(struct vstate_console *c, bool again)
{
	uint16_t i;
	int ret = 0;

	pthread_mutex_lock(&c->lock);
	for (i = 0; i < c->nb_ports && ret == 0 && !c->host_made && !c->host_left; i++) {
		if (c->ports[i].host.fd < 0 && c->ports[i].host.listener.fd < 0)
			ret = vstate_console_host_make(&c->ports[i].host, again);
		vstate_console_host_size(&c->ports[i].host);
	}
	c->host_made |= ret != -EADDRINUSE || !again;
	pthread_mutex_unlock(&c->lock);
	return ret;
}

/*
 * With a state file, which this process has locked, an owner before it has ended: the kernel closes
 * its sockets one by one.
 */
int
vstate_console_host_open(struct vstate_dev *dev)
{
	static const struct timespec pause = { .tv_nsec = LOOK_NS };
	const uint64_t until = vstate_clock_ns() +
		(dev->conf.state_dir[0] != '\0' ? DYING_NS : 0);
	bool again;
	int ret;

	if (vstate_run_is_blocked(dev, VSTATE_BLOCK_NOT_OWNER))
		return 0;
	do {
		again = vstate_clock_ns() < until;
		ret = hosts_make(vstate_console_of(dev), again);
	} while (ret == -EADDRINUSE && again && nanosleep(&pause, NULL) == 0);
	return ret;
}

/* The first time that this process owns the device. */
void
vstate_console_run_changed(struct vstate_dev *dev)
{
	if (!vstate_console_of(dev)->host_made)
		vstate_console_host_open(dev);
}

/* ---- config space ---- */

int
vstate_console_config_get(const struct vstate_dev *dev, uint8_t *config, uint32_t size)
{
	struct vstate_console *c = vstate_console_of_const(dev);
	struct virtio_console_config space = { 0 };
	/* longer than the space that some front ends ask for: fields that are not known are 0 */
	uint8_t bytes[256] = { 0 };

	if (size > sizeof(bytes))
		return -EINVAL;
	pthread_mutex_lock(&c->lock);
	space.cols = rte_cpu_to_le_16(c->ports[0].host.cols);
	space.rows = rte_cpu_to_le_16(c->ports[0].host.rows);
	pthread_mutex_unlock(&c->lock);
	space.max_nr_ports = rte_cpu_to_le_32(c->nb_ports);
	memcpy(bytes, &space, sizeof(space));
	memcpy(config, bytes, size);
	return 0;
}

/* An emergency write: one character, at once. The driver may have no queue (VIRTIO 1.4). */
int
vstate_console_config_set(struct vstate_dev *dev, const uint8_t *config, uint32_t offset,
		uint32_t size)
{
	struct vstate_console *c = vstate_console_of(dev);
	struct vstate_console_port *p = &c->ports[0];
	struct mmsghdr msg = { 0 };
	uint8_t byte = config[0];
	struct iovec iov = { &byte, 1 };
	ssize_t n = -EAGAIN;

	if (offset != offsetof(struct virtio_console_config, emerg_wr) || size == 0 ||
			size > sizeof(((struct virtio_console_config *)0)->emerg_wr))
		return -EINVAL;
	pthread_mutex_lock(&c->lock);
	if (p->rest_done == p->rest_nb && !vstate_run_is_blocked(dev, VSTATE_BLOCK_NOT_OWNER))
		n = vstate_console_host_send(&p->host, &msg, &iov, 1);
	if (n < 0)
		p->rest_dropped++;
	pthread_mutex_unlock(&c->lock);
	return 0;
}

bool
vstate_console_watch(struct vstate_dev *dev)
{
	struct vstate_console *c = vstate_console_of(dev);
	bool changed = false;
	uint16_t i;

	pthread_mutex_lock(&c->lock);
	for (i = 0; i < c->nb_ports; i++)
		if (vstate_console_host_size(&c->ports[i].host) && i == 0)
			changed = true;
	if (changed && c->ports[0].ready) {
		c->ports[0].due |= RTE_VHOST_STATE_CONSOLE_DUE_RESIZE;
		vstate_console_port_keep(&c->ports[0]);
	}
	pthread_mutex_unlock(&c->lock);
	if (changed)
		console_wake(c);
	return changed;
}

/* ---- set-up ---- */

void
vstate_console_vq_setup(struct vstate_dev *dev, struct vstate_vq *vq)
{
	struct vstate_console *c = vstate_console_of(dev);

	/* a driver without control queues has port 0 open */
	if (!(dev->guest.features & RTE_BIT64(VIRTIO_CONSOLE_F_MULTIPORT))) {
		c->ports[0].guest_open = true;
		vstate_console_port_keep(&c->ports[0]);
	}
	if (vstate_marks_setup(vq) != 0)
		VSTATE_LOG(ERR, "%s: queue %u is not served: no memory for marks of %u buffers",
				dev->name, vq->qid, vq->size);
}

void
vstate_console_reset(struct vstate_dev *dev)
{
	struct vstate_console *c = vstate_console_of(dev);
	uint16_t i;

	pthread_mutex_lock(&c->lock);
	c->driver_ready = false;
	for (i = 0; i < c->nb_ports; i++) {
		vstate_console_port_reset(&c->ports[i]);
		c->ports[i].guest_open = c->ports[i].ready = false;
		c->ports[i].due = 0;
		vstate_console_port_keep(&c->ports[i]);
	}
	vstate_console_keep(c);
	pthread_mutex_unlock(&c->lock);
}

/*
 * All buffers returned before the front end took the rings back. If a state was captured on
 * request, what was read ahead is in that state.
 */
void
vstate_console_disconnect(struct vstate_dev *dev)
{
	struct vstate_console *c = vstate_console_of(dev);
	uint16_t i;

	if (vstate_run_is_blocked(dev, VSTATE_BLOCK_NOT_OWNER))
		return;
	pthread_mutex_lock(&c->lock);
	for (i = 0; i < c->nb_ports; i++) {
		if (c->captured)
			vstate_console_port_ahead_set(&c->ports[i], NULL, 0);
		vstate_console_port_reset(&c->ports[i]);
	}
	c->captured = false;
	pthread_mutex_unlock(&c->lock);
}

bool
vstate_console_wants_kicks(const struct vstate_vq *vq)
{
	RTE_SET_USED(vq);
	return true;
}

/* A grant suppresses kicks, and events may have passed while no queue ran: look at everything. */
void
vstate_console_granted(struct vstate_dev *dev)
{
	struct vstate_console *c = vstate_console_of(dev);

	if (!vstate_run_is_blocked(dev, VSTATE_BLOCK_SUSPENDED | VSTATE_BLOCK_RINGS_TAKEN))
		c->captured = false;
	console_wake(c);
}

/* ---- a turn ---- */

static void
notify_read(struct vstate_console *c)
{
	alignas(struct inotify_event) uint8_t buf[1024];

	/* which terminal it was does not matter: all are looked at */
	while (read(c->notify, buf, sizeof(buf)) > 0)
		;
}

static void
everything_may_move(struct vstate_console *c)
{
	struct vstate_console_host *h;
	uint16_t i;

	for (i = 0; i < c->nb_ports; i++) {
		h = &c->ports[i].host;
		h->can_read = h->can_write = h->is_open;
		h->can_accept = true;
	}
}

static void
event_note(struct vstate_console *c, const struct epoll_event *event)
{
	const uint32_t kind = event->data.u32 & VSTATE_CONSOLE_EVENT_KINDS;
	const uint16_t port = event->data.u32 & UINT16_MAX;
	struct vstate_console_host *h = port < c->nb_ports ? &c->ports[port].host : NULL;

	if (kind == VSTATE_CONSOLE_EVENT_WAKE)
		everything_may_move(c);
	else if (kind == VSTATE_CONSOLE_EVENT_NOTIFY)
		notify_read(c);
	else if (kind == VSTATE_CONSOLE_EVENT_LISTENER && h != NULL)
		h->can_accept = true;
	else if (kind == VSTATE_CONSOLE_EVENT_DATA && h != NULL) {
		h->can_read |= (event->events & ~EPOLLOUT) != 0 && h->is_open;
		h->can_write |= (event->events & EPOLLOUT) != 0 && h->is_open;
	}
}

/* Each event is edge-triggered, so this ends. */
static void
events_take(struct vstate_console *c)
{
	struct epoll_event events[EVENTS_MAX];
	unsigned int round;
	int i, n;

	for (round = 0; round < VSTATE_CONSOLE_MAX_PORTS; round++) {
		n = epoll_wait(c->epfd, events, EVENTS_MAX, 0);
		for (i = 0; i < n; i++)
			event_note(c, &events[i]);
		if (n < EVENTS_MAX)
			return;
	}
}

/* @return whether the driver has made a buffer available since the queue was empty */
static bool
kicks_request(struct vstate_vq *vq)
{
	bool more;

	if (!vstate_lease_take(&vq->lease))
		return false;
	more = vstate_ring_kicks_request(vq);
	vstate_lease_give(&vq->lease);
	return more;
}

static bool
queue_is_done(struct vstate_vq *vq, enum vstate_console_turn turn)
{
	/* before it sleeps; also if the host's side is to move next, as its event may be first */
	const bool more = turn != VSTATE_CONSOLE_TURN_STOPPED && kicks_request(vq);

	return turn != VSTATE_CONSOLE_TURN_AGAIN && !(turn == VSTATE_CONSOLE_TURN_RING && more &&
			vq->fault == VSTATE_FAULT_NONE);
}

/* Send PORT_OPEN to the driver when a peer opens or closes the host's side. */
static void
port_open_note(struct vstate_console_port *p)
{
	if (p->host.is_open == p->reported_open)
		return;
	p->reported_open = p->host.is_open;
	/* before the driver is ready, what a killed process kept must stay until it is recovered */
	if (!p->ready)
		return;
	p->due |= RTE_VHOST_STATE_CONSOLE_DUE_OPEN;
	vstate_console_port_keep(p);
}

static bool
port_turn(struct vstate_console_port *p)
{
	enum vstate_console_turn turn;
	bool done;

	vstate_console_host_look(&p->host);
	done = queue_is_done(&p->to_host->vq, vstate_console_port_to_host(p));
	turn = vstate_console_port_to_guest(p);
	done &= queue_is_done(&p->to_guest->vq, turn);
	/* nothing else reads: without this, a peer that left would keep its place */
	if (!p->guest_open || turn == VSTATE_CONSOLE_TURN_STOPPED)
		vstate_console_host_has_input(&p->host);
	port_open_note(p);
	/* a peer that left makes room for the next one */
	return done && !(p->host.can_accept && p->host.fd < 0 && p->host.listener.fd >= 0);
}

/*
 * Commands first: bytes may wait for a port that the driver opens, and no event follows. Messages
 * last: a turn of a port may make one due.
 */
static bool
ports_turn(struct vstate_console *c)
{
	const bool has_ctrl = c->dev->nb_vqs > VSTATE_CONSOLE_CTRL_TO_HOST;
	bool again = has_ctrl && vstate_console_ctrl_commands(c);
	uint16_t i;

	for (i = 0; i < c->nb_ports; i++) {
		if (!port_turn(&c->ports[i]))
			again = true;
		vstate_console_port_rest_send(&c->ports[i]);
	}
	return (has_ctrl && vstate_console_ctrl_messages(c)) || again;
}

bool
vstate_console_work(struct vstate_console *c)
{
	bool again = false;

	pthread_mutex_lock(&c->lock);
	events_take(c);
	if (!vstate_run_is_blocked(c->dev, VSTATE_BLOCK_NOT_OWNER) && c->host_made)
		again = ports_turn(c);
	pthread_mutex_unlock(&c->lock);
	return again;
}

/* ---- a stop ---- */

/* @return whether the transfers have ended; else @p late is a queue whose have not */
static bool
transfers_end(struct vstate_console *c, const struct vstate_vq *vq, enum vstate_console_end end,
		uint16_t *late)
{
	struct vstate_console_port *p;
	bool ended = true;
	uint16_t i;

	/* a command or message ends in its turn, unless a process was killed in the middle */
	for (i = VSTATE_CONSOLE_CTRL_TO_GUEST; i < 4 && i < c->dev->nb_vqs; i++)
		if (end != VSTATE_CONSOLE_END_WAIT && (vq == NULL || vq == c->dev->vqs[i]))
			vstate_console_ctrl_finish(c, c->dev->vqs[i]);
	for (i = 0; i < c->nb_ports; i++) {
		p = &c->ports[i];
		if ((vq == NULL || vq == &p->to_guest->vq) &&
				!vstate_console_port_end(p, p->to_guest, end))
			ended = false;
		if ((vq != NULL && vq != &p->to_host->vq) ||
				vstate_console_port_end(p, p->to_host, end))
			continue;
		*late = p->to_host->vq.qid;
		ended = false;
	}
	return ended;
}

static int
queues_requeue(struct vstate_dev *dev, struct vstate_vq *vq)
{
	uint16_t i;
	int ret;

	for (i = 0; i < dev->nb_vqs; i++) {
		if (vq != NULL && vq != dev->vqs[i])
			continue;
		ret = vstate_request_requeue(dev->vqs[i]);
		if (ret != 0)
			return ret;
	}
	return 0;
}

/*
 * If the host's side takes no bytes, the front end would wait without a bound. Bytes that cannot be
 * kept are dropped after the bound.
 */
int
vstate_console_quiesce(struct vstate_dev *dev, struct vstate_vq *vq, bool finish,
		uint64_t timeout_ns, uint16_t *late_qid)
{
	static const struct timespec pause = { .tv_nsec = END_SLEEP_NS };
	const uint64_t until = vstate_clock_ns() + timeout_ns;
	enum vstate_console_end end = finish ? VSTATE_CONSOLE_END_FINISH : VSTATE_CONSOLE_END_WAIT;
	struct vstate_console *c = vstate_console_of(dev);
	uint16_t qid = 0;
	bool ended;

	do {
		pthread_mutex_lock(&c->lock);
		ended = transfers_end(c, vq, end, &qid);
		pthread_mutex_unlock(&c->lock);
		if (!ended && vstate_clock_ns() >= until) {
			end = VSTATE_CONSOLE_END_DROP;
			VSTATE_LOG(ERR, "%s: queue %u: the host's side has not taken the bytes of a "
					"buffer that must return to the driver for %" PRIu64 " ms: what "
					"cannot be kept is dropped", dev->name, qid,
					timeout_ns / 1000000);
		} else if (!ended) {
			nanosleep(&pause, NULL);
		}
	} while (!ended);
	if (queues_requeue(dev, vq) == 0)
		return 0;
	*late_qid = vq != NULL ? vq->qid : 0;
	VSTATE_LOG(ERR, "%s: no memory for the list of buffers in flight", dev->name);
	return -ETIMEDOUT;
}

/* ---- state ---- */

static void
transfer_capture(const struct vstate_console_vq *q, struct rte_vhost_state_console_transfer *t)
{
	const struct vstate_inflight *list = q->vq.inflight;

	if (!q->stopped.valid || q->stopped.done == 0 || list == NULL ||
			list->bufs[list->taken].id != q->stopped.id)
		return;
	t->id = q->stopped.id;
	t->offset = q->stopped.done;
}

static void
port_capture(const struct vstate_console_port *p, struct rte_vhost_state_console_port *sp)
{
	uint8_t *first = NULL;

	sp->guest_open = p->guest_open;
	sp->host_open = p->reported_open;
	sp->ready = p->ready;
	sp->due = p->due;
	sp->cols = p->host.cols;
	sp->rows = p->host.rows;
	memcpy(sp->name, p->host.conf->name, sizeof(sp->name));
	transfer_capture(p->to_guest, &sp->to_guest);
	transfer_capture(p->to_host, &sp->to_host);
	sp->nb_pending = vstate_console_ahead_left(vstate_console_port_kept(p), &first);
	if (sp->nb_pending > 0)
		memcpy(sp->pending, first, sp->nb_pending);
}

void
vstate_console_capture(const struct vstate_dev *dev, struct rte_vhost_state *st)
{
	struct vstate_console *c = vstate_console_of_const(dev);
	const struct vstate_console_counters *counters;
	uint16_t i;

	pthread_mutex_lock(&c->lock);
	st->console.nb_ports = c->nb_ports;
	st->console.driver_ready = c->driver_ready;
	for (i = 0; i < c->nb_ports; i++) {
		if (vstate_run_is_blocked(dev, VSTATE_BLOCK_SUSPENDED)) {
			vstate_console_port_read_ahead(&c->ports[i]);
			c->captured = true;
		}
		port_capture(&c->ports[i], &st->console.ports[i]);
	}
	pthread_mutex_unlock(&c->lock);
	for (i = 0; i < dev->nb_vqs; i++) {
		if (dev->vqs[i]->size == 0)
			continue;
		counters = &vstate_console_vq_of(dev->vqs[i])->counters;
		st->vqs[i].stats.packets = counters->buffers;
		st->vqs[i].stats.bytes = counters->bytes;
	}
}

static void
transfer_restore(struct vstate_console_vq *q, const struct rte_vhost_state_console_transfer *t)
{
	q->from_kept = false;
	q->stopped = (struct vstate_console_transfer){
		.valid = t->offset > 0,
		.id = t->id,
		.any_pos = true,
		.done = t->offset,
	};
}

static void
port_restore(struct vstate_console_port *p, const struct rte_vhost_state_console_port *sp)
{
	p->guest_open = sp->guest_open;
	p->ready = sp->ready;
	p->due = sp->due;
	/* the next turn finds whether its own side differs */
	p->reported_open = sp->host_open;
	vstate_console_port_keep(p);
	if (!p->host.own_size) {
		p->host.cols = sp->cols;
		p->host.rows = sp->rows;
	}
}

/* Rings may be set up one after the other: the ports are restored with the first of them. */
int
vstate_console_restore(struct vstate_dev *dev, struct rte_vhost_state *st)
{
	struct vstate_console *c = vstate_console_of(dev);
	const struct rte_vhost_state_console_port *sp;
	struct vstate_console_port *p;
	uint16_t i;

	if (st->console.driver_ready == STATE_APPLIED)
		return 0;
	pthread_mutex_lock(&c->lock);
	c->driver_ready = st->console.driver_ready;
	vstate_console_keep(c);
	for (i = 0; i < RTE_MIN(c->nb_ports, st->console.nb_ports); i++) {
		p = &c->ports[i];
		sp = &st->console.ports[i];
		port_restore(p, sp);
		transfer_restore(p->to_guest, &sp->to_guest);
		transfer_restore(p->to_host, &sp->to_host);
		vstate_console_port_ahead_set(p, sp->pending, sp->nb_pending);
	}
	pthread_mutex_unlock(&c->lock);
	st->console.driver_ready = STATE_APPLIED;
	return 0;
}

/* The memory that outlives the process is newer than the state. Nothing in it is trusted. */
static void
port_recover(struct vstate_console_port *p, const struct rte_vhost_state_console_port *sp)
{
	const struct vstate_console_kept_port kept = *vstate_console_port_kept(p);

	port_restore(p, sp);
	p->guest_open = kept.guest_open == 1;
	p->ready = kept.ready == 1;
	p->due = kept.due & RTE_VHOST_STATE_CONSOLE_DUE_ALL;
	p->reported_open = kept.reported_open == 1;
	vstate_console_port_keep(p);
	p->to_guest->from_kept = p->to_host->from_kept = true;
}

int
vstate_console_recover(struct vstate_dev *dev, const struct rte_vhost_state *st)
{
	struct vstate_console *c = vstate_console_of(dev);
	const struct vstate_console_kept *kept = dev->kept;
	uint16_t i;

	if (c->recovered)
		return 0;
	if (st->console.nb_ports != c->nb_ports)
		return -EXDEV;
	pthread_mutex_lock(&c->lock);
	c->recovered = true;
	c->driver_ready = kept->driver_ready == 1;
	for (i = 0; i < c->nb_ports; i++)
		port_recover(&c->ports[i], &st->console.ports[i]);
	pthread_mutex_unlock(&c->lock);
	return 0;
}

void
vstate_console_limits(const struct vstate_dev *dev, struct rte_vhost_state_limits *lim)
{
	lim->console_ports = vstate_console_of_const(dev)->nb_ports;
}

void
vstate_console_telemetry(const struct vstate_dev *dev, struct rte_tel_data *d)
{
	struct vstate_console *c = vstate_console_of_const(dev);
	const struct vstate_console_port *p;
	char name[RTE_TEL_MAX_STRING_LEN];
	uint8_t *first;
	uint16_t i;

	vstate_tel_dict_uint(d, "ports", c->nb_ports);
	vstate_tel_dict_uint(d, "driver_ready", c->driver_ready);
	pthread_mutex_lock(&c->lock);
	for (i = 0; i < c->nb_ports; i++) {
		p = &c->ports[i];
		snprintf(name, sizeof(name), "port%u_path", i);
		rte_tel_data_add_dict_string(d, name, p->host.pts[0] != '\0' ? p->host.pts :
				p->host.conf->path);
		snprintf(name, sizeof(name), "port%u_host_open", i);
		vstate_tel_dict_uint(d, name, p->host.is_open);
		snprintf(name, sizeof(name), "port%u_guest_open", i);
		vstate_tel_dict_uint(d, name, p->guest_open);
		snprintf(name, sizeof(name), "port%u_opens", i);
		vstate_tel_dict_uint(d, name, p->host.opens);
		snprintf(name, sizeof(name), "port%u_waiting_bytes", i);
		/* the memory of a device that was left is unmapped */
		vstate_tel_dict_uint(d, name, c->host_left ? 0 : vstate_console_ahead_left(
					vstate_console_port_kept(p), &first));
		snprintf(name, sizeof(name), "port%u_rest_bytes", i);
		vstate_tel_dict_uint(d, name, p->rest_nb - p->rest_done);
		snprintf(name, sizeof(name), "port%u_rest_dropped", i);
		vstate_tel_dict_uint(d, name, p->rest_dropped);
	}
	pthread_mutex_unlock(&c->lock);
}
