/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * admin.c - one admin queue, many users: one mutex, and whoever polls reaps for all.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/counts.h"
#include "base/err.h"
#include "base/interrupt.h"
#include "bus/dma.h"
#include "nvme/aer.h"
#include "nvme/ctrl.h"
#include "nvme/ns_list.h"
#include "nvme/qpair.h"
#include "nvme/time.h"
#include "spec/names.h"

#define POLL_MAX	NVME_ADMIN_CIDS /* a storm ends here, and deadlines are looked at */
#define SPINS		16u
#define YIELDS		2000u
#define NAP_NS		UINT64_C(20000)
#define REFRESH_WAIT_MS 1000u

/* A command of the tool; outlives its submitter's patience. */
struct exec {
	struct nvme_req req;
	struct dma_mem bounce;
	bool done;	/* under admin_lock, as are the next two */
	bool abandoned; /* nobody waits any more: frees itself */
};

int nvme_admin_check(struct nvme_ctrl *ctrl)
{
	int err = nvme_ctrl_check(ctrl);

	if (err)
		return err;
	if (!ctrl->adminq || atomic_load(&ctrl->adminq->state) != NVME_QPAIR_LIVE ||
	    (ctrl->initialising && !pthread_equal(ctrl->init_thread, pthread_self())))
		return err_set(-ESHUTDOWN, "%s: the controller is down: reset it first",
			       ctrl->addr);
	return 0;
}

int nvme_admin_submit(struct nvme_ctrl *ctrl, struct nvme_req *req)
{
	int err;

	pthread_mutex_lock(&ctrl->admin_lock);
	err = nvme_admin_check(ctrl);
	if (!err) {
		nvme_qpair_submit(ctrl->adminq, req, nvme_time_now_ns(ctrl));
		nvme_qpair_ring(ctrl->adminq);
	}
	pthread_mutex_unlock(&ctrl->admin_lock);
	return err;
}

int nvme_admin_poll(struct nvme_ctrl *ctrl, uint64_t now_ns)
{
	int n;

	pthread_mutex_lock(&ctrl->admin_lock);
	n = nvme_admin_check(ctrl);
	if (!n) {
		n = (int)nvme_qpair_poll(ctrl->adminq, POLL_MAX, now_ns);
		nvme_aer_repost(ctrl, now_ns);
		if (atomic_load(&ctrl->ns_stale) && !ctrl->refreshing) {
			ctrl->refreshing = true;
			atomic_store(&ctrl->ns_stale, false);
			nvme_ns_refresh_all(ctrl, REFRESH_WAIT_MS);
			ctrl->refreshing = false;
		}
	}
	pthread_mutex_unlock(&ctrl->admin_lock);
	return n;
}

static void exec_free(struct exec *exec)
{
	dma_free(&exec->bounce);
	free(exec);
	count_dec(COUNT_REQUESTS);
}

static void exec_done(struct nvme_req *req)
{
	struct exec *exec = req->owner;

	exec->done = true;
	if (exec->abandoned)
		exec_free(exec);
}

static int exec_create(const struct nvme_req *req, struct exec **out)
{
	struct exec *exec = calloc(1, sizeof(*exec));
	int err;

	if (!exec)
		return err_set(-ENOMEM, "no memory for a command");
	count_inc(COUNT_REQUESTS);
	exec->req = *req;
	exec->req.done = exec_done;
	exec->req.owner = exec;
	exec->req.flags |= NVME_REQ_INTERNAL;
	if (req->data_bytes && !(req->flags & NVME_REQ_RAW_PTR)) {
		err = dma_alloc(&exec->bounce, req->data_bytes);
		if (err) {
			exec_free(exec);
			return err;
		}
		memcpy(exec->bounce.va, req->data, req->data_bytes);
		exec->req.data = exec->bounce.va;
	}
	*out = exec;
	return 0;
}

