/* SPDX-License-Identifier: BSD-3-Clause */
/* Option vs=: what a version makes mandatory is there. */
#include "bench.h"

static void version_1_3_claims_nothing_newer(void **state)
{
	struct rig *r = rig_ready("");
	uint64_t cap = ssd_reg_read(ssd_pcie(r->ssd), NVME_REG_CAP, 8, r->now_ns);

	assert_int_equal(rig_reg(r, NVME_REG_VS), NVME_VS(1, 3, 0));
	assert_int_equal(NVME_GET(cap, CAP_CSS), NVME_CAP_CSS_NVM);
	assert_int_equal(NVME_GET(cap, CAP_CRWMS), 0);
	assert_int_equal(rig_reg(r, NVME_REG_CRTO), 0);
	assert_int_equal(bench_get_feature(r, NVME_FEAT_IOCS_PROFILE, 0, NULL),
			 NVME_SC_INVALID_FIELD);
	rig_destroy(r);
}

static void version_1_4_has_a_controller_type(void **state)
{
	struct rig *r = rig_ready("vs=1.4");
	struct nvme_id_ctrl *id = bench_identify(r, 0, NVME_CNS_CTRL);

	assert_int_equal(rig_reg(r, NVME_REG_VS), NVME_VS(1, 4, 0));
	assert_int_equal(id->ver, NVME_VS(1, 4, 0));
	assert_int_equal(id->cntrltype, NVME_CNTRLTYPE_IO);
	assert_int_equal(id->nvmsr & 1, 1);
	assert_int_not_equal(NVME_GET(id->sanicap, SANICAP_NODMMAS), 0);
	rig_destroy(r);
}

static void version_2_0_has_command_sets_and_ready_timeouts(void **state)
{
	struct rig *r = rig_ready("vs=2.0");
	uint64_t cap = ssd_reg_read(ssd_pcie(r->ssd), NVME_REG_CAP, 8, r->now_ns);
	struct nvme_id_ctrl *id;

	assert_int_equal(rig_reg(r, NVME_REG_VS), NVME_VS(2, 0, 0));
	assert_true(NVME_GET(cap, CAP_CSS) & NVME_CAP_CSS_IOCS);
	assert_int_equal(NVME_GET(cap, CAP_CRWMS), 1);
	assert_int_equal(NVME_GET(rig_reg(r, NVME_REG_CRTO), CRTO_CRWMT), 20);
	id = bench_identify(r, 0, NVME_CNS_CTRL);
	assert_int_equal(id->cntrltype, NVME_CNTRLTYPE_IO);
	assert_true(id->lpa & NVME_LPA_MISC);
	bench_log(r, NVME_LOG_SUPPORTED_LOG_PAGES, 1024);
	bench_log(r, NVME_LOG_EFFECTS, 4096);
	bench_log(r, NVME_LOG_FEATURE_EFFECTS, 1024);
	rig_destroy(r);
}

static void all_command_sets_can_be_selected_from_2_0_on(void **state)
{
	struct rig *r = rig_create("vs=2.0");

	rig_enable_with(r, (uint32_t)NVME_SET(NVME_CC_CSS_ALL, CC_CSS));
	assert_int_equal(bench_feature(r, NVME_FEAT_IOCS_PROFILE, 0), 0);
	assert_int_equal(bench_set_feature(r, NVME_FEAT_IOCS_PROFILE, 0), 0);
	assert_int_equal(bench_set_feature(r, NVME_FEAT_IOCS_PROFILE, 1),
			 NVME_SC_IOCS_COMBINATION_REJECTED);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_1_3_claims_nothing_newer),
		cmocka_unit_test(version_1_4_has_a_controller_type),
		cmocka_unit_test(version_2_0_has_command_sets_and_ready_timeouts),
		cmocka_unit_test(all_command_sets_can_be_selected_from_2_0_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
