/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pci_port.h - the PCI Express port above a real function, through sysfs (root only).
 */
#ifndef PYNVME_BUS_PCI_PORT_H
#define PYNVME_BUS_PCI_PORT_H

#include <stdint.h>

#define PCI_PORT_BDF_BYTES 32

/**
 * struct pci_port - an open port
 * @fd: its config space
 * @pcie: offset of its PCI Express capability
 */
struct pci_port {
	int fd;
	unsigned int pcie;
	char bdf[PCI_PORT_BDF_BYTES];
};

/**
 * pci_port_open() - the port above function @bdf
 * Errors: -EOPNOTSUPP no such port, -EACCES not root, other -errno.
 */
int pci_port_open(struct pci_port *port, const char *bdf);
void pci_port_close(struct pci_port *port);

int pci_port_read16(const struct pci_port *port, unsigned int off, uint16_t *val);
int pci_port_read32(const struct pci_port *port, unsigned int off, uint32_t *val);
int pci_port_write16(const struct pci_port *port, unsigned int off, uint16_t val);

#endif
