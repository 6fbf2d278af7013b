#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/log.h"

static char seen[2048];
static unsigned seen_count;
static enum log_level seen_level;

static void sink(enum log_level level, const char *text)
{
	strcpy(seen, text);
	seen_level = level;
	seen_count++;
}

static int setup(void **state)
{
	seen_count = 0;
	log_set_sink(sink);
	log_set_level(LOG_LEVEL_WARN);
	return 0;
}

static void test_a_message_reaches_the_sink(void **state)
{
	log_error("queue %d is %s", 3, "dead");

	assert_int_equal(seen_count, 1);
	assert_string_equal(seen, "queue 3 is dead");
	assert_int_equal(seen_level, LOG_LEVEL_ERROR);
}

static void test_messages_below_the_level_are_dropped(void **state)
{
	log_warn("kept");
	log_info("dropped");
	log_debug("dropped");
	assert_int_equal(seen_count, 1);

	log_set_level(LOG_LEVEL_DEBUG);
	log_info("kept");
	log_debug("kept");
	assert_int_equal(seen_count, 3);
}

static void test_a_level_has_a_name(void **state)
{
	assert_int_equal(log_set_level_by_name("Info"), 0);
	assert_true(log_enabled(LOG_LEVEL_INFO));
	assert_false(log_enabled(LOG_LEVEL_DEBUG));

	assert_int_equal(log_set_level_by_name("debugging"), -EINVAL);
	assert_int_equal(log_set_level_by_name(""), -EINVAL);
	assert_true(log_enabled(LOG_LEVEL_INFO));
	assert_false(log_enabled(LOG_LEVEL_DEBUG));
}

static int evaluated;

static int evaluate(void)
{
	return ++evaluated;
}

static void test_arguments_of_a_dropped_message_are_not_evaluated(void **state)
{
	log_debug("%d", evaluate());

	assert_int_equal(evaluated, 0);
}

static void test_a_long_message_is_cut(void **state)
{
	char word[2000];

	memset(word, 'a', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';

	log_error("%s", word);

	assert_int_equal(strlen(seen), 1023);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_message_reaches_the_sink, setup),
		cmocka_unit_test_setup(test_messages_below_the_level_are_dropped, setup),
		cmocka_unit_test_setup(test_a_level_has_a_name, setup),
		cmocka_unit_test_setup(test_arguments_of_a_dropped_message_are_not_evaluated,
				       setup),
		cmocka_unit_test_setup(test_a_long_message_is_cut, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
