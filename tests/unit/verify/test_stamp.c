/* SPDX-License-Identifier: BSD-3-Clause */
/* What a write puts into its data, and what a read is checked for. */
#include "fixture.h"

#include "base/crc32c.h"

static void stamps_number_and_token(void **state)
{
	uint8_t data[3 * LBA_BYTES] = { 0 };
	uint64_t first;

	verify_stamp(*state, data, 100, 3, LBA_BYTES);

	first = get_u64(data + LBA_BYTES - 8);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(get_u64(data + i * LBA_BYTES), 100 + i);
		assert_int_equal(get_u64(data + (i + 1) * LBA_BYTES - 8), first + i);
	}
}

static void a_long_write_is_stamped_without_a_gap(void **state)
{
	/* From the end of a group over a whole one to behind the end of the namespace. */
	const uint64_t slba = 3 * 1024 - 5;
	const unsigned int nlb = (unsigned int)(NLBAS - slba) + 11;
	uint8_t *data = calloc(nlb, LBA_BYTES);
	uint64_t first;

	verify_stamp(*state, data, slba, nlb, LBA_BYTES);

	first = get_u64(data + LBA_BYTES - 8);
	for (size_t i = 0; i < nlb; i++) {
		assert_int_equal(get_u64(data + i * LBA_BYTES), slba + i);
		assert_int_equal(get_u64(data + (i + 1) * LBA_BYTES - 8), first + i);
	}
	free(data);
}

static void the_next_write_goes_on_where_tokens_ended(void **state)
{
	uint8_t data[5 * LBA_BYTES];
	uint64_t last;

	verify_stamp(*state, data, 100, 5, LBA_BYTES);
	last = get_u64(data + 5 * LBA_BYTES - 8);
	verify_stamp(*state, data, 200, 1, LBA_BYTES);

	assert_int_equal(get_u64(data + LBA_BYTES - 8), last + 1);
}

static void tokens_begin_at_1_and_rise_by_1(void **state)
{
	uint8_t data[LBA_BYTES];

	/* The first test of this program. */
	for (uint64_t token = 1; token < 5; token++) {
		verify_stamp(*state, data, 4999 - token, 1, LBA_BYTES);
		assert_int_equal(get_u64(data + LBA_BYTES - 8), token);
	}
}

static void stamping_leaves_the_rest_alone(void **state)
{
	uint8_t data[2 * LBA_BYTES];

	memset(data, 0x77, sizeof(data));
	verify_stamp(*state, data, 0, 1, LBA_BYTES);

	for (unsigned int i = 8; i < LBA_BYTES - 8; i++)
		assert_int_equal(data[i], 0x77);
	assert_int_equal(data[LBA_BYTES], 0x77);
}

static void interleaved_metadata_is_not_data(void **state)
{
	uint8_t data[2 * (LBA_BYTES + 8)] = { 0 };
	struct verify_miss miss;

	verify_stamp(*state, data, 10, 2, LBA_BYTES + 8);
	data[LBA_BYTES] = 1;

	assert_int_equal(get_u64(data + LBA_BYTES + 8), 11);
	assert_int_equal(verify_check(*state, data, 10, 2, LBA_BYTES + 8, &miss), 0);
}

static void the_same_data_passes(void **state)
{
	uint8_t data[8 * LBA_BYTES] = { 1, 2, 3 };
	struct verify_miss miss;

	write_lbas(*state, data, 1020, 8, 0); /* over the edge of a group */

	assert_int_equal(verify_check(*state, data, 1020, 8, LBA_BYTES, &miss), 0);
}

