// SPDX-License-Identifier: BSD-3-Clause
/* The reader of the recorder, given records and slots that no writer leaves behind. */
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

#include "nvme/cmdlog/file.h"
#include "nvme/cmdlog/format.h"

#define SLOTS_MAX 4096u /* of a file */

static struct nvme_cmdlog_record ring[NVME_CMDLOG_RECORDS], out[NVME_CMDLOG_RECORDS + 16];

static int clear(void **state)
{
	memset(ring, 0, sizeof(ring));
	memset(out, 0, sizeof(out));
	return 0;
}

/* --- records --- */

static void outstanding_commands_come_newest_first(void **state)
{
	static const struct nvme_cmdlog_record live[] = {
		{ .seq = 2, .submit_ns = 20, .sqe.cid = 0 },
		{ .seq = 2, .submit_ns = 30, .sqe.cid = 1 },
		{ .seq = 2, .submit_ns = 10, .sqe.cid = 2 },
		{ .seq = 2, .submit_ns = 30, .sqe.cid = 3 },
	};
	static const uint16_t order[] = { 3, 1, 0, 2 };

	assert_int_equal(nvme_cmdlog_collect(live, 4, ring, out, UINT32_MAX), 4);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(out[i].sqe.cid, order[i]);
}

static int sign(int difference)
{
	return (difference > 0) - (difference < 0);
}

/* A sort that is told both "before" and "behind" may leave its array; a forged file has twins. */
static void two_records_have_one_order_whichever_is_asked_first(void **state)
{
	static const struct nvme_cmdlog_record some[] = {
		{ .submit_ns = 1 },
		{ .submit_ns = 1 },
		{ .submit_ns = 1, .sqe.cid = 0xffff },
		{ .submit_ns = 1, .sqe.cid = 0xffff },
		{ .submit_ns = UINT64_MAX },
	};

	for (unsigned int i = 0; i < 5; i++)
		for (unsigned int j = 0; j < 5; j++)
			assert_int_equal(sign(nvme_cmdlog_newest_first(&some[i], &some[j])),
					 -sign(nvme_cmdlog_newest_first(&some[j], &some[i])));
}

static void an_outstanding_command_has_no_end_of_before(void **state)
{
	static const struct nvme_cmdlog_record live = { .seq = 2,
							.submit_ns = 9,
							.complete_ns = 5 };

	assert_int_equal(nvme_cmdlog_collect(&live, 1, ring, out, 1), 1);
	assert_int_equal(out[0].complete_ns, 0);
}

static void no_more_are_copied_than_there_is_room_for(void **state)
{
	struct nvme_cmdlog_record live[4];

	for (unsigned int i = 0; i < 4; i++)
		live[i] = (struct nvme_cmdlog_record){ .seq = 2, .submit_ns = 1 + i };

	assert_int_equal(nvme_cmdlog_collect(live, 4, ring, out, 2), 2);
	assert_int_equal(out[1].submit_ns, 3);
	assert_int_equal(out[2].submit_ns, 0);
}

static void a_record_that_is_being_written_is_left_out_and_hides_no_other(void **state)
{
	static const struct nvme_cmdlog_record live = { .seq = 3, .submit_ns = 9 };

	for (unsigned int k = 1; k <= 3; k++)
		ring[k - 1] = (struct nvme_cmdlog_record){ .seq = 2 * k, .submit_ns = k };
	ring[3].seq = UINT64_MAX;

	assert_int_equal(nvme_cmdlog_collect(&live, 1, ring, out, UINT32_MAX), 3);
	assert_int_equal(out[0].submit_ns, 3);
}

/* --- slots --- */

static char path[] = "/tmp/records-test-XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	close(fd);
	return fd < 0;
}

static int remove_file(void **state)
{
	return unlink(path);
}

static const struct nvme_cmdlog_slot sane = {
	.magic = NVME_CMDLOG_SLOT_MAGIC,
	.ncids = 3,
	.nrecords = NVME_CMDLOG_RECORDS,
	.sqid = 1,
};

/* A file of @n slots like this one. What is not written are holes. */
static struct nvme_cmdlog_file *forged(struct nvme_cmdlog_slot slot, unsigned int n)
{
	static const struct nvme_cmdlog_header header = { .magic = NVME_CMDLOG_MAGIC,
							  .version = NVME_CMDLOG_VERSION };
	uint64_t bytes = nvme_cmdlog_slot_bytes(slot.ncids), off = sizeof(header);
	int fd = open(path, O_WRONLY | O_TRUNC);
	struct nvme_cmdlog_file *file = NULL;

