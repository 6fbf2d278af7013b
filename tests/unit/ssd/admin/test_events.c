/* SPDX-License-Identifier: BSD-3-Clause */
/* Asynchronous events: requests, masks, the temperature thresholds. */
#include "bench.h"

#define OVER(k)	 (k)
#define UNDER(k) ((k) | 1u << NVME_TMPTH_THSEL_SHIFT)
#define HOT	 BENCH_EVENT(NVME_AER_TYPE_SMART, NVME_AER_SMART_TEMPERATURE, NVME_LOG_SMART)

static void watch_temperature(struct rig *r)
{
	assert_int_equal(bench_set_feature(r, NVME_FEAT_ASYNC_EVENT, NVME_SMART_WARN_TEMPERATURE),
			 0);
}

static uint16_t threshold(struct rig *r, uint32_t cdw11)
{
	bench_start(r, bench_sqe(r, NVME_ADMIN_SET_FEATURES, 0, NVME_FEAT_TEMPERATURE_THRESHOLD,
				 cdw11));
	return bench_end(r, NULL);
}

static void four_requests_may_wait(void **state)
{
	struct rig *r = rig_ready("");

	bench_aers(r, 4);
	bench_start(r, (struct nvme_sqe){ .opc = NVME_ADMIN_ASYNC_EVENT });
	assert_int_equal(bench_end(r, NULL), NVME_SC_AER_LIMIT_EXCEEDED);
	rig_destroy(r);
}

static void an_event_waits_for_a_request(void **state)
{
	struct rig *r = rig_ready("");

	watch_temperature(r);
	assert_int_equal(ssd_set_temperature(r->ssd, 400, r->now_ns), 0);
	assert_int_equal(bench_event(r), 0);
	bench_start(r, (struct nvme_sqe){ .opc = NVME_ADMIN_ASYNC_EVENT });
	assert_int_equal(bench_event(r), HOT);
	rig_destroy(r);
}

static void an_event_is_masked_until_its_log_is_read(void **state)
{
	const uint32_t rae = 1u << NVME_LOG_RAE_SHIFT;
	struct rig *r = rig_ready("");

	watch_temperature(r);
	bench_aers(r, 2);
	assert_int_equal(ssd_set_temperature(r->ssd, 400, r->now_ns), 0);
	assert_int_equal(bench_event(r), HOT);
	assert_int_equal(ssd_set_temperature(r->ssd, 300, r->now_ns), 0);
	assert_int_equal(ssd_set_temperature(r->ssd, 400, r->now_ns), 0);
	assert_int_equal(bench_event(r), 0);
	/* another page's log keeps the mask, and RAE does */
	bench_log(r, NVME_LOG_FW_SLOT, 512);
	assert_int_equal(ssd_set_temperature(r->ssd, 300, r->now_ns), 0);
	assert_int_equal(ssd_set_temperature(r->ssd, 400, r->now_ns), 0);
	assert_int_equal(bench_event(r), 0);
	bench_start(r, bench_sqe(r, NVME_ADMIN_GET_LOG_PAGE, NVME_NSID_ALL,
				 127u << 16 | rae | NVME_LOG_SMART, 0));
	assert_int_equal(bench_end(r, NULL), 0);
	assert_int_equal(ssd_set_temperature(r->ssd, 300, r->now_ns), 0);
	assert_int_equal(ssd_set_temperature(r->ssd, 400, r->now_ns), 0);
	assert_int_equal(bench_event(r), 0);
	bench_start(r, bench_sqe(r, NVME_ADMIN_GET_LOG_PAGE, NVME_NSID_ALL,
				 127u << 16 | NVME_LOG_SMART, 0));
	assert_int_equal(bench_end(r, NULL), 0);
	assert_int_equal(ssd_set_temperature(r->ssd, 300, r->now_ns), 0);
	assert_int_equal(ssd_set_temperature(r->ssd, 400, r->now_ns), 0);
	assert_int_equal(bench_event(r), HOT);
	rig_destroy(r);
}

static void warnings_are_sent_when_asked_for(void **state)
{
	struct rig *r = rig_ready("");

	bench_aers(r, 1);
	assert_int_equal(ssd_set_temperature(r->ssd, 400, r->now_ns), 0);
	assert_int_equal(bench_event(r), 0);
	rig_destroy(r);
}

static void notices_are_sent_when_asked_for(void **state)
{
	struct rig *r = rig_ready("size=64M,ns=2");

	bench_aers(r, 1);
	bench_start(r, bench_sqe(r, NVME_ADMIN_NS_MANAGEMENT, 2, NVME_NS_MGMT_DELETE, 0));
	assert_int_equal(bench_end(r, NULL), 0);
	assert_true(bench_idle(r));
	rig_destroy(r);
}

