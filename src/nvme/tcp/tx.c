/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tx.c - what goes out: command capsules and H2CData, one system call for as many as there are.
 *
 * Headers are gathered in one buffer, so that a batch of reads is one piece; data goes from where
 * it lies. Whatever a command has given to the stream is gone before the command may end: an
 * answer that comes earlier breaks the protocol, and a queue is drained only when it is closed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "base/err.h"
#include "base/likely.h"
#include "nvme/cmdlog/cmdlog.h"
#include "nvme/ctrl.h"
#include "nvme/tcp/length.h"
#include "nvme/tcp/queue.h"
#include "nvme/tcp/tx.h"
#include "spec/fabrics.h"

#define IOV_PER_CALL 1024u		    /* of the kernel */
#define CAPSULE_MAX  (72u + 4u + 124u + 4u) /* header, digest, padding, digest of the data */
#define DATA_PDU_MAX (24u + 4u + 124u + 4u)
#define PDUS_MAX     64u /* H2CData in the buffer */
#define PSDT_SGL     NVME_SET(NVME_SQE_PSDT_SGL_MPTR_BUF, SQE_PSDT)

int nvme_tcp_tx_alloc(struct nvme_tcp_tx *tx, unsigned int ncids)
{
	tx->cap = ncids * CAPSULE_MAX + PDUS_MAX * DATA_PDU_MAX;
	tx->iov_cap = 2 * (ncids + PDUS_MAX) + 5;
	tx->buf = malloc(tx->cap);
	tx->iov = calloc(tx->iov_cap, sizeof(*tx->iov));
	return tx->buf && tx->iov ? 0 : -ENOMEM;
}

void nvme_tcp_tx_free(struct nvme_tcp_tx *tx)
{
	free(tx->buf);
	free(tx->iov);
}

void nvme_tcp_tx_rewind(struct nvme_tcp_tx *tx)
{
	tx->used = 0;
	tx->first = 0;
	tx->niov = 0;
	tx->pdus = 0;
	tx->queued = 0;
	tx->sent = 0;
}

/* What is left in the buffer moves to its start. */
static void __attribute__((noinline)) compact(struct nvme_tcp_tx *tx)
{
	uint32_t used = 0, n = 0;

	for (uint32_t i = tx->first; i < tx->niov; i++, n++) {
		uint8_t *base = tx->iov[i].iov_base;
		size_t len = tx->iov[i].iov_len;

		if (base >= tx->buf && base < tx->buf + tx->cap) {
			memmove(tx->buf + used, base, len);
			base = tx->buf + used;
			used += (uint32_t)len;
		}
		tx->iov[n] = (struct iovec){ base, len };
	}
	tx->first = 0;
	tx->niov = n;
	tx->used = used;
}

/* @len bytes of the buffer, which follow what was taken last. */
static uint8_t *take(struct nvme_tcp_tx *tx, uint32_t len)
{
	struct iovec *last = tx->niov > tx->first ? &tx->iov[tx->niov - 1] : NULL;
	uint8_t *at = tx->buf + tx->used;

	if (last && (uint8_t *)last->iov_base + last->iov_len == at)
		last->iov_len += len;
	else
		tx->iov[tx->niov++] = (struct iovec){ at, len };
	tx->used += len;
	tx->queued += len;
	return at;
}

/* Each CID has one capsule in here at most, so there is room for all of them. */
static void make_room(struct nvme_tcp_tx *tx, uint32_t len)
{
	if (unlikely(tx->used + len > tx->cap || tx->niov + 4 > tx->iov_cap))
		compact(tx);
}

static void put_data(struct nvme_tcp_queue *t, const void *data, uint32_t len)
{
	struct nvme_tcp_tx *tx = &t->tx;
	uint32_t crc;

	tx->iov[tx->niov++] = (struct iovec){ (void *)(uintptr_t)data, len };
	tx->queued += len;
	if (!t->data_digest)
		return;
	crc = crc32c(0, data, len);
	memcpy(take(tx, sizeof(crc)), &crc, sizeof(crc));
}

/*
 * A header of @hlen bytes whose common part is still to be filled in, with @datal bytes of data
 * to follow. Return: where the header is.
 */
