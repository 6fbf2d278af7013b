/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmdlog_format.h - the recorder's file, as writer and readers agree on it.
 *
 * A header page, then slots one after another. A slot is its header, the live table (a record a
 * CID) and the ring of completed records, rounded up to a page. Little endian.
 */
#ifndef PYNVME_NVME_CMDLOG_FORMAT_H
#define PYNVME_NVME_CMDLOG_FORMAT_H

#include <stdint.h>

#include "nvme/cmdlog/cmdlog.h"

#define NVME_CMDLOG_MAGIC      UINT64_C(0x474c444d434d564e) /* "NVMCMDLG" */
#define NVME_CMDLOG_SLOT_MAGIC UINT64_C(0x544f4c53434d564e) /* "NVMCSLOT" */
#define NVME_CMDLOG_VERSION    1u
#define NVME_CMDLOG_PAGE       4096u
#define NVME_CMDLOG_SUFFIX     ".cmdlog"
#define NVME_CMDLOG_NAME       "pynvme-%u-%d-%llu" NVME_CMDLOG_SUFFIX /* uid, pid, start */

/**
 * struct nvme_cmdlog_header - the first page
 * @start_ticks: of the process, field 22 of /proc/PID/stat: tells a reused pid
 * @realtime_ns: wall clock minus base/clock.h when the file was made
 */
struct nvme_cmdlog_header {
	uint64_t magic;
	uint32_t version;
	int32_t pid;
	uint64_t start_ticks;
	int64_t realtime_ns;
	uint8_t reserved[NVME_CMDLOG_PAGE - 32];
};
WIRE_SIZE(struct nvme_cmdlog_header, NVME_CMDLOG_PAGE);

/**
 * struct nvme_cmdlog_slot - of one queue
 * @bytes: of the whole slot, this header included
 * @edition: odd while the slot changes hands
 * @closed_ns: base/clock.h; 0: its queue is open
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
	uint8_t reserved0[14];
	char addr[256];
	uint8_t reserved1[192];
};
WIRE_SIZE(struct nvme_cmdlog_slot, 512);

static inline uint64_t nvme_cmdlog_slot_bytes(uint32_t ncids)
{
	uint64_t bytes =
		sizeof(struct nvme_cmdlog_slot) +
		((uint64_t)ncids + NVME_CMDLOG_RECORDS) * sizeof(struct nvme_cmdlog_record);

	return (bytes + NVME_CMDLOG_PAGE - 1) & ~(uint64_t)(NVME_CMDLOG_PAGE - 1);
}

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
