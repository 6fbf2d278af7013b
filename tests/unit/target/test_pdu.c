/* SPDX-License-Identifier: BSD-3-Clause */
/* Headers of PDUs that a host sends: what is let through, on both sides of each limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32c.h"
#include "target/tcp_pdu.h"

#define IN_CAPSULE 8192u
#define CAPSULE	   NVME_TCP_CAPSULE_CMD
#define GOOD	   0, 0

static const struct tcp_rules fresh = { .in_capsule = IN_CAPSULE };
static const struct tcp_rules plain = { .initialised = true, .in_capsule = IN_CAPSULE };
static const struct tcp_rules digests = { .initialised = true,
					  .hdgst = true,
					  .ddgst = true,
					  .in_capsule = IN_CAPSULE };

struct row {
	const struct tcp_rules *rules;
	struct nvme_tcp_ch ch;
	uint16_t fes; /* 0: let through */
	uint32_t fei;
};

static const struct row rows[] = {
	/* the first PDU is ICReq */
	{ &fresh, { NVME_TCP_ICREQ, 0, 128, 0, 128 }, GOOD },
	{ &fresh, { NVME_TCP_ICREQ, 0, 128, 0, 127 }, NVME_TCP_FES_INVALID_HEADER, 4 },
	{ &fresh, { NVME_TCP_ICREQ, 0, 128, 0, 129 }, NVME_TCP_FES_INVALID_HEADER, 4 },
	{ &fresh, { NVME_TCP_ICREQ, 0, 127, 0, 128 }, NVME_TCP_FES_INVALID_HEADER, 2 },
	{ &fresh, { CAPSULE, 0, 72, 0, 72 }, NVME_TCP_FES_PDU_SEQUENCE, 0 },
	{ &fresh, { NVME_TCP_H2C_TERM_REQ, 0, 24, 0, 24 }, GOOD },
	/* and then it is not */
	{ &plain, { NVME_TCP_ICREQ, 0, 128, 0, 128 }, NVME_TCP_FES_PDU_SEQUENCE, 0 },
	{ &plain, { NVME_TCP_ICRESP, 0, 128, 0, 128 }, NVME_TCP_FES_INVALID_HEADER, 0 },
	{ &plain, { NVME_TCP_C2H_DATA, 0, 24, 24, 28 }, NVME_TCP_FES_INVALID_HEADER, 0 },
	{ &plain, { NVME_TCP_R2T, 0, 24, 0, 24 }, NVME_TCP_FES_INVALID_HEADER, 0 },
	{ &plain, { 0x08, 0, 24, 0, 24 }, NVME_TCP_FES_INVALID_HEADER, 0 },
	{ &plain, { NVME_TCP_H2C_TERM_REQ, 0, 24, 0, 152 }, GOOD },
	{ &plain, { NVME_TCP_H2C_TERM_REQ, 0, 24, 0, 153 }, NVME_TCP_FES_INVALID_HEADER, 4 },
	{ &plain, { NVME_TCP_H2C_TERM_REQ, 0, 24, 0, 23 }, NVME_TCP_FES_INVALID_HEADER, 4 },
	/* capsules */
	{ &plain, { CAPSULE, 0, 72, 0, 72 }, GOOD },
	{ &plain, { CAPSULE, 0, 72, 0, 71 }, NVME_TCP_FES_INVALID_HEADER, 4 },
	{ &plain, { CAPSULE, 0, 73, 0, 72 }, NVME_TCP_FES_INVALID_HEADER, 2 },
	{ &plain, { CAPSULE, 0, 72, 72, 73 }, GOOD },
	{ &plain, { CAPSULE, 0, 72, 72, 72 + IN_CAPSULE }, GOOD },
	{ &plain, { CAPSULE, 0, 72, 72, 73 + IN_CAPSULE }, NVME_TCP_FES_INVALID_HEADER, 4 },
	{ &plain, { CAPSULE, 0, 72, 72, UINT32_MAX }, NVME_TCP_FES_INVALID_HEADER, 4 },
	{ &plain, { CAPSULE, 0, 72, 128, 128 + IN_CAPSULE }, GOOD },
	{ &plain, { CAPSULE, 0, 72, 68, 80 }, NVME_TCP_FES_INVALID_HEADER, 3 },
	{ &plain, { CAPSULE, 0, 72, 73, 80 }, NVME_TCP_FES_INVALID_HEADER, 3 },
	{ &plain, { CAPSULE, 0, 72, 80, 80 }, NVME_TCP_FES_INVALID_HEADER, 3 },
	{ &plain, { CAPSULE, 0, 72, 76, 77 }, GOOD },
	/* digests are where they were agreed on, and nowhere else */
	{ &plain, { CAPSULE, NVME_TCP_FLAG_HDGST, 72, 0, 76 }, NVME_TCP_FES_INVALID_HEADER, 1 },
	{ &plain, { CAPSULE, NVME_TCP_FLAG_DDGST, 72, 72, 80 }, NVME_TCP_FES_INVALID_HEADER, 1 },
	{ &digests, { CAPSULE, 0, 72, 0, 76 }, NVME_TCP_FES_INVALID_HEADER, 1 },
	{ &digests, { CAPSULE, 1, 72, 0, 76 }, GOOD },
	{ &digests, { CAPSULE, 1, 72, 0, 75 }, NVME_TCP_FES_INVALID_HEADER, 4 },
	{ &digests, { CAPSULE, 3, 72, 0, 76 }, NVME_TCP_FES_INVALID_HEADER, 1 },
	{ &digests, { CAPSULE, 1, 72, 76, 84 }, NVME_TCP_FES_INVALID_HEADER, 1 },
	{ &digests, { CAPSULE, 3, 72, 76, 81 }, GOOD },
	{ &digests, { CAPSULE, 3, 72, 76, 80 }, NVME_TCP_FES_INVALID_HEADER, 4 },
	{ &digests, { CAPSULE, 3, 72, 72, 81 }, NVME_TCP_FES_INVALID_HEADER, 3 },
	{ &digests, { CAPSULE, 3, 72, 76, 80 + IN_CAPSULE }, GOOD },
	{ &digests, { CAPSULE, 3, 72, 76, 81 + IN_CAPSULE }, NVME_TCP_FES_INVALID_HEADER, 4 },
	/* data may be long: what was asked for is for the command to know */
	{ &plain, { NVME_TCP_H2C_DATA, 0, 24, 24, 25 }, GOOD },
	{ &plain, { NVME_TCP_H2C_DATA, 0, 24, 24, 24 }, NVME_TCP_FES_INVALID_HEADER, 4 },
	{ &plain, { NVME_TCP_H2C_DATA, 4, 24, 24, 1u << 20 }, GOOD },
	{ &digests, { NVME_TCP_H2C_DATA, 3, 24, 28, 33 }, GOOD },
};

