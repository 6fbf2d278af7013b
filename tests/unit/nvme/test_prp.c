// SPDX-License-Identifier: BSD-3-Clause
/* PRP lists against a walker that knows only the specification (Base 2.1 section 4.3.1). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "nvme/pcie/prp.h"

#define PAGE	4096u
#define ARENA	(10u << 20)
#define ENTRIES 32u
#define SPACE	(ENTRIES * sizeof(uint64_t))

struct arena {
	struct dma_mem data, list;
	struct nvme_qpair q;
	struct nvme_tracker t;
	struct nvme_req req;
};

static int open_arena(void **state)
{
	struct arena *a = calloc(1, sizeof(*a));

	assert_int_equal(dma_alloc(&a->data, ARENA), 0);
	assert_int_equal(dma_alloc(&a->list, PAGE), 0);
	a->q.prp_entries = ENTRIES;
	/* The last space of the page: a list that runs over it leaves the page. */
	a->t.prp = (uint64_t *)((uint8_t *)a->list.va + PAGE - SPACE);
	a->t.prp_iova = a->list.iova + PAGE - SPACE;
	*state = a;
	return 0;
}

static void drop_extra(struct arena *a)
{
	if (a->t.extra)
		dma_free(&a->t.extra->chain);
	free(a->t.extra);
	a->t.extra = NULL;
}

static int close_arena(void **state)
{
	struct arena *a = *state;

	drop_extra(a);
	dma_free(&a->data);
	dma_free(&a->list);
	free(a);
	return 0;
}

static uint64_t entry_at(uint64_t iova)
{
	size_t avail = 0;
	const uint64_t *entry = dma_va(iova, sizeof(*entry), &avail);

	assert_non_null(entry);
	assert_int_equal(iova % 8, 0);
	return *entry;
}

/*
 * Walks the data pointer the way a controller does and fails unless it describes exactly
 * [iova, iova + bytes).
 */
static void walk(const struct nvme_sqe *sqe, uint64_t iova, uint64_t bytes)
{
	uint64_t first = PAGE - sqe->prp1 % PAGE;
	uint64_t list = sqe->prp2, entry;

	assert_int_equal(sqe->prp1, iova);
	if (bytes <= first)
		return;
	iova += first;
	bytes -= first;
	if (bytes <= PAGE) {
		assert_int_equal(sqe->prp2, iova);
		return;
	}
	while (bytes) {
		/* The last entry of a page is the next list's address if more is to come. */
		if (list % PAGE == PAGE - 8 && bytes > PAGE) {
			list = entry_at(list);
			assert_int_equal(list % PAGE, 0);
		}
		entry = entry_at(list);
		if (entry != iova)
			fail_msg("entry %#llx, expected %#llx", (unsigned long long)entry,
				 (unsigned long long)iova);
		list += 8;
		iova += PAGE;
		bytes -= bytes < PAGE ? bytes : PAGE;
	}
}

static void check(struct arena *a, uint32_t off, uint32_t bytes)
{
	a->req = (struct nvme_req){ .data = (uint8_t *)a->data.va + off, .data_bytes = bytes };
	assert_int_equal(nvme_prp_map(&a->q, &a->t, &a->req), 0);
	walk(&a->req.sqe, a->data.iova + off, bytes);
	drop_extra(a);
}

static void every_dword_offset_and_length_of_a_few_pages(void **state)
{
	static const uint32_t lengths[] = { 4,	  512,	 3584,	4092,  4096,   4100,   8188,  8192,
					    8196, 12288, 65536, 65540, 126976, 131068, 131072 };

	for (uint32_t off = 0; off < PAGE; off += 4)
		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
			check(*state, off, lengths[i]);
}

static void every_length_of_lbas_up_to_128_kib(void **state)
{
	for (uint32_t off = 0; off < PAGE; off += 1020)
		for (uint32_t bytes = 512; bytes <= 128 * 1024; bytes += 512)
			check(*state, off, bytes);
}

static void lists_that_need_chained_pages(void **state)
{
	static const uint32_t pages[] = { 33,	34,   511,  512,  513,	514,  1022, 1023,
					  1024, 1025, 1534, 1535, 2047, 2048, 2500 };

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		check(*state, 0, pages[i] * PAGE);
		check(*state, 0, pages[i] * PAGE - 512);
		check(*state, 4, pages[i] * PAGE);
		check(*state, PAGE - 4, pages[i] * PAGE);
	}
}

static void mdts_at_any_offset_fits_the_trackers_space(void **state)
{
	struct arena *a = *state;

	a->req = (struct nvme_req){ .data = (uint8_t *)a->data.va + PAGE - 4,
				    .data_bytes = 128 * 1024 };
	assert_int_equal(nvme_prp_map(&a->q, &a->t, &a->req), 0);

	assert_null(a->t.extra);
	assert_int_equal(a->req.sqe.prp2, a->t.prp_iova);
}

static void the_hot_path_agrees_about_single_pages(void **state)
{
	struct arena *a = *state;

	for (uint32_t off = 0; off < PAGE; off += 4)
		for (uint32_t bytes = 4; bytes <= PAGE; bytes += 508) {
			a->req = (struct nvme_req){ .data = (uint8_t *)a->data.va + off,
						    .data_bytes = bytes };
			assert_int_equal(nvme_prp_map_page(&a->req), off + bytes <= PAGE);
			if (off + bytes <= PAGE)
				walk(&a->req.sqe, a->data.iova + off, bytes);
		}
}

static void the_hot_path_leaves_what_is_rare(void **state)
{
	struct arena *a = *state;
	uint32_t outside = 0;

	a->req = (struct nvme_req){ .data = a->data.va, .data_bytes = 0 };
	assert_false(nvme_prp_map_page(&a->req));
	a->req = (struct nvme_req){ .data = (uint8_t *)a->data.va + 1, .data_bytes = 4 };
	assert_false(nvme_prp_map_page(&a->req));
	a->req = (struct nvme_req){ .data = &outside, .data_bytes = 4 };
	assert_false(nvme_prp_map_page(&a->req));
	a->req = (struct nvme_req){ .data = a->data.va, .data_bytes = 4, .meta = a->data.va };
	assert_false(nvme_prp_map_page(&a->req));
}

static void data_past_the_end_of_the_pool_is_refused(void **state)
{
	struct arena *a = *state;

	a->req = (struct nvme_req){ .data = a->data.va, .data_bytes = 512u << 20 };

	assert_int_equal(nvme_prp_map(&a->q, &a->t, &a->req), -EFAULT);
}

static void metadata_gets_its_address(void **state)
{
	struct arena *a = *state;

	a->req = (struct nvme_req){ .data = a->data.va,
				    .data_bytes = 512,
				    .meta = (uint8_t *)a->data.va + 8192 };
	assert_int_equal(nvme_prp_map(&a->q, &a->t, &a->req), 0);

	assert_int_equal(a->req.sqe.mptr, a->data.iova + 8192);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, open_arena, close_arena)
	const struct CMUnitTest tests[] = {
		T(every_dword_offset_and_length_of_a_few_pages),
		T(every_length_of_lbas_up_to_128_kib),
		T(lists_that_need_chained_pages),
		T(mdts_at_any_offset_fits_the_trackers_space),
		T(the_hot_path_agrees_about_single_pages),
		T(the_hot_path_leaves_what_is_rare),
		T(data_past_the_end_of_the_pool_is_refused),
		T(metadata_gets_its_address),
	};

	return cmocka_run_group_tests_name("nvme/prp", tests, NULL, NULL);
}
