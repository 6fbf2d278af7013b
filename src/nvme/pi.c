/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pi.c - guard and tags, LBA by LBA.
 */
#include "nvme/pi.h"

#include "base/crc_pi.h"

/* Where the pieces of LBA i lie. */
struct lba {
	const uint8_t *data;
	uint8_t *meta;
	struct nvme_pi16 *pi;
};

static bool host_side(const struct nvme_ns_format *f, const struct nvme_req *req, const void *meta)
{
	if (!f->pi_type || f->meta_bytes < sizeof(struct nvme_pi16) || !req->data_bytes)
		return false;
	if (NVME_GET(req->sqe.cdw12, RW_PRINFO) & NVME_PRINFO_PRACT)
		return false;
	return f->meta_interleaved || meta;
}

static struct lba locate(const struct nvme_ns_format *f, const struct nvme_req *req,
			 const void *meta, uint32_t i)
{
	uint8_t *data = (uint8_t *)req->data + (uint64_t)i * f->stride_bytes;
	struct lba lba = { .data = data };

	lba.meta = f->meta_interleaved ? data + f->lba_bytes :
					 (uint8_t *)meta + (uint64_t)i * f->meta_bytes;
	lba.pi = (struct nvme_pi16 *)(lba.meta +
				      (f->pi_first ? 0 : f->meta_bytes - sizeof(*lba.pi)));
	return lba;
}

/* The guard covers the data, and the metadata in front of the PI. */
static uint16_t guard_of(const struct nvme_ns_format *f, const struct lba *lba)
{
	uint16_t crc = crc_pi16(0, lba->data, f->lba_bytes);

	if (f->pi_first)
		return crc;
	return crc_pi16(crc, lba->meta, f->meta_bytes - sizeof(*lba->pi));
}

static void put16(uint8_t out[2], uint16_t val)
{
	out[0] = (uint8_t)(val >> 8);
	out[1] = (uint8_t)val;
}

static uint16_t get16(const uint8_t in[2])
{
	return (uint16_t)(in[0] << 8 | in[1]);
}

static uint32_t get32(const uint8_t in[4])
{
	return (uint32_t)get16(in) << 16 | get16(in + 2);
}

/* Types 1 and 2 count up, LBA by LBA. */
static uint32_t reftag_of(const struct nvme_ns_format *f, const struct nvme_req *req, uint32_t i)
{
	return req->sqe.cdw14 + (f->pi_type == 3 ? 0 : i);
}

void nvme_pi_generate(const struct nvme_ns_format *f, const struct nvme_req *req, void *meta)
{
	if (!host_side(f, req, meta))
		return;
	for (uint32_t i = 0; i < req->nlb; i++) {
		struct lba lba = locate(f, req, meta, i);
		uint32_t reftag = reftag_of(f, req, i);

		put16(lba.pi->guard, guard_of(f, &lba));
		put16(lba.pi->apptag, (uint16_t)NVME_GET(req->sqe.cdw15, RW_ELBAT));
		put16(lba.pi->reftag, (uint16_t)(reftag >> 16));
		put16(lba.pi->reftag + 2, (uint16_t)reftag);
	}
}

/* An application tag of all ones switches checking off, in type 3 only with the reference tag. */
static bool is_escaped(const struct nvme_ns_format *f, const struct nvme_pi16 *pi)
{
	if (get16(pi->apptag) != 0xffff)
		return false;
	return f->pi_type != 3 || get32(pi->reftag) == 0xffffffff;
}

static uint16_t check_lba(const struct nvme_ns_format *f, const struct nvme_req *req,
			  const struct lba *lba, uint32_t i)
{
	uint64_t prinfo = NVME_GET(req->sqe.cdw12, RW_PRINFO);
	uint64_t mask = NVME_GET(req->sqe.cdw15, RW_ELBATM);
	uint64_t tag = NVME_GET(req->sqe.cdw15, RW_ELBAT);

	if (is_escaped(f, lba->pi))
		return 0;
	if ((prinfo & NVME_PRINFO_CHECK_GUARD || nvme_config.verify) &&
	    get16(lba->pi->guard) != guard_of(f, lba))
		return NVME_SC_GUARD_CHECK;
	if (prinfo & NVME_PRINFO_CHECK_APP && (get16(lba->pi->apptag) & mask) != (tag & mask))
		return NVME_SC_APPTAG_CHECK;
	if (prinfo & NVME_PRINFO_CHECK_REF && f->pi_type != 3 &&
	    get32(lba->pi->reftag) != reftag_of(f, req, i))
		return NVME_SC_REFTAG_CHECK;
	return 0;
}

uint16_t nvme_pi_check(const struct nvme_ns_format *f, const struct nvme_req *req, const void *meta)
{
	uint16_t bad = 0;

	if (!host_side(f, req, meta))
		return 0;
	for (uint32_t i = 0; i < req->nlb && !bad; i++) {
		struct lba lba = locate(f, req, meta, i);

		bad = check_lba(f, req, &lba, i);
	}
	return bad;
}
