// SPDX-License-Identifier: BSD-3-Clause
/* What the recorder's file says of queues and controllers beyond their commands. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture.h"
#include "nvme/aer.h"
#include "nvme/cmd_admin.h"
#include "nvme/cmdlog/file.h"
#include "nvme/cmdlog/live.h"
#include "spec/logs.h"

static const struct nvme_cmdlog_counts *counts_of(const struct nvme_qpair *q)
{
	return &q->log->slot->counts;
}

static const struct nvme_cmdlog_ctrl *ctrl_of(const struct fixture *f)
{
	return &f->ctrl->adminq->log->slot->ctrl;
}

static uint64_t sum(const uint64_t *words, unsigned int n)
{
	uint64_t total = 0;

	while (n--)
		total += words[n];
	return total;
}

/* --- latencies --- */

/* The lowest value of a bucket: four an octave, and the first eight are single values. */
static uint64_t lowest(unsigned int i)
{
	return i < 8 ? i : (uint64_t)(4 + i % 4) << (i / 4 - 1);
}

static void every_latency_has_a_bucket_and_no_bucket_is_wider_than_a_quarter(void **state)
{
	for (unsigned int i = 1; i < NVME_CMDLOG_BUCKETS; i++) {
		assert_int_equal(nvme_cmdlog_bucket(lowest(i)), i);
		assert_int_equal(nvme_cmdlog_bucket(lowest(i) - 1), i - 1);
		assert_true(lowest(i) - lowest(i - 1) <= lowest(i - 1) / 4 + 1);
	}
	assert_int_equal(nvme_cmdlog_bucket(0), 0);
	assert_int_equal(lowest(NVME_CMDLOG_BUCKETS - 1), UINT64_C(7) << 34);
	assert_int_equal(nvme_cmdlog_bucket(UINT64_C(1) << 37), NVME_CMDLOG_BUCKETS - 1);
	assert_int_equal(nvme_cmdlog_bucket(UINT64_MAX), NVME_CMDLOG_BUCKETS - 1);
}

/* --- queues --- */

static void a_command_counts_by_the_way_of_its_data(void **state)
{
	struct fixture *f = *state;
	const struct nvme_cmdlog_counts *c = counts_of(f->q);

	fixture_read(f, 0);
	f->now_ns += 1000;
	fixture_poll(f);
	fixture_raw(f, 1, NVME_CMD_FLUSH);
	f->now_ns += 3000;
	fixture_poll(f);

	assert_int_equal(c->commands[NVME_CMD_READ & 3], 1);
	assert_int_equal(c->bytes[NVME_CMD_READ & 3], 512);
	assert_int_equal(c->commands[NVME_CMD_FLUSH & 3], 1);
	assert_int_equal(c->bytes[NVME_CMD_FLUSH & 3], 0);
	assert_int_equal(c->errors, 0);
	assert_int_equal(c->updated_ns, f->now_ns);
	assert_int_equal(c->latency_sum_ns, 4000);
	assert_int_equal(c->latency_max_ns, 3000);
	assert_int_equal(c->latency[nvme_cmdlog_bucket(1000)], 1);
	assert_int_equal(c->latency[nvme_cmdlog_bucket(3000)], 1);
}

static enum fake_verdict refuse(struct fake_ctrl *fake, uint16_t qid, const struct nvme_sqe *sqe,
				struct nvme_cqe *cqe)
{
	cqe->status |= NVME_SC_LBA_OUT_OF_RANGE << 1;
	return FAKE_COMPLETE;
}

static void a_command_that_fails_is_an_error_without_bytes(void **state)
{
	struct fixture *f = *state;
	const struct nvme_cmdlog_counts *c = counts_of(f->q);

	f->fake->script = refuse;
	fixture_read(f, 0);
	fixture_poll(f);

	assert_int_equal(c->errors, 1);
	assert_int_equal(c->commands[NVME_CMD_READ & 3], 1);
	assert_int_equal(sum(c->bytes, 4), 0);
}

