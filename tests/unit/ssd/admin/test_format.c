/* SPDX-License-Identifier: BSD-3-Clause */
/* Format NVM. */
#include "bench.h"

#define SES_USER (NVME_FORMAT_SES_USER << NVME_FORMAT_SES_SHIFT)

static uint16_t format(struct rig *r, uint32_t nsid, uint32_t cdw10)
{
	return bench_admin(r, NVME_ADMIN_FORMAT, nsid, cdw10, 0);
}

static void fill(struct rig *r)
{
	memset(r->buf2, 0x55, 4096);
	assert_int_equal(rig_write(r, 0, 1, r->buf2), 0);
}

static void assert_zeros(struct rig *r)
{
	assert_int_equal(rig_read(r, 0, 1, r->buf2), 0);
	for (unsigned int i = 0; i < 512; i++)
		assert_int_equal(r->buf2[i], 0);
}

static void without_erase_it_takes_no_time(void **state)
{
	struct rig *r = rig_ready("");
	uint64_t begin;

	fill(r);
	begin = r->now_ns;
	assert_int_equal(format(r, 1, 0), 0);
	assert_int_equal(r->now_ns, begin);
	assert_zeros(r);
	rig_destroy(r);
}

static void user_data_erase_takes_erase_s(void **state)
{
	struct rig *r = rig_ready("erase_s=3");
	uint64_t begin;

	fill(r);
	begin = r->now_ns;
	assert_int_equal(format(r, NVME_NSID_ALL, SES_USER), 0);
	assert_int_equal(r->now_ns - begin, 3 * SECOND_NS);
	assert_zeros(r);
	rig_destroy(r);
}

static void progress_is_in_fpi(void **state)
{
	struct rig *r = rig_ready("erase_s=10");
	struct nvme_id_ns *id = bench_identify(r, 1, NVME_CNS_NS);

	assert_int_equal(id->fpi, 0x80);
	bench_start(r, bench_sqe(r, NVME_ADMIN_FORMAT, 1, SES_USER, 0));
	rig_advance(r, 4 * SECOND_NS);
	id = bench_identify(r, 1, NVME_CNS_NS);
	assert_int_equal(id->fpi, 0x80 | 60);
	rig_advance(r, 6 * SECOND_NS);
	assert_int_equal(bench_end(r, NULL), 0);
	id = bench_identify(r, 1, NVME_CNS_NS);
	assert_int_equal(id->fpi, 0x80);
	rig_destroy(r);
}

static void what_fails_meanwhile_may_be_tried_again(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_cqe cqe;

	bench_start(r, bench_sqe(r, NVME_ADMIN_FORMAT, 1, SES_USER, 0));
	rig_put(r, 1, rig_rw(NVME_CMD_READ, 0, 1, r->buf2));
	rig_ring(r, 1);
	rig_step(r);
	assert_true(rig_reap(r, 1, &cqe));
	assert_int_equal(NVME_GET(cqe.status, STATUS_SC11), NVME_SC_FORMAT_IN_PROGRESS);
	assert_int_equal(NVME_GET(cqe.status, STATUS_DNR), 0);
	/* unlike what will never do */
	rig_put(r, 1, rig_rw(0xff, 0, 1, r->buf2));
	rig_ring(r, 1);
	rig_step(r);
	assert_true(rig_reap(r, 1, &cqe));
	assert_int_equal(NVME_GET(cqe.status, STATUS_DNR), 1);
	rig_destroy(r);
}

static void its_namespace_is_out_of_reach_meanwhile(void **state)
{
	struct rig *r = rig_ready("ns=2,size=64M");
	struct nvme_sqe other = rig_rw(NVME_CMD_READ, 0, 1, r->buf2);

	other.nsid = 2;
	bench_start(r, bench_sqe(r, NVME_ADMIN_FORMAT, 1, SES_USER, 0));
	assert_int_equal(rig_read(r, 0, 1, r->buf2), NVME_SC_FORMAT_IN_PROGRESS);
	assert_int_equal(rig_run(r, 1, other, NULL), 0);
	bench_start(r, bench_sqe(r, NVME_ADMIN_FORMAT, 2, 0, 0));
	assert_int_equal(bench_end(r, NULL), NVME_SC_FORMAT_IN_PROGRESS);
	bench_start(r, bench_sqe(r, NVME_ADMIN_NS_MANAGEMENT, 1, NVME_NS_MGMT_DELETE, 0));
	assert_int_equal(bench_end(r, NULL), NVME_SC_FORMAT_IN_PROGRESS);
	rig_advance(r, 6 * SECOND_NS);
	assert_int_equal(bench_end(r, NULL), 0);
	assert_int_equal(rig_read(r, 0, 1, r->buf2), 0);
	rig_destroy(r);
}

