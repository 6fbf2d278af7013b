/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rate.c - an absolute schedule: command n (1, 2, ...) is due at start + n / IOPS.
 */
#include "ioworker/rate.h"

#include "base/likely.h"

#define MICRO_NS UINT64_C(1000000000000000) /* ns in 10^6 seconds */
#define IOPS_MAX 1e12			    /* 1000 in a ns: no clock can tell it from more */

/* Rounded up: no command is ever early. */
static uint64_t due_ns(const struct rate *r, uint64_t n)
{
	unsigned __int128 since = ((unsigned __int128)n * MICRO_NS + r->micro_iops - 1);

	return r->start_ns + (uint64_t)(since / r->micro_iops);
}

static uint64_t to_micro_iops(double iops)
{
	uint64_t micro = (uint64_t)((iops < IOPS_MAX ? iops : IOPS_MAX) * 1e6 + 0.5);

	return micro ? micro : 1;
}

void rate_init(struct rate *r, double iops, uint64_t start_ns)
{
	r->start_ns = start_ns;
	r->micro_iops = iops > 0 ? to_micro_iops(iops) : 0;
	r->released = 0;
	r->next_ns = r->micro_iops ? due_ns(r, 1) : 0;
}

uint64_t rate_take(struct rate *r, uint64_t now_ns, uint64_t max)
{
	uint64_t n = 0;

	if (likely(!r->micro_iops))
		return max;
	while (n < max && now_ns >= r->next_ns) {
		n++;
		r->released++;
		r->next_ns = due_ns(r, r->released + 1);
	}
	return n;
}
