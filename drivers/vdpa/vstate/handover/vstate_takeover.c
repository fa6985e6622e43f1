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

#include <rte_common.h>

#include <vstate_compat.h>

#include "dev/vstate_clock.h"
#include "dev/vstate_control.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_front_end.h"
#include "dev/vstate_quiesce.h"
#include "ring/vstate_vq.h"
#include "vstate_handover.h"
#include "vstate_handover_msg.h"
#include "vstate_log.h"
#include "vstate_state_file.h"
#include "vstate_takeover.h"

#define ANSWER_RELEASED 1
#define ANSWER_REFUSED 2
/* A request is the token of the process that makes it, or one of these values. */
/* The owner wakes its own thread, which then ends. */
#define REQUEST_END UINT32_MAX
/* The owner granted the request and will release the device. */
#define REQUEST_GRANTED (UINT32_MAX - 1)
/* The owner is asked to release the device for a process that starts later. */
#define REQUEST_RELEASE (UINT32_MAX - 2)

/* Bound for the poll threads to leave the queues. After it the owner keeps the device. */
#define QUIESCE_NS 500000000ull
/* Bound for the answer of the owner. After it the takeover fails. */
#define ANSWER_MS 2000
/* Time between two checks whether the owner died. */
#define LOOK_MS 20
/* Bound for the application to poll a port that is started. After it the takeover begins. */
#define POLLED_MS 3000

enum phase {
	PHASE_OWNER,
	PHASE_WAITING,
	PHASE_FAILED,
	PHASE_RELEASED,
};

struct vstate_takeover {
	/** The state file while another process owns it; else NULL. */
	struct vstate_state_file *other;
	struct vstate_thread thread;
	bool running;
	bool stop;
	enum phase phase;
	/** Guards head. */
	pthread_mutex_t lock;
	/** Head of the state file that this process owns, or NULL. */
	struct vstate_state_file_head *head;
};

static double
ms_get_since(uint64_t start)
{
	return (vstate_clock_ns() - start) / 1e6;
}

static bool
takeover_is_stopping(const struct vstate_takeover *t)
{
	return __atomic_load_n(&t->stop, __ATOMIC_SEQ_CST);
}

/* Sleep while *word is @p value, for at most @p ms milliseconds; 0: without a bound. */
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
	/* Sequentially consistent with vstate_takeover.stop, see vstate_takeover_end(). */
	if (!__atomic_compare_exchange_n(word, &from, to, false, __ATOMIC_SEQ_CST,
			__ATOMIC_SEQ_CST))
		return false;
	syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
	return true;
}

/* ---- the owner ---- */

/* Quiesce the queues and block them as handed over. On failure nothing changes. */
static int
do_leave(struct vstate_dev *dev, void *arg)
{
	uint16_t *late = arg;
	int ret;

	if (!vstate_run_is_started(dev))
		return 0;
	ret = vstate_quiesce(dev, QUIESCE_NS, late);
	if (ret == 0)
		vstate_run_block(dev, VSTATE_BLOCK_HANDED_OVER);
	return ret;
}

static int
do_stay(struct vstate_dev *dev, void *arg)
{
	RTE_SET_USED(arg);
	vstate_run_unblock(dev, VSTATE_BLOCK_HANDED_OVER);
	vstate_grant(dev);
	return 0;
}

/* Quiesce the device and grant request @p token, if the process that asked still waits. */
static int
request_grant(struct vstate_dev *dev, struct vstate_state_file_head *head, uint32_t token)
{
	uint16_t late = 0;
	int ret;

	ret = vstate_control_run_within(do_leave, dev, &late, QUIESCE_NS);
	if (ret != 0) {
		VSTATE_LOG(ERR, "%s: not handed over (request %u): the poll thread of queue %u "
				"does not return, or another operation is under way; this process "
				"keeps the device", dev->name, token, late);
		word_set(&head->answer, ANSWER_REFUSED);
		return ret;
	}
	if (word_change(&head->request, token, REQUEST_GRANTED))
		return 0;
	vstate_control_run(do_stay, dev, NULL);
	VSTATE_LOG(WARNING, "%s: not handed over: request %u was withdrawn; this process keeps the "
			"device", dev->name, token);
	return -ECANCELED;
}

