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
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>

#include <rte_errno.h>

#include <vstate_compat.h>

#include "dev/vstate_clock.h"
#include "handover/vstate_handover_msg.h"
#include "handover/vstate_scm.h"
#include "vstate_log.h"
#include "vstate_msg_log.h"
#include "vstate_relay.h"
#include "vstate_vhost_user.h"

/* Longer than any message of vhost-user, in either direction. */
#define PAYLOAD_MAX 4096
/* Within this time rte_vhost has processed the whole replay, mapping of memory included. */
#define REPLAY_MS 5000
/* Within this time the last messages reach their readers when the relay stops. */
#define DRAIN_MS 200
/* Between two checks whether rte_vhost has read all messages. */
#define DRAIN_POLL_US 50
/* Before the next attempt where the system is short of memory. */
#define RETRY_US 1000

/** One direction, with the message that is being passed on. */
struct way {
	int from, to;
	size_t have, sent;
	int fds[MSG_MAX_FDS];
	unsigned int nb_fds;
	uint8_t buf[MSG_HEADER_SIZE + PAYLOAD_MAX];
};

struct vstate_relay {
	/** Held to close the two connections, and to use them outside of the relay's thread. */
	pthread_mutex_t lock;
	int front, back;
	/** An eventfd: readable when the thread must stop. */
	int wake;
	struct way to_back, to_front;
	struct vstate_thread thread;
	bool running, stop, clean;
	void (*ended)(void *arg);
	void *arg;
};

/* ---- one direction ---- */

/* The length of the message; as long as it is not known, the length of its header. */
static size_t
way_length(const struct way *w)
{
	uint32_t size;

	if (w->have < MSG_HEADER_SIZE)
		return MSG_HEADER_SIZE;
	memcpy(&size, w->buf + offsetof(struct msg, size), sizeof(size));
	return (size_t)MSG_HEADER_SIZE + size;
}

static bool
way_is_full(const struct way *w)
{
	return w->have >= MSG_HEADER_SIZE && w->have == way_length(w);
}

static void
way_clear(struct way *w)
{
	while (w->nb_fds > 0)
		close(w->fds[--w->nb_fds]);
	w->have = w->sent = 0;
}

static int
way_read(struct way *w)
{
	ssize_t n = vstate_scm_recv(w->from, w->buf + w->have, way_length(w) - w->have, w->fds,
			MSG_MAX_FDS, &w->nb_fds);

	if (n == 0)
		return -EPIPE;
	if (n < 0)
		return n;
	w->have += n;
	return way_length(w) > sizeof(w->buf) ? -EMSGSIZE : 0;
}

static int
way_write(struct way *w)
{
	ssize_t n = vstate_scm_send(w->to, w->buf + w->sent, w->have - w->sent, w->fds,
			w->sent == 0 ? w->nb_fds : 0);

	/* The system is short of memory or descriptors; neither side is at fault. */
	if (n == -ENOBUFS || n == -ENOMEM || n == -ETOOMANYREFS) {
		usleep(RETRY_US);
		return -EAGAIN;
	}
	if (n < 0)
		return n;
	w->sent += n;
	if (w->sent == w->have)
		way_clear(w);
	return 0;
}

/* Read and write without waiting. @return 0; -EPIPE: one side hung up; or another -errno */
static int
way_step(struct way *w)
{
	int ret = 0;

	if (!way_is_full(w))
		ret = way_read(w);
	if (ret == 0 && way_is_full(w))
		ret = way_write(w);
	return ret == -EAGAIN ? 0 : ret;
}

static short
way_events(const struct way *w, int fd)
{
	if (way_is_full(w))
		return fd == w->to ? POLLOUT : 0;
	return fd == w->from ? POLLIN : 0;
}

/* Wait until a direction can be read or written, or @p fd is readable. @return 0; -ETIMEDOUT */
static int
ways_wait(const struct vstate_relay *r, int fd, int ms)
{
	struct pollfd p[3] = {
		{ .fd = r->front, .events = way_events(&r->to_back, r->front) |
			way_events(&r->to_front, r->front) },
		{ .fd = r->back, .events = way_events(&r->to_back, r->back) |
			way_events(&r->to_front, r->back) },
		{ .fd = fd, .events = POLLIN },
	};
	unsigned int i;
	int n;

	/* poll() reports a connection that was hung up even without events, again and again. */
	for (i = 0; i < 2; i++) {
		if (p[i].events == 0)
			p[i].fd = -1;
	}
	n = poll(p, 3, ms);
	return n == 0 ? -ETIMEDOUT : 0;
}

