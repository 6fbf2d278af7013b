/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One step of the device: events that are due, doorbells, arbitration, interrupts.
 *
 * Base 2.1 section 3.4.4: round robin in bursts, or weighted round robin with an urgent
 * class; the admin queue comes first in both.
 */
#include "ssd/step.h"

#include <string.h>

#include "ssd/direct.h"
#include "ssd/io/fused.h"

#define STEP_COMMANDS 32

static inline __attribute__((always_inline)) void execute(struct ssd *ssd, struct ssd_ctx *c)
{
	uint16_t status = SSD_LATER;

	if (SSD_UNLIKELY(ssd->nfaults) && ssd_fault_before(ssd, c, &status)) {
		if (status == SSD_LATER)
			return;
		if (c->sq)
			ssd_fused_failed(c->sq, c);
		ssd_complete(ssd, c, status);
		return;
	}
	if (SSD_LIKELY(!(c->flags & SSD_CTX_ADMIN)))
		status = ssd_io_start(ssd, c);
	else
		status = ssd_admin_dispatch(ssd, c);
	if (SSD_LIKELY(status != SSD_LATER))
		ssd_finish(ssd, c, status);
}

void ssd_execute(struct ssd *ssd, struct ssd_ctx *c)
{
	execute(ssd, c);
}

static unsigned int find_abort(const struct ssd_sq *sq, uint16_t cid)
{
	unsigned int i = 0;

	while (i < sq->naborts && sq->aborts[i] != cid)
		i++;
	return i;
}

bool ssd_sq_take_abort(struct ssd_sq *sq, uint16_t cid)
{
	unsigned int i = find_abort(sq, cid);

	if (i == sq->naborts)
		return false;
	sq->aborts[i] = sq->aborts[--sq->naborts];
	ssd_sq_update(sq);
	return true;
}

/* Take over what the host has put into the queue since. */
static inline void look_at_doorbell(struct ssd_ctrl *ctrl, struct ssd_sq *sq)
{
	uint32_t tail = __atomic_load_n(sq->db, __ATOMIC_ACQUIRE);

	if (tail != sq->tail)
		ssd_sq_doorbell(ctrl, sq, tail);
}

bool ssd_abort_queued(struct ssd_ctrl *ctrl, struct ssd_sq *sq, uint16_t cid)
{
	struct nvme_sqe sqe;

	look_at_doorbell(ctrl, sq);
	/* once is enough: a second one would wait for the next command of this CID */
	if (find_abort(sq, cid) < sq->naborts)
		return false;
	for (uint32_t i = sq->head; i != sq->tail; i = i + 1 == sq->size ? 0 : i + 1) {
		if (sq->ring)
			sqe = sq->ring[i];
		else if (!ssd_sq_fetch_piece(ctrl, sq, i, &sqe))
			return false;
		if (sqe.cid != cid)
			continue;
		if (sq->naborts == SSD_SQ_ABORTS)
			return false;
		sq->aborts[sq->naborts++] = cid;
		ssd_sq_update(sq);
		return true;
	}
	return false;
}

/* Something before this command, or an Abort, has a say in it. */
static __attribute__((noinline)) void execute_odd(struct ssd *ssd, struct ssd_sq *sq,
						  struct ssd_ctx *c)
{
	if (ssd_fused_next(ssd, sq, c))
		return;
	if (!ssd_sq_take_abort(sq, c->sqe.cid)) {
		execute(ssd, c);
		return;
	}
	ssd_fused_failed(sq, c);
	ssd_complete(ssd, c, NVME_SC_ABORT_REQUESTED);
}

