/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Features with a data buffer: 03h LBA Range Type, 0Ch APST, 0Dh Host Memory Buffer, 0Eh
 * Timestamp, 16h Host Behavior Support, 81h Host Identifier. None is saveable: what is neither
 * the current value nor a capability is the default, zeros.
 */
#include "ssd/feature_data.h"

#include <string.h>

#include "ssd/admin.h"
#include "ssd/device.h"
#include "ssd/pel.h"

void ssd_feature_data_reset(struct ssd *ssd)
{
	memset(&ssd->featdata, 0, sizeof(ssd->featdata));
	ssd->featdata.time_at_ns = ssd->now_ns;
}

uint64_t ssd_timestamp_ms(const struct ssd *ssd)
{
	const struct ssd_feature_data *d = &ssd->featdata;

	return d->time_ms + (ssd->now_ns - d->time_at_ns) / 1000000;
}

static bool wants_current(const struct ssd_ctx *c)
{
	return NVME_GET(c->sqe.cdw10, FEAT_SEL) == NVME_SEL_CURRENT;
}

static uint16_t give(struct ssd *ssd, struct ssd_ctx *c, const void *data, size_t len)
{
	static const uint8_t zeros[sizeof(struct nvme_hmb_attributes)];

	return ssd_data_to_host(ssd, c, wants_current(c) ? data : zeros, len);
}

uint16_t ssd_feature_set_lba_range(struct ssd *ssd, struct ssd_ctx *c)
{
	struct ssd_feature_data *d = &ssd->featdata;
	struct nvme_lba_range ranges[NVME_LBA_RANGES_MAX];
	uint32_t n = NVME_GET(c->sqe.cdw11, LBA_RANGE_NUM) + 1;
	uint16_t sc = ssd_ns_check_active(ssd, c, c->sqe.nsid);
	uint64_t nsze;

	if (!sc)
		sc = ssd_data_from_host(ssd, c, ranges, n * sizeof(ranges[0]));
	if (sc)
		return sc;
	nsze = ssd->ns[c->sqe.nsid - 1].nsze;
	for (uint32_t i = 0; i < n; i++) {
		if (ranges[i].slba >= nsze || ranges[i].nlb >= nsze - ranges[i].slba)
			return NVME_SC_LBA_OUT_OF_RANGE;
		for (uint32_t j = 0; j < i; j++)
			if (ranges[i].slba <= ranges[j].slba + ranges[j].nlb &&
			    ranges[j].slba <= ranges[i].slba + ranges[i].nlb)
				return NVME_SC_OVERLAPPING_RANGE;
	}
	memcpy(d->ranges, ranges, n * sizeof(ranges[0]));
	d->nranges = (uint8_t)(n - 1);
	return 0;
}

uint16_t ssd_feature_get_lba_range(struct ssd *ssd, struct ssd_ctx *c)
{
	struct ssd_feature_data *d = &ssd->featdata;
	uint16_t sc = ssd_ns_check_active(ssd, c, c->sqe.nsid);

	if (sc)
		return sc;
	/* one range over everything, until the host says otherwise */
	if (!d->ranges[0].nlb && !d->nranges)
		d->ranges[0].nlb = ssd->ns[c->sqe.nsid - 1].nsze - 1;
	c->cdw0 = d->nranges;
	return give(ssd, c, d->ranges, sizeof(d->ranges));
}

uint16_t ssd_feature_set_apst(struct ssd *ssd, struct ssd_ctx *c)
{
	struct nvme_apst table;
	uint16_t sc = ssd_data_from_host(ssd, c, &table, sizeof(table));

	if (sc)
		return sc;
	for (unsigned int i = 0; i < sizeof(table.entry) / sizeof(table.entry[0]); i++)
		if (NVME_GET(table.entry[i], APST_ITPS) > SSD_NPSS)
			return NVME_SC_INVALID_FIELD;
	ssd->featdata.apst = table;
	return 0;
}

uint16_t ssd_feature_get_apst(struct ssd *ssd, struct ssd_ctx *c)
{
	c->cdw0 = wants_current(c) ? ssd->feat.current[NVME_FEAT_APST] : 0;
	return give(ssd, c, &ssd->featdata.apst, sizeof(ssd->featdata.apst));
}

