/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_telemetry.h>

#include <vstate_compat.h>

#include "dev/vstate_class.h"
#include "dev/vstate_clock.h"
#include "dev/vstate_control.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_start.h"
#include "handover/vstate_handover_msg.h"
#include "handover/vstate_takeover.h"
#include "ring/vstate_inflight.h"
#include "ring/vstate_vq.h"
#include "vstate_back.h"
#include "vstate_connection.h"
#include "vstate_device_state.h"
#include "vstate_door.h"
#include "vstate_front.h"
#include "vstate_listener.h"
#include "vstate_log.h"
#include "vstate_mem_populate.h"
#include "vstate_mem_watch.h"

/*
 * Time between two attempts to connect: first the short one, then twice as long each time. A front
 * end that starts at the same time is found at once, and one that hangs up again and again costs
 * little.
 */
#define RECONNECT_MIN_MS 10u
#define RECONNECT_MAX_MS 1000u
/* Bound for entering guest memory. No message of the front end is read in this time. */
#define POPULATE_MS 100u

struct vstate_door {
	struct vstate_dev *dev;

	/** Guards start and end of the thread, and shut. */
	pthread_mutex_t open_lock;
	struct vstate_thread thread;
	bool running;
	/** Closed for ever. Any thread reads it. */
	bool shut;

	/** Guards the three below. They say which thread uses the rest of the structure. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool busy, frozen, stop;

	/** The thread must look at stop, or end its wait for rte_vhost. */
	int wake;
	struct rte_vhost_state_listener listener;
	struct vstate_front front;
	/** A second front end that has connected; -1: none. */
	int next;
	/** When a client connects again, in milliseconds of vstate_clock_ms(). */
	uint64_t reconnect_at;
	/** Milliseconds after the next attempt. */
	unsigned int reconnect_ms;
	/** The last attempt to connect failed, and was logged. */
	bool reconnect_failed;
	/** adopt() began the connection, and run() serves it. */
	bool adopted;
	/** Connections begun. Any thread reads it. */
	uint64_t connections;
};

/* ---- the front end ---- */

static void
front_begin(struct vstate_door *door, int fd)
{
	rte_atomic_fetch_add_explicit(&door->connections, 1, rte_memory_order_relaxed);
	vstate_front_begin(&door->front, fd);
}

static void
front_end(struct vstate_door *door)
{
	const int next = door->next;

	vstate_front_end(&door->front, true);
	door->next = -1;
	if (next >= 0)
		front_begin(door, next);
}

static void
front_accept(struct vstate_door *door)
{
	int fd = rte_vhost_state_listener_accept(&door->listener);

	if (fd == -EAGAIN)
		return;
	if (fd < 0) {
		VSTATE_LOG(ERR, "%s: cannot accept a front end: %s", door->dev->name,
				strerror(-fd));
		/* without descriptors, poll() would report the same connection at once again */
		usleep(1000);
		return;
	}
	if (door->front.fd < 0)
		front_begin(door, fd);
	else
		door->next = fd;
}

/* The second front end hung up, or has sent its first message: then it replaces the first. */
static void
next_look(struct vstate_door *door)
{
	char byte;
	ssize_t n = recv(door->next, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		VSTATE_LOG(NOTICE, "%s: a new front end replaces the old one, which has not "
				"disconnected", door->dev->name);
		front_end(door);
		return;
	}
	close(door->next);
	door->next = -1;
}

static void
reconnect_plan(struct vstate_door *door)
{
	const uint64_t now = vstate_clock_ms();

	/* the first attempt, or the first one after a connection that lasted */
	if (!door->reconnect_failed && now >= door->reconnect_at + RECONNECT_MAX_MS)
		door->reconnect_ms = RECONNECT_MIN_MS;
	door->reconnect_at = now + door->reconnect_ms;
	door->reconnect_ms = RTE_MIN(2 * door->reconnect_ms, RECONNECT_MAX_MS);
}

