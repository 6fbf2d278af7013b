/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmdlog_file.h - read the recorder's file of any process, alive or dead.
 *
 * The file may be damaged or forged: everything in it is checked, and nothing is mapped.
 */
#ifndef PYNVME_NVME_CMDLOG_FILE_H
#define PYNVME_NVME_CMDLOG_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "nvme/cmdlog/cmdlog.h"

struct nvme_cmdlog_file;

/**
 * struct nvme_cmdlog_info - whose file it is
 * @alive: that process still runs
 * @realtime_ns: add it to a time of a record to get wall clock time
 */
struct nvme_cmdlog_info {
	int pid;
	bool alive;
	int64_t realtime_ns;
	unsigned int nslots;
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

/* -ENOENT past the last slot, -EAGAIN it is just changing hands. */
int nvme_cmdlog_file_slot(struct nvme_cmdlog_file *f, unsigned int i,
			  struct nvme_cmdlog_slot_info *info);
/* Newest first, as nvme_cmdlog_read(). Return: how many were copied, or -errno. */
int nvme_cmdlog_file_read(struct nvme_cmdlog_file *f, unsigned int i,
			  struct nvme_cmdlog_record *out, unsigned int max);

/* Remove files of dead processes of this user but the @keep newest ones. */
void nvme_cmdlog_prune(unsigned int keep);

#endif
