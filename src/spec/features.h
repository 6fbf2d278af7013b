/*
 * Features: values in CDW11 and beyond, and data structures. NVMe Base 2.1 section 5.1.25,
 * NVM 1.1 section 4.1.3.
 */
#ifndef SPEC_FEATURES_H
#define SPEC_FEATURES_H

#include "spec/wire.h"

/* 01h Arbitration */
#define NVME_ARB_AB_SHIFT	   0 /* Arbitration Burst, log2, 7 no limit */
#define NVME_ARB_AB_MASK	   0x7u
#define NVME_ARB_LPW_SHIFT	   8
#define NVME_ARB_LPW_MASK	   0xffu
#define NVME_ARB_MPW_SHIFT	   16
#define NVME_ARB_MPW_MASK	   0xffu
#define NVME_ARB_HPW_SHIFT	   24
#define NVME_ARB_HPW_MASK	   0xffu
/* 02h Power Management */
#define NVME_PM_PS_SHIFT	   0
#define NVME_PM_PS_MASK		   0x1fu
#define NVME_PM_WH_SHIFT	   5
#define NVME_PM_WH_MASK		   0x7u
/* 04h Temperature Threshold */
#define NVME_TMPTH_TMPTH_SHIFT	   0 /* kelvins */
#define NVME_TMPTH_TMPTH_MASK	   0xffffu
#define NVME_TMPTH_TMPSEL_SHIFT	   16 /* 0 composite, 1..8 sensors, Fh all (set) */
#define NVME_TMPTH_TMPSEL_MASK	   0xfu
#define NVME_TMPTH_THSEL_SHIFT	   20 /* 0 over, 1 under */
#define NVME_TMPTH_THSEL_MASK	   0x3u
#define NVME_TMPTH_TMPTHH_SHIFT	   22 /* hysteresis */
#define NVME_TMPTH_TMPTHH_MASK	   0x7u
/* 05h Error Recovery */
#define NVME_ERR_TLER_SHIFT	   0 /* 100 ms */
#define NVME_ERR_TLER_MASK	   0xffffu
#define NVME_ERR_DULBE_SHIFT	   16 /* Deallocated or Unwritten Logical Block Error Enable */
#define NVME_ERR_DULBE_MASK	   0x1u
/* 06h Volatile Write Cache */
#define NVME_VWC_WCE_SHIFT	   0
#define NVME_VWC_WCE_MASK	   0x1u
/* 07h Number of Queues, CDW11 requested and CDW0 allocated, zero based */
#define NVME_NQ_NSQ_SHIFT	   0
#define NVME_NQ_NSQ_MASK	   0xffffu
#define NVME_NQ_NCQ_SHIFT	   16
#define NVME_NQ_NCQ_MASK	   0xffffu
/* 08h Interrupt Coalescing */
#define NVME_IC_THR_SHIFT	   0 /* entries, zero based */
#define NVME_IC_THR_MASK	   0xffu
#define NVME_IC_TIME_SHIFT	   8 /* 100 us */
#define NVME_IC_TIME_MASK	   0xffu
/* 09h Interrupt Vector Configuration */
#define NVME_IVC_IV_SHIFT	   0
#define NVME_IVC_IV_MASK	   0xffffu
#define NVME_IVC_CD_SHIFT	   16 /* Coalescing Disable */
#define NVME_IVC_CD_MASK	   0x1u
/* 0Ah Write Atomicity Normal */
#define NVME_WAN_DN_SHIFT	   0 /* Disable Normal */
#define NVME_WAN_DN_MASK	   0x1u
/* 0Bh Asynchronous Event Configuration: NVME_SMART_WARN_*, NVME_OAES_* and */
#define NVME_AEC_SMART_MASK	   0xffu
#define NVME_AEC_TELEMETRY	   0x400u
/* 0Ch Autonomous Power State Transition, CDW11 */
#define NVME_APST_APSTE_SHIFT	   0
#define NVME_APST_APSTE_MASK	   0x1u
/* 0Dh Host Memory Buffer, CDW11; CDW12 HSIZE pages, CDW13/14 list address, CDW15 entries */
#define NVME_HMB_EHM		   0x1u /* Enable Host Memory */
#define NVME_HMB_MR		   0x2u /* Memory Return */
/* 10h Host Controlled Thermal Management */
#define NVME_HCTM_TMT2_SHIFT	   0
#define NVME_HCTM_TMT2_MASK	   0xffffu
#define NVME_HCTM_TMT1_SHIFT	   16
#define NVME_HCTM_TMT1_MASK	   0xffffu
/* 11h Non-Operational Power State Config */
#define NVME_NOPPM_ENABLE	   0x1u
/* 17h Sanitize Config: No-Deallocate Response Mode */
#define NVME_SANCFG_NODRM	   0x1u
/* 18h Endurance Group Event Configuration */
#define NVME_EGE_ENDGID_SHIFT	   0
#define NVME_EGE_ENDGID_MASK	   0xffffu
#define NVME_EGE_EGCW_SHIFT	   16
#define NVME_EGE_EGCW_MASK	   0xffu
/* 80h Software Progress Marker */
#define NVME_SPM_PBSLC_SHIFT	   0 /* Pre-boot Software Load Count */
#define NVME_SPM_PBSLC_MASK	   0xffu
/* 81h Host Identifier */
#define NVME_HOSTID_EXHID	   0x1u /* 128 bits */
/* 82h Reservation Notification Mask */
#define NVME_RESV_MASK_REGPRE	   0x2u
#define NVME_RESV_MASK_RESREL	   0x4u
#define NVME_RESV_MASK_RESPRE	   0x8u
/* 83h Reservation Persistence */
#define NVME_RESV_PTPL		   0x1u
/* 84h Namespace Write Protection Config */
#define NVME_WPS_SHIFT		   0
#define NVME_WPS_MASK		   0x7u
#define NVME_WPS_NONE		   0x0u
#define NVME_WPS_WRITE		   0x1u
#define NVME_WPS_UNTIL_POWER_CYCLE 0x2u
#define NVME_WPS_PERMANENT	   0x3u

