// SPDX-License-Identifier: BSD-3-Clause
#include "bus/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "bus/pci_sysfs.h"

#define DIGITS "0123456789"

/* 127.0.0.1, [::1], host:4420, host:4420/nqn... */
static bool looks_like_tcp(const char *addr)
{
	const char *port = strchr(addr, ':');
	size_t host = strcspn(addr, ":/");
	char text[INET_ADDRSTRLEN];
	struct in_addr ip;
	size_t digits;

	if (*addr == '[')
		return true;
	if (host < sizeof(text)) {
		memcpy(text, addr, host);
		text[host] = '\0';
		if (inet_pton(AF_INET, text, &ip) == 1)
			return true;
	}
	if (!port)
		return false;
	digits = strspn(port + 1, DIGITS);
	return digits >= 3 && digits <= 5 && (!port[1 + digits] || port[1 + digits] == '/');
}

/* What the address would be good for, if it were there; or what it is in the kernel's world. */
static const char *unsupported(const char *addr)
{
	if (!strncmp(addr, "/dev/nvme", 9) || !strncmp(addr, "nvme", 4))
		return "a drive goes by its PCI address here, which `pynvme status` shows beside "
		       "the kernel's name: ";
	if (!strncmp(addr, "vfio-user:", 10) || (*addr == '/' && strncmp(addr, "/dev/", 5) != 0))
		return "vfio-user is not supported: ";
	return looks_like_tcp(addr) ? "an NVMe/TCP controller is no PCI function: " : "";
}

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
		       "%s\"%s\" is no address of a device: 0000:01:00.0 and 01:00.0 are PCIe "
		       "functions, sim or sim:size=20G,... is the software SSD",
		       unsupported(addr), addr);
}
