/* SPDX-License-Identifier: BSD-3-Clause */
#include "ssd/queue/dptr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "ssd/device.h"

int ssd_dptr_init(struct ssd_dptr *d, size_t bytes)
{
	/* one page more for the offset of the first */
	size_t pages = bytes / 4096 + 1;

	d->max = pages > SSD_PIECES_MIN ? (int)pages : SSD_PIECES_MIN;
	d->iov = calloc((size_t)d->max, sizeof(*d->iov));
	return d->iov ? 0 : -ENOMEM;
}

void ssd_dptr_fini(struct ssd_dptr *d)
{
	free(d->iov);
	d->iov = NULL;
}

uint16_t ssd_dptr_add(struct ssd_ctrl *ctrl, uint64_t iova, size_t len, int prot)
{
	struct ssd_dptr *d = &ctrl->ssd->dptr;
	int first = d->n, n;

	if (d->n == d->max)
		return NVME_SC_DATA_TRANSFER_ERROR;
	n = ctrl->ops->map(ctrl->host, iova, len, prot, &d->iov[first], d->max - first);
	if (n <= 0)
		return NVME_SC_DATA_TRANSFER_ERROR;
	d->n += n;
	if (first && d->iov[first - 1].iov_base &&
	    (char *)d->iov[first - 1].iov_base + d->iov[first - 1].iov_len ==
		    d->iov[first].iov_base) {
		d->iov[first - 1].iov_len += d->iov[first].iov_len;
		memmove(&d->iov[first], &d->iov[first + 1], (n - 1) * sizeof(d->iov[0]));
		d->n--;
	}
	return 0;
}

uint16_t ssd_dptr_fetch(struct ssd_ctrl *ctrl, uint64_t iova, void *buf, size_t len)
{
	while (len) {
		struct iovec iov[4];
		int n = ctrl->ops->map(ctrl->host, iova, len, PROT_READ, iov, 4);

		if (n <= 0)
			return NVME_SC_DATA_TRANSFER_ERROR;
		for (int i = 0; i < n; i++) {
			memcpy(buf, iov[i].iov_base, iov[i].iov_len);
			buf = (char *)buf + iov[i].iov_len;
			iova += iov[i].iov_len;
			len -= iov[i].iov_len;
		}
	}
	return 0;
}

/* ssd_exec() brings its vectors along. */
static uint16_t vectors(struct ssd *ssd, const struct iovec *iov, int n, size_t len,
			uint16_t too_short)
{
	struct ssd_dptr *d = &ssd->dptr;

	for (int i = 0; i < n && len; i++) {
		size_t take = iov[i].iov_len < len ? iov[i].iov_len : len;

		if (d->n == d->max)
			return NVME_SC_INTERNAL_ERROR;
		d->iov[d->n++] = (struct iovec){ iov[i].iov_base, take };
		len -= take;
	}
	return len ? too_short : 0;
}

uint16_t ssd_dptr_map(struct ssd *ssd, struct ssd_ctx *c, size_t len, int prot)
{
	ssd->dptr.n = 0;
	if (__builtin_expect(c->ext != NULL, 0)) {
		c->ext->moved = len;
		return vectors(ssd, c->ext->data, c->ext->data_n, len,
			       NVME_SC_SGL_INVALID_DATA_LENGTH);
	}
	if (__builtin_expect(!NVME_GET(c->sqe.flags, SQE_PSDT), 1))
		return ssd_prp_map(ssd, c, len, prot);
	return ssd_sgl_map(ssd, c, len, prot);
}

uint16_t ssd_mptr_map(struct ssd *ssd, struct ssd_ctx *c, size_t len, int prot)
{
	ssd->dptr.n = 0;
	if (c->ext)
		return vectors(ssd, c->ext->meta, c->ext->meta_n, len,
			       NVME_SC_SGL_INVALID_METADATA_LENGTH);
	if (NVME_GET(c->sqe.flags, SQE_PSDT) == NVME_SQE_PSDT_SGL_MPTR_SGL)
		return ssd_sgl_mptr_map(ssd, c, len, prot);
	/* Base 2.1 section 4.1: dword aligned unless SGLS says otherwise */
	if (c->sqe.mptr & 3) {
		c->error_loc = SSD_LOC(16, 0);
		return NVME_SC_INVALID_FIELD;
	}
	return ssd_dptr_add(c->ctrl, c->sqe.mptr, len, prot);
}

void ssd_dptr_put(struct ssd *ssd, size_t off, const void *buf, size_t len)
{
	for (int i = 0; i < ssd->dptr.n && len; i++) {
		const struct iovec *iov = &ssd->dptr.iov[i];
		size_t take;

		if (off >= iov->iov_len) {
			off -= iov->iov_len;
			continue;
		}
		take = iov->iov_len - off < len ? iov->iov_len - off : len;
		if (iov->iov_base)
			memcpy((char *)iov->iov_base + off, buf, take);
		buf = (const char *)buf + take;
		len -= take;
		off = 0;
	}
}

void ssd_dptr_get(struct ssd *ssd, size_t off, void *buf, size_t len)
{
	for (int i = 0; i < ssd->dptr.n && len; i++) {
		const struct iovec *iov = &ssd->dptr.iov[i];
		size_t take;

		if (off >= iov->iov_len) {
			off -= iov->iov_len;
			continue;
		}
		take = iov->iov_len - off < len ? iov->iov_len - off : len;
		memcpy(buf, (char *)iov->iov_base + off, take);
		buf = (char *)buf + take;
		len -= take;
		off = 0;
	}
}

uint16_t ssd_data_to_host(struct ssd *ssd, struct ssd_ctx *c, const void *buf, size_t len)
{
	uint16_t sc = len ? ssd_dptr_map(ssd, c, len, PROT_WRITE) : 0;

	if (!sc && len)
		ssd_dptr_put(ssd, 0, buf, len);
	return sc;
}

uint16_t ssd_data_from_host(struct ssd *ssd, struct ssd_ctx *c, void *buf, size_t len)
{
	uint16_t sc = len ? ssd_dptr_map(ssd, c, len, PROT_READ) : 0;

	if (!sc && len)
		ssd_dptr_get(ssd, 0, buf, len);
	return sc;
}
