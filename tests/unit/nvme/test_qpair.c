// SPDX-License-Identifier: BSD-3-Clause
/* Rings, CIDs, the software queue and timeouts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "fixture.h"
#include "sim_fixture.h"

static void a_read_completes_with_its_latency(void **state)
{
	struct fixture *f = *state;
	struct nvme_req *req = fixture_read(f, 0);

	f->now_ns += 1234;
	assert_int_equal(fixture_poll(f), 1);

	assert_ptr_equal(f->last, req);
	assert_int_equal(nvme_req_status(req), 0);
	assert_int_equal(req->latency_ns, 1234);
}

static void rings_wrap_many_times(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < 1000; i++) {
		fixture_read(f, i % 7);
		assert_int_equal(fixture_poll(f), 1);
		assert_int_equal(f->fake->last.cdw10, i % 7);
	}

	assert_int_equal(f->completed, 1000);
	fixture_no_event(f);
}

static void more_than_the_ring_holds_waits_in_order(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < 100; i++)
		fixture_read(f, i);
	assert_int_equal(f->q->inflight, 7);
	assert_int_equal(nvme_qpair_outstanding(f->q), 100);

	assert_int_equal(fixture_poll(f), 100);

	assert_int_equal(f->fake->last.cdw10, 99);
	assert_int_equal(nvme_qpair_outstanding(f->q), 0);
}

/* Neither its latency nor its timeout has begun while it waits for a place in the ring. */
static void the_time_of_a_command_begins_when_the_device_can_see_it(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < 8; i++)
		fixture_read(f, i);
	f->now_ns += 1000;
	assert_int_equal(fixture_poll(f), 8);

	assert_int_equal(f->reqs[6].latency_ns, 1000);
	assert_int_equal(f->reqs[7].submit_ns, f->now_ns);
	assert_int_equal(f->reqs[7].latency_ns, 0);
}

static void count_one(struct nvme_req *req)
{
	++*(unsigned int *)req->owner;
}

static enum fake_verdict hold_all(struct fake_ctrl *fake, uint16_t qid, const struct nvme_sqe *sqe,
				  struct nvme_cqe *cqe)
{
	return qid ? FAKE_HOLD : FAKE_COMPLETE;
}

static void cids_in_flight_are_unique(void **state)
{
	struct fixture *f = *state;
	uint64_t seen = 0;

	f->fake->script = hold_all;
	for (unsigned int i = 0; i < 7; i++) {
		fixture_read(f, i);
		assert_true(f->reqs[i].cid < 7);
		seen |= 1u << f->reqs[i].cid;
	}
	fixture_poll(f);

	assert_int_equal(seen, 0x7f);
	assert_int_equal(f->fake->nheld, 4 + 7); /* and the AERs */
}

static void a_cid_rests_as_long_as_it_can(void **state)
{
	struct fixture *f = *state;
	uint16_t first;

	first = fixture_read(f, 0)->cid;
	fixture_poll(f);
	for (unsigned int i = 1; i < 7; i++) {
		assert_int_not_equal(fixture_read(f, i)->cid, first);
		fixture_poll(f);
	}

	assert_int_equal(fixture_read(f, 7)->cid, first);
}

static void poll_reaps_no_more_than_asked(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < 5; i++)
		fixture_read(f, i);
	nvme_qpair_enter(f->q);
	assert_int_equal(nvme_qpair_poll(f->q, 2, f->now_ns), 2);
	assert_int_equal(nvme_qpair_poll(f->q, 2, f->now_ns), 2);
	assert_int_equal(nvme_qpair_poll(f->q, 2, f->now_ns), 1);
	nvme_qpair_exit(f->q);
}

static void a_batch_is_invisible_until_it_is_rung(void **state)
{
	struct fixture *f = *state;
	const uint32_t *doorbell = &f->fake->doorbells[2 * f->q->sqid];

	fixture_read(f, 0);
	fixture_poll(f);
	nvme_qpair_enter(f->q);
	for (unsigned int i = 1; i < 4; i++) {
		f->reqs[i] = f->reqs[0];
		nvme_qpair_submit(f->q, &f->reqs[i], f->now_ns);
	}
	assert_int_equal(*doorbell, 1);
	nvme_qpair_ring(f->q);
	assert_int_equal(*doorbell, 4);
	nvme_qpair_exit(f->q);

	assert_int_equal(fixture_poll(f), 3);
}

static void a_command_is_reported_late_once(void **state)
{
	struct fixture *f = *state;
	struct nvme_req *req;
	struct nvme_event ev;

	f->fake->script = hold_all;
	req = fixture_read(f, 3);
	f->now_ns += 4999 * UINT64_C(1000000);
	fixture_poll(f);
	fixture_no_event(f);

	f->now_ns += 200 * UINT64_C(1000000);
	fixture_poll(f);
	ev = fixture_event(f);
	f->now_ns += 9000 * UINT64_C(1000000);
	fixture_poll(f);

	fixture_no_event(f);
	assert_int_equal(ev.type, NVME_EVENT_TIMEOUT);
	assert_int_equal(ev.sqid, f->q->sqid);
	assert_int_equal(ev.cid, req->cid);
	assert_int_equal(ev.timeout_ms, 5000);
	assert_int_equal(ev.sqe.opc, NVME_CMD_READ);
}

static void a_posted_completion_is_never_late(void **state)
{
	struct fixture *f = *state;

	fixture_read(f, 0);
	f->now_ns += 60 * UINT64_C(1000000000);

	assert_int_equal(fixture_poll(f), 1);

	fixture_no_event(f);
}

