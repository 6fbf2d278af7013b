/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fabrics commands: Base 2.1 section 6. Connect, in order of its checks:
 *
 *   on a queue that is connected		00/0c
 *   RECFMT					01/80
 *   less data than Connect has			00/0f
 *   SUBNQN nobody has; HOSTNQN, no name	01/82, where it is
 *   HOSTNQN not allowed			01/84
 *   SQSIZE 0 or beyond MQES			01/82
 *   no memory for the queue			01/81
 *   admin queue: CNTLID not FFFFh		01/82
 *		  no controller left		01/81
 *   I/O queue:	  CNTLID not this host's	01/82
 *		  not enabled, QID is taken	00/0c
 *		  QID beyond feature 07h	01/82
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "spec/fabrics.h"
#include "target/assoc.h"
#include "target/loop.h"
#include "target/server.h"
#include "target/subsys.h"
#include "target/tcp_conn.h"

#define DISCOVERY_MQES 128u

static uint8_t fctype_of(const struct tcp_cmd *cmd)
{
	return ((const struct nvme_fabrics_cmd *)&cmd->ext.sqe)->fctype;
}

/* 01/82, and where the parameter is: in the SQE, or in the data. */
static void invalid(struct tcp_cmd *cmd, uint32_t offset, uint32_t iattr)
{
	cmd->ext.cqe = (struct nvme_cqe){
		.cid = cmd->ext.sqe.cid,
		.cdw0 = offset | iattr,
		.status = (uint16_t)(NVME_SC_CONNECT_INVALID_PARAM << NVME_STATUS_SC11_SHIFT |
				     NVME_STATUS_DNR_MASK << NVME_STATUS_DNR_SHIFT),
	};
	cmd->ext.copies = 1;
	tcp_cmd_done(cmd);
}

#define INVALID_SQE(cmd, member) invalid(cmd, offsetof(struct nvme_connect_cmd, member), 0)
#define INVALID_DATA(cmd, member) \
	invalid(cmd, offsetof(struct nvme_connect_data, member), NVME_CONNECT_IATTR_DATA)

/* What the drive, or discovery, knows of its registers; outside of its lock. */
static uint64_t reg_read(struct assoc *as, uint32_t off, int width, uint64_t now_ns)
{
	uint64_t val;

	if (!as->ctrl)
		return discovery_reg_read(&as->discovery, off);
	now_ns = subsys_enter(as->sub, now_ns);
	val = ssd_reg_read(as->ctrl, off, width, now_ns);
	subsys_leave(as->sub);
	return val;
}

static void reg_write(struct assoc *as, uint32_t off, uint32_t val, uint64_t now_ns)
{
	if (!as->ctrl) {
		discovery_reg_write(&as->discovery, off, val);
		return;
	}
	now_ns = subsys_enter(as->sub, now_ns);
	ssd_reg_write(as->ctrl, off, 4, val, now_ns);
	subsys_leave(as->sub);
}

/* The connection is a queue from now on; of an @epoch that may be over already. */
static void connected(struct tcp_cmd *cmd, struct assoc *as, uint16_t qid, unsigned int epoch)
{
	const struct nvme_connect_cmd *c = (const void *)&cmd->ext.sqe;
	struct tcp_conn *conn = cmd->conn;

	conn->as = as;
	conn->sub = as->sub;
	conn->qid = qid;
	conn->sqsize = (uint16_t)(c->sqsize + 1u);
	conn->no_sqflow = c->cattr & NVME_CATTR_DISABLE_SQFLOW;
	conn->epoch = epoch;
	conn->expires_ns = UINT64_MAX;
	cmd->ext.cqe = (struct nvme_cqe){ .cid = c->cid, .cdw0 = as->cntlid };
	cmd->ext.copies = 1;
	tcp_cmd_done(cmd);
}

/* Memory of the queue; without it the host is asked to come back later. */
static int tags(struct tcp_cmd *cmd, const struct subsys *sub)
{
	const struct nvme_connect_cmd *c = (const void *)&cmd->ext.sqe;
	int rc = tcp_conn_tags(cmd->conn, c->sqsize + 1u, tcp_cmd_most(sub));

	if (rc)
		log_warn("target: queue %u of %u entries: no memory left for it; more is an option",
			 c->qid, c->sqsize + 1u);
	return rc;
}

