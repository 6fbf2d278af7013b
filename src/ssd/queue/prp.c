/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PRP entries and lists: Base 2.1 section 4.3.1.
 *
 * PRP1 may have an offset, a multiple of 4. The rest of the transfer is PRP2 itself when it
 * fits a page, else a list of pages; a list that does not fit the rest of its page ends
 * with a pointer to the next one. All other offsets must be 0: 00/13.
 */
#include <string.h>
#include <sys/mman.h>

#include "ssd/device.h"

#define PRP_BATCH 64

/* Neighbouring pages in IOVA space, resolved by one call. */
struct run {
	uint64_t iova;
	size_t len;
};

static uint16_t run_end(struct ssd_ctrl *ctrl, struct run *run, int prot)
{
	uint16_t sc = run->len ? ssd_dptr_add(ctrl, run->iova, run->len, prot) : 0;

	run->len = 0;
	return sc;
}

static uint16_t run_add(struct ssd_ctrl *ctrl, struct run *run, uint64_t iova, size_t len, int prot)
{
	uint16_t sc = 0;

	if (run->len && run->iova + run->len != iova)
		sc = run_end(ctrl, run, prot);
	if (!run->len)
		run->iova = iova;
	run->len += len;
	return sc;
}

static uint16_t walk_list(struct ssd *ssd, struct ssd_ctx *c, struct run *run, size_t len, int prot)
{
	const uint64_t page = c->ctrl->page_bytes;
	uint64_t list = c->sqe.prp2, entries[PRP_BATCH];

	if (list & 7) {
		c->error_loc = SSD_LOC(32, 0);
		return NVME_SC_PRP_INVALID_OFFSET;
	}
	while (len) {
		uint64_t slots = (page - (list & (page - 1))) / 8;
		uint64_t pages = (len + page - 1) / page;
		bool chained = pages > slots;
		uint64_t todo = chained ? slots - 1 : pages, n;
		uint16_t sc;

		/* a batch at a time; the last slot of a page that is too small chains */
		n = todo < PRP_BATCH ? todo : PRP_BATCH;
		sc = n ? ssd_dptr_fetch(c->ctrl, list, entries, n * 8) : 0;
		for (uint64_t i = 0; i < n && !sc; i++) {
			size_t take = len < page ? len : page;

			if (entries[i] & (page - 1))
				return NVME_SC_PRP_INVALID_OFFSET;
			sc = run_add(c->ctrl, run, entries[i], take, prot);
			len -= take;
		}
		if (sc)
			return sc;
		list += n * 8;
		if (n < todo || !len)
			continue;
		sc = ssd_dptr_fetch(c->ctrl, list, entries, 8);
		if (sc)
			return sc;
		/* a chain pointer into the last slot of a page would never end */
		if (entries[0] & (page - 1))
			return NVME_SC_PRP_INVALID_OFFSET;
		list = entries[0];
	}
	return 0;
}

uint16_t ssd_prp_map(struct ssd *ssd, struct ssd_ctx *c, size_t len, int prot)
{
	const uint64_t page = c->ctrl->page_bytes;
	size_t first = page - (c->sqe.prp1 & (page - 1));
	struct run run = { c->sqe.prp1, first };
	uint16_t sc;

	if (__builtin_expect(c->sqe.prp1 & 3, 0)) {
		c->error_loc = SSD_LOC(24, 0);
		return NVME_SC_PRP_INVALID_OFFSET;
	}
	if (len <= first)
		return ssd_dptr_add(c->ctrl, c->sqe.prp1, len, prot);
	len -= first;
	if (len > page) {
		sc = walk_list(ssd, c, &run, len, prot);
	} else if (c->sqe.prp2 & (page - 1)) {
		c->error_loc = SSD_LOC(32, 0);
		return NVME_SC_PRP_INVALID_OFFSET;
	} else {
		sc = run_add(c->ctrl, &run, c->sqe.prp2, len, prot);
	}
	return sc ? sc : run_end(c->ctrl, &run, prot);
}
