/* SPDX-License-Identifier: BSD-3-Clause */
/* Creation and deletion of queues, doorbells, full rings, arbitration. */
#include "rig.h"

static uint16_t create_cq(struct rig *r, uint32_t qid, uint32_t entries, uint64_t prp1,
			  uint32_t cdw11)
{
	return rig_run(r, 0,
		       (struct nvme_sqe){ .opc = NVME_ADMIN_CREATE_CQ,
					  .prp1 = prp1,
					  .cdw10 = (entries - 1) << 16 | qid,
					  .cdw11 = cdw11 },
		       NULL);
}

static uint16_t create_sq(struct rig *r, uint32_t qid, uint32_t entries, uint64_t prp1,
			  uint32_t cqid)
{
	return rig_run(r, 0,
		       (struct nvme_sqe){ .opc = NVME_ADMIN_CREATE_SQ,
					  .prp1 = prp1,
					  .cdw10 = (entries - 1) << 16 | qid,
					  .cdw11 = cqid << 16 | NVME_QUEUE_PC },
		       NULL);
}

static uint16_t delete_queue(struct rig *r, uint8_t opc, uint32_t qid)
{
	return rig_run(r, 0, (struct nvme_sqe){ .opc = opc, .cdw10 = qid }, NULL);
}

static void each_wrong_completion_queue_has_its_status(void **state)
{
	struct rig *r = rig_ready("");
	uint64_t mem = (uintptr_t)r->buf;

	assert_int_equal(create_cq(r, 0, 16, mem, 1), NVME_SC_INVALID_QUEUE_ID);
	assert_int_equal(create_cq(r, 33, 16, mem, 1), NVME_SC_INVALID_QUEUE_ID);
	assert_int_equal(create_cq(r, 0xffff, 16, mem, 1), NVME_SC_INVALID_QUEUE_ID);
	assert_int_equal(create_cq(r, 1, 16, mem, 1), NVME_SC_INVALID_QUEUE_ID); /* in use */
	assert_int_equal(create_cq(r, 2, 1, mem, 1), NVME_SC_INVALID_QUEUE_SIZE);
	assert_int_equal(create_cq(r, 2, 1025, mem, 1), NVME_SC_INVALID_QUEUE_SIZE);
	assert_int_equal(create_cq(r, 2, 16, mem, 0), NVME_SC_INVALID_FIELD); /* PC */
	assert_int_equal(create_cq(r, 2, 16, mem + 8, 1), NVME_SC_PRP_INVALID_OFFSET);
	assert_int_equal(create_cq(r, 2, 16, mem, 1 << 16 | 3), NVME_SC_INVALID_INTERRUPT_VECTOR);
	assert_int_equal(create_cq(r, 2, 16, mem, 1), 0);
	rig_destroy(r);
}

static void each_wrong_submission_queue_has_its_status(void **state)
{
	struct rig *r = rig_ready("");
	uint64_t mem = (uintptr_t)r->buf;

	assert_int_equal(create_cq(r, 2, 16, mem + 8192, 1), 0);
	assert_int_equal(create_sq(r, 0, 16, mem, 1), NVME_SC_INVALID_QUEUE_ID);
	assert_int_equal(create_sq(r, 33, 16, mem, 1), NVME_SC_INVALID_QUEUE_ID);
	assert_int_equal(create_sq(r, 1, 16, mem, 1), NVME_SC_INVALID_QUEUE_ID);
	assert_int_equal(create_sq(r, 2, 1, mem, 2), NVME_SC_INVALID_QUEUE_SIZE);
	assert_int_equal(create_sq(r, 2, 16, mem + 4, 2), NVME_SC_PRP_INVALID_OFFSET);
	assert_int_equal(create_sq(r, 2, 16, mem, 0), NVME_SC_INVALID_QUEUE_ID);
	assert_int_equal(create_sq(r, 2, 16, mem, 33), NVME_SC_INVALID_QUEUE_ID);
	assert_int_equal(create_sq(r, 2, 16, mem, 3), NVME_SC_CQ_INVALID);
	assert_int_equal(create_sq(r, 2, 16, mem, 2), 0);
	rig_destroy(r);
}

