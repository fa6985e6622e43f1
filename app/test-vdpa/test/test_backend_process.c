/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_errno.h>

#include "backend.h"
#include "backend_child.h"
#include "backend_msg.h"
#include "backend_process.h"
#include "fake_backend.h"
#include "process.h"
#include "rte_vhost_state_backend.h"
#include "strvec.h"
#include "unit.h"

#define CONFIGURABLE (RTE_VHOST_STATE_S_ACKNOWLEDGE | RTE_VHOST_STATE_S_DRIVER | \
	RTE_VHOST_STATE_S_FEATURES_OK)
#define SUSPENDED (CONFIGURABLE | RTE_VHOST_STATE_S_SUSPEND)

/* The child runs this test program again, with fake devices that can also fail to answer. */

static int
fake_info_die(struct backend *be, struct rte_vhost_state_info *info)
{
	raise(SIGKILL);
	return 0;
}

static int
fake_info_inherited(struct backend *be, struct rte_vhost_state_info *info)
{
	int fd;

	memset(info, 0, sizeof(*info));
	for (fd = BACKEND_CHILD_FD + 1; fd < 256; fd++)
		info->suspend.count += lseek(fd, 0, SEEK_CUR) >= 0 || errno != EBADF;
	return 0;
}

static struct backend *
child_create(const struct backend_device *dev)
{
	static struct backend_ops ops;
	struct backend *be;

	if (strcmp(dev->name, "refused") == 0) {
		rte_errno = ENODEV;
		return NULL;
	}
	be = fake_create(dev);
	if (be == NULL)
		return NULL;
	ops = *be->ops;
	be->ops = &ops;
	if (strcmp(dev->name, "suspended") == 0)
		fake_device(be)->status = SUSPENDED;
	if (strcmp(dev->name, "configurable") == 0)
		fake_device(be)->status = CONFIGURABLE;
	if (strcmp(dev->name, "dies") == 0)
		ops.info = fake_info_die;
	if (strcmp(dev->name, "inherits") == 0)
		ops.info = fake_info_inherited;
	return be;
}

static int
child_main(void)
{
	struct backend_child bc = { .create = child_create };

	return backend_child_serve(&bc, BACKEND_CHILD_FD) == 0 ? 0 : 1;
}

static struct backend *
child_backend(const char *name)
{
	const struct strvec none = STRVEC_INIT;
	struct backend_device dev;

	memset(&dev, 0, sizeof(dev));
	snprintf(dev.name, sizeof(dev.name), "%s", name);
	return backend_process_create(&dev, &none, false);
}

static void
state_travels_between_children(void **state)
{
	struct backend *from = child_backend("suspended"), *to = child_backend("configurable");
	struct rte_vhost_state_error err = { 0 };
	struct rte_vhost_state *st, *want;
	struct backend *here;

	assert_non_null(from);
	assert_non_null(to);
	here = fake_create(&from->dev);
	fake_device(here)->status = SUSPENDED;
	want = here->ops->capture(here, &err);
	st = from->ops->capture(from, &err);
	assert_non_null(st);
	assert_true(rte_vhost_state_equal(st, want));
	assert_int_equal(to->ops->restore(to, st, &err), 0);
	here->ops->destroy(here);
	/* An invalid state is not sent. */
	st->vqs[0].size = 3;
	assert_int_equal(to->ops->restore(to, st, &err), -EINVAL);
	assert_int_equal(err.reason, RTE_VHOST_STATE_R_VQ_SIZE);
	rte_vhost_state_free(st);
	rte_vhost_state_free(want);
	from->ops->destroy(from);
	to->ops->destroy(to);
}

static void
refusal_travels_with_its_reason(void **state)
{
	struct rte_vhost_state_error err = { 0 };
	struct rte_vhost_state_info info;
	struct backend *be = child_backend("in reset");

	assert_non_null(be);
	assert_int_equal(be->ops->info(be, &info), 0);
	assert_int_equal(info.status, 0);
	assert_int_equal(be->ops->suspend(be, 1000, &err), -EAGAIN);
	assert_int_equal(err.reason, RTE_VHOST_STATE_R_NOT_RUNNING);
	assert_null(be->ops->capture(be, &err));
	assert_int_equal(rte_errno, EBUSY);
	assert_int_equal(err.reason, RTE_VHOST_STATE_R_NOT_SUSPENDED);
	be->ops->destroy(be);
}

