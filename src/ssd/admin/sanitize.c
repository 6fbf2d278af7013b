/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sanitize (Base 2.1 sections 5.1.22 and 8.1.24): Block Erase and Overwrite. No-Deallocate is
 * inhibited (SANICAP.NDI): with it the command is refused, or in the warning mode of feature
 * 17h ends as "unexpectedly deallocated".
 *
 *   one is running			00/1d (admin.c)
 *   SANACT reserved or Crypto Erase	00/02
 *   NDAS in error mode			00/02
 *   firmware waits for a reset		01/11
 *   Format in progress			00/84
 *
 * Meanwhile media commands and most admin commands answer 00/1d (ns.not_ready, admin.c), over
 * resets and losses of power.
 */
#include "ssd/admin/sanitize.h"

#include <string.h>

#include "ssd/admin/admin.h"
#include "ssd/device.h"
#include "ssd/admin/pel.h"

uint32_t ssd_sanitize_caps(void)
{
	return NVME_SANICAP_BES | NVME_SANICAP_OWS | NVME_SANICAP_NDI |
	       (uint32_t)NVME_SET(1, SANICAP_NODMMAS);
}

/* Every namespace is out of reach meanwhile. */
static void set_not_ready(struct ssd *ssd, uint16_t sc)
{
	for (unsigned int i = 0; i < SSD_NS_MAX; i++) {
		ssd->ns[i].not_ready = sc;
		ssd_ns_update(ssd, &ssd->ns[i]);
	}
}

static void finished(struct ssd *ssd, struct ssd_event *ev)
{
	struct ssd_sanitize *s = &ssd->sanitize;
	bool unexpected = NVME_GET(s->cdw10, SANITIZE_NDAS);

	for (unsigned int i = 0; i < SSD_NS_MAX; i++)
		if (ssd->ns[i].media)
			ssd->ns[i].media->ops->erase(ssd->ns[i].media);
	ssd_aer_raise_all(ssd, NVME_AER_TYPE_IO,
			  unexpected ? NVME_AER_IO_SANITIZE_UNEXPECTED_DEALLOC :
				       NVME_AER_IO_SANITIZE_COMPLETED,
			  NVME_LOG_SANITIZE);
	s->status = unexpected ? NVME_SOS_COMPLETED_ND : NVME_SOS_COMPLETED;
	s->erased = true;
	s->erased_writes = ssd->health.write_cmds;
	set_not_ready(ssd, 0);
	ssd_pel_sanitize(ssd, false, s->cdw10, 0);
}

void ssd_sanitize_power(struct ssd *ssd)
{
	ssd_background_power(ssd, &ssd->sanitize.bg);
}

uint16_t ssd_admin_sanitize(struct ssd *ssd, struct ssd_ctx *c)
{
	struct ssd_sanitize *s = &ssd->sanitize;
	uint32_t action = NVME_GET(c->sqe.cdw10, SANITIZE_SANACT);
	bool warn = c->ctrl->feat.current[NVME_FEAT_SANITIZE_CONFIG] & NVME_SANCFG_NODRM;

	c->error_loc = SSD_LOC(40, 0);
	if (action == NVME_SANACT_EXIT_FAILURE)
		return s->status == NVME_SOS_FAILED ? NVME_SC_SANITIZE_FAILED : 0;
	if (action != NVME_SANACT_BLOCK_ERASE && action != NVME_SANACT_OVERWRITE)
		return NVME_SC_INVALID_FIELD;
	if (NVME_GET(c->sqe.cdw10, SANITIZE_NDAS) && !warn) {
		c->error_loc = SSD_LOC(41, 1);
		return NVME_SC_INVALID_FIELD;
	}
	c->error_loc = SSD_ERROR_LOC_NONE;
	if (ssd->fw.next)
		return NVME_SC_FW_REQUIRES_RESET;
	if (ssd->format.nsids)
		return NVME_SC_FORMAT_IN_PROGRESS;
	ssd_self_test_end(ssd, NVME_DST_RESULT_ABORTED_SAN);
	ssd_cache_flush(ssd);
	s->cdw10 = c->sqe.cdw10;
	s->status = NVME_SOS_IN_PROGRESS;
	s->erased = false;
	set_not_ready(ssd, NVME_SC_SANITIZE_IN_PROGRESS);
	ssd_pel_sanitize(ssd, true, s->cdw10, c->sqe.cdw11);
	ssd_background_start(ssd, &s->bg, ssd->opts.sanitize_ns, finished);
	return 0;
}

uint16_t ssd_log_sanitize(struct ssd *ssd, struct ssd_ctx *c, struct ssd_log *log)
{
	const struct ssd_sanitize *s = &ssd->sanitize;
	uint32_t seconds = (uint32_t)((ssd->opts.sanitize_ns + 999999999) / 1000000000);
	bool erased = s->erased ? s->erased_writes == ssd->health.write_cmds :
				  !s->status && !ssd->health.write_cmds;
	struct nvme_sanitize_status *l;

	if (ssd_log_alloc(log, sizeof(*l)))
		return NVME_SC_INTERNAL_ERROR;
	l = (struct nvme_sanitize_status *)log->data;
	l->sprog = 0xffff;
	if (ssd_sanitize_runs(s))
		l->sprog = (uint16_t)ssd_background_done(ssd, &s->bg, 0x10000);
	l->sstat = (uint16_t)(NVME_SET(s->status, SSTAT_SOS) | (erased ? NVME_SSTAT_GDE : 0));
	if (NVME_GET(s->cdw10, SANITIZE_SANACT) == NVME_SANACT_OVERWRITE &&
	    s->status == NVME_SOS_COMPLETED)
		l->sstat |= NVME_SET(NVME_GET(s->cdw10, SANITIZE_OWPASS), SSTAT_OPC);
	l->scdw10 = s->cdw10;
	l->eto = seconds;
	l->etbe = seconds;
	l->etce = UINT32_MAX;
	l->etodmm = seconds;
	l->etbenmm = seconds;
	l->etcenmm = UINT32_MAX;
	return 0;
}
