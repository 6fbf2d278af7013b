/* SPDX-License-Identifier: BSD-3-Clause */
#include "ssd/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ssd/device.h"

/* An LBA as it was: state, then data and metadata if it was mapped. */
struct ssd_cache_write {
	struct ssd_cache_write *newer;
	struct ssd_cache_write *older;
	struct ssd_ns *ns;
	uint64_t slba;
	uint32_t nlb;
	uint64_t settled_lbas; /* of nlb; all of them: nothing to undo */
	uint8_t *state;	       /* nlb bytes: enum ssd_lba_state, or SETTLED */
	uint8_t *data;	       /* nlb units of data and metadata, only if any was mapped */
};

#define SETTLED	    0xffu
#define STALE_BYTES (16u << 20)

bool ssd_cache_enabled(const struct ssd *ssd)
{
	return ssd->opts.cache_bytes &&
	       NVME_GET(ssd->feat.current[NVME_FEAT_VOLATILE_WRITE_CACHE], VWC_WCE);
}

static size_t unit_bytes(const struct ssd_ns *ns)
{
	return ns->lba_bytes + ns->ms_bytes;
}

static void drop(struct ssd_cache *cache, struct ssd_cache_write *w)
{
	*(w->older ? &w->older->newer : &cache->oldest) = w->newer;
	*(w->newer ? &w->newer->older : &cache->newest) = w->older;
	cache->bytes -= (uint64_t)w->nlb << w->ns->lba_shift;
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
	bool any = false;

	for (uint32_t i = 0; i < w->nlb; i++) {
		w->state[i] = (uint8_t)m->ops->state(m, w->slba + i);
		any |= w->state[i] == SSD_LBA_MAPPED;
	}
	if (!any)
		return 0;
	w->data = malloc(w->nlb * unit);
	if (!w->data)
		return -ENOMEM;
	for (uint32_t i = 0; i < w->nlb; i++) {
		uint8_t *at = w->data + i * unit;

		if (w->state[i] == SSD_LBA_MAPPED)
			m->ops->read(m, w->slba + i, 1, at,
				     w->ns->ms_bytes ? at + w->ns->lba_bytes : NULL);
	}
	return 0;
}

/* Without memory for the note the write simply is not undone. */
static void note(struct ssd_cache *cache, uint64_t limit_bytes, struct ssd_ns *ns, uint64_t slba,
		 uint32_t nlb)
{
	struct ssd_cache_write *w = malloc(sizeof(*w) + nlb);

	if (!w)
		return;
	*w = (struct ssd_cache_write){ .ns = ns, .slba = slba, .nlb = nlb };
	w->state = (uint8_t *)(w + 1);
	if (record(w)) {
		free(w);
		return;
	}
	w->older = cache->newest;
	*(cache->newest ? &cache->newest->newer : &cache->oldest) = w;
	cache->newest = w;
	cache->bytes += (uint64_t)nlb << ns->lba_shift;
	while (cache->bytes > limit_bytes)
		drop(cache, cache->oldest);
}

void ssd_cache_write(struct ssd *ssd, struct ssd_ns *ns, uint64_t slba, uint32_t nlb, bool fua)
{
	if (!ns->media->moves)
		return;
	if (ssd->faults.nstale)
		note(&ssd->stale, STALE_BYTES, ns, slba, nlb);
	if (!ssd_cache_enabled(ssd))
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

void ssd_cache_settle(struct ssd *ssd, struct ssd_ns *ns, uint64_t slba, uint64_t nlb)
{
	struct ssd_cache_write *w, *newer;

	for (w = ssd->cache.oldest; w; w = newer) {
		uint64_t from = slba > w->slba ? slba : w->slba;
		uint64_t to = slba + nlb < w->slba + w->nlb ? slba + nlb : w->slba + w->nlb;

		newer = w->newer;
		if (w->ns != ns)
			continue;
		for (uint64_t lba = from; lba < to; lba++) {
			w->settled_lbas += w->state[lba - w->slba] != SETTLED;
			w->state[lba - w->slba] = SETTLED;
		}
		if (w->settled_lbas == w->nlb)
			drop(&ssd->cache, w);
	}
}

/* Put back what LBA @i of @w was. @torn: only its first half reached the media. */
static void undo(struct ssd *ssd, struct ssd_cache_write *w, uint32_t i, bool torn)
{
	const struct ssd_ns *ns = w->ns;
	struct ssd_media *m = ns->media;
	uint64_t lba = w->slba + i;
	uint8_t *old = w->data ? w->data + i * unit_bytes(ns) : NULL;

	if (torn && w->state[i] != SSD_LBA_UNCORRECTABLE) {
		uint8_t *now = ssd->bounce;
		uint32_t half = ns->lba_bytes / 2;

		if (m->ops->read(m, lba, 1, now, ns->ms_bytes ? now + ns->lba_bytes : NULL) < 0)
			return;
		if (w->state[i] == SSD_LBA_MAPPED)
			memcpy(now + half, old + half, half);
		else
			memset(now + half, 0, half);
		m->ops->write(m, lba, 1, now, ns->ms_bytes ? now + ns->lba_bytes : NULL);
	} else if (w->state[i] == SSD_LBA_MAPPED) {
		m->ops->write(m, lba, 1, old, ns->ms_bytes ? old + ns->lba_bytes : NULL);
	} else if (w->state[i] == SSD_LBA_UNMAPPED) {
		m->ops->unmap(m, lba, 1);
	} else {
		m->ops->spoil(m, lba, 1);
	}
}

/* LBAs that reached the media: older notes of them are void. */
static void keep(struct ssd *ssd, struct ssd_cache_write *w, uint32_t i)
{
	for (struct ssd_cache_write *o = w->older; o; o = o->older)
		if (o->ns == w->ns && w->slba + i - o->slba < o->nlb)
			o->state[w->slba + i - o->slba] = SETTLED;
}

/*
 * The newest write first: what it kept is final. A write within AWUPF is kept or lost as a
 * whole; a longer one LBA by LBA, and one of its LBAs may be torn.
 */
static void lose_write(struct ssd *ssd, struct ssd_cache_write *w)
{
	bool atomic = w->nlb <= ssd->opts.awupf + 1;
	bool kept = rand_next(&ssd->rand) & 1;
	uint32_t torn = atomic ? UINT32_MAX : (uint32_t)rand_below(&ssd->rand, 2 * w->nlb);

	for (uint32_t i = 0; i < w->nlb; i++) {
		if (w->state[i] == SETTLED)
			continue;
		if (!atomic)
			kept = rand_next(&ssd->rand) & 1;
		if (!kept)
			undo(ssd, w, i, i == torn);
		if (kept || i == torn)
			keep(ssd, w, i);
	}
}

void ssd_cache_lose(struct ssd *ssd)
{
	while (ssd->cache.newest) {
		lose_write(ssd, ssd->cache.newest);
		drop(&ssd->cache, ssd->cache.newest);
	}
}
