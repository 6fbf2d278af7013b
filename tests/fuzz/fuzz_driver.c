// SPDX-License-Identifier: BSD-3-Clause
/*
 * The host driver and a device that says anything at any time: its identify data, registers and
 * completions are the fuzzer's. The clock of the queues is the fuzzer's, too.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "bus/dma.h"
#include "fake_ctrl.h"
#include "input.h"
#include "nvme/cmd.h"
#include "nvme/ctrl.h"
#include "nvme/ns.h"
#include "nvme/qpair.h"

#define REQS	   64
#define DATA_BYTES 65536u

struct rig {
	struct fake_ctrl *fake;
	struct nvme_ctrl *ctrl;
	struct nvme_ns *ns;
	struct nvme_qpair *q;
	struct nvme_req reqs[REQS];
	bool busy[REQS];
	uint64_t now_ns;
};

static struct dma_mem data_mem;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	/* no files for the flight recorder, it then uses private memory */
	setenv("PYNVME_CMDLOG_DIR", "/nonexistent", 1);
	return dma_alloc(&data_mem, DATA_BYTES);
}

static void done(struct nvme_req *req)
{
	struct rig *r = req->owner;
	size_t i = (size_t)(req - r->reqs);

	if (!r->busy[i])
		abort(); /* a request completes once */
	r->busy[i] = false;
}

static struct nvme_req *free_request(struct rig *r)
{
	for (size_t i = 0; i < REQS; i++) {
		if (r->busy[i])
			continue;
		r->busy[i] = true;
		r->reqs[i] = (struct nvme_req){ .done = done, .owner = r };
		return &r->reqs[i];
	}
	return NULL;
}

/* Holds every IO command, and completes it when the fuzzer says so. */
static enum fake_verdict hold(struct fake_ctrl *fake, uint16_t qid, const struct nvme_sqe *sqe,
			      struct nvme_cqe *cqe)
{
	return qid ? FAKE_HOLD : FAKE_COMPLETE;
}

static void submit(struct rig *r, struct input *in)
{
	static const uint8_t opcodes[] = { NVME_CMD_READ, NVME_CMD_WRITE, NVME_CMD_COMPARE };
	struct nvme_req *req = free_request(r);
	uint8_t how = input_u8(in);
	uint32_t cdw[6];

	if (!req || nvme_qpair_enter(r->q)) {
		if (req)
			r->busy[req - r->reqs] = false;
		return;
	}
	if (r->ns && how & 1) {
		req->flags = how & 0x70 ? NVME_REQ_STAMP | NVME_REQ_CHECK : 0;
		nvme_cmd_rw(req, r->ns, opcodes[how % 3], data_mem.va, input_u16(in),
			    1 + input_u8(in) % 16, (uint32_t)input_u16(in) << 16);
		if (req->data_bytes > DATA_BYTES)
			req->data_bytes = DATA_BYTES;
	} else {
		input_bytes(in, cdw, sizeof(cdw));
		nvme_cmd_raw(req, input_u8(in), input_u8(in), data_mem.va, input_u16(in) & ~3u,
			     cdw);
	}
	nvme_qpair_submit(r->q, req, r->now_ns);
	nvme_qpair_ring(r->q);
	nvme_qpair_exit(r->q);
	bus_step(&r->fake->bus, r->now_ns);
}

static void poll_queues(struct rig *r, uint8_t max)
{
	nvme_admin_poll(r->ctrl, r->now_ns);
	if (!r->q || nvme_qpair_enter(r->q))
		return;
	nvme_qpair_poll(r->q, max ? max : UINT32_MAX, r->now_ns);
	nvme_qpair_exit(r->q);
}

/* A completion of arbitrary bytes; now and then for a command that there is. */
static void post(struct rig *r, struct input *in)
{
	uint8_t how = input_u8(in);
	uint16_t qid = how & 1;
	struct nvme_cqe cqe;

	input_bytes(in, &cqe, sizeof(cqe));
	if (how & 2)
		cqe.sqid = qid;
	if (how & 4)
		cqe.cid &= 0x7f;
	if (how & 8)
		cqe.sqhd &= 7;
	if (how & 0x10 && r->fake->nheld)
		cqe.cid = r->fake->held[how % r->fake->nheld].cid;
	if (r->fake->queues[qid].cq_size)
		fake_post(r->fake, qid, cqe, !(how & 0x20));
}

static void registers(struct rig *r, struct input *in)
{
	uint32_t csts = input_u32(in);

	/* CAP.TO is 0: no patience, or this would last */
	if (csts & 0x80)
		r->fake->cap = input_u64(in) & ~UINT64_C(0xff000000);
	r->fake->csts = csts & 3;
	r->fake->gone = !(csts & 0x700);
	nvme_ctrl_health(r->ctrl, r->now_ns);
	r->fake->gone = false;
}

static void drain_events(struct rig *r)
{
	struct nvme_event ev;
	uint64_t lost;

	while (nvme_event_pop(r->ctrl, &ev, &lost))
		;
}

static void open_queue(struct rig *r, struct input *in)
{
	if (r->q)
		nvme_qpair_delete(r->q);
	r->q = NULL;
	nvme_qpair_create(r->ctrl, 2 + input_u8(in) % 30, 0, NVME_QPAIR_NO_IRQ, &r->q);
}

static void act(struct rig *r, struct input *in)
{
	uint8_t op = input_u8(in);

	if (r->fake->nheld > FAKE_HELD / 2)
		r->fake->nheld = 0;
	switch (op % 10) {
	case 0:
	case 1:
		if (r->q)
			submit(r, in);
		break;
	case 2:
	case 3:
		post(r, in);
		break;
	case 4:
	case 5:
		poll_queues(r, op >> 5);
		break;
	case 6:
		r->now_ns += (uint64_t)input_u16(in) << (op >> 4);
		break;
	case 7:
		registers(r, in);
		break;
	case 8:
		drain_events(r);
		input_bytes(in, (uint8_t *)data_mem.va + input_u16(in) % (DATA_BYTES - 64), 64);
		break;
	case 9:
		if (op & 0x40)
			nvme_ctrl_reset(r->ctrl, op & 0x20 ? NVME_RESET_FLR : NVME_RESET_CTRL);
		open_queue(r, in);
		break;
	}
}

static void close_rig(struct rig *r)
{
	if (r->q)
		nvme_qpair_delete(r->q);
	if (r->ns)
		nvme_ns_put(r->ns);
	nvme_ctrl_put(r->ctrl);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct rig r = { .fake = fake_create(), .now_ns = clock_now_ns() };
	uint8_t how = input_u8(&in);

	/* 16 entries, ready at once or never */
	r.fake->cap = 15 | NVME_SET(1, CAP_CQR) | NVME_SET(NVME_CAP_CSS_NVM, CAP_CSS);
	if (how & 1)
		input_bytes(&in, &r.fake->id, in.left < 128 ? 128 : 600);
	if (how & 2)
		input_bytes(&in, &r.fake->id_ns, 384);
	if (!nvme_ctrl_open_bus(&r.ctrl, &r.fake->bus, NULL)) {
		atomic_store(&r.ctrl->timeout_ms, 1);
		nvme_ns_open(r.ctrl, 1, &r.ns);
		open_queue(&r, &in);
		r.fake->script = how & 4 ? hold : NULL;
		while (in.left)
			act(&r, &in);
		close_rig(&r);
		for (size_t i = 0; i < REQS; i++)
			if (r.busy[i])
				abort(); /* whatever was submitted ends */
	}
	fake_destroy(r.fake);
	return 0;
}
