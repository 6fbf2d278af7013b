/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Configuration space: PCIe 6.0 chapter 7, class code 01h 08h 02h.
 */
#include <string.h>

#include "ssd/device.h"

enum cfg {
	CFG_VENDOR = 0x00,
	CFG_DEVICE = 0x02,
	CFG_COMMAND = 0x04,
	CFG_STATUS = 0x06,
	CFG_REVISION = 0x08,
	CFG_CACHE_LINE = 0x0c,
	CFG_BAR0 = 0x10,
	CFG_SUBVENDOR = 0x2c,
	CFG_SUBDEVICE = 0x2e,
	CFG_CAP_PTR = 0x34,
	CFG_INT_LINE = 0x3c,
	CFG_PMC = SSD_CFG_PM + 2,
	CFG_PMCSR = SSD_CFG_PM + 4,
	CFG_PCIE_CAPS = SSD_CFG_PCIE + 0x02,
	CFG_DEVCAP = SSD_CFG_PCIE + 0x04,
	CFG_DEVCTL = SSD_CFG_PCIE + 0x08,
	CFG_DEVSTA = SSD_CFG_PCIE + 0x0a,
	CFG_LNKCAP = SSD_CFG_PCIE + 0x0c,
	CFG_LNKCTL = SSD_CFG_PCIE + 0x10,
	CFG_LNKSTA = SSD_CFG_PCIE + 0x12,
	CFG_DEVCAP2 = SSD_CFG_PCIE + 0x24,
	CFG_DEVCTL2 = SSD_CFG_PCIE + 0x28,
	CFG_LNKCAP2 = SSD_CFG_PCIE + 0x2c,
	CFG_LNKCTL2 = SSD_CFG_PCIE + 0x30,
	CFG_MSIX_CTL = SSD_CFG_MSIX + 2,
	CFG_MSIX_TABLE = SSD_CFG_MSIX + 4,
	CFG_MSIX_PBA = SSD_CFG_MSIX + 8,
};

#define COMMAND_MEMORY	   0x0002u
#define COMMAND_MASTER	   0x0004u
#define COMMAND_INTX_OFF   0x0400u
#define COMMAND_WRITABLE   0x0547u /* and parity, SERR# */
#define DEVCTL_FLR	   0x8000u
#define DEVCAP_FLR	   0x10000000u
#define PMCSR_STATE	   0x0003u
#define PMCSR_NO_RESET	   0x0008u
#define D3HOT		   3u
#define MSIX_ENABLE	   0x8000u
#define MSIX_MASK	   0x4000u
#define BAR_64BIT	   0x4u
#define FIRMWARE_BAR0	   0xfe000000u /* where firmware would have put it */
#define LINK_GEN3_X4	   0x0043u
#define LNKCAP_ASPM_L0S_L1 0x0c00u

static uint32_t get(const struct ssd_ctrl *ctrl, unsigned int off, unsigned int len)
{
	uint32_t v = 0;

	memcpy(&v, ctrl->pci.cfg + off, len);
	return v;
}

static void put(uint8_t *space, unsigned int off, uint32_t v, unsigned int len)
{
	memcpy(space + off, &v, len);
}

static bool has_power(const struct ssd_ctrl *ctrl)
{
	return ctrl->ssd->powered && !ctrl->ssd->removed;
}

bool ssd_pci_decodes(const struct ssd_ctrl *ctrl)
{
	if (ctrl->fabrics)
		return has_power(ctrl);
	return has_power(ctrl) && get(ctrl, CFG_COMMAND, 2) & COMMAND_MEMORY &&
	       (get(ctrl, CFG_PMCSR, 2) & PMCSR_STATE) != D3HOT;
}

bool ssd_pci_masters(const struct ssd_ctrl *ctrl)
{
	return has_power(ctrl) && get(ctrl, CFG_COMMAND, 2) & COMMAND_MASTER &&
	       (get(ctrl, CFG_PMCSR, 2) & PMCSR_STATE) != D3HOT;
}

bool ssd_pci_msix_enabled(const struct ssd_ctrl *ctrl)
{
	return get(ctrl, CFG_MSIX_CTL, 2) & MSIX_ENABLE;
}

bool ssd_pci_msix_masked(const struct ssd_ctrl *ctrl)
{
	return get(ctrl, CFG_MSIX_CTL, 2) & MSIX_MASK;
}

bool ssd_pci_intx_enabled(const struct ssd_ctrl *ctrl)
{
	return !(get(ctrl, CFG_COMMAND, 2) & COMMAND_INTX_OFF);
}

static void init_header(struct ssd_pci *p, const struct ssd_options *opts)
{
	put(p->cfg, CFG_VENDOR, (uint32_t)opts->vid, 2);
	put(p->cfg, CFG_DEVICE, 0x5a01, 2);
	put(p->cfg, CFG_COMMAND, COMMAND_MEMORY | COMMAND_MASTER, 2);
	put(p->wmask, CFG_COMMAND, COMMAND_WRITABLE, 2);
	put(p->cfg, CFG_STATUS, 0x0010, 2); /* capabilities list */
	put(p->w1c, CFG_STATUS, 0xf900, 2);
	put(p->cfg, CFG_REVISION, 0x01080201, 4);
	put(p->wmask, CFG_CACHE_LINE, 0xff, 1);
	put(p->cfg, CFG_BAR0, FIRMWARE_BAR0 | BAR_64BIT, 4);
	put(p->wmask, CFG_BAR0, ~(SSD_BAR0_BYTES - 1), 4);
	put(p->wmask, CFG_BAR0 + 4, 0xffffffff, 4);
	put(p->cfg, CFG_SUBVENDOR, (uint32_t)opts->vid, 2);
	put(p->cfg, CFG_SUBDEVICE, 0x1101, 2);
	put(p->cfg, CFG_CAP_PTR, SSD_CFG_PM, 1);
	put(p->cfg, CFG_INT_LINE, 0x0100, 2); /* pin INTA# */
	put(p->wmask, CFG_INT_LINE, 0xff, 1);
}