static uint8_t *put_header(struct nvme_tcp_queue *t, struct nvme_tcp_ch ch, const void *pdu,
			   uint32_t datal)
{
	uint32_t hlen = ch.hlen, room = hlen + t->head_digest, crc;
	uint8_t *at;

	ch.plen = room;
	if (t->head_digest)
		ch.flags |= NVME_TCP_FLAG_HDGST;
	if (datal) {
		room = (room + t->align - 1) / t->align * t->align;
		ch.pdo = (uint8_t)room;
		ch.plen = room + datal + t->data_digest;
		if (t->data_digest)
			ch.flags |= NVME_TCP_FLAG_DDGST;
	}
	at = take(&t->tx, room);
	memcpy(at, &ch, sizeof(ch));
	memcpy(at + sizeof(ch), (const uint8_t *)pdu + sizeof(ch), hlen - sizeof(ch));
	if (unlikely(t->head_digest)) {
		crc = crc32c(0, at, hlen);
		memcpy(at + hlen, &crc, sizeof(crc));
	}
	if (unlikely(room > hlen + t->head_digest))
		memset(at + hlen + t->head_digest, 0, room - hlen - t->head_digest);
	return at;
}

/* --- commands --- */

static void put_capsule(struct nvme_tcp_queue *t, struct nvme_req *req, struct nvme_tcp_cmd *cmd,
			uint32_t in_capsule)
{
	struct nvme_tcp_capsule_cmd pdu;
	struct nvme_qpair *q = t->q;

	make_room(&t->tx, CAPSULE_MAX);
	pdu.sqe = req->sqe;
	put_header(t,
		   (struct nvme_tcp_ch){ .type = NVME_TCP_CAPSULE_CMD,
					 .hlen = sizeof(struct nvme_tcp_capsule_cmd) },
		   &pdu, in_capsule);
	if (in_capsule)
		put_data(t, req->data, in_capsule);
	cmd->out_end = t->tx.queued;
	nvme_cmdlog_submit(q->log, req->cid, &req->sqe, req->submit_ns);
	q->sq_tail++;
}

static void set_sgl(struct nvme_sqe *sqe, uint32_t len, uint8_t id)
{
	sqe->flags = (uint8_t)((sqe->flags &
				~(unsigned int)(NVME_SQE_PSDT_MASK << NVME_SQE_PSDT_SHIFT)) |
			       PSDT_SGL);
	sqe->sgl1 = (struct nvme_sgl_desc){ .len = len, .type = id };
}

#define IN_CAPSULE NVME_SGL_ID(NVME_SGL_TYPE_DATA_BLOCK, NVME_SGL_SUBTYPE_OFFSET)
#define TRANSPORT  NVME_SGL_ID(NVME_SGL_TYPE_TRANSPORT_DATA_BLOCK, NVME_SGL_SUBTYPE_TRANSPORT)

static uint32_t capsule_room(const struct nvme_tcp_queue *t, const struct nvme_req *req)
{
	bool always = !t->q->sqid || req->sqe.opc == NVME_ADMIN_FABRICS;

	return always ? NVME_TCP_ADMIN_INCAPSULE_BYTES : t->capsule_data;
}

/* Any command but a read: 0, or why it cannot be sent. */
static void __attribute__((noinline)) submit_slow(struct nvme_tcp_queue *t, struct nvme_req *req)
{
	struct nvme_tcp_cmd *cmd = &t->cmd[req->cid];
	unsigned int dir = nvme_tcp_direction(req);
	int exact = 0;
	uint32_t len = nvme_tcp_length(t->q, req, &exact), in_capsule = 0;

	if (t->lost || t->fd < 0) {
		nvme_req_abort(t->q, req, NVME_SC_HOST_PATHING_ERROR, req->submit_ns);
		return;
	}
	if (req->flags & NVME_REQ_RAW_PTR || req->sqe.mptr || req->meta) {
		err_set(-EINVAL, "over NVMe/TCP a command has no addresses of its own");
		nvme_req_unmappable(t->q, req, -EINVAL);
		return;
	}
	if (!req->data || dir == NVME_DIR_NONE)
		len = 0;
	*cmd = (struct nvme_tcp_cmd){ .data = req->data, .bytes = len };
	if (len && dir & NVME_DIR_TO_CTRL && len <= capsule_room(t, req)) {
		in_capsule = len;
	} else if (len) {
		cmd->flags = dir & NVME_DIR_TO_CTRL ? NVME_TCP_CMD_H2C : NVME_TCP_CMD_C2H;
		if (exact)
			cmd->flags |= NVME_TCP_CMD_EXACT;
	}
	set_sgl(&req->sqe, len, in_capsule ? IN_CAPSULE : TRANSPORT);
	put_capsule(t, req, cmd, in_capsule);
}

