/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pci_slot.h - power of the slot that a real function sits in.
 */
#ifndef PYNVME_BUS_PCI_SLOT_H
#define PYNVME_BUS_PCI_SLOT_H

#include <stdbool.h>

struct bus;

/**
 * pci_slot_power() - the slot's power controller (Slot Control, PCIe 7.5.3.10)
 *
 * On: waits until the function answers config reads again, at most 10 s.
 * Errors: -EOPNOTSUPP the port has no power controller, -EACCES not root, -ETIMEDOUT.
 */
int pci_slot_power(struct bus *bus, bool on);

#endif
