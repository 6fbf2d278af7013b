/*
 * PCI configuration space, as far as an NVMe function and its root port need it:
 * PCI Local Bus 3.0 chapter 6, PCI Express Base 5.0 chapter 7, PCI PM 1.2.
 */
#ifndef SPEC_PCI_H
#define SPEC_PCI_H

#include "spec/wire.h"

#define PCI_CFG_BYTES	   256u
#define PCIE_CFG_BYTES	   4096u
#define PCI_CLASS_NVME	   0x010802u /* mass storage, NVM, NVM Express I/O */
#define PCI_CLASS_NVME_ADM 0x010803u /* administrative controller */

/** struct pci_header - type 0 header */
struct pci_header {
	uint16_t vendor_id;
	uint16_t device_id;
	uint16_t command; /* PCI_COMMAND_* */
	uint16_t status;  /* PCI_STATUS_* */
	uint8_t revision;
	uint8_t class_code[3]; /* programming interface, subclass, base class */
	uint8_t cache_line;
	uint8_t latency_timer;
	uint8_t header_type;
	uint8_t bist;
	uint32_t bar[6];
	uint32_t cardbus_cis;
	uint16_t subsystem_vendor_id;
	uint16_t subsystem_id;
	uint32_t rom;
	uint8_t cap_ptr;
	uint8_t rsvd53[7];
	uint8_t irq_line;
	uint8_t irq_pin;
	uint8_t min_gnt;
	uint8_t max_lat;
};
WIRE_SIZE(struct pci_header, 64);
WIRE_OFFSET(struct pci_header, bar, 16);
WIRE_OFFSET(struct pci_header, cap_ptr, 52);

enum pci_cfg_offset {
	PCI_CFG_VENDOR_ID = 0x00,
	PCI_CFG_DEVICE_ID = 0x02,
	PCI_CFG_COMMAND = 0x04,
	PCI_CFG_STATUS = 0x06,
	PCI_CFG_REVISION = 0x08,
	PCI_CFG_CLASS = 0x09,
	PCI_CFG_HEADER_TYPE = 0x0e,
	PCI_CFG_BAR0 = 0x10,
	PCI_CFG_BAR1 = 0x14,
	PCI_CFG_SECONDARY_BUS = 0x19, /* type 1 */
	PCI_CFG_SUBSYSTEM_VENDOR_ID = 0x2c,
	PCI_CFG_SUBSYSTEM_ID = 0x2e,
	PCI_CFG_CAP_PTR = 0x34,
	PCI_CFG_IRQ_LINE = 0x3c,
	PCI_CFG_IRQ_PIN = 0x3d,
	PCI_CFG_BRIDGE_CONTROL = 0x3e, /* type 1 */
	PCI_CFG_EXT_CAPS = 0x100,
};

#define PCI_COMMAND_IO		 0x0001u
#define PCI_COMMAND_MEMORY	 0x0002u
#define PCI_COMMAND_MASTER	 0x0004u
#define PCI_COMMAND_SERR	 0x0100u
#define PCI_COMMAND_INTX_DISABLE 0x0400u
#define PCI_STATUS_CAP_LIST	 0x0010u
#define PCI_HEADER_TYPE_MASK	 0x7fu
#define PCI_HEADER_MULTI	 0x80u
#define PCI_BAR_IO		 0x1u
#define PCI_BAR_TYPE_MASK	 0x6u
#define PCI_BAR_TYPE_64		 0x4u
#define PCI_BAR_PREFETCH	 0x8u
#define PCI_BAR_MEM_MASK	 0xfffffff0u
#define PCI_BRIDGE_BUS_RESET	 0x0040u

enum pci_cap_id {
	PCI_CAP_PM = 0x01,
	PCI_CAP_AGP = 0x02,
	PCI_CAP_VPD = 0x03,
	PCI_CAP_MSI = 0x05,
	PCI_CAP_VENDOR = 0x09,
	PCI_CAP_PCIE = 0x10,
	PCI_CAP_MSIX = 0x11,
	PCI_CAP_SATA = 0x12,
	PCI_CAP_AF = 0x13, /* Advanced Features: FLR of a conventional function */
};

/* capability header at any offset of the list */
struct pci_cap {
	uint8_t id;
	uint8_t next; /* 0 ends the list */
};
WIRE_SIZE(struct pci_cap, 2);

/** struct pci_cap_pm - PCI Power Management */
struct pci_cap_pm {
	struct pci_cap cap;
	uint16_t pmc;
	uint16_t pmcsr;
	uint8_t bse;
	uint8_t data;
};
WIRE_SIZE(struct pci_cap_pm, 8);

#define PCI_PM_PMCSR		4u /* offset in the capability */
#define PCI_PMC_VERSION_3	0x0003u
#define PCI_PMC_D1		0x0200u
#define PCI_PMC_D2		0x0400u
#define PCI_PMCSR_STATE_MASK	0x0003u
#define PCI_PMCSR_D3HOT		0x0003u
#define PCI_PMCSR_NO_SOFT_RESET 0x0008u
#define PCI_PMCSR_PME_ENABLE	0x0100u
#define PCI_PMCSR_PME_STATUS	0x8000u

