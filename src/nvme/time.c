// SPDX-License-Identifier: BSD-3-Clause
#include "nvme/time.h"

#include <sched.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "bus/bus.h"
#include "nvme/ctrl.h"

/* What the device, or its model, is given to show what it has done meanwhile. */
#define GRACE_NS   UINT64_C(1000000000)
#define GRACES_MAX 100u

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

void nvme_timeout_set(struct nvme_ctrl *ctrl, uint32_t ms)
{
	struct nvme_timeout *all = ctrl->timeouts;

	pthread_mutex_lock(&ctrl->timeout_lock);
	if (ctrl->ntimeouts == NVME_TIMEOUTS) {
		memmove(all, all + 1, sizeof(*all) * (NVME_TIMEOUTS - 1));
		ctrl->ntimeouts--;
	}
	all[ctrl->ntimeouts++] =
		(struct nvme_timeout){ .since_ns = nvme_time_now_ns(ctrl), .ms = ms };
	atomic_store(&ctrl->timeout_ms, ms);
	pthread_mutex_unlock(&ctrl->timeout_lock);
}

uint32_t nvme_timeout_ms(struct nvme_ctrl *ctrl, uint64_t submit_ns)
{
	uint32_t ms, i = 0;

	pthread_mutex_lock(&ctrl->timeout_lock);
	while (i + 1 < ctrl->ntimeouts && ctrl->timeouts[i + 1].since_ns <= submit_ns)
		i++;
	ms = ctrl->timeouts[i].ms;
	pthread_mutex_unlock(&ctrl->timeout_lock);
	return ms;
}

uint32_t nvme_timeout_shortest_ms(struct nvme_ctrl *ctrl)
{
	uint32_t ms = UINT32_MAX;

	pthread_mutex_lock(&ctrl->timeout_lock);
	for (uint32_t i = 0; i < ctrl->ntimeouts; i++)
		ms = ctrl->timeouts[i].ms < ms ? ctrl->timeouts[i].ms : ms;
	pthread_mutex_unlock(&ctrl->timeout_lock);
	return ms;
}

void nvme_deadline_init(struct nvme_deadline *d, uint64_t now_ns, uint64_t wait_ns)
{
	*d = (struct nvme_deadline){ .until_ns = now_ns + wait_ns, .seen_ns = now_ns };
}

bool nvme_deadline_passed(struct nvme_deadline *d, uint64_t now_ns)
{
	bool stalled = now_ns - d->seen_ns > NVME_STALL_NS;

	d->seen_ns = now_ns;
	if (stalled && d->graces < GRACES_MAX) {
		d->graces++;
		if (d->until_ns < now_ns + GRACE_NS)
			d->until_ns = now_ns + GRACE_NS;
	}
	return now_ns > d->until_ns;
}
