// SPDX-License-Identifier: BSD-3-Clause
#include "bus/vfio.h"

#include <errno.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/counts.h"
#include "base/err.h"
#include "bus/dma.h"
#include "bus/pci.h"
#include "bus/pci_slot.h"
#include "bus/vfio_container.h"
#include "bus/vfio_device.h"
#include "bus/vfio_group.h"
#include "spec/reg.h"

#define INFO_BYTES 4096u

/* --- registers and config space ------------------------------------------------------------ */

static int vfio_cfg_read(struct bus *bus, unsigned int off, void *buf, unsigned int len)
{
	struct vfio_device *dev = vfio_device_of(bus);
	ssize_t n;

	if (off > dev->cfg.len || len > dev->cfg.len - off)
		return err_set(-EINVAL, "%s: config space ends at %#llx", bus->addr,
			       (unsigned long long)dev->cfg.len);
	n = pread(dev->fd, buf, len, (off_t)(dev->cfg.off + off));
	if (n != (ssize_t)len)
		memset(buf, 0xff, len); /* what an absent function answers */
	return 0;
}

static int vfio_cfg_write(struct bus *bus, unsigned int off, const void *buf, unsigned int len)
{
	struct vfio_device *dev = vfio_device_of(bus);

	if (off > dev->cfg.len || len > dev->cfg.len - off)
		return err_set(-EINVAL, "%s: config space ends at %#llx", bus->addr,
			       (unsigned long long)dev->cfg.len);
	/* An absent function takes no write, which is not the writer's error. */
	if (pwrite(dev->fd, buf, len, (off_t)(dev->cfg.off + off)) < 0 && errno == EFAULT)
		return err_set(-EFAULT, "%s: bad buffer", bus->addr);
	return 0;
}

static int check_reg(struct vfio_device *dev, uint64_t off, int width)
{
	if (off < dev->bar0.len && (uint64_t)width <= dev->bar0.len - off)
		return 0;
	return err_set(-EINVAL, "%s: register %#llx is outside BAR0 of %#llx bytes", dev->bus.addr,
		       (unsigned long long)off, (unsigned long long)dev->bar0.len);
}

/* EIO: the function does not decode (D3hot, memory space off); it would answer all-ones. */
static int vfio_reg_read(struct bus *bus, uint64_t off, int width, uint64_t *val)
{
	struct vfio_device *dev = vfio_device_of(bus);
	int err = check_reg(dev, off, width);

	if (err)
		return err;
	*val = 0;
	if (pread(dev->fd, val, (size_t)width, (off_t)(dev->bar0.off + off)) != width)
		*val = width == 4 ? UINT32_MAX : UINT64_MAX;
	return 0;
}

static int vfio_reg_write(struct bus *bus, uint64_t off, int width, uint64_t val)
{
	struct vfio_device *dev = vfio_device_of(bus);
	int err = check_reg(dev, off, width);

	if (err)
		return err;
	/* What does not decode takes no write. */
	if (pwrite(dev->fd, &val, (size_t)width, (off_t)(dev->bar0.off + off)) < 0 &&
	    errno == EFAULT)
		return err_set(-EFAULT, "%s: bad buffer", bus->addr);
	return 0;
}

/* --- the rest of the operations ------------------------------------------------------------ */

static int vfio_dma_map(struct bus *bus, struct dma_chunk *chunk)
{
	return vfio_container_map(chunk);
}

static void vfio_dma_unmap(struct bus *bus, struct dma_chunk *chunk)
{
	vfio_container_unmap(chunk);
}

static int vfio_health(struct bus *bus)
{
	int present = pci_present(bus);

	if (present < 0)
		return present;
	if (!present)
		return err_set(-ENODEV, "%s: removed or without power", bus->addr);
	if (vfio_irq_requested(vfio_device_of(bus)))
		return err_set(-EBUSY, "%s: the kernel asks for the device back", bus->addr);
	return 0;
}

/* VFIO writes the BARs back when decoding is switched on again. */
static int vfio_power(struct bus *bus, bool on)
{
	int err = pci_slot_power(bus, on);

	return err || !on ? err : pci_enable(bus);
}

/* --- regions ------------------------------------------------------------------------------- */

/* Answers with its capabilities; to be freed. */
static struct vfio_region_info *region_info(struct vfio_device *dev, uint32_t index)
{
	struct vfio_region_info *info = calloc(1, INFO_BYTES);

	if (!info)
		return NULL;
	info->argsz = INFO_BYTES;
	info->index = index;
	if (!ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, info) && info->argsz <= INFO_BYTES)
		return info;
	free(info);
	return NULL;
}

static int find_region(struct vfio_device *dev, uint32_t index, const char *name,
		       struct vfio_region *region)
{
	struct vfio_region_info *info = region_info(dev, index);

	if (!info || !info->size) {
		free(info);
		return err_set(-ENODEV, "%s has no %s", dev->bus.addr, name);
	}
	region->off = info->offset;
	region->len = info->size;
	free(info);
	return 0;
}

