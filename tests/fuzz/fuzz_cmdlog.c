// SPDX-License-Identifier: BSD-3-Clause
/*
 * Recorder files that other processes damaged or forged. The input is a list of patches to a file
 * of one slot, and where it is cut.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "input.h"
#include "nvme/cmdlog_file.h"
#include "nvme/cmdlog_format.h"

#define CIDS	   16u
#define FILE_BYTES (NVME_CMDLOG_PAGE + 2 * nvme_cmdlog_slot_bytes(CIDS))

static char path[64];
static uint8_t *image;

static void remove_file(void)
{
	unlink(path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	snprintf(path, sizeof(path), "/dev/shm/fuzz-%d.cmdlog", (int)getpid());
	image = calloc(1, FILE_BYTES);
	return atexit(remove_file);
}

static void whole_image(void)
{
	struct nvme_cmdlog_header *head = (void *)image;
	struct nvme_cmdlog_slot *slot = (void *)(image + NVME_CMDLOG_PAGE);

	memset(image, 0, FILE_BYTES);
	head->magic = NVME_CMDLOG_MAGIC;
	head->version = NVME_CMDLOG_VERSION;
	head->pid = getpid();
	for (int i = 0; i < 2; i++) {
		slot->magic = NVME_CMDLOG_SLOT_MAGIC;
		slot->bytes = nvme_cmdlog_slot_bytes(CIDS);
		slot->ncids = CIDS;
		slot->nrecords = NVME_CMDLOG_RECORDS;
		slot = (void *)((uint8_t *)slot + slot->bytes);
	}
}

/* Into a header, a live table or a ring: elsewhere nobody looks. */
static void patch(struct input *in)
{
	uint8_t where = input_u8(in);
	uint64_t off = input_u16(in), len = input_u8(in) % 64;

	if (where & 1)
		off = off % 512 + NVME_CMDLOG_PAGE;
	else if (where & 2)
		off = off % 512 + NVME_CMDLOG_PAGE + nvme_cmdlog_slot_bytes(CIDS);
	else if (where & 4)
		off = off + NVME_CMDLOG_PAGE + 512;
	else
		off %= 64;
	input_bytes(in, image + off, len);
}

static void write_file(struct input *in)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	uint64_t bytes = FILE_BYTES;

	if (input_u8(in) & 1)
		bytes = input_u32(in) % (FILE_BYTES + 1);
	while (in->left)
		patch(in);
	if (fd < 0 || write(fd, image, bytes) != (ssize_t)bytes)
		abort();
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct nvme_cmdlog_record records[64];
	struct input in = { data, size };
	struct nvme_cmdlog_slot_info slot;
	struct nvme_cmdlog_info info;
	struct nvme_cmdlog_file *f;

	whole_image();
	write_file(&in);
	if (nvme_cmdlog_file_open(&f, path))
		return 0;
	nvme_cmdlog_file_info(f, &info);
	for (unsigned int i = 0; i < info.nslots + 1 && i < 8; i++) {
		nvme_cmdlog_file_slot(f, i, &slot);
		nvme_cmdlog_file_read(f, i, records, 64);
	}
	nvme_cmdlog_file_close(f);
	return 0;
}