static void a_completion_queue_in_use_stays(void **state)
{
	struct rig *r = rig_ready("");

	assert_int_equal(delete_queue(r, NVME_ADMIN_DELETE_CQ, 1), NVME_SC_INVALID_QUEUE_DELETION);
	assert_int_equal(delete_queue(r, NVME_ADMIN_DELETE_SQ, 1), 0);
	assert_int_equal(delete_queue(r, NVME_ADMIN_DELETE_SQ, 1), NVME_SC_INVALID_QUEUE_ID);
	assert_int_equal(delete_queue(r, NVME_ADMIN_DELETE_CQ, 1), 0);
	assert_int_equal(delete_queue(r, NVME_ADMIN_DELETE_CQ, 1), NVME_SC_INVALID_QUEUE_ID);
	assert_int_equal(delete_queue(r, NVME_ADMIN_DELETE_SQ, 0), NVME_SC_INVALID_QUEUE_ID);
	rig_create_queue(r, 1, 16);
	rig_destroy(r);
}

static void deleting_a_queue_aborts_what_is_inside(void **state)
{
	struct rig *r = rig_ready("read_us=100,unmapped_us=100");
	struct nvme_cqe cqe;

	rig_put(r, 1, rig_rw(NVME_CMD_READ, 0, 1, r->buf));
	rig_ring(r, 1);
	rig_step(r);
	assert_int_equal(delete_queue(r, NVME_ADMIN_DELETE_SQ, 1), 0);

	assert_true(rig_reap(r, 1, &cqe));
	assert_int_equal(NVME_GET(cqe.status, STATUS_SC11), NVME_SC_ABORTED_SQ_DELETION);
	rig_destroy(r);
}

static void number_of_queues_is_what_was_asked(void **state)
{
	struct rig *r = rig_ready("ioqueues=8");
	struct nvme_sqe sqe = { .opc = NVME_ADMIN_SET_FEATURES, .cdw10 = 7, .cdw11 = 3 << 16 | 20 };
	uint32_t cdw0;

	assert_int_equal(rig_run(r, 0, sqe, &cdw0), 0);
	assert_int_equal(cdw0, 3 << 16 | 7);
	sqe.cdw11 = 0xffff;
	assert_int_equal(rig_run(r, 0, sqe, &cdw0), NVME_SC_INVALID_FIELD);
	rig_destroy(r);
}

static void aer(struct rig *r)
{
	rig_put(r, 0, (struct nvme_sqe){ .opc = NVME_ADMIN_ASYNC_EVENT });
	rig_ring(r, 0);
	rig_step(r);
}

/* The write of a doorbell that must end in an error event of this kind, for this queue. */
static void doorbell_fails(uint64_t off, uint32_t val, uint8_t info, uint16_t sqid)
{
	struct rig *r = rig_ready("");
	struct nvme_error_entry *e = (struct nvme_error_entry *)r->buf;
	struct nvme_cqe cqe;

	aer(r);
	rig_set_reg(r, off, val);
	rig_step(r);

	assert_true(rig_reap(r, 0, &cqe));
	assert_int_equal(NVME_GET(cqe.cdw0, AER_TYPE), NVME_AER_TYPE_ERROR);
	assert_int_equal(NVME_GET(cqe.cdw0, AER_INFO), info);
	assert_int_equal(NVME_GET(cqe.cdw0, AER_LID), NVME_LOG_ERROR);
	assert_int_equal(rig_log(r, NVME_LOG_ERROR, e, 64), 0);
	assert_int_equal(e->error_count, 1);
	assert_int_equal(e->sqid, sqid);
	assert_int_equal(rig_read(r, 0, 1, r->buf), 0); /* the queue still works */
	rig_destroy(r);
}

static void a_doorbell_of_no_queue_is_an_error_event(void **state)
{
	doorbell_fails(nvme_sq_doorbell(5, 0), 1, NVME_AER_ERROR_INVALID_DOORBELL_REG, 5);
	doorbell_fails(nvme_cq_doorbell(5, 0), 1, NVME_AER_ERROR_INVALID_DOORBELL_REG, 5);
	doorbell_fails(nvme_sq_doorbell(200, 0), 1, NVME_AER_ERROR_INVALID_DOORBELL_REG, 200);
}

