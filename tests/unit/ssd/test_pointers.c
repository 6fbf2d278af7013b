/* SPDX-License-Identifier: BSD-3-Clause */
/* PRPs and SGLs: where data goes, and what is wrong with what does not. */
#include "rig.h"

#include <sys/uio.h>

#include "ssd/queue/dptr.h"

#define PAGE 4096u
#define SGL  (NVME_SQE_PSDT_SGL_MPTR_BUF << NVME_SQE_PSDT_SHIFT)

static void fill(uint8_t *p, size_t len, unsigned int seed)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(i * 131 + i / 251 + seed);
}

/* A write of @bytes at @off of r->buf by PRPs built the plain way, read back by an SGL. */
static void prp_write(struct rig *r, size_t off, size_t bytes)
{
	uint64_t *list = (uint64_t *)(r->buf2 + 512 * 1024);
	struct nvme_sqe sqe = rig_rw(NVME_CMD_WRITE, 0, (uint32_t)(bytes / 512), r->buf + off);
	size_t first = PAGE - off % PAGE, n = 0;

	for (size_t at = first; at < bytes; at += PAGE)
		list[n++] = (uintptr_t)r->buf + off + at;
	if (n == 1)
		sqe.prp2 = list[0];
	else if (n)
		sqe.prp2 = (uintptr_t)list;
	fill(r->buf + off, bytes, (unsigned int)(off + bytes));

	assert_int_equal(rig_run(r, 1, sqe, NULL), 0);
	memset(r->buf2, 0, bytes);
	assert_int_equal(rig_read(r, 0, (uint32_t)(bytes / 512), r->buf2), 0);
	assert_memory_equal(r->buf + off, r->buf2, bytes);
}

static void prps_of_any_offset_and_length_carry_data(void **state)
{
	struct rig *r = rig_ready("latency=none");

	for (size_t off = 0; off < PAGE; off += off < 16 || off > 4080 ? 4 : 508)
		for (size_t lbas = 1; lbas <= 256; lbas += lbas < 20 ? 1 : 59)
			prp_write(r, off, lbas * 512);
	prp_write(r, 4092, 128 * 1024);
	rig_destroy(r);
}

static void host_memory_in_small_pieces_carries_data(void **state)
{
	struct rig *r = rig_ready("latency=none");

	r->split = 300; /* no multiple of an LBA */
	prp_write(r, 1234 * 4, 64 * 1024);
	rig_destroy(r);
}

/* A list that begins @slots entries before the end of its page and goes on in another. */
static void lists_chain_at_the_end_of_a_page(void **state)
{
	struct rig *r = rig_ready("latency=none,mdts=256K");

	for (size_t slots = 2; slots < 12; slots++) {
		struct nvme_sqe sqe = rig_rw(NVME_CMD_WRITE, 0, 256, r->buf);
		uint64_t *page1 = (uint64_t *)(r->buf2 + 512 * 1024), *page2 = page1 + 512;
		uint64_t *list = page1 + 512 - slots;

		fill(r->buf, 128 * 1024, (unsigned int)slots);
		for (size_t i = 0; i < 31; i++)
			*(i < slots - 1 ? &list[i] : &page2[i - (slots - 1)]) =
				(uintptr_t)r->buf + (i + 1) * PAGE;
		list[slots - 1] = (uintptr_t)page2;
		sqe.prp2 = (uintptr_t)list;

		assert_int_equal(rig_run(r, 1, sqe, NULL), 0);
		assert_int_equal(rig_read(r, 0, 256, r->buf2), 0);
		assert_memory_equal(r->buf, r->buf2, 128 * 1024);
	}
	rig_destroy(r);
}

/*
 * PRP lists of pages that lie in memory backwards, so that no two of them are neighbours: the
 * last slot of a list's page is an entry if it is the last of all, else it chains.
 */
