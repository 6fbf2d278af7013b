/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dma_bits.h - which pages of one DMA chunk are taken.
 *
 * One bit a page. Neighbouring free runs are one run by nature, so there is
 * nothing to coalesce; full words are skipped 64 pages at a time.
 */
#ifndef PYNVME_BUS_DMA_BITS_H
#define PYNVME_BUS_DMA_BITS_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct dma_bits - the page map of one chunk
 * @pages: pages in it
 * @free: of these, how many are free
 * @start: no free page lies below this one
 * @missing: a search for this many pages failed and nothing was given back since
 */
struct dma_bits {
	uint64_t *words;
	uint32_t pages;
	uint32_t free;
	uint32_t start;
	uint32_t missing;
};

int dma_bits_init(struct dma_bits *bits, uint32_t pages); /* -ENOMEM */
void dma_bits_fini(struct dma_bits *bits);

/**
 * dma_bits_take() - take the lowest free run of @n pages
 * @boundary: a power of two that a run of at most so many pages must not cross; 0: none
 * @page: its first page
 * Return: false if there is no such run.
 */
bool dma_bits_take(struct dma_bits *bits, uint32_t n, uint32_t boundary, uint32_t *page);

/* All of [page, page + n) must be taken. */
void dma_bits_give(struct dma_bits *bits, uint32_t page, uint32_t n);

#endif
