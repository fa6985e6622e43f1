/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <rte_bitops.h>
#include <rte_byteorder.h>

#include "vstate_compat.h"
#include "vstate_dirty.h"

#define WORD_SHIFT 6
#define WORD_BYTES sizeof(uint64_t)

/*
 * The log is shared with the front end, which clears bits while the device sets them:
 * each store is an atomic OR. Release: the front end that sees the bit sees the page as written.
 */
static void
word_store(struct vstate_dirty *d, const struct vstate_dirty_word *w)
{
	uint64_t at = w->index * WORD_BYTES;
	unsigned int i;

	/* The front end does not migrate a page beyond the log. */
	if (at + WORD_BYTES <= d->size && ((uintptr_t)d->base & (WORD_BYTES - 1)) == 0) {
		rte_atomic_fetch_or_explicit((uint64_t *)(void *)(d->base + at),
				rte_cpu_to_le_64(w->bits), rte_memory_order_release);
		return;
	}
	for (i = 0; i < WORD_BYTES && at + i < d->size; i++) {
		uint8_t bits = w->bits >> (8 * i);

		if (bits != 0)
			rte_atomic_fetch_or_explicit(d->base + at + i, bits,
					rte_memory_order_release);
	}
}

static void
word_mark(struct vstate_dirty *d, uint64_t index, uint64_t bits)
{
	uint32_t i;

	for (i = d->nb_words; i > 0; i--) {
		if (d->words[i - 1].index == index) {
			d->words[i - 1].bits |= bits;
			return;
		}
	}
	if (d->nb_words == VSTATE_DIRTY_WORDS)
		vstate_dirty_flush(d);
	d->words[d->nb_words].index = index;
	d->words[d->nb_words].bits = bits;
	d->nb_words++;
}

void
vstate_dirty_mark(struct vstate_dirty *d, uint64_t gpa, uint64_t len)
{
	uint64_t page, last;

	if (len == 0)
		return;
	page = gpa >> VSTATE_DIRTY_PAGE_SHIFT;
	last = (gpa + len - 1) >> VSTATE_DIRTY_PAGE_SHIFT;
	for (; page <= last; page++)
		word_mark(d, page >> WORD_SHIFT,
				UINT64_C(1) << (page & (RTE_BIT32(WORD_SHIFT) - 1)));
}

void
vstate_dirty_flush(struct vstate_dirty *d)
{
	uint32_t i;

	for (i = 0; i < d->nb_words; i++)
		word_store(d, &d->words[i]);
	d->nb_words = 0;
}
