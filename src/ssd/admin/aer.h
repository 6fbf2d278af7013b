/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * aer.h - asynchronous events and the requests that carry them (Base 2.1 section 5.1.2).
 *
 * A reported event masks its type until its log page is read without RAE
 * (ssd_aer_log_read()). Events of a masked type wait; those that the same log page tells of
 * need not.
 */
#ifndef PYNVME_SSD_ADMIN_AER_H
#define PYNVME_SSD_ADMIN_AER_H

#include <stdint.h>

#include "spec/nvme.h"

#define SSD_AER_MAX    16
#define SSD_AER_EVENTS 32
#define SSD_AER_TYPES  8

struct ssd;
struct ssd_ctrl;
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
	uint8_t masked;			 /* bit per type: reported, log not yet read */
	uint8_t reported[SSD_AER_TYPES]; /* by type: log page of the event that masks it */
};

/* Report an event, now or later; nothing new if it waits already, or its log page is unread. */
void ssd_aer_raise(struct ssd_ctrl *ctrl, enum nvme_aer_type type, uint8_t info, uint8_t lid);
/* The same for what every host is to know. */
void ssd_aer_raise_all(struct ssd *ssd, enum nvme_aer_type type, uint8_t info, uint8_t lid);
/* The log page was read with RAE clear: what it told is cleared, reported or not. */
void ssd_aer_log_read(struct ssd_ctrl *ctrl, uint8_t lid);
/* Controller level reset: requests and events are gone. */
void ssd_aer_reset(struct ssd_ctrl *ctrl);

#endif
