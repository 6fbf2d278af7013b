/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vfio_device.h - what vfio.c, vfio_irq.c and vfio_reset.c share.
 */
#ifndef PYNVME_BUS_VFIO_DEVICE_H
#define PYNVME_BUS_VFIO_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/bus.h"

struct vfio_group;

/**
 * struct vfio_region - where a BAR or config space is in the device's file
 */
struct vfio_region {
	uint64_t off;
	uint64_t len;
};

/**
 * struct vfio_device - a bus with a VFIO device behind it
 * @map: the pages of BAR0 that hold the doorbells, NULL if they cannot be mapped
 * @irq_index: VFIO_PCI_*_IRQ_INDEX of bus.irq_kind
 * @irqs_on: vectors enabled there
 * @req_fd: counts the kernel's requests to give the device back; -1: it cannot ask
 */
struct vfio_device {
	struct bus bus;
	struct vfio_group *group;
	int fd;
	bool can_reset;
	struct vfio_region bar0;
	struct vfio_region cfg;
	void *map;
	size_t map_len;
	uint32_t irq_index;
	unsigned int irqs_on;
	int req_fd;
};

static inline struct vfio_device *vfio_device_of(struct bus *bus)
{
	return (struct vfio_device *)bus; /* the first member */
}

/* --- vfio_irq.c --- */

/* What kind of interrupt the function has, and how many; asks for the REQ eventfd. */
int vfio_irq_probe(struct vfio_device *dev);
void vfio_irq_release(struct vfio_device *dev);
int vfio_irq_enable(struct bus *bus, unsigned int n, const int *fds);
int vfio_irq_mask(struct bus *bus, unsigned int vector, bool masked);
/* Has the kernel asked for the device? */
bool vfio_irq_requested(struct vfio_device *dev);

/* --- vfio_reset.c --- */

int vfio_reset(struct bus *bus, enum bus_reset kind);

#endif
