/* SPDX-License-Identifier: BSD-3-Clause */
#include "ssd/admin/pel.h"

#include <stdlib.h>
#include <string.h>

#include "ssd/admin/admin.h"
#include "ssd/device.h"
#include "ssd/admin/identify.h"

static struct ssd_pel_event *add(struct ssd *ssd, uint8_t type, uint8_t rev, uint8_t len)
{
	struct ssd_pel_event *e = &ssd->pel.events[ssd->pel.count++ % SSD_PEL_EVENTS];

	memset(e, 0, sizeof(*e));
	e->type = type;
	e->rev = rev;
	e->len = len;
	e->time_ms = ssd_timestamp_ms(&ssd->pcie);
	return e;
}

static void put(struct ssd_pel_event *e, unsigned int at, uint64_t v, unsigned int bytes)
{
	memcpy(e->data + at, &v, bytes);
}

/* Firmware Revision, then one Reset Information Descriptor: that of the only controller. */
void ssd_pel_power_on(struct ssd *ssd)
{
	struct ssd_pel_event *e = add(ssd, NVME_PEL_POWER_ON_RESET, 1, 44);

	memcpy(e->data, ssd->fw.running, 8);
	put(e, 8, SSD_CNTLID_PCIE, 2);
	put(e, 10, 0, 2); /* firmware activation, operation in progress: none */
	put(e, 24, ssd->health.power_cycles, 4);
	put(e, 28, ssd->health.powered_ns / 1000000, 8);
	put(e, 36, e->time_ms, 8);
}

void ssd_pel_fw_commit(struct ssd *ssd, uint8_t slot, uint8_t action, uint16_t status)
{
	struct ssd_pel_event *e = add(ssd, NVME_PEL_FW_COMMIT, 1, 22);

	memcpy(e->data, ssd->fw.running, 8);
	if (slot && slot <= SSD_FW_SLOTS)
		memcpy(e->data + 8, ssd->fw.fr[slot - 1], 8);
	put(e, 16, action, 1);
	put(e, 17, slot, 1);
	put(e, 18, nvme_sc_sct(status), 1);
	put(e, 19, nvme_sc_sc(status), 1);
}

void ssd_pel_timestamp(struct ssd *ssd, uint64_t before_ms)
{
	struct ssd_pel_event *e = add(ssd, NVME_PEL_TIMESTAMP_CHANGE, 1, 16);

	put(e, 0, before_ms, 8);
	put(e, 8, (ssd->now_ns - ssd->health.powered_at_ns) / 1000000, 8);
}

void ssd_pel_format(struct ssd *ssd, bool start, uint32_t nsid, uint32_t cdw10, uint16_t status)
{
	uint8_t type = start ? NVME_PEL_FORMAT_START : NVME_PEL_FORMAT_COMPLETION;
	struct ssd_pel_event *e = add(ssd, type, 1, 12);

	put(e, 0, nsid, 4);
	if (start) {
		put(e, 8, cdw10, 4);
		return;
	}
	put(e, 5, status != 0, 1);
	put(e, 8, (uint32_t)status << NVME_STATUS_SC11_SHIFT, 4);
}

void ssd_pel_sanitize(struct ssd *ssd, bool start, uint32_t cdw10, uint32_t cdw11)
{
	uint8_t type = start ? NVME_PEL_SANITIZE_START : NVME_PEL_SANITIZE_COMPLETION;
	struct ssd_pel_event *e = add(ssd, type, 1, start ? 12 : 8);

	if (start) {
		put(e, 0, ssd_sanitize_caps(), 4);
		put(e, 4, cdw10, 4);
		put(e, 8, cdw11, 4);
		return;
	}
	put(e, 0, UINT16_MAX, 2);
	put(e, 2, ssd->sanitize.status, 2);
}

static void release(struct ssd_pel *pel)
{
	free(pel->context);
	pel->context = NULL;
	pel->context_bytes = 0;
}

