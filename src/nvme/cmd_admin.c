/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmd_admin.c - the driver's own admin commands (Base 2.1 section 5).
 */
#include "nvme/cmd_admin.h"

#include "nvme/qpair.h"
#include "spec/identify.h"

void nvme_cmd_identify(struct nvme_req *req, void *data, uint8_t cns, uint32_t nsid)
{
	req->sqe = (struct nvme_sqe){ .opc = NVME_ADMIN_IDENTIFY, .nsid = nsid, .cdw10 = cns };
	req->data = data;
	req->data_bytes = NVME_IDENTIFY_BYTES;
}

void nvme_cmd_set_features(struct nvme_req *req, uint8_t fid, uint32_t cdw11)
{
	req->sqe =
		(struct nvme_sqe){ .opc = NVME_ADMIN_SET_FEATURES, .cdw10 = fid, .cdw11 = cdw11 };
}

static uint32_t queue_cdw10(uint16_t qid, uint32_t entries)
{
	return (uint32_t)(NVME_SET(qid, QUEUE_QID) | NVME_SET(entries - 1, QUEUE_QSIZE));
}

void nvme_cmd_create_cq(struct nvme_req *req, uint16_t qid, uint32_t entries, uint64_t iova,
			uint16_t vector)
{
	req->flags |= NVME_REQ_RAW_PTR;
	req->sqe = (struct nvme_sqe){
		.opc = NVME_ADMIN_CREATE_CQ,
		.prp1 = iova,
		.cdw10 = queue_cdw10(qid, entries),
		.cdw11 = NVME_QUEUE_PC,
	};
	if (vector != NVME_QPAIR_NO_IRQ)
		req->sqe.cdw11 |= NVME_CQ_IEN | (uint32_t)vector << NVME_CQ_IV_SHIFT;
}

void nvme_cmd_create_sq(struct nvme_req *req, uint16_t qid, uint32_t entries, uint64_t iova,
			uint16_t cqid, unsigned int prio)
{
	req->flags |= NVME_REQ_RAW_PTR;
	req->sqe = (struct nvme_sqe){
		.opc = NVME_ADMIN_CREATE_SQ,
		.prp1 = iova,
		.cdw10 = queue_cdw10(qid, entries),
		.cdw11 = (uint32_t)(NVME_QUEUE_PC | NVME_SET(prio, SQ_QPRIO) |
				    NVME_SET(cqid, SQ_CQID)),
	};
}

void nvme_cmd_delete_queue(struct nvme_req *req, uint8_t opcode, uint16_t qid)
{
	req->sqe = (struct nvme_sqe){ .opc = opcode, .cdw10 = qid };
}
