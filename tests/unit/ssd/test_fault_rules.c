/* SPDX-License-Identifier: BSD-3-Clause */
/* Which commands a fault hits. */
#include "rig.h"

#include <errno.h>

#include "base/err.h"

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

static void rules_match_what_they_say(void **state)
{
	struct rig *r = rig_ready("latency=none,ns=2");
	struct ssd_fault f = fault(SSD_FAULT_STATUS, -1), out;
	struct nvme_sqe other = read8(r);
	int id;

	f.status = NVME_SC_WRITE_FAULT;
	f.admin = 0;
	f.nsid = 1;
	f.slba = 100;
	f.nlb = 10;
	add(r, f);
	other.nsid = 2;
	other.cdw10 = 100;

	assert_int_equal(rig_run(r, 0, identify(r), NULL), 0);
	assert_int_equal(rig_run(r, 1, other, NULL), 0);
	assert_int_equal(rig_read(r, 92, 8, r->buf), 0);
	assert_int_equal(rig_read(r, 93, 8, r->buf), NVME_SC_WRITE_FAULT);
	assert_int_equal(rig_read(r, 109, 8, r->buf), NVME_SC_WRITE_FAULT);
	assert_int_equal(rig_read(r, 110, 8, r->buf), 0);
	assert_int_equal(ssd_fault_get(r->ssd, 0, &id, &out), 0);
	assert_int_equal(out.matched, 2);
	assert_int_equal(out.hits, 2);
	assert_int_equal(ssd_fault_get(r->ssd, 1, &id, &out), -ENOENT);
	rig_destroy(r);
}

static void only_commands_with_a_range_touch_lbas(void **state)
{
	static const uint8_t with[] = {
		NVME_CMD_WRITE,	  NVME_CMD_READ,	 NVME_CMD_WRITE_UNCORRECTABLE,
		NVME_CMD_COMPARE, NVME_CMD_WRITE_ZEROES, NVME_CMD_VERIFY,
	};
	struct rig *r = rig_ready("latency=none");
	struct ssd_fault f = fault(SSD_FAULT_STATUS, -1);

	f.status = NVME_SC_WRITE_FAULT;
	f.nlb = UINT32_MAX;
	add(r, f);
	for (size_t i = 0; i < sizeof(with); i++)
		assert_int_equal(rig_run(r, 1, rig_rw(with[i], 5, 1, r->buf), NULL),
				 NVME_SC_WRITE_FAULT);
	assert_int_equal(rig_run(r, 1, rig_rw(NVME_CMD_FLUSH, 5, 1, r->buf), NULL), 0);
	/* opcode 02h is Get Log Page here */
	assert_int_equal(rig_log(r, NVME_LOG_SMART, r->buf, 512), 0);
	rig_destroy(r);
}

static void admin_and_io_commands_are_told_apart(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct ssd_fault f = fault(SSD_FAULT_STATUS, -1);

	f.status = NVME_SC_INTERNAL_ERROR;
	for (int8_t admin = 0; admin < 2; admin++) {
		f.admin = admin;
		ssd_fault_del(r->ssd, add(r, f) - 1);
		assert_int_equal(rig_run(r, 0, identify(r), NULL),
				 admin ? NVME_SC_INTERNAL_ERROR : 0);
		assert_int_equal(rig_run(r, 1, read8(r), NULL), admin ? 0 : NVME_SC_INTERNAL_ERROR);
	}
	rig_destroy(r);
}

static void a_rule_that_is_deleted_leaves_the_others(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct ssd_fault f = fault(SSD_FAULT_STATUS, NVME_CMD_READ), out;
	int first, id;

	f.status = NVME_SC_UNRECOVERED_READ;
	first = add(r, f);
	f.opcode = NVME_CMD_WRITE;
	f.status = NVME_SC_WRITE_FAULT;
	add(r, f);
	assert_int_equal(ssd_fault_del(r->ssd, first), 0);

	assert_int_equal(rig_run(r, 1, read8(r), NULL), 0);
	assert_int_equal(rig_write(r, 0, 8, r->buf), NVME_SC_WRITE_FAULT);
	assert_int_equal(ssd_fault_get(r->ssd, 0, &id, &out), 0);
	assert_int_equal(out.opcode, NVME_CMD_WRITE);
	assert_int_equal(ssd_fault_get(r->ssd, 1, &id, &out), -ENOENT);
	rig_destroy(r);
}

