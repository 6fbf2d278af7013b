/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * qpair.c - the generic half of a queue pair: CIDs, software queue, owner and state.
 */
#include "nvme/qpair.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#include "base/likely.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "nvme/aer.h"
#include "nvme/cmdlog/cmdlog.h"
#include "nvme/ctrl.h"
#include "nvme/lba.h"
#include "nvme/time.h"
#include "nvme/transport.h"

/* Waits for a ring slot, an LBA lock, or its turn behind others that do. */
static void enqueue(struct nvme_qpair *q, struct nvme_req *req)
{
	req->next = NULL;
	*q->wait_tail = req;
	q->wait_tail = &req->next;
	q->nwaiting++;
}

static uint16_t take_cid(struct nvme_qpair *q, const struct nvme_req *req)
{
	if (req->flags & NVME_REQ_AER)
		return nvme_aer_take_cid(q);
	return q->free_cids[q->free_head++ & q->free_mask];
}

/* Hot: a CID and a tracker for a request. */
static inline struct nvme_tracker *track(struct nvme_qpair *q, struct nvme_req *req, uint16_t cid)
{
	struct nvme_tracker *t = &q->trackers[cid];

	req->cid = cid;
	req->sqe.cid = cid;
	t->req = req;
	q->inflight++;
	return t;
}

/*
 * Even a plain read, for if it has waited its namespace may have been formatted since.
 * Return: 0 on its way (or completed by a mapping error), -EBUSY an LBA lock is taken.
 */
static int start(struct nvme_qpair *q, struct nvme_req *req)
{
	struct nvme_tracker *t;
	int err;

	if (nvme_lba_lock(req) < 0)
		return -EBUSY;
	t = track(q, req, take_cid(q, req));
	err = nvme_lba_prepare(q, t, req);
	if (err)
		nvme_req_unmappable(q, req, err);
	else
		q->ops->submit(q, req);
	return 0;
}

static bool can_start(const struct nvme_qpair *q, const struct nvme_req *req)
{
	if (req->flags & NVME_REQ_AER && nvme_aer_has_cid(q))
		return true;
	return nvme_qpair_free_cids(q) > 0;
}

static void __attribute__((noinline)) submit_slow(struct nvme_qpair *q, struct nvme_req *req)
{
	if (q->wait_head || !can_start(q, req) || start(q, req) < 0)
		enqueue(q, req);
}

void nvme_qpair_submit(struct nvme_qpair *q, struct nvme_req *req, uint64_t now_ns)
{
	req->qpair = q;
	req->submit_ns = now_ns;
	req->flags &= (uint16_t)~NVME_REQ_DRIVER_FLAGS;
	/* A plain read finds a free CID: everything else is looked at closely. */
	if (unlikely(nvme_lba_involved(req) || q->wait_head || !nvme_qpair_free_cids(q))) {
		submit_slow(q, req);
		return;
	}
	track(q, req, q->free_cids[q->free_head++ & q->free_mask]);
	q->ops->submit(q, req);
}

void nvme_qpair_ring(struct nvme_qpair *q)
{
	if (likely(q->sq_tail != q->sq_rung))
		q->ops->ring(q);
}

/* Waiting requests, in order, into what has become free. */
static void __attribute__((noinline)) refill(struct nvme_qpair *q, uint64_t now_ns)
{
	struct nvme_req *req;

	while ((req = q->wait_head) && can_start(q, req)) {
		struct nvme_req *next = req->next;

		req->submit_ns = now_ns;
		if (start(q, req) < 0)
			break;
		q->wait_head = next;
		if (!next)
			q->wait_tail = &q->wait_head;
		q->nwaiting--;
	}
}

unsigned int nvme_qpair_poll(struct nvme_qpair *q, unsigned int max, uint64_t now_ns)
{
	unsigned int n = q->ops->poll(q, max, now_ns);

	if (unlikely(q->wait_head))
		refill(q, now_ns);
	if (unlikely(q->sq_tail != q->sq_rung))
		q->ops->ring(q);
	if (unlikely(now_ns >= q->scan_ns))
		nvme_req_scan(q, now_ns);
	if (unlikely(!n && now_ns >= q->health_ns))
		q->health_ns = nvme_ctrl_health(q->ctrl, now_ns);
	return n;
}

bool nvme_qpair_wait(struct nvme_qpair *q)
{
	if (!q->ops->qpair_wait)
		return false;
	q->ops->qpair_wait(q);
	return true;
}

bool nvme_qpair_unqueue(struct nvme_qpair *q, struct nvme_req *req)
{
	struct nvme_req **link = &q->wait_head;

	while (*link && *link != req)
		link = &(*link)->next;
	if (!*link)
		return false;
	*link = req->next;
	if (!*link)
		q->wait_tail = link;
	q->nwaiting--;
	return true;
}

/* --- owner and state --- */

static int __attribute__((noinline)) refuse(struct nvme_qpair *q)
{
	int err = nvme_ctrl_check(q->ctrl);

	nvme_qpair_exit(q);
	if (err)
		return err;
	return err_set(-ESHUTDOWN, "qpair %u is gone: its controller was reset, create a new one",
		       q->sqid);
}

int nvme_qpair_enter(struct nvme_qpair *q)
{
	/* Against freeze(): owner is visible before state is looked at, and the other way round. */
	atomic_exchange(&q->owner, 1);
	if (unlikely(atomic_load(&q->state) != NVME_QPAIR_LIVE || nvme_ctrl_barred(q->ctrl)))
		return refuse(q);
	return 0;
}

