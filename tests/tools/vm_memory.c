/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 *
 * A guest's processor writes to its memory repeatedly, one word in each page. Each word must
 * hold the value of the previous round.
 *
 *	vm_memory MIB ROUND-MS
 *
 * SIGTERM ends it with its report:
 *
 *	memory: writes N lost N
 */

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#define PAGE 4096

static volatile sig_atomic_t ending;

static void
on_signal(int sig)
{
	(void)sig;
	ending = 1;
}

int
main(int argc, char **argv)
{
	struct timespec pause = { 0 };
	uint64_t round, writes = 0, lost = 0;
	volatile uint64_t *word;
	size_t pages, i;
	uint8_t *mem;

	if (argc != 3)
		return 2;
	pages = strtoul(argv[1], NULL, 0) * (1 << 20) / PAGE;
	pause.tv_nsec = strtoul(argv[2], NULL, 0) * 1000000 / 64;
	mem = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED || pages < 64)
		return 1;
	signal(SIGTERM, on_signal);
	for (round = 1; !ending; round++) {
		for (i = 0; i < pages; i++) {
			word = (uint64_t *)(mem + i * PAGE + 8 * (i % (PAGE / 8)));
			if (*word != round - 1) {
				printf("page %zu: %llu, not %llu\n", i, (unsigned long long)*word,
					(unsigned long long)round - 1);
				lost++;
			}
			*word = round;
			writes++;
			if (i % (pages / 64) == 0)
				nanosleep(&pause, NULL);
		}
	}
	printf("memory: writes %llu lost %llu\n", (unsigned long long)writes, (unsigned long long)lost);
	return 0;
}
