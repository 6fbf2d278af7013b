// SPDX-License-Identifier: BSD-3-Clause
/* The liar as a bus: registers, resets, power, and the time. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/barrier.h"
#include "base/counts.h"
#include "base/err.h"
#include "bus/dma.h"
#include "dma_watch.h"
#include "liar.h"

#define NAPS_MAX   100000u /* of one input: more is a hang */
#define NAP_MIN_NS UINT64_C(20000)

static struct liar *liar_of(struct bus *bus)
{
	struct liar *liar = (struct liar *)bus;

	if (liar->closed)
		liar_fail("used after it was closed");
	return liar;
}

/* --- registers --- */

static uint64_t register_at(const struct liar *liar, uint64_t off)
{
	switch (off) {
	case NVME_REG_CAP:
		return liar->cap;
	case NVME_REG_VS:
		return liar->vs;
	case NVME_REG_CC:
		return liar->cc;
	case NVME_REG_CSTS:
		return liar->csts;
	case NVME_REG_AQA:
		return liar->aqa;
	case NVME_REG_ASQ:
		return liar->asq;
	case NVME_REG_ACQ:
		return liar->acq;
	case NVME_REG_CRTO:
		return liar->crto;
	}
	return 0;
}

static uint64_t bend(struct liar *liar, uint64_t val)
{
	uint8_t lie = liar_u8(liar);

	if (lie < LIAR_TRUTH)
		return val;
	liar->lied = true;
	switch (lie & 7) {
	case 0:
		return UINT64_MAX;
	case 1:
		return val ^ (UINT64_C(1) << liar_u8(liar) % 64);
	case 2:
		return liar_u8(liar);
	default:
		return val ^ (lie >> 3 & 3);
	}
}

static int liar_read(struct bus *bus, uint64_t off, int width, uint64_t *val)
{
	struct liar *liar = liar_of(bus);

	*val = UINT64_MAX;
	if (!liar->gone)
		*val = register_at(liar, off);
	if (liar->lies & LIAR_REGISTERS)
		*val = bend(liar, *val);
	if (width == 4)
		*val = (uint32_t)*val;
	return 0;
}

static void enable(struct liar *liar)
{
	liar_forget(liar);
	/* A script may enable it without an admin queue. */
	liar->queues[0] = (struct liar_queue){
		.has_sq = dma_watch_taken(liar->asq, DMA_PAGE_BYTES),
		.has_cq = dma_watch_taken(liar->acq, DMA_PAGE_BYTES),
		.sq_iova = liar->asq,
		.cq_iova = liar->acq,
		.sq_size = NVME_GET(liar->aqa, AQA_ASQS) + 1,
		.cq_size = NVME_GET(liar->aqa, AQA_ACQS) + 1,
		.phase = 1,
	};
	if (liar->quirks & LIAR_FATAL)
		liar->csts |= NVME_SET(1, CSTS_CFS);
	else if (!(liar->quirks & LIAR_NEVER_READY))
		liar->csts |= NVME_SET(1, CSTS_RDY);
}

static void write_cc(struct liar *liar, uint32_t cc)
{
	bool was = NVME_GET(liar->cc, CC_EN), is = NVME_GET(cc, CC_EN);

	if (NVME_GET(cc, CC_SHN) && !(liar->quirks & LIAR_NO_SHUTDOWN))
		liar->csts |= NVME_SET(NVME_CSTS_SHST_COMPLETE, CSTS_SHST);
	liar->cc = cc;
	if (!was && is)
		enable(liar);
	/* One that is not ready and yet goes on could not be told from one that stopped. */
	if (was && !is && (!(liar->quirks & LIAR_NEVER_IDLE) || !NVME_GET(liar->csts, CSTS_RDY))) {
		liar->csts = 0;
		liar_forget(liar);
	}
}

static void start_over(struct liar *liar)
{
	liar->cc = 0;
	liar->csts = 0;
	liar_forget(liar);
}

static void write_doorbell(struct liar *liar, uint64_t off, uint32_t val)
{
	uint64_t word = (off - NVME_REG_DOORBELLS) / 4 >> NVME_GET(liar->cap, CAP_DSTRD);

	if (!(word & 1) && word / 2 < LIAR_QUEUES)
		liar->tails[word / 2] = val;
}

