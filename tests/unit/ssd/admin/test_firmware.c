/* SPDX-License-Identifier: BSD-3-Clause */
/* Firmware Image Download and Commit, log page 03h. */
#include "bench.h"

#include "base/crc32c.h"
#include "ssd/admin/firmware.h"

#define IMAGE_BYTES 8192u

static void make_image(struct rig *r, const char *fr)
{
	struct ssd_firmware_header *h = (void *)r->buf;

	for (unsigned int i = 0; i < IMAGE_BYTES; i++)
		r->buf[i] = (uint8_t)(i * 13);
	memset(h, 0, sizeof(*h));
	memcpy(h->magic, SSD_FW_MAGIC, 8);
	h->bytes = IMAGE_BYTES;
	memset(h->fr, ' ', 8);
	memcpy(h->fr, fr, strlen(fr));
	h->crc = crc32c(0, r->buf + 16, IMAGE_BYTES - 16);
}

static uint16_t download(struct rig *r, uint32_t offset, uint32_t bytes)
{
	struct nvme_sqe sqe = bench_sqe(r, NVME_ADMIN_FW_DOWNLOAD, 0, bytes / 4 - 1, offset / 4);

	sqe.prp1 += offset;
	return rig_run(r, 0, sqe, NULL);
}

static void download_all(struct rig *r, const char *fr)
{
	make_image(r, fr);
	assert_int_equal(download(r, 0, 4096), 0);
	assert_int_equal(download(r, 4096, 4096), 0);
}

static uint16_t commit(struct rig *r, uint32_t slot, uint32_t action)
{
	return bench_admin(r, NVME_ADMIN_FW_COMMIT, 0, slot | action << 3, 0);
}

static void assert_fr(struct rig *r, const char *fr)
{
	struct nvme_id_ctrl *id = bench_identify(r, 0, NVME_CNS_CTRL);

	assert_memory_equal(id->fr, fr, 8);
}

static void the_factory_slot_is_active(void **state)
{
	struct rig *r = rig_ready("fr=ABC");
	struct nvme_id_ctrl *id = bench_identify(r, 0, NVME_CNS_CTRL);
	struct nvme_fw_slot *l;

	assert_int_equal(NVME_GET(id->frmw, FRMW_NOFS), 3);
	assert_false(id->frmw & NVME_FRMW_SLOT1_RO);
	l = bench_log(r, NVME_LOG_FW_SLOT, sizeof(*l));
	assert_int_equal(l->afi, 1);
	assert_memory_equal(l->frs[0], "ABC     ", 8);
	assert_memory_equal(l->frs[1], "\0\0\0\0\0\0\0\0", 8);
	rig_destroy(r);
}

static void a_committed_image_is_active_after_any_reset(void **state)
{
	for (enum bench_reset how = 0; how < BENCH_WAYS; how++) {
		struct rig *r = rig_ready("");
		struct nvme_fw_slot *l;

		download_all(r, "NEW");
		assert_int_equal(commit(r, 2, NVME_FW_ACTION_REPLACE_ACTIVATE), 0);
		assert_fr(r, "1.0     ");
		l = bench_log(r, NVME_LOG_FW_SLOT, sizeof(*l));
		assert_int_equal(l->afi, 0x21);
		bench_reset(r, how);
		assert_fr(r, "NEW     ");
		l = bench_log(r, NVME_LOG_FW_SLOT, sizeof(*l));
		assert_int_equal(l->afi, 0x02);
		rig_destroy(r);
	}
}

static void immediate_activation_is_announced(void **state)
{
	struct rig *r = rig_ready("");

	assert_int_equal(bench_set_feature(r, NVME_FEAT_ASYNC_EVENT, NVME_OAES_FW_ACTIVATION), 0);
	download_all(r, "NOW");
	bench_aers(r, 1);
	bench_start(r, bench_sqe(r, NVME_ADMIN_FW_COMMIT, 0,
				 3 | NVME_FW_ACTION_ACTIVATE_IMMEDIATE << 3, 0));

	assert_int_equal(bench_event(r),
			 BENCH_EVENT(NVME_AER_TYPE_NOTICE, NVME_AER_NOTICE_FW_ACTIVATION,
				     NVME_LOG_FW_SLOT));
	assert_int_equal(bench_end(r, NULL), 0);
	assert_fr(r, "NOW     ");
	rig_destroy(r);
}

