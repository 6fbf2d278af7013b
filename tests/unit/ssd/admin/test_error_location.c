/* SPDX-License-Identifier: BSD-3-Clause */
/* Which byte and bit of a command the error log blames: Parameter Error Location. */
#include "bench.h"

#define NONE 77u /* there is no such namespace */

struct blame {
	const char *what;
	uint8_t opc;
	uint32_t nsid;
	uint32_t cdw10;
	uint32_t cdw11;
	uint32_t cdw12;
	uint32_t cdw14;
	uint8_t byte;
	uint8_t bit;
};

/* Of the commands, what is not named is 0. */
static const struct blame admin[] = {
	{ "format, SES", NVME_ADMIN_FORMAT, 1, .cdw10 = 3u << 9, .byte = 41, .bit = 1 },
	{ "format, NSID", NVME_ADMIN_FORMAT, NONE, .byte = 4 },
	{ "namespace management, SEL", NVME_ADMIN_NS_MANAGEMENT, 1, .cdw10 = 2, .byte = 40 },
	{ "delete, NSID", NVME_ADMIN_NS_MANAGEMENT, NONE, .cdw10 = 1, .byte = 4 },
	{ "attachment, SEL", NVME_ADMIN_NS_ATTACHMENT, 1, .cdw10 = 2, .byte = 40 },
	{ "attachment, NSID", NVME_ADMIN_NS_ATTACHMENT, NONE, .byte = 4 },
	{ "log, offset", NVME_ADMIN_GET_LOG_PAGE, .cdw10 = 2, .cdw12 = 2, .byte = 48 },
	{ "log, LID", NVME_ADMIN_GET_LOG_PAGE, .cdw10 = 0x7f, .byte = 40 },
	{ "log, NSID", NVME_ADMIN_GET_LOG_PAGE, NONE, .cdw10 = 2, .byte = 4 },
	{ "log, OT", NVME_ADMIN_GET_LOG_PAGE, .cdw10 = 2, .cdw14 = 1u << 23, .byte = 58, .bit = 7 },
	{ "log, NUMD", NVME_ADMIN_GET_LOG_PAGE, .cdw10 = 0xffff0002, .cdw11 = 0xffff, .byte = 42 },
	{ "telemetry, offset", NVME_ADMIN_GET_LOG_PAGE, .cdw10 = 0x7f0007, .cdw12 = 4, .byte = 48 },
	{ "telemetry, NUMD", NVME_ADMIN_GET_LOG_PAGE, .cdw10 = 0x7e0007, .byte = 42 },
	{ "identify, CNS", NVME_ADMIN_IDENTIFY, .cdw10 = 0xfe, .byte = 40 },
	{ "identify, CSI", NVME_ADMIN_IDENTIFY, 1, .cdw10 = 5, .cdw11 = 1u << 24, .byte = 47 },
	{ "identify, NSID", NVME_ADMIN_IDENTIFY, NONE, .byte = 4 },
	{ "identify, list", NVME_ADMIN_IDENTIFY, 0xffffffff, .cdw10 = 2, .byte = 4 },
	{ "set feature, FID", NVME_ADMIN_SET_FEATURES, .cdw10 = 0xbf, .byte = 40 },
	{ "set feature, SV", NVME_ADMIN_SET_FEATURES, .cdw10 = 1u << 31 | 7, .byte = 43, .bit = 7 },
	{ "set feature, NSID", NVME_ADMIN_SET_FEATURES, 1, .cdw10 = 7, .byte = 4 },
	{ "queues, NSQ", NVME_ADMIN_SET_FEATURES, .cdw10 = 7, .cdw11 = 0xffff, .byte = 44 },
	{ "queues, NCQ", NVME_ADMIN_SET_FEATURES, .cdw10 = 7, .cdw11 = 0xffffu << 16, .byte = 44 },
	{ "power state", NVME_ADMIN_SET_FEATURES, .cdw10 = 2, .cdw11 = 31, .byte = 44 },
	{ "threshold, TMPSEL", NVME_ADMIN_SET_FEATURES, .cdw10 = 4, .cdw11 = 5u << 16, .byte = 46 },
	{ "threshold, THSEL", NVME_ADMIN_SET_FEATURES, .cdw10 = 4, .cdw11 = 3u << 20, .byte = 46,
	  .bit = 4 },
	{ "throttling", NVME_ADMIN_SET_FEATURES, .cdw10 = 0x10, .cdw11 = 1, .byte = 44 },
	{ "get feature, FID", NVME_ADMIN_GET_FEATURES, .cdw10 = 0xbf, .byte = 40 },
	{ "get feature, SEL", NVME_ADMIN_GET_FEATURES, .cdw10 = 7u << 8 | 7, .byte = 41 },
	{ "firmware, NUMD", NVME_ADMIN_FW_DOWNLOAD, .cdw10 = 0xffffffff, .byte = 40 },
	{ "firmware, CA", NVME_ADMIN_FW_COMMIT, .cdw10 = 7u << 3, .byte = 40, .bit = 3 },
	{ "self-test, STC", NVME_ADMIN_SELF_TEST, .cdw10 = 5, .byte = 40 },
	{ "sanitize, SANACT", NVME_ADMIN_SANITIZE, .cdw10 = 7, .byte = 40 },
	{ "CQ, QID", NVME_ADMIN_CREATE_CQ, .cdw10 = 15u << 16, .cdw11 = 1, .byte = 40 },
	{ "CQ, QSIZE", NVME_ADMIN_CREATE_CQ, .cdw10 = 2, .cdw11 = 1, .byte = 42 },
	{ "CQ, PC", NVME_ADMIN_CREATE_CQ, .cdw10 = 15u << 16 | 2, .byte = 44 },
	{ "CQ, IV", NVME_ADMIN_CREATE_CQ, .cdw10 = 15u << 16 | 2, .cdw11 = 0xffffu << 16 | 3,
	  .byte = 46 },
	{ "SQ, CQID 0", NVME_ADMIN_CREATE_SQ, .cdw10 = 15u << 16 | 2, .cdw11 = 1, .byte = 46 },
	{ "SQ, CQID", NVME_ADMIN_CREATE_SQ, .cdw10 = 15u << 16 | 2, .cdw11 = 2u << 16 | 1,
	  .byte = 46 },
	{ "delete SQ, QID", NVME_ADMIN_DELETE_SQ, .cdw10 = 9, .byte = 40 },
	{ "delete CQ, QID", NVME_ADMIN_DELETE_CQ, .cdw10 = 9, .byte = 40 },
	{ "LBA status, NSID", NVME_ADMIN_GET_LBA_STATUS, NONE, .byte = 4 },
	{ "LBA status, ATYPE", NVME_ADMIN_GET_LBA_STATUS, 1, .byte = 55 },
	{ "security receive", NVME_ADMIN_SECURITY_RECEIVE, .cdw10 = 5u << 24, .byte = 43 },
	{ "security send", NVME_ADMIN_SECURITY_SEND, .byte = 43 },
	{ "directive receive", NVME_ADMIN_DIRECTIVE_RECEIVE, .cdw11 = 5u << 8, .byte = 44 },
	{ "directive send", NVME_ADMIN_DIRECTIVE_SEND, .cdw11 = 5u << 8, .byte = 44 },
};