/* The part [*start, *end) of BAR0 around the first doorbell that may be mapped. */
static bool mappable(const struct vfio_region_info *info, uint64_t *start, uint64_t *end)
{
	const struct vfio_region_info_cap_sparse_mmap *sparse;
	const struct vfio_info_cap_header *cap;
	uint32_t off;

	if (!(info->flags & VFIO_REGION_INFO_FLAG_MMAP) || info->size <= NVME_REG_DOORBELLS)
		return false;
	*start = 0;
	*end = info->size;
	if (!(info->flags & VFIO_REGION_INFO_FLAG_CAPS))
		return true;
	for (off = info->cap_offset; off && off <= info->argsz - sizeof(*sparse); off = cap->next) {
		cap = (const void *)((const uint8_t *)info + off);
		if (cap->id != VFIO_REGION_INFO_CAP_SPARSE_MMAP)
			continue;
		sparse = (const void *)cap;
		for (uint32_t i = 0; i < sparse->nr_areas; i++) {
			*start = sparse->areas[i].offset;
			*end = *start + sparse->areas[i].size;
			if (*start <= NVME_REG_DOORBELLS && *end > NVME_REG_DOORBELLS)
				return true;
		}
		return false;
	}
	return true;
}

/* Doorbells that cannot be mapped go through reg_write: slower, not an error. */
static void map_doorbells(struct vfio_device *dev)
{
	struct vfio_region_info *info = region_info(dev, VFIO_PCI_BAR0_REGION_INDEX);
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), start, end, first;
	void *map;

	if (!info)
		return;
	first = NVME_REG_DOORBELLS / page * page;
	if (mappable(info, &start, &end) && start <= first) {
		map = mmap(NULL, end - first, PROT_READ | PROT_WRITE, MAP_SHARED, dev->fd,
			   (off_t)(info->offset + first));
		if (map != MAP_FAILED) {
			dev->map = map;
			dev->map_len = end - first;
			dev->bus.doorbells =
				(volatile uint32_t *)((uint8_t *)map + NVME_REG_DOORBELLS - first);
			dev->bus.doorbells_bytes = end - NVME_REG_DOORBELLS;
		}
	}
	free(info);
}

/* --- open and close ------------------------------------------------------------------------ */

static int open_device(struct vfio_device *dev)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	dev->fd = ioctl(dev->group->fd, VFIO_GROUP_GET_DEVICE_FD, dev->bus.addr);
	if (dev->fd < 0)
		return err_set(-errno, "%s: VFIO does not hand out the device: %m", dev->bus.addr);
	count_inc(COUNT_FDS);
	if (ioctl(dev->fd, VFIO_DEVICE_GET_INFO, &info))
		return err_set(-errno, "%s: VFIO_DEVICE_GET_INFO: %m", dev->bus.addr);
	if (!(info.flags & VFIO_DEVICE_FLAGS_PCI))
		return err_set(-ENODEV, "%s is not a PCI function for VFIO", dev->bus.addr);
	dev->can_reset = info.flags & VFIO_DEVICE_FLAGS_RESET;
	return 0;
}

static int set_up(struct vfio_device *dev)
{
	int err = open_device(dev);

	if (!err)
		err = find_region(dev, VFIO_PCI_CONFIG_REGION_INDEX, "config space", &dev->cfg);
	if (!err)
		err = find_region(dev, VFIO_PCI_BAR0_REGION_INDEX, "BAR0", &dev->bar0);
	if (!err)
		err = vfio_irq_probe(dev);
	if (!err)
		err = pci_enable(&dev->bus);
	if (!err)
		map_doorbells(dev);
	return err;
}

static void tear_down(struct vfio_device *dev)
{
	if (dev->map)
		munmap(dev->map, dev->map_len);
	vfio_irq_release(dev);
	if (dev->fd >= 0) {
		close(dev->fd);
		count_dec(COUNT_FDS);
	}
	vfio_group_put(dev->group);
	free(dev);
}

static int vfio_open(struct bus **out, const char *addr)
{
	struct vfio_device *dev = calloc(1, sizeof(*dev));
	int err;

	if (!dev)
		return err_set(-ENOMEM, "no memory");
	dev->bus.ops = &vfio_ops;
	dev->bus.pid = getpid();
	dev->req_fd = -1;
	snprintf(dev->bus.addr, sizeof(dev->bus.addr), "%s", addr);
	err = vfio_group_get(&dev->group, addr);
	if (err) {
		free(dev);
		return err;
	}
	dev->bus.iova_is_phys = dev->group->noiommu;
	err = set_up(dev);
	if (!err)
		err = dma_attach(&dev->bus);
	if (err) {
		tear_down(dev);
		return err;
	}
	*out = &dev->bus;
	return 0;
}

static void vfio_close(struct bus *bus)
{
	struct vfio_device *dev = vfio_device_of(bus);

	if (bus->pid != getpid()) {
		free(dev);
		return;
	}
	pci_stop_dma(bus);
	dma_detach(bus);
	tear_down(dev);
}

const struct bus_ops vfio_ops = {
	.scheme = "vfio",
	.open = vfio_open,
	.close = vfio_close,
	.cfg_read = vfio_cfg_read,
	.cfg_write = vfio_cfg_write,
	.reg_read = vfio_reg_read,
	.reg_write = vfio_reg_write,
	.dma_map = vfio_dma_map,
	.dma_unmap = vfio_dma_unmap,
	.irq_enable = vfio_irq_enable,
	.irq_mask = vfio_irq_mask,
	.reset = vfio_reset,
	.power = vfio_power,
	.health = vfio_health,
};
