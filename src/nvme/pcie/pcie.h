/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcie.h - the PCIe transport's own: what its files share.
 */
#ifndef PYNVME_NVME_PCIE_PCIE_H
#define PYNVME_NVME_PCIE_PCIE_H

#include <stddef.h>
#include <stdint.h>

#include "nvme/ctrl.h"

struct nvme_qpair;
struct nvme_req;

/* BAR0 offsets of a queue pair's doorbells. */
uint32_t nvme_pcie_sq_doorbell(const struct nvme_qpair *q);
uint32_t nvme_pcie_cq_doorbell(const struct nvme_qpair *q);

/* A doorbell where none is mapped: a register write, unless the queue is frozen. */
void nvme_pcie_trap(struct nvme_qpair *q, uint32_t off, uint16_t val);

/* See struct nvme_transport_ops. */
int nvme_pcie_health(struct nvme_ctrl *ctrl);
void nvme_pcie_why_gone(struct nvme_ctrl *ctrl, char *text, size_t len);
int nvme_pcie_reset(struct nvme_ctrl *ctrl, enum nvme_reset kind);
int nvme_pcie_wake(struct nvme_ctrl *ctrl);

/* Hot, see struct nvme_transport_ops. */
void nvme_pcie_submit(struct nvme_qpair *q, struct nvme_req *req);
void nvme_pcie_ring(struct nvme_qpair *q);
unsigned int nvme_pcie_poll(struct nvme_qpair *q, unsigned int max, uint64_t now_ns);
/* Not hot, see struct nvme_transport_ops. */
bool nvme_pcie_answered(const struct nvme_qpair *q, uint16_t cid);

#endif
