// SPDX-License-Identifier: BSD-3-Clause
/* Resets and power, from any thread, while others use the controller. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "spec/pci.h"
#include "fixture.h"

static const uint32_t none[6];

static enum fake_verdict hold_io(struct fake_ctrl *fake, uint16_t qid, const struct nvme_sqe *sqe,
				 struct nvme_cqe *cqe)
{
	return qid ? FAKE_HOLD : FAKE_COMPLETE;
}

static void commands_in_flight_end_as_aborted(void **state)
{
	struct fixture *f = *state;

	f->fake->script = hold_io;
	for (unsigned int i = 0; i < 20; i++)
		fixture_read(f, i);
	assert_int_equal(nvme_ctrl_reset(f->ctrl, NVME_RESET_CTRL), 0);

	assert_int_equal(f->completed, 20);
	for (unsigned int i = 0; i < 20; i++)
		assert_int_equal(nvme_req_status(&f->reqs[i]), NVME_SC_ABORTED_SQ_DELETION);
}

static void a_stale_queue_says_so_and_deletes(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(nvme_ctrl_reset(f->ctrl, NVME_RESET_CTRL), 0);
	assert_int_equal(nvme_qpair_enter(f->q), -ESHUTDOWN);
	assert_non_null(strstr(err_text(), "reset"));
	assert_int_equal(nvme_qpair_delete(f->q), 0);
	assert_null(f->ctrl->graves);
	f->q = NULL;
	assert_int_equal(nvme_qpair_create(f->ctrl, 8, 0, NVME_QPAIR_AUTO_IRQ, &f->q), 0);
	assert_int_equal(f->q->sqid, 1);
	fixture_read(f, 0);

	assert_int_equal(fixture_poll(f), 1);
}

static void a_stale_queue_does_not_free_the_identifier_of_a_new_one(void **state)
{
	struct fixture *f = *state;
	struct nvme_qpair *q[2] = { 0 };

	assert_int_equal(nvme_ctrl_reset(f->ctrl, NVME_RESET_CTRL), 0);
	assert_int_equal(nvme_qpair_create(f->ctrl, 8, 0, 0, &q[0]), 0);
	nvme_qpair_delete(f->q);
	f->q = NULL;
	assert_int_equal(nvme_qpair_create(f->ctrl, 8, 0, 0, &q[1]), 0);

	assert_int_equal(q[0]->sqid, 1);
	assert_int_equal(q[1]->sqid, 2);
	nvme_qpair_delete(q[0]);
	nvme_qpair_delete(q[1]);
}

static void every_kind_of_reset_comes_back(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(nvme_ctrl_reset(f->ctrl, NVME_RESET_FLR), 0);
	assert_int_equal(nvme_ctrl_reset(f->ctrl, NVME_RESET_HOT), 0);
	assert_int_equal(nvme_ctrl_reset(f->ctrl, NVME_RESET_SUBSYSTEM), -EOPNOTSUPP);

	assert_int_equal(f->fake->resets, 2);
	assert_int_equal(f->ctrl->generation, 2);
	assert_int_equal(f->fake->nheld, 4); /* AERs are posted */
}

static void a_reset_that_fails_leaves_the_controller_down_until_the_next(void **state)
{
	struct fixture *f = *state;
	struct nvme_req req = { 0 };

	f->fake->never_ready = true;
	assert_int_equal(nvme_ctrl_reset(f->ctrl, NVME_RESET_CTRL), -ETIMEDOUT);
	nvme_cmd_raw(&req, NVME_ADMIN_KEEP_ALIVE, 0, NULL, 0, none);
	assert_int_equal(nvme_admin_exec(f->ctrl, &req, 0), -ESHUTDOWN);
	f->fake->never_ready = false;
	assert_int_equal(nvme_ctrl_reset(f->ctrl, NVME_RESET_CTRL), 0);

	assert_int_equal(nvme_admin_exec(f->ctrl, &req, 0), 0);
}

static void quiesce_stops_everything_and_reinit_starts_it(void **state)
{
	struct fixture *f = *state;
	unsigned int commands;
	struct nvme_req req = { 0 };

	f->fake->script = hold_io;
	fixture_read(f, 0);
	assert_int_equal(nvme_ctrl_quiesce(f->ctrl, "a test"), 0);
	commands = f->fake->commands;
	assert_int_equal(f->completed, 1);
	assert_int_equal(nvme_qpair_enter(f->q), -ESHUTDOWN);
	nvme_cmd_raw(&req, NVME_ADMIN_KEEP_ALIVE, 0, NULL, 0, none);
	assert_int_equal(nvme_admin_exec(f->ctrl, &req, 0), -ESHUTDOWN);
	assert_int_equal(f->fake->commands, commands);

	assert_int_equal(nvme_ctrl_reinit(f->ctrl), 0);
	assert_int_equal(nvme_admin_exec(f->ctrl, &req, 0), 0);
}

