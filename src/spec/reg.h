/*
 * Controller properties (registers) in BAR0 or behind Property Get/Set.
 * NVMe Base 2.1 section 3.1.4; doorbells: NVMe over PCIe Transport 1.1 section 3.1.2.
 */
#ifndef SPEC_REG_H
#define SPEC_REG_H

#include "spec/wire.h"

enum nvme_reg {
	NVME_REG_CAP = 0x0,	     /* Controller Capabilities, 64 bits */
	NVME_REG_VS = 0x8,	     /* Version */
	NVME_REG_INTMS = 0xc,	     /* Interrupt Mask Set */
	NVME_REG_INTMC = 0x10,	     /* Interrupt Mask Clear */
	NVME_REG_CC = 0x14,	     /* Controller Configuration */
	NVME_REG_CSTS = 0x1c,	     /* Controller Status */
	NVME_REG_NSSR = 0x20,	     /* NVM Subsystem Reset */
	NVME_REG_AQA = 0x24,	     /* Admin Queue Attributes */
	NVME_REG_ASQ = 0x28,	     /* Admin Submission Queue Base Address, 64 bits */
	NVME_REG_ACQ = 0x30,	     /* Admin Completion Queue Base Address, 64 bits */
	NVME_REG_CMBLOC = 0x38,	     /* Controller Memory Buffer Location */
	NVME_REG_CMBSZ = 0x3c,	     /* Controller Memory Buffer Size */
	NVME_REG_BPINFO = 0x40,	     /* Boot Partition Information */
	NVME_REG_BPRSEL = 0x44,	     /* Boot Partition Read Select */
	NVME_REG_BPMBL = 0x48,	     /* Boot Partition Memory Buffer Location, 64 bits */
	NVME_REG_CMBMSC = 0x50,	     /* Controller Memory Buffer Memory Space Control, 64 bits */
	NVME_REG_CMBSTS = 0x58,	     /* Controller Memory Buffer Status */
	NVME_REG_CMBEBS = 0x5c,	     /* CMB Elasticity Buffer Size */
	NVME_REG_CMBSWTP = 0x60,     /* CMB Sustained Write Throughput */
	NVME_REG_NSSD = 0x64,	     /* NVM Subsystem Shutdown */
	NVME_REG_CRTO = 0x68,	     /* Controller Ready Timeouts */
	NVME_REG_PMRCAP = 0xe00,     /* Persistent Memory Region Capabilities */
	NVME_REG_PMRCTL = 0xe04,     /* Persistent Memory Region Control */
	NVME_REG_PMRSTS = 0xe08,     /* Persistent Memory Region Status */
	NVME_REG_PMREBS = 0xe0c,     /* PMR Elasticity Buffer Size */
	NVME_REG_PMRSWTP = 0xe10,    /* PMR Sustained Write Throughput */
	NVME_REG_PMRMSCL = 0xe14,    /* PMR Memory Space Control Lower */
	NVME_REG_PMRMSCU = 0xe18,    /* PMR Memory Space Control Upper */
	NVME_REG_DOORBELLS = 0x1000, /* SQ0TDBL, the first doorbell */
};

