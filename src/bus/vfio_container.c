// SPDX-License-Identifier: BSD-3-Clause
#include "bus/vfio_container.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/counts.h"
#include "base/err.h"
#include "bus/dma.h"

#define CONTAINER_PATH "/dev/vfio/vfio"
#define RANGES_MAX     64u
#define INFO_BYTES     4096u

struct mapping {
	struct mapping *next;
	const struct dma_chunk *chunk;
	unsigned int refs;
};

static struct {
	int fd;
	unsigned int groups;
	bool noiommu;
	struct mapping *mappings;
	/* what the IOMMU can translate; none: it does not say */
	struct vfio_iova_range ranges[RANGES_MAX];
	unsigned int nranges;
} container;

/* --- coming and going ---------------------------------------------------------------------- */

static int open_container(void)
{
	int fd = open(CONTAINER_PATH, O_RDWR | O_CLOEXEC), version;

	if (fd < 0 && errno == EACCES)
		return err_set(-EACCES, "no permission on " CONTAINER_PATH
					": chmod 666 " CONTAINER_PATH " as root");
	if (fd < 0)
		return err_set(-errno, CONTAINER_PATH ": %m: `modprobe vfio-pci` as root");
	version = ioctl(fd, VFIO_GET_API_VERSION);
	if (version != VFIO_API_VERSION) {
		close(fd);
		return err_set(-EOPNOTSUPP, CONTAINER_PATH " speaks version %d, we speak %d",
			       version, VFIO_API_VERSION);
	}
	count_inc(COUNT_FDS);
	return fd;
}

static int choose_iommu(bool noiommu)
{
	static const int types[] = { VFIO_TYPE1v2_IOMMU, VFIO_TYPE1_IOMMU };

	if (noiommu)
		return ioctl(container.fd, VFIO_CHECK_EXTENSION, VFIO_NOIOMMU_IOMMU) == 1 ?
			       VFIO_NOIOMMU_IOMMU :
			       0;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (ioctl(container.fd, VFIO_CHECK_EXTENSION, types[i]) == 1)
			return types[i];
	return 0;
}

/* Walk the capability chain of the answer, distrusting its offsets. */
static void learn_ranges(void)
{
	struct vfio_iommu_type1_info *info = calloc(1, INFO_BYTES);
	struct vfio_info_cap_header *cap;
	uint32_t off;

	container.nranges = 0;
	if (!info)
		return;
	info->argsz = INFO_BYTES;
	if (ioctl(container.fd, VFIO_IOMMU_GET_INFO, info) || info->argsz > INFO_BYTES ||
	    !(info->flags & VFIO_IOMMU_INFO_CAPS))
		goto out;
	for (off = info->cap_offset; off && off <= info->argsz - sizeof(*cap); off = cap->next) {
		struct vfio_iommu_type1_info_cap_iova_range *ranges;

		cap = (void *)((uint8_t *)info + off);
		if (cap->id != VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE)
			continue;
		ranges = (void *)cap;
		container.nranges = ranges->nr_iovas < RANGES_MAX ? ranges->nr_iovas : RANGES_MAX;
		memcpy(container.ranges, ranges->iova_ranges,
		       container.nranges * sizeof(container.ranges[0]));
		break;
	}
out:
	free(info);
}

static int set_iommu(bool noiommu)
{
	int type = choose_iommu(noiommu);

	if (!type)
		return err_set(-EOPNOTSUPP, noiommu ? "this kernel's VFIO has no no-IOMMU mode" :
						      "VFIO has no type 1 IOMMU: `modprobe "
						      "vfio_iommu_type1` as root");
	if (ioctl(container.fd, VFIO_SET_IOMMU, type))
		return err_set(-errno, "VFIO_SET_IOMMU: %m%s",
			       noiommu ? " (no-IOMMU mode is for root)" : "");
	container.noiommu = noiommu;
	if (!noiommu)
		learn_ranges();
	return 0;
}

static void close_container(void)
{
	close(container.fd);
	count_dec(COUNT_FDS);
}

