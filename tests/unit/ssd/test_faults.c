/* SPDX-License-Identifier: BSD-3-Clause */
/* Every fault, seen from the host; which commands it hits is in test_fault_rules.c. */
#include "rig.h"

#include <errno.h>

static struct ssd_fault fault(enum ssd_fault_action action, int opcode)
{
	return (struct ssd_fault){
		.action = action, .admin = -1, .opcode = opcode, .probability = 1
	};
}

static int add(struct rig *r, struct ssd_fault f)
{
	int id = ssd_fault_add(r->ssd, &f);

	assert_true(id > 0);
	return id;
}

static bool start(struct rig *r, uint16_t q, struct nvme_sqe sqe, struct nvme_cqe *cqe)
{
	rig_put(r, q, sqe);
	rig_ring(r, q);
	rig_step(r);
	return rig_reap(r, q, cqe);
}

static struct nvme_sqe identify(struct rig *r)
{
	return (struct nvme_sqe){ .opc = NVME_ADMIN_IDENTIFY,
				  .prp1 = (uintptr_t)r->buf,
				  .cdw10 = NVME_CNS_CTRL };
}

static struct nvme_sqe read8(struct rig *r)
{
	return rig_rw(NVME_CMD_READ, 0, 8, r->buf);
}

static void status_is_that_of_the_rule(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct ssd_fault f = fault(SSD_FAULT_STATUS, NVME_CMD_READ);

	f.status = NVME_SC_UNRECOVERED_READ;
	add(r, f);
	assert_int_equal(rig_run(r, 1, read8(r), NULL), NVME_SC_UNRECOVERED_READ);
	f.opcode = NVME_ADMIN_IDENTIFY;
	f.status = NVME_SC_INTERNAL_ERROR;
	add(r, f);
	assert_int_equal(rig_run(r, 0, identify(r), NULL), NVME_SC_INTERNAL_ERROR);
	rig_destroy(r);
}

static void a_delay_is_added(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct ssd_fault f = fault(SSD_FAULT_DELAY, -1);
	uint64_t begin = r->now_ns;

	f.delay_ns = 123456;
	add(r, f);
	assert_int_equal(rig_run(r, 1, read8(r), NULL), 0);
	assert_int_equal(r->now_ns - begin, 123456);
	assert_int_equal(rig_run(r, 0, identify(r), NULL), 0);
	assert_int_equal(r->now_ns - begin, 2 * 123456);
	rig_destroy(r);
}

static void a_delay_is_added_to_the_latency(void **state)
{
	struct rig *r = rig_ready("unmapped_us=1000,jitter=0,tail_us=0");
	struct ssd_fault f = fault(SSD_FAULT_DELAY, -1);
	uint64_t begin = r->now_ns;

	f.delay_ns = 5000000;
	add(r, f);
	assert_int_equal(rig_run(r, 1, read8(r), NULL), 0);
	assert_int_equal(r->now_ns - begin, 6000000);
	rig_destroy(r);
}

static void dropped_commands_give_their_place_back(void **state)
{
	struct rig *r = rig_ready("latency=none");
	int id = add(r, fault(SSD_FAULT_DROP, -1));
	struct nvme_cqe cqe;

	/* more than a drive can have inside */
	for (int i = 0; i < 10000; i++)
		assert_false(start(r, 1, read8(r), &cqe));
	ssd_fault_del(r->ssd, id);
	assert_int_equal(rig_run(r, 1, read8(r), NULL), 0);
	rig_destroy(r);
}

static void a_dropped_command_never_completes(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct ssd_fault f = fault(SSD_FAULT_DROP, -1);
	struct nvme_cqe cqe;

	f.times = 2;
	add(r, f);
	assert_false(start(r, 1, read8(r), &cqe));
	assert_false(start(r, 0, identify(r), &cqe));
	rig_advance(r, 1000000000);
	assert_false(rig_reap(r, 1, &cqe));
	assert_int_equal(rig_run(r, 1, read8(r), NULL), 0);
	rig_destroy(r);
}

