/*
 * Zoned Namespace Command Set 1.2: identify structures, zone descriptors, command fields.
 */
#ifndef SPEC_ZNS_H
#define SPEC_ZNS_H

#include "spec/wire.h"

/** struct nvme_zns_lbafe - LBA format extension */
struct nvme_zns_lbafe {
	uint64_t zsze; /* zone size, LBAs */
	uint8_t zdes;  /* zone descriptor extension, 64-byte units */
	uint8_t rsvd9[7];
};
WIRE_SIZE(struct nvme_zns_lbafe, 16);

/** struct nvme_id_ns_zns - I/O command set specific namespace, ZNS (CNS 05h, CSI 02h) */
struct nvme_id_ns_zns {
	uint16_t zoc;
	uint16_t ozcs;
	uint32_t mar; /* Maximum Active Resources, zero based; FFFFFFFFh no limit */
	uint32_t mor; /* Maximum Open Resources, the same way */
	uint32_t rrl;
	uint32_t frl;
	uint32_t rrl1;
	uint32_t rrl2;
	uint32_t rrl3;
	uint32_t frl1;
	uint32_t frl2;
	uint32_t frl3;
	uint32_t numzrwa;
	uint16_t zrwafg;
	uint16_t zrwas;
	uint8_t zrwacap;
	uint8_t rsvd53[2763];
	struct nvme_zns_lbafe lbafe[64];
	uint8_t vs[256];
};
WIRE_SIZE(struct nvme_id_ns_zns, 4096);
WIRE_OFFSET(struct nvme_id_ns_zns, lbafe, 2816);

/** struct nvme_id_ctrl_zns - I/O command set specific controller, ZNS (CNS 06h, CSI 02h) */
struct nvme_id_ctrl_zns {
	uint8_t zasl; /* Zone Append Size Limit: 2^n * CAP.MPSMIN, 0: MDTS */
	uint8_t rsvd1[4095];
};
WIRE_SIZE(struct nvme_id_ctrl_zns, 4096);

/** struct nvme_zone_desc - zone descriptor of a report */
struct nvme_zone_desc {
	uint8_t zt; /* 2 sequential write required */
	uint8_t zs; /* state in bits 7:4, NVME_ZONE_STATE_* */
	uint8_t za;
	uint8_t zai;
	uint8_t rsvd4[4];
	uint64_t zcap; /* LBAs */
	uint64_t zslba;
	uint64_t wp;
	uint8_t rsvd32[32];
};
WIRE_SIZE(struct nvme_zone_desc, 64);

/** struct nvme_zone_report - header of Report Zones */
struct nvme_zone_report {
	uint64_t nz;
	uint8_t rsvd8[56];
	struct nvme_zone_desc zone[];
};
WIRE_SIZE(struct nvme_zone_report, 64);

#define NVME_ZONE_STATE_SHIFT 4
#define NVME_ZONE_STATE_MASK  0xfu

enum nvme_zone_state {
	NVME_ZONE_STATE_EMPTY = 0x1,
	NVME_ZONE_STATE_IMPLICITLY_OPEN = 0x2,
	NVME_ZONE_STATE_EXPLICITLY_OPEN = 0x3,
	NVME_ZONE_STATE_CLOSED = 0x4,
	NVME_ZONE_STATE_READ_ONLY = 0xd,
	NVME_ZONE_STATE_FULL = 0xe,
	NVME_ZONE_STATE_OFFLINE = 0xf,
};

/* Zone Management Send: SLBA CDW10/11; CDW13 */
#define NVME_ZSA_SHIFT	       0
#define NVME_ZSA_MASK	       0xffu
#define NVME_ZSA_SELECT_ALL    0x100u
#define NVME_ZSA_CLOSE	       0x01u
#define NVME_ZSA_FINISH	       0x02u
#define NVME_ZSA_OPEN	       0x03u
#define NVME_ZSA_RESET	       0x04u
#define NVME_ZSA_OFFLINE       0x05u
#define NVME_ZSA_SET_EXTENSION 0x10u
#define NVME_ZSA_FLUSH_ZRWA    0x11u
/* Zone Management Receive: SLBA CDW10/11, NUMD CDW12 zero based; CDW13 */
#define NVME_ZRA_SHIFT	       0
#define NVME_ZRA_MASK	       0xffu
#define NVME_ZRA_REPORT	       0x00u
#define NVME_ZRA_EXTENDED      0x01u
#define NVME_ZRA_FILTER_SHIFT  8 /* 0 all zones, else a state filter */
#define NVME_ZRA_FILTER_MASK   0xffu
#define NVME_ZRA_PARTIAL       0x10000u

#endif
