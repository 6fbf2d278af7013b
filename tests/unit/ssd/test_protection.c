/* SPDX-License-Identifier: BSD-3-Clause */
/* Metadata, interleaved and separate, and protection information of types 1 to 3. */
#include "rig.h"

#include "base/crc_pi.h"

#define PRACT NVME_PRINFO_PRACT
#define GUARD NVME_PRINFO_CHECK_GUARD
#define APP   NVME_PRINFO_CHECK_APP
#define REF   NVME_PRINFO_CHECK_REF
#define ALL   (GUARD | APP | REF)

/* Format 2 is 512 bytes with metadata. */
static struct rig *formatted(const char *options, uint32_t pi, bool extended, bool first)
{
	struct rig *r = rig_ready(options);
	struct nvme_sqe sqe = { .opc = NVME_ADMIN_FORMAT, .nsid = 1 };

	sqe.cdw10 = (uint32_t)(2 | NVME_SET(extended, FORMAT_MSET) | NVME_SET(pi, FORMAT_PI) |
			       NVME_SET(first, FORMAT_PIL));
	assert_int_equal(rig_run(r, 0, sqe, NULL), 0);
	return r;
}

static uint16_t cmd(struct rig *r, uint8_t opc, uint64_t slba, uint32_t nlb, void *data, void *meta,
		    uint32_t prinfo, uint32_t reftag)
{
	struct nvme_sqe sqe = rig_rw(opc, slba, nlb, data);

	sqe.mptr = (uintptr_t)meta;
	sqe.cdw12 |= prinfo << NVME_RW_PRINFO_SHIFT;
	sqe.cdw14 = reftag;
	sqe.cdw15 = 0xffff0000 | 0x1234; /* application tag 1234h, all bits checked */
	return rig_run(r, 1, sqe, NULL);
}

static void put_pi(uint8_t *pi, const uint8_t *data, uint16_t app, uint32_t ref)
{
	uint16_t guard = crc_pi16(0, data, 512);

	pi[0] = (uint8_t)(guard >> 8);
	pi[1] = (uint8_t)guard;
	pi[2] = (uint8_t)(app >> 8);
	pi[3] = (uint8_t)app;
	for (int i = 0; i < 4; i++)
		pi[4 + i] = (uint8_t)(ref >> (24 - 8 * i));
}

static void host_memory_in_small_pieces_carries_data_with_metadata(void **state)
{
	for (int extended = 0; extended < 2; extended++) {
		const size_t len = extended ? 8 * 576 : 8 * 512;
		struct rig *r = formatted("latency=none,ms=64,erase_s=0", 0, extended, false);
		uint8_t *meta = r->buf2 + 65536, *back = meta + 4096;

		r->split = 300; /* no multiple of an LBA */
		for (size_t i = 0; i < len; i++)
			r->buf[i] = (uint8_t)(i * 131 + i / 251);
		for (size_t i = 0; i < 512; i++)
			meta[i] = (uint8_t)(i * 7 + 1);
		assert_int_equal(cmd(r, NVME_CMD_WRITE, 8, 8, r->buf, meta, 0, 0), 0);
		assert_int_equal(cmd(r, NVME_CMD_READ, 8, 8, r->buf2, back, 0, 0), 0);
		assert_memory_equal(r->buf, r->buf2, len);
		if (!extended)
			assert_memory_equal(meta, back, 512);
		rig_destroy(r);
	}
}

static void metadata_does_not_go_beyond_the_namespace_either(void **state)
{
	static const uint8_t opcodes[] = { NVME_CMD_WRITE, NVME_CMD_READ, NVME_CMD_COMPARE };
	struct rig *r = formatted("latency=none,ms=64,erase_s=0,size=1M", 0, false, false);
	const uint64_t end = (1 << 20) / 512;

	for (unsigned int i = 0; i < sizeof(opcodes); i++) {
		assert_int_equal(cmd(r, opcodes[i], end - 8, 8, r->buf, r->buf2, 0, 0), 0);
		assert_int_equal(cmd(r, opcodes[i], end - 7, 8, r->buf, r->buf2, 0, 0),
				 NVME_SC_LBA_OUT_OF_RANGE);
		assert_int_equal(cmd(r, opcodes[i], end, 1, r->buf, r->buf2, 0, 0),
				 NVME_SC_LBA_OUT_OF_RANGE);
	}
	rig_destroy(r);
}

