/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * aer.c - Asynchronous Event Requests (Base 2.1 section 5.1.2).
 */
#include "nvme/aer.h"

#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "nvme/cmd.h"
#include "nvme/ctrl.h"
#include "nvme/time.h"
#include "spec/identify.h"

#define CID_FIRST 28u /* kept for AERs, NVME_AER_SLOTS of them */
#define CID_LAST  99u /* the last that an AER may have */
#define ALL_SLOTS ((1u << NVME_AER_SLOTS) - 1)

struct nvme_aer_cids {
	uint32_t free; /* bit i: CID_FIRST + i */
};

struct nvme_aers {
	struct nvme_req req[NVME_AER_SLOTS];
	uint32_t posted;    /* bit i: the driver has req[i]; under admin_lock, as the next */
	uint32_t completed; /* bit i: req[i] is to be posted again */
};

/* --- CIDs --- */

int nvme_aer_reserve(struct nvme_qpair *q)
{
	q->aer_cids = calloc(1, sizeof(*q->aer_cids));
	return q->aer_cids ? 0 : err_set(-ENOMEM, "no memory for the admin queue");
}

bool nvme_aer_keeps_cid(const struct nvme_qpair *q, uint16_t cid)
{
	return q->aer_cids && cid >= CID_FIRST && cid < CID_FIRST + NVME_AER_SLOTS;
}

bool nvme_aer_has_cid(const struct nvme_qpair *q)
{
	return q->aer_cids && q->aer_cids->free;
}

void nvme_aer_rewind(struct nvme_qpair *q)
{
	if (q->aer_cids)
		q->aer_cids->free = ALL_SLOTS;
}

/* A free CID of the range if there is one, moved to the head of the ring of free ones. */
static void prefer_range(struct nvme_qpair *q)
{
	uint16_t *head = &q->free_cids[q->free_head & q->free_mask];

	for (uint32_t i = q->free_head; i != q->free_tail; i++) {
		uint16_t *slot = &q->free_cids[i & q->free_mask];
		uint16_t cid = *slot;

		if (cid < CID_FIRST || cid > CID_LAST)
			continue;
		*slot = *head;
		*head = cid;
		return;
	}
}

uint16_t nvme_aer_take_cid(struct nvme_qpair *q)
{
	unsigned int i;

	if (nvme_aer_has_cid(q)) {
		i = (unsigned int)__builtin_ctz(q->aer_cids->free);
		q->aer_cids->free &= ~(1u << i);
		return (uint16_t)(CID_FIRST + i);
	}
	if (q->aer_cids)
		prefer_range(q);
	return q->free_cids[q->free_head++ & q->free_mask];
}

void nvme_aer_put_cid(struct nvme_qpair *q, uint16_t cid)
{
	if (nvme_aer_keeps_cid(q, cid))
		q->aer_cids->free |= 1u << (cid - CID_FIRST);
	else
		q->free_cids[q->free_tail++ & q->free_mask] = cid;
}

/* --- the driver's own --- */

/* Not after an AER that was cut by its queue's end, or one too many for the device. */
static bool worth_posting(const struct nvme_req *req)
{
	uint16_t status = nvme_req_status(req);

	return !(req->flags & NVME_REQ_SYNTHETIC) &&
	       (status == NVME_SC_SUCCESS || status == NVME_SC_ABORT_REQUESTED);
}

static void aer_done(struct nvme_req *req)
{
	struct nvme_ctrl *ctrl = req->owner;
	struct nvme_aers *aers = ctrl->aers;
	struct nvme_event ev = {
		.type = NVME_EVENT_AER,
		.cid = req->cid,
		.time_ns = req->submit_ns + req->latency_ns,
		.cqe = req->cqe,
		.sqe = req->sqe,
	};

	aers->posted &= ~(1u << (req - aers->req));
	if (worth_posting(req))
		aers->completed |= 1u << (req - aers->req);
	if (!(req->flags & NVME_REQ_SYNTHETIC))
		nvme_event_push(ctrl, &ev);
}

int nvme_aer_init(struct nvme_ctrl *ctrl)
{
	ctrl->aers = calloc(1, sizeof(*ctrl->aers));
	return ctrl->aers ? 0 : err_set(-ENOMEM, "no memory for asynchronous events");
}

void nvme_aer_fini(struct nvme_ctrl *ctrl)
{
	free(ctrl->aers);
	ctrl->aers = NULL;
}

static void post(struct nvme_ctrl *ctrl, unsigned int i, uint64_t now_ns)
{
	static const uint32_t none[6];
	struct nvme_req *req = &ctrl->aers->req[i];

	*req = (struct nvme_req){ .done = aer_done,
				  .owner = ctrl,
				  .flags = NVME_REQ_AER | NVME_REQ_INTERNAL };
	ctrl->aers->posted |= 1u << i;
	nvme_cmd_raw(req, NVME_ADMIN_ASYNC_EVENT, NVME_NSID_NONE, NULL, 0, none);
	nvme_qpair_submit(ctrl->adminq, req, now_ns);
}

void nvme_aer_repost(struct nvme_ctrl *ctrl, uint64_t now_ns)
{
	uint32_t completed = ctrl->aers->completed;

	if (!completed)
		return;
	ctrl->aers->completed = 0;
	for (unsigned int i = 0; i < NVME_AER_SLOTS; i++) {
		if (completed & 1u << i)
			post(ctrl, i, now_ns);
	}
	nvme_qpair_ring(ctrl->adminq);
}

int nvme_ctrl_post_aers(struct nvme_ctrl *ctrl)
{
	unsigned int n = ctrl->id_ctrl->aerl + 1u;
	int err;

	if (n > NVME_AER_SLOTS)
		n = NVME_AER_SLOTS;
	pthread_mutex_lock(&ctrl->admin_lock);
	err = nvme_admin_check(ctrl);
	if (!err) {
		ctrl->naers = (uint16_t)n;
		ctrl->aers->completed = 0;
		for (unsigned int i = 0; i < n; i++) {
			if (!(ctrl->aers->posted & 1u << i))
				post(ctrl, i, nvme_time_now_ns(ctrl));
		}
		nvme_qpair_ring(ctrl->adminq);
	}
	pthread_mutex_unlock(&ctrl->admin_lock);
	return err;
}
