/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_BLK_CONF_H
#define VSTATE_BLK_CONF_H

/** @file Device arguments of the block class. */

#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>

#include "dev/vstate_conf.h"
#include "dev/vstate_devarg.h"

/** Bytes of the identity that GET_ID returns (VIRTIO "Block Device"). */
#define VSTATE_BLK_ID_SIZE 20

/** Bytes of a sector, the unit of capacity and of request addresses (VIRTIO "Block Device"). */
#define VSTATE_BLK_SECTOR 512

/** What serves the requests. */
enum vstate_blk_store_kind {
	/** io_uring if this build and the kernel have it, else threads. */
	VSTATE_BLK_STORE_DEFAULT,
	VSTATE_BLK_STORE_URING,
	VSTATE_BLK_STORE_THREADS,
	/** Memory of this process, for tests. */
	VSTATE_BLK_STORE_RAM,
	/** Nothing is read and nothing is stored, for tests. */
	VSTATE_BLK_STORE_NULL,
};

/** Arguments of the block class, stored in struct vstate_conf::of_class. */
struct vstate_blk_conf {
	/** File or block device; empty for ram and null. */
	char path[256];
	/** Bytes of a ram or null store. */
	uint64_t size;
	enum vstate_blk_store_kind store;
	/** Refuse everything that writes. */
	bool ro;
	/** Open the file with O_DIRECT. */
	bool direct;
	/** Complete delayed requests in random order. */
	bool reorder;
	/** Delay of each request in microseconds, for tests; 0: none. */
	uint32_t delay_us;
	/** Bytes of a logical block, 512 or 4096. */
	uint32_t blk_size;
	/** Identity for GET_ID, padded with zeros. */
	char serial[VSTATE_BLK_ID_SIZE];
};

/** Help text for RTE_PMD_REGISTER_PARAM_STRING. */
#define VSTATE_BLK_CONF_PARAMS \
	"path=<file> " \
	VSTATE_BLK_CONF_STORE_PARAMS
/** Those of each class with stores. */
#define VSTATE_BLK_CONF_STORE_PARAMS \
	"size=<bytes> " \
	"store=<uring|threads|ram|null> " \
	"ro=<0|1> " \
	"direct=<0|1> " \
	"serial=<text> " \
	"block-size=<512|4096> " \
	"delay-us=<0-10000000> " \
	"reorder=<0|1> "

/** Return the arguments of the block class, to write them. */
static inline struct vstate_blk_conf *
vstate_blk_conf(struct vstate_conf *conf)
{
	RTE_BUILD_BUG_ON(sizeof(struct vstate_blk_conf) > sizeof(conf->of_class));
	return (struct vstate_blk_conf *)(void *)conf->of_class;
}

/** Return the arguments of the block class, to read them. */
static inline const struct vstate_blk_conf *
vstate_blk_conf_const(const struct vstate_conf *conf)
{
	return (const struct vstate_blk_conf *)(const void *)conf->of_class;
}

#define VSTATE_BLK_NB_DEVARGS 9
extern const struct vstate_devarg vstate_blk_devargs[VSTATE_BLK_NB_DEVARGS];

/** Parsers of the arguments of a store; @p field is a struct vstate_blk_conf. */
int vstate_blk_conf_parse_size(const char *key, const char *value, void *field);
int vstate_blk_conf_parse_store(const char *key, const char *value, void *field);
int vstate_blk_conf_parse_serial(const char *key, const char *value, void *field);
/** Parsers whose @p field is a uint32_t. */
int vstate_blk_conf_parse_block_size(const char *key, const char *value, void *field);
int vstate_blk_conf_parse_delay(const char *key, const char *value, void *field);
/** Return whether a file or block device keeps the blocks. */
bool vstate_blk_conf_has_file(const struct vstate_blk_conf *conf);
/** Check the arguments of a store together. @return NULL, or what is wrong */
const char *vstate_blk_conf_store_check(const struct vstate_blk_conf *conf);

/* Members of struct vstate_class, documented there. */
void vstate_blk_conf_default(struct vstate_conf *conf);
int vstate_blk_conf_check(const char *dev_name, const struct vstate_conf *conf);

#endif /* VSTATE_BLK_CONF_H */
