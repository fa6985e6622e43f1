/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef CMD_MIGRATE_CLASS_H
#define CMD_MIGRATE_CLASS_H

/** @file What "migrate" has in common for the classes other than net: back ends and report. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct backend;
struct backend_device;
struct stats;
struct workdir;

/** The two back ends of a run. In an upgrade both are processes of one device. */
struct cmd_migrate_class_conf {
	/** Name of the class, as in "blk_vstate0". */
	const char *class;
	/** They are killed; taken over by each other; the second one is a process of its own. */
	bool kill, upgrade, process, verbose;
	/**
	 * Write dev->args; name and socket are written.
	 * @param i  number of the back end
	 * @param keep  arguments for a device that is taken over, with a comma before them; or ""
	 * @return 0 or -errno
	 */
	int (*args_make)(void *arg, const struct workdir *wd, unsigned int i, const char *keep,
			struct backend_device *dev);
	void *arg;
};

/**
 * Make the back ends that a run begins with: one if it is killed or taken over, else two. The
 * second process of an upgrade is started later, by its revive operation.
 * @param be  written; NULL: none. cmd_migrate_class_close() frees them, also after an error.
 * @return 0 or -errno, which is printed
 */
int cmd_migrate_class_open(const struct cmd_migrate_class_conf *conf, const struct workdir *wd,
		struct backend *be[2]);
void cmd_migrate_class_close(struct backend *be[2]);

struct cmd_migrate_class_row {
	const char *name;
	uint64_t value;
};

struct cmd_migrate_class_report {
	const struct cmd_migrate_class_row *rows;
	unsigned int nb_rows;
	/** Times of the stops and blackouts, ns. */
	struct stats *stop, *blackout;
	/** Why the run failed, or "". */
	const char *failure;
	bool json;
};

void cmd_migrate_class_report(const struct cmd_migrate_class_report *r, FILE *f);

#endif /* CMD_MIGRATE_CLASS_H */
