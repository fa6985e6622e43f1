/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_string_fns.h>

#include "clock.h"
#include "ctl_link.h"
#include "ctl_show.h"
#include "ctl_watch.h"

#define TABLE_ROWS 16
#define REFRESH_NS 1000000000ull

/** A device in the table: its counters when it was shown last. */
struct row {
	char name[64];
	uint64_t packets[2], bytes[2], ns;
};

struct watch {
	struct ctl_link *link;
	bool json, table;
	struct row rows[TABLE_ROWS];
	unsigned int nb_rows;
	/** Lines of the table on the terminal, which the next output replaces. */
	unsigned int lines;
};

/* Erase the table, so that events scroll above it. */
static void
table_erase(struct watch *w)
{
	if (w->lines > 0)
		printf("\033[%uA\033[J", w->lines);
	w->lines = 0;
}

static void
event_print(struct watch *w, json_t *event)
{
	if (json_object_get(event, "event") == NULL)
		return;
	table_erase(w);
	if (w->json) {
		json_dumpf(event, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		ctl_show_event(event, stdout);
	}
	fflush(stdout);
}

/* Ask while events may come in between. @return NULL: reported, or a stop is requested */
static json_t *
watch_ask(struct watch *w, json_t *request)
{
	json_t *object = NULL;

	if (ctl_link_send(w->link, request, -1) != 0)
		return NULL;
	while (ctl_link_read(w->link, 60000, &object) == 0) {
		if (json_object_get(object, "event") == NULL)
			return object;
		event_print(w, object);
		json_decref(object);
	}
	return NULL;
}

static struct row *
row_find(struct watch *w, const char *name)
{
	unsigned int i;

	for (i = 0; i < w->nb_rows; i++)
		if (strcmp(w->rows[i].name, name) == 0)
			return &w->rows[i];
	if (w->nb_rows == TABLE_ROWS)
		return NULL;
	strlcpy(w->rows[i].name, name, sizeof(w->rows[i].name));
	w->nb_rows++;
	return &w->rows[i];
}

/* Queues of even number lead to the guest of a network device, and the others from it. */
static void
row_print(struct row *row, const json_t *device, const json_t *stats)
{
	const json_t *queues = json_object_get(stats, "queues"), *queue;
	uint64_t packets[2] = { 0 }, bytes[2] = { 0 }, now = clock_ns();
	double s = (now - row->ns) / 1e9, rate[2], mbit[2];
	size_t i;
	int way;

	json_array_foreach(queues, i, queue) {
		way = i % 2;
		packets[way] += json_integer_value(json_object_get(queue, "good_packets"));
		bytes[way] += json_integer_value(json_object_get(queue, "good_bytes"));
	}
	for (way = 0; way < 2; way++) {
		rate[way] = row->ns != 0 && packets[way] >= row->packets[way] ?
			(packets[way] - row->packets[way]) / s : 0;
		mbit[way] = row->ns != 0 && bytes[way] >= row->bytes[way] ?
			(bytes[way] - row->bytes[way]) * 8 / s / 1e6 : 0;
		row->packets[way] = packets[way];
		row->bytes[way] = bytes[way];
	}
	row->ns = now;
	printf("%-16.16s %-11s %12.0f %10.1f %12.0f %10.1f\n", row->name, ctl_show_state(device),
		rate[0], mbit[0], rate[1], mbit[1]);
}

static int
table_print(struct watch *w)
{
	json_t *list = watch_ask(w, json_pack("{s:s}", "cmd", "list")), *stats, *device;
	struct row *row;
	size_t i;

	if (list == NULL)
		return -EINTR;
	table_erase(w);
	printf("%-16s %-11s %12s %10s %12s %10s\n", "DEVICE", "STATE", "TO GUEST/s", "Mbit/s",
		"FROM GUEST/s", "Mbit/s");
	w->lines = 1;
	json_array_foreach(json_object_get(list, "devices"), i, device) {
		row = row_find(w, ctl_show_text(device, "device"));
		if (row == NULL)
			break;
		stats = watch_ask(w, json_pack("{s:s, s:s}", "cmd", "statistics", "device",
				row->name));
		row_print(row, device, stats);
		json_decref(stats);
		w->lines++;
	}
	json_decref(list);
	fflush(stdout);
	return 0;
}

int
ctl_watch(struct ctl_link *link, bool json, double seconds)
{
	struct watch w = { .link = link, .json = json, .table = !json && isatty(STDOUT_FILENO) };
	const uint64_t end = seconds > 0 ? clock_ns() + (uint64_t)(seconds * 1e9) : UINT64_MAX;
	uint64_t now, next = 0, until;
	json_t *object;
	int ret = 0;

	object = watch_ask(&w, json_pack("{s:s}", "cmd", "subscribe"));
	if (object == NULL)
		return -EINTR;
	json_decref(object);
	while ((now = clock_ns()) < end) {
		if (w.table && now >= next) {
			ret = table_print(&w);
			if (ret != 0)
				break;
			next = now + REFRESH_NS;
		}
		until = RTE_MIN(end, w.table ? next : now + 60 * REFRESH_NS);
		ret = ctl_link_read(link, until > now ? (until - now) / 1000000 + 1 : 0, &object);
		if (ret == 0) {
			event_print(&w, object);
			json_decref(object);
		} else if (ret != -EAGAIN) {
			break;
		}
	}
	return ret == -EAGAIN ? 0 : ret;
}
