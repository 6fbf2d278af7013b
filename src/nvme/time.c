// SPDX-License-Identifier: BSD-3-Clause
#include "nvme/time.h"

#include <sched.h>
#include <time.h>

#include "base/clock.h"
#include "bus/bus.h"
#include "nvme/ctrl.h"

uint64_t nvme_time_now_ns(const struct nvme_ctrl *ctrl)
{
	const struct nvme_time_ops *ops = ctrl->opts.time;

	return ops ? ops->now_ns(ctrl->opts.time_priv) : clock_now_ns();
}

static void sleep_ns(uint64_t ns)
{
	const struct timespec time = { .tv_nsec = (long)ns };

	if (ns)
		nanosleep(&time, NULL);
	else
		sched_yield();
}

void nvme_time_nap(struct nvme_ctrl *ctrl, uint64_t ns)
{
	if (ctrl->bus)
		bus_step(ctrl->bus, nvme_time_now_ns(ctrl));
	if (ctrl->opts.time)
		ctrl->opts.time->nap(ctrl->opts.time_priv, ns);
	else
		sleep_ns(ns);
}
