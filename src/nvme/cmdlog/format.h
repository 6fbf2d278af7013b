/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * format.h - the recorder's file, as writer and readers agree on it.
 *
 * A header page, then slots one after another. A slot is its header, the live table (a record a
 * CID) and the ring of completed records, rounded up to a page. Little endian.
 *
 * Nobody who reads holds anybody up, for there is no lock. What says whom a slot belongs to is
 * under its edition, and the texts of a controller are under a sequence of their own: both are
 * odd while they are written. All else that is written while a queue works (counts, states,
 * progress) are single words of 32 or 64 bits, aligned, each with one writer at a time: a reader
 * has every one of them whole, and as counts only grow, that two of them are a few commands apart
 * spoils no rate. A sequence around them would cost the writer two more stores a batch, and after
 * a kill in the middle hide the counts for ever.
 */
#ifndef PYNVME_NVME_CMDLOG_FORMAT_H
#define PYNVME_NVME_CMDLOG_FORMAT_H

#include <stdint.h>

#include "nvme/cmdlog/cmdlog.h"

#define NVME_CMDLOG_MAGIC      UINT64_C(0x474c444d434d564e) /* "NVMCMDLG" */
#define NVME_CMDLOG_SLOT_MAGIC UINT64_C(0x544f4c53434d564e) /* "NVMCSLOT" */
#define NVME_CMDLOG_VERSION    2u
#define NVME_CMDLOG_PAGE       4096u
#define NVME_CMDLOG_SUFFIX     ".cmdlog"
#define NVME_CMDLOG_NAME       "pynvme-%u-%d-%llu" NVME_CMDLOG_SUFFIX /* uid, pid, start */

/**
 * struct nvme_cmdlog_header - the first page
 * @start_ticks: of the process, field 22 of /proc/PID/stat: tells a reused pid
 * @realtime_ns: wall clock minus base/clock.h when the file was made
 * @opened_ns: base/clock.h, when the file was made
 * @title: command line of the process, cut where it is too long; any bytes, a zero at the end
 */
struct nvme_cmdlog_header {
	uint64_t magic;
	uint32_t version;
	int32_t pid;
	uint64_t start_ticks;
	int64_t realtime_ns;
	uint64_t opened_ns;
	char title[1024];
	uint8_t reserved[NVME_CMDLOG_PAGE - 1064];
};
WIRE_SIZE(struct nvme_cmdlog_header, NVME_CMDLOG_PAGE);

/* Buckets of latencies: four an octave, the last one for 7 * 2^34 ns (120 s) and all beyond. */
#define NVME_CMDLOG_SUB_BITS 2u
#define NVME_CMDLOG_BUCKETS  ((36u - NVME_CMDLOG_SUB_BITS + 2u) << NVME_CMDLOG_SUB_BITS)

/**
 * struct nvme_cmdlog_counts - what has completed in a queue; zero where @updated_ns is
 * @updated_ns: base/clock.h, of the last change
 * @commands, @bytes: by bits 1:0 of the opcode, the way of the data (NVMe base 2.1, figure 92)
 * @errors: commands with a status other than 0; their bytes do not count
 */
struct nvme_cmdlog_counts {
	uint64_t updated_ns;
	uint64_t commands[4];
	uint64_t bytes[4];
	uint64_t errors;
	uint64_t latency_sum_ns;
	uint64_t latency_max_ns;
	uint64_t latency[NVME_CMDLOG_BUCKETS];
};
WIRE_SIZE(struct nvme_cmdlog_counts, 1248);

/* Of a controller; numbers of the file, they stay. */
enum nvme_cmdlog_state {
	NVME_CMDLOG_UNKNOWN = 0,
	NVME_CMDLOG_READY = 1,
	NVME_CMDLOG_RESETTING = 2,
	NVME_CMDLOG_DOWN = 3,
	NVME_CMDLOG_FATAL = 4,
	NVME_CMDLOG_GONE = 5,
};

/**
 * struct nvme_cmdlog_ctrl - a controller, in the slot of its admin queue
 * @texts: odd while @model to @vs change
 * @model, @serial, @firmware: as Identify has them, padded with spaces
 * @vs: register VS
 * @capacity_bytes: 0: not known
 * @state: enum nvme_cmdlog_state
 * @resets: since it was opened
 * @temperature_kelvin: composite temperature, 0: never read
 * @temperature_ns: base/clock.h, when it was read
 */
