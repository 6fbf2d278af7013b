/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmdlog.h - the flight recorder: recent commands of every queue, in shared memory.
 *
 * One file a process under /dev/shm (pynvme-<uid>-<pid>-<start>.cmdlog), readable live by other
 * processes and after the death of this one (nvme/cmdlog/file.h). A slot a queue: a live table by
 * CID and a ring of completed records, each written once under a sequence number.
 */
#ifndef PYNVME_NVME_CMDLOG_CMDLOG_H
#define PYNVME_NVME_CMDLOG_CMDLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme.h"

#define NVME_CMDLOG_RECORDS 2048u

struct nvme_ctrl;

/* 128 bytes; seq is odd while the record is written, 0 before it first was. */
struct nvme_cmdlog_record {
	uint64_t seq;
	uint64_t submit_ns;   /* base/clock.h; 0 in the live table: not outstanding */
	uint64_t complete_ns; /* 0: not completed */
	struct nvme_sqe sqe;
	struct nvme_cqe cqe;
	uint8_t reserved[24];
};
WIRE_SIZE(struct nvme_cmdlog_record, 128);

/**
 * struct nvme_cmdlog_queue - the writer's side of a slot
 * @completed: commands completed so far; record n lies at n % NVME_CMDLOG_RECORDS and
 *             carries sequence number 2 * (n + 1)
 */
struct nvme_cmdlog_queue {
	struct nvme_cmdlog_record *live;
	struct nvme_cmdlog_record *ring;
	uint64_t completed;
	/* cold from here */
	uint32_t ncids;
	struct nvme_cmdlog_slot *slot;
	struct nvme_cmdlog_queue *next;
	uint64_t bytes;	   /* of the slot */
	uint64_t closed;   /* order of closing, 0: in use */
	bool private_slot; /* no shared memory left: nobody else sees it */
};

/* Order of stores as another process sees them; costs nothing on x86. */
static inline void nvme_cmdlog_begin(struct nvme_cmdlog_record *rec, uint64_t seq)
{
	__atomic_store_n(&rec->seq, seq, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

static inline void nvme_cmdlog_end(struct nvme_cmdlog_record *rec, uint64_t seq)
{
	__atomic_store_n(&rec->seq, seq, __ATOMIC_RELEASE);
}

/* Hot: @sqe goes to the device as @cid. */
static inline void nvme_cmdlog_submit(struct nvme_cmdlog_queue *log, uint16_t cid,
				      const struct nvme_sqe *sqe, uint64_t now_ns)
{
	struct nvme_cmdlog_record *rec = &log->live[cid];
	uint64_t seq = rec->seq;

	nvme_cmdlog_begin(rec, seq + 1);
	rec->submit_ns = now_ns;
	rec->sqe = *sqe;
	nvme_cmdlog_end(rec, seq + 2);
}

/* Hot: the command of @sqe ended. */
static inline void nvme_cmdlog_complete(struct nvme_cmdlog_queue *log, uint16_t cid,
					const struct nvme_sqe *sqe, const struct nvme_cqe *cqe,
					uint64_t submit_ns, uint64_t now_ns)
{
	uint64_t n = log->completed++;
	struct nvme_cmdlog_record *rec = &log->ring[n % NVME_CMDLOG_RECORDS];

	nvme_cmdlog_begin(rec, 2 * n + 1);
	rec->submit_ns = submit_ns;
	rec->complete_ns = now_ns;
	rec->sqe = *sqe;
	rec->cqe = *cqe;
	nvme_cmdlog_end(rec, 2 * n + 2);
	__atomic_store_n(&log->live[cid].submit_ns, 0, __ATOMIC_RELAXED);
}

/* A slot for queue @sqid; falls back to private memory with one warning. NULL: no memory. */
struct nvme_cmdlog_queue *nvme_cmdlog_open(struct nvme_ctrl *ctrl, uint16_t sqid, uint16_t ncids);
/* The records stay readable in the file until the slot is needed again. */
void nvme_cmdlog_close(struct nvme_cmdlog_queue *log);

/* Forget all there is: the queue begins now. Nothing may be outstanding. */
void nvme_cmdlog_restart(struct nvme_cmdlog_queue *log, struct nvme_ctrl *ctrl, uint16_t sqid);

/**
 * nvme_cmdlog_read() - newest first: outstanding commands, then completed ones
 * Return: how many were copied.
 */
unsigned int nvme_cmdlog_read(struct nvme_cmdlog_queue *log, struct nvme_cmdlog_record *out,
			      unsigned int max);

/* In a child of fork(), first of all: the file is the parent's, its lock may be anybody's. */
void nvme_cmdlog_forked(void);

/* The newest slot of this process, also of a queue that was deleted; the others are behind it. */
const struct nvme_cmdlog_queue *nvme_cmdlog_slots(void);

/* Path of this process's file, "" while there is none. */
const char *nvme_cmdlog_path(void);

#endif
