/*
 * Identify Controller data structure: NVMe Base 2.1 section 5.1.13.2.1.
 * Included by spec/identify.h.
 */
#ifndef SPEC_ID_CTRL_H
#define SPEC_ID_CTRL_H

#include "spec/wire.h"

/** struct nvme_psd - power state descriptor, Base 2.1 figure 314 */
struct nvme_psd {
	uint16_t mp; /* Maximum Power, 0.01 W, or 0.0001 W with MXPS */
	uint8_t rsvd2;
	uint8_t flags;	/* NVME_PSD_* */
	uint32_t enlat; /* us */
	uint32_t exlat; /* us */
	uint8_t rrt;
	uint8_t rrl;
	uint8_t rwt;
	uint8_t rwl;
	uint16_t idlp;
	uint8_t ips; /* scale in bits 7:6: 1 0.0001 W, 2 0.01 W */
	uint8_t rsvd19;
	uint16_t actp;
	uint8_t apws; /* scale in bits 7:6, workload in 2:0 */
	uint8_t rsvd23[9];
};
WIRE_SIZE(struct nvme_psd, 32);

#define NVME_PSD_MXPS 0x1u /* Max Power Scale: 0.0001 W */
#define NVME_PSD_NOPS 0x2u /* Non-Operational State */

/** struct nvme_id_ctrl - Identify Controller (CNS 01h), Base 2.1 figure 313 */
struct nvme_id_ctrl {
	uint16_t vid;
	uint16_t ssvid;
	char sn[20];
	char mn[40];
	char fr[8];
	uint8_t rab;
	uint8_t ieee[3];
	uint8_t cmic;
	uint8_t mdts; /* 2^n * CAP.MPSMIN, 0 unlimited */
	uint16_t cntlid;
	uint32_t ver;
	uint32_t rtd3r; /* us */
	uint32_t rtd3e; /* us */
	uint32_t oaes;	/* NVME_OAES_* */
	uint32_t ctratt;
	uint16_t rrls;
	uint8_t bpcap;
	uint8_t rsvd103;
	uint32_t nssl;
	uint8_t rsvd108[2];
	uint8_t plsi;
	uint8_t cntrltype;
	uint8_t fguid[16];
	uint16_t crdt[3]; /* Command Retry Delay Times, 100 ms */
	uint8_t crcap;
	uint8_t ciu;
	uint8_t cirn[8];
	uint8_t rsvd144[96];
	uint8_t mi_rsvd240[13];
	uint8_t nvmsr;
	uint8_t vwci;
	uint8_t mec;
	uint16_t oacs; /* NVME_OACS_* */
	uint8_t acl;   /* zero based */
	uint8_t aerl;  /* zero based */
	uint8_t frmw;
	uint8_t lpa;
	uint8_t elpe; /* zero based */
	uint8_t npss; /* zero based */
	uint8_t avscc;
	uint8_t apsta;
	uint16_t wctemp; /* kelvins */
	uint16_t cctemp; /* kelvins */
	uint16_t mtfa;	 /* 100 ms */
	uint32_t hmpre;	 /* 4 KiB units */
	uint32_t hmmin;	 /* 4 KiB units */
	uint64_t tnvmcap[2];
	uint64_t unvmcap[2];
	uint32_t rpmbs;
	uint16_t edstt; /* minutes */
	uint8_t dsto;
	uint8_t fwug; /* 4 KiB units, FFh no restriction */
	uint16_t kas; /* 100 ms */
	uint16_t hctma;
	uint16_t mntmt; /* kelvins */
	uint16_t mxtmt; /* kelvins */
	uint32_t sanicap;
	uint32_t hmminds; /* 4 KiB units */
	uint16_t hmmaxd;
	uint16_t nsetidmax;
	uint16_t endgidmax;
	uint8_t anatt;
	uint8_t anacap;
	uint32_t anagrpmax;
	uint32_t nanagrpid;
	uint32_t pels; /* 64 KiB units */
	uint16_t domainid;
	uint8_t kpioc;
	uint8_t rsvd359;
	uint16_t mptfawr;
	uint8_t rsvd362[6];
	uint64_t megcap[2];
	uint8_t tmpthha;
	uint8_t rsvd385;
	uint16_t cqt;
	uint8_t rsvd388[124];
	uint8_t sqes; /* required 3:0, maximum 7:4, log2 */
	uint8_t cqes;
	uint16_t maxcmd;
	uint32_t nn;
	uint16_t oncs; /* NVME_ONCS_* */
	uint16_t fuses;
	uint8_t fna;
	uint8_t vwc;
	uint16_t awun;	/* LBAs, zero based */
	uint16_t awupf; /* LBAs, zero based */
	uint8_t icsvscc;
	uint8_t nwpc;
	uint16_t acwu; /* LBAs, zero based */
	uint16_t cdfs; /* Copy Descriptor Formats Supported */
	uint32_t sgls;
	uint32_t mnan;
	uint64_t maxdna[2];
	uint32_t maxcna;
	uint32_t oaqd;
	uint8_t rhiri;
	uint8_t hirt;
	uint16_t cmmrtd;
	uint16_t nmmrtd;
	uint8_t minmrtg;
	uint8_t maxmrtg;
	uint8_t trattr;
	uint8_t rsvd577;
	uint16_t mcudmq;
	uint16_t mnsudmq;
	uint16_t mcmr;
	uint16_t nmcmr;
	uint16_t mcdqpc;
	uint8_t rsvd588[180];
	char subnqn[256]; /* UTF-8, zero terminated */
	uint8_t rsvd1024[768];
	uint32_t ioccsz; /* fabrics: 16-byte units */
	uint32_t iorcsz; /* fabrics: 16-byte units */
	uint16_t icdoff; /* fabrics: 16-byte units */
	uint8_t fcatt;
	uint8_t msdbd;
	uint16_t ofcs;
	uint8_t dctype;
	uint8_t rsvd1807[241];
	struct nvme_psd psd[32];
	uint8_t vs[1024];
};
WIRE_SIZE(struct nvme_id_ctrl, 4096);
WIRE_OFFSET(struct nvme_id_ctrl, cntrltype, 111);
WIRE_OFFSET(struct nvme_id_ctrl, oacs, 256);
WIRE_OFFSET(struct nvme_id_ctrl, sqes, 512);
WIRE_OFFSET(struct nvme_id_ctrl, subnqn, 768);
WIRE_OFFSET(struct nvme_id_ctrl, ioccsz, 1792);
WIRE_OFFSET(struct nvme_id_ctrl, psd, 2048);

