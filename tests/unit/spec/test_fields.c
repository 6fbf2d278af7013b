/* Bit fields against numbers written down by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "spec/identify.h"
#include "spec/nvme.h"

static void test_cap_fields(void **state)
{
	/* CRMS 3, MPSMAX 4, MPSMIN 0, CSS 41h, NSSRS 1, DSTRD 0, TO 20, AMS 1, CQR 1, MQES 1023 */
	uint64_t cap = 0x18400830140303ffull;

	assert_int_equal(NVME_GET(cap, CAP_MQES), 1023);
	assert_int_equal(NVME_GET(cap, CAP_CQR), 1);
	assert_int_equal(NVME_GET(cap, CAP_AMS), NVME_CAP_AMS_WRRUP);
	assert_int_equal(NVME_GET(cap, CAP_TO), 20);
	assert_int_equal(NVME_GET(cap, CAP_DSTRD), 0);
	assert_int_equal(NVME_GET(cap, CAP_NSSRS), 1);
	assert_int_equal(NVME_GET(cap, CAP_CSS), NVME_CAP_CSS_NVM | NVME_CAP_CSS_IOCS);
	assert_int_equal(NVME_GET(cap, CAP_MPSMIN), 0);
	assert_int_equal(NVME_GET(cap, CAP_MPSMAX), 4);
	assert_int_equal(NVME_GET(cap, CAP_CRWMS), 1);
	assert_int_equal(NVME_GET(cap, CAP_CRIMS), 1);
	assert_int_equal(NVME_GET(cap, CAP_NSSES), 0);
}

static void test_cc_is_put_together(void **state)
{
	uint32_t cc = NVME_SET(1, CC_EN) | NVME_SET(NVME_CC_CSS_ALL, CC_CSS) |
		      NVME_SET(NVME_IOSQES, CC_IOSQES) | NVME_SET(NVME_IOCQES, CC_IOCQES);

	assert_int_equal(cc, 0x00460061);
}

static void test_set_keeps_inside_its_field(void **state)
{
	assert_int_equal(NVME_SET(0x1ff, RW_PRINFO), 0x3c000000);
	assert_int_equal(NVME_FIELD_MASK(CAP_CSS), 0x1fe000000000ull);
}

static void test_status_halfword(void **state)
{
	/* DNR, More, CRD 2, SCT 2, SC 81h, phase 1 */
	uint16_t status = 0xe503;

	assert_int_equal(NVME_GET(status, STATUS_P), 1);
	assert_int_equal(NVME_GET(status, STATUS_SC11), NVME_SC_UNRECOVERED_READ);
	assert_int_equal(NVME_GET(status, STATUS_SC), 0x81);
	assert_int_equal(NVME_GET(status, STATUS_SCT), NVME_SCT_MEDIA);
	assert_int_equal(NVME_GET(status, STATUS_CRD), 2);
	assert_int_equal(NVME_GET(status, STATUS_M), 1);
	assert_int_equal(NVME_GET(status, STATUS_DNR), 1);
}

static void test_doorbells_follow_the_stride(void **state)
{
	assert_int_equal(nvme_sq_doorbell(0, 0), 0x1000);
	assert_int_equal(nvme_cq_doorbell(0, 0), 0x1004);
	assert_int_equal(nvme_sq_doorbell(3, 0), 0x1018);
	assert_int_equal(nvme_cq_doorbell(3, 2), 0x1000 + 7 * 16);
}

static void test_lba_format_index_has_six_bits(void **state)
{
	assert_int_equal(nvme_flbas_index(0x13), 3);
	assert_int_equal(nvme_flbas_index(0x6f), 63);
	assert_int_equal(nvme_flbas_index(0x20), 16);
}

static void test_opcode_tells_direction(void **state)
{
	assert_int_equal(nvme_opcode_dir(NVME_CMD_WRITE), NVME_DIR_TO_CTRL);
	assert_int_equal(nvme_opcode_dir(NVME_CMD_READ), NVME_DIR_FROM_CTRL);
	assert_int_equal(nvme_opcode_dir(NVME_CMD_FLUSH), NVME_DIR_NONE);
	assert_int_equal(nvme_opcode_dir(0xc3), NVME_DIR_BOTH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cap_fields),
		cmocka_unit_test(test_cc_is_put_together),
		cmocka_unit_test(test_set_keeps_inside_its_field),
		cmocka_unit_test(test_status_halfword),
		cmocka_unit_test(test_doorbells_follow_the_stride),
		cmocka_unit_test(test_lba_format_index_has_six_bits),
		cmocka_unit_test(test_opcode_tells_direction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
