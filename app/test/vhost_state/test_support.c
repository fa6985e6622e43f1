/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <rte_errno.h>

#include "vhost_state_test.h"

bool test_reason_seen[RTE_VHOST_STATE_R_MAX];

int
test_state_result(struct rte_vhost_state *st)
{
	if (st == NULL)
		return -rte_errno;
	rte_vhost_state_free(st);
	return 0;
}

void
test_is_invalid(void **state)
{
	const struct test_refusal *r = *state;
	struct rte_vhost_state *st = r->sample();
	struct rte_vhost_state_error err;

	r->change(st, NULL);
	assert_refused(r->reason, &err, rte_vhost_state_validate(st, &err));
	assert_int_equal(err.expected, r->expected);
	assert_int_equal(err.found, r->found);
	rte_vhost_state_free(st);
}

void
test_does_not_fit(void **state)
{
	const struct test_refusal *r = *state;
	struct rte_vhost_state *st = r->sample();
	struct rte_vhost_state_limits lim = r->limits();
	struct rte_vhost_state_error err;

	r->change(st, &lim);
	assert_refused(r->reason, &err, rte_vhost_state_check_fit(st, &lim, &err));
	assert_int_equal(err.expected, r->expected);
	assert_int_equal(err.found, r->found);
	rte_vhost_state_free(st);
}

/* ---- bytes ---- */

uint8_t *
test_encode(const struct rte_vhost_state *st, size_t *len)
{
	const size_t size = rte_vhost_state_encoded_size(st);
	struct rte_vhost_state_error err;
	uint8_t *buf = malloc(size);

	assert_non_null(buf);
	assert_int_equal(rte_vhost_state_encode(st, buf, size, len, &err), 0);
	assert_int_equal(*len, size);
	return buf;
}

static void
put_le32(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)value;
	p[1] = (uint8_t)(value >> 8);
	p[2] = (uint8_t)(value >> 16);
	p[3] = (uint8_t)(value >> 24);
}

void
test_seal_header(uint8_t *buf, uint32_t total)
{
	put_le32(buf + 12, total);
	put_le32(buf + 28, crc32(0, buf, 28));
}

void
test_assert_encoded(const struct rte_vhost_state *st, const uint8_t *bytes, size_t len)
{
	size_t len_now;
	uint8_t *buf = test_encode(st, &len_now);

	assert_int_equal(len_now, len);
	assert_memory_equal(buf, bytes, len);
	free(buf);
}

void
test_seal(uint8_t *buf, size_t len)
{
	put_le32(buf + 16, crc32(0, buf + 32, len - 32));
	test_seal_header(buf, (uint32_t)len);
}

size_t
test_part_len(const uint8_t *buf, size_t at)
{
	return 16 + ((size_t)buf[at + 12] | (size_t)buf[at + 13] << 8 |
			(size_t)buf[at + 14] << 16 | (size_t)buf[at + 15] << 24);
}

size_t
test_find_part(const uint8_t *buf, size_t len, uint16_t type, unsigned int nth)
{
	size_t at;

	for (at = 32; at < len; at += test_part_len(buf, at))
		if ((buf[at] | buf[at + 1] << 8) == type && nth-- == 0)
			return at;
	return 0;
}

/* ---- failing system calls and allocations, by the linker's --wrap ---- */

static unsigned int fail_allocation, fail_file_call;
static bool file_call_failed;
static int file_call_errno;
/* Used by one thread at a time. Tests that read it clear it first. */
static char file_calls[16];
static size_t io_max, largest_allocation;
static bool io_interrupt;

void *__real_malloc(size_t size);
void *__real_calloc(size_t nb, size_t size);
void *__real_realloc(void *p, size_t size);
ssize_t __real_read(int fd, void *buf, size_t len);
ssize_t __real_write(int fd, const void *buf, size_t len);
int __real_fsync(int fd);
int __real_rename(const char *from, const char *to);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t nb, size_t size);
void *__wrap_realloc(void *p, size_t size);
ssize_t __wrap_read(int fd, void *buf, size_t len);
ssize_t __wrap_write(int fd, const void *buf, size_t len);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);

void
test_fail_allocation(unsigned int nth)
{
	fail_allocation = nth;
}

void
test_disturb_io(size_t max)
{
	io_max = max;
	io_interrupt = false;
}

void
test_fail_file_call(unsigned int nth, int err)
{
	fail_file_call = nth;
	file_call_errno = err;
	file_call_failed = false;
}

bool
test_file_call_failed(void)
{
	return file_call_failed;
}

size_t
test_largest_allocation(void)
{
	const size_t size = largest_allocation;

	largest_allocation = 0;
	return size;
}

static bool
allocation_fails(size_t size)
{
	if (size > largest_allocation)
		largest_allocation = size;
	return fail_allocation > 0 && --fail_allocation == 0;
}

void
test_file_calls_clear(void)
{
	memset(file_calls, 0, sizeof(file_calls));
}

const char *
test_file_calls(void)
{
	return file_calls;
}

static bool
file_call_fails(char call)
{
	const size_t len = strlen(file_calls);

	if (len + 1 < sizeof(file_calls))
		file_calls[len] = call;
	if (fail_file_call == 0 || --fail_file_call > 0)
		return false;
	file_call_failed = true;
	errno = file_call_errno;
	return true;
}

/** Return how many of @p len bytes to transfer; 0 with errno EINTR: none. */
static size_t
io_length(size_t len)
{
	if (io_max == 0 || len == 0)
		return len;
	io_interrupt = !io_interrupt;
	if (io_interrupt) {
		errno = EINTR;
		return 0;
	}
	return len < io_max ? len : io_max;
}

void *
__wrap_malloc(size_t size)
{
	return allocation_fails(size) ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t nb, size_t size)
{
	return allocation_fails(nb * size) ? NULL : __real_calloc(nb, size);
}

void *
__wrap_realloc(void *p, size_t size)
{
	return allocation_fails(size) ? NULL : __real_realloc(p, size);
}

ssize_t
__wrap_read(int fd, void *buf, size_t len)
{
	const size_t part = io_length(len);

	return part == 0 && len > 0 ? -1 : __real_read(fd, buf, part);
}

ssize_t
__wrap_write(int fd, const void *buf, size_t len)
{
	size_t part;

	if (file_call_fails('w'))
		return -1;
	part = io_length(len);
	return part == 0 && len > 0 ? -1 : __real_write(fd, buf, part);
}

int
__wrap_fsync(int fd)
{
	return file_call_fails('s') ? -1 : __real_fsync(fd);
}

int
__wrap_rename(const char *from, const char *to)
{
	return file_call_fails('r') ? -1 : __real_rename(from, to);
}
