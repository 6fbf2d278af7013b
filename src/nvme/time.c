// SPDX-License-Identifier: BSD-3-Clause
#include "nvme/time.h"

#include <sched.h>
#include <time.h>

#include "base/clock.h"
#include "bus/bus.h"
#include "nvme/ctrl.h"

void nvme_time_nap(struct nvme_ctrl *ctrl, uint64_t ns)
{
	const struct timespec time = { .tv_nsec = (long)ns };

	if (ctrl->bus)
		bus_step(ctrl->bus, clock_now_ns());
	if (ns)
		nanosleep(&time, NULL);
	else
		sched_yield();
}
