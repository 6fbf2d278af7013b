/* SPDX-License-Identifier: BSD-3-Clause */
/* Compare and Write as a fused operation: Base 2.1 section 3.4.2. */
#include "rig.h"

#include "ssd/io/fused.h"

#define SLBA 100

/* The buffers hold what is on the media, and what the Write brings. */
static struct rig *fused_rig(const char *options)
{
	struct rig *r = rig_ready(options);

	memset(r->buf, 0x11, RIG_BUF_BYTES);
	memset(r->buf2, 0x22, RIG_BUF_BYTES);
	assert_int_equal(rig_write(r, SLBA, 64, r->buf), 0);
	return r;
}

static struct nvme_sqe half(uint8_t opc, uint32_t fuse, uint32_t nlb, const void *data)
{
	struct nvme_sqe sqe = rig_rw(opc, SLBA, nlb, data);

	sqe.flags = (uint8_t)NVME_SET(fuse, SQE_FUSE);
	return sqe;
}

static struct nvme_sqe compare(const struct rig *r, uint32_t nlb)
{
	return half(NVME_CMD_COMPARE, NVME_SQE_FUSE_FIRST, nlb, r->buf);
}

static struct nvme_sqe write_second(const struct rig *r, uint32_t nlb)
{
	return half(NVME_CMD_WRITE, NVME_SQE_FUSE_SECOND, nlb, r->buf2);
}

/* Both by one doorbell. */
static void send(struct rig *r, struct nvme_sqe first, struct nvme_sqe second)
{
	rig_put(r, 1, first);
	rig_put(r, 1, second);
	rig_ring(r, 1);
	rig_advance(r, 1000000);
}

/* The next completion of queue @q, which must be there: command @cid with @status. */
static void assert_ends(struct rig *r, uint16_t q, int cid, uint16_t status)
{
	struct nvme_cqe cqe;

	rig_step(r);
	assert_true(rig_reap(r, q, &cqe));
	assert_int_equal(cqe.cid, (uint16_t)cid);
	assert_int_equal(NVME_GET(cqe.status, STATUS_SC11), status);
}

static void assert_pair_ends(struct rig *r, uint16_t first, uint16_t second)
{
	assert_ends(r, 1, r->q[1].cid - 2, first);
	assert_ends(r, 1, r->q[1].cid - 1, second);
}

static void assert_nothing_ends(struct rig *r)
{
	struct nvme_cqe cqe;

	rig_step(r);
	assert_false(rig_reap(r, 1, &cqe));
}

static void assert_media(struct rig *r, uint8_t byte)
{
	uint8_t *data = r->buf + RIG_BUF_BYTES / 2;

	assert_int_equal(rig_read(r, SLBA, 1, data), 0);
	assert_int_equal(data[0], byte);
	assert_int_equal(data[511], byte);
}

static void it_is_announced_only_with_the_option(void **state)
{
	static const char *const options[] = { "", "fuses=1,awupf=3" };

	for (unsigned int i = 0; i < 2; i++) {
		struct rig *r = rig_ready(options[i]);
		struct nvme_id_ctrl *id = (void *)r->buf;

		assert_int_equal(rig_identify(r, 0, NVME_CNS_CTRL, r->buf), 0);
		assert_int_equal(id->fuses, i ? NVME_FUSES_COMPARE_WRITE : 0);
		assert_int_equal(id->acwu, i ? 3 : 0);
		rig_destroy(r);
	}
}

static void equal_data_is_replaced(void **state)
{
	static const char *const options[] = { "fuses=1", "fuses=1,latency=none",
					       "fuses=1,ms=8,lba=512" };

	for (unsigned int i = 0; i < 3; i++) {
		struct rig *r = fused_rig(options[i]);

		send(r, compare(r, 8), write_second(r, 8));
		assert_pair_ends(r, 0, 0);
		assert_media(r, 0x22);
		rig_destroy(r);
	}
}

static void different_data_stays(void **state)
{
	struct rig *r = fused_rig("fuses=1");

	r->buf[511] ^= 1;
	send(r, compare(r, 1), write_second(r, 1));
	assert_pair_ends(r, NVME_SC_COMPARE_FAILURE, NVME_SC_ABORTED_FAILED_FUSED);
	assert_media(r, 0x11);
	rig_destroy(r);
}

