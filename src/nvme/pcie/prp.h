/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * prp.h - data pointers as Physical Region Pages (Base 2.1 section 4.3.1).
 */
#ifndef PYNVME_NVME_PCIE_PRP_H
#define PYNVME_NVME_PCIE_PRP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/likely.h"
#include "bus/dma.h"
#include "nvme/qpair.h"
#include "nvme/req.h"

/* PRP list space of a tracker: enough for 128 KiB at any offset. */
#define NVME_PRP_SPACE_MIN 256u

/**
 * nvme_prp_map() - fill PRP1, PRP2 and MPTR of a request
 *
 * Any dword offset and any length: one page needs no list, up to q->prp_entries pages more go
 * into the tracker's own space, longer lists are chained pages that live as long as the command.
 *
 * Errors: -EFAULT not in the DMA pool, -EINVAL not dword aligned, -ENOMEM.
 */
int nvme_prp_map(const struct nvme_qpair *q, struct nvme_tracker *t, struct nvme_req *req);

/* Hot: the same for data within one page and no metadata. False: nvme_prp_map() has to look. */
static inline bool nvme_prp_map_page(struct nvme_req *req)
{
	uint64_t iova = dma_iova(req->data);
	uint32_t off = iova & (DMA_PAGE_BYTES - 1);

	if (unlikely(!iova || off & 3 || req->meta))
		return false;
	/* No data at all wraps around here, and is left to nvme_prp_map() with all that is rare. */
	if (unlikely(req->data_bytes - 1 > DMA_PAGE_BYTES - 1 - off))
		return false;
	req->sqe.prp1 = iova;
	req->sqe.prp2 = 0;
	return true;
}

#endif
