// SPDX-License-Identifier: BSD-3-Clause
#include "liar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/barrier.h"
#include "bus/dma.h"
#include "dma_watch.h"

void liar_fail(const char *what)
{
	fprintf(stderr, "liar: %s\n", what);
	abort();
}

uint8_t liar_u8(struct liar *liar)
{
	struct input *in = liar->in;

	return in->left ? in->at[--in->left] : 0;
}

static uint16_t lie_u16(struct liar *liar)
{
	uint16_t low = liar_u8(liar);

	return (uint16_t)(low | liar_u8(liar) << 8);
}

static uint32_t lie_u32(struct liar *liar)
{
	uint32_t low = lie_u16(liar);

	return low | (uint32_t)lie_u16(liar) << 16;
}

static void *at(uint64_t iova, size_t len)
{
	size_t avail = 0;
	void *va;

	if (!dma_watch_taken(iova, len))
		return NULL;
	va = dma_va(iova, len, &avail);
	return avail == len ? va : NULL;
}

/* --- what it insists on --- */

static void LIAR_UNTRACED insist_on_queue(const struct liar_queue *q)
{
	if (q->has_sq && !dma_watch_taken(q->sq_iova, q->sq_size * sizeof(struct nvme_sqe)))
		liar_fail("a submission queue was freed under the device");
	if (q->has_cq && !dma_watch_taken(q->cq_iova, q->cq_size * sizeof(struct nvme_cqe)))
		liar_fail("a completion queue was freed under the device");
}

void LIAR_UNTRACED liar_insist(struct liar *liar)
{
	if (liar->lied)
		return;
	for (unsigned int i = 0; i < LIAR_QUEUES; i++)
		insist_on_queue(&liar->queues[i]);
	for (unsigned int i = 0; i < liar->nheld; i++) {
		const struct liar_held *held = &liar->held[i];

		if ((!held->has_prp1 || dma_watch_taken(held->sqe.prp1, 1)) &&
		    (!held->has_prp2 || dma_watch_taken(held->sqe.prp2, 1)))
			continue;
		fprintf(stderr, "liar: opcode %02x of queue %u\n", held->sqe.opc, held->qid);
		liar_fail("memory of a command was freed under the device");
	}
}

/* --- queues --- */

void liar_post(struct liar *liar, uint16_t qid, struct nvme_cqe cqe, bool flip)
{
	struct liar_queue *q = &liar->queues[qid % LIAR_QUEUES];
	struct nvme_cqe *ring, *slot;
	uint32_t phase;
	uint64_t tail;

	ring = q->has_cq ? at(q->cq_iova, q->cq_size * sizeof(*ring)) : NULL;
	if (!ring || liar->gone)
		return;
	slot = &ring[q->cq_tail];
	phase = flip ? q->phase : q->phase ^ 1u;
	slot->cdw0 = cqe.cdw0;
	slot->cdw1 = cqe.cdw1;
	cqe.status = (uint16_t)((cqe.status & ~1u) | phase);
	memcpy(&tail, &cqe.sqhd, sizeof(tail));
	mmio_write64(&slot->sqhd, tail);
	liar->streak = 0;
	if (flip && ++q->cq_tail == q->cq_size) {
		q->cq_tail = 0;
		q->phase ^= 1;
	}
}

void liar_forget(struct liar *liar)
{
	memset(liar->queues, 0, sizeof(liar->queues));
	memset(liar->tails, 0, sizeof(liar->tails));
	memset(liar->doorbells, 0, sizeof(liar->doorbells));
	liar->nheld = 0;
}

static unsigned int doorbell(const struct liar *liar, unsigned int qid)
{
	return (unsigned int)(2 * qid << NVME_GET(liar->cap, CAP_DSTRD));
}

static void create_cq(struct liar *liar, const struct nvme_sqe *sqe, struct nvme_cqe *cqe)
{
	struct liar_queue *q = &liar->queues[sqe->cdw10 & 0xffff];
	uint32_t size = (sqe->cdw10 >> 16) + 1;

	if (!at(sqe->prp1, size * sizeof(struct nvme_cqe))) {
		cqe->status = NVME_SC_INVALID_FIELD << 1;
		return;
	}
	*q = (struct liar_queue){
		.has_cq = true, .cq_iova = sqe->prp1, .cq_size = size, .phase = 1
	};
}

static void create_sq(struct liar *liar, const struct nvme_sqe *sqe, struct nvme_cqe *cqe)
{
	uint16_t qid = (uint16_t)(sqe->cdw10 & 0xffff);
	struct liar_queue *q = &liar->queues[qid];
	uint32_t size = (sqe->cdw10 >> 16) + 1;

	if (!q->has_cq || !at(sqe->prp1, size * sizeof(struct nvme_sqe))) {
		cqe->status = NVME_SC_INVALID_FIELD << 1;
		return;
	}
	q->has_sq = true;
	q->sq_iova = sqe->prp1;
	q->sq_size = size;
	q->sq_head = 0;
	liar->tails[qid] = 0;
	if (doorbell(liar, qid) < LIAR_DOORBELLS)
		liar->doorbells[doorbell(liar, qid)] = 0;
}

