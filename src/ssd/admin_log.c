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
	[NVME_LOG_ERROR] = ssd_log_error,
	[NVME_LOG_SMART] = ssd_log_smart,
	[NVME_LOG_FW_SLOT] = ssd_log_fw_slot,
	[NVME_LOG_EFFECTS] = ssd_log_effects,
};

uint16_t ssd_log_alloc(struct ssd_log *log, size_t len)
{
	log->data = calloc(1, len);
	log->len = len;
	return log->data ? 0 : NVME_SC_INTERNAL_ERROR;
}

bool ssd_log_supported(const struct ssd *ssd, uint8_t lid)
{
	return builders[lid];
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
	uint64_t on_ns = h->powered_ns + (ssd->now_ns - h->powered_at_ns);
	struct nvme_smart *s;

	if (ssd_log_alloc(log, sizeof(*s)))
		return NVME_SC_INTERNAL_ERROR;
	s = (struct nvme_smart *)log->data;
	memcpy(s->temperature, &ssd->temperature_kelvin, sizeof(s->temperature));
	s->avsp = 100;
	s->avspt = 10;
	s->dur[0] = data_units(h->read_sectors);
	s->duw[0] = data_units(h->written_sectors);
	s->hrc[0] = h->read_cmds;
	s->hwc[0] = h->write_cmds;
	s->cbt[0] = h->busy_ns / 60000000000ull;
	s->pwrc[0] = h->power_cycles;
	s->poh[0] = on_ns / 3600000000000ull;
	s->upl[0] = h->unsafe_shutdowns;
	s->mdie[0] = h->media_errors;
	s->neile[0] = ssd->errors.count;
	return 0;
}

uint16_t ssd_log_fw_slot(struct ssd *ssd, struct ssd_ctx *c, struct ssd_log *log)
{
	struct nvme_fw_slot *f;

	if (ssd_log_alloc(log, sizeof(*f)))
		return NVME_SC_INTERNAL_ERROR;
	f = (struct nvme_fw_slot *)log->data;
	f->afi = 1;
	memset(f->frs[0], ' ', sizeof(f->frs[0]));
	memcpy(f->frs[0], ssd->opts.fr, strnlen(ssd->opts.fr, sizeof(f->frs[0])));
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
		e->iocs[i] = ssd_io_op((uint8_t)i)->effects;
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
