/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/interrupt.h"

#define SLICE_MS 50u

/* Of the thread and of whoever waits for it; the last one frees it. */
struct lookup {
	char host[256];
	char port[16];
	struct addrinfo *result;
	int flags;
	int error; /* of getaddrinfo() */
	int done_fd;
	_Atomic int refs;
};

static int look_up(const char *host, const char *port, int flags, struct addrinfo **out)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
					.ai_flags = flags | AI_NUMERICSERV };

	return getaddrinfo(host, port, &hints, out);
}

static void put(struct lookup *lookup)
{
	if (atomic_fetch_sub(&lookup->refs, 1) != 1)
		return;
	if (lookup->result)
		freeaddrinfo(lookup->result);
	close(lookup->done_fd);
	free(lookup);
}

static void *body(void *arg)
{
	struct lookup *lookup = arg;

	lookup->error = look_up(lookup->host, lookup->port, lookup->flags, &lookup->result);
	eventfd_write(lookup->done_fd, 1);
	put(lookup);
	return NULL;
}

/* Signals belong to the threads of the script. */
static int start(struct lookup *lookup)
{
	sigset_t all, old;
	pthread_t thread;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&thread, NULL, body, lookup);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!err)
		pthread_detach(thread);
	return -err;
}

static struct lookup *create(const char *host, const char *port, int flags)
{
	struct lookup *lookup = calloc(1, sizeof(*lookup));

	if (!lookup)
		return NULL;
	snprintf(lookup->host, sizeof(lookup->host), "%s", host);
	snprintf(lookup->port, sizeof(lookup->port), "%s", port);
	lookup->flags = flags;
	atomic_store(&lookup->refs, 2);
	lookup->done_fd = eventfd(0, EFD_CLOEXEC);
	if (lookup->done_fd >= 0)
		return lookup;
	free(lookup);
	return NULL;
}

/* 0, -ETIMEDOUT or -EINTR. */
static int await(const struct lookup *lookup, uint64_t until_ns)
{
	struct pollfd pfd = { .fd = lookup->done_fd, .events = POLLIN };

	for (;;) {
		uint64_t now_ns = clock_now_ns();
		uint64_t left_ms = now_ns < until_ns ? (until_ns - now_ns) / 1000000 + 1 : 0;

		if (poll(&pfd, 1, (int)(left_ms < SLICE_MS ? left_ms : SLICE_MS)) > 0)
			return 0;
		if (interrupt_check(lookup->host))
			return -EINTR;
		if (!left_ms)
			return -ETIMEDOUT;
	}
}

static int finish(struct lookup *lookup, int err, uint64_t begin_ns, struct addrinfo **out)
{
	if (err == -EINTR)
		return err_set(err, "interrupted while its address was looked up");
	if (err)
		return err_set(err, "no answer from the name service after %.0f ms",
			       (double)(clock_now_ns() - begin_ns) / 1e6);
	if (lookup->error)
		return err_set(-ENOENT, "no such host: %s", gai_strerror(lookup->error));
	*out = lookup->result;
	lookup->result = NULL;
	return 0;
}

int resolve(const char *host, const char *port, int flags, uint64_t until_ns, struct addrinfo **out)
{
	uint64_t begin_ns = clock_now_ns();
	struct lookup *lookup;
	int err;

	if (!look_up(host, port, flags | AI_NUMERICHOST, out))
		return 0;
	lookup = create(host, port, flags);
	err = lookup ? start(lookup) : -ENOMEM;
	if (err) {
		if (lookup) {
			put(lookup);
			put(lookup);
		}
		return err_set(err, "no memory to look a name up");
	}
	err = finish(lookup, await(lookup, until_ns), begin_ns, out);
	put(lookup);
	return err;
}
