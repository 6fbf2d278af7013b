// SPDX-License-Identifier: BSD-3-Clause
#include "bus/soft.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "bus/dma.h"
#include "bus/pci.h"
#include "bus/soft_bus.h"
#include "spec/pci.h"
#include "ssd/ssd.h"

#define POLL_STAMP_NS UINT64_C(100000) /* last_poll_ns is written no more often */

/* --- what the device asks of its host ------------------------------------------------------ */

static int host_map(void *host, uint64_t iova, size_t len, int prot, struct iovec *iov, int max)
{
	int n = 0;

	while (len) {
		size_t avail;
		void *va = dma_va(iova, len, &avail);

		if (!va || n == max)
			return -EFAULT;
		iov[n++] = (struct iovec){ .iov_base = va, .iov_len = avail };
		iova += avail;
		len -= avail;
	}
	return n;
}

static void host_irq(void *host, unsigned int vector)
{
	soft_irq_raise(host, vector);
}

static const struct ssd_host_ops host_ops = { .map = host_map, .irq = host_irq };

/* --- who is in the device ------------------------------------------------------------------ */

struct ssd *soft_ssd(struct bus *bus)
{
	return bus->ops == &soft_ops ? soft_bus_of(bus)->ssd : NULL;
}

void soft_lock(struct bus *bus)
{
	pthread_mutex_lock(&soft_bus_of(bus)->lock);
}

static void soft_kick(struct bus *bus)
{
	if (__atomic_exchange_n(&bus->runner_asleep, 0, __ATOMIC_SEQ_CST))
		soft_runner_wake();
}

void soft_unlock(struct bus *bus)
{
	pthread_mutex_unlock(&soft_bus_of(bus)->lock);
	soft_kick(bus);
}

/* Whoever reads a register or an interrupt in a loop polls, too. */
static void soft_step(struct bus *bus, uint64_t now_ns)
{
	struct soft_bus *soft = soft_bus_of(bus);

	if (soft->always)
		return;
	if (now_ns - atomic_load_explicit(&soft->last_poll_ns, memory_order_relaxed) >
	    POLL_STAMP_NS)
		atomic_store_explicit(&soft->last_poll_ns, now_ns, memory_order_relaxed);
	if (pthread_mutex_trylock(&soft->lock))
		return;
	ssd_step(soft->ssd, soft_now(soft, now_ns));
	pthread_mutex_unlock(&soft->lock);
}

bool soft_serve(struct soft_bus *soft, uint64_t now_ns, uint64_t *next_ns)
{
	bool worked;

	*next_ns = UINT64_MAX;
	if (pthread_mutex_trylock(&soft->lock))
		return true;
	worked = ssd_step(soft->ssd, soft_now(soft, now_ns)) != 0;
	*next_ns = ssd_next_event_ns(soft->ssd);
	pthread_mutex_unlock(&soft->lock);
	return worked;
}

/* --- registers and config space ------------------------------------------------------------ */

static int check_cfg(struct bus *bus, unsigned int off, unsigned int len)
{
	if (off <= PCIE_CFG_BYTES && len <= PCIE_CFG_BYTES - off)
		return 0;
	return err_set(-EINVAL, "%s: config space ends at %#x", bus->addr, PCIE_CFG_BYTES);
}

static int soft_cfg_read(struct bus *bus, unsigned int off, void *buf, unsigned int len)
{
	int err = check_cfg(bus, off, len);

	if (err)
		return err;
	soft_lock(bus);
	ssd_cfg_read(ssd_pcie(soft_bus_of(bus)->ssd), off, buf, len);
	pthread_mutex_unlock(&soft_bus_of(bus)->lock);
	return 0;
}

static int soft_cfg_write(struct bus *bus, unsigned int off, const void *buf, unsigned int len)
{
	struct soft_bus *soft = soft_bus_of(bus);
	int err = check_cfg(bus, off, len);

	if (err)
		return err;
	soft_lock(bus);
	ssd_cfg_write(ssd_pcie(soft->ssd), off, buf, len, soft_now(soft, clock_now_ns()));
	soft_unlock(bus);
	return 0;
}

static int check_reg(const struct bus *bus, uint64_t off, int width)
{
	if (off <= SSD_BAR0_BYTES - (unsigned int)width)
		return 0;
	return err_set(-EINVAL, "%s: register %#llx is outside BAR0 of %#x bytes", bus->addr,
		       (unsigned long long)off, SSD_BAR0_BYTES);
}

static int soft_reg_read(struct bus *bus, uint64_t off, int width, uint64_t *val)
{
	struct soft_bus *soft = soft_bus_of(bus);
	uint64_t now_ns = clock_now_ns();
	int err = check_reg(bus, off, width);

	if (err)
		return err;
	soft_step(bus, now_ns);
	soft_lock(bus);
	*val = ssd_reg_read(ssd_pcie(soft->ssd), off, width, soft_now(soft, now_ns));
	pthread_mutex_unlock(&soft->lock);
	return 0;
}

static int soft_reg_write(struct bus *bus, uint64_t off, int width, uint64_t val)
{
	struct soft_bus *soft = soft_bus_of(bus);
	int err = check_reg(bus, off, width);

	if (err)
		return err;
	soft_lock(bus);
	ssd_reg_write(ssd_pcie(soft->ssd), off, width, val, soft_now(soft, clock_now_ns()));
	soft_unlock(bus);
	return 0;
}

