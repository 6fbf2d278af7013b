/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * live.c - counts of queues and states of controllers, written into the recorder's file.
 */
#include "nvme/cmdlog/live.h"

#include <errno.h>
#include <string.h>

#include "nvme/ctrl.h"
#include "nvme/qpair.h"
#include "nvme/req.h"
#include "spec/admin.h"
#include "spec/identify.h"
#include "spec/logs.h"
#include "spec/opcode.h"

static inline void add(uint64_t *word, uint64_t n)
{
	NVME_CMDLOG_SET(*word, *word + n);
}

/* --- queues --- */

static void count_latency(struct nvme_cmdlog_counts *c, uint64_t ns)
{
	add(&c->latency_sum_ns, ns);
	if (ns > c->latency_max_ns)
		NVME_CMDLOG_SET(c->latency_max_ns, ns);
	add(&c->latency[nvme_cmdlog_bucket(ns)], 1);
}

/* The composite temperature stands in bytes 2:1 of the SMART log (Base 2.1, figure 207). */
static void note_temperature(struct nvme_cmdlog_ctrl *c, const struct nvme_req *req,
			     uint64_t now_ns)
{
	const struct nvme_sqe *sqe = &req->sqe;
	const uint8_t *log = req->data;
	unsigned int kelvin;

	if (sqe->opc != NVME_ADMIN_GET_LOG_PAGE || (sqe->cdw10 & 0xff) != NVME_LOG_SMART ||
	    sqe->cdw12 || sqe->cdw13 || !log || req->data_bytes < 3)
		return;
	kelvin = log[1] | (unsigned int)log[2] << 8;
	if (!kelvin)
		return;
	NVME_CMDLOG_SET(c->temperature_kelvin, kelvin);
	NVME_CMDLOG_SET(c->temperature_ns, now_ns);
}

void nvme_cmdlog_count(struct nvme_qpair *q, const struct nvme_req *req,
		       const struct nvme_cqe *answer, uint64_t now_ns)
{
	struct nvme_cmdlog_slot *slot = q->log->slot;
	struct nvme_cmdlog_counts *c = &slot->counts;
	unsigned int way = req->sqe.opc & 3;

	add(&c->commands[way], 1);
	if (answer->status & ~NVME_STATUS_P_MASK)
		add(&c->errors, 1);
	else
		add(&c->bytes[way], req->data_bytes);
	/* How long nothing happened is no latency. */
	if (!(req->flags & NVME_REQ_AER))
		count_latency(c, req->latency_ns);
	if (!q->sqid && !(answer->status & ~NVME_STATUS_P_MASK))
		note_temperature(&slot->ctrl, req, now_ns);
	NVME_CMDLOG_SET(c->updated_ns, now_ns);
}

/* --- controllers --- */

static struct nvme_cmdlog_ctrl *of(struct nvme_ctrl *ctrl)
{
	return ctrl->adminq && ctrl->adminq->log ? &ctrl->adminq->log->slot->ctrl : NULL;
}

void nvme_cmdlog_identified(struct nvme_ctrl *ctrl)
{
	const struct nvme_id_ctrl *id = ctrl->id_ctrl;
	struct nvme_cmdlog_ctrl *c = of(ctrl);
	uint64_t texts;

	if (!c)
		return;
	texts = c->texts | 1;
	NVME_CMDLOG_SET(c->texts, texts);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	memcpy(c->model, id->mn, sizeof(c->model));
	memcpy(c->serial, id->sn, sizeof(c->serial));
	memcpy(c->firmware, id->fr, sizeof(c->firmware));
	c->vs = ctrl->vs;
	__atomic_store_n(&c->texts, texts + 1, __ATOMIC_RELEASE);
	if (id->tnvmcap[1])
		NVME_CMDLOG_SET(c->capacity_bytes, UINT64_MAX);
	else if (id->tnvmcap[0])
		NVME_CMDLOG_SET(c->capacity_bytes, id->tnvmcap[0]);
}

void nvme_cmdlog_capacity(struct nvme_ctrl *ctrl, uint64_t bytes)
{
	struct nvme_cmdlog_ctrl *c = of(ctrl);

	if (c && !ctrl->id_ctrl->tnvmcap[0] && !ctrl->id_ctrl->tnvmcap[1])
		NVME_CMDLOG_SET(c->capacity_bytes, bytes);
}

void nvme_cmdlog_state(struct nvme_ctrl *ctrl, enum nvme_cmdlog_state state)
{
	struct nvme_cmdlog_ctrl *c = of(ctrl);
	int failed = atomic_load(&ctrl->failed);

	if (!c)
		return;
	if (state == NVME_CMDLOG_DOWN && failed)
		state = failed == -ENODEV ? NVME_CMDLOG_GONE : NVME_CMDLOG_FATAL;
	NVME_CMDLOG_SET(c->resets, ctrl->generation);
	NVME_CMDLOG_SET(c->state, (uint32_t)state);
}
