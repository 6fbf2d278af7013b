/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Set Features and Get Features: Base 2.1 sections 5.1.25 and 5.1.11. FID -> what it can.
 * Checks, in order:
 *
 *   FID not supported			00/02
 *   Set: SV and not saveable		01/0d
 *   Set: NSID invalid			00/0b
 *   Set: one namespace, but the feature
 *        is the controller's		01/0f
 *   Get: SEL reserved			00/02
 *   the value				feature_value.c, feature_data.c, thermal.c
 *
 * Every feature here can be changed, so nothing answers 01/0e.
 */
#include <string.h>

#include "ssd/admin/admin.h"
#include "ssd/device.h"

#define CHANGE	    NVME_SEL_CAP_CHANGEABLE
#define CHANGE_SAVE (NVME_SEL_CAP_CHANGEABLE | NVME_SEL_CAP_SAVEABLE)

#define IOCS_PROFILE_MASK 0x1ffu

/* 07h: what is asked is what is read back; queues are limited at their creation. */
static uint16_t set_queues(struct ssd *ssd, struct ssd_ctx *c)
{
	uint32_t nsq = NVME_GET(c->sqe.cdw11, NQ_NSQ), ncq = NVME_GET(c->sqe.cdw11, NQ_NCQ);
	uint32_t last = (uint32_t)ssd->opts.ioqueues - 1;

	if (nsq == NVME_NQ_NSQ_MASK || ncq == NVME_NQ_NCQ_MASK) {
		c->error_loc = SSD_LOC(44, 0);
		return NVME_SC_INVALID_FIELD;
	}
	nsq = nsq < last ? nsq : last;
	ncq = ncq < last ? ncq : last;
	c->cdw0 = (uint32_t)(NVME_SET(nsq, NQ_NSQ) | NVME_SET(ncq, NQ_NCQ));
	c->sqe.cdw11 = c->cdw0;
	return 0;
}

/* 0Fh: what is read back is what the timer can do. */
static uint16_t set_kato(struct ssd *ssd, struct ssd_ctx *c)
{
	c->sqe.cdw11 = ssd_kato_round_ms(c->sqe.cdw11);
	return 0;
}

/* 06h: what is cached goes to the media before the cache is turned off. */
static uint16_t set_cache(struct ssd *ssd, struct ssd_ctx *c)
{
	if (!NVME_GET(c->sqe.cdw11, VWC_WCE))
		ssd_cache_flush(ssd);
	return 0;
}

/* 05h: for one namespace, or for all of them. */
static uint16_t set_recovery(struct ssd *ssd, struct ssd_ctx *c)
{
	uint16_t sc = c->sqe.nsid == NVME_NSID_ALL ? 0 : ssd_ns_check_active(ssd, c, c->sqe.nsid);

	for (uint32_t i = 0; i < SSD_NS_MAX && !sc; i++)
		if (c->sqe.nsid == NVME_NSID_ALL || c->sqe.nsid == i + 1)
			ssd->ns[i].error_recovery = c->sqe.cdw11 & 0x0001ffff;
	return sc;
}

static uint16_t get_recovery(struct ssd *ssd, struct ssd_ctx *c)
{
	uint16_t sc = ssd_ns_check_active(ssd, c, c->sqe.nsid);

	if (!sc && NVME_GET(c->sqe.cdw10, FEAT_SEL) == NVME_SEL_CURRENT)
		c->cdw0 = ssd->ns[c->sqe.nsid - 1].error_recovery;
	return sc;
}

static uint16_t set_vector(struct ssd *ssd, struct ssd_ctx *c)
{
	uint32_t v = NVME_GET(c->sqe.cdw11, IVC_IV);

	if (v >= c->ctrl->irqs.nvectors)
		return NVME_SC_INVALID_FIELD;
	c->ctrl->irqs.uncoalesced &= ~(1ull << v);
	c->ctrl->irqs.uncoalesced |= (uint64_t)NVME_GET(c->sqe.cdw11, IVC_CD) << v;
	return 0;
}

static uint16_t get_vector(struct ssd *ssd, struct ssd_ctx *c)
{
	bool current = NVME_GET(c->sqe.cdw10, FEAT_SEL) == NVME_SEL_CURRENT;
	uint32_t v = NVME_GET(c->sqe.cdw11, IVC_IV);

	if (v >= c->ctrl->irqs.nvectors)
		return NVME_SC_INVALID_FIELD;
	c->cdw0 = v;
	if (current)
		c->cdw0 |= (uint32_t)NVME_SET(c->ctrl->irqs.uncoalesced >> v, IVC_CD);
	return 0;
}

