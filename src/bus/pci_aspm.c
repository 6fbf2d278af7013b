// SPDX-License-Identifier: BSD-3-Clause
/*
 * ASPM at both ends of a link: the function's through its bus, the port's through sysfs.
 */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "bus/bus.h"
#include "bus/pci.h"
#include "bus/pci_port.h"
#include "spec/pci.h"

/* One end: either of both pointers is set. */
struct link_end {
	struct bus *bus;
	const struct pci_port *port;
	unsigned int pcie;
};

static int end_read16(const struct link_end *end, unsigned int off, uint16_t *val)
{
	return end->port ? pci_port_read16(end->port, off, val) :
			   pci_read16(end->bus, end->pcie + off, val);
}

static int end_read32(const struct link_end *end, unsigned int off, uint32_t *val)
{
	return end->port ? pci_port_read32(end->port, off, val) :
			   pci_read32(end->bus, end->pcie + off, val);
}

static int end_write16(const struct link_end *end, unsigned int off, uint16_t val)
{
	return end->port ? pci_port_write16(end->port, off, val) :
			   pci_write16(end->bus, end->pcie + off, val);
}

static const char *end_name(const struct link_end *end)
{
	return end->port ? end->port->bdf : end->bus->addr;
}

static int check_support(const struct link_end *end, unsigned int aspm)
{
	unsigned int have;
	uint32_t cap;
	int err = end_read32(end, PCI_EXP_LNKCAP, &cap);

	if (err)
		return err;
	have = cap >> PCI_EXP_LNKCAP_ASPM_SHIFT & PCI_EXP_LNKCAP_ASPM_MASK;
	if (aspm & ~have)
		return err_set(-EOPNOTSUPP, "%s supports ASPM %u, not %u (1 L0s, 2 L1)",
			       end_name(end), have, aspm);
	return 0;
}

static int set_end(const struct link_end *end, unsigned int aspm)
{
	uint16_t control;
	int err = end_read16(end, PCI_EXP_LNKCTL, &control);

	if (err)
		return err;
	control = (uint16_t)((control & ~PCI_EXP_LNKCTL_ASPM_MASK) | aspm);
	err = end_write16(end, PCI_EXP_LNKCTL, control);
	if (!err)
		err = end_read16(end, PCI_EXP_LNKCTL, &control);
	if (err)
		return err;
	if ((control & PCI_EXP_LNKCTL_ASPM_MASK) != aspm)
		return err_set(-EOPNOTSUPP, "%s does not keep ASPM %u, it reads back %u",
			       end_name(end), aspm, control & PCI_EXP_LNKCTL_ASPM_MASK);
	return 0;
}

static int find_pcie(struct bus *bus)
{
	int cap = pci_find_cap(bus, PCI_CAP_PCIE);

	return cap ? cap : err_set(-EOPNOTSUPP, "%s has no PCI Express capability", bus->addr);
}

int pci_get_aspm(struct bus *bus)
{
	uint16_t control;
	int cap = find_pcie(bus), err;

	if (cap < 0)
		return cap;
	err = pci_read16(bus, (unsigned int)cap + PCI_EXP_LNKCTL, &control);
	return err ? err : (int)(control & PCI_EXP_LNKCTL_ASPM_MASK);
}

/* On: upstream, which is the port, first; off: the function first. */
static int set_both(const struct link_end *port, const struct link_end *function, unsigned int aspm)
{
	int err = check_support(port, aspm);

	if (!err)
		err = check_support(function, aspm);
	if (!err)
		err = set_end(aspm ? port : function, aspm);
	if (!err)
		err = set_end(aspm ? function : port, aspm);
	return err;
}

int pci_set_aspm(struct bus *bus, unsigned int aspm)
{
	struct link_end function = { .bus = bus }, above = { 0 };
	struct pci_port port;
	int cap = find_pcie(bus), err;

	if (cap < 0)
		return cap;
	if (aspm > PCI_EXP_LNKCTL_ASPM_MASK)
		return err_set(-EINVAL, "ASPM %u is not one of 0..3", aspm);
	function.pcie = (unsigned int)cap;
	/* The software SSD is at the end of no link. */
	if (!strcmp(bus->ops->scheme, "sim")) {
		err = check_support(&function, aspm);
		return err ? err : set_end(&function, aspm);
	}
	err = pci_port_open(&port, bus->addr);
	if (err)
		return err;
	above.port = &port;
	err = set_both(&above, &function, aspm);
	pci_port_close(&port);
	return err;
}