/* The device has not stopped: it may still write what a read has asked for. */
static void memory_of_cut_commands_rests_until_the_device_has_stopped(void **state)
{
	struct fixture *f = *state;
	struct dma_mem meanwhile, after;
	void *va = f->mem.va;

	f->fake->script = hold_io;
	fixture_read(f, 0);
	assert_int_equal(nvme_ctrl_quiesce(f->ctrl, "a test"), 0);
	assert_int_equal(f->completed, 1);
	dma_free(&f->mem);
	assert_int_equal(dma_alloc(&meanwhile, 1 << 20), 0);
	assert_ptr_not_equal(meanwhile.va, va);

	assert_int_equal(nvme_ctrl_reinit(f->ctrl), 0);
	assert_int_equal(dma_alloc(&after, 1 << 20), 0);
	assert_ptr_equal(after.va, va);
	dma_free(&meanwhile);
	dma_free(&after);
}

static void no_queue_is_made_or_kept_while_the_controller_is_down(void **state)
{
	struct fixture *f = *state;
	struct nvme_qpair *q;

	assert_int_equal(nvme_ctrl_quiesce(f->ctrl, "a test"), 0);
	for (unsigned int i = 0; i < 2 * FAKE_QUEUES; i++)
		assert_int_equal(nvme_qpair_create(f->ctrl, 8, 0, 0, &q), -ESHUTDOWN);
	assert_null(f->ctrl->graves);
}

static void a_function_that_lost_its_config_space_decodes_after_reinit(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(nvme_ctrl_quiesce(f->ctrl, "a test"), 0);
	memset(f->fake->config, 0, sizeof(f->fake->config));
	assert_int_equal(nvme_ctrl_reinit(f->ctrl), 0);
	assert_int_equal(f->fake->config[PCI_CFG_COMMAND] & 6, 6);
}

static void power_that_was_never_off_leaves_no_queue_behind(void **state)
{
	struct nvme_qpair *before, *after;
	struct nvme_ctrl *ctrl;

	assert_int_equal(nvme_ctrl_open(&ctrl, "sim:latency=none", NULL), 0);
	assert_int_equal(nvme_qpair_create(ctrl, 16, 0, 0, &before), 0);
	assert_int_equal(nvme_ctrl_power(ctrl, true), 0);
	assert_int_equal(nvme_qpair_create(ctrl, 4, 0, 0, &after), 0);

	assert_int_equal(nvme_qpair_enter(before), -ESHUTDOWN);
	assert_int_equal(nvme_qpair_delete(before), 0);
	assert_int_equal(nvme_qpair_delete(after), 0);
	nvme_ctrl_put(ctrl);
}

static void power_that_cannot_be_cut_leaves_the_controller_up(void **state)
{
	struct fixture *f = *state;
	struct nvme_req req = { 0 };

	assert_int_equal(nvme_ctrl_power(f->ctrl, false), -EOPNOTSUPP);
	assert_non_null(strstr(err_text(), "no slot power"));
	nvme_cmd_raw(&req, NVME_ADMIN_KEEP_ALIVE, 0, NULL, 0, none);
	assert_int_equal(nvme_admin_exec(f->ctrl, &req, 0), 0);
}

static void a_script_that_clears_and_sets_cc_en_keeps_its_admin_queue(void **state)
{
	struct fixture *f = *state;
	struct nvme_req req = { 0 };
	struct nvme_qpair *q = NULL;
	uint32_t cc = f->fake->cc;

	f->fake->script = hold_io;
	fixture_read(f, 0);
	nvme_cmd_raw(&req, NVME_ADMIN_KEEP_ALIVE, 0, NULL, 0, none);
	assert_int_equal(nvme_ctrl_poke32(f->ctrl, NVME_REG_CC, cc & ~1u), 0);
	assert_int_equal(f->completed, 1);
	assert_int_equal(nvme_qpair_enter(f->q), -ESHUTDOWN);
	assert_int_equal(nvme_admin_exec(f->ctrl, &req, 0), -ESHUTDOWN);

	assert_int_equal(nvme_ctrl_poke32(f->ctrl, NVME_REG_CC, cc), 0);
	assert_int_equal(nvme_admin_exec(f->ctrl, &req, 0), 0);
	assert_int_equal(nvme_qpair_create(f->ctrl, 8, 0, 0, &q), 0);
	assert_int_equal(q->sqid, 1);
	nvme_qpair_delete(q);
}

