/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long a command takes: its base figure, spread by +- jitter per cent, and a rare tail.
 */
#include "ssd/io/io.h"

#define TAIL_ONE_IN 1024u

uint64_t ssd_latency_ns(struct ssd *ssd, uint64_t base_ns)
{
	uint64_t r, spread;

	if (ssd->instant || !base_ns)
		return 0;
	r = rand_next(&ssd->rand);
	spread = base_ns * ssd->opts.jitter_percent / 100;
	base_ns += 2 * spread * (r & 0xffff) / 0xffff - spread;
	if (!(r >> 16 & (TAIL_ONE_IN - 1)) && ssd->opts.tail_ns)
		base_ns += (r >> 32) % ssd->opts.tail_ns;
	return base_ns ? base_ns : 1;
}
