/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_thread.h>

#include "rte_vhost_state_backend.h"
#include "vhost_state_test.h"
#include "vstate_compat.h"

/* ---- a back end that has a status byte and a state only ---- */

struct fake {
	/** Several threads call operations at a time. */
	pthread_mutex_t lock;
	uint8_t status;
	bool connected, late;
	uint32_t timeout_us;
	struct rte_vhost_state *st;
	/** Operations that run now, and operations that have begun since the start. */
	int inside, begun;
	/** An operation posts @p entered and waits for @p leave. */
	bool gated;
	sem_t entered, leave;
};

static void
fake_enter(struct fake *dev)
{
	rte_atomic_fetch_add_explicit(&dev->inside, 1, rte_memory_order_seq_cst);
	rte_atomic_fetch_add_explicit(&dev->begun, 1, rte_memory_order_seq_cst);
	if (dev->gated) {
		sem_post(&dev->entered);
		while (sem_wait(&dev->leave) != 0)
			;
	}
	pthread_mutex_lock(&dev->lock);
}

static void
fake_leave(struct fake *dev)
{
	pthread_mutex_unlock(&dev->lock);
	rte_atomic_fetch_sub_explicit(&dev->inside, 1, rte_memory_order_seq_cst);
}

static int
fake_info_get(void *ctx, struct rte_vhost_state_info *info)
{
	struct fake *dev = ctx;

	fake_enter(dev);
	info->status = dev->status;
	info->connected = dev->connected;
	info->limits = sample_limits();
	fake_leave(dev);
	return 0;
}

static int
fake_suspend(void *ctx, uint32_t timeout_us, struct rte_vhost_state_error *err)
{
	struct fake *dev = ctx;
	int ret;

	fake_enter(dev);
	dev->timeout_us = timeout_us;
	ret = rte_vhost_state_may(dev->status, RTE_VHOST_STATE_A_SUSPEND, err);
	if (ret == 0 && !dev->connected)
		ret = rte_vhost_state_refuse(err, RTE_VHOST_STATE_R_NOT_CONNECTED, -1, 0, 0);
	else if (ret == 0 && dev->late)
		ret = rte_vhost_state_refuse(err, RTE_VHOST_STATE_R_TIMEOUT, 2, timeout_us,
				timeout_us + 1);
	else if (ret == 0)
		dev->status = SAMPLE_SUSPENDED;
	fake_leave(dev);
	return ret;
}

static int
fake_resume(void *ctx, struct rte_vhost_state_error *err)
{
	struct fake *dev = ctx;
	int ret;

	fake_enter(dev);
	ret = rte_vhost_state_may(dev->status, RTE_VHOST_STATE_A_RESUME, err);
	if (ret == 0)
		dev->status = 0x0f;
	fake_leave(dev);
	return ret;
}

static struct rte_vhost_state *
fake_capture(void *ctx, struct rte_vhost_state_error *err)
{
	struct fake *dev = ctx;
	struct rte_vhost_state *st = NULL;

	fake_enter(dev);
	if (rte_vhost_state_may(dev->status, RTE_VHOST_STATE_A_CAPTURE, err) == 0)
		st = rte_vhost_state_copy(dev->st);
	fake_leave(dev);
	return st;
}

static int
fake_restore(void *ctx, const struct rte_vhost_state *st, struct rte_vhost_state_error *err)
{
	const struct rte_vhost_state_limits limits = sample_limits();
	struct fake *dev = ctx;
	int ret;

	fake_enter(dev);
	ret = rte_vhost_state_may(dev->status, RTE_VHOST_STATE_A_RESTORE, err);
	if (ret == 0)
		ret = rte_vhost_state_check_fit(st, &limits, err);
	if (ret == 0) {
		rte_vhost_state_free(dev->st);
		dev->st = rte_vhost_state_copy(st);
	}
	fake_leave(dev);
	return ret;
}

static const struct rte_vhost_state_ops fake_ops = {
	.info_get = fake_info_get,
	.suspend = fake_suspend,
	.resume = fake_resume,
	.capture = fake_capture,
	.restore = fake_restore,
};

static void
fake_start(struct fake *dev, const char *name)
{
	memset(dev, 0, sizeof(*dev));
	pthread_mutex_init(&dev->lock, NULL);
	dev->status = 0x0f;
	dev->connected = true;
	dev->st = sample_packed_descs();
	assert_int_equal(sem_init(&dev->entered, 0, 0), 0);
	assert_int_equal(sem_init(&dev->leave, 0, 0), 0);
	assert_int_equal(rte_vhost_state_register(name, &fake_ops, dev), 0);
}

