/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * io.h - what IO commands share: range and size checks, the bounce buffers.
 */
#ifndef PYNVME_SSD_IO_H
#define PYNVME_SSD_IO_H

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

ssd_cmd_fn ssd_io_read, ssd_io_write, ssd_io_flush;

#endif
