/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * address.h - what a PCI-like address of a device under test means.
 */
#ifndef PYNVME_BUS_ADDRESS_H
#define PYNVME_BUS_ADDRESS_H

#define BUS_ADDRESS_BYTES 256

enum bus_address_kind {
	BUS_ADDRESS_SIM, /* "", "sim", "sim:OPTIONS" */
	BUS_ADDRESS_PCI, /* "01:00.0", "0000:01:00.0" */
};

/**
 * struct bus_address - a parsed address
 * @text: its canonical form: "sim", "sim:OPTIONS", "0000:01:00.0"
 */
struct bus_address {
	enum bus_address_kind kind;
	char text[BUS_ADDRESS_BYTES];
};

/* 0, or -EINVAL with a text that shows the forms there are. */
int bus_address_parse(struct bus_address *out, const char *addr);

#endif
