/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include <rte_common.h>

#include <vstate_compat.h>

#include "ctl_show.h"

const char *
ctl_show_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "-";
}

static json_int_t
number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static bool
status_has(const json_t *device, const char *name)
{
	const json_t *names = json_object_get(device, "status_names");
	size_t i;

	for (i = 0; i < json_array_size(names); i++)
		if (strcmp(json_string_value(json_array_get(names, i)), name) == 0)
			return true;
	return false;
}

const char *
ctl_show_state(const json_t *device)
{
	if (json_object_get(device, "status") == NULL)
		return "busy";
	if (status_has(device, "needs_reset"))
		return "needs reset";
	if (status_has(device, "suspend"))
		return "suspended";
	return status_has(device, "driver_ok") ? "running" : "not running";
}

static const char *
connected(const json_t *device)
{
	return json_is_true(json_object_get(device, "connected")) ? "connected" : "none";
}

void
ctl_show_list(const json_t *reply, FILE *f)
{
	const json_t *devices = json_object_get(reply, "devices"), *device;
	size_t i;

	if (json_array_size(devices) == 0) {
		fprintf(f, "no devices\n");
		return;
	}
	fprintf(f, "%-24s %-8s %-10s %s\n", "DEVICE", "CLASS", "FRONT END", "STATE");
	json_array_foreach(devices, i, device)
		fprintf(f, "%-24s %-8s %-10s %s\n", ctl_show_text(device, "device"),
			ctl_show_text(device, "class"), connected(device), ctl_show_state(device));
}

static void
status_names_show(const json_t *reply, FILE *f)
{
	const json_t *names = json_object_get(reply, "status_names"), *name;
	size_t i;

	fprintf(f, "status       %s (", ctl_show_state(reply));
	json_array_foreach(names, i, name)
		fprintf(f, "%s%s", i > 0 ? ", " : "", json_string_value(name));
	fprintf(f, ")\n");
}

void
ctl_show_device(const json_t *reply, FILE *f)
{
	static const char *const operations[] = { "suspend", "capture", "restore", "resume" };
	const json_t *limits = json_object_get(reply, "limits"), *t;
	unsigned int i;

	fprintf(f, "device       %s\n", ctl_show_text(reply, "device"));
	fprintf(f, "class        %s\n", ctl_show_text(reply, "class"));
	fprintf(f, "front end    %s\n", connected(reply));
	status_names_show(reply, f);
	fprintf(f, "offered      %s\n", ctl_show_text(limits, "device_features"));
	fprintf(f, "negotiated   %s\n", ctl_show_text(limits, "driver_features"));
	fprintf(f, "queues       %" JSON_INTEGER_FORMAT "\n", number(limits, "max_queues"));
	for (i = 0; i < RTE_DIM(operations); i++) {
		t = json_object_get(reply, operations[i]);
		if (number(t, "count") == 0)
			fprintf(f, "%-12s never\n", operations[i]);
		else
			fprintf(f, "%-12s %" JSON_INTEGER_FORMAT " times, last %.1f us, "
				"mean %.1f us, max %.1f us\n", operations[i], number(t, "count"),
				number(t, "last_ns") / 1e3,
				(double)number(t, "sum_ns") / number(t, "count") / 1e3,
				number(t, "max_ns") / 1e3);
	}
}

static void
counters_show(const json_t *counters, const char *who, FILE *f)
{
	const char *name;
	json_t *value;

	json_object_foreach(RTE_PTR_UNQUAL(counters), name, value) {
		if (strcmp(name, "queue") != 0 && json_integer_value(value) != 0)
			fprintf(f, "%-10s %-40s %20" JSON_INTEGER_FORMAT "\n", who, name,
				json_integer_value(value));
	}
}

void
ctl_show_statistics(const json_t *reply, FILE *f)
{
	const json_t *queues = json_object_get(reply, "queues"), *queue;
	char who[32];
	size_t i;

	counters_show(json_object_get(reply, "statistics"), "device", f);
	json_array_foreach(queues, i, queue) {
		snprintf(who, sizeof(who), "queue %" JSON_INTEGER_FORMAT, number(queue, "queue"));
		counters_show(queue, who, f);
	}
}

void
ctl_show_summary(const json_t *reply, const char *verb, const char *file, FILE *f)
{
	fprintf(f, "%s: %s %" JSON_INTEGER_FORMAT " bytes: %" JSON_INTEGER_FORMAT " queues, %"
		JSON_INTEGER_FORMAT " buffers in flight\n", file, verb, number(reply, "bytes"),
		number(reply, "queues"), number(reply, "in_flight"));
}

void
ctl_show_event(const json_t *event, FILE *f)
{
	const json_int_t ns = number(event, "time_ns");
	const time_t seconds = ns / 1000000000;
	char when[32] = "";
	struct tm tm;

	if (localtime_r(&seconds, &tm) != NULL)
		strftime(when, sizeof(when), "%H:%M:%S", &tm);
	fprintf(f, "%s.%03d  %-20s %s", when, (int)(ns / 1000000 % 1000),
		ctl_show_text(event, "device"), ctl_show_text(event, "event"));
	if (json_object_get(event, "queue") != NULL)
		fprintf(f, " queue %" JSON_INTEGER_FORMAT, number(event, "queue"));
	if (json_object_get(event, "detail") != NULL)
		fprintf(f, " (%s)", ctl_show_text(event, "detail"));
	fputc('\n', f);
}