static void backward_prps(struct rig *r, uint8_t *data, uint64_t *list, size_t pages)
{
	struct nvme_sqe sqe = rig_rw(NVME_CMD_WRITE, 0, (uint32_t)pages, data + (pages - 1) * PAGE);
	size_t slot = 0;

	for (size_t i = 1; i < pages; i++) {
		if (slot % 512 == 511 && i + 1 < pages) {
			list[slot] = (uintptr_t)&list[slot + 1];
			slot++;
		}
		list[slot++] = (uintptr_t)data + (pages - 1 - i) * PAGE;
	}
	sqe.prp2 = pages == 2 ? list[0] : (uintptr_t)list;
	fill(data, pages * PAGE, (unsigned int)pages);
	assert_int_equal(rig_run(r, 1, sqe, NULL), 0);

	memset(data, 0, pages * PAGE);
	sqe.opc = NVME_CMD_READ;
	assert_int_equal(rig_run(r, 1, sqe, NULL), 0);
	for (size_t i = 0; i < pages * PAGE; i += 509)
		assert_int_equal(data[i], (uint8_t)(i * 131 + i / 251 + pages));
}

static void scattered_pages_up_to_64_mib_carry_data(void **state)
{
	/* around one, two and three pages of list, and MDTS */
	static const size_t pages[] = { 1,    2,    3,	  511,	512,  513,   514,
					1023, 1024, 1025, 1534, 1535, 16383, 16384 };
	struct rig *r = rig_ready("size=128M,lba=4096,mdts=64M,latency=none");
	uint8_t *data = aligned_alloc(PAGE, 16384 * PAGE);
	uint64_t *list = aligned_alloc(PAGE, 40 * PAGE);

	r->trusting = true;
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		backward_prps(r, data, list, pages[i]);
	assert_int_equal(rig_run(r, 1, rig_rw(NVME_CMD_READ, 0, 16385, data), NULL),
			 NVME_SC_INVALID_FIELD);
	free(list);
	free(data);
	rig_destroy(r);
}

static void an_offset_needs_one_piece_more(void **state)
{
	struct ssd_dptr d;

	assert_int_equal(ssd_dptr_init(&d, 64u << 20), 0);
	assert_int_equal(d.max, 16385);
	ssd_dptr_fini(&d);
	assert_int_equal(ssd_dptr_init(&d, 8192), 0);
	assert_int_equal(d.max, SSD_PIECES_MIN);
	ssd_dptr_fini(&d);
}

static void without_mdts_the_longest_command_carries_data(void **state)
{
	struct rig *r = rig_ready("size=128M,lba=512,mdts=0,latency=none");
	uint8_t *data = aligned_alloc(PAGE, 8192 * PAGE);
	struct nvme_sqe sqe = rig_rw(NVME_CMD_WRITE, 0, 65536, data);

	r->trusting = true;
	sqe.flags = SGL;
	sqe.sgl1 = (struct nvme_sgl_desc){ .addr = (uintptr_t)data, .len = 8192 * PAGE };
	fill(data, 8192 * PAGE, 7);
	assert_int_equal(rig_run(r, 1, sqe, NULL), 0);
	assert_int_equal(rig_read(r, 65535, 1, r->buf), 0);
	assert_memory_equal(r->buf, data + 65535 * 512, 512);
	free(data);
	rig_destroy(r);
}

/* Address 0 is not the host's: nothing is moved, not even what PRP1 describes. */
static void a_prp2_that_is_missing_is_a_transfer_error(void **state)
{
	static const uint32_t lbas[] = { 9, 16, 24, 256 };
	struct rig *r = rig_ready("latency=none");
	struct nvme_sqe sqe;

	memset(r->buf, 0x55, RIG_BUF_BYTES);
	for (size_t i = 0; i < sizeof(lbas) / sizeof(lbas[0]); i++) {
		sqe = rig_rw(NVME_CMD_READ, 0, lbas[i], r->buf);
		sqe.prp2 = 0;
		assert_int_equal(rig_run(r, 1, sqe, NULL), NVME_SC_DATA_TRANSFER_ERROR);
	}
	sqe = (struct nvme_sqe){ .opc = NVME_ADMIN_GET_LOG_PAGE,
				 .nsid = NVME_NSID_ALL,
				 .prp1 = (uintptr_t)r->buf + 3584,
				 .cdw10 = 1023u << 16 | NVME_LOG_EFFECTS };
	assert_int_equal(rig_run(r, 0, sqe, NULL), NVME_SC_DATA_TRANSFER_ERROR);
	sqe.cdw10 = 127u << 16 | NVME_LOG_EFFECTS;
	for (size_t i = 0; i < RIG_BUF_BYTES; i++)
		assert_int_equal(r->buf[i], 0x55);
	/* it is not needed for what ends with the first page */
	assert_int_equal(rig_run(r, 0, sqe, NULL), 0);
	rig_destroy(r);
}

