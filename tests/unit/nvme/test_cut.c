// SPDX-License-Identifier: BSD-3-Clause
/*
 * Memory of commands that were cut: free at once when the device has stopped, and only then.
 *
 * Who gets a command back frees its buffer there and then; the next to ask for as much gets the
 * same, unless it rests.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fixture.h"
#include "nvme/init.h"

static bool rested;

static void free_and_look(struct nvme_req *req)
{
	struct fixture *f = req->owner;
	struct dma_mem next;
	void *va = f->mem.va;
	size_t len = f->mem.len;

	f->completed++;
	dma_free(&f->mem);
	assert_int_equal(dma_alloc(&next, len), 0);
	rested = next.va != va;
	dma_free(&next);
}

static enum fake_verdict hold_all(struct fake_ctrl *fake, uint16_t qid, const struct nvme_sqe *sqe,
				  struct nvme_cqe *cqe)
{
	return FAKE_HOLD;
}

static void read_in_flight(struct fixture *f)
{
	f->fake->script = hold_all;
	fixture_read(f, 0)->done = free_and_look;
	fixture_poll(f);
	f->fake->script = NULL;
}

static void admin_command_in_flight(struct fixture *f)
{
	struct nvme_req *req = &f->reqs[0];

	req->done = free_and_look;
	req->owner = f;
	nvme_cmd_raw(req, NVME_ADMIN_GET_LOG_PAGE, 0, f->mem.va, 4096, (const uint32_t[6]){ 0 });
	f->fake->script = hold_all;
	assert_int_equal(nvme_admin_submit(f->ctrl, req), 0);
	assert_int_equal(nvme_admin_poll(f->ctrl, f->now_ns), 0);
	f->fake->script = NULL;
}

static void it_is_free_after_a_reset(void **state)
{
	struct fixture *f = *state;

	read_in_flight(f);
	assert_int_equal(nvme_ctrl_reset(f->ctrl, NVME_RESET_FLR), 0);

	assert_int_equal(f->completed, 1);
	assert_false(rested);
}

static void that_of_admin_commands_is_free_after_a_reset(void **state)
{
	struct fixture *f = *state;

	admin_command_in_flight(f);
	assert_int_equal(nvme_ctrl_reset(f->ctrl, NVME_RESET_FLR), 0);

	assert_int_equal(f->completed, 1);
	assert_false(rested);
}

static void that_of_admin_commands_rests_while_the_device_goes_on(void **state)
{
	struct fixture *f = *state;

	admin_command_in_flight(f);
	assert_int_equal(nvme_ctrl_quiesce(f->ctrl, "a test"), 0);

	assert_int_equal(f->completed, 1);
	assert_true(rested);
}

static void metadata_rests_as_well(void **state)
{
	struct fixture *f = *state;

	read_in_flight(f);
	f->reqs[0].meta = f->mem.va;
	f->reqs[0].data = NULL;
	assert_int_equal(nvme_ctrl_quiesce(f->ctrl, "a test"), 0);

	assert_int_equal(f->completed, 1);
	assert_true(rested);
}

/* What the driver itself has added to a command. */
static void assert_rests(struct fixture *f, struct dma_mem added)
{
	struct dma_mem next;

	assert_non_null(added.va);
	assert_int_equal(nvme_ctrl_quiesce(f->ctrl, "a test"), 0);
	assert_int_equal(f->completed, 1);
	assert_int_equal(dma_alloc(&next, added.len), 0);
	assert_ptr_not_equal(next.va, added.va);
	dma_free(&next);
}

static void a_page_list_rests(void **state)
{
	struct fixture *f = *state;
	struct nvme_req *req = fixture_read(f, 0);

	fixture_poll(f);
	f->completed = 0;
	f->fake->script = hold_all;
	nvme_cmd_rw(req, f->ns, NVME_CMD_READ, f->mem.va, 0, 2048, 0);
	assert_int_equal(nvme_qpair_enter(f->q), 0);
	nvme_qpair_submit(f->q, req, f->now_ns);
	nvme_qpair_exit(f->q);
	fixture_poll(f);
	assert_rests(f, f->q->trackers[req->cid].extra->chain);
}

