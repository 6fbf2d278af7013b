// SPDX-License-Identifier: BSD-3-Clause
/*
 * The soft bus with the real software SSD: who makes it work, and when.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/barrier.h"
#include "base/clock.h"
#include "base/counts.h"
#include "base/err.h"
#include "bus/bus.h"
#include "bus/irq.h"
#include "bus/pci.h"
#include "bus/soft.h"
#include "soft_fixture.h"
#include "spec/pci.h"
#include "spec/reg.h"
#include "ssd/ssd.h"

static void address_is_kept_as_given(void **state)
{
	assert_string_equal(soft_dev->addr, "sim");
	assert_string_equal(soft_dev->ops->scheme, "sim");
	assert_non_null(soft_ssd(soft_dev));
	assert_non_null(soft_dev->doorbells);
}

static void an_unknown_option_is_refused_by_name(void **state)
{
	struct bus *none;

	assert_int_equal(bus_open(&none, "sim:no_such_option=1"), -EINVAL);
	assert_non_null(strstr(err_text(), "no_such_option"));
	assert_int_equal(count_get(COUNT_THREADS), 0);
}

static void whoever_polls_steps_the_device(void **state)
{
	uint64_t until_ns = clock_now_ns() + 60000 * MS;

	soft_submit();
	while (!soft_posted() && clock_now_ns() < until_ns)
		bus_step(soft_dev, clock_now_ns());
	assert_int_equal(soft_posted(), 1);
}

/* The script submits and sleeps: nobody polls, a poll was a moment ago. */
static void the_runner_takes_over_from_a_poller_that_sleeps(void **state)
{
	bus_step(soft_dev, clock_now_ns());
	soft_submit();
	bus_kick(soft_dev);
	assert_true(soft_posted_within_ms(1, 60000));
}

#define ROUNDS 9u

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void wait_until_asleep(void)
{
	uint64_t limit_ns = clock_now_ns() + 60000 * MS;

	while (!__atomic_load_n(&soft_dev->runner_asleep, __ATOMIC_RELAXED))
		assert_true(clock_now_ns() < limit_ns);
}

/* How long completions take when the runner sleeps deeply each time; 0 to 50 ms if unwoken. */
static uint64_t usual_from_deep_sleep_ns(void (*ring)(void))
{
	const unsigned int before = soft_posted();
	uint64_t took_ns[ROUNDS];

	for (unsigned int i = 0; i < ROUNDS; i++) {
		/* each time at another moment of its sleep */
		soft_sleep_ms(150 + i * 50 / ROUNDS);
		wait_until_asleep();
		took_ns[i] = clock_now_ns();
		soft_submit();
		ring();
		assert_true(soft_posted_within_ms(before + i + 1, 60000));
		took_ns[i] = clock_now_ns() - took_ns[i];
	}
	qsort(took_ns, ROUNDS, sizeof(took_ns[0]), by_size);
	return took_ns[ROUNDS / 2];
}

static void kick(void)
{
	bus_kick(soft_dev);
}

static void write_register(void)
{
	soft_assert_ok(bus_write32(soft_dev, NVME_REG_DOORBELLS, soft_tail));
}

/* A busy machine may be late, but not usually, and not every time. */
static void assert_wakes(void (*ring)(void))
{
	for (unsigned int tries = 0; tries < 6; tries++)
		if (usual_from_deep_sleep_ns(ring) < 8 * MS)
			return;
	fail_msg("the runner was late six times");
}

static void a_kick_wakes_a_runner_that_is_asleep(void **state)
{
	assert_wakes(kick);
}

static void a_doorbell_by_register_write_needs_no_kick(void **state)
{
	assert_wakes(write_register);
}

/* By a script that writes to a doorbell of its own mapping. */
static void a_doorbell_without_a_kick_is_found(void **state)
{
	soft_sleep_ms(30);
	soft_submit();
	assert_true(soft_posted_within_ms(1, 60000));
}

