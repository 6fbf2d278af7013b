/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * live.h - what the recorder's file says of queues and controllers beyond their commands.
 *
 * Cold, or batch-wise: nothing here is on the way of an IO of a worker, which publishes its own
 * counts ten times a second (ioworker/publish.c). Who writes a word is said in format.h.
 */
#ifndef PYNVME_NVME_CMDLOG_LIVE_H
#define PYNVME_NVME_CMDLOG_LIVE_H

#include "nvme/cmdlog/format.h"

struct nvme_ctrl;
struct nvme_qpair;
struct nvme_req;

/* A word of the file, which others read meanwhile. */
#define NVME_CMDLOG_SET(word, value) __atomic_store_n(&(word), value, __ATOMIC_RELAXED)

/* The bucket that a latency counts in. */
static inline unsigned int nvme_cmdlog_bucket(uint64_t ns)
{
	unsigned int shift;

	if (ns >> 37)
		return NVME_CMDLOG_BUCKETS - 1;
	/* Values below an octave of buckets have one each, as if of the first octave. */
	shift = 63 - (unsigned int)__builtin_clzll(ns | 1u << NVME_CMDLOG_SUB_BITS) -
		NVME_CMDLOG_SUB_BITS;
	return (shift << NVME_CMDLOG_SUB_BITS) + (unsigned int)(ns >> shift);
}

/**
 * nvme_cmdlog_count() - a command of a queue whose submitter does not count by itself
 * @answer: as the device gave it
 *
 * Called by whoever owns the queue at this moment. A SMART log that passes leaves its temperature.
 */
void nvme_cmdlog_count(struct nvme_qpair *q, const struct nvme_req *req,
		       const struct nvme_cqe *answer, uint64_t now_ns);

/* What Identify said; by whoever initialises the controller. */
void nvme_cmdlog_identified(struct nvme_ctrl *ctrl);
/* Of all namespaces, where Identify Controller does not say; under ns_lock. */
void nvme_cmdlog_capacity(struct nvme_ctrl *ctrl, uint64_t bytes);
/* One that is down because it has failed is that: gone, or fatal. */
void nvme_cmdlog_state(struct nvme_ctrl *ctrl, enum nvme_cmdlog_state state);

#endif
