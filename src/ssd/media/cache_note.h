/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cache_note.h - the notes themselves, for cache.c and cache_loss.c.
 */
#ifndef PYNVME_SSD_MEDIA_CACHE_NOTE_H
#define PYNVME_SSD_MEDIA_CACHE_NOTE_H

#include <stdint.h>

struct ssd_ns;

/*
 * One write: LBAs as they were, state and, if any was mapped, data and metadata. Or, with
 * no states, a mark: what came before is settled in this range.
 */
struct ssd_cache_write {
	struct ssd_cache_write *newer;
	struct ssd_cache_write *older;
	struct ssd_ns *ns;
	uint64_t slba;
	uint64_t nlb;
	uint64_t bytes; /* counted against the size of the cache */
	uint8_t *state; /* nlb of enum ssd_lba_state; NULL: a mark */
	uint8_t *data;	/* nlb units of data and metadata, only if any was mapped */
};

#endif
