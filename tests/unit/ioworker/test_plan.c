/* SPDX-License-Identifier: BSD-3-Clause */
/* Which commands a plan makes. */
#include "base/err.h"
#include "plan_fixture.h"

static void sequential_goes_by_alignment_and_wraps(void **state)
{
	struct plan_size size = { .nlb = 8, .align = 300, .weight = 1 };
	struct plan_opts o = options();

	o.sizes = &size;
	EXPECT(&o, 0, 300, 600, 900, 0, 300);
}

static void a_command_never_crosses_the_end(void **state)
{
	struct plan_size size = { .nlb = 101, .align = 300, .weight = 1 };
	struct plan_opts o = options();

	o.sizes = &size;
	EXPECT(&o, 0, 300, 600, 0);
}

/* MDTS is about data that moves. */
static void only_commands_that_move_their_lbas_have_a_size(void **state)
{
	const struct plan_op trims[] = { { NVME_CMD_DSM, 50 }, { NVME_CMD_WRITE_ZEROES, 50 } };
	const struct plan_op mix[] = { { NVME_CMD_DSM, 50 }, { NVME_CMD_COMPARE, 50 } };
	struct plan_opts o = options();
	struct plan p;

	o.ops = trims;
	o.nops = 2;
	p = made(&o);
	assert_int_equal(p.max_nlb, 0);
	plan_fini(&p);
	o.ops = mix;
	p = made(&o);
	assert_int_equal(p.max_nlb, 8);
	plan_fini(&p);
}

static void the_first_command_goes_to_lba_start(void **state)
{
	struct plan_opts o = options();

	o.lba_start = 80;
	EXPECT(&o, 80, 88);
	o.lba_start = 81; /* unaligned: as given */
	EXPECT(&o, 81, 89);
	o.lba_start = 5000; /* beyond the region */
	EXPECT(&o, 0, 8);
	o.lba_start = 999; /* would cross its end */
	EXPECT(&o, 0, 8);
	o.region_start = 64; /* below it */
	o.lba_start = 8;
	EXPECT(&o, 64, 72);
}

static void a_step_may_be_negative(void **state)
{
	struct plan_opts o = options();

	o.has_step = true;
	o.lba_step = -16;
	o.lba_start = 20;
	EXPECT(&o, 20, 4, 992, 976);
}

static void a_step_of_zero_stays(void **state)
{
	struct plan_opts o = options();

	o.has_step = true;
	o.lba_start = 40;
	EXPECT(&o, 40, 40, 40);
}

static void the_largest_steps_stay_inside(void **state)
{
	struct plan_opts o = options();

	o.has_step = true;
	o.lba_step = INT64_MAX;
	EXPECT(&o, 0, 0, 0);
	o.lba_step = INT64_MIN;
	EXPECT(&o, 0, 992, 992);
}

static void random_is_aligned_inside_and_uniform(void **state)
{
	struct plan_opts o = options();
	unsigned int hits[125] = { 0 };
	struct plan p;

	o.random_percent = 100;
	p = made(&o);
	for (unsigned int i = 0; i < 125000; i++) {
		uint64_t lba = next_lba(&p);

		assert_int_equal(lba % 8, 0);
		assert_true(lba <= 992);
		hits[lba / 8]++;
	}
	/* 1,000 each; six standard deviations are 190. */
	for (unsigned int i = 0; i < 125; i++)
		assert_in_range(hits[i], 810, 1190);
	plan_fini(&p);
}

static void the_same_seed_gives_the_same_commands(void **state)
{
	struct plan_opts o = options();
	struct plan a, b, c;
	bool differ = false;

	o.random_percent = 50;
	a = made(&o);
	b = made(&o);
	o.seed = 8;
	c = made(&o);
	for (unsigned int i = 0; i < 1000; i++) {
		uint64_t lba = next_lba(&a);

		assert_int_equal(next_lba(&b), lba);
		differ |= next_lba(&c) != lba;
	}
	assert_true(differ);
	plan_fini(&a);
	plan_fini(&b);
	plan_fini(&c);
}