struct nvme_cmdlog_ctrl {
	uint64_t texts;
	char model[40];
	char serial[20];
	char firmware[8];
	uint32_t vs;
	uint64_t capacity_bytes;
	uint32_t state;
	uint32_t resets;
	uint64_t temperature_kelvin;
	uint64_t temperature_ns;
};
WIRE_SIZE(struct nvme_cmdlog_ctrl, 112);

#define NVME_CMDLOG_OPS 16u

/**
 * struct nvme_cmdlog_worker - parameters and progress of an IOWorker, in the slot of its queue
 * @weights: of the opcodes; all 0: a recorded workload
 * @min_nlb, @max_nlb: LBAs of its smallest and its largest command
 * @region_end: exclusive
 * @micro_iops: 0: no limit, as are @time_ns and @io_count
 * @running: 1 from its start on, 0 after its end
 * @done_ppm: of its time or commands
 * @why: it ended early, when not empty; written before @running becomes 0
 */
struct nvme_cmdlog_worker {
	uint32_t qdepth;
	uint32_t lba_bytes;
	uint32_t min_nlb;
	uint32_t max_nlb;
	uint32_t random_percent;
	uint32_t nops;
	uint64_t region_start;
	uint64_t region_end;
	uint64_t micro_iops;
	uint64_t time_ns;
	uint64_t io_count;
	uint64_t seed;
	uint8_t opcodes[NVME_CMDLOG_OPS];
	uint32_t weights[NVME_CMDLOG_OPS];
	uint64_t elapsed_ns;
	uint32_t running;
	uint32_t done_ppm;
	char why[128];
};
WIRE_SIZE(struct nvme_cmdlog_worker, 296);

/* What a queue is for; numbers of the file. */
enum nvme_cmdlog_kind {
	NVME_CMDLOG_ADMIN = 0, /* its slot has a struct nvme_cmdlog_ctrl */
	NVME_CMDLOG_IO = 1,
	NVME_CMDLOG_WORKER = 2, /* a struct nvme_cmdlog_worker */
};

/**
 * struct nvme_cmdlog_slot - of one queue
 * @bytes: of the whole slot, this header included
 * @edition: odd while the slot changes hands
 * @closed_ns: base/clock.h; 0: its queue is open
 * @kind: enum nvme_cmdlog_kind
 * @controller: number of the controller in this process, from 1
 * @depth: commands that fit into the queue at once
 */
struct nvme_cmdlog_slot {
	uint64_t magic;
	uint64_t bytes;
	uint64_t edition;
	uint64_t opened_ns;
	uint64_t closed_ns;
	uint32_t ncids;
	uint32_t nrecords;
	uint16_t sqid;
	uint16_t kind;
	uint32_t controller;
	uint32_t depth;
	uint32_t reserved0;
	char addr[256];
	struct nvme_cmdlog_counts counts;
	union {
		struct nvme_cmdlog_ctrl ctrl;
		struct nvme_cmdlog_worker worker;
		uint8_t room[304];
	};
	uint8_t reserved1[176];
};
WIRE_SIZE(struct nvme_cmdlog_slot, 2048);

static inline uint64_t nvme_cmdlog_slot_bytes(uint32_t ncids)
{
	uint64_t bytes =
		sizeof(struct nvme_cmdlog_slot) +
		((uint64_t)ncids + NVME_CMDLOG_RECORDS) * sizeof(struct nvme_cmdlog_record);

	return (bytes + NVME_CMDLOG_PAGE - 1) & ~(uint64_t)(NVME_CMDLOG_PAGE - 1);
}

/* A consistent copy of a record; false: never written, or the writer was faster every time. */
bool nvme_cmdlog_snapshot(const struct nvme_cmdlog_record *rec, struct nvme_cmdlog_record *out);

/**
 * nvme_cmdlog_collect() - newest first: outstanding commands, then completed ones
 * Skips what is being written at the moment. Return: how many were copied.
 */
unsigned int nvme_cmdlog_collect(const struct nvme_cmdlog_record *live, uint32_t ncids,
				 const struct nvme_cmdlog_record *ring,
				 struct nvme_cmdlog_record *out, unsigned int max);

/* For qsort(): newer submissions before older ones, of the same moment the higher CID first. */
int nvme_cmdlog_newest_first(const void *a, const void *b);

/* Field 22 of /proc/PID/stat; 0: there is no such process. */
uint64_t nvme_cmdlog_process_start(int pid);

/* Where the files are: $PYNVME_CMDLOG_DIR, or /dev/shm. */
const char *nvme_cmdlog_dir(void);

#endif