/* ---- replay ---- */

static int
fd_wait(int fd, short events, uint64_t until)
{
	struct pollfd p = { .fd = fd, .events = events };
	uint64_t now = vstate_clock_ms();
	int n = now < until ? poll(&p, 1, until - now) : 0;

	if (n < 0 && errno != EINTR)
		return -errno;
	return n == 0 ? -ETIMEDOUT : 0;
}

static int
entry_send(int fd, const struct vstate_msg_log_entry *entry, uint64_t until)
{
	const uint32_t header[] = { entry->request, MSG_VERSION, entry->size };
	uint8_t buf[MSG_HEADER_SIZE + PAYLOAD_MAX];
	size_t len = MSG_HEADER_SIZE + entry->size, done = 0;
	ssize_t n;
	int ret;

	RTE_BUILD_BUG_ON(sizeof(header) != MSG_HEADER_SIZE);
	memcpy(buf, header, sizeof(header));
	if (entry->size > 0)
		memcpy(buf + sizeof(header), entry->payload, entry->size);
	while (done < len) {
		n = vstate_scm_send(fd, buf + done, len - done, entry->fds,
				done == 0 ? entry->nb_fds : 0);
		if (n >= 0) {
			done += n;
			continue;
		}
		ret = n == -EAGAIN ? fd_wait(fd, POLLOUT, until) : n;
		if (ret != 0)
			return ret;
	}
	return 0;
}

/*
 * Wait for the answer to @p request. The front end had the answers to earlier requests from the
 * process that owned the device before, so these are dropped.
 */
static int
answer_await(int fd, uint32_t request, uint64_t until)
{
	struct way w = { .from = fd, .to = -1 };
	uint32_t answered;
	int ret;

	for (;;) {
		ret = way_read(&w);
		if (ret == -EAGAIN)
			ret = fd_wait(fd, POLLIN, until);
		if (ret != 0)
			break;
		if (!way_is_full(&w))
			continue;
		memcpy(&answered, w.buf, sizeof(answered));
		way_clear(&w);
		if (answered == request)
			break;
	}
	way_clear(&w);
	return ret;
}

/* rte_vhost answers in order: the answer to the last request shows that all were processed. */
static int
log_replay(int fd, const struct vstate_handover_msg *from)
{
	const struct vstate_msg_log_entry last = { .request = MSG_GET_FEATURES };
	const uint64_t until = vstate_clock_ms() + REPLAY_MS;
	struct vstate_msg_log_cursor cursor = { 0 };
	struct vstate_msg_log_entry entry;
	int ret;

	while ((ret = vstate_msg_log_next(from, &cursor, &entry)) > 0) {
		ret = entry_send(fd, &entry, until);
		if (ret != 0)
			return ret;
	}
	if (ret == 0)
		ret = entry_send(fd, &last, until);
	return ret == 0 ? answer_await(fd, last.request, until) : ret;
}

static void
relay_close(struct vstate_relay *r)
{
	way_clear(&r->to_back);
	way_clear(&r->to_front);
	if (r->front >= 0)
		close(r->front);
	if (r->back >= 0)
		close(r->back);
	r->front = r->back = -1;
}

struct vstate_relay *
vstate_relay_begin(int back, struct vstate_handover_msg *from)
{
	struct vstate_relay *r = calloc(1, sizeof(*r));
	int ret = -ENOMEM;

	if (r != NULL) {
		pthread_mutex_init(&r->lock, NULL);
		r->front = from->connection;
		from->connection = -1;
		r->back = back;
		r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		ret = r->wake >= 0 ? log_replay(back, from) : -errno;
	} else {
		close(back);
	}
	vstate_handover_msg_drop(from);
	if (ret == 0) {
		r->to_back = (struct way){ .from = r->front, .to = r->back };
		r->to_front = (struct way){ .from = r->back, .to = r->front };
		return r;
	}
	vstate_relay_free(r);
	rte_errno = -ret;
	return NULL;
}

/* ---- pass messages on ---- */

