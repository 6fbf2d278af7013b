// SPDX-License-Identifier: BSD-3-Clause
#include "bus/pci.h"

#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "bus/bus.h"
#include "spec/pci.h"

#define CAPS_MAX     48u		/* what fits into the 256 bytes */
#define EXT_CAPS_MAX 480u		/* what fits behind them */
#define D3_DELAY_NS  UINT64_C(10000000) /* PCI-PM 1.2, 5.4: into and out of D3hot */

int pci_read8(struct bus *bus, unsigned int off, uint8_t *val)
{
	return bus->ops->cfg_read(bus, off, val, sizeof(*val));
}

int pci_read16(struct bus *bus, unsigned int off, uint16_t *val)
{
	return bus->ops->cfg_read(bus, off, val, sizeof(*val));
}

int pci_read32(struct bus *bus, unsigned int off, uint32_t *val)
{
	return bus->ops->cfg_read(bus, off, val, sizeof(*val));
}

int pci_write16(struct bus *bus, unsigned int off, uint16_t val)
{
	return bus->ops->cfg_write(bus, off, &val, sizeof(val));
}

int pci_write32(struct bus *bus, unsigned int off, uint32_t val)
{
	return bus->ops->cfg_write(bus, off, &val, sizeof(val));
}

int pci_find_cap(struct bus *bus, uint8_t id)
{
	uint16_t status, head;
	uint8_t off;
	int err = pci_read16(bus, PCI_CFG_STATUS, &status);

	if (err)
		return err;
	if (status == 0xffff || !(status & PCI_STATUS_CAP_LIST))
		return 0;
	err = pci_read8(bus, PCI_CFG_CAP_PTR, &off);
	for (unsigned int i = 0; !err && i < CAPS_MAX; i++) {
		off &= 0xfc;
		if (off < sizeof(struct pci_header))
			return 0;
		err = pci_read16(bus, off, &head);
		if (!err && (head & 0xff) == id)
			return off;
		off = (uint8_t)(head >> 8);
	}
	return err;
}

int pci_find_ext_cap(struct bus *bus, uint16_t id)
{
	unsigned int off = PCI_CFG_EXT_CAPS;
	uint32_t head;

	for (unsigned int i = 0; i < EXT_CAPS_MAX && off >= PCI_CFG_EXT_CAPS; i++) {
		int err = pci_read32(bus, off, &head);

		if (err)
			return err;
		/* An empty list is all zeros, a function without one or removed all ones. */
		if (!head || head == UINT32_MAX)
			return 0;
		if (PCI_EXT_CAP_ID(head) == id)
			return (int)off;
		off = PCI_EXT_CAP_NEXT(head);
	}
	return 0;
}

/* Not by the vendor, which VFIO makes up. */
int pci_present(struct bus *bus)
{
	uint32_t class;
	int err = pci_read32(bus, PCI_CFG_REVISION, &class);

	return err ? err : class != UINT32_MAX;
}

int pci_enable(struct bus *bus)
{
	uint16_t command;
	int err = pci_read16(bus, PCI_CFG_COMMAND, &command);

	if (err)
		return err;
	return pci_write16(bus, PCI_CFG_COMMAND, command | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

void pci_stop_dma(struct bus *bus)
{
	uint16_t command;

	if (!pci_read16(bus, PCI_CFG_COMMAND, &command))
		pci_write16(bus, PCI_CFG_COMMAND, (uint16_t)(command & ~PCI_COMMAND_MASTER));
}

static int find_pm(struct bus *bus)
{
	int cap = pci_find_cap(bus, PCI_CAP_PM);

	return cap ? cap : err_set(-EOPNOTSUPP, "%s has no power management capability", bus->addr);
}

int pci_get_power_state(struct bus *bus)
{
	uint16_t pmcsr;
	int cap = find_pm(bus), err;

	if (cap < 0)
		return cap;
	err = pci_read16(bus, (unsigned int)cap + PCI_PM_PMCSR, &pmcsr);
	return err ? err : (int)(pmcsr & PCI_PMCSR_STATE_MASK);
}

int pci_set_power_state(struct bus *bus, unsigned int state)
{
	const struct timespec delay = { .tv_nsec = D3_DELAY_NS };
	unsigned int off;
	uint16_t pmcsr;
	int cap = find_pm(bus), err;

	if (cap < 0)
		return cap;
	if (state > PCI_PMCSR_STATE_MASK)
		return err_set(-EINVAL, "power state %u is not one of 0..3", state);
	off = (unsigned int)cap + PCI_PM_PMCSR;
	err = pci_read16(bus, off, &pmcsr);
	if (err)
		return err;
	/* PME_Status is cleared by writing one. */
	pmcsr &= (uint16_t) ~(PCI_PMCSR_STATE_MASK | PCI_PMCSR_PME_STATUS);
	err = pci_write16(bus, off, (uint16_t)(pmcsr | state));
	if (err)
		return err;
	nanosleep(&delay, NULL);
	err = pci_read16(bus, off, &pmcsr);
	if (err)
		return err;
	if ((pmcsr & PCI_PMCSR_STATE_MASK) != state)
		return err_set(-EIO, "%s stays in power state D%u, D%u was asked for", bus->addr,
			       pmcsr & PCI_PMCSR_STATE_MASK, state);
	return 0;
}
