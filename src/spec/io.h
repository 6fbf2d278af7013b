/*
 * Command dwords and data structures of I/O commands: NVM Command Set 1.1 section 3.
 * In CDW12 of read, write, compare, write zeroes and verify the control bits are 31:16.
 */
#ifndef SPEC_IO_H
#define SPEC_IO_H

#include "spec/wire.h"

/* CDW12 of read-like and write-like commands */
#define NVME_RW_NLB_SHIFT     0 /* Number of Logical Blocks, zero based */
#define NVME_RW_NLB_MASK      0xffffu
#define NVME_RW_STC_SHIFT     24 /* Storage Tag Check */
#define NVME_RW_STC_MASK      0x1u
#define NVME_RW_PRINFO_SHIFT  26 /* Protection Information, NVME_PRINFO_* */
#define NVME_RW_PRINFO_MASK   0xfu
#define NVME_RW_FUA_SHIFT     30 /* Force Unit Access */
#define NVME_RW_FUA_MASK      0x1u
#define NVME_RW_LR_SHIFT      31 /* Limited Retry */
#define NVME_RW_LR_MASK	      0x1u
#define NVME_RW_DTYPE_SHIFT   20 /* Directive Type (write) */
#define NVME_RW_DTYPE_MASK    0xfu
#define NVME_RW_DEAC_SHIFT    25 /* Deallocate (write zeroes) */
#define NVME_RW_DEAC_MASK     0x1u
#define NVME_RW_NSZ_SHIFT     23 /* Namespace Zeroes (write zeroes) */
#define NVME_RW_NSZ_MASK      0x1u
#define NVME_RW_CETYPE_SHIFT  16 /* Command Extension Type */
#define NVME_RW_CETYPE_MASK   0xfu
/* CDW13: Dataset Management, or Directive Specific in the upper half of a write */
#define NVME_RW_DSM_AF_SHIFT  0 /* Access Frequency */
#define NVME_RW_DSM_AF_MASK   0xfu
#define NVME_RW_DSM_AL_SHIFT  4 /* Access Latency */
#define NVME_RW_DSM_AL_MASK   0x3u
#define NVME_RW_DSM_SR_SHIFT  6 /* Sequential Request */
#define NVME_RW_DSM_SR_MASK   0x1u
#define NVME_RW_DSM_INC_SHIFT 7 /* Incompressible */
#define NVME_RW_DSM_INC_MASK  0x1u
#define NVME_RW_DSPEC_SHIFT   16
#define NVME_RW_DSPEC_MASK    0xffffu
/* CDW15 (16b guard): expected logical block tag and mask */
#define NVME_RW_ELBAT_SHIFT   0
#define NVME_RW_ELBAT_MASK    0xffffu
#define NVME_RW_ELBATM_SHIFT  16
#define NVME_RW_ELBATM_MASK   0xffffu

/* PRINFO bits */
#define NVME_PRINFO_CHECK_REF	0x1u
#define NVME_PRINFO_CHECK_APP	0x2u
#define NVME_PRINFO_CHECK_GUARD 0x4u
#define NVME_PRINFO_PRACT	0x8u /* insert on write, strip on read */

/** struct nvme_pi16 - protection information, 16-bit guard: NVM 1.1 section 5.3.1 */
struct nvme_pi16 {
	uint8_t guard[2]; /* big endian, as are the tags */
	uint8_t apptag[2];
	uint8_t reftag[4];
};
WIRE_SIZE(struct nvme_pi16, 8);

/** struct nvme_pi64 - protection information, 64-bit guard: NVM 1.1 section 5.3.1 */
struct nvme_pi64 {
	uint8_t guard[8];
	uint8_t apptag[2];
	uint8_t reftag[6];
};
WIRE_SIZE(struct nvme_pi64, 16);

/* Dataset Management: NVM 1.1 section 3.3.3 */
#define NVME_DSM_NR_SHIFT   0 /* CDW10: Number of Ranges, zero based */
#define NVME_DSM_NR_MASK    0xffu
#define NVME_DSM_IDR	    0x1u /* CDW11: Integral Dataset for Read */
#define NVME_DSM_IDW	    0x2u /* CDW11: Integral Dataset for Write */
#define NVME_DSM_AD	    0x4u /* CDW11: Deallocate */
#define NVME_DSM_RANGES_MAX 256

struct nvme_dsm_range {
	uint32_t cattr;
	uint32_t nlb; /* one based */
	uint64_t slba;
};
WIRE_SIZE(struct nvme_dsm_range, 16);

/* Copy: NVM 1.1 section 3.3.2; CDW12 shares PRINFO (bits 29:26), FUA and LR with the reads */
#define NVME_COPY_NR_SHIFT	0 /* CDW12: Number of Ranges, zero based */
#define NVME_COPY_NR_MASK	0xffu
#define NVME_COPY_DESFMT_SHIFT	8 /* CDW12: Descriptor Format */
#define NVME_COPY_DESFMT_MASK	0xfu
#define NVME_COPY_PRINFOR_SHIFT 12 /* CDW12: protection of the reads */
#define NVME_COPY_PRINFOR_MASK	0xfu
#define NVME_COPY_RANGES_MAX	256

