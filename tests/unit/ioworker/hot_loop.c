/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hot_loop.c - a worker of random reads at depth 32 for callgrind.
 *
 *     hot_loop COUNT
 *
 * The device works between the steps, so that ioworker_step() is what an IO costs the host:
 * choice of LBA, submission, completion, statistics, command log, timeout scan.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "bus/bus.h"
#include "ioworker/ioworker.h"
#include "nvme/ctrl.h"

static int run(struct nvme_ctrl *ctrl, struct ioworker *w)
{
	struct ioworker_result r;
	uint64_t now_ns;

	if (ioworker_open(w, clock_now_ns()))
		return -1;
	do {
		now_ns = clock_now_ns();
		/* Everything that is in the ring, and what was late for it. */
		bus_step(ctrl->bus, now_ns);
		bus_step(ctrl->bus, now_ns);
	} while (ioworker_step(w, now_ns) != IOWORKER_ENDED);
	ioworker_close(w);
	ioworker_get_result(w, &r);
	printf("reads %llu\n", (unsigned long long)r.reads);
	return r.failed || r.fault ? -1 : 0;
}

int main(int argc, char **argv)
{
	static const struct plan_size size = { .nlb = 8, .align = 8, .weight = 1 };
	static const struct plan_op reads = { .opcode = NVME_CMD_READ, .weight = 1 };
	struct ioworker_opts opts = {
		.plan = {
			.sizes = &size,
			.nsizes = 1,
			.ops = &reads,
			.nops = 1,
			.region_end = UINT64_MAX,
			.random_percent = 100,
		},
		.io_count = argc > 1 ? strtoull(argv[1], NULL, 0) : 100000,
		.qdepth = 32,
		.cpu = -1,
	};
	struct nvme_ctrl *ctrl = NULL;
	struct ioworker *w = NULL;
	int err = nvme_ctrl_open(&ctrl, "sim:media=null,latency=none", NULL);

	if (!err)
		err = nvme_ns_open(ctrl, 1, &opts.ns);
	if (!err)
		err = ioworker_create(&w, &opts);
	if (!err)
		err = run(ctrl, w);
	else
		fprintf(stderr, "%s\n", err_text());
	ioworker_destroy(w);
	nvme_ns_put(opts.ns);
	nvme_ctrl_put(ctrl);
	return err ? 1 : 0;
}
