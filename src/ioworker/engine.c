/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * engine.c - the loop of a worker: reap, count, submit, ring. Hot.
 */
#include <stdio.h>

#include "base/err.h"
#include "base/likely.h"
#include "ioworker/worker.h"
#include "nvme/cmd.h"
#include "nvme/ctrl.h"

#define CHECK_NS UINT64_C(100000000)

/* Called by the driver, from inside of a step; or by whoever resets the controller meanwhile. */
void ioworker_slot_done(struct nvme_req *req)
{
	struct ioworker_slot *slot = (struct ioworker_slot *)req;
	struct ioworker *w = slot->w;

	slot->next = w->free;
	w->free = slot;
	if (unlikely(nvme_req_status(req))) {
		ioworker_fail(w, slot);
		return;
	}
	stats_op_done(&w->stats.ops[slot->op], slot->nlb, req->latency_ns);
	w->done_now++;
	if (unlikely(w->stats.nrecent))
		stats_note(&w->stats, slot->slba, slot->nlb, req->sqe.opc);
}

static void count_done(struct ioworker *w, uint64_t now_ns)
{
	stats_batch(&w->stats, w->done_now, now_ns);
	w->done_now = 0;
}

/* config() may have changed since the command of a slot was made. */
static inline bool any_fua(void)
{
	return nvme_config.fua_read || nvme_config.fua_write;
}

static void prefetch(const struct ioworker *w, uint64_t slba)
{
	struct verify_table *table = nvme_ns_format(w->ns)->verify;

	if (table)
		verify_prefetch(table, slba);
}

static inline void submit_one(struct ioworker *w, uint64_t now_ns)
{
	struct ioworker_slot *slot = w->free;
	struct plan_io io;

	w->free = slot->next;
	w->left--;
	plan_next(&w->plan, &io);
	if (unlikely(nvme_config.verify))
		prefetch(w, io.slba);
	if (likely(slot->movable && slot->op == io.op && slot->nlb == io.nlb && !any_fua())) {
		slot->slba = io.slba;
		nvme_cmd_move(&slot->req, io.slba);
	} else {
		ioworker_command(w, slot, &io);
	}
	nvme_qpair_submit(w->q, &slot->req, now_ns);
}

static bool is_due(struct ioworker *w, uint64_t now_ns)
{
	if (w->plan.full) {
		w->left = 0;
		return false;
	}
	if (w->plan.replay)
		return now_ns - w->start_ns >= plan_due_ns(&w->plan);
	return rate_take(&w->rate, now_ns, 1);
}

/* The buffers are too small for the LBAs that the namespace has now. */
static void __attribute__((noinline)) formatted(struct ioworker *w)
{
	ioworker_set_fault(w, IOWORKER_FAULT_SIZE, "the namespace has got another LBA format");
	w->ending = true;
}

/* Return: how many commands were submitted. */
static uint64_t submit_due(struct ioworker *w, uint64_t now_ns)
{
	uint64_t n = 0;

	if (unlikely(nvme_ns_format(w->ns)->stride_bytes != w->stride_bytes))
		formatted(w);
	/* A command that cannot be mapped fails inside of its submission, and ends the worker. */
	while (w->free && w->left && !w->ending) {
		if (unlikely(w->paced) && !is_due(w, now_ns))
			break;
		submit_one(w, now_ns);
		n++;
	}
	nvme_qpair_ring(w->q);
	return n;
}

/* Commands that the driver found outstanding for longer than the timeout, completed since or not. */
static uint32_t count_late(const struct ioworker *w)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < w->qdepth; i++)
		n += (w->slots[i].req.flags & NVME_REQ_LATE) != 0;
	return n;
}

/* How many they are, and which was the first one. */
static void set_timed_out(struct ioworker *w)
{
	const struct nvme_req *first = NULL;
	uint32_t n = count_late(w);
	char why[IOWORKER_WHY_BYTES], more[48] = "";

	for (uint32_t i = 0; i < w->qdepth; i++) {
		const struct nvme_req *req = &w->slots[i].req;

		if (req->flags & NVME_REQ_LATE && (!first || req->submit_ns < first->submit_ns))
			first = req;
	}
	if (!first)
		return;
	if (n > 1)
		snprintf(more, sizeof(more), " and %u more commands", n - 1);
	snprintf(why, sizeof(why), "drive timeout: %g sec, qpair: %u, cid: %u%s",
		 nvme_timeout_ms(w->ns->ctrl, first->submit_ns) / 1000.0, w->q->sqid, first->cid,
		 more);
	/* There are more of them by and by. */
	if (w->fault == IOWORKER_FAULT_TIMEOUT)
		w->fault = IOWORKER_FAULT_NONE;
	ioworker_set_fault(w, IOWORKER_FAULT_TIMEOUT, why);
}

