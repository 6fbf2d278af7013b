/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * aer.h - Asynchronous Event Requests: their CIDs, and the ones that the driver keeps posted.
 *
 * Eight CIDs of the admin queue, 28..35, are kept for AERs. A script's own AERs beyond these
 * take others up to 99 while there are any.
 */
#ifndef PYNVME_NVME_AER_H
#define PYNVME_NVME_AER_H

#include <stdbool.h>
#include <stdint.h>

struct nvme_ctrl;
struct nvme_qpair;

/* Make @q (the admin queue, before nvme_qpair_rewind()) keep CIDs for AERs. 0, -ENOMEM. */
int nvme_aer_reserve(struct nvme_qpair *q);

/* CIDs of commands with NVME_REQ_AER. */
bool nvme_aer_keeps_cid(const struct nvme_qpair *q, uint16_t cid);
bool nvme_aer_has_cid(const struct nvme_qpair *q);
uint16_t nvme_aer_take_cid(struct nvme_qpair *q);
void nvme_aer_put_cid(struct nvme_qpair *q, uint16_t cid);
void nvme_aer_rewind(struct nvme_qpair *q);

/* The driver's own requests. 0, -ENOMEM. */
int nvme_aer_init(struct nvme_ctrl *ctrl);
void nvme_aer_fini(struct nvme_ctrl *ctrl);
/* After a poll, under admin_lock: post again what has completed. */
void nvme_aer_repost(struct nvme_ctrl *ctrl, uint64_t now_ns);

#endif
