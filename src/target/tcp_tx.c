/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What goes out: commands in the order of their completion, each up to three pieces (C2HData
 * header, data, digest and response), many of them in one sendmsg().
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "target/loop.h"
#include "target/tcp_conn.h"

#define BATCH	     64
#define PIECES	     3
#define TERMINATE_NS (5ull * 1000000000ull) /* for the peer to close after TermReq */

static void enqueue(struct tcp_cmd *cmd)
{
	struct tcp_conn *conn = cmd->conn;

	/* C2HTermReq is the last that a host hears (TCP transport 1.1 section 3.5) */
	if (conn->terminating && cmd != &conn->control) {
		tcp_cmd_put(cmd);
		return;
	}
	cmd->state = TCP_CMD_SENDING;
	cmd->next = NULL;
	*conn->out_end = cmd;
	conn->out_end = &cmd->next;
	loop_dirty(conn->loop, conn);
}

/* The header digest behind a header of @hlen bytes. Return: bytes of both. */
static uint16_t seal(const struct tcp_conn *conn, uint8_t *head, uint16_t hlen)
{
	uint32_t digest;

	if (!conn->hdgst)
		return hlen;
	digest = crc32c(0, head, hlen);
	memcpy(head + hlen, &digest, sizeof(digest));
	return (uint16_t)(hlen + sizeof(digest));
}

static uint32_t digest_bytes(bool on)
{
	return on ? NVME_TCP_DIGEST_BYTES : 0;
}

void tcp_tx_icresp(struct tcp_conn *conn, uint8_t dgst)
{
	struct tcp_cmd *cmd = &conn->control;
	struct nvme_tcp_icresp resp = {
		.ch = { .type = NVME_TCP_ICRESP, .hlen = sizeof(resp), .plen = sizeof(resp) },
		.dgst = dgst,
		.maxh2cdata = TCP_MAXH2CDATA,
	};

	memcpy(cmd->head, &resp, sizeof(resp));
	cmd->head_bytes = sizeof(resp);
	enqueue(cmd);
}

void tcp_tx_terminate(struct tcp_conn *conn, const struct tcp_error *error, const void *head,
		      size_t len)
{
	struct tcp_cmd *cmd = &conn->control;
	struct nvme_tcp_term_req req = {
		.ch = { .type = NVME_TCP_C2H_TERM_REQ, .hlen = sizeof(req) },
		.fes = error->fes,
	};

	conn->rx_state = TCP_RX_IGNORE;
	conn->terminating = true;
	conn->expires_ns = clock_now_ns() + TERMINATE_NS;
	/* a peer that does not even read ICResp gets no second answer */
	if (cmd->state == TCP_CMD_SENDING)
		return;
	if (len > NVME_TCP_TERM_REQ_DATA_MAX)
		len = NVME_TCP_TERM_REQ_DATA_MAX;
	req.ch.plen = (uint32_t)(sizeof(req) + len);
	memcpy(req.fei, &error->fei, sizeof(req.fei));
	memcpy(cmd->head, &req, sizeof(req));
	memcpy(cmd->head + sizeof(req), head, len);
	cmd->head_bytes = (uint16_t)(sizeof(req) + len);
	enqueue(cmd);
}

void tcp_tx_r2t(struct tcp_cmd *cmd)
{
	const struct tcp_conn *conn = cmd->conn;
	struct nvme_tcp_r2t r2t = {
		.ch = { .type = NVME_TCP_R2T,
			.flags = conn->hdgst ? NVME_TCP_FLAG_HDGST : 0,
			.hlen = sizeof(r2t),
			.plen = (uint32_t)sizeof(r2t) + digest_bytes(conn->hdgst) },
		.cccid = cmd->ext.sqe.cid,
		.ttag = cmd->tag,
		.r2to = cmd->got,
		.r2tl = cmd->len - cmd->got,
	};

	memcpy(cmd->head, &r2t, sizeof(r2t));
	cmd->head_bytes = seal(conn, cmd->head, sizeof(r2t));
	cmd->r2t = true;
	enqueue(cmd);
}

/* A response capsule at @at. Return: its bytes. */
static uint16_t put_response(const struct tcp_cmd *cmd, uint8_t *at)
{
	const struct tcp_conn *conn = cmd->conn;
	struct nvme_tcp_capsule_resp resp = {
		.ch = { .type = NVME_TCP_CAPSULE_RESP,
			.flags = conn->hdgst ? NVME_TCP_FLAG_HDGST : 0,
			.hlen = sizeof(resp),
			.plen = (uint32_t)sizeof(resp) + digest_bytes(conn->hdgst) },
		.cqe = cmd->ext.cqe,
	};

	memcpy(at, &resp, sizeof(resp));
	return seal(conn, at, sizeof(resp));
}

