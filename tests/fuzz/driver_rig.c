// SPDX-License-Identifier: BSD-3-Clause
#include "driver_rig.h"

#include <sanitizer/asan_interface.h>
#include <stdlib.h>

#include "bus/dma.h"
#include "dma_watch.h"
#include "nvme/cmdlog/cmdlog.h"
#include "spec/features.h"

#define DATA_BYTES  (256u << 10)
#define META_BYTES  (64u << 10)
#define GUARD_BYTES (1u << 20) /* behind each of both: nobody may get there */
#define EXEC_BYTES  8192u

static struct dma_mem memory;
static uint8_t *data_end, *meta_end; /* buffers end here, so that what is too long is seen */

static void guard(uint8_t *begin)
{
	ASAN_POISON_MEMORY_REGION(begin, GUARD_BYTES);
	dma_watch_guard(dma_iova(begin), GUARD_BYTES);
}

int rig_memory(void)
{
	struct dma_mem room;
	int err = dma_alloc(&room, 16u << 20);

	/* The pool keeps a chunk with room for everything else as long as this is in it. */
	if (!err)
		err = dma_alloc(&memory, DATA_BYTES + META_BYTES + 2 * GUARD_BYTES);
	if (err)
		return err;
	dma_free(&room);
	data_end = (uint8_t *)memory.va + DATA_BYTES;
	meta_end = data_end + GUARD_BYTES + META_BYTES;
	guard(data_end);
	guard(meta_end);
	return 0;
}

/* --- requests --- */

static void done(struct nvme_req *req)
{
	struct rig_req *rr = req->owner;

	if (!rr->busy)
		liar_fail("a request ended twice");
	rr->busy = false;
	if (rr->rig->chain)
		rr->rig->callbacks++;
}

static struct rig_req *LIAR_UNTRACED take_request(struct rig *r)
{
	for (size_t i = 0; i < RIG_REQS; i++) {
		struct rig_req *rr = &r->reqs[i];

		if (rr->busy)
			continue;
		*rr = (struct rig_req){ .rig = r, .busy = true };
		rr->req.done = done;
		rr->req.owner = rr;
		return rr;
	}
	return NULL;
}

static void fill_raw(struct rig *r, struct nvme_req *req, uint8_t opcode, uint32_t bytes_max)
{
	uint8_t how = input_u8(r->in);
	uint32_t nsid = how & 3, bytes = 0;
	uint32_t cdw[6] = { 0 };

	if (how & 4)
		nsid = NVME_NSID_ALL;
	if (how & 8)
		bytes = input_u16(r->in) % bytes_max & ~3u;
	if (how & 0x10)
		input_bytes(r->in, cdw, sizeof(cdw));
	else
		cdw[0] = input_u16(r->in);
	nvme_cmd_raw(req, opcode, nsid, bytes ? data_end - bytes : NULL, bytes, cdw);
	if (how & 0x20) {
		req->flags |= NVME_REQ_RAW_PTR;
		req->sqe.prp1 = dma_iova(data_end - DATA_BYTES);
	}
}

static void fill_rw(struct rig *r, struct nvme_req *req, struct nvme_ns *ns, uint8_t opcode,
		    uint8_t how)
{
	uint32_t cdw12_hi = how & 0x10 ? (uint32_t)input_u16(r->in) << 16 : 0;
	const struct nvme_ns_format *f = nvme_ns_format(ns);
	uint32_t stride = nvme_ns_stride(f, cdw12_hi), nlb = 1 + input_u8(r->in) % 16;
	uint32_t meta_bytes = f->meta_bytes;
	uint64_t slba = input_u16(r->in);

	if (nlb * stride > DATA_BYTES)
		nlb = DATA_BYTES / stride;
	if (how & 0x20)
		req->flags |= NVME_REQ_STAMP | NVME_REQ_CHECK;
	nvme_cmd_rw(req, ns, opcode, data_end - nlb * stride, slba, nlb, cdw12_hi);
	if (how & 0x40 && meta_bytes && (uint64_t)nlb * meta_bytes <= META_BYTES) {
		req->meta_bytes = nlb * meta_bytes;
		req->meta = meta_end - req->meta_bytes;
	}
}

static void fill_io(struct rig *r, struct nvme_req *req)
{
	static const uint8_t opcodes[] = { NVME_CMD_READ,  NVME_CMD_WRITE,	  NVME_CMD_COMPARE,
					   NVME_CMD_FLUSH, NVME_CMD_WRITE_ZEROES, NVME_CMD_DSM,
					   NVME_CMD_COPY,  NVME_CMD_WRITE };
	uint8_t how = input_u8(r->in), opcode = opcodes[how & 7];
	struct nvme_ns *ns = r->ns[how & 8 ? 1 : 0];

	if (!ns || how & 0x80) {
		fill_raw(r, req, how & 0x20 ? input_u8(r->in) : opcode, DATA_BYTES);
		return;
	}
	switch (opcode) {
	case NVME_CMD_FLUSH:
		nvme_cmd_flush(req, ns);
		break;
	case NVME_CMD_DSM:
		nvme_cmd_dsm(req, ns, data_end - 64, 4, how & 0x10 ? NVME_DSM_AD : 0);
		break;
	case NVME_CMD_COPY:
		nvme_cmd_copy(req, ns, data_end - 64, 2, input_u16(r->in), 0, 0);
		break;
	case NVME_CMD_WRITE_ZEROES:
		nvme_cmd_rw(req, ns, opcode, NULL, input_u16(r->in), 1 + input_u8(r->in), 0);
		break;
	default:
		fill_rw(r, req, ns, opcode, how);
		break;
	}
}

