/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/* A bar chart of the cases: cycles per packet, three bars for each case. */

#include <errno.h>

#include <rte_common.h>

#include <vstate_compat.h>

#include "bench.h"
#include "bench_case.h"
#include "bench_port.h"
#include "bench_report.h"
#include "bench_result.h"
#include "bench_svg.h"

#define WIDTH 960
#define LEFT 220
#define RIGHT 70
#define TOP 52
#define BAR 11
#define GAP 9
#define ROW (BENCH_KINDS * BAR + GAP)
#define TICKS 5
/* Above and below the rows of a block. */
#define TITLE 24
#define AXIS 30

static const char *const colours[BENCH_KINDS] = { "#1f6fb2", "#c9822b", "#9a9a9a" };

#define GOAL_COLOUR "#c02020"

/* Cases in a block share a scale. On the scale of long frames, short ones would be invisible. */
static const char *const block_names[] = {
	"64 and 256 bytes", "1500 bytes", "9000 bytes", "empty queue: cycles per poll",
};

static unsigned int
block_of(const struct bench_case *c)
{
	if (c->op == BENCH_IDLE)
		return 3;
	return c->frame <= 256 ? 0 : c->frame <= 1500 ? 1 : 2;
}

/* Goal of net_vstate as a ratio to net_vhost's cycles; 0: no goal. */
static double
goal_of(const struct bench_case *c)
{
	if (c->op == BENCH_IDLE)
		return 0;
	if (c->frame > 256)
		return 1 / 1.2;
	return c->op == BENCH_LOOP ? 0.6 : 0.65;
}

static bool
in_block(const struct bench_result *r, unsigned int block)
{
	return !r->failed && block_of(r->c) == block;
}

static double
largest_of(const struct bench_report *rep, unsigned int block, unsigned int *rows)
{
	double most = 1;
	unsigned int i;
	int kind;

	*rows = 0;
	for (i = 0; i < rep->nb_results; i++) {
		if (!in_block(&rep->results[i], block))
			continue;
		(*rows)++;
		for (kind = 0; kind < BENCH_KINDS; kind++)
			most = RTE_MAX(most, rep->results[i].side[kind].min);
	}
	return most;
}

/* Distance between two lines: a round number of at least @p most / TICKS. */
static double
step_of(double most)
{
	double step = 1;

	while (step * TICKS < most)
		step = step * 2 * TICKS < most ? step * 10 : step * 2;
	return step;
}

static void
head_draw(const struct bench_report *rep, unsigned int height, FILE *f)
{
	int kind, x = LEFT;

	fprintf(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%u\" "
		"viewBox=\"0 0 %d %u\" font-family=\"sans-serif\" font-size=\"12\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n"
		"<text x=\"%d\" y=\"20\" font-size=\"14\">TSC cycles per packet "
		"(minimum of slices, %s), less is better</text>\n", WIDTH, height, WIDTH, height,
		LEFT, rep->conf->two_core ? "two cores" : "one core");
	for (kind = 0; kind < BENCH_KINDS; kind++, x += 110)
		fprintf(f, "<rect x=\"%d\" y=\"32\" width=\"12\" height=\"12\" fill=\"%s\"/>"
			"<text x=\"%d\" y=\"42\">%s</text>\n", x, colours[kind], x + 18,
			bench_kind_names[kind]);
	fprintf(f, "<rect x=\"%d\" y=\"30\" width=\"2\" height=\"16\" fill=\"%s\"/>"
		"<text x=\"%d\" y=\"42\">goal of vstate, relative to vhost</text>\n", x,
		GOAL_COLOUR, x + 8);
	fprintf(f, "<text x=\"%d\" y=\"%u\" fill=\"#555555\">%s, TSC %.2f GHz, %s</text>\n", LEFT,
		height - 8, rep->cpu, rep->tsc_hz / 1e9, rte_version());
}

static void
scale_draw(double step, double full, unsigned int top, unsigned int bottom, FILE *f)
{
	double v;

	for (v = 0; v <= full; v += step) {
		double x = LEFT + v / full * (WIDTH - LEFT - RIGHT);

		fprintf(f, "<line x1=\"%.1f\" y1=\"%u\" x2=\"%.1f\" y2=\"%u\" stroke=\"#dddddd\"/>"
			"<text x=\"%.1f\" y=\"%u\" text-anchor=\"middle\">%.0f</text>\n", x,
			top, x, bottom, x, bottom + 14, v);
	}
}

static void
row_draw(const struct bench_result *r, unsigned int y, double full, FILE *f)
{
	double goal = goal_of(r->c) * r->side[BENCH_VHOST].min;
	const unsigned int top = y;
	int kind;

	fprintf(f, "<text x=\"%d\" y=\"%u\" text-anchor=\"end\">%s</text>\n", LEFT - 8,
		y + BENCH_KINDS * BAR / 2 + 4, r->c->name);
	for (kind = 0; kind < BENCH_KINDS; kind++, y += BAR) {
		double v = r->side[kind].min, w = v / full * (WIDTH - LEFT - RIGHT);

		if (v == 0)
			continue;
		fprintf(f, "<rect x=\"%d\" y=\"%u\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>"
			"<text x=\"%.1f\" y=\"%u\" font-size=\"10\">%.1f</text>\n", LEFT, y, w,
			BAR - 1, colours[kind], LEFT + w + 4, y + BAR - 2, v);
	}
	if (goal > 0)
		fprintf(f, "<rect x=\"%.1f\" y=\"%u\" width=\"2\" height=\"%d\" fill=\"%s\"/>\n",
			LEFT + goal / full * (WIDTH - LEFT - RIGHT) - 1, top - 2, BAR + 3,
			GOAL_COLOUR);
}

/* Draw a title, a scale and the rows. @return position of the next block */
static unsigned int
block_draw(const struct bench_report *rep, unsigned int block, unsigned int y, FILE *f)
{
	unsigned int rows, i;
	double full = largest_of(rep, block, &rows);

	if (rows == 0)
		return y;
	fprintf(f, "<text x=\"%d\" y=\"%u\" font-weight=\"bold\">%s</text>\n", LEFT, y + 14,
		block_names[block]);
	y += TITLE;
	scale_draw(step_of(full), full, y, y + rows * ROW, f);
	for (i = 0; i < rep->nb_results; i++) {
		if (!in_block(&rep->results[i], block))
			continue;
		row_draw(&rep->results[i], y, full, f);
		y += ROW;
	}
	return y + AXIS;
}

int
bench_report_svg(const struct bench_report *rep, const char *path)
{
	unsigned int height = TOP + AXIS, rows, block, y = TOP;
	FILE *f = fopen(path, "w");

	if (f == NULL)
		return -errno;
	for (block = 0; block < RTE_DIM(block_names); block++) {
		largest_of(rep, block, &rows);
		height += rows > 0 ? TITLE + rows * ROW + AXIS : 0;
	}
	head_draw(rep, height, f);
	for (block = 0; block < RTE_DIM(block_names); block++)
		y = block_draw(rep, block, y, f);
	fprintf(f, "</svg>\n");
	return fclose(f) == 0 ? 0 : -errno;
}
