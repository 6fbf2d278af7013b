/* SPDX-License-Identifier: BSD-3-Clause */
/* Power states: features 02h and 0Ch (Base 2.1 section 8.1.17). */
#include "bench.h"

#define US		1000ull
#define MS		(1000 * US)
#define STEADY		"jitter=0,tail_us=0,"
#define UNMAPPED_NS	(8 * US) /* a read of what was never written */
#define IDLE_MS		100ull
#define APST_TO(ps, ms) ((uint64_t)(ms) << NVME_APST_ITPT_SHIFT | (ps) << NVME_APST_ITPS_SHIFT)

static unsigned int state_of(struct rig *r)
{
	return NVME_GET(bench_feature(r, NVME_FEAT_POWER_MANAGEMENT, NVME_SEL_CURRENT), PM_PS);
}

/* Return: the time that it took. */
static uint64_t go_to(struct rig *r, uint32_t ps)
{
	uint64_t begin_ns = r->now_ns;

	assert_int_equal(bench_set_feature(r, NVME_FEAT_POWER_MANAGEMENT, ps), 0);
	return r->now_ns - begin_ns;
}

static uint64_t read_time(struct rig *r)
{
	uint64_t begin_ns = r->now_ns;

	assert_int_equal(rig_run(r, 1, rig_rw(NVME_CMD_READ, 0, 1, r->buf2), NULL), 0);
	return r->now_ns - begin_ns;
}

/* From @ps to @itps after IDLE_MS, and so on: entry by entry. */
static uint16_t set_apst(struct rig *r, bool on, const uint64_t entry[5])
{
	struct nvme_apst *t = (void *)r->buf;

	memset(t, 0, sizeof(*t));
	memcpy(t->entry, entry, 5 * sizeof(entry[0]));
	return bench_set_feature(r, NVME_FEAT_APST, on);
}

static const uint64_t to_3_then_4[5] = { APST_TO(3, IDLE_MS), APST_TO(3, IDLE_MS),
					 APST_TO(3, IDLE_MS), APST_TO(4, 10 * IDLE_MS), 0 };

static void the_last_states_are_not_operational_and_take_time(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_id_ctrl *id = bench_identify(r, 0, NVME_CNS_CTRL);

	assert_int_equal(id->npss, 4);
	assert_int_equal(id->apsta, NVME_APSTA_SUPPORTED);
	for (unsigned int i = 0; i <= 4; i++) {
		const struct nvme_psd *p = &id->psd[i];

		assert_int_equal(!!(p->flags & NVME_PSD_NOPS), i >= 3);
		assert_int_equal(p->enlat && p->exlat, i >= 3);
		assert_true(!i || p->mp < p[-1].mp);
		assert_true(!i || p->exlat >= p[-1].exlat);
	}
	rig_destroy(r);
}

static void a_transition_takes_exit_and_entry_latency(void **state)
{
	struct rig *r = rig_ready(STEADY);

	assert_int_equal(go_to(r, 2), 0);
	assert_int_equal(go_to(r, 3), 1000 * US);
	assert_int_equal(go_to(r, 3), 0);
	assert_int_equal(go_to(r, 4), (1500 + 5000) * US);
	assert_int_equal(go_to(r, 0), 12000 * US);
	assert_int_equal(state_of(r), 0);
	rig_destroy(r);
}

static void without_latencies_states_change_at_once(void **state)
{
	struct rig *r = rig_ready("latency=none");

	assert_int_equal(go_to(r, 4), 0);
	assert_int_equal(state_of(r), 4);
	assert_int_equal(read_time(r), 0);
	assert_int_equal(state_of(r), 0);
	rig_destroy(r);
}

static void states_above_npss_are_refused(void **state)
{
	struct rig *r = rig_ready("");

	assert_int_equal(bench_set_feature(r, NVME_FEAT_POWER_MANAGEMENT, 5),
			 NVME_SC_INVALID_FIELD);
	assert_int_equal(bench_set_feature(r, NVME_FEAT_POWER_MANAGEMENT, 31),
			 NVME_SC_INVALID_FIELD);
	assert_int_equal(state_of(r), 0);
	rig_destroy(r);
}

