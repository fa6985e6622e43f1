/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file The requests of control sockets, and the sockets. A process of its own. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include <rte_eal.h>

#include "control_support.h"
#include "rte_vhost_state_backend.h"
#include "rte_vhost_state_control.h"
#include "vhost_state_sample.h"
#include "vstate_compat.h"

#define LINE_MAX_BYTES 8192

/* ---- requests ---- */

static void
list_shows_every_device(void **state)
{
	int fd = control_dial();
	json_t *reply = control_ask(fd, "{\"cmd\": \"list\", \"id\": [1, \"x\"]}"), *devices;

	assert_true(control_is_ok(reply));
	devices = json_object_get(reply, "devices");
	assert_int_equal(json_array_size(devices), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(devices, 0),
			"device")), "one");
	/* a name that is not UTF-8 is shown, and the reply is JSON */
	assert_string_equal(json_string_value(json_object_get(json_array_get(devices, 1),
			"device")), "tw?o");
	assert_int_equal(control_number(reply, "pid"), getpid());
	assert_int_equal(json_array_size(json_object_get(reply, "id")), 2);
	json_decref(reply);
	close(fd);
}

static void
show_has_names_and_timings(void **state)
{
	int fd = control_dial();
	json_t *reply = control_ask(fd, "{\"cmd\": \"show\", \"device\": \"one\"}");

	assert_true(control_is_ok(reply));
	assert_int_equal(control_number(reply, "status"), 0x0f);
	assert_int_equal(json_array_size(json_object_get(reply, "status_names")), 4);
	assert_string_equal(json_string_value(json_object_get(reply, "class")), "net");
	assert_int_equal(control_number(json_object_get(reply, "suspend"), "last_ns"), 7);
	json_decref(reply);
	close(fd);
}

static void
statistics_are_those_of_the_back_end(void **state)
{
	int fd = control_dial();
	json_t *reply, *queues;
	unsigned int i;

	/* several requests at once: the replies are longer than what is kept for one that sleeps */
	for (i = 0; i < 3; i++)
		control_say(fd, "{\"cmd\": \"statistics\", \"device\": \"one\"}");
	for (i = 0; i < 3; i++) {
		reply = control_hear(fd);
		assert_true(control_is_ok(reply));
		assert_int_equal(control_number(json_object_get(reply, "statistics"), "starts"), 2);
		queues = json_object_get(reply, "queues");
		assert_int_equal(json_array_size(queues), RTE_VHOST_STATE_MAX_VQ);
		assert_int_equal(control_number(json_array_get(queues, 256), "good_packets"), 1256);
		json_decref(reply);
	}
	close(fd);
}

static void
state_goes_to_a_file_and_back(void **state)
{
	char line[256], file[128];
	struct rte_vhost_state *st;
	struct stat info;
	int fd = control_dial();
	json_t *reply;

	snprintf(file, sizeof(file), "%s/state", control_dir);
	snprintf(line, sizeof(line), "{\"cmd\": \"capture\", \"device\": \"one\", \"path\": \"%s\"}",
			file);
	control_refused(control_ask(fd, line), "not_suspended");
	assert_int_not_equal(access(file, F_OK), 0);
	control_done(control_ask(fd, "{\"cmd\": \"suspend\", \"device\": \"one\", \"timeout_us\": 1000000}"));
	reply = control_ask(fd, line);
	assert_true(control_is_ok(reply));
	assert_int_equal(control_number(reply, "queues"), SAMPLE_VQS);
	assert_int_equal(stat(file, &info), 0);
	assert_int_equal(control_number(reply, "bytes"), info.st_size);
	assert_int_equal(info.st_mode & 0777, 0600);
	json_decref(reply);
	st = rte_vhost_state_load(file, NULL);
	assert_true(rte_vhost_state_equal(st, control_fakes[0].st));
	rte_vhost_state_free(st);

	snprintf(line, sizeof(line), "{\"cmd\": \"restore\", \"device\": \"one\", \"path\": \"%s\"}",
			file);
	control_refused(control_ask(fd, line), "not_configurable");
	control_fakes[0].status = 0x0b;
	control_done(control_ask(fd, line));
	control_fakes[0].status = SAMPLE_SUSPENDED;
	control_done(control_ask(fd, "{\"cmd\": \"resume\", \"device\": \"one\"}"));
	assert_int_equal(control_fakes[0].status, 0x0f);
	close(fd);
}

