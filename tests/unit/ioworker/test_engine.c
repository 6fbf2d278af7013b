/* SPDX-License-Identifier: BSD-3-Clause */
/* What a worker sends, and when, on a virtual clock. */
#include "fake_qpair.h"

#include "base/err.h"
#include "spec/io.h"

static struct ioworker_result result_of(const struct ioworker *w)
{
	struct ioworker_result r;

	ioworker_get_result(w, &r);
	return r;
}

static void exactly_io_count_commands_are_issued(void **state)
{
	struct ioworker_opts o = fake_options();
	struct ioworker *w;

	for (uint64_t count = 1; count < 40; count++) {
		fake_setup(state);
		o.io_count = count;
		w = fake_whole_run(&o, US);
		assert_int_equal(fake.nsent, count);
		assert_int_equal(result_of(w).reads, count);
		assert_false(result_of(w).failed);
		ioworker_destroy(w);
	}
}

static void qdepth_commands_are_in_flight_in_a_ring_one_larger(void **state)
{
	struct ioworker_opts o = fake_options();

	o.io_count = 1000;
	o.qdepth = 17;
	ioworker_destroy(fake_whole_run(&o, US));

	assert_int_equal(fake.max_inflight, 17);
	assert_int_equal(fake.depth, 18);
}

/* By another thread, which noticed a Format; the slots have room for 8 LBAs of 512 bytes. */
static void no_command_of_a_batch_outgrows_its_slot(void **state)
{
	static const struct plan_op ops[] = { { NVME_CMD_READ, 50 }, { NVME_CMD_WRITE, 50 } };
	struct ioworker_opts o = fake_options();

	o.plan.ops = ops;
	o.plan.nops = 2;
	o.io_count = 100;
	o.qdepth = 16;
	fake.formatted = 3;
	ioworker_destroy(fake_whole_run(&o, US));

	assert_int_equal(fake.nsent, 16);
	for (unsigned int i = 0; i < 16; i++)
		assert_int_equal(fake.data_bytes[i], 8 * 512);
}

static void the_ring_is_never_larger_than_the_device_can(void **state)
{
	struct ioworker_opts o = fake_options();

	fake.ctrl.max_entries = 16;
	o.io_count = 100;
	o.qdepth = 16;
	ioworker_destroy(fake_whole_run(&o, US));

	assert_int_equal(fake.depth, 16);
}

static void time_ends_a_worker_after_its_last_commands(void **state)
{
	struct ioworker_opts o = fake_options();
	struct ioworker *w;

	fake.latency_ns = 100 * US;
	o.time_ns = 10 * MS;
	w = fake_whole_run(&o, US);

	/* Four commands every 100 us; those of the last round end with the time. */
	assert_int_equal(fake.nsent, 400);
	assert_true(fake.sent_ns[399] < 10 * MS);
	assert_int_equal(result_of(w).reads, 400);
	assert_int_equal(result_of(w).run_ns, 10 * MS);
	ioworker_destroy(w);
}

static void its_progress_is_how_much_of_the_region_is_filled(void **state)
{
	struct ioworker_opts o = fake_options();
	struct ioworker_progress p;
	struct ioworker *w;

	o.plan.once = true;
	o.plan.random_percent = 0;
	o.plan.region_end = 100;
	w = fake_whole_run(&o, US);
	ioworker_get_progress(w, &p);

	assert_true(p.percent == 100);
	assert_int_equal(p.ios, 13);
	ioworker_destroy(w);
}

static void its_progress_is_complete_at_the_end(void **state)
{
	struct ioworker_opts o = fake_options();
	struct ioworker_progress p;
	struct ioworker *w;

	fake.latency_ns = 100 * US;
	o.time_ns = 10 * MS;
	w = fake_whole_run(&o, US);
	ioworker_get_progress(w, &p);

	assert_true(p.percent == 100);
	assert_int_equal(p.ios, 400);
	assert_int_equal(p.reads, 400);
	assert_int_equal(p.bytes, 400 * 8 * 512);
	ioworker_destroy(w);
}

static void its_progress_counts_reads_by_themselves(void **state)
{
	/* the reads are the last of the first three, and the first of the last three */
	static const struct plan_op ops[] = {
		{ NVME_CMD_FLUSH, 15 }, { NVME_CMD_WRITE, 65 },	       { NVME_CMD_READ, 20 },
		{ NVME_CMD_WRITE, 65 }, { NVME_CMD_WRITE_ZEROES, 15 },
	};
	struct ioworker_opts o = fake_options();
	struct ioworker_progress p;
	struct ioworker *w;

	o.io_count = 1000;
	o.plan.nops = 3;
	for (unsigned int first = 0; first <= 2; first += 2) {
		fake_setup(state);
		o.plan.ops = &ops[first];
		w = fake_whole_run(&o, US);
		ioworker_get_progress(w, &p);
		assert_int_equal(p.ios, 1000);
		assert_in_range(p.reads, 100, 300);
		assert_int_equal(p.reads, result_of(w).reads);
		ioworker_destroy(w);
	}
}

