/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <getopt.h>
#include <string.h>

#include <rte_common.h>

#include "guest.h"
#include "guest_features.h"
#include "migrate.h"
#include "migrate_break.h"
#include "migrate_options.h"
#include "migrate_step.h"
#include "migrate_via.h"
#include "option.h"

#define DEFAULT_ROUNDS 10
/* VIRTIO_F_IN_ORDER */
#define F_IN_ORDER 35

enum {
	OPT_ROUNDS = 256,
	OPT_QUEUES,
	OPT_RING,
	OPT_SIZE,
	OPT_SECONDS,
	OPT_SEED,
	OPT_FRAMES,
	OPT_RATE,
	OPT_PROCESS,
	OPT_FRONTEND,
	OPT_FEATURES,
	OPT_ANY_LAYOUT,
	OPT_JSON,
	OPT_BREAK,
	OPT_VIA,
	OPT_CAUSAL,
	OPT_FAIL_EVERY,
	OPT_INFLIGHT,
	OPT_OVERTAKE,
	OPT_KILL,
	OPT_UPGRADE,
	OPT_CVQ,
	OPT_STATE_FILE,
	OPT_VERBOSE,
};

static const struct option long_options[] = {
	{ "rounds", required_argument, NULL, OPT_ROUNDS },
	{ "queues", required_argument, NULL, OPT_QUEUES },
	{ "ring", required_argument, NULL, OPT_RING },
	{ "size", required_argument, NULL, OPT_SIZE },
	{ "seconds", required_argument, NULL, OPT_SECONDS },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "frames", required_argument, NULL, OPT_FRAMES },
	{ "rate", required_argument, NULL, OPT_RATE },
	{ "process", no_argument, NULL, OPT_PROCESS },
	{ "frontend", required_argument, NULL, OPT_FRONTEND },
	{ "features", required_argument, NULL, OPT_FEATURES },
	{ "any-layout", no_argument, NULL, OPT_ANY_LAYOUT },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "via", required_argument, NULL, OPT_VIA },
	{ "causal", no_argument, NULL, OPT_CAUSAL },
	{ "fail-every", required_argument, NULL, OPT_FAIL_EVERY },
	{ "inflight", required_argument, NULL, OPT_INFLIGHT },
	{ "overtake", no_argument, NULL, OPT_OVERTAKE },
	{ "kill", no_argument, NULL, OPT_KILL },
	{ "upgrade", optional_argument, NULL, OPT_UPGRADE },
	{ "break", required_argument, NULL, OPT_BREAK },
	{ "cvq", no_argument, NULL, OPT_CVQ },
	{ "state-file", required_argument, NULL, OPT_STATE_FILE },
	{ "verbose", no_argument, NULL, OPT_VERBOSE },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void
