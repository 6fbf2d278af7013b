// SPDX-License-Identifier: BSD-3-Clause
#include <errno.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/err.h"
#include "base/log.h"
#include "bus/vfio_device.h"
#include "bus/vfio_group.h"

#define GROUPS_MAX 64u

static int function_reset(struct vfio_device *dev)
{
	if (!dev->can_reset)
		return err_set(-EOPNOTSUPP, "%s has no function level reset", dev->bus.addr);
	if (ioctl(dev->fd, VFIO_DEVICE_RESET))
		return err_set(-errno, "%s: VFIO_DEVICE_RESET: %m", dev->bus.addr);
	return 0;
}

/* The bus is reset for every function on it, so the kernel wants proof that all are ours. */
static int hot_reset(struct vfio_device *dev)
{
	struct vfio_pci_hot_reset *reset;
	int fds[GROUPS_MAX];
	unsigned int n = vfio_group_fds(fds, GROUPS_MAX);
	int err = 0;

	reset = calloc(1, sizeof(*reset) + n * sizeof(fds[0]));
	if (!reset)
		return err_set(-ENOMEM, "no memory");
	reset->argsz = (uint32_t)(sizeof(*reset) + n * sizeof(fds[0]));
	reset->count = n;
	for (unsigned int i = 0; i < n; i++)
		reset->group_fds[i] = fds[i];
	if (ioctl(dev->fd, VFIO_DEVICE_PCI_HOT_RESET, reset))
		err = -errno;
	free(reset);
	return err;
}

/* Where the bus has other users, or its port does not play along, a function reset is nearest. */
int vfio_reset(struct bus *bus, enum bus_reset kind)
{
	struct vfio_device *dev = vfio_device_of(bus);

	int err;

	if (kind == BUS_RESET_FLR)
		return function_reset(dev);
	err = hot_reset(dev);
	if (!err || !dev->can_reset)
		return err ? err_set(err, "%s: VFIO_DEVICE_PCI_HOT_RESET: %s", bus->addr,
				     strerror(-err)) :
			     0;
	log_info("%s: no bus reset (%s), a function level reset instead", bus->addr,
		 strerror(-err));
	return function_reset(dev);
}
