/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plan.c - which command comes next: its opcode, size and LBA.
 */
#include "ioworker/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/likely.h"

/* --- choices --- */

static uint32_t choose(struct rand *rand, const struct plan_choice *c)
{
	uint32_t low = 0, high = c->n - 1;
	uint64_t at;

	if (!c->sums)
		return (uint32_t)rand_below(rand, c->n);
	at = rand_below(rand, c->sums[c->n - 1]);
	while (low < high) {
		uint32_t mid = (low + high) / 2;

		if (at < c->sums[mid])
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

/* Weights lie @stride bytes apart. */
static int choice_init(struct plan_choice *c, const uint32_t *weight, size_t stride, uint32_t n)
{
	bool alike = true;
	uint64_t sum = 0;

	c->n = n;
	c->sums = malloc(n * sizeof(*c->sums));
	if (!c->sums)
		return err_set(-ENOMEM, "no memory");
	for (uint32_t i = 0; i < n; i++) {
		uint32_t w = *(const uint32_t *)((const char *)weight + i * stride);

		alike &= w == *weight;
		sum += w;
		c->sums[i] = sum;
	}
	if (!sum)
		return err_set(-EINVAL, "all weights are zero");
	if (alike) {
		free(c->sums);
		c->sums = NULL;
	}
	return 0;
}

/* --- places --- */

/* The region of the options, clipped to the namespace. */
static int region_init(struct plan *p, const struct plan_opts *o)
{
	p->low = o->region_start;
	p->end = o->region_end < o->nlbas ? o->region_end : o->nlbas;
	if (p->low < p->end)
		return 0;
	return err_set(-EINVAL, "the region is empty: LBAs %llu to %llu (not included) of %llu",
		       (unsigned long long)o->region_start, (unsigned long long)o->region_end,
		       (unsigned long long)o->nlbas);
}

static bool place_init(struct plan_place *place, const struct plan_size *size, const struct plan *p)
{
	uint64_t over = p->low % size->align;
	uint64_t skip = over && !p->once ? size->align - over : 0;
	uint64_t room = p->end - p->low;

	place->nlb = size->nlb;
	place->align = size->align;
	/* Room first, so that nothing wraps around at the end of all LBAs. */
	if (room < skip || room - skip < size->nlb)
		return false;
	place->first = p->low + skip;
	place->last = p->end - size->nlb;
	place->nslots = (place->last - place->first) / size->align + 1;
	return true;
}

/* Says of every size that does not fit that it does not. */
static int refuse_sizes(const struct plan *p, const struct plan_opts *o, const bool *fits)
{
	char list[96] = "";
	uint32_t n = 0, shown = 0;
	size_t at = 0;

	for (uint32_t i = 0; i < o->nsizes; i++) {
		if (fits[i])
			continue;
		if (n++ < 8) {
			at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%u", at ? ", " : "",
					       o->sizes[i].nlb);
			shown++;
		}
	}
	return err_set(-EINVAL,
		       "no IO of io_size %s%s fits into the region, LBAs %llu to %llu (not "
		       "included), where starts are multiples of lba_align",
		       list, shown < n ? ", ..." : "", (unsigned long long)p->low,
		       (unsigned long long)p->end);
}

/* A Copy reads inside of the region, too: before its destination, or after it. */
static int check_copy(const struct plan *p, uint8_t opcode, uint32_t nlb)
{
	if (opcode != NVME_CMD_COPY || p->end - p->low >= 3 * (uint64_t)nlb)
		return 0;
	return err_set(-EINVAL, "a Copy of %u LBAs needs a region of three times as many", nlb);
}

/* What the largest command needs of memory, and of MDTS. */
static void note_data(struct plan *p, uint8_t opcode, uint32_t nlb)
{
	if (plan_moves_lbas(opcode) && nlb > p->max_nlb)
		p->max_nlb = nlb;
}

static int place_sizes(struct plan *p, const struct plan_opts *o, bool *fits)
{
	bool all = true;

	for (uint32_t i = 0; i < o->nsizes; i++) {
		const struct plan_size *size = &o->sizes[i];

		if (!size->nlb || !size->align)
			return err_set(-EINVAL, "size and alignment of a command must not be 0");
		/* What is never chosen need not fit. */
		fits[i] = place_init(&p->places[i], size, p) || !size->weight;
		all &= fits[i];
		for (uint32_t op = 0; op < o->nops && size->weight; op++) {
			note_data(p, o->ops[op].opcode, size->nlb);
			if (check_copy(p, o->ops[op].opcode, size->nlb))
				return -EINVAL;
		}
	}
	return all ? 0 : refuse_sizes(p, o, fits);
}

static int places_init(struct plan *p, const struct plan_opts *o)
{
	bool *fits;
	int err;

	if (!o->nsizes)
		return err_set(-EINVAL, "no size of commands");
	p->places = calloc(o->nsizes, sizeof(*p->places));
	fits = calloc(o->nsizes, sizeof(*fits));
	if (!p->places || !fits)
		err = err_set(-ENOMEM, "no memory");
	else
		err = place_sizes(p, o, fits);
	free(fits);
	if (err)
		return err;
	return choice_init(&p->place_choice, &o->sizes->weight, sizeof(*o->sizes), o->nsizes);
}

static int slices_init(struct plan *p, const uint16_t *slices)
{
	uint32_t n = 0;

	p->slice_of = malloc(PLAN_WEIGHT_SUM);
	if (!p->slice_of)
		return err_set(-ENOMEM, "no memory");
	for (uint32_t i = 0; i < PLAN_SLICES; i++) {
		if (slices[i] > PLAN_WEIGHT_SUM - n)
			return err_set(-EINVAL, "the weights of a distribution must sum up to %u",
				       PLAN_WEIGHT_SUM);
		memset(p->slice_of + n, (int)i, slices[i]);
		n += slices[i];
	}
	if (n != PLAN_WEIGHT_SUM)
		return err_set(-EINVAL, "the weights of a distribution sum up to %u, not %u", n,
			       PLAN_WEIGHT_SUM);
	return 0;
}

/* --- opcodes --- */

static uint8_t op_index(const struct plan *p, uint8_t opcode)
{
	uint8_t i = 0;

	while (i < p->nops && p->opcodes[i] != opcode)
		i++;
	return i;
}

static int op_add(struct plan *p, uint8_t opcode)
{
	if (op_index(p, opcode) < p->nops)
		return 0;
	if (p->nops == PLAN_OPS_MAX)
		return err_set(-EINVAL, "more than %u different opcodes", PLAN_OPS_MAX);
	p->opcodes[p->nops++] = opcode;
	return 0;
}

/* Every command with LBAs has some, all of them in the region. */
static int replay_check(const struct plan *p, const struct plan_replay *r, uint64_t i)
{
	if (r->opcode == NVME_CMD_FLUSH)
		return 0;
	if (!r->nlb)
		return err_set(-EINVAL, "command %llu of the sequence has no LBAs",
			       (unsigned long long)i);
	if (r->slba >= p->low && r->slba < p->end && r->nlb <= p->end - r->slba)
		return check_copy(p, r->opcode, r->nlb);
	return err_set(
		-EINVAL,
		"command %llu of the sequence, %u LBAs at %llu, leaves the region, LBAs %llu "
		"to %llu (not included)",
		(unsigned long long)i, r->nlb, (unsigned long long)r->slba,
		(unsigned long long)p->low, (unsigned long long)p->end);
}

static int replay_init(struct plan *p, const struct plan_opts *o)
{
	int err = 0;

	p->nreplay = o->nreplay;
	p->replay = malloc(o->nreplay * sizeof(*p->replay));
	if (!p->replay)
		return err_set(-ENOMEM, "no memory");
	memcpy(p->replay, o->replay, o->nreplay * sizeof(*p->replay));
	for (uint64_t i = 0; i < o->nreplay && !err; i++) {
		note_data(p, o->replay[i].opcode, o->replay[i].nlb);
		if (i && o->replay[i].at_ns < o->replay[i - 1].at_ns)
			return err_set(-EINVAL, "the times of a sequence must not go back");
		err = replay_check(p, &o->replay[i], i);
		if (!err)
			err = op_add(p, o->replay[i].opcode);
	}
	return err;
}

static int ops_init(struct plan *p, const struct plan_opts *o)
{
	int err = 0;

	if (!o->nops)
		return err_set(-EINVAL, "no opcode");
	for (uint32_t i = 0; i < o->nops && !err; i++)
		err = op_add(p, o->ops[i].opcode);
	if (!err && p->nops != o->nops)
		err = err_set(-EINVAL, "an opcode is there twice");
	if (!err)
		err = choice_init(&p->op_choice, &o->ops->weight, sizeof(*o->ops), o->nops);
	return err;
}

static int init(struct plan *p, const struct plan_opts *o)
{
	int err = region_init(p, o);

	if (err)
		return err;
	if (o->nreplay)
		return replay_init(p, o);
	if (o->random_percent > 100)
		return err_set(-EINVAL, "%u per cent of random LBAs", o->random_percent);
	if (o->once && (o->random_percent || o->has_step))
		return err_set(-EINVAL, "only sequential commands fill a region once");
	err = ops_init(p, o);
	if (!err)
		err = places_init(p, o);
	if (!err && o->slices)
		err = slices_init(p, o->slices);
	return err;
}

int plan_init(struct plan *p, const struct plan_opts *opts)
{
	int err;

	memset(p, 0, sizeof(*p));
	rand_seed(&p->rand, opts->seed);
	p->random_percent = opts->random_percent;
	p->has_step = opts->has_step;
	p->lba_step = opts->lba_step;
	p->lba_start = opts->lba_start;
	p->once = opts->once;
	err = init(p, opts);
	if (err)
		plan_fini(p);
	return err;
}

void plan_fini(struct plan *p)
{
	free(p->places);
	free(p->place_choice.sums);
	free(p->op_choice.sums);
	free(p->slice_of);
	free(p->replay);
	memset(p, 0, sizeof(*p));
}

/* --- the stream --- */

static uint64_t random_lba(struct plan *p, const struct plan_place *place)
{
	uint64_t low = 0, n = place->nslots;

	if (unlikely(p->slice_of)) {
		uint64_t slice = p->slice_of[rand_below(&p->rand, PLAN_WEIGHT_SUM)];

		low = (uint64_t)((unsigned __int128)place->nslots * slice / PLAN_SLICES);
		n = (uint64_t)((unsigned __int128)place->nslots * (slice + 1) / PLAN_SLICES) - low;
		/* A region of fewer than 100 places: the slice is a part of one. */
		n = n ? n : 1;
	}
	return place->first + (low + rand_below(&p->rand, n)) * place->align;
}

static uint64_t following_lba(const struct plan *p, const struct plan_place *place)
{
	uint64_t lba = p->prev + (uint64_t)p->step;

	if (lba >= place->first && lba <= place->last)
		return lba;
	/* Backwards, the region is entered again from its end. */
	if (p->step < 0)
		return place->first + (place->nslots - 1) * place->align;
	return place->first;
}

static uint64_t __attribute__((noinline)) first_lba(struct plan *p, const struct plan_place *place)
{
	p->begun = true;
	p->simple =
		p->nops == 1 && p->place_choice.n == 1 && p->random_percent == 100 && !p->slice_of;
	p->first = place->first;
	p->nslots = place->nslots;
	p->align = place->align;
	p->nlb = place->nlb;
	if (p->lba_start < place->first || p->lba_start > (p->once ? p->end - 1 : place->last))
		return place->first;
	return p->lba_start;
}

/* Where the one before ended, as far as its alignment says; the last one ends with the region. */
static void __attribute__((noinline))
fill_next(struct plan *p, const struct plan_place *place, struct plan_io *io)
{
	uint64_t room;

	io->slba = p->begun ? p->prev + (uint64_t)p->step : first_lba(p, place);
	room = p->end - io->slba;
	if (io->nlb > room)
		io->nlb = (uint32_t)room;
	p->full = io->nlb == room || place->align >= room;
}

double plan_filled(const struct plan *p)
{
	if (p->full)
		return 1;
	return p->begun ? (double)(p->prev - p->low) / (double)(p->end - p->low) : 0;
}

static void __attribute__((noinline)) replay_next(struct plan *p, struct plan_io *io)
{
	const struct plan_replay *r = &p->replay[p->replayed++];

	io->slba = r->slba;
	io->nlb = r->nlb;
	io->opcode = r->opcode;
	io->op = op_index(p, r->opcode);
}

void plan_next_general(struct plan *p, struct plan_io *io)
{
	const struct plan_place *place = p->places;
	uint32_t op = 0;

	if (unlikely(p->replay)) {
		replay_next(p, io);
		return;
	}
	if (p->nops > 1)
		op = choose(&p->rand, &p->op_choice);
	if (p->place_choice.n > 1)
		place += choose(&p->rand, &p->place_choice);
	io->op = (uint8_t)op;
	io->opcode = p->opcodes[op];
	io->nlb = place->nlb;
	if (unlikely(p->once))
		fill_next(p, place, io);
	else if (unlikely(!p->begun))
		io->slba = first_lba(p, place);
	else if (p->random_percent == 100 ||
		 (p->random_percent && rand_below(&p->rand, 100) < p->random_percent))
		io->slba = random_lba(p, place);
	else
		io->slba = following_lba(p, place);
	p->prev = io->slba;
	p->step = p->has_step ? p->lba_step : place->align;
}