static void separate_metadata_travels_beside_the_data(void **state)
{
	struct rig *r = formatted("latency=none,ms=64,erase_s=0", 0, false, false);
	uint8_t *meta = r->buf2, *back = r->buf2 + 4096;

	for (int i = 0; i < 512; i++)
		meta[i] = (uint8_t)(i * 3);
	memset(r->buf, 0x42, 4096);
	assert_int_equal(cmd(r, NVME_CMD_WRITE, 8, 8, r->buf, meta, 0, 0), 0);
	memset(r->buf, 0, 4096);
	assert_int_equal(cmd(r, NVME_CMD_READ, 8, 8, r->buf, back, 0, 0), 0);

	assert_memory_equal(meta, back, 512);
	assert_int_equal(r->buf[4095], 0x42);
	assert_int_equal(cmd(r, NVME_CMD_COMPARE, 8, 8, r->buf, back, 0, 0), 0);
	assert_int_equal(cmd(r, NVME_CMD_READ, 8, 1, r->buf, back + 2, 0, 0),
			 NVME_SC_INVALID_FIELD); /* not a dword's address */
	back[511] ^= 1;
	assert_int_equal(cmd(r, NVME_CMD_COMPARE, 8, 8, r->buf, back, 0, 0),
			 NVME_SC_COMPARE_FAILURE);
	rig_destroy(r);
}

static void metadata_may_be_described_by_an_sgl(void **state)
{
	struct rig *r = formatted("latency=none,ms=64,erase_s=0", 0, false, false);
	struct nvme_sgl_desc *segment = (void *)(r->buf2 + 8192);
	struct nvme_sqe sqe = rig_rw(NVME_CMD_WRITE, 8, 8, NULL);
	uint8_t *meta = r->buf2, *back = r->buf2 + 4096;

	for (int i = 0; i < 512; i++)
		meta[i] = (uint8_t)(i * 3);
	sqe.flags = NVME_SQE_PSDT_SGL_MPTR_SGL << NVME_SQE_PSDT_SHIFT;
	sqe.sgl1 = (struct nvme_sgl_desc){ .addr = (uintptr_t)r->buf, .len = 4096 };
	sqe.mptr = (uintptr_t)segment;
	*segment = (struct nvme_sgl_desc){ .addr = (uintptr_t)meta, .len = 512 };
	assert_int_equal(rig_run(r, 1, sqe, NULL), 0);
	sqe.opc = NVME_CMD_READ;
	segment->addr = (uintptr_t)back;
	assert_int_equal(rig_run(r, 1, sqe, NULL), 0);
	assert_memory_equal(meta, back, 512);
	segment->len = 511;
	assert_int_equal(rig_run(r, 1, sqe, NULL), NVME_SC_SGL_INVALID_METADATA_LENGTH);
	rig_destroy(r);
}

static void stale_metadata_is_that_of_a_new_drive(void **state)
{
	struct rig *r = formatted("latency=none,ms=64,erase_s=0", 0, false, false);
	struct ssd_fault f = {
		.action = SSD_FAULT_STALE, .admin = -1, .opcode = NVME_CMD_READ, .probability = 1
	};
	struct nvme_sqe flush = { .opc = NVME_CMD_FLUSH, .nsid = 1 };
	uint8_t *meta = r->buf2;

	memset(r->buf, 0x42, 512);
	memset(meta, 0x43, 64);
	assert_int_equal(cmd(r, NVME_CMD_WRITE, 8, 1, r->buf, meta, 0, 0), 0);
	assert_int_equal(rig_run(r, 1, flush, NULL), 0);
	assert_true(ssd_fault_add(r->ssd, &f) > 0);
	assert_int_equal(cmd(r, NVME_CMD_READ, 8, 1, r->buf, meta, 0, 0), 0);

	assert_int_equal(r->buf[0], 0);
	for (int i = 0; i < 64; i++)
		assert_int_equal(meta[i], 0xff);
	rig_destroy(r);
}

