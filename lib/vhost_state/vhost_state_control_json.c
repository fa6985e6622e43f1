/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vhost_state_control_json.h"

json_t *
vhost_state_control_text(const char *text)
{
	json_t *value = json_string(text);
	char *copy, *c;

	if (value != NULL)
		return value;
	copy = strdup(text);
	if (copy == NULL)
		return NULL;
	for (c = copy; *c != '\0'; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	value = json_string(copy);
	free(copy);
	return value;
}

json_t *
vhost_state_control_hex(uint64_t number)
{
	char text[20];

	snprintf(text, sizeof(text), "0x%" PRIx64, number);
	return json_string(text);
}

json_t *
vhost_state_control_status(uint8_t status)
{
	static const struct {
		uint8_t bit;
		const char *name;
	} bits[] = {
		{ RTE_VHOST_STATE_S_ACKNOWLEDGE, "acknowledge" },
		{ RTE_VHOST_STATE_S_DRIVER, "driver" },
		{ RTE_VHOST_STATE_S_FEATURES_OK, "features_ok" },
		{ RTE_VHOST_STATE_S_DRIVER_OK, "driver_ok" },
		{ RTE_VHOST_STATE_S_SUSPEND, "suspend" },
		{ RTE_VHOST_STATE_S_NEEDS_RESET, "needs_reset" },
		{ RTE_VHOST_STATE_S_FAILED, "failed" },
	};
	json_t *names = json_array();
	unsigned int i;

	for (i = 0; i < RTE_DIM(bits); i++)
		if (status & bits[i].bit)
			json_array_append_new(names, json_string(bits[i].name));
	return names;
}

json_t *
vhost_state_control_ok(void)
{
	return json_pack("{s:b}", "ok", 1);
}

json_t *
vhost_state_control_bad(const char *reason, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return json_pack("{s:b, s:s, s:o}", "ok", 0, "reason", reason,
			"text", vhost_state_control_text(text));
}

json_t *
vhost_state_control_refused(const struct rte_vhost_state_error *err)
{
	char text[256];
	json_t *reply;

	rte_vhost_state_error_format(err, text, sizeof(text));
	reply = vhost_state_control_bad(rte_vhost_state_reason_name(err->reason), "%s", text);
	if (err->vq >= 0)
		json_object_set_new(reply, "queue", json_integer(err->vq));
	if (err->offset >= 0)
		json_object_set_new(reply, "offset", json_integer(err->offset));
	json_object_set_new(reply, "expected", vhost_state_control_hex(err->expected));
	json_object_set_new(reply, "found", vhost_state_control_hex(err->found));
	return reply;
}

char *
vhost_state_control_line(json_t *value, size_t *len)
{
	char *text = value != NULL ? json_dumps(value, JSON_COMPACT) : NULL, *line;

	json_decref(value);
	if (text == NULL)
		return NULL;
	*len = strlen(text) + 1;
	line = realloc(text, *len + 1);
	if (line == NULL) {
		free(text);
		return NULL;
	}
	line[*len - 1] = '\n';
	line[*len] = '\0';
	return line;
}
