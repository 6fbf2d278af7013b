/* SPDX-License-Identifier: BSD-3-Clause */
/* Security Send and Receive, Directives, Get LBA Status. */
#include "bench.h"

static void protocol_00h_lists_itself(void **state)
{
	struct rig *r = rig_ready("");

	memset(r->buf, 0xee, 1024);
	assert_int_equal(bench_admin(r, NVME_ADMIN_SECURITY_RECEIVE, 0, 0, 512), 0);
	assert_int_equal(r->buf[7], 1);
	assert_int_equal(r->buf[8], 0);
	assert_int_equal(r->buf[512], 0xee);
	assert_int_equal(bench_admin(r, NVME_ADMIN_SECURITY_RECEIVE, 0, 1 << 8, 512), 0);
	assert_int_equal(bench_admin(r, NVME_ADMIN_SECURITY_RECEIVE, 0, 0, 0), 0);
	rig_destroy(r);
}

static void other_protocols_are_refused(void **state)
{
	struct rig *r = rig_ready("");

	assert_int_equal(bench_admin(r, NVME_ADMIN_SECURITY_RECEIVE, 0, 1u << 24, 512),
			 NVME_SC_INVALID_FIELD);
	assert_int_equal(bench_admin(r, NVME_ADMIN_SECURITY_RECEIVE, 0, 2 << 8, 512),
			 NVME_SC_INVALID_FIELD);
	assert_int_equal(bench_admin(r, NVME_ADMIN_SECURITY_SEND, 0, 1u << 24, 512),
			 NVME_SC_INVALID_FIELD);
	assert_int_equal(bench_last_error(r).pel, 43);
	rig_destroy(r);
}

static void the_identify_directive_is_on(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_directives *d = (void *)r->buf;

	assert_int_equal(bench_admin(r, NVME_ADMIN_DIRECTIVE_RECEIVE, 1, 1023, 1), 0);
	assert_int_equal(d->supported[0], 1);
	assert_int_equal(d->enabled[0], 1);
	rig_destroy(r);
}

static void directives_are_checked(void **state)
{
	struct rig *r = rig_ready("ns=2");
	struct nvme_sqe enable = bench_sqe(r, NVME_ADMIN_DIRECTIVE_SEND, 1, 0, 1);

	assert_int_equal(bench_admin(r, NVME_ADMIN_DIRECTIVE_RECEIVE, 3, 1023, 1),
			 NVME_SC_INVALID_NS);
	assert_int_equal(bench_admin(r, NVME_ADMIN_DIRECTIVE_RECEIVE, 1, 1023, 2),
			 NVME_SC_INVALID_FIELD);
	assert_int_equal(bench_admin(r, NVME_ADMIN_DIRECTIVE_RECEIVE, 1, 1023, 1 << 8 | 1),
			 NVME_SC_INVALID_FIELD);
	enable.cdw12 = 1;
	assert_int_equal(rig_run(r, 0, enable, NULL), 0);
	enable.cdw12 = 0;
	assert_int_equal(rig_run(r, 0, enable, NULL), NVME_SC_INVALID_FIELD);
	enable.cdw12 = 1 << 8 | 1;
	assert_int_equal(rig_run(r, 0, enable, NULL), NVME_SC_INVALID_FIELD);
	rig_destroy(r);
}

static struct nvme_sqe lba_status(struct rig *r, uint64_t slba, uint32_t bytes, uint32_t rl)
{
	struct nvme_sqe sqe =
		bench_sqe(r, NVME_ADMIN_GET_LBA_STATUS, 1, (uint32_t)slba, (uint32_t)(slba >> 32));

	sqe.cdw12 = bytes / 4 - 1;
	sqe.cdw13 = NVME_LBA_STATUS_ATYPE_SCAN << 24 | rl;
	return sqe;
}

static void spoil(struct rig *r, uint64_t slba, uint32_t nlb)
{
	struct nvme_sqe sqe = rig_rw(NVME_CMD_WRITE_UNCORRECTABLE, slba, nlb, NULL);

	sqe.prp1 = 0;
	sqe.prp2 = 0;
	assert_int_equal(rig_run(r, 1, sqe, NULL), 0);
}

static void bad_lbas_are_found(void **state)
{
	struct rig *r = rig_ready("size=64M");
	struct nvme_lba_status_list *list = (void *)r->buf;

	spoil(r, 5, 3);
	spoil(r, 1000, 1);
	assert_int_equal(rig_run(r, 0, lba_status(r, 0, 4096, 0), NULL), 0);
	assert_int_equal(list->nlsd, 2);
	assert_int_equal(list->cmpc, 1);
	assert_int_equal(list->desc[0].dslba, 5);
	assert_int_equal(list->desc[0].nlb, 3);
	assert_int_equal(list->desc[1].dslba, 1000);
	/* room for one */
	assert_int_equal(rig_run(r, 0, lba_status(r, 0, 24, 0), NULL), 0);
	assert_int_equal(list->nlsd, 1);
	assert_int_equal(list->cmpc, 2);
	/* a shorter range */
	assert_int_equal(rig_run(r, 0, lba_status(r, 6, 4096, 10), NULL), 0);
	assert_int_equal(list->nlsd, 1);
	assert_int_equal(list->desc[0].dslba, 6);
	assert_int_equal(list->desc[0].nlb, 2);
	rig_destroy(r);
}

static void lba_status_is_checked(void **state)
{
	struct rig *r = rig_ready("size=64M");
	struct nvme_sqe sqe = lba_status(r, 0, 4096, 0);

	sqe.nsid = 2;
	assert_int_equal(rig_run(r, 0, sqe, NULL), NVME_SC_INVALID_NS);
	sqe = lba_status(r, 0, 4096, 0);
	sqe.cdw13 = 0x12u << 24;
	assert_int_equal(rig_run(r, 0, sqe, NULL), NVME_SC_INVALID_FIELD);
	assert_int_equal(rig_run(r, 0, lba_status(r, 0, 4, 0), NULL), NVME_SC_INVALID_FIELD);
	assert_int_equal(rig_run(r, 0, lba_status(r, 131072, 4096, 0), NULL),
			 NVME_SC_LBA_OUT_OF_RANGE);
	assert_int_equal(rig_run(r, 0, lba_status(r, 1ull << 33, 4096, 0), NULL),
			 NVME_SC_LBA_OUT_OF_RANGE);
	bench_start(r, bench_sqe(r, NVME_ADMIN_FORMAT, 1, NVME_FORMAT_SES_USER << 9, 0));
	bench_start(r, lba_status(r, 0, 4096, 0));
	assert_int_equal(bench_end(r, NULL), NVME_SC_FORMAT_IN_PROGRESS);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(protocol_00h_lists_itself),
		cmocka_unit_test(other_protocols_are_refused),
		cmocka_unit_test(the_identify_directive_is_on),
		cmocka_unit_test(directives_are_checked),
		cmocka_unit_test(bad_lbas_are_found),
		cmocka_unit_test(lba_status_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
