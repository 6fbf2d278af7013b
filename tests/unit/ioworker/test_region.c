/* SPDX-License-Identifier: BSD-3-Clause */
/* Where commands may lie: in their region, and nowhere else. */
#include "base/err.h"
#include "base/rand.h"
#include "plan_fixture.h"

static void the_region_start_is_aligned_up_and_its_end_excluded(void **state)
{
	struct plan_opts o = options();

	o.region_start = 17;
	o.region_end = 48;
	EXPECT(&o, 24, 32, 40, 24);
}

static void the_region_ends_with_the_namespace(void **state)
{
	struct plan_opts o = options();

	o.region_start = 984;
	EXPECT(&o, 984, 992, 984);
}

static void an_empty_region_is_refused(void **state)
{
	struct plan_opts o = options();
	struct plan p;

	o.region_start = 1000;
	assert_int_equal(plan_init(&p, &o), -EINVAL);
	assert_non_null(strstr(err_text(), "region is empty"));
	o.region_start = 500;
	o.region_end = 500;
	assert_int_equal(plan_init(&p, &o), -EINVAL);
}

static void refused(uint64_t start, uint64_t end, uint32_t nlb, uint32_t align)
{
	struct plan_size size = { .nlb = nlb, .align = align, .weight = 1 };
	struct plan_opts o = options();
	struct plan p;

	o.sizes = &size;
	o.region_start = start;
	o.region_end = end;
	assert_int_equal(plan_init(&p, &o), -EINVAL);
	assert_non_null(strstr(err_text(), "fits into the region"));
}

/* What fits exactly, what lacks one LBA, and what alignment pushes out. */
static void a_region_in_which_no_command_fits_is_refused(void **state)
{
	const struct plan_size size = { .nlb = 16, .align = 16, .weight = 1 };
	struct plan_opts o = options();

	o.sizes = &size;
	o.region_end = 16;
	EXPECT(&o, 0, 0);
	refused(0, 15, 16, 16);
	refused(8, 15, 8, 8);
	refused(100, 101, 2, 2);
	refused(0, 1, 2, 1);
	refused(1, 9, 8, 8);
	refused(0, 4, 8, 8);
	refused(5, 13, 8, 8);
	refused(1000 - 63, UINT64_MAX, 64, 1);
	refused(1000 - 65, UINT64_MAX, 64, 64);
	refused(999, 1000, 2, UINT32_MAX);
	o.region_start = 5;
	o.region_end = 32;
	EXPECT(&o, 16, 16);
}

static void every_size_must_fit_and_those_that_do_not_are_named(void **state)
{
	const struct plan_size sizes[] = {
		{ 8, 8, 1 }, { 64, 64, 1 }, { 32, 1, 1 }, { 128, 1, 0 }
	};
	struct plan_opts o = options();
	struct plan p;

	o.sizes = sizes;
	o.nsizes = ARRAY_SIZE(sizes);
	o.region_end = 31;
	assert_int_equal(plan_init(&p, &o), -EINVAL);
	assert_non_null(strstr(err_text(), "io_size 64, 32 fits"));
	o.region_end = 64; /* what is never chosen need not fit */
	assert_int_equal(plan_init(&p, &o), 0);
	plan_fini(&p);
}

/* Whatever the options, a command lies in the region and in the namespace. */
static void no_command_ever_leaves_its_region(void **state)
{
	unsigned int made = 0;
	uint16_t slices[PLAN_SLICES];
	struct rand rand;

	rand_seed(&rand, 11);
	for (unsigned int i = 0; i < PLAN_SLICES; i++)
		slices[i] = i % 2 ? 200 : 0;
	for (unsigned int round = 0; round < 20000; round++) {
		struct plan_size sizes[3];
		struct plan_opts o = options();
		struct plan_io io;
		struct plan p;

		for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++)
			sizes[i] = (struct plan_size){
				.nlb = 1 + (uint32_t)rand_below(&rand, 70),
				.align = 1 + (uint32_t)rand_below(&rand, 70),
				.weight = (uint32_t)rand_below(&rand, 3),
			};
		o.sizes = sizes;
		o.nsizes = 1 + (uint32_t)rand_below(&rand, ARRAY_SIZE(sizes));
		o.nlbas = 1 + rand_below(&rand, 600);
		o.region_start = rand_below(&rand, 600);
		o.region_end = rand_below(&rand, 3) ? rand_below(&rand, 700) : UINT64_MAX;
		o.lba_start = rand_below(&rand, 800);
		o.once = !rand_below(&rand, 4);
		o.random_percent = o.once ? 0 : (uint32_t)rand_below(&rand, 3) * 50;
		o.has_step = !o.once && rand_below(&rand, 2);
		o.lba_step = (int64_t)rand_below(&rand, 400) - 200;
		o.slices = rand_below(&rand, 2) ? slices : NULL;
		o.seed = round;
		if (plan_init(&p, &o))
			continue;
		made++;
		for (unsigned int i = 0; i < 64 && !p.full; i++) {
			plan_next(&p, &io);
			assert_true(io.nlb > 0);
			assert_true(io.slba >= o.region_start);
			assert_true(io.slba + io.nlb <= o.region_end);
			assert_true(io.slba + io.nlb <= o.nlbas);
		}
		plan_fini(&p);
	}
	assert_true(made > 2000);
}

