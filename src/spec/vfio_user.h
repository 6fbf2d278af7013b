/*
 * vfio-user protocol 0.1, messages over a UNIX socket: QEMU docs/interop/vfio-user.rst.
 * Payload structures follow Linux's <linux/vfio.h> where the document says so.
 */
#ifndef SPEC_VFIO_USER_H
#define SPEC_VFIO_USER_H

#include "spec/wire.h"

#define VFIO_USER_MAJOR 0u
#define VFIO_USER_MINOR 1u

enum vfio_user_cmd {
	VFIO_USER_VERSION = 1,
	VFIO_USER_DMA_MAP = 2,
	VFIO_USER_DMA_UNMAP = 3,
	VFIO_USER_DEVICE_GET_INFO = 4,
	VFIO_USER_DEVICE_GET_REGION_INFO = 5,
	VFIO_USER_DEVICE_GET_REGION_IO_FDS = 6,
	VFIO_USER_DEVICE_GET_IRQ_INFO = 7,
	VFIO_USER_DEVICE_SET_IRQS = 8,
	VFIO_USER_REGION_READ = 9,
	VFIO_USER_REGION_WRITE = 10,
	VFIO_USER_DMA_READ = 11,
	VFIO_USER_DMA_WRITE = 12,
	VFIO_USER_DEVICE_RESET = 13,
	VFIO_USER_REGION_WRITE_MULTI = 15,
	VFIO_USER_DEVICE_FEATURE = 16,
	VFIO_USER_MIG_DATA_READ = 17,
	VFIO_USER_MIG_DATA_WRITE = 18,
};

/**
 * struct vfio_user_header - of every message
 * @id:	   chosen by the sender of a command, repeated in its reply
 * @size:  bytes of the message, this header included
 * @error: errno of a failed command, with VFIO_USER_FLAG_ERROR
 */
struct vfio_user_header {
	uint16_t id;
	uint16_t cmd;
	uint32_t size;
	uint32_t flags; /* VFIO_USER_TYPE_*, VFIO_USER_FLAG_* */
	uint32_t error;
};
WIRE_SIZE(struct vfio_user_header, 16);

#define VFIO_USER_TYPE_MASK	0x0fu
#define VFIO_USER_TYPE_COMMAND	0x00u
#define VFIO_USER_TYPE_REPLY	0x01u
#define VFIO_USER_FLAG_NO_REPLY 0x10u
#define VFIO_USER_FLAG_ERROR	0x20u

/* zero terminated JSON with the capabilities may follow */
struct vfio_user_version {
	uint16_t major;
	uint16_t minor;
	char json[];
};
WIRE_SIZE(struct vfio_user_version, 4);

/* defaults of capabilities that a peer does not name */
#define VFIO_USER_MAX_MSG_FDS	 1u
#define VFIO_USER_MAX_DATA_BYTES (1024u * 1024u)
#define VFIO_USER_MAX_DMA_MAPS	 65535u
#define VFIO_USER_PGSIZES	 4096u

struct vfio_user_dma_map {
	uint32_t argsz;
	uint32_t flags;	 /* VFIO_USER_DMA_* */
	uint64_t offset; /* in the file descriptor sent along */
	uint64_t addr;
	uint64_t size;
};
WIRE_SIZE(struct vfio_user_dma_map, 32);

#define VFIO_USER_DMA_READ_ALLOWED  0x1u
#define VFIO_USER_DMA_WRITE_ALLOWED 0x2u

struct vfio_user_dma_unmap {
	uint32_t argsz;
	uint32_t flags; /* none defined */
	uint64_t addr;
	uint64_t size;
};
WIRE_SIZE(struct vfio_user_dma_unmap, 24);

struct vfio_user_device_info {
	uint32_t argsz;
	uint32_t flags; /* VFIO_USER_DEVICE_* */
	uint32_t num_regions;
	uint32_t num_irqs;
};
WIRE_SIZE(struct vfio_user_device_info, 16);

#define VFIO_USER_DEVICE_FLAG_RESET 0x1u
#define VFIO_USER_DEVICE_FLAG_PCI   0x2u

