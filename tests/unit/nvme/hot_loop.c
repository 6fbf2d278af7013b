/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hot_loop.c - a loop of random reads at depth 32 for callgrind, which counts the host's side.
 *
 *     hot_loop COUNT
 *
 * The device works between the two counted functions, never inside them: host_submit() and
 * host_poll() are what an IO costs the host, choice of LBA and histogram included.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/hist.h"
#include "base/rand.h"
#include "bus/bus.h"
#include "bus/dma.h"
#include "nvme/cmd.h"
#include "nvme/ctrl.h"
#include "nvme/ns.h"
#include "nvme/qpair.h"

#define DEPTH 32u
#define LBAS  8u

struct slot {
	struct nvme_req req;
	struct dma_mem mem;
};

struct loop {
	struct nvme_qpair *q;
	struct nvme_ns *ns;
	struct slot slots[DEPTH];
	struct slot *idle[DEPTH];
	unsigned int nidle;
	struct rand rng;
	struct hist hist;
	uint64_t failed;
};

static struct loop loop;

static void read_done(struct nvme_req *req)
{
	hist_record(&loop.hist, req->latency_ns);
	if (nvme_req_status(req))
		loop.failed++;
	loop.idle[loop.nidle++] = req->owner;
}

static void __attribute__((noinline)) host_submit(uint64_t now_ns)
{
	while (loop.nidle) {
		struct slot *slot = loop.idle[--loop.nidle];
		uint64_t slba = rand_below(&loop.rng, nvme_ns_format(loop.ns)->nlbas / LBAS) * LBAS;

		nvme_cmd_rw(&slot->req, loop.ns, NVME_CMD_READ, slot->mem.va, slba, LBAS, 0);
		nvme_qpair_submit(loop.q, &slot->req, now_ns);
	}
	nvme_qpair_ring(loop.q);
}

static unsigned int __attribute__((noinline)) host_poll(uint64_t now_ns)
{
	return nvme_qpair_poll(loop.q, DEPTH, now_ns);
}

static int prepare(struct nvme_ctrl *ctrl)
{
	int err;

	err = nvme_ns_open(ctrl, 1, &loop.ns);
	if (!err)
		err = nvme_qpair_create(ctrl, DEPTH + 1, 0, NVME_QPAIR_NO_IRQ, &loop.q);
	for (unsigned int i = 0; !err && i < DEPTH; i++) {
		struct slot *slot = &loop.slots[i];

		err = dma_alloc(&slot->mem, LBAS * nvme_ns_format(loop.ns)->stride_bytes);
		slot->req.done = read_done;
		slot->req.owner = slot;
		slot->req.flags = NVME_REQ_CHECK | NVME_REQ_COUNTED; /* as a worker has it */
		loop.idle[loop.nidle++] = slot;
	}
	rand_seed(&loop.rng, 1);
	hist_init(&loop.hist);
	return err;
}

static void run(struct bus *bus, uint64_t count)
{
	uint64_t done = 0;

	nvme_qpair_enter(loop.q);
	while (done < count) {
		uint64_t now_ns = clock_now_ns();

		host_submit(now_ns);
		/* The device takes a batch a step; what it has done is what a poll finds. */
		bus_step(bus, now_ns);
		bus_step(bus, clock_now_ns());
		done += host_poll(clock_now_ns());
	}
	while (loop.q->inflight)
		done += nvme_qpair_poll(loop.q, DEPTH, clock_now_ns());
	nvme_qpair_exit(loop.q);
	printf("reads %llu\n", (unsigned long long)done);
}

int main(int argc, char **argv)
{
	struct nvme_ctrl *ctrl = NULL;
	int err;

	err = nvme_ctrl_open(&ctrl, "sim:media=null,latency=none", NULL);
	if (!err)
		err = prepare(ctrl);
	if (!err)
		run(ctrl->bus, argc > 1 ? strtoull(argv[1], NULL, 0) : 100000);
	else
		fprintf(stderr, "%s\n", err_text());
	for (unsigned int i = 0; i < DEPTH; i++)
		dma_free(&loop.slots[i].mem);
	if (loop.q)
		nvme_qpair_delete(loop.q);
	nvme_ns_put(loop.ns);
	nvme_ctrl_put(ctrl);
	return err || loop.failed ? 1 : 0;
}