usage_print(FILE *f)
{
	fprintf(f, "Usage: dpdk-test-vdpa migrate [OPTIONS]\n"
		"\n"
		"A built-in virtio guest sends numbered frames through device A. Under this load\n"
		"A is suspended, and its state is captured, saved, loaded and restored in device\n"
		"B, which resumes with the same guest memory. The next move is from B to A, and\n"
		"so on. Every frame is checked.\n"
		"\n"
		"  --rounds N          number of moves (default %u; no limit with only --seconds)\n"
		"  --seconds N         stop after this time, even if rounds are left\n"
		"  --queues N          queue pairs, 1 to %u (default 1)\n"
		"  --ring KIND         split or packed (default split)\n"
		"  --size N            descriptors in a ring, 8 to 32768 (default 256)\n"
		"  --frames LEN[-LEN]  frame lengths in bytes, 60 to 65550 (default 64-1500)\n"
		"  --rate N            frames a second and queue (default: as fast as possible)\n"
		"  --seed N            seed of lengths, contents and layouts (default 1)\n"
		"  --features LIST     virtio features that the guest asks for, of:\n"
		"                      ",
		DEFAULT_ROUNDS, GUEST_MAX_PAIRS);
	guest_features_wrap(f, 22);
	fprintf(f, "\n"
		"                      or none (default ");
	guest_features_print(f, GUEST_FEATURES_DEFAULT, ",");
	fprintf(f, ")\n"
		"  --any-layout        spread frames over random numbers of descriptors\n"
		"  --process           device B runs in another process\n"
		"  --frontend KIND     net: devices with sockets of their own (default);\n"
		"                      vdpa: devices attached through rte_vdpa;\n"
		"                      plain: no vstate devices; rte_vhost's own data path with a\n"
		"                      state through rte_vhost_state\n"
		"  --via CARRIER       how the state gets from A to B; see below\n"
		"  --causal            one frame at a time circulates through all queues. Every\n"
		"                      captured state must show one instant of it. All frames\n"
		"                      have one length\n"
		"  --fail-every N      every Nth move fails: B refuses the state, or is killed\n"
		"                      with --process. A must resume\n"
		"  --inflight N        up to N buffers of each ring are in flight at a stop. The\n"
		"                      tool dequeues them in place of the device, and B must use\n"
		"                      them in the same order\n"
		"  --overtake          one buffer in flight is used before an older one\n"
		"  --kill              no move: the process of A is killed under load. A new\n"
		"                      process takes its place with the state file (state_dir=)\n"
		"                      or, with --via inflight, with the in-flight region. One\n"
		"                      burst of each queue may be lost\n"
		"  --upgrade[=keep|reconnect]\n"
		"                      no move: a new process takes over the device from the\n"
		"                      process of A (takeover=1). keep: it gets the guest's\n"
		"                      connection. reconnect: the guest accepts a new connection\n"
		"  --cvq               the guest changes settings through a control queue\n"
		"                      (cvq=1); after each round the device must have all of\n"
		"                      them\n"
		"  --state-file PATH   save each state to PATH and keep the last one\n"
		"  --break KIND        spoil the first captured state; see below\n"
		"  --json              report as JSON\n"
		"  --verbose           show the logs of EAL and vhost, and histograms of times\n"
		"  --help              this text\n"
		"\n"
		"Carriers of --via:\n");
	migrate_via_help(f);
	fprintf(f, "\n"
		"Kinds of --break. Each of them must end in exit status 1:\n");
	migrate_break_help(f);
	fprintf(f, "\n"
		"Exit status: 0 if all rounds ran, frames flowed in each round, and no frame was\n"
		"lost, duplicated, reordered or corrupted; 1 if not; 2 on wrong usage.\n");
}

static int
refuse_value(const char *opt, const char *word, const char *want)
{
	return option_refuse("migrate", opt, word, want);
}

static int
break_option(struct migrate_options *opt, const char *word)
{
	opt->breakage = migrate_break_find(word);
	if (opt->breakage != NULL)
		return 0;
	return refuse_value("--break", word, "a kind from --help");
}

static int
frontend_option(struct migrate_options *opt, const char *word)
{
	opt->vdpa = strcmp(word, "vdpa") == 0;
	opt->plain = strcmp(word, "plain") == 0;
	if (opt->vdpa || opt->plain || strcmp(word, "net") == 0)
		return 0;
	return refuse_value("--frontend", word, "net, vdpa or plain");
}

static int
via_option(struct migrate_options *opt, const char *word)
{
	opt->via = migrate_via_find(word);
	if (opt->via != NULL)
		return 0;
	return refuse_value("--via", word, "a carrier from --help");
}

static int
state_file_option(struct migrate_options *opt, const char *word)
{
	if (snprintf(opt->state_file, sizeof(opt->state_file), "%s", word) <
			(int)sizeof(opt->state_file) && word[0] != '\0')
		return 0;
	return refuse_value("--state-file", word, "a path");
}

/* Options with a number, and its range. */
static const struct {
	int c;
	const char *name;
	uint64_t min, max;
} numbers[] = {
	{ OPT_ROUNDS, "--rounds", 1, UINT64_MAX },
	{ OPT_SECONDS, "--seconds", 1, UINT32_MAX },
	{ OPT_QUEUES, "--queues", 1, GUEST_MAX_PAIRS },
	{ OPT_SIZE, "--size", 8, RTE_VHOST_STATE_MAX_VQ_SIZE },
	{ OPT_SEED, "--seed", 0, UINT64_MAX },
	{ OPT_FAIL_EVERY, "--fail-every", 2, UINT64_MAX },
	{ OPT_INFLIGHT, "--inflight", 1, RTE_VHOST_STATE_MAX_VQ_SIZE },
	{ OPT_RATE, "--rate", 1, UINT32_MAX },
};

