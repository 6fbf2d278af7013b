/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * reset.c - resets, power and shutdown while others use the controller.
 *
 * Freeze every queue, wait for who is inside, act, drain, initialise again. Requests are given
 * back only after the device has stopped, for they hold the memory it might write to.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "bus/bus.h"
#include "nvme/cmdlog/live.h"
#include "nvme/ctrl.h"
#include "nvme/init.h"
#include "nvme/ns_list.h"
#include "nvme/time.h"
#include "nvme/transport.h"
#include "spec/identify.h"

#define OWNER_WAIT_MS	  2000u
#define SHUTDOWN_FLOOR_MS 10000u
#define POLL_NS		  UINT64_C(200000)
#define TRY_MS		  10u

/* Until the next reset. */
static void take_down(struct nvme_ctrl *ctrl)
{
	ctrl->down = true;
	nvme_cmdlog_state(ctrl, NVME_CMDLOG_DOWN);
}

/* Under reset_lock. Nobody gets in any more; whoever is inside gets out. */
static void freeze_all(struct nvme_ctrl *ctrl)
{
	nvme_cmdlog_state(ctrl, NVME_CMDLOG_RESETTING);
	pthread_mutex_lock(&ctrl->admin_lock);
	atomic_store(&ctrl->adminq->state, NVME_QPAIR_FROZEN);
	ctrl->transport->qpair_aim(ctrl->adminq, false);
	pthread_mutex_unlock(&ctrl->admin_lock);
	for (struct nvme_qpair *q = ctrl->qpairs; q; q = q->next) {
		if (nvme_qpair_freeze(q, OWNER_WAIT_MS) < 0)
			log_warn("%s: %s", ctrl->addr, err_text());
	}
}

/*
 * Give every request back. @stopped: the device writes to our memory no more. A queue with a
 * thread inside keeps its requests until it is deleted.
 */
static void drain_all(struct nvme_ctrl *ctrl, bool stopped)
{
	pthread_mutex_lock(&ctrl->admin_lock);
	ctrl->adminq->owned = !stopped;
	nvme_qpair_drain(ctrl->adminq, NVME_SC_ABORTED_SQ_DELETION);
	pthread_mutex_unlock(&ctrl->admin_lock);
	for (struct nvme_qpair *q = ctrl->qpairs; q; q = q->next) {
		if (stopped)
			q->owned = false;
		q->holds_qid = false;
		/* Whoever only tries to get in is out again at once. */
		if (nvme_qpair_left(q, TRY_MS)) {
			/* One that freeze_all() gave up on may have left since. */
			ctrl->transport->qpair_aim(q, false);
			nvme_qpair_drain(q, NVME_SC_ABORTED_SQ_DELETION);
		}
		atomic_store(&q->state, NVME_QPAIR_DEAD);
	}
}

/* A reset that was sent need not have happened: the link may have been down at that moment. */
static bool has_stopped(struct nvme_ctrl *ctrl)
{
	uint32_t cc, csts;

	return !nvme_ctrl_read32(ctrl, NVME_REG_CC, &cc) && !NVME_GET(cc, CC_EN) &&
	       !nvme_ctrl_read32(ctrl, NVME_REG_CSTS, &csts) && !NVME_GET(csts, CSTS_RDY);
}

/* Under reset_lock. */
static int come_back(struct nvme_ctrl *ctrl)
{
	int err;

	ctrl->generation++;
	err = nvme_ctrl_init(ctrl);
	if (err) {
		freeze_all(ctrl);
		drain_all(ctrl, false);
		take_down(ctrl);
		return err;
	}
	/* By now it was disabled, whatever the reset did. */
	for (struct nvme_qpair *q = ctrl->qpairs; q; q = q->next)
		q->owned = q->owned && atomic_load(&q->state) != NVME_QPAIR_DEAD;
	nvme_ns_refresh_all(ctrl, 0);
	return 0;
}

bool nvme_ctrl_is_initialising(struct nvme_ctrl *ctrl)
{
	return atomic_load(&ctrl->initialising) &&
	       pthread_equal(atomic_load(&ctrl->init_thread), pthread_self());
}

static int lock_for_reset(struct nvme_ctrl *ctrl)
{
	if (ctrl->pid != nvme_process)
		return nvme_ctrl_check(ctrl);
	if (nvme_ctrl_is_initialising(ctrl))
		return err_set(-EBUSY, "%s: an initialisation cannot reset what it initialises",
			       ctrl->addr);
	pthread_mutex_lock(&ctrl->reset_lock);
	return 0;
}