/* Source range formats 0h and 2h; 2h names a source namespace */
struct nvme_copy_range {
	uint32_t snsid; /* format 2h, else reserved */
	uint32_t rsvd4;
	uint64_t slba;
	uint16_t nlb; /* zero based */
	uint8_t rsvd18[4];
	uint16_t sopt; /* format 2h */
	uint32_t elbt;
	uint16_t elbat;
	uint16_t elbatm;
};
WIRE_SIZE(struct nvme_copy_range, 32);

/* Source range formats 1h and 3h, for the 32-bit and 64-bit guards */
struct nvme_copy_range_ext {
	uint32_t snsid; /* format 3h, else reserved */
	uint32_t rsvd4;
	uint64_t slba;
	uint16_t nlb; /* zero based */
	uint8_t rsvd18[4];
	uint16_t sopt; /* format 3h */
	uint16_t rsvd24;
	uint8_t elbt[10];
	uint16_t elbat;
	uint16_t elbatm;
};
WIRE_SIZE(struct nvme_copy_range_ext, 40);

/* Reservations: Base 2.1 section 7 */
#define NVME_RESV_REG_REGISTER	  0x0u /* Reservation Register CDW10.RREGA */
#define NVME_RESV_REG_UNREGISTER  0x1u
#define NVME_RESV_REG_REPLACE	  0x2u
#define NVME_RESV_ACQ_ACQUIRE	  0x0u /* Reservation Acquire CDW10.RACQA */
#define NVME_RESV_ACQ_PREEMPT	  0x1u
#define NVME_RESV_ACQ_PREEMPT_ABT 0x2u
#define NVME_RESV_REL_RELEASE	  0x0u /* Reservation Release CDW10.RRELA */
#define NVME_RESV_REL_CLEAR	  0x1u
#define NVME_RESV_IEKEY		  0x8u /* CDW10: Ignore Existing Key */
#define NVME_RESV_RTYPE_SHIFT	  8    /* CDW10 of acquire and release */
#define NVME_RESV_RTYPE_MASK	  0xffu
#define NVME_RESV_CPTPL_SHIFT	  30 /* CDW10 of register: Change Persist Through Power Loss */
#define NVME_RESV_CPTPL_MASK	  0x3u

enum nvme_resv_type {
	NVME_RESV_NONE = 0,
	NVME_RESV_WRITE_EXCLUSIVE = 1,
	NVME_RESV_EXCLUSIVE_ACCESS = 2,
	NVME_RESV_WRITE_EXCLUSIVE_REG_ONLY = 3,
	NVME_RESV_EXCLUSIVE_ACCESS_REG_ONLY = 4,
	NVME_RESV_WRITE_EXCLUSIVE_ALL_REG = 5,
	NVME_RESV_EXCLUSIVE_ACCESS_ALL_REG = 6,
};

/* Data of Reservation Register: current and new key */
struct nvme_resv_keys {
	uint64_t crkey;
	uint64_t nrkey; /* PRKEY of acquire */
};
WIRE_SIZE(struct nvme_resv_keys, 16);

/* Reservation Report, the classic (EDS 0) form */
struct nvme_resv_registrant {
	uint16_t cntlid;
	uint8_t rcsts;
	uint8_t rsvd3[5];
	uint64_t hostid;
	uint64_t rkey;
};
WIRE_SIZE(struct nvme_resv_registrant, 24);

/* Reservation Report with CDW11.EDS set: 128-bit host identifiers */
struct nvme_resv_registrant_ext {
	uint16_t cntlid;
	uint8_t rcsts;
	uint8_t rsvd3[5];
	uint64_t rkey;
	uint8_t hostid[16];
	uint8_t rsvd32[32];
};
WIRE_SIZE(struct nvme_resv_registrant_ext, 64);

/* Header of both; with EDS the registrants begin at byte 64 instead of 24 */
struct nvme_resv_status {
	uint32_t gen;
	uint8_t rtype;
	uint8_t regstrnt[2];
	uint8_t rsvd7[2];
	uint8_t ptpls;
	uint8_t rsvd10[14];
	struct nvme_resv_registrant reg[];
};
WIRE_SIZE(struct nvme_resv_status, 24);

/* I/O Management Receive and Send: Base 2.1 sections 7.3, 7.4 */
#define NVME_IOM_MO_SHIFT 0 /* CDW10: Management Operation */
#define NVME_IOM_MO_MASK  0xffu
#define NVME_IOMR_RUHS	  0x1u /* receive: Reclaim Unit Handle Status */
#define NVME_IOMS_RUHU	  0x1u /* send: Reclaim Unit Handle Update */

#endif
