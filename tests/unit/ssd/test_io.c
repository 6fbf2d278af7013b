/* SPDX-License-Identifier: BSD-3-Clause */
/* IO commands: their checks in order, and what they do. */
#include "rig.h"

#define LBAS 41943288ull

static uint16_t run(struct rig *r, struct nvme_sqe sqe)
{
	return rig_run(r, 1, sqe, NULL);
}

static uint16_t rw(struct rig *r, uint8_t opc, uint64_t slba, uint32_t nlb)
{
	return run(r, rig_rw(opc, slba, nlb, r->buf));
}

static void opcodes_that_are_none_are_refused(void **state)
{
	struct rig *r = rig_ready("latency=none");

	assert_int_equal(rw(r, 0xff, 0, 1), NVME_SC_INVALID_OPCODE);
	assert_int_equal(rw(r, 0x03, 0, 1), NVME_SC_INVALID_OPCODE);
	assert_int_equal(rig_run(r, 0, (struct nvme_sqe){ .opc = 0xff }, NULL),
			 NVME_SC_INVALID_OPCODE);
	rig_destroy(r);
}

static void the_opcode_is_checked_before_the_namespace(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct nvme_sqe sqe = rig_rw(0xff, 0, 1, r->buf);

	sqe.nsid = 0;
	assert_int_equal(run(r, sqe), NVME_SC_INVALID_OPCODE);
	rig_destroy(r);
}

static void invalid_namespaces_are_refused(void **state)
{
	static const uint8_t opcodes[] = {
		NVME_CMD_WRITE,	  NVME_CMD_READ,	 NVME_CMD_WRITE_UNCORRECTABLE,
		NVME_CMD_COMPARE, NVME_CMD_WRITE_ZEROES, NVME_CMD_DSM,
		NVME_CMD_VERIFY,  NVME_CMD_COPY
	};
	struct rig *r = rig_ready("latency=none");
	const uint32_t nsids[] = { 0, 2, 33, 0x80000001, NVME_NSID_ALL };

	for (unsigned int i = 0; i < 5 * sizeof(opcodes); i++) {
		struct nvme_sqe sqe = rig_rw(opcodes[i / 5], 0, 1, r->buf);

		sqe.nsid = nsids[i % 5];
		assert_int_equal(run(r, sqe), NVME_SC_INVALID_NS);
	}
	rig_destroy(r);
}

/* Null media without latency: the shortest path has the same checks. */
static void the_direct_path_checks_the_same(void **state)
{
	struct rig *r = rig_ready("latency=none,media=null,ns=2");
	struct nvme_sqe sqe = rig_rw(NVME_CMD_READ, 0, 8, r->buf);

	assert_int_equal(run(r, sqe), 0);
	sqe.nsid = 33;
	assert_int_equal(run(r, sqe), NVME_SC_INVALID_NS);
	sqe.nsid = 3;
	assert_int_equal(run(r, sqe), NVME_SC_INVALID_NS);
	assert_int_equal(rw(r, NVME_CMD_READ, LBAS - 1, 2), NVME_SC_LBA_OUT_OF_RANGE);
	assert_int_equal(rw(r, NVME_CMD_WRITE, LBAS, 1), NVME_SC_LBA_OUT_OF_RANGE);
	assert_int_equal(run(r, rig_rw(NVME_CMD_READ, 0, 1, r->buf + 2)),
			 NVME_SC_PRP_INVALID_OFFSET);
	assert_int_equal(run(r, rig_rw(NVME_CMD_READ, 0, 1, (void *)8)),
			 NVME_SC_DATA_TRANSFER_ERROR);
	sqe = rig_rw(NVME_CMD_READ, 0, 8, r->buf);
	sqe.flags = NVME_SQE_FUSE_FIRST;
	assert_int_equal(run(r, sqe), NVME_SC_INVALID_FIELD);
	rig_destroy(r);
}

static void fused_and_reserved_pointers_are_refused(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct nvme_sqe sqe = rig_rw(NVME_CMD_READ, 0, 1, r->buf);

	sqe.flags = NVME_SQE_FUSE_FIRST;
	assert_int_equal(run(r, sqe), NVME_SC_INVALID_FIELD);
	sqe.flags = 3 << NVME_SQE_PSDT_SHIFT;
	assert_int_equal(run(r, sqe), NVME_SC_INVALID_FIELD);
	rig_destroy(r);
}