static void drop_held(struct liar *liar, uint16_t qid)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < liar->nheld; i++) {
		if (liar->held[i].qid != qid)
			liar->held[kept++] = liar->held[i];
	}
	liar->nheld = kept;
}

static void delete_queue(struct liar *liar, const struct nvme_sqe *sqe)
{
	uint16_t qid = (uint16_t)(sqe->cdw10 & 0xffff);

	if (sqe->opc == NVME_ADMIN_DELETE_CQ) {
		liar->queues[qid].has_cq = false;
		return;
	}
	liar->queues[qid].has_sq = false;
	drop_held(liar, qid);
}

static void identify(struct liar *liar, const struct nvme_sqe *sqe, struct nvme_cqe *cqe)
{
	void *to = at(sqe->prp1, NVME_IDENTIFY_BYTES);

	if (!to)
		cqe->status = NVME_SC_INVALID_FIELD << 1;
	else if ((sqe->cdw10 & 0xff) == NVME_CNS_CTRL)
		memcpy(to, &liar->id, NVME_IDENTIFY_BYTES);
	else
		memcpy(to, &liar->id_ns, NVME_IDENTIFY_BYTES);
}

static void hold(struct liar *liar, uint16_t qid, const struct nvme_sqe *sqe)
{
	if (liar->nheld == LIAR_HELD)
		return;
	liar->held[liar->nheld++] = (struct liar_held){
		.sqe = *sqe,
		.qid = qid,
		.has_prp1 = dma_watch_taken(sqe->prp1, 1),
		.has_prp2 = dma_watch_taken(sqe->prp2, 1),
	};
}

/* What a bring-up needs; returns false for a command that stays. */
static bool admin(struct liar *liar, const struct nvme_sqe *sqe, struct nvme_cqe *cqe)
{
	bool ours = (sqe->cdw10 & 0xffff) && (sqe->cdw10 & 0xffff) < LIAR_QUEUES;

	switch (sqe->opc) {
	case NVME_ADMIN_CREATE_CQ:
		if (ours)
			create_cq(liar, sqe, cqe);
		break;
	case NVME_ADMIN_CREATE_SQ:
		if (ours)
			create_sq(liar, sqe, cqe);
		break;
	case NVME_ADMIN_DELETE_SQ:
	case NVME_ADMIN_DELETE_CQ:
		if (ours)
			delete_queue(liar, sqe);
		break;
	case NVME_ADMIN_IDENTIFY:
		identify(liar, sqe, cqe);
		break;
	case NVME_ADMIN_SET_FEATURES:
		cqe->cdw0 = (LIAR_QUEUES - 2) << 16 | (LIAR_QUEUES - 2);
		break;
	case NVME_ADMIN_ASYNC_EVENT:
		return false;
	}
	return true;
}

void liar_complete(struct liar *liar, unsigned int i, uint16_t sc11)
{
	struct nvme_cqe cqe = { .status = (uint16_t)(sc11 << 1) };
	struct liar_held held;

	if (i >= liar->nheld)
		return;
	held = liar->held[i];
	memmove(liar->held + i, liar->held + i + 1, (--liar->nheld - i) * sizeof(held));
	cqe.cid = held.sqe.cid;
	cqe.sqid = held.qid;
	cqe.sqhd = (uint16_t)liar->queues[held.qid].sq_head;
	/* Some were held before anything was done: no queue is deleted only by word. */
	if (!held.qid && !sc11)
		admin(liar, &held.sqe, &cqe);
	liar_post(liar, held.qid, cqe, true);
}

void liar_complete_all(struct liar *liar)
{
	unsigned int i = 0;

	while (i < liar->nheld) {
		const struct liar_held *held = &liar->held[i];

		if (!held->qid && held->sqe.opc == NVME_ADMIN_ASYNC_EVENT)
			i++;
		else
			liar_complete(liar, i, 0);
	}
}

static void complete_event(struct liar *liar, uint32_t what)
{
	for (unsigned int i = 0; i < liar->nheld; i++) {
		if (liar->held[i].qid || liar->held[i].sqe.opc != NVME_ADMIN_ASYNC_EVENT)
			continue;
		liar_complete(liar, i, what & 1 ? (uint16_t)what : 0);
		return;
	}
}

static void random_cqe(struct liar *liar, struct nvme_cqe *cqe)
{
	liar->lied = true;
	*cqe = (struct nvme_cqe){ .cdw0 = lie_u32(liar),
				  .sqhd = lie_u16(liar),
				  .sqid = lie_u16(liar),
				  .cid = lie_u16(liar),
				  .status = lie_u16(liar) };
}

