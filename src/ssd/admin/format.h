/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * format.h - Format NVM (Base 2.1 section 5.1.10, NVM 1.1 section 4.1.2).
 */
#ifndef PYNVME_SSD_ADMIN_FORMAT_H
#define PYNVME_SSD_ADMIN_FORMAT_H

#include <stdint.h>

#include "ssd/background.h"

struct ssd;
struct ssd_ctx;

/**
 * struct ssd_format - the one that runs
 * @c: its command, NULL when a reset took it away: the format goes on
 * @nsids: bit nsid - 1
 */
struct ssd_format {
	struct ssd_background bg;
	struct ssd_ctx *c;
	uint64_t nsids;
	uint32_t nsid; /* as the command had it */
	uint32_t cdw10;
};

void ssd_format_power(struct ssd *ssd);

/* Is this namespace being formatted? */
static inline bool ssd_format_runs(const struct ssd_format *f, uint32_t nsid)
{
	return f->nsids >> (nsid - 1) & 1;
}

#endif
