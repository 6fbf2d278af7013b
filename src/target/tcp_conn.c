/* SPDX-License-Identifier: BSD-3-Clause */
#include "target/tcp_conn.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "target/assoc.h"
#include "target/loop.h"
#include "target/subsys.h"

#define HANDSHAKE_NS (10ull * 1000000000ull) /* from accept() to Connect */

struct tcp_conn *tcp_conn_open(struct loop *loop, int fd, uint64_t now_ns)
{
	struct tcp_conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		return NULL;
	conn->loop = loop;
	if (!tcp_memory_begin(conn)) {
		free(conn);
		return NULL;
	}
	conn->fd = fd;
	conn->out_end = &conn->out;
	conn->wait_end = &conn->wait;
	conn->expires_ns = now_ns + HANDSHAKE_NS;
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
	tcp_memory_end(conn);
	free(conn);
}

void tcp_conn_forget(struct tcp_conn *conn)
{
	struct tcp_cmd *waiting = conn->wait, *next;

	/* before their tags are free, as both lists use the same link */
	loop_forget_completed(conn->loop, conn);
	conn->wait = NULL;
	conn->wait_end = &conn->wait;
	for (unsigned int i = 0; i < conn->ntags; i++) {
		struct tcp_cmd *cmd = &conn->tags[i];

		if (cmd->state == TCP_CMD_RUNNING && !cmd->inside)
			tcp_cmd_put(cmd);
		else if (cmd->len && (cmd->state == TCP_CMD_DATA || cmd->r2t))
			cmd->cut = true;
	}
	for (; waiting; waiting = next) {
		next = waiting->next;
		tcp_cmd_end(waiting, NVME_SC_ABORTED_SQ_DELETION);
	}
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

void tcp_local_of(struct tcp_local *local, const struct sockaddr_storage *at)
{
	struct sockaddr_in6 v6 = *(const struct sockaddr_in6 *)at;
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = v6.sin6_port };
	const struct sockaddr *is = (const struct sockaddr *)at;
	socklen_t len = sizeof(v4);

	*local = (struct tcp_local){ .ipv6 = at->ss_family == AF_INET6 };
	if (local->ipv6 && IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
		/* an IPv4 host at a socket of both kinds */
		memcpy(&v4.sin_addr, &v6.sin6_addr.s6_addr[12], sizeof(v4.sin_addr));
		local->ipv6 = false;
		is = (const struct sockaddr *)&v4;
	} else if (local->ipv6) {
		/* the name of our interface says nothing to a host */
		v6.sin6_scope_id = 0;
		is = (const struct sockaddr *)&v6;
		len = sizeof(v6);
	}
	getnameinfo(is, len, local->address, sizeof(local->address), local->port,
		    sizeof(local->port), NI_NUMERICHOST | NI_NUMERICSERV);
}

void tcp_conn_local(const struct tcp_conn *conn, struct tcp_local *local)
{
	struct sockaddr_storage at = { 0 };
	socklen_t len = sizeof(at);

	*local = (struct tcp_local){ .ipv6 = false };
	if (!getsockname(conn->fd, (struct sockaddr *)&at, &len))
		tcp_local_of(local, &at);
}

bool tcp_conn_overdue(struct tcp_conn *conn, uint64_t now_ns)
{
	if (conn->as && (atomic_load(&conn->as->dead) ||
			 (conn->qid && atomic_load(&conn->as->epoch) != conn->epoch)))
		return true;
	return now_ns >= conn->expires_ns;
}
