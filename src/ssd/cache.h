/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cache.h - the volatile write cache: what a power loss may undo.
 *
 * The media always holds the newest data; the cache remembers, in order, what each unflushed
 * write replaced. A flush forgets that, the oldest writes are forgotten beyond the size of
 * the cache ("destaged"), and a power loss plays some of it back.
 */
#ifndef PYNVME_SSD_CACHE_H
#define PYNVME_SSD_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ssd;
struct ssd_ns;

struct ssd_cache_write;

/**
 * struct ssd_cache
 * @oldest, @newest: unflushed writes
 * @bytes: data of theirs
 */
struct ssd_cache {
	struct ssd_cache_write *oldest;
	struct ssd_cache_write *newest;
	uint64_t bytes;
};

/* Is the cache there and enabled (feature 06h)? */
bool ssd_cache_enabled(const struct ssd *ssd);

/*
 * Remember what LBAs of @ns hold before they are overwritten. 0, or -ENOMEM after which the
 * write simply is not undone.
 */
int ssd_cache_note(struct ssd *ssd, struct ssd_ns *ns, uint64_t slba, uint32_t nlb);
/* Everything written so far is on the media for good. */
void ssd_cache_flush(struct ssd *ssd);
/* The same for one LBA range (FUA, deallocation): older notes of it are dropped. */
void ssd_cache_settle(struct ssd *ssd, struct ssd_ns *ns, uint64_t slba, uint64_t nlb);
/* Power was lost: each unflushed write is kept, lost or (above AWUPF) torn. */
void ssd_cache_lose(struct ssd *ssd);

#endif
