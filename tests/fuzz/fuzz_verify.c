// SPDX-License-Identifier: BSD-3-Clause
/* Saved verification tables: heads and groups of any kind, whose sum is wrong or right. */
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "input.h"
#include "verify/verify.h"

#define NLBAS	     3000u /* three groups, the last one not whole */
#define GROUPS	     3u
#define LBA_BYTES    512u
#define HEAD_BYTES   48u
#define RECORD_BYTES (8u + 4096u + 128u)
#define RECORDS_MAX  5u

static uint8_t image[HEAD_BYTES + RECORDS_MAX * RECORD_BYTES + 4];

static size_t build(struct input *in)
{
	static const char magic[16] = "pynvme verified";
	uint8_t how = input_u8(in), records = how % (RECORDS_MAX + 1);
	uint64_t head[] = { 1 | (uint64_t)LBA_BYTES << 32, NLBAS, input_u64(in), records };
	size_t bytes = HEAD_BYTES + records * RECORD_BYTES;
	uint32_t sum;

	memset(image, 0, sizeof(image));
	memcpy(image, magic, sizeof(magic));
	memcpy(image + sizeof(magic), head, sizeof(head));
	for (unsigned int i = 0; i < records; i++) {
		uint8_t *record = image + HEAD_BYTES + i * RECORD_BYTES;
		uint64_t group = how & 0x10 ? input_u64(in) : input_u8(in) % 4;

		memcpy(record, &group, sizeof(group));
		input_bytes(in, record + 8 + input_u16(in) % 4096, 64);
	}
	if (how & 0x20)
		input_bytes(in, image + input_u8(in) % HEAD_BYTES, 8);
	sum = crc32c(0, image, bytes);
	if (how & 0x40)
		sum ^= input_u32(in);
	memcpy(image + bytes, &sum, sizeof(sum));
	bytes += sizeof(sum);
	return how & 0x80 ? input_u16(in) % (bytes + 1) : bytes;
}

/*
 * Whether all records of the image are there and lie within the table: it is memory of its own,
 * of whole pages, at whose end no sanitizer watches.
 */
static bool is_within_table(size_t bytes)
{
	uint64_t records, group;

	memcpy(&records, image + 40, sizeof(records));
	if (records > RECORDS_MAX || HEAD_BYTES + records * RECORD_BYTES + 4 > bytes)
		return false;
	for (uint64_t i = 0; i < records; i++) {
		memcpy(&group, image + HEAD_BYTES + i * RECORD_BYTES, sizeof(group));
		if (group >= GROUPS)
			return false;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t lbas[4 * LBA_BYTES];
	struct input in = { data, size };
	int fd = memfd_create("verify", MFD_CLOEXEC);
	size_t bytes = build(&in);
	struct verify_table *t;
	struct verify_miss miss;
	int err;

	if (fd < 0 || write(fd, image, bytes) != (ssize_t)bytes || lseek(fd, 0, SEEK_SET) ||
	    verify_create(&t, NLBAS, LBA_BYTES))
		abort();
	verify_stamp(t, lbas, NLBAS - 3, 4, LBA_BYTES);
	verify_written(t, NLBAS - 3, 4, true, false);
	err = verify_load(t, fd);
	if (!err && !is_within_table(bytes))
		abort();
	/* what it refused must leave no trace */
	if (err && verify_check(t, lbas, NLBAS - 3, 3, LBA_BYTES, &miss))
		abort();
	verify_power_lost(t);
	verify_check(t, lbas, 0, 4, LBA_BYTES, &miss);
	verify_destroy(t);
	close(fd);
	return 0;
}