/* C2HData of all the data, in one PDU. */
static void put_data_header(struct tcp_cmd *cmd, bool success)
{
	const struct tcp_conn *conn = cmd->conn;
	uint32_t align = (conn->hpda + 1u) * 4;
	uint32_t head = (uint32_t)sizeof(struct nvme_tcp_data) + digest_bytes(conn->hdgst);
	uint32_t pdo = (head + align - 1) / align * align;
	struct nvme_tcp_data pdu = {
		.ch = { .type = NVME_TCP_C2H_DATA,
			.flags = (uint8_t)(NVME_TCP_FLAG_LAST |
					   (success ? NVME_TCP_FLAG_SUCCESS : 0) |
					   (conn->hdgst ? NVME_TCP_FLAG_HDGST : 0) |
					   (conn->ddgst ? NVME_TCP_FLAG_DDGST : 0)),
			.hlen = sizeof(pdu),
			.pdo = (uint8_t)pdo,
			.plen = pdo + cmd->data_bytes + digest_bytes(conn->ddgst) },
		.cccid = cmd->ext.sqe.cid,
		.datal = cmd->data_bytes,
	};

	memset(cmd->head, 0, pdo);
	memcpy(cmd->head, &pdu, sizeof(pdu));
	seal(conn, cmd->head, sizeof(pdu));
	cmd->head_bytes = (uint16_t)pdo;
}

/* SUCCESS says what the response would say, and no more than that. */
static bool response_is_plain(const struct tcp_cmd *cmd)
{
	const struct nvme_cqe *cqe = &cmd->ext.cqe;

	return cmd->conn->no_sqflow && cmd->ext.copies <= 1 && !cqe->status && !cqe->cdw0 &&
	       !cqe->cdw1 && cqe->cid == cmd->ext.sqe.cid;
}

void tcp_tx_response(struct tcp_cmd *cmd)
{
	const struct tcp_conn *conn = cmd->conn;
	bool success = cmd->data_bytes && response_is_plain(cmd);
	uint16_t tail = 0;

	cmd->r2t = false;
	if (!cmd->data_bytes) {
		cmd->head_bytes = put_response(cmd, cmd->head);
	} else {
		put_data_header(cmd, success);
		if (conn->ddgst) {
			uint32_t digest = crc32c(0, cmd->buf, cmd->data_bytes);

			memcpy(cmd->tail, &digest, sizeof(digest));
			tail = sizeof(digest);
		}
		if (!success)
			tail += put_response(cmd, cmd->tail + tail);
	}
	/* a fault: the same once more */
	if (cmd->ext.copies > 1)
		tail += put_response(cmd, cmd->tail + tail);
	cmd->tail_bytes = tail;
	enqueue(cmd);
}

static size_t bytes_of(const struct tcp_cmd *cmd)
{
	return (size_t)cmd->head_bytes + cmd->data_bytes + cmd->tail_bytes;
}

static int add_pieces(struct tcp_cmd *cmd, struct iovec *iov)
{
	int n = 0;

	iov[n++] = (struct iovec){ cmd->head, cmd->head_bytes };
	if (cmd->data_bytes)
		iov[n++] = (struct iovec){ cmd->buf, cmd->data_bytes };
	if (cmd->tail_bytes)
		iov[n++] = (struct iovec){ cmd->tail, cmd->tail_bytes };
	return n;
}

/* Leave out what was sent of the first ones. Return: where the rest begins. */
static int skip(struct iovec *iov, size_t done)
{
	int i = 0;

	while (done >= iov[i].iov_len)
		done -= iov[i++].iov_len;
	iov[i].iov_base = (char *)iov[i].iov_base + done;
	iov[i].iov_len -= done;
	return i;
}

/* The oldest one is sent. False: the connection ends with it. */
static bool sent(struct tcp_conn *conn)
{
	struct tcp_cmd *cmd = conn->out;

	conn->out = cmd->next;
	if (!conn->out)
		conn->out_end = &conn->out;
	if (cmd->close)
		return false;
	if (cmd == &conn->control) {
		cmd->state = TCP_CMD_FREE;
		if (conn->terminating)
			shutdown(conn->fd, SHUT_WR);
	} else if (cmd->r2t) {
		cmd->state = TCP_CMD_DATA;
	} else {
		tcp_cmd_put(cmd);
	}
	return true;
}

static bool sent_bytes(struct tcp_conn *conn, size_t n)
{
	conn->out_done += n;
	while (conn->out && conn->out_done >= bytes_of(conn->out)) {
		conn->out_done -= bytes_of(conn->out);
		if (!sent(conn))
			return false;
	}
	return true;
}

bool tcp_tx_flush(struct tcp_conn *conn)
{
	struct iovec iov[BATCH * PIECES];

	while (conn->out) {
		struct msghdr msg = { 0 };
		ssize_t n;
		int pieces = 0, from, cmds = 0;

		for (struct tcp_cmd *cmd = conn->out; cmd && cmds < BATCH; cmd = cmd->next, cmds++)
			pieces += add_pieces(cmd, &iov[pieces]);
		from = skip(iov, conn->out_done);
		msg.msg_iov = iov + from;
		msg.msg_iovlen = (size_t)(pieces - from);
		n = sendmsg(conn->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			if (!conn->blocked)
				loop_watch(conn->loop, conn, true);
			conn->blocked = true;
			return true;
		}
		if (n < 0 || !sent_bytes(conn, (size_t)n))
			return false;
	}
	if (conn->blocked)
		loop_watch(conn->loop, conn, false);
	conn->blocked = false;
	return true;
}
