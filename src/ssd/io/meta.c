/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Read and Write by way of the bounce buffers: namespaces with metadata, and commands whose
 * data an injected fault corrupts. The checks are those of io_rw.c, and protection
 * information (pi.h).
 */
#include "ssd/io/io.h"
#include "ssd/step.h"
#include "ssd/queue/transfer.h"

uint16_t ssd_io_read_bounced(struct ssd *ssd, struct ssd_ctx *c)
{
	const struct ssd_pi pi = ssd_pi_of(c);
	uint64_t slba = ssd_io_slba(c);
	uint32_t nlb = ssd_io_nlb(c);
	uint16_t sc = ssd_transfer_check(ssd, c, nlb, &pi);
	int mapped;

	if (!sc)
		sc = ssd_io_check_range(c->ns, c, slba, nlb);
	if (sc)
		return sc;
	mapped = ssd_io_load(ssd, c, slba, nlb);
	if (mapped < 0)
		return ssd_io_media_error(ssd, c, mapped);
	sc = ssd_io_check_mapped(c->ns, mapped, nlb);
	if (!sc)
		sc = ssd_transfer_out(ssd, c, slba, nlb, &pi);
	if (!sc)
		ssd_io_count_read(ssd, c, nlb, mapped);
	return sc;
}

uint16_t ssd_io_write_bounced(struct ssd *ssd, struct ssd_ctx *c)
{
	const struct ssd_pi pi = ssd_pi_of(c);
	uint64_t slba = ssd_io_slba(c);
	uint32_t nlb = ssd_io_nlb(c);
	uint16_t sc = ssd_transfer_check(ssd, c, nlb, &pi);
	int rc;

	if (!sc)
		sc = ssd_io_check_range(c->ns, c, slba, nlb);
	if (!sc)
		sc = ssd_transfer_in(ssd, c, slba, nlb, &pi);
	if (sc)
		return sc;
	rc = ssd_io_store(ssd, c, slba, nlb);
	if (rc)
		return ssd_io_media_error(ssd, c, rc);
	ssd_io_count_write(ssd, c, nlb);
	return 0;
}

/* Media to bounce buffers. Return: LBAs mapped, or -errno. */
int ssd_io_load(struct ssd *ssd, struct ssd_ctx *c, uint64_t slba, uint32_t nlb)
{
	struct ssd_media *m = c->ns->media;
	uint8_t *meta = ssd_transfer_meta(ssd, c);

	if (c->fault)
		return ssd_fault_load(ssd, c, slba, nlb, meta);
	return m->ops->read(m, slba, nlb, ssd->bounce, meta);
}

/* Bounce buffers to media. */
int ssd_io_store(struct ssd *ssd, struct ssd_ctx *c, uint64_t slba, uint32_t nlb)
{
	struct ssd_media *m = c->ns->media;
	uint8_t *meta = ssd_transfer_meta(ssd, c);

	if (c->fault)
		return ssd_fault_store(ssd, c, slba, nlb, meta);
	ssd_cache_write(c->ctrl, c->ns, slba, nlb, NVME_GET(c->sqe.cdw12, RW_FUA));
	return m->ops->write(m, slba, nlb, ssd->bounce, meta);
}
