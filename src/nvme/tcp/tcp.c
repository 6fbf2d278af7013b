/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tcp.c - the NVMe/TCP transport: associations, queues, resets.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "nvme/cmdlog/cmdlog.h"
#include "nvme/init.h"
#include "nvme/time.h"
#include "nvme/tcp/discover.h"
#include "nvme/tcp/fabric.h"
#include "nvme/transport.h"
#include "spec/identify.h"

#define ADMIN_ENTRIES 128u
#define MS	      UINT64_C(1000000)
#define COMEBACK_MS   10000u /* of a subsystem that was reset */
#define RETRY_NS      UINT64_C(20000000)
#define GOODBYE_MS    1000u /* for an answer to Disconnect */

/* --- the association --- */

static int find_target(struct nvme_ctrl *ctrl, const char *addr)
{
	struct nvme_tcp_fabric *fabric = nvme_tcp_fabric_of(ctrl);
	struct nvme_tcp_address *target = &fabric->target;
	int err;

	err = nvme_tcp_address_parse(target, addr);
	if (!err && ctrl->opts.fabric)
		err = nvme_tcp_address_options(target, ctrl->opts.fabric);
	if (!err && !*target->subnqn)
		err = nvme_tcp_find_subsystem(target, &ctrl->opts);
	if (err)
		return err;
	ctrl->entries_limit = target->queue_size;
	ctrl->queues_limit = target->nr_io_queues;
	nvme_tcp_address_format(target, ctrl->addr, sizeof(ctrl->addr));
	return 0;
}

static int tcp_connect(struct nvme_ctrl *ctrl, const char *addr)
{
	struct nvme_tcp_fabric *fabric = calloc(1, sizeof(*fabric));
	int err;

	if (!fabric)
		return err_set(-ENOMEM, "no memory for a connection");
	pthread_mutex_init(&fabric->lock, NULL);
	fabric->ctrl = ctrl;
	ctrl->fabric = fabric;
	err = find_target(ctrl, addr);
	if (!err)
		err = nvme_ctrl_alloc_adminq(ctrl);
	if (err)
		return err;
	pthread_mutex_lock(&ctrl->admin_lock);
	err = nvme_tcp_associate(ctrl);
	pthread_mutex_unlock(&ctrl->admin_lock);
	return err ? err : nvme_tcp_alive_start(ctrl);
}

static void tcp_disconnect(struct nvme_ctrl *ctrl)
{
	struct nvme_tcp_fabric *fabric = nvme_tcp_fabric_of(ctrl);

	if (!fabric)
		return;
	nvme_tcp_alive_stop(ctrl);
	if (ctrl->adminq)
		nvme_tcp_queue_close(ctrl->adminq);
	pthread_mutex_destroy(&fabric->lock);
	free(fabric);
	ctrl->fabric = NULL;
}

static int tcp_health(struct nvme_ctrl *ctrl)
{
	/* A connection that ended has said so itself, and CSTS is looked at beside Keep Alive. */
	return 0;
}

static void tcp_why_gone(struct nvme_ctrl *ctrl, char *text, size_t len)
{
	struct nvme_tcp_fabric *fabric = nvme_tcp_fabric_of(ctrl);

	pthread_mutex_lock(&fabric->lock);
	snprintf(text, len, "the connection is lost: %s; reset() connects again", fabric->lost);
	pthread_mutex_unlock(&fabric->lock);
}

/* --- resets --- */

/* Under reset_lock, all queues frozen: nobody is inside of them, or has been asked to leave. */
static void hang_up_all(struct nvme_ctrl *ctrl)
{
	pthread_mutex_lock(&ctrl->admin_lock);
	nvme_tcp_queue_close(ctrl->adminq);
	nvme_qpair_drain(ctrl->adminq, NVME_SC_ABORTED_SQ_DELETION);
	pthread_mutex_unlock(&ctrl->admin_lock);
	for (struct nvme_qpair *q = ctrl->qpairs; q; q = q->next) {
		if (nvme_qpair_left(q, 0))
			nvme_tcp_queue_close(q);
		else if (nvme_tcp_of(q)->fd >= 0)
			nvme_tcp_hang_up(nvme_tcp_of(q)->fd);
	}
}

static int tcp_wake(struct nvme_ctrl *ctrl)
{
	int err;

	hang_up_all(ctrl);
	pthread_mutex_lock(&ctrl->admin_lock);
	err = nvme_tcp_associate(ctrl);
	pthread_mutex_unlock(&ctrl->admin_lock);
	return err;
}

