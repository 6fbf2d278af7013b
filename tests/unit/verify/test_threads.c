/* SPDX-License-Identifier: BSD-3-Clause */
/* Several threads on one table. */
#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/rand.h"
#include "verify/table.h"

#define THREADS 4u
#define ROUNDS	3000u
#define SPAN	(NLBAS / THREADS)

struct worker {
	pthread_t thread;
	struct verify_table *t;
	unsigned int index;
	unsigned int failures;
};

static void *write_and_read_own_lbas(void *arg)
{
	struct worker *w = arg;
	uint8_t data[8 * LBA_BYTES] = { 0 };
	struct verify_miss miss;
	struct rand rand;

	rand_seed(&rand, w->index);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint32_t nlb = 1 + (uint32_t)rand_below(&rand, 8);
		uint64_t slba = w->index * SPAN + rand_below(&rand, SPAN - nlb);

		data[100] = (uint8_t)i;
		w->failures += verify_stamp(w->t, data, slba, nlb, LBA_BYTES) != 0;
		verify_written(w->t, slba, nlb, true, i & 1);
		w->failures += (unsigned int)verify_check(w->t, data, slba, nlb, LBA_BYTES, &miss);
		data[50] ^= 1;
		w->failures += !verify_check(w->t, data, slba, nlb, LBA_BYTES, &miss);
		data[50] ^= 1;
		if (i % 16 == 0)
			verify_flush_end(w->t, verify_flush_begin(w->t), true);
	}
	return NULL;
}

static unsigned int run(struct verify_table *t, void *(*body)(void *))
{
	struct worker w[THREADS];
	unsigned int failures = 0;

	for (unsigned int i = 0; i < THREADS; i++) {
		w[i] = (struct worker){ .t = t, .index = i };
		assert_int_equal(pthread_create(&w[i].thread, NULL, body, &w[i]), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		pthread_join(w[i].thread, NULL);
		failures += w[i].failures;
	}
	return failures;
}

static void neighbours_do_not_disturb_each_other(void **state)
{
	assert_int_equal(run(*state, write_and_read_own_lbas), 0);
}

/* What is known of LBAs side by side lies in one word. */
static void *set_life_of_one_lba(void *arg)
{
	struct worker *w = arg;

	for (unsigned int i = 0; i < 300 * ROUNDS; i++) {
		uint32_t life = i & 1 ? VERIFY_LIFE_DURABLE : VERIFY_LIFE_INFLIGHT;

		verify_life_set(w->t, w->index, 1, life);
		w->failures += verify_life_get(w->t, w->index) != life;
	}
	return NULL;
}

static void what_is_known_of_an_lba_outlives_changes_beside_it(void **state)
{
	assert_int_equal(run(*state, set_life_of_one_lba), 0);
}

static _Atomic uint64_t tokens_seen;

static void *count_tokens(void *arg)
{
	struct worker *w = arg;
	uint8_t data[LBA_BYTES];

	for (unsigned int i = 0; i < ROUNDS; i++) {
		verify_stamp(w->t, data, w->index * SPAN, 1, LBA_BYTES);
		atomic_fetch_add(&tokens_seen, get_u64(data + LBA_BYTES - 8));
	}
	return NULL;
}

static void tokens_of_all_threads_are_one_sequence(void **state)
{
	uint8_t data[LBA_BYTES];
	uint64_t first, n = THREADS * ROUNDS;

	verify_stamp(*state, data, 0, 1, LBA_BYTES);
	first = get_u64(data + LBA_BYTES - 8) + 1;
	run(*state, count_tokens);

	assert_int_equal(atomic_load(&tokens_seen), n * first + n * (n - 1) / 2);
}

static _Atomic uint32_t owner[NLBAS];

/* Everybody wants the same few LBAs: the lock alone keeps them apart. */
static void *lock_and_look(void *arg)
{
	struct worker *w = arg;
	struct rand rand;

	rand_seed(&rand, w->index);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint64_t slba = rand_below(&rand, 12);
		bool exclusive = i & 1;

		if (verify_lock(w->t, slba, 4, exclusive))
			continue;
		for (uint64_t lba = slba; lba < slba + 4; lba++) {
			if (exclusive)
				w->failures += atomic_exchange(&owner[lba], 1) != 0;
			else
				w->failures += atomic_load(&owner[lba]) != 0;
		}
		for (uint64_t lba = slba; exclusive && lba < slba + 4; lba++)
			atomic_store(&owner[lba], 0);
		verify_unlock(w->t, slba, 4, exclusive);
	}
	return NULL;
}

static void locks_keep_threads_apart(void **state)
{
	assert_int_equal(run(*state, lock_and_look), 0);
}

static _Atomic bool stop;

static void *cut_power(void *arg)
{
	struct verify_table *t = arg;

	while (!atomic_load(&stop)) {
		verify_power_lost(t);
		verify_unmap(t, 0, NLBAS);
	}
	return NULL;
}

static void *write_only(void *arg)
{
	struct worker *w = arg;
	uint8_t data[8 * LBA_BYTES];

	for (unsigned int i = 0; i < ROUNDS; i++) {
		verify_stamp(w->t, data, w->index * SPAN + i % 1000, 8, LBA_BYTES);
		verify_written(w->t, w->index * SPAN + i % 1000, 8, true, false);
	}
	return NULL;
}

static void power_may_go_while_others_write(void **state)
{
	pthread_t cutter;

	atomic_store(&stop, false);
	assert_int_equal(pthread_create(&cutter, NULL, cut_power, *state), 0);
	run(*state, write_only);
	atomic_store(&stop, true);
	pthread_join(cutter, NULL);

	verify_power_lost(*state);
	for (uint64_t lba = 0; lba < NLBAS; lba++)
		assert_false(known(*state, lba));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(neighbours_do_not_disturb_each_other, table_setup,
						table_teardown),
		cmocka_unit_test_setup_teardown(what_is_known_of_an_lba_outlives_changes_beside_it,
						table_setup, table_teardown),
		cmocka_unit_test_setup_teardown(tokens_of_all_threads_are_one_sequence, table_setup,
						table_teardown),
		cmocka_unit_test_setup_teardown(locks_keep_threads_apart, table_setup,
						table_teardown),
		cmocka_unit_test_setup_teardown(power_may_go_while_others_write, table_setup,
						table_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