static void each_wrong_bit_is_seen(void **state)
{
	uint8_t data[LBA_BYTES] = { 0 };
	struct verify_miss miss;

	write_lbas(*state, data, 7, 1, 0);
	for (unsigned int bit = 0; bit < LBA_BYTES * 8; bit++) {
		data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		assert_int_equal(verify_check(*state, data, 7, 1, LBA_BYTES, &miss), 1);
		data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
}

static void a_miss_names_the_first_bad_lba(void **state)
{
	uint8_t data[4 * LBA_BYTES] = { 0 };
	struct verify_miss miss;
	uint32_t right;
	uint64_t token;

	write_lbas(*state, data, 200, 4, 0);
	right = crc32c(0, data + LBA_BYTES, LBA_BYTES);
	token = get_u64(data + 2 * LBA_BYTES - 8);
	data[LBA_BYTES] ^= 0x40;
	data[3 * LBA_BYTES + 100] ^= 1;

	assert_int_equal(verify_check(*state, data, 200, 4, LBA_BYTES, &miss), 1);
	assert_int_equal(miss.lba, 201);
	assert_int_equal(miss.stamp, 201 ^ 0x40);
	assert_int_equal(miss.token, token);
	assert_int_equal(miss.crc_expected, right);
	assert_int_equal(miss.crc_got, crc32c(0, data + LBA_BYTES, LBA_BYTES));
	assert_int_equal(miss.bad_lbas, 2);
}

static void an_lba_that_was_never_written_is_not_checked(void **state)
{
	uint8_t data[2 * LBA_BYTES] = { 0 };
	struct verify_miss miss;

	write_lbas(*state, data, 50, 1, 0);
	data[LBA_BYTES + 3] = 9;

	assert_int_equal(verify_check(*state, data, 50, 2, LBA_BYTES, &miss), 0);
	assert_int_equal(verify_check(*state, data, 4000, 2, LBA_BYTES, &miss), 0);
}

static void the_new_data_counts_from_submission_on(void **state)
{
	uint8_t old[LBA_BYTES] = { 1 }, new[LBA_BYTES] = { 2 };
	struct verify_miss miss;

	write_lbas(*state, old, 5, 1, 0);
	verify_stamp(*state, new, 5, 1, LBA_BYTES);

	assert_int_equal(verify_check(*state, old, 5, 1, LBA_BYTES, &miss), 1);
	assert_int_equal(verify_check(*state, new, 5, 1, LBA_BYTES, &miss), 0);
}

static void a_failed_write_leaves_its_lbas_unknown(void **state)
{
	uint8_t data[3 * LBA_BYTES] = { 0 };

	write_lbas(*state, data, 20, 3, 1);
	verify_stamp(*state, data, 21, 1, LBA_BYTES);
	verify_written(*state, 21, 1, false, false);

	assert_true(known(*state, 20));
	assert_false(known(*state, 21));
	assert_true(known(*state, 22));
}

static void unmapped_lbas_are_unknown(void **state)
{
	uint8_t *data = calloc(3000, LBA_BYTES);

	write_lbas(*state, data, 1000, 3000, 0);
	verify_unmap(*state, 1001, 2500);

	assert_true(known(*state, 1000));
	assert_false(known(*state, 1001));
	assert_false(known(*state, 2048));
	assert_false(known(*state, 3500));
	assert_true(known(*state, 3501));
	free(data);
}

static void beyond_the_end_is_stamped_and_not_recorded(void **state)
{
	uint8_t data[4 * LBA_BYTES] = { 0 };
	struct verify_miss miss;

	assert_int_equal(verify_stamp(*state, data, NLBAS - 2, 4, LBA_BYTES), 0);
	verify_written(*state, NLBAS - 2, 4, true, true);

	assert_int_equal(get_u64(data + 3 * LBA_BYTES), NLBAS + 1);
	data[3 * LBA_BYTES + 50] = 1;
	assert_int_equal(verify_check(*state, data, NLBAS - 2, 4, LBA_BYTES, &miss), 0);
	data[LBA_BYTES + 50] = 1;
	assert_int_equal(verify_check(*state, data, NLBAS - 2, 4, LBA_BYTES, &miss), 1);
	verify_stamp(*state, data, UINT64_MAX - 1, 4, LBA_BYTES);
	verify_written(*state, UINT64_MAX - 1, 4, true, false);
	verify_unmap(*state, UINT64_MAX, 4);
	verify_prefetch(*state, UINT64_MAX);
	assert_int_equal(verify_check(*state, data, UINT64_MAX - 1, 4, LBA_BYTES, &miss), 0);
}

static void an_lba_needs_room_for_both_stamps(void **state)
{
	struct verify_table *t;

	assert_int_equal(verify_create(&t, 100, 15), -EINVAL);
	assert_int_equal(verify_create(&t, 0, 512), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tokens_begin_at_1_and_rise_by_1, table_setup,
						table_teardown),
		cmocka_unit_test_setup_teardown(stamps_number_and_token, table_setup,
						table_teardown),
		cmocka_unit_test_setup_teardown(a_long_write_is_stamped_without_a_gap, table_setup,
						table_teardown),
		cmocka_unit_test_setup_teardown(the_next_write_goes_on_where_tokens_ended,
						table_setup, table_teardown),
		cmocka_unit_test_setup_teardown(stamping_leaves_the_rest_alone, table_setup,
						table_teardown),
		cmocka_unit_test_setup_teardown(interleaved_metadata_is_not_data, table_setup,
						table_teardown),
		cmocka_unit_test_setup_teardown(the_same_data_passes, table_setup, table_teardown),
		cmocka_unit_test_setup_teardown(each_wrong_bit_is_seen, table_setup,
						table_teardown),
		cmocka_unit_test_setup_teardown(a_miss_names_the_first_bad_lba, table_setup,
						table_teardown),
		cmocka_unit_test_setup_teardown(an_lba_that_was_never_written_is_not_checked,
						table_setup, table_teardown),
		cmocka_unit_test_setup_teardown(the_new_data_counts_from_submission_on, table_setup,
						table_teardown),
		cmocka_unit_test_setup_teardown(a_failed_write_leaves_its_lbas_unknown, table_setup,
						table_teardown),
		cmocka_unit_test_setup_teardown(unmapped_lbas_are_unknown, table_setup,
						table_teardown),
		cmocka_unit_test_setup_teardown(beyond_the_end_is_stamped_and_not_recorded,
						table_setup, table_teardown),
		cmocka_unit_test(an_lba_needs_room_for_both_stamps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
