/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * liar.h - a controller that says what the fuzzer says, and whose clock stands still.
 *
 * It knows queues and bring-up. Its lies come from the end of the fuzzer's bytes, while the script
 * of the host comes from their beginning: so both can be bent apart from each other. Without bytes,
 * or with zeros, it is honest. Time passes only while the driver naps, faster and faster until the
 * device does something.
 *
 * As long as it is honest it insists: memory of its queues and commands stays the driver's until it
 * has let go of it, and tails stay inside their rings.
 */
#ifndef PYNVME_TESTS_FUZZ_LIAR_H
#define PYNVME_TESTS_FUZZ_LIAR_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/bus.h"
#include "input.h"
#include "nvme/time.h"
#include "spec/identify.h"
#include "spec/nvme.h"

#define LIAR_QUEUES    9u
#define LIAR_HELD      256u
#define LIAR_DOORBELLS 64u

/* Runs often, and has nothing that is worth the fuzzer's attention. */
#define LIAR_UNTRACED __attribute__((no_sanitize("coverage")))

#define LIAR_TRUTH 0x90u /* bytes below this are no lie */

/* struct liar.lies */
#define LIAR_COMMANDS	 0x01u /* how commands end */
#define LIAR_NAPS	 0x02u /* what happens while the driver waits */
#define LIAR_REGISTERS	 0x04u /* what registers read as */
/* struct liar.quirks */
#define LIAR_NEVER_READY 0x01u
#define LIAR_NEVER_IDLE	 0x02u
#define LIAR_FATAL	 0x04u /* CSTS.CFS on enable */
#define LIAR_NO_SHUTDOWN 0x08u
#define LIAR_NO_POWER	 0x10u
#define LIAR_BAD_RESET	 0x20u
#define LIAR_BAD_HEALTH	 0x40u
#define LIAR_IRQS	 0x80u

struct liar_queue {
	bool has_sq, has_cq;
	uint64_t sq_iova, cq_iova;
	uint32_t sq_size, cq_size; /* entries */
	uint32_t sq_head, cq_tail;
	uint16_t phase;
};

struct liar_held {
	struct nvme_sqe sqe;
	uint16_t qid;
	bool has_prp1, has_prp2; /* these were the driver's memory */
};

struct liar {
	struct bus bus;
	struct input *in;
	uint64_t now_ns;
	unsigned int naps, streak;
	uint8_t lies, quirks;
	bool gone, closed, lied;
	uint64_t cap, asq, acq;
	uint32_t vs, cc, csts, aqa, crto;
	uint32_t doorbells[LIAR_DOORBELLS];
	uint32_t tails[LIAR_QUEUES]; /* of doorbells that are not mapped */
	struct liar_queue queues[LIAR_QUEUES];
	struct liar_held held[LIAR_HELD];
	unsigned int nheld;
	struct nvme_id_ctrl id;
	struct nvme_id_ns id_ns;
	uint8_t config[256];
};

extern const struct nvme_time_ops liar_time; /* its priv is the liar */

/* A byte from the end of the input. */
uint8_t liar_u8(struct liar *liar);

void liar_init(struct liar *liar, struct input *in);
/* Complete the held command @i; one that is not there is none. */
void liar_complete(struct liar *liar, unsigned int i, uint16_t sc11);
/* Complete all held but AERs, oldest first. */
void liar_complete_all(struct liar *liar);
/* Any entry at all to a completion queue that there is. */
void liar_post(struct liar *liar, uint16_t qid, struct nvme_cqe cqe, bool flip);
/* Something arbitrary happens to it. */
void liar_happen(struct liar *liar, uint8_t what);
/* Fetch and execute. */
void liar_work(struct liar *liar);
/* Disabled or reset: no queues, no commands. */
void liar_forget(struct liar *liar);
void liar_fail(const char *what) __attribute__((noreturn));
/* Fails if the driver took away what the device still uses. */
void liar_insist(struct liar *liar);

#endif
