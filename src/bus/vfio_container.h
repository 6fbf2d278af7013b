/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vfio_container.h - the IOVA space that all VFIO groups of the process share.
 */
#ifndef PYNVME_BUS_VFIO_CONTAINER_H
#define PYNVME_BUS_VFIO_CONTAINER_H

#include <stdbool.h>

struct dma_chunk;

/* Put a group into the container, which the first one creates; -errno with a text. */
int vfio_container_add(int group_fd, const char *group_path, bool noiommu);
/* Once the group's file is closed; the last one closes the container. */
void vfio_container_leave(void);
/* In a forked child: it is the parent's. */
void vfio_container_forget(void);

/* Counted: a chunk that is mapped for one function is there for all. */
int vfio_container_map(struct dma_chunk *chunk);
void vfio_container_unmap(struct dma_chunk *chunk);

#endif
