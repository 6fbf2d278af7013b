/* What buffers are filled with. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "base/err.h"
#include "base/pattern.h"

#define BYTES 1003u

static uint8_t buf[BYTES + 1];
static struct rand stream;

static int setup(void **state)
{
	memset(buf, 0x5a, sizeof(buf));
	rand_seed(&stream, 1);
	return 0;
}

static unsigned int count(uint8_t byte)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < BYTES; i++)
		n += buf[i] == byte;
	return n;
}

static void constants_are_zeros_or_ones(void **state)
{
	assert_int_equal(pattern_fill(buf, BYTES, PATTERN_CONSTANT, 0, &stream), 0);
	assert_int_equal(count(0), BYTES);

	assert_int_equal(pattern_fill(buf, BYTES, PATTERN_CONSTANT, 77, &stream), 0);
	assert_int_equal(count(0xff), BYTES);
}

static void a_dword_is_repeated_to_the_last_byte(void **state)
{
	assert_int_equal(pattern_fill(buf, BYTES, PATTERN_DWORD, 0x04030201, &stream), 0);

	for (unsigned int i = 0; i < BYTES; i++)
		assert_int_equal(buf[i], 1 + i % 4);
}

static void a_part_is_random_and_the_rest_zero(void **state)
{
	assert_int_equal(pattern_fill(buf, BYTES, PATTERN_RANDOM, 50, &stream), 0);

	for (unsigned int i = BYTES / 2; i < BYTES; i++)
		assert_int_equal(buf[i], 0);
	/* Of 501 random bytes two are 0 on average. */
	assert_in_range(count(0), BYTES / 2, BYTES / 2 + 15);
}

static void nothing_beyond_the_end_is_touched(void **state)
{
	const uint32_t types[] = { PATTERN_CONSTANT, PATTERN_DWORD, PATTERN_RANDOM };

	for (unsigned int i = 0; i < 3; i++) {
		pattern_fill(buf, BYTES, types[i], 100, &stream);
		assert_int_equal(buf[BYTES], 0x5a);
	}
}

static void other_types_are_refused(void **state)
{
	assert_int_equal(pattern_fill(buf, BYTES, 1, 0, &stream), -EINVAL);
	assert_non_null(strstr(err_text(), "ptype"));
	assert_int_equal(pattern_fill(buf, BYTES, PATTERN_RANDOM, 101, &stream), -EINVAL);
	assert_int_equal(count(0x5a), BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(constants_are_zeros_or_ones, setup),
		cmocka_unit_test_setup(a_dword_is_repeated_to_the_last_byte, setup),
		cmocka_unit_test_setup(a_part_is_random_and_the_rest_zero, setup),
		cmocka_unit_test_setup(nothing_beyond_the_end_is_touched, setup),
		cmocka_unit_test_setup(other_types_are_refused, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
