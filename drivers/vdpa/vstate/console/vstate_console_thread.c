/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_common.h>

#include <vstate_compat.h>

#include "dev/vstate_poller.h"
#include "vstate_console.h"
#include "vstate_console_thread.h"
#include "vstate_log.h"

#define EVENTS_MAX 16

static struct {
	/* Guards start and end of the thread. */
	pthread_mutex_t users_lock;
	/* Guards the list. The thread holds it during a turn, never while it sleeps. */
	pthread_mutex_t lock;
	TAILQ_HEAD(, vstate_console) consoles;
	unsigned int nb;
	struct vstate_thread thread;
	int epfd, wake;
	bool stop;
} serving = {
	.users_lock = PTHREAD_MUTEX_INITIALIZER,
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.consoles = TAILQ_HEAD_INITIALIZER(serving.consoles),
	.epfd = -1,
	.wake = -1,
};

/* A console that was removed may still have an event: only those of the list are served. */
static void
events_note(const struct epoll_event *events, int nb)
{
	struct vstate_console *c;
	int i;

	for (i = 0; i < nb; i++)
		TAILQ_FOREACH(c, &serving.consoles, next)
			if (c == events[i].data.ptr)
				c->again = true;
}

static void *
thread_main(void *arg)
{
	struct epoll_event events[EVENTS_MAX];
	struct vstate_console *c;
	bool again = false;
	int nb;

	RTE_SET_USED(arg);
	while (!rte_atomic_load_explicit(&serving.stop, rte_memory_order_acquire)) {
		nb = epoll_wait(serving.epfd, events, EVENTS_MAX, again ? 0 : -1);
		again = false;
		pthread_mutex_lock(&serving.lock);
		events_note(events, nb);
		TAILQ_FOREACH(c, &serving.consoles, next) {
			if (c->again)
				c->again = vstate_console_work(c);
			again |= c->again;
		}
		pthread_mutex_unlock(&serving.lock);
	}
	return NULL;
}

static void
fds_close(void)
{
	if (serving.epfd >= 0)
		close(serving.epfd);
	if (serving.wake >= 0)
		close(serving.wake);
	serving.epfd = serving.wake = -1;
}

static int
thread_start(void)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };
	int ret;

	serving.stop = false;
	serving.epfd = epoll_create1(EPOLL_CLOEXEC);
	serving.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ret = serving.epfd < 0 || serving.wake < 0 ||
		epoll_ctl(serving.epfd, EPOLL_CTL_ADD, serving.wake, &event) != 0 ? -errno : 0;
	if (ret == 0)
		ret = vstate_thread_create(&serving.thread, "vstate-console", thread_main, NULL);
	if (ret != 0)
		fds_close();
	return ret;
}

static void
thread_stop(void)
{
	rte_atomic_store_explicit(&serving.stop, true, rte_memory_order_release);
	eventfd_write(serving.wake, 1);
	vstate_thread_join(&serving.thread);
	fds_close();
}

static int
console_add(struct vstate_console *c)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
	int ret = 0;

	pthread_mutex_lock(&serving.users_lock);
	if (serving.nb == 0)
		ret = thread_start();
	if (ret == 0) {
		serving.nb++;
		c->served = true;
		pthread_mutex_lock(&serving.lock);
		TAILQ_INSERT_TAIL(&serving.consoles, c, next);
		pthread_mutex_unlock(&serving.lock);
		if (epoll_ctl(serving.epfd, EPOLL_CTL_ADD, c->epfd, &event) != 0)
			ret = -errno;
	}
	pthread_mutex_unlock(&serving.users_lock);
	return ret;
}

static void
console_remove(struct vstate_console *c)
{
	pthread_mutex_lock(&serving.users_lock);
	epoll_ctl(serving.epfd, EPOLL_CTL_DEL, c->epfd, NULL);
	pthread_mutex_lock(&serving.lock);
	TAILQ_REMOVE(&serving.consoles, c, next);
	pthread_mutex_unlock(&serving.lock);
	c->served = false;
	if (--serving.nb == 0)
		thread_stop();
	pthread_mutex_unlock(&serving.users_lock);
}

int
vstate_console_thread_serve(struct vstate_dev *dev)
{
	struct vstate_console *c = vstate_console_of(dev);
	int ret = vstate_console_host_open(dev);

	if (ret != 0)
		return ret;
	ret = console_add(c);
	if (ret != 0) {
		VSTATE_LOG(ERR, "%s: cannot start the thread of the consoles: %s", dev->name,
				strerror(-ret));
		return ret;
	}
	return vstate_poller_set(dev, VSTATE_POLLER_THREAD, NULL, NULL);
}

void
vstate_console_thread_end(struct vstate_dev *dev)
{
	struct vstate_console *c = vstate_console_of(dev);

	if (!c->served)
		return;
	vstate_poller_set(dev, VSTATE_POLLER_NONE, NULL, NULL);
	console_remove(c);
}
