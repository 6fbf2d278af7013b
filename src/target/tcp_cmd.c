/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A command from its capsule to its response (Base 2.1 sections 3.3.2, 4.3.2; TCP 1.1 3.3.2):
 *
 *   PSDT not 01b				00/02
 *   SGL: not a data block of capsule or transport	00/11
 *   in-capsule data beyond the capsule		00/16, 00/0f
 *   more to the controller than MDTS		00/02, nothing is asked for
 *   not connected, or not ready		00/0c
 *   a data digest was wrong			00/22
 *   a Controller Reset came before its data	00/08
 */
#include <errno.h>

#include "target/assoc.h"
#include "target/loop.h"
#include "target/server.h"
#include "target/subsys.h"
#include "target/tcp_conn.h"

#define SGL_IN_CAPSULE NVME_SGL_ID(NVME_SGL_TYPE_DATA_BLOCK, NVME_SGL_SUBTYPE_OFFSET)
#define SGL_TRANSPORT  NVME_SGL_ID(NVME_SGL_TYPE_TRANSPORT_DATA_BLOCK, NVME_SGL_SUBTYPE_TRANSPORT)

/* The longest data of a command that is not the drive's: discovery log pages. */
#define DISCOVERY_BYTES (128u << 10)

uint32_t tcp_cmd_most(const struct subsys *sub)
{
	return sub->ssd ? ssd_mdts_bytes(sub->ssd) : DISCOVERY_BYTES;
}

static bool is_fabrics(const struct nvme_sqe *sqe)
{
	return sqe->opc == NVME_ADMIN_FABRICS;
}

static enum nvme_opcode_dir direction(const struct nvme_sqe *sqe)
{
	return nvme_opcode_dir(is_fabrics(sqe) ? (uint8_t)sqe->nsid : sqe->opc);
}

/* Nobody has room for more than Connect's data before it has said who it is. */
static uint32_t most_bytes(const struct tcp_conn *conn)
{
	return conn->as ? tcp_cmd_most(conn->sub) : TARGET_INCAPSULE_BYTES;
}

/* What the capsule brought along. */
static uint16_t take_in_capsule(struct tcp_cmd *cmd, uint32_t in_capsule)
{
	const struct nvme_sgl_desc *sgl = &cmd->ext.sqe.sgl1;

	if (direction(&cmd->ext.sqe) != NVME_DIR_TO_CTRL)
		return NVME_SC_SGL_INVALID_TYPE;
	if (sgl->addr > in_capsule)
		return NVME_SC_SGL_INVALID_OFFSET;
	if (sgl->len > in_capsule - sgl->addr)
		return NVME_SC_SGL_INVALID_DATA_LENGTH;
	cmd->len = sgl->len;
	cmd->offset = (uint32_t)sgl->addr;
	cmd->got = sgl->len;
	return 0;
}

static uint16_t take_transport(struct tcp_cmd *cmd)
{
	uint32_t most = most_bytes(cmd->conn), len = cmd->ext.sqe.sgl1.len;

	cmd->got = 0;
	if (direction(&cmd->ext.sqe) == NVME_DIR_FROM_CTRL) {
		/* room for more than a command can move is no error */
		cmd->len = len < most ? len : most;
		return 0;
	}
	if (len > most)
		return NVME_SC_INVALID_FIELD;
	cmd->len = len;
	return 0;
}

static uint16_t check_sgl(struct tcp_cmd *cmd, uint32_t in_capsule)
{
	const struct nvme_sqe *sqe = &cmd->ext.sqe;

	cmd->got = 0;
	if (NVME_GET(sqe->flags, SQE_PSDT) != NVME_SQE_PSDT_SGL_MPTR_BUF)
		return NVME_SC_INVALID_FIELD;
	if (direction(sqe) == NVME_DIR_NONE)
		return 0;
	if (sqe->sgl1.type == SGL_IN_CAPSULE)
		return take_in_capsule(cmd, in_capsule);
	if (sqe->sgl1.type == SGL_TRANSPORT)
		return take_transport(cmd);
	/* an opcode with no data to move may leave it empty */
	return sqe->sgl1.len || sqe->sgl1.type ? NVME_SC_SGL_INVALID_TYPE : 0;
}

/* A buffer is there: run it, or ask for its data first. */
static void go_on(struct tcp_cmd *cmd, uint64_t now_ns)
{
	if (direction(&cmd->ext.sqe) == NVME_DIR_FROM_CTRL || cmd->got == cmd->len)
		tcp_cmd_run(cmd, now_ns);
	else
		tcp_tx_r2t(cmd);
}

void tcp_cmd_start(struct tcp_cmd *cmd, uint32_t in_capsule, uint64_t now_ns)
{
	struct tcp_conn *conn = cmd->conn;
	uint16_t sc = check_sgl(cmd, in_capsule);

	if (!sc && !conn->as && !is_fabrics(&cmd->ext.sqe))
		sc = NVME_SC_SEQUENCE_ERROR;
	if (!sc && cmd->bad_digest)
		sc = NVME_SC_TRANSIENT_TRANSPORT_ERROR;
	if (sc) {
		tcp_cmd_end(cmd, sc);
		return;
	}
	/* whoever has no data waits for nobody: Keep Alive, and a reset */
	if ((!conn->wait || !cmd->len) && tcp_cmd_room(cmd, cmd->offset + cmd->len)) {
		go_on(cmd, now_ns);
		return;
	}
	cmd->state = TCP_CMD_WAITING;
	cmd->next = NULL;
	*conn->wait_end = cmd;
	conn->wait_end = &cmd->next;
}

