/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table.c - address space of a table, and which groups of it are in use.
 */
#include "verify/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/err.h"
#include "verify/memory.h"
#include "verify/verify.h"

/* Stamps are at both ends of an LBA. */
#define STAMP_BYTES 16u

static void *reserve(uint64_t bytes)
{
	void *va = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (va == MAP_FAILED)
		return NULL;
	/* One random write must not take 2 MiB. Refused only where the kernel has no such pages. */
	(void)madvise(va, bytes, MADV_NOHUGEPAGE);
	return va;
}

static void release(void *va, uint64_t bytes)
{
	if (va)
		munmap(va, bytes);
}

static uint64_t crc_bytes(const struct verify_table *t)
{
	return t->ngroups * VERIFY_GROUP_LBAS * sizeof(uint32_t);
}

static uint64_t life_bytes(const struct verify_table *t)
{
	return t->ngroups * VERIFY_GROUP_LIFE_WORDS * sizeof(uint32_t);
}

/* Whole words for verify_next_group(). */
static uint64_t groups_bytes(const struct verify_table *t)
{
	return (t->ngroups + 7) / 8 * 8;
}

int verify_create(struct verify_table **out, uint64_t nlbas, uint32_t lba_bytes)
{
	struct verify_table *t;

	if (lba_bytes < STAMP_BYTES || !nlbas || nlbas > UINT64_MAX / 8)
		return err_set(-EINVAL, "verification of %llu LBAs of %u bytes",
			       (unsigned long long)nlbas, lba_bytes);
	t = calloc(1, sizeof(*t));
	if (!t)
		return err_set(-ENOMEM, "no memory");
	pthread_mutex_init(&t->mutex, NULL);
	t->nlbas = nlbas;
	t->lba_bytes = lba_bytes;
	t->ngroups = (nlbas + VERIFY_GROUP_LBAS - 1) >> VERIFY_GROUP_SHIFT;
	t->epoch = 1;
	t->slot = VERIFY_LIFE_FIRST_SLOT + 1;
	t->crc = reserve(crc_bytes(t));
	t->life = reserve(life_bytes(t));
	t->groups = reserve(groups_bytes(t));
	if (!t->crc || !t->life || !t->groups) {
		verify_destroy(t);
		return err_set(
			-ENOMEM,
			"no address space to verify %llu LBAs (ulimit -v, overcommit_memory)",
			(unsigned long long)nlbas);
	}
	*out = t;
	return 0;
}

void verify_destroy(struct verify_table *t)
{
	if (!t)
		return;
	release((void *)t->crc, crc_bytes(t));
	release((void *)t->life, life_bytes(t));
	release((void *)t->groups, groups_bytes(t));
	release((void *)atomic_load(&t->locks), t->nlbas);
	verify_memory_give(t->ngroups_used);
	pthread_mutex_destroy(&t->mutex);
	free(t);
}

uint64_t verify_memory_bytes(const struct verify_table *t)
{
	return atomic_load(&t->ngroups_used) * VERIFY_GROUP_BYTES;
}

uint64_t verify_next_group(const struct verify_table *t, uint64_t group)
{
	/* A drive may claim so many LBAs that looking at each group takes minutes. */
	uint64_t end = atomic_load(&t->groups_end);

	while (group < end) {
		if (group % 8 == 0 && !atomic_load_explicit((_Atomic uint64_t *)&t->groups[group],
							    memory_order_acquire))
			group += 8;
		else if (verify_group_used(t, group << VERIFY_GROUP_SHIFT))
			return group;
		else
			group++;
	}
	return t->ngroups;
}

bool verify_group_take(struct verify_table *t, uint64_t lba)
{
	_Atomic uint8_t *group = &t->groups[lba >> VERIFY_GROUP_SHIFT];
	uint64_t end = (lba >> VERIFY_GROUP_SHIFT) + 1, was = atomic_load(&t->groups_end);

	if (!verify_memory_take())
		return false;
	while (was < end && !atomic_compare_exchange_weak(&t->groups_end, &was, end))
		;
	if (atomic_fetch_or(group, VERIFY_GROUP_USED) & VERIFY_GROUP_USED)
		verify_memory_give(1); /* another thread was faster */
	else
		atomic_fetch_add(&t->ngroups_used, 1);
	return true;
}

/* All LBAs of a group become unknown, and its memory goes back. */
static void group_drop(struct verify_table *t, uint64_t group)
{
	_Atomic uint32_t *life = &t->life[group * VERIFY_GROUP_LIFE_WORDS];
	uint8_t was = atomic_exchange(&t->groups[group], 0);

	(void)madvise((void *)&t->crc[group << VERIFY_GROUP_SHIFT],
		      VERIFY_GROUP_LBAS * sizeof(uint32_t), MADV_DONTNEED);
	for (uint32_t i = 0; i < VERIFY_GROUP_LIFE_WORDS; i++)
		atomic_store_explicit(&life[i], 0, memory_order_relaxed);
	if (was & VERIFY_GROUP_USED) {
		atomic_fetch_sub(&t->ngroups_used, 1);
		verify_memory_give(1);
	}
}

void verify_unmap(struct verify_table *t, uint64_t slba, uint64_t nlb)
{
	uint64_t end = nlb < t->nlbas - slba ? slba + nlb : t->nlbas;
	uint64_t lba = slba;

	if (slba >= t->nlbas)
		return;
	while (lba < end) {
		uint64_t group = lba >> VERIFY_GROUP_SHIFT;
		uint64_t group_end = (group + 1) << VERIFY_GROUP_SHIFT;
		uint64_t stop = end < group_end ? end : group_end;

		if (!verify_group_used(t, lba)) {
			lba = verify_next_group(t, group + 1) << VERIFY_GROUP_SHIFT;
			continue;
		}
		if (lba == group << VERIFY_GROUP_SHIFT && (stop == group_end || stop == t->nlbas)) {
			group_drop(t, group);
		} else {
			for (uint64_t i = lba; i < stop; i++)
				atomic_store_explicit(&t->crc[i], 0, memory_order_relaxed);
		}
		lba = stop;
	}
}

void verify_life_set(struct verify_table *t, uint64_t lba, uint32_t nlb, uint32_t life)
{
	_Atomic uint32_t *word = &t->life[lba / VERIFY_LIFE_LBAS];
	uint32_t pattern = life * 0x11111111u;
	uint32_t first = lba % VERIFY_LIFE_LBAS;

	while (nlb) {
		uint32_t n = VERIFY_LIFE_LBAS - first < nlb ? VERIFY_LIFE_LBAS - first : nlb;

		if (n == VERIFY_LIFE_LBAS) {
			atomic_store_explicit(word, pattern, memory_order_relaxed);
		} else {
			uint32_t mask = ((1u << (4 * n)) - 1) << (4 * first);
			uint32_t old = atomic_load_explicit(word, memory_order_relaxed);

			while (!atomic_compare_exchange_weak_explicit(
				word, &old, (old & ~mask) | (pattern & mask), memory_order_relaxed,
				memory_order_relaxed))
				;
		}
		word++;
		nlb -= n;
		first = 0;
	}
}
