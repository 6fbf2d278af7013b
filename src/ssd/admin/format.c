/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Format NVM (Base 2.1 section 5.1.10, NVM 1.1 section 4.1.2), in order of its checks:
 *
 *   NSID 0 or above NN		00/0b, inactive 00/02
 *   SES not 0, 1		00/02
 *   LBA format, PI		01/0a
 *   one is running		00/84
 *   sanitize in progress	00/1d (admin.c)
 *
 * SES 0 is done at once; SES 1 takes opts.erase_ns, its namespaces answer 00/84 meanwhile, and
 * a reset or a loss of power does not stop it.
 */
#include "ssd/admin/format.h"

#include "ssd/admin/admin.h"
#include "ssd/device.h"
#include "ssd/admin/pel.h"

static uint8_t format_index(uint32_t cdw10)
{
	return (uint8_t)(NVME_GET(cdw10, FORMAT_LBAFU) << 4 | NVME_GET(cdw10, FORMAT_LBAFL));
}

static void set_not_ready(struct ssd *ssd, uint16_t sc)
{
	for (unsigned int i = 0; i < SSD_NS_MAX; i++) {
		if (!(ssd->format.nsids >> i & 1))
			continue;
		ssd->ns[i].not_ready = sc;
		ssd_ns_update(ssd, &ssd->ns[i]);
	}
}

/* FPI went from or to zero, or the format is another. */
static void tell(struct ssd *ssd)
{
	for (uint32_t i = 0; i < SSD_NS_MAX; i++)
		if (ssd->format.nsids >> i & 1)
			ssd_ns_changed(ssd, i + 1);
}

static void finished(struct ssd *ssd, struct ssd_event *ev)
{
	struct ssd_format *f = &ssd->format;
	struct ssd_ctx *c = f->c;
	uint16_t sc = 0;

	for (unsigned int i = 0; i < SSD_NS_MAX; i++)
		if (f->nsids >> i & 1 && ssd_ns_format(ssd, &ssd->ns[i], format_index(f->cdw10),
						       NVME_GET(f->cdw10, FORMAT_MSET),
						       (uint8_t)NVME_GET(f->cdw10, FORMAT_PI),
						       NVME_GET(f->cdw10, FORMAT_PIL)))
			sc = NVME_SC_INTERNAL_ERROR;
	set_not_ready(ssd, 0);
	ssd_pel_format(ssd, false, f->nsid, f->cdw10, sc);
	tell(ssd);
	f->nsids = 0;
	f->c = NULL;
	if (c)
		ssd_complete(ssd, c, sc);
}

static void command_gone(struct ssd *ssd, struct ssd_ctx *c)
{
	ssd->format.c = NULL;
}

void ssd_format_power(struct ssd *ssd)
{
	ssd_background_power(ssd, &ssd->format.bg);
}

static uint16_t check_format(const struct ssd *ssd, uint32_t cdw10)
{
	struct ssd_lbaf lbaf[SSD_LBAF_MAX];
	unsigned int n = ssd_ns_lbafs(ssd, lbaf);
	uint32_t pi = NVME_GET(cdw10, FORMAT_PI);

	if (format_index(cdw10) >= n || pi > 3)
		return NVME_SC_INVALID_FORMAT;
	return pi && lbaf[format_index(cdw10)].ms_bytes < 8 ? NVME_SC_INVALID_FORMAT : 0;
}

static uint64_t all_active(const struct ssd *ssd)
{
	uint64_t nsids = 0;

	for (unsigned int i = 0; i < SSD_NS_MAX; i++)
		if (ssd->ns[i].attached)
			nsids |= 1ull << i;
	return nsids;
}

uint16_t ssd_admin_format(struct ssd *ssd, struct ssd_ctx *c)
{
	struct ssd_format *f = &ssd->format;
	uint32_t cdw10 = c->sqe.cdw10, ses = NVME_GET(cdw10, FORMAT_SES);
	uint32_t nsid = c->sqe.nsid;
	uint16_t sc = nsid == NVME_NSID_ALL ? 0 : ssd_ns_check_active(ssd, c, nsid);

	if (sc)
		return sc;
	if (ses > NVME_FORMAT_SES_USER) {
		c->error_loc = SSD_LOC(41, 1);
		return NVME_SC_INVALID_FIELD;
	}
	sc = check_format(ssd, cdw10);
	if (sc)
		return sc;
	if (ssd_background_runs(&f->bg))
		return NVME_SC_FORMAT_IN_PROGRESS;
	ssd_self_test_end(ssd, NVME_DST_RESULT_ABORTED_FMT);
	ssd_cache_flush(ssd);
	f->cdw10 = cdw10;
	f->nsid = nsid;
	f->nsids = nsid == NVME_NSID_ALL ? all_active(ssd) : 1ull << (nsid - 1);
	f->c = c;
	c->state = SSD_CTX_WAITING;
	c->cancel = command_gone;
	ssd_pel_format(ssd, true, nsid, cdw10, 0);
	if (ses) {
		tell(ssd);
		set_not_ready(ssd, NVME_SC_FORMAT_IN_PROGRESS);
		ssd_background_start(ssd, &f->bg, ssd->opts.erase_ns, finished);
	} else {
		finished(ssd, NULL);
	}
	return SSD_LATER;
}