static void wrong_offsets_are_found(void **state)
{
	struct rig *r = rig_ready("latency=none");
	uint64_t *list = (uint64_t *)r->buf2;
	struct nvme_sqe sqe = rig_rw(NVME_CMD_READ, 0, 8, r->buf);

	sqe.prp1 += 2;
	assert_int_equal(rig_run(r, 1, sqe, NULL), NVME_SC_PRP_INVALID_OFFSET);
	sqe = rig_rw(NVME_CMD_READ, 0, 1, r->buf + 2);
	assert_int_equal(rig_run(r, 1, sqe, NULL), NVME_SC_PRP_INVALID_OFFSET);
	sqe = rig_rw(NVME_CMD_READ, 0, 16, r->buf);
	sqe.prp2 += 4;
	assert_int_equal(rig_run(r, 1, sqe, NULL), NVME_SC_PRP_INVALID_OFFSET);
	sqe = rig_rw(NVME_CMD_READ, 0, 24, r->buf);
	sqe.prp2 = (uintptr_t)list + 4;
	assert_int_equal(rig_run(r, 1, sqe, NULL), NVME_SC_PRP_INVALID_OFFSET);
	list[0] = (uintptr_t)r->buf + PAGE;
	list[1] = (uintptr_t)r->buf + 2 * PAGE + 512;
	sqe.prp2 = (uintptr_t)list;
	assert_int_equal(rig_run(r, 1, sqe, NULL), NVME_SC_PRP_INVALID_OFFSET);
	rig_destroy(r);
}

static void unmapped_memory_is_a_transfer_error(void **state)
{
	struct rig *r = rig_ready("latency=none");

	r->hole_from = (uintptr_t)r->buf + PAGE;
	r->hole_to = r->hole_from + PAGE;

	assert_int_equal(rig_run(r, 1, rig_rw(NVME_CMD_READ, 0, 16, r->buf), NULL),
			 NVME_SC_DATA_TRANSFER_ERROR);
	assert_int_equal(rig_run(r, 1, rig_rw(NVME_CMD_READ, 0, 8, r->buf), NULL), 0);
	rig_destroy(r);
}

static struct nvme_sgl_desc desc(uint8_t type, const void *at, uint32_t len)
{
	return (struct nvme_sgl_desc){ .addr = (uintptr_t)at,
				       .len = len,
				       .type = NVME_SGL_ID(type, NVME_SGL_SUBTYPE_ADDRESS) };
}

static uint16_t sgl_cmd(struct rig *r, uint8_t opc, uint32_t nlb, struct nvme_sgl_desc sgl)
{
	struct nvme_sqe sqe = rig_rw(opc, 0, nlb, NULL);

	sqe.flags = SGL;
	sqe.sgl1 = sgl;
	return rig_run(r, 1, sqe, NULL);
}