static void connect_admin(struct tcp_cmd *cmd, struct subsys *sub,
			  const struct nvme_connect_data *data, uint64_t now_ns)
{
	const struct nvme_connect_cmd *c = (const void *)&cmd->ext.sqe;
	struct assoc *as;
	int rc;

	if (data->cntlid != NVME_CNTLID_DYNAMIC) {
		INVALID_DATA(cmd, cntlid);
		return;
	}
	rc = assoc_begin(&as, cmd->conn->loop->target, sub, data->hostnqn, data->hostid, c->kato,
			 now_ns);
	if (!rc && tags(cmd, sub)) {
		assoc_put(as);
		rc = -ENOMEM;
	}
	if (rc) {
		tcp_cmd_end(cmd, NVME_SC_CONNECT_CONTROLLER_BUSY);
		return;
	}
	assoc_take_queue(as, 0);
	log_info("target: host %.223s: controller %u of %s", data->hostnqn, as->cntlid, sub->nqn);
	connected(cmd, as, 0, atomic_load(&as->epoch));
}

/* May the host have this I/O queue? It is answered if not. */
static bool check_io(struct tcp_cmd *cmd, struct assoc *as, const struct nvme_connect_data *data)
{
	const struct nvme_connect_cmd *c = (const void *)&cmd->ext.sqe;
	unsigned int queues = 0;
	bool ready = false;

	if (!as || memcmp(as->hostid, data->hostid, sizeof(as->hostid)) ||
	    strcmp(as->hostnqn, data->hostnqn) != 0) {
		INVALID_DATA(cmd, cntlid);
		return false;
	}
	if (as->ctrl) {
		subsys_enter(as->sub, 0);
		ready = ssd_ctrl_ready(as->ctrl);
		queues = ssd_ctrl_queues(as->ctrl);
		subsys_leave(as->sub);
	}
	if (c->qid > queues) {
		INVALID_SQE(cmd, qid);
		return false;
	}
	if (!ready || !assoc_take_queue(as, c->qid)) {
		tcp_cmd_end(cmd, NVME_SC_SEQUENCE_ERROR);
		return false;
	}
	return true;
}

static void connect_io(struct tcp_cmd *cmd, struct subsys *sub,
		       const struct nvme_connect_data *data)
{
	const struct nvme_connect_cmd *c = (const void *)&cmd->ext.sqe;
	struct assoc *as = assoc_get(cmd->conn->loop->target, sub, data->cntlid);
	/* before the controller is looked at: a reset behind that look ends this queue, too */
	unsigned int epoch = as ? atomic_load(&as->epoch) : 0;

	if (!check_io(cmd, as, data)) {
		if (as)
			assoc_put(as);
		return;
	}
	if (tags(cmd, sub)) {
		assoc_release_queue(as, c->qid);
		assoc_put(as);
		tcp_cmd_end(cmd, NVME_SC_CONNECT_CONTROLLER_BUSY);
		return;
	}
	connected(cmd, as, c->qid, epoch);
}

/* A name: something, and its end within the field. */
static bool is_name(const char *nqn)
{
	return *nqn && strnlen(nqn, NVME_NQN_BYTES) <= NVME_NQN_MAX;
}

static void do_connect(struct tcp_cmd *cmd, uint64_t now_ns)
{
	const struct nvme_connect_cmd *c = (const void *)&cmd->ext.sqe;
	struct target *target = cmd->conn->loop->target;
	struct nvme_connect_data data;
	struct subsys *sub;

	if (cmd->conn->as) {
		tcp_cmd_end(cmd, NVME_SC_SEQUENCE_ERROR);
		return;
	}
	if (c->recfmt) {
		tcp_cmd_end(cmd, NVME_SC_CONNECT_INCOMPATIBLE_FORMAT);
		return;
	}
	if (cmd->len < sizeof(data)) {
		tcp_cmd_end(cmd, NVME_SC_SGL_INVALID_DATA_LENGTH);
		return;
	}
	memcpy(&data, cmd->buf + cmd->offset, sizeof(data));
	sub = is_name(data.subnqn) ? server_find(target, data.subnqn) : NULL;
	if (!sub)
		INVALID_DATA(cmd, subnqn);
	else if (!is_name(data.hostnqn))
		INVALID_DATA(cmd, hostnqn);
	else if (sub->ssd && !server_allows(target, data.hostnqn))
		tcp_cmd_end(cmd, NVME_SC_CONNECT_INVALID_HOST);
	else if (!c->sqsize || c->sqsize >= (sub->ssd ? ssd_mqes(sub->ssd) : DISCOVERY_MQES))
		INVALID_SQE(cmd, sqsize);
	else if (c->qid)
		connect_io(cmd, sub, &data);
	else
		connect_admin(cmd, sub, &data, now_ns);
}

