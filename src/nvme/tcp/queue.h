/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * queue.h - one queue over one connection: what goes out, what comes in.
 */
#ifndef PYNVME_NVME_TCP_QUEUE_H
#define PYNVME_NVME_TCP_QUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/spin.h"
#include "nvme/qpair.h"
#include "spec/tcp.h"

#define NVME_TCP_NO_CID UINT16_MAX

/* nvme_tcp_cmd.flags */
#define NVME_TCP_CMD_H2C     0x01u /* data goes to the controller, by R2T */
#define NVME_TCP_CMD_C2H     0x02u
#define NVME_TCP_CMD_EXACT   0x04u /* a success moves all of it */
#define NVME_TCP_CMD_BAD     0x08u /* a data digest did not match */
#define NVME_TCP_CMD_GRANTED 0x10u /* an R2T is being answered */

/**
 * struct nvme_tcp_cmd - one a CID
 * @data, @bytes: of the transfer, as its SGL descriptor says
 * @moved: bytes received, or asked for by R2Ts
 * @out_end: position in the stream behind the last byte of it that was put there
 * @r2t_at, @r2t_left: what is left of an R2T
 * @r2t_next: the next CID with an R2T to answer
 */
struct nvme_tcp_cmd {
	uint8_t *data;
	uint32_t bytes;
	uint32_t moved;
	uint64_t out_end;
	uint32_t r2t_at;
	uint32_t r2t_left;
	uint16_t ttag;
	uint16_t r2t_next;
	uint16_t flags;
};

/**
 * struct nvme_tcp_tx - bytes on their way out, in order
 * @buf: headers and digests, filled from the start and started over when all of it is gone
 * @iov: pieces of @buf and of data where it lies, @first of @niov not sent yet
 * @queued, @sent: positions in the stream
 * @pdus: H2CData PDUs since @buf was empty
 */
struct nvme_tcp_tx {
	uint8_t *buf;
	struct iovec *iov;
	uint32_t used;
	uint32_t cap;
	uint32_t first;
	uint32_t niov;
	uint32_t iov_cap;
	uint32_t pdus;
	uint64_t queued;
	uint64_t sent;
};

enum nvme_tcp_rx_state {
	NVME_TCP_RX_HEADER,
	NVME_TCP_RX_PAD, /* between a header and its data */
	NVME_TCP_RX_DATA,
	NVME_TCP_RX_DIGEST, /* of the data */
};

/**
 * struct nvme_tcp_rx - bytes that have come in
 * @buf: [head, tail) is not looked at yet
 * @to, @left: where the data of the PDU under way goes, and how much is to come
 * @pad: bytes to be skipped before it
 * @hdr: of the PDU under way
 * @quiet_ns: nothing was there, or nothing can be there yet: not worth a look before that time
 * @spin: whether looking pays before nvme_tcp_wait() sleeps
 */
struct nvme_tcp_rx {
	uint8_t *buf;
	uint32_t head;
	uint32_t tail;
	uint8_t *to;
	uint32_t left;
	uint32_t pad;
	uint32_t crc;
	enum nvme_tcp_rx_state state;
	struct nvme_tcp_data hdr;
	uint64_t quiet_ns;
	struct spin spin;
};

/* From a command, or a look in vain, to the next look. */
#define NVME_TCP_QUIET_NS UINT64_C(2000)

/* Enough for the answers to 32 reads of 4 KiB, and once more. */
#define NVME_TCP_RX_BYTES 262144u

/**
 * struct nvme_tcp_queue - the transport's part of a qpair
 * @fd: -1: not connected
 * @lost: it was, and something ended it
 * @why: what that was
 * @opening: not a queue of the controller yet, whatever becomes of it
 * @head_digest, @data_digest: bytes of them, 0 or 4
 * @capsule_data: bytes of data in a command capsule at most, of commands that are no Fabrics ones
 * @maxh2cdata: bytes of data in a PDU at most
 * @align: of data in a PDU we send, in bytes
 * @flow_control: SQHD of completions is valid
 * @told_success: and the target was told off for leaving some out
 */
struct nvme_tcp_queue {
	int fd;
	bool lost;
	bool opening;
	bool flow_control;
	bool told_success;
	uint8_t head_digest;
	uint8_t data_digest;
	uint8_t align;
	uint16_t r2t_head; /* CIDs with an R2T to answer, in order of arrival */
	uint16_t r2t_tail;
	uint32_t capsule_data;
	uint32_t maxh2cdata;
	struct nvme_tcp_cmd *cmd;
	struct nvme_tcp_tx tx;
	struct nvme_tcp_rx rx;
	struct nvme_qpair *q;
	char why[400];
};

static inline struct nvme_tcp_queue *nvme_tcp_of(const struct nvme_qpair *q)
{
	return q->conn;
}

/* Memory, without a connection; -ENOMEM. */
int nvme_tcp_queue_alloc(struct nvme_qpair *q);
/* In whatever process: only one that opened it ends the connection for its peer, too. */
void nvme_tcp_queue_free(struct nvme_qpair *q);
/* Hang up and forget all that was under way. */
void nvme_tcp_queue_close(struct nvme_qpair *q);

/* --- hot, see struct nvme_transport_ops --- */

void nvme_tcp_submit(struct nvme_qpair *q, struct nvme_req *req);
void nvme_tcp_ring(struct nvme_qpair *q);
unsigned int nvme_tcp_poll(struct nvme_qpair *q, unsigned int max, uint64_t now_ns);

/**
 * nvme_tcp_parse() - look at what has come in
 * @max: completions at most
 * Return: completions.
 */
unsigned int nvme_tcp_parse(struct nvme_tcp_queue *t, unsigned int max, uint64_t now_ns);

/* @len bytes of data are where they belong. */
void nvme_tcp_data_came(struct nvme_tcp_rx *rx, uint32_t len, bool digest);

/* An R2T of @cid is to be answered; sent by the next nvme_tcp_ring(). */
void nvme_tcp_grant(struct nvme_tcp_queue *t, uint16_t cid);

/* Bytes to be sent are waiting. */
static inline bool nvme_tcp_unsent(const struct nvme_tcp_queue *t)
{
	return t->tx.sent != t->tx.queued || t->r2t_head != NVME_TCP_NO_CID;
}

/* Wait until something comes in or can go out, a few milliseconds at most. */
void nvme_tcp_wait(struct nvme_qpair *q);

/* --- the end of a connection --- */

/* Nothing comes over it any more, for the reason given; bars the controller until a reset. */
void nvme_tcp_lose(struct nvme_tcp_queue *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * nvme_tcp_refuse() - the peer broke the protocol: say so to it and to the user, and hang up
 * @fes: NVME_TCP_FES_*
 * @fei: offset of the field that is wrong, or the header digest received, where @fes wants one
 * @pdu, @len: its header, as far as it came
 * @what: in plain words
 */
void nvme_tcp_refuse(struct nvme_tcp_queue *t, enum nvme_tcp_fes fes, uint32_t fei, const void *pdu,
		     uint32_t len, const char *what);

/* A C2HTermReq of the peer: @len bytes at @pdu. */
void nvme_tcp_terminated(struct nvme_tcp_queue *t, const void *pdu, uint32_t len);

#endif
