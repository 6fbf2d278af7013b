#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/spin.h"

/* How many sleeps begin at once before looking is worth it again. */
static unsigned int shunned(struct spin *s)
{
	unsigned int n = 0;

	while (!spin_pays(s))
		n++;
	return n;
}

static void test_a_thread_looks_before_its_first_sleep(void **state)
{
	struct spin s = { 0 };

	assert_int_equal(shunned(&s), 0);
}

static void test_each_look_in_vain_costs_twice_as_many_sleeps(void **state)
{
	struct spin s = { 0 };

	for (unsigned int sleeps = 1; sleeps <= SPIN_SHUN_MAX; sleeps = 2 * sleeps + 1) {
		spin_ended(&s, false);
		assert_int_equal(shunned(&s), sleeps);
	}
	spin_ended(&s, false);
	assert_int_equal(shunned(&s), SPIN_SHUN_MAX);
}

static void test_what_came_has_the_thread_look_every_time(void **state)
{
	struct spin s = { 0 };

	spin_ended(&s, false);
	spin_ended(&s, false);
	spin_ended(&s, true);
	assert_int_equal(shunned(&s), 0);
	spin_ended(&s, false);
	assert_int_equal(shunned(&s), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_thread_looks_before_its_first_sleep),
		cmocka_unit_test(test_each_look_in_vain_costs_twice_as_many_sleeps),
		cmocka_unit_test(test_what_came_has_the_thread_look_every_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