static void
front_connect(struct vstate_door *door)
{
	int fd = rte_vhost_state_listener_connect(door->dev->conf.iface);

	reconnect_plan(door);
	if (fd >= 0) {
		door->reconnect_failed = false;
		front_begin(door, fd);
		return;
	}
	if (!door->reconnect_failed)
		VSTATE_LOG(NOTICE, "%s: cannot connect to %s: %s; retried at least every %u ms",
				door->dev->name, door->dev->conf.iface, strerror(-fd),
				RECONNECT_MAX_MS);
	door->reconnect_failed = true;
}

static bool
must_connect(const struct vstate_door *door)
{
	return door->dev->conf.client && door->front.fd < 0;
}

/* ---- the thread ---- */

enum { POLL_WAKE, POLL_LISTENER, POLL_FRONT, POLL_NEXT, POLL_CLASS, POLL_MAX };

static int
timeout_get(const struct vstate_door *door)
{
	uint64_t now;

	if (door->front.fd >= 0)
		return vstate_front_timeout(&door->front);
	if (!must_connect(door))
		return -1;
	now = vstate_clock_ms();
	return now < door->reconnect_at ? door->reconnect_at - now : 0;
}

static int
class_event_fd(const struct vstate_dev *dev)
{
	return dev->class->event_fd != NULL ? dev->class->event_fd(dev) : -1;
}

/* @return milliseconds to wait for an event; -1: without bound */
static int
events_prepare(const struct vstate_door *door, struct pollfd p[POLL_MAX])
{
	const short events = door->front.fd >= 0 ? vstate_front_events(&door->front) : 0;

	p[POLL_WAKE] = (struct pollfd){ .fd = door->wake, .events = POLLIN };
	p[POLL_LISTENER] = (struct pollfd){ .fd = door->next < 0 ? door->listener.fd : -1,
		.events = POLLIN };
	/* poll() would report a hang-up again and again while nothing can be done about it */
	p[POLL_FRONT] = (struct pollfd){ .fd = events != 0 ? door->front.fd : -1,
		.events = events };
	p[POLL_NEXT] = (struct pollfd){ .fd = door->next, .events = POLLIN };
	p[POLL_CLASS] = (struct pollfd){ .fd = class_event_fd(door->dev), .events = POLLIN };
	return timeout_get(door);
}

static void
front_serve(struct vstate_door *door)
{
	int ret = vstate_front_serve(&door->front);

	if (ret == 0)
		return;
	if (ret != -EPIPE && ret != -ECONNRESET && ret != -ECANCELED && ret != -EREMOTEIO)
		VSTATE_LOG(ERR, "%s: connection closed: %s", door->dev->name, strerror(-ret));
	front_end(door);
}

static void
events_serve(struct vstate_door *door, const struct pollfd p[POLL_MAX])
{
	if (p[POLL_CLASS].revents != 0)
		vstate_control_event(door->dev);
	if (door->front.fd >= 0 && (p[POLL_FRONT].revents != 0 || door->front.waiting))
		front_serve(door);
	if (door->next >= 0 && p[POLL_NEXT].revents != 0)
		next_look(door);
	if (p[POLL_LISTENER].revents != 0)
		front_accept(door);
	if (must_connect(door) && vstate_clock_ms() >= door->reconnect_at)
		front_connect(door);
}

/* Begin to use the door's connections. False: the thread must end. */
static bool
busy_begin(struct vstate_door *door)
{
	bool stop;

	pthread_mutex_lock(&door->lock);
	while (door->frozen)
		pthread_cond_wait(&door->changed, &door->lock);
	door->busy = true;
	stop = door->stop;
	pthread_mutex_unlock(&door->lock);
	return !stop;
}

static void
busy_end(struct vstate_door *door)
{
	pthread_mutex_lock(&door->lock);
	door->busy = false;
	pthread_cond_broadcast(&door->changed);
	pthread_mutex_unlock(&door->lock);
}

