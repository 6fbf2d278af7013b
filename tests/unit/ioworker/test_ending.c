/* SPDX-License-Identifier: BSD-3-Clause */
/* How a worker ends before its time. */
#include "fake_qpair.h"

static struct ioworker_result result_of(const struct ioworker *w)
{
	struct ioworker_result r;

	ioworker_get_result(w, &r);
	return r;
}

static void an_error_stops_and_drains(void **state)
{
	struct ioworker_opts o = fake_options();
	struct ioworker_result r;
	struct ioworker *w;

	fake.fail_at = 21;
	fake.fail_status = NVME_SC_LBA_OUT_OF_RANGE;
	o.io_count = 1000;
	w = fake_whole_run(&o, US);
	r = result_of(w);

	assert_true(r.failed);
	assert_int_equal(r.status, NVME_SC_LBA_OUT_OF_RANGE);
	assert_int_equal(r.fault, IOWORKER_FAULT_NONE);
	assert_int_equal(r.reads, fake.nsent - 1);
	assert_true(fake.nsent < 30);
	assert_int_equal(r.nerrors, 1);
	assert_memory_equal(&ioworker_get_error(w, 0)->record.sqe, &fake.sent[20],
			    sizeof(struct nvme_sqe));
	assert_null(ioworker_get_error(w, 1));
	ioworker_destroy(w);
}

static void a_lost_command_is_a_timeout_of_the_host(void **state)
{
	struct ioworker_opts o = fake_options();
	struct ioworker_result r;
	struct ioworker *w;

	fake.lose_at = 3;
	o.time_ns = 100 * SECOND;
	w = fake_whole_run(&o, MS);
	r = result_of(w);

	assert_int_equal(r.fault, IOWORKER_FAULT_TIMEOUT);
	assert_false(r.failed);
	assert_in_range(r.run_ns, 5 * SECOND, 5 * SECOND + 210 * MS);
	/* All others were waited for. */
	assert_int_equal(r.reads, fake.nsent - 1);
	ioworker_destroy(w);
}

static void a_lost_command_does_not_outlive_the_time_by_much(void **state)
{
	struct ioworker_opts o = fake_options();
	struct ioworker *w;

	fake.lose_at = 3;
	o.time_ns = SECOND;
	w = fake_whole_run(&o, MS);

	assert_int_equal(result_of(w).fault, IOWORKER_FAULT_TIMEOUT);
	assert_in_range(result_of(w).run_ns, 5 * SECOND, 5 * SECOND + 210 * MS);
	ioworker_destroy(w);
}

static void a_driver_that_finds_no_timeout_does_not_hang_it(void **state)
{
	struct ioworker_opts o = fake_options();
	struct ioworker *w;

	o.io_count = 4;
	fake.lose_at = 3;
	assert_int_equal(ioworker_create(&w, &o), 0);
	assert_int_equal(ioworker_open(w, 0), 0);
	/* Steps so far apart that no timeout is noticed in between. */
	fake_run(w, 0, 4 * SECOND);
	ioworker_close(w);

	assert_true(result_of(w).fault == IOWORKER_FAULT_OVERDUE ||
		    result_of(w).fault == IOWORKER_FAULT_TIMEOUT);
	ioworker_destroy(w);
}

static void a_timeout_says_how_many_commands_and_which_was_the_first(void **state)
{
	struct ioworker_opts o = fake_options();
	struct ioworker *w;

	fake.latency_ns = 1000 * SECOND;
	o.io_count = 4;
	w = fake_whole_run(&o, MS);
	assert_string_equal(result_of(w).why,
			    "drive timeout: 5 sec, qpair: 7, cid: 0 and 3 more commands");
	ioworker_destroy(w);

	fake.latency_ns = US;
	fake.nsent = 0;
	fake.lose_at = 3;
	w = fake_whole_run(&o, MS);
	assert_string_equal(result_of(w).why, "drive timeout: 5 sec, qpair: 7, cid: 0");
	ioworker_destroy(w);
}

/* Its last commands are in flight when it is stopped, for longer than anything may take. */
static void a_host_that_did_not_run_is_no_end_of_patience(void **state)
{
	struct ioworker_opts o = fake_options();
	struct ioworker *w;

	fake.patient = true;
	fake.latency_ns = 63 * SECOND;
	o.io_count = 4;
	assert_int_equal(ioworker_create(&w, &o), 0);
	assert_int_equal(ioworker_open(w, 0), 0);
	for (fake.now_ns = 0; fake.now_ns < SECOND; fake.now_ns += 100 * MS)
		assert_int_not_equal(ioworker_step(w, fake.now_ns), IOWORKER_ENDED);
	fake_run(w, 61 * SECOND, 100 * MS);
	ioworker_close(w);

	assert_int_equal(result_of(w).fault, IOWORKER_FAULT_NONE);
	assert_int_equal(result_of(w).reads, 4);
	/* The next look was due at one second. */
	assert_int_equal(result_of(w).frozen_ns, 60 * SECOND);
	ioworker_destroy(w);
}

