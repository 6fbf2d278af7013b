/* SPDX-License-Identifier: BSD-3-Clause */
/* What is counted. */
#include "fixture.h"

#include "ioworker/stats.h"

static void commands_are_counted_by_the_second_of_their_end(void **state)
{
	struct stats s;

	stats_init(&s, 1, 3, true, 0);
	stats_start(&s, 10 * SECOND);
	stats_batch(&s, 5, 10 * SECOND);
	stats_batch(&s, 1, 11 * SECOND - 1);
	stats_batch(&s, 2, 11 * SECOND);
	stats_batch(&s, 4, 13 * SECOND - 1);
	stats_stop(&s);

	assert_int_equal(s.per_second[0], 6);
	assert_int_equal(s.per_second[1], 2);
	assert_int_equal(s.per_second[2], 4);
	assert_int_equal(s.total, 12);
	stats_fini(&s);
}

static void an_idle_second_counts_zero(void **state)
{
	struct stats s;

	stats_init(&s, 1, 4, true, 0);
	stats_start(&s, 0);
	stats_batch(&s, 1, MS);
	stats_batch(&s, 3, 2 * SECOND + MS);
	stats_stop(&s);

	assert_int_equal(s.per_second[0], 1);
	assert_int_equal(s.per_second[1], 0);
	assert_int_equal(s.per_second[2], 3);
	assert_int_equal(s.per_second[3], 0);
	stats_fini(&s);
}

static void what_ends_after_the_last_second_belongs_to_it(void **state)
{
	struct stats s;

	stats_init(&s, 1, 2, true, 0);
	stats_start(&s, 0);
	stats_batch(&s, 1, MS);
	stats_batch(&s, 2, SECOND + MS);
	stats_batch(&s, 4, 7 * SECOND);
	stats_stop(&s);

	assert_int_equal(s.per_second[0], 1);
	assert_int_equal(s.per_second[1], 6);
	stats_fini(&s);
}

static void one_second_takes_all(void **state)
{
	struct stats s;

	stats_init(&s, 1, 1, true, 0);
	stats_start(&s, 0);
	stats_batch(&s, 2, 5 * SECOND);
	stats_stop(&s);

	assert_int_equal(s.per_second[0], 2);
	stats_fini(&s);
}

static void an_unknown_length_grows(void **state)
{
	struct stats s;

	stats_init(&s, 1, 0, true, 0);
	stats_start(&s, 0);
	for (uint64_t second = 0; second < 10000; second++)
		stats_batch(&s, second, second * SECOND);
	stats_stop(&s);

	for (uint64_t second = 0; second < 10000; second++)
		assert_int_equal(s.per_second[second], second);
	stats_fini(&s);
}

static void opcodes_have_counts_and_latencies_of_their_own(void **state)
{
	struct stats s;
	struct hist all;

	stats_init(&s, 2, 1, false, 0);
	stats_op_done(&s.ops[0], 8, 1000);
	stats_op_done(&s.ops[1], 16, 3000);
	stats_op_done(&s.ops[1], 16, 5000);
	stats_latency(&s, &all);

	assert_int_equal(s.ops[0].count, 1);
	assert_int_equal(s.ops[1].count, 2);
	assert_int_equal(s.ops[1].lbas, 32);
	assert_int_equal(hist_max_ns(&s.ops[0].latency), 1000);
	assert_int_equal(hist_count(&all), 3);
	assert_int_equal(hist_max_ns(&all), 5000);
	stats_fini(&s);
}

static void the_last_commands_are_kept_oldest_first(void **state)
{
	struct stats s;

	stats_init(&s, 1, 1, false, 3);
	stats_note(&s, 10, 1, 2);
	assert_int_equal(stats_nrecent(&s), 1);
	assert_int_equal(stats_get_recent(&s, 0)->slba, 10);
	for (uint64_t i = 11; i <= 15; i++)
		stats_note(&s, i, 1, 2);

	assert_int_equal(stats_nrecent(&s), 3);
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(stats_get_recent(&s, i)->slba, 13 + i);
	stats_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_are_counted_by_the_second_of_their_end),
		cmocka_unit_test(an_idle_second_counts_zero),
		cmocka_unit_test(what_ends_after_the_last_second_belongs_to_it),
		cmocka_unit_test(one_second_takes_all),
		cmocka_unit_test(an_unknown_length_grows),
		cmocka_unit_test(opcodes_have_counts_and_latencies_of_their_own),
		cmocka_unit_test(the_last_commands_are_kept_oldest_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
