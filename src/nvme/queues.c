/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * queues.c - IO queue pairs come and go: identifiers, creation, deletion.
 *
 * Memory that the device may still write to, because it did not confirm a deletion or was never
 * asked for one, rests in the controller's graves until a reset or the end of the controller.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/counts.h"
#include "base/err.h"
#include "base/log.h"
#include "bus/bus.h"
#include "bus/dma.h"
#include "nvme/ctrl.h"
#include "nvme/qpair.h"
#include "nvme/transport.h"

#define OWNER_WAIT_MS 2000u

/* The first free identifier above @below. */
static int take_qid(struct nvme_ctrl *ctrl, unsigned int below, uint16_t *qid)
{
	unsigned int n = ctrl->nsqs < ctrl->ncqs ? ctrl->nsqs : ctrl->ncqs;

	for (unsigned int id = below + 1; id <= n; id++) {
		uint64_t bit = UINT64_C(1) << id % 64;

		if (ctrl->qid_map[id / 64] & bit)
			continue;
		ctrl->qid_map[id / 64] |= bit;
		*qid = (uint16_t)id;
		return 0;
	}
	return err_set(-ENOSPC, "no free queue: the device granted %u IO queues", n);
}

static void put_qid(struct nvme_ctrl *ctrl, uint16_t qid)
{
	ctrl->qid_map[qid / 64] &= ~(UINT64_C(1) << qid % 64);
}

static int check_params(struct nvme_ctrl *ctrl, unsigned int depth, unsigned int prio)
{
	unsigned int max = ctrl->max_entries;
	uint32_t cc;
	int err;

	if (depth < 2 || depth > max)
		return err_set(-EINVAL, "depth %u: the device takes 2 to %u", depth, max);
	if (prio > NVME_QPRIO_LOW)
		return err_set(-EINVAL, "priority %u: 0 urgent to 3 low", prio);
	if (!prio)
		return 0;
	err = nvme_ctrl_read32(ctrl, NVME_REG_CC, &cc);
	if (err)
		return err;
	if (NVME_GET(cc, CC_AMS) != NVME_CC_AMS_WRRUP)
		return err_set(-EINVAL, "priority %u needs weighted round robin (CC.AMS)", prio);
	return 0;
}

/* Queue i has vector i while there are enough; the others share what is left of vector 0. */
static uint16_t pick_vector(const struct nvme_ctrl *ctrl, uint16_t qid, unsigned int vector)
{
	unsigned int n = ctrl->bus ? ctrl->bus->nvectors : 0;

	if (vector != NVME_QPAIR_AUTO_IRQ)
		return (uint16_t)vector;
	if (!n)
		return NVME_QPAIR_NO_IRQ;
	if (n == 1)
		return 0;
	return (uint16_t)(1 + (qid - 1u) % (n - 1));
}

static void bury(struct nvme_qpair *q)
{
	struct nvme_ctrl *ctrl = q->ctrl;

	count_dec(COUNT_QPAIRS);
	/* Not after a reset: the identifier may be another queue's by now. */
	if (q->holds_qid && (!q->owned || q->unknown))
		put_qid(ctrl, q->sqid);
	if (!q->owned) {
		nvme_qpair_free(q);
		return;
	}
	q->next = ctrl->graves;
	ctrl->graves = q;
}

/* Under reset_lock: a queue of identifier @qid, which is taken. -EEXIST: not by us alone. */
static int create_as(struct nvme_ctrl *ctrl, uint16_t qid, unsigned int depth, unsigned int prio,
		     unsigned int vector, struct nvme_qpair **out)
{
	struct nvme_qpair *q;
	int err;

	err = nvme_qpair_alloc(ctrl, qid, depth, depth - 1, &q);
	if (err) {
		put_qid(ctrl, qid);
		return err;
	}
	count_inc(COUNT_QPAIRS);
	q->holds_qid = true;
	q->vector = pick_vector(ctrl, qid, vector);
	err = q->ops->qpair_connect(q, prio);
	if (err) {
		bury(q);
		return err;
	}
	q->next = ctrl->qpairs;
	ctrl->qpairs = q;
	nvme_ctrl_get(ctrl);
	log_debug("%s: qpair %u of %u entries created", ctrl->addr, qid, depth);
	*out = q;
	return 0;
}

