/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * telemetry.h - Telemetry Host-Initiated, log page 07h (Base 2.1 section 5.1.12.1.8).
 *
 * A snapshot: taken when the host asks for it (Create), read in as many parts as it likes.
 */
#ifndef PYNVME_SSD_ADMIN_TELEMETRY_H
#define PYNVME_SSD_ADMIN_TELEMETRY_H

#include <stdint.h>

#include "spec/logs.h"

#define SSD_TELEMETRY_BLOCKS 4 /* of data; the header is one more */

struct ssd;

/**
 * struct ssd_telemetry
 * @header: its last blocks are 0 until the host first asks for data
 */
struct ssd_telemetry {
	struct nvme_telemetry header;
	char data[SSD_TELEMETRY_BLOCKS * sizeof(struct nvme_telemetry)];
};

/* Power on: nothing was captured; the generation counts on. */
void ssd_telemetry_power(struct ssd *ssd);

#endif