static uint64_t cpu_of(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static uint64_t runner_cpu_ns(void)
{
	return cpu_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_of(CLOCK_THREAD_CPUTIME_ID);
}

/* A machine that takes the processor away for a while lets the runner look now and then. */
static bool runner_leaves_poller_alone(void)
{
	uint64_t start_ns = clock_now_ns(), cpu_ns = runner_cpu_ns(), now_ns;
	unsigned int wakes = 0;

	while ((now_ns = clock_now_ns()) < start_ns + 50 * MS) {
		mmio_write32(soft_dev->doorbells, soft_tail);
		wakes += __atomic_load_n(&soft_dev->runner_asleep, __ATOMIC_RELAXED);
		bus_kick(soft_dev);
		bus_step(soft_dev, now_ns);
	}
	return wakes <= 50 && runner_cpu_ns() - cpu_ns < (now_ns - start_ns) / 5;
}

static void who_polls_is_left_alone_by_the_runner(void **state)
{
	for (unsigned int tries = 0; tries < 40; tries++)
		if (runner_leaves_poller_alone())
			return;
	fail_msg("the runner was busy each time");
}

/* By the poller's clock it polls for an hour: however late the runner is, it comes too early. */
static void who_polled_a_moment_ago_is_not_taken_over(void **state)
{
	uint64_t limit_ns = clock_now_ns() + 60000 * MS;

	bus_step(soft_dev, clock_now_ns() + 3600000 * MS);
	soft_sleep_ms(100);
	while (__atomic_load_n(&soft_dev->runner_asleep, __ATOMIC_RELAXED)) {
		assert_true(clock_now_ns() < limit_ns); /* a doorbell would wake the runner */
		soft_sleep_ms(1);
	}
	soft_submit();
	soft_sleep_ms(100);
	assert_int_equal(soft_posted(), 0);
	bus_step(soft_dev, clock_now_ns());
	bus_step(soft_dev, clock_now_ns());
	assert_int_equal(soft_posted(), 1);
}

/* The thread may be there by chance, but not every time. */
static void always_leaves_the_device_to_the_thread(void **state)
{
	unsigned int at_once = 0;

	for (unsigned int i = 0; i < 10; i++) {
		soft_sleep_ms(10);
		soft_submit();
		bus_step(soft_dev, clock_now_ns());
		at_once += soft_posted() == i + 1;
		bus_kick(soft_dev);
		assert_true(soft_posted_within_ms(i + 1, 60000));
	}
	assert_in_range(at_once, 0, 5);
}

static void a_poller_alone_serves_a_fast_device_at_once(void **state)
{
	soft_submit();
	bus_step(soft_dev, clock_now_ns());
	bus_step(soft_dev, clock_now_ns());
	assert_int_equal(soft_posted(), 1);
}

static void an_interrupt_wakes_the_waiter(void **state)
{
	soft_submit();
	bus_kick(soft_dev);
	assert_int_equal(bus_irq_wait(soft_dev, 0, clock_now_ns() + 60000 * MS), 1);
	assert_int_equal(soft_posted(), 1);
	assert_int_equal(bus_irq_isset(soft_dev, 0), 1);
	assert_int_equal(bus_irq_clear(soft_dev, 0), 0);
	assert_int_equal(bus_irq_isset(soft_dev, 0), 0);
}

static void an_interrupt_of_the_thread_wakes_the_waiter(void **state)
{
	an_interrupt_wakes_the_waiter(state);
}

static void vectors_do_not_mix(void **state)
{
	soft_submit();
	assert_int_equal(bus_irq_wait(soft_dev, 0, clock_now_ns() + 60000 * MS), 1);
	assert_int_equal(bus_irq_isset(soft_dev, 1), 0);
	assert_int_equal(bus_irq_isset(soft_dev, 2), -EINVAL);
}

static void a_masked_interrupt_stays_pending(void **state)
{
	soft_assert_ok(bus_irq_set_mask(soft_dev, 0, true));
	soft_submit();
	assert_int_equal(bus_irq_wait(soft_dev, 0, clock_now_ns() + 50 * MS), 0);
	assert_int_equal(soft_posted(), 1);
	assert_int_equal(bus_irq_isset(soft_dev, 0), 0);
	soft_assert_ok(bus_irq_set_mask(soft_dev, 0, false));
	assert_int_equal(bus_irq_isset(soft_dev, 0), 1);
}

/* Not only to our eyes: the device holds it back, and says so in its pending bit array. */
static void masking_is_the_device_s_own(void **state)
{
	int cap = pci_find_cap(soft_dev, PCI_CAP_MSIX);
	uint32_t table, pba, entry, pending;
	uint16_t control;

	soft_assert_ok(pci_read16(soft_dev, (unsigned int)cap + PCI_MSIX_CONTROL, &control));
	assert_true(control & PCI_MSIX_ENABLE);
	soft_assert_ok(pci_read32(soft_dev, (unsigned int)cap + PCI_MSIX_TABLE, &table));
	soft_assert_ok(pci_read32(soft_dev, (unsigned int)cap + PCI_MSIX_PBA, &pba));
	soft_assert_ok(bus_irq_set_mask(soft_dev, 0, true));
	soft_assert_ok(bus_read32(soft_dev, (table & ~PCI_MSIX_BIR_MASK) + 12, &entry));
	assert_int_equal(entry, PCI_MSIX_ENTRY_MASKED);
	soft_submit();
	bus_kick(soft_dev);
	assert_true(soft_posted_within_ms(1, 60000));
	soft_assert_ok(bus_read32(soft_dev, pba & ~PCI_MSIX_BIR_MASK, &pending));
	assert_int_equal(pending, 1);
}

static void assert_enabled_on_the_bus(void)
{
	const uint16_t want = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	uint16_t command;

	soft_assert_ok(pci_read16(soft_dev, PCI_CFG_COMMAND, &command));
	assert_int_equal(command & want, want);
}

static void a_reset_gives_the_command_register_back(void **state)
{
	assert_enabled_on_the_bus();
	soft_assert_ok(soft_dev->ops->reset(soft_dev, BUS_RESET_FLR));
	assert_enabled_on_the_bus();
	soft_assert_ok(soft_dev->ops->reset(soft_dev, BUS_RESET_HOT));
	assert_enabled_on_the_bus();
}

static void a_wait_ends_in_time(void **state)
{
	uint64_t took_ns = UINT64_MAX;

	/* A busy machine may be late, but not every time. */
	for (unsigned int tries = 0; tries < 5 && took_ns > 500 * MS; tries++) {
		uint64_t start_ns = clock_now_ns();

		assert_int_equal(bus_irq_wait(soft_dev, 0, start_ns + 20 * MS), 0);
		took_ns = clock_now_ns() - start_ns;
	}
	assert_in_range(took_ns, 20 * MS, 500 * MS);
}

static void power_off_reads_all_ones(void **state)
{
	uint32_t vs;

	soft_assert_ok(soft_dev->ops->power(soft_dev, false));
	soft_assert_ok(bus_read32(soft_dev, NVME_REG_VS, &vs));
	assert_int_equal(vs, UINT32_MAX);
	assert_int_equal(soft_dev->ops->health(soft_dev), -ENODEV);
	soft_assert_ok(soft_dev->ops->power(soft_dev, true));
	soft_assert_ok(soft_dev->ops->health(soft_dev));
	assert_enabled_on_the_bus();
	soft_assert_ok(bus_irq_replay(soft_dev));
	soft_enable();
	soft_submit();
	assert_int_equal(bus_irq_wait(soft_dev, 0, clock_now_ns() + 60000 * MS), 1);
}

static void a_removed_device_is_gone(void **state)
{
	soft_lock(soft_dev);
	ssd_remove(soft_ssd(soft_dev), clock_now_ns());
	soft_unlock(soft_dev);
	assert_int_equal(soft_dev->ops->health(soft_dev), -ENODEV);
	assert_true(soft_dev->ops->power(soft_dev, true) || soft_dev->ops->health(soft_dev));
}

static atomic_bool stop;

static void *hammer(void *arg)
{
	uint32_t csts;

	while (!atomic_load(&stop)) {
		bus_step(soft_dev, clock_now_ns());
		bus_read32(soft_dev, NVME_REG_CSTS, &csts);
	}
	return NULL;
}

static void many_threads_may_step_and_read(void **state)
{
	pthread_t threads[4];
	unsigned int done;

	atomic_store(&stop, false);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hammer, NULL), 0);
	for (done = 0; done < SOFT_ENTRIES - 1; done++) {
		soft_submit();
		assert_true(soft_posted_within_ms(done + 1, 60000));
	}
	atomic_store(&stop, true);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(soft_posted(), SOFT_ENTRIES - 1);
}

