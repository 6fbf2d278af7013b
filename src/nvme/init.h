/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * init.h - bring-up steps that only the driver's own files take; the others are in ctrl.h.
 */
#ifndef PYNVME_NVME_INIT_H
#define PYNVME_NVME_INIT_H

struct nvme_ctrl;

/* CAP and VS, and what follows from them. -ENODEV all-ones, -EPROTO what we cannot drive. */
int nvme_ctrl_read_caps(struct nvme_ctrl *ctrl);

/* Memory of the admin queue, if there is none yet. */
int nvme_ctrl_alloc_adminq(struct nvme_ctrl *ctrl);

/* Disable, then the caller's own initialisation or the standard one; ends with a live queue. */
int nvme_ctrl_init(struct nvme_ctrl *ctrl);

#endif
