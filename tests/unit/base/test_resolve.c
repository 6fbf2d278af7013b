/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <netdb.h>
#include <semaphore.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/interrupt.h"
#include "base/resolve.h"

#define MS UINT64_C(1000000)

/* A name service that answers when the test lets it. */
static sem_t answer, answered;

int __real_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
		       struct addrinfo **out);
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
		       struct addrinfo **out);

int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
		       struct addrinfo **out)
{
	int rc;

	if (hints->ai_flags & AI_NUMERICHOST)
		return __real_getaddrinfo(host, port, hints, out);
	sem_wait(&answer);
	rc = strcmp(host, "known.example") ? EAI_NONAME :
					     __real_getaddrinfo("192.0.2.1", port, hints, out);
	sem_post(&answered);
	return rc;
}

static void test_a_number_needs_no_name_service(void **state)
{
	struct addrinfo *list;

	assert_int_equal(resolve("127.0.0.1", "4420", 0, 0, &list), 0);
	assert_int_equal(list->ai_family, AF_INET);
	freeaddrinfo(list);
}

static void test_a_name_is_looked_up(void **state)
{
	struct addrinfo *list;

	sem_post(&answer);
	assert_int_equal(resolve("known.example", "1", 0, clock_now_ns() + 60000 * MS, &list), 0);
	assert_int_equal(list->ai_family, AF_INET);
	freeaddrinfo(list);
	sem_wait(&answered);
}

static void test_a_name_that_is_none_says_so(void **state)
{
	struct addrinfo *list;

	sem_post(&answer);
	assert_int_equal(resolve("none.example", "1", 0, clock_now_ns() + 60000 * MS, &list),
			 -ENOENT);
	assert_non_null(strstr(err_text(), "no such host"));
	sem_wait(&answered);
}

static void test_a_name_service_that_is_silent_is_left_behind(void **state)
{
	struct addrinfo *list;
	uint64_t until_ns = clock_now_ns() + 30 * MS;

	assert_int_equal(resolve("known.example", "1", 0, until_ns, &list), -ETIMEDOUT);
	assert_true(clock_now_ns() >= until_ns);
	assert_non_null(strstr(err_text(), "no answer from the name service after"));
	/* Whoever answers later finds nobody, and frees what was found. */
	sem_post(&answer);
	sem_wait(&answered);
}

static int ctrl_c(void *priv)
{
	return 1;
}

static void test_a_wait_for_a_name_is_cut_short(void **state)
{
	struct interrupt i = { .check = ctrl_c };
	struct addrinfo *list;

	interrupt_set(&i);
	assert_int_equal(resolve("known.example", "1", 0, UINT64_MAX, &list), -EINTR);
	interrupt_set(NULL);
	sem_post(&answer);
	sem_wait(&answered);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_number_needs_no_name_service),
		cmocka_unit_test(test_a_name_is_looked_up),
		cmocka_unit_test(test_a_name_that_is_none_says_so),
		cmocka_unit_test(test_a_name_service_that_is_silent_is_left_behind),
		cmocka_unit_test(test_a_wait_for_a_name_is_cut_short),
	};

	sem_init(&answer, 0, 0);
	sem_init(&answered, 0, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
