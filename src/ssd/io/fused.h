/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fused.h - Compare and Write as one operation (Base 2.1 section 3.4.2, option fuses=1).
 *
 * The Compare waits, not executed, until its queue's next command is there; then both run, with
 * nothing in between.
 */
#ifndef PYNVME_SSD_IO_FUSED_H
#define PYNVME_SSD_IO_FUSED_H

#include <stdbool.h>
#include <stdint.h>

struct ssd;
struct ssd_ctx;
struct ssd_sq;

/* How long a Compare waits for its Write, which both doorbells ought to have announced. */
#define SSD_FUSED_WAIT_NS 100000000ull

/* A command that says it is a half of a fused operation, and did not come as the second of two. */
uint16_t ssd_fused_half(struct ssd *ssd, struct ssd_ctx *c);
/*
 * @c was fetched while @sq is odd: true, it was dealt with, as the second half of the first one
 * that waits or failed; false, a first one is over (00/0a), and @c is a command like any other.
 */
bool ssd_fused_next(struct ssd *ssd, struct ssd_sq *sq, struct ssd_ctx *c);
/* A command of @sq ended before it was executed: if it is a first half, so does the second. */
void ssd_fused_failed(struct ssd_sq *sq, const struct ssd_ctx *c);

#endif