static const struct blame io[] = {
	{ "read, NSID", NVME_CMD_READ, NONE, .byte = 4 },
	{ "read, SLBA", NVME_CMD_READ, 1, .cdw11 = 1, .byte = 40 },
	{ "read, NLB", NVME_CMD_READ, 1, .cdw12 = 0xffff, .byte = 48 },
	{ "copy, format", NVME_CMD_COPY, 1, .cdw12 = 1u << 8, .byte = 49 },
};

static void expect(struct rig *r, uint16_t q, const struct blame *b)
{
	struct nvme_sqe sqe = bench_sqe(r, b->opc, b->nsid, b->cdw10, b->cdw11);
	uint16_t pel = (uint16_t)(b->bit << 8 | b->byte);

	sqe.cdw12 = b->cdw12;
	sqe.cdw14 = b->cdw14;
	if (!rig_run(r, q, sqe, NULL))
		fail_msg("%s: no error", b->what);
	if (bench_last_error(r).pel != pel)
		fail_msg("%s: %04x is blamed, not %04x", b->what, bench_last_error(r).pel, pel);
}

static void admin_commands_say_what_is_wrong_in_them(void **state)
{
	struct rig *r = rig_ready("");

	for (unsigned int i = 0; i < sizeof(admin) / sizeof(*admin); i++)
		expect(r, 0, &admin[i]);
	rig_destroy(r);
}

static void io_commands_say_what_is_wrong_in_them(void **state)
{
	struct rig *r = rig_ready("");

	for (unsigned int i = 0; i < sizeof(io) / sizeof(*io); i++)
		expect(r, 1, &io[i]);
	rig_destroy(r);
}

/* The LBA in the log is the failing command's, 0 if that is about none. */
static void an_lba_is_blamed_once(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_sqe far = bench_sqe(r, NVME_CMD_READ, 1, 7, 1);

	assert_int_equal(rig_run(r, 1, far, NULL), NVME_SC_LBA_OUT_OF_RANGE);
	assert_int_equal(bench_last_error(r).lba, 1ull << 32 | 7);
	far.nsid = NONE;
	assert_int_equal(rig_run(r, 1, far, NULL), NVME_SC_INVALID_NS);
	assert_int_equal(bench_last_error(r).lba, 0);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(admin_commands_say_what_is_wrong_in_them),
		cmocka_unit_test(io_commands_say_what_is_wrong_in_them),
		cmocka_unit_test(an_lba_is_blamed_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
