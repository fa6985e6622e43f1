/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * The front door of a device, with rte_vhost behind it. The test is the front end, and a bad one:
 * whatever it sends, the device closes at once, and no descriptor is lost.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/virtio_config.h>

#include <rte_bitops.h>
#include <rte_common.h>
#include <rte_errno.h>
#include <rte_string_fns.h>

#include <vstate_compat.h>

#include "ut_device.h"
#include "ut_fds.h"
#include "ut_front.h"
#include "ut_groups.h"
#include "ut_socket.h"
#include "dev/vstate_conf.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_watch.h"
#include "handover/vstate_handover_msg.h"
#include "handover/vstate_scm.h"
#include "ring/vstate_lease.h"
#include "ring/vstate_vq.h"
#include "vhost/vstate_connection.h"
#include "vhost/vstate_door.h"
#include "vhost/vstate_front.h"
#include "vhost/vstate_msg.h"

#define NAME "test_door"
/* Bound for events that follow at once on an idle machine. */
#define PATIENCE_MS 10000
/* A test that hangs fails. */
#define HANG_S 120

struct bench {
	char dir[FRONT_DIR_BYTES];
	struct vstate_conf conf;
	struct vstate_dev *dev;
	unsigned int fds;
	int front;
};

static void
door_open(struct bench *b)
{
	b->dev = ut_device_make(NAME, &b->conf);
	assert_non_null(b->dev);
	assert_int_equal(b->dev->front_ops->open(b->dev), 0);
}

static void
door_close(struct bench *b)
{
	vstate_door_close(b->dev);
	ut_device_unmake(b->dev);
	b->dev = NULL;
}

static int
bench_make(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	alarm(HANG_S);
	b->conf = ut_conf(1, 1500);
	b->conf.device_state = true;
	front_dir_make(b->dir, &b->conf);
	/* rte_vhost's thread has descriptors of its own, made once */
	door_open(b);
	door_close(b);
	b->fds = fds_count();
	door_open(b);
	b->front = socket_connect(b->conf.iface);
	*state = b;
	return 0;
}

/* The device closes, whatever the front end has done, and all descriptors are closed. */
static int
bench_close(void **state)
{
	struct bench *b = *state;

	if (b->dev != NULL)
		door_close(b);
	if (b->front >= 0)
		close(b->front);
	vstate_watch_put();
	assert_int_equal(fds_count(), b->fds);
	assert_int_equal(access(b->conf.iface, F_OK), -1);
	assert_int_equal(rmdir(b->dir), 0);
	free(b);
	alarm(0);
	return 0;
}

/* ---- a front end ---- */

static void
bytes_send(int fd, const void *buf, size_t len)
{
	assert_int_equal(send(fd, buf, len, MSG_NOSIGNAL), len);
}

static void
u64_send(int fd, uint32_t request, uint32_t flags, uint64_t value)
{
	const struct msg msg = { .request = request, .flags = MSG_VERSION | flags, .size = 8,
		.u64 = value };

	bytes_send(fd, &msg, MSG_HEADER_SIZE + 8);
}

static void
state_send(int fd, uint32_t request, uint32_t index, uint32_t num)
{
	u64_send(fd, request, 0, index | (uint64_t)num << 32);
}

/* @return 1: a byte or the end can be read; 0: nothing comes */
static int
fd_wait(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms);
}

/* @return the length of the payload; -1: the device has closed the connection */
static int
answer_get(int fd, struct msg *msg)
{
	ssize_t n;

	memset(msg, 0, sizeof(*msg));
	assert_int_equal(fd_wait(fd, PATIENCE_MS), 1);
	n = recv(fd, msg, MSG_HEADER_SIZE, MSG_WAITALL);
	if (n <= 0)
		return -1;
	assert_int_equal(n, MSG_HEADER_SIZE);
	assert_int_equal(msg->flags, MSG_VERSION | MSG_REPLY);
	assert_true(msg->size <= sizeof(msg->payload));
	if (msg->size > 0)
		assert_int_equal(recv(fd, msg->payload, msg->size, MSG_WAITALL), msg->size);
	return msg->size;
}

