/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vfio.h - a PCIe function through Linux VFIO.
 *
 * With an IOMMU (type 1), or without (no-IOMMU mode, for root, with huge pages).
 * Registers and config space go by pread and pwrite, so that a function that stopped
 * decoding answers all-ones instead of raising a signal; only doorbells are mapped.
 */
#ifndef PYNVME_BUS_VFIO_H
#define PYNVME_BUS_VFIO_H

#include "bus/bus.h"

extern const struct bus_ops vfio_ops;

#endif
