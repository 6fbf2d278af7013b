/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Compare and Verify: NVM 1.1 sections 3.2.1 and 3.2.7. A mismatch is 02/85; protection
 * information is checked as PRINFO says and is not part of the comparison.
 */
#include <stdlib.h>
#include <string.h>

#include "ssd/io/io.h"
#include "ssd/queue/transfer.h"

static bool same_meta(const struct ssd_ns *ns, const uint8_t *a, const uint8_t *b)
{
	size_t skip = ns->pi_type ? SSD_PI_BYTES : 0;

	if (ns->pi_type && ns->pi_first)
		return !memcmp(a + skip, b + skip, ns->ms_bytes - skip);
	return !memcmp(a, b, ns->ms_bytes - skip);
}

/* Media against bounce buffers, an LBA at a time. */
static uint16_t compare(struct ssd *ssd, struct ssd_ctx *c, uint64_t slba, uint32_t nlb)
{
	const struct ssd_ns *ns = c->ns;
	uint8_t data[4096], meta[64];

	for (uint32_t i = 0; i < nlb; i++) {
		int rc = ns->media->ops->read(ns->media, slba + i, 1, data,
					      ns->ms_bytes ? meta : NULL);

		if (rc < 0)
			return ssd_io_media_error(ssd, c, rc);
		if (memcmp(data, ssd->bounce + (size_t)i * ns->lba_bytes, ns->lba_bytes) ||
		    !same_meta(ns, meta, ssd->bounce_meta + (size_t)i * ns->ms_bytes)) {
			c->error_lba = slba + i;
			return NVME_SC_COMPARE_FAILURE;
		}
	}
	return 0;
}

uint16_t ssd_io_compare(struct ssd *ssd, struct ssd_ctx *c)
{
	struct ssd_pi pi = ssd_pi_of(c);
	uint64_t slba = ssd_io_slba(c);
	uint32_t nlb = ssd_io_nlb(c);
	uint16_t sc;

	/* there is nothing to insert or strip */
	pi.prinfo &= ~NVME_PRINFO_PRACT;
	sc = ssd_transfer_check(ssd, c, nlb, &pi);
	if (!sc)
		sc = ssd_io_check_range(c->ns, c, slba, nlb);
	if (!sc)
		sc = ssd_transfer_in(ssd, c, slba, nlb, &pi);
	if (!sc)
		sc = c->ns->media->moves ? compare(ssd, c, slba, nlb) : 0;
	if (sc)
		return sc;
	ssd_io_count_read(ssd, c, nlb, (int)nlb);
	return 0;
}

uint16_t ssd_io_verify(struct ssd *ssd, struct ssd_ctx *c)
{
	struct ssd_pi pi = ssd_pi_of(c);
	uint64_t slba = ssd_io_slba(c);
	uint32_t nlb = ssd_io_nlb(c), room = ssd->mdts_bytes / c->ns->lba_bytes, step;
	uint16_t sc = ssd_io_check_range(c->ns, c, slba, nlb);

	if (!sc)
		sc = ssd_pi_check_command(c->ns, &pi, slba);
	for (uint32_t done = 0; !sc && done < nlb; done += step, pi.reftag += step) {
		int rc;

		step = nlb - done < room ? nlb - done : room;
		rc = ssd_io_load(ssd, c, slba + done, step);
		if (rc < 0)
			return ssd_io_media_error(ssd, c, rc);
		sc = ssd_io_check_mapped(c->ns, rc, step);
		if (!sc)
			sc = ssd_pi_check(c->ns, c, &pi, slba + done, step, ssd->bounce,
					  ssd->bounce_meta);
	}
	if (!sc && !ssd->instant)
		c->latency_ns += ssd_latency_ns(ssd, ssd->opts.read_ns);
	return sc;
}
