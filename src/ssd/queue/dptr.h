/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dptr.h - from a command's data pointer to host memory.
 *
 * Base 2.1 sections 4.3.1 (PRP) and 4.3.2 (SGL). The walk checks everything before a byte
 * moves; its result, pieces of host memory in order, stays in ssd->dptr until the next walk.
 */
#ifndef PYNVME_SSD_QUEUE_DPTR_H
#define PYNVME_SSD_QUEUE_DPTR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct ssd;
struct ssd_ctrl;
struct ssd_ctx;

/* At least so many pieces of a command's data: SGLs may be finer than pages. */
#define SSD_PIECES_MIN 2048

/**
 * struct ssd_dptr - pieces of the data of the command at hand
 * @iov: iov_base NULL: bit bucket
 * @n: pieces; neighbours in memory are merged
 * @max: room
 */
struct ssd_dptr {
	struct iovec *iov;
	int n;
	int max;
};

/* Room for the pages of @bytes; 0 or -ENOMEM. */
int ssd_dptr_init(struct ssd_dptr *d, size_t bytes);
void ssd_dptr_fini(struct ssd_dptr *d);

/**
 * ssd_dptr_map() - resolve @len bytes of the data pointer of @c into ssd->dptr
 * @prot: PROT_WRITE when the device writes host memory, PROT_READ when it reads
 * Return: 0 or NVME_SC_*
 */
uint16_t ssd_dptr_map(struct ssd *ssd, struct ssd_ctx *c, size_t len, int prot);
/* The same for the metadata pointer. */
uint16_t ssd_mptr_map(struct ssd *ssd, struct ssd_ctx *c, size_t len, int prot);

/* The parts of the walk: prp.c, sgl.c. */
uint16_t ssd_prp_map(struct ssd *ssd, struct ssd_ctx *c, size_t len, int prot);
uint16_t ssd_sgl_map(struct ssd *ssd, struct ssd_ctx *c, size_t len, int prot);
uint16_t ssd_sgl_mptr_map(struct ssd *ssd, struct ssd_ctx *c, size_t len, int prot);
/* Append host memory at @iova, merged with its neighbour. */
uint16_t ssd_dptr_add(struct ssd_ctrl *ctrl, uint64_t iova, size_t len, int prot);
/* Read @len bytes of a list in host memory (PRP list, SGL segment). */
uint16_t ssd_dptr_fetch(struct ssd_ctrl *ctrl, uint64_t iova, void *buf, size_t len);

/* Copy between ssd->dptr from byte @off of it and @buf. */
void ssd_dptr_put(struct ssd *ssd, size_t off, const void *buf, size_t len);
void ssd_dptr_get(struct ssd *ssd, size_t off, void *buf, size_t len);

#endif
