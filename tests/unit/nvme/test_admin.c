// SPDX-License-Identifier: BSD-3-Clause
/* The shared admin queue: waiting, giving up, events, identifiers. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/counts.h"
#include "base/err.h"
#include "fixture.h"
#include "nvme/cmd_admin.h"

static const uint32_t none[6];

static unsigned int done_count;

static void count_done(struct nvme_req *req)
{
	done_count++;
}

static enum fake_verdict hold_keep_alive(struct fake_ctrl *fake, uint16_t qid,
					 const struct nvme_sqe *sqe, struct nvme_cqe *cqe)
{
	return sqe->opc == NVME_ADMIN_KEEP_ALIVE ? FAKE_HOLD : FAKE_COMPLETE;
}

static enum fake_verdict refuse_all(struct fake_ctrl *fake, uint16_t qid,
				    const struct nvme_sqe *sqe, struct nvme_cqe *cqe)
{
	cqe->status = NVME_SC_INVALID_FIELD << 1;
	return FAKE_COMPLETE;
}

static void exec_returns_the_status_of_the_device(void **state)
{
	struct fixture *f = *state;
	struct nvme_req req = { 0 };

	f->fake->script = refuse_all;
	nvme_cmd_raw(&req, NVME_ADMIN_KEEP_ALIVE, 0, NULL, 0, none);

	assert_int_equal(nvme_admin_exec(f->ctrl, &req, 0), NVME_SC_INVALID_FIELD);
	assert_int_equal(nvme_admin_must(f->ctrl, &req, 0, "Keep Alive"), -EPROTO);
	assert_non_null(strstr(err_text(), "00/02"));
	assert_non_null(strstr(err_text(), "Keep Alive"));
}

static void exec_brings_data_to_any_memory(void **state)
{
	struct fixture *f = *state;
	struct nvme_id_ctrl id = { 0 };
	struct nvme_req req = { 0 };

	f->fake->id.vid = 0x1234;
	nvme_cmd_identify(&req, &id, NVME_CNS_CTRL, 0);

	assert_int_equal(nvme_admin_exec(f->ctrl, &req, 0), 0);
	assert_int_equal(id.vid, 0x1234);
}

static void exec_gives_up_and_the_late_answer_finds_its_memory(void **state)
{
	struct fixture *f = *state;
	int64_t before = count_get(COUNT_REQUESTS);
	struct nvme_req req = { 0 };

	f->fake->script = hold_keep_alive;
	nvme_cmd_raw(&req, NVME_ADMIN_KEEP_ALIVE, 0, f->mem.va, 4096, none);
	assert_int_equal(nvme_admin_exec(f->ctrl, &req, 20), -ETIMEDOUT);
	assert_int_equal(count_get(COUNT_REQUESTS), before + 1);
	fake_complete_held(f->fake, NVME_SC_SUCCESS);
	nvme_admin_poll(f->ctrl, f->now_ns);

	assert_int_equal(count_get(COUNT_REQUESTS), before);
}

static void exec_that_never_got_a_slot_is_never_sent(void **state)
{
	struct fixture *f = *state;
	struct nvme_req req = { 0 };
	unsigned int commands;

	f->fake->script = hold_keep_alive;
	for (unsigned int i = 0; i < 120; i++) {
		f->reqs[i] = (struct nvme_req){ .done = count_done };
		nvme_cmd_raw(&f->reqs[i], NVME_ADMIN_KEEP_ALIVE, 0, NULL, 0, none);
		assert_int_equal(nvme_admin_submit(f->ctrl, &f->reqs[i]), 0);
	}
	nvme_cmd_raw(&req, NVME_ADMIN_KEEP_ALIVE, 0, NULL, 0, none);
	assert_int_equal(nvme_admin_exec(f->ctrl, &req, 20), -ETIMEDOUT);
	commands = f->fake->commands;
	f->fake->script = NULL;
	done_count = 0;
	fake_complete_held(f->fake, NVME_SC_SUCCESS);
	while (nvme_admin_poll(f->ctrl, f->now_ns))
		;

	assert_int_equal(done_count, 120);
	assert_int_equal(f->fake->commands, commands + 4); /* the AERs again */
}

static void admin_takes_128_commands_at_once(void **state)
{
	struct fixture *f = *state;

	done_count = 0;
	for (unsigned int i = 0; i < 128; i++) {
		f->reqs[i] = (struct nvme_req){ .done = count_done };
		nvme_cmd_raw(&f->reqs[i], NVME_ADMIN_KEEP_ALIVE, 0, NULL, 0, none);
		assert_int_equal(nvme_admin_submit(f->ctrl, &f->reqs[i]), 0);
	}
	while (nvme_admin_poll(f->ctrl, f->now_ns))
		;

	assert_int_equal(done_count, 128);
	for (unsigned int i = 0; i < 128; i++) {
		assert_true(f->reqs[i].cid <= 127);
		assert_false(f->reqs[i].cid >= 28 && f->reqs[i].cid < 36);
	}
}

