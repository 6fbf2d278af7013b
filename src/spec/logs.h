/*
 * Log pages: NVMe Base 2.1 section 5.1.12, NVM 1.1 section 4.1.4.
 * 128-bit counters are uint64_t[2], lower half first.
 */
#ifndef SPEC_LOGS_H
#define SPEC_LOGS_H

#include "spec/wire.h"

/* 00h Supported Log Pages, 12h Feature Identifiers Effects, 13h NVMe-MI Effects: 256 dwords */
struct nvme_log_supported {
	uint32_t lids[256]; /* NVME_LIDS_* */
};
WIRE_SIZE(struct nvme_log_supported, 1024);

#define NVME_LIDS_LSUPP	      0x1u
#define NVME_LIDS_IOS	      0x2u /* Index Offset Supported */
#define NVME_LIDS_LIDSP_SHIFT 16   /* LID Specific Parameter */
#define NVME_LIDS_LIDSP_MASK  0xffffu

/** struct nvme_error_entry - one entry of log page 01h, newest first */
struct nvme_error_entry {
	uint64_t error_count; /* 0: no entry */
	uint16_t sqid;
	uint16_t cid;
	uint16_t status; /* as in a completion entry, phase in bit 0 */
	uint16_t pel;	 /* parameter error location: byte 7:0, bit 10:8 */
	uint64_t lba;
	uint32_t nsid;
	uint8_t vs;
	uint8_t trtype;
	uint8_t csi;
	uint8_t opc;
	uint64_t cs;
	uint16_t ttsi;
	uint8_t rsvd42[21];
	uint8_t lpver;
};
WIRE_SIZE(struct nvme_error_entry, 64);
WIRE_OFFSET(struct nvme_error_entry, cs, 32);

/** struct nvme_smart - SMART / Health Information, log page 02h */
struct nvme_smart {
	uint8_t critical_warning; /* NVME_SMART_WARN_* */
	uint8_t temperature[2];	  /* composite, kelvins */
	uint8_t avsp;		  /* available spare, per cent */
	uint8_t avspt;
	uint8_t pused;
	uint8_t egcws;
	uint8_t rsvd7[25];
	uint64_t dur[2]; /* data units read, 1000 * 512 bytes, rounded up */
	uint64_t duw[2];
	uint64_t hrc[2]; /* host read commands */
	uint64_t hwc[2];
	uint64_t cbt[2]; /* controller busy time, minutes */
	uint64_t pwrc[2];
	uint64_t poh[2];
	uint64_t upl[2]; /* unexpected power losses ("unsafe shutdowns") */
	uint64_t mdie[2];
	uint64_t neile[2];
	uint32_t wctt; /* minutes */
	uint32_t cctt; /* minutes */
	uint16_t tsen[8];
	uint32_t tmt1tc;
	uint32_t tmt2tc;
	uint32_t tttmt1; /* seconds */
	uint32_t tttmt2;
	uint8_t rsvd232[280];
};
WIRE_SIZE(struct nvme_smart, 512);
WIRE_OFFSET(struct nvme_smart, dur, 32);
WIRE_OFFSET(struct nvme_smart, pwrc, 112);
WIRE_OFFSET(struct nvme_smart, upl, 144);
WIRE_OFFSET(struct nvme_smart, wctt, 192);

/* also bits 7:0 of feature 0Bh */
#define NVME_SMART_WARN_SPARE	    0x01u
#define NVME_SMART_WARN_TEMPERATURE 0x02u
#define NVME_SMART_WARN_RELIABILITY 0x04u
#define NVME_SMART_WARN_READ_ONLY   0x08u
#define NVME_SMART_WARN_BACKUP	    0x10u
#define NVME_SMART_WARN_PMR	    0x20u

/** struct nvme_fw_slot - Firmware Slot Information, log page 03h */
struct nvme_fw_slot {
	uint8_t afi; /* active slot 2:0, slot at the next reset 6:4 */
	uint8_t rsvd1[7];
	char frs[7][8];
	uint8_t rsvd64[448];
};
WIRE_SIZE(struct nvme_fw_slot, 512);

