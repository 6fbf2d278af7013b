/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * driver_rig.h - a script of the host: what the fuzzer does with the driver.
 */
#ifndef PYNVME_TESTS_FUZZ_DRIVER_RIG_H
#define PYNVME_TESTS_FUZZ_DRIVER_RIG_H

#include "input.h"
#include "liar.h"
#include "nvme/cmd.h"
#include "nvme/ctrl.h"
#include "nvme/ns.h"
#include "nvme/qpair.h"

#define RIG_REQS       64u
#define RIG_QUEUES     3u
#define RIG_NAMESPACES 2u

struct rig_req {
	struct nvme_req req;
	struct rig *rig;
	bool busy;
};

struct rig {
	struct liar *liar;
	struct input *in;
	struct nvme_ctrl *ctrl;
	struct nvme_ns *ns[RIG_NAMESPACES];
	struct nvme_qpair *q[RIG_QUEUES];
	struct rig_req reqs[RIG_REQS];
	unsigned int callbacks; /* completions whose callback has not run yet, and will submit */
	bool chain;		/* callbacks submit */
};

/* Buffers, once a process. 0 or -errno. */
int rig_memory(void);
/* One thing that a script does, as the input says. */
void rig_act(struct rig *r);
/* Nothing if there is none. */
void rig_delete_queue(struct rig *r, size_t i);

#endif