static void init_pcie(struct ssd_pci *p)
{
	put(p->cfg, SSD_CFG_PCIE, 0x10 | SSD_CFG_MSIX << 8, 2);
	put(p->cfg, CFG_PCIE_CAPS, 0x0002, 2); /* version 2, endpoint */
	/* payload 256, role-based error reporting */
	put(p->cfg, CFG_DEVCAP, 0x00008001 | DEVCAP_FLR, 4);
	put(p->cfg, CFG_DEVCTL, 0x2810, 2); /* relaxed ordering, no snoop, reads of 512 */
	put(p->wmask, CFG_DEVCTL, 0x7fff, 2);
	put(p->w1c, CFG_DEVSTA, 0x000f, 2);
	put(p->cfg, CFG_LNKCAP, LINK_GEN3_X4 | LNKCAP_ASPM_L0S_L1, 4);
	put(p->wmask, CFG_LNKCTL, 0x03cb, 2); /* ASPM, RCB, common clock, sync, clock PM */
	put(p->cfg, CFG_LNKSTA, LINK_GEN3_X4, 2);
	put(p->cfg, CFG_DEVCAP2, 0x0000001f, 4); /* completion timeout ranges and disable */
	put(p->wmask, CFG_DEVCTL2, 0x041f, 2);
	put(p->cfg, CFG_LNKCAP2, 0x0000000e, 4); /* 2.5, 5, 8 GT/s */
	put(p->cfg, CFG_LNKCTL2, 0x0003, 2);
	put(p->wmask, CFG_LNKCTL2, 0x000f, 2);
}

void ssd_pci_init(struct ssd_ctrl *ctrl)
{
	struct ssd_pci *p = &ctrl->pci;

	memset(p, 0, sizeof(*p));
	init_header(p, &ctrl->ssd->opts);
	put(p->cfg, SSD_CFG_PM, 0x01 | SSD_CFG_PCIE << 8, 2);
	put(p->cfg, CFG_PMC, 0x0003, 2); /* version 3; D0 and D3 only */
	put(p->cfg, CFG_PMCSR, PMCSR_NO_RESET, 2);
	put(p->wmask, CFG_PMCSR, PMCSR_STATE, 2);
	init_pcie(p);
	put(p->cfg, SSD_CFG_MSIX, 0x11, 2);
	put(p->cfg, CFG_MSIX_CTL, ctrl->irqs.nvectors - 1, 2);
	put(p->wmask, CFG_MSIX_CTL, MSIX_ENABLE | MSIX_MASK, 2);
	put(p->cfg, CFG_MSIX_TABLE, SSD_BAR0_MSIX, 4);
	put(p->cfg, CFG_MSIX_PBA, SSD_BAR0_PBA, 4);
}

void ssd_cfg_read(struct ssd_ctrl *ctrl, unsigned int off, void *buf, unsigned int len)
{
	memset(buf, 0xff, len);
	if (!has_power(ctrl) || off >= SSD_CFG_BYTES)
		return;
	if (len > SSD_CFG_BYTES - off)
		len = SSD_CFG_BYTES - off;
	memcpy(buf, ctrl->pci.cfg + off, len);
}

/* Doorbells written while nothing decoded went nowhere: put back what was seen. */
static void restore_doorbells(struct ssd_ctrl *ctrl)
{
	for (unsigned int q = 0; q < SSD_QUEUES_MAX; q++) {
		if (ctrl->sq[q].live)
			*ctrl->sq[q].db = ctrl->sq[q].tail;
		if (ctrl->cq[q].live)
			*ctrl->cq[q].db = ctrl->cq[q].head;
	}
}

static void write_bytes(struct ssd_pci *p, unsigned int off, const uint8_t *buf, unsigned int len)
{
	for (unsigned int i = off; i < off + len; i++, buf++) {
		uint8_t keep = p->cfg[i] & ~p->wmask[i] & ~(*buf & p->w1c[i]);

		p->cfg[i] = keep | (*buf & p->wmask[i]);
	}
}

void ssd_cfg_write(struct ssd_ctrl *ctrl, unsigned int off, const void *buf, unsigned int len,
		   uint64_t now_ns)
{
	struct ssd_pci *p = &ctrl->pci;
	uint32_t pmcsr = get(ctrl, CFG_PMCSR, 2);
	bool decoded = ssd_pci_decodes(ctrl);
	const uint8_t *bytes = buf;

	ctrl->ssd->now_ns = now_ns;
	if (!has_power(ctrl) || off >= SSD_CFG_BYTES)
		return;
	if (len > SSD_CFG_BYTES - off)
		len = SSD_CFG_BYTES - off;
	write_bytes(p, off, bytes, len);
	/* D1 and D2 are not supported: such a write is dropped */
	if ((get(ctrl, CFG_PMCSR, 2) & PMCSR_STATE) - 1 < D3HOT - 1)
		put(p->cfg, CFG_PMCSR, pmcsr, 2);
	if (off <= CFG_DEVCTL + 1 && off + len > CFG_DEVCTL + 1 &&
	    bytes[CFG_DEVCTL + 1 - off] & DEVCTL_FLR >> 8) {
		ssd_flr(ctrl, now_ns);
		return;
	}
	if (!decoded && ssd_pci_decodes(ctrl))
		restore_doorbells(ctrl);
	ssd_update_running(ctrl);
	ssd_irq_unmasked(ctrl);
}