/* region and interrupt numbers of a PCI device */
enum vfio_user_region {
	VFIO_USER_REGION_BAR0 = 0,
	VFIO_USER_REGION_ROM = 6,
	VFIO_USER_REGION_CONFIG = 7,
	VFIO_USER_REGION_VGA = 8,
	VFIO_USER_REGIONS = 9,
};

enum vfio_user_irq {
	VFIO_USER_IRQ_INTX = 0,
	VFIO_USER_IRQ_MSI = 1,
	VFIO_USER_IRQ_MSIX = 2,
	VFIO_USER_IRQ_ERR = 3,
	VFIO_USER_IRQ_REQ = 4,
	VFIO_USER_IRQS = 5,
};

struct vfio_user_region_info {
	uint32_t argsz;
	uint32_t flags; /* VFIO_USER_REGION_FLAG_* */
	uint32_t index;
	uint32_t cap_offset; /* of the first capability, from the start of this structure */
	uint64_t size;
	uint64_t offset; /* in the file descriptor, for mmap */
};
WIRE_SIZE(struct vfio_user_region_info, 32);

#define VFIO_USER_REGION_FLAG_READ  0x1u
#define VFIO_USER_REGION_FLAG_WRITE 0x2u
#define VFIO_USER_REGION_FLAG_MMAP  0x4u
#define VFIO_USER_REGION_FLAG_CAPS  0x8u

struct vfio_user_cap_header {
	uint16_t id;
	uint16_t version;
	uint32_t next; /* offset from the start of the region info, 0 ends the list */
};
WIRE_SIZE(struct vfio_user_cap_header, 8);

#define VFIO_USER_CAP_SPARSE_MMAP 1u

struct vfio_user_sparse_area {
	uint64_t offset;
	uint64_t size;
};
WIRE_SIZE(struct vfio_user_sparse_area, 16);

struct vfio_user_cap_sparse_mmap {
	struct vfio_user_cap_header header;
	uint32_t nr_areas;
	uint32_t rsvd12;
	struct vfio_user_sparse_area area[];
};
WIRE_SIZE(struct vfio_user_cap_sparse_mmap, 16);

struct vfio_user_irq_info {
	uint32_t argsz;
	uint32_t flags; /* VFIO_USER_IRQ_FLAG_* */
	uint32_t index;
	uint32_t count;
};
WIRE_SIZE(struct vfio_user_irq_info, 16);

#define VFIO_USER_IRQ_FLAG_EVENTFD    0x1u
#define VFIO_USER_IRQ_FLAG_MASKABLE   0x2u
#define VFIO_USER_IRQ_FLAG_AUTOMASKED 0x4u
#define VFIO_USER_IRQ_FLAG_NORESIZE   0x8u

struct vfio_user_irq_set {
	uint32_t argsz;
	uint32_t flags; /* one VFIO_USER_IRQ_DATA_* and one VFIO_USER_IRQ_ACTION_* */
	uint32_t index;
	uint32_t start;
	uint32_t count;
	uint8_t data[];
};
WIRE_SIZE(struct vfio_user_irq_set, 20);

#define VFIO_USER_IRQ_DATA_NONE	     0x01u
#define VFIO_USER_IRQ_DATA_BOOL	     0x02u
#define VFIO_USER_IRQ_DATA_EVENTFD   0x04u
#define VFIO_USER_IRQ_ACTION_MASK    0x08u
#define VFIO_USER_IRQ_ACTION_UNMASK  0x10u
#define VFIO_USER_IRQ_ACTION_TRIGGER 0x20u

/* REGION_READ, REGION_WRITE, in both directions; data follows a write and a read's reply */
struct vfio_user_region_access {
	uint64_t offset;
	uint32_t region;
	uint32_t count; /* bytes */
	uint8_t data[];
};
WIRE_SIZE(struct vfio_user_region_access, 16);

/* DMA_READ, DMA_WRITE: server to client */
struct vfio_user_dma_access {
	uint64_t addr;
	uint64_t count; /* bytes */
	uint8_t data[];
};
WIRE_SIZE(struct vfio_user_dma_access, 16);

#endif
