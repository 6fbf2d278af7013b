/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * uio.h - a PCIe function through uio_pci_generic and sysfs, for root, without an IOMMU.
 *
 * BAR0 is mapped whole; a read from a function that does not decode completes with
 * all-ones, as on any bus. Interrupts are INTx. DMA addresses are physical.
 */
#ifndef PYNVME_BUS_UIO_H
#define PYNVME_BUS_UIO_H

#include "bus/bus.h"

extern const struct bus_ops uio_ops;

#endif