static void metadata_that_nobody_asked_for_rests(void **state)
{
	struct fixture *f = *state;
	struct nvme_req *req;

	f->fake->id_ns.lbaf[0].ms = 8;
	assert_int_equal(nvme_ns_refresh(f->ns), 0);
	f->fake->script = hold_all;
	req = fixture_read(f, 0);
	fixture_poll(f);
	assert_rests(f, f->q->trackers[req->cid].extra->meta);
}

static void it_rests_when_a_script_sets_the_admin_queue_up_anew(void **state)
{
	struct fixture *f = *state;

	admin_command_in_flight(f);
	assert_int_equal(nvme_ctrl_setup_adminq(f->ctrl), 0);

	assert_int_equal(f->completed, 1);
	assert_true(rested);
	/* Nobody told the device of the new queue. */
	assert_int_equal(nvme_ctrl_reset(f->ctrl, NVME_RESET_CTRL), 0);
}

/* The link was down at that moment, or the device is slow to stop. */
static void rests_after_a_reset_that_leaves(struct fixture *f, uint32_t cc, uint32_t csts)
{
	read_in_flight(f);
	f->fake->cc_after_reset = cc;
	f->fake->csts_after_reset = csts;
	nvme_ctrl_reset(f->ctrl, NVME_RESET_FLR);

	assert_int_equal(f->completed, 1);
	assert_true(rested);
}

static void it_rests_after_a_reset_that_never_happened(void **state)
{
	struct fixture *f = *state;

	rests_after_a_reset_that_leaves(f, f->fake->cc, f->fake->csts);
	/* and the queue's own until it was disabled, which is now */
	assert_int_equal(nvme_qpair_delete(f->q), 0);
	f->q = NULL;
	assert_null(f->ctrl->graves);
}

static void it_rests_while_the_device_is_enabled(void **state)
{
	struct fixture *f = *state;

	rests_after_a_reset_that_leaves(f, f->fake->cc, 0);
}

static void it_rests_while_the_device_is_ready(void **state)
{
	rests_after_a_reset_that_leaves(*state, 0, NVME_SET(1, CSTS_RDY));
}

/* It goes on using the queue, and the commands in it, until it is out. */
static void a_queue_with_a_thread_inside_keeps_its_commands_and_memory(void **state)
{
	struct fixture *f = *state;
	struct nvme_qpair *q = f->q;

	read_in_flight(f);
	assert_int_equal(nvme_qpair_enter(q), 0);
	assert_int_equal(nvme_ctrl_reset(f->ctrl, NVME_RESET_FLR), 0);
	assert_int_equal(f->completed, 0);

	f->q = NULL;
	assert_int_equal(nvme_qpair_delete(q), -EBUSY);
	assert_ptr_equal(f->ctrl->graves, q);
	nvme_qpair_exit(q);
	assert_int_equal(f->completed, 0);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)
	const struct CMUnitTest tests[] = {
		T(it_is_free_after_a_reset),
		T(that_of_admin_commands_is_free_after_a_reset),
		T(that_of_admin_commands_rests_while_the_device_goes_on),
		T(metadata_rests_as_well),
		T(a_page_list_rests),
		T(metadata_that_nobody_asked_for_rests),
		T(it_rests_when_a_script_sets_the_admin_queue_up_anew),
		T(it_rests_after_a_reset_that_never_happened),
		T(it_rests_while_the_device_is_enabled),
		T(it_rests_while_the_device_is_ready),
		T(a_queue_with_a_thread_inside_keeps_its_commands_and_memory),
	};

	return cmocka_run_group_tests_name("nvme/cut", tests, NULL, NULL);
}
