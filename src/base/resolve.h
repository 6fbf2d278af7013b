/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * resolve.h - addresses of a host by its name, without waiting longer than one wants to.
 */
#ifndef PYNVME_BASE_RESOLVE_H
#define PYNVME_BASE_RESOLVE_H

#include <stdint.h>

struct addrinfo;

/**
 * resolve() - getaddrinfo() of a stream socket, with a deadline
 * @flags: AI_PASSIVE or 0
 * @until_ns: of base/clock.h; base/interrupt.h ends the wait, too
 * @out: to be given to freeaddrinfo()
 *
 * A name goes to a thread of its own, which is left behind when the wait ends before it.
 * Return: 0, or with a text -ENOENT no such name, -ETIMEDOUT, -EINTR, -ENOMEM.
 */
int resolve(const char *host, const char *port, int flags, uint64_t until_ns,
	    struct addrinfo **out);

#endif
