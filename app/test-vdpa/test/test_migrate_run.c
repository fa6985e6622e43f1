/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend.h"
#include "fake_backend.h"
#include "migrate.h"
#include "migrate_break.h"
#include "migrate_causal.h"
#include "migrate_report.h"
#include "migrate_run.h"
#include "migrate_via.h"
#include "unit.h"

struct run {
	struct migrate_options opt;
	struct backend *be[2];
	struct migrate_result res;
	char state[64];
};

static int
run_setup(void **state)
{
	struct run *r = calloc(1, sizeof(*r));
	struct backend_device dev;
	unsigned int i;
	int fd;

	fake_packed(false);
	for (i = 0; i < 2; i++) {
		memset(&dev, 0, sizeof(dev));
		snprintf(dev.name, sizeof(dev.name), "dev%u", i);
		snprintf(dev.socket, sizeof(dev.socket), "sock%u", i);
		r->be[i] = fake_create(&dev);
		if (r->be[i] == NULL)
			return -1;
	}
	snprintf(r->state, sizeof(r->state), "/tmp/test-migrate-run-XXXXXX");
	fd = mkstemp(r->state);
	if (fd < 0)
		return -1;
	close(fd);
	r->opt.via = migrate_via_find("file");
	r->opt.rounds = 5;
	r->opt.pairs = 1;
	r->opt.ring_size = 256;
	r->opt.seed = 3;
	*state = r;
	return 0;
}

static int
run_teardown(void **state)
{
	struct run *r = *state;
	unsigned int i;

	for (i = 0; i < 2; i++)
		r->be[i]->ops->destroy(r->be[i]);
	migrate_result_free(&r->res);
	unlink(r->state);
	free(r);
	return 0;
}

static void
migrate_once(struct run *r, const char *breakage)
{
	if (breakage != NULL)
		r->opt.breakage = migrate_break_find(breakage);
	migrate_run(&r->opt, r->be, r->state, &r->res);
}

static void
state_moves_to_and_fro(void **state)
{
	struct run *r = *state;
	struct rte_vhost_state *st;

	migrate_once(r, NULL);
	assert_string_equal(r->res.failure, "");
	assert_true(migrate_held(&r->res));
	assert_int_equal(r->res.rounds, 5);
	/* 0 -> 1 -> 0 -> 1 -> 0 -> 1 */
	assert_int_equal(fake_device(r->be[0])->suspends, 3);
	assert_int_equal(fake_device(r->be[0])->restores, 2);
	assert_int_equal(fake_device(r->be[1])->suspends, 2);
	assert_int_equal(fake_device(r->be[1])->restores, 3);
	assert_int_equal(fake_device(r->be[0])->resumes, 0);
	assert_int_equal(r->res.suspend.nb, 5);
	assert_int_equal(r->res.blackout.nb, 5);
	st = rte_vhost_state_load(r->state, NULL);
	assert_non_null(st);
	rte_vhost_state_free(st);
}

static void
every_carrier_moves_the_state(void **state)
{
	static const char *const names[] = { "api", "fd", "status", "device-state", "vring-base",
		"inflight" };
	struct run *r = *state;
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		migrate_result_free(&r->res);
		memset(&r->res, 0, sizeof(r->res));
		r->opt.via = migrate_via_find(names[i]);
		migrate_once(r, NULL);
		if (r->res.failure[0] != '\0' || !migrate_held(&r->res))
			fail_msg("%s: %s", names[i], r->res.failure);
		assert_int_equal(r->res.rounds, 5);
	}
}

static void
buffers_in_flight_move(void **state)
{
	struct run *r = *state;

	r->opt.inflight = 3;
	migrate_once(r, NULL);
	assert_string_equal(r->res.failure, "");
	assert_true(migrate_held(&r->res));
	/* three buffers in each of two rings, five times */
	assert_int_equal(r->res.inflight, 30);
	assert_int_equal(r->res.overtaken, 0);
	assert_int_equal(fake_device(r->be[0])->st->vqs[0].nb_inflight, 0);
}

/** The state that reached the destination, with @p packed rings, after one move. */
static struct rte_vhost_state *
moved_with_inflight(struct run *r, bool packed, bool overtake)
{
	struct rte_vhost_state *st;

	r->opt.inflight = 100;
	r->opt.overtake = overtake;
	r->opt.rounds = 1;
	if (packed) {
		fake_device(r->be[0])->st->device_features |= UINT64_C(1) << 34;
		fake_device(r->be[0])->st->driver_features |= UINT64_C(1) << 34;
	}
	migrate_once(r, NULL);
	assert_string_equal(r->res.failure, "");
	st = rte_vhost_state_load(r->state, NULL);
	assert_non_null(st);
	assert_int_equal(rte_vhost_state_is_packed(st), packed);
	return st;
}