static void interleaved_metadata_travels_in_the_data(void **state)
{
	struct rig *r = formatted("latency=none,ms=8,erase_s=0", 0, true, false);

	for (int i = 0; i < 7 * 520; i++)
		r->buf[i] = (uint8_t)(i * 5 + i / 256);
	assert_int_equal(cmd(r, NVME_CMD_WRITE, 3, 7, r->buf, NULL, 0, 0), 0);
	assert_int_equal(cmd(r, NVME_CMD_READ, 3, 7, r->buf2, NULL, 0, 0), 0);

	assert_memory_equal(r->buf, r->buf2, 7 * 520);
	rig_destroy(r);
}

static void interleaved_metadata_counts_for_mdts(void **state)
{
	struct rig *r = formatted("latency=none,ms=8,erase_s=0,mdts=8K", 0, true, false);

	assert_int_equal(cmd(r, NVME_CMD_READ, 0, 15, r->buf, NULL, 0, 0), 0);
	assert_int_equal(cmd(r, NVME_CMD_READ, 0, 16, r->buf, NULL, 0, 0), NVME_SC_INVALID_FIELD);
	rig_destroy(r);
}

static void pi_is_inserted_and_stripped(void **state)
{
	struct rig *r = formatted("latency=none,ms=8,erase_s=0", 1, false, false);
	uint8_t *meta = r->buf2, want[8];

	memset(r->buf, 0x11, 1024);
	assert_int_equal(cmd(r, NVME_CMD_WRITE, 100, 2, r->buf, NULL, PRACT, 100), 0);
	assert_int_equal(cmd(r, NVME_CMD_READ, 100, 2, r->buf, NULL, PRACT | ALL, 100), 0);
	assert_int_equal(cmd(r, NVME_CMD_READ, 100, 2, r->buf, meta, ALL, 100), 0);

	put_pi(want, r->buf, 0x1234, 100);
	assert_memory_equal(meta, want, 8);
	put_pi(want, r->buf, 0x1234, 101);
	assert_memory_equal(meta + 8, want, 8);
	rig_destroy(r);
}

static void tags_that_are_inserted_count_up_but_in_type_3(void **state)
{
	for (uint32_t type = 1; type <= 3; type++) {
		struct rig *r = formatted("latency=none,ms=8,erase_s=0", type, false, false);
		uint8_t *meta = r->buf2, want[8];

		memset(r->buf, 0x11, 3 * 512);
		assert_int_equal(cmd(r, NVME_CMD_WRITE, 100, 3, r->buf, NULL, PRACT, 100), 0);
		assert_int_equal(cmd(r, NVME_CMD_READ, 100, 3, r->buf, meta, 0, 0), 0);

		for (uint32_t i = 0; i < 3; i++) {
			put_pi(want, r->buf, 0x1234, 100 + (type == 3 ? 0 : i));
			assert_memory_equal(meta + (size_t)i * 8, want, 8);
		}
		rig_destroy(r);
	}
}

/* The host's tags from @base on; a read that expects @base finds each of them right. */
static void tags_are_checked_lba_by_lba(void **state)
{
	for (uint32_t type = 1; type <= 2; type++) {
		const uint32_t base = type == 1 ? 100 : 7777;
		struct rig *r = formatted("latency=none,ms=8,erase_s=0", type, false, false);
		uint8_t *meta = r->buf2;

		memset(r->buf, 0x11, 3 * 512);
		for (uint32_t i = 0; i < 3; i++)
			put_pi(meta + (size_t)i * 8, r->buf, 0x1234, base + i);
		assert_int_equal(cmd(r, NVME_CMD_WRITE, 100, 3, r->buf, meta, ALL, base), 0);
		assert_int_equal(cmd(r, NVME_CMD_READ, 100, 3, r->buf, meta, ALL, base), 0);
		assert_int_equal(cmd(r, NVME_CMD_VERIFY, 100, 3, NULL, NULL, ALL, base), 0);
		/* each tag alone */
		for (uint32_t i = 0; i < 3; i++) {
			meta[i * 8 + 7] ^= 1;
			assert_int_equal(cmd(r, NVME_CMD_WRITE, 100, 3, r->buf, meta, ALL, base),
					 NVME_SC_REFTAG_CHECK);
			meta[i * 8 + 7] ^= 1;
		}
		rig_destroy(r);
	}
}