static void *
door_main(void *arg)
{
	struct vstate_door *door = arg;
	struct pollfd p[POLL_MAX] = { 0 };
	int ms;

	while (busy_begin(door)) {
		events_serve(door, p);
		/* before another thread may freeze the door, and change what it has */
		ms = events_prepare(door, p);
		busy_end(door);
		poll(p, POLL_MAX, ms);
	}
	/* This side ends the connection, and leaves the positions to another process. */
	rte_atomic_store_explicit(&door->dev->connection->leave, true, rte_memory_order_relaxed);
	if (door->next >= 0)
		close(door->next);
	door->next = -1;
	front_end(door);
	busy_end(door);
	return NULL;
}

/* ---- open and close ---- */

static int
thread_start(struct vstate_door *door)
{
	int ret = vstate_thread_create(&door->thread, "vstate-door", door_main, door);

	door->running = ret == 0;
	if (ret != 0)
		VSTATE_LOG(ERR, "%s: cannot start the thread of its socket: %s", door->dev->name,
				strerror(-ret));
	return ret;
}

/* @return 0 or -errno; open_lock held */
static int
listener_open(struct vstate_door *door)
{
	if (door->dev->conf.client || door->listener.fd >= 0)
		return 0;
	return vstate_listener_open(&door->listener, door->dev->name, &door->dev->conf);
}

static int
door_open(struct vstate_dev *dev)
{
	struct vstate_door *door = dev->connection->door;
	int ret = -ESHUTDOWN;

	pthread_mutex_lock(&door->open_lock);
	if (!door->shut && !door->running) {
		ret = listener_open(door);
		if (ret == 0)
			ret = thread_start(door);
		if (ret != 0)
			rte_vhost_state_listener_close(&door->listener, dev->conf.iface);
	}
	pthread_mutex_unlock(&door->open_lock);
	return ret;
}

static void
stop_tell(struct vstate_door *door)
{
	pthread_mutex_lock(&door->lock);
	door->stop = true;
	pthread_cond_broadcast(&door->changed);
	pthread_mutex_unlock(&door->lock);
	eventfd_write(door->wake, 1);
}

void
vstate_door_close(struct vstate_dev *dev)
{
	struct vstate_door *door = dev->connection->door;

	if (door == NULL)
		return;
	pthread_mutex_lock(&door->open_lock);
	rte_atomic_store_explicit(&door->shut, true, rte_memory_order_relaxed);
	stop_tell(door);
	/* the door stays frozen while a process that asked for the device does not answer */
	vstate_takeover_interrupt(dev);
	if (door->running)
		vstate_thread_join(&door->thread);
	door->running = false;
	rte_vhost_state_listener_close(&door->listener, dev->conf.iface);
	pthread_mutex_unlock(&door->open_lock);
}

static bool
door_is_shut(const struct vstate_dev *dev)
{
	return rte_atomic_load_explicit(&dev->connection->door->shut, rte_memory_order_relaxed);
}

/* ---- the owner hands over ---- */

static int
door_freeze(struct vstate_dev *dev, unsigned int ms)
{
	const struct timespec deadline = vstate_deadline_in(ms * UINT64_C(1000000));
	struct vstate_door *door = dev->connection->door;
	int ret = 0;

	pthread_mutex_lock(&door->lock);
	door->frozen = true;
	while (door->busy && ret == 0) {
		if (pthread_cond_timedwait(&door->changed, &door->lock, &deadline) == ETIMEDOUT &&
				door->busy)
			ret = -ETIMEDOUT;
	}
	if (ret != 0) {
		door->frozen = false;
		pthread_cond_broadcast(&door->changed);
	}
	pthread_mutex_unlock(&door->lock);
	return ret;
}

static void
door_thaw(struct vstate_dev *dev)
{
	struct vstate_door *door = dev->connection->door;

	pthread_mutex_lock(&door->lock);
	door->frozen = false;
	pthread_cond_broadcast(&door->changed);
	pthread_mutex_unlock(&door->lock);
}

static int
door_offer(struct vstate_dev *dev, bool connection, struct vstate_handover_msg *msg)
{
	struct vstate_door *door = dev->connection->door;
	int ret = 0;

	if (door->listener.fd >= 0)
		ret = vstate_handover_msg_add(msg, VSTATE_HANDOVER_LISTENER, NULL, 0,
				&door->listener.fd, 1);
	return ret == 0 && connection ? vstate_front_offer(&door->front, msg) : ret;
}

