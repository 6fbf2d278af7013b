// SPDX-License-Identifier: BSD-3-Clause
/*
 * What a software SSD costs that has nothing to do; without sanitizers, which cost more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "soft_fixture.h"

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void an_idle_device_costs_under_a_percent(void **state)
{
	uint64_t before_ns;

	soft_sleep_ms(20);
	before_ns = cpu_ns();
	soft_sleep_ms(1000);
	assert_in_range(cpu_ns() - before_ns, 0, 10 * MS);
}

static void an_idle_thread_costs_under_a_percent(void **state)
{
	an_idle_device_costs_under_a_percent(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_idle_device_costs_under_a_percent, soft_setup,
						soft_teardown),
		cmocka_unit_test_setup_teardown(an_idle_thread_costs_under_a_percent,
						soft_setup_always, soft_teardown),
	};

	return cmocka_run_group_tests_name("soft_idle", tests, NULL, NULL);
}