static void thresholds_are_evaluated_at_once(void **state)
{
	struct rig *r = rig_ready("");

	watch_temperature(r);
	bench_aers(r, 4);
	bench_start(r, bench_sqe(r, NVME_ADMIN_SET_FEATURES, 0, 4, OVER(300)));
	assert_int_equal(bench_event(r), HOT);
	assert_int_equal(bench_end(r, NULL), 0);
	bench_log(r, NVME_LOG_SMART, 512);
	/* still too hot for another threshold: another event */
	bench_start(r, bench_sqe(r, NVME_ADMIN_SET_FEATURES, 0, 4, OVER(301)));
	assert_int_equal(bench_event(r), HOT);
	assert_int_equal(bench_end(r, NULL), 0);
	bench_log(r, NVME_LOG_SMART, 512);
	assert_int_equal(threshold(r, OVER(400)), 0);
	bench_start(r, bench_sqe(r, NVME_ADMIN_SET_FEATURES, 0, 4, UNDER(390)));
	assert_int_equal(bench_event(r), HOT);
	assert_int_equal(bench_end(r, NULL), 0);
	rig_destroy(r);
}

/* Base 2.1: greater than or equal to the one, less than or equal to the other. */
static void a_temperature_at_its_threshold_exceeds_it(void **state)
{
	struct rig *r = rig_ready("temp=310");

	watch_temperature(r);
	bench_aers(r, 4);
	assert_int_equal(threshold(r, OVER(320)), 0);
	assert_int_equal(threshold(r, UNDER(300)), 0);
	assert_int_equal(bench_event(r), 0);
	for (unsigned int i = 0; i < 2; i++) {
		const unsigned int at = i ? 300 : 320, inside = i ? 301 : 319;

		assert_int_equal(ssd_set_temperature(r->ssd, inside, r->now_ns), 0);
		assert_int_equal(bench_event(r), 0);
		assert_int_equal(ssd_set_temperature(r->ssd, at, r->now_ns), 0);
		assert_int_equal(bench_event(r), HOT);
		assert_int_equal(ssd_set_temperature(r->ssd, 310, r->now_ns), 0);
		bench_log(r, NVME_LOG_SMART, 512);
	}
	rig_destroy(r);
}

static void a_threshold_is_crossed_once(void **state)
{
	struct rig *r = rig_ready("");

	watch_temperature(r);
	bench_aers(r, 2);
	assert_int_equal(ssd_set_temperature(r->ssd, 400, r->now_ns), 0);
	assert_int_equal(bench_event(r), HOT);
	bench_log(r, NVME_LOG_SMART, 512);
	/* hotter still is no other crossing */
	assert_int_equal(ssd_set_temperature(r->ssd, 401, r->now_ns), 0);
	assert_int_equal(bench_event(r), 0);
	rig_destroy(r);
}

static void thresholds_read_back_and_reset(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_id_ctrl *id = bench_identify(r, 0, NVME_CNS_CTRL);
	uint32_t over = id->wctemp, cdw0;

	assert_int_equal(bench_feature(r, 4, NVME_SEL_CURRENT), over);
	assert_int_equal(threshold(r, OVER(350)), 0);
	assert_int_equal(threshold(r, UNDER(200)), 0);
	assert_int_equal(bench_feature(r, 4, NVME_SEL_CURRENT), 350);
	assert_int_equal(bench_feature(r, 4, NVME_SEL_DEFAULT), over);
	assert_int_equal(
		rig_run(r, 0, bench_sqe(r, NVME_ADMIN_GET_FEATURES, 0, 4, UNDER(0)), &cdw0), 0);
	assert_int_equal(cdw0, 200);
	bench_reset(r, BENCH_CONTROLLER);
	assert_int_equal(bench_feature(r, 4, NVME_SEL_CURRENT), over);
	rig_destroy(r);
}

static void sensors_that_are_not_there_are_refused(void **state)
{
	struct rig *r = rig_ready("");

	for (uint32_t sensor = 1; sensor < 15; sensor++)
		assert_int_equal(threshold(r, sensor << 16 | 350), NVME_SC_INVALID_FIELD);
	assert_int_equal(threshold(r, 15u << 16 | 350), 0);
	assert_int_equal(threshold(r, 2u << 20 | 350), NVME_SC_INVALID_FIELD);
	assert_int_equal(bench_admin(r, NVME_ADMIN_GET_FEATURES, 0, 4, 15u << 16),
			 NVME_SC_INVALID_FIELD);
	rig_destroy(r);
}

static void events_of_different_types_do_not_mask_each_other(void **state)
{
	struct rig *r = rig_ready("");

	watch_temperature(r);
	bench_aers(r, 2);
	assert_int_equal(ssd_set_temperature(r->ssd, 400, r->now_ns), 0);
	assert_int_equal(bench_event(r), HOT);
	rig_set_reg(r, NVME_REG_DOORBELLS + 8 * 9, 1);
	assert_int_equal(bench_event(r),
			 BENCH_EVENT(NVME_AER_TYPE_ERROR, NVME_AER_ERROR_INVALID_DOORBELL_REG,
				     NVME_LOG_ERROR));
	rig_destroy(r);
}

