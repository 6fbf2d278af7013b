/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Get Log Page: Base 2.1 section 5.1.12. LID -> builder of the whole page; what the host asks
 * beyond its end reads as zeros, an offset beyond its end is 00/02.
 */
#include <stdlib.h>
#include <string.h>

#include "ssd/admin.h"
#include "ssd/device.h"

static ssd_log_fn *const builders[256] = {
	[NVME_LOG_SUPPORTED_LOG_PAGES] = ssd_log_supported_pages,
	[NVME_LOG_ERROR] = ssd_log_error,
	[NVME_LOG_SMART] = ssd_log_smart,
	[NVME_LOG_FW_SLOT] = ssd_log_fw_slot,
	[NVME_LOG_CHANGED_NS] = ssd_log_changed_ns,
	[NVME_LOG_EFFECTS] = ssd_log_effects,
	[NVME_LOG_SELF_TEST] = ssd_log_self_test,
	[NVME_LOG_TELEMETRY_HOST] = ssd_log_telemetry_host,
	[NVME_LOG_TELEMETRY_CTRL] = ssd_log_telemetry_ctrl,
	[NVME_LOG_PERSISTENT_EVENT] = ssd_log_persistent,
	[NVME_LOG_FEATURE_EFFECTS] = ssd_log_feature_effects,
	[NVME_LOG_SANITIZE] = ssd_log_sanitize,
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
		if (builders[i])
			l->lids[i] = NVME_LIDS_LSUPP;
	return 0;
}

/* Log page 12h: a feature that can be changed is supported, and changes the controller. */
uint16_t ssd_log_feature_effects(struct ssd *ssd, struct ssd_ctx *c, struct ssd_log *log)
{
	struct nvme_log_supported *l;

	if (ssd_log_alloc(log, sizeof(*l)))
		return NVME_SC_INTERNAL_ERROR;
	l = (struct nvme_log_supported *)log->data;
	for (unsigned int i = 0; i < 256; i++)
		if (ssd_feature((uint8_t)i)->caps)
			l->lids[i] = NVME_LIDS_LSUPP | NVME_EFFECTS_CCC;
	return 0;
}

uint16_t ssd_log_error(struct ssd *ssd, struct ssd_ctx *c, struct ssd_log *log)
{
	struct nvme_error_entry *e;
	uint16_t sc = ssd_log_alloc(log, SSD_ERROR_ENTRIES * sizeof(*e));

	e = (struct nvme_error_entry *)log->data;
	for (unsigned int i = 0; !sc && ssd_error_log_get(ssd, i); i++)
		e[i] = *ssd_error_log_get(ssd, i);
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
	s->critical_warning = ssd->thermal.exceeded ? NVME_SMART_WARN_TEMPERATURE : 0;
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
	s->neile[0] = ssd->errors.count;
	return 0;
}

uint16_t ssd_log_effects(struct ssd *ssd, struct ssd_ctx *c, struct ssd_log *log)
{
	struct nvme_effects *e;

	if (ssd_log_alloc(log, sizeof(*e)))
		return NVME_SC_INTERNAL_ERROR;
	e = (struct nvme_effects *)log->data;
	for (unsigned int i = 0; i < 256; i++) {
		e->acs[i] = ssd_admin_op((uint8_t)i)->effects;
		e->iocs[i] = ssd_io_ops[i].effects;
	}
	return 0;
}

static uint16_t transfer(struct ssd *ssd, struct ssd_ctx *c, const struct ssd_log *log)
{
	uint64_t off = (uint64_t)c->sqe.cdw13 << 32 | c->sqe.cdw12;
	uint64_t numd =
		(NVME_GET(c->sqe.cdw11, LOG_NUMDU) << 16 | NVME_GET(c->sqe.cdw10, LOG_NUMDL)) +
		1ull;
	size_t len = numd * 4, have;
	uint8_t *out;
	uint16_t sc;

	if (off & 3 || off > log->len) {
		c->error_loc = SSD_LOC(48, 0);
		return NVME_SC_INVALID_FIELD;
	}
	if (len > ssd->mdts_bytes)
		return NVME_SC_INVALID_FIELD;
	out = calloc(1, len);
	if (!out)
		return NVME_SC_INTERNAL_ERROR;
	have = log->len - off < len ? log->len - off : len;
	memcpy(out, log->data + off, have);
	sc = ssd_data_to_host(ssd, c, out, len);
	free(out);
	return sc;
}

uint16_t ssd_admin_get_log(struct ssd *ssd, struct ssd_ctx *c)
{
	uint8_t lid = NVME_GET(c->sqe.cdw10, LOG_LID);
	struct ssd_log log = { 0 };
	uint16_t sc;

	if (!builders[lid]) {
		c->error_loc = SSD_LOC(40, 0);
		return NVME_SC_INVALID_LOG_PAGE;
	}
	sc = builders[lid](ssd, c, &log);
	if (!sc)
		sc = transfer(ssd, c, &log);
	free(log.data);
	if (!sc && !NVME_GET(c->sqe.cdw10, LOG_RAE))
		ssd_aer_log_read(ssd, lid);
	return sc;
}
