/* SPDX-License-Identifier: BSD-3-Clause */
/* A host that takes what a target has to say in small pieces. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "host.h"
#include "spec/fabrics.h"

#define PIECE  600u
#define WRITES 20u

/* Every second time there is no room, and the other times for no more than PIECE bytes. */
static atomic_bool narrow;
static atomic_uint sends;

ssize_t __real_sendmsg(int fd, const struct msghdr *msg, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags);

ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct iovec piece = msg->msg_iov[0];
	struct msghdr less = *msg;

	if (!atomic_load(&narrow))
		return __real_sendmsg(fd, msg, flags);
	if (atomic_fetch_add(&sends, 1) % 2) {
		errno = EAGAIN;
		return -1;
	}
	if (piece.iov_len > PIECE)
		piece.iov_len = PIECE;
	less.msg_iov = &piece;
	less.msg_iovlen = 1;
	return __real_sendmsg(fd, &less, flags);
}

/* Whoever may send is told to look for something to receive, too: often there is nothing. */
static atomic_bool both_ways;

int __real_epoll_wait(int fd, struct epoll_event *evs, int max, int timeout_ms);
int __wrap_epoll_wait(int fd, struct epoll_event *evs, int max, int timeout_ms);

int __wrap_epoll_wait(int fd, struct epoll_event *evs, int max, int timeout_ms)
{
	int n = __real_epoll_wait(fd, evs, max, timeout_ms);

	for (int i = 0; i < n && atomic_load(&both_ways); i++)
		if (evs[i].events & EPOLLOUT)
			evs[i].events |= EPOLLIN;
	return n;
}

static void gets_everything(bool both)
{
	const struct timeval patience = { .tv_sec = 10 };
	uint8_t data[4096];
	struct queue admin, io;
	struct target *t;

	assert_int_equal(target_create(&t, 1, TARGET_MEMORY_DEFAULT), 0);
	assert_int_equal(target_add(t, "size=16M,enable_s=0", HOST_NQN), 0);
	if (target_start(t, "127.0.0.1:0"))
		fail_msg("%s", err_text());
	assert_true(open_queue(&admin, t));
	assert_int_equal(connect_queue(&admin, 0, NVME_CNTLID_DYNAMIC, 0), 0);
	assert_true(set_cc(&admin, 0x460001));
	assert_true(open_queue(&io, t));
	assert_int_equal(connect_queue(&io, 1, identified(&admin), 0), 0);
	setsockopt(io.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));

	atomic_store(&both_ways, both);
	atomic_store(&narrow, true);
	for (unsigned int i = 0; i < WRITES; i++) {
		memset(data, (int)i + 1, sizeof(data));
		assert_true(rw(&io, NVME_CMD_WRITE, i * 8, data));
		assert_true(rw(&io, NVME_CMD_READ, i * 8, NULL));
		assert_memory_equal(io.data, data, sizeof(data));
	}
	atomic_store(&narrow, false);
	atomic_store(&both_ways, false);
	close(io.fd);
	close(admin.fd);
	target_destroy(t);
}

static void test_a_host_that_takes_little_gets_all_of_it(void **state)
{
	gets_everything(false);
}

static void test_a_host_that_may_have_sent_something_meanwhile_gets_all_of_it(void **state)
{
	gets_everything(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_host_that_takes_little_gets_all_of_it),
		cmocka_unit_test(test_a_host_that_may_have_sent_something_meanwhile_gets_all_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