static void
device_that_cannot_be_created_is_reported(void **state)
{
	rte_errno = 0;
	assert_null(child_backend("refused"));
	assert_int_equal(rte_errno, ENODEV);
}

static void
death_of_the_child_is_no_hang(void **state)
{
	struct rte_vhost_state_info info;
	struct rte_vhost_state_error err;
	struct backend *be = child_backend("dies");

	assert_non_null(be);
	assert_int_equal(be->ops->info(be, &info), -EPIPE);
	assert_int_equal(be->ops->suspend(be, 0, &err), -EPIPE);
	be->ops->destroy(be);
}

static void
child_inherits_no_descriptor(void **state)
{
	struct rte_vhost_state_info info;
	struct backend *be;
	int fd = dup(STDERR_FILENO);

	be = child_backend("inherits");
	assert_non_null(be);
	assert_int_equal(be->ops->info(be, &info), 0);
	assert_int_equal(info.suspend.count, 0);
	be->ops->destroy(be);
	close(fd);
}

/* ---- messages ---- */

static int pair[2];

static int
pair_setup(void **state)
{
	return socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
}

static int
pair_teardown(void **state)
{
	close(pair[0]);
	close(pair[1]);
	return 0;
}

static void
message_larger_than_a_socket_buffer_arrives(void **state)
{
	struct backend_msg_head head = { .op = BACKEND_MSG_CAPTURE, .len = 4 << 20 };
	char *bytes = malloc(head.len);
	void *got;
	pid_t pid;

	memset(bytes, 0x5a, head.len);
	bytes[head.len - 1] = 1;
	pid = fork();
	if (pid == 0)
		_exit(backend_msg_send(pair[0], &head, bytes, 5000) == 0 ? 0 : 1);
	memset(&head, 0, sizeof(head));
	assert_int_equal(backend_msg_recv(pair[1], &head, &got, 5000), 0);
	assert_int_equal(head.op, BACKEND_MSG_CAPTURE);
	assert_int_equal(head.len, 4 << 20);
	assert_memory_equal(got, bytes, head.len);
	process_end(pid, 1000);
	free(got);
	free(bytes);
}

static void
silence_times_out(void **state)
{
	struct backend_msg_head head = { 0 };
	void *got;

	assert_int_equal(backend_msg_recv(pair[1], &head, &got, 20), -ETIMEDOUT);
	/* half a message as well */
	assert_int_equal(write(pair[0], &head, 3), 3);
	assert_int_equal(backend_msg_recv(pair[1], &head, &got, 20), -ETIMEDOUT);
}

static void
full_pipe_times_out(void **state)
{
	struct backend_msg_head head = { .op = BACKEND_MSG_RESTORE, .len = 4 << 20 };
	char *bytes = calloc(1, head.len);

	assert_int_equal(backend_msg_send(pair[0], &head, bytes, 20), -ETIMEDOUT);
	free(bytes);
}

static void
closed_pipe_is_reported(void **state)
{
	struct backend_msg_head head = { .op = BACKEND_MSG_INFO };
	void *got;

	shutdown(pair[0], SHUT_RDWR);
	assert_int_equal(backend_msg_recv(pair[1], &head, &got, 1000), -EPIPE);
	assert_int_equal(backend_msg_send(pair[1], &head, NULL, 1000), -EPIPE);
}

static void
foreign_bytes_are_refused(void **state)
{
	struct backend_msg_head head = { .magic = 1 };
	void *got;

	assert_int_equal(write(pair[0], &head, sizeof(head)), sizeof(head));
	assert_int_equal(backend_msg_recv(pair[1], &head, &got, 1000), -EBADMSG);
}

#define MSG_TEST(f) cmocka_unit_test_setup_teardown(f, pair_setup, pair_teardown)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_travels_between_children),
		cmocka_unit_test(refusal_travels_with_its_reason),
		cmocka_unit_test(device_that_cannot_be_created_is_reported),
		cmocka_unit_test(death_of_the_child_is_no_hang),
		cmocka_unit_test(child_inherits_no_descriptor),
		MSG_TEST(message_larger_than_a_socket_buffer_arrives),
		MSG_TEST(silence_times_out),
		MSG_TEST(full_pipe_times_out),
		MSG_TEST(closed_pipe_is_reported),
		MSG_TEST(foreign_bytes_are_refused),
	};

	if (argc > 1 && strcmp(argv[argc - 1], BACKEND_CHILD_COMMAND) == 0)
		return child_main();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
