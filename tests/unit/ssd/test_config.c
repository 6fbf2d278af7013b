/* SPDX-License-Identifier: BSD-3-Clause */
/* Configuration space, power states, function level reset, interrupts. */
#include "rig.h"

#define COMMAND	     0x04
#define BAR0	     0x10
#define PMCSR	     0x44
#define DEVCTL	     0x68
#define LNKCTL	     0x70
#define MSIX	     0xb0
#define MSIX_CTL     (MSIX + 2)
#define TABLE	     0x2000u
#define PBA	     0x3000u
#define MSIX_ON	     0x8000u
#define MSIX_MASK    0x4000u
#define ENTRY_CTL(v) (TABLE + (v)*16u + 12u)

static void it_is_an_nvme_controller(void **state)
{
	struct rig *r = rig_create("vid=0x1234");

	assert_int_equal(rig_cfg(r, 0, 2), 0x1234);
	assert_int_equal(rig_cfg(r, 8, 4) >> 8, 0x010802);
	assert_int_equal(rig_cfg(r, 0x2c, 2), 0x1234);
	rig_destroy(r);
}

static void capabilities_are_pm_pcie_and_msix(void **state)
{
	struct rig *r = rig_create("");
	uint32_t at = rig_cfg(r, 0x34, 1), ids[4] = { 0 };
	int n = 0;

	for (; at && n < 4; at = rig_cfg(r, at + 1, 1))
		ids[n++] = rig_cfg(r, at, 1);

	assert_int_equal(n, 3);
	assert_int_equal(ids[0], 0x01);
	assert_int_equal(ids[1], 0x10);
	assert_int_equal(ids[2], 0x11);
	rig_destroy(r);
}

static void bar0_tells_its_size(void **state)
{
	struct rig *r = rig_create("");

	rig_set_cfg(r, BAR0, 0xffffffff, 4);
	rig_set_cfg(r, BAR0 + 4, 0xffffffff, 4);

	assert_int_equal(rig_cfg(r, BAR0, 4), 0xffffc004);
	assert_int_equal(rig_cfg(r, BAR0 + 4, 4), 0xffffffff);
	rig_destroy(r);
}

static void read_only_bits_stay(void **state)
{
	struct rig *r = rig_create("");
	uint8_t before[256], after[256], ones[4] = { 0xff, 0xff, 0xff, 0xff };

	ssd_cfg_read(ssd_pcie(r->ssd), 0, before, sizeof(before));
	for (unsigned int off = 0; off < 256; off += 4)
		if (off != COMMAND && off != DEVCTL) /* decoding; reset */
			ssd_cfg_write(ssd_pcie(r->ssd), off, ones, 4, r->now_ns);
	ssd_cfg_read(ssd_pcie(r->ssd), 0, after, sizeof(after));

	assert_memory_equal(before, after, 4);		     /* identity */
	assert_memory_equal(before + 8, after + 8, 4);	     /* class */
	assert_memory_equal(before + 0x2c, after + 0x2c, 9); /* subsystem, pointer */
	assert_memory_equal(before + 0x40, after + 0x40, 4); /* PM header, PMC */
	assert_memory_equal(before + 0x60, after + 0x60, 8); /* PCIe header, DEVCAP */
	assert_memory_equal(before + 0xb4, after + 0xb4, 8); /* MSI-X table and PBA */
	rig_destroy(r);
}

static void accesses_of_any_width_and_place_are_answered(void **state)
{
	struct rig *r = rig_create("");
	uint8_t buf[16];

	ssd_cfg_read(ssd_pcie(r->ssd), 4090, buf, 16);
	ssd_cfg_write(ssd_pcie(r->ssd), 4090, buf, 16, r->now_ns);
	ssd_cfg_read(ssd_pcie(r->ssd), 5000, buf, 4);

	assert_int_equal(buf[0], 0xff);
	rig_destroy(r);
}

static void without_memory_space_registers_are_ones(void **state)
{
	struct rig *r = rig_ready("");

	rig_set_cfg(r, COMMAND, 0x0004, 2);
	assert_int_equal(rig_reg(r, NVME_REG_CSTS), 0xffffffff);
	rig_set_cfg(r, COMMAND, 0x0006, 2);

	assert_int_equal(NVME_GET(rig_reg(r, NVME_REG_CSTS), CSTS_RDY), 1);
	assert_int_equal(rig_read(r, 0, 1, r->buf), 0);
	rig_destroy(r);
}

