/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sim_fixture.h - a controller on the software SSD with one IO queue and a namespace.
 */
#ifndef PYNVME_TESTS_NVME_SIM_FIXTURE_H
#define PYNVME_TESTS_NVME_SIM_FIXTURE_H

#include "bus/dma.h"
#include "nvme/cmd.h"
#include "nvme/ctrl.h"
#include "nvme/ns.h"
#include "nvme/qpair.h"
#include "ssd/ssd.h"

struct sim {
	struct nvme_ctrl *ctrl;
	struct nvme_ns *ns;
	struct nvme_qpair *q;
	struct dma_mem mem;
	struct nvme_req req;
};

/* For cmocka; "sim:latency=none" and verification on. */
int sim_open(void **state);
/* The same with options of the test's own. */
int sim_open_with(void **state, const char *addr);
int sim_close(void **state);

/* Submit s->req and wait for it; its status (SCT << 8 | SC). */
uint16_t sim_run(struct sim *s);
/* Namespace.write and .read of the first bytes of s->mem. */
uint16_t sim_write(struct sim *s, uint64_t slba, uint32_t nlb);
uint16_t sim_read(struct sim *s, uint64_t slba, uint32_t nlb);
/* An IO command as send_cmd() has it. */
uint16_t sim_raw(struct sim *s, uint8_t opcode, uint32_t data_bytes, const uint32_t cdw10_15[6]);
/* An admin command as a script sends it; its status. */
uint16_t sim_admin(struct sim *s, uint8_t opcode, uint32_t nsid, uint32_t cdw10);
/* One fault, for the next command with that opcode. */
void sim_fault(struct sim *s, uint8_t opcode, enum ssd_fault_action action);

#endif
