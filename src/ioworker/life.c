/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * life.c - how a worker comes and goes, and what is left of it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "ioworker/worker.h"
#include "nvme/ctrl.h"

#define SECOND_NS UINT64_C(1000000000)

/* A command that ends because its queue goes: NVMe base 2.0, figure 94. */
#define STATUS_ABORTED_SQ_DELETION 0x0008u

static int check_opts(const struct ioworker_opts *o)
{
	if (!o->time_ns && !o->io_count && !o->plan.nreplay && !o->plan.once)
		return err_set(-EINVAL, "neither time nor io_count: the worker would never end");
	if (!o->qdepth || o->qdepth > IOWORKER_DEPTH_MAX)
		return err_set(-EINVAL, "qdepth must be 1..%u, not %u", IOWORKER_DEPTH_MAX,
			       o->qdepth);
	if (o->qdepth > o->ns->ctrl->max_entries)
		return err_set(-EINVAL, "qdepth %u is more than the %u entries of a queue (MQES)",
			       o->qdepth, o->ns->ctrl->max_entries);
	if (o->qprio > 3)
		return err_set(-EINVAL, "qprio must be 0..3, not %u", o->qprio);
	return 0;
}

static int init(struct ioworker *w, const struct ioworker_opts *o, const struct nvme_ns_format *f)
{
	struct plan_opts plan = o->plan;
	int err;

	plan.nlbas = f->nlbas;
	err = plan_init(&w->plan, &plan);
	if (!err)
		err = stats_init(&w->stats, w->plan.nops, (o->time_ns + SECOND_NS - 1) / SECOND_NS,
				 o->per_second, o->nrecent);
	return err;
}

int ioworker_create(struct ioworker **out, const struct ioworker_opts *opts)
{
	int err = check_opts(opts);
	const struct nvme_ns_format *f;
	struct ioworker *w;

	if (err)
		return err;
	w = calloc(1, sizeof(*w));
	if (!w)
		return err_set(-ENOMEM, "no memory for a worker");
	f = nvme_ns_format(opts->ns);
	err = init(w, opts, f);
	if (err) {
		plan_fini(&w->plan);
		free(w);
		return err;
	}
	w->ns = nvme_ns_get(opts->ns);
	w->lba_bytes = f->lba_bytes;
	w->stride_bytes = f->stride_bytes;
	w->time_ns = opts->time_ns;
	w->io_count = opts->io_count;
	if (opts->plan.nreplay && (!w->io_count || w->io_count > opts->plan.nreplay))
		w->io_count = opts->plan.nreplay;
	w->iops = opts->iops;
	w->qdepth = opts->qdepth;
	w->qprio = opts->qprio;
	w->ptype = opts->ptype;
	w->pvalue = opts->pvalue;
	w->cpu = opts->cpu;
	w->fw_debug = opts->fw_debug;
	w->seed = opts->plan.seed;
	ioworker_thread_init(w);
	*out = w;
	return 0;
}

void ioworker_destroy(struct ioworker *w)
{
	if (!w)
		return;
	pthread_cond_destroy(&w->thread.cond);
	pthread_mutex_destroy(&w->thread.mutex);
	plan_fini(&w->plan);
	stats_fini(&w->stats);
	nvme_ns_put(w->ns);
	free(w);
}

void ioworker_set_fault(struct ioworker *w, enum ioworker_fault fault, const char *why)
{
	if (w->fault)
		return;
	w->fault = fault;
	snprintf(w->why, sizeof(w->why), "%s", why);
}

void ioworker_fail(struct ioworker *w, struct ioworker_slot *slot)
{
	struct nvme_req *req = &slot->req;
	const struct nvme_ns_format *f = nvme_ns_format(w->ns);
	struct ioworker_error *e;
	uint32_t stride;

	if (atomic_load(&w->closing))
		return;
	w->ending = true;
	w->failed_commands[req->sqe.opc & 3]++;
	if (!w->failed) {
		w->failed = true;
		w->status = nvme_req_status(req);
	}
	if (w->nerrors++ >= IOWORKER_ERRORS_MAX)
		return;
	e = &w->errors[w->nerrors - 1];
	e->record.submit_ns = req->submit_ns;
	e->record.complete_ns = req->submit_ns + req->latency_ns;
	e->record.sqe = req->sqe;
	e->record.cqe = req->cqe;
	if (req->flags & NVME_REQ_JUDGED) {
		e->judged = nvme_req_status(req);
		e->record.cqe.status &= NVME_STATUS_P_MASK;
	}
	stride = nvme_ns_stride(f, req->sqe.cdw12);
	if (req->flags & NVME_REQ_MISS && f->verify &&
	    (uint64_t)req->nlb * stride <= req->data_bytes) {
		const uint8_t *data = req->data;

		/* The driver's event has the same, for whoever looks at the controller. */
		e->mismatch = verify_check(f->verify, data, req->slba, req->nlb, stride, &e->miss);
		if (e->mismatch)
			memcpy(e->data, data + (e->miss.lba - req->slba) * stride, sizeof(e->data));
	}
}