static void ranges_end_at_the_capacity(void **state)
{
	struct rig *r = rig_ready("latency=none");
	const uint8_t opcodes[] = { NVME_CMD_READ,
				    NVME_CMD_WRITE,
				    NVME_CMD_COMPARE,
				    NVME_CMD_WRITE_ZEROES,
				    NVME_CMD_WRITE_UNCORRECTABLE,
				    NVME_CMD_VERIFY };

	for (unsigned int i = 0; i < sizeof(opcodes); i++) {
		assert_int_equal(rw(r, opcodes[i], LBAS, 1), NVME_SC_LBA_OUT_OF_RANGE);
		assert_int_equal(rw(r, opcodes[i], LBAS - 1, 2), NVME_SC_LBA_OUT_OF_RANGE);
		assert_int_equal(rw(r, opcodes[i], UINT64_MAX, 2), NVME_SC_LBA_OUT_OF_RANGE);
	}
	assert_int_equal(rw(r, NVME_CMD_WRITE, LBAS - 2, 2), 0);
	assert_int_equal(rw(r, NVME_CMD_READ, LBAS - 2, 2), 0);
	rig_destroy(r);
}

static void transfers_end_at_mdts(void **state)
{
	struct rig *r = rig_ready("latency=none,mdts=128K");

	assert_int_equal(rig_write(r, 0, 256, r->buf), 0);
	assert_int_equal(rig_write(r, 0, 257, r->buf), NVME_SC_INVALID_FIELD);
	assert_int_equal(rig_read(r, 0, 257, r->buf), NVME_SC_INVALID_FIELD);
	/* and before the range is looked at */
	assert_int_equal(rig_read(r, LBAS, 257, r->buf), NVME_SC_INVALID_FIELD);
	rig_destroy(r);
}

static void a_failure_is_in_the_error_log_with_its_lba(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct nvme_error_entry *e = (struct nvme_error_entry *)r->buf2;

	rw(r, NVME_CMD_READ, LBAS + 5, 1);
	assert_int_equal(rig_log(r, NVME_LOG_ERROR, e, 128), 0);

	assert_int_equal(e[0].error_count, 1);
	assert_int_equal(e[0].sqid, 1);
	assert_int_equal(e[0].lba, LBAS + 5);
	assert_int_equal(e[0].nsid, 1);
	assert_int_equal(NVME_GET(e[0].status, STATUS_SC11), NVME_SC_LBA_OUT_OF_RANGE);
	assert_int_equal(e[1].error_count, 0);
	rig_destroy(r);
}

static void compare_tells_equal_from_different(void **state)
{
	struct rig *r = rig_ready("latency=none");

	memset(r->buf, 0x3c, 4096);
	assert_int_equal(rw(r, NVME_CMD_WRITE, 10, 8), 0);
	assert_int_equal(rw(r, NVME_CMD_COMPARE, 10, 8), 0);
	r->buf[4095] ^= 1;
	assert_int_equal(rw(r, NVME_CMD_COMPARE, 10, 8), NVME_SC_COMPARE_FAILURE);
	rig_destroy(r);
}

static void uncorrectable_lbas_fail_one_by_one(void **state)
{
	struct rig *r = rig_ready("latency=none");

	assert_int_equal(rw(r, NVME_CMD_WRITE, 0, 8), 0);
	assert_int_equal(rw(r, NVME_CMD_WRITE_UNCORRECTABLE, 3, 1), 0);

	for (unsigned int lba = 0; lba < 8; lba++)
		assert_int_equal(rw(r, NVME_CMD_READ, lba, 1),
				 lba == 3 ? NVME_SC_UNRECOVERED_READ : 0);
	assert_int_equal(rw(r, NVME_CMD_READ, 0, 8), NVME_SC_UNRECOVERED_READ);
	assert_int_equal(rw(r, NVME_CMD_VERIFY, 0, 8), NVME_SC_UNRECOVERED_READ);
	assert_int_equal(rw(r, NVME_CMD_WRITE, 3, 1), 0);
	assert_int_equal(rw(r, NVME_CMD_READ, 0, 8), 0);
	rig_destroy(r);
}

static void write_zeroes_zeroes(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct nvme_sqe sqe = rig_rw(NVME_CMD_WRITE_ZEROES, 2, 4, NULL);

	memset(r->buf, 0xaa, 4096);
	memset(r->buf2, 0, 4096);
	for (int deac = 0; deac < 2; deac++) {
		assert_int_equal(rig_write(r, 0, 8, r->buf), 0);
		sqe.cdw12 |= (uint32_t)NVME_SET(deac, RW_DEAC);
		assert_int_equal(run(r, sqe), 0);
		assert_int_equal(rig_read(r, 0, 8, r->buf2), 0);
		assert_memory_equal(r->buf2, r->buf, 1024);
		for (unsigned int i = 1024; i < 3072; i++)
			assert_int_equal(r->buf2[i], 0);
		assert_memory_equal(r->buf2 + 3072, r->buf, 1024);
	}
	rig_destroy(r);
}

