/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Controller registers: Base 2.1 sections 3.1.4 and 3.5, 3.6.
 *
 *   CC.EN 0 -> 1   bad AQA, MPS, AMS or CSS: CSTS.CFS; else RDY after enable_s
 *   CC.EN 1 -> 0   Controller Reset: queues and commands gone, RDY and CFS cleared
 *   CC.SHN         SHST 01b at once, 10b after shutdown_s; no command is fetched meanwhile
 *                  or afterwards, until a reset
 *   NSSR = "NVMe"  NVM Subsystem Reset, CSTS.NSSRO
 */
#include <string.h>

#include "ssd/device.h"
#include "ssd/step.h"

#define NS_PER_500MS 500000000ull
#define CC_WRITABLE  0x00fffff1u /* EN and 23:4; CRIME is not supported */

static uint64_t make_cap(const struct ssd_ctrl *ctrl)
{
	const struct ssd *ssd = ctrl->ssd;
	uint32_t ams = ctrl->fabrics ? 0 : NVME_CAP_AMS_WRRUP;
	uint32_t css = NVME_CAP_CSS_NVM;

	if (ssd->opts.version >= NVME_VS(2, 0, 0))
		css |= NVME_CAP_CSS_IOCS;
	return NVME_SET(ssd->opts.mqes - 1, CAP_MQES) | NVME_SET(1, CAP_CQR) |
	       NVME_SET(ams, CAP_AMS) |
	       NVME_SET((ssd->opts.to_ns + NS_PER_500MS - 1) / NS_PER_500MS, CAP_TO) |
	       NVME_SET(1, CAP_NSSRS) | NVME_SET(css, CAP_CSS) | NVME_SET(0, CAP_MPSMIN) |
	       NVME_SET(SSD_MPSMAX, CAP_MPSMAX) |
	       NVME_SET(ssd->opts.version >= NVME_VS(2, 0, 0), CAP_CRWMS);
}

static void set_csts(struct ssd_ctrl *ctrl, uint32_t clear, uint64_t set)
{
	ctrl->regs.csts = (ctrl->regs.csts & ~clear) | (uint32_t)set;
	ssd_update_running(ctrl);
}

void ssd_fatal(struct ssd_ctrl *ctrl)
{
	set_csts(ctrl, 0, NVME_FIELD_MASK(CSTS_CFS));
}

static void ready(struct ssd *ssd, struct ssd_event *ev)
{
	struct ssd_ctrl *ctrl = SSD_CTRL_OF(ev, regs.enable);
	struct ssd_regs *r = &ctrl->regs;

	ctrl->page_bytes = 4096u << NVME_GET(r->cc, CC_MPS);
	if (!ctrl->fabrics) {
		ssd_cq_create(ctrl, 0, NVME_GET(r->aqa, AQA_ACQS) + 1, r->acq, true, 0);
		ssd_sq_create(ctrl, 0, NVME_GET(r->aqa, AQA_ASQS) + 1, r->asq, 0,
			      NVME_QPRIO_URGENT);
	}
	set_csts(ctrl, 0, NVME_FIELD_MASK(CSTS_RDY));
}

/* Over fabrics there is no admin queue in memory. */
static bool cc_acceptable(const struct ssd_ctrl *ctrl)
{
	const struct ssd_regs *r = &ctrl->regs;
	uint32_t css = NVME_GET(r->cc, CC_CSS), ams = NVME_GET(r->cc, CC_AMS);
	uint32_t mps = NVME_GET(r->cc, CC_MPS);
	uint64_t offset = (4096ull << mps) - 1;

	if (css != NVME_CC_CSS_NVM &&
	    !(css == NVME_CC_CSS_ALL && NVME_GET(r->cap, CAP_CSS) & NVME_CAP_CSS_IOCS))
		return false;
	if (ams != NVME_CC_AMS_RR && (ams != NVME_CC_AMS_WRRUP || ctrl->fabrics))
		return false;
	if (mps < NVME_GET(r->cap, CAP_MPSMIN) || mps > NVME_GET(r->cap, CAP_MPSMAX))
		return false;
	if (ctrl->fabrics)
		return true;
	if (!NVME_GET(r->aqa, AQA_ASQS) || !NVME_GET(r->aqa, AQA_ACQS))
		return false;
	return !(r->asq & offset) && !(r->acq & offset);
}

static void start(struct ssd_ctrl *ctrl)
{
	struct ssd_regs *r = &ctrl->regs;
	struct ssd *ssd = ctrl->ssd;

	/* A shutdown still under way is over, or it would stop the queues later. */
	ssd_event_clear(&ssd->events, &r->shutdown);
	set_csts(ctrl, NVME_FIELD_MASK(CSTS_SHST), 0);
	if (!cc_acceptable(ctrl)) {
		ssd_fatal(ctrl);
		return;
	}
	ssd_store_save(ssd, false);
	/* what is written from here on is lost with the power */
	ssd->clean_shutdown = false;
	r->enable.fire = ready;
	if (ssd->opts.enable_ns)
		ssd_event_set(&ssd->events, &r->enable, ssd->now_ns + ssd->opts.enable_ns);
	else
		ready(ssd, &r->enable);
}

