// SPDX-License-Identifier: BSD-3-Clause
/* Connections to a name of several addresses, of which some or all lead nowhere. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/counts.h"
#include "base/err.h"
#include "nvme/tcp/socket.h"

#define NAME	 "several.example"
#define SECOND	 UINT64_C(1000000000)
#define NO_ONE_A "127.0.0.2"
#define NO_ONE_B "127.0.0.3"
#define SERVER	 "127.0.0.1"

/* What NAME is resolved to; all of it is this machine. */
static const char *const *addresses;

int __real_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
		       struct addrinfo **out);
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
		       struct addrinfo **out);

int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
		       struct addrinfo **out)
{
	int rc = 0;

	if (strcmp(host, NAME) != 0)
		return __real_getaddrinfo(host, port, hints, out);
	if (hints->ai_flags & AI_NUMERICHOST)
		return EAI_NONAME;
	for (unsigned int i = 0; addresses[i] && !rc; i++) {
		rc = __real_getaddrinfo(addresses[i], port, hints, out);
		while (!rc && *out)
			out = &(*out)->ai_next;
	}
	return rc;
}

/* Listens at SERVER only; its port. */
static int listen_at(char port[8])
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = inet_addr(SERVER);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	snprintf(port, 8, "%u", ntohs(at.sin_port));
	return fd;
}

static int dial(const char *const *where, const char *port)
{
	struct nvme_tcp_patience p = { .begin_ns = clock_now_ns() };

	p.until_ns = p.begin_ns + 10 * SECOND;
	addresses = where;
	return nvme_tcp_dial(NAME, port, &p);
}

static void the_address_that_answers_is_found_wherever_it_stands(void **state)
{
	static const char *const places[][4] = {
		{ SERVER, NO_ONE_A, NO_ONE_B },
		{ NO_ONE_A, SERVER, NO_ONE_B },
		{ NO_ONE_A, NO_ONE_B, SERVER },
	};
	int64_t before = count_get(COUNT_FDS);
	char port[8];
	int server = listen_at(port), fd;

	for (unsigned int i = 0; i < 3; i++) {
		fd = dial(places[i], port);
		if (fd < 0)
			fail_msg("%u: %s", i, err_text());
		assert_int_equal(count_get(COUNT_FDS), before + 1);
		nvme_tcp_close(&fd);
		assert_int_equal(count_get(COUNT_FDS), before);
	}
	close(server);
}

static void a_name_that_leads_nowhere_is_refused_and_leaves_nothing(void **state)
{
	static const char *const nowhere[] = { NO_ONE_A, NO_ONE_B, NULL };
	int64_t before = count_get(COUNT_FDS);
	char port[8];
	int server = listen_at(port);

	assert_int_equal(dial(nowhere, port), -ECONNREFUSED);
	assert_non_null(strstr(err_text(), "nothing listens there"));
	assert_int_equal(count_get(COUNT_FDS), before);
	close(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_address_that_answers_is_found_wherever_it_stands),
		cmocka_unit_test(a_name_that_leads_nowhere_is_refused_and_leaves_nothing),
	};

	return cmocka_run_group_tests_name("nvme/tcp/dial", tests, NULL, NULL);
}
