/* SPDX-License-Identifier: BSD-3-Clause */
/* Sanitize, its status log, and what may be done meanwhile. */
#include "bench.h"

static uint16_t sanitize(struct rig *r, uint32_t cdw10)
{
	return bench_admin(r, NVME_ADMIN_SANITIZE, 0, cdw10, 0x5aa5a55a);
}

static struct nvme_sanitize_status *status(struct rig *r)
{
	return bench_log(r, NVME_LOG_SANITIZE, sizeof(struct nvme_sanitize_status));
}

static uint32_t sos(struct rig *r)
{
	return NVME_GET(status(r)->sstat, SSTAT_SOS);
}

static void a_new_drive_was_never_sanitized(void **state)
{
	struct rig *r = rig_ready("latency=none");

	assert_int_equal(status(r)->sstat, NVME_SSTAT_GDE);
	assert_int_equal(status(r)->sprog, 0xffff);
	assert_int_equal(status(r)->etbe, 2);
	assert_int_equal(rig_write(r, 0, 1, r->buf2), 0);
	assert_int_equal(status(r)->sstat, 0);
	rig_destroy(r);
}

static void data_is_gone_after_its_time(void **state)
{
	struct rig *r = rig_ready("latency=none");

	memset(r->buf2, 0x77, 4096);
	assert_int_equal(rig_write(r, 0, 8, r->buf2), 0);
	assert_int_equal(sanitize(r, NVME_SANACT_BLOCK_ERASE), 0);
	rig_advance(r, SECOND_NS);
	assert_int_equal(sos(r), NVME_SOS_IN_PROGRESS);
	assert_int_equal(status(r)->sprog, 0x8000);
	assert_int_equal(status(r)->scdw10, NVME_SANACT_BLOCK_ERASE);
	rig_advance(r, SECOND_NS);
	assert_int_equal(status(r)->sstat, NVME_SOS_COMPLETED | NVME_SSTAT_GDE);
	assert_int_equal(status(r)->sprog, 0xffff);
	assert_int_equal(rig_read(r, 0, 8, r->buf2), 0);
	for (unsigned int i = 0; i < 4096; i++)
		assert_int_equal(r->buf2[i], 0);
	assert_int_equal(rig_write(r, 0, 1, r->buf2), 0);
	assert_int_equal(status(r)->sstat, NVME_SOS_COMPLETED);
	rig_destroy(r);
}

static void the_end_is_an_event(void **state)
{
	struct rig *r = rig_ready("");

	assert_int_equal(sanitize(r, NVME_SANACT_OVERWRITE | 3 << 4), 0);
	bench_aers(r, 1);
	rig_advance(r, 2 * SECOND_NS);
	assert_int_equal(bench_event(r),
			 BENCH_EVENT(NVME_AER_TYPE_IO, NVME_AER_IO_SANITIZE_COMPLETED,
				     NVME_LOG_SANITIZE));
	assert_int_equal(NVME_GET(status(r)->sstat, SSTAT_OPC), 3);
	rig_destroy(r);
}

static void media_commands_are_refused_meanwhile(void **state)
{
	struct rig *r = rig_ready("ns=2");
	struct nvme_sqe flush = { .opc = NVME_CMD_FLUSH, .nsid = 1 };

	assert_int_equal(sanitize(r, NVME_SANACT_BLOCK_ERASE), 0);
	assert_int_equal(rig_read(r, 0, 1, r->buf), NVME_SC_SANITIZE_IN_PROGRESS);
	assert_int_equal(rig_write(r, 0, 1, r->buf), NVME_SC_SANITIZE_IN_PROGRESS);
	assert_int_equal(rig_run(r, 1, flush, NULL), NVME_SC_SANITIZE_IN_PROGRESS);
	flush.nsid = NVME_NSID_ALL;
	assert_int_equal(rig_run(r, 1, flush, NULL), NVME_SC_SANITIZE_IN_PROGRESS);
	rig_advance(r, 2 * SECOND_NS);
	assert_int_equal(rig_read(r, 0, 1, r->buf), 0);
	rig_destroy(r);
}

static void most_admin_commands_are_refused_meanwhile(void **state)
{
	static const uint8_t refused[] = {
		NVME_ADMIN_NS_MANAGEMENT,  NVME_ADMIN_FW_COMMIT,     NVME_ADMIN_FW_DOWNLOAD,
		NVME_ADMIN_SELF_TEST,	   NVME_ADMIN_NS_ATTACHMENT, NVME_ADMIN_DIRECTIVE_SEND,
		NVME_ADMIN_FORMAT,	   NVME_ADMIN_SECURITY_SEND, NVME_ADMIN_SANITIZE,
		NVME_ADMIN_GET_LBA_STATUS,
	};
	struct rig *r = rig_ready("");

	assert_int_equal(sanitize(r, NVME_SANACT_BLOCK_ERASE), 0);
	for (unsigned int i = 0; i < sizeof(refused); i++)
		assert_int_equal(bench_admin(r, refused[i], 1, 2, 0), NVME_SC_SANITIZE_IN_PROGRESS);
	assert_int_equal(rig_log(r, NVME_LOG_TELEMETRY_HOST, r->buf, 512),
			 NVME_SC_SANITIZE_IN_PROGRESS);
	bench_identify(r, 0, NVME_CNS_CTRL);
	bench_log(r, NVME_LOG_SMART, 512);
	bench_log(r, NVME_LOG_ERROR, 64);
	assert_int_equal(bench_set_feature(r, NVME_FEAT_ARBITRATION, 0), 0);
	rig_create_queue(r, 2, 16);
	rig_destroy(r);
}

