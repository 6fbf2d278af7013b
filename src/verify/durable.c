/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * durable.c - which of the recorded LBAs survive a loss of power.
 *
 * Every acknowledged write belongs to the epoch in which it was acknowledged, and a Flush
 * covers the epochs that were over when it was submitted. Four bits an LBA name one of 14
 * epochs; when they run out, those that have become durable are settled and their names
 * used again.
 */
#include "verify/table.h"
#include "verify/verify.h"

void verify_written(struct verify_table *t, uint64_t slba, uint32_t nlb, bool ok, bool fua)
{
	uint32_t life = atomic_load_explicit(&t->slot, memory_order_relaxed);
	uint64_t end = slba + nlb;
	uint32_t part;

	for (uint64_t lba = slba; (part = verify_group_part(t, lba, end - lba)); lba += part) {
		if (!verify_group_used(t, lba))
			continue;
		if (!ok) {
			for (uint32_t i = 0; i < part; i++)
				atomic_store_explicit(&t->crc[lba + i], 0, memory_order_relaxed);
			continue;
		}
		verify_life_set(t, lba, part, fua ? VERIFY_LIFE_DURABLE : life);
		/*
		 * Stored without a look: settling takes the flag away before it reads the lives,
		 * so whichever comes last, the flag is there or the life was seen.
		 */
		if (!fua)
			atomic_store_explicit(&t->groups[lba >> VERIFY_GROUP_SHIFT],
					      VERIFY_GROUP_USED | VERIFY_GROUP_DIRTY,
					      memory_order_release);
	}
}

/* Is an acknowledgement in this slot durable? Slots name the epochs after @settled. */
static bool slot_durable(const struct verify_table *t, uint32_t life)
{
	uint64_t epoch = t->settled + 1;

	if (life == VERIFY_LIFE_DURABLE || life == VERIFY_LIFE_INFLIGHT)
		return life == VERIFY_LIFE_DURABLE;
	for (; epoch <= t->durable; epoch++)
		if (VERIFY_LIFE_FIRST_SLOT + epoch % VERIFY_LIFE_SLOTS == life)
			return true;
	return false;
}

/* One bit a value of a life: durable or not. */
static uint32_t durable_lives(const struct verify_table *t)
{
	uint32_t set = 0;

	for (uint32_t life = 0; life <= VERIFY_LIFE_DURABLE; life++)
		set |= (uint32_t)slot_durable(t, life) << life;
	return set;
}

/* Return: true if something of the word is acknowledged and not durable. */
static bool settle_word(_Atomic uint32_t *word, uint32_t durable)
{
	uint32_t old = atomic_load_explicit(word, memory_order_relaxed);
	uint32_t new;
	bool left;

	do {
		new = old;
		left = false;
		for (uint32_t shift = 0; shift < 32; shift += 4) {
			uint32_t life = (old >> shift) & 0xf;

			if (durable >> life & 1)
				new |= 0xfu << shift;
			else if (life != VERIFY_LIFE_INFLIGHT)
				left = true;
		}
	} while (new != old &&
		 !atomic_compare_exchange_weak_explicit(word, &old, new, memory_order_relaxed,
							memory_order_relaxed));
	return left;
}

void verify_settle(struct verify_table *t)
{
	uint32_t durable = durable_lives(t);

	for (uint64_t group = 0; (group = verify_next_group(t, group)) < t->ngroups; group++) {
		_Atomic uint32_t *life = &t->life[group * VERIFY_GROUP_LIFE_WORDS];
		bool left = false;

		if (!(atomic_fetch_and(&t->groups[group], (uint8_t)~VERIFY_GROUP_DIRTY) &
		      VERIFY_GROUP_DIRTY))
			continue;
		for (uint32_t i = 0; i < VERIFY_GROUP_LIFE_WORDS; i++)
			left |= settle_word(&life[i], durable);
		if (left)
			atomic_fetch_or(&t->groups[group], VERIFY_GROUP_DIRTY);
	}
	t->settled = t->durable;
}

static void next_epoch(struct verify_table *t)
{
	t->epoch++;
	atomic_store(&t->slot, VERIFY_LIFE_FIRST_SLOT + (uint32_t)(t->epoch % VERIFY_LIFE_SLOTS));
}

uint64_t verify_flush_begin(struct verify_table *t)
{
	uint64_t covered;

	pthread_mutex_lock(&t->mutex);
	if (t->epoch + 1 - t->settled > VERIFY_LIFE_SLOTS && t->durable > t->settled)
		verify_settle(t);
	covered = t->epoch;
	/* More than a dozen unfinished flushes: this one covers what the one before does. */
	if (t->epoch + 1 - t->settled > VERIFY_LIFE_SLOTS)
		covered--;
	else
		next_epoch(t);
	pthread_mutex_unlock(&t->mutex);
	return covered;
}

void verify_flush_end(struct verify_table *t, uint64_t flush, bool ok)
{
	pthread_mutex_lock(&t->mutex);
	if (ok && flush > t->durable && flush < t->epoch)
		t->durable = flush;
	pthread_mutex_unlock(&t->mutex);
}

void verify_power_lost(struct verify_table *t)
{
	uint32_t durable;

	pthread_mutex_lock(&t->mutex);
	durable = durable_lives(t);
	for (uint64_t group = 0; (group = verify_next_group(t, group)) < t->ngroups; group++) {
		uint64_t lba = group << VERIFY_GROUP_SHIFT;

		for (uint64_t i = lba; i < lba + VERIFY_GROUP_LBAS; i++) {
			bool keep = durable >> verify_life_get(t, i) & 1;

			if (!keep)
				atomic_store_explicit(&t->crc[i], 0, memory_order_relaxed);
			verify_life_set(t, i, 1, keep ? VERIFY_LIFE_DURABLE : VERIFY_LIFE_INFLIGHT);
		}
		atomic_fetch_and(&t->groups[group], (uint8_t)~VERIFY_GROUP_DIRTY);
	}
	t->durable = t->epoch;
	t->settled = t->epoch;
	next_epoch(t);
	pthread_mutex_unlock(&t->mutex);
}