static void a_value_beyond_the_ring_is_an_error_event(void **state)
{
	doorbell_fails(nvme_sq_doorbell(1, 0), RIG_DEPTH, NVME_AER_ERROR_INVALID_DOORBELL_VALUE, 1);
	doorbell_fails(nvme_cq_doorbell(1, 0), RIG_DEPTH, NVME_AER_ERROR_INVALID_DOORBELL_VALUE, 1);
}

static void taking_from_an_empty_completion_queue_is_an_error_event(void **state)
{
	doorbell_fails(nvme_cq_doorbell(1, 0), 1, NVME_AER_ERROR_INVALID_DOORBELL_VALUE, 1);
}

static void a_bad_value_in_the_page_is_reported_once(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_error_entry *e = (struct nvme_error_entry *)r->buf;
	struct nvme_cqe cqe;

	aer(r);
	aer(r);
	r->db[2] = 12345;
	rig_step(r);
	rig_step(r);

	assert_true(rig_reap(r, 0, &cqe));
	assert_int_equal(cqe.cdw0, 0x10100);
	assert_false(rig_reap(r, 0, &cqe));
	assert_int_equal(rig_log(r, NVME_LOG_ERROR, e, 128), 0);
	assert_int_equal(e[0].error_count, 1);
	assert_int_equal(e[1].error_count, 0);
	/* after a good one the same is another mistake */
	assert_int_equal(rig_read(r, 0, 1, r->buf), 0);
	r->db[2] = 12345;
	rig_step(r);
	assert_true(rig_reap(r, 0, &cqe));
	assert_int_equal(cqe.cdw0, 0x10100);
	rig_destroy(r);
}

static void full_queue_holds_back(const char *options)
{
	struct rig *r = rig_create(options);
	uint32_t cq_head, got = 0;
	struct nvme_cqe cqe;

	rig_enable(r);
	rig_make_rings(r, 2, RIG_DEPTH);
	assert_int_equal(create_cq(r, 2, 4, (uintptr_t)r->q[2].cq, 1), 0);
	assert_int_equal(create_sq(r, 2, RIG_DEPTH, (uintptr_t)r->q[2].sq, 2), 0);
	for (int i = 0; i < 20; i++)
		rig_put(r, 2, rig_rw(NVME_CMD_READ, 0, 1, r->buf));
	rig_ring(r, 2);
	rig_step(r);
	assert_int_equal(r->q[2].cq[0].cid, 0);
	assert_int_equal(r->q[2].cq[2].cid, 2);
	assert_int_equal(r->q[2].cq[3].status & 1, 0); /* one entry stays empty */
	for (cq_head = 0; got < 20; rig_step(r)) {
		struct rig_queue *q = &r->q[2];

		cqe = q->cq[cq_head];
		assert_int_equal(cqe.status & 1, q->phase);
		assert_int_equal(cqe.cid, got++);
		cq_head = (cq_head + 1) % 4;
		q->phase ^= !cq_head;
		__atomic_store_n(&r->db[5], cq_head, __ATOMIC_RELEASE);
	}
	rig_destroy(r);
}

static void a_full_completion_queue_holds_back(void **state)
{
	full_queue_holds_back("latency=none");
	full_queue_holds_back("latency=none,media=null");
}

static void a_reset_drops_what_waits_for_room(void **state)
{
	struct rig *r = rig_create("");
	bool seen[64] = { 0 };

	rig_enable(r);
	rig_make_rings(r, 2, RIG_DEPTH);
	assert_int_equal(create_cq(r, 2, 4, (uintptr_t)r->q[2].cq, 1), 0);
	assert_int_equal(create_sq(r, 2, RIG_DEPTH, (uintptr_t)r->q[2].sq, 2), 0);
	for (int i = 0; i < 20; i++)
		rig_put(r, 2, rig_rw(NVME_CMD_FLUSH, 0, 1, r->buf));
	rig_ring(r, 2);
	rig_advance(r, 1000000); /* all were fetched before the first was done */
	rig_set_reg(r, NVME_REG_CC, 0);
	rig_enable(r);
	rig_create_queue(r, 1, RIG_DEPTH);
	/* each of many commands has a context of its own */
	for (int i = 0; i < 60; i++)
		rig_put(r, 1, rig_rw(NVME_CMD_FLUSH, 0, 1, r->buf));
	rig_ring(r, 1);
	rig_advance(r, 1000000);
	for (int i = 0; i < 60; i++) {
		struct nvme_cqe cqe;

		assert_true(rig_reap(r, 1, &cqe));
		assert_false(seen[cqe.cid]);
		seen[cqe.cid] = true;
	}
	rig_destroy(r);
}