static void a_command_that_its_submitter_counts_is_not_counted_twice(void **state)
{
	struct fixture *f = *state;

	fixture_read(f, 0)->flags |= NVME_REQ_COUNTED;
	fixture_poll(f);

	nvme_config.verify = true;
	fixture_read(f, 1)->flags |= NVME_REQ_COUNTED | NVME_REQ_CHECK; /* takes the long way */
	fixture_poll(f);
	nvme_config.verify = false;

	assert_int_equal(f->completed, 2);
	assert_int_equal(counts_of(f->q)->updated_ns, 0);
}

static enum fake_verdict hold(struct fake_ctrl *fake, uint16_t qid, const struct nvme_sqe *sqe,
			      struct nvme_cqe *cqe)
{
	return qid ? FAKE_HOLD : FAKE_COMPLETE;
}

static void commands_that_a_reset_ended_count_as_errors(void **state)
{
	struct fixture *f = *state;

	f->fake->script = hold;
	fixture_read(f, 0);
	fixture_read(f, 1);

	assert_int_equal(nvme_ctrl_reset(f->ctrl, NVME_RESET_CTRL), 0);

	assert_int_equal(counts_of(f->q)->errors, 2);
}

static void an_event_is_a_command_without_latency(void **state)
{
	struct fixture *f = *state;
	const struct nvme_cmdlog_counts *c = counts_of(f->ctrl->adminq);
	uint64_t commands = sum(c->commands, 4);
	uint64_t latencies = sum(c->latency, NVME_CMDLOG_BUCKETS);

	fake_complete_held(f->fake, 0);
	nvme_admin_poll(f->ctrl, f->now_ns + 1000000);

	assert_true(sum(c->commands, 4) > commands);
	assert_int_equal(sum(c->latency, NVME_CMDLOG_BUCKETS), latencies);
}

/* --- controllers --- */

static void a_controller_says_what_identify_said(void **state)
{
	struct fixture *f = *state;
	const struct nvme_cmdlog_ctrl *c = ctrl_of(f);

	assert_memory_equal(c->model, f->fake->id.mn, sizeof(c->model));
	assert_memory_equal(c->serial, f->fake->id.sn, sizeof(c->serial));
	assert_memory_equal(c->firmware, f->fake->id.fr, sizeof(c->firmware));
	assert_int_equal(c->vs, f->fake->vs);
	assert_true(c->texts && c->texts % 2 == 0);
	assert_int_equal(c->state, NVME_CMDLOG_READY);
}

static void capacity_is_that_of_namespaces_where_identify_says_none(void **state)
{
	struct fixture *f = *state;
	uint64_t all = nvme_ns_format(f->ns)->nlbas * nvme_ns_format(f->ns)->lba_bytes;

	assert_int_equal(f->fake->id.tnvmcap[0], 0);
	assert_int_equal(ctrl_of(f)->capacity_bytes, all);
	f->fake->id.tnvmcap[0] = 12345678;
	assert_int_equal(nvme_ctrl_reset(f->ctrl, NVME_RESET_CTRL), 0);
	nvme_cmdlog_capacity(f->ctrl, 1);
	assert_int_equal(ctrl_of(f)->capacity_bytes, 12345678);
	f->fake->id.tnvmcap[1] = 1;
	assert_int_equal(nvme_ctrl_reset(f->ctrl, NVME_RESET_CTRL), 0);
	assert_int_equal(ctrl_of(f)->capacity_bytes, UINT64_MAX);
}

static const struct nvme_cmdlog_ctrl *looked_at;
static uint32_t state_seen;

static enum fake_verdict look(struct fake_ctrl *fake, uint16_t qid, const struct nvme_sqe *sqe,
			      struct nvme_cqe *cqe)
{
	if (!qid && sqe->opc == NVME_ADMIN_IDENTIFY && sqe->cdw10 == NVME_CNS_CTRL)
		state_seen = looked_at->state;
	return FAKE_COMPLETE;
}

static void a_reset_shows_while_it_lasts_and_is_counted(void **state)
{
	struct fixture *f = *state;

	looked_at = ctrl_of(f);
	f->fake->script = look;
	assert_int_equal(nvme_ctrl_reset(f->ctrl, NVME_RESET_CTRL), 0);

	assert_int_equal(state_seen, NVME_CMDLOG_RESETTING);
	assert_int_equal(ctrl_of(f)->state, NVME_CMDLOG_READY);
	assert_int_equal(ctrl_of(f)->resets, 1);
}

