/* SPDX-License-Identifier: BSD-3-Clause */
/* Doorbell Buffer Config: shadow doorbells and EventIdx. */
#include "bench.h"

static uint32_t *shadow(struct rig *r)
{
	return (uint32_t *)(r->buf + 8192);
}

static uint32_t *event(struct rig *r)
{
	return (uint32_t *)(r->buf + 12288);
}

static uint16_t configure(struct rig *r)
{
	struct nvme_sqe sqe = { .opc = NVME_ADMIN_DOORBELL_BUFFER_CONFIG,
				.prp1 = (uintptr_t)shadow(r),
				.prp2 = (uintptr_t)event(r) };

	return rig_run(r, 0, sqe, NULL);
}

static void identify_says_that_it_is_there(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_id_ctrl *id = bench_identify(r, 0, NVME_CNS_CTRL);

	assert_true(id->oacs & NVME_OACS_DBBUF);
	rig_destroy(r);
}

static void a_shadow_doorbell_starts_commands(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct nvme_cqe cqe;

	assert_int_equal(configure(r), 0);
	rig_put(r, 1, rig_rw(NVME_CMD_READ, 0, 1, r->buf));
	shadow(r)[2] = r->q[1].tail;
	rig_step(r);

	assert_true(rig_reap(r, 1, &cqe));
	rig_destroy(r);
}

static void event_index_follows_the_doorbells(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct nvme_cqe cqe;

	assert_int_equal(configure(r), 0);
	for (unsigned int i = 1; i <= 5; i++) {
		rig_put(r, 1, rig_rw(NVME_CMD_READ, 0, 1, r->buf));
		shadow(r)[2] = i;
		rig_step(r);
		assert_true(rig_reap(r, 1, &cqe));
		shadow(r)[3] = i;
		rig_step(r);
		assert_int_equal(event(r)[2], i);
		assert_int_equal(event(r)[3], i);
	}
	rig_destroy(r);
}

static void a_shadow_head_makes_room(void **state)
{
	struct rig *r = rig_create("latency=none");
	struct nvme_cqe cqe;
	unsigned int done = 0;

	rig_enable(r);
	rig_create_queue(r, 1, 4);
	assert_int_equal(configure(r), 0);
	for (unsigned int i = 0; i < 12; i++) {
		rig_put(r, 1, rig_rw(NVME_CMD_READ, 0, 1, r->buf));
		shadow(r)[2] = r->q[1].tail;
		rig_step(r);
		while (rig_reap(r, 1, &cqe)) {
			/* the register is not written */
			r->db[3] = 0;
			shadow(r)[3] = r->q[1].head;
			done++;
		}
	}

	assert_int_equal(done, 12);
	rig_destroy(r);
}

static void queues_that_exist_go_on_where_they_are(void **state)
{
	struct rig *r = rig_ready("latency=none");

	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(rig_read(r, 0, 1, r->buf2), 0);
	memset(r->buf + 8192, 0xa5, 8192);
	assert_int_equal(configure(r), 0);

	assert_int_equal(shadow(r)[2], 3);
	assert_int_equal(rig_read(r, 0, 1, r->buf2), 0);
	rig_destroy(r);
}

static void a_host_may_write_the_register_alone(void **state)
{
	struct rig *r = rig_ready("latency=none");

	assert_int_equal(configure(r), 0);
	for (unsigned int i = 0; i < 2 * RIG_DEPTH; i++)
		assert_int_equal(rig_read(r, 0, 1, r->buf2), 0);
	rig_destroy(r);
}

static void a_wrong_shadow_value_is_an_error_event(void **state)
{
	struct rig *r = rig_ready("");

	assert_int_equal(configure(r), 0);
	bench_aers(r, 1);
	shadow(r)[2] = 4711;

	assert_int_equal(bench_event(r),
			 BENCH_EVENT(NVME_AER_TYPE_ERROR, NVME_AER_ERROR_INVALID_DOORBELL_VALUE,
				     NVME_LOG_ERROR));
	rig_destroy(r);
}

static void resets_go_back_to_the_registers(void **state)
{
	for (enum bench_reset how = 0; how < BENCH_WAYS; how++) {
		struct rig *r = rig_ready("latency=none");
		struct nvme_cqe cqe;

		assert_int_equal(configure(r), 0);
		bench_reset(r, how);
		rig_put(r, 1, rig_rw(NVME_CMD_READ, 0, 1, r->buf));
		shadow(r)[2] = 1;
		rig_step(r);
		assert_false(rig_reap(r, 1, &cqe));
		rig_ring(r, 1);
		rig_step(r);
		assert_true(rig_reap(r, 1, &cqe));
		rig_destroy(r);
	}
}

static void pages_are_aligned_and_mapped(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_sqe sqe = { .opc = NVME_ADMIN_DOORBELL_BUFFER_CONFIG,
				.prp1 = (uintptr_t)shadow(r) + 64,
				.prp2 = (uintptr_t)event(r) };

	assert_int_equal(rig_run(r, 0, sqe, NULL), NVME_SC_INVALID_FIELD);
	assert_int_equal(bench_last_error(r).pel, 24);
	sqe.prp1 -= 64;
	sqe.prp2 += 4;
	assert_int_equal(rig_run(r, 0, sqe, NULL), NVME_SC_INVALID_FIELD);
	assert_int_equal(bench_last_error(r).pel, 32);
	r->hole_from = (uintptr_t)shadow(r);
	r->hole_to = r->hole_from + 4096;
	sqe.prp2 -= 4;
	assert_int_equal(rig_run(r, 0, sqe, NULL), NVME_SC_INVALID_FIELD);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identify_says_that_it_is_there),
		cmocka_unit_test(a_shadow_doorbell_starts_commands),
		cmocka_unit_test(event_index_follows_the_doorbells),
		cmocka_unit_test(a_shadow_head_makes_room),
		cmocka_unit_test(queues_that_exist_go_on_where_they_are),
		cmocka_unit_test(a_host_may_write_the_register_alone),
		cmocka_unit_test(a_wrong_shadow_value_is_an_error_event),
		cmocka_unit_test(resets_go_back_to_the_registers),
		cmocka_unit_test(pages_are_aligned_and_mapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
