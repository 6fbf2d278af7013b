/* SPDX-License-Identifier: BSD-3-Clause */
/* What every admin command is checked for. */
#include "bench.h"

static void unknown_opcodes_are_refused(void **state)
{
	static const uint8_t opcodes[] = { 0x03, 0x07, 0x0e, 0x1c, 0x7f, 0x83, 0xc0, 0xff };
	struct rig *r = rig_ready("");

	for (unsigned int i = 0; i < sizeof(opcodes); i++)
		assert_int_equal(bench_admin(r, opcodes[i], 0, 0, 0), NVME_SC_INVALID_OPCODE);
	rig_destroy(r);
}

static void sgls_and_fusing_are_not_for_admin_commands(void **state)
{
	static const uint8_t flags[] = { 0x40, 0x80, 0xc0, 0x01, 0x02 };
	struct rig *r = rig_ready("");

	for (unsigned int i = 0; i < sizeof(flags); i++) {
		struct nvme_sqe sqe = bench_sqe(r, NVME_ADMIN_IDENTIFY, 0, NVME_CNS_CTRL, 0);

		sqe.flags = flags[i];
		assert_int_equal(rig_run(r, 0, sqe, NULL), NVME_SC_INVALID_FIELD);
		assert_int_equal(bench_last_error(r).pel, 1);
	}
	rig_destroy(r);
}

static void the_opcode_is_looked_at_first(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_sqe sqe = { .opc = 0xff, .flags = 0x40 };

	assert_int_equal(rig_run(r, 0, sqe, NULL), NVME_SC_INVALID_OPCODE);
	rig_destroy(r);
}

static void a_failure_makes_an_error_log_entry(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_sqe sqe = bench_sqe(r, NVME_ADMIN_IDENTIFY, 77, 0xfe, 0);
	uint16_t cid = rig_put(r, 0, sqe);
	struct nvme_error_entry e;
	struct nvme_cqe cqe;

	rig_ring(r, 0);
	rig_step(r);
	assert_true(rig_reap(r, 0, &cqe));
	e = bench_last_error(r);

	assert_int_equal(NVME_GET(cqe.status, STATUS_M), 1);
	assert_int_equal(NVME_GET(cqe.status, STATUS_DNR), 1);
	assert_int_equal(e.error_count, 1);
	assert_int_equal(e.sqid, 0);
	assert_int_equal(e.cid, cid);
	assert_int_equal(e.status >> 1, cqe.status >> 1);
	assert_int_equal(e.pel, 40);
	assert_int_equal(e.nsid, 77);
	assert_int_equal(e.opc, NVME_ADMIN_IDENTIFY);
	rig_destroy(r);
}

static void a_doorbell_of_no_queue_is_an_error_event(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_error_entry e;

	bench_aers(r, 1);
	rig_set_reg(r, NVME_REG_DOORBELLS + 8 * 9, 1);

	assert_int_equal(bench_event(r),
			 BENCH_EVENT(NVME_AER_TYPE_ERROR, NVME_AER_ERROR_INVALID_DOORBELL_REG,
				     NVME_LOG_ERROR));
	e = bench_last_error(r);
	assert_int_equal(e.sqid, 9);
	assert_int_equal(e.cid, 0xffff);
	assert_int_equal(e.pel, 0xffff);
	rig_destroy(r);
}

static void a_wrong_doorbell_value_is_an_error_event(void **state)
{
	struct rig *r = rig_ready("");

	bench_aers(r, 1);
	rig_set_reg(r, NVME_REG_DOORBELLS + 8, RIG_DEPTH);

	assert_int_equal(bench_event(r),
			 BENCH_EVENT(NVME_AER_TYPE_ERROR, NVME_AER_ERROR_INVALID_DOORBELL_VALUE,
				     NVME_LOG_ERROR));
	assert_int_equal(bench_last_error(r).sqid, 1);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_opcodes_are_refused),
		cmocka_unit_test(sgls_and_fusing_are_not_for_admin_commands),
		cmocka_unit_test(the_opcode_is_looked_at_first),
		cmocka_unit_test(a_failure_makes_an_error_log_entry),
		cmocka_unit_test(a_doorbell_of_no_queue_is_an_error_event),
		cmocka_unit_test(a_wrong_doorbell_value_is_an_error_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