/* The file has the positions, as after a crash of the other process that owned the device. */
static void
door_resume(struct vstate_dev *dev)
{
	struct vstate_connection *c = dev->connection;
	uint32_t base;
	uint16_t i;

	for (i = 0; i < dev->nb_vqs; i++) {
		if (!c->ring_ready[i] || c->base_fresh[i])
			continue;
		base = vstate_connection_base_get(dev, i);
		vstate_inflight_drop(dev->vqs[i]);
		vstate_connection_base_set(dev, i, base);
	}
	if (vstate_connection_own(dev) != 0)
		vstate_start_own(dev, NULL);
}

static void
door_leave(struct vstate_dev *dev, bool kept)
{
	struct vstate_door *door = dev->connection->door;

	rte_atomic_store_explicit(&door->shut, true, rte_memory_order_relaxed);
	vstate_front_end(&door->front, !kept);
	rte_vhost_state_listener_leave(&door->listener);
	stop_tell(door);
	door_thaw(dev);
}

/* ---- the new process takes over ---- */

static int
items_replay(struct vstate_door *door, const struct vstate_handover_msg *msg)
{
	struct vstate_handover_cursor cursor = { 0 };
	struct vstate_handover_item item;
	int ret;

	while ((ret = vstate_handover_msg_next(msg, &cursor, &item)) > 0) {
		if (item.type == VSTATE_HANDOVER_CONNECTION ||
				item.type == VSTATE_HANDOVER_LISTENER)
			continue;
		ret = vstate_front_replay(&door->front, &item);
		if (ret != 0)
			return ret;
	}
	/* the messages did not start the device: memory was refused, for example */
	return ret == 0 && !vstate_run_is_started(door->dev) ? -ENOTCONN : ret;
}

/* Take the descriptor of the one item of a type. @return it; -1: there is none */
static int
item_fd_take(const struct vstate_handover_msg *msg, uint32_t type)
{
	struct vstate_handover_cursor cursor = { 0 };
	struct vstate_handover_item item;

	while (vstate_handover_msg_next(msg, &cursor, &item) > 0) {
		if (item.type == type)
			return vstate_handover_item_take(&item);
	}
	return -1;
}

static void
connection_adopt(struct vstate_door *door, const struct vstate_handover_msg *msg, bool *kept)
{
	const int fd = item_fd_take(msg, VSTATE_HANDOVER_CONNECTION);
	int ret;

	if (fd < 0)
		return;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	rte_atomic_fetch_add_explicit(&door->connections, 1, rte_memory_order_relaxed);
	ret = vstate_front_begin(&door->front, fd);
	if (ret != 0)
		return;
	ret = items_replay(door, msg);
	*kept = ret == 0;
	if (ret == 0) {
		vstate_mem_populate(&door->dev->guest.mem, POPULATE_MS);
		return;
	}
	VSTATE_LOG(WARNING, "%s: cannot continue the connection of its front end, which has to "
			"connect again: %s", door->dev->name, strerror(-ret));
	vstate_front_end(&door->front, false);
}

static int
door_adopt(struct vstate_dev *dev, const struct vstate_handover_msg *msg, bool *kept)
{
	struct vstate_door *door = dev->connection->door;
	int fd, ret = -ESHUTDOWN;

	*kept = false;
	pthread_mutex_lock(&door->open_lock);
	if (!door->shut && !door->running) {
		ret = 0;
		fd = item_fd_take(msg, VSTATE_HANDOVER_LISTENER);
		if (fd >= 0)
			rte_vhost_state_listener_adopt(&door->listener, fd, dev->conf.iface);
		connection_adopt(door, msg, kept);
		door->adopted = *kept;
	}
	pthread_mutex_unlock(&door->open_lock);
	return ret;
}

