/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Features with a data buffer: 03h LBA Range Type, 0Ch APST, 0Dh Host Memory Buffer, 0Eh
 * Timestamp, 16h Host Behavior Support, 81h Host Identifier (Base 2.1 section 5.1.25.1, NVM 1.1
 * section 4.1.3). None is saveable: what is neither the current value nor a capability is the
 * default, zeros.
 *
 *   03h  NSID 00/0b, 00/02; range beyond the namespace 00/80; ranges overlap 01/14
 *   0Ch  a power state that there is not, or that is operational 00/02
 *   0Dh  enabled already 00/0c; below HMMIN, list address, entries, alignment, size 00/02;
 *	  list not readable 00/04
 *   16h  values above 1 00/02
 */
#include "ssd/admin/feature_data.h"

#include <string.h>

#include "ssd/admin/admin.h"
#include "ssd/device.h"
#include "ssd/admin/pel.h"

void ssd_feature_data_reset(struct ssd_ctrl *ctrl)
{
	struct nvme_host_id id = ctrl->featdata.host_id;

	memset(&ctrl->featdata, 0, sizeof(ctrl->featdata));
	if (ctrl->fabrics)
		ctrl->featdata.host_id = id;
	ctrl->featdata.time_at_ns = ctrl->ssd->now_ns;
}

