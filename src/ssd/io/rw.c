/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Read, Write and Flush: NVM 1.1 sections 3.2.4 and 3.2.6, Base 2.1 section 7.1. This is the
 * path without metadata, straight between media and host memory; the other is io_meta.c.
 *
 *   transfer beyond MDTS	00/02
 *   LBA range			00/80
 *   data pointer		prp.c, sgl.c
 *   uncorrectable		02/81
 *   unmapped with DULBE	02/87
 */
#include <errno.h>
#include <sys/mman.h>

#include "ssd/hot.h"
#include "ssd/io/io.h"

uint16_t ssd_io_check_mapped(const struct ssd_ns *ns, int mapped, uint32_t nlb)
{
	if (mapped < (int)nlb && NVME_GET(ns->error_recovery, ERR_DULBE))
		return NVME_SC_DEALLOCATED;
	return 0;
}

void ssd_io_count_read(struct ssd *ssd, struct ssd_ctx *c, uint32_t nlb, int mapped)
{
	ssd->health.read_cmds++;
	ssd->health.read_sectors += (uint64_t)nlb << c->ns->lba_shift >> 9;
	if (!ssd->instant)
		c->latency_ns +=
			ssd_latency_ns(ssd, mapped ? ssd->opts.read_ns : ssd->opts.unmapped_ns);
}

void ssd_io_count_write(struct ssd *ssd, struct ssd_ctx *c, uint32_t nlb)
{
	uint64_t time_ns = ssd->opts.write_ns;

	ssd->health.write_cmds++;
	ssd->health.written_sectors += (uint64_t)nlb << c->ns->lba_shift >> 9;
	if (ssd->instant)
		return;
	/* without a cache every write is through */
	if (NVME_GET(c->sqe.cdw12, RW_FUA) || !ssd_cache_enabled(c->ctrl))
		time_ns += ssd->opts.fua_ns;
	c->latency_ns += ssd_latency_ns(ssd, time_ns);
}

static uint16_t check(struct ssd *ssd, struct ssd_ctx *c, uint64_t slba, uint32_t nlb)
{
	if (SSD_LIKELY((uint64_t)nlb << c->ns->lba_shift <= ssd->mdts_bytes))
		return ssd_io_check_range(c->ns, c, slba, nlb);
	c->error_loc = SSD_LOC(48, 0);
	return NVME_SC_INVALID_FIELD;
}

/* Pieces of host memory hold whole LBAs: no bounce buffer is needed. */
static bool pieces_fit(const struct ssd_dptr *d, uint32_t lba_bytes)
{
	for (int i = 0; i < d->n; i++)
		if (d->iov[i].iov_len & (lba_bytes - 1) || !d->iov[i].iov_base)
			return false;
	return true;
}

/* Return: LBAs mapped, or -errno. */
static int read_pieces(struct ssd *ssd, struct ssd_media *m, uint64_t slba, uint32_t nlb)
{
	struct ssd_dptr *d = &ssd->dptr;
	int mapped = 0, rc;

	if (!pieces_fit(d, m->lba_bytes)) {
		mapped = m->ops->read(m, slba, nlb, ssd->bounce, NULL);
		if (mapped >= 0)
			ssd_dptr_put(ssd, 0, ssd->bounce, (size_t)nlb * m->lba_bytes);
		return mapped;
	}
	for (int i = 0; i < d->n; i++) {
		uint32_t n = (uint32_t)(d->iov[i].iov_len / m->lba_bytes);

		rc = m->ops->read(m, slba, n, d->iov[i].iov_base, NULL);
		if (rc < 0)
			return rc;
		mapped += rc;
		slba += n;
	}
	return mapped;
}

uint16_t ssd_io_read(struct ssd *ssd, struct ssd_ctx *c)
{
	struct ssd_ns *ns = c->ns;
	uint64_t slba = ssd_io_slba(c);
	uint32_t nlb = ssd_io_nlb(c);
	int mapped = (int)nlb;
	uint16_t sc;

	if (SSD_UNLIKELY(!ns->plain || c->fault))
		return ssd_io_read_bounced(ssd, c);
	sc = check(ssd, c, slba, nlb);
	if (!sc)
		sc = ssd_dptr_map_fast(ssd, c, (size_t)nlb << ns->lba_shift, PROT_WRITE);
	if (SSD_UNLIKELY(sc))
		return sc;
	if (ns->media->moves)
		mapped = read_pieces(ssd, ns->media, slba, nlb);
	if (SSD_UNLIKELY(mapped < 0))
		return ssd_io_media_error(ssd, c, mapped);
	sc = ssd_io_check_mapped(ns, mapped, nlb);
	if (SSD_LIKELY(!sc))
		ssd_io_count_read(ssd, c, nlb, mapped);
	return sc;
}

static int write_pieces(struct ssd *ssd, struct ssd_media *m, uint64_t slba, uint32_t nlb)
{
	struct ssd_dptr *d = &ssd->dptr;
	int rc = 0;

	if (!pieces_fit(d, m->lba_bytes)) {
		ssd_dptr_get(ssd, 0, ssd->bounce, (size_t)nlb * m->lba_bytes);
		return m->ops->write(m, slba, nlb, ssd->bounce, NULL);
	}
	for (int i = 0; i < d->n && !rc; i++) {
		uint32_t n = (uint32_t)(d->iov[i].iov_len / m->lba_bytes);

		rc = m->ops->write(m, slba, n, d->iov[i].iov_base, NULL);
		slba += n;
	}
	return rc;
}

uint16_t ssd_io_write(struct ssd *ssd, struct ssd_ctx *c)
{
	struct ssd_ns *ns = c->ns;
	uint64_t slba = ssd_io_slba(c);
	uint32_t nlb = ssd_io_nlb(c);
	uint16_t sc;
	int rc = 0;

	if (SSD_UNLIKELY(!ns->plain || c->fault))
		return ssd_io_write_bounced(ssd, c);
	sc = check(ssd, c, slba, nlb);
	if (!sc)
		sc = ssd_dptr_map_fast(ssd, c, (size_t)nlb << ns->lba_shift, PROT_READ);
	if (SSD_UNLIKELY(sc))
		return sc;
	if (ns->media->moves) {
		ssd_cache_write(c->ctrl, ns, slba, nlb, NVME_GET(c->sqe.cdw12, RW_FUA));
		rc = write_pieces(ssd, ns->media, slba, nlb);
	}
	if (SSD_UNLIKELY(rc))
		return ssd_io_media_error(ssd, c, rc);
	ssd_io_count_write(ssd, c, nlb);
	return 0;
}

uint16_t ssd_io_flush(struct ssd *ssd, struct ssd_ctx *c)
{
	ssd_cache_flush(ssd);
	ssd_store_save(ssd, false);
	if (!ssd->instant)
		c->latency_ns += ssd_latency_ns(ssd, ssd->opts.fua_ns);
	return 0;
}
