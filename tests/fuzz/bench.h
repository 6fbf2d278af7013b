/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bench.h - a drive and a host memory of 256 KiB, for the fuzz targets of the software SSD.
 *
 * Whatever lies outside of that memory is not mapped. The address sanitizer guards its ends, and
 * those of every piece that the drive was given.
 */
#ifndef PYNVME_TESTS_FUZZ_BENCH_H
#define PYNVME_TESTS_FUZZ_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "input.h"
#include "ssd/ssd.h"

#define BENCH_IOVA  UINT64_C(0x10000)
#define BENCH_PAGES 64u
#define BENCH_BYTES (BENCH_PAGES * 4096u)

struct bench {
	struct ssd *ssd;
	uint64_t now_ns;
	volatile uint32_t *db;
	size_t db_words;
	uint8_t *mem;
	bool split;	/* give memory out a page at a time */
	uint8_t format; /* what namespaces are to be formatted with, 0..7 */
};

/* One of sixteen profiles, by the first byte of the input. */
void bench_open(struct bench *b, struct input *in);
void bench_close(struct bench *b);
/* Bytes of the input into host memory. */
void bench_write_memory(struct bench *b, struct input *in);
/* Steps while there is work, a bounded number of times; then on to the next event. */
void bench_step(struct bench *b);
void bench_advance(struct bench *b, uint64_t ns);
/* The controller's admin queue at its start of memory: 32 entries each. */
void bench_enable(struct bench *b);
/* What else a host does to a drive: resets, power, faults, temperature. */
void bench_event(struct bench *b, struct input *in);

#endif
