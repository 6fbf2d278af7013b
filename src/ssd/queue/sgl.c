/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SGLs: Base 2.1 section 4.3.2.
 *
 *   reserved type or subtype, or one not allowed there		00/11
 *   segment length 0 or no multiple of 16, or a last segment that is followed	00/0d
 *   more descriptors than the drive takes			00/0e
 *   less (or, without SGLS.LARGER, more) data than needed	00/0f, metadata 00/10
 */
#include <sys/mman.h>

#include "ssd/device.h"

#define SEGMENTS_MAX 256
#define DESC_BATCH   32

struct walk {
	size_t left; /* bytes still wanted */
	int prot;
	uint16_t too_short;
	uint32_t descs;
};

static uint16_t take(struct ssd_ctrl *ctrl, struct walk *w, const struct nvme_sgl_desc *d)
{
	struct ssd_dptr *out = &ctrl->ssd->dptr;
	size_t len = d->len < w->left ? d->len : w->left;
	uint16_t sc = 0;

	if (NVME_SGL_SUBTYPE_ADDRESS != (d->type & 0xf))
		return NVME_SC_SGL_INVALID_TYPE;
	if (d->type >> 4 == NVME_SGL_TYPE_BIT_BUCKET) {
		/* to the controller: a bit bucket brings no data */
		if (w->prot == PROT_READ || !len)
			return 0;
		if (out->n == out->max)
			return NVME_SC_SGL_INVALID_COUNT;
		out->iov[out->n++] = (struct iovec){ NULL, len };
	} else if (len) {
		sc = ssd_dptr_add(ctrl, d->addr, len, w->prot);
	}
	w->left -= len;
	return sc;
}

static bool is_segment(const struct nvme_sgl_desc *d)
{
	return d->type >> 4 == NVME_SGL_TYPE_SEGMENT || d->type >> 4 == NVME_SGL_TYPE_LAST_SEGMENT;
}

static bool is_data(const struct nvme_sgl_desc *d)
{
	return d->type >> 4 == NVME_SGL_TYPE_DATA_BLOCK || d->type >> 4 == NVME_SGL_TYPE_BIT_BUCKET;
}

/*
 * One segment: data, and unless it is the last one, a pointer to the next in its last
 * descriptor, which is left in @seg.
 */
static uint16_t walk_segment(struct ssd_ctrl *ctrl, struct walk *w, struct nvme_sgl_desc *seg)
{
	bool last = seg->type >> 4 == NVME_SGL_TYPE_LAST_SEGMENT;
	uint32_t n = seg->len / sizeof(*seg);
	uint64_t addr = seg->addr;
	struct nvme_sgl_desc d[DESC_BATCH];

	if ((seg->type & 0xf) != NVME_SGL_SUBTYPE_ADDRESS)
		return NVME_SC_SGL_INVALID_TYPE;
	if (!n || seg->len % sizeof(*seg))
		return NVME_SC_SGL_INVALID_SEGMENT;
	w->descs += n;
	if (w->descs > (uint32_t)ctrl->ssd->dptr.max / 2)
		return NVME_SC_SGL_INVALID_COUNT;
	*seg = (struct nvme_sgl_desc){ 0 };
	for (uint32_t i = 0; i < n; i++) {
		uint32_t batch = n - i < DESC_BATCH ? n - i : DESC_BATCH;
		uint16_t sc = 0;

		if (!(i % DESC_BATCH))
			sc = ssd_dptr_fetch(ctrl, addr + i * sizeof(d[0]), d, batch * sizeof(d[0]));
		if (sc)
			return sc;
		if (is_data(&d[i % DESC_BATCH])) {
			sc = take(ctrl, w, &d[i % DESC_BATCH]);
		} else if (!is_segment(&d[i % DESC_BATCH])) {
			sc = NVME_SC_SGL_INVALID_TYPE;
		} else if (last || i != n - 1) {
			sc = NVME_SC_SGL_INVALID_SEGMENT;
		} else {
			*seg = d[i % DESC_BATCH];
		}
		if (sc)
			return sc;
	}
	return !last && !seg->type ? NVME_SC_SGL_INVALID_SEGMENT : 0;
}

static uint16_t walk(struct ssd_ctrl *ctrl, struct walk *w, struct nvme_sgl_desc d)
{
	uint16_t sc = 0;

	if (is_data(&d)) {
		sc = take(ctrl, w, &d);
	} else if (is_segment(&d)) {
		for (int i = 0; !sc && is_segment(&d); i++)
			sc = i < SEGMENTS_MAX ? walk_segment(ctrl, w, &d) :
						NVME_SC_SGL_INVALID_COUNT;
	} else {
		sc = NVME_SC_SGL_INVALID_TYPE;
	}
	return sc ? sc : w->left ? w->too_short : 0;
}

uint16_t ssd_sgl_map(struct ssd *ssd, struct ssd_ctx *c, size_t len, int prot)
{
	struct walk w = { len, prot, NVME_SC_SGL_INVALID_DATA_LENGTH, 0 };

	c->error_loc = SSD_LOC(24, 0);
	return walk(c->ctrl, &w, c->sqe.sgl1);
}

uint16_t ssd_sgl_mptr_map(struct ssd *ssd, struct ssd_ctx *c, size_t len, int prot)
{
	struct walk w = { len, prot, NVME_SC_SGL_INVALID_METADATA_LENGTH, 0 };
	struct nvme_sgl_desc d;
	uint16_t sc;

	c->error_loc = SSD_LOC(16, 0);
	sc = ssd_dptr_fetch(c->ctrl, c->sqe.mptr, &d, sizeof(d));
	return sc ? sc : walk(c->ctrl, &w, d);
}