static void a_controller_that_is_disabled_is_down(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(nvme_ctrl_poke32(f->ctrl, NVME_REG_CC, 0), 0);
	assert_int_equal(ctrl_of(f)->state, NVME_CMDLOG_DOWN);
	assert_int_equal(nvme_ctrl_poke32(f->ctrl, NVME_REG_CC, NVME_SET(1, CC_EN)), 0);
	assert_int_equal(ctrl_of(f)->state, NVME_CMDLOG_READY);
	assert_int_equal(nvme_ctrl_quiesce(f->ctrl, "a test"), 0);
	assert_int_equal(ctrl_of(f)->state, NVME_CMDLOG_DOWN);
	assert_int_equal(nvme_ctrl_reset(f->ctrl, NVME_RESET_CTRL), 0);
	assert_int_equal(nvme_ctrl_shutdown(f->ctrl, true), 0);
	assert_int_equal(ctrl_of(f)->state, NVME_CMDLOG_DOWN);
}

static void a_controller_that_does_not_come_back_is_down(void **state)
{
	struct fixture *f = *state;

	f->fake->never_ready = true;
	f->fake->cap &= ~(uint64_t)NVME_FIELD_MASK(CAP_TO);
	assert_int_equal(nvme_ctrl_reset(f->ctrl, NVME_RESET_CTRL), -ETIMEDOUT);

	assert_int_equal(ctrl_of(f)->state, NVME_CMDLOG_DOWN);
}

static void poll_later(struct fixture *f)
{
	f->now_ns += UINT64_C(1000000000);
	nvme_qpair_enter(f->q);
	nvme_qpair_poll(f->q, 1, f->now_ns);
	nvme_qpair_exit(f->q);
}

static void a_fatal_status_is_a_state_until_a_reset(void **state)
{
	struct fixture *f = *state;

	f->fake->csts |= NVME_SET(1, CSTS_CFS);
	poll_later(f);

	assert_int_equal(ctrl_of(f)->state, NVME_CMDLOG_FATAL);
	assert_int_equal(nvme_ctrl_reset(f->ctrl, NVME_RESET_CTRL), 0);
	assert_int_equal(ctrl_of(f)->state, NVME_CMDLOG_READY);
}

static void a_device_that_vanished_is_gone(void **state)
{
	struct fixture *f = *state;

	f->fake->gone = true;
	poll_later(f);

	assert_int_equal(ctrl_of(f)->state, NVME_CMDLOG_GONE);
}

/* --- temperature --- */

static void get_log(struct fixture *f, uint32_t cdw10, uint32_t cdw12, uint32_t bytes,
		    unsigned int kelvin)
{
	const uint32_t dwords[6] = { cdw10, 0, cdw12, 0, 0, 0 };
	struct nvme_req req = { 0 };
	uint8_t *log = f->mem.va;

	/* The fake device leaves what was there. */
	memset(log, 0, 512);
	log[1] = (uint8_t)kelvin;
	log[2] = (uint8_t)(kelvin >> 8);
	nvme_cmd_raw(&req, NVME_ADMIN_GET_LOG_PAGE, NVME_NSID_ALL, log, bytes, dwords);
	nvme_admin_exec(f->ctrl, &req, 3000);
}

static void a_temperature_is_that_of_a_smart_log_that_passed(void **state)
{
	struct fixture *f = *state;
	const struct nvme_cmdlog_ctrl *c = ctrl_of(f);

	get_log(f, NVME_LOG_SMART + 1, 0, 512, 300); /* another log */
	get_log(f, NVME_LOG_SMART, 4, 512, 300);     /* its middle */
	get_log(f, NVME_LOG_SMART, 0, 512, 0);	     /* no sensor */
	f->fake->script = refuse;
	get_log(f, NVME_LOG_SMART, 0, 512, 300);
	f->fake->script = NULL;
	assert_int_equal(c->temperature_kelvin, 0);
	assert_int_equal(c->temperature_ns, 0);

	get_log(f, 127u << 16 | NVME_LOG_SMART, 0, 512, 0x1234);

	assert_int_equal(c->temperature_kelvin, 0x1234);
	assert_true(c->temperature_ns > 0);
}

/* --- and read again, from the file --- */