static int open_resources(struct ioworker *w)
{
	struct nvme_ctrl *ctrl = w->ns->ctrl;
	uint64_t bytes = (uint64_t)w->plan.max_nlb * w->lba_bytes;
	unsigned int entries = ctrl->max_entries;
	int err;

	if (bytes > ctrl->mdts_bytes) {
		char why[IOWORKER_WHY_BYTES];

		snprintf(why, sizeof(why), "io_size %u LBAs is %llu bytes, MDTS is %llu",
			 w->plan.max_nlb, (unsigned long long)bytes,
			 (unsigned long long)ctrl->mdts_bytes);
		ioworker_set_fault(w, IOWORKER_FAULT_SIZE, why);
		return -EIO;
	}
	err = ioworker_slots_alloc(w);
	if (err) {
		ioworker_set_fault(w, err == -ENOMEM ? IOWORKER_FAULT_MEMORY : IOWORKER_FAULT_START,
				   err_text());
		return -EIO;
	}
	err = nvme_qpair_create(ctrl, w->qdepth + 1 < entries ? w->qdepth + 1 : entries, w->qprio,
				NVME_QPAIR_NO_IRQ, &w->q);
	if (err) {
		ioworker_set_fault(w, err == -ENOMEM ? IOWORKER_FAULT_MEMORY : IOWORKER_FAULT_START,
				   err_text());
		return -EIO;
	}
	return 0;
}

int ioworker_open(struct ioworker *w, uint64_t now_ns)
{
	int err = open_resources(w);

	if (err) {
		ioworker_close(w);
		return err;
	}
	ioworker_begin(w, now_ns);
	ioworker_publish_start(w);
	return 0;
}

void ioworker_begin(struct ioworker *w, uint64_t now_ns)
{
	w->start_ns = now_ns;
	w->check_ns = now_ns;
	w->left = w->io_count ? w->io_count : UINT64_MAX;
	w->end_ns = w->time_ns ? now_ns + w->time_ns : UINT64_MAX;
	w->paced = w->iops > 0 || w->plan.replay || w->plan.once;
	rate_init(&w->rate, w->iops, now_ns);
	stats_start(&w->stats, now_ns);
	atomic_store(&w->live.running, true);
}

static void end_queue(struct ioworker *w)
{
	uint16_t sqid = w->q->sqid;

	/* What deletion says of the device is no news: the worker has its reason to end. */
	if (!w->leaves)
		(void)nvme_qpair_delete(w->q);
	else if (!nvme_qpair_leave(w->q))
		w->left_sqid = sqid;
	w->q = NULL;
}

void ioworker_close(struct ioworker *w)
{
	atomic_store(&w->closing, true);
	ioworker_publish_closed(w);
	if (w->q)
		end_queue(w);
	/* From here on nobody else touches the slots. */
	if (w->lost[0] && !w->failed) {
		w->failed = true;
		w->status = STATUS_ABORTED_SQ_DELETION;
	}
	if (w->lost[0] && !w->fault)
		snprintf(w->why, sizeof(w->why), "%s", w->lost);
	stats_stop(&w->stats);
	ioworker_slots_free(w);
	atomic_store(&w->live.running, false);
}

/* --- what is left --- */

void ioworker_get_progress(const struct ioworker *w, struct ioworker_progress *out)
{
	double time = 0, count = 0, filled = 0;

	out->running = atomic_load_explicit(&w->live.running, memory_order_relaxed);
	out->ios = atomic_load_explicit(&w->live.ios, memory_order_relaxed);
	out->reads = atomic_load_explicit(&w->live.reads, memory_order_relaxed);
	out->bytes = atomic_load_explicit(&w->live.bytes, memory_order_relaxed);
	if (w->time_ns)
		time = (double)atomic_load_explicit(&w->live.elapsed_ns, memory_order_relaxed) /
		       (double)w->time_ns;
	if (w->io_count)
		count = (double)out->ios / (double)w->io_count;
	filled = (double)atomic_load_explicit(&w->live.filled_ppm, memory_order_relaxed) / 1e6;
	if (filled > count)
		count = filled;
	out->percent = 100 * (time > count ? time : count);
	if (out->percent > 100)
		out->percent = 100;
}

void ioworker_get_result(const struct ioworker *w, struct ioworker_result *out)
{
	memset(out, 0, sizeof(*out));
	for (uint32_t i = 0; i < w->plan.nops; i++) {
		const struct stats_op *op = &w->stats.ops[i];

		if (w->plan.opcodes[i] == NVME_CMD_READ) {
			out->reads = op->count;
			out->read_bytes = op->lbas * w->lba_bytes;
		} else if (w->plan.opcodes[i] == NVME_CMD_WRITE) {
			out->writes = op->count;
			out->write_bytes = op->lbas * w->lba_bytes;
		} else {
			out->others += op->count;
		}
	}
	out->run_ns = w->ended_ns > w->start_ns ? w->ended_ns - w->start_ns : 0;
	out->cpu_ns = w->cpu_ns;
	out->start_ns = w->start_ns;
	out->stall_ns = w->stall_ns;
	out->frozen_ns = w->frozen_ns;
	out->failed = w->failed;
	out->status = w->status;
	out->fault = w->fault;
	out->left_sqid = w->left_sqid;
	out->nerrors = w->nerrors;
	memcpy(out->why, w->why, sizeof(out->why));
}

const struct ioworker_error *ioworker_get_error(const struct ioworker *w, uint32_t i)
{
	return i < w->nerrors && i < IOWORKER_ERRORS_MAX ? &w->errors[i] : NULL;
}

const struct stats *ioworker_stats(const struct ioworker *w)
{
	return &w->stats;
}

const uint8_t *ioworker_opcodes(const struct ioworker *w, uint32_t *n)
{
	*n = w->plan.nops;
	return w->plan.opcodes;
}
