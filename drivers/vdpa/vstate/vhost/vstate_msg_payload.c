/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <rte_common.h>

#include "rte_vhost_state.h"
#include "vstate_msg_payload.h"

/* A mapping beyond the end of a file would be a SIGBUS for a poll thread. */
static bool
file_holds(int fd, uint64_t offset, uint64_t size)
{
	struct stat st;

	if (size == 0 || offset > UINT64_MAX - size || fstat(fd, &st) != 0)
		return false;
	return !S_ISREG(st.st_mode) || offset + size <= (uint64_t)st.st_size;
}

/*
 * Map and unmap the file as rte_vhost is going to: from its begin, and whole blocks. rte_vhost
 * loses descriptors when it cannot map one of them. Nothing is populated.
 */
static bool
file_maps(int fd, uint64_t offset, uint64_t size)
{
	struct stat st;
	uint64_t len;
	void *map;

	if (fstat(fd, &st) != 0 || st.st_blksize <= 0)
		return false;
	if (offset + size > UINT64_MAX - (uint64_t)st.st_blksize)
		return false;
	len = RTE_ALIGN_MUL_CEIL(offset + size, (uint64_t)st.st_blksize);
	if (len > SIZE_MAX)
		return false;
	map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (map == MAP_FAILED)
		return false;
	munmap(map, len);
	return true;
}

static bool
ranges_overlap(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

static enum vstate_msg_refusal
regions_count(const struct msg *msg, uint32_t *n)
{
	*n = msg->memory.nb_regions;
	if (*n == 0 || *n > MSG_MAX_REGIONS)
		return VSTATE_MSG_R_MEM_COUNT;
	if (msg->size < 2 * sizeof(uint32_t) + *n * sizeof(struct msg_region))
		return VSTATE_MSG_R_MEM_SHORT;
	return VSTATE_MSG_R_NONE;
}

uint32_t
vstate_msg_payload_regions(const struct msg *msg)
{
	uint32_t n;

	return regions_count(msg, &n) == VSTATE_MSG_R_NONE ? n : 0;
}

enum vstate_msg_refusal
vstate_msg_payload_mem_table(const struct msg *msg, const int *fds)
{
	enum vstate_msg_refusal reason;
	uint32_t n, i, j;

	reason = regions_count(msg, &n);
	if (reason != VSTATE_MSG_R_NONE)
		return reason;
	for (i = 0; i < n; i++) {
		const struct msg_region r = msg->memory.regions[i];

		if (r.gpa > UINT64_MAX - r.size || r.uva > UINT64_MAX - r.size)
			return VSTATE_MSG_R_MEM_WRAP;
		if (!file_holds(fds[i], r.offset, r.size))
			return VSTATE_MSG_R_MEM_FILE;
		if (!file_maps(fds[i], r.offset, r.size))
			return VSTATE_MSG_R_MEM_MAP;
		for (j = 0; j < i; j++) {
			const struct msg_region q = msg->memory.regions[j];

			if (ranges_overlap(r.gpa, r.size, q.gpa, q.size) ||
					ranges_overlap(r.uva, r.size, q.uva, q.size))
				return VSTATE_MSG_R_MEM_OVERLAP;
		}
	}
	return VSTATE_MSG_R_NONE;
}

enum vstate_msg_refusal
vstate_msg_payload_log(const struct msg *msg, const int *fds)
{
	/* rte_vhost maps the file from the offset on, and adds the offset once more. */
	if (msg->log.offset != 0)
		return VSTATE_MSG_R_LOG_OFFSET;
	if (!file_holds(fds[0], msg->log.offset, msg->log.size))
		return VSTATE_MSG_R_LOG_FILE;
	if (!file_maps(fds[0], msg->log.offset, msg->log.size))
		return VSTATE_MSG_R_LOG_MAP;
	return VSTATE_MSG_R_NONE;
}

enum vstate_msg_refusal
vstate_msg_payload_config(const struct msg *msg, const int *fds)
{
	const uint32_t offset = msg->config.offset, size = msg->config.size;

	RTE_SET_USED(fds);
	if (size > MSG_CONFIG_MAX || offset > MSG_CONFIG_MAX - size ||
			size > msg->size - MSG_CONFIG_HEADER_SIZE)
		return VSTATE_MSG_R_CONFIG;
	return VSTATE_MSG_R_NONE;
}

enum vstate_msg_refusal
vstate_msg_payload_vring_num(const struct msg *msg, const int *fds)
{
	RTE_SET_USED(fds);
	if (msg->state.num == 0 || msg->state.num > RTE_VHOST_STATE_MAX_VQ_SIZE)
		return VSTATE_MSG_R_QUEUE_SIZE;
	return VSTATE_MSG_R_NONE;
}