/* CAP.MQES: Maximum Queue Entries Supported, zero based */
#define NVME_CAP_MQES_SHIFT   0
#define NVME_CAP_MQES_MASK    0xffffu
/* CAP.CQR: Contiguous Queues Required */
#define NVME_CAP_CQR_SHIFT    16
#define NVME_CAP_CQR_MASK     0x1u
/* CAP.AMS: Arbitration Mechanism Supported, NVME_CAP_AMS_* */
#define NVME_CAP_AMS_SHIFT    17
#define NVME_CAP_AMS_MASK     0x3u
/* CAP.TO: Timeout, units of 500 ms */
#define NVME_CAP_TO_SHIFT     24
#define NVME_CAP_TO_MASK      0xffu
/* CAP.DSTRD: Doorbell Stride, 4 << DSTRD bytes */
#define NVME_CAP_DSTRD_SHIFT  32
#define NVME_CAP_DSTRD_MASK   0xfu
/* CAP.NSSRS: NVM Subsystem Reset Supported */
#define NVME_CAP_NSSRS_SHIFT  36
#define NVME_CAP_NSSRS_MASK   0x1u
/* CAP.CSS: Command Sets Supported, NVME_CAP_CSS_* */
#define NVME_CAP_CSS_SHIFT    37
#define NVME_CAP_CSS_MASK     0xffu
/* CAP.BPS: Boot Partition Support */
#define NVME_CAP_BPS_SHIFT    45
#define NVME_CAP_BPS_MASK     0x1u
/* CAP.CPS: Controller Power Scope */
#define NVME_CAP_CPS_SHIFT    46
#define NVME_CAP_CPS_MASK     0x3u
/* CAP.MPSMIN: Memory Page Size Minimum, 4096 << MPSMIN bytes */
#define NVME_CAP_MPSMIN_SHIFT 48
#define NVME_CAP_MPSMIN_MASK  0xfu
/* CAP.MPSMAX: Memory Page Size Maximum */
#define NVME_CAP_MPSMAX_SHIFT 52
#define NVME_CAP_MPSMAX_MASK  0xfu
/* CAP.PMRS: Persistent Memory Region Supported */
#define NVME_CAP_PMRS_SHIFT   56
#define NVME_CAP_PMRS_MASK    0x1u
/* CAP.CMBS: Controller Memory Buffer Supported */
#define NVME_CAP_CMBS_SHIFT   57
#define NVME_CAP_CMBS_MASK    0x1u
/* CAP.NSSS: NVM Subsystem Shutdown Supported */
#define NVME_CAP_NSSS_SHIFT   58
#define NVME_CAP_NSSS_MASK    0x1u
/* CAP.CRWMS: Controller Ready With Media Support */
#define NVME_CAP_CRWMS_SHIFT  59
#define NVME_CAP_CRWMS_MASK   0x1u
/* CAP.CRIMS: Controller Ready Independent of Media Support */
#define NVME_CAP_CRIMS_SHIFT  60
#define NVME_CAP_CRIMS_MASK   0x1u
/* CAP.NSSES: NVM Subsystem Shutdown Enhancements Supported */
#define NVME_CAP_NSSES_SHIFT  61
#define NVME_CAP_NSSES_MASK   0x1u

/* VS.TER: Tertiary */
#define NVME_VS_TER_SHIFT 0
#define NVME_VS_TER_MASK  0xffu
/* VS.MNR: Minor */
#define NVME_VS_MNR_SHIFT 8
#define NVME_VS_MNR_MASK  0xffu
/* VS.MJR: Major */
#define NVME_VS_MJR_SHIFT 16
#define NVME_VS_MJR_MASK  0xffffu

/* CC.EN: Enable */
#define NVME_CC_EN_SHIFT     0
#define NVME_CC_EN_MASK	     0x1u
/* CC.CSS: I/O Command Set Selected */
#define NVME_CC_CSS_SHIFT    4
#define NVME_CC_CSS_MASK     0x7u
/* CC.MPS: Memory Page Size */
#define NVME_CC_MPS_SHIFT    7
#define NVME_CC_MPS_MASK     0xfu
/* CC.AMS: Arbitration Mechanism Selected */
#define NVME_CC_AMS_SHIFT    11
#define NVME_CC_AMS_MASK     0x7u
/* CC.SHN: Shutdown Notification */
#define NVME_CC_SHN_SHIFT    14
#define NVME_CC_SHN_MASK     0x3u
/* CC.IOSQES: I/O Submission Queue Entry Size, power of two */
#define NVME_CC_IOSQES_SHIFT 16
#define NVME_CC_IOSQES_MASK  0xfu
/* CC.IOCQES: I/O Completion Queue Entry Size, power of two */
#define NVME_CC_IOCQES_SHIFT 20
#define NVME_CC_IOCQES_MASK  0xfu
/* CC.CRIME: Controller Ready Independent of Media Enable */
#define NVME_CC_CRIME_SHIFT  24
#define NVME_CC_CRIME_MASK   0x1u

/* CSTS.RDY: Ready */
#define NVME_CSTS_RDY_SHIFT   0
#define NVME_CSTS_RDY_MASK    0x1u
/* CSTS.CFS: Controller Fatal Status */
#define NVME_CSTS_CFS_SHIFT   1
#define NVME_CSTS_CFS_MASK    0x1u
/* CSTS.SHST: Shutdown Status */
#define NVME_CSTS_SHST_SHIFT  2
#define NVME_CSTS_SHST_MASK   0x3u
/* CSTS.NSSRO: NVM Subsystem Reset Occurred, write 1 to clear */
#define NVME_CSTS_NSSRO_SHIFT 4
#define NVME_CSTS_NSSRO_MASK  0x1u
/* CSTS.PP: Processing Paused */
#define NVME_CSTS_PP_SHIFT    5
#define NVME_CSTS_PP_MASK     0x1u
/* CSTS.ST: Shutdown Type */
#define NVME_CSTS_ST_SHIFT    6
#define NVME_CSTS_ST_MASK     0x1u