/* Take over one command; false: nothing can be fetched now. */
static inline bool fetch(struct ssd_ctrl *ctrl, struct ssd_sq *sq)
{
	struct ssd *ssd = ctrl->ssd;
	struct ssd_ctx *c = ssd_ctx_take(ssd);
	uint32_t head = sq->head;

	if (SSD_UNLIKELY(!c))
		return false;
	if (SSD_LIKELY(sq->ring != NULL)) {
		c->sqe = sq->ring[head];
		__builtin_prefetch(&sq->ring[head + 1]);
	} else if (!ssd_sq_fetch_piece(ctrl, sq, head, &c->sqe)) {
		ssd_ctx_release(ssd, c);
		ssd_fatal(ctrl);
		return false;
	}
	head++;
	sq->head = SSD_UNLIKELY(head == sq->size) ? 0 : head;
	c->ctrl = ctrl;
	c->sq = sq;
	if (SSD_UNLIKELY(!sq->id))
		c->flags = SSD_CTX_ADMIN;
	if (SSD_UNLIKELY(sq->odd))
		execute_odd(ssd, sq, c);
	else
		execute(ssd, c);
	return true;
}

static __attribute__((noinline)) unsigned int run_direct(struct ssd_ctrl *ctrl, struct ssd_sq *sq,
							 unsigned int burst)
{
	unsigned int n = 0;

	for (; n < burst && sq->head != sq->tail; n++) {
		__builtin_prefetch(&sq->ring[sq->head + 1]);
		if (!ssd_direct_io(ctrl, sq, &sq->ring[sq->head]))
			break;
	}
	return n;
}

/* Up to @burst commands of one queue. Return: how many. */
static unsigned int run_queue(struct ssd_ctrl *ctrl, struct ssd_sq *sq, unsigned int burst)
{
	struct ssd *ssd = ctrl->ssd;
	unsigned int n = 0;

	look_at_doorbell(ctrl, sq);
	if (ssd_direct_possible(ssd, sq))
		n = run_direct(ctrl, sq, burst);
	/* a full completion queue holds back its submission queues */
	while (n < burst && sq->head != sq->tail && !sq->cq->wait) {
		if (SSD_UNLIKELY(!fetch(ctrl, sq)))
			break;
		n++;
		/* the command may have stopped the controller or deleted its queue */
		if (SSD_UNLIKELY(!ctrl->running || !sq->live))
			break;
	}
	ssd->stats.commands += n;
	return n;
}

static unsigned int burst_of(const struct ssd_ctrl *ctrl)
{
	uint32_t ab = NVME_GET(ctrl->feat.current[NVME_FEAT_ARBITRATION], ARB_AB);

	return ab < 5 ? 1u << ab : STEP_COMMANDS;
}

/* Queues of @mask in turn, beginning after the last one served, @burst from each. */
static unsigned int round_robin(struct ssd_ctrl *ctrl, uint64_t mask, unsigned int burst,
				unsigned int budget)
{
	uint64_t turn = mask & ~0ull << ctrl->sq_next;
	unsigned int total = 0;

	for (int pass = 0; pass < 2; pass++, turn = mask & ~(~0ull << ctrl->sq_next)) {
		while (turn && total < budget && ctrl->running) {
			unsigned int q = (unsigned int)__builtin_ctzll(turn);
			unsigned int left = budget - total;

			turn &= turn - 1;
			total += run_queue(ctrl, &ctrl->sq[q], left < burst ? left : burst);
			if (total >= budget) {
				ctrl->sq_next = (uint8_t)((q + 1) % SSD_QUEUES_MAX);
				return total;
			}
		}
	}
	return total;
}

static uint64_t queues_of(const struct ssd_ctrl *ctrl, uint8_t prio)
{
	uint64_t mask = 0;

	for (uint64_t left = ctrl->sq_live & ~1ull; left; left &= left - 1) {
		unsigned int q = (unsigned int)__builtin_ctzll(left);

		if (ctrl->sq[q].prio == prio)
			mask |= 1ull << q;
	}
	return mask;
}

/* Round robin among @mask until @budget is used up or nothing is left. */
static unsigned int drain(struct ssd_ctrl *ctrl, uint64_t mask, unsigned int budget)
{
	unsigned int burst = burst_of(ctrl), total = 0, n;

	do {
		n = round_robin(ctrl, mask, burst, budget - total);
		total += n;
	} while (n && total < budget && ctrl->running);
	return total;
}