static struct nvme_cmdlog_file *file_of_this_process(void)
{
	struct nvme_cmdlog_file *file = NULL;

	assert_int_equal(nvme_cmdlog_file_open(&file, nvme_cmdlog_path()), 0);
	return file;
}

static unsigned int slot_of(struct nvme_cmdlog_file *file, uint16_t sqid,
			    struct nvme_cmdlog_slot *slot)
{
	struct nvme_cmdlog_info info;

	nvme_cmdlog_file_info(file, &info);
	for (unsigned int i = 0; i < info.nslots; i++) {
		assert_int_equal(nvme_cmdlog_file_head(file, i, slot), 0);
		if (slot->sqid == sqid && !slot->closed_ns)
			return i;
	}
	fail();
	return 0;
}

static void outstanding_commands_are_counted_from_outside(void **state)
{
	struct fixture *f = *state;
	struct nvme_cmdlog_slot slot;
	struct nvme_cmdlog_file *file = file_of_this_process();
	unsigned int i = slot_of(file, f->q->sqid, &slot);

	f->fake->script = hold;
	for (unsigned int n = 0; n < 3; n++) {
		assert_int_equal(nvme_cmdlog_file_outstanding(file, i, slot.edition), n);
		fixture_read(f, n);
	}
	fixture_poll(f); /* the device sees them */
	assert_int_equal(nvme_cmdlog_file_outstanding(file, i, slot.edition), 3);
	fake_complete_held(f->fake, 0);
	fixture_poll(f);
	assert_int_equal(nvme_cmdlog_file_outstanding(file, i, slot.edition), 0);
	assert_int_equal(nvme_cmdlog_file_outstanding(file, i, slot.edition + 2), -ESTALE);
	nvme_cmdlog_file_close(file);
}

static void a_header_says_what_the_file_is_of(void **state)
{
	struct nvme_cmdlog_file *file = file_of_this_process();
	const struct nvme_cmdlog_header *header = nvme_cmdlog_file_header(file);
	struct nvme_cmdlog_info info;

	nvme_cmdlog_file_info(file, &info);

	assert_non_null(strstr(header->title, "test_nvme_live"));
	assert_true(header->opened_ns > 0);
	assert_int_equal(info.unread_bytes, 0);
	nvme_cmdlog_file_close(file);
}

static void a_controller_that_is_just_being_identified_is_read_again(void **state)
{
	struct fixture *f = *state;
	struct nvme_cmdlog_ctrl *c = (struct nvme_cmdlog_ctrl *)ctrl_of(f);
	struct nvme_cmdlog_file *file = file_of_this_process();
	struct nvme_cmdlog_slot slot;
	unsigned int i = slot_of(file, 0, &slot);

	/* Who wrote them died at it: odd for ever, and everything else can still be seen. */
	c->texts++;
	assert_int_equal(nvme_cmdlog_file_head(file, i, &slot), 0);
	assert_int_equal(slot.ctrl.texts & 1, 1);
	nvme_cmdlog_identified(f->ctrl);
	assert_int_equal(c->texts & 1, 0);
	nvme_cmdlog_file_close(file);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_latency_has_a_bucket_and_no_bucket_is_wider_than_a_quarter),
		TEST(a_command_counts_by_the_way_of_its_data),
		TEST(a_command_that_fails_is_an_error_without_bytes),
		TEST(a_command_that_its_submitter_counts_is_not_counted_twice),
		TEST(commands_that_a_reset_ended_count_as_errors),
		TEST(an_event_is_a_command_without_latency),
		TEST(a_controller_says_what_identify_said),
		TEST(capacity_is_that_of_namespaces_where_identify_says_none),
		TEST(a_reset_shows_while_it_lasts_and_is_counted),
		TEST(a_controller_that_is_disabled_is_down),
		TEST(a_controller_that_does_not_come_back_is_down),
		TEST(a_fatal_status_is_a_state_until_a_reset),
		TEST(a_device_that_vanished_is_gone),
		TEST(a_temperature_is_that_of_a_smart_log_that_passed),
		TEST(outstanding_commands_are_counted_from_outside),
		TEST(a_header_says_what_the_file_is_of),
		TEST(a_controller_that_is_just_being_identified_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