/** struct nvme_lba_range - LBA Range Type entry (03h), up to 64 of them */
struct nvme_lba_range {
	uint8_t type; /* 0 general, 1 filesystem, 2 RAID, 3 cache, 4 page or swap file */
	uint8_t attributes;
	uint8_t rsvd2[14];
	uint64_t slba;
	uint64_t nlb; /* zero based */
	uint8_t guid[16];
	uint8_t rsvd48[16];
};
WIRE_SIZE(struct nvme_lba_range, 64);

#define NVME_LBA_RANGE_NUM_SHIFT 0 /* CDW11: ranges, zero based */
#define NVME_LBA_RANGE_NUM_MASK	 0x3fu
#define NVME_LBA_RANGES_MAX	 64

/** struct nvme_apst - Autonomous Power State Transition (0Ch), an entry a power state */
struct nvme_apst {
	uint64_t entry[32];
};
WIRE_SIZE(struct nvme_apst, 256);

#define NVME_APST_ITPS_SHIFT 3 /* Idle Transition Power State */
#define NVME_APST_ITPS_MASK  0x1fu
#define NVME_APST_ITPT_SHIFT 8 /* Idle Time Prior to Transition, ms */
#define NVME_APST_ITPT_MASK  0xffffffu

/** struct nvme_hmb_desc - Host Memory Buffer Descriptor (0Dh) */
struct nvme_hmb_desc {
	uint64_t badd;
	uint32_t bsize; /* memory pages (CC.MPS) */
	uint32_t rsvd12;
};
WIRE_SIZE(struct nvme_hmb_desc, 16);

/** struct nvme_hmb_attributes - what Get Features 0Dh returns */
struct nvme_hmb_attributes {
	uint32_t hsize;
	uint32_t hmdlal;
	uint32_t hmdlau;
	uint32_t hmdlec;
	uint8_t rsvd16[4080];
};
WIRE_SIZE(struct nvme_hmb_attributes, 4096);

/** struct nvme_timestamp - Timestamp (0Eh) */
struct nvme_timestamp {
	uint8_t timestamp_ms[6]; /* since 1970-01-01 */
	uint8_t attributes;	 /* NVME_TIMESTAMP_* */
	uint8_t rsvd7;
};
WIRE_SIZE(struct nvme_timestamp, 8);

#define NVME_TIMESTAMP_SYNCH	    0x1u /* the count may have stopped at times */
#define NVME_TIMESTAMP_ORIGIN_SHIFT 1
#define NVME_TIMESTAMP_ORIGIN_MASK  0x7u
#define NVME_TIMESTAMP_ORIGIN_RESET 0x0u
#define NVME_TIMESTAMP_ORIGIN_HOST  0x1u

/** struct nvme_host_behavior - Host Behavior Support (16h) */
struct nvme_host_behavior {
	uint8_t acre;
	uint8_t etdas;
	uint8_t lbafee;
	uint8_t hdisns;
	uint16_t cdfe; /* Copy Descriptor Formats Enable, bits 2, 3, 4 */
	uint8_t rsvd6[506];
};
WIRE_SIZE(struct nvme_host_behavior, 512);

/** struct nvme_host_id - Host Identifier (81h); 8 bytes without NVME_HOSTID_EXHID */
struct nvme_host_id {
	uint8_t id[16];
};
WIRE_SIZE(struct nvme_host_id, 16);

/** struct nvme_host_metadata - Host Metadata (7Dh, 7Eh, 7Fh) */
struct nvme_host_metadata {
	uint8_t nmed; /* number of descriptors */
	uint8_t rsvd1;
	uint8_t desc[4094];
};
WIRE_SIZE(struct nvme_host_metadata, 4096);

/* element: type 5:0 of byte 0, revision 3:0 of byte 1, length in bytes 3:2, value */
struct nvme_metadata_desc {
	uint8_t type;
	uint8_t rev;
	uint16_t len;
	uint8_t val[];
};
WIRE_SIZE(struct nvme_metadata_desc, 4);

/** struct nvme_directives - Identify directive, Return Parameters; a bit a type */
struct nvme_directives {
	uint8_t supported[32];
	uint8_t enabled[32];
	uint8_t persistent[32];
	uint8_t rsvd96[4000];
};
WIRE_SIZE(struct nvme_directives, 4096);

/** struct nvme_streams - Streams directive, Return Parameters */
struct nvme_streams {
	uint16_t msl;
	uint16_t nssa;
	uint16_t nsso;
	uint8_t nssc;
	uint8_t rsvd7[9];
	uint32_t sws;
	uint16_t sgs;
	uint16_t nsa;
	uint16_t nso;
	uint8_t rsvd26[6];
};
WIRE_SIZE(struct nvme_streams, 32);

#endif
