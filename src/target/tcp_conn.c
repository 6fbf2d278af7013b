/* SPDX-License-Identifier: BSD-3-Clause */
#include "target/tcp_conn.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "target/assoc.h"
#include "target/loop.h"
#include "target/subsys.h"

#define HANDSHAKE_NS (10ull * 1000000000ull) /* from accept() to Connect */
#define BUFFER_MIN   4096u

static void init_cmd(struct tcp_cmd *cmd, struct tcp_conn *conn, uint16_t tag)
{
	cmd->conn = conn;
	cmd->tag = tag;
	cmd->ext.priv = cmd;
}

struct tcp_conn *tcp_conn_open(struct loop *loop, int fd, uint64_t now_ns)
{
	struct tcp_conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		return NULL;
	conn->fd = fd;
	conn->loop = loop;
	conn->out_end = &conn->out;
	conn->wait_end = &conn->wait;
	conn->expires_ns = now_ns + HANDSHAKE_NS;
	init_cmd(&conn->control, conn, 0);
	init_cmd(&conn->first, conn, 0);
	conn->free = &conn->first;
	list_add_tail(&loop->conns, &conn->node);
	return conn;
}

static void leave_association(struct tcp_conn *conn)
{
	struct assoc *as = conn->as;

	if (!as)
		return;
	if (as->ctrl) {
		loop_leave(conn->loop);
		loop_enter(conn->loop, conn->sub, 0);
		ssd_exec_forget(as->ctrl, conn->qid);
		loop_leave(conn->loop);
	}
	assoc_release_queue(as, conn->qid);
	if (!conn->qid)
		assoc_end(as);
	assoc_put(as);
	conn->as = NULL;
}

void tcp_conn_close(struct tcp_conn *conn)
{
	leave_association(conn);
	loop_forget(conn->loop, conn);
	list_del(&conn->node);
	close(conn->fd);
	for (unsigned int i = 0; i < conn->ntags; i++)
		free(conn->tags[i].buf);
	free(conn->tags);
	free(conn->first.buf);
	free(conn);
}

int tcp_conn_tags(struct tcp_conn *conn, unsigned int entries)
{
	conn->tags = calloc(entries, sizeof(*conn->tags));
	if (!conn->tags)
		return -ENOMEM;
	conn->ntags = entries;
	for (unsigned int i = entries; i-- > 0;) {
		init_cmd(&conn->tags[i], conn, (uint16_t)i);
		conn->tags[i].next = conn->free;
		conn->free = &conn->tags[i];
	}
	return 0;
}

struct tcp_cmd *tcp_cmd_get(struct tcp_conn *conn)
{
	struct tcp_cmd *cmd = conn->free;

	if (!cmd)
		return NULL;
	conn->free = cmd->next;
	cmd->state = TCP_CMD_DATA;
	cmd->finished = false;
	cmd->bad_digest = false;
	cmd->r2t = false;
	cmd->close = false;
	cmd->len = 0;
	cmd->offset = 0;
	cmd->got = 0;
	cmd->data_bytes = 0;
	cmd->tail_bytes = 0;
	return cmd;
}

static void drop_buffer(struct tcp_cmd *cmd)
{
	cmd->conn->buffered -= cmd->room;
	free(cmd->buf);
	cmd->buf = NULL;
	cmd->room = 0;
}

void tcp_cmd_put(struct tcp_cmd *cmd)
{
	struct tcp_conn *conn = cmd->conn;

	cmd->state = TCP_CMD_FREE;
	/* what is kept is for the next command of this tag; not when others wait */
	if (conn->buffered > TCP_BUFFERS_MAX / 2)
		drop_buffer(cmd);
	/* the one before Connect is not used again */
	if (cmd == &conn->first && conn->tags)
		return;
	cmd->next = conn->free;
	conn->free = cmd;
}

/* Buffers that no command uses go back. */
static void reclaim(struct tcp_conn *conn)
{
	for (unsigned int i = 0; i < conn->ntags; i++)
		if (conn->tags[i].state == TCP_CMD_FREE && conn->tags[i].room)
			drop_buffer(&conn->tags[i]);
}

