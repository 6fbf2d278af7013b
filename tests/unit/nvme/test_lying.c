// SPDX-License-Identifier: BSD-3-Clause
/* A device that breaks the rules is an event, never a crash, and the queue goes on. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fixture.h"

static enum fake_verdict wrong_cid(struct fake_ctrl *fake, uint16_t qid, const struct nvme_sqe *sqe,
				   struct nvme_cqe *cqe)
{
	if (qid)
		cqe->cid = 0x1234;
	return FAKE_COMPLETE;
}

static void an_unknown_cid_is_an_event(void **state)
{
	struct fixture *f = *state;
	struct nvme_event ev;

	f->fake->script = wrong_cid;
	fixture_read(f, 0);
	assert_int_equal(fixture_poll(f), 0);
	ev = fixture_event(f);
	f->fake->script = NULL;
	fixture_read(f, 1);

	assert_int_equal(ev.type, NVME_EVENT_UNKNOWN_CID);
	assert_int_equal(ev.cid, 0x1234);
	assert_int_equal(ev.sqid, f->q->sqid);
	assert_int_equal(fixture_poll(f), 1);
}

static enum fake_verdict free_cid(struct fake_ctrl *fake, uint16_t qid, const struct nvme_sqe *sqe,
				  struct nvme_cqe *cqe)
{
	if (qid)
		cqe->cid = (uint16_t)(cqe->cid + 1);
	return FAKE_COMPLETE;
}

static void a_cid_that_is_not_outstanding_is_an_event(void **state)
{
	struct fixture *f = *state;

	f->fake->script = free_cid;
	fixture_read(f, 0);

	assert_int_equal(fixture_poll(f), 0);
	assert_int_equal(fixture_event(f).type, NVME_EVENT_UNKNOWN_CID);
}

static enum fake_verdict wrong_sqid(struct fake_ctrl *fake, uint16_t qid,
				    const struct nvme_sqe *sqe, struct nvme_cqe *cqe)
{
	if (qid)
		cqe->sqid = 77;
	return FAKE_COMPLETE;
}

static void a_wrong_sqid_is_an_event_and_completes_nothing(void **state)
{
	struct fixture *f = *state;

	f->fake->script = wrong_sqid;
	fixture_read(f, 0);

	assert_int_equal(fixture_poll(f), 0);
	assert_int_equal(fixture_event(f).type, NVME_EVENT_WRONG_SQID);
}

static enum fake_verdict wild_head(struct fake_ctrl *fake, uint16_t qid, const struct nvme_sqe *sqe,
				   struct nvme_cqe *cqe)
{
	if (qid)
		cqe->sqhd = 8;
	return FAKE_COMPLETE;
}

static void an_sq_head_beyond_the_ring_is_an_event_but_completes(void **state)
{
	struct fixture *f = *state;

	f->fake->script = wild_head;
	fixture_read(f, 0);

	assert_int_equal(fixture_poll(f), 1);
	assert_int_equal(fixture_event(f).type, NVME_EVENT_BAD_SQHD);
}

static enum fake_verdict twice(struct fake_ctrl *fake, uint16_t qid, const struct nvme_sqe *sqe,
			       struct nvme_cqe *cqe)
{
	return qid ? FAKE_TWICE : FAKE_COMPLETE;
}

static void a_second_completion_is_an_event(void **state)
{
	struct fixture *f = *state;

	f->fake->script = twice;
	fixture_read(f, 0);

	assert_int_equal(fixture_poll(f), 1);
	assert_int_equal(fixture_event(f).type, NVME_EVENT_UNKNOWN_CID);
}

static enum fake_verdict no_phase(struct fake_ctrl *fake, uint16_t qid, const struct nvme_sqe *sqe,
				  struct nvme_cqe *cqe)
{
	return qid ? FAKE_NO_PHASE : FAKE_COMPLETE;
}

static void an_entry_without_its_phase_is_not_there(void **state)
{
	struct fixture *f = *state;

	f->fake->script = no_phase;
	fixture_read(f, 0);

	assert_int_equal(fixture_poll(f), 0);
	fixture_no_event(f);
	f->now_ns += 6 * UINT64_C(1000000000);
	fixture_poll(f);
	f->now_ns += 101 * UINT64_C(1000000);
	fixture_poll(f);
	assert_int_equal(fixture_event(f).type, NVME_EVENT_TIMEOUT);
}

static void a_ring_full_of_ones_ends_the_poll(void **state)
{
	struct fixture *f = *state;
	struct nvme_cqe ones = { UINT32_MAX, UINT32_MAX, 0xffff, 0xffff, 0xffff, 0xffff };
	unsigned int events = 0;
	struct nvme_event ev;

	for (unsigned int i = 0; i < 8; i++)
		fake_post(f->fake, f->q->sqid, ones, true);

	assert_int_equal(fixture_poll(f), 0);
	while (nvme_event_pop(f->ctrl, &ev, NULL))
		events++;
	assert_int_equal(events, 8 + 1); /* and the SQ head of the last */
}

static enum fake_verdict hold_io(struct fake_ctrl *fake, uint16_t qid, const struct nvme_sqe *sqe,
				 struct nvme_cqe *cqe)
{
	return qid ? FAKE_HOLD : FAKE_COMPLETE;
}