static void rings_wrap_and_phase_flips(void **state)
{
	struct rig *r = rig_ready("latency=none");

	for (int i = 0; i < 3 * RIG_DEPTH; i++)
		assert_int_equal(rig_read(r, 0, 1, r->buf), 0);
	rig_destroy(r);
}

static void rings_in_pieces_work(void **state)
{
	struct rig *r = rig_create("latency=none");

	r->split = 512;
	rig_enable(r);
	rig_create_queue(r, 1, RIG_DEPTH);

	for (int i = 0; i < 2 * RIG_DEPTH; i++)
		assert_int_equal(rig_read(r, 0, 9, r->buf), 0);
	rig_destroy(r);
}

static void an_unmapped_ring_is_fatal(void **state)
{
	struct rig *r = rig_ready("");

	rig_make_rings(r, 2, 16);
	r->hole_from = (uintptr_t)r->q[2].sq;
	r->hole_to = r->hole_from + 4096;
	assert_int_equal(create_cq(r, 2, 16, (uintptr_t)r->q[2].cq, 1), 0);
	assert_int_equal(create_sq(r, 2, 16, (uintptr_t)r->q[2].sq, 2), 0);
	r->db[4] = 1;
	rig_step(r);

	assert_int_equal(NVME_GET(rig_reg(r, NVME_REG_CSTS), CSTS_CFS), 1);
	rig_destroy(r);
}

static void one_aer_too_many_is_refused(void **state)
{
	struct rig *r = rig_ready("aerl=3");
	struct nvme_cqe cqe;

	for (int i = 0; i < 4; i++)
		aer(r);
	assert_false(rig_reap(r, 0, &cqe));
	aer(r);

	assert_true(rig_reap(r, 0, &cqe));
	assert_int_equal(NVME_GET(cqe.status, STATUS_SC11), NVME_SC_AER_LIMIT_EXCEEDED);
	rig_destroy(r);
}

static void an_event_waits_for_a_request_and_is_masked_after(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_cqe cqe;

	rig_set_reg(r, nvme_sq_doorbell(9, 0), 1);
	aer(r);
	assert_true(rig_reap(r, 0, &cqe));
	aer(r);
	rig_set_reg(r, nvme_sq_doorbell(9, 0), 1);
	rig_step(r);
	assert_false(rig_reap(r, 0, &cqe)); /* masked until the log is read */
	assert_int_equal(rig_log(r, NVME_LOG_ERROR, r->buf, 64), 0);
	rig_set_reg(r, nvme_sq_doorbell(9, 0), 1);
	rig_step(r);

	assert_true(rig_reap(r, 0, &cqe));
	rig_destroy(r);
}

