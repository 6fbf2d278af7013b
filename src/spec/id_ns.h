/*
 * Identify Namespace data structure, NVM Command Set: NVM 1.1 section 4.1.5.1.
 * Included by spec/identify.h.
 */
#ifndef SPEC_ID_NS_H
#define SPEC_ID_NS_H

#include "spec/wire.h"

/** struct nvme_lbaf - LBA format, NVM 1.1 figure 115 */
struct nvme_lbaf {
	uint16_t ms; /* metadata bytes */
	uint8_t ds;  /* data bytes, log2; 0 not available */
	uint8_t rp;  /* relative performance, 0 best .. 3 */
};
WIRE_SIZE(struct nvme_lbaf, 4);

/** struct nvme_id_ns - Identify Namespace, NVM Command Set (CNS 00h), NVM 1.1 figure 114 */
struct nvme_id_ns {
	uint64_t nsze; /* LBAs */
	uint64_t ncap;
	uint64_t nuse;
	uint8_t nsfeat;
	uint8_t nlbaf; /* zero based */
	uint8_t flbas;
	uint8_t mc;
	uint8_t dpc;
	uint8_t dps;
	uint8_t nmic;
	uint8_t rescap;
	uint8_t fpi;
	uint8_t dlfeat;
	uint16_t nawun; /* LBAs, zero based, as the next ones */
	uint16_t nawupf;
	uint16_t nacwu;
	uint16_t nabsn;
	uint16_t nabo;
	uint16_t nabspf;
	uint16_t noiob;
	uint64_t nvmcap[2]; /* bytes */
	uint16_t npwg;
	uint16_t npwa;
	uint16_t npdg;
	uint16_t npda;
	uint16_t nows;
	uint16_t mssrl; /* Maximum Single Source Range Length of Copy, LBAs */
	uint32_t mcl;	/* Maximum Copy Length, LBAs */
	uint8_t msrc;	/* Maximum Source Range Count, zero based */
	uint8_t kpios;
	uint8_t nulbaf;
	uint8_t rsvd83;
	uint32_t kpiodaag;
	uint8_t rsvd88[4];
	uint32_t anagrpid;
	uint8_t rsvd96[3];
	uint8_t nsattr;
	uint16_t nvmsetid;
	uint16_t endgid;
	uint8_t nguid[16];
	uint8_t eui64[8];
	struct nvme_lbaf lbaf[64];
	uint8_t vs[3712];
};
WIRE_SIZE(struct nvme_id_ns, 4096);
WIRE_OFFSET(struct nvme_id_ns, nvmcap, 48);
WIRE_OFFSET(struct nvme_id_ns, anagrpid, 92);
WIRE_OFFSET(struct nvme_id_ns, nguid, 104);
WIRE_OFFSET(struct nvme_id_ns, lbaf, 128);

/* id_ns.nsfeat */
#define NVME_NSFEAT_THIN       0x01u
#define NVME_NSFEAT_ATOMIC     0x02u /* NAWUN, NAWUPF and NACWU are valid */
#define NVME_NSFEAT_DEALLOC    0x04u /* reads of deallocated LBAs may fail (DULBE) */
#define NVME_NSFEAT_UIDREUSE   0x08u
#define NVME_NSFEAT_OPTPERF    0x10u
/* id_ns.flbas; the format index is LBAFU << 4 | LBAFL */
#define NVME_FLBAS_LBAFL_SHIFT 0
#define NVME_FLBAS_LBAFL_MASK  0xfu
#define NVME_FLBAS_EXT	       0x10u /* metadata at the end of the data, one buffer */
#define NVME_FLBAS_LBAFU_SHIFT 5
#define NVME_FLBAS_LBAFU_MASK  0x3u
/* id_ns.mc */
#define NVME_MC_EXT	       0x1u
#define NVME_MC_SEPARATE       0x2u
/* id_ns.dpc */
#define NVME_DPC_TYPE1	       0x01u
#define NVME_DPC_TYPE2	       0x02u
#define NVME_DPC_TYPE3	       0x04u
#define NVME_DPC_FIRST	       0x08u /* PI in the first bytes of metadata */
#define NVME_DPC_LAST	       0x10u
/* id_ns.dps */
#define NVME_DPS_PIT_SHIFT     0
#define NVME_DPS_PIT_MASK      0x7u
#define NVME_DPS_FIRST	       0x08u
#define NVME_NMIC_SHARED       0x1u
/* id_ns.dlfeat */
#define NVME_DLFEAT_READ_SHIFT 0
#define NVME_DLFEAT_READ_MASK  0x7u
#define NVME_DLFEAT_READ_ZEROS 0x1u
#define NVME_DLFEAT_READ_ONES  0x2u
#define NVME_DLFEAT_WZ_DEAC    0x08u
#define NVME_DLFEAT_GUARD_CRC  0x10u
#define NVME_NSATTR_WP	       0x1u

/** nvme_flbas_index() - LBA format index that id_ns.flbas names, 0..63. */
static inline unsigned nvme_flbas_index(uint8_t flbas)
{
	return NVME_GET(flbas, FLBAS_LBAFU) << 4 | NVME_GET(flbas, FLBAS_LBAFL);
}

#endif