/* AQA.ASQS: Admin Submission Queue Size, zero based */
#define NVME_AQA_ASQS_SHIFT 0
#define NVME_AQA_ASQS_MASK  0xfffu
/* AQA.ACQS: Admin Completion Queue Size, zero based */
#define NVME_AQA_ACQS_SHIFT 16
#define NVME_AQA_ACQS_MASK  0xfffu

/* CMBLOC.BIR: Base Indicator Register */
#define NVME_CMBLOC_BIR_SHIFT	  0
#define NVME_CMBLOC_BIR_MASK	  0x7u
/* CMBLOC.CQMMS: CMB Queue Mixed Memory Support */
#define NVME_CMBLOC_CQMMS_SHIFT	  3
#define NVME_CMBLOC_CQMMS_MASK	  0x1u
/* CMBLOC.CQPDS: CMB Queue Physically Discontiguous Support */
#define NVME_CMBLOC_CQPDS_SHIFT	  4
#define NVME_CMBLOC_CQPDS_MASK	  0x1u
/* CMBLOC.CDPMLS: CMB Data Pointer Mixed Locations Support */
#define NVME_CMBLOC_CDPMLS_SHIFT  5
#define NVME_CMBLOC_CDPMLS_MASK	  0x1u
/* CMBLOC.CDPCILS: CMB Data Pointer and Command Independent Locations Support */
#define NVME_CMBLOC_CDPCILS_SHIFT 6
#define NVME_CMBLOC_CDPCILS_MASK  0x1u
/* CMBLOC.CDMMMS: CMB Data Metadata Mixed Memory Support */
#define NVME_CMBLOC_CDMMMS_SHIFT  7
#define NVME_CMBLOC_CDMMMS_MASK	  0x1u
/* CMBLOC.CQDA: CMB Queue Dword Alignment */
#define NVME_CMBLOC_CQDA_SHIFT	  8
#define NVME_CMBLOC_CQDA_MASK	  0x1u
/* CMBLOC.OFST: Offset, in units of CMBSZ.SZU */
#define NVME_CMBLOC_OFST_SHIFT	  12
#define NVME_CMBLOC_OFST_MASK	  0xfffffu

/* CMBSZ.SQS: Submission Queue Support */
#define NVME_CMBSZ_SQS_SHIFT   0
#define NVME_CMBSZ_SQS_MASK    0x1u
/* CMBSZ.CQS: Completion Queue Support */
#define NVME_CMBSZ_CQS_SHIFT   1
#define NVME_CMBSZ_CQS_MASK    0x1u
/* CMBSZ.LISTS: PRP SGL List Support */
#define NVME_CMBSZ_LISTS_SHIFT 2
#define NVME_CMBSZ_LISTS_MASK  0x1u
/* CMBSZ.RDS: Read Data Support */
#define NVME_CMBSZ_RDS_SHIFT   3
#define NVME_CMBSZ_RDS_MASK    0x1u
/* CMBSZ.WDS: Write Data Support */
#define NVME_CMBSZ_WDS_SHIFT   4
#define NVME_CMBSZ_WDS_MASK    0x1u
/* CMBSZ.SZU: Size Units, 4096 << 4 * SZU bytes */
#define NVME_CMBSZ_SZU_SHIFT   8
#define NVME_CMBSZ_SZU_MASK    0xfu
/* CMBSZ.SZ: Size */
#define NVME_CMBSZ_SZ_SHIFT    12
#define NVME_CMBSZ_SZ_MASK     0xfffffu

/* CMBMSC.CRE: Capabilities Registers Enabled */
#define NVME_CMBMSC_CRE_SHIFT  0
#define NVME_CMBMSC_CRE_MASK   0x1u
/* CMBMSC.CMSE: Controller Memory Space Enable */
#define NVME_CMBMSC_CMSE_SHIFT 1
#define NVME_CMBMSC_CMSE_MASK  0x1u
/* CMBMSC.CBA: Controller Base Address, bits 63:12 */
#define NVME_CMBMSC_CBA_SHIFT  12
#define NVME_CMBMSC_CBA_MASK   0xfffffffffffffull