static void shutdown_done(struct ssd *ssd, struct ssd_event *ev)
{
	struct ssd_ctrl *ctrl = SSD_CTRL_OF(ev, regs.shutdown);

	ssd_cache_flush(ssd);
	ssd->clean_shutdown = !ssd_ctrl_others(ctrl);
	ssd_store_save(ssd, ssd->clean_shutdown);
	set_csts(ctrl, NVME_FIELD_MASK(CSTS_SHST), NVME_SET(NVME_CSTS_SHST_COMPLETE, CSTS_SHST));
}

static void start_shutdown(struct ssd_ctrl *ctrl)
{
	struct ssd_regs *r = &ctrl->regs;
	struct ssd *ssd = ctrl->ssd;

	set_csts(ctrl, NVME_FIELD_MASK(CSTS_SHST), NVME_SET(NVME_CSTS_SHST_OCCUR, CSTS_SHST));
	r->shutdown.fire = shutdown_done;
	if (ssd->opts.shutdown_ns)
		ssd_event_set(&ssd->events, &r->shutdown, ssd->now_ns + ssd->opts.shutdown_ns);
	else
		shutdown_done(ssd, &r->shutdown);
}

static void write_cc(struct ssd_ctrl *ctrl, uint32_t val)
{
	/* AMS, MPS and CSS may be changed only while disabled */
	const uint32_t fixed = (uint32_t)(NVME_FIELD_MASK(CC_AMS) | NVME_FIELD_MASK(CC_MPS) |
					  NVME_FIELD_MASK(CC_CSS));
	struct ssd_regs *r = &ctrl->regs;
	uint32_t old = r->cc;

	val &= CC_WRITABLE;
	if (NVME_GET(old, CC_EN) && NVME_GET(val, CC_EN))
		val = (val & ~fixed) | (old & fixed);
	r->cc = val;
	if (!NVME_GET(val, CC_SHN) != !NVME_GET(old, CC_SHN) && NVME_GET(val, CC_SHN))
		start_shutdown(ctrl);
	if (NVME_GET(old, CC_EN) && !NVME_GET(val, CC_EN))
		ssd_reset(ctrl, SSD_RESET_CONTROLLER);
	else if (!NVME_GET(old, CC_EN) && NVME_GET(val, CC_EN))
		start(ctrl);
}

static void write_doorbell(struct ssd_ctrl *ctrl, uint64_t off, uint32_t val)
{
	uint32_t index = (uint32_t)(off - NVME_REG_DOORBELLS) / 4, id = index / 2;
	bool head = index & 1;
	bool live = id < SSD_QUEUES_MAX && (head ? ctrl->cq[id].live : ctrl->sq[id].live);

	/* Base 2.1 section 3.1.2.1: before RDY the result is undefined: nothing */
	if (!NVME_GET(ctrl->regs.csts, CSTS_RDY))
		return;
	if (!live) {
		ssd_error_log_queue(ctrl, id <= UINT16_MAX ? (uint16_t)id : UINT16_MAX);
		ssd_aer_raise(ctrl, NVME_AER_TYPE_ERROR, NVME_AER_ERROR_INVALID_DOORBELL_REG,
			      NVME_LOG_ERROR);
		return;
	}
	if (!head) {
		ssd_sq_doorbell(ctrl, &ctrl->sq[id], val);
		*ctrl->sq[id].db = ctrl->sq[id].tail;
		return;
	}
	ssd_cq_doorbell(ctrl, &ctrl->cq[id], val);
	*ctrl->cq[id].db = ctrl->cq[id].head;
}

static void write_low(struct ssd_ctrl *ctrl, uint64_t off, uint32_t val)
{
	struct ssd_regs *r = &ctrl->regs;

	switch (off) {
	case NVME_REG_INTMS:
		r->intms |= val;
		break;
	case NVME_REG_INTMC:
		r->intms &= ~val;
		ssd_irq_unmasked(ctrl);
		break;
	case NVME_REG_CC:
		write_cc(ctrl, val);
		break;
	case NVME_REG_CSTS:
		r->csts &= ~(val & (uint32_t)NVME_FIELD_MASK(CSTS_NSSRO));
		break;
	case NVME_REG_NSSR:
		if (val == NVME_NSSR_NSSRC)
			ssd_reset_all(ctrl->ssd, SSD_RESET_SUBSYSTEM);
		break;
	case NVME_REG_AQA:
		r->aqa = val & 0x0fff0fffu;
		break;
	case NVME_REG_ASQ:
		r->asq = (r->asq & ~0xffffffffull) | (val & ~0xfffu);
		break;
	case NVME_REG_ASQ + 4:
		r->asq = (r->asq & 0xffffffffull) | (uint64_t)val << 32;
		break;
	case NVME_REG_ACQ:
		r->acq = (r->acq & ~0xffffffffull) | (val & ~0xfffu);
		break;
	case NVME_REG_ACQ + 4:
		r->acq = (r->acq & 0xffffffffull) | (uint64_t)val << 32;
		break;
	default: /* read only or reserved */
		break;
	}
}

