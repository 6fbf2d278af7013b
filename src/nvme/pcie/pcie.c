/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcie.c - the PCIe transport: registers, queue memory, queue creation and deletion.
 */
#include "nvme/pcie/pcie.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "bus/bus.h"
#include "bus/irq.h"
#include "nvme/cmd_admin.h"
#include "nvme/ctrl.h"
#include "nvme/pcie/prp.h"
#include "nvme/time.h"
#include "nvme/transport.h"

#define ADMIN_ENTRIES  256u /* so that every CID can be outstanding */
#define VECTORS_WANTED 65u  /* the admin queue and 64 more; the others share */

static int pcie_connect(struct nvme_ctrl *ctrl, const char *addr)
{
	int err;

	if (!ctrl->bus) {
		err = bus_open(&ctrl->bus, addr);
		if (err)
			return err;
	}
	snprintf(ctrl->addr, sizeof(ctrl->addr), "%s", ctrl->bus->addr);
	/* A function without interrupts can still be polled. */
	err = bus_irq_init(ctrl->bus, VECTORS_WANTED);
	if (err)
		log_info("%s: no interrupts: %s", ctrl->addr, err_text());
	return 0;
}

static void pcie_disconnect(struct nvme_ctrl *ctrl)
{
	if (!ctrl->bus)
		return;
	bus_close(ctrl->bus);
	ctrl->bus = NULL;
}

static int pcie_reg_read(struct nvme_ctrl *ctrl, uint32_t off, int width, uint64_t *val)
{
	return ctrl->bus->ops->reg_read(ctrl->bus, off, width, val);
}

static int pcie_reg_write(struct nvme_ctrl *ctrl, uint32_t off, int width, uint64_t val)
{
	return ctrl->bus->ops->reg_write(ctrl->bus, off, width, val);
}

static int pcie_adminq_setup(struct nvme_ctrl *ctrl)
{
	struct nvme_qpair *q = ctrl->adminq;
	uint64_t aqa = NVME_SET(q->sq_depth - 1u, AQA_ASQS) | NVME_SET(q->cq_depth - 1u, AQA_ACQS);
	int err;

	memset(q->sq_mem.va, 0, q->sq_mem.len);
	memset(q->cq_mem.va, 0, q->cq_mem.len);
	err = pcie_reg_write(ctrl, NVME_REG_AQA, 4, aqa);
	if (!err)
		err = pcie_reg_write(ctrl, NVME_REG_ASQ, 8, q->sq_mem.iova);
	if (!err)
		err = pcie_reg_write(ctrl, NVME_REG_ACQ, 8, q->cq_mem.iova);
	if (!err)
		q->owned = true;
	return err;
}

static bool pcie_holds_adminq(struct nvme_ctrl *ctrl)
{
	uint64_t asq = 0;

	return !pcie_reg_read(ctrl, NVME_REG_ASQ, 8, &asq) && asq == ctrl->adminq->sq_mem.iova;
}

/* --- memory --- */

/* A list for MDTS, an offset in its first page included; a whole page at most. */
static unsigned int prp_space(const struct nvme_ctrl *ctrl)
{
	unsigned int bytes = NVME_PRP_SPACE_MIN;

	if (ctrl->mdts_bytes == UINT64_MAX)
		return bytes;
	while (bytes < DMA_PAGE_BYTES &&
	       bytes / sizeof(uint64_t) < ctrl->mdts_bytes / DMA_PAGE_BYTES)
		bytes *= 2;
	return bytes;
}

static int pcie_qpair_alloc(struct nvme_qpair *q)
{
	unsigned int space = prp_space(q->ctrl);
	uint8_t *prp;
	int err;

	err = dma_alloc(&q->sq_mem, (size_t)q->sq_depth * sizeof(struct nvme_sqe));
	if (!err)
		err = dma_alloc(&q->cq_mem, (size_t)q->cq_depth * sizeof(struct nvme_cqe));
	if (!err)
		err = dma_alloc(&q->prp_mem, (size_t)q->ntrackers * space);
	if (err)
		return err;
	q->sq = q->sq_mem.va;
	q->cq = q->cq_mem.va;
	q->prp_entries = (uint16_t)(space / sizeof(uint64_t));
	prp = q->prp_mem.va;
	for (unsigned int cid = 0; cid < q->ntrackers; cid++, prp += space) {
		q->trackers[cid].prp = (uint64_t *)prp;
		q->trackers[cid].prp_iova = dma_iova(prp);
	}
	return 0;
}

static void pcie_qpair_free(struct nvme_qpair *q)
{
	dma_free(&q->sq_mem);
	dma_free(&q->cq_mem);
	dma_free(&q->prp_mem);
}

/* --- doorbells --- */

uint32_t nvme_pcie_sq_doorbell(const struct nvme_qpair *q)
{
	return NVME_REG_DOORBELLS + 2u * q->sqid * q->ctrl->doorbell_stride;
}

uint32_t nvme_pcie_cq_doorbell(const struct nvme_qpair *q)
{
	return NVME_REG_DOORBELLS + (2u * q->cqid + 1u) * q->ctrl->doorbell_stride;
}