/* Longer than MDTS, which these are done in steps of. */
static void long_commands_without_data_count_tags_on(void **state)
{
	struct rig *r = formatted("latency=none,ms=8,erase_s=0,mdts=8K", 1, false, false);
	uint8_t *meta = r->buf2, want[8];

	assert_int_equal(cmd(r, NVME_CMD_WRITE_ZEROES, 100, 40, NULL, NULL, PRACT, 100), 0);
	assert_int_equal(cmd(r, NVME_CMD_READ, 138, 2, r->buf, meta, 0, 0), 0);
	put_pi(want, r->buf, 0x1234, 138);
	assert_memory_equal(meta, want, 8);
	assert_int_equal(cmd(r, NVME_CMD_VERIFY, 100, 40, NULL, NULL, ALL, 100), 0);
	rig_destroy(r);
}

static void a_failed_check_names_its_lba(void **state)
{
	struct rig *r = formatted("latency=none,ms=8,erase_s=0", 1, false, false);
	struct nvme_error_entry *e = (struct nvme_error_entry *)r->buf;
	uint8_t *meta = r->buf2;

	memset(r->buf, 0x11, 3 * 512);
	for (uint32_t i = 0; i < 3; i++)
		put_pi(meta + (size_t)i * 8, r->buf, 0x1234, 100 + i);
	meta[2 * 8] ^= 1;
	assert_int_equal(cmd(r, NVME_CMD_WRITE, 100, 3, r->buf, meta, ALL, 100),
			 NVME_SC_GUARD_CHECK);
	assert_int_equal(rig_log(r, NVME_LOG_ERROR, e, 64), 0);
	assert_int_equal(e->lba, 102);
	rig_destroy(r);
}

static void bits_of_the_application_tag_are_masked(void **state)
{
	struct rig *r = formatted("latency=none,ms=8,erase_s=0", 1, false, false);
	struct nvme_sqe sqe = rig_rw(NVME_CMD_WRITE, 50, 1, r->buf);

	put_pi(r->buf2, r->buf, 0xab34, 50);
	sqe.mptr = (uintptr_t)r->buf2;
	sqe.cdw12 |= APP << NVME_RW_PRINFO_SHIFT;
	sqe.cdw15 = 0x00ff1234;
	assert_int_equal(rig_run(r, 1, sqe, NULL), 0);
	sqe.cdw15 = 0x01ff1234;
	assert_int_equal(rig_run(r, 1, sqe, NULL), NVME_SC_APPTAG_CHECK);
	rig_destroy(r);
}

/* Metadata beside it is compared; it is itself checked, also if it might have been inserted. */
static void compare_leaves_protection_information_out(void **state)
{
	for (int first = 0; first < 2; first++) {
		struct rig *r = formatted("latency=none,ms=16,erase_s=0", 1, false, first);
		uint8_t *meta = r->buf2, *pi = meta + (first ? 0 : 8),
			*rest = meta + (first ? 8 : 0);

		memset(r->buf, 0x33, 512);
		memset(meta, 0x44, 16);
		assert_int_equal(cmd(r, NVME_CMD_WRITE, 9, 1, r->buf, meta, PRACT, 9), 0);
		memset(pi, 0x77, 8);
		assert_int_equal(cmd(r, NVME_CMD_COMPARE, 9, 1, r->buf, meta, 0, 9), 0);
		assert_int_equal(cmd(r, NVME_CMD_COMPARE, 9, 1, r->buf, meta, PRACT | GUARD, 9),
				 NVME_SC_GUARD_CHECK);
		for (int i = 0; i < 8; i++) {
			rest[i] ^= 1;
			assert_int_equal(cmd(r, NVME_CMD_COMPARE, 9, 1, r->buf, meta, 0, 9),
					 NVME_SC_COMPARE_FAILURE);
			rest[i] ^= 1;
		}
		rig_destroy(r);
	}
}