static void a_host_that_was_busy_is_not_said_to_have_stopped(void **state)
{
	struct ioworker_opts o = fake_options();
	struct ioworker *w;

	fake.patient = true;
	o.time_ns = 20 * SECOND;
	w = fake_whole_run(&o, 5100 * MS); /* the timeout, and the 100 ms to the next look */

	assert_int_equal(result_of(w).frozen_ns, 0);
	ioworker_destroy(w);
}

static void a_reset_ends_it_with_its_counts_and_a_reason(void **state)
{
	struct ioworker_opts o = fake_options();
	struct ioworker_result r;
	struct ioworker *w;

	o.io_count = 1000;
	assert_int_equal(ioworker_create(&w, &o), 0);
	assert_int_equal(ioworker_open(w, 0), 0);
	for (fake.now_ns = 0; fake.now_ns < 100 * US; fake.now_ns += US)
		ioworker_step(w, fake.now_ns);
	fake.refuse = -ESHUTDOWN;
	assert_int_equal(ioworker_step(w, fake.now_ns), IOWORKER_ENDED);
	ioworker_close(w);
	r = result_of(w);

	assert_int_equal(r.reads, fake.nsent - 4);
	assert_true(r.failed);
	assert_int_equal(r.status, NVME_SC_ABORTED_SQ_DELETION);
	assert_string_equal(r.why, "the controller was reset");
	ioworker_destroy(w);
}

static void a_request_to_stop_drains(void **state)
{
	struct ioworker_opts o = fake_options();
	struct ioworker *w;

	o.time_ns = 100 * SECOND;
	assert_int_equal(ioworker_create(&w, &o), 0);
	assert_int_equal(ioworker_open(w, 0), 0);
	for (fake.now_ns = 0; fake.now_ns < 100 * US; fake.now_ns += US)
		ioworker_step(w, fake.now_ns);
	ioworker_stop(w);
	fake_run(w, fake.now_ns, US);
	ioworker_close(w);

	assert_int_equal(result_of(w).reads, fake.nsent);
	assert_false(result_of(w).failed);
	assert_true(fake.now_ns <= 120 * US);
	ioworker_destroy(w);
}

static void no_queue_is_a_failure_to_start(void **state)
{
	struct ioworker_opts o = fake_options();
	struct ioworker *w;

	fake.create_error = -ENOSPC;
	o.io_count = 1;
	assert_int_equal(ioworker_create(&w, &o), 0);

	assert_int_equal(ioworker_open(w, 0), -EIO);
	assert_int_equal(result_of(w).fault, IOWORKER_FAULT_START);
	assert_string_equal(result_of(w).why, "no more queues");
	ioworker_destroy(w);
}

static void exactly_mdts_is_sent(void **state)
{
	static const struct plan_size size = { .nlb = 256, .align = 256, .weight = 1 };
	struct ioworker_opts o = fake_options();
	struct ioworker *w;

	o.plan.sizes = &size;
	o.io_count = 1;
	w = fake_whole_run(&o, US);

	assert_int_equal(result_of(w).reads, 1);
	assert_int_equal(result_of(w).fault, IOWORKER_FAULT_NONE);
	ioworker_destroy(w);
}

static void more_than_mdts_is_not_even_tried(void **state)
{
	static const struct plan_size size = { .nlb = 257, .align = 257, .weight = 1 };
	struct ioworker_opts o = fake_options();
	struct ioworker *w;

	o.plan.sizes = &size;
	o.io_count = 1;
	assert_int_equal(ioworker_create(&w, &o), 0);

	assert_int_equal(ioworker_open(w, 0), -EIO);
	assert_int_equal(result_of(w).fault, IOWORKER_FAULT_SIZE);
	assert_int_equal(fake.created, 0);
	ioworker_destroy(w);
}

static void everything_is_given_back(void **state)
{
	struct ioworker_opts o = fake_options();

	o.io_count = 10;
	ioworker_destroy(fake_whole_run(&o, US));

	assert_int_equal(fake.created, 1);
	assert_int_equal(fake.deleted, 1);
	assert_int_equal(fake.ns.refs, 1);
}

