/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * media.h - where the LBAs of a namespace are kept.
 *
 * A medium stores units of lba_bytes data and ms_bytes metadata. It knows three states of
 * an LBA, and nothing of commands, caches or time.
 */
#ifndef PYNVME_SSD_MEDIA_MEDIA_H
#define PYNVME_SSD_MEDIA_MEDIA_H

#include <stdbool.h>
#include <stdint.h>

#include "ssd/options.h"

enum ssd_lba_state {
	SSD_LBA_UNMAPPED, /* reads as zeros (metadata: all ones, so that PI is not checked) */
	SSD_LBA_MAPPED,
	SSD_LBA_UNCORRECTABLE,
};

struct ssd_media;

/**
 * struct ssd_media_ops - one kind of medium; ranges were checked by the caller
 * @read: @nlb LBAs into @data, and their metadata into @meta unless NULL.
 *        Return: LBAs that were mapped, or -EIO with bad_lba the first uncorrectable one
 * @write: Return: 0, -ENOSPC, -EIO
 * @unmap: forget, and give memory back
 * @spoil: make uncorrectable until written
 * @erase: unmap everything
 */
struct ssd_media_ops {
	int (*read)(struct ssd_media *m, uint64_t lba, uint32_t nlb, void *data, void *meta);
	int (*write)(struct ssd_media *m, uint64_t lba, uint32_t nlb, const void *data,
		     const void *meta);
	void (*unmap)(struct ssd_media *m, uint64_t lba, uint64_t nlb);
	int (*spoil)(struct ssd_media *m, uint64_t lba, uint64_t nlb);
	enum ssd_lba_state (*state)(struct ssd_media *m, uint64_t lba);
	void (*erase)(struct ssd_media *m);
	uint64_t (*bytes)(const struct ssd_media *m);
	void (*destroy)(struct ssd_media *m);
};

/**
 * struct ssd_media - embedded first in each kind
 * @moves: false for null media: data is neither stored nor transferred
 */
struct ssd_media {
	const struct ssd_media_ops *ops;
	uint32_t lba_bytes;
	uint32_t ms_bytes;
	uint64_t nlb;
	uint64_t bad_lba;
	bool moves;
};

struct ssd_store;

/**
 * ssd_media_create() - an empty medium (a file medium: as it was left)
 * @store: the file of a file medium
 * @index: which namespace, zero based; a file medium keeps each in a place of its own
 * Errors: -ENOMEM
 */
int ssd_media_create(struct ssd_media **out, const struct ssd_options *opts,
		     const struct ssd_store *store, unsigned int index, uint64_t nlb,
		     uint32_t lba_bytes, uint32_t ms_bytes);
int ssd_media_ram_create(struct ssd_media **out, const struct ssd_options *opts, uint64_t nlb,
			 uint32_t lba_bytes, uint32_t ms_bytes);
int ssd_media_file_create(struct ssd_media **out, const struct ssd_store *store, unsigned int index,
			  uint64_t nlb, uint32_t lba_bytes, uint32_t ms_bytes);
int ssd_media_null_create(struct ssd_media **out, uint64_t nlb, uint32_t lba_bytes,
			  uint32_t ms_bytes);
void ssd_media_destroy(struct ssd_media *m);

#endif