static void
fake_stop(struct fake *dev, const char *name)
{
	assert_int_equal(rte_vhost_state_unregister(name), 0);
	rte_vhost_state_free(dev->st);
	sem_destroy(&dev->entered);
	sem_destroy(&dev->leave);
}

/* ---- registry ---- */

static void
devices_are_listed_in_the_order_of_registration(void **state)
{
	char name[RTE_VHOST_STATE_NAME_SIZE];
	struct fake b, a, c;

	assert_int_equal(rte_vhost_state_name_get(0, name), -ENOENT);
	fake_start(&b, "b");
	fake_start(&a, "a");
	fake_start(&c, "c");
	assert_int_equal(rte_vhost_state_name_get(0, name), 0);
	assert_string_equal(name, "b");
	assert_int_equal(rte_vhost_state_name_get(2, name), 0);
	assert_string_equal(name, "c");
	assert_int_equal(rte_vhost_state_name_get(3, name), -ENOENT);
	fake_stop(&a, "a");
	assert_int_equal(rte_vhost_state_name_get(1, name), 0);
	assert_string_equal(name, "c");
	fake_stop(&b, "b");
	fake_stop(&c, "c");
	assert_int_equal(rte_vhost_state_name_get(0, name), -ENOENT);
}

static void
invalid_registrations_are_refused(void **state)
{
	struct rte_vhost_state_ops ops;
	char name[RTE_VHOST_STATE_NAME_SIZE + 1];
	struct fake dev;
	size_t at;

	memset(name, 'x', sizeof(name));
	name[RTE_VHOST_STATE_NAME_SIZE] = '\0';
	assert_int_equal(rte_vhost_state_register(name, &fake_ops, NULL), -EINVAL);
	assert_int_equal(rte_vhost_state_register("", &fake_ops, NULL), -EINVAL);
	assert_int_equal(rte_vhost_state_register(NULL, &fake_ops, NULL), -EINVAL);
	assert_int_equal(rte_vhost_state_register("d", NULL, NULL), -EINVAL);
	/* In each round another mandatory operation is missing. */
	for (at = 0; at < offsetof(struct rte_vhost_state_ops, release); at += sizeof(void *)) {
		ops = fake_ops;
		memset((char *)&ops + at, 0, sizeof(void *));
		assert_int_equal(rte_vhost_state_register("d", &ops, NULL), -EINVAL);
	}
	test_fail_allocation(1);
	assert_int_equal(rte_vhost_state_register("d", &fake_ops, NULL), -ENOMEM);
	fake_start(&dev, "d");
	assert_int_equal(rte_vhost_state_register("d", &fake_ops, NULL), -EEXIST);
	fake_stop(&dev, "d");
	assert_int_equal(rte_vhost_state_unregister("d"), -ENODEV);
	assert_int_equal(rte_vhost_state_unregister(NULL), -ENODEV);
}

static void
longest_name_is_accepted(void **state)
{
	char name[RTE_VHOST_STATE_NAME_SIZE], found[RTE_VHOST_STATE_NAME_SIZE];
	struct fake dev;

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	fake_start(&dev, name);
	assert_int_equal(rte_vhost_state_name_get(0, found), 0);
	assert_string_equal(name, found);
	fake_stop(&dev, name);
}

/* ---- operations ---- */

static void
unknown_device_is_refused_by_every_operation(void **state)
{
	struct rte_vhost_state *st = sample_split();
	struct rte_vhost_state_info info;
	struct rte_vhost_state_error err;

	assert_int_equal(rte_vhost_state_info_get("none", &info), -ENODEV);
	assert_refused(RTE_VHOST_STATE_R_NO_DEVICE, &err,
			rte_vhost_state_suspend("none", 0, &err));
	assert_refused(RTE_VHOST_STATE_R_NO_DEVICE, &err, rte_vhost_state_resume("none", &err));
	assert_refused(RTE_VHOST_STATE_R_NO_DEVICE, &err,
			test_state_result(rte_vhost_state_capture("none", &err)));
	assert_refused(RTE_VHOST_STATE_R_NO_DEVICE, &err,
			rte_vhost_state_restore("none", st, &err));
	assert_int_equal(rte_vhost_state_suspend(NULL, 0, NULL), -ENODEV);
	rte_vhost_state_free(st);
}

