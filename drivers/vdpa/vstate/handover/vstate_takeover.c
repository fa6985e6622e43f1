/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>

#include <vstate_compat.h>

#include "dev/vstate_control.h"
#include "dev/vstate_dev.h"
#include "vhost/vstate_connection.h"
#include "vstate_log.h"
#include "vstate_state_file.h"
#include "vstate_handover_msg.h"
#include "vstate_takeover.h"

#define ANSWER_RELEASED 1
#define ANSWER_REFUSED 2
/* A request is the token of the process that makes it, or one of these. */
#define REQUEST_END UINT32_MAX
/* The owner lets go, and will not stop half-way. */
#define REQUEST_GRANTED (UINT32_MAX - 1)
/* The owner is to let go for any process that comes later. */
#define REQUEST_RELEASE (UINT32_MAX - 2)

/* The owner's poll threads come to rest in so long, or it goes on. */
#define REST_NS 500000000ull
/* It has answered by then, or it hangs. */
#define ANSWER_MS 2000
/* Between looks whether the owner died. */
#define LOOK_MS 20
/* An application that polls begins to so soon after it has started its port. */
#define POLLED_MS 3000

enum phase {
	PHASE_OWNER,
	PHASE_WAITING,
	PHASE_FAILED,
	PHASE_RELEASED,
};

struct vstate_takeover {
	/** The owner's page, as long as it is another process. */
	struct vstate_state_file *other;
	struct vstate_thread thread;
	bool running;
	bool stop;
	enum phase phase;
	/** Guards head: of the page in use here, NULL when it was let go. */
	pthread_mutex_t lock;
	struct vstate_state_file_head *head;
};

static double
ms_since(uint64_t start)
{
	return (rte_get_timer_cycles() - start) * 1e3 / rte_get_timer_hz();
}

static bool
stopping(const struct vstate_takeover *t)
{
	return __atomic_load_n(&t->stop, __ATOMIC_SEQ_CST);
}

/* Sleep while *word is value, for @p ms at most; 0: as long as it takes. */
static void
word_wait(uint32_t *word, uint32_t value, unsigned int ms)
{
	const struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	syscall(SYS_futex, word, FUTEX_WAIT, value, ms != 0 ? &ts : NULL, NULL, 0);
}

