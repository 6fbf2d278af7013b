/* SPDX-License-Identifier: BSD-3-Clause */
/* CAP, CC, CSTS, NSSR: the state machine, legal moves and others. */
#include "rig.h"

#define MS 1000000ull

static uint32_t csts(struct rig *r)
{
	return rig_reg(r, NVME_REG_CSTS);
}

static void set_admin_queues(struct rig *r, uint32_t asqs, uint32_t acqs)
{
	rig_set_reg(r, NVME_REG_AQA, acqs << 16 | asqs);
	ssd_reg_write(ssd_pcie(r->ssd), NVME_REG_ASQ, 8, (uintptr_t)r->buf, r->now_ns);
	ssd_reg_write(ssd_pcie(r->ssd), NVME_REG_ACQ, 8, (uintptr_t)r->buf2, r->now_ns);
}

static void cap_is_that_of_the_profile(void **state)
{
	struct rig *r = rig_create("");
	uint64_t cap = ssd_reg_read(ssd_pcie(r->ssd), NVME_REG_CAP, 8, r->now_ns);

	assert_int_equal(NVME_GET(cap, CAP_MQES), 1023);
	assert_int_equal(NVME_GET(cap, CAP_CQR), 1);
	assert_int_equal(NVME_GET(cap, CAP_AMS), NVME_CAP_AMS_WRRUP);
	assert_int_equal(NVME_GET(cap, CAP_TO), 20);
	assert_int_equal(NVME_GET(cap, CAP_DSTRD), 0);
	assert_int_equal(NVME_GET(cap, CAP_NSSRS), 1);
	assert_int_equal(NVME_GET(cap, CAP_MPSMIN), 0);
	assert_int_equal(rig_reg(r, NVME_REG_VS), NVME_VS(1, 3, 0));
	rig_destroy(r);
}

static void ready_comes_after_the_enable_time(void **state)
{
	struct rig *r = rig_create("enable_s=0.5");

	set_admin_queues(r, 15, 15);
	rig_set_reg(r, NVME_REG_CC, 0x00460001);

	r->now_ns += 499 * MS;
	assert_int_equal(NVME_GET(csts(r), CSTS_RDY), 0);
	r->now_ns += 1 * MS;
	assert_int_equal(NVME_GET(csts(r), CSTS_RDY), 1);
	rig_destroy(r);
}

static void disabling_while_enabling_stays_disabled(void **state)
{
	struct rig *r = rig_create("enable_s=0.5");

	set_admin_queues(r, 15, 15);
	rig_set_reg(r, NVME_REG_CC, 0x00460001);
	rig_set_reg(r, NVME_REG_CC, 0x00460000);
	r->now_ns += 1000 * MS;

	assert_int_equal(csts(r), 0);
	rig_destroy(r);
}

static void fails_to_enable(uint32_t cc, uint32_t asqs, uint32_t acqs)
{
	struct rig *r = rig_create("");

	set_admin_queues(r, asqs, acqs);
	rig_set_reg(r, NVME_REG_CC, cc);

	assert_int_equal(NVME_GET(csts(r), CSTS_CFS), 1);
	assert_int_equal(NVME_GET(csts(r), CSTS_RDY), 0);
	rig_set_reg(r, NVME_REG_CC, 0);
	assert_int_equal(csts(r), 0);
	rig_destroy(r);
}

static void an_admin_queue_of_one_entry_is_fatal(void **state)
{
	fails_to_enable(0x00460001, 0, 15);
	fails_to_enable(0x00460001, 15, 0);
}

static void an_unsupported_page_size_is_fatal(void **state)
{
	fails_to_enable(0x00460001 | 15 << 7, 15, 15);
}

static void an_unsupported_arbitration_is_fatal(void **state)
{
	fails_to_enable(0x00460001 | 7 << 11, 15, 15);
}

