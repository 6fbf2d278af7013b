/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pci_sysfs.h - what the kernel says about a PCI function: is it there, what is it,
 * who has it.
 */
#ifndef PYNVME_BUS_PCI_SYSFS_H
#define PYNVME_BUS_PCI_SYSFS_H

#include <stdbool.h>
#include <stddef.h>

#define PCI_BDF_BYTES sizeof("ffffffff:ff:1f.7")

/* Where /sys, /proc and /dev are looked for: "" here, a folder of its own in a test. */
extern const char *pci_sysfs_root;

enum pci_driver {
	PCI_DRIVER_VFIO, /* vfio-pci */
	PCI_DRIVER_UIO,	 /* uio_pci_generic */
};

/**
 * pci_parse_bdf() - is @addr a PCI address, and which
 * @addr: "01:00.0" or "0000:01:00.0"
 * @bdf: PCI_BDF_BYTES bytes for the long form, lower case
 */
bool pci_parse_bdf(const char *addr, char *bdf);

/**
 * pci_sysfs_check() - may this function be opened
 * @bdf: long form
 *
 * Errors, each with a text that says what to do: -ENOENT no such function, -ENODEV not an
 * NVMe controller, -ENXIO no driver is bound, -EBUSY bound to a kernel driver (and mounted
 * where).
 */
int pci_sysfs_check(const char *bdf, enum pci_driver *driver);

/* The last part of a link in the function's folder ("driver", "iommu_group"); -ENOENT. */
int pci_sysfs_link(const char *bdf, const char *name, char *buf, size_t len);

/* Path of a file in the function's folder, or of the port above it ("../config"). */
void pci_sysfs_path(const char *bdf, const char *name, char *buf, size_t len);

/**
 * pci_sysfs_holder() - which other process has @path open
 * Return: its process id with its name in @comm, 0 if none can be seen.
 */
int pci_sysfs_holder(const char *path, char *comm, size_t len);

#endif
