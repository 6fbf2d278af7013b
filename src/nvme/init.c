/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * init.c - bring-up of a controller (Base 2.1 section 3.5.1), step by step.
 */
#include "nvme/init.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "nvme/cmd_admin.h"
#include "nvme/cmdlog/live.h"
#include "nvme/ctrl.h"
#include "nvme/ns_list.h"
#include "nvme/time.h"
#include "nvme/transport.h"
#include "spec/features.h"
#include "spec/identify.h"
#include "spec/logs.h"

#define POLL_NS	       UINT64_C(100000)
#define QUEUES_WANTED  1023u /* zero-based */
#define SMART_WARNINGS 0x1fu

int nvme_ctrl_read_caps(struct nvme_ctrl *ctrl)
{
	int err;

	err = nvme_ctrl_read64(ctrl, NVME_REG_CAP, &ctrl->cap);
	if (!err)
		err = nvme_ctrl_read32(ctrl, NVME_REG_VS, &ctrl->vs);
	if (err)
		return err;
	if (ctrl->cap == UINT64_MAX)
		return err_set(-ENODEV,
			       "%s: registers read all-ones: the device is gone or powered "
			       "off",
			       ctrl->addr);
	if (NVME_GET(ctrl->cap, CAP_MPSMIN))
		return err_set(-EPROTO,
			       "%s: the device needs memory pages of %u KiB (CAP.MPSMIN), "
			       "this driver has 4 KiB",
			       ctrl->addr, 4u << NVME_GET(ctrl->cap, CAP_MPSMIN));
	ctrl->max_entries = (uint32_t)NVME_GET(ctrl->cap, CAP_MQES) + 1;
	if (ctrl->entries_limit && ctrl->entries_limit < ctrl->max_entries)
		ctrl->max_entries = ctrl->entries_limit;
	ctrl->doorbell_stride = 4u << NVME_GET(ctrl->cap, CAP_DSTRD);
	return 0;
}

/* How long CSTS.RDY may take: CAP.TO, or the longer CRTO.CRWMT where there is one. */
static uint64_t ready_timeout_ms(struct nvme_ctrl *ctrl)
{
	uint64_t units = NVME_GET(ctrl->cap, CAP_TO);
	uint32_t crto;

	if (NVME_GET(ctrl->cap, CAP_CRWMS) && !nvme_ctrl_read32(ctrl, NVME_REG_CRTO, &crto) &&
	    NVME_GET(crto, CRTO_CRWMT) > units)
		units = NVME_GET(crto, CRTO_CRWMT);
	/* A device that claims to need no time at all gets one unit. */
	return (units ? units : 1) * NVME_CAP_TO_UNIT_MS;
}

int nvme_ctrl_wait_ready(struct nvme_ctrl *ctrl, bool ready)
{
	uint64_t timeout_ms = ready_timeout_ms(ctrl);
	struct nvme_deadline deadline;
	uint32_t csts;
	bool late;
	int err;

	nvme_deadline_init(&deadline, nvme_time_now_ns(ctrl), timeout_ms * 1000000);
	for (;;) {
		late = nvme_deadline_passed(&deadline, nvme_time_now_ns(ctrl));
		err = nvme_ctrl_read32(ctrl, NVME_REG_CSTS, &csts);
		if (err)
			return err;
		if (csts == NVME_REG_REMOVED)
			return err_set(-ENODEV, "%s: the device is gone: CSTS reads all-ones",
				       ctrl->addr);
		if (NVME_GET(csts, CSTS_RDY) == ready)
			return 0;
		if (ready && NVME_GET(csts, CSTS_CFS))
			return err_set(-ETIMEDOUT,
				       "%s: the controller reports a fatal status "
				       "(CSTS.CFS) instead of becoming ready: power-cycle it",
				       ctrl->addr);
		if (late)
			return err_set(-ETIMEDOUT,
				       "%s: CSTS.RDY is still %d after %llu ms "
				       "(CAP.TO): reset or power-cycle the device",
				       ctrl->addr, !ready, (unsigned long long)timeout_ms);
		err = interrupt_check(ctrl->addr);
		if (err)
			return err;
		nvme_time_nap(ctrl, POLL_NS);
	}
}

