/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/** @file Events of control sockets, and clients that misbehave. */

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <rte_common.h>

#include "control_support.h"
#include "rte_vhost_state_backend.h"

#define MAX_CLIENTS 16

static json_int_t
dropped_clients(int fd)
{
	json_t *reply = control_ask(fd, "{\"cmd\": \"list\"}");
	json_int_t n = control_number(reply, "dropped_clients");

	json_decref(reply);
	return n;
}

/* ---- events ---- */

static void
event_is(int fd, const char *event, int vq, const char *detail)
{
	json_t *object = control_hear(fd);

	assert_non_null(object);
	assert_string_equal(json_string_value(json_object_get(object, "event")), event);
	assert_string_equal(json_string_value(json_object_get(object, "device")), "one");
	assert_true(control_number(object, "time_ns") > 0);
	if (vq >= 0)
		assert_int_equal(control_number(object, "queue"), vq);
	else
		assert_null(json_object_get(object, "queue"));
	if (detail != NULL)
		assert_string_equal(json_string_value(json_object_get(object, "detail")), detail);
	json_decref(object);
}

static void
events_reach_those_who_asked(void **state)
{
	int fd = control_dial(), deaf = control_dial();

	rte_vhost_state_event_send("one", RTE_VHOST_STATE_E_STARTED, -1, NULL);
	control_done(control_ask(fd, "{\"cmd\": \"subscribe\"}"));
	control_done(control_ask(fd, "{\"cmd\": \"subscribe\"}"));
	rte_vhost_state_event_send("one", RTE_VHOST_STATE_E_SUSPENDED, -1, "request");
	rte_vhost_state_event_send("one", RTE_VHOST_STATE_E_MAX, -1, NULL);
	rte_vhost_state_event_send("one", RTE_VHOST_STATE_E_FAULT, 2, "chain_length");
	event_is(fd, "suspended", -1, "request");
	event_is(fd, "fault", 2, "chain_length");
	control_done(control_ask(fd, "{\"cmd\": \"unsubscribe\"}"));
	rte_vhost_state_event_send("one", RTE_VHOST_STATE_E_STOPPED, -1, NULL);
	control_done(control_ask(fd, "{\"cmd\": \"list\"}"));
	control_done(control_ask(deaf, "{\"cmd\": \"list\"}"));
	close(fd);
	close(deaf);
}

static void
names_of_events_are_those_of_the_list(void **state)
{
	assert_string_equal(rte_vhost_state_event_name(RTE_VHOST_STATE_E_CONNECTED), "connected");
	assert_string_equal(rte_vhost_state_event_name(RTE_VHOST_STATE_E_MAX), "unknown");
	assert_string_equal(rte_vhost_state_event_text(RTE_VHOST_STATE_E_MAX), "unknown event");
	assert_true(strlen(rte_vhost_state_event_text(RTE_VHOST_STATE_E_FAULT)) > 5);
}

static void
device_comes_and_goes_as_events(void **state)
{
	int fd = control_dial();
	json_t *object;

	control_done(control_ask(fd, "{\"cmd\": \"subscribe\"}"));
	assert_int_equal(rte_vhost_state_register("new", &control_small_ops, &control_fakes[1]), 0);
	assert_int_equal(rte_vhost_state_unregister("new"), 0);
	object = control_hear(fd);
	assert_string_equal(json_string_value(json_object_get(object, "event")), "added");
	json_decref(object);
	object = control_hear(fd);
	assert_string_equal(json_string_value(json_object_get(object, "event")), "removed");
	json_decref(object);
	close(fd);
}

/* ---- clients that misbehave ---- */

/* Connect and ask. A client without a place hears that, and may be gone before it asks. */
static json_t *
dial_and_list(int *fd)
{
	static const char list[] = "{\"cmd\": \"list\"}\n";
	json_t *reply;

	*fd = control_dial();
	(void)send(*fd, list, strlen(list), MSG_NOSIGNAL);
	reply = control_hear(*fd);
	assert_non_null(reply);
	return reply;
}

static void
deaf_client_of_events_is_dropped_and_counted(void **state)
{
	int deaf = control_dial(), fd = control_dial(), n;
	const json_int_t before = dropped_clients(fd);

	control_done(control_ask(deaf, "{\"cmd\": \"subscribe\"}"));
	/* never waits, although nobody reads: 20000 events are 2 MB */
	for (n = 0; n < 20000; n++)
		rte_vhost_state_event_send("one", RTE_VHOST_STATE_E_STARTED, -1, "again");
	control_closed_by_peer(deaf);
	for (n = 0; n < PATIENCE_MS && dropped_clients(fd) == before; n++)
		usleep(1000);
	assert_int_equal(dropped_clients(fd), before + 1);
	close(fd);
}