static void resets_and_power_loss_do_not_stop_it(void **state)
{
	for (enum bench_reset how = 0; how < BENCH_WAYS; how++) {
		struct rig *r = rig_ready("");

		assert_int_equal(sanitize(r, NVME_SANACT_BLOCK_ERASE), 0);
		rig_advance(r, SECOND_NS);
		bench_reset(r, how);
		assert_int_equal(sos(r), NVME_SOS_IN_PROGRESS);
		assert_int_equal(status(r)->sprog, 0x8000);
		assert_int_equal(rig_read(r, 0, 1, r->buf), NVME_SC_SANITIZE_IN_PROGRESS);
		rig_advance(r, SECOND_NS);
		assert_int_equal(sos(r), NVME_SOS_COMPLETED);
		assert_int_equal(rig_read(r, 0, 1, r->buf), 0);
		rig_destroy(r);
	}
}

static void the_result_survives_power_loss(void **state)
{
	struct rig *r = rig_ready("sanitize_s=0");

	assert_int_equal(sanitize(r, NVME_SANACT_BLOCK_ERASE), 0);
	rig_advance(r, 1);
	bench_reset(r, BENCH_POWER);
	assert_int_equal(sos(r), NVME_SOS_COMPLETED);
	rig_destroy(r);
}

static void actions_are_checked(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_id_ctrl *id = bench_identify(r, 0, NVME_CNS_CTRL);

	assert_int_equal(id->sanicap & 7, NVME_SANICAP_BES | NVME_SANICAP_OWS);
	assert_int_equal(sanitize(r, 0), NVME_SC_INVALID_FIELD);
	assert_int_equal(sanitize(r, NVME_SANACT_CRYPTO_ERASE), NVME_SC_INVALID_FIELD);
	assert_int_equal(sanitize(r, NVME_SANACT_EXIT_VERIFICATION), NVME_SC_INVALID_FIELD);
	assert_int_equal(sanitize(r, 7), NVME_SC_INVALID_FIELD);
	assert_int_equal(sanitize(r, NVME_SANACT_EXIT_FAILURE), 0);
	assert_int_equal(sos(r), NVME_SOS_NEVER);
	rig_destroy(r);
}

static void no_deallocate_is_refused_or_warned_about(void **state)
{
	const uint32_t cdw10 = NVME_SANACT_BLOCK_ERASE | 1u << NVME_SANITIZE_NDAS_SHIFT;
	struct rig *r = rig_ready("sanitize_s=0.1");

	assert_int_equal(sanitize(r, cdw10), NVME_SC_INVALID_FIELD);
	assert_int_equal(bench_last_error(r).pel, 41 | 1 << 8);
	assert_int_equal(bench_set_feature(r, NVME_FEAT_SANITIZE_CONFIG, 1), 0);
	assert_int_equal(sanitize(r, cdw10), 0);
	bench_aers(r, 1);
	rig_advance(r, SECOND_NS);
	assert_int_equal(bench_event(r),
			 BENCH_EVENT(NVME_AER_TYPE_IO, NVME_AER_IO_SANITIZE_UNEXPECTED_DEALLOC,
				     NVME_LOG_SANITIZE));
	assert_int_equal(sos(r), NVME_SOS_COMPLETED_ND);
	rig_destroy(r);
}

static void a_running_format_comes_first(void **state)
{
	struct rig *r = rig_ready("");

	bench_start(r, bench_sqe(r, NVME_ADMIN_FORMAT, 1, NVME_FORMAT_SES_USER << 9, 0));
	assert_int_equal(sanitize(r, NVME_SANACT_BLOCK_ERASE), NVME_SC_FORMAT_IN_PROGRESS);
	rig_destroy(r);
}

static void firmware_that_waits_for_a_reset_comes_first(void **state)
{
	struct rig *r = rig_ready("");

	/* activate slot 1, which is there, at the next reset */
	assert_int_equal(bench_admin(r, NVME_ADMIN_FW_COMMIT, 0,
				     1 | NVME_FW_ACTION_ACTIVATE << NVME_FW_ACTION_SHIFT, 0),
			 0);
	assert_int_equal(sanitize(r, NVME_SANACT_BLOCK_ERASE), NVME_SC_FW_REQUIRES_RESET);
	bench_reset(r, BENCH_CONTROLLER);
	assert_int_equal(sanitize(r, NVME_SANACT_BLOCK_ERASE), 0);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_drive_was_never_sanitized),
		cmocka_unit_test(data_is_gone_after_its_time),
		cmocka_unit_test(the_end_is_an_event),
		cmocka_unit_test(media_commands_are_refused_meanwhile),
		cmocka_unit_test(most_admin_commands_are_refused_meanwhile),
		cmocka_unit_test(resets_and_power_loss_do_not_stop_it),
		cmocka_unit_test(the_result_survives_power_loss),
		cmocka_unit_test(actions_are_checked),
		cmocka_unit_test(no_deallocate_is_refused_or_warned_about),
		cmocka_unit_test(a_running_format_comes_first),
		cmocka_unit_test(firmware_that_waits_for_a_reset_comes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
