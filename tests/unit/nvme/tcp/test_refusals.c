/* SPDX-License-Identifier: BSD-3-Clause */
/* What a target sends that it must not: the H2CTermReq it gets, and what the user is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "link.h"
#include "spec/opcode.h"

#define READ_CID  0
#define WRITE_CID 1
#define NOBODY	  5	/* of CIDs: not outstanding */
#define BYTES	  8192u /* more than a capsule takes */

enum base { RESPONSE, DATA, R2T, ALL_DATA };

/**
 * struct lie - a PDU that is right but for one field
 * @at, @len, @value: the field, little endian
 * @fei: the field that H2CTermReq names, 0 where @fes names none
 */
struct lie {
	enum base base;
	uint8_t at;
	uint8_t len;
	uint32_t value;
	uint8_t fes;
	uint32_t fei;
	const char *text;
};

#define CH(member)   offsetof(struct nvme_tcp_ch, member)
#define D(member)    offsetof(struct nvme_tcp_data, member)
#define R(member)    offsetof(struct nvme_tcp_r2t, member)
#define HEADER	     NVME_TCP_FES_INVALID_HEADER
#define OUT_OF_RANGE NVME_TCP_FES_DATA_OUT_OF_RANGE

static const struct lie lies[] = {
	{ RESPONSE, CH(type), 1, 0x77, HEADER, CH(type),
	  "a PDU of a type that no controller sends" },
	{ RESPONSE, CH(type), 1, NVME_TCP_ICRESP, NVME_TCP_FES_PDU_SEQUENCE, 0, "a second ICResp" },
	{ RESPONSE, CH(hlen), 1, 23, HEADER, CH(hlen), "a header of a wrong length (HLEN)" },
	{ RESPONSE, CH(plen), 4, 25, HEADER, CH(plen), "a PDU of a wrong length (PLEN)" },
	{ DATA, CH(plen), 4, 25, HEADER, CH(plen), "a PDU of a wrong length (PLEN)" },
	{ DATA, CH(pdo), 1, 20, HEADER, CH(pdo), "data at a wrong offset (PDO)" },
	{ DATA, CH(pdo), 1, 26, HEADER, CH(pdo), "data at a wrong offset (PDO)" },
	{ RESPONSE, CH(flags), 1, NVME_TCP_FLAG_HDGST, HEADER, CH(flags),
	  "digests that were not agreed on (FLAGS)" },
	{ DATA, CH(flags), 1, NVME_TCP_FLAG_DDGST, HEADER, CH(flags),
	  "digests that were not agreed on (FLAGS)" },
	{ RESPONSE, offsetof(struct nvme_tcp_capsule_resp, cqe.cid), 2, NOBODY, HEADER,
	  offsetof(struct nvme_tcp_capsule_resp, cqe.cid),
	  "a completion of a command that is not outstanding" },
	{ DATA, D(cccid), 2, NOBODY, HEADER, D(cccid), "data of a command that asked for none" },
	{ DATA, D(cccid), 2, WRITE_CID, HEADER, D(cccid), "data of a command that asked for none" },
	{ ALL_DATA, D(datao), 4, 1, OUT_OF_RANGE, 0, "data beyond the end of the buffer" },
	{ DATA, D(datao), 4, 4, HEADER, D(datao), "data that is not next in order" },
	{ DATA, CH(flags), 1, NVME_TCP_FLAG_SUCCESS, HEADER, CH(flags),
	  "a success before the last data" },
	{ R2T, R(cccid), 2, NOBODY, HEADER, R(cccid), "an R2T for a command that has no data" },
	{ R2T, R(cccid), 2, READ_CID, HEADER, R(cccid), "an R2T for a command that has no data" },
	{ R2T, R(r2tl), 4, 0, HEADER, R(r2tl), "an R2T for no data" },
	{ R2T, R(r2tl), 4, BYTES + 1, OUT_OF_RANGE, 0,
	  "an R2T for data beyond the end of the buffer" },
	{ R2T, R(r2to), 4, BYTES + 1, OUT_OF_RANGE, 0,
	  "an R2T for data beyond the end of the buffer" },
	{ R2T, R(r2to), 4, 4, HEADER, R(r2to), "an R2T for data that is not next in order" },
};

static uint8_t wire[2 * BYTES], memory[2 * BYTES];

static size_t honest(const struct link *link, enum base base)
{
	switch (base) {
	case RESPONSE:
		return link_response_pdu(link, wire, READ_CID, 0);
	case DATA:
		return link_data_pdu(link, wire, READ_CID, 0, memory, BYTES / 2, 0);
	case ALL_DATA:
		return link_data_pdu(link, wire, READ_CID, 0, memory, BYTES, 0);
	default:
		return link_r2t_pdu(link, wire, WRITE_CID, 0, BYTES / 2);
	}
}

static void open_with_two_commands(struct link *link)
{
	struct nvme_tcp_capsule_cmd capsules[2];

	link_open(link, 1, 16, 0, 0);
	link_submit(link, READ_CID, NVME_CMD_READ, memory, BYTES);
	link_submit(link, WRITE_CID, NVME_CMD_WRITE, memory + BYTES, BYTES);
	nvme_qpair_ring(link->q);
	link_read(link, capsules, sizeof(capsules));
}

static void poll_until_lost(struct link *link)
{
	uint64_t limit_ns = clock_now_ns() + 60 * UINT64_C(1000000000);

	while (!link->t->lost && clock_now_ns() < limit_ns) {
		nvme_qpair_enter(link->q);
		nvme_qpair_poll(link->q, 8, clock_now_ns());
		nvme_qpair_exit(link->q);
	}
	assert_true(link->t->lost);
}

static void each_is_refused_by_field_and_told(void **state)
{
	for (unsigned int i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		const struct lie *lie = &lies[i];
		struct nvme_tcp_term_req term;
		struct link link;
		uint32_t fei;
		size_t len;

		open_with_two_commands(&link);
		len = honest(&link, lie->base);
		memcpy(wire + lie->at, &lie->value, lie->len);
		link_send(&link, wire, len);
		poll_until_lost(&link);
		link_read(&link, &term, sizeof(term));
		memcpy(&fei, term.fei, sizeof(fei));
		if (!strstr(link.t->why, lie->text))
			fail_msg("lie %u: '%s' does not say '%s'", i, link.t->why, lie->text);
		if (term.ch.type != NVME_TCP_H2C_TERM_REQ || term.fes != lie->fes ||
		    fei != lie->fei)
			fail_msg("%s: type %u, FES %u, FEI %u", lie->text, term.ch.type, term.fes,
				 fei);
		link_close(&link);
	}
}

/* The first is right: it grants half. The second comes before the first is answered. */
static void a_second_r2t_before_the_first_is_answered_is_one_too_many(void **state)
{
	struct nvme_tcp_term_req term;
	struct link link;
	size_t len;

	open_with_two_commands(&link);
	len = link_r2t_pdu(&link, wire, WRITE_CID, 0, BYTES / 2);
	len += link_r2t_pdu(&link, wire + len, WRITE_CID, BYTES / 2, BYTES / 2);
	link_send(&link, wire, len);
	poll_until_lost(&link);
	assert_non_null(strstr(link.t->why, "more R2Ts for a command than MAXR2T allows"));
	link_read(&link, &term, sizeof(term));
	assert_int_equal(term.fes, NVME_TCP_FES_LIMIT);
	link_close(&link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_refused_by_field_and_told),
		cmocka_unit_test(a_second_r2t_before_the_first_is_answered_is_one_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