static void a_script_with_an_admin_queue_of_its_own_is_left_alone(void **state)
{
	struct fixture *f = *state;
	struct nvme_req req = { 0 };
	uint32_t cc = f->fake->cc;

	nvme_cmd_raw(&req, NVME_ADMIN_KEEP_ALIVE, 0, NULL, 0, none);
	assert_int_equal(nvme_ctrl_poke32(f->ctrl, NVME_REG_CC, cc & ~1u), 0);
	f->fake->asq = f->mem.iova;
	f->fake->acq = f->mem.iova + 65536;
	assert_int_equal(nvme_ctrl_poke32(f->ctrl, NVME_REG_CC, cc), 0);

	assert_int_equal(f->fake->queues[0].sq_iova, f->mem.iova);
	assert_int_equal(nvme_admin_exec(f->ctrl, &req, 0), -ESHUTDOWN);
	assert_int_equal(nvme_ctrl_reset(f->ctrl, NVME_RESET_CTRL), 0);
	assert_int_equal(nvme_admin_exec(f->ctrl, &req, 0), 0);
}

/* The device goes on when CC.EN is cleared, and is enabled again before it has stopped. */
static void memory_rests_as_long_as_cc_en_alone_was_cleared(void **state)
{
	struct fixture *f = *state;
	struct dma_mem meanwhile, after;
	uint32_t cc = f->fake->cc;
	void *va = f->mem.va;

	f->fake->script = hold_io;
	fixture_read(f, 0);
	f->fake->never_idle = true;
	assert_int_equal(nvme_ctrl_poke32(f->ctrl, NVME_REG_CC, cc & ~1u), 0);
	assert_int_equal(nvme_ctrl_poke32(f->ctrl, NVME_REG_CC, cc), 0);
	dma_free(&f->mem);
	assert_int_equal(dma_alloc(&meanwhile, 1 << 20), 0);
	assert_ptr_not_equal(meanwhile.va, va);

	f->fake->never_idle = false;
	assert_int_equal(nvme_ctrl_reset(f->ctrl, NVME_RESET_CTRL), 0);
	assert_int_equal(dma_alloc(&after, 1 << 20), 0);
	assert_ptr_equal(after.va, va);
	dma_free(&meanwhile);
	dma_free(&after);
}

/* As nvme_qpair_enter() before it is refused, but slower; the device stops meanwhile. */
static void *try_to_enter(void *arg)
{
	struct fixture *f = arg;

	while (atomic_load(&f->q->state) == NVME_QPAIR_LIVE)
		sched_yield();
	atomic_store(&f->q->owner, 1);
	pthread_mutex_lock(&f->fake->lock);
	f->fake->never_idle = false;
	f->fake->csts = 0;
	pthread_mutex_unlock(&f->fake->lock);
	clock_sleep_until_ns(clock_now_ns() + 2000000);
	atomic_store(&f->q->owner, 0);
	return NULL;
}

static void commands_end_though_somebody_tries_to_use_their_queue(void **state)
{
	struct fixture *f = *state;
	pthread_t thread;

	f->fake->script = hold_io;
	fixture_read(f, 0);
	f->fake->never_idle = true;
	pthread_create(&thread, NULL, try_to_enter, f);
	assert_int_equal(nvme_ctrl_reset(f->ctrl, NVME_RESET_CTRL), 0);
	pthread_join(thread, NULL);

	assert_int_equal(f->completed, 1);
}

/* The result: of a reset in the middle of it. */
static int init_with_a_queue(struct nvme_ctrl *ctrl, void *result)
{
	struct nvme_qpair *q = NULL;
	int err = nvme_ctrl_setup_adminq(ctrl);

	if (!err)
		err = nvme_ctrl_enable(ctrl, 0);
	if (!err)
		err = nvme_ctrl_wait_ready(ctrl, true);
	if (!err)
		err = nvme_ctrl_init_queues(ctrl);
	if (!err)
		err = nvme_qpair_create(ctrl, 8, 0, 0, &q);
	if (!err)
		err = nvme_qpair_delete(q);
	*(int *)result = nvme_ctrl_reset(ctrl, NVME_RESET_CTRL);
	return err;
}

