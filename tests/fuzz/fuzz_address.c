// SPDX-License-Identifier: BSD-3-Clause
/* Addresses of devices, and the options of the software SSD; whoever accepts some makes a drive. */
#include <errno.h>

#include "bus/address.h"
#include "input.h"
#include "ssd/options.h"
#include "ssd/ssd.h"

static int map(void *host, uint64_t iova, size_t len, int prot, struct iovec *iov, int max)
{
	return -EFAULT;
}

static void irq(void *host, unsigned int vector)
{
}

static const struct ssd_host_ops ops = { map, irq };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct bus_address address;
	struct ssd_options opts;
	struct ssd *ssd;
	char text[512];

	if (size >= sizeof(text))
		return 0;
	input_bytes(&in, text, sizeof(text));
	bus_address_parse(&address, text);
	/* a file medium would leave files all over the place */
	if (ssd_options_parse(&opts, text) || opts.media == SSD_MEDIA_FILE)
		return 0;
	if (!ssd_create(&ssd, text, &ops, NULL, 0))
		ssd_destroy(ssd);
	return 0;
}