int nvme_ctrl_reset(struct nvme_ctrl *ctrl, enum nvme_reset kind)
{
	int err;

	if (kind == NVME_RESET_SUBSYSTEM && !NVME_GET(ctrl->cap, CAP_NSSRS))
		return err_set(-EOPNOTSUPP, "%s: no NVM subsystem reset (CAP.NSSRS)", ctrl->addr);
	err = lock_for_reset(ctrl);
	if (err)
		return err;
	freeze_all(ctrl);
	err = ctrl->transport->reset(ctrl, kind);
	drain_all(ctrl, !err && has_stopped(ctrl));
	if (!err)
		err = come_back(ctrl);
	else
		take_down(ctrl);
	pthread_mutex_unlock(&ctrl->reset_lock);
	return err;
}

int nvme_ctrl_quiesce(struct nvme_ctrl *ctrl, const char *why)
{
	int err = lock_for_reset(ctrl);

	if (err)
		return err;
	log_info("%s: queues stop: %s", ctrl->addr, why);
	freeze_all(ctrl);
	drain_all(ctrl, false);
	take_down(ctrl);
	pthread_mutex_unlock(&ctrl->reset_lock);
	return 0;
}

/* Under reset_lock, queues frozen. */
static int start_over(struct nvme_ctrl *ctrl)
{
	int err = ctrl->transport->wake(ctrl);

	if (!err)
		err = nvme_ctrl_disable(ctrl);
	drain_all(ctrl, !err);
	if (!err)
		return come_back(ctrl);
	take_down(ctrl);
	return err;
}

int nvme_ctrl_reinit(struct nvme_ctrl *ctrl)
{
	int err = lock_for_reset(ctrl);

	if (err)
		return err;
	freeze_all(ctrl);
	err = start_over(ctrl);
	pthread_mutex_unlock(&ctrl->reset_lock);
	return err;
}

int nvme_ctrl_reopen(struct nvme_ctrl *ctrl, const struct nvme_ctrl_opts *opts)
{
	struct nvme_ctrl_opts former;
	int err = lock_for_reset(ctrl);

	if (err)
		return err;
	former = ctrl->opts;
	ctrl->opts.init = opts->init;
	ctrl->opts.init_priv = opts->init_priv;
	freeze_all(ctrl);
	err = start_over(ctrl);
	if (err)
		ctrl->opts = former;
	pthread_mutex_unlock(&ctrl->reset_lock);
	return err;
}

void nvme_ctrl_drop_init(struct nvme_ctrl *ctrl, const void *priv)
{
	pthread_mutex_lock(&ctrl->reset_lock);
	if (ctrl->opts.init_priv == priv)
		ctrl->opts.init = NULL;
	pthread_mutex_unlock(&ctrl->reset_lock);
}

/* --- CC.EN by a script's own hand --- */

static int poke_disable(struct nvme_ctrl *ctrl, uint32_t cc)
{
	int err;

	freeze_all(ctrl);
	err = nvme_ctrl_write32(ctrl, NVME_REG_CC, cc);
	drain_all(ctrl, false);
	take_down(ctrl);
	return err;
}

static int poke_enable(struct nvme_ctrl *ctrl, uint32_t cc)
{
	int err = 0;

	/* A queue that the script built by hand is its own business. */
	if (ctrl->transport->holds_adminq(ctrl)) {
		/* Without CSTS.RDY = 0 it may still use what it had: that rests until a reset. */
		if (has_stopped(ctrl))
			nvme_qpair_free_graves(ctrl);
		memset(ctrl->qid_map, 0, sizeof(ctrl->qid_map));
		pthread_mutex_lock(&ctrl->admin_lock);
		err = nvme_ctrl_setup_adminq(ctrl);
		pthread_mutex_unlock(&ctrl->admin_lock);
		ctrl->down = false;
		nvme_cmdlog_state(ctrl, NVME_CMDLOG_READY);
	}
	return err ? err : nvme_ctrl_write32(ctrl, NVME_REG_CC, cc);
}

