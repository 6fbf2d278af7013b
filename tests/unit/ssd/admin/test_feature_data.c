/* SPDX-License-Identifier: BSD-3-Clause */
/* Features with a data buffer. */
#include "bench.h"

static uint16_t set_ranges(struct rig *r, uint32_t nsid, const struct nvme_lba_range *ranges,
			   uint32_t n)
{
	memcpy(r->buf, ranges, n * sizeof(*ranges));
	return bench_admin(r, NVME_ADMIN_SET_FEATURES, nsid, NVME_FEAT_LBA_RANGE, n - 1);
}

static uint16_t get_ranges(struct rig *r, uint32_t nsid, uint32_t *num)
{
	return rig_run(r, 0, bench_sqe(r, NVME_ADMIN_GET_FEATURES, nsid, NVME_FEAT_LBA_RANGE, 0),
		       num);
}

static void at_first_one_range_covers_the_namespace(void **state)
{
	struct rig *r = rig_ready("size=64M");
	struct nvme_lba_range *range = (void *)r->buf;
	uint32_t num;

	assert_int_equal(get_ranges(r, 1, &num), 0);
	assert_int_equal(num, 0);
	assert_int_equal(range[0].type, 0);
	assert_int_equal(range[0].slba, 0);
	assert_int_equal(range[0].nlb, 131071);
	rig_destroy(r);
}

static void ranges_belong_to_their_namespace(void **state)
{
	const struct nvme_lba_range want[] = { { .type = 2, .slba = 0, .nlb = 9 },
					       { .type = 1, .slba = 10, .nlb = 9 } };
	struct rig *r = rig_ready("size=64M,ns=2");
	uint32_t num;

	assert_int_equal(set_ranges(r, 2, want, 2), 0);
	assert_int_equal(get_ranges(r, 2, &num), 0);
	assert_int_equal(num, 1);
	assert_memory_equal(r->buf, want, sizeof(want));
	assert_int_equal(get_ranges(r, 1, &num), 0);
	assert_int_equal(num, 0);
	bench_reset(r, BENCH_CONTROLLER);
	assert_int_equal(get_ranges(r, 2, &num), 0);
	assert_int_equal(num, 0);
	rig_destroy(r);
}

static void ranges_go_with_their_namespace(void **state)
{
	const struct nvme_lba_range want[] = { { .type = 2, .slba = 0, .nlb = 9 },
					       { .type = 1, .slba = 10, .nlb = 9 } };
	struct rig *r = rig_ready("size=64M");
	struct nvme_id_ns *id = (void *)r->buf;
	struct nvme_ctrl_list *list = (void *)r->buf;
	uint32_t num;

	assert_int_equal(set_ranges(r, 1, want, 2), 0);
	assert_int_equal(bench_admin(r, NVME_ADMIN_NS_MANAGEMENT, 1, NVME_NS_MGMT_DELETE, 0), 0);
	memset(id, 0, sizeof(*id));
	id->nsze = 4096;
	id->ncap = 4096;
	assert_int_equal(bench_admin(r, NVME_ADMIN_NS_MANAGEMENT, 0, NVME_NS_MGMT_CREATE, 0), 0);
	bench_identify(r, 0, NVME_CNS_CTRL_LIST);
	assert_int_equal(list->count, 1);
	assert_int_equal(bench_admin(r, NVME_ADMIN_NS_ATTACHMENT, 1, NVME_NS_ATTACH, 0), 0);
	assert_int_equal(get_ranges(r, 1, &num), 0);
	assert_int_equal(num, 0);
	rig_destroy(r);
}

static void ranges_are_checked(void **state)
{
	const struct nvme_lba_range overlap[] = { { .slba = 0, .nlb = 9 },
						  { .slba = 9, .nlb = 9 } };
	const struct nvme_lba_range beyond = { .slba = 131071, .nlb = 1 };
	struct rig *r = rig_ready("size=64M");

	assert_int_equal(set_ranges(r, 1, overlap, 2), NVME_SC_OVERLAPPING_RANGE);
	assert_int_equal(set_ranges(r, 1, &beyond, 1), NVME_SC_LBA_OUT_OF_RANGE);
	assert_int_equal(set_ranges(r, NVME_NSID_ALL, &beyond, 1), NVME_SC_LBA_OUT_OF_RANGE);
	assert_int_equal(set_ranges(r, 2, &beyond, 1), NVME_SC_INVALID_NS);
	assert_int_equal(get_ranges(r, NVME_NSID_ALL, NULL), NVME_SC_INVALID_NS);
	rig_destroy(r);
}

