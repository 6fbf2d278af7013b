/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Get Log Page: Base 2.1 section 5.1.12. LID -> builder of the whole page; what the host asks
 * beyond its end reads as zeros. Checks, in order:
 *
 *   LID not supported				01/09
 *   sanitize in progress, LID not for then	00/1d (section 8.1.24)
 *   NSID invalid				00/0b
 *   NSID of one namespace: no log is			00/02
 *   index offset (OT)				00/02
 *   longer than MDTS				00/02
 *   what a page asks for itself		telemetry.c, pel.c
 *   offset not a dword or beyond the page	00/02
 */
#include <stdlib.h>
#include <string.h>

#include "ssd/admin/admin.h"
#include "ssd/device.h"

/* FSP of log page 12h */
#define SCOPE_NS   (1u << NVME_EFFECTS_CSP_SHIFT)
#define SCOPE_CTRL (2u << NVME_EFFECTS_CSP_SHIFT)

struct page {
	ssd_log_fn *build;
	bool sanitize; /* may be read while a sanitize operation runs */
};

static const struct page pages[256] = {
	[NVME_LOG_SUPPORTED_LOG_PAGES] = { ssd_log_supported_pages, true },
	[NVME_LOG_ERROR] = { ssd_log_error, true },
	[NVME_LOG_SMART] = { ssd_log_smart, true },
	[NVME_LOG_FW_SLOT] = { ssd_log_fw_slot, true },
	[NVME_LOG_CHANGED_NS] = { ssd_log_changed_ns, true },
	[NVME_LOG_EFFECTS] = { ssd_log_effects, true },
	[NVME_LOG_SELF_TEST] = { ssd_log_self_test, true },
	[NVME_LOG_TELEMETRY_HOST] = { ssd_log_telemetry_host, false },
	[NVME_LOG_TELEMETRY_CTRL] = { ssd_log_telemetry_ctrl, false },
	[NVME_LOG_PERSISTENT_EVENT] = { ssd_log_persistent, true },
	[NVME_LOG_FEATURE_EFFECTS] = { ssd_log_feature_effects, true },
	[NVME_LOG_SANITIZE] = { ssd_log_sanitize, true },
};

uint16_t ssd_log_alloc(struct ssd_log *log, size_t len)
{
	log->data = calloc(1, len);
	log->len = len;
	return log->data ? 0 : NVME_SC_INTERNAL_ERROR;
}

uint16_t ssd_log_supported_pages(struct ssd *ssd, struct ssd_ctx *c, struct ssd_log *log)
{
	struct nvme_log_supported *l;

	if (ssd_log_alloc(log, sizeof(*l)))
		return NVME_SC_INTERNAL_ERROR;
	l = (struct nvme_log_supported *)log->data;
	for (unsigned int i = 0; i < 256; i++)
		if (pages[i].build)
			l->lids[i] = NVME_LIDS_LSUPP;
	return 0;
}

/* Log page 12h: what can be set changes the controller, or a namespace. */
uint16_t ssd_log_feature_effects(struct ssd *ssd, struct ssd_ctx *c, struct ssd_log *log)
{
	struct nvme_log_supported *l;

	if (ssd_log_alloc(log, sizeof(*l)))
		return NVME_SC_INTERNAL_ERROR;
	l = (struct nvme_log_supported *)log->data;
	for (unsigned int i = 0; i < 256; i++) {
		const struct ssd_feature *f = ssd_feature(c->ctrl, (uint8_t)i);

		if (f && f->caps & NVME_SEL_CAP_NS)
			l->lids[i] = NVME_LIDS_LSUPP | NVME_EFFECTS_NCC | SCOPE_NS;
		else if (f)
			l->lids[i] = NVME_LIDS_LSUPP | NVME_EFFECTS_CCC | SCOPE_CTRL;
	}
	return 0;
}

uint16_t ssd_log_error(struct ssd *ssd, struct ssd_ctx *c, struct ssd_log *log)
{
	struct nvme_error_entry *e;
	uint16_t sc = ssd_log_alloc(log, SSD_ERROR_ENTRIES * sizeof(*e));

	e = (struct nvme_error_entry *)log->data;
	for (unsigned int i = 0; !sc && ssd_error_log_get(c->ctrl, i); i++)
		e[i] = *ssd_error_log_get(c->ctrl, i);
	return sc;
}

/* In units of 1000 x 512 bytes, rounded up. */
static uint64_t data_units(uint64_t sectors)
{
	return (sectors + 999) / 1000;
}

