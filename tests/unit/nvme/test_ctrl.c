// SPDX-License-Identifier: BSD-3-Clause
/* Bring-up, its failures, and lifetimes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/counts.h"
#include "base/err.h"
#include "fixture.h"

static int64_t live(void)
{
	int64_t sum = 0;

	for (int kind = 0; kind < COUNT_KINDS; kind++)
		sum += kind == COUNT_CHUNKS ? 0 : count_get((enum count_kind)kind);
	return sum;
}

static int refused(struct fake_ctrl *fake)
{
	struct nvme_ctrl *ctrl = NULL;
	int err = nvme_ctrl_open_bus(&ctrl, &fake->bus, NULL);

	assert_null(ctrl);
	assert_int_equal(fake->closes, 1);
	assert_int_equal(live(), 0);
	return err;
}

static void bring_up_programs_what_the_contract_says(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(NVME_GET(f->fake->cc, CC_EN), 1);
	assert_int_equal(NVME_GET(f->fake->cc, CC_IOSQES), 6);
	assert_int_equal(NVME_GET(f->fake->cc, CC_IOCQES), 4);
	assert_int_equal(NVME_GET(f->fake->cc, CC_AMS), 0);
	assert_int_equal(NVME_GET(f->fake->cc, CC_CSS), 0);
	assert_int_equal(f->fake->nheld, 4); /* AERL 3: four AERs */
	for (unsigned int i = 0; i < 4; i++)
		assert_in_range(f->fake->held[i].cid, 28, 99);
	assert_int_equal(f->ctrl->mdts_bytes, 128 * 1024);
	assert_int_equal(f->ctrl->nsqs, FAKE_QUEUES - 1);
}

static void several_command_sets_are_all_enabled(void **state)
{
	struct fake_ctrl *fake = fake_create();
	struct nvme_ctrl *ctrl = NULL;

	fake->cap |= NVME_SET(NVME_CAP_CSS_IOCS, CAP_CSS);
	assert_int_equal(nvme_ctrl_open_bus(&ctrl, &fake->bus, NULL), 0);
	assert_int_equal(NVME_GET(fake->cc, CC_CSS), 6);
	nvme_ctrl_put(ctrl);
	fake_destroy(fake);
}

static void the_last_reference_shuts_down_in_order(void **state)
{
	struct fake_ctrl *fake = fake_create();
	struct nvme_ctrl *ctrl = NULL;

	assert_int_equal(nvme_ctrl_open_bus(&ctrl, &fake->bus, NULL), 0);
	nvme_ctrl_put(ctrl);

	assert_int_equal(fake->shutdowns, 1);
	assert_int_equal(NVME_GET(fake->cc, CC_EN), 0);
	assert_int_equal(fake->closes, 1);
	assert_int_equal(live(), 0);
	fake_destroy(fake);
}

static void a_controller_that_never_becomes_ready(void **state)
{
	struct fake_ctrl *fake = fake_create();

	fake->never_ready = true;
	assert_int_equal(refused(fake), -ETIMEDOUT);
	assert_non_null(strstr(err_text(), "CAP.TO"));
	fake_destroy(fake);
}

static void a_controller_that_never_becomes_idle(void **state)
{
	struct fake_ctrl *fake = fake_create();

	fake->cc = 1;
	fake->csts = 1;
	fake->never_idle = true;
	assert_int_equal(refused(fake), -ETIMEDOUT);
	fake_destroy(fake);
}

static void a_controller_that_fails_fatally(void **state)
{
	struct fake_ctrl *fake = fake_create();

	fake->fatal_on_enable = true;
	assert_int_equal(refused(fake), -ETIMEDOUT);
	assert_non_null(strstr(err_text(), "CSTS.CFS"));
	fake_destroy(fake);
}

static void a_device_that_is_not_there(void **state)
{
	struct fake_ctrl *fake = fake_create();

	fake->gone = true;
	assert_int_equal(refused(fake), -ENODEV);
	assert_non_null(strstr(err_text(), "all-ones"));
	fake_destroy(fake);
}

static enum fake_verdict fail_identify(struct fake_ctrl *fake, uint16_t qid,
				       const struct nvme_sqe *sqe, struct nvme_cqe *cqe)
{
	if (sqe->opc == NVME_ADMIN_IDENTIFY)
		cqe->status = NVME_SC_INTERNAL_ERROR << 1;
	return FAKE_COMPLETE;
}

static void a_controller_that_cannot_identify(void **state)
{
	struct fake_ctrl *fake = fake_create();

	fake->script = fail_identify;
	assert_int_equal(refused(fake), -EPROTO);
	assert_non_null(strstr(err_text(), "00/06"));
	fake_destroy(fake);
}

static void large_pages_are_refused_with_a_reason(void **state)
{
	struct fake_ctrl *fake = fake_create();

	fake->cap |= NVME_SET(1, CAP_MPSMIN);
	assert_int_equal(refused(fake), -EPROTO);
	assert_non_null(strstr(err_text(), "CAP.MPSMIN"));
	fake_destroy(fake);
}

