/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_common.h>

#include <vstate_compat.h>

#include "dev/vstate_dev.h"
#include "vstate_connection.h"
#include "vstate_log.h"
#include "vstate_msg.h"
#include "vstate_vhost_user.h"


#define U64_SIZE 8
#define STATE_SIZE 8
#define ADDR_SIZE 40
#define LOG_SIZE 16

/* Payloads that must be whole: the library does not look in all releases. */
static const struct {
	uint32_t request;
	uint32_t min_size;
} sizes[] = {
	{ MSG_SET_FEATURES, U64_SIZE },
	{ MSG_SET_LOG_BASE, LOG_SIZE },
	{ MSG_SET_VRING_NUM, STATE_SIZE },
	{ MSG_SET_VRING_ADDR, ADDR_SIZE },
	{ MSG_SET_VRING_BASE, STATE_SIZE },
	{ MSG_GET_VRING_BASE, STATE_SIZE },
	{ MSG_SET_PROTOCOL_FEATURES, U64_SIZE },
	{ MSG_SET_VRING_KICK, U64_SIZE },
	{ MSG_SET_VRING_CALL, U64_SIZE },
	{ MSG_SET_VRING_ENABLE, STATE_SIZE },
	{ MSG_SEND_RARP, U64_SIZE },
	{ MSG_NET_SET_MTU, U64_SIZE },
	{ MSG_SET_STATUS, U64_SIZE },
	{ MSG_GET_INFLIGHT_FD, MSG_INFLIGHT_SIZE },
	{ MSG_SET_INFLIGHT_FD, MSG_INFLIGHT_SIZE },
};

static bool
size_is_right(const struct msg *msg)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(sizes); i++) {
		if (sizes[i].request == msg->request)
			return msg->size >= sizes[i].min_size;
	}
	return true;
}

/* A mapping beyond the end of a file would be a SIGBUS for a poll thread. */
static bool
file_holds(int fd, uint64_t offset, uint64_t size)
{
	struct stat st;

	if (size == 0 || offset > UINT64_MAX - size || fstat(fd, &st) != 0)
		return false;
	return !S_ISREG(st.st_mode) || offset + size <= (uint64_t)st.st_size;
}

static bool
ranges_overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

static const char *
memory_fault(const struct msg *msg, const int *fds, int nb_fds)
{
	uint32_t n = msg->memory.nb_regions, i, j;

	if (msg->size < 2 * sizeof(uint32_t) || n == 0 || n > MSG_MAX_REGIONS)
		return "number of regions out of range";
	if (msg->size < 2 * sizeof(uint32_t) + n * sizeof(struct msg_region))
		return "table shorter than its number of regions";
	if (nb_fds != (int)n)
		return "not one descriptor for each region";
	for (i = 0; i < n; i++) {
		const struct msg_region r = msg->memory.regions[i];

		if (r.gpa > UINT64_MAX - r.size || r.uva > UINT64_MAX - r.size)
			return "region wraps around";
		if (!file_holds(fds[i], r.offset, r.size))
			return "region is empty or larger than its file";
		for (j = 0; j < i; j++) {
			const struct msg_region q = msg->memory.regions[j];

			if (ranges_overlap(r.gpa, r.size, q.gpa, q.size) ||
					ranges_overlap(r.uva, r.size, q.uva, q.size))
				return "regions overlap";
		}
	}
	return NULL;
}

static const char *
log_fault(const struct msg *msg, const int *fds, int nb_fds)
{
	if (nb_fds != 1)
		return "dirty log without one descriptor";
	/* rte_vhost maps the file from the offset on, and adds the offset once more. */
	if (msg->log.offset != 0)
		return "dirty log with an offset";
	if (!file_holds(fds[0], msg->log.offset, msg->log.size))
		return "dirty log is empty or larger than its file";
	return NULL;
}

static const char *
fault_of(const struct vstate_dev *dev, const struct msg *msg, const int *fds, int nb_fds)
{
	if (!size_is_right(msg))
		return "payload too short";
	switch (msg->request) {
	case MSG_SET_MEM_TABLE:
		return memory_fault(msg, fds, nb_fds);
	case MSG_SET_LOG_BASE:
		return log_fault(msg, fds, nb_fds);
	case MSG_SET_VRING_NUM:
		if (msg->state.num == 0 || msg->state.num > RTE_VHOST_STATE_MAX_VQ_SIZE)
			return "queue size out of range";
		return NULL;
	case MSG_SET_INFLIGHT_FD:
		if (dev->connection->inflight_negotiated && nb_fds != 1)
			return "in-flight region without one descriptor";
		/* fall through */
	case MSG_GET_INFLIGHT_FD:
		return dev->connection->inflight_negotiated ? NULL : "the protocol feature was not offered";
	case MSG_ADD_MEM_REG:
	case MSG_REM_MEM_REG:
		return "the protocol feature was not offered";
	default:
		return NULL;
	}
}

void
vstate_msg_close_fds(void *opaque)
{
	int *nb_fds, *fds = vstate_msg_fds(opaque, &nb_fds);
	int i;

	for (i = 0; i < *nb_fds; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = -1;
	}
	*nb_fds = 0;
}

bool
vstate_msg_check(const struct vstate_dev *dev, void *opaque)
{
	int *nb_fds, *fds = vstate_msg_fds(opaque, &nb_fds);
	const struct msg *msg = opaque;
	const char *fault = fault_of(dev, msg, fds, *nb_fds);

	if (fault == NULL)
		return true;
	VSTATE_LOG(ERR, "%s: request %u of the front end refused: %s", dev->name, msg->request, fault);
	vstate_msg_close_fds(opaque);
	return false;
}
