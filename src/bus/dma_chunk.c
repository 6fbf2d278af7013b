// SPDX-License-Identifier: BSD-3-Clause
#include "bus/dma_chunk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/counts.h"
#include "base/err.h"

#define FREE_HUGE_PAGES "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"
#define PAGEMAP_PRESENT (UINT64_C(1) << 63)
#define PAGEMAP_PFN	((UINT64_C(1) << 55) - 1)

static unsigned long long free_huge_pages(void)
{
	unsigned long long n = 0;
	FILE *file = fopen(FREE_HUGE_PAGES, "re");

	if (!file)
		return 0;
	if (fscanf(file, "%llu", &n) != 1)
		n = 0;
	fclose(file);
	return n;
}

/* A mapping of huge pages reserves them here and now, so a later touch cannot fail. */
static int map_memfd(void *va, size_t len, unsigned int flags)
{
	int fd = memfd_create("nvme-dma", MFD_CLOEXEC | flags);
	int err;

	if (fd < 0)
		return -errno;
	if (!ftruncate(fd, (off_t)len) &&
	    mmap(va, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* Over a mapping that was there: this cannot fail for want of anything. */
static void vacate(void *va, size_t len)
{
	(void)mmap(va, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
		   0);
}

static int map_piece(struct dma_piece *piece, bool only_huge)
{
	struct dma_chunk *chunk = &piece->chunk;
	unsigned long long need = chunk->len / DMA_GRAIN_BYTES, have = free_huge_pages();

	chunk->fd = -ENOMEM;
	if (have >= need)
		chunk->fd = map_memfd(chunk->va, chunk->len, MFD_HUGETLB | MFD_HUGE_2MB);
	piece->huge = chunk->fd >= 0;
	if (piece->huge)
		return 0;
	if (only_huge)
		return err_set(-ENOMEM,
			       "without an IOMMU DMA memory must be huge pages: %llu of 2 MiB are "
			       "needed, %llu are free; raise /proc/sys/vm/nr_hugepages",
			       need, have);
	chunk->fd = map_memfd(chunk->va, chunk->len, 0);
	if (chunk->fd < 0)
		return err_set(chunk->fd, "no %zu KiB of shared memory for DMA: %s",
			       chunk->len >> 10, strerror(-chunk->fd));
	return 0;
}

int dma_piece_create(struct dma_piece **out, void *va, size_t len, bool huge)
{
	struct dma_piece *piece = calloc(1, sizeof(*piece));
	int err;

	if (!piece)
		return err_set(-ENOMEM, "no memory");
	piece->chunk.va = va;
	piece->chunk.len = len;
	err = dma_bits_init(&piece->bits, (uint32_t)(len / DMA_PAGE_BYTES));
	if (err) {
		free(piece);
		return err_set(err, "no memory");
	}
	err = map_piece(piece, huge);
	if (err) {
		vacate(va, len);
		dma_bits_fini(&piece->bits);
		free(piece);
		return err;
	}
	count_add(COUNT_CHUNKS, 1);
	count_add(COUNT_FDS, 1);
	*out = piece;
	return 0;
}

void dma_piece_forget(struct dma_piece *piece)
{
	close(piece->chunk.fd);
	count_add(COUNT_CHUNKS, -1);
	count_add(COUNT_FDS, -1);
	dma_bits_fini(&piece->bits);
	free(piece);
}

void dma_piece_destroy(struct dma_piece *piece)
{
	vacate(piece->chunk.va, piece->chunk.len);
	dma_piece_forget(piece);
}

int dma_phys_addr(const void *va, uint64_t *phys)
{
	volatile const uint8_t *touch = va;
	uint64_t entry = 0;
	off_t off = (off_t)((uintptr_t)va / DMA_PAGE_BYTES * sizeof(entry));
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return err_set(-errno, "/proc/self/pagemap: %s", strerror(errno));
	(void)*touch; /* a page that was never touched has no address yet */
	n = pread(fd, &entry, sizeof(entry), off);
	close(fd);
	if (n != (ssize_t)sizeof(entry) || !(entry & PAGEMAP_PRESENT))
		return err_set(-EIO, "/proc/self/pagemap has no entry for %p", va);
	if (!(entry & PAGEMAP_PFN))
		return err_set(-EACCES, "/proc/self/pagemap hides physical addresses: run as root");
	*phys = (entry & PAGEMAP_PFN) * DMA_PAGE_BYTES + (uintptr_t)va % DMA_PAGE_BYTES;
	return 0;
}
