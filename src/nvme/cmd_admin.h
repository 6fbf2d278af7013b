/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmd_admin.h - fill requests with the admin commands that the driver itself sends.
 *
 * What scripts send is theirs to fill: nvme_cmd_raw() of nvme/cmd.h.
 */
#ifndef PYNVME_NVME_CMD_ADMIN_H
#define PYNVME_NVME_CMD_ADMIN_H

#include <stdint.h>

#include "nvme/req.h"

/* @data: NVME_IDENTIFY_BYTES */
void nvme_cmd_identify(struct nvme_req *req, void *data, uint8_t cns, uint32_t nsid);
void nvme_cmd_set_features(struct nvme_req *req, uint8_t fid, uint32_t cdw11);

/* @entries: one-based; @vector: NVME_QPAIR_NO_IRQ for none */
void nvme_cmd_create_cq(struct nvme_req *req, uint16_t qid, uint32_t entries, uint64_t iova,
			uint16_t vector);
void nvme_cmd_create_sq(struct nvme_req *req, uint16_t qid, uint32_t entries, uint64_t iova,
			uint16_t cqid, unsigned int prio);
/* @opcode: NVME_ADMIN_DELETE_SQ or NVME_ADMIN_DELETE_CQ */
void nvme_cmd_delete_queue(struct nvme_req *req, uint8_t opcode, uint16_t qid);

#endif