static void an_event_is_reported_and_its_aer_posted_again(void **state)
{
	struct fixture *f = *state;
	struct nvme_event ev;

	fake_post(f->fake, 0,
		  (struct nvme_cqe){ .cdw0 = 0x10100, .cid = f->fake->held[1].cid, .sqhd = 1 },
		  true);
	f->fake->nheld = 0;
	assert_int_equal(nvme_admin_poll(f->ctrl, f->now_ns), 1);
	ev = fixture_event(f);
	nvme_admin_poll(f->ctrl, f->now_ns);

	assert_int_equal(ev.type, NVME_EVENT_AER);
	assert_int_equal(ev.cqe.cdw0, 0x10100);
	assert_int_equal(f->fake->nheld, 1);
	assert_int_equal(f->fake->held[0].opc, NVME_ADMIN_ASYNC_EVENT);
	assert_in_range(f->fake->held[0].cid, 28, 99);
}

static unsigned int posted_again_after(struct fixture *f, uint16_t sc11)
{
	fake_complete_held(f->fake, sc11);
	while (nvme_admin_poll(f->ctrl, f->now_ns))
		;
	return f->fake->nheld;
}

static void aers_are_posted_again_after_an_abort(void **state)
{
	assert_int_equal(posted_again_after(*state, NVME_SC_ABORT_REQUESTED), 4);
}

static void aers_are_not_posted_again_after_their_queue_went(void **state)
{
	assert_int_equal(posted_again_after(*state, NVME_SC_ABORTED_SQ_DELETION), 0);
}

static void aers_are_not_posted_again_when_there_were_too_many(void **state)
{
	assert_int_equal(posted_again_after(*state, NVME_SC_AER_LIMIT_EXCEEDED), 0);
}

static void aers_never_time_out(void **state)
{
	struct fixture *f = *state;

	f->now_ns += 100 * UINT64_C(1000000000);
	nvme_admin_poll(f->ctrl, f->now_ns);

	fixture_no_event(f);
}

static void a_scripts_own_aers_have_aer_identifiers(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < 60; i++) {
		f->reqs[i] = (struct nvme_req){ .done = count_done, .flags = NVME_REQ_AER };
		nvme_cmd_raw(&f->reqs[i], NVME_ADMIN_ASYNC_EVENT, 0, NULL, 0, none);
		assert_int_equal(nvme_admin_submit(f->ctrl, &f->reqs[i]), 0);
		assert_in_range(f->reqs[i].cid, 28, 99);
	}
	done_count = 0;
	nvme_admin_poll(f->ctrl, f->now_ns);
	fake_complete_held(f->fake, NVME_SC_ABORTED_SQ_DELETION);
	while (nvme_admin_poll(f->ctrl, f->now_ns))
		;

	assert_int_equal(done_count, 60);
}

static void a_storm_of_events_lets_every_poll_return(void **state)
{
	struct fixture *f = *state;
	struct nvme_event ev;
	uint64_t lost = 0, seen = 0;

	/* Every AER that is posted fires at once, a thousand times over. */
	for (unsigned int i = 0; i < 1000; i++) {
		fake_complete_held(f->fake, NVME_SC_SUCCESS);
		assert_int_equal(nvme_admin_poll(f->ctrl, f->now_ns), 4);
		nvme_admin_poll(f->ctrl, f->now_ns);
	}
	nvme_event_pop(f->ctrl, &ev, &lost);
	for (seen = 1; nvme_event_pop(f->ctrl, &ev, NULL); seen++)
		;

	assert_int_equal(seen + lost, 4000);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)
	const struct CMUnitTest tests[] = {
		T(exec_returns_the_status_of_the_device),
		T(exec_brings_data_to_any_memory),
		T(exec_gives_up_and_the_late_answer_finds_its_memory),
		T(exec_that_never_got_a_slot_is_never_sent),
		T(admin_takes_128_commands_at_once),
		T(an_event_is_reported_and_its_aer_posted_again),
		T(aers_are_posted_again_after_an_abort),
		T(aers_are_not_posted_again_after_their_queue_went),
		T(aers_are_not_posted_again_when_there_were_too_many),
		T(aers_never_time_out),
		T(a_scripts_own_aers_have_aer_identifiers),
		T(a_storm_of_events_lets_every_poll_return),
	};

	return cmocka_run_group_tests_name("nvme/admin", tests, NULL, NULL);
}
