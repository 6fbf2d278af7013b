// SPDX-License-Identifier: BSD-3-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/counts.h"
#include "base/err.h"
#include "bus/dma.h"
#include "fake_bus.h"

#define MIB (UINT64_C(1) << 20)

static int ends_clean(void **state)
{
	return count_get(COUNT_CHUNKS) || count_get(COUNT_FDS);
}

static void memory_is_page_aligned_and_zeroed(void **state)
{
	struct dma_mem a, b;

	assert_int_equal(dma_alloc(&a, 40967), 0);
	memset(a.va, 0xff, a.len);
	dma_free(&a);
	assert_int_equal(dma_alloc(&a, 4096), 0);
	assert_int_equal(dma_alloc(&b, 100000), 0);

	assert_int_equal((uintptr_t)a.va % 4096, 0);
	assert_int_equal(a.iova % 4096, 0);
	assert_int_equal(a.len, 4096);
	for (size_t i = 0; i < b.len; i++)
		assert_int_equal(((uint8_t *)b.va)[i], 0);
	dma_free(&a);
	dma_free(&b);
	assert_null(a.va);
}

static void nothing_and_too_much_are_refused(void **state)
{
	struct dma_mem mem;

	assert_int_equal(dma_alloc(&mem, 0), -EINVAL);
	assert_int_equal(dma_alloc(&mem, UINT64_C(1) << 50), -ENOMEM);
	assert_non_null(strstr(err_text(), "GiB"));
}

/* Takes the lowest free run: memory that was freed comes again. */
static void *next_place(size_t len)
{
	struct dma_mem mem;
	void *va;

	assert_int_equal(dma_alloc(&mem, len), 0);
	va = mem.va;
	dma_free(&mem);
	return va;
}

static void pinned_memory_is_not_handed_out_before_its_last_pin_ends(void **state)
{
	struct dma_mem mem, other;
	int first, second;
	uint8_t *va;

	assert_int_equal(dma_alloc(&mem, 3 * 4096), 0);
	assert_int_equal(dma_alloc(&other, 4096), 0);
	va = mem.va;
	assert_int_equal(dma_pin(&first, va), 0);
	assert_int_equal(dma_pin(&first, va + 5000), 0);
	assert_int_equal(dma_pin(&second, va + 3 * 4096 - 1), 0);
	assert_int_equal(dma_pin(&second, &first), 0);
	dma_free(&mem);

	assert_ptr_not_equal(next_place(4096), va);
	dma_unpin(&second);
	assert_ptr_not_equal(next_place(4096), va);
	dma_unpin(&first);
	assert_ptr_equal(next_place(3 * 4096), va);
	dma_free(&other);
}

/* More pages than pins are sorted by, and a pin in any of them. */
static void a_pin_anywhere_in_large_memory_keeps_it(void **state)
{
	const size_t len = 20 << 20, offs[] = { 0, 9999, 16 << 20, len / 2, len - 1 };
	struct dma_mem mem;
	uint8_t *va;
	int owner;

	for (size_t i = 0; i < sizeof(offs) / sizeof(offs[0]); i++) {
		assert_int_equal(dma_alloc(&mem, len), 0);
		va = mem.va;
		assert_int_equal(dma_pin(&owner, va + offs[i]), 0);
		dma_free(&mem);
		assert_ptr_not_equal(next_place(len), va);
		dma_unpin(&owner);
		assert_ptr_equal(next_place(len), va);
	}
}

/* By page they are sorted into 4096 places: one in each of them. */
static void an_owner_takes_all_its_pins_along(void **state)
{
	const size_t len = 16 << 20;
	struct dma_mem mem;
	uint8_t *va;
	int owner;

	assert_int_equal(dma_alloc(&mem, len), 0);
	va = mem.va;
	for (size_t off = 0; off < len; off += 4096)
		assert_int_equal(dma_pin(&owner, va + off), 0);
	dma_free(&mem);
	assert_ptr_not_equal(next_place(len), va);
	dma_unpin(&owner);
	assert_ptr_equal(next_place(len), va);
}

