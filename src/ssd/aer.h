/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * aer.h - asynchronous events and the requests that carry them (Base 2.1 section 5.1.2).
 *
 * An event of a type is reported once and then masked until its log page is read without
 * RAE (ssd_aer_log_read()); notices are masked one by one (by their log), errors and SMART
 * as a type.
 */
#ifndef PYNVME_SSD_AER_H
#define PYNVME_SSD_AER_H

#include <stdint.h>

#include "spec/nvme.h"

#define SSD_AER_MAX    16
#define SSD_AER_EVENTS 32

struct ssd;
struct ssd_ctx;

struct ssd_aer_event {
	uint8_t type;
	uint8_t info;
	uint8_t lid;
};

struct ssd_aer {
	struct ssd_ctx *reqs[SSD_AER_MAX]; /* outstanding requests, oldest first */
	unsigned int nreqs;
	struct ssd_aer_event events[SSD_AER_EVENTS]; /* not yet reported */
	unsigned int nevents;
	uint64_t masked[4]; /* bit per log page: reported, log not yet read */
};

/* Report an event, now or with the next request; one that is masked or queued is dropped. */
void ssd_aer_raise(struct ssd *ssd, enum nvme_aer_type type, uint8_t info, uint8_t lid);
/* The log page was read with RAE clear: its events may be reported again. */
void ssd_aer_log_read(struct ssd *ssd, uint8_t lid);
/* Controller level reset: requests and events are gone. */
void ssd_aer_reset(struct ssd *ssd);

#endif
