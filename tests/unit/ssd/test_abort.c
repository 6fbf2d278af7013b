/* SPDX-License-Identifier: BSD-3-Clause */
/* Abort, of commands inside the device and of those still in their queue. */
#include "rig.h"

static uint16_t abort_cmd(struct rig *r, uint16_t sqid, uint16_t cid, uint32_t *cdw0)
{
	return rig_run(r, 0,
		       (struct nvme_sqe){ .opc = NVME_ADMIN_ABORT,
					  .cdw10 = (uint32_t)cid << 16 | sqid },
		       cdw0);
}

static void a_running_command_is_aborted(void **state)
{
	struct rig *r = rig_ready("unmapped_us=1000");
	uint16_t cid = rig_put(r, 1, rig_rw(NVME_CMD_READ, 0, 1, r->buf));
	struct nvme_cqe cqe;
	uint32_t cdw0;

	rig_ring(r, 1);
	rig_step(r);
	assert_int_equal(abort_cmd(r, 1, cid, &cdw0), 0);

	assert_int_equal(cdw0, 0);
	assert_true(rig_reap(r, 1, &cqe));
	assert_int_equal(NVME_GET(cqe.status, STATUS_SC11), NVME_SC_ABORT_REQUESTED);
	rig_advance(r, 2000000);
	assert_false(rig_reap(r, 1, &cqe));
	rig_destroy(r);
}

static void a_queued_command_is_aborted(void **state)
{
	struct rig *r = rig_ready("latency=none");
	uint16_t cid = 0;
	struct nvme_cqe cqe;
	uint32_t cdw0;

	/* more than a step takes: the last ones wait while the abort is executed */
	for (int i = 0; i < 60; i++)
		cid = rig_put(r, 1, rig_rw(NVME_CMD_WRITE, 100 + i, 1, r->buf));
	rig_ring(r, 1);
	ssd_step(r->ssd, r->now_ns);
	assert_int_equal(abort_cmd(r, 1, cid, &cdw0), 0);

	assert_int_equal(cdw0, 0);
	for (int i = 0; i < 60; i++) {
		assert_true(rig_reap(r, 1, &cqe));
		assert_int_equal(NVME_GET(cqe.status, STATUS_SC11),
				 i == 59 ? NVME_SC_ABORT_REQUESTED : 0);
	}
	rig_destroy(r);
}

static void a_command_that_nobody_has_looked_at_is_aborted(void **state)
{
	struct rig *r = rig_ready("latency=none");
	uint16_t cid = rig_put(r, 1, rig_rw(NVME_CMD_WRITE, 100, 1, r->buf));
	struct nvme_cqe cqe;
	uint32_t cdw0 = 1;

	rig_ring(r, 1);
	/* the admin queue comes first */
	assert_int_equal(abort_cmd(r, 1, cid, &cdw0), 0);

	assert_int_equal(cdw0, 0);
	assert_true(rig_reap(r, 1, &cqe));
	assert_int_equal(NVME_GET(cqe.status, STATUS_SC11), NVME_SC_ABORT_REQUESTED);
	rig_destroy(r);
}

static void two_aborts_end_one_command(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct nvme_sqe sqe = rig_rw(NVME_CMD_WRITE, 100, 1, r->buf);
	uint16_t cid = rig_put(r, 1, sqe);
	struct nvme_sqe abort = { .opc = NVME_ADMIN_ABORT, .cdw10 = (uint32_t)cid << 16 | 1 };
	struct nvme_cqe cqe;

	rig_ring(r, 1);
	rig_put(r, 0, abort);
	rig_put(r, 0, abort);
	rig_ring(r, 0);
	rig_step(r);
	assert_true(rig_reap(r, 0, &cqe));
	assert_int_equal(cqe.cdw0, 0);
	assert_true(rig_reap(r, 0, &cqe));
	assert_int_equal(cqe.cdw0, NVME_ABORT_NOT_ABORTED);
	assert_true(rig_reap(r, 1, &cqe));
	assert_int_equal(NVME_GET(cqe.status, STATUS_SC11), NVME_SC_ABORT_REQUESTED);

	/* not the next one of this CID */
	r->q[1].cid = cid;
	assert_int_equal(rig_run(r, 1, sqe, NULL), 0);
	rig_destroy(r);
}

static void what_is_not_there_is_not_aborted(void **state)
{
	struct rig *r = rig_ready("");
	uint32_t cdw0 = 0;

	assert_int_equal(abort_cmd(r, 1, 77, &cdw0), 0);
	assert_int_equal(cdw0, NVME_ABORT_NOT_ABORTED);
	assert_int_equal(abort_cmd(r, 9, 0, &cdw0), 0);
	assert_int_equal(cdw0, NVME_ABORT_NOT_ABORTED);
	assert_int_equal(abort_cmd(r, 0xffff, 0, &cdw0), 0);
	assert_int_equal(cdw0, NVME_ABORT_NOT_ABORTED);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_running_command_is_aborted),
		cmocka_unit_test(a_queued_command_is_aborted),
		cmocka_unit_test(a_command_that_nobody_has_looked_at_is_aborted),
		cmocka_unit_test(two_aborts_end_one_command),
		cmocka_unit_test(what_is_not_there_is_not_aborted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