/* Urgent first and strictly; high, medium and low get their weights in credits of commands. */
static unsigned int weighted(struct ssd_ctrl *ctrl, unsigned int budget)
{
	uint32_t arb = ctrl->feat.current[NVME_FEAT_ARBITRATION];
	const unsigned int weight[] = { NVME_GET(arb, ARB_HPW) + 1, NVME_GET(arb, ARB_MPW) + 1,
					NVME_GET(arb, ARB_LPW) + 1 };
	unsigned int total = drain(ctrl, queues_of(ctrl, NVME_QPRIO_URGENT), budget), served = 1;

	while (served && total < budget && ctrl->running) {
		served = 0;
		for (unsigned int k = 0; k < 3 && total + served < budget; k++) {
			unsigned int left = budget - total - served;

			served += drain(ctrl, queues_of(ctrl, (uint8_t)(NVME_QPRIO_HIGH + k)),
					left < weight[k] ? left : weight[k]);
		}
		total += served;
	}
	return total;
}

static unsigned int serve_queues(struct ssd_ctrl *ctrl)
{
	unsigned int total = run_queue(ctrl, &ctrl->sq[0], STEP_COMMANDS);
	uint64_t io = ctrl->sq_live & ~1ull;

	if (!io || !ctrl->running || total == STEP_COMMANDS)
		return total;
	if (NVME_GET(ctrl->regs.cc, CC_AMS) == NVME_CC_AMS_WRRUP)
		return total + weighted(ctrl, STEP_COMMANDS - total);
	return total + drain(ctrl, io, STEP_COMMANDS - total);
}

static unsigned int fire_events(struct ssd *ssd)
{
	struct ssd_events *evs = &ssd->events;
	unsigned int n = 0;

	/* events may set others: those due now fire in the same step, a burst at most */
	while (evs->n && evs->heap[0]->due_ns <= ssd->now_ns && n < 4 * STEP_COMMANDS) {
		struct ssd_event *ev = evs->heap[0];

		ssd_event_clear(evs, ev);
		ev->fire(ssd, ev);
		n++;
	}
	return n;
}

static unsigned int unblock(struct ssd_ctrl *ctrl)
{
	unsigned int n = 0;

	for (uint64_t left = ctrl->cq_wait; left; left &= left - 1)
		n += (unsigned int)ssd_cq_unblock(ctrl, &ctrl->cq[__builtin_ctzll(left)]);
	return n;
}

static void interrupts(struct ssd_ctrl *ctrl)
{
	uint64_t dirty = ctrl->cq_dirty;

	ctrl->cq_dirty = 0;
	for (; dirty; dirty &= dirty - 1) {
		struct ssd_cq *cq = &ctrl->cq[__builtin_ctzll(dirty)];
		uint32_t posted = (cq->tail + cq->size - cq->irq_tail) % cq->size;

		cq->irq_tail = cq->tail;
		if (cq->ien)
			ssd_irq_cq(ctrl, cq, posted);
	}
}

/* May IO queues be served? */
static __attribute__((noinline)) bool look_around(struct ssd_ctrl *ctrl)
{
	if (ctrl->watch & SSD_WATCH_DBBUF)
		ssd_dbbuf_poll(ctrl);
	return !(ctrl->watch & SSD_WATCH_POWER) || ssd_power_serves_io(ctrl);
}

/* What one controller has to do. */
static inline unsigned int serve(struct ssd_ctrl *ctrl)
{
	unsigned int work = 0;

	if (__builtin_expect(ctrl->running, 1)) {
		bool io = SSD_LIKELY(!ctrl->watch) || look_around(ctrl);

		if (__builtin_expect(ctrl->cq_wait != 0, 0))
			work += unblock(ctrl);
		work += SSD_LIKELY(io) ? serve_queues(ctrl) :
					 run_queue(ctrl, &ctrl->sq[0], STEP_COMMANDS);
	}
	if (ctrl->cq_dirty)
		interrupts(ctrl);
	return work;
}

int ssd_step(struct ssd *ssd, uint64_t now_ns)
{
	unsigned int work = 0;

	ssd->now_ns = now_ns;
	if (__builtin_expect(ssd->events.n != 0, 0))
		work += fire_events(ssd);
	for (struct ssd_ctrl *ctrl = &ssd->pcie; ctrl; ctrl = ctrl->next)
		work += serve(ctrl);
	return (int)work;
}
