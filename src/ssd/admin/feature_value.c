/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * 10h Host Controlled Thermal Management (Base 2.1 section 5.1.25.1). A value that is not there:
 * 00/02.
 */
#include "ssd/admin/admin.h"
#include "ssd/device.h"

/* A light throttling point below the heavy one, both within MNTMT..MXTMT; 0 is off. */
uint16_t ssd_feature_set_hctm(struct ssd *ssd, struct ssd_ctx *c)
{
	uint32_t light = NVME_GET(c->sqe.cdw11, HCTM_TMT1);
	uint32_t heavy = NVME_GET(c->sqe.cdw11, HCTM_TMT2);

	if ((!light || (light >= SSD_MNTMT && light <= SSD_MXTMT)) &&
	    (!heavy || (heavy >= SSD_MNTMT && heavy <= SSD_MXTMT)) &&
	    (!light || !heavy || light < heavy))
		return 0;
	c->error_loc = SSD_LOC(44, 0);
	return NVME_SC_INVALID_FIELD;
}
