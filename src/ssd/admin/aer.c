/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Asynchronous Event Request: Base 2.1 section 5.1.2. More than AERL + 1 outstanding: 01/05.
 */
#include <string.h>

#include "ssd/admin/aer.h"
#include "ssd/device.h"

static bool is_masked(const struct ssd_aer *a, uint8_t type)
{
	return a->masked >> type & 1;
}

static void forget_request(struct ssd *ssd, struct ssd_ctx *c)
{
	struct ssd_aer *a = &c->ctrl->aer;
	unsigned int i = 0;

	while (i < a->nreqs && a->reqs[i] != c)
		i++;
	if (i == a->nreqs)
		return;
	a->nreqs--;
	memmove(&a->reqs[i], &a->reqs[i + 1], (a->nreqs - i) * sizeof(a->reqs[0]));
}

static void forget_event(struct ssd_aer *a, unsigned int i)
{
	a->nevents--;
	memmove(&a->events[i], &a->events[i + 1], (a->nevents - i) * sizeof(a->events[0]));
}

/* Pair requests with events that are not masked, oldest with oldest. */
static void deliver(struct ssd_ctrl *ctrl)
{
	struct ssd_aer *a = &ctrl->aer;
	unsigned int i = 0;

	while (a->nreqs && i < a->nevents) {
		struct ssd_aer_event e = a->events[i];
		struct ssd_ctx *c = a->reqs[0];

		if (is_masked(a, e.type)) {
			i++;
			continue;
		}
		forget_event(a, i);
		forget_request(ctrl->ssd, c);
		a->masked |= (uint8_t)(1u << e.type);
		a->reported[e.type] = e.lid;
		c->cdw0 = (uint32_t)(NVME_SET(e.type, AER_TYPE) | NVME_SET(e.info, AER_INFO) |
				     NVME_SET(e.lid, AER_LID));
		ssd_complete(ctrl->ssd, c, 0);
	}
}

/* Feature 0Bh: notices are sent only when asked for. */
static bool enabled(const struct ssd_ctrl *ctrl, enum nvme_aer_type type, uint8_t info)
{
	uint32_t config = ctrl->feat.current[NVME_FEAT_ASYNC_EVENT];

	if (type != NVME_AER_TYPE_NOTICE)
		return true;
	switch (info) {
	case NVME_AER_NOTICE_NS_CHANGED:
		return config & NVME_OAES_NS_ATTR;
	case NVME_AER_NOTICE_FW_ACTIVATION:
		return config & NVME_OAES_FW_ACTIVATION;
	case NVME_AER_NOTICE_TELEMETRY:
		return config & NVME_AEC_TELEMETRY;
	default:
		return true;
	}
}

void ssd_aer_raise(struct ssd_ctrl *ctrl, enum nvme_aer_type type, uint8_t info, uint8_t lid)
{
	struct ssd_aer *a = &ctrl->aer;

	if (!enabled(ctrl, type, info) || (is_masked(a, type) && a->reported[type] == lid))
		return;
	for (unsigned int i = 0; i < a->nevents; i++)
		if (a->events[i].type == type && a->events[i].info == info &&
		    a->events[i].lid == lid)
			return;
	if (a->nevents == SSD_AER_EVENTS)
		return;
	a->events[a->nevents++] = (struct ssd_aer_event){ (uint8_t)type, info, lid };
	deliver(ctrl);
}

void ssd_aer_raise_all(struct ssd *ssd, enum nvme_aer_type type, uint8_t info, uint8_t lid)
{
	for (struct ssd_ctrl *ctrl = &ssd->pcie; ctrl; ctrl = ctrl->next)
		ssd_aer_raise(ctrl, type, info, lid);
}

void ssd_aer_log_read(struct ssd_ctrl *ctrl, uint8_t lid)
{
	struct ssd_aer *a = &ctrl->aer;

	for (unsigned int i = a->nevents; i-- > 0;)
		if (a->events[i].lid == lid)
			forget_event(a, i);
	for (unsigned int type = 0; type < SSD_AER_TYPES; type++)
		if (a->reported[type] == lid)
			a->masked &= (uint8_t) ~(1u << type);
	deliver(ctrl);
}

void ssd_aer_reset(struct ssd_ctrl *ctrl)
{
	ctrl->aer = (struct ssd_aer){ 0 };
}

uint16_t ssd_admin_async_event(struct ssd *ssd, struct ssd_ctx *c)
{
	struct ssd_aer *a = &c->ctrl->aer;

	if (a->nreqs > ssd->opts.aerl)
		return NVME_SC_AER_LIMIT_EXCEEDED;
	c->state = SSD_CTX_WAITING;
	c->cancel = forget_request;
	a->reqs[a->nreqs++] = c;
	deliver(c->ctrl);
	return SSD_LATER;
}