static void post(struct fixture *f, uint16_t cid)
{
	fake_post(f->fake, f->q->sqid, (struct nvme_cqe){ .sqid = f->q->sqid, .cid = cid }, true);
}

/* While one command is being completed, the device writes half a ring of nonsense, and the next. */
static void babble(struct nvme_req *req)
{
	struct fixture *f = req->owner;

	for (unsigned int i = 0; i < 4; i++)
		post(f, 0x1234);
	post(f, f->reqs[++f->completed].cid);
}

static void nonsense_that_never_ends_ends_the_poll_after_one_round(void **state)
{
	struct fixture *f = *state;
	unsigned int n;

	f->fake->script = hold_io;
	for (unsigned int i = 0; i < 7; i++)
		fixture_read(f, i)->done = babble;
	fixture_poll(f); /* the device has them all */
	post(f, f->reqs[0].cid);
	assert_int_equal(nvme_qpair_enter(f->q), 0);
	n = nvme_qpair_poll(f->q, UINT32_MAX, f->now_ns);
	nvme_qpair_exit(f->q);

	assert_int_equal(n, 2);
	/* the others are not lost */
	assert_int_equal(fixture_poll(f), 5);
}

static void a_storm_of_events_is_counted_not_kept(void **state)
{
	struct fixture *f = *state;
	struct nvme_event ev = { .type = NVME_EVENT_UNKNOWN_CID };
	unsigned int kept = 0;
	uint64_t lost = 0;

	for (unsigned int i = 0; i < 10000; i++)
		nvme_event_push(f->ctrl, &ev);
	assert_int_equal(nvme_event_pop(f->ctrl, &ev, &lost), 1);
	for (kept = 1; nvme_event_pop(f->ctrl, &ev, NULL); kept++)
		;

	assert_int_equal(kept + lost, 10000);
	assert_true(lost > 0);
}

static void a_fatal_status_is_an_event_and_bars_commands(void **state)
{
	struct fixture *f = *state;

	f->fake->csts |= NVME_SET(1, CSTS_CFS);
	f->now_ns += UINT64_C(1000000000);
	nvme_qpair_enter(f->q);
	nvme_qpair_poll(f->q, 1, f->now_ns);
	nvme_qpair_exit(f->q);

	assert_int_equal(fixture_event(f).type, NVME_EVENT_FATAL);
	assert_int_equal(nvme_qpair_enter(f->q), -EIO);
	assert_int_equal(nvme_admin_poll(f->ctrl, f->now_ns), -EIO);
	fixture_no_event(f);
	assert_int_equal(nvme_ctrl_reset(f->ctrl, NVME_RESET_CTRL), 0);
	assert_int_equal(nvme_ctrl_check(f->ctrl), 0);
}

static void a_vanished_device_is_an_event_and_ends_waits(void **state)
{
	struct fixture *f = *state;
	struct nvme_req req = { 0 };
	static const uint32_t none[6];

	f->fake->gone = true;
	nvme_cmd_raw(&req, NVME_ADMIN_KEEP_ALIVE, 0, NULL, 0, none);

	assert_int_equal(nvme_admin_exec(f->ctrl, &req, 3000), -ENODEV);
	assert_int_equal(fixture_event(f).type, NVME_EVENT_GONE);
	assert_int_equal(nvme_qpair_enter(f->q), -ENODEV);
}

static void health_is_looked_at_a_hundred_times_a_second(void **state)
{
	struct fixture *f = *state;
	struct nvme_qpair *other = NULL;
	unsigned int before;

	assert_int_equal(nvme_qpair_create(f->ctrl, 8, 0, 0, &other), 0);
	before = f->fake->csts_reads;
	for (unsigned int i = 0; i < 10000; i++) {
		f->now_ns += 100000;
		nvme_qpair_poll(f->q, 1, f->now_ns);
		nvme_qpair_poll(other, 1, f->now_ns);
	}

	assert_in_range(f->fake->csts_reads - before, 95, 101);
	nvme_qpair_delete(other);
}

static void a_busy_queue_is_not_asked_for_its_health(void **state)
{
	struct fixture *f = *state;
	unsigned int before = f->fake->csts_reads;

	for (unsigned int i = 0; i < 100; i++) {
		f->now_ns += 20000000;
		fixture_read(f, i);
		assert_int_equal(nvme_qpair_poll(f->q, UINT32_MAX, f->now_ns), 1);
	}

	assert_int_equal(f->fake->csts_reads, before);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)
	const struct CMUnitTest tests[] = {
		T(an_unknown_cid_is_an_event),
		T(a_cid_that_is_not_outstanding_is_an_event),
		T(a_wrong_sqid_is_an_event_and_completes_nothing),
		T(an_sq_head_beyond_the_ring_is_an_event_but_completes),
		T(a_second_completion_is_an_event),
		T(an_entry_without_its_phase_is_not_there),
		T(a_ring_full_of_ones_ends_the_poll),
		T(nonsense_that_never_ends_ends_the_poll_after_one_round),
		T(a_storm_of_events_is_counted_not_kept),
		T(a_fatal_status_is_an_event_and_bars_commands),
		T(health_is_looked_at_a_hundred_times_a_second),
		T(a_busy_queue_is_not_asked_for_its_health),
		T(a_vanished_device_is_an_event_and_ends_waits),
	};

	return cmocka_run_group_tests_name("nvme/lying", tests, NULL, NULL);
}