static void a_long_write_zeroes_is_no_transfer(void **state)
{
	struct rig *r = rig_ready("latency=none,mdts=8K");

	memset(r->buf, 0xaa, 4096);
	assert_int_equal(rig_write(r, 65530, 1, r->buf), 0);
	assert_int_equal(rw(r, NVME_CMD_WRITE_ZEROES, 0, 65536), 0);
	assert_int_equal(rig_read(r, 65530, 1, r->buf2), 0);
	assert_int_equal(r->buf2[100], 0);
	rig_destroy(r);
}

static uint16_t dsm(struct rig *r, uint32_t n, uint32_t attr)
{
	return run(r, (struct nvme_sqe){ .opc = NVME_CMD_DSM,
					 .nsid = 1,
					 .prp1 = (uintptr_t)r->buf2,
					 .cdw10 = n - 1,
					 .cdw11 = attr });
}

static void a_compare_names_the_lba_that_differs(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct nvme_error_entry *e = (struct nvme_error_entry *)r->buf2;

	memset(r->buf, 0x5a, 4096);
	assert_int_equal(rig_write(r, 40, 8, r->buf), 0);
	r->buf[3 * 512 + 100] ^= 1;
	assert_int_equal(rw(r, NVME_CMD_COMPARE, 40, 8), NVME_SC_COMPARE_FAILURE);
	assert_int_equal(rig_log(r, NVME_LOG_ERROR, e, 64), 0);
	assert_int_equal(e->lba, 43);
	rig_destroy(r);
}

static void deallocated_lbas_read_zeros(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct nvme_dsm_range *range = (struct nvme_dsm_range *)r->buf2;

	memset(r->buf, 0x5a, 4096);
	assert_int_equal(rig_write(r, 0, 8, r->buf), 0);
	range[0] = (struct nvme_dsm_range){ .slba = 1, .nlb = 2 };
	range[1] = (struct nvme_dsm_range){ .slba = 6, .nlb = 1 };
	assert_int_equal(dsm(r, 2, 0), 0); /* hints only */
	assert_int_equal(rw(r, NVME_CMD_COMPARE, 0, 8), 0);
	assert_int_equal(dsm(r, 2, NVME_DSM_AD), 0);
	assert_int_equal(rig_read(r, 0, 8, r->buf), 0);

	for (unsigned int lba = 0; lba < 8; lba++)
		assert_int_equal(r->buf[lba * 512], lba == 1 || lba == 2 || lba == 6 ? 0 : 0x5a);
	rig_destroy(r);
}

static void a_dsm_out_of_range_does_nothing(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct nvme_dsm_range *range = (struct nvme_dsm_range *)r->buf2;

	memset(r->buf, 0x5a, 512);
	assert_int_equal(rig_write(r, 0, 1, r->buf), 0);
	range[0] = (struct nvme_dsm_range){ .slba = 0, .nlb = 1 };
	range[1] = (struct nvme_dsm_range){ .slba = LBAS, .nlb = 1 };

	assert_int_equal(dsm(r, 2, NVME_DSM_AD), NVME_SC_LBA_OUT_OF_RANGE);
	assert_int_equal(rw(r, NVME_CMD_COMPARE, 0, 1), 0);
	rig_destroy(r);
}

static void unmapped_reads_fail_when_asked_to(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct nvme_sqe set = { .opc = NVME_ADMIN_SET_FEATURES, .nsid = 1, .cdw10 = 5 };

	set.cdw11 = 1 << 16;
	assert_int_equal(rw(r, NVME_CMD_READ, 0, 8), 0);
	assert_int_equal(rig_run(r, 0, set, NULL), 0);
	assert_int_equal(rw(r, NVME_CMD_READ, 0, 8), NVME_SC_DEALLOCATED);
	assert_int_equal(rw(r, NVME_CMD_WRITE, 0, 8), 0);
	assert_int_equal(rw(r, NVME_CMD_READ, 0, 8), 0);
	assert_int_equal(rw(r, NVME_CMD_READ, 0, 9), NVME_SC_DEALLOCATED);
	rig_destroy(r);
}