static void
number_store(int c, uint64_t n, struct migrate_options *opt)
{
	switch (c) {
	case OPT_ROUNDS:
		opt->rounds = n;
		break;
	case OPT_SECONDS:
		opt->seconds = n;
		break;
	case OPT_QUEUES:
		opt->pairs = n;
		break;
	case OPT_SIZE:
		opt->ring_size = n;
		break;
	case OPT_SEED:
		opt->seed = n;
		break;
	case OPT_FAIL_EVERY:
		opt->fail_every = n;
		break;
	case OPT_INFLIGHT:
		opt->inflight = n;
		break;
	case OPT_RATE:
		opt->rate = n;
		break;
	}
}

static int
number_option(int c, const char *word, struct migrate_options *opt)
{
	unsigned int i;
	uint64_t n;

	for (i = 0; i < RTE_DIM(numbers) - 1; i++)
		if (numbers[i].c == c)
			break;
	if (option_number("migrate", numbers[i].name, word, numbers[i].min, numbers[i].max,
			&n) < 0)
		return -EINVAL;
	number_store(c, n, opt);
	return 0;
}

static int
option_store(int c, const char *word, struct migrate_options *opt)
{
	switch (c) {
	case OPT_RING:
		return option_choice("migrate", "--ring", word, "split", "packed",
			&opt->packed);
	case OPT_FRONTEND:
		return frontend_option(opt, word);
	case OPT_FRAMES:
		return option_frames("migrate", "--frames", word, &opt->frame_min,
			&opt->frame_max);
	case OPT_FEATURES:
		/* it reports an unknown name itself */
		return guest_features_parse(word, &opt->features) ? 0 : -EINVAL;
	case OPT_BREAK:
		return break_option(opt, word);
	case OPT_VIA:
		return via_option(opt, word);
	case OPT_CAUSAL:
		opt->causal = true;
		return 0;
	case OPT_KILL:
		opt->kill = true;
		return 0;
	case OPT_UPGRADE:
		opt->upgrade = true;
		return word == NULL ? 0 : option_choice("migrate", "--upgrade", word, "keep",
			"reconnect", &opt->reconnect);
	case OPT_OVERTAKE:
		opt->overtake = true;
		return 0;
	case OPT_CVQ:
		opt->cvq = true;
		return 0;
	case OPT_STATE_FILE:
		return state_file_option(opt, word);
	case OPT_PROCESS:
		opt->process = true;
		return 0;
	case OPT_ANY_LAYOUT:
		opt->any_layout = true;
		return 0;
	case OPT_JSON:
		opt->json = true;
		return 0;
	case OPT_VERBOSE:
		opt->verbose = true;
		return 0;
	default:
		return number_option(c, word, opt);
	}
}

static int
refuse_together(const char *what, const char *why)
{
	fprintf(stderr, "dpdk-test-vdpa migrate: %s: %s\n", what, why);
	return -EINVAL;
}

static int
kill_check(const struct migrate_options *opt)
{
	const bool break_file = opt->breakage != NULL && opt->breakage->state_file;

	if (break_file && (!opt->kill || !opt->packed || opt->via->region))
		return refuse_together("--break page",
			"only a killed device with packed rings needs a state file");
	if (!opt->kill)
		return 0;
	if (opt->plain)
		return refuse_together("--kill", "only a vstate device can be started again");
	if (opt->causal || opt->fail_every != 0 || opt->inflight != 0 ||
			(opt->breakage != NULL && !break_file))
		return refuse_together("--kill", "no state is captured, to check or change it");
	return 0;
}

static int
upgrade_check(const struct migrate_options *opt)
{
	if (!opt->upgrade)
		return 0;
	if (opt->plain || opt->vdpa)
		return refuse_together("--upgrade", "only a net_vstate device can be taken over");
	if (opt->kill || opt->causal || opt->fail_every != 0 || opt->inflight != 0 ||
			opt->breakage != NULL)
		return refuse_together("--upgrade", "no state is captured, to check or change it");
	return 0;
}

