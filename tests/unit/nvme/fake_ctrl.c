// SPDX-License-Identifier: BSD-3-Clause
#include "fake_ctrl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/barrier.h"
#include "base/counts.h"
#include "base/err.h"
#include "bus/dma.h"

static struct fake_ctrl *fake_of(struct bus *bus)
{
	return (struct fake_ctrl *)bus;
}

static void *at(uint64_t iova, size_t len)
{
	size_t avail = 0;
	void *va = dma_va(iova, len, &avail);

	if (!va || avail < len)
		abort();
	return va;
}

void fake_post(struct fake_ctrl *fake, uint16_t qid, struct nvme_cqe cqe, bool flip)
{
	struct fake_queue *q = &fake->queues[qid];
	struct nvme_cqe *ring = at(q->cq_iova, q->cq_size * sizeof(*ring));
	struct nvme_cqe *slot = &ring[q->cq_tail];
	uint32_t phase = flip ? q->phase : q->phase ^ 1u;
	uint64_t tail;

	slot->cdw0 = cqe.cdw0;
	slot->cdw1 = cqe.cdw1;
	cqe.status = (uint16_t)((cqe.status & ~1u) | phase);
	memcpy(&tail, &cqe.sqhd, sizeof(tail));
	mmio_write64(&slot->sqhd, tail);
	if (!flip)
		return;
	if (++q->cq_tail == q->cq_size) {
		q->cq_tail = 0;
		q->phase ^= 1;
	}
}

static void create_cq(struct fake_ctrl *fake, const struct nvme_sqe *sqe)
{
	struct fake_queue *q = &fake->queues[sqe->cdw10 & 0xffff];

	*q = (struct fake_queue){ .cq_iova = sqe->prp1,
				  .cq_size = (sqe->cdw10 >> 16) + 1,
				  .phase = 1 };
	fake->doorbells[2 * (sqe->cdw10 & 0xffff)] = 0;
	fake->doorbells[2 * (sqe->cdw10 & 0xffff) + 1] = 0;
}

static void create_sq(struct fake_ctrl *fake, const struct nvme_sqe *sqe)
{
	struct fake_queue *q = &fake->queues[sqe->cdw10 & 0xffff];

	q->sq_iova = sqe->prp1;
	q->sq_size = (sqe->cdw10 >> 16) + 1;
	q->live = true;
}

static void identify(struct fake_ctrl *fake, const struct nvme_sqe *sqe)
{
	void *to = at(sqe->prp1, NVME_IDENTIFY_BYTES);

	if (sqe->cdw10 == NVME_CNS_CTRL)
		memcpy(to, &fake->id, NVME_IDENTIFY_BYTES);
	else
		memcpy(to, &fake->id_ns, NVME_IDENTIFY_BYTES);
}

/* What a bring-up needs. */
static enum fake_verdict admin(struct fake_ctrl *fake, const struct nvme_sqe *sqe,
			       struct nvme_cqe *cqe)
{
	switch (sqe->opc) {
	case NVME_ADMIN_CREATE_CQ:
		create_cq(fake, sqe);
		break;
	case NVME_ADMIN_CREATE_SQ:
		create_sq(fake, sqe);
		break;
	case NVME_ADMIN_DELETE_SQ:
		fake->queues[sqe->cdw10 & 0xffff].live = false;
		break;
	case NVME_ADMIN_IDENTIFY:
		identify(fake, sqe);
		break;
	case NVME_ADMIN_SET_FEATURES:
		cqe->cdw0 = (FAKE_QUEUES - 2) << 16 | (FAKE_QUEUES - 2);
		break;
	case NVME_ADMIN_ASYNC_EVENT:
		return FAKE_HOLD;
	}
	return FAKE_COMPLETE;
}

static void hold(struct fake_ctrl *fake, uint16_t qid, const struct nvme_sqe *sqe)
{
	if (fake->nheld == FAKE_HELD)
		abort();
	fake->held_qid[fake->nheld] = qid;
	fake->held[fake->nheld++] = *sqe;
}

