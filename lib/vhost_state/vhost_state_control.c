/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file The control sockets of this process, and who may connect. */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <rte_errno.h>

#include <vstate_compat.h>

#include "rte_vhost_state.h"
#include "rte_vhost_state_control.h"
#include "rte_vhost_state_backend.h"
#include "vhost_state_control_client.h"
#include "vhost_state_control_json.h"
#include "vhost_state_event.h"
#include "vhost_state_listener.h"
#include "vhost_state_log.h"

#define MAX_CLIENTS 16
/* How long the thread accepts no one after the process ran out of descriptors. */
#define ACCEPT_PAUSE_MS 100

struct server {
	TAILQ_ENTRY(server) next;
	char *path;
	/** Number of calls of rte_vhost_state_control_open(). The lock of the list protects it. */
	unsigned int users;
	struct rte_vhost_state_listener listener;
	struct vstate_thread thread;
	bool stop;
	struct vhost_state_control_owner owner;
	/** Protects the clients. Senders of events take it, so it is held for short. */
	pthread_mutex_t lock;
	struct vhost_state_control_client *clients[MAX_CLIENTS];
};

static TAILQ_HEAD(, server) servers = TAILQ_HEAD_INITIALIZER(servers);
/* Protects the list. Nothing waits while it is held, except for opening a socket. */
static pthread_mutex_t servers_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- events ---- */

static json_t *
event_object(const char *name, enum rte_vhost_state_event event, int vq, const char *detail)
{
	struct timespec now = { 0 };
	json_t *object;

	clock_gettime(CLOCK_REALTIME, &now);
	object = json_pack("{s:s, s:o, s:I}", "event", rte_vhost_state_event_name(event),
			"device", vhost_state_control_text(name),
			"time_ns", (json_int_t)now.tv_sec * 1000000000 + now.tv_nsec);
	if (vq >= 0)
		json_object_set_new(object, "queue", json_integer(vq));
	if (detail != NULL)
		json_object_set_new(object, "detail", vhost_state_control_text(detail));
	return object;
}

static void
event_to_clients(struct server *srv, const char *line, size_t len)
{
	unsigned int i;

	pthread_mutex_lock(&srv->lock);
	for (i = 0; i < MAX_CLIENTS; i++)
		if (srv->clients[i] != NULL)
			vhost_state_control_client_event(srv->clients[i], line, len);
	pthread_mutex_unlock(&srv->lock);
}

static void
event_send(const char *name, enum rte_vhost_state_event event, int vq, const char *detail)
{
	size_t len = 0;
	char *line = vhost_state_control_line(event_object(name, event, vq, detail), &len);
	struct server *srv;

	if (line == NULL)
		return;
	pthread_mutex_lock(&servers_lock);
	TAILQ_FOREACH(srv, &servers, next)
		event_to_clients(srv, line, len);
	pthread_mutex_unlock(&servers_lock);
	free(line);
}

/* ---- clients ---- */

static void
client_put(struct server *srv, unsigned int place, struct vhost_state_control_client *c)
{
	pthread_mutex_lock(&srv->lock);
	srv->clients[place] = c;
	pthread_mutex_unlock(&srv->lock);
}

/* Free the clients that have ended, or all. */
static void
clients_reap(struct server *srv, bool all)
{
	struct vhost_state_control_client *c;
	unsigned int i;

	for (i = 0; i < MAX_CLIENTS; i++) {
		c = srv->clients[i];
		if (c == NULL || !(all || vhost_state_control_client_ended(c)))
			continue;
		/* out of the list first: nobody may wait for its thread under the lock */
		client_put(srv, i, NULL);
		vhost_state_control_client_free(c);
	}
}