static void a_pin_that_ends_frees_nothing_that_is_in_use(void **state)
{
	struct dma_mem mem;
	int owner;

	assert_int_equal(dma_alloc(&mem, 4096), 0);
	assert_int_equal(dma_pin(&owner, mem.va), 0);
	dma_unpin(&owner);

	assert_ptr_not_equal(next_place(4096), mem.va);
	dma_free(&mem);
}

static void freeing_nothing_is_fine(void **state)
{
	struct dma_mem mem = { 0 };

	dma_free(&mem);
}

static void iova_and_va_are_inverse(void **state)
{
	struct dma_mem mem;
	size_t avail;

	assert_int_equal(dma_alloc(&mem, 5 * MIB), 0);
	for (size_t off = 0; off < mem.len; off += 4097) {
		uint8_t *va = (uint8_t *)mem.va + off;

		assert_int_equal(dma_iova(va), mem.iova + off);
		assert_ptr_equal(dma_va(mem.iova + off, mem.len - off, &avail), va);
		assert_int_equal(avail, mem.len - off);
	}
	dma_free(&mem);
}

static void iovas_avoid_the_msi_window(void **state)
{
	struct dma_mem mem;

	assert_int_equal(dma_alloc(&mem, 4096), 0);
	assert_true(mem.iova >= DMA_IOVA_BASE);
	dma_free(&mem);
}

static void foreign_addresses_have_no_iova(void **state)
{
	struct dma_mem mem;
	size_t avail;
	int local;

	assert_int_equal(dma_alloc(&mem, 4096), 0);
	assert_int_equal(dma_iova(&local), 0);
	assert_int_equal(dma_iova(NULL), 0);
	assert_int_equal(dma_iova((uint8_t *)mem.va + 128 * MIB), 0);
	assert_null(dma_va(0x1000, 1, &avail));
	assert_null(dma_va(mem.iova + 128 * MIB, 1, &avail));
	assert_null(dma_va(UINT64_MAX, 1, &avail));
	dma_free(&mem);
}

/* A range that runs out of the pool is cut where it ends. */
static void va_of_a_range_is_cut_at_the_end_of_the_pool(void **state)
{
	struct dma_mem mem;
	size_t avail = 0;

	assert_int_equal(dma_alloc(&mem, 2 * MIB), 0);
	assert_non_null(dma_va(mem.iova + 2 * MIB - 512, 4096, &avail));
	assert_int_equal(avail, 512);
	dma_free(&mem);
}

struct piece {
	struct dma_mem mem;
	uint32_t mark;
};

static bool all_of(const struct piece *piece, uint32_t mark)
{
	const uint32_t *word = piece->mem.va;

	for (size_t i = 0; i < piece->mem.len / 4; i++)
		if (word[i] != mark)
			return false;
	return true;
}

static void fill(struct piece *piece, uint32_t mark)
{
	uint32_t *word = piece->mem.va;

	piece->mark = mark;
	for (size_t i = 0; i < piece->mem.len / 4; i++)
		word[i] = mark;
}

/* Marks that survive prove that no two live pieces overlap. */
static void random_life_keeps_pieces_apart(void **state)
{
	static struct piece pieces[64];
	struct fake_bus fake;
	unsigned int seed = 20260101;

	fake_bus_init(&fake);
	assert_int_equal(dma_attach(&fake.bus), 0);
	for (uint32_t round = 1; round <= 5000; round++) {
		struct piece *piece = &pieces[(unsigned int)rand_r(&seed) % 64];

		if (piece->mem.va) {
			assert_true(all_of(piece, piece->mark));
			dma_free(&piece->mem);
			continue;
		}
		assert_int_equal(dma_alloc(&piece->mem, 4u << ((unsigned int)rand_r(&seed) % 17)),
				 0);
		assert_true(all_of(piece, 0));
		assert_true(fake_bus_reaches(&fake, piece->mem.iova, piece->mem.len));
		fill(piece, round);
	}
	for (int i = 0; i < 64; i++)
		dma_free(&pieces[i].mem);
	dma_detach(&fake.bus);
	assert_int_equal(fake.maps, fake.unmaps);
}

