// SPDX-License-Identifier: BSD-3-Clause
/* Protection information: against known values, and end to end on the software SSD. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "nvme/pi.h"
#include "spec/identify.h"
#include "sim_fixture.h"

#define GUARD ((uint32_t)NVME_PRINFO_CHECK_GUARD << NVME_RW_PRINFO_SHIFT)
#define APP   ((uint32_t)NVME_PRINFO_CHECK_APP << NVME_RW_PRINFO_SHIFT)
#define REF   ((uint32_t)NVME_PRINFO_CHECK_REF << NVME_RW_PRINFO_SHIFT)
#define ACT   ((uint32_t)NVME_PRINFO_PRACT << NVME_RW_PRINFO_SHIFT)

/* A namespace on paper: 512 bytes and metadata. */
struct paper {
	struct nvme_ns_format format;
	struct nvme_ns ns;
	struct nvme_req req;
	uint8_t data[4 * (512 + 64)];
	uint8_t meta[4 * 64];
};

static void write_on_paper(struct paper *p, uint8_t type, uint32_t meta_bytes, bool interleaved)
{
	memset(p, 0, sizeof(*p));
	p->format = (struct nvme_ns_format){
		.lba_bytes = 512,
		.meta_bytes = meta_bytes,
		.meta_interleaved = interleaved,
		.stride_bytes = 512 + (interleaved ? meta_bytes : 0),
		.pi_type = type,
	};
	p->ns.nsid = 1;
	atomic_store(&p->ns.format, &p->format);
	nvme_cmd_rw(&p->req, &p->ns, NVME_CMD_WRITE, p->data, 0x12345678, 3, GUARD | REF | APP);
	p->req.sqe.cdw15 = 0xffff0000 | 0xbeef;
	for (size_t i = 0; i < sizeof(p->data); i++)
		p->data[i] = (uint8_t)i;
	nvme_pi_generate(&p->format, &p->req, interleaved ? NULL : p->meta);
}

static uint16_t check(struct paper *p)
{
	return nvme_pi_check(&p->format, &p->req, p->format.meta_interleaved ? NULL : p->meta);
}

static void tags_are_big_endian_and_count_up(void **state)
{
	static const uint8_t tags[3][6] = { { 0xbe, 0xef, 0x12, 0x34, 0x56, 0x78 },
					    { 0xbe, 0xef, 0x12, 0x34, 0x56, 0x79 },
					    { 0xbe, 0xef, 0x12, 0x34, 0x56, 0x7a } };
	struct paper p;

	write_on_paper(&p, 1, 8, false);

	for (int i = 0; i < 3; i++)
		assert_memory_equal(p.meta + i * 8 + 2, tags[i], 6);
	for (size_t i = 24; i < sizeof(p.meta); i++)
		assert_int_equal(p.meta[i], 0);
}

static uint32_t reftag_at(const struct paper *p, unsigned int i)
{
	const uint8_t *tag = p->meta + (size_t)i * 8 + 4;

	return (uint32_t)tag[0] << 24 | (uint32_t)tag[1] << 16 | (uint32_t)tag[2] << 8 | tag[3];
}

static void type_2_has_the_lbas_as_reference_tags_too(void **state)
{
	struct paper p;

	write_on_paper(&p, 2, 8, false);

	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(reftag_at(&p, i), 0x12345678 + i);
	assert_int_equal(check(&p), 0);
	p.meta[2 * 8 + 7]++;
	assert_int_equal(check(&p), NVME_SC_REFTAG_CHECK);
}

/* Both directions: a write that is as wrong as its read would fit. */
static void reads_and_writes_carry_the_first_reference_tag(void **state)
{
	static const uint8_t opcodes[] = { NVME_CMD_READ, NVME_CMD_WRITE, NVME_CMD_COMPARE };
	struct paper p;

	for (uint8_t type = 0; type <= 3; type++)
		for (unsigned int i = 0; i < 3; i++) {
			write_on_paper(&p, type, 8, false);
			nvme_cmd_rw(&p.req, &p.ns, opcodes[i], p.data, 0x912345678, 3, REF);
			assert_int_equal(p.req.sqe.cdw14, type == 1 || type == 2 ? 0x12345678 : 0);
		}
}

