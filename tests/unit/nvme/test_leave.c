// SPDX-License-Identifier: BSD-3-Clause
/*
 * A queue that the device keeps, for somebody to look at: nothing is said to the device, and
 * what it may still write to is its own until it is disabled.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fixture.h"

static enum fake_verdict hold_all(struct fake_ctrl *fake, uint16_t qid, const struct nvme_sqe *sqe,
				  struct nvme_cqe *cqe)
{
	return qid ? FAKE_HOLD : FAKE_COMPLETE;
}

static void read_in_flight(struct fixture *f)
{
	f->fake->script = hold_all;
	fixture_read(f, 0);
	fixture_poll(f);
	assert_int_equal(f->completed, 0);
}

static int leave(struct fixture *f)
{
	struct nvme_qpair *q = f->q;

	f->q = NULL;
	return nvme_qpair_leave(q);
}

static void it_hears_nothing_of_it(void **state)
{
	struct fixture *f = *state;
	unsigned int commands;

	read_in_flight(f);
	commands = f->fake->commands;
	assert_int_equal(leave(f), 0);

	assert_int_equal(f->fake->commands, commands);
	assert_true(f->fake->queues[1].live);
}

static void what_was_in_flight_completes_as_aborted(void **state)
{
	struct fixture *f = *state;

	read_in_flight(f);
	assert_int_equal(leave(f), 0);

	assert_int_equal(f->completed, 1);
	assert_int_equal(nvme_req_status(f->last), NVME_SC_ABORTED_SQ_DELETION);
}

static void the_next_queue_takes_another_identifier(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(leave(f), 0);
	assert_int_equal(nvme_qpair_create(f->ctrl, 8, 0, 0, &f->q), 0);

	assert_int_equal(f->q->sqid, 2);
}

static void a_reset_gives_back_identifier_and_queue(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(leave(f), 0);
	assert_non_null(f->ctrl->graves);
	assert_int_equal(nvme_ctrl_reset(f->ctrl, NVME_RESET_CTRL), 0);
	assert_null(f->ctrl->graves);
	assert_int_equal(nvme_qpair_create(f->ctrl, 8, 0, 0, &f->q), 0);

	assert_int_equal(f->q->sqid, 1);
}

#define PAGES 2048

/* Whether memory that was freed is given to somebody who asks for all there is. */
static bool is_free(struct dma_mem freed)
{
	static struct dma_mem page[PAGES];
	bool found = false;

	for (unsigned int i = 0; i < PAGES; i++) {
		assert_int_equal(dma_alloc(&page[i], DMA_PAGE_BYTES), 0);
		found |= (uintptr_t)page[i].va - (uintptr_t)freed.va < freed.len;
	}
	for (unsigned int i = 0; i < PAGES; i++)
		dma_free(&page[i]);
	return found;
}

static void memory_of_queue_and_commands_rests_until_a_reset(void **state)
{
	struct fixture *f = *state;
	struct dma_mem cq = f->q->cq_mem, freed = f->mem;

	read_in_flight(f);
	assert_int_equal(leave(f), 0);
	dma_free(&f->mem);
	assert_false(is_free(freed));
	assert_false(is_free(cq));

	f->fake->script = NULL;
	assert_int_equal(nvme_ctrl_reset(f->ctrl, NVME_RESET_CTRL), 0);
	assert_true(is_free(freed));
	assert_true(is_free(cq));
}

/* Firmware that has stopped with a fatal status is the first thing to be looked at. */
static void one_with_a_fatal_status_keeps_it_too(void **state)
{
	struct fixture *f = *state;

	nvme_ctrl_fail(f->ctrl, -EIO, f->now_ns);
	assert_int_equal(leave(f), 0);

	assert_non_null(f->ctrl->graves);
}

static void a_device_that_is_gone_keeps_nothing(void **state)
{
	struct fixture *f = *state;

	nvme_ctrl_fail(f->ctrl, -ENODEV, f->now_ns);
	assert_int_equal(leave(f), -ESHUTDOWN);
}

static void nor_does_one_that_was_reset(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(nvme_ctrl_reset(f->ctrl, NVME_RESET_CTRL), 0);
	assert_int_equal(leave(f), -ESHUTDOWN);

	assert_null(f->ctrl->graves);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)
	const struct CMUnitTest tests[] = {
		T(it_hears_nothing_of_it),
		T(what_was_in_flight_completes_as_aborted),
		T(the_next_queue_takes_another_identifier),
		T(a_reset_gives_back_identifier_and_queue),
		T(memory_of_queue_and_commands_rests_until_a_reset),
		T(one_with_a_fatal_status_keeps_it_too),
		T(a_device_that_is_gone_keeps_nothing),
		T(nor_does_one_that_was_reset),
	};

	return cmocka_run_group_tests_name("nvme/leave", tests, NULL, NULL);
}
