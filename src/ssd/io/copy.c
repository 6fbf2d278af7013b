/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copy: NVM 1.1 section 3.2.2, descriptor format 0h.
 *
 *   format not supported			00/02
 *   ranges above MSRC, LBAs above MSSRL or MCL	01/83
 *   source or destination out of range		00/80
 */
#include <stdlib.h>

#include "ssd/io/io.h"
#include "ssd/queue/transfer.h"

/* One source range, loaded behind what is there already. */
struct copy {
	uint8_t *data;
	uint8_t *meta;
	uint32_t nlb;
};

static uint16_t check_ranges(struct ssd_ctx *c, const struct nvme_copy_range *range, uint32_t n,
			     uint32_t *total)
{
	*total = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t nlb = range[i].nlb + 1u;
		uint16_t sc;

		*total += nlb;
		if (nlb > SSD_COPY_MSSRL || *total > SSD_COPY_MCL)
			return NVME_SC_SIZE_LIMIT_EXCEEDED;
		sc = ssd_io_check_range(c->ns, c, range[i].slba, nlb);
		if (sc)
			return sc;
	}
	return ssd_io_check_range(c->ns, c, ssd_io_slba(c), *total);
}

static uint16_t load(struct ssd *ssd, struct ssd_ctx *c, struct copy *copy,
		     const struct nvme_copy_range *range)
{
	const struct ssd_pi pi = {
		.prinfo = NVME_GET(c->sqe.cdw12, COPY_PRINFOR),
		.reftag = range->elbt,
		.apptag = range->elbat,
		.appmask = range->elbatm,
	};
	struct ssd_ns *ns = c->ns;
	uint8_t *data = copy->data + (size_t)copy->nlb * ns->lba_bytes;
	uint8_t *meta = copy->meta + (size_t)copy->nlb * ns->ms_bytes;
	uint32_t nlb = range->nlb + 1u;
	int rc =
		ns->media->ops->read(ns->media, range->slba, nlb, data, ns->ms_bytes ? meta : NULL);

	if (rc < 0)
		return ssd_io_media_error(ssd, c, rc);
	copy->nlb += nlb;
	return ssd_pi_check(ns, c, &pi, range->slba, nlb, data, meta);
}

static uint16_t store(struct ssd *ssd, struct ssd_ctx *c, struct copy *copy)
{
	const struct ssd_pi pi = ssd_pi_of(c);
	struct ssd_ns *ns = c->ns;
	uint64_t slba = ssd_io_slba(c);
	uint16_t sc = ssd_pi_check_command(ns, &pi, slba);
	int rc;

	if (sc)
		return sc;
	if (ns->pi_type && pi.prinfo & NVME_PRINFO_PRACT)
		ssd_pi_make(ns, &pi, copy->nlb, copy->data, copy->meta);
	else
		sc = ssd_pi_check(ns, c, &pi, slba, copy->nlb, copy->data, copy->meta);
	if (sc)
		return sc;
	ssd_cache_write(c->ctrl, ns, slba, copy->nlb, NVME_GET(c->sqe.cdw12, RW_FUA));
	rc = ns->media->ops->write(ns->media, slba, copy->nlb, copy->data,
				   ns->ms_bytes ? copy->meta : NULL);
	return rc ? ssd_io_media_error(ssd, c, rc) : 0;
}

uint16_t ssd_io_copy(struct ssd *ssd, struct ssd_ctx *c)
{
	struct nvme_copy_range range[SSD_COPY_RANGES];
	uint32_t n = NVME_GET(c->sqe.cdw12, COPY_NR) + 1, total;
	const struct ssd_ns *ns = c->ns;
	struct copy copy = { 0 };
	uint16_t sc;

	if (NVME_GET(c->sqe.cdw12, COPY_DESFMT)) {
		c->error_loc = SSD_LOC(49, 0);
		return NVME_SC_INVALID_FIELD;
	}
	if (n > SSD_COPY_RANGES)
		return NVME_SC_SIZE_LIMIT_EXCEEDED;
	sc = ssd_data_from_host(ssd, c, range, n * sizeof(range[0]));
	if (!sc)
		sc = check_ranges(c, range, n, &total);
	if (sc)
		return sc;
	copy.data = malloc((size_t)total * (ns->lba_bytes + ns->ms_bytes));
	if (!copy.data)
		return NVME_SC_INTERNAL_ERROR;
	copy.meta = copy.data + (size_t)total * ns->lba_bytes;
	for (uint32_t i = 0; i < n && !sc; i++)
		sc = load(ssd, c, &copy, &range[i]);
	if (!sc)
		sc = store(ssd, c, &copy);
	free(copy.data);
	if (!sc && !ssd->instant)
		c->latency_ns += ssd_latency_ns(ssd, ssd->opts.read_ns + ssd->opts.write_ns);
	return sc;
}