static void
what_is_available_is_in_flight_in_an_order_of_its_own(void **state)
{
	struct rte_vhost_state *st = moved_with_inflight(*state, false, false);
	struct rte_vhost_state_inflight *rx = st->vqs[0].inflight, *tx = st->vqs[1].inflight;
	unsigned int i;

	/* One frame was sent before. */
	assert_int_equal(st->vqs[0].nb_inflight, 4);
	assert_int_equal(st->vqs[1].nb_inflight, 4);
	assert_int_equal(st->vqs[1].avail_idx, 105);
	assert_int_equal(st->vqs[1].used_idx, 101);
	for (i = 0; i < 4; i++) {
		assert_int_equal(rx[i].head, 101 + (i ^ 1));
		assert_int_equal(tx[i].head, 101 + i);
	}
	assert_int_equal(st->vqs[0].nb_inflight_descs, 0);
	rte_vhost_state_free(st);
}

static void
packed_buffers_in_flight_have_their_descriptors(void **state)
{
	struct rte_vhost_state *st = moved_with_inflight(*state, true, false);
	unsigned int i;

	assert_int_equal(st->vqs[0].nb_inflight_descs, 4);
	for (i = 0; i < 4; i++)
		assert_int_equal(st->vqs[0].inflight_descs[i].addr, 0x1000 + 101 + (i ^ 1));
	rte_vhost_state_free(st);
}

static void
buffer_that_overtakes_is_used(void **state)
{
	struct run *r = *state;
	struct rte_vhost_state *st = moved_with_inflight(r, true, true);

	assert_int_equal(r->res.overtaken, 1);
	assert_int_equal(r->res.inflight, 6);
	assert_true(migrate_held(&r->res));
	assert_int_equal(st->vqs[1].used_idx, 102);
	assert_int_equal(st->vqs[1].nb_inflight, 3);
	assert_int_equal(st->vqs[1].inflight[0].id, 101);
	assert_int_equal(st->vqs[1].inflight[1].id, 103);
	assert_int_equal(st->vqs[1].inflight_descs[1].id, 103);
	assert_true(st->vqs[1].notify_pending);
	rte_vhost_state_free(st);
}

static void
buffers_in_flight_move_in_a_region(void **state)
{
	struct run *r = *state;

	r->opt.via = migrate_via_find("inflight");
	r->opt.inflight = 3;
	migrate_once(r, NULL);
	assert_string_equal(r->res.failure, "");
	assert_true(migrate_held(&r->res));
	assert_int_equal(r->res.inflight, 30);
}

static void
killed_back_end_comes_again(void **state)
{
	struct run *r = *state;

	r->opt.kill = true;
	r->opt.rounds = 3;
	migrate_once(r, NULL);
	assert_string_equal(r->res.failure, "");
	assert_true(migrate_held(&r->res));
	assert_int_equal(r->res.rounds, 3);
	assert_int_equal(fake_device(r->be[0])->kills, 3);
	assert_int_equal(fake_device(r->be[0])->suspends, 0);
	assert_int_equal(fake_device(r->be[1])->restores, 0);
	/* One pair, one burst for each kill. */
	assert_int_equal(r->res.lost_allowed, 3 * 64);
	r->res.counts.lost = 3 * 64;
	assert_true(migrate_held(&r->res));
	r->res.counts.lost++;
	assert_false(migrate_held(&r->res));
	r->res.counts.lost = 0;
	r->res.counts.duplicated = 1;
	assert_false(migrate_held(&r->res));
}

static void
missing_back_end_is_reported(void **state)
{
	struct run *r = *state;

	r->opt.kill = true;
	fake_device(r->be[0])->refuse_restore = true;
	migrate_once(r, NULL);
	assert_false(migrate_held(&r->res));
	assert_non_null(strstr(r->res.failure, "dev0: cannot start it again"));
}

static void
frame_that_overtakes_unasked_is_no_success(void **state)
{
	struct run *r = *state;

	migrate_once(r, NULL);
	assert_true(migrate_held(&r->res));
	r->res.counts.reordered = 1;
	assert_false(migrate_held(&r->res));
	r->res.overtaken = 1;
	assert_true(migrate_held(&r->res));
	r->res.counts.reordered = 0;
	assert_false(migrate_held(&r->res));
}

