/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CONTROL_SUPPORT_H
#define CONTROL_SUPPORT_H

/**
 * @file
 * Two devices with a status byte and a state only, a control socket for them, and a client of it.
 * A step that fails ends the test.
 */

#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <rte_vhost_state.h>
#include <rte_vhost_state_backend.h>

/* How long a test waits for what must happen, in ms. */
#define PATIENCE_MS 30000

/** A back end. */
struct control_fake {
	uint8_t status;
	struct rte_vhost_state *st;
	/** Number of operations that changed something. */
	int changes;
	/** suspend() posts @p entered and waits for @p leave. */
	bool gated;
	sem_t entered, leave;
};

/** The device "one", and one whose name is not UTF-8 and which has the mandatory operations only. */
extern struct control_fake control_fakes[2];
extern const struct rte_vhost_state_ops control_small_ops;
/** A directory of the test, and its control socket. */
extern char control_dir[64], control_path[96];

/** Register the devices and open the socket; the reverse. */
int control_setup(void **state);
int control_teardown(void **state);

/** Connect to the socket. */
int control_dial(void);
/** Connect to another socket. @return a descriptor or -errno */
int control_dial_path(const char *to);
/** Send bytes; a line; a line with a descriptor. */
void control_put(int fd, const void *bytes, size_t len);
void control_say(int fd, const char *line);
void control_say_with_fd(int fd, const char *line, int passed);
/** Read a line. @return the object; NULL: the connection was closed */
json_t *control_hear(int fd);
/** Send a line and read the reply. */
json_t *control_ask(int fd, const char *line);
bool control_is_ok(const json_t *reply);
/** The reply is a refusal with this reason and a text; freed. */
void control_refused(json_t *reply, const char *reason);
/** The request was done; the reply is freed. */
void control_done(json_t *reply);
json_int_t control_number(const json_t *object, const char *key);
/** Wait until the peer closed the connection, and close it. */
void control_closed_by_peer(int fd);

/** Tests of other files. @return number of failures */
int test_control_clients(void);

#endif /* CONTROL_SUPPORT_H */