static void the_format_index_sets_the_lba_size(void **state)
{
	struct rig *r = rig_ready("size=64M,ms=8");
	struct nvme_id_ns *id;

	assert_int_equal(format(r, 1, 1), 0);
	id = bench_identify(r, 1, NVME_CNS_NS);
	assert_int_equal(id->nsze, 64 * 1024 / 4);
	assert_int_equal(id->flbas, 1);
	assert_int_equal(id->lbaf[1].ds, 12);
	/* metadata interleaved, PI type 1 in its first bytes */
	assert_int_equal(format(r, 1, 2 | 1 << 4 | 1 << 5 | 1 << 8), 0);
	id = bench_identify(r, 1, NVME_CNS_NS);
	assert_int_equal(id->nsze, 64 * 1024 * 2);
	assert_int_equal(id->flbas, 2 | NVME_FLBAS_EXT);
	assert_int_equal(id->dps, 1 | NVME_DPS_FIRST);
	rig_destroy(r);
}

static void fields_are_checked(void **state)
{
	struct rig *r = rig_ready("ns=2,size=64M");

	assert_int_equal(format(r, 0, 0), NVME_SC_INVALID_NS);
	assert_int_equal(format(r, 3, 0xffff), NVME_SC_INVALID_NS);
	assert_int_equal(format(r, 1, NVME_FORMAT_SES_CRYPTO << 9 | 5), NVME_SC_INVALID_FIELD);
	assert_int_equal(format(r, 1, 3 << 9), NVME_SC_INVALID_FIELD);
	assert_int_equal(format(r, 1, 2), NVME_SC_INVALID_FORMAT);
	assert_int_equal(format(r, 1, 1 << 12), NVME_SC_INVALID_FORMAT);
	assert_int_equal(format(r, 1, 1 << 5), NVME_SC_INVALID_FORMAT);
	assert_int_equal(bench_admin(r, NVME_ADMIN_NS_MANAGEMENT, 2, NVME_NS_MGMT_DELETE, 0), 0);
	assert_int_equal(format(r, 2, 0), NVME_SC_INVALID_FIELD);
	rig_destroy(r);
}

static void resets_and_power_loss_do_not_stop_it(void **state)
{
	for (enum bench_reset how = 0; how < BENCH_WAYS; how++) {
		struct rig *r = rig_ready("");

		fill(r);
		bench_start(r, bench_sqe(r, NVME_ADMIN_FORMAT, 1, SES_USER, 0));
		rig_advance(r, 2 * SECOND_NS);
		bench_reset(r, how);
		assert_int_equal(rig_read(r, 0, 1, r->buf2), NVME_SC_FORMAT_IN_PROGRESS);
		rig_advance(r, 4 * SECOND_NS);
		assert_zeros(r);
		rig_destroy(r);
	}
}

static void changes_are_announced_when_asked_for(void **state)
{
	struct rig *r = rig_ready("erase_s=1");
	uint32_t *changed;

	assert_int_equal(bench_set_feature(r, NVME_FEAT_ASYNC_EVENT, NVME_OAES_NS_ATTR), 0);
	bench_aers(r, 2);
	bench_start(r, bench_sqe(r, NVME_ADMIN_FORMAT, 1, SES_USER, 0));
	assert_int_equal(bench_event(r),
			 BENCH_EVENT(NVME_AER_TYPE_NOTICE, NVME_AER_NOTICE_NS_CHANGED,
				     NVME_LOG_CHANGED_NS));
	changed = bench_log(r, NVME_LOG_CHANGED_NS, 4096);
	assert_int_equal(changed[0], 1);
	assert_int_equal(changed[1], 0);
	rig_advance(r, SECOND_NS);
	assert_int_equal(bench_event(r),
			 BENCH_EVENT(NVME_AER_TYPE_NOTICE, NVME_AER_NOTICE_NS_CHANGED,
				     NVME_LOG_CHANGED_NS));
	rig_destroy(r);
}

static void an_aborted_format_goes_on(void **state)
{
	struct rig *r = rig_ready("erase_s=1");
	uint16_t cid = rig_put(r, 0, bench_sqe(r, NVME_ADMIN_FORMAT, 1, SES_USER, 0));
	struct nvme_sqe abort = { .opc = NVME_ADMIN_ABORT, .cdw10 = (uint32_t)cid << 16 };

	bench_start(r, abort);
	assert_int_equal(bench_end(r, NULL), NVME_SC_ABORT_REQUESTED);
	assert_int_equal(bench_end(r, NULL), 0);
	assert_int_equal(rig_read(r, 0, 1, r->buf2), NVME_SC_FORMAT_IN_PROGRESS);
	rig_advance(r, SECOND_NS);
	assert_int_equal(rig_read(r, 0, 1, r->buf2), 0);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_erase_it_takes_no_time),
		cmocka_unit_test(user_data_erase_takes_erase_s),
		cmocka_unit_test(progress_is_in_fpi),
		cmocka_unit_test(its_namespace_is_out_of_reach_meanwhile),
		cmocka_unit_test(the_format_index_sets_the_lba_size),
		cmocka_unit_test(fields_are_checked),
		cmocka_unit_test(resets_and_power_loss_do_not_stop_it),
		cmocka_unit_test(changes_are_announced_when_asked_for),
		cmocka_unit_test(an_aborted_format_goes_on),
		cmocka_unit_test(what_fails_meanwhile_may_be_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