/* Write the path of the socket where the process with @p token waits for the connection. */
static int
pass_path_make(const struct vstate_dev *dev, uint32_t token, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/%s.%u.pass", dev->conf.state_dir, dev->name, token) <
		PATH_MAX ? 0 : -ENAMETOOLONG;
}

/*
 * Close the socket and pass the connection to the new process. True: the new process has the
 * connection, and @p hold is empty. False: the new process does not want the connection, or cannot
 * continue it; the front end has to connect again.
 */
static bool
connection_pass(struct vstate_dev *dev, struct vstate_hold *hold, uint32_t token)
{
	struct vstate_handover_msg msg;
	char path[PATH_MAX];
	int ret = -ENOTCONN;

	dev->front_ops->pack(dev, hold, &msg);
	if (msg.len != 0 && token != REQUEST_RELEASE && pass_path_make(dev, token, path) == 0)
		ret = vstate_handover_msg_send(path, &msg);
	/* -ENOENT: no process listens, because of keep-connection=0 or an older release */
	if (ret == -EPERM)
		VSTATE_LOG(ERR, "%s: connection not passed: another user listens at %s; the front "
				"end has to connect again", dev->name, path);
	else if (ret != 0 && ret != -ENOTCONN && ret != -ENOENT)
		VSTATE_LOG(NOTICE, "%s: connection not passed: %s; the front end has to connect "
				"again", dev->name, strerror(-ret));
	/* either the message or the hold owns the descriptor */
	if (ret == 0)
		hold->nb = 0;
	else
		msg.connection = -1;
	vstate_handover_msg_drop(&msg);
	return ret == 0;
}

static int
device_release(struct vstate_dev *dev, struct vstate_state_file_head *head, uint32_t token)
{
	struct vstate_takeover *t = dev->handover->takeover;
	struct vstate_hold hold;
	double quiesced_ms;
	uint64_t start;
	bool passed;

	/* Find the descriptors while the queues still run, to keep the stop short. */
	dev->front_ops->hold(dev, &hold);
	start = vstate_clock_ns();
	if (request_grant(dev, head, token) != 0) {
		while (hold.nb > 0)
			close(hold.fds[--hold.nb]);
		return -ECANCELED;
	}
	quiesced_ms = ms_get_since(start);
	passed = connection_pass(dev, &hold, token);
	pthread_mutex_lock(&t->lock);
	t->head = NULL;
	pthread_mutex_unlock(&t->lock);
	vstate_state_file_unlock(dev->handover->state_file);
	word_set(&head->answer, ANSWER_RELEASED);
	/* Last, because a supervisor may end this process when the front end sees the hang-up. */
	dev->front_ops->hang_up(&hold);
	vstate_state_file_close(dev);
	t->phase = PHASE_RELEASED;
	VSTATE_LOG(NOTICE, "%s: handed over in %.1f ms, quiesced after %.1f ms, %s",
			dev->name, ms_get_since(start), quiesced_ms,
			passed ? "with the connection" : "and the connection closed");
	return 0;
}

static void
requests_serve(struct vstate_dev *dev)
{
	struct vstate_takeover *t = dev->handover->takeover;
	struct vstate_state_file_head *head = t->head;
	uint32_t token;

	while (!takeover_is_stopping(t)) {
		word_wait(&head->request, 0, 0);
		token = __atomic_load_n(&head->request, __ATOMIC_ACQUIRE);
		if (token == 0 || token == REQUEST_END)
			continue;
		if (device_release(dev, head, token) == 0)
			return;
		word_change(&head->request, token, 0);
	}
}

/* ---- the new process ---- */