static void the_workload_hint_stays_beside_the_state(void **state)
{
	struct rig *r = rig_ready("");

	assert_int_equal(bench_set_feature(r, NVME_FEAT_POWER_MANAGEMENT, 2 << 5 | 3), 0);
	assert_int_equal(bench_feature(r, NVME_FEAT_POWER_MANAGEMENT, NVME_SEL_CURRENT),
			 2 << 5 | 3);
	assert_int_equal(bench_feature(r, NVME_FEAT_POWER_MANAGEMENT, NVME_SEL_DEFAULT), 0);
	read_time(r);
	assert_int_equal(bench_feature(r, NVME_FEAT_POWER_MANAGEMENT, NVME_SEL_CURRENT), 2 << 5);
	rig_destroy(r);
}

static void io_leads_back_to_the_last_operational_state(void **state)
{
	struct rig *r = rig_ready(STEADY);

	for (uint32_t ps = 0; ps < 3; ps++) {
		go_to(r, ps);
		go_to(r, 3);
		go_to(r, 4);
		assert_int_equal(read_time(r), 12000 * US + UNMAPPED_NS);
		assert_int_equal(state_of(r), ps);
		assert_int_equal(read_time(r), UNMAPPED_NS);
	}
	rig_destroy(r);
}

static void io_of_any_queue_wakes(void **state)
{
	struct rig *r = rig_ready(STEADY);

	rig_create_queue(r, 5, 4);
	go_to(r, 3);
	assert_int_equal(rig_run(r, 5, rig_rw(NVME_CMD_FLUSH, 0, 1, NULL), NULL), 0);
	assert_int_equal(state_of(r), 0);
	rig_destroy(r);
}

static void io_in_an_operational_state_does_not_change_it(void **state)
{
	struct rig *r = rig_ready(STEADY);

	go_to(r, 2);
	assert_int_equal(read_time(r), UNMAPPED_NS);
	assert_int_equal(state_of(r), 2);
	rig_destroy(r);
}

static void io_during_the_entry_waits_for_its_end_too(void **state)
{
	struct rig *r = rig_ready(STEADY);

	bench_start(r, bench_sqe(r, NVME_ADMIN_SET_FEATURES, 0, NVME_FEAT_POWER_MANAGEMENT, 4));
	rig_advance(r, 2000 * US);
	assert_int_equal(read_time(r), (3000 + 12000) * US + UNMAPPED_NS);
	assert_int_equal(bench_end(r, NULL), 0);
	assert_int_equal(state_of(r), 0);
	rig_destroy(r);
}

static void admin_commands_do_not_wake(void **state)
{
	struct rig *r = rig_ready(STEADY);
	uint64_t begin_ns;

	go_to(r, 4);
	begin_ns = r->now_ns;
	bench_identify(r, 0, NVME_CNS_CTRL);
	bench_log(r, NVME_LOG_SMART, 512);
	assert_int_equal(r->now_ns, begin_ns);
	assert_int_equal(state_of(r), 4);
	rig_destroy(r);
}

static void admin_commands_run_while_io_waits_for_a_state(void **state)
{
	struct rig *r = rig_ready(STEADY);
	struct nvme_cqe cqe;

	go_to(r, 4);
	rig_put(r, 1, rig_rw(NVME_CMD_READ, 0, 1, r->buf2));
	rig_ring(r, 1);
	rig_step(r);
	bench_log(r, NVME_LOG_SMART, 512);
	assert_false(rig_reap(r, 1, &cqe));
	rig_advance(r, 12000 * US + UNMAPPED_NS);
	assert_true(rig_reap(r, 1, &cqe));
	rig_destroy(r);
}

