/*
 * NVMe queue entries and SGL descriptors, and everything a command is made of.
 * NVMe Base 2.1 sections 4.1 (submission), 4.2 (completion), 4.3.2 (SGL).
 */
#ifndef SPEC_NVME_H
#define SPEC_NVME_H

#include "spec/admin.h"
#include "spec/io.h"
#include "spec/opcode.h"
#include "spec/reg.h"
#include "spec/status.h"
#include "spec/wire.h"

/**
 * struct nvme_sgl_desc - SGL descriptor, Base 2.1 figure 113
 * @addr: address, or offset into the capsule (subtype offset); reserved in a bit bucket
 * @len:  bytes; of a (last) segment descriptor: bytes of the list it points to
 * @type: NVME_SGL_TYPE_* << 4 | NVME_SGL_SUBTYPE_*
 *
 * A keyed data block has 24 bits of length and 32 bits of key instead: see
 * struct nvme_sgl_keyed_desc.
 */
struct nvme_sgl_desc {
	uint64_t addr;
	uint32_t len;
	uint8_t rsvd12[3];
	uint8_t type;
};
WIRE_SIZE(struct nvme_sgl_desc, 16);

struct nvme_sgl_keyed_desc {
	uint64_t addr;
	uint8_t len[3];
	uint8_t key[4];
	uint8_t type;
};
WIRE_SIZE(struct nvme_sgl_keyed_desc, 16);

enum nvme_sgl_type {
	NVME_SGL_TYPE_DATA_BLOCK = 0x0,
	NVME_SGL_TYPE_BIT_BUCKET = 0x1,
	NVME_SGL_TYPE_SEGMENT = 0x2,
	NVME_SGL_TYPE_LAST_SEGMENT = 0x3,
	NVME_SGL_TYPE_KEYED_DATA_BLOCK = 0x4,
	NVME_SGL_TYPE_TRANSPORT_DATA_BLOCK = 0x5,
	NVME_SGL_TYPE_VENDOR = 0xf,
};

enum nvme_sgl_subtype {
	NVME_SGL_SUBTYPE_ADDRESS = 0x0,
	NVME_SGL_SUBTYPE_OFFSET = 0x1,	  /* in-capsule data */
	NVME_SGL_SUBTYPE_TRANSPORT = 0xa, /* data moves by the transport's own means */
};

/** NVME_SGL_ID() - value of nvme_sgl_desc.type. */
#define NVME_SGL_ID(type, subtype) ((uint8_t)((type) << 4 | (subtype)))

/**
 * struct nvme_sqe - submission queue entry, Base 2.1 figure 92
 * @opc:   NVME_ADMIN_* or NVME_CMD_*
 * @flags: fused operation and kind of data pointer, NVME_SQE_FUSE, NVME_SQE_PSDT
 * @cid:   command identifier, unique among the outstanding commands of its queue
 * @mptr:  metadata pointer: address, or address of one SGL segment with PSDT 10b
 */
struct nvme_sqe {
	uint8_t opc;
	uint8_t flags;
	uint16_t cid;
	uint32_t nsid;
	uint32_t cdw2;
	uint32_t cdw3;
	uint64_t mptr;
	union {
		struct {
			uint64_t prp1;
			uint64_t prp2;
		};
		struct nvme_sgl_desc sgl1;
	};
	uint32_t cdw10;
	uint32_t cdw11;
	uint32_t cdw12;
	uint32_t cdw13;
	uint32_t cdw14;
	uint32_t cdw15;
};
WIRE_SIZE(struct nvme_sqe, 64);
WIRE_OFFSET(struct nvme_sqe, mptr, 16);
WIRE_OFFSET(struct nvme_sqe, prp1, 24);
WIRE_OFFSET(struct nvme_sqe, cdw10, 40);

/* nvme_sqe.flags */
#define NVME_SQE_FUSE_SHIFT	   0
#define NVME_SQE_FUSE_MASK	   0x3u
#define NVME_SQE_PSDT_SHIFT	   6
#define NVME_SQE_PSDT_MASK	   0x3u
#define NVME_SQE_FUSE_NONE	   0x0u
#define NVME_SQE_FUSE_FIRST	   0x1u
#define NVME_SQE_FUSE_SECOND	   0x2u
#define NVME_SQE_PSDT_PRP	   0x0u
#define NVME_SQE_PSDT_SGL_MPTR_BUF 0x1u /* SGL for data, MPTR is a contiguous buffer */
#define NVME_SQE_PSDT_SGL_MPTR_SGL 0x2u /* SGL for data, MPTR is an SGL segment */

/**
 * struct nvme_cqe - completion queue entry, Base 2.1 figure 96
 * @cdw0:   command specific result ("result" of most commands)
 * @cdw1:   command specific, upper half of 64-bit results
 * @sqhd:   submission queue head pointer
 * @sqid:   submission queue the command came from
 * @cid:    command identifier
 * @status: phase tag in bit 0, NVME_STATUS_* fields above
 */
struct nvme_cqe {
	uint32_t cdw0;
	uint32_t cdw1;
	uint16_t sqhd;
	uint16_t sqid;
	uint16_t cid;
	uint16_t status;
};
WIRE_SIZE(struct nvme_cqe, 16);
WIRE_OFFSET(struct nvme_cqe, status, 14);

/* NSID values, Base 2.1 section 3.2.1 */
#define NVME_NSID_NONE	   0x0u
#define NVME_NSID_ALL	   0xffffffffu
#define NVME_NSID_LIST_MAX 0xfffffffdu /* highest start value of a namespace list */

#endif
