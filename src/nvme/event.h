/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * event.h - memory of the event ring; its use is in ctrl.h.
 */
#ifndef PYNVME_NVME_EVENT_H
#define PYNVME_NVME_EVENT_H

struct nvme_ctrl;

/* 0, -ENOMEM. */
int nvme_event_init(struct nvme_ctrl *ctrl);
void nvme_event_fini(struct nvme_ctrl *ctrl);

#endif
