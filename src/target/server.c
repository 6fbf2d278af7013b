/* SPDX-License-Identifier: BSD-3-Clause */
#include "target/server.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/resolve.h"
#include "spec/fabrics.h"
#include "target/loop.h"
#include "target/subsys.h"
#include "target/target.h"

/* Connections of all hosts, connected or not. */
#define CONNECTIONS_MAX 4096
#define BACKLOG		1024
#define RESOLVE_NS	UINT64_C(5000000000) /* for the name of our own address */

/**
 * struct target
 * @lock: guards @assocs and what they say
 * @subsys: the drives; @discovery is beside them
 * @pid: who started it: a forked child has memory and descriptors, no threads
 */
struct target {
	struct subsys *subsys[TARGET_SUBSYS_MAX];
	unsigned int nsubsys;
	struct subsys *discovery;
	pthread_mutex_t lock;
	struct list_node assocs;
	atomic_int connections;
	_Atomic uint64_t memory_bytes;
	uint64_t memory_max_bytes;
	atomic_uint discovery_cntlid;
	struct loop *loops;
	unsigned int nloops;
	char (*hosts)[NVME_NQN_BYTES];
	unsigned int nhosts;
	int listenfd;
	bool public;
	pid_t pid;
	char address[128];
};

void server_lock(struct target *target)
{
	pthread_mutex_lock(&target->lock);
}

void server_unlock(struct target *target)
{
	pthread_mutex_unlock(&target->lock);
}

struct list_node *server_assocs(struct target *target)
{
	return &target->assocs;
}

void server_wake(struct target *target)
{
	for (unsigned int i = 0; i < target->nloops; i++)
		loop_nudge(&target->loops[i]);
}

uint16_t server_discovery_cntlid(struct target *target)
{
	return (uint16_t)(atomic_fetch_add(&target->discovery_cntlid, 1) % 0xff00u + 1);
}

struct subsys *server_find(struct target *target, const char *nqn)
{
	for (unsigned int i = 0; i < target->nsubsys; i++)
		if (!strcmp(target->subsys[i]->nqn, nqn))
			return target->subsys[i];
	return strcmp(nqn, NVME_DISCOVERY_NQN) == 0 ? target->discovery : NULL;
}

struct subsys *server_subsys(struct target *target, unsigned int i)
{
	return i < target->nsubsys ? target->subsys[i] : NULL;
}

bool server_allows(const struct target *target, const char *hostnqn)
{
	bool allowed = !target->nhosts;

	for (unsigned int i = 0; i < target->nhosts && !allowed; i++)
		allowed = !strcmp(target->hosts[i], hostnqn);
	return allowed;
}

bool server_count(struct target *target, int change)
{
	if (atomic_fetch_add(&target->connections, change) + change <= CONNECTIONS_MAX ||
	    change <= 0)
		return true;
	atomic_fetch_sub(&target->connections, change);
	return false;
}

bool server_take(struct target *target, uint64_t bytes)
{
	uint64_t had = atomic_fetch_add(&target->memory_bytes, bytes);

	if (had <= target->memory_max_bytes && bytes <= target->memory_max_bytes - had)
		return true;
	atomic_fetch_sub(&target->memory_bytes, bytes);
	return false;
}

void server_give(struct target *target, uint64_t bytes)
{
	atomic_fetch_sub(&target->memory_bytes, bytes);
}

bool server_is_tight(struct target *target)
{
	return atomic_load_explicit(&target->memory_bytes, memory_order_relaxed) >
	       target->memory_max_bytes / 2;
}

uint64_t target_memory(const struct target *target)
{
	return atomic_load(&target->memory_bytes);
}

unsigned int target_connections(const struct target *target)
{
	return (unsigned int)atomic_load(&target->connections);
}

int target_create(struct target **out, unsigned int threads, uint64_t memory_bytes)
{
	struct target *target;
	int rc;

	if (!threads || threads > TARGET_THREADS_MAX)
		return err_set(-EINVAL, "threads must be 1 to %u, not %u", TARGET_THREADS_MAX,
			       threads);
	if (memory_bytes < TARGET_MEMORY_MIN)
		return err_set(-EINVAL, "memory must be at least %llu bytes, not %llu",
			       TARGET_MEMORY_MIN, (unsigned long long)memory_bytes);
	target = calloc(1, sizeof(*target));
	if (!target)
		return err_set(-ENOMEM, "no memory");
	target->memory_max_bytes = memory_bytes;
	target->listenfd = -1;
	target->pid = getpid();
	list_init(&target->assocs);
	pthread_mutex_init(&target->lock, NULL);
	target->loops = calloc(threads, sizeof(*target->loops));
	rc = target->loops ? subsys_create(&target->discovery, NULL, NULL) :
			     err_set(-ENOMEM, "no memory");
	for (unsigned int i = 0; i < threads && !rc; i++) {
		target->nloops++;
		rc = loop_init(&target->loops[i], target);
	}
	if (rc) {
		target_destroy(target);
		return rc;
	}
	*out = target;
	return 0;
}

int target_add(struct target *target, const char *options, const char *nqn)
{
	struct subsys *sub;
	int rc;

	if (target->nsubsys == TARGET_SUBSYS_MAX)
		return err_set(-ENOSPC, "a target has at most %u SSDs", TARGET_SUBSYS_MAX);
	rc = subsys_create(&sub, options, nqn);
	if (rc)
		return rc;
	if (server_find(target, sub->nqn)) {
		rc = err_set(
			-EINVAL,
			"two SSDs are named %s: give each its own NQN, or its own sn=", sub->nqn);
		subsys_destroy(sub);
		return rc;
	}
	target->subsys[target->nsubsys] = sub;
	return (int)target->nsubsys++;
}

