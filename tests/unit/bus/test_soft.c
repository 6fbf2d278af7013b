// SPDX-License-Identifier: BSD-3-Clause
/*
 * The soft bus with the real software SSD: who makes it work, and when.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/barrier.h"
#include "base/clock.h"
#include "base/counts.h"
#include "base/err.h"
#include "bus/bus.h"
#include "bus/dma.h"
#include "bus/irq.h"
#include "bus/soft.h"
#include "spec/reg.h"
#include "ssd/ssd.h"

#define ENTRIES	   32u
#define MS	   UINT64_C(1000000)
#define CC_ENABLED 0x00460001u

static struct bus *bus;
static struct dma_mem sq, cq, data;
static uint32_t tail;

static void assert_ok(int err)
{
	if (err)
		fail_msg("%d: %s", err, err_text());
}

static void wait_ready(uint32_t ready)
{
	uint64_t until_ns = clock_now_ns() + 20000 * MS;
	uint32_t csts;

	do {
		assert_ok(bus_read32(bus, NVME_REG_CSTS, &csts));
		assert_true(clock_now_ns() < until_ns);
	} while ((csts & 1) != ready);
}

static void enable(void)
{
	assert_ok(bus_write32(bus, NVME_REG_CC, 0));
	wait_ready(0);
	memset(cq.va, 0, cq.len);
	tail = 0;
	assert_ok(bus_write32(bus, NVME_REG_AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1)));
	assert_ok(bus_write64(bus, NVME_REG_ASQ, sq.iova));
	assert_ok(bus_write64(bus, NVME_REG_ACQ, cq.iova));
	assert_ok(bus_write32(bus, NVME_REG_CC, CC_ENABLED));
	wait_ready(1);
}

static void open_sim(const char *addr)
{
	assert_ok(bus_open(&bus, addr));
	assert_ok(dma_alloc(&sq, ENTRIES * 64));
	assert_ok(dma_alloc(&cq, ENTRIES * 16));
	assert_ok(dma_alloc(&data, 4096));
	assert_ok(bus_irq_init(bus, 2));
	enable();
}

static int setup(void **state)
{
	open_sim("sim");
	return 0;
}

static int setup_always(void **state)
{
	open_sim("sim:thread=always,latency=none");
	return 0;
}

static int setup_fast(void **state)
{
	open_sim("sim:latency=none");
	return 0;
}

static int teardown(void **state)
{
	dma_free(&sq);
	dma_free(&cq);
	dma_free(&data);
	bus_close(bus);
	bus = NULL;
	return count_get(COUNT_FDS) || count_get(COUNT_CHUNKS) || count_get(COUNT_THREADS);
}

/* Identify Controller; the doorbell is a plain store, as the driver's. */
static void submit(void)
{
	uint32_t *sqe = (uint32_t *)sq.va + 16 * tail;

	memset(sqe, 0, 64);
	sqe[0] = 0x06 | tail << 16;
	sqe[6] = (uint32_t)data.iova;
	sqe[7] = (uint32_t)(data.iova >> 32);
	sqe[10] = 1;
	tail = (tail + 1) % ENTRIES;
	mmio_write32(bus->doorbells, tail);
}

/* Entries posted on the first lap. */
static unsigned int posted(void)
{
	unsigned int n = 0;

	while (n < ENTRIES) {
		uint32_t dw3 = mmio_read32((uint32_t *)cq.va + 4 * n + 3);

		if (!(dw3 & 1u << 16))
			break;
		n++;
	}
	return n;
}

static void sleep_ms(unsigned int ms)
{
	clock_sleep_until_ns(clock_now_ns() + ms * MS);
}

static bool posted_within_ms(unsigned int n, unsigned int ms)
{
	uint64_t until_ns = clock_now_ns() + ms * MS;

	while (posted() < n && clock_now_ns() < until_ns)
		sleep_ms(1);
	return posted() >= n;
}

static void address_is_kept_as_given(void **state)
{
	assert_string_equal(bus->addr, "sim");
	assert_string_equal(bus->ops->scheme, "sim");
	assert_non_null(soft_ssd(bus));
	assert_non_null(bus->doorbells);
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
	uint64_t until_ns = clock_now_ns() + 1000 * MS;

	submit();
	while (!posted() && clock_now_ns() < until_ns)
		bus_step(bus, clock_now_ns());
	assert_int_equal(posted(), 1);
}

/* The script submits and sleeps: nobody polls, a poll was a moment ago. */
static void the_runner_takes_over_from_a_poller_that_sleeps(void **state)
{
	bus_step(bus, clock_now_ns());
	submit();
	bus_kick(bus);
	assert_true(posted_within_ms(1, 50));
}