static void
state_goes_by_a_descriptor(void **state)
{
	int fd = control_dial(), mem = memfd_create("state", MFD_CLOEXEC);
	struct rte_vhost_state *st;

	control_fakes[0].status = SAMPLE_SUSPENDED;
	control_say_with_fd(fd, "{\"cmd\": \"capture\", \"device\": \"one\"}", mem);
	control_done(control_hear(fd));
	lseek(mem, 0, SEEK_SET);
	st = rte_vhost_state_read(mem, NULL);
	assert_true(rte_vhost_state_equal(st, control_fakes[0].st));
	rte_vhost_state_free(st);
	control_fakes[0].status = 0x0b;
	lseek(mem, 0, SEEK_SET);
	control_say_with_fd(fd, "{\"cmd\": \"restore\", \"device\": \"one\"}", mem);
	control_done(control_hear(fd));
	/* bytes that do not belong to the state */
	assert_int_equal(write(mem, "x", 1), 1);
	lseek(mem, 0, SEEK_SET);
	control_say_with_fd(fd, "{\"cmd\": \"restore\", \"device\": \"one\"}", mem);
	control_refused(control_hear(fd), "trailing_bytes");
	/* at its end */
	control_say_with_fd(fd, "{\"cmd\": \"restore\", \"device\": \"one\"}", mem);
	control_refused(control_hear(fd), "truncated");
	control_fakes[0].status = 0x0f;
	close(mem);
	close(fd);
}

/* ---- bad input ---- */

static void
bad_requests_have_a_reason_and_change_nothing(void **state)
{
	static const struct {
		const char *reason, *line;
	} rows[] = {
		{ "bad_json", "no json" },
		{ "bad_json", "{" },
		{ "bad_json", "[\"list\"]" },
		{ "bad_json", "7" },
		{ "bad_json", "{\"cmd\": \"list\", \"cmd\": \"resume\"}" },
		{ "bad_json", "{\"cmd\": \"li\xffst\"}" },
		{ "bad_json", "{\"cmd\": \"list\"} {\"cmd\": \"list\"}" },
		{ "bad_argument", "{}" },
		{ "bad_argument", "{\"cmd\": 7}" },
		{ "bad_argument", "{\"cmd\": \"list\", \"device\": \"one\"}" },
		{ "bad_argument", "{\"cmd\": \"suspend\"}" },
		{ "bad_argument", "{\"cmd\": \"suspend\", \"device\": 1}" },
		{ "bad_argument", "{\"cmd\": \"suspend\", \"device\": \"one\", \"timeout_us\": 0}" },
		{ "bad_argument", "{\"cmd\": \"suspend\", \"device\": \"one\", \"timeout_us\": -1}" },
		{ "bad_argument",
			"{\"cmd\": \"suspend\", \"device\": \"one\", \"timeout_us\": 4294967296}" },
		{ "bad_argument", "{\"cmd\": \"suspend\", \"device\": \"one\", \"timeout_us\": \"1\"}" },
		{ "bad_argument", "{\"cmd\": \"resume\", \"device\": \"one\", \"timeout_us\": 1}" },
		{ "bad_argument", "{\"cmd\": \"suspend\", \"device\": \"one\", \"what\": 1}" },
		{ "bad_argument", "{\"cmd\": \"capture\", \"device\": \"one\"}" },
		{ "bad_argument", "{\"cmd\": \"restore\", \"device\": \"one\", \"path\": \"x\"}" },
		{ "bad_argument", "{\"cmd\": \"restore\", \"device\": \"one\", \"path\": 1}" },
		{ "bad_argument", "{\"cmd\": \"restore\", \"device\": \"one\", \"path\": \"/\"}" },
		{ "bad_argument", "{\"cmd\": \"restore\", \"device\": \"one\", \"path\": \"/dev/zero\"}" },
		{ "io", "{\"cmd\": \"restore\", \"device\": \"one\", \"path\": \"/none/such\"}" },
		{ "unknown_command", "{\"cmd\": \"format\"}" },
		{ "no_device", "{\"cmd\": \"show\", \"device\": \"three\"}" },
		{ "no_device", "{\"cmd\": \"statistics\", \"device\": \"\"}" },
		{ "no_device", "{\"cmd\": \"suspend\", \"device\": \"three\"}" },
		{ "no_device", "{\"cmd\": \"release\", \"device\": \"three\"}" },
		{ "no_device", "{\"cmd\": \"capture\", \"device\": \"three\", \"path\": \"/none\"}" },
		{ "not_suspended", "{\"cmd\": \"capture\", \"device\": \"one\", \"path\": \"/none\"}" },
	};
	int fd = control_dial();
	unsigned int i;

	control_fakes[0].changes = 0;
	control_fakes[0].status = 0x0f;
	for (i = 0; i < RTE_DIM(rows); i++)
		control_refused(control_ask(fd, rows[i].line), rows[i].reason);
	assert_int_equal(control_fakes[0].changes, 0);
	assert_int_equal(control_fakes[0].status, 0x0f);
	close(fd);
}