static void fill(const struct plan_opts *o, const uint64_t (*expected)[2], unsigned int n)
{
	struct plan p = made(o);
	struct plan_io io;

	assert_true(plan_filled(&p) == 0);
	for (unsigned int i = 0; i < n; i++) {
		assert_false(p.full);
		plan_next(&p, &io);
		assert_int_equal(io.slba, expected[i][0]);
		assert_int_equal(io.nlb, expected[i][1]);
	}
	assert_true(p.full);
	assert_true(plan_filled(&p) == 1);
	plan_fini(&p);
}

/* {LBA, LBAs} of each command. */
#define FILL(o, ...)                                                   \
	do {                                                           \
		const uint64_t expected[][2] = { __VA_ARGS__ };        \
		fill(o, expected, (unsigned int)ARRAY_SIZE(expected)); \
	} while (0)

static void a_region_is_filled_once_and_its_last_command_cut(void **state)
{
	struct plan_opts o = options();

	o.once = true;
	o.region_start = 3;
	o.region_end = 22;
	FILL(&o, { 3, 8 }, { 11, 8 }, { 19, 3 });
	o.region_end = 19; /* nothing to cut */
	FILL(&o, { 3, 8 }, { 11, 8 });
	o.region_end = 11;
	FILL(&o, { 3, 8 });
	o.region_end = 22;
	o.lba_start = 21;
	FILL(&o, { 21, 1 });
	o.lba_start = 22;
	FILL(&o, { 3, 8 }, { 11, 8 }, { 19, 3 });
}

static void a_fill_goes_by_its_alignment(void **state)
{
	struct plan_size size = { .nlb = 8, .align = 12, .weight = 1 };
	struct plan_opts o = options();

	o.once = true;
	o.sizes = &size;
	o.region_end = 36;
	FILL(&o, { 0, 8 }, { 12, 8 }, { 24, 8 });
	o.region_end = 37;
	FILL(&o, { 0, 8 }, { 12, 8 }, { 24, 8 }, { 36, 1 });
	size.align = 4; /* overlapping ones end with the first that reaches the end */
	o.region_end = 16;
	FILL(&o, { 0, 8 }, { 4, 8 }, { 8, 8 });
}

static void only_sequential_commands_fill_a_region(void **state)
{
	struct plan_opts o = options();
	struct plan p;

	o.once = true;
	o.random_percent = 1;
	assert_int_equal(plan_init(&p, &o), -EINVAL);
	o.random_percent = 0;
	o.has_step = true;
	assert_int_equal(plan_init(&p, &o), -EINVAL);
}

static void a_copy_needs_room_to_read_from(void **state)
{
	const struct plan_op copies = { .opcode = NVME_CMD_COPY, .weight = 100 };
	struct plan_opts o = options();
	struct plan p;

	o.ops = &copies;
	o.region_end = 23;
	assert_int_equal(plan_init(&p, &o), -EINVAL);
	o.region_end = 24;
	assert_int_equal(plan_init(&p, &o), 0);
	plan_fini(&p);
}

static int replay_of(struct plan_replay command, uint64_t region_start, uint64_t region_end)
{
	struct plan_opts o = {
		.replay = &command,
		.nreplay = 1,
		.nlbas = 1000,
		.region_start = region_start,
		.region_end = region_end,
	};
	struct plan p;
	int err = plan_init(&p, &o);

	if (!err)
		plan_fini(&p);
	return err;
}

static void a_replay_stays_in_the_region(void **state)
{
	struct plan_replay read = { .slba = 100, .nlb = 8, .opcode = NVME_CMD_READ };

	assert_int_equal(replay_of(read, 100, 108), 0);
	assert_int_equal(replay_of(read, 101, 108), -EINVAL);
	assert_non_null(strstr(err_text(), "command 0 of the sequence, 8 LBAs at 100, leaves"));
	assert_int_equal(replay_of(read, 100, 107), -EINVAL);
	read.slba = 992;
	assert_int_equal(replay_of(read, 0, UINT64_MAX), 0);
	read.slba = 993;
	assert_int_equal(replay_of(read, 0, UINT64_MAX), -EINVAL);
	read.slba = UINT64_MAX - 3;
	assert_int_equal(replay_of(read, 0, UINT64_MAX), -EINVAL);
}

static void a_flush_of_a_replay_needs_no_lbas(void **state)
{
	const struct plan_replay flush = { .opcode = NVME_CMD_FLUSH };
	const struct plan_replay trim = { .opcode = NVME_CMD_DSM };

	assert_int_equal(replay_of(flush, 0, UINT64_MAX), 0);
	assert_int_equal(replay_of(trim, 0, UINT64_MAX), -EINVAL);
	assert_non_null(strstr(err_text(), "has no LBAs"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_region_start_is_aligned_up_and_its_end_excluded),
		cmocka_unit_test(the_region_ends_with_the_namespace),
		cmocka_unit_test(an_empty_region_is_refused),
		cmocka_unit_test(a_region_in_which_no_command_fits_is_refused),
		cmocka_unit_test(every_size_must_fit_and_those_that_do_not_are_named),
		cmocka_unit_test(no_command_ever_leaves_its_region),
		cmocka_unit_test(a_region_is_filled_once_and_its_last_command_cut),
		cmocka_unit_test(a_fill_goes_by_its_alignment),
		cmocka_unit_test(only_sequential_commands_fill_a_region),
		cmocka_unit_test(a_copy_needs_room_to_read_from),
		cmocka_unit_test(a_replay_stays_in_the_region),
		cmocka_unit_test(a_flush_of_a_replay_needs_no_lbas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