static void freed_neighbours_are_one_again(void **state)
{
	struct dma_mem mem[16], whole;
	struct fake_bus fake;

	fake_bus_init(&fake);
	assert_int_equal(dma_attach(&fake.bus), 0);
	for (int i = 0; i < 16; i++)
		assert_int_equal(dma_alloc(&mem[i], 128 * 1024), 0);
	for (int i = 0; i < 16; i += 2)
		dma_free(&mem[i]);
	for (int i = 1; i < 16; i += 2)
		dma_free(&mem[i]);
	assert_int_equal(dma_alloc(&whole, 2 * MIB), 0);

	assert_int_equal(fake.maps, 1);
	dma_free(&whole);
	dma_detach(&fake.bus);
}

static void chunks_grow_and_stay_few(void **state)
{
	struct dma_mem mem[256];
	int64_t chunks;

	for (int i = 0; i < 256; i++)
		assert_int_equal(dma_alloc(&mem[i], MIB), 0);
	chunks = count_get(COUNT_CHUNKS);
	for (int i = 0; i < 256; i++)
		dma_free(&mem[i]);
	assert_in_range(chunks, 6, 12);
}

static void a_large_piece_has_a_chunk_of_its_size(void **state)
{
	struct dma_mem mem;
	struct fake_bus fake;

	fake_bus_init(&fake);
	assert_int_equal(dma_alloc(&mem, 200 * MIB + 1), 0);
	assert_int_equal(dma_attach(&fake.bus), 0);
	assert_int_equal(fake.mapped[0]->len, 202 * MIB);
	dma_detach(&fake.bus);
	dma_free(&mem);
}

static void an_empty_chunk_stays_while_a_bus_is_open(void **state)
{
	struct fake_bus fake;
	struct dma_mem mem;

	fake_bus_init(&fake);
	assert_int_equal(dma_attach(&fake.bus), 0);
	assert_int_equal(dma_alloc(&mem, 4096), 0);
	dma_free(&mem);
	assert_int_equal(count_get(COUNT_CHUNKS), 1);
	assert_int_equal(fake.unmaps, 0);
	dma_detach(&fake.bus);
	assert_int_equal(fake.unmaps, 1);
	assert_int_equal(count_get(COUNT_CHUNKS), 0);
}

static void every_chunk_goes_into_every_bus(void **state)
{
	struct fake_bus early, late;
	struct dma_mem first, second;

	fake_bus_init(&early);
	fake_bus_init(&late);
	assert_int_equal(dma_alloc(&first, MIB), 0);
	assert_int_equal(dma_attach(&early.bus), 0);
	assert_int_equal(dma_alloc(&second, 10 * MIB), 0);
	assert_int_equal(dma_attach(&late.bus), 0);

	assert_true(fake_bus_reaches(&early, first.iova, first.len));
	assert_true(fake_bus_reaches(&early, second.iova, second.len));
	assert_true(fake_bus_reaches(&late, first.iova, first.len));
	assert_true(fake_bus_reaches(&late, second.iova, second.len));
	dma_free(&first);
	dma_free(&second);
	dma_detach(&early.bus);
	dma_detach(&late.bus);
}

static void growth_that_is_refused_falls_back_to_what_is_needed(void **state)
{
	struct dma_mem first, second;
	struct fake_bus fake;

	fake_bus_init(&fake);
	assert_int_equal(dma_alloc(&first, 8 * MIB), 0);
	assert_int_equal(dma_attach(&fake.bus), 0);
	fake.map_max_bytes = 2 * MIB;
	assert_int_equal(dma_alloc(&second, 4096), 0);
	assert_true(fake_bus_reaches(&fake, second.iova, second.len));
	dma_free(&second);
	dma_free(&first);
	dma_detach(&fake.bus);
}

static void growth_that_one_bus_refuses_is_undone_in_the_others(void **state)
{
	struct fake_bus willing, unwilling;
	struct dma_mem first, second;

	fake_bus_init(&willing);
	fake_bus_init(&unwilling);
	assert_int_equal(dma_alloc(&first, 2 * MIB), 0);
	assert_int_equal(dma_attach(&willing.bus), 0);
	assert_int_equal(dma_attach(&unwilling.bus), 0);
	unwilling.map_err = -ENOMEM;
	unwilling.maps_left = 0;
	assert_int_equal(dma_alloc(&second, 4096), -ENOMEM);
	assert_non_null(strstr(err_text(), "pin"));

	assert_int_equal(willing.maps - willing.unmaps, 1);
	assert_int_equal(count_get(COUNT_CHUNKS), 1);
	unwilling.map_err = 0;
	assert_int_equal(dma_alloc(&second, 4096), 0);
	dma_free(&second);
	dma_free(&first);
	dma_detach(&willing.bus);
	dma_detach(&unwilling.bus);
}

