// SPDX-License-Identifier: BSD-3-Clause
/*
 * Emulated masking over eventfds, as on a bus whose hardware mask is out of reach.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/counts.h"
#include "base/err.h"
#include "bus/irq.h"
#include "fake_bus.h"

#define MS UINT64_C(1000000)

static struct fake_bus fake;
static struct bus *const bus = &fake.bus;

static int setup(void **state)
{
	fake_bus_init(&fake);
	return bus_irq_init(bus, 4);
}

static int teardown(void **state)
{
	bus_irq_fini(bus);
	return (int)count_get(COUNT_FDS);
}

static void fire(unsigned int vector)
{
	uint64_t one = 1;

	assert_int_equal(write(fake.irq_fds[vector], &one, sizeof(one)), sizeof(one));
}

static void no_more_vectors_than_the_function_has(void **state)
{
	assert_int_equal(bus->nvectors, 4);
	bus_irq_fini(bus);
	assert_int_equal(bus->nvectors, 0);
	assert_int_equal(bus_irq_init(bus, 100), 0);
	assert_int_equal(bus->nvectors, 8);
	assert_int_equal(fake.irqs, 8);
}

static void a_vector_is_set_until_cleared(void **state)
{
	assert_int_equal(bus_irq_isset(bus, 1), 0);
	fire(1);
	assert_int_equal(bus_irq_isset(bus, 1), 1);
	assert_int_equal(bus_irq_isset(bus, 1), 1);
	assert_int_equal(bus_irq_isset(bus, 0), 0);
	assert_int_equal(bus_irq_clear(bus, 1), 0);
	assert_int_equal(bus_irq_isset(bus, 1), 0);
}

static void a_vector_that_is_not_there_is_refused(void **state)
{
	assert_int_equal(bus_irq_isset(bus, 4), -EINVAL);
	assert_int_equal(bus_irq_clear(bus, 4), -EINVAL);
	assert_int_equal(bus_irq_set_mask(bus, 4, true), -EINVAL);
	assert_int_equal(bus_irq_wait(bus, 4, 0), -EINVAL);
	assert_non_null(strstr(err_text(), "vector 4"));
}

static void what_fires_behind_the_mask_shows_at_unmask(void **state)
{
	assert_int_equal(bus_irq_set_mask(bus, 2, true), 0);
	fire(2);
	assert_int_equal(bus_irq_isset(bus, 2), 0);
	assert_int_equal(bus_irq_clear(bus, 2), 0); /* clears what was seen, not what is pending */
	assert_int_equal(bus_irq_wait(bus, 2, clock_now_ns() + 5 * MS), 0);
	assert_int_equal(bus_irq_set_mask(bus, 2, false), 0);
	assert_int_equal(bus_irq_isset(bus, 2), 1);
}

static void what_fired_before_the_mask_is_no_news_at_unmask(void **state)
{
	fire(2);
	assert_int_equal(bus_irq_set_mask(bus, 2, true), 0);
	assert_int_equal(bus_irq_isset(bus, 2), 0);
	assert_int_equal(bus_irq_clear(bus, 2), 0);
	assert_int_equal(bus_irq_set_mask(bus, 2, false), 0);
	assert_int_equal(bus_irq_isset(bus, 2), 0);
}

static void a_replay_starts_afresh(void **state)
{
	fire(0);
	fire(2);
	assert_int_equal(bus_irq_isset(bus, 2), 1);
	assert_int_equal(bus_irq_set_mask(bus, 1, true), 0);
	fake.irqs = 0;
	assert_int_equal(bus_irq_replay(bus), 0);
	assert_int_equal(fake.irqs, 4);
	assert_int_equal(bus_irq_isset(bus, 0), 0);
	assert_int_equal(bus_irq_isset(bus, 2), 0);
	fire(1);
	assert_int_equal(bus_irq_isset(bus, 1), 1);
}

static void *fire_later(void *arg)
{
	clock_sleep_until_ns(clock_now_ns() + 20 * MS);
	fire(3);
	return NULL;
}

static void a_waiter_is_woken(void **state)
{
	uint64_t start_ns = clock_now_ns();
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, fire_later, NULL), 0);
	assert_int_equal(bus_irq_wait(bus, 3, start_ns + 3600000 * MS), 1);
	pthread_join(thread, NULL);
}

static void a_wait_ends_in_time(void **state)
{
	uint64_t start_ns = clock_now_ns();

	assert_int_equal(bus_irq_wait(bus, 0, start_ns + 10 * MS), 0);
	assert_true(clock_now_ns() - start_ns >= 10 * MS);
}

static void nothing(int sig)
{
}

static void a_signal_ends_a_wait(void **state)
{
	struct sigaction action = { .sa_handler = nothing };

	sigaction(SIGALRM, &action, NULL);
	ualarm(20000, 20000); /* again and again: the first may come before the wait */
	assert_int_equal(bus_irq_wait(bus, 0, clock_now_ns() + 10000 * MS), -EINTR);
	ualarm(0, 0);
}

/* INTx masks itself when it fires: clearing it opens the line again. */
static void clearing_intx_unmasks_it(void **state)
{
	bus->irq_kind = BUS_IRQ_INTX;
	fire(0);
	assert_int_equal(bus_irq_isset(bus, 0), 1);
	assert_int_equal(fake.unmasks, 0);
	assert_int_equal(bus_irq_clear(bus, 0), 0);
	assert_int_equal(fake.unmasks, 1);
}

/* The limit of open files is at vector 3. */
static void too_few_descriptors_leave_no_vector_behind(void **state)
{
	struct rlimit before, tight;
	int err;

	bus_irq_fini(bus);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	tight = before;
	tight.rlim_cur = (rlim_t)dup(0);
	close((int)tight.rlim_cur);
	tight.rlim_cur += 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	err = bus_irq_init(bus, 8);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);

	assert_int_equal(err, -EMFILE);
	assert_non_null(strstr(err_text(), "interrupt vector 3"));
	assert_int_equal(bus->nvectors, 0);
	assert_int_equal(count_get(COUNT_FDS), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_more_vectors_than_the_function_has, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_vector_is_set_until_cleared, setup, teardown),
		cmocka_unit_test_setup_teardown(a_vector_that_is_not_there_is_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_fires_behind_the_mask_shows_at_unmask, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_fired_before_the_mask_is_no_news_at_unmask,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_replay_starts_afresh, setup, teardown),
		cmocka_unit_test_setup_teardown(a_waiter_is_woken, setup, teardown),
		cmocka_unit_test_setup_teardown(a_wait_ends_in_time, setup, teardown),
		cmocka_unit_test_setup_teardown(a_signal_ends_a_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(clearing_intx_unmasks_it, setup, teardown),
		cmocka_unit_test_setup_teardown(too_few_descriptors_leave_no_vector_behind, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("irq", tests, NULL, NULL);
}
