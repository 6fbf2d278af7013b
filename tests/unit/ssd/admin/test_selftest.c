/* SPDX-License-Identifier: BSD-3-Clause */
/* Device Self-test and log page 06h. */
#include "bench.h"

static uint16_t start(struct rig *r, uint32_t stc, uint32_t nsid)
{
	return bench_admin(r, NVME_ADMIN_SELF_TEST, nsid, stc, 0);
}

static struct nvme_self_test *log_page(struct rig *r)
{
	return bench_log(r, NVME_LOG_SELF_TEST, sizeof(struct nvme_self_test));
}

/* The newest result, and that nothing runs. */
static uint8_t result(struct rig *r)
{
	struct nvme_self_test *l = log_page(r);

	assert_int_equal(l->dsto, 0);
	assert_int_equal(l->dstc, 0);
	return l->result[0].dsts;
}

static void a_new_drive_has_no_results(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_self_test *l = log_page(r);

	assert_int_equal(l->dsto, 0);
	for (unsigned int i = 0; i < 20; i++)
		assert_int_equal(l->result[i].dsts, NVME_DST_RESULT_UNUSED);
	rig_destroy(r);
}

static void tests_take_their_time(void **state)
{
	static const uint64_t seconds[] = { 0, 2, 4 };
	struct rig *r = rig_ready("");

	for (uint8_t stc = NVME_DST_SHORT; stc <= NVME_DST_EXTENDED; stc++) {
		struct nvme_self_test *l;

		assert_int_equal(start(r, stc, NVME_NSID_ALL), 0);
		rig_advance(r, seconds[stc] * SECOND_NS / 2);
		l = log_page(r);
		assert_int_equal(l->dsto, stc);
		assert_int_equal(l->dstc, 50);
		rig_advance(r, seconds[stc] * SECOND_NS / 2);
		assert_int_equal(result(r), stc << 4 | NVME_DST_RESULT_SUCCESS);
	}
	rig_destroy(r);
}

static void the_newest_result_comes_first(void **state)
{
	struct rig *r = rig_ready("dst_s=0.1,dst_extended_s=0.1");
	struct nvme_self_test *l;

	for (unsigned int i = 0; i < 22; i++) {
		assert_int_equal(start(r, i % 2 ? NVME_DST_EXTENDED : NVME_DST_SHORT, 1), 0);
		rig_advance(r, SECOND_NS);
	}

	l = log_page(r);
	for (unsigned int i = 0; i < 20; i++)
		assert_int_equal(l->result[i].dsts >> 4,
				 i % 2 ? NVME_DST_SHORT : NVME_DST_EXTENDED);
	assert_int_equal(l->result[0].nsid, 1);
	assert_true(l->result[0].vdi & NVME_DST_VALID_NSID);
	rig_destroy(r);
}

static void one_runs_at_a_time(void **state)
{
	struct rig *r = rig_ready("");

	assert_int_equal(start(r, NVME_DST_SHORT, 1), 0);
	assert_int_equal(start(r, NVME_DST_EXTENDED, 1), NVME_SC_SELF_TEST_IN_PROGRESS);
	assert_int_equal(start(r, NVME_DST_ABORT, 1), 0);
	assert_int_equal(result(r), NVME_DST_SHORT << 4 | NVME_DST_RESULT_ABORTED_DST);
	rig_destroy(r);
}

static void aborting_none_is_no_result(void **state)
{
	struct rig *r = rig_ready("");

	assert_int_equal(start(r, NVME_DST_ABORT, NVME_NSID_ALL), 0);
	assert_int_equal(result(r), NVME_DST_RESULT_UNUSED);
	rig_destroy(r);
}

static void fields_are_checked_in_order(void **state)
{
	struct rig *r = rig_ready("ns=2");

	assert_int_equal(start(r, 0, 99), NVME_SC_INVALID_FIELD);
	assert_int_equal(start(r, 3, 1), NVME_SC_INVALID_FIELD);
	assert_int_equal(start(r, 0xe, 1), NVME_SC_INVALID_FIELD);
	assert_int_equal(start(r, NVME_DST_SHORT, 3), NVME_SC_INVALID_NS);
	assert_int_equal(bench_admin(r, NVME_ADMIN_NS_MANAGEMENT, 2, NVME_NS_MGMT_DELETE, 0), 0);
	assert_int_equal(start(r, NVME_DST_SHORT, 2), NVME_SC_INVALID_FIELD);
	assert_int_equal(start(r, NVME_DST_SHORT, 0), 0);
	rig_destroy(r);
}

