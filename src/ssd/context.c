/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Contexts of commands inside the device, and how a command ends.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ssd/hot.h"
#include "ssd/step.h"

/* Events that are not commands: enable, shutdown, coalescing, background operations. */
#define EVENTS_EXTRA (64u + 4 * SSD_CTRLS_MAX)
#define CTX_CHUNK    256u

int ssd_ctx_grow(struct ssd *ssd)
{
	struct ssd_ctx *chunk, **chunks;
	uint32_t n = ssd->nctx_chunks;

	if ((n + 1) * CTX_CHUNK > SSD_CONTEXTS_MAX)
		return -ENOSPC;
	chunks = realloc(ssd->ctx_chunks, (n + 1) * sizeof(struct ssd_ctx *));
	if (!chunks)
		return -ENOMEM;
	ssd->ctx_chunks = chunks;
	if (ssd_events_reserve(&ssd->events, (n + 1) * CTX_CHUNK + EVENTS_EXTRA))
		return -ENOMEM;
	chunk = aligned_alloc(64, CTX_CHUNK * sizeof(*chunk));
	if (!chunk)
		return -ENOMEM;
	memset(chunk, 0, CTX_CHUNK * sizeof(*chunk));
	for (uint32_t i = CTX_CHUNK; i-- > 0;) {
		chunk[i].next = ssd->free_ctx;
		ssd->free_ctx = &chunk[i];
	}
	chunks[n] = chunk;
	ssd->nctx_chunks = n + 1;
	return 0;
}

struct ssd_ctx *ssd_ctx_get(struct ssd *ssd)
{
	return ssd_ctx_take(ssd);
}

void ssd_ctx_put(struct ssd *ssd, struct ssd_ctx *c)
{
	ssd_ctx_release(ssd, c);
}

void ssd_ctx_drop(struct ssd_ctrl *ctrl, const struct ssd_sq *sq)
{
	struct ssd *ssd = ctrl->ssd;

	for (uint32_t i = 0; i < ssd->nctx_chunks * CTX_CHUNK; i++) {
		struct ssd_ctx *c = &ssd->ctx_chunks[i / CTX_CHUNK][i % CTX_CHUNK];

		/* those that wait for room belong to their completion queue */
		if (c->state == SSD_CTX_FREE || c->state == SSD_CTX_RUNNING ||
		    c->state == SSD_CTX_POSTING || (c->ext && !ctrl->fabrics))
			continue;
		if (c->ctrl != ctrl || (sq && c->sq != sq))
			continue;
		if (c->state == SSD_CTX_WAITING && c->cancel)
			c->cancel(ssd, c);
		ssd_event_clear(&ssd->events, &c->ev);
		ssd_ctx_put(ssd, c);
	}
}

uint16_t ssd_ctx_sqid(const struct ssd_ctx *c)
{
	return c->sq ? c->sq->id : c->ext->sqid;
}

void ssd_exec_forget(struct ssd_ctrl *ctrl, int sqid)
{
	struct ssd *ssd = ctrl->ssd;

	for (uint32_t i = 0; i < ssd->nctx_chunks * CTX_CHUNK; i++) {
		struct ssd_ctx *c = &ssd->ctx_chunks[i / CTX_CHUNK][i % CTX_CHUNK];

		if (c->state == SSD_CTX_FREE || c->ctrl != ctrl || !c->ext ||
		    (sqid >= 0 && c->ext->sqid != sqid))
			continue;
		if (c->state == SSD_CTX_WAITING && c->cancel)
			c->cancel(ssd, c);
		ssd_event_clear(&ssd->events, &c->ev);
		c->ext = NULL;
		ssd_ctx_put(ssd, c);
	}
}

struct ssd_ctx *ssd_ctx_find(struct ssd_ctrl *ctrl, uint16_t sqid, uint16_t cid)
{
	struct ssd *ssd = ctrl->ssd;

	for (uint32_t i = 0; i < ssd->nctx_chunks * CTX_CHUNK; i++) {
		struct ssd_ctx *c = &ssd->ctx_chunks[i / CTX_CHUNK][i % CTX_CHUNK];

		if ((c->state == SSD_CTX_DELAYED || c->state == SSD_CTX_WAITING) &&
		    c->ctrl == ctrl && ssd_ctx_sqid(c) == sqid && c->sqe.cid == cid)
			return c;
	}
	return NULL;
}

