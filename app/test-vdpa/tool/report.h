/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef REPORT_H
#define REPORT_H

/**
 * @file
 * Reports of the tool as JSON, and the files for them. All reports are objects of jansson, so
 * every text in them is escaped.
 */

#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

/** A number, rounded to @p decimals digits after the point. */
json_t *report_real(double value, unsigned int decimals);
/** A count; jansson's integers are signed, and no count of the tool needs all 64 bits. */
json_t *report_count(uint64_t value);
/** A string. Bytes that are not UTF-8 are shown as '?'. */
json_t *report_text(const char *text);
/**
 * Write @p report as one line.
 * @param report freed, also after an error; NULL: there was no memory
 * @return 0; -EIO or -ENOMEM, reported on stderr
 */
int report_write(json_t *report, FILE *f);

/**
 * Open a file for a report before the work begins, so that a wrong name does not cost the work.
 * @param path "-" is standard output
 * @return the file; NULL: reported on stderr
 */
FILE *report_open(const char *path);
/** Close a file of report_open(). NULL is ignored. @return 0 or -errno, reported on stderr */
int report_close(FILE *f, const char *path);

#endif /* REPORT_H */
