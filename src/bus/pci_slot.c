// SPDX-License-Identifier: BSD-3-Clause
#include "bus/pci_slot.h"

#include <errno.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/interrupt.h"
#include "bus/bus.h"
#include "bus/pci.h"
#include "bus/pci_port.h"
#include "spec/pci.h"

#define POWER_UP_NS   UINT64_C(100000000)   /* PCIe 6.6.1: no config request before */
#define POWER_WAIT_NS UINT64_C(10000000000) /* link training and a drive that starts slowly */
#define LOOK_NS	      UINT64_C(20000000)

static int wait_for_function(struct bus *bus)
{
	uint64_t until_ns = clock_now_ns() + POWER_WAIT_NS;
	int err;

	clock_sleep_until_ns(clock_now_ns() + POWER_UP_NS);
	while (clock_now_ns() < until_ns) {
		int present = pci_present(bus);

		if (present)
			return present < 0 ? present : 0;
		err = interrupt_check(bus->addr);
		if (err)
			return err;
		clock_sleep_until_ns(clock_now_ns() + LOOK_NS);
	}
	return err_set(-ETIMEDOUT, "%s does not answer 10 s after power was switched on",
		       bus->addr);
}

static int switch_power(const struct pci_port *port, bool on)
{
	uint32_t cap;
	uint16_t control;
	int err = pci_port_read32(port, PCI_EXP_SLTCAP, &cap);

	if (err)
		return err;
	if (!(cap & PCI_EXP_SLTCAP_PCP))
		return err_set(-EOPNOTSUPP, "the slot below %s has no power controller", port->bdf);
	err = pci_port_read16(port, PCI_EXP_SLTCTL, &control);
	if (err)
		return err;
	control &= (uint16_t)~PCI_EXP_SLTCTL_POWER_OFF;
	if (!on)
		control |= PCI_EXP_SLTCTL_POWER_OFF;
	return pci_port_write16(port, PCI_EXP_SLTCTL, control);
}

int pci_slot_power(struct bus *bus, bool on)
{
	struct pci_port port;
	int err = pci_port_open(&port, bus->addr);

	if (err)
		return err;
	err = switch_power(&port, on);
	pci_port_close(&port);
	return err || !on ? err : wait_for_function(bus);
}