static void a_percentage_of_commands_is_random(void **state)
{
	struct plan_opts o = options();
	unsigned int followed = 0;
	struct plan p;
	uint64_t prev;

	o.nlbas = UINT64_C(1) << 40;
	o.random_percent = 30;
	p = made(&o);
	prev = next_lba(&p);
	for (unsigned int i = 0; i < 10000; i++) {
		uint64_t lba = next_lba(&p);

		followed += lba == prev + 8;
		prev = lba;
	}
	assert_in_range(followed, 6700, 7300);
	plan_fini(&p);
}

static void opcodes_come_by_weight(void **state)
{
	const struct plan_op ops[] = { { 2, 70 }, { 1, 25 }, { 0, 5 } };
	struct plan_opts o = options();
	unsigned int hits[3] = { 0 };
	struct plan_io io;
	struct plan p;

	o.ops = ops;
	o.nops = 3;
	p = made(&o);
	for (unsigned int i = 0; i < 10000; i++) {
		plan_next(&p, &io);
		assert_int_equal(io.opcode, ops[io.op].opcode);
		hits[io.op]++;
	}
	assert_in_range(hits[0], 6700, 7300);
	assert_in_range(hits[1], 2200, 2800);
	assert_in_range(hits[2], 350, 650);
	plan_fini(&p);
}

static void sizes_come_by_weight_each_with_its_alignment(void **state)
{
	const struct plan_size sizes[] = { { 8, 16, 90 }, { 1, 1, 0 }, { 64, 128, 10 } };
	struct plan_opts o = options();
	unsigned int small = 0;
	struct plan_io io;
	struct plan p;

	o.sizes = sizes;
	o.nsizes = 3;
	o.random_percent = 100;
	p = made(&o);
	assert_int_equal(p.max_nlb, 64);
	for (unsigned int i = 0; i < 10000; i++) {
		plan_next(&p, &io);
		assert_true(io.nlb == 8 || io.nlb == 64);
		assert_int_equal(io.slba % (io.nlb * 2), 0);
		assert_true(io.slba + io.nlb <= 1000);
		small += io.nlb == 8;
	}
	assert_in_range(small, 8800, 9200);
	plan_fini(&p);
}

static void sequential_sizes_follow_each_other(void **state)
{
	const struct plan_size sizes[] = { { 8, 8, 1 }, { 16, 16, 1 } };
	struct plan_opts o = options();
	struct plan_io io, prev;
	struct plan p;

	o.sizes = sizes;
	o.nsizes = 2;
	p = made(&o);
	plan_next(&p, &prev);
	for (unsigned int i = 0; i < 20; i++) {
		plan_next(&p, &io);
		assert_int_equal(io.slba, prev.slba + prev.nlb);
		prev = io;
	}
	plan_fini(&p);
}

static void a_distribution_favours_its_slices(void **state)
{
	uint16_t slices[PLAN_SLICES] = { 0 };
	struct plan_opts o = options();
	unsigned int first = 0, last = 0;
	struct plan p;

	slices[0] = 9000;
	slices[99] = 1000;
	o.slices = slices;
	o.nlbas = 80000;
	o.random_percent = 100;
	o.lba_start = 8;
	p = made(&o);
	for (unsigned int i = 0; i < 10000; i++) {
		uint64_t lba = next_lba(&p);

		first += lba < 800;
		last += lba >= 79200;
	}
	assert_int_equal(first + last, 10000);
	assert_in_range(first, 8800, 9200);
	plan_fini(&p);
}

static void a_distribution_works_on_a_tiny_region(void **state)
{
	uint16_t slices[PLAN_SLICES];
	struct plan_opts o = options();
	struct plan p;

	for (unsigned int i = 0; i < PLAN_SLICES; i++)
		slices[i] = 100;
	o.slices = slices;
	o.region_end = 24;
	o.random_percent = 100;
	p = made(&o);
	for (unsigned int i = 0; i < 1000; i++)
		assert_true(next_lba(&p) <= 16);
	plan_fini(&p);
}