/* Status of the specification to what the CQE carries: DNR, M, and the Error Log entry. */
static void fail(struct ssd *ssd, struct ssd_ctx *c, uint16_t status)
{
	static const uint16_t retryable[] = {
		NVME_SC_ABORT_REQUESTED,       NVME_SC_ABORTED_SQ_DELETION,
		NVME_SC_NS_NOT_READY,	       NVME_SC_FORMAT_IN_PROGRESS,
		NVME_SC_SANITIZE_IN_PROGRESS,  NVME_SC_ABORTED_POWER_LOSS,
		NVME_SC_AER_LIMIT_EXCEEDED,    NVME_SC_INVALID_QUEUE_DELETION,
		NVME_SC_SELF_TEST_IN_PROGRESS,
	};
	uint32_t bits = (uint32_t)NVME_STATUS_DNR_MASK << NVME_STATUS_DNR_SHIFT;

	for (size_t i = 0; i < sizeof(retryable) / sizeof(retryable[0]); i++)
		if (status == retryable[i])
			bits = 0;
	c->status = (uint16_t)(status << NVME_STATUS_SC11_SHIFT | bits);
	if (status == NVME_SC_ABORT_REQUESTED || status == NVME_SC_ABORTED_SQ_DELETION)
		return;
	c->status |= NVME_STATUS_M_MASK << NVME_STATUS_M_SHIFT;
	ssd_error_log_cmd(ssd, c);
}

/* To whoever sent it. */
static void deliver(struct ssd *ssd, struct ssd_ctx *c)
{
	struct ssd_cmd *ext = c->ext;

	if (!ext) {
		ssd_cq_post(ssd, c);
		return;
	}
	ext->cqe = (struct nvme_cqe){
		.cdw0 = c->cdw0,
		.cdw1 = c->cdw1,
		.sqid = ext->sqid,
		.cid = c->sqe.cid,
		.status = c->status,
	};
	ext->copies = c->fault == SSD_FAULT_DUPLICATE + 1 ? 2 : 1;
	if (__builtin_expect(c->fault != 0, 0))
		ssd_fault_cqe(c, &ext->cqe);
	c->ext = NULL;
	ssd_ctx_put(ssd, c);
	ext->done(ext);
}

static void delay_over(struct ssd *ssd, struct ssd_event *ev)
{
	struct ssd_ctx *c = (struct ssd_ctx *)((char *)ev - offsetof(struct ssd_ctx, ev));

	deliver(ssd, c);
}

/* Controller busy time: at least one IO command is outstanding, from now to @end_ns. */
static void count_busy(struct ssd_health *h, uint64_t now_ns, uint64_t end_ns)
{
	uint64_t begin_ns = h->busy_until_ns > now_ns ? h->busy_until_ns : now_ns;

	if (end_ns <= begin_ns)
		return;
	h->busy_ns += end_ns - begin_ns;
	h->busy_until_ns = end_ns;
}

void ssd_complete(struct ssd *ssd, struct ssd_ctx *c, uint16_t status)
{
	c->status = 0;
	if (__builtin_expect(status != 0, 0))
		fail(ssd, c, status);
	if (__builtin_expect(c->fault != 0, 0) && ssd_fault_completion(ssd, c))
		return;
	if (__builtin_expect(c->latency_ns != 0, 0)) {
		c->state = SSD_CTX_DELAYED;
		c->ev.fire = delay_over;
		ssd_event_set(&ssd->events, &c->ev, ssd->now_ns + c->latency_ns);
		if (!(c->flags & SSD_CTX_ADMIN))
			count_busy(&ssd->health, ssd->now_ns, c->ev.due_ns);
		return;
	}
	deliver(ssd, c);
}

void ssd_abort_ctx(struct ssd *ssd, struct ssd_ctx *c, uint16_t status)
{
	if (c->state == SSD_CTX_WAITING && c->cancel)
		c->cancel(ssd, c);
	ssd_event_clear(&ssd->events, &c->ev);
	c->latency_ns = 0;
	c->cdw0 = 0;
	c->cdw1 = 0;
	fail(ssd, c, status);
	deliver(ssd, c);
}

void ssd_abort_all(struct ssd *ssd, const struct ssd_sq *sq, uint16_t status)
{
	for (uint32_t i = 0; i < ssd->nctx_chunks * CTX_CHUNK; i++) {
		struct ssd_ctx *c = &ssd->ctx_chunks[i / CTX_CHUNK][i % CTX_CHUNK];

		if ((c->state == SSD_CTX_DELAYED || c->state == SSD_CTX_WAITING) && c->sq == sq)
			ssd_abort_ctx(ssd, c, status);
	}
}

int ssd_contexts_init(struct ssd *ssd)
{
	return ssd_ctx_grow(ssd);
}

void ssd_contexts_fini(struct ssd *ssd)
{
	for (uint32_t i = 0; i < ssd->nctx_chunks; i++)
		free(ssd->ctx_chunks[i]);
	free(ssd->ctx_chunks);
	ssd->ctx_chunks = NULL;
	ssd->nctx_chunks = 0;
	ssd->free_ctx = NULL;
}
