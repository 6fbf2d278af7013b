/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What one 4 KiB read costs the device: run under callgrind with --toggle-collect=ssd_step and
 * divide by the number of commands, the first argument (check_count.py does).
 */
#include "rig.h"

#include <stdio.h>

#define BATCH 32

static void batch(struct rig *r)
{
	struct rig_queue *q = &r->q[1];
	struct nvme_cqe cqe;

	for (uint32_t i = 0; i < BATCH; i++)
		rig_put(r, 1, rig_rw(NVME_CMD_READ, i * 8, 8, r->buf));
	rig_ring(r, 1);
	assert_int_equal(ssd_step(r->ssd, r->now_ns), BATCH);
	for (uint32_t i = 0; i < BATCH; i++)
		assert_true(rig_reap(r, 1, &cqe));
	assert_int_equal(q->head, q->tail);
}

int main(int argc, char **argv)
{
	long commands = argc > 1 ? strtol(argv[1], NULL, 10) : 3200;
	struct rig *r = rig_create("media=null,latency=none");

	r->trusting = true;
	rig_enable(r);
	rig_create_queue(r, 1, 256);
	for (long n = 0; n < commands; n += BATCH)
		batch(r);
	printf("%ld commands\n", commands);
	rig_destroy(r);
	return 0;
}
