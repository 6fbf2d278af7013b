// SPDX-License-Identifier: BSD-3-Clause
/* The ranges of Copy and Dataset Management: what the driver makes of those that are odd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <sanitizer/asan_interface.h>

#include "fixture.h"
#include "sim_fixture.h"

static void a_copy_of_extended_ranges_counts_the_lbas_of_each(void **state)
{
	struct sim *s = *state;
	/* Taken for short ones, the second would have eight LBAs. */
	const struct nvme_copy_range_ext ranges[] = { { .slba = 100 }, { .slba = 7 } };

	assert_int_equal(sim_write(s, 200, 8), 0);
	memcpy(s->mem.va, ranges, sizeof(ranges));
	sim_raw(s, NVME_CMD_COPY, sizeof(ranges),
		(const uint32_t[6]){ 200, 0, 1 | (uint32_t)NVME_SET(1, COPY_DESFMT) });

	sim_fault(s, NVME_CMD_READ, SSD_FAULT_BITFLIP);
	assert_int_equal(sim_read(s, 201, 1), 0);
	sim_fault(s, NVME_CMD_READ, SSD_FAULT_BITFLIP);
	assert_int_equal(sim_read(s, 202, 1), NVME_SC_UNRECOVERED_READ);
}

/* Behind PRPs of the script's own there may be any ranges. */
static void by_hand(struct sim *s, uint8_t opcode, const uint32_t cdw10_15[6], const void *ranges,
		    size_t len)
{
	assert_int_equal(sim_write(s, 200, 8), 0);
	memcpy(s->mem.va, ranges, len);
	s->req = (struct nvme_req){ .flags = NVME_REQ_RAW_PTR };
	nvme_cmd_raw(&s->req, opcode, 1, NULL, 0, cdw10_15);
	s->req.sqe.prp1 = s->mem.iova;
	assert_int_equal(sim_run(s), 0);

	assert_int_equal(sim_read(s, 200, 8), 0);
}

static void ranges_that_nobody_sees_make_all_lbas_unknown(void **state)
{
	const struct nvme_dsm_range dsm = { .slba = 200, .nlb = 8 };
	const struct nvme_copy_range copy = { .slba = 100, .nlb = 7 };

	by_hand(*state, NVME_CMD_DSM, (const uint32_t[6]){ 0, NVME_DSM_AD }, &dsm, sizeof(dsm));
	by_hand(*state, NVME_CMD_COPY, (const uint32_t[6]){ 200 }, &copy, sizeof(copy));
}

static enum fake_verdict hold_io(struct fake_ctrl *fake, uint16_t qid, const struct nvme_sqe *sqe,
				 struct nvme_cqe *cqe)
{
	return qid ? FAKE_HOLD : FAKE_COMPLETE;
}

/* What lies behind the data is nobody's business, and AddressSanitizer says so. */
static void ranges_are_read_no_further_than_their_data(void **state)
{
	static const uint8_t opcodes[] = { NVME_CMD_DSM, NVME_CMD_COPY };
	struct fixture *f = *state;

	for (unsigned int i = 0; i < sizeof(opcodes); i++) {
		struct nvme_req *req;

		f->fake->script = NULL;
		req = fixture_read(f, i);
		assert_int_equal(fixture_poll(f), 1);
		f->fake->script = hold_io;
		nvme_cmd_raw(req, opcodes[i], 1, f->mem.va, 32,
			     (const uint32_t[6]){ 255, NVME_DSM_AD, 255 });
		ASAN_POISON_MEMORY_REGION((uint8_t *)f->mem.va + 32, 16384);
		assert_int_equal(nvme_qpair_enter(f->q), 0);
		nvme_qpair_submit(f->q, req, f->now_ns);
		nvme_qpair_ring(f->q);
		nvme_qpair_exit(f->q);
		assert_int_equal(fixture_poll(f), 0);
		ASAN_UNPOISON_MEMORY_REGION((uint8_t *)f->mem.va + 32, 16384);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_copy_of_extended_ranges_counts_the_lbas_of_each,
						sim_open, sim_close),
		cmocka_unit_test_setup_teardown(ranges_that_nobody_sees_make_all_lbas_unknown,
						sim_open, sim_close),
		cmocka_unit_test_setup_teardown(ranges_are_read_no_further_than_their_data,
						fixture_open, fixture_close),
	};

	return cmocka_run_group_tests_name("nvme/ranges", tests, NULL, NULL);
}
