/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * queue.h - submission and completion queues as the device sees them.
 *
 * Base 2.1 section 3.3.3, PCIe transport 1.1 section 3.1.2. Queue memory is resolved once,
 * at creation; a queue in several pieces of host memory is reached entry by entry.
 */
#ifndef PYNVME_SSD_QUEUE_QUEUE_H
#define PYNVME_SSD_QUEUE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/nvme.h"

/* One word of live queues holds them all: the admin queue and 63 of IO. */
#define SSD_QUEUES_MAX 64
/* Queued commands that can be marked for abortion: more than ACL allows at a time. */
#define SSD_SQ_ABORTS  256

struct ssd;
struct ssd_ctrl;
struct ssd_ctx;

struct ssd_cq {
	struct nvme_cqe *ring; /* NULL: in pieces, see iova */
	volatile uint32_t *db; /* head doorbell */
	uint64_t bit;	       /* 1 << id */
	uint32_t tail;	       /* next entry to write */
	uint32_t head;	       /* as last read from the doorbell */
	uint32_t size;	       /* entries */
	uint16_t id;
	uint16_t phase;
	bool plain; /* in one piece, nothing waits for room: the fast path applies */
	bool live;
	bool ien;
	uint16_t vector;
	uint32_t irq_tail; /* tail when its interrupt was last looked at */
	/* cold from here */
	uint32_t bad_head; /* an invalid doorbell value is reported once */
	uint32_t nsqs;	   /* submission queues that complete here */
	uint64_t iova;
	struct ssd_ctx *wait; /* finished, no room in the ring; oldest first */
	struct ssd_ctx **wait_end;
};

struct ssd_sq {
	const struct nvme_sqe *ring; /* NULL: in pieces, see iova */
	volatile uint32_t *db;	     /* tail doorbell */
	struct ssd_cq *cq;
	uint32_t head;	  /* next entry to fetch */
	uint32_t tail;	  /* as last read from the doorbell */
	uint32_t size;	  /* entries */
	uint32_t id_high; /* id << 16: its place in a CQE */
	uint16_t id;
	uint8_t prio; /* NVME_QPRIO_* */
	bool live;
	bool odd; /* the next command is not just executed: ssd_sq_update() */
	/* cold from here */
	bool fused_failed;     /* the command before was half of a fused operation, and failed */
	uint16_t naborts;      /* queued commands to abort when they are fetched */
	struct ssd_ctx *fused; /* first half of a fused operation, waits for the second */
	uint32_t bad_tail;
	uint64_t iova;
	uint16_t aborts[SSD_SQ_ABORTS]; /* their CIDs */
};

/* Both return 0 or a NVME_SC_*; arguments were checked. */
uint16_t ssd_cq_create(struct ssd_ctrl *ctrl, uint16_t id, uint32_t size, uint64_t iova, bool ien,
		       uint16_t vector);
uint16_t ssd_sq_create(struct ssd_ctrl *ctrl, uint16_t id, uint32_t size, uint64_t iova,
		       uint16_t cqid, uint8_t prio);
/* The queue's outstanding commands are gone with it, without completions. */
void ssd_sq_destroy(struct ssd_ctrl *ctrl, struct ssd_sq *sq);
void ssd_cq_destroy(struct ssd_ctrl *ctrl, struct ssd_cq *cq);

/* After a change of what makes it odd. */
static inline void ssd_sq_update(struct ssd_sq *sq)
{
	sq->odd = sq->naborts || sq->fused || sq->fused_failed;
}

/* Post @c to its completion queue, or let it wait for room. Frees @c when posted. */
void ssd_cq_post(struct ssd *ssd, struct ssd_ctx *c);
/* Post what waited, as far as the host made room. Return: entries posted. */
int ssd_cq_unblock(struct ssd_ctrl *ctrl, struct ssd_cq *cq);

/* The tail doorbell's new value is taken over, or reported as invalid. */
void ssd_sq_doorbell(struct ssd_ctrl *ctrl, struct ssd_sq *sq, uint32_t tail);
void ssd_cq_doorbell(struct ssd_ctrl *ctrl, struct ssd_cq *cq, uint32_t head);

/* Entry @index of a queue in pieces; false: not mapped. */
bool ssd_sq_fetch_piece(struct ssd_ctrl *ctrl, struct ssd_sq *sq, uint32_t index,
			struct nvme_sqe *sqe);

#endif