static void a_refused_bus_is_left_without_chunks(void **state)
{
	struct dma_mem first, second;
	struct fake_bus fake;

	fake_bus_init(&fake);
	assert_int_equal(dma_alloc(&first, 2 * MIB), 0);
	assert_int_equal(dma_alloc(&second, 8 * MIB), 0);
	fake.map_err = -EINVAL;
	fake.maps_left = 1;
	assert_int_equal(dma_attach(&fake.bus), -EINVAL);
	assert_int_equal(fake.maps, 1);
	assert_int_equal(fake.unmaps, 1);
	dma_free(&first);
	dma_free(&second);
}

/* What the child allocates must not be what the parent uses, and its frees are its own. */
static void a_forked_child_has_a_pool_of_its_own(void **state)
{
	struct dma_mem mem, own;
	int status;
	pid_t pid;

	assert_int_equal(dma_alloc(&mem, 64 * 1024), 0);
	memset(mem.va, 0x11, mem.len);
	pid = fork();
	if (!pid) {
		uint8_t *old = mem.va;
		int bad = count_get(COUNT_CHUNKS) != 0 || count_get(COUNT_FDS) != 0;

		bad |= dma_iova(mem.va) != 0;
		bad |= dma_alloc(&own, 64 * 1024) != 0;
		memset(own.va, 0x22, own.len);
		dma_free(&mem);
		bad |= old[0] != 0x11; /* still readable */
		dma_free(&own);
		_exit(bad);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	for (size_t i = 0; i < mem.len; i++)
		assert_int_equal(((uint8_t *)mem.va)[i], 0x11);
	assert_true(dma_iova(mem.va) == mem.iova);
	dma_free(&mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(memory_is_page_aligned_and_zeroed, ends_clean),
		cmocka_unit_test_teardown(nothing_and_too_much_are_refused, ends_clean),
		cmocka_unit_test_teardown(pinned_memory_is_not_handed_out_before_its_last_pin_ends,
					  ends_clean),
		cmocka_unit_test_teardown(a_pin_anywhere_in_large_memory_keeps_it, ends_clean),
		cmocka_unit_test_teardown(an_owner_takes_all_its_pins_along, ends_clean),
		cmocka_unit_test_teardown(a_pin_that_ends_frees_nothing_that_is_in_use, ends_clean),
		cmocka_unit_test_teardown(freeing_nothing_is_fine, ends_clean),
		cmocka_unit_test_teardown(iova_and_va_are_inverse, ends_clean),
		cmocka_unit_test_teardown(iovas_avoid_the_msi_window, ends_clean),
		cmocka_unit_test_teardown(foreign_addresses_have_no_iova, ends_clean),
		cmocka_unit_test_teardown(va_of_a_range_is_cut_at_the_end_of_the_pool, ends_clean),
		cmocka_unit_test_teardown(random_life_keeps_pieces_apart, ends_clean),
		cmocka_unit_test_teardown(freed_neighbours_are_one_again, ends_clean),
		cmocka_unit_test_teardown(chunks_grow_and_stay_few, ends_clean),
		cmocka_unit_test_teardown(a_large_piece_has_a_chunk_of_its_size, ends_clean),
		cmocka_unit_test_teardown(an_empty_chunk_stays_while_a_bus_is_open, ends_clean),
		cmocka_unit_test_teardown(every_chunk_goes_into_every_bus, ends_clean),
		cmocka_unit_test_teardown(growth_that_is_refused_falls_back_to_what_is_needed,
					  ends_clean),
		cmocka_unit_test_teardown(growth_that_one_bus_refuses_is_undone_in_the_others,
					  ends_clean),
		cmocka_unit_test_teardown(a_refused_bus_is_left_without_chunks, ends_clean),
		cmocka_unit_test_teardown(a_forked_child_has_a_pool_of_its_own, ends_clean),
	};

	return cmocka_run_group_tests_name("dma", tests, NULL, NULL);
}
