/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pci.h - config space of a bus: capabilities, bus mastering, power state, ASPM.
 *
 * Return: 0 or -errno with a text, unless said otherwise.
 */
#ifndef PYNVME_BUS_PCI_H
#define PYNVME_BUS_PCI_H

#include <stdint.h>

struct bus;

int pci_read8(struct bus *bus, unsigned int off, uint8_t *val);
int pci_read16(struct bus *bus, unsigned int off, uint16_t *val);
int pci_read32(struct bus *bus, unsigned int off, uint32_t *val);
int pci_write16(struct bus *bus, unsigned int off, uint16_t val);
int pci_write32(struct bus *bus, unsigned int off, uint32_t val);

/**
 * pci_find_cap() - where a capability lies
 * @id: enum pci_cap_id
 * Return: its offset, 0 if there is none, -errno. A list with a loop ends the search.
 */
int pci_find_cap(struct bus *bus, uint8_t id);
/* The same for extended capabilities, enum pci_ext_cap_id. */
int pci_find_ext_cap(struct bus *bus, uint16_t id);

/* 1: config space answers; 0: all-ones, the function was removed or has no power; -errno. */
int pci_present(struct bus *bus);

/* Memory decoding and bus mastering on, INTx as it was. */
int pci_enable(struct bus *bus);
/* Bus mastering off: memory is about to go, and the device may not have noticed that it is over. */
void pci_stop_dma(struct bus *bus);

/* D0..D3hot (0..3). Setting waits the 10 ms of PCI-PM and reads back: -EIO if refused. */
int pci_get_power_state(struct bus *bus);
int pci_set_power_state(struct bus *bus, unsigned int state);

/**
 * pci_get_aspm() - ASPM Control of the function's link: 0 off, 1 L0s, 2 L1, 3 both
 * Return: the value, -EOPNOTSUPP if it has no PCI Express capability, other -errno.
 */
int pci_get_aspm(struct bus *bus);
/**
 * pci_set_aspm() - the same at both ends of the link
 *
 * L1 goes on upstream first and off downstream first (PCIe 5.4.1.4). Both ends are read
 * back. Errors: -EINVAL, -EOPNOTSUPP an end does not support or keep the state.
 */
int pci_set_aspm(struct bus *bus, unsigned int aspm);

#endif