/* id_ctrl.cmic */
#define NVME_CMIC_MULTI_PORT	 0x1u
#define NVME_CMIC_MULTI_CTRL	 0x2u
#define NVME_CMIC_SRIOV		 0x4u
#define NVME_CMIC_ANA		 0x8u
/* id_ctrl.cntrltype */
#define NVME_CNTRLTYPE_IO	 0x1u
#define NVME_CNTRLTYPE_DISCOVERY 0x2u
#define NVME_CNTRLTYPE_ADMIN	 0x3u

/* id_ctrl.oaes; the same bits enable the events in feature 0Bh */
#define NVME_OAES_NS_ATTR	   0x00000100u
#define NVME_OAES_FW_ACTIVATION	   0x00000200u
#define NVME_OAES_ANA		   0x00000800u
#define NVME_OAES_PLM		   0x00001000u
#define NVME_OAES_LBA_STATUS	   0x00002000u
#define NVME_OAES_ENDURANCE_GROUP  0x00004000u
#define NVME_OAES_NORMAL_SHUTDOWN  0x00008000u
#define NVME_OAES_TEMP_HYSTERESIS  0x00010000u
#define NVME_OAES_ZONE_DESC	   0x08000000u
#define NVME_OAES_DISCOVERY_CHANGE 0x80000000u

/* id_ctrl.ctratt */
#define NVME_CTRATT_HIDS    0x00000001u /* 128-bit host identifier */
#define NVME_CTRATT_NOPSPM  0x00000002u
#define NVME_CTRATT_NVMSETS 0x00000004u
#define NVME_CTRATT_RRLVLS  0x00000008u
#define NVME_CTRATT_EGS	    0x00000010u
#define NVME_CTRATT_PLM	    0x00000020u
#define NVME_CTRATT_TBKAS   0x00000040u
#define NVME_CTRATT_NSG	    0x00000080u
#define NVME_CTRATT_SQA	    0x00000100u
#define NVME_CTRATT_UUID    0x00000200u
#define NVME_CTRATT_MDS	    0x00000400u
#define NVME_CTRATT_FCM	    0x00000800u
#define NVME_CTRATT_VCM	    0x00001000u
#define NVME_CTRATT_DEG	    0x00002000u
#define NVME_CTRATT_DNVMS   0x00004000u
#define NVME_CTRATT_ELBAS   0x00008000u /* Extended LBA Formats */
#define NVME_CTRATT_MEM	    0x00010000u
#define NVME_CTRATT_HMBR    0x00020000u
#define NVME_CTRATT_RHII    0x00040000u
#define NVME_CTRATT_FDPS    0x00080000u

