/* SPDX-License-Identifier: BSD-3-Clause */
/* Get and Set Features: selectors, saving, scope, values of one dword. */
#include <stdio.h>

#include "bench.h"

#define SV (1u << NVME_FEAT_SV_SHIFT)

static const uint8_t supported[] = {
	0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09,
	0x0a, 0x0b, 0x0c, 0x0e, 0x10, 0x11, 0x16, 0x17, 0x81,
};

static bool is_supported(unsigned int fid)
{
	return memchr(supported, (int)fid, sizeof(supported));
}

static void every_feature_has_capabilities(void **state)
{
	struct rig *r = rig_ready("");

	for (unsigned int fid = 0; fid < 256; fid++) {
		uint32_t caps = 0;
		uint16_t sc = bench_get_feature(r, (uint8_t)fid, NVME_SEL_CAPABILITIES, &caps);

		assert_int_equal(sc, is_supported(fid) ? 0 : NVME_SC_INVALID_FIELD);
		assert_int_equal(!!(caps & NVME_SEL_CAP_CHANGEABLE), is_supported(fid));
		assert_int_equal(!!(caps & NVME_SEL_CAP_NS),
				 fid == NVME_FEAT_LBA_RANGE || fid == NVME_FEAT_ERROR_RECOVERY);
	}
	rig_destroy(r);
}

static void unknown_features_cannot_be_set(void **state)
{
	struct rig *r = rig_ready("");

	assert_int_equal(bench_set_feature(r, 0x00, 0), NVME_SC_INVALID_FIELD);
	assert_int_equal(bench_set_feature(r, 0x0d, 0), NVME_SC_INVALID_FIELD);
	assert_int_equal(bench_set_feature(r, 0xc0, 0), NVME_SC_INVALID_FIELD);
	assert_int_equal(bench_last_error(r).pel, 40);
	rig_destroy(r);
}

static void reserved_selectors_are_refused(void **state)
{
	struct rig *r = rig_ready("");

	for (uint32_t sel = 4; sel <= 7; sel++) {
		assert_int_equal(bench_get_feature(r, 0x01, sel, NULL), NVME_SC_INVALID_FIELD);
		assert_int_equal(bench_last_error(r).pel, 41);
	}
	rig_destroy(r);
}

static void current_default_and_saved_differ(void **state)
{
	struct rig *r = rig_ready("");
	const uint8_t fid = NVME_FEAT_INTERRUPT_COALESCING;

	assert_int_equal(bench_set_feature(r, fid, 7), 0);
	assert_int_equal(bench_feature(r, fid, NVME_SEL_CURRENT), 7);
	assert_int_equal(bench_feature(r, fid, NVME_SEL_SAVED), 0);
	assert_int_equal(bench_admin(r, NVME_ADMIN_SET_FEATURES, 0, SV | fid, 9), 0);
	assert_int_equal(bench_feature(r, fid, NVME_SEL_CURRENT), 9);
	assert_int_equal(bench_feature(r, fid, NVME_SEL_SAVED), 9);
	assert_int_equal(bench_feature(r, fid, NVME_SEL_DEFAULT), 0);
	rig_destroy(r);
}

static void saved_values_come_back_after_resets(void **state)
{
	for (enum bench_reset how = 0; how < BENCH_WAYS; how++) {
		struct rig *r = rig_ready("");

		assert_int_equal(bench_admin(r, NVME_ADMIN_SET_FEATURES, 0, SV | 0x08, 9), 0);
		assert_int_equal(bench_set_feature(r, 0x08, 11), 0);
		assert_int_equal(bench_set_feature(r, 0x02, 3), 0);
		bench_reset(r, how);
		assert_int_equal(bench_feature(r, 0x08, NVME_SEL_CURRENT), 9);
		assert_int_equal(bench_feature(r, 0x02, NVME_SEL_CURRENT), 0);
		rig_destroy(r);
	}
}

static void some_cannot_be_saved(void **state)
{
	struct rig *r = rig_ready("");

	for (unsigned int i = 0; i < sizeof(supported); i++) {
		uint32_t caps = bench_feature(r, supported[i], NVME_SEL_CAPABILITIES);

		if (caps & NVME_SEL_CAP_SAVEABLE)
			continue;
		assert_int_equal(bench_admin(r, NVME_ADMIN_SET_FEATURES, 0, SV | supported[i], 0),
				 NVME_SC_FEATURE_NOT_SAVEABLE);
	}
	assert_int_equal(bench_last_error(r).pel, 43 | 7 << 8);
	rig_destroy(r);
}