static void a_log_that_is_read_first_clears_its_event(void **state)
{
	const uint32_t rae = 1u << NVME_LOG_RAE_SHIFT;
	struct rig *r = rig_ready("");

	watch_temperature(r);
	assert_int_equal(ssd_set_temperature(r->ssd, 400, r->now_ns), 0);
	bench_log(r, NVME_LOG_SMART, 512);
	bench_aers(r, 1);
	assert_int_equal(bench_event(r), 0);
	bench_reset(r, BENCH_CONTROLLER);
	/* with RAE it does not */
	watch_temperature(r);
	assert_int_equal(ssd_set_temperature(r->ssd, 300, r->now_ns), 0);
	assert_int_equal(ssd_set_temperature(r->ssd, 400, r->now_ns), 0);
	bench_start(r, bench_sqe(r, NVME_ADMIN_GET_LOG_PAGE, NVME_NSID_ALL,
				 127u << 16 | rae | NVME_LOG_SMART, 0));
	assert_int_equal(bench_end(r, NULL), 0);
	bench_start(r, (struct nvme_sqe){ .opc = NVME_ADMIN_ASYNC_EVENT });
	assert_int_equal(bench_event(r), HOT);
	rig_destroy(r);
}

static void different_events_of_a_type_wait_for_their_turn(void **state)
{
	const uint32_t bad_reg = BENCH_EVENT(NVME_AER_TYPE_ERROR,
					     NVME_AER_ERROR_INVALID_DOORBELL_REG, NVME_LOG_ERROR);
	struct rig *r = rig_ready("");

	rig_set_reg(r, NVME_REG_DOORBELLS + 8 * 9, 1);
	rig_set_reg(r, NVME_REG_DOORBELLS + 8, 0xffff);
	bench_start(r, (struct nvme_sqe){ .opc = NVME_ADMIN_ASYNC_EVENT });
	assert_int_equal(bench_event(r), bad_reg);
	/* one log page tells of both */
	bench_aers(r, 1);
	assert_int_equal(bench_event(r), 0);
	bench_log(r, NVME_LOG_ERROR, 64);
	assert_int_equal(bench_event(r), 0);
	rig_destroy(r);
}

static void an_event_that_waits_is_not_there_twice(void **state)
{
	struct rig *r = rig_ready("");

	rig_set_reg(r, NVME_REG_DOORBELLS + 8 * 9, 1);
	rig_set_reg(r, NVME_REG_DOORBELLS + 8 * 10, 1);
	bench_start(r, (struct nvme_sqe){ .opc = NVME_ADMIN_ASYNC_EVENT });
	assert_int_not_equal(bench_event(r), 0);
	bench_log(r, NVME_LOG_ERROR, 64);
	bench_aers(r, 1);
	rig_destroy(r);
}

static void resets_forget_requests_and_masks(void **state)
{
	for (enum bench_reset how = 0; how < BENCH_RESETS; how++) {
		struct rig *r = rig_ready("");

		watch_temperature(r);
		bench_aers(r, 4);
		assert_int_equal(ssd_set_temperature(r->ssd, 400, r->now_ns), 0);
		assert_int_equal(bench_event(r), HOT);
		assert_int_equal(ssd_set_temperature(r->ssd, 300, r->now_ns), 0);
		bench_reset(r, how);
		watch_temperature(r);
		bench_aers(r, 4);
		assert_int_equal(ssd_set_temperature(r->ssd, 400, r->now_ns), 0);
		assert_int_equal(bench_event(r), HOT);
		rig_destroy(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(four_requests_may_wait),
		cmocka_unit_test(an_event_waits_for_a_request),
		cmocka_unit_test(an_event_is_masked_until_its_log_is_read),
		cmocka_unit_test(warnings_are_sent_when_asked_for),
		cmocka_unit_test(notices_are_sent_when_asked_for),
		cmocka_unit_test(thresholds_are_evaluated_at_once),
		cmocka_unit_test(a_temperature_at_its_threshold_exceeds_it),
		cmocka_unit_test(thresholds_read_back_and_reset),
		cmocka_unit_test(sensors_that_are_not_there_are_refused),
		cmocka_unit_test(events_of_different_types_do_not_mask_each_other),
		cmocka_unit_test(a_log_that_is_read_first_clears_its_event),
		cmocka_unit_test(different_events_of_a_type_wait_for_their_turn),
		cmocka_unit_test(an_event_that_waits_is_not_there_twice),
		cmocka_unit_test(resets_forget_requests_and_masks),
		cmocka_unit_test(a_threshold_is_crossed_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
