// SPDX-License-Identifier: BSD-3-Clause
/* What commands do to what is known of LBAs, with the software SSD as the device. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "fixture.h"
#include "nvme/lba.h"
#include "sim_fixture.h"
#include "verify/verify.h"

static uint64_t word(const struct sim *s, size_t off)
{
	uint64_t val;

	memcpy(&val, (const uint8_t *)s->mem.va + off, sizeof(val));
	return val;
}

static void a_write_stamps_in_place_and_reads_back(void **state)
{
	struct sim *s = *state;

	memset(s->mem.va, 0xa5, 4096);
	assert_int_equal(sim_write(s, 1000, 8), 0);
	for (unsigned int i = 0; i < 8; i++) {
		assert_int_equal(word(s, i * 512), 1000 + i);
		assert_int_equal(word(s, i * 512 + 504), word(s, 504) + i);
	}
	memset(s->mem.va, 0, 4096);

	assert_int_equal(sim_read(s, 1000, 8), 0);
	assert_int_equal(word(s, 0), 1000);
	assert_int_equal(word(s, 8), 0xa5a5a5a5a5a5a5a5);
}

static void corruption_on_the_way_is_02_81_and_an_event(void **state)
{
	struct sim *s = *state;
	struct nvme_event ev = { 0 };

	assert_int_equal(sim_write(s, 50, 8), 0);
	sim_fault(s, NVME_CMD_READ, SSD_FAULT_BITFLIP);
	assert_int_equal(sim_read(s, 50, 8), NVME_SC_UNRECOVERED_READ);
	assert_true(s->req.flags & NVME_REQ_MISS);
	assert_int_equal(nvme_event_pop(s->ctrl, &ev, NULL), 1);

	assert_int_equal(ev.type, NVME_EVENT_VERIFY);
	assert_int_equal(ev.sqid, s->q->sqid);
	assert_int_equal(ev.cid, s->req.cid);
	assert_in_range(ev.lba, 50, 57);
	assert_int_equal(ev.nsid, 1);
	assert_int_equal(ev.bad_lbas, 1);
	assert_int_not_equal(ev.crc_expected, ev.crc_got);
	assert_int_equal(ev.sqe.opc, NVME_CMD_READ);
	assert_int_equal(sim_read(s, 50, 8), 0);
}

static void a_lost_write_is_caught(void **state)
{
	struct sim *s = *state;

	assert_int_equal(sim_write(s, 50, 1), 0);
	sim_fault(s, NVME_CMD_WRITE, SSD_FAULT_LOST);
	assert_int_equal(sim_write(s, 50, 1), 0);

	assert_int_equal(sim_read(s, 50, 1), NVME_SC_UNRECOVERED_READ);
}

static void nothing_is_checked_with_verification_off(void **state)
{
	struct sim *s = *state;

	nvme_config.verify = false;
	assert_int_equal(sim_write(s, 50, 8), 0);
	sim_fault(s, NVME_CMD_READ, SSD_FAULT_BITFLIP);
	assert_int_equal(sim_read(s, 50, 8), 0);
	/* but everything was recorded meanwhile */
	nvme_config.verify = true;
	sim_fault(s, NVME_CMD_READ, SSD_FAULT_BITFLIP);
	assert_int_equal(sim_read(s, 50, 8), NVME_SC_UNRECOVERED_READ);
}

static void a_raw_write_makes_its_lbas_unknown(void **state)
{
	struct sim *s = *state;

	assert_int_equal(sim_write(s, 100, 8), 0);
	memset(s->mem.va, 0x77, 512);
	assert_int_equal(sim_raw(s, NVME_CMD_WRITE, 512, (const uint32_t[6]){ 103, 0, 0 }), 0);

	assert_int_equal(sim_read(s, 100, 8), 0);
}

/* A C program may use a request again: what it was before must not show. */
static void a_request_used_again_is_only_what_it_is_now(void **state)
{
	struct sim *s = *state;

	assert_int_equal(sim_write(s, 100, 8), 0);
	memset(s->mem.va, 0x77, 512);
	nvme_cmd_raw(&s->req, NVME_CMD_WRITE, 1, s->mem.va, 512, (const uint32_t[6]){ 103 });
	assert_int_equal(sim_run(s), 0);

	assert_int_equal(sim_read(s, 100, 8), 0);
}