static void
captured_state_is_restored_at_another_device(void **state)
{
	struct rte_vhost_state_error err;
	struct rte_vhost_state_info info;
	struct rte_vhost_state *st;
	struct fake a, b;

	fake_start(&a, "a");
	fake_start(&b, "b");
	b.status = 0x0b;
	rte_vhost_state_free(b.st);
	b.st = NULL;

	assert_int_equal(rte_vhost_state_suspend("a", 1234, &err), 0);
	assert_int_equal(err.reason, RTE_VHOST_STATE_R_NONE);
	assert_int_equal(a.timeout_us, 1234);
	/* VIRTIO 1.4 P11: suspending a suspended device is no error. */
	assert_int_equal(rte_vhost_state_suspend("a", 0, NULL), 0);
	assert_int_equal(rte_vhost_state_info_get("a", &info), 0);
	assert_int_equal(info.status, SAMPLE_SUSPENDED);
	st = rte_vhost_state_capture("a", &err);
	assert_non_null(st);
	assert_int_equal(rte_vhost_state_restore("b", st, &err), 0);
	assert_true(rte_vhost_state_equal(a.st, b.st));
	assert_int_equal(rte_vhost_state_resume("a", &err), 0);
	assert_int_equal(rte_vhost_state_resume("a", NULL), 0);
	rte_vhost_state_free(st);
	fake_stop(&a, "a");
	fake_stop(&b, "b");
}

static void
refusals_of_the_back_end_are_returned_to_the_caller(void **state)
{
	struct rte_vhost_state *st = sample_split();
	struct rte_vhost_state_error err;
	struct fake dev;

	fake_start(&dev, "d");
	assert_refused(RTE_VHOST_STATE_R_NOT_SUSPENDED, &err,
			test_state_result(rte_vhost_state_capture("d", &err)));
	assert_refused(RTE_VHOST_STATE_R_NOT_CONFIGURABLE, &err,
			rte_vhost_state_restore("d", st, &err));
	dev.late = true;
	assert_refused(RTE_VHOST_STATE_R_TIMEOUT, &err, rte_vhost_state_suspend("d", 10, &err));
	assert_int_equal(err.vq, 2);
	dev.connected = false;
	assert_refused(RTE_VHOST_STATE_R_NOT_CONNECTED, &err,
			rte_vhost_state_suspend("d", 10, &err));
	assert_null(rte_vhost_state_capture("d", NULL));
	assert_int_equal(rte_errno, EBUSY);
	rte_vhost_state_free(st);
	fake_stop(&dev, "d");
}

static int
fake_release(void *ctx, struct rte_vhost_state_error *err)
{
	struct fake *dev = ctx;

	if (dev->late)
		return rte_vhost_state_refuse(err, RTE_VHOST_STATE_R_UNDER_WAY, -1, 0, 0);
	dev->late = true;
	return 0;
}

static int
fake_stats_get(void *ctx, rte_vhost_state_stat_cb cb, void *arg)
{
	cb(arg, -1, "starts", 1);
	cb(arg, 1, "packets", 2);
	return 0;
}

static void
stat_sum(void *arg, int vq, const char *name, uint64_t value)
{
	*(uint64_t *)arg += 100 * (vq + 1) + 10 * strlen(name) + value;
}

static void
optional_operations_may_be_missing(void **state)
{
	struct rte_vhost_state_ops ops = fake_ops;
	struct rte_vhost_state_error err;
	struct fake dev;
	uint64_t sum = 0;

	fake_start(&dev, "d");
	assert_refused(RTE_VHOST_STATE_R_NOT_SUPPORTED, &err, rte_vhost_state_release("d", &err));
	assert_int_equal(rte_vhost_state_release("none", NULL), -ENODEV);
	assert_int_equal(rte_vhost_state_stats_get("d", stat_sum, &sum), -ENOTSUP);
	assert_int_equal(rte_vhost_state_stats_get("none", stat_sum, &sum), -ENODEV);
	ops.release = fake_release;
	ops.stats_get = fake_stats_get;
	assert_int_equal(rte_vhost_state_register("e", &ops, &dev), 0);
	assert_int_equal(rte_vhost_state_release("e", NULL), 0);
	assert_refused(RTE_VHOST_STATE_R_UNDER_WAY, &err, rte_vhost_state_release("e", &err));
	assert_int_equal(rte_vhost_state_stats_get("e", stat_sum, &sum), 0);
	assert_int_equal(sum, 60 + 1 + 200 + 70 + 2);
	assert_int_equal(rte_vhost_state_unregister("e"), 0);
	fake_stop(&dev, "d");
}

/* ---- threads ---- */

static uint32_t
run_suspend(void *arg)
{
	(void)arg;
	return rte_vhost_state_suspend("d", 0, NULL) == 0 ? 0 : 1;
}

static int unregistered;

static uint32_t
run_unregister(void *arg)
{
	struct fake *dev = arg;
	int ret = rte_vhost_state_unregister("d");

	/* After unregister the back end may be freed, so no operation runs any more. */
	if (rte_atomic_load_explicit(&dev->inside, rte_memory_order_seq_cst) != 0)
		ret = -EBUSY;
	rte_atomic_store_explicit(&unregistered, 1, rte_memory_order_seq_cst);
	return ret == 0 ? 0 : 1;
}