#define NVME_AFI_CURRENT_SHIFT 0
#define NVME_AFI_CURRENT_MASK  0x7u
#define NVME_AFI_NEXT_SHIFT    4
#define NVME_AFI_NEXT_MASK     0x7u

/* log page 04h is a struct nvme_ns_list; its first entry is FFFFFFFFh if more than 1,024 changed */

/** struct nvme_effects - Commands Supported and Effects, log page 05h */
struct nvme_effects {
	uint32_t acs[256]; /* NVME_EFFECTS_*, by admin opcode */
	uint32_t iocs[256];
	uint8_t rsvd2048[2048];
};
WIRE_SIZE(struct nvme_effects, 4096);

#define NVME_EFFECTS_CSUPP     0x00000001u
#define NVME_EFFECTS_LBCC      0x00000002u /* Logical Block Content Change */
#define NVME_EFFECTS_NCC       0x00000004u /* Namespace Capability Change */
#define NVME_EFFECTS_NIC       0x00000008u /* Namespace Inventory Change */
#define NVME_EFFECTS_CCC       0x00000010u /* Controller Capability Change */
#define NVME_EFFECTS_CSE_SHIFT 16	   /* 1 alone in its namespace, 2 alone everywhere */
#define NVME_EFFECTS_CSE_MASK  0x7u
#define NVME_EFFECTS_UUID      0x00080000u
#define NVME_EFFECTS_CSP_SHIFT 20
#define NVME_EFFECTS_CSP_MASK  0xfffu

/** struct nvme_self_test_result - one result of log page 06h, newest first */
struct nvme_self_test_result {
	uint8_t dsts; /* result 3:0 NVME_DST_RESULT_*, self-test code 7:4 */
	uint8_t segn;
	uint8_t vdi; /* which of the next fields are valid, NVME_DST_VALID_* */
	uint8_t rsvd3;
	uint64_t poh;
	uint32_t nsid;
	uint64_t flba;
	uint8_t sct;
	uint8_t sc;
	uint8_t vs[2];
} WIRE_PACKED;
WIRE_SIZE(struct nvme_self_test_result, 28);

/** struct nvme_self_test - Device Self-test, log page 06h */
struct nvme_self_test {
	uint8_t dsto; /* operation in progress, 0 none, else NVME_DST_* */
	uint8_t dstc; /* per cent done */
	uint8_t rsvd2[2];
	struct nvme_self_test_result result[20];
} WIRE_PACKED;
WIRE_SIZE(struct nvme_self_test, 564);

#define NVME_DST_RESULT_SUCCESS	    0x0u
#define NVME_DST_RESULT_ABORTED_DST 0x1u /* by a Device Self-test command */
#define NVME_DST_RESULT_ABORTED_CLR 0x2u /* by a Controller Level Reset */
#define NVME_DST_RESULT_ABORTED_NS  0x3u /* a namespace was removed */
#define NVME_DST_RESULT_ABORTED_FMT 0x4u /* by Format NVM */
#define NVME_DST_RESULT_FATAL	    0x5u
#define NVME_DST_RESULT_FAILED_UNK  0x6u /* segment unknown */
#define NVME_DST_RESULT_FAILED	    0x7u /* segment in segn */
#define NVME_DST_RESULT_ABORTED	    0x8u
#define NVME_DST_RESULT_ABORTED_SAN 0x9u /* by a sanitize operation */
#define NVME_DST_RESULT_UNUSED	    0xfu
#define NVME_DST_VALID_NSID	    0x1u
#define NVME_DST_VALID_FLBA	    0x2u
#define NVME_DST_VALID_SCT	    0x4u
#define NVME_DST_VALID_SC	    0x8u

