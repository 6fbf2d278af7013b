/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * feature.h - values of features (Base 2.1 section 5.1.25).
 *
 * Features of one dword live in the table below by FID, saved values in ssd->saved. What has more state than that
 * (timestamp, host memory buffer, ...) keeps it in a struct of its own beside them.
 */
#ifndef PYNVME_SSD_ADMIN_FEATURE_H
#define PYNVME_SSD_ADMIN_FEATURE_H

#include <stdint.h>

#include "spec/features.h"

struct ssd;
struct ssd_ctrl;

struct ssd_features {
	uint32_t current[256];
};

/* Values as a drive leaves the factory. */
void ssd_features_init(struct ssd *ssd);
/* Controller level reset: saved values become current ones. */
void ssd_features_reset(struct ssd_ctrl *ctrl);

#endif
