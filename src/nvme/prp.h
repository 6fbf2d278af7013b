/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * prp.h - data pointers as Physical Region Pages (Base 2.1 section 4.3.1).
 */
#ifndef PYNVME_NVME_PRP_H
#define PYNVME_NVME_PRP_H

#include <errno.h>
#include <stdint.h>

#include "base/likely.h"
#include "bus/dma.h"
#include "nvme/qpair.h"
#include "nvme/req.h"

/* PRP list space of a tracker: enough for 128 KiB at any offset. */
#define NVME_PRP_SPACE_MIN 256u

/* Transfers of two pages and more, and everything that is refused. */
int nvme_prp_map_pages(const struct nvme_qpair *q, struct nvme_tracker *t, struct nvme_req *req,
		       uint64_t iova);
int nvme_prp_refuse(const struct nvme_req *req);
int nvme_prp_map_meta(struct nvme_req *req);

/**
 * nvme_prp_map() - fill PRP1, PRP2 and MPTR of a request
 *
 * Any dword offset and any length: one page needs no list, up to q->prp_entries pages more go
 * into the tracker's own space, longer lists are chained pages that live as long as the command.
 *
 * Errors: -EFAULT not in the DMA pool, -EINVAL not dword aligned, -ENOMEM.
 */
static inline int nvme_prp_map(const struct nvme_qpair *q, struct nvme_tracker *t,
			       struct nvme_req *req)
{
	uint64_t iova;

	if (unlikely(req->meta) && nvme_prp_map_meta(req) < 0)
		return -EFAULT;
	if (!req->data_bytes)
		return 0;
	iova = dma_iova(req->data);
	if (unlikely(!iova || (iova & 3)))
		return nvme_prp_refuse(req);
	req->sqe.prp1 = iova;
	if (unlikely((iova & (DMA_PAGE_BYTES - 1)) + req->data_bytes > DMA_PAGE_BYTES))
		return nvme_prp_map_pages(q, t, req, iova);
	req->sqe.prp2 = 0;
	return 0;
}

#endif
