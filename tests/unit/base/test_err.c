#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/err.h"

static int setup(void **state)
{
	err_clear();
	return 0;
}

static void test_set_returns_the_error_and_keeps_the_text(void **state)
{
	assert_int_equal(err_set(-ENOENT, "no device at %s", "01:00.0"), -ENOENT);

	assert_string_equal(err_text(), "no device at 01:00.0");
}

static void test_add_puts_context_in_front(void **state)
{
	err_set(-EACCES, "permission denied");

	err_add("cannot open %s", "/dev/vfio/1");

	assert_string_equal(err_text(), "cannot open /dev/vfio/1: permission denied");
}

static void test_add_without_an_error_is_the_context(void **state)
{
	err_add("alone");

	assert_string_equal(err_text(), "alone");
}

static void test_clear_forgets(void **state)
{
	err_set(-EIO, "x");

	err_clear();

	assert_string_equal(err_text(), "");
}

static void test_the_text_may_quote_the_one_before(void **state)
{
	err_set(-EIO, "inner");

	err_set(-EIO, "outer, because of %s", err_text());

	assert_string_equal(err_text(), "outer, because of inner");
}

static void test_percent_m_is_the_callers_errno(void **state)
{
	errno = ENOSPC;

	err_set(-errno, "write: %m");

	assert_string_equal(err_text(), "write: No space left on device");
	assert_int_equal(errno, ENOSPC);
}

static void test_a_long_text_is_cut_at_its_end(void **state)
{
	char word[2000];

	memset(word, 'a', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';

	err_set(-EIO, "%s", word);
	err_add("front");

	assert_int_equal(strlen(err_text()), ERR_TEXT_BYTES - 1);
	assert_memory_equal(err_text(), "front: aaaa", 11);
}

static void *look_in_another_thread(void *arg)
{
	strcpy(arg, err_text());
	return NULL;
}

static void test_each_thread_has_its_own_text(void **state)
{
	char seen[ERR_TEXT_BYTES] = "unset";
	pthread_t thread;

	err_set(-EIO, "mine");
	assert_int_equal(pthread_create(&thread, NULL, look_in_another_thread, seen), 0);
	pthread_join(thread, NULL);

	assert_string_equal(seen, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_set_returns_the_error_and_keeps_the_text, setup),
		cmocka_unit_test_setup(test_add_puts_context_in_front, setup),
		cmocka_unit_test_setup(test_add_without_an_error_is_the_context, setup),
		cmocka_unit_test_setup(test_clear_forgets, setup),
		cmocka_unit_test_setup(test_the_text_may_quote_the_one_before, setup),
		cmocka_unit_test_setup(test_percent_m_is_the_callers_errno, setup),
		cmocka_unit_test_setup(test_a_long_text_is_cut_at_its_end, setup),
		cmocka_unit_test_setup(test_each_thread_has_its_own_text, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
