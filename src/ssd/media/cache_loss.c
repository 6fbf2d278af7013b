/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a power loss does to the cache: the notes are played back, the newest write first.
 * What a newer write brought to the media is final for that LBA, whatever older ones say.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ssd/media/cache_note.h"
#include "ssd/device.h"

/* Marks longer than this are kept as ranges, not LBA by LBA. */
#define LONG_MARK_LBAS 1024u

struct range {
	const struct ssd_ns *ns;
	uint64_t slba;
	uint64_t nlb;
};

/**
 * struct final - LBAs that are decided
 * @key: a hash set of namespace and LBA, 0 is free
 * @range: long marks
 */
struct final {
	uint64_t *key;
	size_t room; /* a power of two */
	size_t n;
	struct range *range;
	size_t nranges;
};

static uint64_t key_of(const struct ssd_ns *ns, uint64_t lba)
{
	return (uint64_t)ns->nsid << 56 | lba;
}

static uint64_t *slot_of(const struct final *f, uint64_t key)
{
	size_t i = rand_mix(key) & (f->room - 1);

	while (f->key[i] && f->key[i] != key)
		i = (i + 1) & (f->room - 1);
	return &f->key[i];
}

static bool grow(struct final *f)
{
	struct final bigger = { .room = f->room ? 2 * f->room : 1024 };

	bigger.key = calloc(bigger.room, sizeof(*bigger.key));
	if (!bigger.key)
		return false;
	for (size_t i = 0; i < f->room; i++)
		if (f->key[i])
			*slot_of(&bigger, f->key[i]) = f->key[i];
	free(f->key);
	f->key = bigger.key;
	f->room = bigger.room;
	return true;
}

static bool decide(struct final *f, const struct ssd_ns *ns, uint64_t lba)
{
	uint64_t *slot;

	if (2 * f->n >= f->room && !grow(f))
		return false;
	slot = slot_of(f, key_of(ns, lba));
	f->n += !*slot;
	*slot = key_of(ns, lba);
	return true;
}

static bool decide_range(struct final *f, const struct ssd_cache_write *w)
{
	struct range *range;

	for (uint64_t i = 0; w->nlb <= LONG_MARK_LBAS && i < w->nlb; i++)
		if (!decide(f, w->ns, w->slba + i))
			return false;
	if (w->nlb <= LONG_MARK_LBAS)
		return true;
	range = realloc(f->range, (f->nranges + 1) * sizeof(*range));
	if (!range)
		return false;
	range[f->nranges++] = (struct range){ w->ns, w->slba, w->nlb };
	f->range = range;
	return true;
}

static bool is_decided(const struct final *f, const struct ssd_ns *ns, uint64_t lba)
{
	if (f->room && *slot_of(f, key_of(ns, lba)))
		return true;
	for (size_t i = 0; i < f->nranges; i++)
		if (f->range[i].ns == ns && lba - f->range[i].slba < f->range[i].nlb)
			return true;
	return false;
}

/* Put back what LBA @i of @w was. @torn: only its first half reached the media. */
static void undo(struct ssd *ssd, const struct ssd_cache_write *w, uint64_t i, bool torn)
{
	const struct ssd_ns *ns = w->ns;
	struct ssd_media *m = ns->media;
	uint64_t lba = w->slba + i;
	const uint8_t *old = w->data ? w->data + i * (ns->lba_bytes + ns->ms_bytes) : NULL;
	uint8_t *now = ssd->bounce, *meta = ns->ms_bytes ? ssd->bounce_meta : NULL;
	uint32_t half = ns->lba_bytes / 2;

	if (torn && w->state[i] != SSD_LBA_UNCORRECTABLE) {
		if (m->ops->read(m, lba, 1, now, meta) < 0)
			return;
		if (w->state[i] == SSD_LBA_MAPPED)
			memcpy(now + half, old + half, half);
		else
			memset(now + half, 0, half);
		m->ops->write(m, lba, 1, now, meta);
	} else if (w->state[i] == SSD_LBA_MAPPED) {
		m->ops->write(m, lba, 1, old, meta ? old + ns->lba_bytes : NULL);
	} else if (w->state[i] == SSD_LBA_UNMAPPED) {
		m->ops->unmap(m, lba, 1);
	} else {
		m->ops->spoil(m, lba, 1);
	}
}

/*
 * A write within AWUPF is kept or lost as a whole; a longer one LBA by LBA, and one of its
 * LBAs may be torn. False: no memory to remember what was decided.
 */
static bool lose_write(struct ssd *ssd, struct final *f, const struct ssd_cache_write *w)
{
	bool atomic = w->nlb <= ssd->opts.awupf + 1;
	bool kept = rand_next(&ssd->rand) & 1;
	uint64_t torn = atomic ? UINT64_MAX : rand_below(&ssd->rand, 2 * w->nlb);

	for (uint64_t i = 0; i < w->nlb; i++) {
		if (is_decided(f, w->ns, w->slba + i))
			continue;
		if (!atomic)
			kept = rand_next(&ssd->rand) & 1;
		if ((kept || i == torn) && !decide(f, w->ns, w->slba + i))
			return false;
		if (!kept)
			undo(ssd, w, i, i == torn);
	}
	return true;
}

void ssd_cache_lose(struct ssd *ssd)
{
	struct final f = { 0 };
	bool going = true;

	for (struct ssd_cache_write *w = ssd->cache.newest; w && going; w = w->older)
		going = w->state ? lose_write(ssd, &f, w) : decide_range(&f, w);
	free(f.key);
	free(f.range);
	ssd_cache_flush(ssd);
}
