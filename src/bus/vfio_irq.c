// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/counts.h"
#include "base/err.h"
#include "bus/vfio_device.h"

static unsigned int count_of(struct vfio_device *dev, uint32_t index)
{
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = index };

	if (ioctl(dev->fd, VFIO_DEVICE_GET_IRQ_INFO, &info))
		return 0;
	return info.flags & VFIO_IRQ_INFO_EVENTFD ? info.count : 0;
}

/*
 * @fds NULL: no data, @flags says what to do with the vectors.
 * Return: 0, -errno, or how many vectors the kernel could have had, if fewer.
 */
static int set_irqs(struct vfio_device *dev, uint32_t index, uint32_t flags, unsigned int n,
		    const int *fds)
{
	size_t data = fds ? n * sizeof(*fds) : 0;
	struct vfio_irq_set *set = calloc(1, sizeof(*set) + data);
	int ret;

	if (!set)
		return err_set(-ENOMEM, "no memory");
	set->argsz = (uint32_t)(sizeof(*set) + data);
	set->flags = flags | (fds ? VFIO_IRQ_SET_DATA_EVENTFD : VFIO_IRQ_SET_DATA_NONE);
	set->index = index;
	set->count = n;
	if (fds)
		memcpy(set->data, fds, data);
	ret = ioctl(dev->fd, VFIO_DEVICE_SET_IRQS, set);
	if (ret < 0)
		ret = -errno;
	free(set);
	return ret;
}

int vfio_irq_probe(struct vfio_device *dev)
{
	static const struct {
		uint32_t index;
		enum bus_irq_kind kind;
	} kinds[] = {
		{ VFIO_PCI_MSIX_IRQ_INDEX, BUS_IRQ_MSIX },
		{ VFIO_PCI_MSI_IRQ_INDEX, BUS_IRQ_MSI },
		{ VFIO_PCI_INTX_IRQ_INDEX, BUS_IRQ_INTX },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !dev->bus.irq_max; i++) {
		dev->bus.irq_max = count_of(dev, kinds[i].index);
		if (dev->bus.irq_max) {
			dev->bus.irq_kind = kinds[i].kind;
			dev->irq_index = kinds[i].index;
		}
	}
	dev->req_fd = -1;
	if (!count_of(dev, VFIO_PCI_REQ_IRQ_INDEX))
		return 0;
	dev->req_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (dev->req_fd < 0)
		return err_set(-errno, "%s: no eventfd: %m", dev->bus.addr);
	count_inc(COUNT_FDS);
	if (set_irqs(dev, VFIO_PCI_REQ_IRQ_INDEX, VFIO_IRQ_SET_ACTION_TRIGGER, 1, &dev->req_fd))
		return err_set(-EIO, "%s: VFIO takes no eventfd for device requests",
			       dev->bus.addr);
	return 0;
}

void vfio_irq_release(struct vfio_device *dev)
{
	if (dev->req_fd < 0)
		return;
	close(dev->req_fd);
	count_dec(COUNT_FDS);
}

bool vfio_irq_requested(struct vfio_device *dev)
{
	uint64_t count;

	if (dev->req_fd < 0 || read(dev->req_fd, &count, sizeof(count)) != (ssize_t)sizeof(count))
		return false;
	/* Once asked, always asked: leave it readable for the next call. */
	return write(dev->req_fd, &count, sizeof(count)) == (ssize_t)sizeof(count);
}

/*
 * All at once: Linux before 6.4 cannot add vectors later. Off before on, so that after a
 * loss of power the kernel writes the device's table anew.
 */
int vfio_irq_enable(struct bus *bus, unsigned int n, const int *fds)
{
	struct vfio_device *dev = vfio_device_of(bus);
	int err;

	if (dev->irqs_on)
		set_irqs(dev, dev->irq_index, VFIO_IRQ_SET_ACTION_TRIGGER, 0, NULL);
	dev->irqs_on = 0;
	if (!n)
		return 0;
	err = set_irqs(dev, dev->irq_index, VFIO_IRQ_SET_ACTION_TRIGGER, n, fds);
	if (err > 0)
		return err_set(-ENOSPC, "%s: this machine has %d of %u interrupt vectors left",
			       bus->addr, err, n);
	if (err)
		return err_set(err, "%s: VFIO refuses %u interrupt vectors: %s", bus->addr, n,
			       strerror(-err));
	dev->irqs_on = n;
	return 0;
}

/* Only INTx can be masked through VFIO, which does so itself when it fires. */
int vfio_irq_mask(struct bus *bus, unsigned int vector, bool masked)
{
	struct vfio_device *dev = vfio_device_of(bus);
	int err;

	if (bus->irq_kind != BUS_IRQ_INTX)
		return -EOPNOTSUPP;
	err = set_irqs(dev, VFIO_PCI_INTX_IRQ_INDEX,
		       masked ? VFIO_IRQ_SET_ACTION_MASK : VFIO_IRQ_SET_ACTION_UNMASK, 1, NULL);
	return err ? err_set(err, "%s: VFIO cannot mask INTx: %s", bus->addr, strerror(-err)) : 0;
}
