/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands on ranges without data: Write Zeroes, Write Uncorrectable and Dataset Management
 * (NVM 1.1 sections 3.2.8, 3.2.7 and 3.2.3).
 */
#include <errno.h>
#include <string.h>

#include "ssd/io/io.h"
#include "ssd/queue/transfer.h"

static void take_time(struct ssd *ssd, struct ssd_ctx *c, uint64_t time_ns)
{
	if (!ssd->instant)
		c->latency_ns += ssd_latency_ns(ssd, time_ns);
}

/* Zeros as data; PI as PRACT says: made, or such that nothing is checked. */
static int write_zeros(struct ssd *ssd, struct ssd_ctx *c, uint64_t slba, uint32_t nlb)
{
	const struct ssd_ns *ns = c->ns;
	uint32_t room = ssd->mdts_bytes / ns->lba_bytes, step;
	struct ssd_pi pi = ssd_pi_of(c);
	int rc = 0;

	memset(ssd->bounce, 0, (size_t)(nlb < room ? nlb : room) * ns->lba_bytes);
	for (uint32_t done = 0; !rc && done < nlb; done += step, pi.reftag += step) {
		step = nlb - done < room ? nlb - done : room;
		memset(ssd->bounce_meta, ns->pi_type ? 0xff : 0, (size_t)step * ns->ms_bytes);
		if (ns->pi_type && pi.prinfo & NVME_PRINFO_PRACT)
			ssd_pi_make(ns, &pi, step, ssd->bounce, ssd->bounce_meta);
		rc = ssd_io_store(ssd, c, slba + done, step);
	}
	return rc;
}

uint16_t ssd_io_write_zeroes(struct ssd *ssd, struct ssd_ctx *c)
{
	const struct ssd_pi pi = ssd_pi_of(c);
	struct ssd_ns *ns = c->ns;
	uint64_t slba = ssd_io_slba(c);
	uint32_t nlb = ssd_io_nlb(c);
	uint16_t sc = ssd_io_check_range(ns, c, slba, nlb);
	int rc = 0;

	if (!sc)
		sc = ssd_pi_check_command(ns, &pi, slba);
	if (sc)
		return sc;
	if (NVME_GET(c->sqe.cdw12, RW_DEAC)) {
		ssd_cache_settle(ssd, ns, slba, nlb);
		ns->media->ops->unmap(ns->media, slba, nlb);
	} else {
		rc = write_zeros(ssd, c, slba, nlb);
	}
	if (rc)
		return ssd_io_media_error(ssd, c, rc);
	take_time(ssd, c, ssd->opts.write_ns);
	return 0;
}

uint16_t ssd_io_write_uncorrectable(struct ssd *ssd, struct ssd_ctx *c)
{
	uint64_t slba = ssd_io_slba(c);
	uint32_t nlb = ssd_io_nlb(c);
	uint16_t sc = ssd_io_check_range(c->ns, c, slba, nlb);

	if (sc)
		return sc;
	ssd_cache_settle(ssd, c->ns, slba, nlb);
	if (c->ns->media->ops->spoil(c->ns->media, slba, nlb))
		return ssd_io_media_error(ssd, c, -ENOSPC);
	take_time(ssd, c, ssd->opts.write_ns);
	return 0;
}

uint16_t ssd_io_dsm(struct ssd *ssd, struct ssd_ctx *c)
{
	struct nvme_dsm_range range[NVME_DSM_RANGES_MAX];
	uint32_t n = NVME_GET(c->sqe.cdw10, DSM_NR) + 1;
	struct ssd_ns *ns = c->ns;
	uint16_t sc = ssd_data_from_host(ssd, c, range, n * sizeof(range[0]));

	for (uint32_t i = 0; i < n && !sc; i++)
		sc = range[i].nlb ? ssd_io_check_range(ns, c, range[i].slba, range[i].nlb) : 0;
	if (sc)
		return sc;
	for (uint32_t i = 0; i < n && c->sqe.cdw11 & NVME_DSM_AD; i++) {
		ssd_cache_settle(ssd, ns, range[i].slba, range[i].nlb);
		ns->media->ops->unmap(ns->media, range[i].slba, range[i].nlb);
	}
	take_time(ssd, c, ssd->opts.write_ns);
	return 0;
}
