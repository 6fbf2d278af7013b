/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * file.h - read the recorder's file of any process, alive or dead.
 *
 * The file may be damaged or forged: everything in it is checked, and nothing is mapped.
 */
#ifndef PYNVME_NVME_CMDLOG_FILE_H
#define PYNVME_NVME_CMDLOG_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "nvme/cmdlog/cmdlog.h"

struct nvme_cmdlog_file;
struct nvme_cmdlog_header;
struct nvme_cmdlog_slot;

/**
 * struct nvme_cmdlog_info - whose file it is
 * @alive: that process still runs
 * @realtime_ns: add it to a time of a record to get wall clock time
 * @unread_bytes: at the end, that are no slot; a slot that its owner is just making, or damage
 */
struct nvme_cmdlog_info {
	int pid;
	bool alive;
	int64_t realtime_ns;
	unsigned int nslots;
	uint64_t unread_bytes;
};

/**
 * struct nvme_cmdlog_slot_info - one queue
 * @closed_ns: 0 while the queue exists (or its process died with it)
 */
struct nvme_cmdlog_slot_info {
	char addr[256];
	uint16_t sqid;
	uint32_t ncids;
	uint64_t opened_ns;
	uint64_t closed_ns;
};

/* -ENOENT, -EACCES, ...; -EINVAL not a command log. */
int nvme_cmdlog_file_open(struct nvme_cmdlog_file **out, const char *path);
void nvme_cmdlog_file_close(struct nvme_cmdlog_file *f);
void nvme_cmdlog_file_info(const struct nvme_cmdlog_file *f, struct nvme_cmdlog_info *info);

/* The first page, as it was at nvme_cmdlog_file_open(); texts in it may be any bytes. */
const struct nvme_cmdlog_header *nvme_cmdlog_file_header(const struct nvme_cmdlog_file *f);

/**
 * nvme_cmdlog_file_head() - the header of a slot as it is now, of one queue from first to last
 *
 * Counts may have gone on meanwhile, and texts in it may be any bytes, without an end. Errors: as
 * nvme_cmdlog_file_slot().
 */
int nvme_cmdlog_file_head(struct nvme_cmdlog_file *f, unsigned int i,
			  struct nvme_cmdlog_slot *slot);

/**
 * nvme_cmdlog_file_outstanding() - commands in the live table at this moment
 * @edition: of the slot, as nvme_cmdlog_file_head() had it
 * Return: how many, or -errno; -ESTALE: the slot is another queue's by now.
 */
int nvme_cmdlog_file_outstanding(struct nvme_cmdlog_file *f, unsigned int i, uint64_t edition);

/* -ENOENT past the last slot, -EAGAIN it is just changing hands. */
int nvme_cmdlog_file_slot(struct nvme_cmdlog_file *f, unsigned int i,
			  struct nvme_cmdlog_slot_info *info);
/**
 * nvme_cmdlog_file_read() - newest first, as nvme_cmdlog_read()
 * Return: how many were copied, or -errno; -ESTALE: the slot became another queue's meanwhile.
 */
int nvme_cmdlog_file_read(struct nvme_cmdlog_file *f, unsigned int i,
			  struct nvme_cmdlog_record *out, unsigned int max);

/* Remove files of dead processes of this user but the @keep newest ones. */
void nvme_cmdlog_prune(unsigned int keep);

#endif
