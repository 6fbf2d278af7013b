/* SPDX-License-Identifier: BSD-3-Clause */
#include "ssd/queue/irq.h"

#include <string.h>

#include "ssd/device.h"

#define COALESCE_UNIT_NS 100000ull
#define ENTRY_MASKED	 1u

void ssd_irq_init(struct ssd_ctrl *ctrl)
{
	ctrl->irqs.nvectors = (unsigned int)ctrl->ssd->opts.ioqueues + 1;
	ssd_irq_reset(ctrl);
}

void ssd_irq_reset(struct ssd_ctrl *ctrl)
{
	struct ssd_irqs *q = &ctrl->irqs;

	ssd_event_clear(&ctrl->ssd->events, &q->coalesce);
	q->pba = 0;
	q->held = 0;
	q->uncoalesced = 0;
	memset(q->table, 0, sizeof(q->table));
	for (unsigned int v = 0; v < SSD_QUEUES_MAX; v++)
		q->table[v][3] = ENTRY_MASKED;
}

static bool masked(const struct ssd_ctrl *ctrl, unsigned int vector)
{
	if (!ssd_pci_masters(ctrl))
		return true;
	if (ssd_pci_msix_enabled(ctrl))
		return ssd_pci_msix_masked(ctrl) || ctrl->irqs.table[vector][3] & ENTRY_MASKED;
	return !ssd_pci_intx_enabled(ctrl) || ctrl->regs.intms & 1;
}

static void raise_vector(struct ssd_ctrl *ctrl, unsigned int vector)
{
	/* without MSI-X there is INTA# only; INTMS bit 0 masks it */
	if (!ssd_pci_msix_enabled(ctrl))
		vector = 0;
	if (masked(ctrl, vector)) {
		ctrl->irqs.pba |= 1ull << vector;
		return;
	}
	ctrl->irqs.pba &= ~(1ull << vector);
	ctrl->ssd->stats.irqs++;
	ctrl->ops->irq(ctrl->host, vector);
}

static void release_held(struct ssd *ssd, struct ssd_event *ev)
{
	struct ssd_ctrl *ctrl = SSD_CTRL_OF(ev, irqs.coalesce);
	uint64_t held = ctrl->irqs.held;

	ctrl->irqs.held = 0;
	for (; held; held &= held - 1)
		raise_vector(ctrl, (unsigned int)__builtin_ctzll(held));
}

/* Feature 08h: hold until THR + 1 entries are there, TIME x 100 us at most. */
static bool hold(struct ssd_ctrl *ctrl, unsigned int vector, uint32_t entries)
{
	struct ssd_irqs *q = &ctrl->irqs;
	uint32_t ic = ctrl->feat.current[NVME_FEAT_INTERRUPT_COALESCING];
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
		ssd_event_set(&ctrl->ssd->events, &q->coalesce,
			      ctrl->ssd->now_ns + time * COALESCE_UNIT_NS);
	return true;
}

void ssd_irq_cq(struct ssd_ctrl *ctrl, struct ssd_cq *cq, uint32_t entries)
{
	/* the admin queue is never coalesced */
	if (cq->id && hold(ctrl, cq->vector, entries))
		return;
	raise_vector(ctrl, cq->vector);
}

void ssd_irq_unmasked(struct ssd_ctrl *ctrl)
{
	for (uint64_t left = ctrl->irqs.pba; left; left &= left - 1) {
		unsigned int v = (unsigned int)__builtin_ctzll(left);

		if (!masked(ctrl, v))
			raise_vector(ctrl, v);
	}
}

uint32_t ssd_msix_read(const struct ssd_ctrl *ctrl, uint64_t off)
{
	const struct ssd_irqs *q = &ctrl->irqs;

	if (off >= SSD_BAR0_PBA) {
		off -= SSD_BAR0_PBA;
		return off < 8 ? (uint32_t)(q->pba >> off * 8) : 0;
	}
	off -= SSD_BAR0_MSIX;
	return off / 16 < q->nvectors ? q->table[off / 16][off / 4 % 4] : 0;
}

void ssd_msix_write(struct ssd_ctrl *ctrl, uint64_t off, uint32_t val)
{
	struct ssd_irqs *q = &ctrl->irqs;

	/* the PBA is read only */
	off -= SSD_BAR0_MSIX;
	if (off / 16 >= q->nvectors)
		return;
	if (off / 4 % 4 == 3)
		val &= ENTRY_MASKED;
	q->table[off / 16][off / 4 % 4] = val;
	ssd_irq_unmasked(ctrl);
}