static void
door_abandon(struct vstate_dev *dev)
{
	struct vstate_door *door = dev->connection->door;

	pthread_mutex_lock(&door->open_lock);
	if (!door->running) {
		vstate_front_end(&door->front, false);
		rte_vhost_state_listener_leave(&door->listener);
		door->adopted = false;
	}
	pthread_mutex_unlock(&door->open_lock);
}

static int
door_run(struct vstate_dev *dev)
{
	struct vstate_door *door = dev->connection->door;
	int ret = -ESHUTDOWN;

	pthread_mutex_lock(&door->open_lock);
	if (!door->shut && !door->running) {
		ret = listener_open(door);
		if (ret == 0 && door->adopted)
			ret = vstate_connection_own(dev);
		else if (ret == 0)
			vstate_start_own(dev, NULL);
		if (ret == 0)
			ret = thread_start(door);
	}
	pthread_mutex_unlock(&door->open_lock);
	return ret;
}

/* ---- create ---- */

static int
dev_match_iface(struct vstate_dev *dev, void *arg)
{
	const struct vstate_dev *self = arg;

	return dev != self && dev->connection->door != NULL && !door_is_shut(dev) &&
		strcmp(dev->conf.iface, self->conf.iface) == 0;
}

int
vstate_door_create(struct vstate_dev *dev)
{
	struct vstate_door *door;
	int ret;

	if (vstate_dev_foreach(dev_match_iface, dev)) {
		VSTATE_LOG(ERR, "%s: iface=%s is that of another device", dev->name,
				dev->conf.iface);
		return -EADDRINUSE;
	}
	ret = vstate_back_offer(dev);
	if (ret != 0) {
		VSTATE_LOG(ERR, "%s: rte_vhost does not offer its features: %s", dev->name,
				strerror(-ret));
		return ret;
	}
	door = calloc(1, sizeof(*door));
	if (door == NULL)
		return -ENOMEM;
	door->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (door->wake < 0) {
		ret = -errno;
		free(door);
		return ret;
	}
	door->dev = dev;
	door->next = -1;
	door->reconnect_ms = RECONNECT_MIN_MS;
	door->listener = RTE_VHOST_STATE_LISTENER_NONE;
	pthread_mutex_init(&door->open_lock, NULL);
	pthread_mutex_init(&door->lock, NULL);
	vstate_cond_init(&door->changed);
	vstate_front_init(&door->front, dev, door->wake);
	dev->connection->door = door;
	return 0;
}

void
vstate_door_destroy(struct vstate_dev *dev)
{
	struct vstate_door *door = dev->connection != NULL ? dev->connection->door : NULL;

	if (door == NULL)
		return;
	dev->connection->door = NULL;
	close(door->wake);
	pthread_cond_destroy(&door->changed);
	pthread_mutex_destroy(&door->lock);
	pthread_mutex_destroy(&door->open_lock);
	free(door);
}

/* ---- the table ---- */

static void
door_telemetry(const struct vstate_dev *dev, struct rte_tel_data *d)
{
	const struct vstate_door *door = dev->connection->door;

	rte_tel_data_add_dict_string(d, "socket", dev->conf.iface);
	rte_tel_data_add_dict_string(d, "socket_mode", dev->conf.client ? "client" : "server");
	vstate_tel_dict_uint(d, "connections",
			rte_atomic_load_explicit(&door->connections, rte_memory_order_relaxed));
	vstate_connection_telemetry(dev, d);
}

static bool
door_watch(struct vstate_dev *dev)
{
	vstate_mem_watch_report(dev);
	vstate_backend_req_watch(dev);
	return vstate_device_state_watch(dev);
}

const struct vstate_front_end_ops vstate_door_ops = {
	.watch = door_watch,
	.config_changed = vstate_backend_req_config_changed,
	.telemetry = door_telemetry,
	.open = door_open,
	.close = vstate_door_close,
	.is_shut = door_is_shut,
	.freeze = door_freeze,
	.thaw = door_thaw,
	.offer = door_offer,
	.resume = door_resume,
	.leave = door_leave,
	.adopt = door_adopt,
	.abandon = door_abandon,
	.run = door_run,
};