uint16_t ssd_feature_set_hmb(struct ssd *ssd, struct ssd_ctx *c)
{
	struct nvme_hmb_attributes *h = &ssd->featdata.hmb;
	bool on = c->sqe.cdw11 & NVME_HMB_EHM;

	if (!ssd->opts.hmpre_bytes)
		return NVME_SC_INVALID_FIELD;
	if (on && ssd->feat.current[NVME_FEAT_HOST_MEMORY_BUFFER] & NVME_HMB_EHM)
		return NVME_SC_SEQUENCE_ERROR;
	if (on && (!c->sqe.cdw12 || !c->sqe.cdw15 || c->sqe.cdw13 & 0xf)) {
		c->error_loc = SSD_LOC(48, 0);
		return NVME_SC_INVALID_FIELD;
	}
	if (!on)
		return 0;
	h->hsize = c->sqe.cdw12;
	h->hmdlal = c->sqe.cdw13;
	h->hmdlau = c->sqe.cdw14;
	h->hmdlec = c->sqe.cdw15;
	return 0;
}

uint16_t ssd_feature_get_hmb(struct ssd *ssd, struct ssd_ctx *c)
{
	if (!ssd->opts.hmpre_bytes)
		return NVME_SC_INVALID_FIELD;
	c->cdw0 = wants_current(c) ? ssd->feat.current[NVME_FEAT_HOST_MEMORY_BUFFER] : 0;
	return give(ssd, c, &ssd->featdata.hmb, sizeof(ssd->featdata.hmb));
}

uint16_t ssd_feature_set_timestamp(struct ssd *ssd, struct ssd_ctx *c)
{
	struct ssd_feature_data *d = &ssd->featdata;
	uint64_t before = ssd_timestamp_ms(ssd), ms = 0;
	struct nvme_timestamp t;
	uint16_t sc = ssd_data_from_host(ssd, c, &t, sizeof(t));

	if (sc)
		return sc;
	memcpy(&ms, t.timestamp_ms, sizeof(t.timestamp_ms));
	d->time_ms = ms;
	d->time_at_ns = ssd->now_ns;
	d->time_origin = NVME_TIMESTAMP_ORIGIN_HOST;
	ssd_pel_timestamp(ssd, before);
	return 0;
}

uint16_t ssd_feature_get_timestamp(struct ssd *ssd, struct ssd_ctx *c)
{
	uint64_t ms = ssd_timestamp_ms(ssd);
	struct nvme_timestamp t = {
		.attributes = (uint8_t)NVME_SET(ssd->featdata.time_origin, TIMESTAMP_ORIGIN),
	};

	memcpy(t.timestamp_ms, &ms, sizeof(t.timestamp_ms));
	return give(ssd, c, &t, sizeof(t));
}

uint16_t ssd_feature_set_behavior(struct ssd *ssd, struct ssd_ctx *c)
{
	struct nvme_host_behavior b;
	uint16_t sc = ssd_data_from_host(ssd, c, &b, sizeof(b));

	if (sc)
		return sc;
	if (b.acre > 1 || b.etdas > 1 || b.lbafee > 1)
		return NVME_SC_INVALID_FIELD;
	ssd->featdata.behavior = b;
	return 0;
}

uint16_t ssd_feature_get_behavior(struct ssd *ssd, struct ssd_ctx *c)
{
	return give(ssd, c, &ssd->featdata.behavior, sizeof(ssd->featdata.behavior));
}

static size_t host_id_bytes(const struct ssd_ctx *c)
{
	return c->sqe.cdw11 & NVME_HOSTID_EXHID ? 16 : 8;
}

uint16_t ssd_feature_set_host_id(struct ssd *ssd, struct ssd_ctx *c)
{
	struct nvme_host_id id = { 0 };
	uint16_t sc = ssd_data_from_host(ssd, c, &id, host_id_bytes(c));

	if (!sc)
		ssd->featdata.host_id = id;
	return sc;
}

uint16_t ssd_feature_get_host_id(struct ssd *ssd, struct ssd_ctx *c)
{
	return give(ssd, c, &ssd->featdata.host_id, host_id_bytes(c));
}
