/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stamp.c - what is put into the data of a write, and looked for in that of a read. Hot.
 */
#include <errno.h>
#include <string.h>

#include "base/crc32c.h"
#include "verify/table.h"
#include "verify/verify.h"

#define BLOCK_LBAS 8u

_Atomic uint64_t verify_next_token = 1;

/* 0 is how the table says "unknown": a CRC that is 0 shares a code with 1. */
static inline uint32_t code(const struct verify_table *t, const uint8_t *data)
{
	uint32_t crc = crc32c(0, data, t->lba_bytes);

	return crc ? crc : 1;
}

static inline void put_stamps(const struct verify_table *t, uint8_t *data, uint64_t lba,
			      uint64_t token)
{
	memcpy(data, &lba, sizeof(lba));
	memcpy(data + t->lba_bytes - sizeof(token), &token, sizeof(token));
}

/* All stamps first: a CRC right behind the store that it reads has to wait for it. */
static void stamp_block(struct verify_table *t, uint8_t *data, uint64_t lba, uint32_t nlb,
			uint32_t stride, uint64_t token, bool recorded)
{
	uint8_t *at = data;

	for (uint32_t i = 0; i < nlb; i++, at += stride)
		put_stamps(t, at, lba + i, token + i);
	if (!recorded)
		return;
	at = data;
	for (uint32_t i = 0; i < nlb; i++, at += stride)
		atomic_store_explicit(&t->crc[lba + i], code(t, at), memory_order_relaxed);
}

/* In blocks that stay in the nearest cache. */
static void stamp_part(struct verify_table *t, uint8_t *data, uint64_t lba, uint32_t nlb,
		       uint32_t stride, uint64_t token, bool recorded)
{
	while (nlb) {
		uint32_t n = nlb < BLOCK_LBAS ? nlb : BLOCK_LBAS;

		stamp_block(t, data, lba, n, stride, token, recorded);
		data += (size_t)n * stride;
		lba += n;
		token += n;
		nlb -= n;
	}
}

int verify_stamp(struct verify_table *t, void *data, uint64_t slba, uint32_t nlb, uint32_t stride)
{
	uint64_t token = atomic_fetch_add_explicit(&verify_next_token, nlb, memory_order_relaxed);
	uint8_t *at = data;
	uint64_t lba = slba;
	uint32_t part;
	int err = 0;

	for (; (part = verify_group_part(t, lba, slba + nlb - lba)); lba += part) {
		bool recorded = verify_group_used(t, lba) || verify_group_take(t, lba);

		if (!recorded)
			err = -ENOMEM;
		else
			verify_life_set(t, lba, part, VERIFY_LIFE_INFLIGHT);
		stamp_part(t, at, lba, part, stride, token, recorded);
		at += (size_t)part * stride;
		token += part;
	}
	for (; lba != slba + nlb; lba++, at += stride)
		put_stamps(t, at, lba, token++);
	return err;
}

static void report(const struct verify_table *t, const uint8_t *data, uint64_t lba,
		   uint32_t expected, uint32_t got, struct verify_miss *miss)
{
	if (miss->bad_lbas++)
		return;
	miss->lba = lba;
	memcpy(&miss->stamp, data, sizeof(miss->stamp));
	memcpy(&miss->token, data + t->lba_bytes - sizeof(miss->token), sizeof(miss->token));
	miss->crc_expected = expected;
	miss->crc_got = got;
}

int verify_check(const struct verify_table *t, const void *data, uint64_t slba, uint32_t nlb,
		 uint32_t stride, struct verify_miss *miss)
{
	const uint8_t *at = data;
	uint64_t lba = slba;
	uint32_t part;

	miss->bad_lbas = 0;
	for (; (part = verify_group_part(t, lba, slba + nlb - lba)); lba += part) {
		if (!verify_group_used(t, lba)) {
			at += (size_t)part * stride;
			continue;
		}
		for (uint32_t i = 0; i < part; i++, at += stride) {
			uint32_t expected =
				atomic_load_explicit(&t->crc[lba + i], memory_order_relaxed);
			uint32_t got;

			if (!expected)
				continue;
			/* The CRC is over the stamps too. */
			got = code(t, at);
			if (__builtin_expect(got != expected, 0))
				report(t, at, lba + i, expected, got, miss);
		}
	}
	return miss->bad_lbas != 0;
}

void verify_prefetch(const struct verify_table *t, uint64_t slba)
{
	if (slba >= t->nlbas || !verify_group_used(t, slba))
		return;
	__builtin_prefetch((const void *)&t->crc[slba]);
	__builtin_prefetch((const void *)&t->life[slba / VERIFY_LIFE_LBAS]);
}