static void
refusal_of_a_device_has_its_values(void **state)
{
	int fd = control_dial();
	json_t *reply = control_ask(fd,
			"{\"cmd\": \"suspend\", \"device\": \"one\", \"timeout_us\": 12345}");

	assert_int_equal(control_number(reply, "queue"), 3);
	assert_string_equal(json_string_value(json_object_get(reply, "expected")), "0x3039");
	assert_string_equal(json_string_value(json_object_get(reply, "found")), "0x63");
	control_refused(reply, "timeout");
	close(fd);
}

static void
optional_operations_may_be_missing(void **state)
{
	int fd = control_dial();

	/* the name as it is: jansson refuses it, so no client can reach this device */
	assert_int_equal(rte_vhost_state_unregister("tw\xffo"), 0);
	assert_int_equal(rte_vhost_state_register("tw\xffo", &control_small_ops, &control_fakes[1]), 0);
	assert_int_equal(rte_vhost_state_register("small", &control_small_ops, &control_fakes[1]), 0);
	control_refused(control_ask(fd, "{\"cmd\": \"release\", \"device\": \"small\"}"), "not_supported");
	control_refused(control_ask(fd, "{\"cmd\": \"statistics\", \"device\": \"small\"}"), "not_supported");
	assert_int_equal(rte_vhost_state_unregister("small"), 0);
	close(fd);
}

static void
release_reaches_the_device_once(void **state)
{
	int fd = control_dial();

	control_fakes[0].changes = 0;
	control_done(control_ask(fd, "{\"cmd\": \"release\", \"device\": \"one\"}"));
	control_refused(control_ask(fd, "{\"cmd\": \"release\", \"device\": \"one\"}"), "under_way");
	close(fd);
}

static int
fds_open(void)
{
	struct dirent *entry;
	DIR *d = opendir("/proc/self/fd");
	int nb = 0;

	assert_non_null(d);
	while ((entry = readdir(d)) != NULL)
		nb++;
	closedir(d);
	return nb;
}