/* Properties there are: Base 2.1 section 3.1.4. */
static bool is_property(uint32_t off, bool eight, bool set)
{
	switch (off) {
	case NVME_REG_CAP:
		return eight && !set;
	case NVME_REG_VS:
	case NVME_REG_CRTO:
		return !eight && !set;
	case NVME_REG_CC:
	case NVME_REG_CSTS:
	case NVME_REG_NSSR:
		return !eight;
	default:
		return false;
	}
}

static void get_property(struct tcp_cmd *cmd, uint64_t now_ns)
{
	const struct nvme_property_cmd *p = (const void *)&cmd->ext.sqe;
	bool eight = (p->attrib & 7) == NVME_PROPERTY_SIZE_8;
	uint64_t val;

	if ((p->attrib & 7) > NVME_PROPERTY_SIZE_8 || !is_property(p->ofst, eight, false)) {
		tcp_cmd_end(cmd, NVME_SC_INVALID_FIELD);
		return;
	}
	val = reg_read(cmd->conn->as, p->ofst, eight ? 8 : 4, now_ns);
	cmd->ext.cqe = (struct nvme_cqe){ .cid = p->cid,
					  .cdw0 = (uint32_t)val,
					  .cdw1 = (uint32_t)(val >> 32) };
	cmd->ext.copies = 1;
	tcp_cmd_done(cmd);
}

static void set_property(struct tcp_cmd *cmd, uint64_t now_ns)
{
	const struct nvme_property_cmd *p = (const void *)&cmd->ext.sqe;
	struct tcp_conn *conn = cmd->conn;
	struct assoc *as = conn->as;
	uint32_t old;

	if ((p->attrib & 7) != NVME_PROPERTY_SIZE_4 || !is_property(p->ofst, false, true)) {
		tcp_cmd_end(cmd, NVME_SC_INVALID_FIELD);
		return;
	}
	old = (uint32_t)reg_read(as, NVME_REG_CC, 4, now_ns);
	if (p->ofst == NVME_REG_CC && NVME_GET(old, CC_EN) &&
	    !NVME_GET((uint32_t)p->value, CC_EN)) {
		/* Controller Reset: I/O queues go, this one stays without what was outstanding */
		reg_write(as, p->ofst, (uint32_t)p->value, now_ns);
		/* then: whoever still found the controller ready has the former epoch */
		assoc_reset(as);
		conn->epoch = atomic_load(&as->epoch);
		tcp_conn_forget(conn);
	} else {
		reg_write(as, p->ofst, (uint32_t)p->value, now_ns);
	}
	tcp_cmd_end(cmd, 0);
}

static void do_disconnect(struct tcp_cmd *cmd)
{
	const struct nvme_disconnect_cmd *d = (const void *)&cmd->ext.sqe;

	if (!cmd->conn->qid) {
		tcp_cmd_end(cmd, NVME_SC_INVALID_QUEUE_TYPE);
		return;
	}
	if (d->recfmt) {
		tcp_cmd_end(cmd, NVME_SC_CONNECT_INCOMPATIBLE_FORMAT);
		return;
	}
	cmd->close = true;
	tcp_cmd_end(cmd, 0);
}

void fabrics_run(struct tcp_cmd *cmd, uint64_t now_ns)
{
	uint8_t fctype = fctype_of(cmd);
	bool property = fctype == NVME_FCTYPE_PROPERTY_GET || fctype == NVME_FCTYPE_PROPERTY_SET;

	/* what follows enters and leaves drives by itself */
	loop_leave(cmd->conn->loop);
	if (fctype == NVME_FCTYPE_CONNECT)
		do_connect(cmd, now_ns);
	else if (!cmd->conn->as)
		tcp_cmd_end(cmd, NVME_SC_SEQUENCE_ERROR);
	else if (property && cmd->conn->qid)
		tcp_cmd_end(cmd, NVME_SC_INVALID_QUEUE_TYPE);
	else if (fctype == NVME_FCTYPE_PROPERTY_GET)
		get_property(cmd, now_ns);
	else if (fctype == NVME_FCTYPE_PROPERTY_SET)
		set_property(cmd, now_ns);
	else if (fctype == NVME_FCTYPE_DISCONNECT)
		do_disconnect(cmd);
	else
		tcp_cmd_end(cmd, NVME_SC_INVALID_OPCODE);
}
