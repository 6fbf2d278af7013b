/* SPDX-License-Identifier: BSD-3-Clause */
/* The Persistent Event Log, log page 0Dh. */
#include "bench.h"

#define BYTES 4096

static uint16_t act(struct rig *r, uint32_t action)
{
	return bench_admin(r, NVME_ADMIN_GET_LOG_PAGE, 0,
			   (BYTES / 4u - 1) << 16 | action << 8 | NVME_LOG_PERSISTENT_EVENT, 0);
}

/* The @n-th event of the log at r->buf, newest first. */
static const struct nvme_persistent_event *event_at(struct rig *r, unsigned int n)
{
	const uint8_t *at = r->buf + sizeof(struct nvme_persistent_event_log);

	while (n--) {
		const struct nvme_persistent_event *e = (const void *)at;

		at += e->ehl + 3u + e->el;
	}
	return (const void *)at;
}

static void a_context_is_established_read_and_released(void **state)
{
	struct rig *r = rig_ready("");

	assert_int_equal(act(r, NVME_LSP_PEL_READ), NVME_SC_SEQUENCE_ERROR);
	assert_int_equal(act(r, NVME_LSP_PEL_ESTABLISH_READ), 0);
	assert_int_equal(act(r, NVME_LSP_PEL_ESTABLISH_READ), NVME_SC_SEQUENCE_ERROR);
	assert_int_equal(act(r, NVME_LSP_PEL_READ), 0);
	memset(r->buf, 0xee, 64);
	assert_int_equal(act(r, NVME_LSP_PEL_RELEASE), 0);
	assert_int_equal(r->buf[0], 0xee);
	assert_int_equal(act(r, NVME_LSP_PEL_READ), NVME_SC_SEQUENCE_ERROR);
	rig_destroy(r);
}

static void resets_release_the_context(void **state)
{
	struct rig *r = rig_ready("");

	assert_int_equal(act(r, NVME_LSP_PEL_ESTABLISH_READ), 0);
	bench_reset(r, BENCH_CONTROLLER);
	assert_int_equal(act(r, NVME_LSP_PEL_ESTABLISH_READ), 0);
	rig_destroy(r);
}

static void the_context_is_a_snapshot(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_persistent_event_log *l = (void *)r->buf;

	assert_int_equal(act(r, NVME_LSP_PEL_ESTABLISH_READ), 0);
	assert_int_equal(l->tnev, 1);
	assert_int_equal(bench_admin(r, NVME_ADMIN_FORMAT, 1, 0, 0), 0);
	assert_int_equal(act(r, NVME_LSP_PEL_READ), 0);
	assert_int_equal(l->tnev, 1);
	assert_int_equal(act(r, NVME_LSP_PEL_RELEASE), 0);
	assert_int_equal(act(r, NVME_LSP_PEL_ESTABLISH_READ), 0);
	assert_int_equal(l->tnev, 3);
	rig_destroy(r);
}

static void events_are_what_happened(void **state)
{
	static const uint8_t types[] = { NVME_PEL_POWER_ON_RESET,   NVME_PEL_SANITIZE_COMPLETION,
					 NVME_PEL_SANITIZE_START,   NVME_PEL_FORMAT_COMPLETION,
					 NVME_PEL_FORMAT_START,	    NVME_PEL_FW_COMMIT,
					 NVME_PEL_TIMESTAMP_CHANGE, NVME_PEL_POWER_ON_RESET };
	static const uint8_t lengths[] = { 44, 8, 12, 12, 12, 22, 16, 44 };
	struct rig *r = rig_ready("sanitize_s=0");
	struct nvme_persistent_event_log *l = (void *)r->buf;
	size_t total = sizeof(*l);

	assert_int_equal(bench_set_feature(r, NVME_FEAT_TIMESTAMP, 0), 0);
	assert_int_equal(bench_admin(r, NVME_ADMIN_FW_COMMIT, 0, 1, 0), NVME_SC_INVALID_FW_IMAGE);
	assert_int_equal(bench_admin(r, NVME_ADMIN_FORMAT, 1, 0, 0), 0);
	assert_int_equal(bench_admin(r, NVME_ADMIN_SANITIZE, 0, NVME_SANACT_BLOCK_ERASE, 0), 0);
	rig_advance(r, 1);
	bench_reset(r, BENCH_POWER);

	assert_int_equal(act(r, NVME_LSP_PEL_ESTABLISH_READ), 0);
	assert_int_equal(l->tnev, sizeof(types));
	for (unsigned int i = 0; i < sizeof(types); i++) {
		const struct nvme_persistent_event *e = event_at(r, i);

		assert_int_equal(e->etype, types[i]);
		assert_int_equal(e->etyper, 1);
		assert_int_equal(e->el, lengths[i]);
		total += sizeof(*e) + e->el;
		assert_true(l->seb[types[i] / 8] >> types[i] % 8 & 1);
	}
	assert_int_equal(l->tll, total);
	/* Firmware Revision, controller, power cycles and time with power before this one */
	assert_memory_equal(event_at(r, 0) + 1, "1.0     ", 8);
	assert_int_equal(((const uint8_t *)(event_at(r, 0) + 1))[8], 1);
	assert_int_equal(((const uint8_t *)(event_at(r, 0) + 1))[24], 2);
	assert_int_equal(l->pcc, 2);
	rig_destroy(r);
}

