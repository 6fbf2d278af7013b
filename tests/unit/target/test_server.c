/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a target listens, and what it leaves behind when something is not to be had. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "target/target.h"
#include "target/tcp_conn.h"

/* --- what the machine has not got --- */

int __real_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
		       struct addrinfo **out);
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
		       struct addrinfo **out);

/* A name of two addresses, of which the first is another machine's. */
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
		       struct addrinfo **out)
{
	int rc;

	if (strcmp(host, "two.example") != 0 || hints->ai_flags & AI_NUMERICHOST)
		return __real_getaddrinfo(host, port, hints, out);
	rc = __real_getaddrinfo("192.0.2.1", port, hints, out);
	return rc ? rc : __real_getaddrinfo("127.0.0.1", port, hints, &(*out)->ai_next);
}

static atomic_int joined, joined_at_close;

int __real_pthread_join(pthread_t thread, void **value);
int __wrap_pthread_join(pthread_t thread, void **value);

int __wrap_pthread_join(pthread_t thread, void **value)
{
	int rc = __real_pthread_join(thread, value);

	atomic_fetch_add(&joined, 1);
	return rc;
}

int __real_close(int fd);
int __wrap_close(int fd);

int __wrap_close(int fd)
{
	int listens = 0;
	socklen_t len = sizeof(listens);

	getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len);
	if (listens)
		atomic_store(&joined_at_close, atomic_load(&joined));
	return __real_close(fd);
}

static atomic_int connections_to_fail;

void *__real_calloc(size_t n, size_t bytes);
void *__wrap_calloc(size_t n, size_t bytes);

void *__wrap_calloc(size_t n, size_t bytes)
{
	if (n == 1 && bytes == sizeof(struct tcp_conn) && atomic_load(&connections_to_fail) > 0) {
		atomic_fetch_sub(&connections_to_fail, 1);
		return NULL;
	}
	return __real_calloc(n, bytes);
}

/* --- tests --- */

static struct target *create(unsigned int threads)
{
	struct target *t;

	assert_int_equal(target_create(&t, threads, TARGET_MEMORY_MIN), 0);
	assert_int_equal(target_add(t, "size=16M", NULL), 0);
	return t;
}

static void test_a_name_is_tried_at_all_of_its_addresses(void **state)
{
	struct target *t = create(1);

	if (target_start(t, "two.example:0"))
		fail_msg("%s", err_text());
	assert_int_equal(strncmp(target_address(t), "127.0.0.1:", 10), 0);
	target_destroy(t);
}

static void test_a_listener_is_closed_when_its_threads_are_gone(void **state)
{
	struct target *t = create(3);

	atomic_store(&joined, 0);
	atomic_store(&joined_at_close, -1);
	assert_int_equal(target_start(t, "127.0.0.1:0"), 0);
	/* a lookup of a name would have a thread, too; a number has none */
	target_stop(t);
	assert_int_equal(atomic_load(&joined_at_close), 3);
	target_destroy(t);
}

static void test_a_connection_without_memory_is_not_counted(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	struct target *t = create(1);
	char byte;
	int fd;

	assert_int_equal(target_start(t, "127.0.0.1:0"), 0);
	at.sin_port = htons((uint16_t)atoi(strchr(target_address(t), ':') + 1));
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	atomic_store(&connections_to_fail, 1);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_true(recv(fd, &byte, 1, 0) <= 0);
	close(fd);
	assert_int_equal(atomic_load(&connections_to_fail), 0);
	assert_int_equal(target_connections(t), 0);
	assert_int_equal(target_memory(t), 0);
	target_destroy(t);
}

static void local_is(const struct sockaddr_storage *at, const char *text, bool ipv6)
{
	struct tcp_local local;

	tcp_local_of(&local, at);
	assert_string_equal(local.address, text);
	assert_string_equal(local.port, "4420");
	assert_int_equal(local.ipv6, ipv6);
}

static void test_a_hosts_view_of_our_address_is_what_discovery_says(void **state)
{
	static const struct {
		const char *text, *is;
		bool ipv6;
	} rows[] = {
		{ "2001:db8::1", "2001:db8::1", true },
		{ "fe80::1", "fe80::1", true },
		{ "::1", "::1", true },
		{ "::ffff:192.0.2.7", "192.0.2.7", false },
		{ "::192.0.2.7", "::192.0.2.7", true },
	};
	struct sockaddr_storage at = { 0 };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(4420) };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(4420) };

		assert_int_equal(inet_pton(AF_INET6, rows[i].text, &v6.sin6_addr), 1);
		v6.sin6_scope_id = if_nametoindex("lo");
		memcpy(&at, &v6, sizeof(v6));
		local_is(&at, rows[i].is, rows[i].ipv6);
	}
	assert_int_equal(inet_pton(AF_INET, "192.0.2.7", &v4.sin_addr), 1);
	memcpy(&at, &v4, sizeof(v4));
	local_is(&at, "192.0.2.7", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_name_is_tried_at_all_of_its_addresses),
		cmocka_unit_test(test_a_listener_is_closed_when_its_threads_are_gone),
		cmocka_unit_test(test_a_connection_without_memory_is_not_counted),
		cmocka_unit_test(test_a_hosts_view_of_our_address_is_what_discovery_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