static void test_headers_are_let_through_or_told_off(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct tcp_error error = { 0 };
		uint32_t head = 0;
		bool ok = tcp_pdu_check(r->rules, &r->ch, &head, &error);

		if (ok != !r->fes || error.fes != r->fes || error.fei != r->fei)
			fail_msg("row %zu: FES %u, FEI %u, not %u, %u", i, error.fes, error.fei,
				 r->fes, r->fei);
		if (ok)
			assert_int_equal(head, r->ch.hlen + (r->ch.flags & 1 ? 4 : 0));
	}
}

static void test_data_is_where_the_header_says(void **state)
{
	const struct nvme_tcp_ch bare = { CAPSULE, 0, 72, 0, 72 };
	const struct nvme_tcp_ch padded = { CAPSULE, 0, 72, 128, 640 };
	const struct nvme_tcp_ch sealed = { NVME_TCP_H2C_DATA, 3, 24, 32, 32 + 512 + 4 };
	uint32_t pad = 0;

	assert_int_equal(tcp_pdu_data(&plain, &bare, &pad), 0);
	assert_int_equal(tcp_pdu_data(&plain, &padded, &pad), 512);
	assert_int_equal(pad, 56);
	assert_int_equal(tcp_pdu_data(&digests, &sealed, &pad), 512);
	assert_int_equal(pad, 4);
}

static void test_a_header_digest_covers_every_byte(void **state)
{
	struct {
		struct nvme_tcp_capsule_cmd pdu;
		uint32_t digest;
	} p = { .pdu.ch = { CAPSULE, 1, 72, 0, 76 } };

	p.digest = crc32c(0, &p.pdu, sizeof(p.pdu));
	assert_true(tcp_pdu_digest_ok(&digests, &p.pdu.ch));
	for (size_t i = 0; i < sizeof(p.pdu); i++) {
		/* the length of the header decides where its digest is */
		if (i == offsetof(struct nvme_tcp_ch, hlen) || i == 0)
			continue;
		((uint8_t *)&p)[i] ^= 0x10;
		assert_false(tcp_pdu_digest_ok(&digests, &p.pdu.ch));
		((uint8_t *)&p)[i] ^= 0x10;
	}
	p.digest ^= 1;
	assert_false(tcp_pdu_digest_ok(&digests, &p.pdu.ch));
	assert_true(tcp_pdu_digest_ok(&plain, &p.pdu.ch));
}

static void test_icreq_asks_for_what_there_is(void **state)
{
	struct nvme_tcp_icreq req = { .hpda = 31, .dgst = 3, .maxr2t = UINT32_MAX };
	struct tcp_error error;

	assert_true(tcp_pdu_icreq_check(&req, &error));
	req.hpda = 32;
	assert_false(tcp_pdu_icreq_check(&req, &error));
	assert_true(error.fes == NVME_TCP_FES_INVALID_HEADER && error.fei == 10);
	req.hpda = 0;
	req.dgst = 4;
	assert_false(tcp_pdu_icreq_check(&req, &error));
	assert_true(error.fes == NVME_TCP_FES_INVALID_HEADER && error.fei == 11);
	req.dgst = 0;
	req.pfv = 1;
	assert_false(tcp_pdu_icreq_check(&req, &error));
	assert_true(error.fes == NVME_TCP_FES_UNSUPPORTED_PARAM && error.fei == 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers_are_let_through_or_told_off),
		cmocka_unit_test(test_data_is_where_the_header_says),
		cmocka_unit_test(test_a_header_digest_covers_every_byte),
		cmocka_unit_test(test_icreq_asks_for_what_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
