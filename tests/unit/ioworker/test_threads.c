/* SPDX-License-Identifier: BSD-3-Clause */
/* Workers with threads, on the software SSD. */
#include "drive.h"
#include "fixture.h"

#include "base/clock.h"
#include "ioworker/ioworker.h"
#include "nvme/ctrl.h"

#define WORKERS 16u
#define HOUR	(3600 * SECOND) /* no test waits for its end */

/* Half reads, half writes, in a region of its own. */
static struct ioworker *started(unsigned int index, uint64_t time_ns, uint64_t io_count)
{
	static const struct plan_size size = { .nlb = 8, .align = 8, .weight = 1 };
	static const struct plan_op ops[] = { { NVME_CMD_READ, 50 }, { NVME_CMD_WRITE, 50 } };
	struct ioworker_opts o = {
		.ns = drive.ns,
		.plan = {
			.sizes = &size,
			.nsizes = 1,
			.ops = ops,
			.nops = 2,
			.region_start = index * 100000,
			.region_end = (index + 1) * 100000,
			.seed = index,
		},
		.time_ns = time_ns,
		.io_count = io_count,
		.qdepth = 16,
		.cpu = -1,
	};
	struct ioworker *w;

	assert_int_equal(ioworker_create(&w, &o), 0);
	assert_int_equal(ioworker_start(w), 0);
	return w;
}

static struct ioworker_result ended(struct ioworker *w)
{
	struct ioworker_result r;

	assert_int_equal(ioworker_join(w, 60 * SECOND), 0);
	ioworker_get_result(w, &r);
	ioworker_destroy(w);
	return r;
}

static void one_worker_does_what_it_is_told(void **state)
{
	struct ioworker_result r = ended(started(0, 0, 5000));

	assert_string_equal(r.why, "");
	assert_false(r.failed);
	assert_int_equal(r.reads + r.writes, 5000);
}

static void sixteen_at_once_all_progress_and_end_on_time(void **state)
{
	struct ioworker *w[WORKERS];

	nvme_config.verify = true;
	for (unsigned int i = 0; i < WORKERS; i++)
		w[i] = started(i, SECOND, 0);
	for (unsigned int i = 0; i < WORKERS; i++) {
		struct ioworker_result r = ended(w[i]);

		assert_string_equal(r.why, "");
		assert_false(r.failed);
		assert_true(r.reads + r.writes > 0);
		assert_in_range(r.run_ns, SECOND, 10 * SECOND);
	}
}

static void wait_for_progress(const struct ioworker *w)
{
	uint64_t until_ns = clock_now_ns() + 30 * SECOND;
	struct ioworker_progress p = { 0 };

	while (!p.ios && clock_now_ns() < until_ns) {
		clock_sleep_until_ns(clock_now_ns() + 10 * MS);
		ioworker_get_progress(w, &p);
	}
}

static void a_reset_ends_all_of_them(void **state)
{
	struct ioworker *w[WORKERS];

	for (unsigned int i = 0; i < WORKERS; i++)
		w[i] = started(i, HOUR, 0);
	for (unsigned int i = 0; i < WORKERS; i++)
		wait_for_progress(w[i]);
	assert_int_equal(nvme_ctrl_reset(drive.ctrl, NVME_RESET_CTRL), 0);
	for (unsigned int i = 0; i < WORKERS; i++) {
		struct ioworker_result r = ended(w[i]);

		assert_true(r.failed);
		assert_int_equal(r.status, NVME_SC_ABORTED_SQ_DELETION);
		assert_true(r.reads + r.writes > 0);
	}
}

static void sixteen_on_a_device_with_a_thread(void **state)
{
	sixteen_at_once_all_progress_and_end_on_time(state);
}

static void stopping_takes_no_time(void **state)
{
	struct ioworker *w = started(0, HOUR, 0);

	wait_for_progress(w);
	ioworker_stop(w);
	assert_false(ended(w).failed);
}

static void progress_can_be_watched(void **state)
{
	struct ioworker *w = started(0, 30 * SECOND, 0);
	struct ioworker_progress p = { 0 };
	uint64_t until_ns = clock_now_ns() + 60 * SECOND;

	while (clock_now_ns() < until_ns && (p.percent < 2 || !p.ios))
		ioworker_get_progress(w, &p);
	assert_true(p.percent >= 2 && p.percent < 100);
	assert_true(p.running);
	assert_true(p.ios > 0);
	ioworker_stop(w);
	ioworker_join(w, 60 * SECOND);
	ioworker_get_progress(w, &p);
	assert_false(p.running);
	ioworker_destroy(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_worker_does_what_it_is_told, drive_open,
						drive_close),
		cmocka_unit_test_setup_teardown(sixteen_at_once_all_progress_and_end_on_time,
						drive_open, drive_close),
		cmocka_unit_test_setup_teardown(a_reset_ends_all_of_them, drive_open, drive_close),
		cmocka_unit_test_setup_teardown(sixteen_on_a_device_with_a_thread,
						drive_open_always, drive_close),
		cmocka_unit_test_setup_teardown(stopping_takes_no_time, drive_open, drive_close),
		cmocka_unit_test_setup_teardown(progress_can_be_watched, drive_open, drive_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