static void
word_set(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
	syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

static bool
word_change(uint32_t *word, uint32_t from, uint32_t to)
{
	/* In one order with vstate_takeover.stop, see vstate_takeover_end(). */
	if (!__atomic_compare_exchange_n(word, &from, to, false, __ATOMIC_SEQ_CST,
			__ATOMIC_SEQ_CST))
		return false;
	syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
	return true;
}

/* ---- the owner ---- */

/* At rest for good, or as before. */
static int
do_rest(struct vstate_dev *dev, void *arg)
{
	uint16_t *late = arg;
	int ret;

	if (!dev->started)
		return 0;
	ret = vstate_quiesce(dev, REST_NS, late);
	dev->leaving = ret == 0;
	return ret;
}

static int
do_stay(struct vstate_dev *dev, void *arg)
{
	RTE_SET_USED(arg);
	dev->leaving = false;
	vstate_grant(dev);
	return 0;
}

/* At rest, and whoever asked still waits for it. */
static int
rest_for(struct vstate_dev *dev, struct vstate_state_file_head *head, uint32_t who)
{
	uint16_t late = 0;
	int ret;

	ret = vstate_control_run_within(do_rest, dev, &late, REST_NS);
	if (ret != 0) {
		VSTATE_LOG(ERR, "%s: not handed over (request %u): queue %u does not come to rest, "
				"or the control thread is busy", dev->name, who, late);
		word_set(&head->answer, ANSWER_REFUSED);
		return ret;
	}
	if (word_change(&head->request, who, REQUEST_GRANTED))
		return 0;
	vstate_control_run(do_stay, dev, NULL);
	VSTATE_LOG(WARNING, "%s: not handed over: request %u was withdrawn", dev->name, who);
	return -ECANCELED;
}

/* Where the process with token @p who waits for the connection. */
static int
pass_path(const struct vstate_dev *dev, uint32_t who, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/%s.%u.pass", dev->conf.state_dir, dev->name, who) <
		PATH_MAX ? 0 : -ENAMETOOLONG;
}

/*
 * Close the socket. False: who gets the device has no use for the connection, or cannot go on
 * where this process stands, and the front end is to come to it. Else it is no more held here.
 */
static bool
connection_pass(struct vstate_dev *dev, struct vstate_hold *hold, uint32_t who)
{
	struct vstate_handover_msg parcel;
	char path[PATH_MAX];
	int ret = -ENOTCONN;

	vstate_socket_pack(dev, hold, &parcel);
	if (parcel.len != 0 && who != REQUEST_RELEASE && pass_path(dev, who, path) == 0)
		ret = vstate_handover_msg_send(path, &parcel);
	/* nobody there: it was told not to keep the connection, or is of a release before */
	if (ret == -EPERM)
		VSTATE_LOG(ERR, "%s: the connection is not passed: another user listens at %s",
				dev->name, path);
	else if (ret != 0 && ret != -ENOTCONN && ret != -ENOENT)
		VSTATE_LOG(NOTICE, "%s: the connection cannot be passed: %s", dev->name,
				strerror(-ret));
	/* it is closed with the parcel, or with what is held */
	if (ret == 0)
		hold->nb = 0;
	else
		parcel.connection = -1;
	vstate_handover_msg_drop(&parcel);
	return ret == 0;
}

static int
release(struct vstate_dev *dev, struct vstate_state_file_head *head, uint32_t who)
{
	struct vstate_takeover *t = dev->takeover;
	struct vstate_hold hold;
	double rest_ms;
	uint64_t start;
	bool passed;

	/* Found while the queues still run. */
	vstate_socket_hold(dev, &hold);
	start = rte_get_timer_cycles();
	if (rest_for(dev, head, who) != 0) {
		while (hold.nb > 0)
			close(hold.fds[--hold.nb]);
		return -ECANCELED;
	}
	rest_ms = ms_since(start);
	passed = connection_pass(dev, &hold, who);
	pthread_mutex_lock(&t->lock);
	t->head = NULL;
	pthread_mutex_unlock(&t->lock);
	vstate_state_file_unlock(dev->state_file);
	word_set(&head->answer, ANSWER_RELEASED);
	/* Only now, as who has seen the end may well end this process. */
	vstate_socket_hang_up(&hold);
	vstate_state_file_close(dev);
	t->phase = PHASE_RELEASED;
	VSTATE_LOG(NOTICE, "%s: handed over in %.1f ms, at rest after %.1f ms, %s",
			dev->name, ms_since(start), rest_ms,
			passed ? "with the connection" : "and the connection closed");
	return 0;
}

static void
be_asked(struct vstate_dev *dev)
{
	struct vstate_takeover *t = dev->takeover;
	struct vstate_state_file_head *head = t->head;
	uint32_t who;

	while (!stopping(t)) {
		word_wait(&head->request, 0, 0);
		who = __atomic_load_n(&head->request, __ATOMIC_ACQUIRE);
		if (who == 0 || who == REQUEST_END)
			continue;
		if (release(dev, head, who) == 0)
			return;
		word_change(&head->request, who, 0);
	}
}

/* ---- the new process ---- */

static bool
is_shut(const struct vstate_dev *dev)
{
	return __atomic_load_n(&dev->socket_shut, __ATOMIC_RELAXED);
}

/* What is handed over before someone polls would only wait here. */
static void
wait_polled(struct vstate_dev *dev)
{
	unsigned int ms = 0;
	uint16_t i;

	while (!stopping(dev->takeover) && !is_shut(dev)) {
		for (i = 0; i < dev->nb_vqs; i++) {
			if (vstate_lease_is_asked(&dev->vqs[i]->lease))
				return;
		}
		if (dev->poller != VSTATE_POLLER_NONE && ++ms > POLLED_MS)
			return;
		usleep(1000);
	}
}

/* 0: the page is free */
static int
ask(struct vstate_dev *dev, struct vstate_state_file *page)
{
	struct vstate_state_file_head *head = vstate_state_file_head(page);
	const uint64_t end = rte_get_timer_cycles() + rte_get_timer_hz() * ANSWER_MS / 1000;
	const uint32_t self = vstate_handover_msg_token();
	uint32_t answer;

	__atomic_store_n(&head->answer, 0, __ATOMIC_RELEASE);
	if (!word_change(&head->request, 0, self))
		return -EALREADY;
	do {
		word_wait(&head->answer, 0, LOOK_MS);
		answer = __atomic_load_n(&head->answer, __ATOMIC_ACQUIRE);
		if (answer == ANSWER_RELEASED || vstate_state_file_is_free(page))
			return 0;
		if (answer == 0 && !stopping(dev->takeover) && rte_get_timer_cycles() < end)
			continue;
		/* Unless it is granted: there is no way back, and nobody has the device. */
		if (word_change(&head->request, self, 0) ||
				__atomic_load_n(&head->request, __ATOMIC_ACQUIRE) !=
				REQUEST_GRANTED)
			return answer == ANSWER_REFUSED ? -EBUSY : -ETIMEDOUT;
	} while (!stopping(dev->takeover));
	return -ECANCELED;
}

/* Be ready for the connection. -1: it is not wanted, or cannot be had. */
static int
pass_listen(const struct vstate_dev *dev, char path[PATH_MAX])
{
	int fd;

	if (!dev->conf.keep_connection)
		return -1;
	fd = pass_path(dev, vstate_handover_msg_token(), path);
	if (fd == 0)
		fd = vstate_handover_msg_listen(path);
	if (fd < 0)
		VSTATE_LOG(WARNING, "%s: its front end will have to connect again: %s: %s", dev->name,
				path, strerror(-fd));
	return fd;
}

/* Open the socket, with the connection that the owner before passed, if it did. */
static int
socket_take(struct vstate_dev *dev, int pass, bool *kept)
{
	struct vstate_handover_msg parcel;
	int ret = pass >= 0 ? vstate_handover_msg_receive(pass, &parcel) : -EAGAIN;

	if (ret == 0) {
		ret = vstate_socket_adopt(dev, &parcel);
		*kept = dev->relay != NULL;
		return ret;
	}
	if (ret != -EAGAIN)
		VSTATE_LOG(NOTICE, "%s: the connection was not passed: %s", dev->name,
				strerror(-ret));
	return vstate_socket_open(dev);
}

static int
take(struct vstate_dev *dev)
{
	struct vstate_takeover *t = dev->takeover;
	char path[PATH_MAX] = "";
	int ret, pass = -1;
	double answer_ms;
	uint64_t start;
	bool kept = false;

	pass = pass_listen(dev, path);
	wait_polled(dev);
	start = rte_get_timer_cycles();
	ret = stopping(t) || is_shut(dev) ? -ECANCELED : ask(dev, t->other);
	answer_ms = ms_since(start);
	vstate_state_file_free(t->other);
	t->other = NULL;
	if (ret == 0)
		ret = vstate_state_file_open(dev);
	if (ret == 0) {
		ret = socket_take(dev, pass, &kept);
		/* The guest can come to whoever gets it next. */
		if (ret != 0)
			vstate_state_file_close(dev);
	}
	if (ret == 0)
		VSTATE_LOG(NOTICE, "%s: taken over in %.1f ms, answered after %.1f ms, %s", dev->name,
				ms_since(start), answer_ms, kept ? "with the connection" :
				"for the front end to connect");
	vstate_handover_msg_unlisten(pass, path);
	vstate_socket_prepare_end(dev);
	return ret;
}

static const char *
why(int ret)
{
	switch (ret) {
	case -ETIMEDOUT: return "the other process does not answer";
	case -EBUSY: return "the other process refuses: a queue does not come to rest, or it is in use";
	case -EALREADY: return "another process asks for it already";
	default: return strerror(-ret);
	}
}

static void *
takeover_main(void *arg)
{
	struct vstate_dev *dev = arg;
	struct vstate_takeover *t = dev->takeover;
	int ret;

	if (t->other != NULL) {
		ret = take(dev);
		if (ret != 0) {
			t->phase = PHASE_FAILED;
			VSTATE_LOG(ERR, "%s: not taken over: %s", dev->name, why(ret));
			return NULL;
		}
		pthread_mutex_lock(&t->lock);
		t->phase = PHASE_OWNER;
		t->head = vstate_state_file_head(dev->state_file);
		pthread_mutex_unlock(&t->lock);
	}
	be_asked(dev);
	return NULL;
}

/* ---- life ---- */

static struct vstate_takeover *
takeover_alloc(void)
{
	struct vstate_takeover *t = calloc(1, sizeof(*t));

	if (t != NULL)
		pthread_mutex_init(&t->lock, NULL);
	return t;
}

int
vstate_takeover_prepare(struct vstate_dev *dev)
{
	struct vstate_takeover *t = takeover_alloc();
	int ret;

	if (t == NULL)
		return -ENOMEM;
	ret = vstate_state_file_look(dev, &t->other);
	if (ret != 0) {
		pthread_mutex_destroy(&t->lock);
		free(t);
		return ret;
	}
	t->phase = PHASE_WAITING;
	dev->takeover = t;
	VSTATE_LOG(NOTICE, "%s: process %u has the device, and will be asked for it", dev->name,
			vstate_state_file_head(t->other)->pid);
	return 0;
}

int
vstate_takeover_open(struct vstate_dev *dev)
{
	int ret;

	ret = dev->takeover == NULL ? vstate_socket_open(dev) : 0;
	if (ret != 0 || (dev->state_file == NULL && dev->takeover == NULL))
		return ret;
	if (dev->takeover == NULL) {
		dev->takeover = takeover_alloc();
		if (dev->takeover == NULL)
			return -ENOMEM;
		dev->takeover->head = vstate_state_file_head(dev->state_file);
	} else {
		vstate_socket_prepare(dev);
	}
	ret = vstate_thread_create(&dev->takeover->thread, "vstate-page", takeover_main, dev);
	dev->takeover->running = ret == 0;
	return ret;
}

void
vstate_takeover_end(struct vstate_dev *dev)
{
	struct vstate_takeover *t = dev->takeover;

	if (t == NULL)
		return;
	/* Either the word is changed here, or who changes it back looks at this behind it. */
	__atomic_store_n(&t->stop, true, __ATOMIC_SEQ_CST);
	pthread_mutex_lock(&t->lock);
	if (t->head != NULL)
		word_change(&t->head->request, 0, REQUEST_END);
	pthread_mutex_unlock(&t->lock);
	if (t->running)
		vstate_thread_join(&t->thread);
	t->running = false;
	vstate_socket_prepare_end(dev);
	pthread_mutex_lock(&t->lock);
	if (t->head != NULL)
		word_change(&t->head->request, REQUEST_END, 0);
	t->head = NULL;
	pthread_mutex_unlock(&t->lock);
}

void
vstate_takeover_free(struct vstate_dev *dev)
{
	struct vstate_takeover *t = dev->takeover;

	if (t == NULL)
		return;
	vstate_state_file_free(t->other);
	pthread_mutex_destroy(&t->lock);
	free(t);
	dev->takeover = NULL;
}

int
vstate_takeover_ask(struct vstate_dev *dev)
{
	struct vstate_takeover *t = dev->takeover;
	int ret = -ENOTSUP;

	if (t == NULL)
		return ret;
	pthread_mutex_lock(&t->lock);
	if (t->head != NULL)
		ret = word_change(&t->head->request, 0, REQUEST_RELEASE) ? 0 : -EALREADY;
	pthread_mutex_unlock(&t->lock);
	return ret;
}

const char *
vstate_takeover_phase(const struct vstate_dev *dev)
{
	static const char *const phases[] = { "", "waiting", "failed", "released" };

	return dev->takeover != NULL ? phases[dev->takeover->phase] : "";
}