/* rte_vhost has read all messages, and no answer but that to the last message is missing. */
static bool
back_is_quiet(const struct vstate_relay *r)
{
	int unread = 0, answers = 0;

	return ioctl(r->back, SIOCOUTQ, &unread) == 0 && unread == 0 &&
		ioctl(r->back, FIONREAD, &answers) == 0 && answers == 0 && r->to_front.have == 0;
}

/* A message that was read in part is passed on to its end. No other message is read. */
static bool
relay_drain(struct vstate_relay *r)
{
	const uint64_t until = vstate_clock_ms() + DRAIN_MS;

	while (vstate_clock_ms() < until) {
		if (way_step(&r->to_front) != 0)
			return false;
		if (r->to_back.have == 0) {
			if (back_is_quiet(r))
				return true;
			usleep(DRAIN_POLL_US);
			continue;
		}
		if (way_step(&r->to_back) != 0)
			return false;
		if (r->to_back.have != 0)
			ways_wait(r, -1, 1);
	}
	return false;
}

/*
 * Pass the answers on that rte_vhost has written: it writes no more. The end of its connection
 * may not be readable yet, because rte_vhost's thread may hold it open for up to a second.
 * @return true if the front end has all answers
 */
static bool
answers_pass(struct vstate_relay *r)
{
	const uint64_t until = vstate_clock_ms() + DRAIN_MS;
	struct way *w = &r->to_front;
	int ret = 0;

	/* read no more from the front end */
	r->to_back.from = -1;
	while (ret == 0 && vstate_clock_ms() < until) {
		ret = way_step(w);
		if (ret == 0 && way_is_full(w))
			ways_wait(r, -1, 1);
		else if (ret == 0 && ways_wait(r, -1, 0) == -ETIMEDOUT)
			return w->have == 0;
	}
	/* rte_vhost's hang-up follows its answers; a front end that hangs up misses them */
	return ret == -EPIPE && w->have == 0;
}

static void *
relay_main(void *arg)
{
	struct vstate_relay *r = arg;
	int ret = 0;

	while (ret == 0 && !vstate_relay_stopping(r)) {
		ways_wait(r, r->wake, -1);
		if (vstate_relay_stopping(r))
			break;
		ret = way_step(&r->to_front);
		if (ret == 0)
			ret = way_step(&r->to_back);
	}
	if (ret == 0) {
		r->clean = relay_drain(r);
		return NULL;
	}
	if (ret == -EPIPE)
		answers_pass(r);
	else
		VSTATE_LOG(ERR, "connection taken over from another process closed: %s; "
				"the front end must reconnect", strerror(-ret));
	pthread_mutex_lock(&r->lock);
	relay_close(r);
	pthread_mutex_unlock(&r->lock);
	r->ended(r->arg);
	return NULL;
}

int
vstate_relay_run(struct vstate_relay *r, void (*ended)(void *arg), void *arg)
{
	int ret;

	r->ended = ended;
	r->arg = arg;
	ret = vstate_thread_create(&r->thread, "vstate-relay", relay_main, r);
	r->running = ret == 0;
	return ret;
}

bool
vstate_relay_stopping(const struct vstate_relay *r)
{
	return __atomic_load_n(&r->stop, __ATOMIC_ACQUIRE);
}

int
vstate_relay_hold(struct vstate_relay *r)
{
	int fd = -1;

	pthread_mutex_lock(&r->lock);
	if (r->front >= 0)
		fd = fcntl(r->front, F_DUPFD_CLOEXEC, 0);
	pthread_mutex_unlock(&r->lock);
	return fd;
}

bool
vstate_relay_stop(struct vstate_relay *r)
{
	if (r->running) {
		__atomic_store_n(&r->stop, true, __ATOMIC_RELEASE);
		eventfd_write(r->wake, 1);
		vstate_thread_join(&r->thread);
		r->running = false;
	}
	return r->clean;
}

void
vstate_relay_cut(struct vstate_relay *r)
{
	pthread_mutex_lock(&r->lock);
	if (r->back >= 0)
		shutdown(r->back, SHUT_RDWR);
	pthread_mutex_unlock(&r->lock);
	r->clean = false;
}

bool
vstate_relay_free(struct vstate_relay *r)
{
	bool done;

	if (r == NULL)
		return true;
	done = r->clean && answers_pass(r);
	relay_close(r);
	if (r->wake >= 0)
		close(r->wake);
	pthread_mutex_destroy(&r->lock);
	free(r);
	return done;
}