void tcp_cmd_retry(struct tcp_conn *conn, uint64_t now_ns)
{
	struct tcp_cmd *cmd = conn->terminating ? NULL : conn->wait;

	while (cmd && tcp_cmd_room(cmd, cmd->offset + cmd->len)) {
		conn->wait = cmd->next;
		if (!conn->wait)
			conn->wait_end = &conn->wait;
		cmd->state = TCP_CMD_DATA;
		go_on(cmd, now_ns);
		cmd = conn->wait;
	}
}

/* The drive is done with it, here or in another thread. */
static void drive_done(struct ssd_cmd *ext)
{
	struct tcp_cmd *cmd = ext->priv;

	if (cmd->inside)
		cmd->finished = true;
	else
		loop_completed(cmd->conn->loop, cmd);
}

/* Where its data is; a command without data may have no buffer. */
static void set_data(struct tcp_cmd *cmd)
{
	cmd->iov = (struct iovec){ cmd->len ? cmd->buf + cmd->offset : NULL, cmd->len };
	cmd->ext.data = &cmd->iov;
	cmd->ext.data_n = cmd->len ? 1 : 0;
	cmd->ext.moved = 0;
}

static void run_drive(struct tcp_cmd *cmd, uint64_t now_ns)
{
	struct tcp_conn *conn = cmd->conn;
	struct ssd_cmd *ext = &cmd->ext;
	int rc;

	now_ns = loop_enter(conn->loop, conn->sub, now_ns);
	if (!ssd_ctrl_ready(conn->as->ctrl) || atomic_load(&conn->as->epoch) != conn->epoch) {
		tcp_cmd_end(cmd, NVME_SC_SEQUENCE_ERROR);
		return;
	}
	/* how the data came is no longer of interest */
	ext->sqe.flags &= (uint8_t) ~(NVME_SQE_PSDT_MASK << NVME_SQE_PSDT_SHIFT);
	ext->sqid = conn->qid;
	ext->done = drive_done;
	set_data(cmd);
	cmd->state = TCP_CMD_RUNNING;
	cmd->inside = true;
	rc = ssd_exec(conn->as->ctrl, ext, now_ns);
	cmd->inside = false;
	if (rc)
		tcp_cmd_end(cmd, NVME_SC_INTERRUPTED);
	else if (cmd->finished)
		tcp_cmd_done(cmd);
}

static void run_discovery(struct tcp_cmd *cmd)
{
	struct tcp_conn *conn = cmd->conn;
	struct tcp_local local;

	if (!discovery_ready(&conn->as->discovery)) {
		tcp_cmd_end(cmd, NVME_SC_SEQUENCE_ERROR);
		return;
	}
	set_data(cmd);
	cmd->ext.copies = 1;
	tcp_conn_local(conn, &local);
	cmd->state = TCP_CMD_RUNNING;
	if (discovery_exec(conn->as, &cmd->ext, local.address, local.port, local.ipv6))
		tcp_cmd_done(cmd);
}

void tcp_cmd_run(struct tcp_cmd *cmd, uint64_t now_ns)
{
	struct tcp_conn *conn = cmd->conn;

	if (cmd->cut)
		tcp_cmd_end(cmd, NVME_SC_ABORTED_SQ_DELETION);
	else if (cmd->bad_digest)
		tcp_cmd_end(cmd, NVME_SC_TRANSIENT_TRANSPORT_ERROR);
	else if (is_fabrics(&cmd->ext.sqe))
		fabrics_run(cmd, now_ns);
	else if (!conn->as)
		tcp_cmd_end(cmd, NVME_SC_SEQUENCE_ERROR);
	else if (conn->as->ctrl)
		run_drive(cmd, now_ns);
	else
		run_discovery(cmd);
}

void tcp_cmd_end(struct tcp_cmd *cmd, uint16_t status)
{
	bool again = status == NVME_SC_TRANSIENT_TRANSPORT_ERROR || status == NVME_SC_INTERRUPTED ||
		     status == NVME_SC_ABORTED_SQ_DELETION ||
		     status == NVME_SC_CONNECT_CONTROLLER_BUSY;
	uint32_t dnr = status && !again ? NVME_STATUS_DNR_MASK << NVME_STATUS_DNR_SHIFT : 0;

	cmd->ext.cqe = (struct nvme_cqe){
		.cid = cmd->ext.sqe.cid,
		.status = (uint16_t)((uint32_t)status << NVME_STATUS_SC11_SHIFT | dnr),
	};
	cmd->ext.copies = 1;
	cmd->ext.moved = 0;
	tcp_cmd_done(cmd);
}

void tcp_cmd_done(struct tcp_cmd *cmd)
{
	struct tcp_conn *conn = cmd->conn;
	struct nvme_cqe *cqe = &cmd->ext.cqe;

	cmd->data_bytes = 0;
	if (!NVME_GET(cqe->status, STATUS_SC11) && direction(&cmd->ext.sqe) == NVME_DIR_FROM_CTRL)
		cmd->data_bytes = (uint32_t)cmd->ext.moved;
	/* the head moves when a command is done, so that a queue's tags suffice */
	if (conn->sqsize)
		conn->sqhd = (uint16_t)((conn->sqhd + 1u) % conn->sqsize);
	cqe->sqhd = conn->no_sqflow ? 0xffff : conn->sqhd;
	tcp_tx_response(cmd);
}
