// SPDX-License-Identifier: BSD-3-Clause
/*
 * The page map against a model: an array of bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "bus/dma_bits.h"

#define PAGES 1000u /* not a multiple of 64 */

static uint8_t model[PAGES];

static bool model_free(uint32_t page, uint32_t n)
{
	for (uint32_t i = page; i < page + n; i++)
		if (i >= PAGES || model[i])
			return false;
	return true;
}

static bool crosses(uint32_t page, uint32_t n, uint32_t boundary)
{
	return n <= boundary && page / boundary != (page + n - 1) / boundary;
}

/* The lowest page that will do. */
static uint32_t model_find(uint32_t n, uint32_t boundary)
{
	uint32_t page = 0;

	while (page < PAGES && (!model_free(page, n) || crosses(page, n, boundary)))
		page++;
	return page;
}

struct run {
	uint32_t page, n;
};

static void random_life(uint32_t boundary)
{
	static struct run runs[100];
	struct dma_bits bits;
	unsigned int seed = 7;

	memset(model, 0, sizeof(model));
	memset(runs, 0, sizeof(runs));
	assert_int_equal(dma_bits_init(&bits, PAGES), 0);
	for (int round = 0; round < 20000; round++) {
		struct run *run = &runs[(unsigned int)rand_r(&seed) % 100];
		uint32_t expected;

		if (run->n) {
			dma_bits_give(&bits, run->page, run->n);
			memset(model + run->page, 0, run->n);
			run->n = 0;
			continue;
		}
		run->n = 1u + (unsigned int)rand_r(&seed) % 70;
		expected = model_find(run->n, boundary);
		if (expected == PAGES) {
			assert_false(dma_bits_take(&bits, run->n, boundary, &run->page));
			run->n = 0;
			continue;
		}
		assert_true(dma_bits_take(&bits, run->n, boundary, &run->page));
		assert_int_equal(run->page, expected);
		memset(model + run->page, 1, run->n);
	}
	dma_bits_fini(&bits);
}

static void the_lowest_fit_is_taken(void **state)
{
	random_life(0);
}

static void runs_do_not_cross_a_boundary(void **state)
{
	random_life(32);
}

static void all_of_it_can_be_taken_and_given_back(void **state)
{
	struct dma_bits bits;
	uint32_t page;

	assert_int_equal(dma_bits_init(&bits, PAGES), 0);
	for (int i = 0; i < 2; i++) {
		assert_true(dma_bits_take(&bits, PAGES, 0, &page));
		assert_int_equal(page, 0);
		assert_int_equal(bits.free, 0);
		assert_false(dma_bits_take(&bits, 1, 0, &page));
		dma_bits_give(&bits, 0, PAGES);
		assert_int_equal(bits.free, PAGES);
	}
	assert_false(dma_bits_take(&bits, PAGES + 1, 0, &page));
	dma_bits_fini(&bits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lowest_fit_is_taken),
		cmocka_unit_test(runs_do_not_cross_a_boundary),
		cmocka_unit_test(all_of_it_can_be_taken_and_given_back),
	};

	return cmocka_run_group_tests_name("dma_bits", tests, NULL, NULL);
}