/* By the direction of their data, as those of scripts; a Flush moves none. */
static void what_it_publishes_are_its_counts(void **state)
{
	static const struct plan_op ops[] = { { NVME_CMD_READ, 50 },
					      { NVME_CMD_WRITE, 40 },
					      { NVME_CMD_FLUSH, 10 } };
	const struct nvme_cmdlog_counts *counts = &fake.slot.counts;
	struct ioworker_opts o = fake_options();
	struct ioworker_result r;
	struct ioworker *w;

	o.io_count = 1000;
	o.plan.ops = ops;
	o.plan.nops = 3;
	fake.fail_at = 1000;
	fake.fail_status = NVME_SC_LBA_OUT_OF_RANGE;
	w = fake_whole_run(&o, US);
	r = result_of(w);

	assert_true(r.reads > 400 && r.writes > 300 && r.others > 50);
	assert_int_equal(counts->commands[NVME_CMD_READ & 3] +
				 counts->commands[NVME_CMD_WRITE & 3] +
				 counts->commands[NVME_CMD_FLUSH & 3],
			 1000);
	assert_in_range(counts->commands[NVME_CMD_READ & 3], r.reads, r.reads + 1);
	assert_in_range(counts->commands[NVME_CMD_WRITE & 3], r.writes, r.writes + 1);
	assert_in_range(counts->commands[NVME_CMD_FLUSH & 3], r.others, r.others + 1);
	assert_int_equal(counts->bytes[NVME_CMD_READ & 3], r.read_bytes);
	assert_int_equal(counts->bytes[NVME_CMD_WRITE & 3], r.write_bytes);
	assert_int_equal(counts->bytes[NVME_CMD_FLUSH & 3], 0);
	assert_int_equal(counts->errors, 1);
	assert_int_equal(counts->latency_max_ns, fake.latency_ns);
	assert_string_equal(fake.slot.worker.why, "status 00/80");
	assert_int_equal(fake.slot.worker.running, 0);
	ioworker_destroy(w);
}

static void check_schedule(double iops)
{
	struct ioworker_opts o = fake_options();
	struct ioworker *w;
	const struct stats *s;

	o.time_ns = 5 * SECOND;
	o.iops = iops;
	o.per_second = true;
	w = fake_whole_run(&o, 7 * US);
	s = ioworker_stats(w);

	for (uint64_t n = 1; n <= fake.nsent; n++)
		assert_true((double)fake.sent_ns[n - 1] >= (double)n * 1e9 / iops);
	for (uint64_t second = 0; second < 5; second++)
		assert_in_range(s->per_second[second], (uint64_t)iops - 1, (uint64_t)iops + 1);
	ioworker_destroy(w);
}

static void a_rate_is_kept_in_every_second(void **state)
{
	check_schedule(1234);
	fake_setup(state);
	check_schedule(12345);
}

static void no_command_of_a_schedule_retires_early(void **state)
{
	struct ioworker_opts o = fake_options();

	fake.latency_ns = 0;
	o.io_count = 1000;
	o.iops = 1000;
	ioworker_destroy(fake_whole_run(&o, 10 * US));

	assert_int_equal(fake.nretired, 1000);
	for (uint64_t n = 1; n <= 1000; n++)
		assert_in_range(fake.retired_ns[n - 1], n * MS, n * MS + 20 * US);
}

static void latencies_are_those_of_the_clock(void **state)
{
	struct ioworker_opts o = fake_options();
	struct ioworker *w;
	struct hist h;

	fake.latency_ns = 50 * US;
	o.io_count = 100;
	w = fake_whole_run(&o, US);
	stats_latency(ioworker_stats(w), &h);

	assert_int_equal(hist_count(&h), 100);
	assert_int_equal(hist_min_ns(&h), 50 * US);
	assert_int_equal(hist_max_ns(&h), 50 * US);
	ioworker_destroy(w);
}

static void each_opcode_has_its_form(void **state)
{
	static const struct plan_op ops[] = {
		{ NVME_CMD_READ, 1 }, { NVME_CMD_WRITE, 1 },	    { NVME_CMD_FLUSH, 1 },
		{ NVME_CMD_DSM, 1 },  { NVME_CMD_WRITE_ZEROES, 1 }, { NVME_CMD_COMPARE, 1 },
		{ NVME_CMD_COPY, 1 },
	};
	struct ioworker_opts o = fake_options();
	struct ioworker *w;

	o.plan.ops = ops;
	o.plan.nops = ARRAY_SIZE(ops);
	o.io_count = 7000;
	w = fake_whole_run(&o, US);

	for (unsigned int i = 0; i < 7000; i++) {
		const struct nvme_sqe *sqe = &fake.sent[i];

		assert_int_equal(sqe->nsid, 1);
		if (sqe->opc == NVME_CMD_FLUSH)
			assert_int_equal(sqe->cdw12, 0);
		else if (sqe->opc == NVME_CMD_DSM)
			assert_int_equal(sqe->cdw11, NVME_DSM_AD);
		else if (sqe->opc == NVME_CMD_COPY)
			assert_int_equal(sqe->cdw10 % 8, 0);
		else
			assert_int_equal(sqe->cdw12, 7);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(ops); i++)
		assert_in_range(ioworker_stats(w)->ops[i].count, 800, 1200);
	assert_int_equal(result_of(w).others, 7000 - result_of(w).reads - result_of(w).writes);
	ioworker_destroy(w);
}

