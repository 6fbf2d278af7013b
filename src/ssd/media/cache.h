/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cache.h - the volatile write cache: what a power loss may undo.
 *
 * The media always holds the newest data; the cache remembers, in order, what each unflushed
 * write replaced. A flush forgets that, the oldest writes are forgotten beyond the size of
 * the cache ("destaged"), and a power loss plays some of it back.
 */
#ifndef PYNVME_SSD_MEDIA_CACHE_H
#define PYNVME_SSD_MEDIA_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ssd;
struct ssd_ctrl;
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
bool ssd_cache_enabled(const struct ssd_ctrl *ctrl);

/* LBAs of @ns are about to be overwritten; @fua: for good. */
void ssd_cache_write(struct ssd_ctrl *ctrl, struct ssd_ns *ns, uint64_t slba, uint32_t nlb,
		     bool fua);
/* Everything written so far is on the media for good. */
void ssd_cache_flush(struct ssd *ssd);
/* The same for one LBA range (FUA, deallocation): older notes of it are void. */
void ssd_cache_settle(struct ssd *ssd, struct ssd_ns *ns, uint64_t slba, uint64_t nlb);
/* Power was lost: each unflushed write is kept, lost or (above AWUPF) torn. */
void ssd_cache_lose(struct ssd *ssd);

/*
 * The same kind of notes for stale reads (fault.h), which no flush drops: what an LBA held
 * before its last write, into @data and @meta (unless NULL); false when nobody noted it.
 */
bool ssd_cache_before(const struct ssd_cache *notes, const struct ssd_ns *ns, uint64_t lba,
		      uint8_t *data, uint8_t *meta);
/* Drop all notes of a namespace whose contents or format are gone; NULL: of all. */
void ssd_cache_forget(struct ssd *ssd, const struct ssd_ns *ns);

#endif