static void doorbells_written_without_decoding_go_nowhere(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct ssd_stats before, after;

	ssd_get_stats(r->ssd, &before);
	rig_set_cfg(r, PMCSR, 3, 2);
	rig_put(r, 1, rig_rw(NVME_CMD_READ, 0, 1, r->buf));
	rig_ring(r, 1);
	rig_step(r);
	rig_set_cfg(r, PMCSR, 0, 2);
	rig_step(r);
	ssd_get_stats(r->ssd, &after);

	assert_int_equal(after.commands, before.commands);
	rig_destroy(r);
}

static void d3hot_keeps_the_controller(void **state)
{
	struct rig *r = rig_ready("");

	rig_set_cfg(r, PMCSR, 3, 2);
	assert_int_equal(rig_reg(r, NVME_REG_CSTS), 0xffffffff);
	assert_int_equal(rig_cfg(r, PMCSR, 2) & 3, 3);
	rig_set_cfg(r, PMCSR, 0, 2);

	assert_int_equal(rig_read(r, 0, 1, r->buf), 0);
	rig_destroy(r);
}

static void d1_and_d2_are_not_there(void **state)
{
	struct rig *r = rig_create("");

	rig_set_cfg(r, PMCSR, 1, 2);
	assert_int_equal(rig_cfg(r, PMCSR, 2) & 3, 0);
	rig_set_cfg(r, PMCSR, 2, 2);
	assert_int_equal(rig_cfg(r, PMCSR, 2) & 3, 0);
	rig_destroy(r);
}

static void without_bus_master_nothing_is_fetched(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct nvme_cqe cqe;

	rig_set_cfg(r, COMMAND, 0x0002, 2);
	rig_put(r, 1, rig_rw(NVME_CMD_READ, 0, 1, r->buf));
	rig_ring(r, 1);
	rig_step(r);
	assert_false(rig_reap(r, 1, &cqe));
	rig_set_cfg(r, COMMAND, 0x0006, 2);
	rig_step(r);

	assert_true(rig_reap(r, 1, &cqe));
	rig_destroy(r);
}

static void flr_resets_all(void **state)
{
	struct rig *r = rig_ready("");

	rig_set_cfg(r, MSIX_CTL, MSIX_ON, 2);
	rig_set_cfg(r, DEVCTL, rig_cfg(r, DEVCTL, 2) | 0x8000, 2);

	assert_int_equal(rig_cfg(r, DEVCTL, 2) & 0x8000, 0);
	assert_int_equal(rig_cfg(r, MSIX_CTL, 2) & MSIX_ON, 0);
	assert_int_equal(rig_reg(r, NVME_REG_CC), 0);
	assert_int_equal(rig_reg(r, NVME_REG_AQA), 0);
	rig_destroy(r);
}

static void aspm_is_kept(void **state)
{
	struct rig *r = rig_create("");

	for (uint32_t v = 0; v < 4; v++) {
		rig_set_cfg(r, LNKCTL, v, 2);
		assert_int_equal(rig_cfg(r, LNKCTL, 2) & 3, v);
	}
	rig_destroy(r);
}

static void there_are_as_many_vectors_as_queues(void **state)
{
	struct rig *r = rig_create("ioqueues=32");

	assert_int_equal(rig_cfg(r, MSIX_CTL, 2) & 0x7ff, 32);
	assert_int_equal(rig_cfg(r, MSIX + 4, 4), TABLE);
	assert_int_equal(rig_cfg(r, MSIX + 8, 4), PBA);
	rig_destroy(r);
}

static void entries_are_masked_at_first(void **state)
{
	struct rig *r = rig_create("");

	for (unsigned int v = 0; v < 33; v++)
		assert_int_equal(rig_reg(r, ENTRY_CTL(v)), 1);
	rig_set_reg(r, ENTRY_CTL(5), 0xfffffffe);
	assert_int_equal(rig_reg(r, ENTRY_CTL(5)), 0);
	rig_destroy(r);
}

static void entries_keep_what_is_written(void **state)
{
	struct rig *r = rig_create("");

	for (unsigned int v = 0; v < 33; v++) {
		rig_set_reg(r, ENTRY_CTL(v) - 12, 0xfee00000 + 4 * v);
		rig_set_reg(r, ENTRY_CTL(v) - 4, 0x4000 + v);
	}
	for (unsigned int v = 0; v < 33; v++) {
		assert_int_equal(rig_reg(r, ENTRY_CTL(v) - 12), 0xfee00000 + 4 * v);
		assert_int_equal(rig_reg(r, ENTRY_CTL(v) - 4), 0x4000 + v);
	}
	rig_destroy(r);
}

