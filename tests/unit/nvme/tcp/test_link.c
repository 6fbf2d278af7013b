// SPDX-License-Identifier: BSD-3-Clause
/* Bytes on the wire: however they are cut, the commands come out the same. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "link.h"

#define READ_BYTES  4096u
#define BATCH	    32u
#define LATER_NS    UINT64_C(1000000)
#define LARGE_BYTES 131072u

/* --- system calls are counted --- */

static unsigned int calls;

ssize_t __real_send(int fd, const void *buf, size_t len, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *msg, int flags);
ssize_t __real_recv(int fd, void *buf, size_t len, int flags);
ssize_t __real_recvmsg(int fd, struct msghdr *msg, int flags);
ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags);
ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags);

ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags)
{
	calls++;
	return __real_send(fd, buf, len, flags);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	calls++;
	return __real_sendmsg(fd, msg, flags);
}

ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags)
{
	calls++;
	return __real_recv(fd, buf, len, flags);
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags)
{
	calls++;
	return __real_recvmsg(fd, msg, flags);
}

/* --- */

static uint8_t wire[1 << 20], memory[1 << 20], pattern[LARGE_BYTES];

/* Long after the last look. */
static unsigned int poll_now(struct link *link, unsigned int max)
{
	static uint64_t now_ns;

	if (!now_ns)
		now_ns = clock_now_ns();
	now_ns += LATER_NS;
	return nvme_qpair_poll(link->q, max, now_ns);
}

static void fill(void)
{
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)(i * 7 + (i >> 8));
	memset(memory, 0xa5, sizeof(memory));
}

static void a_stream_may_be_cut_anywhere(void **state)
{
	static const uint8_t digests[][2] = { { 0, 0 }, { 4, 0 }, { 0, 4 }, { 4, 4 } };

	for (unsigned int i = 0; i < 4; i++) {
		struct link link;
		struct nvme_req *req;
		size_t n;

		fill();
		link_open(&link, 1, 8, digests[i][0], digests[i][1]);
		req = link_submit(&link, 0, NVME_CMD_READ, memory, 1024);
		nvme_qpair_ring(link.q);
		n = link_data_pdu(&link, wire, req->cid, 0, pattern, 512, 0);
		n += link_data_pdu(&link, wire + n, req->cid, 512, pattern + 512, 512,
				   NVME_TCP_FLAG_LAST);
		n += link_response_pdu(&link, wire + n, req->cid, 0);
		for (size_t at = 0; at < n; at++) {
			assert_int_equal(link.completed, 0);
			link_send(&link, wire + at, 1);
			poll_now(&link, 8);
		}
		assert_int_equal(link.completed, 1);
		assert_int_equal(nvme_req_status(req), 0);
		assert_memory_equal(memory, pattern, 1024);
		assert_int_equal(memory[1024], 0xa5);
		link_close(&link);
	}
}

static void answers_that_came_together_are_reaped_as_they_are_wanted(void **state)
{
	struct link link;
	size_t n = 0;

	fill();
	link_open(&link, 1, 64, 0, 0);
	for (unsigned int i = 0; i < BATCH; i++)
		link_submit(&link, i, NVME_CMD_READ, memory + i * READ_BYTES, READ_BYTES);
	nvme_qpair_ring(link.q);
	for (unsigned int i = 0; i < BATCH; i++)
		n += link_data_pdu(&link, wire + n, link.reqs[i].cid, 0, pattern + i, READ_BYTES,
				   NVME_TCP_FLAG_LAST | NVME_TCP_FLAG_SUCCESS);
	link_send(&link, wire, n);
	assert_int_equal(poll_now(&link, 5), 5);
	assert_int_equal(link.completed, 5);
	assert_int_equal(poll_now(&link, 1), 1);
	assert_int_equal(poll_now(&link, BATCH), BATCH - 6);
	for (unsigned int i = 0; i < BATCH; i++)
		assert_memory_equal(memory + i * READ_BYTES, pattern + i, READ_BYTES);
	link_close(&link);
}

static void a_batch_is_one_system_call_out_and_one_in(void **state)
{
	struct link link;
	size_t n = 0;

	link_open(&link, 1, 64, 0, 0);
	calls = 0;
	for (unsigned int i = 0; i < BATCH; i++)
		link_submit(&link, i, NVME_CMD_READ, memory + i * READ_BYTES, READ_BYTES);
	nvme_qpair_ring(link.q);
	assert_int_equal(calls, 1);
	for (unsigned int i = 0; i < BATCH; i++)
		n += link_data_pdu(&link, wire + n, link.reqs[i].cid, 0, pattern, READ_BYTES,
				   NVME_TCP_FLAG_LAST | NVME_TCP_FLAG_SUCCESS);
	assert_int_equal(__real_send(link.peer, wire, n, 0), n);
	calls = 0;
	assert_int_equal(poll_now(&link, BATCH), BATCH);
	assert_int_equal(calls, 1);
	link_close(&link);
}