static void the_controllers_features_are_not_a_namespaces(void **state)
{
	struct rig *r = rig_ready("");

	assert_int_equal(bench_admin(r, NVME_ADMIN_SET_FEATURES, 1, 0x01, 0),
			 NVME_SC_FEATURE_NOT_NS_SPECIFIC);
	assert_int_equal(bench_admin(r, NVME_ADMIN_SET_FEATURES, 9, 0x01, 0), NVME_SC_INVALID_NS);
	assert_int_equal(bench_admin(r, NVME_ADMIN_SET_FEATURES, 0, 0x01, 0), 0);
	rig_destroy(r);
}

static void number_of_queues_reads_back_what_was_set(void **state)
{
	struct rig *r = rig_ready("ioqueues=8");
	uint32_t cdw0;

	assert_int_equal(bench_feature(r, 0x07, NVME_SEL_CURRENT), 0x00070007);
	assert_int_equal(rig_run(r, 0, bench_sqe(r, NVME_ADMIN_SET_FEATURES, 0, 0x07, 0x00030005),
				 &cdw0),
			 0);
	assert_int_equal(cdw0, 0x00030005);
	assert_int_equal(bench_feature(r, 0x07, NVME_SEL_CURRENT), 0x00030005);
	assert_int_equal(rig_run(r, 0, bench_sqe(r, NVME_ADMIN_SET_FEATURES, 0, 0x07, 0xfffefffe),
				 &cdw0),
			 0);
	assert_int_equal(cdw0, 0x00070007);
	assert_int_equal(bench_set_feature(r, 0x07, 0x0000ffff), NVME_SC_INVALID_FIELD);
	assert_int_equal(bench_set_feature(r, 0x07, 0xffff0000), NVME_SC_INVALID_FIELD);
	rig_destroy(r);
}

static void power_states_are_those_of_identify(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_id_ctrl *id = bench_identify(r, 0, NVME_CNS_CTRL);
	uint32_t last = id->npss;

	assert_int_equal(bench_set_feature(r, 0x02, last), 0);
	assert_int_equal(bench_feature(r, 0x02, NVME_SEL_CURRENT), last);
	assert_int_equal(bench_set_feature(r, 0x02, last + 1), NVME_SC_INVALID_FIELD);
	assert_int_equal(bench_feature(r, 0x02, NVME_SEL_CURRENT), last);
	rig_destroy(r);
}

static void a_drive_without_cache_has_no_feature_06h(void **state)
{
	struct rig *r = rig_ready("cache=0");
	struct nvme_id_ctrl *id = bench_identify(r, 0, NVME_CNS_CTRL);

	assert_int_equal(id->vwc, 0);
	assert_int_equal(bench_set_feature(r, 0x06, 1), NVME_SC_INVALID_FIELD);
	assert_int_equal(bench_get_feature(r, 0x06, 0, NULL), NVME_SC_INVALID_FIELD);
	rig_destroy(r);
}

static uint16_t recovery(struct rig *r, uint32_t nsid, uint32_t sel, uint32_t *cdw0)
{
	return rig_run(r, 0, bench_sqe(r, NVME_ADMIN_GET_FEATURES, nsid, 0x05 | sel << 8, 0), cdw0);
}

static void error_recovery_belongs_to_a_namespace(void **state)
{
	struct rig *r = rig_ready("ns=2,size=64M");
	uint32_t cdw0;

	assert_int_equal(bench_admin(r, NVME_ADMIN_SET_FEATURES, 2, 0x05, 7), 0);
	assert_int_equal(recovery(r, 2, NVME_SEL_CURRENT, &cdw0), 0);
	assert_int_equal(cdw0, 7);
	assert_int_equal(recovery(r, 1, NVME_SEL_CURRENT, &cdw0), 0);
	assert_int_equal(cdw0, 0);
	assert_int_equal(recovery(r, 2, NVME_SEL_DEFAULT, &cdw0), 0);
	assert_int_equal(cdw0, 0);
	assert_int_equal(bench_set_feature(r, 0x05, 9), 0);
	assert_int_equal(recovery(r, 1, NVME_SEL_CURRENT, &cdw0), 0);
	assert_int_equal(cdw0, 9);
	assert_int_equal(bench_admin(r, NVME_ADMIN_SET_FEATURES, 3, 0x05, 7), NVME_SC_INVALID_NS);
	assert_int_equal(recovery(r, NVME_NSID_ALL, NVME_SEL_CURRENT, NULL), NVME_SC_INVALID_NS);
	bench_reset(r, BENCH_CONTROLLER);
	assert_int_equal(recovery(r, 2, NVME_SEL_CURRENT, &cdw0), 0);
	assert_int_equal(cdw0, 0);
	rig_destroy(r);
}