static void an_init_makes_and_deletes_queues_at_a_reset_too(void **state)
{
	struct fake_ctrl *fake = fake_create();
	struct nvme_ctrl *ctrl = NULL;
	int result = 0;
	struct nvme_ctrl_opts opts = { .init = init_with_a_queue, .init_priv = &result };

	assert_int_equal(nvme_ctrl_open_bus(&ctrl, &fake->bus, &opts), 0);
	assert_int_equal(result, -EBUSY);
	result = 0;
	assert_int_equal(nvme_ctrl_reset(ctrl, NVME_RESET_CTRL), 0);
	assert_int_equal(result, -EBUSY);
	nvme_ctrl_put(ctrl);
	fake_destroy(fake);
}

static void *exec_for_long(void *arg)
{
	struct fixture *f = arg;
	struct nvme_req req = { 0 };

	nvme_cmd_raw(&req, NVME_ADMIN_KEEP_ALIVE, 0, NULL, 0, none);
	return (void *)(intptr_t)nvme_admin_exec(f->ctrl, &req, 60000);
}

static void *submit_elsewhere(void *arg)
{
	static struct nvme_req req;

	nvme_cmd_raw(&req, NVME_ADMIN_KEEP_ALIVE, 0, NULL, 0, none);
	return (void *)(intptr_t)nvme_admin_submit(arg, &req);
}

static int init_beside_another_thread(struct nvme_ctrl *ctrl, void *result)
{
	pthread_t thread;
	int err = nvme_ctrl_setup_adminq(ctrl);

	pthread_create(&thread, NULL, submit_elsewhere, ctrl);
	pthread_join(thread, result);
	if (!err)
		err = nvme_ctrl_enable(ctrl, 0);
	return err ? err : nvme_ctrl_wait_ready(ctrl, true);
}

static void nobody_else_uses_a_queue_that_is_not_enabled_yet(void **state)
{
	struct fake_ctrl *fake = fake_create();
	struct nvme_ctrl *ctrl = NULL;
	void *result = NULL;
	struct nvme_ctrl_opts opts = { .init = init_beside_another_thread, .init_priv = &result };

	assert_int_equal(nvme_ctrl_open_bus(&ctrl, &fake->bus, &opts), 0);

	assert_int_equal((intptr_t)result, -ESHUTDOWN);
	nvme_ctrl_put(ctrl);
	fake_destroy(fake);
}

static enum fake_verdict hold_keep_alive(struct fake_ctrl *fake, uint16_t qid,
					 const struct nvme_sqe *sqe, struct nvme_cqe *cqe)
{
	return sqe->opc == NVME_ADMIN_KEEP_ALIVE ? FAKE_HOLD : FAKE_COMPLETE;
}

static void a_waiting_admin_command_ends_with_an_error(void **state)
{
	struct fixture *f = *state;
	unsigned int held = 0;
	pthread_t thread;
	void *result;

	f->fake->script = hold_keep_alive;
	pthread_create(&thread, NULL, exec_for_long, f);
	while (held < 5) {
		pthread_mutex_lock(&f->fake->lock);
		held = f->fake->nheld;
		pthread_mutex_unlock(&f->fake->lock);
		sched_yield();
	}
	assert_int_equal(nvme_ctrl_reset(f->ctrl, NVME_RESET_CTRL), 0);
	pthread_join(thread, &result);

	assert_int_equal((intptr_t)result, -ESHUTDOWN);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)
	const struct CMUnitTest tests[] = {
		T(commands_in_flight_end_as_aborted),
		T(a_stale_queue_says_so_and_deletes),
		T(a_stale_queue_does_not_free_the_identifier_of_a_new_one),
		T(every_kind_of_reset_comes_back),
		T(a_reset_that_fails_leaves_the_controller_down_until_the_next),
		T(quiesce_stops_everything_and_reinit_starts_it),
		T(memory_of_cut_commands_rests_until_the_device_has_stopped),
		T(no_queue_is_made_or_kept_while_the_controller_is_down),
		T(a_function_that_lost_its_config_space_decodes_after_reinit),
		cmocka_unit_test(power_that_was_never_off_leaves_no_queue_behind),
		T(power_that_cannot_be_cut_leaves_the_controller_up),
		T(a_script_that_clears_and_sets_cc_en_keeps_its_admin_queue),
		T(a_script_with_an_admin_queue_of_its_own_is_left_alone),
		cmocka_unit_test(nobody_else_uses_a_queue_that_is_not_enabled_yet),
		T(a_waiting_admin_command_ends_with_an_error),
		T(memory_rests_as_long_as_cc_en_alone_was_cleared),
		T(commands_end_though_somebody_tries_to_use_their_queue),
		cmocka_unit_test(an_init_makes_and_deletes_queues_at_a_reset_too),
	};

	return cmocka_run_group_tests_name("nvme/reset", tests, NULL, NULL);
}
