/* SPDX-License-Identifier: BSD-3-Clause */
#include "ssd/queue/irq.h"

#include <string.h>

#include "ssd/device.h"

#define COALESCE_UNIT_NS 100000ull
#define ENTRY_MASKED	 1u

void ssd_irq_init(struct ssd *ssd)
{
	ssd->irqs.nvectors = (unsigned int)ssd->opts.ioqueues + 1;
	ssd_irq_reset(ssd);
}

void ssd_irq_reset(struct ssd *ssd)
{
	struct ssd_irqs *q = &ssd->irqs;

	ssd_event_clear(&ssd->events, &q->coalesce);
	q->pba = 0;
	q->held = 0;
	q->uncoalesced = 0;
	memset(q->table, 0, sizeof(q->table));
	for (unsigned int v = 0; v < SSD_QUEUES_MAX; v++)
		q->table[v][3] = ENTRY_MASKED;
}

static bool masked(const struct ssd *ssd, unsigned int vector)
{
	if (!ssd_pci_masters(ssd))
		return true;
	if (ssd_pci_msix_enabled(ssd))
		return ssd_pci_msix_masked(ssd) || ssd->irqs.table[vector][3] & ENTRY_MASKED;
	return !ssd_pci_intx_enabled(ssd) || ssd->regs.intms & 1;
}

static void raise_vector(struct ssd *ssd, unsigned int vector)
{
	/* without MSI-X there is INTA# only; INTMS bit 0 masks it */
	if (!ssd_pci_msix_enabled(ssd))
		vector = 0;
	if (masked(ssd, vector)) {
		ssd->irqs.pba |= 1ull << vector;
		return;
	}
	ssd->irqs.pba &= ~(1ull << vector);
	ssd->stats.irqs++;
	ssd->ops->irq(ssd->host, vector);
}

static void release_held(struct ssd *ssd, struct ssd_event *ev)
{
	uint64_t held = ssd->irqs.held;

	ssd->irqs.held = 0;
	for (; held; held &= held - 1)
		raise_vector(ssd, (unsigned int)__builtin_ctzll(held));
}

/* Feature 08h: hold until THR + 1 entries are there, TIME x 100 us at most. */
static bool hold(struct ssd *ssd, unsigned int vector, uint32_t entries)
{
	struct ssd_irqs *q = &ssd->irqs;
	uint32_t ic = ssd->feat.current[NVME_FEAT_INTERRUPT_COALESCING];
	uint32_t thr = NVME_GET(ic, IC_THR), time = NVME_GET(ic, IC_TIME);
	uint64_t bit = 1ull << vector;

	if (!thr || !time || q->uncoalesced & bit)
		return false;
	if (!(q->held & bit))
		q->held_n[vector] = 0;
	q->held_n[vector] += entries;
	if (q->held_n[vector] > thr) {
		q->held &= ~bit;
		return false;
	}
	q->held |= bit;
	q->coalesce.fire = release_held;
	if (!ssd_event_waiting(&q->coalesce))
		ssd_event_set(&ssd->events, &q->coalesce, ssd->now_ns + time * COALESCE_UNIT_NS);
	return true;
}

void ssd_irq_cq(struct ssd *ssd, struct ssd_cq *cq, uint32_t entries)
{
	/* the admin queue is never coalesced */
	if (cq->id && hold(ssd, cq->vector, entries))
		return;
	raise_vector(ssd, cq->vector);
}

void ssd_irq_unmasked(struct ssd *ssd)
{
	for (uint64_t left = ssd->irqs.pba; left; left &= left - 1) {
		unsigned int v = (unsigned int)__builtin_ctzll(left);

		if (!masked(ssd, v))
			raise_vector(ssd, v);
	}
}

uint32_t ssd_msix_read(const struct ssd *ssd, uint64_t off)
{
	const struct ssd_irqs *q = &ssd->irqs;

	if (off >= SSD_BAR0_PBA) {
		off -= SSD_BAR0_PBA;
		return off < 8 ? (uint32_t)(q->pba >> off * 8) : 0;
	}
	off -= SSD_BAR0_MSIX;
	return off / 16 < q->nvectors ? q->table[off / 16][off / 4 % 4] : 0;
}

void ssd_msix_write(struct ssd *ssd, uint64_t off, uint32_t val)
{
	struct ssd_irqs *q = &ssd->irqs;

	/* the PBA is read only */
	off -= SSD_BAR0_MSIX;
	if (off / 16 >= q->nvectors)
		return;
	if (off / 4 % 4 == 3)
		val &= ENTRY_MASKED;
	q->table[off / 16][off / 4 % 4] = val;
	ssd_irq_unmasked(ssd);
}