static void idle_time_leads_to_a_state_that_is_not_operational(void **state)
{
	struct rig *r = rig_ready(STEADY);

	assert_int_equal(set_apst(r, true, to_3_then_4), 0);
	rig_advance(r, IDLE_MS * MS - 1);
	assert_int_equal(state_of(r), 0);
	rig_advance(r, 1);
	assert_int_equal(state_of(r), 3);
	/* its own idle time begins when it is reached */
	rig_advance(r, 1000 * US + 10 * IDLE_MS * MS - 1);
	assert_int_equal(state_of(r), 3);
	rig_advance(r, 1);
	assert_int_equal(state_of(r), 4);
	rig_advance(r, 100 * SECOND_NS);
	assert_int_equal(state_of(r), 4);

	assert_int_equal(read_time(r), 12000 * US + UNMAPPED_NS);
	assert_int_equal(state_of(r), 0);
	rig_advance(r, IDLE_MS * MS);
	assert_int_equal(state_of(r), 3);
	rig_destroy(r);
}

static void io_begins_the_idle_time_anew_and_admin_commands_do_not(void **state)
{
	struct rig *r = rig_ready(STEADY);

	assert_int_equal(set_apst(r, true, to_3_then_4), 0);
	for (unsigned int i = 0; i < 5; i++) {
		rig_advance(r, IDLE_MS * MS - 1);
		assert_int_equal(state_of(r), 0);
		assert_int_equal(read_time(r), UNMAPPED_NS);
	}
	rig_advance(r, IDLE_MS * MS / 2);
	bench_log(r, NVME_LOG_SMART, 512);
	rig_advance(r, IDLE_MS * MS / 2);
	assert_int_equal(state_of(r), 3);
	rig_destroy(r);
}

static void a_command_that_takes_long_is_no_idle_time(void **state)
{
	struct rig *r = rig_ready(STEADY "unmapped_us=2s");

	assert_int_equal(set_apst(r, true, to_3_then_4), 0);
	assert_int_equal(read_time(r), 2 * SECOND_NS);
	assert_int_equal(state_of(r), 0);
	rig_advance(r, IDLE_MS * MS - 1);
	assert_int_equal(state_of(r), 0);
	rig_advance(r, 1);
	assert_int_equal(state_of(r), 3);
	rig_destroy(r);
}

/* Two seconds of @work, and the idle time is not over before. */
static void is_no_idle_time(struct nvme_sqe work)
{
	struct rig *r = rig_ready(STEADY "sanitize_s=2,dst_s=2");

	assert_int_equal(set_apst(r, true, to_3_then_4), 0);
	work.prp1 = (uintptr_t)r->buf;
	assert_int_equal(rig_run(r, 0, work, NULL), 0);
	rig_advance(r, 2 * SECOND_NS - 1);
	assert_int_equal(state_of(r), 0);
	rig_advance(r, 2 * IDLE_MS * MS);
	assert_int_equal(state_of(r), 3);
	rig_destroy(r);
}

static void work_in_the_background_is_no_idle_time(void **state)
{
	is_no_idle_time(
		(struct nvme_sqe){ .opc = NVME_ADMIN_SANITIZE, .cdw10 = NVME_SANACT_BLOCK_ERASE });
	is_no_idle_time((struct nvme_sqe){ .opc = NVME_ADMIN_SELF_TEST, .cdw10 = NVME_DST_SHORT });
}

static void a_format_is_no_idle_time(void **state)
{
	struct rig *r = rig_ready(STEADY "erase_s=2");

	assert_int_equal(set_apst(r, true, to_3_then_4), 0);
	bench_start(r, bench_sqe(r, NVME_ADMIN_FORMAT, 1, 1 << 9, 0));
	rig_advance(r, 2 * SECOND_NS - 1);
	assert_int_equal(state_of(r), 0);
	rig_advance(r, 1);
	assert_int_equal(bench_end(r, NULL), 0);
	rig_advance(r, 2 * IDLE_MS * MS);
	assert_int_equal(state_of(r), 3);
	rig_destroy(r);
}