static uint32_t read_low(const struct ssd_ctrl *ctrl, uint64_t off)
{
	const struct ssd_regs *r = &ctrl->regs;

	switch (off) {
	case NVME_REG_CAP:
		return (uint32_t)r->cap;
	case NVME_REG_CAP + 4:
		return (uint32_t)(r->cap >> 32);
	case NVME_REG_VS:
		return r->vs;
	case NVME_REG_INTMS:
	case NVME_REG_INTMC:
		return r->intms;
	case NVME_REG_CC:
		return r->cc;
	case NVME_REG_CSTS:
		return r->csts;
	case NVME_REG_AQA:
		return r->aqa;
	case NVME_REG_ASQ:
		return (uint32_t)r->asq;
	case NVME_REG_ASQ + 4:
		return (uint32_t)(r->asq >> 32);
	case NVME_REG_ACQ:
		return (uint32_t)r->acq;
	case NVME_REG_ACQ + 4:
		return (uint32_t)(r->acq >> 32);
	case NVME_REG_CRTO: /* CRWMT as CAP.TO; valid from 2.0 on */
		return NVME_GET(r->cap, CAP_CRWMS) ? (uint32_t)NVME_GET(r->cap, CAP_TO) : 0;
	default:
		return 0;
	}
}

static uint32_t read32(const struct ssd_ctrl *ctrl, uint64_t off)
{
	if (off < NVME_REG_DOORBELLS)
		return read_low(ctrl, off);
	if (off >= SSD_BAR0_MSIX && off < SSD_BAR0_BYTES)
		return ssd_msix_read(ctrl, off);
	return 0; /* doorbells: Base 2.1, reads are vendor specific */
}

static void write32(struct ssd_ctrl *ctrl, uint64_t off, uint32_t val)
{
	if (off < NVME_REG_DOORBELLS)
		write_low(ctrl, off, val);
	else if (off < SSD_BAR0_MSIX)
		write_doorbell(ctrl, off, val);
	else if (off < SSD_BAR0_BYTES)
		ssd_msix_write(ctrl, off, val);
}

/* A host that only polls registers must see time pass. */
static void catch_up(struct ssd_ctrl *ctrl, uint64_t now_ns)
{
	struct ssd_event *evs[] = { &ctrl->regs.enable, &ctrl->regs.shutdown };

	ctrl->ssd->now_ns = now_ns;
	for (unsigned int i = 0; i < 2; i++) {
		if (!ssd_event_waiting(evs[i]) || evs[i]->due_ns > now_ns)
			continue;
		ssd_event_clear(&ctrl->ssd->events, evs[i]);
		evs[i]->fire(ctrl->ssd, evs[i]);
	}
}

uint64_t ssd_reg_read(struct ssd_ctrl *ctrl, uint64_t off, int width, uint64_t now_ns)
{
	uint64_t val;

	if (!ssd_pci_decodes(ctrl))
		return width == 8 ? UINT64_MAX : UINT32_MAX;
	catch_up(ctrl, now_ns);
	if (off & 3)
		return 0;
	val = read32(ctrl, off);
	if (width == 8)
		val |= (uint64_t)read32(ctrl, off + 4) << 32;
	return val;
}

void ssd_reg_write(struct ssd_ctrl *ctrl, uint64_t off, int width, uint64_t val, uint64_t now_ns)
{
	if (!ssd_pci_decodes(ctrl) || off & 3)
		return;
	catch_up(ctrl, now_ns);
	write32(ctrl, off, (uint32_t)val);
	if (width == 8)
		write32(ctrl, off + 4, (uint32_t)(val >> 32));
}

void ssd_regs_init(struct ssd_ctrl *ctrl)
{
	struct ssd_regs *r = &ctrl->regs;

	ssd_event_clear(&ctrl->ssd->events, &r->enable);
	ssd_event_clear(&ctrl->ssd->events, &r->shutdown);
	*r = (struct ssd_regs){ .vs = (uint32_t)ctrl->ssd->opts.version };
	r->cap = make_cap(ctrl);
	ctrl->page_bytes = 4096;
	ssd_update_running(ctrl);
}

void ssd_regs_reset(struct ssd_ctrl *ctrl, enum ssd_reset kind)
{
	struct ssd_regs *r = &ctrl->regs;

	ssd_event_clear(&ctrl->ssd->events, &r->enable);
	if (kind == SSD_RESET_CONTROLLER) {
		/* Base 2.1 section 3.7.2: AQA, ASQ and ACQ survive CC.EN alone */
		uint32_t keep = r->csts & (uint32_t)(NVME_FIELD_MASK(CSTS_NSSRO) |
						     NVME_FIELD_MASK(CSTS_SHST));

		r->csts = keep;
		r->intms = 0;
		ssd_update_running(ctrl);
		return;
	}
	ssd_regs_init(ctrl);
	if (kind == SSD_RESET_SUBSYSTEM)
		r->csts = (uint32_t)NVME_FIELD_MASK(CSTS_NSSRO);
}
