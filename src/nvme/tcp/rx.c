/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rx.c - what has come in, PDU by PDU. Every field is the word of a peer that may lie.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/likely.h"
#include "base/log.h"
#include "nvme/ctrl.h"
#include "nvme/tcp/queue.h"

/* --- commands that end --- */

static void report_sqhd(struct nvme_qpair *q, const struct nvme_cqe *cqe, uint64_t now_ns)
{
	struct nvme_event ev = { .type = NVME_EVENT_BAD_SQHD,
				 .sqid = q->sqid,
				 .cid = cqe->cid,
				 .cqe = *cqe,
				 .time_ns = now_ns };

	nvme_event_push(q->ctrl, &ev);
}

/* A success that is none. */
static uint16_t __attribute__((noinline))
judge(const struct nvme_tcp_queue *t, const struct nvme_req *req, const struct nvme_tcp_cmd *cmd)
{
	if (cmd->flags & NVME_TCP_CMD_BAD)
		return NVME_SC_TRANSIENT_TRANSPORT_ERROR;
	log_warn("%s: qpair %u, cid %u: a success with %u of %u bytes of data", t->q->ctrl->addr,
		 t->q->sqid, req->cid, cmd->moved, cmd->bytes);
	return NVME_SC_DATA_TRANSFER_ERROR;
}

static void finish(struct nvme_tcp_queue *t, struct nvme_req *req, struct nvme_cqe cqe,
		   uint64_t now_ns)
{
	const struct nvme_tcp_cmd *cmd = &t->cmd[req->cid];
	bool short_of = cmd->moved < cmd->bytes && cmd->flags & NVME_TCP_CMD_EXACT &&
			cmd->flags & NVME_TCP_CMD_C2H;

	/* Neither SQID nor phase means anything here. */
	cqe.sqid = t->q->sqid;
	cqe.status &= (uint16_t)~NVME_STATUS_P_MASK;
	if (unlikely(cmd->flags & NVME_TCP_CMD_BAD || (short_of && !cqe.status)))
		cqe.status = (uint16_t)(judge(t, req, cmd) << 1);
	if (t->flow_control && unlikely(cqe.sqhd >= t->q->sq_depth))
		report_sqhd(t->q, &cqe, now_ns);
	else if (t->flow_control)
		t->q->sq_head = cqe.sqhd;
	req->cqe = cqe;
	nvme_req_complete(t->q, req, now_ns);
}

static struct nvme_req *outstanding(const struct nvme_tcp_queue *t, uint16_t cid)
{
	return likely(cid < t->q->ntrackers) ? t->q->trackers[cid].req : NULL;
}

/* --- headers --- */

static void refuse_header(struct nvme_tcp_queue *t, size_t fei, const void *pdu, const char *what)
{
	nvme_tcp_refuse(t, NVME_TCP_FES_INVALID_HEADER, (uint32_t)fei, pdu,
			sizeof(struct nvme_tcp_data), what);
}

#define AT(type, member) offsetof(struct nvme_tcp_##type, member)

/* Return: completions, 0 or 1. */
static unsigned int on_response(struct nvme_tcp_queue *t, const struct nvme_tcp_capsule_resp *pdu,
				uint64_t now_ns)
{
	struct nvme_req *req = outstanding(t, pdu->cqe.cid);

	if (unlikely(!req)) {
		refuse_header(t, AT(capsule_resp, cqe.cid), pdu,
			      "a completion of a command that is not outstanding");
		return 0;
	}
	if (unlikely(t->cmd[req->cid].out_end > t->tx.sent)) {
		nvme_tcp_refuse(t, NVME_TCP_FES_PDU_SEQUENCE, 0, pdu, sizeof(*pdu),
				"a completion of a command that is not sent yet");
		return 0;
	}
	finish(t, req, pdu->cqe, now_ns);
	return 1;
}

