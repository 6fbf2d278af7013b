/* SPDX-License-Identifier: BSD-3-Clause */
/* SMART / Health: what really happened is what is counted. */
#include "bench.h"

static struct nvme_smart *smart(struct rig *r)
{
	return bench_log(r, NVME_LOG_SMART, sizeof(struct nvme_smart));
}

static void a_new_drive_is_healthy(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_smart *s = smart(r);
	unsigned int kelvin = s->temperature[0] | s->temperature[1] << 8;

	assert_int_equal(s->critical_warning, 0);
	assert_true(kelvin >= 302 && kelvin <= 315);
	assert_int_equal(s->avsp, 100);
	assert_int_equal(s->pwrc[0], 1);
	assert_int_equal(s->upl[0], 0);
	assert_int_equal(s->dur[0], 0);
	assert_int_equal(s->neile[0], 0);
	rig_destroy(r);
}

static void data_units_are_thousands_rounded_up(void **state)
{
	struct rig *r = rig_ready("latency=none");

	assert_int_equal(rig_write(r, 0, 1, r->buf2), 0);
	assert_int_equal(smart(r)->duw[0], 1);
	assert_int_equal(smart(r)->dur[0], 0);
	for (unsigned int i = 0; i < 10; i++)
		assert_int_equal(rig_write(r, 0, 100, r->buf2), 0);
	assert_int_equal(smart(r)->duw[0], 2);
	assert_int_equal(smart(r)->hwc[0], 11);
	assert_int_equal(rig_read(r, 0, 8, r->buf2), 0);
	assert_int_equal(smart(r)->dur[0], 1);
	assert_int_equal(smart(r)->hrc[0], 1);
	rig_destroy(r);
}

static void data_units_are_512_bytes_whatever_the_format(void **state)
{
	struct rig *r = rig_ready("latency=none,lba=4096");

	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(rig_write(r, 0, 32, r->buf2), 0);
	assert_int_equal(smart(r)->duw[0], 2);
	rig_destroy(r);
}

static void media_errors_are_counted(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct nvme_sqe sqe = rig_rw(NVME_CMD_WRITE_UNCORRECTABLE, 7, 1, NULL);

	sqe.prp1 = 0;
	sqe.prp2 = 0;
	assert_int_equal(rig_run(r, 1, sqe, NULL), 0);
	assert_int_equal(rig_read(r, 0, 8, r->buf2), NVME_SC_UNRECOVERED_READ);
	assert_int_equal(smart(r)->mdie[0], 1);
	assert_int_equal(smart(r)->neile[0], 1);
	assert_int_equal(bench_last_error(r).lba, 7);
	rig_destroy(r);
}

static void power_cycles_rise_by_one(void **state)
{
	struct rig *r = rig_ready("");

	for (enum bench_reset how = 0; how < BENCH_RESETS; how++)
		bench_reset(r, how);
	assert_int_equal(smart(r)->pwrc[0], 1);
	bench_reset(r, BENCH_POWER);
	assert_int_equal(smart(r)->pwrc[0], 2);
	rig_destroy(r);
}

static void shut_down(struct rig *r)
{
	uint32_t cc = rig_reg(r, NVME_REG_CC);

	rig_set_reg(r, NVME_REG_CC, cc | (uint32_t)NVME_SET(1, CC_SHN));
	rig_advance(r, SECOND_NS);
	assert_int_equal(NVME_GET(rig_reg(r, NVME_REG_CSTS), CSTS_SHST), NVME_CSTS_SHST_COMPLETE);
}

static void only_unannounced_losses_are_unsafe(void **state)
{
	struct rig *r = rig_ready("");

	shut_down(r);
	bench_reset(r, BENCH_POWER);
	assert_int_equal(smart(r)->upl[0], 0);
	bench_reset(r, BENCH_POWER);
	assert_int_equal(smart(r)->upl[0], 1);
	rig_destroy(r);
}

static void enabling_again_needs_another_shutdown(void **state)
{
	struct rig *r = rig_ready("");

	shut_down(r);
	bench_reset(r, BENCH_CONTROLLER);
	bench_reset(r, BENCH_POWER);
	assert_int_equal(smart(r)->upl[0], 1);
	rig_destroy(r);
}

static void hours_are_those_with_power(void **state)
{
	struct rig *r = rig_ready("");

	r->now_ns += 3600 * SECOND_NS;
	assert_int_equal(smart(r)->poh[0], 1);
	assert_int_equal(ssd_power(r->ssd, false, r->now_ns), 0);
	r->now_ns += 7200 * SECOND_NS;
	assert_int_equal(ssd_power(r->ssd, true, r->now_ns), 0);
	rig_enable(r);
	assert_int_equal(smart(r)->poh[0], 1);
	rig_destroy(r);
}

static void busy_time_is_that_of_io_commands(void **state)
{
	struct rig *r = rig_ready("unmapped_us=10s,jitter=0,tail_us=0");

	/* two at a time */
	for (unsigned int i = 0; i < 8; i++) {
		struct nvme_cqe cqe;

		rig_put(r, 1, rig_rw(NVME_CMD_READ, 0, 1, r->buf));
		rig_put(r, 1, rig_rw(NVME_CMD_READ, 0, 1, r->buf));
		rig_ring(r, 1);
		rig_advance(r, 60 * SECOND_NS);
		assert_true(rig_reap(r, 1, &cqe));
		assert_true(rig_reap(r, 1, &cqe));
	}
	assert_int_equal(smart(r)->cbt[0], 1);
	rig_destroy(r);
}

static void the_temperature_is_what_was_set(void **state)
{
	struct rig *r = rig_ready("temp=310");
	struct nvme_smart *s = smart(r);

	assert_int_equal(s->temperature[0] | s->temperature[1] << 8, 310);
	assert_int_equal(ssd_set_temperature(r->ssd, 400, r->now_ns), 0);
	s = smart(r);
	assert_int_equal(s->temperature[0] | s->temperature[1] << 8, 400);
	assert_int_equal(s->critical_warning, NVME_SMART_WARN_TEMPERATURE);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_drive_is_healthy),
		cmocka_unit_test(data_units_are_thousands_rounded_up),
		cmocka_unit_test(data_units_are_512_bytes_whatever_the_format),
		cmocka_unit_test(media_errors_are_counted),
		cmocka_unit_test(power_cycles_rise_by_one),
		cmocka_unit_test(only_unannounced_losses_are_unsafe),
		cmocka_unit_test(enabling_again_needs_another_shutdown),
		cmocka_unit_test(hours_are_those_with_power),
		cmocka_unit_test(busy_time_is_that_of_io_commands),
		cmocka_unit_test(the_temperature_is_what_was_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
