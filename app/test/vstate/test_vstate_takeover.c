/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * The owner of a state file, with requests that are withdrawn, and with a removal during a request.
 * The socket, which must not replace the socket of another process.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/virtio_config.h>

#include <rte_bitops.h>
#include <rte_memory.h>
#include <rte_string_fns.h>

#include "ut_device.h"
#include "ut_groups.h"
#include "ut_ring.h"
#include "ut_socket.h"
#include "dev/vstate_conf.h"
#include "dev/vstate_control.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_poller.h"
#include "dev/vstate_setup.h"
#include "dev/vstate_start.h"
#include "dev/vstate_watch.h"
#include "handover/vstate_state_file.h"
#include "handover/vstate_takeover.h"
#include "ring/vstate_lease.h"
#include "vhost/vstate_socket.h"

#define NAME "test_takeover"
#define SIZE 64
#define ASKER 4242
#define RELEASED 1
/* Bound for events that follow at once on an idle machine. */
#define PATIENCE_MS 10000
/* Bound for a test: one that hangs fails. */
#define HANG_S 60

struct bench {
	char dir[64], path[128];
	struct vstate_conf conf;
	struct vstate_dev *dev;
	struct ring ring;
	struct vstate_setup setup;
	/** Head of the state file, mapped by the process that asks. */
	struct vstate_state_file_head *head;
	int fd;
};

static void
device_start(struct bench *b)
{
	unsigned int i;

	b->setup.features = RTE_BIT64(VIRTIO_F_VERSION_1);
	b->setup.mem = b->ring.guest.mem;
	/* both queues use the same ring, as no thread polls them */
	for (i = 0; i < 2; i++) {
		ring_describe(&b->ring, &b->setup.rings[i]);
		b->setup.rings[i].ready = true;
		b->setup.rings[i].base_fresh = true;
	}
	vstate_poller_set(b->dev, VSTATE_POLLER_PORT, NULL, NULL);
	vstate_start_connect(b->dev);
	vstate_start_negotiate(b->dev, b->setup.features, false);
	vstate_start(b->dev, &b->setup);
}

static int
bench_make(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	alarm(HANG_S);
	rte_strscpy(b->dir, "/tmp/vstate-takeover.XXXXXX", sizeof(b->dir));
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->path, sizeof(b->path), "%s/" NAME ".vstate", b->dir);
	b->conf = ut_conf(1, 9000);
	rte_strscpy(b->conf.state_dir, b->dir, sizeof(b->conf.state_dir));
	snprintf(b->conf.iface, sizeof(b->conf.iface), "%s/socket", b->dir);
	ring_open(&b->ring, false, SIZE);
	vstate_lease_init();
	assert_int_equal(vstate_watch_get(), 0);
	b->dev = ut_device_make(NAME, &b->conf);
	assert_non_null(b->dev);
	device_start(b);
	b->fd = open(b->path, O_RDWR);
	assert_true(b->fd >= 0);
	b->head = mmap(NULL, sizeof(*b->head), PROT_READ | PROT_WRITE, MAP_SHARED, b->fd, 0);
	assert_true(b->head != MAP_FAILED);
	*state = b;
	return 0;
}

static int
bench_close(void **state)
{
	struct bench *b = *state;

	vstate_takeover_end(b->dev);
	vstate_socket_close(b->dev);
	vstate_start_disconnect(b->dev, false);
	ut_device_unmake(b->dev);
	vstate_watch_put();
	ring_close(&b->ring);
	munmap(b->head, sizeof(*b->head));
	close(b->fd);
	unlink(b->conf.iface);
	unlink(b->path);
	assert_int_equal(rmdir(b->dir), 0);
	free(b);
	alarm(0);
	return 0;
}