/* Under reset_lock. Identifiers that a script uses for queues of its own, the device refuses. */
static int create(struct nvme_ctrl *ctrl, unsigned int depth, unsigned int prio,
		  unsigned int vector, struct nvme_qpair **out)
{
	uint16_t qid = 0;
	int err;

	err = nvme_ctrl_check(ctrl);
	if (!err && ctrl->down)
		err = err_set(-ESHUTDOWN, "%s: the controller is down: reset it first", ctrl->addr);
	if (!err)
		err = check_params(ctrl, depth, prio);
	if (err)
		return err;
	do {
		err = take_qid(ctrl, qid, &qid);
		if (!err)
			err = create_as(ctrl, qid, depth, prio, vector, out);
	} while (err == -EEXIST);
	return err;
}

int nvme_qpair_create(struct nvme_ctrl *ctrl, unsigned int depth, unsigned int prio,
		      unsigned int vector, struct nvme_qpair **out)
{
	int err;

	pthread_mutex_lock(&ctrl->reset_lock);
	err = create(ctrl, depth, prio, vector, out);
	pthread_mutex_unlock(&ctrl->reset_lock);
	return err;
}

static void unlink_qpair(struct nvme_qpair *q)
{
	struct nvme_qpair **link = &q->ctrl->qpairs;

	while (*link != q)
		link = &(*link)->next;
	*link = q->next;
}

/* Out of the list. @keep: nothing is said to the device; -ESHUTDOWN if it has no such queue. */
static int withdraw(struct nvme_qpair *q, bool keep)
{
	bool live = atomic_load(&q->state) == NVME_QPAIR_LIVE;
	/* A device that is gone has no queues; one with a fatal status has all it had. */
	bool there = live && atomic_load(&q->ctrl->failed) != -ENODEV;
	int err = nvme_qpair_freeze(q, OWNER_WAIT_MS);

	if (err) {
		/* Whoever is inside goes on using it. */
		q->owned = true;
		return err;
	}
	if (there && keep) {
		q->owned = true;
		q->kept = true;
	} else if (live && !nvme_ctrl_barred(q->ctrl)) {
		err = q->ops->qpair_disconnect(q);
	} else if (keep) {
		err = err_set(-ESHUTDOWN, "qpair %u is gone from the device", q->sqid);
	}
	nvme_qpair_drain(q, NVME_SC_ABORTED_SQ_DELETION);
	return err;
}

static int retire(struct nvme_qpair *q, bool keep)
{
	struct nvme_ctrl *ctrl = q->ctrl;
	int err;

	if (ctrl->pid != nvme_process) {
		/* A copy of somebody else's: neither the device nor shared memory is ours. */
		nvme_qpair_free_copy(q);
		count_dec(COUNT_QPAIRS);
		nvme_ctrl_put(ctrl);
		return keep ? -EPERM : 0;
	}
	pthread_mutex_lock(&ctrl->reset_lock);
	unlink_qpair(q);
	err = withdraw(q, keep);
	log_debug("%s: qpair %u %s%s%s", ctrl->addr, q->sqid, keep ? "left behind" : "deleted",
		  err ? ": " : "", err ? err_text() : "");
	bury(q);
	pthread_mutex_unlock(&ctrl->reset_lock);
	nvme_ctrl_put(ctrl);
	return err;
}

int nvme_qpair_delete(struct nvme_qpair *q)
{
	return retire(q, false);
}

int nvme_qpair_leave(struct nvme_qpair *q)
{
	return retire(q, true);
}

void nvme_qpair_free_graves(struct nvme_ctrl *ctrl)
{
	struct nvme_qpair *q;

	dma_unpin(ctrl);
	while ((q = ctrl->graves)) {
		ctrl->graves = q->next;
		nvme_qpair_free(q);
	}
}
