/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_kvargs.h>
#include <rte_memory.h>
#include <rte_string_fns.h>

#include "dev/vstate_class.h"
#include "dev/vstate_devarg.h"
#include "vstate_devargs.h"
#include "vstate_log.h"

static int
parse_queues(const char *key, const char *value, void *field)
{
	uint64_t v;
	int ret = vstate_devarg_parse_uint(key, value, 1, VSTATE_MAX_QUEUES, &v);

	if (ret == 0)
		*(uint16_t *)field = v;
	return ret;
}

static int
parse_numa(const char *key, const char *value, void *field)
{
	uint64_t v;
	int ret = vstate_devarg_parse_uint(key, value, 0, RTE_MAX_NUMA_NODES - 1, &v);

	if (ret == 0)
		*(int *)field = v;
	return ret;
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
parse_control(const char *key, const char *value, void *field)
{
	struct vstate_conf *conf = field;

	if (value == NULL || *value == '\0' ||
			rte_strscpy(conf->control, value, sizeof(conf->control)) < 0) {
		VSTATE_LOG(ERR, "%s=%s: a path of 1 to %zu characters is needed", key,
				value != NULL ? value : "", sizeof(conf->control) - 1);
		return -EINVAL;
	}
	return 0;
}

static int
parse_socket_mode(const char *key, const char *value, void *field)
{
	char *end = NULL;
	unsigned long mode = value != NULL ? strtoul(value, &end, 8) : 0;

	if (value == NULL || *value == '\0' || *end != '\0' || mode > 0777 || *value == '-') {
		VSTATE_LOG(ERR, "%s=%s: an octal number from 0 to 0777 is needed", key,
				value != NULL ? value : "");
		return -EINVAL;
	}
	*(int *)field = mode;
	return 0;
}

static int
parse_socket_group(const char *key, const char *value, void *field)
{
	const struct group *group = value != NULL ? getgrnam(value) : NULL;
	uint64_t gid;

	if (group != NULL) {
		*(int *)field = group->gr_gid;
		return 0;
	}
	if (value != NULL && isdigit((unsigned char)*value) &&
			vstate_devarg_parse_uint(key, value, 0, INT_MAX, &gid) == 0) {
		*(int *)field = gid;
		return 0;
	}
	VSTATE_LOG(ERR, "%s=%s: no such group; give a name or a number", key,
			value != NULL ? value : "");
	return -EINVAL;
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

/* ACCESS_PLATFORM is not offered, because rte_vhost has no public look-up in its IOTLB. */
static int
parse_iommu(const char *key, const char *value, void *field)
{
	bool on;
	int ret = vstate_devarg_parse_bool(key, value, &on);

	RTE_SET_USED(field);
	if (ret == 0 && on) {
		VSTATE_LOG(ERR, "%s=1 is not supported: use 0, or leave the argument out", key);
		ret = -EINVAL;
	}
	return ret;
}

#define CLASS_KEY "class"

/* vstate_devargs_class() has read it. */
static int
parse_class(const char *key, const char *value, void *field)
{
	RTE_SET_USED(key);
	RTE_SET_USED(value);
	RTE_SET_USED(field);
	return 0;
}

#define FIELD(name) offsetof(struct vstate_conf, name)

static const struct vstate_devarg common_args[] = {
	{ "iface", true, parse_iface, 0 },
	{ "socket-mode", true, parse_socket_mode, FIELD(socket_mode) },
	{ "socket-group", true, parse_socket_group, FIELD(socket_group) },
	{ "client", true, vstate_devarg_parse_bool, FIELD(client) },
	{ "postcopy-support", true, vstate_devarg_parse_bool, FIELD(postcopy_support) },
	{ "iommu-support", true, parse_iommu, 0 },
	{ "queues", false, parse_queues, FIELD(queues) },
	{ "device-state", true, vstate_devarg_parse_bool, FIELD(device_state) },
	{ "numa", false, parse_numa, FIELD(numa) },
	{ "control", false, parse_control, 0 },
	{ "takeover", true, vstate_devarg_parse_bool, FIELD(takeover) },
	{ "keep-connection", true, vstate_devarg_parse_bool, FIELD(keep_connection) },
	{ "state_dir", false, parse_state_dir, 0 },
	{ "service", false, vstate_devarg_parse_bool, FIELD(service) },
	{ CLASS_KEY, false, parse_class, 0 },
};

static const struct vstate_devarg *
arg_find(const struct vstate_devarg *args, unsigned int nb, enum vstate_kind kind,
		const char *name)
{
	unsigned int i;

	for (i = 0; i < nb; i++) {
		if (strcmp(args[i].name, name) == 0 &&
				(kind == VSTATE_KIND_SOCKET || !args[i].own_socket))
			return &args[i];
	}
	return NULL;
}

static int
pair_parse(const struct vstate_class *class, enum vstate_kind kind, const char *name,
		const struct rte_kvargs_pair *pair, struct vstate_conf *conf)
{
	const struct vstate_devarg *arg;
	void *base = conf;

	arg = arg_find(common_args, RTE_DIM(common_args), kind, pair->key);
	/* the driver's name says the class of a device with a socket */
	if (kind == VSTATE_KIND_SOCKET && strcmp(pair->key, CLASS_KEY) == 0)
		arg = NULL;
	if (arg == NULL) {
		arg = arg_find(class->devargs, class->nb_devargs, kind, pair->key);
		base = conf->of_class;
	}
	if (arg == NULL) {
		VSTATE_LOG(ERR, "%s: unknown device argument '%s'", name, pair->key);
		return -EINVAL;
	}
	return arg->parse(pair->key, pair->value, RTE_PTR_ADD(base, arg->offset));
}

static int
pairs_parse(const struct vstate_class *class, enum vstate_kind kind, const char *name,
		const struct rte_kvargs *kvlist, struct vstate_conf *conf)
{
	unsigned int i, j;
	int ret;

	for (i = 0; i < kvlist->count; i++) {
		for (j = 0; j < i; j++) {
			if (strcmp(kvlist->pairs[j].key, kvlist->pairs[i].key) != 0)
				continue;
			VSTATE_LOG(ERR, "%s: '%s' is given twice", name, kvlist->pairs[i].key);
			return -EINVAL;
		}
		ret = pair_parse(class, kind, name, &kvlist->pairs[i], conf);
		if (ret != 0)
			return ret;
	}
	return 0;
}

/* Check the arguments together. */
static int
conf_check(const struct vstate_class *class, enum vstate_kind kind, const char *name,
		const struct vstate_conf *conf)
{
	if (kind == VSTATE_KIND_SOCKET && conf->iface[0] == '\0') {
		VSTATE_LOG(ERR, "%s: iface=PATH is missing", name);
		return -EINVAL;
	}
	if (conf->client && (conf->socket_mode >= 0 || conf->socket_group >= 0)) {
		VSTATE_LOG(ERR, "%s: socket-mode= and socket-group= are for a device that listens, "
				"without client=1", name);
		return -EINVAL;
	}
	if (conf->takeover && conf->state_dir[0] == '\0') {
		VSTATE_LOG(ERR, "%s: takeover=1 needs state_dir=", name);
		return -EINVAL;
	}
	return class->conf_check(name, conf);
}

int
vstate_devargs_parse(const struct vstate_class *class, enum vstate_kind kind, const char *name,
		const char *args, struct vstate_conf *conf)
{
	struct rte_kvargs *kvlist;
	int ret;

	*conf = (struct vstate_conf) {
		.queues = 1,
		.numa = SOCKET_ID_ANY,
		.socket_mode = -1,
		.socket_group = -1,
		.device_state = true,
		.keep_connection = true,
		.service = kind == VSTATE_KIND_VDPA,
	};
	class->conf_default(conf);
	kvlist = rte_kvargs_parse(args != NULL ? args : "", NULL);
	if (kvlist == NULL) {
		VSTATE_LOG(ERR, "%s: cannot read device arguments '%s'", name, args);
		return -EINVAL;
	}
	ret = pairs_parse(class, kind, name, kvlist, conf);
	rte_kvargs_free(kvlist);
	return ret == 0 ? conf_check(class, kind, name, conf) : ret;
}

const struct vstate_class *
vstate_devargs_class(const struct vstate_class *const *classes, unsigned int nb, const char *name,
		const char *args)
{
	struct rte_kvargs *kvlist = rte_kvargs_parse(args != NULL ? args : "", NULL);
	const struct vstate_class *class = NULL;
	const char *value = NULL;
	unsigned int i;

	if (kvlist == NULL) {
		VSTATE_LOG(ERR, "%s: cannot read device arguments '%s'", name, args);
		return NULL;
	}
	for (i = 0; i < kvlist->count; i++) {
		if (strcmp(kvlist->pairs[i].key, CLASS_KEY) == 0)
			value = kvlist->pairs[i].value != NULL ? kvlist->pairs[i].value : "";
	}
	for (i = 0; value != NULL && i < nb; i++) {
		if (strcmp(classes[i]->name, value) == 0)
			class = classes[i];
	}
	if (value == NULL)
		class = classes[0];
	else if (class == NULL)
		VSTATE_LOG(ERR, "%s: %s=%s: no such class of device", name, CLASS_KEY, value);
	rte_kvargs_free(kvlist);
	return class;
}
