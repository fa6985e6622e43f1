/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_string_fns.h>

#include "ut_front.h"
#include "ut_groups.h"
#include "dev/vstate_conf.h"
#include "dev/vstate_watch.h"
#include "handover/vstate_scm.h"
#include "ring/vstate_lease.h"

/* Bound for answers that come at once on an idle machine. */
#define PATIENCE_MS 20000

void
front_dir_make(char dir[FRONT_DIR_BYTES], struct vstate_conf *conf)
{
	rte_strscpy(dir, "/tmp/vstate-door.XXXXXX", FRONT_DIR_BYTES);
	assert_non_null(mkdtemp(dir));
	snprintf(conf->iface, sizeof(conf->iface), "%s/socket", dir);
	vstate_lease_init();
	assert_int_equal(vstate_watch_get(), 0);
}

int
front_wait(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms);
}

void
front_send(int front, struct msg *msg, const int *fds, unsigned int nb_fds)
{
	assert_int_equal(vstate_scm_send(front, msg, MSG_HEADER_SIZE + msg->size, fds, nb_fds),
			MSG_HEADER_SIZE + msg->size);
}

void
front_answer(int front, struct msg *msg)
{
	const uint32_t request = msg->request;

	assert_int_equal(front_wait(front, PATIENCE_MS), 1);
	assert_int_equal(recv(front, msg, MSG_HEADER_SIZE, MSG_WAITALL), MSG_HEADER_SIZE);
	assert_int_equal(msg->request, request);
	assert_true(msg->size <= sizeof(msg->payload));
	/* a read of no bytes would wait for the next message */
	if (msg->size > 0)
		assert_int_equal(recv(front, msg->payload, msg->size, MSG_WAITALL), msg->size);
}

uint64_t
front_message(int front, struct msg *msg, const int *fds, unsigned int nb_fds)
{
	msg->flags = MSG_VERSION | MSG_NEED_REPLY;
	front_send(front, msg, fds, nb_fds);
	front_answer(front, msg);
	assert_int_equal(msg->size, 8);
	return msg->u64;
}

uint64_t
front_u64(int front, uint32_t request, uint64_t value)
{
	struct msg msg = { .request = request, .size = 8, .u64 = value };

	return front_message(front, &msg, NULL, 0);
}

uint64_t
front_state(int front, uint32_t request, uint32_t index, uint32_t num)
{
	return front_u64(front, request, index | (uint64_t)num << 32);
}

void
front_ring_fd(int front, uint32_t request, uint32_t ring)
{
	struct msg msg = { .request = request, .size = 8, .u64 = ring };
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	assert_int_equal(front_message(front, &msg, &fd, 1), 0);
	close(fd);
}

uint64_t
front_question(int front, uint32_t request)
{
	struct msg msg = { .request = request, .flags = MSG_VERSION };

	front_send(front, &msg, NULL, 0);
	front_answer(front, &msg);
	return msg.u64;
}
