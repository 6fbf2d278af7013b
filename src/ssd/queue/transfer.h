/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * transfer.h - whole LBAs between the host and the bounce buffers: data in ssd->bounce,
 * metadata, interleaved or separate, in ssd->bounce_meta. For commands off the plain path.
 */
#ifndef PYNVME_SSD_QUEUE_TRANSFER_H
#define PYNVME_SSD_QUEUE_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "ssd/io/pi.h"

struct ssd;
struct ssd_ctx;

/* Beyond MDTS: 00/02. Interleaved metadata counts. */
uint16_t ssd_transfer_check(struct ssd *ssd, struct ssd_ctx *c, uint32_t nlb,
			    const struct ssd_pi *pi);
/* Host to bounce; with PRACT, PI is made here, without it checked. */
uint16_t ssd_transfer_in(struct ssd *ssd, struct ssd_ctx *c, uint64_t slba, uint32_t nlb,
			 const struct ssd_pi *pi);
/* Bounce to host; PI is checked first. */
uint16_t ssd_transfer_out(struct ssd *ssd, struct ssd_ctx *c, uint64_t slba, uint32_t nlb,
			  const struct ssd_pi *pi);

/* @ssd->bounce_meta where the namespace has metadata, else NULL. */
uint8_t *ssd_transfer_meta(struct ssd *ssd, const struct ssd_ctx *c);

#endif
