/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fused operations: Base 2.1 section 3.4.2, NVM 1.1 section 2.1.4. There is one, a Compare and
 * the Write behind it in the same queue, also around its end.
 *
 *   not supported, FUSE reserved, or not of this opcode	00/02
 *   no second behind the first, no first before the second	00/0a
 *   the first failed or was aborted				second: 00/09
 *   the second was aborted or failed before its execution	first: 00/09
 *   NSID or LBA range differ					both: 00/02
 *   more LBAs than ACWU					first: 00/14, second: 00/09
 */
#include "ssd/io/fused.h"

#include <stddef.h>

#include "ssd/hot.h"
#include "ssd/io/io.h"
#include "ssd/step.h"

static uint32_t fuse_of(const struct ssd_ctx *c)
{
	return NVME_GET(c->sqe.flags, SQE_FUSE);
}

/* The first half no longer waits, whoever completes it. */
static struct ssd_ctx *take_first(struct ssd *ssd, struct ssd_sq *sq)
{
	struct ssd_ctx *first = sq->fused;

	sq->fused = NULL;
	first->cancel = NULL;
	ssd_event_clear(&ssd->events, &first->ev);
	ssd_sq_update(sq);
	return first;
}

static void cancel(struct ssd *ssd, struct ssd_ctx *c)
{
	ssd_fused_failed(c->sq, take_first(ssd, c->sq));
}

static void nothing_came(struct ssd *ssd, struct ssd_event *ev)
{
	struct ssd_ctx *c = (struct ssd_ctx *)((char *)ev - offsetof(struct ssd_ctx, ev));

	take_first(ssd, c->sq);
	ssd_complete(ssd, c, NVME_SC_ABORTED_MISSING_FUSED);
}

static bool may_be(const struct ssd_ctx *c)
{
	return (fuse_of(c) == NVME_SQE_FUSE_FIRST && c->sqe.opc == NVME_CMD_COMPARE) ||
	       (fuse_of(c) == NVME_SQE_FUSE_SECOND && c->sqe.opc == NVME_CMD_WRITE);
}

void ssd_fused_failed(struct ssd_sq *sq, const struct ssd_ctx *c)
{
	sq->fused_failed = sq->fused_failed || fuse_of(c) == NVME_SQE_FUSE_FIRST;
	ssd_sq_update(sq);
}

uint16_t ssd_fused_half(struct ssd *ssd, struct ssd_ctx *c)
{
	if (!ssd->opts.fuses || c->ext || !may_be(c)) {
		c->error_loc = SSD_LOC(1, 0);
		return NVME_SC_INVALID_FIELD;
	}
	if (fuse_of(c) == NVME_SQE_FUSE_SECOND)
		return NVME_SC_ABORTED_MISSING_FUSED;
	c->state = SSD_CTX_WAITING;
	c->cancel = cancel;
	c->ev.fire = nothing_came;
	ssd_event_set(&ssd->events, &c->ev, ssd->now_ns + SSD_FUSED_WAIT_NS);
	c->sq->fused = c;
	ssd_sq_update(c->sq);
	return SSD_LATER;
}

static bool same_range(const struct ssd_ctx *a, const struct ssd_ctx *b)
{
	return a->sqe.nsid == b->sqe.nsid && ssd_io_slba(a) == ssd_io_slba(b) &&
	       ssd_io_nlb(a) == ssd_io_nlb(b);
}

static uint16_t execute(struct ssd *ssd, struct ssd_ctx *c)
{
	c->flags |= SSD_CTX_FUSED;
	return ssd_io_dispatch(ssd, c);
}

/* In this order: a second that is done tells of a first that is. */
static void end_both(struct ssd *ssd, struct ssd_ctx *first, struct ssd_ctx *second,
		     uint16_t first_status, uint16_t second_status)
{
	ssd_complete(ssd, first, first_status);
	ssd_complete(ssd, second, second_status);
}

static void run(struct ssd *ssd, struct ssd_ctx *first, struct ssd_ctx *second)
{
	uint16_t sc;

	first->state = SSD_CTX_RUNNING;
	if (!same_range(first, second)) {
		first->error_loc = SSD_LOC(40, 0);
		second->error_loc = SSD_LOC(40, 0);
		end_both(ssd, first, second, NVME_SC_INVALID_FIELD, NVME_SC_INVALID_FIELD);
		return;
	}
	if (ssd_io_nlb(first) - 1 > ssd->opts.awupf) {
		first->error_loc = SSD_LOC(48, 0);
		end_both(ssd, first, second, NVME_SC_ATOMIC_WRITE_UNIT_EXCEEDED,
			 NVME_SC_ABORTED_FAILED_FUSED);
		return;
	}
	sc = execute(ssd, first);
	second->latency_ns += first->latency_ns;
	if (sc) {
		end_both(ssd, first, second, sc, NVME_SC_ABORTED_FAILED_FUSED);
		return;
	}
	sc = execute(ssd, second);
	end_both(ssd, first, second, 0, sc);
}

bool ssd_fused_next(struct ssd *ssd, struct ssd_sq *sq, struct ssd_ctx *c)
{
	struct ssd_ctrl *ctrl = c->ctrl;
	bool is_second = fuse_of(c) == NVME_SQE_FUSE_SECOND && may_be(c);
	uint16_t status = SSD_LATER;
	struct ssd_ctx *first;

	if (sq->fused_failed) {
		sq->fused_failed = false;
		ssd_sq_update(sq);
		if (ssd->opts.fuses && is_second)
			ssd_complete(ssd, c, NVME_SC_ABORTED_FAILED_FUSED);
		return ssd->opts.fuses && is_second;
	}
	if (!sq->fused)
		return false;
	first = take_first(ssd, sq);
	if (!is_second) {
		ssd_complete(ssd, first, NVME_SC_ABORTED_MISSING_FUSED);
		return false;
	}
	if (ssd_sq_take_abort(sq, c->sqe.cid)) {
		end_both(ssd, first, c, NVME_SC_ABORTED_FAILED_FUSED, NVME_SC_ABORT_REQUESTED);
		return true;
	}
	if (!ssd->nfaults || !ssd_fault_before(ssd, c, &status)) {
		run(ssd, first, c);
		return true;
	}
	/* a fault that stops the drive has taken the first along, or a reset will */
	if (ctrl->running)
		ssd_complete(ssd, first, NVME_SC_ABORTED_FAILED_FUSED);
	if (status != SSD_LATER)
		ssd_complete(ssd, c, status);
	return true;
}
