/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plan_fixture.h - a plan, and the LBAs that are expected of it.
 */
#ifndef PYNVME_TESTS_IOWORKER_PLAN_FIXTURE_H
#define PYNVME_TESTS_IOWORKER_PLAN_FIXTURE_H

#include "fixture.h"

#include "ioworker/plan.h"

static const struct plan_size size_8 = { .nlb = 8, .align = 8, .weight = 1 };
static const struct plan_op reads = { .opcode = 2, .weight = 100 };

/* Sequential reads of 8 LBAs over 1,000. */
static inline struct plan_opts options(void)
{
	return (struct plan_opts){
		.sizes = &size_8,
		.nsizes = 1,
		.ops = &reads,
		.nops = 1,
		.nlbas = 1000,
		.region_end = UINT64_MAX,
		.seed = 7,
	};
}

static inline struct plan made(const struct plan_opts *o)
{
	struct plan p;

	assert_int_equal(plan_init(&p, o), 0);
	return p;
}

static inline uint64_t next_lba(struct plan *p)
{
	struct plan_io io;

	plan_next(p, &io);
	return io.slba;
}

static inline void expect(const struct plan_opts *o, const uint64_t *lbas, unsigned int n)
{
	struct plan p = made(o);

	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(next_lba(&p), lbas[i]);
	plan_fini(&p);
}

#define EXPECT(o, ...)                                           \
	do {                                                     \
		const uint64_t lbas[] = { __VA_ARGS__ };         \
		expect(o, lbas, (unsigned int)ARRAY_SIZE(lbas)); \
	} while (0)

#endif
