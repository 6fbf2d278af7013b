/* SPDX-License-Identifier: BSD-3-Clause */
#include "target/loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "target/assoc.h"
#include "target/server.h"
#include "target/subsys.h"
#include "target/tcp_conn.h"

#define EVENTS	    64
#define SPIN_NS	    UINT64_C(100000)	/* look again for so long after the last work */
#define EMPTY_TURNS 16u			/* without work, before giving the processor away */
#define CHECK_NS    UINT64_C(100000000) /* time-outs of connections */
#define POLL_TURNS  16u			/* hot connections are tried so often between epolls */

int loop_init(struct loop *loop, struct target *target)
{
	*loop = (struct loop){ .target = target, .listenfd = -1 };
	list_init(&loop->conns);
	loop->completed_end = &loop->completed;
	pthread_mutex_init(&loop->lock, NULL);
	loop->epfd = epoll_create1(EPOLL_CLOEXEC);
	loop->wakefd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	loop->rx = malloc(LOOP_RX_BYTES);
	if (loop->epfd >= 0 && loop->wakefd >= 0 && loop->rx) {
		struct epoll_event ev = { .events = EPOLLIN, .data.ptr = &loop->wakefd };

		if (!epoll_ctl(loop->epfd, EPOLL_CTL_ADD, loop->wakefd, &ev))
			return 0;
	}
	return err_set(-ENOMEM, "target: no descriptors or memory for a thread: %m");
}

void loop_fini(struct loop *loop)
{
	if (loop->epfd >= 0)
		close(loop->epfd);
	if (loop->wakefd >= 0)
		close(loop->wakefd);
	free(loop->rx);
	pthread_mutex_destroy(&loop->lock);
}

/* --- the drives ---------------------------------------------------------------------------- */

uint64_t loop_enter(struct loop *loop, struct subsys *sub, uint64_t now_ns)
{
	if (loop->locked == sub)
		return sub->now_ns;
	loop_leave(loop);
	loop->locked = sub;
	return subsys_enter(sub, now_ns);
}

void loop_leave(struct loop *loop)
{
	if (loop->locked)
		subsys_leave(loop->locked);
	loop->locked = NULL;
}

/* What is due in drives happens. Return: when the next thing is. */
static uint64_t step_drives(struct loop *loop, uint64_t now_ns, bool *worked)
{
	uint64_t next_ns = UINT64_MAX;
	struct subsys *sub;

	for (unsigned int i = 0; (sub = server_subsys(loop->target, i)); i++) {
		uint64_t due;

		if (subsys_due(sub, now_ns)) {
			now_ns = loop_enter(loop, sub, now_ns);
			*worked |= ssd_step(sub->ssd, now_ns) != 0;
			loop_leave(loop);
		}
		due = atomic_load_explicit(&sub->next_ns, memory_order_relaxed);
		next_ns = due < next_ns ? due : next_ns;
	}
	return next_ns;
}

/* --- wake-ups ------------------------------------------------------------------------------ */

static void wake(struct loop *loop)
{
	uint64_t one = 1;

	if (atomic_exchange(&loop->asleep, false) &&
	    write(loop->wakefd, &one, sizeof(one)) != sizeof(one))
		return; /* it is full: the thread is woken up already */
}

void loop_nudge(struct loop *loop)
{
	atomic_store(&loop->nudged, true);
	wake(loop);
}

void loop_completed(struct loop *loop, struct tcp_cmd *cmd)
{
	pthread_mutex_lock(&loop->lock);
	cmd->next = NULL;
	*loop->completed_end = cmd;
	loop->completed_end = &cmd->next;
	atomic_store(&loop->has_completed, true);
	pthread_mutex_unlock(&loop->lock);
	wake(loop);
}

static bool answer_completed(struct loop *loop)
{
	struct tcp_cmd *cmd, *next;

	if (!atomic_load(&loop->has_completed))
		return false;
	pthread_mutex_lock(&loop->lock);
	atomic_store(&loop->has_completed, false);
	cmd = loop->completed;
	loop->completed = NULL;
	loop->completed_end = &loop->completed;
	pthread_mutex_unlock(&loop->lock);
	for (; cmd; cmd = next) {
		next = cmd->next;
		tcp_cmd_done(cmd);
	}
	return true;
}

/* --- connections --------------------------------------------------------------------------- */

