/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sanitize.h - Sanitize and its status log (Base 2.1 sections 5.1.22, 8.1.24).
 */
#ifndef PYNVME_SSD_ADMIN_SANITIZE_H
#define PYNVME_SSD_ADMIN_SANITIZE_H

#include <stdbool.h>
#include <stdint.h>

#include "ssd/background.h"

struct ssd;

struct ssd_sanitize {
	struct ssd_background bg;
	uint8_t status;		/* NVME_SOS_* of the last operation */
	bool erased;		/* nothing but sanitize since the data was last erased */
	uint32_t cdw10;		/* of the command that started it */
	uint64_t erased_writes; /* write commands counted when it ended */
};

/* No command but those allowed by the specification is executed meanwhile. */
static inline bool ssd_sanitize_runs(const struct ssd_sanitize *s)
{
	return ssd_background_runs(&s->bg);
}

/* Resets do not stop it, nor does power loss. */
void ssd_sanitize_power(struct ssd *ssd);

#endif
