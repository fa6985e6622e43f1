/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd_guest_class.h"
#include "hostile.h"
#include "option.h"
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

int
cmd_guest_class_hostile(struct hostile_conf *c, int opt, const char *arg)
{
	uint64_t n = 0;
	int ret = 0;

	switch (opt) {
	case 'H': c->name = arg; break;
	case 'R': c->expect_reset = true; break;
	case 'W': c->witness = arg; break;
	case 'V': c->verbose = true; break;
	case 'P':
		ret = option_number("guest", "--back-end-pid", arg, 1, INT32_MAX, &n);
		c->pid = n;
		break;
	case 'M':
		ret = option_number("guest", "--rss-limit", arg, 0, 1 << 20, &n);
		c->rss_limit_mb = n;
		break;
	default: return -EINVAL;
	}
	return ret;
}

bool
cmd_guest_class_lists(const struct hostile_conf *c)
{
	return c->name != NULL && strcmp(c->name, "list") == 0;
}