/* A write of LBA 50 with PI of the host's, one of its fields wrong. */
static void wrong_pi(uint32_t type, uint32_t prinfo, uint16_t app, uint32_t ref, int flip,
		     uint16_t want)
{
	struct rig *r = formatted("latency=none,ms=8,erase_s=0", type, false, false);
	uint8_t *meta = r->buf2;

	memset(r->buf, 0x22, 512);
	put_pi(meta, r->buf, app, ref);
	r->buf[flip < 0 ? 0 : flip] ^= flip < 0 ? 0 : 1;
	assert_int_equal(cmd(r, NVME_CMD_WRITE, 50, 1, r->buf, meta, prinfo, 50), want);
	/* what may be stored unchecked is found at reading */
	assert_int_equal(cmd(r, NVME_CMD_WRITE, 50, 1, r->buf, meta, 0, 50), 0);
	assert_int_equal(cmd(r, NVME_CMD_READ, 50, 1, r->buf, meta, prinfo, 50), want);
	assert_int_equal(cmd(r, NVME_CMD_VERIFY, 50, 1, NULL, NULL, prinfo, 50), want);
	rig_destroy(r);
}

static void each_field_is_checked_as_asked(void **state)
{
	wrong_pi(1, ALL, 0x1234, 50, -1, 0);
	wrong_pi(1, ALL, 0x1234, 50, 9, NVME_SC_GUARD_CHECK);
	wrong_pi(1, APP | REF, 0x1234, 50, 9, 0);
	wrong_pi(1, ALL, 0x1235, 50, -1, NVME_SC_APPTAG_CHECK);
	wrong_pi(1, GUARD | REF, 0x1235, 50, -1, 0);
	wrong_pi(1, ALL, 0x1234, 51, -1, NVME_SC_REFTAG_CHECK);
	wrong_pi(1, GUARD | APP, 0x1234, 51, -1, 0);
	wrong_pi(2, ALL, 0x1234, 51, -1, NVME_SC_REFTAG_CHECK);
	wrong_pi(3, GUARD | APP, 0x1234, 51, -1, 0);
}

static void all_ones_switch_checks_off(void **state)
{
	wrong_pi(1, ALL, 0xffff, 51, 9, 0);
	wrong_pi(2, ALL, 0xffff, 51, 9, 0);
	wrong_pi(3, GUARD | APP, 0xffff, UINT32_MAX, 9, 0);
	wrong_pi(3, GUARD | APP, 0xffff, 51, 9, NVME_SC_GUARD_CHECK);
}

static void wrong_commands_are_refused(void **state)
{
	struct rig *r = formatted("latency=none,ms=8,erase_s=0", 1, false, false);

	/* type 1: the reference tag is the LBA */
	assert_int_equal(cmd(r, NVME_CMD_WRITE, 50, 1, r->buf, r->buf2, REF, 51),
			 NVME_SC_INVALID_PI);
	rig_destroy(r);
	r = formatted("latency=none,ms=8,erase_s=0", 3, false, false);
	assert_int_equal(cmd(r, NVME_CMD_READ, 50, 1, r->buf, r->buf2, REF, 50),
			 NVME_SC_INVALID_PI);
	rig_destroy(r);
}

static void first_or_last_the_guard_covers_what_it_must(void **state)
{
	for (int first = 0; first < 2; first++) {
		struct rig *r = formatted("latency=none,ms=16,erase_s=0", 1, false, first);
		uint8_t *meta = r->buf2;

		memset(r->buf, 0x33, 512);
		memset(meta, 0x44, 16);
		assert_int_equal(cmd(r, NVME_CMD_WRITE, 9, 1, r->buf, meta, PRACT, 9), 0);
		assert_int_equal(cmd(r, NVME_CMD_READ, 9, 1, r->buf, meta, ALL, 9), 0);
		assert_int_equal(meta[first ? 8 : 7], 0x44);
		/* metadata before PI is covered, behind it is not */
		meta[first ? 8 : 7] ^= 1;
		assert_int_equal(cmd(r, NVME_CMD_WRITE, 9, 1, r->buf, meta, ALL, 9),
				 first ? 0 : NVME_SC_GUARD_CHECK);
		rig_destroy(r);
	}
}

static void unwritten_lbas_pass_all_checks(void **state)
{
	struct rig *r = formatted("latency=none,ms=8,erase_s=0", 1, false, false);

	assert_int_equal(cmd(r, NVME_CMD_READ, 70, 4, r->buf, r->buf2, ALL, 70), 0);
	assert_int_equal(cmd(r, NVME_CMD_WRITE_ZEROES, 70, 4, NULL, NULL, PRACT, 70), 0);
	assert_int_equal(cmd(r, NVME_CMD_READ, 70, 4, r->buf, r->buf2, ALL, 70), 0);
	rig_destroy(r);
}

