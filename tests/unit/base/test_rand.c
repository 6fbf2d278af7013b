#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/rand.h"

static void test_streams_of_xoshiro256pp(void **state)
{
	struct rand r = { { 1, 2, 3, 4 } };

	/* The reference implementation's first numbers from this state. */
	assert_true(rand_next(&r) == 41943041);
	assert_true(rand_next(&r) == 58720359);
	assert_true(rand_next(&r) == 3588806011781223ull);
	assert_true(rand_next(&r) == 3591011842654386ull);
}

static void test_seed_is_expanded_by_splitmix64(void **state)
{
	struct rand r;

	rand_seed(&r, 1234567);

	/* splitmix64's first numbers from 1234567 */
	assert_true(r.s[0] == 6457827717110365317ull);
	assert_true(r.s[1] == 3203168211198807973ull);
	assert_true(r.s[2] == 9817491932198370423ull);
}

static void test_one_seed_gives_one_stream(void **state)
{
	struct rand a;
	struct rand b;

	rand_seed(&a, 42);
	rand_seed(&b, 42);
	for (int i = 0; i < 100; i++)
		assert_true(rand_next(&a) == rand_next(&b));
}

static void test_derived_streams_differ(void **state)
{
	uint64_t first[64];
	struct rand r;

	for (uint64_t i = 0; i < 64; i++) {
		rand_seed(&r, rand_derive(7, i));
		first[i] = rand_next(&r);
		for (uint64_t j = 0; j < i; j++)
			assert_true(first[i] != first[j]);
	}
	assert_true(rand_derive(7, 0) != rand_derive(8, 0));
}

static void test_below_stays_below(void **state)
{
	struct rand r;

	rand_seed(&r, 3);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(rand_below(&r, 1), 0);
		assert_true(rand_below(&r, 3) < 3);
		assert_true(rand_below(&r, UINT64_MAX) < UINT64_MAX);
	}
}

static void test_below_is_even(void **state)
{
	/* 3/4 of 2^64: without rejection the first third would come half as often again */
	uint64_t bound = 3ull << 62;
	unsigned third[3] = { 0 };
	struct rand r;

	rand_seed(&r, 5);
	for (int i = 0; i < 30000; i++)
		third[rand_below(&r, bound) / (1ull << 62)]++;

	for (int i = 0; i < 3; i++)
		assert_in_range(third[i], 9700, 10300);
}

static void test_below_rejects_the_uneven_rest(void **state)
{
	/* xoshiro256++ gives 0 first from this state: the product's low half, 0, is in the rest */
	struct rand r = { { 0, 1, 0, 0 } };
	struct rand plain = r;
	uint64_t bound = 3ull << 62;
	uint64_t second;

	assert_true(rand_next(&plain) == 0);
	second = rand_next(&plain);

	assert_true(rand_below(&r, bound) == (uint64_t)((unsigned __int128)second * bound >> 64));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams_of_xoshiro256pp),
		cmocka_unit_test(test_seed_is_expanded_by_splitmix64),
		cmocka_unit_test(test_one_seed_gives_one_stream),
		cmocka_unit_test(test_derived_streams_differ),
		cmocka_unit_test(test_below_stays_below),
		cmocka_unit_test(test_below_is_even),
		cmocka_unit_test(test_below_rejects_the_uneven_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
