/*
 * Identify data structures: NVMe Base 2.1 section 5.1.13, NVM 1.1 section 4.1.5.
 * 128-bit integers are uint64_t[2], lower half first. Text fields are ASCII, space padded, with
 * no terminating zero.
 */
#ifndef SPEC_IDENTIFY_H
#define SPEC_IDENTIFY_H

#include "spec/id_ctrl.h"
#include "spec/id_ns.h"
#include "spec/wire.h"

#define NVME_IDENTIFY_BYTES 4096

/** struct nvme_id_ns_desc - namespace identification descriptor header (CNS 03h) */
struct nvme_id_ns_desc {
	uint8_t nidt;
	uint8_t nidl; /* bytes that follow; 0 ends the list */
	uint8_t rsvd2[2];
	uint8_t nid[];
};
WIRE_SIZE(struct nvme_id_ns_desc, 4);

#define NVME_NIDT_EUI64 0x1u
#define NVME_NIDT_NGUID 0x2u
#define NVME_NIDT_UUID	0x3u
#define NVME_NIDT_CSI	0x4u
#define NVME_NIDL_EUI64 8u
#define NVME_NIDL_NGUID 16u
#define NVME_NIDL_UUID	16u
#define NVME_NIDL_CSI	1u

/** struct nvme_ns_list - namespace list (CNS 02h, 07h, 10h, 1Ah; log page 04h) */
struct nvme_ns_list {
	uint32_t nsid[1024]; /* ascending, zero filled */
};
WIRE_SIZE(struct nvme_ns_list, 4096);

/** struct nvme_ctrl_list - controller list (CNS 12h, 13h; namespace attachment) */
struct nvme_ctrl_list {
	uint16_t count;
	uint16_t cntlid[2047];
};
WIRE_SIZE(struct nvme_ctrl_list, 4096);

/** struct nvme_id_ns_nvm - I/O command set specific namespace, NVM (CNS 05h) */
struct nvme_id_ns_nvm {
	uint64_t lbstm;
	uint8_t pic;
	uint8_t pifa;
	uint8_t rsvd10[2];
	uint32_t elbaf[64]; /* STS 6:0, PIF 8:7, QPIF 12:9 */
	uint32_t npdgl;
	uint32_t nprg;
	uint32_t npra;
	uint32_t nors;
	uint32_t npdal;
	uint32_t lbapss;
	uint32_t tlbaag;
	uint8_t rsvd296[3800];
};
WIRE_SIZE(struct nvme_id_ns_nvm, 4096);
WIRE_OFFSET(struct nvme_id_ns_nvm, elbaf, 12);

#define NVME_ELBAF_STS_SHIFT 0
#define NVME_ELBAF_STS_MASK  0x7fu
#define NVME_ELBAF_PIF_SHIFT 7 /* NVME_PIF_* */
#define NVME_ELBAF_PIF_MASK  0x3u
#define NVME_PIF_16B_GUARD   0x0u
#define NVME_PIF_32B_GUARD   0x1u
#define NVME_PIF_64B_GUARD   0x2u

/** struct nvme_id_ctrl_nvm - I/O command set specific controller, NVM (CNS 06h) */
struct nvme_id_ctrl_nvm {
	uint8_t vsl; /* size limits: 2^n * CAP.MPSMIN, 0 unlimited */
	uint8_t wzsl;
	uint8_t wusl;
	uint8_t dmrl;
	uint32_t dmrsl;
	uint64_t dmsl;
	uint8_t kpiocap;
	uint8_t wzdsl;
	uint16_t aocs;
	uint32_t ver;
	uint8_t lbamqf;
	uint8_t rsvd25[4071];
};
WIRE_SIZE(struct nvme_id_ctrl_nvm, 4096);

/** struct nvme_id_independent_ns - I/O command set independent namespace (CNS 08h) */
struct nvme_id_independent_ns {
	uint8_t nsfeat;
	uint8_t nmic;
	uint8_t rescap;
	uint8_t fpi;
	uint32_t anagrpid;
	uint8_t nsattr;
	uint8_t rsvd9;
	uint16_t nvmsetid;
	uint16_t endgid;
	uint8_t nstat; /* bit 0: ready */
	uint8_t kpios;
	uint16_t maxkt;
	uint16_t rgrpid;
	uint8_t rsvd20[4076];
};
WIRE_SIZE(struct nvme_id_independent_ns, 4096);

#define NVME_NSTAT_NRDY 0x1u

/** struct nvme_id_iocs - I/O command set combinations (CNS 1Ch), one bit a NVME_CSI_* */
struct nvme_id_iocs {
	uint64_t vector[512];
};
WIRE_SIZE(struct nvme_id_iocs, 4096);

/** struct nvme_uuid_list - UUID list (CNS 17h) */
struct nvme_uuid_entry {
	uint8_t header;
	uint8_t rsvd1[15];
	uint8_t uuid[16];
};
struct nvme_uuid_list {
	uint8_t rsvd0[32];
	struct nvme_uuid_entry entry[127];
};
WIRE_SIZE(struct nvme_uuid_list, 4096);

/** struct nvme_ns_granularity_list - CNS 16h */
struct nvme_ns_granularity {
	uint64_t nsg; /* bytes */
	uint64_t ncg; /* bytes */
};
struct nvme_ns_granularity_list {
	uint32_t nga;
	uint8_t nod; /* zero based */
	uint8_t rsvd5[27];
	struct nvme_ns_granularity entry[16];
	uint8_t rsvd288[3808];
};
WIRE_SIZE(struct nvme_ns_granularity_list, 4096);

/** struct nvme_primary_ctrl_caps - CNS 14h */
struct nvme_primary_ctrl_caps {
	uint16_t cntlid;
	uint16_t portid;
	uint8_t crt;
	uint8_t rsvd5[27];
	uint32_t vqfrt;
	uint32_t vqrfa;
	uint16_t vqrfap;
	uint16_t vqprt;
	uint16_t vqfrsm;
	uint16_t vqgran;
	uint8_t rsvd48[16];
	uint32_t vifrt;
	uint32_t virfa;
	uint16_t virfap;
	uint16_t viprt;
	uint16_t vifrsm;
	uint16_t vigran;
	uint8_t rsvd80[4016];
};
WIRE_SIZE(struct nvme_primary_ctrl_caps, 4096);

/** struct nvme_secondary_ctrl_list - CNS 15h */
struct nvme_secondary_ctrl {
	uint16_t scid;
	uint16_t pcid;
	uint8_t scs;
	uint8_t rsvd5[3];
	uint16_t vfn;
	uint16_t nvq;
	uint16_t nvi;
	uint8_t rsvd14[18];
};
struct nvme_secondary_ctrl_list {
	uint8_t count;
	uint8_t rsvd1[31];
	struct nvme_secondary_ctrl entry[127];
};
WIRE_SIZE(struct nvme_secondary_ctrl_list, 4096);

#endif
