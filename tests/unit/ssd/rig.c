/* SPDX-License-Identifier: BSD-3-Clause */
#include "rig.h"

#include <errno.h>

#include "base/err.h"

static bool inside(uint64_t iova, size_t len, const void *mem, size_t bytes)
{
	return mem && iova >= (uintptr_t)mem && len <= bytes &&
	       iova - (uintptr_t)mem <= bytes - len;
}

/* Only memory of the rig is mapped: the two buffers and the rings. */
static bool is_mapped(const struct rig *r, uint64_t iova, size_t len)
{
	if (iova < r->hole_to && r->hole_from < iova + len)
		return false;
	if (inside(iova, len, r->buf, RIG_BUF_BYTES) || inside(iova, len, r->buf2, RIG_BUF_BYTES))
		return true;
	for (int q = 0; q < RIG_QUEUES; q++) {
		size_t depth = r->q[q].depth;

		if (inside(iova, len, r->q[q].sq, depth * sizeof(struct nvme_sqe)) ||
		    inside(iova, len, r->q[q].cq, depth * sizeof(struct nvme_cqe)))
			return true;
	}
	return false;
}

static int map(void *host, uint64_t iova, size_t len, int prot, struct iovec *iov, int max)
{
	struct rig *r = host;
	int n = 0;

	if (r->trusting) {
		*iov = (struct iovec){ (void *)(uintptr_t)iova, len };
		return 1;
	}
	if (!is_mapped(r, iova, len))
		return -EFAULT;
	while (len) {
		size_t take = r->split && r->split < len ? r->split : len;

		if (n == max)
			return -EFAULT;
		iov[n++] = (struct iovec){ (void *)(uintptr_t)iova, take };
		iova += take;
		len -= take;
	}
	return n;
}

static void irq(void *host, unsigned int vector)
{
	((struct rig *)host)->irqs[vector]++;
}

static const struct ssd_host_ops ops = { map, irq };

struct rig *rig_create(const char *options)
{
	struct rig *r = calloc(1, sizeof(*r));
	size_t bytes;

	assert_non_null(r);
	r->now_ns = 1000;
	r->buf = aligned_alloc(4096, RIG_BUF_BYTES);
	r->buf2 = aligned_alloc(4096, RIG_BUF_BYTES);
	memset(r->buf, 0, RIG_BUF_BYTES);
	memset(r->buf2, 0, RIG_BUF_BYTES);
	if (ssd_create(&r->ssd, options, &ops, r, r->now_ns))
		fail_msg("%s: %s", options, err_text());
	r->db = ssd_doorbells(ssd_pcie(r->ssd), &bytes);
	return r;
}

void rig_destroy(struct rig *r)
{
	ssd_destroy(r->ssd);
	for (int q = 0; q < RIG_QUEUES; q++) {
		free(r->q[q].sq);
		free(r->q[q].cq);
	}
	free(r->buf);
	free(r->buf2);
	free(r);
}

uint32_t rig_reg(struct rig *r, uint64_t off)
{
	return (uint32_t)ssd_reg_read(ssd_pcie(r->ssd), off, 4, r->now_ns);
}

void rig_set_reg(struct rig *r, uint64_t off, uint32_t val)
{
	ssd_reg_write(ssd_pcie(r->ssd), off, 4, val, r->now_ns);
}

uint32_t rig_cfg(struct rig *r, unsigned int off, unsigned int len)
{
	uint32_t v = 0;

	ssd_cfg_read(ssd_pcie(r->ssd), off, &v, len);
	return v;
}

void rig_set_cfg(struct rig *r, unsigned int off, uint32_t val, unsigned int len)
{
	ssd_cfg_write(ssd_pcie(r->ssd), off, &val, len, r->now_ns);
}

void rig_make_rings(struct rig *r, uint16_t id, uint32_t depth)
{
	struct rig_queue *q = &r->q[id];

	free(q->sq);
	free(q->cq);
	*q = (struct rig_queue){ .depth = depth, .phase = 1 };
	q->sq = aligned_alloc(4096, (depth * sizeof(*q->sq) + 4095) & ~4095ul);
	q->cq = aligned_alloc(4096, (depth * sizeof(*q->cq) + 4095) & ~4095ul);
	memset(q->sq, 0, depth * sizeof(*q->sq));
	memset(q->cq, 0, depth * sizeof(*q->cq));
}

void rig_enable_with(struct rig *r, uint32_t cc)
{
	rig_make_rings(r, 0, RIG_DEPTH);
	rig_set_reg(r, NVME_REG_AQA, (RIG_DEPTH - 1) << 16 | (RIG_DEPTH - 1));
	ssd_reg_write(ssd_pcie(r->ssd), NVME_REG_ASQ, 8, (uintptr_t)r->q[0].sq, r->now_ns);
	ssd_reg_write(ssd_pcie(r->ssd), NVME_REG_ACQ, 8, (uintptr_t)r->q[0].cq, r->now_ns);
	rig_set_reg(r, NVME_REG_CC,
		    cc | (uint32_t)(NVME_SET(1, CC_EN) | NVME_SET(NVME_IOSQES, CC_IOSQES) |
				    NVME_SET(NVME_IOCQES, CC_IOCQES)));
	assert_int_equal(NVME_GET(rig_reg(r, NVME_REG_CSTS), CSTS_RDY), 1);
}

void rig_enable(struct rig *r)
{
	rig_enable_with(r, 0);
}