static void write_zeroes_makes_its_lbas_unknown(void **state)
{
	struct sim *s = *state;

	assert_int_equal(sim_write(s, 100, 8), 0);
	s->req = (struct nvme_req){ 0 };
	nvme_cmd_rw(&s->req, s->ns, NVME_CMD_WRITE_ZEROES, NULL, 102, 2, 0);
	assert_int_equal(sim_run(s), 0);

	assert_int_equal(sim_read(s, 100, 8), 0);
}

static void deallocation_makes_its_ranges_unknown(void **state)
{
	struct sim *s = *state;
	const struct nvme_dsm_range ranges[] = { { .slba = 100, .nlb = 2 },
						 { .slba = 106, .nlb = 1 } };
	void *odd = (uint8_t *)s->mem.va + 4; /* any dword will do */

	assert_int_equal(sim_write(s, 100, 8), 0);
	memcpy(odd, ranges, sizeof(ranges));
	s->req = (struct nvme_req){ 0 };
	nvme_cmd_dsm(&s->req, s->ns, odd, 2, NVME_DSM_AD);
	assert_int_equal(sim_run(s), 0);

	assert_int_equal(sim_read(s, 100, 8), 0);
	/* the others are still known */
	sim_fault(s, NVME_CMD_READ, SSD_FAULT_BITFLIP);
	assert_int_equal(sim_read(s, 102, 1), NVME_SC_UNRECOVERED_READ);
}

static void a_copy_makes_its_destination_unknown(void **state)
{
	struct sim *s = *state;
	const struct nvme_copy_range range = { .slba = 100, .nlb = 7 };
	void *odd = (uint8_t *)s->mem.va + 4; /* any dword will do */

	assert_int_equal(sim_write(s, 100, 8), 0);
	assert_int_equal(sim_write(s, 200, 8), 0);
	memcpy(odd, &range, sizeof(range));
	s->req = (struct nvme_req){ 0 };
	nvme_cmd_copy(&s->req, s->ns, odd, 1, 200, 0, 0);
	assert_int_equal(sim_run(s), 0);

	assert_int_equal(sim_read(s, 200, 8), 0);
}

static void a_failed_write_makes_its_lbas_unknown(void **state)
{
	struct sim *s = *state;

	assert_int_equal(sim_write(s, 100, 1), 0);
	s->req = (struct nvme_req){ .flags = NVME_REQ_STAMP };
	nvme_cmd_rw(&s->req, s->ns, NVME_CMD_WRITE, s->mem.va, 100, 1, 0);
	s->req.sqe.nsid = 9;
	assert_int_equal(sim_run(s), NVME_SC_INVALID_NS);

	assert_int_equal(sim_read(s, 100, 1), 0);
}

static void a_raw_format_refreshes_every_open_namespace(void **state)
{
	struct sim *s = *state;

	assert_int_equal(sim_write(s, 0, 8), 0);
	assert_int_equal(nvme_ns_format(s->ns)->lba_bytes, 512);
	assert_int_equal(sim_admin(s, NVME_ADMIN_FORMAT, 1, 1), 0);

	assert_int_equal(nvme_ns_format(s->ns)->lba_bytes, 4096);
	assert_int_equal(nvme_ns_format(s->ns)->stride_bytes, 4096);
	assert_int_equal(sim_read(s, 0, 1), 0);
}

static void a_format_in_the_same_size_forgets_too(void **state)
{
	struct sim *s = *state;

	assert_int_equal(sim_write(s, 0, 8), 0);
	assert_int_equal(sim_admin(s, NVME_ADMIN_FORMAT, 1, 0), 0);

	assert_int_equal(sim_read(s, 0, 8), 0);
}

static void a_refused_format_forgets_nothing(void **state)
{
	struct sim *s = *state;

	assert_int_equal(sim_write(s, 0, 8), 0);
	assert_int_not_equal(sim_admin(s, NVME_ADMIN_FORMAT, 1, 0xf), 0);
	sim_fault(s, NVME_CMD_READ, SSD_FAULT_BITFLIP);

	assert_int_equal(sim_read(s, 0, 8), NVME_SC_UNRECOVERED_READ);
}

