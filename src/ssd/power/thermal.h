/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * thermal.h - composite temperature against its thresholds (feature 04h; Base 2.1 5.1.25.1.3).
 */
#ifndef PYNVME_SSD_POWER_THERMAL_H
#define PYNVME_SSD_POWER_THERMAL_H

#include <stdbool.h>
#include <stdint.h>

#define SSD_WCTEMP 343
#define SSD_CCTEMP 353

struct ssd_ctrl;

/* Composite only; sensors are not modelled. */
struct ssd_thermal {
	uint16_t over_kelvin;
	uint16_t under_kelvin;
	bool exceeded;
};

void ssd_thermal_init(struct ssd_ctrl *ctrl);
/* Temperature or a threshold changed: raise the event when a threshold is crossed. */
void ssd_thermal_update(struct ssd_ctrl *ctrl);

#endif
