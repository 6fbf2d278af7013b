/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * soft.h - the bus to the software SSD of this process.
 *
 * Whoever polls a soft bus steps its SSD, under a try-lock. One runner thread a
 * process serves all SSDs as a backstop; "sim:thread=always" leaves the work to it
 * alone. See bus_ops.step.
 */
#ifndef PYNVME_BUS_SOFT_H
#define PYNVME_BUS_SOFT_H

struct bus;
struct ssd;

extern const struct bus_ops soft_ops;

/* The device behind a soft bus, NULL for any other bus. */
struct ssd *soft_ssd(struct bus *bus);

#endif
