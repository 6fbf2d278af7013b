/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * crc_cost.c - how long the CRCs of eight LBAs take, in ns of CPU time: the mean over 32
 * buffers, as many as a queue of that depth keeps in the cache.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/crc32c.h"

#define LBA_BYTES 512u
#define LBAS	  8u
#define BUFFERS	  32u
#define ROUNDS	  2000u

/* CPU time of the thread: others may be running. */
static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

int main(void)
{
	uint8_t *data = calloc(BUFFERS, LBAS * LBA_BYTES);
	volatile uint32_t sink = 0;
	uint64_t begin_ns;

	if (!data)
		return 1;
	begin_ns = cpu_ns();
	for (unsigned int round = 0; round < ROUNDS; round++) {
		for (unsigned int lba = 0; lba < BUFFERS * LBAS; lba++)
			sink = sink ^ crc32c(0, data + (size_t)lba * LBA_BYTES, LBA_BYTES);
	}
	printf("%.1f\n", (double)(cpu_ns() - begin_ns) / (ROUNDS * BUFFERS));
	free(data);
	return 0;
}
