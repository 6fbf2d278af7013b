/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * irq.h - MSI-X table and pending bits, INTx, masks, coalescing.
 *
 * PCIe 6.0 section 7.7.2 (MSI-X), NVMe over PCIe 1.1 section 3.5, features 08h and 09h.
 */
#ifndef PYNVME_SSD_QUEUE_IRQ_H
#define PYNVME_SSD_QUEUE_IRQ_H

#include <stdbool.h>
#include <stdint.h>

#include "ssd/event.h"
#include "ssd/queue/queue.h"

struct ssd_ctrl;

/**
 * struct ssd_irqs
 * @table: MSI-X table entries, 16 bytes each, as the host wrote them
 * @pba: pending bits
 * @held: bit per vector: entries posted, interrupt held back by coalescing
 */
struct ssd_irqs {
	uint32_t table[SSD_QUEUES_MAX][4];
	uint64_t pba;
	uint64_t held;
	uint64_t uncoalesced; /* bit per vector: feature 09h CD */
	uint32_t held_n[SSD_QUEUES_MAX];
	struct ssd_event coalesce;
	unsigned int nvectors;
};

void ssd_irq_init(struct ssd_ctrl *ctrl);
void ssd_irq_reset(struct ssd_ctrl *ctrl);

/* A completion queue got new entries: raise, hold or mark pending its interrupt. */
void ssd_irq_cq(struct ssd_ctrl *ctrl, struct ssd_cq *cq, uint32_t entries);
/* Something that masks changed (MSI-X control, table, INTMS): fire what is pending. */
void ssd_irq_unmasked(struct ssd_ctrl *ctrl);

/* BAR0 accesses of table and PBA, 4 bytes. */
uint32_t ssd_msix_read(const struct ssd_ctrl *ctrl, uint64_t off);
void ssd_msix_write(struct ssd_ctrl *ctrl, uint64_t off, uint32_t val);

#endif
