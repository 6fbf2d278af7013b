/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * example.c - the core from C: open a drive, write, read back, compare.
 *
 *     example [ADDRESS [NSID]]      the software SSD and namespace 1 by default; writes LBAs 0..7
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "bus/dma.h"
#include "nvme/cmd.h"
#include "nvme/ctrl.h"
#include "nvme/ns.h"
#include "nvme/qpair.h"
#include "spec/identify.h"

#define LBAS 8

static void mark_done(struct nvme_req *req)
{
	*(bool *)req->owner = true;
}

/* Submits one command and polls until it has completed. Returns its status, or -errno. */
static int run(struct nvme_qpair *q, struct nvme_req *req)
{
	bool done = false;
	int err;

	req->done = mark_done;
	req->owner = &done;
	err = nvme_qpair_enter(q);
	if (err)
		return err;
	nvme_qpair_submit(q, req, clock_now_ns());
	nvme_qpair_ring(q);
	while (!done)
		nvme_qpair_poll(q, 1, clock_now_ns());
	nvme_qpair_exit(q);
	return nvme_req_status(req);
}

static int write_and_read(struct nvme_qpair *q, struct nvme_ns *ns)
{
	struct nvme_req write = { .flags = NVME_REQ_STAMP }, read = { .flags = NVME_REQ_CHECK };
	struct dma_mem out = { 0 }, in = { 0 };
	size_t bytes = (size_t)LBAS * nvme_ns_format(ns)->stride_bytes;
	int err;

	err = dma_alloc(&out, bytes);
	if (!err)
		err = dma_alloc(&in, bytes);
	if (!err) {
		memset(out.va, 0x5a, bytes);
		nvme_cmd_rw(&write, ns, NVME_CMD_WRITE, out.va, 0, LBAS, 0);
		err = run(q, &write);
	}
	if (!err) {
		nvme_cmd_rw(&read, ns, NVME_CMD_READ, in.va, 0, LBAS, 0);
		err = run(q, &read);
	}
	if (!err)
		printf("wrote and read %zu bytes: %s, the read took %" PRIu64 " ns\n", bytes,
		       memcmp(out.va, in.va, bytes) ? "they differ" : "equal", read.latency_ns);
	if (!err && memcmp(out.va, in.va, bytes))
		err = -1;
	dma_free(&out);
	dma_free(&in);
	return err;
}

int main(int argc, char **argv)
{
	struct nvme_ctrl *ctrl = NULL;
	struct nvme_qpair *q = NULL;
	struct nvme_ns *ns = NULL;
	uint32_t nsid = argc > 2 ? (uint32_t)atoi(argv[2]) : 1;
	int err;

	nvme_config.verify = true;
	err = nvme_ctrl_open(&ctrl, argc > 1 ? argv[1] : "sim", NULL);
	if (!err)
		err = nvme_ns_open(ctrl, nsid, &ns);
	if (!err)
		err = nvme_qpair_create(ctrl, 64, 0, NVME_QPAIR_AUTO_IRQ, &q);
	if (!err) {
		const struct nvme_ns_format *f = nvme_ns_format(ns);

		printf("%.40s, %u IO queues, namespace %u: %" PRIu64 " LBAs of %u + %u bytes\n",
		       ctrl->id_ctrl->mn, ctrl->nsqs, nsid, f->nlbas, f->lba_bytes, f->meta_bytes);
		err = write_and_read(q, ns);
	}
	if (err)
		fprintf(stderr, "%s (%#x)\n", err < 0 ? err_text() : "the device reported an error",
			(unsigned int)err);
	if (q)
		nvme_qpair_delete(q);
	nvme_ns_put(ns);
	nvme_ctrl_put(ctrl);
	return err ? 1 : 0;
}