static uint16_t copy(struct rig *r, uint64_t dlba, uint32_t n, uint32_t more)
{
	struct nvme_sqe sqe = { .opc = NVME_CMD_COPY, .nsid = 1, .prp1 = (uintptr_t)r->buf2 };

	sqe.cdw10 = (uint32_t)dlba;
	sqe.cdw11 = (uint32_t)(dlba >> 32);
	sqe.cdw12 = (n - 1) | more;
	return run(r, sqe);
}

static void copy_gathers_its_ranges(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct nvme_copy_range *range = (struct nvme_copy_range *)r->buf2;

	for (unsigned int i = 0; i < 4096; i++)
		r->buf[i] = (uint8_t)(i / 512 + 1);
	assert_int_equal(rig_write(r, 0, 8, r->buf), 0);
	range[0] = (struct nvme_copy_range){ .slba = 6, .nlb = 1 };
	range[1] = (struct nvme_copy_range){ .slba = 0, .nlb = 0 };
	assert_int_equal(copy(r, 100, 2, 0), 0);
	assert_int_equal(rig_read(r, 100, 3, r->buf), 0);

	assert_int_equal(r->buf[0], 7);
	assert_int_equal(r->buf[512], 8);
	assert_int_equal(r->buf[1024], 1);
	rig_destroy(r);
}

static void copy_takes_128_ranges(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct nvme_copy_range *range = (struct nvme_copy_range *)r->buf2;

	for (uint32_t i = 0; i < 128; i++)
		range[i] = (struct nvme_copy_range){ .slba = i };
	assert_int_equal(copy(r, 1000, 128, 0), 0);
	rig_destroy(r);
}

/* Each limit of Copy is reached, and one more is refused. */
static void copy_has_the_limits_that_identify_tells(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct nvme_copy_range *range = (struct nvme_copy_range *)r->buf2;
	struct nvme_id_ns id;
	uint32_t full;

	assert_int_equal(rig_identify(r, 1, NVME_CNS_NS, r->buf), 0);
	memcpy(&id, r->buf, sizeof(id));
	memset(range, 0, 4096);
	assert_int_equal(copy(r, 5000, id.msrc + 1u, 0), 0);
	assert_int_equal(copy(r, 5000, id.msrc + 2u, 0), NVME_SC_SIZE_LIMIT_EXCEEDED);
	range[0].nlb = (uint16_t)(id.mssrl - 1);
	assert_int_equal(copy(r, 5000, 1, 0), 0);
	range[0].nlb++;
	assert_int_equal(copy(r, 5000, 1, 0), NVME_SC_SIZE_LIMIT_EXCEEDED);
	full = id.mcl / id.mssrl;
	for (uint32_t i = 0; i < full; i++)
		range[i].nlb = (uint16_t)(id.mssrl - 1);
	assert_int_equal(copy(r, 5000, full, 0), 0);
	range[full].nlb = 0;
	assert_int_equal(copy(r, 5000, full + 1, 0), NVME_SC_SIZE_LIMIT_EXCEEDED);
	rig_destroy(r);
}

static void each_wrong_copy_has_its_status(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct nvme_copy_range *range = (struct nvme_copy_range *)r->buf2;

	range[0] = (struct nvme_copy_range){ .slba = 0, .nlb = 7 };
	assert_int_equal(copy(r, 100, 1, 1 << 8), NVME_SC_INVALID_FIELD); /* format 1h */
	assert_int_equal(copy(r, 100, 129, 0), NVME_SC_SIZE_LIMIT_EXCEEDED);
	assert_int_equal(copy(r, LBAS - 7, 1, 0), NVME_SC_LBA_OUT_OF_RANGE);
	range[0].slba = LBAS - 7;
	assert_int_equal(copy(r, 100, 1, 0), NVME_SC_LBA_OUT_OF_RANGE);
	range[0] = (struct nvme_copy_range){ .slba = 0, .nlb = 256 };
	assert_int_equal(copy(r, 100, 1, 0), NVME_SC_SIZE_LIMIT_EXCEEDED);
	for (int i = 0; i < 5; i++)
		range[i] = (struct nvme_copy_range){ .slba = 0, .nlb = 255 };
	assert_int_equal(copy(r, 100, 5, 0), NVME_SC_SIZE_LIMIT_EXCEEDED);
	assert_int_equal(copy(r, 2000, 4, 0), 0);
	rig_destroy(r);
}

