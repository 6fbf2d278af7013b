#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "base/hist.h"
#include "base/rand.h"

#define VALUES 20000

static struct hist hist;
static struct hist other;

static int setup(void **state)
{
	hist_init(&hist);
	hist_init(&other);
	return 0;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Spread evenly over the octaves from 100 ns to 100 s. */
static void fill(uint64_t *values)
{
	struct rand r;

	rand_seed(&r, 1);
	for (int i = 0; i < VALUES; i++) {
		uint64_t octave = 100ull << rand_below(&r, 30);

		values[i] = octave + rand_below(&r, octave);
		if (values[i] > 100000000000ull)
			values[i] = 100000000000ull;
		hist_record(&hist, values[i]);
	}
	qsort(values, VALUES, sizeof(values[0]), by_value);
}

static void assert_within_percent(uint64_t got, uint64_t want)
{
	if (got < want || (double)got > (double)want * 1.01)
		fail_msg("%llu is not within 1 %% above %llu", (unsigned long long)got,
			 (unsigned long long)want);
}

static void test_percentiles_are_within_one_percent_of_the_sorted_values(void **state)
{
	static const struct {
		double p;
		int rank; /* one based */
	} cases[] = {
		{ 0.01, 2 },   { 1, 200 },	{ 10, 2000 },	  { 50, 10000 },     { 90, 18000 },
		{ 99, 19800 }, { 99.9, 19980 }, { 99.99, 19998 }, { 99.995, 19999 },
	};
	static uint64_t values[VALUES];

	fill(values);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_within_percent(hist_percentile_ns(&hist, cases[i].p),
				      values[cases[i].rank - 1]);
}

static void test_count_min_max_and_mean_are_exact(void **state)
{
	hist_record(&hist, 1000);
	hist_record(&hist, 3001);
	hist_record(&hist, 5003);

	assert_int_equal(hist_count(&hist), 3);
	assert_int_equal(hist_min_ns(&hist), 1000);
	assert_int_equal(hist_max_ns(&hist), 5003);
	assert_true(hist_mean_ns(&hist) > 3001.3 && hist_mean_ns(&hist) < 3001.4);
}

static void test_an_empty_histogram_is_all_zero(void **state)
{
	struct hist_bucket bucket;
	unsigned pos = 0;

	assert_int_equal(hist_count(&hist), 0);
	assert_int_equal(hist_min_ns(&hist), 0);
	assert_int_equal(hist_max_ns(&hist), 0);
	assert_true(hist_mean_ns(&hist) == 0);
	assert_int_equal(hist_percentile_ns(&hist, 50), 0);
	assert_int_equal(hist_next(&hist, &pos, &bucket), 0);
}

static void test_no_percentile_is_above_the_maximum(void **state)
{
	hist_record(&hist, 1000001);

	assert_int_equal(hist_percentile_ns(&hist, 1), 1000001);
	assert_int_equal(hist_percentile_ns(&hist, 100), 1000001);
}

static void test_values_beyond_the_range_go_last(void **state)
{
	hist_record(&hist, UINT64_MAX / 2);
	hist_record(&hist, 200000000000ull);

	assert_int_equal(hist.bucket[HIST_BUCKETS - 1], 2);
	assert_true(hist_max_ns(&hist) == UINT64_MAX / 2);
}

static void test_buckets_join_without_gap_or_overlap(void **state)
{
	struct hist_bucket bucket;
	uint64_t expected_ns = 0;
	unsigned pos = 0;
	unsigned buckets = 0;

	for (unsigned i = 0; i < HIST_BUCKETS; i++)
		hist.bucket[i] = 1;
	while (hist_next(&hist, &pos, &bucket)) {
		assert_true(bucket.low_ns == expected_ns);
		assert_int_equal(hist_index(bucket.low_ns), buckets);
		assert_int_equal(hist_index(bucket.high_ns), buckets);
		expected_ns = bucket.high_ns + 1;
		buckets++;
	}

	assert_int_equal(buckets, HIST_BUCKETS);
	assert_int_equal(expected_ns, 0); /* one past UINT64_MAX */
}

static void test_merge_is_recording_both(void **state)
{
	hist_record(&hist, 100);
	hist_record(&hist, 1000000);
	hist_record(&other, 50);
	hist_record(&other, 7000000);

	hist_merge(&hist, &other);

	assert_int_equal(hist_count(&hist), 4);
	assert_int_equal(hist_min_ns(&hist), 50);
	assert_int_equal(hist_max_ns(&hist), 7000000);
	assert_true(hist_mean_ns(&hist) == (100 + 1000000 + 50 + 7000000) / 4.0);
	assert_int_equal(hist_percentile_ns(&hist, 25), 50);
}

static void test_merging_an_empty_one_changes_nothing(void **state)
{
	hist_record(&hist, 777);

	hist_merge(&hist, &other);

	assert_int_equal(hist_min_ns(&hist), 777);
	assert_int_equal(hist_count(&hist), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_percentiles_are_within_one_percent_of_the_sorted_values,
				       setup),
		cmocka_unit_test_setup(test_count_min_max_and_mean_are_exact, setup),
		cmocka_unit_test_setup(test_an_empty_histogram_is_all_zero, setup),
		cmocka_unit_test_setup(test_no_percentile_is_above_the_maximum, setup),
		cmocka_unit_test_setup(test_values_beyond_the_range_go_last, setup),
		cmocka_unit_test_setup(test_buckets_join_without_gap_or_overlap, setup),
		cmocka_unit_test_setup(test_merge_is_recording_both, setup),
		cmocka_unit_test_setup(test_merging_an_empty_one_changes_nothing, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
