/* SPDX-License-Identifier: BSD-3-Clause */
/* What a table costs. */
#include "fixture.h"

#include <stdio.h>
#include <sys/resource.h>

#include "base/err.h"

#define ASKED_WITHIN_GROUPS 4096
#define TB8_NLBAS	    ((UINT64_C(8) << 40) / LBA_BYTES)

static long resident_kib(void)
{
	long size = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	assert_int_equal(fscanf(f, "%ld %ld", &size, &resident), 2);
	fclose(f);
	return resident * 4;
}

static void eight_terabytes_cost_nothing_until_written(void **state)
{
	long before = resident_kib();
	uint8_t data[LBA_BYTES] = { 0 };
	struct verify_table *t;
	struct verify_miss miss;

	assert_int_equal(verify_create(&t, TB8_NLBAS, LBA_BYTES), 0);
	for (uint64_t lba = 0; lba < TB8_NLBAS; lba += TB8_NLBAS / 997)
		verify_check(t, data, lba, 1, LBA_BYTES, &miss);

	assert_int_equal(verify_memory_bytes(t), 0);
	/* A page of the group bytes and of page tables each. */
	assert_in_range(resident_kib() - before, 0, 2 * 4 * 997);
	verify_destroy(t);
}

static long page_faults(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_minflt;
}

/* A drive may claim any size, and each group that is looked at is a byte of memory. */
static void forgetting_all_looks_only_where_something_was(void **state)
{
	uint8_t data[LBA_BYTES] = { 0 };
	struct verify_table *t;
	long before;

	assert_int_equal(verify_create(&t, TB8_NLBAS, LBA_BYTES), 0);
	verify_stamp(t, data, 0, 1, LBA_BYTES);
	before = page_faults();
	verify_unmap(t, 0, TB8_NLBAS);

	assert_in_range(page_faults() - before, 0, 100);
	assert_int_equal(verify_memory_bytes(t), 0);
	verify_destroy(t);
}

/* Without a descriptor nobody can ask the system: then it is not the system that refuses. */
static void what_the_system_has_left_need_not_be_known(void **state)
{
	struct rlimit before, none;
	uint8_t data[LBA_BYTES];
	struct verify_table *t;
	int err = 0;

	assert_int_equal(verify_create(&t, TB8_NLBAS, LBA_BYTES), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	/* It is asked once in a while. */
	for (uint64_t lba = 0; lba < ASKED_WITHIN_GROUPS * 1024 && !err; lba += 1024)
		err = verify_stamp(t, data, lba, 1, LBA_BYTES);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(err, 0);
	verify_destroy(t);
}

static void a_write_takes_one_group(void **state)
{
	uint8_t data[LBA_BYTES];

	verify_stamp(*state, data, 0, 1, LBA_BYTES);
	verify_stamp(*state, data, 1023, 1, LBA_BYTES);
	assert_int_equal(verify_memory_bytes(*state), 1024 * 9 / 2);

	verify_stamp(*state, data, 1024, 1, LBA_BYTES);
	assert_int_equal(verify_memory_bytes(*state), 1024 * 9);
}

static void unmapping_gives_memory_back(void **state)
{
	uint8_t data[LBA_BYTES];
	struct verify_table *t;
	long full;

	assert_int_equal(verify_create(&t, TB8_NLBAS, LBA_BYTES), 0);
	for (uint64_t lba = 0; lba < 4000; lba++)
		verify_stamp(t, data, lba << 10, 1, LBA_BYTES);
	full = resident_kib();
	verify_unmap(t, 0, TB8_NLBAS);

	assert_int_equal(verify_memory_bytes(t), 0);
	assert_true(full - resident_kib() > 12000);
	verify_destroy(t);
}

static void beyond_the_limit_writes_are_stamped_and_unknown(void **state)
{
	uint8_t data[2 * LBA_BYTES] = { 0 };

	verify_limit_memory(4608);
	assert_int_equal(verify_stamp(*state, data, 1023, 2, LBA_BYTES), -ENOMEM);
	verify_written(*state, 1023, 2, true, true);

	assert_int_equal(get_u64(data + LBA_BYTES), 1024);
	assert_true(known(*state, 1023));
	assert_false(known(*state, 1024));
	assert_int_equal(verify_memory_check(), -ENOMEM);
	assert_non_null(strstr(err_text(), "MiB"));
	verify_limit_memory(0);
}

static void memory_that_comes_back_is_used(void **state)
{
	uint8_t data[LBA_BYTES] = { 0 };

	verify_limit_memory(4608);
	verify_stamp(*state, data, 0, 1, LBA_BYTES);
	verify_stamp(*state, data, 2000, 1, LBA_BYTES);
	verify_limit_memory(0);

	assert_int_equal(verify_stamp(*state, data, 3000, 1, LBA_BYTES), -ENOMEM);
	assert_int_equal(verify_memory_check(), 0);
	assert_int_equal(verify_stamp(*state, data, 3000, 1, LBA_BYTES), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(eight_terabytes_cost_nothing_until_written),
		cmocka_unit_test(what_the_system_has_left_need_not_be_known),
		cmocka_unit_test_setup_teardown(a_write_takes_one_group, table_setup,
						table_teardown),
		cmocka_unit_test(forgetting_all_looks_only_where_something_was),
		cmocka_unit_test(unmapping_gives_memory_back),
		cmocka_unit_test_setup_teardown(beyond_the_limit_writes_are_stamped_and_unknown,
						table_setup, table_teardown),
		cmocka_unit_test_setup_teardown(memory_that_comes_back_is_used, table_setup,
						table_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