static void hits_of_all_rules_are_counted(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct ssd_fault f = fault(SSD_FAULT_STATUS, NVME_CMD_READ);
	struct ssd_stats stats;
	int id;

	f.status = NVME_SC_UNRECOVERED_READ;
	id = add(r, f);
	assert_int_equal(rig_run(r, 1, read8(r), NULL), NVME_SC_UNRECOVERED_READ);
	ssd_fault_del(r->ssd, id);
	add(r, f);
	assert_int_equal(rig_run(r, 1, read8(r), NULL), NVME_SC_UNRECOVERED_READ);
	ssd_get_stats(r->ssd, &stats);
	assert_int_equal(stats.faults_hit, 2);
	rig_destroy(r);
}

static void a_status_has_no_other_bits(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct ssd_fault f = fault(SSD_FAULT_STATUS, NVME_CMD_READ);
	struct nvme_cqe cqe[2];

	f.times = 1;
	for (int i = 0; i < 2; i++) {
		f.status = NVME_SC_UNRECOVERED_READ | (i ? 0xf800 : 0);
		add(r, f);
		rig_put(r, 1, read8(r));
		rig_ring(r, 1);
		rig_step(r);
		assert_true(rig_reap(r, 1, &cqe[i]));
	}
	assert_int_equal(cqe[1].status, cqe[0].status);
	rig_destroy(r);
}

static void nth_and_times_count(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct ssd_fault f = fault(SSD_FAULT_STATUS, NVME_CMD_READ);
	const uint16_t want[] = { 0, 0, 1, 1, 0, 0 };

	f.status = NVME_SC_INTERNAL_ERROR;
	f.nth = 3;
	f.times = 2;
	add(r, f);
	for (int i = 0; i < 6; i++)
		assert_int_equal(rig_run(r, 1, read8(r), NULL),
				 want[i] ? NVME_SC_INTERNAL_ERROR : 0);
	rig_destroy(r);
}

static void probability_is_seeded(void **state)
{
	unsigned int hits[3] = { 0 };

	for (int run = 0; run < 3; run++) {
		struct rig *r = rig_ready(run < 2 ? "latency=none,seed=9" : "latency=none,seed=10");
		struct ssd_fault f = fault(SSD_FAULT_STATUS, NVME_CMD_READ);

		f.status = NVME_SC_INTERNAL_ERROR;
		f.probability = 0.25;
		add(r, f);
		for (int i = 0; i < 1000; i++)
			hits[run] = hits[run] * 3 + (rig_run(r, 1, read8(r), NULL) != 0);
		rig_destroy(r);
	}
	assert_int_equal(hits[0], hits[1]);
	assert_int_not_equal(hits[0], hits[2]);
}

static void wrong_rules_are_refused_with_a_text(void **state)
{
	struct rig *r = rig_ready("");
	struct ssd_fault f = fault(SSD_FAULT_ACTIONS, -1);

	assert_int_equal(ssd_fault_add(r->ssd, &f), -EINVAL);
	f = fault(SSD_FAULT_DROP, 256);
	assert_int_equal(ssd_fault_add(r->ssd, &f), -EINVAL);
	f = fault(SSD_FAULT_DROP, -1);
	f.probability = 2;
	assert_int_equal(ssd_fault_add(r->ssd, &f), -EINVAL);
	assert_non_null(strstr(err_text(), "fault"));
	assert_int_equal(ssd_fault_del(r->ssd, 17), -ENOENT);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_match_what_they_say),
		cmocka_unit_test(only_commands_with_a_range_touch_lbas),
		cmocka_unit_test(admin_and_io_commands_are_told_apart),
		cmocka_unit_test(a_rule_that_is_deleted_leaves_the_others),
		cmocka_unit_test(hits_of_all_rules_are_counted),
		cmocka_unit_test(a_status_has_no_other_bits),
		cmocka_unit_test(nth_and_times_count),
		cmocka_unit_test(probability_is_seeded),
		cmocka_unit_test(wrong_rules_are_refused_with_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
