/* SPDX-License-Identifier: BSD-3-Clause */
/* When commands are due. */
#include "fixture.h"

#include <math.h>

#include "ioworker/rate.h"

static void nothing_is_due_at_the_start(void **state)
{
	struct rate r;

	rate_init(&r, 1000, 5 * SECOND);

	assert_int_equal(rate_take(&r, 5 * SECOND, 100), 0);
	assert_int_equal(rate_take(&r, 5 * SECOND + MS - 1, 100), 0);
	assert_int_equal(rate_take(&r, 5 * SECOND + MS, 100), 1);
	assert_int_equal(rate_take(&r, 5 * SECOND + MS, 100), 0);
}

static void no_command_is_ever_early(void **state)
{
	struct rate r;

	rate_init(&r, 12345, 0);
	for (uint64_t n = 1; n < 100000; n++) {
		/* Due at the first nanosecond that is not before n / 12,345 s. */
		uint64_t due = (n * SECOND + 12344) / 12345;

		assert_int_equal(r.next_ns, due);
		assert_int_equal(rate_take(&r, due - 1, 1), 0);
		assert_int_equal(rate_take(&r, due, 1), 1);
	}
}

static void a_late_caller_gets_what_is_due_and_no_more(void **state)
{
	struct rate r;

	rate_init(&r, 100, 0);

	assert_int_equal(rate_take(&r, SECOND, 30), 30);
	assert_int_equal(rate_take(&r, SECOND, 1000), 70);
	assert_int_equal(rate_take(&r, SECOND, 1000), 0);
}

static void fractions_count(void **state)
{
	struct rate r;

	rate_init(&r, 0.5, 0);

	assert_int_equal(rate_take(&r, 2 * SECOND - 1, 10), 0);
	assert_int_equal(rate_take(&r, 2 * SECOND, 10), 1);
	assert_int_equal(rate_take(&r, 1000 * SECOND, 1000), 499);
}

static void a_thousand_hours_lose_nothing(void **state)
{
	struct rate r;

	rate_init(&r, 1e6, 0);
	r.released = UINT64_C(3600000) * 1000000 - 1;
	r.next_ns = 0;
	rate_take(&r, 0, 1);

	assert_int_equal(r.next_ns, UINT64_C(3600000) * SECOND + US);
}

/* None of these fits the counters, and none is no rate at all. */
static void beyond_the_clock_all_that_is_asked_for_is_due(void **state)
{
	static const double rates[] = { 1e13, 1e18, 1e19, 1e300, INFINITY };
	struct rate r;

	for (size_t i = 0; i < sizeof(rates) / sizeof(*rates); i++) {
		rate_init(&r, rates[i], SECOND);

		assert_int_equal(rate_take(&r, SECOND, 100), 0);
		assert_int_equal(rate_take(&r, SECOND + 1, 100), 100);
	}
}

static void without_a_limit_everything_is_due(void **state)
{
	struct rate r;

	rate_init(&r, 0, SECOND);

	assert_int_equal(rate_take(&r, SECOND, 77), 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_due_at_the_start),
		cmocka_unit_test(no_command_is_ever_early),
		cmocka_unit_test(a_late_caller_gets_what_is_due_and_no_more),
		cmocka_unit_test(fractions_count),
		cmocka_unit_test(a_thousand_hours_lose_nothing),
		cmocka_unit_test(beyond_the_clock_all_that_is_asked_for_is_due),
		cmocka_unit_test(without_a_limit_everything_is_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