static void an_activation_waits_behind_another_notice(void **state)
{
	struct rig *r = rig_ready("size=64M,ns=2");
	const uint32_t started =
		BENCH_EVENT(NVME_AER_TYPE_NOTICE, NVME_AER_NOTICE_FW_ACTIVATION, NVME_LOG_FW_SLOT);

	assert_int_equal(bench_set_feature(r, NVME_FEAT_ASYNC_EVENT,
					   NVME_OAES_NS_ATTR | NVME_OAES_FW_ACTIVATION),
			 0);
	download_all(r, "NOW");
	bench_aers(r, 2);
	bench_start(r, bench_sqe(r, NVME_ADMIN_NS_MANAGEMENT, 2, NVME_NS_MGMT_DELETE, 0));
	assert_int_not_equal(bench_event(r), started);
	assert_int_equal(bench_end(r, NULL), 0);
	assert_int_equal(commit(r, 3, NVME_FW_ACTION_ACTIVATE_IMMEDIATE), 0);
	assert_int_equal(bench_event(r), 0);

	bench_start(r, bench_sqe(r, NVME_ADMIN_GET_LOG_PAGE, NVME_NSID_ALL,
				 1023u << 16 | NVME_LOG_CHANGED_NS, 0));

	assert_int_equal(bench_event(r), started);
	assert_int_equal(bench_end(r, NULL), 0);
	rig_destroy(r);
}

static void a_revision_is_padded_with_spaces(void **state)
{
	struct rig *r = rig_ready("");
	struct ssd_firmware_header *h = (void *)r->buf;

	make_image(r, "Z");
	memset(h->fr + 1, 0, 7);
	h->crc = crc32c(0, r->buf + 16, IMAGE_BYTES - 16);
	assert_int_equal(download(r, 0, IMAGE_BYTES), 0);
	assert_int_equal(commit(r, 1, NVME_FW_ACTION_ACTIVATE_IMMEDIATE), 0);
	assert_fr(r, "Z       ");
	rig_destroy(r);
}

static void replacing_does_not_activate(void **state)
{
	struct rig *r = rig_ready("");

	download_all(r, "KEPT");
	assert_int_equal(commit(r, 3, NVME_FW_ACTION_REPLACE), 0);
	bench_reset(r, BENCH_CONTROLLER);
	assert_fr(r, "1.0     ");
	assert_int_equal(commit(r, 3, NVME_FW_ACTION_ACTIVATE), 0);
	bench_reset(r, BENCH_CONTROLLER);
	assert_fr(r, "KEPT    ");
	rig_destroy(r);
}

static void a_replaced_active_slot_does_not_change_what_runs(void **state)
{
	for (enum bench_reset how = 0; how < BENCH_RESETS; how++) {
		struct rig *r = rig_ready("");
		struct nvme_fw_slot *l;

		download_all(r, "OVER");
		assert_int_equal(commit(r, 1, NVME_FW_ACTION_REPLACE), 0);
		l = bench_log(r, NVME_LOG_FW_SLOT, sizeof(*l));
		assert_memory_equal(l->frs[0], "OVER    ", 8);
		assert_fr(r, "1.0     ");
		bench_reset(r, how);
		assert_fr(r, "1.0     ");

		assert_int_equal(commit(r, 1, NVME_FW_ACTION_ACTIVATE), 0);
		assert_fr(r, "1.0     ");
		bench_reset(r, how);
		assert_fr(r, "OVER    ");
		rig_destroy(r);
	}
}

static void a_power_cycle_starts_what_is_in_the_active_slot(void **state)
{
	struct rig *r = rig_ready("");

	download_all(r, "OVER");
	assert_int_equal(commit(r, 1, NVME_FW_ACTION_REPLACE), 0);
	bench_reset(r, BENCH_POWER);
	assert_fr(r, "OVER    ");
	rig_destroy(r);
}

