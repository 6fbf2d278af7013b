// SPDX-License-Identifier: BSD-3-Clause
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"

static void count_done(struct nvme_req *req)
{
	struct fixture *f = req->owner;

	f->completed++;
	f->last = req;
}

int fixture_open(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->fake = fake_create();
	assert_int_equal(nvme_ctrl_open_bus(&f->ctrl, &f->fake->bus, NULL), 0);
	assert_int_equal(nvme_ns_open(f->ctrl, 1, &f->ns), 0);
	assert_int_equal(nvme_qpair_create(f->ctrl, 8, 0, NVME_QPAIR_AUTO_IRQ, &f->q), 0);
	assert_int_equal(dma_alloc(&f->mem, 1 << 20), 0);
	f->now_ns = clock_now_ns();
	*state = f;
	return 0;
}

int fixture_close(void **state)
{
	struct fixture *f = *state;

	if (f->q)
		nvme_qpair_delete(f->q);
	nvme_ns_put(f->ns);
	nvme_ctrl_put(f->ctrl);
	dma_free(&f->mem);
	fake_destroy(f->fake);
	free(f);
	return 0;
}

static struct nvme_req *send(struct fixture *f, struct nvme_req *req)
{
	req->done = count_done;
	req->owner = f;
	assert_int_equal(nvme_qpair_enter(f->q), 0);
	nvme_qpair_submit(f->q, req, f->now_ns);
	nvme_qpair_ring(f->q);
	nvme_qpair_exit(f->q);
	return req;
}

struct nvme_req *fixture_read(struct fixture *f, unsigned int i)
{
	struct nvme_req *req = &f->reqs[i];

	*req = (struct nvme_req){ 0 };
	nvme_cmd_rw(req, f->ns, NVME_CMD_READ, f->mem.va, i, 1, 0);
	return send(f, req);
}

struct nvme_req *fixture_raw(struct fixture *f, unsigned int i, uint8_t opcode)
{
	static const uint32_t none[6];
	struct nvme_req *req = &f->reqs[i];

	*req = (struct nvme_req){ 0 };
	nvme_cmd_raw(req, opcode, 1, NULL, 0, none);
	return send(f, req);
}

unsigned int fixture_poll(struct fixture *f)
{
	unsigned int n, total = 0;

	do {
		assert_int_equal(nvme_qpair_enter(f->q), 0);
		n = nvme_qpair_poll(f->q, UINT32_MAX, f->now_ns);
		nvme_qpair_exit(f->q);
		total += n;
	} while (n);
	return total;
}

struct nvme_event fixture_event(struct fixture *f)
{
	struct nvme_event ev = { 0 };

	assert_int_equal(nvme_event_pop(f->ctrl, &ev, NULL), 1);
	return ev;
}

void fixture_no_event(struct fixture *f)
{
	struct nvme_event ev;

	assert_int_equal(nvme_event_pop(f->ctrl, &ev, NULL), 0);
}
