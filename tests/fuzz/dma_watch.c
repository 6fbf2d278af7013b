// SPDX-License-Identifier: BSD-3-Clause
#include "dma_watch.h"

#include <string.h>

#include "bus/dma_pin.h"

#define PAGES 65536u /* 256 MiB of the pool; what lies behind is taken for taken */

static bool taken[PAGES];

int __real_dma_alloc(struct dma_mem *out, size_t len);
int __wrap_dma_alloc(struct dma_mem *out, size_t len);
bool __real_dma_pin_keeps(const struct dma_mem *mem);
bool __wrap_dma_pin_keeps(const struct dma_mem *mem);

static void mark(uint64_t iova, size_t len, bool is)
{
	uint64_t first = (iova - DMA_IOVA_BASE) / DMA_PAGE_BYTES;
	uint64_t n = (len + DMA_PAGE_BYTES - 1) / DMA_PAGE_BYTES;

	if (first < PAGES && n <= PAGES - first)
		memset(taken + first, is, n);
}

int __wrap_dma_alloc(struct dma_mem *out, size_t len)
{
	int err = __real_dma_alloc(out, len);

	if (!err)
		mark(out->iova, len, true);
	return err;
}

/* What is freed while it is pinned stays taken. */
bool __wrap_dma_pin_keeps(const struct dma_mem *mem)
{
	bool kept = __real_dma_pin_keeps(mem);

	if (!kept)
		mark(mem->iova, mem->len, false);
	return kept;
}

bool __attribute__((no_sanitize("coverage"))) dma_watch_taken(uint64_t iova, size_t len)
{
	uint64_t first = (iova - DMA_IOVA_BASE) / DMA_PAGE_BYTES;
	uint64_t last = (iova + len - 1 - DMA_IOVA_BASE) / DMA_PAGE_BYTES;

	if (iova < DMA_IOVA_BASE || !len || last < first)
		return false;
	if (last >= PAGES) {
		size_t avail = 0;

		return dma_va(iova, len, &avail) && avail == len;
	}
	return !memchr(taken + first, false, last - first + 1);
}

void dma_watch_guard(uint64_t iova, size_t len)
{
	mark(iova, len, false);
}