static void an_unsupported_command_set_is_fatal(void **state)
{
	fails_to_enable(0x00460001 | 1 << 4, 15, 15);
	fails_to_enable(0x00460001 | 6 << 4, 15, 15); /* not before 2.0 */
}

static void bigger_pages_want_bigger_alignment(void **state)
{
	struct rig *r = rig_create("");

	set_admin_queues(r, 15, 15);
	ssd_reg_write(ssd_pcie(r->ssd), NVME_REG_ASQ, 8, 0x10001000, r->now_ns);
	rig_set_reg(r, NVME_REG_CC, 0x00460001 | 1 << 7);

	assert_int_equal(NVME_GET(csts(r), CSTS_CFS), 1);
	rig_destroy(r);
}

static void a_reset_forgets_queues_but_not_their_registers(void **state)
{
	struct rig *r = rig_ready("");

	rig_set_reg(r, NVME_REG_CC, 0);

	assert_int_equal(csts(r), 0);
	assert_int_equal(rig_reg(r, NVME_REG_AQA), (RIG_DEPTH - 1) << 16 | (RIG_DEPTH - 1));
	rig_enable(r);
	rig_create_queue(r, 1, RIG_DEPTH); /* the number is free again */
	rig_destroy(r);
}

static void commands_before_ready_are_not_fetched(void **state)
{
	struct rig *r = rig_create("");
	struct ssd_stats stats;

	r->db[0] = 1;
	rig_step(r);

	ssd_get_stats(r->ssd, &stats);
	assert_int_equal(stats.commands, 0);
	rig_enable(r);
	rig_step(r);
	ssd_get_stats(r->ssd, &stats);
	assert_int_equal(stats.commands, 0);
	rig_destroy(r);
}

static void shutdown_takes_its_time(void **state)
{
	struct rig *r = rig_ready("shutdown_s=0.1");

	rig_set_reg(r, NVME_REG_CC, rig_reg(r, NVME_REG_CC) | 1 << 14);

	assert_int_equal(NVME_GET(csts(r), CSTS_SHST), NVME_CSTS_SHST_OCCUR);
	r->now_ns += 100 * MS;
	assert_int_equal(NVME_GET(csts(r), CSTS_SHST), NVME_CSTS_SHST_COMPLETE);
	rig_destroy(r);
}

static void a_shutdown_begins_once(void **state)
{
	struct rig *r = rig_ready("shutdown_s=0.1");

	rig_set_reg(r, NVME_REG_CC, rig_reg(r, NVME_REG_CC) | 1 << 14);
	r->now_ns += 60 * MS;
	rig_set_reg(r, NVME_REG_CC, rig_reg(r, NVME_REG_CC));
	r->now_ns += 40 * MS;
	assert_int_equal(NVME_GET(csts(r), CSTS_SHST), NVME_CSTS_SHST_COMPLETE);
	rig_destroy(r);
}

static void after_shutdown_a_reset_is_needed(void **state)
{
	struct rig *r = rig_ready("shutdown_s=0");
	struct ssd_stats before, after;

	rig_set_reg(r, NVME_REG_CC, rig_reg(r, NVME_REG_CC) | 1 << 14);
	ssd_get_stats(r->ssd, &before);
	rig_put(r, 0, (struct nvme_sqe){ .opc = NVME_ADMIN_GET_FEATURES, .cdw10 = 7 });
	rig_ring(r, 0);
	rig_step(r);
	ssd_get_stats(r->ssd, &after);

	assert_int_equal(after.commands, before.commands);
	rig_set_reg(r, NVME_REG_CC, 0);
	rig_enable(r);
	assert_int_equal(NVME_GET(csts(r), CSTS_SHST), NVME_CSTS_SHST_NORMAL);
	assert_int_equal(rig_identify(r, 0, NVME_CNS_CTRL, r->buf), 0);
	rig_destroy(r);
}