/* CMBSTS.CBAI: Controller Base Address Invalid */
#define NVME_CMBSTS_CBAI_SHIFT 0
#define NVME_CMBSTS_CBAI_MASK  0x1u

/* BPINFO.BPSZ: Boot Partition Size, 128 KiB units */
#define NVME_BPINFO_BPSZ_SHIFT	0
#define NVME_BPINFO_BPSZ_MASK	0x7fffu
/* BPINFO.BRS: Boot Read Status, NVME_BRS_* */
#define NVME_BPINFO_BRS_SHIFT	24
#define NVME_BPINFO_BRS_MASK	0x3u
/* BPINFO.ABPID: Active Boot Partition ID */
#define NVME_BPINFO_ABPID_SHIFT 31
#define NVME_BPINFO_ABPID_MASK	0x1u

/* BPRSEL.BPRSZ: Boot Partition Read Size, 4 KiB units */
#define NVME_BPRSEL_BPRSZ_SHIFT 0
#define NVME_BPRSEL_BPRSZ_MASK	0x3ffu
/* BPRSEL.BPROF: Boot Partition Read Offset, 4 KiB units */
#define NVME_BPRSEL_BPROF_SHIFT 10
#define NVME_BPRSEL_BPROF_MASK	0xfffffu
/* BPRSEL.BPID: Boot Partition Identifier */
#define NVME_BPRSEL_BPID_SHIFT	31
#define NVME_BPRSEL_BPID_MASK	0x1u

/* BPMBL.BMBBA: Boot Partition Memory Buffer Base Address, bits 63:12 */
#define NVME_BPMBL_BMBBA_SHIFT 12
#define NVME_BPMBL_BMBBA_MASK  0xfffffffffffffull

/* CRTO.CRWMT: Controller Ready With Media Timeout, units of 500 ms */
#define NVME_CRTO_CRWMT_SHIFT 0
#define NVME_CRTO_CRWMT_MASK  0xffffu
/* CRTO.CRIMT: Controller Ready Independent of Media Timeout */
#define NVME_CRTO_CRIMT_SHIFT 16
#define NVME_CRTO_CRIMT_MASK  0xffffu

/* PMRCAP.RDS: Read Data Support */
#define NVME_PMRCAP_RDS_SHIFT	 3
#define NVME_PMRCAP_RDS_MASK	 0x1u
/* PMRCAP.WDS: Write Data Support */
#define NVME_PMRCAP_WDS_SHIFT	 4
#define NVME_PMRCAP_WDS_MASK	 0x1u
/* PMRCAP.BIR: Base Indicator Register */
#define NVME_PMRCAP_BIR_SHIFT	 5
#define NVME_PMRCAP_BIR_MASK	 0x7u
/* PMRCAP.PMRTU: Time Units: 0 500 ms, 1 minutes */
#define NVME_PMRCAP_PMRTU_SHIFT	 8
#define NVME_PMRCAP_PMRTU_MASK	 0x3u
/* PMRCAP.PMRWBM: Write Barrier Mechanisms */
#define NVME_PMRCAP_PMRWBM_SHIFT 10
#define NVME_PMRCAP_PMRWBM_MASK	 0xfu
/* PMRCAP.PMRTO: Timeout */
#define NVME_PMRCAP_PMRTO_SHIFT	 16
#define NVME_PMRCAP_PMRTO_MASK	 0xffu
/* PMRCAP.CMSS: Controller Memory Space Supported */
#define NVME_PMRCAP_CMSS_SHIFT	 24
#define NVME_PMRCAP_CMSS_MASK	 0x1u

/* PMRCTL.EN: Enable */
#define NVME_PMRCTL_EN_SHIFT 0
#define NVME_PMRCTL_EN_MASK  0x1u