static void queues_have_limits(void **state)
{
	struct fixture *f = *state;
	struct nvme_qpair *q[FAKE_QUEUES] = { 0 };
	unsigned int n = 0;

	assert_int_equal(nvme_qpair_create(f->ctrl, 1, 0, 0, &q[0]), -EINVAL);
	assert_int_equal(nvme_qpair_create(f->ctrl, 1025, 0, 0, &q[0]), -EINVAL);
	assert_int_equal(nvme_qpair_create(f->ctrl, 8, 1, 0, &q[0]), -EINVAL);
	assert_int_equal(nvme_qpair_create(f->ctrl, 8, 4, 0, &q[0]), -EINVAL);
	while (!nvme_qpair_create(f->ctrl, 8, 0, 0, &q[n]))
		n++;
	assert_int_equal(n, FAKE_QUEUES - 2);
	assert_non_null(strstr(err_text(), "no free queue"));
	while (n)
		nvme_qpair_delete(q[--n]);
}

static enum fake_verdict refuse_sq(struct fake_ctrl *fake, uint16_t qid, const struct nvme_sqe *sqe,
				   struct nvme_cqe *cqe)
{
	if (sqe->opc == NVME_ADMIN_CREATE_SQ)
		cqe->status = NVME_SC_INVALID_QUEUE_SIZE << 1;
	return FAKE_COMPLETE;
}

static void a_refused_queue_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	int64_t before = live();
	struct nvme_qpair *q = NULL;

	f->fake->script = refuse_sq;
	assert_int_equal(nvme_qpair_create(f->ctrl, 8, 0, 0, &q), -EPROTO);

	assert_non_null(strstr(err_text(), "01/02"));
	assert_int_equal(f->fake->last.opc, NVME_ADMIN_DELETE_CQ);
	assert_null(f->ctrl->graves);
	assert_int_equal(live(), before);
	f->fake->script = NULL;
	assert_int_equal(nvme_qpair_create(f->ctrl, 8, 0, 0, &q), 0);
	assert_int_equal(q->sqid, 2);
	nvme_qpair_delete(q);
}

static enum fake_verdict refuse_cq(struct fake_ctrl *fake, uint16_t qid, const struct nvme_sqe *sqe,
				   struct nvme_cqe *cqe)
{
	if (sqe->opc == NVME_ADMIN_CREATE_CQ)
		cqe->status = NVME_SC_INVALID_QUEUE_SIZE << 1;
	return FAKE_COMPLETE;
}

static void a_refused_completion_queue_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct nvme_qpair *q = NULL;

	f->fake->script = refuse_cq;
	assert_int_equal(nvme_qpair_create(f->ctrl, 8, 0, 0, &q), -EPROTO);

	assert_null(f->ctrl->graves);
	f->fake->script = NULL;
	assert_int_equal(nvme_qpair_create(f->ctrl, 8, 0, 0, &q), 0);
	assert_int_equal(q->sqid, 2);
	assert_int_equal(nvme_qpair_delete(q), 0);
	assert_null(f->ctrl->graves);
}

static enum fake_verdict never_delete(struct fake_ctrl *fake, uint16_t qid,
				      const struct nvme_sqe *sqe, struct nvme_cqe *cqe)
{
	return sqe->opc == NVME_ADMIN_DELETE_SQ ? FAKE_HOLD : FAKE_COMPLETE;
}

static void memory_of_a_queue_that_will_not_go_is_kept_until_a_reset(void **state)
{
	struct fixture *f = *state;
	struct nvme_qpair *q = NULL;

	assert_int_equal(nvme_qpair_create(f->ctrl, 8, 0, 0, &q), 0);
	nvme_timeout_set(f->ctrl, 50);
	f->fake->script = never_delete;
	assert_int_equal(nvme_qpair_delete(q), -ETIMEDOUT);
	assert_non_null(f->ctrl->graves);
	f->fake->script = NULL;
	assert_int_equal(nvme_ctrl_reset(f->ctrl, NVME_RESET_CTRL), 0);

	assert_null(f->ctrl->graves);
}

static void objects_die_in_any_order(void **state)
{
	for (int order = 0; order < 6; order++) {
		static const char orders[6][4] = { "cqn", "cnq", "qcn", "qnc", "ncq", "nqc" };
		struct fake_ctrl *fake = fake_create();
		struct nvme_ctrl *ctrl = NULL;
		struct nvme_qpair *q = NULL;
		struct nvme_ns *ns = NULL;

		assert_int_equal(nvme_ctrl_open_bus(&ctrl, &fake->bus, NULL), 0);
		assert_int_equal(nvme_ns_open(ctrl, 1, &ns), 0);
		assert_int_equal(nvme_qpair_create(ctrl, 8, 0, 0, &q), 0);
		for (int i = 0; i < 3; i++) {
			if (orders[order][i] == 'c')
				nvme_ctrl_put(ctrl);
			else if (orders[order][i] == 'q')
				nvme_qpair_delete(q);
			else
				nvme_ns_put(ns);
		}
		assert_int_equal(fake->closes, 1);
		assert_int_equal(live(), 0);
		fake_destroy(fake);
	}
}