static void
client_refuse(int fd, const char *reason, const char *text)
{
	size_t len = 0;
	char *line = vhost_state_control_line(vhost_state_control_bad(reason, "%s", text), &len);

	if (line != NULL)
		(void)send(fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	free(line);
	close(fd);
}

static bool
peer_is_same_user(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.uid == geteuid();
}

static void
client_add(struct server *srv, int fd)
{
	struct vhost_state_control_client *c;
	unsigned int i = 0;
	int ret;

	if (!peer_is_same_user(fd)) {
		VHOST_STATE_LOG(NOTICE, "%s: a control client of another user was refused", srv->path);
		client_refuse(fd, "not_permitted", "only a process of the same user may connect");
		return;
	}
	while (i < MAX_CLIENTS && srv->clients[i] != NULL)
		i++;
	if (i == MAX_CLIENTS) {
		client_refuse(fd, "too_many_clients", "all places for clients are taken");
		return;
	}
	c = vhost_state_control_client_create(fd, &srv->owner);
	ret = -rte_errno;
	if (c != NULL) {
		/* in the list first, or an event soon after its subscription would not reach it */
		client_put(srv, i, c);
		ret = vhost_state_control_client_start(c);
		if (ret == 0)
			return;
		client_put(srv, i, NULL);
		vhost_state_control_client_free(c);
	}
	VHOST_STATE_LOG(ERR, "%s: cannot serve a control client: %s", srv->path, strerror(-ret));
}

/* ---- the thread ---- */

static void *
server_main(void *arg)
{
	struct server *srv = arg;
	struct pollfd p[2];
	eventfd_t unused;
	int fd = 0;

	while (!rte_atomic_load_explicit(&srv->stop, rte_memory_order_acquire)) {
		p[0] = (struct pollfd){ .fd = srv->owner.wake, .events = POLLIN };
		/* without a descriptor to accept with, poll() would return at once in a loop */
		p[1] = (struct pollfd){ .fd = fd == -EMFILE || fd == -ENFILE ? -1 :
			srv->listener.fd, .events = POLLIN };
		poll(p, RTE_DIM(p), p[1].fd < 0 ? ACCEPT_PAUSE_MS : -1);
		if (p[0].revents != 0)
			eventfd_read(srv->owner.wake, &unused);
		clients_reap(srv, false);
		fd = rte_vhost_state_listener_accept(&srv->listener);
		if (fd >= 0)
			client_add(srv, fd);
	}
	clients_reap(srv, true);
	return NULL;
}

/* ---- open and close ---- */

static struct server *
server_find(const char *path)
{
	struct server *srv;

	TAILQ_FOREACH(srv, &servers, next)
		if (strcmp(srv->path, path) == 0)
			return srv;
	return NULL;
}

static void
server_free(struct server *srv)
{
	rte_vhost_state_listener_close(&srv->listener, srv->path);
	if (srv->owner.wake >= 0)
		close(srv->owner.wake);
	pthread_mutex_destroy(&srv->lock);
	free(srv->path);
	free(srv);
}

static int
server_start(struct server *srv, const char *path, uint32_t flags)
{
	const struct rte_vhost_state_listener_conf conf = {
		.path = path,
		.mode = 0600,
		.group = -1,
		.backlog = MAX_CLIENTS,
		.replace = (flags & RTE_VHOST_STATE_CONTROL_F_REPLACE) != 0,
	};
	const char *what;
	int ret;

	srv->users = 1;
	srv->listener = RTE_VHOST_STATE_LISTENER_NONE;
	pthread_mutex_init(&srv->lock, NULL);
	srv->owner.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	srv->path = strdup(path);
	if (srv->owner.wake < 0 || srv->path == NULL)
		return srv->path == NULL ? -ENOMEM : -EMFILE;
	ret = rte_vhost_state_listener_open(&srv->listener, &conf, &what);
	if (ret == 0) {
		what = "start a thread for";
		ret = vstate_thread_create(&srv->thread, "vstate-control", server_main, srv);
	}
	if (ret != 0)
		VHOST_STATE_LOG(ERR, "cannot %s the control socket %s: %s", what, path, strerror(-ret));
	return ret;
}

/* Under the lock of the list, so that two callers do not open one path. */
static int
server_open(const char *path, uint32_t flags)
{
	struct server *srv = server_find(path);
	int ret;

	if (srv != NULL) {
		srv->users++;
		return 0;
	}
	srv = calloc(1, sizeof(*srv));
	if (srv == NULL)
		return -ENOMEM;
	ret = server_start(srv, path, flags);
	if (ret != 0) {
		server_free(srv);
		return ret;
	}
	TAILQ_INSERT_TAIL(&servers, srv, next);
	vhost_state_event_sink_set(event_send);
	return 0;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_control_open, 26.11)
int
rte_vhost_state_control_open(const char *path, uint32_t flags)
{
	int ret;

	if (path == NULL || (flags & ~RTE_VHOST_STATE_CONTROL_F_REPLACE) != 0)
		return -EINVAL;
	pthread_mutex_lock(&servers_lock);
	ret = server_open(path, flags);
	pthread_mutex_unlock(&servers_lock);
	return ret;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_control_close, 26.11)
int
rte_vhost_state_control_close(const char *path)
{
	struct server *srv;
	bool last;

	if (path == NULL)
		return -ENOENT;
	pthread_mutex_lock(&servers_lock);
	srv = server_find(path);
	last = srv != NULL && --srv->users == 0;
	if (last)
		TAILQ_REMOVE(&servers, srv, next);
	pthread_mutex_unlock(&servers_lock);
	if (srv == NULL)
		return -ENOENT;
	if (!last)
		return 0;
	rte_atomic_store_explicit(&srv->stop, true, rte_memory_order_release);
	eventfd_write(srv->owner.wake, 1);
	/* Outside the lock: operations of clients send events. */
	vstate_thread_join(&srv->thread);
	server_free(srv);
	return 0;
}