static void io_without_latencies_begins_the_idle_time_anew_too(void **state)
{
	struct rig *r = rig_ready("latency=none");

	assert_int_equal(set_apst(r, true, to_3_then_4), 0);
	rig_advance(r, IDLE_MS * MS - 1);
	assert_int_equal(read_time(r), 0);
	rig_advance(r, IDLE_MS * MS - 1);
	assert_int_equal(state_of(r), 0);
	rig_advance(r, 1);
	assert_int_equal(state_of(r), 3);
	rig_destroy(r);
}

static void without_apst_or_idle_time_states_stay(void **state)
{
	static const uint64_t nowhere[5] = { 0 };
	struct rig *r = rig_ready(STEADY);

	assert_int_equal(set_apst(r, false, to_3_then_4), 0);
	rig_advance(r, 10 * SECOND_NS);
	assert_int_equal(state_of(r), 0);
	assert_int_equal(set_apst(r, true, nowhere), 0);
	rig_advance(r, 10 * SECOND_NS);
	assert_int_equal(state_of(r), 0);
	assert_int_equal(set_apst(r, true, to_3_then_4), 0);
	assert_int_equal(set_apst(r, false, to_3_then_4), 0);
	rig_advance(r, 10 * SECOND_NS);
	assert_int_equal(state_of(r), 0);
	rig_destroy(r);
}

static void transitions_lead_to_states_that_are_not_operational(void **state)
{
	struct rig *r = rig_ready("");

	for (uint64_t ps = 0; ps < 6; ps++) {
		const uint64_t entry[5] = { 0, APST_TO(ps, 1) };

		assert_int_equal(set_apst(r, true, entry),
				 ps == 3 || ps == 4 ? 0 : NVME_SC_INVALID_FIELD);
	}
	rig_destroy(r);
}

static void any_reset_leads_to_state_0_for_good(void **state)
{
	for (enum bench_reset how = 0; how < BENCH_WAYS; how++) {
		struct rig *r = rig_ready(STEADY);

		assert_int_equal(set_apst(r, true, to_3_then_4), 0);
		go_to(r, 2);
		go_to(r, 4);
		bench_reset(r, how);
		assert_int_equal(state_of(r), 0);
		assert_int_equal(read_time(r), UNMAPPED_NS);
		rig_advance(r, 10 * SECOND_NS);
		assert_int_equal(state_of(r), 0);
		/* what was operational before is forgotten */
		go_to(r, 3);
		read_time(r);
		assert_int_equal(state_of(r), 0);
		rig_destroy(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_states_are_not_operational_and_take_time),
		cmocka_unit_test(a_transition_takes_exit_and_entry_latency),
		cmocka_unit_test(without_latencies_states_change_at_once),
		cmocka_unit_test(states_above_npss_are_refused),
		cmocka_unit_test(the_workload_hint_stays_beside_the_state),
		cmocka_unit_test(io_leads_back_to_the_last_operational_state),
		cmocka_unit_test(io_of_any_queue_wakes),
		cmocka_unit_test(io_in_an_operational_state_does_not_change_it),
		cmocka_unit_test(io_during_the_entry_waits_for_its_end_too),
		cmocka_unit_test(admin_commands_do_not_wake),
		cmocka_unit_test(admin_commands_run_while_io_waits_for_a_state),
		cmocka_unit_test(idle_time_leads_to_a_state_that_is_not_operational),
		cmocka_unit_test(io_begins_the_idle_time_anew_and_admin_commands_do_not),
		cmocka_unit_test(a_command_that_takes_long_is_no_idle_time),
		cmocka_unit_test(work_in_the_background_is_no_idle_time),
		cmocka_unit_test(a_format_is_no_idle_time),
		cmocka_unit_test(io_without_latencies_begins_the_idle_time_anew_too),
		cmocka_unit_test(without_apst_or_idle_time_states_stay),
		cmocka_unit_test(transitions_lead_to_states_that_are_not_operational),
		cmocka_unit_test(any_reset_leads_to_state_0_for_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