static void a_duplicate_completes_twice(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct nvme_cqe a, b;

	add(r, fault(SSD_FAULT_DUPLICATE, -1));
	assert_true(start(r, 1, read8(r), &a));
	assert_true(rig_reap(r, 1, &b));
	assert_int_equal(a.cid, b.cid);
	assert_true(start(r, 0, identify(r), &a));
	assert_true(rig_reap(r, 0, &b));
	assert_int_equal(a.cid, b.cid);
	assert_false(rig_reap(r, 0, &b));
	rig_destroy(r);
}

static void ids_are_what_the_rule_says(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct ssd_fault f = fault(SSD_FAULT_WRONG_CID, NVME_CMD_READ);
	struct nvme_cqe cqe;

	f.value = 0xbeef;
	f.times = 1;
	add(r, f);
	assert_true(start(r, 1, read8(r), &cqe));
	assert_int_equal(cqe.cid, 0xbeef);
	f.action = SSD_FAULT_WRONG_SQID;
	add(r, f);
	assert_true(start(r, 1, read8(r), &cqe));
	assert_int_equal(cqe.sqid, 0xbeef);
	rig_destroy(r);
}

static void without_a_phase_flip_nothing_is_seen(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct ssd_fault f = fault(SSD_FAULT_NO_PHASE, -1);
	uint32_t head = r->q[1].head;
	struct nvme_cqe cqe;

	f.times = 1;
	add(r, f);
	assert_false(start(r, 1, read8(r), &cqe));
	assert_int_equal(r->q[1].cq[head].sqid, 1); /* but it is there */
	rig_destroy(r);
}

static unsigned int differing_bits(const uint8_t *a, const uint8_t *b, size_t len)
{
	unsigned int n = 0;

	for (size_t i = 0; i < len; i++)
		n += (unsigned int)__builtin_popcount(a[i] ^ b[i]);
	return n;
}

static void one_bit_flips_on_the_way_out_or_on_media(void **state)
{
	struct rig *r = rig_ready("latency=none");
	int id;

	memset(r->buf2, 0x5a, 4096);
	assert_int_equal(rig_write(r, 0, 8, r->buf2), 0);
	id = add(r, fault(SSD_FAULT_BITFLIP, NVME_CMD_READ));
	assert_int_equal(rig_read(r, 0, 8, r->buf), 0);
	assert_int_equal(differing_bits(r->buf, r->buf2, 4096), 1);
	ssd_fault_del(r->ssd, id);
	assert_int_equal(rig_read(r, 0, 8, r->buf), 0);
	assert_memory_equal(r->buf, r->buf2, 4096);
	id = add(r, fault(SSD_FAULT_BITFLIP, NVME_CMD_WRITE));
	assert_int_equal(rig_write(r, 0, 8, r->buf2), 0);
	ssd_fault_del(r->ssd, id);
	assert_int_equal(rig_read(r, 0, 8, r->buf), 0);
	assert_int_equal(differing_bits(r->buf, r->buf2, 4096), 1);
	rig_destroy(r);
}

static void any_bit_may_flip(void **state)
{
	struct rig *r = rig_ready("latency=none");
	uint8_t seen[512] = { 0 };

	add(r, fault(SSD_FAULT_BITFLIP, NVME_CMD_READ));
	for (int i = 0; i < 20; i++) {
		assert_int_equal(rig_read(r, 0, 1, r->buf), 0);
		for (int at = 0; at < 512; at++)
			seen[at] |= r->buf[at];
	}
	memset(r->buf2, 0, 512);
	assert_in_range(differing_bits(seen, r->buf2, 512), 10, 20);
	rig_destroy(r);
}

static void a_stale_read_after_a_faulty_write_is_what_was_before_that(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct nvme_sqe flush = { .opc = NVME_CMD_FLUSH, .nsid = 1 };
	struct ssd_fault f = fault(SSD_FAULT_BITFLIP, NVME_CMD_WRITE);

	f.times = 1;
	memset(r->buf2, 1, 4096);
	assert_int_equal(rig_write(r, 0, 8, r->buf2), 0);
	assert_int_equal(rig_run(r, 1, flush, NULL), 0);
	add(r, f);
	memset(r->buf, 2, 4096);
	assert_int_equal(rig_write(r, 0, 8, r->buf), 0);
	add(r, fault(SSD_FAULT_STALE, NVME_CMD_READ));

	assert_int_equal(rig_read(r, 0, 8, r->buf), 0);
	assert_memory_equal(r->buf, r->buf2, 4096);
	rig_destroy(r);
}