static void execute(struct fake_ctrl *fake, uint16_t qid, const struct nvme_sqe *sqe)
{
	struct nvme_cqe cqe = { .cid = sqe->cid,
				.sqid = qid,
				.sqhd = (uint16_t)fake->queues[qid].sq_head };
	enum fake_verdict verdict = FAKE_COMPLETE;

	fake->commands++;
	fake->last = *sqe;
	if (!qid)
		verdict = admin(fake, sqe, &cqe);
	if (fake->script && verdict == FAKE_COMPLETE)
		verdict = fake->script(fake, qid, sqe, &cqe);
	if (verdict == FAKE_HOLD)
		hold(fake, qid, sqe);
	else
		fake_post(fake, qid, cqe, verdict != FAKE_NO_PHASE);
	if (verdict == FAKE_TWICE)
		fake_post(fake, qid, cqe, true);
}

static void fetch(struct fake_ctrl *fake, uint16_t qid)
{
	struct fake_queue *q = &fake->queues[qid];
	uint32_t tail = mmio_read32(&fake->doorbells[2 * qid]);
	const struct nvme_sqe *ring;

	while (q->live && q->sq_head != tail) {
		ring = at(q->sq_iova, q->sq_size * sizeof(*ring));
		struct nvme_sqe sqe = ring[q->sq_head];

		q->sq_head = (q->sq_head + 1) % q->sq_size;
		execute(fake, qid, &sqe);
	}
}

static void fake_step(struct bus *bus, uint64_t now_ns)
{
	struct fake_ctrl *fake = fake_of(bus);

	if (pthread_mutex_trylock(&fake->lock))
		return;
	for (uint16_t qid = 0; qid < FAKE_QUEUES && !fake->gone; qid++)
		fetch(fake, qid);
	pthread_mutex_unlock(&fake->lock);
}

void fake_complete_held(struct fake_ctrl *fake, uint16_t sc11)
{
	for (unsigned int i = 0; i < fake->nheld; i++) {
		struct nvme_cqe cqe = {
			.cid = fake->held[i].cid,
			.sqid = fake->held_qid[i],
			.sqhd = (uint16_t)fake->queues[fake->held_qid[i]].sq_head,
			.status = (uint16_t)(sc11 << 1),
		};

		fake_post(fake, fake->held_qid[i], cqe, true);
	}
	fake->nheld = 0;
}

/* --- registers --- */

static int fake_read(struct bus *bus, uint64_t off, int width, uint64_t *val)
{
	struct fake_ctrl *fake = fake_of(bus);

	*val = width == 8 ? UINT64_MAX : UINT32_MAX;
	if (fake->gone)
		return 0;
	switch (off) {
	case NVME_REG_CAP:
		*val = fake->cap;
		break;
	case NVME_REG_VS:
		*val = fake->vs;
		break;
	case NVME_REG_CC:
		*val = fake->cc;
		break;
	case NVME_REG_CSTS:
		fake->csts_reads++;
		*val = fake->csts;
		break;
	case NVME_REG_ASQ:
		*val = fake->asq;
		break;
	case NVME_REG_CRTO:
		*val = fake->crto;
		break;
	default:
		*val = 0;
	}
	return 0;
}

static void enable(struct fake_ctrl *fake)
{
	fake->enables++;
	memset(fake->queues, 0, sizeof(fake->queues));
	memset(fake->doorbells, 0, sizeof(fake->doorbells));
	fake->nheld = 0;
	fake->queues[0] = (struct fake_queue){
		.live = true,
		.sq_iova = fake->asq,
		.cq_iova = fake->acq,
		.sq_size = NVME_GET(fake->aqa, AQA_ASQS) + 1,
		.cq_size = NVME_GET(fake->aqa, AQA_ACQS) + 1,
		.phase = 1,
	};
	if (fake->fatal_on_enable)
		fake->csts |= NVME_SET(1, CSTS_CFS);
	else if (!fake->never_ready)
		fake->csts |= NVME_SET(1, CSTS_RDY);
}