static void submit(struct rig *r, struct nvme_qpair *q, unsigned int n)
{
	if (!q || nvme_qpair_enter(q))
		return;
	while (n--) {
		struct rig_req *rr = take_request(r);

		if (!rr)
			break;
		fill_io(r, &rr->req);
		nvme_qpair_submit(q, &rr->req, r->liar->now_ns);
	}
	nvme_qpair_ring(q);
	nvme_qpair_exit(q);
}

static uint8_t admin_opcode(struct rig *r, uint8_t op)
{
	static const uint8_t opcodes[] = { NVME_ADMIN_ASYNC_EVENT,   NVME_ADMIN_IDENTIFY,
					   NVME_ADMIN_GET_LOG_PAGE,  NVME_ADMIN_ABORT,
					   NVME_ADMIN_FORMAT,	     NVME_ADMIN_SANITIZE,
					   NVME_ADMIN_NS_MANAGEMENT, NVME_ADMIN_DELETE_SQ };

	uint8_t opcode = op & 8 ? input_u8(r->in) : opcodes[op & 7];

	/* A queue of the script's own, in the place of one of the driver's. */
	if (opcode == NVME_ADMIN_CREATE_SQ || opcode == NVME_ADMIN_CREATE_CQ)
		r->liar->lied = true;
	return opcode;
}

static void admin_submit(struct rig *r, uint8_t op)
{
	struct rig_req *rr = take_request(r);

	if (!rr)
		return;
	fill_raw(r, &rr->req, admin_opcode(r, op), DATA_BYTES);
	if (rr->req.sqe.opc == NVME_ADMIN_ASYNC_EVENT)
		rr->req.flags |= NVME_REQ_AER;
	if (nvme_admin_submit(r->ctrl, &rr->req))
		rr->busy = false;
}

static void admin_exec(struct rig *r, uint8_t op)
{
	struct nvme_req req = { 0 };

	fill_raw(r, &req, admin_opcode(r, op), EXEC_BYTES);
	if (req.flags & NVME_REQ_RAW_PTR)
		req.data_bytes = 0;
	nvme_admin_exec(r->ctrl, &req, op & 0x10 ? input_u16(r->in) : 0);
}

/* --- queues --- */

/* What is outstanding is what the queue says. */
static void LIAR_UNTRACED check_queue(const struct rig *r, const struct nvme_qpair *q)
{
	unsigned int busy = 0;

	for (size_t i = 0; i < RIG_REQS; i++)
		busy += r->reqs[i].busy && r->reqs[i].req.qpair == q;
	if (busy != nvme_qpair_outstanding(q))
		liar_fail("a queue does not know what is outstanding");
	if (nvme_qpair_free_cids(q) + q->inflight != q->ntrackers)
		liar_fail("a command identifier is lost");
}

static void LIAR_UNTRACED check_queues(const struct rig *r)
{
	for (size_t i = 0; i < RIG_QUEUES; i++) {
		if (r->q[i])
			check_queue(r, r->q[i]);
	}
	liar_insist(r->liar);
}

void rig_delete_queue(struct rig *r, size_t i)
{
	struct nvme_qpair *q = r->q[i];

	if (!q)
		return;
	r->q[i] = NULL;
	nvme_qpair_delete(q);
	for (size_t k = 0; k < RIG_REQS; k++) {
		if (r->reqs[k].busy && r->reqs[k].req.qpair == q)
			liar_fail("a request outlived its queue");
	}
}

static void create_queue(struct rig *r, size_t i, uint8_t op)
{
	uint8_t how = input_u8(r->in);

	rig_delete_queue(r, i);
	nvme_qpair_create(r->ctrl, 2 + how % 15, op & 0x80 ? how & 3 : 0,
			  op & 0x40 ? NVME_QPAIR_AUTO_IRQ : NVME_QPAIR_NO_IRQ, &r->q[i]);
}

/* As a script's callbacks do: after the poll, outside of the queue. */
static void run_callbacks(struct rig *r)
{
	for (unsigned int rounds = 0; r->callbacks && rounds < 8; rounds++) {
		r->callbacks--;
		submit(r, r->q[rounds % RIG_QUEUES], 1);
	}
	r->callbacks = 0;
}

static void poll_queues(struct rig *r, uint8_t max)
{
	nvme_admin_poll(r->ctrl, r->liar->now_ns);
	for (size_t i = 0; i < RIG_QUEUES; i++) {
		if (!r->q[i] || nvme_qpair_enter(r->q[i]))
			continue;
		nvme_qpair_poll(r->q[i], max ? max : UINT32_MAX, r->liar->now_ns);
		nvme_qpair_exit(r->q[i]);
	}
	run_callbacks(r);
}