uint16_t ssd_log_smart(struct ssd *ssd, struct ssd_ctx *c, struct ssd_log *log)
{
	const struct ssd_health *h = &ssd->health;
	struct nvme_smart *s;

	if (ssd_log_alloc(log, sizeof(*s)))
		return NVME_SC_INTERNAL_ERROR;
	s = (struct nvme_smart *)log->data;
	s->critical_warning = c->ctrl->thermal.exceeded ? NVME_SMART_WARN_TEMPERATURE : 0;
	memcpy(s->temperature, &ssd->temperature_kelvin, sizeof(s->temperature));
	s->avsp = 100;
	s->avspt = 10;
	s->dur[0] = data_units(h->read_sectors);
	s->duw[0] = data_units(h->written_sectors);
	s->hrc[0] = h->read_cmds;
	s->hwc[0] = h->write_cmds;
	s->cbt[0] = h->busy_ns / 60000000000ull;
	s->pwrc[0] = h->power_cycles;
	s->poh[0] = ssd_power_on_hours(ssd);
	s->upl[0] = h->unsafe_shutdowns;
	s->mdie[0] = h->media_errors;
	s->neile[0] = c->ctrl->errors.count;
	return 0;
}

uint16_t ssd_log_effects(struct ssd *ssd, struct ssd_ctx *c, struct ssd_log *log)
{
	struct nvme_effects *e;

	if (ssd_log_alloc(log, sizeof(*e)))
		return NVME_SC_INTERNAL_ERROR;
	e = (struct nvme_effects *)log->data;
	for (unsigned int i = 0; i < 256; i++) {
		e->acs[i] = ssd_admin_op(c->ctrl, (uint8_t)i)->effects;
		e->iocs[i] = ssd_io_ops[i].effects;
	}
	return 0;
}

static size_t wanted_bytes(const struct ssd_ctx *c)
{
	uint64_t high = NVME_GET(c->sqe.cdw11, LOG_NUMDU);

	return (high << 16 | NVME_GET(c->sqe.cdw10, LOG_NUMDL)) * 4 + 4;
}

static uint16_t transfer(struct ssd *ssd, struct ssd_ctx *c, const struct ssd_log *log)
{
	uint64_t off = (uint64_t)c->sqe.cdw13 << 32 | c->sqe.cdw12;
	size_t len = wanted_bytes(c), have;
	uint8_t *out;
	uint16_t sc;

	if (off & 3 || off > log->len) {
		c->error_loc = SSD_LOC(48, 0);
		return NVME_SC_INVALID_FIELD;
	}
	out = calloc(1, len);
	if (!out)
		return NVME_SC_INTERNAL_ERROR;
	have = log->len - off < len ? log->len - off : len;
	memcpy(out, log->data + off, have);
	sc = ssd_data_to_host(ssd, c, out, len);
	free(out);
	return sc;
}

static uint16_t check(struct ssd *ssd, struct ssd_ctx *c)
{
	uint8_t lid = NVME_GET(c->sqe.cdw10, LOG_LID);
	uint32_t nsid = c->sqe.nsid;

	if (!pages[lid].build) {
		c->error_loc = SSD_LOC(40, 0);
		return NVME_SC_INVALID_LOG_PAGE;
	}
	if (!pages[lid].sanitize && ssd_sanitize_runs(&ssd->sanitize))
		return NVME_SC_SANITIZE_IN_PROGRESS;
	if (nsid && nsid != NVME_NSID_ALL) {
		c->error_loc = SSD_LOC(4, 0);
		return nsid > ssd->opts.ns ? NVME_SC_INVALID_NS : NVME_SC_INVALID_FIELD;
	}
	if (NVME_GET(c->sqe.cdw14, LOG_OT)) {
		c->error_loc = SSD_LOC(58, 7);
		return NVME_SC_INVALID_FIELD;
	}
	if (wanted_bytes(c) > ssd->mdts_bytes) {
		c->error_loc = SSD_LOC(42, 0);
		return NVME_SC_INVALID_FIELD;
	}
	return 0;
}

uint16_t ssd_admin_get_log(struct ssd *ssd, struct ssd_ctx *c)
{
	uint8_t lid = NVME_GET(c->sqe.cdw10, LOG_LID);
	struct ssd_log log = { 0 };
	uint16_t sc = check(ssd, c);

	if (!sc)
		sc = pages[lid].build(ssd, c, &log);
	/* a page that only does something has no data */
	if (!sc && log.data)
		sc = transfer(ssd, c, &log);
	free(log.data);
	if (!sc && !NVME_GET(c->sqe.cdw10, LOG_RAE)) {
		ssd_aer_log_read(c->ctrl, lid);
		if (lid == NVME_LOG_CHANGED_NS)
			c->ctrl->nsid_changed = 0;
	}
	return sc;
}
