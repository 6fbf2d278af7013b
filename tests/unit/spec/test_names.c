#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "spec/names.h"
#include "spec/nvme.h"

static void test_admin_commands_are_spelled_as_in_the_standard(void **state)
{
	assert_string_equal(nvme_admin_opcode_name(0x06), "Identify");
	assert_string_equal(nvme_admin_opcode_name(0x00), "Delete I/O Submission Queue");
	assert_string_equal(nvme_admin_opcode_name(0x0c), "Asynchronous Event Request");
	assert_string_equal(nvme_admin_opcode_name(0x80), "Format NVM");
	assert_string_equal(nvme_admin_opcode_name(0x86), "Get LBA Status");
}

static void test_io_commands_are_spelled_as_in_the_standard(void **state)
{
	assert_string_equal(nvme_io_opcode_name(0x00), "Flush");
	assert_string_equal(nvme_io_opcode_name(0x08), "Write Zeroes");
	assert_string_equal(nvme_io_opcode_name(0x09), "Dataset Management");
	assert_string_equal(nvme_io_opcode_name(0x7d), "Zone Append");
}

static void test_features_and_logs_are_spelled_as_in_the_standard(void **state)
{
	assert_string_equal(nvme_feature_name(0x07), "Number of Queues");
	assert_string_equal(nvme_feature_name(0x84), "Namespace Write Protection Config");
	assert_string_equal(nvme_log_name(0x02), "SMART / Health Information");
	assert_string_equal(nvme_log_name(0x81), "Sanitize Status");
}

static void test_status_names_tell_types_apart(void **state)
{
	assert_string_equal(nvme_status_name(0x000), "Successful Completion");
	assert_string_equal(nvme_status_name(0x080), "LBA Out of Range");
	assert_string_equal(nvme_status_name(0x180), "Conflicting Attributes");
	assert_string_equal(nvme_status_name(0x280), "Write Fault");
	assert_string_equal(nvme_status_name(0x281), "Unrecovered Read Error");
	assert_string_equal(nvme_status_name(0x371), "Command Aborted By Host");
}

static void test_fabrics_status_names_replace_only_their_own_codes(void **state)
{
	assert_string_equal(nvme_fabrics_status_name(0x182), "Connect Invalid Parameters");
	assert_string_equal(nvme_status_name(0x182), "Attempted Write to Read Only Range");
	assert_string_equal(nvme_fabrics_status_name(0x002), "Invalid Field in Command");
}

static void test_unknown_numbers_are_unknown(void **state)
{
	assert_string_equal(nvme_admin_opcode_name(0x03), "Unknown");
	assert_string_equal(nvme_io_opcode_name(0x7f), "Unknown");
	assert_string_equal(nvme_feature_name(0x00), "Unknown");
	assert_string_equal(nvme_log_name(0x7f), "Unknown");
	assert_string_equal(nvme_fctype_name(0x02), "Unknown");
	assert_string_equal(nvme_status_name(0x017), "Unknown");
	assert_string_equal(nvme_status_name(0xffff), "Vendor specific");
}

static void test_vendor_numbers_are_vendor_specific(void **state)
{
	assert_string_equal(nvme_admin_opcode_name(0xbf), "Unknown");
	assert_string_equal(nvme_admin_opcode_name(0xc0), "Vendor specific");
	assert_string_equal(nvme_io_opcode_name(0x80), "Vendor specific");
	assert_string_equal(nvme_feature_name(0xff), "Vendor specific");
	assert_string_equal(nvme_log_name(0xc0), "Vendor specific");
	assert_string_equal(nvme_status_name(0x0c0), "Vendor specific");
	assert_string_equal(nvme_status_name(0x700), "Vendor specific");
}

/* The shortest are Copy, Read, and others of four letters. */
static void expect_name(const char *name)
{
	assert_true(name && strlen(name) >= 4);
}

static void test_every_number_has_a_name(void **state)
{
	for (unsigned i = 0; i < 256; i++) {
		expect_name(nvme_admin_opcode_name((uint8_t)i));
		expect_name(nvme_io_opcode_name((uint8_t)i));
		expect_name(nvme_fctype_name((uint8_t)i));
		expect_name(nvme_feature_name((uint8_t)i));
		expect_name(nvme_log_name((uint8_t)i));
	}
	for (unsigned i = 0; i < 65536; i++) {
		expect_name(nvme_status_name((uint16_t)i));
		expect_name(nvme_fabrics_status_name((uint16_t)i));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_admin_commands_are_spelled_as_in_the_standard),
		cmocka_unit_test(test_io_commands_are_spelled_as_in_the_standard),
		cmocka_unit_test(test_features_and_logs_are_spelled_as_in_the_standard),
		cmocka_unit_test(test_status_names_tell_types_apart),
		cmocka_unit_test(test_fabrics_status_names_replace_only_their_own_codes),
		cmocka_unit_test(test_unknown_numbers_are_unknown),
		cmocka_unit_test(test_vendor_numbers_are_vendor_specific),
		cmocka_unit_test(test_every_number_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