static void interrupt_masks_are_set_cleared_and_reset(void **state)
{
	struct rig *r = rig_create("");

	for (unsigned int how = 0; how < 4; how++) {
		rig_enable(r);
		rig_set_reg(r, NVME_REG_INTMS, 0x81);
		rig_set_reg(r, NVME_REG_INTMS, 0x02);
		assert_int_equal(rig_reg(r, NVME_REG_INTMS), 0x83);
		rig_set_reg(r, NVME_REG_INTMC, 0x01);
		assert_int_equal(rig_reg(r, NVME_REG_INTMC), 0x82);

		if (how == 0)
			rig_set_reg(r, NVME_REG_CC, 0);
		else if (how == 1)
			rig_set_reg(r, NVME_REG_NSSR, NVME_NSSR_NSSRC);
		else if (how == 2)
			assert_int_equal(ssd_flr(ssd_pcie(r->ssd), r->now_ns), 0);
		else
			assert_int_equal(ssd_power(r->ssd, false, r->now_ns) |
						 ssd_power(r->ssd, true, r->now_ns),
					 0);
		assert_int_equal(rig_reg(r, NVME_REG_INTMS), 0);
	}
	rig_destroy(r);
}

/* What a controller was enabled with stays until it is disabled. */
static void page_size_arbitration_and_command_set_are_fixed_while_enabled(void **state)
{
	const uint32_t fields = (uint32_t)(NVME_SET(1, CC_MPS) | NVME_SET(1, CC_AMS) |
					   NVME_SET(NVME_CC_CSS_ALL, CC_CSS));
	struct rig *r = rig_create("vs=2.0");
	uint32_t cc;

	rig_enable(r);
	cc = rig_reg(r, NVME_REG_CC);
	rig_set_reg(r, NVME_REG_CC, cc | fields);
	assert_int_equal(rig_reg(r, NVME_REG_CC), cc);
	rig_create_queue(r, 1, RIG_DEPTH); /* whose memory 8 KiB pages would refuse */

	rig_set_reg(r, NVME_REG_CC, 0);
	rig_set_reg(r, NVME_REG_CC, fields);
	assert_int_equal(rig_reg(r, NVME_REG_CC), fields);
	rig_destroy(r);
}

static void a_subsystem_reset_is_told_and_cleared(void **state)
{
	struct rig *r = rig_ready("");

	rig_set_reg(r, NVME_REG_NSSR, 0x12345678);
	assert_int_equal(NVME_GET(csts(r), CSTS_RDY), 1);
	rig_set_reg(r, NVME_REG_NSSR, NVME_NSSR_NSSRC);

	assert_int_equal(csts(r), NVME_FIELD_MASK(CSTS_NSSRO));
	assert_int_equal(rig_reg(r, NVME_REG_CC), 0);
	rig_set_reg(r, NVME_REG_CSTS, (uint32_t)NVME_FIELD_MASK(CSTS_NSSRO));
	assert_int_equal(csts(r), 0);
	rig_destroy(r);
}

static void addresses_and_sizes_have_no_other_bits(void **state)
{
	struct rig *r = rig_create("");

	rig_set_reg(r, NVME_REG_AQA, UINT32_MAX);
	assert_int_equal(rig_reg(r, NVME_REG_AQA), 0x0fff0fff);
	rig_set_reg(r, NVME_REG_ASQ, UINT32_MAX);
	assert_int_equal(rig_reg(r, NVME_REG_ASQ), 0xfffff000);
	rig_set_reg(r, NVME_REG_ACQ, UINT32_MAX);
	assert_int_equal(rig_reg(r, NVME_REG_ACQ), 0xfffff000);
	rig_destroy(r);
}

static void a_subsystem_reset_is_told_until_the_host_clears_it(void **state)
{
	struct rig *r = rig_create("");

	rig_set_reg(r, NVME_REG_NSSR, NVME_NSSR_NSSRC);
	rig_enable(r);
	rig_set_reg(r, NVME_REG_CC, 0);
	assert_int_equal(NVME_GET(csts(r), CSTS_NSSRO), 1);
	rig_set_reg(r, NVME_REG_CSTS, (uint32_t)NVME_FIELD_MASK(CSTS_NSSRO));
	assert_int_equal(NVME_GET(csts(r), CSTS_NSSRO), 0);
	rig_destroy(r);
}

