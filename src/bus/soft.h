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

/* The device behind a soft bus, NULL for any other bus. Call it only between lock and unlock. */
struct ssd *soft_ssd(struct bus *bus);

/* Keep every other thread out of the device: the SSD has no lock of its own. */
void soft_lock(struct bus *bus);
/* What was done may have given the device something to do: the runner looks. */
void soft_unlock(struct bus *bus);

#endif
