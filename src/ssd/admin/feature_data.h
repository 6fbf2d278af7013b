/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * feature_data.h - features that are more than one dword.
 */
#ifndef PYNVME_SSD_ADMIN_FEATURE_DATA_H
#define PYNVME_SSD_ADMIN_FEATURE_DATA_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/features.h"
#include "ssd/ns.h"

struct ssd;
struct ssd_ctrl;

/**
 * struct ssd_lba_ranges - LBA Range Type of a namespace
 * @n: entries, one based; 0: nobody set any, one range covers everything
 */
struct ssd_lba_ranges {
	struct nvme_lba_range entry[NVME_LBA_RANGES_MAX];
	uint8_t n;
};

/**
 * struct ssd_feature_data
 * @time_ms, @time_at_ns: timestamp, and when it was that
 */
struct ssd_feature_data {
	struct nvme_apst apst;
	struct nvme_host_behavior behavior;
	struct nvme_host_id host_id;
	struct nvme_hmb_attributes hmb;
	uint64_t time_ms;
	uint64_t time_at_ns;
	uint8_t time_origin;
};

/* Controller level reset: all of it is volatile. */
void ssd_feature_data_reset(struct ssd_ctrl *ctrl);
/* Feature 0Eh, in ms. */
uint64_t ssd_timestamp_ms(const struct ssd_ctrl *ctrl);

#endif