static void on_r2t(struct nvme_tcp_queue *t, const struct nvme_tcp_r2t *pdu)
{
	struct nvme_req *req = outstanding(t, pdu->cccid);
	struct nvme_tcp_cmd *cmd;

	if (!req || !(t->cmd[pdu->cccid].flags & NVME_TCP_CMD_H2C)) {
		refuse_header(t, AT(r2t, cccid), pdu, "an R2T for a command that has no data");
		return;
	}
	cmd = &t->cmd[pdu->cccid];
	if (cmd->flags & NVME_TCP_CMD_GRANTED)
		nvme_tcp_refuse(t, NVME_TCP_FES_LIMIT, 0, pdu, sizeof(*pdu),
				"more R2Ts for a command than MAXR2T allows");
	else if (!pdu->r2tl)
		refuse_header(t, AT(r2t, r2tl), pdu, "an R2T for no data");
	else if (pdu->r2to > cmd->bytes || pdu->r2tl > cmd->bytes - pdu->r2to)
		nvme_tcp_refuse(t, NVME_TCP_FES_DATA_OUT_OF_RANGE, 0, pdu, sizeof(*pdu),
				"an R2T for data beyond the end of the buffer");
	else if (pdu->r2to != cmd->moved)
		refuse_header(t, AT(r2t, r2to), pdu, "an R2T for data that is not next in order");
	else {
		cmd->moved += pdu->r2tl;
		cmd->r2t_at = pdu->r2to;
		cmd->r2t_left = pdu->r2tl;
		cmd->ttag = pdu->ttag;
		nvme_tcp_grant(t, pdu->cccid);
	}
}

/* Whether the data that follows is for somebody. */
static bool on_data(struct nvme_tcp_queue *t, const struct nvme_tcp_data *pdu)
{
	struct nvme_req *req = outstanding(t, pdu->cccid);
	struct nvme_tcp_cmd *cmd;

	if (unlikely(!req || !(t->cmd[pdu->cccid].flags & NVME_TCP_CMD_C2H))) {
		refuse_header(t, AT(data, cccid), pdu, "data of a command that asked for none");
		return false;
	}
	cmd = &t->cmd[pdu->cccid];
	if (unlikely(pdu->datao > cmd->bytes || pdu->datal > cmd->bytes - pdu->datao)) {
		nvme_tcp_refuse(t, NVME_TCP_FES_DATA_OUT_OF_RANGE, 0, pdu, sizeof(*pdu),
				"data beyond the end of the buffer");
		return false;
	}
	if (unlikely(pdu->datao != cmd->moved)) {
		refuse_header(t, AT(data, datao), pdu, "data that is not next in order");
		return false;
	}
	if (unlikely(pdu->ch.flags & NVME_TCP_FLAG_SUCCESS &&
		     (!(pdu->ch.flags & NVME_TCP_FLAG_LAST) || cmd->out_end > t->tx.sent))) {
		refuse_header(t, AT(ch, flags), pdu, "a success before the last data");
		return false;
	}
	t->rx.hdr = *pdu;
	t->rx.to = cmd->data + pdu->datao;
	t->rx.left = pdu->datal;
	t->rx.pad = pdu->ch.pdo - (uint32_t)(sizeof(*pdu) + t->head_digest);
	t->rx.crc = 0;
	t->rx.state = t->rx.pad ? NVME_TCP_RX_PAD : NVME_TCP_RX_DATA;
	return true;
}

/* Bytes of the header that a PDU of this type has; 0: no controller sends it now. */
static uint32_t header_bytes(uint8_t type)
{
	switch (type) {
	case NVME_TCP_CAPSULE_RESP:
		return sizeof(struct nvme_tcp_capsule_resp);
	case NVME_TCP_C2H_DATA:
		return sizeof(struct nvme_tcp_data);
	case NVME_TCP_R2T:
		return sizeof(struct nvme_tcp_r2t);
	case NVME_TCP_C2H_TERM_REQ:
		return sizeof(struct nvme_tcp_term_req);
	}
	return 0;
}

static bool refuse_type(struct nvme_tcp_queue *t, const struct nvme_tcp_ch *ch)
{
	if (ch->type == NVME_TCP_ICRESP)
		nvme_tcp_refuse(t, NVME_TCP_FES_PDU_SEQUENCE, 0, ch, sizeof(*ch),
				"a second ICResp");
	else
		nvme_tcp_refuse(t, NVME_TCP_FES_INVALID_HEADER, AT(ch, type), ch, sizeof(*ch),
				"a PDU of a type that no controller sends");
	return false;
}