void nvme_qpair_exit(struct nvme_qpair *q)
{
	atomic_store_explicit(&q->owner, 0, memory_order_release);
}

bool nvme_qpair_left(struct nvme_qpair *q, uint32_t wait_ms)
{
	struct nvme_deadline deadline;

	nvme_deadline_init(&deadline, clock_now_ns(), wait_ms * UINT64_C(1000000));
	while (atomic_load(&q->owner)) {
		if (nvme_deadline_passed(&deadline, clock_now_ns()))
			return false;
		sched_yield();
	}
	return true;
}

int nvme_qpair_freeze(struct nvme_qpair *q, uint32_t wait_ms)
{
	uint32_t live = NVME_QPAIR_LIVE;

	atomic_compare_exchange_strong(&q->state, &live, NVME_QPAIR_FROZEN);
	if (!nvme_qpair_left(q, wait_ms))
		return err_set(-EBUSY, "qpair %u: a thread has been inside it for %u ms", q->sqid,
			       wait_ms);
	q->ops->qpair_aim(q, false);
	return 0;
}

/* Its submitter gets the memory back; nobody else does while the device may still use it. */
static void pin_memory(struct nvme_qpair *q, const struct nvme_tracker *t)
{
	int err = dma_pin(q->ctrl, t->req->data);

	if (!err)
		err = dma_pin(q->ctrl, t->req->meta);
	if (!err && t->extra)
		err = dma_pin(q->ctrl, t->extra->chain.va);
	if (!err && t->extra)
		err = dma_pin(q->ctrl, t->extra->meta.va);
	if (err)
		log_warn("%s: %s", q->ctrl->addr, err_text());
}

void nvme_qpair_drain(struct nvme_qpair *q, uint16_t status)
{
	uint64_t now_ns = nvme_time_now_ns(q->ctrl);
	struct nvme_req *req;

	if (q->inflight && q->ops->qpair_cut && !q->kept)
		q->ops->qpair_cut(q);
	for (unsigned int cid = 0; cid < q->ntrackers; cid++) {
		if (!q->trackers[cid].req)
			continue;
		if (q->owned)
			pin_memory(q, &q->trackers[cid]);
		nvme_req_abort(q, q->trackers[cid].req, status, now_ns);
	}
	while ((req = q->wait_head)) {
		q->wait_head = req->next;
		q->nwaiting--;
		nvme_req_reject(q, req, status, now_ns);
	}
	q->wait_tail = &q->wait_head;
}

/* --- memory --- */

void nvme_qpair_rewind(struct nvme_qpair *q)
{
	/* As on every queue, one entry stays empty; a controller may have granted fewer. */
	uint32_t room = q->sq_depth - 1 < q->ntrackers ? q->sq_depth - 1 : q->ntrackers;

	nvme_aer_rewind(q);
	room -= q->aer_cids ? NVME_AER_SLOTS : 0;
	q->free_head = 0;
	q->free_tail = 0;
	for (unsigned int cid = 0; q->free_tail < room; cid++) {
		if (!nvme_aer_keeps_cid(q, (uint16_t)cid))
			q->free_cids[q->free_tail++] = (uint16_t)cid;
	}
	q->sq_tail = 0;
	q->sq_rung = 0;
	q->sq_head = 0;
	q->cq_head = 0;
	q->cq_phase = 1;
	q->inflight = 0;
	q->nwaiting = 0;
	q->wait_head = NULL;
	q->wait_tail = &q->wait_head;
}

int nvme_qpair_alloc(struct nvme_ctrl *ctrl, uint16_t sqid, unsigned int depth,
		     unsigned int ntrackers, struct nvme_qpair **out)
{
	struct nvme_qpair *q = calloc(1, sizeof(*q));
	unsigned int cids = 1;
	int err = -ENOMEM;

	while (cids < ntrackers)
		cids *= 2;
	if (!q)
		return err_set(err, "no memory for a queue of %u entries", depth);
	q->ctrl = ctrl;
	q->ops = ctrl->transport;
	q->sqid = sqid;
	q->cqid = sqid;
	q->sq_depth = depth;
	q->cq_depth = depth;
	q->ntrackers = (uint16_t)ntrackers;
	q->free_mask = cids - 1;
	q->vector = NVME_QPAIR_NO_IRQ;
	q->trackers = calloc(ntrackers, sizeof(*q->trackers));
	q->free_cids = calloc(cids, sizeof(*q->free_cids));
	q->log = nvme_cmdlog_open(ctrl, sqid, (uint16_t)ntrackers);
	if (!q->trackers || !q->free_cids || !q->log)
		err_set(err, "no memory for a queue of %u entries", depth);
	else
		err = q->ops->qpair_alloc(q);
	if (err) {
		nvme_qpair_free(q);
		return err;
	}
	nvme_qpair_rewind(q);
	*out = q;
	return 0;
}

void nvme_qpair_free_copy(struct nvme_qpair *q)
{
	if (q->ops->qpair_free_copy)
		q->ops->qpair_free_copy(q);
	free(q->aer_cids);
	free(q->trackers);
	free(q->free_cids);
	free(q);
}

void nvme_qpair_free(struct nvme_qpair *q)
{
	q->ops->qpair_free(q);
	nvme_cmdlog_close(q->log);
	nvme_qpair_free_copy(q);
}