int nvme_ctrl_poke32(struct nvme_ctrl *ctrl, uint32_t off, uint32_t val)
{
	uint32_t cc = 0;
	int err;

	if (off != NVME_REG_CC || nvme_ctrl_is_initialising(ctrl))
		return nvme_ctrl_write32(ctrl, off, val);
	err = lock_for_reset(ctrl);
	if (err)
		return err;
	err = nvme_ctrl_read32(ctrl, NVME_REG_CC, &cc);
	if (!err && NVME_GET(cc, CC_EN) && !NVME_GET(val, CC_EN))
		err = poke_disable(ctrl, val);
	else if (!err && !NVME_GET(cc, CC_EN) && NVME_GET(val, CC_EN))
		err = poke_enable(ctrl, val);
	else if (!err)
		err = nvme_ctrl_write32(ctrl, off, val);
	pthread_mutex_unlock(&ctrl->reset_lock);
	return err;
}

/* Without a means to cut it, the function still has power and goes on. */
static int keep_power(struct nvme_ctrl *ctrl, int err)
{
	char why[ERR_TEXT_BYTES];

	snprintf(why, sizeof(why), "%s", err_text());
	start_over(ctrl);
	return err_set(err, "%s", why);
}

static int power_off(struct nvme_ctrl *ctrl)
{
	int err;

	freeze_all(ctrl);
	err = ctrl->bus->ops->power(ctrl->bus, false);
	if (err == -EOPNOTSUPP)
		return keep_power(ctrl, err);
	drain_all(ctrl, !err);
	take_down(ctrl);
	if (!err)
		nvme_ns_power_lost(ctrl);
	return err;
}

static int power_on(struct nvme_ctrl *ctrl)
{
	int err = ctrl->bus->ops->power(ctrl->bus, true);

	if (err)
		return err;
	/* It may have been on all the time, and have queues. */
	freeze_all(ctrl);
	return start_over(ctrl);
}

int nvme_ctrl_power(struct nvme_ctrl *ctrl, bool on)
{
	int err;

	if (!ctrl->bus || !ctrl->bus->ops->power)
		return err_set(-EOPNOTSUPP, "%s: no power control here", ctrl->addr);
	err = lock_for_reset(ctrl);
	if (err)
		return err;
	err = on ? power_on(ctrl) : power_off(ctrl);
	pthread_mutex_unlock(&ctrl->reset_lock);
	return err;
}

static int wait_shutdown(struct nvme_ctrl *ctrl)
{
	uint64_t wait_ms = ctrl->id_ctrl->rtd3e / 1000;
	struct nvme_deadline deadline;
	uint32_t csts;
	int err;

	if (wait_ms < SHUTDOWN_FLOOR_MS)
		wait_ms = SHUTDOWN_FLOOR_MS;
	nvme_deadline_init(&deadline, nvme_time_now_ns(ctrl), wait_ms * 1000000);
	for (;;) {
		bool late = nvme_deadline_passed(&deadline, nvme_time_now_ns(ctrl));

		err = nvme_ctrl_read32(ctrl, NVME_REG_CSTS, &csts);
		if (err)
			return err;
		if (csts == NVME_REG_REMOVED)
			return err_set(-ENODEV, "%s: the device is gone", ctrl->addr);
		if (NVME_GET(csts, CSTS_SHST) == NVME_CSTS_SHST_COMPLETE)
			return 0;
		if (late)
			return err_set(-ETIMEDOUT,
				       "%s: shutdown is not complete (CSTS.SHST) after "
				       "%llu ms",
				       ctrl->addr, (unsigned long long)wait_ms);
		err = interrupt_check(ctrl->addr);
		if (err)
			return err;
		nvme_time_nap(ctrl, POLL_NS);
	}
}

int nvme_ctrl_shutdown(struct nvme_ctrl *ctrl, bool abrupt)
{
	uint32_t cc;
	int err;

	err = nvme_ctrl_check(ctrl);
	if (!err)
		err = nvme_ctrl_read32(ctrl, NVME_REG_CC, &cc);
	if (err)
		return err;
	nvme_cmdlog_state(ctrl, NVME_CMDLOG_DOWN);
	cc &= ~(uint32_t)NVME_FIELD_MASK(CC_SHN);
	cc |= (uint32_t)NVME_SET(abrupt ? NVME_CC_SHN_ABRUPT : NVME_CC_SHN_NORMAL, CC_SHN);
	err = nvme_ctrl_write32(ctrl, NVME_REG_CC, cc);
	if (err || abrupt)
		return err;
	err = wait_shutdown(ctrl);
	if (!err)
		nvme_ns_flushed(ctrl);
	return err;
}
