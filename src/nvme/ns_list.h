/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ns_list.h - the open namespaces of a controller, for the driver's own files.
 */
#ifndef PYNVME_NVME_NS_LIST_H
#define PYNVME_NVME_NS_LIST_H

#include <stdint.h>

struct nvme_ctrl;

/* Identify every open namespace again; what fails keeps its old format, with a warning. */
void nvme_ns_refresh_all(struct nvme_ctrl *ctrl, uint32_t timeout_ms);

/* nvme_ns_stride() of an open namespace, 0 if it is not. */
uint32_t nvme_ns_stride_of(struct nvme_ctrl *ctrl, uint32_t nsid, uint32_t cdw12);

/* Nothing is known of these LBAs any more; @nsid may be NVME_NSID_ALL, @nlb 0 means all. */
void nvme_ns_forget(struct nvme_ctrl *ctrl, uint32_t nsid, uint64_t slba, uint64_t nlb);

/* Everything acknowledged so far is durable: an orderly shutdown is complete. */
void nvme_ns_flushed(struct nvme_ctrl *ctrl);
/* What was not durable is unknown. */
void nvme_ns_power_lost(struct nvme_ctrl *ctrl);

#endif
