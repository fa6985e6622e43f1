/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/*
 * blkcheck DEVICE THREADS SECONDS: write and read blocks of 4096 bytes of a disk with O_DIRECT, and
 * check each block that is read. Each thread has blocks of its own. A block has its number, and a
 * sequence number in each of its words, so that lost, stale, misplaced and torn writes show.
 *
 * A line a second: "blkcheck OPERATIONS bad BAD longest MS". The last line begins with "done" or
 * "FAILED". SIGTERM ends it early. Exit status: 0; 1: a block was wrong, or an operation failed.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 4096
#define WORDS (BLOCK / 8)
/* Blocks of one thread. */
#define BLOCKS 256
#define THREADS_MAX 128

struct worker {
	pthread_t thread;
	unsigned int number;
	/** Sequence number of each block that was written last. */
	uint64_t seq[BLOCKS];
	uint64_t operations, bad, longest_ms;
};

static int fd;
static volatile sig_atomic_t stop;
static struct worker workers[THREADS_MAX];

static void
stop_request(int signal_number)
{
	(void)signal_number;
	stop = 1;
}

static uint64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * UINT64_C(1000) + t.tv_nsec / 1000000;
}

static void
block_fill(uint64_t *words, uint64_t block, uint64_t seq)
{
	unsigned int i;

	for (i = 0; i < WORDS; i += 2) {
		words[i] = block;
		words[i + 1] = seq;
	}
}

static int
block_check(struct worker *w, const uint64_t *words, uint64_t block, uint64_t seq)
{
	unsigned int i;

	for (i = 0; i < WORDS; i += 2) {
		if (words[i] == block && words[i + 1] == seq)
			continue;
		/* The thread itself wrote it, so it has forgotten that: no disk can do this. */
		if (words[i] == block && words[i + 1] > seq)
			printf("memory lost: ");
		printf("bad block %llu: word %u has block %llu, sequence %llu; expected %llu\n",
				(unsigned long long)block, i, (unsigned long long)words[i],
				(unsigned long long)words[i + 1], (unsigned long long)seq);
		w->bad++;
		return -1;
	}
	return 0;
}

static int
operation_failed(struct worker *w, const char *what, uint64_t block)
{
	printf("%s of block %llu failed: %s\n", what, (unsigned long long)block, strerror(errno));
	w->bad++;
	return -1;
}

static int
block_do(struct worker *w, uint64_t *words, unsigned int i, int write)
{
	const uint64_t block = (uint64_t)w->number * BLOCKS + i;
	const uint64_t start = now_ms();
	uint64_t took;

	if (write) {
		block_fill(words, block, w->seq[i] + 1);
		if (pwrite(fd, words, BLOCK, block * BLOCK) != BLOCK)
			return operation_failed(w, "write", block);
		w->seq[i]++;
	} else {
		memset(words, 0xff, BLOCK);
		if (pread(fd, words, BLOCK, block * BLOCK) != BLOCK)
			return operation_failed(w, "read", block);
	}
	took = now_ms() - start;
	if (took > w->longest_ms)
		w->longest_ms = took;
	w->operations++;
	return write ? 0 : block_check(w, words, block, w->seq[i]);
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;
	unsigned int seed = w->number + 1, i, n = 0;
	uint64_t *words;

	if (posix_memalign((void **)&words, BLOCK, BLOCK) != 0)
		return NULL;
	for (i = 0; i < BLOCKS && !stop; i++) {
		if (block_do(w, words, i, 1) != 0)
			return NULL;
	}
	while (!stop) {
		i = rand_r(&seed) % BLOCKS;
		if (block_do(w, words, i, rand_r(&seed) % 2) != 0)
			break;
		if (++n % 64 == 0 && fsync(fd) != 0) {
			operation_failed(w, "fsync", 0);
			break;
		}
	}
	/* all of it once more */
	for (i = 0; i < BLOCKS && w->bad == 0; i++) {
		if (w->seq[i] != 0 && block_do(w, words, i, 0) != 0)
			break;
	}
	free(words);
	return NULL;
}

static uint64_t
totals_print(const char *word, unsigned int nb)
{
	uint64_t operations = 0, bad = 0, longest = 0;
	unsigned int i;

	for (i = 0; i < nb; i++) {
		operations += workers[i].operations;
		bad += workers[i].bad;
		if (workers[i].longest_ms > longest)
			longest = workers[i].longest_ms;
	}
	printf("%s %llu operations, bad %llu, longest %llu ms\n", word,
			(unsigned long long)operations, (unsigned long long)bad,
			(unsigned long long)longest);
	fflush(stdout);
	return bad;
}

int
main(int argc, char **argv)
{
	unsigned int nb, i, seconds, second;
	uint64_t bad;

	if (argc != 4) {
		fprintf(stderr, "usage: blkcheck DEVICE THREADS SECONDS\n");
		return 2;
	}
	nb = strtoul(argv[2], NULL, 10);
	seconds = strtoul(argv[3], NULL, 10);
	fd = open(argv[1], O_RDWR | O_DIRECT);
	if (fd < 0 || nb == 0 || nb > THREADS_MAX) {
		perror(argv[1]);
		return 2;
	}
	signal(SIGTERM, stop_request);
	for (i = 0; i < nb; i++) {
		workers[i].number = i;
		if (pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]) != 0)
			return 2;
	}
	for (second = 0; second < seconds && !stop; second++) {
		sleep(1);
		totals_print("running", nb);
	}
	stop = 1;
	for (i = 0; i < nb; i++)
		pthread_join(workers[i].thread, NULL);
	bad = 0;
	for (i = 0; i < nb; i++)
		bad += workers[i].bad;
	totals_print(bad == 0 ? "done" : "FAILED", nb);
	return bad != 0;
}