static unsigned int threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	unsigned int n = 0;

	while (readdir(tasks))
		n++;
	closedir(tasks);
	return n - 2; /* . and .. */
}

static void the_last_close_ends_the_thread(void **state)
{
	unsigned int before = threads();
	struct bus *first, *second;

	soft_assert_ok(bus_open(&first, "sim"));
	soft_assert_ok(bus_open(&second, "sim"));
	assert_int_equal(threads(), before + 1);
	bus_close(first);
	assert_int_equal(threads(), before + 1);
	bus_close(second);
	assert_int_equal(threads(), before);
}

static void devices_share_one_runner(void **state)
{
	struct bus *second;

	soft_assert_ok(bus_open(&second, "sim:size=1G"));
	assert_int_equal(count_get(COUNT_THREADS), 1);
	bus_close(second);
	assert_int_equal(count_get(COUNT_THREADS), 1);
	soft_submit();
	assert_true(soft_posted_within_ms(1, 60000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(address_is_kept_as_given, soft_setup,
						soft_teardown),
		cmocka_unit_test(an_unknown_option_is_refused_by_name),
		cmocka_unit_test_setup_teardown(whoever_polls_steps_the_device, soft_setup,
						soft_teardown),
		cmocka_unit_test_setup_teardown(the_runner_takes_over_from_a_poller_that_sleeps,
						soft_setup, soft_teardown),
		cmocka_unit_test_setup_teardown(a_kick_wakes_a_runner_that_is_asleep, soft_setup,
						soft_teardown),
		cmocka_unit_test_setup_teardown(a_doorbell_without_a_kick_is_found, soft_setup,
						soft_teardown),
		cmocka_unit_test_setup_teardown(a_doorbell_by_register_write_needs_no_kick,
						soft_setup, soft_teardown),
		cmocka_unit_test_setup_teardown(who_polls_is_left_alone_by_the_runner, soft_setup,
						soft_teardown),
		cmocka_unit_test_setup_teardown(who_polled_a_moment_ago_is_not_taken_over,
						soft_setup_fast, soft_teardown),
		cmocka_unit_test_setup_teardown(always_leaves_the_device_to_the_thread,
						soft_setup_always, soft_teardown),
		cmocka_unit_test_setup_teardown(a_poller_alone_serves_a_fast_device_at_once,
						soft_setup_fast, soft_teardown),
		cmocka_unit_test_setup_teardown(an_interrupt_wakes_the_waiter, soft_setup,
						soft_teardown),
		cmocka_unit_test_setup_teardown(an_interrupt_of_the_thread_wakes_the_waiter,
						soft_setup_always, soft_teardown),
		cmocka_unit_test_setup_teardown(vectors_do_not_mix, soft_setup, soft_teardown),
		cmocka_unit_test_setup_teardown(a_masked_interrupt_stays_pending, soft_setup,
						soft_teardown),
		cmocka_unit_test_setup_teardown(masking_is_the_device_s_own, soft_setup,
						soft_teardown),
		cmocka_unit_test_setup_teardown(a_reset_gives_the_command_register_back, soft_setup,
						soft_teardown),
		cmocka_unit_test(the_last_close_ends_the_thread),
		cmocka_unit_test_setup_teardown(a_wait_ends_in_time, soft_setup, soft_teardown),
		cmocka_unit_test_setup_teardown(power_off_reads_all_ones, soft_setup,
						soft_teardown),
		cmocka_unit_test_setup_teardown(a_removed_device_is_gone, soft_setup,
						soft_teardown),
		cmocka_unit_test_setup_teardown(many_threads_may_step_and_read, soft_setup,
						soft_teardown),
		cmocka_unit_test_setup_teardown(devices_share_one_runner, soft_setup,
						soft_teardown),
	};

	return cmocka_run_group_tests_name("soft", tests, NULL, NULL);
}