static void a_child_process_is_refused_and_touches_nothing(void **state)
{
	struct fixture *f = *state;
	unsigned int commands = f->fake->commands;
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		bool ok = nvme_ctrl_check(f->ctrl) == -EPERM && nvme_qpair_enter(f->q) == -EPERM &&
			  nvme_admin_poll(f->ctrl, 0) == -EPERM &&
			  nvme_ctrl_reset(f->ctrl, NVME_RESET_CTRL) == -EPERM &&
			  strstr(err_text(), "opened in process");

		nvme_qpair_delete(f->q);
		nvme_ns_put(f->ns);
		nvme_ctrl_put(f->ctrl);
		ok = ok && f->fake->commands == commands && !f->fake->closes;
		_exit(ok ? 0 : 1);
	}
	waitpid(pid, &status, 0);

	assert_int_equal(status, 0);
	assert_int_equal(nvme_ctrl_check(f->ctrl), 0);
}

static void a_child_process_opens_its_own(void **state)
{
	struct fixture *mine = NULL;
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		fixture_open((void **)&mine);
		fixture_read(mine, 0);
		fixture_poll(mine);
		_exit(mine->completed == 1 && mine->ctrl->pid == getpid() ? 0 : 1);
	}
	waitpid(pid, &status, 0);

	assert_int_equal(status, 0);
}

static int own_init(struct nvme_ctrl *ctrl, void *priv)
{
	int err;

	++*(int *)priv;
	err = nvme_ctrl_setup_adminq(ctrl);
	if (!err)
		err = nvme_ctrl_enable(ctrl, 0x460801);
	if (!err)
		err = nvme_ctrl_wait_ready(ctrl, true);
	return err;
}

static void an_init_of_the_callers_own_replaces_the_standard_one(void **state)
{
	struct fake_ctrl *fake = fake_create();
	struct nvme_ctrl *ctrl = NULL;
	int calls = 0;
	struct nvme_ctrl_opts opts = { .init = own_init, .init_priv = &calls };

	assert_int_equal(nvme_ctrl_open_bus(&ctrl, &fake->bus, &opts), 0);
	assert_int_equal(calls, 1);
	assert_int_equal(fake->commands, 0);
	assert_int_equal(fake->cc, 0x460801);
	assert_int_equal(nvme_ctrl_reset(ctrl, NVME_RESET_CTRL), 0);
	assert_int_equal(calls, 2);
	nvme_ctrl_put(ctrl);
	fake_destroy(fake);
}

static int events_first(struct nvme_ctrl *ctrl, void *priv)
{
	*(int *)priv = nvme_ctrl_post_aers(ctrl);
	return own_init(ctrl, priv);
}

static void an_init_that_posts_events_to_no_queue_is_told(void **state)
{
	struct fake_ctrl *fake = fake_create();
	struct nvme_ctrl *ctrl = NULL;
	int status = 0;
	struct nvme_ctrl_opts opts = { .init = events_first, .init_priv = &status };

	assert_int_equal(nvme_ctrl_open_bus(&ctrl, &fake->bus, &opts), 0);

	assert_int_equal(status, -ESHUTDOWN + 1); /* and one of own_init() */
	nvme_ctrl_put(ctrl);
	fake_destroy(fake);
}

static void doorbells_without_a_mapping_are_register_writes(void **state)
{
	struct fake_ctrl *fake = fake_create();
	struct nvme_ctrl *ctrl = NULL;

	fake->bus.doorbells = NULL;
	assert_int_equal(nvme_ctrl_open_bus(&ctrl, &fake->bus, NULL), 0);

	assert_true(fake->doorbell_writes > 0);
	nvme_ctrl_put(ctrl);
	fake_destroy(fake);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)
	const struct CMUnitTest tests[] = {
		T(bring_up_programs_what_the_contract_says),
		cmocka_unit_test(several_command_sets_are_all_enabled),
		cmocka_unit_test(the_last_reference_shuts_down_in_order),
		cmocka_unit_test(a_controller_that_never_becomes_ready),
		cmocka_unit_test(a_controller_that_never_becomes_idle),
		cmocka_unit_test(a_controller_that_fails_fatally),
		cmocka_unit_test(a_device_that_is_not_there),
		cmocka_unit_test(a_controller_that_cannot_identify),
		cmocka_unit_test(large_pages_are_refused_with_a_reason),
		T(queues_have_limits),
		T(a_refused_queue_leaves_nothing),
		T(a_refused_completion_queue_leaves_nothing),
		T(memory_of_a_queue_that_will_not_go_is_kept_until_a_reset),
		cmocka_unit_test(objects_die_in_any_order),
		T(a_child_process_is_refused_and_touches_nothing),
		T(a_child_process_opens_its_own),
		cmocka_unit_test(an_init_of_the_callers_own_replaces_the_standard_one),
		cmocka_unit_test(an_init_that_posts_events_to_no_queue_is_told),
		cmocka_unit_test(doorbells_without_a_mapping_are_register_writes),
	};

	return cmocka_run_group_tests_name("nvme/ctrl", tests, NULL, NULL);
}
