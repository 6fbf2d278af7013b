/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fixture.h - a controller on a fake device with one IO queue, for tests of the driver.
 */
#ifndef PYNVME_TESTS_NVME_FIXTURE_H
#define PYNVME_TESTS_NVME_FIXTURE_H

#include "bus/dma.h"
#include "fake_ctrl.h"
#include "nvme/cmd.h"
#include "nvme/ctrl.h"
#include "nvme/ns.h"
#include "nvme/qpair.h"

#define FIXTURE_REQS 512

struct fixture {
	struct fake_ctrl *fake;
	struct nvme_ctrl *ctrl;
	struct nvme_ns *ns;
	struct nvme_qpair *q;
	struct dma_mem mem;
	struct nvme_req reqs[FIXTURE_REQS];
	unsigned int completed;
	struct nvme_req *last;
	uint64_t now_ns; /* the test's own clock */
};

/* setup and teardown for cmocka; the queue has 8 entries. */
int fixture_open(void **state);
int fixture_close(void **state);

/* A read of LBA i as request i, submitted and rung. */
struct nvme_req *fixture_read(struct fixture *f, unsigned int i);
/* A raw command, submitted and rung. */
struct nvme_req *fixture_raw(struct fixture *f, unsigned int i, uint8_t opcode);
/* Poll until nothing more completes; returns how many did. */
unsigned int fixture_poll(struct fixture *f);
/* The next event, NVME_EVENT_* in ev->type; fails the test if there is none. */
struct nvme_event fixture_event(struct fixture *f);
/* Fails the test if there is an event. */
void fixture_no_event(struct fixture *f);

#endif
