/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * store.h - the file of a drive with media=file: what outlives the process.
 *
 *   0		struct ssd_store_header: identity, namespaces, counters, saved features
 *   1 MiB	namespace 1: data, metadata, one byte of state an LBA; sparse
 *   ...	namespace 2, a region further
 *
 * The file is locked while it is open. A killed process leaves data as of the last command
 * that completed; counters as of the last flush, shutdown or power-off.
 */
#ifndef PYNVME_SSD_STORE_H
#define PYNVME_SSD_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "ssd/options.h"

#define SSD_STORE_NAMESPACES 32
#define SSD_STORE_DATA	     (1ull << 20)

struct ssd;

struct ssd_store_ns {
	uint64_t bytes;
	uint8_t exists;
	uint8_t attached;
	uint8_t lbaf;
	uint8_t extended;
	uint8_t pi_type;
	uint8_t pi_first;
	uint8_t rsvd[2];
};

/**
 * struct ssd_store_header - at the beginning of the file
 * @clean: closed in an orderly way
 */
struct ssd_store_header {
	char magic[8];
	uint32_t version;
	uint32_t clean;
	uint64_t size_bytes;
	uint64_t ms_bytes;
	uint64_t nns;
	struct ssd_store_ns ns[SSD_STORE_NAMESPACES];
	uint64_t counters[8]; /* struct ssd_health's, in order of ssd_store_save() */
	uint32_t saved_features[256];
};

struct ssd_store {
	struct ssd_store_header h;
	uint64_t region_bytes;
	int fd;	    /* -1: no file medium */
	int pid;    /* who opened it: a forked child must not write */
	bool fresh; /* there was nothing in the file */
};

/*
 * Open or make the file of @opts, none unless media=file.
 * Errors: -EBUSY in use by another process, -EINVAL not such a file, or one of another
 * geometry, -errno; each with a text.
 */
int ssd_store_open(struct ssd_store *store, const struct ssd_options *opts);
void ssd_store_close(struct ssd_store *store);

/* Take over what the file holds of namespaces, counters and features; after they were made. */
void ssd_store_load(struct ssd *ssd);
/* Write the header. @clean: nothing more will come. */
void ssd_store_save(struct ssd *ssd, bool clean);

#endif