void loop_dirty(struct loop *loop, struct tcp_conn *conn)
{
	if (conn->dirty)
		return;
	conn->dirty = true;
	conn->next_dirty = loop->dirty;
	loop->dirty = conn;
}

void loop_watch(struct loop *loop, struct tcp_conn *conn, bool writable)
{
	struct epoll_event ev = { .events = EPOLLIN | (writable ? EPOLLOUT : 0u),
				  .data.ptr = conn };

	epoll_ctl(loop->epfd, EPOLL_CTL_MOD, conn->fd, &ev);
}

static void not_hot(struct loop *loop, struct tcp_conn *conn)
{
	for (unsigned int i = 0; i < loop->nhot; i++)
		if (loop->hot[i] == conn)
			loop->hot[i--] = loop->hot[--loop->nhot];
}

static bool is_hot(const struct loop *loop, const struct tcp_conn *conn)
{
	for (unsigned int i = 0; i < loop->nhot; i++)
		if (loop->hot[i] == conn)
			return true;
	return false;
}

static void make_hot(struct loop *loop, struct tcp_conn *conn)
{
	if (loop->nhot < LOOP_HOT && !is_hot(loop, conn))
		loop->hot[loop->nhot++] = conn;
}

void loop_forget_completed(struct loop *loop, const struct tcp_conn *conn)
{
	struct tcp_cmd **link = &loop->completed;

	pthread_mutex_lock(&loop->lock);
	while (*link) {
		if ((*link)->conn == conn)
			*link = (*link)->next;
		else
			link = &(*link)->next;
	}
	loop->completed_end = link;
	pthread_mutex_unlock(&loop->lock);
}

void loop_forget(struct loop *loop, struct tcp_conn *conn)
{
	struct tcp_conn **link = &loop->dirty;

	not_hot(loop, conn);
	loop_forget_completed(loop, conn);
	while (*link && *link != conn)
		link = &(*link)->next_dirty;
	if (*link)
		*link = conn->next_dirty;
}

void loop_drop(struct loop *loop, struct tcp_conn *conn)
{
	epoll_ctl(loop->epfd, EPOLL_CTL_DEL, conn->fd, NULL);
	tcp_conn_close(conn);
	server_count(loop->target, -1);
}

static void serve_conn(struct loop *loop, struct tcp_conn *conn, uint64_t now_ns)
{
	bool ok = tcp_conn_readable(conn, now_ns);

	loop_leave(loop);
	if (!ok)
		loop_drop(loop, conn);
	else if (conn->hot)
		make_hot(loop, conn);
	else
		not_hot(loop, conn);
}

/* What the batch has to say, in one go for each connection. */
static void flush_dirty(struct loop *loop, uint64_t now_ns)
{
	while (loop->dirty) {
		struct tcp_conn *conn = loop->dirty;

		loop->dirty = conn->next_dirty;
		conn->dirty = false;
		if (!tcp_tx_flush(conn)) {
			loop_drop(loop, conn);
		} else if (conn->wait) {
			tcp_cmd_retry(conn, now_ns);
			loop_leave(loop);
		}
	}
}

/* --- the thread ---------------------------------------------------------------------------- */

/* Time-outs, and associations that others ended. */
static void check_conns(struct loop *loop, uint64_t now_ns)
{
	bool tight = server_is_tight(loop->target);
	struct list_node *next;

	atomic_store(&loop->nudged, false);
	loop->next_check_ns = now_ns + CHECK_NS;
	if (loop->deaf)
		loop_listen(loop, true);
	for (struct list_node *n = loop->conns.next; n != &loop->conns; n = next) {
		struct tcp_conn *conn = list_entry(n, struct tcp_conn, node);

		next = n->next;
		if (conn->as && !conn->qid)
			assoc_check(conn->as, now_ns);
		if (tcp_conn_overdue(conn, now_ns)) {
			loop_drop(loop, conn);
			continue;
		}
		if (tight)
			tcp_conn_trim(conn);
		/* others may have given back what it waits for */
		tcp_cmd_retry(conn, now_ns);
		loop_leave(loop);
	}
}

