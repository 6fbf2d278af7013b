/* SPDX-License-Identifier: BSD-3-Clause */
/* Get Log Page: which there are, lengths and offsets, the effects and telemetry pages. */
#include "bench.h"

static const uint8_t supported[] = { 0x00, 0x01, 0x02, 0x03, 0x04, 0x05,
				     0x06, 0x07, 0x08, 0x0d, 0x12, 0x81 };

static uint16_t get_log(struct rig *r, uint8_t lid, uint64_t offset, uint32_t bytes)
{
	uint32_t numd = bytes / 4 - 1;
	struct nvme_sqe sqe =
		bench_sqe(r, NVME_ADMIN_GET_LOG_PAGE, NVME_NSID_ALL, numd << 16 | lid, numd >> 16);

	sqe.cdw12 = (uint32_t)offset;
	sqe.cdw13 = (uint32_t)(offset >> 32);
	return rig_run(r, 0, sqe, NULL);
}

static void page_00h_lists_what_can_be_read(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_log_supported l = *(struct nvme_log_supported *)bench_log(r, 0, sizeof(l));

	for (unsigned int lid = 0; lid < 256; lid++) {
		bool there = memchr(supported, (int)lid, sizeof(supported));

		assert_int_equal(l.lids[lid] & NVME_LIDS_LSUPP, there);
		if (!there)
			assert_int_equal(get_log(r, (uint8_t)lid, 0, 512),
					 NVME_SC_INVALID_LOG_PAGE);
		else if (lid != NVME_LOG_PERSISTENT_EVENT)
			assert_int_equal(get_log(r, (uint8_t)lid, 0, 512), 0);
	}
	rig_destroy(r);
}

static void beyond_the_end_are_zeros(void **state)
{
	struct rig *r = rig_ready("");

	memset(r->buf, 0xee, 4096);
	assert_int_equal(get_log(r, NVME_LOG_SMART, 0, 1024), 0);
	for (unsigned int i = 512; i < 1024; i++)
		assert_int_equal(r->buf[i], 0);
	assert_int_equal(r->buf[1024], 0xee);
	rig_destroy(r);
}

static void offsets_shift_the_page(void **state)
{
	struct rig *r = rig_ready("");

	assert_int_equal(get_log(r, NVME_LOG_SMART, 0, 512), 0);
	memcpy(r->buf2, r->buf, 512);
	assert_int_equal(get_log(r, NVME_LOG_SMART, 112, 16), 0);
	assert_memory_equal(r->buf, r->buf2 + 112, 16);
	rig_destroy(r);
}

static void offsets_are_dwords_within_the_page(void **state)
{
	struct rig *r = rig_ready("");

	assert_int_equal(get_log(r, NVME_LOG_SMART, 2, 16), NVME_SC_INVALID_FIELD);
	assert_int_equal(bench_last_error(r).pel, 48);
	assert_int_equal(get_log(r, NVME_LOG_SMART, 512, 16), 0);
	assert_int_equal(get_log(r, NVME_LOG_SMART, 516, 16), NVME_SC_INVALID_FIELD);
	assert_int_equal(get_log(r, NVME_LOG_SMART, 1ull << 32, 16), NVME_SC_INVALID_FIELD);
	rig_destroy(r);
}

static void lengths_are_within_mdts(void **state)
{
	struct rig *r = rig_ready("mdts=8K");

	assert_int_equal(get_log(r, NVME_LOG_EFFECTS, 0, 8192), 0);
	assert_int_equal(get_log(r, NVME_LOG_EFFECTS, 0, 8196), NVME_SC_INVALID_FIELD);
	assert_int_equal(get_log(r, NVME_LOG_EFFECTS, 0, 0), NVME_SC_INVALID_FIELD);
	rig_destroy(r);
}

static void no_log_is_a_namespaces(void **state)
{
	struct rig *r = rig_ready("");
	const uint32_t cdw10 = 127u << 16 | NVME_LOG_SMART;

	assert_int_equal(bench_admin(r, NVME_ADMIN_GET_LOG_PAGE, 0, cdw10, 0), 0);
	assert_int_equal(bench_admin(r, NVME_ADMIN_GET_LOG_PAGE, NVME_NSID_ALL, cdw10, 0), 0);
	assert_int_equal(bench_admin(r, NVME_ADMIN_GET_LOG_PAGE, 1, cdw10, 0),
			 NVME_SC_INVALID_FIELD);
	assert_int_equal(bench_admin(r, NVME_ADMIN_GET_LOG_PAGE, 2, cdw10, 0), NVME_SC_INVALID_NS);
	rig_destroy(r);
}