static void a_failed_pair_does_not_touch_the_next_one(void **state)
{
	struct rig *r = fused_rig("fuses=1");

	r->buf[0] ^= 1;
	send(r, compare(r, 1), write_second(r, 1));
	assert_pair_ends(r, NVME_SC_COMPARE_FAILURE, NVME_SC_ABORTED_FAILED_FUSED);
	r->buf[0] ^= 1;
	send(r, compare(r, 1), write_second(r, 1));
	assert_pair_ends(r, 0, 0);
	rig_destroy(r);
}

static void the_write_is_not_first(void **state)
{
	struct rig *r = fused_rig("fuses=1");

	send(r, half(NVME_CMD_WRITE, NVME_SQE_FUSE_FIRST, 1, r->buf2),
	     half(NVME_CMD_COMPARE, NVME_SQE_FUSE_SECOND, 1, r->buf));
	assert_pair_ends(r, NVME_SC_INVALID_FIELD, NVME_SC_INVALID_FIELD);
	assert_media(r, 0x11);
	rig_destroy(r);
}

static void a_second_without_a_first_is_aborted(void **state)
{
	struct rig *r = fused_rig("fuses=1");

	assert_int_equal(rig_run(r, 1, write_second(r, 1), NULL), NVME_SC_ABORTED_MISSING_FUSED);
	assert_media(r, 0x11);
	/* also if a Compare is there, but not fused */
	send(r, half(NVME_CMD_COMPARE, NVME_SQE_FUSE_NONE, 1, r->buf), write_second(r, 1));
	assert_ends(r, 1, r->q[1].cid - 1, NVME_SC_ABORTED_MISSING_FUSED);
	assert_ends(r, 1, r->q[1].cid - 2, 0);
	assert_media(r, 0x11);
	rig_destroy(r);
}

static void a_first_without_its_neighbour_is_aborted(void **state)
{
	struct rig *r = fused_rig("fuses=1");

	/* the other command is executed as if alone */
	send(r, compare(r, 1), half(NVME_CMD_WRITE, NVME_SQE_FUSE_NONE, 1, r->buf2));
	assert_pair_ends(r, NVME_SC_ABORTED_MISSING_FUSED, 0);
	assert_media(r, 0x22);
	/* two first ones: the later may still have its second */
	rig_put(r, 1, compare(r, 1));
	rig_ring(r, 1);
	rig_step(r);
	memset(r->buf, 0x22, 512);
	send(r, compare(r, 1), write_second(r, 1));
	assert_ends(r, 1, r->q[1].cid - 3, NVME_SC_ABORTED_MISSING_FUSED);
	assert_pair_ends(r, 0, 0);
	rig_destroy(r);
}

static void other_opcodes_and_fuse_11b_are_refused(void **state)
{
	struct rig *r = fused_rig("fuses=1");

	assert_int_equal(rig_run(r, 1, half(NVME_CMD_READ, NVME_SQE_FUSE_FIRST, 1, r->buf), NULL),
			 NVME_SC_INVALID_FIELD);
	assert_int_equal(rig_run(r, 1, half(NVME_CMD_READ, NVME_SQE_FUSE_SECOND, 1, r->buf), NULL),
			 NVME_SC_INVALID_FIELD);
	assert_int_equal(rig_run(r, 1, half(NVME_CMD_COMPARE, 3, 1, r->buf), NULL),
			 NVME_SC_INVALID_FIELD);
	assert_int_equal(rig_run(r, 1, half(NVME_CMD_WRITE, 3, 1, r->buf), NULL),
			 NVME_SC_INVALID_FIELD);
	rig_destroy(r);
}

static void the_halves_may_come_by_two_doorbells(void **state)
{
	struct rig *r = fused_rig("fuses=1");

	rig_put(r, 1, compare(r, 1));
	rig_ring(r, 1);
	rig_advance(r, SSD_FUSED_WAIT_NS - 1);
	assert_nothing_ends(r);
	rig_put(r, 1, write_second(r, 1));
	rig_ring(r, 1);
	rig_advance(r, 1000000);
	assert_pair_ends(r, 0, 0);
	assert_media(r, 0x22);
	rig_destroy(r);
}

