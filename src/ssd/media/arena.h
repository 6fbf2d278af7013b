/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * media_arena.h - many equal items in pages that go back to the system when they are empty.
 *
 * Address space is reserved for all items that there can be; memory is taken as pages are
 * touched. Pages beyond a limit live in an unlinked file instead of in memory.
 */
#ifndef PYNVME_SSD_MEDIA_ARENA_H
#define PYNVME_SSD_MEDIA_ARENA_H

#include <stddef.h>
#include <stdint.h>

#define SSD_ARENA_PAGE	    4096u
#define SSD_ARENA_ITEMS_MAX 128 /* a page */

struct ssd_arena_stack {
	uint32_t *v;
	uint32_t n;
	uint32_t room;
};

/**
 * struct ssd_arena
 * @free: two words a page: which of its items are free
 * @listed: one byte a page: it is in @partial
 * @top: pages ever used
 * @limit: pages of memory, before the spill file
 * @gone_from, @gone_to: empty pages that were not given back yet
 */
struct ssd_arena {
	char *mem;
	char *file;
	uint64_t (*free)[2];
	uint8_t *listed;
	uint32_t item_bytes;
	uint32_t per_page;
	uint32_t pages; /* reserved */
	uint32_t top;
	uint32_t limit;
	uint32_t live; /* pages with items */
	uint32_t gone_from;
	uint32_t gone_to;
	struct ssd_arena_stack partial;
	struct ssd_arena_stack empty;
	int fd; /* spill file, -1: not yet */
	uint64_t file_bytes;
};

/* 0 or -ENOMEM. @limit_bytes: of memory. Items are numbered from 1; 0 is none. */
int ssd_arena_init(struct ssd_arena *a, uint32_t item_bytes, uint64_t items, uint64_t limit_bytes);
void ssd_arena_fini(struct ssd_arena *a);

/* A zeroed or stale item; 0: no memory, no disk. */
uint32_t ssd_arena_alloc(struct ssd_arena *a);
void ssd_arena_free(struct ssd_arena *a, uint32_t item);
/* Give back what empty pages hold; frees are collected until then. */
void ssd_arena_trim(struct ssd_arena *a);
/* Free everything. */
void ssd_arena_clear(struct ssd_arena *a);

static inline void *ssd_arena_item(const struct ssd_arena *a, uint32_t item)
{
	uint32_t page = (item - 1) / a->per_page, slot = (item - 1) % a->per_page;
	char *base = page < a->limit ? a->mem + (size_t)page * SSD_ARENA_PAGE :
				       a->file + (size_t)(page - a->limit) * SSD_ARENA_PAGE;

	return base + (size_t)slot * a->item_bytes;
}

#endif
