/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vfio_group.h - IOMMU groups, and the one container that the process puts them in.
 *
 * One container means one IOVA space: memory is mapped once, whatever the number of
 * drives. Callers hold the lock of bus_open() and bus_close(), or that of the DMA pool.
 */
#ifndef PYNVME_BUS_VFIO_GROUP_H
#define PYNVME_BUS_VFIO_GROUP_H

#include <stdbool.h>

#include "base/list.h"

/**
 * struct vfio_group - an open IOMMU group
 * @refs: functions of it that are open
 * @noiommu: there is no IOMMU behind it
 * @path: "/dev/vfio/12", "/dev/vfio/noiommu-0"
 */
struct vfio_group {
	struct list_node node;
	int fd;
	int refs;
	bool noiommu;
	char path[64];
};

/**
 * vfio_group_get() - the group of a function, ready to hand out its device
 * @bdf: long form of a PCI address, bound to vfio-pci
 *
 * Errors: -ENOENT VFIO is not there, -EACCES no permission, -EBUSY in use by another
 * process or not viable, -EOPNOTSUPP no IOMMU that we can use.
 */
int vfio_group_get(struct vfio_group **out, const char *bdf);
void vfio_group_put(struct vfio_group *group);

/* Every open group, for a bus reset that needs all groups it hits; returns their number. */
unsigned int vfio_group_fds(int *fds, unsigned int max);

#endif