static void power_loss_causes_no_false_alarm(void **state)
{
	struct sim *s = *state;

	for (unsigned int i = 0; i < 64; i++)
		assert_int_equal(sim_write(s, i * 8, 8), 0);
	s->req = (struct nvme_req){ 0 };
	nvme_cmd_flush(&s->req, s->ns);
	assert_int_equal(sim_run(s), 0);
	for (unsigned int i = 0; i < 32; i++)
		assert_int_equal(sim_write(s, i * 8, 8), 0);
	assert_int_equal(nvme_ctrl_power(s->ctrl, false), 0);
	assert_int_equal(nvme_ctrl_power(s->ctrl, true), 0);
	nvme_qpair_delete(s->q);
	assert_int_equal(nvme_qpair_create(s->ctrl, 16, 0, NVME_QPAIR_AUTO_IRQ, &s->q), 0);

	for (unsigned int i = 0; i < 64; i++)
		assert_int_equal(sim_read(s, i * 8, 8), 0);
	/* what was flushed stays strict */
	sim_fault(s, NVME_CMD_READ, SSD_FAULT_BITFLIP);
	assert_int_equal(sim_read(s, 40 * 8, 8), NVME_SC_UNRECOVERED_READ);
}

static void a_namespace_is_shared(void **state)
{
	struct sim *s = *state;
	struct nvme_ns *other = NULL;

	assert_int_equal(nvme_ns_open(s->ctrl, 1, &other), 0);

	assert_ptr_equal(other, s->ns);
	nvme_ns_put(other);
}

static void there_is_no_such_namespace(void **state)
{
	struct sim *s = *state;
	struct nvme_ns *other = NULL;

	assert_int_equal(nvme_ns_open(s->ctrl, 0, &other), -ENOENT);
	assert_int_not_equal(nvme_ns_open(s->ctrl, 77, &other), 0);
	assert_null(other);
	assert_non_null(strstr(err_text(), "namespace 77"));
}

/* --- locks, on a device that can hold commands --- */

static enum fake_verdict hold_io(struct fake_ctrl *fake, uint16_t qid, const struct nvme_sqe *sqe,
				 struct nvme_cqe *cqe)
{
	return qid ? FAKE_HOLD : FAKE_COMPLETE;
}

/* All that was held ends well, and what waited behind it runs. */
static void let_go(struct fixture *f)
{
	f->fake->script = NULL;
	fake_complete_held(f->fake, NVME_SC_SUCCESS);
	while (nvme_qpair_outstanding(f->q))
		fixture_poll(f);
}

static void a_locked_lba_makes_the_next_command_wait(void **state)
{
	struct fixture *f = *state;
	unsigned int aers = f->fake->nheld;

	nvme_ns_set_locks(f->ns, true);
	f->fake->script = hold_io;
	fixture_read(f, 0);
	f->reqs[1] = f->reqs[0];
	nvme_cmd_rw(&f->reqs[1], f->ns, NVME_CMD_WRITE, f->mem.va, 0, 1, 0);
	nvme_qpair_enter(f->q);
	nvme_qpair_submit(f->q, &f->reqs[1], f->now_ns);
	nvme_qpair_ring(f->q);
	nvme_qpair_exit(f->q);
	fixture_poll(f);
	assert_int_equal(f->fake->nheld, aers + 1);
	assert_int_equal(nvme_qpair_outstanding(f->q), 2);

	let_go(f);

	assert_int_equal(f->completed, 2);
	nvme_ns_set_locks(f->ns, false);
}

/* The lock is to be given back where it was taken. */
static void a_format_between_lock_and_stamp_refuses_the_write(void **state)
{
	struct fixture *f = *state;
	struct nvme_req *req = &f->reqs[0];

	nvme_ns_set_locks(f->ns, true);
	req->flags = NVME_REQ_STAMP;
	nvme_cmd_rw(req, f->ns, NVME_CMD_WRITE, f->mem.va, 0, 8, 0);
	assert_int_equal(nvme_lba_lock(req), 0);
	f->fake->id_ns.nsze *= 2;
	assert_int_equal(nvme_ns_refresh(f->ns), 0);

	assert_int_equal(nvme_lba_prepare(f->q, &f->q->trackers[0], req), -EMSGSIZE);
	assert_ptr_not_equal(req->verify, nvme_ns_format(f->ns)->verify);
	verify_unlock(req->verify, 0, 8, true);
	nvme_ns_set_locks(f->ns, false);
}