static void the_active_slot_is_activated_by_the_reset_alone(void **state)
{
	struct rig *r = rig_ready("");

	download_all(r, "OVER");
	assert_int_equal(commit(r, 1, NVME_FW_ACTION_REPLACE_ACTIVATE), 0);
	assert_fr(r, "1.0     ");
	bench_reset(r, BENCH_CONTROLLER);
	assert_fr(r, "OVER    ");
	rig_destroy(r);
}

static void slot_0_lets_the_drive_choose(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_fw_slot *l;

	download_all(r, "AUTO");
	assert_int_equal(commit(r, 0, NVME_FW_ACTION_REPLACE_ACTIVATE), 0);
	bench_reset(r, BENCH_CONTROLLER);
	assert_fr(r, "AUTO    ");
	/* not the one that was in use */
	l = bench_log(r, NVME_LOG_FW_SLOT, sizeof(*l));
	assert_int_not_equal(l->afi, 1);
	assert_memory_equal(l->frs[0], "1.0     ", 8);
	rig_destroy(r);
}

static void a_damaged_image_is_invalid(void **state)
{
	static const unsigned int wrong[] = { 0, 8, 12, 16, 100, IMAGE_BYTES - 1 };
	struct rig *r = rig_ready("");

	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		make_image(r, "BAD");
		r->buf[wrong[i]] ^= 0x10;
		assert_int_equal(download(r, 0, 4096), 0);
		assert_int_equal(download(r, 4096, 4096), 0);
		assert_int_equal(commit(r, 1, NVME_FW_ACTION_REPLACE), NVME_SC_INVALID_FW_IMAGE);
	}
	rig_destroy(r);
}

static void an_image_with_a_hole_is_invalid(void **state)
{
	struct rig *r = rig_ready("");

	make_image(r, "HOLE");
	assert_int_equal(download(r, 0, 2048), 0);
	assert_int_equal(download(r, 4096, 4096), 0);
	assert_int_equal(commit(r, 1, NVME_FW_ACTION_REPLACE), NVME_SC_INVALID_FW_IMAGE);
	rig_destroy(r);
}

static void an_image_longer_than_its_download_is_invalid(void **state)
{
	struct rig *r = rig_ready("");

	make_image(r, "SHORT");
	assert_int_equal(download(r, 0, IMAGE_BYTES - 4), 0);
	assert_int_equal(commit(r, 1, NVME_FW_ACTION_REPLACE), NVME_SC_INVALID_FW_IMAGE);
	assert_int_equal(download(r, 0, IMAGE_BYTES), 0);
	assert_int_equal(commit(r, 1, NVME_FW_ACTION_REPLACE), 0);
	/* whose check would read far beyond the memory */
	((struct ssd_firmware_header *)r->buf)->bytes = UINT32_MAX;
	assert_int_equal(download(r, 0, IMAGE_BYTES), 0);
	assert_int_equal(commit(r, 1, NVME_FW_ACTION_REPLACE), NVME_SC_INVALID_FW_IMAGE);
	rig_destroy(r);
}

static void an_empty_slot_cannot_be_activated(void **state)
{
	struct rig *r = rig_ready("");

	assert_int_equal(commit(r, 2, NVME_FW_ACTION_ACTIVATE), NVME_SC_INVALID_FW_IMAGE);
	assert_int_equal(commit(r, 2, NVME_FW_ACTION_ACTIVATE_IMMEDIATE), NVME_SC_INVALID_FW_IMAGE);
	rig_destroy(r);
}

static void slots_and_actions_are_checked(void **state)
{
	struct rig *r = rig_ready("");

	download_all(r, "X");
	assert_int_equal(commit(r, 4, NVME_FW_ACTION_REPLACE), NVME_SC_INVALID_FW_SLOT);
	assert_int_equal(commit(r, 7, NVME_FW_ACTION_REPLACE), NVME_SC_INVALID_FW_SLOT);
	for (uint32_t action = 4; action <= 7; action++)
		assert_int_equal(commit(r, 7, action), NVME_SC_INVALID_FIELD);
	/* the image is still there */
	assert_int_equal(commit(r, 1, NVME_FW_ACTION_REPLACE), 0);
	rig_destroy(r);
}

