/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/interrupt.h"

struct look {
	int calls;
	int answer;
};

static int look(void *priv)
{
	struct look *l = priv;

	l->calls++;
	return l->answer;
}

static void test_nobody_looks_nothing_ends(void **state)
{
	assert_null(interrupt_set(NULL));
	assert_int_equal(interrupt_check("d"), 0);
}

static void test_a_look_that_finds_something_ends_all_waits(void **state)
{
	struct look l = { .answer = 1 };
	struct interrupt i = { .check = look, .priv = &l };

	interrupt_set(&i);
	assert_int_equal(interrupt_check("01:00.0"), -EINTR);
	assert_string_equal(err_text(), "01:00.0: the wait was interrupted");
	l.answer = 0;
	assert_int_equal(interrupt_check("d"), -EINTR);
	assert_int_equal(l.calls, 1);
	interrupt_set(NULL);
	assert_int_equal(interrupt_check("d"), 0);
}

static void test_looks_are_20_ms_apart(void **state)
{
	struct look l = { 0 };
	struct interrupt i = { .check = look, .priv = &l };

	interrupt_set(&i);
	assert_int_equal(interrupt_check("d"), 0);
	assert_int_equal(l.calls, 1);
	i.due_ns = UINT64_MAX;
	assert_int_equal(interrupt_check("d"), 0);
	assert_int_equal(l.calls, 1);
	i.due_ns = clock_now_ns();
	assert_int_equal(interrupt_check("d"), 0);
	assert_int_equal(l.calls, 2);
	assert_true(i.due_ns >= clock_now_ns());
	interrupt_set(NULL);
}

static void test_the_one_before_is_put_back(void **state)
{
	struct look outer = { .answer = 1 }, inner = { 0 };
	struct interrupt o = { .check = look, .priv = &outer },
			 n = { .check = look, .priv = &inner };

	interrupt_set(&o);
	assert_ptr_equal(interrupt_set(&n), &o);
	assert_int_equal(interrupt_check("d"), 0);
	assert_ptr_equal(interrupt_set(&o), &n);
	assert_int_equal(interrupt_check("d"), -EINTR);
	interrupt_set(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_looks_nothing_ends),
		cmocka_unit_test(test_a_look_that_finds_something_ends_all_waits),
		cmocka_unit_test(test_looks_are_20_ms_apart),
		cmocka_unit_test(test_the_one_before_is_put_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
