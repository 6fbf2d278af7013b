/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rate.h - an absolute schedule: command n (1, 2, ...) is due at start + n / IOPS.
 *
 * Late commands do not move the ones after them, and there is no burst at the start.
 */
#ifndef PYNVME_IOWORKER_RATE_H
#define PYNVME_IOWORKER_RATE_H

#include <stdint.h>

struct rate {
	uint64_t start_ns;
	uint64_t micro_iops; /* commands in 10^6 seconds; 0: no limit */
	uint64_t released;
	uint64_t next_ns; /* when command released + 1 is due */
};

/* @iops: 0 no limit; fractions down to 10^-6 count, and what is beyond 10^12 no more */
void rate_init(struct rate *r, double iops, uint64_t start_ns);

/* How many commands, at most @max, may be issued now; they count as issued. */
uint64_t rate_take(struct rate *r, uint64_t now_ns, uint64_t max);

#endif
