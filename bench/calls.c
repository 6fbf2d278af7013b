/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counts the system calls that a worker over NVMe/TCP makes, without slowing them down as a
 * tracer does: preloaded, it stands before those functions of the C library.
 *
 *     cc -shared -fPIC -O2 -o calls.so calls.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

static atomic_uint_fast64_t calls;

/* All of them so far, of all threads. */
uint64_t bench_calls(void)
{
	return atomic_load_explicit(&calls, memory_order_relaxed);
}

#define COUNTED(type, name, params, args)                                          \
	type name params                                                           \
	{                                                                          \
		static type(*next) params;                                         \
		atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);        \
		if (!next)                                                         \
			next = (type(*) params)(uintptr_t)dlsym(RTLD_NEXT, #name); \
		return next args;                                                  \
	}

COUNTED(ssize_t, send, (int fd, const void *buf, size_t n, int flags), (fd, buf, n, flags))
COUNTED(ssize_t, sendmsg, (int fd, const struct msghdr *msg, int flags), (fd, msg, flags))
COUNTED(ssize_t, recv, (int fd, void *buf, size_t n, int flags), (fd, buf, n, flags))
COUNTED(ssize_t, __recv_chk, (int fd, void *buf, size_t n, size_t room, int flags),
	(fd, buf, n, room, flags))
COUNTED(ssize_t, recvmsg, (int fd, struct msghdr *msg, int flags), (fd, msg, flags))
COUNTED(int, poll, (struct pollfd * fds, nfds_t n, int ms), (fds, n, ms))
COUNTED(int, __poll_chk, (struct pollfd * fds, nfds_t n, int ms, size_t room), (fds, n, ms, room))
COUNTED(int, sched_yield, (void), ())
COUNTED(int, nanosleep, (const struct timespec *time, struct timespec *left), (time, left))
COUNTED(int, clock_nanosleep,
	(clockid_t id, int flags, const struct timespec *time, struct timespec *left),
	(id, flags, time, left))