int nvme_ctrl_disable(struct nvme_ctrl *ctrl)
{
	uint32_t cc, csts;
	int err;

	err = nvme_ctrl_read32(ctrl, NVME_REG_CC, &cc);
	if (!err)
		err = nvme_ctrl_read32(ctrl, NVME_REG_CSTS, &csts);
	if (err)
		return err;
	if (csts == NVME_REG_REMOVED)
		return err_set(-ENODEV, "%s: the device is gone: CSTS reads all-ones", ctrl->addr);
	if (NVME_GET(cc, CC_EN)) {
		/* CC.EN may only be cleared once the controller has become ready. */
		if (!NVME_GET(csts, CSTS_RDY) && !NVME_GET(csts, CSTS_CFS))
			nvme_ctrl_wait_ready(ctrl, true);
		cc &= ~(uint32_t)(NVME_FIELD_MASK(CC_EN) | NVME_FIELD_MASK(CC_SHN));
		err = nvme_ctrl_write32(ctrl, NVME_REG_CC, cc);
		if (err)
			return err;
	}
	return nvme_ctrl_wait_ready(ctrl, false);
}

int nvme_ctrl_setup_adminq(struct nvme_ctrl *ctrl)
{
	int err;

	/* A script may come here at any time: what is outstanding goes back to its owners first. */
	pthread_mutex_lock(&ctrl->admin_lock);
	nvme_qpair_drain(ctrl->adminq, NVME_SC_ABORTED_SQ_DELETION);
	nvme_qpair_rewind(ctrl->adminq);
	pthread_mutex_unlock(&ctrl->admin_lock);
	err = ctrl->transport->adminq_setup(ctrl);
	if (err)
		return err;
	ctrl->transport->qpair_aim(ctrl->adminq, true);
	atomic_store(&ctrl->adminq->state, NVME_QPAIR_LIVE);
	return 0;
}

static uint32_t standard_cc(const struct nvme_ctrl *ctrl)
{
	uint32_t css = NVME_GET(ctrl->cap, CAP_CSS) & NVME_CAP_CSS_IOCS ? NVME_CC_CSS_ALL :
									  NVME_CC_CSS_NVM;

	return (uint32_t)(NVME_SET(1, CC_EN) | NVME_SET(css, CC_CSS) |
			  NVME_SET(NVME_CC_AMS_RR, CC_AMS) | NVME_SET(NVME_IOSQES, CC_IOSQES) |
			  NVME_SET(NVME_IOCQES, CC_IOCQES));
}

int nvme_ctrl_enable(struct nvme_ctrl *ctrl, uint32_t cc)
{
	cc = cc ? cc : standard_cc(ctrl);
	log_debug("%s: CC = %08x, CSTS.RDY may take %llu ms", ctrl->addr, cc,
		  (unsigned long long)ready_timeout_ms(ctrl));
	return nvme_ctrl_write32(ctrl, NVME_REG_CC, cc);
}

int nvme_ctrl_identify(struct nvme_ctrl *ctrl)
{
	struct nvme_req req = { 0 };
	struct nvme_id_ctrl *id = calloc(1, sizeof(*id));
	int err;

	if (!id)
		return err_set(-ENOMEM, "no memory for Identify");
	nvme_cmd_identify(&req, id, NVME_CNS_CTRL, NVME_NSID_NONE);
	err = nvme_admin_must(ctrl, &req, 0, "Identify Controller");
	if (!err) {
		*ctrl->id_ctrl = *id;
		nvme_cmdlog_identified(ctrl);
		ctrl->mdts_bytes = UINT64_MAX;
		if (id->mdts && id->mdts < 48)
			ctrl->mdts_bytes = UINT64_C(4096) << id->mdts;
	}
	free(id);
	return err;
}

