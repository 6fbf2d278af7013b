/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lock.c - LBA locks: a byte an LBA, taken all or none.
 *
 * Nobody waits here: whoever gets -EBUSY submits later. Address space for the bytes is
 * reserved with the first lock.
 */
#include <errno.h>
#include <sys/mman.h>

#include "base/err.h"
#include "verify/table.h"
#include "verify/verify.h"

#define FREE	    0u
#define READERS_MAX 254u
#define EXCLUSIVE   255u

static _Atomic uint8_t *lock_bytes(struct verify_table *t)
{
	_Atomic uint8_t *bytes = atomic_load(&t->locks);

	if (bytes)
		return bytes;
	pthread_mutex_lock(&t->mutex);
	bytes = atomic_load(&t->locks);
	if (!bytes) {
		void *va = mmap(NULL, t->nlbas, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		bytes = va == MAP_FAILED ? NULL : va;
		atomic_store(&t->locks, bytes);
	}
	pthread_mutex_unlock(&t->mutex);
	return bytes;
}

static bool take(_Atomic uint8_t *byte, bool exclusive)
{
	uint8_t old = atomic_load_explicit(byte, memory_order_relaxed);

	do {
		if (exclusive ? old != FREE : old >= READERS_MAX)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		byte, &old, exclusive ? EXCLUSIVE : (uint8_t)(old + 1), memory_order_acquire,
		memory_order_relaxed));
	return true;
}

static void give(_Atomic uint8_t *byte, bool exclusive)
{
	if (exclusive)
		atomic_store_explicit(byte, FREE, memory_order_release);
	else
		atomic_fetch_sub_explicit(byte, 1, memory_order_release);
}

/* LBAs of the range that the table has. */
static uint32_t inside(const struct verify_table *t, uint64_t slba, uint32_t nlb)
{
	if (slba >= t->nlbas)
		return 0;
	return nlb < t->nlbas - slba ? nlb : (uint32_t)(t->nlbas - slba);
}

int verify_lock(struct verify_table *t, uint64_t slba, uint32_t nlb, bool exclusive)
{
	_Atomic uint8_t *bytes = lock_bytes(t);
	uint32_t n = inside(t, slba, nlb);

	if (!bytes)
		return err_set(-ENOMEM, "no address space for LBA locks");
	for (uint32_t i = 0; i < n; i++) {
		if (take(&bytes[slba + i], exclusive))
			continue;
		while (i--)
			give(&bytes[slba + i], exclusive);
		return -EBUSY;
	}
	return 0;
}

void verify_unlock(struct verify_table *t, uint64_t slba, uint32_t nlb, bool exclusive)
{
	_Atomic uint8_t *bytes = atomic_load(&t->locks);
	uint32_t n = inside(t, slba, nlb);

	for (uint32_t i = 0; bytes && i < n; i++)
		give(&bytes[slba + i], exclusive);
}