static void a_replay_is_issued_on_time(void **state)
{
	static const struct plan_replay replay[] = {
		{ .at_ns = 0, .slba = 5, .nlb = 1, .opcode = NVME_CMD_READ },
		{ .at_ns = 300 * US, .slba = 900, .nlb = 64, .opcode = NVME_CMD_WRITE },
		{ .at_ns = 2 * MS, .slba = 7, .nlb = 2, .opcode = NVME_CMD_READ },
	};
	struct ioworker_opts o = fake_options();
	struct ioworker *w;

	o.plan.replay = replay;
	o.plan.nreplay = 3;
	w = fake_whole_run(&o, 10 * US);

	assert_int_equal(fake.nsent, 3);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(fake.sent_ns[i], replay[i].at_ns);
		assert_int_equal(fake.sent[i].opc, replay[i].opcode);
		assert_int_equal(fake.sent[i].cdw10, replay[i].slba);
	}
	assert_int_equal(result_of(w).reads, 2);
	assert_int_equal(result_of(w).writes, 1);
	ioworker_destroy(w);
}

static void every_step_rings_what_it_submitted(void **state)
{
	struct ioworker_opts o = fake_options();
	struct ioworker *w;

	o.io_count = 100;
	assert_int_equal(ioworker_create(&w, &o), 0);
	assert_int_equal(ioworker_open(w, 0), 0);
	for (fake.now_ns = 0; ioworker_step(w, fake.now_ns) != IOWORKER_ENDED; fake.now_ns += US)
		assert_int_equal(fake.nrung, fake.nsent);
	ioworker_close(w);
	ioworker_destroy(w);
}

static void an_idle_worker_says_when_it_is_due(void **state)
{
	struct ioworker_opts o = fake_options();
	struct ioworker *w;

	o.io_count = 100;
	o.iops = 10;
	assert_int_equal(ioworker_create(&w, &o), 0);
	assert_int_equal(ioworker_open(w, SECOND), 0);

	assert_int_equal(ioworker_step(w, SECOND), IOWORKER_IDLE);
	assert_int_equal(ioworker_next_ns(w), SECOND + 100 * MS);
	assert_int_equal(ioworker_step(w, SECOND + 100 * MS), IOWORKER_BUSY);
	assert_int_equal(ioworker_next_ns(w), SECOND + 200 * MS);
	ioworker_close(w);
	ioworker_destroy(w);
}

static void wrong_options_are_refused(void **state)
{
	struct ioworker_opts o = fake_options();
	struct ioworker *w;

	assert_int_equal(ioworker_create(&w, &o), -EINVAL);
	assert_non_null(strstr(err_text(), "neither time nor io_count"));
	o.io_count = 1;
	o.qdepth = 65536;
	assert_int_equal(ioworker_create(&w, &o), -EINVAL);
	o.qdepth = 0;
	assert_int_equal(ioworker_create(&w, &o), -EINVAL);
	fake.ctrl.max_entries = 16;
	o.qdepth = 17;
	assert_int_equal(ioworker_create(&w, &o), -EINVAL);
	assert_non_null(strstr(err_text(), "MQES"));
	o.qdepth = 16;
	o.plan.region_start = 1000000;
	assert_int_equal(ioworker_create(&w, &o), -EINVAL);
	assert_int_equal(fake.ns.refs, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(exactly_io_count_commands_are_issued, fake_setup),
		cmocka_unit_test_setup(qdepth_commands_are_in_flight_in_a_ring_one_larger,
				       fake_setup),
		cmocka_unit_test_setup(no_command_of_a_batch_outgrows_its_slot, fake_setup),
		cmocka_unit_test_setup(the_ring_is_never_larger_than_the_device_can, fake_setup),
		cmocka_unit_test_setup(time_ends_a_worker_after_its_last_commands, fake_setup),
		cmocka_unit_test_setup(its_progress_is_complete_at_the_end, fake_setup),
		cmocka_unit_test_setup(its_progress_is_how_much_of_the_region_is_filled,
				       fake_setup),
		cmocka_unit_test_setup(what_it_publishes_are_its_counts, fake_setup),
		cmocka_unit_test(its_progress_counts_reads_by_themselves),
		cmocka_unit_test_setup(a_rate_is_kept_in_every_second, fake_setup),
		cmocka_unit_test_setup(no_command_of_a_schedule_retires_early, fake_setup),
		cmocka_unit_test_setup(latencies_are_those_of_the_clock, fake_setup),
		cmocka_unit_test_setup(each_opcode_has_its_form, fake_setup),
		cmocka_unit_test_setup(a_replay_is_issued_on_time, fake_setup),
		cmocka_unit_test_setup(every_step_rings_what_it_submitted, fake_setup),
		cmocka_unit_test_setup(an_idle_worker_says_when_it_is_due, fake_setup),
		cmocka_unit_test_setup(wrong_options_are_refused, fake_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
