/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>

#include <rte_string_fns.h>

#include "vstate_log.h"
#include "vstate_net_conf.h"

#define MTU_MIN 68
/* Largest value of the IPv4 total length field. */
#define MTU_MAX 65535

static int
parse_mtu(const char *key, const char *value, void *field)
{
	uint64_t v;
	int ret = vstate_devarg_parse_uint(key, value, MTU_MIN, MTU_MAX, &v);

	if (ret == 0)
		*(uint16_t *)field = v;
	return ret;
}

static int
parse_mac(const char *key, const char *value, void *field)
{
	struct vstate_net_conf *conf = field;

	if (value == NULL || rte_ether_unformat_addr(value, &conf->mac) != 0 ||
			!rte_is_valid_assigned_ether_addr(&conf->mac)) {
		VSTATE_LOG(ERR, "%s=%s: not a unicast MAC address", key,
				value != NULL ? value : "");
		return -EINVAL;
	}
	conf->has_mac = true;
	return 0;
}

static int
parse_uplink(const char *key, const char *value, void *field)
{
	struct vstate_net_conf *conf = field;

	if (value == NULL || *value == '\0' ||
			rte_strscpy(conf->uplink, value, sizeof(conf->uplink)) < 0) {
		VSTATE_LOG(ERR, "%s=%s: not a port name of 1 to %zu characters", key,
				value != NULL ? value : "", sizeof(conf->uplink) - 1);
		return -EINVAL;
	}
	return 0;
}

/* Accepted because net_vhost has it. It is not needed: frames are copied to mbufs of the pool. */
static int
parse_ext_buffer(const char *key, const char *value, void *field)
{
	bool on;
	int ret = vstate_devarg_parse_bool(key, value, &on);

	RTE_SET_USED(field);
	if (ret == 0 && on)
		VSTATE_LOG(NOTICE, "%s=1 has no effect: large frames are chained", key);
	return ret;
}

#define FIELD(name) offsetof(struct vstate_net_conf, name)

const struct vstate_devarg vstate_net_devargs[VSTATE_NET_NB_DEVARGS] = {
	{ "tso", false, vstate_devarg_parse_bool, FIELD(tso) },
	{ "linear-buffer", false, vstate_devarg_parse_bool, FIELD(linear_buffer) },
	{ "count-multicast", false, vstate_devarg_parse_bool, FIELD(count_multicast) },
	{ "ipv4-cksum", false, vstate_devarg_parse_bool, FIELD(ipv4_cksum) },
	{ "cvq", false, vstate_devarg_parse_bool, FIELD(cvq) },
	{ "port", false, vstate_devarg_parse_bool, FIELD(port) },
	{ "mac", false, parse_mac, 0 },
	{ "mtu", false, parse_mtu, FIELD(mtu) },
	{ "uplink", false, parse_uplink, 0 },
	{ "ext-buffer", true, parse_ext_buffer, 0 },
};

void
vstate_net_conf_default(struct vstate_conf *conf)
{
	/* A device that a service polls by default, as vdpa_vstate, needs no port. */
	*vstate_net_conf(conf) = (struct vstate_net_conf){ .mtu = MTU_MAX, .port = !conf->service };
}

int
vstate_net_conf_check(const char *dev_name, const struct vstate_conf *conf)
{
	if (!vstate_net_conf_const(conf)->port && !conf->service) {
		VSTATE_LOG(ERR, "%s: nothing would poll the queues: port=1 or service=1 is needed",
				dev_name);
		return -EINVAL;
	}
	if (vstate_net_conf_const(conf)->cvq && conf->iface[0] == '\0') {
		VSTATE_LOG(ERR, "%s: cvq=1 needs a socket of the device (iface=): rte_vdpa does not know "
				"the features of control commands", dev_name);
		return -EINVAL;
	}
	if (vstate_net_conf_const(conf)->uplink[0] == '\0' || conf->service)
		return 0;
	VSTATE_LOG(ERR, "%s: uplink= needs service=1", dev_name);
	return -EINVAL;
}