/* One that asks and does not read is disconnected some seconds later. */
static void
deaf_client_of_replies_is_dropped(void **state)
{
	static const char much[] = "{\"cmd\": \"statistics\", \"device\": \"one\"}\n";
	int deaf = control_dial(), fd = control_dial(), n;
	const json_int_t before = dropped_clients(fd);

	for (n = 0; n < 200; n++)
		(void)send(deaf, much, strlen(much), MSG_DONTWAIT | MSG_NOSIGNAL);
	/* others are served during that time */
	control_done(control_ask(fd, "{\"cmd\": \"list\"}"));
	for (n = 0; n < PATIENCE_MS / 50 && dropped_clients(fd) == before; n++)
		usleep(50000);
	assert_int_equal(dropped_clients(fd), before + 1);
	control_closed_by_peer(deaf);
	close(fd);
}

static void
busy_device_holds_its_own_client_only(void **state)
{
	int busy = control_dial(), fd = control_dial();

	control_fakes[0].gated = true;
	control_fakes[0].status = 0x0f;
	control_say(busy, "{\"cmd\": \"suspend\", \"device\": \"one\"}");
	sem_wait(&control_fakes[0].entered);
	control_done(control_ask(fd, "{\"cmd\": \"show\", \"device\": \"one\"}"));
	rte_vhost_state_event_send("one", RTE_VHOST_STATE_E_STARTED, -1, NULL);
	sem_post(&control_fakes[0].leave);
	control_done(control_hear(busy));
	control_fakes[0].gated = false;
	control_done(control_ask(fd, "{\"cmd\": \"resume\", \"device\": \"one\"}"));
	close(busy);
	close(fd);
}

static void
client_that_ends_its_input_gets_its_reply(void **state)
{
	int fd = control_dial();

	control_say(fd, "{\"cmd\": \"list\"}");
	shutdown(fd, SHUT_WR);
	control_done(control_hear(fd));
	control_closed_by_peer(fd);
	/* and one that dies in the middle of a request */
	fd = control_dial();
	control_put(fd, "{\"cmd\": \"li", 11);
	close(fd);
	fd = control_dial();
	control_say(fd, "{\"cmd\": \"statistics\", \"device\": \"one\"}");
	close(fd);
}

static void
places_for_clients_are_limited(void **state)
{
	int fds[MAX_CLIENTS], fd, i, tries = 0;
	json_t *reply = NULL;

	/* clients of tests before may still be leaving */
	for (i = 0; i < MAX_CLIENTS; tries++) {
		reply = dial_and_list(&fds[i]);
		if (control_is_ok(reply))
			i++;
		else
			close(fds[i]);
		json_decref(reply);
		assert_true(tries < 100000);
	}
	fd = control_dial();
	control_refused(control_hear(fd), "too_many_clients");
	control_closed_by_peer(fd);
	for (i = 0; i < MAX_CLIENTS; i++)
		control_done(control_ask(fds[i], "{\"cmd\": \"list\"}"));
	for (i = 0; i < MAX_CLIENTS; i++)
		close(fds[i]);
	/* the places are free again */
	for (tries = 0; tries < PATIENCE_MS; tries++) {
		reply = dial_and_list(&fd);
		close(fd);
		if (control_is_ok(reply))
			break;
		json_decref(reply);
		usleep(1000);
	}
	control_done(reply);
}

static void
other_user_is_refused(void **state)
{
	int status;
	pid_t pid;

	if (geteuid() != 0) {
		print_message("not root: cannot be another user\n");
		return;
	}
	assert_int_equal(chmod(control_path, 0666), 0);
	assert_int_equal(chmod(control_dir, 0755), 0);
	pid = fork();
	if (pid == 0) {
		char line[256] = "";
		int fd;

		if (setuid(65534) != 0)
			_exit(3);
		fd = control_dial_path(control_path);
		if (fd < 0)
			_exit(4);
		_exit(recv(fd, line, sizeof(line) - 1, 0) > 0 &&
			strstr(line, "not_permitted") != NULL && recv(fd, line, 1, 0) <= 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(chmod(control_path, 0600), 0);
}

int
test_control_clients(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_reach_those_who_asked),
		cmocka_unit_test(names_of_events_are_those_of_the_list),
		cmocka_unit_test(device_comes_and_goes_as_events),
		cmocka_unit_test(deaf_client_of_events_is_dropped_and_counted),
		cmocka_unit_test(deaf_client_of_replies_is_dropped),
		cmocka_unit_test(busy_device_holds_its_own_client_only),
		cmocka_unit_test(client_that_ends_its_input_gets_its_reply),
		cmocka_unit_test(places_for_clients_are_limited),
		cmocka_unit_test(other_user_is_refused),
	};

	return cmocka_run_group_tests_name("control clients", tests, control_setup, control_teardown);
}