/* Used indices of pairs 0 and 1: receive, transmit, receive, transmit. */
static bool
causal_holds(bool packed, uint16_t rx0, uint16_t tx0, uint16_t rx1, uint16_t tx1)
{
	const uint16_t used[] = { rx0, tx0, rx1, tx1 };
	struct rte_vhost_state *st = rte_vhost_state_alloc(4);
	char why[128];
	unsigned int i;
	bool holds;

	assert_non_null(st);
	if (packed)
		st->driver_features = UINT64_C(1) << 34;
	for (i = 0; i < 4; i++) {
		st->vqs[i].size = 256;
		st->vqs[i].used_idx = packed ? used[i] % 256 : used[i];
		st->vqs[i].used_wrap = packed && used[i] / 256 % 2 == 0;
	}
	holds = migrate_causal_holds(st, why, sizeof(why));
	rte_vhost_state_free(st);
	return holds;
}

static void
effect_without_cause_is_seen(void **state)
{
	unsigned int packed;

	for (packed = 0; packed < 2; packed++) {
		assert_true(causal_holds(packed, 7, 7, 7, 7));
		assert_true(causal_holds(packed, 8, 8, 7, 7));
		assert_true(causal_holds(packed, 7, 8, 7, 7));
		assert_true(causal_holds(packed, 8, 8, 7, 8));
		/* across the end of the ring, and of the index */
		assert_true(causal_holds(packed, 256, 256, 255, 255));
		assert_true(causal_holds(packed, 512, 512, 511, 511));
		/* received but not sent; sent before it was received; two frames */
		assert_false(causal_holds(packed, 8, 7, 7, 7));
		assert_false(causal_holds(packed, 7, 8, 7, 8));
		assert_false(causal_holds(packed, 7, 7, 8, 7));
		assert_false(causal_holds(packed, 9, 9, 7, 7));
		assert_false(causal_holds(packed, 255, 255, 256, 256));
	}
	assert_true(causal_holds(false, 0, 0, 65535, 65535));
	assert_false(causal_holds(false, 65535, 65535, 0, 0));
}

static void
index_one_back_is_seen_as_duplicate(void **state)
{
	struct run *r = *state;

	migrate_once(r, "index");
	assert_false(migrate_held(&r->res));
	assert_int_equal(r->res.counts.duplicated, 1);
	assert_true(r->res.broken[0] != '\0');
	assert_int_equal(r->res.rounds, 5);
}

static void
dropped_frame_is_seen_as_lost(void **state)
{
	struct run *r = *state;

	migrate_once(r, "drop");
	assert_false(migrate_held(&r->res));
	assert_int_equal(r->res.counts.lost, 1);
}

static void
inconsistent_state_is_refused_and_source_goes_on(void **state)
{
	struct run *r = *state;

	migrate_once(r, "raw-index");
	assert_false(migrate_held(&r->res));
	assert_int_equal(r->res.rounds, 0);
	assert_int_equal(fake_device(r->be[1])->restores, 0);
	assert_int_equal(fake_device(r->be[0])->resumes, 1);
	assert_int_equal(r->res.counts.lost + r->res.counts.duplicated, 0);
	assert_non_null(strstr(r->res.failure, "dev0 resumed"));
}

static void
refusing_destination_lets_source_go_on(void **state)
{
	struct run *r = *state;

	fake_device(r->be[1])->refuse_restore = true;
	migrate_once(r, NULL);
	assert_false(migrate_held(&r->res));
	assert_int_equal(fake_device(r->be[0])->resumes, 1);
	assert_non_null(strstr(r->res.failure, "dev1: cannot restore the state"));
	assert_non_null(strstr(r->res.failure, "MTU"));
}

static void
suspend_timeout_is_reported(void **state)
{
	struct run *r = *state;

	fake_device(r->be[0])->refuse_suspend = true;
	migrate_once(r, NULL);
	assert_false(migrate_held(&r->res));
	assert_non_null(strstr(r->res.failure, "dev0: cannot suspend"));
	assert_int_equal(fake_device(r->be[0])->captures, 0);
}

