/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * socket.h - a TCP connection comes about: names, connecting, exact reads, all before a deadline.
 */
#ifndef PYNVME_NVME_TCP_SOCKET_H
#define PYNVME_NVME_TCP_SOCKET_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct nvme_tcp_patience - how long to wait for a peer; base/interrupt.h ends a wait, too
 * @begin_ns, @until_ns: of base/clock.h
 */
struct nvme_tcp_patience {
	uint64_t begin_ns;
	uint64_t until_ns;
};

/* Milliseconds since it began. */
double nvme_tcp_waited_ms(const struct nvme_tcp_patience *p);

/**
 * nvme_tcp_await() - until @fd is ready for the poll() events in @events
 * Return: 0, -ETIMEDOUT or -EINTR (interrupted), both without a text.
 */
int nvme_tcp_await(const struct nvme_tcp_patience *p, int fd, short events);

/**
 * nvme_tcp_dial() - a connected socket, without Nagle's delay and with large buffers
 *
 * Return: the descriptor, or with a text that says what went wrong and after how long: -ENOENT no
 * such name, -ECONNREFUSED, -EHOSTUNREACH, -ETIMEDOUT, -EINTR.
 */
int nvme_tcp_dial(const char *host, const char *port, const struct nvme_tcp_patience *p);

/* All of @buf, or -ETIMEDOUT, -EINTR, -ECONNRESET (also at the end of the stream), no text. */
int nvme_tcp_read_all(int fd, void *buf, size_t len, const struct nvme_tcp_patience *p,
		      size_t *got);
int nvme_tcp_write_all(int fd, const void *buf, size_t len, const struct nvme_tcp_patience *p);

/* The connection ends at once for both; whoever is inside of a call returns. */
void nvme_tcp_hang_up(int fd);
void nvme_tcp_close(int *fd);

#endif