static bool
device_listed(const char *wanted)
{
	char name[RTE_VHOST_STATE_NAME_SIZE];
	unsigned int pos;

	for (pos = 0; rte_vhost_state_name_get(pos, name) == 0; pos++)
		if (strcmp(name, wanted) == 0)
			return true;
	return false;
}

/** Wait until unregister has removed the device from the list, which it does first. */
static void
wait_until_gone(void)
{
	unsigned int tries;

	for (tries = 0; device_listed("d") && tries < 50000; tries++)
		usleep(100);
	assert_false(device_listed("d"));
}

static void
unregister_waits_for_running_operations(void **state)
{
	rte_thread_t op[2], un;
	struct fake dev;
	unsigned int i;
	uint32_t ret;

	fake_start(&dev, "d");
	dev.gated = true;
	unregistered = 0;
	for (i = 0; i < RTE_DIM(op); i++)
		assert_int_equal(rte_thread_create(&op[i], NULL, run_suspend, NULL), 0);
	for (i = 0; i < RTE_DIM(op); i++)
		assert_int_equal(sem_wait(&dev.entered), 0);
	assert_int_equal(rte_thread_create(&un, NULL, run_unregister, &dev), 0);
	wait_until_gone();
	/* No new operation begins, and a second unregister does not find the device. */
	assert_int_equal(rte_vhost_state_suspend("d", 0, NULL), -ENODEV);
	assert_int_equal(rte_vhost_state_unregister("d"), -ENODEV);
	assert_int_equal(dev.begun, 2);
	for (i = 0; i < RTE_DIM(op); i++) {
		usleep(20000);
		assert_int_equal(rte_atomic_load_explicit(&unregistered, rte_memory_order_seq_cst),
				0);
		sem_post(&dev.leave);
	}
	for (i = 0; i < RTE_DIM(op); i++) {
		assert_int_equal(rte_thread_join(op[i], &ret), 0);
		assert_int_equal(ret, 0);
	}
	assert_int_equal(rte_thread_join(un, &ret), 0);
	assert_int_equal(ret, 0);
	rte_vhost_state_free(dev.st);
	sem_destroy(&dev.entered);
	sem_destroy(&dev.leave);
}

static int hammering;

static uint32_t
run_hammer(void *arg)
{
	char name[RTE_VHOST_STATE_NAME_SIZE];
	struct rte_vhost_state_info info;
	uint32_t bad = 0;
	int ret;

	(void)arg;
	while (rte_atomic_load_explicit(&hammering, rte_memory_order_seq_cst)) {
		ret = rte_vhost_state_info_get("d", &info);
		bad += ret != 0 && ret != -ENODEV;
		bad += ret == 0 && info.status != 0x0f;
		rte_vhost_state_name_get(0, name);
	}
	return bad;
}

/** Memory of the back end is freed in each round, so a call that runs too late is detected. */
static void
registering_and_unregistering_under_load_succeeds(void **state)
{
	rte_thread_t threads[3];
	struct fake *dev;
	unsigned int i;
	uint32_t bad;

	rte_atomic_store_explicit(&hammering, 1, rte_memory_order_seq_cst);
	for (i = 0; i < RTE_DIM(threads); i++)
		assert_int_equal(rte_thread_create(&threads[i], NULL, run_hammer, NULL), 0);
	for (i = 0; i < 2000; i++) {
		dev = malloc(sizeof(*dev));
		assert_non_null(dev);
		fake_start(dev, "d");
		if (i % 16 == 0)
			usleep(100);
		fake_stop(dev, "d");
		assert_int_equal(dev->inside, 0);
		memset(dev, 0xa5, sizeof(*dev));
		free(dev);
	}
	rte_atomic_store_explicit(&hammering, 0, rte_memory_order_seq_cst);
	for (i = 0; i < RTE_DIM(threads); i++) {
		assert_int_equal(rte_thread_join(threads[i], &bad), 0);
		assert_int_equal(bad, 0);
	}
}

int
test_backend(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices_are_listed_in_the_order_of_registration),
		cmocka_unit_test(invalid_registrations_are_refused),
		cmocka_unit_test(longest_name_is_accepted),
		cmocka_unit_test(unknown_device_is_refused_by_every_operation),
		cmocka_unit_test(captured_state_is_restored_at_another_device),
		cmocka_unit_test(refusals_of_the_back_end_are_returned_to_the_caller),
		cmocka_unit_test(optional_operations_may_be_missing),
		cmocka_unit_test(unregister_waits_for_running_operations),
		cmocka_unit_test(registering_and_unregistering_under_load_succeeds),
	};

	return cmocka_run_group_tests_name("backend", tests, NULL, NULL);
}