static void write_cc(struct fake_ctrl *fake, uint32_t cc)
{
	bool was = NVME_GET(fake->cc, CC_EN), is = NVME_GET(cc, CC_EN);

	if (NVME_GET(cc, CC_SHN) && !NVME_GET(fake->cc, CC_SHN)) {
		fake->shutdowns++;
		fake->csts |= NVME_SET(NVME_CSTS_SHST_COMPLETE, CSTS_SHST);
	}
	fake->cc = cc;
	if (!was && is)
		enable(fake);
	if (was && !is && !fake->never_idle) {
		fake->csts = 0;
		memset(fake->queues, 0, sizeof(fake->queues));
	}
}

static int fake_write(struct bus *bus, uint64_t off, int width, uint64_t val)
{
	struct fake_ctrl *fake = fake_of(bus);

	pthread_mutex_lock(&fake->lock);
	if (off >= NVME_REG_DOORBELLS) {
		fake->doorbell_writes++;
		mmio_write32(&fake->doorbells[(off - NVME_REG_DOORBELLS) / 4], (uint32_t)val);
	} else if (off == NVME_REG_CC) {
		write_cc(fake, (uint32_t)val);
	} else if (off == NVME_REG_AQA) {
		fake->aqa = (uint32_t)val;
	} else if (off == NVME_REG_ASQ) {
		fake->asq = val;
	} else if (off == NVME_REG_ACQ) {
		fake->acq = val;
	}
	pthread_mutex_unlock(&fake->lock);
	return 0;
}

/* --- the rest of a bus --- */

static int fake_irq_enable(struct bus *bus, unsigned int n, const int *fds)
{
	return 0;
}

static int fake_reset(struct bus *bus, enum bus_reset kind)
{
	struct fake_ctrl *fake = fake_of(bus);

	fake->resets++;
	fake->cc = fake->cc_after_reset;
	fake->csts = fake->csts_after_reset;
	memset(fake->queues, 0, sizeof(fake->queues));
	return 0;
}

static void fake_close(struct bus *bus)
{
	fake_of(bus)->closes++;
}

static int fake_cfg_read(struct bus *bus, unsigned int off, void *buf, unsigned int len)
{
	memcpy(buf, ((struct fake_ctrl *)bus)->config + off, len);
	return 0;
}

static int fake_cfg_write(struct bus *bus, unsigned int off, const void *buf, unsigned int len)
{
	memcpy(((struct fake_ctrl *)bus)->config + off, buf, len);
	return 0;
}

static int fake_power(struct bus *bus, bool on)
{
	return err_set(-EOPNOTSUPP, "%s: no slot power", bus->addr);
}

static const struct bus_ops fake_ops = {
	.scheme = "fake",
	.close = fake_close,
	.cfg_read = fake_cfg_read,
	.cfg_write = fake_cfg_write,
	.power = fake_power,
	.reg_read = fake_read,
	.reg_write = fake_write,
	.irq_enable = fake_irq_enable,
	.reset = fake_reset,
	.step = fake_step,
};

struct fake_ctrl *fake_create(void)
{
	struct fake_ctrl *fake = calloc(1, sizeof(*fake));

	pthread_mutex_init(&fake->lock, NULL);
	count_inc(COUNT_BUSES); /* bus_close() takes it off, as if bus_open() had made it */
	fake->bus.ops = &fake_ops;
	fake->bus.pid = getpid();
	fake->bus.irq_max = 4;
	fake->bus.doorbells = fake->doorbells;
	fake->bus.doorbells_bytes = sizeof(fake->doorbells);
	strcpy(fake->bus.addr, "fake");
	list_init(&fake->bus.open_node);
	list_init(&fake->bus.dma_node);
	/* 1,024 entries, 500 ms to become ready, NVM command set */
	fake->cap = 1023 | NVME_SET(1, CAP_CQR) | NVME_SET(1, CAP_TO) |
		    NVME_SET(NVME_CAP_CSS_NVM, CAP_CSS);
	fake->vs = NVME_VS(1, 3, 0);
	fake->id.mdts = 5;
	fake->id.aerl = 3;
	fake->id.nn = 1;
	fake->id_ns.nsze = 1 << 20;
	fake->id_ns.lbaf[0].ds = 9;
	return fake;
}

void fake_destroy(struct fake_ctrl *fake)
{
	pthread_mutex_destroy(&fake->lock);
	free(fake);
}
