/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * background.h - operations that go on after their command: self-test, sanitize, format.
 *
 * One event and the share of time that has gone by; power off stops it, power on goes on.
 */
#ifndef PYNVME_SSD_BACKGROUND_H
#define PYNVME_SSD_BACKGROUND_H

#include <stdbool.h>
#include <stdint.h>

#include "ssd/event.h"

struct ssd;

struct ssd_background {
	struct ssd_event ev;
	uint64_t len_ns;
	uint64_t left_ns; /* while there is no power; 0: nothing to resume */
};

/* Begin; @fire when @len_ns have gone by. A length of 0 fires at the next step. */
void ssd_background_start(struct ssd *ssd, struct ssd_background *bg, uint64_t len_ns,
			  ssd_event_fn *fire);
void ssd_background_stop(struct ssd *ssd, struct ssd_background *bg);
/* Power went (pause) or came back (resume). */
void ssd_background_power(struct ssd *ssd, struct ssd_background *bg);

static inline bool ssd_background_runs(const struct ssd_background *bg)
{
	return ssd_event_waiting(&bg->ev) || bg->left_ns;
}

/* How much of @whole is done, never all of it while it runs. */
uint32_t ssd_background_done(const struct ssd *ssd, const struct ssd_background *bg,
			     uint32_t whole);

#endif