/* 19h: there is one combination, that of the NVM command set alone. */
static uint16_t set_profile(struct ssd *ssd, struct ssd_ctx *c)
{
	return c->sqe.cdw11 & IOCS_PROFILE_MASK ? NVME_SC_IOCS_COMBINATION_REJECTED : 0;
}

static const struct ssd_feature features[256] = {
	[NVME_FEAT_ARBITRATION] = { CHANGE_SAVE, 0xffffff07, 0x00000005, NULL, NULL },
	[NVME_FEAT_POWER_MANAGEMENT] = { CHANGE, 0x000000ff, 0, ssd_feature_set_power,
					 ssd_feature_get_power },
	[NVME_FEAT_LBA_RANGE] = { CHANGE | NVME_SEL_CAP_NS, 0x0000003f, 0,
				  ssd_feature_set_lba_range, ssd_feature_get_lba_range },
	[NVME_FEAT_TEMPERATURE_THRESHOLD] = { CHANGE, 0, SSD_WCTEMP, ssd_feature_set_threshold,
					      ssd_feature_get_threshold },
	[NVME_FEAT_ERROR_RECOVERY] = { CHANGE | NVME_SEL_CAP_NS, 0x0001ffff, 0, set_recovery,
				       get_recovery },
	[NVME_FEAT_VOLATILE_WRITE_CACHE] = { CHANGE_SAVE, 0x00000001, 1, set_cache, NULL },
	[NVME_FEAT_NUMBER_OF_QUEUES] = { CHANGE, 0xffffffff, 0, set_queues, NULL },
	[NVME_FEAT_INTERRUPT_COALESCING] = { CHANGE_SAVE, 0x0000ffff, 0, NULL, NULL },
	[NVME_FEAT_INTERRUPT_VECTOR] = { CHANGE, 0x0001ffff, 0, set_vector, get_vector },
	[NVME_FEAT_WRITE_ATOMICITY] = { CHANGE_SAVE, 0x00000001, 0, NULL, NULL },
	[NVME_FEAT_ASYNC_EVENT] = { CHANGE_SAVE, 0x0000ffff, 0, NULL, NULL },
	[NVME_FEAT_APST] = { CHANGE, 0x00000001, 0, ssd_feature_set_apst, ssd_feature_get_apst },
	[NVME_FEAT_HOST_MEMORY_BUFFER] = { CHANGE, 0x00000001, 0, ssd_feature_set_hmb,
					   ssd_feature_get_hmb },
	[NVME_FEAT_TIMESTAMP] = { CHANGE, 0, 0, ssd_feature_set_timestamp,
				  ssd_feature_get_timestamp },
	[NVME_FEAT_KEEP_ALIVE_TIMER] = { CHANGE, 0xffffffff, 0, set_kato, NULL },
	[NVME_FEAT_HCTM] = { CHANGE_SAVE, 0xffffffff, 0, ssd_feature_set_hctm, NULL },
	[NVME_FEAT_NON_OP_POWER_STATE] = { CHANGE_SAVE, 0x00000001, 0, NULL, NULL },
	[NVME_FEAT_HOST_BEHAVIOR] = { CHANGE, 0, 0, ssd_feature_set_behavior,
				      ssd_feature_get_behavior },
	[NVME_FEAT_SANITIZE_CONFIG] = { CHANGE_SAVE, 0x00000001, 0, NULL, NULL },
	[NVME_FEAT_IOCS_PROFILE] = { CHANGE_SAVE, IOCS_PROFILE_MASK, 0, set_profile, NULL },
	[NVME_FEAT_HOST_ID] = { CHANGE, 0x00000001, 0, ssd_feature_set_host_id,
				ssd_feature_get_host_id },
};

