/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * io.h - what IO commands share: range and size checks, the bounce buffers.
 */
#ifndef PYNVME_SSD_IO_IO_H
#define PYNVME_SSD_IO_IO_H

#include <stdint.h>
#include <string.h>

#include "ssd/device.h"

static inline uint64_t ssd_io_slba(const struct ssd_ctx *c)
{
	uint64_t slba;

	memcpy(&slba, &c->sqe.cdw10, sizeof(slba));
	return slba;
}

static inline uint32_t ssd_io_nlb(const struct ssd_ctx *c)
{
	return (c->sqe.cdw12 & NVME_RW_NLB_MASK) + 1;
}

/* 00/80 with the field marked. */
uint16_t ssd_io_out_of_range(struct ssd_ctx *c, uint64_t slba);

static inline uint16_t ssd_io_check_range(const struct ssd_ns *ns, struct ssd_ctx *c, uint64_t slba,
					  uint64_t nlb)
{
	if (__builtin_expect(slba >= ns->nsze || nlb > ns->nsze - slba, 0))
		return ssd_io_out_of_range(c, slba);
	return 0;
}

/* What a media failure is to the host; counted. */
uint16_t ssd_io_media_error(struct ssd *ssd, struct ssd_ctx *c, int rc);

/* Time of the command: base, or 0 without a latency model; with jitter and tail. */
uint64_t ssd_latency_ns(struct ssd *ssd, uint64_t base_ns);

/* The end of reads and writes: counters and time. @mapped: LBAs that were not unmapped. */
void ssd_io_count_read(struct ssd *ssd, struct ssd_ctx *c, uint32_t nlb, int mapped);
void ssd_io_count_write(struct ssd *ssd, struct ssd_ctx *c, uint32_t nlb);
/* 02/87 if some LBA is unmapped and feature 05h DULBE asks for it. */
uint16_t ssd_io_check_mapped(const struct ssd_ns *ns, int mapped, uint32_t nlb);

/* Between media and bounce buffers (transfer.h); @return LBAs mapped, or 0, or -errno. */
int ssd_io_load(struct ssd *ssd, struct ssd_ctx *c, uint64_t slba, uint32_t nlb);
int ssd_io_store(struct ssd *ssd, struct ssd_ctx *c, uint64_t slba, uint32_t nlb);

ssd_cmd_fn ssd_io_read, ssd_io_write, ssd_io_flush;
ssd_cmd_fn ssd_io_read_bounced, ssd_io_write_bounced;
ssd_cmd_fn ssd_io_compare, ssd_io_verify, ssd_io_copy;
ssd_cmd_fn ssd_io_write_zeroes, ssd_io_write_uncorrectable, ssd_io_dsm;

#endif