static void a_reset_ends_a_short_test(void **state)
{
	for (enum bench_reset how = 0; how < BENCH_WAYS; how++) {
		struct rig *r = rig_ready("");

		assert_int_equal(start(r, NVME_DST_SHORT, 1), 0);
		bench_reset(r, how);
		assert_int_equal(result(r), NVME_DST_SHORT << 4 | NVME_DST_RESULT_ABORTED_CLR);
		rig_destroy(r);
	}
}

static void an_extended_test_goes_on(void **state)
{
	for (enum bench_reset how = 0; how < BENCH_WAYS; how++) {
		struct rig *r = rig_ready("");

		assert_int_equal(start(r, NVME_DST_EXTENDED, 1), 0);
		rig_advance(r, SECOND_NS);
		bench_reset(r, how);
		assert_int_equal(log_page(r)->dsto, NVME_DST_EXTENDED);
		assert_int_equal(log_page(r)->dstc, 25);
		rig_advance(r, 2 * SECOND_NS);
		assert_int_equal(log_page(r)->dsto, NVME_DST_EXTENDED);
		rig_advance(r, SECOND_NS);
		assert_int_equal(result(r), NVME_DST_EXTENDED << 4);
		rig_destroy(r);
	}
}

static void format_sanitize_and_deletion_end_a_test(void **state)
{
	struct rig *r = rig_ready("sanitize_s=0.1");

	assert_int_equal(start(r, NVME_DST_EXTENDED, 1), 0);
	assert_int_equal(bench_admin(r, NVME_ADMIN_FORMAT, 1, 0, 0), 0);
	assert_int_equal(result(r), NVME_DST_EXTENDED << 4 | NVME_DST_RESULT_ABORTED_FMT);
	assert_int_equal(start(r, NVME_DST_EXTENDED, 1), 0);
	assert_int_equal(bench_admin(r, NVME_ADMIN_SANITIZE, 0, NVME_SANACT_BLOCK_ERASE, 0), 0);
	rig_advance(r, SECOND_NS);
	assert_int_equal(result(r), NVME_DST_EXTENDED << 4 | NVME_DST_RESULT_ABORTED_SAN);
	assert_int_equal(start(r, NVME_DST_EXTENDED, 1), 0);
	assert_int_equal(bench_admin(r, NVME_ADMIN_NS_MANAGEMENT, 1, NVME_NS_MGMT_DELETE, 0), 0);
	assert_int_equal(result(r), NVME_DST_EXTENDED << 4 | NVME_DST_RESULT_ABORTED_NS);
	rig_destroy(r);
}

static void a_result_tells_the_hours_with_power(void **state)
{
	struct rig *r = rig_ready("");

	r->now_ns += 3600 * SECOND_NS;
	assert_int_equal(start(r, NVME_DST_SHORT, 1), 0);
	bench_reset(r, BENCH_POWER);
	assert_int_equal(log_page(r)->result[0].poh, 1);
	rig_destroy(r);
}

static void extended_time_is_in_minutes(void **state)
{
	struct rig *r = rig_ready("dst_extended_s=61");
	struct nvme_id_ctrl *id = bench_identify(r, 0, NVME_CNS_CTRL);

	assert_int_equal(id->edstt, 2);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_drive_has_no_results),
		cmocka_unit_test(tests_take_their_time),
		cmocka_unit_test(the_newest_result_comes_first),
		cmocka_unit_test(one_runs_at_a_time),
		cmocka_unit_test(aborting_none_is_no_result),
		cmocka_unit_test(fields_are_checked_in_order),
		cmocka_unit_test(a_reset_ends_a_short_test),
		cmocka_unit_test(an_extended_test_goes_on),
		cmocka_unit_test(format_sanitize_and_deletion_end_a_test),
		cmocka_unit_test(a_result_tells_the_hours_with_power),
		cmocka_unit_test(extended_time_is_in_minutes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
