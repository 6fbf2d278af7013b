/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tcp_conn.h - one NVMe/TCP connection, which is one queue of one host (TCP transport 1.1).
 *
 * Bytes come in through tcp_rx.c, which makes commands of them (tcp_cmd.c); what goes out waits
 * in a list of commands (tcp_tx.c). A connection belongs to one loop and is touched by its thread
 * only; commands may be completed by others, into the loop's list.
 */
#ifndef PYNVME_TARGET_TCP_CONN_H
#define PYNVME_TARGET_TCP_CONN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/list.h"
#include "spec/tcp.h"
#include "ssd/ssd.h"
#include "target/tcp_pdu.h"

struct assoc;
struct sockaddr_storage;
struct loop;
struct subsys;
struct target;

/* Data a host may send per H2CData PDU. */
#define TCP_MAXH2CDATA	(256u << 10)
/* What one connection may hold in buffers; a command beyond it waits for others. */
#define TCP_BUFFERS_MAX (32u << 20)
/*
 * Of the target's memory a connection has from its beginning, or from Connect on, what it needs in
 * any case: its commands, each with the data of a capsule, and for one command after the other
 * buffers of up to TCP_RESERVE_MAX (or of MDTS, where that is less). Larger buffers, and more at
 * once, it borrows while there is memory.
 */
#define TCP_RESERVE_MAX (2u << 20)

enum tcp_cmd_state {
	TCP_CMD_FREE,
	TCP_CMD_WAITING, /* for a buffer */
	TCP_CMD_DATA,	 /* data is coming: in the capsule, or asked for by R2T */
	TCP_CMD_RUNNING, /* in the drive */
	TCP_CMD_SENDING, /* its response, or its R2T, is in the list of what goes out */
};

/**
 * struct tcp_cmd - a command of the host, by tag
 * @ext: the command as the drive sees it; .priv is this struct
 * @next: in the list of free ones, of those completed elsewhere, or of what goes out
 * @inside: the drive is executing it for the thread that will answer
 * @finished: it was, at once
 * @bad_digest: its data was not what was sent: 00/22 when all of it is here
 * @cut: a Controller Reset came before its data: 00/08 when all of it is here
 * @r2t: what is being sent is the R2T
 * @close: the connection ends with this response
 * @len: bytes that the host gives or takes, by its SGL
 * @offset: of in-capsule data
 * @got: bytes it gave so far
 * @room: bytes @buf has
 * @head, @data, @tail: what is sent, in this order
 */
struct tcp_cmd {
	struct ssd_cmd ext;
	struct tcp_conn *conn;
	struct tcp_cmd *next;
	uint8_t *buf;
	uint32_t room;
	uint32_t len;
	uint32_t offset;
	uint32_t got;
	uint16_t tag;
	uint8_t state;
	bool inside;
	bool finished;
	bool bad_digest;
	bool cut;
	bool r2t;
	bool close;
	uint16_t head_bytes;
	uint16_t tail_bytes;
	uint32_t data_bytes;
	struct iovec iov;
	_Alignas(8) uint8_t head
		[176]; /* a C2HData header padded to 128, ICResp, or TermReq with what follows */
	_Alignas(8) uint8_t tail[64]; /* data digest, response capsules */
};

enum tcp_rx_state {
	TCP_RX_HEAD,
	TCP_RX_PAD,    /* between header and data */
	TCP_RX_DATA,   /* of rx_cmd */
	TCP_RX_DIGEST, /* of that data */
	TCP_RX_IGNORE, /* the connection is about to be closed */
};

/**
 * struct tcp_conn
 * @sub: what it is connected to, once it is
 * @as: the host's association, NULL before Connect
 * @hot: it had work lately: try it before asking the kernel who has
 * @dirty: something waits to be sent
 * @blocked: the socket took no more
 * @expires_ns: when the peer must be further than it is: Connect, or closed after TermReq
 */
struct tcp_conn {
	int fd;
	uint8_t rx_state;
	bool hdgst;
	bool ddgst;
	bool no_sqflow;
	bool hot;
	bool dirty;
	bool blocked;
	bool gone;
	uint16_t qid;
	uint16_t sqsize; /* entries */
	uint16_t sqhd;
	struct tcp_cmd *free;
	struct tcp_cmd *out; /* to be sent, oldest first */
	struct tcp_cmd **out_end;
	struct tcp_cmd *wait; /* for a buffer, oldest first */
	struct tcp_cmd **wait_end;
	struct tcp_conn *next_dirty;
	size_t out_done; /* bytes of the oldest that are sent */
	struct assoc *as;
	struct subsys *sub;
	struct loop *loop;
	struct tcp_cmd *rx_cmd;
	uint32_t rx_left;
	uint32_t rx_pad;
	uint32_t rx_crc;
	uint32_t rx_digest;
	uint32_t rx_got; /* bytes of @rx_head, or of the digest */
	uint32_t rx_need;
	uint32_t reserve;  /* bytes for large buffers that are not borrowed */
	uint64_t buffered; /* bytes in buffers of commands */
	uint64_t large;	   /* those of them that are larger than the data of a capsule */
	uint64_t owned;	   /* of the target's memory, what is not borrowed */
	/* cold from here */
	struct list_node node;
	struct tcp_cmd *tags;
	struct tcp_cmd control; /* ICResp, TermReq */
	struct tcp_cmd first;	/* before Connect there is one command at a time */
	unsigned int ntags;
	unsigned int epoch;
	bool initialised; /* ICReq was answered */
	bool terminating;
	uint8_t hpda;
	uint64_t expires_ns;
	_Alignas(8) uint8_t rx_head[TCP_HEAD_MAX];
};

