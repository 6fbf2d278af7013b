#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/crc32c.h"
#include "base/crc_pi.h"

static const char digits[] = "123456789";

static void test_crc32c_check_value(void **state)
{
	assert_int_equal(crc32c(0, digits, 9), 0xe3069283);
}

static void test_crc32c_iscsi_vectors(void **state)
{
	uint8_t buf[32] = { 0 };

	/* RFC 3720 B.4: 32 bytes of zeros, and 0, 1, 2 ... 31 */
	assert_int_equal(crc32c(0, buf, 32), 0x8a9136aa);
	for (int i = 0; i < 32; i++)
		buf[i] = (uint8_t)i;
	assert_int_equal(crc32c(0, buf, 32), 0x46dd794e);
}

static void test_crc32c_of_nothing_is_the_seed(void **state)
{
	assert_int_equal(crc32c(0, NULL, 0), 0);
	assert_int_equal(crc32c(0x12345678, NULL, 0), 0x12345678);
}

static void test_crc32c_goes_on_from_its_seed(void **state)
{
	assert_int_equal(crc32c(crc32c(0, digits, 4), digits + 4, 5), 0xe3069283);
}

static void test_pi16_check_value(void **state)
{
	assert_int_equal(crc_pi16(0, digits, 9), 0xd0db);
}

static void test_pi16_goes_on_from_its_seed(void **state)
{
	assert_int_equal(crc_pi16(crc_pi16(0, digits, 4), digits + 4, 5), 0xd0db);
}

static void test_pi64_check_value(void **state)
{
	assert_true(crc_pi64(0, digits, 9) == 0xae8b14860a799888ull);
}

static void test_pi64_nvm_command_set_vectors(void **state)
{
	static uint8_t buf[4096];

	/* NVM 1.1 figure 169: 4096 bytes of zeros, of ones */
	assert_true(crc_pi64(0, buf, sizeof(buf)) == 0x6482d367eb22b64eull);
	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = 0xff;
	assert_true(crc_pi64(0, buf, sizeof(buf)) == 0xc0ddba7302eca3acull);
}

static void test_pi64_goes_on_from_its_seed(void **state)
{
	assert_true(crc_pi64(crc_pi64(0, digits, 4), digits + 4, 5) == 0xae8b14860a799888ull);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crc32c_check_value),
		cmocka_unit_test(test_crc32c_iscsi_vectors),
		cmocka_unit_test(test_crc32c_of_nothing_is_the_seed),
		cmocka_unit_test(test_crc32c_goes_on_from_its_seed),
		cmocka_unit_test(test_pi16_check_value),
		cmocka_unit_test(test_pi16_goes_on_from_its_seed),
		cmocka_unit_test(test_pi64_check_value),
		cmocka_unit_test(test_pi64_nvm_command_set_vectors),
		cmocka_unit_test(test_pi64_goes_on_from_its_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
