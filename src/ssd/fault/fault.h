/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fault.h - injected faults: rules, matched once a command (ssd.h has the rule itself).
 */
#ifndef PYNVME_SSD_FAULT_FAULT_H
#define PYNVME_SSD_FAULT_FAULT_H

#include <stdint.h>

#include "ssd/ssd.h"

struct ssd;

struct ssd_fault_rule {
	int id;
	struct ssd_fault f;
};

struct ssd_faults {
	struct ssd_fault_rule *rules;
	uint32_t n;
	uint32_t nstale; /* rules that need older data: SSD_FAULT_STALE */
	int next_id;
};

void ssd_faults_fini(struct ssd *ssd);

#endif
