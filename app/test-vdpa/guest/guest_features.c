/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include "guest_core.h"
#include "guest_features.h"

static const struct {
	const char *name;
	unsigned int bit;
} names[] = {
	{ "csum", VIRTIO_NET_F_CSUM },
	{ "guest-csum", VIRTIO_NET_F_GUEST_CSUM },
	{ "mtu", VIRTIO_NET_F_MTU },
	{ "mrg", VIRTIO_NET_F_MRG_RXBUF },
	{ "status", VIRTIO_NET_F_STATUS },
	{ "announce", VIRTIO_NET_F_GUEST_ANNOUNCE },
	{ "any-layout", VIRTIO_F_ANY_LAYOUT },
	{ "indirect", VIRTIO_RING_F_INDIRECT_DESC },
	{ "event-idx", VIRTIO_RING_F_EVENT_IDX },
	{ "in-order", VIRTIO_F_IN_ORDER },
	{ "suspend", GUEST_F_SUSPEND },
};

#define NB_NAMES (sizeof(names) / sizeof(names[0]))

static bool
name_lookup(const char *s, size_t len, uint64_t *bit)
{
	size_t i;

	for (i = 0; i < NB_NAMES; i++) {
		if (strlen(names[i].name) != len || memcmp(names[i].name, s, len) != 0)
			continue;
		*bit = 1ull << names[i].bit;
		return true;
	}
	return false;
}

bool
guest_features_parse(const char *list, uint64_t *features)
{
	uint64_t bit, all = 0;

	*features = 0;
	if (strcmp(list, "none") == 0)
		return true;
	while (*list != '\0') {
		size_t len = strcspn(list, ",");

		if (!name_lookup(list, len, &bit)) {
			fprintf(stderr, "dpdk-test-vdpa: unknown feature '%.*s'\n", (int)len,
				list);
			return false;
		}
		all |= bit;
		list += len;
		if (*list == ',')
			list++;
	}
	*features = all;
	return true;
}

void
guest_features_print(FILE *f, uint64_t features, const char *separator)
{
	bool first = true;
	size_t i;

	for (i = 0; i < NB_NAMES; i++) {
		if ((features >> names[i].bit & 1) == 0)
			continue;
		fprintf(f, "%s%s", first ? "" : separator, names[i].name);
		first = false;
	}
	if (first)
		fputs("none", f);
}

void
guest_features_wrap(FILE *f, int indent)
{
	int column = indent, len;
	size_t i;

	for (i = 0; i < NB_NAMES; i++) {
		len = (int)strlen(names[i].name) + 1;
		if (column + len > 79) {
			fprintf(f, "\n%*s", indent, "");
			column = indent;
		}
		fprintf(f, "%s%s", names[i].name, i + 1 < NB_NAMES ? "," : "");
		column += len;
	}
}
