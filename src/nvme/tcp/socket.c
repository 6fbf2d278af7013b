/* SPDX-License-Identifier: BSD-3-Clause */
#include "nvme/tcp/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/counts.h"
#include "base/err.h"
#include "base/interrupt.h"
#include "base/resolve.h"

#define SLICE_MS     50u
#define BUFFER_BYTES (2 << 20)
#define RECV_WAIT_US 1000 /* of a recv() that may wait: rounded up to the kernel's tick */

double nvme_tcp_waited_ms(const struct nvme_tcp_patience *p)
{
	return (double)(clock_now_ns() - p->begin_ns) / 1e6;
}

int nvme_tcp_await(const struct nvme_tcp_patience *p, int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	for (;;) {
		uint64_t now_ns = clock_now_ns();
		uint64_t left_ms = now_ns < p->until_ns ? (p->until_ns - now_ns) / 1000000 + 1 : 0;
		int n = poll(&pfd, 1, (int)(left_ms < SLICE_MS ? left_ms : SLICE_MS));

		if (n > 0)
			return 0;
		if (interrupt_check("NVMe/TCP"))
			return -EINTR;
		if (!left_ms)
			return -ETIMEDOUT;
	}
}

static void set_int(int fd, int level, int name, int value)
{
	(void)setsockopt(fd, level, name, &value, sizeof(value));
}

/*
 * None of these is vital. Buffers that not everybody may make so large grow by themselves
 * instead, which a smaller wish would end.
 */
static void tune(int fd)
{
	const struct timeval wait = { .tv_usec = RECV_WAIT_US };

	set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_int(fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_BYTES);
	set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
}

/* Non-blocking only as long as it takes; later every call says itself whether it may wait. */
static int try_one(int fd, const struct addrinfo *to, const struct nvme_tcp_patience *p)
{
	socklen_t len = sizeof(int);
	int error = 0, err;

	tune(fd);
	if (!connect(fd, to->ai_addr, to->ai_addrlen))
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	err = nvme_tcp_await(p, fd, POLLOUT);
	if (err)
		return err;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -errno;
	return -error;
}

static int refused(int err, const struct nvme_tcp_patience *p)
{
	double ms = nvme_tcp_waited_ms(p);

	switch (err) {
	case -EINTR:
		return err_set(err, "interrupted while connecting, after %.0f ms", ms);
	case -ECONNREFUSED:
		return err_set(err, "connection refused after %.1f ms: nothing listens there", ms);
	case -ETIMEDOUT:
		return err_set(err,
			       "unreachable: no answer to the connection after %.0f ms; the "
			       "machine is off, or a firewall drops it",
			       ms);
	case -EHOSTUNREACH:
	case -ENETUNREACH:
		return err_set(err, "unreachable: %s, after %.1f ms", strerror(-err), ms);
	}
	return err_set(err, "connecting failed after %.1f ms: %s", ms, strerror(-err));
}

int nvme_tcp_dial(const char *host, const char *port, const struct nvme_tcp_patience *p)
{
	struct addrinfo *list = NULL;
	int fd = -1, err = resolve(host, port, 0, p->until_ns, &list);

	if (err)
		return err;
	for (const struct addrinfo *to = list; to; to = to->ai_next) {
		fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (fd < 0) {
			err = -errno;
			continue;
		}
		count_inc(COUNT_FDS);
		err = try_one(fd, to, p);
		if (!err || err == -EINTR || err == -ETIMEDOUT)
			break;
		nvme_tcp_close(&fd);
	}
	freeaddrinfo(list);
	if (!err && fcntl(fd, F_SETFL, 0) < 0)
		err = -errno;
	if (!err)
		return fd;
	if (fd >= 0)
		nvme_tcp_close(&fd);
	return refused(err, p);
}

int nvme_tcp_read_all(int fd, void *buf, size_t len, const struct nvme_tcp_patience *p, size_t *got)
{
	ssize_t n;
	int err;

	for (*got = 0; *got < len;) {
		n = recv(fd, (uint8_t *)buf + *got, len - *got, MSG_DONTWAIT);
		if (n > 0) {
			*got += (size_t)n;
			continue;
		}
		if (!n)
			return -ECONNRESET;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		err = nvme_tcp_await(p, fd, POLLIN);
		if (err)
			return err;
	}
	return 0;
}

int nvme_tcp_write_all(int fd, const void *buf, size_t len, const struct nvme_tcp_patience *p)
{
	const uint8_t *at = buf;
	ssize_t n;
	int err;

	while (len) {
		n = send(fd, at, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n >= 0) {
			at += n;
			len -= (size_t)n;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		err = nvme_tcp_await(p, fd, POLLOUT);
		if (err)
			return err;
	}
	return 0;
}

void nvme_tcp_hang_up(int fd)
{
	if (fd >= 0)
		(void)shutdown(fd, SHUT_RDWR);
}

void nvme_tcp_close(int *fd)
{
	if (*fd < 0)
		return;
	close(*fd);
	*fd = -1;
	count_dec(COUNT_FDS);
}
