/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_errno.h>
#include <rte_thread.h>

#include "vhost_state_test.h"

#define PATH_SIZE 128

/** A temporary directory, and a path in it. */
struct place {
	char dir[32];
	char path[PATH_SIZE];
};

static void
place_make(struct place *p)
{
	strcpy(p->dir, "/tmp/vhost-state-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->path, sizeof(p->path), "%s/state", p->dir);
}

static unsigned int
place_files(const struct place *p)
{
	unsigned int nb = 0;
	struct dirent *entry;
	DIR *dir = opendir(p->dir);

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		nb += entry->d_name[0] != '.';
	closedir(dir);
	return nb;
}

static void
place_drop(struct place *p)
{
	unlink(p->path);
	assert_int_equal(rmdir(p->dir), 0);
}

/* What is read without having been set is not 0 then. */
static __rte_noinline void
stack_fill(void)
{
	volatile uint8_t bytes[8192];
	size_t i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = 0xa5;
}

static void
assert_loads(const char *path, const struct rte_vhost_state *expected)
{
	struct rte_vhost_state_error err = { .reason = RTE_VHOST_STATE_R_IO };
	struct rte_vhost_state *st;

	stack_fill();
	st = rte_vhost_state_load(path, &err);
	assert_non_null(st);
	assert_int_equal(err.reason, RTE_VHOST_STATE_R_NONE);
	assert_true(rte_vhost_state_equal(st, expected));
	rte_vhost_state_free(st);
}

/** Return a state of more than half a megabyte. */
static struct rte_vhost_state *
large_state(void)
{
	return sample_split_full(0);
}

/* ---- files ---- */

static void
saved_file_has_mode_0600_and_loads_equal(void **state)
{
	struct rte_vhost_state *st = sample_packed();
	struct rte_vhost_state_error err;
	struct place p;
	struct stat info;
	mode_t mask;

	place_make(&p);
	mask = umask(0);
	assert_int_equal(rte_vhost_state_save(st, p.path, &err), 0);
	umask(mask);
	assert_int_equal(err.reason, RTE_VHOST_STATE_R_NONE);
	assert_int_equal(stat(p.path, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0600);
	assert_int_equal(info.st_size, rte_vhost_state_encoded_size(st));
	assert_int_equal(place_files(&p), 1);
	assert_loads(p.path, st);
	place_drop(&p);
	rte_vhost_state_free(st);
}

/** The order of calls ensures that a power loss at any time leaves the old or the new file. */
static void
saved_file_is_synced_before_it_gets_its_name(void **state)
{
	struct rte_vhost_state *st = sample_packed();
	struct place p;

	place_make(&p);
	test_file_calls_clear();
	assert_int_equal(rte_vhost_state_save(st, p.path, NULL), 0);
	assert_string_equal(test_file_calls(), "wsrs");
	place_drop(&p);
	rte_vhost_state_free(st);
}

static void
saving_replaces_a_longer_file(void **state)
{
	struct rte_vhost_state *large = large_state(), *small = sample_packed();
	struct place p;

	place_make(&p);
	assert_int_equal(rte_vhost_state_save(large, p.path, NULL), 0);
	assert_loads(p.path, large);
	assert_int_equal(chmod(p.path, 0644), 0);
	assert_int_equal(rte_vhost_state_save(small, p.path, NULL), 0);
	assert_loads(p.path, small);
	place_drop(&p);
	rte_vhost_state_free(small);
	rte_vhost_state_free(large);
}

/** Each call of write(), fsync() and rename() fails once. */
static void
failed_save_leaves_the_old_file_only(void **state)
{
	struct rte_vhost_state *old = sample_packed(), *st = large_state();
	struct rte_vhost_state_error err;
	struct place p;
	unsigned int nth;
	char text[256];

	place_make(&p);
	assert_int_equal(rte_vhost_state_save(old, p.path, NULL), 0);
	for (nth = 1;; nth++) {
		test_fail_file_call(nth, ENOSPC);
		if (rte_vhost_state_save(st, p.path, &err) == 0)
			break;
		assert_true(test_file_call_failed());
		assert_int_equal(err.reason, RTE_VHOST_STATE_R_IO);
		assert_int_equal(err.found, ENOSPC);
		rte_vhost_state_error_format(&err, text, sizeof(text));
		assert_non_null(strstr(text, "No space left"));
		assert_int_equal(place_files(&p), 1);
		assert_loads(p.path, old);
	}
	/*
	 * There are about 33 writes, an fsync and a rename. The last call that failed was the
	 * fsync of the directory, which is no error: the file is complete.
	 */
	assert_true(test_file_call_failed());
	assert_in_range(nth, 20, 60);
	test_fail_file_call(0, 0);
	assert_loads(p.path, st);
	place_drop(&p);
	rte_vhost_state_free(st);
	rte_vhost_state_free(old);
}

static void
saving_without_memory_is_refused(void **state)
{
	struct rte_vhost_state *st = sample_split();
	struct rte_vhost_state_error err;
	unsigned int nth;
	struct place p;

	place_make(&p);
	for (nth = 1; nth <= 2; nth++) {
		test_fail_allocation(nth);
		assert_refused(RTE_VHOST_STATE_R_NO_MEMORY, &err,
				rte_vhost_state_save(st, p.path, &err));
		test_fail_allocation(0);
		assert_int_equal(place_files(&p), 0);
	}
	place_drop(&p);
	rte_vhost_state_free(st);
}

static void
decoding_without_memory_is_refused(void **state)
{
	struct rte_vhost_state *st = sample_split(), *back = NULL;
	struct rte_vhost_state_error err;
	unsigned int nth;
	uint8_t *buf;
	size_t len;

	buf = test_encode(st, &len);
	for (nth = 1; nth <= 3; nth++) {
		test_fail_allocation(nth);
		assert_refused(RTE_VHOST_STATE_R_NO_MEMORY, &err,
				test_state_result(rte_vhost_state_decode(buf, len, &err)));
		test_fail_allocation(0);
	}
	back = rte_vhost_state_decode(buf, len, &err);
	assert_non_null(back);
	rte_vhost_state_free(back);
	free(buf);
	rte_vhost_state_free(st);
}

static void
loading_without_memory_is_refused(void **state)
{
	struct rte_vhost_state *st = large_state();
	struct rte_vhost_state_error err;
	struct place p;
	unsigned int nth;

	place_make(&p);
	assert_int_equal(rte_vhost_state_save(st, p.path, NULL), 0);
	/* Allocations: five buffers of the reader, the state, its virtqueues, two lists. */
	for (nth = 1; nth <= 9; nth++) {
		test_fail_allocation(nth);
		assert_refused(RTE_VHOST_STATE_R_NO_MEMORY, &err,
				test_state_result(rte_vhost_state_load(p.path, &err)));
		test_fail_allocation(0);
	}
	assert_loads(p.path, st);
	place_drop(&p);
	rte_vhost_state_free(st);
}

static void
saving_over_a_device_or_directory_is_refused(void **state)
{
	struct rte_vhost_state *st = sample_split();
	struct rte_vhost_state_error err;
	struct stat info;
	struct place p;

	place_make(&p);
	assert_int_equal(mkfifo(p.path, 0600), 0);
	assert_refused(RTE_VHOST_STATE_R_IO, &err, rte_vhost_state_save(st, p.path, &err));
	assert_int_equal(stat(p.path, &info), 0);
	assert_true(S_ISFIFO(info.st_mode));
	assert_refused(RTE_VHOST_STATE_R_IO, &err, rte_vhost_state_save(st, p.dir, &err));
	place_drop(&p);
	rte_vhost_state_free(st);
}

static void
saving_into_a_missing_directory_is_refused(void **state)
{
	struct rte_vhost_state *st = sample_split();
	struct rte_vhost_state_error err;

	assert_refused(RTE_VHOST_STATE_R_IO, &err,
			rte_vhost_state_save(st, "/nonexistent/dir/state", &err));
	assert_int_equal(err.found, ENOENT);
	rte_vhost_state_free(st);
}

static void
loading_from_no_regular_state_file_is_refused(void **state)
{
	struct rte_vhost_state_error err;

	assert_refused(RTE_VHOST_STATE_R_IO, &err,
			test_state_result(rte_vhost_state_load("/nonexistent", &err)));
	assert_int_equal(err.found, ENOENT);
	assert_refused(RTE_VHOST_STATE_R_IO, &err,
			test_state_result(rte_vhost_state_load("/", &err)));
	assert_int_equal(err.found, EISDIR);
	assert_refused(RTE_VHOST_STATE_R_TRUNCATED, &err,
			test_state_result(rte_vhost_state_load("/dev/null", &err)));
}

/* ---- file descriptors ---- */

static void
interrupted_and_short_transfers_are_completed(void **state)
{
	struct rte_vhost_state *st = sample_packed(), *back;
	FILE *f = tmpfile();

	assert_non_null(f);
	test_disturb_io(7);
	assert_int_equal(rte_vhost_state_write(st, fileno(f), NULL), 0);
	rewind(f);
	back = rte_vhost_state_read(fileno(f), NULL);
	test_disturb_io(0);
	assert_non_null(back);
	assert_true(rte_vhost_state_equal(st, back));
	rte_vhost_state_free(back);
	rte_vhost_state_free(st);
	fclose(f);
}

static void
two_states_are_read_from_one_stream(void **state)
{
	struct rte_vhost_state *first = sample_packed(), *second = sample_split(), *back;
	FILE *f = tmpfile();

	assert_non_null(f);
	assert_int_equal(rte_vhost_state_write(first, fileno(f), NULL), 0);
	assert_int_equal(rte_vhost_state_write(second, fileno(f), NULL), 0);
	rewind(f);
	back = rte_vhost_state_read(fileno(f), NULL);
	assert_non_null(back);
	assert_true(rte_vhost_state_equal(first, back));
	rte_vhost_state_free(back);
	back = rte_vhost_state_read(fileno(f), NULL);
	assert_non_null(back);
	assert_true(rte_vhost_state_equal(second, back));
	rte_vhost_state_free(back);
	rte_vhost_state_free(second);
	rte_vhost_state_free(first);
	fclose(f);
}

/** A state has the same bytes in memory and in a stream. */
static void
stream_and_memory_have_the_same_bytes(void **state)
{
	struct rte_vhost_state *st = large_state();
	FILE *f = tmpfile();
	uint8_t *buf, *stream;
	size_t len;

	buf = test_encode(st, &len);
	stream = malloc(len);
	assert_non_null(f);
	assert_int_equal(rte_vhost_state_write(st, fileno(f), NULL), 0);
	rewind(f);
	assert_int_equal(fread(stream, 1, len, f), len);
	assert_int_equal(fgetc(f), EOF);
	assert_memory_equal(buf, stream, len);
	free(stream);
	free(buf);
	rte_vhost_state_free(st);
	fclose(f);
}

struct writer {
	const struct rte_vhost_state *st;
	int fd;
	int ret;
};

static uint32_t
writer_run(void *arg)
{
	struct writer *w = arg;

	w->ret = rte_vhost_state_write(w->st, w->fd, NULL);
	/* If the write failed, the reader must not wait without end. */
	shutdown(w->fd, SHUT_WR);
	return 0;
}

static void
non_blocking_descriptors_are_waited_for(void **state)
{
	struct rte_vhost_state *st = large_state(), *back;
	struct writer w = { .st = st };
	rte_thread_t thread;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	w.fd = fds[0];
	assert_int_equal(rte_thread_create(&thread, NULL, writer_run, &w), 0);
	back = rte_vhost_state_read(fds[1], NULL);
	assert_int_equal(rte_thread_join(thread, NULL), 0);
	assert_int_equal(w.ret, 0);
	assert_non_null(back);
	assert_true(rte_vhost_state_equal(st, back));
	rte_vhost_state_free(back);
	rte_vhost_state_free(st);
	close(fds[0]);
	close(fds[1]);
}

/** If the destination dies, the source must survive, because it has to resume. */
static void
writing_to_a_closed_pipe_is_refused_without_a_signal(void **state)
{
	struct rte_vhost_state *st = large_state();
	struct rte_vhost_state_error err;
	sigset_t before, after, pending;
	int fds[2], sig;

	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	assert_int_equal(sigismember(&before, SIGPIPE), 0);
	assert_refused(RTE_VHOST_STATE_R_IO, &err, rte_vhost_state_write(st, fds[1], &err));
	assert_int_equal(err.found, EPIPE);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	for (sig = 1; sig <= SIGRTMAX; sig++)
		assert_int_equal(sigismember(&before, sig), sigismember(&after, sig));
	sigpending(&pending);
	assert_int_equal(sigismember(&pending, SIGPIPE), 0);
	close(fds[1]);
	rte_vhost_state_free(st);
}

static void
stream_that_ends_early_is_refused(void **state)
{
	struct rte_vhost_state *st = large_state();
	struct rte_vhost_state_error err;
	FILE *f = tmpfile();
	size_t size = rte_vhost_state_encoded_size(st);

	assert_non_null(f);
	assert_int_equal(rte_vhost_state_write(st, fileno(f), NULL), 0);
	assert_int_equal(ftruncate(fileno(f), (off_t)size - 1), 0);
	rewind(f);
	assert_refused(RTE_VHOST_STATE_R_TRUNCATED, &err,
			test_state_result(rte_vhost_state_read(fileno(f), &err)));
	assert_int_equal(err.offset, size - 1);
	assert_int_equal(err.expected, size);
	assert_int_equal(err.found, size - 1);
	rte_vhost_state_free(st);
	fclose(f);
}

static void
invalid_descriptors_are_refused(void **state)
{
	struct rte_vhost_state *st = sample_split();
	struct rte_vhost_state_error err;

	assert_refused(RTE_VHOST_STATE_R_IO, &err, rte_vhost_state_write(st, -1, &err));
	assert_int_equal(err.found, EBADF);
	assert_refused(RTE_VHOST_STATE_R_IO, &err,
			test_state_result(rte_vhost_state_read(-1, &err)));
	assert_int_equal(rte_errno, EIO);
	rte_vhost_state_free(st);
}

int
test_io(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(saved_file_has_mode_0600_and_loads_equal),
		cmocka_unit_test(saved_file_is_synced_before_it_gets_its_name),
		cmocka_unit_test(saving_replaces_a_longer_file),
		cmocka_unit_test(failed_save_leaves_the_old_file_only),
		cmocka_unit_test(saving_without_memory_is_refused),
		cmocka_unit_test(decoding_without_memory_is_refused),
		cmocka_unit_test(loading_without_memory_is_refused),
		cmocka_unit_test(saving_over_a_device_or_directory_is_refused),
		cmocka_unit_test(saving_into_a_missing_directory_is_refused),
		cmocka_unit_test(loading_from_no_regular_state_file_is_refused),
		cmocka_unit_test(interrupted_and_short_transfers_are_completed),
		cmocka_unit_test(two_states_are_read_from_one_stream),
		cmocka_unit_test(stream_and_memory_have_the_same_bytes),
		cmocka_unit_test(non_blocking_descriptors_are_waited_for),
		cmocka_unit_test(writing_to_a_closed_pipe_is_refused_without_a_signal),
		cmocka_unit_test(stream_that_ends_early_is_refused),
		cmocka_unit_test(invalid_descriptors_are_refused),
	};

	return cmocka_run_group_tests_name("io", tests, NULL, NULL);
}
