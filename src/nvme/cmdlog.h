/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmdlog.h - the flight recorder: recent commands of every queue, in shared memory.
 *
 * One file a process under /dev/shm (pynvme-<uid>-<pid>-<start>.cmdlog), readable live by other
 * processes and after the death of this one. A slot a queue: a live table by CID and a ring of
 * completed records, each written once under a sequence number.
 */
#ifndef PYNVME_NVME_CMDLOG_H
#define PYNVME_NVME_CMDLOG_H

#include <stdint.h>

#include "spec/nvme.h"

#define NVME_CMDLOG_RECORDS 2048u

struct nvme_ctrl;

/* 128 bytes; seq is odd while the record is written. */
struct nvme_cmdlog_record {
	uint64_t seq;
	uint64_t submit_ns; /* base/clock.h */
	uint64_t complete_ns; /* 0: not completed */
	struct nvme_sqe sqe;
	struct nvme_cqe cqe;
	uint8_t reserved[24];
};

struct nvme_cmdlog_queue;

/* A slot for queue @sqid; falls back to private memory with one warning. NULL: no memory. */
struct nvme_cmdlog_queue *nvme_cmdlog_open(struct nvme_ctrl *ctrl, uint16_t sqid, uint16_t ncids);
void nvme_cmdlog_close(struct nvme_cmdlog_queue *log);

/* Newest first, completed and outstanding; returns how many were copied. */
unsigned int nvme_cmdlog_read(struct nvme_cmdlog_queue *log, struct nvme_cmdlog_record *out,
			      unsigned int max);

#endif
