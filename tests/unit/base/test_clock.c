#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <time.h>

#include "base/clock.h"

#define READERS 3

static uint64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* By how much clock_now_ns() lies outside the two readings of the kernel's clock around it. */
static uint64_t distance_ns(void)
{
	uint64_t before = monotonic_ns();
	uint64_t now = clock_now_ns();
	uint64_t after = monotonic_ns();

	if (now < before)
		return before - now;
	return now > after ? now - after : 0;
}

static void test_follows_the_kernels_clock_through_warm_up_and_redraws(void **state)
{
	uint64_t end_ns = monotonic_ns() + 300000000;
	uint64_t worst_ns = 0;

	while (monotonic_ns() < end_ns) {
		uint64_t d = distance_ns();

		if (d > worst_ns)
			worst_ns = d;
	}
	if (worst_ns > 20000)
		fail_msg("%llu ns off", (unsigned long long)worst_ns);
}

static void test_an_interval_is_within_one_percent(void **state)
{
	uint64_t began_ns = clock_now_ns();
	uint64_t began_monotonic_ns = monotonic_ns();
	double ratio;

	while (monotonic_ns() < began_monotonic_ns + 50000000)
		clock_pause();
	ratio = (double)(clock_now_ns() - began_ns) / (double)(monotonic_ns() - began_monotonic_ns);

	assert_true(ratio > 0.99 && ratio < 1.01);
}

static void *read_for_a_while(void *arg)
{
	uint64_t *went_back = arg;
	uint64_t last_ns = clock_now_ns();
	uint64_t end_ns = last_ns + 300000000;

	while (last_ns < end_ns) {
		uint64_t now_ns = clock_now_ns();

		if (now_ns < last_ns)
			++*went_back;
		last_ns = now_ns;
	}
	return NULL;
}

static void test_never_goes_back_in_any_thread(void **state)
{
	pthread_t thread[READERS];
	uint64_t went_back[READERS] = { 0 };

	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, read_for_a_while, &went_back[i]),
				 0);
	for (int i = 0; i < READERS; i++)
		pthread_join(thread[i], NULL);

	for (int i = 0; i < READERS; i++)
		assert_int_equal(went_back[i], 0);
}

static void test_sleep_ends_at_the_deadline_and_not_before(void **state)
{
	uint64_t deadline_ns = clock_now_ns() + 5000000;

	assert_int_equal(clock_sleep_until_ns(deadline_ns), 0);

	assert_true(clock_now_ns() >= deadline_ns);
}

static void test_sleep_until_the_past_returns_at_once(void **state)
{
	uint64_t began_ns = clock_now_ns();

	assert_int_equal(clock_sleep_until_ns(began_ns - 1), 0);
	assert_int_equal(clock_sleep_until_ns(0), 0);

	assert_true(clock_now_ns() - began_ns < 1000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_follows_the_kernels_clock_through_warm_up_and_redraws),
		cmocka_unit_test(test_an_interval_is_within_one_percent),
		cmocka_unit_test(test_never_goes_back_in_any_thread),
		cmocka_unit_test(test_sleep_ends_at_the_deadline_and_not_before),
		cmocka_unit_test(test_sleep_until_the_past_returns_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
