/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * options.h - what the `sim:` address can say, one field an option.
 *
 * A new option is a field here and a line in the table of options.c. The unit is in the name.
 */
#ifndef PYNVME_SSD_OPTIONS_H
#define PYNVME_SSD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum ssd_media_kind {
	SSD_MEDIA_RAM,
	SSD_MEDIA_FILE,
	SSD_MEDIA_NULL,
};

enum ssd_latency_kind {
	SSD_LATENCY_FAST,
	SSD_LATENCY_NONE,
};

#define SSD_STRING_MAX 256

struct ssd_options {
	/* geometry */
	uint64_t size_bytes;
	uint64_t lba_bytes;
	uint64_t ms_bytes;
	uint64_t ns;
	uint64_t mdts_bytes;
	/* controller */
	uint64_t version; /* as the VS register */
	uint64_t ioqueues;
	uint64_t mqes;
	uint64_t aerl;
	uint64_t fuses;
	uint64_t to_ns;
	uint64_t enable_ns;
	uint64_t shutdown_ns;
	uint64_t hmpre_bytes;
	uint64_t vid;
	char sn[SSD_STRING_MAX];
	char mn[SSD_STRING_MAX];
	char fr[SSD_STRING_MAX];
	/* media */
	uint64_t media;
	char file[SSD_STRING_MAX];
	uint64_t mem_bytes;
	uint64_t cache_bytes;
	uint64_t awupf;
	/* time */
	uint64_t latency;
	uint64_t read_ns;
	uint64_t unmapped_ns;
	uint64_t write_ns;
	uint64_t fua_ns;
	uint64_t jitter_percent;
	uint64_t tail_ns;
	uint64_t erase_ns;
	uint64_t dst_ns;
	uint64_t dst_extended_ns;
	uint64_t sanitize_ns;
	/* the rest */
	uint64_t temperature_kelvin;
	uint64_t seed;
	uint64_t thread_always;
};

/**
 * ssd_options_parse() - @text over the defaults
 * Errors: -EINVAL with a text naming the option, what is wrong and what is known.
 */
int ssd_options_parse(struct ssd_options *opts, const char *text);

#endif
