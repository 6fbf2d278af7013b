/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fake_ctrl.h - a controller of a few lines that lies on demand.
 *
 * It knows queues and what a bring-up needs, and completes everything else with success. A test
 * gives it a script: a function that sees every command and decides what becomes of it.
 */
#ifndef PYNVME_TESTS_FAKE_CTRL_H
#define PYNVME_TESTS_FAKE_CTRL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "bus/bus.h"
#include "spec/identify.h"
#include "spec/nvme.h"

#define FAKE_QUEUES 9
#define FAKE_HELD   256

enum fake_verdict {
	FAKE_COMPLETE,
	FAKE_HOLD, /* later, by fake_complete_held(), or never */
	FAKE_TWICE,
	FAKE_NO_PHASE, /* written, but its phase does not flip */
};

struct fake_ctrl;

/* May change @cqe: its CID, SQID, SQ head or status. */
typedef enum fake_verdict fake_script_fn(struct fake_ctrl *fake, uint16_t qid,
					 const struct nvme_sqe *sqe, struct nvme_cqe *cqe);

struct fake_queue {
	bool live;
	uint64_t sq_iova, cq_iova;
	uint32_t sq_size, cq_size; /* entries */
	uint32_t sq_head, cq_tail;
	uint16_t phase;
};

struct fake_ctrl {
	struct bus bus;
	pthread_mutex_t lock;
	uint32_t doorbells[2 * FAKE_QUEUES];
	struct fake_queue queues[FAKE_QUEUES];
	struct nvme_id_ctrl id;
	struct nvme_id_ns id_ns;
	/* registers */
	uint64_t cap, asq, acq;
	uint32_t vs, cc, csts, aqa, crto;
	uint8_t config[256];
	/* how it shall behave */
	fake_script_fn *script;
	bool never_ready, never_idle, fatal_on_enable, gone, trapped;
	uint32_t cc_after_reset, csts_after_reset;
	/* what was done to it */
	struct nvme_sqe held[FAKE_HELD];
	uint16_t held_qid[FAKE_HELD];
	unsigned int nheld;
	unsigned int commands, csts_reads, doorbell_writes, enables, shutdowns, resets, closes;
	struct nvme_sqe last;
};

/* On the heap: a controller that takes its bus over closes it, and closing frees nothing. */
struct fake_ctrl *fake_create(void);
void fake_destroy(struct fake_ctrl *fake);
/* Complete what was held, oldest first. */
void fake_complete_held(struct fake_ctrl *fake, uint16_t sc11);
/* Post any entry at all to a completion queue. */
void fake_post(struct fake_ctrl *fake, uint16_t qid, struct nvme_cqe cqe, bool flip);

#endif
