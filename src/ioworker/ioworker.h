/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ioworker.h - a worker: one queue pair, kept busy with planned commands.
 *
 * Everything happens in ioworker_step(), at the time its caller says it is; the thread of
 * ioworker_start() is a loop around it. While completions arrive, a step makes no system call,
 * takes no lock and no memory.
 *
 * A worker ends when its time is over or its commands are done, on request, at the first
 * command that fails or times out, and when its queue goes (reset, removal, power).
 */
#ifndef PYNVME_IOWORKER_IOWORKER_H
#define PYNVME_IOWORKER_IOWORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hist.h"
#include "ioworker/plan.h"
#include "ioworker/stats.h"
#include "nvme/cmdlog/cmdlog.h"
#include "nvme/ns.h"
#include "verify/verify.h"

#define IOWORKER_DEPTH_MAX  65535u
#define IOWORKER_ERRORS_MAX 16u /* kept in detail */
#define IOWORKER_WHY_BYTES  256u

/* Why the tool, not the device, ended a worker. */
enum ioworker_fault {
	IOWORKER_FAULT_NONE = 0,
	IOWORKER_FAULT_START = -1,   /* no queue */
	IOWORKER_FAULT_SIZE = -2,    /* a command is larger than MDTS */
	IOWORKER_FAULT_TIMEOUT = -3, /* a command took longer than the controller's timeout */
	IOWORKER_FAULT_OVERDUE = -4, /* still not finished long after its time was over */
	IOWORKER_FAULT_MEMORY = -5,
};

/**
 * struct ioworker_opts
 * @ns: a reference is taken
 * @plan: nlbas and region are checked against the namespace as it is at creation
 * @time_ns: no command is issued later than so long after the start; 0: no limit
 * @io_count: exactly so many commands are issued, unless it ends earlier; 0: no limit
 * @iops: absolute schedule, see rate.h; 0: no limit
 * @qdepth: commands in flight, 1..IOWORKER_DEPTH_MAX
 * @qprio: priority of the submission queue, 0..3
 * @ptype, @pvalue: data of writes, under the stamps; see base/pattern.h
 * @per_second: keep counts by second
 * @nrecent: how many of the last commands to keep
 * @cpu: to run on; -1: one of its own while there are enough
 * @fw_debug: a failure ends it at once, and its queue stays on the device: nvme_qpair_leave()
 */
struct ioworker_opts {
	struct nvme_ns *ns;
	struct plan_opts plan;
	uint64_t time_ns;
	uint64_t io_count;
	double iops;
	uint32_t qdepth;
	uint32_t qprio;
	uint32_t ptype;
	uint32_t pvalue;
	bool per_second;
	uint64_t nrecent;
	int cpu;
	bool fw_debug;
};

/**
 * struct ioworker_error - a command that failed
 * @record: as the flight recorder has it, with the status that the device gave
 * @judged: SCT << 8 | SC that the host found instead, of a read that ended well; or 0
 * @miss: of a read that did not match what was written, when @mismatch
 * @data: the first bytes of the LBA that did not match
 */
struct ioworker_error {
	struct nvme_cmdlog_record record;
	uint16_t judged;
	bool mismatch;
	struct verify_miss miss;
	uint8_t data[64];
};

/**
 * struct ioworker_result - what came out of a worker that has ended
 * @reads, @writes, @others: commands that ended well
 * @run_ns: from the start to the last completion
 * @cpu_ns: that the thread was on a CPU, queue creation and all; 0 without a thread
 * @start_ns: base/clock.h time of the start
 * @stall_ns: the longest that the thread was kept from its next step: nothing is later than that
 * @frozen_ns: in all, that nothing of the host ran, each time for longer than the timeout
 * @status: SCT << 8 | SC of the first failure, when @failed
 * @fault: see enum ioworker_fault
 * @why: in words, for @fault, and for a queue that went away
 * @left_sqid: queue that stays on the device for fw_debug, or 0
 * @nerrors: failures, of which the first IOWORKER_ERRORS_MAX are in ioworker_get_error()
 */
struct ioworker_result {
	uint64_t reads, writes, others;
	uint64_t read_bytes, write_bytes;
	uint64_t run_ns;
	uint64_t cpu_ns;
	uint64_t start_ns;
	uint64_t stall_ns;
	uint64_t frozen_ns;
	bool failed;
	uint16_t status;
	enum ioworker_fault fault;
	char why[IOWORKER_WHY_BYTES];
	uint16_t left_sqid;
	uint64_t nerrors;
};

/* What can be seen of a worker at any time. */
struct ioworker_progress {
	bool running;
	double percent;
	uint64_t ios; /* ended well, as of a tenth of a second ago */
	uint64_t reads;
	uint64_t bytes;
};

enum ioworker_state {
	IOWORKER_BUSY,	/* something was submitted or completed */
	IOWORKER_IDLE,	/* nothing to do at this time */
	IOWORKER_ENDED, /* call ioworker_close() */
};

struct ioworker;

/**
 * ioworker_create() - everything in @opts is copied
 * Errors with a text: -EINVAL (see plan.h and above), -ENOMEM.
 */
int ioworker_create(struct ioworker **out, const struct ioworker_opts *opts);
/* Not while its thread runs. */
void ioworker_destroy(struct ioworker *w);

/* --- with a thread --- */

/* Return: 0, -EBUSY started before, -EAGAIN no thread to be had. */
int ioworker_start(struct ioworker *w);
/* Ask it to issue no more commands; returns at once. */
void ioworker_stop(struct ioworker *w);
/* Wait for its end: 0, or -ETIMEDOUT; may be called again, and by many at a time. */
int ioworker_join(struct ioworker *w, uint64_t timeout_ns);

/* --- without: the caller is the thread, and time --- */

/* Make queue and buffers; the run starts at @now_ns. 0, or -EIO: result.fault says why. */
int ioworker_open(struct ioworker *w, uint64_t now_ns);
enum ioworker_state ioworker_step(struct ioworker *w, uint64_t now_ns);
/* Sleep until something completes, a few milliseconds at most. False: look again instead. */
bool ioworker_wait(struct ioworker *w);
/* When an idle worker has something to do even if nothing completes; UINT64_MAX: never. */
uint64_t ioworker_next_ns(const struct ioworker *w);
/* Give queue and buffers back, but for fw_debug; what is in flight is aborted and not counted. */
void ioworker_close(struct ioworker *w);

/* --- what came out of it; all but progress only after its end --- */

void ioworker_get_progress(const struct ioworker *w, struct ioworker_progress *out);
void ioworker_get_result(const struct ioworker *w, struct ioworker_result *out);
/* The i-th failure; NULL past the end. */
const struct ioworker_error *ioworker_get_error(const struct ioworker *w, uint32_t i);
/* Counts by opcode (in the order of ioworker_opcodes()), by second, latencies. */
const struct stats *ioworker_stats(const struct ioworker *w);
const uint8_t *ioworker_opcodes(const struct ioworker *w, uint32_t *n);

#endif
