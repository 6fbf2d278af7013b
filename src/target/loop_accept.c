/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * loop_accept.c - new connections, and which one makes room for them.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "target/loop.h"
#include "target/server.h"
#include "target/tcp_conn.h"

#define ACCEPTS 32 /* in a row, before others have their turn */

/* TCP's own keep alive: a machine that is gone is noticed after a minute. */
#define ALIVE_IDLE_S  30
#define ALIVE_AGAIN_S 10
#define ALIVE_TIMES   3

/* The oldest that is not connected makes room. False: there is none. */
static bool evict(struct loop *loop)
{
	for (struct list_node *n = loop->conns.next; n != &loop->conns; n = n->next) {
		struct tcp_conn *conn = list_entry(n, struct tcp_conn, node);

		if (conn->as)
			continue;
		loop_drop(loop, conn);
		return true;
	}
	return false;
}

void loop_listen(struct loop *loop, bool on)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = &loop->listenfd };

	loop->deaf = !on;
	epoll_ctl(loop->epfd, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, loop->listenfd, &ev);
}

static void set_int(int fd, int level, int name, int value)
{
	(void)setsockopt(fd, level, name, &value, sizeof(value));
}

/* A host that asked for no Keep Alive Timeout may vanish, too: its machine has to answer. */
static void tune(int fd)
{
	set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, ALIVE_IDLE_S);
	set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, ALIVE_AGAIN_S);
	set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, ALIVE_TIMES);
	set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

/* Counted, with its memory; NULL: there is no room. */
static struct tcp_conn *open_conn(struct loop *loop, int fd, uint64_t now_ns)
{
	struct tcp_conn *conn;

	if (!server_count(loop->target, 1))
		return NULL;
	conn = tcp_conn_open(loop, fd, now_ns);
	if (!conn)
		server_count(loop->target, -1);
	return conn;
}

static void adopt(struct loop *loop, int fd, uint64_t now_ns)
{
	struct tcp_conn *conn = open_conn(loop, fd, now_ns);
	struct epoll_event ev = { .events = EPOLLIN };

	if (!conn && evict(loop))
		conn = open_conn(loop, fd, now_ns);
	if (!conn) {
		close(fd);
		return;
	}
	tune(fd);
	ev.data.ptr = conn;
	if (epoll_ctl(loop->epfd, EPOLL_CTL_ADD, fd, &ev))
		loop_drop(loop, conn);
}

void loop_accept(struct loop *loop, uint64_t now_ns)
{
	for (int i = 0; i < ACCEPTS; i++) {
		int fd = accept4(loop->listenfd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			adopt(loop, fd, now_ns);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			   errno == ENOBUFS) {
			if (evict(loop))
				continue;
			loop_listen(loop, false);
			return;
		} else if (errno != ECONNABORTED && errno != EINTR) {
			return;
		}
	}
}