static void a_failure_to_be_looked_at_ends_at_once_and_leaves_the_queue(void **state)
{
	struct ioworker_opts o = fake_options();
	struct ioworker_result r;
	struct ioworker *w;

	fake.fail_at = 21;
	fake.fail_status = NVME_SC_LBA_OUT_OF_RANGE;
	fake.lose_at = 22;
	o.time_ns = 100 * SECOND;
	o.fw_debug = true;
	w = fake_whole_run(&o, US);
	r = result_of(w);

	assert_int_equal(fake.left, 1);
	assert_int_equal(fake.deleted, 0);
	assert_int_equal(r.left_sqid, FAKE_SQID);
	assert_int_equal(r.status, NVME_SC_LBA_OUT_OF_RANGE);
	assert_int_equal(r.nerrors, 1);
	/* Nobody waited for the one that was lost. */
	assert_in_range(r.run_ns, 50 * US, 100 * US);
	ioworker_destroy(w);
}

static void a_timeout_to_be_looked_at_leaves_the_queue(void **state)
{
	struct ioworker_opts o = fake_options();
	struct ioworker *w;

	fake.lose_at = 3;
	o.time_ns = 100 * SECOND;
	o.fw_debug = true;
	w = fake_whole_run(&o, MS);

	assert_int_equal(result_of(w).fault, IOWORKER_FAULT_TIMEOUT);
	assert_int_equal(result_of(w).left_sqid, FAKE_SQID);
	assert_int_equal(fake.deleted, 0);
	ioworker_destroy(w);
}

static void a_good_end_with_fw_debug_deletes_the_queue(void **state)
{
	struct ioworker_opts o = fake_options();
	struct ioworker *w;

	o.io_count = 10;
	o.fw_debug = true;
	w = fake_whole_run(&o, US);

	assert_int_equal(fake.left, 0);
	assert_int_equal(fake.deleted, 1);
	assert_int_equal(result_of(w).left_sqid, 0);
	ioworker_destroy(w);
}

static void a_failure_without_fw_debug_deletes_the_queue(void **state)
{
	struct ioworker_opts o = fake_options();
	struct ioworker *w;

	fake.fail_at = 3;
	fake.fail_status = NVME_SC_LBA_OUT_OF_RANGE;
	o.io_count = 10;
	w = fake_whole_run(&o, US);

	assert_int_equal(fake.left, 0);
	assert_int_equal(fake.deleted, 1);
	assert_int_equal(result_of(w).left_sqid, 0);
	ioworker_destroy(w);
}

/* What nvme_qpair_leave() did, when the queue let the worker in no more. */
static struct ioworker_result lost_with(int leave_error)
{
	struct ioworker_opts o = fake_options();
	struct ioworker_result r;
	struct ioworker *w;

	o.time_ns = 100 * SECOND;
	o.fw_debug = true;
	fake.leave_error = leave_error;
	assert_int_equal(ioworker_create(&w, &o), 0);
	assert_int_equal(ioworker_open(w, 0), 0);
	fake.refuse = -EIO;
	assert_int_equal(ioworker_step(w, US), IOWORKER_ENDED);
	ioworker_close(w);
	r = result_of(w);
	ioworker_destroy(w);
	return r;
}

static void a_queue_that_lets_nobody_in_is_left_if_it_is_still_there(void **state)
{
	assert_int_equal(lost_with(0).left_sqid, FAKE_SQID);
	assert_int_equal(lost_with(-ESHUTDOWN).left_sqid, 0);
	assert_int_equal(fake.left, 2);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup(test, fake_setup)
	const struct CMUnitTest tests[] = {
		T(an_error_stops_and_drains),
		T(a_lost_command_is_a_timeout_of_the_host),
		T(a_lost_command_does_not_outlive_the_time_by_much),
		T(a_driver_that_finds_no_timeout_does_not_hang_it),
		T(a_timeout_says_how_many_commands_and_which_was_the_first),
		T(a_host_that_did_not_run_is_no_end_of_patience),
		T(a_host_that_was_busy_is_not_said_to_have_stopped),
		T(exactly_mdts_is_sent),
		T(a_reset_ends_it_with_its_counts_and_a_reason),
		T(a_request_to_stop_drains),
		T(no_queue_is_a_failure_to_start),
		T(more_than_mdts_is_not_even_tried),
		T(everything_is_given_back),
		T(a_failure_to_be_looked_at_ends_at_once_and_leaves_the_queue),
		T(a_timeout_to_be_looked_at_leaves_the_queue),
		T(a_good_end_with_fw_debug_deletes_the_queue),
		T(a_failure_without_fw_debug_deletes_the_queue),
		T(a_queue_that_lets_nobody_in_is_left_if_it_is_still_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