static void data_outside_the_pool_completes_as_transfer_error(void **state)
{
	struct fixture *f = *state;
	static uint32_t outside[128];

	nvme_cmd_rw(&f->reqs[0], f->ns, NVME_CMD_READ, outside, 0, 1, 0);
	f->reqs[0].done = fixture_read(f, 1)->done;
	f->reqs[0].owner = f;
	fixture_poll(f);
	nvme_qpair_enter(f->q);
	nvme_qpair_submit(f->q, &f->reqs[0], f->now_ns);
	nvme_qpair_exit(f->q);

	assert_int_equal(f->completed, 2);
	assert_int_equal(nvme_req_status(&f->reqs[0]), NVME_SC_DATA_TRANSFER_ERROR);
	assert_true(f->reqs[0].flags & NVME_REQ_SYNTHETIC);
	assert_int_equal(nvme_qpair_outstanding(f->q), 0);
}

static void unaligned_data_completes_as_invalid_offset(void **state)
{
	struct fixture *f = *state;
	struct nvme_req *req = &f->reqs[0];

	nvme_cmd_rw(req, f->ns, NVME_CMD_READ, (uint8_t *)f->mem.va + 2, 0, 1, 0);
	req->done = fixture_read(f, 1)->done;
	req->owner = f;
	fixture_poll(f);
	nvme_qpair_enter(f->q);
	nvme_qpair_submit(f->q, req, f->now_ns);
	nvme_qpair_exit(f->q);

	assert_int_equal(nvme_req_status(req), NVME_SC_PRP_INVALID_OFFSET);
}

static void deletion_completes_what_is_outstanding_and_waiting(void **state)
{
	struct fixture *f = *state;

	f->fake->script = hold_all;
	for (unsigned int i = 0; i < 20; i++)
		fixture_read(f, i);
	assert_int_equal(nvme_qpair_delete(f->q), 0);
	f->q = NULL;

	assert_int_equal(f->completed, 20);
	for (unsigned int i = 0; i < 20; i++) {
		assert_int_equal(nvme_req_status(&f->reqs[i]), NVME_SC_ABORTED_SQ_DELETION);
		assert_true(f->reqs[i].flags & NVME_REQ_SYNTHETIC);
	}
}

/* Indexes of 16 bits just hold a ring of 65,536. */
static void the_deepest_queue_wraps(void **state)
{
	static struct nvme_req reqs[1000];
	struct sim *s = NULL;
	struct nvme_qpair *q = NULL;
	unsigned int done = 0;

	assert_int_equal(sim_open_with((void **)&s, "sim:latency=none,media=null,mqes=65536"), 0);
	assert_int_equal(nvme_qpair_create(s->ctrl, 65536, 0, NVME_QPAIR_NO_IRQ, &q), 0);
	assert_int_equal(nvme_qpair_enter(q), 0);
	for (unsigned int round = 0; round < 140; round++) {
		for (unsigned int i = 0; i < 1000; i++) {
			reqs[i] = (struct nvme_req){ .done = count_one, .owner = &done };
			nvme_cmd_rw(&reqs[i], s->ns, NVME_CMD_READ, s->mem.va, i, 1, 0);
			nvme_qpair_submit(q, &reqs[i], clock_now_ns());
		}
		nvme_qpair_ring(q);
		while (nvme_qpair_outstanding(q))
			nvme_qpair_poll(q, UINT32_MAX, clock_now_ns());
	}
	nvme_qpair_exit(q);

	assert_int_equal(done, 140000);
	assert_false(nvme_event_any(s->ctrl));
	nvme_qpair_delete(q);
	sim_close((void **)&s);
}

#define MOST_QUEUES 63 /* of the software SSD */

static void every_number_of_a_queue_can_be_had_again(void **state)
{
	struct nvme_qpair *q[MOST_QUEUES + 1];
	struct sim *s;

	sim_open_with((void **)&s, "sim:size=16M,latency=none,ioqueues=63");
	for (unsigned int i = s->q->sqid + 1u; i <= MOST_QUEUES; i++)
		assert_int_equal(nvme_qpair_create(s->ctrl, 2, 0, NVME_QPAIR_NO_IRQ, &q[i]), 0);
	for (unsigned int i = s->q->sqid + 1u; i <= MOST_QUEUES; i++) {
		assert_int_equal(q[i]->sqid, i);
		nvme_qpair_delete(q[i]);
		assert_int_equal(nvme_qpair_create(s->ctrl, 2, 0, NVME_QPAIR_NO_IRQ, &q[i]), 0);
		assert_int_equal(q[i]->sqid, i);
	}
	for (unsigned int i = s->q->sqid + 1u; i <= MOST_QUEUES; i++)
		nvme_qpair_delete(q[i]);
	sim_close((void **)&s);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)
	const struct CMUnitTest tests[] = {
		T(a_read_completes_with_its_latency),
		T(rings_wrap_many_times),
		T(more_than_the_ring_holds_waits_in_order),
		T(the_time_of_a_command_begins_when_the_device_can_see_it),
		T(cids_in_flight_are_unique),
		T(a_cid_rests_as_long_as_it_can),
		T(poll_reaps_no_more_than_asked),
		T(a_batch_is_invisible_until_it_is_rung),
		T(a_command_is_reported_late_once),
		T(a_posted_completion_is_never_late),
		T(data_outside_the_pool_completes_as_transfer_error),
		T(unaligned_data_completes_as_invalid_offset),
		cmocka_unit_test(the_deepest_queue_wraps),
		cmocka_unit_test(every_number_of_a_queue_can_be_had_again),
		T(deletion_completes_what_is_outstanding_and_waiting),
	};

	return cmocka_run_group_tests_name("nvme/qpair", tests, NULL, NULL);
}
