/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * time.h - how the driver waits.
 */
#ifndef PYNVME_NVME_TIME_H
#define PYNVME_NVME_TIME_H

#include <stdint.h>

struct nvme_ctrl;

/* Between two looks at a device: let a soft bus work, then sleep @ns; 0: only let others run. */
void nvme_time_nap(struct nvme_ctrl *ctrl, uint64_t ns);

#endif