static void a_stale_read_is_what_was_there_before(void **state)
{
	struct rig *r = rig_ready("latency=none");

	memset(r->buf, 1, 4096);
	assert_int_equal(rig_write(r, 0, 8, r->buf), 0);
	add(r, fault(SSD_FAULT_STALE, NVME_CMD_READ));
	memset(r->buf, 2, 4096);
	assert_int_equal(rig_write(r, 0, 8, r->buf), 0);
	assert_int_equal(rig_run(r, 1, (struct nvme_sqe){ .opc = NVME_CMD_FLUSH, .nsid = 1 }, NULL),
			 0);
	assert_int_equal(rig_read(r, 0, 8, r->buf), 0);

	assert_int_equal(r->buf[0], 1);
	assert_int_equal(r->buf[4095], 1);
	rig_destroy(r);
}

static void a_stale_read_needs_no_rule_before_the_write(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct nvme_sqe flush = { .opc = NVME_CMD_FLUSH, .nsid = 1 };

	memset(r->buf, 1, 4096);
	assert_int_equal(rig_write(r, 0, 8, r->buf), 0);
	assert_int_equal(rig_run(r, 1, flush, NULL), 0);
	memset(r->buf, 2, 4096);
	assert_int_equal(rig_write(r, 0, 8, r->buf), 0);

	add(r, fault(SSD_FAULT_STALE, NVME_CMD_READ));
	assert_int_equal(rig_read(r, 0, 8, r->buf), 0);
	assert_int_equal(r->buf[0], 1);
	assert_int_equal(rig_run(r, 1, flush, NULL), 0);
	assert_int_equal(rig_read(r, 0, 8, r->buf), 0);
	assert_int_equal(r->buf[0], 0);
	rig_destroy(r);
}

static void misdirected_data_goes_elsewhere(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct ssd_fault f = fault(SSD_FAULT_MISDIRECTED, NVME_CMD_WRITE);
	int id;

	f.value = 100;
	id = add(r, f);
	memset(r->buf, 3, 4096);
	assert_int_equal(rig_write(r, 0, 8, r->buf), 0);
	ssd_fault_del(r->ssd, id);
	assert_int_equal(rig_read(r, 0, 8, r->buf), 0);
	assert_int_equal(r->buf[0], 0);
	assert_int_equal(rig_read(r, 100, 8, r->buf), 0);
	assert_int_equal(r->buf[0], 3);
	f.opcode = NVME_CMD_READ;
	add(r, f);
	assert_int_equal(rig_read(r, 0, 8, r->buf), 0);
	assert_int_equal(r->buf[0], 3);
	rig_destroy(r);
}

static void misdirected_data_goes_next_door_by_default(void **state)
{
	struct rig *r = rig_ready("latency=none");

	add(r, fault(SSD_FAULT_MISDIRECTED, NVME_CMD_WRITE));
	memset(r->buf2, 3, 4096);
	assert_int_equal(rig_write(r, 0, 8, r->buf2), 0);
	assert_int_equal(rig_read(r, 8, 8, r->buf), 0);
	assert_memory_equal(r->buf, r->buf2, 4096);
	rig_destroy(r);
}

static void a_misdirection_stays_in_the_namespace(void **state)
{
	struct rig *r = rig_ready("latency=none,size=1M");
	struct ssd_fault f = fault(SSD_FAULT_MISDIRECTED, -1);

	f.admin = 0;
	f.value = INT64_MAX;
	add(r, f);
	assert_int_equal(rig_write(r, 2040, 8, r->buf), 0);
	assert_int_equal(rig_read(r, 2047, 1, r->buf), 0);
	ssd_fault_del(r->ssd, 1);
	f.value = INT64_MIN;
	add(r, f);
	assert_int_equal(rig_write(r, 0, 8, r->buf), 0);
	rig_destroy(r);
}

