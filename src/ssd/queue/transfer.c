/* SPDX-License-Identifier: BSD-3-Clause */
#include "ssd/queue/transfer.h"

#include <sys/mman.h>

#include "ssd/device.h"
#include "ssd/step.h"

uint8_t *ssd_transfer_meta(struct ssd *ssd, const struct ssd_ctx *c)
{
	return c->ns->ms_bytes ? ssd->bounce_meta : NULL;
}

/* Metadata bytes an LBA has on the way to or from the host. */
static uint32_t moved_meta(const struct ssd_ns *ns, const struct ssd_pi *pi)
{
	return ssd_pi_stripped(ns, pi) ? 0 : ns->ms_bytes;
}

uint16_t ssd_transfer_check(struct ssd *ssd, struct ssd_ctx *c, uint32_t nlb,
			    const struct ssd_pi *pi)
{
	const struct ssd_ns *ns = c->ns;
	uint64_t unit = ns->lba_bytes + (ns->extended ? moved_meta(ns, pi) : 0);

	if (unit * nlb <= ssd->mdts_bytes)
		return 0;
	c->error_loc = SSD_LOC(48, 0);
	return NVME_SC_INVALID_FIELD;
}

/* Both directions differ in which copy they call. */
typedef void copy_fn(struct ssd *ssd, size_t off, uint8_t *buf, size_t len);

static void get(struct ssd *ssd, size_t off, uint8_t *buf, size_t len)
{
	ssd_dptr_get(ssd, off, buf, len);
}

static void put(struct ssd *ssd, size_t off, uint8_t *buf, size_t len)
{
	ssd_dptr_put(ssd, off, buf, len);
}

static uint16_t move(struct ssd *ssd, struct ssd_ctx *c, uint32_t nlb, const struct ssd_pi *pi,
		     int prot, copy_fn *copy)
{
	const struct ssd_ns *ns = c->ns;
	const uint32_t ms = moved_meta(ns, pi);
	uint16_t sc;

	if (ms && ns->extended) {
		sc = ssd_dptr_map(ssd, c, (size_t)nlb * (ns->lba_bytes + ms), prot);
		for (uint32_t i = 0; !sc && i < nlb; i++) {
			size_t off = (size_t)i * (ns->lba_bytes + ms);

			copy(ssd, off, ssd->bounce + (size_t)i * ns->lba_bytes, ns->lba_bytes);
			copy(ssd, off + ns->lba_bytes, ssd->bounce_meta + (size_t)i * ms, ms);
		}
		return sc;
	}
	sc = ssd_dptr_map(ssd, c, (size_t)nlb * ns->lba_bytes, prot);
	if (sc)
		return sc;
	copy(ssd, 0, ssd->bounce, (size_t)nlb * ns->lba_bytes);
	if (!ms)
		return 0;
	sc = ssd_mptr_map(ssd, c, (size_t)nlb * ms, prot);
	if (!sc)
		copy(ssd, 0, ssd->bounce_meta, (size_t)nlb * ms);
	return sc;
}

uint16_t ssd_transfer_in(struct ssd *ssd, struct ssd_ctx *c, uint64_t slba, uint32_t nlb,
			 const struct ssd_pi *pi)
{
	const struct ssd_ns *ns = c->ns;
	uint16_t sc = ssd_pi_check_command(ns, pi, slba);

	if (!sc)
		sc = move(ssd, c, nlb, pi, PROT_READ, get);
	if (sc || !ns->pi_type)
		return sc;
	if (pi->prinfo & NVME_PRINFO_PRACT) {
		ssd_pi_make(ns, pi, nlb, ssd->bounce, ssd->bounce_meta);
		return 0;
	}
	return ssd_pi_check(ns, c, pi, slba, nlb, ssd->bounce, ssd->bounce_meta);
}

uint16_t ssd_transfer_out(struct ssd *ssd, struct ssd_ctx *c, uint64_t slba, uint32_t nlb,
			  const struct ssd_pi *pi)
{
	uint16_t sc = ssd_pi_check_command(c->ns, pi, slba);

	if (!sc)
		sc = ssd_pi_check(c->ns, c, pi, slba, nlb, ssd->bounce, ssd->bounce_meta);
	if (!sc && c->fault)
		ssd_fault_loaded(ssd, c, nlb);
	return sc ? sc : move(ssd, c, nlb, pi, PROT_WRITE, put);
}