static bool refuse_field(struct nvme_tcp_queue *t, const struct nvme_tcp_ch *ch, size_t fei,
			 const char *what)
{
	nvme_tcp_refuse(t, NVME_TCP_FES_INVALID_HEADER, (uint32_t)fei, ch, sizeof(*ch), what);
	return false;
}

/* The common header is all there is so far. A termination request has no digests. */
static bool check_common(struct nvme_tcp_queue *t, const struct nvme_tcp_ch *ch)
{
	uint32_t hlen = header_bytes(ch->type), digest = t->head_digest;
	uint8_t flags = digest ? NVME_TCP_FLAG_HDGST : 0;

	if (unlikely(!hlen))
		return refuse_type(t, ch);
	if (unlikely(ch->hlen != hlen))
		return refuse_field(t, ch, AT(ch, hlen), "a header of a wrong length (HLEN)");
	if (ch->type == NVME_TCP_C2H_TERM_REQ) {
		if (ch->plen < hlen || ch->plen > hlen + NVME_TCP_TERM_REQ_DATA_MAX)
			return refuse_field(t, ch, AT(ch, plen), "a PDU of a wrong length (PLEN)");
		return true;
	}
	if (ch->type == NVME_TCP_C2H_DATA) {
		flags |= t->data_digest ? NVME_TCP_FLAG_DDGST : 0;
		if (unlikely(ch->pdo < hlen + digest || ch->pdo % 4))
			return refuse_field(t, ch, AT(ch, pdo), "data at a wrong offset (PDO)");
	} else if (unlikely(ch->plen != hlen + digest)) {
		return refuse_field(t, ch, AT(ch, plen), "a PDU of a wrong length (PLEN)");
	}
	if (unlikely((ch->flags & (NVME_TCP_FLAG_HDGST | NVME_TCP_FLAG_DDGST)) != flags))
		return refuse_field(t, ch, AT(ch, flags),
				    "digests that were not agreed on (FLAGS)");
	return true;
}

/* A header is complete. Return: completions, 0 or 1. */
static unsigned int on_header(struct nvme_tcp_queue *t, const uint8_t *at, uint64_t now_ns)
{
	/* In the buffer it lies where it fell. */
	union {
		struct nvme_tcp_ch ch;
		struct nvme_tcp_capsule_resp resp;
		struct nvme_tcp_r2t r2t;
		struct nvme_tcp_data data;
	} pdu;
	uint32_t crc;

	memcpy(&pdu, at, sizeof(pdu));
	if (unlikely(t->head_digest)) {
		memcpy(&crc, at + sizeof(pdu), sizeof(crc));
		if (crc != crc32c(0, at, sizeof(pdu))) {
			nvme_tcp_refuse(t, NVME_TCP_FES_HEADER_DIGEST, crc, &pdu, sizeof(pdu),
					"a header whose digest does not match");
			return 0;
		}
	}
	switch (pdu.ch.type) {
	case NVME_TCP_CAPSULE_RESP:
		return on_response(t, &pdu.resp, now_ns);
	case NVME_TCP_R2T:
		on_r2t(t, &pdu.r2t);
		return 0;
	}
	if (likely(pdu.ch.plen == pdu.ch.pdo + (uint64_t)pdu.data.datal + t->data_digest))
		on_data(t, &pdu.data);
	else
		refuse_field(t, &pdu.ch, AT(ch, plen), "a PDU of a wrong length (PLEN)");
	return 0;
}

/* --- data --- */

/*
 * Without a response nobody tells the host how far the queue was read, so SUCCESS is allowed only
 * where the host gave that up (TCP transport 1.1, C2HData). SPDK's target sets it all the same, and
 * nothing is lost by it: a command in flight holds its entry until it is done.
 */
