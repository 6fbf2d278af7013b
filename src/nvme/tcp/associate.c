/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * associate.c - Fabrics Connect: a queue becomes one of a controller (Base 2.1 section 3.3).
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "nvme/time.h"
#include "nvme/tcp/fabric.h"
#include "nvme/transport.h"
#include "spec/identify.h"
#include "spec/names.h"

#define MS	      UINT64_C(1000000)
#define BUSY_WAIT_MS  2000u /* for a controller that has not let go of the queue's former life */
#define BUSY_NAP_NS   UINT64_C(5000000)
#define SMALL_ADMIN   32u /* entries that every controller has */
#define SQHD_DISABLED 0xffffu

struct nvme_tcp_patience nvme_tcp_patience(uint64_t ms)
{
	uint64_t now_ns = clock_now_ns();

	return (struct nvme_tcp_patience){ .begin_ns = now_ns, .until_ns = now_ns + ms * MS };
}

static struct nvme_connect_data connect_data(const struct nvme_ctrl *ctrl, uint16_t cntlid)
{
	const struct nvme_tcp_address *target = &nvme_tcp_fabric_of(ctrl)->target;
	struct nvme_connect_data data = { .cntlid = cntlid };

	memcpy(data.hostid, target->hostid, sizeof(data.hostid));
	memcpy(data.subnqn, target->subnqn, sizeof(target->subnqn));
	memcpy(data.hostnqn, target->hostnqn, sizeof(target->hostnqn));
	return data;
}

static struct nvme_connect_cmd connect_cmd(const struct nvme_qpair *q, unsigned int prio,
					   uint32_t entries, uint8_t cattr)
{
	const struct nvme_tcp_fabric *fabric = nvme_tcp_fabric_of(q->ctrl);

	return (struct nvme_connect_cmd){
		.opc = NVME_ADMIN_FABRICS,
		.fctype = NVME_FCTYPE_CONNECT,
		.qid = q->sqid,
		.sqsize = (uint16_t)(entries - 1),
		.cattr = (uint8_t)(cattr | (prio & NVME_CATTR_PRIORITY_MASK)),
		.kato = q->sqid ? 0 : fabric->target.kato_s * 1000,
	};
}

/* Which field the controller did not like. */
static int refused(const struct nvme_qpair *q, int status, const struct nvme_cqe *cqe)
{
	uint32_t at = cqe->cdw0 & NVME_CONNECT_IPO_MASK;
	const char *where = cqe->cdw0 & NVME_CONNECT_IATTR_DATA ? "data" : "command";

	if (status == NVME_SC_CONNECT_INVALID_PARAM)
		return err_set(-EPROTO,
			       "Connect of queue %u: invalid parameters: byte %u of the %s%s",
			       q->sqid, at, where,
			       cqe->cdw0 & NVME_CONNECT_IATTR_DATA &&
					       at == offsetof(struct nvme_connect_data, subnqn) ?
				       ": it has no such subsystem" :
				       "");
	return err_set(-EPROTO, "Connect of queue %u: the target answered %02x/%02x (%s)%s",
		       q->sqid, (unsigned int)status >> 8, (unsigned int)status & 0xff,
		       nvme_fabrics_status_name((uint16_t)status),
		       status == NVME_SC_CONNECT_INVALID_HOST ?
			       ": it does not allow this host's NQN" :
			       "");
}

/* How Connect is tried; what a controller cannot do is left out the next time. */
struct attempt {
	unsigned int prio;
	uint32_t entries;
	uint8_t cattr;
	uint64_t until_ns; /* for a controller that is busy */
};

/* Whether another attempt may do better. */
static bool adapt(const struct nvme_qpair *q, int status, const struct nvme_cqe *cqe,
		  struct attempt *try)
{
	if (status == NVME_SC_CONNECT_CONTROLLER_BUSY ||
	    (q->sqid && status == NVME_SC_SEQUENCE_ERROR)) {
		nvme_time_nap(q->ctrl, BUSY_NAP_NS);
		return clock_now_ns() < try->until_ns;
	}
	if (status != NVME_SC_CONNECT_INVALID_PARAM || cqe->cdw0 & NVME_CONNECT_IATTR_DATA)
		return false;
	switch (cqe->cdw0 & NVME_CONNECT_IPO_MASK) {
	case offsetof(struct nvme_connect_cmd, cattr):
		if (!try->cattr)
			return false;
		try->cattr = 0;
		return true;
	case offsetof(struct nvme_connect_cmd, sqsize):
		if (q->sqid || try->entries <= SMALL_ADMIN)
			return false;
		try->entries = SMALL_ADMIN;
		return true;
	}
	return false;
}

