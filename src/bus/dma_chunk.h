/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dma_chunk.h - one memfd of the DMA pool, placed in the reservation.
 */
#ifndef PYNVME_BUS_DMA_CHUNK_H
#define PYNVME_BUS_DMA_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/dma.h"
#include "bus/dma_bits.h"

#define DMA_GRAIN_BYTES (UINT64_C(1) << DMA_GRAIN_SHIFT)

/**
 * struct dma_piece - a chunk with its book-keeping
 * @next: the piece behind it in the reservation
 * @high_page: pages from here on were never handed out and still read as zero
 * @huge: made of 2 MiB pages, which have a physical address that stays
 */
struct dma_piece {
	struct dma_chunk chunk;
	struct dma_piece *next;
	struct dma_bits bits;
	uint32_t high_page;
	bool huge;
};

/**
 * dma_piece_create() - memory at @va
 * @va: free place in the reservation, a multiple of 2 MiB
 * @len: a multiple of 2 MiB
 * @huge: only huge pages will do; else they are used if there are any
 */
int dma_piece_create(struct dma_piece **out, void *va, size_t len, bool huge);
/* Gives the place back to the reservation. */
void dma_piece_destroy(struct dma_piece *piece);
/* After fork: forget it, touch neither its pages nor its place. */
void dma_piece_forget(struct dma_piece *piece);

/* Physical address of a huge page; -EACCES without CAP_SYS_ADMIN, -EIO. */
int dma_phys_addr(const void *va, uint64_t *phys);

#endif
