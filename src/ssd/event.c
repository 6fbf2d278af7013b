/* SPDX-License-Identifier: BSD-3-Clause */
#include "ssd/event.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static bool earlier(const struct ssd_event *a, const struct ssd_event *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->seq < b->seq;
}

static void put_at(struct ssd_events *evs, struct ssd_event *ev, uint32_t i)
{
	evs->heap[i] = ev;
	ev->pos = i + 1;
}

static void sift_up(struct ssd_events *evs, struct ssd_event *ev, uint32_t i)
{
	while (i && earlier(ev, evs->heap[(i - 1) / 2])) {
		put_at(evs, evs->heap[(i - 1) / 2], i);
		i = (i - 1) / 2;
	}
	put_at(evs, ev, i);
}

static void sift_down(struct ssd_events *evs, struct ssd_event *ev, uint32_t i)
{
	for (;;) {
		uint32_t kid = 2 * i + 1;

		if (kid >= evs->n)
			break;
		if (kid + 1 < evs->n && earlier(evs->heap[kid + 1], evs->heap[kid]))
			kid++;
		if (!earlier(evs->heap[kid], ev))
			break;
		put_at(evs, evs->heap[kid], i);
		i = kid;
	}
	put_at(evs, ev, i);
}

int ssd_events_reserve(struct ssd_events *evs, uint32_t n)
{
	struct ssd_event **heap;

	if (n <= evs->room)
		return 0;
	heap = realloc(evs->heap, n * sizeof(*heap));
	if (!heap)
		return -ENOMEM;
	evs->heap = heap;
	evs->room = n;
	return 0;
}

void ssd_events_fini(struct ssd_events *evs)
{
	free(evs->heap);
	*evs = (struct ssd_events){ 0 };
}

void ssd_event_set(struct ssd_events *evs, struct ssd_event *ev, uint64_t due_ns)
{
	ssd_event_clear(evs, ev);
	assert(evs->n < evs->room);
	ev->due_ns = due_ns;
	ev->seq = evs->seq++;
	sift_up(evs, ev, evs->n++);
}

void ssd_event_clear(struct ssd_events *evs, struct ssd_event *ev)
{
	uint32_t i = ev->pos - 1;
	struct ssd_event *last;

	if (!ev->pos)
		return;
	ev->pos = 0;
	last = evs->heap[--evs->n];
	if (last == ev)
		return;
	if (i && earlier(last, evs->heap[(i - 1) / 2]))
		sift_up(evs, last, i);
	else
		sift_down(evs, last, i);
}
