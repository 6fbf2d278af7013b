/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * link.c - a connection begins with ICReq and ends in one of many ways.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "nvme/tcp/fabric.h"
#include "nvme/tcp/tx.h"

/* --- memory --- */

int nvme_tcp_queue_alloc(struct nvme_qpair *q)
{
	struct nvme_tcp_queue *t = calloc(1, sizeof(*t));

	if (!t)
		return err_set(-ENOMEM, "no memory for a queue");
	q->conn = t;
	t->q = q;
	t->fd = -1;
	t->align = 1;
	t->r2t_head = NVME_TCP_NO_CID;
	t->cmd = calloc(q->ntrackers, sizeof(*t->cmd));
	t->rx.buf = malloc(NVME_TCP_RX_BYTES);
	if (!t->cmd || !t->rx.buf || nvme_tcp_tx_alloc(&t->tx, q->ntrackers))
		return err_set(-ENOMEM, "no memory for a queue of %u entries", q->sq_depth);
	return 0;
}

void nvme_tcp_queue_close(struct nvme_qpair *q)
{
	struct nvme_tcp_queue *t = nvme_tcp_of(q);

	if (!t)
		return;
	if (q->ctrl->pid == nvme_process)
		nvme_tcp_hang_up(t->fd);
	nvme_tcp_close(&t->fd);
	t->lost = false;
	t->told_success = false;
	t->r2t_head = NVME_TCP_NO_CID;
	t->rx.head = 0;
	t->rx.tail = 0;
	t->rx.state = NVME_TCP_RX_HEADER;
	nvme_tcp_tx_rewind(&t->tx);
}

void nvme_tcp_queue_free(struct nvme_qpair *q)
{
	struct nvme_tcp_queue *t = nvme_tcp_of(q);

	if (!t)
		return;
	nvme_tcp_queue_close(q);
	nvme_tcp_tx_free(&t->tx);
	free(t->rx.buf);
	free(t->cmd);
	free(t);
	q->conn = NULL;
}

/* --- the greeting --- */

/* Bytes of a peer that speaks something else, readable. */
static void show(char *text, size_t len, const uint8_t *bytes, size_t n)
{
	size_t at = 0;

	for (size_t i = 0; i < n && i < 24 && at + 5 < len; i++) {
		if (bytes[i] >= ' ' && bytes[i] < 0x7f)
			text[at++] = (char)bytes[i];
		else
			at += (size_t)snprintf(text + at, len - at, "\\x%02x", bytes[i]);
	}
	text[at] = '\0';
}

static int no_answer(int err, const uint8_t *bytes, size_t got, const struct nvme_tcp_patience *p)
{
	double ms = nvme_tcp_waited_ms(p);
	char text[128];

	show(text, sizeof(text), bytes, got);
	if (err == -EINTR)
		return err_set(err, "interrupted after %.0f ms, without an answer to ICReq", ms);
	if (err == -ETIMEDOUT && !got)
		return err_set(err,
			       "silent: it takes connections, but has not answered ICReq after "
			       "%.0f ms",
			       ms);
	if (err == -ETIMEDOUT)
		return err_set(-EPROTO,
			       "no NVMe/TCP controller: it answered ICReq with \"%s\" and no "
			       "more, for %.0f ms",
			       text, ms);
	if (!got)
		return err_set(-EPROTO,
			       "no NVMe/TCP controller, or one that refuses: it closed the "
			       "connection instead of answering ICReq, after %.1f ms",
			       ms);
	return err_set(-EPROTO,
		       "no NVMe/TCP controller: it answered ICReq with \"%s\" and closed the "
		       "connection, after %.1f ms",
		       text, ms);
}

static int check_icresp(const struct nvme_tcp_icresp *resp, uint8_t wanted,
			const struct nvme_tcp_patience *p)
{
	const struct nvme_tcp_ch *ch = &resp->ch;
	char text[128];

	if (ch->type != NVME_TCP_ICRESP || ch->hlen != sizeof(*resp) || ch->plen != sizeof(*resp)) {
		show(text, sizeof(text), (const uint8_t *)resp, sizeof(*resp));
		return err_set(-EPROTO,
			       "no NVMe/TCP controller: it answered ICReq with \"%s\", after "
			       "%.1f ms",
			       text, nvme_tcp_waited_ms(p));
	}
	if (resp->pfv)
		return err_set(-EPROTO, "it speaks PDU format %u, this host 0", resp->pfv);
	if (resp->cpda > NVME_TCP_PDA_MAX)
		return err_set(-EPROTO, "ICResp: CPDA is %u, at most 31", resp->cpda);
	if (resp->maxh2cdata < NVME_TCP_MAXH2CDATA_MIN || resp->maxh2cdata % 4)
		return err_set(-EPROTO,
			       "ICResp: MAXH2CDATA is %u, no multiple of 4 of at least 4096",
			       resp->maxh2cdata);
	if (resp->dgst == wanted)
		return 0;
	if (resp->dgst & ~wanted)
		return err_set(-EPROTO, "ICResp: digests that nobody asked for (%02x)", resp->dgst);
	return err_set(-EPROTO, "it has no %s digests: leave %s out",
		       wanted & ~resp->dgst & NVME_TCP_DGST_HEADER ? "header" : "data",
		       wanted & ~resp->dgst & NVME_TCP_DGST_HEADER ? "hdgst" : "ddgst");
}

