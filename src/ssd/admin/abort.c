/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Abort: Base 2.1 section 5.1.1. A command that waits in its queue, or is inside the device
 * and has not completed, ends with 00/07; CDW0 bit 0 says that there was none.
 * Aborts are executed one at a time, so that the limit (01/03) is never exceeded.
 */
#include "ssd/device.h"
#include "ssd/step.h"

uint16_t ssd_admin_abort(struct ssd *ssd, struct ssd_ctx *c)
{
	uint16_t sqid = NVME_GET(c->sqe.cdw10, ABORT_SQID);
	uint16_t cid = NVME_GET(c->sqe.cdw10, ABORT_CID);
	struct ssd_ctx *victim;

	c->cdw0 = NVME_ABORT_NOT_ABORTED;
	if (sqid >= SSD_QUEUES_MAX || (!c->ctrl->fabrics && !c->ctrl->sq[sqid].live))
		return 0;
	victim = ssd_ctx_find(c->ctrl, sqid, cid);
	if (victim) {
		ssd_abort_ctx(ssd, victim, NVME_SC_ABORT_REQUESTED);
		c->cdw0 = 0;
	} else if (sqid && !c->ctrl->fabrics &&
		   ssd_abort_queued(c->ctrl, &c->ctrl->sq[sqid], cid)) {
		c->cdw0 = 0;
	}
	return 0;
}
