/* SPDX-License-Identifier: BSD-3-Clause */
#include "nvme/tcp/resolve.h"

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

#include "base/err.h"

/* Of the thread and of whoever waits for it; the last one frees it. */
struct lookup {
	char host[256];
	char port[16];
	struct addrinfo *result;
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

	lookup->error = look_up(lookup->host, lookup->port, 0, &lookup->result);
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

static struct lookup *create(const char *host, const char *port)
{
	struct lookup *lookup = calloc(1, sizeof(*lookup));

	if (!lookup)
		return NULL;
	snprintf(lookup->host, sizeof(lookup->host), "%s", host);
	snprintf(lookup->port, sizeof(lookup->port), "%s", port);
	atomic_store(&lookup->refs, 2);
	lookup->done_fd = eventfd(0, EFD_CLOEXEC);
	if (lookup->done_fd >= 0)
		return lookup;
	free(lookup);
	return NULL;
}

static int finish(struct lookup *lookup, int err, const struct nvme_tcp_patience *p,
		  struct addrinfo **out)
{
	if (err == -EINTR)
		return err_set(err, "interrupted while its address was looked up");
	if (err)
		return err_set(err, "no answer from the name service after %.0f ms",
			       nvme_tcp_waited_ms(p));
	if (lookup->error)
		return err_set(-ENOENT, "no such host: %s", gai_strerror(lookup->error));
	*out = lookup->result;
	lookup->result = NULL;
	return 0;
}

int nvme_tcp_resolve(const char *host, const char *port, const struct nvme_tcp_patience *p,
		     struct addrinfo **out)
{
	struct lookup *lookup;
	int err;

	if (!look_up(host, port, AI_NUMERICHOST, out))
		return 0;
	lookup = create(host, port);
	err = lookup ? start(lookup) : -ENOMEM;
	if (err) {
		if (lookup) {
			put(lookup);
			put(lookup);
		}
		return err_set(err, "no memory to look a name up");
	}
	err = finish(lookup, nvme_tcp_await(p, lookup->done_fd, POLLIN), p, out);
	put(lookup);
	return err;
}
