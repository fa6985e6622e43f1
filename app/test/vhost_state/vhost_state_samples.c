/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/*
 * vhost-state-samples DIR COUNT: write valid states, each as DIR/NAME.state and, in JSON, as
 * DIR/NAME.json. NAME is split, packed, packed_descs, blk, net_ctrl, console, scsi, and a number
 * for each of COUNT random states.
 *
 * The program links with the shared library, so it also tests that the exports suffice. The golden
 * files are made from its output, see data/README.rst.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "vhost_state_sample.h"

static int
write_json(const struct rte_vhost_state *st, const char *path)
{
	FILE *f = fopen(path, "w");

	if (f == NULL)
		return -1;
	rte_vhost_state_dump_json(st, f);
	return fclose(f);
}

static int
write_sample(struct rte_vhost_state *st, const char *dir, const char *name)
{
	struct rte_vhost_state_error err;
	char path[4096], text[256];
	int ret;

	snprintf(path, sizeof(path), "%s/%s.state", dir, name);
	ret = rte_vhost_state_save(st, path, &err);
	if (ret != 0) {
		rte_vhost_state_error_format(&err, text, sizeof(text));
		fprintf(stderr, "%s: %s\n", path, text);
	} else {
		snprintf(path, sizeof(path), "%s/%s.json", dir, name);
		ret = write_json(st, path);
	}
	rte_vhost_state_free(st);
	return ret;
}

int
main(int argc, char **argv)
{
	char name[32];
	int64_t i, count;
	int ret;

	if (argc != 3) {
		fprintf(stderr, "usage: %s DIR COUNT\n", argv[0]);
		return EXIT_FAILURE;
	}
	count = strtol(argv[2], NULL, 10);
	ret = write_sample(sample_split(), argv[1], "split");
	if (ret == 0)
		ret = write_sample(sample_packed(), argv[1], "packed");
	if (ret == 0)
		ret = write_sample(sample_packed_descs(), argv[1], "packed_descs");
	if (ret == 0)
		ret = write_sample(sample_blk(), argv[1], "blk");
	if (ret == 0)
		ret = write_sample(sample_net_ctrl(), argv[1], "net_ctrl");
	if (ret == 0)
		ret = write_sample(sample_console(), argv[1], "console");
	if (ret == 0)
		ret = write_sample(sample_scsi(), argv[1], "scsi");
	for (i = 0; i < count && ret == 0; i++) {
		snprintf(name, sizeof(name), "%" PRId64, i);
		ret = write_sample(sample_random((uint64_t)i), argv[1], name);
	}
	return ret == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
