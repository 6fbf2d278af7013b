// SPDX-License-Identifier: BSD-3-Clause
#include "bus/pci_port.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/counts.h"
#include "base/err.h"
#include "bus/pci_sysfs.h"
#include "spec/pci.h"

#define CAPS_MAX 48

static int find_pcie(const struct pci_port *port)
{
	uint16_t head;
	uint8_t off;

	if (pread(port->fd, &off, 1, PCI_CFG_CAP_PTR) != 1)
		return 0;
	for (int i = 0; i < CAPS_MAX; i++) {
		off &= 0xfc;
		if (off < sizeof(struct pci_header) ||
		    pread(port->fd, &head, sizeof(head), off) != (ssize_t)sizeof(head))
			return 0;
		if ((head & 0xff) == PCI_CAP_PCIE)
			return off;
		off = (uint8_t)(head >> 8);
	}
	return 0;
}

/* The folder above the function's own is that of the port, unless it is the host bridge. */
static int port_path(const char *bdf, char *name, char *path, size_t len)
{
	char link[PATH_MAX], real[PATH_MAX], *slash;

	pci_sysfs_path(bdf, "", link, sizeof(link));
	if (!realpath(link, real))
		return -errno;
	slash = strrchr(real, '/');
	*slash = '\0';
	slash = strrchr(real, '/');
	if (!pci_parse_bdf(slash + 1, name))
		return -EOPNOTSUPP;
	pci_sysfs_path(name, "config", path, len);
	return 0;
}

int pci_port_open(struct pci_port *port, const char *bdf)
{
	char path[PATH_MAX];
	int err = port_path(bdf, port->bdf, path, sizeof(path));

	if (err)
		return err_set(err, "%s has no PCI Express port above it", bdf);
	port->fd = open(path, O_RDWR | O_CLOEXEC);
	if (port->fd < 0)
		return err_set(-errno, "%s: %m: only root reaches the port above %s", path, bdf);
	count_inc(COUNT_FDS);
	port->pcie = (unsigned int)find_pcie(port);
	if (port->pcie)
		return 0;
	pci_port_close(port);
	return err_set(-EOPNOTSUPP, "%s above %s has no PCI Express capability", port->bdf, bdf);
}

void pci_port_close(struct pci_port *port)
{
	close(port->fd);
	count_dec(COUNT_FDS);
}

static int check(const struct pci_port *port, ssize_t got, size_t want)
{
	if (got == (ssize_t)want)
		return 0;
	return err_set(got < 0 ? -errno : -EIO,
		       "config space of %s cannot be accessed: are you "
		       "root?",
		       port->bdf);
}

int pci_port_read16(const struct pci_port *port, unsigned int off, uint16_t *val)
{
	return check(port, pread(port->fd, val, sizeof(*val), port->pcie + off), sizeof(*val));
}

int pci_port_read32(const struct pci_port *port, unsigned int off, uint32_t *val)
{
	return check(port, pread(port->fd, val, sizeof(*val), port->pcie + off), sizeof(*val));
}

int pci_port_write16(const struct pci_port *port, unsigned int off, uint16_t val)
{
	return check(port, pwrite(port->fd, &val, sizeof(val), port->pcie + off), sizeof(val));
}