/* Wait until a thread polls. Before that, a takeover would only stop the guest for longer. */
static void
poller_wait(struct vstate_dev *dev)
{
	unsigned int ms = 0;
	uint16_t i;

	while (!takeover_is_stopping(dev->handover->takeover) && !dev->front_ops->is_shut(dev)) {
		for (i = 0; i < dev->nb_vqs; i++) {
			if (vstate_lease_is_asked(&dev->vqs[i]->lease))
				return;
		}
		if (!vstate_run_is_blocked(dev, VSTATE_BLOCK_NO_POLLER) && ++ms > POLLED_MS)
			return;
		usleep(1000);
	}
}

/* Ask the owner for the device. @return 0 if the state file is free; or -errno */
static int
owner_ask(struct vstate_dev *dev, struct vstate_state_file *file)
{
	struct vstate_state_file_head *head = vstate_state_file_head(file);
	const uint64_t end = vstate_clock_ms() + ANSWER_MS;
	const uint32_t self = vstate_handover_msg_token();
	uint32_t answer;

	__atomic_store_n(&head->answer, 0, __ATOMIC_RELEASE);
	if (!word_change(&head->request, 0, self))
		return -EALREADY;
	do {
		word_wait(&head->answer, 0, LOOK_MS);
		answer = __atomic_load_n(&head->answer, __ATOMIC_ACQUIRE);
		if (answer == ANSWER_RELEASED || vstate_state_file_is_free(file))
			return 0;
		if (answer == 0 && !takeover_is_stopping(dev->handover->takeover) &&
				vstate_clock_ms() < end)
			continue;
		/* A granted request cannot be withdrawn: wait until the owner releases the file. */
		if (word_change(&head->request, self, 0) ||
				__atomic_load_n(&head->request, __ATOMIC_ACQUIRE) !=
				REQUEST_GRANTED)
			return answer == ANSWER_REFUSED ? -EBUSY : -ETIMEDOUT;
	} while (!takeover_is_stopping(dev->handover->takeover));
	return -ECANCELED;
}

/* Listen for the connection. @return a descriptor; < 0: it is not wanted, or listening failed */
static int
pass_listen(const struct vstate_dev *dev, char path[PATH_MAX])
{
	int fd;

	if (!dev->conf.keep_connection)
		return -1;
	fd = pass_path_make(dev, vstate_handover_msg_token(), path);
	if (fd == 0)
		fd = vstate_handover_msg_listen(path);
	if (fd < 0)
		VSTATE_LOG(WARNING, "%s: cannot listen on %s: %s; the front end will have to "
				"connect again", dev->name, path, strerror(-fd));
	return fd;
}

/* Open the socket, with the connection if the old process passed it. */
static int
front_door_open(struct vstate_dev *dev, int pass, bool *kept)
{
	struct vstate_handover_msg msg;
	int ret = pass >= 0 ? vstate_handover_msg_receive(pass, &msg) : -EAGAIN;

	if (ret == 0)
		return dev->front_ops->adopt(dev, &msg, kept);
	if (ret != -EAGAIN)
		VSTATE_LOG(NOTICE, "%s: no connection received: %s; the front end has to connect "
				"again", dev->name, strerror(-ret));
	return dev->front_ops->open(dev);
}

static int
device_take(struct vstate_dev *dev)
{
	struct vstate_takeover *t = dev->handover->takeover;
	char path[PATH_MAX] = "";
	int ret, pass = -1;
	double answer_ms;
	uint64_t start;
	bool kept = false;

	pass = pass_listen(dev, path);
	poller_wait(dev);
	start = vstate_clock_ns();
	if (takeover_is_stopping(t) || dev->front_ops->is_shut(dev))
		ret = -ECANCELED;
	else
		ret = owner_ask(dev, t->other);
	answer_ms = ms_get_since(start);
	vstate_state_file_free(t->other);
	t->other = NULL;
	if (ret == 0)
		ret = vstate_state_file_open(dev);
	if (ret == 0) {
		ret = front_door_open(dev, pass, &kept);
		/* Release the file, so that another process can own the device. */
		if (ret != 0)
			vstate_state_file_close(dev);
	}
	if (ret == 0)
		VSTATE_LOG(NOTICE, "%s: taken over in %.1f ms, answered after %.1f ms, %s",
				dev->name, ms_get_since(start), answer_ms,
				kept ? "with the connection" : "for the front end to connect");
	vstate_handover_msg_unlisten(pass, path);
	dev->front_ops->prepare_end(dev);
	return ret;
}

