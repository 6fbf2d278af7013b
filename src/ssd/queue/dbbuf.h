/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dbbuf.h - shadow doorbells in host memory (Doorbell Buffer Config; Base 2.1 sections 5.2.5
 * and B.5).
 *
 * The host writes a doorbell's value into the shadow page, and the register itself only if
 * the value passes EventIdx. The device copies what changed in the shadow page to its doorbell
 * page before it looks at that, so the rest of the drive knows nothing of it.
 */
#ifndef PYNVME_SSD_QUEUE_DBBUF_H
#define PYNVME_SSD_QUEUE_DBBUF_H

#include <stdint.h>

#include "ssd/queue/queue.h"

#define SSD_DBBUF_WORDS (2 * SSD_QUEUES_MAX)

/**
 * struct ssd_dbbuf
 * @shadow, @event: the host's pages, laid out as the doorbells; used while SSD_WATCH_DBBUF is set
 * @seen: what was copied last: a host that never writes a shadow uses the register
 */
struct ssd_dbbuf {
	volatile uint32_t *shadow;
	volatile uint32_t *event;
	uint32_t seen[SSD_DBBUF_WORDS];
};

/* Each step while SSD_WATCH_DBBUF is set: shadow to doorbells, doorbells to EventIdx. */
void ssd_dbbuf_poll(struct ssd_ctrl *ctrl);
/* Controller level reset: back to the registers. */
void ssd_dbbuf_reset(struct ssd_ctrl *ctrl);

#endif