static uint64_t
answer_u64(int fd, uint32_t request)
{
	struct msg msg;

	assert_int_equal(answer_get(fd, &msg), 8);
	assert_int_equal(msg.request, request);
	return msg.u64;
}

/* Messages before this one were processed. */
static uint64_t
features_get(int fd)
{
	const struct msg msg = { .request = MSG_GET_FEATURES, .flags = MSG_VERSION };

	bytes_send(fd, &msg, MSG_HEADER_SIZE);
	return answer_u64(fd, MSG_GET_FEATURES);
}

static uint64_t
refused_get(const struct bench *b, enum vstate_msg_refusal reason)
{
	return vstate_msg_refused_get(&b->dev->connection->refused, reason);
}

/* ---- messages ---- */

static void
message_that_comes_byte_by_byte_is_answered(void **state)
{
	const struct msg msg = { .request = MSG_GET_FEATURES, .flags = MSG_VERSION };
	struct bench *b = *state;
	unsigned int i;

	for (i = 0; i < MSG_HEADER_SIZE; i++) {
		bytes_send(b->front, (const uint8_t *)&msg + i, 1);
		usleep(1000);
	}
	assert_int_equal(answer_u64(b->front, MSG_GET_FEATURES), b->dev->features_offered);
}

/* The rest never comes. The teardown closes the device. */
static void
half_a_header_holds_nobody_up(void **state)
{
	struct bench *b = *state;

	features_get(b->front);
	bytes_send(b->front, "\1\0\0", 3);
	usleep(20000);
}

static void
header_without_payload_holds_nobody_up(void **state)
{
	const struct msg msg = { .request = MSG_SET_FEATURES, .flags = MSG_VERSION, .size = 8 };
	struct bench *b = *state;

	features_get(b->front);
	bytes_send(b->front, &msg, MSG_HEADER_SIZE);
	usleep(20000);
}

