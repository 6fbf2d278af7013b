/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Faults that corrupt data on its way between media and bounce buffers.
 */
#include <errno.h>
#include <string.h>

#include "ssd/device.h"
#include "ssd/step.h"

/* Another LBA of the namespace, @value away, at which @nlb LBAs fit. */
static uint64_t elsewhere(const struct ssd_ns *ns, uint64_t slba, uint32_t nlb, int64_t value)
{
	uint64_t room = ns->nsze - nlb + 1;
	__int128 at = ((__int128)slba + (value ? value : (int64_t)nlb)) % room;

	return (uint64_t)(at < 0 ? at + room : at);
}

static void flip_bit(struct ssd *ssd, const struct ssd_ctx *c, uint32_t nlb)
{
	uint64_t bit = rand_below(&ssd->rand, (uint64_t)nlb * c->ns->lba_bytes * 8);

	ssd->bounce[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

/*
 * The data before the last write: noted while the rule was there, or by the write cache; else
 * that of the drive when it was new.
 */
static void make_stale(struct ssd *ssd, const struct ssd_ns *ns, uint64_t lba, uint8_t *data,
		       uint8_t *meta)
{
	if (ssd_cache_before(&ssd->stale, ns, lba, data, meta) ||
	    ssd_cache_before(&ssd->cache, ns, lba, data, meta))
		return;
	memset(data, 0, ns->lba_bytes);
	if (meta)
		memset(meta, 0xff, ns->ms_bytes);
}

int ssd_fault_load(struct ssd *ssd, struct ssd_ctx *c, uint64_t slba, uint32_t nlb, uint8_t *meta)
{
	struct ssd_media *m = c->ns->media;
	int rc;

	if (c->fault == SSD_FAULT_MISDIRECTED + 1)
		slba = elsewhere(c->ns, slba, nlb, c->fault_value);
	rc = m->ops->read(m, slba, nlb, ssd->bounce, meta);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < nlb && c->fault == SSD_FAULT_STALE + 1; i++)
		make_stale(ssd, c->ns, slba + i, ssd->bounce + (size_t)i * m->lba_bytes,
			   meta ? meta + (size_t)i * m->ms_bytes : NULL);
	return rc;
}

/* What is left of the data on its way to the host, after it was checked. */
void ssd_fault_loaded(struct ssd *ssd, struct ssd_ctx *c, uint32_t nlb)
{
	if (c->fault == SSD_FAULT_BITFLIP + 1)
		flip_bit(ssd, c, nlb);
}

/* The first half of the LBAs is written; of a single LBA the first half of its bytes. */
static int store_torn(struct ssd *ssd, struct ssd_ctx *c, uint64_t slba, uint32_t nlb,
		      uint8_t *meta)
{
	struct ssd_media *m = c->ns->media;
	uint32_t half = m->lba_bytes / 2;
	uint8_t old[4096];

	if (nlb > 1)
		return m->ops->write(m, slba, nlb / 2, ssd->bounce, meta);
	if (m->ops->read(m, slba, 1, old, NULL) < 0)
		return 0;
	memcpy(ssd->bounce + half, old + half, half);
	return m->ops->write(m, slba, 1, ssd->bounce, meta);
}

int ssd_fault_store(struct ssd *ssd, struct ssd_ctx *c, uint64_t slba, uint32_t nlb, uint8_t *meta)
{
	struct ssd_media *m = c->ns->media;

	switch (c->fault - 1) {
	case SSD_FAULT_LOST:
		return 0;
	case SSD_FAULT_BITFLIP:
		flip_bit(ssd, c, nlb);
		break;
	case SSD_FAULT_MISDIRECTED:
		slba = elsewhere(c->ns, slba, nlb, c->fault_value);
		break;
	default:
		break;
	}
	ssd_cache_write(c->ctrl, c->ns, slba, nlb, NVME_GET(c->sqe.cdw12, RW_FUA));
	if (c->fault == SSD_FAULT_TORN + 1)
		return store_torn(ssd, c, slba, nlb, meta);
	return m->ops->write(m, slba, nlb, ssd->bounce, meta);
}