static void
dead_ring_ends_the_run_and_counts_as_lost(void **state)
{
	struct run *r = *state;

	fake_device(r->be[1])->dead = true;
	migrate_once(r, NULL);
	assert_false(migrate_held(&r->res));
	assert_int_equal(r->res.rounds, 0);
	assert_int_equal(r->res.counts.lost, 1);
	assert_non_null(strstr(r->res.failure, "dev1: a queue pair receives no frame"));
}

static void
seconds_end_the_run_and_it_holds(void **state)
{
	struct run *r = *state;

	r->opt.rounds = 0;
	r->opt.seconds = 1;
	migrate_once(r, NULL);
	assert_true(migrate_held(&r->res));
	assert_true(r->res.rounds > 1);
	assert_in_range(r->res.elapsed_ns, 1000000000, 3000000000);
}

static void
report_has_exactly_its_keys(void **state)
{
	static const char *const keys[] = { "rounds", "virtqueues", "frames", "lost", "duplicated",
		"reordered", "corrupted", "suspend_us", "blackout_us", "blackout_percentiles_us",
		"capture_restore_us", "via", "failed_moves", "causal_states", "inflight",
		"overtaken", "lost_allowed", "empty", "connections_kept", "settings_compared",
		"ring", "seed", "seconds" };
	struct run *r = *state;
	char *text = NULL, quoted[32], *p;
	unsigned int i, colons = 0;
	size_t size;
	FILE *f;

	r->opt.json = true;
	migrate_once(r, NULL);
	f = open_memstream(&text, &size);
	migrate_report(&r->opt, &r->res, f);
	fclose(f);
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		snprintf(quoted, sizeof(quoted), "\"%s\": ", keys[i]);
		assert_non_null(strstr(text, quoted));
	}
	for (p = text; *p != '\0'; p++)
		colons += *p == ':';
	/* three of the keys are objects with four keys */
	assert_int_equal(colons, sizeof(keys) / sizeof(keys[0]) + 12);
	assert_non_null(strstr(text, "\"rounds\": 5, \"virtqueues\": 2"));
	free(text);
}

/** Read what a report writes to stderr. */
static void
report_stderr(struct run *r, char *text, size_t size)
{
	FILE *out = fopen("/dev/null", "w"), *err = tmpfile();
	const int saved = dup(STDERR_FILENO);
	size_t len;

	assert_true(out != NULL && err != NULL && saved >= 0);
	assert_true(dup2(fileno(err), STDERR_FILENO) >= 0);
	migrate_report(&r->opt, &r->res, out);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(err);
	len = fread(text, 1, size - 1, err);
	text[len] = '\0';
	fclose(err);
	fclose(out);
}

static void
run_that_does_not_hold_says_why(void **state)
{
	struct run *r = *state;
	char text[1024];

	migrate_once(r, NULL);
	report_stderr(r, text, sizeof(text));
	assert_string_equal(text, "");
	r->res.counts.lost = 7;
	report_stderr(r, text, sizeof(text));
	assert_non_null(strstr(text, "7 lost (0 allowed)"));
	r->res.counts.lost = 0;
	r->res.rounds = 0;
	report_stderr(r, text, sizeof(text));
	assert_non_null(strstr(text, "in 0 rounds"));
}

#define RUN_TEST(f) cmocka_unit_test_setup_teardown(f, run_setup, run_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(state_moves_to_and_fro),
		RUN_TEST(every_carrier_moves_the_state),
		RUN_TEST(buffers_in_flight_move),
		RUN_TEST(what_is_available_is_in_flight_in_an_order_of_its_own),
		RUN_TEST(packed_buffers_in_flight_have_their_descriptors),
		RUN_TEST(buffer_that_overtakes_is_used),
		RUN_TEST(frame_that_overtakes_unasked_is_no_success),
		RUN_TEST(buffers_in_flight_move_in_a_region),
		RUN_TEST(killed_back_end_comes_again),
		RUN_TEST(missing_back_end_is_reported),
		cmocka_unit_test(effect_without_cause_is_seen),
		RUN_TEST(index_one_back_is_seen_as_duplicate),
		RUN_TEST(dropped_frame_is_seen_as_lost),
		RUN_TEST(inconsistent_state_is_refused_and_source_goes_on),
		RUN_TEST(refusing_destination_lets_source_go_on),
		RUN_TEST(suspend_timeout_is_reported),
		RUN_TEST(dead_ring_ends_the_run_and_counts_as_lost),
		RUN_TEST(seconds_end_the_run_and_it_holds),
		RUN_TEST(report_has_exactly_its_keys),
		RUN_TEST(run_that_does_not_hold_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