static void turning_the_cache_off_empties_it(void **state)
{
	for (uint64_t seed = 1; seed < 8; seed++) {
		char options[64];
		struct rig *r;

		snprintf(options, sizeof(options), "latency=none,seed=%u", (unsigned int)seed);
		r = rig_ready(options);
		memset(r->buf2, 0x5a, 4096);
		assert_int_equal(rig_write(r, 0, 8, r->buf2), 0);
		assert_int_equal(bench_set_feature(r, 0x06, 0), 0);
		bench_reset(r, BENCH_POWER);
		memset(r->buf2, 0, 4096);
		assert_int_equal(rig_read(r, 0, 8, r->buf2), 0);
		for (unsigned int i = 0; i < 4096; i++)
			assert_int_equal(r->buf2[i], 0x5a);
		rig_destroy(r);
	}
}

static void vectors_are_those_of_the_drive(void **state)
{
	struct rig *r = rig_ready("");
	uint32_t cdw0;

	assert_int_equal(bench_set_feature(r, 0x09, 32 | 1 << 16), 0);
	assert_int_equal(rig_run(r, 0, bench_sqe(r, NVME_ADMIN_GET_FEATURES, 0, 0x09, 32), &cdw0),
			 0);
	assert_int_equal(cdw0, 32 | 1 << 16);
	assert_int_equal(rig_run(r, 0, bench_sqe(r, NVME_ADMIN_GET_FEATURES, 0, 0x109, 32), &cdw0),
			 0);
	assert_int_equal(cdw0, 32);
	assert_int_equal(bench_set_feature(r, 0x09, 33), NVME_SC_INVALID_FIELD);
	rig_destroy(r);
}

static void thermal_management_has_limits(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_id_ctrl *id = bench_identify(r, 0, NVME_CNS_CTRL);
	uint32_t low = id->mntmt, high = id->mxtmt;

	assert_int_equal(bench_set_feature(r, 0x10, low << 16 | high), 0);
	assert_int_equal(bench_feature(r, 0x10, NVME_SEL_CURRENT), low << 16 | high);
	assert_int_equal(bench_set_feature(r, 0x10, high << 16 | low), NVME_SC_INVALID_FIELD);
	assert_int_equal(bench_set_feature(r, 0x10, low << 16 | low), NVME_SC_INVALID_FIELD);
	assert_int_equal(bench_set_feature(r, 0x10, (low - 1) << 16), NVME_SC_INVALID_FIELD);
	assert_int_equal(bench_set_feature(r, 0x10, high + 1), NVME_SC_INVALID_FIELD);
	assert_int_equal(bench_set_feature(r, 0x10, 0), 0);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_feature_has_capabilities),
		cmocka_unit_test(unknown_features_cannot_be_set),
		cmocka_unit_test(reserved_selectors_are_refused),
		cmocka_unit_test(current_default_and_saved_differ),
		cmocka_unit_test(saved_values_come_back_after_resets),
		cmocka_unit_test(some_cannot_be_saved),
		cmocka_unit_test(the_controllers_features_are_not_a_namespaces),
		cmocka_unit_test(number_of_queues_reads_back_what_was_set),
		cmocka_unit_test(power_states_are_those_of_identify),
		cmocka_unit_test(a_drive_without_cache_has_no_feature_06h),
		cmocka_unit_test(error_recovery_belongs_to_a_namespace),
		cmocka_unit_test(turning_the_cache_off_empties_it),
		cmocka_unit_test(vectors_are_those_of_the_drive),
		cmocka_unit_test(thermal_management_has_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
