/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * receive.c - one large recv() for as many PDUs as are there; how long to look for them, when to
 * sleep. Data is copied out of the buffer, or received where it belongs when much of it is to come.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/likely.h"
#include "nvme/tcp/queue.h"

#define DIRECT_BYTES 16384u /* of data that is missing: receive it in place */
#define WAIT_MS	     2
#define SPIN_NS	     UINT64_C(100000) /* before it sleeps */
#define LOOK_NS	     UINT64_C(4000)   /* from one look to the next: each is a system call */
#define LEFTOVER     256u	      /* more than a piece of a header: something to look at */

/* What is left in the buffer, a piece of a header at most, moves to its start. */
static void make_room(struct nvme_tcp_rx *rx)
{
	uint32_t len = rx->tail - rx->head;

	if (!rx->head)
		return;
	if (len)
		memmove(rx->buf, rx->buf + rx->head, len);
	rx->head = 0;
	rx->tail = len;
}

/* Is there so much data to come that it is received where it belongs? */
static bool is_direct(const struct nvme_tcp_rx *rx)
{
	return rx->state == NVME_TCP_RX_DATA && rx->left >= DIRECT_BYTES;
}

/* Return: bytes received; 0: none are there, or the connection is lost. */
static size_t receive(struct nvme_tcp_queue *t, int flags)
{
	struct nvme_tcp_rx *rx = &t->rx;
	bool direct = is_direct(rx);
	struct iovec iov[2] = { { rx->to, rx->left } };
	struct msghdr msg = { .msg_iov = direct ? iov : iov + 1, .msg_iovlen = direct ? 2 : 1 };
	ssize_t n;
	uint32_t data;

	make_room(rx);
	if (rx->tail == NVME_TCP_RX_BYTES)
		return 0;
	iov[1] = (struct iovec){ rx->buf + rx->tail, NVME_TCP_RX_BYTES - rx->tail };
	n = direct ? recvmsg(t->fd, &msg, flags) :
		     recv(t->fd, iov[1].iov_base, iov[1].iov_len, flags);
	if (n <= 0) {
		if (!n)
			nvme_tcp_lose(t, "closed by the target");
		else if (errno != EAGAIN && errno != EINTR)
			nvme_tcp_lose(t, "%s", strerror(errno));
		return 0;
	}
	data = !direct ? 0 : (uint32_t)n < rx->left ? (uint32_t)n : rx->left;
	if (data)
		nvme_tcp_data_came(rx, data, t->data_digest);
	rx->tail += (uint32_t)n - data;
	return (size_t)n;
}

unsigned int nvme_tcp_poll(struct nvme_qpair *q, unsigned int max, uint64_t now_ns)
{
	struct nvme_tcp_queue *t = nvme_tcp_of(q);
	unsigned int done = 0;

	if (unlikely(t->fd < 0 || t->lost))
		return 0;
	if (t->rx.head != t->rx.tail)
		done = nvme_tcp_parse(t, max, now_ns);
	/*
	 * A spinning caller would make a system call each time around. An answer that comes within
	 * a moment of its command is rather waited for, by nvme_tcp_wait(), than looked for.
	 */
	if (done || t->lost || now_ns < t->rx.quiet_ns)
		return done;
	if (receive(t, MSG_DONTWAIT))
		return nvme_tcp_parse(t, max, now_ns);
	t->rx.quiet_ns = now_ns + NVME_TCP_QUIET_NS;
	return 0;
}

static bool look_on(struct nvme_tcp_queue *t)
{
	uint64_t now_ns = clock_now_ns(), until_ns = now_ns + SPIN_NS, next_ns = now_ns + LOOK_NS;

	while (now_ns < until_ns && !t->lost) {
		if (now_ns >= next_ns) {
			if (receive(t, MSG_DONTWAIT))
				return true;
			next_ns = now_ns + LOOK_NS;
		}
		clock_pause();
		now_ns = clock_now_ns();
	}
	return false;
}

/* Whether something came while it was looked for, where that is worth it. */
static bool spin(struct nvme_tcp_queue *t)
{
	bool came;

	if (!spin_pays(&t->rx.spin))
		return false;
	/* What is there already says nothing of what would come. */
	if (receive(t, MSG_DONTWAIT))
		return true;
	came = look_on(t);
	spin_ended(&t->rx.spin, came);
	return came;
}

void nvme_tcp_wait(struct nvme_qpair *q)
{
	struct nvme_tcp_queue *t = nvme_tcp_of(q);
	struct pollfd pfd = { .fd = t->fd, .events = POLLIN };

	if (t->fd < 0 || t->lost)
		return;
	/*
	 * A recv() that may wait is a poll() and a recv() in one. The end of data in place would
	 * leave nothing in the buffer that nvme_tcp_poll() looks at.
	 */
	if (!nvme_tcp_unsent(t) && !is_direct(&t->rx)) {
		if (t->rx.tail - t->rx.head < LEFTOVER && !spin(t) && !t->lost)
			receive(t, 0);
		return;
	}
	if (nvme_tcp_unsent(t))
		pfd.events |= POLLOUT;
	(void)poll(&pfd, 1, WAIT_MS);
}
