/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "net_features.h"

/* VIRTIO 1.4 "Reserved Feature Bits" and "Network Device, Feature bits". */
static const struct {
	const char *name;
	unsigned int bit;
	/** Part of the default set. */
	bool def;
} features_table[] = {
	{ "csum", 0, true },
	{ "guest_csum", 1, true },
	{ "mtu", 3, true },
	{ "mac", 5, true },
	{ "guest_tso4", 7, false },
	{ "guest_tso6", 8, false },
	{ "guest_ecn", 9, false },
	{ "guest_ufo", 10, false },
	{ "host_tso4", 11, false },
	{ "host_tso6", 12, false },
	{ "host_ecn", 13, false },
	{ "host_ufo", 14, false },
	{ "mrg_rxbuf", 15, true },
	{ "status", 16, true },
	{ "ctrl_vq", 17, false },
	{ "ctrl_rx", 18, false },
	{ "ctrl_vlan", 19, false },
	{ "guest_announce", 21, false },
	{ "mq", 22, true },
	{ "ctrl_mac_addr", 23, false },
	{ "any_layout", 27, true },
	{ "indirect_desc", 28, true },
	{ "event_idx", 29, true },
	{ "version_1", 32, true },
	{ "access_platform", 33, false },
	{ "ring_packed", 34, false },
	{ "in_order", 35, false },
	{ "order_platform", 36, false },
	{ "notification_data", 38, false },
	{ "ring_reset", 40, false },
	{ "suspend", 43, false },
};

uint64_t
net_features_default(void)
{
	uint64_t features = 0;
	unsigned int i;

	for (i = 0; i < RTE_DIM(features_table); i++)
		if (features_table[i].def)
			features |= UINT64_C(1) << features_table[i].bit;
	return features;
}

static int
feature_bit(const char *word)
{
	unsigned int i;
	unsigned long n;
	char *end;

	for (i = 0; i < RTE_DIM(features_table); i++)
		if (strcmp(features_table[i].name, word) == 0)
			return features_table[i].bit;
	n = strtoul(word, &end, 0);
	return end != word && *end == '\0' && n < 64 ? (int)n : -EINVAL;
}

static int
word_apply(const char *word, uint64_t def, uint64_t *features)
{
	bool remove = word[0] == '-';
	int bit;

	if (strcmp(word, "default") == 0) {
		*features |= def;
		return 0;
	}
	bit = feature_bit(word + remove);
	if (bit < 0)
		return bit;
	if (remove)
		*features &= ~(UINT64_C(1) << bit);
	else
		*features |= UINT64_C(1) << bit;
	return 0;
}

int
net_features_parse(const char *list, uint64_t def, uint64_t *features, char *bad, size_t size)
{
	char *copy, *word, *save = NULL;
	int ret = 0;

	/* A list that only takes out takes out of the default. */
	*features = list[0] == '-' ? def : 0;
	copy = strdup(list);
	if (copy == NULL)
		return -ENOMEM;
	for (word = strtok_r(copy, ",", &save); word != NULL && ret == 0;
			word = strtok_r(NULL, ",", &save)) {
		ret = word_apply(word, def, features);
		if (ret < 0)
			snprintf(bad, size, "%s", word);
	}
	free(copy);
	return ret;
}

void
net_features_print(uint64_t features, FILE *f)
{
	const char *sep = "";
	unsigned int bit, i;

	for (bit = 0; bit < 64; bit++) {
		if ((features & (UINT64_C(1) << bit)) == 0)
			continue;
		for (i = 0; i < RTE_DIM(features_table); i++)
			if (features_table[i].bit == bit)
				break;
		if (i < RTE_DIM(features_table))
			fprintf(f, "%s%s", sep, features_table[i].name);
		else
			fprintf(f, "%s%u", sep, bit);
		sep = " ";
	}
}
