/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * direct.h - reads, and writes on null media, that take no time and have nothing odd about
 * them: executed straight from the ring, without a context.
 *
 * Nothing fails here. Whatever is not plainly right is left to the general path, which
 * decodes the command again and says what is wrong with it.
 */
#ifndef PYNVME_SSD_DIRECT_H
#define PYNVME_SSD_DIRECT_H

#include "ssd/hot.h"
#include "ssd/io/io.h"

/* True for a while: until a command takes the general path. */
static inline bool ssd_direct_possible(const struct ssd *ssd, const struct ssd_sq *sq)
{
	return ssd->instant && !ssd->nfaults && sq->ring && sq->id && !sq->odd && sq->cq->plain;
}

/* Read of the medium, or nothing for null media; false: not all plain data. */
static inline bool ssd_direct_data(struct ssd *ssd, struct ssd_media *m, uint64_t slba,
				   uint32_t nlb, bool is_read)
{
	const struct iovec *iov = &ssd->dptr.iov[0];

	if (SSD_LIKELY(!m->moves))
		return true;
	return is_read && iov->iov_len == (size_t)nlb * m->lba_bytes &&
	       m->ops->read(m, slba, nlb, iov->iov_base, NULL) == (int)nlb;
}

/* Execute @e, the entry at the head of @sq; false: not done, take the general path. */
static inline bool ssd_direct_io(struct ssd_ctrl *ctrl, struct ssd_sq *sq, const struct nvme_sqe *e)
{
	struct ssd *ssd = ctrl->ssd;
	struct ssd_cq *cq = sq->cq;
	const bool is_read = e->opc == NVME_CMD_READ;
	const struct ssd_ns *ns = &ssd->ns[(e->nsid - 1) % SSD_NS_MAX];
	const uint64_t prp1 = e->prp1, slba = e->cdw10 | (uint64_t)e->cdw11 << 32;
	const uint32_t nlb = (e->cdw12 & NVME_RW_NLB_MASK) + 1;
	const uint32_t bytes = nlb << ns->lba_shift;
	const uint32_t next = cq->tail + 1 == cq->size ? 0 : cq->tail + 1;
	const uint16_t cid = e->cid;
	uint64_t *at;

	if (SSD_UNLIKELY(e->flags || (!is_read && e->opc != NVME_CMD_WRITE) || !ns->plain ||
			 e->nsid != ns->nsid || next == cq->head))
		return false;
	if (SSD_UNLIKELY(bytes + (prp1 & (ctrl->page_bytes - 1)) > ctrl->page_bytes || prp1 & 3 ||
			 bytes > ssd->mdts_bytes || slba >= ns->nsze || nlb > ns->nsze - slba))
		return false;
	if (SSD_UNLIKELY(ctrl->ops->map(ctrl->host, prp1, bytes, is_read ? PROT_WRITE : PROT_READ,
					ssd->dptr.iov, 1) != 1))
		return false;
	if (SSD_UNLIKELY(!ssd_direct_data(ssd, ns->media, slba, nlb, is_read)))
		return false;
	if (is_read) {
		ssd->health.read_cmds++;
		ssd->health.read_sectors += bytes >> 9;
	} else {
		ssd->health.write_cmds++;
		ssd->health.written_sectors += bytes >> 9;
	}
	sq->head = sq->head + 1 == sq->size ? 0 : sq->head + 1;
	at = (uint64_t *)&cq->ring[cq->tail];
	__atomic_store_n(&at[0], 0, __ATOMIC_RELAXED);
	__atomic_store_n(&at[1],
			 (uint64_t)cq->phase << 48 | (uint64_t)cid << 32 | sq->id_high | sq->head,
			 __ATOMIC_RELEASE);
	cq->tail = next;
	cq->phase ^= !next;
	ctrl->cq_dirty |= cq->bit;
	return true;
}

#endif