int nvme_tcp_greet(struct nvme_tcp_queue *t, const struct nvme_tcp_address *target,
		   const struct nvme_tcp_patience *p)
{
	uint8_t wanted = (uint8_t)((target->hdgst ? NVME_TCP_DGST_HEADER : 0) |
				   (target->ddgst ? NVME_TCP_DGST_DATA : 0));
	struct nvme_tcp_icreq req = {
		.ch = { .type = NVME_TCP_ICREQ, .hlen = sizeof(req), .plen = sizeof(req) },
		.dgst = wanted,
	};
	struct nvme_tcp_icresp resp = { 0 };
	size_t got = 0;
	int err;

	err = nvme_tcp_write_all(t->fd, &req, sizeof(req), p);
	if (!err)
		err = nvme_tcp_read_all(t->fd, &resp, sizeof(resp.ch), p, &got);
	/* Whoever sends something else will not send all of it. */
	if (!err && resp.ch.type == NVME_TCP_ICRESP && resp.ch.plen == sizeof(resp)) {
		err = nvme_tcp_read_all(t->fd, (uint8_t *)&resp + got, sizeof(resp) - got, p, &got);
		got += sizeof(resp.ch);
	}
	if (err)
		return no_answer(err, (const uint8_t *)&resp, got, p);
	err = check_icresp(&resp, wanted, p);
	if (err)
		return err;
	t->head_digest = target->hdgst ? NVME_TCP_DIGEST_BYTES : 0;
	t->data_digest = target->ddgst ? NVME_TCP_DIGEST_BYTES : 0;
	t->align = resp.cpda ? (uint8_t)((resp.cpda + 1) * 4) : 1;
	t->maxh2cdata = resp.maxh2cdata;
	return 0;
}

/* --- the end --- */

static void note_loss(struct nvme_tcp_queue *t, const char *why)
{
	struct nvme_ctrl *ctrl = t->q->ctrl;
	struct nvme_tcp_fabric *fabric = nvme_tcp_fabric_of(ctrl);

	t->lost = true;
	snprintf(t->why, sizeof(t->why), "%s", why);
	/* Whoever opens it says what came of it. */
	if (t->opening)
		return;
	pthread_mutex_lock(&fabric->lock);
	if (!*fabric->lost)
		snprintf(fabric->lost, sizeof(fabric->lost), "queue %u: %s", t->q->sqid, why);
	pthread_mutex_unlock(&fabric->lock);
	log_warn("%s: connection lost: queue %u: %s", ctrl->addr, t->q->sqid, why);
	nvme_ctrl_fail(ctrl, -ENODEV, clock_now_ns());
}

void nvme_tcp_lose(struct nvme_tcp_queue *t, const char *fmt, ...)
{
	char why[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	note_loss(t, why);
	nvme_tcp_hang_up(t->fd);
}

void nvme_tcp_refuse(struct nvme_tcp_queue *t, enum nvme_tcp_fes fes, uint32_t fei, const void *pdu,
		     uint32_t len, const char *what)
{
	struct {
		struct nvme_tcp_term_req req;
		uint8_t data[NVME_TCP_TERM_REQ_DATA_MAX];
	} term = { .req = { .fes = (uint16_t)fes } };
	char why[256];

	if (len > sizeof(term.data))
		len = sizeof(term.data);
	term.req.ch = (struct nvme_tcp_ch){
		.type = NVME_TCP_H2C_TERM_REQ,
		.hlen = sizeof(term.req),
		.plen = (uint32_t)sizeof(term.req) + len,
	};
	memcpy(term.req.fei, &fei, sizeof(fei));
	memcpy(term.data, pdu, len);
	/* In the middle of another PDU it would be nothing but noise. */
	if (!nvme_tcp_tx_split(&t->tx))
		(void)send(t->fd, &term, sizeof(term.req) + len, MSG_DONTWAIT | MSG_NOSIGNAL);
	snprintf(why, sizeof(why), "the target sent %s; answered by H2CTermReq, FES %02xh", what,
		 fes);
	note_loss(t, why);
	/* The peer is to read that before it sees the end. */
	if (t->fd >= 0)
		(void)shutdown(t->fd, SHUT_WR);
}

static const char *fes_name(uint16_t fes)
{
	switch (fes) {
	case NVME_TCP_FES_INVALID_HEADER:
		return "invalid PDU header field";
	case NVME_TCP_FES_PDU_SEQUENCE:
		return "PDU sequence error";
	case NVME_TCP_FES_HEADER_DIGEST:
		return "header digest error";
	case NVME_TCP_FES_DATA_OUT_OF_RANGE:
		return "data transfer out of range";
	case NVME_TCP_FES_LIMIT:
		return "data transfer limit exceeded";
	case NVME_TCP_FES_UNSUPPORTED_PARAM:
		return "unsupported parameter";
	}
	return "unknown reason";
}

void nvme_tcp_terminated(struct nvme_tcp_queue *t, const void *pdu, uint32_t len)
{
	struct nvme_tcp_term_req req;
	uint32_t fei;

	memcpy(&req, pdu, len < sizeof(req) ? len : sizeof(req));
	memcpy(&fei, req.fei, sizeof(fei));
	nvme_tcp_lose(t, "terminated by the target: C2HTermReq, FES %02xh (%s), FEI %xh", req.fes,
		      fes_name(req.fes), fei);
}
