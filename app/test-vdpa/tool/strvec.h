/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef STRVEC_H
#define STRVEC_H

/**
 * @file
 * A growing vector of strings that always ends with NULL, as an argv does.
 */

#include <stdbool.h>

#include <rte_common.h>

struct strvec {
	char **v;
	int nb;
	/** A push failed with ENOMEM. The user checks it once, at the end. */
	bool failed;
};

#define STRVEC_INIT { NULL, 0, false }

/** Append a copy of @p s. */
void strvec_push(struct strvec *sv, const char *s);
/** Append a formatted string. */
__rte_format_printf(2, 3)
void strvec_pushf(struct strvec *sv, const char *fmt, ...);
/** Append all strings of @p from. */
void strvec_append(struct strvec *sv, const struct strvec *from);
/**
 * Append the words of @p line, split with the quotes and the backslash of a shell.
 * @return 0, -EINVAL (open quote), -ENOMEM
 */
int strvec_split(struct strvec *sv, const char *line);
void strvec_free(struct strvec *sv);

#endif /* STRVEC_H */
