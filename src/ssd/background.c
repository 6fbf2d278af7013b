/* SPDX-License-Identifier: BSD-3-Clause */
#include "ssd/background.h"

#include "ssd/device.h"

void ssd_background_start(struct ssd *ssd, struct ssd_background *bg, uint64_t len_ns,
			  ssd_event_fn *fire)
{
	bg->len_ns = len_ns;
	bg->left_ns = 0;
	bg->ev.fire = fire;
	ssd_event_set(&ssd->events, &bg->ev, ssd->now_ns + len_ns);
}

void ssd_background_stop(struct ssd *ssd, struct ssd_background *bg)
{
	bg->left_ns = 0;
	ssd_event_clear(&ssd->events, &bg->ev);
}

void ssd_background_power(struct ssd *ssd, struct ssd_background *bg)
{
	uint64_t due = bg->ev.due_ns;

	if (ssd_event_waiting(&bg->ev)) {
		/* at least 1: zero says that nothing was interrupted */
		bg->left_ns = due > ssd->now_ns ? due - ssd->now_ns : 1;
		ssd_event_clear(&ssd->events, &bg->ev);
	} else if (bg->left_ns && ssd->powered) {
		ssd_event_set(&ssd->events, &bg->ev, ssd->now_ns + bg->left_ns);
		bg->left_ns = 0;
	}
}

uint32_t ssd_background_done(const struct ssd *ssd, const struct ssd_background *bg, uint32_t whole)
{
	uint64_t left = bg->left_ns;

	if (!left && bg->ev.due_ns > ssd->now_ns)
		left = bg->ev.due_ns - ssd->now_ns;
	if (!bg->len_ns || left > bg->len_ns)
		return 0;
	left = (uint64_t)((double)left / (double)bg->len_ns * whole);
	return left ? whole - (uint32_t)left : whole - 1;
}