static void a_masked_vector_is_pending_and_fires_at_unmask(void **state)
{
	struct rig *r = rig_create("latency=none");

	rig_set_cfg(r, MSIX_CTL, MSIX_ON, 2);
	rig_enable(r);
	rig_identify(r, 0, NVME_CNS_CTRL, r->buf);
	assert_int_equal(r->irqs[0], 0);
	assert_int_equal(rig_reg(r, PBA) & 1, 1);
	rig_set_reg(r, ENTRY_CTL(0), 0);

	assert_int_equal(r->irqs[0], 1);
	assert_int_equal(rig_reg(r, PBA) & 1, 0);
	rig_destroy(r);
}

static void the_function_mask_holds_all_vectors(void **state)
{
	struct rig *r = rig_create("latency=none");

	rig_set_reg(r, ENTRY_CTL(0), 0);
	rig_set_cfg(r, MSIX_CTL, MSIX_ON | MSIX_MASK, 2);
	rig_enable(r);
	rig_identify(r, 0, NVME_CNS_CTRL, r->buf);
	assert_int_equal(r->irqs[0], 0);
	rig_set_cfg(r, MSIX_CTL, MSIX_ON, 2);

	assert_int_equal(r->irqs[0], 1);
	rig_destroy(r);
}

static void intx_is_masked_by_intms(void **state)
{
	struct rig *r = rig_create("latency=none");

	rig_enable(r);
	rig_set_reg(r, NVME_REG_INTMS, 1);
	rig_identify(r, 0, NVME_CNS_CTRL, r->buf);
	assert_int_equal(r->irqs[0], 0);
	rig_set_reg(r, NVME_REG_INTMC, 1);

	assert_int_equal(r->irqs[0], 1);
	rig_destroy(r);
}

/* Queue 2 with vector 3. */
static void create_queue_with_vector(struct rig *r)
{
	struct nvme_sqe sqe = { .opc = NVME_ADMIN_CREATE_CQ };

	rig_set_cfg(r, MSIX_CTL, MSIX_ON, 2);
	rig_set_reg(r, ENTRY_CTL(0), 0);
	rig_set_reg(r, ENTRY_CTL(3), 0);
	rig_make_rings(r, 2, RIG_DEPTH);
	sqe.prp1 = (uintptr_t)r->q[2].cq;
	sqe.cdw10 = (RIG_DEPTH - 1) << 16 | 2;
	sqe.cdw11 = 3 << 16 | NVME_CQ_IEN | NVME_QUEUE_PC;
	assert_int_equal(rig_run(r, 0, sqe, NULL), 0);
	sqe.opc = NVME_ADMIN_CREATE_SQ;
	sqe.prp1 = (uintptr_t)r->q[2].sq;
	sqe.cdw11 = 2 << 16 | NVME_QUEUE_PC;
	assert_int_equal(rig_run(r, 0, sqe, NULL), 0);
}

static void a_queue_interrupts_by_its_own_vector_once_a_batch(void **state)
{
	struct rig *r = rig_ready("latency=none");

	create_queue_with_vector(r);
	for (int i = 0; i < 5; i++)
		rig_put(r, 2, rig_rw(NVME_CMD_READ, 0, 1, r->buf));
	rig_ring(r, 2);
	rig_step(r);

	assert_int_equal(r->irqs[3], 1);
	rig_destroy(r);
}

static void coalescing_waits_for_entries_or_time(void **state)
{
	struct rig *r = rig_ready("latency=none");
	/* three entries, or 200 us */
	struct nvme_sqe set = { .opc = NVME_ADMIN_SET_FEATURES, .cdw10 = 8, .cdw11 = 2 << 8 | 2 };

	create_queue_with_vector(r);
	assert_int_equal(rig_run(r, 0, set, NULL), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(r->irqs[3], 0);
		rig_put(r, 2, rig_rw(NVME_CMD_READ, 0, 1, r->buf));
		rig_ring(r, 2);
		rig_step(r);
	}
	assert_int_equal(r->irqs[3], 1);
	rig_put(r, 2, rig_rw(NVME_CMD_READ, 0, 1, r->buf));
	rig_ring(r, 2);
	rig_advance(r, 199999);
	assert_int_equal(r->irqs[3], 1);
	rig_advance(r, 1);

	assert_int_equal(r->irqs[3], 2);
	/* nothing was held of the others, which are masked */
	assert_int_equal(rig_reg(r, PBA) & ~9u, 0);
	rig_destroy(r);
}

static void set_coalescing(struct rig *r, uint8_t fid, uint32_t cdw11)
{
	struct nvme_sqe set = { .opc = NVME_ADMIN_SET_FEATURES, .cdw10 = fid, .cdw11 = cdw11 };

	assert_int_equal(rig_run(r, 0, set, NULL), 0);
}

