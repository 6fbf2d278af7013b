/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * resolve.h - addresses of a host by its name, without waiting longer than one wants to.
 */
#ifndef PYNVME_NVME_TCP_RESOLVE_H
#define PYNVME_NVME_TCP_RESOLVE_H

#include "nvme/tcp/socket.h"

struct addrinfo;

/**
 * nvme_tcp_resolve() - getaddrinfo() with a deadline
 * @out: to be given to freeaddrinfo()
 *
 * A name goes to a thread of its own, which is left behind when the wait ends before it.
 * Return: 0, or with a text -ENOENT no such name, -ETIMEDOUT, -EINTR, -ENOMEM.
 */
int nvme_tcp_resolve(const char *host, const char *port, const struct nvme_tcp_patience *p,
		     struct addrinfo **out);

#endif