void nvme_pcie_trap(struct nvme_qpair *q, uint32_t off, uint16_t val)
{
	q->ctrl->bus->ops->reg_write(q->ctrl->bus, off, 4, val);
}

/* The word of a doorbell in the mapped pages, NULL if it lies outside. */
static volatile uint32_t *mapped(const struct bus *bus, uint32_t off)
{
	off -= NVME_REG_DOORBELLS;
	if (!bus->doorbells || off + sizeof(uint32_t) > bus->doorbells_bytes)
		return NULL;
	return bus->doorbells + off / sizeof(uint32_t);
}

static void pcie_qpair_aim(struct nvme_qpair *q, bool live)
{
	struct bus *bus = q->ctrl->bus;
	volatile uint32_t *sq = live ? mapped(bus, nvme_pcie_sq_doorbell(q)) : NULL;
	volatile uint32_t *cq = live ? mapped(bus, nvme_pcie_cq_doorbell(q)) : NULL;

	q->trapped = live && (!sq || !cq);
	q->sq_doorbell = sq && !q->trapped ? sq : &q->dummy_doorbell[0];
	q->cq_doorbell = cq && !q->trapped ? cq : &q->dummy_doorbell[1];
}

/* --- queues on the device --- */

/* q->unknown: the device says that it has no such queue; a script may have deleted it by hand. */
static int delete_queue(struct nvme_qpair *q, uint8_t opcode, uint16_t qid, const char *what)
{
	struct nvme_req req = { 0 };
	int err;

	nvme_cmd_delete_queue(&req, opcode, qid);
	err = nvme_admin_must(q->ctrl, &req, 0, what);
	q->unknown = err == -EPROTO && nvme_req_status(&req) == NVME_SC_INVALID_QUEUE_ID;
	return err;
}

/* -EEXIST: a script has a queue of that identifier, made by hand. */
static int create_queue(struct nvme_qpair *q, struct nvme_req *req, const char *what)
{
	int err = nvme_admin_must(q->ctrl, req, 0, what);

	if (err == -EPROTO && nvme_req_status(req) == NVME_SC_INVALID_QUEUE_ID)
		return -EEXIST;
	return err;
}

static int pcie_qpair_connect(struct nvme_qpair *q, unsigned int prio)
{
	struct nvme_req req = { 0 };
	int err;

	q->owned = true;
	nvme_cmd_create_cq(&req, q->cqid, q->cq_depth, q->cq_mem.iova, q->vector);
	err = create_queue(q, &req, "Create I/O Completion Queue");
	if (err) {
		q->owned = err != -EPROTO && err != -EEXIST;
		return err;
	}
	req = (struct nvme_req){ 0 };
	nvme_cmd_create_sq(&req, q->sqid, q->sq_depth, q->sq_mem.iova, q->cqid, prio);
	err = create_queue(q, &req, "Create I/O Submission Queue");
	if (!err) {
		pcie_qpair_aim(q, true);
		return 0;
	}
	/* The text must stay the first error's. */
	if (err == -EPROTO || err == -EEXIST) {
		req = (struct nvme_req){ 0 };
		nvme_cmd_delete_queue(&req, NVME_ADMIN_DELETE_CQ, q->cqid);
		if (nvme_admin_exec(q->ctrl, &req, 0) == 0)
			q->owned = false;
	}
	return err;
}

static int pcie_qpair_disconnect(struct nvme_qpair *q)
{
	int err, cq_err;

	err = delete_queue(q, NVME_ADMIN_DELETE_SQ, q->sqid, "Delete I/O Submission Queue");
	if (err && !q->unknown)
		return err;
	/* Commands that the deletion cut have completions by now. */
	while (nvme_pcie_poll(q, UINT32_MAX, nvme_time_now_ns(q->ctrl)))
		;
	cq_err = delete_queue(q, NVME_ADMIN_DELETE_CQ, q->cqid, "Delete I/O Completion Queue");
	if (!cq_err)
		q->owned = false;
	return err ? err : cq_err;
}

const struct nvme_transport_ops nvme_pcie_ops = {
	.admin_entries = ADMIN_ENTRIES,
	.connect = pcie_connect,
	.disconnect = pcie_disconnect,
	.reg_read = pcie_reg_read,
	.reg_write = pcie_reg_write,
	.health = nvme_pcie_health,
	.why_gone = nvme_pcie_why_gone,
	.reset = nvme_pcie_reset,
	.wake = nvme_pcie_wake,
	.holds_adminq = pcie_holds_adminq,
	.adminq_setup = pcie_adminq_setup,
	.qpair_alloc = pcie_qpair_alloc,
	.qpair_free = pcie_qpair_free,
	.qpair_connect = pcie_qpair_connect,
	.qpair_disconnect = pcie_qpair_disconnect,
	.qpair_aim = pcie_qpair_aim,
	.submit = nvme_pcie_submit,
	.ring = nvme_pcie_ring,
	.poll = nvme_pcie_poll,
	.answered = nvme_pcie_answered,
};
