/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * event.c - what a controller has to tell its script: a bounded ring, oldest first.
 *
 * When nobody listens, the newest are dropped and counted: a storm costs no memory.
 */
#include "nvme/event.h"

#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "nvme/ctrl.h"

#define EVENTS 256u

struct nvme_events {
	pthread_mutex_t lock;
	_Atomic uint32_t count;
	uint32_t first;
	uint64_t lost;
	struct nvme_event ring[EVENTS];
};

int nvme_event_init(struct nvme_ctrl *ctrl)
{
	struct nvme_events *events = calloc(1, sizeof(*events));

	if (!events)
		return err_set(-ENOMEM, "no memory for events");
	pthread_mutex_init(&events->lock, NULL);
	ctrl->events = events;
	return 0;
}

void nvme_event_fini(struct nvme_ctrl *ctrl)
{
	if (!ctrl->events)
		return;
	pthread_mutex_destroy(&ctrl->events->lock);
	free(ctrl->events);
	ctrl->events = NULL;
}

void nvme_event_push(struct nvme_ctrl *ctrl, const struct nvme_event *ev)
{
	struct nvme_events *events = ctrl->events;
	uint32_t count;

	pthread_mutex_lock(&events->lock);
	count = atomic_load(&events->count);
	if (count == EVENTS) {
		events->lost++;
	} else {
		events->ring[(events->first + count) % EVENTS] = *ev;
		atomic_store(&events->count, count + 1);
	}
	pthread_mutex_unlock(&events->lock);
}

int nvme_event_pop(struct nvme_ctrl *ctrl, struct nvme_event *ev, uint64_t *lost)
{
	struct nvme_events *events = ctrl->events;
	uint32_t count;

	pthread_mutex_lock(&events->lock);
	count = atomic_load(&events->count);
	if (count) {
		*ev = events->ring[events->first];
		events->first = (events->first + 1) % EVENTS;
		atomic_store(&events->count, count - 1);
	}
	if (lost) {
		*lost = events->lost;
		events->lost = 0;
	}
	pthread_mutex_unlock(&events->lock);
	return count ? 1 : 0;
}

int nvme_event_pop_but(struct nvme_ctrl *ctrl, enum nvme_event_type left, struct nvme_event *ev)
{
	struct nvme_events *events = ctrl->events;
	uint32_t count, i = 0;

	pthread_mutex_lock(&events->lock);
	count = atomic_load(&events->count);
	while (i < count && events->ring[(events->first + i) % EVENTS].type == left)
		i++;
	if (i < count) {
		*ev = events->ring[(events->first + i) % EVENTS];
		/* Those before it close the gap. */
		for (; i; i--)
			events->ring[(events->first + i) % EVENTS] =
				events->ring[(events->first + i - 1) % EVENTS];
		events->first = (events->first + 1) % EVENTS;
		atomic_store(&events->count, count - 1);
		i = 1;
	} else {
		i = 0;
	}
	pthread_mutex_unlock(&events->lock);
	return (int)i;
}

bool nvme_event_any(const struct nvme_ctrl *ctrl)
{
	return atomic_load_explicit(&ctrl->events->count, memory_order_relaxed) > 0;
}
