/* SPDX-License-Identifier: BSD-3-Clause */
/* LBA locks. */
#include "fixture.h"

static void readers_share(void **state)
{
	assert_int_equal(verify_lock(*state, 10, 8, false), 0);
	assert_int_equal(verify_lock(*state, 14, 8, false), 0);
}

static void a_writer_is_alone(void **state)
{
	assert_int_equal(verify_lock(*state, 10, 8, true), 0);
	assert_int_equal(verify_lock(*state, 17, 1, false), -EBUSY);
	assert_int_equal(verify_lock(*state, 17, 1, true), -EBUSY);
	assert_int_equal(verify_lock(*state, 18, 1, true), 0);
}

static void a_writer_waits_for_all_readers(void **state)
{
	verify_lock(*state, 10, 1, false);
	verify_lock(*state, 10, 1, false);

	verify_unlock(*state, 10, 1, false);
	assert_int_equal(verify_lock(*state, 10, 1, true), -EBUSY);
	verify_unlock(*state, 10, 1, false);
	assert_int_equal(verify_lock(*state, 10, 1, true), 0);
}

static void a_refused_lock_takes_nothing(void **state)
{
	verify_lock(*state, 15, 1, true);

	assert_int_equal(verify_lock(*state, 10, 8, true), -EBUSY);
	assert_int_equal(verify_lock(*state, 10, 5, true), 0);
	assert_int_equal(verify_lock(*state, 16, 2, true), 0);
}

static void the_255th_reader_waits(void **state)
{
	for (int i = 0; i < 254; i++)
		assert_int_equal(verify_lock(*state, 3, 1, false), 0);

	assert_int_equal(verify_lock(*state, 3, 1, false), -EBUSY);
	verify_unlock(*state, 3, 1, false);
	assert_int_equal(verify_lock(*state, 3, 1, false), 0);
}

static void beyond_the_end_there_is_nothing_to_lock(void **state)
{
	assert_int_equal(verify_lock(*state, NLBAS - 1, 4, true), 0);
	assert_int_equal(verify_lock(*state, NLBAS, 4, true), 0);
	assert_int_equal(verify_lock(*state, UINT64_MAX, 4, true), 0);
	verify_unlock(*state, NLBAS - 1, 4, true);
	assert_int_equal(verify_lock(*state, NLBAS - 1, 1, true), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(readers_share, table_setup, table_teardown),
		cmocka_unit_test_setup_teardown(a_writer_is_alone, table_setup, table_teardown),
		cmocka_unit_test_setup_teardown(a_writer_waits_for_all_readers, table_setup,
						table_teardown),
		cmocka_unit_test_setup_teardown(a_refused_lock_takes_nothing, table_setup,
						table_teardown),
		cmocka_unit_test_setup_teardown(the_255th_reader_waits, table_setup,
						table_teardown),
		cmocka_unit_test_setup_teardown(beyond_the_end_there_is_nothing_to_lock,
						table_setup, table_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