static void type_3_has_one_reference_tag_for_all(void **state)
{
	struct paper p;

	write_on_paper(&p, 3, 8, false);
	p.req.sqe.cdw14 = 0xabcd1234;
	nvme_pi_generate(&p.format, &p.req, p.meta);

	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(reftag_at(&p, i), 0xabcd1234);
}

/* CRC-16 T10-DIF bit by bit, from its definition. */
static uint16_t slow_crc(const uint8_t *data, size_t len, uint16_t crc)
{
	for (size_t i = 0; i < len; i++) {
		crc ^= (uint16_t)(data[i] << 8);
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x8bb7 : crc << 1);
	}
	return crc;
}

static void the_guard_covers_data_and_the_metadata_before_it(void **state)
{
	struct paper p;
	uint16_t guard;

	write_on_paper(&p, 1, 16, true);
	guard = slow_crc(p.data, 512 + 8, 0);

	assert_int_equal(p.data[520] << 8 | p.data[521], guard);
}

static void every_broken_piece_has_its_status(void **state)
{
	static const struct {
		size_t off;
		uint16_t sc11;
	} pieces[] = { { 0, NVME_SC_GUARD_CHECK },
		       { 511, NVME_SC_GUARD_CHECK },
		       { 512, NVME_SC_GUARD_CHECK },
		       { 514, NVME_SC_APPTAG_CHECK },
		       { 519, NVME_SC_REFTAG_CHECK } };
	struct paper p;

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		write_on_paper(&p, 1, 8, true);
		assert_int_equal(check(&p), 0);
		p.data[520 + pieces[i].off] ^= 0x10;
		assert_int_equal(check(&p), pieces[i].sc11);
	}
}

static void only_what_is_asked_for_is_checked(void **state)
{
	struct paper p;

	write_on_paper(&p, 1, 8, true);
	p.req.sqe.cdw12 &= ~(GUARD | APP | REF);
	memset(p.data, 0x11, sizeof(p.data));

	assert_int_equal(check(&p), 0);
}

static void an_application_tag_of_ones_switches_checking_off(void **state)
{
	struct paper p;

	write_on_paper(&p, 1, 8, true);
	memset(p.data + 512, 0xff, 8);
	assert_int_equal(check(&p), 0);
	write_on_paper(&p, 3, 8, true);
	p.data[514] = p.data[515] = 0xff;
	assert_int_equal(check(&p), NVME_SC_APPTAG_CHECK);
}

static void type_3_has_no_reference_tag_to_check(void **state)
{
	struct paper p;

	write_on_paper(&p, 3, 8, true);
	p.data[519] ^= 1;

	assert_int_equal(check(&p), 0);
}

static void pract_leaves_it_to_the_controller(void **state)
{
	struct paper p;

	write_on_paper(&p, 1, 8, true);
	p.req.sqe.cdw12 |= ACT;

	assert_int_equal(nvme_ns_stride(&p.format, p.req.sqe.cdw12), 512);
	p.data[100] ^= 1;
	assert_int_equal(check(&p), 0);
}

/* --- on the device --- */

static int open_with_metadata(void **state)
{
	return sim_open_with(state, "sim:latency=none,ms=8");
}

static int open_with_more_metadata(void **state)
{
	return sim_open_with(state, "sim:latency=none,ms=64");
}

/* LBA format with 512 bytes and metadata. */
static uint32_t format_with_meta(const struct sim *s)
{
	const struct nvme_id_ns *id = s->ns->id_ns;

	for (uint32_t i = 0; i <= id->nlbaf; i++)
		if (id->lbaf[i].ds == 9 && id->lbaf[i].ms)
			return i;
	fail_msg("no LBA format with metadata");
	return 0;
}

static void format(struct sim *s, uint32_t interleaved, uint32_t pi)
{
	assert_int_equal(sim_admin(s, NVME_ADMIN_FORMAT, 1,
				   format_with_meta(s) | interleaved << 4 | pi << 5),
			 0);
	assert_int_equal(nvme_ns_format(s->ns)->pi_type, pi);
	assert_int_equal(nvme_ns_format(s->ns)->meta_interleaved, interleaved);
}

static uint16_t transfer(struct sim *s, uint8_t opcode, uint32_t prinfo, void *meta)
{
	s->req = (struct nvme_req){ .flags = NVME_REQ_STAMP | NVME_REQ_CHECK,
				    .meta = meta,
				    .meta_bytes = meta ? 4096 : 0 };
	nvme_cmd_rw(&s->req, s->ns, opcode, s->mem.va, 64, 4, prinfo);
	return sim_run(s);
}