static void flush_checks_its_namespace(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct nvme_sqe sqe = { .opc = NVME_CMD_FLUSH, .nsid = 1 };

	assert_int_equal(run(r, sqe), 0);
	sqe.nsid = 0;
	assert_int_equal(run(r, sqe), NVME_SC_INVALID_NS);
	sqe.nsid = 2;
	assert_int_equal(run(r, sqe), NVME_SC_INVALID_NS);
	sqe.nsid = NVME_NSID_ALL;
	assert_int_equal(run(r, sqe), 0);
	rig_destroy(r);
}

static void namespaces_are_apart(void **state)
{
	struct rig *r = rig_ready("latency=none,ns=3");
	struct nvme_sqe sqe = rig_rw(NVME_CMD_WRITE, 5, 1, r->buf);

	memset(r->buf, 0x77, 512);
	sqe.nsid = 3;
	assert_int_equal(run(r, sqe), 0);
	assert_int_equal(rig_read(r, 5, 1, r->buf2), 0);
	assert_int_equal(r->buf2[0], 0);
	sqe.opc = NVME_CMD_COMPARE;
	assert_int_equal(run(r, sqe), 0);
	rig_destroy(r);
}

static void fua_is_slower_than_cached_and_unmapped_faster_than_mapped(void **state)
{
	struct rig *r =
		rig_ready("jitter=0,tail_us=0,read_us=20,unmapped_us=8,write_us=12,fua_us=40");
	struct nvme_sqe sqe = rig_rw(NVME_CMD_WRITE, 0, 8, r->buf);
	uint64_t times[4], begin;

	begin = r->now_ns;
	rw(r, NVME_CMD_READ, 0, 8);
	times[0] = r->now_ns - begin;
	begin = r->now_ns;
	run(r, sqe);
	times[1] = r->now_ns - begin;
	begin = r->now_ns;
	rw(r, NVME_CMD_READ, 0, 8);
	times[2] = r->now_ns - begin;
	begin = r->now_ns;
	sqe.cdw12 |= NVME_SET(1, RW_FUA);
	run(r, sqe);
	times[3] = r->now_ns - begin;

	assert_int_equal(times[0], 8000);
	assert_int_equal(times[1], 12000);
	assert_int_equal(times[2], 20000);
	assert_int_equal(times[3], 52000);
	rig_destroy(r);
}

static void jitter_and_tail_keep_their_bounds(void **state)
{
	struct rig *r = rig_ready("unmapped_us=10,jitter=10,tail_us=200");
	uint64_t max = 0, min = UINT64_MAX;

	for (int i = 0; i < 20000; i++) {
		uint64_t begin = r->now_ns, took;

		rw(r, NVME_CMD_READ, 0, 1);
		took = r->now_ns - begin;
		max = took > max ? took : max;
		min = took < min ? took : min;
	}

	assert_in_range(min, 9000, 9100);
	assert_in_range(max, 20000, 211000);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opcodes_that_are_none_are_refused),
		cmocka_unit_test(the_opcode_is_checked_before_the_namespace),
		cmocka_unit_test(invalid_namespaces_are_refused),
		cmocka_unit_test(the_direct_path_checks_the_same),
		cmocka_unit_test(fused_and_reserved_pointers_are_refused),
		cmocka_unit_test(ranges_end_at_the_capacity),
		cmocka_unit_test(transfers_end_at_mdts),
		cmocka_unit_test(a_failure_is_in_the_error_log_with_its_lba),
		cmocka_unit_test(compare_tells_equal_from_different),
		cmocka_unit_test(uncorrectable_lbas_fail_one_by_one),
		cmocka_unit_test(write_zeroes_zeroes),
		cmocka_unit_test(a_long_write_zeroes_is_no_transfer),
		cmocka_unit_test(deallocated_lbas_read_zeros),
		cmocka_unit_test(a_dsm_out_of_range_does_nothing),
		cmocka_unit_test(unmapped_reads_fail_when_asked_to),
		cmocka_unit_test(copy_gathers_its_ranges),
		cmocka_unit_test(copy_has_the_limits_that_identify_tells),
		cmocka_unit_test(each_wrong_copy_has_its_status),
		cmocka_unit_test(flush_checks_its_namespace),
		cmocka_unit_test(namespaces_are_apart),
		cmocka_unit_test(fua_is_slower_than_cached_and_unmapped_faster_than_mapped),
		cmocka_unit_test(jitter_and_tail_keep_their_bounds),
		cmocka_unit_test(copy_takes_128_ranges),
		cmocka_unit_test(a_compare_names_the_lba_that_differs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