static void copies_renew_their_reference_tags(void **state)
{
	struct rig *r = formatted("latency=none,ms=8,erase_s=0", 1, false, false);
	struct nvme_copy_range *range = (struct nvme_copy_range *)r->buf2;
	struct nvme_sqe sqe = { .opc = NVME_CMD_COPY, .nsid = 1, .prp1 = (uintptr_t)range };

	memset(r->buf, 0x55, 2048);
	assert_int_equal(cmd(r, NVME_CMD_WRITE, 10, 4, r->buf, NULL, PRACT, 10), 0);
	range[0] = (struct nvme_copy_range){ .slba = 10, .nlb = 3, .elbt = 10 };
	sqe.cdw10 = 200;
	sqe.cdw12 = (GUARD | REF) << NVME_COPY_PRINFOR_SHIFT | PRACT << NVME_RW_PRINFO_SHIFT;
	sqe.cdw14 = 200;
	sqe.cdw15 = 0x1234;
	assert_int_equal(rig_run(r, 1, sqe, NULL), 0);
	assert_int_equal(cmd(r, NVME_CMD_READ, 200, 4, r->buf, r->buf2, ALL, 200), 0);
	rig_destroy(r);
}

static uint16_t copy(struct rig *r, uint32_t read_prinfo, uint32_t write_prinfo)
{
	struct nvme_copy_range *range = (struct nvme_copy_range *)r->buf2;
	struct nvme_sqe sqe = { .opc = NVME_CMD_COPY, .nsid = 1, .prp1 = (uintptr_t)range };

	*range = (struct nvme_copy_range){ .slba = 10, .elbt = 10 };
	sqe.cdw10 = 200;
	sqe.cdw12 = read_prinfo << NVME_COPY_PRINFOR_SHIFT | write_prinfo << NVME_RW_PRINFO_SHIFT;
	sqe.cdw14 = 200;
	return rig_run(r, 1, sqe, NULL);
}

static void copies_check_what_they_read_and_what_they_write(void **state)
{
	struct rig *r = formatted("latency=none,ms=8,erase_s=0", 1, false, false);
	uint8_t *meta = r->buf2 + 4096;

	memset(r->buf, 0x55, 512);
	put_pi(meta, r->buf, 0x1234, 10);
	meta[0] ^= 1;
	assert_int_equal(cmd(r, NVME_CMD_WRITE, 10, 1, r->buf, meta, 0, 10), 0);

	assert_int_equal(copy(r, GUARD, PRACT), NVME_SC_GUARD_CHECK);
	assert_int_equal(copy(r, 0, GUARD), NVME_SC_GUARD_CHECK);
	assert_int_equal(copy(r, 0, 0), 0);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host_memory_in_small_pieces_carries_data_with_metadata),
		cmocka_unit_test(metadata_does_not_go_beyond_the_namespace_either),
		cmocka_unit_test(separate_metadata_travels_beside_the_data),
		cmocka_unit_test(metadata_may_be_described_by_an_sgl),
		cmocka_unit_test(stale_metadata_is_that_of_a_new_drive),
		cmocka_unit_test(interleaved_metadata_travels_in_the_data),
		cmocka_unit_test(interleaved_metadata_counts_for_mdts),
		cmocka_unit_test(pi_is_inserted_and_stripped),
		cmocka_unit_test(tags_that_are_inserted_count_up_but_in_type_3),
		cmocka_unit_test(tags_are_checked_lba_by_lba),
		cmocka_unit_test(each_field_is_checked_as_asked),
		cmocka_unit_test(all_ones_switch_checks_off),
		cmocka_unit_test(wrong_commands_are_refused),
		cmocka_unit_test(first_or_last_the_guard_covers_what_it_must),
		cmocka_unit_test(unwritten_lbas_pass_all_checks),
		cmocka_unit_test(copies_renew_their_reference_tags),
		cmocka_unit_test(copies_check_what_they_read_and_what_they_write),
		cmocka_unit_test(long_commands_without_data_count_tags_on),
		cmocka_unit_test(a_failed_check_names_its_lba),
		cmocka_unit_test(bits_of_the_application_tag_are_masked),
		cmocka_unit_test(compare_leaves_protection_information_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
