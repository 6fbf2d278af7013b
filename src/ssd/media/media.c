/* SPDX-License-Identifier: BSD-3-Clause */
#include "ssd/media/media.h"

int ssd_media_create(struct ssd_media **out, const struct ssd_options *opts,
		     const struct ssd_store *store, unsigned int index, uint64_t nlb,
		     uint32_t lba_bytes, uint32_t ms_bytes)
{
	switch (opts->media) {
	case SSD_MEDIA_NULL:
		return ssd_media_null_create(out, nlb, lba_bytes, ms_bytes);
	case SSD_MEDIA_FILE:
		return ssd_media_file_create(out, store, index, nlb, lba_bytes, ms_bytes);
	default:
		return ssd_media_ram_create(out, opts, nlb, lba_bytes, ms_bytes);
	}
}

void ssd_media_destroy(struct ssd_media *m)
{
	if (m)
		m->ops->destroy(m);
}