static void transitions_name_states_that_are_there(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_apst *t = (void *)r->buf;
	uint32_t cdw0;

	memset(t, 0, sizeof(*t));
	t->entry[0] = 1000ull << NVME_APST_ITPT_SHIFT | 3 << NVME_APST_ITPS_SHIFT;
	assert_int_equal(bench_set_feature(r, NVME_FEAT_APST, 1), 0);
	memset(t, 0, sizeof(*t));
	assert_int_equal(bench_get_feature(r, NVME_FEAT_APST, 0, &cdw0), 0);
	assert_int_equal(cdw0, 1);
	assert_int_equal(t->entry[0] >> NVME_APST_ITPT_SHIFT, 1000);
	assert_int_equal(bench_get_feature(r, NVME_FEAT_APST, NVME_SEL_DEFAULT, &cdw0), 0);
	assert_int_equal(t->entry[0], 0);
	t->entry[1] = 5ull << NVME_APST_ITPS_SHIFT;
	assert_int_equal(bench_set_feature(r, NVME_FEAT_APST, 1), NVME_SC_INVALID_FIELD);
	rig_destroy(r);
}

static void the_timestamp_runs_from_what_was_set(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_timestamp *t = (void *)r->buf;
	uint64_t ms = 1700000000000ull, got = 0;

	/* what was before it does not count */
	rig_advance(r, 7 * SECOND_NS);
	memset(t, 0, sizeof(*t));
	memcpy(t->timestamp_ms, &ms, 6);
	assert_int_equal(bench_set_feature(r, NVME_FEAT_TIMESTAMP, 0), 0);
	rig_advance(r, 5 * SECOND_NS);
	assert_int_equal(bench_get_feature(r, NVME_FEAT_TIMESTAMP, 0, NULL), 0);
	memcpy(&got, t->timestamp_ms, 6);
	assert_int_equal(got, ms + 5000);
	assert_int_equal(NVME_GET(t->attributes, TIMESTAMP_ORIGIN), NVME_TIMESTAMP_ORIGIN_HOST);
	bench_reset(r, BENCH_POWER);
	assert_int_equal(bench_get_feature(r, NVME_FEAT_TIMESTAMP, 0, NULL), 0);
	assert_int_equal(NVME_GET(t->attributes, TIMESTAMP_ORIGIN), NVME_TIMESTAMP_ORIGIN_RESET);
	rig_destroy(r);
}

static void a_host_identifier_has_8_or_16_bytes(void **state)
{
	struct rig *r = rig_ready("");

	for (uint8_t i = 0; i < 16; i++)
		r->buf[i] = i + 1;
	assert_int_equal(bench_set_feature(r, NVME_FEAT_HOST_ID, NVME_HOSTID_EXHID), 0);
	memset(r->buf, 0xee, 32);
	assert_int_equal(bench_admin(r, NVME_ADMIN_GET_FEATURES, 0, NVME_FEAT_HOST_ID,
				     NVME_HOSTID_EXHID),
			 0);
	assert_int_equal(r->buf[15], 16);
	assert_int_equal(r->buf[16], 0xee);
	memset(r->buf, 0xee, 32);
	assert_int_equal(bench_admin(r, NVME_ADMIN_GET_FEATURES, 0, NVME_FEAT_HOST_ID, 0), 0);
	assert_int_equal(r->buf[7], 8);
	assert_int_equal(r->buf[8], 0xee);
	rig_destroy(r);
}

static void host_behavior_is_zero_or_one(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_host_behavior *b = (void *)r->buf;

	memset(b, 0, sizeof(*b));
	b->acre = 1;
	assert_int_equal(bench_set_feature(r, NVME_FEAT_HOST_BEHAVIOR, 0), 0);
	memset(b, 0, sizeof(*b));
	assert_int_equal(bench_get_feature(r, NVME_FEAT_HOST_BEHAVIOR, 0, NULL), 0);
	assert_int_equal(b->acre, 1);
	b->acre = 2;
	assert_int_equal(bench_set_feature(r, NVME_FEAT_HOST_BEHAVIOR, 0), NVME_SC_INVALID_FIELD);
	rig_destroy(r);
}

static void unmapped_data_is_a_transfer_error(void **state)
{
	static const uint8_t fids[] = { 0x03, 0x0c, 0x0e, 0x16, 0x81 };
	struct rig *r = rig_ready("");

	r->hole_from = (uintptr_t)r->buf;
	r->hole_to = r->hole_from + 4096;
	for (unsigned int i = 0; i < sizeof(fids); i++) {
		assert_int_equal(bench_set_feature(r, fids[i], 0), NVME_SC_DATA_TRANSFER_ERROR);
		assert_int_equal(bench_get_feature(r, fids[i], 0, NULL),
				 NVME_SC_DATA_TRANSFER_ERROR);
	}
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_first_one_range_covers_the_namespace),
		cmocka_unit_test(ranges_belong_to_their_namespace),
		cmocka_unit_test(ranges_go_with_their_namespace),
		cmocka_unit_test(ranges_are_checked),
		cmocka_unit_test(transitions_name_states_that_are_there),
		cmocka_unit_test(the_timestamp_runs_from_what_was_set),
		cmocka_unit_test(a_host_identifier_has_8_or_16_bytes),
		cmocka_unit_test(host_behavior_is_zero_or_one),
		cmocka_unit_test(unmapped_data_is_a_transfer_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
