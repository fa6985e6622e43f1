/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_string_fns.h>

#include "vstate_log.h"
#include "vstate_scsi_conf.h"

/* The number behind "lun" says which one, as the table of arguments has it. */
static int
parse_lun(const char *key, const char *value, void *field)
{
	struct vstate_scsi_conf *conf = field;
	char *path = conf->paths[strtoul(key + 3, NULL, 10)];

	if (value == NULL || *value == '\0' ||
			rte_strscpy(path, value, sizeof(conf->paths[0])) < 0) {
		VSTATE_LOG(ERR, "%s=%s: a path of 1 to %zu characters is needed", key,
				value != NULL ? value : "", sizeof(conf->paths[0]) - 1);
		return -EINVAL;
	}
	return 0;
}

static int
parse_luns(const char *key, const char *value, void *field)
{
	uint64_t v;
	int ret = vstate_devarg_parse_uint(key, value, 1, VSTATE_SCSI_LUNS, &v);

	if (ret == 0)
		*(uint16_t *)field = v;
	return ret;
}

#define FIELD(name) offsetof(struct vstate_scsi_conf, name)
#define LUN_ARG(n) { "lun" #n, false, parse_lun, 0 }

const struct vstate_devarg vstate_scsi_devargs[VSTATE_SCSI_NB_DEVARGS] = {
	LUN_ARG(0), LUN_ARG(1), LUN_ARG(2), LUN_ARG(3),
	LUN_ARG(4), LUN_ARG(5), LUN_ARG(6), LUN_ARG(7),
	{ "luns", false, parse_luns, FIELD(nb_luns) },
	{ "size", false, vstate_blk_conf_parse_size, FIELD(store) },
	{ "store", false, vstate_blk_conf_parse_store, FIELD(store) },
	{ "ro", false, vstate_devarg_parse_bool, FIELD(store.ro) },
	{ "direct", false, vstate_devarg_parse_bool, FIELD(store.direct) },
	{ "serial", false, vstate_blk_conf_parse_serial, FIELD(store) },
	{ "block-size", false, vstate_blk_conf_parse_block_size, FIELD(store.blk_size) },
	{ "delay-us", false, vstate_blk_conf_parse_delay, FIELD(store.delay_us) },
	{ "reorder", false, vstate_devarg_parse_bool, FIELD(store.reorder) },
};

void
vstate_scsi_conf_default(struct vstate_conf *conf)
{
	*vstate_scsi_conf(conf) = (struct vstate_scsi_conf){ .nb_luns = 0 };
	/* those of a disk come first */
	vstate_blk_conf_default(conf);
}

uint16_t
vstate_scsi_conf_luns(const struct vstate_scsi_conf *conf)
{
	uint16_t n = 0;

	if (!vstate_blk_conf_has_file(&conf->store))
		return RTE_MAX(conf->nb_luns, 1);
	while (n < VSTATE_SCSI_LUNS && conf->paths[n][0] != '\0')
		n++;
	return n;
}

/* @return whether a logical unit has a path and one before it has none */
static bool
has_gap(const struct vstate_scsi_conf *conf)
{
	uint16_t i;

	for (i = 1; i < VSTATE_SCSI_LUNS; i++)
		if (conf->paths[i][0] != '\0' && conf->paths[i - 1][0] == '\0')
			return true;
	return false;
}

/* A state has the serial numbers, in a format without escapes. */
static bool
serial_is_printable(const char *serial)
{
	unsigned int i;

	for (i = 0; i < VSTATE_BLK_ID_SIZE && serial[i] != '\0'; i++)
		if (serial[i] < ' ' || serial[i] > '~' || serial[i] == '"' || serial[i] == '\\')
			return false;
	return true;
}

int
vstate_scsi_conf_check(const char *dev_name, const struct vstate_conf *conf)
{
	const struct vstate_scsi_conf *scsi = vstate_scsi_conf_const(conf);
	const bool file = vstate_blk_conf_has_file(&scsi->store);
	const char *why = vstate_blk_conf_store_check(&scsi->store);

	if (!conf->service)
		why = "a SCSI host needs service=1";
	else if (file && scsi->paths[0][0] == '\0')
		why = "lun0=FILE is missing";
	else if (has_gap(scsi))
		why = "the numbers of lunN= must follow each other from 0 on";
	else if (file && scsi->nb_luns != 0)
		why = "luns= is for store=ram and store=null: each file has a lunN=";
	else if (!file && scsi->paths[0][0] != '\0')
		why = "store=ram and store=null have no lunN=";
	else if (!serial_is_printable(scsi->store.serial))
		why = "serial= must have printable characters without quote and backslash";
	if (why == NULL)
		return 0;
	VSTATE_LOG(ERR, "%s: %s", dev_name, why);
	return -EINVAL;
}