static int liar_write(struct bus *bus, uint64_t off, int width, uint64_t val)
{
	struct liar *liar = liar_of(bus);

	if (liar->gone)
		return 0;
	if (off >= NVME_REG_DOORBELLS)
		write_doorbell(liar, off, (uint32_t)val);
	else if (off == NVME_REG_CC)
		write_cc(liar, (uint32_t)val);
	else if (off == NVME_REG_AQA)
		liar->aqa = (uint32_t)val;
	else if (off == NVME_REG_ASQ)
		liar->asq = val;
	else if (off == NVME_REG_ACQ)
		liar->acq = val;
	else if (off == NVME_REG_NSSR)
		start_over(liar);
	return 0;
}

/* --- the rest of a bus --- */

static void liar_step(struct bus *bus, uint64_t now_ns)
{
	liar_work(liar_of(bus));
}

static int liar_irq_enable(struct bus *bus, unsigned int n, const int *fds)
{
	return 0;
}

static int liar_reset(struct bus *bus, enum bus_reset kind)
{
	struct liar *liar = liar_of(bus);

	if (liar->quirks & LIAR_BAD_RESET)
		return err_set(-EIO, "%s: a reset that fails", bus->addr);
	start_over(liar);
	return 0;
}

static int liar_power(struct bus *bus, bool on)
{
	struct liar *liar = liar_of(bus);

	if (liar->quirks & LIAR_NO_POWER)
		return err_set(-EOPNOTSUPP, "%s: no slot power", bus->addr);
	start_over(liar);
	liar->gone = !on;
	return 0;
}

static int liar_health(struct bus *bus)
{
	return liar_of(bus)->quirks & LIAR_BAD_HEALTH ? -EBUSY : 0;
}

static void liar_close(struct bus *bus)
{
	liar_of(bus)->closed = true;
}

static int liar_cfg_read(struct bus *bus, unsigned int off, void *buf, unsigned int len)
{
	struct liar *liar = liar_of(bus);

	if (liar->gone)
		memset(buf, 0xff, len);
	else
		memcpy(buf, liar->config + off, len);
	return 0;
}

static int liar_cfg_write(struct bus *bus, unsigned int off, const void *buf, unsigned int len)
{
	memcpy(liar_of(bus)->config + off, buf, len);
	return 0;
}

static const struct bus_ops liar_ops = {
	.scheme = "liar",
	.close = liar_close,
	.cfg_read = liar_cfg_read,
	.cfg_write = liar_cfg_write,
	.reg_read = liar_read,
	.reg_write = liar_write,
	.irq_enable = liar_irq_enable,
	.reset = liar_reset,
	.power = liar_power,
	.health = liar_health,
	.step = liar_step,
};

/* --- time --- */

static uint64_t liar_now_ns(void *priv)
{
	return ((struct liar *)priv)->now_ns;
}

static void liar_nap(void *priv, uint64_t ns)
{
	struct liar *liar = priv;
	uint8_t lie = liar->lies & LIAR_NAPS ? liar_u8(liar) : 0;

	if (++liar->naps > NAPS_MAX)
		liar_fail("the driver waits for ever");
	liar->now_ns += (ns > NAP_MIN_NS ? ns : NAP_MIN_NS) << liar->streak;
	if (liar->streak < 20)
		liar->streak++;
	if (lie >= LIAR_TRUTH)
		liar_happen(liar, lie);
}

const struct nvme_time_ops liar_time = { .now_ns = liar_now_ns, .nap = liar_nap };

void liar_init(struct liar *liar, struct input *in)
{
	static int pid;

	if (!pid)
		pid = getpid();
	memset(liar, 0, sizeof(*liar));
	count_inc(COUNT_BUSES); /* bus_close() takes it off, as if bus_open() had made it */
	liar->in = in;
	liar->now_ns = UINT64_C(1) << 40;
	liar->bus.ops = &liar_ops;
	liar->bus.pid = pid;
	liar->bus.doorbells = liar->doorbells;
	liar->bus.doorbells_bytes = sizeof(liar->doorbells);
	strcpy(liar->bus.addr, "liar");
	list_init(&liar->bus.open_node);
	list_init(&liar->bus.dma_node);
	/* 16 entries, 500 ms to become ready, NVM command set */
	liar->cap = 15 | NVME_SET(1, CAP_CQR) | NVME_SET(1, CAP_TO) | NVME_SET(1, CAP_NSSRS) |
		    NVME_SET(NVME_CAP_CSS_NVM, CAP_CSS);
	liar->vs = NVME_VS(1, 3, 0);
	liar->id.mdts = 5;
	liar->id.aerl = 3;
	liar->id.nn = 1;
	liar->id_ns.nsze = 1 << 20;
	liar->id_ns.lbaf[0].ds = 9;
}