int vfio_container_add(int group_fd, const char *group_path, bool noiommu)
{
	int err = 0;

	if (!container.groups) {
		container.fd = open_container();
		if (container.fd < 0)
			return container.fd;
	} else if (container.noiommu != noiommu) {
		return err_set(-EBUSY,
			       "%s: drives with and without an IOMMU cannot be open "
			       "together",
			       group_path);
	}
	if (ioctl(group_fd, VFIO_GROUP_SET_CONTAINER, &container.fd))
		err = err_set(-errno, "%s: VFIO_GROUP_SET_CONTAINER: %m", group_path);
	if (!err && !container.groups)
		err = set_iommu(noiommu);
	if (err && !container.groups)
		close_container();
	container.groups += !err;
	return err;
}

void vfio_container_leave(void)
{
	if (!--container.groups)
		close_container();
}

void vfio_container_forget(void)
{
	container.groups = 0;
	container.mappings = NULL;
}

/* --- memory -------------------------------------------------------------------------------- */

static bool reachable(uint64_t iova, size_t len)
{
	for (unsigned int i = 0; i < container.nranges; i++)
		if (iova >= container.ranges[i].start && iova + len - 1 <= container.ranges[i].end)
			return true;
	return !container.nranges;
}

static void unmap_run(uint64_t iova, size_t len)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = iova,
		.size = len,
	};

	ioctl(container.fd, VFIO_IOMMU_UNMAP_DMA, &unmap);
}

static int map_run(const uint8_t *va, uint64_t iova, size_t len)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)va,
		.iova = iova,
		.size = len,
	};

	if (!reachable(iova, len))
		return err_set(-EADDRNOTAVAIL,
			       "the IOMMU cannot map IOVA %#llx: its address width is too small",
			       (unsigned long long)iova);
	if (ioctl(container.fd, VFIO_IOMMU_MAP_DMA, &map))
		return err_set(-errno, "VFIO cannot map %zu KiB at IOVA %#llx: %m", len >> 10,
			       (unsigned long long)iova);
	return 0;
}

/* Bytes from @off on that are contiguous in IOVA, too. */
static size_t run_len(const struct dma_chunk *chunk, size_t off)
{
	const size_t grain = (size_t)1 << DMA_GRAIN_SHIFT;
	const uint8_t *va = (const uint8_t *)chunk->va + off;
	size_t len = grain;

	while (off + len < chunk->len && dma_iova(va + len) == dma_iova(va) + len)
		len += grain;
	return len;
}

static void unmap_until(const struct dma_chunk *chunk, size_t end)
{
	for (size_t off = 0, len; off < end; off += len) {
		len = run_len(chunk, off);
		unmap_run(dma_iova((uint8_t *)chunk->va + off), len);
	}
}

static int map_chunk(const struct dma_chunk *chunk)
{
	for (size_t off = 0, len; off < chunk->len; off += len) {
		const uint8_t *va = (const uint8_t *)chunk->va + off;
		int err;

		len = run_len(chunk, off);
		err = map_run(va, dma_iova(va), len);
		if (err) {
			unmap_until(chunk, off);
			return err;
		}
	}
	return 0;
}

static struct mapping **find_mapping(const struct dma_chunk *chunk)
{
	struct mapping **link = &container.mappings;

	while (*link && (*link)->chunk != chunk)
		link = &(*link)->next;
	return link;
}

int vfio_container_map(struct dma_chunk *chunk)
{
	struct mapping **link = find_mapping(chunk), *mapping = *link;
	int err;

	if (container.noiommu)
		return 0;
	if (mapping) {
		mapping->refs++;
		return 0;
	}
	mapping = calloc(1, sizeof(*mapping));
	if (!mapping)
		return err_set(-ENOMEM, "no memory");
	err = map_chunk(chunk);
	if (err) {
		free(mapping);
		return err;
	}
	mapping->chunk = chunk;
	mapping->refs = 1;
	*link = mapping;
	return 0;
}

void vfio_container_unmap(struct dma_chunk *chunk)
{
	struct mapping **link = find_mapping(chunk), *mapping = *link;

	if (container.noiommu || !mapping || --mapping->refs)
		return;
	*link = mapping->next;
	free(mapping);
	unmap_until(chunk, chunk->len);
}