/* Seven reads keep the queue of eight entries full, and another command waits. */
static struct nvme_req *one_waits(struct fixture *f, uint8_t opcode, void *meta,
				  uint32_t meta_bytes)
{
	struct nvme_req *req = &f->reqs[7];

	f->fake->script = hold_io;
	for (unsigned int i = 0; i < 7; i++)
		fixture_read(f, i);
	*req = f->reqs[0];
	req->flags = NVME_REQ_STAMP;
	req->meta = meta;
	req->meta_bytes = meta_bytes;
	memset(f->mem.va, 0xa5, 16384);
	nvme_cmd_rw(req, f->ns, opcode, f->mem.va, 0, 1, 0);
	nvme_qpair_enter(f->q);
	nvme_qpair_submit(f->q, req, f->now_ns);
	nvme_qpair_exit(f->q);
	fixture_poll(f); /* the device has them all */
	return req;
}

static void format_becomes(struct fixture *f, unsigned int ds, uint16_t ms)
{
	f->fake->id_ns.lbaf[0].ds = (uint8_t)ds;
	f->fake->id_ns.lbaf[0].ms = ms;
	f->fake->id_ns.dps = ms ? 1 : 0;
	assert_int_equal(nvme_ns_refresh(f->ns), 0);
}

static void what_is_known_of_lbas_outlives_all_but_their_size(void **state)
{
	struct fixture *f = *state;
	const struct verify_table *known = nvme_ns_format(f->ns)->verify;

	format_becomes(f, 9, 8);
	assert_ptr_equal(nvme_ns_format(f->ns)->verify, known);
	format_becomes(f, 12, 8);
	assert_ptr_not_equal(nvme_ns_format(f->ns)->verify, known);
}

static void a_write_that_waited_does_not_stamp_beyond_its_buffer(void **state)
{
	struct fixture *f = *state;
	struct nvme_req *req = one_waits(f, NVME_CMD_WRITE, NULL, 0);
	const uint8_t *data = f->mem.va;

	format_becomes(f, 12, 0);
	let_go(f);

	assert_int_equal(nvme_req_status(req), NVME_SC_DATA_TRANSFER_ERROR);
	for (unsigned int i = 512; i < 4096; i++)
		assert_int_equal(data[i], 0xa5);
}

static void a_write_that_waited_does_not_tag_beyond_its_metadata(void **state)
{
	struct fixture *f = *state;
	uint8_t *meta = (uint8_t *)f->mem.va + 8192;
	struct nvme_req *req;

	format_becomes(f, 9, 8);
	req = one_waits(f, NVME_CMD_WRITE, meta, 8);
	format_becomes(f, 9, 64);
	let_go(f);

	assert_int_equal(nvme_req_status(req), NVME_SC_DATA_TRANSFER_ERROR);
	for (unsigned int i = 8; i < 64; i++)
		assert_int_equal(meta[i], 0xa5);
}

/* Its PRPs are those of 512 bytes, and the device would move 4096. */
static void what_waited_is_not_sent_with_too_little_memory(void **state)
{
	static const uint8_t opcodes[2] = { NVME_CMD_READ, NVME_CMD_COMPARE };
	struct fixture *f = *state;

	for (unsigned int i = 0; i < 2; i++) {
		struct nvme_req *req;

		format_becomes(f, 9, 0);
		req = one_waits(f, opcodes[i], NULL, 0);
		format_becomes(f, 12, 0);
		let_go(f);

		assert_int_equal(nvme_req_status(req), NVME_SC_DATA_TRANSFER_ERROR);
		assert_true(req->flags & NVME_REQ_SYNTHETIC);
	}
}

