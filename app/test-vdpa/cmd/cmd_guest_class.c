/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd_guest_class.h"
#include "report.h"

void
cmd_guest_class_error(const char *socket, int err, const char *why)
{
	fprintf(stderr, "dpdk-test-vdpa guest: %s: %s%s%s\n", socket,
		err == -EPIPE ? "the back end closed the connection" : strerror(-err),
		why != NULL ? ": " : "", why != NULL ? why : "");
}

void
cmd_guest_class_report(json_t *report, bool good, const char *why)
{
	json_object_set_new(report, "ok", json_boolean(good));
	if (why != NULL)
		json_object_set_new(report, "first_error", report_text(why));
	report_write(report, stdout);
}