/* PMRSTS.ERR: Error */
#define NVME_PMRSTS_ERR_SHIFT  0
#define NVME_PMRSTS_ERR_MASK   0xffu
/* PMRSTS.NRDY: Not Ready */
#define NVME_PMRSTS_NRDY_SHIFT 8
#define NVME_PMRSTS_NRDY_MASK  0x1u
/* PMRSTS.HSTS: Health Status */
#define NVME_PMRSTS_HSTS_SHIFT 9
#define NVME_PMRSTS_HSTS_MASK  0x7u
/* PMRSTS.CBAI: Controller Base Address Invalid */
#define NVME_PMRSTS_CBAI_SHIFT 12
#define NVME_PMRSTS_CBAI_MASK  0x1u

/* PMRMSCL.CMSE: Controller Memory Space Enable */
#define NVME_PMRMSCL_CMSE_SHIFT 1
#define NVME_PMRMSCL_CMSE_MASK	0x1u
/* PMRMSCL.CBA: Controller Base Address, bits 31:12 */
#define NVME_PMRMSCL_CBA_SHIFT	12
#define NVME_PMRMSCL_CBA_MASK	0xfffffu

/* CAP.CSS bits */
#define NVME_CAP_CSS_NVM   0x01u /* NVM Command Set */
#define NVME_CAP_CSS_IOCS  0x40u /* one or more I/O Command Sets, CC.CSS 110b */
#define NVME_CAP_CSS_NOIO  0x80u /* no I/O Command Set, CC.CSS 111b */
/* CAP.AMS bits */
#define NVME_CAP_AMS_WRRUP 0x1u /* weighted round robin with urgent priority class */
#define NVME_CAP_AMS_VS	   0x2u

/* CC.CSS values */
#define NVME_CC_CSS_NVM		0x0u
#define NVME_CC_CSS_ALL		0x6u /* all supported I/O Command Sets */
#define NVME_CC_CSS_ADMIN	0x7u /* admin only */
/* CC.AMS values */
#define NVME_CC_AMS_RR		0x0u
#define NVME_CC_AMS_WRRUP	0x1u
#define NVME_CC_AMS_VS		0x7u
/* CC.SHN values */
#define NVME_CC_SHN_NONE	0x0u
#define NVME_CC_SHN_NORMAL	0x1u
#define NVME_CC_SHN_ABRUPT	0x2u
/* CSTS.SHST values */
#define NVME_CSTS_SHST_NORMAL	0x0u
#define NVME_CSTS_SHST_OCCUR	0x1u /* shutdown processing is occurring */
#define NVME_CSTS_SHST_COMPLETE 0x2u
/* BPINFO.BRS values */
#define NVME_BRS_NONE		0x0u
#define NVME_BRS_PROGRESS	0x1u
#define NVME_BRS_SUCCESS	0x2u
#define NVME_BRS_ERROR		0x3u

#define NVME_NSSR_NSSRC		0x4e564d65u /* "NVMe": reset the NVM subsystem */
#define NVME_NSSD_NORMAL	0x4e726d6cu /* "Nrml" */
#define NVME_NSSD_ABRUPT	0x41627074u /* "Abpt" */
#define NVME_REG_REMOVED	0xffffffffu /* what a removed function returns */
#define NVME_CAP_TO_UNIT_MS	500u	    /* unit of CAP.TO and CRTO */
#define NVME_IOSQES		6u	    /* log2 of sizeof(struct nvme_sqe) */
#define NVME_IOCQES		4u	    /* log2 of sizeof(struct nvme_cqe) */
#define NVME_PAGE_SHIFT_MIN	12u	    /* CAP.MPSMIN, CAP.MPSMAX and CC.MPS count from here */
#define NVME_ADMINQ_ENTRIES_MAX 4096u	    /* AQA holds 12 bits, zero based */

/** NVME_VS() - value of the VS property (and Identify VER) of a version. */
#define NVME_VS(mjr, mnr, ter) ((uint32_t)(mjr) << 16 | (uint32_t)(mnr) << 8 | (uint32_t)(ter))

/** nvme_sq_doorbell() - BAR0 offset of SQyTDBL, @dstrd as in CAP.DSTRD. */
static inline uint32_t nvme_sq_doorbell(uint16_t qid, unsigned dstrd)
{
	return NVME_REG_DOORBELLS + 2u * qid * (4u << dstrd);
}

/** nvme_cq_doorbell() - BAR0 offset of CQyHDBL. */
static inline uint32_t nvme_cq_doorbell(uint16_t qid, unsigned dstrd)
{
	return NVME_REG_DOORBELLS + (2u * qid + 1u) * (4u << dstrd);
}

#endif