static void __attribute__((noinline)) tell_success(struct nvme_tcp_queue *t)
{
	t->told_success = true;
	log_warn("%s: qpair %u: the target leaves out responses (SUCCESS in C2HData) although it "
		 "keeps SQ flow control",
		 t->q->ctrl->addr, t->q->sqid);
}

/* All data of a PDU is there, and checked. Return: completions, 0 or 1. */
static unsigned int data_done(struct nvme_tcp_queue *t, uint64_t now_ns)
{
	const struct nvme_tcp_data *hdr = &t->rx.hdr;
	struct nvme_tcp_cmd *cmd = &t->cmd[hdr->cccid];

	t->rx.state = NVME_TCP_RX_HEADER;
	cmd->moved += hdr->datal;
	if (!(hdr->ch.flags & NVME_TCP_FLAG_SUCCESS))
		return 0;
	if (unlikely(t->flow_control && !t->told_success))
		tell_success(t);
	finish(t, t->q->trackers[hdr->cccid].req,
	       (struct nvme_cqe){ .cid = hdr->cccid, .sqhd = t->q->sq_head }, now_ns);
	return 1;
}

static void check_digest(struct nvme_tcp_queue *t, const uint8_t *at)
{
	struct nvme_tcp_cmd *cmd = &t->cmd[t->rx.hdr.cccid];
	uint32_t crc;

	memcpy(&crc, at, sizeof(crc));
	if (crc == t->rx.crc)
		return;
	cmd->flags |= NVME_TCP_CMD_BAD;
	log_warn("%s: qpair %u, cid %u: a data digest does not match", t->q->ctrl->addr, t->q->sqid,
		 t->rx.hdr.cccid);
}

static uint32_t lesser(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

void nvme_tcp_data_came(struct nvme_tcp_rx *rx, uint32_t len, bool digest)
{
	if (digest)
		rx->crc = crc32c(rx->crc, rx->to, len);
	rx->to += len;
	rx->left -= len;
}

/* Bytes of the header that begins at @at with its digest, 0: not all of it is there, or lost. */
static uint32_t header_there(struct nvme_tcp_queue *t, const uint8_t *at, uint32_t avail)
{
	struct nvme_tcp_ch ch;
	uint32_t n;

	if (avail < sizeof(ch))
		return 0;
	memcpy(&ch, at, sizeof(ch));
	if (unlikely(!check_common(t, &ch)))
		return 0;
	n = ch.type == NVME_TCP_C2H_TERM_REQ ? ch.plen : (uint32_t)ch.hlen + t->head_digest;
	return avail < n ? 0 : n;
}

unsigned int nvme_tcp_parse(struct nvme_tcp_queue *t, unsigned int max, uint64_t now_ns)
{
	struct nvme_tcp_rx *rx = &t->rx;
	unsigned int done = 0;

	while (done < max && !t->lost) {
		const uint8_t *at = rx->buf + rx->head;
		uint32_t avail = rx->tail - rx->head, n;

		switch (rx->state) {
		case NVME_TCP_RX_HEADER:
			n = header_there(t, at, avail);
			if (!n)
				return done;
			rx->head += n;
			if (*at == NVME_TCP_C2H_TERM_REQ)
				nvme_tcp_terminated(t, at, n);
			else
				done += on_header(t, at, now_ns);
			break;
		case NVME_TCP_RX_PAD:
			n = lesser(rx->pad, avail);
			rx->head += n;
			rx->pad -= n;
			if (rx->pad)
				return done;
			rx->state = NVME_TCP_RX_DATA;
			break;
		case NVME_TCP_RX_DATA:
			n = lesser(rx->left, avail);
			memcpy(rx->to, at, n);
			rx->head += n;
			nvme_tcp_data_came(rx, n, t->data_digest);
			if (rx->left)
				return done;
			if (t->data_digest)
				rx->state = NVME_TCP_RX_DIGEST;
			else
				done += data_done(t, now_ns);
			break;
		case NVME_TCP_RX_DIGEST:
			if (avail < NVME_TCP_DIGEST_BYTES)
				return done;
			rx->head += NVME_TCP_DIGEST_BYTES;
			check_digest(t, at);
			done += data_done(t, now_ns);
			break;
		}
	}
	return done;
}