static void nothing_is_looked_for_right_after_it_was_not_there(void **state)
{
	uint64_t now_ns = clock_now_ns();
	struct link link;

	link_open(&link, 1, 8, 0, 0);
	calls = 0;
	nvme_qpair_poll(link.q, 8, now_ns);
	nvme_qpair_poll(link.q, 8, now_ns + 1);
	nvme_qpair_poll(link.q, 8, now_ns + 1999);
	assert_int_equal(calls, 1);
	nvme_qpair_poll(link.q, 8, now_ns + 2000);
	assert_int_equal(calls, 2);
	/* Nor is an answer there in the moment that a command went out. */
	link_submit(&link, 0, NVME_CMD_READ, memory, READ_BYTES);
	now_ns = clock_now_ns();
	nvme_qpair_ring(link.q);
	calls = 0;
	nvme_qpair_poll(link.q, 8, now_ns);
	nvme_qpair_poll(link.q, 8, now_ns + 1999);
	assert_int_equal(calls, 0);
	nvme_qpair_poll(link.q, 8, now_ns + LATER_NS);
	assert_int_equal(calls, 1);
	link_close(&link);
}

static void much_data_arrives_where_it_belongs(void **state)
{
	static const uint8_t digest[] = { 0, 4 };

	for (unsigned int i = 0; i < 2; i++) {
		struct link link;
		struct nvme_req *req;
		size_t n, sent = 0;

		fill();
		link_open(&link, 1, 8, digest[i], digest[i]);
		req = link_submit(&link, 0, NVME_CMD_READ, memory, LARGE_BYTES);
		nvme_qpair_ring(link.q);
		n = link_data_pdu(&link, wire, req->cid, 0, pattern, LARGE_BYTES,
				  NVME_TCP_FLAG_LAST);
		n += link_response_pdu(&link, wire + n, req->cid, 0);
		while (sent < n) {
			size_t piece = n - sent < 30000 ? n - sent : 30000;

			link_send(&link, wire + sent, piece);
			sent += piece;
			poll_now(&link, 8);
			poll_now(&link, 8);
		}
		while (!link.completed)
			poll_now(&link, 8);
		assert_int_equal(nvme_req_status(req), 0);
		assert_memory_equal(memory, pattern, LARGE_BYTES);
		assert_int_equal(memory[LARGE_BYTES], 0xa5);
		link_close(&link);
	}
}

/* Waiting receives in place, too; the completion is of the poll behind it. */
static void data_that_ends_during_a_wait_completes_its_read(void **state)
{
	struct link link;
	struct nvme_req *req;
	size_t n;

	fill();
	link_open(&link, 1, 8, 0, 0);
	req = link_submit(&link, 0, NVME_CMD_READ, memory, LARGE_BYTES);
	nvme_qpair_ring(link.q);
	n = link_data_pdu(&link, wire, req->cid, 0, pattern, LARGE_BYTES,
			  NVME_TCP_FLAG_LAST | NVME_TCP_FLAG_SUCCESS);
	link_send(&link, wire, n - 20000);
	while (link.t->rx.left != 20000)
		assert_int_equal(poll_now(&link, 8), 0);
	link_send(&link, wire + n - 20000, 20000);
	nvme_qpair_wait(link.q);
	assert_int_equal(poll_now(&link, 8), 1);
	assert_int_equal(nvme_req_status(req), 0);
	assert_memory_equal(memory, pattern, LARGE_BYTES);
	link_close(&link);
}

/* Whatever the connection takes goes out by polling alone. */
static void read_polling(struct link *link, void *bytes, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = recv(link->peer, (uint8_t *)bytes + at, len - at, MSG_DONTWAIT);

		if (n > 0)
			at += (size_t)n;
		else
			poll_now(link, 8);
	}
}