/* The target goes down with its connections, and takes its time to come back. */
static int reset_subsystem(struct nvme_ctrl *ctrl)
{
	uint64_t until_ns = clock_now_ns() + COMEBACK_MS * MS;
	int err = nvme_ctrl_write32(ctrl, NVME_REG_NSSR, NVME_NSSR_NSSRC);

	if (err == -EPROTO)
		return err;
	for (;;) {
		err = tcp_wake(ctrl);
		if (!err || err == -EINTR || clock_now_ns() > until_ns)
			return err;
		nvme_time_nap(ctrl, RETRY_NS);
	}
}

static int tcp_reset(struct nvme_ctrl *ctrl, enum nvme_reset kind)
{
	struct nvme_tcp_queue *t = nvme_tcp_of(ctrl->adminq);

	switch (kind) {
	case NVME_RESET_CTRL:
		/* What cannot be asked to stop stops with its association. */
		if (t->fd >= 0 && !t->lost && nvme_ctrl_disable(ctrl))
			log_info("%s: %s", ctrl->addr, err_text());
		return tcp_wake(ctrl);
	case NVME_RESET_SUBSYSTEM:
		return reset_subsystem(ctrl);
	case NVME_RESET_FLR:
	case NVME_RESET_HOT:
		break;
	}
	return err_set(-EOPNOTSUPP, "%s: an NVMe/TCP controller is no PCI function to be reset",
		       ctrl->addr);
}

/* --- queues --- */

static bool tcp_holds_adminq(struct nvme_ctrl *ctrl)
{
	return true;
}

static int tcp_adminq_setup(struct nvme_ctrl *ctrl)
{
	struct nvme_tcp_queue *t = nvme_tcp_of(ctrl->adminq);
	int err = 0;

	pthread_mutex_lock(&ctrl->admin_lock);
	if (t->fd < 0)
		err = nvme_tcp_associate(ctrl);
	pthread_mutex_unlock(&ctrl->admin_lock);
	return err;
}

static int tcp_qpair_connect(struct nvme_qpair *q, unsigned int prio)
{
	int err = nvme_tcp_queue_open(q, prio);

	if (err) {
		err_add("%s: queue %u", q->ctrl->addr, q->sqid);
		return err;
	}
	/* To a script, the queue begins with its own first command. */
	nvme_qpair_rewind(q);
	nvme_cmdlog_restart(q->log, q->ctrl, q->sqid);
	return 0;
}

static int tcp_qpair_disconnect(struct nvme_qpair *q)
{
	struct nvme_disconnect_cmd cmd = { .opc = NVME_ADMIN_FABRICS,
					   .fctype = NVME_FCTYPE_DISCONNECT };
	struct nvme_tcp_queue *t = nvme_tcp_of(q);
	struct nvme_tcp_patience p = nvme_tcp_patience(GOODBYE_MS);
	struct nvme_cqe cqe;
	struct nvme_sqe sqe;

	/* A queue with commands under way is not asked for its leave, nor one that is lost. */
	if (t->fd >= 0 && !t->lost && !nvme_qpair_outstanding(q) &&
	    q->ctrl->id_ctrl->ofcs & NVME_OFCS_DISCONNECT) {
		memcpy(&sqe, &cmd, sizeof(sqe));
		(void)nvme_tcp_exec(q, &sqe, NULL, 0, &p, &cqe);
	}
	nvme_tcp_queue_close(q);
	return 0;
}

static void tcp_qpair_aim(struct nvme_qpair *q, bool live)
{
	/* There are no doorbells. */
}

static unsigned int tcp_poll(struct nvme_qpair *q, unsigned int max, uint64_t now_ns)
{
	unsigned int n = nvme_tcp_poll(q, max, now_ns);

	if (!q->sqid)
		nvme_tcp_alive_tick(q->ctrl, now_ns);
	return n;
}

const struct nvme_transport_ops nvme_tcp_ops = {
	.admin_entries = ADMIN_ENTRIES,
	.connect = tcp_connect,
	.disconnect = tcp_disconnect,
	.reg_read = nvme_tcp_reg_read,
	.reg_write = nvme_tcp_reg_write,
	.health = tcp_health,
	.why_gone = tcp_why_gone,
	.reset = tcp_reset,
	.wake = tcp_wake,
	.holds_adminq = tcp_holds_adminq,
	.adminq_setup = tcp_adminq_setup,
	.qpair_alloc = nvme_tcp_queue_alloc,
	.qpair_free = nvme_tcp_queue_free,
	.qpair_free_copy = nvme_tcp_queue_free,
	.qpair_connect = tcp_qpair_connect,
	.qpair_disconnect = tcp_qpair_disconnect,
	.qpair_cut = nvme_tcp_queue_close,
	.qpair_wait = nvme_tcp_wait,
	.qpair_aim = tcp_qpair_aim,
	.submit = nvme_tcp_submit,
	.ring = nvme_tcp_ring,
	.poll = tcp_poll,
};
