/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <rte_common.h>

#include "vstate_blk_conf.h"
#include "vstate_log.h"

#define DELAY_MAX_US 10000000

static int
parse_path(const char *key, const char *value, void *field)
{
	struct vstate_blk_conf *conf = field;

	if (value == NULL || *value == '\0' || strlen(value) >= sizeof(conf->path)) {
		VSTATE_LOG(ERR, "%s=%s: a path of 1 to %zu characters is needed", key,
				value != NULL ? value : "", sizeof(conf->path) - 1);
		return -EINVAL;
	}
	strcpy(conf->path, value);
	return 0;
}

int
vstate_blk_conf_parse_size(const char *key, const char *value, void *field)
{
	struct vstate_blk_conf *conf = field;

	return vstate_devarg_parse_uint(key, value, VSTATE_BLK_SECTOR, INT64_MAX, &conf->size);
}

int
vstate_blk_conf_parse_store(const char *key, const char *value, void *field)
{
	static const struct {
		const char *name;
		enum vstate_blk_store_kind kind;
	} stores[] = {
		{ "uring", VSTATE_BLK_STORE_URING },
		{ "threads", VSTATE_BLK_STORE_THREADS },
		{ "ram", VSTATE_BLK_STORE_RAM },
		{ "null", VSTATE_BLK_STORE_NULL },
	};
	struct vstate_blk_conf *conf = field;
	unsigned int i;

	for (i = 0; value != NULL && i < RTE_DIM(stores); i++) {
		if (strcmp(value, stores[i].name) != 0)
			continue;
		conf->store = stores[i].kind;
		return 0;
	}
	VSTATE_LOG(ERR, "%s=%s: not one of uring, threads, ram, null", key,
			value != NULL ? value : "");
	return -EINVAL;
}

int
vstate_blk_conf_parse_serial(const char *key, const char *value, void *field)
{
	struct vstate_blk_conf *conf = field;

	if (value == NULL || strlen(value) > sizeof(conf->serial)) {
		VSTATE_LOG(ERR, "%s=%s: a text of up to %zu characters is needed", key,
				value != NULL ? value : "", sizeof(conf->serial));
		return -EINVAL;
	}
	memset(conf->serial, 0, sizeof(conf->serial));
	memcpy(conf->serial, value, strlen(value));
	return 0;
}

int
vstate_blk_conf_parse_block_size(const char *key, const char *value, void *field)
{
	uint64_t v;
	int ret = vstate_devarg_parse_uint(key, value, 512, 4096, &v);

	if (ret == 0 && v != 512 && v != 4096) {
		VSTATE_LOG(ERR, "%s=%s: not 512 or 4096", key, value);
		ret = -EINVAL;
	}
	if (ret == 0)
		*(uint32_t *)field = v;
	return ret;
}

int
vstate_blk_conf_parse_delay(const char *key, const char *value, void *field)
{
	uint64_t v;
	int ret = vstate_devarg_parse_uint(key, value, 0, DELAY_MAX_US, &v);

	if (ret == 0)
		*(uint32_t *)field = v;
	return ret;
}

#define FIELD(name) offsetof(struct vstate_blk_conf, name)

const struct vstate_devarg vstate_blk_devargs[VSTATE_BLK_NB_DEVARGS] = {
	{ "path", false, parse_path, 0 },
	{ "size", false, vstate_blk_conf_parse_size, 0 },
	{ "store", false, vstate_blk_conf_parse_store, 0 },
	{ "ro", false, vstate_devarg_parse_bool, FIELD(ro) },
	{ "direct", false, vstate_devarg_parse_bool, FIELD(direct) },
	{ "serial", false, vstate_blk_conf_parse_serial, 0 },
	{ "block-size", false, vstate_blk_conf_parse_block_size, FIELD(blk_size) },
	{ "delay-us", false, vstate_blk_conf_parse_delay, FIELD(delay_us) },
	{ "reorder", false, vstate_devarg_parse_bool, FIELD(reorder) },
};

void
vstate_blk_conf_default(struct vstate_conf *conf)
{
	*vstate_blk_conf(conf) = (struct vstate_blk_conf){
		.blk_size = VSTATE_BLK_SECTOR,
		.serial = "vstate",
	};
	/* no port polls a disk */
	conf->service = true;
}

bool
vstate_blk_conf_has_file(const struct vstate_blk_conf *conf)
{
	return conf->store != VSTATE_BLK_STORE_RAM && conf->store != VSTATE_BLK_STORE_NULL;
}

const char *
vstate_blk_conf_store_check(const struct vstate_blk_conf *conf)
{
	const bool file = vstate_blk_conf_has_file(conf);

	if (file && conf->size != 0)
		return "size= is for store=ram and store=null: a file has its own size";
	if (!file && (conf->size == 0 || conf->size % conf->blk_size != 0))
		return "store=ram and store=null need size=BYTES, a multiple of the block size";
	if (conf->reorder && conf->delay_us == 0)
		return "reorder=1 needs delay-us=";
	return NULL;
}

int
vstate_blk_conf_check(const char *dev_name, const struct vstate_conf *conf)
{
	const struct vstate_blk_conf *blk = vstate_blk_conf_const(conf);
	const bool file = vstate_blk_conf_has_file(blk);
	const char *why = vstate_blk_conf_store_check(blk);

	if (!conf->service)
		why = "a disk needs service=1";
	else if (file && blk->path[0] == '\0')
		why = "path=FILE is missing";
	else if (!file && blk->path[0] != '\0')
		why = "store=ram and store=null have no path=";
	if (why == NULL)
		return 0;
	VSTATE_LOG(ERR, "%s: %s", dev_name, why);
	return -EINVAL;
}
