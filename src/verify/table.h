/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table.h - inside of a verify table; for the files of this folder.
 *
 * Flat arrays over the whole namespace in address space that is committed by the page,
 * so that the way from LBA to CRC is one addition. A byte a group says whether any of
 * its LBAs was ever written: reads of others never touch the arrays.
 */
#ifndef PYNVME_VERIFY_TABLE_H
#define PYNVME_VERIFY_TABLE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define VERIFY_GROUP_SHIFT	10
#define VERIFY_GROUP_LBAS	(1u << VERIFY_GROUP_SHIFT)
#define VERIFY_LIFE_LBAS	8u /* in one word of table.life */
#define VERIFY_GROUP_LIFE_WORDS (VERIFY_GROUP_LBAS / VERIFY_LIFE_LBAS)
#define VERIFY_GROUP_BYTES	(VERIFY_GROUP_LBAS * 4u + VERIFY_GROUP_LIFE_WORDS * 4u)

/* table.groups */
#define VERIFY_GROUP_USED  0x01u
#define VERIFY_GROUP_DIRTY 0x02u /* some LBA may be acknowledged and not durable */

/*
 * table.life, four bits an LBA. Between the two ends: acknowledged, in epoch
 * FIRST_SLOT + epoch % SLOTS. A Flush covers the epochs up to the one it began in.
 */
#define VERIFY_LIFE_INFLIGHT   0u
#define VERIFY_LIFE_FIRST_SLOT 1u
#define VERIFY_LIFE_SLOTS      14u
#define VERIFY_LIFE_DURABLE    15u

/**
 * struct verify_table
 * @crc: one an LBA, 0: unknown (a CRC that is 0 is kept as 1)
 * @life: 4 bits an LBA
 * @groups: a byte a group
 * @slot: the value in table.life of a write acknowledged now
 * @epoch: it belongs to this epoch; rises when a Flush begins
 * @durable: epochs up to here are durable
 * @settled: epochs up to here are VERIFY_LIFE_DURABLE in @life, their slots are free
 * @groups_end: behind the last group that was ever in use
 * @locks: a byte an LBA: readers, or 255 for a writer; NULL until the first lock
 */
struct verify_table {
	_Atomic uint32_t *crc;
	_Atomic uint32_t *life;
	_Atomic uint8_t *groups;
	uint64_t nlbas;
	uint32_t lba_bytes;
	_Atomic uint32_t slot;
	/* cold from here */
	_Atomic uint64_t ngroups_used, groups_end;
	_Atomic(_Atomic uint8_t *) locks;
	pthread_mutex_t mutex; /* epochs, creation of locks */
	uint64_t ngroups;
	uint64_t epoch, durable, settled;
};

/* The token of the next LBA to be stamped. */
extern _Atomic uint64_t verify_next_token;

/* Part of [lba, lba + nlb) that lies in one group, and inside the table. 0: none is left. */
static inline uint32_t verify_group_part(const struct verify_table *t, uint64_t lba, uint64_t nlb)
{
	uint64_t part = VERIFY_GROUP_LBAS - (lba & (VERIFY_GROUP_LBAS - 1));

	if (lba >= t->nlbas)
		return 0;
	if (part > t->nlbas - lba)
		part = t->nlbas - lba;
	return (uint32_t)(part < nlb ? part : nlb);
}

static inline bool verify_group_used(const struct verify_table *t, uint64_t lba)
{
	return atomic_load_explicit(&t->groups[lba >> VERIFY_GROUP_SHIFT], memory_order_acquire) &
	       VERIFY_GROUP_USED;
}

/* The first used group at or after @group, or ngroups. */
uint64_t verify_next_group(const struct verify_table *t, uint64_t group);

/* Memory for the group of @lba: false if there is none. */
bool verify_group_take(struct verify_table *t, uint64_t lba);

/* Set the life of LBAs that lie in one group. */
void verify_life_set(struct verify_table *t, uint64_t lba, uint32_t nlb, uint32_t life);

/* The life of one LBA. */
static inline uint32_t verify_life_get(const struct verify_table *t, uint64_t lba)
{
	uint32_t word =
		atomic_load_explicit(&t->life[lba / VERIFY_LIFE_LBAS], memory_order_relaxed);

	return (word >> (lba % VERIFY_LIFE_LBAS * 4)) & 0xf;
}

/* Turn slots of durable epochs into VERIFY_LIFE_DURABLE. Under the mutex. */
void verify_settle(struct verify_table *t);

#endif
