/* SPDX-License-Identifier: BSD-3-Clause */
/* Hosts in threads of their own on a target with several: data, resets, ends. For TSan above all. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "host.h"
#include "spec/fabrics.h"
#include "spec/tcp.h"
#include "ssd/ssd.h"
#include "target/target.h"

#define HOSTS  4
#define ROUNDS 40

/* So many calls say that no descriptor is left. */
static atomic_int accepts_to_fail;

int __real_accept4(int fd, struct sockaddr *at, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *at, socklen_t *len, int flags);

int __wrap_accept4(int fd, struct sockaddr *at, socklen_t *len, int flags)
{
	if (!atomic_load(&accepts_to_fail))
		return __real_accept4(fd, at, len, flags);
	atomic_fetch_sub(&accepts_to_fail, 1);
	errno = EMFILE;
	return -1;
}

/* Then nothing wakes a thread that sleeps but what comes. */
static atomic_bool no_time_outs;

int __real_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *limit, const sigset_t *mask);
int __wrap_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *limit, const sigset_t *mask);

int __wrap_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *limit, const sigset_t *mask)
{
	return __real_ppoll(fds, n, atomic_load(&no_time_outs) ? NULL : limit, mask);
}

struct host {
	struct target *target;
	uint8_t number;
	const char *failed;
};

/* What one host does, over and over; its own LBAs only. */
static const char *round_trip(struct host *h, int round)
{
	const uint32_t slba = h->number * 8u;
	struct queue admin, io;
	uint8_t data[4096];
	const char *failed = NULL;
	uint16_t cntlid;

	memset(data, h->number * 16 + round % 16, sizeof(data));
	if (!open_queue(&admin, h->target) ||
	    connect_queue(&admin, 0, NVME_CNTLID_DYNAMIC, 60000) || !set_cc(&admin, 0x460001)) {
		close(admin.fd);
		return "admin queue";
	}
	cntlid = identified(&admin);
	if (!cntlid)
		failed = "identify";
	if (!failed && (!open_queue(&io, h->target) || connect_queue(&io, 1, cntlid, 0))) {
		failed = "I/O queue";
		close(io.fd);
	} else if (!failed) {
		if (!rw(&io, NVME_CMD_WRITE, slba, data) || !rw(&io, NVME_CMD_READ, slba, NULL))
			failed = "I/O";
		else if (memcmp(io.data, data, sizeof(data)) != 0)
			failed = "data";
		/* a reset under the I/O queue, or its end first */
		if (!failed && round % 3 == 0 &&
		    (!set_cc(&admin, 0) || recv(io.fd, data, 1, 0) > 0))
			failed = "reset";
		close(io.fd);
	}
	close(admin.fd);
	return failed;
}

static void *run_host(void *arg)
{
	struct host *h = arg;

	for (int i = 0; i < ROUNDS && !h->failed; i++)
		h->failed = round_trip(h, i);
	return NULL;
}

static struct target *start(const char *options, unsigned int threads)
{
	struct target *t;

	assert_int_equal(target_create(&t, threads, TARGET_MEMORY_DEFAULT), 0);
	assert_int_equal(target_add(t, options, HOST_NQN), 0);
	if (target_start(t, "127.0.0.1:0"))
		fail_msg("%s", err_text());
	return t;
}

static void all_hosts(const char *options, unsigned int threads)
{
	struct target *t = start(options, threads);
	struct host host[HOSTS];
	pthread_t thread[HOSTS];

	for (uint8_t i = 0; i < HOSTS; i++) {
		host[i] = (struct host){ .target = t, .number = i };
		assert_int_equal(pthread_create(&thread[i], NULL, run_host, &host[i]), 0);
	}
	for (int i = 0; i < ROUNDS; i++) {
		ssd_set_temperature(target_enter(t, 0), i % 2 ? 300 : 400, 0);
		target_leave(t, 0);
	}
	for (int i = 0; i < HOSTS; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < HOSTS; i++)
		if (host[i].failed)
			fail_msg("host %d: %s", i, host[i].failed);
	target_destroy(t);
}

static void test_hosts_come_and_go_on_one_thread(void **state)
{
	all_hosts("size=16M,enable_s=0", 1);
}

static void test_hosts_come_and_go_on_several_threads(void **state)
{
	all_hosts("size=16M,enable_s=0", 3);
}

static void test_a_target_ends_under_its_hosts(void **state)
{
	struct target *t = start("size=16M,enable_s=0,read_us=1000", 2);
	struct queue q[8];

	for (int i = 0; i < 8; i++) {
		assert_true(open_queue(&q[i], t));
		assert_int_equal(connect_queue(&q[i], 0, NVME_CNTLID_DYNAMIC, 0), 0);
		assert_true(set_cc(&q[i], 0x460001));
	}
	target_destroy(t);
	for (int i = 0; i < 8; i++) {
		assert_false(set_cc(&q[i], 0));
		close(q[i].fd);
	}
}

