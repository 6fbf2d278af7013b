/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcie_queue.c - the hot path over PCIe: an entry into the ring, a doorbell, completions out.
 *
 * Doorbells are plain release stores into the mapped page. Without a mapped page, they are
 * register writes, and the pointers aim at a dummy word.
 */
#include "nvme/pcie/pcie.h"

#include "base/barrier.h"
#include "base/likely.h"
#include "bus/bus.h"
#include "nvme/cmdlog/cmdlog.h"
#include "nvme/ctrl.h"
#include "nvme/pcie/prp.h"
#include "nvme/qpair.h"
#include "nvme/transport.h"

/* The entry is complete: into the recorder and the ring. */
static inline void put_entry(struct nvme_qpair *q, const struct nvme_req *req)
{
	uint32_t tail = q->sq_tail;

	nvme_cmdlog_submit(q->log, req->cid, &req->sqe, req->submit_ns);
	q->sq[tail] = req->sqe;
	if (unlikely(++tail == q->sq_depth))
		tail = 0;
	q->sq_tail = (uint16_t)tail;
}

/* More than one page, metadata, no data, or something to refuse. */
static void __attribute__((noinline)) submit_slow(struct nvme_qpair *q, struct nvme_req *req)
{
	int err = nvme_prp_map(q, &q->trackers[req->cid], req);

	if (err)
		nvme_req_unmappable(q, req, err);
	else
		put_entry(q, req);
}

void nvme_pcie_submit(struct nvme_qpair *q, struct nvme_req *req)
{
	if (!(req->flags & NVME_REQ_RAW_PTR) && unlikely(!nvme_prp_map_page(req)))
		submit_slow(q, req);
	else
		put_entry(q, req);
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

/* The upper half of an entry in one load: SQ head, SQID, CID, status with the phase. */
struct cqe_tail {
	uint16_t sqhd;
	uint16_t sqid;
	uint16_t cid;
	uint16_t status;
};

static inline struct cqe_tail read_tail(const struct nvme_cqe *slot)
{
	union {
		uint64_t word;
		struct cqe_tail tail;
	} both = { .word = mmio_read64(&slot->sqhd) };

	return both.tail;
}

/* An entry that ends no command of ours: what is wrong with it? */
static void __attribute__((noinline))
reject(struct nvme_qpair *q, const struct nvme_cqe *slot, uint64_t now_ns)
{
	struct nvme_cqe cqe = *slot;

	report(q, cqe.sqid != q->sqid ? NVME_EVENT_WRONG_SQID : NVME_EVENT_UNKNOWN_CID, &cqe,
	       now_ns);
}

/* The request that a completion ends, NULL if the device made it up. */
static inline struct nvme_req *match(const struct nvme_qpair *q, struct cqe_tail tail)
{
	if (unlikely(tail.cid >= q->ntrackers || tail.sqid != q->sqid))
		return NULL;
	return q->trackers[tail.cid].req;
}

/* Tell the device how far we have read. A wrong SQ head is reported and otherwise harmless. */
static void release(struct nvme_qpair *q, uint32_t head, const struct nvme_cqe *last,
		    uint64_t now_ns)
{
	q->cq_head = (uint16_t)head;
	if (unlikely(last->sqhd >= q->sq_depth))
		report(q, NVME_EVENT_BAD_SQHD, last, now_ns);
	else
		q->sq_head = last->sqhd;
	mmio_write32(q->cq_doorbell, head);
	if (unlikely(q->trapped))
		nvme_pcie_trap(q, nvme_pcie_cq_doorbell(q), q->cq_head);
}

/*
 * Reaps up to @max requests. The half with the phase is read first, with acquire order.
 * A device that fills the ring for ever with nonsense is let go after one round of the ring.
 */
static unsigned int reap(struct nvme_qpair *q, unsigned int max, uint64_t now_ns)
{
	const struct nvme_cqe *cq = q->cq, *slot = NULL;
	unsigned int done = 0, nonsense = 0;
	struct cqe_tail tail;
	uint32_t head = q->cq_head;
	struct nvme_req *req;

	while (done < max && nonsense < q->cq_depth) {
		tail = read_tail(&cq[head]);
		if ((tail.status & NVME_STATUS_P_MASK) != q->cq_phase)
			break;
		slot = &cq[head];
		if (unlikely(++head == q->cq_depth)) {
			head = 0;
			q->cq_phase ^= 1;
		}
		__builtin_prefetch(&cq[head]);
		req = match(q, tail);
		if (unlikely(!req)) {
			reject(q, slot, now_ns);
			nonsense++;
			continue;
		}
		req->cqe = *slot;
		done++;
		nvme_req_complete(q, req, now_ns);
	}
	if (slot)
		release(q, head, slot, now_ns);
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

bool nvme_pcie_answered(const struct nvme_qpair *q, uint16_t cid)
{
	uint32_t head = q->cq_head;
	uint16_t phase = q->cq_phase;

	for (uint32_t i = 0; i < q->cq_depth; i++) {
		struct cqe_tail tail = read_tail(&q->cq[head]);

		if ((tail.status & NVME_STATUS_P_MASK) != phase)
			return false;
		if (tail.cid == cid && tail.sqid == q->sqid)
			return true;
		if (++head == q->cq_depth) {
			head = 0;
			phase ^= 1;
		}
	}
	return false;
}
