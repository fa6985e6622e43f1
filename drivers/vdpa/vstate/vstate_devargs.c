/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_kvargs.h>
#include <rte_memory.h>
#include <rte_string_fns.h>

#include "dev/vstate_dev.h"
#include "vstate_devargs.h"
#include "vstate_log.h"

#define MTU_MIN 68
/* The IPv4 total length field ends here, and so does the largest frame. */
#define MTU_MAX 65535

static int
parse_uint(const char *key, const char *value, uint64_t min, uint64_t max, uint64_t *out)
{
	unsigned long long v = 0;
	char *end = NULL;

	errno = 0;
	/* strtoull() would take space, signs and octal, too */
	if (value != NULL && isdigit((unsigned char)*value))
		v = strtoull(value, &end, 10);
	if (end == NULL || errno != 0 || *end != '\0' || v < min || v > max) {
		VSTATE_LOG(ERR, "%s=%s: not a number from %" PRIu64 " to %" PRIu64, key,
				value != NULL ? value : "", min, max);
		return -EINVAL;
	}
	*out = v;
	return 0;
}

static int
parse_bool(const char *key, const char *value, void *field)
{
	uint64_t v;
	int ret = parse_uint(key, value, 0, 1, &v);

	if (ret == 0)
		*(bool *)field = v;
	return ret;
}

static int
parse_queues(const char *key, const char *value, void *field)
{
	uint64_t v;
	int ret = parse_uint(key, value, 1, VSTATE_MAX_PAIRS, &v);

	if (ret == 0)
		*(uint16_t *)field = v;
	return ret;
}

static int
parse_mtu(const char *key, const char *value, void *field)
{
	uint64_t v;
	int ret = parse_uint(key, value, MTU_MIN, MTU_MAX, &v);

	if (ret == 0)
		*(uint16_t *)field = v;
	return ret;
}

static int
parse_numa(const char *key, const char *value, void *field)
{
	uint64_t v;
	int ret = parse_uint(key, value, 0, RTE_MAX_NUMA_NODES - 1, &v);

	if (ret == 0)
		*(int *)field = v;
	return ret;
}

static int
parse_mac(const char *key, const char *value, void *field)
{
	struct vstate_conf *conf = field;

	if (value == NULL || rte_ether_unformat_addr(value, &conf->mac) != 0 ||
			!rte_is_valid_assigned_ether_addr(&conf->mac)) {
		VSTATE_LOG(ERR, "%s=%s: not a unicast MAC address", key, value != NULL ? value : "");
		return -EINVAL;
	}
	conf->has_mac = true;
	return 0;
}

static int
parse_iface(const char *key, const char *value, void *field)
{
	struct vstate_conf *conf = field;

	if (value == NULL || *value == '\0' ||
			rte_strscpy(conf->iface, value, sizeof(conf->iface)) < 0) {
		VSTATE_LOG(ERR, "%s=%s: a path of 1 to %zu characters is needed", key,
				value != NULL ? value : "", sizeof(conf->iface) - 1);
		return -EINVAL;
	}
	return 0;
}

static int
parse_uplink(const char *key, const char *value, void *field)
{
	struct vstate_conf *conf = field;

	if (value == NULL || *value == '\0' ||
			rte_strscpy(conf->uplink, value, sizeof(conf->uplink)) < 0) {
		VSTATE_LOG(ERR, "%s=%s: not the name of a port", key, value != NULL ? value : "");
		return -EINVAL;
	}
	return 0;
}

static int
parse_state_dir(const char *key, const char *value, void *field)
{
	struct vstate_conf *conf = field;

	if (value == NULL || *value != '/' ||
			rte_strscpy(conf->state_dir, value, sizeof(conf->state_dir)) < 0) {
		VSTATE_LOG(ERR, "%s=%s: an absolute path of up to %zu characters is needed", key,
				value != NULL ? value : "", sizeof(conf->state_dir) - 1);
		return -EINVAL;
	}
	return 0;
}

/* net_vhost has it; nothing is lost without: frames are copied to mbufs of the pool. */
static int
parse_ext_buffer(const char *key, const char *value, void *field)
{
	bool on;
	int ret = parse_bool(key, value, &on);

	RTE_SET_USED(field);
	if (ret == 0 && on)
		VSTATE_LOG(NOTICE, "%s=1 has no effect: large frames are chained", key);
	return ret;
}