/** struct nvme_telemetry - header of log pages 07h and 08h; data blocks of 512 bytes follow */
struct nvme_telemetry {
	uint8_t lpi;
	uint8_t rsvd1[4];
	uint8_t ieee[3];
	uint16_t dalb1; /* last block of data area 1; 0: empty */
	uint16_t dalb2;
	uint16_t dalb3;
	uint8_t rsvd14[2];
	uint32_t dalb4;
	uint8_t rsvd20[360];
	uint8_t ths;   /* 07h: scope */
	uint8_t thdgn; /* 07h: host-initiated data generation number; 08h: scope */
	uint8_t tcda;  /* controller-initiated data available */
	uint8_t tcdgn;
	uint8_t rid[128];
};
WIRE_SIZE(struct nvme_telemetry, 512);
WIRE_OFFSET(struct nvme_telemetry, thdgn, 381);

/** struct nvme_endurance_group - Endurance Group Information, log page 09h */
struct nvme_endurance_group {
	uint8_t critical_warning;
	uint8_t egfeat;
	uint8_t rsvd2;
	uint8_t avsp;
	uint8_t avspt;
	uint8_t pused;
	uint16_t did;
	uint8_t rsvd8[24];
	uint64_t ee[2];
	uint64_t dur[2];
	uint64_t duw[2];
	uint64_t muw[2];
	uint64_t hrc[2];
	uint64_t hwc[2];
	uint64_t mdie[2];
	uint64_t neile[2];
	uint64_t tegcap[2];
	uint64_t uegcap[2];
	uint8_t rsvd192[320];
};
WIRE_SIZE(struct nvme_endurance_group, 512);

/** struct nvme_persistent_event_log - header of log page 0Dh */
struct nvme_persistent_event_log {
	uint8_t lid;
	uint8_t rsvd1[3];
	uint32_t tnev;
	uint64_t tll; /* bytes, this header included */
	uint8_t rv;
	uint8_t rsvd17;
	uint16_t lhl; /* header bytes that follow this field */
	uint64_t ts;
	uint64_t poh[2];
	uint64_t pcc;
	uint16_t vid;
	uint16_t ssvid;
	char sn[20];
	char mn[40];
	char subnqn[256];
	uint16_t gen;
	uint32_t rci;
	uint8_t rsvd378[102];
	uint8_t seb[32]; /* supported events bitmap */
} WIRE_PACKED;
WIRE_SIZE(struct nvme_persistent_event_log, 512);

/** struct nvme_persistent_event - header of one event; vendor information and data follow */
struct nvme_persistent_event {
	uint8_t etype; /* NVME_PEL_* */
	uint8_t etyper;
	uint8_t ehl; /* header bytes that follow this field */
	uint8_t ehai;
	uint16_t cntlid;
	uint64_t ets;
	uint16_t pelpid;
	uint8_t rsvd16[4];
	uint16_t vsil;
	uint16_t el; /* bytes after the header: vendor information and data */
} WIRE_PACKED;
WIRE_SIZE(struct nvme_persistent_event, 24);

enum nvme_pel_type {
	NVME_PEL_SMART_SNAPSHOT = 0x01,
	NVME_PEL_FW_COMMIT = 0x02,
	NVME_PEL_TIMESTAMP_CHANGE = 0x03,
	NVME_PEL_POWER_ON_RESET = 0x04,
	NVME_PEL_HARDWARE_ERROR = 0x05,
	NVME_PEL_CHANGE_NS = 0x06,
	NVME_PEL_FORMAT_START = 0x07,
	NVME_PEL_FORMAT_COMPLETION = 0x08,
	NVME_PEL_SANITIZE_START = 0x09,
	NVME_PEL_SANITIZE_COMPLETION = 0x0a,
	NVME_PEL_SET_FEATURE = 0x0b,
	NVME_PEL_TELEMETRY_CREATED = 0x0c,
	NVME_PEL_THERMAL_EXCURSION = 0x0d,
};