/* --- tcp_conn.c --- */

/* A connection of socket @fd, which it takes over; NULL without memory. */
struct tcp_conn *tcp_conn_open(struct loop *loop, int fd, uint64_t now_ns);
/* Everything about it goes, what the drive does for it too. */
void tcp_conn_close(struct tcp_conn *conn);
/*
 * Controller Reset: commands in the drive end without a completion, their tags are free; those that
 * wait for a buffer end with 00/08 now, and those that wait for data when it is here.
 */
void tcp_conn_forget(struct tcp_conn *conn);

/* The socket can be read, or written again; @now_ns is the time of it. */
bool tcp_conn_readable(struct tcp_conn *conn, uint64_t now_ns);
/* Our end of it, as text. */
struct tcp_local {
	char address[64];
	char port[8];
	bool ipv6;
};

/* An IPv4 address in IPv6's clothes is IPv4; a scope is left out. */
void tcp_local_of(struct tcp_local *local, const struct sockaddr_storage *at);
void tcp_conn_local(const struct tcp_conn *conn, struct tcp_local *local);
/* Once in a while: true: it has to be closed. */
bool tcp_conn_overdue(struct tcp_conn *conn, uint64_t now_ns);

/* --- tcp_memory.c --- */

/* What a connection has from its beginning to its end; false: the target has no memory left. */
bool tcp_memory_begin(struct tcp_conn *conn);
void tcp_memory_end(struct tcp_conn *conn);
/* Room for the commands of a queue of @entries, each up to @most bytes. 0 or -ENOMEM. */
int tcp_conn_tags(struct tcp_conn *conn, unsigned int entries, uint32_t most);

/* A free command, NULL: all are in use. */
struct tcp_cmd *tcp_cmd_get(struct tcp_conn *conn);
void tcp_cmd_put(struct tcp_cmd *cmd);
/* At least @bytes at cmd->buf; false: not now. */
bool tcp_cmd_room(struct tcp_cmd *cmd, uint32_t bytes);
/* Buffers that no command uses go back. */
void tcp_conn_trim(struct tcp_conn *conn);

/* --- tcp_rx.c --- */

/* Bytes from the peer. False: the connection is over. */
bool tcp_rx(struct tcp_conn *conn, const uint8_t *buf, size_t len, uint64_t now_ns);
/* Where the next bytes belong, when there are so many of them that it is worth it; else 0. */
size_t tcp_rx_direct(struct tcp_conn *conn, struct iovec *iov);
/* @len bytes are there now. */
bool tcp_rx_directly(struct tcp_conn *conn, size_t len, uint64_t now_ns);

/* --- tcp_cmd.c --- */

/* Bytes that a command of the subsystem moves at most. */
uint32_t tcp_cmd_most(const struct subsys *sub);

/* A capsule is there with @in_capsule bytes of data in cmd->buf: run it, or ask for its data. */
void tcp_cmd_start(struct tcp_cmd *cmd, uint32_t in_capsule, uint64_t now_ns);
/* A buffer was given back: whoever waits for one goes on. */
void tcp_cmd_retry(struct tcp_conn *conn, uint64_t now_ns);
/* Its data is complete: run it. */
void tcp_cmd_run(struct tcp_cmd *cmd, uint64_t now_ns);
/* It ended inside the target, with this NVME_SC_* (0: success). */
void tcp_cmd_end(struct tcp_cmd *cmd, uint16_t status);
/* ext.cqe is there: answer. */
void tcp_cmd_done(struct tcp_cmd *cmd);

/* --- tcp_tx.c --- */

void tcp_tx_icresp(struct tcp_conn *conn, uint8_t dgst);
/* The peer broke the rules: C2HTermReq with @head, the offending header; then close. */
void tcp_tx_terminate(struct tcp_conn *conn, const struct tcp_error *error, const void *head,
		      size_t len);
void tcp_tx_r2t(struct tcp_cmd *cmd);
/* Data (cmd->data_bytes of cmd->buf) and response. */
void tcp_tx_response(struct tcp_cmd *cmd);
/* Send what waits. False: the connection is over. */
bool tcp_tx_flush(struct tcp_conn *conn);

/* --- fabrics.c --- */

/* A fabrics command, with its data if it has any. */
void fabrics_run(struct tcp_cmd *cmd, uint64_t now_ns);

#endif