static void a_kick_wakes_a_runner_that_is_asleep(void **state)
{
	uint64_t start_ns;

	sleep_ms(30);
	assert_int_equal(__atomic_load_n(&bus->runner_asleep, __ATOMIC_RELAXED), 1);
	start_ns = clock_now_ns();
	submit();
	bus_kick(bus);
	while (!posted() && clock_now_ns() < start_ns + 1000 * MS)
		;
	assert_in_range(clock_now_ns() - start_ns, 0, 100 * MS);
	assert_int_equal(posted(), 1);
}

/* As lost by the race that bus_kick() documents. */
static void a_doorbell_without_a_kick_is_found(void **state)
{
	sleep_ms(30);
	submit();
	assert_true(posted_within_ms(1, 100));
}

static void a_doorbell_by_register_write_needs_no_kick(void **state)
{
	sleep_ms(30);
	submit();
	assert_ok(bus_write32(bus, NVME_REG_DOORBELLS, tail));
	assert_true(posted_within_ms(1, 50));
}

/* A machine that takes the processor away for a while may let it sleep now and then. */
static void a_poller_keeps_the_runner_quiet(void **state)
{
	uint64_t start_ns = clock_now_ns(), now_ns;
	unsigned int polls = 0, asleep = 0;

	while ((now_ns = clock_now_ns()) < start_ns + 60 * MS) {
		bus_step(bus, now_ns);
		if (now_ns < start_ns + 20 * MS)
			continue;
		polls++;
		asleep += __atomic_load_n(&bus->runner_asleep, __ATOMIC_RELAXED);
	}
	assert_in_range(asleep, 0, polls / 2);
}

/* The thread may be there by chance, but not every time. */
static void always_leaves_the_device_to_the_thread(void **state)
{
	unsigned int at_once = 0;

	for (unsigned int i = 0; i < 10; i++) {
		sleep_ms(10);
		submit();
		bus_step(bus, clock_now_ns());
		at_once += posted() == i + 1;
		bus_kick(bus);
		assert_true(posted_within_ms(i + 1, 100));
	}
	assert_in_range(at_once, 0, 5);
}

static void a_poller_alone_serves_a_fast_device_at_once(void **state)
{
	submit();
	bus_step(bus, clock_now_ns());
	bus_step(bus, clock_now_ns());
	assert_int_equal(posted(), 1);
}

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void an_idle_device_costs_under_a_percent(void **state)
{
	uint64_t before_ns;

	sleep_ms(20);
	before_ns = cpu_ns();
	sleep_ms(1000);
	assert_in_range(cpu_ns() - before_ns, 0, 10 * MS);
}

static void an_idle_thread_costs_under_a_percent(void **state)
{
	an_idle_device_costs_under_a_percent(state);
}

static void an_interrupt_wakes_the_waiter(void **state)
{
	submit();
	bus_kick(bus);
	assert_int_equal(bus_irq_wait(bus, 0, clock_now_ns() + 1000 * MS), 1);
	assert_int_equal(posted(), 1);
	assert_int_equal(bus_irq_isset(bus, 0), 1);
	assert_int_equal(bus_irq_clear(bus, 0), 0);
	assert_int_equal(bus_irq_isset(bus, 0), 0);
}

static void an_interrupt_of_the_thread_wakes_the_waiter(void **state)
{
	an_interrupt_wakes_the_waiter(state);
}

static void vectors_do_not_mix(void **state)
{
	submit();
	assert_int_equal(bus_irq_wait(bus, 0, clock_now_ns() + 1000 * MS), 1);
	assert_int_equal(bus_irq_isset(bus, 1), 0);
	assert_int_equal(bus_irq_isset(bus, 2), -EINVAL);
}

static void a_masked_interrupt_stays_pending(void **state)
{
	assert_ok(bus_irq_set_mask(bus, 0, true));
	submit();
	assert_int_equal(bus_irq_wait(bus, 0, clock_now_ns() + 50 * MS), 0);
	assert_int_equal(posted(), 1);
	assert_int_equal(bus_irq_isset(bus, 0), 0);
	assert_ok(bus_irq_set_mask(bus, 0, false));
	assert_int_equal(bus_irq_isset(bus, 0), 1);
}

static void a_wait_ends_in_time(void **state)
{
	uint64_t start_ns = clock_now_ns();

	assert_int_equal(bus_irq_wait(bus, 0, start_ns + 20 * MS), 0);
	assert_in_range(clock_now_ns() - start_ns, 20 * MS, 500 * MS);
}