static void a_pair_that_was_executed_waits_for_nothing(void **state)
{
	struct rig *r = fused_rig("fuses=1,latency=none");

	send(r, compare(r, 1), write_second(r, 1));
	assert_pair_ends(r, 0, 0);
	assert_int_equal(ssd_next_event_ns(r->ssd), UINT64_MAX);
	rig_advance(r, 2 * SSD_FUSED_WAIT_NS);
	assert_nothing_ends(r);
	rig_destroy(r);
}

static void a_first_does_not_wait_forever(void **state)
{
	struct rig *r = fused_rig("fuses=1");

	rig_put(r, 1, compare(r, 1));
	rig_ring(r, 1);
	rig_advance(r, SSD_FUSED_WAIT_NS);
	assert_ends(r, 1, r->q[1].cid - 1, NVME_SC_ABORTED_MISSING_FUSED);
	assert_int_equal(rig_run(r, 1, write_second(r, 1), NULL), NVME_SC_ABORTED_MISSING_FUSED);
	assert_media(r, 0x11);
	rig_destroy(r);
}

static void a_pair_goes_around_the_end_of_its_queue(void **state)
{
	struct rig *r = fused_rig("fuses=1");

	while (r->q[1].tail != RIG_DEPTH - 1)
		assert_int_equal(rig_read(r, 0, 1, r->buf + 4096), 0);
	send(r, compare(r, 1), write_second(r, 1));
	assert_int_equal(r->q[1].tail, 1);
	assert_pair_ends(r, 0, 0);
	assert_media(r, 0x22);
	rig_destroy(r);
}

static void another_queue_writes_before_or_behind_both(void **state)
{
	struct rig *r = fused_rig("fuses=1");
	uint8_t *theirs = r->buf + 8192;

	rig_create_queue(r, 2, RIG_DEPTH);
	memset(theirs, 0x33, 512);
	rig_put(r, 1, compare(r, 1));
	rig_ring(r, 1);
	rig_step(r);
	assert_int_equal(rig_run(r, 2, rig_rw(NVME_CMD_WRITE, SLBA, 1, theirs), NULL), 0);
	rig_put(r, 1, write_second(r, 1));
	rig_ring(r, 1);
	rig_advance(r, 1000000);
	assert_pair_ends(r, NVME_SC_COMPARE_FAILURE, NVME_SC_ABORTED_FAILED_FUSED);
	assert_media(r, 0x33);
	rig_destroy(r);
}

static void both_have_the_same_range(void **state)
{
	struct rig *r = fused_rig("fuses=1,ns=2,size=64M");

	for (unsigned int i = 0; i < 4; i++) {
		struct nvme_sqe second = write_second(r, 2);

		second.nsid += i == 0;
		second.cdw10 += i == 1;
		second.cdw11 += i == 2;
		second.cdw12 -= i == 3;
		send(r, compare(r, 2), second);
		assert_pair_ends(r, NVME_SC_INVALID_FIELD, NVME_SC_INVALID_FIELD);
	}
	assert_media(r, 0x11);
	rig_destroy(r);
}

static void acwu_is_the_most(void **state)
{
	struct rig *r = fused_rig("fuses=1,awupf=7");

	send(r, compare(r, 9), write_second(r, 9));
	assert_pair_ends(r, NVME_SC_ATOMIC_WRITE_UNIT_EXCEEDED, NVME_SC_ABORTED_FAILED_FUSED);
	assert_media(r, 0x11);
	send(r, compare(r, 8), write_second(r, 8));
	assert_pair_ends(r, 0, 0);
	rig_destroy(r);
}

static void a_first_that_cannot_be_executed_fails_both(void **state)
{
	struct rig *r = fused_rig("fuses=1");
	struct nvme_sqe first = compare(r, 1), second = write_second(r, 1);

	first.nsid = second.nsid = 9;
	send(r, first, second);
	assert_pair_ends(r, NVME_SC_INVALID_NS, NVME_SC_ABORTED_FAILED_FUSED);
	first = compare(r, 1);
	first.prp1 |= 1;
	send(r, first, write_second(r, 1));
	assert_pair_ends(r, NVME_SC_PRP_INVALID_OFFSET, NVME_SC_ABORTED_FAILED_FUSED);
	assert_media(r, 0x11);
	rig_destroy(r);
}

