#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "base/counts.h"

#define ROUNDS 300000

static pthread_barrier_t start;

static void *up_and_down(void *arg)
{
	pthread_barrier_wait(&start);
	for (int i = 0; i < ROUNDS; i++) {
		count_inc(COUNT_FDS);
		count_inc(COUNT_FDS);
		count_dec(COUNT_FDS);
	}
	return NULL;
}

static void test_counts_are_exact_across_threads(void **state)
{
	pthread_t thread[2];

	pthread_barrier_init(&start, NULL, 2);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, up_and_down, NULL), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	pthread_barrier_destroy(&start);

	assert_int_equal(count_get(COUNT_FDS), 2 * ROUNDS);
	assert_int_equal(count_get(COUNT_THREADS), 0);
}

static void test_every_count_has_a_name_of_its_own(void **state)
{
	for (int i = 0; i < COUNT_KINDS; i++) {
		assert_non_null(count_name((enum count_kind)i));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(count_name((enum count_kind)i),
						count_name((enum count_kind)j));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_are_exact_across_threads),
		cmocka_unit_test(test_every_count_has_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
