/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hot.h - what every command passes through, inline.
 *
 * A 4 KiB read on null media without latency costs the device at most 150 instructions; a
 * test counts them. Whatever is unlikely leaves for an ordinary function.
 */
#ifndef PYNVME_SSD_HOT_H
#define PYNVME_SSD_HOT_H

#include <string.h>
#include <sys/mman.h>

#include "ssd/admin/admin.h"
#include "ssd/device.h"

#define SSD_LIKELY(x)	__builtin_expect(!!(x), 1)
#define SSD_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* A context's state at fetch; the caller fills in sqe, sq and, for ssd_exec(), ext. */
static inline struct ssd_ctx *ssd_ctx_take(struct ssd *ssd)
{
	struct ssd_ctx *c = ssd->free_ctx;

	if (SSD_UNLIKELY(!c)) {
		if (ssd_ctx_grow(ssd))
			return NULL;
		c = ssd->free_ctx;
	}
	ssd->free_ctx = c->next;
	c->cdw0 = 0;
	c->cdw1 = 0;
	c->status = 0;
	c->error_loc = SSD_ERROR_LOC_NONE;
	c->state = SSD_CTX_RUNNING;
	c->flags = 0;
	c->fault = 0;
	c->pad = 0;
	c->latency_ns = 0;
	c->error_lba = 0;
	c->ext = NULL;
	c->cancel = NULL;
	return c;
}

static inline void ssd_ctx_release(struct ssd *ssd, struct ssd_ctx *c)
{
	c->state = SSD_CTX_FREE;
	c->next = ssd->free_ctx;
	ssd->free_ctx = c;
}

/* Write the entry and release the context, unless anything about it is special. */
static inline void ssd_cq_post_fast(struct ssd *ssd, struct ssd_ctx *c)
{
	struct ssd_sq *sq = c->sq;
	struct ssd_cq *cq = sq->cq;
	uint32_t next = cq->tail + 1;
	uint64_t *at, result;

	next = next == cq->size ? 0 : next;
	if (SSD_UNLIKELY(next == cq->head || !cq->plain || c->fault)) {
		ssd_cq_post(ssd, c);
		return;
	}
	at = (uint64_t *)&cq->ring[cq->tail];
	memcpy(&result, &c->cdw0, sizeof(result));
	/* the phase is in the upper half: readers that see it see the rest */
	__atomic_store_n(&at[0], result, __ATOMIC_RELAXED);
	__atomic_store_n(&at[1],
			 (uint64_t)(uint16_t)(c->status ^ cq->phase) << 48 |
				 (uint64_t)c->sqe.cid << 32 | sq->id_high | sq->head,
			 __ATOMIC_RELEASE);
	cq->tail = next;
	if (SSD_UNLIKELY(!next))
		cq->phase ^= 1;
	c->ctrl->cq_dirty |= cq->bit;
	ssd_ctx_release(ssd, c);
}

/* ssd_dptr_map() of a transfer that PRP1 alone describes. */
static inline uint16_t ssd_dptr_map_fast(struct ssd *ssd, struct ssd_ctx *c, size_t len, int prot)
{
	uint64_t prp1 = c->sqe.prp1;
	int n;

	if (SSD_UNLIKELY(c->sqe.flags || c->ext || prp1 & 3 ||
			 len > c->ctrl->page_bytes - (prp1 & (c->ctrl->page_bytes - 1))))
		return ssd_dptr_map(ssd, c, len, prot);
	n = c->ctrl->ops->map(c->ctrl->host, prp1, len, prot, ssd->dptr.iov, ssd->dptr.max);
	ssd->dptr.n = n;
	return SSD_LIKELY(n > 0) ? 0 : NVME_SC_DATA_TRANSFER_ERROR;
}

/* The command's namespace is there, ready and without metadata; nothing odd is asked for. */
static inline uint16_t ssd_io_start(struct ssd *ssd, struct ssd_ctx *c)
{
	const struct ssd_op *op = &ssd_io_ops[c->sqe.opc];
	uint32_t index = c->sqe.nsid - 1;

	c->ns = &ssd->ns[index % SSD_NS_MAX];
	if (SSD_UNLIKELY(!op->fn || index >= SSD_NS_MAX || !c->ns->plain || c->sqe.flags))
		return ssd_io_dispatch(ssd, c);
	return op->fn(ssd, c);
}

/* The end of a command that its handler ended with @status. */
static inline void ssd_finish(struct ssd *ssd, struct ssd_ctx *c, uint16_t status)
{
	if (SSD_UNLIKELY(status || c->latency_ns || c->ext || c->fault))
		ssd_complete(ssd, c, status);
	else
		ssd_cq_post_fast(ssd, c);
}

#endif