/* rte_vhost has no public look-up in its IOTLB, so that ACCESS_PLATFORM is not offered. */
static int
parse_iommu(const char *key, const char *value, void *field)
{
	bool on;
	int ret = parse_bool(key, value, &on);

	RTE_SET_USED(field);
	if (ret == 0 && on) {
		VSTATE_LOG(ERR, "%s=1 is not supported", key);
		ret = -EINVAL;
	}
	return ret;
}

static const struct key {
	const char *name;
	bool net_only;
	int (*parse)(const char *key, const char *value, void *field);
	size_t offset;
} keys[] = {
	{ "iface", true, parse_iface, 0 },
	{ "client", true, parse_bool, offsetof(struct vstate_conf, client) },
	{ "postcopy-support", true, parse_bool, offsetof(struct vstate_conf, postcopy_support) },
	{ "ext-buffer", true, parse_ext_buffer, 0 },
	{ "iommu-support", true, parse_iommu, 0 },
	{ "queues", false, parse_queues, offsetof(struct vstate_conf, queues) },
	{ "device-state", true, parse_bool, offsetof(struct vstate_conf, device_state) },
	{ "tso", false, parse_bool, offsetof(struct vstate_conf, tso) },
	{ "linear-buffer", false, parse_bool, offsetof(struct vstate_conf, linear_buffer) },
	{ "mac", false, parse_mac, 0 },
	{ "mtu", false, parse_mtu, offsetof(struct vstate_conf, mtu) },
	{ "numa", false, parse_numa, offsetof(struct vstate_conf, numa) },
	{ "takeover", true, parse_bool, offsetof(struct vstate_conf, takeover) },
	{ "keep-connection", true, parse_bool, offsetof(struct vstate_conf, keep_connection) },
	{ "state_dir", false, parse_state_dir, 0 },
	{ "service", false, parse_bool, offsetof(struct vstate_conf, service) },
	{ "uplink", false, parse_uplink, 0 },
};

static const struct key *
key_find(enum vstate_kind kind, const char *name)
{
	size_t i;

	for (i = 0; i < RTE_DIM(keys); i++) {
		if (strcmp(keys[i].name, name) == 0 &&
				(kind == VSTATE_KIND_NET || !keys[i].net_only))
			return &keys[i];
	}
	return NULL;
}

static int
parse_pairs(enum vstate_kind kind, const char *name, const struct rte_kvargs *kvlist,
		struct vstate_conf *conf)
{
	const struct key *key;
	unsigned int i, j;
	int ret;

	for (i = 0; i < kvlist->count; i++) {
		const struct rte_kvargs_pair *pair = &kvlist->pairs[i];

		key = key_find(kind, pair->key);
		if (key == NULL) {
			VSTATE_LOG(ERR, "%s: unknown device argument '%s'", name, pair->key);
			return -EINVAL;
		}
		for (j = 0; j < i; j++) {
			if (strcmp(kvlist->pairs[j].key, pair->key) == 0) {
				VSTATE_LOG(ERR, "%s: '%s' is given twice", name, pair->key);
				return -EINVAL;
			}
		}
		ret = key->parse(pair->key, pair->value, (uint8_t *)conf + key->offset);
		if (ret != 0)
			return ret;
	}
	return 0;
}

int
vstate_devargs_parse(enum vstate_kind kind, const char *name, const char *args,
		struct vstate_conf *conf)
{
	struct rte_kvargs *kvlist;
	int ret;

	*conf = (struct vstate_conf) {
		.queues = 1,
		.mtu = MTU_MAX,
		.numa = SOCKET_ID_ANY,
		.device_state = true,
		.keep_connection = true,
		.service = kind == VSTATE_KIND_VDPA,
	};
	kvlist = rte_kvargs_parse(args != NULL ? args : "", NULL);
	if (kvlist == NULL) {
		VSTATE_LOG(ERR, "%s: cannot read device arguments '%s'", name, args);
		return -EINVAL;
	}
	ret = parse_pairs(kind, name, kvlist, conf);
	rte_kvargs_free(kvlist);
	if (ret != 0)
		return ret;
	if (kind == VSTATE_KIND_NET && conf->iface[0] == '\0') {
		VSTATE_LOG(ERR, "%s: iface=PATH is missing", name);
		return -EINVAL;
	}
	if (conf->takeover && conf->state_dir[0] == '\0') {
		VSTATE_LOG(ERR, "%s: takeover= needs state_dir=", name);
		return -EINVAL;
	}
	if (conf->uplink[0] != '\0' && !conf->service) {
		VSTATE_LOG(ERR, "%s: uplink= needs service=1", name);
		return -EINVAL;
	}
	return 0;
}