static void
wrong_descriptors_are_refused(void **state)
{
	int fd = control_dial(), pipes[2], file = dup(0), before, i;
	char line[256], fifo[128];

	assert_int_equal(pipe(pipes), 0);
	control_fakes[0].status = SAMPLE_SUSPENDED;
	before = fds_open();
	for (i = 0; i < 20; i++) {
		control_say_with_fd(fd, "{\"cmd\": \"list\"}", pipes[1]);
		control_refused(control_hear(fd), "bad_descriptor");
		control_say_with_fd(fd, "{\"cmd\": \"capture\", \"device\": \"one\"}", pipes[1]);
		control_refused(control_hear(fd), "bad_descriptor");
		control_say_with_fd(fd, "{\"cmd\": \"restore\", \"device\": \"one\"}", pipes[0]);
		control_refused(control_hear(fd), "bad_descriptor");
		control_say_with_fd(fd, "{\"cmd\": \"capture\", \"device\": \"one\", \"path\": \"/none\"}",
				file);
		control_refused(control_hear(fd), "bad_argument");
	}
	/* no descriptor is left behind; clients of tests before may still close theirs */
	assert_true(fds_open() <= before + 1);
	/* a pipe at a path does not hold the thread either */
	snprintf(fifo, sizeof(fifo), "%s/fifo", control_dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	snprintf(line, sizeof(line), "{\"cmd\": \"restore\", \"device\": \"one\", \"path\": \"%s\"}",
			fifo);
	control_refused(control_ask(fd, line), "bad_argument");
	snprintf(line, sizeof(line), "{\"cmd\": \"capture\", \"device\": \"one\", \"path\": \"%s\"}",
			fifo);
	control_refused(control_ask(fd, line), "io");
	unlink(fifo);
	close(pipes[0]);
	close(pipes[1]);
	close(file);
	control_fakes[0].status = 0x0f;
	close(fd);
}

static void
long_lines_are_refused_and_skipped(void **state)
{
	static char line[4 * LINE_MAX_BYTES];
	int fd = control_dial();

	memset(line, 'x', sizeof(line));
	control_put(fd, line, sizeof(line));
	control_refused(control_hear(fd), "too_long");
	control_put(fd, line, sizeof(line));
	/* the rest of the line, then a request */
	control_say(fd, "");
	control_done(control_ask(fd, "{\"cmd\": \"list\"}"));
	/* the longest line that is read */
	memset(line, ' ', LINE_MAX_BYTES);
	memcpy(line, "{\"cmd\": \"list\"", strlen("{\"cmd\": \"list\""));
	line[LINE_MAX_BYTES - 1] = '}';
	line[LINE_MAX_BYTES] = '\n';
	control_put(fd, line, LINE_MAX_BYTES + 1);
	control_done(control_hear(fd));
	close(fd);
}

/* Every line has one reply, whatever its bytes are. */
static void
random_bytes_have_replies(void **state)
{
	static const char valid[] = "{\"cmd\": \"suspend\", \"device\": \"one\", \"timeout_us\": 7}";
	char line[2 * sizeof(valid)];
	int fd = control_dial(), round;
	size_t len, i;

	srand(1);
	for (round = 0; round < 500; round++) {
		len = sizeof(valid) - 1;
		memcpy(line, valid, len);
		for (i = rand() % 4; i > 0; i--)
			line[rand() % len] = (char)(rand() % 3 ? rand() % 256 : "{}[]\":,"[rand() % 7]);
		if (round % 3 == 0)
			len = (size_t)rand() % len + 1;
		for (i = 0; i < len; i++)
			if (line[i] == '\n' || (line[i] == '\r' && i + 1 == len))
				line[i] = '_';
		control_put(fd, line, len);
		control_put(fd, "\n", 1);
		json_decref(control_hear(fd));
	}
	control_fakes[0].status = 0x0f;
	close(fd);
}

/* ---- the socket ---- */

static void
socket_belongs_to_its_user(void **state)
{
	struct stat st;

	assert_int_equal(stat(control_path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void
opens_are_counted(void **state)
{
	int fd;

	assert_int_equal(rte_vhost_state_control_open(control_path, 0), 0);
	assert_int_equal(rte_vhost_state_control_close(control_path), 0);
	fd = control_dial();
	control_done(control_ask(fd, "{\"cmd\": \"list\"}"));
	close(fd);
	assert_int_equal(rte_vhost_state_control_close("/none"), -ENOENT);
	assert_int_equal(rte_vhost_state_control_close(NULL), -ENOENT);
}

static void
wrong_paths_are_refused(void **state)
{
	char file[128], far[200];

	memset(far, 'x', sizeof(far));
	far[0] = '/';
	far[sizeof(far) - 1] = '\0';
	assert_int_equal(rte_vhost_state_control_open(far, 0), -ENAMETOOLONG);
	assert_int_equal(rte_vhost_state_control_open("", 0), -ENAMETOOLONG);
	assert_int_equal(rte_vhost_state_control_open(NULL, 0), -EINVAL);
	assert_int_equal(rte_vhost_state_control_open(control_path, 2), -EINVAL);
	assert_int_equal(rte_vhost_state_control_open("/none/such/dir", 0), -ENOENT);
	/* a file that is no socket is kept */
	snprintf(file, sizeof(file), "%s/file", control_dir);
	close(open(file, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(rte_vhost_state_control_open(file, 0), -EADDRINUSE);
	assert_int_equal(rte_vhost_state_control_open(file, RTE_VHOST_STATE_CONTROL_F_REPLACE),
			-EADDRINUSE);
	assert_int_equal(access(file, F_OK), 0);
	unlink(file);
}

/* Another process listens: its socket is replaced only on request, and a dead one always. */
static void
path_of_another_process(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int other = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;

	snprintf(un.sun_path, sizeof(un.sun_path), "%s/other", control_dir);
	assert_int_equal(bind(other, (const struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(other, 8), 0);
	assert_int_equal(rte_vhost_state_control_open(un.sun_path, 0), -EADDRINUSE);
	assert_int_equal(rte_vhost_state_control_open(un.sun_path,
			RTE_VHOST_STATE_CONTROL_F_REPLACE), 0);
	fd = control_dial_path(un.sun_path);
	control_done(control_ask(fd, "{\"cmd\": \"list\"}"));
	close(fd);
	assert_int_equal(rte_vhost_state_control_close(un.sun_path), 0);
	assert_int_not_equal(access(un.sun_path, F_OK), 0);
	close(other);

	other = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(other, (const struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(other, 8), 0);
	close(other);
	assert_int_equal(rte_vhost_state_control_open(un.sun_path, 0), 0);
	/* replaced by another process: its file is not removed */
	unlink(un.sun_path);
	other = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(other, (const struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(rte_vhost_state_control_close(un.sun_path), 0);
	assert_int_equal(access(un.sun_path, F_OK), 0);
	unlink(un.sun_path);
	close(other);
}

static void
close_ends_the_clients(void **state)
{
	char second[96];
	int fd, fd2;

	snprintf(second, sizeof(second), "%s/second", control_dir);
	assert_int_equal(rte_vhost_state_control_open(second, 0), 0);
	fd = control_dial_path(second);
	fd2 = control_dial_path(second);
	control_done(control_ask(fd, "{\"cmd\": \"subscribe\"}"));
	control_done(control_ask(fd2, "{\"cmd\": \"list\"}"));
	assert_int_equal(rte_vhost_state_control_close(second), 0);
	control_closed_by_peer(fd);
	control_closed_by_peer(fd2);
	rte_vhost_state_event_send("one", RTE_VHOST_STATE_E_STARTED, -1, NULL);
}

/** Number of the next descriptor. It falls while a client of an earlier test is dropped. */
static int
free_fd(void)
{
	int fd = dup(STDERR_FILENO);

	assert_true(fd >= 0);
	close(fd);
	return fd;
}

static void
closed_socket_leaves_no_descriptor(void **state)
{
	const int before = free_fd();
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/third", control_dir);
	assert_int_equal(rte_vhost_state_control_open(path, 0), 0);
	fd = control_dial_path(path);
	assert_true(fd >= 0);
	assert_int_equal(rte_vhost_state_control_close(path), 0);
	control_closed_by_peer(fd);
	assert_true(free_fd() <= before);
	/* and one that cannot be opened */
	assert_int_equal(rte_vhost_state_control_open("/none/such/dir", 0), -ENOENT);
	assert_true(free_fd() <= before);
}

static int
eal_start(char *self)
{
	static char no_huge[] = "--no-huge", mem_opt[] = "-m", mem_val[] = "16",
		no_pci[] = "--no-pci", no_telemetry[] = "--no-telemetry",
		no_shconf[] = "--no-shconf", log_level[] = "--log-level=lib.vhost_state:emerg",
		lcores[] = "--lcores=0", prefix[64];
	char *argv[] = { self, no_huge, mem_opt, mem_val, no_pci, no_telemetry, no_shconf,
		log_level, lcores, prefix, NULL };

	snprintf(prefix, sizeof(prefix), "--file-prefix=vstate-control-%d", getpid());
	return rte_eal_init(RTE_DIM(argv) - 1, argv);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_shows_every_device),
		cmocka_unit_test(show_has_names_and_timings),
		cmocka_unit_test(statistics_are_those_of_the_back_end),
		cmocka_unit_test(state_goes_to_a_file_and_back),
		cmocka_unit_test(state_goes_by_a_descriptor),
		cmocka_unit_test(bad_requests_have_a_reason_and_change_nothing),
		cmocka_unit_test(refusal_of_a_device_has_its_values),
		cmocka_unit_test(optional_operations_may_be_missing),
		cmocka_unit_test(release_reaches_the_device_once),
		cmocka_unit_test(wrong_descriptors_are_refused),
		cmocka_unit_test(long_lines_are_refused_and_skipped),
		cmocka_unit_test(random_bytes_have_replies),
		cmocka_unit_test(socket_belongs_to_its_user),
		cmocka_unit_test(opens_are_counted),
		cmocka_unit_test(wrong_paths_are_refused),
		cmocka_unit_test(path_of_another_process),
		cmocka_unit_test(close_ends_the_clients),
		cmocka_unit_test(closed_socket_leaves_no_descriptor),
	};
	int failed;

	snprintf(control_dir, sizeof(control_dir), "/tmp/vstate-control.XXXXXX");
	if (eal_start(argv[0]) < 0 || mkdtemp(control_dir) == NULL)
		return 1;
	snprintf(control_path, sizeof(control_path), "%s/control", control_dir);
	failed = cmocka_run_group_tests_name("control", tests, control_setup, control_teardown);
	failed += test_control_clients();
	snprintf(control_path, sizeof(control_path), "%s/state", control_dir);
	unlink(control_path);
	rmdir(control_dir);
	rte_eal_cleanup();
	return failed != 0;
}
