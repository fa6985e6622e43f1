/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "strvec.h"

static void
strvec_take(struct strvec *sv, char *s)
{
	char **v;

	if (s == NULL) {
		sv->failed = true;
		return;
	}
	v = realloc(sv->v, (sv->nb + 2) * sizeof(*v));
	if (v == NULL) {
		sv->failed = true;
		free(s);
		return;
	}
	sv->v = v;
	sv->v[sv->nb++] = s;
	sv->v[sv->nb] = NULL;
}

void
strvec_push(struct strvec *sv, const char *s)
{
	strvec_take(sv, strdup(s));
}

void
strvec_pushf(struct strvec *sv, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	strvec_take(sv, s);
}

void
strvec_append(struct strvec *sv, const struct strvec *from)
{
	int i;

	for (i = 0; i < from->nb; i++)
		strvec_push(sv, from->v[i]);
}

/* Copy one word to out. @return its end, or NULL if a quote stays open */
static const char *
word_copy(const char *p, char *out)
{
	char quote = '\0';

	for (; *p != '\0'; p++) {
		if (quote == '\0' && isspace((unsigned char)*p))
			break;
		if (*p == quote) {
			quote = '\0';
		} else if (quote == '\0' && (*p == '\'' || *p == '"')) {
			quote = *p;
		} else {
			if (*p == '\\' && quote != '\'' && p[1] != '\0')
				p++;
			*out++ = *p;
		}
	}
	*out = '\0';
	return quote == '\0' ? p : NULL;
}

int
strvec_split(struct strvec *sv, const char *line)
{
	char *word;

	word = malloc(strlen(line) + 1);
	if (word == NULL)
		return -ENOMEM;
	while (true) {
		while (isspace((unsigned char)*line))
			line++;
		if (*line == '\0')
			break;
		line = word_copy(line, word);
		if (line == NULL) {
			free(word);
			return -EINVAL;
		}
		strvec_push(sv, word);
	}
	free(word);
	return sv->failed ? -ENOMEM : 0;
}

void
strvec_free(struct strvec *sv)
{
	int i;

	for (i = 0; i < sv->nb; i++)
		free(sv->v[i]);
	free(sv->v);
	memset(sv, 0, sizeof(*sv));
}