static void offsets_are_in_bytes_only(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_sqe sqe =
		bench_sqe(r, NVME_ADMIN_GET_LOG_PAGE, 0, 3u << 16 | NVME_LOG_SMART, 0);

	sqe.cdw14 = 1u << NVME_LOG_OT_SHIFT;
	assert_int_equal(rig_run(r, 0, sqe, NULL), NVME_SC_INVALID_FIELD);
	rig_destroy(r);
}

static void effects_tell_of_commands_that_work(void **state)
{
	struct rig *r = rig_ready("sanitize_s=0");
	struct nvme_effects e = *(struct nvme_effects *)bench_log(r, NVME_LOG_EFFECTS, sizeof(e));

	for (unsigned int opc = 0; opc < 256; opc++) {
		bool there = e.acs[opc] & NVME_EFFECTS_CSUPP;
		uint16_t sc;

		/* these wait, or take the queues away */
		if (opc == NVME_ADMIN_ASYNC_EVENT || opc == NVME_ADMIN_DELETE_SQ ||
		    opc == NVME_ADMIN_DELETE_CQ)
			continue;
		sc = bench_admin(r, (uint8_t)opc, 0, 0, 0);
		assert_int_equal(sc != NVME_SC_INVALID_OPCODE, there);
		sc = rig_run(r, 1, bench_sqe(r, (uint8_t)opc, 1, 0, 0), NULL);
		assert_int_equal(sc != NVME_SC_INVALID_OPCODE,
				 !!(e.iocs[opc] & NVME_EFFECTS_CSUPP));
	}
	assert_true(e.acs[NVME_ADMIN_FORMAT] & NVME_EFFECTS_LBCC);
	assert_true(e.iocs[NVME_CMD_WRITE] & NVME_EFFECTS_LBCC);
	assert_false(e.iocs[NVME_CMD_READ] & NVME_EFFECTS_LBCC);
	rig_destroy(r);
}

static void feature_effects_have_a_scope(void **state)
{
	struct rig *r = rig_ready("");
	uint32_t *fids = bench_log(r, NVME_LOG_FEATURE_EFFECTS, 1024);

	assert_int_equal(fids[0x01], 0x00200011);
	assert_int_equal(fids[0x03], 0x00100005);
	assert_int_equal(fids[0x0d], 0);
	rig_destroy(r);
}

static void telemetry_is_read_in_blocks(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_telemetry *t = (void *)r->buf;

	assert_int_equal(get_log(r, NVME_LOG_TELEMETRY_HOST, 0, 508), NVME_SC_INVALID_FIELD);
	assert_int_equal(get_log(r, NVME_LOG_TELEMETRY_HOST, 4, 512), NVME_SC_INVALID_FIELD);
	assert_int_equal(get_log(r, NVME_LOG_TELEMETRY_CTRL, 0, 516), NVME_SC_INVALID_FIELD);
	assert_int_equal(get_log(r, NVME_LOG_TELEMETRY_HOST, 0, 512), 0);
	assert_int_equal(t->lpi, 7);
	assert_int_equal(t->dalb1, t->dalb3);
	assert_int_equal(get_log(r, NVME_LOG_TELEMETRY_HOST, 512u * t->dalb3, 512), 0);
	assert_int_equal(get_log(r, NVME_LOG_TELEMETRY_CTRL, 0, 512), 0);
	assert_int_equal(t->lpi, 8);
	assert_int_equal(t->tcda, 0);
	rig_destroy(r);
}

static uint16_t capture(struct rig *r)
{
	return bench_admin(r, NVME_ADMIN_GET_LOG_PAGE, 0,
			   127u << 16 | NVME_LSP_TELEMETRY_CREATE << 8 | NVME_LOG_TELEMETRY_HOST,
			   0);
}

static void telemetry_counts_its_captures(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_telemetry *t = (void *)r->buf;
	uint8_t before;

	assert_int_equal(get_log(r, NVME_LOG_TELEMETRY_HOST, 0, 512), 0);
	before = t->thdgn;
	assert_int_equal(capture(r), 0);
	assert_int_equal(t->thdgn, (uint8_t)(before + 1));
	assert_int_equal(get_log(r, NVME_LOG_TELEMETRY_HOST, 0, 512), 0);
	assert_int_equal(t->thdgn, (uint8_t)(before + 1));
	rig_destroy(r);
}

