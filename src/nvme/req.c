/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * req.c - how a command ends: the one completion path, and timeouts.
 */
#include "nvme/req.h"

#include <errno.h>
#include <stdlib.h>

#include "base/likely.h"
#include "base/err.h"
#include "nvme/aer.h"
#include "nvme/cmdlog/cmdlog.h"
#include "nvme/cmdlog/live.h"
#include "nvme/ctrl.h"
#include "nvme/lba.h"
#include "nvme/qpair.h"
#include "nvme/transport.h"

#define SCAN_INTERVAL_NS UINT64_C(100000000)

int nvme_tracker_extra(struct nvme_tracker *t)
{
	if (!t->extra)
		t->extra = calloc(1, sizeof(*t->extra));
	return t->extra ? 0 : err_set(-ENOMEM, "no memory for a long transfer");
}

static void __attribute__((noinline)) drop_extra(struct nvme_tracker *t)
{
	dma_free(&t->extra->chain);
	dma_free(&t->extra->meta);
	free(t->extra);
	t->extra = NULL;
}

/* What is not for workers: verification, their own memory, a CID of the AERs', being counted. */
static void __attribute__((noinline))
complete_slow(struct nvme_qpair *q, struct nvme_req *req, uint64_t now_ns)
{
	struct nvme_tracker *t = &q->trackers[req->cid];
	/* What the host says of the data is not what the drive has said. */
	const struct nvme_cqe answer = req->cqe;

	if (nvme_lba_unsettled(req))
		nvme_lba_settle(q, req, now_ns);
	if (t->extra)
		drop_extra(t);
	nvme_cmdlog_complete(q->log, req->cid, &req->sqe, &answer, req->submit_ns, now_ns);
	if (!(req->flags & NVME_REQ_COUNTED))
		nvme_cmdlog_count(q, req, &answer, now_ns);
	t->req = NULL;
	if (req->flags & NVME_REQ_AER)
		nvme_aer_put_cid(q, req->cid);
	else
		q->free_cids[q->free_tail++ & q->free_mask] = req->cid;
	req->done(req);
}

void nvme_req_complete(struct nvme_qpair *q, struct nvme_req *req, uint64_t now_ns)
{
	uint16_t cid = req->cid;
	struct nvme_tracker *t = &q->trackers[cid];

	req->latency_ns = now_ns - req->submit_ns;
	q->inflight--;
	if (unlikely(nvme_lba_unsettled(req) || t->extra || !(req->flags & NVME_REQ_COUNTED))) {
		complete_slow(q, req, now_ns);
		return;
	}
	nvme_cmdlog_complete(q->log, cid, &req->sqe, &req->cqe, req->submit_ns, now_ns);
	t->req = NULL;
	q->free_cids[q->free_tail++ & q->free_mask] = cid;
	req->done(req);
}

/* What the device would have said, had it said anything. */
static void synthesize(const struct nvme_qpair *q, struct nvme_req *req, uint16_t status)
{
	req->flags |= NVME_REQ_SYNTHETIC;
	req->cqe = (struct nvme_cqe){
		.sqhd = q->sq_head,
		.sqid = q->sqid,
		.cid = req->cid,
		.status = (uint16_t)(status << 1),
	};
}

void nvme_req_abort(struct nvme_qpair *q, struct nvme_req *req, uint16_t status, uint64_t now_ns)
{
	synthesize(q, req, status);
	nvme_req_complete(q, req, now_ns);
}

void nvme_req_unmappable(struct nvme_qpair *q, struct nvme_req *req, int err)
{
	uint16_t status = err == -EINVAL ? NVME_SC_PRP_INVALID_OFFSET : NVME_SC_DATA_TRANSFER_ERROR;

	nvme_req_abort(q, req, status, req->submit_ns);
}

void nvme_req_reject(struct nvme_qpair *q, struct nvme_req *req, uint16_t status, uint64_t now_ns)
{
	req->cid = UINT16_MAX;
	synthesize(q, req, status);
	req->latency_ns = now_ns - req->submit_ns;
	if (nvme_lba_unsettled(req))
		nvme_lba_settle(q, req, now_ns);
	req->done(req);
}

static void report_timeout(struct nvme_qpair *q, struct nvme_req *req, uint32_t timeout_ms,
			   uint64_t now_ns)
{
	struct nvme_event ev = {
		.type = NVME_EVENT_TIMEOUT,
		.sqid = q->sqid,
		.cid = req->cid,
		.time_ns = now_ns,
		.sqe = req->sqe,
		.timeout_ms = timeout_ms,
		.nsid = req->sqe.nsid,
	};

	req->flags |= NVME_REQ_LATE;
	if (!(req->flags & NVME_REQ_QUIET))
		nvme_event_push(q->ctrl, &ev);
}

/* Outstanding for so long that it is worth a closer look. */
static void judge(struct nvme_qpair *q, struct nvme_req *req, uint64_t now_ns)
{
	uint32_t timeout_ms = nvme_timeout_ms(q->ctrl, req->submit_ns);

	if (now_ns - req->submit_ns <= timeout_ms * UINT64_C(1000000))
		return;
	/* Its completion may lie behind those that anybody wanted to reap. */
	if (q->ops->answered && q->ops->answered(q, req->cid))
		return;
	report_timeout(q, req, timeout_ms, now_ns);
}

void nvme_req_scan(struct nvme_qpair *q, uint64_t now_ns)
{
	uint64_t shortest_ns = nvme_timeout_shortest_ms(q->ctrl) * UINT64_C(1000000);
	uint64_t stall_ns = shortest_ns < NVME_STALL_NS ? shortest_ns : NVME_STALL_NS;
	bool stalled = now_ns - q->scan_ns > stall_ns;
	unsigned int left = stalled ? 0 : q->inflight;

	/* After a time without polls, what the device did meanwhile is reaped first. */
	q->scan_ns = now_ns + SCAN_INTERVAL_NS;
	for (unsigned int cid = 0; cid < q->ntrackers && left; cid++) {
		struct nvme_req *req = q->trackers[cid].req;

		if (!req)
			continue;
		left--;
		if (req->flags & (NVME_REQ_AER | NVME_REQ_LATE))
			continue;
		if (now_ns > req->submit_ns && now_ns - req->submit_ns > shortest_ns)
			judge(q, req, now_ns);
	}
}