static void ranges_do_not_overlap(void **state)
{
	struct rig *r = rig_ready("");

	make_image(r, "X");
	assert_int_equal(download(r, 0, 4096), 0);
	assert_int_equal(download(r, 2048, 4096), NVME_SC_OVERLAPPING_RANGE);
	assert_int_equal(download(r, 4092, 4), NVME_SC_OVERLAPPING_RANGE);
	assert_int_equal(download(r, 4096, 4096), 0);
	assert_int_equal(commit(r, 2, NVME_FW_ACTION_REPLACE), 0);
	rig_destroy(r);
}

static void parts_may_come_in_any_order(void **state)
{
	struct rig *r = rig_ready("");

	make_image(r, "PARTS");
	assert_int_equal(download(r, 4096, 4096), 0);
	assert_int_equal(download(r, 0, 4096), 0);
	assert_int_equal(commit(r, 2, NVME_FW_ACTION_REPLACE), 0);
	rig_destroy(r);
}

static void offset_0_begins_again(void **state)
{
	struct rig *r = rig_ready("");

	make_image(r, "OLD");
	assert_int_equal(download(r, 0, 4096), 0);
	download_all(r, "NEWER");
	assert_int_equal(commit(r, 2, NVME_FW_ACTION_REPLACE_ACTIVATE), 0);
	bench_reset(r, BENCH_CONTROLLER);
	assert_fr(r, "NEWER   ");
	rig_destroy(r);
}

static void a_reset_forgets_the_download(void **state)
{
	struct rig *r = rig_ready("");

	download_all(r, "GONE");
	bench_reset(r, BENCH_CONTROLLER);
	assert_int_equal(commit(r, 2, NVME_FW_ACTION_REPLACE), NVME_SC_INVALID_FW_IMAGE);
	rig_destroy(r);
}

static void downloads_have_limits(void **state)
{
	struct rig *r = rig_ready("mdts=64K");

	assert_int_equal(download(r, 0, 64 * 1024 + 4), NVME_SC_INVALID_FIELD);
	assert_int_equal(bench_admin(r, NVME_ADMIN_FW_DOWNLOAD, 0, 0, SSD_FW_MAX_BYTES / 4),
			 NVME_SC_INVALID_FIELD);
	assert_int_equal(bench_admin(r, NVME_ADMIN_FW_DOWNLOAD, 0, 0, UINT32_MAX),
			 NVME_SC_INVALID_FIELD);
	assert_int_equal(bench_admin(r, NVME_ADMIN_FW_DOWNLOAD, 0, UINT32_MAX, 0),
			 NVME_SC_INVALID_FIELD);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_factory_slot_is_active),
		cmocka_unit_test(a_committed_image_is_active_after_any_reset),
		cmocka_unit_test(immediate_activation_is_announced),
		cmocka_unit_test(an_activation_waits_behind_another_notice),
		cmocka_unit_test(a_revision_is_padded_with_spaces),
		cmocka_unit_test(replacing_does_not_activate),
		cmocka_unit_test(a_replaced_active_slot_does_not_change_what_runs),
		cmocka_unit_test(a_power_cycle_starts_what_is_in_the_active_slot),
		cmocka_unit_test(the_active_slot_is_activated_by_the_reset_alone),
		cmocka_unit_test(slot_0_lets_the_drive_choose),
		cmocka_unit_test(a_damaged_image_is_invalid),
		cmocka_unit_test(an_image_with_a_hole_is_invalid),
		cmocka_unit_test(an_image_longer_than_its_download_is_invalid),
		cmocka_unit_test(an_empty_slot_cannot_be_activated),
		cmocka_unit_test(slots_and_actions_are_checked),
		cmocka_unit_test(ranges_do_not_overlap),
		cmocka_unit_test(offset_0_begins_again),
		cmocka_unit_test(a_reset_forgets_the_download),
		cmocka_unit_test(downloads_have_limits),
		cmocka_unit_test(parts_may_come_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
