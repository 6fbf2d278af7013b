/* SPDX-License-Identifier: BSD-3-Clause */
/* What stays known after a loss of power. */
#include "fixture.h"

static void an_unflushed_write_becomes_unknown(void **state)
{
	uint8_t data[LBA_BYTES];

	write_lbas(*state, data, 1, 1, 0);
	verify_power_lost(*state);

	assert_false(known(*state, 1));
}

static void a_flushed_write_stays(void **state)
{
	uint8_t data[LBA_BYTES];

	write_lbas(*state, data, 1, 1, 0);
	flush(*state);
	verify_power_lost(*state);

	assert_true(known(*state, 1));
}

static void a_fua_write_stays(void **state)
{
	uint8_t data[3 * LBA_BYTES];

	write_lbas(*state, data, 8, 3, 0);
	write_lbas(*state, data, 9, 1, 1);
	verify_power_lost(*state);

	assert_false(known(*state, 8));
	assert_true(known(*state, 9));
	assert_false(known(*state, 10));
}

static void a_write_in_flight_becomes_unknown(void **state)
{
	uint8_t data[LBA_BYTES];

	write_lbas(*state, data, 1, 1, 1);
	verify_stamp(*state, data, 1, 1, LBA_BYTES);
	verify_power_lost(*state);

	assert_false(known(*state, 1));
}

static void a_flush_does_not_cover_what_was_in_flight(void **state)
{
	uint8_t data[LBA_BYTES];
	uint64_t flushing;

	verify_stamp(*state, data, 1, 1, LBA_BYTES);
	flushing = verify_flush_begin(*state);
	verify_written(*state, 1, 1, true, false);
	verify_flush_end(*state, flushing, true);
	verify_power_lost(*state);

	assert_false(known(*state, 1));
}

static void a_failed_flush_covers_nothing(void **state)
{
	uint8_t data[LBA_BYTES];

	write_lbas(*state, data, 1, 1, 0);
	verify_flush_end(*state, verify_flush_begin(*state), false);
	verify_power_lost(*state);

	assert_false(known(*state, 1));
}

/* Of a table that was there before, say. */
static void a_flush_that_never_began_covers_nothing(void **state)
{
	uint8_t data[LBA_BYTES];
	uint64_t now = verify_flush_begin(*state) + 1;

	write_lbas(*state, data, 1, 1, 0);
	verify_flush_end(*state, now, true);
	verify_flush_end(*state, now + 1, true);
	verify_power_lost(*state);

	assert_false(known(*state, 1));
}

static void an_unfinished_flush_covers_nothing(void **state)
{
	uint8_t data[LBA_BYTES];

	write_lbas(*state, data, 1, 1, 0);
	verify_flush_begin(*state);
	verify_power_lost(*state);

	assert_false(known(*state, 1));
}

static void flushes_may_overlap_and_end_in_any_order(void **state)
{
	uint8_t data[LBA_BYTES];
	uint64_t first, second;

	write_lbas(*state, data, 1, 1, 0);
	first = verify_flush_begin(*state);
	write_lbas(*state, data, 2, 1, 0);
	second = verify_flush_begin(*state);
	write_lbas(*state, data, 3, 1, 0);
	verify_flush_end(*state, second, true);
	verify_flush_end(*state, first, false);
	verify_power_lost(*state);

	assert_true(known(*state, 1));
	assert_true(known(*state, 2));
	assert_false(known(*state, 3));
}

static void a_hundred_flushes_later_all_is_as_strict(void **state)
{
	uint8_t data[LBA_BYTES];

	for (uint64_t lba = 0; lba < 100; lba++) {
		write_lbas(*state, data, lba * 40, 1, 0);
		flush(*state);
	}
	write_lbas(*state, data, 4500, 1, 0);
	verify_power_lost(*state);

	for (uint64_t lba = 0; lba < 100; lba++)
		assert_true(known(*state, lba * 40));
	assert_false(known(*state, 4500));
}

static void many_unfinished_flushes_forget_only_too_much(void **state)
{
	uint8_t data[LBA_BYTES];
	uint64_t last = 0;

	for (uint64_t lba = 0; lba < 40; lba++) {
		write_lbas(*state, data, lba, 1, 0);
		last = verify_flush_begin(*state);
	}
	verify_flush_end(*state, last, true);
	write_lbas(*state, data, 40, 1, 0);
	flush(*state);
	write_lbas(*state, data, 41, 1, 0);
	verify_power_lost(*state);

	for (uint64_t lba = 0; lba <= 40; lba++)
		assert_true(known(*state, lba));
	assert_false(known(*state, 41));
}

static void what_survived_once_survives_again(void **state)
{
	uint8_t data[2 * LBA_BYTES];

	write_lbas(*state, data, 1, 1, 0);
	flush(*state);
	verify_power_lost(*state);
	write_lbas(*state, data, 2, 1, 0);
	verify_power_lost(*state);

	assert_true(known(*state, 1));
	assert_false(known(*state, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_unflushed_write_becomes_unknown, table_setup,
						table_teardown),
		cmocka_unit_test_setup_teardown(a_flushed_write_stays, table_setup, table_teardown),
		cmocka_unit_test_setup_teardown(a_fua_write_stays, table_setup, table_teardown),
		cmocka_unit_test_setup_teardown(a_write_in_flight_becomes_unknown, table_setup,
						table_teardown),
		cmocka_unit_test_setup_teardown(a_flush_does_not_cover_what_was_in_flight,
						table_setup, table_teardown),
		cmocka_unit_test_setup_teardown(a_failed_flush_covers_nothing, table_setup,
						table_teardown),
		cmocka_unit_test_setup_teardown(a_flush_that_never_began_covers_nothing,
						table_setup, table_teardown),
		cmocka_unit_test_setup_teardown(an_unfinished_flush_covers_nothing, table_setup,
						table_teardown),
		cmocka_unit_test_setup_teardown(flushes_may_overlap_and_end_in_any_order,
						table_setup, table_teardown),
		cmocka_unit_test_setup_teardown(a_hundred_flushes_later_all_is_as_strict,
						table_setup, table_teardown),
		cmocka_unit_test_setup_teardown(many_unfinished_flushes_forget_only_too_much,
						table_setup, table_teardown),
		cmocka_unit_test_setup_teardown(what_survived_once_survives_again, table_setup,
						table_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
