#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <pthread.h>
#include <time.h>

#include "base/clock.h"

#define READERS	   3
#define READING_NS 450000000 /* the warm-up and the first four redraws */

/* What a thread saw that read the clock all the time from its first use on. */
struct reader {
	pthread_t thread;
	uint64_t went_back;
	uint64_t worst_ns; /* outside the readings of the kernel's clock before and after */
};

static struct reader readers[READERS];

static uint64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static uint64_t distance_ns(uint64_t before_ns, uint64_t now_ns, uint64_t after_ns)
{
	if (now_ns < before_ns)
		return before_ns - now_ns;
	return now_ns > after_ns ? now_ns - after_ns : 0;
}

static void *read_for_a_while(void *arg)
{
	struct reader *reader = arg;
	uint64_t before_ns = monotonic_ns();
	uint64_t end_ns = before_ns + READING_NS;
	uint64_t last_ns = 0;

	while (before_ns < end_ns) {
		uint64_t now_ns = clock_now_ns();
		uint64_t after_ns = monotonic_ns();
		uint64_t d = distance_ns(before_ns, now_ns, after_ns);

		if (now_ns < last_ns)
			reader->went_back++;
		if (d > reader->worst_ns)
			reader->worst_ns = d;
		last_ns = now_ns;
		before_ns = after_ns;
	}
	return NULL;
}

static int read_in_threads(void **state)
{
	for (int i = 0; i < READERS; i++) {
		if (pthread_create(&readers[i].thread, NULL, read_for_a_while, &readers[i]))
			return -1;
	}
	for (int i = 0; i < READERS; i++)
		pthread_join(readers[i].thread, NULL);
	return 0;
}

static void test_never_goes_back_in_any_thread(void **state)
{
	for (int i = 0; i < READERS; i++)
		assert_int_equal(readers[i].went_back, 0);
}

static void test_stays_within_microseconds_of_the_kernels_clock(void **state)
{
	for (int i = 0; i < READERS; i++)
		assert_in_range(readers[i].worst_ns, 0, 20000);
}

static bool has_line_with(const char *path, const char *text)
{
	char line[8192] = "";
	FILE *file = fopen(path, "re");
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = strstr(line, text) != NULL;
	if (file)
		fclose(file);
	return found;
}

/* Reading it costs a few nanoseconds, and a call of the kernel's clock ten times as much. */
static void test_the_processors_counter_is_used_where_the_kernel_uses_it(void **state)
{
	const char *source = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
	bool trusted =
		has_line_with(source, "arch_sys_counter") ||
		(has_line_with(source, "tsc") && has_line_with("/proc/cpuinfo", " nonstop_tsc"));

	assert_int_equal(clock_scaled(), trusted);
}

/* The kernel's clock is steered all the time: no line through it is right for long. */
static void test_the_line_is_drawn_anew_while_the_clock_is_read(void **state)
{
	if (clock_scaled())
		assert_true(clock_scale.seq >= 5);
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
		cmocka_unit_test(test_never_goes_back_in_any_thread),
		cmocka_unit_test(test_stays_within_microseconds_of_the_kernels_clock),
		cmocka_unit_test(test_the_processors_counter_is_used_where_the_kernel_uses_it),
		cmocka_unit_test(test_the_line_is_drawn_anew_while_the_clock_is_read),
		cmocka_unit_test(test_sleep_ends_at_the_deadline_and_not_before),
		cmocka_unit_test(test_sleep_until_the_past_returns_at_once),
	};

	return cmocka_run_group_tests(tests, read_in_threads, NULL);
}
