/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * memory.c - how much memory all verify tables of the process may take.
 *
 * Memory is committed behind the back of malloc(), and Linux kills where it has promised
 * too much. So the system is asked how much is left every few MiB, and some is left to it.
 */
#include "verify/memory.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/err.h"
#include "verify/table.h"
#include "verify/verify.h"

#define ASK_EVERY_GROUPS 4096u /* 18 MiB */
#define RESERVE_BYTES	 (UINT64_C(128) << 20)

static _Atomic uint64_t ngroups_used;
static _Atomic uint64_t limit_bytes;
static _Atomic bool exhausted; /* a group was refused since the last check */

/* MemAvailable of the system; UINT64_MAX if it does not say. */
static uint64_t available_bytes(void)
{
	unsigned long long kib = UINT64_MAX / 1024;
	FILE *f = fopen("/proc/meminfo", "re");
	char line[128];

	if (!f)
		return UINT64_MAX;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
			break;
	fclose(f);
	return kib * 1024;
}

static bool allowed(uint64_t ngroups)
{
	uint64_t limit = atomic_load(&limit_bytes);

	if (limit && ngroups * VERIFY_GROUP_BYTES > limit)
		return false;
	if (ngroups % ASK_EVERY_GROUPS && !atomic_load(&exhausted))
		return true;
	return available_bytes() > RESERVE_BYTES;
}

bool verify_memory_take(void)
{
	uint64_t ngroups = atomic_fetch_add(&ngroups_used, 1) + 1;

	/* Once refused, refused until verify_memory_check(): asking costs microseconds. */
	if (!atomic_load(&exhausted) && allowed(ngroups))
		return true;
	atomic_fetch_sub(&ngroups_used, 1);
	atomic_store(&exhausted, true);
	return false;
}

void verify_memory_give(uint64_t ngroups)
{
	atomic_fetch_sub(&ngroups_used, ngroups);
}

void verify_limit_memory(uint64_t bytes)
{
	atomic_store(&limit_bytes, bytes);
}

int verify_memory_check(void)
{
	uint64_t ngroups = atomic_load(&ngroups_used);

	if (!atomic_load(&exhausted))
		return 0;
	if (allowed(ngroups + 1)) {
		atomic_store(&exhausted, false);
		return 0;
	}
	return err_set(-ENOMEM,
		       "no memory to verify more data: %llu MiB are in use for it, %llu MiB of the "
		       "system are left, of which %llu are kept free",
		       (unsigned long long)(ngroups * VERIFY_GROUP_BYTES >> 20),
		       (unsigned long long)(available_bytes() >> 20),
		       (unsigned long long)(RESERVE_BYTES >> 20));
}