static void a_read_that_was_out_is_not_checked_beyond_its_metadata(void **state)
{
	const uint32_t guard = (uint32_t)NVME_PRINFO_CHECK_GUARD << NVME_RW_PRINFO_SHIFT;
	struct fixture *f = *state;
	struct nvme_req *req = fixture_read(f, 0);

	assert_int_equal(fixture_poll(f), 1);
	format_becomes(f, 9, 8);
	f->fake->script = hold_io;
	req->flags = NVME_REQ_CHECK;
	req->meta = (uint8_t *)f->mem.va + 8192;
	req->meta_bytes = 8;
	nvme_cmd_rw(req, f->ns, NVME_CMD_READ, f->mem.va, 0, 1, guard);
	assert_int_equal(nvme_qpair_enter(f->q), 0);
	nvme_qpair_submit(f->q, req, f->now_ns);
	nvme_qpair_ring(f->q);
	nvme_qpair_exit(f->q);
	assert_int_equal(fixture_poll(f), 0);
	memset(f->mem.va, 0xa5, 16384); /* a wrong guard, wherever it is looked for */
	format_becomes(f, 9, 64);
	f->fake->script = NULL;
	fake_complete_held(f->fake, NVME_SC_SUCCESS);
	fixture_poll(f);

	assert_int_equal(nvme_req_status(req), 0);
}

static void a_reset_shows_namespaces_as_they_are_now(void **state)
{
	struct fixture *f = *state;

	f->fake->id_ns.lbaf[0].ds = 12;
	assert_int_equal(nvme_ctrl_reset(f->ctrl, NVME_RESET_CTRL), 0);

	assert_int_equal(nvme_ns_format(f->ns)->lba_bytes, 4096);
}

static void config_forces_unit_access(void **state)
{
	struct fixture *f = *state;

	nvme_config = (struct nvme_config){ .fua_read = true };
	nvme_cmd_rw(&f->reqs[0], f->ns, NVME_CMD_READ, f->mem.va, 0, 1, 0);
	nvme_cmd_rw(&f->reqs[1], f->ns, NVME_CMD_WRITE, f->mem.va, 0, 65536, 0);
	nvme_config = (struct nvme_config){ .fua_write = true };
	nvme_cmd_rw(&f->reqs[2], f->ns, NVME_CMD_WRITE, f->mem.va, 0, 1, 0);
	nvme_config = (struct nvme_config){ 0 };

	assert_int_equal(f->reqs[0].sqe.cdw12, 1u << 30);
	assert_int_equal(f->reqs[1].sqe.cdw12, 0xffff);
	assert_int_equal(f->reqs[2].sqe.cdw12, 1u << 30);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, sim_open, sim_close)
#define F(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)
	const struct CMUnitTest tests[] = {
		T(a_write_stamps_in_place_and_reads_back),
		T(corruption_on_the_way_is_02_81_and_an_event),
		T(a_lost_write_is_caught),
		T(nothing_is_checked_with_verification_off),
		T(a_raw_write_makes_its_lbas_unknown),
		T(a_request_used_again_is_only_what_it_is_now),
		T(write_zeroes_makes_its_lbas_unknown),
		T(deallocation_makes_its_ranges_unknown),
		T(a_copy_makes_its_destination_unknown),
		T(a_failed_write_makes_its_lbas_unknown),
		T(a_raw_format_refreshes_every_open_namespace),
		T(a_format_in_the_same_size_forgets_too),
		T(a_refused_format_forgets_nothing),
		T(power_loss_causes_no_false_alarm),
		T(a_namespace_is_shared),
		T(there_is_no_such_namespace),
		F(a_locked_lba_makes_the_next_command_wait),
		F(what_is_known_of_lbas_outlives_all_but_their_size),
		F(a_write_that_waited_does_not_stamp_beyond_its_buffer),
		F(a_write_that_waited_does_not_tag_beyond_its_metadata),
		F(a_format_between_lock_and_stamp_refuses_the_write),
		F(what_waited_is_not_sent_with_too_little_memory),
		F(a_read_that_was_out_is_not_checked_beyond_its_metadata),
		F(a_reset_shows_namespaces_as_they_are_now),
		F(config_forces_unit_access),
	};

	return cmocka_run_group_tests_name("nvme/lba", tests, NULL, NULL);
}
