/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dma.h - the DMA memory of the process.
 *
 * One pool, one owner of IOVA space. Memory comes from memfds (huge pages when
 * there are any) placed in one address reservation, so that IOVA and host address
 * differ by a table lookup. Every chunk is mapped into every open bus and stays
 * mapped until that bus closes; an empty chunk goes back to the system when no
 * bus is open. Thread-safe.
 */
#ifndef PYNVME_BUS_DMA_H
#define PYNVME_BUS_DMA_H

#include <stddef.h>
#include <stdint.h>

struct bus;

#define DMA_PAGE_BYTES	4096u
#define DMA_GRAIN_SHIFT 21 /* a chunk is a multiple of 2 MiB */
#define DMA_IOVA_BASE	(UINT64_C(1) << 32)

/* One piece of the pool with one file descriptor; what bus_ops.dma_map maps. */
struct dma_chunk {
	void *va;
	uint64_t iova; /* of the first byte; with physical addresses each grain has its own */
	size_t len;
	int fd;
	uint64_t fd_off;
};

/*
 * Zeroed, 4 KiB aligned, IOVA-contiguous (physical addresses: only up to 2 MiB). Opening
 * the first device without an IOMMU turns IOVAs into physical addresses: ask dma_iova()
 * for the address of memory that may be older than the device.
 */
struct dma_mem {
	void *va;
	uint64_t iova;
	size_t len; /* as asked for */
};

/**
 * dma_alloc() - memory a device can reach
 * Return: 0, -EINVAL (len 0), -ENOMEM with RLIMIT_MEMLOCK, need and supply in the text.
 */
int dma_alloc(struct dma_mem *out, size_t len);
void dma_free(struct dma_mem *mem); /* NULL and empty are fine; clears *mem */

/**
 * dma_pin() - a device may still use the memory around @va, whoever frees it
 * @owner: names the device to dma_unpin()
 * @va: any address in it; nothing happens to one that is not of the pool
 *
 * Memory that is freed while it is pinned is not handed out again before its last pin ends.
 * Return: 0, -ENOMEM.
 */
int dma_pin(const void *owner, const void *va);
/* The device has stopped: end all pins of @owner. */
void dma_unpin(const void *owner);

/* Used by bus_open()/bus_close(): map every chunk into the bus, now and from now on. */
int dma_attach(struct bus *bus);
void dma_detach(struct bus *bus);

/* Hot: the table behind dma_iova(); one entry a grain of the reservation. */
struct dma_space {
	uint8_t *base;	  /* start of the reservation, NULL before the first chunk */
	size_t len;	  /* bytes of it */
	uint64_t *grains; /* IOVA of each 2 MiB grain, 0: nothing there */
};

extern struct dma_space dma_space;

/* The IOVA of a host address inside the pool, 0 if it is not in the pool. */
static inline uint64_t dma_iova(const void *va)
{
	size_t off = (size_t)((const uint8_t *)va - dma_space.base);
	uint64_t grain;

	if (__builtin_expect(off >= dma_space.len, 0))
		return 0;
	grain = __atomic_load_n(&dma_space.grains[off >> DMA_GRAIN_SHIFT], __ATOMIC_RELAXED);
	return grain ? grain + (off & ((UINT64_C(1) << DMA_GRAIN_SHIFT) - 1)) : 0;
}

/**
 * dma_va() - the host address of [iova, iova + len), for a device inside this process
 * @avail: bytes from there on that are contiguous in host memory, at most @len
 * Return: NULL if @iova is not mapped.
 */
void *dma_va(uint64_t iova, size_t len, size_t *avail);

#endif
