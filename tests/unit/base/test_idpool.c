#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/idpool.h"

static void test_ids_come_lowest_first_then_last_returned_first(void **state)
{
	uint16_t ids[4];
	struct idpool p;

	idpool_init(&p, ids, 10, 4);

	assert_int_equal(idpool_get(&p), 10);
	assert_int_equal(idpool_get(&p), 11);
	idpool_put(&p, 10);
	assert_int_equal(idpool_get(&p), 10);
	assert_int_equal(idpool_get(&p), 12);
	assert_int_equal(idpool_get(&p), 13);
}

static void test_an_empty_pool_gives_nothing(void **state)
{
	uint16_t ids[1];
	struct idpool p;

	idpool_init(&p, ids, 0, 1);
	idpool_get(&p);

	assert_int_equal(idpool_get(&p), -1);
}

static void test_every_16_bit_id_can_be_in_a_pool(void **state)
{
	static uint16_t ids[65536];
	struct idpool p;

	idpool_init(&p, ids, 0, 65536);
	for (int i = 0; i < 65536; i++)
		assert_int_equal(idpool_get(&p), i);
	assert_int_equal(idpool_get(&p), -1);
}

static void test_reserved_ids_are_not_given(void **state)
{
	uint16_t ids[8];
	struct idpool p;

	idpool_init(&p, ids, 0, 8);

	assert_int_equal(idpool_reserve(&p, 1, 5), 5);
	assert_int_equal(idpool_get(&p), 0);
	assert_int_equal(idpool_get(&p), 6);
	assert_int_equal(idpool_get(&p), 7);
	assert_int_equal(idpool_get(&p), -1);
}

static void test_reserving_counts_only_free_ids(void **state)
{
	uint16_t ids[4];
	struct idpool p;

	idpool_init(&p, ids, 0, 4);
	idpool_get(&p);

	assert_int_equal(idpool_reserve(&p, 0, 1), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids_come_lowest_first_then_last_returned_first),
		cmocka_unit_test(test_an_empty_pool_gives_nothing),
		cmocka_unit_test(test_every_16_bit_id_can_be_in_a_pool),
		cmocka_unit_test(test_reserved_ids_are_not_given),
		cmocka_unit_test(test_reserving_counts_only_free_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