static struct nvme_tcp_capsule_cmd capsule(uint16_t cid, struct nvme_sqe sqe)
{
	struct nvme_tcp_capsule_cmd c = { .ch = { NVME_TCP_CAPSULE_CMD, 0, 72, 0, 72 } };

	sqe.cid = cid;
	sqe.flags = NVME_SQE_PSDT_SGL_MPTR_BUF << NVME_SQE_PSDT_SHIFT;
	c.sqe = sqe;
	return c;
}

/* In one segment: the Abort ends the AER inside the drive, and the reset comes before its answer */
static void test_a_reset_forgets_what_was_completed_and_not_yet_answered(void **state)
{
	struct target *t = start("size=16M,enable_s=0", 1);
	struct nvme_property_cmd off = { .opc = NVME_ADMIN_FABRICS,
					 .fctype = NVME_FCTYPE_PROPERTY_SET,
					 .ofst = NVME_REG_CC };
	struct nvme_tcp_capsule_cmd cmds[3];
	struct nvme_sqe sqe = { .opc = NVME_ADMIN_ABORT, .cdw10 = 100u << 16 };
	struct nvme_tcp_capsule_resp resp;
	struct queue q;

	assert_true(open_queue(&q, t));
	assert_int_equal(connect_queue(&q, 0, NVME_CNTLID_DYNAMIC, 0), 0);
	assert_true(set_cc(&q, 0x460001));
	cmds[0] = capsule(100, (struct nvme_sqe){ .opc = NVME_ADMIN_ASYNC_EVENT });
	cmds[1] = capsule(101, sqe);
	memcpy(&sqe, &off, sizeof(sqe));
	cmds[2] = capsule(102, sqe);
	assert_true(put(q.fd, cmds, sizeof(cmds)));
	for (uint16_t cid = 101; cid <= 102; cid++) {
		assert_true(get(q.fd, &resp, sizeof(resp)));
		assert_int_equal(resp.cqe.cid, cid);
	}
	for (uint16_t i = 0; i < 64; i++) {
		assert_true(set_cc(&q, 0));
		assert_int_equal(q.cqe.cid, q.cid - 1);
	}
	close(q.fd);
	target_destroy(t);
}

static void test_connect_may_bring_its_data_when_it_is_asked_for(void **state)
{
	struct target *t = start("size=16M", 1);
	struct {
		struct nvme_tcp_data head;
		struct nvme_connect_data data;
	} pdu = {
		.head = { .ch = { NVME_TCP_H2C_DATA, NVME_TCP_FLAG_LAST, 24, 24, sizeof(pdu) },
			  .datal = sizeof(pdu.data) },
		.data = { .cntlid = NVME_CNTLID_DYNAMIC, .subnqn = HOST_NQN, .hostnqn = "nqn.host" }
	};
	struct nvme_connect_cmd c = { .opc = NVME_ADMIN_FABRICS,
				      .fctype = NVME_FCTYPE_CONNECT,
				      .sqsize = 31 };
	struct nvme_tcp_capsule_cmd cmd;
	struct nvme_tcp_capsule_resp resp;
	struct nvme_tcp_r2t r2t;
	struct nvme_sqe sqe;
	struct queue q;

	assert_true(open_queue(&q, t));
	memcpy(&sqe, &c, sizeof(sqe));
	sqe.sgl1 = (struct nvme_sgl_desc){ .len = sizeof(pdu.data), .type = 0x5a };
	cmd = capsule(7, sqe);
	assert_true(put(q.fd, &cmd, sizeof(cmd)) && get(q.fd, &r2t, sizeof(r2t)));
	assert_int_equal(r2t.ch.type, NVME_TCP_R2T);
	pdu.head.cccid = 7;
	pdu.head.ttag = r2t.ttag;
	assert_true(put(q.fd, &pdu, sizeof(pdu)) && get(q.fd, &resp, sizeof(resp)));
	assert_int_equal(resp.ch.type, NVME_TCP_CAPSULE_RESP);
	assert_int_equal(resp.cqe.status, 0);
	assert_true(set_cc(&q, 0x460001));
	close(q.fd);
	target_destroy(t);
}

/* The admin queue that is reset while an I/O queue connects; that has looked at CC.EN already. */
static _Atomic(struct queue *) to_reset;
static atomic_bool was_reset;

struct assoc;
bool __real_assoc_take_queue(struct assoc *as, uint16_t qid);
bool __wrap_assoc_take_queue(struct assoc *as, uint16_t qid);