void ssd_pel_fini(struct ssd *ssd)
{
	release(&ssd->pel);
}

void ssd_pel_reset(struct ssd *ssd)
{
	release(&ssd->pel);
}

static void fill_header(const struct ssd *ssd, struct nvme_persistent_event_log *h, uint32_t n,
			uint32_t bytes)
{
	h->lid = NVME_LOG_PERSISTENT_EVENT;
	h->tnev = n;
	h->tll = bytes;
	h->rv = 3;
	h->lhl = sizeof(*h) - 20;
	h->ts = ssd_timestamp_ms(&ssd->pcie);
	h->poh[0] = ssd_power_on_hours(ssd);
	h->pcc = ssd->health.power_cycles;
	h->vid = (uint16_t)ssd->opts.vid;
	h->ssvid = (uint16_t)ssd->opts.vid;
	ssd_identify_names(ssd, h->sn, h->mn, h->subnqn);
	h->gen = ssd->pel.generation;
	h->seb[0] = 1u << NVME_PEL_FW_COMMIT | 1u << NVME_PEL_TIMESTAMP_CHANGE |
		    1u << NVME_PEL_POWER_ON_RESET | 1u << NVME_PEL_FORMAT_START;
	h->seb[1] = 1u << (NVME_PEL_FORMAT_COMPLETION - 8) | 1u << (NVME_PEL_SANITIZE_START - 8) |
		    1u << (NVME_PEL_SANITIZE_COMPLETION - 8);
}

static uint16_t establish(struct ssd *ssd)
{
	struct ssd_pel *pel = &ssd->pel;
	uint32_t n = pel->count < SSD_PEL_EVENTS ? (uint32_t)pel->count : SSD_PEL_EVENTS;
	size_t room = sizeof(struct nvme_persistent_event_log) +
		      n * (sizeof(struct nvme_persistent_event) + SSD_PEL_DATA_BYTES);
	uint8_t *page = calloc(1, room), *at = page + sizeof(struct nvme_persistent_event_log);

	if (!page)
		return NVME_SC_INTERNAL_ERROR;
	for (uint32_t i = 1; i <= n; i++) {
		const struct ssd_pel_event *e = &pel->events[(pel->count - i) % SSD_PEL_EVENTS];
		struct nvme_persistent_event h = {
			.etype = e->type,
			.etyper = e->rev,
			.ehl = sizeof(h) - 3,
			.cntlid = SSD_CNTLID_PCIE,
			.ets = e->time_ms,
			.el = e->len,
		};

		memcpy(at, &h, sizeof(h));
		memcpy(at + sizeof(h), e->data, e->len);
		at += sizeof(h) + e->len;
	}
	pel->generation++;
	pel->context = page;
	pel->context_bytes = (uint32_t)(at - page);
	fill_header(ssd, (struct nvme_persistent_event_log *)page, n, pel->context_bytes);
	return 0;
}

/* Action 0 reads an established context, 1 establishes one first, 2 releases it. */
uint16_t ssd_log_persistent(struct ssd *ssd, struct ssd_ctx *c, struct ssd_log *log)
{
	struct ssd_pel *pel = &ssd->pel;
	uint32_t action = NVME_GET(c->sqe.cdw10, LOG_LSP) & 3;
	uint16_t sc = 0;

	if (action == NVME_LSP_PEL_RELEASE) {
		release(pel);
		return 0;
	}
	if (action == NVME_LSP_PEL_READ && !pel->context)
		return NVME_SC_SEQUENCE_ERROR;
	if (action != NVME_LSP_PEL_READ && pel->context)
		return NVME_SC_SEQUENCE_ERROR;
	if (action != NVME_LSP_PEL_READ)
		sc = establish(ssd);
	if (!sc)
		sc = ssd_log_alloc(log, pel->context_bytes);
	if (!sc)
		memcpy(log->data, pel->context, pel->context_bytes);
	return sc;
}
