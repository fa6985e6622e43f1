/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

/* Significant digits: a value of report_real() is printed as it was rounded. */
#define DIGITS 12

json_t *
report_real(double value, unsigned int decimals)
{
	double scale = 1;

	while (decimals-- > 0)
		scale *= 10;
	return json_real(isfinite(value) ? round(value * scale) / scale : 0);
}

json_t *
report_count(uint64_t value)
{
	return json_integer((json_int_t)value);
}

json_t *
report_text(const char *text)
{
	json_t *value = json_string(text);
	char *copy, *c;

	if (value != NULL)
		return value;
	copy = strdup(text);
	if (copy == NULL)
		return NULL;
	for (c = copy; *c != '\0'; c++) {
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	}
	value = json_string(copy);
	free(copy);
	return value;
}

int
report_write(json_t *report, FILE *f)
{
	int ret = report == NULL ? -ENOMEM : 0;

	if (ret == 0 && (json_dumpf(report, f, JSON_REAL_PRECISION(DIGITS)) != 0 ||
			fputc('\n', f) == EOF || fflush(f) != 0))
		ret = -EIO;
	json_decref(report);
	if (ret != 0)
		fprintf(stderr, "dpdk-test-vdpa: cannot write the report: %s\n",
			strerror(ret == -EIO && errno != 0 ? errno : -ret));
	return ret;
}

FILE *
report_open(const char *path)
{
	FILE *f = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");

	if (f == NULL)
		fprintf(stderr, "dpdk-test-vdpa: %s: %s\n", path, strerror(errno));
	return f;
}

int
report_close(FILE *f, const char *path)
{
	int ret = 0;

	if (f == NULL || f == stdout)
		return 0;
	if (fclose(f) != 0) {
		ret = -errno;
		fprintf(stderr, "dpdk-test-vdpa: %s: %s\n", path, strerror(-ret));
	}
	return ret;
}