static void segments_of_odd_blocks_carry_data(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct nvme_sgl_desc *a = (struct nvme_sgl_desc *)(r->buf2 + 512 * 1024), *b = a + 64;

	fill(r->buf, 4096, 1);
	a[0] = desc(NVME_SGL_TYPE_DATA_BLOCK, r->buf, 1);
	a[1] = desc(NVME_SGL_TYPE_DATA_BLOCK, r->buf + 1, 1023);
	a[2] = desc(NVME_SGL_TYPE_LAST_SEGMENT, b, 32);
	b[0] = desc(NVME_SGL_TYPE_DATA_BLOCK, r->buf + 1024, 3000);
	b[1] = desc(NVME_SGL_TYPE_DATA_BLOCK, r->buf + 4024, 72);

	assert_int_equal(sgl_cmd(r, NVME_CMD_WRITE, 8, desc(NVME_SGL_TYPE_SEGMENT, a, 48)), 0);
	assert_int_equal(rig_read(r, 0, 8, r->buf2), 0);
	assert_memory_equal(r->buf, r->buf2, 4096);
	rig_destroy(r);
}

static void a_bit_bucket_swallows_what_is_read(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct nvme_sgl_desc *a = (struct nvme_sgl_desc *)(r->buf2 + 512 * 1024);

	fill(r->buf, 4096, 2);
	assert_int_equal(rig_write(r, 0, 8, r->buf), 0);
	a[0] = desc(NVME_SGL_TYPE_DATA_BLOCK, r->buf2, 1000);
	a[1] = desc(NVME_SGL_TYPE_BIT_BUCKET, NULL, 2000);
	a[2] = desc(NVME_SGL_TYPE_DATA_BLOCK, r->buf2 + 1000, 1096);
	memset(r->buf2, 0, 4096);

	assert_int_equal(sgl_cmd(r, NVME_CMD_READ, 8, desc(NVME_SGL_TYPE_LAST_SEGMENT, a, 48)), 0);
	assert_memory_equal(r->buf2, r->buf, 1000);
	assert_memory_equal(r->buf2 + 1000, r->buf + 3000, 1096);
	rig_destroy(r);
}

static void each_wrong_sgl_has_its_status(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct nvme_sgl_desc *a = (struct nvme_sgl_desc *)(r->buf2 + 512 * 1024), d;
	const uint8_t rd = NVME_CMD_READ;

	/* too short */
	assert_int_equal(sgl_cmd(r, rd, 8, desc(NVME_SGL_TYPE_DATA_BLOCK, r->buf, 4095)),
			 NVME_SC_SGL_INVALID_DATA_LENGTH);
	/* a type that is none, a subtype for capsules */
	assert_int_equal(sgl_cmd(r, rd, 8, desc(7, r->buf, 4096)), NVME_SC_SGL_INVALID_TYPE);
	d = desc(NVME_SGL_TYPE_DATA_BLOCK, r->buf, 4096);
	d.type |= NVME_SGL_SUBTYPE_OFFSET;
	assert_int_equal(sgl_cmd(r, rd, 8, d), NVME_SC_SGL_INVALID_TYPE);
	/* nor is it a descriptor of a segment */
	a[0] = desc(7, r->buf, 4096);
	a[1] = desc(NVME_SGL_TYPE_DATA_BLOCK, r->buf, 4096);
	assert_int_equal(sgl_cmd(r, rd, 8, desc(NVME_SGL_TYPE_LAST_SEGMENT, a, 32)),
			 NVME_SC_SGL_INVALID_TYPE);
	/* segments of no or of half a descriptor */
	assert_int_equal(sgl_cmd(r, rd, 8, desc(NVME_SGL_TYPE_LAST_SEGMENT, a, 0)),
			 NVME_SC_SGL_INVALID_SEGMENT);
	assert_int_equal(sgl_cmd(r, rd, 8, desc(NVME_SGL_TYPE_LAST_SEGMENT, a, 24)),
			 NVME_SC_SGL_INVALID_SEGMENT);
	/* a last segment that goes on, a segment that does not */
	a[0] = desc(NVME_SGL_TYPE_DATA_BLOCK, r->buf, 4096);
	a[1] = desc(NVME_SGL_TYPE_SEGMENT, a + 8, 16);
	assert_int_equal(sgl_cmd(r, rd, 8, desc(NVME_SGL_TYPE_LAST_SEGMENT, a, 32)),
			 NVME_SC_SGL_INVALID_SEGMENT);
	assert_int_equal(sgl_cmd(r, rd, 8, desc(NVME_SGL_TYPE_SEGMENT, a, 16)),
			 NVME_SC_SGL_INVALID_SEGMENT);
	/* a segment that goes on before its end */
	a[0] = desc(NVME_SGL_TYPE_LAST_SEGMENT, a + 8, 16);
	a[1] = desc(NVME_SGL_TYPE_DATA_BLOCK, r->buf, 4096);
	a[8] = a[1];
	assert_int_equal(sgl_cmd(r, rd, 8, desc(NVME_SGL_TYPE_SEGMENT, a, 32)),
			 NVME_SC_SGL_INVALID_SEGMENT);
	/* more descriptors than a drive can take: a list of nothing, a segment that points to itself */
	memset(a, 0, 1025 * sizeof(*a));
	a[0] = desc(NVME_SGL_TYPE_DATA_BLOCK, r->buf, 4096);
	assert_int_equal(sgl_cmd(r, rd, 8, desc(NVME_SGL_TYPE_LAST_SEGMENT, a, 1024 * 16)), 0);
	assert_int_equal(sgl_cmd(r, rd, 8, desc(NVME_SGL_TYPE_LAST_SEGMENT, a, 1025 * 16)),
			 NVME_SC_SGL_INVALID_COUNT);
	a[0] = desc(NVME_SGL_TYPE_SEGMENT, a, 16);
	assert_int_equal(sgl_cmd(r, rd, 8, a[0]), NVME_SC_SGL_INVALID_COUNT);
	rig_destroy(r);
}

