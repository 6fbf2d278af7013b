/* SPDX-License-Identifier: BSD-3-Clause */
#include "ssd/io/pi.h"

#include <string.h>

#include "base/crc_pi.h"
#include "ssd/device.h"
#include "ssd/io/io.h"

struct ssd_pi ssd_pi_of(const struct ssd_ctx *c)
{
	return (struct ssd_pi){
		.prinfo = NVME_GET(c->sqe.cdw12, RW_PRINFO),
		.reftag = c->sqe.cdw14,
		.apptag = NVME_GET(c->sqe.cdw15, RW_ELBAT),
		.appmask = NVME_GET(c->sqe.cdw15, RW_ELBATM),
	};
}

uint16_t ssd_pi_check_command(const struct ssd_ns *ns, const struct ssd_pi *pi, uint64_t slba)
{
	bool check_ref = pi->prinfo & NVME_PRINFO_CHECK_REF;

	if (ns->pi_type == 1 && check_ref && pi->reftag != (uint32_t)slba)
		return NVME_SC_INVALID_PI;
	if (ns->pi_type == 3 && check_ref)
		return NVME_SC_INVALID_PI;
	return 0;
}

bool ssd_pi_stripped(const struct ssd_ns *ns, const struct ssd_pi *pi)
{
	return ns->pi_type && pi->prinfo & NVME_PRINFO_PRACT && ns->ms_bytes == SSD_PI_BYTES;
}

static size_t pi_offset(const struct ssd_ns *ns)
{
	return ns->pi_first ? 0 : ns->ms_bytes - SSD_PI_BYTES;
}

static uint32_t big(const uint8_t *p, unsigned int n)
{
	uint32_t v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

static void put_big(uint8_t *p, uint32_t v, unsigned int n)
{
	while (n--) {
		p[n] = (uint8_t)v;
		v >>= 8;
	}
}

static uint16_t guard(const struct ssd_ns *ns, const uint8_t *data, const uint8_t *meta)
{
	uint16_t crc = crc_pi16(0, data, ns->lba_bytes);

	return crc_pi16(crc, meta, pi_offset(ns));
}

static uint16_t check_one(const struct ssd_ns *ns, const struct ssd_pi *pi, uint32_t reftag,
			  const uint8_t *data, const uint8_t *meta)
{
	const struct nvme_pi16 *p = (const struct nvme_pi16 *)(meta + pi_offset(ns));
	uint16_t app = (uint16_t)big(p->apptag, 2);
	uint32_t ref = big(p->reftag, 4);

	if (app == UINT16_MAX && (ns->pi_type != 3 || ref == UINT32_MAX))
		return 0;
	if (pi->prinfo & NVME_PRINFO_CHECK_GUARD && big(p->guard, 2) != guard(ns, data, meta))
		return NVME_SC_GUARD_CHECK;
	if (pi->prinfo & NVME_PRINFO_CHECK_APP && (app ^ pi->apptag) & pi->appmask)
		return NVME_SC_APPTAG_CHECK;
	if (pi->prinfo & NVME_PRINFO_CHECK_REF && ns->pi_type != 3 && ref != reftag)
		return NVME_SC_REFTAG_CHECK;
	return 0;
}

uint16_t ssd_pi_check(const struct ssd_ns *ns, struct ssd_ctx *c, const struct ssd_pi *pi,
		      uint64_t slba, uint32_t nlb, const uint8_t *data, const uint8_t *meta)
{
	for (uint32_t i = 0; ns->pi_type && i < nlb; i++) {
		uint16_t sc = check_one(ns, pi, pi->reftag + i, data + (size_t)i * ns->lba_bytes,
					meta + (size_t)i * ns->ms_bytes);

		if (sc) {
			c->error_lba = slba + i;
			return sc;
		}
	}
	return 0;
}

void ssd_pi_make(const struct ssd_ns *ns, const struct ssd_pi *pi, uint32_t nlb,
		 const uint8_t *data, uint8_t *meta)
{
	for (uint32_t i = 0; i < nlb; i++, data += ns->lba_bytes, meta += ns->ms_bytes) {
		struct nvme_pi16 *p = (struct nvme_pi16 *)(meta + pi_offset(ns));

		put_big(p->guard, guard(ns, data, meta), sizeof(p->guard));
		put_big(p->apptag, pi->apptag, sizeof(p->apptag));
		put_big(p->reftag, pi->reftag + (ns->pi_type == 3 ? 0 : i), sizeof(p->reftag));
	}
}
