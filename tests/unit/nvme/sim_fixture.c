// SPDX-License-Identifier: BSD-3-Clause
#include "sim_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "bus/soft.h"

int sim_open_with(void **state, const char *addr)
{
	struct sim *s = calloc(1, sizeof(*s));

	nvme_config = (struct nvme_config){ .verify = true };
	if (nvme_ctrl_open(&s->ctrl, addr, NULL))
		fail_msg("%s", err_text());
	assert_int_equal(nvme_ns_open(s->ctrl, 1, &s->ns), 0);
	assert_int_equal(nvme_qpair_create(s->ctrl, 16, 0, NVME_QPAIR_AUTO_IRQ, &s->q), 0);
	assert_int_equal(dma_alloc(&s->mem, 1 << 20), 0);
	*state = s;
	return 0;
}

int sim_open(void **state)
{
	return sim_open_with(state, "sim:latency=none");
}

int sim_close(void **state)
{
	struct sim *s = *state;

	nvme_qpair_delete(s->q);
	nvme_ns_put(s->ns);
	nvme_ctrl_put(s->ctrl);
	dma_free(&s->mem);
	free(s);
	nvme_config = (struct nvme_config){ 0 };
	return 0;
}

static void mark_done(struct nvme_req *req)
{
	req->owner = NULL;
}

uint16_t sim_run(struct sim *s)
{
	s->req.done = mark_done;
	s->req.owner = s;
	assert_int_equal(nvme_qpair_enter(s->q), 0);
	nvme_qpair_submit(s->q, &s->req, clock_now_ns());
	nvme_qpair_ring(s->q);
	while (s->req.owner)
		nvme_qpair_poll(s->q, 1, clock_now_ns());
	nvme_qpair_exit(s->q);
	return nvme_req_status(&s->req);
}

uint16_t sim_write(struct sim *s, uint64_t slba, uint32_t nlb)
{
	s->req = (struct nvme_req){ .flags = NVME_REQ_STAMP };
	nvme_cmd_rw(&s->req, s->ns, NVME_CMD_WRITE, s->mem.va, slba, nlb, 0);
	return sim_run(s);
}

uint16_t sim_read(struct sim *s, uint64_t slba, uint32_t nlb)
{
	s->req = (struct nvme_req){ .flags = NVME_REQ_CHECK };
	nvme_cmd_rw(&s->req, s->ns, NVME_CMD_READ, s->mem.va, slba, nlb, 0);
	return sim_run(s);
}

uint16_t sim_raw(struct sim *s, uint8_t opcode, uint32_t data_bytes, const uint32_t cdw10_15[6])
{
	s->req = (struct nvme_req){ 0 };
	nvme_cmd_raw(&s->req, opcode, 1, s->mem.va, data_bytes, cdw10_15);
	return sim_run(s);
}

static void admin_done(struct nvme_req *req)
{
	req->owner = NULL;
}

uint16_t sim_admin(struct sim *s, uint8_t opcode, uint32_t nsid, uint32_t cdw10)
{
	s->req = (struct nvme_req){ .done = admin_done, .owner = s };
	nvme_cmd_raw(&s->req, opcode, nsid, NULL, 0, (const uint32_t[6]){ cdw10, 0, 0, 0, 0, 0 });
	assert_int_equal(nvme_admin_submit(s->ctrl, &s->req), 0);
	while (s->req.owner)
		assert_true(nvme_admin_poll(s->ctrl, clock_now_ns()) >= 0);
	return nvme_req_status(&s->req);
}

void sim_fault(struct sim *s, uint8_t opcode, enum ssd_fault_action action)
{
	struct ssd_fault fault = {
		.opcode = opcode, .nth = 1, .times = 1, .probability = 1, .action = action
	};

	soft_lock(s->ctrl->bus);
	assert_true(ssd_fault_add(soft_ssd(s->ctrl->bus), &fault) > 0);
	soft_unlock(s->ctrl->bus);
}