/* 0Eh LBA Status Information: header, then elements of namespaces, each with its ranges */
struct nvme_log_lba_status {
	uint32_t lslplen; /* bytes */
	uint32_t nlslne;
	uint32_t estulb;
	uint8_t rsvd12[2];
	uint16_t lsgc;
};
WIRE_SIZE(struct nvme_log_lba_status, 16);

struct nvme_lba_status_ns {
	uint32_t neid;
	uint32_t nlrd; /* FFFFFFFFh: rescan the whole namespace */
	uint8_t ratype;
	uint8_t rsvd9[7];
};
WIRE_SIZE(struct nvme_lba_status_ns, 16);

struct nvme_lba_status_range {
	uint64_t rslba;
	uint32_t rnlb;
	uint8_t rsvd12[4];
};
WIRE_SIZE(struct nvme_lba_status_range, 16);

/* data of the Get LBA Status command */
struct nvme_lba_status_desc {
	uint64_t dslba;
	uint32_t nlb; /* one based */
	uint8_t rsvd12;
	uint8_t status;
	uint8_t rsvd14[2];
};
WIRE_SIZE(struct nvme_lba_status_desc, 16);

struct nvme_lba_status_list {
	uint32_t nlsd;
	uint8_t cmpc;
	uint8_t rsvd5[3];
	struct nvme_lba_status_desc desc[];
};
WIRE_SIZE(struct nvme_lba_status_list, 8);

/* Endurance Group Event Aggregate 0Fh */
struct nvme_endurance_group_events {
	uint64_t entries;
	uint16_t endgid[];
};
WIRE_SIZE(struct nvme_endurance_group_events, 8);

/** struct nvme_boot_partition_log - header of log page 15h; the partition follows */
struct nvme_boot_partition_log {
	uint8_t lid;
	uint8_t rsvd1[3];
	uint32_t bpinfo;
	uint8_t rsvd8[8];
};
WIRE_SIZE(struct nvme_boot_partition_log, 16);

/** struct nvme_reservation_notice - Reservation Notification, log page 80h */
struct nvme_reservation_notice {
	uint64_t lpc;
	uint8_t rnlpt; /* 0 empty, 1 registration preempted, 2 released, 3 reservation preempted */
	uint8_t nalp;
	uint8_t rsvd10[2];
	uint32_t nsid;
	uint8_t rsvd16[48];
};
WIRE_SIZE(struct nvme_reservation_notice, 64);

/** struct nvme_sanitize_status - Sanitize Status, log page 81h */
struct nvme_sanitize_status {
	uint16_t sprog; /* 1/65536ths done; FFFFh when none runs */
	uint16_t sstat; /* NVME_SSTAT_* */
	uint32_t scdw10;
	uint32_t eto; /* seconds; FFFFFFFFh no estimate */
	uint32_t etbe;
	uint32_t etce;
	uint32_t etodmm;
	uint32_t etbenmm;
	uint32_t etcenmm;
	uint32_t etpvds;
	uint8_t ssi;
	uint8_t rsvd37[475];
};
WIRE_SIZE(struct nvme_sanitize_status, 512);

#define NVME_SSTAT_SOS_SHIFT  0 /* Sanitize Operation Status, NVME_SOS_* */
#define NVME_SSTAT_SOS_MASK   0x7u
#define NVME_SSTAT_OPC_SHIFT  3 /* Overwrite Passes Completed */
#define NVME_SSTAT_OPC_MASK   0x1fu
#define NVME_SSTAT_GDE	      0x0100u /* Global Data Erased */
#define NVME_SSTAT_MVCNCLD    0x0200u
#define NVME_SOS_NEVER	      0x0u
#define NVME_SOS_COMPLETED    0x1u
#define NVME_SOS_IN_PROGRESS  0x2u
#define NVME_SOS_FAILED	      0x3u
#define NVME_SOS_COMPLETED_ND 0x4u /* unexpectedly deallocated */

#endif