/* Queues 2 (high) and 3 (low) full of commands: how many of each in one step? */
/* 32 commands a step: each class in turn, and again. */
static void each_priority_gets_its_weight(void **state)
{
	static const unsigned int want[] = { 20, 8, 4 };
	struct rig *r = rig_create("latency=none,media=null");
	struct nvme_sqe set = { .opc = NVME_ADMIN_SET_FEATURES, .cdw10 = 1 };
	struct nvme_cqe cqe;

	rig_enable(r);
	rig_set_reg(r, NVME_REG_CC, 0);
	rig_enable_with(r, 1 << 11);
	set.cdw11 = 15u << 24 | 7 << 16 | 3 << 8; /* weights 16, 8, 4; bursts of 1 */
	assert_int_equal(rig_run(r, 0, set, NULL), 0);
	for (uint16_t q = 2; q < 5; q++) {
		rig_make_rings(r, q, RIG_DEPTH);
		assert_int_equal(create_cq(r, q, RIG_DEPTH, (uintptr_t)r->q[q].cq, 1), 0);
		/* high, medium, low */
		assert_int_equal(
			rig_run(r, 0,
				(struct nvme_sqe){ .opc = NVME_ADMIN_CREATE_SQ,
						   .prp1 = (uintptr_t)r->q[q].sq,
						   .cdw10 = (RIG_DEPTH - 1) << 16 | q,
						   .cdw11 = (uint32_t)q << 16 | (q - 1u) << 1 | 1 },
				NULL),
			0);
		for (int i = 0; i < 50; i++)
			rig_put(r, q, rig_rw(NVME_CMD_READ, 0, 1, r->buf));
	}
	for (uint16_t q = 2; q < 5; q++)
		rig_ring(r, q);
	ssd_step(r->ssd, r->now_ns);
	for (uint16_t q = 2; q < 5; q++) {
		unsigned int done = 0;

		while (rig_reap(r, q, &cqe))
			done++;
		assert_int_equal(done, want[q - 2]);
	}
	rig_destroy(r);
}

/* The order of completions is that of arbitration. */
static void submission_queues_share_a_completion_queue_in_bursts(void **state)
{
	struct nvme_sqe set = { .opc = NVME_ADMIN_SET_FEATURES, .cdw10 = 1 };
	struct rig *r = rig_ready("latency=none,media=null");
	struct nvme_cqe cqe;

	set.cdw11 = 2; /* bursts of 4 */
	assert_int_equal(rig_run(r, 0, set, NULL), 0);
	rig_make_rings(r, 2, RIG_DEPTH);
	assert_int_equal(create_sq(r, 2, RIG_DEPTH, (uintptr_t)r->q[2].sq, 1), 0);
	for (uint16_t q = 1; q < 3; q++) {
		for (unsigned int i = 0; i < 10; i++)
			rig_put(r, q, rig_rw(NVME_CMD_READ, 0, 1, r->buf));
		rig_ring(r, q);
	}
	rig_step(r);
	for (unsigned int i = 0; i < 20; i++) {
		assert_true(rig_reap(r, 1, &cqe));
		assert_int_equal(cqe.sqid, i < 16 ? 1 + i / 4 % 2 : 1 + i / 2 % 2);
	}
	/* it stays as long as one of them is there */
	assert_int_equal(delete_queue(r, NVME_ADMIN_DELETE_SQ, 1), 0);
	assert_int_equal(delete_queue(r, NVME_ADMIN_DELETE_CQ, 1), NVME_SC_INVALID_QUEUE_DELETION);
	assert_int_equal(delete_queue(r, NVME_ADMIN_DELETE_SQ, 2), 0);
	assert_int_equal(delete_queue(r, NVME_ADMIN_DELETE_CQ, 1), 0);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_wrong_completion_queue_has_its_status),
		cmocka_unit_test(each_wrong_submission_queue_has_its_status),
		cmocka_unit_test(a_completion_queue_in_use_stays),
		cmocka_unit_test(deleting_a_queue_aborts_what_is_inside),
		cmocka_unit_test(number_of_queues_is_what_was_asked),
		cmocka_unit_test(a_doorbell_of_no_queue_is_an_error_event),
		cmocka_unit_test(a_value_beyond_the_ring_is_an_error_event),
		cmocka_unit_test(taking_from_an_empty_completion_queue_is_an_error_event),
		cmocka_unit_test(a_bad_value_in_the_page_is_reported_once),
		cmocka_unit_test(a_full_completion_queue_holds_back),
		cmocka_unit_test(a_reset_drops_what_waits_for_room),
		cmocka_unit_test(rings_wrap_and_phase_flips),
		cmocka_unit_test(rings_in_pieces_work),
		cmocka_unit_test(an_unmapped_ring_is_fatal),
		cmocka_unit_test(one_aer_too_many_is_refused),
		cmocka_unit_test(an_event_waits_for_a_request_and_is_masked_after),
		cmocka_unit_test(each_priority_gets_its_weight),
		cmocka_unit_test(submission_queues_share_a_completion_queue_in_bursts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