/* A H2CData PDU of the stream; returns its data's length, and checks all of it. */
static uint32_t check_h2c(struct link *link, uint16_t cid, uint32_t at)
{
	struct nvme_tcp_data pdu;
	uint32_t crc;

	read_polling(link, &pdu, sizeof(pdu));
	assert_int_equal(pdu.ch.type, NVME_TCP_H2C_DATA);
	assert_int_equal(pdu.cccid, cid);
	assert_int_equal(pdu.ttag, 5);
	assert_int_equal(pdu.datao, at);
	assert_true(pdu.datal <= link->t->maxh2cdata);
	if (link->t->head_digest) {
		read_polling(link, &crc, sizeof(crc));
		assert_int_equal(crc, crc32c(0, &pdu, sizeof(pdu)));
	}
	read_polling(link, wire, pdu.datal);
	assert_memory_equal(wire, pattern + at, pdu.datal);
	if (link->t->data_digest) {
		read_polling(link, &crc, sizeof(crc));
		assert_int_equal(crc, crc32c(0, wire, pdu.datal));
	}
	assert_int_equal(!!(pdu.ch.flags & NVME_TCP_FLAG_LAST), at + pdu.datal == LARGE_BYTES);
	return pdu.datal;
}

static void a_connection_that_takes_little_gets_all_of_it(void **state)
{
	int little = 4096;
	struct link link;
	struct nvme_req *req;
	uint32_t at = 0;
	size_t n;

	fill();
	link_open(&link, 1, 8, 4, 4);
	setsockopt(link.t->fd, SOL_SOCKET, SO_SNDBUF, &little, sizeof(little));
	req = link_submit(&link, 0, NVME_CMD_WRITE, pattern, LARGE_BYTES);
	nvme_qpair_ring(link.q);
	link_read(&link, wire, sizeof(struct nvme_tcp_capsule_cmd) + 4);
	n = link_r2t_pdu(&link, wire, req->cid, 0, LARGE_BYTES);
	link_send(&link, wire, n);
	poll_now(&link, 8);
	assert_true(nvme_tcp_unsent(link.t));
	while (at < LARGE_BYTES)
		at += check_h2c(&link, req->cid, at);
	assert_false(nvme_tcp_unsent(link.t));
	n = link_response_pdu(&link, wire, req->cid, 0);
	link_send(&link, wire, n);
	assert_int_equal(poll_now(&link, 8), 1);
	link_close(&link);
}

static void a_lost_connection_ends_what_is_submitted_after_it(void **state)
{
	struct link link;
	struct nvme_event ev;
	struct nvme_req *req;

	link_open(&link, 1, 8, 0, 0);
	shutdown(link.peer, SHUT_RDWR);
	poll_now(&link, 8);
	assert_int_equal(nvme_event_pop(link.ctrl, &ev, NULL), 1);
	assert_int_equal(ev.type, NVME_EVENT_GONE);
	assert_int_equal(nvme_ctrl_check(link.ctrl), -ENODEV);
	req = link_submit(&link, 0, NVME_CMD_READ, memory, READ_BYTES);
	assert_int_equal(nvme_req_status(req), NVME_SC_HOST_PATHING_ERROR);
	assert_int_equal(link.completed, 1);
	link_close(&link);
}

/* An answer that names a command whose request was given back is no danger to anybody. */
static void a_queue_that_is_drained_has_no_connection(void **state)
{
	struct link link;
	char byte;

	link_open(&link, 1, 8, 0, 0);
	link_submit(&link, 0, NVME_CMD_READ, memory, READ_BYTES);
	nvme_qpair_ring(link.q);
	nvme_qpair_drain(link.q, NVME_SC_ABORTED_SQ_DELETION);
	assert_int_equal(link.completed, 1);
	assert_int_equal(nvme_req_status(&link.reqs[0]), NVME_SC_ABORTED_SQ_DELETION);
	assert_int_equal(link.t->fd, -1);
	link_read(&link, wire, sizeof(struct nvme_tcp_capsule_cmd));
	assert_int_equal(recv(link.peer, &byte, 1, 0), 0);
	link_close(&link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_may_be_cut_anywhere),
		cmocka_unit_test(answers_that_came_together_are_reaped_as_they_are_wanted),
		cmocka_unit_test(a_batch_is_one_system_call_out_and_one_in),
		cmocka_unit_test(nothing_is_looked_for_right_after_it_was_not_there),
		cmocka_unit_test(much_data_arrives_where_it_belongs),
		cmocka_unit_test(data_that_ends_during_a_wait_completes_its_read),
		cmocka_unit_test(a_connection_that_takes_little_gets_all_of_it),
		cmocka_unit_test(a_lost_connection_ends_what_is_submitted_after_it),
		cmocka_unit_test(a_queue_that_is_drained_has_no_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
