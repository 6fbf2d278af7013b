/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * time.h - what time it is for a controller, and how the driver waits.
 *
 * The hot path is told the time by its caller; everything else asks here.
 */
#ifndef PYNVME_NVME_TIME_H
#define PYNVME_NVME_TIME_H

#include <stdbool.h>
#include <stdint.h>

struct nvme_ctrl;

#define NVME_TIMEOUTS 8u

/* Since when a command timeout holds; the first one since ever. */
struct nvme_timeout {
	uint64_t since_ns;
	uint32_t ms;
};

/*
 * Between two looks at the clock, while somebody waits: the host itself did not run (it was stopped,
 * suspended, or had no time for us), and what it missed says nothing about the device.
 */
#define NVME_STALL_NS UINT64_C(1000000000)

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

/* The timeout of commands submitted from now on, at least 1 ms. */
void nvme_timeout_set(struct nvme_ctrl *ctrl, uint32_t ms);
/* That of a command submitted at @submit_ns; only the last few changes are known. */
uint32_t nvme_timeout_ms(struct nvme_ctrl *ctrl, uint64_t submit_ns);
/* No command that can be told from others has a shorter one. */
uint32_t nvme_timeout_shortest_ms(struct nvme_ctrl *ctrl);

/**
 * struct nvme_deadline - the end of a wait, which a host that did not run does not bring about
 * @until_ns: when the device is late
 * @seen_ns: of the last look
 * @graces: how often more time was given
 */
struct nvme_deadline {
	uint64_t until_ns;
	uint64_t seen_ns;
	unsigned int graces;
};

void nvme_deadline_init(struct nvme_deadline *d, uint64_t now_ns, uint64_t wait_ns);
/* Is the device late? To be asked before, or without, the look that may tell otherwise. */
bool nvme_deadline_passed(struct nvme_deadline *d, uint64_t now_ns);

#endif
