/* SPDX-License-Identifier: BSD-3-Clause */
#include "ssd/queue/queue.h"

#include <string.h>
#include <sys/mman.h>

#include "ssd/device.h"
#include "ssd/step.h"

#define NO_BAD_VALUE UINT32_MAX

/* Host memory of the whole queue if it is in one piece, else NULL. */
static void *map_ring(struct ssd_ctrl *ctrl, uint64_t iova, size_t bytes, int prot)
{
	struct iovec iov;

	if (ctrl->ops->map(ctrl->host, iova, bytes, prot, &iov, 1) != 1 || iov.iov_len < bytes)
		return NULL;
	return iov.iov_base;
}

uint16_t ssd_cq_create(struct ssd_ctrl *ctrl, uint16_t id, uint32_t size, uint64_t iova, bool ien,
		       uint16_t vector)
{
	struct ssd_cq *cq = &ctrl->cq[id];

	*cq = (struct ssd_cq){
		.ring = map_ring(ctrl, iova, size * sizeof(struct nvme_cqe), PROT_WRITE),
		.db = &ctrl->doorbells[2 * id + 1],
		.size = size,
		.id = id,
		.phase = 1,
		.live = true,
		.ien = ien,
		.vector = vector,
		.bad_head = NO_BAD_VALUE,
		.iova = iova,
	};
	cq->bit = 1ull << id;
	cq->plain = cq->ring;
	cq->wait_end = &cq->wait;
	*cq->db = 0;
	return 0;
}

uint16_t ssd_sq_create(struct ssd_ctrl *ctrl, uint16_t id, uint32_t size, uint64_t iova,
		       uint16_t cqid, uint8_t prio)
{
	struct ssd_sq *sq = &ctrl->sq[id];

	*sq = (struct ssd_sq){
		.ring = map_ring(ctrl, iova, size * sizeof(struct nvme_sqe), PROT_READ),
		.db = &ctrl->doorbells[2 * id],
		.cq = &ctrl->cq[cqid],
		.size = size,
		.id = id,
		.id_high = (uint32_t)id << 16,
		.prio = prio,
		.live = true,
		.bad_tail = NO_BAD_VALUE,
		.iova = iova,
	};
	*sq->db = 0;
	sq->cq->nsqs++;
	ctrl->sq_live |= 1ull << id;
	return 0;
}

/* Completions of @sq that wait for room will never be posted. */
static void drop_waiting(struct ssd_ctrl *ctrl, struct ssd_cq *cq, const struct ssd_sq *sq)
{
	struct ssd_ctx **link = &cq->wait;

	while (*link) {
		struct ssd_ctx *c = *link;

		if (c->sq != sq) {
			link = &c->next;
			continue;
		}
		*link = c->next;
		ssd_ctx_put(ctrl->ssd, c);
	}
	cq->wait_end = link;
	if (cq->wait)
		return;
	cq->plain = cq->ring;
	ctrl->cq_wait &= ~cq->bit;
}

void ssd_sq_destroy(struct ssd_ctrl *ctrl, struct ssd_sq *sq)
{
	drop_waiting(ctrl, sq->cq, sq);
	ssd_ctx_drop(ctrl, sq);
	ctrl->sq_live &= ~(1ull << sq->id);
	sq->cq->nsqs--;
	sq->live = false;
}

void ssd_cq_destroy(struct ssd_ctrl *ctrl, struct ssd_cq *cq)
{
	ctrl->cq_dirty &= ~cq->bit;
	ctrl->cq_wait &= ~cq->bit;
	cq->live = false;
}

bool ssd_sq_fetch_piece(struct ssd_ctrl *ctrl, struct ssd_sq *sq, uint32_t index,
			struct nvme_sqe *sqe)
{
	return !ssd_dptr_fetch(ctrl, sq->iova + index * sizeof(*sqe), sqe, sizeof(*sqe));
}

static void bad_doorbell(struct ssd_ctrl *ctrl, uint16_t sqid)
{
	ssd_error_log_queue(ctrl, sqid);
	ssd_aer_raise(ctrl, NVME_AER_TYPE_ERROR, NVME_AER_ERROR_INVALID_DOORBELL_VALUE,
		      NVME_LOG_ERROR);
}

void ssd_sq_doorbell(struct ssd_ctrl *ctrl, struct ssd_sq *sq, uint32_t tail)
{
	if (__builtin_expect(tail < sq->size, 1)) {
		sq->tail = tail;
		sq->bad_tail = NO_BAD_VALUE;
		return;
	}
	if (tail == sq->bad_tail)
		return;
	sq->bad_tail = tail;
	bad_doorbell(ctrl, sq->id);
}

