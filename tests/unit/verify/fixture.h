/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fixture.h - a table and data for its tests.
 */
#ifndef PYNVME_TESTS_VERIFY_FIXTURE_H
#define PYNVME_TESTS_VERIFY_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the above first */
#include <cmocka.h>

#include "verify/verify.h"

#define LBA_BYTES 512u
#define NLBAS	  UINT64_C(5000)

static inline int table_setup(void **state)
{
	struct verify_table *t;

	if (verify_create(&t, NLBAS, LBA_BYTES))
		return -1;
	*state = t;
	return 0;
}

static inline int table_teardown(void **state)
{
	verify_destroy(*state);
	return 0;
}

static inline uint64_t get_u64(const uint8_t *at)
{
	uint64_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

/* Is the LBA known: would other data than the last written be reported? */
static inline int known(struct verify_table *t, uint64_t lba)
{
	uint8_t wrong[LBA_BYTES] = { 0x5a };
	struct verify_miss miss;

	return verify_check(t, wrong, lba, 1, LBA_BYTES, &miss);
}

/* A write that completes well. */
static inline void write_lbas(struct verify_table *t, uint8_t *data, uint64_t slba, uint32_t nlb,
			      int fua)
{
	assert_int_equal(verify_stamp(t, data, slba, nlb, LBA_BYTES), 0);
	verify_written(t, slba, nlb, true, fua);
}

static inline void flush(struct verify_table *t)
{
	verify_flush_end(t, verify_flush_begin(t), true);
}

#endif
