/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plan.h - which command comes next: its opcode, size and LBA.
 *
 * A plan is a stream: the same options and seed give the same commands. Hot.
 */
#ifndef PYNVME_IOWORKER_PLAN_H
#define PYNVME_IOWORKER_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/likely.h"
#include "base/rand.h"
#include "spec/nvme.h"

#define PLAN_OPS_MAX	16u
#define PLAN_SLICES	100u
#define PLAN_WEIGHT_SUM 10000u /* of all slices */

/* One size of command, chosen @weight times out of the sum of all weights. */
struct plan_size {
	uint32_t nlb;
	uint32_t align;
	uint32_t weight;
};

struct plan_op {
	uint8_t opcode;
	uint32_t weight;
};

/* One command of a recorded workload. */
struct plan_replay {
	uint64_t at_ns; /* since the start of the worker */
	uint64_t slba;
	uint32_t nlb;
	uint8_t opcode;
};

/**
 * struct plan_opts - options, in LBAs
 * @sizes: at least one, unless there is a @replay
 * @ops: at most PLAN_OPS_MAX, each opcode once
 * @slices: PLAN_SLICES weights of equal parts of the region, sum PLAN_WEIGHT_SUM; NULL: uniform
 * @replay: commands to be issued in this order, instead of all the rest
 * @region_end: exclusive; clipped to @nlbas, the size of the namespace. No command leaves the
 *       region: every size that is ever chosen must fit, and a @replay must stay inside
 * @lba_start: of the first command; below the region it is raised to its start, beyond it wraps
 * @random_percent: so many per cent of the commands get a random LBA, the others follow
 * @lba_step: from one following command to the next, when @has_step; else the alignment
 * @once: a sequential plan that ends when the region is full, its last command cut at the end;
 *       it starts at @region_start whatever the alignment. Not with @has_step
 */
struct plan_opts {
	const struct plan_size *sizes;
	uint32_t nsizes;
	const struct plan_op *ops;
	uint32_t nops;
	const uint16_t *slices;
	const struct plan_replay *replay;
	uint64_t nreplay;
	uint64_t nlbas;
	uint64_t region_start;
	uint64_t region_end;
	uint64_t lba_start;
	uint32_t random_percent;
	bool has_step;
	int64_t lba_step;
	bool once;
	uint64_t seed;
};

/* A size, and where in the region a command of it may lie. */
struct plan_place {
	uint32_t nlb;
	uint32_t align;
	uint64_t first;	 /* LBA: start of the region, aligned up */
	uint64_t last;	 /* no command begins above it */
	uint64_t nslots; /* aligned places */
};

/* Weighted choice: entry i is chosen for numbers below sums[i] and not below sums[i - 1]. */
struct plan_choice {
	uint64_t *sums; /* NULL: all alike */
	uint32_t n;
};

/**
 * struct plan
 * @simple: all commands to come are of one opcode and size, random and uniform
 * @first, @nslots, @align, @nlb: of their place
 * @once, @full: the region is filled once; it is full: no more commands
 * @low, @end: the region, clipped to the namespace
 * @max_nlb: of the commands whose data is the LBAs'
 */
struct plan {
	struct rand rand;
	uint64_t first;
	uint64_t nslots;
	uint32_t align;
	uint32_t nlb;
	bool simple;
	struct plan_place *places;
	struct plan_choice place_choice;
	struct plan_choice op_choice;
	uint32_t random_percent;
	bool begun;
	bool has_step;
	uint8_t opcodes[PLAN_OPS_MAX];
	uint32_t nops;
	uint64_t prev; /* LBA of the command before */
	int64_t step;  /* from it to the one that follows */
	int64_t lba_step;
	uint8_t *slice_of; /* PLAN_WEIGHT_SUM entries, or NULL */
	struct plan_replay *replay;
	uint64_t nreplay;
	bool once;
	bool full;
	/* cold from here */
	uint64_t low, end;
	uint64_t replayed;
	uint64_t lba_start;
	uint32_t max_nlb;
};

struct plan_io {
	uint64_t slba;
	uint32_t nlb;
	uint8_t opcode;
	uint8_t op; /* index of the opcode in plan.opcodes */
};

/**
 * plan_init() - everything is copied
 * Errors with a text: -EINVAL no command fits into the region, no sizes, too many opcodes, bad
 * weights; -ENOMEM.
 */
int plan_init(struct plan *p, const struct plan_opts *opts);
void plan_fini(struct plan *p);

/* plan_next() of anything but random commands of one kind. */
void plan_next_general(struct plan *p, struct plan_io *io);

/* Hot: the next command; a replay, or a region that is full, must not be asked for more. */
static inline void plan_next(struct plan *p, struct plan_io *io)
{
	if (likely(p->simple)) {
		io->slba = p->first + rand_below(&p->rand, p->nslots) * p->align;
		io->nlb = p->nlb;
		io->opcode = p->opcodes[0];
		io->op = 0;
		return;
	}
	plan_next_general(p, io);
}

/* Whether the data of a command is that of its LBAs (bits 1:0: NVMe base 2.0, figure 88). */
static inline bool plan_moves_lbas(uint8_t opcode)
{
	return (opcode & 3) && opcode != NVME_CMD_DSM && opcode != NVME_CMD_COPY;
}

/* How much of the region a plan with @once has filled, 0..1. */
double plan_filled(const struct plan *p);

/* When the next command of a replay is due, since the start; UINT64_MAX after the last. */
static inline uint64_t plan_due_ns(const struct plan *p)
{
	return p->replayed < p->nreplay ? p->replay[p->replayed].at_ns : UINT64_MAX;
}

#endif