static void power_off_reads_all_ones(void **state)
{
	uint32_t vs;

	assert_ok(bus->ops->power(bus, false));
	assert_ok(bus_read32(bus, NVME_REG_VS, &vs));
	assert_int_equal(vs, UINT32_MAX);
	assert_int_equal(bus->ops->health(bus), -ENODEV);
	assert_ok(bus->ops->power(bus, true));
	assert_ok(bus->ops->health(bus));
	assert_ok(bus_irq_replay(bus));
	enable();
	submit();
	assert_int_equal(bus_irq_wait(bus, 0, clock_now_ns() + 1000 * MS), 1);
}

static void a_removed_device_is_gone(void **state)
{
	soft_lock(bus);
	ssd_remove(soft_ssd(bus), clock_now_ns());
	soft_unlock(bus);
	assert_int_equal(bus->ops->health(bus), -ENODEV);
	assert_true(bus->ops->power(bus, true) || bus->ops->health(bus));
}

static atomic_bool stop;

static void *hammer(void *arg)
{
	uint32_t csts;

	while (!atomic_load(&stop)) {
		bus_step(bus, clock_now_ns());
		bus_read32(bus, NVME_REG_CSTS, &csts);
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
	for (done = 0; done < ENTRIES - 1; done++) {
		submit();
		assert_true(posted_within_ms(done + 1, 5000));
	}
	atomic_store(&stop, true);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(posted(), ENTRIES - 1);
}

static void devices_share_one_runner(void **state)
{
	struct bus *second;

	assert_ok(bus_open(&second, "sim:size=1G"));
	assert_int_equal(count_get(COUNT_THREADS), 1);
	bus_close(second);
	assert_int_equal(count_get(COUNT_THREADS), 1);
	submit();
	assert_true(posted_within_ms(1, 100));
}

/* The child frees its copy, may open a device of its own, and does not disturb the parent. */
static void a_forked_child_is_on_its_own(void **state)
{
	struct bus *own;
	int status;
	pid_t pid;

	sleep_ms(10);
	pid = fork();
	if (!pid) {
		bus_close(bus);
		if (bus_open(&own, "sim"))
			_exit(1);
		bus_close(own);
		_exit(count_get(COUNT_THREADS) != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	submit();
	assert_int_equal(bus_irq_wait(bus, 0, clock_now_ns() + 1000 * MS), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(address_is_kept_as_given, setup, teardown),
		cmocka_unit_test(an_unknown_option_is_refused_by_name),
		cmocka_unit_test_setup_teardown(whoever_polls_steps_the_device, setup, teardown),
		cmocka_unit_test_setup_teardown(the_runner_takes_over_from_a_poller_that_sleeps,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_kick_wakes_a_runner_that_is_asleep, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_doorbell_without_a_kick_is_found, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_doorbell_by_register_write_needs_no_kick, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_poller_keeps_the_runner_quiet, setup, teardown),
		cmocka_unit_test_setup_teardown(always_leaves_the_device_to_the_thread,
						setup_always, teardown),
		cmocka_unit_test_setup_teardown(a_poller_alone_serves_a_fast_device_at_once,
						setup_fast, teardown),
		cmocka_unit_test_setup_teardown(an_idle_device_costs_under_a_percent, setup,
						teardown),
		cmocka_unit_test_setup_teardown(an_idle_thread_costs_under_a_percent, setup_always,
						teardown),
		cmocka_unit_test_setup_teardown(an_interrupt_wakes_the_waiter, setup, teardown),
		cmocka_unit_test_setup_teardown(an_interrupt_of_the_thread_wakes_the_waiter,
						setup_always, teardown),
		cmocka_unit_test_setup_teardown(vectors_do_not_mix, setup, teardown),
		cmocka_unit_test_setup_teardown(a_masked_interrupt_stays_pending, setup, teardown),
		cmocka_unit_test_setup_teardown(a_wait_ends_in_time, setup, teardown),
		cmocka_unit_test_setup_teardown(power_off_reads_all_ones, setup, teardown),
		cmocka_unit_test_setup_teardown(a_removed_device_is_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(many_threads_may_step_and_read, setup, teardown),
		cmocka_unit_test_setup_teardown(devices_share_one_runner, setup, teardown),
		cmocka_unit_test_setup_teardown(a_forked_child_is_on_its_own, setup, teardown),
	};

	return cmocka_run_group_tests_name("soft", tests, NULL, NULL);
}
