/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * prp.c - PRP lists: in the tracker's space, or chained pages for long transfers.
 */
#include "nvme/pcie/prp.h"

#include <errno.h>

#include "base/err.h"

#define ENTRIES_PER_PAGE (DMA_PAGE_BYTES / sizeof(uint64_t))

/*
 * A list of @n entries in chained pages: the last entry of every page but the last points to the
 * next page.
 */
static int chain(struct nvme_tracker *t, uint64_t n, uint64_t **list, uint64_t *iova)
{
	uint64_t per_page = ENTRIES_PER_PAGE - 1;
	uint64_t pages = n <= ENTRIES_PER_PAGE ? 1 : (n - 2) / per_page + 1;
	int err;

	err = nvme_tracker_extra(t);
	if (!err)
		err = dma_alloc(&t->extra->chain, pages * DMA_PAGE_BYTES);
	if (err)
		return err;
	*list = t->extra->chain.va;
	*iova = t->extra->chain.iova;
	for (uint64_t i = 0; i + 1 < pages; i++)
		(*list)[(i + 1) * ENTRIES_PER_PAGE - 1] =
			dma_iova((const uint8_t *)t->extra->chain.va + (i + 1) * DMA_PAGE_BYTES);
	return 0;
}

/* Everything after the first page, which is PRP1. */
static int map_rest(const struct nvme_qpair *q, struct nvme_tracker *t, struct nvme_req *req,
		    uint64_t iova)
{
	uint64_t off = iova & (DMA_PAGE_BYTES - 1);
	const uint8_t *page = (const uint8_t *)req->data - off + DMA_PAGE_BYTES;
	uint64_t n = (off + req->data_bytes - 1) / DMA_PAGE_BYTES; /* pages after the first */
	uint64_t *list = t->prp, list_iova = t->prp_iova, slot = 0, entry = 0;
	int err;

	if (n > q->prp_entries && n > 1) {
		err = chain(t, n, &list, &list_iova);
		if (err)
			return err;
	}
	for (uint64_t i = 0; i < n; i++, page += DMA_PAGE_BYTES) {
		entry = dma_iova(page);
		if (unlikely(!entry))
			return err_set(-EFAULT, "%u bytes at %p run past the end of a Buffer",
				       req->data_bytes, req->data);
		if (n == 1)
			break;
		/* The slot of a full page holds the pointer to the next, unless it is the last. */
		if (slot % ENTRIES_PER_PAGE == ENTRIES_PER_PAGE - 1 && i + 1 < n)
			slot++;
		list[slot++] = entry;
	}
	req->sqe.prp2 = n == 1 ? entry : list_iova;
	return 0;
}

int nvme_prp_map(const struct nvme_qpair *q, struct nvme_tracker *t, struct nvme_req *req)
{
	uint64_t iova;

	if (req->meta) {
		req->sqe.mptr = dma_iova(req->meta);
		if (!req->sqe.mptr)
			return err_set(-EFAULT, "metadata at %p is not in a Buffer", req->meta);
	}
	if (!req->data_bytes)
		return 0;
	iova = dma_iova(req->data);
	if (!iova)
		return err_set(-EFAULT, "data at %p is not in a Buffer", req->data);
	if (iova & 3)
		return err_set(-EINVAL, "data at %p is not dword aligned", req->data);
	req->sqe.prp1 = iova;
	req->sqe.prp2 = 0;
	if ((iova & (DMA_PAGE_BYTES - 1)) + req->data_bytes <= DMA_PAGE_BYTES)
		return 0;
	return map_rest(q, t, req, iova);
}
