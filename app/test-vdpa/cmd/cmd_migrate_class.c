/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>
#include <rte_errno.h>

#include "backend.h"
#include "backend_local.h"
#include "backend_process.h"
#include "cmd_migrate_class.h"
#include "eal.h"
#include "report.h"
#include "stats.h"
#include "workdir.h"

/* ---- the back ends ---- */

static int
backend_make(const struct cmd_migrate_class_conf *conf, const struct workdir *wd, unsigned int i,
		struct backend **be)
{
	const unsigned int n = conf->upgrade ? 0 : i;
	struct backend_device dev;
	char name[16], keep[80] = "";
	int ret;

	memset(&dev, 0, sizeof(dev));
	/* two processes have one device, which connects to the driver */
	dev.client = conf->upgrade;
	snprintf(dev.name, sizeof(dev.name), "%s_vstate%u", conf->class, n);
	snprintf(name, sizeof(name), "%u.sock", n);
	if (workdir_path(wd, name, dev.socket, sizeof(dev.socket)) < 0)
		return -ENAMETOOLONG;
	if (conf->upgrade && snprintf(keep, sizeof(keep), ",client=1,takeover=1,state_dir=%s",
				wd->path) >= (int)sizeof(keep))
		return -ENAMETOOLONG;
	ret = conf->args_make(conf->arg, wd, i, keep, &dev);
	if (ret < 0)
		return ret;
	*be = conf->kill || conf->upgrade || (conf->process && i == 1) ?
		backend_process_create(&dev, eal_user_args(), conf->verbose) :
		backend_local_create(&dev);
	return *be != NULL ? 0 : -rte_errno;
}

int
cmd_migrate_class_open(const struct cmd_migrate_class_conf *conf, const struct workdir *wd,
		struct backend *be[2])
{
	unsigned int i;
	int ret = 0;

	be[0] = be[1] = NULL;
	if (conf->upgrade) {
		ret = backend_make(conf, wd, 1, &be[1]);
		if (ret == 0)
			ret = be[1]->ops->kill(be[1]);
	}
	for (i = 0; i < (conf->kill || conf->upgrade ? 1 : 2) && ret == 0; i++)
		ret = backend_make(conf, wd, i, &be[i]);
	if (ret == -ENAMETOOLONG)
		fprintf(stderr, "dpdk-test-vdpa migrate: cannot create the devices: %s is too long for "
				"their arguments; TMPDIR may be a shorter one\n", wd->path);
	else if (ret < 0)
		fprintf(stderr, "dpdk-test-vdpa migrate: cannot create the devices: %s\n",
				strerror(-ret));
	return ret;
}

void
cmd_migrate_class_close(struct backend *be[2])
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (be[i] != NULL)
			be[i]->ops->destroy(be[i]);
	}
}

/* ---- the report ---- */

static json_t *
times_json(struct stats *s)
{
	struct stats_summary sum;

	if (s->nb == 0)
		return json_null();
	stats_summarize(s, &sum);
	return json_pack("{s:o, s:o, s:o}", "p50", report_real(sum.p50 / 1e3, 1),
			"p99", report_real(sum.p99 / 1e3, 1), "max", report_real(sum.max / 1e3, 1));
}

static void
times_print(const char *name, struct stats *s, FILE *f)
{
	struct stats_summary sum;

	if (s->nb == 0)
		return;
	stats_summarize(s, &sum);
	fprintf(f, "%-12s p50 %.1f us, p99 %.1f us, max %.1f us\n", name, sum.p50 / 1e3,
			sum.p99 / 1e3, sum.max / 1e3);
}

static void
json_print(const struct cmd_migrate_class_report *r, FILE *f)
{
	json_t *report = json_object();
	unsigned int i;

	for (i = 0; i < r->nb_rows; i++)
		json_object_set_new(report, r->rows[i].name, report_count(r->rows[i].value));
	json_object_set_new(report, "stop_us", times_json(r->stop));
	json_object_set_new(report, "blackout_us", times_json(r->blackout));
	json_object_set_new(report, "failure", report_text(r->failure));
	report_write(report, f);
}

void
cmd_migrate_class_report(const struct cmd_migrate_class_report *r, FILE *f)
{
	unsigned int i;

	if (r->json) {
		json_print(r, f);
		return;
	}
	for (i = 0; i < r->nb_rows; i++)
		fprintf(f, "%-12s %" PRIu64 "\n", r->rows[i].name, r->rows[i].value);
	times_print("stop", r->stop, f);
	times_print("blackout", r->blackout, f);
	if (r->failure[0] != '\0')
		fprintf(f, "failed: %s\n", r->failure);
}
