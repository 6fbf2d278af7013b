/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pci.h - the function's configuration space.
 */
#ifndef PYNVME_SSD_PCI_H
#define PYNVME_SSD_PCI_H

#include <stdbool.h>
#include <stdint.h>

struct ssd_ctrl;

#define SSD_CFG_BYTES 4096

/* Where the capabilities are. */
#define SSD_CFG_PM   0x40
#define SSD_CFG_PCIE 0x60
#define SSD_CFG_MSIX 0xb0

/**
 * struct ssd_pci - configuration space
 * @cfg: what a read returns
 * @wmask: bits a write changes
 * @w1c: bits a write of one clears
 */
struct ssd_pci {
	uint8_t cfg[SSD_CFG_BYTES];
	uint8_t wmask[SSD_CFG_BYTES];
	uint8_t w1c[SSD_CFG_BYTES];
};

/* Values after a conventional reset, with BAR0 placed, memory and bus mastering on. */
void ssd_pci_init(struct ssd_ctrl *ctrl);

/* Does the function answer in memory space; may it write to host memory? */
bool ssd_pci_decodes(const struct ssd_ctrl *ctrl);
bool ssd_pci_masters(const struct ssd_ctrl *ctrl);
bool ssd_pci_msix_enabled(const struct ssd_ctrl *ctrl);
bool ssd_pci_msix_masked(const struct ssd_ctrl *ctrl);
bool ssd_pci_intx_enabled(const struct ssd_ctrl *ctrl);

#endif
