/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * publish.c - what others see of a worker while it runs: its progress, and the recorder's counts.
 *
 * Ten times a second and at its end, by the thread of the worker. Its statistics are its own, so
 * that the way of a command has nothing for whoever watches.
 */
#include <stdio.h>
#include <string.h>

#include "ioworker/worker.h"
#include "nvme/cmdlog/live.h"

#define SET NVME_CMDLOG_SET

/* NULL: a queue without a recorder, which tests have. */
static struct nvme_cmdlog_slot *slot_of(const struct ioworker *w)
{
	return w->q && w->q->log ? w->q->log->slot : NULL;
}

static void note_sizes(const struct plan *p, struct nvme_cmdlog_worker *out)
{
	uint64_t n = p->nreplay ? p->nreplay : p->place_choice.n;

	out->min_nlb = UINT32_MAX;
	for (uint64_t i = 0; i < n; i++) {
		uint32_t nlb = p->nreplay ? p->replay[i].nlb : p->places[i].nlb;

		if (nlb < out->min_nlb)
			out->min_nlb = nlb;
		if (nlb > out->max_nlb)
			out->max_nlb = nlb;
	}
}

static void note_ops(const struct plan *p, struct nvme_cmdlog_worker *out)
{
	const uint64_t *sums = p->op_choice.sums;

	out->nops = p->nops;
	memcpy(out->opcodes, p->opcodes, sizeof(out->opcodes));
	for (uint32_t i = 0; i < p->nops && !p->nreplay; i++)
		out->weights[i] = sums ? (uint32_t)(sums[i] - (i ? sums[i - 1] : 0)) : 1;
}

void ioworker_publish_start(const struct ioworker *w)
{
	struct nvme_cmdlog_slot *slot = slot_of(w);
	struct nvme_cmdlog_worker *out;

	if (!slot)
		return;
	out = &slot->worker;
	out->qdepth = w->qdepth;
	out->lba_bytes = w->lba_bytes;
	out->random_percent = w->plan.random_percent;
	out->region_start = w->plan.low;
	out->region_end = w->plan.end;
	out->micro_iops = w->iops > 0 ? (uint64_t)(w->iops * 1e6) : 0;
	out->time_ns = w->time_ns;
	out->io_count = w->io_count;
	out->seed = w->seed;
	note_sizes(&w->plan, out);
	note_ops(&w->plan, out);
	SET(out->running, 1);
	/* A reader that finds a worker finds all of the above. */
	__atomic_store_n(&slot->kind, NVME_CMDLOG_WORKER, __ATOMIC_RELEASE);
}

static void publish_latency(const struct ioworker *w, struct nvme_cmdlog_counts *out)
{
	uint64_t buckets[NVME_CMDLOG_BUCKETS] = { 0 }, sum_ns = 0, max_ns = 0;
	struct hist_bucket bucket;

	for (uint32_t i = 0; i < w->plan.nops; i++) {
		const struct hist *latency = &w->stats.ops[i].latency;
		/* Of thousands of buckets few are in use. */
		unsigned int pos = hist_index(latency->min_ns), last = hist_index(latency->max_ns);

		sum_ns += latency->sum_ns;
		if (latency->max_ns > max_ns)
			max_ns = latency->max_ns;
		while (pos <= last && hist_next(latency, &pos, &bucket))
			buckets[nvme_cmdlog_bucket(bucket.low_ns)] += bucket.count;
	}
	SET(out->latency_sum_ns, sum_ns);
	SET(out->latency_max_ns, max_ns);
	for (unsigned int i = 0; i < NVME_CMDLOG_BUCKETS; i++)
		SET(out->latency[i], buckets[i]);
}

static void publish_counts(const struct ioworker *w, struct nvme_cmdlog_counts *out,
			   uint64_t now_ns)
{
	uint64_t commands[4], bytes[4] = { 0 };

	memcpy(commands, w->failed_commands, sizeof(commands));
	for (uint32_t i = 0; i < w->plan.nops; i++) {
		uint8_t opcode = w->plan.opcodes[i];

		commands[opcode & 3] += w->stats.ops[i].count;
		if (plan_moves_lbas(opcode))
			bytes[opcode & 3] += w->stats.ops[i].lbas * w->lba_bytes;
	}
	for (unsigned int way = 0; way < 4; way++) {
		SET(out->commands[way], commands[way]);
		SET(out->bytes[way], bytes[way]);
	}
	SET(out->errors, w->nerrors);
	publish_latency(w, out);
	SET(out->updated_ns, now_ns);
}

static void publish_progress(struct ioworker *w, uint64_t now_ns)
{
	uint64_t reads = 0, lbas = 0;

	for (uint32_t i = 0; i < w->plan.nops; i++) {
		lbas += w->stats.ops[i].lbas;
		if (w->plan.opcodes[i] == NVME_CMD_READ)
			reads = w->stats.ops[i].count;
	}
	atomic_store_explicit(&w->live.ios, w->stats.total, memory_order_relaxed);
	atomic_store_explicit(&w->live.reads, reads, memory_order_relaxed);
	atomic_store_explicit(&w->live.bytes, lbas * w->lba_bytes, memory_order_relaxed);
	if (w->plan.once)
		atomic_store_explicit(&w->live.filled_ppm, (uint32_t)(plan_filled(&w->plan) * 1e6),
				      memory_order_relaxed);
	atomic_store_explicit(&w->live.elapsed_ns, now_ns - w->start_ns, memory_order_relaxed);
}

void ioworker_publish(struct ioworker *w, uint64_t now_ns)
{
	struct nvme_cmdlog_slot *slot = slot_of(w);
	struct ioworker_progress progress;

	publish_progress(w, now_ns);
	if (!slot)
		return;
	publish_counts(w, &slot->counts, now_ns);
	ioworker_get_progress(w, &progress);
	SET(slot->worker.done_ppm, (uint32_t)(progress.percent * 1e4));
	SET(slot->worker.elapsed_ns, now_ns - w->start_ns);
}

void ioworker_publish_end(struct ioworker *w, uint64_t now_ns)
{
	struct nvme_cmdlog_slot *slot = slot_of(w);

	ioworker_publish(w, now_ns);
	if (!slot)
		return;
	if (!w->why[0] && w->failed)
		snprintf(slot->worker.why, sizeof(slot->worker.why), "status %02x/%02x",
			 w->status >> 8, w->status & 0xff);
	else
		snprintf(slot->worker.why, sizeof(slot->worker.why), "%s", w->why);
}

void ioworker_publish_closed(const struct ioworker *w)
{
	struct nvme_cmdlog_slot *slot = slot_of(w);

	if (!slot)
		return;
	if (w->lost[0])
		snprintf(slot->worker.why, sizeof(slot->worker.why), "%s", w->lost);
	__atomic_store_n(&slot->worker.running, 0, __ATOMIC_RELEASE);
}