static void admin_commands_take_prps_only(void **state)
{
	struct rig *r = rig_ready("");
	struct nvme_sqe sqe = { .opc = NVME_ADMIN_IDENTIFY, .cdw10 = NVME_CNS_CTRL, .flags = SGL };

	sqe.sgl1 = desc(NVME_SGL_TYPE_DATA_BLOCK, r->buf, 4096);
	assert_int_equal(rig_run(r, 0, sqe, NULL), NVME_SC_INVALID_FIELD);
	rig_destroy(r);
}

static void done(struct ssd_cmd *cmd)
{
	cmd->priv = NULL;
}

static void vectors_of_a_front_end_carry_data(void **state)
{
	struct rig *r = rig_ready("latency=none");
	struct iovec iov[2] = { { r->buf, 100 }, { r->buf + 100, 412 } };
	struct ssd_cmd cmd = { .sqid = 1, .data = iov, .data_n = 2, .done = done, .priv = r };

	fill(r->buf, 512, 3);
	cmd.sqe = rig_rw(NVME_CMD_WRITE, 7, 1, NULL);
	assert_int_equal(ssd_exec(ssd_pcie(r->ssd), &cmd, r->now_ns), 0);

	assert_null(cmd.priv);
	assert_int_equal(cmd.cqe.status, 0);
	assert_int_equal(rig_read(r, 7, 1, r->buf2), 0);
	assert_memory_equal(r->buf, r->buf2, 512);
	rig_destroy(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prps_of_any_offset_and_length_carry_data),
		cmocka_unit_test(host_memory_in_small_pieces_carries_data),
		cmocka_unit_test(lists_chain_at_the_end_of_a_page),
		cmocka_unit_test(scattered_pages_up_to_64_mib_carry_data),
		cmocka_unit_test(without_mdts_the_longest_command_carries_data),
		cmocka_unit_test(a_prp2_that_is_missing_is_a_transfer_error),
		cmocka_unit_test(wrong_offsets_are_found),
		cmocka_unit_test(unmapped_memory_is_a_transfer_error),
		cmocka_unit_test(segments_of_odd_blocks_carry_data),
		cmocka_unit_test(a_bit_bucket_swallows_what_is_read),
		cmocka_unit_test(each_wrong_sgl_has_its_status),
		cmocka_unit_test(admin_commands_take_prps_only),
		cmocka_unit_test(vectors_of_a_front_end_carry_data),
		cmocka_unit_test(an_offset_needs_one_piece_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