static void a_write_that_fails_leaves_the_compare_alone(void **state)
{
	struct rig *r = fused_rig("fuses=1");
	struct nvme_sqe second = write_second(r, 1);

	second.prp1 |= 1;
	send(r, compare(r, 1), second);
	assert_pair_ends(r, 0, NVME_SC_PRP_INVALID_OFFSET);
	assert_media(r, 0x11);
	rig_destroy(r);
}

/* Abort command @cid of queue 1; the admin queue is looked at before the others. */
static void put_abort(struct rig *r, uint16_t cid)
{
	rig_put(r, 0,
		(struct nvme_sqe){ .opc = NVME_ADMIN_ABORT, .cdw10 = (uint32_t)cid << 16 | 1 });
	rig_ring(r, 0);
}

static void an_abort_of_either_half_ends_both(void **state)
{
	for (unsigned int which = 0; which < 2; which++) {
		struct rig *r = fused_rig("fuses=1");

		put_abort(r, (uint16_t)(r->q[1].cid + which));
		send(r, compare(r, 1), write_second(r, 1));
		assert_pair_ends(r, which ? NVME_SC_ABORTED_FAILED_FUSED : NVME_SC_ABORT_REQUESTED,
				 which ? NVME_SC_ABORT_REQUESTED : NVME_SC_ABORTED_FAILED_FUSED);
		assert_media(r, 0x11);
		/* that is all it ends */
		send(r, compare(r, 1), write_second(r, 1));
		assert_pair_ends(r, 0, 0);
		rig_destroy(r);
	}
}

static void an_abort_of_a_first_that_waits_ends_both(void **state)
{
	struct rig *r = fused_rig("fuses=1");

	rig_put(r, 1, compare(r, 1));
	rig_ring(r, 1);
	rig_step(r);
	put_abort(r, (uint16_t)(r->q[1].cid - 1));
	rig_step(r);
	rig_put(r, 1, write_second(r, 1));
	rig_ring(r, 1);
	rig_step(r);
	assert_pair_ends(r, NVME_SC_ABORT_REQUESTED, NVME_SC_ABORTED_FAILED_FUSED);
	assert_media(r, 0x11);
	rig_destroy(r);
}

static void what_follows_an_aborted_first_is_executed(void **state)
{
	struct rig *r = fused_rig("fuses=1");

	put_abort(r, r->q[1].cid);
	send(r, compare(r, 1), half(NVME_CMD_WRITE, NVME_SQE_FUSE_NONE, 1, r->buf2));
	assert_pair_ends(r, NVME_SC_ABORT_REQUESTED, 0);
	assert_int_equal(rig_run(r, 1, write_second(r, 1), NULL), NVME_SC_ABORTED_MISSING_FUSED);
	assert_media(r, 0x22);
	rig_destroy(r);
}

static void an_aborted_command_that_is_no_first_leaves_no_trace(void **state)
{
	struct rig *r = fused_rig("fuses=1");

	put_abort(r, r->q[1].cid);
	send(r, half(NVME_CMD_COMPARE, NVME_SQE_FUSE_NONE, 1, r->buf), write_second(r, 1));
	assert_pair_ends(r, NVME_SC_ABORT_REQUESTED, NVME_SC_ABORTED_MISSING_FUSED);
	rig_destroy(r);
}

static struct ssd_fault fault_of(uint8_t opc, enum ssd_fault_action action)
{
	return (struct ssd_fault){ .admin = 0,
				   .opcode = opc,
				   .nth = 1,
				   .times = 1,
				   .probability = 1,
				   .action = action,
				   .status = NVME_SC_INTERNAL_ERROR };
}

