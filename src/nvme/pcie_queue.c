/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcie_queue.c - the hot path over PCIe: an entry into the ring, a doorbell, completions out.
 *
 * Doorbells are plain release stores into the mapped page. Without a mapped page, they are
 * register writes, and the pointers aim at a dummy word.
 */
#include "nvme/pcie.h"

#include "base/barrier.h"
#include "base/likely.h"
#include "bus/bus.h"
#include "nvme/cmdlog.h"
#include "nvme/ctrl.h"
#include "nvme/prp.h"
#include "nvme/qpair.h"
#include "nvme/transport.h"

int nvme_pcie_submit(struct nvme_qpair *q, struct nvme_req *req)
{
	unsigned int tail = q->sq_tail;
	int err;

	if (!(req->flags & NVME_REQ_RAW_PTR)) {
		err = nvme_prp_map(q, &q->trackers[req->cid], req);
		if (unlikely(err))
			return err;
	}
	nvme_cmdlog_submit(q->log, req->cid, &req->sqe, req->submit_ns);
	q->sq[tail] = req->sqe;
	if (unlikely(++tail == q->sq_depth))
		tail = 0;
	q->sq_tail = (uint16_t)tail;
	return 0;
}

void nvme_pcie_ring(struct nvme_qpair *q)
{
	q->sq_rung = q->sq_tail;
	mmio_write32(q->sq_doorbell, q->sq_tail);
	if (unlikely(q->trapped))
		nvme_pcie_trap(q, nvme_pcie_sq_doorbell(q), q->sq_tail);
	bus_kick(q->ctrl->bus);
}

/* A completion that names no command of ours. */
static void __attribute__((noinline))
report(struct nvme_qpair *q, enum nvme_event_type type, const struct nvme_cqe *cqe, uint64_t now_ns)
{
	struct nvme_event ev = {
		.type = type, .sqid = q->sqid, .cid = cqe->cid, .cqe = *cqe, .time_ns = now_ns
	};

	nvme_event_push(q->ctrl, &ev);
}

/*
 * The request that a completion ends, NULL if the device made it up. A wrong SQ head is reported
 * and otherwise harmless: slots are reused by CID, never by SQ head.
 */
static inline struct nvme_req *match(struct nvme_qpair *q, const struct nvme_cqe *cqe,
				     uint64_t now_ns)
{
	struct nvme_req *req = NULL;

	if (likely(cqe->cid < q->ntrackers))
		req = q->trackers[cqe->cid].req;
	if (unlikely(cqe->sqid != q->sqid)) {
		report(q, NVME_EVENT_WRONG_SQID, cqe, now_ns);
		return NULL;
	}
	if (unlikely(!req)) {
		report(q, NVME_EVENT_UNKNOWN_CID, cqe, now_ns);
		return NULL;
	}
	if (unlikely(cqe->sqhd >= q->sq_depth))
		report(q, NVME_EVENT_BAD_SQHD, cqe, now_ns);
	else
		q->sq_head = cqe->sqhd;
	return req;
}

/* The entry at the head if the device has filled it: dword 3 first, then the rest. */
static inline bool fetch(const struct nvme_qpair *q, struct nvme_cqe *cqe)
{
	const struct nvme_cqe *slot = &q->cq[q->cq_head];
	uint32_t dw3 = mmio_read32(&slot->cid);

	if ((dw3 >> 16 & 1) != q->cq_phase)
		return false;
	cqe->cdw0 = slot->cdw0;
	cqe->cdw1 = slot->cdw1;
	cqe->sqhd = slot->sqhd;
	cqe->sqid = slot->sqid;
	cqe->cid = (uint16_t)dw3;
	cqe->status = (uint16_t)(dw3 >> 16);
	return true;
}

static inline void advance(struct nvme_qpair *q)
{
	unsigned int head = q->cq_head + 1u;

	if (unlikely(head == q->cq_depth)) {
		head = 0;
		q->cq_phase ^= 1;
	}
	q->cq_head = (uint16_t)head;
	__builtin_prefetch(&q->cq[head]);
}

/*
 * Reaps up to @max requests. A device that fills the ring for ever with nonsense is let go
 * after one round of the ring.
 */
static unsigned int reap(struct nvme_qpair *q, unsigned int max, uint64_t now_ns)
{
	unsigned int done = 0, seen = 0;
	struct nvme_req *req;
	struct nvme_cqe cqe;

	while (done < max && seen < q->cq_depth && fetch(q, &cqe)) {
		seen++;
		advance(q);
		req = match(q, &cqe, now_ns);
		if (unlikely(!req))
			continue;
		req->cqe = cqe;
		nvme_req_complete(q, req, now_ns);
		done++;
	}
	if (seen) {
		mmio_write32(q->cq_doorbell, q->cq_head);
		if (unlikely(q->trapped))
			nvme_pcie_trap(q, nvme_pcie_cq_doorbell(q), q->cq_head);
	}
	return done;
}

unsigned int nvme_pcie_poll(struct nvme_qpair *q, unsigned int max, uint64_t now_ns)
{
	unsigned int n = reap(q, max, now_ns);
	struct bus *bus;

	if (n)
		return n;
	bus = q->ctrl->bus;
	if (!bus->ops->step)
		return 0;
	bus->ops->step(bus, now_ns);
	return reap(q, max, now_ns);
}