static void a_torn_write_arrives_in_part(void **state)
{
	struct rig *r = rig_ready("latency=none");

	add(r, fault(SSD_FAULT_TORN, NVME_CMD_WRITE));
	memset(r->buf, 4, 4096);
	assert_int_equal(rig_write(r, 0, 8, r->buf), 0);
	assert_int_equal(rig_write(r, 100, 1, r->buf), 0);
	assert_int_equal(rig_read(r, 0, 8, r->buf2), 0);

	assert_int_equal(r->buf2[3 * 512], 4);
	assert_int_equal(r->buf2[4 * 512], 0);
	assert_int_equal(rig_read(r, 100, 1, r->buf2), 0);
	assert_int_equal(r->buf2[255], 4);
	assert_int_equal(r->buf2[256], 0);
	rig_destroy(r);
}

static void a_lost_write_is_acknowledged(void **state)
{
	struct rig *r = rig_ready("latency=none");

	add(r, fault(SSD_FAULT_LOST, NVME_CMD_WRITE));
	memset(r->buf, 5, 4096);
	assert_int_equal(rig_write(r, 0, 8, r->buf), 0);
	assert_int_equal(rig_read(r, 0, 8, r->buf2), 0);
	assert_int_equal(r->buf2[0], 0);
	rig_destroy(r);
}

static void fatal_stops_the_controller_until_a_reset(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct ssd_fault f = fault(SSD_FAULT_FATAL, NVME_CMD_READ);
	struct nvme_cqe cqe;

	f.times = 1;
	add(r, f);
	assert_false(start(r, 1, read8(r), &cqe));
	assert_int_equal(NVME_GET(rig_reg(r, NVME_REG_CSTS), CSTS_CFS), 1);
	assert_false(start(r, 1, read8(r), &cqe));
	rig_set_reg(r, NVME_REG_CC, 0);
	assert_int_equal(rig_reg(r, NVME_REG_CSTS), 0);
	rig_enable(r);
	rig_destroy(r);
}

static void removal_and_power_loss_take_the_drive_away(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct ssd_fault f = fault(SSD_FAULT_POWER, NVME_CMD_READ);
	struct nvme_cqe cqe;

	add(r, f);
	for (int i = 0; i < 10; i++)
		rig_put(r, 1, read8(r));
	assert_false(start(r, 1, read8(r), &cqe));
	assert_false(ssd_powered(r->ssd));
	assert_int_equal(rig_reg(r, NVME_REG_CSTS), 0xffffffff);
	ssd_power(r->ssd, true, r->now_ns);
	rig_enable(r);
	f.action = SSD_FAULT_REMOVE;
	f.opcode = NVME_ADMIN_IDENTIFY;
	add(r, f);
	assert_false(start(r, 0, identify(r), &cqe));
	assert_int_equal(rig_reg(r, NVME_REG_CSTS), 0xffffffff);
	/* what was pulled out has no power switch */
	assert_int_equal(ssd_power(r->ssd, true, r->now_ns), -ENODEV);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_is_that_of_the_rule),
		cmocka_unit_test(a_delay_is_added),
		cmocka_unit_test(a_delay_is_added_to_the_latency),
		cmocka_unit_test(a_dropped_command_never_completes),
		cmocka_unit_test(dropped_commands_give_their_place_back),
		cmocka_unit_test(a_duplicate_completes_twice),
		cmocka_unit_test(ids_are_what_the_rule_says),
		cmocka_unit_test(without_a_phase_flip_nothing_is_seen),
		cmocka_unit_test(one_bit_flips_on_the_way_out_or_on_media),
		cmocka_unit_test(any_bit_may_flip),
		cmocka_unit_test(a_stale_read_is_what_was_there_before),
		cmocka_unit_test(a_stale_read_needs_no_rule_before_the_write),
		cmocka_unit_test(a_stale_read_after_a_faulty_write_is_what_was_before_that),
		cmocka_unit_test(misdirected_data_goes_elsewhere),
		cmocka_unit_test(misdirected_data_goes_next_door_by_default),
		cmocka_unit_test(a_misdirection_stays_in_the_namespace),
		cmocka_unit_test(a_torn_write_arrives_in_part),
		cmocka_unit_test(a_lost_write_is_acknowledged),
		cmocka_unit_test(fatal_stops_the_controller_until_a_reset),
		cmocka_unit_test(removal_and_power_loss_take_the_drive_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