/* Zero-based; 65535 would be one queue too many for a 16-bit identifier. */
static uint16_t granted(const struct nvme_ctrl *ctrl, uint64_t zero_based)
{
	uint64_t n = zero_based == 0xffff ? 0xffff : zero_based + 1;

	return (uint16_t)(ctrl->queues_limit && ctrl->queues_limit < n ? ctrl->queues_limit : n);
}

int nvme_ctrl_init_queues(struct nvme_ctrl *ctrl)
{
	uint32_t n = ctrl->queues_limit ? ctrl->queues_limit - 1 : QUEUES_WANTED;
	uint32_t wanted = n << NVME_NQ_NCQ_SHIFT | n << NVME_NQ_NSQ_SHIFT;
	struct nvme_req req = { 0 };
	int err;

	nvme_cmd_set_features(&req, NVME_FEAT_NUMBER_OF_QUEUES, wanted);
	err = nvme_admin_must(ctrl, &req, 0, "Set Features, Number of Queues");
	if (err)
		return err;
	ctrl->nsqs = granted(ctrl, NVME_GET(req.cqe.cdw0, NQ_NSQ));
	ctrl->ncqs = granted(ctrl, NVME_GET(req.cqe.cdw0, NQ_NCQ));
	log_debug("%s: %u submission and %u completion queues granted", ctrl->addr, ctrl->nsqs,
		  ctrl->ncqs);
	return 0;
}

/* Not every old device has every bit: what it refuses as a whole is asked for in part. */
static int enable_events(struct nvme_ctrl *ctrl)
{
	struct nvme_req req = { 0 };
	int status;

	nvme_cmd_set_features(&req, NVME_FEAT_ASYNC_EVENT, SMART_WARNINGS);
	status = nvme_admin_exec(ctrl, &req, 0);
	if (status < 0)
		return status;
	if (status > 0)
		log_warn("%s: the device refused to report SMART warnings (%02x/%02x)", ctrl->addr,
			 (unsigned int)status >> 8, (unsigned int)status & 0xff);
	return 0;
}

static int standard_init(struct nvme_ctrl *ctrl)
{
	int err;

	err = nvme_ctrl_setup_adminq(ctrl);
	if (!err)
		err = nvme_ctrl_enable(ctrl, 0);
	if (!err)
		err = nvme_ctrl_wait_ready(ctrl, true);
	if (!err)
		err = nvme_ctrl_identify(ctrl);
	if (!err)
		err = nvme_ctrl_init_queues(ctrl);
	if (!err)
		err = enable_events(ctrl);
	if (!err)
		err = nvme_ctrl_post_aers(ctrl);
	return err;
}

/* Until it is up again, the admin queue is this thread's. */
static void set_initialising(struct nvme_ctrl *ctrl, bool on)
{
	pthread_mutex_lock(&ctrl->admin_lock);
	atomic_store(&ctrl->init_thread, pthread_self());
	atomic_store(&ctrl->initialising, on);
	pthread_mutex_unlock(&ctrl->admin_lock);
}

int nvme_ctrl_init(struct nvme_ctrl *ctrl)
{
	int err;

	atomic_store(&ctrl->failed, 0);
	err = nvme_ctrl_disable(ctrl);
	if (err)
		return err;
	/* Every queue of the former life is gone with CC.EN. */
	nvme_qpair_free_graves(ctrl);
	memset(ctrl->qid_map, 0, sizeof(ctrl->qid_map));
	ctrl->down = false;
	nvme_cmdlog_state(ctrl, NVME_CMDLOG_RESETTING);
	set_initialising(ctrl, true);
	err = ctrl->opts.init ? ctrl->opts.init(ctrl, ctrl->opts.init_priv) : standard_init(ctrl);
	set_initialising(ctrl, false);
	nvme_cmdlog_state(ctrl, err ? NVME_CMDLOG_DOWN : NVME_CMDLOG_READY);
	if (!err)
		log_info("%s: initialised, VS %08x, %u resets since it was opened", ctrl->addr,
			 ctrl->vs, ctrl->generation);
	return err;
}
