/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pel.h - the Persistent Event Log, log page 0Dh (Base 2.1 section 5.1.12.1.14).
 *
 * A ring of the last events. A reader establishes a context: a snapshot that later reads see.
 *
 *   establish with a context there	00/0c
 *   read without one			00/0c
 */
#ifndef PYNVME_SSD_ADMIN_PEL_H
#define PYNVME_SSD_ADMIN_PEL_H

#include <stdbool.h>
#include <stdint.h>

#define SSD_PEL_EVENTS	   128
#define SSD_PEL_DATA_BYTES 44 /* of the longest event */

struct ssd;

struct ssd_pel_event {
	uint8_t type; /* NVME_PEL_* */
	uint8_t rev;
	uint8_t len;
	uint64_t time_ms;
	uint8_t data[SSD_PEL_DATA_BYTES];
};

/**
 * struct ssd_pel
 * @count: events ever made; the newest is at (count - 1) % EVENTS
 * @context: the established snapshot of @context_bytes, NULL without one
 */
struct ssd_pel {
	struct ssd_pel_event events[SSD_PEL_EVENTS];
	uint64_t count;
	uint8_t *context;
	uint32_t context_bytes;
	uint16_t generation;
};

void ssd_pel_fini(struct ssd *ssd);
/* A controller level reset releases the context. */
void ssd_pel_reset(struct ssd *ssd);

void ssd_pel_power_on(struct ssd *ssd);
void ssd_pel_fw_commit(struct ssd *ssd, uint8_t slot, uint8_t action, uint16_t status);
void ssd_pel_timestamp(struct ssd *ssd, uint64_t before_ms);
/* @nsid, @cdw10: of the command; @status: of its end */
void ssd_pel_format(struct ssd *ssd, bool start, uint32_t nsid, uint32_t cdw10, uint16_t status);
void ssd_pel_sanitize(struct ssd *ssd, bool start, uint32_t cdw10, uint32_t cdw11);

#endif
