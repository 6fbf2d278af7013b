/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * qpair.h - a submission queue and its completion queue, seen by the host.
 *
 * Three verbs: submit (put into the ring, or into the software queue when it is full),
 * ring (one doorbell a batch), poll (reap). One thread at a time between enter and exit;
 * a reset freezes the queue and waits for whoever is inside.
 */
#ifndef PYNVME_NVME_QPAIR_H
#define PYNVME_NVME_QPAIR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "bus/dma.h"
#include "nvme/req.h"

struct nvme_ctrl;
struct nvme_cmdlog_queue;
struct nvme_transport_ops;

enum nvme_qpair_state {
	NVME_QPAIR_LIVE,
	NVME_QPAIR_FROZEN, /* a reset is under way */
	NVME_QPAIR_DEAD,   /* its controller was reset or is gone; only delete works */
};

/* Memory that few commands need; lives as long as the command. */
struct nvme_tracker_extra {
	struct dma_mem chain; /* PRP lists longer than the tracker's space */
	struct dma_mem meta;  /* metadata buffer of a command whose submitter brought none */
};

/* One a CID. */
struct nvme_tracker {
	struct nvme_req *req; /* NULL: free */
	uint64_t prp_iova;    /* of this tracker's PRP list space */
	uint64_t *prp;	      /* the same for the host */
	struct nvme_tracker_extra *extra;
};

/* Make sure that t->extra is there. Return: 0, -ENOMEM. */
int nvme_tracker_extra(struct nvme_tracker *t);

/**
 * struct nvme_qpair
 *
 * Fields below "cold" are not touched by submit and poll of an IO.
 */
struct nvme_qpair {
	/* submit */
	struct nvme_sqe *sq;
	volatile uint32_t *sq_doorbell; /* a dummy word while frozen or without mapping */
	struct nvme_tracker *trackers;
	const struct nvme_transport_ops *ops;
	uint16_t *free_cids; /* a ring, so that a CID rests as long as possible */
	uint32_t free_head;  /* free_tail - free_head are free */
	uint32_t free_tail;
	uint32_t free_mask;
	uint16_t sq_tail;
	uint16_t sq_rung; /* tail the device has been told */
	uint16_t sq_head; /* as of the last CQE */
	uint16_t inflight;
	uint32_t sq_depth;
	struct nvme_cmdlog_queue *log;
	struct nvme_ctrl *ctrl;
	/* poll */
	struct nvme_cqe *cq; /* the phase is read by an acquire load */
	volatile uint32_t *cq_doorbell;
	uint32_t cq_depth;
	uint16_t cq_head;
	uint16_t cq_phase;
	uint16_t sqid;
	struct nvme_req *wait_head; /* software queue */
	struct nvme_req **wait_tail;
	_Atomic uint32_t owner;
	_Atomic uint32_t state;
	uint64_t scan_ns;   /* next timeout scan */
	uint64_t health_ns; /* next look at the controller's health */
	uint16_t ntrackers;
	uint16_t prp_entries; /* that fit into a tracker's space */
	bool trapped;	      /* no mapped doorbells: ring by register writes */
	uint32_t nwaiting;    /* length of the software queue */
	/* cold from here */
	uint16_t cqid;
	uint16_t vector;
	bool holds_qid;
	bool owned;   /* the device may write to its memory: not confirmed deleted, not reset */
	bool unknown; /* to the device, which was asked to delete it */
	bool kept;    /* by the device, as it is: nvme_qpair_leave() */
	uint32_t dummy_doorbell[2];
	struct nvme_aer_cids *aer_cids; /* admin queue only, nvme/aer.c */
	struct dma_mem sq_mem, cq_mem, prp_mem;
	void *conn;		 /* the transport's own, where there is more to it */
	struct nvme_qpair *next; /* in the controller's list */
};

/**
 * nvme_qpair_create() - an IO queue pair
 * @depth: entries of both rings, 2..MQES + 1
 * @prio: SQ priority 0..3, non-zero needs weighted round robin
 * @vector: interrupt vector, NVME_QPAIR_NO_IRQ for none, NVME_QPAIR_AUTO_IRQ
 *
 * Errors: -EINVAL, -ENOSPC no free queue identifier, -EPROTO the device refused (text says the
 * status), -ETIMEDOUT, -ESHUTDOWN the controller is down, -ENOMEM.
 */