static void
answers_that_nobody_reads_hold_nobody_up(void **state)
{
	const struct msg msg = { .request = MSG_GET_FEATURES, .flags = MSG_VERSION };
	struct bench *b = *state;
	unsigned int sent = 0, idle = 0;

	while (idle < 20) {
		if (send(b->front, &msg, MSG_HEADER_SIZE, MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
			sent++;
			idle = 0;
		} else {
			idle++;
			usleep(5000);
		}
	}
	/* both directions are full */
	assert_true(sent > 100);
}

static void
payload_longer_than_any_closes_the_connection(void **state)
{
	const struct msg msg = { .request = MSG_GET_FEATURES, .flags = MSG_VERSION,
		.size = MSG_PAYLOAD_MAX + 1 };
	struct bench *b = *state;
	struct msg answer;

	bytes_send(b->front, &msg, MSG_HEADER_SIZE);
	assert_int_equal(answer_get(b->front, &answer), -1);
}

static void
refusal_is_acknowledged_or_closes_the_connection(void **state)
{
	struct bench *b = *state;
	struct msg answer;

	/* the door refuses */
	u64_send(b->front, MSG_SET_FEATURES, MSG_NEED_REPLY, UINT64_MAX);
	assert_int_equal(answer_u64(b->front, MSG_SET_FEATURES), 1);
	assert_int_equal(refused_get(b, VSTATE_MSG_R_FEATURES), 1);
	/* rte_vhost refuses: it has no memory in which the addresses could be */
	bytes_send(b->front, &(struct msg){ .request = MSG_SET_VRING_ADDR,
			.flags = MSG_VERSION | MSG_NEED_REPLY, .size = 40 }, MSG_HEADER_SIZE + 40);
	assert_int_equal(answer_u64(b->front, MSG_SET_VRING_ADDR), 1);
	assert_int_equal(refused_get(b, VSTATE_MSG_R_RTE_VHOST), 1);
	/* the connection holds, and an accepted message is acknowledged */
	u64_send(b->front, MSG_SET_FEATURES, MSG_NEED_REPLY, RTE_BIT64(VIRTIO_F_VERSION_1));
	assert_int_equal(answer_u64(b->front, MSG_SET_FEATURES), 0);
	u64_send(b->front, MSG_SET_FEATURES, 0, UINT64_MAX);
	assert_int_equal(answer_get(b->front, &answer), -1);
}

static void
base_of_a_packed_ring_has_both_positions(void **state)
{
	static const uint32_t bases[] = { 0x80058003, 0x00058007, 0x80000000, 0x8000 };
	struct bench *b = *state;
	struct msg answer;
	unsigned int i;

	u64_send(b->front, MSG_SET_FEATURES, 0, RTE_BIT64(VIRTIO_F_VERSION_1) |
			RTE_BIT64(VIRTIO_F_RING_PACKED));
	/* the driver's first position */
	state_send(b->front, MSG_GET_VRING_BASE, 1, 0);
	assert_int_equal(answer_get(b->front, &answer), 8);
	assert_int_equal(answer.state.num, 0x80008000);
	for (i = 0; i < RTE_DIM(bases); i++) {
		state_send(b->front, MSG_SET_VRING_BASE, 1, bases[i]);
		state_send(b->front, MSG_GET_VRING_BASE, 1, 0);
		assert_int_equal(answer_get(b->front, &answer), 8);
		assert_int_equal(answer.request, MSG_GET_VRING_BASE);
		assert_int_equal(answer.state.index, 1);
		assert_int_equal(answer.state.num, bases[i]);
	}
}

/* The answer to GET_VRING_BASE of a ring that the device has stopped there. */
static uint32_t
base_when_stopped(struct bench *b, uint64_t protocol, struct vstate_pos pos)
{
	struct msg answer;

	u64_send(b->front, MSG_SET_PROTOCOL_FEATURES, 0, protocol);
	u64_send(b->front, MSG_SET_FEATURES, 0, RTE_BIT64(VIRTIO_F_VERSION_1) |
			RTE_BIT64(VIRTIO_F_RING_PACKED));
	features_get(b->front);
	b->dev->connection->base_fresh[1] = false;
	b->dev->vqs[1]->avail = b->dev->vqs[1]->used = pos;
	state_send(b->front, MSG_GET_VRING_BASE, 1, 0);
	assert_int_equal(answer_get(b->front, &answer), 8);
	return answer.state.num;
}

/* QEMU before 8.1 negotiates all but DEVICE_STATE and what is newer. */
static void
base_of_a_front_end_that_would_abort_lacks_its_used_position(void **state)
{
	const struct vstate_pos first_turn = { 5, 1 }, second_turn = { 5, 0 };
	struct bench *b = *state;
	uint64_t offered, old;
	struct msg answer;

	u64_send(b->front, MSG_GET_PROTOCOL_FEATURES, 0, 0);
	offered = answer_u64(b->front, MSG_GET_PROTOCOL_FEATURES);
	old = offered & ~VSTATE_PROTOCOL_F_DEVICE_STATE;
	assert_true(offered & VSTATE_PROTOCOL_F_DEVICE_STATE);
	assert_int_equal(base_when_stopped(b, offered, first_turn), 0x80058005);
	assert_int_equal(base_when_stopped(b, old, first_turn), 0x8005);
	assert_int_equal(base_when_stopped(b, old, second_turn), 0x00050005);
	/* its own base comes back as it is */
	state_send(b->front, MSG_SET_VRING_BASE, 1, 0x80058005);
	state_send(b->front, MSG_GET_VRING_BASE, 1, 0);
	assert_int_equal(answer_get(b->front, &answer), 8);
	assert_int_equal(answer.state.num, 0x80058005);
	/* a front end that knows less is another one */
	assert_int_equal(base_when_stopped(b, old & ~VSTATE_PROTOCOL_F_STATUS, first_turn),
			0x80058005);
}

/* ---- descriptors ---- */

static int
fd_make(unsigned int kind)
{
	switch (kind) {
	case 0: return eventfd(0, EFD_CLOEXEC);
	case 1: return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	case 2: return open("/dev/null", O_RDWR | O_CLOEXEC);
	case 3: return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	default: return memfd_create("door", MFD_CLOEXEC);
	}
}

/*
 * Each request, with each size and number of descriptors. The front end connects again whenever the
 * device has closed the connection. bench_close() counts the descriptors.
 */
static void
no_descriptor_of_any_message_is_lost(void **state)
{
	static const uint32_t sizes[] = { 0, 4, 8, 20, 40 };
	struct bench *b = *state;
	unsigned int kind, nb, i;
	struct msg msg;
	int fds[8];

	for (kind = 0; kind < 5; kind++) {
		for (i = 0; i < 8; i++) {
			fds[i] = fd_make(kind);
			assert_true(fds[i] >= 0);
		}
		for (i = 0; i < 65 * RTE_DIM(sizes) * 9; i++) {
			nb = i / 65 / RTE_DIM(sizes);
			msg = (struct msg){ .request = i % 65, .flags = MSG_VERSION |
				MSG_NEED_REPLY, .size = sizes[i / 65 % RTE_DIM(sizes)] };
			while (vstate_scm_send(b->front, &msg, MSG_HEADER_SIZE + msg.size, fds,
					nb) < 0) {
				close(b->front);
				b->front = socket_connect(b->conf.iface);
			}
			while (fd_wait(b->front, 0) == 1 && answer_get(b->front, &msg) >= 0)
				;
		}
		for (i = 0; i < 8; i++)
			close(fds[i]);
	}
}

/* ---- connections ---- */

static void
second_front_end_waits_for_the_end_of_the_first(void **state)
{
	struct bench *b = *state;
	int second;

	features_get(b->front);
	second = socket_connect(b->conf.iface);
	features_get(b->front);
	close(b->front);
	b->front = second;
	features_get(b->front);
}

static void
second_front_end_that_talks_replaces_the_first(void **state)
{
	struct bench *b = *state;
	struct msg answer;
	int second;

	features_get(b->front);
	second = socket_connect(b->conf.iface);
	features_get(second);
	assert_int_equal(answer_get(b->front, &answer), -1);
	close(b->front);
	b->front = second;
	features_get(b->front);
}

static void
second_front_end_that_hangs_up_makes_no_difference(void **state)
{
	struct bench *b = *state;
	unsigned int i;

	for (i = 0; i < 20; i++) {
		close(socket_connect(b->conf.iface));
		features_get(b->front);
	}
}

static int
listener_make(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	rte_strscpy(un.sun_path, path, sizeof(un.sun_path));
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

/* A device that waited a second each time would find it in none of the tries. */
static void
client_soon_finds_a_front_end_that_starts_later(void **state)
{
	struct bench *b = *state;
	bool found = false;
	unsigned int i;
	int listener;

	door_close(b);
	b->conf.client = true;
	for (i = 0; i < 10 && !found; i++) {
		door_open(b);
		usleep(50000);
		listener = listener_make(b->conf.iface);
		found = fd_wait(listener, 500) == 1;
		door_close(b);
		close(listener);
		assert_int_equal(unlink(b->conf.iface), 0);
	}
	assert_true(found);
}

static void
path_of_another_device_is_refused(void **state)
{
	struct bench *b = *state;

	assert_null(ut_device_make("test_door2", &b->conf));
	assert_int_equal(rte_errno, EADDRINUSE);
	b->conf.client = true;
	assert_null(ut_device_make("test_door2", &b->conf));
	b->conf.client = false;
	features_get(b->front);
}

static void
socket_file_of_another_process_stays(void **state)
{
	struct bench *b = *state;
	int other;

	features_get(b->front);
	assert_int_equal(unlink(b->conf.iface), 0);
	other = listener_make(b->conf.iface);
	door_close(b);
	assert_int_equal(access(b->conf.iface, F_OK), 0);
	/* in use: it is not replaced either */
	b->dev = ut_device_make(NAME, &b->conf);
	assert_non_null(b->dev);
	assert_int_equal(b->dev->front_ops->open(b->dev), -EADDRINUSE);
	close(other);
	/* the file of a process that died is replaced */
	assert_int_equal(b->dev->front_ops->open(b->dev), 0);
	door_close(b);
	assert_int_equal(access(b->conf.iface, F_OK), -1);
}

static void *
close_soon(void *arg)
{
	usleep(200000);
	close(*(int *)arg);
	return NULL;
}

/* With a state file, which this process has locked, the process that listens is at its end. */
static void
socket_of_an_owner_that_is_dying_is_waited_for(void **state)
{
	struct bench *b = *state;
	char path[sizeof(b->conf.iface) + 16];
	struct vstate_thread thread;
	int other;

	door_close(b);
	other = listener_make(b->conf.iface);
	rte_strscpy(b->conf.state_dir, b->dir, sizeof(b->conf.state_dir));
	b->dev = ut_device_make(NAME, &b->conf);
	assert_non_null(b->dev);
	assert_int_equal(vstate_thread_create(&thread, "closer", close_soon, &other), 0);
	assert_int_equal(b->dev->front_ops->open(b->dev), 0);
	vstate_thread_join(&thread);
	door_close(b);
	assert_int_equal(access(b->conf.iface, F_OK), -1);
	snprintf(path, sizeof(path), "%s/%s.vstate", b->dir, NAME);
	assert_int_equal(unlink(path), 0);
}

static void
file_that_is_no_socket_stays(void **state)
{
	struct bench *b = *state;
	int fd;

	door_close(b);
	fd = open(b->conf.iface, O_CREAT | O_EXCL | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	b->dev = ut_device_make(NAME, &b->conf);
	assert_int_equal(b->dev->front_ops->open(b->dev), -EADDRINUSE);
	assert_int_equal(unlink(b->conf.iface), 0);
}

static void
error_of_the_path_is_the_system_s(void **state)
{
	struct bench *b = *state;
	char path[sizeof(b->conf.iface)];

	door_close(b);
	rte_strscpy(path, b->conf.iface, sizeof(path));
	snprintf(b->conf.iface, sizeof(b->conf.iface), "%s/none/socket", b->dir);
	b->dev = ut_device_make(NAME, &b->conf);
	assert_int_equal(b->dev->front_ops->open(b->dev), -ENOENT);
	rte_strscpy(b->conf.iface, path, sizeof(path));
}

static void
socket_file_has_the_mode_that_was_asked_for(void **state)
{
	struct bench *b = *state;
	struct stat st;

	door_close(b);
	b->conf.socket_mode = 0640;
	b->conf.socket_group = getegid();
	door_open(b);
	assert_int_equal(stat(b->conf.iface, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_gid, getegid());
	door_close(b);
	/* a refused mode leaves no file behind */
	if (geteuid() == 0)
		return;
	b->conf.socket_group = 0;
	b->dev = ut_device_make(NAME, &b->conf);
	assert_int_equal(b->dev->front_ops->open(b->dev), -EPERM);
}

/* The process before has read the begin of a message. The rest comes to this process. */
static void
begin_of_a_message_that_another_process_read_is_continued(void **state)
{
	const struct msg msg = { .request = MSG_GET_FEATURES, .flags = MSG_VERSION };
	struct vstate_handover_item item = { .type = VSTATE_HANDOVER_PARTIAL, .size = 5,
		.bytes = (const uint8_t *)&msg };
	const int cancel = eventfd(0, EFD_CLOEXEC);
	struct bench *b = *state;
	struct vstate_front front;
	int ends[2];

	door_close(b);
	b->dev = ut_device_make(NAME, &b->conf);
	assert_non_null(b->dev);
	vstate_front_init(&front, b->dev, cancel);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(vstate_front_begin(&front, ends[0]), 0);
	assert_int_equal(vstate_front_replay(&front, &item), 0);
	/* there is one such begin */
	assert_int_equal(vstate_front_replay(&front, &item), -EBADMSG);
	assert_int_equal(vstate_front_serve(&front), 0);
	bytes_send(ends[1], (const uint8_t *)&msg + 5, MSG_HEADER_SIZE - 5);
	assert_int_equal(vstate_front_serve(&front), 0);
	assert_int_equal(answer_u64(ends[1], MSG_GET_FEATURES), b->dev->features_offered);
	vstate_front_end(&front, true);
	close(ends[1]);
	close(cancel);
}

/* @return the number of rte_vhost's event thread; 0: there is none */
static pid_t
event_thread_find(void)
{
	DIR *tasks = opendir("/proc/self/task");
	char path[64], comm[32];
	struct dirent *entry;
	pid_t found = 0;
	FILE *f;

	assert_non_null(tasks);
	while ((entry = readdir(tasks)) != NULL) {
		snprintf(path, sizeof(path), "/proc/self/task/%.16s/comm", entry->d_name);
		f = fopen(path, "r");
		if (f == NULL)
			continue;
		/* "vhost-events" in 22.11, "dpdk-vhost-evt" since 23.11 */
		if (fgets(comm, sizeof(comm), f) != NULL && strstr(comm, "vhost-ev") != NULL)
			found = atoi(entry->d_name);
		fclose(f);
	}
	closedir(tasks);
	return found;
}

/* An end of the thread would hold up a handover for up to one second. */
static void
event_thread_outlives_the_last_device(void **state)
{
	struct bench *b = *state;
	const pid_t thread = event_thread_find();

	assert_int_not_equal(thread, 0);
	door_close(b);
	assert_int_equal(event_thread_find(), thread);
	door_open(b);
	assert_int_equal(event_thread_find(), thread);
}

static void
closed_door_stays_closed(void **state)
{
	struct bench *b = *state;

	vstate_door_close(b->dev);
	assert_true(b->dev->front_ops->is_shut(b->dev));
	assert_int_equal(b->dev->front_ops->open(b->dev), -ESHUTDOWN);
}

int
test_vstate_door(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_close)
	static const struct CMUnitTest tests[] = {
		TEST(message_that_comes_byte_by_byte_is_answered),
		TEST(half_a_header_holds_nobody_up),
		TEST(header_without_payload_holds_nobody_up),
		TEST(answers_that_nobody_reads_hold_nobody_up),
		TEST(payload_longer_than_any_closes_the_connection),
		TEST(refusal_is_acknowledged_or_closes_the_connection),
		TEST(base_of_a_packed_ring_has_both_positions),
		TEST(base_of_a_front_end_that_would_abort_lacks_its_used_position),
		TEST(no_descriptor_of_any_message_is_lost),
		TEST(second_front_end_waits_for_the_end_of_the_first),
		TEST(second_front_end_that_talks_replaces_the_first),
		TEST(second_front_end_that_hangs_up_makes_no_difference),
		TEST(client_soon_finds_a_front_end_that_starts_later),
		TEST(path_of_another_device_is_refused),
		TEST(socket_file_of_another_process_stays),
		TEST(socket_of_an_owner_that_is_dying_is_waited_for),
		TEST(file_that_is_no_socket_stays),
		TEST(error_of_the_path_is_the_system_s),
		TEST(socket_file_has_the_mode_that_was_asked_for),
		TEST(begin_of_a_message_that_another_process_read_is_continued),
		TEST(event_thread_outlives_the_last_device),
		TEST(closed_door_stays_closed),
	};

	return cmocka_run_group_tests_name("vstate_door", tests, NULL, NULL);
}
