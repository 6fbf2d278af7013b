/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stats.h - what a worker counts: commands and latencies by opcode, commands by second.
 *
 * One writer. Hot where it says so.
 */
#ifndef PYNVME_IOWORKER_STATS_H
#define PYNVME_IOWORKER_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hist.h"
#include "base/likely.h"

/* Commands that ended well, of one opcode. */
struct stats_op {
	uint64_t count;
	uint64_t lbas;
	struct hist latency;
};

/* A command that ended well, for the list of the last ones. */
struct stats_recent {
	uint64_t slba;
	uint32_t nlb;
	uint8_t opcode;
};

/**
 * struct stats
 * @ops: one an opcode of the plan
 * @second_count: commands since @second_end_ns - 1 s
 * @per_second: by full seconds since the start; NULL: not asked for
 * @last_second: everything later counts there
 * @recent: ring of the last @nrecent commands, NULL: not asked for
 */
struct stats {
	struct stats_op *ops;
	uint64_t second_count;
	uint64_t second_end_ns;
	uint64_t total;
	struct stats_recent *recent;
	/* cold from here */
	uint64_t start_ns;
	uint64_t *per_second;
	uint64_t second, last_second, room;
	uint64_t recent_at, nrecent;
	uint32_t nops;
};

/**
 * stats_init()
 * @seconds: how long the run will be, rounded up; 0: not known
 * @per_second: keep counts by second
 * @nrecent: how many of the last commands to keep
 * Return: 0, -ENOMEM.
 */
int stats_init(struct stats *s, uint32_t nops, uint64_t seconds, bool per_second, uint64_t nrecent);
void stats_fini(struct stats *s);
void stats_start(struct stats *s, uint64_t start_ns);

/* A new second has begun; cold. */
void stats_turn(struct stats *s, uint64_t now_ns);
/* The run is over: the last second is booked. */
void stats_stop(struct stats *s);

/* Hot: a command of ops[@op] ended well. */
static inline void stats_op_done(struct stats_op *op, uint32_t nlb, uint64_t latency_ns)
{
	op->count++;
	op->lbas += nlb;
	hist_record(&op->latency, latency_ns);
}

/* Hot: @n commands ended well at @now_ns. */
static inline void stats_batch(struct stats *s, uint64_t n, uint64_t now_ns)
{
	if (unlikely(now_ns >= s->second_end_ns))
		stats_turn(s, now_ns);
	s->second_count += n;
	s->total += n;
}

static inline void stats_note(struct stats *s, uint64_t slba, uint32_t nlb, uint8_t opcode)
{
	struct stats_recent *r = &s->recent[s->recent_at++ % s->nrecent];

	r->slba = slba;
	r->nlb = nlb;
	r->opcode = opcode;
}

/* How many of the last commands are known, and the i-th of them, oldest first. */
uint64_t stats_nrecent(const struct stats *s);
const struct stats_recent *stats_get_recent(const struct stats *s, uint64_t i);

/* Latencies of all opcodes in one histogram. */
void stats_latency(const struct stats *s, struct hist *out);

#endif