#define NVME_QPAIR_NO_IRQ   0xffffu
#define NVME_QPAIR_AUTO_IRQ 0x10000u /* vector = queue identifier, while there are enough */
int nvme_qpair_create(struct nvme_ctrl *ctrl, unsigned int depth, unsigned int prio,
		      unsigned int vector, struct nvme_qpair **out);

/**
 * nvme_qpair_delete() - delete SQ then CQ; outstanding requests complete as aborted
 *
 * Works in any state and frees all host memory in any case; the return value only says
 * what the device thought of it (0, -EPROTO, -ETIMEDOUT).
 */
int nvme_qpair_delete(struct nvme_qpair *q);

/**
 * nvme_qpair_leave() - be done with a queue that the device keeps as it is
 *
 * For whoever wants to look at the device afterwards: no command is sent, no connection ends.
 * @q is gone for its owner, outstanding requests complete as aborted. Its identifier, its memory,
 * its connection, and the memory of those requests stay the device's until it is disabled
 * (reset) or closed.
 * Return: 0, or -ESHUTDOWN, -EPERM, -EBUSY: nothing was left but by nvme_qpair_delete()'s rules.
 */
int nvme_qpair_leave(struct nvme_qpair *q);

/*
 * 0, or with a text: -ESHUTDOWN the queue is frozen or dead, -ENODEV the controller is gone,
 * -EIO it reported a fatal status, -EPERM opened in another process.
 */
int nvme_qpair_enter(struct nvme_qpair *q);
void nvme_qpair_exit(struct nvme_qpair *q);

/**
 * nvme_qpair_submit() - give a command to the driver (between enter and exit)
 *
 * A mapping error, or a stopped queue, completes the request with a synthetic status.
 * Nothing is sent before nvme_qpair_ring().
 */
void nvme_qpair_submit(struct nvme_qpair *q, struct nvme_req *req, uint64_t now_ns);
void nvme_qpair_ring(struct nvme_qpair *q);

/**
 * nvme_qpair_poll() - reap up to @max completions (between enter and exit)
 *
 * Steps a soft bus after an empty look, moves waiting requests into freed slots, rings the
 * doorbells, scans for timeouts every 100 ms.
 * Return: number of requests completed.
 */
unsigned int nvme_qpair_poll(struct nvme_qpair *q, unsigned int max, uint64_t now_ns);

/**
 * nvme_qpair_wait() - sleep until something comes in, a few milliseconds at most (between enter
 * and exit)
 *
 * Return: false where there is no such means: look again.
 */
bool nvme_qpair_wait(struct nvme_qpair *q);

/* Commands that hold a tracker may still start; the rest wait in the software queue. */
static inline unsigned int nvme_qpair_free_cids(const struct nvme_qpair *q)
{
	return q->free_tail - q->free_head;
}

/* Everything given to the driver that has not completed. */
static inline unsigned int nvme_qpair_outstanding(const struct nvme_qpair *q)
{
	return q->inflight + q->nwaiting;
}

/* --- for the driver's own files --- */

/* Heap and DMA memory of a queue; ntrackers and depths are its final size. */
int nvme_qpair_alloc(struct nvme_ctrl *ctrl, uint16_t sqid, unsigned int depth,
		     unsigned int ntrackers, struct nvme_qpair **out);
void nvme_qpair_free(struct nvme_qpair *q);
/* In a child of fork(): only what is this process's own. */
void nvme_qpair_free_copy(struct nvme_qpair *q);
/* Empty rings, all CIDs free; nothing may be outstanding. */
void nvme_qpair_rewind(struct nvme_qpair *q);

/* Whether nobody is inside, at the latest after @wait_ms. */
bool nvme_qpair_left(struct nvme_qpair *q, uint32_t wait_ms);

/**
 * nvme_qpair_freeze() - let nobody in, and wait for whoever is inside
 * Return: 0, -EBUSY: someone is still inside after @wait_ms.
 */
int nvme_qpair_freeze(struct nvme_qpair *q, uint32_t wait_ms);

/* The controller is disabled, or its bus closed: nothing writes to deleted queues any more. */
void nvme_qpair_free_graves(struct nvme_ctrl *ctrl);

/* Take a request out of the software queue without completing it; false: it is not there. */
bool nvme_qpair_unqueue(struct nvme_qpair *q, struct nvme_req *req);

/* Complete everything outstanding and waiting with @status (SCT << 8 | SC). */
void nvme_qpair_drain(struct nvme_qpair *q, uint16_t status);

#endif