static void end_to_end(void **state)
{
	struct sim *s = *state;
	void *meta = (uint8_t *)s->mem.va + 65536;

	for (uint32_t pi = 1; pi <= 3; pi++)
		for (uint32_t interleaved = 0; interleaved < 2; interleaved++) {
			uint32_t checks = pi == 3 ? GUARD : GUARD | REF;

			format(s, interleaved, pi);
			memset(s->mem.va, 0x3c, 4096);
			assert_int_equal(transfer(s, NVME_CMD_WRITE, checks, NULL), 0);
			memset(s->mem.va, 0, 4096);
			assert_int_equal(transfer(s, NVME_CMD_READ, checks, NULL), 0);
			assert_int_equal(transfer(s, NVME_CMD_READ, checks | ACT, NULL), 0);
			if (!interleaved)
				assert_int_equal(transfer(s, NVME_CMD_READ, checks, meta), 0);
		}
}

/* The controller inserts protection information, and the rest of the metadata is the host's. */
static void metadata_beside_the_protection_information_moves_with_pract(void **state)
{
	struct sim *s = *state;
	uint8_t *meta = (uint8_t *)s->mem.va + 65536;

	format(s, 0, 1);
	memset(meta, 0x5a, 4 * 64);
	assert_int_equal(transfer(s, NVME_CMD_WRITE, GUARD | REF | ACT, meta), 0);
	memset(meta, 0, 4 * 64);
	assert_int_equal(transfer(s, NVME_CMD_READ, GUARD | REF | ACT, meta), 0);
	assert_int_equal(meta[3 * 64 + 8], 0x5a);

	/* nobody brings memory for it */
	assert_int_equal(transfer(s, NVME_CMD_WRITE, GUARD | REF | ACT, NULL), 0);
	assert_int_equal(transfer(s, NVME_CMD_READ, GUARD | REF | ACT, NULL), 0);
}

static void interleaved_metadata_needs_no_room_of_its_own(void **state)
{
	struct sim *s = *state;

	format(s, 1, 1);
	s->req = (struct nvme_req){ .flags = NVME_REQ_STAMP,
				    .meta = (uint8_t *)s->mem.va + 65536,
				    .meta_bytes = 8 };
	nvme_cmd_rw(&s->req, s->ns, NVME_CMD_WRITE, s->mem.va, 64, 4, GUARD | REF);

	assert_int_equal(sim_run(s), 0);
}

static void a_bit_flipped_between_device_and_host_is_caught_by_the_guard(void **state)
{
	struct sim *s = *state;

	format(s, 1, 1);
	assert_int_equal(transfer(s, NVME_CMD_WRITE, GUARD | REF, NULL), 0);
	nvme_config.verify = false;
	sim_fault(s, NVME_CMD_READ, SSD_FAULT_BITFLIP);

	assert_in_range(transfer(s, NVME_CMD_READ, GUARD | REF, NULL), NVME_SC_GUARD_CHECK,
			NVME_SC_REFTAG_CHECK);
}

int main(void)
{
#define S(test) cmocka_unit_test_setup_teardown(test, open_with_metadata, sim_close)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tags_are_big_endian_and_count_up),
		cmocka_unit_test(type_2_has_the_lbas_as_reference_tags_too),
		cmocka_unit_test(reads_and_writes_carry_the_first_reference_tag),
		cmocka_unit_test(type_3_has_one_reference_tag_for_all),
		cmocka_unit_test(the_guard_covers_data_and_the_metadata_before_it),
		cmocka_unit_test(every_broken_piece_has_its_status),
		cmocka_unit_test(only_what_is_asked_for_is_checked),
		cmocka_unit_test(an_application_tag_of_ones_switches_checking_off),
		cmocka_unit_test(type_3_has_no_reference_tag_to_check),
		cmocka_unit_test(pract_leaves_it_to_the_controller),
		S(end_to_end),
		cmocka_unit_test_setup_teardown(
			metadata_beside_the_protection_information_moves_with_pract,
			open_with_more_metadata, sim_close),
		S(interleaved_metadata_needs_no_room_of_its_own),
		S(a_bit_flipped_between_device_and_host_is_caught_by_the_guard),
	};

	return cmocka_run_group_tests_name("nvme/pi", tests, NULL, NULL);
}