uint64_t ssd_timestamp_ms(const struct ssd_ctrl *ctrl)
{
	const struct ssd_feature_data *d = &ctrl->featdata;

	return d->time_ms + (ctrl->ssd->now_ns - d->time_at_ns) / 1000000;
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

static uint16_t check_ranges(const struct nvme_lba_range *r, uint32_t n, uint64_t nsze)
{
	for (uint32_t i = 0; i < n; i++) {
		if (r[i].slba >= nsze || r[i].nlb >= nsze - r[i].slba)
			return NVME_SC_LBA_OUT_OF_RANGE;
		for (uint32_t j = 0; j < i; j++)
			if (r[i].slba <= r[j].slba + r[j].nlb && r[j].slba <= r[i].slba + r[i].nlb)
				return NVME_SC_OVERLAPPING_RANGE;
	}
	return 0;
}

/* Of one namespace, or of all active ones. */
uint16_t ssd_feature_set_lba_range(struct ssd *ssd, struct ssd_ctx *c)
{
	const bool all = c->sqe.nsid == NVME_NSID_ALL;
	struct nvme_lba_range ranges[NVME_LBA_RANGES_MAX];
	uint32_t n = NVME_GET(c->sqe.cdw11, LBA_RANGE_NUM) + 1;
	uint16_t sc = all ? 0 : ssd_ns_check_active(ssd, c, c->sqe.nsid);
	uint64_t chosen = 0;

	if (!sc)
		sc = ssd_data_from_host(ssd, c, ranges, n * sizeof(ranges[0]));
	for (uint32_t i = 0; i < SSD_NS_MAX && !sc; i++) {
		if (!ssd->ns[i].attached || (!all && c->sqe.nsid != i + 1))
			continue;
		chosen |= 1ull << i;
		sc = check_ranges(ranges, n, ssd->ns[i].nsze);
	}
	for (uint32_t i = 0; i < SSD_NS_MAX && !sc; i++) {
		if (!(chosen >> i & 1))
			continue;
		memcpy(ssd->ranges[i].entry, ranges, n * sizeof(ranges[0]));
		ssd->ranges[i].n = (uint8_t)n;
	}
	return sc;
}

uint16_t ssd_feature_get_lba_range(struct ssd *ssd, struct ssd_ctx *c)
{
	struct nvme_lba_range whole[NVME_LBA_RANGES_MAX] = { 0 };
	const struct ssd_lba_ranges *r;
	uint16_t sc = ssd_ns_check_active(ssd, c, c->sqe.nsid);

	if (sc)
		return sc;
	r = &ssd->ranges[c->sqe.nsid - 1];
	whole[0].nlb = ssd->ns[c->sqe.nsid - 1].nsze - 1;
	if (!r->n || !wants_current(c))
		return ssd_data_to_host(ssd, c, whole, sizeof(whole));
	c->cdw0 = r->n - 1u;
	return ssd_data_to_host(ssd, c, r->entry, sizeof(r->entry));
}

/* An idle time of 0 leads nowhere; else the state is one that is not operational. */
static bool apst_entry_valid(uint64_t entry)
{
	uint64_t state = NVME_GET(entry, APST_ITPS);

	if (state > SSD_NPSS)
		return false;
	return !NVME_GET(entry, APST_ITPT) || ssd_power_states[state].flags & NVME_PSD_NOPS;
}

uint16_t ssd_feature_set_apst(struct ssd *ssd, struct ssd_ctx *c)
{
	struct nvme_apst table;
	uint16_t sc = ssd_data_from_host(ssd, c, &table, sizeof(table));

	if (sc)
		return sc;
	for (unsigned int i = 0; i < sizeof(table.entry) / sizeof(table.entry[0]); i++)
		if (!apst_entry_valid(table.entry[i]))
			return NVME_SC_INVALID_FIELD;
	c->ctrl->featdata.apst = table;
	ssd_power_set_autonomous(c->ctrl, NVME_GET(c->sqe.cdw11, APST_APSTE));
	return 0;
}

uint16_t ssd_feature_get_apst(struct ssd *ssd, struct ssd_ctx *c)
{
	c->cdw0 = wants_current(c) ? c->ctrl->feat.current[NVME_FEAT_APST] : 0;
	return give(ssd, c, &c->ctrl->featdata.apst, sizeof(c->ctrl->featdata.apst));
}

/* The descriptor list: readable, page aligned buffers that make up what is offered. */
static uint16_t check_hmb_list(struct ssd *ssd, const struct ssd_ctx *c)
{
	uint64_t at = (uint64_t)c->sqe.cdw14 << 32 | c->sqe.cdw13, pages = 0;
	struct nvme_hmb_desc d;

	for (uint32_t i = 0; i < c->sqe.cdw15; i++, at += sizeof(d)) {
		uint16_t sc = ssd_dptr_fetch(c->ctrl, at, &d, sizeof(d));

		if (sc)
			return sc;
		if (d.badd & (c->ctrl->page_bytes - 1))
			return NVME_SC_INVALID_FIELD;
		pages += d.bsize;
	}
	return pages < c->sqe.cdw12 ? NVME_SC_INVALID_FIELD : 0;
}

/* HSIZE in pages of CC.MPS, at least HMMIN; a list of 16 byte aligned entries. */
static uint16_t check_hmb(struct ssd *ssd, struct ssd_ctx *c)
{
	if ((uint64_t)c->sqe.cdw12 * c->ctrl->page_bytes < ssd->opts.hmpre_bytes) {
		c->error_loc = SSD_LOC(48, 0);
		return NVME_SC_INVALID_FIELD;
	}
	if (c->sqe.cdw13 & 0xf) {
		c->error_loc = SSD_LOC(52, 0);
		return NVME_SC_INVALID_FIELD;
	}
	if (!c->sqe.cdw15 || c->sqe.cdw15 > SSD_HMB_ENTRIES) {
		c->error_loc = SSD_LOC(60, 0);
		return NVME_SC_INVALID_FIELD;
	}
	return check_hmb_list(ssd, c);
}

uint16_t ssd_feature_set_hmb(struct ssd *ssd, struct ssd_ctx *c)
{
	struct nvme_hmb_attributes *h = &c->ctrl->featdata.hmb;
	uint16_t sc;

	if (!(c->sqe.cdw11 & NVME_HMB_EHM)) {
		memset(h, 0, sizeof(*h));
		return 0;
	}
	if (c->ctrl->feat.current[NVME_FEAT_HOST_MEMORY_BUFFER] & NVME_HMB_EHM)
		return NVME_SC_SEQUENCE_ERROR;
	sc = check_hmb(ssd, c);
	if (sc)
		return sc;
	h->hsize = c->sqe.cdw12;
	h->hmdlal = c->sqe.cdw13;
	h->hmdlau = c->sqe.cdw14;
	h->hmdlec = c->sqe.cdw15;
	return 0;
}

uint16_t ssd_feature_get_hmb(struct ssd *ssd, struct ssd_ctx *c)
{
	c->cdw0 = wants_current(c) ? c->ctrl->feat.current[NVME_FEAT_HOST_MEMORY_BUFFER] : 0;
	return give(ssd, c, &c->ctrl->featdata.hmb, sizeof(c->ctrl->featdata.hmb));
}

uint16_t ssd_feature_set_timestamp(struct ssd *ssd, struct ssd_ctx *c)
{
	struct ssd_feature_data *d = &c->ctrl->featdata;
	uint64_t before = ssd_timestamp_ms(c->ctrl), ms = 0;
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
	uint64_t ms = ssd_timestamp_ms(c->ctrl);
	struct nvme_timestamp t = {
		.attributes = (uint8_t)NVME_SET(c->ctrl->featdata.time_origin, TIMESTAMP_ORIGIN),
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
	c->ctrl->featdata.behavior = b;
	return 0;
}

uint16_t ssd_feature_get_behavior(struct ssd *ssd, struct ssd_ctx *c)
{
	return give(ssd, c, &c->ctrl->featdata.behavior, sizeof(c->ctrl->featdata.behavior));
}

static size_t host_id_bytes(const struct ssd_ctx *c)
{
	return c->sqe.cdw11 & NVME_HOSTID_EXHID ? 16 : 8;
}

uint16_t ssd_feature_set_host_id(struct ssd *ssd, struct ssd_ctx *c)
{
	struct nvme_host_id id = { 0 };
	uint16_t sc;

	/* Base 2.1 section 5.1.25.1.28: Connect has said who the host is */
	if (c->ctrl->fabrics)
		return NVME_SC_SEQUENCE_ERROR;
	sc = ssd_data_from_host(ssd, c, &id, host_id_bytes(c));

	if (!sc)
		c->ctrl->featdata.host_id = id;
	return sc;
}

uint16_t ssd_feature_get_host_id(struct ssd *ssd, struct ssd_ctx *c)
{
	return give(ssd, c, &c->ctrl->featdata.host_id, host_id_bytes(c));
}