static bool serve_events(struct loop *loop, int timeout_ms)
{
	struct epoll_event evs[EVENTS];
	int n = epoll_wait(loop->epfd, evs, EVENTS, timeout_ms);
	uint64_t now_ns = clock_now_ns();

	for (int i = 0; i < n; i++) {
		void *what = evs[i].data.ptr;

		if (what == &loop->wakefd) {
			uint64_t count;

			if (read(loop->wakefd, &count, sizeof(count)) != sizeof(count))
				continue;
		} else if (what == &loop->listenfd) {
			continue;
		} else if (evs[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
			if (evs[i].events & EPOLLOUT)
				loop_dirty(loop, what);
			serve_conn(loop, what, now_ns);
		} else {
			loop_dirty(loop, what);
		}
	}
	/* last: a new connection may have the address of one that is gone */
	for (int i = 0; i < n; i++)
		if (evs[i].data.ptr == &loop->listenfd)
			loop_accept(loop, now_ns);
	return n > 0;
}

static bool serve_hot(struct loop *loop)
{
	uint64_t now_ns = clock_now_ns();
	bool worked = false;

	for (unsigned int i = loop->nhot; i-- > 0;) {
		struct tcp_conn *conn = loop->hot[i];

		serve_conn(loop, conn, now_ns);
		if (i < loop->nhot && loop->hot[i] == conn)
			worked = true;
	}
	return worked;
}

/* Nothing to do: until something comes, or is due. */
static void park(struct loop *loop, uint64_t next_ns)
{
	struct pollfd fd = { .fd = loop->epfd, .events = POLLIN };
	uint64_t now_ns = clock_now_ns(), until_ns = next_ns;
	struct timespec ts;

	if ((loop->deaf || !list_empty(&loop->conns)) && loop->next_check_ns < until_ns)
		until_ns = loop->next_check_ns;
	atomic_store(&loop->asleep, true);
	if (until_ns > now_ns && !atomic_load(&loop->has_completed) &&
	    !atomic_load(&loop->nudged) && !atomic_load(&loop->stop)) {
		uint64_t left = until_ns - now_ns;

		ts.tv_sec = (time_t)(left / 1000000000);
		ts.tv_nsec = (long)(left % 1000000000);
		ppoll(&fd, 1, until_ns == UINT64_MAX ? NULL : &ts, NULL);
	}
	atomic_store(&loop->asleep, false);
}

/* A turn without work. Return: nothing is to be expected soon. */
static bool is_quiet(struct loop *loop, uint64_t now_ns)
{
	if (!loop->spinning) {
		loop->spinning = spin_pays(&loop->spin);
		return !loop->spinning;
	}
	if (now_ns - loop->last_work_ns <= SPIN_NS)
		return false;
	loop->spinning = false;
	spin_ended(&loop->spin, false);
	return true;
}

static void note_work(struct loop *loop, uint64_t now_ns)
{
	loop->last_work_ns = now_ns;
	if (loop->spinning)
		spin_ended(&loop->spin, true);
	loop->spinning = false;
}

static void *serve(void *arg)
{
	struct loop *loop = arg;
	unsigned int turn = 0, empty = 0;

	while (!atomic_load_explicit(&loop->stop, memory_order_relaxed)) {
		uint64_t now_ns, next_ns;
		bool worked = false;

		if (loop->nhot)
			worked = serve_hot(loop);
		if (!worked || !(++turn % POLL_TURNS))
			worked |= serve_events(loop, 0);
		now_ns = clock_now_ns();
		next_ns = step_drives(loop, now_ns, &worked);
		worked |= answer_completed(loop);
		flush_dirty(loop, now_ns);
		if (now_ns >= loop->next_check_ns || atomic_load(&loop->nudged))
			check_conns(loop, now_ns);
		if (worked) {
			note_work(loop, now_ns);
			empty = 0;
		} else if (is_quiet(loop, now_ns)) {
			park(loop, next_ns);
		} else if (!(++empty % EMPTY_TURNS)) {
			sched_yield();
		}
	}
	return NULL;
}

int loop_start(struct loop *loop, int listenfd)
{
	sigset_t all, old;
	int rc;

	loop->listenfd = listenfd;
	loop_listen(loop, true);
	/* signals are for the threads of the script */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&loop->thread, NULL, serve, loop);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc)
		return err_set(-rc, "target: no thread: %s", strerror(rc));
	loop->running = true;
	return 0;
}

void loop_stop(struct loop *loop)
{
	if (loop->running) {
		atomic_store(&loop->stop, true);
		wake(loop);
		pthread_join(loop->thread, NULL);
		loop->running = false;
	}
	while (!list_empty(&loop->conns))
		loop_drop(loop, list_entry(loop->conns.next, struct tcp_conn, node));
}