static void admin_completions_are_not_held_back(void **state)
{
	struct rig *r = rig_ready("latency=none");
	uint32_t before;

	create_queue_with_vector(r);
	set_coalescing(r, 8, 100 << 8 | 100);
	before = r->irqs[0];
	rig_put(r, 0, (struct nvme_sqe){ .opc = NVME_ADMIN_GET_FEATURES, .cdw10 = 7 });
	rig_ring(r, 0);
	rig_step(r);
	assert_int_equal(r->irqs[0], before + 1);
	rig_destroy(r);
}

static void a_vector_may_be_left_out_of_coalescing(void **state)
{
	struct rig *r = rig_ready("latency=none");

	create_queue_with_vector(r);
	set_coalescing(r, 8, 100 << 8 | 100);
	for (uint32_t left_out = 0; left_out < 2; left_out++) {
		set_coalescing(r, 9, left_out << 16 | 3);
		rig_put(r, 2, rig_rw(NVME_CMD_READ, 0, 1, r->buf));
		rig_ring(r, 2);
		rig_step(r);
		assert_int_equal(r->irqs[3], left_out);
	}
	rig_destroy(r);
}

static void without_msix_all_interrupts_are_inta(void **state)
{
	struct rig *r = rig_ready("latency=none");
	uint32_t before;

	create_queue_with_vector(r);
	rig_set_cfg(r, MSIX_CTL, 0, 2);
	before = r->irqs[0];
	rig_put(r, 2, rig_rw(NVME_CMD_READ, 0, 1, r->buf));
	rig_ring(r, 2);
	rig_step(r);
	assert_int_equal(r->irqs[0], before + 1);
	assert_int_equal(r->irqs[3], 0);
	rig_destroy(r);
}

/* 33 vectors: number 32 is the last, and bit 0 of the second dword. */
static void the_last_vector_is_pending_in_the_upper_half(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct nvme_sqe sqe = { .opc = NVME_ADMIN_CREATE_CQ };

	rig_set_cfg(r, MSIX_CTL, MSIX_ON, 2);
	rig_make_rings(r, 2, RIG_DEPTH);
	sqe.prp1 = (uintptr_t)r->q[2].cq;
	sqe.cdw10 = (RIG_DEPTH - 1) << 16 | 2;
	sqe.cdw11 = 33 << 16 | NVME_CQ_IEN | NVME_QUEUE_PC;
	assert_int_equal(rig_run(r, 0, sqe, NULL), NVME_SC_INVALID_INTERRUPT_VECTOR);
	sqe.cdw11 = 32 << 16 | NVME_CQ_IEN | NVME_QUEUE_PC;
	assert_int_equal(rig_run(r, 0, sqe, NULL), 0);
	sqe.opc = NVME_ADMIN_CREATE_SQ;
	sqe.prp1 = (uintptr_t)r->q[2].sq;
	sqe.cdw11 = 2 << 16 | NVME_QUEUE_PC;
	assert_int_equal(rig_run(r, 0, sqe, NULL), 0);
	assert_int_equal(rig_run(r, 2, rig_rw(NVME_CMD_READ, 0, 1, r->buf), NULL), 0);

	assert_int_equal(rig_reg(r, PBA + 4), 1);
	assert_int_equal(rig_reg(r, PBA), 1); /* the admin queue's */
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_an_nvme_controller),
		cmocka_unit_test(capabilities_are_pm_pcie_and_msix),
		cmocka_unit_test(bar0_tells_its_size),
		cmocka_unit_test(read_only_bits_stay),
		cmocka_unit_test(accesses_of_any_width_and_place_are_answered),
		cmocka_unit_test(without_memory_space_registers_are_ones),
		cmocka_unit_test(doorbells_written_without_decoding_go_nowhere),
		cmocka_unit_test(d3hot_keeps_the_controller),
		cmocka_unit_test(d1_and_d2_are_not_there),
		cmocka_unit_test(without_bus_master_nothing_is_fetched),
		cmocka_unit_test(flr_resets_all),
		cmocka_unit_test(aspm_is_kept),
		cmocka_unit_test(there_are_as_many_vectors_as_queues),
		cmocka_unit_test(entries_are_masked_at_first),
		cmocka_unit_test(entries_keep_what_is_written),
		cmocka_unit_test(a_masked_vector_is_pending_and_fires_at_unmask),
		cmocka_unit_test(the_function_mask_holds_all_vectors),
		cmocka_unit_test(intx_is_masked_by_intms),
		cmocka_unit_test(a_queue_interrupts_by_its_own_vector_once_a_batch),
		cmocka_unit_test(coalescing_waits_for_entries_or_time),
		cmocka_unit_test(admin_completions_are_not_held_back),
		cmocka_unit_test(a_vector_may_be_left_out_of_coalescing),
		cmocka_unit_test(without_msix_all_interrupts_are_inta),
		cmocka_unit_test(the_last_vector_is_pending_in_the_upper_half),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