int target_allow(struct target *target, const char *hostnqn)
{
	void *hosts;

	if (!*hostnqn || strlen(hostnqn) > NVME_NQN_MAX)
		return err_set(-EINVAL, "host NQN %.40s: must have 1 to %u bytes", hostnqn,
			       NVME_NQN_MAX);
	hosts = realloc(target->hosts, (target->nhosts + 1) * sizeof(target->hosts[0]));
	if (!hosts)
		return err_set(-ENOMEM, "no memory");
	target->hosts = hosts;
	snprintf(target->hosts[target->nhosts++], NVME_NQN_BYTES, "%s", hostnqn);
	return 0;
}

/* "host:port", "[ipv6]:port", "host": to its parts. */
static int split(const char *address, char *host, size_t bytes, char port[8])
{
	const char *end = strrchr(address, ':'), *from = address, *to = end;

	if (*address == '[') {
		from = address + 1;
		to = strchr(address, ']');
		end = to && to[1] == ':' ? to + 1 : NULL;
		if (!to || (to[1] && !end))
			to = from;
	} else if (!end) {
		to = address + strlen(address);
	}
	snprintf(port, 8, "%s", end ? end + 1 : "4420");
	if (to == from || (size_t)(to - from) >= bytes || strspn(port, "0123456789") == 0 ||
	    strspn(port, "0123456789") != strlen(port) || atoi(port) > 65535)
		return err_set(-EINVAL,
			       "%s is no address like 127.0.0.1:4420, [::1]:4420 or name:4420",
			       address);
	snprintf(host, bytes, "%.*s", (int)(to - from), from);
	return 0;
}

/* Return: the descriptor, or -errno. */
static int try_socket(const struct addrinfo *ai)
{
	int on = 1, fd = socket(ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int rc;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!bind(fd, ai->ai_addr, ai->ai_addrlen) && !listen(fd, BACKLOG))
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

/* A name may have several addresses, some of which are not to be had on this machine. */
static int open_socket(struct target *target, const struct addrinfo *list, const char *address)
{
	int rc = -EADDRNOTAVAIL;

	for (const struct addrinfo *ai = list; ai && rc < 0; ai = ai->ai_next)
		rc = try_socket(ai);
	if (rc < 0)
		return err_set(rc, "%s: cannot listen there: %s", address, strerror(-rc));
	target->listenfd = rc;
	return 0;
}

static bool is_loopback(const struct sockaddr_storage *at)
{
	const struct sockaddr_in *v4 = (const void *)at;
	const struct sockaddr_in6 *v6 = (const void *)at;

	if (at->ss_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

/* Where it really listens: port 0 became another. */
static int note_address(struct target *target)
{
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);
	char host[NI_MAXHOST], port[NI_MAXSERV];

	if (getsockname(target->listenfd, (struct sockaddr *)&at, &len) ||
	    getnameinfo((struct sockaddr *)&at, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		return err_set(-EINVAL, "no name of the socket: %m");
	target->public = !is_loopback(&at);
	snprintf(target->address, sizeof(target->address),
		 at.ss_family == AF_INET6 ? "[%.100s]:%.10s" : "%.100s:%.10s", host, port);
	return 0;
}

int target_start(struct target *target, const char *address)
{
	struct addrinfo *list;
	char host[256], port[8];
	int rc = split(address, host, sizeof(host), port);

	if (rc)
		return rc;
	rc = resolve(host, port, AI_PASSIVE, clock_now_ns() + RESOLVE_NS, &list);
	if (rc) {
		err_add("%s", address);
		return rc == -ENOENT ? -EINVAL : rc;
	}
	rc = open_socket(target, list, address);
	freeaddrinfo(list);
	if (!rc)
		rc = note_address(target);
	for (unsigned int i = 0; i < target->nloops && !rc; i++)
		rc = loop_start(&target->loops[i], target->listenfd);
	if (rc)
		target_stop(target);
	return rc;
}

const char *target_address(const struct target *target)
{
	return target->address;
}

int target_is_public(const struct target *target)
{
	return target->public;
}

void target_stop(struct target *target)
{
	if (target->pid != getpid())
		return;
	for (unsigned int i = 0; i < target->nloops; i++)
		loop_stop(&target->loops[i]);
	/* Not before: a thread may be about to accept, and the number is soon another file's. */
	if (target->listenfd >= 0)
		close(target->listenfd);
	target->listenfd = -1;
}

void target_destroy(struct target *target)
{
	if (!target)
		return;
	target_stop(target);
	for (unsigned int i = 0; i < target->nloops; i++)
		loop_fini(&target->loops[i]);
	for (unsigned int i = 0; i < target->nsubsys; i++)
		subsys_destroy(target->subsys[i]);
	if (target->discovery)
		subsys_destroy(target->discovery);
	if (target->listenfd >= 0)
		close(target->listenfd);
	pthread_mutex_destroy(&target->lock);
	free(target->hosts);
	free(target->loops);
	free(target);
}

struct ssd *target_enter(struct target *target, unsigned int number)
{
	subsys_enter(target->subsys[number], clock_now_ns());
	return target->subsys[number]->ssd;
}

void target_leave(struct target *target, unsigned int number)
{
	subsys_leave(target->subsys[number]);
	/* what was done may have set a time that a sleeping thread does not know */
	server_wake(target);
}
