// SPDX-License-Identifier: BSD-3-Clause
/* When a device is late, and when it is the host that was not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "fixture.h"
#include "nvme/time.h"

#define MS     UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)

static enum fake_verdict hold_all(struct fake_ctrl *fake, uint16_t qid, const struct nvme_sqe *sqe,
				  struct nvme_cqe *cqe)
{
	return qid ? FAKE_HOLD : FAKE_COMPLETE;
}

/* Commands submitted from now on have this timeout. */
static void set_timeout(struct fixture *f, uint32_t ms)
{
	nvme_timeout_set(f->ctrl, ms);
	f->now_ns = clock_now_ns();
}

/* Polls as often as somebody who waits. */
static void wait_ms(struct fixture *f, uint64_t ms)
{
	for (uint64_t i = 0; i < ms; i += 10) {
		f->now_ns += 10 * MS;
		fixture_poll(f);
	}
}

static void the_timeout_is_the_controllers(void **state)
{
	struct fixture *f = *state;

	set_timeout(f, 300);
	f->fake->script = hold_all;
	fixture_read(f, 0);
	wait_ms(f, 300);
	fixture_no_event(f);
	wait_ms(f, 110);

	assert_int_equal(fixture_event(f).timeout_ms, 300);
}

static void a_command_keeps_the_timeout_it_was_sent_under(void **state)
{
	struct fixture *f = *state;
	struct nvme_event ev;

	f->fake->script = hold_all;
	set_timeout(f, 2000);
	fixture_read(f, 0);
	set_timeout(f, 200);
	fixture_read(f, 1);
	set_timeout(f, 60000);
	fixture_read(f, 2);
	wait_ms(f, 500);
	ev = fixture_event(f);
	assert_int_equal(ev.timeout_ms, 200);
	assert_int_equal(ev.cid, f->reqs[1].cid);
	fixture_no_event(f);

	wait_ms(f, 1600);
	ev = fixture_event(f);
	assert_int_equal(ev.timeout_ms, 2000);
	assert_int_equal(ev.cid, f->reqs[0].cid);
	fixture_no_event(f);
}

static void the_last_few_changes_of_the_timeout_are_known(void **state)
{
	struct fixture *f = *state;
	uint64_t when[2 * NVME_TIMEOUTS];

	for (uint32_t i = 0; i < 2 * NVME_TIMEOUTS; i++) {
		set_timeout(f, 1000 + i);
		when[i] = f->now_ns;
		/* The clock has to move for a change to be told from the next one. */
		while (clock_now_ns() <= f->now_ns)
			;
	}

	for (uint32_t i = NVME_TIMEOUTS; i < 2 * NVME_TIMEOUTS; i++)
		assert_int_equal(nvme_timeout_ms(f->ctrl, when[i]), 1000 + i);
	assert_int_equal(nvme_timeout_ms(f->ctrl, when[0]), 1000 + NVME_TIMEOUTS);
	assert_int_equal(nvme_timeout_shortest_ms(f->ctrl), 1000 + NVME_TIMEOUTS);
}

/* A host that was stopped finds what the device, or its model, had no occasion to show. */
static void after_a_gap_there_is_a_second_look_before_anything_is_late(void **state)
{
	struct fixture *f = *state;

	f->fake->script = hold_all;
	fixture_read(f, 0);
	wait_ms(f, 1000);
	f->now_ns += 7 * SECOND;
	fixture_poll(f);
	fixture_no_event(f);
	fake_complete_held(f->fake, 0);
	wait_ms(f, 200);

	fixture_no_event(f);
	assert_int_equal(f->completed, 1);
}

static void what_is_not_there_after_the_second_look_is_late(void **state)
{
	struct fixture *f = *state;

	f->fake->script = hold_all;
	fixture_read(f, 0);
	f->now_ns += 7 * SECOND;
	fixture_poll(f);
	wait_ms(f, 110);

	assert_int_equal(fixture_event(f).type, NVME_EVENT_TIMEOUT);
}

/* A look at the queue that takes nothing. */
static void look(struct fixture *f)
{
	assert_int_equal(nvme_qpair_enter(f->q), 0);
	assert_int_equal(nvme_qpair_poll(f->q, 0, f->now_ns), 0);
	nvme_qpair_exit(f->q);
}

/* Somebody who takes one at a time leaves the others in the ring. */
static void a_completion_that_nobody_reaped_is_not_late(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < 5; i++) /* the ring turns in the middle of the next ones */
		fixture_read(f, i);
	assert_int_equal(fixture_poll(f), 5);
	for (unsigned int i = 0; i < 6; i++)
		fixture_read(f, i);
	look(f);
	f->fake->script = hold_all;
	fixture_read(f, 6);
	for (unsigned int i = 0; i < 700; i++) {
		f->now_ns += 10 * MS;
		look(f);
	}

	assert_int_equal(fixture_event(f).cid, f->reqs[6].cid);
	fixture_no_event(f);
	assert_int_equal(fixture_poll(f), 6);
}

static void a_quiet_command_is_late_without_an_event(void **state)
{
	struct fixture *f = *state;
	struct nvme_req *req;

	f->fake->script = hold_all;
	req = fixture_read(f, 0);
	req->flags |= NVME_REQ_QUIET;
	wait_ms(f, 5200);

	fixture_no_event(f);
	assert_true(req->flags & NVME_REQ_LATE);
}

static void a_deadline_passes_after_its_time(void **state)
{
	struct nvme_deadline d;

	nvme_deadline_init(&d, 5 * SECOND, 300 * MS);

	assert_false(nvme_deadline_passed(&d, 5 * SECOND + 300 * MS));
	assert_true(nvme_deadline_passed(&d, 5 * SECOND + 300 * MS + 1));
}

static void a_host_that_did_not_run_brings_no_deadline_about(void **state)
{
	struct nvme_deadline d;

	nvme_deadline_init(&d, 0, 3 * SECOND);
	assert_false(nvme_deadline_passed(&d, SECOND));
	assert_false(nvme_deadline_passed(&d, 60 * SECOND));
	assert_false(nvme_deadline_passed(&d, 61 * SECOND));
	assert_true(nvme_deadline_passed(&d, 61 * SECOND + 1));
	/* Not for ever, should the clock be mad. */
	for (unsigned int i = 0; i < 200; i++)
		nvme_deadline_passed(&d, (100 + 10 * i) * SECOND);
	assert_true(nvme_deadline_passed(&d, 10000 * SECOND));
}

#define T(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_timeout_is_the_controllers),
		T(a_command_keeps_the_timeout_it_was_sent_under),
		T(the_last_few_changes_of_the_timeout_are_known),
		T(after_a_gap_there_is_a_second_look_before_anything_is_late),
		T(what_is_not_there_after_the_second_look_is_late),
		T(a_completion_that_nobody_reaped_is_not_late),
		T(a_quiet_command_is_late_without_an_event),
		cmocka_unit_test(a_deadline_passes_after_its_time),
		cmocka_unit_test(a_host_that_did_not_run_brings_no_deadline_about),
	};

	return cmocka_run_group_tests_name("nvme/timeouts", tests, NULL, NULL);
}
