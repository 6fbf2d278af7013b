/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The target's end of an NVMe/TCP connection: PDUs with right digests and lengths, bent ones, and
 * plain bytes, cut anywhere, on a connection that is in any state.
 *
 * First byte: bit 0 header digests, 1 data digests, 2 no handshake, 3 I/O queue. Then records, see
 * send_record().
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "input.h"
#include "spec/fabrics.h"
#include "spec/tcp.h"
#include "target/assoc.h"
#include "target/loop.h"
#include "target/server.h"
#include "target/target.h"
#include "target/tcp_conn.h"

#define NQN	 "nqn.fuzz"
#define DATA_MAX 16384u
#define RECORDS	 64

static struct target *target;

struct wire {
	struct loop *loop;
	struct tcp_conn *conn;
	int peer;
	bool hdgst;
	bool ddgst;
	uint8_t out[sizeof(struct nvme_tcp_icreq) + DATA_MAX + 16];
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	if (target_create(&target, 1, TARGET_MEMORY_DEFAULT) ||
	    target_add(target, "size=8M,latency=none,enable_s=0,mdts=128K", NQN))
		abort();
	return 0;
}

static void over(struct wire *w)
{
	tcp_conn_close(w->conn);
	w->conn = NULL;
}

/* What the target says goes nowhere; then the socket has room again. */
static void drain(struct wire *w)
{
	char sink[65536];

	while (recv(w->peer, sink, sizeof(sink), MSG_DONTWAIT) > 0)
		;
}

static void feed(struct wire *w, const uint8_t *buf, size_t len)
{
	bool ok;

	if (!w->conn)
		return;
	ok = tcp_rx(w->conn, buf, len, 1000);
	loop_leave(w->loop);
	w->conn->dirty = false;
	w->loop->dirty = NULL;
	for (int i = 0; i < 8 && ok && w->conn->out; i++) {
		ok = tcp_tx_flush(w->conn);
		drain(w);
		tcp_cmd_retry(w->conn, 1000);
		loop_leave(w->loop);
	}
	if (!ok)
		over(w);
}

/* A PDU as it should be: lengths and digests as agreed. */
static void send_pdu(struct wire *w, uint8_t type, uint8_t flags, const void *header, uint8_t hlen,
		     const void *data, uint32_t bytes)
{
	uint8_t *at = w->out + hlen;
	struct nvme_tcp_ch ch = { .type = type, .hlen = hlen };
	bool digests = type == NVME_TCP_CAPSULE_CMD || type == NVME_TCP_H2C_DATA;
	uint32_t digest;

	ch.flags = flags & NVME_TCP_FLAG_LAST;
	if (digests)
		ch.flags |= (uint8_t)((w->hdgst ? NVME_TCP_FLAG_HDGST : 0) |
				      (w->ddgst && bytes ? NVME_TCP_FLAG_DDGST : 0));
	ch.pdo = bytes ? (uint8_t)(hlen + (ch.flags & NVME_TCP_FLAG_HDGST ? 4 : 0)) : 0;
	ch.plen = hlen + bytes + (ch.flags & NVME_TCP_FLAG_HDGST ? 4u : 0) +
		  (ch.flags & NVME_TCP_FLAG_DDGST ? 4u : 0);
	memcpy(w->out, &ch, sizeof(ch));
	memcpy(w->out + sizeof(ch), header, hlen - sizeof(ch));
	if (ch.flags & NVME_TCP_FLAG_HDGST) {
		digest = crc32c(0, w->out, hlen);
		memcpy(at, &digest, sizeof(digest));
		at += sizeof(digest);
	}
	if (bytes)
		memcpy(at, data, bytes);
	at += bytes;
	if (ch.flags & NVME_TCP_FLAG_DDGST) {
		digest = crc32c(0, data, bytes);
		memcpy(at, &digest, sizeof(digest));
		at += sizeof(digest);
	}
	feed(w, w->out, (size_t)(at - w->out));
}

static void connect_admin(struct wire *w)
{
	struct nvme_connect_cmd c = { .opc = NVME_ADMIN_FABRICS,
				      .flags = 0x40,
				      .fctype = NVME_FCTYPE_CONNECT,
				      .sgl1 = { .len = 1024, .type = 0x01 },
				      .sqsize = 7 };
	struct nvme_connect_data d = { .cntlid = NVME_CNTLID_DYNAMIC,
				       .subnqn = NQN,
				       .hostnqn = "nqn.host" };
	struct nvme_property_cmd p = {
		.opc = NVME_ADMIN_FABRICS, .flags = 0x40, .ofst = NVME_REG_CC, .value = 0x460001
	};

	send_pdu(w, NVME_TCP_CAPSULE_CMD, 0, &c, 72, &d, sizeof(d));
	send_pdu(w, NVME_TCP_CAPSULE_CMD, 0, &p, 72, NULL, 0);
}

/* The connection is taken for an I/O queue of the same controller. */
static void become_io(struct wire *w)
{
	if (w->conn && w->conn->as && assoc_take_queue(w->conn->as, 1)) {
		assoc_release_queue(w->conn->as, 0);
		w->conn->qid = 1;
	}
}

static void handshake(struct wire *w, uint8_t how)
{
	struct nvme_tcp_icreq req = { .dgst = how & 3 };

	send_pdu(w, NVME_TCP_ICREQ, 0, &req.pfv, sizeof(req), NULL, 0);
	w->hdgst = how & 1;
	w->ddgst = how & 2;
	connect_admin(w);
	if (how & 8)
		become_io(w);
}

/*
 * One record: 0..: a capsule with its data; 1: H2CData; 2: bytes as they are; 3: any header.
 * Bit 7: cut into single bytes would be slow, so the next bytes come in two pieces.
 */
static void send_record(struct wire *w, struct input *in)
{
	static uint8_t data[DATA_MAX];
	uint8_t kind = input_u8(in), header[128];
	uint32_t bytes = input_u16(in) % DATA_MAX;

	switch (kind & 3) {
	case 0:
		input_bytes(in, header, sizeof(struct nvme_sqe));
		if (kind & 4)
			header[1] = 0x40;
		send_pdu(w, NVME_TCP_CAPSULE_CMD, 0, header, 72, data, kind & 8 ? bytes : 0);
		break;
	case 1:
		input_bytes(in, header, 16);
		send_pdu(w, NVME_TCP_H2C_DATA, kind, header, 24, data, bytes | 4);
		break;
	case 2:
		bytes = bytes % 256;
		input_bytes(in, data, bytes);
		feed(w, data, bytes / 2);
		feed(w, data + bytes / 2, bytes - bytes / 2);
		memset(data, 0, bytes);
		break;
	default:
		input_bytes(in, header, sizeof(header));
		feed(w, header, sizeof(header));
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct wire w = { 0 };
	struct loop loop;
	int fds[2];
	uint8_t how = input_u8(&in);

	if (loop_init(&loop, target) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds))
		abort();
	w.loop = &loop;
	w.peer = fds[1];
	w.conn = tcp_conn_open(&loop, fds[0], 0);
	if (!(how & 4))
		handshake(&w, how);
	for (int i = 0; i < RECORDS && in.left && w.conn; i++)
		send_record(&w, &in);
	if (w.conn)
		over(&w);
	close(w.peer);
	loop_fini(&loop);
	return 0;
}
