/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_log.h>

#include <vstate_compat.h>

#include "vhost_state_reason.h"
#include "vstate_compat.h"

/* Refusals are logged at INFO, so by default a hostile peer cannot fill a disk with log lines. */
RTE_LOG_REGISTER_DEFAULT(vhost_state_logtype, NOTICE);

#define NAME_SIZE 32

struct reason {
	char name[NAME_SIZE];
	const char *text;
	int err;
	uint64_t count;
};

static struct reason reasons[RTE_VHOST_STATE_R_MAX] = {
#define REASON(r, e, t) [RTE_VHOST_STATE_R_##r] = { .name = #r, .text = t, .err = e },
	RTE_VHOST_STATE_REASONS(REASON)
#undef REASON
};

/*
 * The list has the names in upper case, for the enum. A constructor changes them before any thread
 * is started. Its priority is that of logging, the earliest in DPDK, so that constructors of
 * drivers and applications already see the final names.
 */
RTE_INIT_PRIO(vhost_state_reason_init, LOG)
{
	unsigned int r;
	char *c;

	for (r = 0; r < RTE_VHOST_STATE_R_MAX; r++)
		for (c = reasons[r].name; *c != '\0'; c++)
			*c = (char)tolower((unsigned char)*c);
}

static bool
reason_known(enum rte_vhost_state_reason reason)
{
	return (unsigned int)reason < RTE_VHOST_STATE_R_MAX;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_reason_name, 26.11)
const char *
rte_vhost_state_reason_name(enum rte_vhost_state_reason reason)
{
	return reason_known(reason) ? reasons[reason].name : "unknown";
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_reason_text, 26.11)
const char *
rte_vhost_state_reason_text(enum rte_vhost_state_reason reason)
{
	return reason_known(reason) ? reasons[reason].text : "unknown reason";
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_reason_errno, 26.11)
int
rte_vhost_state_reason_errno(enum rte_vhost_state_reason reason)
{
	return reason_known(reason) ? reasons[reason].err : EINVAL;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_reason_count, 26.11)
uint64_t
rte_vhost_state_reason_count(enum rte_vhost_state_reason reason)
{
	/* Relaxed: no other data depends on a count. It only must not be lost or torn. */
	return reason_known(reason) ? rte_atomic_load_explicit(&reasons[reason].count,
			rte_memory_order_relaxed) : 0;
}

int
vhost_state_fault(struct rte_vhost_state_error *e, enum rte_vhost_state_reason reason, int vq,
		int64_t offset, uint64_t expected, uint64_t found)
{
	e->reason = reason;
	e->vq = vq;
	e->offset = offset;
	e->expected = expected;
	e->found = found;
	return -rte_vhost_state_reason_errno(reason);
}

void
vhost_state_no_error(struct rte_vhost_state_error *e)
{
	vhost_state_fault(e, RTE_VHOST_STATE_R_NONE, -1, -1, 0, 0);
}

int
vhost_state_report(struct rte_vhost_state_error *err, const struct rte_vhost_state_error *e)
{
	char text[256];

	if (err != NULL)
		*err = *e;
	if (e->reason == RTE_VHOST_STATE_R_NONE)
		return 0;
	if (reason_known(e->reason))
		rte_atomic_fetch_add_explicit(&reasons[e->reason].count, 1,
				rte_memory_order_relaxed);
	if (rte_log_can_log(vhost_state_logtype, RTE_LOG_INFO)) {
		rte_vhost_state_error_format(e, text, sizeof(text));
		rte_log(RTE_LOG_INFO, vhost_state_logtype, "VHOST_STATE: refused: %s\n", text);
	}
	return -rte_vhost_state_reason_errno(e->reason);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_refuse, 26.11)
int
rte_vhost_state_refuse(struct rte_vhost_state_error *err, enum rte_vhost_state_reason reason,
		int vq, uint64_t expected, uint64_t found)
{
	struct rte_vhost_state_error e;

	vhost_state_fault(&e, reason, vq, -1, expected, found);
	return vhost_state_report(err, &e);
}

/** Text that is written piece by piece, and cut as snprintf() cuts it. */
struct text_buffer {
	char *buf;
	size_t size;
	/** Length of the whole text, including what was cut. */
	size_t len;
};

__rte_format_printf(2, 3)
static void
text_append(struct text_buffer *t, const char *format, ...)
{
	size_t room = t->len < t->size ? t->size - t->len : 0;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(room > 0 ? t->buf + t->len : NULL, room, format, ap);
	va_end(ap);
	if (n > 0)
		t->len += (size_t)n;
}

/* Large values are features and addresses: hexadecimal. Small ones are indices and sizes. */
static void
text_append_value(struct text_buffer *t, const char *sep, const char *name, uint64_t value)
{
	text_append(t, value > UINT16_MAX ? "%s%s 0x%" PRIx64 : "%s%s %" PRIu64, sep, name, value);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vhost_state_error_format, 26.11)
int
rte_vhost_state_error_format(const struct rte_vhost_state_error *err, char *buf, size_t size)
{
	struct text_buffer t = { .buf = buf, .size = size };
	const char *sep = " (";

	text_append(&t, "%s: %s", rte_vhost_state_reason_name(err->reason),
			rte_vhost_state_reason_text(err->reason));
	if (err->reason == RTE_VHOST_STATE_R_IO && err->found != 0) {
		text_append(&t, " (%s)", rte_strerror((int)err->found));
		return (int)t.len;
	}
	if (err->vq >= 0) {
		text_append(&t, "%svq %d", sep, err->vq);
		sep = ", ";
	}
	if (err->offset >= 0) {
		text_append(&t, "%soffset %" PRId64, sep, err->offset);
		sep = ", ";
	}
	if (err->expected != err->found) {
		text_append_value(&t, sep, "expected", err->expected);
		text_append_value(&t, ", ", "found", err->found);
		sep = ", ";
	}
	if (sep[0] == ',')
		text_append(&t, ")");
	return (int)t.len;
}