static const char *
failure_text(int ret)
{
	switch (ret) {
	case -ETIMEDOUT: return "the other process does not answer";
	case -EBUSY: return "the other process refuses: one of its poll threads does not return, "
		"or the file is in use";
	case -EALREADY: return "another process asks for it already";
	default: return strerror(-ret);
	}
}

static void *
takeover_main(void *arg)
{
	struct vstate_dev *dev = arg;
	struct vstate_takeover *t = dev->handover->takeover;
	int ret;

	if (t->other != NULL) {
		ret = device_take(dev);
		if (ret != 0) {
			t->phase = PHASE_FAILED;
			VSTATE_LOG(ERR, "%s: not taken over: %s", dev->name, failure_text(ret));
			return NULL;
		}
		pthread_mutex_lock(&t->lock);
		t->phase = PHASE_OWNER;
		t->head = vstate_state_file_head(dev->handover->state_file);
		pthread_mutex_unlock(&t->lock);
	}
	requests_serve(dev);
	return NULL;
}

/* ---- create and destroy ---- */

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
	dev->handover->takeover = t;
	VSTATE_LOG(NOTICE, "%s: process %u owns the device, and will be asked for it", dev->name,
			vstate_state_file_head(t->other)->pid);
	return 0;
}

int
vstate_takeover_open(struct vstate_dev *dev)
{
	int ret;

	ret = dev->handover->takeover == NULL ? dev->front_ops->open(dev) : 0;
	if (ret != 0 || (dev->handover->state_file == NULL && dev->handover->takeover == NULL))
		return ret;
	if (dev->handover->takeover == NULL) {
		dev->handover->takeover = takeover_alloc();
		if (dev->handover->takeover == NULL)
			return -ENOMEM;
		dev->handover->takeover->head =
			vstate_state_file_head(dev->handover->state_file);
	} else {
		dev->front_ops->prepare(dev);
	}
	ret = vstate_thread_create(&dev->handover->takeover->thread, "vstate-take", takeover_main,
			dev);
	dev->handover->takeover->running = ret == 0;
	return ret;
}

void
vstate_takeover_end(struct vstate_dev *dev)
{
	struct vstate_takeover *t = dev->handover->takeover;

	if (t == NULL)
		return;
	/*
	 * If the word below is not 0, the thread is serving a request. It sets the word back to 0
	 * and then reads stop, so it sees this store.
	 */
	__atomic_store_n(&t->stop, true, __ATOMIC_SEQ_CST);
	pthread_mutex_lock(&t->lock);
	if (t->head != NULL)
		word_change(&t->head->request, 0, REQUEST_END);
	pthread_mutex_unlock(&t->lock);
	if (t->running)
		vstate_thread_join(&t->thread);
	t->running = false;
	dev->front_ops->prepare_end(dev);
	pthread_mutex_lock(&t->lock);
	if (t->head != NULL)
		word_change(&t->head->request, REQUEST_END, 0);
	t->head = NULL;
	pthread_mutex_unlock(&t->lock);
}

void
vstate_takeover_free(struct vstate_dev *dev)
{
	struct vstate_takeover *t = dev->handover->takeover;

	if (t == NULL)
		return;
	vstate_state_file_free(t->other);
	pthread_mutex_destroy(&t->lock);
	free(t);
	dev->handover->takeover = NULL;
}

int
vstate_takeover_ask(struct vstate_dev *dev)
{
	struct vstate_takeover *t = dev->handover->takeover;
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

	return dev->handover->takeover != NULL ? phases[dev->handover->takeover->phase] : "";
}