/* --- everything else --- */

/* An entry of arbitrary bytes; now and then for a command that there is. */
static void post(struct rig *r)
{
	struct liar *liar = r->liar;
	uint8_t how = input_u8(r->in);
	uint16_t qid = how & 3;
	struct nvme_cqe cqe;

	input_bytes(r->in, &cqe, sizeof(cqe));
	if (how & 4)
		cqe.sqid = qid;
	if (how & 8)
		cqe.cid &= 0x0f;
	if (how & 0x10 && liar->nheld)
		cqe.cid = liar->held[cqe.cid % liar->nheld].sqe.cid;
	if (how & 0x20)
		cqe.sqhd &= 7;
	liar->lied = true;
	liar_post(liar, qid, cqe, !(how & 0x40));
}

static void life(struct rig *r, uint8_t op)
{
	switch (op & 7) {
	case 0:
		nvme_ctrl_quiesce(r->ctrl, "the fuzzer says so");
		break;
	case 1:
		nvme_ctrl_reinit(r->ctrl);
		break;
	case 2:
		nvme_ctrl_shutdown(r->ctrl, op & 8);
		break;
	case 3:
		nvme_ctrl_power(r->ctrl, false);
		break;
	case 4:
		nvme_ctrl_power(r->ctrl, true);
		break;
	case 5:
		nvme_ctrl_poke32(r->ctrl, NVME_REG_CC, op & 8 ? input_u32(r->in) : 0);
		break;
	case 6:
		nvme_ctrl_poke32(r->ctrl, NVME_REG_CC, 0x460001);
		break;
	case 7:
		nvme_ctrl_health(r->ctrl, r->liar->now_ns);
		break;
	}
}

/* Commands that name it end first, as with a script's. */
static bool LIAR_UNTRACED is_used(const struct rig *r, const struct nvme_ns *ns)
{
	for (size_t i = 0; i < RIG_REQS; i++) {
		if (r->reqs[i].busy && r->reqs[i].req.ns == ns)
			return true;
	}
	return false;
}

static void namespaces(struct rig *r, uint8_t op)
{
	struct nvme_ns **ns = &r->ns[op & 1];

	if (!*ns) {
		nvme_ns_open(r->ctrl, 1 + (op >> 1 & 1), ns);
		return;
	}
	switch (op >> 1 & 3) {
	case 0:
		nvme_ns_refresh(*ns);
		break;
	case 1:
		nvme_ns_set_locks(*ns, op & 8);
		break;
	case 2:
		atomic_store(&nvme_config.verify, op & 8);
		break;
	case 3:
		if (is_used(r, *ns))
			return;
		nvme_ns_put(*ns);
		*ns = NULL;
		break;
	}
}

static void look(struct rig *r, uint8_t op)
{
	struct nvme_cmdlog_record records[4];
	struct nvme_event ev;
	uint64_t lost;

	while (nvme_event_pop(r->ctrl, &ev, &lost))
		;
	if ((op & 3) == 3)
		nvme_cmdlog_read(r->ctrl->adminq->log, records, 4);
	atomic_store(&r->ctrl->timeout_ms, op & 4 ? input_u16(r->in) : 1000);
	r->chain = op & 8;
}

static void device(struct rig *r, uint8_t op)
{
	struct liar *liar = r->liar;

	switch (op & 7) {
	case 0:
		liar_complete(liar, input_u8(r->in), 0);
		break;
	case 1:
		liar_complete_all(liar);
		break;
	case 2:
		liar->quirks = input_u8(r->in);
		break;
	case 3:
		liar->lies = input_u8(r->in);
		break;
	case 4:
		input_bytes(r->in, data_end - 64, 64);
		break;
	default:
		liar_happen(liar, input_u8(r->in));
		break;
	}
}

void rig_act(struct rig *r)
{
	uint8_t op = input_u8(r->in), how = op >> 4;

	switch (op & 0xf) {
	case 0:
	case 1:
	case 2:
		submit(r, r->q[(op & 0xf) % RIG_QUEUES], 1 + (how & 7));
		break;
	case 3:
		admin_submit(r, how);
		break;
	case 4:
		admin_exec(r, how | (input_u8(r->in) & 0x10));
		break;
	case 5:
	case 6:
		poll_queues(r, how & 3);
		break;
	case 7:
		r->liar->now_ns += (uint64_t)input_u16(r->in) << (how + 5);
		break;
	case 8:
		post(r);
		break;
	case 9:
		look(r, how);
		break;
	case 10:
		create_queue(r, how % RIG_QUEUES, op);
		break;
	case 11:
		rig_delete_queue(r, how % RIG_QUEUES);
		break;
	case 12:
		nvme_ctrl_reset(r->ctrl, (enum nvme_reset)(how & 3));
		break;
	case 13:
		life(r, how);
		break;
	case 14:
		namespaces(r, how);
		break;
	case 15:
		device(r, how);
		break;
	}
	check_queues(r);
}
