// SPDX-License-Identifier: BSD-3-Clause
#include "bus/address.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "bus/pci_sysfs.h"

int bus_address_parse(struct bus_address *out, const char *addr)
{
	if (strlen(addr) >= sizeof(out->text))
		return err_set(-EINVAL, "an address has at most %zu characters",
			       sizeof(out->text) - 1);
	if (!*addr)
		addr = "sim";
	if (!strcmp(addr, "sim") || !strncmp(addr, "sim:", 4)) {
		out->kind = BUS_ADDRESS_SIM;
		snprintf(out->text, sizeof(out->text), "%s", addr);
		return 0;
	}
	if (pci_parse_bdf(addr, out->text)) {
		out->kind = BUS_ADDRESS_PCI;
		return 0;
	}
	return err_set(-EINVAL,
		       "\"%s\" is no address of a device: 0000:01:00.0 and 01:00.0 are PCIe "
		       "functions, sim or sim:size=20G,... is the software SSD",
		       addr);
}