/* Politely: spin, then yield, then nap; @spins counts polls that found nothing. */
static void idle(struct nvme_ctrl *ctrl, unsigned int spins)
{
	if (spins >= SPINS)
		nvme_time_nap(ctrl, spins < YIELDS ? 0 : NAP_NS);
}

/*
 * Under admin_lock: stop waiting. A command that is still in the software queue leaves it, one
 * that the device has keeps its memory until it completes or is drained.
 */
static void abandon(struct nvme_ctrl *ctrl, struct exec *exec)
{
	exec->abandoned = true;
	if (!nvme_qpair_unqueue(ctrl->adminq, &exec->req))
		return;
	exec_free(exec);
}

/* Return: 0 completed, -ETIMEDOUT or why the queue is unusable; then the command is abandoned. */
static int exec_wait(struct nvme_ctrl *ctrl, struct exec *exec, uint32_t timeout_ms)
{
	struct nvme_deadline deadline;
	unsigned int spins = 0;
	bool done, late;
	int n;

	nvme_deadline_init(&deadline, nvme_time_now_ns(ctrl), timeout_ms * UINT64_C(1000000));
	for (;;) {
		uint64_t now_ns = nvme_time_now_ns(ctrl);

		late = nvme_deadline_passed(&deadline, now_ns);

		n = nvme_admin_poll(ctrl, now_ns);
		pthread_mutex_lock(&ctrl->admin_lock);
		done = exec->done;
		if (!done && n >= 0 && late)
			n = err_set(-ETIMEDOUT, "%s: no answer to %s within %u ms", ctrl->addr,
				    nvme_admin_opcode_name(exec->req.sqe.opc), timeout_ms);
		if (!done && !n)
			n = interrupt_check(ctrl->addr);
		if (!done && n < 0)
			abandon(ctrl, exec);
		pthread_mutex_unlock(&ctrl->admin_lock);
		if (done)
			return 0;
		if (n < 0)
			return n;
		spins = n ? 0 : spins + 1;
		idle(ctrl, spins);
	}
}

int nvme_admin_exec(struct nvme_ctrl *ctrl, struct nvme_req *req, uint32_t timeout_ms)
{
	struct exec *exec = NULL;
	int err;

	err = exec_create(req, &exec);
	if (err)
		return err;
	err = nvme_admin_submit(ctrl, &exec->req);
	if (err) {
		exec_free(exec);
		return err;
	}
	err = exec_wait(ctrl, exec, timeout_ms ? timeout_ms : atomic_load(&ctrl->timeout_ms));
	if (err)
		return err;
	req->sqe = exec->req.sqe;
	req->cqe = exec->req.cqe;
	req->cid = exec->req.cid;
	req->flags = exec->req.flags;
	req->latency_ns = exec->req.latency_ns;
	/* Of a command that was cut the device may still be writing it. */
	if (exec->bounce.va && !(req->flags & NVME_REQ_SYNTHETIC))
		memcpy(req->data, exec->bounce.va, req->data_bytes);
	exec_free(exec);
	if (req->flags & NVME_REQ_SYNTHETIC && nvme_req_status(req) == NVME_SC_ABORTED_SQ_DELETION)
		return err_set(-ESHUTDOWN, "%s: %s was cut by a reset", ctrl->addr,
			       nvme_admin_opcode_name(req->sqe.opc));
	return nvme_req_status(req);
}

int nvme_admin_must(struct nvme_ctrl *ctrl, struct nvme_req *req, uint32_t timeout_ms,
		    const char *what)
{
	int status = nvme_admin_exec(ctrl, req, timeout_ms);

	if (status > 0)
		status = err_set(-EPROTO, "%s: the device answered %02x/%02x (%s)", ctrl->addr,
				 (unsigned int)status >> 8, (unsigned int)status & 0xff,
				 nvme_status_name((uint16_t)status));
	if (status < 0)
		err_add("%s", what);
	return status;
}