	slot.bytes += bytes;
	assert_int_equal(pwrite(fd, &header, sizeof(header), 0), sizeof(header));
	for (unsigned int i = 0; i < n; i++, off += bytes)
		assert_int_equal(pwrite(fd, &slot, sizeof(slot), (off_t)off), sizeof(slot));
	assert_int_equal(ftruncate(fd, (off_t)off), 0);
	close(fd);
	assert_int_equal(nvme_cmdlog_file_open(&file, path), 0);
	return file;
}

static unsigned int slots_of(struct nvme_cmdlog_slot slot, unsigned int n)
{
	struct nvme_cmdlog_file *file = forged(slot, n);
	struct nvme_cmdlog_info info;

	nvme_cmdlog_file_info(file, &info);
	nvme_cmdlog_file_close(file);
	return info.nslots;
}

static void a_slot_that_makes_no_sense_ends_the_file(void **state)
{
	struct nvme_cmdlog_slot slot;

	assert_int_equal(slots_of(sane, 2), 2);
	slot = sane;
	slot.magic++;
	assert_int_equal(slots_of(slot, 2), 0);
	slot = sane;
	slot.bytes = UINT64_C(1) << 40; /* more than the file */
	assert_int_equal(slots_of(slot, 2), 0);
	slot = sane;
	slot.bytes = 512; /* not whole pages */
	assert_int_equal(slots_of(slot, 2), 0);
	slot = sane;
	slot.nrecords--;
	assert_int_equal(slots_of(slot, 2), 0);
	slot = sane;
	slot.ncids = 65537;
	assert_int_equal(slots_of(slot, 2), 0);
}

static void no_more_slots_are_found_than_a_reader_has_room_for(void **state)
{
	assert_int_equal(slots_of(sane, SLOTS_MAX + 1), SLOTS_MAX);
}

static void a_slot_that_grew_since_the_file_was_opened_is_refused(void **state)
{
	struct nvme_cmdlog_file *file = forged(sane, 2);
	struct nvme_cmdlog_slot_info info;
	struct nvme_cmdlog_slot head;
	uint32_t ncids = 60000;
	int fd = open(path, O_WRONLY);

	assert_int_equal(nvme_cmdlog_file_slot(file, 0, &info), 0);
	assert_int_equal(pwrite(fd, &ncids, sizeof(ncids),
				sizeof(struct nvme_cmdlog_header) +
					offsetof(struct nvme_cmdlog_slot, ncids)),
			 sizeof(ncids));
	close(fd);

	assert_int_equal(nvme_cmdlog_file_slot(file, 0, &info), -EINVAL);
	assert_int_equal(nvme_cmdlog_file_read(file, 0, out, 1), -EINVAL);
	assert_int_equal(nvme_cmdlog_file_head(file, 0, &head), -EINVAL);
	assert_int_equal(nvme_cmdlog_file_outstanding(file, 0, 0), -EINVAL);
	nvme_cmdlog_file_close(file);
}

static void an_address_without_an_end_is_cut(void **state)
{
	struct nvme_cmdlog_slot slot = sane;
	struct nvme_cmdlog_slot_info info;
	struct nvme_cmdlog_file *file;

	memset(slot.addr, 'x', sizeof(slot) - offsetof(struct nvme_cmdlog_slot, addr));
	file = forged(slot, 1);

	assert_int_equal(nvme_cmdlog_file_slot(file, 0, &info), 0);
	assert_int_equal(strlen(info.addr), sizeof(info.addr) - 1);
	nvme_cmdlog_file_close(file);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup(test, clear)
	const struct CMUnitTest tests[] = {
		T(outstanding_commands_come_newest_first),
		T(two_records_have_one_order_whichever_is_asked_first),
		T(an_outstanding_command_has_no_end_of_before),
		T(no_more_are_copied_than_there_is_room_for),
		T(a_record_that_is_being_written_is_left_out_and_hides_no_other),
		T(a_slot_that_makes_no_sense_ends_the_file),
		T(no_more_slots_are_found_than_a_reader_has_room_for),
		T(a_slot_that_grew_since_the_file_was_opened_is_refused),
		T(an_address_without_an_end_is_cut),
	};

	return cmocka_run_group_tests_name("nvme/records", tests, make_file, remove_file);
}