/* --- resets and power ---------------------------------------------------------------------- */

/* A kernel gives a function its command register back after a reset. */
static int soft_reset(struct bus *bus, enum bus_reset kind)
{
	struct soft_bus *soft = soft_bus_of(bus);
	uint64_t now_ns = clock_now_ns();
	uint16_t command;
	int err = pci_read16(bus, PCI_CFG_COMMAND, &command);

	if (err)
		return err;
	soft_lock(bus);
	if (kind == BUS_RESET_FLR)
		err = ssd_flr(ssd_pcie(soft->ssd), soft_now(soft, now_ns));
	else
		err = ssd_hot_reset(ssd_pcie(soft->ssd), soft_now(soft, now_ns));
	soft_unlock(bus);
	return err ? err : pci_write16(bus, PCI_CFG_COMMAND, command);
}

static int soft_power(struct bus *bus, bool on)
{
	struct soft_bus *soft = soft_bus_of(bus);
	int err;

	soft_lock(bus);
	err = ssd_power(soft->ssd, on, soft_now(soft, clock_now_ns()));
	soft_unlock(bus);
	return err;
}

static int soft_health(struct bus *bus)
{
	int present = pci_present(bus);

	if (present)
		return present < 0 ? present : 0;
	return err_set(-ENODEV, "%s: removed or without power", bus->addr);
}

/* --- open and close ------------------------------------------------------------------------ */

static int soft_dma_map(struct bus *bus, struct dma_chunk *chunk)
{
	return 0; /* the device looks addresses up in the pool itself */
}

static void soft_dma_unmap(struct bus *bus, struct dma_chunk *chunk)
{
}

static int find_vectors(struct soft_bus *soft)
{
	uint16_t flags;
	int cap = pci_find_cap(&soft->bus, PCI_CAP_MSIX), err;

	if (cap < 0)
		return cap;
	soft->msix_cap = (unsigned int)cap;
	soft->bus.irq_kind = cap ? BUS_IRQ_MSIX : BUS_IRQ_INTX;
	soft->bus.irq_max = 1;
	if (cap) {
		err = pci_read16(&soft->bus, soft->msix_cap + PCI_MSIX_CONTROL, &flags);
		if (err)
			return err;
		soft->bus.irq_max = (flags & PCI_MSIX_SIZE_MASK) + 1u;
	}
	soft->vectors = calloc(soft->bus.irq_max, sizeof(*soft->vectors));
	return soft->vectors ? 0 : err_set(-ENOMEM, "no memory");
}

static void soft_free(struct soft_bus *soft)
{
	ssd_destroy(soft->ssd);
	pthread_mutex_destroy(&soft->lock);
	free(soft->vectors);
	free(soft);
}

static int soft_open(struct bus **out, const char *addr)
{
	const char *options = addr[3] == ':' ? addr + 4 : "";
	struct soft_bus *soft = calloc(1, sizeof(*soft));
	int err;

	if (!soft)
		return err_set(-ENOMEM, "no memory");
	soft->bus.ops = &soft_ops;
	soft->bus.pid = getpid();
	snprintf(soft->bus.addr, sizeof(soft->bus.addr), "%s", addr);
	pthread_mutex_init(&soft->lock, NULL);
	err = ssd_create(&soft->ssd, options, &host_ops, soft, clock_now_ns());
	if (err) {
		pthread_mutex_destroy(&soft->lock);
		free(soft);
		return err;
	}
	soft->always = ssd_wants_thread(soft->ssd);
	soft->bus.doorbells = ssd_doorbells(ssd_pcie(soft->ssd), &soft->bus.doorbells_bytes);
	err = find_vectors(soft);
	if (!err)
		err = pci_enable(&soft->bus);
	if (!err)
		err = soft_runner_add(soft);
	if (!err) {
		err = dma_attach(&soft->bus);
		if (err)
			soft_runner_remove(soft);
	}
	if (err) {
		soft_free(soft);
		return err;
	}
	*out = &soft->bus;
	return 0;
}

/* The device stops before its memory goes. A forked child has memory only. */
static void soft_close(struct bus *bus)
{
	struct soft_bus *soft = soft_bus_of(bus);

	if (bus->pid == getpid()) {
		soft_runner_remove(soft);
		dma_detach(bus);
	}
	soft_free(soft);
}

const struct bus_ops soft_ops = {
	.scheme = "sim",
	.open = soft_open,
	.close = soft_close,
	.cfg_read = soft_cfg_read,
	.cfg_write = soft_cfg_write,
	.reg_read = soft_reg_read,
	.reg_write = soft_reg_write,
	.dma_map = soft_dma_map,
	.dma_unmap = soft_dma_unmap,
	.irq_enable = soft_irq_enable,
	.irq_mask = soft_irq_mask,
	.irq_pending = soft_irq_pending,
	.irq_arm = soft_irq_arm,
	.reset = soft_reset,
	.power = soft_power,
	.health = soft_health,
	.step = soft_step,
	.kick = soft_kick,
};
