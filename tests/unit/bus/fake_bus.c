// SPDX-License-Identifier: BSD-3-Clause
#include "fake_bus.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "bus/dma.h"

static struct fake_bus *fake_of(struct bus *bus)
{
	return (struct fake_bus *)bus;
}

static int fake_cfg_read(struct bus *bus, unsigned int off, void *buf, unsigned int len)
{
	memcpy(buf, fake_of(bus)->cfg + off, len);
	return 0;
}

static int fake_cfg_write(struct bus *bus, unsigned int off, const void *buf, unsigned int len)
{
	if (!fake_of(bus)->pmcsr_stuck)
		memcpy(fake_of(bus)->cfg + off, buf, len);
	return 0;
}

static int fake_dma_map(struct bus *bus, struct dma_chunk *chunk)
{
	struct fake_bus *fake = fake_of(bus);

	if (fake->map_err && !fake->maps_left)
		return fake->map_err;
	if (fake->map_max_bytes && chunk->len > fake->map_max_bytes)
		return -ENOMEM;
	fake->maps_left -= fake->map_err != 0;
	fake->maps++;
	for (int i = 0; i < FAKE_CHUNKS; i++)
		if (!fake->mapped[i]) {
			fake->mapped[i] = chunk;
			return 0;
		}
	return -ENOSPC;
}

static void fake_dma_unmap(struct bus *bus, struct dma_chunk *chunk)
{
	struct fake_bus *fake = fake_of(bus);

	for (int i = 0; i < FAKE_CHUNKS; i++)
		if (fake->mapped[i] == chunk) {
			fake->mapped[i] = NULL;
			fake->unmaps++;
		}
}

static int fake_irq_enable(struct bus *bus, unsigned int n, const int *fds)
{
	struct fake_bus *fake = fake_of(bus);

	fake->irqs = n;
	for (unsigned int i = 0; i < n; i++)
		fake->irq_fds[i] = fds[i];
	return 0;
}

static int fake_irq_mask(struct bus *bus, unsigned int vector, bool masked)
{
	fake_of(bus)->unmasks += !masked;
	return bus->irq_kind == BUS_IRQ_INTX ? 0 : -EOPNOTSUPP;
}

static const struct bus_ops fake_ops = {
	.scheme = "fake",
	.cfg_read = fake_cfg_read,
	.cfg_write = fake_cfg_write,
	.dma_map = fake_dma_map,
	.dma_unmap = fake_dma_unmap,
	.irq_enable = fake_irq_enable,
	.irq_mask = fake_irq_mask,
};

void fake_bus_init(struct fake_bus *fake)
{
	memset(fake, 0, sizeof(*fake));
	fake->bus.ops = &fake_ops;
	fake->bus.pid = getpid();
	fake->bus.irq_kind = BUS_IRQ_MSIX;
	fake->bus.irq_max = 8;
	strcpy(fake->bus.addr, "fake");
}

bool fake_bus_reaches(const struct fake_bus *fake, uint64_t iova, size_t len)
{
	for (int i = 0; i < FAKE_CHUNKS; i++) {
		const struct dma_chunk *chunk = fake->mapped[i];

		if (chunk && iova >= chunk->iova && iova + len <= chunk->iova + chunk->len)
			return true;
	}
	return false;
}
