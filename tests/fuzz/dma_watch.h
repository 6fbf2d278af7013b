/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dma_watch.h - which pages of the DMA pool belong to somebody.
 *
 * The linker's --wrap puts this between the driver and bus/dma.h, so that a device can tell memory
 * that was taken away from it from memory that was not.
 */
#ifndef PYNVME_TESTS_FUZZ_DMA_WATCH_H
#define PYNVME_TESTS_FUZZ_DMA_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All of [iova, iova + len) is allocated. */
bool dma_watch_taken(uint64_t iova, size_t len);
/* A part of an allocation that no device may touch. */
void dma_watch_guard(uint64_t iova, size_t len);

#endif
