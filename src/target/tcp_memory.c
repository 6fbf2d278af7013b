/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands of a connection and their buffers, out of the target's one budget.
 *
 * In-capsule data is here before anybody can refuse it, so room for it is paid by Connect; so is one
 * large buffer, with which a queue gets on, if slowly, whatever others have. The rest is borrowed
 * while there is memory: a command that finds none waits.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "target/loop.h"
#include "target/server.h"
#include "target/subsys.h"
#include "target/tcp_conn.h"

#define BUFFER_MIN 4096u

static void init_cmd(struct tcp_cmd *cmd, struct tcp_conn *conn, uint16_t tag)
{
	cmd->conn = conn;
	cmd->tag = tag;
	cmd->ext.priv = cmd;
}

/* Bytes of the buffer for so much data. */
static uint64_t room_for(uint32_t bytes)
{
	uint64_t room = BUFFER_MIN;

	while (room < bytes)
		room *= 2;
	return room;
}

static bool own(struct tcp_conn *conn, uint64_t bytes)
{
	if (!server_take(conn->loop->target, bytes))
		return false;
	conn->owned += bytes;
	return true;
}

bool tcp_memory_begin(struct tcp_conn *conn)
{
	if (!own(conn, sizeof(*conn) + TARGET_INCAPSULE_BYTES))
		return false;
	init_cmd(&conn->control, conn, 0);
	init_cmd(&conn->first, conn, 0);
	conn->free = &conn->first;
	return true;
}

int tcp_conn_tags(struct tcp_conn *conn, unsigned int entries, uint32_t most)
{
	uint64_t reserve = room_for(most < TCP_RESERVE_MAX ? most : TCP_RESERVE_MAX);
	uint64_t bytes = entries * (sizeof(*conn->tags) + TARGET_INCAPSULE_BYTES) + reserve;

	if (!own(conn, bytes))
		return -ENOMEM;
	conn->tags = calloc(entries, sizeof(*conn->tags));
	if (!conn->tags) {
		conn->owned -= bytes;
		server_give(conn->loop->target, bytes);
		return -ENOMEM;
	}
	conn->reserve = (uint32_t)reserve;
	conn->ntags = entries;
	for (unsigned int i = entries; i-- > 0;) {
		init_cmd(&conn->tags[i], conn, (uint16_t)i);
		conn->tags[i].next = conn->free;
		conn->free = &conn->tags[i];
	}
	return 0;
}

/* --- buffers --- */

static uint64_t large_part(uint64_t room)
{
	return room > TARGET_INCAPSULE_BYTES ? room : 0;
}

static uint64_t borrowed(const struct tcp_conn *conn, uint64_t large)
{
	return large > conn->reserve ? large - conn->reserve : 0;
}

/* The connection has so many bytes in large buffers from now on. False: as before. */
static bool set_large(struct tcp_conn *conn, uint64_t large)
{
	uint64_t had = borrowed(conn, conn->large), wants = borrowed(conn, large);

	if (wants > had && !server_take(conn->loop->target, wants - had))
		return false;
	if (wants < had)
		server_give(conn->loop->target, had - wants);
	conn->large = large;
	return true;
}

static void drop_buffer(struct tcp_cmd *cmd)
{
	struct tcp_conn *conn = cmd->conn;

	set_large(conn, conn->large - large_part(cmd->room));
	conn->buffered -= cmd->room;
	free(cmd->buf);
	cmd->buf = NULL;
	cmd->room = 0;
}

void tcp_memory_end(struct tcp_conn *conn)
{
	for (unsigned int i = 0; i < conn->ntags; i++)
		drop_buffer(&conn->tags[i]);
	drop_buffer(&conn->first);
	free(conn->tags);
	server_give(conn->loop->target, conn->owned);
}

void tcp_conn_trim(struct tcp_conn *conn)
{
	for (unsigned int i = 0; i < conn->ntags; i++)
		if (conn->tags[i].state == TCP_CMD_FREE && conn->tags[i].room)
			drop_buffer(&conn->tags[i]);
}

/* One command has what it needs; more of them share TCP_BUFFERS_MAX, and what the target has. */
static bool permit(struct tcp_cmd *cmd, uint64_t room)
{
	struct tcp_conn *conn = cmd->conn;
	uint64_t others = conn->buffered - cmd->room;

	if (others && others + room > TCP_BUFFERS_MAX)
		return false;
	return set_large(conn, conn->large - large_part(cmd->room) + room);
}

bool tcp_cmd_room(struct tcp_cmd *cmd, uint32_t bytes)
{
	struct tcp_conn *conn = cmd->conn;
	uint64_t room = room_for(bytes);

	if (bytes <= cmd->room)
		return true;
	if (large_part(room) && !permit(cmd, room)) {
		tcp_conn_trim(conn);
		if (!permit(cmd, room))
			return false;
	}
	conn->buffered -= cmd->room;
	free(cmd->buf);
	cmd->room = 0;
	/* zeroed: null media hand out what they find */
	if (posix_memalign((void **)&cmd->buf, BUFFER_MIN, room)) {
		cmd->buf = NULL;
		set_large(conn, conn->large - large_part(room));
		return false;
	}
	memset(cmd->buf, 0, room);
	cmd->room = (uint32_t)room;
	conn->buffered += room;
	return true;
}

/* --- commands --- */

struct tcp_cmd *tcp_cmd_get(struct tcp_conn *conn)
{
	struct tcp_cmd *cmd = conn->free;

	if (!cmd)
		return NULL;
	conn->free = cmd->next;
	cmd->state = TCP_CMD_DATA;
	cmd->finished = false;
	cmd->bad_digest = false;
	cmd->cut = false;
	cmd->r2t = false;
	cmd->close = false;
	cmd->len = 0;
	cmd->offset = 0;
	cmd->got = 0;
	cmd->data_bytes = 0;
	cmd->tail_bytes = 0;
	return cmd;
}

/* What is kept is for the next command of this tag; not when others wait for it. */
static bool worth_keeping(const struct tcp_cmd *cmd)
{
	const struct tcp_conn *conn = cmd->conn;

	return conn->buffered <= TCP_BUFFERS_MAX / 2 &&
	       !(large_part(cmd->room) && server_is_tight(conn->loop->target));
}

void tcp_cmd_put(struct tcp_cmd *cmd)
{
	struct tcp_conn *conn = cmd->conn;

	cmd->state = TCP_CMD_FREE;
	if (!worth_keeping(cmd))
		drop_buffer(cmd);
	/* the one before Connect is not used again */
	if (cmd == &conn->first && conn->tags)
		return;
	cmd->next = conn->free;
	conn->free = cmd;
}