void nvme_tcp_submit(struct nvme_qpair *q, struct nvme_req *req)
{
	struct nvme_tcp_queue *t = nvme_tcp_of(q);
	struct nvme_tcp_cmd *cmd = &t->cmd[req->cid];

	if (unlikely(req->sqe.opc != NVME_CMD_READ || !q->sqid || !req->ns || t->lost ||
		     t->fd < 0 || req->sqe.mptr || req->meta || !req->data ||
		     req->flags & NVME_REQ_RAW_PTR)) {
		submit_slow(t, req);
		return;
	}
	*cmd = (struct nvme_tcp_cmd){ .data = req->data,
				      .bytes = req->data_bytes,
				      .flags = NVME_TCP_CMD_C2H | NVME_TCP_CMD_EXACT };
	set_sgl(&req->sqe, req->data_bytes, TRANSPORT);
	put_capsule(t, req, cmd, 0);
}

/* --- data that was asked for --- */

void nvme_tcp_grant(struct nvme_tcp_queue *t, uint16_t cid)
{
	t->cmd[cid].flags |= NVME_TCP_CMD_GRANTED;
	t->cmd[cid].r2t_next = NVME_TCP_NO_CID;
	/* Not sent as long as its data is not put into the stream. */
	t->cmd[cid].out_end = UINT64_MAX;
	if (t->r2t_head == NVME_TCP_NO_CID)
		t->r2t_head = cid;
	else
		t->cmd[t->r2t_tail].r2t_next = cid;
	t->r2t_tail = cid;
	/* Has nvme_qpair_poll() ring. */
	t->q->sq_tail++;
}

static void put_h2c(struct nvme_tcp_queue *t, uint16_t cid)
{
	struct nvme_tcp_cmd *cmd = &t->cmd[cid];
	uint32_t len = cmd->r2t_left < t->maxh2cdata ? cmd->r2t_left : t->maxh2cdata;
	struct nvme_tcp_data pdu = {
		.cccid = cid, .ttag = cmd->ttag, .datao = cmd->r2t_at, .datal = len
	};
	struct nvme_tcp_ch ch = { .type = NVME_TCP_H2C_DATA, .hlen = sizeof(pdu) };

	make_room(&t->tx, DATA_PDU_MAX);
	if (len == cmd->r2t_left)
		ch.flags |= NVME_TCP_FLAG_LAST;
	put_header(t, ch, &pdu, len);
	put_data(t, cmd->data + cmd->r2t_at, len);
	cmd->r2t_at += len;
	cmd->r2t_left -= len;
	t->tx.pdus++;
	if (cmd->r2t_left)
		return;
	cmd->flags &= (uint16_t)~NVME_TCP_CMD_GRANTED;
	cmd->out_end = t->tx.queued;
	t->r2t_head = cmd->r2t_next;
}

/* --- sending --- */

static void advance(struct nvme_tcp_tx *tx, size_t n)
{
	tx->sent += n;
	while (n) {
		struct iovec *iov = &tx->iov[tx->first];

		if (n < iov->iov_len) {
			iov->iov_base = (uint8_t *)iov->iov_base + n;
			iov->iov_len -= n;
			return;
		}
		n -= iov->iov_len;
		tx->first++;
	}
	if (tx->first < tx->niov)
		return;
	tx->first = 0;
	tx->niov = 0;
	tx->used = 0;
	tx->pdus = 0;
}

/* Return: whether the connection took something. */
static bool send_some(struct nvme_tcp_queue *t)
{
	struct nvme_tcp_tx *tx = &t->tx;
	uint32_t niov = tx->niov - tx->first;
	struct msghdr msg = { .msg_iov = &tx->iov[tx->first],
			      .msg_iovlen = niov < IOV_PER_CALL ? niov : IOV_PER_CALL };
	ssize_t n;

	n = niov == 1 ? send(t->fd, msg.msg_iov->iov_base, msg.msg_iov->iov_len,
			     MSG_DONTWAIT | MSG_NOSIGNAL) :
			sendmsg(t->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	t->rx.quiet_ns = clock_now_ns() + NVME_TCP_QUIET_NS;
	if (n > 0) {
		advance(tx, (size_t)n);
		return true;
	}
	if (n < 0 && errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
		nvme_tcp_lose(t, "sending failed: %s", strerror(errno));
	return false;
}

void nvme_tcp_ring(struct nvme_qpair *q)
{
	struct nvme_tcp_queue *t = nvme_tcp_of(q);

	while (!t->lost && t->fd >= 0 && nvme_tcp_unsent(t)) {
		while (t->r2t_head != NVME_TCP_NO_CID && t->tx.pdus < PDUS_MAX)
			put_h2c(t, t->r2t_head);
		if (!send_some(t) && !t->lost)
			return; /* sq_rung stays behind: whoever polls next tries again */
	}
	q->sq_rung = q->sq_tail;
}