bool __wrap_assoc_take_queue(struct assoc *as, uint16_t qid)
{
	struct queue *admin = qid ? atomic_load(&to_reset) : NULL;

	if (admin)
		atomic_store(&was_reset, set_cc(admin, 0));
	return __real_assoc_take_queue(as, qid);
}

/* Whether the queues were in different threads, so that one could reset under the other. */
static bool reset_under_connect(struct target *t)
{
	const struct timeval patience = { .tv_usec = 200000 };
	const struct timeval enough = { .tv_sec = 20 };
	struct queue admin, io;
	uint16_t cntlid;
	char byte;

	assert_true(open_queue(&admin, t));
	assert_int_equal(connect_queue(&admin, 0, NVME_CNTLID_DYNAMIC, 0), 0);
	assert_true(set_cc(&admin, 0x460001));
	cntlid = identified(&admin);
	assert_true(open_queue(&io, t));
	setsockopt(admin.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(io.fd, SOL_SOCKET, SO_RCVTIMEO, &enough, sizeof(enough));
	atomic_store(&was_reset, false);
	atomic_store(&to_reset, &admin);
	assert_int_equal(connect_queue(&io, 1, cntlid, 0), 0);
	atomic_store(&to_reset, NULL);
	/* it goes with the reset, though it came after it */
	if (atomic_load(&was_reset))
		assert_int_equal(recv(io.fd, &byte, 1, 0), 0);
	close(io.fd);
	close(admin.fd);
	return atomic_load(&was_reset);
}

static void test_a_queue_that_connects_under_a_reset_goes_with_it(void **state)
{
	struct target *t = start("size=16M,enable_s=0", 4);
	bool done = false;

	for (int i = 0; i < 100 && !done; i++)
		done = reset_under_connect(t);
	assert_true(done);
	target_destroy(t);
}

static void test_a_reset_wakes_the_threads_of_its_queues(void **state)
{
	const struct timeval patience = { .tv_sec = 10 };
	struct target *t = start("size=16M,enable_s=0", 4);
	struct queue admin, io[8];
	uint16_t cntlid;
	char byte;

	assert_true(open_queue(&admin, t));
	assert_int_equal(connect_queue(&admin, 0, NVME_CNTLID_DYNAMIC, 0), 0);
	assert_true(set_cc(&admin, 0x460001));
	cntlid = identified(&admin);
	atomic_store(&no_time_outs, true);
	for (uint16_t i = 0; i < 8; i++) {
		assert_true(open_queue(&io[i], t));
		assert_int_equal(connect_queue(&io[i], i + 1, cntlid, 0), 0);
		setsockopt(io[i].fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	}
	usleep(150000); /* by now they sleep without end */
	assert_true(set_cc(&admin, 0));
	for (int i = 0; i < 8; i++) {
		assert_int_equal(recv(io[i].fd, &byte, 1, 0), 0);
		close(io[i].fd);
	}
	atomic_store(&no_time_outs, false);
	close(admin.fd);
	target_destroy(t);
}

static void test_a_thread_without_descriptors_listens_again(void **state)
{
	const struct timeval patience = { .tv_sec = 10 };
	struct nvme_tcp_icreq req = { .ch = { NVME_TCP_ICREQ, 0, 128, 0, 128 } };
	struct nvme_tcp_icresp resp;
	struct target *t = start("size=16M", 1);
	struct queue q;

	/* the first time the clock of the thread has not run yet */
	atomic_store(&accepts_to_fail, 2);
	assert_true(dial(&q, t));
	setsockopt(q.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_true(put(q.fd, &req, sizeof(req)));
	assert_true(get(q.fd, &resp, sizeof(resp)));
	assert_int_equal(atomic_load(&accepts_to_fail), 0);
	close(q.fd);
	target_destroy(t);
}

static void test_a_target_that_never_started_can_go(void **state)
{
	struct target *t;

	assert_int_equal(target_create(&t, 2, TARGET_MEMORY_DEFAULT), 0);
	assert_int_equal(target_add(t, "size=16M", NULL), 0);
	target_destroy(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts_come_and_go_on_one_thread),
		cmocka_unit_test(test_hosts_come_and_go_on_several_threads),
		cmocka_unit_test(test_a_target_ends_under_its_hosts),
		cmocka_unit_test(test_a_reset_forgets_what_was_completed_and_not_yet_answered),
		cmocka_unit_test(test_connect_may_bring_its_data_when_it_is_asked_for),
		cmocka_unit_test(test_a_queue_that_connects_under_a_reset_goes_with_it),
		cmocka_unit_test(test_a_reset_wakes_the_threads_of_its_queues),
		cmocka_unit_test(test_a_thread_without_descriptors_listens_again),
		cmocka_unit_test(test_a_target_that_never_started_can_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
