// SPDX-License-Identifier: BSD-3-Clause
/*
 * The soft bus across fork; ThreadSanitizer knows no threads after fork.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/counts.h"
#include "bus/bus.h"
#include "bus/irq.h"
#include "soft_fixture.h"

/* The child frees its copy, may open a device of its own, and does not disturb the parent. */
static void a_forked_child_is_on_its_own(void **state)
{
	struct bus *own;
	int status;
	pid_t pid;

	soft_sleep_ms(10);
	pid = fork();
	if (!pid) {
		bus_close(soft_dev);
		if (bus_open(&own, "sim"))
			_exit(1);
		bus_close(own);
		_exit(count_get(COUNT_THREADS) != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	soft_submit();
	assert_int_equal(bus_irq_wait(soft_dev, 0, clock_now_ns() + 60000 * MS), 1);
}

/* Each child gets the device as it is between two commands, whatever the runner is doing. */
static void a_device_at_work_is_copied_whole(void **state)
{
	for (unsigned int i = 1; i < SOFT_ENTRIES; i++) {
		int status;
		pid_t pid;

		soft_submit();
		bus_kick(soft_dev);
		pid = fork();
		if (!pid) {
			bus_close(soft_dev);
			_exit(count_get(COUNT_BUSES) != 0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		assert_true(soft_posted_within_ms(i, 1000));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_forked_child_is_on_its_own, soft_setup,
						soft_teardown),
		cmocka_unit_test_setup_teardown(a_device_at_work_is_copied_whole, soft_setup_fast,
						soft_teardown),
	};

	return cmocka_run_group_tests_name("soft_fork", tests, NULL, NULL);
}