static void wrong_weights_are_refused(void **state)
{
	const struct plan_op twice[] = { { 2, 50 }, { 2, 50 } };
	const struct plan_size none = { 8, 8, 0 };
	uint16_t slices[PLAN_SLICES] = { 9999 };
	struct plan_opts o = options();
	struct plan p;

	o.slices = slices;
	assert_int_equal(plan_init(&p, &o), -EINVAL);
	slices[5] = 2;
	assert_int_equal(plan_init(&p, &o), -EINVAL);
	o = options();
	o.sizes = &none;
	assert_int_equal(plan_init(&p, &o), -EINVAL);
	o = options();
	o.ops = twice;
	o.nops = 2;
	assert_int_equal(plan_init(&p, &o), -EINVAL);
	o = options();
	o.random_percent = 101;
	assert_int_equal(plan_init(&p, &o), -EINVAL);
}

static void a_replay_is_what_was_recorded(void **state)
{
	const struct plan_replay replay[] = {
		{ .at_ns = 0, .slba = 5, .nlb = 1, .opcode = 2 },
		{ .at_ns = 10, .slba = 900, .nlb = 64, .opcode = 1 },
		{ .at_ns = 10, .slba = 7, .nlb = 2, .opcode = 2 },
	};
	struct plan_opts o = {
		.replay = replay, .nreplay = 3, .nlbas = 1000, .region_end = UINT64_MAX
	};
	struct plan p = made(&o);
	struct plan_io io;

	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(plan_due_ns(&p), replay[i].at_ns);
		plan_next(&p, &io);
		assert_int_equal(io.slba, replay[i].slba);
		assert_int_equal(io.nlb, replay[i].nlb);
		assert_int_equal(io.opcode, replay[i].opcode);
		assert_int_equal(p.opcodes[io.op], replay[i].opcode);
	}
	assert_int_equal(plan_due_ns(&p), UINT64_MAX);
	assert_int_equal(p.max_nlb, 64);
	plan_fini(&p);
}

static void a_replay_must_not_go_back_in_time(void **state)
{
	const struct plan_replay replay[] = { { .at_ns = 5, .nlb = 1 }, { .at_ns = 4, .nlb = 1 } };
	struct plan_opts o = {
		.replay = replay, .nreplay = 2, .nlbas = 1000, .region_end = UINT64_MAX
	};
	struct plan p;

	assert_int_equal(plan_init(&p, &o), -EINVAL);
	assert_non_null(strstr(err_text(), "go back"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sequential_goes_by_alignment_and_wraps),
		cmocka_unit_test(a_command_never_crosses_the_end),
		cmocka_unit_test(only_commands_that_move_their_lbas_have_a_size),
		cmocka_unit_test(the_first_command_goes_to_lba_start),
		cmocka_unit_test(a_step_may_be_negative),
		cmocka_unit_test(a_step_of_zero_stays),
		cmocka_unit_test(the_largest_steps_stay_inside),
		cmocka_unit_test(random_is_aligned_inside_and_uniform),
		cmocka_unit_test(the_same_seed_gives_the_same_commands),
		cmocka_unit_test(a_percentage_of_commands_is_random),
		cmocka_unit_test(opcodes_come_by_weight),
		cmocka_unit_test(sizes_come_by_weight_each_with_its_alignment),
		cmocka_unit_test(sequential_sizes_follow_each_other),
		cmocka_unit_test(a_distribution_favours_its_slices),
		cmocka_unit_test(a_distribution_works_on_a_tiny_region),
		cmocka_unit_test(wrong_weights_are_refused),
		cmocka_unit_test(a_replay_is_what_was_recorded),
		cmocka_unit_test(a_replay_must_not_go_back_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
