/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bus.h - how to reach one PCI function, real or not.
 *
 * A bus hides whether the function is silicon behind VFIO, a device model behind
 * a socket or the software SSD of this process. Every call returns 0 or -errno
 * with a text in base/err.h, unless it says otherwise.
 */
#ifndef PYNVME_BUS_BUS_H
#define PYNVME_BUS_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct bus;
struct dma_chunk;

enum bus_reset {
	BUS_RESET_FLR, /* function level reset (PCIe 6.6.2) */
	BUS_RESET_HOT, /* secondary bus reset, or what comes nearest to it */
};

enum bus_irq_kind {
	BUS_IRQ_NONE,
	BUS_IRQ_INTX,
	BUS_IRQ_MSI,
	BUS_IRQ_MSIX,
};

/**
 * struct bus_ops - what one way of reaching a function implements
 *
 * Registers and config space are little endian as on the wire. A device that
 * stopped decoding reads as all-ones; that is a value, not an error.
 */
struct bus_ops {
	const char *scheme; /* "sim", "vfio", "uio" */
	/* Canonical address. Ends with dma_attach(), as close stops the device and detaches. */
	int (*open)(struct bus **out, const char *addr);
	void (*close)(struct bus *bus);

	int (*cfg_read)(struct bus *bus, unsigned int off, void *buf, unsigned int len);
	int (*cfg_write)(struct bus *bus, unsigned int off, const void *buf, unsigned int len);
	int (*reg_read)(struct bus *bus, uint64_t off, int width, uint64_t *val);
	int (*reg_write)(struct bus *bus, uint64_t off, int width, uint64_t val);

	int (*dma_map)(struct bus *bus, struct dma_chunk *chunk);
	void (*dma_unmap)(struct bus *bus, struct dma_chunk *chunk);

	/* Called once per open and again after a power cycle; fds[i] may be -1. */
	int (*irq_enable)(struct bus *bus, unsigned int n, const int *fds);
	/* -EOPNOTSUPP: masking is emulated in bus/irq.c */
	int (*irq_mask)(struct bus *bus, unsigned int vector, bool masked);
	/* NULL: eventfds count. Else 1 pending, 0 not; clears when asked to. */
	int (*irq_pending)(struct bus *bus, unsigned int vector, bool clear);
	/* Soft only, NULL elsewhere: the next interrupts of the vector write its eventfd. */
	void (*irq_arm)(struct bus *bus, unsigned int vector, bool armed);

	int (*reset)(struct bus *bus, enum bus_reset kind);
	/* Power of the function itself; -EOPNOTSUPP where there is no such means. */
	int (*power)(struct bus *bus, bool on);
	/* 0, -ENODEV removed, -EBUSY the kernel asks for the device back; at most 100 Hz. */
	int (*health)(struct bus *bus);
	/* Soft only, NULL elsewhere: let the device work. now_ns is base/clock.h time. */
	void (*step)(struct bus *bus, uint64_t now_ns);
	/* Soft only, NULL elsewhere: wake the runner; see bus_kick(). */
	void (*kick)(struct bus *bus);
};

/**
 * struct bus - an open function; filled by the scheme's open, read-only above
 * @doorbells: the mapped doorbell page(s) at BAR0 + 1000h, NULL: use reg_write
 * @doorbells_bytes: how much of it is mapped
 * @runner_asleep: soft only: nobody will see a doorbell unless bus_kick() says so
 * @irq_kind, @irq_max: what kind of interrupt the function will use, and how many vectors
 *                      of it there are
 * @nvectors: interrupt vectors in use, 0 before bus_irq_init()
 * @irq: their state (bus/irq.c)
 * @pid: the process that opened it; after fork no other may touch the function
 * @addr: canonical address ("0000:01:00.0", "sim:size=20G")
 */
struct bus {
	const struct bus_ops *ops;
	volatile uint32_t *doorbells;
	size_t doorbells_bytes;
	uint32_t runner_asleep;
	/* cold from here */
	enum bus_irq_kind irq_kind;
	unsigned int irq_max;
	unsigned int nvectors;
	struct bus_irq *irq;
	struct list_node dma_node;  /* in the DMA pool's list of attached buses */
	struct list_node open_node; /* in bus.c's list of open functions */
	bool iova_is_phys;	    /* no IOMMU: needs huge pages */
	int pid;
	char addr[256];
};

/**
 * bus_open() - open the function at @addr
 * @addr: "01:00.0", "0000:01:00.0", "sim", "sim:OPTIONS"
 *
 * The function is left as found (controller not touched), bus mastering on, and
 * every DMA chunk of the process mapped into it.
 *
 * Errors: -EINVAL no such form of address, -ENOENT no such device, -EBUSY bound
 * to another driver or in use by another process, -EALREADY open in this process,
 * -EACCES no permission on the VFIO group, -ENODEV not an NVMe class code
 * (01h 08h 02h), -ENOMEM memlock.
 */
int bus_open(struct bus **out, const char *addr);
/* In a child of the process that opened it: frees local memory only. */
void bus_close(struct bus *bus);

/* BAR0 at @off, a multiple of the width. */
int bus_read32(struct bus *bus, uint64_t off, uint32_t *val);
int bus_read64(struct bus *bus, uint64_t off, uint64_t *val);
int bus_write32(struct bus *bus, uint64_t off, uint32_t val);
int bus_write64(struct bus *bus, uint64_t off, uint64_t val);

static inline void bus_step(struct bus *bus, uint64_t now_ns)
{
	if (bus->ops->step)
		bus->ops->step(bus, now_ns);
}

/*
 * After a batch of doorbells written by plain stores: wakes the runner of a soft bus
 * if it sleeps and nobody has polled for a while. A load and a branch otherwise: the
 * fence between that load and the doorbell is on the runner's side.
 */
static inline void bus_kick(struct bus *bus)
{
	if (__builtin_expect(__atomic_load_n(&bus->runner_asleep, __ATOMIC_RELAXED), 0))
		bus->ops->kick(bus);
}

#endif