/* id_ctrl.oacs */
#define NVME_OACS_SECURITY	 0x0001u
#define NVME_OACS_FORMAT	 0x0002u
#define NVME_OACS_FIRMWARE	 0x0004u
#define NVME_OACS_NS_MANAGEMENT	 0x0008u
#define NVME_OACS_SELF_TEST	 0x0010u
#define NVME_OACS_DIRECTIVES	 0x0020u
#define NVME_OACS_MI		 0x0040u
#define NVME_OACS_VIRTUALIZATION 0x0080u
#define NVME_OACS_DBBUF		 0x0100u
#define NVME_OACS_LBA_STATUS	 0x0200u
#define NVME_OACS_LOCKDOWN	 0x0400u
#define NVME_OACS_MIGRATION	 0x0800u

/* id_ctrl.frmw */
#define NVME_FRMW_SLOT1_RO   0x01u
#define NVME_FRMW_NOFS_SHIFT 1 /* Number of Firmware Slots */
#define NVME_FRMW_NOFS_MASK  0x7u
#define NVME_FRMW_NO_RESET   0x10u /* activation without a reset */
#define NVME_FRMW_SMUD	     0x20u

/* id_ctrl.lpa */
#define NVME_LPA_SMART_NS	  0x01u
#define NVME_LPA_EFFECTS	  0x02u
#define NVME_LPA_EXTENDED	  0x04u /* offset and 32-bit length in Get Log Page */
#define NVME_LPA_TELEMETRY	  0x08u
#define NVME_LPA_PERSISTENT_EVENT 0x10u
#define NVME_LPA_MISC		  0x20u /* log pages 00h, 12h, 13h */
#define NVME_LPA_TELEMETRY_DA4	  0x40u

/* id_ctrl.dsto */
#define NVME_DSTO_SINGLE 0x1u /* one self-test in the subsystem at a time */

/* id_ctrl.sanicap */
#define NVME_SANICAP_CES	   0x00000001u /* crypto erase */
#define NVME_SANICAP_BES	   0x00000002u /* block erase */
#define NVME_SANICAP_OWS	   0x00000004u /* overwrite */
#define NVME_SANICAP_VERS	   0x00000008u
#define NVME_SANICAP_NDI	   0x20000000u /* No-Deallocate Inhibited */
#define NVME_SANICAP_NODMMAS_SHIFT 30
#define NVME_SANICAP_NODMMAS_MASK  0x3u

/* id_ctrl.oncs */
#define NVME_ONCS_COMPARE	      0x0001u
#define NVME_ONCS_WRITE_UNCORRECTABLE 0x0002u
#define NVME_ONCS_DSM		      0x0004u
#define NVME_ONCS_WRITE_ZEROES	      0x0008u
#define NVME_ONCS_SAVE_SELECT	      0x0010u
#define NVME_ONCS_RESERVATIONS	      0x0020u
#define NVME_ONCS_TIMESTAMP	      0x0040u
#define NVME_ONCS_VERIFY	      0x0080u
#define NVME_ONCS_COPY		      0x0100u
#define NVME_ONCS_COPY_ATOMIC	      0x0200u
#define NVME_ONCS_ALL_FAST_COPY	      0x0400u
#define NVME_ONCS_WZ_DEALLOC	      0x0800u
#define NVME_ONCS_NS_ZEROES	      0x1000u

#define NVME_FUSES_COMPARE_WRITE     0x0001u
/* id_ctrl.fna */
#define NVME_FNA_FORMAT_ALL	     0x1u
#define NVME_FNA_ERASE_ALL	     0x2u
#define NVME_FNA_CRYPTO_ERASE	     0x4u
#define NVME_FNA_NO_BROADCAST	     0x8u
/* id_ctrl.vwc */
#define NVME_VWC_PRESENT	     0x1u
#define NVME_VWC_FNVMBV_SHIFT	     1 /* flush with NSID FFFFFFFFh */
#define NVME_VWC_FNVMBV_MASK	     0x3u
#define NVME_VWC_FLUSH_ALL_NOT	     0x2u
#define NVME_VWC_FLUSH_ALL_SUPPORTED 0x3u
/* id_ctrl.sgls */
#define NVME_SGLS_SUPPORT_SHIFT	     0 /* 1 no alignment needed, 2 dword aligned */
#define NVME_SGLS_SUPPORT_MASK	     0x3u
#define NVME_SGLS_KEYED		     0x00000004u
#define NVME_SGLS_BIT_BUCKET	     0x00010000u
#define NVME_SGLS_MPTR_BYTES	     0x00020000u
#define NVME_SGLS_LARGER	     0x00040000u
#define NVME_SGLS_MPTR_SGL	     0x00080000u
#define NVME_SGLS_OFFSET	     0x00100000u
#define NVME_SGLS_TRANSPORT	     0x00200000u
#define NVME_APSTA_SUPPORTED	     0x1u
#define NVME_OFCS_DISCONNECT	     0x1u /* Disconnect, of a single I/O queue */
#define NVME_HCTMA_SUPPORTED	     0x1u

#endif
