#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/hexdump.h"

static void test_a_whole_line(void **state)
{
	const uint8_t buf[16] = { 0x5a, 1, 2, 0, 10, 11, 12, 13 };
	char out[128];

	hexdump(buf, sizeof(buf), out, sizeof(out));

	assert_string_equal(out, "00000000  5a 01 02 00 0a 0b 0c 0d  00 00 00 00 00 00 00 00   "
				 "Z...............");
}

static void test_offsets_count_in_hex(void **state)
{
	uint8_t buf[32] = { 0 };
	char out[256];

	memcpy(buf + 20, "\x12\xef\xcd\xab!Ce\x87xV4\x12", 12);
	hexdump(buf, sizeof(buf), out, sizeof(out));

	assert_string_equal(out, "00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00   "
				 "................\n"
				 "00000010  00 00 00 00 12 ef cd ab  21 43 65 87 78 56 34 12   "
				 "........!Ce.xV4.");
}

static void test_a_short_line_keeps_the_text_column(void **state)
{
	char out[128];

	hexdump("ABCDEFGHI", 9, out, sizeof(out));

	assert_string_equal(out, "00000000  41 42 43 44 45 46 47 48  49                        "
				 "ABCDEFGHI");
}

static void test_unprintable_bytes_are_dots(void **state)
{
	char out[128];

	hexdump("\x1f \x7e\x7f\x80\xff", 6, out, sizeof(out));

	assert_string_equal(out + 61, ". ~...");
}

static void test_no_bytes_no_text(void **state)
{
	char out[8] = "rubbish";

	assert_int_equal(hexdump(NULL, 0, out, sizeof(out)), 0);

	assert_string_equal(out, "");
}

static void test_tells_the_size_without_a_buffer(void **state)
{
	const uint8_t buf[17] = { 0 };

	assert_int_equal(hexdump(buf, 16, NULL, 0), 77);
	assert_int_equal(hexdump(buf, 17, NULL, 0), 77 + 1 + 62);
}

static void test_a_text_that_does_not_fit_is_cut(void **state)
{
	const uint8_t buf[32] = { 0 };
	char whole[256];
	char out[100];

	hexdump(buf, sizeof(buf), whole, sizeof(whole));
	for (size_t room = 1; room < sizeof(out); room++) {
		memset(out, 'x', sizeof(out));
		assert_int_equal(hexdump(buf, sizeof(buf), out, room), 155);
		assert_int_equal(strlen(out), room - 1);
		assert_memory_equal(out, whole, room - 1);
		assert_int_equal(out[room], 'x');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_whole_line),
		cmocka_unit_test(test_offsets_count_in_hex),
		cmocka_unit_test(test_a_short_line_keeps_the_text_column),
		cmocka_unit_test(test_unprintable_bytes_are_dots),
		cmocka_unit_test(test_no_bytes_no_text),
		cmocka_unit_test(test_tells_the_size_without_a_buffer),
		cmocka_unit_test(test_a_text_that_does_not_fit_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