static int
via_check(struct migrate_options *opt)
{
	if (opt->kill || opt->upgrade)
		return 0;
	if (opt->plain && opt->inflight != 0)
		return refuse_together("--inflight",
			"rte_vhost's own data path does not use buffers in flight");
	if ((opt->vdpa || opt->plain) && opt->via->net_only)
		return refuse_together("--via", "only net_vstate devices have this carrier");
	if (!opt->via->whole && (opt->causal || opt->fail_every != 0 || opt->breakage != NULL ||
			(opt->inflight != 0 && !opt->via->region)))
		return refuse_together("--via", "this carrier has no state to check or change");
	if (opt->causal && opt->breakage != NULL)
		return refuse_together("--causal", "cannot be combined with --break");
	if (opt->via->suspend_feature)
		opt->features |= UINT64_C(1) << RTE_VHOST_STATE_F_SUSPEND;
	if (opt->causal)
		/* Each frame has one buffer, so the used indices count frames. */
		opt->frame_max = opt->frame_min;
	if (opt->causal && opt->frame_min > 1500)
		return refuse_together("--causal", "a frame must fit one buffer of 1500 bytes");
	return 0;
}

static int
overtake_check(const struct migrate_options *opt)
{
	if (!opt->overtake)
		return 0;
	if (opt->inflight < 2)
		return refuse_together("--overtake", "needs --inflight of 2 or more");
	if (opt->causal)
		return refuse_together("--overtake", "cannot be combined with --causal");
	if (opt->via->region)
		return refuse_together("--overtake", "cannot be combined with an in-flight region");
	if ((opt->features >> F_IN_ORDER & 1) != 0)
		return refuse_together("--overtake",
			"cannot be combined with the feature in-order");
	return 0;
}

static int
cvq_check(const struct migrate_options *opt)
{
	if (!opt->cvq)
		return 0;
	if (opt->vdpa || opt->plain)
		return refuse_together("--cvq", "only net_vstate devices serve a control queue");
	if (opt->via->suspend_feature)
		return refuse_together("--cvq", "such a device has no status byte");
	if (opt->via->region || (!opt->via->whole && !opt->kill && !opt->upgrade))
		return refuse_together("--cvq", "this carrier has no settings");
	return 0;
}

/* Checks that need more than one option. */
static int
options_check(struct migrate_options *opt)
{
	bool wraps = opt->breakage != NULL &&
		(opt->breakage->flip_avail || opt->breakage->flip_used);
	int ret;

	if (!opt->packed && (opt->ring_size & (opt->ring_size - 1)) != 0) {
		fprintf(stderr, "dpdk-test-vdpa migrate: --size %u: "
			"the size of a split ring is a power of two\n", opt->ring_size);
		return -EINVAL;
	}
	if (wraps && !opt->packed) {
		fprintf(stderr, "dpdk-test-vdpa migrate: --break %s: "
			"only a packed ring has wrap counters\n", opt->breakage->name);
		return -EINVAL;
	}
	if (opt->rounds == 0 && opt->seconds == 0)
		opt->rounds = DEFAULT_ROUNDS;
	ret = overtake_check(opt);
	if (ret == 0)
		ret = cvq_check(opt);
	if (ret == 0)
		ret = kill_check(opt);
	if (ret == 0)
		ret = upgrade_check(opt);
	return ret < 0 ? ret : via_check(opt);
}

int
migrate_options_parse(struct migrate_options *opt, int argc, char **argv)
{
	int c;

	memset(opt, 0, sizeof(*opt));
	opt->pairs = 1;
	opt->ring_size = 256;
	opt->seed = 1;
	opt->frame_min = 64;
	opt->frame_max = 1500;
	opt->features = GUEST_FEATURES_DEFAULT;
	opt->via = migrate_via_find("file");

	optind = 0;	/* reset: a test parses several command lines */
	while ((c = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (c == 'h') {
			usage_print(stdout);
			return 1;
		}
		if (c == '?' || option_store(c, optarg, opt) < 0)
			goto usage_hint;
	}
	if (optind < argc) {
		fprintf(stderr, "dpdk-test-vdpa migrate: unexpected argument '%s'\n", argv[optind]);
		goto usage_hint;
	}
	if (options_check(opt) == 0)
		return 0;
usage_hint:
	fprintf(stderr, "See dpdk-test-vdpa migrate --help\n");
	return -EINVAL;
}