/** struct pci_cap_pcie - PCI Express capability, version 2 */
struct pci_cap_pcie {
	struct pci_cap cap;
	uint16_t pxcap; /* version 3:0, device type 7:4 */
	uint32_t devcap;
	uint16_t devctl;
	uint16_t devsta;
	uint32_t lnkcap;
	uint16_t lnkctl;
	uint16_t lnksta;
	uint32_t sltcap;
	uint16_t sltctl;
	uint16_t sltsta;
	uint16_t rootctl;
	uint16_t rootcap;
	uint32_t rootsta;
	uint32_t devcap2;
	uint16_t devctl2;
	uint16_t devsta2;
	uint32_t lnkcap2;
	uint16_t lnkctl2;
	uint16_t lnksta2;
	uint32_t sltcap2;
	uint16_t sltctl2;
	uint16_t sltsta2;
};
WIRE_SIZE(struct pci_cap_pcie, 60);

/* offsets in the capability */
#define PCI_EXP_FLAGS	0x02u
#define PCI_EXP_DEVCAP	0x04u
#define PCI_EXP_DEVCTL	0x08u
#define PCI_EXP_DEVSTA	0x0au
#define PCI_EXP_LNKCAP	0x0cu
#define PCI_EXP_LNKCTL	0x10u
#define PCI_EXP_LNKSTA	0x12u
#define PCI_EXP_SLTCAP	0x14u
#define PCI_EXP_SLTCTL	0x18u
#define PCI_EXP_SLTSTA	0x1au
#define PCI_EXP_DEVCAP2 0x24u
#define PCI_EXP_DEVCTL2 0x28u
#define PCI_EXP_LNKCAP2 0x2cu
#define PCI_EXP_LNKCTL2 0x30u

#define PCI_EXP_TYPE_SHIFT	   4
#define PCI_EXP_TYPE_MASK	   0xfu
#define PCI_EXP_TYPE_ENDPOINT	   0x0u
#define PCI_EXP_TYPE_ROOT_PORT	   0x4u
#define PCI_EXP_TYPE_UPSTREAM	   0x5u
#define PCI_EXP_TYPE_DOWNSTREAM	   0x6u
#define PCI_EXP_DEVCAP_RBER	   0x00008000u
#define PCI_EXP_DEVCAP_FLR	   0x10000000u
#define PCI_EXP_DEVCTL_FLR	   0x8000u
#define PCI_EXP_DEVSTA_TRPND	   0x0020u /* transactions pending */
#define PCI_EXP_LNKCAP_SPEED_MASK  0x0000000fu
#define PCI_EXP_LNKCAP_WIDTH_SHIFT 4
#define PCI_EXP_LNKCAP_WIDTH_MASK  0x3fu
#define PCI_EXP_LNKCAP_ASPM_SHIFT  10 /* 1 L0s, 2 L1 */
#define PCI_EXP_LNKCAP_ASPM_MASK   0x3u
#define PCI_EXP_LNKCAP_DLLLARC	   0x00100000u /* data link layer link active reporting */
#define PCI_EXP_LNKCTL_ASPM_MASK   0x0003u
#define PCI_EXP_LNKCTL_DISABLE	   0x0010u
#define PCI_EXP_LNKCTL_RETRAIN	   0x0020u
#define PCI_EXP_LNKSTA_SPEED_MASK  0x000fu
#define PCI_EXP_LNKSTA_WIDTH_SHIFT 4
#define PCI_EXP_LNKSTA_WIDTH_MASK  0x3fu
#define PCI_EXP_LNKSTA_TRAINING	   0x0800u
#define PCI_EXP_LNKSTA_DLLLA	   0x2000u
#define PCI_EXP_SLTCAP_PCP	   0x00000002u /* power controller present */
#define PCI_EXP_SLTCAP_HPC	   0x00000040u /* hot-plug capable */
#define PCI_EXP_SLTCTL_POWER_OFF   0x0400u
#define PCI_EXP_SLTSTA_PRESENT	   0x0040u

/** struct pci_cap_msix - MSI-X capability */
struct pci_cap_msix {
	struct pci_cap cap;
	uint16_t control; /* PCI_MSIX_* */
	uint32_t table;	  /* offset, BAR index in 2:0 */
	uint32_t pba;
};
WIRE_SIZE(struct pci_cap_msix, 12);

#define PCI_MSIX_CONTROL   2u /* offset in the capability */
#define PCI_MSIX_TABLE	   4u
#define PCI_MSIX_PBA	   8u
#define PCI_MSIX_SIZE_MASK 0x07ffu /* vectors, zero based */
#define PCI_MSIX_MASK_ALL  0x4000u
#define PCI_MSIX_ENABLE	   0x8000u
#define PCI_MSIX_BIR_MASK  0x7u

struct pci_msix_entry {
	uint64_t addr;
	uint32_t data;
	uint32_t control;
};
WIRE_SIZE(struct pci_msix_entry, 16);

#define PCI_MSIX_ENTRY_MASKED 0x1u

/* extended capability header: id 15:0, version 19:16, next 31:20 */
#define PCI_EXT_CAP_ID(header)	 ((uint16_t)((header)&0xffffu))
#define PCI_EXT_CAP_VER(header)	 ((uint8_t)((header) >> 16 & 0xfu))
#define PCI_EXT_CAP_NEXT(header) ((uint16_t)((header) >> 20 & 0xffcu))

enum pci_ext_cap_id {
	PCI_EXT_CAP_AER = 0x0001,
	PCI_EXT_CAP_VC = 0x0002,
	PCI_EXT_CAP_SERIAL = 0x0003,
	PCI_EXT_CAP_ARI = 0x000e,
	PCI_EXT_CAP_SRIOV = 0x0010,
	PCI_EXT_CAP_LTR = 0x0018,
	PCI_EXT_CAP_SECONDARY = 0x0019,
	PCI_EXT_CAP_DPC = 0x001d,
	PCI_EXT_CAP_L1SS = 0x001e,
};

#endif