/* Return: 0, 1 another attempt may do better, or with a text what went wrong. */
static int fabrics_connect(struct nvme_qpair *q, struct attempt *try)
{
	struct nvme_tcp_queue *t = nvme_tcp_of(q);
	struct nvme_tcp_fabric *fabric = nvme_tcp_fabric_of(q->ctrl);
	struct nvme_connect_data data =
		connect_data(q->ctrl, q->sqid ? fabric->cntlid : NVME_CNTLID_DYNAMIC);
	struct nvme_connect_cmd cmd = connect_cmd(q, try->prio, try->entries, try->cattr);
	struct nvme_tcp_patience p = nvme_tcp_patience(fabric->target.timeout_s * UINT64_C(1000));
	struct nvme_cqe cqe = { 0 };
	struct nvme_sqe sqe;
	int status;

	memcpy(&sqe, &cmd, sizeof(sqe));
	status = nvme_tcp_exec(q, &sqe, &data, sizeof(data), &p, &cqe);
	if (status < 0)
		return status;
	if (status)
		return adapt(q, status, &cqe, try) ? 1 : refused(q, status, &cqe);
	if (cqe.cdw0 & (NVME_CONNECT_ATR | NVME_CONNECT_ASCR) && !q->sqid)
		return err_set(-EPROTO, "the target wants authentication, which this host has not");
	t->flow_control = cqe.sqhd != SQHD_DISABLED;
	if (!q->sqid)
		fabric->cntlid = (uint16_t)NVME_GET(cqe.cdw0, CONNECT_CNTLID);
	return 0;
}

/* Data that fits into the capsule of an IO command. */
static uint32_t capsule_data(const struct nvme_ctrl *ctrl)
{
	uint64_t bytes = ctrl->id_ctrl->ioccsz * UINT64_C(16);

	if (bytes <= sizeof(struct nvme_sqe) || ctrl->id_ctrl->icdoff)
		return 0;
	bytes -= sizeof(struct nvme_sqe);
	return bytes < (1u << 20) ? (uint32_t)bytes : 1u << 20;
}

/* No more commands at once than the controller is asked to take; nothing is outstanding. */
static void set_entries(struct nvme_qpair *q, uint32_t entries)
{
	if (q->sq_depth == entries)
		return;
	q->sq_depth = entries;
	nvme_qpair_rewind(q);
}

static int open_once(struct nvme_qpair *q, struct attempt *try)
{
	const struct nvme_tcp_address *target = &nvme_tcp_fabric_of(q->ctrl)->target;
	struct nvme_tcp_patience p = nvme_tcp_patience(target->timeout_s * UINT64_C(1000));
	struct nvme_tcp_queue *t = nvme_tcp_of(q);
	int err = nvme_tcp_dial(target->host, target->port, &p);

	set_entries(q, try->entries);
	if (err < 0)
		return err;
	t->fd = err;
	t->capsule_data = q->sqid ? capsule_data(q->ctrl) : NVME_TCP_ADMIN_INCAPSULE_BYTES;
	err = nvme_tcp_greet(t, target, &p);
	return err ? err : fabrics_connect(q, try);
}

int nvme_tcp_queue_open(struct nvme_qpair *q, unsigned int prio)
{
	struct attempt try = { .prio = prio,
			       .entries = q->sqid ? q->sq_depth : q->ctrl->transport->admin_entries,
			       .cattr = NVME_CATTR_DISABLE_SQFLOW,
			       .until_ns = clock_now_ns() + BUSY_WAIT_MS * MS };
	struct nvme_tcp_queue *t = nvme_tcp_of(q);
	char why[ERR_TEXT_BYTES];
	int err;

	if (q->sqid && q->ctrl->id_ctrl->ofcs & NVME_OFCS_DISCONNECT)
		try.cattr |= NVME_CATTR_QUEUE_DELETION;
	nvme_tcp_queue_close(q);
	t->opening = true;
	/* A target need not listen any more on a connection whose Connect it refused. */
	while ((err = open_once(q, &try)) != 0) {
		strcpy(why, err_text());
		nvme_qpair_drain(q, NVME_SC_HOST_PATHING_ERROR);
		nvme_tcp_queue_close(q);
		if (err < 0)
			break;
	}
	t->opening = false;
	return err ? err_set(err, "%s", why) : 0;
}

int nvme_tcp_associate(struct nvme_ctrl *ctrl)
{
	struct nvme_tcp_fabric *fabric = nvme_tcp_fabric_of(ctrl);
	int err;

	pthread_mutex_lock(&fabric->lock);
	fabric->lost[0] = '\0';
	pthread_mutex_unlock(&fabric->lock);
	atomic_store(&ctrl->failed, 0);
	nvme_qpair_rewind(ctrl->adminq);
	err = nvme_tcp_queue_open(ctrl->adminq, 0);
	if (err) {
		err_add("%s", ctrl->addr);
		return err;
	}
	fabric->alive_ns = clock_now_ns();
	return 0;
}