/* A command was executed and its entry is right so far. */
static void lie_about(struct liar *liar, uint16_t qid, const struct nvme_sqe *sqe,
		      struct nvme_cqe cqe, uint8_t lie)
{
	switch (lie & 0xf) {
	case 0:
		hold(liar, qid, sqe);
		return;
	case 1:
		liar->lied = true;
		liar_post(liar, qid, cqe, true);
		break;
	case 2:
		liar->lied = true;
		liar_post(liar, qid, cqe, false);
		return;
	case 3:
		liar->lied = true;
		cqe.status = lie_u16(liar);
		break;
	case 4:
		liar->lied = true;
		cqe.cid = lie_u16(liar);
		break;
	case 5:
		cqe.sqid = liar_u8(liar);
		break;
	case 6:
		cqe.sqhd = lie_u16(liar);
		break;
	case 7:
		random_cqe(liar, &cqe);
		break;
	case 8:
		return;
	case 9:
		liar_post(liar, qid, cqe, true);
		liar->gone = true;
		return;
	case 10:
		liar->csts |= NVME_SET(1, CSTS_CFS);
		break;
	case 11:
		complete_event(liar, 0);
		break;
	case 12:
		cqe.cdw0 = lie_u32(liar);
		break;
	case 13:
		liar_complete(liar, liar_u8(liar), 0);
		hold(liar, qid, sqe);
		return;
	default:
		liar_happen(liar, liar_u8(liar));
		break;
	}
	liar_post(liar, qid, cqe, true);
}

static void execute(struct liar *liar, uint16_t qid, const struct nvme_sqe *sqe)
{
	struct nvme_cqe cqe = { .cid = sqe->cid,
				.sqid = qid,
				.sqhd = (uint16_t)liar->queues[qid].sq_head };
	uint8_t lie = liar->lies & LIAR_COMMANDS ? liar_u8(liar) : 0;

	liar->streak = 0;
	/* A command that stays has not been executed. */
	if (lie >= LIAR_TRUTH && (lie & 0xf) == 0) {
		hold(liar, qid, sqe);
		return;
	}
	if (!qid && !admin(liar, sqe, &cqe)) {
		hold(liar, qid, sqe);
		return;
	}
	if (lie >= LIAR_TRUTH)
		lie_about(liar, qid, sqe, cqe, lie);
	else
		liar_post(liar, qid, cqe, true);
}

static uint32_t tail_of(const struct liar *liar, uint16_t qid)
{
	unsigned int word = doorbell(liar, qid);
	unsigned int last = word + (1u << NVME_GET(liar->cap, CAP_DSTRD));

	if (liar->bus.doorbells && last < LIAR_DOORBELLS)
		return mmio_read32(&liar->doorbells[word]);
	return liar->tails[qid];
}

static void fetch(struct liar *liar, uint16_t qid)
{
	struct liar_queue *q = &liar->queues[qid];

	while (q->has_sq && !liar->gone) {
		uint32_t tail = tail_of(liar, qid);
		const struct nvme_sqe *ring = at(q->sq_iova, q->sq_size * sizeof(*ring));
		unsigned int streak = liar->streak;
		struct nvme_sqe sqe;

		if (tail == q->sq_head || !ring)
			return;
		if (tail >= q->sq_size && !liar->lied)
			liar_fail("a tail doorbell beyond the ring");
		sqe = ring[q->sq_head];
		q->sq_head = (q->sq_head + 1) % q->sq_size;
		execute(liar, qid, &sqe);
		if (tail >= q->sq_size) {
			/* It will never be reached, and time must not stand still for that. */
			liar->streak = streak;
			return;
		}
	}
}

void liar_work(struct liar *liar)
{
	liar_insist(liar);
	for (uint16_t qid = 0; qid < LIAR_QUEUES; qid++)
		fetch(liar, qid);
}

/* --- what happens by itself --- */

void liar_happen(struct liar *liar, uint8_t what)
{
	struct nvme_cqe cqe;

	switch (what & 0xf) {
	case 0:
		liar_complete(liar, 0, 0);
		break;
	case 1:
		liar_complete_all(liar);
		break;
	case 2:
		complete_event(liar, lie_u32(liar));
		break;
	case 3:
		random_cqe(liar, &cqe);
		if (what & 0x10)
			cqe.sqid = what >> 5;
		if (what & 0x10 && liar->nheld)
			cqe.cid = liar->held[cqe.cid % liar->nheld].sqe.cid;
		liar_post(liar, what >> 5, cqe, true);
		break;
	case 4:
		liar->gone = !liar->gone;
		break;
	case 5:
		liar->csts ^= NVME_SET(1, CSTS_CFS);
		break;
	case 6:
		liar->lied = true;
		liar->csts ^= NVME_SET(1, CSTS_RDY);
		break;
	case 7:
		liar->csts |= NVME_SET(NVME_CSTS_SHST_COMPLETE, CSTS_SHST);
		break;
	case 8:
		liar->quirks ^= liar_u8(liar);
		break;
	case 9:
		liar->lies ^= what >> 4;
		break;
	case 10:
		input_bytes(liar->in, &liar->id_ns, what & 0x10 ? 192 : 30);
		break;
	case 11:
		liar->id_ns.flbas = liar_u8(liar) & 0x1f;
		liar->id_ns.dps = liar_u8(liar) & 0x0f;
		break;
	default:
		liar->quirks = 0;
		break;
	}
}
