/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes to PDUs, however the network cuts them: header, padding, data, digest.
 */
#include <string.h>

#include "base/crc32c.h"
#include "base/log.h"
#include "target/loop.h"
#include "target/subsys.h"
#include "target/tcp_conn.h"

/* Data that is at least so long is received where it belongs. */
#define DIRECT_BYTES (16u << 10)

static struct tcp_rules rules_of(const struct tcp_conn *conn)
{
	return (struct tcp_rules){ .initialised = conn->initialised,
				   .hdgst = conn->hdgst,
				   .ddgst = conn->ddgst,
				   .in_capsule = TARGET_INCAPSULE_BYTES };
}

static bool offend(struct tcp_conn *conn, uint16_t fes, uint32_t fei, const void *head, size_t len)
{
	const struct tcp_error error = { fes, fei };

	tcp_tx_terminate(conn, &error, head, len);
	return true;
}

/* All data of the PDU at hand is there, digest checked. */
static void data_done(struct tcp_conn *conn, uint64_t now_ns)
{
	struct tcp_cmd *cmd = conn->rx_cmd;

	conn->rx_cmd = NULL;
	conn->rx_state = TCP_RX_HEAD;
	conn->rx_got = 0;
	if (!cmd->len)
		tcp_cmd_start(cmd, cmd->got, now_ns);
	else if (cmd->got == cmd->len)
		tcp_cmd_run(cmd, now_ns);
}

static void expect_data(struct tcp_conn *conn, struct tcp_cmd *cmd, uint32_t pad, uint32_t bytes)
{
	conn->rx_cmd = cmd;
	conn->rx_pad = pad;
	conn->rx_left = bytes;
	conn->rx_crc = 0;
	conn->rx_got = 0;
	conn->rx_state = pad ? TCP_RX_PAD : TCP_RX_DATA;
}

static bool icreq(struct tcp_conn *conn, const struct nvme_tcp_icreq *req)
{
	struct tcp_error error;

	if (!tcp_pdu_icreq_check(req, &error))
		return offend(conn, error.fes, error.fei, req, sizeof(*req));
	conn->initialised = true;
	conn->hpda = req->hpda;
	tcp_tx_icresp(conn, req->dgst);
	/* ICResp itself has no digests */
	conn->hdgst = req->dgst & NVME_TCP_DGST_HEADER;
	conn->ddgst = req->dgst & NVME_TCP_DGST_DATA;
	return true;
}

static bool capsule(struct tcp_conn *conn, const struct nvme_tcp_capsule_cmd *pdu, uint64_t now_ns)
{
	struct tcp_rules rules = rules_of(conn);
	struct tcp_cmd *cmd = tcp_cmd_get(conn);
	uint32_t pad = 0, bytes = tcp_pdu_data(&rules, &pdu->ch, &pad);

	/* what was answered has its tag back once it is sent */
	if (!cmd && tcp_tx_flush(conn))
		cmd = tcp_cmd_get(conn);
	if (!cmd)
		return offend(conn, NVME_TCP_FES_PDU_SEQUENCE, 0, pdu, sizeof(*pdu));
	cmd->ext.sqe = pdu->sqe;
	if (bytes && !tcp_cmd_room(cmd, bytes))
		return false;
	if (bytes)
		expect_data(conn, cmd, pad, bytes);
	else
		tcp_cmd_start(cmd, 0, now_ns);
	return true;
}

/* The command of a Transfer Tag, NULL: there is none; before Connect there is one. */
static struct tcp_cmd *tagged(struct tcp_conn *conn, uint16_t ttag)
{
	if (!conn->tags && ttag == conn->first.tag)
		return &conn->first;
	return ttag < conn->ntags ? &conn->tags[ttag] : NULL;
}

static bool h2c_data(struct tcp_conn *conn, const struct nvme_tcp_data *pdu)
{
	struct tcp_rules rules = rules_of(conn);
	uint32_t pad = 0, bytes = tcp_pdu_data(&rules, &pdu->ch, &pad);
	struct tcp_cmd *cmd = tagged(conn, pdu->ttag);
	bool last = pdu->ch.flags & NVME_TCP_FLAG_LAST;

	if (!cmd || cmd->state != TCP_CMD_DATA || !cmd->len)
		return offend(conn, NVME_TCP_FES_INVALID_HEADER,
			      offsetof(struct nvme_tcp_data, ttag), pdu, sizeof(*pdu));
	if (pdu->cccid != cmd->ext.sqe.cid)
		return offend(conn, NVME_TCP_FES_INVALID_HEADER,
			      offsetof(struct nvme_tcp_data, cccid), pdu, sizeof(*pdu));
	if (pdu->datal != bytes)
		return offend(conn, NVME_TCP_FES_INVALID_HEADER,
			      offsetof(struct nvme_tcp_data, datal), pdu, sizeof(*pdu));
	if (bytes > TCP_MAXH2CDATA)
		return offend(conn, NVME_TCP_FES_LIMIT, 0, pdu, sizeof(*pdu));
	if (pdu->datao != cmd->got || bytes > cmd->len - cmd->got)
		return offend(conn, NVME_TCP_FES_DATA_OUT_OF_RANGE, 0, pdu, sizeof(*pdu));
	if (last != (bytes == cmd->len - cmd->got))
		return offend(conn, NVME_TCP_FES_INVALID_HEADER,
			      offsetof(struct nvme_tcp_ch, flags), pdu, sizeof(*pdu));
	expect_data(conn, cmd, pad, bytes);
	return true;
}

