// SPDX-License-Identifier: BSD-3-Clause
#include "bus/dma_bits.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define WORD_BITS 64u

int dma_bits_init(struct dma_bits *bits, uint32_t pages)
{
	bits->words = calloc((pages + WORD_BITS - 1) / WORD_BITS, sizeof(*bits->words));
	if (!bits->words)
		return -ENOMEM;
	bits->pages = pages;
	bits->free = pages;
	bits->start = 0;
	bits->missing = UINT32_MAX;
	return 0;
}

void dma_bits_fini(struct dma_bits *bits)
{
	free(bits->words);
	bits->words = NULL;
}

/* The first page from @page on that is taken (or free); bits->pages if there is none. */
static uint32_t next_page(const struct dma_bits *bits, uint32_t page, bool taken)
{
	while (page < bits->pages) {
		uint64_t word = bits->words[page / WORD_BITS];

		word = (taken ? word : ~word) >> (page % WORD_BITS);
		if (word) {
			page += (uint32_t)__builtin_ctzll(word);
			break;
		}
		page = (page / WORD_BITS + 1) * WORD_BITS;
	}
	return page < bits->pages ? page : bits->pages;
}

/* Flip [page, page + n), which is all free (or all taken). */
static void flip(struct dma_bits *bits, uint32_t page, uint32_t n, bool taken)
{
	while (n) {
		uint32_t shift = page % WORD_BITS;
		uint32_t part = n < WORD_BITS - shift ? n : WORD_BITS - shift;
		uint64_t mask = (part == WORD_BITS ? ~UINT64_C(0) : (UINT64_C(1) << part) - 1)
				<< shift;
		uint64_t *word = &bits->words[page / WORD_BITS];

		assert((*word & mask) == (taken ? mask : 0));
		*word ^= mask;
		page += part;
		n -= part;
	}
}

bool dma_bits_take(struct dma_bits *bits, uint32_t n, uint32_t boundary, uint32_t *page)
{
	uint32_t first = bits->start, end;

	if (!n || n > bits->free || n >= bits->missing)
		return false;
	bits->start = next_page(bits, first, false);
	for (first = bits->start; first < bits->pages; first = next_page(bits, end, false)) {
		end = next_page(bits, first, true);
		if (n <= boundary && first % boundary + n > boundary)
			first = (first / boundary + 1) * boundary;
		if (first < end && end - first >= n) {
			flip(bits, first, n, false);
			bits->free -= n;
			*page = first;
			return true;
		}
	}
	/* A longer run may cross boundaries where this one may not: no verdict on it. */
	if (!boundary)
		bits->missing = n;
	return false;
}

void dma_bits_give(struct dma_bits *bits, uint32_t page, uint32_t n)
{
	assert((uint64_t)page + n <= bits->pages);
	flip(bits, page, n, true);
	bits->free += n;
	if (page < bits->start)
		bits->start = page;
	bits->missing = UINT32_MAX;
}