const struct ssd_feature *ssd_feature(const struct ssd_ctrl *ctrl, uint8_t fid)
{
	const struct ssd_feature *f = &features[fid];
	const struct ssd *ssd = ctrl->ssd;

	switch (fid) {
	case NVME_FEAT_INTERRUPT_COALESCING:
	case NVME_FEAT_INTERRUPT_VECTOR:
		return ctrl->fabrics ? NULL : f;
	case NVME_FEAT_KEEP_ALIVE_TIMER:
		return ctrl->fabrics ? f : NULL;
	case NVME_FEAT_VOLATILE_WRITE_CACHE:
		return ssd->opts.cache_bytes ? f : NULL;
	case NVME_FEAT_HOST_MEMORY_BUFFER:
		return ssd->opts.hmpre_bytes && !ctrl->fabrics ? f : NULL;
	case NVME_FEAT_IOCS_PROFILE:
		return ssd->opts.version >= NVME_VS(2, 0, 0) ? f : NULL;
	default:
		return f->caps ? f : NULL;
	}
}

void ssd_features_init(struct ssd *ssd)
{
	uint32_t queues = (uint32_t)ssd->opts.ioqueues - 1;

	for (unsigned int i = 0; i < 256; i++)
		ssd->saved[i] = features[i].def;
	ssd->saved[NVME_FEAT_NUMBER_OF_QUEUES] = queues << 16 | queues;
}

void ssd_features_reset(struct ssd_ctrl *ctrl)
{
	uint32_t kato_ms = ctrl->feat.current[NVME_FEAT_KEEP_ALIVE_TIMER];
	struct ssd *ssd = ctrl->ssd;

	memcpy(ctrl->feat.current, ssd->saved, sizeof(ctrl->feat.current));
	/* Connect gave it, and the association goes on */
	ctrl->feat.current[NVME_FEAT_KEEP_ALIVE_TIMER] = kato_ms;
	/* what a namespace has is that of all hosts */
	if (ssd_ctrl_others(ctrl))
		return;
	memset(ssd->ranges, 0, sizeof(ssd->ranges));
	for (uint32_t i = 0; i < SSD_NS_MAX; i++)
		ssd->ns[i].error_recovery = 0;
}

/* What belongs to the controller is not set for one namespace. */
static uint16_t check_scope(const struct ssd *ssd, struct ssd_ctx *c, const struct ssd_feature *f)
{
	uint32_t nsid = c->sqe.nsid;

	if (f->caps & NVME_SEL_CAP_NS || !nsid || nsid == NVME_NSID_ALL)
		return 0;
	c->error_loc = SSD_LOC(4, 0);
	return nsid > ssd->opts.ns ? NVME_SC_INVALID_NS : NVME_SC_FEATURE_NOT_NS_SPECIFIC;
}

uint16_t ssd_admin_set_features(struct ssd *ssd, struct ssd_ctx *c)
{
	uint8_t fid = NVME_GET(c->sqe.cdw10, FEAT_FID);
	const struct ssd_feature *f = ssd_feature(c->ctrl, fid);
	bool save = NVME_GET(c->sqe.cdw10, FEAT_SV);
	uint16_t sc;

	if (!f) {
		c->error_loc = SSD_LOC(40, 0);
		return NVME_SC_INVALID_FIELD;
	}
	if (save && !(f->caps & NVME_SEL_CAP_SAVEABLE)) {
		c->error_loc = SSD_LOC(43, 7);
		return NVME_SC_FEATURE_NOT_SAVEABLE;
	}
	sc = check_scope(ssd, c, f);
	if (!sc && f->set)
		sc = f->set(ssd, c);
	if (sc)
		return sc;
	c->ctrl->feat.current[fid] = c->sqe.cdw11 & f->mask;
	if (save)
		ssd->saved[fid] = c->ctrl->feat.current[fid];
	return 0;
}

uint16_t ssd_admin_get_features(struct ssd *ssd, struct ssd_ctx *c)
{
	uint8_t fid = NVME_GET(c->sqe.cdw10, FEAT_FID);
	uint32_t sel = NVME_GET(c->sqe.cdw10, FEAT_SEL);
	const struct ssd_feature *f = ssd_feature(c->ctrl, fid);

	if (!f) {
		c->error_loc = SSD_LOC(40, 0);
		return NVME_SC_INVALID_FIELD;
	}
	if (sel > NVME_SEL_CAPABILITIES) {
		c->error_loc = SSD_LOC(41, 0);
		return NVME_SC_INVALID_FIELD;
	}
	if (sel == NVME_SEL_CAPABILITIES)
		c->cdw0 = f->caps;
	else if (f->get)
		return f->get(ssd, c);
	else if (sel == NVME_SEL_CURRENT)
		c->cdw0 = c->ctrl->feat.current[fid];
	else
		c->cdw0 = sel == NVME_SEL_DEFAULT ? f->def : ssd->saved[fid];
	return 0;
}