/* A head may move up to the tail: what lies beyond was never posted. */
void ssd_cq_doorbell(struct ssd_ctrl *ctrl, struct ssd_cq *cq, uint32_t head)
{
	uint32_t posted = (cq->tail + cq->size - cq->head) % cq->size;

	if (head < cq->size && (head + cq->size - cq->head) % cq->size <= posted) {
		cq->head = head;
		cq->bad_head = NO_BAD_VALUE;
		return;
	}
	if (head == cq->bad_head)
		return;
	cq->bad_head = head;
	bad_doorbell(ctrl, cq->id);
}

/* Room for one more entry; the doorbell is read only when the ring looks full. */
static bool has_room(struct ssd_ctrl *ctrl, struct ssd_cq *cq, uint32_t next)
{
	uint32_t head;

	if (__builtin_expect(next != cq->head, 1))
		return true;
	head = __atomic_load_n(cq->db, __ATOMIC_ACQUIRE);
	if (head != cq->head)
		ssd_cq_doorbell(ctrl, cq, head);
	return next != cq->head;
}

/* An entry of a ring in pieces, or of unmapped memory: fatal, as for any device. */
static void write_piece(struct ssd_ctrl *ctrl, struct ssd_cq *cq, const struct nvme_cqe *cqe)
{
	struct iovec iov[2];
	uint64_t iova = cq->iova + cq->tail * sizeof(*cqe);

	if (ctrl->ops->map(ctrl->host, iova, sizeof(*cqe), PROT_WRITE, iov, 2) != 1) {
		ssd_fatal(ctrl);
		return;
	}
	memcpy(iov[0].iov_base, cqe, offsetof(struct nvme_cqe, cid));
	__atomic_store_n((uint32_t *)((char *)iov[0].iov_base + offsetof(struct nvme_cqe, cid)),
			 (uint32_t)cqe->status << 16 | cqe->cid, __ATOMIC_RELEASE);
}

static void write_cqe(struct ssd_cq *cq, struct ssd_ctx *c, uint32_t next)
{
	struct nvme_cqe cqe = {
		.cdw0 = c->cdw0,
		.cdw1 = c->cdw1,
		.sqhd = (uint16_t)c->sq->head,
		.sqid = c->sq->id,
		.cid = c->sqe.cid,
		.status = c->status ^ cq->phase,
	};

	if (__builtin_expect(c->fault != 0, 0))
		ssd_fault_cqe(c, &cqe);
	if (__builtin_expect(cq->ring != NULL, 1)) {
		uint64_t half[2], *at = (uint64_t *)&cq->ring[cq->tail];

		/* the phase is in the upper half: readers that see it see the rest */
		memcpy(half, &cqe, sizeof(half));
		__atomic_store_n(&at[0], half[0], __ATOMIC_RELAXED);
		__atomic_store_n(&at[1], half[1], __ATOMIC_RELEASE);
	} else {
		write_piece(c->ctrl, cq, &cqe);
	}
	cq->tail = next;
	if (__builtin_expect(!next, 0))
		cq->phase ^= 1;
}

static void post(struct ssd *ssd, struct ssd_cq *cq, struct ssd_ctx *c, uint32_t next)
{
	write_cqe(cq, c, next);
	c->ctrl->cq_dirty |= cq->bit;
	if (__builtin_expect(c->fault == SSD_FAULT_DUPLICATE + 1, 0)) {
		c->fault = 0;
		ssd_cq_post(ssd, c);
		return;
	}
	ssd_ctx_put(ssd, c);
}

void ssd_cq_post(struct ssd *ssd, struct ssd_ctx *c)
{
	struct ssd_cq *cq = c->sq->cq;
	uint32_t next = cq->tail + 1 == cq->size ? 0 : cq->tail + 1;

	if (__builtin_expect(!cq->wait && has_room(c->ctrl, cq, next), 1)) {
		post(ssd, cq, c, next);
		return;
	}
	cq->plain = false;
	c->state = SSD_CTX_POSTING;
	c->next = NULL;
	*cq->wait_end = c;
	cq->wait_end = &c->next;
	c->ctrl->cq_wait |= cq->bit;
}

int ssd_cq_unblock(struct ssd_ctrl *ctrl, struct ssd_cq *cq)
{
	int n = 0;

	while (cq->wait) {
		struct ssd_ctx *c = cq->wait;
		uint32_t next = cq->tail + 1 == cq->size ? 0 : cq->tail + 1;

		if (!has_room(ctrl, cq, next))
			return n;
		cq->wait = c->next;
		post(ctrl->ssd, cq, c, next);
		n++;
	}
	cq->wait_end = &cq->wait;
	cq->plain = cq->ring;
	ctrl->cq_wait &= ~cq->bit;
	return n;
}
