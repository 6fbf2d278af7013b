/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * For benchmarks: nothing is stored, and no data moves in either direction.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "ssd/media/media.h"

static int null_read(struct ssd_media *m, uint64_t lba, uint32_t nlb, void *data, void *meta)
{
	return (int)nlb;
}

static int null_write(struct ssd_media *m, uint64_t lba, uint32_t nlb, const void *data,
		      const void *meta)
{
	return 0;
}

static void null_unmap(struct ssd_media *m, uint64_t lba, uint64_t nlb)
{
}

static int null_spoil(struct ssd_media *m, uint64_t lba, uint64_t nlb)
{
	return 0;
}

static enum ssd_lba_state null_state(struct ssd_media *m, uint64_t lba)
{
	return SSD_LBA_MAPPED;
}

static void null_erase(struct ssd_media *m)
{
}

static uint64_t null_bytes(const struct ssd_media *m)
{
	return 0;
}

static void null_destroy(struct ssd_media *m)
{
	free(m);
}

static const struct ssd_media_ops null_ops = {
	.read = null_read,
	.write = null_write,
	.unmap = null_unmap,
	.spoil = null_spoil,
	.state = null_state,
	.erase = null_erase,
	.bytes = null_bytes,
	.destroy = null_destroy,
};

int ssd_media_null_create(struct ssd_media **out, uint64_t nlb, uint32_t lba_bytes,
			  uint32_t ms_bytes)
{
	struct ssd_media *m = malloc(sizeof(*m));

	if (!m)
		return err_set(-ENOMEM, "sim: no memory for the media");
	*m = (struct ssd_media){ &null_ops, lba_bytes, ms_bytes, nlb, 0, false };
	*out = m;
	return 0;
}