static void read_only_registers_stay(void **state)
{
	struct rig *r = rig_create("");
	uint32_t cap = rig_reg(r, NVME_REG_CAP);

	rig_set_reg(r, NVME_REG_CAP, ~cap);
	rig_set_reg(r, NVME_REG_VS, 0);
	rig_set_reg(r, NVME_REG_CSTS, 1);

	assert_int_equal(rig_reg(r, NVME_REG_CAP), cap);
	assert_int_equal(rig_reg(r, NVME_REG_VS), NVME_VS(1, 3, 0));
	assert_int_equal(csts(r), 0);
	rig_destroy(r);
}

static void without_power_all_registers_are_ones(void **state)
{
	struct rig *r = rig_ready("");

	ssd_power(r->ssd, false, r->now_ns);

	assert_int_equal(csts(r), NVME_REG_REMOVED);
	assert_int_equal(rig_cfg(r, 0, 4), 0xffffffff);
	assert_false(ssd_powered(r->ssd));
	ssd_power(r->ssd, true, r->now_ns);
	assert_int_equal(csts(r), 0);
	rig_destroy(r);
}

static void removal_is_for_good(void **state)
{
	struct rig *r = rig_ready("");

	ssd_remove(r->ssd, r->now_ns);

	assert_int_equal(csts(r), NVME_REG_REMOVED);
	assert_int_not_equal(ssd_power(r->ssd, true, r->now_ns), 0);
	assert_int_equal(ssd_step(r->ssd, r->now_ns), 0);
	rig_destroy(r);
}

static void version_2_has_what_it_must(void **state)
{
	struct rig *r = rig_create("vs=2.0");
	uint64_t cap = ssd_reg_read(ssd_pcie(r->ssd), NVME_REG_CAP, 8, r->now_ns);

	assert_true(NVME_GET(cap, CAP_CSS) & NVME_CAP_CSS_IOCS);
	assert_int_equal(NVME_GET(cap, CAP_CRWMS), 1);
	assert_int_equal(NVME_GET(rig_reg(r, NVME_REG_CRTO), CRTO_CRWMT), 20);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cap_is_that_of_the_profile),
		cmocka_unit_test(ready_comes_after_the_enable_time),
		cmocka_unit_test(disabling_while_enabling_stays_disabled),
		cmocka_unit_test(an_admin_queue_of_one_entry_is_fatal),
		cmocka_unit_test(an_unsupported_page_size_is_fatal),
		cmocka_unit_test(an_unsupported_arbitration_is_fatal),
		cmocka_unit_test(an_unsupported_command_set_is_fatal),
		cmocka_unit_test(bigger_pages_want_bigger_alignment),
		cmocka_unit_test(a_reset_forgets_queues_but_not_their_registers),
		cmocka_unit_test(commands_before_ready_are_not_fetched),
		cmocka_unit_test(shutdown_takes_its_time),
		cmocka_unit_test(after_shutdown_a_reset_is_needed),
		cmocka_unit_test(interrupt_masks_are_set_cleared_and_reset),
		cmocka_unit_test(page_size_arbitration_and_command_set_are_fixed_while_enabled),
		cmocka_unit_test(a_subsystem_reset_is_told_and_cleared),
		cmocka_unit_test(read_only_registers_stay),
		cmocka_unit_test(without_power_all_registers_are_ones),
		cmocka_unit_test(removal_is_for_good),
		cmocka_unit_test(version_2_has_what_it_must),
		cmocka_unit_test(a_shutdown_begins_once),
		cmocka_unit_test(addresses_and_sizes_have_no_other_bits),
		cmocka_unit_test(a_subsystem_reset_is_told_until_the_host_clears_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