/* One command has what it needs; more of them share TCP_BUFFERS_MAX. */
static bool has_share(const struct tcp_cmd *cmd, uint32_t room)
{
	uint32_t others = cmd->conn->buffered - cmd->room;

	return !others || others + (uint64_t)room <= TCP_BUFFERS_MAX;
}

bool tcp_cmd_room(struct tcp_cmd *cmd, uint32_t bytes)
{
	struct tcp_conn *conn = cmd->conn;
	uint32_t room = BUFFER_MIN;

	if (bytes <= cmd->room)
		return true;
	while (room < bytes)
		room *= 2;
	/* in-capsule data is here already, and little: it needs no permission */
	if (room > TARGET_INCAPSULE_BYTES && !has_share(cmd, room)) {
		reclaim(conn);
		if (!has_share(cmd, room))
			return false;
	}
	drop_buffer(cmd);
	/* zeroed: null media hand out what they find */
	if (posix_memalign((void **)&cmd->buf, BUFFER_MIN, room)) {
		cmd->buf = NULL;
		return false;
	}
	memset(cmd->buf, 0, room);
	cmd->room = room;
	conn->buffered += room;
	return true;
}

void tcp_conn_forget(struct tcp_conn *conn)
{
	/* before their tags are free, as both lists use the same link */
	loop_forget_completed(conn->loop, conn);
	for (unsigned int i = 0; i < conn->ntags; i++)
		if (conn->tags[i].state == TCP_CMD_RUNNING && !conn->tags[i].inside)
			tcp_cmd_put(&conn->tags[i]);
}

/* What recv() says: bytes, 0 for nothing now, or -1: the connection is over. */
static ssize_t receive(struct tcp_conn *conn, struct iovec *iov, int n)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = (size_t)n };
	ssize_t got = recvmsg(conn->fd, &msg, MSG_DONTWAIT);

	if (got > 0)
		return got;
	return got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

/* Large data goes where it belongs; what is behind it, and all else, through the loop's buffer. */
static ssize_t take(struct tcp_conn *conn, uint64_t now_ns)
{
	struct iovec iov[2];
	size_t direct = tcp_rx_direct(conn, iov), first;
	int at = direct ? 1 : 0;
	ssize_t got;

	iov[at] = (struct iovec){ conn->loop->rx, LOOP_RX_BYTES };
	got = receive(conn, iov, at + 1);
	if (got <= 0)
		return got;
	first = (size_t)got < direct ? (size_t)got : direct;
	if (first && !tcp_rx_directly(conn, first, now_ns))
		return -1;
	if ((size_t)got > first && !tcp_rx(conn, conn->loop->rx, (size_t)got - first, now_ns))
		return -1;
	return got;
}

bool tcp_conn_readable(struct tcp_conn *conn, uint64_t now_ns)
{
	ssize_t got = take(conn, now_ns);

	conn->hot = got > 0;
	if (got > 0 && conn->as)
		atomic_store_explicit(&conn->as->alive_ns, now_ns, memory_order_relaxed);
	return got >= 0;
}

void tcp_conn_local(const struct tcp_conn *conn, struct tcp_local *local)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);

	*local = (struct tcp_local){ .ipv6 = false };
	if (getsockname(conn->fd, (struct sockaddr *)&at, &len))
		return;
	local->ipv6 = at.ss_family == AF_INET6;
	getnameinfo((struct sockaddr *)&at, len, local->address, sizeof(local->address),
		    local->port, sizeof(local->port), NI_NUMERICHOST | NI_NUMERICSERV);
}

bool tcp_conn_overdue(struct tcp_conn *conn, uint64_t now_ns)
{
	if (conn->as && (atomic_load(&conn->as->dead) ||
			 (conn->qid && atomic_load(&conn->as->epoch) != conn->epoch)))
		return true;
	return now_ns >= conn->expires_ns;
}