/* A whole header, digest included. False: the connection is over. */
static bool header(struct tcp_conn *conn, const uint8_t *head, uint64_t now_ns)
{
	const struct nvme_tcp_ch *ch = (const void *)head;
	struct tcp_rules rules = rules_of(conn);

	conn->rx_got = 0;
	if (!tcp_pdu_digest_ok(&rules, ch)) {
		uint32_t sent;

		memcpy(&sent, head + ch->hlen, sizeof(sent));
		return offend(conn, NVME_TCP_FES_HEADER_DIGEST, sent, head, ch->hlen);
	}
	switch (ch->type) {
	case NVME_TCP_ICREQ:
		return icreq(conn, (const void *)head);
	case NVME_TCP_CAPSULE_CMD:
		return capsule(conn, (const void *)head, now_ns);
	case NVME_TCP_H2C_DATA:
		return h2c_data(conn, (const void *)head);
	default: /* H2CTermReq: the host gives up */
		log_info("target: a host ended its connection: FES %u",
			 ((const struct nvme_tcp_term_req *)head)->fes);
		return false;
	}
}

/* Gather @want bytes of header. Return: bytes used. */
static size_t gather(struct tcp_conn *conn, const uint8_t *buf, size_t len, uint32_t want)
{
	size_t n = len < want - conn->rx_got ? len : want - conn->rx_got;

	memcpy(conn->rx_head + conn->rx_got, buf, n);
	conn->rx_got += (uint32_t)n;
	return n;
}

/* Take of the header what is here. Return: bytes used, or -1: the connection is over. */
static ssize_t take_head(struct tcp_conn *conn, const uint8_t *buf, size_t len, uint64_t now_ns)
{
	const uint32_t first = sizeof(struct nvme_tcp_ch);
	struct tcp_rules rules = rules_of(conn);
	struct tcp_error error;
	size_t n = 0;

	if (conn->rx_got < first) {
		n = gather(conn, buf, len, first);
		if (conn->rx_got < first)
			return (ssize_t)n;
		if (!tcp_pdu_check(&rules, (const void *)conn->rx_head, &conn->rx_need, &error)) {
			tcp_tx_terminate(conn, &error, conn->rx_head, first);
			return (ssize_t)n;
		}
	}
	n += gather(conn, buf + n, len - n, conn->rx_need);
	if (conn->rx_got < conn->rx_need)
		return (ssize_t)n;
	return header(conn, conn->rx_head, now_ns) ? (ssize_t)n : -1;
}

static size_t take_pad(struct tcp_conn *conn, size_t len)
{
	size_t n = len < conn->rx_pad ? len : conn->rx_pad;

	conn->rx_pad -= (uint32_t)n;
	if (!conn->rx_pad)
		conn->rx_state = TCP_RX_DATA;
	return n;
}

/* @n bytes of data are at their place. */
static void took_data(struct tcp_conn *conn, size_t n, uint64_t now_ns)
{
	struct tcp_cmd *cmd = conn->rx_cmd;

	if (conn->ddgst)
		conn->rx_crc = crc32c(conn->rx_crc, cmd->buf + cmd->got, n);
	cmd->got += (uint32_t)n;
	conn->rx_left -= (uint32_t)n;
	if (conn->rx_left)
		return;
	if (conn->ddgst)
		conn->rx_state = TCP_RX_DIGEST;
	else
		data_done(conn, now_ns);
}

static size_t take_data(struct tcp_conn *conn, const uint8_t *buf, size_t len, uint64_t now_ns)
{
	struct tcp_cmd *cmd = conn->rx_cmd;
	size_t n = len < conn->rx_left ? len : conn->rx_left;

	memcpy(cmd->buf + cmd->got, buf, n);
	took_data(conn, n, now_ns);
	return n;
}

static size_t take_digest(struct tcp_conn *conn, const uint8_t *buf, size_t len, uint64_t now_ns)
{
	size_t left = NVME_TCP_DIGEST_BYTES - conn->rx_got, n = len < left ? len : left;

	memcpy((uint8_t *)&conn->rx_digest + conn->rx_got, buf, n);
	conn->rx_got += (uint32_t)n;
	if (conn->rx_got < NVME_TCP_DIGEST_BYTES)
		return n;
	if (conn->rx_digest != conn->rx_crc)
		conn->rx_cmd->bad_digest = true;
	data_done(conn, now_ns);
	return n;
}

bool tcp_rx(struct tcp_conn *conn, const uint8_t *buf, size_t len, uint64_t now_ns)
{
	while (len) {
		ssize_t n;

		switch (conn->rx_state) {
		case TCP_RX_HEAD:
			n = take_head(conn, buf, len, now_ns);
			break;
		case TCP_RX_PAD:
			n = (ssize_t)take_pad(conn, len);
			break;
		case TCP_RX_DATA:
			n = (ssize_t)take_data(conn, buf, len, now_ns);
			break;
		case TCP_RX_DIGEST:
			n = (ssize_t)take_digest(conn, buf, len, now_ns);
			break;
		default:
			return true;
		}
		if (n < 0)
			return false;
		buf += n;
		len -= (size_t)n;
	}
	return true;
}

size_t tcp_rx_direct(struct tcp_conn *conn, struct iovec *iov)
{
	if (conn->rx_state != TCP_RX_DATA || conn->rx_left < DIRECT_BYTES)
		return 0;
	*iov = (struct iovec){ conn->rx_cmd->buf + conn->rx_cmd->got, conn->rx_left };
	return conn->rx_left;
}

bool tcp_rx_directly(struct tcp_conn *conn, size_t len, uint64_t now_ns)
{
	took_data(conn, len, now_ns);
	return true;
}
