/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * loop.h - one thread that serves connections: epoll while idle, the sockets themselves while
 * busy, and the drives when something is due in them.
 */
#ifndef PYNVME_TARGET_LOOP_H
#define PYNVME_TARGET_LOOP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/spin.h"

struct subsys;
struct target;
struct tcp_cmd;
struct tcp_conn;

#define LOOP_RX_BYTES (256u << 10)
#define LOOP_HOT      8

/**
 * struct loop
 * @rx: what was received last; a connection keeps nothing there
 * @locked: the drive that the thread is in
 * @dirty: connections with something to send
 * @last_work_ns: when something was done; @spinning: it looks for more before it sleeps
 * @has_completed: without the lock: there may be some
 * @completed: commands that ended outside of their tcp_cmd_run(), under @lock
 */
struct loop {
	struct target *target;
	uint8_t *rx;
	struct subsys *locked;
	struct tcp_conn *dirty;
	struct tcp_conn *hot[LOOP_HOT];
	unsigned int nhot;
	int epfd;
	int wakefd;
	int listenfd;
	bool deaf; /* no descriptor was left: the listener is off for a while */
	struct list_node conns;
	uint64_t next_check_ns;
	uint64_t last_work_ns;
	struct spin spin;
	bool spinning;
	atomic_bool asleep;
	atomic_bool nudged; /* associations changed */
	atomic_bool stop;
	pthread_mutex_t lock;
	atomic_bool has_completed;
	struct tcp_cmd *completed;
	struct tcp_cmd **completed_end;
	pthread_t thread;
	bool running;
};

/* 0 or -errno with a text. */
int loop_init(struct loop *loop, struct target *target);
int loop_start(struct loop *loop, int listenfd);
/* From another thread. Connections are closed. */
void loop_stop(struct loop *loop);
void loop_fini(struct loop *loop);

/* Look at all connections; from any thread. */
void loop_nudge(struct loop *loop);
/* @cmd ended; from any thread, in its drive's lock. */
void loop_completed(struct loop *loop, struct tcp_cmd *cmd);

/* Enter the drive, unless the thread is in it; loop_leave() at the end of a batch. */
uint64_t loop_enter(struct loop *loop, struct subsys *sub, uint64_t now_ns);
void loop_leave(struct loop *loop);

/* Hear of new connections, or not. */
void loop_listen(struct loop *loop, bool on);
/* Take those that are there; the oldest that has not got to Connect makes room, if need be. */
void loop_accept(struct loop *loop, uint64_t now_ns);
/* Hang up. */
void loop_drop(struct loop *loop, struct tcp_conn *conn);

/* @conn has something to send at the end of the batch. */
void loop_dirty(struct loop *loop, struct tcp_conn *conn);
/* @conn is closed: nothing of it stays here. */
void loop_forget(struct loop *loop, struct tcp_conn *conn);
/* What was completed of @conn and is not answered yet never will be. */
void loop_forget_completed(struct loop *loop, const struct tcp_conn *conn);
/* Tell the kernel whether to say that the socket can be written. */
void loop_watch(struct loop *loop, struct tcp_conn *conn, bool writable);

#endif