static void a_fault_of_either_half_ends_both(void **state)
{
	static const uint8_t opcodes[] = { NVME_CMD_COMPARE, NVME_CMD_WRITE };

	for (unsigned int which = 0; which < 2; which++) {
		struct rig *r = fused_rig("fuses=1");
		struct ssd_fault f = fault_of(opcodes[which], SSD_FAULT_STATUS);

		assert_true(ssd_fault_add(r->ssd, &f) > 0);
		send(r, compare(r, 1), write_second(r, 1));
		assert_pair_ends(r, which ? NVME_SC_ABORTED_FAILED_FUSED : NVME_SC_INTERNAL_ERROR,
				 which ? NVME_SC_INTERNAL_ERROR : NVME_SC_ABORTED_FAILED_FUSED);
		assert_media(r, 0x11);
		rig_destroy(r);
	}
}

static void a_drive_that_stops_between_the_halves_answers_neither(void **state)
{
	static const enum ssd_fault_action actions[] = { SSD_FAULT_FATAL, SSD_FAULT_POWER,
							 SSD_FAULT_REMOVE };

	for (unsigned int i = 0; i < 3; i++) {
		struct rig *r = fused_rig("fuses=1");
		struct ssd_fault f = fault_of(NVME_CMD_WRITE, actions[i]);

		assert_true(ssd_fault_add(r->ssd, &f) > 0);
		send(r, compare(r, 1), write_second(r, 1));
		assert_nothing_ends(r);
		rig_destroy(r);
	}
}

static void a_reset_forgets_a_first_that_waits(void **state)
{
	struct rig *r = fused_rig("fuses=1");

	rig_put(r, 1, compare(r, 1));
	rig_ring(r, 1);
	rig_step(r);
	rig_set_reg(r, NVME_REG_CC, 0);
	rig_enable(r);
	rig_create_queue(r, 1, RIG_DEPTH);
	rig_advance(r, 2 * SSD_FUSED_WAIT_NS);
	assert_nothing_ends(r);
	assert_int_equal(rig_run(r, 1, write_second(r, 1), NULL), NVME_SC_ABORTED_MISSING_FUSED);
	rig_destroy(r);
}

static void deleting_the_queue_ends_a_first_that_waits(void **state)
{
	struct rig *r = fused_rig("fuses=1");
	uint16_t cid = rig_put(r, 1, compare(r, 1));

	rig_ring(r, 1);
	rig_step(r);
	assert_int_equal(rig_run(r, 0, (struct nvme_sqe){ .opc = NVME_ADMIN_DELETE_SQ, .cdw10 = 1 },
				 NULL),
			 0);
	assert_ends(r, 1, cid, NVME_SC_ABORTED_SQ_DELETION);
	rig_advance(r, 2 * SSD_FUSED_WAIT_NS);
	assert_nothing_ends(r);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_announced_only_with_the_option),
		cmocka_unit_test(equal_data_is_replaced),
		cmocka_unit_test(different_data_stays),
		cmocka_unit_test(a_failed_pair_does_not_touch_the_next_one),
		cmocka_unit_test(the_write_is_not_first),
		cmocka_unit_test(a_second_without_a_first_is_aborted),
		cmocka_unit_test(a_first_without_its_neighbour_is_aborted),
		cmocka_unit_test(other_opcodes_and_fuse_11b_are_refused),
		cmocka_unit_test(the_halves_may_come_by_two_doorbells),
		cmocka_unit_test(a_first_does_not_wait_forever),
		cmocka_unit_test(a_pair_goes_around_the_end_of_its_queue),
		cmocka_unit_test(another_queue_writes_before_or_behind_both),
		cmocka_unit_test(both_have_the_same_range),
		cmocka_unit_test(acwu_is_the_most),
		cmocka_unit_test(a_first_that_cannot_be_executed_fails_both),
		cmocka_unit_test(a_write_that_fails_leaves_the_compare_alone),
		cmocka_unit_test(an_abort_of_either_half_ends_both),
		cmocka_unit_test(an_abort_of_a_first_that_waits_ends_both),
		cmocka_unit_test(what_follows_an_aborted_first_is_executed),
		cmocka_unit_test(an_aborted_command_that_is_no_first_leaves_no_trace),
		cmocka_unit_test(a_fault_of_either_half_ends_both),
		cmocka_unit_test(a_drive_that_stops_between_the_halves_answers_neither),
		cmocka_unit_test(a_reset_forgets_a_first_that_waits),
		cmocka_unit_test(deleting_the_queue_ends_a_first_that_waits),
		cmocka_unit_test(a_pair_that_was_executed_waits_for_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
