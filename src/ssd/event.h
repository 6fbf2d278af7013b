/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * event.h - what happens later: a binary heap of due times.
 *
 * Delayed completions, background operations and shutdown all wait here; ssd_step()
 * fires what is due, in order of time and, at the same time, of insertion.
 */
#ifndef PYNVME_SSD_EVENT_H
#define PYNVME_SSD_EVENT_H

#include <stdbool.h>
#include <stdint.h>

struct ssd;
struct ssd_event;

typedef void ssd_event_fn(struct ssd *ssd, struct ssd_event *ev);

/**
 * struct ssd_event - embedded in what waits; zeroed is idle
 * @due_ns: when it fires
 * @seq: order among equal times
 * @pos: place in the heap, one-based; 0: not waiting
 * @fire: called once, with the event idle again
 */
struct ssd_event {
	uint64_t due_ns;
	uint64_t seq;
	uint32_t pos;
	ssd_event_fn *fire;
};

struct ssd_events {
	struct ssd_event **heap;
	uint32_t n;
	uint32_t room;
	uint64_t seq;
};

/* Room for @n events in all, so that ssd_event_set() cannot fail; 0 or -ENOMEM. */
int ssd_events_reserve(struct ssd_events *evs, uint32_t n);
void ssd_events_fini(struct ssd_events *evs);

/* (Re)arm @ev for @due_ns. */
void ssd_event_set(struct ssd_events *evs, struct ssd_event *ev, uint64_t due_ns);
/* Forget @ev; harmless when idle. */
void ssd_event_clear(struct ssd_events *evs, struct ssd_event *ev);

static inline bool ssd_event_waiting(const struct ssd_event *ev)
{
	return ev->pos != 0;
}

static inline uint64_t ssd_events_next_ns(const struct ssd_events *evs)
{
	return evs->n ? evs->heap[0]->due_ns : UINT64_MAX;
}

#endif
