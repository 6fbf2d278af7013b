/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dma_pin.h - memory of the pool that must not be handed out again yet; for dma.c alone.
 */
#ifndef PYNVME_BUS_DMA_PIN_H
#define PYNVME_BUS_DMA_PIN_H

#include <stdbool.h>

#include "bus/dma.h"

/* Whether memory that its user frees is pinned: then its last dma_unpin() frees it. */
bool dma_pin_keeps(const struct dma_mem *mem);

/* After fork: the parent's pins are not ours. */
void dma_pin_forget(void);

#endif