/*
 * Somebody looks every tenth of a second, unless the host itself did not run. Commands have the
 * driver's grace then; the end of the worker has its own.
 */
static void notice_stall(struct ioworker *w, uint64_t now_ns)
{
	uint64_t timeout_ns = atomic_load(&w->ns->ctrl->timeout_ms) * UINT64_C(1000000);
	uint64_t gap_ns = now_ns - w->check_ns;

	if (gap_ns <= NVME_STALL_NS)
		return;
	if (w->ending_ns)
		w->ending_ns = now_ns;
	if (gap_ns > timeout_ns)
		w->frozen_ns += gap_ns;
}

/* What needs no look more often than ten times a second. */
static void __attribute__((noinline)) check(struct ioworker *w, uint64_t now_ns)
{
	notice_stall(w, now_ns);
	w->check_ns = now_ns + CHECK_NS;
	ioworker_publish(w, now_ns);
	if (count_late(w)) {
		set_timed_out(w);
		w->ending = true;
	}
}

/* Whether those in flight are done, or none of them ever will be. */
static bool is_over(struct ioworker *w, uint64_t now_ns)
{
	uint64_t patience_ns =
		(2 * (uint64_t)atomic_load(&w->ns->ctrl->timeout_ms) + 1000) * 1000000;

	if (!nvme_qpair_outstanding(w->q))
		return true;
	/* The driver finds a lost command within its timeout: this is for a driver that does not. */
	if (now_ns - w->ending_ns > patience_ns) {
		ioworker_set_fault(w, IOWORKER_FAULT_OVERDUE,
				   "commands in flight neither complete nor time out");
		return true;
	}
	if (count_late(w) < nvme_qpair_outstanding(w->q))
		return false;
	set_timed_out(w);
	return true;
}

/* No more commands. Return: true if there is nothing to wait for. */
static bool __attribute__((noinline)) finish(struct ioworker *w, uint64_t now_ns)
{
	bool over;

	if (!w->ending_ns)
		w->ending_ns = now_ns;
	w->ending = true;
	over = is_over(w, now_ns);
	w->leaves = w->fw_debug && (w->failed || w->fault);
	return over || w->leaves;
}

static enum ioworker_state step(struct ioworker *w, uint64_t now_ns)
{
	uint64_t work = nvme_qpair_poll(w->q, w->qdepth, now_ns);

	if (work)
		count_done(w, now_ns);
	if (unlikely(now_ns >= w->check_ns))
		check(w, now_ns);
	if (unlikely(w->ending || !w->left || now_ns >= w->end_ns ||
		     atomic_load_explicit(&w->stop, memory_order_relaxed))) {
		if (finish(w, now_ns))
			return IOWORKER_ENDED;
	} else {
		work += submit_due(w, now_ns);
	}
	return work ? IOWORKER_BUSY : IOWORKER_IDLE;
}

enum ioworker_state ioworker_step(struct ioworker *w, uint64_t now_ns)
{
	enum ioworker_state state = IOWORKER_ENDED;

	if (likely(!nvme_qpair_enter(w->q))) {
		state = step(w, now_ns);
		if (state == IOWORKER_IDLE)
			w->waiting = nvme_qpair_outstanding(w->q) > 0;
		if (unlikely(state == IOWORKER_ENDED))
			ioworker_publish_end(w, now_ns);
		nvme_qpair_exit(w->q);
	} else {
		/* Somebody may be draining the queue this moment: slots and counts are not ours. */
		snprintf(w->lost, sizeof(w->lost), "%s", err_text());
		w->leaves = w->fw_debug;
	}
	if (unlikely(state == IOWORKER_ENDED))
		w->ended_ns = now_ns;
	return state;
}

bool ioworker_wait(struct ioworker *w)
{
	bool waited = false;

	/* A rate wants to be kept to the microsecond. */
	if (w->paced || nvme_qpair_enter(w->q))
		return false;
	waited = nvme_qpair_wait(w->q);
	nvme_qpair_exit(w->q);
	return waited;
}

uint64_t ioworker_next_ns(const struct ioworker *w)
{
	uint64_t due = w->check_ns;

	if (w->rate.micro_iops)
		due = w->rate.next_ns;
	else if (w->plan.replay)
		due = w->start_ns + plan_due_ns(&w->plan);
	return due < w->end_ns ? due : w->end_ns;
}