static void telemetry_has_no_data_before_it_is_asked_for(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_telemetry *t = (void *)r->buf;

	assert_int_equal(get_log(r, NVME_LOG_TELEMETRY_HOST, 0, 512), 0);
	assert_int_equal(t->dalb1 | t->dalb2 | t->dalb3, 0);
	assert_int_equal(capture(r), 0);
	assert_int_not_equal(t->dalb1, 0);
	rig_destroy(r);
}

/* The host reads it in parts, while the drive's counters go on. */
static void telemetry_is_a_snapshot_until_the_next_capture(void **state)
{
	struct rig *r = rig_ready("");
	char first[4096], later[4096];

	assert_int_equal(capture(r), 0);
	assert_int_equal(get_log(r, NVME_LOG_TELEMETRY_HOST, 0, 2560), 0);
	memcpy(first, r->buf, 2560);
	assert_int_equal(rig_write(r, 0, 8, r->buf2), 0);
	assert_int_equal(get_log(r, NVME_LOG_TELEMETRY_HOST, 0, 2560), 0);
	assert_memory_equal(r->buf, first, 2560);
	assert_int_equal(get_log(r, NVME_LOG_TELEMETRY_HOST, 512, 512), 0);
	assert_memory_equal(r->buf, first + 512, 512);

	assert_int_equal(capture(r), 0);
	assert_int_equal(get_log(r, NVME_LOG_TELEMETRY_HOST, 512, 512), 0);
	memcpy(later, r->buf, 512);
	assert_memory_not_equal(later, first + 512, 512);
	rig_destroy(r);
}

static void telemetry_survives_resets_but_not_the_loss_of_power(void **state)
{
	for (enum bench_reset how = 0; how < BENCH_WAYS; how++) {
		struct rig *r = rig_ready("");
		struct nvme_telemetry *t = (void *)r->buf;
		uint8_t generation;

		assert_int_equal(capture(r), 0);
		generation = t->thdgn;
		bench_reset(r, how);
		assert_int_equal(get_log(r, NVME_LOG_TELEMETRY_HOST, 0, 512), 0);
		assert_int_equal(t->thdgn, generation);
		assert_int_equal(!t->dalb1, how == BENCH_POWER);
		rig_destroy(r);
	}
}

static void the_error_log_keeps_the_newest(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_error_entry *e;

	for (unsigned int i = 0; i < 70; i++)
		assert_int_equal(bench_admin(r, 0xff, i, 0, 0), NVME_SC_INVALID_OPCODE);
	e = bench_log(r, NVME_LOG_ERROR, 64 * 64);
	for (unsigned int i = 0; i < 64; i++) {
		assert_int_equal(e[i].error_count, 70 - i);
		assert_int_equal(e[i].nsid, 69 - i);
	}
	rig_destroy(r);
}

static void the_error_log_survives_resets(void **state)
{
	struct rig *r = rig_ready("");

	assert_int_equal(bench_admin(r, 0xff, 0, 0, 0), NVME_SC_INVALID_OPCODE);
	bench_reset(r, BENCH_POWER);
	assert_int_equal(bench_last_error(r).error_count, 1);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_00h_lists_what_can_be_read),
		cmocka_unit_test(beyond_the_end_are_zeros),
		cmocka_unit_test(offsets_shift_the_page),
		cmocka_unit_test(offsets_are_dwords_within_the_page),
		cmocka_unit_test(lengths_are_within_mdts),
		cmocka_unit_test(no_log_is_a_namespaces),
		cmocka_unit_test(offsets_are_in_bytes_only),
		cmocka_unit_test(effects_tell_of_commands_that_work),
		cmocka_unit_test(feature_effects_have_a_scope),
		cmocka_unit_test(telemetry_is_read_in_blocks),
		cmocka_unit_test(telemetry_counts_its_captures),
		cmocka_unit_test(telemetry_has_no_data_before_it_is_asked_for),
		cmocka_unit_test(telemetry_is_a_snapshot_until_the_next_capture),
		cmocka_unit_test(telemetry_survives_resets_but_not_the_loss_of_power),
		cmocka_unit_test(the_error_log_keeps_the_newest),
		cmocka_unit_test(the_error_log_survives_resets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