static void
request_set(struct bench *b, uint32_t token)
{
	__atomic_store_n(&b->head->request, token, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &b->head->request, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

static bool
file_is_free(struct bench *b)
{
	if (flock(b->fd, LOCK_EX | LOCK_NB) != 0)
		return false;
	flock(b->fd, LOCK_UN);
	return true;
}

static bool
vqs_are_granted(const struct bench *b)
{
	return vstate_lease_is_granted(&b->dev->vqs[0]->lease) &&
		vstate_lease_is_granted(&b->dev->vqs[1]->lease);
}

/* ---- a control lock that is held ---- */

struct busy {
	pthread_t thread;
	sem_t begun, end;
	struct vstate_dev *dev;
};

static int
do_busy(struct vstate_dev *dev, void *arg)
{
	struct busy *busy = arg;

	RTE_SET_USED(dev);
	sem_post(&busy->begun);
	sem_wait(&busy->end);
	return 0;
}

static void *
busy_main(void *arg)
{
	struct busy *busy = arg;

	vstate_control_run(do_busy, busy->dev, busy);
	return NULL;
}

static void
busy_begin(struct busy *busy, struct vstate_dev *dev)
{
	busy->dev = dev;
	sem_init(&busy->begun, 0, 0);
	sem_init(&busy->end, 0, 0);
	assert_int_equal(pthread_create(&busy->thread, NULL, busy_main, busy), 0);
	sem_wait(&busy->begun);
}

static void
busy_end(struct busy *busy)
{
	sem_post(&busy->end);
	pthread_join(busy->thread, NULL);
	sem_destroy(&busy->begun);
	sem_destroy(&busy->end);
}

/* ---- tests ---- */

static void
withdrawn_request_leaves_the_owner_unchanged(void **state)
{
	struct bench *b = *state;
	struct busy busy;
	unsigned int ms;

	assert_int_equal(vstate_takeover_open(b->dev), 0);
	busy_begin(&busy, b->dev);
	request_set(b, ASKER);
	usleep(50000);
	request_set(b, 0);
	busy_end(&busy);
	usleep(50000);
	for (ms = 0; ms < PATIENCE_MS && !vqs_are_granted(b); ms++)
		usleep(1000);
	assert_true(vqs_are_granted(b));
	assert_false(file_is_free(b));
	assert_int_equal(b->head->answer, 0);
	assert_string_equal(vstate_takeover_phase(b->dev), "");
	/* the next request is granted */
	request_set(b, ASKER);
	for (ms = 0; ms < PATIENCE_MS && b->head->answer != RELEASED; ms++)
		usleep(1000);
	assert_int_equal(b->head->answer, RELEASED);
	assert_true(file_is_free(b));
	assert_false(vqs_are_granted(b));
	assert_int_equal(access(b->conf.iface, F_OK), -1);
}

static void
removal_ends_while_a_request_is_refused(void **state)
{
	struct bench *b = *state;
	struct vstate_lease *lease = &b->dev->vqs[1]->lease;

	assert_int_equal(vstate_takeover_open(b->dev), 0);
	/* a poll thread that does not return */
	assert_true(vstate_lease_take(lease));
	request_set(b, ASKER);
	usleep(50000);
	vstate_takeover_end(b->dev);
	assert_false(file_is_free(b));
	vstate_lease_give(lease);
}

static void
socket_of_another_process_is_not_replaced(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	struct bench *b = *state;

	rte_strscpy(un.sun_path, b->conf.iface, sizeof(un.sun_path));
	assert_int_equal(bind(listener, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(b->dev->front_ops->open(b->dev), -EADDRINUSE);
	vstate_socket_close(b->dev);
	close(socket_connect(b->conf.iface));
	close(listener);
}

static void
threads_started_before_a_takeover_leave_no_file(void **state)
{
	struct bench *b = *state;

	b->dev->front_ops->prepare(b->dev);
	b->dev->front_ops->prepare_end(b->dev);
	assert_int_equal(b->dev->front_ops->open(b->dev), 0);
	close(socket_connect(b->conf.iface));
	/* bench_close() checks that the directory is empty; a closed socket is not opened again */
	vstate_socket_close(b->dev);
	assert_int_equal(b->dev->front_ops->open(b->dev), -ESHUTDOWN);
}

int
test_vstate_takeover(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_close)
	static const struct CMUnitTest tests[] = {
		TEST(withdrawn_request_leaves_the_owner_unchanged),
		TEST(removal_ends_while_a_request_is_refused),
		TEST(socket_of_another_process_is_not_replaced),
		TEST(threads_started_before_a_takeover_leave_no_file),
	};

	return cmocka_run_group_tests_name("vstate_takeover", tests, NULL, NULL);
}