/* Dword @n of what an event carries. */
static uint32_t dword(const struct nvme_persistent_event *e, unsigned int n)
{
	uint32_t value;

	memcpy(&value, (const uint8_t *)(e + 1) + 4 * n, 4);
	return value;
}

static void a_format_and_a_sanitize_are_told_with_their_commands(void **state)
{
	const uint32_t sanitize = NVME_SANACT_OVERWRITE | 1 << 4;
	struct rig *r = rig_ready("sanitize_s=0");
	const struct nvme_id_ctrl *id = bench_identify(r, 0, NVME_CNS_CTRL);
	uint32_t sanicap = id->sanicap;

	assert_int_equal(bench_admin(r, NVME_ADMIN_FORMAT, 1, 1, 0), 0);
	assert_int_equal(bench_admin(r, NVME_ADMIN_SANITIZE, 0, sanitize, 0x12345678), 0);
	rig_advance(r, 1);
	assert_int_equal(act(r, NVME_LSP_PEL_ESTABLISH_READ), 0);

	assert_true(sanicap > 0xff);
	assert_int_equal(dword(event_at(r, 1), 0), sanicap);
	assert_int_equal(dword(event_at(r, 1), 1), sanitize);
	assert_int_equal(dword(event_at(r, 1), 2), 0x12345678);
	assert_int_equal(dword(event_at(r, 3), 0), 1);
	assert_int_equal(dword(event_at(r, 3), 2), 1);
	rig_destroy(r);
}

static uint64_t qword(const struct nvme_persistent_event *e, unsigned int n)
{
	return (uint64_t)dword(e, 2 * n + 1) << 32 | dword(e, 2 * n);
}

static void set_time(struct rig *r, uint64_t ms)
{
	memcpy(r->buf, &ms, 8);
	assert_int_equal(bench_set_feature(r, NVME_FEAT_TIMESTAMP, 0), 0);
}

static void a_change_of_the_time_is_told_with_the_one_before_and_since_power_on(void **state)
{
	struct rig *r = rig_ready("");
	uint64_t since_power_on;

	set_time(r, 1000000);
	rig_advance(r, 5 * SECOND_NS);
	since_power_on = r->now_ns / 1000000;
	set_time(r, 2000000);

	assert_int_equal(act(r, NVME_LSP_PEL_ESTABLISH_READ), 0);
	assert_in_range(qword(event_at(r, 0), 0), 1005000, 1005100);
	assert_in_range(qword(event_at(r, 0), 1), since_power_on, since_power_on + 100);
	rig_destroy(r);
}

static void a_commit_is_told_with_revisions_action_slot_and_status(void **state)
{
	struct rig *r = rig_ready("");
	const uint8_t *data = (const uint8_t *)(event_at(r, 0) + 1);

	assert_int_equal(bench_admin(r, NVME_ADMIN_FW_COMMIT, 0, 1 << 3 | 2, 0),
			 NVME_SC_INVALID_FW_IMAGE);

	assert_int_equal(act(r, NVME_LSP_PEL_ESTABLISH_READ), 0);
	assert_memory_equal(data, "1.0     ", 8);
	assert_int_equal(data[16], 1);
	assert_int_equal(data[17], 2);
	assert_int_equal(data[18], NVME_SC_INVALID_FW_IMAGE >> 8);
	assert_int_equal(data[19], NVME_SC_INVALID_FW_IMAGE & 0xff);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_context_is_established_read_and_released),
		cmocka_unit_test(resets_release_the_context),
		cmocka_unit_test(the_context_is_a_snapshot),
		cmocka_unit_test(events_are_what_happened),
		cmocka_unit_test(
			a_change_of_the_time_is_told_with_the_one_before_and_since_power_on),
		cmocka_unit_test(a_commit_is_told_with_revisions_action_slot_and_status),
		cmocka_unit_test(a_format_and_a_sanitize_are_told_with_their_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
