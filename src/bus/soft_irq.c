// SPDX-License-Identifier: BSD-3-Clause
/*
 * Interrupts of the software SSD: a pending flag a vector, and a system call only
 * if somebody sleeps on the eventfd.
 */
#include <errno.h>
#include <unistd.h>

#include "base/err.h"
#include "bus/pci.h"
#include "bus/soft.h"
#include "bus/soft_bus.h"
#include "spec/pci.h"

/* Any address that is an MSI window does: nobody decodes the write. */
#define MSI_ADDRESS 0xfee00000u

static void notify(struct soft_vector *vec)
{
	const uint64_t one = 1;

	/* Full (EAGAIN) means that the sleeper is woken anyway. */
	if (vec->fd >= 0 && write(vec->fd, &one, sizeof(one)) < 0)
		return;
}

void soft_irq_raise(struct soft_bus *soft, unsigned int vector)
{
	struct soft_vector *vec;

	if (vector >= soft->nvectors)
		return;
	vec = &soft->vectors[vector];
	atomic_store(&vec->pending, true);
	if (atomic_exchange(&vec->armed, false))
		notify(vec);
}

void soft_irq_arm(struct bus *bus, unsigned int vector, bool armed)
{
	struct soft_bus *soft = soft_bus_of(bus);

	atomic_store(&soft->vectors[vector].armed, armed);
	/* It fired before the waiter was there. */
	if (armed && atomic_load(&soft->vectors[vector].pending))
		notify(&soft->vectors[vector]);
}

int soft_irq_pending(struct bus *bus, unsigned int vector, bool clear)
{
	struct soft_bus *soft = soft_bus_of(bus);

	if (clear)
		return atomic_exchange(&soft->vectors[vector].pending, false);
	return atomic_load(&soft->vectors[vector].pending);
}

/* BAR0 offset of an entry of the MSI-X table; table in another BAR: -EOPNOTSUPP. */
static int table_entry(struct soft_bus *soft, unsigned int vector, uint64_t *off)
{
	uint32_t table;
	int err = pci_read32(&soft->bus, soft->msix_cap + PCI_MSIX_TABLE, &table);

	if (err)
		return err;
	if (!soft->msix_cap || table & PCI_MSIX_BIR_MASK)
		return -EOPNOTSUPP;
	*off = (table & ~PCI_MSIX_BIR_MASK) + (uint64_t)vector * sizeof(struct pci_msix_entry);
	return 0;
}

int soft_irq_mask(struct bus *bus, unsigned int vector, bool masked)
{
	struct soft_bus *soft = soft_bus_of(bus);
	uint64_t off;
	int err;

	if (bus->irq_kind != BUS_IRQ_MSIX)
		return -EOPNOTSUPP;
	err = table_entry(soft, vector, &off);
	if (err)
		return err;
	off += offsetof(struct pci_msix_entry, control);
	return bus_write32(bus, off, masked ? PCI_MSIX_ENTRY_MASKED : 0);
}

/* What a kernel does when a driver asks for MSI-X. */
static int enable_msix(struct soft_bus *soft, unsigned int n)
{
	struct bus *bus = &soft->bus;
	uint16_t flags;
	uint64_t off;
	int err;

	for (unsigned int i = 0; i < n; i++) {
		err = table_entry(soft, i, &off);
		if (!err)
			err = bus_write64(bus, off + offsetof(struct pci_msix_entry, addr),
					  MSI_ADDRESS);
		if (!err)
			err = bus_write32(bus, off + offsetof(struct pci_msix_entry, data), i);
		if (!err)
			err = bus_write32(bus, off + offsetof(struct pci_msix_entry, control), 0);
		if (err)
			return err;
	}
	err = pci_read16(bus, soft->msix_cap + PCI_MSIX_CONTROL, &flags);
	if (err)
		return err;
	flags = (uint16_t)((flags & ~PCI_MSIX_MASK_ALL) | PCI_MSIX_ENABLE);
	return pci_write16(bus, soft->msix_cap + PCI_MSIX_CONTROL, flags);
}

int soft_irq_enable(struct bus *bus, unsigned int n, const int *fds)
{
	struct soft_bus *soft = soft_bus_of(bus);

	if (n > bus->irq_max)
		return err_set(-EINVAL, "%s has %u interrupt vectors, not %u", bus->addr,
			       bus->irq_max, n);
	soft_lock(bus);
	for (unsigned int i = 0; i < bus->irq_max; i++) {
		soft->vectors[i].fd = i < n ? fds[i] : -1;
		atomic_store(&soft->vectors[i].armed, false);
		atomic_store(&soft->vectors[i].pending, false);
	}
	soft->nvectors = n;
	soft_unlock(bus);
	return n && bus->irq_kind == BUS_IRQ_MSIX ? enable_msix(soft, n) : 0;
}
