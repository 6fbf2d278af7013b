/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Create and delete IO queues: Base 2.1 sections 5.2.1 to 5.2.4.
 *
 *   QID 0, above the allocated number, or in use	01/01
 *   QSIZE 0 or above MQES				01/02
 *   PC 0 (CAP.CQR)					00/02
 *   vector above the last				01/08
 *   CQID of no completion queue			01/00 (out of range: 01/01)
 *   PRP1 offset					00/13
 *   completion queue with submission queues		01/0c
 */
#include "ssd/device.h"
#include "ssd/step.h"

/* What create commands share; queues are the number allocated by feature 07h. */
static uint16_t check_create(struct ssd *ssd, struct ssd_ctx *c, bool live)
{
	uint32_t id = NVME_GET(c->sqe.cdw10, QUEUE_QID), size;

	size = NVME_GET(c->sqe.cdw10, QUEUE_QSIZE);
	if (!id || id > ssd->opts.ioqueues || live) {
		c->error_loc = SSD_LOC(40, 0);
		return NVME_SC_INVALID_QUEUE_ID;
	}
	if (!size || size > ssd->opts.mqes - 1) {
		c->error_loc = SSD_LOC(42, 0);
		return NVME_SC_INVALID_QUEUE_SIZE;
	}
	if (!(c->sqe.cdw11 & NVME_QUEUE_PC)) {
		c->error_loc = SSD_LOC(44, 0);
		return NVME_SC_INVALID_FIELD;
	}
	if (c->sqe.prp1 & (c->ctrl->page_bytes - 1)) {
		c->error_loc = SSD_LOC(24, 0);
		return NVME_SC_PRP_INVALID_OFFSET;
	}
	return 0;
}

uint16_t ssd_admin_create_cq(struct ssd *ssd, struct ssd_ctx *c)
{
	uint32_t id = NVME_GET(c->sqe.cdw10, QUEUE_QID);
	uint32_t vector = NVME_GET(c->sqe.cdw11, CQ_IV);
	bool ien = c->sqe.cdw11 & NVME_CQ_IEN;
	uint16_t sc = check_create(ssd, c, id < SSD_QUEUES_MAX && c->ctrl->cq[id].live);

	if (sc)
		return sc;
	/* with INTx there is vector 0 alone */
	if (ien && vector >= (ssd_pci_msix_enabled(c->ctrl) ? c->ctrl->irqs.nvectors : 1)) {
		c->error_loc = SSD_LOC(46, 0);
		return NVME_SC_INVALID_INTERRUPT_VECTOR;
	}
	if (NVME_GET(c->ctrl->regs.cc, CC_IOCQES) != NVME_IOCQES)
		return NVME_SC_INVALID_QUEUE_SIZE;
	return ssd_cq_create(c->ctrl, (uint16_t)id, NVME_GET(c->sqe.cdw10, QUEUE_QSIZE) + 1,
			     c->sqe.prp1, ien, ien ? (uint16_t)vector : 0);
}

uint16_t ssd_admin_create_sq(struct ssd *ssd, struct ssd_ctx *c)
{
	uint32_t id = NVME_GET(c->sqe.cdw10, QUEUE_QID);
	uint32_t cqid = NVME_GET(c->sqe.cdw11, SQ_CQID);
	uint16_t sc = check_create(ssd, c, id < SSD_QUEUES_MAX && c->ctrl->sq[id].live);

	if (sc)
		return sc;
	if (!cqid || cqid > ssd->opts.ioqueues) {
		c->error_loc = SSD_LOC(46, 0);
		return NVME_SC_INVALID_QUEUE_ID;
	}
	if (!c->ctrl->cq[cqid].live) {
		c->error_loc = SSD_LOC(46, 0);
		return NVME_SC_CQ_INVALID;
	}
	if (NVME_GET(c->ctrl->regs.cc, CC_IOSQES) != NVME_IOSQES)
		return NVME_SC_INVALID_QUEUE_SIZE;
	return ssd_sq_create(c->ctrl, (uint16_t)id, NVME_GET(c->sqe.cdw10, QUEUE_QSIZE) + 1,
			     c->sqe.prp1, (uint16_t)cqid,
			     (uint8_t)NVME_GET(c->sqe.cdw11, SQ_QPRIO));
}

uint16_t ssd_admin_delete_sq(struct ssd *ssd, struct ssd_ctx *c)
{
	uint32_t id = NVME_GET(c->sqe.cdw10, QUEUE_QID);

	if (!id || id >= SSD_QUEUES_MAX || !c->ctrl->sq[id].live) {
		c->error_loc = SSD_LOC(40, 0);
		return NVME_SC_INVALID_QUEUE_ID;
	}
	ssd_abort_all(ssd, &c->ctrl->sq[id], NVME_SC_ABORTED_SQ_DELETION);
	ssd_sq_destroy(c->ctrl, &c->ctrl->sq[id]);
	return 0;
}

uint16_t ssd_admin_delete_cq(struct ssd *ssd, struct ssd_ctx *c)
{
	uint32_t id = NVME_GET(c->sqe.cdw10, QUEUE_QID);

	if (!id || id >= SSD_QUEUES_MAX || !c->ctrl->cq[id].live) {
		c->error_loc = SSD_LOC(40, 0);
		return NVME_SC_INVALID_QUEUE_ID;
	}
	if (c->ctrl->cq[id].nsqs)
		return NVME_SC_INVALID_QUEUE_DELETION;
	ssd_cq_destroy(c->ctrl, &c->ctrl->cq[id]);
	return 0;
}
