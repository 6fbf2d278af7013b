/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * time.h - what time it is for a controller, and how the driver waits.
 *
 * The hot path is told the time by its caller; everything else asks here.
 */
#ifndef PYNVME_NVME_TIME_H
#define PYNVME_NVME_TIME_H

#include <stdint.h>

struct nvme_ctrl;

/**
 * struct nvme_time_ops - a clock of a test's own, by which hours take no time
 * @now_ns: may not go back
 * @nap: @ns later, or for 0 whenever it likes. Nothing else needs to move the clock
 */
struct nvme_time_ops {
	uint64_t (*now_ns)(void *priv);
	void (*nap)(void *priv, uint64_t ns);
};

uint64_t nvme_time_now_ns(const struct nvme_ctrl *ctrl);

/* Between two looks at a device: let a soft bus work, then sleep @ns; 0: only let others run. */
void nvme_time_nap(struct nvme_ctrl *ctrl, uint64_t ns);

#endif
