/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fake_bus.h - a bus whose device is an array: config space, registers, and a list of
 * the DMA chunks that are mapped.
 */
#ifndef PYNVME_TESTS_FAKE_BUS_H
#define PYNVME_TESTS_FAKE_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/bus.h"

#define FAKE_CHUNKS 64

struct fake_bus {
	struct bus bus;
	uint8_t cfg[4096];
	/* what was done to it */
	struct dma_chunk *mapped[FAKE_CHUNKS];
	unsigned int maps, unmaps, unmasks;
	int irq_fds[8];
	unsigned int irqs;
	/* how it shall behave */
	int map_err;		/* returned by dma_map ... */
	unsigned int maps_left; /* ... once so many succeeded */
	size_t map_max_bytes;	/* larger chunks are refused with -ENOMEM; 0: none are */
	bool pmcsr_stuck;	/* the power state cannot be changed */
};

void fake_bus_init(struct fake_bus *fake);
/* Is [iova, iova + len) inside one mapped chunk? */
bool fake_bus_reaches(const struct fake_bus *fake, uint64_t iova, size_t len);

#endif