void rig_create_queue(struct rig *r, uint16_t id, uint32_t depth)
{
	struct nvme_sqe sqe = { .opc = NVME_ADMIN_CREATE_CQ };

	rig_make_rings(r, id, depth);
	sqe.prp1 = (uintptr_t)r->q[id].cq;
	sqe.cdw10 = (depth - 1) << 16 | id;
	sqe.cdw11 = NVME_QUEUE_PC | NVME_CQ_IEN; /* vector 0 does without MSI-X */
	assert_int_equal(rig_run(r, 0, sqe, NULL), 0);
	sqe.opc = NVME_ADMIN_CREATE_SQ;
	sqe.prp1 = (uintptr_t)r->q[id].sq;
	sqe.cdw11 = (uint32_t)id << 16 | NVME_QUEUE_PC;
	assert_int_equal(rig_run(r, 0, sqe, NULL), 0);
}

struct rig *rig_ready(const char *options)
{
	struct rig *r = rig_create(options);

	rig_enable(r);
	rig_create_queue(r, 1, RIG_DEPTH);
	return r;
}

uint16_t rig_put(struct rig *r, uint16_t q, struct nvme_sqe sqe)
{
	struct rig_queue *rq = &r->q[q];

	sqe.cid = rq->cid++;
	rq->sq[rq->tail] = sqe;
	rq->tail = (rq->tail + 1) % rq->depth;
	return sqe.cid;
}

void rig_ring(struct rig *r, uint16_t q)
{
	__atomic_store_n(&r->db[2 * q], r->q[q].tail, __ATOMIC_RELEASE);
}

void rig_step(struct rig *r)
{
	while (ssd_step(r->ssd, r->now_ns))
		;
}

void rig_advance(struct rig *r, uint64_t ns)
{
	uint64_t end = r->now_ns + ns;

	rig_step(r);
	while (ssd_next_event_ns(r->ssd) <= end) {
		if (ssd_next_event_ns(r->ssd) > r->now_ns)
			r->now_ns = ssd_next_event_ns(r->ssd);
		rig_step(r);
	}
	r->now_ns = end;
}

bool rig_reap(struct rig *r, uint16_t q, struct nvme_cqe *cqe)
{
	struct rig_queue *rq = &r->q[q];

	if ((rq->cq[rq->head].status & 1) != rq->phase)
		return false;
	*cqe = rq->cq[rq->head];
	if (++rq->head == rq->depth) {
		rq->head = 0;
		rq->phase ^= 1;
	}
	__atomic_store_n(&r->db[2 * q + 1], rq->head, __ATOMIC_RELEASE);
	return true;
}

uint16_t rig_run(struct rig *r, uint16_t q, struct nvme_sqe sqe, uint32_t *cdw0)
{
	uint16_t cid = rig_put(r, q, sqe);
	struct nvme_cqe cqe;

	rig_ring(r, q);
	rig_step(r);
	while (!rig_reap(r, q, &cqe)) {
		uint64_t next = ssd_next_event_ns(r->ssd);

		if (next == UINT64_MAX)
			fail_msg("opcode %02x on queue %u: no completion will come", sqe.opc, q);
		if (next > r->now_ns)
			r->now_ns = next;
		rig_step(r);
	}
	assert_int_equal(cqe.cid, cid);
	assert_int_equal(cqe.sqid, q);
	if (cdw0)
		*cdw0 = cqe.cdw0;
	return NVME_GET(cqe.status, STATUS_SC11);
}

struct nvme_sqe rig_rw(uint8_t opc, uint64_t slba, uint32_t nlb, const void *data)
{
	struct nvme_sqe sqe = { .opc = opc, .nsid = 1, .prp1 = (uintptr_t)data };

	sqe.cdw10 = (uint32_t)slba;
	sqe.cdw11 = (uint32_t)(slba >> 32);
	sqe.cdw12 = nlb - 1;
	sqe.prp2 = (sqe.prp1 | 4095) + 1; /* enough for two pages */
	return sqe;
}

/* Longer than two pages: one data block as an SGL. */
static uint16_t rw(struct rig *r, uint8_t opc, uint64_t slba, uint32_t nlb, const void *data)
{
	struct nvme_sqe sqe = rig_rw(opc, slba, nlb, data);

	sqe.flags = NVME_SQE_PSDT_SGL_MPTR_BUF << NVME_SQE_PSDT_SHIFT;
	sqe.sgl1 = (struct nvme_sgl_desc){ .addr = (uintptr_t)data, .len = RIG_BUF_BYTES };
	return rig_run(r, 1, sqe, NULL);
}

uint16_t rig_read(struct rig *r, uint64_t slba, uint32_t nlb, void *data)
{
	return rw(r, NVME_CMD_READ, slba, nlb, data);
}

uint16_t rig_write(struct rig *r, uint64_t slba, uint32_t nlb, const void *data)
{
	return rw(r, NVME_CMD_WRITE, slba, nlb, data);
}

uint16_t rig_identify(struct rig *r, uint32_t nsid, uint8_t cns, void *data)
{
	return rig_run(r, 0,
		       (struct nvme_sqe){ .opc = NVME_ADMIN_IDENTIFY,
					  .nsid = nsid,
					  .prp1 = (uintptr_t)data,
					  .prp2 = ((uintptr_t)data | 4095) + 1,
					  .cdw10 = cns },
		       NULL);
}

uint16_t rig_log(struct rig *r, uint8_t lid, void *data, uint32_t bytes)
{
	return rig_run(r, 0,
		       (struct nvme_sqe){ .opc = NVME_ADMIN_GET_LOG_PAGE,
					  .nsid = NVME_NSID_ALL,
					  .prp1 = (uintptr_t)data,
					  .prp2 = ((uintptr_t)data | 4095) + 1,
					  .cdw10 = (bytes / 4 - 1) << 16 | lid },
		       NULL);
}
