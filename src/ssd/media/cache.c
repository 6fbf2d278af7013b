/* SPDX-License-Identifier: BSD-3-Clause */
#include "ssd/media/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ssd/media/cache_note.h"
#include "ssd/device.h"

#define MARK_BYTES  512u
#define STALE_BYTES (16u << 20)

bool ssd_cache_enabled(const struct ssd_ctrl *ctrl)
{
	return ctrl->ssd->opts.cache_bytes &&
	       NVME_GET(ctrl->feat.current[NVME_FEAT_VOLATILE_WRITE_CACHE], VWC_WCE);
}

static size_t unit_bytes(const struct ssd_ns *ns)
{
	return ns->lba_bytes + ns->ms_bytes;
}

static void drop(struct ssd_cache *cache, struct ssd_cache_write *w)
{
	*(w->older ? &w->older->newer : &cache->oldest) = w->newer;
	*(w->newer ? &w->newer->older : &cache->newest) = w->older;
	cache->bytes -= w->bytes;
	free(w->data);
	free(w);
}

void ssd_cache_flush(struct ssd *ssd)
{
	while (ssd->cache.oldest)
		drop(&ssd->cache, ssd->cache.oldest);
}

/* States of all LBAs, and what the mapped ones hold. */
static int record(struct ssd_cache_write *w)
{
	const size_t unit = unit_bytes(w->ns);
	struct ssd_media *m = w->ns->media;
	bool any = false, bad = false;

	for (uint64_t i = 0; i < w->nlb; i++) {
		w->state[i] = (uint8_t)m->ops->state(m, w->slba + i);
		any |= w->state[i] == SSD_LBA_MAPPED;
		bad |= w->state[i] == SSD_LBA_UNCORRECTABLE;
	}
	if (!any)
		return 0;
	w->data = malloc(w->nlb * unit);
	if (!w->data)
		return -ENOMEM;
	if (!bad && !w->ns->ms_bytes)
		return m->ops->read(m, w->slba, (uint32_t)w->nlb, w->data, NULL) < 0 ? -EIO : 0;
	for (uint64_t i = 0; i < w->nlb; i++) {
		uint8_t *at = w->data + i * unit;

		if (w->state[i] == SSD_LBA_MAPPED)
			m->ops->read(m, w->slba + i, 1, at,
				     w->ns->ms_bytes ? at + w->ns->lba_bytes : NULL);
	}
	return 0;
}

static void append(struct ssd_cache *cache, uint64_t limit_bytes, struct ssd_cache_write *w)
{
	w->older = cache->newest;
	*(cache->newest ? &cache->newest->newer : &cache->oldest) = w;
	cache->newest = w;
	cache->bytes += w->bytes;
	/* a mark with nothing before it says nothing */
	while (cache->oldest && (cache->bytes > limit_bytes || !cache->oldest->state))
		drop(cache, cache->oldest);
}

/* Without memory for the note the write simply is not undone. */
static void note(struct ssd_cache *cache, uint64_t limit_bytes, struct ssd_ns *ns, uint64_t slba,
		 uint32_t nlb)
{
	struct ssd_cache_write *w = malloc(sizeof(*w) + nlb);

	if (!w)
		return;
	*w = (struct ssd_cache_write){
		.ns = ns, .slba = slba, .nlb = nlb, .bytes = (uint64_t)nlb << ns->lba_shift
	};
	w->state = (uint8_t *)(w + 1);
	if (record(w)) {
		free(w->data);
		free(w);
		return;
	}
	append(cache, limit_bytes, w);
}

void ssd_cache_settle(struct ssd *ssd, struct ssd_ns *ns, uint64_t slba, uint64_t nlb)
{
	struct ssd_cache_write *w;

	if (!ssd->cache.newest || !nlb)
		return;
	w = malloc(sizeof(*w));
	if (!w) {
		ssd_cache_flush(ssd);
		return;
	}
	*w = (struct ssd_cache_write){ .ns = ns, .slba = slba, .nlb = nlb, .bytes = MARK_BYTES };
	append(&ssd->cache, ssd->opts.cache_bytes, w);
}

void ssd_cache_write(struct ssd_ctrl *ctrl, struct ssd_ns *ns, uint64_t slba, uint32_t nlb,
		     bool fua)
{
	struct ssd *ssd = ctrl->ssd;

	if (!ns->media->moves)
		return;
	if (ssd->faults.nstale)
		note(&ssd->stale, STALE_BYTES, ns, slba, nlb);
	if (!ssd_cache_enabled(ctrl))
		ssd_cache_flush(ssd);
	else if (fua)
		ssd_cache_settle(ssd, ns, slba, nlb);
	else
		note(&ssd->cache, ssd->opts.cache_bytes, ns, slba, nlb);
}

bool ssd_cache_before(const struct ssd_cache *notes, const struct ssd_ns *ns, uint64_t lba,
		      uint8_t *data, uint8_t *meta)
{
	const struct ssd_cache_write *w = notes->newest;
	const uint8_t *old;

	while (w && (w->ns != ns || lba - w->slba >= w->nlb))
		w = w->older;
	if (!w)
		return false;
	memset(data, 0, ns->lba_bytes);
	if (meta)
		memset(meta, 0xff, ns->ms_bytes);
	if (w->state[lba - w->slba] != SSD_LBA_MAPPED)
		return true;
	old = w->data + (lba - w->slba) * unit_bytes(ns);
	memcpy(data, old, ns->lba_bytes);
	if (meta)
		memcpy(meta, old + ns->lba_bytes, ns->ms_bytes);
	return true;
}

static void forget_in(struct ssd_cache *cache, const struct ssd_ns *ns)
{
	struct ssd_cache_write *w, *newer;

	for (w = cache->oldest; w; w = newer) {
		newer = w->newer;
		if (!ns || w->ns == ns)
			drop(cache, w);
	}
}

void ssd_cache_forget(struct ssd *ssd, const struct ssd_ns *ns)
{
	forget_in(&ssd->cache, ns);
	forget_in(&ssd->stale, ns);
}
